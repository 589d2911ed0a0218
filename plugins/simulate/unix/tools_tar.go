package unix

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// tarTool packs (-c) and unpacks (-x); -z, -f FILE, -C FOLDER, -T FILE.
func tarTool(c *Call) int {
	args := c.Args[1:]
	if len(args) > 0 && args[0][0] != '-' {
		args[0] = "-" + args[0]
	}
	d := *c
	d.Args = append([]string{"tar"}, args...)
	f, names := d.flags("fCT")
	dir := c.Dir
	if v, ok := f['C']; ok {
		dir = c.path(v)
	}
	for i := 0; i+1 < len(names); i++ {
		if names[i] == "-C" {
			dir = c.path(names[i+1])
			names = slices.Delete(names, i, i+2)
		}
	}
	if v, ok := f['T']; ok {
		data, status := c.input([]string{v})
		if status != 0 {
			return status
		}
		names = append(names, strings.Fields(string(data))...)
	}
	if has(f, 'x') || has(f, 't') {
		in := c.In
		if v := f['f']; v != "-" && v != "" {
			data, status := c.input([]string{v})
			if status != 0 {
				return status
			}
			in = bytes.NewReader(data)
		}
		if has(f, 'z') {
			z, err := gzip.NewReader(in)
			if err != nil {
				return c.Fail("invalid magic")
			}
			in = z
		}
		return c.untar(in, dir, has(f, 't'))
	}
	var out bytes.Buffer
	status := c.pack(&out, dir, names)
	data := out.Bytes()
	if has(f, 'z') {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(data)
		w.Close()
		data = z.Bytes()
	}
	if v := f['f']; v != "-" && v != "" {
		c.mu.Lock()
		c.files.Put(c.path(v), data, 0o644)
		c.mu.Unlock()
		return status
	}
	c.Out.Write(data)
	return status
}

func (c *Call) untar(in io.Reader, dir string, list bool) int {
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return 0
		}
		if err != nil {
			return c.Fail("short read")
		}
		if list {
			fmt.Fprintln(c.Out, h.Name)
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return c.Fail("short read")
		}
		name := path.Join(dir, h.Name)
		c.mu.Lock()
		if c.full {
			c.mu.Unlock()
			return c.Fail("write error: No space left on device")
		}
		c.files.folders(path.Dir(name))
		x := &file{mode: fs.FileMode(h.Mode & 0o777), data: data, owner: "root", group: "root", mtime: c.files.now()}
		switch h.Typeflag {
		case tar.TypeDir:
			x.mode |= fs.ModeDir
		case tar.TypeSymlink:
			x.mode, x.link = fs.ModeSymlink|0o777, h.Linkname
		}
		p, _ := c.files.resolve(name, false)
		c.files.all[p] = x
		c.mu.Unlock()
	}
}

func (c *Call) pack(out io.Writer, dir string, names []string) int {
	w := tar.NewWriter(out)
	status := 0
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		at, x := c.files.lookup(resolveIn(dir, n), false)
		if x == nil {
			status = c.Fail("%s: No such file or directory", n)
			continue
		}
		all := []string{at}
		if x.mode.IsDir() {
			all = append(all, c.files.Under(at)...)
		}
		for _, p := range all {
			y := c.files.all[p]
			h := &tar.Header{Name: strings.TrimPrefix(strings.TrimPrefix(n, "/")+strings.TrimPrefix(p, at), "/"), Mode: int64(y.mode.Perm()), Size: int64(len(y.data)), Uname: y.owner, Gname: y.group, ModTime: y.mtime, Format: tar.FormatGNU}
			switch {
			case y.mode.IsDir():
				h.Typeflag, h.Size = tar.TypeDir, 0
			case y.link != "":
				h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, y.link, 0
			}
			if w.WriteHeader(h) != nil {
				return 1
			}
			if h.Size > 0 {
				w.Write(y.data)
			}
		}
	}
	w.Close()
	return status
}

func gzipTool(c *Call) int {
	f, names := c.flags("")
	data, status := c.input(names)
	if has(f, 'd') || c.Args[0] != "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return c.Fail("invalid magic")
		}
		if data, err = io.ReadAll(z); err != nil {
			return c.Fail("unexpected end of file")
		}
		c.Out.Write(data)
		return status
	}
	w := gzip.NewWriter(c.Out)
	w.Write(data)
	w.Close()
	return status
}
