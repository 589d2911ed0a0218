package schemas_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// encodings is a module with everything that the two encodings write in
// different ways.
const encodings = `
  import ietf-yang-metadata { prefix md; }
  md:annotation note { type string; }
  md:annotation level { type uint8; }
  md:annotation kind { type identityref { base i; } }
  identity i; identity j { base i; } identity k { base i; }
  container c {
    leaf i8 { type int8; default 7; } leaf u64 { type uint64; } leaf b { type boolean; default false; } leaf e { type empty; } leaf s { type string; }
    leaf id { type identityref { base i; } } leaf ii { type instance-identifier { require-instance false; } }
    leaf u { type union { type int8; type identityref { base i; } type instance-identifier { require-instance false; } type string; } }
    leaf-list ll { type string; ordered-by user; } leaf-list ld { type int8; default 1; default 2; }
    container p { presence x; leaf q { type int8; default 3; } }
    choice ch { default a; case a { leaf ca { type int8; default 1; } } case b { leaf cb { type int8; } leaf cd { type int8; default 2; } } }
    leaf w { when "../s = 'on'"; type int8; default 9; }
    leaf st { config false; type string; }
  }
  list l { key "k id"; leaf v { type string; } leaf id { type identityref { base i; } } leaf k { type string; } }
  anydata ad; anyxml ax;`

func encodingSet(t testing.TB) *schemas.Set {
	t.Helper()
	set, err := load(map[string]string{
		"m.yang":                  wrap(encodings),
		"n.yang":                  `module n { yang-version 1.1; namespace "urn:n"; prefix nn; import m { prefix m; } identity z { base m:i; } augment /m:c { leaf x { type string; } leaf s { type string; } } leaf top { type string; } }`,
		"ietf-yang-metadata.yang": `module ietf-yang-metadata { namespace "urn:ietf:params:xml:ns:yang:ietf-yang-metadata"; prefix md; revision 2016-08-05; extension annotation { argument name; } }`,
	}, "m", "n")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestEncodings: what is read from either encoding is written in the other and
// back as the same bytes.
func TestEncodings(t *testing.T) {
	set := encodingSet(t)
	c := func(s string) string { return `<c xmlns="urn:m">` + s + `</c>` }
	for _, tt := range []struct{ name, json, xml string }{
		{"numbers", `{"m:c":{"b":true,"i8":-5,"u64":"18446744073709551615"}}`, c(`<b>true</b><i8>-5</i8><u64>18446744073709551615</u64>`)},
		{"empty", `{"m:c":{"e":[null],"s":""}}`, c(`<e/><s/>`)},
		{"escapes", `{"m:c":{"s":"a<b>&\"'\r\n\t]]>"}}`, c("<s>a&lt;b&gt;&amp;\"'&#13;\n\t]]&gt;</s>")},
		{"identity", `{"m:c":{"id":"m:j"}}`, c(`<id xmlns:m="urn:m">m:j</id>`)},
		{"identity of another module", `{"m:c":{"id":"n:z"}}`, c(`<id xmlns:nn="urn:n">nn:z</id>`)},
		{"identity in a union", `{"m:c":{"u":"n:z"}}`, c(`<u xmlns:nn="urn:n">nn:z</u>`)},
		{"augmented", `{"m:c":{"s":"1","n:s":"2","n:x":"3"}}`, c(`<s>1</s><s xmlns="urn:n">2</s><x xmlns="urn:n">3</x>`)},
		{"instance-identifier", `{"m:c":{"ii":"/m:c/n:x"}}`, c(`<ii xmlns:m="urn:m" xmlns:nn="urn:n">/m:c/nn:x</ii>`)},
		{"keys of an identity", `{"m:c":{"ii":"/m:l[k='a'][id='n:z']/v"},"m:l":[{"id":"n:z","k":"a","v":"x"}]}`,
			c(`<ii xmlns:m="urn:m" xmlns:nn="urn:n">/m:l[m:k='a'][m:id='nn:z']/m:v</ii>`) + `<l xmlns="urn:m"><k>a</k><id xmlns:nn="urn:n">nn:z</id><v>x</v></l>`},
		{"user order", `{"m:c":{"ll":["b","a","c"]}}`, c(`<ll>b</ll><ll>a</ll><ll>c</ll>`)},
		{"annotations", `{"@":{"m:level":1},"i8":5,"@i8":{"m:kind":"n:z","m:note":"a \"b\""},"ll":["x","y","z"],"@ll":[null,{"m:note":"n"}],"p":{"@":{"m:note":""}}}`,
			`<c xmlns="urn:m" m:level="1" xmlns:m="urn:m"><i8 m:kind="nn:z" m:note="a &quot;b&quot;" xmlns:nn="urn:n" xmlns:m="urn:m">5</i8><ll>x</ll><ll m:note="n" xmlns:m="urn:m">y</ll><ll>z</ll><p m:note="" xmlns:m="urn:m"/></c>`},
		{"default tag", `{"m:c":{"i8":7,"@i8":{"ietf-netconf-with-defaults:default":true}}}`, c(`<i8 xmlns:wd="urn:ietf:params:xml:ns:netconf:default:1.0" wd:default="true">7</i8>`)},
		{"anydata of the set", `{"m:ad":{"m:c":{"i8":5,"id":"n:z"},"n:top":"x"}}`, `<ad xmlns="urn:m"><c><i8>5</i8><id xmlns:nn="urn:n">nn:z</id></c><top xmlns="urn:n">x</top></ad>`},
		{"anydata of no node", `{"m:ad":{"m:odd":{"a":["1","2"],"n:b":{"c":""}}}}`, `<ad xmlns="urn:m"><odd><a>1</a><a>2</a><b xmlns="urn:n"><c></c></b></odd></ad>`},
		{"empty anydata", `{"m:ad":{}}`, `<ad xmlns="urn:m"/>`},
		{"anyxml", `{"m:ax":{"m:p":{"b":"x"}}}`, `<ax xmlns="urn:m"><p><b>x</b></p></ax>`},
		{"two modules", `{"m:c":{"s":"x"},"n:top":"y"}`, c(`<s>x</s>`) + `<top xmlns="urn:n">y</top>`},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			json := tt.json
			if tt.name == "annotations" {
				json = `{"m:c":` + json + `}`
			}
			a, err := set.ParseJSON([]byte(json))
			if err != nil {
				t.Fatal(err)
			}
			xml, err := a.XML("")
			if err != nil || string(xml) != tt.xml {
				t.Errorf("as XML\n%s, %v, want\n%s", xml, err, tt.xml)
			}
			b, err := set.Parse([]byte(tt.xml), schemas.ParseOptions{XML: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := string(b.JSON("")); got != json {
				t.Errorf("as JSON\n%s, want\n%s", got, json)
			}
			for _, indent := range []string{"", "  "} {
				pretty, err := b.XML(indent)
				if err != nil {
					t.Fatal(err)
				}
				again, err := set.Parse(pretty, schemas.ParseOptions{XML: true})
				if err != nil || !bytes.Equal(again.Canonical(), a.Canonical()) {
					t.Errorf("canonical from XML\n%s, %v, want\n%s", again.Canonical(), err, a.Canonical())
				}
			}
		})
	}
}

// TestXMLOnly: anyxml that JSON cannot hold survives in XML.
func TestXMLOnly(t *testing.T) {
	set := encodingSet(t)
	const in = `<ax xmlns="urn:m"><p a="1">mixed <b xmlns="urn:none" xml:lang="de">&amp;</b> text</p></ax>`
	tree, err := set.Parse([]byte(in), schemas.ParseOptions{XML: true})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := tree.XML(""); err != nil || string(out) != in {
		t.Errorf("got %s, %v", out, err)
	}
	var fault *schemas.PathError
	if err := tree.Check(); !errors.As(err, &fault) || fault.Path != "/m:ax" || fault.Line != 1 {
		t.Errorf("got %v", err)
	}
	for _, json := range []string{`{"m:ad":{"none:x":1}}`, `{"m:ax":[1,2]}`, `{"m:ax":null}`, `{"m:ax":{"m:a":[[1]]}}`, `{"m:ad":{"m:x y":1}}`} {
		tree, err := set.ParseJSON([]byte(json))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tree.XML(""); !errors.As(err, &fault) {
			t.Errorf("%s: got %v", json, err)
		}
	}
}

// TestPositions: each fault says where it is and under which rule.
func TestPositions(t *testing.T) {
	set := encodingSet(t)
	for _, tt := range []struct{ in, at, path, text string }{
		{"{\n \"m:c\": {\"i8\": 300}\n}", "2:16", "/m:c/i8", "not in the range"},
		{`{"m:c":{"s":"äöü","i8":"x"}}`, "1:24", "/m:c/i8", "JSON number"},
		{`{"m:c":{"zz":1}}`, "1:9", "/m:c", `member "zz"`},
		{`{"m:c":{"i8":1,"i8":2}}`, "1:16", "/m:c", "twice"},
		{"{\"m:c\":{\"s\":\"a\xffb\"}}", "1:15", "/", "not UTF-8"},
		{"{\"m:c\":{\"s\":\"a\u0000b\"}}", "1:15", "/", "control character"},
		{`{"m:c":{"s":"a\u0000b"}}`, "1:13", "/m:c/s", "U+0000"},
		{`{"m:c":{"i8":1e400}}`, "1:14", "/m:c/i8", "not an integer"},
		{`{"m:c":{"i8":99999999999999999999999999}}`, "1:14", "/m:c/i8", "not an integer"},
		{`{"m:ad":` + strings.Repeat(`{"a":`, 400), "1:1514", "/", "deep"},
		{`{"m:c":{"@zz":{"m:note":"x"}}}`, "1:9", "/m:c", `"zz"`},
		{`{"m:c":{"@s":{"m:note":"x"}}}`, "1:9", "/m:c", "not there"},
		{`{"m:c":{"s":"x","@s":{"note":"x"}}}`, "1:23", "/m:c/s", "needs its module"},
		{`{"m:c":{"s":"x","@s":{"m:none":"x"}}}`, "1:23", "/m:c/s", "no annotation"},
		{`{"m:c":{"s":"x","@s":{"m:level":"x"}}}`, "1:23", "/m:c/s", "m:level"},
		{`{"m:c":{"s":"x","@s":[]}}`, "1:22", "/m:c/s", "JSON object"},
		{`{"m:c":{"ll":["x"],"@ll":[null,null,{"m:note":"x"}]}}`, "1:37", "/m:c", "more entries"},
		{`{"m:c":{"@p":{"m:note":"x"},"p":{}}}`, "1:9", "/m:c", `its member "@"`},
		{`{"@":{"m:note":"x"}}`, "1:7", "/", "whole"},
		{`{"m:c":{"i8":5,"@i8":{"ietf-netconf-with-defaults:default":true}}}`, "1:23", "/m:c/i8", "not the default"},
		{"<c xmlns='urn:m'>\n  <i8>300</i8></c>", "2:3", "/m:c/i8", "not in the range"},
		{`<c xmlns="urn:m"><s>ä</s><zz/></c>`, "1:26", "/m:c", "<zz>"},
		{`<c xmlns="urn:q"/>`, "1:1", "/", "urn:q"},
		{`<c/>`, "1:1", "/", "namespace"},
		{`<c xmlns="urn:m">text</c>`, "1:18", "/m:c", "text between"},
		{`<c xmlns="urn:m"><s>a<b/></s></c>`, "1:22", "/m:c/s", "<b>"},
		{`<c xmlns="urn:m"><i8>1</i8><i8>1</i8></c>`, "1:28", "/m:c", "twice"},
		{`<!DOCTYPE c [<!ENTITY a "b">]><c xmlns="urn:m"/>`, "1:1", "/", "document type"},
		{`<c xmlns="urn:m"><s>&a;</s></c>`, "1:21", "/", "no entity"},
		{"<c xmlns='urn:m'><s>\x01</s></c>", "1:21", "/", "U+0001"},
		{`<c xmlns="urn:m"><s>&#1;</s></c>`, "1:21", "/", "no entity"},
		{`<c xmlns="urn:m"><s>a]]></s></c>`, "1:22", "/", "]]>"},
		{`<c xmlns="urn:m"><s></c>`, "1:21", "/", "ends with </c>"},
		{`<c xmlns="urn:m">`, "1:18", "/", "text ends"},
		{`<c xmlns="urn:m" xmlns="urn:n"/>`, "1:18", "/", "twice"},
		{`<p:c xmlns="urn:m"/>`, "1:1", "/", "not declared"},
		{`<c xmlns="urn:m" x="1"/>`, "1:18", "/m:c", "attribute"},
		{`<c xmlns="urn:m" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete"/>`, "1:69", "/m:c", "operation"},
		{`<c xmlns="urn:m" xmlns:m="urn:m" m:level="x"/>`, "1:34", "/m:c", "m:level"},
		{`<c xmlns="urn:m"><id>q:j</id></c>`, "1:18", "/m:c/id", "prefix"},
		{`<c xmlns="urn:m"><ii>/c</ii></c>`, "1:18", "/m:c/ii", "prefix"},
		{`<l xmlns="urn:m"><k>a</k></l>`, "1:1", "/m:l[1]", `the key "id"`},
		{`<?xml version="1.0" encoding="ISO-8859-1"?><c xmlns="urn:m"/>`, "1:1", "/", "encoding"},
		{"\xff\xfe<\x00", "1:1", "/", "UTF-16"},
		{`<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/><c xmlns="urn:m"/>`, "1:56", "/", "more after"},
		{`<c xmlns="urn:m"/><data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>`, "1:19", "/", "netconf"},
		{strings.Repeat(`<ax xmlns="urn:m">`, 400), "1:5401", "/", "deep"},
	} {
		xml := strings.Contains(tt.in, "<")
		_, err := set.Parse([]byte(tt.in), schemas.ParseOptions{XML: xml})
		var fault *schemas.PathError
		if !errors.As(err, &fault) {
			t.Errorf("%.60q: accepted", tt.in)
			continue
		}
		if at := fmt.Sprintf("%d:%d", fault.Line, fault.Column); at != tt.at || fault.Path != tt.path || !strings.Contains(fault.Message, tt.text) || fault.Rule == "" {
			t.Errorf("%.60q: got %s: %v, want %s %s: …%s…", tt.in, at, err, tt.at, tt.path, tt.text)
		}
	}
}

// TestAnnotationsRefused: what RFC 7952 §3 says of the statement.
func TestAnnotationsRefused(t *testing.T) {
	for body, want := range map[string]string{
		`type string; units x; status current; description d; reference r; if-feature f; if-feature f;`: "",
		``:                                 "no type",
		`type string; type uint8;`:         `more than one "type"`,
		`type string; units x; units x;`:   `more than one "units"`,
		`type string; default x;`:          `"default" cannot be`,
		`type string; } md:annotation x {`: "no type",
	} {
		modules := map[string]string{
			"m.yang":                  mod("m", `import ietf-yang-metadata { prefix md; } feature f; md:annotation a { `+body+` }`),
			"ietf-yang-metadata.yang": `module ietf-yang-metadata { namespace "urn:ietf:params:xml:ns:yang:ietf-yang-metadata"; prefix md; extension annotation { argument name; } }`,
		}
		_, err := load(modules, "m")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q in it", body, err, want)
		}
	}
}

// TestWrappers: the data may stand in the wrappers of protocols.
func TestWrappers(t *testing.T) {
	set := encodingSet(t)
	const want = `{"m:c":{"s":"x"}}`
	for _, in := range []string{
		`{"ietf-restconf:data":{"m:c":{"s":"x"}}}`,
		`<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><c xmlns="urn:m"><s>x</s></c></data>`,
		`<nc:config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns="urn:m"><c><s><![CDATA[x]]></s></c><!-- --></nc:config>`,
		`<?xml version="1.0" encoding="utf-8"?>` + "\r\n" + `<data xmlns="urn:ietf:params:xml:ns:yang:ietf-restconf"><c xmlns="urn:m"><?pi x?><s>&#120;</s></c></data>`,
		`<data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"><m:c xmlns:m="urn:m"><m:s>x</m:s></m:c></data>`,
		"\ufeff" + `<c xmlns="urn:m"><s>x</s></c>`,
		`<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"> <data><c xmlns="urn:m"><s>x</s></c></data> </rpc-reply>`,
	} {
		tree, err := set.Parse([]byte(in), schemas.ParseOptions{XML: strings.Contains(in, "<")})
		if err != nil || string(tree.Canonical()) != want {
			t.Errorf("%s: %v", in, err)
		}
	}
	for _, in := range []string{
		`<ok/>`, ``, `<data/><data/>`, `<data/>x`, `<rpc-error/>`, `<config/>`, `<data><x xmlns="urn:m"/></data>`, `<data a="b"/>`, `<rpc-reply><data/></rpc-reply>`,
	} {
		in = `<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">` + in + `</rpc-reply>`
		var fault *schemas.PathError
		if _, err := set.Parse([]byte(in), schemas.ParseOptions{XML: true}); !errors.As(err, &fault) || fault.Line != 1 {
			t.Errorf("%s: got %v", in, err)
		}
	}
}

// TestWrapperOfModule: the modules of the protocols may be in the set; only a
// node that they have takes the wrapper's place.
func TestWrapperOfModule(t *testing.T) {
	const nc, rc = "urn:ietf:params:xml:ns:netconf:base:1.0", "urn:ietf:params:xml:ns:yang:ietf-restconf"
	modules := map[string]string{
		"m.yang":             wrap(`leaf s { type string; }`),
		"ietf-netconf.yang":  `module ietf-netconf { namespace ` + nc + `; prefix nc; rpc get; }`,
		"ietf-restconf.yang": `module ietf-restconf { namespace ` + rc + `; prefix rc; }`,
	}
	for _, tt := range []struct {
		in   string
		node string // of ietf-netconf
		good bool
	}{
		{in: `<data xmlns="` + nc + `"><s xmlns="urn:m">x</s></data>`, good: true},
		{in: `<data xmlns="` + rc + `"><s xmlns="urn:m">x</s></data>`, good: true},
		{in: `{"ietf-restconf:data":{"m:s":"x"}}`, good: true},
		{in: `<data xmlns="` + nc + `"><s xmlns="urn:m">x</s></data>`, node: "container data;"},
		{in: `<data xmlns="` + nc + `"/>`, node: "container data;", good: true},
	} {
		with := maps.Clone(modules)
		with["ietf-netconf.yang"] = strings.Replace(with["ietf-netconf.yang"], "rpc get;", "rpc get; "+tt.node, 1)
		set, err := load(with, "m", "ietf-netconf", "ietf-restconf")
		if err != nil {
			t.Fatal(err)
		}
		if err := check(set, tt.in); (err == nil) != tt.good {
			t.Errorf("%s with %q: %v", tt.in, tt.node, err)
		}
	}
}

// TestDefaultModes: RFC 6243's modes, of data in which one value is tagged.
func TestDefaultModes(t *testing.T) {
	set := encodingSet(t)
	tree, err := set.ParseJSON([]byte(`{"m:c":{"b":false,"i8":7,"@i8":{"ietf-netconf-with-defaults:default":true},"s":"on","p":{},"st":"x","cb":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[schemas.DefaultMode]string{
		schemas.Explicit:  `{"m:c":{"b":false,"cb":2,"p":{},"s":"on","st":"x"}}`,
		schemas.Trim:      `{"m:c":{"cb":2,"p":{},"s":"on","st":"x"}}`,
		schemas.ReportAll: `{"m:c":{"b":false,"cb":2,"cd":2,"i8":7,"ld":[1,2],"p":{"q":3},"s":"on","st":"x","w":9}}`,
		schemas.ReportAllTagged: `{"m:c":{"b":false,"@b":{"ietf-netconf-with-defaults:default":true},"cb":2,"cd":2,"@cd":{"ietf-netconf-with-defaults:default":true},` +
			`"i8":7,"@i8":{"ietf-netconf-with-defaults:default":true},"ld":[1,2],"@ld":[{"ietf-netconf-with-defaults:default":true},{"ietf-netconf-with-defaults:default":true}],` +
			`"p":{"q":3,"@q":{"ietf-netconf-with-defaults:default":true}},"s":"on","st":"x","w":9,"@w":{"ietf-netconf-with-defaults:default":true}}}`,
	} {
		got, err := tree.WithDefaults(mode)
		if err != nil || string(got.JSON("")) != want {
			t.Errorf("%s: %v\n%s, want\n%s", mode, err, got.JSON(""), want)
			continue
		}
		xml, err := got.XML("")
		if err != nil {
			t.Fatal(err)
		}
		again, err := set.Parse(xml, schemas.ParseOptions{XML: true})
		if err != nil || string(again.JSON("")) != want || !bytes.Equal(again.Canonical(), tree.Canonical()) {
			t.Errorf("%s through XML: %v\n%s\n%s", mode, err, xml, again.JSON(""))
		}
	}
	empty, err := set.ParseJSON([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	all, err := empty.WithDefaults(schemas.ReportAll)
	if want := `{"m:c":{"b":false,"ca":1,"i8":7,"ld":[1,2]}}`; err != nil || string(all.JSON("")) != want {
		t.Errorf("nothing, report-all: %s, %v, want %s", all.JSON(""), err, want)
	}
	if _, err := tree.WithDefaults("some"); err == nil {
		t.Error("a mode that does not exist is accepted")
	}
}

// TestManyFaults: of very many faults the first are reported and the rest
// counted, in a time that does not grow with their square.
func TestManyFaults(t *testing.T) {
	set := encodingSet(t)
	const n = 200_000
	for _, in := range []string{
		`{"m:l":[` + strings.TrimSuffix(strings.Repeat(`{"v":1},`, n), ",") + `]}`,
		strings.Repeat(`<l xmlns="urn:m"><q/></l>`, n),
	} {
		_, err := set.Parse([]byte(in), schemas.ParseOptions{XML: in[0] == '<'})
		faults := schemas.Faults(err)
		if len(faults) != 1001 || !strings.Contains(faults[1000].Error(), "more errors not shown") {
			t.Fatalf("%d faults, the last %v", len(faults), faults[len(faults)-1])
		}
	}
}

// TestCanonicalValues: the canonical lexical forms of RFC 7950 §9.
func TestCanonicalValues(t *testing.T) {
	set, err := load(map[string]string{"m.yang": wrap(`leaf d { type decimal64 { fraction-digits 4; } } leaf i { type int32; } leaf u { type uint64; } leaf b { type bits { bit z; bit a; } } leaf bin { type binary; }
	  leaf-list n { type int8; } leaf-list s { type string; }`)}, "m")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`<d xmlns="urn:m">+01.5000</d>`: `{"m:d":"1.5"}`, `<d xmlns="urn:m">2</d>`: `{"m:d":"2.0"}`, `<d xmlns="urn:m">-0.0</d>`: `{"m:d":"0.0"}`,
		`<i xmlns="urn:m">+007</i>`: `{"m:i":7}`, `<i xmlns="urn:m">-0</i>`: `{"m:i":0}`, `<u xmlns="urn:m">018</u>`: `{"m:u":"18"}`,
		`<b xmlns="urn:m"> a  z </b>`: `{"m:b":"z a"}`, "<bin xmlns=\"urn:m\">AA\nA=</bin>": `{"m:bin":"AAA="}`,
		`<n xmlns="urn:m">10</n><n xmlns="urn:m">9</n><n xmlns="urn:m">-1</n>`:    `{"m:n":[-1,9,10]}`,
		`<s xmlns="urn:m">b</s><s xmlns="urn:m">a</s><s xmlns="urn:m">A</s>`:      `{"m:s":["A","a","b"]}`,
		`<s xmlns="urn:m">/</s><s xmlns="urn:m">&#127;</s><s xmlns="urn:m">ä</s>`: `{"m:s":["/","\u007f","ä"]}`,
	} {
		tree, err := set.Parse([]byte(in), schemas.ParseOptions{XML: true})
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if got := string(tree.Canonical()); got != strings.ReplaceAll(want, `\u007f`, "\x7f") {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
