// Package durable makes directories durable. It does not write files.
package durable

import (
	"os"
	"sync"
)

// Dir makes the names in a directory survive a power cut.
func Dir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// Group lets concurrent callers share one sync: whoever asks while one is
// running shares the next. Its zero value is ready.
type Group struct {
	mu   sync.Mutex // guards next
	next *batch
	run  sync.Mutex // held while syncing
}

type batch struct {
	done bool
	err  error
}

// Do returns after a call of sync that began after Do was called.
func (g *Group) Do(sync func() error) error {
	g.mu.Lock()
	if g.next == nil {
		g.next = &batch{}
	}
	b := g.next
	g.mu.Unlock()

	g.run.Lock()
	defer g.run.Unlock()
	if !b.done {
		g.mu.Lock()
		g.next = nil
		g.mu.Unlock()
		b.err = sync()
		b.done = true
	}
	return b.err
}
