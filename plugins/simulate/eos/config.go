package eos

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// eosStatement is one statement of an EOS configuration.
type eosStatement struct {
	text  string   // without indentation: "ip address 10.0.0.1/24"
	key   string   // what a later statement of the same key replaces: "ip address"
	mode  string   // mode of the block it opens; "" for a plain statement
	body  []string // of a banner: its text and the line that ends it
	inner []*eosStatement
}

// eosConfig is a configuration: what running, startup and session
// configurations are made of.
type eosConfig struct {
	top []*eosStatement
}

func (c *eosConfig) clone() *eosConfig { return &eosConfig{cloneStatements(c.top)} }

func cloneStatements(list []*eosStatement) []*eosStatement {
	out := make([]*eosStatement, len(list))
	for i, s := range list {
		n := *s
		n.inner = cloneStatements(s.inner)
		out[i] = &n
	}
	return out
}

// find returns the top-level statement with the key, or nil.
func (c *eosConfig) find(key string) *eosStatement { return findStatement(c.top, key) }

func findStatement(list []*eosStatement, key string) *eosStatement {
	for _, s := range list {
		if s.key == key {
			return s
		}
	}
	return nil
}

// put adds a statement or replaces the one with its key, in its place. The
// body of a block that is entered again stays.
func put(list *[]*eosStatement, s *eosStatement) *eosStatement {
	for i, old := range *list {
		if old.key != s.key {
			continue
		}
		if s.mode != "" && old.text == s.text {
			return old
		}
		(*list)[i] = s
		return s
	}
	*list = append(*list, s)
	return s
}

// eosOrder is where a device keeps each kind of top-level statement, and which
// kinds stand together without a "!" between them. Releases differ in both;
// the order of the configuration the device was made from goes first.
type eosOrder struct {
	rank   map[string]int
	joined map[[2]string]bool
}

// eosSections is the order observed on vEOS 4.22 and cEOS 4.36.
var eosSections = strings.Fields(`
	aaa:root username switchport:default transceiver service:routing queue-monitor
	daemon event-handler hostname ip:domain ip:name-server dns ip:domain-name
	lldp logging ntp ptp radius-server tacacs-server aaa:group
	platform snmp-server spanning-tree system:l1 enable aaa:authentication aaa:authorization
	aaa:accounting role tap vlan vrf management:api:prelude interface mac mac:address-table
	ip:virtual-router ip:access-list ipv6:access-list ip:routing ipv6:unicast-routing system:control-plane
	ip:prefix-list ipv6:prefix-list ip:community-list ip:route ipv6:route mlag route-map peer-filter
	router control-plane banner management end`)

func newEOSOrder(sample []*eosStatement) *eosOrder {
	o := &eosOrder{rank: map[string]int{}, joined: map[[2]string]bool{}}
	var order []string
	for _, s := range sample {
		if g := section(s); !slices.Contains(order, g) {
			order = append(order, g)
		}
	}
	for i, g := range eosSections {
		g = strings.ReplaceAll(g, ":", " ")
		if slices.Contains(order, g) {
			continue
		}
		at := 0
		for j := i - 1; j >= 0; j-- {
			if k := slices.Index(order, strings.ReplaceAll(eosSections[j], ":", " ")); k >= 0 {
				at = k + 1
				break
			}
		}
		order = slices.Insert(order, at, g)
	}
	for i, g := range order {
		o.rank[g] = i
	}
	return o
}

// section names the kind of a top-level statement: its first word, or two for
// the words that begin many kinds.
func section(s *eosStatement) string {
	w := strings.Fields(strings.TrimPrefix(s.text, "no "))
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

func (o *eosOrder) of(s *eosStatement) int {
	if r, ok := o.rank[section(s)]; ok {
		return r
	}
	return o.rank["interface"] // unknown kinds stand before the interfaces
}

// render prints the configuration as the device shows it, from the first
// statement to "end".
func (o *eosOrder) render(c *eosConfig) string {
	top := slices.Clone(c.top)
	slices.SortStableFunc(top, func(a, b *eosStatement) int {
		if d := cmp.Compare(o.of(a), o.of(b)); d != 0 {
			return d
		}
		if d := cmp.Compare(section(a), section(b)); d != 0 {
			return d
		}
		switch section(a) {
		case "interface":
			return naturalCompare(a.text, b.text)
		case "vlan", "vrf", "username", "ip route", "management":
			return naturalCompare(strings.TrimPrefix(a.text, "no "), strings.TrimPrefix(b.text, "no "))
		}
		return 0
	})
	var b strings.Builder
	for i, s := range top {
		if i > 0 {
			before := top[i-1]
			together := section(before) == section(s) || o.joined[[2]string{section(before), section(s)}]
			if !together || before.mode != "" || before.body != nil || s.mode != "" {
				b.WriteString("!\n")
			}
		}
		renderStatement(&b, s, 0)
	}
	if len(top) > 0 {
		b.WriteString("!\n")
	}
	b.WriteString("end\n")
	return b.String()
}

func renderStatement(b *strings.Builder, s *eosStatement, depth int) {
	indent := strings.Repeat("   ", depth)
	b.WriteString(indent + s.text + "\n")
	for _, l := range s.body {
		b.WriteString(l + "\n")
	}
	for _, k := range s.inner {
		if k.mode == "" {
			renderStatement(b, k, depth+1)
		}
	}
	first := true
	for _, k := range s.inner {
		if k.mode != "" {
			if !first || slices.ContainsFunc(s.inner, func(x *eosStatement) bool { return x.mode == "" }) {
				b.WriteString(indent + "   !\n")
			}
			first = false
			renderStatement(b, k, depth+1)
		}
	}
}

// naturalCompare compares text with its numbers as numbers, so that Ethernet2
// comes before Ethernet10 and 10.0.0.9 before 10.0.0.10.
func naturalCompare(a, b string) int {
	for a != "" && b != "" {
		na, ra := digits(a)
		nb, rb := digits(b)
		if na != "" && nb != "" {
			x, _ := strconv.Atoi(na)
			y, _ := strconv.Atoi(nb)
			if d := cmp.Compare(x, y); d != 0 {
				return d
			}
			a, b = ra, rb
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(interfaceRank(a), interfaceRank(b))
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// interfaceRank puts Port-Channel before Ethernet, as the device does, and
// leaves all else in the order of its first byte.
func interfaceRank(s string) int {
	if strings.HasPrefix(s, "Port-Channel") {
		return 0
	}
	return 1 + int(s[0])
}

func digits(s string) (number, rest string) {
	i := 0
	for i < len(s) && i < 9 && unicode.IsDigit(rune(s[i])) {
		i++
	}
	return s[:i], s[i:]
}
