package junos

import (
	"fmt"
	"slices"
	"strings"
)

// ports are the physical interfaces of the unit: those of o.Ports, those that its
// first configuration named, and the management port.
func (j *junos) ports() []string {
	return slices.Sorted(mapKeys(j.physical))
}

// learnPorts takes the physical interfaces that were asked for, and those that
// a configuration names; a unit of which neither says anything has four.
func (j *junos) learnPorts(given []string, s *statement) {
	j.physical = map[string]string{}
	for _, p := range given {
		j.physical[p] = p
	}
	if s = s.at("interfaces"); s != nil {
		for _, k := range s.inner {
			if isPort(k.text) {
				j.physical[k.text] = k.text
			}
		}
	}
	if len(j.physical) == 0 {
		for i := range 4 {
			p := fmt.Sprintf("ge-0/0/%d", i)
			j.physical[p] = p
		}
	}
}

func isPort(name string) bool {
	kind, _, ok := strings.Cut(name, "-")
	return ok && slices.Contains([]string{"fe", "ge", "mge", "xe", "et"}, kind) && strings.Count(name, "/") == 2 && !strings.Contains(name, " ")
}

// terse is "show interfaces terse".
func (j *junos) terse() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s%-6s%-5s%-9s%-22s%s\n", "Interface", "Admin", "Link", "Proto", "Local", "Remote")
	row := func(name, link string) { fmt.Fprintf(&b, "%-24s%-6s%s\n", name, "up", link) }
	for _, p := range j.ports() {
		link := "down"
		if j.d.Options().Neighbors[p] != "" {
			link = "up"
		}
		row(p, link)
	}
	for _, p := range []string{"fxp0", "lo0", "pfe-0/0/0"} {
		row(p, "up")
	}
	if s := j.running().at("interfaces"); s != nil {
		for _, k := range s.inner {
			if strings.HasPrefix(k.text, "ae") || k.text == "irb" {
				row(k.text, "up")
			}
		}
	}
	return b.String()
}

// lldp is "show lldp neighbors".
func (j *junos) lldp() string {
	if j.running().at("protocols", "lldp") == nil {
		return "error: the lldp subsystem is not running\n" // unconfirmed
	}
	out := "Local Interface    Parent Interface    Chassis Id          Port info          System Name\n"
	for i, p := range j.ports() {
		if device, port, ok := strings.Cut(j.d.Options().Neighbors[p], " "); ok {
			out += fmt.Sprintf("%-19s%-20s00:00:5e:00:53:%02x   %-19s%s\n", p, "-", i, port, device)
		}
	}
	return out
}
