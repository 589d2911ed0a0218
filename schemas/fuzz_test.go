package schemas

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzModule: any text is compiled or refused, with a place and a rule, and the
// same way each time; what compiles has a diagram and judges an empty tree.
func FuzzModule(f *testing.F) {
	f.Add("module m { namespace urn:m; prefix m; leaf a { type string; } }")
	f.Add(`module m { yang-version 1.1; namespace urn:m; prefix m; typedef t { type union { type int8 { range "1..3"; } type leafref { path "../a"; } } } leaf a { type string { pattern '[a-z-[aeiou]]+'; } } leaf b { type t; must "../a = 'x' or count(../a) > 2"; } choice c { default d; leaf d { type empty; } } }`)
	f.Add(`module m { yang-version 1.1; namespace urn:m; prefix m; feature f; grouping g { list l { key k; unique v; leaf k { type bits { bit x; } } leaf v { type decimal64 { fraction-digits 2; } default 1.5; } action a { input { leaf i { type binary; } } } } } uses g { if-feature "f or not f"; refine l { min-elements 1; } augment l { leaf w { when "../v"; type identityref { base i; } } } } identity i; identity j { base i; } deviation /l/v { deviate delete { default 1.5; } } augment /l { anydata z; } }`)
	files, err := filepath.Glob("testdata/rfc7950/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no rules: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for l := range strings.Lines(string(text)) {
			word, body, _ := strings.Cut(strings.TrimSpace(l), " ")
			if word == "ok" || word == "bad" || word == "in" {
				body, _, _ = strings.Cut(body, " => ")
				f.Add("module m { yang-version 1.1; namespace urn:m; prefix m; " + body + " }")
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		load := func() (*Set, error) {
			name, _, err := ModuleName([]byte(text), "m.yang")
			if err != nil {
				return nil, err
			}
			return Load(Options{Search: []Source{Files(map[string][]byte{"m.yang": []byte(text)}), Embedded()}}, name)
		}
		set, err := load()
		again, err2 := load()
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("two verdicts: %v and %v", err, err2)
		}
		if err != nil {
			for _, e := range Faults(err) {
				var m *ModuleError
				if errors.As(e, &m) && (m.File == "" || m.Rule == "" || m.Message == "") {
					t.Errorf("an error without a place, rule or text: %v", e)
				}
			}
			return
		}
		if set.Hash() != again.Hash() {
			t.Error("two hashes")
		}
		if err := set.Diagram(&bytes.Buffer{}, DiagramOptions{}); err != nil {
			t.Error(err)
		}
		tree, err := set.ParseJSON([]byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Validate(tree); err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("an error without text")
		}
	})
}

// FuzzJSON: any data is read or refused; what is read has canonical bytes that
// are read as the same, in both encodings' readers nothing panics.
func FuzzJSON(f *testing.F) {
	set, err := Common()
	if err != nil {
		f.Fatal(err)
	}
	for i := range uint64(5) {
		g := newGenerator(set, i)
		var b strings.Builder
		writeShuffled(&b, g.tree(), set.root, g.r)
		f.Add([]byte(b.String()))
	}
	f.Add([]byte(`{"ietf-yang-instance-data:instance-data-set":{"name":"x","content-schema":{"module":["cfgvault-system@2026-11-01"]},"content-data":{"cfgvault-system:system":{"hostname":"r"}}}}`))
	f.Add([]byte(`<system xmlns="urn:cfgvault:yang:cfgvault-system"><hostname>r</hostname><dns><server><address>10.0.0.1</address></server></dns></system>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []ParseOptions{{}, {XML: true}} {
			tree, err := set.Parse(data, o)
			if err != nil {
				continue
			}
			_ = set.Validate(tree)
			canonical := tree.Canonical()
			again, err := set.ParseJSON(canonical)
			if err != nil {
				t.Fatalf("canonical is not read: %v\n%s", err, canonical)
			}
			if !bytes.Equal(again.Canonical(), canonical) || !utf8.Valid(canonical) {
				t.Fatalf("canonical is not idempotent: %s", canonical)
			}
			if d := Diff(tree, again); len(d) > 0 {
				t.Fatalf("differs from its canonical form: %v", d)
			}
			_ = tree.Redact().JSON(" ")
		}
	})
}

// FuzzPattern: any expression is translated or refused; what is translated
// agrees with Go's own reading where both have the same meaning.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{`[a-z]+`, `a|b`, `(ab){2,3}c?`, `\d+`, `\p{L}*`, `[^a-c]`, `[a-z-[aeiou]]`, `\i\c*`, `.{0,2000}`, `^$`, `[\w-]`, `\S(.*\S)?`} {
		f.Add(p, "ab")
	}
	zeros := regexp.MustCompile(`[{,]0\d`) // no repetition to Go
	plain := regexp.MustCompile(`^[a-z0-9()|*+?.{},]*$`)
	f.Fuzz(func(t *testing.T, xsd, s string) {
		p, err := newPattern(xsd)
		if err != nil {
			return
		}
		got := p.match(s)
		if !plain.MatchString(xsd) || strings.Contains(xsd, "(?") || zeros.MatchString(xsd) || strings.ContainsAny(s, "\r\n") {
			return // Go and XML Schema mean different things by them
		}
		re, err := regexp.Compile(`\A(?:` + xsd + `)\z`)
		if err != nil && strings.Contains(err.Error(), "repeat count") {
			return // more than Go allows, which we unroll
		}
		if err != nil {
			t.Fatalf("%q is accepted and is no expression: %v", xsd, err)
		}
		if regexp.MustCompile(`[*+?]{2}`).MatchString(xsd) {
			t.Fatalf("%q: a quantifier of a quantifier is accepted", xsd)
		}
		if got != re.MatchString(s) {
			t.Errorf("%q on %q: %t", xsd, s, got)
		}
	})
}

// FuzzPath: any path is read or refused; a canonical one is read as itself.
func FuzzPath(f *testing.F) {
	set, err := Common()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/cfgvault-interfaces:interfaces/interface[name='eth0']/mtu")
	f.Add(`/cfgvault-system:system/dns/search[.="a.b"]`)
	f.Add("/cfgvault-static-routes:static-routes/route[vrf='x'][prefix='10.0.0.0/8']/next-hop[1]")
	f.Fuzz(func(t *testing.T, text string) {
		module := func(m string) (string, bool) { _, ok := set.byName[m]; return m, ok }
		p, err := set.parsePath(text, module, true)
		if err != nil {
			return
		}
		s := p.String()
		if strings.Contains(s, "''") {
			return // both quotes in one value: XPath cannot write that
		}
		again, err := set.parsePath(s, module, true)
		if err != nil || again.String() != s {
			t.Errorf("%q → %q → %v", text, s, err)
		}
	})
}
