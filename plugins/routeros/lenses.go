package routeros

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// exportLens is the table, compiled at the first use.
var exportLens = sync.OnceValue(func() *lens.Lens { return lens.Check(table()) })

// normalize reads an export into the common tree and accounts for its lines.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	r := lens.NewReader()
	for _, a := range native {
		switch {
		case a.Name == artExport:
			r.Read(exportLens(), a.Name, string(a.Data), nil)
		case a.Role == plugins.RoleState || a.Name == artNames:
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
		default:
			r.Opaque(a.Name, string(a.Data), plugins.Unparsed, "")
		}
	}
	return r.Normalized(), nil
}

// render writes the common tree as a script.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := exportLens().Write(tree)
	if err != nil {
		return nil, nil, err
	}
	return []plugins.Artefact{{Name: artExport, Role: plugins.RoleRunning, Data: []byte(text)}}, losses, nil
}

const (
	iface = "cfgvault-interfaces:interfaces/interface[name=$if]"
	sys   = "cfgvault-system:system/"
	wifi  = "cfgvault-wifi:wifi/"
	fw    = "cfgvault-firewall:firewall/"
)

// table is what the commands of an export mean. The menus are in the order in
// which a script can make them: what others refer to comes first.
func table() lens.Table {
	var rows []lens.Row
	for _, more := range [][]lens.Row{linkRows(), addressRows(), systemRows(), routingRows(), firewallRows(), wifiRows()} {
		rows = append(rows, more...)
	}
	return lens.Table{
		Records: records, Print: printRecords, Codecs: codecs(), Rows: rows, Attrs: defaults(),
		Ordered: []string{"cfgvault-firewall:firewall/rule"},
		Lines: []lens.Rule{
			{ID: "date", Class: plugins.Volatile, Pattern: `^# .* by RouterOS `, Why: "when the export was made"},
			{ID: "unit", Class: plugins.Boilerplate, Pattern: `^#( (software id|model|serial number) ?=.*)?$`, Why: "says which unit it is (recorded, 6.49 and 7)"},
			{ID: "state", Class: plugins.Volatile, Pattern: `^# `, Why: "what the unit knows of an item at this moment (recorded, 7.18)"},
		},
		Vocabulary: vocabulary(),
	}
}

func codecs() map[string]lens.Codec {
	word := lens.Word(func(s string) bool { return !strings.ContainsAny(s, ",;") })
	return map[string]lens.Codec{
		"ifname": word,
		"yes":    yesNo(true), "no": yesNo(false),
		"host":    lens.Or(lens.Builtin()["ip"], lens.Builtin()["domain"]),
		"speed":   speed(),
		"auth":    authentication(),
		"list":    lens.Many(word, ","),
		"mtu":     lens.Int(64, 65536),
		"table":   lens.Word(func(s string) bool { return s != "main" && s != "default" && !strings.ContainsAny(s, ",;") }),
		"gateway": lens.Or(lens.Builtin()["ip"], word),
		"on":      lens.OneOf("802.3ad>active", "balance-xor>on"),
		"rate":    lens.OneOf("1sec>fast", "30secs>slow"),
		"mode":    lens.OneOf("ap-bridge>ap", "bridge>ap", "ap>ap", "station>station", "station-bridge>station", "station-pseudobridge>station"),
		"seconds": seconds(), "peer": peer(),
		"origin":  origin(),
		"some":    some(),
		"servers": lens.Many(lens.Builtin()["ip4"], ","),
	}
}

// some is a value that is not empty: an export has none where nothing is set.
func some() lens.Codec {
	c := lens.Value()
	write := c.Write
	c.Write = func(v []any) (string, bool) {
		s, ok := write(v)
		return s, ok && s != ""
	}
	return c
}

// yesNo makes a codec of yes and no; "disabled=yes" is enabled false.
func yesNo(yes bool) lens.Codec {
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			switch s {
			case "yes", "true":
				return lens.One(yes)
			case "no", "false":
				return lens.One(!yes)
			}
			return nil, false
		},
		Write: func(v []any) (string, bool) {
			b, ok := v[0].(bool)
			if b == yes {
				return "yes", ok
			}
			return "no", ok
		},
	}
}

// speed reads "1Gbps", "100M-baseTX-full" and "10G-baseT" as Mbit/s.
func speed() lens.Codec {
	words := []struct {
		text string
		mbit int64
	}{
		{"10M-baseT-full", 10}, {"100M-baseT-full", 100}, {"1G-baseT-full", 1000}, {"2.5G-baseT", 2500}, {"5G-baseT", 5000}, {"10G-baseT", 10000}, {"25G-baseCR", 25000},
		{"40G-baseCR4", 40000}, {"100G-baseCR4", 100000}, {"10Mbps", 10}, {"100Mbps", 100}, {"1Gbps", 1000}, {"10Gbps", 10000}, {"100M-baseTX-full", 100}, {"10G-baseSR-LR", 10000}, {"1G-baseX", 1000},
	}
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			for _, w := range words {
				if w.text == s {
					return lens.One(w.mbit)
				}
			}
			return nil, false
		},
		Write: func(v []any) (string, bool) {
			for _, w := range words {
				if w.mbit == v[0] {
					return w.text, true
				}
			}
			return "", false
		},
	}
}

// seconds reads "40", "10s", "3m" and "1h30m".
func seconds() lens.Codec {
	n := lens.Int(1, 65535)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if v, ok := n.Read(s); ok {
				return v, true
			}
			d, err := time.ParseDuration(s)
			if err != nil || d%time.Second != 0 {
				return nil, false
			}
			return n.Read(strconv.FormatInt(int64(d/time.Second), 10))
		},
		Write: func(v []any) (string, bool) { s, ok := n.Write(v); return s + "s", ok },
	}
}

// peer is an address, which may have the length of a single one.
func peer() lens.Codec {
	ip := lens.Builtin()["ip"]
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			return ip.Read(strings.TrimSuffix(strings.TrimSuffix(s, "/32"), "/128"))
		},
		Write: ip.Write,
	}
}

// origin is when a default route is announced: true for always.
func origin() lens.Codec {
	return lens.Codec{
		Domain: []any{true, false},
		Read:   func(s string) ([]any, bool) { return []any{s == "always"}, s == "always" || s == "if-installed" },
		Write: func(v []any) (string, bool) {
			b, ok := v[0].(bool)
			if b {
				return "always", ok
			}
			return "if-installed", ok
		},
	}
}

func authentication() lens.Codec {
	return lens.Many(lens.OneOf("wpa-psk", "wpa2-psk", "wpa3-psk", "owe", "wpa-eap", "wpa2-eap", "wpa3-eap"), ",")
}

// at makes facts of leaves at a place, the place first.
func at(place string, leaves ...string) string {
	out := place
	for _, l := range leaves {
		out += " " + place + "/" + l
	}
	return out
}

func linkRows() []lens.Row {
	const common = " { comment=$c:value } { disabled=$off:no } { mtu=$mtu:mtu }"
	set := []string{"description=$c", "enabled=$off", "mtu=$mtu"}
	with := func(more ...string) string { return at(iface, append(more, set...)...) }
	const hard = " { mac-address=$mac:mac } { speed=$s:speed } { auto-negotiation=$auto:yes }"
	hardSet := []string{"mac-address=$mac", "speed=$s", "auto-negotiation=$auto"}
	ethernet := func(more ...string) string {
		return with(append(append(more, "type=cfgvault-interfaces:ethernet"), hardSet...)...)
	}
	const zone = fw + "zone[dialect=routeros][name=$n]"
	const bridge = " cfgvault-interfaces:interfaces/interface[name=$b]"
	return []lens.Row{
		{Text: "/interface/bridge add", Attrs: "name=$if:ifname" + common + " { vlan-filtering=$vf:yes } { admin-mac=$mac:mac }",
			Set: with("type=cfgvault-interfaces:bridge", "bridge/vlan-filtering=$vf", "mac-address=$mac")},
		{Text: "/interface/ethernet set", Attrs: "[default-name=$d:ifname name=$if:ifname" + common + hard, Set: ethernet("port/name=$d")},
		{Text: "/interface/ethernet set", Attrs: "[default-name=$if:ifname" + common + hard, Set: ethernet(), Unless: iface + "/port/name=$d"},
		{Text: "/interface/vlan add", Attrs: "name=$if:ifname interface=$p:ifname vlan-id=$v:1..4094" + common,
			Set: with("type=cfgvault-interfaces:sub-interface", "sub-interface/parent=$p", "sub-interface/vlan-id=$v")},
		{Text: "/interface/bonding add", Attrs: "name=$if:ifname { mode=$m:on } { lacp-rate=$r:rate } { min-links=$min:1..255 }" + common,
			Set: with("type=cfgvault-interfaces:lag", "lag/mode=$m", "lag/lacp-rate=$r", "lag/min-links=$min")},
		{Text: "/interface/bonding slave", Attrs: "name=$b:ifname slave=$if:ifname", Set: iface + "/lag/member-of=$b" + bridge + "/type=cfgvault-interfaces:lag"},
		{Text: "/interface/list add", Attrs: "name=$n { comment=$c:value }", Set: at(zone, "description=$c")},
		{Text: "/interface/bridge/port add", Attrs: "interface=$if:ifname bridge=$b:ifname { pvid=$v:1..4094 }",
			Set: iface + "/bridge/member-of=$b" + bridge + " " + iface + "/switchport/native-vlan=$v"},
		{Text: "/interface/bridge/vlan tagged", Attrs: "bridge=$b:ifname interface=$if:ifname vlan=$v:1..4094", Set: iface + "/switchport/trunk-vlan~=$v" + bridge + "/type=cfgvault-interfaces:bridge"},
		{Text: "/interface/bridge/vlan untagged", Attrs: "bridge=$b:ifname interface=$if:ifname vlan=$v:1..4094", Set: iface + "/switchport/native-vlan=$v", If: iface + "/bridge/member-of=$b", ReadOnly: true},
		{Text: "/interface/list/member add", Attrs: "list=$n interface=$if:ifname", Set: zone + "/interface+=$if"},
		{Text: "/ip/vrf add", Attrs: "name=$vrf:ifname { comment=$c:value }", Set: at("cfgvault-vrfs:vrfs/vrf[name=$vrf]", "description=$c")},
		{Text: "/ip/vrf member", Attrs: "name=$vrf:ifname interface=$if:ifname", Set: iface + "/vrf=$vrf cfgvault-vrfs:vrfs/vrf[name=$vrf]"},
	}
}

func addressRows() []lens.Row {
	rows := []lens.Row{
		{Text: "/ip/address add", Attrs: "address=$a:if4 interface=$if:ifname", Set: iface + "/ipv4/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "/ipv6/address add", Attrs: "address=$a:if6 interface=$if:ifname { advertise=$adv:yes }",
			Set: iface + "/ipv6/address[ip=$a.ip]/prefix-length=$a.length " + iface + "/ipv6/advertise=$adv"},
		{Text: "/ip/dhcp-client add", Attrs: "interface=$if:ifname", Set: iface + "/ipv4/dhcp=true"},
		{Text: "/ipv6/dhcp-client add", Attrs: "interface=$if:ifname request=address", Set: iface + "/ipv6/dhcp=true"},
		{Text: "/ip/dhcp-relay add", Attrs: "name=$if:ifname interface=$if:ifname dhcp-server=$s:servers", Set: iface + "/ipv4/helper-address*=$s"},
		{Text: "/ip/dhcp-relay add", Attrs: "name=$_ interface=$if:ifname dhcp-server=$s:servers", Set: iface + "/ipv4/helper-address*=$s", ReadOnly: true},
	}
	for _, f := range []struct{ menu, prefix, ip string }{{"/ip/route", "prefix4", "ip4"}, {"/ipv6/route", "prefix6", "ip6"}} {
		for _, t := range []struct{ attr, vrf string }{{" routing-table=$vrf:table", "$vrf"}, {"", "default"}} {
			hop := "cfgvault-static-routes:static-routes/route[vrf=" + t.vrf + "][prefix=$p]/next-hop[gateway=$gw]"
			set := at(hop, "distance=$d", "description=$c")
			more := t.attr + " { distance=$d:1..255 } { comment=$c:value }"
			rows = append(rows,
				lens.Row{Text: f.menu + " add", Attrs: "dst-address=$p:" + f.prefix + " blackhole=yes" + more, Set: strings.ReplaceAll(set, "$gw", "blackhole")},
				lens.Row{Text: f.menu + " add", Attrs: "dst-address=$p:" + f.prefix + " gateway=$gw:" + f.ip + more, Set: set},
				lens.Row{Text: f.menu + " add", Attrs: "dst-address=$p:" + f.prefix + " gateway=$gw:ifname" + more, Set: set, Unless: strings.Fields(strings.ReplaceAll(set, "$gw", "blackhole"))[0] + "/distance=$never"})
		}
	}
	return rows
}

func systemRows() []lens.Row {
	const community = sys + "snmp/community[name=$c]"
	const log = sys + "logging/server[host=$h]"
	return []lens.Row{
		{Text: "/system/identity set", Attrs: "name=$n:host-name", Set: sys + "hostname=$n"},
		{Text: "/system/clock set", Attrs: "time-zone-name=$z", Set: sys + "clock/timezone=$z"},
		{Text: "/ip/dns server", Attrs: "address=$a:ip", Set: sys + "dns/server[address=$a]"},
		{Text: "/system/ntp/client set", Attrs: "enabled=yes", ReadOnly: true},
		{Text: "/snmp set", Attrs: "enabled=yes", ReadOnly: true},
		{Text: "/system/ntp/client/servers add", Attrs: "address=$h:host", Set: sys + "ntp/server[host=$h]"},
		{Text: "/system/ntp/client server", Attrs: "address=$h:host", Set: sys + "ntp/server[host=$h]", ReadOnly: true},
		{Text: "/system/logging/action add", Attrs: "target=remote remote=$h:ip { remote-port=$p:1..65535 } { remote-protocol=$proto:one-of=udp|tcp } { name=$_ }", Set: at(log, "port=$p", "protocol=$proto")},
		{Text: "/system/logging/action set", Attrs: "numbers=3 remote=$h:ip { remote-port=$p:1..65535 }", Set: at(log, "port=$p"), ReadOnly: true},
		{Text: "/system/note set", Attrs: "note=$t:value", Set: sys + "banner/motd=$t"},
		{Text: "/snmp contact", Attrs: "value=$t:some", Set: sys + "snmp/contact=$t"},
		{Text: "/snmp location", Attrs: "value=$t:some", Set: sys + "snmp/location=$t"},
		{Text: "/snmp/community add", Attrs: "name=$c:secret { write-access=$w:no }", Set: community},
		{Text: "/ip/ssh set", Attrs: "always-allow-password-login=$b:yes", Set: sys + "ssh-server/password-authentication=$b"},
		{Text: "/ip/ssh set", Attrs: "password-authentication=$b:yes", Set: sys + "ssh-server/password-authentication=$b", ReadOnly: true},
		{Text: "/disk set", Attrs: "numbers=$_ slot=$_ { type=hardware }", Class: plugins.Boilerplate, Rule: "disk-slots", Why: "a virtual router lists its slots (recorded, 7.10)"},
		{Text: "/port set", Attrs: "numbers=$_ name=$_", Class: plugins.Boilerplate, Rule: "ports", Why: "names a serial port as the unit has it (recorded, 7.10)"},
		{Text: "/ip/service ssh-port", Attrs: "port=$p:1..65535", Set: sys + "ssh-server/port+=$p", Once: true},
		{Text: "/ip/service ssh-disabled", Attrs: "disabled=$b:no", Set: sys + "ssh-server/enabled=$b"},
	}
}

func firewallRows() []lens.Row {
	var rows []lens.Row
	for _, menu := range []string{"/ip/firewall/filter", "/ip/firewall/nat", "/ip/firewall/mangle", "/ip/firewall/raw", "/ipv6/firewall/filter", "/ipv6/firewall/nat", "/ipv6/firewall/mangle", "/ipv6/firewall/raw"} {
		name := strings.ReplaceAll(strings.TrimPrefix(menu, "/"), "/firewall/", "-")
		rule := fw + "rule[dialect=routeros][table=" + name + "][id=$#]"
		rows = append(rows, lens.Row{Text: menu + " add", Attrs: "action=$a chain=$ch { comment=$c:value } { disabled=$off:no } *=$rest",
			Set: at(rule, "action=$a", "chain=$ch", "name=$c", "enabled=$off", "condition*=$rest")})
	}
	for _, f := range []struct{ menu, family string }{{"/ip/firewall/address-list", "ipv4"}, {"/ipv6/firewall/address-list", "ipv6"}} {
		entry := fw + "address-list[dialect=routeros][family=" + f.family + "][name=$n][address=$a]"
		rows = append(rows, lens.Row{Text: f.menu + " add", Attrs: "list=$n address=$a { comment=$c:value } { disabled=$off:no }", Set: at(entry, "description=$c", "enabled=$off")})
	}
	return rows
}

func wifiRows() []lens.Row {
	const profile = wifi + "profile[name=$n]"
	const radio, network = wifi + "radio[name=$n]", wifi + "network[name=$n]"
	legacy := "{ ssid=$ssid:value } { mode=$m:mode } { security-profile=$p:value } { hide-ssid=$hid:yes } { disabled=$off:no } { band=$band } { frequency=$ch } { channel-width=$w } { country=$cc:value } { tx-power=$tx:0..60 }"
	set := at(network, "radio+=$n", "ssid=$ssid", "mode=$m", "profile=$p", "hidden=$hid", "enabled=$off") + " " + at(radio, "band=$band", "channel=$ch", "width=$w", "country=$cc", "tx-power=$tx")
	modern := "{ configuration.ssid=$ssid:value } { configuration.mode=$m:mode } { security=$p:value } { security.authentication-types=$auth:auth } { security.passphrase=$key:value } { configuration.hide-ssid=$hid:yes } { disabled=$off:no } { channel.band=$band } { channel.frequency=$ch } { channel.width=$w } { configuration.country=$cc:value }"
	modernSet := at(network, "radio+=$n", "ssid=$ssid", "mode=$m", "profile=$p", "authentication*=$auth", "passphrase=$key", "hidden=$hid", "enabled=$off") + " " + at(radio, "band=$band", "channel=$ch", "width=$w", "country=$cc")
	return []lens.Row{
		{Text: "/interface/wifi/security add", Attrs: "name=$n { authentication-types=$auth:auth } { passphrase=$key:value }", Set: at(profile, "authentication*=$auth", "passphrase=$key")},
		{Text: "/interface/wireless/security-profiles add", Attrs: "name=$n { authentication-types=$auth:auth } { mode=dynamic-keys } { wpa2-pre-shared-key=$key:value }", Set: at(profile, "authentication*=$auth", "passphrase=$key"), ReadOnly: true},
		{Text: "/interface/wireless/security-profiles set", Attrs: "[default=yes", ReadOnly: true},
		{Text: "/interface/wifi set", Attrs: "[default-name=$n " + modern, Set: modernSet},
		{Text: "/interface/wireless set", Attrs: "[default-name=$n " + legacy, Set: set, ReadOnly: true},
	}
}

// defaults are attributes that the factory's script sets to mark its own items,
// and secrets that are in no leaf.
func defaults() []lens.AttrRule {
	rules := []lens.AttrRule{
		{ID: "defconf", Class: plugins.Boilerplate, Name: "comment", Value: `defconf.*`, Why: "the factory configuration marks its items (help.mikrotik.com, Default configurations)"},
		{ID: "enabled", Class: plugins.Boilerplate, Name: "disabled", Value: "no", Why: "the default of every item (help.mikrotik.com, Console)"},
		{ID: "main-table", Class: plugins.Boilerplate, Name: "routing-table", Value: "main", Why: "the default table (help.mikrotik.com, IP Routing)"},
		{ID: "auto-mac", Class: plugins.Boilerplate, Name: "auto-mac", Value: "no", Why: "goes with admin-mac (help.mikrotik.com, Bridging and Switching)"},
	}
	initial := func(record, name, value, why string) {
		rules = append(rules, lens.AttrRule{ID: "initial", Class: plugins.Boilerplate, Record: record, Name: name, Value: value, Why: why})
	}
	initial("/interface/wireless/security-profiles", "supplicant-identity", "MikroTik", "the default profile has it (recorded, 6.49 and 7.10)")
	initial("/interface/ethernet", "disable-running-check", "no", "a virtual router's ports have it (recorded, 7.10)")
	initial("/routing/bgp/connection", "address-families", "ip", "the default (help.mikrotik.com, BGP)")
	initial("/routing/bgp/peer", "address-families", "ip", "the default (wiki.mikrotik.com, Routing/BGP)")
	initial("/routing/bgp/peer", "ttl", "default", "the default (wiki.mikrotik.com, Routing/BGP)")
	for _, n := range []string{"password", "passphrase", "secret", "wpa-pre-shared-key", "private-key", "preshared-key", "authentication-password", "encryption-password", "auth-key", "tcp-md5-key"} {
		rules = append(rules, lens.AttrRule{ID: "secret", Class: plugins.SecretOpaque, Name: n})
	}
	return rules
}

// vocabulary are the words of menus that no row knows.
func vocabulary() []string {
	return strings.Fields("ip ipv6 interface system routing tool user ppp queue mpls radius certificate caps-man file log port disk app container dude iot lora openflow partitions snmp special-login tr069-client zerotier " +
		"pool dhcp-server dhcp-client dhcp-relay network lease option dns static address route rule neighbor discovery-settings service ssh settings socks upnp proxy smb cloud hotspot profile secret aaa active " +
		"l2tp-server pptp-server sstp-server ovpn-server pppoe-client pppoe-server l2tp-client sstp-client ovpn-client gre gre6 eoip eoip-tunnel ipip ipipv6 vxlan vrrp wireguard peers veth macsec macvlan lte apn wifi wireless " +
		"security-profiles security configuration channel datapath steering provisioning bridge port vlan mlag msti mdb filter nat mangle raw address-list connection tracking layer7-protocol list member ethernet switch detect-internet " +
		"ospf bgp rip isis instance area interface-template connection template pimsm igmp-proxy bfd id table fantasy gmp rpki ipsec policy proposal identity mode-config peer key " +
		"clock manual identity logging action ntp client server servers note package update resource irq rps routerboard mode-button usb scheduler script watchdog led leds health upgrade mirror console device-mode " +
		"mac-server mac-winbox ping bandwidth-server romon graphing sniffer netwatch e-mail sms traffic-generator traffic-monitor sms simple tree type group settings vrf media")
}
