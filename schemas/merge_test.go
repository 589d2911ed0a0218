package schemas

import (
	"strings"
	"testing"
)

// TestMerge: what each side's change becomes, and what is a conflict.
func TestMerge(t *testing.T) {
	set := lawSets(t)[0]
	top := func(s string) string { return `{"laws:top":{` + s + `}}` }
	for _, tt := range []struct{ name, base, ours, theirs, want, conflict string }{
		{"different leaves", `"v":1`, `"v":3`, `"v":1,"e":[null]`, `"e":[null],"v":3`, ""},
		{"one deletes", `"v":1,"p":{"v":1}`, `"v":1`, `"v":3,"p":{"v":1}`, `"v":3`, ""},
		{"both change", `"v":1`, `"v":3`, ``, `"v":3`, "/laws:top/v: one deleted it, the other changed it: base 1, ours 3, theirs nothing"},
		{"delete and change", `"p":{"v":1}`, ``, `"p":{"v":2}`, ``, "/laws:top/p: one deleted it, the other changed it"},
		{"both create", ``, `"d":"1.0"`, `"d":"0.5"`, `"d":"1.0"`, "/laws:top/d: both created it"},
		{"the same entry", ``, `"things":[{"n":"a","id":"j"}]`, `"things":[{"n":"a","id":"j","v":2}]`, `"things":[{"id":"laws:j","n":"a","v":2}]`, ""},
		{"cases", ``, `"one":2`, `"x":1`, `"one":2`, `/laws:top: the choice "ch" got two cases: base nothing, ours one, theirs two`},
		{"cases below", `"two":2`, `"two":2,"x":1`, `"two":2,"y":{"v":2}`, `"two":2,"x":1`, `the choice "in" got two cases`},
		{"a case for another", `"one":2`, `"two":2`, `"one":2,"v":1`, `"two":2,"v":1`, ""},
		{"insertions apart", `"words":["a","b"]`, `"words":["c","a","b"]`, `"words":["a","b","d"]`, `"words":["c","a","b","d"]`, ""},
		{"insertions together", `"words":["a","b"]`, `"words":["a","c","b"]`, `"words":["a","d","b"]`, `"words":["a","c","b","d"]`, "both changed the order"},
		{"move and insert", `"words":["a","b","c"]`, `"words":["c","a","b"]`, `"words":["a","b","d","c"]`, `"words":["c","a","b","d"]`, ""},
		{"two moves", `"words":["a","b","c"]`, `"words":["c","a","b"]`, `"words":["b","a","c"]`, `"words":["c","a","b"]`, "both changed the order of the entries: base a, b, c, ours c, a, b, theirs b, a, c"},
		{"the same move", `"words":["a","b","c"]`, `"words":["c","a","b"]`, `"words":["c","a","b"]`, `"words":["c","a","b"]`, ""},
		{"move and delete", `"words":["a","b","c"]`, `"words":["c","a","b"]`, `"words":["a","c"]`, `"words":["c","a"]`, ""},
	} {
		m, conflicts, err := Merge(mustParse(t, set, top(tt.base)), mustParse(t, set, top(tt.ours)), mustParse(t, set, top(tt.theirs)))
		if err != nil {
			t.Fatal(err)
		}
		want := mustParse(t, set, top(tt.want))
		if got := string(m.Canonical()); got != string(want.Canonical()) {
			t.Errorf("%s: got %s, want %s", tt.name, got, want.Canonical())
		}
		switch {
		case tt.conflict == "" && len(conflicts) > 0, tt.conflict != "" && len(conflicts) != 1:
			t.Errorf("%s: conflicts %v", tt.name, conflicts)
		case tt.conflict != "" && !strings.Contains(conflicts[0].String(), tt.conflict):
			t.Errorf("%s: got %s, want %q in it", tt.name, conflicts[0], tt.conflict)
		}
	}
}

// TestMergeHides: a conflict does not show what is secret.
func TestMergeHides(t *testing.T) {
	set, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	user := func(pw string) *Tree {
		return mustParse(t, set, `{"cfgvault-system:system":{"users":{"user":[{"name":"u","password":{"value":"`+pw+`"}}]},"snmp":{"community":[{"name":"`+pw+`"}]}}}`)
	}
	_, conflicts, err := Merge(user("c4n4ry1"), user("c4n4ry2"), user("c4n4ry3"))
	if err != nil || len(conflicts) == 0 {
		t.Fatalf("%v, %v", conflicts, err)
	}
	for _, c := range conflicts {
		if strings.Contains(c.String(), "c4n4ry") || !strings.Contains(c.String(), Hidden) {
			t.Error(c)
		}
	}
	other := lawSets(t)[0]
	if _, _, err := Merge(user("x"), user("x"), mustParse(t, other, `{}`)); err == nil {
		t.Error("trees of different sets are merged")
	}
}

// TestUnionValues: in a union a number and the string that looks like it are two
// values, although XML writes them alike.
func TestUnionValues(t *testing.T) {
	const module = `module u { yang-version 1.1; namespace urn:u; prefix u; leaf a { type union { type int8; type boolean; type empty; type string; } default 5; } }`
	set, err := Load(Options{Search: []Source{Files(map[string][]byte{"u.yang": []byte(module)})}}, "u")
	if err != nil {
		t.Fatal(err)
	}
	values := []string{`{}`, `{"u:a":6}`, `{"u:a":"6"}`, `{"u:a":true}`, `{"u:a":"true"}`, `{"u:a":[null]}`, `{"u:a":""}`, `{"u:a":"5"}`}
	for _, x := range values {
		a := mustParse(t, set, x)
		if got := string(a.Canonical()); got != x {
			t.Errorf("%s: canonical %s", x, got)
		}
		for _, y := range values {
			b := mustParse(t, set, y)
			got, err := a.Apply(Diff(a, b))
			if err != nil || string(got.Canonical()) != y {
				t.Errorf("%s → %s: %v, %s", x, y, err, got.Canonical())
			}
			merged, conflicts, err := Merge(a, a, b)
			if err != nil || len(conflicts) > 0 || string(merged.Canonical()) != y {
				t.Errorf("%s merged into %s: %v, %v, %s", y, x, err, conflicts, merged.Canonical())
			}
		}
	}
	create := Diff(mustParse(t, set, `{}`), mustParse(t, set, `{"u:a":6}`))
	if _, err := mustParse(t, set, `{"u:a":5}`).Apply(create); err != nil {
		t.Errorf("created over its default: %v", err)
	}
	if _, err := mustParse(t, set, `{"u:a":"5"}`).Apply(create); err == nil {
		t.Error("created over a string that looks like its default")
	}
}

// TestPatchOfCases: a case of which only defaults are written out goes when what
// Diff saw of it does, whichever default that was.
func TestPatchOfCases(t *testing.T) {
	set := lawSets(t)[0]
	for _, tt := range [][2]string{
		{`{"laws:top":{"two":1,"x":1}}`, `{}`},
		{`{"laws:top":{"two-b":2}}`, `{}`},
		{`{"laws:top":{"two-b":2}}`, `{"laws:top":{"one":2}}`},
		{`{"laws:top":{"two":1,"two-b":2,"y":{"v":1}}}`, `{"laws:top":{"two-b":1}}`},
		{`{"laws:top":{"y":{"v":1}}}`, `{"laws:top":{"three-c":{}}}`},
	} {
		a, b := mustParse(t, set, tt[0]), mustParse(t, set, tt[1])
		got, err := a.Apply(Diff(a, b))
		if err != nil || string(got.Canonical()) != string(b.Canonical()) {
			t.Errorf("%s → %s: %v, %s", tt[0], tt[1], err, got.Canonical())
		}
	}
}
