package iosxr

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens/lenstest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	lenstest.Golden(t, *update, normalize, render)
}

func native(t testing.TB, file, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(data).Files {
		if f.Name == "native/"+name {
			return string(f.Data)
		}
	}
	t.Fatalf("%s has no %s", file, name)
	return ""
}

// Every prefix of a real configuration obeys the laws: whatever a cut leaves
// is read, written and read again equal.
func TestLawsOnTruncatedText(t *testing.T) {
	l := configLens()
	text := native(t, "normalize_router.txtar", "running-config")
	for i := 0; i <= len(text); i += 97 {
		if err := l.CheckRead(text[:i]); err != nil {
			t.Fatalf("cut at byte %d: %v", i, err)
		}
	}
}

// Each line removed in turn, and each line doubled.
func TestLawsOnChangedText(t *testing.T) {
	l := configLens()
	lines := strings.SplitAfter(native(t, "normalize_router.txtar", "running-config"), "\n")
	for i := range lines {
		without := strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "")
		if err := l.CheckRead(without); err != nil {
			t.Errorf("without line %d: %v", i+1, err)
		}
		twice := strings.Join(lines[:i+1], "") + lines[i] + strings.Join(lines[i+1:], "")
		if err := l.CheckRead(twice); err != nil {
			t.Errorf("line %d twice: %v", i+1, err)
		}
	}
}

// Trees that no device of this platform would give.
func TestLawsOnChangedTrees(t *testing.T) {
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: "running-config", Data: []byte(native(t, "normalize_router.txtar", "running-config"))}})
	if err != nil {
		t.Fatal(err)
	}
	lenstest.Mutations(t, n.Tree, func(tree []byte) error {
		if _, _, err := render(tree, plugins.Facts{}); err != nil {
			return nil // no tree: a key is missing, or two entries have one key
		}
		return configLens().CheckWrite(tree)
	})
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, native(t, "normalize_router.txtar", "running-config"), "running-config", "admin-config", "inventory")
}

func FuzzNormalize(f *testing.F) {
	f.Add(native(f, "normalize_router.txtar", "running-config"))
	f.Add("username 0 sshkey 0\r00")
	f.Fuzz(func(t *testing.T, text string) {
		if err := configLens().CheckRead(text); err != nil {
			t.Error(err)
		}
		a := []plugins.Artefact{{Name: "running-config", Data: []byte(text)}}
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

func TestRenderSaysWhatItLoses(t *testing.T) {
	tree := `{"cfgvault-interfaces:interfaces":{"interface":[
		{"name":"GigabitEthernet0/0/0/1","mtu":9000,"enabled":false,"ipv4":{"address":[{"ip":"10.0.0.1","prefix-length":24,"peer":"10.0.0.2"}]}},
		{"name":"eth0","description":"x"}]},
	 "cfgvault-system:system":{"hostname":"r1","kernel":{"parameter":[{"name":"a","value":"1"}]},
	  "snmp":{"community":[{"name":"Canary two words","access":"ro"}]}}}`
	out, losses, err := render([]byte(tree), plugins.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	want := "hostname r1\ninterface GigabitEthernet0/0/0/1\n shutdown\n mtu 9000\n ipv4 address 10.0.0.1 255.255.255.0\n!\nend\n"
	if got := string(out[0].Data); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var got []string
	for _, l := range losses {
		got = append(got, l.Path)
	}
	wantPaths := []string{
		"/cfgvault-interfaces:interfaces/interface[name='GigabitEthernet0/0/0/1']/ipv4/address[ip='10.0.0.1']/peer",
		"/cfgvault-interfaces:interfaces/interface[name='eth0']",
		"/cfgvault-system:system/kernel/parameter[1]",
		"/cfgvault-system:system/snmp/community[name='•••']",
	}
	if strings.Join(got, "\n") != strings.Join(wantPaths, "\n") {
		t.Errorf("losses %q", got)
	}
	if err := configLens().CheckWrite([]byte(tree)); err != nil {
		t.Error(err)
	}
}

func TestSecretsNeverInTheAccount(t *testing.T) {
	text := "key chain X\n key 1\n  key-string Canary1\nCanary2\n below\nCanary3 password Canary4\n x\nrouter bgp 1\n neighbor 1.2.3.4 password Canary5\n"
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: "running-config", Data: []byte(text)}})
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

// large makes about n bytes of configuration.
func large(n int) []byte {
	var b bytes.Buffer
	for i := 1; b.Len() < n; i++ {
		fmt.Fprintf(&b, "interface GigabitEthernet0/0/0/%d\n description port %d to somewhere\n mtu %d\n unknown statement %d\n!\n", i, i, i%3000+1500, i)
		fmt.Fprintf(&b, "router static\n address-family ipv4 unicast\n  172.%d.%d.0/24 10.0.0.1 %d\n !\n!\n", i/256%256, i%256, i%254+1)
		fmt.Fprintf(&b, "prefix-set L%d\n  10.%d.%d.0/24 le 32\nend-set\n!\n", i, i/256%256, i%256)
	}
	return b.Bytes()
}

func BenchmarkNormalizeMiB(b *testing.B) {
	a := []plugins.Artefact{{Name: "running-config", Data: large(1 << 20)}}
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, err := normalize(plugins.Facts{}, a); err != nil {
			b.Fatal(err)
		}
	}
}
