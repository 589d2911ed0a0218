package eos

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// policyRows are route maps and the lists that they match by.
func policyRows() []lens.Row {
	const communities = "cfgvault-routing-policy:routing-policy/community-list[name=$name]"
	const paths = "cfgvault-routing-policy:routing-policy/as-path-list[name=$name]/entry[match=$m][action=$action]"
	entry := communities + "/entry[match=$m][action=$action]"
	rows := cisco.RouteMaps("match ip address access-list")
	return append(rows,
		lens.Row{Text: "ip community-list regexp $name $action:one-of=permit|deny $m:expression", Set: communities + "/kind=expanded " + entry},
		lens.Row{Text: "ip community-list $name $action:one-of=permit|deny $m:expression", Set: entry},
		lens.Row{Text: "ip as-path access-list $name $action:one-of=permit|deny $m:expression", Set: paths})
}

// accessRows are access lists; EOS prints prefixes.
func accessRows() []lens.Row {
	const list = "cfgvault-acl:acls/acl[family=ipv4][name=$name]"
	counters := lens.Row{Text: "counters per-entry", Set: "./counters=true"}
	return []lens.Row{
		{Text: "ip access-list standard $name", Set: list + "/kind=standard", Rows: append(cisco.StandardEntries(), counters)},
		{Text: "ip access-list $name", Set: list, Rows: append(cisco.AccessEntries("endpoint"), counters), Unless: list + "/kind=standard"},
		{Text: "ipv6 access-list $name", Set: "cfgvault-acl:acls/acl[family=ipv6][name=$name]", Rows: append(cisco.AccessEntries("endpoint6"), counters)},
	}
}

// switchRows are the spanning tree, LLDP and method lists.
func switchRows() []lens.Row {
	const stp, lldp = "cfgvault-stp:stp/", "cfgvault-lldp:lldp/"
	return []lens.Row{
		{Text: "spanning-tree mode $m:one-of=mstp|rstp|rapid-pvst|none", Set: stp + "mode=$m"},
		{Text: "spanning-tree priority $p:0..61440", Set: stp + "priority=$p"},
		{Text: "spanning-tree vlan-id $v:vlan-text priority $p:0..61440", Set: stp + "vlan[vlans=$v]/priority=$p"},
		{Text: "no spanning-tree vlan-id $v:vlan-text", Set: stp + "vlan[vlans=$v]/enabled=false"},
		{Text: "spanning-tree vlan $v:vlan-text priority $p:0..61440", Set: stp + "vlan[vlans=$v]/priority=$p", ReadOnly: true}, // before 4.21
		{Text: "no spanning-tree vlan $v:vlan-text", Set: stp + "vlan[vlans=$v]/enabled=false", ReadOnly: true},
		{Text: "spanning-tree mst $i:0..4094 priority $p:0..61440", Set: stp + "mst/instance[id=$i]/priority=$p"},
		{Text: "spanning-tree edge-port bpduguard default", Set: stp + "bpdu-guard-default=true"},
		{Text: "spanning-tree edge-port bpdufilter default", Set: stp + "bpdu-filter-default=true"},
		{Text: "spanning-tree guard loop default", Set: stp + "loop-guard-default=true"},
		{Text: "spanning-tree mst configuration", Set: stp + "mst", Rows: []lens.Row{
			{Text: "name $n:line", Set: stp + "mst/name=$n"},
			{Text: "revision $r:0..65535", Set: stp + "mst/revision=$r"},
			{Text: "instance $i:0..4094 vlan $v:vlans", Set: stp + "mst/instance[id=$i]/vlan*=$v"},
		}},
		{Text: "lldp run", Set: lldp + "enabled=true"},
		{Text: "no lldp run", Set: lldp + "enabled=false"},
		{Text: "lldp timer $n:1..32768", Set: lldp + "hello-timer=$n"},
		{Text: "lldp hold-time $n:10..65535", Set: lldp + "hold-time=$n"},
		{Text: "lldp timer reinitialization $n:1..20", Set: lldp + "reinit-delay=$n"},
		{Text: "aaa $p:purpose $n $m:line", Set: "cfgvault-system:system/aaa/method-list[purpose=$p][name=$n]/methods=$m"},
	}
}

// serverRows are the servers of method lists, and their groups.
func serverRows() []lens.Row {
	const aaa = "cfgvault-system:system/aaa/"
	var rows []lens.Row
	for _, p := range []struct{ word, protocol string }{{"tacacs+", "tacacs"}, {"radius", "radius"}} {
		server := aaa + "server[protocol=" + p.protocol + "][name=$h]"
		command := p.protocol + "-server host $h:host { vrf $vrf } { timeout $o:1..1000 }"
		rows = append(rows,
			lens.Row{Text: command + " { retransmit $n:0..100 } key $t:one-of=0|7|8a $k:secret", Set: cisco.Facts(server, "vrf=$vrf", "timeout=$o", "retransmit=$n", "key/type=$t", "key/value=$k")},
			lens.Row{Text: command + " { retransmit $n:0..100 }", Set: cisco.Facts(server, "vrf=$vrf", "timeout=$o", "retransmit=$n")},
			lens.Row{Text: p.protocol + "-server key $_:secret-line", Class: plugins.SecretOpaque},
			lens.Row{Text: "aaa group server " + p.word + " $g", Set: aaa + "server-group[name=$g]/protocol=" + p.protocol, Rows: []lens.Row{
				{Text: "server $s { vrf $v }", Set: "./server+=$s ./vrf=$v"},
			}})
	}
	return rows
}

// features are statements of the whole switch that switch one function on or
// off, or set it to a word, and that the tree keeps as they are. None of them
// can hold a secret.
func features() []string {
	return []string{
		"service routing protocols model ...", "service configuration ...", "service interface ...", "service sequence-numbers log", "service unsupported-transceiver ...",
		"aaa root", "aaa accounting ...", "transceiver qsfp default-mode ...", "platform ...", "hardware ...", "queue-monitor length", "queue-monitor length ...", "switchport default mode ...",
		"ip virtual-router mac-address ...", "ip icmp redirect", "ip icmp rate-limit-unreachable ...", "ip fib fragment", "ip hardware fib ...", "ip load-sharing ...", "ip dhcp relay ...",
		"ip dhcp snooping", "ip dhcp snooping ...", "ip igmp snooping vlan ...", "ip http client ...", "ip ssh client source-interface ...", "ip tacacs ...", "ip radius ...", "ip domain lookup ...",
		"ip multicast-routing", "ipv6 hardware fib ...", "ipv6 icmp ...", "mac address-table ...", "errdisable ...", "load-interval default ...", "lacp system-priority ...", "port-channel load-balance ...",
		"vlan internal order ...", "spanning-tree portchannel guard misconfig", "spanning-tree portfast bpduguard default", "spanning-tree bridge assurance", "spanning-tree transmit ...",
		"ntp local-interface ...", "ntp authenticate", "ntp trusted-key ...", "ntp serve", "ntp serve ...", "ptp mode ...", "ptp ...", "logging format ...", "logging host-name ...", "logging policy ...",
		"logging repeat-messages", "logging synchronous ...", "logging vrf ...", "logging source-interface ...", "logging event ...", "logging relogging-interval ...", "logging persistent ...", "logging on",
		"snmp-server engineID local ...", "snmp-server local-interface ...", "snmp-server source-interface ...", "snmp-server vrf ...", "snmp-server enable traps", "snmp-server enable traps ...",
		"snmp-server ifmib ifspeed ...", "snmp-server view ...", "snmp-server group ...", "clock source ...", "lldp tlv ...", "lldp tlv-select ...", "lldp management-address ...", "sflow ...", "mpls ip",
		"ntp qos ...", "lldp holdtime ...", "lldp reinit ...", "ip name-server group ...", "agent ...", "alias ...", "ip igmp ...", "ip nat ...", "ip security ...", "ip tftp ...", "ip telnet ...", "ip ftp ...", "ip ssh ...", "ip domain ...", "ip access-list counters ...",
		"ip large-community-list ...", "ip extcommunity-list ...", "ipv6 nd ...", "ipv6 neighbor ...", "ipv6 dhcp ...", "arp ...", "match-list ...", "dot1x system-auth-control", "poe ...", "prompt ...", "terminal ...", "tcam ...", "trident ...",
		"redundancy ...", "spanning-tree forward-time ...", "spanning-tree hello-time ...", "spanning-tree max-age ...", "spanning-tree max-hops ...", "spanning-tree mst pvst border", "spanning-tree root super", "transceiver ...", "schedule ...",
		"qos ...", "l2-protocol ...", "monitor session ...", "event-monitor", "event-monitor ...", "cvx", "boot test memory ...",
	}
}

// portFeatures are the same for one interface.
func portFeatures() []string {
	return []string{
		"ip virtual-router address ...", "ip address virtual ...", "ipv6 virtual-router address ...", "ip igmp", "ip igmp ...", "ip pim ...", "pim ...", "ip verify ...", "ip attached-host ...",
		"bfd interval ...", "bfd echo", "ipv6 nd ...", "arp aging timeout ...", "ip arp ...", "ip local-proxy-arp", "ip policy ...",
		"spanning-tree vlan-id ...", "spanning-tree vlan ...", "spanning-tree mst ...", "spanning-tree portfast auto", "storm-control ...", "error-correction ...", "flowcontrol ...", "mlag ...", "lacp ...",
		"port-channel lacp ...", "logging event ...", "snmp trap ...", "switchport trunk group ...", "switchport vlan translation ...", "switchport port-security ...", "switchport source-interface ...",
		"switchport mac address learning", "switchport private-vlan ...", "switchport tap ...", "switchport tool ...", "vxlan ...", "tunnel ...", "qos ...", "tx-queue ...", "uc-tx-queue ...", "service-policy ...",
		"service-profile ...", "priority-flow-control ...", "sflow ...", "sflow enable", "link-debounce ...", "transceiver ...", "phy ...", "ptp enable", "ptp ...", "poe ...", "mac access-group ...",
		"mac timestamp ...", "l2-protocol ...", "l2 mtu ...", "unidirectional ...", "traffic-policy ...", "monitor ...", "backup-link ...", "mpls ip", "mpls ...", "nat ...", "ip nat ...", "autostate", "ip dhcp relay ...",
		"dot1x ...", "ip ospf ...", "ospfv3 ...", "ipv6 ospf ...", "ipv6 verify ...", "ipv6 pim ...", "ipv6 dhcp ...", "isis ...", "dhcp ...", "flow ...", "mac security ...", "multicast ...", "ip attached-routes", "arp ...", "lldp tlv ...", "bandwidth ...", "switchport trunk private-vlan ...",
		"switchport dot1q ...", "switchport vlan ...", "switchport pvlan ...", "load-interval ...", "link tracking ...", "ip icmp ...", "ip multicast ...", "ip helper-address ...", "snmp ...", "tcp mss ceiling ...",
		"queue-monitor ...", "channel-group recirculation ...", "evpn ethernet-segment", "load-balance ...", "parent-interface ...", "profile ...", "loopback ...", "address locking ...",
	}
}
