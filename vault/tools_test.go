package vault_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
)

// TestPublicToolsOpenSnapshots: in ten years age, zstd and tar alone get the
// configuration out.
func TestPublicToolsOpenSnapshots(t *testing.T) {
	t.Parallel()
	for _, classic := range []bool{true, false} {
		age := "age" // the distribution's, which may be old: classic vaults open with it
		if !classic {
			age = buildAge(t)
		}
		s, err := dir.Open(filepath.Join(t.TempDir(), "store"))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, s, vault.CreateOptions{Classic: classic})
		e := w.backup("hostname core1\n", "dev")[0]
		for name, text := range map[string]string{"identity": w.created.Identity, "recovery": w.created.Recovery} {
			identity := filepath.Join(t.TempDir(), "identity.txt")
			if err := os.WriteFile(identity, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out := t.TempDir()
			sh := exec.Command("sh", "-c", `set -e; "$1" -d -i "$2" "$3" | zstd -d -q | tar -x -C "$4"`, "sh",
				age, identity, filepath.Join(s.String(), e.Object), out)
			if msg, err := sh.CombinedOutput(); err != nil {
				t.Fatalf("classic=%v, %s: %v\n%s", classic, name, err, msg)
			}
			for file, want := range map[string]string{"native.running-config": "hostname core1\n", "native.etc%2Ffrr%2Fdaemons": "bgpd=yes\n"} {
				got, err := os.ReadFile(filepath.Join(out, file))
				if err != nil || string(got) != want {
					t.Errorf("classic=%v, %s: %s: got %q, %v", classic, name, file, got, err)
				}
			}
			manifest, err := os.ReadFile(filepath.Join(out, "manifest"))
			if err != nil || !strings.HasPrefix(string(manifest), "cfgvault snapshot\nversion 1\nvault "+w.created.VaultID+"\n") {
				t.Errorf("manifest: %.80q, %v", manifest, err)
			}
		}
	}
}

// buildAge builds the age command that belongs to the library.
func buildAge(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "age")
	if msg, err := exec.Command("go", "build", "-o", bin, "filippo.io/age/cmd/age").CombinedOutput(); err != nil {
		t.Fatalf("build age: %v\n%s", err, msg)
	}
	return bin
}

// TestProtectedIdentity: age itself opens what ProtectIdentity wrote, and the
// other way round.
func TestProtectedIdentity(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	e := w.backup("one", "dev")[0]
	protected, err := vault.ProtectIdentity([]byte(w.created.Identity), []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(protected), "AGE-SECRET-KEY") {
		t.Fatal("the identity is in clear")
	}
	ask := func(answer string) vault.Ask { return func(string) (string, error) { return answer, nil } }
	ids, err := vault.ParseIdentities(protected, ask("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	w.ids = ids
	if got := w.fetch(e); got != "one" {
		t.Fatalf("fetched %q", got)
	}
}
