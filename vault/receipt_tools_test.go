package vault_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
)

// TestPublicToolsVerifyReceipts runs the commands that FORMAT.md gives: openssl
// says whether a receipt is good, age opens what only its readers may see.
func TestPublicToolsVerifyReceipts(t *testing.T) {
	t.Parallel()
	format, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(format), "To verify a receipt with public tools")
	_, rest, _ = strings.Cut(rest, "```\n")
	script, _, ok := strings.Cut(rest, "```")
	if !ok || !strings.Contains(script, "openssl") {
		t.Fatal("FORMAT.md has no such commands")
	}
	s, err := dir.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, s, vault.CreateOptions{})
	sealed, err := w.v.SealDetails([]byte(`{"name":"core1"}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.v.PutReceipt(t.Context(), "wipe", []byte(`{"device":"dev","outcome":"done","sealed":"`+base64.StdEncoding.EncodeToString(sealed)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	note, err := w.v.FetchReceipt(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := w.v.PublicKey(r.Key)
	if !ok {
		t.Fatalf("no public key %s", r.Key)
	}
	run := func(note []byte) (string, error) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"receipt": note, "identity.txt": []byte(w.created.Identity)} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sh := exec.Command("sh", "-e", "-c", script)
		sh.Dir = dir
		sh.Env = append(os.Environ(), "KEY="+key, "PATH="+filepath.Dir(buildAge(t))+":"+os.Getenv("PATH"))
		out, err := sh.CombinedOutput()
		return string(out), err
	}
	out, err := run(note)
	if err != nil || !strings.Contains(out, "Signature Verified Successfully") || !strings.Contains(out, `{"name":"core1"}`) || !strings.Contains(r.Object, line(out, 1)) {
		t.Errorf("%v\n%s", err, out)
	}
	if got, err := w.v.VerifyReceipt(note); err != nil || got.Object != r.Object {
		t.Errorf("verify: %+v, %v", got, err)
	}
	for name, forged := range map[string][]byte{
		"another outcome": bytes.Replace(note, []byte("done"), []byte("lost"), 1),
		"another kind":    bytes.Replace(note, []byte("kind wipe"), []byte("kind wire"), 1),
	} {
		if out, err := run(forged); err == nil || strings.Contains(out, "Verified Successfully") {
			t.Errorf("%s: openssl does not notice:\n%s", name, out)
		}
		if _, err := w.v.VerifyReceipt(forged); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	if _, err := w.v.VerifyReceipt([]byte("no receipt\n")); err == nil {
		t.Error("what is no receipt is verified")
	}
}

// line is line n of a text, from 0.
func line(text string, n int) string {
	if lines := strings.Split(text, "\n"); n < len(lines) && lines[n] != "" {
		return lines[n]
	}
	return "there is no such line"
}
