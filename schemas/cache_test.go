package schemas

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func cacheFilesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestCache: a set from the cache is the set that was compiled.
func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	o := Options{Search: []Source{Embedded()}, Cache: dir}
	first, err := Load(o, EmbeddedNames()...)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Load(o, EmbeddedNames()...)
	if err != nil {
		t.Fatal(err)
	}
	if first.cached || !second.cached {
		t.Fatalf("from the cache: %t, then %t", first.cached, second.cached)
	}
	if first.Hash() != second.Hash() || first.nodes != second.nodes {
		t.Error("the hash or size changed")
	}
	if a, b := fmt.Sprint(first.Library()), fmt.Sprint(second.Library()); a != b {
		t.Errorf("library:\n%s\nwant\n%s", b, a)
	}
	var walk func(a, b *Node)
	walk = func(a, b *Node) {
		if a.Path() != b.Path() || a.kind != b.kind || a.config != b.config || a.secret != b.secret || a.Bind() != b.Bind() || a.desc != b.desc || fmt.Sprint(a.Keys()) != fmt.Sprint(b.Keys()) ||
			len(a.children) != len(b.children) || len(a.kids) != len(b.kids) || len(a.musts) != len(b.musts) || fmt.Sprint(a.dflts) != fmt.Sprint(b.dflts) {
			t.Fatalf("%s became %s", a.Path(), b.Path())
		}
		for i, k := range a.children {
			if b.children[i].parent != b {
				t.Fatalf("%s is not below its parent", b.children[i].Path())
			}
			walk(k, b.children[i])
		}
	}
	walk(first.root, second.root)
	for seed := range uint64(200) {
		g := newGenerator(first, seed)
		var b strings.Builder
		writeShuffled(&b, g.tree(), first.root, g.r)
		verdict := func(s *Set) string {
			tree, err := s.ParseJSON([]byte(b.String()))
			if err == nil {
				if err = s.Validate(tree); err == nil {
					return string(tree.Canonical())
				}
			}
			return err.Error()
		}
		if x, y := verdict(first), verdict(second); x != y {
			t.Fatalf("seed %d: %s\nfrom the cache %s", seed, x, y)
		}
	}
	if err := second.Diagram(&bytes.Buffer{}, DiagramOptions{}); err == nil {
		t.Error("a set without statements was drawn")
	}
}

// TestCacheTrust: what is not what was written there by us, for just this, is
// compiled again and written over.
func TestCacheTrust(t *testing.T) {
	module := func(extra string) map[string][]byte {
		return map[string][]byte{"m.yang": []byte(`module m { yang-version 1.1; namespace urn:m; prefix m; import n { prefix n; } feature f; leaf a { if-feature f; type n:t; } leaf b { type string; } ` + extra + `}`),
			"n.yang": []byte(`module n { yang-version 1.1; namespace urn:n; prefix n; typedef t { type string { pattern '[ab]+'; } } }`)}
	}
	dir := filepath.Join(t.TempDir(), "cache")
	load := func(texts map[string][]byte, feature func(string, string) bool) *Set {
		t.Helper()
		s, err := Load(Options{Search: []Source{Files(texts)}, Feature: feature, Cache: dir}, "m")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	plain := module("")
	load(plain, nil)
	files := cacheFilesIn(t, dir)
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !load(plain, nil).cached {
		t.Fatal("not from the cache")
	}
	if load(module("leaf c { type int8; }"), nil).cached {
		t.Error("another text is the same set")
	}
	other := module("")
	other["n.yang"] = bytes.ReplaceAll(other["n.yang"], []byte("[ab]+"), []byte("[ac]+"))
	if load(other, nil).cached {
		t.Error("another import is the same set")
	}
	off := func(string, string) bool { return false }
	if s := load(plain, off); s.cached || s.root.kids[name{"m", "a"}] != nil {
		t.Error("another feature is the same set")
	}
	if s := load(plain, off); !s.cached || s.root.kids[name{"m", "a"}] != nil {
		t.Error("two sets of the same names do not live side by side")
	}
	if _, err := Load(Options{Search: []Source{Files(plain)}, Cache: dir}, "n"); err != nil {
		t.Error(err)
	}
	for _, bad := range []struct {
		name string
		do   func() error
	}{
		{"empty", func() error { return os.WriteFile(files[0], nil, 0o600) }},
		{"cut", func() error { return os.WriteFile(files[0], good[:len(good)/2], 0o600) }},
		{"flipped", func() error {
			b := bytes.Clone(good)
			b[len(b)-5] ^= 1
			return os.WriteFile(files[0], b, 0o600)
		}},
		{"of another version", func() error {
			return os.WriteFile(files[0], bytes.Replace(good, []byte("YANG 1\n"), []byte("YANG 0\n"), 1), 0o600)
		}},
		{"readable for all", func() error {
			if err := os.WriteFile(files[0], good, 0o600); err != nil {
				return err
			}
			return os.Chmod(files[0], 0o644)
		}},
		{"a link", func() error {
			elsewhere := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(elsewhere, good, 0o600); err != nil {
				return err
			}
			if err := os.Remove(files[0]); err != nil {
				return err
			}
			return os.Symlink(elsewhere, files[0])
		}},
		{"a folder", func() error {
			if err := os.Remove(files[0]); err != nil {
				return err
			}
			return os.Mkdir(files[0], 0o700)
		}},
	} {
		if err := bad.do(); err != nil {
			t.Fatal(err)
		}
		if s := load(plain, nil); s.cached {
			t.Errorf("%s: believed", bad.name)
		}
		if bad.name == "a folder" {
			break // cannot be written over, and does no harm
		}
		if !load(plain, nil).cached {
			t.Errorf("%s: not written over", bad.name)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if load(plain, nil).cached {
		t.Error("a folder that all can write to is believed")
	}
}

// TestCacheTidy: the cache does not grow for ever.
func TestCacheTidy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for i := range 3 * cacheFiles {
		text := fmt.Sprintf(`module m { namespace urn:m; prefix m; leaf a%d { type string; } }`, i)
		if _, err := Load(Options{Search: []Source{Files(map[string][]byte{"m.yang": []byte(text)})}, Cache: dir}, "m"); err != nil {
			t.Fatal(err)
		}
		for _, f := range cacheFilesIn(t, dir) { // time has passed
			if err := os.Chtimes(f, time.Time{}, time.Unix(int64(i), 0)); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	if n := len(cacheFilesIn(t, dir)); n != cacheFiles {
		t.Errorf("%d files", n)
	}
}

// TestCacheTogether: many at once, in one folder.
func TestCacheTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	texts := map[string][]byte{"m.yang": []byte(lawsModule)}
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() {
			for range 5 {
				s, err := Load(Options{Search: []Source{Files(texts)}, Cache: dir}, "laws")
				if err == nil {
					var tree *Tree
					if tree, err = s.ParseJSON([]byte(`{"laws:top":{"d":"1.5"}}`)); err == nil {
						err = s.Validate(tree)
					}
				}
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if n := len(cacheFilesIn(t, dir)); n != 1 {
		t.Errorf("%d files", n)
	}
}

// FuzzCache: bytes with a right checksum are a set or refused; nothing panics.
func FuzzCache(f *testing.F) {
	s, err := Load(Options{Search: []Source{Files(map[string][]byte{"laws.yang": []byte(lawsModule)})}}, "laws")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(newSetCodec().encodeSet(s))
	f.Add([]byte{1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newSetCodec()
		s, err := c.decodeSet(string(b))
		if err != nil {
			return
		}
		if again := c.encodeSet(s); len(again) == 0 {
			t.Error("nothing is written")
		}
	})
}

func BenchmarkLoadCached(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "cache")
	o := Options{Search: []Source{Embedded()}, Cache: dir}
	for b.Loop() {
		if _, err := Load(o, EmbeddedNames()...); err != nil {
			b.Fatal(err)
		}
	}
}
