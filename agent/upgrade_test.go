package agent

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/frr"
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
