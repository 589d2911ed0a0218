package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func names(t *testing.T, s *Store) []string {
	t.Helper()
	var list []string
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o.Key)
	}
	return list
}

func temps(t *testing.T, s *Store) int {
	t.Helper()
	items, err := os.ReadDir(filepath.Join(s.String(), tempDir))
	if err != nil {
		t.Fatal(err)
	}
	return len(items)
}

// TestFailedSync: what could not be synced is never given a name, and the retry
// begins anew.
func TestFailedSync(t *testing.T) {
	s := open(t)
	disk := errors.New("disk")
	// A put into a new folder of a known one syncs the folder above, the
	// temporary file, and the folder.
	if err := s.Put(t.Context(), "a/first", nil); err != nil {
		t.Fatal(err)
	}
	for fail := 1; fail <= 3; fail++ {
		n := 0
		s.ops.sync = func(f *os.File) error {
			if n++; n == fail {
				return disk
			}
			return f.Sync()
		}
		key := fmt.Sprintf("a/b%d/object", fail)
		if err := s.Put(t.Context(), key, []byte("data")); !errors.Is(err, disk) {
			t.Fatalf("sync %d failed and put says %v", fail, err)
		}
		if temps(t, s) != 0 {
			t.Fatalf("sync %d failed and a temporary file stayed", fail)
		}
		if _, err := s.Get(t.Context(), key, 10); fail < 3 && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("sync %d failed and the object is there: %v", fail, err)
		}
		s.ops.sync = (*os.File).Sync
		if err := s.Put(t.Context(), key, []byte("data")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestParentsAreSynced: the name of every new folder is synced before Put returns.
func TestParentsAreSynced(t *testing.T) {
	s := open(t)
	var synced []string
	s.ops.sync = func(f *os.File) error {
		synced = append(synced, strings.TrimPrefix(f.Name(), s.String()))
		return f.Sync()
	}
	if err := s.Put(t.Context(), "a/b/object", nil); err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(synced, func(n string) bool { return strings.Contains(n, tempDir) })
	if strings.Join(got, " ") != "/. /a /a/b" {
		t.Fatalf("synced %q", got)
	}
	// Another process may have made the folder and not synced it.
	other := open(t)
	other.root, other.path = s.root, s.path
	synced = nil
	other.ops.sync = s.ops.sync
	if err := other.Put(t.Context(), "a/b/second", nil); err != nil {
		t.Fatal(err)
	}
	got = slices.DeleteFunc(synced, func(n string) bool { return strings.Contains(n, tempDir) })
	if strings.Join(got, " ") != "/. /a /a/b" {
		t.Fatalf("synced %q", got)
	}
}

// TestNoHardLinks: on FAT and some shares objects get their names by renaming.
func TestNoHardLinks(t *testing.T) {
	for name, rename := range map[string]func(*os.File, string, string) error{
		"rename that does not replace": renameNoReplace,
		"plain rename":                 func(*os.File, string, string) error { return syscall.EINVAL },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.ops.link = func(*os.Root, string, string) error { return &os.LinkError{Op: "link", Err: syscall.EPERM} }
			s.ops.rename = rename
			if err := s.Put(t.Context(), "a/object", []byte("one")); err != nil {
				t.Fatal(err)
			}
			if err := s.Put(t.Context(), "a/object", []byte("one")); err != nil {
				t.Fatalf("same bytes: %v", err)
			}
			if err := s.Put(t.Context(), "a/object", []byte("two")); !errors.Is(err, fs.ErrExist) {
				t.Fatalf("other bytes: %v", err)
			}
			data, err := s.Get(t.Context(), "a/object", 10)
			if err != nil || string(data) != "one" || temps(t, s) != 0 {
				t.Fatalf("got %q, %v", data, err)
			}
		})
	}
}

func TestFull(t *testing.T) {
	s := open(t)
	s.ops.sync = func(*os.File) error { return syscall.ENOSPC }
	if err := s.Put(t.Context(), "object", []byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	if got := names(t, s); len(got) != 0 {
		t.Fatalf("%v was created", got)
	}
}

// TestSymbolicLinks: whoever may write the directory cannot lead us out of it.
func TestSymbolicLinks(t *testing.T) {
	s := open(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(s.String(), "runs")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "runs/object", []byte("x")); err == nil {
		t.Error("put followed a link")
	}
	if _, err := s.Get(t.Context(), "runs/secret", 100); err == nil {
		t.Error("get followed a link")
	}
	if got := names(t, s); len(got) != 0 {
		t.Errorf("list followed a link: %v", got)
	}
	items, err := os.ReadDir(outside)
	if err != nil || len(items) != 1 {
		t.Errorf("outside: %v, %v", items, err)
	}
}

// TestOpen: a parent that is not there is a disk that is not mounted, and old
// temporary files are cleared away.
func TestOpen(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "not", "mounted")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	s := open(t)
	old, fresh := filepath.Join(s.String(), tempDir, "old"), filepath.Join(s.String(), tempDir, "fresh")
	if err := s.Put(t.Context(), "object", nil); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{old, fresh} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * tempAge)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.String())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Error("an old temporary file stayed")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("another process's temporary file was removed")
	}
}
