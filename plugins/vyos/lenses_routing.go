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
	return []lens.Row{{Text: "policy", Rows: rows}}
}

// staticRows are the static routes of one VRF.
func staticRows(vrf string) []lens.Row {
	var rows []lens.Row
	for _, f := range []struct{ text, prefix, ip string }{{"route", "prefix4", "ip4"}, {"route6", "prefix6", "ip6"}} {
		route := "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]"
		hop := route + "/next-hop[gateway=$gw]"
		one := func(text, gateway string) lens.Row {
			hop := route + "/next-hop[gateway=" + gateway + "]"
			return lens.Row{Text: text, Set: hop, Rows: []lens.Row{
				{Text: "distance $d:1..255", Set: hop + "/distance=$d"},
				{Text: "tag $t:1..4294967295", Set: hop + "/tag=$t"},
			}}
		}
		rows = append(rows, lens.Row{Text: f.text + " $p:" + f.prefix, Set: route, Rows: []lens.Row{
			{Text: "next-hop $gw:" + f.ip, Set: hop, Rows: []lens.Row{
				{Text: "distance $d:1..255", Set: hop + "/distance=$d"},
				{Text: "interface $i:if", Set: hop + "/interface=$i"},
				{Text: "vrf $v:vrf", Set: hop + "/next-hop-vrf=$v"},
			}},
			{Text: "interface $gw:if", Set: hop, Rows: []lens.Row{{Text: "distance $d:1..255", Set: hop + "/distance=$d"}}},
			one("blackhole", "blackhole"), one("reject", "reject"),
			{Text: "description $_:text"},
		}})
	}
	return rows
}

func protocolRows(as int64) []lens.Row {
	rows := []lens.Row{{Text: "static", Rows: staticRows("default")}}
	rows = append(rows, bgpRows(as)...)
	rows = append(rows, ospfRow())
	return []lens.Row{{Text: "protocols", Rows: rows}}
}

// bgpRows: since 1.4 the AS number stands in the block, before it was its name.
func bgpRows(as int64) []lens.Row {
	if as == 0 {
		return nil // an instance is nothing without its AS number
	}
	const at = "cfgvault-bgp:bgp/instance[vrf=default]"
	const own = at + "/as=local-as($n)"
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
			{Text: "timers", Rows: []lens.Row{
				{Text: "holdtime $x:3..65535", Set: place + "/timers/hold-time=$x"},
				{Text: "keepalive $x:1..65535", Set: place + "/timers/keepalive=$x"},
			}},
		}
		var families []lens.Row
		for _, f := range []string{"ipv4-unicast", "ipv6-unicast"} {
			af := place + "/address-family[name=" + f + "]"
			families = append(families, lens.Row{Text: f, Set: af, Rows: []lens.Row{
				{Text: "nexthop-self", Set: af + "/next-hop-self=true"},
				{Text: "route-reflector-client", Set: af + "/route-reflector-client=true"},
				{Text: "soft-reconfiguration inbound", Set: af + "/soft-reconfiguration=true"},
				{Text: "default-originate", Set: af + "/default-originate=true"},
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
		{Text: "parameters", Rows: []lens.Row{{Text: "router-id $n:quad", Set: at + "/router-id=$n " + own}}},
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
			{Text: "redistribute", Rows: []lens.Row{{Text: "$s:one-of=connected|static|ospf|kernel", Set: from, Rows: []lens.Row{
				{Text: "route-map $m:policy", Set: from + "/route-map=$m"},
			}}}},
		}})
	}
	body = append(body, lens.Row{Text: "address-family", Rows: families})
	return []lens.Row{
		{Text: "bgp", Rows: body},
		{Text: "bgp $as:asn", ReadOnly: true, Set: at + "/as=$as", Rows: body},
	}
}

func ospfRow() lens.Row {
	const at = "cfgvault-ospf:ospf/instance[vrf=default][process=0]"
	const area = at + "/area[id=$a]"
	const face = "cfgvault-ospf:ospf/interface[name=$i]"
	from := at + "/redistribute[source=$s][process=0]"
	return lens.Row{Text: "ospf", Rows: []lens.Row{
		{Text: "parameters", Rows: []lens.Row{{Text: "router-id $id:quad", Set: at + "/router-id=$id"}}},
		{Text: "auto-cost reference-bandwidth $n:1..4294967", Set: at + "/reference-bandwidth=$n"},
		{Text: "area $a:area", Set: area, Rows: []lens.Row{
			{Text: "area-type stub", Set: area + "/type=stub"},
			{Text: "area-type nssa", Set: area + "/type=nssa"},
			{Text: "network $p:prefix4", Set: at + "/network[prefix=$p]/area=$a"},
		}},
		{Text: "passive-interface default", Set: at + "/passive-default=true"},
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
			{Text: "passive", Set: face + "/passive=true"},
			{Text: "authentication", Rows: []lens.Row{
				{Text: "md5", Rows: []lens.Row{{Each: face + "/message-digest-key[id=$id]", Rows: []lens.Row{{Text: "key-id $id:1..255", Rows: []lens.Row{
					{Text: "md5-key $k:secret-text", Set: face + "/message-digest-key[id=$id]/value=$k"},
				}}}}}},
				{Text: "plaintext-password $k:secret-text", Set: face + "/password/value=$k"},
			}},
		}},
		{Text: "redistribute", Rows: []lens.Row{{Text: "$s:one-of=connected|static|bgp|kernel", Set: from, Rows: []lens.Row{
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
