package schemas

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oracleFlags: go test ./schemas -run Differential -cases 5000 -seed 7
var (
	oracleCases = flag.Int("cases", 400, "number of generated cases that are compared with yanglint")
	oracleDirs  = flag.String("dirs", "", "folders of foreign modules, with colons between, instead of those of the packages frr and libyang2")
	oracleSeed  = flag.Uint64("seed", 1, "seed of the generated cases")
)

// TestDifferential compares our verdict on generated data of the common
// modules with yanglint's, and gives yanglint our canonical form to read. One
// yanglint reads all cases: it writes a file for each that it accepts.
func TestDifferential(t *testing.T) {
	set, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(t.TempDir(), "modules")
	if err := os.CopyFS(modules, embedded); err != nil {
		t.Fatal(err)
	}
	differential(t, set, []string{filepath.Join(modules, "yang")}, EmbeddedNames(), *oracleCases)
}

// TestDifferentialForeign does the same with modules of others, as the
// packages frr and libyang2 install them: first the verdict on every module,
// then data of some of them.
func TestDifferentialForeign(t *testing.T) {
	dirs := []string{"/usr/share/yang", "/usr/share/yang/modules/libyang"}
	if *oracleDirs != "" {
		dirs = strings.Split(*oracleDirs, ":")
	}
	var search []Source
	var names []string
	for _, d := range dirs {
		s, err := FS(os.DirFS(d))
		if err != nil {
			t.Fatal(err)
		}
		search = append(search, s)
		names = append(names, s.(Lister).Names()...)
	}
	for i, n := range names {
		set, err := Load(Options{Search: search}, n)
		if err != nil {
			if strings.Contains(err.Error(), "holds submodule") || n == "yang" {
				continue // TestOracleModules says why we refuse yang
			}
			t.Errorf("%s: %v", n, err)
			continue
		}
		if len(set.root.children) == 0 || i%3 != int(*oracleSeed%3) {
			continue // nothing to have data of, or another seed's turn
		}
		t.Run(n, func(t *testing.T) { differential(t, set, dirs, []string{n}, max(*oracleCases/20, 10)) })
	}
}

func differential(t *testing.T, set *Set, search, load []string, count int) {
	bin, err := exec.LookPath("yanglint")
	if err != nil {
		t.Fatal("yanglint is missing: apt-get install libyang2-tools")
	}
	dir := t.TempDir()
	var script strings.Builder
	for _, d := range search {
		fmt.Fprintf(&script, "searchpath %s\n", d)
	}
	for _, m := range load {
		fmt.Fprintf(&script, "load %s\n", m)
	}
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "data -t config -f json -o %s.out %s\n", path, path)
		return path
	}
	type verdict struct {
		data, canonical string
		bytes           []byte
		ours            error
	}
	var cases []verdict
	valid := 0
	for i := range count {
		g := newGenerator(set, *oracleSeed<<32+uint64(i))
		tree := g.tree()
		if i%3 > 0 {
			for range i % 3 {
				g.mutate(tree)
			}
		}
		data, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		c := verdict{data: file(fmt.Sprintf("%d.json", i), data)}
		got, err := set.Parse(data, ParseOptions{ConfigOnly: true})
		if err == nil {
			err = set.Validate(got)
		}
		if c.ours = err; err == nil {
			valid++
			canonical := got.Canonical()
			c.bytes = canonical
			c.canonical = file(fmt.Sprintf("%d.canonical.json", i), canonical)
			fmt.Fprintf(&script, "data -t config -f xml -o %s.xml %s\n", c.canonical, c.canonical)
			again, err := set.ParseJSON(canonical)
			if err != nil {
				t.Fatalf("case %d: the canonical form is not read: %v", i, err)
			}
			if !bytes.Equal(again.Canonical(), canonical) {
				t.Errorf("case %d: canonical is not idempotent", i)
			}
		}
		cases = append(cases, c)
	}
	script.WriteString("quit\n")
	cmd := exec.Command(bin)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("yanglint: %v: %s", err, clip(string(out)))
	}
	accepts := func(path string) bool {
		info, err := os.Stat(path + ".out")
		return err == nil && info.Size() > 0
	}
	for i, c := range cases {
		if theirs := accepts(c.data); theirs != (c.ours == nil) {
			data, err := os.ReadFile(c.data)
			if err != nil {
				t.Fatal(err)
			}
			t.Errorf("case %d: yanglint accepts: %t; we: %v\n%s\n%s", i, theirs, c.ours, data, about(string(out), c.data))
		}
		if c.canonical != "" && !accepts(c.canonical) {
			t.Errorf("case %d: yanglint refuses our canonical form", i)
		}
		if c.canonical == "" {
			continue
		}
		text, err := os.ReadFile(c.canonical + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		if len(text) == 0 {
			continue // no data is no XML
		}
		tree, err := set.Parse(text, ParseOptions{XML: true, ConfigOnly: true})
		if err != nil {
			t.Errorf("case %d: yanglint's XML is refused: %v", i, err)
		} else if !bytes.Equal(tree.Canonical(), c.bytes) {
			t.Errorf("case %d: XML and JSON differ:\n%s\n%s", i, tree.Canonical(), c.bytes)
		}
	}
	t.Logf("%d cases, %d valid", len(cases), valid)
	if set.byName["cfgvault-system"] != nil && (valid < len(cases)/5 || valid > len(cases)*4/5) {
		t.Errorf("%d of %d cases are valid: the generator is lopsided", valid, len(cases))
	}
}

// about returns what yanglint said before it gave up on a file.
func about(out, path string) string {
	i := strings.Index(out, `"`+path+`"`)
	if i < 0 {
		return ""
	}
	from := strings.LastIndex(out[:i], "libyang")
	return out[max(from, 0):i]
}

// TestShuffle: the same configuration in another order gives the same bytes.
func TestShuffle(t *testing.T) {
	set, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(100) {
		g := newGenerator(set, i)
		data := g.tree()
		var trees []*Tree
		for j := range uint64(3) {
			var b strings.Builder
			writeShuffled(&b, data, set.root, rand.New(rand.NewPCG(i, j)))
			tree, err := set.ParseJSON([]byte(b.String()))
			if err != nil {
				break // not all generated data is of the right type
			}
			trees = append(trees, tree)
		}
		for _, tree := range trees[min(1, len(trees)):] {
			if a, b := trees[0].Canonical(), tree.Canonical(); !bytes.Equal(a, b) {
				t.Fatalf("case %d:\n%s\n%s", i, a, b)
			}
			if edits := Diff(trees[0], tree); len(edits) > 0 {
				t.Fatalf("case %d: shuffling makes a difference: %v", i, edits)
			}
		}
	}
}

// writeShuffled writes members, and the entries of lists that the system
// orders, in random order.
func writeShuffled(b *strings.Builder, v any, n *Node, r *rand.Rand) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		b.WriteByte('{')
		for i, k := range keys {
			if i > 0 {
				b.WriteByte(',')
			}
			module, local, ok := strings.Cut(k, ":")
			if !ok {
				module, local = n.ModuleName(), k
			}
			b.WriteString(quoteJSON(k) + ":")
			writeShuffled(b, v[k], n.kids[name{module, local}], r)
		}
		b.WriteByte('}')
	case []any:
		if n != nil && (n.kind == KindList || n.kind == KindLeafList) && !n.userOrder {
			v = append([]any(nil), v...)
			r.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
		}
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeShuffled(b, e, n, r)
		}
		b.WriteByte(']')
	default:
		out, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		b.Write(out)
	}
}
