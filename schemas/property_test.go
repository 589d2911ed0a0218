package schemas

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// generated draws a tree of the common modules; values that no type accepts
// are drawn again.
func generated(t *rapid.T, set *Set, label string) *Tree {
	for range 20 {
		g := newGenerator(set, rapid.Uint64().Draw(t, label))
		data, err := json.Marshal(g.tree())
		if err != nil {
			t.Fatal(err)
		}
		if tree, err := set.ParseJSON(data); err == nil {
			return tree
		}
	}
	t.Fatal("no tree in 20 tries")
	return nil
}

func TestCanonicalAndDiff(t *testing.T) {
	set, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := generated(t, set, "a"), generated(t, set, "b")
		bytesA, bytesB := a.Canonical(), b.Canonical()
		again, err := set.ParseJSON(bytesA)
		if err != nil {
			t.Fatalf("canonical is not read: %v", err)
		}
		if !bytes.Equal(again.Canonical(), bytesA) {
			t.Fatal("canonical is not idempotent")
		}
		pretty, err := set.ParseJSON(a.JSON("  "))
		if err != nil || !bytes.Equal(pretty.Canonical(), bytesA) {
			t.Fatalf("JSON loses something: %v", err)
		}
		if d := Diff(a, again); len(d) != 0 {
			t.Fatalf("a tree differs from itself: %v", d)
		}
		edits := Diff(a, b)
		if (len(edits) == 0) != bytes.Equal(bytesA, bytesB) {
			t.Fatalf("%d edits, bytes equal: %t", len(edits), bytes.Equal(bytesA, bytesB))
		}
		got, err := a.Apply(edits)
		if err != nil {
			t.Fatalf("apply: %v", err)
		}
		if !bytes.Equal(got.Canonical(), bytesB) {
			t.Fatalf("diff then apply gives\n%s\nwant\n%s", got.Canonical(), bytesB)
		}
		if len(edits) > 0 {
			if _, err := got.Apply(edits); err == nil && len(Diff(a, b)) > 0 && hasCreateOrDelete(edits) {
				t.Fatal("edits apply twice")
			}
		}
	})
}

func hasCreateOrDelete(edits []Edit) bool {
	for _, e := range edits {
		if e.Op == OpCreate || e.Op == OpInsert || e.Op == OpDelete {
			return true
		}
	}
	return false
}

// TestSecretsStayHidden: what a secret node holds is in no diff, redacted tree
// or error.
func TestSecretsStayHidden(t *testing.T) {
	const canary = "c4n4ry"
	set, err := Common()
	if err != nil {
		t.Fatal(err)
	}
	read := func(s string) *Tree {
		tree, err := set.ParseJSON([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	a := read(`{"cfgvault-system:system":{"snmp":{"community":[{"name":"c4n4ry","access":"ro"},{"name":"c4n4ry2"}]},"users":{"user":[{"name":"u","password":{"value":"c4n4ry"}}]}},
		"cfgvault-bgp:bgp":{"instance":[{"vrf":"default","as":1,"neighbor":[{"address":"10.0.0.1","password":{"value":"c4n4ry"}}]}]}}`)
	b := read(`{"cfgvault-system:system":{"snmp":{"community":[{"name":"c4n4ry3","access":"rw"}]},"users":{"user":[{"name":"u","password":{"value":"c4n4ry5"}}]}}}`)
	var shown strings.Builder
	for _, e := range append(Diff(a, b), Diff(b, a)...) {
		shown.WriteString(e.String() + "\n" + e.Path + e.After + "\n")
	}
	if err := WriteDiff(&shown, Diff(a, b)); err != nil {
		t.Fatal(err)
	}
	shown.Write(a.Redact().JSON("  "))
	shown.Write(a.Redact().Canonical())
	for _, bad := range []string{
		`{"cfgvault-system:system":{"snmp":{"community":[{"name":"c4n4ry","access":"xx"}]}}}`,
		`{"cfgvault-system:system":{"snmp":{"community":[{"name":"c4n4ry"},{"name":"c4n4ry"}]}}}`,
		`{"cfgvault-system:system":{"users":{"user":[{"name":"u","password":{"value":"c4n4ry\u0001"}}]}}}`,
		`{"cfgvault-system:system":{"snmp":{"community":[{"name":"c4n4ry` + strings.Repeat("x", 300) + `"}]}}}`,
	} {
		tree, err := set.ParseJSON([]byte(bad))
		if err == nil {
			err = set.Validate(tree)
		}
		if err == nil {
			t.Errorf("%.80s: accepted", bad)
			continue
		}
		shown.WriteString(err.Error())
	}
	if strings.Contains(shown.String(), canary) {
		t.Errorf("a secret is shown:\n%s", shown.String())
	}
	if strings.Count(shown.String(), Hidden) < 10 {
		t.Errorf("too little was shown to prove anything:\n%s", shown.String())
	}
}

// TestNumbers compares our integers and decimals with math/big.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(1, 18).Draw(t, "digits")
		s := rapid.StringMatching(`[+-]?[0-9]{1,20}(\.[0-9]{1,20})?`).Draw(t, "s")
		n, ok := parseDecimal(s, digits)
		want, good := new(big.Rat).SetString(s)
		if !good {
			t.Fatal("big cannot read it")
		}
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
		want.Mul(want, new(big.Rat).SetInt(scale))
		fits := want.IsInt() && want.Num().IsInt64()
		if ok != fits {
			t.Fatalf("%s with %d digits: %t, want %t", s, digits, ok, fits)
		}
		if !ok {
			return
		}
		again, ok := parseDecimal(n.text(digits), digits)
		if !ok || again != n {
			t.Fatalf("%s is written %s and read as another number", s, n.text(digits))
		}
	})
}

// TestLongestCommon: what is told to stay is in the same order in both.
func TestLongestCommon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-h]`), 0, 8, rapid.ID[string]).Draw(t, "from")
		to := rapid.Permutation(from).Draw(t, "to")
		stay := longestCommon(from, to)
		keep := func(s []string) string {
			var b strings.Builder
			for _, x := range s {
				if stay[x] {
					b.WriteString(x)
				}
			}
			return b.String()
		}
		if keep(from) != keep(to) || len(from) > 0 && len(stay) == 0 {
			t.Fatalf("%v → %v: %v", from, to, stay)
		}
	})
}
