package frr

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func families() lens.Codec {
	return lens.OneOf(
		"ipv4 unicast>ipv4-unicast", "ipv6 unicast>ipv6-unicast",
		"ipv4 multicast>ipv4-multicast", "ipv6 multicast>ipv6-multicast",
		"ipv4 labeled-unicast>ipv4-labeled-unicast", "ipv6 labeled-unicast>ipv6-labeled-unicast",
		"ipv4 vpn>vpnv4", "ipv6 vpn>vpnv6", "l2vpn evpn>l2vpn-evpn",
		"ipv4 flowspec>ipv4-flowspec", "ipv6 flowspec>ipv6-flowspec")
}

func bgpRows() []lens.Row {
	instance := func(heading, vrf string) lens.Row {
		place := "cfgvault-bgp:bgp/instance[vrf=" + vrf + "]"
		return lens.Row{Text: heading, Set: place + "/as=$as", End: "exit", Rows: instanceRows()}
	}
	return []lens.Row{
		instance("router bgp $as:asn", "default"),
		instance("router bgp $as:asn vrf $vrf:vrf", "$vrf"),
	}
}

func instanceRows() []lens.Row {
	onOff := func(text, leaf string) []lens.Row {
		return []lens.Row{{Text: text, Set: "./" + leaf + "=true"}, {Text: "no " + text, Set: "./" + leaf + "=false"}}
	}
	rows := []lens.Row{{Text: "bgp router-id $id:quad", Set: "./router-id=$id"}}
	rows = append(rows, onOff("bgp log-neighbor-changes", "log-neighbor-changes")...)
	rows = append(rows, onOff("bgp ebgp-requires-policy", "ebgp-requires-policy")...)
	rows = append(rows, onOff("bgp default ipv4-unicast", "default-ipv4-unicast")...)
	rows = append(rows,
		lens.Row{Text: "bgp default local-preference $n:0..4294967295", Set: "./default-local-preference=$n"},
		lens.Row{Text: "bgp cluster-id $id:area", Set: "./cluster-id=$id"},
		lens.Row{Text: "bgp graceful-restart", Set: "./graceful-restart=true"})
	rows = append(rows, onOff("bgp bestpath as-path multipath-relax", "bestpath-multipath-relax")...)
	rows = append(rows, onOff("bgp network import-check", "network-import-check")...)
	rows = append(rows, onOff("bgp deterministic-med", "deterministic-med")...)
	rows = append(rows,
		lens.Row{Text: "bgp always-compare-med", Set: "./always-compare-med=true"},
		lens.Row{Text: "bgp bestpath compare-routerid", Set: "./compare-router-id=true"},
		lens.Row{Text: "bgp bestpath med missing-as-worst", Set: "./med-missing-as-worst=true"},
		lens.Row{Text: "bgp confederation identifier $id:asn", Set: "./confederation-id=$id"},
		lens.Row{Text: "bgp confederation peers $p:as-numbers", Set: "./confederation-member*=$p"},
		lens.Row{Text: "timers bgp $k:0..65535 $h:0..65535", Set: "./timers/keepalive=$k ./timers/hold-time=$h"},
		cisco.Others("bgp-other"))

	group, neighbor := "./peer-group[name=$n]", "./neighbor[address=$n]"
	rows = append(rows, lens.Row{Each: group, Rows: append(
		[]lens.Row{{Text: "neighbor $n:name peer-group", Set: group}}, peerRows("$n:name", group)...)})
	// A peer group stands before its neighbors; one that was never declared is
	// no group, and the tree refers to none.
	//
	// An unnumbered neighbor is called by its interface; only its first
	// statement tells it from a peer group.
	first := []lens.Row{
		{Text: "neighbor $n:ip remote-as $peer-as:remote-as", Set: neighbor + "/remote-as=$peer-as"},
		{Text: "neighbor $n:ip peer-group $g", Set: neighbor + "/peer-group=$g", If: "./peer-group[name=$g]"},
		{Text: "neighbor $n:ifname interface remote-as $peer-as:remote-as", Set: neighbor + "/remote-as=$peer-as"},
		{Text: "neighbor $n:ifname interface peer-group $g", Set: neighbor + "/peer-group=$g", If: "./peer-group[name=$g]"},
		{Text: "neighbor $n:ifname interface", Set: neighbor},
		{Text: "neighbor $n:ifname peer-group $g", Set: neighbor + "/peer-group=$g", If: neighbor + " ./peer-group[name=$g]"},
	}
	rows = append(rows, lens.Row{Each: neighbor, Rows: append(append(first, peerRows("$n:ip", neighbor)...), peerRows("$n:ifname", neighbor)...)})
	rows = append(rows, lens.Row{Text: "bgp listen range $p:prefix peer-group $n:name", Set: group + "/listen-range+=$p"})
	rows = append(rows, lens.Row{Text: "address-family $f:family", End: "exit-address-family", Rows: familyRows("./address-family[name=$f]", "$f")})
	rows = append(rows, lens.Row{Text: "address-family $f:family-short", End: "exit-address-family", Rows: familyRows("./address-family[name=$f]", "$f"), ReadOnly: true})
	readOnly(rows[len(rows)-1].Rows)
	// What belongs to IPv4 unicast may stand outside of a block in what people
	// write; vtysh prints the block.
	plain := familyRows("./address-family[name=ipv4-unicast]", "ipv4-unicast")
	readOnly(plain)
	return append(rows, plain...)
}

func readOnly(rows []lens.Row) {
	for i := range rows {
		rows[i].ReadOnly = true
		readOnly(rows[i].Rows)
	}
}

// peerRows are what a neighbor and a peer group have in common. A name is a
// peer group or an unnumbered neighbor, whichever was declared.
func peerRows(n, place string) []lens.Row {
	cond := ""
	if n != "$n:ip" {
		cond = place
	}
	var rows []lens.Row
	add := func(text, set string) {
		facts := strings.Fields(set)
		for i, f := range facts {
			facts[i] = place + "/" + f
		}
		rows = append(rows, lens.Row{Text: strings.Replace(text, "PEER", "neighbor "+n, 1), Set: strings.Join(facts, " "), If: cond})
	}
	add("PEER remote-as $peer-as:remote-as", "remote-as=$peer-as")
	add("PEER local-as $peer-as:asn no-prepend replace-as", "local-as=$peer-as local-as-no-prepend=true local-as-replace-as=true")
	add("PEER local-as $peer-as:asn no-prepend", "local-as=$peer-as local-as-no-prepend=true")
	add("PEER local-as $peer-as:asn", "local-as=$peer-as")
	add("PEER description $d:line", "description=$d")
	add("PEER shutdown message $m:line", "enabled=false shutdown-message=$m")
	add("PEER shutdown", "enabled=false")
	add("PEER password $p:secret-line", "password/value=$p")
	add("PEER update-source $s:source", "update-source=$s")
	add("PEER ebgp-multihop $h:1..255", "ebgp-multihop=$h")
	add("PEER ttl-security hops $h:1..254", "ttl-security=$h")
	add("PEER passive", "passive=true")
	add("PEER bfd", "bfd=true")
	add("PEER timers $k:0..65535 $h:0..65535", "timers/keepalive=$k timers/hold-time=$h")
	add("PEER timers connect $c:1..65535", "connect-retry=$c")
	add("PEER advertisement-interval $c:0..600", "advertisement-interval=$c")
	add("PEER disable-connected-check", "connected-check=false")
	add("PEER $o:neighbor-other", "other+=$o")
	return rows
}

func familyRows(family, name string) []lens.Row {
	redistribute := family + "/redistribute[source=$src][process=0]"
	table := family + "/redistribute[source=table][process=$t]"
	rows := []lens.Row{
		{Text: "network $p:prefix { route-map $map }", Set: family + "/network[prefix=$p] " + family + "/network[prefix=$p]/route-map=$map"},
		{Text: "aggregate-address $p:prefix $set?as-set $only?summary-only { route-map $map } { suppress-map $sup }",
			Set: cisco.Facts(family+"/aggregate[prefix=$p]", "as-set=$set", "summary-only=$only", "route-map=$map", "suppress-map=$sup")},
		{Text: "redistribute $src:from { metric $m:0..4294967295 } { route-map $map }",
			Set: redistribute + " " + redistribute + "/metric=$m " + redistribute + "/route-map=$map"},
		{Text: "redistribute table $t:1..65535 { metric $m:0..4294967295 } { route-map $map }",
			Set: table + " " + table + "/metric=$m " + table + "/route-map=$map"},
	}
	for _, peer := range []struct{ n, place, each string }{
		{"$n:name", "./peer-group[name=$n]", "./peer-group[name=$n]"},
		{"$n:ip", "./neighbor[address=$n]", "./neighbor[address=$n]"},
		{"$n:ifname", "./neighbor[address=$n]", "./neighbor[address=$n]"},
	} {
		rows = append(rows, lens.Row{Each: peer.each, Rows: peerFamilyRows(peer.n, peer.place, name)})
	}
	return append(rows,
		lens.Row{Text: "maximum-paths $n:1..65535", Set: family + "/maximum-paths=$n"},
		lens.Row{Text: "maximum-paths ibgp $n:1..65535", Set: family + "/maximum-paths-ibgp=$n"},
		lens.Row{Text: "distance bgp $e:1..255 $i:1..255 $l:1..255", Set: family + "/distance/external=$e " + family + "/distance/internal=$i " + family + "/distance/local=$l"},
		lens.Row{Text: "advertise-all-vni", Set: family + "/advertise-all-vni=true"},
		lens.Row{Text: "$o:family-other", Set: family + "/other+=$o"})
}

func peerFamilyRows(n, peer, name string) []lens.Row {
	place := peer + "/address-family[name=" + name + "]"
	cond := ""
	if n != "$n:ip" {
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
	if n != "$n:name" {
		add("PEER peer-group $g", "peer-group=$g")
	}
	add("PEER route-reflector-client", "route-reflector-client=true")
	add("PEER next-hop-self", "next-hop-self=true")
	add("PEER remove-private-AS", "remove-private-as=true")
	add("PEER send-community $c:one-of=extended|standard|large|both|all", "send-community=$c")
	// Without "all" only standard communities are kept back.
	add("no PEER send-community all", "send-community=none")
	add("PEER default-originate { route-map $map }", "default-originate=true default-originate-route-map=$map")
	add("PEER soft-reconfiguration inbound", "soft-reconfiguration=true")
	add("PEER maximum-prefix $m:1..4294967295 { $part:1..100 } restart $min:1..65535", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-restart=$min")
	add("PEER maximum-prefix $m:1..4294967295 { $part:1..100 } $warn?warning-only", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-warning-only=$warn")
	add("PEER as-override", "as-override=true")
	add("PEER attribute-unchanged next-hop", "next-hop-unchanged=true")
	// Three occurrences where no number is given (docs.frrouting.org, BGP).
	add("PEER allowas-in", "allowas-in=3").ReadOnly = true
	add("PEER allowas-in $k:1..10", "allowas-in=$k")
	add("PEER weight $w:0..65535", "weight=$w")
	for _, list := range []string{"prefix-list", "route-map", "filter-list", "distribute-list"} {
		for _, way := range []string{"in", "out"} {
			add("PEER "+list+" $map "+way, list+"-"+way+"=$map")
		}
	}
	add("PEER $o:neighbor-family-other", "other+=$o")
	return rows
}
