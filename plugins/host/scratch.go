package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// scratchPrefix begins the name of every private directory, and newPrefix
	// that of one that is not locked yet.
	scratchPrefix = "cfgvault."
	newPrefix     = ".cfgvault."
	// socketTail is what is appended to the private directory to make a
	// socket's path, and maxSocket what the kernel takes.
	socketTail = len("/plugin-dir4294967295/plugin4294967295")
	maxSocket  = 107
)

// scratch is a directory that only this user can enter, short enough for a
// socket. It is locked for as long as its host lives: the kernel gives the lock
// back when the process is killed, and the next host clears away what it left.
type scratch struct {
	path string
	lock *os.File // the directory
}

// newScratch makes one in base, or in the system's directory for temporary
// files where base is empty or too long.
func newScratch(base string) (*scratch, error) {
	for _, dir := range []string{base, os.TempDir(), "/tmp"} {
		if dir == "" {
			continue
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if len(dir)+1+len(scratchPrefix)+10+socketTail > maxSocket {
			continue
		}
		sweep(dir)
		s, err := makeScratch(dir)
		if err != nil {
			return nil, fmt.Errorf("directory for plugin sockets: %w", err)
		}
		return s, nil
	}
	return nil, fmt.Errorf("directory for plugin sockets: %s is too long a path for a socket, set TMPDIR to a shorter one", base)
}

func makeScratch(dir string) (*scratch, error) {
	path, err := os.MkdirTemp(dir, newPrefix) // 0700
	if err != nil {
		return nil, err
	}
	s := &scratch{path: path}
	if s.lock, err = os.Open(path); err != nil {
		s.remove()
		return nil, err
	}
	if syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return s, nil // on some shares a directory cannot be locked: then nobody clears it away
	}
	// By a name that others clear away it is seen only once it is locked.
	final := filepath.Join(dir, scratchPrefix+strings.TrimPrefix(filepath.Base(path), newPrefix))
	if err := os.Rename(path, final); err != nil {
		s.remove()
		return nil, err
	}
	s.path = final
	return s, nil
}

func (s *scratch) remove() error {
	err := os.RemoveAll(s.path)
	if s.lock != nil {
		s.lock.Close()
	}
	return err
}

// sweep removes the directories that hosts which were killed have left in dir.
// What cannot be removed is in nobody's way.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), scratchPrefix) {
			sweepOne(filepath.Join(dir, e.Name()))
		}
	}
}

// sweepOne removes a directory of this user's that no host holds. In a folder
// that everybody may write, others may have put anything under such a name.
func sweepOne(path string) {
	d, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer d.Close()
	info, err := d.Stat()
	if err != nil {
		return
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Getuid() || info.Mode().Perm() != 0o700 {
		return
	}
	if syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.RemoveAll(path)
	}
}
