package schemas

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"
)

// cache keeps compiled sets in a folder, so that a second start costs
// milliseconds. A file is believed only if it is ours alone (owner, 0600), its
// checksum is right, the very program that reads it wrote it, and every module
// and feature on which it was built is what it was: these are looked up again
// in the sources. Anything else is compiled again and written over. Files come
// into being by a rename, so that two processes may do all this at once.
type cache struct {
	dir   string
	codec *setCodec
	key   string
}

const (
	cacheMagic   = "cfgvault compiled YANG 1\n"
	cacheFiles   = 8 // sets of the same names: other features or texts
	maxCacheSize = 256 << 20
)

// newCache returns nil if there is no folder that only we can write to.
func newCache(dir string, modules []string) *cache {
	if dir == "" || os.MkdirAll(dir, 0o700) != nil {
		return nil
	}
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || !ours(info, 0o022) {
		return nil
	}
	c := &cache{dir: dir, codec: newSetCodec()}
	c.codec.of(reflect.TypeFor[*Set]())
	program := c.codec.layout
	if exe, err := os.Executable(); err == nil {
		if info, err := os.Stat(exe); err == nil {
			size, made := info.Size(), info.ModTime().UnixNano()
			program = func() string { return fmt.Sprint(size, made) }
		}
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{cacheMagic, program(), runtime.Version(), runtime.GOARCH, strings.Join(modules, " ")}, "\x00")))
	c.key = hex.EncodeToString(sum[:16])
	return c
}

// ours reports whether a file is of this user and nobody else has the rights.
func ours(info os.FileInfo, rights os.FileMode) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&rights == 0
}

// request is a module that was looked for, and what was found.
type request struct {
	name, revision string
	file           string
	sum            [sha256.Size]byte
}

// answer is a feature that was asked about.
type answer struct {
	module, feature string
	on              bool
}

// recorder notes on what a set is built.
type recorder struct {
	requests []request
	answers  []answer
}

func (r *recorder) found(name, revision, file string, text []byte) {
	r.requests = append(r.requests, request{name, revision, file, sha256.Sum256(text)})
}

// load returns the set from the cache, or nil.
func (c *cache) load(o Options) *Set {
	if c == nil {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(c.dir, c.key+"-*.set"))
	if err != nil {
		return nil
	}
	for _, f := range files {
		if s := c.read(f, o); s != nil {
			return s
		}
	}
	return nil
}

func (c *cache) read(file string, o Options) *Set {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || !ours(info, 0o077) || info.Size() > maxCacheSize {
		return nil
	}
	text := make([]byte, info.Size())
	if _, err := io.ReadFull(f, text); err != nil {
		return nil
	}
	rest, ok := bytes.CutPrefix(text, []byte(cacheMagic+c.key+"\n"))
	if !ok || len(rest) <= sha256.Size {
		return nil
	}
	body := rest[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return nil
	}
	// Nothing writes to the bytes from here on: the set's strings are parts of
	// them.
	set, err := c.unpack(unsafe.String(&body[0], len(body)), o)
	if err != nil {
		return nil
	}
	return set
}

// unpack reads what the set was built on, compares it, and reads the set.
func (c *cache) unpack(body string, o Options) (set *Set, err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errCodec) {
				panic(r)
			}
			set, err = nil, errCodec
		}
	}()
	d := &setDecoder{in: body}
	for range d.count() {
		name, revision, file, sum := d.string(), d.string(), d.string(), d.string()
		text, now, err := find(o.Search, name, revision)
		if err != nil || now != file {
			return nil, errCodec
		}
		if have := sha256.Sum256(text); string(have[:]) != sum {
			return nil, errCodec
		}
	}
	for range d.count() {
		module, feature, on := d.string(), d.string(), d.uint() == 1
		if (o.Feature == nil || o.Feature(module, feature)) != on {
			return nil, errCodec
		}
	}
	if set, err = c.codec.decodeSet(body[d.at:]); err == nil {
		set.cached = true
	}
	return set, err
}

// store writes a set that was compiled. A failure costs the next start some
// time and is not reported.
func (c *cache) store(s *Set, r *recorder) {
	if c == nil {
		return
	}
	e := &setEncoder{strings: make(map[string]uint64)}
	e.uint(uint64(len(r.requests)))
	for _, q := range r.requests {
		e.string(q.name)
		e.string(q.revision)
		e.string(q.file)
		e.string(string(q.sum[:]))
	}
	e.uint(uint64(len(r.answers)))
	for _, a := range r.answers {
		e.string(a.module)
		e.string(a.feature)
		e.uint(map[bool]uint64{true: 1}[a.on])
	}
	body := append(e.b, c.codec.encodeSet(s)...)
	sum := sha256.Sum256(body)
	f, err := os.CreateTemp(c.dir, ".new-*")
	if err != nil {
		return
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(cacheMagic + c.key + "\n" + string(sum[:]) + string(body))
	if cerr := f.Close(); err != nil || cerr != nil {
		return
	}
	if os.Rename(f.Name(), filepath.Join(c.dir, c.key+"-"+s.hash[:16]+".set")) != nil {
		return
	}
	c.tidy()
}

// tidy removes the oldest files beyond those that a folder may have: for these
// names, and for programs that are gone.
func (c *cache) tidy() {
	for pattern, most := range map[string]int{c.key + "-*.set": cacheFiles, "*.set": 16 * cacheFiles} {
		files, err := filepath.Glob(filepath.Join(c.dir, pattern))
		if err != nil || len(files) <= most {
			continue
		}
		age := make(map[string]int64, len(files))
		for _, f := range files {
			if info, err := os.Lstat(f); err == nil {
				age[f] = info.ModTime().UnixNano()
			}
		}
		slices.SortFunc(files, func(a, b string) int { return int(min(max(age[a]-age[b], -1), 1)) })
		for _, f := range files[:len(files)-most] {
			_ = os.Remove(f) // another process may have done it
		}
	}
}
