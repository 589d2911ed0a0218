package vyos

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
		if f.Name == "native/"+runningConfig {
			return string(f.Data)
		}
	}
	t.Fatalf("%s has no configuration", file)
	return ""
}

// checkRead holds the laws against one text.
func checkRead(text string) (err error) {
	with(localAS(text), func(l *lens.Lens) { err = l.CheckRead(text) })
	return err
}

// What an office's router says is read, written and read again equal, also
// without any one line.
func TestLaws(t *testing.T) {
	lines := strings.SplitAfter(native(t, "normalize_office.txtar"), "\n")
	for i := range lines {
		if err := checkRead(strings.Join(lines[:i], "") + strings.Join(lines[i+1:], "")); err != nil {
			t.Errorf("without line %d: %v", i+1, err)
		}
	}
}

// Whatever a cut leaves is read, written and read again equal.
func TestLawsOnTruncatedText(t *testing.T) {
	for _, file := range []string{"normalize_boot.txtar", "normalize_set.txtar"} {
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
	lines := strings.SplitAfter(native(t, "normalize_boot.txtar"), "\n")
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

// Trees that no VyOS router would give.
func TestLawsOnChangedTrees(t *testing.T) {
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: runningConfig, Data: []byte(native(t, "normalize_boot.txtar"))}})
	if err != nil {
		t.Fatal(err)
	}
	lenstest.Mutations(t, n.Tree, func(tree []byte) error {
		as, err := treeAS(tree)
		if err != nil {
			return nil
		}
		with(as, func(l *lens.Lens) {
			if _, _, err = l.Write(tree); err != nil {
				err = nil // no tree: a key is missing, or two entries have one key
				return
			}
			err = l.CheckWrite(tree)
		})
		return err
	})
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, native(t, "normalize_boot.txtar"), runningConfig, savedConfig)
}

func FuzzNormalize(f *testing.F) {
	f.Add(native(f, "normalize_boot.txtar"))
	f.Add(native(f, "normalize_set.txtar"))
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkRead(text); err != nil {
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

func TestSecretsNeverInTheAccount(t *testing.T) {
	for _, text := range []string{"Canary0 {\n secret Canary1\n}\nsystem {\n Canary2 {\n  x Canary3\n }\n}\n", "set Canary0 Canary1\n", native(t, "normalize_boot.txtar")} {
		n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: runningConfig, Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range n.Residual {
			if strings.Contains(fmt.Sprint(l), "Canary") {
				t.Errorf("line %d shows a secret: %s", l.Number, l.Section)
			}
		}
	}
}

// Every secret is hidden where text is shown, in both forms and in a diff.
func TestSecretsAreHidden(t *testing.T) {
	text, err := plugins.NewText(New().Info())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(native(t, "normalize_boot.txtar"), "\n")
	lines = append(lines, "set vpn ipsec authentication psk x secret 'Canary two'\n", "set pki certificate c private key 'CanaryKey'\n",
		"set service snmp community Canary authorization 'ro'\n", "set service https api keys id x key 'Canary'\n", "set a b 'ftp://u:Canary@example.net/'\n")
	for _, line := range lines {
		if strings.Contains(line, "notsecret") {
			continue
		}
		for _, l := range []string{line, "+" + line, "-   " + line} {
			if got := text.Redact("", l); strings.Contains(got, "Canary") {
				t.Errorf("shown: %s", got)
			}
		}
	}
}
