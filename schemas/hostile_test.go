package schemas_test

import (
	"fmt"
	"strings"
	"testing"
)

// many writes a line for each number below n.
func many(n int, format string, args func(i int) []any) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, args(i)...)
	}
	return b.String()
}

func chain(i int) []any { return []any{i, i + 1} }

// TestHostileChains: definitions that build on each other endlessly, or
// multiply, are refused before they exhaust the process.
func TestHostileChains(t *testing.T) {
	const n = 10_000
	layers := func(format string, wide, deep int) string {
		var b strings.Builder
		for d := range deep {
			for w := range wide {
				fmt.Fprintf(&b, "identity i%d-%d {", d, w)
				for k := range wide {
					if d > 0 {
						fmt.Fprintf(&b, format, d-1, k)
					}
				}
				b.WriteString("}\n")
			}
		}
		return b.String()
	}
	tests := []struct{ name, body, want string }{
		{"typedefs", many(n, "typedef t%d { type t%d; }\n", chain) + fmt.Sprintf("typedef t%d { type string; }", n), "more than"},
		{"identities", many(n, "identity i%d { base i%d; }\n", chain) + fmt.Sprintf("identity i%d;", n), "more than"},
		{"identities that multiply", layers(" base i%d-%d;", 40, 60), "more than"},
		{"features", many(n, "feature f%d { if-feature f%d; }\n", chain) + fmt.Sprintf("feature f%d;", n), "more than"},
		{"groupings", many(n, "grouping g%d { uses g%d; }\n", chain) + fmt.Sprintf("grouping g%d;", n), "more than"},
		{"leafrefs", many(n, "leaf l%d { type leafref { path \"../l%d\"; } }\n", chain) + fmt.Sprintf("leaf l%d { type string; }", n), "more than"},
		{"whens", many(n, "leaf l%d { type string; when \"../l%d\"; }\n", chain) + fmt.Sprintf("leaf l%d { type string; }", n), "more than"},
		{"unions that double", "typedef t0 { type string { pattern a; } }\n" + many(40, "typedef t%[2]d { type union { type t%[1]d; type t%[1]d; } }\n", chain) + "leaf a { type t40; }", "more than"},
		{"unions that double by nesting", "leaf a { type union { " + strings.Repeat("type union { type string; type string; ", 80) + strings.Repeat("}", 80) + " } }", "more than"},
		{"a key of many leafs that are not there", "list l { key \"" + many(n, "k%d ", func(i int) []any { return []any{i} }) + "x\"; leaf x { type string; } }", "is not a leaf"},
		{"containers through groupings", "grouping g0 { leaf a { type string; } }\n" + many(60, "grouping g%[2]d { container c { uses g%[1]d; } container d { uses g%[1]d; } }\n", chain) + "uses g60;", "more than"},
		{"a range of many parts out of order", "leaf a { type uint32 { range \"" + many(n, "%d | ", func(i int) []any { return []any{2 * i} }) + "1\"; } }", "not above"},
		{"an if-feature of many operands", "feature f; leaf a { if-feature \"" + strings.Repeat("f and ", 2*n) + "f\"; type string; }", "longer than"},
		{"a path of many steps", "leaf a { type leafref { path \"" + strings.Repeat("/a", n) + "\"; } }", "too many steps"},
		{"a pattern that is large", "leaf a { type string { pattern '" + strings.Repeat("(a{1,1000}b){1,100}", 100) + "'; } }", "too large"},
		{"a string without an end", "leaf a { description \"" + strings.Repeat("x", 1<<20), "closing"},
		{"a module of 9 MiB", "description '" + strings.Repeat("x", 9<<20) + "';", "larger than"},
		{"NULs", "leaf a { description '" + strings.Repeat("\x00", 1<<16) + "'; }", "U+0000"},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			if _, err := load(map[string]string{"m.yang": wrap(tt.body)}, "m"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.300v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestManyNodes: what is only large is compiled, in time that grows with its
// size and not with the square of it.
func TestManyNodes(t *testing.T) {
	const n = 10_000
	for name, body := range map[string]string{
		"leafs":    many(n, "leaf l%d { type string; }\n", func(i int) []any { return []any{i} }),
		"augments": "container c;" + many(n, "augment /c { leaf l%d { type string; } }\n", func(i int) []any { return []any{i} }),
		"refines":  "grouping g { " + many(n, "leaf l%d { type string; }\n", func(i int) []any { return []any{i} }) + "} uses g { " + many(n, "refine l%d { default x; }\n", func(i int) []any { return []any{i} }) + "}",
		"enums":    "typedef t { type enumeration { " + many(n, "enum e%d;\n", func(i int) []any { return []any{i} }) + "} } leaf a { type t { " + many(n, "enum e%d;\n", func(i int) []any { return []any{i} }) + "} }",
		"cases":    "choice c { " + many(n, "leaf l%d { type string; }\n", func(i int) []any { return []any{i} }) + "}",
		"typedefs": many(n, "typedef t%d { type string; } leaf l%[1]d { type t%[1]d; }\n", func(i int) []any { return []any{i} }),
		"deviated": many(n, "leaf l%d { type string; }\n", func(i int) []any { return []any{i} }) + many(n, "deviation /l%d { deviate not-supported; }\n", func(i int) []any { return []any{i} }),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(map[string]string{"m.yang": wrap(body)}, "m"); err != nil {
				t.Errorf("%.300v", err)
			}
		})
	}
}
