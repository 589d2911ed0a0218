package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/mem"
	"github.com/cfgvault/cfgvault/vault/storetest"
)

// putOnlyStore is a store whose credentials may create objects and nothing else.
type putOnlyStore struct{ vault.Store }

func (s putOnlyStore) Get(context.Context, string, int64) ([]byte, error) {
	return nil, fs.ErrPermission
}

func (s putOnlyStore) List(context.Context, string) iter.Seq2[vault.Object, error] {
	return func(yield func(vault.Object, error) bool) { yield(vault.Object{}, fs.ErrPermission) }
}

// TestFaults runs three nights on a store that fails to plan, then two nights on
// the healed one. What was acknowledged must be restorable, what was put must
// not be lost, and no fault may look like a crime.
func TestFaults(t *testing.T) {
	t.Parallel()
	plans := map[string][]*storetest.Fault{
		"put fails every 2nd":             {{On: storetest.Put, Effect: storetest.Refuse, Every: 2}},
		"put fails every 3rd":             {{On: storetest.Put, Effect: storetest.Refuse, Every: 3}},
		"reply lost every 2nd":            {{On: storetest.Put, Effect: storetest.LoseReply, Every: 2}},
		"reply always lost":               {{On: storetest.Put, Effect: storetest.LoseReply}},
		"snapshots refused":               {{On: storetest.Put, Prefix: "snapshots/", Effect: storetest.Refuse}},
		"records refused":                 {{On: storetest.Put, Prefix: "runs/", Effect: storetest.Refuse}},
		"records refused after the first": {{On: storetest.Put, Prefix: "runs/", Effect: storetest.Refuse, Every: 2}},
		"full":                            {{On: storetest.Put, Effect: storetest.Refuse, Err: syscall.ENOSPC, Every: 4}},
		"read fails":                      {{On: storetest.Get, Effect: storetest.Refuse, Every: 2}},
		"list fails":                      {{On: storetest.List, Effect: storetest.Refuse, Every: 2}},
		"list breaks off":                 {{On: storetest.List, Effect: storetest.LoseReply, Every: 3}},
		"list lags":                       {{On: storetest.List, Effect: storetest.Lag, Every: 2}},
		"slow": {
			{On: storetest.Put, Effect: storetest.Delay, Wait: 5 * time.Millisecond},
			{On: storetest.Get, Effect: storetest.Delay, Wait: 5 * time.Millisecond},
			{On: storetest.List, Effect: storetest.Delay, Wait: 5 * time.Millisecond},
		},
		"all at once": {
			{On: storetest.Put, Effect: storetest.LoseReply, Every: 3},
			{On: storetest.Put, Effect: storetest.Refuse, Every: 5},
			{On: storetest.Get, Effect: storetest.Refuse, Every: 7},
			{On: storetest.List, Effect: storetest.Refuse, Every: 5},
		},
	}
	for name, faults := range plans {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nights(t, faults)
		})
	}
}

func nights(t *testing.T, faults []*storetest.Fault) {
	under := mem.New()
	w := newWorld(t, under, vault.CreateOptions{Classic: true})
	faulty := storetest.NewFaulty(under, faults...)
	w.store = faulty
	acked, put := map[string]string{}, map[string]string{}
	for night := range 5 {
		if night == 3 {
			if unfired := faulty.Unfired(); len(unfired) > 0 {
				t.Fatalf("faults that never fired: %v", unfired)
			}
			faulty.Heal()
		}
		w.open() // each night is a process of its own
		if err := w.night(fmt.Sprintf("night %d", night), acked, put); err != nil && night >= 3 {
			t.Fatalf("night %d on a healed store: %v", night, err)
		}
		if _, err := w.v.Index(t.Context()); err != nil && (night >= 3 || errors.Is(err, vault.ErrIntegrity)) {
			t.Fatalf("index after night %d: %v", night, err)
		}
	}
	x := w.index()
	have := map[string]string{}
	for _, d := range x.Devices() {
		for _, e := range x.Snapshots(d) {
			have[e.Object] = w.fetch(e)
		}
	}
	for object, text := range put {
		if have[object] != text {
			t.Errorf("%s was put and is lost", object)
		}
	}
	for d, text := range acked {
		if got := w.latest(d); got != text {
			t.Errorf("latest of %s is %q, acknowledged was %q", d, got, text)
		}
		if st, ok := w.v.State(d); !ok || st.Digest != w.v.Digest([]byte(text)) {
			t.Errorf("state of %s does not know the acknowledged snapshot", d)
		}
	}
	boxes, err := os.ReadDir(filepath.Join(w.dir, "outbox"))
	if err != nil || len(boxes) > 0 {
		t.Errorf("outbox: %v, %v", boxes, err)
	}
}

// night backs up four devices in one run and notes what was acknowledged.
func (w *world) night(text string, acked, put map[string]string) error {
	r, err := w.v.Begin(w.t.Context(), vault.RunOptions{})
	if err != nil {
		return err
	}
	run := map[string]string{}
	var failed error
	for _, d := range []string{"dev-a", "dev-b", "dev-c", "dev-d"} {
		e, err := r.Put(w.t.Context(), w.snapshot(d, text))
		if err != nil {
			failed = err
			if err := r.Fail(d, "store-failed"); err != nil {
				return err
			}
			continue
		}
		run[d], put[e.Object] = text, text
	}
	if err := r.Close(w.t.Context()); err != nil {
		return err
	}
	maps.Copy(acked, run)
	return failed
}

// TestTruncatedListing: a listing that leaves things out must not be believed
// by a home that has seen more.
func TestTruncatedListing(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	w.backup("two", "dev")
	w.index()
	faulty := storetest.NewFaulty(s, &storetest.Fault{On: storetest.List, Prefix: "runs/", Effect: storetest.Truncate})
	w.store = faulty
	w.open()
	_, err := w.v.Index(t.Context())
	wantIntegrity(t, err, "runs/")
	if unfired := faulty.Unfired(); len(unfired) > 0 {
		t.Fatal(unfired)
	}
}

func TestPutOnlyCredentials(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.store = putOnlyStore{s}
	w.open()
	w.backup("one", "dev")
	w.open()
	w.backup("two", "dev")
	w.store = s
	w.open()
	if got := w.latest("dev"); got != "two" {
		t.Fatalf("latest is %q", got)
	}
}

func TestStoreRefusesWriting(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	faulty := storetest.NewFaulty(s, &storetest.Fault{On: storetest.Put, Effect: storetest.Refuse, Err: fs.ErrPermission})
	w.store = faulty
	w.open()
	if _, err := w.v.Begin(t.Context(), vault.RunOptions{}); !errors.Is(err, vault.ErrNoRight) {
		t.Fatalf("got %v, want ErrNoRight", err)
	}
	faulty.Heal()
	w.backup("one", "dev")
	w.index()
}

// TestEmptyMountPoint: the disk is not mounted, the directory is there.
func TestEmptyMountPoint(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	w.backup("one", "dev")
	empty := mem.New()
	w.store = empty
	w.open()
	if _, err := w.v.Begin(t.Context(), vault.RunOptions{}); !errors.Is(err, vault.ErrNoVault) {
		t.Errorf("begin: %v, want ErrNoVault", err)
	}
	if _, err := w.v.Index(t.Context()); !errors.Is(err, vault.ErrNoVault) {
		t.Errorf("index: %v, want ErrNoVault", err)
	}
	if n := len(keys(t, empty, "")); n != 0 {
		t.Errorf("%d objects were written", n)
	}
	other, s := attacked(t)
	other.backup("two", "dev")
	w.store = s
	w.open()
	_, err := w.v.Begin(t.Context(), vault.RunOptions{})
	wantIntegrity(t, err, "another vault")
}
