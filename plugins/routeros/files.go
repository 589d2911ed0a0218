package routeros

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/pkg/sftp"

	"github.com/cfgvault/cfgvault/plugins"
)

// A change leaves on the device, below flash/ where there is such a folder:
//
//	cfgvault-ID.rsc         the export to run
//	cfgvault-ID.backup      the binary backup that the scheduler loads
//	cfgvault-ID-run.rsc     what runs it after the reset, under the scheduler; whatever loads the backup removes it first
//	cfgvault-ID.confirmed   Confirm has begun
//
// and the scheduler cfgvault-ID until it is confirmed or has fired. The backup
// is made before the scheduler, so that loading it takes the scheduler away.
func base(changeID string) string { return "cfgvault-" + changeID }

const runSuffix = "-run.rsc"

// files are the device's files by SFTP.
type files struct {
	c   *sftp.Client
	dir string // "flash/", or ""
}

func open(ctx context.Context, s plugins.Session) (*files, error) {
	conn, err := s.Open(ctx, "subsystem", "sftp")
	if err != nil {
		return nil, fmt.Errorf("sftp: %w", err)
	}
	c, err := sftp.NewClientPipe(conn, conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("sftp: %w", broken(err))
	}
	f := &files{c: c}
	if i, err := c.Stat("flash"); err == nil && i.IsDir() {
		f.dir = "flash/" // the rest is in memory
	}
	return f, nil
}

func (f *files) close() { f.c.Close() }

// broken makes a lost connection of an error that is no answer of the device.
func broken(err error) error {
	var answer *sftp.StatusError
	switch {
	case err == nil, errors.As(err, &answer), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrPermission), errors.Is(err, plugins.ErrSessionLost):
		return err
	}
	return fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
}

func (f *files) put(name, text string) error {
	w, err := f.c.Create(f.dir + name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, broken(err))
	}
	_, err = io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, broken(err))
	}
	i, err := f.c.Stat(f.dir + name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, broken(err))
	}
	if i.Size() != int64(len(text)) {
		return fmt.Errorf("write %s: the device has no room for it", name)
	}
	return nil
}

func (f *files) has(name string) (bool, error) {
	_, err := f.c.Stat(f.dir + name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, broken(err)
}

// leftovers are the ends of the names of a change's files, in the order in which
// they go: the backup without the script would say that it was loaded.
func leftovers() []string {
	return []string{".rsc", ".backup", runSuffix, ".confirmed", "_rsa.pem", "_rsa", "_dsa", "_ed25519.pem"}
}

// remove removes the files of a change but keeps those of the given suffixes.
func (f *files) remove(changeID string, keep ...string) error {
	for _, suffix := range leftovers() {
		if slices.Contains(keep, suffix) {
			continue
		}
		if err := f.c.Remove(f.dir + base(changeID) + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove leftovers: %w", broken(err))
		}
	}
	return nil
}
