package eos

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// eosRow is one kind of statement. Words are matched one by one:
//
//	word       itself
//	a|b        one of the words
//	<type>     a value; {type} one that is part of the statement's key, so that
//	           statements with another value stand beside it
//	...        any further words; {...} any, part of the key
//
// A word or value followed by "?" may be missing.
type eosRow struct {
	mode  string // where it stands: "top", "if", …
	words string
	opens string // mode of the block that it opens
	not   eosNot
	text  bool // a banner: text up to EOF follows

	elements []eosElement // words, compiled
	short    int          // elements before the first value that is not in the key, or -1
}

// eosElement is one word of a row.
type eosElement struct {
	text     string
	optional bool
	rest     bool // "..." or "{...}"
}

// eosByMode is the grammar, compiled at its first use.
var eosByMode = sync.OnceValue(func() map[string][]*eosRow {
	byMode := map[string][]*eosRow{}
	for _, r := range eosRows() {
		r.short = -1
		for i, w := range strings.Fields(r.words) {
			e := eosElement{text: strings.Replace(w, "?", "", 1)}
			e.optional = e.text != w
			e.rest = e.text == "..." || e.text == "{...}"
			if r.short < 0 && w[0] == '<' {
				r.short = i
			}
			r.elements = append(r.elements, e)
		}
		byMode[r.mode] = append(byMode[r.mode], &r)
	}
	return byMode
})

// eosNot says what "no" does to a statement.
type eosNot int

const (
	notRemoves eosNot = iota // default off: "no x" removes x
	notStored                // default on: "no x" is shown, "x" is not
	notBoth                  // both are shown
)

// eosRows is a useful part of the EOS command reference.
func eosRows() []eosRow {
	return []eosRow{
		{mode: "top", words: "hostname <host>"},
		{mode: "top", words: "aaa root", not: notBoth},
		{mode: "top", words: "aaa authentication|authorization|accounting {...}", not: notBoth},
		{mode: "top", words: "aaa group server {word} {word}", opens: "sg"},
		{mode: "top", words: "username {word} ..."},
		{mode: "top", words: "enable secret|password ..."},
		{mode: "top", words: "role {word}", opens: "role"},
		{mode: "top", words: "switchport default mode <access|routed>"},
		{mode: "top", words: "transceiver qsfp default-mode ..."},
		{mode: "top", words: "service routing protocols model <multi-agent|ribd>"},
		{mode: "top", words: "service {...}", not: notBoth},
		{mode: "top", words: "ip domain-name <host>"},
		{mode: "top", words: "dns domain <host>"},
		{mode: "top", words: "ip name-server vrf {word} {ip} {ip?} {ip?}"},
		{mode: "top", words: "ip name-server {ip}"},
		{mode: "top", words: "ip domain lookup {...}"},
		{mode: "top", words: "clock timezone ..."},
		{mode: "top", words: "lldp run", not: notStored},
		{mode: "top", words: "lldp timer|holdtime|reinit <int>"},
		{mode: "top", words: "logging host {host} {...?}"},
		{mode: "top", words: "logging buffered ..."},
		{mode: "top", words: "logging console <level>", not: notStored},
		{mode: "top", words: "logging trap|monitor|facility|source-interface ..."},
		{mode: "top", words: "logging format|policy|vrf {...}"},
		{mode: "top", words: "logging level {word} <level>"},
		{mode: "top", words: "ntp server vrf {word} {host} ...?"},
		{mode: "top", words: "ntp server {host} ...?"},
		{mode: "top", words: "ntp authenticate"},
		{mode: "top", words: "ntp authentication-key {int} ..."},
		{mode: "top", words: "ntp trusted-key ..."},
		{mode: "top", words: "ntp local-interface {...}"},
		{mode: "top", words: "radius-server|tacacs-server {...}"},
		{mode: "top", words: "snmp-server contact|location|engineID ..."},
		{mode: "top", words: "snmp-server community {word} ...?"},
		{mode: "top", words: "snmp-server host|view|group|user|enable|local-interface|vrf {...}"},
		{mode: "top", words: "spanning-tree mode <mstp|rstp|rapid-pvst|none>"},
		{mode: "top", words: "spanning-tree mst configuration", opens: "mst"},
		{mode: "top", words: "spanning-tree {...}", not: notBoth},
		{mode: "top", words: "vlan internal order ..."},
		{mode: "top", words: "vlan {vlans}", opens: "vlan"},
		{mode: "top", words: "vrf instance {word}", opens: "vrf"},
		{mode: "top", words: "interface {interface}", opens: "if"},
		{mode: "top", words: "mac address-table {...}"},
		{mode: "top", words: "ip virtual-router mac-address <mac>"},
		{mode: "top", words: "ip routing vrf {word}", not: notBoth},
		{mode: "top", words: "ip routing", not: notBoth},
		{mode: "top", words: "ipv6 unicast-routing vrf {word}"},
		{mode: "top", words: "ipv6 unicast-routing"},
		{mode: "top", words: "ip route vrf {word} {prefix} {...}"},
		{mode: "top", words: "ip route {prefix} {...}"},
		{mode: "top", words: "ipv6 route vrf {word} {prefix6} {...}"},
		{mode: "top", words: "ipv6 route {prefix6} {...}"},
		{mode: "top", words: "ip prefix-list {word} seq {int} permit|deny ..."},
		{mode: "top", words: "ip prefix-list {word}", opens: "ipp"},
		{mode: "top", words: "ipv6 prefix-list {word}", opens: "ipv6p"},
		{mode: "top", words: "ip community-list {...}"},
		{mode: "top", words: "ip access-list standard {word}", opens: "acl"},
		{mode: "top", words: "ip access-list {word}", opens: "acl"},
		{mode: "top", words: "ipv6 access-list {word}", opens: "ipv6-acl"},
		{mode: "top", words: "ip ssh {...}"},
		{mode: "top", words: "route-map {word} <permit|deny> {int}", opens: "route-map"},
		{mode: "top", words: "router bgp <asn>", opens: "router-bgp"},
		{mode: "top", words: "router ospf {int} vrf {word}", opens: "router-ospf"},
		{mode: "top", words: "router ospf {int}", opens: "router-ospf"},
		{mode: "top", words: "mlag configuration", opens: "mlag"},
		{mode: "top", words: "control-plane", opens: "cp"},
		{mode: "top", words: "banner {login|motd}", text: true},
		{mode: "top", words: "management api http-commands", opens: "mgmt-api-http-cmds"},
		{mode: "top", words: "management api gnmi", opens: "mgmt-api-gnmi"},
		{mode: "top", words: "management ssh", opens: "mgmt-ssh"},
		{mode: "top", words: "management telnet", opens: "mgmt-telnet"},
		{mode: "top", words: "management console", opens: "mgmt-console"},
		{mode: "top", words: "management security", opens: "mgmt-security"},

		{mode: "if", words: "description ..."},
		{mode: "if", words: "mtu <int>"},
		{mode: "if", words: "shutdown"},
		{mode: "if", words: "speed ..."},
		{mode: "if", words: "vrf <word>"},
		{mode: "if", words: "switchport", not: notStored},
		{mode: "if", words: "switchport mode <access|trunk|dot1q-tunnel>"},
		{mode: "if", words: "switchport access vlan <vlan>"},
		{mode: "if", words: "switchport trunk native vlan <vlan>"},
		{mode: "if", words: "switchport trunk allowed vlan <vlans>"},
		{mode: "if", words: "switchport trunk group {word}"},
		{mode: "if", words: "ip address {prefix} secondary"},
		{mode: "if", words: "ip address <prefix|dhcp>"},
		{mode: "if", words: "ip address virtual <prefix>"},
		{mode: "if", words: "ip virtual-router address {ip}"},
		{mode: "if", words: "ip helper-address {ip} ...?"},
		{mode: "if", words: "ip ospf network <point-to-point|broadcast>"},
		{mode: "if", words: "ip ospf area <area>"},
		{mode: "if", words: "ip ospf cost <int>"},
		{mode: "if", words: "ip ospf authentication ...?"},
		{mode: "if", words: "ip ospf authentication-key ..."},
		{mode: "if", words: "ip ospf message-digest-key {int} ..."},
		{mode: "if", words: "ip access-group <word> {in|out}"},
		{mode: "if", words: "ip proxy-arp"},
		{mode: "if", words: "ipv6 enable"},
		{mode: "if", words: "ipv6 address auto-config"},
		{mode: "if", words: "ipv6 address {prefix6}"},
		{mode: "if", words: "ipv6 nd {...}"},
		{mode: "if", words: "channel-group <int> mode <on|active|passive>"},
		{mode: "if", words: "lacp {...}"},
		{mode: "if", words: "lldp transmit|receive", not: notStored},
		{mode: "if", words: "spanning-tree portfast ...?"},
		{mode: "if", words: "spanning-tree {...}"},
		{mode: "if", words: "storm-control {...}"},
		{mode: "if", words: "mlag <int>"},
		{mode: "if", words: "encapsulation dot1q vlan <vlan>"},
		{mode: "if", words: "vxlan {...}"},
		{mode: "if", words: "load-interval|error-correction|flowcontrol ..."},

		{mode: "vlan", words: "name <word>"},
		{mode: "vlan", words: "state <active|suspend>"},
		{mode: "vlan", words: "trunk group {word}"},
		{mode: "vrf", words: "rd <word>"},
		{mode: "vrf", words: "description ..."},
		{mode: "mst", words: "name|revision <word>"},
		{mode: "mst", words: "instance {int} vlan <vlans>"},
		{mode: "acl", words: "{int} permit|deny|remark ..."},
		{mode: "acl", words: "counters per-entry"},
		{mode: "ipv6-acl", words: "{int} permit|deny|remark ..."},
		{mode: "ipp", words: "seq {int} permit|deny ..."},
		{mode: "ipv6p", words: "seq {int} permit|deny ..."},
		{mode: "role", words: "{int} permit|deny ..."},
		{mode: "sg", words: "server {...}"},
		{mode: "route-map", words: "match|set {word} ..."},
		{mode: "route-map", words: "description ..."},
		{mode: "cp", words: "service-policy input copp-system-policy", not: notStored},
		{mode: "cp", words: "ip access-group {word} {in} ...?"},
		{mode: "mgmt-api-http-cmds", words: "shutdown", not: notStored},
		{mode: "mgmt-api-http-cmds", words: "protocol {http|https|unix-socket} ...?", not: notBoth},
		{mode: "mgmt-api-http-cmds", words: "vrf {word}", opens: "mgmt-api-http-cmds-vrf"},
		{mode: "mgmt-api-http-cmds-vrf", words: "shutdown", not: notStored},
		{mode: "mgmt-api-gnmi", words: "transport grpc {word}", opens: "gnmi-transport"},
		{mode: "mgmt-api-gnmi", words: "provider <word>"},
		{mode: "gnmi-transport", words: "port <int>"},
		{mode: "gnmi-transport", words: "vrf <word>"},
		{mode: "mgmt-ssh", words: "shutdown", not: notBoth},
		{mode: "mgmt-ssh", words: "idle-timeout <int>"},
		{mode: "mgmt-ssh", words: "vrf {word}", opens: "mgmt-ssh-vrf"},
		{mode: "mgmt-ssh", words: "authentication|cipher|connection|key-exchange|mac|server-port|ip {...}"},
		{mode: "mgmt-ssh-vrf", words: "shutdown", not: notStored},
		{mode: "mgmt-telnet", words: "shutdown", not: notStored},
		{mode: "mgmt-console", words: "idle-timeout <int>"},
		{mode: "mgmt-security", words: "password {...}"},
		{mode: "mgmt-security", words: "ssl profile {word}", opens: "mgmt-sec-ssl"},
		{mode: "mgmt-sec-ssl", words: "certificate {word} key {word}"},
		{mode: "mlag", words: "domain-id|local-interface|peer-address|peer-link|reload-delay ..."},

		{mode: "router-bgp", words: "router-id <ip>"},
		{mode: "router-bgp", words: "timers bgp ..."},
		{mode: "router-bgp", words: "maximum-paths ..."},
		{mode: "router-bgp", words: "distance bgp ..."},
		{mode: "router-bgp", words: "bgp {...}", not: notBoth},
		{mode: "router-bgp", words: "neighbor {peer} peer group ...?"},
		{mode: "router-bgp", words: "neighbor {peer} peer-group ...?"},
		{mode: "router-bgp", words: "neighbor {peer} {remote-as|description|update-source|password|shutdown|next-hop-self|send-community|ebgp-multihop|maximum-routes|timers|bfd|local-as|weight|route-reflector-client|default-originate|allowas-in} ...?", not: notBoth},
		{mode: "router-bgp", words: "neighbor {peer} route-map|prefix-list <word> {in|out}"},
		{mode: "router-bgp", words: "network {prefix} ...?"},
		{mode: "router-bgp", words: "aggregate-address {prefix} ...?"},
		{mode: "router-bgp", words: "redistribute {word} ...?"},
		{mode: "router-bgp", words: "address-family {word}", opens: "router-bgp-af"},
		{mode: "router-bgp", words: "vrf {word}", opens: "router-bgp-vrf"},
		{mode: "router-bgp-af", words: "neighbor {peer} {activate|next-hop-self|default-originate}", not: notBoth},
		{mode: "router-bgp-af", words: "neighbor {peer} route-map|prefix-list <word> {in|out}"},
		{mode: "router-bgp-af", words: "network {prefix} ...?"},
		{mode: "router-bgp-af", words: "redistribute {word} ...?"},
		{mode: "router-bgp-vrf", words: "rd <word>"},
		{mode: "router-bgp-vrf", words: "router-id <ip>"},
		{mode: "router-bgp-vrf", words: "route-target {import|export} ..."},
		{mode: "router-bgp-vrf", words: "neighbor {peer} {remote-as|description|password|shutdown} ...?"},
		{mode: "router-bgp-vrf", words: "redistribute {word} ...?"},

		{mode: "router-ospf", words: "router-id <ip>"},
		{mode: "router-ospf", words: "passive-interface {word}", not: notBoth},
		{mode: "router-ospf", words: "network {prefix} area <area>"},
		{mode: "router-ospf", words: "redistribute {word} ...?"},
		{mode: "router-ospf", words: "area {area} ..."},
		{mode: "router-ospf", words: "max-lsa <int>"},
		{mode: "router-ospf", words: "default-information originate ...?"},
		{mode: "router-ospf", words: "log-adjacency-changes ...?"},
		{mode: "router-ospf", words: "auto-cost reference-bandwidth <int>"},
		{mode: "router-ospf", words: "distance ospf ..."},
		{mode: "router-ospf", words: "timers ..."},
	}
}

// eosMatch is the outcome of comparing words with a row.
type eosMatch int

const (
	matchNone eosMatch = iota
	matchPrefix
	matchFull
)

// match compares a line's words with the row and gives the statement's key.
func (r *eosRow) match(words, ports []string) (eosMatch, string) {
	return matchElements(r.elements, words, ports)
}

// negated matches what follows "no" with a row whose negation is shown. The
// values of the positive form may be missing.
func (r *eosRow) negated(words, ports []string) (key string, ok bool) {
	m, key := r.match(words, ports)
	if m != matchFull && r.short > 0 {
		m, key = matchElements(r.elements[:r.short], words, ports)
	}
	return key, m == matchFull
}

func matchElements(elements []eosElement, words, ports []string) (eosMatch, string) {
	var key []string
	i := 0
	for _, e := range elements {
		if e.rest {
			if i == len(words) && !e.optional {
				return matchPrefix, ""
			}
			if e.text != "..." {
				key = append(key, words[i:]...)
			}
			return matchFull, strings.Join(key, " ")
		}
		switch {
		case i == len(words) && e.optional:
			continue
		case i == len(words):
			return matchPrefix, ""
		case !eosWord(e.text, words[i], ports):
			if e.optional {
				continue
			}
			return matchNone, ""
		}
		if e.text[0] != '<' {
			key = append(key, words[i])
		}
		i++
	}
	if i < len(words) {
		return matchNone, ""
	}
	return matchFull, strings.Join(key, " ")
}

// eosWord compares one word with one element of a row.
func eosWord(p, w string, ports []string) bool {
	if p[0] != '<' && p[0] != '{' {
		for one := range strings.SplitSeq(p, "|") {
			if one == w {
				return true
			}
		}
		return false
	}
	for kind := range strings.SplitSeq(p[1:len(p)-1], "|") {
		if eosValue(kind, w, ports) {
			return true
		}
	}
	return false
}

func eosValue(kind, w string, ports []string) bool {
	number := func(lo, hi int) bool {
		n, err := strconv.Atoi(w)
		return err == nil && n >= lo && n <= hi
	}
	switch kind {
	case "word", "peer":
		return w != ""
	case "host":
		return !strings.ContainsAny(w, `"'|/`)
	case "int":
		return number(0, 1<<32-1)
	case "vlan":
		return number(1, 4094)
	case "vlans":
		return w == "none" || w == "all" || eosVLANs(w)
	case "asn":
		hi, lo, dotted := strings.Cut(w, ".")
		if dotted {
			a, err1 := strconv.ParseUint(hi, 10, 16)
			b, err2 := strconv.ParseUint(lo, 10, 16)
			return err1 == nil && err2 == nil && a+b > 0
		}
		return number(1, 1<<32-1)
	case "area":
		a, err := netip.ParseAddr(w)
		return number(0, 1<<32-1) || err == nil && a.Is4()
	case "ip":
		a, err := netip.ParseAddr(w)
		return err == nil && a.Is4() || kind == "peer"
	case "prefix":
		a, err := netip.ParsePrefix(w)
		return err == nil && a.Addr().Is4()
	case "prefix6":
		a, err := netip.ParsePrefix(w)
		return err == nil && a.Addr().Is6()
	case "mac":
		return len(w) == 14 || len(w) == 17
	case "level":
		return slices.Contains([]string{"emergencies", "alerts", "critical", "errors", "warnings", "notifications", "informational", "debugging"}, w) || number(0, 7)
	case "interface":
		return eosInterface(w, ports)
	}
	return w == kind
}

// eosVLANs accepts "10", "10,20" and "10-19,30".
func eosVLANs(w string) bool {
	for part := range strings.SplitSeq(w, ",") {
		lo, hi, ranged := strings.Cut(part, "-")
		a, err := strconv.Atoi(lo)
		b := a
		if ranged && err == nil {
			b, err = strconv.Atoi(hi)
		}
		if err != nil || a < 1 || b > 4094 || a > b {
			return false
		}
	}
	return true
}

// eosInterface accepts the unit's own ports with their sub-interfaces, and the
// kinds that software makes.
func eosInterface(w string, ports []string) bool {
	base, sub, dotted := strings.Cut(w, ".")
	if dotted {
		if n, err := strconv.Atoi(sub); err != nil || n < 1 {
			return false
		}
	}
	if slices.Contains(ports, base) {
		return true
	}
	for _, kind := range []string{"Loopback", "Vlan", "Port-Channel", "Tunnel", "Vxlan"} {
		if n, ok := strings.CutPrefix(base, kind); ok {
			_, err := strconv.ParseUint(n, 10, 16)
			return err == nil
		}
	}
	return false
}
