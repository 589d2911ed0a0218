package schemas_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cfgvault/cfgvault/schemas"
)

func mod(name, body string) string {
	return "module " + name + " {\n yang-version 1.1; namespace \"urn:" + name + "\"; prefix " + name + ";\n " + body + "\n}\n"
}

// TestModules has what takes more than one module. want is part of the error;
// without it the modules compile and good and bad are data.
func TestModules(t *testing.T) {
	tests := []struct {
		name      string
		modules   map[string]string
		implement []string
		want      string
		why       string // why yanglint compiles what we refuse
		good, bad []string
	}{
		{name: "augment across modules", implement: []string{"b"},
			modules: map[string]string{"a.yang": mod("a", `container c { leaf x { type string; } }`),
				"b.yang": mod("b", `import a { prefix a; } augment /a:c { leaf x { type int8; } }`)},
			good: []string{`{"a:c":{"x":"s","b:x":1}}`}, bad: []string{`{"a:c":{"b:x":"s"}}`, `{"b:c":{}}`, `{"a:c":{"c:x":1}}`}},
		{name: "mandatory augment of another module", implement: []string{"b"}, want: "mandatory node",
			modules: map[string]string{"a.yang": mod("a", `container c;`), "b.yang": mod("b", `import a { prefix a; } augment /a:c { leaf y { type string; mandatory true; } }`)}},
		{name: "grouping of another module", implement: []string{"b"},
			modules: map[string]string{"a.yang": mod("a", `typedef t { type leafref { path "../y"; } } grouping g { container c { leaf x { type t; } leaf y { type string; } leaf z { type string; must "../y"; } } }`),
				"b.yang": mod("b", `import a { prefix a; } uses a:g { augment c { leaf w { type string; } } refine c/y { default q; } }`)},
			good: []string{`{"b:c":{"x":"q","z":"1","w":"2"}}`}, bad: []string{`{"a:c":{}}`, `{"b:c":{"x":"r"}}`}},
		{name: "only imported", implement: []string{"b"},
			modules: map[string]string{"a.yang": mod("a", `typedef t { type int8; } container c;`), "b.yang": mod("b", `import a { prefix a; } leaf x { type a:t; }`)},
			good:    []string{`{"b:x":1}`}, bad: []string{`{"a:c":{}}`}},
		{name: "leafref implements its target", implement: []string{"b"},
			modules: map[string]string{"a.yang": mod("a", `leaf l { type string; }`), "b.yang": mod("b", `import a { prefix a; } leaf x { type leafref { path "/a:l"; } }`)},
			good:    []string{`{"a:l":"q","b:x":"q"}`}, bad: []string{`{"a:l":"q","b:x":"r"}`}},
		{name: "identities of several modules", implement: []string{"a", "b"},
			modules: map[string]string{"a.yang": mod("a", `identity i; leaf l { type identityref { base i; } }`), "b.yang": mod("b", `import a { prefix a; } identity j { base a:i; }`)},
			good:    []string{`{"a:l":"b:j"}`}, bad: []string{`{"a:l":"j"}`, `{"a:l":"a:j"}`}},
		{name: "identity of a module that is not implemented", implement: []string{"b"},
			modules: map[string]string{"a.yang": mod("a", `identity i; identity j { base i; }`), "b.yang": mod("b", `import a { prefix a; } leaf l { type identityref { base a:i; } }`)},
			good:    []string{`{}`}, bad: []string{`{"b:l":"a:x"}`, `{"b:l":"a:j"}`}},
		{name: "submodule", implement: []string{"a"},
			modules: map[string]string{"a.yang": mod("a", `include s; include u; container c { uses g; }`),
				"s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix p; } grouping g { leaf x { type p:t; } } augment /p:c { leaf z { type t; } } }`,
				"u.yang": `submodule u { yang-version 1.1; belongs-to a { prefix a; } typedef t { type int8; } leaf top { type t; } }`},
			good: []string{`{"a:c":{"x":1,"z":2},"a:top":3}`}, bad: []string{`{"a:c":{"x":"1"}}`, `{"u:top":3}`}},
		{name: "submodule of another module", implement: []string{"a"}, want: "belongs to",
			modules: map[string]string{"a.yang": mod("a", `include s;`), "s.yang": `submodule s { yang-version 1.1; belongs-to b { prefix p; } }`}},
		{name: "circular import", implement: []string{"a"}, want: "circle",
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; }`), "b.yang": mod("b", `import a { prefix a; }`)}},
		{name: "missing import", implement: []string{"a"}, want: "module nowhere was not found", modules: map[string]string{"a.yang": mod("a", `import nowhere { prefix b; }`)}},
		{name: "prefix twice", implement: []string{"a"}, want: "used twice", modules: map[string]string{"a.yang": mod("a", `import b { prefix a; }`), "b.yang": mod("b", ``)}},
		{name: "import by revision", implement: []string{"a"},
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; revision-date 2020-01-01; } leaf x { type b:t; }`),
				"b@2020-01-01.yang": mod("b", `revision 2020-01-01; typedef t { type int8; }`), "b@2021-01-01.yang": mod("b", `revision 2021-01-01; typedef t { type string; }`)},
			good: []string{`{"a:x":1}`}, bad: []string{`{"a:x":"y"}`}},
		{name: "newest revision", implement: []string{"a"},
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; } leaf x { type b:t; }`),
				"b@2020-01-01.yang": mod("b", `revision 2020-01-01; typedef t { type int8; }`), "b@2021-01-01.yang": mod("b", `revision 2021-01-01; typedef t { type string; }`)},
			good: []string{`{"a:x":"y"}`}, bad: []string{`{"a:x":1}`}},
		{name: "deviation by another module", implement: []string{"a", "d"},
			modules: map[string]string{"a.yang": mod("a", `container c { leaf x { type string; } list l { key k; unique v; leaf k { type string; } leaf v { type string; } must "v"; } }`),
				"d.yang": mod("d", `import a { prefix a; } deviation /a:c/a:x { deviate replace { type int8; } } deviation /a:c/a:l { deviate delete { unique v; must "v"; } }`)},
			good: []string{`{"a:c":{"x":1,"l":[{"k":"1","v":"x"},{"k":"2","v":"x"},{"k":"3"}]}}`}, bad: []string{`{"a:c":{"x":"1"}}`}},
		{name: "same name from two modules", implement: []string{"a", "b", "d"},
			modules: map[string]string{"a.yang": mod("a", `container c;`), "b.yang": mod("b", `import a { prefix a; } augment /a:c { container x { leaf v { type int8; } } }`), "d.yang": mod("d", `import a { prefix a; } augment /a:c { container x { leaf v { type string; } } }`)},
			good:    []string{`{"a:c":{"b:x":{"v":1},"d:x":{"v":"s"}}}`}, bad: []string{`{"a:c":{"x":{}}}`, `{"a:c":{"b:x":{"v":"s"}}}`}},
		{name: "yang version 1", implement: []string{"a"}, want: "needs yang-version 1.1",
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; anydata x; }`}},
		{name: "when of an augment sees the target", implement: []string{"b"},
			modules: map[string]string{"a.yang": mod("a", `list l { key k; leaf k { type string; } leaf t { type string; } }`),
				"b.yang": mod("b", `import a { prefix a; } augment /a:l { when "a:t = 'x'"; leaf y { type string; mandatory true; } }`)},
			good: []string{`{"a:l":[{"k":"1","t":"x","b:y":"1"},{"k":"2"}]}`}, bad: []string{`{"a:l":[{"k":"1","b:y":"1"}]}`, `{"a:l":[{"k":"1","t":"x"}]}`}},
		{name: "5.1 a name of another module has its prefix", implement: []string{"a"}, want: "no type",
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; } leaf x { type t; }`), "b.yang": mod("b", `typedef t { type string; }`)}},
		{name: "5.1 only top-level definitions are lent", implement: []string{"a"}, want: "no type",
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; } leaf x { type b:t; }`), "b.yang": mod("b", `container c { typedef t { type string; } }`)}},
		{name: "5.1 a module does not import itself", implement: []string{"a"}, want: "imports itself",
			modules: map[string]string{"a.yang": mod("a", `import a { prefix b; }`)}},
		{name: "5.1 a submodule does not import its module", implement: []string{"a"}, want: "imports itself",
			modules: map[string]string{"a.yang": mod("a", `include s;`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } import a { prefix q; } }`}},
		{name: "5.1 a circle of three imports", implement: []string{"a"}, want: "circle",
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; }`), "b.yang": mod("b", `import c { prefix c; }`), "c.yang": mod("c", `import a { prefix a; }`)}},
		{name: "5.1 a submodule is not imported", implement: []string{"a"}, want: "was wanted",
			modules: map[string]string{"a.yang": mod("a", `import s { prefix s; }`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } }`}},
		{name: "5.1 submodules of 1.1 see the module and each other", implement: []string{"a"},
			modules: map[string]string{"a.yang": mod("a", `include s; include u; typedef t { type int8; }`),
				"s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix p; } leaf x { type t; } leaf y { type p:v; } }`,
				"u.yang": `submodule u { yang-version 1.1; belongs-to a { prefix a; } include s; typedef v { type t; } }`},
			good: []string{`{"a:x":1,"a:y":2}`}, bad: []string{`{"a:y":"z"}`}},
		{name: "5.1 submodules of 1.1 may include each other", implement: []string{"a"},
			modules: map[string]string{"a.yang": mod("a", `include s; include u;`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } include u; leaf x { type string; } }`,
				"u.yang": `submodule u { yang-version 1.1; belongs-to a { prefix a; } include s; }`},
			good: []string{`{"a:x":"1"}`}, bad: []string{`{"s:x":"1"}`}},
		{name: "5.1 a module of 1.1 includes all its submodules", implement: []string{"a"}, want: "does not include all",
			modules: map[string]string{"a.yang": mod("a", `include s;`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } include u; }`,
				"u.yang": `submodule u { yang-version 1.1; belongs-to a { prefix a; } leaf x { type string; } }`}},
		{name: "6020 5.1 submodules of 1 do not include each other in a circle", implement: []string{"a"}, want: "circle", why: "RFC 6020 §5.1: no circular chains of imports or includes",
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; include s; include u; }`, "s.yang": `submodule s { belongs-to a { prefix a; } include u; }`,
				"u.yang": `submodule u { belongs-to a { prefix a; } include s; }`}},
		{name: "6020 5.1 a submodule of 1 includes what it refers to", implement: []string{"a"},
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; include s; include u; }`, "s.yang": `submodule s { belongs-to a { prefix a; } include u; leaf x { type t; } }`,
				"u.yang": `submodule u { belongs-to a { prefix a; } typedef t { type int8; } }`},
			good: []string{`{"a:x":1}`}, bad: []string{`{"a:x":"z"}`}},
		{name: "6020 5.1 a submodule of 1 does not see what it does not include", implement: []string{"a"}, want: "no type", why: "RFC 6020 §5.1: to reference definitions of a submodule it has to be included",
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; include s; include u; }`, "s.yang": `submodule s { belongs-to a { prefix a; } leaf x { type t; } }`,
				"u.yang": `submodule u { belongs-to a { prefix a; } typedef t { type int8; } }`}},
		{name: "6020 5.1 a submodule of 1 does not see its module", implement: []string{"a"}, want: "no type", why: "RFC 6020 §7.2.2: the prefix reaches the submodule and those that it includes",
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; include s; typedef t { type int8; } }`, "s.yang": `submodule s { belongs-to a { prefix a; } leaf x { type t; } }`}},
		{name: "5.3 modules have different namespaces", implement: []string{"a"}, want: "has the namespace",
			modules: map[string]string{"a.yang": `module a { namespace urn:x; prefix a; import b { prefix b; } }`, "b.yang": `module b { namespace urn:x; prefix b; }`}},
		{name: "7.1.4 the prefix of a submodule is taken", implement: []string{"a"}, want: "used twice",
			modules: map[string]string{"a.yang": mod("a", `include s;`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix p; } import b { prefix p; } }`, "b.yang": mod("b", ``)}},
		{name: "7.1.4 the module's own prefix is not that of a submodule", implement: []string{"a"}, want: "prefix",
			modules: map[string]string{"a.yang": mod("a", `include s;`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix p; } leaf x { type a:t; } typedef t { type string; } }`}},
		{name: "7.1.5 two revisions of one module", implement: []string{"a"},
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; revision-date 2020-01-01; } import b { prefix c; revision-date 2021-01-01; } leaf x { type b:t; } leaf y { type c:t; }`),
				"b@2020-01-01.yang": mod("b", `revision 2020-01-01; typedef t { type int8; }`), "b@2021-01-01.yang": mod("b", `revision 2021-01-01; typedef t { type string; }`)},
			good: []string{`{"a:x":1,"a:y":"z"}`}, bad: []string{`{"a:x":"z"}`, `{"a:y":1}`}},
		{name: "7.1.5 a revision that is not there", implement: []string{"a"}, want: "was not found",
			modules: map[string]string{"a.yang": mod("a", `import b { prefix b; revision-date 2019-01-01; }`), "b@2020-01-01.yang": mod("b", `revision 2020-01-01;`)}},
		{name: "7.1.6 a submodule is included once", implement: []string{"a"}, want: "included twice",
			modules: map[string]string{"a.yang": mod("a", `include s; include s;`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } }`}},
		{name: "7.1.6 a submodule in two revisions", implement: []string{"a"}, want: "revisions",
			modules: map[string]string{"a.yang": mod("a", `include s { revision-date 2020-01-01; } include u;`), "s@2020-01-01.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } revision 2020-01-01; }`,
				"s@2021-01-01.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } revision 2021-01-01; }`,
				"u.yang":            `submodule u { yang-version 1.1; belongs-to a { prefix a; } include s { revision-date 2021-01-01; } }`}},
		{name: "6.2.1 names of all submodules are one namespace", implement: []string{"a"}, want: "twice",
			modules: map[string]string{"a.yang": mod("a", `include s; leaf x { type string; }`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix p; } leaf x { type string; } }`}},
		{name: "6.2.1 features of all submodules are one namespace", implement: []string{"a"}, want: "twice",
			modules: map[string]string{"a.yang": mod("a", `include s; feature f;`), "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix p; } feature f; }`}},
		{name: "7.13 a grouping of another module refers to its own definitions", implement: []string{"a", "b"},
			modules: map[string]string{"a.yang": mod("a", `typedef t { type int8; } identity i; identity j { base i; } grouping g { leaf x { type t; } leaf y { type identityref { base i; } default j; } leaf z { type empty; must "../x > 3 and derived-from(../y, 'a:i')"; } }`),
				"b.yang": mod("b", `import a { prefix a; } container c { uses a:g; }`)},
			good: []string{`{"b:c":{"x":4,"z":[null]}}`, `{"b:c":{"x":4,"y":"a:j"}}`}, bad: []string{`{"b:c":{"x":3,"z":[null]}}`, `{"b:c":{"x":"s"}}`, `{"b:c":{"y":"j"}}`}},
		{name: "7.20.3 deviations of two modules", implement: []string{"a", "d", "e"},
			modules: map[string]string{"a.yang": mod("a", `leaf x { type string; } leaf y { type string; }`), "d.yang": mod("d", `import a { prefix a; } deviation /a:x { deviate replace { type int8; } }`),
				"e.yang": mod("e", `import a { prefix a; } deviation /a:x { deviate add { must ". > 3"; } } deviation /a:y { deviate not-supported; }`)},
			good: []string{`{"a:x":4}`}, bad: []string{`{"a:x":3}`, `{"a:x":"s"}`, `{"a:y":"s"}`}},
		{name: "12 a module of 1.1 does not include a submodule of 1", implement: []string{"a"}, want: "another version", why: "RFC 7950 §12",
			modules: map[string]string{"a.yang": mod("a", `include s;`), "s.yang": `submodule s { belongs-to a { prefix a; } }`}},
		{name: "12 a module of 1 does not include a submodule of 1.1", implement: []string{"a"}, want: "another version", why: "RFC 7950 §12",
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; include s; }`, "s.yang": `submodule s { yang-version 1.1; belongs-to a { prefix a; } }`}},
		{name: "12 a module of 1 does not import one of 1.1 by revision", implement: []string{"a"}, want: "by revision", why: "RFC 7950 §12",
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; import b { prefix b; revision-date 2020-01-01; } }`, "b.yang": mod("b", `revision 2020-01-01;`)}},
		{name: "12 a module of 1 imports one of 1.1", implement: []string{"a"},
			modules: map[string]string{"a.yang": `module a { namespace urn:a; prefix a; import b { prefix b; } leaf x { type b:t; } }`, "b.yang": mod("b", `revision 2020-01-01; typedef t { type int8; }`)},
			good:    []string{`{"a:x":1}`}, bad: []string{`{"a:x":"s"}`}},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			set, err := load(tt.modules, tt.implement...)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q in it", err, tt.want)
				}
				if ok, _ := yanglint(t, tt.modules, tt.implement, ""); ok != (tt.why != "") {
					t.Errorf("yanglint accepts: %t", ok)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range tt.good {
				if err := check(set, d); err != nil {
					t.Errorf("%s: refused: %v", d, err)
				}
				if ok, out := yanglint(t, tt.modules, tt.implement, d); !ok {
					t.Errorf("%s: yanglint refuses it: %s", d, out)
				}
			}
			for _, d := range tt.bad {
				if check(set, d) == nil {
					t.Errorf("%s: accepted", d)
				}
				if ok, _ := yanglint(t, tt.modules, tt.implement, d); ok {
					t.Errorf("%s: yanglint accepts it", d)
				}
			}
		})
	}
}

// TestHostile: modules that would exhaust a naive compiler are refused.
func TestHostile(t *testing.T) {
	bomb := "leaf x { type string; }"
	var groups strings.Builder
	for i := range 40 {
		groups.WriteString(strings.NewReplacer("N", string(rune('A'+i%26))+string(rune('a'+i/26)), "B", bomb).Replace("grouping N { container a { B } container b { B } container c { B } }\n"))
		bomb = "uses " + string(rune('A'+i%26)) + string(rune('a'+i/26)) + ";"
	}
	tests := []struct{ name, text, want string }{
		{"groupings that multiply", mod("m", groups.String()+bomb), "more than"},
		{"deep braces", strings.Repeat("a{", 2_000_000), "nested"},
		{"deep containers", mod("m", strings.Repeat("container c {", 250)+strings.Repeat("}", 250)), "deep"},
		{"deep union", mod("m", "leaf a { type "+strings.Repeat("union { type ", 200)+"string;"+strings.Repeat("}", 201)), "deep"},
		{"repeated repeats", mod("m", `leaf a { type string { pattern '((((a{1,60000}){1,60000}){1,60000}){1,60000})'; } }`), "too large"},
		{"deep expression", mod("m", `leaf a { type string; must "`+strings.Repeat("(", 100_000)+`"; }`), "too long"},
		{"deep expression within the limit", mod("m", `leaf a { type string; must "`+strings.Repeat("(", 10_000)+`"; }`), "deep"},
		{"deep feature expression", mod("m", `feature f; leaf a { type string; if-feature "`+strings.Repeat("not ", 10_000)+`f"; }`), "deep"},
		{"not UTF-8", "module m { \xff }", "UTF-8"},
		{"empty", "", "no module"},
		{"two modules", mod("m", "") + mod("n", ""), "more than one"},
		{"unbalanced", "module m {", "closing brace"},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			if _, err := load(map[string]string{"m.yang": tt.text}, "m"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.300v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestSources: modules come from the sources that are given and from nowhere
// else.
func TestSources(t *testing.T) {
	t.Chdir(t.TempDir())
	src, err := schemas.FS(fstest.MapFS{"a.yang": {Data: []byte(mod("a", `import b { prefix b; }`))}, "sub/b.yang": {Data: []byte(mod("b", ""))}, "a.txt": {}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = schemas.Load(schemas.Options{Search: []schemas.Source{src}}, "a")
	if err == nil || !strings.Contains(err.Error(), "a.yang:3:") || !strings.Contains(err.Error(), "module b was not found") {
		t.Errorf("got %v", err)
	}
	if _, _, err := src.Module("zzz", ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	name, rev, err := schemas.ModuleName([]byte(mod("q", `revision 2020-01-01; revision 2022-02-02; revision 2021-01-01;`)), "x")
	if name != "q" || rev != "2022-02-02" || err != nil {
		t.Errorf("got %s %s %v", name, rev, err)
	}
	if _, err := schemas.Load(schemas.Options{Search: []schemas.Source{schemas.Embedded()}}, "cfgvault-system@1999-01-01"); err == nil {
		t.Error("a revision that is not there was found")
	}
}

// TestFeaturesOff: what a feature rules out is compiled and is not there.
func TestFeaturesOff(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       string // of the refusal, "" if it compiles
		good, bad  []string
		ours       string // data that is valid, on which yanglint fails
	}{
		{name: "augment", body: `feature f; augment /c { leaf x { type string; } } container c { if-feature f; } leaf a { type string; }`, good: []string{`{"m:a":"x"}`}, bad: []string{`{"m:c":{"x":"y"}}`}},
		{name: "refine", body: `feature f; grouping g { leaf a { if-feature f; type string; } leaf b { type string; } } uses g { refine a { default x; } }`, good: []string{`{"m:b":"x"}`}, bad: []string{`{"m:a":"x"}`}},
		{name: "refine with a feature", body: `feature f; grouping g { leaf a { type string; } leaf b { type string; } } uses g { refine a { if-feature f; } }`, good: []string{`{"m:b":"x"}`}, bad: []string{`{"m:a":"x"}`}},
		{name: "uses", body: `feature f; grouping g { leaf a { type string; } } uses g { if-feature f; } leaf b { type string; }`, good: []string{`{"m:b":"x"}`}, bad: []string{`{"m:a":"x"}`}},
		{name: "uses augment", body: `feature f; grouping g { container c { if-feature f; } } uses g { augment c { leaf x { type string; } } } leaf b { type string; }`, good: []string{`{"m:b":"x"}`}, bad: []string{`{"m:c":{"x":"y"}}`}},
		{name: "deviation", body: `feature f; leaf a { if-feature f; type string; } deviation /a { deviate add { units x; } } leaf b { type string; }`, good: []string{`{"m:b":"x"}`}, bad: []string{`{"m:a":"x"}`}},
		{name: "unique", body: `feature f; list l { key k; unique "v w"; leaf k { type string; } leaf w { type string; } leaf v { if-feature f; type string; } }`, good: []string{`{"m:l":[{"k":"1","w":"x"}]}`}, bad: []string{`{"m:l":[{"k":"1","v":"x"}]}`}, ours: `{"m:l":[{"k":"1","w":"x"},{"k":"2","w":"x"}]}`},
		{name: "default case", body: `feature f; choice c { default x; case x { if-feature f; leaf a { type int8; default 1; } } leaf b { type string; } }`, good: []string{`{"m:b":"x"}`}, bad: []string{`{"m:a":1}`}},
		{name: "mandatory", body: `feature f; leaf a { if-feature f; type string; mandatory true; } leaf b { type string; }`, good: []string{`{"m:b":"x"}`}, bad: []string{`{"m:a":"x"}`}},
		{name: "leafrefs together", body: `feature f; leaf a { if-feature f; type string; } leaf b { if-feature f; type leafref { path "../a"; } } leaf c { type string; }`, good: []string{`{"m:c":"x"}`}, bad: []string{`{"m:b":"x"}`}},
		{name: "enums and bits", body: `feature f; leaf a { type enumeration { enum x { if-feature f; } enum y; } } leaf b { type bits { bit x { if-feature f; } bit y; } }`, good: []string{`{"m:a":"y","m:b":"y"}`}, bad: []string{`{"m:a":"x"}`, `{"m:b":"x y"}`}},
		{name: "identities", body: `feature f; identity i; identity j { if-feature f; base i; } identity k { base i; } leaf a { type identityref { base i; } }`, good: []string{`{"m:a":"k"}`}, bad: []string{`{"m:a":"j"}`}},
		{name: "leafref to what is not there", body: `feature f; leaf a { if-feature f; type string; } leaf b { type leafref { path "../a"; } }`, want: "no node"},
		{name: "key that is not there", body: `feature f; list l { key k; uses g { if-feature f; } leaf v { type string; } } grouping g { leaf k { type string; } }`, want: "ruled out"},
		{name: "default enum that is not there", body: `feature f; leaf a { type enumeration { enum x { if-feature f; } enum y; } default x; }`, want: "default"},
		{name: "faults in what is not there", body: `feature f; leaf a { if-feature f; type nosuch; }`, want: "no type"},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			modules := map[string]string{"m.yang": wrap(tt.body)}
			set, err := schemas.Load(schemas.Options{Search: []schemas.Source{schemas.Files(map[string][]byte{"m.yang": []byte(wrap(tt.body))})},
				Feature: func(string, string) bool { return false }}, "m")
			none := []string{"-F", "m:"}
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q in it", err, tt.want)
				}
				if ok, _ := yanglintWith(t, none, modules, []string{"m"}, ""); ok {
					t.Error("yanglint accepts it")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range tt.good {
				if err := check(set, d); err != nil {
					t.Errorf("%s: refused: %v", d, err)
				}
				if ok, out := yanglintWith(t, none, modules, []string{"m"}, d); !ok {
					t.Errorf("%s: yanglint refuses it: %s", d, out)
				}
			}
			if tt.ours != "" {
				if err := check(set, tt.ours); err != nil {
					t.Errorf("%s: refused: %v", tt.ours, err)
				}
			}
			for _, d := range tt.bad {
				if check(set, d) == nil {
					t.Errorf("%s: accepted", d)
				}
				if ok, _ := yanglintWith(t, none, modules, []string{"m"}, d); ok {
					t.Errorf("%s: yanglint accepts it", d)
				}
			}
		})
	}
}
