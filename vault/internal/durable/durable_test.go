package durable

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// TestGroup checks that every caller's sync began after it asked, and that
// callers share.
func TestGroup(t *testing.T) {
	var g Group
	var clock, syncs atomic.Int64
	hold := make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := g.Do(func() error { clock.Add(1); <-hold; return nil }); err != nil {
			t.Error(err)
		}
	})
	for clock.Load() == 0 { // the first sync is running
	}
	want := errors.New("disk")
	var asked sync.WaitGroup
	for range 50 {
		asked.Add(1)
		wg.Go(func() {
			before := clock.Load()
			asked.Done()
			if err := g.Do(func() error { clock.Add(1); syncs.Add(1); return want }); err != want {
				t.Errorf("got %v", err)
			}
			if clock.Load() == before {
				t.Error("no sync began after it was asked for")
			}
		})
	}
	asked.Wait()
	close(hold)
	wg.Wait()
	if n := syncs.Load(); n < 1 || n > 50 {
		t.Errorf("%d syncs", n)
	}
}

func TestDir(t *testing.T) {
	if err := Dir(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := Dir("/no/such/folder"); err == nil {
		t.Error("syncing nothing succeeded")
	}
}
