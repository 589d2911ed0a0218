package xpath

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// element is a small tree to evaluate on: every name is in module "m" unless
// it has another before a colon.
type element struct {
	name   Name
	value  string
	parent *element
	kids   []*element
	order  int
}

// build makes a tree from lines "path=value", each with its own last node.
func build(text string) *forest {
	f := &forest{root: &element{}}
	for line := range strings.FieldsSeq(text) {
		path, value, _ := strings.Cut(line, "=")
		at := f.root
		steps := strings.Split(path, "/")
		for i, s := range steps {
			n := Name{"m", s}
			if m, l, ok := strings.Cut(s, ":"); ok {
				n = Name{m, l}
			}
			var next *element
			if i < len(steps)-1 && len(at.kids) > 0 && at.kids[len(at.kids)-1].name == n {
				next = at.kids[len(at.kids)-1]
			} else {
				f.n++
				next = &element{name: n, parent: at, order: f.n}
				at.kids = append(at.kids, next)
			}
			at = next
		}
		at.value = value
	}
	return f
}

type forest struct {
	root  *element
	n     int
	found int  // answers of Find
	blind bool // Find has no index
}

func (f *forest) Root() *element             { return f.root }
func (f *forest) Parent(n *element) *element { return n.parent }
func (f *forest) Name(n *element) Name       { return n.name }
func (f *forest) Namespace(m string) string  { return "urn:" + m }
func (f *forest) Order(n *element) int       { return n.order }
func (f *forest) Value(n *element) (string, bool) {
	return n.value, len(n.kids) == 0
}
func (f *forest) Children(n *element, want Name) []*element {
	var out []*element
	for _, k := range n.kids {
		if (want.Module == "" || want.Module == k.name.Module) && (want.Local == "" || want.Local == k.name.Local) {
			out = append(out, k)
		}
	}
	return out
}
func (f *forest) Find(n *element, child, leaf Name, value string) ([]*element, bool) {
	if f.blind {
		return nil, false
	}
	f.found++
	var out []*element
	for _, k := range f.Children(n, child) {
		for _, l := range f.Children(k, leaf) {
			if l.value == value {
				out = append(out, k)
			}
		}
	}
	return out, true
}
func (f *forest) Canonical(_ *element, s string, _ Names) string { return s }
func (f *forest) Deref(n *element) []*element                    { return f.Children(f.root, Name{"m", n.value}) }
func (f *forest) DerivedFrom(n *element, id string, self bool, _ Names) bool {
	return self && n.value == id
}
func (f *forest) EnumValue(n *element) (int64, bool)   { return 7, n.value == "seven" }
func (f *forest) BitIsSet(n *element, bit string) bool { return strings.Contains(n.value, bit) }
func (f *forest) Match(s, p string) (bool, error)      { return s == p, nil }

func names() Names {
	return Names{Default: "m", Prefix: func(p string) (string, bool) { return p, p == "m" || p == "x" }}
}

func sampleTree() *forest {
	f := build("top/n=12 top/neg=-3 top/text=abcabc top/empty= top/seven=seven top/ref=other top/dup=a top/dup=b top/x:dup=c")
	top := f.root.kids[0]
	for _, kv := range [][2]string{{"a", "1"}, {"b", "2"}, {"c", "3"}} {
		f.n++
		l := &element{name: Name{"m", "l"}, parent: top, order: f.n}
		top.kids = append(top.kids, l)
		for i, n := range []string{"k", "v"} {
			f.n++
			l.kids = append(l.kids, &element{name: Name{"m", n}, parent: l, value: kv[i], order: f.n})
		}
	}
	f.n++
	f.root.kids = append(f.root.kids, &element{name: Name{"m", "other"}, parent: f.root, order: f.n, value: "o"})
	return f
}

// TestEval evaluates expressions with /top as context node. Results are those
// that the XPath 1.0 recommendation gives.
func TestEval(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"7 mod 3", "1"}, {"-7 mod 3", "-1"}, {"1 div 0", "Infinity"}, {"-1 div 0", "-Infinity"}, {"0 div 0", "NaN"},
		{"- - 3", "3"}, {"2 - -3", "5"}, {"1 - 2 - 3", "-4"}, {"1 < 2", "true"}, {"1 < 2 < 1", "false"}, {"3 > 2 > 0", "true"}, {"1 = 1 = true()", "true"},
		{"'a' = \"a\"", "true"}, {"'a' != 'b'", "true"}, {"true() or 1 div 0", "true"}, {"false() and 1", "false"}, {".5", "0.5"}, {"5.", "5"},
		{"n", "12"}, {"n + 1", "13"}, {"m:n", "12"}, {"nothing", ""}, {"not(nothing)", "true"}, {"boolean(nothing)", "false"}, {"count(nothing)", "0"},
		{"n = 12", "true"}, {"n = '12'", "true"}, {"n = '12.0'", "false"}, {"n = 12.0", "true"}, {"neg < 0", "true"}, {"text > 0", "false"}, {"string(text + 1)", "NaN"},
		{"dup", "a"}, {"count(dup)", "2"}, {"count(x:dup)", "1"}, {"count(*)", "12"}, {"count(x:*)", "1"}, {"dup = 'b'", "true"}, {"dup != 'b'", "true"}, {"not(dup = 'z')", "true"}, {"dup = x:dup", "false"},
		{"dup | x:dup", "a"}, {"count(dup | x:dup | dup)", "3"}, {"string(x:dup | dup)", "a"},
		{"l[k = 'b']/v", "2"}, {"l['b' = k]/v", "2"}, {"l[2]/v", "2"}, {"l[last()]/v", "3"}, {"l[position() > 1]/v", "2"}, {"l[v > 1][1]/k", "b"}, {"l[v > 1][k = 'c']/v", "3"}, {"l[k = 'z']/v", ""},
		{"count(l[v])", "3"}, {"l[k = current()/dup]/v", "1"}, {"count(l[k = current()/dup])", "2"}, {"l[k = 'a' or k = 'b'][2]/v", "2"}, {"/top/l[k = 'c']/v", "3"}, {"l[k='a'][v='2']/v", ""},
		{"../other", "o"}, {"/other", "o"}, {"//v", "1"}, {"count(//v)", "3"}, {"count(.//k)", "3"}, {"./n", "12"}, {"self::node()/n", "12"}, {"self::m:top/n", "12"}, {"self::other/n", ""},
		{"count(descendant::*)", "18"}, {"count(descendant-or-self::node())", "19"}, {"l/v/ancestor::l/k", "a"}, {"count(l/v/ancestor-or-self::*)", "7"}, {"l[2]/preceding-sibling::l/k", "a"}, {"l[2]/following-sibling::l/k", "c"},
		{"l[3]/preceding-sibling::l[1]/k", "b"}, {"count(l[2]/k/following::*)", "5"}, {"count(/other/preceding::*)", "19"}, {"count(@a)", "0"}, {"count(n/text())", "1"}, {"count(comment())", "0"}, {"(l/v)[2]", "2"}, {"(l)[2]/v", "2"},
		{"sum(l/v)", "6"}, {"floor(-1.5)", "-2"}, {"ceiling(1.2)", "2"}, {"round(2.5)", "3"}, {"round(-2.5)", "-2"}, {"number(' 12 ')", "12"}, {"number('1e3')", "NaN"}, {"number('+1')", "NaN"}, {"number('')", "NaN"}, {"number(true())", "1"},
		{"string(1 div 3 > 0)", "true"}, {"string(100000000000000000000)", "100000000000000000000"}, {"string(0.1)", "0.1"}, {"concat('a', n, 'b')", "a12b"}, {"starts-with(text, 'abc')", "true"}, {"contains(text, 'ca')", "true"},
		{"substring-before('1999/04', '/')", "1999"}, {"substring-after('1999/04', '/')", "04"}, {"substring-before('a', 'z')", ""}, {"substring('12345', 2, 3)", "234"}, {"substring('12345', 2)", "2345"}, {"substring('12345', 1.5, 2.6)", "234"},
		{"substring('12345', 0 div 0, 3)", ""}, {"substring('12345', -42, 1 div 0)", "12345"}, {"substring('äöü', 2, 1)", "ö"}, {"string-length('äö')", "2"}, {"normalize-space('  a  b ')", "a b"}, {"translate('bar','abc','AB')", "BAr"}, {"translate('--a--','-','')", "a"},
		{"local-name(l)", "l"}, {"name(l)", "m:l"}, {"namespace-uri(x:dup)", "urn:x"}, {"local-name(/)", ""}, {"re-match(text, 'abcabc')", "true"}, {"deref(ref)", "o"}, {"deref(ref)/../other", "o"}, {"enum-value(seven)", "7"}, {"enum-value(text)", "NaN"},
		{"bit-is-set(text, 'bc')", "true"}, {"derived-from-or-self(text, 'abcabc')", "true"}, {"derived-from(text, 'abcabc')", "false"}, {"current()/n", "12"}, {"l[v = 2]/k", "b"}, {"div", ""}, {"n div 2", "6"}, {"n*2", "24"}, {"* = 12", "true"}, {"-n", "-12"}, {"lang('en')", "false"},
	}
	f := sampleTree()
	for _, tt := range tests {
		e, err := Compile(tt.expr, names())
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		v := NewEvaluator[*element](f)
		got, err := v.Eval(e, f.root.kids[0])
		if err != nil {
			t.Errorf("%s: %v", tt.expr, err)
		}
		if s := v.text(got); s != tt.want {
			t.Errorf("%s = %q, want %q", tt.expr, s, tt.want)
		}
	}
	if f.found == 0 {
		t.Error("no expression was answered by the index")
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, bad := range []string{"", "a b", "a =", "(a", "a)", "a[", "a]", "f()", "count()", "count(a, b)", "y:a", "$v", "'a", "a//", "/..//", "a::b", "!a", "a:", "1 +", "a/[b]", "a/1", "concat('a')", "a[]", "@", "::a",
		strings.Repeat("a[", 1000), strings.Repeat("1+", 1000) + "1", strings.Repeat("a/", 1000) + "a", strings.Repeat(" ", 100_000)} {
		if _, err := Compile(bad, names()); err == nil {
			t.Errorf("%.40q is accepted", bad)
		}
	}
}

// TestType: what must be a node set is not converted to one (XPath §4.1).
func TestType(t *testing.T) {
	f := sampleTree()
	for _, expr := range []string{"count(1)", "sum('x')", "1 | 2", "n | 'x'", "deref('x')", "derived-from('x', 'm:y')", "enum-value(1)", "bit-is-set('a', 'b')", "local-name('x')", "string(1)/a", "('x')[1]", "name(true())", "not(count('x'))"} {
		e, err := Compile(expr, names())
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if _, err := NewEvaluator[*element](f).Eval(e, f.root.kids[0]); !errors.Is(err, ErrType) {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

// TestReach lists the nodes that an expression may look at.
func TestReach(t *testing.T) {
	f := sampleTree()
	for expr, want := range map[string]string{
		"n": "n", "../other": "other", ".": "", "..": "", "l[k = current()/../other]/v": "l l l k k k other v v v", "//k": "k k k", "l/v | n": "l l l v v v n", "count(l) > 1": "l l l",
		"deref(ref)": "ref other", "deref(ref)/..": "ref other", "following-sibling::*": "other", "ancestor::*": "", "self::m:top/n": "n", "descendant::v": "v v v", "not(x:dup)": "dup", "-n": "n", "(l)[v = 1]": "l l l v v v",
	} {
		e, err := Compile(expr, names())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		Reach(e, f, f.root.kids[0], func(n *element) { got = append(got, n.name.Local) })
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s reaches %q, want %q", expr, s, want)
		}
	}
}

// TestBudget: an expression cannot run for ever.
func TestBudget(t *testing.T) {
	f := &forest{root: &element{}}
	for i := range 3000 {
		f.root.kids = append(f.root.kids, &element{name: Name{"m", "a"}, parent: f.root, order: i + 1, value: "x"})
	}
	e, err := Compile("//a[//a[//a = 'y'] = 'y']", names())
	if err != nil {
		t.Fatal(err)
	}
	v := NewEvaluator[*element](f)
	v.total = 1_000_000 // else this takes seconds
	if _, err := v.Eval(e, f.root); !errors.Is(err, ErrTooMuch) {
		t.Errorf("27 thousand million steps were taken: %v", err)
	}
}

// FuzzCompile: any expression is refused or gives the same each time, with the
// index and without.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"../a[b = current()/../c]/d = 'x'", "count(//a) > 1 or not(.)", "-1.5 * (a | b)[last()]", "concat('a', \"b\")", "x:*/ancestor::node()",
		"l[k = 'b'][v = 2]/v", "/top/l[current()/dup = k]/v", "l[k = /top/dup]", "sum(l[k = 'a' or k = 'b']/v) mod 2", "deref(ref)/../other", "l[k = current()/l[v = '2']/k]"} {
		f.Add(s)
	}
	tree, blind := sampleTree(), sampleTree()
	blind.blind = true
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Compile(s, names())
		if err != nil {
			return
		}
		Reach(e, tree, tree.root.kids[0], func(*element) {})
		eval := func(on *forest) (string, float64, int, error) {
			v := NewEvaluator[*element](on)
			v.total = 200_000
			got, err := v.Eval(e, on.root.kids[0])
			if err != nil {
				return "", 0, 0, err
			}
			return v.text(got), v.number(got), len(got.Nodes()), nil
		}
		text, num, n, err := eval(tree)
		text2, num2, n2, err2 := eval(blind)
		if errors.Is(err, ErrTooMuch) || errors.Is(err2, ErrTooMuch) {
			return
		}
		if (err == nil) != (err2 == nil) || text != text2 || n != n2 || num != num2 && !(math.IsNaN(num) && math.IsNaN(num2)) {
			t.Errorf("%q gives %q (%v) and without an index %q (%v)", s, text, err, text2, err2)
		}
	})
}

// FuzzRewrite: an expression with other prefixes is one, and back it is itself.
func FuzzRewrite(f *testing.F) {
	for _, s := range []string{`/a:c/b:d[a:e = "b:x"]`, `derived-from(., 'a:i') or child::b:*`, `a:or or a:div div 2`, `-- a:b | (b:c)[1]//node()`, `string('derived-from(a:b)')`, `a:b-a:c`, `a : b`, `'a:b`} {
		f.Add(s)
	}
	swap := func(p string) (string, bool) {
		switch p {
		case "a":
			return "bb", true
		case "bb":
			return "a", true
		}
		return p, p == "b"
	}
	f.Fuzz(func(t *testing.T, text string) {
		there, err := Rewrite(text, swap)
		if _, cerr := Compile(text, Names{Prefix: swap}); cerr != nil && err == nil {
			t.Fatalf("%q is no expression: %v", text, cerr)
		}
		if err != nil {
			return
		}
		if back, err := Rewrite(there, swap); err != nil || back != text {
			t.Fatalf("%q became %q and %q: %v", text, there, back, err)
		}
	})
}
