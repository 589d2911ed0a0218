package schemas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// dataCase is a module's body with data that is valid, and data that is not.
// Both verdicts are compared with yanglint unless lenient says why not.
type dataCase struct {
	name      string
	body      string
	good, bad []string
	want      string // part of the message for every bad one
	path      string // instance path of the fault of the first bad one
	lenient   string
}

func dataCases() []dataCase {
	types := `container c { leaf i8 { type int8 { range "-5..5"; } } leaf u16 { type uint16; } leaf i64 { type int64; } leaf u64 { type uint64; }
	  leaf d { type decimal64 { fraction-digits 2; range "-1.5..99"; } } leaf s { type string { length "2..4"; pattern '[a-c]*'; } } leaf b { type boolean; }
	  leaf e { type enumeration { enum one; enum two; } } leaf bits { type bits { bit x; bit y; bit z; } } leaf bin { type binary { length 3; } } leaf em { type empty; }
	  leaf id { type identityref { base i; } } leaf u { type union { type int8; type boolean; type string { length 3; } } }
	  leaf inv { type string { pattern 'ab.*' { modifier invert-match; } } } leaf uni { type string { length 2; } } }
	  identity i; identity j { base i; } identity k;`
	c := func(members ...string) []string {
		var out []string
		for _, m := range members {
			out = append(out, `{"m:c":{`+m+`}}`)
		}
		return out
	}
	return []dataCase{
		{name: "integers", body: types, good: c(`"i8":-5`, `"u16":65535`, `"i64":"-9223372036854775808"`, `"u64":"18446744073709551615"`, `"i8":0`),
			bad: c(`"i8":6`, `"i8":"1"`, `"i8":1.5`, `"u16":65536`, `"u16":-1`, `"i64":1`, `"u64":"18446744073709551616"`, `"u64":"x"`, `"u64":""`, `"i8":true`), path: "/m:c/i8"},
		{name: "decimal64", body: types, good: c(`"d":"1.5"`, `"d":"99"`, `"d":"-1.50"`), bad: c(`"d":"1.555"`, `"d":1.5`, `"d":"99.01"`, `"d":"."`, `"d":"1."`, `"d":"-1.51"`)},
		{name: "strings", body: types, good: c(`"s":"abca"`, `"s":"ab"`, `"inv":"xab"`, `"uni":"äö"`), bad: c(`"s":"abcab"`, `"s":"a"`, `"s":"abd"`, `"s":5`, `"inv":"abx"`, `"uni":"ä"`)},
		{name: "booleans and enums", body: types, good: c(`"b":true`, `"b":false`, `"e":"two"`, `"em":[null]`), bad: c(`"b":"true"`, `"b":1`, `"e":"three"`, `"e":1`, `"em":""`, `"em":null`, `"em":[]`, `"em":[1]`)},
		{name: "bits and binary", body: types, good: c(`"bits":"z x"`, `"bits":""`, `"bin":"AAAA"`), bad: c(`"bits":"w"`, `"bits":"x x"`, `"bin":"AAA"`, `"bin":"AAAAAA=="`, `"bin":"%%%%"`)},
		{name: "identityref", body: types, good: c(`"id":"j"`, `"id":"m:j"`), bad: c(`"id":"i"`, `"id":"k"`, `"id":"x"`, `"id":"n:j"`, `"id":1`)},
		{name: "union", body: types, good: c(`"u":5`, `"u":true`, `"u":"abc"`, `"u":"127"`), bad: c(`"u":128`, `"u":"ab"`, `"u":[null]`)},
		{name: "names", body: `container c { leaf a { type string; } } list l { key a; leaf a { type string; } } leaf-list x { type string; }`,
			good: []string{`{"m:c":{"a":"x"}}`, `{"m:c":{"m:a":"x"}}`, `{"m:l":[{"a":"1"},{"a":"2"}]}`, `{"m:l":[]}`, `{}`, `{"m:x":["a","b"]}`},
			bad:  []string{`{"c":{"a":"x"}}`, `{"m:d":{}}`, `{"n:c":{}}`, `{"m:c":{"b":"x"}}`, `{"m:c":[]}`, `{"m:c":"x"}`, `{"m:l":{"a":"1"}}`, `{"m:l":["a"]}`, `{"m:c":{"a":{}}}`, `{"m:c":{"a":["x"]}}`, `{"m:x":"a"}`, `{"m:c":null}`}},
		{name: "member twice", body: `container c { leaf a { type string; } }`, good: c(`"a":"x"`), bad: c(`"a":"x","a":"y"`), want: "twice"},
		{name: "mandatory", body: `container p { presence x; leaf a { type string; mandatory true; } container np { leaf b { type string; mandatory true; } } }`,
			good: []string{`{"m:p":{"a":"x","np":{"b":"y"}}}`}, bad: []string{`{"m:p":{"np":{"b":"y"}}}`, `{"m:p":{"a":"x"}}`, `{"m:p":{}}`}, want: "mandatory", path: "/m:p"},
		{name: "mandatory choice", body: `container p { presence x; choice ch { mandatory true; leaf a { type string; } case c { leaf b { type string; } leaf d { type string; mandatory true; } } } }`,
			good: []string{`{"m:p":{"a":"x"}}`, `{"m:p":{"b":"x","d":"x"}}`}, bad: []string{`{"m:p":{}}`, `{"m:p":{"b":"x"}}`}},
		{name: "choice", body: `container p { presence x; choice ch { leaf a { type string; } case c { leaf b { type string; } choice in { leaf d { type string; } leaf e { type string; } } } } }`,
			good: []string{`{"m:p":{"a":"x"}}`, `{"m:p":{"b":"x","d":"x"}}`}, bad: []string{`{"m:p":{"a":"x","b":"y"}}`, `{"m:p":{"d":"x","e":"y"}}`, `{"m:p":{"a":"x","e":"y"}}`}, want: "excludes"},
		{name: "defaults in a choice", body: `container p { choice ch { default x; case x { leaf a { type int8; default 1; } } case y { leaf b { type int8; } leaf d { type int8; default 2; } } } leaf t1 { type empty; must "../a = 1 and not(../d)"; } leaf t2 { type empty; must "../d = 2 and not(../a)"; } }`,
			good: []string{`{"m:p":{"t1":[null]}}`, `{"m:p":{"b":1,"t2":[null]}}`, `{"m:p":{"a":1,"t1":[null]}}`}, bad: []string{`{"m:p":{"t2":[null]}}`, `{"m:p":{"b":1,"t1":[null]}}`}},
		{name: "unique values that run together", body: `list l { key k; unique "a b"; leaf k { type string; } leaf a { type string; } leaf b { type string; } }`,
			good: []string{`{"m:l":[{"k":"1","a":"xy","b":"z"},{"k":"2","a":"x","b":"yz"}]}`}, bad: []string{`{"m:l":[{"k":"1","a":"x","b":"z"},{"k":"2","a":"x","b":"z"}]}`}},
		{name: "elements", body: `container p { presence x; leaf-list x { type string; min-elements 2; max-elements 3; } }`,
			good: []string{`{"m:p":{"x":["a","b"]}}`, `{"m:p":{"x":["a","b","c"]}}`}, bad: []string{`{"m:p":{}}`, `{"m:p":{"x":["a"]}}`, `{"m:p":{"x":["a","b","c","d"]}}`}},
		{name: "keys", body: `list l { key "a b"; leaf a { type string; } leaf b { type uint8; } leaf c { type string; } }`,
			good: []string{`{"m:l":[{"a":"x","b":1},{"a":"x","b":2},{"b":1,"a":"y"}]}`}, bad: []string{`{"m:l":[{"a":"x","b":1},{"a":"x","b":1}]}`, `{"m:l":[{"a":"x"}]}`, `{"m:l":[{"c":"x"}]}`}, path: "/m:l[a='x'][b='1']"},
		{name: "keys with lengths that run together", body: `list l { key "a b"; leaf a { type string; } leaf b { type string; } }`,
			good: []string{`{"m:l":[{"a":"1:x","b":"y"},{"a":"1","b":"x1:y"},{"a":"","b":"xy"},{"a":"xy","b":""}]}`}, bad: []string{`{"m:l":[{"a":"","b":"xy"},{"b":"xy","a":""}]}`}},
		{name: "leaf-list values", body: `leaf-list x { type string; }`, good: []string{`{"m:x":["a","b"]}`}, bad: []string{`{"m:x":["a","b","a"]}`}, want: "twice"},
		{name: "unique", body: `list l { key k; unique "a c/b"; leaf k { type string; } leaf a { type string; } container c { leaf b { type string; } } }`,
			good: []string{`{"m:l":[{"k":"1","a":"x","c":{"b":"y"}},{"k":"2","a":"x","c":{"b":"z"}},{"k":"3","a":"x"},{"k":"4","a":"x"}]}`},
			bad:  []string{`{"m:l":[{"k":"1","a":"x","c":{"b":"y"}},{"k":"2","a":"x","c":{"b":"y"}}]}`}, want: "values of a, b", path: "/m:l[k='2']"},
		{name: "unique by default", body: `list l { key k; unique a; leaf k { type string; } leaf a { type string; default d; } }`,
			good: []string{`{"m:l":[{"k":"1"},{"k":"2","a":"x"}]}`}, bad: []string{`{"m:l":[{"k":"1"},{"k":"2"}]}`, `{"m:l":[{"k":"1"},{"k":"2","a":"d"}]}`}, want: "values of a"},
		{name: "leafref", body: `list l { key k; leaf k { type string; } } container c { leaf r { type leafref { path "/l/k"; } } leaf-list rs { type leafref { path "../r"; } } leaf free { type leafref { path "/l/k"; require-instance false; } } }`,
			good: []string{`{"m:l":[{"k":"a"}],"m:c":{"r":"a","rs":["a"]}}`, `{"m:c":{"free":"zz"}}`}, bad: []string{`{"m:c":{"r":"a"}}`, `{"m:l":[{"k":"a"}],"m:c":{"r":"b"}}`, `{"m:l":[{"k":"a"}],"m:c":{"rs":["a"]}}`}, want: "not a value of", path: "/m:c/r"},
		{name: "leafref with predicate", body: `list l { key k; leaf k { type string; } list n { key v; leaf v { type string; } } } list c { key l; leaf l { type leafref { path "/l/k"; } } leaf v { type leafref { path "/l[k = current()/../l]/n/v"; } } }`,
			good: []string{`{"m:l":[{"k":"a","n":[{"v":"1"}]},{"k":"b","n":[{"v":"2"}]}],"m:c":[{"l":"a","v":"1"},{"l":"b","v":"2"}]}`},
			bad:  []string{`{"m:l":[{"k":"a","n":[{"v":"1"}]},{"k":"b","n":[{"v":"2"}]}],"m:c":[{"l":"a","v":"2"}]}`}, want: "not a value of"},
		{name: "leafref in a union", body: `list l { key k; leaf k { type string; } } leaf u { type union { type leafref { path "/l/k"; } type enumeration { enum none; } } }`,
			good: []string{`{"m:l":[{"k":"a"}],"m:u":"a"}`, `{"m:u":"none"}`}, bad: []string{`{"m:u":"a"}`}},
		{name: "leafref to a default", body: `leaf d { type string; default x; } leaf r { type leafref { path "../d"; } }`,
			good: []string{`{"m:r":"x"}`, `{"m:d":"y","m:r":"y"}`}, bad: []string{`{"m:d":"y","m:r":"x"}`}},
		{name: "must", body: `container c { leaf a { type int8; } leaf b { type int8; must "not(../a) or . > ../a" { error-message "b is small"; error-app-tag small; } } }`,
			good: c(`"b":1`, `"a":1,"b":2`), bad: c(`"a":2,"b":2`), want: "b is small", path: "/m:c/b"},
		{name: "must on a container that is not there", body: `container c { container np { must "../a"; leaf x { type string; } } leaf a { type string; } }`,
			good: c(`"a":"x"`), bad: c(``), want: "not met"},
		{name: "must and defaults", body: `container c { leaf a { type int8; default 3; } leaf b { type int8; must "../a = 3"; } }`, good: c(`"b":1`, `"a":3,"b":1`), bad: c(`"a":4,"b":1`)},
		{name: "must on a default", body: `container c { leaf a { type int8; default 3; must "not(../b)"; } leaf b { type int8; } }`, good: c(`"a":2`), bad: c(`"b":1`)},
		{name: "when", body: `container c { leaf a { type string; } leaf b { when "../a = 'x'"; type string; } }`, good: c(`"a":"x","b":"y"`, `"a":"y"`), bad: c(`"a":"y","b":"y"`, `"b":"y"`), want: "not allowed here", path: "/m:c/b"},
		{name: "when and mandatory", body: `container c { leaf a { type string; } leaf b { when "../a = 'x'"; type string; mandatory true; } }`, good: c(`"a":"y"`, `"a":"x","b":"z"`), bad: c(`"a":"x"`)},
		{name: "when of uses and augment", body: `grouping g { leaf b { type string; } } container c { leaf a { type string; } uses g { when "a = 'x'"; } container d; } augment /c/d { when "../a = 'x'"; leaf e { type string; } }`,
			good: c(`"a":"x","b":"y","d":{"e":"z"}`), bad: c(`"a":"y","b":"y"`, `"a":"y","d":{"e":"z"}`)},
		{name: "when of choice and case", body: `container c { leaf a { type string; } choice ch { when "a"; case x { when "a = 'x'"; leaf b { type string; } } leaf d { type string; } } }`,
			good: c(`"a":"x","b":"y"`, `"a":"y","d":"y"`), bad: c(`"a":"y","b":"y"`, `"d":"y"`)},
		{name: "functions", body: `identity i; identity j { base i; } identity k { base j; } container c { leaf t { type identityref { base i; } } leaf e { type enumeration { enum a { value 5; } enum b { value 9; } } } leaf f { type bits { bit x; bit y; } } leaf n { type string; }
	  leaf r { type leafref { path "/l/k"; } } leaf o1 { type empty; must "derived-from(../t, 'j')"; } leaf o2 { type empty; must "derived-from-or-self(../t, 'm:j')"; } leaf o3 { type empty; must "enum-value(../e) > 6"; } leaf o4 { type empty; must "bit-is-set(../f, 'y')"; }
	  leaf o5 { type empty; must "re-match(../n, 'a\\d+')"; } leaf o6 { type empty; must "deref(../r)/../v = 'yes'"; } leaf o7 { type empty; must "../t = 'm:k'"; } } list l { key k; leaf k { type string; } leaf v { type string; } }`,
			good: []string{`{"m:c":{"t":"k","o1":[null],"o2":[null],"o7":[null]}}`, `{"m:c":{"t":"j","o2":[null]}}`, `{"m:c":{"e":"b","o3":[null]}}`, `{"m:c":{"f":"x y","o4":[null]}}`, `{"m:c":{"n":"a12","o5":[null]}}`, `{"m:c":{"r":"a","o6":[null]},"m:l":[{"k":"a","v":"yes"}]}`},
			bad:  []string{`{"m:c":{"t":"j","o1":[null]}}`, `{"m:c":{"e":"a","o3":[null]}}`, `{"m:c":{"f":"x","o4":[null]}}`, `{"m:c":{"n":"ba12","o5":[null]}}`, `{"m:c":{"r":"a","o6":[null]},"m:l":[{"k":"a","v":"no"}]}`, `{"m:c":{"t":"j","o7":[null]}}`}},
		{name: "instance-identifier", body: `list l { key k; leaf k { type string; } leaf v { type string; } } leaf i { type instance-identifier; } leaf j { type instance-identifier { require-instance false; } }`,
			good: []string{`{"m:l":[{"k":"a","v":"x"}],"m:i":"/m:l[k='a']/v"}`, `{"m:j":"/m:l[k='a']/v"}`}, bad: []string{`{"m:l":[{"k":"a"}],"m:i":"/m:l[k='a']/v"}`, `{"m:i":"/m:l[k='b']"}`, `{"m:j":"/m:x"}`, `{"m:j":"l"}`}},
		{name: "anydata", body: `anydata a;`, good: []string{`{"m:a":{"x:y":[1,{"z":null}]}}`}, bad: []string{`{"m:a":5}`, `{"m:a":[1]}`}, want: "object"},
		{name: "deviations", body: `container c { leaf a { type string; default q; } leaf b { type string; } leaf d { type string; } leaf-list e { type string; max-elements 3; } } deviation /c/a { deviate delete { default q; } deviate add { mandatory true; } } deviation /c/b { deviate replace { type uint8; } } deviation /c/d { deviate not-supported; } deviation /c/e { deviate replace { max-elements 1; } }`,
			good: c(`"a":"x","b":5`, `"a":"x","e":["1"]`), bad: c(`"b":5`, `"a":"x","b":"y"`, `"a":"x","d":"y"`, `"a":"x","e":["1","2"]`)},
		{name: "refinements", body: `grouping g { leaf a { type string; } leaf-list l { type string; } container k { leaf z { type string; } } } container c { uses g { refine a { mandatory true; } refine l { max-elements 1; } refine k { presence x; must "z"; } } }`,
			good: c(`"a":"x"`, `"a":"x","l":["1"],"k":{"z":"y"}`), bad: c(``, `"a":"x","l":["1","2"]`, `"a":"x","k":{}`)},
		{name: "features", body: `feature f; leaf a { if-feature "not f"; type string; } leaf b { if-feature f; type string; } leaf e { type enumeration { enum x; enum y { if-feature "not f"; } } }`,
			good: []string{`{"m:b":"x"}`, `{"m:e":"x"}`}, bad: []string{`{"m:a":"x"}`, `{"m:e":"y"}`}},
		{name: "syntax", body: `leaf a { type string; }`, good: []string{` { "m:a" : "\u00e4\n" } `},
			bad: []string{`{"m:a":"x"`, `{"m:a":"x",}`, `[]`, `{"m:a":"\x"}`, `{"m:a":"\ud83d"}`, `{"m:a":x}`, `{m:a:"x"}`, "{\"m:a\":\"\x01\"}"}, path: "/"},
	}
}

func check(s *schemas.Set, data string) error {
	tree, err := s.Parse([]byte(data), schemas.ParseOptions{ConfigOnly: true, XML: strings.HasPrefix(data, "<")})
	if err != nil {
		return err
	}
	return s.Validate(tree)
}

func TestData(t *testing.T) {
	for _, tt := range dataCases() {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			modules := map[string]string{"m.yang": wrap(tt.body)}
			set, err := load(modules, "m")
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range tt.good {
				if err := check(set, d); err != nil {
					t.Errorf("%s: refused: %v", d, err)
				}
				if ok, out := yanglint(t, modules, []string{"m"}, d); !ok {
					t.Errorf("%s: yanglint refuses it: %s", d, out)
				}
			}
			for i, d := range tt.bad {
				err := check(set, d)
				var fault *schemas.PathError
				switch {
				case err == nil:
					t.Errorf("%s: accepted", d)
				case !errors.As(err, &fault) || fault.Rule == "" || fault.Line == 0:
					t.Errorf("%s: no rule or line: %v", d, err)
				case !strings.Contains(err.Error(), tt.want):
					t.Errorf("%s: got %v, want %q in it", d, err, tt.want)
				case i == 0 && tt.path != "" && fault.Path != tt.path:
					t.Errorf("%s: path %s, want %s", d, fault.Path, tt.path)
				}
				if ok, _ := yanglint(t, modules, []string{"m"}, d); ok && tt.lenient == "" {
					t.Errorf("%s: yanglint accepts it", d)
				}
			}
		})
	}
}

// TestSyntax has what yanglint's JSON reader gets wrong: RFC 8259 decides.
func TestSyntax(t *testing.T) {
	set, err := load(map[string]string{"m.yang": wrap(`leaf a { type string; } anydata d;`)}, "m")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := set.ParseJSON([]byte(`{"m:a":"\ud83d\ude00\/"}`))
	if err != nil || string(tree.Canonical()) != `{"m:a":"😀/"}` {
		t.Errorf("surrogate pair: %v", err)
	}
	for _, bad := range []string{``, ` `, `{"m:a":"x"} x`, `{"m:a":"x"}{}`, `{"m:a":"\ude00"}`, `{"m:a":01}`, "{\"m:a\":\"\xff\"}", `{"m:d":{"a":1,"a":2}}`, `{"m:d":{"a":1.}}`, `{"m:d":` + strings.Repeat(`{"a":`, 400)} {
		if _, err := set.ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}

// TestTrim: a default that is written out is left out of the canonical form,
// unless it also says which case of a choice is chosen.
func TestTrim(t *testing.T) {
	set, err := load(map[string]string{"m.yang": wrap(`container p { leaf a { type int8; default 1; } leaf-list l { type int8; default 1; default 2; } container np { leaf x { type int8; default 0x10; } }
	  choice ch { default x; leaf x { type int8; default 5; } case y { leaf b { type int8; default 6; } leaf c2 { type int8; default 8; } } case z { container in { leaf d { type int8; default 1; } leaf e { type int8; default 2; } } } } container pr { presence x; } } list k { key k; leaf k { type int8; default 3; } } leaf st { config false; type int8; }`)}, "m")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"m:p":{"a":1}}`:                    `{}`,
		`{"m:p":{"a":2}}`:                    `{"m:p":{"a":2}}`,
		`{"m:p":{"l":[2,1]}}`:                `{}`,
		`{"m:p":{"l":[2]}}`:                  `{"m:p":{"l":[2]}}`,
		`{"m:p":{"np":{"x":16}}}`:            `{}`,
		`{"m:p":{"x":5}}`:                    `{}`,
		`{"m:p":{"b":6}}`:                    `{"m:p":{"b":6}}`,
		`{"m:p":{"c2":8}}`:                   `{"m:p":{"b":6}}`,
		`{"m:p":{"b":6,"c2":8}}`:             `{"m:p":{"b":6}}`,
		`{"m:p":{"b":6,"c2":9}}`:             `{"m:p":{"c2":9}}`,
		`{"m:p":{"in":{"d":1,"e":2}}}`:       `{"m:p":{"in":{"d":1}}}`,
		`{"m:p":{"in":{}}}`:                  `{}`,
		`{"m:p":{"pr":{}}}`:                  `{"m:p":{"pr":{}}}`,
		`{"m:k":[{"k":10},{"k":3},{"k":9}]}`: `{"m:k":[{"k":3},{"k":9},{"k":10}]}`,
		`{"m:st":1}`:                         `{}`,
	} {
		tree, err := set.ParseJSON([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if got := string(tree.Canonical()); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestRangesThatTouch: 3..7 is at least as limiting as "1..4 | 5..9" (RFC 7950
// §9.2.4); yanglint refuses it.
func TestRangesThatTouch(t *testing.T) {
	set, err := load(map[string]string{"m.yang": wrap(`typedef t { type uint8 { range "1..4 | 5..9 | 11"; } } leaf a { type t { range "3..7"; } }`)}, "m")
	if err != nil {
		t.Fatal(err)
	}
	if err := check(set, `{"m:a":5}`); err != nil {
		t.Error(err)
	}
	if check(set, `{"m:a":8}`) == nil {
		t.Error("8 is accepted")
	}
	if _, err := load(map[string]string{"m.yang": wrap(`typedef t { type uint8 { range "1..4 | 5..9 | 11"; } } leaf a { type t { range "3..11"; } }`)}, "m"); err == nil {
		t.Error("a range with a gap in it is accepted")
	}
}

// TestAppTags: the error-app-tag and error-message of a module, and those that
// RFC 7950 §15 gives errors without one, are those of the error.
func TestAppTags(t *testing.T) {
	set, err := load(map[string]string{"m.yang": wrap(`container p { presence x;
	  leaf a { type int8 { range "1..5" { error-message "one to five"; error-app-tag t-range; } } must ". != 3" { error-message "not three"; error-app-tag t-must; } must ". != 4"; }
	  leaf s { type string { length "1..3" { error-app-tag t-length; } pattern "[a-c]*" { error-message "a to c"; error-app-tag t-pattern; } } }
	  leaf r { type leafref { path "/m:l/m:k"; } } leaf i { type instance-identifier; } leaf-list n { type int8; min-elements 1; max-elements 2; }
	  choice c { mandatory true; leaf x { type empty; } leaf y { type empty; } } } list l { key k; unique v; leaf k { type string; } leaf v { type string; } }`)}, "m")
	if err != nil {
		t.Fatal(err)
	}
	p := func(members string) string { return `{"m:p":{"n":[1],"x":[null],` + members + `}}` }
	for data, want := range map[string][2]string{
		p(`"a":6`):                         {"t-range", "one to five"},
		p(`"a":3`):                         {"t-must", "not three"},
		p(`"a":4`):                         {"must-violation", "not met"},
		p(`"s":"abca"`):                    {"t-length", "length"},
		p(`"s":"d"`):                       {"t-pattern", "a to c"},
		p(`"r":"z"`):                       {"instance-required", "not a value"},
		p(`"i":"/m:l[k='z']"`):             {"instance-required", "leads to nothing"},
		`{"m:p":{"x":[null]}}`:             {"too-few-elements", "at least 1"},
		`{"m:p":{"x":[null],"n":[1,2,3]}}`: {"too-many-elements", "at most 2"},
		`{"m:p":{"n":[1]}}`:                {"missing-choice", "one case"},
		`{"m:l":[{"k":"1","v":"x"},{"k":"2","v":"x"}]}`: {"data-not-unique", "values of v"},
	} {
		var fault *schemas.PathError
		if err := check(set, data); !errors.As(err, &fault) || fault.AppTag != want[0] || !strings.Contains(fault.Message, want[1]) {
			t.Errorf("%s: got %+v, want %q", data, err, want)
		}
	}
}

// TestAccessibleTree: expressions of configuration do not see state, those of
// state see both (RFC 7950 §6.4.1).
func TestAccessibleTree(t *testing.T) {
	set, err := load(map[string]string{"m.yang": wrap(`leaf s { config false; type string; must "/m:a = 'y'"; } leaf a { type string; must "not(/m:s)"; }
	  list l { key k; leaf k { type string; } leaf v { config false; type string; } must "count(/m:l[v = 'x']) = 0"; } leaf b { when "/m:s"; type string; }`)}, "m")
	if err != nil {
		t.Fatal(err)
	}
	judge := func(data string) error {
		tree, err := set.ParseJSON([]byte(data))
		if err != nil {
			return err
		}
		return set.Validate(tree)
	}
	entries := make([]string, 12) // enough for an index
	for i := range entries {
		entries[i] = `{"k":"` + string(rune('a'+i)) + `","v":"x"}`
	}
	for _, good := range []string{`{"m:s":"x","m:a":"y"}`, `{"m:a":"z"}`, `{"m:l":[` + strings.Join(entries, ",") + `]}`} {
		if err := judge(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{`{"m:s":"x","m:a":"z"}`, `{"m:s":"x"}`, `{"m:s":"x","m:a":"y","m:b":"z"}`} {
		if judge(bad) == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
}
