package eos

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// The texts by which EOS refuses a statement.
const (
	eosInvalid    = "% Invalid input"
	eosIncomplete = "% Incomplete command"
)

// dialect is the configuration of EOS. The order is that observed on vEOS 4.22
// and cEOS 4.36.
var dialect = sync.OnceValue(func() *statements.Dialect {
	sections := strings.Fields(`
	aaa:root username switchport:default transceiver service:routing queue-monitor
	daemon event-handler hostname ip:domain ip:name-server dns ip:domain-name
	lldp logging ntp ptp radius-server tacacs-server aaa:group
	platform snmp-server spanning-tree system:l1 enable aaa:authentication aaa:authorization
	aaa:accounting role tap vlan vrf management:api:prelude interface mac mac:address-table
	ip:virtual-router ip:access-list ipv6:access-list ip:routing ipv6:unicast-routing system:control-plane
	ip:prefix-list ipv6:prefix-list ip:community-list ip:route ipv6:route mlag route-map peer-filter
	router control-plane banner management end`)
	for i, s := range sections {
		sections[i] = strings.ReplaceAll(s, ":", " ")
	}
	return &statements.Dialect{
		Rows: rows(), Ports: []string{"Ethernet1", "Ethernet2", "Ethernet3", "Ethernet4", "Management1"},
		IsPort: func(n string) bool {
			return !strings.Contains(n, ".") && (strings.HasPrefix(n, "Ethernet") || strings.HasPrefix(n, "Management"))
		},
		Interface: interfaceName,
		Indent:    "   ", Separator: "!", Inside: "!", End: "end\n",
		Sections: sections, Section: section, Sorted: []string{"interface", "vlan", "vrf", "username", "ip route", "management"},
		Unknown: "interface", First: "Port-Channel", KeepComment: "!!",
		Invalid: eosInvalid, Incomplete: eosIncomplete,
		Text: func(_ string, words []string) (string, []string, func(string) (string, bool)) {
			return strings.Join(words, " "), []string{}, func(line string) (string, bool) { return line, line == "EOF" }
		},
	}
})

// section names the kind of a top-level statement: its first word, or two for
// the words that begin many kinds.
func section(w []string) string {
	switch w[0] {
	case "aaa", "ip", "ipv6", "service", "system", "switchport", "management", "mac":
		if len(w) > 1 {
			if w[0] == "management" {
				return "management"
			}
			if w[0] == "ip" && w[1] == "domain-list" {
				return "ip name-server"
			}
			return w[0] + " " + w[1]
		}
	}
	return w[0]
}

// interfaceName accepts the unit's own ports with their sub-interfaces, and the
// kinds that software makes.
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
	for _, kind := range []string{"Loopback", "Vlan", "Port-Channel", "Tunnel", "Vxlan"} {
		if n, ok := strings.CutPrefix(base, kind); ok {
			_, err := strconv.ParseUint(n, 10, 16)
			return err == nil
		}
	}
	return false
}
