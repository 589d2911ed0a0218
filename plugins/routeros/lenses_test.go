package routeros

import (
	"flag"
	"fmt"
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

func native(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(data).Files {
		if f.Name == "native/export" {
			return string(f.Data)
		}
	}
	t.Fatalf("%s has no export", file)
	return ""
}

// An export cut, with a line removed, with a line twice.
func TestLawsOnChangedText(t *testing.T) {
	for _, file := range []string{"normalize_office.txtar", "normalize_v6.txtar", "normalize_routing.txtar", "normalize_routing6.txtar"} {
		lines := strings.SplitAfter(native(t, file), "\n")
		for i := range lines {
			for how, changed := range map[string]string{
				"cut":     strings.Join(lines[:i], "") + lines[i][:len(lines[i])/2],
				"without": strings.Join(lines[:i], "") + strings.Join(lines[i+1:], ""),
				"twice":   strings.Join(lines[:i+1], "") + lines[i] + strings.Join(lines[i+1:], ""),
			} {
				if err := exportLens().CheckRead(changed); err != nil {
					t.Errorf("%s, line %d %s: %v", file, i+1, how, err)
				}
			}
		}
	}
}

// Trees that no device of this platform would give.
func TestLawsOnChangedTrees(t *testing.T) {
	for _, file := range []string{"normalize_office.txtar", "normalize_routing.txtar"} {
		n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: artExport, Data: []byte(native(t, file))}})
		if err != nil {
			t.Fatal(err)
		}
		lenstest.Mutations(t, n.Tree, func(tree []byte) error {
			if _, _, err := render(tree, plugins.Facts{}); err != nil {
				return nil // no tree: a key is missing, or two entries have one key
			}
			return exportLens().CheckWrite(tree)
		})
	}
}

// What is set to nothing is not read back, and so has to be a loss.
func TestEmptyValues(t *testing.T) {
	tree := []byte(`{"cfgvault-system:system":{"snmp":{"contact":"","location":""}}}`)
	if err := exportLens().CheckWrite(tree); err != nil {
		t.Error(err)
	}
	if _, losses, err := render(tree, plugins.Facts{}); err != nil || len(losses) != 2 {
		t.Errorf("losses %v (%v)", losses, err)
	}
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, native(t, "normalize_office.txtar"), artExport)
}

func FuzzNormalize(f *testing.F) {
	f.Add(native(f, "normalize_office.txtar"))
	f.Add(native(f, "normalize_v6.txtar"))
	f.Add("/ip dns set servers=,\n/interface bridge vlan add bridge=a tagged=b,b vlan-ids=1-4094\n")
	f.Fuzz(func(t *testing.T, text string) {
		if err := exportLens().CheckRead(text); err != nil {
			t.Error(err)
		}
		a := []plugins.Artefact{{Name: artExport, Data: []byte(text)}}
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

// No secret is shown, in whatever form the export has it.
func TestSecretsAreHidden(t *testing.T) {
	text, err := plugins.NewText(driver{}.Info())
	if err != nil {
		t.Fatal(err)
	}
	in := "add name=a password=Canary1 service=x\nadd password=\"Canary 2 \\\"Canary\\\" x\" name=b\nadd name=c passphrase=\\\n    \"Canary 3\"\nset x=y\n" +
		"add name=d wpa2-pre-shared-key=\"Canary4 \\\n    Canary5\" x=y\n/snmp community\nadd addresses=10.0.0.0/8 name=Canary6\n+add secret=Canary7\n" + native(t, "normalize_office.txtar") + native(t, "normalize_routing.txtar")
	out := text.Redact(artExport, in)
	if strings.Contains(out, "Canary") || !strings.Contains(out, "name=b") || !strings.Contains(out, "set x=y") || !strings.Contains(out, "service=l2tp") {
		t.Errorf("shown:\n%s", out)
	}
}

// large makes about n bytes of export.
func large(n int) string {
	var b strings.Builder
	b.WriteString("# 2026-11-20 02:00:01 by RouterOS 7.18.2\n/ip firewall address-list\n")
	for i := 0; b.Len() < n/2; i++ {
		fmt.Fprintf(&b, "add address=10.%d.%d.%d comment=\"entry %d\" list=blocked\n", i>>16&255, i>>8&255, i&255, i)
	}
	b.WriteString("/ppp secret\n")
	for i := 0; b.Len() < 3*n/4; i++ {
		fmt.Fprintf(&b, "add name=user%d password=secret%d profile=default remote-address=\\\n    10.1.%d.%d service=pppoe\n", i, i, i>>8&255, i&255)
	}
	b.WriteString("/ip firewall filter\n")
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "add action=accept chain=forward comment=\"rule %d\" dst-port=%d in-interface=\\\n    ether%d protocol=tcp src-address=10.2.%d.%d\n", i, i%65536, i%8, i>>8&255, i&255)
	}
	return b.String()
}

func BenchmarkNormalize10MiB(b *testing.B) {
	a := []plugins.Artefact{{Name: artExport, Data: []byte(large(10 << 20))}}
	b.SetBytes(10 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := normalize(plugins.Facts{}, a); err != nil {
			b.Fatal(err)
		}
	}
}
