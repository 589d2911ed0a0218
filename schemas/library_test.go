package schemas_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// librarySources are modules with features, a submodule, a deviation, and one
// that is only imported, in two revisions.
func librarySources() schemas.Source {
	return schemas.Files(map[string][]byte{
		"a@2020-01-01.yang": []byte(`module a { yang-version 1.1; namespace urn:a; prefix a; import t { prefix t; } include a-sub; revision 2020-01-01; feature f; feature g; leaf x { if-feature f; type t:t; } leaf y { if-feature g; type string; } }`),
		"a-sub.yang":        []byte(`submodule a-sub { yang-version 1.1; belongs-to a { prefix a; } revision 2019-05-05; leaf z { type string; } }`),
		"d.yang":            []byte(`module d { namespace urn:d; prefix d; import a { prefix a; } revision 2021-01-01; deviation /a:z { deviate not-supported; } }`),
		"t@2018-01-01.yang": []byte(`module t { namespace urn:t; prefix t; revision 2018-01-01; typedef t { type string; } }`),
		"t@2022-01-01.yang": []byte(`module t { namespace urn:t; prefix t; revision 2022-01-01; typedef t { type int8; } }`),
	})
}

// TestLibrary: a set described as a YANG library and loaded by that is the same
// set, in both forms and encodings.
func TestLibrary(t *testing.T) {
	o := schemas.Options{Search: []schemas.Source{librarySources()}, Feature: func(_, f string) bool { return f == "f" }}
	set, err := schemas.Load(o, "a", "d")
	if err != nil {
		t.Fatal(err)
	}
	lib := set.Library()
	for _, legacy := range []bool{false, true} {
		for _, xml := range []bool{false, true} {
			text := lib.JSON(legacy, "  ")
			if xml {
				text = lib.XML(legacy)
			}
			got, err := schemas.ReadLibrary(text, xml)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if g, w := string(got.JSON(false, "")), string(lib.JSON(false, "")); g != w {
				t.Errorf("legacy %t, XML %t:\n%s\nwant\n%s", legacy, xml, g, w)
			}
			again, err := schemas.Load(schemas.Options{Search: o.Search, Feature: got.Feature}, got.Names()...)
			if err != nil {
				t.Fatal(err)
			}
			if again.Hash() != set.Hash() || again.Hash() != got.ContentID {
				t.Errorf("legacy %t, XML %t: another set", legacy, xml)
			}
		}
	}
	a := lib.Modules[0]
	if a.Name != "a" || !slices.Equal(a.Features, []string{"f"}) || !slices.Equal(a.Deviations, []string{"d"}) || len(a.Submodules) != 1 || a.Submodules[0].Revision != "2019-05-05" {
		t.Errorf("got %+v", a)
	}
	if i := slices.IndexFunc(lib.Modules, func(m schemas.LibraryModule) bool { return m.Name == "t" }); i < 0 || lib.Modules[i].Implemented || lib.Modules[i].Revision != "2022-01-01" {
		t.Errorf("got %+v", lib.Modules)
	}
}

// TestLibraryPins: an import without a revision gets the one that is asked for.
func TestLibraryPins(t *testing.T) {
	set, err := schemas.Load(schemas.Options{Search: []schemas.Source{librarySources()}}, "a", "t@2018-01-01")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.ParseJSON([]byte(`{"a:x":"a string"}`)); err != nil {
		t.Errorf("the newest revision was taken: %v", err)
	}
}

// TestForeignLibrary: libraries as servers give them.
func TestForeignLibrary(t *testing.T) {
	const two = `{"ietf-yang-library:yang-library":{"content-id":"7","module-set":[
	  {"name":"common","module":[{"name":"a","revision":"2020-01-01","namespace":"urn:a","feature":["f","g"]}],"import-only-module":[{"name":"t","revision":"2018-01-01","namespace":"urn:t"}]},
	  {"name":"state","module":[{"name":"d","revision":"2021-01-01","namespace":"urn:d"}]}],
	  "schema":[{"name":"config","module-set":["common"]},{"name":"all","module-set":["common","state"]}],
	  "datastore":[{"name":"ietf-datastores:running","schema":"config"},{"name":"ietf-datastores:operational","schema":"all"}]}}`
	for _, in := range []string{two, `{"ietf-yang-instance-data:instance-data-set":{"name":"x","content-data":` + two + `}}`, `{"ietf-restconf:data":` + two + `}`} {
		l, err := schemas.ReadLibrary([]byte(in), false)
		if err != nil || !slices.Equal(l.Names(), []string{"a@2020-01-01"}) || !l.Feature("a", "g") || l.Feature("a", "h") || l.ContentID != "7" {
			t.Errorf("got %+v, %v", l, err)
		}
	}
	const xml = `<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><modules-state xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"><module-set-id>1</module-set-id>
	  <module><name>a</name><revision/><namespace>urn:a</namespace><conformance-type>implement</conformance-type></module></modules-state></data>`
	if l, err := schemas.ReadLibrary([]byte(xml), true); err != nil || !slices.Equal(l.Names(), []string{"a"}) {
		t.Errorf("got %+v, %v", l, err)
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"x:y":{}}`, `{"ietf-yang-library:yang-library":{"module-set":[{"name":"a","module":[{"name":"../x"}]}]}}`,
		`{"ietf-yang-library:yang-library":{"module-set":[{"name":"a","module":[{"name":"x","revision":"newest"}]}]}}`,
		`{"ietf-yang-library:yang-library":{"module-set":[{"name":"a","module":[{"name":"x","revision":"2020-01-01"},{"name":"x","revision":"2021-01-01"}]}]}}`,
		`{"ietf-yang-library:modules-state":{"module":[{"name":"x","conformance-type":"maybe"}]}}`, `{"ietf-yang-library:yang-library":` + strings.Repeat(`{"a":`, 500)} {
		_, err := schemas.ReadLibrary([]byte(bad), false)
		var fault *schemas.PathError
		if !errors.As(err, &fault) || fault.Line == 0 {
			t.Errorf("%.80s: got %v", bad, err)
		}
	}
}

// TestInstanceData: envelopes in both encodings, with the schema in each form.
func TestInstanceData(t *testing.T) {
	set := encodingSet(t)
	tree, err := set.ParseJSON([]byte(`{"m:c":{"i8":5,"b":false}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []schemas.Envelope{
		{Name: "x", Description: []string{"one", "two"}, Contact: "c", Organization: "o", Datastore: "running", Timestamp: "2026-11-23T20:00:00Z", Revisions: []schemas.EnvelopeRevision{{Date: "2026-01-01", Description: "first"}, {Date: "2025-01-01"}}},
		{Name: "inline", Library: set.Library()},
		{SameAs: "other.xml"},
	} {
		want := e
		if want.Library == nil && want.SameAs == "" {
			want.Modules = []string{"ietf-yang-metadata@2016-08-05", "m", "n"}[1:]
		}
		want.Defaults = "trim"
		for _, xml := range []bool{false, true} {
			text := tree.InstanceData(e)
			if xml {
				if text, err = tree.InstanceDataXML(e); err != nil {
					t.Fatal(err)
				}
			}
			again, err := set.Parse(text, schemas.ParseOptions{XML: xml})
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if string(again.Canonical()) != `{"m:c":{"i8":5}}` {
				t.Errorf("XML %t: data %s", xml, again.Canonical())
			}
			got := again.Envelope()
			only, ok, err := schemas.ReadEnvelope(text, xml)
			if err != nil || !ok || only.Name != got.Name || only.SameAs != got.SameAs || !slices.Equal(only.Modules, got.Modules) {
				t.Errorf("XML %t: alone %+v, %v", xml, only, err)
			}
			if (got.Library != nil) != (want.Library != nil) || got.Library != nil && string(got.Library.JSON(false, "")) != string(want.Library.JSON(false, "")) {
				t.Errorf("XML %t: library %+v", xml, got.Library)
			}
			if got.Name != want.Name || got.SameAs != want.SameAs || got.Defaults != want.Defaults || got.Datastore != want.Datastore || got.Organization != want.Organization ||
				!slices.Equal(got.Modules, want.Modules) || !slices.Equal(got.Description, want.Description) || !slices.Equal(got.Revisions, want.Revisions) {
				t.Errorf("XML %t:\n%+v\nwant\n%+v", xml, got, want)
			}
		}
	}
	for _, bad := range []string{
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><content-data/><content-data/></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><content-data/><includes-defaults>some</includes-defaults></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><content-data/><content-schema><module>m</module><same-schema-as-file>x</same-schema-as-file></content-schema></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><content-data/><content-schema><inline-yang-library><x xmlns="urn:x"/></inline-yang-library></content-schema></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><name>a</name><name>b</name><content-data/></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><name xmlns="urn:m">a</name><content-data/></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><content-schema><module>zz</module></content-schema><content-data/></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><format-version>now</format-version></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><timestamp>2026-11-23 20:00</timestamp></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><revision><description>d</description></revision></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><revision><date>2026-1-1</date></revision></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><revision><date>2026-01-01</date></revision><revision><date>2026-01-01</date></revision></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><content-schema><module>a@1</module></content-schema></instance-data-set>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><content-schema><module>a@2020-01-01</module><module>a</module></content-schema></instance-data-set>`,
	} {
		_, err := set.Parse([]byte(bad), schemas.ParseOptions{XML: true})
		var fault *schemas.PathError
		if !errors.As(err, &fault) || fault.Line == 0 || !strings.HasPrefix(fault.Rule, "RFC 9195") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// TestForeignInstanceData: what ietf-yang-instance-data@2022-02-17 allows beside
// what we write.
func TestForeignInstanceData(t *testing.T) {
	set := encodingSet(t)
	for _, in := range []string{
		`{"ietf-yang-instance-data:instance-data-set":{}}`,
		`{"ietf-yang-instance-data:instance-data-set":{"content-schema":{},"name":"x"}}`,
		`{"ietf-yang-instance-data:instance-data-set":{"format-version":"2022-01-20","includes-defaults":"report-all-tagged","timestamp":"2026-11-23T20:00:00.25+01:00","content-data":{}}}`,
		`{"ietf-yang-instance-data:instance-data-set":{"revision":[{"date":"2026-02-01"},{"date":"2026-01-01","description":"d"}],"content-data":{}}}`,
	} {
		tree, err := set.ParseJSON([]byte(in))
		if err != nil || tree.Len() != 0 {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// TestAnnotate: policy that a module of ours gives to nodes of others.
func TestAnnotate(t *testing.T) {
	texts := func(annotations string) []schemas.Source {
		return []schemas.Source{schemas.Files(map[string][]byte{
			"o.yang": []byte(`module o { namespace urn:o; prefix o; container c { list l { key k; leaf k { type string; } leaf pw { type string; } } leaf w { type string; } } }`),
			"p.yang": []byte(`module p { namespace urn:p; prefix p; import o { prefix oo; } import cfgvault-extensions { prefix x; } ` + annotations + ` }`),
		}), schemas.Embedded()}
	}
	set, err := schemas.Load(schemas.Options{Search: texts(`x:annotate /oo:c/oo:l { description "d"; x:secret; } x:annotate /oo:c/oo:w { x:volatile; x:bind unit; x:maps-to "/ietf-x:y"; }`)}, "p", "o")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := set.ParseJSON([]byte(`{"o:c":{"l":[{"k":"c4n4ry","pw":"c4n4ry2"}],"w":"x"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(tree.Redact().JSON("")); strings.Contains(s, "c4n4ry") || !strings.Contains(s, `"w":"x"`) {
		t.Errorf("redacted %s", s)
	}
	for c, want := range map[schemas.Class]string{
		{Secret: true}:   `{"o:c":{"l":[{"k":"c4n4ry","pw":"c4n4ry2"}]}}`,
		{Volatile: true}: `{"o:c":{"w":"x"}}`,
		{Bind: "unit"}:   `{"o:c":{"w":"x"}}`,
		{Bind: "model"}:  `{}`,
	} {
		if got := string(tree.Classified(c).JSON("")); got != want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	for _, bad := range []string{`x:annotate /oo:c/oo:none { x:secret; }`, `x:annotate c { x:secret; }`, `x:annotate /oo:c { leaf z { type string; } }`, `x:annotate /oo:c { x:bind nobody; }`, `x:annotate /oo:c { x:none; }`, `x:annotate;`, `x:annotate /oo:c { x:annotate /oo:c; }`} {
		_, err := schemas.Load(schemas.Options{Search: texts(bad)}, "p", "o")
		var fault *schemas.ModuleError
		if !errors.As(err, &fault) || fault.File != "p.yang" || fault.Line != 1 || fault.Rule == "" {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}
