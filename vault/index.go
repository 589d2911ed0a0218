package vault

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// Index is the verified view of all records. It does not change.
type Index struct {
	entries  map[string][]Entry // by device, oldest first
	seen     map[string]time.Time
	failed   map[string]Failure
	agents   map[string]Overdue // last record and due time of every agent that has not ended
	receipts []Receipt
	problems []error
	records  int
	strange  []string
}

// Failure is a device that a run did not back up.
type Failure struct {
	Time time.Time
	Code Code
}

// Overdue is an agent that has not written the record it promised.
type Overdue struct {
	Key  string    // id of the agent's key
	Last time.Time // its last record
	Due  time.Time
}

// Index reads and verifies every record of the vault: signatures, chains,
// forks, trust, pins. Records that were verified before are taken from a cache
// in the home. If something is wrong the error is ErrIntegrity, naming every
// object concerned, and the index is returned all the same with what could be
// verified. ErrNoVault if the store holds no vault.
func (v *Vault) Index(ctx context.Context) (*Index, error) { return v.index(ctx, true) }

// index is Index; without the cache it reads every record from the store.
func (v *Vault) index(ctx context.Context, cached bool) (*Index, error) {
	h := v.current()
	p, err := h.loadPins()
	if err != nil {
		return nil, err
	}
	x := &verifier{v: v, home: h, pins: p}
	next, err := x.trust(ctx)
	if err != nil {
		return nil, err
	}
	trustHash := hashHex(next.trustData)
	x.cache = newCache(trustHash)
	if cached {
		x.cache = h.loadCache(trustHash)
	}
	views, err := x.runs(ctx, next.trust)
	if err != nil {
		return nil, err
	}
	heads, err := x.heads(ctx, next.trust, views)
	if err != nil {
		return nil, err
	}
	receipts, err := x.receipts(ctx, next.trust)
	if err != nil {
		return nil, err
	}
	idx := newIndex(next.trust, views, receipts)
	idx.problems, idx.strange = x.problems, x.strange
	if len(x.problems) > 0 {
		return idx, errors.Join(x.problems...)
	}
	// Only what verified as a whole is remembered.
	if err := v.adopt(h, next); err != nil {
		return idx, err
	}
	err = h.updatePins(ctx, func(p *pins) bool {
		changed := p.Trust.raise(next.trust.n, trustHash)
		changed = p.Heads.raise(heads.N, heads.Hash) || changed
		for _, c := range views {
			if last := c.last(); last.seq > p.Chains[c.id()].Seq {
				p.Chains[c.id()] = chainPin{last.seq, last.hash}
				changed = true
			}
		}
		for _, r := range receipts {
			if i, ok := slices.BinarySearch(p.Receipts, r.Object); !ok {
				p.Receipts = slices.Insert(p.Receipts, i, r.Object)
				changed = true
			}
		}
		return changed
	})
	if err != nil {
		return idx, err
	}
	h.saveCache(x.cache)
	return idx, nil
}

// adopt makes a newer trust the home's own.
func (v *Vault) adopt(old, next *home) error {
	if next == old {
		return nil
	}
	recipients, err := ParseRecipients(next.recipients)
	if err != nil {
		return err
	}
	if err := old.save(old.path(fileTrust), next.trustData); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.home, v.recipients = next, recipients
	return nil
}

func newIndex(t *trust, views []*chainView, receipts []Receipt) *Index {
	idx := &Index{
		entries: map[string][]Entry{}, seen: map[string]time.Time{}, failed: map[string]Failure{}, agents: map[string]Overdue{},
		receipts: receipts,
	}
	accepted := map[string]string{}
	for _, r := range receipts {
		if object, ok := r.accepts(); ok {
			accepted[object] = r.Object
		}
	}
	known := map[string]bool{}
	for _, c := range views {
		idx.records += len(c.records)
		for _, e := range c.entries {
			if known[e.Object] {
				continue // a fork: both branches hold what lies before it
			}
			known[e.Object] = true
			e.Accepted = accepted[e.Object+" "+e.SHA256]
			idx.entries[e.Device] = append(idx.entries[e.Device], e)
		}
		for d, t := range c.seen {
			if t.After(idx.seen[d]) {
				idx.seen[d] = t
			}
		}
		for d, f := range c.failed {
			if f.Time.After(idx.failed[d].Time) {
				idx.failed[d] = f
			}
		}
		last := c.last()
		if k, ok := t.key(c.key); ok && k.ended.IsZero() && last.time.After(idx.agents[c.key].Last) {
			idx.agents[c.key] = Overdue{Key: c.key, Last: last.time, Due: last.due}
		}
	}
	for _, list := range idx.entries {
		sortEntries(list)
	}
	return idx
}

// Devices returns the ids of all devices that have snapshots or failures, sorted.
func (x *Index) Devices() []string {
	ids := slices.Collect(maps.Keys(x.entries))
	for d := range x.failed {
		if x.entries[d] == nil {
			ids = append(ids, d)
		}
	}
	slices.Sort(ids)
	return ids
}

// Snapshots returns a device's snapshots, oldest first.
func (x *Index) Snapshots(device string) []Entry { return slices.Clone(x.entries[device]) }

// Latest returns the device's latest good snapshot: the newest that is Good.
func (x *Index) Latest(device string) (Entry, bool) {
	for _, e := range slices.Backward(x.entries[device]) {
		if e.Good() {
			return e, true
		}
	}
	return Entry{}, false
}

// Find returns the snapshots of all devices whose ID begins with prefix, oldest
// first. An empty prefix finds none.
func (x *Index) Find(prefix string) []Entry {
	var found []Entry
	if prefix == "" {
		return nil
	}
	for _, list := range x.entries {
		for _, e := range list {
			if strings.HasPrefix(e.ID(), prefix) {
				found = append(found, e)
			}
		}
	}
	slices.SortFunc(found, func(a, b Entry) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Object, b.Object))
	})
	return found
}

// LastSeen is when a record last said that the device was read, changed or not.
func (x *Index) LastSeen(device string) (time.Time, bool) {
	t, ok := x.seen[device]
	return t, ok
}

// Failure is the device's last failure; ok is false if it was read since.
func (x *Index) Failure(device string) (f Failure, ok bool) {
	f, ok = x.failed[device]
	return f, ok && !x.seen[device].After(f.Time)
}

// Overdue returns the agents whose next record was due before now.
func (x *Index) Overdue(now time.Time) []Overdue {
	var late []Overdue
	for _, k := range slices.Sorted(maps.Keys(x.agents)) {
		if a := x.agents[k]; !a.Due.IsZero() && a.Due.Before(now) {
			late = append(late, a)
		}
	}
	return late
}

// Receipts returns the verified receipts of a kind ("" for all), oldest first.
func (x *Index) Receipts(kind string) []Receipt {
	var list []Receipt
	for _, r := range x.receipts {
		if kind == "" || r.Kind == kind {
			list = append(list, r)
		}
	}
	return list
}

// Problems returns what is wrong with the vault's records; each is an
// *IntegrityError.
func (x *Index) Problems() []error { return slices.Clone(x.problems) }
