package nxos

import (
	"fmt"
	"maps"
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
	main := startupConfig
	for _, a := range native {
		if a.Name == runningConfig {
			main = a.Name
		}
	}
	for _, a := range native {
		if a.Name != main {
			continue
		}
		if other := cisco.LooksLike(a.Data, "NX-OS"); other != "" {
			return nil, fmt.Errorf("nxos: %s looks like %s: %w", a.Name, other, plugins.ErrWrongPlatform)
		}
		r.Read(l, a.Name, string(a.Data), nil)
	}
	for _, a := range native {
		switch {
		case a.Name == main:
		case a.Name != runningConfig && a.Name != startupConfig:
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
		default:
			r.Verify(l, a.Name, string(a.Data))
		}
	}
	return r.Normalized(), nil
}

// render writes a running configuration from the common tree.
func render(tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := configLens().Write(tree)
	if err != nil {
		return nil, nil, fmt.Errorf("render for NX-OS: %w", err)
	}
	// "configure replace" takes no file that does not name the release.
	if onto.OSVersion != "" {
		text = "version " + onto.OSVersion + "\n" + text
	}
	return []plugins.Artefact{{
		Name: runningConfig, Role: plugins.RoleRunning, Source: "rendered", Data: []byte(text),
	}}, losses, nil
}

// configLens is the table, compiled at the first use.
var configLens = sync.OnceValue(func() *lens.Lens { return lens.Check(configTable()) })

func parseConfig(text string) *syntax.Doc {
	return syntax.ParseIndented(text, syntax.Indented{Comment: "!", Banner: syntax.DelimitedBanner})
}

// kinds are the interfaces of NX-OS.
func kinds() cisco.Kinds {
	return cisco.Kinds{
		{Name: "Ethernet", Type: "ethernet"}, {Name: "port-channel", Type: "lag"}, {Name: "Vlan", Type: "routed-vlan"}, {Name: "loopback", Type: "loopback"},
		{Name: "mgmt", Type: "management"}, {Name: "Tunnel", Type: "tunnel"}, {Name: "nve", Type: "vxlan"}, {Name: "Bdi", Type: "routed-vlan"},
		{Name: "Null"}, {Name: "fc"}, {Name: "vfc"}, {Name: "san-port-channel"}, {Name: "GigabitEthernet", Type: "ethernet"},
	}
}

const printed = "a unit without configuration of its own prints it (N9Kv 9.2, 9.3)"

func boilerplate(text, rule, why string, below ...lens.Row) lens.Row {
	return lens.Row{Text: text, Class: plugins.Boilerplate, Rule: rule, Why: why, Rows: below}
}

// configTable is the running configuration of NX-OS 7 to 10 on Nexus 3000 to
// 9000, from Cisco's configuration guides. What is a default without a word
// there is called one only where a unit without configuration of its own prints
// it.
func configTable() lens.Table {
	k := kinds()
	var rows []lens.Row
	for _, part := range [][]lens.Row{
		frameRows(), cisco.Features(), systemRows(), aaaRows(), serviceRows(), vlanRows(), vrfRows(), {interfaceRow()}, ospfRows(), eigrpRows(), bgpRows(),
		routeRows("default", ""), aclRows(), policyRows(), prefixListRows(), cisco.RouteMaps("match ip address"), bannerRows(), lineRows(), headingRows(),
	} {
		rows = append(rows, part...)
	}
	codecs := cisco.Codecs(k, "port-channel")
	maps.Copy(codecs, cisco.PolicyCodecs(k))
	maps.Copy(codecs, cisco.SystemCodecs())
	maps.Copy(codecs, cisco.RoutingCodecs())
	maps.Copy(codecs, ownCodecs())
	return lens.Table{
		Parse:  parseConfig,
		Codecs: codecs,
		Funcs:  map[string]func(any) (any, bool){"type-of": k.TypeOf, "parent-of": k.ParentOf},
		Rows:   rows,
		Any:    []lens.Row{boilerplate("exit", "block-end", "ends a block")},
		Lines: []lens.Rule{
			{ID: "command", Class: plugins.Boilerplate, Pattern: `^!Command: `, Why: "the command that printed it"},
			{ID: "time", Class: plugins.Volatile, Pattern: `^!(?:Time: |Running configuration last done at: |No configuration change since |Startup config saved at: )`, Why: "when it was printed, changed or saved"},
			{ID: "separator", Class: plugins.Boilerplate, Pattern: `^!`, Why: "NX-OS keeps no comments"},
		},
		Ordered: append(cisco.PolicyOrdered(), "cfgvault-system:system/dns/server", "cfgvault-system:system/dns/search",
			"cfgvault-system:system/aaa/server-group/server", "cfgvault-fhrp:fhrp/group/address"),
		Vocabulary: []string{"ip", "ipv6", "access-list", "class-map", "match-any", "match-all", "policy-map", "type", "qos", "queuing", "control-plane", "router", "isis",
			"rip", "pim", "msdp", "vpc", "domain", "fex", "port-profile", "object-group", "flow", "record", "exporter", "monitor", "event", "manager", "applet",
			"track", "key", "chain", "crypto", "ca", "trustpoint", "nxapi", "telemetry", "destination-group", "sensor-group", "subscription", "evpn", "vni",
			"l2", "template", "peer", "sla", "dhcp", "fabric", "forwarding", "role", "name", "zone", "fcdomain", "snmp-server", "hardware", "profile", "line"},
		Indent: "  ",
	}
}

func frameRows() []lens.Row {
	return []lens.Row{
		boilerplate("version $_:line", "release", "the release that wrote the configuration; the device sets it"),
		boilerplate("vdc $_ id $_:1..99", "vdc-limits", printed,
			boilerplate("limit-resource $_:line", "vdc-limits", printed),
			boilerplate("allow feature-set $_:line", "vdc-limits", printed),
			boilerplate("cpu-share $_:line", "vdc-limits", printed)),
		boilerplate("rmon event $_:1..5 $_:line", "rmon-events", printed),
		boilerplate("copp profile strict", "copp", "the default profile (System Management, copp profile)"),
		boilerplate("username $_ passphrase lifetime 99999 warntime 14 gracetime 3", "passphrase", printed),
		boilerplate("username $_ passphrase  lifetime 99999 warntime 14 gracetime 3", "passphrase", printed),
	}
}

func systemRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	const user = sys + "users/user[name=$u]"
	return []lens.Row{
		{Text: "hostname $h:host-name", Set: sys + "hostname=$h"},
		{Text: "switchname $h:host-name", Set: sys + "hostname=$h", ReadOnly: true},
		{Text: "ip domain-name $d:domain", Set: sys + "domain-name=$d"},
		{Text: "ip domain-list $d:domain", Set: sys + "dns/search+=$d"},
		{Text: "ip domain-lookup", Set: sys + "dns/lookup=true"},
		{Text: "no ip domain-lookup", Set: sys + "dns/lookup=false"},
		{Text: "ip name-server $a:ip { use-vrf $vrf }", Set: sys + "dns/server[address=$a] " + sys + "dns/server[address=$a]/vrf=$vrf"},
		{Pair: nameServers()},
		{Text: "clock timezone $z:line", Set: sys + "clock/timezone=$z"},
		{Text: "username $u password $t:hash $h:secret role $r", Set: user + "/password/type=$t " + user + "/password/value=$h " + user + "/role=$r"},
		{Text: "username $u password $t:hash $h:secret", Set: user + "/password/type=$t " + user + "/password/value=$h"},
		{Text: "username $u role $r", Set: user + "/role=$r", ReadOnly: true},
		{Text: "username $u sshkey $k:line", Set: user + "/ssh-key+=$k"},
		{Text: "enable secret $t:hash $h:secret", Set: sys + "users/enable/password/type=$t " + sys + "users/enable/password/value=$h"},
	}
}

// nameServers reads "ip name-server A B use-vrf V". They are written one by
// one.
func nameServers() *lens.Pair {
	ip := lens.Builtin()["ip"]
	return &lens.Pair{
		First: "ip",
		Read: func(words []string) ([]lens.Assign, bool) {
			if len(words) < 4 || words[1] != "name-server" {
				return nil, false
			}
			list, vrf := words[2:], ""
			if n := len(list); n > 2 && list[n-2] == "use-vrf" {
				list, vrf = list[:n-2], list[n-1]
			}
			var out []lens.Assign
			for _, w := range list {
				v, ok := ip.Read(w)
				if !ok {
					return nil, false
				}
				at := []lens.Step{{Name: "cfgvault-system:system"}, {Name: "dns"}, {Name: "server", Keys: []lens.Key{{Name: "address", Value: v[0]}}}}
				out = append(out, lens.Assign{Path: at})
				if vrf != "" {
					out = append(out, lens.Assign{Path: append(at[:3:3], lens.Step{Name: "vrf"}), Value: vrf})
				}
			}
			return out, len(out) > 0
		},
		Write: func(lens.Tree) []lens.Emit { return nil },
	}
}

func serviceRows() []lens.Row {
	const ntp, log, snmp = "cfgvault-system:system/ntp/", "cfgvault-system:system/logging/", "cfgvault-system:system/snmp/"
	const server = ntp + "server[host=$h]"
	const host = log + "server[host=$h]"
	const community, target = snmp + "community[name=$c]", snmp + "target[host=$h]"
	const peering = " $h:host $prefer?prefer { use-vrf $vrf } { key $key:1..65535 } { minpoll $min:4..16 } { maxpoll $max:4..16 }"
	leaves := cisco.Facts(server, "prefer=$prefer", "vrf=$vrf", "key-id=$key", "minpoll=$min", "maxpoll=$max")
	return []lens.Row{
		{Text: "ntp server" + peering, Set: leaves, Unless: server + "/peer=true"},
		{Text: "ntp peer" + peering, Set: leaves + " " + server + "/peer=true"},
		{Text: "ntp server $h:host { use-vrf $vrf } { key $key:1..65535 } $prefer?prefer", Set: cisco.Facts(server, "prefer=$prefer", "vrf=$vrf", "key-id=$key"), ReadOnly: true},
		{Text: "ntp source-interface $if:ifname", Set: ntp + "source-interface=$if"},
		{Text: "ntp authentication-key $id:1..65535 md5 $k:secret 7", Set: ntp + "key[id=$id]/type=md5-7 " + ntp + "key[id=$id]/value=$k"},
		{Text: "ntp authentication-key $id:1..65535 $t $k:secret", Set: ntp + "key[id=$id]/type=$t " + ntp + "key[id=$id]/value=$k"},
		{Text: "logging server $h:host { $l:level } { port $port:1..65535 } { use-vrf $vrf } { facility $f }",
			Set: cisco.Facts(host, "severity=$l", "port=$port", "vrf=$vrf", "facility=$f")},
		{Text: "logging source-interface $if:ifname", Set: log + "source-interface=$if"},
		{Text: "logging console $l:level", Set: log + "console-level=$l"},
		{Text: "no logging console", Set: log + "console=false"},
		{Text: "logging monitor $l:level", Set: log + "monitor-level=$l"},
		{Text: "snmp-server contact $t:line", Set: snmp + "contact=$t"},
		{Text: "snmp-server location $t:line", Set: snmp + "location=$t"},
		{Text: "snmp-server community $c:secret group network-operator", Set: community + "/access=ro"},
		{Text: "snmp-server community $c:secret group network-admin", Set: community + "/access=rw"},
		{Text: "snmp-server community $c:secret group vdc-operator", Set: community + "/access=ro", ReadOnly: true},
		{Text: "snmp-server community $c:secret group vdc-admin", Set: community + "/access=rw", ReadOnly: true},
		{Text: "snmp-server community $c:secret use-acl $acl", Set: community + "/acl=$acl"},
		{Text: "snmp-server community $c:secret use-ipv4acl $acl", Set: community + "/acl=$acl", ReadOnly: true},
		{Text: "snmp-server community $c:secret use-ipv6acl $acl", Set: community + "/acl6=$acl"},
		{Text: "snmp-server host $h:host { $_:one-of=traps|informs } version $v:one-of=1>v1|2c>v2c $c:secret { udp-port $port:1..65535 }", ReadOnly: true,
			Set: target + "/version=$v " + target + "/community=$c " + target + "/port=$port"},
		{Text: "snmp-server host $h:host traps version $v:one-of=1>v1|2c>v2c $c:secret { udp-port $port:1..65535 }",
			Set: target + "/version=$v " + target + "/community=$c " + target + "/port=$port"},
		{Text: "snmp-server host $h:host use-vrf $vrf", Set: target + "/vrf=$vrf", If: target},
		{Text: "snmp-server host $_:secret-line", Class: plugins.SecretOpaque},
		{Text: "snmp-server enable traps $t:line", Set: snmp + "trap+=$t"},
		{Text: "snmp-server user $_:secret-line", Class: plugins.SecretOpaque},
		{Text: "lldp timer $n:5..254", Set: "cfgvault-lldp:lldp/hello-timer=$n"},
		{Text: "lldp holdtime $n:10..255", Set: "cfgvault-lldp:lldp/hold-time=$n"},
		{Text: "lldp reinit $n:1..10", Set: "cfgvault-lldp:lldp/reinit-delay=$n"},
		{Text: "feature lldp", Set: "cfgvault-lldp:lldp/enabled=true"},
		{Text: "cdp enable", Set: "cfgvault-lldp:cdp/enabled=true"},
		{Text: "no cdp enable", Set: "cfgvault-lldp:cdp/enabled=false"},
	}
}

// aaaRows are method lists, groups and servers in the words of NX-OS.
func aaaRows() []lens.Row {
	const aaa = "cfgvault-system:system/aaa/"
	const list = aaa + "method-list[purpose=$p][name=$n]"
	rows := []lens.Row{{Text: "aaa $p:purpose $n $m:line", Set: list + "/methods=$m"}}
	for _, p := range []struct{ word, command, protocol string }{{"tacacs+", "tacacs-server", "tacacs"}, {"radius", "radius-server", "radius"}, {"ldap", "ldap-server", "ldap"}} {
		server := aaa + "server[protocol=" + p.protocol + "][name=$h]"
		rows = append(rows,
			lens.Row{Text: p.command + " host $h:host key $t:one-of=0|6|7 $k:secret { port $port:1..65535 } { timeout $o:1..60 }",
				Set: cisco.Facts(server, "key/type=$t", "key/value=$k", "port=$port", "timeout=$o")},
			lens.Row{Text: p.command + " host $h:host key $t:one-of=0|6|7 $k:secret authentication accounting", Set: cisco.Facts(server, "key/type=$t", "key/value=$k"), ReadOnly: true},
			lens.Row{Text: p.command + " host $h:host { port $port:1..65535 } { timeout $o:1..60 }", Set: cisco.Facts(server, "port=$port", "timeout=$o")},
			lens.Row{Text: p.command + " key $_:secret-line", Class: plugins.SecretOpaque},
			lens.Row{Text: "aaa group server " + p.word + " $g", Set: aaa + "server-group[name=$g]/protocol=" + p.protocol, Rows: []lens.Row{
				{Text: "server $s", Set: "./server+=$s"},
				{Text: "use-vrf $v", Set: "./vrf=$v"},
				{Text: "source-interface $if:ifname", Set: "./source-interface=$if"},
				{Text: "deadtime $_:1..1440", Class: plugins.Unparsed},
			}})
	}
	return rows
}

func bannerRows() []lens.Row {
	const banner = "cfgvault-system:system/banner/"
	return []lens.Row{
		{Text: "banner motd", Body: "text", BodyEnd: "@", Delimited: true, Set: banner + "motd=$text"},
		{Text: "banner exec", Body: "text", BodyEnd: "@", Delimited: true, Set: banner + "exec=$text"},
	}
}

// lineRows: NX-OS does not number its lines.
func lineRows() []lens.Row {
	const lines = "cfgvault-system:system/lines/"
	below := []lens.Row{
		{Text: "exec-timeout $t:timeout", Set: "./exec-timeout=$t"},
		{Text: "access-class $a in", Set: "./access-class-in=$a"},
		{Text: "ipv6 access-class $a in", Set: "./access-class-in6=$a"},
		{Text: "terminal length $n:0..511", Set: "./length=$n"},
		{Text: "speed $n:300..4294967295", Set: "./speed=$n"},
		{Text: "session-limit $_:1..64", Class: plugins.Unparsed},
	}
	return []lens.Row{
		{Text: "line console", Set: lines + "line[kind=console][first=0]", Rows: below},
		{Text: "line vty", Set: lines + "line[kind=vty][first=0]", Rows: below},
	}
}

// headingRows are headings that may be shown, of blocks that are not in the
// tree.
func headingRows() []lens.Row {
	var rows []lens.Row
	for _, text := range []string{
		"class-map type $_ $_", "class-map type $_ $_ $_", "policy-map type $_ $_", "policy-map type $_ $_ $_", "control-plane", "vpc domain $_", "router isis $_", "router rip $_",
		"fex $_", "object-group ip address $_", "object-group $_ $_ $_", "key chain $_", "track $_ $_:line", "ip sla $_", "flow record $_", "flow exporter $_",
		"flow monitor $_", "event manager applet $_", "telemetry", "evpn", "monitor session $_", "monitor session $_ $_", "role name $_", "crypto ca trustpoint $_",
	} {
		rows = append(rows, lens.Row{Text: text, Class: plugins.Unparsed})
	}
	return rows
}
