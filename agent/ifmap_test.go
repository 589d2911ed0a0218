package agent

import (
	"maps"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func data(name string, speed int, neighbor string) plugins.Port {
	return plugins.Port{Name: name, Role: plugins.PortData, Speed: speed, Neighbor: neighbor}
}

func TestPlanInterfaces(t *testing.T) {
	mgmt := func(name string) plugins.Port { return plugins.Port{Name: name, Role: plugins.PortManagement} }
	for _, c := range []struct {
		name       string
		used, have []plugins.Port
		want       plugins.InterfaceMap
		lost       string
		doubts     int
	}{
		{"same names", []plugins.Port{data("e1", 0, ""), data("e2", 0, "")}, []plugins.Port{data("e2", 0, ""), data("e1", 0, ""), data("e3", 0, "")}, plugins.InterfaceMap{}, "", 0},
		{"same names, slower port", []plugins.Port{data("e1", 10000, "")}, []plugins.Port{data("e1", 1000, "")}, plugins.InterfaceMap{}, "", 1},
		{"same names, other cables", []plugins.Port{data("e1", 0, "a 1")}, []plugins.Port{data("e1", 0, "b 1")}, plugins.InterfaceMap{}, "", 1},
		{"neighbours win over order", []plugins.Port{data("e1", 0, "a 1"), data("e2", 0, "b 1")}, []plugins.Port{data("x1", 0, "b 1"), data("x2", 0, "a 1")},
			plugins.InterfaceMap{"e1": "x2", "e2": "x1"}, "", 0},
		{"an ambiguous neighbour is none", []plugins.Port{data("e1", 0, "a 1"), data("e2", 0, "a 1")}, []plugins.Port{data("x2", 0, "a 1"), data("x10", 0, "")},
			plugins.InterfaceMap{"e1": "x2", "e2": "x10"}, "", 0},
		{"order counts numbers as numbers", []plugins.Port{data("Gi0/2", 0, ""), data("Gi0/10", 0, "")}, []plugins.Port{data("Et10", 0, ""), data("Et9", 0, "")},
			plugins.InterfaceMap{"Gi0/2": "Et9", "Gi0/10": "Et10"}, "", 0},
		{"a fast port takes a fast one", []plugins.Port{data("e1", 10000, ""), data("e2", 1000, "")}, []plugins.Port{data("x1", 1000, ""), data("x2", 10000, "")},
			plugins.InterfaceMap{"e1": "x2", "e2": "x1"}, "", 0},
		{"management stays management", []plugins.Port{data("e1", 0, ""), mgmt("m0")}, []plugins.Port{mgmt("ma1"), data("x1", 0, "")},
			plugins.InterfaceMap{"e1": "x1", "m0": "ma1"}, "", 0},
		{"a port too few", []plugins.Port{data("e1", 0, ""), data("e2", 0, "")}, []plugins.Port{data("x1", 0, "")}, plugins.InterfaceMap{"e1": "x1"}, "e2", 0},
		{"none is fast enough", []plugins.Port{data("e1", 10000, "")}, []plugins.Port{data("x1", 1000, "")}, plugins.InterfaceMap{}, "e1", 0},
	} {
		p := PlanInterfaces(c.used, c.have)
		if got := p.Map(); !maps.Equal(got, c.want) || strings.Join(p.Lost, " ") != c.lost || len(p.Doubts) != c.doubts {
			t.Errorf("%s: map %v, lost %v, doubts %v", c.name, got, p.Lost, p.Doubts)
		}
		seen := map[string]bool{}
		for _, e := range p.Entries {
			if seen[e.To] {
				t.Errorf("%s: two ports on %s", c.name, e.To)
			}
			seen[e.To] = true
		}
	}
}

func TestCheckMap(t *testing.T) {
	used := []plugins.Port{data("e1", 0, ""), data("e2", 1000, "")}
	have := []plugins.Port{data("x1", 0, ""), data("x2", 100, ""), data("e2", 0, ""), {Name: "lo", Role: plugins.PortVirtual}}
	for _, c := range []struct {
		m    plugins.InterfaceMap
		want string
	}{
		{plugins.InterfaceMap{"e1": "x1", "e2": "x2"}, ""},
		{plugins.InterfaceMap{"e1": "x1"}, ""},
		{plugins.InterfaceMap{"e2": "x2"}, "no line for e1"},
		{plugins.InterfaceMap{"e1": "x9"}, "x9, which the new unit does not have"},
		{plugins.InterfaceMap{"e1": "e2"}, "both e1 and e2"},
		{plugins.InterfaceMap{"e1": ""}, "leaves e1 out, which is in use"},
		{plugins.InterfaceMap{"e1": "lo"}, "no port but made by configuration"},
		{plugins.InterfaceMap{"e1": "x1", "e1.5": "x2"}, "goes with the port that carries it"},
	} {
		_, err := checkMap(c.m, used, have)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v, want %q", c.m, err, c.want)
		}
	}
}

// What a device says of its neighbours cannot break the file that a person
// reviews.
func TestMapFileHostile(t *testing.T) {
	p := PlanInterfaces([]plugins.Port{data("e1\n\"x", 0, "evil\n\"a\": \"b\" 1")}, []plugins.Port{data("x1", 0, "evil\n\"a\": \"b\" 1")})
	lines := strings.Split(strings.TrimSpace(p.Text("h")), "\n")
	if len(lines) != 3 {
		t.Errorf("want 3 lines:\n%s", strings.Join(lines, "\n"))
	}
}

// A port of which nothing is said needs no place. One that something refers to
// does, and so does one that carries others.
func TestNamedPorts(t *testing.T) {
	used, idle := namedPorts([]byte(`{"cfgvault-interfaces:interfaces": {"interface": [
		{"name": "e10", "type": "cfgvault-interfaces:ethernet", "enabled": false, "auto-negotiation": true, "ipv4": {"enabled": false}},
		{"name": "e9", "type": "cfgvault-interfaces:ethernet"},
		{"name": "e8", "type": "cfgvault-interfaces:ethernet", "enabled": false, "description": "spare"},
		{"name": "e7", "type": "cfgvault-interfaces:ethernet"}, {"name": "e7.5", "type": "cfgvault-interfaces:sub-interface"},
		{"name": "e6", "type": "cfgvault-interfaces:ethernet"},
		{"name": "m0", "type": "cfgvault-interfaces:management", "ipv4": {"dhcp": true}},
		{"name": "lo", "type": "cfgvault-interfaces:loopback"}]},
		"cfgvault-ospf:ospf": {"passive": ["e6"]}}`))
	var names []string
	for _, p := range used {
		names = append(names, p.Name+" "+p.Role)
	}
	if got := strings.Join(names, ", "); got != "e8 data, e7 data, e6 data, m0 management" {
		t.Errorf("used: %s", got)
	}
	if got := strings.Join(idle, ", "); got != "e9, e10" {
		t.Errorf("idle: %s", got)
	}
	p := PlanInterfaces([]plugins.Port{data("e8", 0, "")}, []plugins.Port{data("x1", 0, "")})
	p.spare([]string{"e9", "e10", "e11"}, nil, []plugins.Port{data("x1", 0, ""), data("x2", 0, ""), data("e11", 0, "")})
	if want := (plugins.InterfaceMap{"e8": "x1", "e9": "x2", "e10": ""}); !maps.Equal(p.Map(), want) {
		t.Errorf("the spare ports: %v, want %v", p.Map(), want)
	}
}
