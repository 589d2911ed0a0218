package vault_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
)

var update = flag.Bool("update", false, "make the test vectors anew")

// vector says what a reader must find in the store beside it.
type vector struct {
	Root      string            `json:"root"`
	Vault     string            `json:"vault"`
	Inventory string            `json:"inventory"`
	Texts     map[string]string `json:"texts"`  // snapshot's key → its first file
	Latest    map[string]string `json:"latest"` // device → key of latest good
	Attacks   []attack          `json:"attacks"`
}

// attack is a change to the store after which a reader must name an object.
type attack struct {
	Do     string `json:"do"` // flip, cut, remove, copy
	Object string `json:"object"`
	To     string `json:"to,omitempty"`
	Names  string `json:"names"` // in the error
}

// TestVectors opens vaults that were written once and must open for ever.
func TestVectors(t *testing.T) {
	for _, name := range []string{"classic", "hybrid"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			if *update {
				writeVector(t, path, name == "classic")
			}
			var want vector
			data, err := os.ReadFile(filepath.Join(path, "expect.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			w := openVector(t, path, want, nil)
			x := w.index()
			n := 0
			for _, d := range x.Devices() {
				for _, e := range x.Snapshots(d) {
					n++
					if got := w.fetch(e); got != want.Texts[e.Object] {
						t.Errorf("%s holds %q, want %q", e.Object, got, want.Texts[e.Object])
					}
				}
				if e, _ := x.Latest(d); e.Object != want.Latest[d] {
					t.Errorf("latest good of %s is %s, want %s", d, e.Object, want.Latest[d])
				}
			}
			if n != len(want.Texts) || len(want.Attacks) == 0 {
				t.Errorf("%d snapshots, want %d", n, len(want.Texts))
			}
			for _, a := range want.Attacks {
				w := openVector(t, path, want, &a)
				_, err := w.v.Check(t.Context(), vault.CheckOptions{ReadData: true})
				if !errors.Is(err, vault.ErrIntegrity) || !strings.Contains(err.Error(), a.Names) {
					t.Errorf("%s %s: got %v, want ErrIntegrity naming %s", a.Do, a.Object, err, a.Names)
				}
			}
		})
	}
}

// openVector copies a vector's store, recovers a home from it, and then changes
// the store if there is an attack.
func openVector(t *testing.T, path string, want vector, a *attack) *world {
	t.Helper()
	store := filepath.Join(t.TempDir(), "store")
	if err := os.CopyFS(store, os.DirFS(filepath.Join(path, "store"))); err != nil {
		t.Fatal(err)
	}
	s, err := dir.Open(store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	identity, err := os.ReadFile(filepath.Join(path, "identity.txt"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, dir: filepath.Join(t.TempDir(), "home"), now: time.Now, ids: identities(t, string(identity))}
	got, err := vault.Recover(t.Context(), w.config(), want.Root, w.ids)
	if err != nil {
		t.Fatal(err)
	}
	if got.VaultID != want.Vault || string(got.Inventory) != want.Inventory {
		t.Errorf("recovered %+v", got)
	}
	if a != nil {
		a.do(t, store)
		if err := os.RemoveAll(filepath.Join(w.dir, "cache")); err != nil { // look at everything again
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(w.dir, "cache"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	return w
}

func (a attack) do(t *testing.T, store string) {
	t.Helper()
	path := filepath.Join(store, a.Object)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch a.Do {
	case "flip":
		data[len(data)/2] ^= 1
	case "cut":
		data = data[:len(data)-1]
	case "copy":
		path = filepath.Join(store, a.To)
	case "remove":
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeVector(t *testing.T, path string, classic bool) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := dir.Open(filepath.Join(path, "store"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, s, vault.CreateOptions{Classic: classic})
	one := w.backup("hostname one\n", "dev-a", "dev-b")
	two := w.backup("hostname two\n", "dev-a")[0]
	if err := w.v.PutInventory(t.Context(), []byte("inventory\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.v.PutHeads(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "identity.txt"), []byte(w.created.Identity), 0o600); err != nil {
		t.Fatal(err)
	}
	runs := keys(t, s, "runs/")
	v := vector{
		Root: w.created.RootPublic, Vault: w.created.VaultID, Inventory: "inventory\n",
		Texts:  map[string]string{one[0].Object: "hostname one\n", one[1].Object: "hostname one\n", two.Object: "hostname two\n"},
		Latest: map[string]string{"dev-a": two.Object, "dev-b": one[1].Object},
		Attacks: []attack{
			{Do: "flip", Object: one[0].Object, Names: one[0].Object},
			{Do: "cut", Object: two.Object, Names: two.Object},
			{Do: "remove", Object: one[1].Object, Names: one[1].Object},
			{Do: "copy", Object: one[0].Object, To: one[1].Object, Names: one[1].Object},
			{Do: "flip", Object: runs[1], Names: runs[1]},
			{Do: "remove", Object: runs[1], Names: "runs/"},
			{Do: "remove", Object: runs[3], Names: "runs/"},
			{Do: "copy", Object: runs[1], To: strings.Replace(runs[1], "/00000002-", "/00000005-", 1), Names: "00000005"},
			{Do: "flip", Object: keys(t, s, "trust/")[0], Names: "trust/"},
			{Do: "remove", Object: keys(t, s, "heads/")[0], Names: "heads"},
		},
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "expect.json"), append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(path, "store", ".tmp")); err != nil {
		t.Fatal(err)
	}
}
