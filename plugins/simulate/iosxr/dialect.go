package iosxr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

const (
	invalid    = "% Invalid input detected at '^' marker."
	incomplete = "% Incomplete command."
)

// dialect is the configuration of IOS-XR.
func dialect() *statements.Dialect {
	return &statements.Dialect{
		Rows: rows(), Ports: []string{"GigabitEthernet0/0/0/0", "GigabitEthernet0/0/0/1", "MgmtEth0/RP0/CPU0/0"},
		IsPort: func(n string) bool {
			return !strings.Contains(n, ".") && (strings.HasPrefix(n, "GigabitEthernet") || strings.HasPrefix(n, "TenGigE") || strings.HasPrefix(n, "MgmtEth"))
		},
		Interface: interfaceName,
		Indent:    " ", Separator: "!", End: "end\n",
		Close: func(s *statements.Statement) string {
			if s.Mode != "" {
				return "!"
			}
			return ""
		},
		Print: func(indent string, s *statements.Statement) string {
			if strings.HasPrefix(s.Text, "banner ") {
				return s.Text + " ^" + strings.Join(s.Body, "\n") + "^\n"
			}
			return s.Text + "\n" + strings.Join(s.Body, "\n") + "\n"
		},
		Sections: []string{"hostname", "clock", "banner", "logging", "domain", "username", "aaa", "vrf", "line", "snmp-server", "ntp", "ipv4", "interface",
			"prefix-set", "route-policy", "router", "ssh"},
		Sorted: []string{"interface"}, Unknown: "interface", Leave: []string{"root"},
		Header:  []string{"Building configuration"},
		Invalid: invalid, Incomplete: incomplete, Text: text,
	}
}

// text begins a banner or the body of a policy or set.
func text(line string, words []string) (string, []string, func(string) (string, bool)) {
	if words[0] != "banner" {
		end := "end-set"
		if words[0] == "route-policy" {
			end = "end-policy"
		}
		return strings.Join(words, " "), []string{}, func(l string) (string, bool) { return l, strings.TrimSpace(l) == end }
	}
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
	for _, kind := range []string{"Loopback", "Bundle-Ether", "BVI", "tunnel-ip"} {
		if n, ok := strings.CutPrefix(base, kind); ok {
			_, err := strconv.ParseUint(n, 10, 16)
			return err == nil
		}
	}
	return false
}

func rows() []statements.Row {
	return []statements.Row{
		{Mode: "top", Words: "hostname <host>"},
		{Mode: "top", Words: "clock timezone ..."},
		{Mode: "top", Words: "banner {login|motd|exec} ...", Text: true},
		{Mode: "top", Words: "logging {...}"},
		{Mode: "top", Words: "domain name <host>"},
		{Mode: "top", Words: "domain name-server {ip}"},
		{Mode: "top", Words: "username {word}", Opens: "un"},
		{Mode: "top", Words: "aaa authentication|authorization|accounting {...}"},
		{Mode: "top", Words: "vrf {word}", Opens: "vrf"},
		{Mode: "top", Words: "line default|console", Opens: "line"},
		{Mode: "top", Words: "snmp-server community {word} ..."},
		{Mode: "top", Words: "snmp-server location|contact ..."},
		{Mode: "top", Words: "ntp", Opens: "ntp"},
		{Mode: "top", Words: "ipv4 access-list {word}", Opens: "ipv4-acl"},
		{Mode: "top", Words: "interface {interface}", Opens: "if"},
		{Mode: "top", Words: "prefix-set {word}", Text: true},
		{Mode: "top", Words: "route-policy {word}", Text: true},
		{Mode: "top", Words: "router static", Opens: "static"},
		{Mode: "top", Words: "router ospf {word}", Opens: "ospf"},
		{Mode: "top", Words: "router bgp <asn>", Opens: "bgp"},
		{Mode: "top", Words: "ssh server {...}"},
		{Mode: "un", Words: "group {word}"},
		{Mode: "un", Words: "secret <int> <word>"},
		{Mode: "vrf", Words: "address-family {ipv4|ipv6} {unicast}", Opens: "vrf-af"},
		{Mode: "vrf-af", Words: "import route-target", Opens: "vrf-import-rt"},
		{Mode: "vrf-af", Words: "export route-target", Opens: "vrf-export-rt"},
		{Mode: "vrf-import-rt", Words: "{word}"},
		{Mode: "vrf-export-rt", Words: "{word}"},
		{Mode: "line", Words: "exec-timeout <int> <int>"},
		{Mode: "line", Words: "transport input ..."},
		{Mode: "ntp", Words: "server {host} ...?"},
		{Mode: "ipv4-acl", Words: "{int} permit|deny|remark ..."},
		{Mode: "if", Words: "description ..."},
		{Mode: "if", Words: "shutdown"},
		{Mode: "if", Words: "mtu <int>"},
		{Mode: "if", Words: "vrf <word>"},
		{Mode: "if", Words: "ipv4 address <ip> <mask>"},
		{Mode: "if", Words: "ipv6 address {prefix6}"},
		{Mode: "if", Words: "encapsulation dot1q <vlan>"},
		{Mode: "if", Words: "bundle id <int> mode <active|passive|on>"},
		{Mode: "static", Words: "address-family {ipv4|ipv6} {unicast}", Opens: "static-af"},
		{Mode: "static-af", Words: "{prefix} {...}"},
		{Mode: "ospf", Words: "router-id <ip>"},
		{Mode: "ospf", Words: "area {area}", Opens: "ospf-ar"},
		{Mode: "ospf-ar", Words: "interface {interface}", Opens: "ospf-ar-if"},
		{Mode: "ospf-ar-if", Words: "cost <int>"},
		{Mode: "ospf-ar-if", Words: "passive enable"},
		{Mode: "bgp", Words: "bgp router-id <ip>"},
		{Mode: "bgp", Words: "address-family {word} {word}", Opens: "bgp-af"},
		{Mode: "bgp-af", Words: "network {prefix} ...?"},
		{Mode: "bgp", Words: "neighbor {ip}", Opens: "bgp-nbr"},
		{Mode: "bgp-nbr", Words: "remote-as <asn>"},
		{Mode: "bgp-nbr", Words: "description ..."},
		{Mode: "bgp-nbr", Words: "password encrypted <word>"},
		{Mode: "bgp-nbr", Words: "address-family {word} {word}", Opens: "bgp-nbr-af"},
		{Mode: "bgp-nbr-af", Words: "route-policy <word> {in|out}"},
	}
}
