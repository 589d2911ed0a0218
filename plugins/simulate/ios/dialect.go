package ios

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// The texts by which IOS refuses a statement.
const (
	invalid    = "% Invalid input detected at '^' marker."
	incomplete = "% Incomplete command."
)

// etx is what delimits a banner inside the device; a listing shows it as "^C".
const etx = "\x03"

// dialect is the configuration of IOS and IOS-XE.
func dialect() *statements.Dialect {
	return &statements.Dialect{
		Rows: rows(), Ports: []string{"GigabitEthernet0/0", "GigabitEthernet0/1", "GigabitEthernet0/2", "GigabitEthernet0/3"},
		IsPort: func(n string) bool {
			return !strings.Contains(n, ".") && (strings.Contains(n, "Ethernet") || strings.Contains(n, "GigE")) && strings.ContainsAny(n, "0123456789")
		},
		Interface: interfaceName,
		Indent:    " ", Separator: "!", Inside: "!", End: "end\n",
		Close: func(s *statements.Statement) string {
			if strings.HasPrefix(s.Text, "address-family ") {
				return " exit-address-family"
			}
			return ""
		},
		Print: printText,
		Sections: []string{"service", "platform", "hostname", "vrf", "enable", "aaa", "clock", "switch", "ip domain", "ip name-server", "vtp", "crypto", "license", "spanning-tree",
			"archive", "username", "vlan", "lldp", "cdp", "interface", "router", "ip default-gateway", "ip forward-protocol", "ip http", "ip scp", "ip ssh", "ip route",
			"ip access-list", "access-list", "ip prefix-list", "route-map", "logging", "snmp-server", "tacacs", "banner", "line", "ntp", "event"},
		Section: section, Sorted: []string{"interface", "vlan", "username"}, Unknown: "interface",
		Leave: []string{"exit-address-family", "quit"}, Header: []string{"Building configuration", "Current configuration", "version ", "boot-start-marker", "boot-end-marker", "Using "},
		Invalid: invalid, Incomplete: incomplete, Text: text,
	}
}

func section(w []string) string {
	if w[0] == "ip" && len(w) > 1 {
		return "ip " + w[1]
	}
	return w[0]
}

// text begins a banner, whose delimiter is its first character whatever that
// is, or a certificate, which ends with a line of blanks, a tab and "quit".
func text(line string, words []string) (string, []string, func(string) (string, bool)) {
	if words[0] == "certificate" {
		return strings.Join(words, " "), []string{}, func(l string) (string, bool) {
			return l, strings.TrimLeft(l, " ") == "\tquit"
		}
	}
	head := strings.Join(words[:2], " ")
	rest := line[strings.Index(line, words[1])+len(words[1]):]
	rest = strings.TrimLeft(rest, " ")
	delimiter, body := rest[:1], rest[1:]
	if before, _, closed := strings.Cut(body, delimiter); closed {
		return head, []string{before}, nil
	}
	return head, []string{body}, func(l string) (string, bool) {
		before, _, closed := strings.Cut(l, delimiter)
		return before, closed
	}
}

func printText(indent string, s *statements.Statement) string {
	if strings.HasPrefix(s.Text, "banner ") {
		return s.Text + " " + etx + strings.Join(s.Body, "\n") + etx + "\n"
	}
	return indent + s.Text + "\n" + strings.Join(s.Body, "\n") + "\n"
}

// interfaceName accepts the unit's own ports with their sub-interfaces, and
// the kinds that software makes.
func interfaceName(w string, ports []string) bool {
	base, sub, dotted := strings.Cut(w, ".")
	if dotted {
		if n, err := strconv.Atoi(sub); err != nil || n < 1 {
			return false
		}
	}
	if slices.Contains(ports, base) {
		return true
	}
	for _, kind := range []string{"Loopback", "Vlan", "Port-channel", "Tunnel", "BDI", "nve"} {
		if n, ok := strings.CutPrefix(base, kind); ok {
			_, err := strconv.ParseUint(n, 10, 16)
			return err == nil
		}
	}
	return false
}

// rows are a useful part of the command reference.
func rows() []statements.Row {
	const stored, both = statements.Stored, statements.Both
	return []statements.Row{
		{Mode: "top", Words: "hostname <host>"},
		{Mode: "top", Words: "service {...}", Not: both},
		{Mode: "top", Words: "platform {...}", Not: both},
		{Mode: "top", Words: "vrf definition {word}", Opens: "vrf"},
		{Mode: "top", Words: "enable <secret|password> ..."},
		{Mode: "top", Words: "aaa new-model"},
		{Mode: "top", Words: "aaa session-id <common|unique>"},
		{Mode: "top", Words: "aaa group server {word} {word}", Opens: "sg"},
		{Mode: "top", Words: "aaa authentication|authorization|accounting {...}"},
		{Mode: "top", Words: "clock timezone ..."},
		{Mode: "top", Words: "ip domain name <host>"},
		{Mode: "top", Words: "ip domain lookup", Not: stored},
		{Mode: "top", Words: "ip name-server {...}"},
		{Mode: "top", Words: "ip routing", Not: stored},
		{Mode: "top", Words: "ip cef", Not: both},
		{Mode: "top", Words: "ipv6 unicast-routing"},
		{Mode: "top", Words: "vtp <mode> ..."},
		{Mode: "top", Words: "license udi pid {word} sn {word}"},
		{Mode: "top", Words: "license boot level ..."},
		{Mode: "top", Words: "spanning-tree mode <pvst|rapid-pvst|mst>"},
		{Mode: "top", Words: "spanning-tree extend system-id", Not: both},
		{Mode: "top", Words: "spanning-tree vlan {vlans} priority <int>"},
		{Mode: "top", Words: "spanning-tree portfast {...}"},
		{Mode: "top", Words: "archive", Opens: "archive"},
		{Mode: "top", Words: "username {word} ..."},
		{Mode: "top", Words: "vlan {vlans}", Opens: "config-vlan"},
		{Mode: "top", Words: "lldp run"},
		{Mode: "top", Words: "cdp run", Not: stored},
		{Mode: "top", Words: "interface {interface}", Opens: "if"},
		{Mode: "top", Words: "router bgp <asn>", Opens: "router"},
		{Mode: "top", Words: "router ospf {int} vrf {word}", Opens: "router"},
		{Mode: "top", Words: "router ospf {int}", Opens: "router"},
		{Mode: "top", Words: "ip default-gateway <ip>"},
		{Mode: "top", Words: "ip forward-protocol nd"},
		{Mode: "top", Words: "ip http server", Not: both},
		{Mode: "top", Words: "ip http secure-server", Not: both},
		{Mode: "top", Words: "ip http authentication ..."},
		{Mode: "top", Words: "ip scp server enable"},
		{Mode: "top", Words: "ip ssh version <int>"},
		{Mode: "top", Words: "ip ssh source-interface <interface>"},
		{Mode: "top", Words: "ip route vrf {word} {ip} {mask} {...}"},
		{Mode: "top", Words: "ip route {ip} {mask} {...}"},
		{Mode: "top", Words: "ip access-list extended {word}", Opens: "ext-nacl"},
		{Mode: "top", Words: "ip access-list standard {word}", Opens: "std-nacl"},
		{Mode: "top", Words: "access-list {int} permit|deny {...}"},
		{Mode: "top", Words: "ip prefix-list {word} seq {int} permit|deny ..."},
		{Mode: "top", Words: "route-map {word} <permit|deny> {int}", Opens: "route-map"},
		{Mode: "top", Words: "logging host {...}"},
		{Mode: "top", Words: "logging buffered|trap|console|facility|source-interface ..."},
		{Mode: "top", Words: "snmp-server community {word} ..."},
		{Mode: "top", Words: "snmp-server contact|location ..."},
		{Mode: "top", Words: "snmp-server host|group|view|user|enable {...}"},
		{Mode: "top", Words: "banner {motd|login|exec|incoming} ...", Text: true},
		{Mode: "top", Words: "line con {int}", Opens: "line"},
		{Mode: "top", Words: "line aux {int}", Opens: "line"},
		{Mode: "top", Words: "line vty {int} {int?}", Opens: "line"},
		{Mode: "top", Words: "ntp server {host} ...?"},
		{Mode: "top", Words: "ntp authenticate"},
		{Mode: "top", Words: "ntp authentication-key {int} ..."},
		{Mode: "top", Words: "crypto isakmp policy {int}", Opens: "isakmp"},
		{Mode: "isakmp", Words: "encryption|hash|authentication|group|lifetime ..."},
		{Mode: "top", Words: "crypto pki trustpoint {word}", Opens: "ca-trustpoint"},
		{Mode: "top", Words: "crypto pki certificate chain {word}", Opens: "config-cert-chain"},
		{Mode: "top", Words: "event manager policy {word} ..."},

		{Mode: "config-cert-chain", Words: "certificate {...}", Text: true},
		{Mode: "ca-trustpoint", Words: "enrollment|subject-name|revocation-check|rsakeypair ..."},
		{Mode: "archive", Words: "path <word>"},
		{Mode: "archive", Words: "maximum <int>"},
		{Mode: "archive", Words: "write-memory"},
		{Mode: "archive", Words: "time-period <int>"},
		{Mode: "archive", Words: "log config", Opens: "archive-log-cfg"},
		{Mode: "archive-log-cfg", Words: "logging enable"},
		{Mode: "archive-log-cfg", Words: "hidekeys"},

		{Mode: "if", Words: "description ..."},
		{Mode: "if", Words: "shutdown"},
		{Mode: "if", Words: "vrf forwarding <word>"},
		{Mode: "if", Words: "ip address <ip> <mask>", Not: both},
		{Mode: "if", Words: "ip address {ip} {mask} secondary"},
		{Mode: "if", Words: "ip address <dhcp>"},
		{Mode: "if", Words: "ip address", Not: stored},
		{Mode: "if", Words: "ip mtu <int>"},
		{Mode: "if", Words: "mtu <int>"},
		{Mode: "if", Words: "ip helper-address {ip}"},
		{Mode: "if", Words: "ip access-group <word> {in|out}"},
		{Mode: "if", Words: "ip proxy-arp", Not: stored},
		{Mode: "if", Words: "ip redirects", Not: stored},
		{Mode: "if", Words: "ip ospf {cost|network|priority|area} ..."},
		{Mode: "if", Words: "ipv6 enable"},
		{Mode: "if", Words: "ipv6 address {prefix6}"},
		{Mode: "if", Words: "negotiation auto", Not: both},
		{Mode: "if", Words: "duplex <word>"},
		{Mode: "if", Words: "speed <word>"},
		{Mode: "if", Words: "encapsulation dot1Q <vlan>"},
		{Mode: "if", Words: "switchport", Not: stored},
		{Mode: "if", Words: "switchport mode <access|trunk>"},
		{Mode: "if", Words: "switchport access vlan <vlan>"},
		{Mode: "if", Words: "switchport trunk native vlan <vlan>"},
		{Mode: "if", Words: "switchport trunk allowed vlan <vlans>"},
		{Mode: "if", Words: "channel-group <int> mode <active|passive|on>"},
		{Mode: "if", Words: "spanning-tree portfast ...?"},
		{Mode: "if", Words: "spanning-tree bpduguard <enable|disable>"},
		{Mode: "if", Words: "standby|vrrp {int} {ip|priority|preempt|timers|authentication} ...?"},
		{Mode: "config-vlan", Words: "name <word>"},
		{Mode: "vrf", Words: "rd <word>"},
		{Mode: "vrf", Words: "description ..."},
		{Mode: "vrf", Words: "address-family {ipv4|ipv6}", Opens: "vrf-af"},
		{Mode: "vrf-af", Words: "route-target {import|export} {word}"},
		{Mode: "sg", Words: "server {...}"},
		{Mode: "ext-nacl", Words: "{int} permit|deny|remark ..."},
		{Mode: "ext-nacl", Words: "permit|deny|remark {...}"},
		{Mode: "std-nacl", Words: "{int} permit|deny|remark ..."},
		{Mode: "std-nacl", Words: "permit|deny|remark {...}"},
		{Mode: "route-map", Words: "match|set {word} ..."},
		{Mode: "route-map", Words: "description ..."},
		{Mode: "line", Words: "exec-timeout ..."},
		{Mode: "line", Words: "logging synchronous"},
		{Mode: "line", Words: "login <local>"},
		{Mode: "line", Words: "login"},
		{Mode: "line", Words: "password ..."},
		{Mode: "line", Words: "privilege level <int>"},
		{Mode: "line", Words: "stopbits <int>"},
		{Mode: "line", Words: "transport input ..."},
		{Mode: "line", Words: "access-class <word> {in}"},
		{Mode: "router", Words: "router-id <ip>"},
		{Mode: "router", Words: "bgp router-id <ip>"},
		{Mode: "router", Words: "bgp log-neighbor-changes", Not: both},
		{Mode: "router", Words: "neighbor {peer} {remote-as|description|update-source|password|peer-group|shutdown|activate} ...?"},
		{Mode: "router", Words: "network {ip} mask {mask}"},
		{Mode: "router", Words: "network {ip} {mask} area <area>"},
		{Mode: "router", Words: "passive-interface {word}", Not: both},
		{Mode: "router", Words: "redistribute {word} ...?"},
		{Mode: "router", Words: "address-family {...}", Opens: "router-af"},
		{Mode: "router-af", Words: "neighbor {peer} {activate|next-hop-self|send-community} ...?", Not: both},
		{Mode: "router-af", Words: "neighbor {peer} route-map|prefix-list <word> {in|out}"},
		{Mode: "router-af", Words: "network {ip} mask {mask}"},
		{Mode: "router-af", Words: "redistribute {word} ...?"},
	}
}
