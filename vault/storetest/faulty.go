package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/vault"
)

// ErrPlanned is the error of a planned fault that has none of its own.
var ErrPlanned = errors.New("planned fault")

// Op is an operation of a store.
type Op string

// The operations.
const (
	Put  Op = "put"
	Get  Op = "get"
	List Op = "list"
)

// Effect is what a fault does.
type Effect string

// The effects.
const (
	Refuse    Effect = "refuse"     // fail without doing anything
	LoseReply Effect = "lose-reply" // do it, then fail
	Delay     Effect = "delay"      // wait for Fault.Wait first
	Truncate  Effect = "truncate"   // list only the first half, and say nothing
	Lag       Effect = "lag"        // list without what was put last, and say nothing
)

// Fault is one planned fault.
type Fault struct {
	On     Op
	Prefix string // of the keys concerned
	Effect Effect
	Every  int           // fires at every n-th matching call; 0: at every one
	Times  int           // ends after so many; 0: never
	Err    error         // nil: ErrPlanned
	Wait   time.Duration // of Delay

	calls, fired int
}

// String names the fault for messages.
func (f *Fault) String() string {
	return fmt.Sprintf("%s of %q: %s, every %d, %d times", f.On, f.Prefix, f.Effect, f.Every, f.Times)
}

// Faulty is a store that fails to plan. A test that uses one checks Unfired at
// its end: a fault that never happened proves nothing.
type Faulty struct {
	vault.Store

	mu     sync.Mutex
	faults []*Fault
	last   string // key put last
}

// NewFaulty wraps a store.
func NewFaulty(s vault.Store, faults ...*Fault) *Faulty { return &Faulty{Store: s, faults: faults} }

// Unfired returns the faults that have not fired, or not as often as planned.
func (s *Faulty) Unfired() []*Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*Fault
	for _, f := range s.faults {
		if f.fired == 0 || f.fired < f.Times {
			list = append(list, f)
		}
	}
	return list
}

// Heal ends all faults.
func (s *Faulty) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		f.Times = max(f.fired, 1)
		f.fired = f.Times
	}
}

// String is the wrapped store's name, so that digests do not change.
func (s *Faulty) String() string { return fmt.Sprint(s.Store) }

// strike returns the fault that hits this call, if one does.
func (s *Faulty) strike(op Op, key string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.On != op || !strings.HasPrefix(key, f.Prefix) || (f.Times > 0 && f.fired >= f.Times) {
			continue
		}
		f.calls++
		if f.calls%max(f.Every, 1) == 0 {
			f.fired++
			return f
		}
	}
	return nil
}

func (f *Fault) err(key string) error {
	if f.Err != nil {
		return fmt.Errorf("%s %s: %w", f.On, key, f.Err)
	}
	return fmt.Errorf("%s %s: %w", f.On, key, ErrPlanned)
}

func (f *Fault) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(f.Wait):
		return nil
	}
}

// Put is the store's Put, unless a fault strikes.
func (s *Faulty) Put(ctx context.Context, key string, data []byte) error {
	f := s.strike(Put, key)
	if f != nil && f.Effect == Refuse {
		return f.err(key)
	}
	if f != nil && f.Effect == Delay {
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
	if err := s.Store.Put(ctx, key, data); err != nil {
		return err
	}
	s.mu.Lock()
	s.last = key
	s.mu.Unlock()
	if f != nil && f.Effect == LoseReply {
		return f.err(key)
	}
	return nil
}

// Get is the store's Get, unless a fault strikes.
func (s *Faulty) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if f := s.strike(Get, key); f != nil {
		if f.Effect == Refuse || f.Effect == LoseReply {
			return nil, f.err(key)
		}
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
	}
	return s.Store.Get(ctx, key, limit)
}

// List is the store's List, unless a fault strikes.
func (s *Faulty) List(ctx context.Context, prefix string) iter.Seq2[vault.Object, error] {
	f := s.strike(List, prefix)
	if f == nil {
		return s.Store.List(ctx, prefix)
	}
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	return func(yield func(vault.Object, error) bool) {
		if f.Effect == Refuse {
			yield(vault.Object{}, f.err(prefix))
			return
		}
		if f.Effect == Delay {
			if err := f.wait(ctx); err != nil {
				yield(vault.Object{}, err)
				return
			}
		}
		var all []vault.Object
		for o, err := range s.Store.List(ctx, prefix) {
			if err != nil {
				yield(vault.Object{}, err)
				return
			}
			if f.Effect != Lag || o.Key != last {
				all = append(all, o)
			}
		}
		if f.Effect == Truncate {
			all = all[:len(all)/2]
		}
		for i, o := range all {
			if f.Effect == LoseReply && i == len(all)/2 {
				yield(vault.Object{}, f.err(prefix))
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}
