package lenstest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
)

// Lens is what the laws of a table are held to.
type Lens interface {
	CheckRead(text string) error
	CheckWrite(tree []byte) error
}

// Native is a native file of a golden archive in testdata.
func Native(t testing.TB, file, name string) string {
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

// Truncated holds every prefix of a configuration to the laws: whatever a cut
// leaves is read, written and read again equal.
func Truncated(t *testing.T, l Lens, text string) {
	t.Helper()
	for i := 0; i <= len(text); i += 97 {
		if err := l.CheckRead(text[:i]); err != nil {
			t.Fatalf("cut at byte %d: %v", i, err)
		}
	}
}

// Changed removes each line in turn, and doubles each.
func Changed(t *testing.T, l Lens, text string) {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
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

// ChangedTrees writes trees that no device of the platform would give.
func ChangedTrees(t *testing.T, l Lens, normalize Normalize, render Render, artefact, text string) {
	t.Helper()
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: artefact, Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	Mutations(t, n.Tree, func(tree []byte) error {
		if _, _, err := render(tree, plugins.Facts{}); err != nil {
			return nil // no tree: a key is missing, or two entries have one key
		}
		return l.CheckWrite(tree)
	})
}

// NoCanary normalises a text whose secrets are "Canary…" and looks for them in
// the account.
func NoCanary(t *testing.T, normalize Normalize, artefact, text string) {
	t.Helper()
	n, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: artefact, Data: []byte(text)}})
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
