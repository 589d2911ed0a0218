package nxos

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func ownCodecs() map[string]lens.Codec {
	b := lens.Builtin()
	return map[string]lens.Codec{
		"vlan-name": b["line"].Max(128),
		"vlan-text": cisco.VLANText(),
		"icmp":      cisco.Icmp(),
		"hash":      lens.OneOf("5>sha256-crypt", "8>pbkdf2", "9>scrypt", "0>clear", "7>obscured"),
		"level":     lens.OneOf("0>emergency", "1>alert", "2>critical", "3>error", "4>warning", "5>notice", "6>informational", "7>debug"),
		"family": lens.OneOf("ipv4 unicast>ipv4-unicast", "ipv6 unicast>ipv6-unicast", "ipv4 multicast>ipv4-multicast", "ipv6 multicast>ipv6-multicast",
			"vpnv4 unicast>vpnv4", "vpnv6 unicast>vpnv6", "l2vpn evpn>l2vpn-evpn"),
		"ospf-process": lens.Or(lens.Int(0, 65535), lens.Word(func(s string) bool {
			return s != "" && (s[0] >= 'A' && s[0] <= 'Z' || s[0] >= 'a' && s[0] <= 'z' || s[0] == '_') && len(s) <= 64
		})),
		"gbps":             gigabits(),
		"second-community": lens.OneOf("send-community extended"),
		"instance-other":   cisco.StatementCodec("local-as ...", "timers ..."),
		"endpoint":         cisco.Group(cisco.Codecs(nil, "")["endpoint"], "addrgroup"),
		"endpoint6":        cisco.Group(cisco.Codecs(nil, "")["endpoint6"], "addrgroup"),
		"from":             lens.OneOf("direct>connected", "static", "rip", "isis", "ospf", "bgp", "eigrp"),
		"numbered":         lens.OneOf("ospf", "ospfv3>ospf3", "eigrp", "bgp", "isis", "rip"),
		"feature":          cisco.FeatureCodec(features()...),
		"port-feature":     cisco.FeatureCodec(portFeatures()...),
	}
}

// gigabits is a number of Gbit/s as Mbit/s.
func gigabits() lens.Codec {
	one := lens.Int(1, 4000)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			v, ok := one.Read(s)
			if !ok {
				return nil, false
			}
			return []any{v[0].(int64) * 1000}, true
		},
		Write: func([]any) (string, bool) { return "", false },
	}
}

func vrfRows() []lens.Row {
	const vrf = "cfgvault-vrfs:vrfs/vrf[name=$vrf]"
	targets := func(family string) []lens.Row {
		place := vrf + "/address-family[name=" + family + "]/"
		return []lens.Row{
			{Text: "route-target import $t:rd", Set: place + "import-target+=$t"},
			{Text: "route-target export $t:rd", Set: place + "export-target+=$t"},
			{Text: "route-target both $t:rd", Set: place + "import-target+=$t " + place + "export-target+=$t", ReadOnly: true},
			{Text: "$o:vrf-other", Set: place + "other+=$o"},
		}
	}
	below := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "vni $n:1..16777215", Set: "./vni=$n"},
		{Text: "rd $rd:rd", Set: "./route-distinguisher=$rd"},
		{Text: "address-family ipv4 unicast", Set: vrf + "/address-family[name=ipv4]", Rows: targets("ipv4")},
		{Text: "address-family ipv6 unicast", Set: vrf + "/address-family[name=ipv6]", Rows: targets("ipv6")},
		cisco.Others("vrf-other"),
	}
	return []lens.Row{{Text: "vrf context $vrf:vrf", Set: vrf, Rows: append(below, routeRows("$vrf", "")...)}}
}

// routeRows are the static routes of one VRF.
func routeRows(vrf, suffix string) []lens.Row {
	const options = " { track $track } { name $name } { tag $tag:0..4294967295 } { $distance:1..255 }"
	const other = " { $distance:1..255 } { track $track } { name $name } { tag $tag:0..4294967295 }"
	var rows []lens.Row
	for _, f := range []struct{ command, prefix, ip string }{{"ip", "prefix4", "ip4"}, {"ipv6", "prefix6", "ip6"}} {
		hop := "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]/next-hop[gateway=$gw]"
		more := " " + hop + "/distance=$distance " + hop + "/tag=$tag " + hop + "/description=$name " + hop + "/track=$track"
		to := f.command + " route $p:" + f.prefix
		rows = append(rows,
			lens.Row{Text: to + " $gw:drop" + options, Set: hop + more},
			lens.Row{Text: to + " $gw:zoned-pair" + options, Set: hop + more},
			lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + " vrf $other" + options, Set: hop + " " + hop + "/interface=$if " + hop + "/next-hop-vrf=$other" + more},
			lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + options, Set: hop + " " + hop + "/interface=$if" + more},
			lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + other, Set: hop + " " + hop + "/interface=$if" + more, ReadOnly: true},
			lens.Row{Text: to + " $gw:ifname" + options, Set: hop + more})
	}
	return rows
}

func prefixListRows() []lens.Row {
	var rows []lens.Row
	for _, f := range []struct{ command, family, prefix string }{{"ip", "ipv4", "prefix4"}, {"ipv6", "ipv6", "prefix6"}} {
		list := "cfgvault-prefix-lists:prefix-lists/prefix-list[family=" + f.family + "][name=$name]"
		at := list + "/entry[seq=$seq]"
		set := at + "/action=$action " + at + "/prefix=$p "
		text := f.command + " prefix-list $name seq $seq:1..4294967295 $action:one-of=permit|deny $p:" + f.prefix
		rows = append(rows,
			lens.Row{Text: f.command + " prefix-list $name description $d:line", Set: list + "/description=$d"},
			lens.Row{Text: text + " eq $n:0..128", Set: set + at + "/ge=$n " + at + "/le=$n"},
			lens.Row{Text: text + " { ge $ge:0..128 } { le $le:0..128 }", Set: set + at + "/ge=$ge " + at + "/le=$le"})
	}
	return rows
}

// aclRows are access lists, which NX-OS does not divide into kinds.
func aclRows() []lens.Row {
	return []lens.Row{
		{Text: "ip access-list $name", Set: "cfgvault-acl:acls/acl[family=ipv4][name=$name]", Rows: append(cisco.AccessEntries("endpoint"),
			lens.Row{Text: "statistics per-entry", Set: "./counters=true"})},
		{Text: "ipv6 access-list $name", Set: "cfgvault-acl:acls/acl[family=ipv6][name=$name]", Rows: append(cisco.AccessEntries("endpoint6"),
			lens.Row{Text: "statistics per-entry", Set: "./counters=true"})},
	}
}

// policyRows are the lists that route maps match by; NX-OS numbers their
// entries.
func policyRows() []lens.Row {
	const communities = "cfgvault-routing-policy:routing-policy/community-list[name=$name]"
	const paths = "cfgvault-routing-policy:routing-policy/as-path-list[name=$name]/entry[match=$m][action=$action]"
	entry := communities + "/entry[match=$m][action=$action]"
	return append([]lens.Row{
		{Text: "ip community-list $kind:one-of=standard|expanded $name seq $seq:1..4294967294 $action:one-of=permit|deny $m:expression",
			Set: communities + "/kind=$kind " + entry + "/seq=$seq"},
		{Text: "ip as-path access-list $name seq $seq:1..4294967294 $action:one-of=permit|deny $m:expression", Set: paths + "/seq=$seq"},
	}, cisco.PolicyLists()...)
}

func ospfRows() []lens.Row {
	at := func(vrf string) string { return "cfgvault-ospf:ospf/instance[vrf=" + vrf + "][process=$process]" }
	at6 := func(vrf string) string { return "cfgvault-ospf:ospf3/instance[vrf=" + vrf + "][process=$process]" }
	return []lens.Row{
		{Text: "router ospf $process:ospf-process", Set: at("default"), Rows: append(processRows("prefix4"),
			lens.Row{Text: "vrf $vrf:vrf", Set: at("$vrf"), Rows: processRows("prefix4")})},
		{Text: "router ospfv3 $process:ospf-process", Set: at6("default"), Rows: append(processRows("prefix6"),
			lens.Row{Text: "vrf $vrf:vrf", Set: at6("$vrf"), Rows: processRows("prefix6")})},
	}
}

// processRows are a process of OSPF; prefix is the codec of its prefixes, which
// tells the version.
func processRows(prefix string) []lens.Row {
	area, span := "./area[id=$area]", "./area[id=$area]/range[prefix=$p]"
	from, process := "./redistribute[source=$src][process=0]", "./redistribute[source=$src][process=$n]"
	info := "./default-information"
	rows := []lens.Row{
		{Text: "router-id $id:quad", Set: "./router-id=$id"},
		{Text: "log-adjacency-changes", Set: "./log-adjacency-changes=true"},
		{Text: "log-adjacency-changes detail", Set: "./log-adjacency-changes=true", ReadOnly: true},
		{Text: "auto-cost reference-bandwidth $n:gbps Gbps", Set: "./reference-bandwidth=$n", ReadOnly: true},
		{Text: "auto-cost reference-bandwidth $n:1..4000000 Mbps", Set: "./reference-bandwidth=$n"},
		{Text: "auto-cost reference-bandwidth $n:1..4000000", Set: "./reference-bandwidth=$n", ReadOnly: true},
		{Text: "maximum-paths $n:1..64", Set: "./maximum-paths=$n"},
		{Text: "passive-interface default", Set: "./passive-default=true"},
		{Text: "redistribute $src:numbered $n:1..4294967295 route-map $map", Set: process + "/route-map=$map"},
		{Text: "redistribute $src:from route-map $map", Set: from + "/route-map=$map"},
		{Text: "area $area:area authentication", Set: area + "/authentication=simple"},
		{Text: "area $area:area authentication message-digest", Set: area + "/authentication=message-digest"},
		{Text: "area $area:area $t:one-of=stub|nssa no-summary", Set: area + "/no-summary=true " + area + "/type=$t"},
		{Text: "area $area:area $t:one-of=stub|nssa", Set: area + "/type=$t"},
		{Text: "area $area:area default-cost $n:0..16777215", Set: area + "/default-cost=$n"},
		{Text: "area $area:area range $p:" + prefix + " not-advertise", Set: span + "/advertise=false"},
		{Text: "area $area:area range $p:" + prefix + " { cost $n:0..16777214 }", Set: span + " " + span + "/cost=$n"},
		{Text: "default-information originate $always?always { route-map $map }", Set: cisco.Facts(info, "always=$always", "route-map=$map")},
		{Text: "distance $n:1..255", Set: "./distance=$n"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "area $area:area $o:area-other", Set: area + "/other+=$o"},
		{Text: "summary-address $p:" + prefix + " no-advertise", Set: "./summary[prefix=$p]/advertise=false"},
		{Text: "summary-address $p:" + prefix + " { tag $tag:0..4294967295 }", Set: cisco.Facts("./summary[prefix=$p]", "tag=$tag")},
		cisco.Others("ospf-other"),
	}
	if prefix == "prefix4" {
		return append(rows, lens.Row{Text: "network $p:prefix4 area $area:area", Set: "./network[prefix=$p]/area=$area"})
	}
	return append(rows, lens.Row{Text: "address-family ipv6 unicast", Rows: slices.Clone(rows), ReadOnly: true})
}

func eigrpRows() []lens.Row {
	const at = "cfgvault-eigrp:eigrp/instance[vrf=default][as=$as]"
	return []lens.Row{{Text: "router eigrp $as:1..65535", Set: at, Rows: []lens.Row{
		{Text: "router-id $id:quad", Set: "./router-id=$id"},
		{Text: "autonomous-system $as:1..65535", Set: at, ReadOnly: true},
		{Text: "redistribute $src:numbered $n:1..4294967295 route-map $map", Set: "./redistribute[source=$src][process=$n]/route-map=$map"},
		{Text: "redistribute $src:from route-map $map", Set: "./redistribute[source=$src][process=0]/route-map=$map"},
	}}}
}

func bgpRows() []lens.Row {
	const at, in = "cfgvault-bgp:bgp/instance[vrf=default]", "cfgvault-bgp:bgp/instance[vrf=$vrf]"
	rows := instanceRows(at)
	rows = append(rows, lens.Row{Text: "vrf $vrf:vrf", Set: in + "/as=$as", Rows: instanceRows(in)})
	return []lens.Row{{Text: "router bgp $as:asn", Set: at + "/as=$as", Rows: rows}}
}

func instanceRows(at string) []lens.Row {
	group, neighbor, family := at+"/peer-group[name=$n]", at+"/neighbor[address=$n]", at+"/address-family[name=$f]"
	network, sum := family+"/network[prefix=$p]", family+"/aggregate[prefix=$p]"
	rows := []lens.Row{
		{Text: "router-id $id:quad", Set: "./router-id=$id"},
		{Text: "cluster-id $id:area", Set: "./cluster-id=$id"},
		{Text: "timers bgp $k:0..3600 $h:0..3600", Set: "./timers/keepalive=$k ./timers/hold-time=$h"},
		{Text: "bestpath as-path multipath-relax", Set: "./bestpath-multipath-relax=true"},
		{Text: "bestpath always-compare-med", Set: "./always-compare-med=true"},
		{Text: "bestpath compare-routerid", Set: "./compare-router-id=true"},
		{Text: "bestpath med missing-as-worst", Set: "./med-missing-as-worst=true"},
		{Text: "confederation identifier $id:asn", Set: "./confederation-id=$id"},
		{Text: "confederation peers $p:as-numbers", Set: "./confederation-member*=$p"},
		cisco.Others("bgp-other"),
		cisco.Others("instance-other"),
		{Text: "address-family $f:family", Rows: []lens.Row{
			{Text: "network $p:prefix { route-map $map }", Set: cisco.Facts(network, "route-map=$map")},
			{Text: "aggregate-address $p:prefix $set?as-set $only?summary-only { advertise-map $adv } { suppress-map $sup } { attribute-map $map }",
				Set: cisco.Facts(sum, "as-set=$set", "summary-only=$only", "advertise-map=$adv", "suppress-map=$sup", "route-map=$map")},
			{Text: "redistribute $src:numbered $r:1..65535 route-map $map", Set: family + "/redistribute[source=$src][process=$r]/route-map=$map"},
			{Text: "redistribute $src:from route-map $map", Set: family + "/redistribute[source=$src][process=0]/route-map=$map"},
			{Text: "maximum-paths $x:1..128", Set: family + "/maximum-paths=$x"},
			{Text: "maximum-paths ibgp $x:1..128", Set: family + "/maximum-paths-ibgp=$x"},
			{Text: "dampening $d:line", Set: family + "/dampening=true " + family + "/dampening-parameters=$d"},
			{Text: "dampening", Set: family + "/dampening=true"},
			{Text: "distance $e:1..255 $i:1..255 $l:1..255", Set: family + "/distance/external=$e " + family + "/distance/internal=$i " + family + "/distance/local=$l"},
			{Text: "default-metric $m:0..4294967295", Set: family + "/default-metric=$m"},
			{Text: "$o:family-other", Set: family + "/other+=$o"},
		}},
		{Text: "template peer $n:name", Set: group, Rows: peerRows()},
		{Text: "neighbor $n:ip", Set: neighbor, Rows: append(peerRows(),
			lens.Row{Text: "inherit peer $g", Set: "./peer-group=$g", If: at + "/peer-group[name=$g]"})},
		// What follows the address on its line in releases before 7.
		{Text: "neighbor $n:ip remote-as $peer:asn", Set: neighbor + "/remote-as=$peer", Rows: peerRows(), ReadOnly: true},
		{Text: "neighbor $n:prefix", Class: plugins.Unparsed, Rows: []lens.Row{{Text: "password $_:secret-line", Class: plugins.SecretOpaque}}},
	}
	return append(rows, cisco.OnOff("log-neighbor-changes", "./log-neighbor-changes")...)
}

// peerRows are the block of a neighbor or a template.
func peerRows() []lens.Row {
	af := "./address-family[name=$f]"
	below := []lens.Row{}
	add := func(text, set string) {
		facts := strings.Fields(set)
		for i, f := range facts {
			facts[i] = "./" + f
		}
		below = append(below, lens.Row{Text: text, Set: strings.Join(facts, " ")})
	}
	add("route-reflector-client", "route-reflector-client=true")
	add("next-hop-self", "next-hop-self=true")
	add("send-community", "send-community=standard")
	add("send-community extended", "send-community=extended")
	add("send-community both", "send-community=both")
	// Beside the one for standard communities, in releases that print both.
	below = append(below, lens.Row{Text: "$o:second-community", Set: "./other+=$o", If: "./send-community=standard"})
	add("soft-reconfiguration inbound", "soft-reconfiguration=true")
	below = append(below, lens.Row{Text: "soft-reconfiguration inbound always", Set: "./soft-reconfiguration=true", ReadOnly: true})
	add("default-originate { route-map $map }", "default-originate=true default-originate-route-map=$map")
	add("maximum-prefix $m:1..4294967295 { $part:1..100 } restart $min:1..65535", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-restart=$min")
	add("maximum-prefix $m:1..4294967295 { $part:1..100 } $warn?warning-only", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-warning-only=$warn")
	add("as-override", "as-override=true")
	below = append(below, lens.Row{Text: "allowas-in", Set: "./allowas-in=3", ReadOnly: true})
	add("allowas-in $k:1..10", "allowas-in=$k")
	add("weight $w:0..65535", "weight=$w")
	for _, list := range []string{"prefix-list", "route-map", "filter-list"} {
		for _, way := range []string{"in", "out"} {
			add(list+" $map "+way, list+"-"+way+"=$map")
		}
	}
	add("$o:neighbor-family-other", "other+=$o")
	return []lens.Row{
		{Text: "remote-as $peer:asn", Set: "./remote-as=$peer"},
		{Text: "local-as $peer:asn no-prepend replace-as", Set: "./local-as=$peer ./local-as-no-prepend=true ./local-as-replace-as=true"},
		{Text: "local-as $peer:asn no-prepend", Set: "./local-as=$peer ./local-as-no-prepend=true"},
		{Text: "local-as $peer:asn", Set: "./local-as=$peer"},
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "password $t:one-of=0|3|7 $k:secret", Set: "./password/type=$t ./password/value=$k"},
		{Text: "update-source $s:ifname", Set: "./update-source=$s"},
		{Text: "ebgp-multihop $h:1..255", Set: "./ebgp-multihop=$h"},
		{Text: "ttl-security hops $h:1..254", Set: "./ttl-security=$h"},
		{Text: "transport connection-mode passive", Set: "./passive=true"},
		{Text: "bfd", Set: "./bfd=true"},
		{Text: "timers $k:0..3600 $h:0..3600", Set: "./timers/keepalive=$k ./timers/hold-time=$h"},
		{Text: "advertisement-interval $i:1..600", Set: "./advertisement-interval=$i"},
		{Text: "disable-connected-check", Set: "./connected-check=false"},
		cisco.Others("neighbor-other"),
		// Being there is what makes a family active.
		{Text: "address-family $f:family", Set: af + "/activate=true", Rows: below},
	}
}
