package junos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// policyRows are the policies and the sets that they name. Prefix lists have no
// order.
func policyRows() []lens.Row {
	const at = "cfgvault-policies:policies/"
	const term = at + "policy[name=$p]/term[name=$t]"
	from := func(name string) []lens.Row {
		match := at + "policy[name=$p]/term[name=" + name + "]/match/"
		route := match + "prefix[prefix=$f][range=$r]"
		rows := []lens.Row{
			{Text: "family $x:word", Set: match + "family=$x"},
			{Text: "protocol $x:word", Set: match + "protocol+=$x"},
			{Text: "neighbor $x:ip", Set: match + "neighbor+=$x"},
			{Text: "interface $x:if", Set: match + "interface+=$x"},
			{Text: "prefix-list $x:policy", Set: match + "prefix-set+=$x"},
			{Text: "community $x:policy", Set: match + "community-set+=$x"},
			{Text: "as-path $x:policy", Set: match + "as-path-set+=$x"},
			{Text: "route-filter $f:prefix prefix-length-range $r:lengths", Set: route},
			{Text: "route-filter $f:prefix $r:range", Set: route},
			{Text: "tag $x:0..4294967295", Set: match + "tag=$x"},
			{Text: "condition $x:policy", Set: match + "condition+=$x"},
			{Text: "prefix-list-filter $x:=exact exact", Set: match + "other+=$x"},
			{Text: "prefix-list-filter $x:=longer longer", Set: match + "other+=$x"},
			{Text: "prefix-list-filter $x:=orlonger orlonger", Set: match + "other+=$x"},
			{Text: "route-filter $f:prefix upto $r:upto", Set: route},
		}
		return append(rows, kept(match+"other", "rib", "next-hop", "local-preference", "preference", "route-type", "origin", "area", "level", "instance", "color", "as-path-group", "community-count", "state")...)
	}
	then := func(name string) []lens.Row {
		term := at + "policy[name=$p]/term[name=" + name + "]"
		change := term + "/set/"
		rows := []lens.Row{
			{Text: "local-preference $x:0..4294967295", Set: change + "local-preference=$x"},
			{Text: "metric $x:0..4294967295", Set: change + "metric=$x"},
			{Text: "tag $x:0..4294967295", Set: change + "tag=$x"},
			{Text: "next-hop $x:word", Set: change + "next-hop=$x"},
			{Text: "as-path-prepend $x:text", Set: change + "as-path-prepend=$x"},
			{Text: "community add $x:policy", Set: change + "community-add+=$x"},
			{Text: "community set $x:policy", Set: change + "community-set+=$x"},
			{Text: "community delete $x:policy", Set: change + "community-delete+=$x"},
			{Text: "community + $x:policy", Set: change + "community-add+=$x", ReadOnly: true},
			{Text: "community = $x:policy", Set: change + "community-set+=$x", ReadOnly: true},
			{Text: "community - $x:policy", Set: change + "community-delete+=$x", ReadOnly: true},
			{Text: "accept", Set: term + "/action=accept"},
			{Text: "reject", Set: term + "/action=reject"},
			{Text: "next term", Set: term + "/action=next-term"},
			{Text: "next policy", Set: term + "/action=next-policy"},
			{Text: "external type $x:=external-type", Set: change + "other+=$x"},
			{Text: "load-balance $x:=load-balance", Set: change + "other+=$x"},
		}
		for _, n := range []string{"local-preference", "metric", "preference"} {
			rows = append(rows, lens.Row{Text: n + " add $x:=" + n + "-add", Set: change + "other+=$x"}, lens.Row{Text: n + " subtract $x:=" + n + "-subtract", Set: change + "other+=$x"})
		}
		return append(rows, kept(change+"other", "origin", "preference", "preference2", "metric2", "tag2", "color", "color2", "priority", "forwarding-class", "source-class", "destination-class", "class", "bgp-output-queue-priority",
			"cos-next-hop-map", "install-nexthop", "damping", "default-action", "as-path-expand")...)
	}
	return []lens.Row{{Text: "policy-options", Rows: []lens.Row{
		{Text: "prefix-list $n:policy", Set: at + "prefix-set[name=$n]", Rows: []lens.Row{{Text: "$x:prefix", Set: "./prefix+=$x"}}},
		{Text: "policy-statement $p:policy", Set: at + "policy[name=$p]", Rows: []lens.Row{
			{Text: "term $t:policy", Set: term, Rows: []lens.Row{{Text: "from", Rows: from("$t")}, {Text: "then", Rows: then("$t")}}},
			// What stands in no term is a last term without a name.
			{Text: "from", Rows: from("unnamed"), ReadOnly: true},
			{Text: "then", Rows: then("unnamed"), ReadOnly: true},
		}},
		{Text: "community $n:policy", Set: at + "community-set[name=$n]", Rows: []lens.Row{{Text: "members $m:text", Set: "./member+=$m"}}},
		{Each: at + "condition[name=$n]", Rows: []lens.Row{{Text: "condition $n:policy if-route-exists", Rows: []lens.Row{
			{Text: "table $t:policy", Set: at + "condition[name=$n]/table=$t"},
			{Text: "$x:prefix", Set: at + "condition[name=$n]/prefix=$x"},
		}}}},
		{Text: "as-path $n:policy $r:text", Set: at + "as-path-set[name=$n]/regex=$r"},
	}}}
}

// instanceRows are the routing instances, which are VRFs here. What kind one
// is follows from whether it has a route distinguisher; rendering says so.
func instanceRows(as bool) []lens.Row {
	rows := []lens.Row{
		{Text: "description $d:text", Set: "./description=$d"},
		{Text: "instance-type $_:one-of=virtual-router|vrf"},
		{Text: "interface $i:logical", Set: "cfgvault-interfaces:interfaces/interface[name=$i]/vrf=$vrf"},
		{Text: "route-distinguisher $rd:rd", Set: "./route-distinguisher=$rd"},
		{Text: "vrf-target import $t:target", Set: "./import-target+=$t"},
		{Text: "vrf-target export $t:target", Set: "./export-target+=$t"},
		{Text: "vrf-target $t:target", Set: "./import-target+=$t ./export-target+=$t", ReadOnly: true},
		{Text: "routing-options", Rows: append([]lens.Row{
			{Text: "autonomous-system $as:asn", Set: "cfgvault-bgp:bgp/instance[vrf=$vrf]/as=$as", ReadOnly: true},
			{Text: "router-id $id:quad", Set: identity(as, "$vrf")},
		}, optionRows("$vrf")...)},
		{Text: "protocols", Rows: append(bgpRows(as, "$vrf"), ospfRows("$vrf")...)},
	}
	return []lens.Row{{Text: "routing-instances", Rows: []lens.Row{{Text: "$vrf:vrf", Set: "cfgvault-vrfs:vrfs/vrf[name=$vrf]", Rows: rows}}}}
}

func routingRows(as bool) []lens.Row {
	rows := append([]lens.Row{
		// First: rows below take the AS number for said where a function gives it.
		{Text: "autonomous-system $as:asn", Set: "cfgvault-bgp:bgp/instance[vrf=default]/as=$as"},
		{Text: "router-id $id:quad", Set: identity(as, "default")},
	}, optionRows("default")...)
	return []lens.Row{{Text: "routing-options", Rows: rows}}
}

// identity is where the id of an instance is kept: one id for all protocols, with
// BGP, or with OSPF where there is no AS.
func identity(as bool, vrf string) string {
	if !as {
		return "cfgvault-ospf:ospf/instance[vrf=" + vrf + "][process=0]/router-id=$id"
	}
	at := "cfgvault-bgp:bgp/instance[vrf=" + vrf + "]"
	return at + "/router-id=$id " + at + "/as=local-as($id)"
}

// optionRows are the static routes. A preference belongs to a next hop in the
// tree; Junos says it of one with "qualified-next-hop", or of all of a route.
func optionRows(vrf string) []lens.Row {
	of := "preference-of($p)"
	if vrf != "default" {
		of = "preference-of(" + vrf + ".$p)"
	}
	static := func(prefix, ip string) lens.Row {
		hop := "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]/next-hop[gateway=$gw]"
		return lens.Row{Text: "static", Rows: []lens.Row{{Each: "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]", Rows: []lens.Row{
			{Text: "route $p:" + prefix, Rows: []lens.Row{
				{Text: "$gw:discard", Set: hop},
				{Text: "next-hop $gw:" + ip, Set: hop + " " + hop + "/distance=" + of, Unless: hop + "/distance=$other"},
				{Text: "preference $_:1..4294967295", ReadOnly: true},
				{Text: "qualified-next-hop $gw:" + ip, Set: hop, Rows: []lens.Row{
					{Text: "preference $d:1..255", Set: hop + "/distance=$d"},
				}},
			}},
		}}}}
	}
	table4 := "rib inet.0"
	if vrf != "default" {
		table4 = "rib $vrf:rib4"
	}
	table := "rib inet6.0"
	if vrf != "default" {
		table = "rib $vrf:rib6"
	}
	sums := func(prefix string) []lens.Row {
		sum := "cfgvault-static-routes:static-routes/aggregate[vrf=" + vrf + "][prefix=$p]"
		return []lens.Row{
			{Text: "generate route $p:" + prefix, Set: sum + "/forwards=true"},
			{Text: "aggregate route $p:" + prefix, Set: sum, Unless: sum + "/forwards=true"},
		}
	}
	return append([]lens.Row{static("prefix4", "hop"), {Text: table, Rows: append(sums("prefix6"), static("prefix6", "hop"))}, {Text: table4, ReadOnly: true, Rows: append(sums("prefix4"), static("prefix4", "hop"))}}, sums("prefix4")...)
}

func protocolRows(as bool) []lens.Row {
	rows := append(bgpRows(as, "default"), ospfRows("default")...)
	rows = append(append(rows, lldpRows()...), treeRows()...)
	rows = append(rows,
		lens.Row{Text: "router-advertisement", Rows: []lens.Row{{Text: "interface $i:if", Set: "cfgvault-interfaces:interfaces/interface[name=$i]/ipv6/advertise=true"}}},
		boilerplate("igmp-snooping vlan $_:one-of=default|all", "igmp-snooping", "the factory configuration of EX and QFX has it"),
		boilerplate("l2-learning global-mode switching", "l2-mode", "the factory configuration of SRX300 has it"),
		boilerplate("lldp-med interface all", "lldp-med", "the factory configuration of EX has it"))
	return []lens.Row{{Text: "protocols", Rows: rows}}
}

// bgpRows: a group is a peer group, and every neighbor is in one. The AS number
// of an instance is that of the router.
func bgpRows(as bool, vrf string) []lens.Row {
	if !as {
		return nil // an instance is nothing without its AS number
	}
	at := "cfgvault-bgp:bgp/instance[vrf=" + vrf + "]"
	group, peer := at+"/peer-group[name=$g]", at+"/neighbor[address=$n]"
	both := func(place string) []lens.Row {
		af := place + "/address-family[name=ipv4-unicast]"
		return []lens.Row{
			{Text: "description $d:text", Set: place + "/description=$d"},
			{Text: "local-address $a:ip", Set: place + "/update-source=$a"},
			{Text: "import $m:policy", Set: af + "/route-map-in=$m"},
			{Text: "export $m:policy", Set: af + "/route-map-out=$m"},
			{Text: "authentication-key $k:hash", Set: place + "/password/type=$k.type " + place + "/password/value=$k.value"},
			{Text: "peer-as $as:asn", Set: place + "/remote-as=$as"},
			{Text: "hold-time $h:3..65535", Set: place + "/timers/hold-time=$h"},
			{Text: "passive", Set: place + "/passive=true"},
			{Text: "multihop", ReadOnly: true, Set: place + "/ebgp-multihop=64"}, // the default TTL (CLI reference, multihop)
			{Text: "multihop ttl $h:1..255", Set: place + "/ebgp-multihop=$h"},
			{Text: "multihop", ReadOnly: true, Rows: []lens.Row{{Text: "ttl $h:1..255", Set: place + "/ebgp-multihop=$h"}}},
			{Text: "bfd-liveness-detection", Set: place + "/bfd=true", Rows: []lens.Row{
				{Text: "minimum-interval $_:1..255000", Class: plugins.Unparsed}, {Text: "multiplier $_:1..255", Class: plugins.Unparsed},
			}},
			{Text: "local-as $as:asn", Set: place + "/local-as=$as"},
			{Text: "family inet unicast", Set: place + "/address-family[name=ipv4-unicast]/activate=true"},
			{Text: "family inet6 unicast", Set: place + "/address-family[name=ipv6-unicast]/activate=true"},
			{Text: "family evpn signaling", Set: place + "/address-family[name=l2vpn-evpn]/activate=true"},
			{Text: "family inet-vpn unicast", Set: place + "/address-family[name=vpnv4]/activate=true"},
			{Text: "family inet6-vpn unicast", Set: place + "/address-family[name=vpnv6]/activate=true"},
			{Text: "family inet labeled-unicast", Set: place + "/address-family[name=ipv4-labeled-unicast]/activate=true"},
			{Text: "family inet6 labeled-unicast", Set: place + "/address-family[name=ipv6-labeled-unicast]/activate=true"},
			{Text: "family inet flow", Set: place + "/address-family[name=ipv4-flowspec]/activate=true"},
			{Text: "family inet unicast prefix-limit maximum $x:1..4294967295", Set: place + "/address-family[name=ipv4-unicast]/maximum-prefix=$x"},
			{Text: "family inet6 unicast prefix-limit maximum $x:1..4294967295", Set: place + "/address-family[name=ipv6-unicast]/maximum-prefix=$x"},
			{Text: "remove-private", Set: af + "/remove-private-as=true"},
		}
	}
	rows := append([]lens.Row{
		{Text: "type internal", Set: group + "/remote-as=internal"},
		boilerplate("type external", "external", "what a group is whose peers have an AS number of their own (CLI reference, type)"),
		{Text: "cluster $id:area", Set: at + "/cluster-id=$id"},
		{Text: "allow $p:prefix", Set: group + "/listen-range+=$p"},
	}, both(group)...)
	rows = append(rows, lens.Row{Text: "neighbor $n:ip", Set: peer + " " + peer + "/peer-group=$g", Rows: both(peer)})
	own := " " + at + "/as=local-as($g)"
	return []lens.Row{{Text: "bgp", Rows: []lens.Row{
		{Text: "log-updown", Set: at + "/log-neighbor-changes=true"},
		{Text: "family inet unicast", Set: at + "/default-ipv4-unicast=true"},
		{Text: "group $g:policy", Set: group + own, Rows: rows},
	}}}
}

// ospfRows: the process of an instance has no number; OSPFv3 is ospf3.
func ospfRows(vrf string) []lens.Row {
	var out []lens.Row
	for _, v := range []struct{ text, container string }{{"ospf", "ospf"}, {"ospf3", "ospf3"}} {
		at := "cfgvault-ospf:" + v.container + "/instance[vrf=" + vrf + "][process=0]"
		area := at + "/area[id=$a]"
		span := area + "/range[prefix=$p]"
		face := "cfgvault-ospf:" + v.container + "/interface[name=$i]"
		key := face + "/message-digest-key[id=$id]"
		port := []lens.Row{
			{Text: "passive", Set: face + "/passive=true"},
			{Text: "metric $n:1..65535", Set: face + "/cost=$n"},
			{Text: "priority $n:0..255", Set: face + "/priority=$n"},
			{Text: "hello-interval $n:1..65535", Set: face + "/hello-interval=$n"},
			{Text: "dead-interval $n:1..65535", Set: face + "/dead-interval=$n"},
			{Text: "topology default metric $n:1..65535", Set: face + "/cost=$n", ReadOnly: true},
			{Text: "bfd-liveness-detection", Set: face + "/bfd=true", Rows: []lens.Row{
				{Text: "minimum-interval $_:1..255000", Class: plugins.Unparsed}, {Text: "multiplier $_:1..255", Class: plugins.Unparsed},
			}},
			{Text: "interface-type $t:one-of=p2p>point-to-point|nbma>non-broadcast|p2mp>point-to-multipoint", Set: face + "/network-type=$t"},
		}
		if v.text == "ospf" {
			port = append(port, lens.Row{Text: "authentication", Rows: []lens.Row{
				{Text: "md5 $id:1..255 key $k:hash", Set: strings.Join([]string{key + "/algorithm=md5", key + "/type=$k.type", key + "/value=$k.value"}, " ")},
				{Text: "md5 $id:1..255", ReadOnly: true, Rows: []lens.Row{{Text: "key $k:hash", Set: strings.Join([]string{key + "/algorithm=md5", key + "/type=$k.type", key + "/value=$k.value"}, " ")}}},
				{Text: "simple-password $k:hash", Set: set(face+"/password", "type=$k.type", "value=$k.value")},
			}})
		}
		out = append(out, lens.Row{Text: v.text, Rows: []lens.Row{
			{Text: "area $a:area", Set: area, Rows: []lens.Row{
				{Text: "stub", Set: area + "/type=stub", Rows: []lens.Row{
					{Text: "no-summaries", Set: area + "/no-summary=true"},
					{Text: "default-metric $n:1..16777215", Set: area + "/default-cost=$n"},
				}},
				{Text: "nssa", Set: area + "/type=nssa", Rows: []lens.Row{
					{Text: "no-summaries", Set: area + "/no-summary=true"},
				}},
				{Text: "area-range $p:prefix restrict", Set: span + "/advertise=false"},
				{Text: "area-range $p:prefix override-metric $n:1..16777215", Set: span + "/cost=$n"},
				{Text: "area-range $p:prefix", Set: span, Unless: span + "/cost=$n"},
				{Text: "interface $i:if", Set: face + "/area=$a", Rows: port},
			}},
			boilerplate("topology default", "default-topology", "the one topology there is where no other is configured (CLI reference, topology)"),
			{Text: "reference-bandwidth $n:bandwidth", Set: at + "/reference-bandwidth=$n"},
		}})
	}
	return out
}
