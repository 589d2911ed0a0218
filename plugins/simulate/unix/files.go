package unix

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// file is one file, folder or symbolic link.
type file struct {
	mode  fs.FileMode
	data  []byte
	link  string
	owner string
	group string
	mtime time.Time
}

// Files are the files of a machine. They are not safe for concurrent use: the
// Machine locks them.
type Files struct {
	all map[string]*file
	now func() time.Time
	// virtual makes the content of files of the kernel, which are read only.
	virtual func(name string) ([]byte, bool)
}

func newFiles(now func() time.Time) *Files {
	f := &Files{all: map[string]*file{}, now: now}
	f.all["/"] = &file{mode: fs.ModeDir | 0o755, owner: "root", group: "root"}
	return f
}

func (f *Files) clone() *Files {
	out := &Files{all: make(map[string]*file, len(f.all)), now: f.now, virtual: f.virtual}
	for name, x := range f.all {
		c := *x
		out.all[name] = &c
	}
	return out
}

var errLoop = errors.New("too many levels of symbolic links")

// resolve follows the links of a path, the last one only if follow is set.
func (f *Files) resolve(name string, follow bool) (string, error) {
	name = path.Clean("/" + name)
	for range 40 {
		parts := strings.Split(strings.TrimPrefix(name, "/"), "/")
		at, again := "", false
		for i, p := range parts {
			if p == "" {
				continue
			}
			next := at + "/" + p
			x := f.all[next]
			last := i == len(parts)-1
			if x != nil && x.link != "" && (!last || follow) {
				to := x.link
				if !strings.HasPrefix(to, "/") {
					to = path.Join("/", at, to)
				}
				name = path.Clean(path.Join(append([]string{to}, parts[i+1:]...)...))
				again = true
				break
			}
			at = next
		}
		if !again {
			if at == "" {
				at = "/"
			}
			return at, nil
		}
	}
	return "", errLoop
}

func notThere(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist} }

// Lookup returns a file's path without links, and whether it is there.
func (f *Files) lookup(name string, follow bool) (string, *file) {
	p, err := f.resolve(name, follow)
	if err != nil {
		return "", nil
	}
	if f.virtual != nil {
		if data, ok := f.virtual(p); ok {
			return p, &file{mode: 0o444, data: data, owner: "root", group: "root"}
		}
	}
	return p, f.all[p]
}

// Read returns the content of a file.
func (f *Files) Read(name string) ([]byte, error) {
	_, x := f.lookup(name, true)
	switch {
	case x == nil:
		return nil, notThere("open", name)
	case x.mode.IsDir():
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	return x.data, nil
}

// Put writes a file, with its mode if it is new and the folders above it.
func (f *Files) Put(name string, data []byte, mode fs.FileMode) {
	p, err := f.resolve(name, true)
	if err != nil {
		return
	}
	f.folders(path.Dir(p))
	if x := f.all[p]; x != nil && !x.mode.IsDir() {
		x.data, x.mtime = data, f.now()
		return
	}
	f.all[p] = &file{mode: mode, data: data, owner: "root", group: "root", mtime: f.now()}
}

// Link makes a symbolic link.
func (f *Files) Link(name, to string) {
	f.folders(path.Dir(name))
	f.all[path.Clean(name)] = &file{mode: fs.ModeSymlink | 0o777, link: to, owner: "root", group: "root", mtime: f.now()}
}

func (f *Files) folders(dir string) {
	dir, _ = f.resolve(dir, true)
	for d := dir; d != "/" && d != "" && f.all[d] == nil; d = path.Dir(d) {
		f.all[d] = &file{mode: fs.ModeDir | 0o755, owner: "root", group: "root", mtime: f.now()}
	}
}

// Remove removes a file, or a folder with all below it.
func (f *Files) Remove(name string) {
	p, err := f.resolve(name, false)
	if err != nil || p == "/" {
		return
	}
	delete(f.all, p)
	for n := range f.all {
		if strings.HasPrefix(n, p+"/") {
			delete(f.all, n)
		}
	}
}

// List returns the names in a folder, sorted.
func (f *Files) List(dir string) []string {
	p, err := f.resolve(dir, true)
	if err != nil {
		return nil
	}
	prefix := strings.TrimSuffix(p, "/") + "/"
	var out []string
	for n := range f.all {
		if rest, ok := strings.CutPrefix(n, prefix); ok && rest != "" && !strings.Contains(rest, "/") {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out
}

// Under returns the paths of all files below a folder, sorted.
func (f *Files) Under(dir string) []string {
	p, err := f.resolve(dir, true)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(f.all)), func(n string) bool { return !strings.HasPrefix(n, strings.TrimSuffix(p, "/")+"/") })
}

// rename moves a file or folder over another.
func (f *Files) rename(from, to string) error {
	a, err := f.resolve(from, false)
	if err != nil || f.all[a] == nil {
		return notThere("rename", from)
	}
	b, err := f.resolve(to, false)
	if err != nil {
		return err
	}
	if x := f.all[b]; x != nil && x.mode.IsDir() {
		b = path.Join(b, path.Base(a))
	}
	if d := f.all[path.Dir(b)]; d == nil || !d.mode.IsDir() {
		return notThere("rename", to)
	}
	if a == b {
		return nil
	}
	if x := f.all[b]; x != nil && x.mode.IsDir() && len(f.List(b)) > 0 {
		return fmt.Errorf("rename %s: directory not empty", to)
	}
	f.Remove(b)
	for _, n := range append([]string{a}, f.Under(a)...) {
		f.all[b+strings.TrimPrefix(n, a)] = f.all[n]
		delete(f.all, n)
	}
	return nil
}

// info is a file as os.Stat tells it.
type info struct {
	name string
	*file
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return int64(len(i.data)) }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mtime }
func (i info) IsDir() bool        { return i.mode.IsDir() }

// handle is an open file.
type handle struct {
	m    *Machine
	name string
	at   int
	flag int
}

func (h *handle) Read(p []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	_, x := h.m.files.lookup(h.name, true)
	if x == nil || h.at >= len(x.data) {
		return 0, io.EOF
	}
	n := copy(p, x.data[h.at:])
	h.at += n
	return n, nil
}

func (h *handle) Write(p []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	x := h.m.files.all[h.name]
	if x == nil {
		return len(p), nil // removed while it was open
	}
	if h.m.full {
		return 0, errors.New("no space left on device")
	}
	if h.flag&os.O_APPEND != 0 {
		h.at = len(x.data)
	}
	x.data = append(x.data[:min(h.at, len(x.data)):min(h.at, len(x.data))], p...)
	h.at += len(p)
	x.mtime = h.m.files.now()
	return len(p), nil
}

func (h *handle) Close() error { return nil }

// open is open(2) for the shell.
func (m *Machine) open(name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	if name == "/dev/null" {
		return null{}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p, x := m.files.lookup(name, true)
	fail := func(err error) error { return &fs.PathError{Op: "open", Path: name, Err: err} }
	if flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		if x == nil {
			return nil, fail(fs.ErrNotExist)
		}
		return &handle{m, p, 0, flag}, nil
	}
	if d := m.files.all[path.Dir(p)]; d == nil || !d.mode.IsDir() {
		return nil, fail(fs.ErrNotExist)
	}
	switch {
	case x == nil && m.full:
		return nil, fail(errors.New("no space left on device"))
	case x == nil:
		m.files.all[p] = &file{mode: perm &^ m.umask, owner: "root", group: "root", mtime: m.files.now()}
	case x.mode.IsDir():
		return nil, fail(errors.New("is a directory"))
	case flag&os.O_TRUNC != 0:
		x.data = nil
	}
	return &handle{m, p, 0, flag}, nil
}

type null struct{}

func (null) Read([]byte) (int, error)    { return 0, io.EOF }
func (null) Write(p []byte) (int, error) { return len(p), nil }
func (null) Close() error                { return nil }
