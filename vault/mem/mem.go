// Package mem is a store in memory, for tests and for trying things out. It
// keeps nothing: what is put is gone when the process ends.
package mem

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/vault"
)

// Store is a store in memory. Its zero value is not ready; use New.
type Store struct {
	mu      sync.Mutex
	objects map[string][]byte
}

// New returns an empty store.
func New() *Store { return &Store{objects: map[string][]byte{}} }

// String names the kind of store; all stores in memory have the same name.
func (s *Store) String() string { return "mem" }

// Put creates an object; see vault.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	if err := vault.CheckKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.objects[key]; ok {
		if bytes.Equal(old, data) {
			return nil
		}
		return fmt.Errorf("put %s: %w", key, fs.ErrExist)
	}
	s.objects[key] = bytes.Clone(data)
	return nil
}

// Get returns an object; see vault.Store.
func (s *Store) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.objects[key]
	switch {
	case !ok:
		return nil, fmt.Errorf("get %s: %w", key, fs.ErrNotExist)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("get %s: %w", key, vault.ErrTooLarge)
	}
	return bytes.Clone(data), nil
}

// List yields objects in lexical order; see vault.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[vault.Object, error] {
	return func(yield func(vault.Object, error) bool) {
		s.mu.Lock()
		var list []vault.Object
		for _, key := range slices.Sorted(maps.Keys(s.objects)) {
			if strings.HasPrefix(key, prefix) {
				list = append(list, vault.Object{Key: key, Size: int64(len(s.objects[key]))})
			}
		}
		s.mu.Unlock()
		for _, o := range list {
			if err := ctx.Err(); err != nil {
				yield(vault.Object{}, err)
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Time is this machine's time.
func (s *Store) Time(context.Context) (time.Time, error) { return time.Now(), nil }

// Remove takes an object away, as a provider could. It is not part of
// vault.Store: nothing in a vault removes objects.
func (s *Store) Remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
}

// Replace sets an object's bytes, whatever was there, as a provider could.
func (s *Store) Replace(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = bytes.Clone(data)
}

// Clone returns an independent copy: the store as it is now.
func (s *Store) Clone() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Store{objects: maps.Clone(s.objects)}
}
