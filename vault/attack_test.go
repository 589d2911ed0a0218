package vault_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/mem"
	"github.com/cfgvault/cfgvault/vault/storetest"
)

// attacked is a vault in a memory store whose provider is not honest.
func attacked(t *testing.T) (*world, *mem.Store) {
	s := mem.New()
	return newWorld(t, s, vault.CreateOptions{Classic: true}), s
}

// keys returns the store's keys below a prefix.
func keys(t *testing.T, s vault.Store, prefix string) []string {
	t.Helper()
	var list []string
	for o, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o.Key)
	}
	return list
}

// wantIntegrity checks that an error is ErrIntegrity and names every object.
func wantIntegrity(t *testing.T, err error, objects ...string) {
	t.Helper()
	if !errors.Is(err, vault.ErrIntegrity) {
		t.Fatalf("got %v, want ErrIntegrity", err)
	}
	var typed *vault.IntegrityError
	if !errors.As(err, &typed) {
		t.Fatalf("%v is no *IntegrityError", err)
	}
	for _, o := range objects {
		if !strings.Contains(err.Error(), o) {
			t.Fatalf("%v does not name %s", err, o)
		}
	}
}

func get(t *testing.T, s vault.Store, key string) []byte {
	t.Helper()
	data, err := s.Get(t.Context(), key, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTamperedObject(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	e := w.backup("one", "dev")[0]
	good := get(t, s, e.Object)
	// Every byte of the ciphertext counts: the header's too.
	for at := 0; at < len(good); at += 7 {
		bad := slices.Clone(good)
		bad[at] ^= 1
		s.Replace(e.Object, bad)
		_, err := w.v.Fetch(t.Context(), e, w.ids)
		wantIntegrity(t, err, e.Object)
	}
	for _, n := range []int{0, 1, len(good) / 2, len(good) - 1} {
		s.Replace(e.Object, good[:n])
		_, err := w.v.Fetch(t.Context(), e, w.ids)
		wantIntegrity(t, err, e.Object)
	}
	s.Replace(e.Object, append(slices.Clone(good), make([]byte, 1<<20)...))
	_, err := w.v.Fetch(t.Context(), e, w.ids)
	wantIntegrity(t, err, e.Object)
	s.Remove(e.Object)
	_, err = w.v.Fetch(t.Context(), e, w.ids)
	wantIntegrity(t, err, e.Object)
	_, err = w.v.Check(t.Context(), vault.CheckOptions{})
	wantIntegrity(t, err, e.Object)
}

func TestSwappedBetweenDevices(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	list := w.backup("same length 1", "dev-a", "dev-b")
	a, b := list[0], list[1]
	data := get(t, s, b.Object)
	s.Replace(a.Object, data)
	_, err := w.v.Fetch(t.Context(), a, w.ids)
	wantIntegrity(t, err, a.Object)

	// A provider who also makes up an entry meets the manifest.
	lie := a
	lie.SHA256, lie.Size = b.SHA256, b.Size
	lie.Object = strings.Replace(b.Object, "dev-b", "dev-a", 1)
	lie.Time = b.Time
	s.Replace(lie.Object, data)
	_, err = w.v.Fetch(t.Context(), lie, w.ids)
	wantIntegrity(t, err, lie.Object, "device")
	for name, change := range map[string]func(*vault.Entry){
		"kind":    func(e *vault.Entry) { e.Kind = vault.Undo },
		"verdict": func(e *vault.Entry) { e.Verdict = vault.Partial },
		"held":    func(e *vault.Entry) { e.Held = []vault.Code{"other-serial"} },
	} {
		lie := b
		change(&lie)
		_, err := w.v.Fetch(t.Context(), lie, w.ids)
		wantIntegrity(t, err, name)
	}
}

func TestReplayedAsNewest(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	old := w.backup("old", "dev")[0]
	w.backup("new", "dev")
	// The old object under a newer name: no record names it.
	s.Replace(strings.Replace(old.Object, "snapshots/dev/20", "snapshots/dev/21", 1), get(t, s, old.Object))
	if got := w.latest("dev"); got != "new" {
		t.Fatalf("latest is %q", got)
	}
	r, err := w.v.Check(t.Context(), vault.CheckOptions{})
	if err != nil || len(r.Unrecorded) != 1 {
		t.Fatalf("check: %+v, %v", r, err)
	}
	// The old record under a newer name.
	runs := keys(t, s, "runs/")
	data := get(t, s, runs[1])
	next := strings.Replace(runs[1], "/00000002-", "/00000005-", 1)
	s.Replace(next, data)
	_, err = w.v.Index(t.Context())
	wantIntegrity(t, err, next)
}

func TestRemovedRecord(t *testing.T) {
	t.Parallel()
	for at := range 6 {
		w, s := attacked(t)
		for _, text := range []string{"one", "two", "three"} {
			w.backup(text, "dev")
		}
		w.index()
		runs := keys(t, s, "runs/")
		s.Remove(runs[at])
		_, err := w.v.Index(t.Context())
		wantIntegrity(t, err, "runs/")

		// A reader who never saw the vault notices all but the end of the chain.
		fresh := w.reader()
		_, err = fresh.v.Index(t.Context())
		if at < 5 {
			wantIntegrity(t, err, "runs/")
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// reader is another home that sees the vault for the first time.
func (w *world) reader() *world {
	w.t.Helper()
	f := &world{t: w.t, store: w.store, dir: filepath.Join(w.t.TempDir(), "reader"), now: w.now, created: w.created, ids: w.ids}
	if _, err := vault.Recover(w.t.Context(), f.config(), w.created.RootPublic, w.ids); err != nil && !errors.Is(err, vault.ErrIntegrity) {
		w.t.Fatal(err)
	}
	f.open()
	return f
}

func TestRolledBackToYesterday(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	yesterday := s.Clone()
	w.backup("two", "dev")
	w.index()
	w.store = yesterday
	w.open()
	_, err := w.v.Index(t.Context())
	wantIntegrity(t, err, "runs/", "earlier state")
	if err := os.RemoveAll(filepath.Join(w.dir, "cache")); err != nil { // pins are not in the cache
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(w.dir, "cache"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = w.v.Index(t.Context())
	wantIntegrity(t, err, "runs/", "earlier state")
}

func TestHeadsTellFreshReaders(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	yesterday := s.Clone()
	w.backup("two", "dev")
	if err := w.v.PutHeads(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.index()
	heads := keys(t, s, "heads/")
	yesterday.Replace(heads[0], get(t, s, heads[0]))
	w.store = yesterday
	fresh := w.reader()
	_, err := fresh.v.Index(t.Context())
	wantIntegrity(t, err, heads[0])
	s.Remove(heads[0])
	w.store = s
	w.open()
	_, err = w.v.Index(t.Context())
	wantIntegrity(t, err, "heads")
}

func TestForeignSigner(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	other, os := attacked(t)
	other.backup("evil", "dev")
	for _, key := range keys(t, os, "") {
		if strings.HasPrefix(key, "runs/") || strings.HasPrefix(key, "snapshots/") {
			s.Replace(key, get(t, os, key))
		}
	}
	x, err := w.v.Index(t.Context())
	wantIntegrity(t, err, other.v.AgentKeyID())
	if e, ok := x.Latest("dev"); !ok || w.fetch(e) != "one" {
		t.Fatal("what verifies is lost because something else does not")
	}
}

func TestForeignTrustAndReceipt(t *testing.T) {
	t.Parallel()
	for _, series := range []string{"trust/", "heads/", "receipts/"} {
		w, s := attacked(t)
		w.backup("one", "dev")
		other, os := attacked(t)
		e := other.backup("evil", "dev")[0]
		if err := other.v.PutHeads(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := other.v.Accept(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		key := keys(t, os, series)[0]
		s.Replace(strings.Replace(key, "00000001", "00000002", 1), get(t, os, key))
		_, err := w.v.Index(t.Context())
		wantIntegrity(t, err, series)
	}
}

// TestRunsOverlap has a restore record its undo snapshot, and an operator back
// up two devices, while the night's run is open: nobody waits, the chain stays
// one, and everybody's work counts.
func TestRunsOverlap(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("old", "dev-a", "dev-b", "dev-c", "dev-d")
	night, err := w.v.Begin(t.Context(), vault.RunOptions{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	put := func(r *vault.Run, device, text string) {
		t.Helper()
		if _, err := r.Put(t.Context(), w.snapshot(device, text)); err != nil {
			t.Fatal(err)
		}
	}
	put(night, "dev-a", "night")
	for _, d := range []string{"dev-b", "dev-c"} {
		if err := night.Seen(d, []byte("guard of the night")); err != nil {
			t.Fatal(err)
		}
	}
	if err := night.Fail("dev-d", "unreachable"); err != nil {
		t.Fatal(err)
	}

	w.open() // as another process would
	if _, err := w.v.Begin(t.Context(), vault.RunOptions{Alone: true}); !errors.Is(err, vault.ErrBusy) {
		t.Fatalf("a second run alone: got %v, want ErrBusy", err)
	}
	if err := w.v.EndKey(t.Context(), w.v.AgentKeyID()); !errors.Is(err, vault.ErrBusy) {
		t.Fatalf("keys change during a run: %v", err)
	}
	undo := w.begin()
	put(undo, "dev-b", "undo")
	if err := undo.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The night's box is in the outbox, and nobody else's business.
	if n := len(w.index().Snapshots("dev-a")); n != 1 {
		t.Errorf("another run has recorded what the night put: %d snapshots", n)
	}
	if boxes, err := os.ReadDir(filepath.Join(w.dir, "outbox")); err != nil || len(boxes) != 1 {
		t.Errorf("outbox: %v, %v", boxes, err)
	}
	operator := w.begin()
	put(operator, "dev-a", "operator")
	put(operator, "dev-d", "operator")
	put(night, "dev-e", "night")
	if err := operator.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := night.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	w.open()
	x := w.index()
	for d, want := range map[string]string{"dev-a": "operator", "dev-b": "undo", "dev-c": "old", "dev-d": "operator", "dev-e": "night"} {
		if got := w.latest(d); got != want {
			t.Errorf("latest of %s is %q, want %q", d, got, want)
		}
		if st, _ := w.v.State(d); (string(st.Guard) == "guard of the night") != (d == "dev-c") {
			t.Errorf("guard of %s is %q", d, st.Guard)
		}
	}
	if n := len(x.Snapshots("dev-a")); n != 3 {
		t.Errorf("dev-a has %d snapshots, want those of three runs", n)
	}
	// dev-b was read before another run put it: nobody has seen that unchanged.
	b, _ := x.LastSeen("dev-b")
	if c, _ := x.LastSeen("dev-c"); !b.Before(c) {
		t.Errorf("dev-b seen %s, dev-c seen %s", b, c)
	}
	// One opening and one closing record each, in one chain, without a fork.
	if n := len(keys(t, s, "runs/")); n != 8 {
		t.Errorf("%d records, want 8", n)
	}
	w.backup("next", "dev-a")
}

// A run that dies leaves its boxes to the next turn of whichever run is open.
func TestRunsOverlapAfterDeath(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	long, dead := w.begin(), w.begin()
	if _, err := dead.Put(t.Context(), w.snapshot("dev", "left")); err != nil {
		t.Fatal(err)
	}
	dead.Abort()
	if err := long.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.latest("dev"); got != "left" {
		t.Errorf("latest is %q", got)
	}
	if boxes, err := os.ReadDir(filepath.Join(w.dir, "outbox")); err != nil || len(boxes) > 0 {
		t.Errorf("outbox: %v, %v", boxes, err)
	}
}

// Many runs at once, each with its own home handle: no record is lost or
// forked, whoever comes first.
func TestManyRunsAtOnce(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	const runs = 8
	var g errgroup.Group
	for i := range runs {
		one := *w
		one.open()
		g.Go(func() error {
			for range 3 {
				r, err := one.v.Begin(t.Context(), vault.RunOptions{})
				if err != nil {
					return err
				}
				if _, err = r.Put(t.Context(), one.snapshot(fmt.Sprintf("dev-%d", i), rand.Text())); err == nil {
					_, err = r.Put(t.Context(), one.snapshot("shared", rand.Text()))
				}
				if err := errors.Join(err, r.Close(t.Context())); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	w.open()
	x := w.index()
	if n := len(x.Snapshots("shared")); n != 3*runs {
		t.Errorf("%d snapshots of the shared device, want %d", n, 3*runs)
	}
	for i := range runs {
		if n := len(x.Snapshots(fmt.Sprintf("dev-%d", i))); n != 3 {
			t.Errorf("device %d has %d snapshots", i, n)
		}
	}
	if n := len(keys(t, s, "runs/")); n != 2*3*runs {
		t.Errorf("%d records, want %d", n, 6*runs)
	}
}

func TestClonedAgent(t *testing.T) {
	t.Parallel()
	for _, putOnly := range []bool{false, true} {
		w, s := attacked(t)
		w.backup("one", "dev")
		clone := *w
		clone.dir = filepath.Join(t.TempDir(), "clone")
		if err := os.CopyFS(clone.dir, os.DirFS(w.dir)); err != nil {
			t.Fatal(err)
		}
		clone.open()
		w.backup("two", "dev")
		if !putOnly {
			_, err := clone.v.Begin(t.Context(), vault.RunOptions{})
			wantIntegrity(t, err, "runs/")
			continue
		}
		clone.store = putOnlyStore{s}
		clone.open()
		clone.backup("three", "dev")
		clone.backup("four", "dev-2")
		x, err := w.v.Index(t.Context())
		forks := keys(t, s, "runs/"+w.v.AgentKeyID())
		wantIntegrity(t, err, forks[2], forks[3])
		// None is lost.
		var texts []string
		for _, d := range x.Devices() {
			for _, e := range x.Snapshots(d) {
				texts = append(texts, w.fetch(e))
			}
		}
		slices.Sort(texts)
		if got := strings.Join(texts, " "); got != "four one three two" {
			t.Fatalf("snapshots: %s", got)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	before := len(keys(t, s, ""))
	real := w.now
	for _, d := range []time.Duration{-time.Hour, -6 * time.Minute, 6 * time.Minute} {
		w.now = func() time.Time { return real().Add(d) }
		if _, err := w.v.Begin(t.Context(), vault.RunOptions{}); !errors.Is(err, vault.ErrClock) {
			t.Fatalf("clock off by %v: got %v, want ErrClock", d, err)
		}
	}
	if len(keys(t, s, "")) != before {
		t.Fatal("a run with a wrong clock wrote something")
	}
	w.now = real
	w.backup("two", "dev")
}

func TestOverdue(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	w.backup("one", "dev")
	x := w.index()
	if late := x.Overdue(w.now()); len(late) != 0 {
		t.Fatalf("overdue: %v", late)
	}
	if late := x.Overdue(w.now().Add(25 * time.Hour)); len(late) != 1 || late[0].Key != w.v.AgentKeyID() {
		t.Fatalf("not overdue: %v", late)
	}
}

// TestEndKey: ending a key settles a fork, keeps what both sides wrote, and
// shuts out whoever still has the key.
func TestEndKey(t *testing.T) {
	t.Parallel()
	w, s := attacked(t)
	w.backup("one", "dev")
	thief := *w
	thief.dir = filepath.Join(t.TempDir(), "thief")
	if err := os.CopyFS(thief.dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	thief.store = putOnlyStore{s}
	thief.open()
	w.backup("two", "dev")
	thief.backup("three", "dev-2")
	old := w.v.AgentKeyID()
	_, err := w.v.Index(t.Context())
	wantIntegrity(t, err, old)
	if err := w.v.EndKey(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if w.v.AgentKeyID() == old {
		t.Fatal("the home goes on with the ended key")
	}
	if got := w.latest("dev") + w.latest("dev-2"); got != "twothree" {
		t.Fatalf("latest: %q", got)
	}
	thief.backup("evil", "dev")
	w.open()
	w.backup("four", "dev")
	if got := w.latest("dev"); got != "four" {
		t.Fatalf("latest: %q", got)
	}
	for _, e := range w.index().Snapshots("dev") {
		if w.fetch(e) == "evil" {
			t.Fatal("a record of an ended key is believed")
		}
	}
	if late := w.index().Overdue(w.now().Add(30 * 24 * time.Hour)); len(late) != 1 || late[0].Key == old {
		t.Fatalf("overdue: %v", late)
	}
	fresh := w.reader()
	if got := fresh.latest("dev"); got != "four" {
		t.Fatalf("a fresh reader's latest: %q", got)
	}
	// The believed past cannot be taken away either.
	for _, key := range keys(t, s, "runs/"+old)[:1] {
		s.Remove(key)
	}
	_, err = w.reader().v.Index(t.Context())
	wantIntegrity(t, err, old)
}

// TestEndKeyInterrupted: when the trust cannot be put, the home goes on with
// its old key; when the process dies behind it, the next one has the new key.
func TestEndKeyInterrupted(t *testing.T) {
	t.Parallel()
	for _, effect := range []storetest.Effect{storetest.Refuse, storetest.LoseReply} {
		w, s := attacked(t)
		w.backup("one", "dev")
		old := w.v.AgentKeyID()
		w.store = storetest.NewFaulty(s, &storetest.Fault{On: storetest.Put, Prefix: "trust/", Effect: effect, Err: fs.ErrPermission, Times: 1})
		w.open()
		if err := w.v.EndKey(t.Context(), old); !errors.Is(err, vault.ErrNoRight) {
			t.Fatalf("got %v", err)
		}
		w.open()
		if effect == storetest.LoseReply {
			w.index() // finds the trust in the store
			if _, err := w.v.Begin(t.Context(), vault.RunOptions{}); !errors.Is(err, vault.ErrNoRight) {
				t.Fatalf("the ended key began a run: %v", err)
			}
			w.open()
		}
		w.backup("two", "dev")
		if got := w.latest("dev"); got != "two" {
			t.Fatalf("latest: %q", got)
		}
		if changed := w.v.AgentKeyID() != old; changed != (effect == storetest.LoseReply) {
			t.Fatalf("%s: the key changed: %v", effect, changed)
		}
	}
}

// A run that promises no successor, a restore, leaves the night's promise
// standing: a night that does not come is noticed all the same.
func TestPromiseSurvivesRestore(t *testing.T) {
	t.Parallel()
	w, _ := attacked(t)
	now := time.Now()
	w.now = func() time.Time { return now }
	w.backup("night", "dev")
	r, err := w.v.Begin(t.Context(), vault.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if late := w.index().Overdue(now.Add(23 * time.Hour)); len(late) > 0 {
		t.Errorf("overdue too early: %+v", late)
	}
	if late := w.index().Overdue(now.Add(25 * time.Hour)); len(late) != 1 {
		t.Errorf("overdue: %+v, want this agent", late)
	}
}
