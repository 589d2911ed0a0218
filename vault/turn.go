package vault

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// turn lets f read and continue the chain, alone among all runs of this home
// and from where the last of them left it. A run's turns are its opening and
// its closing record; between them others have theirs, so that a restore does
// not wait for the night's run over all devices.
func (r *Run) turn(ctx context.Context, f func() error) error {
	unlock, err := lockFile(ctx, r.home.path(fileTurn), true)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.refresh(); err != nil {
		return err
	}
	return f()
}

// refresh takes in what other runs have recorded since this run's last turn.
// What this one did stays, unless theirs is newer.
func (r *Run) refresh() error {
	if r.state != nil {
		c, err := loadChain(r.home)
		if err == nil && c.Epoch == r.state.chain.Epoch && c.Seq == r.state.chain.Seq && c.Previous == r.state.chain.Previous {
			return nil
		}
	}
	a, err := loadAgent(r.home)
	if err != nil {
		return err
	}
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.state, r.v.agent = a, a
	for _, b := range r.boxes {
		a.take(b)
	}
	for d, guard := range r.guards {
		if s, ok := a.devices[d]; ok && s.Entry.Object == r.seen[d] {
			s.Guard = guard
			a.devices[d] = s
		}
	}
	return nil
}

// settle finishes what an interrupted run began: its record, then its objects.
// What runs that are still open have in the outbox is theirs. It is the run's
// turn, and no Put is on its way.
func (r *Run) settle(ctx context.Context) error {
	named := map[string]bool{}
	if p := r.state.chain.Pending; p != nil {
		if err := r.v.put(ctx, p.Key, p.Data); err != nil {
			return fmt.Errorf("put the record of an earlier run: %w", err)
		}
		if text, err := r.home.agent.open(p.Data); err == nil {
			if rec, err := parseRecord(text); err == nil {
				for _, e := range rec.changes {
					named[e.Object] = true
				}
			}
		}
	}
	claims, err := claimOutbox(r.home)
	r.old = append(r.old, claims...)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(flushers)
	for _, c := range claims {
		for _, b := range c.boxes {
			if named[b.Entry.Object] {
				continue
			}
			g.Go(func() error {
				sealed, err := b.sealed()
				if err != nil {
					return fmt.Errorf("outbox: %w", err)
				}
				if err := r.v.put(gctx, b.Entry.Object, sealed); err != nil {
					return fmt.Errorf("put a snapshot of an earlier run: %w", err)
				}
				mu.Lock()
				defer mu.Unlock()
				r.keep(b)
				return nil
			})
		}
	}
	return g.Wait()
}

// note takes a box that is in the store into the run and the state.
func (r *Run) note(b *box) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(b)
}

// keep is note for a caller that is alone with r.boxes.
func (r *Run) keep(b *box) {
	r.boxes = append(r.boxes, b)
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.state.take(b)
}

// take makes a box the newest of its device, unless there is a newer one.
func (a *agentState) take(b *box) {
	d, ok := a.devices[b.Entry.Device]
	if ok && d.Entry.Object >= b.Entry.Object {
		return
	}
	next := DeviceState{Digest: b.Digest, Entry: b.Entry, Guard: b.Guard}
	if next.Guard == nil {
		next.Guard = d.Guard
	}
	a.devices[b.Entry.Device] = next
}

// dropClaims gives the logs of earlier runs back.
func (r *Run) dropClaims() {
	for _, c := range r.old {
		unlockFile(c.file)
	}
	r.old = nil
}
