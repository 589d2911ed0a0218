package linux

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

const iface = "cfgvault-interfaces:interfaces/interface[name=$if]"

// aboutUnit finds the interface that a unit of networkd is about, and its
// VRF. A file whose [Match] fits more than one name is about none that could
// be told without the machine (systemd.network(5), systemd.link(5)).
func aboutUnit(d *syntax.Doc, ext string) map[string]any {
	heading := map[string]string{".network": "[Match]", ".netdev": "[NetDev]", ".link": "[Link]"}[ext]
	names, vrf := []string{}, "default"
	section := ""
	for i := range d.Lines {
		if d.Lines[i].Kind != syntax.Statement {
			continue
		}
		key, value, ok := syntax.KeyValue(d.Logical(i))
		if !ok {
			section = strings.TrimSpace(d.Lines[i].Body)
			continue
		}
		switch {
		case section == heading && key.Text == "Name":
			names = append(names, strings.Fields(value.Text)...)
		case section == "[Network]" && key.Text == "VRF":
			vrf = value.Text
		}
	}
	if len(names) != 1 || !interfaceName(names[0]) || !lens.Storable(names[0]) || !interfaceName(vrf) || !lens.Storable(vrf) {
		return nil
	}
	return map[string]any{"if": names[0], "vrf": vrf}
}

// joinRoute makes one statement of a [Route] section, its keys sorted.
func joinRoute(d *syntax.Doc, i int) []int {
	if strings.TrimSpace(d.Lines[i].Body) != "[Route]" {
		return nil
	}
	var lines []int
	for j := i + 1; j < d.Lines[i].Next; j++ {
		if d.Lines[j].Kind == syntax.Statement {
			lines = append(lines, j)
		}
	}
	slices.SortStableFunc(lines, func(a, b int) int {
		return strings.Compare(strings.TrimSpace(d.Lines[a].Body), strings.TrimSpace(d.Lines[b].Body))
	})
	return lines
}

// networkdTable is one kind of systemd-networkd's files.
func networkdTable(rows []lens.Row) lens.Table {
	return lens.Table{
		Parse:  func(text string) *syntax.Doc { return syntax.ParseSections(text, syntax.INI()) },
		Words:  lens.Assignments,
		Join:   joinRoute,
		Codecs: codecs(),
		Given:  []string{"if", "vrf"},
		Rows:   rows,
		Lines:  comments(),
		Vocabulary: []string{"[Match]", "[Link]", "[Network]", "[Address]", "[Route]", "[Neighbor]", "[DHCP]", "[DHCPv4]", "[DHCPv6]", "[DHCPServer]",
			"[IPv6AcceptRA]", "[IPv6SendRA]", "[IPv6Prefix]", "[IPv6PrefixDelegation]", "[RoutingPolicyRule]", "[NextHop]", "[Bridge]", "[BridgeVLAN]",
			"[BridgeFDB]", "[BridgeMDB]", "[LLDP]", "[CAN]", "[NetDev]", "[VLAN]", "[MACVLAN]", "[VXLAN]", "[Tunnel]", "[WireGuard]", "[WireGuardPeer]",
			"[Bond]", "[VRF]", "[Tun]", "[Tap]", "[Peer]", "[SR-IOV]", "[QDisc]"},
	}
}

func yesNo(key, set string) []lens.Row {
	var rows []lens.Row
	for _, w := range []string{"yes", "true", "on", "1"} {
		rows = append(rows, lens.Row{Text: key + " = " + w, Set: set + "=true"})
	}
	for _, w := range []string{"no", "false", "off", "0"} {
		rows = append(rows, lens.Row{Text: key + " = " + w, Set: set + "=false"})
	}
	return rows
}

func networkTable() lens.Table {
	const hop4 = "cfgvault-static-routes:static-routes/route[vrf=$vrf][prefix=0.0.0.0/0]/next-hop[gateway=$gw]"
	const hop6 = "cfgvault-static-routes:static-routes/route[vrf=$vrf][prefix=::/0]/next-hop[gateway=$gw]"
	addresses := []lens.Row{
		{Text: "Address = $a:if4", Set: iface + "/ipv4/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "Address = $a:if6", Set: iface + "/ipv6/address[ip=$a.ip]/prefix-length=$a.length"},
	}
	network := append(addresses,
		lens.Row{Text: "Description = $d:text", Set: iface + "/description=$d"},
		lens.Row{Text: "DHCP = yes", Set: iface + "/ipv4/dhcp=true " + iface + "/ipv6/dhcp=true"},
		lens.Row{Text: "DHCP = ipv4", Set: iface + "/ipv4/dhcp=true"},
		lens.Row{Text: "DHCP = ipv6", Set: iface + "/ipv6/dhcp=true"},
		lens.Row{Text: "DHCP = no", Set: iface + "/ipv4/dhcp=false " + iface + "/ipv6/dhcp=false"},
		lens.Row{Text: "Gateway = $gw:ip4", Set: hop4 + "/interface=$if"},
		lens.Row{Text: "Gateway = $gw:ip6", Set: hop6 + "/interface=$if"},
		lens.Row{Text: "VLAN = $v:ifname", Set: "cfgvault-interfaces:interfaces/interface[name=$v]/sub-interface/parent=$if"},
		lens.Row{Text: "Bond = $b:ifname", Set: iface + "/lag/member-of=$b"},
		lens.Row{Text: "VRF = $v:ifname", Set: iface + "/vrf=$v"},
		each("DNS", 2, address, dnsServer),
		each("Domains", 2, domain, dnsSearch),
		each("NTP", 2, host, ntpServer))
	network = append(network, yesNo("IPv6AcceptRA", iface+"/ipv6/autoconf")...)
	network = append(network, yesNo("IPv6SendRA", iface+"/ipv6/advertise")...)
	rows := []lens.Row{
		{Text: "[Match]", Class: plugins.Mapped, Rows: []lens.Row{{Text: "Name = $if:ifname", Set: iface}}},
		{Text: "[Link]", Rows: append(linkRows(),
			lens.Row{Text: "ActivationPolicy = down", Set: iface + "/enabled=false"},
			lens.Row{Text: "ActivationPolicy = always-down", Set: iface + "/enabled=false"})},
		{Text: "[Network]", Rows: network},
		{Text: "[Address]", Rows: addresses},
		{Text: "[BridgeVLAN]", Rows: []lens.Row{
			{Text: "VLAN = $v:vlans", Set: iface + "/switchport/trunk-vlan*=$v"},
			{Text: "PVID = $v:1..4094", Set: iface + "/switchport/native-vlan=$v"},
		}},
	}
	// The keys of a route come sorted, "Destination", "Gateway", "Metric", "Table".
	for _, f := range []struct{ any, prefix, ip string }{{"0.0.0.0/0", "prefix4", "ip4"}, {"::/0", "prefix6", "ip6"}} {
		for _, destination := range []struct{ text, key string }{{" Destination = $p:" + f.prefix, "$p"}, {"", f.any}} {
			hop := "cfgvault-static-routes:static-routes/route[vrf=$vrf][prefix=" + destination.key + "]/next-hop[gateway=$gw]"
			options := " { Metric = $m:0..4294967295 } { Table = $t:1..4294967295 }"
			set := hop + " " + hop + "/metric=$m " + hop + "/table=$t"
			rows = append(rows, lens.Row{Text: "[Route]" + destination.text + " Gateway = $gw:" + f.ip + options, Set: set + " " + hop + "/interface=$if"})
			if destination.text != "" {
				for _, drop := range []string{"blackhole>blackhole", "unreachable>reject"} {
					rows = append(rows, lens.Row{Text: "[Route]" + destination.text + options + " Type = $gw:one-of=" + drop, Set: set})
				}
			}
		}
	}
	return networkdTable(rows)
}

func linkRows() []lens.Row {
	return []lens.Row{
		{Text: "MTUBytes = $n:64..65536", Set: iface + "/mtu=$n"},
		{Text: "MACAddress = $m:mac", Set: iface + "/mac-address=$m"},
	}
}

func netdevTable() lens.Table {
	rows := append(linkRows(),
		lens.Row{Text: "Name = $if:ifname", Set: iface},
		lens.Row{Text: "Description = $d:text", Set: iface + "/description=$d"},
		lens.Row{Text: "Kind = vrf", Set: "cfgvault-vrfs:vrfs/vrf[name=$if] " + iface + "/type=cfgvault-interfaces:virtual"})
	for _, k := range []struct{ kind, kindOf string }{
		{"vlan", "sub-interface"}, {"bond", "lag"}, {"bridge", "bridge"}, {"dummy", "virtual"}, {"vxlan", "vxlan"},
		{"wireguard", "tunnel"}, {"gre", "tunnel"}, {"ipip", "tunnel"}, {"sit", "tunnel"}, {"ip6tnl", "tunnel"}, {"vti", "tunnel"},
		{"tun", "virtual"}, {"tap", "virtual"}, {"veth", "virtual"}, {"macvlan", "virtual"},
	} {
		rows = append(rows, lens.Row{Text: "Kind = " + k.kind, Set: iface + "/type=cfgvault-interfaces:" + k.kindOf})
	}
	return networkdTable([]lens.Row{
		{Text: "[NetDev]", Rows: rows},
		{Text: "[VLAN]", Rows: []lens.Row{{Text: "Id = $v:1..4094", Set: iface + "/sub-interface/vlan-id=$v"}}},
		{Text: "[VRF]", Rows: []lens.Row{{Text: "Table = $t:1..4294967295", Set: "cfgvault-vrfs:vrfs/vrf[name=$if]/table=$t"}}},
		{Text: "[Bond]", Rows: []lens.Row{
			{Text: "Mode = 802.3ad", Set: iface + "/lag/mode=active"},
			{Text: "LACPTransmitRate = $r:one-of=fast|slow", Set: iface + "/lag/lacp-rate=$r"},
			{Text: "MinLinks = $n:1..65535", Set: iface + "/lag/min-links=$n"},
		}},
		{Text: "[WireGuard]", Rows: []lens.Row{{Text: "PrivateKey = $_:secret-line", Class: plugins.SecretOpaque}}},
		{Text: "[WireGuardPeer]", Rows: []lens.Row{{Text: "PresharedKey = $_:secret-line", Class: plugins.SecretOpaque}}},
	})
}

func linkTable() lens.Table {
	return networkdTable([]lens.Row{
		{Text: "[Match]", Class: plugins.Unparsed},
		{Text: "[Link]", Rows: append(linkRows(),
			lens.Row{Text: "Name = $if:ifname", Set: iface},
			lens.Row{Text: "Description = $d:text", Set: iface + "/description=$d"})},
	})
}
