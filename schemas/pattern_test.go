package schemas

import "testing"

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
	for _, bad := range []string{`[`, `[]`, `(`, `)`, `a)`, `*`, `a**`, `a+?`, `(?:a)`, `a{2,1}`, `a{x}`, `a{`, `\`, `\q`, `\p{Xx}`, `\p{IsNowhere}`, `[z-a]`, `[a-z-[b]c]`, `[\d-z]x[`} {
		if p, err := newPattern(bad); err == nil {
			t.Errorf("%s is accepted as %s", bad, p.re)
		}
	}
}
