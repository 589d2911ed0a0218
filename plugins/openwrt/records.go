package openwrt

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

type (
	lensDoc      = *syntax.Doc
	recordSource = func(yield func(*syntax.Record) bool)
)

var (
	mask4        = lens.Builtin()["mask4"]
	plainSection = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
)

func sectionName(s string) bool { return plainSection.MatchString(s) }

// sectionFor is the name of the section that gives addresses to a device of
// the same name in the tree: UCI has only letters, digits and underscores.
func sectionFor(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && sectionName(string(r)) {
			return r
		}
		return '_'
	}, name)
}

// reader turns the sections of UCI into records that say one thing each, so
// that the table can be rows: a section "interface" becomes a record for each
// of its addresses, one for its protocol, and so on. The options keep their
// lines; what a record does not take is left in the last one, named after the
// section's type, and stays unparsed.
type reader struct {
	names  map[string]string // logical interface to its name in the tree
	pkg    string
	counts map[string]int
	out    []syntax.Record
	late   []syntax.Record // what needs the ports of bridges to be known
}

// records yields the records of one text.
func records(of, text string) (lensDoc, recordSource) {
	d := syntax.ParseUCI(text)
	return d, func(yield func(*syntax.Record) bool) {
		x := &reader{names: map[string]string{}, pkg: of, counts: map[string]int{}}
		var all []syntax.Record
		named := map[string]int{}
		syntax.UCIRecords(d, func(r *syntax.Record) bool {
			c := *r
			c.Words, c.Attrs = slices.Clone(r.Words), slices.Clone(r.Attrs)
			if len(c.Words) == 2 && c.Words[0] != "" && !c.Bad {
				key := c.Words[0] + " " + c.Words[1]
				if k, twice := named[key]; twice {
					merge(&all[k], &c)
					return true
				}
				named[key] = len(all)
			}
			all = append(all, c)
			return true
		})
		for i := range all {
			if c := &all[i]; len(c.Words) == 2 && c.Words[0] == "interface" {
				x.names[c.Words[1]] = treeName(c)
			}
		}
		for i := range all {
			x.section(&all[i])
		}
		for _, list := range [][]syntax.Record{x.out, x.late} {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

// merge adds to a section what another of the same name says: to libuci they
// are one, and the last value of an option counts.
func merge(into, r *syntax.Record) {
	into.Heads = append(into.Heads, r.From)
	at := map[string]int{}
	for i := range into.Attrs {
		if !into.Attrs[i].Silent {
			at[into.Attrs[i].Name] = i
		}
	}
	for _, a := range r.Attrs {
		if k, twice := at[a.Name]; twice && !a.Silent {
			if a.List && into.Attrs[k].List {
				into.Attrs[k].More = append(into.Attrs[k].More, a.Values()...)
				a.Silent, a.More = true, nil
			} else {
				into.Attrs[k].Silent = true
				at[a.Name] = len(into.Attrs)
			}
		} else if !a.Silent {
			at[a.Name] = len(into.Attrs)
		}
		into.Attrs = append(into.Attrs, a)
	}
}

// deviceOf is the device below a logical interface, in the words of today or
// of releases before 21.02.
func deviceOf(r *syntax.Record) string {
	if a := r.Get("type"); a != nil && a.Value == "bridge" {
		return "br-" + r.Words[1]
	}
	for _, name := range []string{"device", "ifname"} {
		if a := r.Get(name); a != nil && a.Value != "" && !strings.ContainsAny(a.Value, " \t") {
			return a.Value
		}
	}
	return ""
}

func treeName(r *syntax.Record) string {
	if d := deviceOf(r); d != "" && sectionFor(d) == r.Words[1] {
		return d
	}
	return r.Words[1]
}

// tree is the name in the tree of a logical interface.
func (x *reader) tree(name string) string {
	if n := x.names[name]; n != "" {
		return n
	}
	return name
}

// piece cuts a record with words of its own out of a section: the given
// attributes go with it, and their lines are its lines.
func piece(r *syntax.Record, words []string, names ...string) *syntax.Record {
	p := syntax.Record{Words: words, From: -1}
	for _, n := range names {
		for i := range r.Attrs {
			a := &r.Attrs[i]
			if a.Name != n {
				continue
			}
			if p.From < 0 || a.From < p.From {
				p.From = a.From
			}
			p.To = max(p.To, a.To)
			p.Attrs = append(p.Attrs, *a)
		}
		r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return a.Name == n })
	}
	if p.From < 0 {
		return nil
	}
	if len(p.Attrs) == 1 || p.To-p.From > len(p.Attrs) {
		// Attributes that stand apart account for their own lines only.
		p.From, p.To = p.Attrs[0].From, p.Attrs[0].To
	}
	return &p
}

func (x *reader) add(r *syntax.Record) {
	if r != nil {
		x.out = append(x.out, *r)
	}
}

// section takes one section apart; all its records are accounted under its
// type.
func (x *reader) section(r *syntax.Record) {
	out, late, kind := len(x.out), len(x.late), ""
	if len(r.Words) > 0 && r.Words[0] != "" {
		kind = r.Words[0]
	}
	x.apart(r)
	for i := range x.out[out:] {
		x.out[out+i].Title = kind
	}
	for i := range x.late[late:] {
		x.late[late+i].Title = kind
	}
}

func (x *reader) apart(r *syntax.Record) {
	if r.Bad || len(r.Words) == 0 {
		x.out = append(x.out, *r)
		return
	}
	if r.Words[0] == "" {
		x.pkg = r.Words[1]
		x.out = append(x.out, syntax.Record{Words: []string{"package", r.Words[1]}, From: r.From, To: r.To})
		return
	}
	kind := r.Words[0]
	head := syntax.Record{Words: slices.Clone(r.Words), From: r.From, To: r.From + 1}
	known := true
	switch x.pkg + "." + kind {
	case "network.interface":
		known = len(r.Words) == 2
		if known {
			x.iface(r)
			head.Words = []string{"interface", x.tree(r.Words[1])}
		}
	case "network.device":
		known = x.device(r)
		head.Words = nil
	case "network.bridge-vlan":
		known = x.bridgeVLAN(r)
		head.Words = nil
	case "network.route", "network.route6":
		x.route(r)
		return
	case "wireless.wifi-device", "wireless.wifi-iface":
		if len(r.Words) == 1 {
			r.Words = append(r.Words, strings.ReplaceAll(kind, "-", "_")+"_"+strconv.Itoa(x.counts[kind]))
		}
		x.counts[kind]++
		if a := r.Get("hwmode"); a != nil && r.Get("band") == nil && kind == "wifi-device" {
			if band := map[string]string{"11b": "2g", "11g": "2g", "11a": "5g", "11ng": "2g", "11na": "5g"}[a.Value]; band != "" {
				a.Name, a.Value = "band", band
			}
		}
		x.listed(r, "network", true)
		x.listed(r, "device", false)
		x.out = append(x.out, *r)
		return
	case "firewall.defaults", "firewall.forwarding":
		r.Words = r.Words[:1]
		x.out = append(x.out, *r)
		return
	case "firewall.zone":
		r.Words = r.Words[:1]
		x.listed(r, "network", true)
		x.out = append(x.out, *r)
		return
	case "firewall.ipset":
		r.Words = []string{"ipset"}
		x.out = append(x.out, *r)
		return
	case "firewall.rule", "firewall.redirect", "firewall.nat":
		r.Words = []string{"fw-" + kind}
		x.out = append(x.out, *r)
		return
	case "system.system":
		x.system(r)
		head.Words = nil
	case "system.timeserver":
		if a := r.Get("server"); a != nil {
			x.each(r, "server", func(v string) []string { return []string{"ntp", v} })
		}
		head.Words = nil
	case "dhcp.dnsmasq":
		x.each(r, "server", func(v string) []string { return []string{"server", v} })
		x.add(piece(r, []string{"dnsmasq"}, "domain"))
		head.Words = nil
	case "dropbear.dropbear":
		x.add(piece(r, []string{"dropbear"}, "Port"))
		x.add(piece(r, []string{"dropbear-password"}, "PasswordAuth"))
		x.add(piece(r, []string{"dropbear-enable"}, "enable"))
		head.Words = nil
	default:
		known = false
	}
	if !known {
		x.out = append(x.out, *r)
		return
	}
	if head.Words != nil {
		x.out = append(x.out, head)
	}
	x.rest(r)
}

// rest is what nothing has taken of a section: its heading and the options,
// which the table may have defaults for.
func (x *reader) rest(r *syntax.Record) {
	x.out = append(x.out, syntax.Record{Words: []string{"rest"}, Attrs: r.Attrs, From: r.From, To: r.From + 1})
}

// each makes a record of each value of a list; the values of one option are
// separated by blanks.
func (x *reader) each(r *syntax.Record, name string, words func(value string) []string) {
	for i := range r.Attrs {
		a := &r.Attrs[i]
		if a.Name != name {
			continue
		}
		values := []string{a.Value}
		if !a.List {
			values = strings.Fields(a.Value)
		}
		if len(values) == 0 {
			values = []string{""}
		}
		for _, v := range values {
			x.out = append(x.out, syntax.Record{Words: words(v), From: a.From, To: a.To})
		}
	}
	r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return a.Name == name })
}

// listed makes a list of an option whose values are separated by blanks, with
// the names of the tree if they are interfaces.
func (x *reader) listed(r *syntax.Record, name string, interfaces bool) {
	a := r.Get(name)
	if a == nil {
		return
	}
	values := a.Values()
	if !a.List {
		values = strings.Fields(a.Value)
	}
	if len(values) == 0 {
		return
	}
	for i := range values {
		if interfaces {
			values[i] = x.tree(values[i])
		}
	}
	a.List, a.Value, a.More = true, values[0], values[1:]
}

func (x *reader) system(r *syntax.Record) {
	x.add(piece(r, []string{"system"}, "hostname"))
	zone := r.Get("zonename")
	if zone == nil {
		zone = r.Get("timezone")
	}
	if zone != nil {
		// The rule string belongs to the zone's name where there is one.
		value := strings.ReplaceAll(zone.Value, " ", "_")
		for _, n := range []string{"zonename", "timezone"} {
			if p := piece(r, []string{"timezone"}, n); p != nil {
				p.Attrs = []syntax.Attr{{Name: "name", Value: value, From: p.From, To: p.To}}
				x.add(p)
			}
		}
	}
	if log := r.Get("log_ip"); log != nil {
		p := syntax.Record{Words: []string{"log"}, From: log.From, To: log.To}
		for _, n := range []string{"log_ip", "log_port", "log_proto"} {
			if a := r.Get(n); a != nil {
				c := *a
				c.Name = strings.TrimPrefix(n, "log_")
				p.Attrs = append(p.Attrs, c)
			}
		}
		r.Attrs = slices.DeleteFunc(r.Attrs, func(a syntax.Attr) bool { return a.Name == "log_ip" || a.Name == "log_port" || a.Name == "log_proto" })
		x.out = append(x.out, p)
	}
}
