package sonic

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens/lenstest"
)

var update = flag.Bool("update", false, "write the golden files and fixtures")

func TestGolden(t *testing.T) {
	lenstest.Golden(t, *update, normalize, nil)
}

func native(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/normalize_leaf.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(data).Files {
		if f.Name == "native/config-db" {
			return string(f.Data)
		}
	}
	t.Fatal("no database")
	return ""
}

// What the switch has is read, written and read again equal, also without any
// one line that leaves it JSON.
func TestLaws(t *testing.T) {
	l := databaseLens()
	if err := l.CheckRead(native(t)); err != nil {
		t.Error(err)
	}
	lines := strings.SplitAfter(native(t), "\n")
	for i := range lines {
		for how, changed := range map[string]string{
			"cut":     strings.Join(lines[:i], ""),
			"without": strings.Join(lines[:i], "") + strings.Join(lines[i+1:], ""),
			"twice":   strings.Join(lines[:i+1], "") + lines[i] + strings.Join(lines[i+1:], ""),
		} {
			if err := l.CheckRead(changed); err != nil {
				t.Errorf("line %d %s: %v", i+1, how, err)
			}
		}
	}
}

// Trees that no switch would give.
func TestLawsOnChangedTrees(t *testing.T) {
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: artRunning, Data: []byte(native(t))}})
	if err != nil {
		t.Fatal(err)
	}
	lenstest.Mutations(t, n.Tree, func(tree []byte) error {
		if _, _, err := render(tree, plugins.Facts{}); err != nil {
			return nil // no tree: a key is missing, or two entries have one key
		}
		return databaseLens().CheckWrite(tree)
	})
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, native(t), artRunning, artSaved, frrFolder+"frr.conf")
}

func FuzzNormalize(f *testing.F) {
	f.Add(native(f))
	f.Add(`{"STATIC_ROUTE":{"10.0.0.0/8":{"nexthop":"1.1.1.1,2.2.2.2","ifname":","}},"VLAN":{"Vlan1":{"dhcp_servers":[]}},"INTERFACE":{"Ethernet0|x":{}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if err := databaseLens().CheckRead(text); err != nil {
			t.Error(err)
		}
		a := []plugins.Artefact{{Name: artRunning, Data: []byte(text)}}
		n, err := normalize(plugins.Facts{}, a)
		if err != nil {
			t.Fatal(err)
		}
		lenstest.Account(t, a, n)
		if err := lenstest.Valid(n.Tree); err != nil {
			t.Error(err)
		}
	})
}
