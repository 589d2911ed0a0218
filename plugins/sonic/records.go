package sonic

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// records yields the entries of CONFIG_DB. Entries that say several things
// become a record for each.
func records(text string) (*syntax.Doc, func(yield func(*syntax.Record) bool)) {
	j := syntax.ParseJSON(text)
	return nil, func(yield func(*syntax.Record) bool) {
		s := scan(j)
		var rules []syntax.Record
		done := false
		syntax.JSONRecords(j, "|", func(r *syntax.Record) bool {
			if r.Bad || len(r.Words) < 2 {
				if !r.Bad {
					r.Words, r.Title = []string{"empty", r.Words[0]}, r.Words[0]
				}
				done = !yield(r)
				return !done
			}
			r.Title = r.Words[0]
			switch r.Words[0] {
			case "ACL_RULE", "POLICY_SECTIONS_TABLE", "ACL_TABLE", "CLASSIFIER_TABLE", "POLICY_TABLE", "POLICY_BINDING_TABLE":
				c := *r
				c.Words, c.Attrs, c.Heads = slices.Clone(r.Words), sorted(r.Attrs), slices.Clone(r.Heads)
				rules = append(rules, c)
				return true
			}
			done = !s.apart(r, yield)
			return !done
		})
		slices.SortStableFunc(rules, byPriority)
		for i := range rules {
			if done || !yield(&rules[i]) {
				return
			}
		}
	}
}

// sorted are attributes in the order in which they are written.
func sorted(attrs []syntax.Attr) []syntax.Attr {
	return slices.SortedStableFunc(slices.Values(attrs), func(a, b syntax.Attr) int { return strings.Compare(a.Name, b.Name) })
}

// byPriority orders the rules of a table as the switch tries them, the highest
// first.
func byPriority(a, b syntax.Record) int {
	of := func(r syntax.Record) int64 {
		n := int64(-1)
		if p := r.Get("PRIORITY"); p != nil {
			n, _ = strconv.ParseInt(p.Value, 10, 64)
		}
		return n
	}
	if c := slices.Compare(a.Words[:len(a.Words)-1], b.Words[:len(b.Words)-1]); c != 0 {
		return c
	}
	return cmp.Or(-cmp.Compare(of(a), of(b)), slices.Compare(a.Words, b.Words))
}

// seen is what other entries need to know of the whole database.
type seen struct {
	as   map[string]string // the router's AS number by VRF, "default" without any
	mgmt bool              // the management port is in a VRF of its own
}

func scan(j *syntax.JSON) seen {
	s := seen{as: map[string]string{}}
	asn := lens.Builtin()["asn"]
	note := func(vrf string, a *syntax.Attr) {
		if a == nil {
			return
		}
		if _, ok := asn.Read(a.Value); ok {
			s.as[vrf] = a.Value
		}
	}
	syntax.JSONRecords(j, "|", func(r *syntax.Record) bool {
		switch {
		case r.Bad || len(r.Words) != 2:
		case r.Words[0] == "BGP_GLOBALS":
			note(r.Words[1], r.Get("local_asn"))
		case r.Words[0] == "DEVICE_METADATA" && s.as["default"] == "":
			note("default", r.Get("bgp_asn"))
		case r.Words[0] == "MGMT_VRF_CONFIG":
			a := r.Get("mgmtVrfEnabled")
			s.mgmt = a != nil && a.Value == "true"
		}
		return true
	})
	return s
}

// bgp puts the router's AS number into an entry, and the VRF where it is left
// out; false where there is no number.
func (s seen) bgp(r *syntax.Record) bool {
	c := slices.Clone(r.Words)
	if len(c) == 2 {
		c = []string{c[0], "default", c[1]}
	}
	as, ok := s.as[c[1]]
	if !ok {
		as, ok = s.as["default"]
	}
	if ok {
		r.Words = c
		r.Attrs = append(slices.Clone(r.Attrs), syntax.Attr{Name: ownAS, Value: as, From: r.From, To: r.From})
	}
	return ok
}

// ownAS is an attribute that no database has.
const ownAS = "own-as"

// without drops an attribute; its lines are then the entry's own.
func without(r *syntax.Record, names ...string) {
	r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return slices.Contains(names, a.Name) })
}

// piece is a record of some attributes of an entry, which loses them; nil
// without any.
func piece(r *syntax.Record, words []string, names ...string) *syntax.Record {
	p := syntax.Record{Words: words, Title: r.Title, Heads: r.Heads, From: -1}
	for i := range r.Attrs {
		if a := r.Attrs[i]; slices.Contains(names, a.Name) {
			if p.From < 0 {
				p.From, p.To = a.From, a.To
			}
			p.Attrs = append(p.Attrs, a)
		}
	}
	if p.From < 0 {
		return nil
	}
	without(r, names...)
	return &p
}

func (s seen) apart(r *syntax.Record, yield func(*syntax.Record) bool) bool {
	more := func(p *syntax.Record) bool { return p == nil || yield(p) }
	switch table := r.Words[0]; {
	case strings.HasPrefix(table, "PORT") || table == "MGMT_PORT" || table == "VLAN":
		if d := r.Get("description"); d != nil && d.Value == "" {
			without(r, "description")
		}
		if table == "VLAN" && !more(piece(r, []string{"helper", r.Words[1]}, "dhcp_servers")) {
			return false
		}
		if table == "PORTCHANNEL_INTERFACE" {
			return port(r, yield)
		}
	case table == "MGMT_INTERFACE" && len(r.Words) == 3:
		if r.Get("gwaddr") != nil && s.mgmt {
			r.Words = append([]string{"mgmt-vrf"}, r.Words[1:]...)
		}
	case table == "INTERFACE" || table == "MGMT_INTERFACE":
		return port(r, yield)
	case strings.HasPrefix(table, "BGP_") && table != "BGP_GLOBALS":
		s.bgp(r)
	case table == "DEVICE_METADATA" && r.Words[1] == "localhost":
		if !more(piece(r, []string{"hostname"}, "hostname")) || !more(piece(r, []string{"timezone"}, "timezone")) {
			return false
		}
		if a := r.Get("bgp_asn"); a != nil {
			if _, ok := lens.Builtin()["asn"].Read(a.Value); ok && !more(piece(r, []string{"bgp-asn"}, "bgp_asn")) {
				return false
			}
		}
	case table == "STATIC_ROUTE":
		return route(r, yield)
	}
	return yield(r)
}

// port takes what an interface's own entry says apart, since each makes the
// entry.
func port(r *syntax.Record, yield func(*syntax.Record) bool) bool {
	if len(r.Words) == 2 {
		for _, p := range []*syntax.Record{
			piece(r, []string{r.Words[0], r.Words[1]}, "vrf_name"),
			piece(r, []string{r.Words[0], r.Words[1], "link-local"}, "ipv6_use_link_local_only"),
		} {
			if p != nil && !yield(p) {
				return false
			}
		}
	}
	return yield(r)
}

// route yields each next hop. Before 202012 the key has no VRF.
func route(r *syntax.Record, yield func(*syntax.Record) bool) bool {
	words := r.Words
	if len(words) == 2 {
		words = []string{words[0], "default", words[1]}
	}
	hops := r.Get("nexthop")
	if hops == nil {
		return yield(r)
	}
	n := strings.Count(hops.Value, ",") + 1
	for _, a := range r.Attrs {
		if strings.Count(a.Value, ",")+1 != n && a.Value != "" {
			return yield(r)
		}
	}
	for i := range n {
		p := *r
		p.Words, p.Attrs = words, nil
		for _, a := range r.Attrs {
			a.Value = strings.Split(a.Value+strings.Repeat(",", n), ",")[i]
			switch {
			case a.Name == "blackhole" && a.Value == "true":
				p.Words = append(slices.Clone(words), "blackhole")
			case a.Value != "" && !(a.Name == "blackhole" && a.Value == "false") && !(a.Name == "distance" && a.Value == "0") && !(a.Name == "nexthop-vrf" && a.Value == "default"):
				p.Attrs = append(p.Attrs, a)
			}
		}
		if !yield(&p) {
			return false
		}
	}
	return true
}

// printRecords writes the tables of CONFIG_DB, everything in the order of its
// name.
func printRecords(records []syntax.Record) string {
	db := map[string]map[string]map[string]syntax.Attr{}
	entry := func(table, key string) map[string]syntax.Attr {
		if db[table] == nil {
			db[table] = map[string]map[string]syntax.Attr{}
		}
		if db[table][key] == nil {
			db[table][key] = map[string]syntax.Attr{}
		}
		return db[table][key]
	}
	for i := range records {
		r := &records[i]
		table, key := r.Words[0], strings.Join(r.Words[1:], "|")
		switch {
		case table == "hostname" || table == "timezone" || table == "bgp-asn":
			table, key = "DEVICE_METADATA", "localhost"
		case table == "BGP_NEIGHBOR" && r.Words[1] == "default":
			key = r.Words[2]
		case table == "BGP_PEER_RANGE" && r.Words[1] == "default":
			key = r.Words[2]
		case table == "mgmt-vrf":
			table = "MGMT_INTERFACE"
		case table == "helper":
			table = "VLAN"
		case strings.HasSuffix(table, "INTERFACE") && len(r.Words) == 3:
			base := entry(table, r.Words[1])
			if r.Words[2] == "link-local" {
				base["ipv6_use_link_local_only"] = r.Attrs[0]
				continue
			}
		case table == "STATIC_ROUTE":
			hops(entry(table, key), r)
			continue
		case table == "VLAN":
			entry(table, key)["vlanid"] = syntax.Attr{Value: strings.TrimPrefix(key, "Vlan")}
		}
		e := entry(table, key)
		for _, a := range r.Attrs {
			if a.Name != ownAS {
				e[a.Name] = a
			}
		}
	}
	if len(db) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("{")
	for i, table := range slices.Sorted(maps.Keys(db)) {
		open(&b, i, 1, table, "{")
		for k, key := range slices.Sorted(maps.Keys(db[table])) {
			open(&b, k, 2, key, "{")
			fields := db[table][key]
			for n, f := range slices.Sorted(maps.Keys(fields)) {
				a := fields[f]
				open(&b, n, 3, f, "")
				if !a.List {
					b.WriteString(syntax.QuoteJSON(a.Value))
					continue
				}
				b.WriteString("[")
				for m, v := range a.Values() {
					if m > 0 {
						b.WriteString(",")
					}
					b.WriteString("\n" + strings.Repeat("    ", 4) + syntax.QuoteJSON(v))
				}
				b.WriteString("\n" + strings.Repeat("    ", 3) + "]")
			}
			shut(&b, len(fields), 2)
		}
		shut(&b, 1, 1)
	}
	b.WriteString("\n}\n")
	return b.String()
}

// open writes a member's name, with the comma before it.
func open(b *strings.Builder, number, depth int, name, sign string) {
	if number > 0 {
		b.WriteString(",")
	}
	b.WriteString("\n" + strings.Repeat("    ", depth) + syntax.QuoteJSON(name) + ": " + sign)
}

func shut(b *strings.Builder, members, depth int) {
	if members > 0 {
		b.WriteString("\n" + strings.Repeat("    ", depth))
	}
	b.WriteString("}")
}

// hops adds a next hop to a route: each field is a list, of one length.
func hops(e map[string]syntax.Attr, r *syntax.Record) {
	n := 0
	if have, ok := e["nexthop"]; ok {
		n = strings.Count(have.Value, ",") + 1
	}
	for _, name := range []string{"nexthop", "ifname", "distance"} {
		a := r.Get(name)
		have, ok := e[name]
		if a == nil && !ok {
			continue
		}
		value := ""
		if a != nil {
			value = a.Value
		} else if name == "distance" {
			value = "0"
		}
		if n > 0 && !ok {
			fill := ""
			if name == "distance" {
				fill = "0"
			}
			have.Value = strings.TrimSuffix(strings.Repeat(fill+",", n), ",")
		}
		if n > 0 {
			value = have.Value + "," + value
		}
		e[name] = syntax.Attr{Value: value}
	}
}
