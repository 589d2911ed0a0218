package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cfgvault/cfgvault/vault/internal/durable"
)

// createFile makes a file of the home that must not be there yet, durably and
// all at once.
func createFile(path string, data []byte) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := os.Link(temp, path); err != nil {
		return err
	}
	return durable.Dir(filepath.Dir(path))
}

// writeTemp writes a durable file of mode 0600 beside path.
func writeTemp(path string, data []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// readFile is os.ReadFile with the empty answer for a file that is not there.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// lockPoll is how often a waiting process asks for the lock again.
const lockPoll = 50 * time.Millisecond

// lockFile takes the lock on a file of the home; the kernel gives it back when
// the process ends, however it ends. ErrBusy names the holder.
func lockFile(ctx context.Context, path string, wait bool) (unlock func(), err error) {
	return flockFile(ctx, path, wait, syscall.LOCK_EX)
}

// shareFile takes a lock that others may share, and that keeps lockFile away.
func shareFile(ctx context.Context, path string, wait bool) (unlock func(), err error) {
	return flockFile(ctx, path, wait, syscall.LOCK_SH)
}

func flockFile(ctx context.Context, path string, wait bool, how int) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		got, err := tryLock(f, how)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if got {
			break
		}
		if !wait {
			holder, _ := os.ReadFile(path)
			f.Close()
			return nil, fmt.Errorf("%w: process %s is at work (lock %s)", ErrBusy, strings.TrimSpace(string(holder)), path)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("%w: waiting for the lock %s: %w", ErrBusy, path, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return func() { unlockFile(f) }, nil
}

// tryLock reports whether it got the lock.
func tryLock(f *os.File, how int) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		return err == nil, err
	}
}

// unlockFile gives a lock back and closes the file. Not by closing alone: a
// child process that is being started holds a copy of the descriptor until it
// runs its program.
func unlockFile(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	f.Close()
}
