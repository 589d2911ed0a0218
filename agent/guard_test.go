package agent

import (
	"slices"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func guardOf(serial string, lines map[string]int, sections map[string]int) Guard {
	g := Guard{Artefacts: lines, Sections: sections}
	if serial != "" {
		g.Serials = []string{serial}
	}
	return g
}

func TestHold(t *testing.T) {
	base := guardOf("A1", map[string]int{"running-config": 100, "daemons": 10}, map[string]int{"running-config: router bgp": 20, "running-config: interface": 30})
	tests := []struct {
		name    string
		base    *Guard
		now     Guard
		factory bool
		want    []string
	}{
		{"the same", &base, base, false, nil},
		{"the first", nil, base, false, nil},
		{"a factory default is held even the first time", nil, base, true, []string{HeldFactory}},
		{"another serial", &base, guardOf("B2", base.Artefacts, base.Sections), false, []string{HeldSerial}},
		{"a serial that is not told", &base, guardOf("", base.Artefacts, base.Sections), false, nil},
		{"an artefact gone", &base, guardOf("A1", map[string]int{"running-config": 100}, base.Sections), false, []string{HeldArtefact}},
		{"an artefact empty", &base, guardOf("A1", map[string]int{"running-config": 100, "daemons": 0}, base.Sections), false, []string{HeldArtefact}},
		{"a section gone", &base, guardOf("A1", base.Artefacts, map[string]int{"running-config: interface": 30}), false, []string{HeldSection}},
		{"no tree, no sections to compare", &base, guardOf("A1", base.Artefacts, nil), false, nil},
		{"70 % left", &base, guardOf("A1", map[string]int{"running-config": 67, "daemons": 10}, base.Sections), false, nil},
		{"less than 70 % left", &base, guardOf("A1", map[string]int{"running-config": 66, "daemons": 10}, base.Sections), false, []string{HeldShrunk}},
		{"growth", &base, guardOf("A1", map[string]int{"running-config": 900, "daemons": 10, "new": 5}, base.Sections), false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, h := range hold(tt.base, tt.now, tt.factory) {
				got = append(got, h.Code)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("held for %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSectionKind(t *testing.T) {
	for heading, want := range map[string]string{
		"router bgp 65001":       "router bgp",
		"interface Ethernet1":    "interface",
		"interface vlan 5":       "interface",
		"ip prefix-list PL seq":  "ip prefix-list",
		"":                       "",
		"vlan 10":                "vlan",
		"[Match]":                "",
		"route-map RM permit 10": "route-map",
	} {
		if got := sectionKind(heading); got != want {
			t.Errorf("sectionKind(%q) = %q, want %q", heading, got, want)
		}
	}
}

func TestGuardCounts(t *testing.T) {
	tx, err := plugins.NewText(plugins.Info{Name: "t", Volatile: []plugins.LineRule{{ID: "v", Pattern: "^! Time"}}})
	if err != nil {
		t.Fatal(err)
	}
	exp := &plugins.Export{Artefacts: []plugins.Artefact{
		{Name: "running-config", Role: plugins.RoleRunning, Data: []byte("! Time: x\nhostname a\n\nend\n")},
		{Name: "version", Role: plugins.RoleState, Data: []byte("1\n2\n3\n")},
	}}
	g := newGuard(plugins.Facts{}, tx, exp, nil)
	if len(g.Artefacts) != 1 || g.Artefacts["running-config"] != 2 {
		t.Errorf("counted %v", g.Artefacts)
	}
	if s := decodeGuard(guardState{Base: &g}.encode()); s.Base == nil || s.Base.Artefacts["running-config"] != 2 {
		t.Errorf("the guard does not survive: %+v", s)
	}
	if s := decodeGuard([]byte("{broken")); s.Base != nil {
		t.Errorf("a broken guard: %+v", s)
	}
}
