package schemas

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestModulePlaces: a fault is where it is, in characters, also behind what is
// not as goyang reads it.
func TestModulePlaces(t *testing.T) {
	for _, tt := range []struct {
		module string
		line   int
		column int
	}{
		{"module m { namespace urn:m; prefix m;\n  leaf a { type nothing; } }", 2, 12},
		{"module m { namespace urn:m; prefix m;\n\tleaf a { description \"ä€\"; type nothing; } }", 2, 29},
		{"module m { namespace urn:m; prefix m;\r\n leaf a { type nothing; } }", 2, 11},
		{"module m { namespace urn:m; prefix m; leaf a { description \"\\d\\e\"; type nothing; } }", 1, 68},
		{"module m { namespace urn:m; prefix m; leaf a { description x/* */; type nothing; } }", 1, 68},
		{"module m { namespace urn:m; prefix m; leaf a { description \"\\d\n \\d\"; type nothing; leaf b; } }", 2, 21},
		{"\ufeffmodule m { namespace urn:m; prefix m; leaf a { type nothing; } }", 1, 48},
		{"module m { namespace urn:m; prefix m;\n description \"never ends; }", 2, 14},
		{"module m { namespace urn:m; prefix m;\n description \"a\"b; }", 2, 17},
		{"module m { namespace urn:m; prefix m;\n /* never ends", 2, 2},
		{"module m { namespace urn:m; prefix m;\n description \"ä\x01\"; }", 2, 16},
		{"module m { namespace urn:m; prefix m; }\n module n { namespace urn:n; prefix n; }", 2, 2},
	} {
		_, err := Load(Options{Search: []Source{Files(map[string][]byte{"m.yang": []byte(tt.module)})}}, "m")
		var fault *ModuleError
		if !errors.As(err, &fault) || fault.Line != tt.line || fault.Column != tt.column {
			t.Errorf("%q: %v, want %d:%d", tt.module, err, tt.line, tt.column)
			continue
		}
		if want := fmt.Sprintf("m.yang:%d:%d: ", tt.line, tt.column); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v does not begin with %s", err, want)
		}
	}
}

// TestNamespaces: they are URIs, with a scheme (RFC 7950 §7.1.3, RFC 3986 §3).
func TestNamespaces(t *testing.T) {
	for _, good := range []string{
		"urn:ietf:params:xml:ns:yang:ietf-ip", "http://example.com/ns", "http://example.com", "https://u:p@h.example:8080/a;b=c/d?q=/?#f/?", "tag:example.com,2020:x", "a:", "x+y-z.1:a%20b",
		"http://[2001:db8::1]:80/a", "http://[v1.x]/", "file:///a", "urn:a:b(c)*'!$&=~_",
	} {
		if !isURI(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", "m", "a/b", ":a", "1a:b", "a_b:c", "ä:b", "urn:a b", "urn:ä", "urn:a%2", "urn:a%zz", "urn:<a>", "urn:a#b#c", "http://[::1/", "http://[1.2.3.4]/", "http://h:8x/", "http://[::1]x/", "urn:a[b]", "urn:a\\b", "urn:\"", "//h/a",
	} {
		if isURI(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
	_, err := Load(Options{Search: []Source{Files(map[string][]byte{"m.yang": []byte("module m { namespace m; prefix m; }")})}}, "m")
	if err == nil || err.Error() != `m.yang:1:12: the namespace "m" is not a URI (RFC 7950 §7.1.3)` {
		t.Error(err)
	}
}

// TestImported: what a module that is only imported defines is checked although
// nothing uses it, and implements nothing.
func TestImported(t *testing.T) {
	load := func(body string) (*Set, error) {
		return Load(Options{Search: []Source{Files(map[string][]byte{
			"m.yang": []byte(`module m { yang-version 1.1; namespace urn:m; prefix m; import n { prefix n; } leaf a { type n:t; } }`),
			"n.yang": []byte(`module n { yang-version 1.1; namespace urn:n; prefix n; import o { prefix o; } typedef t { type string; } ` + body + ` }`),
			"o.yang": []byte(`module o { yang-version 1.1; namespace urn:o; prefix o; leaf x { type string; } identity i; }`),
		})}}, "m")
	}
	set, err := load(`typedef u { type leafref { path "/o:x"; } } grouping g { leaf y { type leafref { path "/o:x"; } when "/o:x"; } leaf z { type identityref { base o:i; } } } leaf d { type u; }`)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range set.Modules() {
		if m.Implemented != (m.Name == "m") {
			t.Errorf("%s is implemented: %t", m.Name, m.Implemented)
		}
	}
	for body, want := range map[string]string{
		`typedef u { type nothing; }`:                              "no type",
		`grouping g { uses h; }`:                                   "no grouping",
		`grouping g { uses g; }`:                                   "uses itself",
		`grouping g { leaf a { type string { length "9..1"; } } }`: "9..1",
		`typedef u { type int8 { range 300; } }`:                   "300",
		`identity i { base j; }`:                                   "j",
		`feature f { if-feature g; }`:                              "no feature",
		`typedef string { type int8; }`:                            "built-in",
		`container c { typedef u { type nothing; } }`:              "no type",
	} {
		if _, err := load(body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
