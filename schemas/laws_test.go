package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// lawsModule has what the laws of diff, patch and merge stumble over: orders of
// the user, nested choices with defaults, presence, keys with odd characters.
const lawsModule = `module laws { yang-version 1.1; namespace "urn:laws"; prefix w;
  identity i; identity j { base i; } identity k { base i; }
  typedef name { type enumeration { enum a; enum b; enum c; enum d; enum "e/,=%"; } }
  container top {
    leaf v { type int8 { range "1..3"; } default 2; }
    leaf-list words { ordered-by user; type name; }
    leaf-list set { type int8 { range "1..9"; } }
    list steps { ordered-by user; key n; leaf n { type name; } leaf v { type int8 { range "1..2"; } } }
    list things { key "n id"; leaf n { type name; } leaf id { type identityref { base i; } } leaf v { type int8 { range "1..2"; } default 1; }
      list inner { key n; ordered-by user; leaf n { type name; } } }
    container np { leaf v { type int8 { range "1..2"; } } container deep { leaf v { type int8 { range "1..2"; } default 1; } } }
    container p { presence x; leaf v { type int8 { range "1..2"; } } }
    choice ch { default one;
      case one { leaf one { type int8 { range "1..2"; } default 1; } }
      case two { leaf two { type int8 { range "1..2"; } default 1; } leaf two-b { type int8 { range "1..2"; } default 2; }
        choice in { case x { leaf x { type int8 { range "1..2"; } } } case y { container y { leaf v { type int8 { range "1..2"; } default 1; } } } } }
      case three { leaf-list three { type name; ordered-by user; } container three-c { presence x; } } }
    leaf e { type empty; } leaf b { type bits { bit p; bit q; } } leaf d { type decimal64 { fraction-digits 2; range "-1.5..1.5"; } }
  } }`

func lawSets(t *testing.T) []*Set {
	t.Helper()
	laws, err := Load(Options{Search: []Source{Files(map[string][]byte{"laws.yang": []byte(lawsModule)})}}, "laws")
	if err != nil {
		t.Fatal(err)
	}
	common, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	return []*Set{laws, common}
}

// related draws trees that have much in common: b and c are a with some
// top-level parts of others.
func related(t *rapid.T, set *Set, n int) []*Tree {
	first := generated(t, set, "first")
	out := []*Tree{first}
	for len(out) < n {
		other := generated(t, set, "other")
		pick := rapid.Uint64().Draw(t, "pick")
		tree := &Tree{set: set, root: &item{schema: set.root}}
		mix(tree.root, first.root, other.root, &pick)
		tree.root = tree.root.normal(nil)
		tree.root.renumber(&tree.size)
		out = append(out, tree)
	}
	return out
}

// mix fills out with some children of a and some of b.
func mix(out, a, b *item, pick *uint64) {
	bit := func() bool { *pick = *pick*6364136223846793005 + 1442695040888963407; return *pick>>63 == 1 }
	for _, n := range allNodes(out.schema) {
		x, y := a.of(n), b.of(n)
		switch {
		case n.keyIndex > 0 && out.schema.kind == KindList:
			out.add(x[0].copyOf(out))
			continue
		case n.kind == KindContainer && len(x) == 1 && len(y) == 1 && out.hasCaseBut(n) == nil:
			k := &item{schema: n, parent: out}
			mix(k, x[0], y[0], pick)
			out.add(k)
			continue
		case bit():
			x, y = y, x
		}
		if out.hasCaseBut(n) != nil {
			continue
		}
		for _, k := range x {
			if n.kind == KindContainer || bit() || bit() {
				out.add(k.copyOf(out))
			}
		}
		for _, k := range y {
			if (n.kind == KindList || n.kind == KindLeafList) && bit() && !contains(out.of(n), k) {
				out.add(k.copyOf(out))
			}
		}
	}
	out.bindKeys()
}

func contains(items []*item, k *item) bool {
	for _, o := range items {
		if o.identity() == k.identity() {
			return true
		}
	}
	return false
}

// hasCaseBut returns a node of a case that excludes n.
func (it *item) hasCaseBut(n *Node) *item {
	for at := n.parent; at != nil && at != it.schema; at = at.parent {
		if at.kind != KindCase {
			continue
		}
		for _, other := range at.parent.children {
			if other != at {
				if k := it.hasAny(other); k != nil {
					return k
				}
			}
		}
	}
	return nil
}

func allNodes(n *Node) []*Node {
	var out []*Node
	for _, k := range n.children {
		switch {
		case k.kind == KindChoice || k.kind == KindCase:
			out = append(out, allNodes(k)...)
		case k.isData() && k.config:
			out = append(out, k)
		}
	}
	return out
}

// TestEncodingLaws: XML and JSON hold the same; writing what was read gives the
// same bytes, and order says nothing where the user does not order.
func TestEncodingLaws(t *testing.T) {
	for _, set := range lawSets(t) {
		rapid.Check(t, func(t *rapid.T) {
			a := generated(t, set, "a")
			xml, err := a.XML("")
			if err != nil {
				t.Fatal(err)
			}
			b, err := set.Parse(xml, ParseOptions{XML: true})
			if err != nil {
				t.Fatalf("%v\n%s", err, xml)
			}
			if !bytes.Equal(a.JSON(""), b.JSON("")) || !bytes.Equal(a.Canonical(), b.Canonical()) {
				t.Fatalf("through XML:\n%s\nwant\n%s", b.JSON(""), a.JSON(""))
			}
			c, err := set.Parse(b.JSON("\t"), ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			again, err := c.XML("")
			if err != nil || !bytes.Equal(again, xml) {
				t.Fatalf("XML → JSON → XML:\n%s\nwant\n%s", again, xml)
			}
			var streamed bytes.Buffer
			if err := a.WriteXML(&streamed, ""); err != nil || !bytes.Equal(streamed.Bytes(), xml) {
				t.Fatalf("WriteXML differs: %v", err)
			}
			all, err := a.WithDefaults(ReportAll)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(all.Canonical(), a.Canonical()) {
				t.Fatalf("report-all means something else:\n%s\nwant\n%s", all.Canonical(), a.Canonical())
			}
			trimmed, err := all.WithDefaults(Trim)
			if err != nil || !bytes.Equal(trimmed.Canonical(), a.Canonical()) {
				t.Fatalf("trim means something else: %v", err)
			}
			g := newGenerator(set, rapid.Uint64().Draw(t, "order"))
			var doc map[string]any
			d := json.NewDecoder(bytes.NewReader(a.JSON("")))
			d.UseNumber()
			if err := d.Decode(&doc); err != nil {
				t.Fatal(err)
			}
			var shuffled strings.Builder
			writeShuffled(&shuffled, doc, set.root, g.r)
			s, err := set.ParseJSON([]byte(shuffled.String()))
			if err != nil || !bytes.Equal(s.Canonical(), a.Canonical()) {
				t.Fatalf("shuffled: %v", err)
			}
		})
	}
}

// TestPatchLaws: a patch written in either encoding and read again leads from a
// to b, and the one of the other direction back.
func TestPatchLaws(t *testing.T) {
	for _, set := range lawSets(t) {
		rapid.Check(t, func(t *rapid.T) {
			trees := related(t, set, 2)
			a, b := trees[0], trees[1]
			patch, err := set.NewPatch("p", Diff(a, b))
			if err != nil {
				t.Fatal(err)
			}
			for _, xml := range []bool{false, true} {
				text := patch.JSON("  ")
				if xml {
					if text, err = patch.XML(); err != nil {
						t.Fatal(err)
					}
				}
				read, err := set.ReadPatch(text, ParseOptions{XML: xml})
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				got, err := a.Patch(read)
				if err != nil {
					t.Fatalf("%v\n%s\non\n%s", err, text, a.JSON(""))
				}
				if !bytes.Equal(got.Canonical(), b.Canonical()) {
					t.Fatalf("patched\n%s\nwant\n%s\nby\n%s\non\n%s", got.Canonical(), b.Canonical(), text, a.JSON(""))
				}
				back, err := got.Apply(Diff(b, a))
				if err != nil || !bytes.Equal(back.Canonical(), a.Canonical()) {
					t.Fatalf("and back: %v\n%s\nwant\n%s", err, back.Canonical(), a.Canonical())
				}
			}
		})
	}
}

// TestMergeLaws: what a three-way merge promises.
func TestMergeLaws(t *testing.T) {
	for _, set := range lawSets(t) {
		clean := 0
		rapid.Check(t, func(t *rapid.T) {
			trees := related(t, set, 3)
			base, x, y := trees[0], trees[1], trees[2]
			merge := func(b, o, th *Tree) ([]byte, []Conflict) {
				m, conflicts, err := Merge(b, o, th)
				if err != nil {
					t.Fatal(err)
				}
				return m.Canonical(), conflicts
			}
			for _, c := range []struct {
				name    string
				b, o, t *Tree
				want    *Tree
			}{{"only theirs", base, base, x, x}, {"only ours", base, x, base, x}, {"the same", base, x, x, x}} {
				if got, conflicts := merge(c.b, c.o, c.t); !bytes.Equal(got, c.want.Canonical()) || len(conflicts) > 0 {
					t.Fatalf("%s: %v\n%s\nwant\n%s", c.name, conflicts, got, c.want.Canonical())
				}
			}
			one, c1 := merge(base, x, y)
			two, c2 := merge(base, y, x)
			if len(c1) != len(c2) {
				t.Fatalf("%d conflicts, the other way round %d: %v, %v", len(c1), len(c2), c1, c2)
			}
			for i := range c1 {
				if c1[i].Path != c2[i].Path || c1[i].Ours != c2[i].Theirs || c1[i].Base != c2[i].Base {
					t.Fatalf("conflicts differ: %v, %v", c1[i], c2[i])
				}
			}
			if len(c1) == 0 {
				clean++
				if !bytes.Equal(one, two) {
					t.Fatalf("not commutative:\n%s\n%s\nbase %s\nx %s\ny %s", one, two, base.Canonical(), x.Canonical(), y.Canonical())
				}
			}
			if m, err := set.ParseJSON(one); err != nil || !bytes.Equal(m.Canonical(), one) {
				t.Fatalf("the result is not canonical: %v", err)
			}
		})
		if clean == 0 {
			t.Error("every merge had conflicts: nothing was proved")
		}
	}
}

// TestSelectLaws: what is selected is part of the data, and selecting it again
// gives it again.
func TestSelectLaws(t *testing.T) {
	for _, set := range lawSets(t) {
		rapid.Check(t, func(t *rapid.T) {
			a := generated(t, set, "a")
			var paths []string
			a.Leaves(func(l Leaf) bool { paths = append(paths, l.Path); return true })
			if len(paths) == 0 {
				return
			}
			path := rapid.SampledFrom(paths).Draw(t, "path")
			if strings.Contains(path, Hidden) || strings.Contains(path, "''") {
				return // cannot be pasted
			}
			part, err := a.Select(path)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			found := false
			part.Leaves(func(l Leaf) bool {
				if l.Path == path {
					found = true
				} else if l.Schema.keyIndex == 0 {
					t.Fatalf("%s also selects %s", path, l.Path)
				}
				return true
			})
			if !found {
				t.Fatalf("%s is not in %s", path, part.JSON(""))
			}
			again, err := part.Select(path)
			if err != nil || !bytes.Equal(again.JSON(""), part.JSON("")) {
				t.Fatalf("selecting twice: %v", err)
			}
			whole, err := a.Select("/")
			if err != nil || !bytes.Equal(whole.JSON(""), a.JSON("")) {
				t.Fatalf("everything: %v", err)
			}
		})
	}
}

// TestForeignPatch: patches that Diff does not make, and those that do not fit.
func TestForeignPatch(t *testing.T) {
	set := lawSets(t)[0]
	const before = `{"laws:top":{"words":["a","b","c"],"steps":[{"n":"a"},{"n":"b","v":1}],"two":2,"v":2,"p":{"v":1}}}`
	patch := func(edits string) string {
		return `{"ietf-yang-patch:yang-patch":{"patch-id":"x","edit":[` + edits + `]}}`
	}
	edit := func(op, target, more string) string {
		return patch(`{"edit-id":"1","operation":"` + op + `","target":"` + target + `"` + more + `}`)
	}
	value := func(v string) string { return `,"value":` + v }
	for _, tt := range []struct{ name, patch, want, tag string }{
		{"merge", edit("merge", "/laws:top", value(`{"laws:top":{"v":3,"words":["d"],"steps":[{"n":"b","v":2}]}}`)), `{"laws:top":{"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":2}],"two":2,"v":3,"words":["a","b","c","d"]}}`, ""},
		{"case", edit("create", "/laws:top/x", value(`{"laws:x":1}`)), `{"laws:top":{"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":1}],"two":2,"v":2,"words":["a","b","c"],"x":1}}`, ""},
		{"other case", edit("create", "/laws:top/one", value(`{"laws:one":2}`)), `{"laws:top":{"one":2,"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":1}],"v":2,"words":["a","b","c"]}}`, ""},
		{"remove what is not there", edit("remove", "/laws:top/d", ""), before, ""},
		{"delete an explicit default", edit("delete", "/laws:top/v", ""), `{"laws:top":{"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":1}],"two":2,"words":["a","b","c"]}}`, ""},
		{"create over a default", edit("create", "/laws:top/v", value(`{"laws:v":3}`)), `{"laws:top":{"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":1}],"two":2,"v":3,"words":["a","b","c"]}}`, ""},
		{"replace creates", edit("replace", "/laws:top/np/deep/v", value(`{"laws:v":2}`)), `{"laws:top":{"np":{"deep":{"v":2}},"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":1}],"two":2,"v":2,"words":["a","b","c"]}}`, ""},
		{"insert before", edit("insert", "/laws:top/words=e%2F%2C%3D%25", value(`{"laws:words":["e/,=%"]}`)+`,"where":"before","point":"/laws:top/words=b"`), `{"laws:top":{"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":1}],"two":2,"v":2,"words":["a","e/,=%","b","c"]}}`, ""},
		{"move last", edit("move", "/laws:top/steps=a", ""), `{"laws:top":{"p":{"v":1},"steps":[{"n":"b","v":1},{"n":"a"}],"two":2,"v":2,"words":["a","b","c"]}}`, ""},
		{"move first", edit("move", "/laws:top/words=c", `,"where":"first"`), `{"laws:top":{"p":{"v":1},"steps":[{"n":"a"},{"n":"b","v":1}],"two":2,"v":2,"words":["c","a","b"]}}`, ""},
		{"replace everything", edit("replace", "/", value(`{"laws:top":{"v":1}}`)), `{"laws:top":{"v":1}}`, ""},
		{"nothing", patch(""), before, ""},
		{"create what is there", edit("create", "/laws:top/p", value(`{"laws:p":{}}`)), "", "data-exists"},
		{"delete what is not there", edit("delete", "/laws:top/d", ""), "", "data-missing"},
		{"below what is not there", edit("create", "/laws:top/steps=c/v", value(`{"laws:v":1}`)), "", "data-missing"},
		{"point that is not there", edit("move", "/laws:top/words=a", `,"where":"after","point":"/laws:top/words=d"`), "", "data-missing"},
		{"point elsewhere", edit("move", "/laws:top/words=a", `,"where":"after","point":"/laws:top/steps=a"`), "", "invalid-value"},
		{"relative to itself", edit("move", "/laws:top/words=a", `,"where":"after","point":"/laws:top/words=a"`), "", "invalid-value"},
		{"move a leaf", edit("move", "/laws:top/v", ""), "", "invalid-value"},
		{"delete everything", edit("delete", "/", ""), "", "invalid-value"},
		{"the second", patch(`{"edit-id":"1","operation":"delete","target":"/laws:top/p"},{"edit-id":"2","operation":"delete","target":"/laws:top/p"}`), "", "data-missing"},
	} {
		a, err := set.ParseJSON([]byte(before))
		if err != nil {
			t.Fatal(err)
		}
		p, err := set.ReadPatch([]byte(tt.patch), ParseOptions{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, err := a.Patch(p)
		if tt.tag == "" {
			want, werr := set.ParseJSON([]byte(tt.want))
			if err != nil || werr != nil || !bytes.Equal(got.JSON(""), want.JSON("")) {
				t.Errorf("%s: %v %v\n%s\nwant\n%s", tt.name, err, werr, got.JSON(""), tt.want)
			}
			continue
		}
		var failed *PatchError
		if !errors.As(err, &failed) || failed.Tag != tt.tag || failed.PatchID != "x" {
			t.Errorf("%s: got %v", tt.name, err)
			continue
		}
		if status := string(PatchStatus("x", err)); !strings.Contains(status, `"error-tag": "`+tt.tag+`"`) || !strings.Contains(status, `"edit-id": "`+failed.EditID+`"`) {
			t.Errorf("%s: %s", tt.name, status)
		}
		if status := string(PatchStatus("x", err)); tt.name == "below what is not there" && !strings.Contains(status, `"error-path": "/laws:top/steps[n='c']/v"`) {
			t.Errorf("the path is no instance-identifier: %s", status)
		}
		if a.JSON(""); len(Diff(a, mustParse(t, set, before))) > 0 {
			t.Errorf("%s: the data was changed", tt.name)
		}
	}
	for _, bad := range []string{
		edit("replace", "/laws:top/steps=a/n", value(`{"laws:n":"b"}`)), edit("delete", "/laws:top/steps=a/n", ""),
		``, `{}`, `{"x:y":{}}`, `{"ietf-yang-patch:yang-patch":{}}`, patch(`{}`), patch(`{"edit-id":"1","operation":"delete"}`), edit("explode", "/laws:top", ""),
		edit("delete", "laws:top", ""), edit("delete", "/top", ""), edit("delete", "/laws:none", ""), edit("delete", "/laws:top/steps", ""), edit("delete", "/laws:top/steps=a,b", ""),
		edit("delete", "/laws:top/steps=%zz", ""), edit("delete", "/laws:top/v=1", ""), edit("delete", "/laws:top/steps=zz", ""), edit("create", "/laws:top/v", ""),
		edit("delete", "/laws:top/v", value(`{}`)), edit("create", "/laws:top/v", value(`{"laws:v":9}`)), edit("create", "/laws:top/v", value(`{"laws:d":"1.0"}`)),
		edit("create", "/laws:top/v", value(`{}`)), edit("create", "/laws:top/steps=a", value(`{"laws:steps":[{"n":"b"}]}`)), edit("create", "/laws:top/v", value(`5`)),
		edit("move", "/laws:top/words=a", `,"where":"after"`), edit("move", "/laws:top/words=a", `,"where":"beside"`), edit("move", "/laws:top/words=a", `,"point":"/laws:top/words=b"`),
		edit("delete", "/laws:top/v", `,"where":"first"`), edit("delete", "/laws:top/v", `,"more":1`), patch(`{"edit-id":"1","operation":"delete","target":"/laws:top/v"},{"edit-id":"1","operation":"delete","target":"/laws:top/e"}`),
	} {
		_, err := set.ReadPatch([]byte(bad), ParseOptions{})
		var fault *PathError
		if !errors.As(err, &fault) || fault.Line == 0 {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func mustParse(t *testing.T, set *Set, text string) *Tree {
	t.Helper()
	tree, err := set.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
