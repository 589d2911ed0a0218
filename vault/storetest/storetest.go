// Package storetest proves stores: the conformance kit that every vault.Store
// must pass, an analysis for a user's own bucket, and a store that fails to
// plan. It returns errors and findings and never imports testing, so that it
// also runs in the field. It does not measure speed.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/vault"
)

// session writes below a random prefix, so that a kit can run in a store that
// is in use. It leaves its objects there: stores cannot delete.
type session struct {
	ctx    context.Context
	store  vault.Store
	prefix string
}

func newSession(ctx context.Context, s vault.Store) *session {
	var id [8]byte
	rand.Read(id[:])
	return &session{ctx, s, "storetest/" + hex.EncodeToString(id[:]) + "/"}
}

func (s *session) key(name string) string { return s.prefix + name }

// named is a key that tells its content, as the keys of a vault do.
func (s *session) named(name string, data []byte) string {
	sum := sha256.Sum256(data)
	return s.key(name + "-" + hex.EncodeToString(sum[:])[:32])
}

// Test proves that a store keeps the contract of vault.Store. It returns all
// failures joined, each naming the rule it broke.
func Test(ctx context.Context, store vault.Store) error {
	s := newSession(ctx, store)
	rules := []struct {
		name string
		run  func(*session) error
	}{
		{"what was put can be got", (*session).roundTrip},
		{"an object cannot be replaced", (*session).immutable},
		{"putting the same bytes again succeeds", (*session).idempotent},
		{"of many writers of one name exactly one wins", (*session).oneWinner},
		{"get stops at its limit", (*session).limit},
		{"what is not there is fs.ErrNotExist", (*session).missing},
		{"listing is complete and in lexical order", (*session).listing},
		{"a listing can be left early", (*session).leaveListing},
		{"keys outside of the contract are refused", (*session).badKeys},
		{"a cancelled context ends every call", (*session).cancelled},
		{"the caller's bytes are neither kept nor changed", (*session).aliasing},
	}
	var failed []error
	for _, r := range rules {
		if err := r.run(s); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	return errors.Join(failed...)
}

func (s *session) put(key string, data []byte) error { return s.store.Put(s.ctx, key, data) }

// expect gets an object and compares it.
func (s *session) expect(key string, want []byte) error {
	got, err := s.store.Get(s.ctx, key, int64(len(want)))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s holds %d other bytes", key, len(got))
	}
	return nil
}

func (s *session) roundTrip() error {
	big := make([]byte, 20<<20) // more than one part of an upload in parts
	rand.Read(big)
	for name, data := range map[string][]byte{
		"empty": {}, "small": []byte("hello"), "binary": {0, 255, 10, 13, 0}, "deep/er/and/deeper": []byte("x"), "big": big,
	} {
		if err := s.put(s.key("round/"+name), data); err != nil {
			return err
		}
		if err := s.expect(s.key("round/"+name), data); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) immutable() error {
	for _, name := range []string{"once", "once-in/a-folder"} {
		key := s.key("immutable/" + name)
		if err := s.put(key, []byte("first")); err != nil {
			return err
		}
		for _, other := range []string{"other", "first and more", "", "firs"} {
			if err := s.put(key, []byte(other)); !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("putting other bytes gave %v, want fs.ErrExist", err)
			}
		}
		if err := s.expect(key, []byte("first")); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) idempotent() error {
	data := []byte("again and again")
	key := s.named("same", data)
	for range 3 {
		if err := s.put(key, data); err != nil {
			return err
		}
	}
	return s.expect(key, data)
}

func (s *session) oneWinner() error {
	const rounds, writers = 5, 8
	for round := range rounds {
		key := s.key(fmt.Sprintf("race/%d/folder/object", round))
		errs := make([]error, writers)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() { errs[i] = s.put(key, fmt.Appendf(nil, "writer %d", i)) })
		}
		wg.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				return fmt.Errorf("writers %d and %d both created one object", winner, i)
			case err == nil:
				winner = i
			case !errors.Is(err, fs.ErrExist):
				return err
			}
		}
		if winner < 0 {
			return errors.New("no writer created the object")
		}
		if err := s.expect(key, fmt.Appendf(nil, "writer %d", winner)); err != nil {
			return fmt.Errorf("not what the winner put: %w", err)
		}
	}
	return nil
}

func (s *session) limit() error {
	key := s.key("limit")
	if err := s.put(key, []byte("0123456789")); err != nil {
		return err
	}
	if err := s.expect(key, []byte("0123456789")); err != nil {
		return fmt.Errorf("at the limit: %w", err)
	}
	if _, err := s.store.Get(s.ctx, key, 9); !errors.Is(err, vault.ErrTooLarge) {
		return fmt.Errorf("below its size it gave %v, want vault.ErrTooLarge", err)
	}
	return nil
}

func (s *session) missing() error {
	if err := s.put(s.key("there/object"), []byte("x")); err != nil {
		return err
	}
	for _, name := range []string{"nothing", "there", "there/object-2", "no/such/folder"} {
		if _, err := s.store.Get(s.ctx, s.key(name), 10); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("get %s gave %v, want fs.ErrNotExist", name, err)
		}
	}
	n, err := s.count("no/such/prefix")
	if err != nil || n != 0 {
		return fmt.Errorf("listing nothing gave %d objects, %v", n, err)
	}
	return nil
}

func (s *session) count(prefix string) (n int, err error) {
	for _, err := range s.store.List(s.ctx, s.key(prefix)) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *session) listing() error {
	// "a-b/x" sorts before "a/x": keys are strings, not paths.
	names := []string{"a/x", "a-b/x", "a", "a.b", "aa", "B", "a/y/z", "a0", "b"}
	for i := range 40 {
		names = append(names, fmt.Sprintf("many/%03d/object", i))
	}
	var want []string
	for i, n := range names {
		if n == "a" {
			continue // in a directory "a" cannot be both
		}
		if err := s.put(s.key("list/"+n), bytes.Repeat([]byte{'x'}, i)); err != nil {
			return err
		}
		want = append(want, s.key("list/"+n))
	}
	slices.Sort(want)
	for _, prefix := range []string{"list/", "list/a", "list/a/", "list/many/01", "list/a-", "list/b", "list/B"} {
		var expect, got []string
		for _, k := range want {
			if strings.HasPrefix(k, s.key(prefix)) {
				expect = append(expect, k)
			}
		}
		for o, err := range s.store.List(s.ctx, s.key(prefix)) {
			if err != nil {
				return err
			}
			if size := int64(slices.Index(names, strings.TrimPrefix(o.Key, s.key("list/")))); o.Size != size {
				return fmt.Errorf("%s is listed with %d bytes, it has %d", o.Key, o.Size, size)
			}
			got = append(got, o.Key)
		}
		if !slices.Equal(got, expect) {
			return fmt.Errorf("prefix %s: got %d objects, want %d, or the order differs: %.200q", prefix, len(got), len(expect), got)
		}
	}
	return nil
}

func (s *session) leaveListing() error {
	for _, err := range s.store.List(s.ctx, s.key("list/")) {
		if err != nil {
			return err
		}
		break
	}
	return nil
}

func (s *session) badKeys() error {
	for _, key := range []string{"", "/", "/abs", "a//b", "a/", "../up", "a/../b", ".hidden", "a/.hidden", "a b", "a\nb", "ä", "a\\b", "a%2fb", strings.Repeat("x", 600)} {
		if err := s.put(key, []byte("x")); err == nil {
			return fmt.Errorf("putting %.30q succeeded", key)
		}
	}
	return nil
}

func (s *session) cancelled() error {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := s.store.Put(ctx, s.key("cancelled"), []byte("x")); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("put gave %v", err)
	}
	if _, err := s.store.Get(ctx, s.key("limit"), 100); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("get gave %v", err)
	}
	var last error
	for _, err := range s.store.List(ctx, s.prefix) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		return fmt.Errorf("list ended with %v", last)
	}
	return nil
}

func (s *session) aliasing() error {
	data := []byte("mine")
	key := s.key("alias")
	if err := s.put(key, data); err != nil {
		return err
	}
	data[0] = 'M'
	got, err := s.store.Get(s.ctx, key, 10)
	if err != nil {
		return err
	}
	if string(got) != "mine" {
		return errors.New("the store kept the caller's slice")
	}
	got[0] = 'X'
	return s.expect(key, []byte("mine"))
}
