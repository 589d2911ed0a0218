package vault

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// TestLyingAgent: whoever has the agent's key still cannot write records that
// contradict themselves, the chain or the trust.
func TestLyingAgent(t *testing.T) {
	t.Parallel()
	other := Entry{Object: snapshotKey("dev-z", time.Now(), hashHex([]byte("z"))), SHA256: hashHex([]byte("z")), Size: 1, Kind: Routine, Verdict: Complete}
	lies := map[string]func(*record){
		"root":          func(r *record) { r.root = hashHex([]byte("other")) },
		"devices":       func(r *record) { r.devices++ },
		"change":        func(r *record) { r.changes = []Entry{other} },
		"full state":    func(r *record) { r.hasFull, r.full = true, []Entry{other} },
		"seen":          func(r *record) { r.seen = []string{"dev-z"} },
		"time":          func(r *record) { r.time = r.time.Add(-time.Hour) },
		"previous":      func(r *record) { r.previous = hashHex([]byte("other")) },
		"begins anew":   func(r *record) { r.previous = unknownPrevious },
		"vault":         func(r *record) { r.vault = "0000000000000000" },
		"opening seen":  func(r *record) { r.kind, r.seen = recordOpen, []string{"dev-a"} },
		"other epoch":   func(r *record) { r.epoch = "0000000000000000" },
		"other number":  func(r *record) { r.seq += 5 },
		"truth, at end": nil,
	}
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := Config{Dir: filepath.Join(dir, "home"), Store: files(filepath.Join(dir, "store"))}
			if _, err := Create(t.Context(), c, CreateOptions{Classic: true}); err != nil {
				t.Fatal(err)
			}
			v, err := Open(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if err := crashRun(t.Context(), v, "text", &bytes.Buffer{}); err != nil {
				t.Fatal(err)
			}
			entries := v.agent.entries()
			ch := v.agent.chain
			r := &record{vault: v.home.vault, key: v.home.agent.id, epoch: ch.Epoch, seq: ch.Seq + 1, previous: ch.Previous, kind: recordRun,
				time: ch.Time.Add(time.Second), devices: len(entries), root: rootHash(entries)}
			place := recordName{r.key, r.epoch, r.seq, ""}
			if lie != nil {
				lie(r)
			}
			data, err := v.home.agent.sign(r.text())
			if err != nil {
				t.Fatal(err)
			}
			place.hash = hashName(data)
			if err := c.Store.Put(t.Context(), place.String(), data); err != nil {
				t.Fatal(err)
			}
			_, err = v.Index(t.Context())
			if lie == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), place.String()) {
				t.Errorf("got %v, want ErrIntegrity naming %s", err, place)
			}
		})
	}
}

// TestScope: a key that may write some devices cannot speak of others.
func TestScope(t *testing.T) {
	c := newChainView("0123456789abcdef", "0123456789abcdef")
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	sum := hashHex([]byte("x"))
	e := Entry{Device: "dev-b", Object: snapshotKey("dev-b", at, sum), SHA256: sum, Kind: Routine, Verdict: Complete}
	r := &record{seq: 1, kind: recordRun, time: at, changes: []Entry{e}, devices: 1, root: rootHash([]Entry{e})}
	if err := c.apply(r, sum, trustedKey{scope: []string{"dev-a"}}); err == nil || !strings.Contains(err.Error(), "scope") || len(c.entries) != 0 {
		t.Errorf("got %v, entries %v", err, c.entries)
	}
}

// TestOneSignature: a note with more than its one signature is another spelling
// of the same note, and refused.
func TestOneSignature(t *testing.T) {
	a, err := newSigningKey(roleAgent)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newSigningKey(roleAgent)
	if err != nil {
		t.Fatal(err)
	}
	good, err := a.sign("text\n")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := a.open(good); err != nil || text != "text\n" {
		t.Fatalf("got %q, %v", text, err)
	}
	both, err := note.Sign(&note.Note{Text: "text\n"}, a.signer, b.signer)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(good)
	changed[0] = 'T'
	for name, data := range map[string][]byte{
		"two signatures": both, "changed": changed, "signature twice": append(slices.Clone(good), good[bytes.LastIndex(good, []byte("— ")):]...),
		"no signature": []byte("text\n\n"), "empty": nil, "more behind": append(slices.Clone(good), '\n'),
	} {
		if _, err := a.open(data); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := b.open(good); err == nil {
		t.Error("a stranger's signature was accepted")
	}
	if _, err := parseVerifyKey(roleRoot, a.verifyKey.text); err == nil {
		t.Error("an agent's key was taken for a root key")
	}
}

// TestClockWithoutStoreTime: the agent's own last record is a witness too.
func TestClockWithoutStoreTime(t *testing.T) {
	dir := t.TempDir()
	c := Config{Dir: filepath.Join(dir, "home"), Store: files(filepath.Join(dir, "store"))}
	if _, err := Create(t.Context(), c, CreateOptions{Classic: true}); err != nil {
		t.Fatal(err)
	}
	for _, back := range []time.Duration{0, time.Minute} {
		c.Now = func() time.Time { return time.Now().Add(-back) }
		v, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		err = crashRun(t.Context(), v, "text", &bytes.Buffer{})
		if back == 0 && err != nil || back > 0 && !errors.Is(err, ErrClock) {
			t.Errorf("clock %s behind the last record: %v", back, err)
		}
	}
}
