package vault

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// chainView is what verified records of one chain say, replayed in order.
type chainView struct {
	key, epoch string
	records    []chainRecord
	entries    []Entry
	state      map[string]Entry // newest of each device
	root       string           // of state
	unknown    bool             // a record before is missing: the state is not known
	seen       map[string]time.Time
	failed     map[string]Failure
}

// chainRecord is what stays of a record once it is verified.
type chainRecord struct {
	seq       int
	hash      string // SHA-256 as stored
	kind      string
	time, due time.Time
}

func (r chainRecord) name(key, epoch string) recordName {
	return recordName{key, epoch, r.seq, r.hash[:hashDigits]}
}

func newChainView(key, epoch string) *chainView {
	return &chainView{key: key, epoch: epoch, state: map[string]Entry{}, root: rootHash(nil), seen: map[string]time.Time{}, failed: map[string]Failure{}}
}

func (c *chainView) id() string { return c.key + "/" + c.epoch }

func (c *chainView) last() chainRecord {
	if len(c.records) == 0 {
		return chainRecord{hash: unknownPrevious}
	}
	return c.records[len(c.records)-1]
}

func (c *chainView) clone() *chainView {
	d := *c
	d.records, d.entries = slices.Clone(c.records), slices.Clone(c.entries)
	d.state, d.seen, d.failed = maps.Clone(c.state), maps.Clone(c.seen), maps.Clone(c.failed)
	return &d
}

// add takes in an entry of the record named run.
func (c *chainView) add(e Entry, run string) {
	e.Run, e.Key = run, c.key
	c.entries = append(c.entries, e)
	if old, ok := c.state[e.Device]; !ok || old.Object < e.Object {
		c.state[e.Device] = e
	}
}

// apply takes in the next record, whose signature and name are verified. What
// it says is taken in even if it contradicts the chain; the error says how.
func (c *chainView) apply(r *record, hash string, k trustedKey) error {
	var err error
	note := func(format string, a ...any) {
		if err == nil {
			err = fmt.Errorf(format, a...)
		}
	}
	last := c.last()
	if r.time.Before(last.time) {
		note("is older than the record before it")
	}
	rec := chainRecord{r.seq, hash, r.kind, r.time, r.due}
	run := rec.name(c.key, c.epoch).String()
	c.records = append(c.records, rec)
	for _, e := range r.changes {
		if !k.covers(e.Device) {
			note("names device %s, which is outside the scope of key %s", e.Device, k.id)
			continue
		}
		c.add(e, run)
		c.see(e.Device, e.Time)
	}
	for _, f := range r.failures {
		c.failed[f.device] = Failure{Time: r.time, Code: f.code}
	}
	if r.hasFull && c.unknown {
		for _, e := range r.full {
			if k.covers(e.Device) {
				c.add(e, run)
			}
		}
		c.unknown = false
	}
	c.applySeen(r, note)
	if c.unknown {
		return err
	}
	if len(r.changes) > 0 || r.hasFull {
		list := slices.Collect(maps.Values(c.state))
		sortEntries(list)
		c.root = rootHash(list)
		if r.hasFull && rootHash(r.full) != c.root {
			note("holds a state that does not follow from the records before it")
		}
	}
	if r.root != c.root || r.devices != len(c.state) {
		note("names a state that does not follow from the records before it")
	}
	return err
}

func (c *chainView) applySeen(r *record, note func(string, ...any)) {
	if r.kind == recordOpen {
		if len(r.seen) > 0 || r.except {
			note("opens a run and yet has seen devices")
		}
		return
	}
	for _, d := range r.seen {
		if _, ok := c.state[d]; !ok && !c.unknown {
			note("names device %s, of which there is no snapshot", d)
		}
	}
	if !r.except {
		for _, d := range r.seen {
			c.see(d, r.time)
		}
		return
	}
	for d := range c.state {
		if _, not := slices.BinarySearch(r.seen, d); !not {
			c.see(d, r.time)
		}
	}
}

func (c *chainView) see(device string, t time.Time) {
	if t.After(c.seen[device]) {
		c.seen[device] = t
	}
}
