package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
	"github.com/cfgvault/cfgvault/vault/mem"
)

// world is a vault with its home, for tests.
type world struct {
	t       *testing.T
	store   vault.Store
	dir     string
	now     func() time.Time
	v       *vault.Vault
	created *vault.Created
	ids     []age.Identity
}

func newWorld(t *testing.T, s vault.Store, o vault.CreateOptions) *world {
	t.Helper()
	w := &world{t: t, store: s, dir: filepath.Join(t.TempDir(), "home"), now: time.Now}
	made, err := vault.Create(t.Context(), w.config(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.created = made
	if made.Identity != "" {
		w.ids = identities(t, made.Identity)
	}
	w.open()
	return w
}

func identities(t *testing.T, text string) []age.Identity {
	t.Helper()
	ids, err := vault.ParseIdentities([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (w *world) config() vault.Config {
	return vault.Config{Dir: w.dir, Store: w.store, Now: func() time.Time { return w.now() }}
}

func (w *world) open() {
	w.t.Helper()
	v, err := vault.Open(w.t.Context(), w.config())
	if err != nil {
		w.t.Fatal(err)
	}
	v.HurryUp()
	w.v = v
}

func (w *world) begin() *vault.Run {
	w.t.Helper()
	r, err := w.v.Begin(w.t.Context(), vault.RunOptions{Next: w.now().Add(24 * time.Hour)})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// backup puts one snapshot per device in one run.
func (w *world) backup(text string, devices ...string) []vault.Entry {
	w.t.Helper()
	r := w.begin()
	var list []vault.Entry
	for _, d := range devices {
		e, err := r.Put(w.t.Context(), w.snapshot(d, text))
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, e)
	}
	if err := r.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) snapshot(device, text string) *vault.Snapshot {
	return &vault.Snapshot{
		Device: device, Verdict: vault.Complete, Meta: []byte(`{"name":"core1"}`),
		Files: []vault.File{
			{Name: "running-config", Kind: vault.Native, Data: []byte(text), Attrs: map[string]string{"mode": "0600"}},
			{Name: "etc/frr/daemons", Kind: vault.Native, Data: []byte("bgpd=yes\n")},
		},
		Digest: w.v.Digest([]byte(text)),
		Guard:  []byte("guard"),
	}
}

func (w *world) index() *vault.Index {
	w.t.Helper()
	x, err := w.v.Index(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

func (w *world) fetch(e vault.Entry) string {
	w.t.Helper()
	s, err := w.v.Fetch(w.t.Context(), e, w.ids)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(s.Files[0].Data)
}

// latest is the text of a device's latest good snapshot.
func (w *world) latest(device string) string {
	w.t.Helper()
	e, ok := w.index().Latest(device)
	if !ok {
		return ""
	}
	return w.fetch(e)
}

func TestBackupAndFetch(t *testing.T) {
	stores := map[string]func(t *testing.T) vault.Store{
		"mem": func(*testing.T) vault.Store { return mem.New() },
		"dir": func(t *testing.T) vault.Store {
			s, err := dir.Open(filepath.Join(t.TempDir(), "store"))
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
	for name, store := range stores {
		for _, classic := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/classic=%v", name, classic), func(t *testing.T) {
				w := newWorld(t, store(t), vault.CreateOptions{Classic: classic})
				w.backup("hostname one\n", "dev-a", "dev-b")
				w.backup("hostname two\n", "dev-a")
				x := w.index()
				if got := x.Devices(); fmt.Sprint(got) != "[dev-a dev-b]" {
					t.Fatalf("devices: %v", got)
				}
				list := x.Snapshots("dev-a")
				if len(list) != 2 || w.fetch(list[0]) != "hostname one\n" || w.fetch(list[1]) != "hostname two\n" {
					t.Fatalf("snapshots: %v", list)
				}
				if got := w.latest("dev-b"); got != "hostname one\n" {
					t.Fatalf("latest of dev-b: %q", got)
				}
				w.ids = identities(t, w.created.Recovery)
				s, err := w.v.Fetch(t.Context(), list[1], w.ids)
				if err != nil {
					t.Fatal(err)
				}
				if s.Files[1].Name != "etc/frr/daemons" || s.Files[0].Attrs["mode"] != "0600" || string(s.Meta) != `{"name":"core1"}` || s.Verdict != vault.Complete {
					t.Fatalf("snapshot: %+v", s)
				}
				// Another process of the same home reads the same.
				w.open()
				if got := w.latest("dev-a"); got != "hostname two\n" {
					t.Fatalf("after opening again: %q", got)
				}
				st, ok := w.v.State("dev-a")
				if !ok || st.Digest != w.v.Digest([]byte("hostname two\n")) || string(st.Guard) != "guard" {
					t.Fatalf("state: %+v", st)
				}
				report, err := w.v.Check(t.Context(), vault.CheckOptions{ReadData: true, Identities: w.ids})
				if err != nil || report.Opened != 3 || len(report.Unrecorded)+len(report.Strange) != 0 {
					t.Fatalf("check: %+v, %v", report, err)
				}
			})
		}
	}
}

func TestOpenWithoutHome(t *testing.T) {
	_, err := vault.Open(t.Context(), vault.Config{Dir: t.TempDir(), Store: mem.New()})
	if !errors.Is(err, vault.ErrNoVault) {
		t.Fatalf("got %v", err)
	}
}

func TestCreateTwice(t *testing.T) {
	w := newWorld(t, mem.New(), vault.CreateOptions{})
	if _, err := vault.Create(t.Context(), w.config(), vault.CreateOptions{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("same home: %v", err)
	}
	c := w.config()
	c.Dir = filepath.Join(t.TempDir(), "other")
	if _, err := vault.Create(context.Background(), c, vault.CreateOptions{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("same store: %v", err)
	}
}
