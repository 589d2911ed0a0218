package frr

import (
	"bytes"
	"errors"
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
	l := runningLens()
	text := native(t, "normalize_router.txtar", runningConfig)
	for i := 0; i <= len(text); i += 97 {
		if err := l.CheckRead(text[:i]); err != nil {
			t.Fatalf("cut at byte %d: %v", i, err)
		}
	}
}

// Each line removed in turn, and each line doubled.
func TestLawsOnChangedText(t *testing.T) {
	l := runningLens()
	lines := strings.SplitAfter(native(t, "normalize_router.txtar", runningConfig), "\n")
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
		return runningLens().CheckWrite(tree)
	})
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, native(t, "normalize_router.txtar", "running-config"), runningConfig, frrConf, daemonsFile)
}

func FuzzNormalize(f *testing.F) {
	f.Add(native(f, "normalize_router.txtar", runningConfig))
	f.Add(native(f, "normalize_unnumbered.txtar", frrConf))
	f.Fuzz(func(t *testing.T, text string) {
		if err := runningLens().CheckRead(text); err != nil {
			t.Error(err)
		}
		a := []plugins.Artefact{{Name: runningConfig, Data: []byte(text)}}
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
		{"name":"eth0","mtu":9000,"enabled":false},
		{"name":"a name that is too long for Linux","description":"x"}]},
	 "cfgvault-system:system":{"hostname":"r1","snmp":{"community":[{"name":"S3cret","access":"ro"}]}}}`
	out, losses, err := render([]byte(tree), plugins.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	want := "frr defaults traditional\nhostname r1\ninterface eth0\n shutdown\nexit\n!\nend\n"
	if got := string(out[0].Data); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var got []string
	for _, l := range losses {
		got = append(got, l.Path)
	}
	wantPaths := []string{
		"/cfgvault-interfaces:interfaces/interface[name='eth0']/mtu",
		"/cfgvault-interfaces:interfaces/interface[name='a name that is too long for Linux']",
		"/cfgvault-system:system/snmp/community[1]",
	}
	if strings.Join(got, "\n") != strings.Join(wantPaths, "\n") {
		t.Errorf("losses %q", got)
	}
	if err := runningLens().CheckWrite([]byte(tree)); err != nil {
		t.Error(err)
	}
}

func TestSecretsNeverInTheAccount(t *testing.T) {
	text := "key chain X\n key 1\n  key-string Canary1\nCanary2\n below\nCanary3 password Canary4\n x\nrouter bgp 1\n neighbor 1.2.3.4 password Canary5\n"
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: runningConfig, Data: []byte(text)}})
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
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "interface eth%d\n description port %d to somewhere\n ip address 10.%d.%d.1/24\n ip ospf area 0\n unknown statement %d\nexit\n!\n", i, i, i/256%256, i%256, i)
		fmt.Fprintf(&b, "ip route 172.%d.%d.0/24 10.0.0.1 %d\n", i/256%256, i%256, i%255+1)
		fmt.Fprintf(&b, "ip prefix-list L%d seq 5 permit 10.%d.%d.0/24 le 32\n", i, i/256%256, i%256)
	}
	return b.Bytes()
}

func BenchmarkNormalizeMiB(b *testing.B) {
	a := []plugins.Artefact{{Name: runningConfig, Data: large(1 << 20)}}
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, err := normalize(plugins.Facts{}, a); err != nil {
			b.Fatal(err)
		}
	}
}

// An entry that is about more than where a packet comes from is no filter of
// routes: written without the rest, it would permit all of them.
func TestNarrowEntriesAreLost(t *testing.T) {
	tree := `{"cfgvault-acl:acls":{"acl":[
		{"family":"ipv4","name":"WEB","entry":[
			{"seq":10,"action":"permit","protocol":"tcp","source":"any","destination":"any","destination-port":"443"},
			{"seq":20,"action":"permit","source":"10.0.0.0/8","options":"time-range NIGHT"},
			{"seq":30,"action":"deny","source":"10.1.0.0/16"}]},
		{"family":"ipv4","name":"101","kind":"extended","entry":[
			{"seq":10,"action":"permit","protocol":"ip","source":"any","destination":"any","established":true},
			{"seq":20,"action":"permit","protocol":"ip","source":"any","destination":"10.2.0.0/16"}]}]}}`
	out, losses, err := render([]byte(tree), plugins.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "frr defaults traditional\naccess-list WEB seq 30 deny 10.1.0.0/16\naccess-list 101 seq 20 permit ip any 10.2.0.0 0.0.255.255\nend\n"
	if got := string(out[0].Data); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, seq := range []string{"name='WEB'", "name='101'"} {
		if !strings.Contains(fmt.Sprint(losses), seq) {
			t.Errorf("nothing of %s is lost: %v", seq, losses)
		}
	}
	if err := runningLens().CheckWrite([]byte(tree)); err != nil {
		t.Error(err)
	}
}

// A configuration of another platform is refused by its name.
func TestForeignIsRefused(t *testing.T) {
	_, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: runningConfig, Data: []byte("!Command: show running-config\nhostname a\n")}})
	if !errors.Is(err, plugins.ErrWrongPlatform) || !strings.Contains(err.Error(), "looks like NX-OS") {
		t.Error(err)
	}
}
