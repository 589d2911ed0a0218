package iosxr

import (
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// normalize reads the running configuration into the common tree and accounts
// for the lines of all artefacts.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	l, r := configLens(), lens.NewReader()
	for _, a := range native {
		if a.Name != runningConfig {
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
			continue
		}
		if other := cisco.LooksLike(a.Data, "IOS-XR"); other != "" {
			return nil, fmt.Errorf("iosxr: %s looks like %s: %w", a.Name, other, plugins.ErrWrongPlatform)
		}
		r.Read(l, a.Name, string(a.Data), nil)
	}
	return r.Normalized(), nil
}

// render writes a running configuration from the common tree.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := configLens().Write(tree)
	if err != nil {
		return nil, nil, fmt.Errorf("render for IOS-XR: %w", err)
	}
	return []plugins.Artefact{{
		Name: runningConfig, Role: plugins.RoleRunning, Source: "rendered", Data: []byte(text),
	}}, losses, nil
}

// configLens is the table, compiled at the first use.
var configLens = sync.OnceValue(func() *lens.Lens { return lens.Check(configTable()) })

func parseConfig(text string) *syntax.Doc {
	return syntax.ParseIndented(text, syntax.Indented{Comment: "!", Banner: func(line string, words []syntax.Word) *syntax.Until {
		if end := programEnd(words); end != "" && words[0].At == 0 {
			return &syntax.Until{From: len(line), Whole: func(l string) bool { return strings.TrimSpace(l) == end }}
		}
		return syntax.DelimitedBanner(line, words)
	}})
}

// programEnd is the line that ends the text below a heading.
func programEnd(words []syntax.Word) string {
	if len(words) < 2 {
		return ""
	}
	switch words[0].Text {
	case "route-policy":
		return "end-policy"
	case "prefix-set", "community-set", "extcommunity-set", "as-path-set", "rd-set":
		return "end-set"
	}
	return ""
}

// kinds are the interfaces of IOS-XR.
func kinds() cisco.Kinds {
	return cisco.Kinds{
		{Name: "GigabitEthernet", Type: "ethernet"}, {Name: "TenGigE", Type: "ethernet"}, {Name: "TwentyFiveGigE", Type: "ethernet"}, {Name: "FortyGigE", Type: "ethernet"},
		{Name: "FiftyGigE", Type: "ethernet"}, {Name: "HundredGigE", Type: "ethernet"}, {Name: "TwoHundredGigE", Type: "ethernet"}, {Name: "FourHundredGigE", Type: "ethernet"},
		{Name: "FastEthernet", Type: "ethernet"}, {Name: "MgmtEth", Type: "management"}, {Name: "Loopback", Type: "loopback"}, {Name: "Bundle-Ether", Type: "lag"},
		{Name: "BVI", Type: "routed-vlan"}, {Name: "tunnel-ip", Type: "tunnel"}, {Name: "tunnel-te", Type: "tunnel"}, {Name: "nve", Type: "vxlan"}, {Name: "Null"},
		{Name: "PTP"}, {Name: "Optics"}, {Name: "CoherentDSP"}, {Name: "Bundle-POS"}, {Name: "POS"}, {Name: "Serial"}, {Name: "PW-Ether"}, {Name: "Multilink"},
	}
}

const printed = "a unit without configuration of its own prints it (XRv 6.x)"

func boilerplate(text, rule, why string, below ...lens.Row) lens.Row {
	return lens.Row{Text: text, Class: plugins.Boilerplate, Rule: rule, Why: why, Rows: below}
}

// configTable is the running configuration of IOS-XR 6 to 24, from Cisco's
// command references.
func configTable() lens.Table {
	k := kinds()
	rows := []lens.Row{
		boilerplate("Building configuration...", "frame", "part of the listing, not of the configuration"),
		{Text: "$_:weekday $_:word $_:1..31 $_:word { $_:word }", Class: plugins.Volatile, Rule: "time", Why: "when the command ran (terminal exec prompt timestamp)"},
		boilerplate("end", "frame", "part of the listing, not of the configuration"),
		boilerplate("call-home", "call-home", printed,
			boilerplate("service active", "call-home", printed),
			boilerplate("contact smart-licensing", "call-home", printed),
			boilerplate("profile CiscoTAC-1", "call-home", printed,
				boilerplate("active", "call-home", printed),
				boilerplate("destination transport-method http", "call-home", printed),
				boilerplate("reporting smart-licensing-data", "call-home", printed))),
	}
	for _, part := range [][]lens.Row{
		systemRows(), serviceRows(), vrfRows(), lineRows(), interfaceRows(), programRows(), aclRows(), staticRows(), ospfRows(), bgpRows(), bannerRows(), headingRows(), cisco.Features(),
	} {
		rows = append(rows, part...)
	}
	codecs := cisco.Codecs(k, "Bundle-Ether")
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
			{ID: "last-change", Class: plugins.Volatile, Pattern: `^!! (?:Last configuration change|Building configuration)`, Why: "when and by whom it was changed"},
			{ID: "release", Class: plugins.Boilerplate, Pattern: `^!! IOS XR Configuration`, Why: "the release that answers"},
			{ID: "separator", Class: plugins.Boilerplate, Pattern: `^!\s*$`, Why: "ends a block"},
		},
		Ordered: []string{"cfgvault-system:system/dns/server", "cfgvault-system:system/dns/search", "cfgvault-system:system/aaa/server-group/server"},
		Vocabulary: []string{"ipv4", "ipv6", "access-list", "router", "isis", "ospf", "ospfv3", "bgp", "static", "mpls", "ldp", "rsvp", "traffic-eng", "segment-routing", "multicast-routing",
			"pim", "igmp", "l2vpn", "evpn", "bridge", "group", "class-map", "policy-map", "match-any", "match-all", "type", "qos", "control-plane", "lpts", "flow", "monitor-map", "exporter-map",
			"sampler-map", "key", "chain", "hsrp", "vrrp", "lldp", "cdp", "ntp", "snmp-server", "aaa", "tacacs", "radius", "server", "telemetry", "model-driven", "grpc", "netconf-yang", "agent",
			"crypto", "ca", "trustpoint", "line", "template", "vty-pool", "object-group", "network", "track", "ipsla", "event", "manager", "hw-module", "profile", "fpd", "performance-mgmt"},
		Indent: " ", Separator: "!", Footer: "end\n",
	}
}

func systemRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	const user, group = sys + "users/user[name=$u]", sys + "aaa/server-group[name=$g]"
	rows := []lens.Row{
		{Text: "hostname $h:host-name", Set: sys + "hostname=$h"},
		{Text: "domain name $d:domain", Set: sys + "domain-name=$d"},
		{Text: "domain list $d:domain", Set: sys + "dns/search+=$d"},
		{Text: "domain name-server $a:ip", Set: sys + "dns/server[address=$a]"},
		{Text: "domain vrf $vrf name-server $a:ip", Set: sys + "dns/server[address=$a]/vrf=$vrf"},
		{Text: "domain lookup disable", Set: sys + "dns/lookup=false"},
		{Text: "clock timezone $z:line", Set: sys + "clock/timezone=$z"},
		{Text: "username $u", Set: user, Rows: []lens.Row{
			{Text: "group $g:word", Set: "./group+=$g"},
			{Text: "secret $t:hash $h:secret", Set: "./password/type=$t ./password/value=$h"},
			{Text: "password $t:password-type $h:secret", Set: "./password/type=$t ./password/value=$h"},
		}},
		{Text: "ssh server $v:ssh-version", Set: sys + "ssh-server/version=$v"},
		{Text: "aaa $p:purpose $n $m:line", Set: sys + "aaa/method-list[purpose=$p][name=$n]/methods=$m"},
	}
	for _, p := range []struct{ word, protocol string }{{"tacacs+", "tacacs"}, {"radius", "radius"}} {
		rows = append(rows, lens.Row{Text: "aaa group server " + p.word + " $g", Set: group + "/protocol=" + p.protocol, Rows: []lens.Row{
			{Text: "server $s", Set: "./server+=$s"}, {Text: "vrf $v", Set: "./vrf=$v"},
		}})
	}
	server := sys + "aaa/server[protocol=tacacs][name=$h]"
	return append(rows,
		lens.Row{Text: "tacacs-server host $h:host port $port:1..65535", Set: server + "/port=$port", Rows: []lens.Row{
			{Text: "key $t:one-of=0|6|7 $k:secret", Set: "./key/type=$t ./key/value=$k"},
			{Text: "timeout $o:1..1000", Set: "./timeout=$o"},
		}})
}

func serviceRows() []lens.Row {
	const ntp, log, snmp = "cfgvault-system:system/ntp/", "cfgvault-system:system/logging/", "cfgvault-system:system/snmp/"
	const server, host = ntp + "server[host=$h]", log + "server[host=$h]"
	const community = snmp + "community[name=$c]"
	target := snmp + "target[host=$h]"
	const peering = " { vrf $vrf } $h:host { version $v:1..4 } { key $key:1..65535 } { minpoll $min:4..17 } { maxpoll $max:4..17 } { source $src:ifname } $prefer?prefer $always?burst $burst?iburst"
	leaves := cisco.Facts(server, "vrf=$vrf", "version=$v", "key-id=$key", "minpoll=$min", "maxpoll=$max", "prefer=$prefer", "burst=$always", "iburst=$burst", "source=$src")
	return []lens.Row{
		{Text: "ntp", Rows: []lens.Row{
			{Text: "server" + peering, Set: leaves, Unless: server + "/peer=true"},
			{Text: "peer" + peering, Set: leaves + " " + server + "/peer=true"},
			{Text: "source $if:ifname", Set: ntp + "source-interface=$if"},
			{Text: "authentication-key $id:1..65535 md5 encrypted $k:secret", Set: ntp + "key[id=$id]/type=md5-encrypted " + ntp + "key[id=$id]/value=$k"},
			{Text: "$f:ntp-feature", Set: "cfgvault-system:system/feature[name=$f]/enabled=true"},
		}},
		{Text: "logging $h:ip vrf $vrf severity $l:short-level port $_:one-of=default", Set: cisco.Facts(host, "vrf=$vrf", "severity=$l"), ReadOnly: true},
		{Text: "logging $h:ip { vrf $vrf } { severity $l:short-level } { port $port:1..65535 }", Set: cisco.Facts(host, "vrf=$vrf", "severity=$l", "port=$port")},
		{Text: "logging trap $l:severity", Set: log + "level=$l"},
		{Text: "logging console $l:severity", Set: log + "console-level=$l"},
		{Text: "logging console disable", Set: log + "console=false"},
		{Text: "logging monitor $l:severity", Set: log + "monitor-level=$l"},
		{Text: "logging buffered $n:2097152..125000000", Set: log + "buffer-size=$n"},
		{Text: "logging buffered $l:severity", Set: log + "buffer-level=$l"},
		{Text: "logging facility $f", Set: log + "facility=$f"},
		{Text: "logging source-interface $if:ifname { vrf default }", Set: log + "source-interface=$if", ReadOnly: true},
		{Text: "logging source-interface $if:ifname", Set: log + "source-interface=$if"},
		{Text: "snmp-server contact $t:line", Set: snmp + "contact=$t"},
		{Text: "snmp-server location $t:line", Set: snmp + "location=$t"},
		{Text: "snmp-server community $c:secret { view $view } $a:one-of=RO>ro|RW>rw $own:one-of=SDROwner|SystemOwner { IPv4 $acl } { IPv6 $acl6 }", Set: cisco.Facts(community, "access=$a", "view=$view", "owner=$own", "acl=$acl", "acl6=$acl6")},
		{Text: "snmp-server community $c:secret { view $view } $a:one-of=RO>ro|RW>rw { IPv4 $acl } { IPv6 $acl6 }", Set: cisco.Facts(community, "access=$a", "view=$view", "acl=$acl", "acl6=$acl6")},
		{Text: "snmp-server host $h:host traps version 3 $l:one-of=noauth|auth|priv $c:secret { udp-port $port:1..65535 }",
			Set: target + "/version=v3 " + target + "/level=$l " + target + "/community=$c " + target + "/port=$port"},
		{Text: "snmp-server host $h:host traps version $v:one-of=1>v1|2c>v2c $c:secret { udp-port $port:1..65535 }",
			Set: target + "/version=$v " + target + "/community=$c " + target + "/port=$port"},
		{Text: "snmp-server host $_:secret-line", Class: plugins.SecretOpaque},
		{Text: "snmp-server user $_:secret-line", Class: plugins.SecretOpaque},
		{Text: "snmp-server traps $t:line", Set: snmp + "trap+=$t"},
		{Text: "snmp-server traps", Set: snmp + "trap+=all", ReadOnly: true},
		{Text: "lldp", Set: "cfgvault-lldp:lldp/enabled=true", Rows: []lens.Row{
			{Text: "timer $n:5..65534", Set: "cfgvault-lldp:lldp/hello-timer=$n"},
			{Text: "holdtime $n:0..65535", Set: "cfgvault-lldp:lldp/hold-time=$n"},
			{Text: "reinit $n:2..5", Set: "cfgvault-lldp:lldp/reinit-delay=$n"},
		}},
		{Text: "cdp", Set: "cfgvault-lldp:cdp/enabled=true"},
	}
}

func bannerRows() []lens.Row {
	const banner = "cfgvault-system:system/banner/"
	var rows []lens.Row
	for _, kind := range []string{"login", "motd", "exec", "incoming"} {
		rows = append(rows, lens.Row{Text: "banner " + kind, Body: "text", BodyEnd: "^", Delimited: true, Set: banner + kind + "=$text"})
	}
	return rows
}

// lineRows are the lines; XR has templates of which two always exist.
func lineRows() []lens.Row {
	const lines = "cfgvault-system:system/lines/"
	below := []lens.Row{
		{Text: "exec-timeout $t:timeout", Set: "./exec-timeout=$t"},
		{Text: "access-class ingress $a", Set: "./access-class-in=$a"},
		{Text: "transport input $p:words", Set: "./transport-input*=$p"},
		{Text: "transport output $p:words", Set: "./transport-output*=$p"},
		{Text: "login authentication $l", Set: "./login-list=$l"},
		{Text: "authorization exec $l", Set: "./authorization-list=$l"},
		{Text: "length $n:0..512", Set: "./length=$n"},
		{Text: "session-timeout $_:line", Class: plugins.Unparsed},
	}
	return []lens.Row{
		{Text: "line console", Set: lines + "line[kind=console][first=0]", Rows: below},
		{Text: "line default", Set: lines + "line[kind=vty][first=0]", Rows: below},
	}
}

// programRows are policies and sets, whose text the tree keeps.
func programRows() []lens.Row {
	var rows []lens.Row
	for _, kind := range []string{"prefix-set", "community-set", "extcommunity-set", "as-path-set", "rd-set", "route-policy"} {
		end := "end-set"
		if kind == "route-policy" {
			end = "end-policy"
		}
		place := "cfgvault-routing-policy:routing-policy/program[kind=" + kind + "][name=$n]"
		rows = append(rows, lens.Row{Text: kind + " $n:line", Set: place + " " + place + "/text=$text", Body: "text", BodyEnd: end})
	}
	return rows
}

// headingRows are headings that may be shown, of blocks that are not in the
// tree.
func headingRows() []lens.Row {
	var rows []lens.Row
	for _, text := range []string{
		"router isis $_", "router hsrp", "router vrrp", "mpls ldp", "mpls traffic-eng", "rsvp", "segment-routing", "l2vpn", "evpn", "class-map $_ $_", "policy-map $_",
		"control-plane", "multicast-routing", "router pim", "router igmp", "key chain $_", "telemetry model-driven", "grpc", "flow exporter-map $_", "flow monitor-map $_", "sampler-map $_",
		"object-group network ipv4 $_", "object-group network ipv6 $_", "object-group port $_", "track $_", "netconf-yang agent", "interface $_:line",
	} {
		rows = append(rows, lens.Row{Text: text, Class: plugins.Unparsed})
	}
	return rows
}
