package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How long Save waits for another command to finish its own.
const (
	lockWait = 30 * time.Second
	lockPoll = 20 * time.Millisecond
)

// Save writes the changes since Load. It locks the file, reads it again and
// makes the changes in what it then holds, so that two commands at once lose
// nothing: a change by the other one stays, and if both changed the same value
// of a device, or added the same name, Save fails with ErrConflict or
// ErrExists and writes nothing. Lines that do not change keep every byte.
//
// The new file is complete and on disk (fsync of file and folder) when Save
// returns, or the old one is still there. It has mode 0600. If devices.yaml is
// a symbolic link, the file it points to is replaced. A folder that does not
// exist is made with mode 0700.
func (inv *Inventory) Save() error {
	if len(inv.dirty)+len(inv.dirtyJ) == 0 {
		return nil
	}
	path, err := target(inv.path)
	if err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	unlock, err := lock(path + ".lock")
	if err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	defer unlock()

	now, err := inv.current()
	if err != nil {
		return err
	}
	changes, devices, jumps, err := inv.merge(now)
	if err != nil {
		return err
	}
	text, err := apply(now, changes)
	if err != nil {
		return inFile(inv.path, err)
	}
	after, err := proved(inv.path, text, devices, jumps)
	if err != nil {
		return err
	}
	if err := writeFile(path, text); err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	*inv = *fromContent(inv.path, after)
	return nil
}

func inFile(file string, err error) error {
	var e *Error
	if errors.As(err, &e) && e.File == "" {
		e.File = file
	}
	return err
}

// current reads the file as it is now.
func (inv *Inventory) current() (*content, error) {
	text, err := readFile(inv.path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("save inventory: %w", err)
	}
	if string(text) == string(inv.base.text) {
		return inv.base, nil
	}
	c, err := parse(inv.path, text)
	if err != nil {
		return nil, fmt.Errorf("save inventory: the file was changed meanwhile: %w", err)
	}
	return c, nil
}

// merge compares what was loaded, what is wanted and what the file holds now,
// and says what to change in the file and what it shall hold afterwards.
func (inv *Inventory) merge(now *content) (changes []change, devices, jumps map[string]wanted, err error) {
	base := deviceIndex(inv.base.devices)
	mine := deviceIndex(inv.devices)
	devices = make(map[string]wanted, len(now.devices)+len(inv.dirty))
	for i := range now.devices {
		t := &now.devices[i]
		w := wanted{t.Name, deviceFields(t)}
		if inv.dirty[t.ID] {
			b, m := base[t.ID], mine[t.ID]
			switch {
			case m == nil:
				changes = append(changes, change{section: "devices", index: i, remove: true})
				continue
			case b == nil:
				return nil, nil, nil, fmt.Errorf("device %s: %w", m.Name, ErrExists)
			}
			ch := change{section: "devices", index: i}
			ch.name, w.name, err = mergeName(b.Name, m.Name, t.Name)
			if err == nil {
				w.fields, ch.set, err = mergeFields(deviceFields(b), deviceFields(m), w.fields)
			}
			if err != nil {
				return nil, nil, nil, fmt.Errorf("device %s: %w", m.Name, err)
			}
			ch.fields = w.fields
			changes = append(changes, ch)
		}
		devices[t.ID] = w
	}
	for i := range inv.devices {
		m := &inv.devices[i]
		if !inv.dirty[m.ID] {
			continue
		}
		if _, there := devices[m.ID]; there {
			continue
		}
		if base[m.ID] != nil {
			return nil, nil, nil, fmt.Errorf("device %s was removed: %w", m.Name, ErrConflict)
		}
		w := wanted{m.Name, deviceFields(m)}
		devices[m.ID] = w
		changes = append(changes, change{section: "devices", index: -1, name: m.Name, fields: w.fields})
	}
	if err := unique(devices); err != nil {
		return nil, nil, nil, err
	}

	jumps = make(map[string]wanted, len(now.jumps))
	for i := range now.jumps {
		t := &now.jumps[i]
		w := wanted{t.Name, jumpFields(t)}
		if b, m := jumpNamed(inv.base.jumps, t.Name), jumpNamed(inv.jumps, t.Name); inv.dirtyJ[t.Name] && b != nil && m != nil {
			ch := change{section: "jumps", index: i}
			if w.fields, ch.set, err = mergeFields(jumpFields(b), jumpFields(m), w.fields); err != nil {
				return nil, nil, nil, fmt.Errorf("jump host %s: %w", t.Name, err)
			}
			ch.fields = w.fields
			changes = append(changes, ch)
		}
		jumps[t.Name] = w
	}
	for name := range inv.dirtyJ {
		if _, there := jumps[name]; !there {
			return nil, nil, nil, fmt.Errorf("jump host %s was removed: %w", name, ErrConflict)
		}
	}
	return changes, devices, jumps, nil
}

func deviceIndex(ds []Device) map[string]*Device {
	out := make(map[string]*Device, len(ds))
	for i := range ds {
		out[ds[i].ID] = &ds[i]
	}
	return out
}

func jumpNamed(js []Jump, name string) *Jump {
	for i := range js {
		if js[i].Name == name {
			return &js[i]
		}
	}
	return nil
}

func mergeName(base, mine, theirs string) (rename, result string, err error) {
	switch {
	case mine == base || mine == theirs:
		return "", theirs, nil
	case theirs != base:
		return "", "", fmt.Errorf("it is now called %s: %w", theirs, ErrConflict)
	}
	return mine, mine, nil
}

// mergeFields carries what differs between base and mine over to theirs and
// lists the keys to write.
func mergeFields(base, mine, theirs []field) (merged []field, set []string, err error) {
	get := func(fs []field, key string) string {
		for _, f := range fs {
			if f.key == key {
				return strings.Join(f.lines, "\n")
			}
		}
		return ""
	}
	for _, key := range deviceKeys {
		b, m, t := get(base, key), get(mine, key), get(theirs, key)
		from := theirs
		if m != b && m != t {
			if t != b {
				return nil, nil, fmt.Errorf("its %s was %w", key, ErrConflict)
			}
			from = mine
			set = append(set, key)
		}
		for _, f := range from {
			if f.key == key {
				merged = append(merged, f)
			}
		}
	}
	return merged, set, nil
}

func unique(devices map[string]wanted) error {
	names := make(map[string]string, len(devices))
	for id, w := range devices {
		fold := strings.ToLower(w.name)
		if other, taken := names[fold]; taken && other != id {
			return fmt.Errorf("device %s: %w", w.name, ErrExists)
		}
		names[fold] = id
	}
	return nil
}

// target follows a symbolic link, so that Save replaces the file and not the
// link.
func target(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if info, lerr := os.Lstat(path); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
			return "", fmt.Errorf("%s is a symbolic link to nothing", path)
		}
		return path, nil
	}
	return real, err
}

// lock takes an exclusive lock that ends with the process. The lock file stays:
// removing it would let two commands lock two different files.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(lockWait); ; time.Sleep(lockPoll) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil
		case errors.Is(err, syscall.EINTR):
		case !errors.Is(err, syscall.EWOULDBLOCK):
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case time.Now().After(deadline):
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: another command has held it for %v", path, lockWait)
		}
	}
}

func writeFile(path string, text []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, werr := tmp.Write(text)
	serr := tmp.Sync()
	cerr := tmp.Close()
	if err := errors.Join(werr, serr, cerr); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
