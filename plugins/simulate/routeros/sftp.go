package routeros

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// Stream serves SFTP.
func (b *box) Stream(p *device.Process) int {
	h := handlers{b}
	s := sftp.NewRequestServer(channel{p.In, p.Out}, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
	err := s.Serve()
	if err != nil && !errors.Is(err, io.EOF) {
		return 1
	}
	return 0
}

type channel struct {
	io.Reader
	io.Writer
}

func (channel) Close() error { return nil }

type handlers struct{ *box }

func name(r string) string { return strings.TrimPrefix(path.Clean("/"+r), "/") }

func (h handlers) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	h.dev.Lock()
	defer h.dev.Unlock()
	data, ok := h.files[name(r.Filepath)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return bytes.NewReader(bytes.Clone(data)), nil
}

// upload gathers what is written and keeps it when the file is closed.
type upload struct {
	h    handlers
	name string
	data []byte
}

func (u *upload) WriteAt(p []byte, at int64) (int, error) {
	if need := int(at) + len(p); need > len(u.data) {
		u.data = append(u.data, make([]byte, need-len(u.data))...)
	}
	return copy(u.data[at:], p), nil
}

func (u *upload) Close() error {
	u.h.dev.Lock()
	defer u.h.dev.Unlock()
	u.h.files[u.name] = u.data
	return nil
}

func (h handlers) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	return &upload{h: h, name: name(r.Filepath)}, nil
}

func (h handlers) Filecmd(r *sftp.Request) error {
	h.dev.Lock()
	defer h.dev.Unlock()
	if r.Method != "Remove" {
		return sftp.ErrSSHFxOpUnsupported
	}
	n := name(r.Filepath)
	if _, ok := h.files[n]; !ok {
		return fs.ErrNotExist
	}
	delete(h.files, n)
	delete(h.saved, n)
	return nil
}

type entry struct {
	name string
	size int64
	dir  bool
}

func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return e.size }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return e.dir }
func (e entry) Sys() any           { return nil }
func (e entry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

type listing []os.FileInfo

func (l listing) ListAt(out []os.FileInfo, at int64) (int, error) {
	if at >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(out, l[at:])
	if int(at)+n == len(l) {
		return n, io.EOF
	}
	return n, nil
}

func (h handlers) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	h.dev.Lock()
	defer h.dev.Unlock()
	dir := name(r.Filepath)
	if r.Method == "Stat" {
		if data, ok := h.files[dir]; ok {
			return listing{entry{name: path.Base(dir), size: int64(len(data))}}, nil
		}
		if dir == "" || dir == "flash" && h.v.Flash {
			return listing{entry{name: dir, dir: true}}, nil
		}
		return nil, fs.ErrNotExist
	}
	var out listing
	if dir == "" && h.v.Flash {
		out = append(out, entry{name: "flash", dir: true})
	}
	for _, n := range slices.Sorted(maps.Keys(h.files)) {
		if d := path.Dir(n); d == dir || d == "." && dir == "" {
			out = append(out, entry{name: path.Base(n), size: int64(len(h.files[n]))})
		}
	}
	return out, nil
}
