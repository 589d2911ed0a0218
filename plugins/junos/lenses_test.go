package junos

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/lens/lenstest"
)

var update = flag.Bool("update", false, "write the golden files")

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
		if f.Name == "native/"+configuration {
			return string(f.Data)
		}
	}
	t.Fatalf("%s has no configuration", file)
	return ""
}

// checkRead holds the laws against one text.
func checkRead(text string) (err error) {
	with(namesIn(text), func(l *lens.Lens) { err = l.CheckRead(text) })
	return err
}

// What each fixture says is read, written and read again equal.
func TestLaws(t *testing.T) {
	for _, file := range []string{"normalize_access.txtar", "normalize_firewall.txtar"} {
		if err := checkRead(native(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Whatever a cut leaves is read, written and read again equal.
func TestLawsOnTruncatedText(t *testing.T) {
	for _, file := range []string{"normalize_braces.txtar", "normalize_set.txtar"} {
		text := native(t, file)
		for i := 0; i <= len(text); i += 61 {
			if err := checkRead(text[:i]); err != nil {
				t.Fatalf("%s cut at byte %d: %v", file, i, err)
			}
		}
	}
}

// Each line removed in turn, and each line doubled.
func TestLawsOnChangedText(t *testing.T) {
	lines := strings.SplitAfter(native(t, "normalize_braces.txtar"), "\n")
	for i := range lines {
		without := strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "")
		if err := checkRead(without); err != nil {
			t.Errorf("without line %d: %v", i+1, err)
		}
		twice := strings.Join(lines[:i+1], "") + lines[i] + strings.Join(lines[i+1:], "")
		if err := checkRead(twice); err != nil {
			t.Errorf("line %d twice: %v", i+1, err)
		}
	}
}

// Trees that no Junos unit would give.
func TestLawsOnChangedTrees(t *testing.T) {
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: configuration, Data: []byte(native(t, "normalize_braces.txtar"))}})
	if err != nil {
		t.Fatal(err)
	}
	lenstest.Mutations(t, n.Tree, func(tree []byte) error {
		shaped, names, err := shape(tree)
		if err != nil {
			return nil
		}
		with(names, func(l *lens.Lens) {
			if _, _, err = l.Write(shaped); err != nil {
				err = nil // no tree: a key is missing, or two entries have one key
				return
			}
			err = l.CheckWrite(shaped)
		})
		return err
	})
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, native(t, "normalize_braces.txtar"), configuration, "license-keys")
}

func FuzzNormalize(f *testing.F) {
	f.Add(native(f, "normalize_braces.txtar"))
	f.Add(native(f, "normalize_set.txtar"))
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkRead(text); err != nil {
			t.Error(err)
		}
		a := []plugins.Artefact{{Name: configuration, Data: []byte(text)}}
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

// What another platform says, in the form that Junos has for it.
func TestRenderShapes(t *testing.T) {
	tree := `{"cfgvault-interfaces:interfaces":{"interface":[
		{"name":"ge-0/0/0","description":"x","ipv4":{"address":[{"ip":"10.0.0.1","prefix-length":24}]},"vrf":"RED"},
		{"name":"ge-0/0/1","switchport":{"mode":"trunk","trunk-vlan":[10,"20-29"]}},
		{"name":"GigabitEthernet1","description":"no name of Junos","ipv4":{"dhcp":true}}]},
	 "cfgvault-vrfs:vrfs":{"vrf":[{"name":"RED","route-distinguisher":"1:1"}]},
	 "cfgvault-vlans:vlans":{"vlan":[{"id":10}]},
	 "cfgvault-system:system":{"hostname":"r1","kernel":{"parameter":[{"name":"a","value":"1"}]},"ssh-server":{"root-login":"deny"}}}`
	out, losses, err := render([]byte(tree), plugins.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	want := `system {
    host-name r1;
    services {
        ssh {
            root-login deny;
        }
    }
}
interfaces {
    ge-0/0/0 {
        description x;
        unit 0 {
            family inet {
                address 10.0.0.1/24;
            }
        }
    }
    ge-0/0/1 {
        unit 0 {
            family ethernet-switching {
                interface-mode trunk;
                vlan {
                    members 10;
                    members 20-29;
                }
            }
        }
    }
}
routing-instances {
    RED {
        instance-type vrf;
        interface ge-0/0/0.0;
        route-distinguisher 1:1;
    }
}
vlans {
    vlan10 {
        vlan-id 10;
    }
}
`
	if got := string(out[0].Data); got != want {
		t.Errorf("got\n%s", got)
	}
	var got []string
	for _, l := range losses {
		got = append(got, l.Path)
	}
	wantPaths := []string{"/cfgvault-interfaces:interfaces/interface[name='GigabitEthernet1']", "/cfgvault-system:system/kernel/parameter[1]"}
	if strings.Join(got, "\n") != strings.Join(wantPaths, "\n") {
		t.Errorf("losses %q", got)
	}
}

func TestSecretsNeverInTheAccount(t *testing.T) {
	text := "Canary0 {\n secret Canary1;\n}\nsystem {\n Canary2 {\n  x Canary3;\n }\n}\nset Canary4 x\n"
	for _, text := range []string{text, "set Canary0 Canary1\nset snmp community Canary5 x\n", native(t, "normalize_braces.txtar")} {
		n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: configuration, Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range n.Residual {
			if strings.Contains(fmt.Sprint(l), "Canary") {
				t.Errorf("line %d shows a secret: %s", l.Number, l.Section)
			}
		}
		for _, c := range n.Coverage {
			if strings.Contains(c.Section, "Canary") {
				t.Errorf("a section shows a secret: %s", c.Section)
			}
		}
	}
}

// Every secret of the golden files is hidden where text is shown, in both
// forms and in a diff.
func TestSecretsAreHidden(t *testing.T) {
	text, err := plugins.NewText(New().Info())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"normalize_braces.txtar", "normalize_set.txtar", "normalize_access.txtar", "normalize_firewall.txtar"} {
		for line := range strings.Lines(native(t, file)) {
			for _, l := range []string{line, "+" + line, "-   " + line} {
				if got := text.Redact("", l); strings.Contains(got, "Canary") {
					t.Errorf("shown: %s", got)
				}
			}
		}
	}
}
