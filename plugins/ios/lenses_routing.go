package ios

import (
	"net/netip"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

func ownCodecs() map[string]lens.Codec {
	b := lens.Builtin()
	return map[string]lens.Codec{
		"vlan-name":     b["line"].Max(128),
		"vlan-text":     cisco.VLANText(),
		"icmp":          cisco.Icmp(),
		"hash":          lens.OneOf("5>md5-crypt", "8>pbkdf2", "9>scrypt", "4>other", "0>clear", "6>obscured"),
		"password-type": lens.OneOf("7>obscured", "0>clear", "6>other"),
		"family": lens.OneOf("ipv4 unicast>ipv4-unicast", "ipv6 unicast>ipv6-unicast", "ipv4 multicast>ipv4-multicast", "ipv6 multicast>ipv6-multicast",
			"vpnv4 unicast>vpnv4", "vpnv6 unicast>vpnv6", "l2vpn evpn>l2vpn-evpn", "l2vpn vpls>l2vpn-vpls", "ipv4 mdt>ipv4-mdt", "ipv4 mvpn>ipv4-mvpn", "ipv6 mvpn>ipv6-mvpn",
			"rtfilter unicast>rtfilter", "link-state link-state>link-state"),
		"family-short":    lens.OneOf("ipv4>ipv4-unicast", "ipv6>ipv6-unicast", "vpnv4>vpnv4", "vpnv6>vpnv6"),
		"five":            fiveNumbers(),
		"classful":        classful(),
		"network-mask":    networkMask(),
		"standard-number": lens.Or(cisco.Number(1, 99), cisco.Number(1300, 1999)),
		"extended-number": lens.Or(cisco.Number(100, 199), cisco.Number(2000, 2699)),
		"ospf-types":      cisco.OSPFTypes(),
		"feature":         cisco.FeatureCodec(features()...),
		"port-feature":    cisco.FeatureCodec(portFeatures()...),
	}
}

// classful is "10.0.0.0" alone, whose mask is that of its class.
func classful() lens.Codec {
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			a, err := netip.ParseAddr(s)
			if err != nil || !a.Is4() {
				return nil, false
			}
			bits := 24
			switch first := a.As4()[0]; {
			case first == 0:
				bits = 0
			case first < 128:
				bits = 8
			case first < 192:
				bits = 16
			case first > 223:
				return nil, false
			}
			p := netip.PrefixFrom(a, bits)
			return []any{p.String()}, p.Masked() == p
		},
		Write: func([]any) (string, bool) { return "", false },
	}
}

// networkMask is "10.1.0.0 mask 255.255.0.0".
func networkMask() lens.Codec {
	masked := lens.Builtin()["net-mask4"]
	return lens.Codec{
		Words: lens.Some,
		Take: func(words []syntax.Word) int {
			if len(words) < 3 || words[1].Text != "mask" {
				return 0
			}
			return 3
		},
		Read: func(s string) ([]any, bool) { return masked.Read(strings.Replace(s, " mask ", " ", 1)) },
		Write: func(v []any) (string, bool) {
			s, ok := masked.Write(v)
			return strings.Replace(s, " ", " mask ", 1), ok
		},
	}
}

func vrfRows() []lens.Row {
	const vrf = "cfgvault-vrfs:vrfs/vrf[name=$vrf]"
	below := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "rd $rd:rd", Set: "./route-distinguisher=$rd"},
		{Text: "route-target import $t:rd", Set: "./import-target+=$t"},
		{Text: "route-target export $t:rd", Set: "./export-target+=$t"},
		cisco.Others("vrf-other"),
		{Text: "address-family $af:one-of=ipv4|ipv6", Set: vrf + "/address-family[name=$af]", End: "exit-address-family", Rows: []lens.Row{
			{Text: "route-target import $t:rd", Set: vrf + "/address-family[name=$af]/import-target+=$t"},
			{Text: "route-target export $t:rd", Set: vrf + "/address-family[name=$af]/export-target+=$t"},
			{Text: "$o:vrf-other", Set: vrf + "/address-family[name=$af]/other+=$o"},
		}},
	}
	return []lens.Row{
		{Text: "vrf definition $vrf:vrf", Set: vrf, Rows: below},
		{Text: "ip vrf $vrf:vrf", Set: vrf, Rows: below, ReadOnly: true}, // before 12.2(33)SRB
	}
}

// routeRows are the static routes. Where both an interface and a gateway
// stand, the gateway names the next hop; for a link-local one the interface is
// its zone.
func routeRows() []lens.Row {
	const options = " { $distance:1..255 } { tag $tag:0..4294967295 } { name $name } $perm?permanent { track $track }"
	const other = " { name $name } { $distance:1..255 } $perm?permanent { track $track } { tag $tag:0..4294967295 }"
	const third = " { $distance:1..255 } { name $name } $perm?permanent { track $track } { tag $tag:0..4294967295 }"
	var rows []lens.Row
	for _, f := range []struct{ command, prefix, ip string }{{"ip", "net-mask4", "ip4"}, {"ipv6", "prefix6", "ip6"}} {
		for _, vrf := range []struct{ text, key string }{{"", "default"}, {" vrf $vrf:vrf", "$vrf"}} {
			hop := "cfgvault-static-routes:static-routes/route[vrf=" + vrf.key + "][prefix=$p]/next-hop[gateway=$gw]"
			more := " " + hop + "/distance=$distance " + hop + "/tag=$tag " + hop + "/description=$name " + hop + "/permanent=$perm " + hop + "/track=$track"
			to := f.command + " route" + vrf.text + " $p:" + f.prefix
			rows = append(rows,
				lens.Row{Text: to + " $gw:drop" + options, Set: hop + more},
				lens.Row{Text: to + " $gw:zoned-pair" + options, Set: hop + more},
				lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + options, Set: hop + " " + hop + "/interface=$if" + more},
				lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + other, Set: hop + " " + hop + "/interface=$if" + more, ReadOnly: true},
				lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + third, Set: hop + " " + hop + "/interface=$if" + more, ReadOnly: true},
				lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + " global" + options, Set: hop + " " + hop + "/next-hop-vrf=default " + hop + "/interface=$if" + more},
				lens.Row{Text: to + " $gw:ifname" + options, Set: hop + more},
				lens.Row{Text: to + " $gw:ifname dhcp { $_:1..255 }", Class: "unparsed"})
		}
	}
	return rows
}

func prefixListRows() []lens.Row {
	var rows []lens.Row
	for _, f := range []struct{ command, family, prefix string }{{"ip", "ipv4", "prefix4"}, {"ipv6", "ipv6", "prefix6"}} {
		list := "cfgvault-prefix-lists:prefix-lists/prefix-list[family=" + f.family + "][name=$name]"
		at := list + "/entry[seq=$seq]"
		rows = append(rows,
			lens.Row{Text: f.command + " prefix-list $name description $d:line", Set: list + "/description=$d"},
			lens.Row{Text: f.command + " prefix-list $name seq $seq:1..4294967295 $action:one-of=permit|deny $p:" + f.prefix + " { ge $ge:0..128 } { le $le:0..128 }",
				Set: at + "/action=$action " + at + "/prefix=$p " + at + "/ge=$ge " + at + "/le=$le"})
	}
	return rows
}

// aclRows are access lists. Numbered lists are written by their number as a
// name, which IOS accepts.
func aclRows() []lens.Row {
	const list = "cfgvault-acl:acls/acl[family=ipv4][name=$name]"
	rows := []lens.Row{
		{Text: "ip access-list extended $name", Set: list + "/kind=extended", Rows: cisco.AccessEntries("endpoint")},
		{Text: "ip access-list standard $name", Set: list + "/kind=standard", Rows: cisco.StandardEntries()},
		{Text: "ipv6 access-list $name", Set: "cfgvault-acl:acls/acl[family=ipv6][name=$name]", Rows: ipv6Entries()},
	}
	numbered := func(numbers, kind string, entries []lens.Row) {
		for _, e := range entries {
			if !e.ReadOnly {
				continue
			}
			e.Text = "access-list $name:" + numbers + " " + e.Text
			e.Set = strings.ReplaceAll(e.Set, "./entry", list+"/entry") + " " + list + "/kind=" + kind
			rows = append(rows, e)
		}
	}
	numbered("standard-number", "standard", cisco.StandardEntries())
	numbered("extended-number", "extended", cisco.AccessEntries("endpoint"))
	return rows
}

// ipv6Entries: IOS prints the number behind the entry, or not at all.
func ipv6Entries() []lens.Row {
	rows := cisco.AccessEntries("endpoint6")
	group := rows[0].Rows
	for i, r := range group {
		rest := strings.TrimPrefix(r.Text, "$seq:1..4294967295 ")
		group[i].Text = "sequence $seq:1..4294967295 " + rest
		if !strings.Contains(rest, "remark") {
			rows = append(rows, lens.Row{Text: rest + " sequence $seq:1..4294967295", Set: r.Set, ReadOnly: true})
		}
	}
	return rows
}

func ospfRows() []lens.Row {
	at := func(vrf string) string { return "cfgvault-ospf:ospf/instance[vrf=" + vrf + "][process=$process]" }
	const ospf3 = "cfgvault-ospf:ospf3/instance[vrf=default][process=$process]"
	return []lens.Row{
		{Text: "router ospf $process:1..65535", Set: at("default"), Rows: processRows("net-mask4")},
		{Text: "router ospf $process:1..65535 vrf $vrf:vrf", Set: at("$vrf"), Rows: processRows("net-mask4")},
		{Text: "ipv6 router ospf $process:1..65535", Set: ospf3, Rows: processRows("prefix6")},
		// The same process in the form of 15.1(3)S and later, which can be for
		// IPv4 too; that part stays unread.
		{Text: "router ospfv3 $process:1..65535", Set: ospf3, ReadOnly: true, Rows: append(processRows("prefix6"),
			lens.Row{Text: "address-family ipv6 unicast", Rows: processRows("prefix6")},
			lens.Row{Text: "address-family ipv4 unicast", Class: plugins.Unparsed})},
	}
}

// redistributions: what IOS says after the source differs in order between
// releases. "subnets" is what the tree means; 17.x no longer prints it.
func redistributions(source, process string, subnets bool) []lens.Row {
	var rows []lens.Row
	add := func(text, options, place string, readOnly bool) {
		rows = append(rows, lens.Row{Text: text + options, Set: cisco.Facts(place, "metric=$m", "metric-type=$t", "route-map=$map"), ReadOnly: readOnly})
	}
	forms := []string{" { metric $m:0..4294967295 } { metric-type $t:1..2 } { route-map $map }"}
	if subnets {
		forms = []string{
			" { metric $m:0..16777214 } { metric-type $t:1..2 } subnets { route-map $map }",
			" subnets { metric $m:0..16777214 } { metric-type $t:1..2 } { route-map $map }",
			" { metric $m:0..16777214 } { metric-type $t:1..2 } { route-map $map } subnets",
			" { metric $m:0..16777214 } { metric-type $t:1..2 } { route-map $map }",
		}
	}
	for i, f := range forms {
		add("redistribute $src:source-protocol", f, source, i > 0)
		add("redistribute $src:one-of=ospf|eigrp|bgp $n:1..4294967295", f, process, i > 0)
	}
	// Which routes of OSPF; releases differ in where that stands.
	for i, f := range []string{" match $match:ospf-types { metric $m:0..4294967295 } { metric-type $t:1..2 }", " { metric $m:0..4294967295 } { metric-type $t:1..2 } match $match:ospf-types"} {
		if subnets {
			f += " subnets"
		}
		rows = append(rows, lens.Row{Text: "redistribute ospf $n:1..65535" + f + " { route-map $map }", ReadOnly: i > 0,
			Set: cisco.Facts(strings.Replace(process, "$src", "ospf", 1), "match*=$match", "metric=$m", "metric-type=$t", "route-map=$map")})
	}
	return rows
}

// processRows are a process of OSPF; prefix is the codec of its prefixes, which
// tells the version.
func processRows(prefix string) []lens.Row {
	area, span := "./area[id=$area]", "./area[id=$area]/range[prefix=$p]"
	info, summary := "./default-information", "summary-address"
	if prefix == "prefix6" {
		summary = "summary-prefix"
	}
	rows := []lens.Row{
		{Text: "router-id $id:quad", Set: "./router-id=$id"},
		{Text: "log-adjacency-changes", Set: "./log-adjacency-changes=true"},
		{Text: "no log-adjacency-changes", Set: "./log-adjacency-changes=false"},
		{Text: "log-adjacency-changes detail", Set: "./log-adjacency-changes=true", ReadOnly: true},
		{Text: "auto-cost reference-bandwidth $n:1..4294967", Set: "./reference-bandwidth=$n"},
		{Text: "maximum-paths $n:1..64", Set: "./maximum-paths=$n"},
		{Text: "passive-interface default", Set: "./passive-default=true"},
		{Text: "passive-interface $if:ifname", Set: "./passive-interface+=$if"},
		{Text: "no passive-interface $if:ifname", Set: "./active-interface+=$if"},
	}
	rows = append(rows, redistributions("./redistribute[source=$src][process=0]", "./redistribute[source=$src][process=$n]", true)...)
	if prefix == "net-mask4" {
		rows = append(rows, lens.Row{Text: "network $p:wild4 area $area:area", Set: "./network[prefix=$p]/area=$area"})
	}
	return append(rows,
		lens.Row{Text: "area $area:area authentication", Set: area + "/authentication=simple"},
		lens.Row{Text: "area $area:area authentication message-digest", Set: area + "/authentication=message-digest"},
		lens.Row{Text: "area $area:area $t:one-of=stub|nssa no-summary", Set: area + "/no-summary=true " + area + "/type=$t"},
		lens.Row{Text: "area $area:area $t:one-of=stub|nssa", Set: area + "/type=$t"},
		lens.Row{Text: "area $area:area default-cost $n:0..16777215", Set: area + "/default-cost=$n"},
		lens.Row{Text: "area $area:area range $p:" + prefix + " not-advertise", Set: span + "/advertise=false"},
		lens.Row{Text: "area $area:area range $p:" + prefix + " { cost $n:0..16777214 }", Set: span + " " + span + "/cost=$n"},
		lens.Row{Text: "default-metric $n:1..16777214", Set: "./default-metric=$n"},
		lens.Row{Text: "default-information originate $always?always { metric $m:0..16777214 } { metric-type $t:1..2 } { route-map $map }",
			Set: cisco.Facts(info, "always=$always", "metric=$m", "metric-type=$t", "route-map=$map")},
		lens.Row{Text: "distance $n:1..255", Set: "./distance=$n"},
		lens.Row{Text: "shutdown", Set: "./enabled=false"},
		lens.Row{Text: "area $area:area filter-list prefix $l in", Set: area + "/filter-list-in=$l"},
		lens.Row{Text: "area $area:area filter-list prefix $l out", Set: area + "/filter-list-out=$l"},
		lens.Row{Text: "area $area:area $o:area-other", Set: area + "/other+=$o"},
		lens.Row{Text: summary + " $p:" + prefix + " not-advertise", Set: "./summary[prefix=$p]/advertise=false"},
		lens.Row{Text: summary + " $p:" + prefix + " { tag $tag:0..4294967295 }", Set: cisco.Facts("./summary[prefix=$p]", "tag=$tag")},
		cisco.Others("ospf-other"))
}

// eigrpRows are EIGRP in its classic form.
func eigrpRows() []lens.Row {
	const at = "cfgvault-eigrp:eigrp/instance[vrf=default][as=$as]"
	from, process := "./redistribute[source=$src][process=0]", "./redistribute[source=$src][process=$n]"
	rows := []lens.Row{
		{Text: "network $p:wild4", Set: "./network+=$p"},
		{Text: "network $p:classful", Set: "./network+=$p", ReadOnly: true},
		{Text: "passive-interface default", Set: "./passive-default=true"},
		{Text: "passive-interface $if:ifname", Set: "./passive-interface+=$if"},
		{Text: "no passive-interface $if:ifname", Set: "./active-interface+=$if"},
		{Text: "eigrp router-id $id:quad", Set: "./router-id=$id"},
		{Text: "redistribute $src:one-of=ospf|eigrp|bgp $n:1..4294967295 { metric $m:five } { route-map $map }", Set: cisco.Facts(process, "metric=$m", "route-map=$map")},
		{Text: "redistribute $src:source-protocol { metric $m:five } { route-map $map }", Set: cisco.Facts(from, "metric=$m", "route-map=$map")},
		{Text: "default-metric $m:five", Set: "./default-metric=$m"},
	}
	rows = append(rows, cisco.OnOff("auto-summary", "./auto-summary")...)
	return []lens.Row{{Text: "router eigrp $as:1..65535", Set: at, Rows: rows}}
}

// fiveNumbers is the metric of EIGRP.
func fiveNumbers() lens.Codec {
	one := lens.Int(0, 4294967295)
	fits := func(s string) bool {
		words := strings.Fields(s)
		for _, w := range words {
			if _, ok := one.Read(w); !ok {
				return false
			}
		}
		return len(words) == 5 && strings.Join(words, " ") == s
	}
	return lens.Codec{
		Words: lens.Some,
		Take:  func([]syntax.Word) int { return 5 },
		Read:  func(s string) ([]any, bool) { return []any{s}, fits(s) },
		Write: func(v []any) (string, bool) { s, _ := v[0].(string); return s, fits(s) },
	}
}
