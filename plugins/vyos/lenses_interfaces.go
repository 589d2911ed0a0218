package vyos

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// interfaceRows: what stands below a VLAN of an interface ("vif") is said of
// an interface of its own, "eth0.10", as "show interfaces" names it.
func interfaceRows() []lens.Row {
	var rows []lens.Row
	for _, k := range kinds() {
		place := "cfgvault-interfaces:interfaces/interface[name=$if]"
		below := addressRows()
		switch k.word {
		case "ethernet", "bonding", "bridge", "pseudo-ethernet", "wireless", "virtual-ethernet":
			below = append(below, vlanRows()...)
		}
		switch k.word {
		case "ethernet":
			below = append(below,
				boilerplate("hw-id $_:mac", "hw-id", "the hardware address by which the unit knows the port; VyOS writes it itself (VyOS documentation, hw-id)"),
				boilerplate("duplex $_:one-of=auto", "auto", "the default (interface definitions, duplex)"),
				boilerplate("speed $_:one-of=auto", "auto", "the default (interface definitions, speed)"),
				lens.Row{Text: "duplex $d:one-of=full|half", Set: "./duplex=$d"},
				lens.Row{Text: "speed $s:speed", Set: "./speed=$s"},
				lens.Row{Text: "bond-group $m:if", Set: "./lag/member-of=$m", ReadOnly: true}, // 1.2
				boilerplate("offload $_:one-of=gro|gso|sg|tso|rps|lro", "offload", "VyOS writes what the port can do when it is first seen (migration of interfaces)"))
		case "pppoe", "openvpn", "wwan":
			below = append(below, lens.Row{Text: "authentication password $_:secret-text", Class: plugins.SecretOpaque})
		case "wireguard":
			secret := lens.Row{Text: "private-key $_:secret-text", Class: plugins.SecretOpaque}
			below = append(below, secret, lens.Row{Text: "peer $_:policy", Class: plugins.Unparsed, Rows: []lens.Row{{Text: "preshared-key $_:secret-text", Class: plugins.SecretOpaque}}})
		case "bonding":
			member := "cfgvault-interfaces:interfaces/interface[name=$m]/lag/member-of=$if"
			below = append(below,
				lens.Row{Text: "mode 802.3ad", Set: "./lag/mode=active"},
				lens.Row{Text: "lacp-rate $r:one-of=slow|fast", Set: "./lag/lacp-rate=$r"},
				lens.Row{Text: "min-links $n:1..65535", Set: "./lag/min-links=$n"},
				lens.Row{Text: "member", Rows: []lens.Row{{Text: "interface $m:if", Set: member}}})
		case "bridge":
			member := "cfgvault-interfaces:interfaces/interface[name=$m]/bridge/member-of=$if"
			below = append(below,
				lens.Row{Text: "enable-vlan", Set: "./bridge/vlan-filtering=true"},
				lens.Row{Text: "member", Rows: []lens.Row{
					{Text: "interface $m:if", Set: member, Rows: []lens.Row{
						{Text: "native-vlan $v:1..4094", Set: "cfgvault-interfaces:interfaces/interface[name=$m]/switchport/native-vlan=$v"},
						{Text: "allowed-vlan $v:1..4094", Set: "cfgvault-interfaces:interfaces/interface[name=$m]/switchport/trunk-vlan+=$v"},
					}},
				}})
		}
		rows = append(rows, lens.Row{
			Text: k.word + " $if:" + k.word, Set: place + " " + place + "/type=cfgvault-interfaces:" + k.kind, Rows: below,
		})
	}
	return []lens.Row{{Text: "interfaces", Rows: rows}}
}

// addressRows are what every interface can have.
func addressRows() []lens.Row {
	return []lens.Row{
		{Text: "address dhcp", Set: "./ipv4/dhcp=true"},
		{Text: "address dhcpv6", Set: "./ipv6/dhcp=true"},
		{Text: "address $a:if4", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "address $a:if6", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "description $d:text", Set: "./description=$d"},
		{Text: "disable", Set: "./enabled=false"},
		{Text: "mtu $n:68..65535", Set: "./mtu=$n"},
		{Text: "mac $m:mac", Set: "./mac-address=$m"},
		{Text: "vrf $x:vrf", Set: "./vrf=$x"},
		{Text: "ipv6", Rows: []lens.Row{{Text: "address", Rows: []lens.Row{{Text: "autoconf", Set: "./ipv6/autoconf=true"}}}}},
		{Text: "ip", Rows: []lens.Row{
			{Text: "adjust-mss $n:536..65535", Set: "./ipv4/tcp-mss=$n"},
			{Text: "enable-proxy-arp", Set: "./ipv4/proxy-arp=true"},
		}},
	}
}

// vlanRows are the VLANs of an interface.
func vlanRows() []lens.Row {
	place := "cfgvault-interfaces:interfaces/interface[name=$if.$v]"
	return []lens.Row{{
		Text: "vif $v:1..4094",
		Set:  place + " " + join(place, "type=cfgvault-interfaces:sub-interface", "sub-interface/parent=$if", "sub-interface/vlan-id=$v"),
		Rows: addressRows(),
	}}
}

func vrfRows(bgp bool) []lens.Row {
	const vrf = "cfgvault-vrfs:vrfs/vrf[name=$vrf]"
	return []lens.Row{{Text: "vrf", Rows: []lens.Row{{Text: "name $vrf:vrf", Set: vrf, Rows: []lens.Row{
		{Text: "description $d:text", Set: "./description=$d"},
		{Text: "table $n:100..65535", Set: "./table=$n"},
		{Text: "vni $n:1..16777214", Set: "./vni=$n"},
		{Text: "protocols", Rows: append(append([]lens.Row{{Text: "static", Rows: staticRows("$vrf")}}, bgpRows(bgp, "$vrf")...), ospfRow("ospf", "$vrf"), ospfRow("ospfv3", "$vrf"))},
	}}}}}
}
