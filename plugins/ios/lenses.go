package ios

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// normalize reads the running configuration into the common tree, or the
// startup configuration where there is no running one, and accounts for the
// lines of all artefacts that are text.
func normalize(f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	l, r := configLens(), lens.NewReader()
	main, implied := startupConfig, false
	for _, a := range native {
		if a.Name == runningConfig {
			main = a.Name
		}
	}
	for _, a := range native {
		if a.Name != main {
			continue
		}
		if other := cisco.LooksLike(a.Data, "IOS"); other != "" {
			return nil, fmt.Errorf("ios: %s looks like %s: %w", a.Name, other, plugins.ErrWrongPlatform)
		}
		r.Read(l, a.Name, string(a.Data), nil)
		implied = router.MatchString(f.Model) && !routing.Match(a.Data)
	}
	for _, a := range native {
		switch {
		case a.Name == main:
		case a.Role == plugins.RoleFile || a.Role == plugins.RoleState || a.Name != runningConfig && a.Name != startupConfig:
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
		default:
			r.Verify(l, a.Name, string(a.Data))
		}
	}
	n := r.Normalized()
	if implied {
		var err error
		if n.Tree, err = withRouting(n.Tree); err != nil {
			return nil, fmt.Errorf("ios: %w", err)
		}
	}
	return n, nil
}

// routing finds what a configuration says of routing.
var routing = regexp.MustCompile(`(?m)^(?:no )?ip routing\b`)

// withRouting adds to a tree that the unit routes.
func withRouting(tree []byte) ([]byte, error) {
	const module = "cfgvault-system:system"
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(tree, &all); err != nil {
		return nil, err
	}
	system := map[string]json.RawMessage{}
	if all[module] != nil {
		if err := json.Unmarshal(all[module], &system); err != nil {
			return nil, err
		}
	}
	forwarding := map[string]any{}
	if system["forwarding"] != nil {
		if err := json.Unmarshal(system["forwarding"], &forwarding); err != nil {
			return nil, err
		}
	}
	forwarding["ipv4"] = true
	var err error
	if system["forwarding"], err = json.Marshal(forwarding); err != nil {
		return nil, err
	}
	if all[module], err = json.Marshal(system); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// render writes a running configuration from the common tree.
func render(tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	text, losses, err := configLens().Write(tree)
	if err != nil {
		return nil, nil, fmt.Errorf("render for IOS: %w", err)
	}
	// "configure replace" takes no file that does not name the release.
	if r := releaseName.FindString(onto.OSVersion); r != "" {
		text = "version " + r + "\n" + text
	}
	if router.MatchString(onto.Model) {
		text = strings.Replace("\n"+text, "\nip routing\n", "\n", 1)[1:]
	}
	return []plugins.Artefact{{
		Name: runningConfig, Role: plugins.RoleRunning, Source: "rendered", Data: []byte(text),
	}}, losses, nil
}

// releaseName is how a configuration names a release: 15.7 of 15.7(3)M2.
var releaseName = regexp.MustCompile(`^\d+\.\d+`)

// router names the models that route unless told not to, and then do not show
// it (IP Routing command reference, ip routing). Whoever is not among them gets
// the statement.
var router = regexp.MustCompile(`^(?:CSR|ISR|ASR|C8\d{3}|CISCO(?:8|1[89]|2[89]|3[89])\d{2})`)

// configLens is the table, compiled at the first use.
var configLens = sync.OnceValue(func() *lens.Lens { return lens.Check(configTable()) })

func parseConfig(text string) *syntax.Doc {
	return syntax.ParseIndented(text, syntax.Indented{Comment: "!", Banner: func(line string, words []syntax.Word) *syntax.Until {
		if u := syntax.DelimitedBanner(line, words); u != nil {
			return u
		}
		return syntax.Certificate(line, words)
	}})
}

// kinds are the interfaces of IOS and IOS-XE.
func kinds() cisco.Kinds {
	return cisco.Kinds{
		{Name: "GigabitEthernet", Type: "ethernet"}, {Name: "TenGigabitEthernet", Type: "ethernet"}, {Name: "FastEthernet", Type: "ethernet"},
		{Name: "Ethernet", Type: "ethernet"}, {Name: "TwoGigabitEthernet", Type: "ethernet"}, {Name: "FiveGigabitEthernet", Type: "ethernet"},
		{Name: "TwentyFiveGigE", Type: "ethernet"}, {Name: "TwentyFiveGigabitEthernet", Type: "ethernet"}, {Name: "FortyGigabitEthernet", Type: "ethernet"},
		{Name: "FiftyGigE", Type: "ethernet"}, {Name: "HundredGigE", Type: "ethernet"}, {Name: "HundredGigabitEthernet", Type: "ethernet"},
		{Name: "TwoHundredGigE", Type: "ethernet"}, {Name: "FourHundredGigE", Type: "ethernet"}, {Name: "AppGigabitEthernet", Type: "ethernet"},
		{Name: "Loopback", Type: "loopback"}, {Name: "Vlan", Type: "routed-vlan"}, {Name: "Port-channel", Type: "lag"}, {Name: "Tunnel", Type: "tunnel"},
		{Name: "BDI", Type: "routed-vlan"}, {Name: "BVI", Type: "bridge"}, {Name: "nve", Type: "vxlan"}, {Name: "Dot11Radio", Type: "wireless"},
		{Name: "Wlan-GigabitEthernet", Type: "ethernet"}, {Name: "Dialer", Type: "virtual"}, {Name: "Virtual-Template", Type: "virtual"},
		{Name: "Virtual-Access"}, {Name: "VirtualPortGroup", Type: "virtual"}, {Name: "Multilink", Type: "virtual"}, {Name: "Serial"}, {Name: "ATM"},
		{Name: "Cellular"}, {Name: "Async"}, {Name: "POS"}, {Name: "BRI"}, {Name: "Embedded-Service-Engine", Type: "virtual"}, {Name: "ucse"},
		{Name: "Service-Engine"}, {Name: "LISP"}, {Name: "Null"}, {Name: "Group-Async"}, {Name: "Controller"}, {Name: "StackPort"}, {Name: "pseudowire"},
		{Name: "Bluetooth"}, {Name: "Port-set"},
	}
}

const (
	printed = "a unit without configuration of its own prints it (IOSv 15.x, CSR1000v 16.x)"
	around  = "part of the listing, not of the configuration"
)

func boilerplate(text, rule, why string, below ...lens.Row) lens.Row {
	return lens.Row{Text: text, Class: plugins.Boilerplate, Rule: rule, Why: why, Rows: below}
}

// configTable is the running configuration of IOS 12.4 to 15.9 and IOS-XE 3
// to 17, from Cisco's command references. What is a default without a word
// there is called one only where a unit without configuration of its own
// prints it.
func configTable() lens.Table {
	k := kinds()
	rows := frameRows()
	for _, part := range [][]lens.Row{
		systemRows(), cisco.AAA(), serviceRows(), cisco.SNMP(), switchRows(), vrfRows(), {interfaceRow()}, ospfRows(), eigrpRows(), bgpRows(),
		routeRows(), aclRows(), cisco.PolicyLists(), prefixListRows(), cisco.RouteMaps("match ip address"), bannerRows(), cisco.Lines(), headingRows(), cisco.Features(),
	} {
		rows = append(rows, part...)
	}
	codecs := cisco.Codecs(k, "Port-channel")
	maps.Copy(codecs, cisco.PolicyCodecs(k))
	maps.Copy(codecs, cisco.SystemCodecs())
	maps.Copy(codecs, cisco.RoutingCodecs())
	maps.Copy(codecs, ownCodecs())
	return lens.Table{
		Parse:  parseConfig,
		Codecs: codecs,
		Funcs:  map[string]func(any) (any, bool){"type-of": k.TypeOf, "parent-of": k.ParentOf},
		Rows:   rows,
		Any: []lens.Row{
			boilerplate("exit", "block-end", "ends a block"),
			boilerplate("exit-address-family", "block-end", "ends a block"),
			boilerplate("exit-vrf", "block-end", "ends a block"),
		},
		Lines: []lens.Rule{
			{ID: "last-change", Class: plugins.Volatile, Pattern: `^! (?:Last configuration change|NVRAM config last updated|No configuration change since)`, Why: "when and by whom it was changed"},
			{ID: "separator", Class: plugins.Boilerplate, Pattern: `^!`, Why: "IOS keeps no comments: what begins with ! separates blocks"},
		},
		Ordered: append(cisco.PolicyOrdered(), "cfgvault-system:system/dns/server", "cfgvault-system:system/dns/search",
			"cfgvault-system:system/aaa/server-group/server", "cfgvault-fhrp:fhrp/group/address"),
		Vocabulary: []string{"ip", "ipv6", "access-list", "class-map", "match-any", "match-all", "policy-map", "type", "inspect", "crypto", "pki", "trustpoint",
			"certificate", "chain", "isakmp", "ikev2", "ipsec", "policy", "profile", "keyring", "key", "map", "router", "eigrp", "rip", "isis", "lisp",
			"dhcp", "pool", "flow", "record", "exporter", "monitor", "event", "manager", "applet", "track", "sla", "template", "call-home", "redundancy",
			"controller", "voice", "dial-peer", "wlan", "wireless", "ap", "parameter-map", "zone", "security", "zone-pair", "object-group", "network",
			"service", "l2vpn", "evpn", "bridge-domain", "mpls", "ldp", "segment-routing", "line", "stack-mac", "device-sensor", "filter-list", "telemetry"},
		Indent: " ", Separator: "!", Footer: "end\n",
	}
}

// frameRows are what a listing has around the configuration, and defaults that
// every unit prints.
func frameRows() []lens.Row {
	return []lens.Row{
		boilerplate("Building configuration...", "frame", around),
		{Text: "Current configuration : $_:line", Class: plugins.Volatile, Rule: "size", Why: "the length of the listing"},
		{Text: "Using $_:line", Class: plugins.Volatile, Rule: "size", Why: "how much of NVRAM the startup configuration takes"},
		boilerplate("version $_", "release", "the release that wrote the configuration; the device sets it"),
		boilerplate("end", "frame", around),
		boilerplate("boot-start-marker", "boot-markers", "stands around boot statements, whether or not there are any (Configuration Fundamentals, boot-start-marker)"),
		boilerplate("boot-end-marker", "boot-markers", "stands around boot statements, whether or not there are any (Configuration Fundamentals, boot-start-marker)"),
		boilerplate("license udi pid $_ sn $_", "license-udi", "the identity of the unit: the device writes it and refuses another's"),
		boilerplate("multilink bundle-name authenticated", "multilink", "the default (Dial Command Reference, multilink bundle-name)"),
		boilerplate("ip forward-protocol nd", "forward-protocol-nd", printed),
		boilerplate("subscriber templating", "subscriber-templating", printed),
		boilerplate("diagnostic bootup level minimal", "diagnostic-bootup", "the default (System Management, diagnostic bootup level)"),
		boilerplate("virtual-service csr_mgmt", "virtual-service", printed),
		boilerplate("mmi polling-interval 60", "mmi", printed),
		boilerplate("no mmi auto-configure", "mmi", printed),
		boilerplate("no mmi pvc", "mmi", printed),
		boilerplate("mmi snmp-timeout 180", "mmi", printed),
		boilerplate("ipv6 ioam timestamp", "ipv6-ioam", printed),
		boilerplate("sdm prefer default", "sdm-default", "the default template"),
		boilerplate("memory free low-watermark processor $_:0..4294967295", "low-watermark", "computed from the memory of the unit (IOS-XE 16 and later)"),
		boilerplate("login on-success log", "login-success", "printed by releases whose default it is (IOS-XE 17 and later)"),
		boilerplate("redundancy", "redundancy", printed,
			boilerplate("mode sso", "redundancy-sso", "the default where there are two supervisors or a stack (Catalyst 9000, High Availability)"),
			lens.Row{Text: "mode $_:line", Class: plugins.Unparsed}),
		boilerplate("control-plane", "control-plane", printed),
		boilerplate("transceiver type all", "transceiver", printed, boilerplate("monitoring", "transceiver", printed)),
		boilerplate("call-home", "call-home", printed,
			boilerplate("contact-email-addr sch-smart-licensing@cisco.com", "call-home", printed),
			boilerplate("contact smart-licensing", "call-home", printed),
			boilerplate("service active", "call-home", printed),
			boilerplate("profile CiscoTAC-1", "call-home", printed,
				boilerplate("active", "call-home", printed),
				boilerplate("reporting smart-licensing-data", "call-home", printed),
				boilerplate("destination transport-method http", "call-home", printed),
				boilerplate("no destination transport-method email", "call-home", printed))),
	}
}

func systemRows() []lens.Row {
	const sys = "cfgvault-system:system/"
	const user = sys + "users/user[name=$u]"
	const about = " { privilege $p:0..15 }"
	const set = user + " " + user + "/privilege=$p "
	const archive = sys + "archive/"
	rows := []lens.Row{
		{Text: "hostname $h:host-name", Set: sys + "hostname=$h"},
		{Text: "ip domain name $d:domain", Set: sys + "domain-name=$d"},
		{Text: "ip domain-name $d:domain", Set: sys + "domain-name=$d", ReadOnly: true}, // before 12.2
		{Text: "ip domain list $d:domain", Set: sys + "dns/search+=$d"},
		{Text: "ip domain lookup", Set: sys + "dns/lookup=true"},
		{Text: "no ip domain lookup", Set: sys + "dns/lookup=false"},
		{Text: "no ip domain-lookup", Set: sys + "dns/lookup=false", ReadOnly: true},
		{Text: "ip name-server vrf $vrf $a:ip", Set: sys + "dns/server[address=$a] " + sys + "dns/server[address=$a]/vrf=$vrf"},
		{Text: "ip name-server $a:ip", Set: sys + "dns/server[address=$a]"},
		{Pair: nameServers()},
		{Text: "clock timezone $z:line", Set: sys + "clock/timezone=$z"},
		{Text: "ip routing", Set: sys + "forwarding/ipv4=true"},
		{Text: "no ip routing", Set: sys + "forwarding/ipv4=false"},
		{Text: "ipv6 unicast-routing", Set: sys + "forwarding/ipv6=true"},
		{Text: "no ipv6 unicast-routing", Set: sys + "forwarding/ipv6=false"},

		{Text: "username $u" + about + " secret $t:hash $h:secret", Set: set + user + "/password/type=$t " + user + "/password/value=$h"},
		{Text: "username $u" + about + " password $t:password-type $h:secret", Set: set + user + "/password/type=$t " + user + "/password/value=$h"},
		{Text: "username $u" + about + " nopassword", Set: set + user + "/no-password=true"},
		{Text: "username $u privilege $p:0..15", Set: user + "/privilege=$p", ReadOnly: true},
		{Text: "enable secret $t:hash $h:secret", Set: sys + "users/enable/password/type=$t " + sys + "users/enable/password/value=$h"},
		{Text: "enable password $t:password-type $h:secret", Set: sys + "users/enable/password/type=$t " + sys + "users/enable/password/value=$h"},
		{Text: "enable password $h:secret", Set: sys + "users/enable/password/type=clear " + sys + "users/enable/password/value=$h", ReadOnly: true},
		{Text: "archive", Set: sys + "archive", Rows: []lens.Row{
			{Text: "path $p", Set: archive + "path=$p"},
			{Text: "maximum $n:1..14", Set: archive + "maximum=$n"},
			{Text: "time-period $n:1..525600", Set: archive + "time-period=$n"},
			{Text: "write-memory", Set: archive + "on-save=true"},
			{Text: "log config", Rows: []lens.Row{
				{Text: "logging enable", Set: archive + "log-changes=true"},
				{Text: "logging size $n:1..1000", Set: archive + "log-size=$n"},
				{Text: "hidekeys", Set: archive + "hide-keys=true"},
				{Text: "notify syslog contenttype plaintext", Set: archive + "notify-syslog=true", ReadOnly: true},
				{Text: "notify syslog", Set: archive + "notify-syslog=true"},
			}},
		}},
		{Text: "crypto pki trustpoint $n", Set: sys + "pki/trustpoint[name=$n]", Rows: []lens.Row{
			{Text: "enrollment $e:line", Set: "./enrollment=$e"},
			{Text: "subject-name $s:line", Set: "./subject-name=$s"},
			{Text: "revocation-check $r:line", Set: "./revocation-check=$r"},
			{Text: "rsakeypair $k:line", Set: "./key-pair=$k"},
			{Text: "hash $h", Set: "./hash=$h"},
		}},
		{Text: "crypto pki certificate chain $_", Class: plugins.SecretOpaque, Rows: []lens.Row{
			{Text: "certificate $_:line", Class: plugins.SecretOpaque},
		}},
		{Text: "ip ssh version $v:one-of=1|2", Set: sys + "ssh-server/version=$v"},
		{Text: "ip http server", Set: sys + "http-server/enabled=true"},
		{Text: "no ip http server", Set: sys + "http-server/enabled=false"},
		{Text: "ip http secure-server", Set: sys + "http-server/secure-enabled=true"},
		{Text: "no ip http secure-server", Set: sys + "http-server/secure-enabled=false"},
		{Text: "ip http authentication $a:line", Set: sys + "http-server/authentication=$a"},
	}
	return rows
}

// nameServers reads "ip name-server A B C", which releases before 15 print in
// one line. They are written one by one.
func nameServers() *lens.Pair {
	ip := lens.Builtin()["ip"]
	return &lens.Pair{
		First: "ip",
		Read: func(words []string) ([]lens.Assign, bool) {
			if len(words) < 4 || words[1] != "name-server" {
				return nil, false
			}
			vrf := ""
			list := words[2:]
			if list[0] == "vrf" {
				vrf, list = list[1], list[2:]
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
	const ntp = "cfgvault-system:system/ntp/"
	const server = ntp + "server[host=$h]"
	const log = "cfgvault-system:system/logging/"
	const host = log + "server[host=$h]"
	const options = " { vrf $vrf } $h:host { version $v:1..4 } { key $key:1..4294967295 } { minpoll $min:4..17 } { maxpoll $max:4..17 } { source $src:ifname } $prefer?prefer $always?burst $burst?iburst"
	leaves := cisco.Facts(server, "vrf=$vrf", "version=$v", "source=$src", "key-id=$key", "minpoll=$min", "maxpoll=$max", "prefer=$prefer", "burst=$always", "iburst=$burst")
	return []lens.Row{
		{Text: "ntp authentication-key $id:1..4294967295 md5 $k:secret 7", Set: ntp + "key[id=$id]/type=md5-7 " + ntp + "key[id=$id]/value=$k"},
		{Text: "ntp authentication-key $id:1..4294967295 $t $k:secret", Set: ntp + "key[id=$id]/type=$t " + ntp + "key[id=$id]/value=$k"},
		{Text: "ntp source $if:ifname", Set: ntp + "source-interface=$if"},
		{Text: "ntp clock-period $_", Class: plugins.Volatile, Rule: "clock-period", Why: "what NTP learned of the clock (NTP, ntp clock-period)"},
		{Text: "ntp server" + options, Set: leaves, Unless: server + "/peer=true"},
		{Text: "ntp peer" + options, Set: leaves + " " + server + "/peer=true"},
		{Text: "ntp server { vrf $vrf } $h:host $burst?iburst $always?burst $prefer?prefer { version $v:1..4 } { source $src:ifname } { key $key:1..4294967295 } { minpoll $min:4..17 } { maxpoll $max:4..17 }", Set: leaves, ReadOnly: true},
		{Text: "ntp peer { vrf $vrf } $h:host $burst?iburst $always?burst { key $key:1..4294967295 } { minpoll $min:4..17 } { maxpoll $max:4..17 } $prefer?prefer { source $src:ifname } { version $v:1..4 }", Set: leaves + " " + server + "/peer=true", ReadOnly: true},
		{Text: "logging buffered $n:4096..2147483647 $l:severity", Set: log + "buffer-size=$n " + log + "buffer-level=$l"},
		{Text: "logging buffered $n:4096..2147483647", Set: log + "buffer-size=$n"},
		{Text: "logging buffered $l:severity", Set: log + "buffer-level=$l"},
		{Text: "logging console $l:severity", Set: log + "console-level=$l"},
		{Text: "no logging console", Set: log + "console=false"},
		{Text: "logging monitor $l:severity", Set: log + "monitor-level=$l"},
		{Text: "logging trap $l:severity", Set: log + "level=$l"},
		{Text: "logging facility $f", Set: log + "facility=$f"},
		{Text: "logging source-interface $if:ifname", Set: log + "source-interface=$if"},
		{Text: "logging host $h:host { vrf $vrf } { transport $proto:one-of=udp|tcp port $port:1..65535 }",
			Set: cisco.Facts(host, "vrf=$vrf", "port=$port", "protocol=$proto")},
		{Text: "logging $h:ip", Set: host, ReadOnly: true}, // before 12.2
		{Text: "lldp run", Set: "cfgvault-lldp:lldp/enabled=true"},
		{Text: "no lldp run", Set: "cfgvault-lldp:lldp/enabled=false"},
		{Text: "lldp timer $n:5..65534", Set: "cfgvault-lldp:lldp/hello-timer=$n"},
		{Text: "lldp holdtime $n:0..65535", Set: "cfgvault-lldp:lldp/hold-time=$n"},
		{Text: "lldp reinit $n:2..5", Set: "cfgvault-lldp:lldp/reinit-delay=$n"},
		{Text: "cdp run", Set: "cfgvault-lldp:cdp/enabled=true"},
		{Text: "no cdp run", Set: "cfgvault-lldp:cdp/enabled=false"},
		{Text: "snmp-server host $h:host { vrf $vrf } informs version 3 $l:one-of=noauth|auth|priv $c:secret { udp-port $port:1..65535 } { $e:line }",
			Set: target("version=v3", "inform=true", "level=$l", "community=$c", "vrf=$vrf", "port=$port", "events=$e")},
		{Text: "snmp-server host $h:host { vrf $vrf } informs version $v:one-of=2c>v2c $c:secret { udp-port $port:1..65535 } { $e:line }",
			Set: target("version=$v", "inform=true", "community=$c", "vrf=$vrf", "port=$port", "events=$e")},
		{Text: "snmp-server host $h:host { vrf $vrf } traps version 3 $l:one-of=noauth|auth|priv $c:secret { udp-port $port:1..65535 } { $e:line }",
			Set: target("version=v3", "level=$l", "community=$c", "vrf=$vrf", "port=$port", "events=$e"), ReadOnly: true},
		{Text: "snmp-server host $h:host { vrf $vrf } version 3 $l:one-of=noauth|auth|priv $c:secret { udp-port $port:1..65535 } { $e:line }",
			Set: target("version=v3", "level=$l", "community=$c", "vrf=$vrf", "port=$port", "events=$e")},
		{Text: "snmp-server host $h:host { vrf $vrf } traps version $v:one-of=1>v1|2c>v2c $c:secret { udp-port $port:1..65535 } { $e:line }", ReadOnly: true,
			Set: target("version=$v", "community=$c", "vrf=$vrf", "port=$port", "events=$e")},
		{Text: "snmp-server host $h:host { vrf $vrf } version $v:one-of=1>v1|2c>v2c $c:secret { udp-port $port:1..65535 } { $e:line }",
			Set: target("version=$v", "community=$c", "vrf=$vrf", "port=$port", "events=$e")},
		{Text: "snmp-server host $h:host { vrf $vrf } $c:secret { $e:line }", Set: target("community=$c", "vrf=$vrf", "version=v1", "events=$e"), ReadOnly: true},
		{Text: "snmp-server host $_:secret-line", Class: plugins.SecretOpaque},
		{Text: "snmp-server enable traps", Set: "cfgvault-system:system/snmp/trap+=all", ReadOnly: true},
	}
}

func target(leaves ...string) string {
	const place = "cfgvault-system:system/snmp/target[host=$h]"
	out := ""
	for _, l := range leaves {
		out += place + "/" + l + " "
	}
	return out
}

// bannerRows are the banners. IOS has more kinds than the tree.
func bannerRows() []lens.Row {
	const banner = "cfgvault-system:system/banner/"
	var rows []lens.Row
	for _, kind := range []string{"login", "motd", "exec"} {
		rows = append(rows, lens.Row{Text: "banner " + kind, Body: "text", BodyEnd: "^C", Delimited: true, Set: banner + kind + "=$text"})
	}
	return append(rows, lens.Row{Text: "banner incoming", Body: "text", BodyEnd: "^C", Delimited: true, Set: banner + "incoming=$text"})
}

// headingRows are headings that may be shown, of blocks that are not in the
// tree.
func headingRows() []lens.Row {
	var rows []lens.Row
	for _, text := range []string{
		"class-map $_", "class-map $_ $_", "class-map type $_ $_ $_", "policy-map $_", "policy-map type $_ $_", "router rip", "router isis { $_ }",
		"key chain $_", "ip dhcp pool $_", "track $_ $_:line", "ip sla $_", "flow record $_", "flow exporter $_",
		"flow monitor $_", "event manager applet $_:line", "crypto isakmp policy $_", "crypto ipsec transform-set $_:line", "crypto ipsec profile $_",
		"crypto ikev2 $_ $_", "object-group $_ $_", "zone security $_", "template $_", "wlan $_:line", "parameter-map type $_:line",
	} {
		rows = append(rows, lens.Row{Text: text, Class: plugins.Unparsed})
	}
	return rows
}
