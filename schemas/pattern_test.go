package schemas

import (
	"strings"
	"testing"
)

// TestPattern: XML Schema's meaning, not RE2's.
func TestPattern(t *testing.T) {
	tests := []struct {
		xsd     string
		yes, no []string
	}{
		{`ab`, []string{"ab"}, []string{"xab", "abx", "ab\n", ""}},
		{`a|b`, []string{"a", "b"}, []string{"ab"}},
		{`^a$`, []string{"^a$"}, []string{"a"}},
		{`a.b`, []string{"axb", "aäb"}, []string{"a\nb", "a\rb"}},
		{`\d+`, []string{"12", "١٢"}, []string{"1a"}},
		{`\w+`, []string{"aä1+"}, []string{"a b", "a-b", "a.b"}},
		{`\W`, []string{" ", "-", "\u0378"}, []string{"a", "1", "$"}},
		{`[\W]`, []string{" ", "-", "\u0378"}, []string{"a"}},
		{`\s*`, []string{" \t\n\r"}, []string{"\v", "\u00a0"}},
		{`[\S]`, []string{"a", "\u00a0"}, []string{" "}},
		{`\i\c*`, []string{"_a-1.b", "ä"}, []string{"-a", "1", "a b"}},
		{`[\i-[:]][\c-[:]]*`, []string{"a1"}, []string{"a:b", ":a"}},
		{`[a-z-[aeiou]]+`, []string{"xyz"}, []string{"xaz"}},
		{`[^a-c-[x]]`, []string{"d"}, []string{"a", "x"}},
		{`[a-]`, []string{"a", "-"}, []string{"b"}},
		{`[-a]`, []string{"a", "-"}, []string{"b"}},
		{`[\-\]\[\\]`, []string{"-", "]", "[", `\`}, []string{"a"}},
		{`\p{Lu}\P{Lu}`, []string{"Aa", "A1"}, []string{"aA"}},
		{`\p{IsBasicLatin}+`, []string{"abc"}, []string{"ä"}},
		{`[\P{IsBasicLatin}]`, []string{"ä"}, []string{"a"}},
		{`\p{C}`, []string{"\u0378", "\u200b"}, []string{"a"}},
		{`x{0,2500}`, []string{"", "xxx"}, []string{"y"}},
		{`(a|b){2}`, []string{"ab"}, []string{"a", "abc"}},
		{`a||b`, []string{"", "a", "b"}, []string{"c"}},
		{`(a{100}){100}`, []string{strings.Repeat("a", 10_000)}, []string{strings.Repeat("a", 9_999), strings.Repeat("a", 10_001)}},
		{`((ab?){2,40}c){3,50}`, []string{strings.Repeat("aabc", 3), strings.Repeat(strings.Repeat("a", 40)+"c", 50)}, []string{strings.Repeat("aabc", 2), strings.Repeat(strings.Repeat("a", 41)+"c", 3), strings.Repeat("aac", 51)}},
		{`(a{2,}b){1500,}`, []string{strings.Repeat("aaab", 1500), strings.Repeat("aab", 1700)}, []string{strings.Repeat("aab", 1499), strings.Repeat("ab", 1500)}},
		{`x{0}y{0,0}z`, []string{"z"}, []string{"xz", "yz"}},
		{`\p{IsTamil}\p{IsGothic}`, []string{"\u0b85\U00010330"}, []string{"\u0b85\u0b85"}},
		{`\.\*\?`, []string{".*?"}, []string{"x"}},
	}
	for _, tt := range tests {
		p, err := newPattern(tt.xsd)
		if err != nil {
			t.Errorf("%s: %v", tt.xsd, err)
			continue
		}
		for _, s := range tt.yes {
			if !p.match(s) {
				t.Errorf("%s should match %q (%s)", tt.xsd, s, p.re)
			}
		}
		for _, s := range tt.no {
			if p.match(s) {
				t.Errorf("%s should not match %q (%s)", tt.xsd, s, p.re)
			}
		}
	}
	for _, bad := range []string{`[`, `[]`, `(`, `)`, `a)`, `*`, `a**`, `a+?`, `(?:a)`, `a{2,1}`, `a{x}`, `a{`, `\`, `\q`, `\p{Xx}`, `\p{IsNowhere}`, `[z-a]`, `((a{1,1000}){1,1000}){1,1000}`, `a{1000001}`, `a{99999999999999999999}`, `a{+1}`, `a{-1}`, `a{1,+2}`, `[a-z-[b]c]`, `[\d-z]x[`} {
		if p, err := newPattern(bad); err == nil {
			t.Errorf("%s is accepted as %s", bad, p.re)
		}
	}
}
