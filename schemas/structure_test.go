package schemas_test

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// Of these two modules only the extensions matter here.
const (
	structureExt = `module ietf-yang-structure-ext { yang-version 1.1; namespace "urn:ietf:params:xml:ns:yang:ietf-yang-structure-ext"; prefix sx;
  extension structure { argument name { yin-element true; } } extension augment-structure { argument path; } }`
	restconf = `module ietf-restconf { yang-version 1.1; namespace "urn:ietf:params:xml:ns:yang:ietf-restconf"; prefix rc; extension yang-data { argument name; } }`
)

func structureModules(body string, more map[string]string) map[string]string {
	modules := map[string]string{"sx.yang": structureExt, "rc.yang": restconf,
		"m.yang": mod("m", "import ietf-yang-structure-ext { prefix sx; } import ietf-restconf { prefix rc; } "+body)}
	for f, text := range more {
		modules[f] = text
	}
	return modules
}

// TestStructures: structures and yang-data templates are trees of their own,
// whose data is read and validated like that of a datastore.
func TestStructures(t *testing.T) {
	const body = `typedef t { type int8; } container c { leaf a { type string; } }
  sx:structure s { typedef u { type t { range "1..5"; } } grouping g { leaf g { type u; mandatory true; } } must "not(x) or x = ../m:s/x";
    leaf x { config false; type string; } list l { leaf k { type string; } } list k { key n; leaf n { type string; } } container in { uses g; } leaf r { type leafref { path "/m:s/m:k/m:n"; } } choice ch { leaf p { type empty; } leaf q { type empty; } } }
  rc:yang-data errors { container errors { leaf e { type string; mandatory true; } } }
  rc:yang-data either { choice c { container one { leaf a { type int8; } } container two; } }`
	more := map[string]string{"n.yang": mod("n", `import m { prefix m; } import ietf-yang-structure-ext { prefix sx; } sx:augment-structure /m:s/m:in { container deep; } sx:augment-structure /m:s/m:in/deep { leaf extra { type int8; } } sx:augment-structure /m:s/m:ch { case z { leaf z { type string; } } }`)}
	set, err := load(structureModules(body, more), "m", "n")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(set.Structures(), " "); got != "m:either m:errors m:s" {
		t.Errorf("structures: %s", got)
	}
	if set.Structure("m", "c") != nil || set.Structure("m", "s") != set.Structure("m", "s") || set.Structure("m", "s").Hash() == set.Hash() {
		t.Error("a structure's set is not one of its own")
	}
	for _, tt := range []struct {
		of        string
		good, bad []string
	}{
		{"s", []string{`{}`, `{"m:s":{"x":"y","l":[{"k":"1"},{"k":"1"}],"in":{"g":3,"n:deep":{"extra":1}},"k":[{"n":"a"}],"r":"a","n:z":"1"}}`, `{"m:s":{"in":{"g":1},"p":[null]}}`},
			[]string{`{"m:s":{}}`, `{"m:c":{}}`, `{"m:s":{"in":{"g":6}}}`, `{"m:s":{"in":{"g":1},"r":"a"}}`, `{"m:s":{"in":{"g":1},"k":[{"n":"a"},{"n":"a"}]}}`, `{"m:s":{"in":{"g":1},"p":[null],"n:z":"1"}}`, `{"m:s":{"in":{"g":1},"zz":1}}`}},
		{"errors", []string{`{"m:errors":{"e":"x"}}`}, []string{`{"m:errors":{}}`, `{"m:c":{}}`, `{"m:s":{"in":{"g":1}}}`}},
		{"either", []string{`{"m:one":{"a":1}}`, `{"m:two":{}}`}, []string{`{"m:one":{"a":1},"m:two":{}}`, `{"m:one":{"a":"x"}}`}},
	} {
		of := set.Structure("m", tt.of)
		for _, d := range tt.good {
			if err := check(of, d); err != nil {
				t.Errorf("%s: %s: %v", tt.of, d, err)
			}
		}
		for _, d := range tt.bad {
			if check(of, d) == nil {
				t.Errorf("%s: %s: accepted", tt.of, d)
			}
		}
	}
	if err := check(set, `{"m:c":{"a":"x"}}`); err != nil {
		t.Errorf("the datastore is no longer what it was: %v", err)
	}
	if check(set, `{"m:s":{"in":{"g":1}}}`) == nil {
		t.Error("a structure is data of the datastore")
	}
	tree, err := set.Structure("m", "s").Parse([]byte(`<s xmlns="urn:m"><in><g>3</g></in><x>y</x></s>`), schemas.ParseOptions{XML: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(tree.Canonical()); got != `{"m:s":{"in":{"g":3},"x":"y"}}` {
		t.Errorf("canonical: %s", got)
	}
}

func TestStructuresRefused(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`sx:structure s; sx:structure s;`, "defined twice"},
		{`sx:structure "a b";`, "not an identifier"},
		{`sx:structure s; choice s { leaf a { type string; } }`, "name of a top-level choice"},
		{`container c { sx:structure s { leaf a { type string; } } }`, "top of a module"},
		{`sx:structure s { rpc r; }`, "cannot stand in"},
		{`sx:structure s { config false; }`, "cannot stand in"},
		{`sx:structure s { leaf a { type leafref { path "/m:c"; } } } leaf c { type string; }`, "no node"},
		{`sx:structure s { leaf a { type nosuch; } }`, "no type"},
		{`sx:structure s { list l { key k; leaf a { type string; } } }`, "not a leaf"},
		{`sx:structure s { leaf a { type string; } leaf a { type string; } }`, "there twice"},
		{`sx:structure s { foo; }`, "unknown statement"},
		{`sx:augment-structure /m:s { leaf a { type string; } }`, "does not exist"},
		{`sx:structure s; sx:augment-structure /m:s/m:t { leaf a { type string; } }`, "does not exist"},
		{`sx:structure s; sx:augment-structure s { leaf a { type string; } }`, "not an absolute"},
		{`sx:structure s; sx:augment-structure /m:s { when "1"; leaf a { type string; } }`, "cannot stand in"},
		{`rc:yang-data d { leaf a { type string; } }`, "other top-level nodes"},
		{`rc:yang-data d { container a; container b; }`, "other top-level nodes"},
		{`rc:yang-data d;`, "other top-level nodes"},
		{`rc:yang-data d { choice c { container a; leaf b { type string; } } }`, "other top-level nodes"},
	} {
		if _, err := load(structureModules(tt.body, nil), "m"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.body, err, tt.want)
		}
	}
}
