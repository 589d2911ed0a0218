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
			{Text: "redundant-parent $ae:reth", Set: port + "/lag/member-of=$ae", ReadOnly: true},
			{Text: "link-mode $m:one-of=full-duplex>full|half-duplex>half", Set: port + "/duplex=$m", ReadOnly: true},
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
		boilerplate("storm-control default", "storm-control", "the factory configuration of EX and QFX binds its profile so (Understanding Storm Control)"),
		{Text: "interface-mode $m:one-of=access|trunk", Set: l2 + "/mode=$m"},
		{Text: "port-mode $m:one-of=access|trunk", Set: l2 + "/mode=$m", ReadOnly: true}, // before ELS
		{Text: "native-vlan-id $v:vlan", Set: l2 + "/native-vlan=$v", ReadOnly: true},
		{Text: "vlan", Rows: []lens.Row{
			{Text: "members all", Set: l2 + "/trunk-vlan+=1-4094", If: trunk},
			{Text: "members $v:vlan", Set: l2 + "/trunk-vlan+=$v", If: trunk},
			{Text: "members $v:one-vlan", Set: l2 + "/access-vlan=$v", Unless: trunk},
		}},
	}
	vrrp := func(family string) lens.Row {
		group := "cfgvault-fhrp:fhrp/group[interface=$if.$u][protocol=vrrp][family=" + family + "][id=$g]"
		rows := []lens.Row{
			{Text: "priority $n:1..255", Set: group + "/priority=$n"},
			{Text: "preempt", Set: group + "/preempt=true"},
			{Text: "no-preempt", Set: group + "/preempt=false"},
			{Text: "authentication-type $t:word", Set: group + "/authentication/type=$t"},
			{Text: "authentication-key $k:secret-text", Set: group + "/authentication/value=$k"},
		}
		text := "vrrp-group $g:0..255"
		if family == "ipv6" {
			text = "vrrp-inet6-group $g:0..255"
			rows = append(rows, lens.Row{Text: "virtual-inet6-address $v:ip6", Set: group + "/address+=$v"},
				lens.Row{Text: "virtual-link-local-address $v:ip6", Set: group + "/address+=$v", ReadOnly: true})
		} else {
			rows = append(rows, lens.Row{Text: "virtual-address $v:ip4", Set: group + "/address+=$v"},
				lens.Row{Text: "advertise-interval $n:1..255", Set: group + "/hello-time=$n"})
		}
		return lens.Row{Text: text, Set: group, Rows: rows}
	}
	const acl = "cfgvault-acl:acls/interface[name=$if.$u]/"
	filter := func(family string) lens.Row {
		return lens.Row{Text: "filter", Rows: []lens.Row{
			{Text: "input $f:policy", Set: acl + family + "-in=$f"},
			{Text: "output $f:policy", Set: acl + family + "-out=$f"},
		}}
	}
	inet := []lens.Row{
		{Text: "mtu $n:68..65535", Set: "./ipv4/mtu=$n"},
		{Text: "no-redirects", Set: "./ipv4/redirects=false"},
		filter("ipv4"),
		{Text: "address $a:if4", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length", Rows: []lens.Row{
			{Text: "$_:one-of=primary|preferred", ReadOnly: true},
			vrrp("ipv4"),
		}},
		{Text: "address $a:host4", Set: "./ipv4/address[ip=$a]/prefix-length=32", ReadOnly: true},
		{Text: "dhcp", Set: "./ipv4/dhcp=true"},
		// A unit from the factory asks on every port, and tells the server its
		// model. The common tree has no place for that; it says that it asks.
		{Text: "dhcp", Set: "./ipv4/dhcp=true", ReadOnly: true, Rows: []lens.Row{{Text: "vendor-id $_:text", ReadOnly: true}}},
		{Text: "dhcp-client", Set: "./ipv4/dhcp=true", ReadOnly: true},
		{Text: "dhcp-client", Set: "./ipv4/dhcp=true", ReadOnly: true, Rows: []lens.Row{{Text: "vendor-id $_:text", ReadOnly: true}}},
		{Text: "unnumbered-address $u2:logical", Set: "./ipv4/unnumbered=$u2"},
	}
	inet6 := []lens.Row{
		{Text: "mtu $n:68..65535", Set: "./ipv6/mtu=$n"},
		filter("ipv6"),
		{Text: "address $a:link-local6", Set: "./ipv6/link-local=$a"},
		{Text: "address $a:if6", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length", Rows: []lens.Row{
			{Text: "eui-64", Set: "./eui-64=true"},
			{Text: "$_:one-of=primary|preferred", ReadOnly: true},
			vrrp("ipv6"),
		}},
		{Text: "address $a:host6", Set: "./ipv6/address[ip=$a]/prefix-length=128", ReadOnly: true},
		{Text: "dhcpv6-client", Set: "./ipv6/dhcp=true"},
	}
	bridge := []lens.Row{ // MX
		{Text: "interface-mode $m:one-of=access|trunk", Set: l2 + "/mode=$m", ReadOnly: true},
		{Text: "vlan-id $v:1..4094", Set: l2 + "/access-vlan=$v", ReadOnly: true},
		{Text: "vlan-id-list $v:vlan", Set: l2 + "/trunk-vlan+=$v", If: trunk, ReadOnly: true},
	}
	units := lens.Row{Text: "unit $u:unit",
		Set: unit + " " + unit + "/type=type-of($if.$u) " + unit + "/sub-interface/parent=parent-of($if.$u)",
		Rows: []lens.Row{
			{Text: "description $d:text", Set: "./description=$d"},
			{Text: "disable", Set: "./enabled=false"},
			{Text: "vlan-id $v:1..4094", Set: "./sub-interface/vlan-id=$v", If: sub, Unless: "./sub-interface/inner-vlan-id=$w"},
			{Text: "vlan-tags outer $v:1..4094 inner $w:1..4094", Set: "./sub-interface/vlan-id=$v ./sub-interface/inner-vlan-id=$w", If: sub},
			// Alone it turns IPv4 on, without an address.
			{Text: "family inet", Set: "./ipv4/enabled=true"},
			{Text: "family inet", Rows: inet},
			{Text: "family bridge", Rows: bridge, ReadOnly: true},
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
			{Text: "redundant-ether-options", ReadOnly: true, Rows: []lens.Row{ // of an SRX cluster
				{Text: "minimum-links $n:1..65535", Set: "./lag/min-links=$n"}, lacp,
			}},
			ether("gigether-options", false), ether("ether-options", true), ether("fastether-options", true),
			units,
		},
	}}}}
}

// forwardingRows: a relay is said of an interface, or of a group of them with a
// list of servers elsewhere, which names has put together.
func forwardingRows() []lens.Row {
	const at = "cfgvault-interfaces:interfaces/interface[name=$i]"
	const servers = at + "/ipv4/helper-address*=servers-of($i)"
	return []lens.Row{{Text: "forwarding-options", Rows: []lens.Row{
		{Text: "helpers", Rows: []lens.Row{{Text: "bootp", Rows: []lens.Row{
			{Each: at, Rows: []lens.Row{{Text: "interface $i:if", Rows: []lens.Row{{Text: "server $h:ip4", Set: at + "/ipv4/helper-address+=$h"}}}}},
			{Text: "interface $i:if", Set: servers, ReadOnly: true},
			{Text: "server $_:ip4", ReadOnly: true},
		}}}},
		{Text: "dhcp-relay", ReadOnly: true, Rows: []lens.Row{
			{Text: "server-group $_:policy", ReadOnly: true, Rows: []lens.Row{{Text: "$_:ip4", ReadOnly: true}}},
			{Text: "active-server-group $_:policy", ReadOnly: true},
			{Text: "group $_:policy", ReadOnly: true, Rows: []lens.Row{
				{Text: "active-server-group $_:policy", ReadOnly: true},
				{Text: "interface $i:if", Set: servers, ReadOnly: true},
			}},
		}},
		boilerplate("storm-control-profiles default all", "storm-control", "the factory configuration of EX and QFX has it (Understanding Storm Control)"),
	}}}
}
