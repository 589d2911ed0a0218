package nxos

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// The texts by which NX-OS refuses a statement.
const (
	invalid    = "% Invalid command at '^' marker."
	incomplete = "% Incomplete command at '^' marker." // tail unconfirmed
)

// dialect is the configuration of NX-OS.
func dialect() *statements.Dialect {
	return &statements.Dialect{
		Rows: rows(), Ports: []string{"Ethernet1/1", "Ethernet1/2", "Ethernet1/3", "Ethernet1/4", "mgmt0"},
		IsPort: func(n string) bool {
			return !strings.Contains(n, ".") && (strings.HasPrefix(n, "Ethernet") || n == "mgmt0")
		},
		Interface: interfaceName,
		Indent:    "  ",
		Print: func(indent string, s *statements.Statement) string {
			return s.Text + " @" + strings.Join(s.Body, "\n") + "@\n"
		},
		Sections: []string{"hostname", "vdc", "feature", "no-feature", "username", "ip domain-lookup", "ip domain-name", "ip name-server", "copp", "snmp-server", "ntp", "aaa", "logging",
			"vlan", "spanning-tree", "ip prefix-list", "route-map", "ip access-list", "vrf", "interface", "line", "boot", "router", "ip route", "banner"},
		Section: func(w []string) string {
			if w[0] == "ip" && len(w) > 1 {
				return "ip " + w[1]
			}
			return w[0]
		},
		Sorted: []string{"interface", "vlan", "username", "feature"}, Unknown: "interface",
		Header:  []string{"version "},
		Invalid: invalid, Incomplete: incomplete, Text: text,
	}
}

// text begins a banner, whose delimiter is its first character.
func text(line string, words []string) (string, []string, func(string) (string, bool)) {
	head := strings.Join(words[:2], " ")
	rest := strings.TrimLeft(line[strings.Index(line, words[1])+len(words[1]):], " ")
	delimiter, body := rest[:1], rest[1:]
	if before, _, closed := strings.Cut(body, delimiter); closed {
		return head, []string{before}, nil
	}
	return head, []string{body}, func(l string) (string, bool) {
		before, _, closed := strings.Cut(l, delimiter)
		return before, closed
	}
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
	for _, kind := range []string{"loopback", "Vlan", "port-channel", "Tunnel", "nve"} {
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
		{Mode: "top", Words: "feature {word}", Not: both},
		{Mode: "top", Words: "username {word} password ..."},
		{Mode: "top", Words: "ip domain-lookup", Not: both},
		{Mode: "top", Words: "ip domain-name <host>"},
		{Mode: "top", Words: "ip name-server {...}"},
		{Mode: "top", Words: "copp profile <word>"},
		{Mode: "top", Words: "password strength-check", Not: stored},
		{Mode: "top", Words: "snmp-server community {word} ..."},
		{Mode: "top", Words: "snmp-server contact|location ..."},
		{Mode: "top", Words: "snmp-server host|user|enable {...}"},
		{Mode: "top", Words: "ntp server {host} ...?"},
		{Mode: "top", Words: "aaa authentication|authorization|accounting|group {...}"},
		{Mode: "top", Words: "logging server|level|logfile|source-interface {...}"},
		{Mode: "top", Words: "vlan {vlans}", Opens: "config-vlan"},
		{Mode: "top", Words: "spanning-tree mode <rapid-pvst|mst>"},
		{Mode: "top", Words: "spanning-tree vlan {vlans} priority <int>"},
		{Mode: "top", Words: "ip prefix-list {word} seq {int} permit|deny ..."},
		{Mode: "top", Words: "route-map {word} <permit|deny> {int}", Opens: "route-map"},
		{Mode: "top", Words: "ip access-list {word}", Opens: "acl"},
		{Mode: "top", Words: "vrf context {word}", Opens: "vrf"},
		{Mode: "top", Words: "interface {interface}", Opens: "if"},
		{Mode: "top", Words: "line console|vty", Opens: "line"},
		{Mode: "top", Words: "boot nxos <word>"},
		{Mode: "top", Words: "router ospf {word}", Opens: "router"},
		{Mode: "top", Words: "router bgp <asn>", Opens: "router"},
		{Mode: "top", Words: "ip route {prefix} {...}"},
		{Mode: "top", Words: "banner {motd|exec} ...", Text: true},
		{Mode: "if", Words: "description ..."},
		{Mode: "if", Words: "shutdown", Not: both},
		{Mode: "if", Words: "switchport", Not: both},
		{Mode: "if", Words: "mtu <int>"},
		{Mode: "if", Words: "vrf member <word>"},
		{Mode: "if", Words: "ip address {prefix} secondary"},
		{Mode: "if", Words: "ip address <prefix>"},
		{Mode: "if", Words: "ip router ospf <word> area <area>"},
		{Mode: "if", Words: "ipv6 address {prefix6}"},
		{Mode: "if", Words: "switchport mode <access|trunk>"},
		{Mode: "if", Words: "switchport access vlan <vlan>"},
		{Mode: "if", Words: "switchport trunk native vlan <vlan>"},
		{Mode: "if", Words: "switchport trunk allowed vlan <vlans>"},
		{Mode: "if", Words: "channel-group <int> mode <active|passive|on>"},
		{Mode: "if", Words: "spanning-tree port type <edge|network>"},
		{Mode: "config-vlan", Words: "name <word>"},
		{Mode: "vrf", Words: "ip route {prefix} {...}"},
		{Mode: "vrf", Words: "rd <word>"},
		{Mode: "acl", Words: "{int} permit|deny|remark ..."},
		{Mode: "route-map", Words: "match|set {word} ..."},
		{Mode: "line", Words: "exec-timeout <int>"},
		{Mode: "router", Words: "router-id <ip>"},
		{Mode: "router", Words: "address-family ipv4 unicast", Opens: "router-af"},
		{Mode: "router", Words: "neighbor {ip}", Opens: "router-neighbor"},
		{Mode: "router-af", Words: "network {prefix} ...?"},
		{Mode: "router-neighbor", Words: "remote-as <asn>"},
		{Mode: "router-neighbor", Words: "description ..."},
		{Mode: "router-neighbor", Words: "password ..."},
		{Mode: "router-neighbor", Words: "address-family ipv4 unicast", Opens: "router-neighbor-af"},
		{Mode: "router-neighbor-af", Words: "route-map <word> {in|out}"},
	}
}
