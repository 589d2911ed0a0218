package host

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	maxBinary  = 512 << 20 // bytes of a third-party executable
	maxProfile = 1 << 20   // and of a profile
)

// command prepares the command line of a driver.
func (h *Host) command(name string, c *child) error {
	if slices.Contains(h.o.Builtin, name) {
		c.cmd = exec.Command(h.o.Executable, "plugin", "serve", name)
		c.cmd.Args[0] = "cfgvault"
		c.byHand = "cfgvault plugin serve " + name
		return nil
	}
	if !nameRE.MatchString(name) {
		return h.unknown(name)
	}
	path, data, err := find(h.o.Dir, h.o.Profiles, name)
	if errors.Is(err, fs.ErrNotExist) {
		return h.unknown(name)
	}
	if err != nil {
		return fmt.Errorf("%w: driver %s: %w", ErrPlugin, name, err)
	}
	pinned, err := readLock(h.o.Lock)
	if err != nil {
		return fmt.Errorf("%w: driver %s: %w", ErrPinned, name, err)
	}
	sum := sha256.Sum256(data)
	switch want, ok := pinned[filepath.Base(path)]; {
	case !ok:
		return fmt.Errorf("%w: %s is not in %s: if you know where it comes from, pin it with 'cfgvault plugin trust %s'", ErrPinned, path, h.o.Lock, name)
	case want != sum:
		return fmt.Errorf("%w: %s has SHA-256 %x and %s says %x: if you replaced it yourself, pin it anew with 'cfgvault plugin trust %s'; if not, somebody else did", ErrPinned, path, sum, h.o.Lock, want, name)
	}
	if filepath.Base(path) == name+profileSuffix {
		// The child reads the bytes that were verified, whatever becomes of
		// the file.
		kept, err := os.MkdirTemp(h.dir, "profile") // one per process: none sees another's half a file
		if err == nil {
			kept = filepath.Join(kept, name+profileSuffix)
			err = os.WriteFile(kept, data, 0o600)
		}
		if err != nil {
			return fmt.Errorf("%w: driver %s: keep the verified bytes: %w", ErrPlugin, name, err)
		}
		c.cmd = exec.Command(h.o.Executable, "plugin", "serve", "--profile", kept)
		c.cmd.Args[0] = "cfgvault"
		c.byHand = "cfgvault plugin serve --profile " + path
		return nil
	}
	run, inherit, err := sealed(h.dir, prefix+name, data)
	if err != nil {
		return fmt.Errorf("%w: driver %s: keep the verified bytes: %w", ErrPlugin, name, err)
	}
	c.cmd = exec.Command(run)
	c.cmd.Args[0] = prefix + name
	if inherit != nil {
		c.cmd.ExtraFiles = []*os.File{inherit}
	}
	c.byHand = path
	return nil
}

func (h *Host) unknown(name string) error {
	names := h.Names()
	have := strings.Join(names, ", ")
	switch {
	case len(names) == 0:
		have = "none"
	case len(names) > fewNames:
		have = fmt.Sprintf("%d, which `cfgvault plugin list` shows", len(names))
		if like := similar(name, names); len(like) > 0 {
			have += "; similar: " + strings.Join(like, ", ")
		}
	}
	return fmt.Errorf("%w %.40q: there are %s", ErrUnknownDriver, name, have)
}

const fewNames = 20 // that an error still lists

// similar are the names that hold the one asked for or a word of it, or are
// held by it.
func similar(name string, names []string) []string {
	var like []string
	for _, n := range names {
		for word := range strings.SplitSeq(n, "-") {
			if strings.Contains(n, name) || len(word) > 2 && strings.Contains(name, word) {
				like = append(like, n)
				break
			}
		}
	}
	return like[:min(len(like), 5)]
}

// find reads the executable of a driver, or the user's profile, and says where
// it is.
func find(dir, profiles, name string) (path string, data []byte, err error) {
	err = fs.ErrNotExist
	if dir != "" {
		path = filepath.Join(dir, prefix+name)
		data, err = readFile(path, maxBinary)
	}
	if errors.Is(err, fs.ErrNotExist) && profiles != "" {
		path = filepath.Join(profiles, name+profileSuffix)
		data, err = readFile(path, maxProfile)
	}
	return path, data, err
}

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case st.Size() > most:
		return nil, fmt.Errorf("%s is larger than %d MiB", path, most>>20)
	}
	data := make([]byte, st.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// readLock reads the pins: lines as sha256sum writes them, '#' begins a
// comment. A file that others may write pins nothing.
func readLock(path string) (map[string][32]byte, error) {
	pins := map[string][32]byte{}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return pins, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s can be written by others: look through it, then chmod go-w", path)
	}
	in := bufio.NewScanner(f)
	for n := 1; in.Scan(); n++ {
		line := in.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		sum, file, ok := strings.Cut(line, " ")
		raw, err := hex.DecodeString(sum)
		if !ok || err != nil || len(raw) != sha256.Size || len(file) < 2 || (file[0] != ' ' && file[0] != '*') {
			return nil, fmt.Errorf("%s line %d: want a SHA-256, two blanks and a file name", path, n)
		}
		if _, twice := pins[file[1:]]; twice {
			return nil, fmt.Errorf("%s line %d: %s is pinned twice", path, n, file[1:])
		}
		pins[file[1:]] = [32]byte(raw)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pins, nil
}

// Pin records the SHA-256 of the driver's executable in dir, or else of its
// profile in profiles, as trusted, in place of what lock said before, and
// returns the name of the file that it pinned. check may refuse the bytes. The
// lock is replaced as a whole; two at once do not lose each other's line.
// ErrUnknownDriver if there is no such driver.
func Pin(dir, profiles, lock, name string, check func(path string, data []byte) error) (string, error) {
	path, data, err := find(dir, profiles, name)
	switch {
	case !nameRE.MatchString(name):
		return "", fmt.Errorf("%w %.40q", ErrUnknownDriver, name)
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w %s: there is neither %s nor %s", ErrUnknownDriver, name, filepath.Join(dir, prefix+name), filepath.Join(profiles, name+profileSuffix))
	case err != nil:
		return "", err
	}
	if err := check(path, data); err != nil {
		return "", err
	}
	return path, pin(lock, filepath.Base(path), sha256.Sum256(data))
}

func pin(lock, file string, sum [32]byte) error {
	parent := filepath.Dir(lock)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	d, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", parent, err)
	}
	pins, err := readLock(lock)
	if err != nil {
		return err
	}
	pins[file] = sum
	var b bytes.Buffer
	for _, f := range slices.Sorted(maps.Keys(pins)) {
		fmt.Fprintf(&b, "%x  %s\n", pins[f], f)
	}
	if err := replace(lock, b.Bytes()); err != nil {
		return err
	}
	return d.Sync()
}

// replace writes a file so that a reader sees the old or the new one.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".plugins.lock") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
