package iosxr

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func ownCodecs() map[string]lens.Codec {
	return map[string]lens.Codec{
		"icmp":          cisco.Icmp(),
		"ssh-version":   lens.OneOf("v2>2"),
		"hash":          lens.OneOf("5>md5-crypt", "8>pbkdf2", "9>scrypt", "10>sha512-crypt", "0>clear"),
		"password-type": lens.OneOf("7>obscured", "0>clear", "6>other"),
		"weekday":       lens.OneOf("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
		"short-level":   lens.OneOf("emergencies>emergency", "alerts>alert", "critical", "errors>error", "error", "warnings>warning", "warning", "notifications>notice", "info>informational", "debugging>debug"),
		"family": lens.OneOf("ipv4 unicast>ipv4-unicast", "ipv6 unicast>ipv6-unicast", "ipv4 multicast>ipv4-multicast", "ipv6 multicast>ipv6-multicast",
			"ipv4 labeled-unicast>ipv4-labeled-unicast", "ipv6 labeled-unicast>ipv6-labeled-unicast", "vpnv4 unicast>vpnv4", "vpnv6 unicast>vpnv6", "l2vpn evpn>l2vpn-evpn",
			"l2vpn vpls-vpws>l2vpn-vpls", "ipv4 mdt>ipv4-mdt", "ipv4 mvpn>ipv4-mvpn", "ipv6 mvpn>ipv6-mvpn", "ipv4 rt-filter>rtfilter", "link-state link-state>link-state", "ipv4 flowspec>ipv4-flowspec", "ipv6 flowspec>ipv6-flowspec"),
		"instance-other": cisco.StatementCodec("default-metric ...", "rd auto", "label mode ...", "label-allocation-mode ..."),
		// What a process or an area says of all interfaces below it.
		"below-other": cisco.StatementCodec("cost ...", "hello-interval ...", "dead-interval ...", "priority ...", "mtu-ignore", "mtu-ignore ...", "retransmit-interval ...", "transmit-delay ...", "passive ...", "network ...",
			"authentication keychain ...", "authentication disable", "authentication message-digest keychain ...", "demand-circuit", "demand-circuit ...", "database-filter ...", "packet-size ...", "link-down ...", "security ttl", "security ttl ...", "bfd ...",
			"flood-reduction", "flood-reduction ...", "external-out ...", "summary-in ...", "loopback ...", "prefix-suppression ...", "weight ...", "shutdown"),
		"port-other": cisco.StatementCodec("authentication keychain ...", "authentication null", "bfd ...", "database-filter ...", "demand-circuit", "demand-circuit ...", "distribute-list ...", "fast-reroute ...", "flood-reduction", "flood-reduction ...",
			"link-down ...", "loopback ...", "multi-area-interface ...", "packet-size ...", "prefix-sid ...", "prefix-suppression", "prefix-suppression ...", "security ttl", "security ttl ...", "shutdown", "mpls ...", "cost-fallback ...", "authentication disable", "authentication ipsec ...", "authentication message-digest keychain ...", "mtu-ignore disable", "weight ...", "advertise prefix-attribute-flags"),
		"endpoint":     cisco.Group(cisco.Codecs(nil, "")["endpoint"], "net-group"),
		"endpoint6":    cisco.Group(cisco.Codecs(nil, "")["endpoint6"], "net-group"),
		"short-family": lens.OneOf("ipv4 unicast>ipv4", "ipv6 unicast>ipv6"),
		"ospf-process": lens.Or(lens.Int(0, 65535), lens.Word(func(s string) bool {
			return s != "" && (s[0] >= 'A' && s[0] <= 'Z' || s[0] >= 'a' && s[0] <= 'z' || s[0] == '_') && len(s) <= 64
		})),
		"from":         lens.OneOf("connected", "static", "rip", "isis", "ospf", "bgp", "eigrp"),
		"numbered":     lens.OneOf("ospf", "eigrp", "bgp"),
		"feature":      cisco.FeatureCodec(features()...),
		"port-feature": cisco.FeatureCodec(portFeatures()...),
		"ntp-feature": cisco.FeatureCodec("authenticate", "trusted-key ...", "update-calendar", "log-internal-sync", "max-associations ...", "interface ...", "access-group ...", "master ...", "broadcast client", "broadcastdelay ...",
			"drift ...", "ipv4 ...", "ipv6 ...", "max-distance ...", "mindistance ...", "multicast ...", "passive", "source vrf ...", "cmac-authentication-key ..."),
	}
}

func vrfRows() []lens.Row {
	const vrf = "cfgvault-vrfs:vrfs/vrf[name=$vrf]"
	const af = vrf + "/address-family[name=$af]"
	return []lens.Row{{Text: "vrf $vrf:vrf", Set: vrf, Rows: []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "rd $rd:rd", Set: "./route-distinguisher=$rd", Unless: "cfgvault-bgp:bgp/instance[vrf=$vrf]"},
		{Text: "address-family $af:short-family", Set: af, Rows: []lens.Row{
			{Text: "import route-target", Rows: []lens.Row{{Text: "$t:rd", Set: af + "/import-target+=$t"}}},
			{Text: "export route-target", Rows: []lens.Row{{Text: "$t:rd", Set: af + "/export-target+=$t"}}},
			{Text: "$o:vrf-other", Set: af + "/other+=$o"},
		}},
	}}}
}

// staticRows are the static routes, in a block for each VRF and family.
func staticRows() []lens.Row {
	const options = " { tag $tag:1..4294967295 } { description $name } { track $track } { $distance:1..254 } { metric $metric:1..16777214 } $perm?permanent"
	const other = " { $distance:1..254 } { tag $tag:1..4294967295 } { description $name } { metric $metric:1..16777214 } { track $track } $perm?permanent"
	families := func(vrf string) []lens.Row {
		var out []lens.Row
		for _, f := range []struct{ family, prefix, ip string }{{"ipv4", "prefix4", "ip4"}, {"ipv6", "prefix6", "ip6"}} {
			hop := "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]/next-hop[gateway=$gw]"
			more := " " + hop + "/distance=$distance " + hop + "/tag=$tag " + hop + "/description=$name " + hop + "/track=$track " + hop + "/metric=$metric " + hop + "/permanent=$perm"
			to := "$p:" + f.prefix
			out = append(out, lens.Row{Text: "address-family " + f.family + " unicast", Rows: []lens.Row{
				{Text: to + " $gw:drop" + options, Set: hop + more},
				{Text: to + " $gw:zoned-pair" + options, Set: hop + more},
				{Text: to + " { $if:ifname } $gw:" + f.ip + options, Set: hop + " " + hop + "/interface=$if" + more},
				{Text: to + " { $if:ifname } $gw:" + f.ip + other, Set: hop + " " + hop + "/interface=$if" + more, ReadOnly: true},
				{Text: to + " vrf $v $gw:" + f.ip + options, Set: hop + " " + hop + "/next-hop-vrf=$v" + more},
				{Text: to + " $gw:ifname" + options, Set: hop + more},
				{Text: to + " $gw:ifname" + other, Set: hop + more, ReadOnly: true},
			}})
		}
		return out
	}
	return []lens.Row{{Text: "router static", Rows: append(families("default"),
		lens.Row{Text: "vrf $vrf:vrf", Set: "cfgvault-vrfs:vrfs/vrf[name=$vrf]", Rows: families("$vrf")})}}
}

// aclRows are access lists and prefix lists.
func aclRows() []lens.Row {
	var lists []lens.Row
	for _, f := range []struct{ family, prefix string }{{"ipv4", "prefix4"}, {"ipv6", "prefix6"}} {
		list := "cfgvault-prefix-lists:prefix-lists/prefix-list[family=" + f.family + "][name=$name]"
		at := list + "/entry[seq=$seq]"
		set := at + "/action=$action " + at + "/prefix=$p "
		text := "$seq:1..2147483646 $action:one-of=permit|deny $p:" + f.prefix
		lists = append(lists, lens.Row{Text: f.family + " prefix-list $name", Set: list, Rows: []lens.Row{
			{Text: text + " eq $n:0..128", Set: set + at + "/ge=$n " + at + "/le=$n"},
			{Text: text + " { ge $ge:0..128 } { le $le:0..128 }", Set: set + at + "/ge=$ge " + at + "/le=$le"},
		}})
	}
	return append(lists, []lens.Row{
		{Text: "ipv4 access-list $name", Set: "cfgvault-acl:acls/acl[family=ipv4][name=$name]", Rows: cisco.AccessEntries("endpoint")},
		{Text: "ipv6 access-list $name", Set: "cfgvault-acl:acls/acl[family=ipv6][name=$name]", Rows: cisco.AccessEntries("endpoint6")},
	}...)
}

func ospfRows() []lens.Row {
	at := func(vrf string) string { return "cfgvault-ospf:ospf/instance[vrf=" + vrf + "][process=$process]" }
	at6 := func(vrf string) string { return "cfgvault-ospf:ospf3/instance[vrf=" + vrf + "][process=$process]" }
	const port, port6 = "cfgvault-ospf:ospf/interface[name=$i]", "cfgvault-ospf:ospf3/interface[name=$i]"
	return []lens.Row{
		{Text: "router ospf $process:ospf-process", Set: at("default"), Rows: append(processRows(at("default"), port, "prefix4"),
			lens.Row{Text: "vrf $vrf:vrf", Set: at("$vrf"), Rows: processRows(at("$vrf"), port, "prefix4")})},
		{Text: "router ospfv3 $process:ospf-process", Set: at6("default"), Rows: append(processRows(at6("default"), port6, "prefix6"),
			lens.Row{Text: "vrf $vrf:vrf", Set: at6("$vrf"), Rows: processRows(at6("$vrf"), port6, "prefix6")})},
	}
}

// processRows are a process of OSPF: at is its place, port that of its
// interfaces, prefix the codec of its prefixes.
func processRows(at, port, prefix string) []lens.Row {
	area, span := at+"/area[id=$area]", at+"/area[id=$area]/range[prefix=$p]"
	from, process := at+"/redistribute[source=$src][process=0]", at+"/redistribute[source=$src][process=$n]"
	info := at + "/default-information"
	const options = " { metric $m:0..16777214 } { metric-type $t:1..2 } { route-policy $map }"
	leaves := []string{"metric=$m", "metric-type=$t", "route-map=$map"}
	return []lens.Row{
		{Text: "router-id $id:quad", Set: at + "/router-id=$id"},
		{Text: "address-family ipv4 unicast", Class: plugins.Boilerplate, Rule: "ospf-family", Why: "OSPFv2 has no other (IOS-XR Routing Command Reference, address-family)"},
		{Text: "log adjacency changes", Set: at + "/log-adjacency-changes=true"},
		{Text: "log adjacency changes detail", Set: at + "/log-adjacency-changes=true", ReadOnly: true},
		{Text: "auto-cost reference-bandwidth $n:1..4294967", Set: at + "/reference-bandwidth=$n"},
		{Text: "maximum paths $n:1..64", Set: at + "/maximum-paths=$n"},
		{Text: "passive enable", Set: at + "/passive-default=true"},
		{Text: "default-metric $n:1..16777214", Set: at + "/default-metric=$n"},
		{Text: "distance $n:1..255", Set: at + "/distance=$n"},
		{Text: "redistribute $src:numbered $n:1..4294967295" + options, Set: cisco.Facts(process, leaves...)},
		{Text: "redistribute $src:from" + options, Set: cisco.Facts(from, leaves...)},
		{Text: "default-information originate $always?always" + options, Set: cisco.Facts(info, append([]string{"always=$always"}, leaves...)...)},
		{Text: "summary-prefix $p:" + prefix + " not-advertise", Set: at + "/summary[prefix=$p]/advertise=false"},
		{Text: "summary-prefix $p:" + prefix + " { tag $tag:0..4294967295 }", Set: cisco.Facts(at+"/summary[prefix=$p]", "tag=$tag")},
		cisco.Others("ospf-other"),
		{Text: "$o:below-other", Set: at + "/other+=$o"},
		{Text: "area $area:area", Set: area, Rows: []lens.Row{
			{Text: "stub no-summary", Set: area + "/no-summary=true " + area + "/type=stub"},
			{Text: "nssa no-summary", Set: area + "/no-summary=true " + area + "/type=nssa"},
			{Text: "$t:one-of=stub|nssa", Set: area + "/type=$t"},
			{Text: "default-cost $n:0..16777215", Set: area + "/default-cost=$n"},
			{Text: "authentication message-digest", Set: area + "/authentication=message-digest"},
			{Text: "authentication", Set: area + "/authentication=simple"},
			{Text: "range $p:" + prefix + " not-advertise", Set: span + "/advertise=false"},
			{Text: "range $p:" + prefix, Set: span},
			{Text: "range $p:" + prefix + " advertise", Set: span, ReadOnly: true},
			{Text: "interface $i:ifname", Set: port + "/area=$area " + port + "/process=$process", Rows: []lens.Row{
				{Text: "cost $n:1..65535", Set: port + "/cost=$n"},
				{Text: "retransmit-interval $n:1..65535", Set: port + "/retransmit-interval=$n"},
				{Text: "transmit-delay $n:1..65535", Set: port + "/transmit-delay=$n"},
				{Text: "hello-interval $n:1..65535", Set: port + "/hello-interval=$n"},
				{Text: "dead-interval $n:1..65535", Set: port + "/dead-interval=$n"},
				{Text: "priority $n:0..255", Set: port + "/priority=$n"},
				{Text: "network $t:one-of=broadcast|point-to-point|non-broadcast|point-to-multipoint", Set: port + "/network-type=$t"},
				{Text: "mtu-ignore enable", Set: port + "/mtu-ignore=true"},
				{Text: "mtu-ignore", Set: port + "/mtu-ignore=true", ReadOnly: true},
				{Text: "passive enable", Set: port + "/passive=true"},
				{Text: "passive disable", Set: port + "/passive=false"},
				{Text: "bfd fast-detect", Set: port + "/bfd=true"},
				{Text: "authentication message-digest", Set: port + "/authentication=message-digest"},
				{Text: "message-digest-key $k:1..255 md5 encrypted $s:secret", Set: port + "/message-digest-key[id=$k]/algorithm=md5 " + port + "/message-digest-key[id=$k]/type=encrypted " + port + "/message-digest-key[id=$k]/value=$s"},
				{Text: "$o:port-other", Set: port + "/other+=$o"},
			}},
			{Text: "$o:area-other", Set: area + "/other+=$o"},
			{Text: "$o:below-other", Set: area + "/other+=$o"},
		}},
	}
}

func bgpRows() []lens.Row {
	const at, in = "cfgvault-bgp:bgp/instance[vrf=default]", "cfgvault-bgp:bgp/instance[vrf=$vrf]"
	rows := append(instanceRows(at), lens.Row{Text: "vrf $vrf:vrf", Set: in + "/as=$as", Rows: append(
		[]lens.Row{
			{Text: "rd $rd:rd", Set: "cfgvault-vrfs:vrfs/vrf[name=$vrf]/route-distinguisher=$rd"},
		}, instanceRows(in)...)})
	return []lens.Row{{Text: "router bgp $as:asn", Set: at + "/as=$as", Rows: rows}}
}

func instanceRows(at string) []lens.Row {
	group, neighbor, family := at+"/peer-group[name=$n]", at+"/neighbor[address=$n]", at+"/address-family[name=$f]"
	network, sum := family+"/network[prefix=$p]", family+"/aggregate[prefix=$p]"
	return []lens.Row{
		{Text: "bgp router-id $id:quad", Set: "./router-id=$id"},
		{Text: "bgp cluster-id $id:area", Set: "./cluster-id=$id"},
		{Text: "bgp graceful-restart", Set: "./graceful-restart=true"},
		{Text: "bgp log neighbor changes detail", Set: "./log-neighbor-changes=true"},
		{Text: "bgp log neighbor changes disable", Set: "./log-neighbor-changes=false"},
		{Text: "bgp bestpath as-path multipath-relax", Set: "./bestpath-multipath-relax=true"},
		{Text: "bgp default local-preference $x:0..4294967295", Set: "./default-local-preference=$x"},
		{Text: "timers bgp $k:0..65535 $h:0..65535", Set: "./timers/keepalive=$k ./timers/hold-time=$h"},
		{Text: "bgp bestpath med always", Set: "./always-compare-med=true"},
		{Text: "bgp bestpath compare-routerid", Set: "./compare-router-id=true"},
		{Text: "bgp bestpath med missing-as-worst", Set: "./med-missing-as-worst=true"},
		{Text: "bgp confederation identifier $id:asn", Set: "./confederation-id=$id"},
		{Text: "bgp confederation peers $p:asn", Set: "./confederation-member+=$p", ReadOnly: true},
		{Text: "bgp confederation peers", Rows: []lens.Row{{Text: "$p:asn", Set: at + "/confederation-member+=$p"}}},
		cisco.Others("bgp-other"),
		cisco.Others("instance-other"),
		{Text: "address-family $f:family", Set: family, Rows: []lens.Row{
			{Text: "network $p:prefix { route-policy $map }", Set: cisco.Facts(network, "route-map=$map")},
			{Text: "aggregate-address $p:prefix $set?as-set $only?summary-only", Set: cisco.Facts(sum, "as-set=$set", "summary-only=$only")},
			{Text: "redistribute $src:numbered $r:1..4294967295 { metric $m:0..4294967295 } { route-policy $map }", Set: cisco.Facts(family+"/redistribute[source=$src][process=$r]", "metric=$m", "route-map=$map")},
			{Text: "redistribute $src:from { metric $m:0..4294967295 } { route-policy $map }", Set: cisco.Facts(family+"/redistribute[source=$src][process=0]", "metric=$m", "route-map=$map")},
			{Text: "maximum-paths ebgp $x:2..128", Set: family + "/maximum-paths=$x"},
			{Text: "maximum-paths ibgp $x:2..128", Set: family + "/maximum-paths-ibgp=$x"},
			{Text: "bgp dampening $d:line", Set: family + "/dampening=true " + family + "/dampening-parameters=$d"},
			{Text: "bgp dampening", Set: family + "/dampening=true"},
			{Text: "distance bgp $e:1..255 $i:1..255 $l:1..255", Set: family + "/distance/external=$e " + family + "/distance/internal=$i " + family + "/distance/local=$l"},
			{Text: "$o:family-other", Set: family + "/other+=$o"},
		}},
		{Text: "neighbor-group $n:name", Set: group, Rows: peerRows()},
		{Text: "neighbor $n:ip", Set: neighbor, Rows: append(peerRows(),
			lens.Row{Text: "use neighbor-group $g", Set: "./peer-group=$g", If: at + "/peer-group[name=$g]"})},
	}
}

// peerRows are the block of a neighbor or a neighbor group. A route policy is
// what a route map is elsewhere.
func peerRows() []lens.Row {
	var below []lens.Row
	add := func(text, set string) *lens.Row {
		facts := strings.Fields(set)
		for i, f := range facts {
			facts[i] = "./" + f
		}
		below = append(below, lens.Row{Text: text, Set: strings.Join(facts, " ")})
		return &below[len(below)-1]
	}
	add("route-policy $map in", "route-map-in=$map")
	add("route-policy $map out", "route-map-out=$map")
	add("route-reflector-client", "route-reflector-client=true")
	add("next-hop-self", "next-hop-self=true")
	add("send-community-ebgp", "send-community=standard")
	add("remove-private-AS", "remove-private-as=true")
	add("soft-reconfiguration inbound always", "soft-reconfiguration=true")
	add("soft-reconfiguration inbound", "soft-reconfiguration=true").ReadOnly = true
	add("default-originate { route-policy $map }", "default-originate=true default-originate-route-map=$map")
	add("maximum-prefix $m:1..4294967295 { $part:1..100 } restart $min:1..65535", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-restart=$min")
	add("maximum-prefix $m:1..4294967295 { $part:1..100 } $warn?warning-only", "maximum-prefix=$m maximum-prefix-threshold=$part maximum-prefix-warning-only=$warn")
	add("as-override", "as-override=true")
	add("next-hop-unchanged", "next-hop-unchanged=true")
	add("allowas-in $k:1..10", "allowas-in=$k")
	add("weight $w:0..65535", "weight=$w")
	add("$o:neighbor-family-other", "other+=$o")
	return []lens.Row{
		{Text: "remote-as $peer:asn", Set: "./remote-as=$peer"},
		{Text: "local-as $peer:asn no-prepend replace-as", Set: "./local-as=$peer ./local-as-no-prepend=true ./local-as-replace-as=true"},
		{Text: "local-as $peer:asn no-prepend", Set: "./local-as=$peer ./local-as-no-prepend=true"},
		{Text: "local-as $peer:asn", Set: "./local-as=$peer"},
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "password encrypted $k:secret", Set: "./password/type=encrypted ./password/value=$k"},
		{Text: "update-source $s:ifname", Set: "./update-source=$s"},
		{Text: "ebgp-multihop $h:1..255", Set: "./ebgp-multihop=$h"},
		{Text: "ttl-security", Set: "./ttl-security=1"},
		{Text: "session-open-mode passive-only", Set: "./passive=true"},
		{Text: "bfd fast-detect", Set: "./bfd=true"},
		{Text: "timers $k:0..65535 $h:0..65535", Set: "./timers/keepalive=$k ./timers/hold-time=$h"},
		{Text: "advertisement-interval $i:0..600", Set: "./advertisement-interval=$i"},
		{Text: "ignore-connected-check", Set: "./connected-check=false"},
		cisco.Others("neighbor-other"),
		// Being there is what makes a family active.
		{Text: "address-family $f:family", Set: "./address-family[name=$f]/activate=true", Rows: below},
	}
}
