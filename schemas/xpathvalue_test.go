package schemas

import (
	"errors"
	"strings"
	"testing"
)

// TestXPathValues: the prefixes of an XPath expression are those of its place in
// XML, and names of modules in JSON.
func TestXPathValues(t *testing.T) {
	set, err := Load(Options{Search: []Source{Files(map[string][]byte{
		"m.yang": []byte(`module m { yang-version 1.1; namespace urn:m; prefix mm; import ietf-yang-types { prefix yang; } import o { prefix o; } identity i;
		  typedef rule-path { type yang:xpath1.0 { length "1..80"; } }
		  leaf x { type yang:xpath1.0; } leaf r { type rule-path; default "/o:c"; } leaf u { type union { type int8; type yang:xpath1.0; } } leaf s { type string; }
		  container c { leaf-list l { type yang:xpath1.0; } leaf-list e { ordered-by user; type leafref { path "/mm:x"; require-instance false; } } } }`),
		"o.yang":               []byte(`module o { yang-version 1.1; namespace urn:o; prefix mm; container c { leaf d { type string; } } }`),
		"ietf-yang-types.yang": []byte(`module ietf-yang-types { namespace urn:types; prefix y; typedef xpath1.0 { type string; } }`),
	})}}, "m", "o")
	if err != nil {
		t.Fatal(err)
	}
	const declared = ` xmlns:a="urn:m" xmlns:b="urn:o" xmlns="urn:m">`
	for _, tt := range []struct{ name, xml, json, back string }{
		{"x", `/a:c/b:d[a:l = "b:x"]/.. | //b:*`, `/m:c/o:d[m:l = \"b:x\"]/.. | //o:*`, `<x xmlns="urn:m" xmlns:mm="urn:m" xmlns:mm2="urn:o">/mm:c/mm2:d[mm:l = "b:x"]/.. | //mm2:*</x>`},
		{"x", `/c/d`, `/c/d`, `<x xmlns="urn:m">/c/d</x>`},
		{"x", `derived-from-or-self(., 'a:i') or child::b:c`, `derived-from-or-self(., 'm:i') or child::o:c`, `<x xmlns="urn:m" xmlns:mm="urn:o" xmlns:mm2="urn:m">derived-from-or-self(., 'mm2:i') or child::mm:c</x>`},
		{"x", `string-length('a:b') &gt; 1 and b:or or b:div div 2`, `string-length('a:b') > 1 and o:or or o:div div 2`, `<x xmlns="urn:m" xmlns:mm="urn:o">string-length('a:b') &gt; 1 and mm:or or mm:div div 2</x>`},
		{"r", `/b:c`, `/o:c`, `<r xmlns="urn:m" xmlns:mm="urn:o">/mm:c</r>`},
		{"u", `/b:c/b:d`, `/o:c/o:d`, `<u xmlns="urn:m" xmlns:mm="urn:o">/mm:c/mm:d</u>`},
		{"s", `/b:c/b:d`, `/b:c/b:d`, `<s xmlns="urn:m">/b:c/b:d</s>`},
	} {
		tree, err := set.Parse([]byte("<"+tt.name+declared+tt.xml+"</"+tt.name+">"), ParseOptions{XML: true})
		if err != nil {
			t.Errorf("%s: %v", tt.xml, err)
			continue
		}
		if got, want := string(tree.JSON("")), `{"m:`+tt.name+`":"`+tt.json+`"}`; got != want {
			t.Errorf("%s: got %s, want %s", tt.xml, got, want)
		}
		again, err := set.ParseJSON(tree.JSON(""))
		if err != nil {
			t.Errorf("%s: %v", tt.json, err)
			continue
		}
		out, err := again.XML("")
		if err != nil || string(out) != tt.back {
			t.Errorf("%s: got %s, %v, want %s", tt.json, out, err, tt.back)
		}
	}
	for _, bad := range []string{`/z:c`, `/a:c[`, `/a:c/`, `nothing()`, `$x`, ``, `derived-from(., 'z:i')`, strings.Repeat("(", 1000)} {
		_, err := set.Parse([]byte("<x"+declared+bad+"</x>"), ParseOptions{XML: true})
		var fault *PathError
		if !errors.As(err, &fault) || fault.Rule != "RFC 6991 §3" {
			t.Errorf("%.20s: got %v", bad, err)
		}
	}
	// Two spellings are one value: a default, and entries of a leaf-list.
	tree, err := set.Parse([]byte(`<r`+declared+`/b:c</r><c xmlns="urn:m"><l xmlns:a="urn:o">/a:c</l><l xmlns:b="urn:o">/b:c</l></c>`), ParseOptions{XML: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(tree.Canonical()); strings.Contains(got, `"m:r"`) {
		t.Errorf("the default stays: %s", got)
	}
	if err := set.Validate(tree); err == nil {
		t.Error("an entry is there twice")
	}
}
