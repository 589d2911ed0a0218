package schemas_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// compileCase is a module's body that is accepted, and what makes it refused.
// Both verdicts are compared with yanglint's unless differs says why not.
type compileCase struct {
	name    string
	good    string
	bad     string
	want    string // part of the message
	lenient string // why yanglint accepts what we refuse, with the section that decides
}

func compileCases() []compileCase {
	return []compileCase{
		{name: "leaf without type", good: `leaf a { type string; }`, bad: `leaf a { description x; }`, want: `no "type"`},
		{name: "unknown statement", good: `leaf a { type string; }`, bad: `leaf a { type string; foo 1; }`, want: "unknown statement"},
		{name: "statement in the wrong place", good: `container c { presence x; }`, bad: `leaf c { type string; presence x; }`, want: "cannot stand"},
		{name: "twice", good: `leaf a { type string; units x; }`, bad: `leaf a { type string; units x; units y; }`, want: "more than one"},
		{name: "duplicate node", good: `leaf a { type string; } leaf b { type string; }`, bad: `leaf a { type string; } leaf a { type string; }`, want: "there twice"},
		{name: "duplicate node through a choice", good: `leaf a { type string; } choice c { leaf b { type string; } }`, bad: `leaf a { type string; } choice c { leaf a { type string; } }`, want: "there twice"},
		{name: "duplicate across cases", good: `choice c { case x { leaf b { type string; } } case y { leaf d { type string; } } }`, bad: `choice c { case x { leaf b { type string; } } case y { leaf b { type string; } } }`, want: "there twice"},
		{name: "unknown type", good: `typedef t { type string; } leaf a { type t; }`, bad: `leaf a { type t; }`, want: "no type"},
		{name: "unknown prefix", good: `leaf a { type m:t; } typedef t { type string; }`, bad: `leaf a { type x:t; }`, want: "prefix"},
		{name: "circular typedef", good: `typedef a { type b; } typedef b { type string; } leaf x { type a; }`, bad: `typedef a { type b; } typedef b { type a; } leaf x { type a; }`, want: "derives from itself"},
		{name: "circular typedef in a union", good: `typedef a { type union { type string; type int8; } }`, bad: `typedef a { type union { type string; type a; } }`, want: "derives from itself",
			lenient: "libyang does not look at a typedef that nothing uses (§7.3: it must not reference itself)"},
		{name: "circular grouping", good: `grouping a { uses b; } grouping b { leaf x { type string; } } uses a;`, bad: `grouping a { uses b; } grouping b { uses a; } uses a;`, want: "uses itself"},
		{name: "circular grouping below a container", good: `grouping a { container c { leaf x { type string; } } } uses a;`, bad: `grouping a { container c { uses a; } } uses a;`, want: "uses itself"},
		{name: "circular identity", good: `identity a { base b; } identity b;`, bad: `identity a { base b; } identity b { base a; }`, want: "derives from itself"},
		{name: "circular feature", good: `feature a { if-feature b; } feature b;`, bad: `feature a { if-feature b; } feature b { if-feature a; }`, want: "depends on itself"},
		{name: "unknown grouping", good: `grouping g; uses g;`, bad: `uses g;`, want: "no grouping"},
		{name: "unknown feature", good: `feature f; leaf a { if-feature f; type string; }`, bad: `leaf a { if-feature f; type string; }`, want: "no feature"},
		{name: "if-feature expression", good: `feature f; feature g; leaf a { if-feature "f and (not g or f)"; type string; }`, bad: `feature f; leaf a { if-feature "f and"; type string; }`, want: "if-feature"},
		{name: "unknown identity", good: `identity i; leaf a { type identityref { base i; } }`, bad: `leaf a { type identityref { base i; } }`, want: "no identity"},
		{name: "identityref without base", good: `identity i; leaf a { type identityref { base i; } }`, bad: `leaf a { type identityref; }`, want: "base"},
		{name: "keyless list", good: `list l { config false; leaf a { type string; } }`, bad: `list l { leaf a { type string; } }`, want: "no key"},
		{name: "key that is no leaf", good: `list l { key a; leaf a { type string; } }`, bad: `list l { key b; leaf a { type string; } }`, want: "is not a leaf"},
		{name: "key in a container", good: `list l { key a; leaf a { type string; } container c; }`, bad: `list l { key c; leaf a { type string; } container c; }`, want: "is not a leaf"},
		{name: "key twice", good: `list l { key "a b"; leaf a { type string; } leaf b { type string; } }`, bad: `list l { key "a a"; leaf a { type string; } }`, want: "there twice"},
		{name: "key with when", good: `list l { key a; leaf a { type string; } }`, bad: `list l { key a; leaf a { when "1"; type string; } }`, want: "depends on a when"},
		{name: "key state", good: `list l { config false; key a; leaf a { type string; } }`, bad: `list l { key a; leaf a { config false; type string; } }`, want: "differ in config"},
		{name: "config below state", good: `container c { config false; leaf a { config false; type string; } }`, bad: `container c { config false; leaf a { config true; type string; } }`, want: "cannot be configuration"},
		{name: "default out of range", good: `leaf a { type uint8 { range "1..5"; } default 5; }`, bad: `leaf a { type uint8 { range "1..5"; } default 6; }`, want: "default"},
		{name: "default of a typedef no longer fits", good: `typedef t { type uint8; default 3; } leaf a { type t { range "1..5"; } }`, bad: `typedef t { type uint8; default 9; } leaf a { type t { range "1..5"; } }`, want: "default"},
		{name: "hexadecimal default", good: `leaf a { type uint8; default 0x1f; }`, bad: `leaf a { type uint8; default 0x1ff; }`, want: "default"},
		{name: "mandatory with default", good: `leaf a { type string; mandatory true; }`, bad: `leaf a { type string; mandatory true; default x; }`, want: "mandatory"},
		{name: "leaf-list default with min", good: `leaf-list a { type string; default x; }`, bad: `leaf-list a { type string; default x; min-elements 1; }`, want: "min-elements"},
		{name: "leaf-list default twice", good: `leaf-list a { type string; default x; default y; }`, bad: `leaf-list a { type string; default x; default x; }`, want: "twice"},
		{name: "min above max", good: `leaf-list a { type string; min-elements 1; max-elements 1; }`, bad: `leaf-list a { type string; min-elements 2; max-elements 1; }`, want: "more elements"},
		{name: "max of zero", good: `leaf-list a { type string; max-elements 1; }`, bad: `leaf-list a { type string; max-elements 0; }`, want: "count"},
		{name: "empty with default", good: `leaf a { type empty; }`, bad: `leaf a { type empty; default ""; }`, want: "empty",
			lenient: "§9.11: an empty type cannot have a default"},
		{name: "range wider than its type", good: `typedef t { type uint8 { range "1..10"; } } leaf a { type t { range "2..3 | 5"; } }`, bad: `typedef t { type uint8 { range "1..10"; } } leaf a { type t { range "2..11"; } }`, want: "range"},
		{name: "range out of order", good: `leaf a { type uint8 { range "1..2 | 4"; } }`, bad: `leaf a { type uint8 { range "4 | 1..2"; } }`, want: "range"},
		{name: "range backwards", good: `leaf a { type int8 { range "-3..-1"; } }`, bad: `leaf a { type int8 { range "-1..-3"; } }`, want: "ends before"},
		{name: "range min and max", good: `leaf a { type int8 { range "min..0 | max"; } }`, bad: `leaf a { type int8 { range "min..128"; } }`, want: "range"},
		{name: "range on a string", good: `leaf a { type string { length "1..5"; } }`, bad: `leaf a { type string { range "1..5"; } }`, want: "cannot restrict"},
		{name: "length", good: `leaf a { type binary { length "1 | 3..max"; } }`, bad: `leaf a { type binary { length "-1"; } }`, want: "length"},
		{name: "pattern", good: `leaf a { type string { pattern '[a-z]+\d*\p{L}'; } }`, bad: `leaf a { type string { pattern '[a-z'; } }`, want: "pattern"},
		{name: "pattern invert-match", good: `leaf a { type string { pattern 'x' { modifier invert-match; } } }`, bad: `leaf a { type string { pattern 'x' { modifier invert; } } }`, want: "invert"},
		{name: "decimal64", good: `leaf a { type decimal64 { fraction-digits 2; range "1.5..3.25"; } default 2.25; }`, bad: `leaf a { type decimal64 { range "1.5..3"; } }`, want: "fraction-digits"},
		{name: "decimal64 digits", good: `leaf a { type decimal64 { fraction-digits 18; } }`, bad: `leaf a { type decimal64 { fraction-digits 19; } }`, want: "fraction-digits"},
		{name: "decimal64 default with too many digits", good: `leaf a { type decimal64 { fraction-digits 2; } default 1.500; }`, bad: `leaf a { type decimal64 { fraction-digits 2; } default 1.501; }`, want: "default"},
		{name: "enum twice", good: `leaf a { type enumeration { enum x; enum y; } }`, bad: `leaf a { type enumeration { enum x; enum x; } }`, want: "twice"},
		{name: "enum value twice", good: `leaf a { type enumeration { enum x { value 4; } enum y; } default y; }`, bad: `leaf a { type enumeration { enum x { value 4; } enum y { value 4; } } }`, want: "twice"},
		{name: "enum after the highest", good: `leaf a { type enumeration { enum x { value 2147483647; } enum y { value 1; } } }`, bad: `leaf a { type enumeration { enum x { value 2147483647; } enum y; } }`, want: "explicit"},
		{name: "enum restricted", good: `typedef t { type enumeration { enum x; enum y; } } leaf a { type t { enum y; } }`, bad: `typedef t { type enumeration { enum x; enum y; } } leaf a { type t { enum z; } }`, want: "not one of"},
		{name: "enum value changed", good: `typedef t { type enumeration { enum x { value 3; } } } leaf a { type t { enum x { value 3; } } }`, bad: `typedef t { type enumeration { enum x { value 3; } } } leaf a { type t { enum x { value 4; } } }`, want: "cannot be changed"},
		{name: "bits", good: `leaf a { type bits { bit x { position 3; } bit y; } default "y x"; }`, bad: `leaf a { type bits { bit x { position 3; } bit y { position 3; } } }`, want: "twice"},
		{name: "bits default", good: `leaf a { type bits { bit x; } default x; }`, bad: `leaf a { type bits { bit x; } default z; }`, want: "none of"},
		{name: "union default", good: `leaf a { type union { type int8; type boolean; } default true; }`, bad: `leaf a { type union { type int8; type boolean; } default maybe; }`, want: "union"},
		{name: "leafref", good: `leaf a { type leafref { path "../b"; } } leaf b { type string; }`, bad: `leaf a { type leafref { path "../c"; } } leaf b { type string; }`, want: "no node"},
		{name: "leafref to a container", good: `leaf a { type leafref { path "/m:c/m:b"; } } container c { leaf b { type string; } }`, bad: `leaf a { type leafref { path "/m:c"; } } container c { leaf b { type string; } }`, want: "not a leaf"},
		{name: "leafref above the root", good: `leaf a { type leafref { path "../b"; } } leaf b { type string; }`, bad: `leaf a { type leafref { path "../../b"; } } leaf b { type string; }`, want: "above the root"},
		{name: "leafref circle", good: `leaf a { type leafref { path "../b"; } } leaf b { type int8; }`, bad: `leaf a { type leafref { path "../b"; } } leaf b { type leafref { path "../a"; } }`, want: "itself"},
		{name: "leafref from config to state", good: `leaf a { type leafref { path "../b"; require-instance false; } } leaf b { config false; type int8; }`, bad: `leaf a { type leafref { path "../b"; } } leaf b { config false; type int8; }`, want: "state"},
		{name: "leafref with predicate", good: `list l { key k; leaf k { type string; } leaf v { type string; } } leaf r { type leafref { path "/l/k"; } } leaf a { type leafref { path "/l[k = current()/../r]/v"; } }`, bad: `list l { key k; leaf k { type string; } leaf v { type string; } } leaf a { type leafref { path "/l[k = current()/../r/v"; } }`, want: "is missing"},
		{name: "leafref default", good: `leaf a { type leafref { path "../b"; } default 3; } leaf b { type int8; }`, bad: `leaf a { type leafref { path "../b"; } default x; } leaf b { type int8; }`, want: "default"},
		{name: "malformed must", good: `leaf a { type string; must "../b = 'x' and count(../b) < 3"; } leaf b { type string; }`, bad: `leaf a { type string; must "../b = "; }`, want: "must"},
		{name: "unknown function", good: `leaf a { type string; must "re-match(., 'a*')"; }`, bad: `leaf a { type string; must "frobnicate(.)"; }`, want: "no function"},
		{name: "function arguments", good: `leaf a { type string; must "contains(., 'a')"; }`, bad: `leaf a { type string; must "contains(.)"; }`, want: "arguments"},
		{name: "prefix in must", good: `leaf a { type string; must "m:a"; }`, bad: `leaf a { type string; must "x:a"; }`, want: "prefix"},
		{name: "unique", good: `list l { key k; unique "a c/b"; leaf k { type string; } leaf a { type string; } container c { leaf b { type string; } } }`, bad: `list l { key k; unique "z"; leaf k { type string; } }`, want: "not a leaf"},
		{name: "unique through a list", good: `list l { key k; unique "a"; leaf k { type string; } leaf a { type string; } }`, bad: `list l { key k; unique "i/a"; leaf k { type string; } list i { key a; leaf a { type string; } } }`, want: "outside of other lists"},
		{name: "choice default", good: `choice c { default a; leaf a { type string; } leaf b { type string; } }`, bad: `choice c { default z; leaf a { type string; } }`, want: "no case"},
		{name: "choice default with mandatory", good: `choice c { default x; case x { leaf a { type string; } } }`, bad: `choice c { default x; case x { leaf a { type string; mandatory true; } } }`, want: "mandatory"},
		{name: "mandatory choice with default", good: `choice c { mandatory true; leaf a { type string; } }`, bad: `choice c { mandatory true; default a; leaf a { type string; } }`, want: "mandatory"},
		{name: "refine", good: `grouping g { leaf a { type string; } } uses g { refine a { default x; must "1"; config false; } }`, bad: `grouping g { leaf a { type string; } } uses g { refine z { default x; } }`, want: "no node"},
		{name: "refine of the wrong kind", good: `grouping g { container a; } uses g { refine a { presence x; } }`, bad: `grouping g { leaf a { type string; } } uses g { refine a { presence x; } }`, want: "cannot refine"},
		{name: "refine makes a default invalid", good: `grouping g { leaf a { type int8; } } uses g { refine a { default 3; } }`, bad: `grouping g { leaf a { type int8; } } uses g { refine a { default x; } }`, want: "default"},
		{name: "uses augment", good: `grouping g { container c; } uses g { augment c { leaf x { type string; } } }`, bad: `grouping g { container c; } uses g { augment d { leaf x { type string; } } }`, want: "no node"},
		{name: "augment", good: `container c; augment /c { leaf x { type string; } }`, bad: `container c; augment /d { leaf x { type string; } }`, want: "does not exist"},
		{name: "augment of an augment", good: `augment /c/d { leaf x { type string; } } augment /c { container d; } container c;`, bad: `augment /c/d { leaf x { type string; } } container c;`, want: "does not exist"},
		{name: "augment of a leaf", good: `container c; augment /c { leaf x { type string; } }`, bad: `leaf c { type string; } augment /c { leaf x { type string; } }`, want: "cannot be augmented"},
		{name: "augment into a choice", good: `choice c { leaf a { type string; } } augment /c { case n { leaf b { type string; } } leaf d { type string; } }`, bad: `container c; augment /c { case n { leaf b { type string; } } }`, want: "only be added to a choice"},
		{name: "augment into an rpc", good: `rpc r { input { leaf a { type string; } } } augment /r/input { leaf b { type string; } } augment /r/output { leaf b { type string; } }`, bad: `rpc r; augment /r { leaf b { type string; } }`, want: "cannot be augmented"},
		{name: "action", good: `container c { action a { input { leaf x { type string; } } } }`, bad: `leaf c { type string; action a; }`, want: "cannot stand"},
		{name: "argument missing", good: `leaf a { type string; }`, bad: `leaf { type string; }`, want: "no argument"},
		{name: "identifier", good: `leaf _a-b.c { type string; }`, bad: `leaf 1a { type string; }`, want: "identifier"},
		{name: "hidden typedef", good: `typedef t { type string; } container c { typedef u { type t; } }`, bad: `typedef t { type string; } container c { typedef t { type string; } }`, want: "hides"},
		{name: "typedef with a built-in name", good: `typedef string2 { type string; }`, bad: `typedef string { type int8; }`, want: "built-in"},
		{name: "extension", good: `extension e { argument x; } m:e y;`, bad: `m:e y;`, want: "no extension"},
		{name: "extension argument", good: `extension e; m:e;`, bad: `extension e { argument x; } m:e;`, want: "argument"},
		{name: "order of sections", good: `organization x; revision 2020-01-01; leaf a { type string; }`, bad: `leaf a { type string; } revision 2020-01-01;`, want: "too late"},
		{name: "date", good: `revision 2020-01-31;`, bad: `revision 2020-1-31;`, want: "date"},
		{name: "boolean word", good: `leaf a { type string; mandatory false; }`, bad: `leaf a { type string; mandatory no; }`, want: "none of"},
		{name: "instance-identifier", good: `leaf a { type instance-identifier { require-instance false; } }`, bad: `leaf a { type instance-identifier { path "/a"; } }`, want: "cannot restrict"},
		{name: "deviation", good: `leaf a { type string; } deviation /a { deviate add { default x; } }`, bad: `leaf a { type string; } deviation /b { deviate not-supported; }`, want: "does not exist"},
	}
}

func wrap(body string) string {
	return "module m {\n yang-version 1.1; namespace \"urn:m\"; prefix m;\n " + body + "\n}\n"
}

func load(modules map[string]string, names ...string) (*schemas.Set, error) {
	texts := make(map[string][]byte, len(modules))
	for f, s := range modules {
		texts[f] = []byte(s)
	}
	return schemas.Load(schemas.Options{Search: []schemas.Source{schemas.Files(texts)}}, names...)
}

func TestCompile(t *testing.T) {
	for _, tt := range compileCases() {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			good, bad := map[string]string{"m.yang": wrap(tt.good)}, map[string]string{"m.yang": wrap(tt.bad)}
			if _, err := load(good, "m"); err != nil {
				t.Errorf("a valid module was refused: %v", err)
			}
			_, err := load(bad, "m")
			var fault *schemas.ModuleError
			switch {
			case err == nil:
				t.Errorf("an invalid module was accepted")
			case !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %v, want %q in it", err, tt.want)
			case !errors.As(err, &fault) || fault.File != "m.yang" || fault.Line == 0 || fault.Rule == "":
				t.Errorf("the error has no place or rule: %+v", fault)
			}
			if ok, out := yanglint(t, good, []string{"m"}, ""); !ok {
				t.Errorf("yanglint refuses the valid module: %s", out)
			}
			if ok, _ := yanglint(t, bad, []string{"m"}, ""); ok != (tt.lenient != "") {
				t.Errorf("yanglint accepts the invalid module: %t", ok)
			}
		})
	}
}
