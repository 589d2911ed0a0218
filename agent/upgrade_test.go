package agent

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/eos"
	"github.com/cfgvault/cfgvault/plugins/frr"
	"github.com/cfgvault/cfgvault/plugins/vyos"
)

// Every difference between two releases has a class, and what is staged has
// back what was lost and keeps what is new.
func TestCompareUpgrade(t *testing.T) {
	drv := frr.New()
	text, err := plugins.NewText(drv.Info())
	if err != nil {
		t.Fatal(err)
	}
	config := func(body string) []plugins.Artefact {
		return []plugins.Artefact{{Name: "running-config", Role: plugins.RoleRunning,
			Data: []byte("frr version 8.4.4\nfrr defaults traditional\nhostname r1\n!\n" + body + "!\nend\n")}}
	}
	const iface = "interface eth0\n description up\n ip ospf cost 10\nexit\n"
	for _, c := range []struct {
		name, old, now string
		classes        string
		merged         string // of the body
	}{
		{"nothing", iface, iface, "", iface},
		{"only delimiters", iface, "!\n" + iface + "!\n", "", "!\n" + iface + "!\n"},
		{"a statement vanished", iface, "interface eth0\n description up\nexit\n", "vanished", iface},
		{"a block vanished", "ip route 203.0.113.0/24 Null0\n!\n" + iface, iface, "vanished", "ip route 203.0.113.0/24 Null0\n!\n" + iface},
		{"another value", iface, strings.Replace(iface, "cost 10", "cost 20", 1), "changed", iface},
		{"something new", iface, iface + "!\nip route 203.0.113.0/24 Null0\n", "added", iface + "!\nip route 203.0.113.0/24 Null0\n"},
		{"one gone, another new in its place", "ip route 192.0.2.0/24 Null0\n", "ip route 203.0.113.0/24 Null0\n", "vanished added", "ip route 192.0.2.0/24 Null0\nip route 203.0.113.0/24 Null0\n"},
		{"what is not understood is never called the same", "nonsense of the old release\n", "", "vanished", "nonsense of the old release\n"},
		{"nor is what is new", "", "nonsense of the new release\n", "added", "nonsense of the new release\n"},
	} {
		rep, merged, err := compareUpgrade(t.Context(), drv, text, plugins.Facts{}, plugins.Facts{}, config(c.old), config(c.now))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var classes []string
		for _, ch := range rep.Changes {
			classes = append(classes, ch.Class)
		}
		if got := strings.Join(classes, " "); got != c.classes {
			t.Errorf("%s: classes %q, want %q: %+v", c.name, got, c.classes, rep.Changes)
		}
		if got, want := string(merged[0].Data), string(config(c.merged)[0].Data); got != want {
			t.Errorf("%s: merged\n%s\nwant\n%s", c.name, got, want)
		}
	}
}

// What became of a statement is said in the same words on every platform.
func TestCompareUpgradePlatforms(t *testing.T) {
	ethernet := func(inner string) string {
		return "interface Ethernet1\n   switchport mode trunk\n" + inner + "!\n"
	}
	router := func(system, service string) string {
		return "interfaces {\n    ethernet eth0 {\n        address 192.0.2.1/24\n    }\n}\nservice {\n" + service + "    ssh {\n    }\n}\nsystem {\n    host-name r1\n" + system + "}\n"
	}
	const server = "    ntp {\n        server time1.example.net {\n        }\n    }\n"
	for _, c := range []struct {
		drv      plugins.Driver
		what     string
		old, now string
		classes  string
		unparsed int // how many lines more are not understood
		lost     int
	}{
		{eos.New(), "vanished", ethernet("   switchport trunk allowed vlan 10-12\n"), ethernet(""), "vanished", 0, 1},
		{eos.New(), "renamed", ethernet("   switchport trunk allowed vlan 10-12\n"), ethernet("   switchport trunk allowed vlan 10,11-12\n"), "renamed", 0, 0},
		{eos.New(), "new default", ethernet(""), ethernet("") + "logging level AAA errors\n", "default", 0, 0},
		{eos.New(), "unparsed growth", ethernet(""), ethernet("   flux capacitor 88\n"), "added", 1, 0},
		{vyos.New(), "vanished", router("", server), router("", ""), "vanished", 0, 1},
		{vyos.New(), "renamed", router(server, ""), router("", server), "renamed", 0, 0},
		{vyos.New(), "new default", router("", server), router("", strings.Replace(server, "        server", "        allow-client {\n            address 0.0.0.0/0\n        }\n        server", 1)), "default", 0, 0},
		{vyos.New(), "unparsed growth", router("", ""), router("    flux-capacitor 88\n", ""), "added", 1, 0},
	} {
		text, err := plugins.NewText(c.drv.Info())
		if err != nil {
			t.Fatal(err)
		}
		spec := c.drv.Info().Artefacts[0]
		art := func(s string) []plugins.Artefact {
			return []plugins.Artefact{{Name: spec.Name, Role: plugins.RoleRunning, Data: []byte(s)}}
		}
		rep, _, err := compareUpgrade(t.Context(), c.drv, text, plugins.Facts{}, plugins.Facts{}, art(c.old), art(c.now))
		if err != nil {
			t.Errorf("%s, %s: %v", c.drv.Info().Name, c.what, err)
			continue
		}
		var classes []string
		for _, ch := range rep.Changes {
			classes = append(classes, ch.Class)
		}
		if got := strings.Join(classes, " "); got != c.classes || rep.Unparsed[1]-rep.Unparsed[0] != c.unparsed || len(rep.Lost()) != c.lost {
			t.Errorf("%s, %s: %q with %d lines not understood, want %q: %+v", c.drv.Info().Name, c.what, got, rep.Unparsed, c.classes, rep.Changes)
		}
	}
}

// A secret that vanished is in what is staged, and in no report.
func TestCompareUpgradeHidesSecrets(t *testing.T) {
	drv := frr.New()
	text, err := plugins.NewText(drv.Info())
	if err != nil {
		t.Fatal(err)
	}
	art := func(s string) []plugins.Artefact {
		return []plugins.Artefact{{Name: "running-config", Role: plugins.RoleRunning, Data: []byte(s)}}
	}
	rep, merged, err := compareUpgrade(t.Context(), drv, text, plugins.Facts{}, plugins.Facts{},
		art("router bgp 65001\n neighbor 192.0.2.1 remote-as 65002\n neighbor 192.0.2.1 password canary\nexit\nend\n"),
		art("router bgp 65001\n neighbor 192.0.2.1 remote-as 65002\nexit\nend\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Lost()) != 1 || strings.Contains(strings.Join(rep.Lost()[0].Old, ""), "canary") {
		t.Errorf("report: %+v", rep.Changes)
	}
	if !strings.Contains(string(merged[0].Data), "password canary") {
		t.Errorf("what is staged lacks the password:\n%s", merged[0].Data)
	}
}
