package openwrt

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
	lenstest.Golden(t, *update, normalize, render)
}

// corpus is the packages of the golden files, each named.
func corpus(t testing.TB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, file := range []string{"testdata/normalize_office.txtar", "testdata/normalize_old.txtar"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(data).Files {
			if pkg, ok := strings.CutPrefix(f.Name, "native/etc/config/"); ok {
				out[pkg] = append(out[pkg], string(f.Data))
			}
		}
	}
	return out
}

// Each package as a text of its own, cut, with a line removed, with a line
// twice.
func TestLawsOnChangedText(t *testing.T) {
	for pkg, texts := range corpus(t) {
		l := lenses()[""]
		for _, text := range texts {
			text = "package " + pkg + "\n" + text
			lines := strings.SplitAfter(text, "\n")
			for i := range lines {
				for how, changed := range map[string]string{
					"cut":     strings.Join(lines[:i], ""),
					"halved":  strings.Join(lines[:i], "") + lines[i][:len(lines[i])/2],
					"without": strings.Join(lines[:i], "") + strings.Join(lines[i+1:], ""),
					"twice":   strings.Join(lines[:i+1], "") + lines[i] + strings.Join(lines[i+1:], ""),
				} {
					if err := l.CheckRead(changed); err != nil {
						t.Errorf("%s, line %d %s: %v", pkg, i+1, how, err)
					}
				}
			}
		}
	}
}

// Trees that no device of this platform would give.
func TestLawsOnChangedTrees(t *testing.T) {
	var native []plugins.Artefact
	for pkg, texts := range corpus(t) {
		native = append(native, plugins.Artefact{Name: "etc/config/" + pkg, Data: []byte(texts[0])})
	}
	n, err := normalize(plugins.Facts{}, native)
	if err != nil {
		t.Fatal(err)
	}
	lenstest.Mutations(t, n.Tree, func(tree []byte) error {
		if _, _, err := render(tree, plugins.Facts{}); err != nil {
			return nil // no tree: a key is missing, or two entries have one key
		}
		return lenses()[""].CheckWrite(tree)
	})
}

// What would not be what it says once it is in the form of UCI.
func TestRenderNames(t *testing.T) {
	two := `{"cfgvault-interfaces:interfaces":{"interface":[{"name":"eth0.1","ipv4":{"dhcp":true}},{"name":"eth0_1","ipv4":{"dhcp":true}}]}}`
	if out, _, err := render([]byte(two), plugins.Facts{}); err == nil || !strings.Contains(err.Error(), "eth0_1") {
		t.Errorf("two interfaces became one section: %s, %v", out, err)
	}
	ssid := `{"cfgvault-wifi:wifi":{"radio":[{"name":"radio0"}],"network":[{"name":"w","radio":["radio0"],"mode":"ap","ssid":"a package of"}]}}`
	if out, _, err := render([]byte(ssid), plugins.Facts{}); err != nil || len(out) != 1 || !strings.Contains(string(out[0].Data), "'a package of'") {
		t.Errorf("a name with a keyword in it: %s, %v", out, err)
	}
}

func TestHostile(t *testing.T) {
	good := ""
	var names []string
	for pkg, texts := range corpus(t) {
		good += texts[0]
		names = append(names, "etc/config/"+pkg)
	}
	lenstest.Hostile(t, normalize, good, append(names, "etc/shadow", "etc/rc.local")...)
}

func FuzzNormalize(f *testing.F) {
	for pkg, texts := range corpus(f) {
		for _, text := range texts {
			f.Add(pkg, text)
		}
	}
	f.Add("network", "config interface 'a'\noption ifname 'b c'\noption type bridge\nlist ipaddr 1.2.3.4\noption netmask 255.0.255.0\n")
	f.Fuzz(func(t *testing.T, pkg, text string) {
		if strings.ContainsAny(pkg, "\n \t'\"\\#;\r") || pkg == "" {
			return
		}
		if err := lenses()[""].CheckRead("package " + pkg + "\n" + text); err != nil {
			t.Error(err)
		}
		a := []plugins.Artefact{{Name: "etc/config/" + pkg, Data: []byte(text)}}
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
