package vyos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
)

func policyRows() []lens.Row {
	rule := func(entry, prefix string) []lens.Row {
		return []lens.Row{
			{Text: "action $a:one-of=permit|deny", Set: entry + "/action=$a"},
			{Text: "prefix $p:" + prefix, Set: entry + "/prefix=$p"},
			{Text: "ge $n:0..128", Set: entry + "/ge=$n"},
			{Text: "le $n:0..128", Set: entry + "/le=$n"},
		}
	}
	var rows []lens.Row
	for _, f := range []struct{ text, family, prefix string }{{"prefix-list", "ipv4", "prefix4"}, {"prefix-list6", "ipv6", "prefix6"}} {
		list := "cfgvault-prefix-lists:prefix-lists/prefix-list[family=" + f.family + "][name=$name]"
		entry := list + "/entry[seq=$seq]"
		rows = append(rows, lens.Row{Text: f.text + " $name:policy", Set: list, Rows: []lens.Row{
			{Text: "description $d:text", Set: list + "/description=$d"},
			// A rule is nothing without what it does and with what.
			{Each: entry + " " + entry + "/action=$a " + entry + "/prefix=$p", Rows: []lens.Row{
				{Text: "rule $seq:1..65535 $a:good-action $p:good-" + f.prefix, Rows: rule(entry, f.prefix)},
				{Text: "rule $seq:1..65535", ReadOnly: true, Rows: rule(entry, f.prefix)},
			}},
		}})
	}
	return []lens.Row{{Text: "policy", Rows: append(append(rows, routeMapRow()), policyRouteRows()...)}}
}

// routeMapRow is route maps: a rule has no action until it is said, so that one
// without is left to the residual by the check of the tree.
func routeMapRow() lens.Row {
	const entry = "cfgvault-routing-policy:routing-policy/route-map[name=$name]/entry[seq=$seq]"
	const match, set = entry + "/match/", entry + "/set/"
	return lens.Row{Text: "route-map $name:policy", Set: "cfgvault-routing-policy:routing-policy/route-map[name=$name]", Rows: []lens.Row{
		{Text: "rule $seq:1..65535", Set: entry, Rows: []lens.Row{
			{Text: "action $a:one-of=permit|deny", Set: entry + "/action=$a"},
			{Text: "description $d:text", Set: entry + "/description=$d"},
			{Text: "continue $n:1..65535", Set: entry + "/continue=$n"},
			{Text: "match", Rows: []lens.Row{
				{Text: "ip address prefix-list $p:policy", Set: match + "prefix-list+=$p"},
				{Text: "ip address access-list $p:policy", Set: match + "acl+=$p"},
				{Text: "ip nexthop prefix-list $p:policy", Set: match + "next-hop-prefix-list+=$p"},
				{Text: "ipv6 address prefix-list $p:policy", Set: match + "prefix-list6+=$p"},
				{Text: "community community-list $p:policy", Set: match + "community+=$p"},
				{Text: "extcommunity $p:policy", Set: match + "extended-community+=$p"},
				{Text: "as-path $p:policy", Set: match + "as-path+=$p"},
				{Text: "interface $p:if", Set: match + "interface+=$p"},
				{Text: "tag $n:1..4294967295", Set: match + "tag+=$n"},
				{Text: "metric $n:0..4294967295", Set: match + "metric=$n"},
				{Text: "protocol $p", Set: match + "source-protocol=$p"},
			}},
			{Text: "set", Rows: []lens.Row{
				{Text: "local-preference $n:0..4294967295", Set: set + "local-preference=$n"},
				{Text: "metric $n:0..4294967295", Set: set + "metric=$n"},
				{Text: "metric-type $n:metric-type", Set: set + "metric-type=$n"},
				{Text: "weight $n:0..65535", Set: set + "weight=$n"},
				{Text: "tag $n:1..4294967295", Set: set + "tag=$n"},
				{Text: "origin $o:one-of=igp|egp|incomplete", Set: set + "origin=$o"},
				{Text: "as-path prepend $p:text", Set: set + "as-path-prepend=$p"},
				{Text: "as-path-prepend $p:text", Set: set + "as-path-prepend=$p", ReadOnly: true}, // 1.3
				{Text: "ip-next-hop $h:ip4", Set: set + "next-hop+=$h"},
			}},
		}},
	}}
}

// staticRows are the static routes of one VRF.
func staticRows(vrf string) []lens.Row {
	var rows []lens.Row
	for _, f := range []struct{ text, prefix, ip string }{{"route", "prefix4", "ip4"}, {"route6", "prefix6", "ip6"}} {
		route := "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]"
		hop := route + "/next-hop[gateway=$gw]"
		one := func(text, gateway string) lens.Row {
			hop := route + "/next-hop[gateway=" + gateway + "]"
			return lens.Row{Text: text, Set: hop, Unless: hop + "/table=$t", Rows: []lens.Row{
				{Text: "distance $d:1..255", Set: hop + "/distance=$d"},
				{Text: "tag $t:1..4294967295", Set: hop + "/tag=$t"},
			}}
		}
		rows = append(rows, lens.Row{Text: f.text + " $p:" + f.prefix, Set: route, Rows: []lens.Row{
			{Text: "next-hop $gw:" + f.ip, Set: hop, Unless: hop + "/table=$t", Rows: []lens.Row{
				{Text: "distance $d:1..255", Set: hop + "/distance=$d"},
				{Text: "interface $i:if", Set: hop + "/interface=$i"},
				{Text: "vrf $v:vrf", Set: hop + "/next-hop-vrf=$v"},
			}},
			{Text: "interface $gw:if", Set: hop, Unless: hop + "/table=$t", Rows: []lens.Row{{Text: "distance $d:1..255", Set: hop + "/distance=$d"}}},
			one("blackhole", "blackhole"), one("reject", "reject"),
			{Text: "description $_:text"},
		}})
		if vrf == "default" {
			table := hop + " " + hop + "/table=$t"
			rows = append(rows, lens.Row{Each: table, Rows: []lens.Row{{Text: "table $t:1..65535", Rows: []lens.Row{{Text: f.text + " $p:" + f.prefix, Rows: []lens.Row{
				{Text: "next-hop $gw:" + f.ip, Set: table, Rows: []lens.Row{{Text: "distance $d:1..255", Set: hop + "/distance=$d"}}},
				{Text: "interface $gw:if", Set: table, Rows: []lens.Row{{Text: "distance $d:1..255", Set: hop + "/distance=$d"}}},
			}}}}}})
		}
		rows = append(rows, lens.Row{Text: "interface-" + f.text + " $p:" + f.prefix, ReadOnly: true, Rows: []lens.Row{ // 1.3
			{Text: "next-hop-interface $gw:if", Set: hop, Rows: []lens.Row{{Text: "distance $d:1..255", Set: hop + "/distance=$d"}}},
		}})
	}
	return rows
}

func protocolRows(bgp bool) []lens.Row {
	rows := []lens.Row{{Text: "static", Rows: staticRows("default")}}
	rows = append(rows, bgpRows(bgp, "default")...)
	rows = append(rows, ospfRow("ospf", "default"), ospfRow("ospfv3", "default"))
	return []lens.Row{{Text: "protocols", Rows: rows}}
}

// bgpRows: since 1.4 the AS number stands in the block, before it was its name.
func bgpRows(known bool, vrf string) []lens.Row {
	if !known {
		return nil // an instance is nothing without its AS number
	}
	at := "cfgvault-bgp:bgp/instance[vrf=" + vrf + "]"
	own := at + "/as=local-as($n)"
	peer := func(place string) []lens.Row {
		rows := []lens.Row{
			{Text: "remote-as $x:remote-as", Set: place + "/remote-as=$x"},
			{Text: "description $d:text", Set: place + "/description=$d"},
			{Text: "password $p:secret-text", Set: place + "/password/value=$p"},
			{Text: "update-source $s:source", Set: place + "/update-source=$s"},
			{Text: "ebgp-multihop $x:1..255", Set: place + "/ebgp-multihop=$x"},
			{Text: "shutdown", Set: place + "/enabled=false"},
			{Text: "passive", Set: place + "/passive=true"},
			{Text: "bfd", Set: place + "/bfd=true"},
			{Text: "local-as $x:asn", Set: place + "/local-as=$x"},
			{Text: "ttl-security hops $x:1..254", Set: place + "/ttl-security=$x"},
			{Text: "timers", Rows: []lens.Row{
				{Text: "holdtime $x:3..65535", Set: place + "/timers/hold-time=$x"},
				{Text: "keepalive $x:1..65535", Set: place + "/timers/keepalive=$x"},
			}},
		}
		var families []lens.Row
		for _, f := range []string{"ipv4-unicast", "ipv6-unicast", "l2vpn-evpn"} {
			af := place + "/address-family[name=" + f + "]"
			families = append(families, lens.Row{Text: f, Set: af, Rows: []lens.Row{
				{Text: "activate", Set: af + "/activate=true"},
				{Text: "nexthop-self", Set: af + "/next-hop-self=true"},
				{Text: "route-reflector-client", Set: af + "/route-reflector-client=true"},
				{Text: "soft-reconfiguration inbound", Set: af + "/soft-reconfiguration=true"},
				{Text: "default-originate", Set: af + "/default-originate=true", Rows: []lens.Row{
					{Text: "route-map $m:policy", Set: af + "/default-originate-route-map=$m"},
				}},
				{Text: "remove-private-as", Set: af + "/remove-private-as=true"},
				{Text: "allowas-in number $x:1..10", Set: af + "/allowas-in=$x"},
				{Text: "weight $x:1..65535", Set: af + "/weight=$x"},
				{Text: "filter-list import $p:policy", Set: af + "/filter-list-in=$p"},
				{Text: "filter-list export $p:policy", Set: af + "/filter-list-out=$p"},
				{Text: "maximum-prefix $x:1..4294967295", Set: af + "/maximum-prefix=$x"},
				{Text: "prefix-list import $p:policy", Set: af + "/prefix-list-in=$p"},
				{Text: "prefix-list export $p:policy", Set: af + "/prefix-list-out=$p"},
				{Text: "route-map import $p:policy", Set: af + "/route-map-in=$p"},
				{Text: "route-map export $p:policy", Set: af + "/route-map-out=$p"},
			}})
		}
		return append(rows, lens.Row{Text: "address-family", Rows: families})
	}
	neighbor, group := at+"/neighbor[address=$n]", at+"/peer-group[name=$n]"
	body := []lens.Row{
		{Text: "system-as $as:asn", Set: at + "/as=$as"},
		{Text: "local-as $as:asn", Set: at + "/as=$as", ReadOnly: true}, // early 1.4
		{Text: "parameters", Rows: []lens.Row{
			{Text: "router-id $n:quad", Set: at + "/router-id=$n " + own},
			{Text: "cluster-id $n:quad", Set: at + "/cluster-id=$n " + own},
			{Text: "log-neighbor-changes", Set: at + "/log-neighbor-changes=true"},
			{Text: "graceful-restart", Set: at + "/graceful-restart=true"},
			{Text: "bestpath as-path multipath-relax", Set: at + "/bestpath-multipath-relax=true"},
			{Text: "default no-ipv4-unicast", Set: at + "/default-ipv4-unicast=false"},
			{Text: "default local-pref $n:0..4294967295", Set: at + "/default-local-preference=$n"},
			{Text: "network-import-check", Set: at + "/network-import-check=true"},
			{Text: "no-ebgp-requires-policy", Set: at + "/ebgp-requires-policy=false"},
		}},
		{Text: "timers", Rows: []lens.Row{
			{Text: "holdtime $n:3..65535", Set: at + "/timers/hold-time=$n"},
			{Text: "keepalive $n:1..65535", Set: at + "/timers/keepalive=$n"},
		}},
		{Each: at + "/peer-group[name=$n]/listen-range+=$r", Rows: []lens.Row{{Text: "listen", Rows: []lens.Row{{Text: "range $r:prefix", Rows: []lens.Row{
			{Text: "peer-group $n:name", Set: at + "/peer-group[name=$n]/listen-range+=$r " + own},
		}}}}}},
		{Text: "peer-group $n:name", Set: group + " " + own, Rows: peer(group)},
		{Text: "neighbor $n:ip", Set: neighbor + " " + own, Rows: append([]lens.Row{
			{Text: "peer-group $g:policy", Set: neighbor + "/peer-group=$g"},
		}, peer(neighbor)...)},
	}
	var families []lens.Row
	for _, f := range []struct{ name, prefix string }{{"ipv4-unicast", "prefix4"}, {"ipv6-unicast", "prefix6"}} {
		af := at + "/address-family[name=" + f.name + "]"
		from := af + "/redistribute[source=$s][process=0]"
		families = append(families, lens.Row{Text: f.name, Rows: []lens.Row{
			{Text: "network $p:" + f.prefix, Set: af + "/network[prefix=$p]", Rows: []lens.Row{
				{Text: "route-map $m:policy", Set: af + "/network[prefix=$p]/route-map=$m"},
			}},
			{Text: "aggregate-address $p:" + f.prefix, Set: af + "/aggregate[prefix=$p]", Rows: []lens.Row{
				{Text: "summary-only", Set: af + "/aggregate[prefix=$p]/summary-only=true"},
				{Text: "as-set", Set: af + "/aggregate[prefix=$p]/as-set=true"},
			}},
			{Text: "maximum-paths ebgp $n:1..256", Set: af + "/maximum-paths=$n"},
			{Text: "maximum-paths ibgp $n:1..256", Set: af + "/maximum-paths-ibgp=$n"},
			{Text: "redistribute", Rows: []lens.Row{{Text: "$s:one-of=connected|static|ospf|ospfv3|kernel|rip", Set: from, Rows: []lens.Row{
				{Text: "route-map $m:policy", Set: from + "/route-map=$m"},
			}}}},
		}})
	}
	body = append(body, lens.Row{Text: "address-family", Rows: families})
	const evpn = "/address-family[name=l2vpn-evpn]/advertise-all-vni=true"
	body[len(body)-1].Rows = append(families, lens.Row{Text: "l2vpn-evpn", Rows: []lens.Row{{Text: "advertise-all-vni", Set: at + evpn}}})
	return []lens.Row{
		{Text: "bgp", Rows: body},
		{Text: "bgp $as:asn", ReadOnly: true, Set: at + "/as=$as", Rows: body},
	}
}

// ospfRow is OSPF, "ospf", or OSPFv3, "ospfv3".
func ospfRow(word, vrf string) lens.Row {
	container := map[string]string{"ospf": "ospf", "ospfv3": "ospf3"}[word]
	at := "cfgvault-ospf:" + container + "/instance[vrf=" + vrf + "][process=0]"
	area := at + "/area[id=$a]"
	face := "cfgvault-ospf:" + container + "/interface[name=$i]"
	from := at + "/redistribute[source=$s][process=0]"
	return lens.Row{Text: word, Rows: []lens.Row{
		{Text: "parameters", Rows: []lens.Row{
			{Text: "router-id $id:quad", Set: at + "/router-id=$id"},
			boilerplate("abr-type cisco", "abr-type", "the default (interface definitions, ospf parameters)"),
		}},
		{Text: "log-adjacency-changes", Set: at + "/log-adjacency-changes=true"},
		{Text: "default-metric $n:0..16777214", Set: at + "/default-metric=$n"},
		{Text: "maximum-paths $n:1..64", Set: at + "/maximum-paths=$n"},
		{Text: "distance global $n:1..255", Set: at + "/distance=$n"},
		{Text: "auto-cost reference-bandwidth $n:1..4294967", Set: at + "/reference-bandwidth=$n"},
		{Text: "area $a:area", Set: area, Rows: []lens.Row{
			{Text: "area-type stub", Set: area + "/type=stub"},
			{Text: "area-type nssa", Set: area + "/type=nssa"},
			{Text: "area-type stub", ReadOnly: true, Rows: []lens.Row{{Text: "no-summary", Set: area + "/no-summary=true"}}},
			{Text: "authentication md5", Set: area + "/authentication=message-digest"},
			{Text: "authentication plaintext-password", Set: area + "/authentication=simple"},
			{Text: "range $p:prefix", Set: area + "/range[prefix=$p]", Rows: []lens.Row{
				{Text: "not-advertise", Set: area + "/range[prefix=$p]/advertise=false"},
				{Text: "cost $n:0..16777215", Set: area + "/range[prefix=$p]/cost=$n"},
			}},
			{Text: "network $p:prefix4", Set: at + "/network[prefix=$p]/area=$a"},
			{Text: "interface $i:if", Set: face + "/area=$a", ReadOnly: true}, // OSPFv3 of 1.3
		}},
		{Text: "passive-interface default", Set: at + "/passive-default=true"},
		{Text: "passive-interface-exclude $i:if", Set: at + "/active-interface+=$i"},
		{Text: "passive-interface $i:if", Set: face + "/passive=true", ReadOnly: true}, // before 1.4
		{Text: "interface $i:if", Set: face, Rows: []lens.Row{
			{Text: "area $a:area", Set: face + "/area=$a"},
			{Text: "cost $n:1..65535", Set: face + "/cost=$n"},
			{Text: "priority $n:0..255", Set: face + "/priority=$n"},
			{Text: "hello-interval $n:1..65535", Set: face + "/hello-interval=$n"},
			{Text: "dead-interval $n:1..65535", Set: face + "/dead-interval=$n"},
			{Text: "network $t:one-of=broadcast|non-broadcast|point-to-point|point-to-multipoint", Set: face + "/network-type=$t"},
			{Text: "mtu-ignore", Set: face + "/mtu-ignore=true"},
			{Text: "bfd", Set: face + "/bfd=true"},
			{Text: "passive disable", Set: face + "/passive=false"},
			{Text: "passive", Set: face + "/passive=true"},
			boilerplate("retransmit-interval $_:one-of=5", "ospf-default", "the default (interface definitions, ospf interface)"),
			boilerplate("transmit-delay $_:one-of=1", "ospf-default", "the default (interface definitions, ospf interface)"),
			{Text: "authentication", Rows: []lens.Row{
				{Text: "md5", Rows: []lens.Row{{Each: face + "/message-digest-key[id=$id]", Rows: []lens.Row{{Text: "key-id $id:1..255", Rows: []lens.Row{
					{Text: "md5-key $k:secret-text", Set: face + "/message-digest-key[id=$id]/value=$k"},
				}}}}}},
				{Text: "plaintext-password $k:secret-text", Set: face + "/password/value=$k"},
			}},
		}},
		{Text: "redistribute", Rows: []lens.Row{{Text: "$s:one-of=connected|static|bgp|kernel|rip|isis|ripng", Set: from, Rows: []lens.Row{
			{Text: "metric $n:1..16777214", Set: from + "/metric=$n"},
			{Text: "metric-type $n:1..2", Set: from + "/metric-type=$n"},
			{Text: "route-map $m:policy", Set: from + "/route-map=$m"},
		}}}},
		{Text: "default-information originate", Set: at + "/default-information", Rows: []lens.Row{
			{Text: "always", Set: at + "/default-information/always=true"},
			{Text: "metric $n:0..16777214", Set: at + "/default-information/metric=$n"},
			{Text: "metric-type $n:1..2", Set: at + "/default-information/metric-type=$n"},
			{Text: "route-map $m:policy", Set: at + "/default-information/route-map=$m"},
		}},
	}}
}

// remoteAS is a number, or what a peer is.
func remoteAS() lens.Codec {
	number := lens.Builtin()["asn"]
	words := lens.OneOf("internal", "external")
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if v, ok := words.Read(s); ok {
				return v, true
			}
			return number.Read(s)
		},
		Write: func(v []any) (string, bool) {
			if s, ok := words.Write(v); ok {
				return s, true
			}
			return number.Write(v)
		},
	}
}

// source is an address or an interface.
func source() lens.Codec {
	face := lens.Word(func(s string) bool { return !strings.ContainsAny(s, ":/") && s != "" && s[0] >= 'a' && s[0] <= 'z' })
	return lens.Or(lens.Builtin()["ip"], face)
}
