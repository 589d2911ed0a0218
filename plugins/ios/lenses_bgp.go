package ios

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func bgpRows() []lens.Row {
	const at = "cfgvault-bgp:bgp/instance[vrf=default]"
	const in = "cfgvault-bgp:bgp/instance[vrf=$vrf]"
	rows := instanceRows(at)
	rows = append(rows,
		lens.Row{Text: "address-family $f:family", End: "exit-address-family", Rows: familyRows(at, "$f", true)},
		lens.Row{Text: "address-family $f:family-short", End: "exit-address-family", Rows: familyRows(at, "$f", true), ReadOnly: true})
	for _, f := range []string{"ipv4", "ipv6"} {
		below := familyRows(in, f+"-unicast", false)
		peers := peerRows("$n:ip", in+"/neighbor[address=$n]", "")
		rows = append(rows,
			lens.Row{Text: "address-family " + f + " vrf $vrf:vrf", Set: in + "/as=$as", End: "exit-address-family", ReadOnly: f == "ipv6",
				Rows: append([]lens.Row{{Text: "bgp router-id $id:quad", Set: in + "/router-id=$id"}, {Each: in + "/neighbor[address=$n]", Rows: peers}}, below...)},
			lens.Row{Text: "address-family " + f + " unicast vrf $vrf:vrf", Set: in + "/as=$as", ReadOnly: true,
				Rows: append([]lens.Row{{Text: "bgp router-id $id:quad", Set: in + "/router-id=$id"}, {Each: in + "/neighbor[address=$n]", Rows: peers}}, below...)})
	}
	return []lens.Row{{Text: "router bgp $as:asn", Set: at + "/as=$as", Rows: rows}}
}

// instanceRows are the statements outside any address family. What belongs to
// IPv4 unicast may stand there too, if the configuration has no block for it;
// it is written into the block.
func instanceRows(at string) []lens.Row {
	rows := []lens.Row{{Text: "bgp router-id $id:quad", Set: "./router-id=$id"}}
	rows = append(rows, cisco.OnOff("bgp log-neighbor-changes", "./log-neighbor-changes")...)
	rows = append(rows, cisco.OnOff("bgp default ipv4-unicast", "./default-ipv4-unicast")...)
	rows = append(rows,
		lens.Row{Text: "bgp default local-preference $n:0..4294967295", Set: "./default-local-preference=$n"},
		lens.Row{Text: "bgp cluster-id $id:area", Set: "./cluster-id=$id"},
		lens.Row{Text: "bgp graceful-restart", Set: "./graceful-restart=true"},
		lens.Row{Text: "bgp bestpath as-path multipath-relax", Set: "./bestpath-multipath-relax=true"},
		lens.Row{Text: "bgp always-compare-med", Set: "./always-compare-med=true"},
		lens.Row{Text: "bgp deterministic-med", Set: "./deterministic-med=true"},
		lens.Row{Text: "bgp bestpath compare-routerid", Set: "./compare-router-id=true"},
		lens.Row{Text: "bgp bestpath med missing-as-worst", Set: "./med-missing-as-worst=true"},
		lens.Row{Text: "bgp confederation identifier $id:asn", Set: "./confederation-id=$id"},
		lens.Row{Text: "bgp confederation peers $p:as-numbers", Set: "./confederation-member*=$p"},
		lens.Row{Text: "timers bgp $k:0..65535 $h:0..65535", Set: "./timers/keepalive=$k ./timers/hold-time=$h"},
		cisco.Others("bgp-other"))
	group, neighbor := "./peer-group[name=$n]", "./neighbor[address=$n]"
	rows = append(rows, lens.Row{Each: group, Rows: append([]lens.Row{{Text: "neighbor $n:name peer-group", Set: group}}, peerRows("$n:name", group, group)...)})
	rows = append(rows, lens.Row{Each: neighbor, Rows: append([]lens.Row{
		// A peer group stands before its neighbors; one that was never
		// declared is no group, and the tree refers to none.
		{Text: "neighbor $n:ip peer-group $g", Set: neighbor + "/peer-group=$g", If: "./peer-group[name=$g]"},
	}, peerRows("$n:ip", neighbor, "")...)})
	rows = append(rows, lens.Row{Text: "bgp listen range $p:prefix peer-group $n:name", Set: group + "/listen-range+=$p", If: group})
	plain := familyRows(at, "ipv4-unicast", true)
	readOnly(plain)
	return append(rows, plain...)
}

func readOnly(rows []lens.Row) {
	for i := range rows {
		rows[i].ReadOnly = true
		readOnly(rows[i].Rows)
	}
}

// peerRows are what a neighbor and a peer group have in common.
func peerRows(n, place, cond string) []lens.Row {
	var rows []lens.Row
	add := func(text, set string) {
		facts := strings.Fields(set)
		for i, f := range facts {
			facts[i] = place + "/" + f
		}
		rows = append(rows, lens.Row{Text: strings.Replace(text, "PEER", "neighbor "+n, 1), Set: strings.Join(facts, " "), If: cond})
	}
	add("PEER remote-as $peer-as:asn", "remote-as=$peer-as")
	add("PEER local-as $peer-as:asn no-prepend replace-as", "local-as=$peer-as local-as-no-prepend=true local-as-replace-as=true")
	add("PEER local-as $peer-as:asn no-prepend", "local-as=$peer-as local-as-no-prepend=true")
	add("PEER local-as $peer-as:asn", "local-as=$peer-as")
	add("PEER description $d:line", "description=$d")
	add("PEER shutdown", "enabled=false")
	add("PEER password $t:one-of=0|5|7 $k:secret", "password/type=$t password/value=$k")
	add("PEER password $k:secret", "password/value=$k")
	add("PEER update-source $s:ifname", "update-source=$s")
	add("PEER ebgp-multihop $h:1..255", "ebgp-multihop=$h")
	add("PEER ttl-security hops $h:1..254", "ttl-security=$h")
	add("PEER transport connection-mode passive", "passive=true")
	add("PEER fall-over bfd", "bfd=true")
	add("PEER timers $k:0..65535 $h:0..65535", "timers/keepalive=$k timers/hold-time=$h")
	add("PEER advertisement-interval $i:0..600", "advertisement-interval=$i")
	add("PEER disable-connected-check", "connected-check=false")
	add("PEER $o:neighbor-other", "other+=$o")
	return rows
}

func familyRows(at, family string, groups bool) []lens.Row {
	place := at + "/address-family[name=" + family + "]"
	network := place + "/network[prefix=$p]"
	aggregate := cisco.Facts(place+"/aggregate[prefix=$p]", "as-set=$set", "summary-only=$only", "advertise-map=$adv", "suppress-map=$sup", "route-map=$map")
	rows := []lens.Row{
		{Text: "network $p:network-mask { route-map $map } $b?backdoor", Set: cisco.Facts(network, "route-map=$map", "backdoor=$b")},
		{Text: "network $p:classful { route-map $map }", Set: cisco.Facts(network, "route-map=$map"), ReadOnly: true},
		{Text: "network $p:prefix6 { route-map $map }", Set: cisco.Facts(network, "route-map=$map")},
		{Text: "aggregate-address $p:net-mask4 $set?as-set $only?summary-only { advertise-map $adv } { suppress-map $sup } { attribute-map $map }", Set: aggregate},
		{Text: "aggregate-address $p:prefix6 $set?as-set $only?summary-only { advertise-map $adv } { suppress-map $sup } { attribute-map $map }", Set: aggregate},
	}
	rows = append(rows, redistributions(place+"/redistribute[source=$src][process=0]", place+"/redistribute[source=$src][process=$n]", false)...)
	rows = append(rows,
		lens.Row{Text: "bgp dampening $d:line", Set: place + "/dampening=true " + place + "/dampening-parameters=$d"},
		lens.Row{Text: "bgp dampening", Set: place + "/dampening=true"},
		lens.Row{Text: "bgp additional-paths select $s:line", Set: place + "/additional-paths-select=$s"},
		lens.Row{Text: "bgp additional-paths $s:line", Set: place + "/additional-paths=$s"},
		lens.Row{Text: "distance bgp $e:1..255 $i:1..255 $l:1..255", Set: place + "/distance/external=$e " + place + "/distance/internal=$i " + place + "/distance/local=$l"},
		lens.Row{Text: "default-metric $m:1..4294967295", Set: place + "/default-metric=$m"})
	for _, peer := range []struct{ n, place string }{{"$n:name", at + "/peer-group[name=$n]"}, {"$n:ip", at + "/neighbor[address=$n]"}} {
		if peer.n == "$n:name" && !groups {
			continue
		}
		rows = append(rows, lens.Row{Each: peer.place, Rows: peerFamilyRows(peer.n, peer.place, family)})
	}
	return append(rows,
		lens.Row{Text: "maximum-paths $n:1..64", Set: place + "/maximum-paths=$n"},
		lens.Row{Text: "maximum-paths ibgp $n:1..64", Set: place + "/maximum-paths-ibgp=$n"},
		lens.Row{Text: "$o:family-other", Set: place + "/other+=$o"})
}

func peerFamilyRows(n, peer, family string) []lens.Row {
	place := peer + "/address-family[name=" + family + "]"
	cond := ""
	if n == "$n:name" {
		cond = peer
	}
	var rows []lens.Row
	add := func(text, set string) *lens.Row {
		facts := strings.Fields(set)
		for i, f := range facts {
			facts[i] = place + "/" + f
		}
		rows = append(rows, lens.Row{Text: strings.Replace(text, "PEER", "neighbor "+n, 1), Set: strings.Join(facts, " "), If: cond})
		return &rows[len(rows)-1]
	}
	add("PEER activate", "activate=true")
	add("no PEER activate", "activate=false")
	if n == "$n:ip" {
		add("PEER peer-group $g", "peer-group=$g")
	}
	add("PEER route-reflector-client", "route-reflector-client=true")
	add("PEER next-hop-self", "next-hop-self=true")
	add("PEER remove-private-as", "remove-private-as=true")
	add("PEER send-community $c:one-of=both|extended|standard", "send-community=$c")
	add("PEER send-community", "send-community=standard").ReadOnly = true
	add("PEER default-originate { route-map $map }", "default-originate=true default-originate-route-map=$map")
	add("PEER soft-reconfiguration inbound", "soft-reconfiguration=true")
	add("PEER maximum-prefix $m:1..4294967294 { $part:1..100 } restart $min:1..65535", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-restart=$min")
	add("PEER maximum-prefix $m:1..4294967294 { $part:1..100 } $warn?warning-only", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-warning-only=$warn")
	add("PEER as-override", "as-override=true")
	add("PEER next-hop-unchanged", "next-hop-unchanged=true")
	// Three occurrences where no number is given (BGP Command Reference).
	add("PEER allowas-in", "allowas-in=3").ReadOnly = true
	add("PEER allowas-in $k:1..10", "allowas-in=$k")
	add("PEER advertise additional-paths $s:line", "additional-paths-send=$s")
	add("PEER weight $w:0..65535", "weight=$w")
	for _, list := range []string{"prefix-list", "route-map", "filter-list", "distribute-list"} {
		for _, way := range []string{"in", "out"} {
			add("PEER "+list+" $map "+way, list+"-"+way+"=$map")
		}
	}
	add("PEER $o:neighbor-family-other", "other+=$o")
	return rows
}
