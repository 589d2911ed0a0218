package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	readers    = 16                     // objects read at once
	relistWait = 200 * time.Millisecond // before a listing that misses something is believed
)

// verifier reads a vault's signed objects and checks them against each other,
// the pins and the root key. It collects problems instead of stopping at one:
// nothing that verifies is lost because something else does not.
type verifier struct {
	v     *Vault
	home  *home
	pins  *pins
	cache *cache

	problems []error
	strange  []string // names that are none of ours
}

func (x *verifier) problem(err error) { x.problems = append(x.problems, err) }

// list returns the keys below a prefix.
func (x *verifier) list(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	for o, err := range x.v.store.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, err)
		}
		keys = append(keys, o.Key)
	}
	return keys, nil
}

// get returns an object whose name ends in its hash. If the store holds other
// bytes it may hold the right ones as an older version.
func (v *Vault) get(ctx context.Context, key string, limit int64, want func([]byte) bool) ([]byte, error) {
	data, err := v.store.Get(ctx, key, limit)
	if err == nil && want(data) {
		return data, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrTooLarge) {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	if vs, ok := v.store.(Versions); ok {
		old, verr := vs.GetVersion(ctx, key, limit, want)
		if verr == nil {
			return old, nil
		}
		if !errors.Is(verr, fs.ErrNotExist) && !errors.Is(verr, errors.ErrUnsupported) && !errors.Is(verr, fs.ErrPermission) {
			return nil, fmt.Errorf("get %s: %w", key, verr)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &IntegrityError{Object: key, What: "is missing", Err: err}
	case err != nil:
		return nil, &IntegrityError{Object: key, What: fmt.Sprintf("is larger than %d bytes", limit), Err: err}
	}
	return nil, integrity(key, "holds other bytes than its name or record says")
}

func (v *Vault) getNamed(ctx context.Context, key, hash string, limit int64) ([]byte, error) {
	return v.get(ctx, key, limit, func(b []byte) bool { return hashName(b) == hash })
}

// trust finds the newest trust. The home's own copy counts as seen.
func (x *verifier) trust(ctx context.Context) (*home, error) {
	keys, err := x.list(ctx, "trust/")
	if err != nil {
		return nil, x.v.unreachable(ctx, err)
	}
	if len(keys) == 0 {
		if _, err := x.v.store.Get(ctx, keyVault, maxVaultDoc); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: the store %s holds none; is it mounted, is it the right one?", ErrNoVault, storeName(x.v.store))
		}
	}
	h := x.home
	own, ownN := hashHex(h.trustData), h.trust.n
	best, seenOwn := h, false
	names := map[int]string{}
	for _, key := range keys {
		n, hash, err := parseNumberedName("trust", key)
		if err != nil {
			x.strange = append(x.strange, key)
			continue
		}
		if n == ownN && hash == own[:hashDigits] {
			seenOwn = true
			names[n] = key
			continue
		}
		data, err := x.v.getNamed(ctx, key, hash, maxTrust)
		if err != nil {
			if !errors.Is(err, ErrIntegrity) {
				return nil, err
			}
			x.problem(err)
			continue
		}
		t, err := openTrust(h.root, h.vault, key, data)
		if err != nil {
			x.problem(err)
			continue
		}
		switch {
		case t.n != n:
			x.problem(integrity(key, "holds trust %d", t.n))
		case names[n] != "":
			x.problem(integrity(key, "two trusts have number %d, the other is %s", n, names[n]))
		case n == ownN:
			x.problem(integrity(key, "is not the trust %d that this home has seen, %s", n, own[:hashDigits]))
		case n > best.trust.n:
			next := *h
			next.trust, next.trustData, next.recipients = t, data, t.recipients
			best = &next
		}
		names[n] = key
	}
	if !seenOwn {
		x.problem(integrity(numberedName("trust", ownN, h.trustData), "trust that this home has seen is gone: the store was put back to an earlier state"))
	}
	return best, nil
}

// runs verifies all chains and returns their views.
func (x *verifier) runs(ctx context.Context, t *trust) ([]*chainView, error) {
	problems, strange := len(x.problems), len(x.strange)
	views, missing, err := x.runsOnce(ctx, t)
	if err != nil || len(missing) == 0 {
		return views, err
	}
	// A listing may lag behind. Look once more before calling it a crime.
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(relistWait):
	}
	x.problems, x.strange = x.problems[:problems], x.strange[:strange]
	views, missing, err = x.runsOnce(ctx, t)
	x.problems = append(x.problems, missing...)
	return views, err
}

// runsOnce returns apart what may only be a listing that lags.
func (x *verifier) runsOnce(ctx context.Context, t *trust) (views []*chainView, missing []error, err error) {
	keys, err := x.list(ctx, "runs/")
	if err != nil {
		return nil, nil, err
	}
	chains := map[string][]recordName{}
	for _, key := range keys {
		n, err := parseRecordName(key)
		if err != nil {
			x.strange = append(x.strange, key)
			continue
		}
		chains[n.key+"/"+n.epoch] = append(chains[n.key+"/"+n.epoch], n)
	}
	for id, p := range x.pins.Chains {
		if len(chains[id]) == 0 {
			missing = append(missing, integrity("runs/"+id, "the whole chain, seen up to record %d, is gone: the store was put back to an earlier state", p.Seq))
		}
	}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for id, names := range chains {
		g.Go(func() error {
			c := &chainVerifier{v: x.v, vault: x.home.vault, trust: t, names: names, pin: x.pins.Chains[id], cached: x.cache.chains[id]}
			if err := c.run(gctx); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			x.problems = append(x.problems, c.problems...)
			missing = append(missing, c.missing...)
			if len(c.problems)+len(c.missing) == 0 && len(c.branches) == 1 {
				x.cache.keep(c.branches[0], c.fresh)
			} else {
				x.cache.drop(id)
			}
			views = append(views, c.branches...)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(views, func(a, b *chainView) int { return strings.Compare(a.id(), b.id()) })
	return views, missing, nil
}

// chainVerifier verifies the records of one key and epoch.
type chainVerifier struct {
	v      *Vault
	vault  string
	trust  *trust
	names  []recordName
	pin    chainPin
	cached *chainView

	branches []*chainView // one, unless the chain forks
	fresh    bool         // something was read that the cache did not hold
	problems []error
	missing  []error
}

type openedRecord struct {
	*record
	name recordName
	hash string
}

func (c *chainVerifier) fail(key, format string, a ...any) {
	c.problems = append(c.problems, integrity(key, format, a...))
}

func (c *chainVerifier) run(ctx context.Context) error {
	slices.SortFunc(c.names, func(a, b recordName) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), strings.Compare(a.hash, b.hash))
	})
	first := c.names[0]
	key, ok := c.trust.key(first.key)
	if !ok || key.role != roleAgent {
		c.fail(first.String(), "key %s is no agent's in the vault's trust", first.key)
		return nil
	}
	if key.believes(first.epoch, c.pin.Seq) {
		c.checkPin()
	}
	if !key.ended.IsZero() && c.cached != nil {
		c.branches = []*chainView{c.cached} // of this trust, so of this end
		return nil
	}
	c.checkForks(key)
	start := c.resume()
	records, err := c.open(ctx, start, key)
	if err != nil {
		return err
	}
	if !key.ended.IsZero() {
		records = c.believed(records, key)
	}
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].seq == records[0].seq {
			n++
		}
		c.step(records[:n], key)
		records = records[n:]
	}
	return nil
}

// checkPin looks for the newest record that this home has seen.
func (c *chainVerifier) checkPin() {
	if c.pin.Seq == 0 {
		return
	}
	want := recordName{c.names[0].key, c.names[0].epoch, c.pin.Seq, c.pin.Hash[:min(hashDigits, len(c.pin.Hash))]}
	if !slices.Contains(c.names, want) {
		c.missing = append(c.missing, integrity(want.String(), "a record that this home has seen is gone: the store was put back to an earlier state"))
	}
}

// checkForks names every pair of records that claim one place.
func (c *chainVerifier) checkForks(key trustedKey) {
	for i := 1; i < len(c.names); i++ {
		a, b := c.names[i-1], c.names[i]
		if a.seq == b.seq && key.ended.IsZero() {
			c.fail(a.String(), "and %s both claim to be record %d of this chain: the agent was copied or put back to an earlier state, or its key was stolen", b, b.seq)
		}
	}
}

// resume starts from the cache if the listing agrees with it.
func (c *chainVerifier) resume() (start int) {
	if c.cached != nil && len(c.cached.records) <= len(c.names) {
		agree := true
		for i, r := range c.cached.records {
			agree = agree && c.names[i] == r.name(c.cached.key, c.cached.epoch)
		}
		n := len(c.cached.records)
		if agree && (n == len(c.names) || c.names[n].seq != c.names[n-1].seq) {
			c.branches = []*chainView{c.cached}
			return n
		}
	}
	return 0
}

// open reads and verifies the records from start on, each for itself.
func (c *chainVerifier) open(ctx context.Context, start int, key trustedKey) ([]openedRecord, error) {
	names := c.names[start:]
	c.fresh = len(names) > 0
	opened := make([]*record, len(names))
	hashes := make([]string, len(names))
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i, n := range names {
		if !key.believes(n.epoch, n.seq) {
			continue
		}
		g.Go(func() error {
			r, hash, err := c.openOne(gctx, n, key)
			if err != nil && !errors.Is(err, ErrIntegrity) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				c.problems = append(c.problems, err)
				return nil
			}
			opened[i], hashes[i] = r, hash
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var list []openedRecord
	for i, r := range opened {
		if r != nil {
			list = append(list, openedRecord{r, names[i], hashes[i]})
		}
	}
	return list, nil
}

func (c *chainVerifier) openOne(ctx context.Context, n recordName, key trustedKey) (*record, string, error) {
	data, err := c.v.getNamed(ctx, n.String(), n.hash, maxRecord)
	if err != nil {
		return nil, "", err
	}
	text, err := key.open(data)
	if err != nil {
		return nil, "", &IntegrityError{Object: n.String(), What: "signature", Err: err}
	}
	r, err := parseRecord(text)
	if err != nil {
		return nil, "", &IntegrityError{Object: n.String(), What: "not a record", Err: err}
	}
	if r.vault != c.vault || r.key != n.key || r.epoch != n.epoch || r.seq != n.seq {
		return nil, "", integrity(n.String(), "holds record %d of chain %s/%s of vault %s", r.seq, r.key, r.epoch, r.vault)
	}
	return r, hashHex(data), nil
}

// believed keeps, of a key that ended, the records that lead to the last ones
// that the operator believes: whoever stole the key may have added others.
func (c *chainVerifier) believed(records []openedRecord, key trustedKey) []openedRecord {
	want := map[string]bool{}
	missing := map[string]chainHead{}
	for _, h := range key.believed {
		if h.epoch == c.names[0].epoch {
			want[h.hash] = true
			missing[h.hash] = h
		}
	}
	var keep []openedRecord
	for _, r := range slices.Backward(records) {
		if want[r.hash] {
			keep = append(keep, r)
			want[r.previous] = true
			delete(missing, r.hash)
		}
	}
	slices.Reverse(keep)
	for _, h := range missing {
		c.fail(recordName{h.key, h.epoch, h.seq, h.hash[:hashDigits]}.String(), "the last believed record of an ended key is gone")
	}
	return keep
}

// step takes in the records that claim one place: one, unless the chain forks.
func (c *chainVerifier) step(group []openedRecord, key trustedKey) {
	var next []*chainView
	used := map[*chainView]bool{}
	for i, r := range group {
		var parent *chainView
		for _, b := range c.branches {
			if b.last().hash == r.previous {
				parent = b
			}
		}
		switch {
		case parent == nil && r.seq == 1 && r.previous == unknownPrevious:
			parent = newChainView(r.name.key, r.name.epoch)
		case parent == nil:
			c.missing = append(c.missing, integrity(r.name.String(), "the record before it, %s, is gone", shortHash(r.previous)))
			parent = newChainView(r.name.key, r.name.epoch)
			parent.unknown = true
		default:
			used[parent] = true
			for _, later := range group[i+1:] {
				if later.previous == r.previous {
					parent = parent.clone()
					break
				}
			}
		}
		if err := parent.apply(r.record, r.hash, key); err != nil {
			c.problems = append(c.problems, &IntegrityError{Object: r.name.String(), What: "record", Err: err})
		}
		next = append(next, parent)
	}
	for _, b := range c.branches {
		if !used[b] && !slices.Contains(next, b) {
			next = append(next, b)
		}
	}
	c.branches = next
}

func shortHash(s string) string {
	if len(s) > hashDigits {
		return s[:hashDigits]
	}
	return s
}
