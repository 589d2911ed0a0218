package ios

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func interfaceRow() lens.Row {
	const place = "cfgvault-interfaces:interfaces/interface[name=$if]"
	const lldp, cdp = "cfgvault-lldp:lldp/interface[name=$if]/", "cfgvault-lldp:cdp/interface[name=$if]/"
	rows := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "no shutdown", Set: "./enabled=true"},
		{Text: "mtu $n:64..65536", Set: "./mtu=$n"},
		{Text: "mac-address $m:mac", Set: "./mac-address=$m"},
		{Text: "bandwidth $n:1..4294967295", Set: "./bandwidth=$n"},
		{Text: "load-interval $n:30..600", Set: "./load-interval=$n"},
		{Text: "media-type $t", Set: "./media-type=$t"},
		{Text: "speed $n:10..400000", Set: "./speed=$n"},
		{Text: "duplex $d:one-of=full|half", Set: "./duplex=$d"},
		{Text: "negotiation auto", Set: "./auto-negotiation=true"},
		{Text: "no negotiation auto", Set: "./auto-negotiation=false"},
		// What a port with neither prints as its default.
		{Text: "speed auto", Set: "./auto-negotiation=true", ReadOnly: true},
		{Text: "duplex auto", Set: "./auto-negotiation=true", ReadOnly: true},
		{Text: "speed nonegotiate", Set: "./auto-negotiation=false", ReadOnly: true},
		// The VRF comes first: setting it clears the addresses.
		{Text: "vrf forwarding $vrf:vrf", Set: "./vrf=$vrf"},
		{Text: "ip vrf forwarding $vrf:vrf", Set: "./vrf=$vrf", ReadOnly: true}, // before vrf definition
		{Text: "encapsulation dot1Q $v:1..4094 native", Set: "./sub-interface/vlan-id=$v ./sub-interface/native=true"},
		{Text: "encapsulation dot1Q $v:1..4094 { second-dot1q $w:1..4094 }", Set: "./sub-interface/vlan-id=$v ./sub-interface/inner-vlan-id=$w"},
		{Text: "no ip address", Set: "./ipv4/enabled=false"},
		{Text: "ip address dhcp $o:line", Set: "./ipv4/dhcp=true ./ipv4/dhcp-options=$o"},
		{Text: "ip address dhcp", Set: "./ipv4/dhcp=true"},
		{Text: "ip address $a:mask4 $sec?secondary", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length ./ipv4/address[ip=$a.ip]/secondary=$sec"},
		{Text: "ip unnumbered $u:ifname", Set: "./ipv4/unnumbered=$u"},
		{Text: "ip mtu $n:68..65535", Set: "./ipv4/mtu=$n"},
		{Text: "ip tcp adjust-mss $n:500..10000", Set: "./ipv4/tcp-mss=$n"},
		{Text: "ip helper-address $h:ip4", Set: "./ipv4/helper-address+=$h"},
		{Text: "ipv6 enable", Set: "./ipv6/enabled=true"},
		{Text: "ipv6 mtu $n:1280..65535", Set: "./ipv6/mtu=$n"},
		{Text: "ipv6 address autoconf", Set: "./ipv6/autoconf=true"},
		{Text: "ipv6 address autoconf default", Set: "./ipv6/autoconf=true", ReadOnly: true},
		{Text: "ipv6 address dhcp", Set: "./ipv6/dhcp=true"},
		{Text: "ipv6 address $a:link-local link-local", Set: "./ipv6/link-local=$a"},
		{Text: "ipv6 address $a:if6 $eui?eui-64", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length ./ipv6/address[ip=$a.ip]/eui-64=$eui"},
		{Text: "ipv6 nd ra suppress all", Set: "./ipv6/advertise=false"},
		{Text: "ipv6 nd ra suppress", Set: "./ipv6/advertise=false", ReadOnly: true},
		{Text: "ip access-group $a in", Set: "cfgvault-acl:acls/interface[name=$if]/ipv4-in=$a"},
		{Text: "ip access-group $a out", Set: "cfgvault-acl:acls/interface[name=$if]/ipv4-out=$a"},
		{Text: "ipv6 traffic-filter $a in", Set: "cfgvault-acl:acls/interface[name=$if]/ipv6-in=$a"},
		{Text: "ipv6 traffic-filter $a out", Set: "cfgvault-acl:acls/interface[name=$if]/ipv6-out=$a"},
	}
	rows = append(rows, cisco.OnOff("ip redirects", "./ipv4/redirects")...)
	rows = append(rows, cisco.OnOff("ip unreachables", "./ipv4/unreachables")...)
	rows = append(rows, cisco.OnOff("ip proxy-arp", "./ipv4/proxy-arp")...)
	rows = append(rows, cisco.OnOff("cdp enable", cdp+"enabled")...)
	rows = append(rows, cisco.OnOff("lldp transmit", lldp+"transmit")...)
	rows = append(rows, cisco.OnOff("lldp receive", lldp+"receive")...)
	rows = append(rows, switchportRows()...)
	rows = append(rows, cisco.SpanningTreePort()...)
	rows = append(rows, interfaceOSPF()...)
	rows = append(rows, gatewayRows()...)
	rows = append(rows, cisco.InterfaceFeatures()...)
	return lens.Row{
		Text: "interface $if:ifname", Rows: rows,
		Set: place + " " + place + "/type=type-of($if) " + place + "/sub-interface/parent=parent-of($if)",
	}
}

func switchportRows() []lens.Row {
	rows := cisco.OnOff("switchport", "./switchport/enabled")
	return append(rows,
		lens.Row{Text: "switchport access vlan $v:1..4094", Set: "./switchport/access-vlan=$v"},
		lens.Row{Text: "switchport trunk encapsulation dot1q", Class: plugins.Boilerplate, Rule: "trunk-encapsulation", Why: "the only one that newer switches have, and the one that the tree means"},
		lens.Row{Text: "switchport trunk native vlan $v:1..4094", Set: "./switchport/native-vlan=$v"},
		lens.Row{Text: "switchport trunk allowed vlan none", Set: "./switchport/trunk-vlan+=none"},
		lens.Row{Text: "switchport trunk allowed vlan $v:vlans", Set: "./switchport/trunk-vlan*=$v"},
		// A list too long for one line goes on in the next.
		lens.Row{Text: "switchport trunk allowed vlan add $v:vlans", Set: "./switchport/trunk-vlan*=$v", ReadOnly: true},
		lens.Row{Text: "switchport mode $m:one-of=access|trunk|dot1q-tunnel", Set: "./switchport/mode=$m"},
		lens.Row{Text: "switchport mode dynamic $m:one-of=auto>dynamic-auto|desirable>dynamic-desirable", Set: "./switchport/mode=$m"},
		lens.Row{Text: "switchport voice vlan $v:1..4094", Set: "./switchport/voice-vlan=$v"},
		lens.Row{Text: "channel-group $g:portchannel mode $m:one-of=active|passive|on|auto|desirable", Set: "./lag/member-of=$g ./lag/mode=$m"},
		lens.Row{Text: "channel-group $g:portchannel", Set: "./lag/member-of=$g", ReadOnly: true},
		lens.Row{Text: "channel-protocol lacp", Class: plugins.Boilerplate, Rule: "channel-protocol", Why: "follows from the mode of the channel group"},
		lens.Row{Text: "port-channel min-links $n:1..65535", Set: "./lag/min-links=$n"},
		lens.Row{Text: "lacp min-bundle $n:1..65535", Set: "./lag/min-links=$n", ReadOnly: true},
		lens.Row{Text: "lacp rate $r:one-of=fast|normal>slow", Set: "./lag/lacp-rate=$r"})
}

func interfaceOSPF() []lens.Row {
	const place, place6 = "cfgvault-ospf:ospf/interface[name=$if]", "cfgvault-ospf:ospf3/interface[name=$if]"
	key := place + "/message-digest-key[id=$id]"
	rows := []lens.Row{
		{Text: "ip ospf retransmit-interval $n:1..65535", Set: place + "/retransmit-interval=$n"},
		{Text: "ip ospf transmit-delay $n:1..65535", Set: place + "/transmit-delay=$n"},
		{Text: "ipv6 ospf $process:1..65535 area $a:area", Set: place6 + "/area=$a " + place6 + "/process=$process"},
		{Text: "ospfv3 $process:1..65535 ipv6 area $a:area", Set: place6 + "/area=$a " + place6 + "/process=$process", ReadOnly: true},
		{Text: "ip ospf $process:1..65535 area $a:area", Set: place + "/area=$a " + place + "/process=$process"},
		{Text: "ip ospf cost $n:1..65535", Set: place + "/cost=$n"},
		{Text: "ip ospf dead-interval $n:1..65535", Set: place + "/dead-interval=$n"},
		{Text: "ip ospf hello-interval $n:1..65535", Set: place + "/hello-interval=$n"},
		{Text: "ip ospf priority $n:0..255", Set: place + "/priority=$n"},
		{Text: "ip ospf network $t:one-of=broadcast|point-to-point|non-broadcast|point-to-multipoint", Set: place + "/network-type=$t"},
		{Text: "ip ospf mtu-ignore", Set: place + "/mtu-ignore=true"},
		{Text: "ip ospf bfd", Set: place + "/bfd=true"},
		{Text: "ip ospf authentication", Set: place + "/authentication=simple"},
		{Text: "ip ospf authentication message-digest", Set: place + "/authentication=message-digest"},
		{Text: "ip ospf authentication null", Set: place + "/authentication=none"},
		{Text: "ip ospf authentication-key { $t:one-of=0|7 } $k:secret", Set: place + "/password/value=$k " + place + "/password/type=$t"},
		{Text: "ip ospf message-digest-key $id:1..255 md5 { $t:one-of=0|7 } $k:secret", Set: key + "/algorithm=md5 " + key + "/value=$k " + key + "/type=$t"},
	}
	for i, command := range []string{"ipv6 ospf", "ospfv3"} {
		rows = append(rows,
			lens.Row{Text: command + " cost $n:1..65535", Set: place6 + "/cost=$n", ReadOnly: i > 0},
			lens.Row{Text: command + " priority $n:0..255", Set: place6 + "/priority=$n", ReadOnly: i > 0},
			lens.Row{Text: command + " hello-interval $n:1..65535", Set: place6 + "/hello-interval=$n", ReadOnly: i > 0},
			lens.Row{Text: command + " dead-interval $n:1..65535", Set: place6 + "/dead-interval=$n", ReadOnly: i > 0},
			lens.Row{Text: command + " retransmit-interval $n:1..65535", Set: place6 + "/retransmit-interval=$n", ReadOnly: i > 0},
			lens.Row{Text: command + " transmit-delay $n:1..65535", Set: place6 + "/transmit-delay=$n", ReadOnly: i > 0},
			lens.Row{Text: command + " network $t:one-of=broadcast|point-to-point|non-broadcast|point-to-multipoint", Set: place6 + "/network-type=$t", ReadOnly: i > 0},
			lens.Row{Text: command + " mtu-ignore", Set: place6 + "/mtu-ignore=true", ReadOnly: i > 0},
			lens.Row{Text: command + " bfd", Set: place6 + "/bfd=true", ReadOnly: i > 0})
	}
	return rows
}

// gatewayRows are HSRP and VRRP.
func gatewayRows() []lens.Row {
	group := func(protocol, family string) string {
		return "cfgvault-fhrp:fhrp/group[interface=$if][protocol=" + protocol + "][family=" + family + "][id=$g]"
	}
	var rows []lens.Row
	for _, p := range []struct{ word, protocol string }{{"standby", "hsrp"}, {"vrrp", "vrrp"}} {
		g := group(p.protocol, "ipv4")
		rows = append(rows,
			lens.Row{Text: p.word + " $g:0..4095 ip $a:ip4 { $_:one-of=secondary }", Set: g + "/address+=$a", ReadOnly: true},
			lens.Row{Text: p.word + " $g:0..4095 ip $a:ip4", Set: g + "/address+=$a"},
			lens.Row{Text: p.word + " $g:0..4095 priority $n:0..255", Set: g + "/priority=$n"},
			lens.Row{Text: p.word + " $g:0..4095 preempt delay minimum $d:0..3600", Set: g + "/preempt=true " + g + "/preempt-delay=$d"},
			lens.Row{Text: p.word + " $g:0..4095 preempt", Set: g + "/preempt=true"},
			lens.Row{Text: "no " + p.word + " $g:0..4095 preempt", Set: g + "/preempt=false"},
			lens.Row{Text: p.word + " $g:0..4095 timers $h:1..255 $d:1..255", Set: g + "/hello-time=$h " + g + "/hold-time=$d"},
			lens.Row{Text: p.word + " $g:0..4095 authentication md5 key-string { $t:one-of=7 } $k:secret", Set: g + "/authentication/type=md5 " + g + "/authentication/value=$k", ReadOnly: true},
			lens.Row{Text: p.word + " $g:0..4095 authentication md5 key-string $k:secret", Set: g + "/authentication/type=md5 " + g + "/authentication/value=$k"},
			lens.Row{Text: p.word + " $g:0..4095 authentication $k:secret", Set: g + "/authentication/type=text " + g + "/authentication/value=$k"},
			lens.Row{Text: p.word + " $g:0..4095 track $o decrement $d:1..255", Set: g + "/track[object=$o]/decrement=$d"},
			lens.Row{Text: p.word + " $g:0..4095 track $o", Set: g + "/track[object=$o]"})
	}
	return append(rows,
		lens.Row{Text: "standby $g:0..4095 name $n", Set: group("hsrp", "ipv4") + "/name=$n"},
		lens.Row{Text: "vrrp $g:0..4095 description $n:line", Set: group("vrrp", "ipv4") + "/name=$n"})
}

// switchRows are VLANs and the spanning tree.
func switchRows() []lens.Row {
	rows := cisco.SpanningTree()
	return append(rows,
		lens.Row{Text: "vlan $id:1..4094", Set: "cfgvault-vlans:vlans/vlan[id=$id]", Rows: []lens.Row{
			{Text: "name $n:vlan-name", Set: "./name=$n"},
			{Text: "state suspend", Set: "./enabled=false"},
			{Text: "state active", Set: "./enabled=true"},
		}},
		lens.Row{Text: "vlan internal allocation policy ascending", Class: plugins.Boilerplate, Rule: "vlan-internal", Why: "the default (VLAN Command Reference, vlan internal allocation policy)"},
		lens.Row{Pair: cisco.VLANRange()})
}
