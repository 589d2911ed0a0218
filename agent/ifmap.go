package agent

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// MapEntry is one line of an interface map: which port of the new unit takes
// the place of one of the old unit, and why that one.
type MapEntry struct {
	From string `json:"from"`
	To   string `json:"to"`
	By   string `json:"by"` // "name", "neighbour", "role", "map", "idle"
	Why  string `json:"why,omitempty"`
}

// InterfacePlan is a whole interface map, and what speaks against it.
type InterfacePlan struct {
	Entries []MapEntry `json:"entries"`
	Lost    []string   `json:"lost,omitempty"`   // ports in use that no port of the new unit can take the place of
	Doubts  []string   `json:"doubts,omitempty"` // what a person should look at
}

// Map are the names that change.
func (p *InterfacePlan) Map() plugins.InterfaceMap {
	m := plugins.InterfaceMap{}
	for _, e := range p.Entries {
		if e.From != e.To {
			m[e.From] = e.To
		}
	}
	return m
}

// Text is the map as a file to review: YAML, OLD: NEW, with reasons.
func (p *InterfacePlan) Text(heading string) string {
	var b strings.Builder
	b.WriteString("# " + heading + "\n# Each line is OLD: NEW. What is not listed keeps its name.\n")
	for _, e := range p.Entries {
		fmt.Fprintf(&b, "%q: %q # by %s", e.From, e.To, e.By)
		if e.Why != "" {
			b.WriteString(": " + strings.Map(printableOnly, e.Why))
		}
		b.WriteString("\n")
	}
	for _, l := range p.Lost {
		fmt.Fprintf(&b, "# %q: ??? # no port of the new unit is left for it\n", l)
	}
	return b.String()
}

func printableOnly(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// namedPorts are the physical ports that a configuration names, from its tree:
// those that it uses, and the names of those of which it says no more than that
// they are there or shut down. Some platforms list every port that they have.
func namedPorts(tree []byte) (used []plugins.Port, idle []string) {
	var doc map[string]any
	if json.Unmarshal(tree, &doc) != nil {
		return nil, nil
	}
	named := map[string]int{} // how often the tree names what may be a port
	countWords(doc, func(s string) {
		port, _, _ := strings.Cut(s, ".")
		named[port]++
	})
	top, _ := doc["cfgvault-interfaces:interfaces"].(map[string]any)
	list, _ := top["interface"].([]any)
	for _, e := range list {
		i, _ := e.(map[string]any)
		name, _ := i["name"].(string)
		kind, _ := i["type"].(string)
		if _, short, ok := strings.Cut(kind, ":"); ok {
			kind = short
		}
		if name == "" || !isPort(kind) {
			continue
		}
		if named[name] == 1 && unused(i) {
			idle = append(idle, name)
			continue
		}
		p := plugins.Port{Name: name, Role: plugins.PortData}
		if kind == "management" {
			p.Role = plugins.PortManagement
		}
		used = append(used, p)
	}
	slices.SortFunc(idle, natural)
	return used, idle
}

// countWords tells every string of a tree.
func countWords(v any, tell func(string)) {
	switch v := v.(type) {
	case string:
		tell(v)
	case []any:
		for _, e := range v {
			countWords(e, tell)
		}
	case map[string]any:
		for _, e := range v {
			countWords(e, tell)
		}
	}
}

// unused reports an interface of which nothing is said but that it is there, or
// shut down, and how it would agree on a speed.
func unused(i map[string]any) bool {
	said := maps.Clone(i)
	delete(said, "enabled")
	if said["auto-negotiation"] == true {
		delete(said, "auto-negotiation")
	}
	for _, family := range []string{"ipv4", "ipv6"} {
		if f, ok := said[family].(map[string]any); ok && len(f) == 1 && f["enabled"] == false {
			delete(said, family)
		}
	}
	return bare(said)
}

// spare gives the ports that nobody uses what is left on the new unit: the same
// name, else the next of their kind, else none, and then they are left out.
func (p *InterfacePlan) spare(idle []string, seen, have []plugins.Port) {
	free, taken := map[string]plugins.Port{}, map[string]bool{}
	for _, e := range p.Entries {
		taken[e.To] = true
	}
	for _, h := range have {
		if h.Role != plugins.PortVirtual && !taken[h.Name] {
			free[h.Name] = h
		}
	}
	var left []plugins.Port
	for _, name := range idle {
		if _, ok := free[name]; ok {
			delete(free, name)
			continue
		}
		u := plugins.Port{Name: name, Role: plugins.PortData}
		if i := slices.IndexFunc(seen, func(s plugins.Port) bool { return s.Name == name }); i >= 0 {
			u = seen[i]
		}
		if u.Role != plugins.PortVirtual && !strings.Contains(name, ".") {
			left = append(left, u)
		}
	}
	for _, u := range left {
		to := inOrder(u, free)
		delete(free, to)
		p.Entries = append(p.Entries, MapEntry{u.Name, to, "idle", "nobody uses it"})
	}
	slices.SortFunc(p.Entries, func(a, b MapEntry) int { return natural(a.From, b.From) })
}

// inUse joins what the configuration names with what was seen of the unit it
// ran on. What the unit called virtual needs no port.
func inUse(named, seen []plugins.Port) []plugins.Port {
	var out []plugins.Port
	for _, p := range named {
		if i := slices.IndexFunc(seen, func(s plugins.Port) bool { return s.Name == p.Name }); i >= 0 {
			p = seen[i]
		} else if len(seen) > 0 || p.Name == "lo" {
			continue // the old unit had no such port either: a sub-interface, or what its configuration makes
		}
		if p.Role != plugins.PortVirtual {
			out = append(out, p)
		}
	}
	return out
}

// PlanInterfaces matches the ports in use on the old unit with those of a new
// one: by their names where all are there; else by who is at the other end,
// then by role, speed and order.
func PlanInterfaces(used, have []plugins.Port) *InterfacePlan {
	p := &InterfacePlan{Entries: []MapEntry{}}
	free := map[string]plugins.Port{}
	for _, h := range have {
		if h.Role != plugins.PortVirtual {
			free[h.Name] = h
		}
	}
	used = slices.Clone(used)
	slices.SortFunc(used, func(a, b plugins.Port) int { return natural(a.Name, b.Name) })
	sameNames := !slices.ContainsFunc(used, func(u plugins.Port) bool { _, ok := free[u.Name]; return !ok })
	take := func(u plugins.Port, to, by, why string) {
		h := free[to]
		if u.Speed > 0 && h.Speed > 0 && h.Speed < u.Speed {
			p.Doubts = append(p.Doubts, fmt.Sprintf("%s ran at %d Mbit/s, %s on the new unit has %d", u.Name, u.Speed, to, h.Speed))
		}
		if u.Neighbor != "" && h.Neighbor != "" && u.Neighbor != h.Neighbor {
			p.Doubts = append(p.Doubts, fmt.Sprintf("%s was connected to %s, %s on the new unit is to %s", u.Name, u.Neighbor, to, h.Neighbor))
		}
		delete(free, to)
		p.Entries = append(p.Entries, MapEntry{u.Name, to, by, why})
	}
	var left []plugins.Port
	for _, u := range used {
		if sameNames {
			take(u, u.Name, "name", "")
		} else if to := byNeighbor(u, used, have); to != "" {
			take(u, to, "neighbour", u.Neighbor)
		} else {
			left = append(left, u)
		}
	}
	// What is left goes in order, the management port to the management port,
	// and a port to the slowest that is fast enough.
	for _, u := range left {
		if to := inOrder(u, free); to != "" {
			take(u, to, "role", fmt.Sprintf("%s, in order", u.Role))
		} else {
			p.Lost = append(p.Lost, u.Name)
		}
	}
	slices.SortFunc(p.Entries, func(a, b MapEntry) int { return natural(a.From, b.From) })
	return p
}

// byNeighbor finds the one port of the new unit that leads to where the old
// one led, if no other port leads there too.
func byNeighbor(u plugins.Port, used, have []plugins.Port) string {
	if u.Neighbor == "" {
		return ""
	}
	to, n, rivals := "", 0, 0
	for _, h := range have {
		if h.Neighbor == u.Neighbor && h.Role != plugins.PortVirtual {
			to, n = h.Name, n+1
		}
	}
	for _, o := range used {
		if o.Neighbor == u.Neighbor {
			rivals++
		}
	}
	if n != 1 || rivals != 1 {
		return ""
	}
	return to
}

func inOrder(u plugins.Port, free map[string]plugins.Port) string {
	var fit []plugins.Port
	for _, h := range free {
		if h.Role == u.Role && (u.Speed == 0 || h.Speed == 0 || h.Speed >= u.Speed) {
			fit = append(fit, h)
		}
	}
	if len(fit) == 0 {
		return ""
	}
	return slices.MinFunc(fit, func(a, b plugins.Port) int {
		return cmp.Or(cmp.Compare(a.Speed, b.Speed), natural(a.Name, b.Name))
	}).Name
}

// checkMap holds a map that an operator wrote to both units: every port in use
// has to come to a port that is there, and two never to the same one.
func checkMap(m plugins.InterfaceMap, used, have []plugins.Port) (*InterfacePlan, error) {
	p := &InterfacePlan{Entries: []MapEntry{}}
	owner := map[string]string{}
	for _, u := range used {
		to, ok := m[u.Name]
		if !ok {
			to = u.Name
		}
		if to == "" {
			return nil, hard("interfaces", "the map leaves %s out, which is in use; give it one of %s", u.Name, portNames(have))
		}
		i := slices.IndexFunc(have, func(h plugins.Port) bool { return h.Name == to })
		switch {
		case i < 0 && ok:
			return nil, hard("interfaces", "the map puts %s on %s, which the new unit does not have; it has %s", u.Name, to, portNames(have))
		case i < 0:
			return nil, hard("interfaces", "the map has no line for %s, which is in use, and the new unit has no port of that name; it has %s", u.Name, portNames(have))
		case have[i].Role == plugins.PortVirtual:
			return nil, hard("interfaces", "the map puts %s on %s, which is no port but made by configuration; the new unit has %s", u.Name, to, portNames(have))
		case owner[to] != "":
			return nil, hard("interfaces", "both %s and %s would be on %s", owner[to], u.Name, to)
		case u.Speed > 0 && have[i].Speed > 0 && have[i].Speed < u.Speed:
			p.Doubts = append(p.Doubts, fmt.Sprintf("%s ran at %d Mbit/s, %s on the new unit has %d", u.Name, u.Speed, to, have[i].Speed))
		}
		owner[to] = u.Name
		p.Entries = append(p.Entries, MapEntry{u.Name, to, "map", ""})
	}
	for from, to := range m {
		if strings.Contains(from, ".") != strings.Contains(to, ".") && to != "" {
			return nil, hard("interfaces", "the map makes %s to %s: a sub-interface goes with the port that carries it, and needs no line", from, to)
		}
		// What is no port of the old unit, such as a bundle, is renamed as it is.
		if !slices.ContainsFunc(p.Entries, func(e MapEntry) bool { return e.From == from }) {
			p.Entries = append(p.Entries, MapEntry{from, to, "map", ""})
		}
	}
	slices.SortFunc(p.Entries, func(a, b MapEntry) int { return natural(a.From, b.From) })
	return p, nil
}

func portNames(ports []plugins.Port) string {
	var names []string
	for _, p := range ports {
		if p.Role != plugins.PortVirtual {
			names = append(names, p.Name)
		}
	}
	slices.SortFunc(names, natural)
	const most = 24
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// natural orders names with the numbers in them as numbers: Ethernet2 before
// Ethernet10, 4.9 before 4.10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x > 0 && y > 0 {
			m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
			if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
				return c
			}
			a, b = a[x:], b[y:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
