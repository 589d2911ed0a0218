// Package dir is a store in a directory: of a disk, a network share or a USB
// stick. An object is a file; what Put acknowledged survives a power cut as far
// as the file system keeps its word about fsync.
//
// It does not lock, encrypt or protect from whoever may write the directory:
// the vault notices what was changed, versions of the file system bring it back.
package dir

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/internal/durable"
)

const (
	tempDir = ".tmp"         // new objects are written here; no key begins with a dot
	tempAge = 24 * time.Hour // after which a temporary file was left by a crash
)

// Store is a store in a directory. It never follows symbolic links out of it.
type Store struct {
	path string
	root *os.Root
	ops  operations
	// durable holds the directories whose names this process has synced.
	durable sync.Map
	// groups lets the makers of many folders in one folder share syncs of it.
	groups sync.Map
}

// operations are the calls whose failures tests plan.
type operations struct {
	sync   func(*os.File) error
	link   func(r *os.Root, from, to string) error
	rename func(dir *os.File, from, to string) error
}

// Open returns the store in a directory and creates the directory, but not its
// parents: a parent that is not there is more likely a disk that is not mounted.
func Open(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	if err := os.Mkdir(abs, 0o700); err == nil {
		if err := durable.Dir(filepath.Dir(abs)); err != nil {
			return nil, fmt.Errorf("open store %s: %w", dir, err)
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open store %s: %w: the folder above it is not there; is a disk not mounted? make it if not", dir, err)
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s := &Store{path: abs, root: root, ops: operations{
		sync:   (*os.File).Sync,
		link:   (*os.Root).Link,
		rename: renameNoReplace,
	}}
	s.clean()
	return s, nil
}

// String is the directory's absolute path.
func (s *Store) String() string { return s.path }

// Close releases the directory.
func (s *Store) Close() error { return s.root.Close() }

// Put creates an object; see vault.Store. The object is written aside, synced,
// and given its name by a hard link, which fails if the name is taken; then the
// directory is synced. Where there are no hard links it is renamed.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	if err := vault.CheckKey(key); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.put(key, data); err != nil {
		return fmt.Errorf("put %s in %s: %w", key, s.path, err)
	}
	return nil
}

func (s *Store) put(key string, data []byte) error {
	if err := s.mkdirs(path.Dir(key)); err != nil {
		return err
	}
	temp, err := s.writeTemp(data)
	if err != nil {
		return err
	}
	defer s.root.Remove(temp)
	err = s.ops.link(s.root, temp, key)
	if err != nil && !errors.Is(err, fs.ErrExist) && noLinks(err) {
		err = s.rename(temp, key)
	}
	if errors.Is(err, fs.ErrExist) {
		err = s.same(key, data)
	}
	if err != nil {
		return err
	}
	return s.syncDir(path.Dir(key))
}

// same returns fs.ErrExist if the object that is there holds other bytes.
func (s *Store) same(key string, data []byte) error {
	f, err := s.root.Open(key)
	if err != nil {
		return err
	}
	defer f.Close()
	old, err := io.ReadAll(io.LimitReader(f, int64(len(data))+1))
	if err != nil {
		return err
	}
	if !bytes.Equal(old, data) {
		return fs.ErrExist
	}
	return nil // it was synced before it got its name
}

func (s *Store) writeTemp(data []byte) (string, error) {
	var id [12]byte
	rand.Read(id[:])
	name := tempDir + "/" + hex.EncodeToString(id[:])
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.root.Mkdir(tempDir, 0o700); err == nil || errors.Is(err, fs.ErrExist) {
			f, err = s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
	}
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		// After a failed sync the kernel may call the pages clean although
		// they never reached the disk: such a file is never given a name.
		err = s.ops.sync(f)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		s.root.Remove(name)
		return "", err
	}
	return name, nil
}

// mkdirs makes a key's directories, durably. A directory that is there may have
// been made a moment ago by a process that has not synced it: unless this
// process knows better, it syncs.
func (s *Store) mkdirs(dir string) error {
	if _, ok := s.durable.Load(dir); ok || dir == "." {
		return nil
	}
	if err := s.mkdirs(path.Dir(dir)); err != nil {
		return err
	}
	if err := s.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	g, _ := s.groups.LoadOrStore(path.Dir(dir), &durable.Group{})
	if err := g.(*durable.Group).Do(func() error { return s.syncDir(path.Dir(dir)) }); err != nil {
		return err
	}
	s.durable.Store(dir, true)
	return nil
}

func (s *Store) syncDir(dir string) error {
	d, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	err = s.ops.sync(d)
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// noLinks reports whether a link failed because the file system has none.
func noLinks(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) ||
		errors.Is(err, syscall.EMLINK) || errors.Is(err, syscall.EOPNOTSUPP)
}

// rename gives the name by a rename that does not replace. Where the file
// system has no such rename either, two machines that create one name at the
// same moment are not told apart; the names of all objects but vault.json tell
// their content, so both would have written the same.
func (s *Store) rename(temp, key string) error {
	d, err := s.root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	err = s.ops.rename(d, temp, key)
	if !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOSYS) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	if _, err := s.root.Lstat(key); err == nil {
		return fs.ErrExist
	}
	return s.root.Rename(temp, key)
}

// Get returns an object; see vault.Store.
func (s *Store) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := vault.CheckKey(key); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.root.Open(key)
	if err != nil {
		return nil, fmt.Errorf("get %s from %s: %w", key, s.path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("get %s from %s: %w", key, s.path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("get %s from %s: %w: no regular file", key, s.path, fs.ErrNotExist)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("get %s from %s: %d bytes: %w", key, s.path, info.Size(), vault.ErrTooLarge)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("get %s from %s: %w", key, s.path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("get %s from %s: %w", key, s.path, vault.ErrTooLarge)
	}
	return data, nil
}

// List yields objects in lexical order; see vault.Store.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[vault.Object, error] {
	return func(yield func(vault.Object, error) bool) {
		// Only the last element of the prefix may be a part of a name.
		s.walk(ctx, path.Dir(prefix+"x"), prefix, yield)
	}
}

// walk lists a directory. It returns false when the walk is to end.
func (s *Store) walk(ctx context.Context, dir, prefix string, yield func(vault.Object, error) bool) bool {
	fail := func(err error) bool {
		yield(vault.Object{}, fmt.Errorf("list %q in %s: %w", prefix, s.path, err))
		return false
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	d, err := s.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) && dir != "." {
		return true
	}
	if err != nil {
		return fail(err)
	}
	items, err := d.ReadDir(-1)
	d.Close()
	if err != nil {
		return fail(err)
	}
	// Keys sort as whole strings: "a-b/x" comes before "a/x".
	sortName := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(items, func(a, b fs.DirEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	for _, e := range items {
		key := path.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			if sub := key + "/"; !strings.HasPrefix(sub, prefix) && !strings.HasPrefix(prefix, sub) {
				continue
			}
			if !s.walk(ctx, key, prefix, yield) {
				return false
			}
		case e.Type().IsRegular() && strings.HasPrefix(key, prefix):
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fail(err)
			}
			if !yield(vault.Object{Key: key, Size: info.Size()}, nil) {
				return false
			}
		}
	}
	return true
}

// Time is the time of the machine that holds the directory, as it stamps a new
// file: on a network share it is the server's.
func (s *Store) Time(context.Context) (time.Time, error) {
	name, err := s.writeTemp(nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of %s: %w", s.path, err)
	}
	defer s.root.Remove(name)
	info, err := s.root.Stat(name)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of %s: %w", s.path, err)
	}
	return info.ModTime(), nil
}

// clean removes temporary files that a crash left long ago.
func (s *Store) clean() {
	d, err := s.root.Open(tempDir)
	if err != nil {
		return
	}
	defer d.Close()
	items, err := d.ReadDir(-1)
	if err != nil {
		return
	}
	for _, e := range items {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > tempAge {
			s.root.Remove(tempDir + "/" + e.Name())
		}
	}
}
