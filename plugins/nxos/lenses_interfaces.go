package nxos

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func interfaceRow() lens.Row {
	const place = "cfgvault-interfaces:interfaces/interface[name=$if]"
	const lldp, cdp, acl = "cfgvault-lldp:lldp/interface[name=$if]/", "cfgvault-lldp:cdp/interface[name=$if]/", "cfgvault-acl:acls/interface[name=$if]/"
	rows := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		// Whether a port is switched comes first: changing it clears the rest.
		{Text: "switchport", Set: "./switchport/enabled=true"},
		{Text: "no switchport", Set: "./switchport/enabled=false"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "no shutdown", Set: "./enabled=true"},
		{Text: "mtu $n:64..65536", Set: "./mtu=$n"},
		{Text: "mac-address $m:mac", Set: "./mac-address=$m"},
		{Text: "bandwidth $n:1..4294967295", Set: "./bandwidth=$n"},
		{Text: "load-interval $n:5..600", Set: "./load-interval=$n"},
		{Text: "medium $t", Set: "./media-type=$t"},
		{Text: "speed $n:10..400000", Set: "./speed=$n"},
		{Text: "speed auto", Set: "./auto-negotiation=true", ReadOnly: true},
		{Text: "duplex auto", Set: "./auto-negotiation=true", ReadOnly: true},
		{Text: "duplex $d:one-of=full|half", Set: "./duplex=$d"},
		{Text: "negotiate auto", Set: "./auto-negotiation=true"},
		{Text: "no negotiate auto", Set: "./auto-negotiation=false"},
		{Text: "switchport mode $m:one-of=access|trunk|dot1q-tunnel", Set: "./switchport/mode=$m"},
		{Text: "switchport access vlan $v:1..4094", Set: "./switchport/access-vlan=$v"},
		{Text: "switchport voice vlan $v:1..4094", Set: "./switchport/voice-vlan=$v"},
		{Text: "switchport trunk native vlan $v:1..4094", Set: "./switchport/native-vlan=$v"},
		{Text: "switchport trunk allowed vlan none", Set: "./switchport/trunk-vlan+=none"},
		{Text: "switchport trunk allowed vlan $v:vlans", Set: "./switchport/trunk-vlan*=$v"},
		{Text: "switchport trunk allowed vlan add $v:vlans", Set: "./switchport/trunk-vlan*=$v", ReadOnly: true},
		{Text: "channel-group $g:portchannel mode $m:one-of=active|passive|on", Set: "./lag/member-of=$g ./lag/mode=$m"},
		{Text: "channel-group $g:portchannel force mode $m:one-of=active|passive|on", Set: "./lag/member-of=$g ./lag/mode=$m", ReadOnly: true},
		{Text: "channel-group $g:portchannel", Set: "./lag/member-of=$g ./lag/mode=on", ReadOnly: true},
		{Text: "lacp min-links $n:1..65535", Set: "./lag/min-links=$n"},
		{Text: "lacp rate $r:one-of=fast|normal>slow", Set: "./lag/lacp-rate=$r"},
		{Text: "encapsulation dot1q $v:1..4094", Set: "./sub-interface/vlan-id=$v"},
		{Text: "vrf member $vrf:vrf", Set: "./vrf=$vrf"},
		{Text: "ip address dhcp", Set: "./ipv4/dhcp=true"},
		{Text: "ip address $a:if4 $sec?secondary { tag $tag:0..4294967295 }",
			Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length ./ipv4/address[ip=$a.ip]/secondary=$sec ./ipv4/address[ip=$a.ip]/tag=$tag"},
		{Text: "ip unnumbered $u:ifname", Set: "./ipv4/unnumbered=$u"},
		{Text: "ip dhcp relay address $h:ip4", Set: "./ipv4/helper-address+=$h"},
		{Text: "ipv6 address dhcp", Set: "./ipv6/dhcp=true"},
		{Text: "ipv6 address autoconfig", Set: "./ipv6/autoconf=true"},
		{Text: "ipv6 address auto-config", Set: "./ipv6/autoconf=true", ReadOnly: true},
		{Text: "ipv6 address use-link-local-only", Set: "./ipv6/enabled=true"},
		{Text: "ipv6 link-local $a:link-local", Set: "./ipv6/link-local=$a"},
		{Text: "ipv6 address $a:if6 $eui?eui64", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length ./ipv6/address[ip=$a.ip]/eui-64=$eui"},
		{Text: "ipv6 nd suppress-ra", Set: "./ipv6/advertise=false"},
		{Text: "ip access-group $a in", Set: acl + "ipv4-in=$a"},
		{Text: "ip access-group $a out", Set: acl + "ipv4-out=$a"},
		{Text: "ip port access-group $a in", Set: acl + "ipv4-in=$a", ReadOnly: true},
		{Text: "ipv6 traffic-filter $a in", Set: acl + "ipv6-in=$a"},
		{Text: "ipv6 traffic-filter $a out", Set: acl + "ipv6-out=$a"},
	}
	rows = append(rows, cisco.OnOff("ip redirects", "./ipv4/redirects")...)
	rows = append(rows, cisco.OnOff("ip unreachables", "./ipv4/unreachables")...)
	rows = append(rows, cisco.OnOff("ip proxy-arp", "./ipv4/proxy-arp")...)
	rows = append(rows, cisco.OnOff("cdp enable", cdp+"enabled")...)
	rows = append(rows, cisco.OnOff("lldp transmit", lldp+"transmit")...)
	rows = append(rows, cisco.OnOff("lldp receive", lldp+"receive")...)
	rows = append(rows, spanningTreePort()...)
	rows = append(rows, interfaceOSPF()...)
	rows = append(rows, gatewayRows()...)
	rows = append(rows, cisco.InterfaceFeatures()...)
	return lens.Row{
		Text: "interface $if:ifname", Rows: rows,
		Set: place + " " + place + "/type=type-of($if) " + place + "/sub-interface/parent=parent-of($if)",
	}
}

func spanningTreePort() []lens.Row {
	const port = "cfgvault-stp:stp/interface[name=$if]/"
	return append([]lens.Row{
		{Text: "spanning-tree port type edge", Set: port + "edge=access"},
		{Text: "spanning-tree port type edge trunk", Set: port + "edge=always"},
		{Text: "spanning-tree port type network", Set: port + "edge=network"},
		{Text: "spanning-tree port type normal", Set: port + "edge=disabled"},
	}, cisco.SpanningTreePort()[6:]...)
}

func interfaceOSPF() []lens.Row {
	const place = "cfgvault-ospf:ospf/interface[name=$if]"
	key := place + "/message-digest-key[id=$id]"
	const place6 = "cfgvault-ospf:ospf3/interface[name=$if]"
	rows := []lens.Row{
		{Text: "ip ospf retransmit-interval $n:1..65535", Set: place + "/retransmit-interval=$n"},
		{Text: "ip ospf transmit-delay $n:1..450", Set: place + "/transmit-delay=$n"},
		{Text: "ipv6 router ospfv3 $process:ospf-process area $a:area", Set: place6 + "/area=$a " + place6 + "/process=$process"},
		{Text: "ospfv3 cost $n:1..65535", Set: place6 + "/cost=$n"},
		{Text: "ospfv3 dead-interval $n:1..65535", Set: place6 + "/dead-interval=$n"},
		{Text: "ospfv3 hello-interval $n:1..65535", Set: place6 + "/hello-interval=$n"},
		{Text: "ospfv3 priority $n:0..255", Set: place6 + "/priority=$n"},
		{Text: "ospfv3 retransmit-interval $n:1..65535", Set: place6 + "/retransmit-interval=$n"},
		{Text: "ospfv3 transmit-delay $n:1..450", Set: place6 + "/transmit-delay=$n"},
		{Text: "ospfv3 network $t:one-of=broadcast|point-to-point", Set: place6 + "/network-type=$t"},
		{Text: "ospfv3 mtu-ignore", Set: place6 + "/mtu-ignore=true"},
		{Text: "ospfv3 bfd", Set: place6 + "/bfd=true"},
		{Text: "ip router ospf $process:ospf-process area $a:area", Set: place + "/area=$a " + place + "/process=$process"},
		{Text: "ip ospf cost $n:1..65535", Set: place + "/cost=$n"},
		{Text: "ip ospf dead-interval $n:1..65535", Set: place + "/dead-interval=$n"},
		{Text: "ip ospf hello-interval $n:1..65535", Set: place + "/hello-interval=$n"},
		{Text: "ip ospf priority $n:0..255", Set: place + "/priority=$n"},
		{Text: "ip ospf network $t:one-of=broadcast|point-to-point", Set: place + "/network-type=$t"},
		{Text: "ip ospf mtu-ignore", Set: place + "/mtu-ignore=true"},
		{Text: "ip ospf bfd", Set: place + "/bfd=true"},
		{Text: "ip ospf authentication", Set: place + "/authentication=simple"},
		{Text: "ip ospf authentication message-digest", Set: place + "/authentication=message-digest"},
		{Text: "ip ospf authentication null", Set: place + "/authentication=none"},
		{Text: "ip ospf authentication-key { $t:one-of=0|3|7 } $k:secret", Set: place + "/password/value=$k " + place + "/password/type=$t"},
		{Text: "ip ospf message-digest-key $id:1..255 md5 { $t:one-of=0|3|7 } $k:secret", Set: key + "/algorithm=md5 " + key + "/value=$k " + key + "/type=$t"},
	}
	rows = append(rows, cisco.OnOff("ip ospf passive-interface", place+"/passive")...)
	return append(rows, cisco.OnOff("ospfv3 passive-interface", place6+"/passive")...)
}

// gatewayRows are HSRP and VRRP, in blocks of their own.
func gatewayRows() []lens.Row {
	group := func(protocol, family string) string {
		return "cfgvault-fhrp:fhrp/group[interface=$if][protocol=" + protocol + "][family=" + family + "][id=$g]"
	}
	common := []lens.Row{
		{Text: "priority $n:0..255", Set: "./priority=$n"},
		{Text: "preempt delay minimum $d:0..3600", Set: "./preempt=true ./preempt-delay=$d"},
		{Text: "preempt", Set: "./preempt=true"},
		{Text: "no preempt", Set: "./preempt=false"},
		{Text: "track $o decrement $d:1..255", Set: "./track[object=$o]/decrement=$d"},
		{Text: "track $o", Set: "./track[object=$o]"},
	}
	hsrp := append([]lens.Row{
		{Text: "ip $a:ip", Set: "./address+=$a"},
		{Text: "ip $a:ip secondary", Set: "./address+=$a", ReadOnly: true},
		{Text: "name $n", Set: "./name=$n"},
		{Text: "timers $h:1..255 $d:1..255", Set: "./hello-time=$h ./hold-time=$d"},
		{Text: "authentication md5 key-string { $_:one-of=7 } $k:secret", Set: "./authentication/type=md5 ./authentication/value=$k", ReadOnly: true},
		{Text: "authentication md5 key-string $k:secret", Set: "./authentication/type=md5 ./authentication/value=$k"},
		{Text: "authentication text $k:secret", Set: "./authentication/type=text ./authentication/value=$k"},
		{Text: "ip", Set: "./automatic=true"},
	}, common...)
	vrrp := append([]lens.Row{
		{Text: "address $a:ip", Set: "./address+=$a"},
		{Text: "authentication text $k:secret", Set: "./authentication/type=text ./authentication/value=$k"},
		{Text: "no shutdown", Class: plugins.Boilerplate, Rule: "vrrp-no-shutdown", Why: "a group that works says so"},
	}, common...)
	return []lens.Row{
		{Text: "hsrp $g:0..4095", Set: group("hsrp", "ipv4"), Rows: hsrp},
		{Text: "hsrp $g:0..4095 ipv4", Set: group("hsrp", "ipv4"), Rows: hsrp, ReadOnly: true},
		{Text: "hsrp $g:0..4095 ipv6", Set: group("hsrp", "ipv6"), Rows: hsrp},
		{Text: "vrrp $g:1..255", Set: group("vrrp", "ipv4"), Rows: vrrp},
	}
}

func vlanRows() []lens.Row {
	rows := append(cisco.SpanningTree(),
		lens.Row{Text: "spanning-tree port type edge default", Set: "cfgvault-stp:stp/edge-default=true", ReadOnly: true},
		lens.Row{Text: "spanning-tree port type edge bpduguard default", Set: "cfgvault-stp:stp/bpdu-guard-default=true", ReadOnly: true},
		lens.Row{Text: "spanning-tree port type edge bpdufilter default", Set: "cfgvault-stp:stp/bpdu-filter-default=true", ReadOnly: true})
	for i := range rows {
		switch rows[i].Text { // the words of IOS are not those of NX-OS
		case "spanning-tree portfast default":
			rows[i].Text = "spanning-tree port type edge default"
		case "spanning-tree portfast bpduguard default":
			rows[i].Text = "spanning-tree port type edge bpduguard default"
		case "spanning-tree portfast bpdufilter default":
			rows[i].Text = "spanning-tree port type edge bpdufilter default"
		}
	}
	return append(rows[:len(rows)-3],
		lens.Row{Text: "vlan $id:1..4094", Set: "cfgvault-vlans:vlans/vlan[id=$id]", Rows: []lens.Row{
			{Text: "name $n:vlan-name", Set: "./name=$n"},
			{Text: "state suspend", Set: "./enabled=false"},
			{Text: "state active", Set: "./enabled=true"},
			{Text: "shutdown", Set: "./enabled=false", ReadOnly: true},
			{Text: "vn-segment $n:1..16777215", Set: "./vni=$n"},
		}},
		lens.Row{Pair: cisco.VLANRange()})
}
