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
	"slices"
	"strings"
	"testing"
)

// oracleFlags: go test ./schemas -run Differential -cases 5000 -seed 7
var (
	oracleCases = flag.Int("cases", 2800, "number of generated trees whose verdicts, in JSON and in XML, are compared with yanglint's")
	oracleDirs  = flag.String("dirs", "", "folders of foreign modules, with colons between, instead of those of Debian's packages")
	oracleSeed  = flag.Uint64("seed", 1, "seed of the generated trees")
)

// TestDifferential compares our verdict on generated data of the common
// modules with yanglint's, and gives yanglint our canonical form to read.
func TestDifferential(t *testing.T) {
	t.Parallel()
	set, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(t.TempDir(), "modules")
	if err := os.CopyFS(modules, embedded); err != nil {
		t.Fatal(err)
	}
	valid, n := differential(t, set, []string{filepath.Join(modules, "yang")}, *oracleCases/8)
	if valid < n/5 || valid > n*4/5 {
		t.Errorf("%d of %d trees are valid: the generator is lopsided", valid, n)
	}
}

// TestDifferentialOracle does the same with a module that has a constraint of
// each kind, and breaks them.
func TestDifferentialOracle(t *testing.T) {
	t.Parallel()
	src, err := FS(os.DirFS("testdata/oracle"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"oracle", "oracle-more"}
	set, err := Load(Options{Search: []Source{src}, Feature: func(_, f string) bool { return f == "on" }}, names...)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs("testdata/oracle")
	if err != nil {
		t.Fatal(err)
	}
	valid, n := differential(t, set, []string{dir}, *oracleCases/2)
	if valid < n/10 || valid > n*9/10 {
		t.Errorf("%d of %d trees are valid: the generator is lopsided", valid, n)
	}
}

// foreignDirs are folders of modules that Debian's packages frr, libyang2 and
// libyuma-base install; each list is searched together.
func foreignDirs() [][]string {
	const libyang, yuma = "/usr/share/yang/modules/libyang", "/usr/share/yuma/modules/"
	return [][]string{{"/usr/share/yang", libyang}, {yuma + "ietf", libyang}, {yuma + "ietf-draft", yuma + "ietf", libyang}}
}

// TestDifferentialForeign does the same with modules of others.
func TestDifferentialForeign(t *testing.T) {
	t.Parallel()
	lists := foreignDirs()
	if *oracleDirs != "" {
		lists = [][]string{strings.Split(*oracleDirs, ":")}
	}
	type one struct {
		name string
		dirs []string
		set  *Set
	}
	var all []one
	for _, dirs := range lists {
		var search []Source
		for _, d := range dirs {
			s, err := FS(os.DirFS(d))
			if err != nil {
				t.Fatalf("%v: apt-get install frr libyang2 libyuma-base", err)
			}
			search = append(search, s)
		}
		for _, n := range search[0].(Lister).Names() {
			set, err := Load(Options{Search: search}, n)
			if err != nil {
				continue // a submodule, or one whose verdict TestOracleModules compares
			}
			// yanglint has no features on of modules that are only imported.
			if set, err = Load(Options{Search: search, Feature: func(m, _ string) bool { return set.byName[m].Implemented }}, n); err != nil {
				t.Errorf("%s: %v", n, err)
				continue
			}
			if slices.ContainsFunc(set.root.children, func(k *Node) bool { return k.isData() && k.config }) {
				all = append(all, one{n, dirs, set})
			}
		}
	}
	for _, o := range all {
		t.Run(o.name, func(t *testing.T) {
			differential(t, o.set, o.dirs, max(*oracleCases*3/8/len(all), 1))
		})
	}
}

// oracleRun is what yanglint is asked, and what we say.
type oracleRun struct {
	t      *testing.T
	dir    string
	script strings.Builder
	out    string // what yanglint printed
}

// file writes data and has yanglint read it and write it again as format.
func (r *oracleRun) file(name string, data []byte, formats ...string) string {
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		r.t.Fatal(err)
	}
	for _, f := range formats {
		fmt.Fprintf(&r.script, "data -t config -f %s -o %s.to.%s %s\n", f, path, f, path)
	}
	return path
}

// accepts reports whether yanglint has written a file in return.
func (r *oracleRun) accepts(path string) bool {
	info, err := os.Stat(path + ".to.json")
	return err == nil && info.Size() > 0
}

// run has one yanglint do all that was asked.
func (r *oracleRun) run() {
	bin, err := exec.LookPath("yanglint")
	if err != nil {
		r.t.Fatal("yanglint is missing: apt-get install libyang2-tools")
	}
	r.script.WriteString("quit\n")
	cmd := exec.Command(bin)
	cmd.Env = append(os.Environ(), "HOME="+r.dir)
	cmd.Stdin = strings.NewReader(r.script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("yanglint: %v: %s", err, clip(string(out)))
	}
	r.out = string(out)
}

// differential generates trees, breaks two of three, and compares the verdicts
// on each in both encodings. It returns how many are valid, and how many there
// are.
func differential(t *testing.T, set *Set, search []string, count int) (valid, all int) {
	r := &oracleRun{t: t, dir: t.TempDir()}
	for _, d := range search {
		fmt.Fprintf(&r.script, "searchpath %s\n", d)
	}
	for _, m := range slices.Backward(set.modules) {
		if m.Implemented {
			fmt.Fprintf(&r.script, "load -F %s:%s %s\n", m.Name, strings.Join(m.Features, ","), m.Name)
		}
	}
	type verdict struct {
		what            string
		data, canonical string
		bytes           []byte
		ours            error
	}
	var cases []verdict
	judge := func(data []byte, o ParseOptions) (*Tree, error) {
		tree, err := set.Parse(data, o)
		if err == nil {
			err = set.Validate(tree)
		}
		return tree, err
	}
	for i := range count {
		g := newGenerator(set, *oracleSeed<<32+uint64(i))
		data := g.tree()
		what := "as generated"
		for range i % 3 {
			if what = g.breakRule(data); len(data) == 0 {
				break
			}
		}
		text, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		c := verdict{what: what, data: r.file(fmt.Sprintf("%d.json", i), text, "json")}
		tree, err := judge(text, ParseOptions{ConfigOnly: true})
		if c.ours = err; err == nil {
			valid++
			c.bytes = tree.Canonical()
			c.canonical = r.file(fmt.Sprintf("%d.canonical.json", i), c.bytes, "json", "xml")
			again, err := set.ParseJSON(c.bytes)
			if err != nil {
				t.Fatalf("case %d: the canonical form is not read: %v", i, err)
			}
			if !bytes.Equal(again.Canonical(), c.bytes) {
				t.Errorf("case %d: canonical is not idempotent", i)
			}
		}
		cases = append(cases, c)
		var b strings.Builder
		g.writeXML(&b, data, set.root, true)
		if b.Len() == 0 {
			continue
		}
		x := verdict{what: what, data: r.file(fmt.Sprintf("%d.xml", i), []byte(b.String()), "json")}
		_, x.ours = judge([]byte(b.String()), ParseOptions{XML: true, ConfigOnly: true})
		cases = append(cases, x)
	}
	r.run()
	for _, c := range cases {
		if theirs := r.accepts(c.data); theirs != (c.ours == nil) {
			data, err := os.ReadFile(c.data)
			if err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s (%s): yanglint accepts: %t; we: %v\n%s\n%s", filepath.Base(c.data), c.what, theirs, c.ours, data, about(r.out, c.data))
		}
		if c.canonical == "" {
			continue
		}
		if !r.accepts(c.canonical) {
			t.Errorf("%s: yanglint refuses our canonical form\n%s\n%s", filepath.Base(c.data), c.bytes, about(r.out, c.canonical))
			continue
		}
		text, err := os.ReadFile(c.canonical + ".to.xml")
		if err != nil {
			t.Fatal(err)
		}
		if len(text) == 0 {
			continue // no data is no XML
		}
		tree, err := set.Parse(text, ParseOptions{XML: true, ConfigOnly: true})
		if err != nil {
			t.Errorf("%s: yanglint's XML is refused: %v", filepath.Base(c.data), err)
		} else if !bytes.Equal(tree.Canonical(), c.bytes) {
			t.Errorf("%s: XML and JSON differ:\n%s\n%s", filepath.Base(c.data), tree.Canonical(), c.bytes)
		}
	}
	t.Logf("%d trees, %d valid, %d verdicts", count, valid, len(cases))
	return valid, count
}

// about returns what yanglint said before it gave up on a file.
func about(out, path string) string {
	i := strings.Index(out, `"`+path+`"`)
	if i < 0 {
		return ""
	}
	from := strings.LastIndex(out[:i], "> data")
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
