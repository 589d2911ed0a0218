// Package lenstest runs the golden files of a vendor's lenses. It is imported
// by tests only and holds no check that the laws of package lens do not state.
package lenstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/schemas"
)

// Normalize and Render are the functions of a vendor's package.
type (
	Normalize func(plugins.Facts, []plugins.Artefact) (*plugins.Normalized, error)
	Render    func([]byte, plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error)
)

// Golden runs every testdata/normalize_*.txtar: the files below native/ are
// the artefacts, "tree.json" and "account" what normalising them gives, and
// "rendered", where render is not nil, what rendering that tree gives, which
// gives the tree again. With update set the last three are written. Each tree
// is valid.
func Golden(t *testing.T, update bool, normalize Normalize, render Render) {
	files, err := filepath.Glob("testdata/normalize_*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse(data)
			have := map[string][]byte{}
			var native []plugins.Artefact
			var inputs []txtar.File
			for _, f := range a.Files {
				if name, ok := strings.CutPrefix(f.Name, "native/"); ok {
					native = append(native, plugins.Artefact{Name: name, Data: f.Data})
					inputs = append(inputs, f)
				} else {
					have[f.Name] = f.Data
				}
			}
			n, err := normalize(plugins.Facts{}, native)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := Canonical(n.Tree)
			if err != nil {
				t.Errorf("the tree is not valid: %v", err)
			}
			Account(t, native, n)
			results := []txtar.File{{Name: "tree.json", Data: Indent(t, n.Tree)}, {Name: "account", Data: account(native, n)}}
			if render != nil {
				out, losses, err := render(n.Tree, plugins.Facts{})
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range losses {
					t.Errorf("what was read is lost when it is written: %s", l.Path)
				}
				again, err := normalize(plugins.Facts{}, out)
				if err != nil {
					t.Fatal(err)
				}
				if back, err := Canonical(again.Tree); err != nil || !bytes.Equal(back, tree) {
					t.Errorf("what is rendered gives another tree (%v):\n%s", err, Indent(t, again.Tree))
				}
				for _, r := range out {
					results = append(results, txtar.File{Name: "rendered/" + r.Name, Data: r.Data})
				}
			}
			if update {
				a.Files = append(inputs, results...)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, r := range results {
				if !bytes.Equal(r.Data, have[r.Name]) {
					t.Errorf("%s differs from the golden file; -update writes it. Now:\n%s", r.Name, r.Data)
				}
			}
		})
	}
}

// Valid judges a tree by the common modules.
func Valid(tree []byte) error {
	_, err := Canonical(tree)
	return err
}

// Canonical is the one form of a tree that is valid.
func Canonical(tree []byte) ([]byte, error) {
	set, err := schemas.Common()
	if err != nil {
		return nil, err
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return nil, err
	}
	return t.Canonical(), set.Validate(t)
}

// Indent prints JSON for people.
func Indent(t *testing.T, tree []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, tree, "", " "); err != nil {
		t.Fatalf("the tree is no JSON: %v", err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// Account checks that each line that is not empty has exactly one class, that
// the coverage counts the same lines, and that rules are named where they must
// be.
func Account(t *testing.T, native []plugins.Artefact, n *plugins.Normalized) {
	t.Helper()
	type key struct {
		artefact string
		class    plugins.Class
	}
	counted, total := map[key]int{}, map[string]int{}
	for _, c := range n.Coverage {
		for class, lines := range c.Lines {
			counted[key{c.Artefact, class}] += lines
			total[c.Artefact] += lines
		}
	}
	seen := map[string]bool{}
	listed := map[key]int{}
	at, last := "", 0
	for _, l := range n.Residual {
		id := fmt.Sprintf("%s:%d", l.Artefact, l.Number)
		if seen[id] {
			t.Errorf("%s has two classes", id)
		}
		if seen[id] = true; l.Artefact == at && l.Number <= last {
			t.Errorf("%s is out of order", id)
		}
		at, last = l.Artefact, l.Number
		if (l.Class == plugins.Boilerplate || l.Class == plugins.Volatile) != (l.Rule != "") {
			t.Errorf("%s: class %s with rule %q", id, l.Class, l.Rule)
		}
		listed[key{l.Artefact, l.Class}]++
	}
	for _, a := range native {
		lines := 0
		for line := range bytes.Lines(a.Data) {
			if len(bytes.TrimSpace(line)) > 0 {
				lines++
			}
		}
		if total[a.Name] != lines {
			t.Errorf("%s: %d lines of %d are accounted for", a.Name, total[a.Name], lines)
		}
		for _, class := range []plugins.Class{plugins.Boilerplate, plugins.Volatile, plugins.SecretOpaque, plugins.Unparsed} {
			if k := (key{a.Name, class}); counted[k] != listed[k] {
				t.Errorf("%s: %d lines are %s by coverage, %d by residual", a.Name, counted[k], class, listed[k])
			}
		}
	}
}

// account prints the residual beside the lines that it is about.
func account(native []plugins.Artefact, n *plugins.Normalized) []byte {
	var b bytes.Buffer
	for _, a := range native {
		lines := bytes.Split(a.Data, []byte("\n"))
		for _, l := range n.Residual {
			if l.Artefact == a.Name {
				fmt.Fprintf(&b, "%s:%d %s %s [%s] %s\n", l.Artefact, l.Number, l.Class, l.Rule, l.Section, bytes.TrimSpace(lines[l.Number-1]))
			}
		}
	}
	return b.Bytes()
}
