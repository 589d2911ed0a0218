package eos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func bgpRows() []lens.Row {
	const at = "cfgvault-bgp:bgp/instance[vrf=$vrf]"
	rows := instanceRows()
	rows = append(rows, lens.Row{Text: "vrf $vrf:vrf", Set: at + "/as=$as", Rows: append(
		[]lens.Row{{Text: "rd $rd:rd", Set: "cfgvault-vrfs:vrfs/vrf[name=$vrf]/route-distinguisher=$rd"}}, instanceRows()...)})
	return []lens.Row{{Text: "router bgp $as:asn", Set: "cfgvault-bgp:bgp/instance[vrf=default]/as=$as", Rows: rows}}
}

// instanceRows are the statements of one BGP instance. What EOS says of a
// neighbor outside any address family is kept under IPv4 unicast, where other
// platforms have it.
func instanceRows() []lens.Row {
	onOff := func(text, leaf string) []lens.Row {
		return []lens.Row{{Text: text, Set: "./" + leaf + "=true"}, {Text: "no " + text, Set: "./" + leaf + "=false"}}
	}
	rows := []lens.Row{{Text: "router-id $id:quad", Set: "./router-id=$id"}}
	rows = append(rows, onOff("bgp default ipv4-unicast", "default-ipv4-unicast")...)
	rows = append(rows, onOff("bgp log-neighbor-changes", "log-neighbor-changes")...)
	rows = append(rows,
		lens.Row{Text: "bgp cluster-id $id:area", Set: "./cluster-id=$id"},
		lens.Row{Text: "timers bgp $k:0..65535 $h:0..65535", Set: "./timers/keepalive=$k ./timers/hold-time=$h"},
		lens.Row{Text: "graceful-restart", Set: "./graceful-restart=true"},
		lens.Row{Text: "shutdown", Set: "./enabled=false"},
		lens.Row{Text: "maximum-paths $n:1..600 { ecmp $m:1..600 }", Set: "./address-family[name=ipv4-unicast]/maximum-paths=$n ./address-family[name=ipv4-unicast]/maximum-paths-ecmp=$m"},
		lens.Row{Text: "distance bgp $e:1..255 $i:1..255 $l:1..255",
			Set: "./address-family[name=ipv4-unicast]/distance/external=$e ./address-family[name=ipv4-unicast]/distance/internal=$i ./address-family[name=ipv4-unicast]/distance/local=$l"},
		lens.Row{Text: "bgp always-compare-med", Set: "./always-compare-med=true"},
		lens.Row{Text: "bgp bestpath med missing-as-worst", Set: "./med-missing-as-worst=true"},
		lens.Row{Text: "bgp confederation identifier $id:asn", Set: "./confederation-id=$id"},
		lens.Row{Text: "bgp confederation peers $p:as-numbers", Set: "./confederation-member*=$p"},
		lens.Row{Text: "bgp additional-paths $a:line", Set: "./address-family[name=ipv4-unicast]/additional-paths=$a"},
		cisco.Others("bgp-other"),
	)
	group, neighbor := "./peer-group[name=$n]", "./neighbor[address=$n]"
	rows = append(rows, lens.Row{Each: group, Rows: append([]lens.Row{
		{Text: "neighbor $n:name peer group", Set: group},
		{Text: "neighbor $n:name peer-group", Set: group, ReadOnly: true}, // before 4.22
	}, peerRows("$n:name", group)...)})
	rows = append(rows, lens.Row{Each: neighbor, Rows: append([]lens.Row{
		// A peer group stands before its neighbors; one that was never
		// declared is no group, and the tree refers to none.
		{Text: "neighbor $n:ip peer group $g", Set: neighbor + "/peer-group=$g", If: "./peer-group[name=$g]"},
		{Text: "neighbor $n:ip peer-group $g", Set: neighbor + "/peer-group=$g", If: "./peer-group[name=$g]", ReadOnly: true},
	}, peerRows("$n:ip", neighbor)...)})
	rows = append(rows, lens.Row{Text: "bgp listen range $p:prefix peer-group $n:name", Set: group + "/listen-range+=$p", If: group})
	for _, f := range []struct{ name, prefix string }{{"ipv4-unicast", "prefix4"}, {"ipv6-unicast", "prefix6"}} {
		family := "./address-family[name=" + f.name + "]"
		network, sum := family+"/network[prefix=$p]", family+"/aggregate[prefix=$p]"
		rows = append(rows,
			lens.Row{Text: "network $p:" + f.prefix + " { route-map $map }", Set: network + " " + network + "/route-map=$map"},
			lens.Row{Text: "aggregate-address $p:" + f.prefix + " $set?as-set $only?summary-only { attribute-map $map } { match-map $adv }",
				Set: cisco.Facts(sum, "as-set=$set", "summary-only=$only", "route-map=$map", "advertise-map=$adv")})
	}
	from := "./address-family[name=ipv4-unicast]/redistribute[source=$src][process=0]"
	rows = append(rows,
		lens.Row{Text: "redistribute isis $match:isis-level { route-map $map }", Set: cisco.Facts(strings.Replace(from, "$src", "isis", 1), "match*=$match", "route-map=$map")},
		lens.Row{Text: "redistribute $src:from match $match:ospf-types { route-map $map }", Set: cisco.Facts(from, "match*=$match", "route-map=$map")},
		lens.Row{Text: "redistribute $src:from { route-map $map }", Set: from + " " + from + "/route-map=$map"})
	return append(rows, lens.Row{Text: "address-family $f:family", Rows: familyRows()})
}

// peerRows are what a neighbor and a peer group have in common.
func peerRows(n, place string) []lens.Row {
	cond := ""
	if n == "$n:name" {
		cond = place
	}
	var rows []lens.Row
	add := func(text, set string) *lens.Row {
		facts := strings.Fields(set)
		for i, f := range facts {
			facts[i] = place + "/" + strings.Replace(f, "AF/", "address-family[name=ipv4-unicast]/", 1)
		}
		rows = append(rows, lens.Row{Text: strings.Replace(text, "PEER", "neighbor "+n, 1), Set: strings.Join(facts, " "), If: cond})
		return &rows[len(rows)-1]
	}
	add("PEER remote-as $peer-as:remote-as", "remote-as=$peer-as")
	add("PEER next-hop-self", "AF/next-hop-self=true")
	add("PEER update-source $s:source", "update-source=$s")
	add("PEER description $d:line", "description=$d")
	add("PEER local-as $peer-as:asn no-prepend replace-as", "local-as=$peer-as local-as-no-prepend=true local-as-replace-as=true")
	add("PEER next-hop-unchanged", "AF/next-hop-unchanged=true")
	add("PEER soft-reconfiguration inbound", "AF/soft-reconfiguration=true")
	add("PEER as-override", "AF/as-override=true")
	add("PEER shutdown", "enabled=false")
	add("PEER passive", "passive=true")
	add("PEER bfd", "bfd=true")
	add("PEER ebgp-multihop $h:1..255", "ebgp-multihop=$h")
	// Any distance where none is given (User Manual, neighbor ebgp-multihop).
	add("PEER ebgp-multihop", "ebgp-multihop=255").ReadOnly = true
	add("PEER ttl maximum-hops $h:1..254", "ttl-security=$h")
	add("PEER timers $k:0..65535 $h:0..65535", "timers/keepalive=$k timers/hold-time=$h")
	add("PEER route-reflector-client", "AF/route-reflector-client=true")
	add("PEER remove-private-as", "AF/remove-private-as=true")
	add("PEER weight $w:0..65535", "AF/weight=$w")
	add("PEER allowas-in $k:1..10", "AF/allowas-in=$k")
	add("PEER default-originate { route-map $map }", "AF/default-originate=true AF/default-originate-route-map=$map")
	add("PEER password $t:one-of=0|7|8a $k:secret", "password/type=$t password/value=$k")
	add("PEER password $k:secret", "password/value=$k")
	add("PEER send-community", "AF/send-community=all")
	add("PEER send-community $c:one-of=standard|extended|large", "AF/send-community=$c")
	add("PEER maximum-routes $m:0..4294967294 { warning-limit $part:1..100 percent } $warn?warning-only", "AF/maximum-prefix=$m AF/maximum-prefix-threshold=$part AF/maximum-prefix-warning-only=$warn")
	for _, way := range []string{"in", "out"} {
		add("PEER route-map $map "+way, "AF/route-map-"+way+"=$map")
		add("PEER prefix-list $map "+way, "AF/prefix-list-"+way+"=$map")
	}
	add("PEER $o:neighbor-other", "other+=$o")
	add("PEER $o:neighbor-family-other", "AF/other+=$o")
	return rows
}

func familyRows() []lens.Row {
	var rows []lens.Row
	for _, peer := range []struct{ n, place string }{{"$n:name", "./peer-group[name=$n]"}, {"$n:ip", "./neighbor[address=$n]"}} {
		place := peer.place + "/address-family[name=$f]"
		cond := ""
		if peer.n == "$n:name" {
			cond = peer.place
		}
		var below []lens.Row
		add := func(text, set string) {
			below = append(below, lens.Row{Text: strings.Replace(text, "PEER", "neighbor "+peer.n, 1), Set: place + "/" + set, If: cond})
		}
		add("PEER activate", "activate=true")
		add("no PEER activate", "activate=false")
		for _, way := range []string{"in", "out"} {
			add("PEER route-map $map "+way, "route-map-"+way+"=$map")
			add("PEER prefix-list $map "+way, "prefix-list-"+way+"=$map")
		}
		add("PEER next-hop-unchanged", "next-hop-unchanged=true")
		add("PEER next-hop-self", "next-hop-self=true")
		add("PEER default-originate", "default-originate=true")
		add("PEER weight $w:0..65535", "weight=$w")
		add("PEER $o:neighbor-family-other", "other+=$o")
		rows = append(rows, lens.Row{Each: peer.place, Rows: below})
	}
	family := "./address-family[name=$f]"
	network := family + "/network[prefix=$p]"
	from := family + "/redistribute[source=$src][process=0]"
	return append(rows,
		lens.Row{Text: "network $p:prefix { route-map $map }", Set: network + " " + network + "/route-map=$map"},
		lens.Row{Text: "redistribute $src:from match $match:ospf-types { route-map $map }", Set: cisco.Facts(from, "match*=$match", "route-map=$map")},
		lens.Row{Text: "redistribute $src:from { route-map $map }", Set: from + " " + from + "/route-map=$map"},
		lens.Row{Text: "redistribute isis $match:isis-level { route-map $map }", Set: cisco.Facts(strings.Replace(from, "$src", "isis", 1), "match*=$match", "route-map=$map")},
		lens.Row{Text: "bgp additional-paths $a:line", Set: family + "/additional-paths=$a"},
		lens.Row{Text: "$o:family-other", Set: family + "/other+=$o"})
}

func ospfRows() []lens.Row {
	at := func(vrf string) string { return "cfgvault-ospf:ospf/instance[vrf=" + vrf + "][process=$process]" }
	return []lens.Row{
		{Text: "router ospf $process:1..65535", Set: at("default"), Rows: processRows("prefix4")},
		{Text: "router ospf $process:1..65535 vrf $vrf:vrf", Set: at("$vrf"), Rows: processRows("prefix4")},
		{Text: "ipv6 router ospf $process:1..65535", Set: "cfgvault-ospf:ospf3/instance[vrf=default][process=$process]", Rows: processRows("prefix6")},
		{Text: "ipv6 router ospf $process:1..65535 vrf $vrf:vrf", Set: "cfgvault-ospf:ospf3/instance[vrf=$vrf][process=$process]", Rows: processRows("prefix6")},
		{Text: "router ospfv3", Set: "cfgvault-ospf:ospf3/instance[vrf=default][process=0]", Rows: ospfv3Rows()},
		{Text: "router ospfv3 vrf $vrf:vrf", Set: "cfgvault-ospf:ospf3/instance[vrf=$vrf][process=0]", Rows: ospfv3Rows()},
	}
}

// ospfv3Rows are OSPF in the form that has one process for both families; what
// it says of IPv4 alone is not read.
func ospfv3Rows() []lens.Row {
	below := processRows("prefix6")
	readOnly(below)
	return append(processRows("prefix6"),
		lens.Row{Text: "address-family ipv6", Rows: below, ReadOnly: true},
		lens.Row{Text: "address-family ipv4", Class: plugins.Unparsed})
}

func readOnly(rows []lens.Row) {
	for i := range rows {
		rows[i].ReadOnly = true
		readOnly(rows[i].Rows)
	}
}

// processRows are a process of OSPF; prefix is the codec of its prefixes, which
// tells the version.
func processRows(prefix string) []lens.Row {
	area, span := "./area[id=$area]", "./area[id=$area]/range[prefix=$p]"
	from := "./redistribute[source=$src][process=0]"
	info := "./default-information"
	rows := []lens.Row{
		{Text: "router-id $id:quad", Set: "./router-id=$id"},
		{Text: "auto-cost reference-bandwidth $n:1..4294967", Set: "./reference-bandwidth=$n"},
		{Text: "passive-interface default", Set: "./passive-default=true"},
		{Text: "passive-interface $if:ifname", Set: "./passive-interface+=$if"},
		{Text: "no passive-interface $if:ifname", Set: "./active-interface+=$if"},
		{Text: "redistribute isis $match:isis-level { route-map $map }", Set: cisco.Facts(strings.Replace(from, "$src", "isis", 1), "match*=$match", "route-map=$map")},
		{Text: "redistribute $src:from match $match:ospf-types { route-map $map }", Set: cisco.Facts(from, "match*=$match", "route-map=$map")},
		{Text: "redistribute $src:from { route-map $map }", Set: from + " " + from + "/route-map=$map"},
		{Text: "summary-address $p:" + prefix + " not-advertise", Set: "./summary[prefix=$p]/advertise=false"},
		{Text: "summary-address $p:" + prefix + " { tag $tag:0..4294967295 }", Set: cisco.Facts("./summary[prefix=$p]", "tag=$tag")},
		{Text: "log-adjacency-changes", Set: "./log-adjacency-changes=true"},
		{Text: "log-adjacency-changes detail", Set: "./log-adjacency-changes=true", ReadOnly: true},
		{Text: "no log-adjacency-changes", Set: "./log-adjacency-changes=false"},
		{Text: "area $area:area stub no-summary", Set: area + "/no-summary=true " + area + "/type=stub"},
		{Text: "area $area:area $t:one-of=stub|nssa", Set: area + "/type=$t"},
		{Text: "area $area:area nssa no-summary", Set: area + "/no-summary=true " + area + "/type=nssa"},
		{Text: "area $area:area default-cost $n:1..65535", Set: area + "/default-cost=$n"},
		{Text: "area $area:area range $p:" + prefix + " not-advertise", Set: span + "/advertise=false"},
		{Text: "area $area:area range $p:" + prefix + " { cost $n:1..65535 }", Set: span + " " + span + "/cost=$n"},
		{Text: "default-information originate $always?always { metric $m:1..65535 } { metric-type $t:1..2 } { route-map $map }",
			Set: strings.Join([]string{info, info + "/always=$always", info + "/metric=$m", info + "/metric-type=$t", info + "/route-map=$map"}, " ")},
		{Text: "maximum-paths $n:1..600", Set: "./maximum-paths=$n"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "no shutdown", Set: "./enabled=true"},
		{Text: "area $area:area $o:area-other", Set: area + "/other+=$o"},
		{Text: "max-lsa 12000", Class: plugins.Boilerplate, Rule: "max-lsa", Why: "the default, which EOS prints (User Manual, max-lsa)"},
		cisco.Others("ospf-other"),
	}
	if prefix == "prefix4" {
		rows = append(rows, lens.Row{Text: "network $p:prefix4 area $area:area", Set: "./network[prefix=$p]/area=$area"})
	}
	return rows
}
