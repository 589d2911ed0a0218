package junos

import (
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// interfaceRows: a unit is an interface of its own, "ge-0/0/0.0", as "show
// interfaces" names it. What switches is the port: Ethernet switching is said
// of unit 0 and kept with the interface that carries it.
func interfaceRows() []lens.Row {
	const port = "cfgvault-interfaces:interfaces/interface[name=$if]"
	const unit = "cfgvault-interfaces:interfaces/interface[name=$if.$u]"
	const sub = "./type=cfgvault-interfaces:sub-interface"
	const l2 = port + "/switchport"
	trunk := l2 + "/mode=trunk"
	ether := func(heading string, readOnly bool) lens.Row {
		return lens.Row{Text: heading, ReadOnly: readOnly, Rows: []lens.Row{
			{Text: "802.3ad $ae:physical", Set: port + "/lag/member-of=$ae"},
			{Text: "auto-negotiation", Set: port + "/auto-negotiation=true"},
			{Text: "no-auto-negotiation", Set: port + "/auto-negotiation=false"},
			{Text: "speed $s:speed", Set: port + "/speed=$s", ReadOnly: true},
		}}
	}
	lacp := lens.Row{Text: "lacp", Rows: []lens.Row{
		{Text: "active", Set: port + "/lag/mode=active"},
		{Text: "passive", Set: port + "/lag/mode=passive"},
		{Text: "periodic $p:one-of=fast|slow", Set: port + "/lag/lacp-rate=$p"},
	}}
	switching := []lens.Row{
		{Text: "interface-mode $m:one-of=access|trunk", Set: l2 + "/mode=$m"},
		{Text: "port-mode $m:one-of=access|trunk", Set: l2 + "/mode=$m", ReadOnly: true}, // before ELS
		{Text: "native-vlan-id $v:vlan", Set: l2 + "/native-vlan=$v", ReadOnly: true},
		{Text: "vlan", Rows: []lens.Row{
			{Text: "members all", Set: l2 + "/trunk-vlan+=1-4094", If: trunk},
			{Text: "members $v:vlan", Set: l2 + "/trunk-vlan+=$v", If: trunk},
			{Text: "members $v:one-vlan", Set: l2 + "/access-vlan=$v", Unless: trunk},
		}},
	}
	inet := []lens.Row{
		{Text: "mtu $n:68..65535", Set: "./ipv4/mtu=$n"},
		{Text: "address $a:if4", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "address $a:if4 $_:one-of=primary|preferred", ReadOnly: true},
		{Text: "address $a:host4", Set: "./ipv4/address[ip=$a]/prefix-length=32", ReadOnly: true},
		{Text: "dhcp", Set: "./ipv4/dhcp=true"},
		// A unit from the factory asks on every port, and tells the server its
		// model. The common tree has no place for that; it says that it asks.
		{Text: "dhcp", Set: "./ipv4/dhcp=true", ReadOnly: true, Rows: []lens.Row{{Text: "vendor-id $_:text", ReadOnly: true}}},
		{Text: "dhcp-client", Set: "./ipv4/dhcp=true", ReadOnly: true},
		{Text: "unnumbered-address $u2:logical", Set: "./ipv4/unnumbered=$u2"},
	}
	inet6 := []lens.Row{
		{Text: "mtu $n:68..65535", Set: "./ipv6/mtu=$n"},
		{Text: "address $a:link-local6", Set: "./ipv6/link-local=$a"},
		{Text: "address $a:if6 eui-64", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length ./ipv6/address[ip=$a.ip]/eui-64=true"},
		{Text: "address $a:if6", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length", Unless: "./ipv6/address[ip=$a.ip]/eui-64=true"},
		{Text: "address $a:if6 $_:one-of=primary|preferred", ReadOnly: true},
		{Text: "address $a:host6", Set: "./ipv6/address[ip=$a]/prefix-length=128", ReadOnly: true},
		{Text: "dhcpv6-client", Set: "./ipv6/dhcp=true"},
	}
	units := lens.Row{Text: "unit $u:unit",
		Set: unit + " " + unit + "/type=type-of($if.$u) " + unit + "/sub-interface/parent=parent-of($if.$u)",
		Rows: []lens.Row{
			{Text: "description $d:text", Set: "./description=$d"},
			{Text: "disable", Set: "./enabled=false"},
			{Text: "vlan-id $v:1..4094", Set: "./sub-interface/vlan-id=$v", If: sub, Unless: "./sub-interface/inner-vlan-id=$w"},
			{Text: "vlan-tags outer $v:1..4094 inner $w:1..4094", Set: "./sub-interface/vlan-id=$v ./sub-interface/inner-vlan-id=$w", If: sub},
			{Text: "family inet", Rows: inet},
			// Alone it turns IPv6 on.
			{Text: "family inet6", Set: "./ipv6/enabled=true"},
			{Text: "family inet6", Rows: inet6},
			{Text: "family ethernet-switching", Rows: switching},
			{Text: "family ethernet-switching", Set: l2 + "/enabled=true"},
		}}
	return []lens.Row{{Text: "interfaces", Rows: []lens.Row{{
		Text: "$if:physical", Set: port + " " + port + "/type=type-of($if)",
		Rows: []lens.Row{
			{Text: "description $d:text", Set: "./description=$d"},
			{Text: "disable", Set: "./enabled=false"},
			{Text: "mtu $n:256..65535", Set: "./mtu=$n"},
			{Text: "mac $m:mac", Set: "./mac-address=$m"},
			{Text: "speed $s:speed", Set: "./speed=$s"},
			{Text: "link-mode $m:one-of=full-duplex>full|half-duplex>half", Set: "./duplex=$m"},
			{Text: "native-vlan-id $v:vlan", Set: "./switchport/native-vlan=$v"},
			// They follow from the units: rendering adds what units need.
			{Text: "vlan-tagging"},
			{Text: "flexible-vlan-tagging"},
			{Text: "aggregated-ether-options", Rows: []lens.Row{
				{Text: "minimum-links $n:1..65535", Set: "./lag/min-links=$n"}, lacp,
			}},
			ether("gigether-options", false), ether("ether-options", true), ether("fastether-options", true),
			units,
		},
	}}}}
}

func forwardingRows() []lens.Row {
	const at = "cfgvault-interfaces:interfaces/interface[name=$i]"
	return []lens.Row{{Text: "forwarding-options", Rows: []lens.Row{{Text: "helpers", Rows: []lens.Row{{Text: "bootp", Rows: []lens.Row{
		{Each: at, Rows: []lens.Row{{Text: "interface $i:if", Rows: []lens.Row{{Text: "server $h:ip4", Set: at + "/ipv4/helper-address+=$h"}}}}},
	}}}}}}}
}

// vlanRows: a VLAN is known by its name here and by its number in the tree.
func vlanRows() []lens.Row {
	const vlan = "cfgvault-vlans:vlans/vlan[id=$id]"
	return []lens.Row{{Text: "vlans", Rows: []lens.Row{{Each: vlan + "/name=$n", Rows: []lens.Row{{Text: "$n:policy", Rows: []lens.Row{
		{Text: "vlan-id $id:1..4094", Set: vlan + " " + vlan + "/name=$n"},
		// That irb.10 routes for the VLAN; its own unit number says no more than that.
		{Text: "l3-interface $l3:logical", Set: "cfgvault-interfaces:interfaces/interface[name=$l3]/sub-interface/vlan-id=vlan-of($n)"},
	}}}}}}}
}
