package eos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func interfaceRow() lens.Row {
	const place = "cfgvault-interfaces:interfaces/interface[name=$if]"
	onOff := func(text, leaf string) []lens.Row {
		return []lens.Row{{Text: text, Set: "./" + leaf + "=true"}, {Text: "no " + text, Set: "./" + leaf + "=false"}}
	}
	rows := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "no shutdown", Set: "./enabled=true"},
		{Text: "mtu $n:68..65535", Set: "./mtu=$n"},
		{Text: "mac-address $m:mac", Set: "./mac-address=$m"},
		{Text: "speed forced $s:speed", Set: "./speed=$s.speed ./duplex=$s.duplex"},
		{Text: "speed auto", Set: "./auto-negotiation=true"},
	}
	rows = append(rows, onOff("switchport", "switchport/enabled")...)
	rows = append(rows,
		lens.Row{Text: "switchport access vlan $v:1..4094", Set: "./switchport/access-vlan=$v"},
		lens.Row{Text: "switchport trunk native vlan $v:1..4094", Set: "./switchport/native-vlan=$v"},
		lens.Row{Text: "switchport trunk allowed vlan none", Set: "./switchport/trunk-vlan+=none"},
		lens.Row{Text: "switchport trunk allowed vlan $v:vlans", Set: "./switchport/trunk-vlan*=$v"},
		lens.Row{Text: "switchport mode $m:one-of=access|trunk|dot1q-tunnel", Set: "./switchport/mode=$m"},
		lens.Row{Text: "switchport phone vlan $v:1..4094", Set: "./switchport/voice-vlan=$v"},
		lens.Row{Text: "channel-group $g:channel mode $m:one-of=active|passive|on", Set: "./lag/member-of=$g ./lag/mode=$m"},
		lens.Row{Text: "lacp timer $r:one-of=fast|normal>slow", Set: "./lag/lacp-rate=$r"},
		lens.Row{Text: "lacp rate $r:one-of=fast|normal>slow", Set: "./lag/lacp-rate=$r", ReadOnly: true}, // before 4.22
		lens.Row{Text: "port-channel min-links $n:1..65535", Set: "./lag/min-links=$n"},
		lens.Row{Text: "encapsulation dot1q vlan $v:1..4094 { inner $w:1..4094 }", Set: "./sub-interface/vlan-id=$v ./sub-interface/inner-vlan-id=$w"},
		lens.Row{Text: "vrf $vrf:vrf", Set: "./vrf=$vrf"},
		lens.Row{Text: "vrf forwarding $vrf:vrf", Set: "./vrf=$vrf", ReadOnly: true}, // before 4.22
		lens.Row{Text: "ip address dhcp", Set: "./ipv4/dhcp=true"},
		lens.Row{Text: "ip address unnumbered $u:ifname", Set: "./ipv4/unnumbered=$u"},
		lens.Row{Text: "ip address $a:if4 $sec?secondary", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length ./ipv4/address[ip=$a.ip]/secondary=$sec"},
		lens.Row{Text: "ip helper-address $h:ip4", Set: "./ipv4/helper-address+=$h"},
		lens.Row{Text: "ipv6 enable", Set: "./ipv6/enabled=true"},
		lens.Row{Text: "ipv6 address auto-config", Set: "./ipv6/autoconf=true"},
		lens.Row{Text: "ipv6 address $a:if6", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length"},
		lens.Row{Text: "ipv6 address $a:link-local link-local", Set: "./ipv6/link-local=$a"},
		lens.Row{Text: "ipv6 nd ra disabled", Set: "./ipv6/advertise=false"},
		lens.Row{Text: "ipv6 nd ra disabled all", Set: "./ipv6/advertise=false", ReadOnly: true})
	rows = append(rows, interfaceOSPF()...)
	rows = append(rows, cisco.SpanningTreePort()...)
	const lldp, acl = "cfgvault-lldp:lldp/interface[name=$if]/", "cfgvault-acl:acls/interface[name=$if]/"
	rows = append(rows, cisco.OnOff("lldp transmit", lldp+"transmit")...)
	rows = append(rows, cisco.OnOff("lldp receive", lldp+"receive")...)
	rows = append(rows, cisco.OnOff("ip proxy-arp", "./ipv4/proxy-arp")...)
	rows = append(rows,
		lens.Row{Text: "load-interval $n:0..600", Set: "./load-interval=$n"},
		lens.Row{Text: "ip access-group $a in", Set: acl + "ipv4-in=$a"},
		lens.Row{Text: "ip access-group $a out", Set: acl + "ipv4-out=$a"},
		lens.Row{Text: "ipv6 access-group $a in", Set: acl + "ipv6-in=$a"},
		lens.Row{Text: "ipv6 access-group $a out", Set: acl + "ipv6-out=$a"})
	rows = append(rows, cisco.InterfaceFeatures()...)
	return lens.Row{
		Text: "interface $if:ifname", Rows: rows,
		Set: place + " " + place + "/type=type-of($if) " + place + "/sub-interface/parent=parent-of($if)",
	}
}

func interfaceOSPF() []lens.Row {
	const place = "cfgvault-ospf:ospf/interface[name=$if]"
	const place6 = "cfgvault-ospf:ospf3/interface[name=$if]"
	key := place + "/message-digest-key[id=$id]"
	return []lens.Row{
		{Text: "ip ospf retransmit-interval $n:1..65535", Set: place + "/retransmit-interval=$n"},
		{Text: "ip ospf transmit-delay $n:1..65535", Set: place + "/transmit-delay=$n"},
		{Text: "ipv6 ospf $process:1..65535 area $a:area", Set: place6 + "/area=$a " + place6 + "/process=$process"},
		{Text: "ipv6 ospf cost $n:1..65535", Set: place6 + "/cost=$n"},
		{Text: "ipv6 ospf priority $n:0..255", Set: place6 + "/priority=$n"},
		{Text: "ipv6 ospf hello-interval $n:1..65535", Set: place6 + "/hello-interval=$n"},
		{Text: "ipv6 ospf dead-interval $n:1..65535", Set: place6 + "/dead-interval=$n"},
		{Text: "ipv6 ospf network $t:one-of=broadcast|point-to-point", Set: place6 + "/network-type=$t"},
		{Text: "ipv6 ospf mtu-ignore", Set: place6 + "/mtu-ignore=true"},
		{Text: "ip ospf neighbor bfd", Set: place + "/bfd=true"},
		{Text: "ip ospf cost $n:1..65535", Set: place + "/cost=$n"},
		{Text: "ip ospf dead-interval $n:1..8192", Set: place + "/dead-interval=$n"},
		{Text: "ip ospf hello-interval $n:1..8192", Set: place + "/hello-interval=$n"},
		{Text: "ip ospf priority $n:0..255", Set: place + "/priority=$n"},
		{Text: "ip ospf network $t:one-of=broadcast|point-to-point|non-broadcast", Set: place + "/network-type=$t"},
		{Text: "ip ospf mtu-ignore", Set: place + "/mtu-ignore=true"},
		{Text: "ip ospf authentication", Set: place + "/authentication=simple"},
		{Text: "ip ospf authentication message-digest", Set: place + "/authentication=message-digest"},
		{Text: "ip ospf authentication-key { $t:one-of=0|7|8a } $k:secret", Set: place + "/password/value=$k " + place + "/password/type=$t"},
		{Text: "ip ospf area $a:area", Set: place + "/area=$a"},
		{Text: "ip ospf message-digest-key $id:1..255 $alg:one-of=md5|sha1|sha256|sha384|sha512 { $t:one-of=0|7|8a } $k:secret",
			Set: strings.Join([]string{key + "/algorithm=$alg", key + "/value=$k", key + "/type=$t"}, " ")},
	}
}

// routeRows are the static routes. Where both an interface and a gateway
// stand, the gateway names the next hop; for a link-local one the interface is
// its zone.
func routeRows() []lens.Row {
	const options = " { $distance:1..255 } { tag $tag:0..4294967295 } { name $name } { metric $metric:0..4294967295 }"
	var rows []lens.Row
	for _, f := range []struct{ command, prefix, ip string }{{"ip", "prefix4", "ip4"}, {"ipv6", "prefix6", "ip6"}} {
		for _, vrf := range []struct{ text, key string }{{"", "default"}, {" vrf $vrf:vrf", "$vrf"}} {
			hop := "cfgvault-static-routes:static-routes/route[vrf=" + vrf.key + "][prefix=$p]/next-hop[gateway=$gw]"
			more := " " + hop + "/distance=$distance " + hop + "/tag=$tag " + hop + "/description=$name " + hop + "/metric=$metric"
			to := f.command + " route" + vrf.text + " $p:" + f.prefix
			rows = append(rows,
				lens.Row{Text: to + " $gw:drop" + options, Set: hop + more},
				lens.Row{Text: to + " $gw:zoned-pair" + options, Set: hop + more},
				lens.Row{Text: to + " { $if:ifname } $gw:" + f.ip + options, Set: hop + " " + hop + "/interface=$if" + more},
				lens.Row{Text: to + " $gw:ifname" + options, Set: hop + more})
		}
	}
	return rows
}

// prefixListRows: releases differ in whether entries of IPv4 stand in a block;
// those of IPv6 always do.
func prefixListRows() []lens.Row {
	const list4 = "cfgvault-prefix-lists:prefix-lists/prefix-list[family=ipv4][name=$name]"
	const list6 = "cfgvault-prefix-lists:prefix-lists/prefix-list[family=ipv6][name=$name]"
	entry := func(heading, list, prefix string, readOnly bool) []lens.Row {
		at := list + "/entry[seq=$seq]"
		text := heading + "seq $seq:0..65535 $action:one-of=permit|deny $p:" + prefix
		set := at + "/action=$action " + at + "/prefix=$p "
		rows := []lens.Row{
			{Text: text + " eq $n:0..128", Set: set + at + "/ge=$n " + at + "/le=$n"},
			{Text: text + " { ge $ge:0..128 } { le $le:0..128 }", Set: set + at + "/ge=$ge " + at + "/le=$le"},
		}
		for i := range rows {
			rows[i].ReadOnly = readOnly
		}
		return rows
	}
	rows := entry("ip prefix-list $name ", list4, "prefix4", false)
	return append(rows,
		lens.Row{Text: "ip prefix-list $name", Set: list4, Rows: entry("", list4, "prefix4", true)},
		lens.Row{Text: "ipv6 prefix-list $name", Set: list6, Rows: entry("", list6, "prefix6", false)})
}
