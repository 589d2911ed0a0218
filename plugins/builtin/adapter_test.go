package builtin

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

// Ports that get other names get them everywhere, and nothing else changes.
func TestAdaptersRename(t *testing.T) {
	forPeople := regexp.MustCompile(`(?i)^\s*(?:set .*)?(?:description|remark|banner|alias|!|##|/\*)|^\s*\d+ remark`)
	for _, c := range []struct {
		driver, ports string // ports: what is a port's name, in a heading or anywhere
		rename        func(string) string
	}{
		{"ios", `(?m)^interface ((?:[A-Z][A-Za-z]*Ethernet)\d+(?:/\d+)*)$`, prefixed("Ethernet", "Ethernet7/")},
		{"eos", `(?m)^interface (Ethernet\d+(?:/\d+)*)$`, prefixed("Ethernet", "Ethernet7/")},
		{"nxos", `(?m)^interface (Ethernet\d+/\d+)$`, prefixed("Ethernet", "Ethernet7/")},
		{"iosxr", `(?m)^interface ((?:GigabitEthernet|TenGigE)\d+(?:/\d+)*)$`, func(s string) string {
			return strings.NewReplacer("TenGigE0/", "FortyGigE7/", "GigabitEthernet0/", "GigabitEthernet7/").Replace(s)
		}},
		{"junos", `\b((?:ge|xe|et)-\d+/\d+/\d+)\b`, func(s string) string {
			return strings.NewReplacer("ge-0/", "mge-7/", "xe-0/", "et-7/").Replace(s)
		}},
		{"vyos", `\b(eth\d+)\b`, prefixed("eth", "eth10")},
		{"frr", `(?m)^interface (eth\d+)\b`, prefixed("eth", "enp7s")},
	} {
		d, _ := Driver(c.driver)
		files, err := filepath.Glob(filepath.Join("..", c.driver, "testdata", "normalize_*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatal(c.driver, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var native []plugins.Artefact
			m := plugins.InterfaceMap{}
			for _, f := range txtar.Parse(data).Files {
				art, ok := strings.CutPrefix(f.Name, "native/")
				if !ok {
					continue
				}
				native = append(native, plugins.Artefact{Name: art, Role: plugins.RoleRunning, Data: f.Data})
				for _, p := range regexp.MustCompile(c.ports).FindAllSubmatch(f.Data, -1) {
					m[string(p[1])] = c.rename(string(p[1]))
				}
			}
			if len(m) == 0 {
				continue // an old form that names no port in a heading
			}
			a, ok := d.(plugins.Adapter)
			if !ok {
				t.Fatalf("%s does not adapt", c.driver)
			}
			if err := plugintest.CheckAdapter(t.Context(), a, native, plugins.Facts{}, m, forPeople); err != nil {
				t.Errorf("%s, %v:\n%v", name, m, err)
			}
		}
	}
}

func prefixed(old, fresh string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, fresh, 1) }
}
