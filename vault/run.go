package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v5"
)

const (
	clockStep   = 5 * time.Second // a clock may be set back by, between two runs
	maxSkew     = 5 * time.Minute // between this machine's clock and the store's
	flushers    = 16              // objects put at once when an outbox is emptied
	maxVaultDoc = 64 << 10
)

// RunOptions describe a run.
type RunOptions struct {
	Next  time.Time // when the next run is due at the latest; readers warn afterwards. Zero: what the run before promised holds
	Alone bool      // a home has one such run at a time, beside any number of others
	Wait  bool      // wait for what stands against the run instead of failing with ErrBusy
}

// Run is one run of the agent. Its methods are safe for concurrent use. Only
// after Close returned nil is what it did a backup. Runs of one home may
// overlap: each writes its records at its own turn.
type Run struct {
	v      *Vault
	home   *home
	due    time.Time
	locks  []func()
	outbox outbox
	old    []*claim // logs of earlier runs, to be removed once recorded

	active sync.RWMutex // held for reading by every Put; the end of the run waits for them

	mu       sync.Mutex
	state    *agentState // as of this run's last turn, with what it did since; its maps are guarded by v.mu
	ended    bool
	last     map[string]time.Time // newest snapshot's time, per device
	boxes    []*box               // in the store; to be recorded
	left     []*box               // not in the store: for the next run
	seen     map[string]string    // the object that the device still equals
	guards   map[string][]byte    // of seen devices, where they changed
	failures map[string]Code
}

// Begin starts a run: it checks the clock (ErrClock), puts what an interrupted
// run left in the outbox, and proves the right to write with an opening record
// (ErrNoRight). All that before a device is touched. ErrBusy if another process
// changes the home's keys, or has a run open as Alone as this one.
//
// It needs no right but to create objects. Where the store also lets the agent
// read, Begin notices that the store holds another vault, or none, and that a
// copy of this home has gone on with its chain.
func (v *Vault) Begin(ctx context.Context, o RunOptions) (*Run, error) {
	h := v.current()
	if h.agent == nil {
		return nil, fmt.Errorf("begin run: %w: this home holds no agent key", ErrNoRight)
	}
	if k, ok := h.trust.key(h.agent.id); !ok || !k.ended.IsZero() {
		return nil, fmt.Errorf("begin run: %w: the vault's trust has ended this home's agent key %s; what it wrote would not be believed", ErrNoRight, h.agent.id)
	}
	r := &Run{v: v, home: h, outbox: outbox{home: h}, due: o.Next, last: map[string]time.Time{},
		seen: map[string]string{}, guards: map[string][]byte{}, failures: map[string]Code{}}
	if err := r.begin(ctx, o); err != nil {
		r.release()
		return nil, fmt.Errorf("begin run: %w", err)
	}
	return r, nil
}

func (r *Run) begin(ctx context.Context, o RunOptions) error {
	if o.Alone {
		if err := r.lock(lockFile(ctx, r.home.path(fileAlone), o.Wait)); err != nil {
			return err
		}
	}
	if err := r.lock(shareFile(ctx, r.home.path(fileLock), o.Wait)); err != nil {
		return err
	}
	return r.turn(ctx, func() error {
		// First the store: asking an empty folder for its time would make it one.
		if err := r.v.checkStore(ctx, r.home, r.state.chain); err != nil {
			return err
		}
		if err := r.v.checkClock(ctx, r.state.chain); err != nil {
			return err
		}
		if err := r.settle(ctx); err != nil {
			return err
		}
		// What was left over is recorded at once, so that the state that the
		// record names is the one that readers know.
		return r.writeRecord(ctx, &record{kind: recordOpen})
	})
}

func (r *Run) lock(unlock func(), err error) error {
	if err == nil {
		r.locks = append(r.locks, unlock)
	}
	return err
}

// release gives back everything that keeps others away.
func (r *Run) release() {
	r.outbox.close()
	r.dropClaims()
	for _, unlock := range r.locks {
		unlock()
	}
	r.locks = nil
}

// checkClock refuses a clock that precedes the last record or differs from the
// store's: names sort by time, and retention counts it.
func (v *Vault) checkClock(ctx context.Context, c chain) error {
	now := v.now()
	if now.Before(c.Time.Add(-clockStep)) {
		return fmt.Errorf("%w: it says %s, but the last record was written at %s; set it right",
			ErrClock, formatTime(now), formatTime(c.Time))
	}
	clock, ok := v.store.(Clock)
	if !ok {
		return nil
	}
	theirs, err := clock.Time(ctx)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		return nil // the opening record will show whether we may write
	}
	if err != nil {
		return fmt.Errorf("time of the store: %w", err)
	}
	if d := v.now().Sub(theirs); d > maxSkew || d < -maxSkew {
		return fmt.Errorf("%w: it differs by %s from the store's (%s); at most %s is allowed",
			ErrClock, d.Round(time.Second), formatTime(theirs), maxSkew)
	}
	return nil
}

// isOurs notices, where reading is allowed, that the store holds another vault
// or none: an empty mount point must not be written to.
func (v *Vault) isOurs(ctx context.Context, h *home) (readable bool, err error) {
	data, err := v.store.Get(ctx, keyVault, maxVaultDoc)
	switch {
	case err == nil:
		if id, err := parseVaultDoc(data); err != nil || id != h.vault {
			return false, integrity(keyVault, "the store holds another vault than this home's %s", h.vault)
		}
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("%w: the store %s holds none; is it mounted, is it the right one?", ErrNoVault, storeName(v.store))
	case errors.Is(err, fs.ErrPermission):
		return false, nil // put-only
	}
	return false, v.unreachable(ctx, fmt.Errorf("read %s: %w", keyVault, err))
}

// unreachable makes an error of the store's first use ErrNoVault, unless the
// caller gave up or the store said something about its contents: what does not
// answer holds no vault for anybody.
func (v *Vault) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrIntegrity) || errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: the store %s cannot be reached: %w", ErrNoVault, storeName(v.store), err)
}

// checkStore notices, where reading is allowed, that this is not the store it
// should be: an empty mount point, another vault, a chain that went on without us.
func (v *Vault) checkStore(ctx context.Context, h *home, c chain) error {
	if readable, err := v.isOurs(ctx, h); err != nil || !readable {
		return err
	}
	next := recordName{key: h.agent.id, epoch: c.Epoch, seq: c.Seq + 1}
	for o, err := range v.store.List(ctx, next.String()) {
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list records: %w", err)
		}
		return integrity(o.Key, "a record that this home did not write continues its chain: the home was copied, or put back to an earlier state; "+
			"nothing was written. Move the folder %s away to begin a new chain", h.path(dirAgent))
	}
	return nil
}

// retryPolicy says how often and how fast a put is repeated.
type retryPolicy struct {
	tries uint
	first time.Duration
}

func defaultRetry() retryPolicy { return retryPolicy{tries: 5, first: 100 * time.Millisecond} }

// put stores bytes under a name that tells their hash, again and again with the
// same bytes, until the store says that they are durable.
func (v *Vault) put(ctx context.Context, key string, data []byte) error {
	h := v.current()
	h.at("before putting " + key)
	defer h.at("after putting " + key)
	p := v.retry()
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = p.first
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := v.store.Put(ctx, key, data)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrExist) || ctx.Err() != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(p.tries))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: the store refuses writing %s: %w", ErrNoRight, key, err)
	case errors.Is(err, fs.ErrExist):
		return &IntegrityError{Object: key, What: "the store holds other bytes under this name", Err: err}
	}
	return fmt.Errorf("put %s: %w", key, err)
}

// Put seals a snapshot, makes the sealed bytes durable on this machine, then in
// the store. After an error the next run repeats the attempt with the same
// bytes if sealing had succeeded.
func (r *Run) Put(ctx context.Context, s *Snapshot) (Entry, error) {
	r.active.RLock()
	defer r.active.RUnlock()
	c, err := r.prepare(s)
	if err != nil {
		return Entry{}, fmt.Errorf("put snapshot: %w", err)
	}
	sealed, err := r.v.seal(c, r.home.agent)
	if err != nil {
		return Entry{}, fmt.Errorf("put snapshot: %w", err)
	}
	sum := hashHex(sealed)
	e := Entry{
		Device: c.Device, Object: snapshotKey(c.Device, c.Time, sum), SHA256: sum, Size: int64(len(sealed)), Time: c.Time,
		Kind: c.Kind, Verdict: c.Verdict, Held: c.Held, Limits: c.Limits, Key: r.home.agent.id,
	}
	b := &box{Entry: e, Digest: s.Digest, Guard: s.Guard}
	if err := r.outbox.add(b, sealed); err != nil {
		return Entry{}, fmt.Errorf("put snapshot: %w", err)
	}
	if err := r.v.put(ctx, e.Object, sealed); err != nil {
		r.mu.Lock()
		r.left = append(r.left, b)
		r.mu.Unlock()
		return Entry{}, fmt.Errorf("put snapshot; it is kept on this machine and the next run puts it: %w", err)
	}
	r.note(b)
	return e, nil
}

// prepare checks a snapshot, fills in what is empty and gives it a time behind
// the device's last one.
func (r *Run) prepare(s *Snapshot) (*Snapshot, error) {
	c := *s
	if c.Kind == "" {
		c.Kind = Routine
	}
	if c.Verdict == "" {
		c.Verdict = Unknown
	}
	if err := checkID("device", c.Device); err != nil {
		return nil, err
	}
	if !validKind(c.Kind) || !validVerdict(c.Verdict) {
		return nil, fmt.Errorf("snapshot of kind %q, verdict %q: not known", c.Kind, c.Verdict)
	}
	if len(c.Files) == 0 {
		return nil, errors.New("snapshot without files")
	}
	for _, h := range slices.Concat(c.Held, c.Limits) {
		if err := checkCode(h); err != nil {
			return nil, err
		}
	}
	if strings.ContainsAny(c.Digest, " \n") || c.Digest == "-" {
		return nil, errors.New("digest was not made by Digest")
	}
	for _, f := range c.Files {
		if err := checkText(f); err != nil {
			return nil, err
		}
	}
	if c.Time.IsZero() {
		c.Time = r.v.now()
	}
	c.Time = c.Time.UTC().Truncate(time.Millisecond)

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil, errEnded
	}
	last := r.last[c.Device]
	r.v.mu.Lock()
	if d, ok := r.state.devices[c.Device]; ok && d.Entry.Time.After(last) {
		last = d.Entry.Time
	}
	r.v.mu.Unlock()
	if !c.Time.After(last) {
		c.Time = last.Add(time.Millisecond)
	}
	r.last[c.Device] = c.Time
	return &c, nil
}

// checkText refuses what JSON would silently change.
func checkText(f File) error {
	ok := utf8.ValidString(f.Name)
	for k, v := range f.Attrs {
		ok = ok && utf8.ValidString(k) && utf8.ValidString(v)
	}
	if !ok {
		return fmt.Errorf("file %q: its name or attributes are not UTF-8", f.Name)
	}
	return nil
}

var errEnded = errors.New("the run has ended")

// Seen notes that the device was read and is unchanged. guard, if not nil,
// replaces the device's guard. It fails if the agent's state knows no object of
// the device: then the device must be put.
func (r *Run) Seen(device string, guard []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return errEnded
	}
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	d, ok := r.state.devices[device]
	if !ok {
		return fmt.Errorf("device %s: no object of it is known, so it cannot be unchanged", device)
	}
	if guard != nil {
		d.Guard = guard
		r.state.devices[device] = d
		r.guards[device] = guard
	}
	r.seen[device] = d.Entry.Object
	return nil
}

// Fail notes that the device was not backed up, and why.
func (r *Run) Fail(device string, code Code) error {
	if err := checkID("device", device); err != nil {
		return err
	}
	if err := checkCode(code); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return errEnded
	}
	r.failures[device] = code
	return nil
}

// Close writes the run's record and then the state, and ends the run in any
// case. After an error nothing is lost: the next run's Begin finishes the work.
func (r *Run) Close(ctx context.Context) error {
	r.active.Lock()
	defer r.active.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return errEnded
	}
	r.ended = true
	defer r.release()
	err := r.turn(ctx, func() error {
		err := r.settle(ctx)
		if err == nil {
			err = r.writeRecord(ctx, r.record())
		}
		if err != nil {
			// Whoever has the next turn must find this run's boxes nobody's.
			r.outbox.close()
			r.dropClaims()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("close run: %w", err)
	}
	return nil
}

// record is what the run has to say at its end.
func (r *Run) record() *record {
	rec := &record{kind: recordRun}
	changed := map[string]bool{}
	for _, b := range r.boxes {
		changed[b.Entry.Device] = true
	}
	for d, c := range r.failures {
		rec.failures = append(rec.failures, deviceCode{d, c})
	}
	slices.SortFunc(rec.failures, func(a, b deviceCode) int { return strings.Compare(a.device, b.device) })
	var only, except []string
	for d, state := range r.state.devices {
		switch {
		case changed[d]:
		case r.seen[d] == state.Entry.Object: // and no other run has put a newer one since
			only = append(only, d)
		default:
			except = append(except, d)
		}
	}
	if rec.except = len(except) < len(only); rec.except {
		rec.seen = except
	} else {
		rec.seen = only
	}
	slices.Sort(rec.seen)
	return rec
}

// Abort ends a run without a record; what was put stays in the outbox and is
// recorded by the next run. After Close it does nothing.
func (r *Run) Abort() {
	r.active.Lock()
	defer r.active.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.ended = true
		r.release()
	}
}

// writeRecord signs the next record of the chain with every box of the run,
// makes it and the state durable on this machine in one step, puts it, and only
// then forgets the boxes. It is the run's turn.
func (r *Run) writeRecord(ctx context.Context, rec *record) error {
	c := r.state.chain
	entries := r.state.entries()
	for _, b := range r.boxes {
		rec.changes = append(rec.changes, b.Entry)
	}
	sortEntries(rec.changes)
	rec.vault, rec.key, rec.epoch = r.home.vault, r.home.agent.id, c.Epoch
	rec.seq, rec.previous = c.Seq+1, c.Previous
	rec.time, rec.due = r.v.now().UTC().Truncate(time.Millisecond), r.due.UTC().Truncate(time.Millisecond)
	if r.due.IsZero() {
		rec.due = c.Due
	}
	if rec.time.Before(c.Time) {
		rec.time = c.Time
	}
	rec.devices, rec.root = len(entries), rootHash(entries)
	if rec.kind == recordRun {
		if c.SinceFull++; c.SinceFull >= fullEvery {
			rec.hasFull, rec.full, c.SinceFull = true, entries, 0
		}
	}
	data, err := r.home.agent.sign(rec.text())
	if err != nil {
		return fmt.Errorf("sign record: %w", err)
	}
	changes := rec.kind == recordRun || len(r.boxes) > 0 || len(r.old) > 0
	if changes {
		if c.State, err = r.home.saveState(rec.seq, r.state.devices); err != nil {
			return err
		}
	}
	c.Seq, c.Previous, c.Time, c.Due = rec.seq, hashHex(data), rec.time, rec.due
	c.Pending = &pendingRecord{Key: recordName{rec.key, rec.epoch, rec.seq, hashName(data)}.String(), Data: data}
	if err := r.home.saveChain(c); err != nil {
		return err
	}
	r.state.chain = c
	if err := r.v.put(ctx, c.Pending.Key, c.Pending.Data); err != nil {
		return fmt.Errorf("put record; it is kept on this machine and the next run puts it: %w", err)
	}
	if err := r.forget(); err != nil {
		return err
	}
	r.boxes = nil
	r.state.chain.Pending = nil
	if !changes {
		return nil // putting the record once more costs less than saving now
	}
	if err := r.home.saveChain(r.state.chain); err != nil {
		return err
	}
	r.home.dropOldStates(c.State)
	return nil
}

// forget removes the boxes that the record in the store names.
func (r *Run) forget() error {
	for _, c := range r.old {
		r.home.at("before forgetting old boxes")
		if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("outbox: %w", err)
		}
	}
	r.dropClaims()
	return r.outbox.forget(r.left)
}
