package vault_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/mem"
)

// TestLatestGood: partial, unknown, undo and held snapshots never become what a
// restore takes, until an operator accepts a held one.
func TestLatestGood(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	w.backup("good", "dev")
	r := w.begin()
	var held vault.Entry
	for _, s := range []vault.Snapshot{
		{Verdict: vault.Partial}, {Verdict: vault.Unknown}, {}, {Verdict: vault.Complete, Kind: vault.Undo},
		{Verdict: vault.Complete, Held: []vault.Code{"factory-default", "shrunk"}},
	} {
		s.Device, s.Files = "dev", []vault.File{{Name: "f", Kind: vault.Native, Data: []byte("bad")}}
		e, err := r.Put(t.Context(), &s)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Held) > 0 {
			held = e
		}
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.latest("dev"); got != "good" {
		t.Fatalf("latest good is %q", got)
	}
	if n := len(w.index().Snapshots("dev")); n != 6 {
		t.Fatalf("%d snapshots", n)
	}
	// Only an operator's word counts.
	if err := os.Rename(filepath.Join(w.dir, "operator.key"), filepath.Join(w.dir, "operator.away")); err != nil {
		t.Fatal(err)
	}
	w.open()
	if err := w.v.Accept(t.Context(), held); !errors.Is(err, vault.ErrNoRight) {
		t.Fatalf("accept without an operator key: %v", err)
	}
	if _, err := w.v.PutReceipt(t.Context(), "restore", []byte(`{"outcome": "done"}`)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(w.dir, "operator.away"), filepath.Join(w.dir, "operator.key")); err != nil {
		t.Fatal(err)
	}
	w.open()
	if err := w.v.Accept(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	x := w.index()
	if e, ok := x.Latest("dev"); !ok || e.Object != held.Object || e.Accepted == "" {
		t.Fatalf("the accepted snapshot is not latest good: %+v", e)
	}
	list := x.Receipts("restore")
	if len(list) != 1 || list[0].Role != "agent" || string(list[0].Body) != `{"outcome":"done"}` {
		t.Fatalf("receipts: %+v", list)
	}
}

// TestRecover: store, root public key and either identity are enough.
func TestRecover(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	for _, text := range []string{"first inventory", "second inventory"} {
		if err := w.v.PutInventory(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{w.created.Identity, w.created.Recovery} {
		c := vault.Config{Dir: filepath.Join(t.TempDir(), "new"), Store: s}
		got, err := vault.Recover(t.Context(), c, w.created.RootPublic, identities(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Inventory) != "second inventory" || got.AgentKeyID == "" || got.VaultID != w.created.VaultID {
			t.Fatalf("recovered %+v", got)
		}
		n := &world{t: t, store: s, dir: c.Dir, now: w.now, created: w.created, ids: identities(t, text)}
		n.open()
		if !n.v.IsOperator() || n.latest("dev") != "one" {
			t.Fatal("the recovered home is not whole")
		}
		n.backup("two", "dev-2")
		if got := n.latest("dev-2"); got != "two" {
			t.Fatalf("latest %q", got)
		}
	}
	if got := w.latest("dev-2"); got != "two" { // the old home learns the new trust
		t.Fatalf("latest %q", got)
	}
	w.backup("three", "dev")

	other, _ := attacked(t)
	c := vault.Config{Dir: filepath.Join(t.TempDir(), "new"), Store: s}
	_, err := vault.Recover(t.Context(), c, other.created.RootPublic, w.ids)
	wantIntegrity(t, err, "trust/")
	if _, err := vault.Recover(t.Context(), c, w.created.RootPublic, other.ids); !errors.Is(err, vault.ErrNoIdentity) {
		t.Errorf("wrong identity: %v", err)
	}
	c.Store = mem.New()
	if _, err := vault.Recover(t.Context(), c, w.created.RootPublic, w.ids); !errors.Is(err, vault.ErrNoVault) {
		t.Errorf("empty store: %v", err)
	}
}

// TestInventoryRolledBack: a home that has seen an inventory misses it.
func TestInventoryRolledBack(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	if _, err := w.v.Inventory(t.Context(), w.ids); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no inventory: %v", err)
	}
	if err := w.v.PutInventory(t.Context(), []byte("inventory")); err != nil {
		t.Fatal(err)
	}
	if got, err := w.v.Inventory(t.Context(), w.ids); err != nil || string(got) != "inventory" {
		t.Fatalf("got %q, %v", got, err)
	}
	list := keys(t, s, "inventory/")
	data := get(t, s, list[1])
	s.Replace(list[1], append(data[:len(data)-1:len(data)-1], data[len(data)-1]^1))
	_, err := w.v.Inventory(t.Context(), w.ids)
	wantIntegrity(t, err, list[1])
	s.Remove(list[1])
	_, err = w.v.Inventory(t.Context(), w.ids)
	wantIntegrity(t, err, list[1])
}

// TestAgentWithoutIdentity: a vault for given recipients leaves nothing on the
// agent's machine that reads or rules.
func TestAgentWithoutIdentity(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	s := mem.New()
	w := newWorld(t, s, vault.CreateOptions{Recipients: []string{id.Recipient().String()}})
	if w.created.Identity+w.created.Recovery+w.created.IdentityFile != "" || w.v.IsOperator() {
		t.Fatalf("created %+v", w.created)
	}
	e := w.backup("one", "dev")[0]
	if _, err := w.v.Fetch(t.Context(), e, nil); !errors.Is(err, vault.ErrNoIdentity) {
		t.Errorf("without identity: %v", err)
	}
	err = filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), "AGE-SECRET") || strings.Contains(string(data), "PRIVATE+KEY+root") || strings.Contains(string(data), "PRIVATE+KEY+operator") {
			t.Errorf("%s holds a key that an agent must not have", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	op := &world{t: t, store: s, dir: filepath.Join(t.TempDir(), "operator"), now: w.now, ids: []age.Identity{id}}
	if _, err := vault.Recover(t.Context(), op.config(), w.created.RootPublic, op.ids); err != nil {
		t.Fatal(err)
	}
	op.open()
	if !op.v.IsOperator() || op.latest("dev") != "one" {
		t.Error("the operator's home is not whole")
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		recipients []string
		say        string
	}{
		"mixed":       {[]string{hybrid.Recipient().String(), classic.Recipient().String()}, "do not mix"},
		"an identity": {[]string{classic.String()}, "keep it secret"},
		"passphrase":  {[]string{"correct horse battery"}, "passphrase"},
		"damaged":     {[]string{classic.Recipient().String() + "x"}, "recipient"},
	} {
		_, err := vault.Create(t.Context(), vault.Config{Dir: filepath.Join(t.TempDir(), "h"), Store: mem.New()}, vault.CreateOptions{Recipients: tt.recipients})
		if err == nil || !strings.Contains(err.Error(), tt.say) || strings.Contains(err.Error(), "AGE-SECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentityFiles(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	protected, err := vault.ProtectIdentity([]byte(w.created.Identity), []byte("right"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(string) (string, error) { return "wrong", nil }
	for name, tt := range map[string]struct {
		file []byte
		ask  vault.Ask
	}{
		"empty": {nil, nil}, "comments only": {[]byte("# x\n\n"), nil}, "nobody to ask": {protected, nil}, "wrong passphrase": {protected, wrong},
	} {
		if _, err := vault.ParseIdentities(tt.file, tt.ask); !errors.Is(err, vault.ErrNoIdentity) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := vault.ParseIdentities([]byte("# fine\nAGE-SECRET-KEY-1NOTONE\n"), nil); err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "NOTONE") {
		t.Errorf("damaged: %v", err)
	}
}

// TestBadSnapshots: what the format cannot hold is refused, not changed.
func TestBadSnapshots(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	r := w.begin()
	defer r.Abort()
	ok := vault.File{Name: "f", Kind: vault.Native}
	many := make([]vault.File, 1001)
	for i := range many {
		many[i] = vault.File{Name: strings.Repeat("x", i+1), Kind: vault.Native}
	}
	before := len(keys(t, s, ""))
	for name, snap := range map[string]vault.Snapshot{
		"device":      {Device: "core1.example", Files: []vault.File{ok}},
		"no device":   {Files: []vault.File{ok}},
		"no files":    {Device: "dev"},
		"file twice":  {Device: "dev", Files: []vault.File{ok, ok}},
		"no name":     {Device: "dev", Files: []vault.File{{Kind: vault.Native}}},
		"no kind":     {Device: "dev", Files: []vault.File{{Name: "f"}}},
		"name":        {Device: "dev", Files: []vault.File{{Name: "a\xff", Kind: vault.Native}}},
		"attribute":   {Device: "dev", Files: []vault.File{{Name: "a", Kind: vault.Native, Attrs: map[string]string{"link": "\xff"}}}},
		"device text": {Device: "dev", Files: []vault.File{ok}, Held: []vault.Code{"hostname core1"}},
		"kind":        {Device: "dev", Kind: "other", Files: []vault.File{ok}},
		"verdict":     {Device: "dev", Verdict: "fine", Files: []vault.File{ok}},
		"meta":        {Device: "dev", Files: []vault.File{ok}, Meta: json.RawMessage("{")},
		"many files":  {Device: "dev", Files: many},
		"digest":      {Device: "dev", Files: []vault.File{ok}, Digest: "two words"},
	} {
		if _, err := r.Put(t.Context(), &snap); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if len(keys(t, s, "")) != before {
		t.Error("something was stored")
	}
	if err := r.Fail("dev", "not a code"); err == nil {
		t.Error("a failure with text was accepted")
	}
	if err := r.Seen("dev-never", nil); err == nil {
		t.Error("a device without object was seen")
	}
	long := strings.Repeat("ä/", 150)
	e, err := r.Put(t.Context(), &vault.Snapshot{Device: "dev", Files: []vault.File{{Name: long, Kind: vault.Native, Data: []byte("x")}, ok}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.v.Fetch(t.Context(), e, w.ids)
	if err != nil || got.Files[0].Name != long {
		t.Fatalf("a long name: %v", err)
	}
}

// TestDigest: parts are not run together, and recipients count.
func TestDigest(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	if w.v.Digest([]byte("ab"), []byte("c")) == w.v.Digest([]byte("a"), []byte("bc")) {
		t.Error("parts run together")
	}
	one := w.v.Digest([]byte("a"))
	w.open()
	if w.v.Digest([]byte("a")) != one {
		t.Error("the digest changes between processes")
	}
	other, _ := attacked(t)
	if other.v.Digest([]byte("a")) == one {
		t.Error("the digest has no key")
	}
}

// TestLostState costs one object per device and a new chain, nothing else.
func TestLostState(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	if err := os.RemoveAll(filepath.Join(w.dir, "agent")); err != nil {
		t.Fatal(err)
	}
	w.open()
	if _, ok := w.v.State("dev"); ok {
		t.Fatal("state was not lost")
	}
	w.backup("two", "dev")
	x := w.index()
	if n := len(x.Snapshots("dev")); n != 2 || w.latest("dev") != "two" {
		t.Fatalf("%d snapshots", n)
	}
	epochs := map[string]bool{}
	for _, k := range keys(t, s, "runs/") {
		epochs[strings.Split(k, "/")[2]] = true
	}
	if len(epochs) != 2 {
		t.Fatalf("%d chains", len(epochs))
	}
	// Damaged state is not lost state: going on silently would hide it.
	entries, err := os.ReadDir(filepath.Join(w.dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.WriteFile(filepath.Join(w.dir, "agent", e.Name()), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	_, err = w.v.Begin(t.Context(), vault.RunOptions{})
	wantIntegrity(t, err, "agent")
}

// TestSeenAndFailed: what a night saw and missed is told by the records alone.
func TestSeenAndFailed(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	all := []string{"dev-a", "dev-b", "dev-c", "dev-d", "dev-e"}
	w.backup("one", all...)
	for night := range 9 { // past a record with the full state
		start := time.Now().Add(-time.Millisecond)
		r := w.begin()
		seen := all[:1+night%4]
		for _, d := range seen {
			if err := r.Seen(d, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Fail("dev-e", "unreachable"); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		x := w.index()
		for i, d := range all {
			got, _ := x.LastSeen(d)
			if want := i < len(seen); got.After(start) != want {
				t.Errorf("night %d: %s seen %v, want %v", night, d, !want, want)
			}
		}
		if f, ok := x.Failure("dev-e"); !ok || f.Code != "unreachable" {
			t.Errorf("failure: %+v, %v", f, ok)
		}
		if f, ok := x.Failure("dev-a"); ok {
			t.Errorf("dev-a failed: %+v", f)
		}
	}
	// A reader without a cache comes to the same view.
	fresh := w.reader()
	if n := len(fresh.index().Devices()); n != 5 {
		t.Errorf("%d devices", n)
	}
}
