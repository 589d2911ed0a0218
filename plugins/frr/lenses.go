package frr

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// The native names of the artefacts that the lenses know.
const (
	runningConfig = "running-config"
	frrConf       = "etc/frr/frr.conf"
	vtyshConf     = "etc/frr/vtysh.conf"
	daemonsFile   = "etc/frr/daemons"
)

// normalize reads the running configuration into the common tree, or frr.conf
// where there is no running configuration, and accounts for the lines of all
// artefacts.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	l, r := runningLens(), lens.NewReader()
	main := frrConf
	for _, a := range native {
		if a.Name == runningConfig {
			main = runningConfig
		}
	}
	for _, a := range native {
		if a.Name != main {
			continue
		}
		if other := cisco.LooksLike(a.Data, "FRR"); other != "" {
			return nil, fmt.Errorf("frr: %s looks like %s: %w", a.Name, other, plugins.ErrWrongPlatform)
		}
		r.Read(l, a.Name, string(a.Data), nil)
	}
	for _, a := range native {
		switch {
		case a.Name == main:
		case a.Role == plugins.RoleState:
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
		case a.Name == daemonsFile:
			r.Verify(daemonsLens(), a.Name, string(a.Data))
		default:
			// frr.conf, vtysh.conf and the files of single daemons say again
			// what the running configuration says, or something else.
			r.Verify(l, a.Name, string(a.Data))
		}
	}
	return r.Normalized(), nil
}

// render writes a running configuration from the common tree.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := runningLens().Write(tree)
	if err != nil {
		return nil, nil, fmt.Errorf("render for FRR: %w", err)
	}
	return []plugins.Artefact{{
		Name: runningConfig, Role: plugins.RoleRunning, Source: "rendered", Data: []byte(text),
	}}, losses, nil
}

// The tables, compiled at the first use.
var (
	runningLens = sync.OnceValue(func() *lens.Lens { return lens.Check(runningTable()) })
	daemonsLens = sync.OnceValue(func() *lens.Lens { return lens.Check(daemonsTable()) })
)

func parseConfig(text string) *syntax.Doc {
	return syntax.ParseIndented(text, syntax.Indented{Comment: "!"})
}

// runningTable is the running configuration of FRR 8.4, as "show running-config"
// prints it; older releases where they differ are named. Statements and their
// order were measured on 8.4.4.
func runningTable() lens.Table {
	rows := []lens.Row{
		{Text: "Building configuration...", Class: plugins.Boilerplate, Rule: "frame", Why: "vtysh prints it before the configuration (vtysh.c, show running-config)"},
		{Text: "Current configuration:", Class: plugins.Boilerplate, Rule: "frame", Why: "vtysh prints it before the configuration (vtysh.c, show running-config)"},
		{Text: "frr version $_:line", Class: plugins.Volatile, Rule: "frr-version", Why: "the release that runs, not configuration"},
		{Text: "frr defaults traditional", Class: plugins.Boilerplate, Rule: "defaults-traditional", Why: "the default profile (docs.frrouting.org, Basic commands)"},
		{Text: "service integrated-vtysh-config", Class: plugins.Boilerplate, Rule: "integrated-config", Why: "the packages ship it in vtysh.conf: one frr.conf for all daemons"},
		{Text: "end", Class: plugins.Boilerplate, Rule: "frame", Why: "vtysh prints it after the configuration"},
	}
	rows = append(rows, cisco.Features()...) // the profile decides what is a default
	rows = append(rows, systemRows()...)
	rows = append(rows, staticRows()...)
	rows = append(rows, lens.Row{
		Text: "vrf $vrf:vrf", Set: "cfgvault-vrfs:vrfs/vrf[name=$vrf]", End: "exit-vrf",
		Rows: append([]lens.Row{{Text: "vni $n:1..16777215", Set: "./vni=$n"}}, routeRows("$vrf", "")...),
	})
	rows = append(rows, routeRows("$vrf", " vrf $vrf:vrf")...)
	rows = append(rows, interfaceRow())
	rows = append(rows, bgpRows()...)
	rows = append(rows, ospfInstances()...)
	rows = append(rows, prefixListRows()...)
	rows = append(rows, listRows()...)
	rows = append(rows, accessRows()...)
	rows = append(rows, routeMapRows()...)
	rows = append(rows, lineRow())
	rows = append(rows, headingRows()...)
	codecs := map[string]lens.Codec{
		"ifname":       lens.Word(interfaceName),
		"vrf":          lens.Word(func(s string) bool { return s != "default" }).Max(255),
		"drop":         lens.OneOf("Null0>blackhole", "blackhole", "reject"),
		"link-local":   linkLocal(),
		"remote-as":    lens.Or(lens.OneOf("internal", "external"), lens.Builtin()["asn"]),
		"source":       lens.Or(lens.Builtin()["ip"], lens.Word(interfaceName)),
		"family":       families(),
		"family-short": lens.OneOf("ipv4>ipv4-unicast", "ipv6>ipv6-unicast"),
		"any-prefix4":  anyPrefix("prefix4"),
		"any-prefix6":  anyPrefix("prefix6"),
		"area-type":    lens.OneOf("stub", "nssa"),
		"from":         lens.OneOf("connected", "static", "kernel", "rip", "ripng>rip", "ospf", "ospf6>ospf3", "isis", "eigrp", "bgp"),
		"feature":      cisco.FeatureCodec(features()...),
		"port-feature": cisco.FeatureCodec(portFeatures()...),
		"severity": lens.OneOf("emergencies>emergency", "alerts>alert", "critical", "errors>error", "warnings>warning",
			"notifications>notice", "informational", "debugging>debug"),
	}
	maps.Copy(codecs, policyCodecs())
	maps.Copy(codecs, routingCodecs())
	for _, name := range []string{"endpoint", "endpoint-standard"} {
		codecs[name] = cisco.Codecs(nil, "")[name]
	}
	codecs["standard-number"] = lens.Or(cisco.Number(1, 99), cisco.Number(1300, 1999))
	codecs["extended-number"] = lens.Or(cisco.Number(100, 199), cisco.Number(2000, 2699))
	codecs["list-number"], codecs["pattern-number"] = cisco.Number(1, 99), cisco.Number(100, 500)
	codecs["timeout"] = cisco.SystemCodecs()["timeout"]
	return lens.Table{
		Parse:  parseConfig,
		Codecs: codecs,
		Funcs:  map[string]func(any) (any, bool){"type-of": typeOf},
		Rows:   rows,
		Any: []lens.Row{
			{Text: "exit", Class: plugins.Boilerplate, Rule: "block-end", Why: "ends a block (vtysh since 8.1)"},
			{Text: "exit-vrf", Class: plugins.Boilerplate, Rule: "block-end", Why: "ends a block"},
			{Text: "exit-address-family", Class: plugins.Boilerplate, Rule: "block-end", Why: "ends a block"},
		},
		Lines: []lens.Rule{
			{ID: "comment", Class: plugins.Boilerplate, Pattern: `^!`, Why: "FRR keeps no comments: vtysh drops them when it reads a file"},
		},
		Vocabulary: []string{"ip", "ipv6", "access-list", "as-path", "community-list", "nhrp", "pim", "isis", "rip", "ripng", "eigrp",
			"babel", "ldp", "mpls", "segment-routing", "bfd", "profile", "peer", "key", "chain", "pbr-map", "nexthop-group", "rpki", "vnc"},
		Indent: " ", Header: "frr defaults traditional\n", Separator: "!", Footer: "end\n",
	}
}

// interfaceName accepts what Linux does: up to 15 bytes, no blank, no slash.
// A name of digits alone is refused, because there a distance or a process
// number may stand as well.
func interfaceName(s string) bool {
	if len(s) == 0 || len(s) > 15 || strings.ContainsAny(s, "/%") {
		return false
	}
	digits := strings.Trim(s, "0123456789") == ""
	switch s {
	case "tag", "vrf", "table", "label", "onlink", "nexthop-vrf", "default", "blackhole", "reject", "Null0":
		return false
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return false
	}
	return !digits
}

// typeOf knows the one interface whose type its name tells.
func typeOf(v any) (any, bool) {
	return "cfgvault-interfaces:loopback", v == "lo"
}

// anyPrefix is a prefix, or "any" for all of them.
func anyPrefix(codec string) lens.Codec {
	return lens.Or(lens.OneOf("any"), lens.Builtin()[codec])
}

// linkLocal joins "fe80::1 eth0" into one gateway with a zone.
func linkLocal() lens.Codec {
	return lens.Codec{
		Words: 2,
		Read: func(s string) ([]any, bool) {
			ip, zone, _ := strings.Cut(s, " ")
			a, err := netip.ParseAddr(ip)
			if err != nil || !a.IsLinkLocalUnicast() || !a.Is6() || a.Zone() != "" || !interfaceName(zone) {
				return nil, false
			}
			return lens.One(a.WithZone(zone).String())
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			a, err := netip.ParseAddr(s)
			if err != nil || !a.Is6() || !a.IsLinkLocalUnicast() || !interfaceName(a.Zone()) || a.String() != s {
				return "", false
			}
			return a.WithZone("").String() + " " + a.Zone(), true
		},
	}
}

func systemRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	rows := []lens.Row{
		{Text: "hostname $h:host-name", Set: sys + "hostname=$h"},
		{Text: "domainname $d:domain", Set: sys + "domain-name=$d"},
		{Text: "log file $f $l:severity", Set: sys + "logging/file=$f " + sys + "logging/file-level=$l"},
		{Text: "log file $f", Set: sys + "logging/file=$f"},
		{Text: "log syslog $l:severity", Set: sys + "logging/level=$l"},
		{Text: "log facility $f", Set: sys + "logging/facility=$f"},
		{Text: "log monitor $l:severity", Set: sys + "logging/monitor-level=$l"},
		{Text: "log stdout $l:severity", Set: sys + "logging/console-level=$l"},
		{Text: "log stdout", Set: sys + "logging/console=true"},
		{Text: "username $u nopassword", Set: sys + "users/user[name=$u]/no-password=true"},
		{Text: "enable password 8 $p:secret", Set: sys + "users/enable/password/type=other " + sys + "users/enable/password/value=$p"},
		{Text: "enable password $p:secret", Set: sys + "users/enable/password/type=clear " + sys + "users/enable/password/value=$p"},
		{Text: "password $_:secret-line", Class: plugins.SecretOpaque},
	}
	for _, family := range []string{"ip", "ipv6"} {
		leaf := sys + "forwarding/" + map[string]string{"ip": "ipv4", "ipv6": "ipv6"}[family]
		rows = append(rows,
			lens.Row{Text: family + " forwarding", Set: leaf + "=true"},
			lens.Row{Text: "no " + family + " forwarding", Set: leaf + "=false"})
	}
	return rows
}

func staticRows() []lens.Row { return routeRows("default", "") }

// routeRows are the static routes of one VRF. Options stand in the order in
// which 8.4 prints them; the suffix names the VRF where the block does not.
func routeRows(vrf, suffix string) []lens.Row {
	const options = " { tag $tag:1..4294967295 } { $distance:1..255 } { table $table:1..4294967295 } { nexthop-vrf $other }"
	var rows []lens.Row
	for _, f := range []struct{ command, prefix, ip string }{{"ip", "prefix4", "ip4"}, {"ipv6", "prefix6", "ip6"}} {
		hop := "cfgvault-static-routes:static-routes/route[vrf=" + vrf + "][prefix=$p]/next-hop[gateway=$gw]"
		more := " " + strings.Join([]string{hop + "/tag=$tag", hop + "/distance=$distance", hop + "/table=$table", hop + "/next-hop-vrf=$other"}, " ")
		to := f.command + " route $p:" + f.prefix
		rows = append(rows,
			lens.Row{Text: to + " $gw:drop" + options + suffix, Set: hop + more},
			lens.Row{Text: to + " $gw:link-local" + options + suffix, Set: hop + more},
			lens.Row{Text: to + " $gw:" + f.ip + " { $if:ifname }" + options + suffix, Set: hop + " " + hop + "/interface=$if" + more},
			lens.Row{Text: to + " $gw:ifname" + options + suffix, Set: hop + more})
	}
	return rows
}

func interfaceRow() lens.Row {
	rows := []lens.Row{
		{Text: "description $d:line", Set: "./description=$d"},
		{Text: "shutdown", Set: "./enabled=false"},
		{Text: "no shutdown", Set: "./enabled=true"},
		{Text: "ip address $a:if4", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "ipv6 address $a:if6", Set: "./ipv6/address[ip=$a.ip]/prefix-length=$a.length"},
		{Text: "no ipv6 nd suppress-ra", Set: "./ipv6/advertise=true"},
		{Text: "bandwidth $n:1..100000", Set: "./bandwidth=$n"},
	}
	rows = append(rows, interfaceOSPF("ip ospf", "cfgvault-ospf:ospf/interface[name=$if]/", true)...)
	rows = append(rows, interfaceOSPF("ipv6 ospf6", "cfgvault-ospf:ospf3/interface[name=$if]/", false)...)
	rows = append(rows, cisco.InterfaceFeatures()...)
	return lens.Row{
		Text: "interface $if:ifname { vrf $vrf }", End: "exit", Rows: rows,
		Set: "cfgvault-interfaces:interfaces/interface[name=$if] cfgvault-interfaces:interfaces/interface[name=$if]/vrf=$vrf " +
			"cfgvault-interfaces:interfaces/interface[name=$if]/type=type-of($if)",
	}
}

// interfaceOSPF are the statements of an OSPF interface. 8.4 prints areas in
// the form in which they were typed.
func interfaceOSPF(command, place string, v4 bool) []lens.Row {
	bools := func(text, leaf string) []lens.Row {
		return []lens.Row{
			{Text: command + " " + text, Set: place + leaf + "=true"},
			{Text: "no " + command + " " + text, Set: place + leaf + "=false"},
		}
	}
	rows := []lens.Row{
		{Text: command + " { $process:1..65535 } area $area:area", Set: place + "area=$area " + place + "process=$process"},
		{Text: command + " cost $n:1..65535", Set: place + "cost=$n"},
		{Text: command + " dead-interval $n:1..65535", Set: place + "dead-interval=$n"},
		{Text: command + " hello-interval $n:1..65535", Set: place + "hello-interval=$n"},
		{Text: command + " priority $n:0..255", Set: place + "priority=$n"},
		{Text: command + " network $t:one-of=broadcast|non-broadcast|point-to-point|point-to-multipoint", Set: place + "network-type=$t"},
	}
	rows = append(rows, bools("mtu-ignore", "mtu-ignore")...)
	rows = append(rows, bools("passive", "passive")...)
	rows = append(rows, bools("bfd", "bfd")...)
	rows = append(rows,
		lens.Row{Text: command + " retransmit-interval $n:1..65535", Set: place + "retransmit-interval=$n"},
		lens.Row{Text: command + " transmit-delay $n:1..65535", Set: place + "transmit-delay=$n"})
	if !v4 {
		return rows
	}
	return append(rows,
		lens.Row{Text: command + " authentication", Set: place + "authentication=simple"},
		lens.Row{Text: command + " authentication message-digest", Set: place + "authentication=message-digest"},
		lens.Row{Text: command + " authentication null", Set: place + "authentication=none"},
		lens.Row{Text: command + " authentication-key $p:secret", Set: place + "password/value=$p"},
		lens.Row{Text: command + " message-digest-key $id:1..255 md5 $p:secret",
			Set: place + "message-digest-key[id=$id]/algorithm=md5 " + place + "message-digest-key[id=$id]/value=$p"},
	)
}

func prefixListRows() []lens.Row {
	var rows []lens.Row
	for _, f := range []struct{ command, family, prefix string }{{"ip", "ipv4", "prefix4"}, {"ipv6", "ipv6", "prefix6"}} {
		list := "cfgvault-prefix-lists:prefix-lists/prefix-list[family=" + f.family + "][name=$name]"
		entry := list + "/entry[seq=$seq]"
		rows = append(rows,
			lens.Row{Text: f.command + " prefix-list $name description $d:line", Set: list + "/description=$d"},
			lens.Row{Text: f.command + " prefix-list $name seq $seq:1..4294967295 $action:one-of=permit|deny $p:any-" + f.prefix + " { ge $ge:0..128 } { le $le:0..128 }",
				Set: strings.Join([]string{entry + "/action=$action", entry + "/prefix=$p", entry + "/ge=$ge", entry + "/le=$le"}, " ")},
			lens.Row{Text: f.command + " prefix-list $name seq $seq:1..4294967295 $action:one-of=permit|deny $p:any-" + f.prefix + " le $le:0..128 ge $ge:0..128",
				Set: strings.Join([]string{entry + "/action=$action", entry + "/prefix=$p", entry + "/ge=$ge", entry + "/le=$le"}, " "), ReadOnly: true},
			// As people write it; it is numbered when it is read.
			lens.Row{Text: f.command + " prefix-list $name $action:one-of=permit|deny $p:any-" + f.prefix + " { ge $ge:0..128 } { le $le:0..128 }",
				Set: strings.Join([]string{entry + "/action=$action", entry + "/prefix=$p", entry + "/ge=$ge", entry + "/le=$le"}, " "), ReadOnly: true, Count: "seq"})
	}
	return rows
}

// lineRow is "line vty", which is printed always and says nothing by itself.
func lineRow() lens.Row {
	const line = "cfgvault-system:system/lines/line[kind=vty][first=0]/"
	return lens.Row{Text: "line vty", Rows: []lens.Row{
		{Text: "exec-timeout $t:timeout", Set: line + "exec-timeout=$t"},
		{Text: "access-class $a", Set: line + "access-class-in=$a"},
		{Text: "ipv6 access-class $a", Set: line + "access-class-in6=$a"},
		{Text: "no login", Set: line + "login=none"},
		{Text: "login", Set: line + "login=password"},
	}}
}

// headingRows are headings that may be shown, of blocks that are not in the tree.
func headingRows() []lens.Row {
	return []lens.Row{
		{Text: "mpls ldp", Class: plugins.Unparsed},
		{Text: "bfd", Class: plugins.Unparsed},
		{Text: "segment-routing", Class: plugins.Unparsed},
		{Text: "nexthop-group $_", Class: plugins.Unparsed},
		{Text: "pbr-map $_ seq $_", Class: plugins.Unparsed},
		{Text: "router $_:one-of=rip|ripng|babel|eigrp|isis|openfabric|pim|pim6", Class: plugins.Unparsed},
		{Text: "router $_:one-of=isis|openfabric|eigrp $_", Class: plugins.Unparsed},
		{Text: "router bgp $_:asn view $_", Class: plugins.Unparsed},
	}
}

// daemonsTable is /etc/frr/daemons, a shell file of the packages.
func daemonsTable() lens.Table {
	return lens.Table{
		Parse:  func(text string) *syntax.Doc { return syntax.ParseSections(text, syntax.Properties()) },
		Words:  lens.Assignments,
		Codecs: map[string]lens.Codec{"daemon": lens.Word(func(s string) bool { return strings.HasSuffix(s, "d") })},
		Rows: []lens.Row{
			{Text: "$_:daemon = no", Class: plugins.Boilerplate, Rule: "daemon-off", Why: "the packages ship every daemon but zebra and staticd switched off (tools/etc/frr/daemons)"},
			{Text: "zebra = yes", Class: plugins.Boilerplate, Rule: "daemon-always", Why: "zebra, staticd and watchfrr always run (tools/etc/frr/daemons)"},
			{Text: "staticd = yes", Class: plugins.Boilerplate, Rule: "daemon-always", Why: "zebra, staticd and watchfrr always run (tools/etc/frr/daemons)"},
			{Text: "watchfrr_enable = yes", Class: plugins.Boilerplate, Rule: "daemon-always", Why: "zebra, staticd and watchfrr always run (tools/etc/frr/daemons)"},
			{Text: "vtysh_enable = yes", Class: plugins.Boilerplate, Rule: "vtysh-enable", Why: "shipped so (tools/etc/frr/daemons): vtysh -b reads the configuration at start"},
		},
		Lines: []lens.Rule{{ID: "comment", Class: plugins.Boilerplate, Pattern: `^#`, Why: "the shell ignores it"}},
	}
}

// Lens reads and writes FRR's configuration, for platforms that have FRR
// inside.
func Lens() *lens.Lens { return runningLens() }
