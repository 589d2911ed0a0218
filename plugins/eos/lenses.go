package eos

import (
	"fmt"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// normalize reads the running configuration into the common tree, or the
// startup configuration where there is no running one, and accounts for the
// lines of all artefacts.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	l, r := configLens(), lens.NewReader()
	main := "startup-config"
	for _, a := range native {
		if a.Name == "running-config" {
			main = a.Name
		}
	}
	for _, a := range native {
		if a.Name != main {
			continue
		}
		if other := cisco.LooksLike(a.Data, "EOS"); other != "" {
			return nil, fmt.Errorf("eos: %s looks like %s: %w", a.Name, other, plugins.ErrWrongPlatform)
		}
		r.Read(l, a.Name, string(a.Data), nil)
	}
	for _, a := range native {
		switch {
		case a.Name == main:
		case a.Name == "boot-config" || a.Role == plugins.RoleState:
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
		default:
			r.Verify(l, a.Name, string(a.Data))
		}
	}
	return r.Normalized(), nil
}

// render writes a running configuration from the common tree.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := configLens().Write(tree)
	if err != nil {
		return nil, nil, fmt.Errorf("render for EOS: %w", err)
	}
	return []plugins.Artefact{{
		Name: "running-config", Role: plugins.RoleRunning, Source: "rendered", Data: []byte(text),
	}}, losses, nil
}

// configLens is the table, compiled at the first use.
var configLens = sync.OnceValue(func() *lens.Lens { return lens.Check(configTable()) })

func parseConfig(text string) *syntax.Doc {
	return syntax.ParseIndented(text, syntax.Indented{Comment: "!", Banner: syntax.HeredocBanner})
}

// configTable is the running configuration of EOS 4.22 to 4.36, from the
// Arista EOS User Manual and recorded configurations of vEOS, cEOS and a
// 7050X3. What is a default without a word in the manual is called one only
// where a unit without configuration of its own prints it.
func configTable() lens.Table {
	const printed = "a unit without configuration of its own prints it (vEOS-lab 4.22.1F, 4.23.0.1F, cEOS 4.36.0.1F)"
	boilerplate := func(text, rule, why string, below ...lens.Row) lens.Row {
		return lens.Row{Text: text, Class: plugins.Boilerplate, Rule: rule, Why: why, Rows: below}
	}
	rows := []lens.Row{
		boilerplate("end", "frame", "ends the configuration"),
		boilerplate("logging level ZTP informational", "logging-level", printed),
		boilerplate("logging level $_ errors", "logging-level", printed),
		{Text: "system l1", Rows: []lens.Row{{Text: "$f:l1-feature", Set: "cfgvault-system:system/feature[name=$f]/enabled=true"}}},
	}
	for _, part := range [][]lens.Row{
		systemRows(), serviceRows(), snmpRows(), switchRows(), serverRows(), vlanRows(), vrfRows(), {interfaceRow()},
		routeRows(), prefixListRows(), policyRows(), accessRows(), bgpRows(), ospfRows(), bannerRows(), headingRows(), cisco.Features(),
	} {
		rows = append(rows, part...)
	}
	return lens.Table{
		Parse:  parseConfig,
		Codecs: codecs(),
		Funcs:  map[string]func(any) (any, bool){"type-of": typeOf, "parent-of": parentOf},
		Rows:   rows,
		Any:    []lens.Row{boilerplate("exit", "block-end", "ends a block; the switch prints none")},
		Lines: []lens.Rule{
			{ID: "separator", Class: plugins.Boilerplate, Pattern: `^!$`, Why: "stands between blocks"},
			{ID: "frame", Class: plugins.Boilerplate, Pattern: `^! Command: `, Why: "the command that printed it"},
			{ID: "time", Class: plugins.Volatile, Pattern: `^! Time: `, Why: "when the command ran"},
			{ID: "last-modified", Class: plugins.Volatile, Pattern: `^! Startup-config last modified at `, Why: "when and by whom it was saved"},
			{ID: "device", Class: plugins.Volatile, Pattern: `^! device: `, Why: "model and release of the unit that answers"},
			{ID: "boot-system", Class: plugins.Volatile, Pattern: `^! boot system `, Why: "the image is set in boot-config, not here"},
		},
		Ordered: []string{
			"cfgvault-system:system/dns/server", "cfgvault-system:system/dns/search", "cfgvault-system:system/users/user/ssh-key",
			"cfgvault-routing-policy:routing-policy/community-list/entry", "cfgvault-routing-policy:routing-policy/as-path-list/entry",
			"cfgvault-routing-policy:routing-policy/route-map/entry/set/next-hop",
		},
		Vocabulary: []string{"ip", "ipv6", "mac", "access-list", "standard", "class-map", "policy-map", "type", "qos", "copp", "monitor", "session",
			"mlag", "configuration", "management", "aaa", "group", "server", "radius", "tacacs+", "ldap", "router", "isis", "rip", "pim", "multicast",
			"msdp", "bfd", "queue-monitor", "daemon", "event-handler", "peer-filter", "dynamic", "prefix-list", "community-list", "hardware", "platform",
			"mpls", "segment-routing", "traffic-engineering", "dhcp", "dot1x", "lldp", "ptp", "sflow", "tap", "track", "vxlan", "address", "locking",
			"role", "security", "ssl", "profile", "snmp", "stun", "telemetry", "traffic-policies", "tunnel", "interface"},
		Indent: "   ", Separator: "!", Footer: "end\n",
	}
}

func systemRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	rows := []lens.Row{
		{Text: "hostname $h:host-name", Set: sys + "hostname=$h"},
		{Text: "dns domain $d:domain", Set: sys + "domain-name=$d"},
		{Text: "ip domain-name $d:domain", Set: sys + "domain-name=$d", ReadOnly: true}, // before 4.22
		{Text: "ip domain-list $d:domain", Set: sys + "dns/search+=$d"},
		{Text: "ip name-server vrf $vrf!default $a:ip", Set: sys + "dns/server[address=$a] " + sys + "dns/server[address=$a]/vrf=$vrf"},
		{Text: "ip name-server $a:ip", Set: sys + "dns/server[address=$a]", ReadOnly: true},
		{Text: "clock timezone $z:zone", Set: sys + "clock/timezone=$z"},
		{Text: "ip routing", Set: sys + "forwarding/ipv4=true"},
		{Text: "no ip routing", Set: sys + "forwarding/ipv4=false"},
		{Text: "ipv6 unicast-routing", Set: sys + "forwarding/ipv6=true"},
		{Text: "no ipv6 unicast-routing", Set: sys + "forwarding/ipv6=false"},
	}
	const user = sys + "users/user[name=$u]"
	const about = " { privilege $p:0..15 } { role $r } { shell $s }"
	const set = user + " " + user + "/privilege=$p " + user + "/role=$r " + user + "/shell=$s "
	return append(rows,
		lens.Row{Text: "username $u" + about + " secret $t:hash $h:secret", Set: set + user + "/password/type=$t " + user + "/password/value=$h"},
		lens.Row{Text: "username $u" + about + " secret *", Set: set + user + "/password/type=locked"},
		lens.Row{Text: "username $u" + about + " nopassword", Set: set + user + "/no-password=true"},
		// Releases before 4.23 call it sshkey.
		lens.Row{Text: "username $u ssh-key $k:line", Set: user + "/ssh-key+=$k"},
		lens.Row{Text: "username $u sshkey $k:line", Set: user + "/ssh-key+=$k", ReadOnly: true},
		lens.Row{Text: "enable password $t:hash $h:secret", Set: sys + "users/enable/password/type=$t " + sys + "users/enable/password/value=$h"},
		lens.Row{Text: "enable secret $t:hash $h:secret", Set: sys + "users/enable/password/type=$t " + sys + "users/enable/password/value=$h", ReadOnly: true},
		lens.Row{Text: "aaa root secret $_:secret-line", Class: plugins.SecretOpaque},
		lens.Row{Text: "management ssh", Rows: []lens.Row{
			{Text: "idle-timeout $n:0..86400", Set: sys + "ssh-server/idle-timeout=$n"},
			{Text: "shutdown", Set: sys + "ssh-server/enabled=false"},
			{Text: "no shutdown", Set: sys + "ssh-server/enabled=true"},
		}})
}

func serviceRows() []lens.Row {
	const ntp = "cfgvault-system:system/ntp/"
	const server = ntp + "server[host=$h]"
	const log = "cfgvault-system:system/logging/"
	const host = log + "server[host=$h]"
	const ntpServer = "ntp server { vrf $vrf } $h:host $prefer?prefer $always?burst $burst?iburst { version $v:1..4 } { minpoll $min:3..17 } { maxpoll $max:3..17 } { source $src:source } { key $key:1..65534 }"
	return []lens.Row{
		{Text: "ntp authentication-key $id:1..65534 $t:two-words $k:secret", Set: ntp + "key[id=$id]/type=$t " + ntp + "key[id=$id]/value=$k"},
		{Text: ntpServer, Set: cisco.Facts(server, "vrf=$vrf", "prefer=$prefer", "burst=$always", "iburst=$burst", "version=$v", "minpoll=$min", "maxpoll=$max", "source=$src", "key-id=$key")},
		{Text: "ntp server { vrf $vrf } $h:host $prefer?prefer $always?burst $burst?iburst { version $v:1..4 } { minpoll $min:3..17 } { maxpoll $max:3..17 } { key $key:1..65534 } { source $src:source }", ReadOnly: true,
			Set: cisco.Facts(server, "vrf=$vrf", "prefer=$prefer", "burst=$always", "iburst=$burst", "version=$v", "minpoll=$min", "maxpoll=$max", "source=$src", "key-id=$key")},
		{Text: "logging buffered $n:10..2147483647 $l:severity", Set: log + "buffer-size=$n " + log + "buffer-level=$l"},
		{Text: "logging buffered $n:10..2147483647", Set: log + "buffer-size=$n"},
		{Text: "logging console $l:severity", Set: log + "console-level=$l"},
		{Text: "logging trap $l:severity", Set: log + "level=$l"},
		{Text: "logging facility $f", Set: log + "facility=$f"},
		{Text: "logging { vrf $vrf } host $h:host { $port:1..65535 } { protocol $proto:one-of=udp|tcp|tls }",
			Set: host + " " + host + "/vrf=$vrf " + host + "/port=$port " + host + "/protocol=$proto"},
	}
}

func snmpRows() []lens.Row {
	const snmp = "cfgvault-system:system/snmp/"
	const community = snmp + "community[name=$c]"
	const target = snmp + "target[host=$h]"
	return []lens.Row{
		{Text: "snmp-server contact $t:line", Set: snmp + "contact=$t"},
		{Text: "snmp-server location $t:line", Set: snmp + "location=$t"},
		{Text: "snmp-server community $c:secret { view $view } $a:one-of=ro|rw { ipv6 $acl6 } { $acl:name }",
			Set: community + "/access=$a " + community + "/view=$view " + community + "/acl6=$acl6 " + community + "/acl=$acl"},
		{Text: "snmp-server host $h:host { vrf $vrf } version $v:one-of=1>v1|2c>v2c $c:secret { udp-port $port:1..65535 }",
			Set: target + "/version=$v " + target + "/community=$c " + target + "/vrf=$vrf " + target + "/port=$port"},
		{Text: "snmp-server host $h:host { vrf $vrf } version 3 $l:one-of=noauth|auth|priv $c:secret { udp-port $port:1..65535 }",
			Set: target + "/version=v3 " + target + "/level=$l " + target + "/community=$c " + target + "/vrf=$vrf " + target + "/port=$port"},
		{Text: "snmp-server user $_:secret-line", Class: plugins.SecretOpaque},
	}
}

func vlanRows() []lens.Row {
	const vlan = "cfgvault-vlans:vlans/vlan[id=$id]"
	return []lens.Row{
		{Text: "vlan $id:1..4094", Set: vlan, Rows: []lens.Row{
			{Text: "name $n:vlan-name", Set: "./name=$n"},
			{Text: "state suspend", Set: "./enabled=false"},
			{Text: "state active", Set: "./enabled=true"},
		}},
		{Pair: vlanRange()},
	}
}

// vlanRange reads "vlan 10-12,20", by which EOS shows VLANs without a name
// together. They are written one by one.
func vlanRange() *lens.Pair {
	list := lens.Builtin()["vlans"]
	return &lens.Pair{
		First: "vlan",
		Read: func(words []string) ([]lens.Assign, bool) {
			if len(words) != 2 {
				return nil, false
			}
			values, ok := list.Read(words[1])
			if !ok {
				return nil, false
			}
			var out []lens.Assign
			for _, id := range lens.Expand(values[0].([]any)) {
				out = append(out, lens.Assign{Path: []lens.Step{
					{Name: "cfgvault-vlans:vlans"}, {Name: "vlan", Keys: []lens.Key{{Name: "id", Value: id}}},
				}})
			}
			return out, true
		},
		Write: func(lens.Tree) []lens.Emit { return nil },
	}
}

func vrfRows() []lens.Row {
	below := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		// Since 4.22 it stands in router bgp.
		{Text: "rd $rd:rd", Set: "./route-distinguisher=$rd", Unless: "cfgvault-bgp:bgp/instance[vrf=$vrf]"},
	}
	const vrf = "cfgvault-vrfs:vrfs/vrf[name=$vrf]"
	return []lens.Row{
		{Text: "vrf instance $vrf:vrf", Set: vrf, Rows: below},
		{Text: "vrf definition $vrf:vrf", Set: vrf, Rows: below, ReadOnly: true}, // before 4.22
		{Text: "ip routing vrf $vrf:vrf", Set: vrf + "/forwarding/ipv4=true"},
		{Text: "no ip routing vrf $vrf:vrf", Set: vrf + "/forwarding/ipv4=false"},
		{Text: "ipv6 unicast-routing vrf $vrf:vrf", Set: vrf + "/forwarding/ipv6=true"},
	}
}

// bannerRows are the banners; EOS has no other types.
func bannerRows() []lens.Row {
	const banner = "cfgvault-system:system/banner/"
	return []lens.Row{
		{Text: "banner login", Body: "text", BodyEnd: "EOF", Set: banner + "login=$text"},
		{Text: "banner motd", Body: "text", BodyEnd: "EOF", Set: banner + "motd=$text"},
	}
}

// headingRows are headings that may be shown, of blocks that are not in the
// tree.
func headingRows() []lens.Row {
	var rows []lens.Row
	for _, text := range []string{
		"management api $_", "management $_", "control-plane",
		"router isis $_", "router $_:one-of=bfd|general|igmp|l2-vpn|msdp|multicast|pim|rip|traffic-engineering|adaptive-virtual-topology",
		"router ospf3 { $_ } { vrf $_ }",
		"class-map type $_ $_ $_", "policy-map type $_ $_", "mlag configuration", "daemon $_", "event-handler $_", "peer-filter $_",
		"ip extcommunity-list $_:line",
	} {
		rows = append(rows, lens.Row{Text: text, Class: plugins.Unparsed})
	}
	return rows
}
