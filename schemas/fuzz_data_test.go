package schemas

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// fuzzSet is a small set with everything that data can be.
func fuzzSet(tb testing.TB) *Set {
	tb.Helper()
	s, err := Load(Options{Search: []Source{Files(map[string][]byte{
		"laws.yang": []byte(lawsModule),
		"f.yang": []byte(`module f { yang-version 1.1; namespace urn:f; prefix f; import laws { prefix w; } import ietf-yang-metadata { prefix md; } md:annotation note { type string; }
		  anydata ad; anyxml ax; leaf ii { type instance-identifier { require-instance false; } } leaf u { type union { type int8; type identityref { base w:i; } type string; } }
		  list st { config false; leaf a { type string; } } leaf s { type string; } augment /w:top { leaf s { type string; } } }`),
		"ietf-yang-metadata.yang": []byte(`module ietf-yang-metadata { namespace "urn:ietf:params:xml:ns:yang:ietf-yang-metadata"; prefix md; extension annotation { argument name; } }`),
	})}}, "laws", "f")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// FuzzXML: any XML is read or refused with a place; what is read is written so
// that it is read as the same, and encoding/xml accepts what we accept.
func FuzzXML(f *testing.F) {
	set := fuzzSet(f)
	for _, s := range []string{
		`<top xmlns="urn:laws"><v>3</v><words>b</words><words>a</words><things><n>a</n><id xmlns:w="urn:laws">w:j</id><inner><n>b</n></inner></things><e/><s xmlns="urn:f">x &lt; &#120;&#xe4;</s></top>`,
		`<?xml version="1.0" encoding="UTF-8"?><data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><f:s xmlns:f="urn:f" f:note="n"><![CDATA[a]]>b<!-- c --></f:s></data>`,
		`<ad xmlns="urn:f"><x a="1">t<y xmlns="urn:q"/>u</x></ad><ax xmlns="urn:f">text</ax><ii xmlns="urn:f" xmlns:w="urn:laws">/w:top/w:steps[w:n='a']/w:v</ii>`,
		`<ad xmlns="urn:f"><top xmlns="urn:laws"><v>3</v></top></ad>`,
		`<instance-data-set xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"><name>x</name><content-schema><module>laws</module></content-schema><content-data><s xmlns="urn:f">x</s></content-data></instance-data-set>`,
		`<v xmlns:wd="urn:ietf:params:xml:ns:netconf:default:1.0" wd:default="true"/>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := set.Parse(data, ParseOptions{XML: true})
		if err != nil {
			var fault *PathError
			if !errors.As(err, &fault) || fault.Line == 0 || fault.Column == 0 || fault.Rule == "" {
				t.Fatalf("no place or rule: %v", err)
			}
			return
		}
		_ = set.Validate(tree)
		out, err := tree.XML("")
		if err != nil {
			t.Fatalf("what was XML cannot be XML: %v", err)
		}
		again, err := set.Parse(out, ParseOptions{XML: true})
		if err != nil {
			t.Fatalf("not read again: %v\n%s", err, out)
		}
		if twice, err := again.XML(""); err != nil || !bytes.Equal(twice, out) {
			t.Fatalf("not written again: %v\n%s\n%s", err, twice, out)
		}
		if !bytes.Equal(again.Canonical(), tree.Canonical()) || !utf8.Valid(out) {
			t.Fatalf("canonical forms differ:\n%s\n%s", again.Canonical(), tree.Canonical())
		}
		if tree.Check() == nil {
			j, err := set.ParseJSON(tree.JSON(""))
			if err != nil {
				t.Fatalf("as JSON: %v\n%s", err, tree.JSON(""))
			}
			if !bytes.Equal(j.JSON(""), tree.JSON("")) {
				t.Fatalf("as JSON:\n%s\n%s", j.JSON(""), tree.JSON(""))
			}
		}
		for d := xml.NewDecoder(bytes.NewReader(out)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("encoding/xml refuses it: %v\n%s", err, out)
			}
		}
	})
}

// FuzzPatch: any patch is read or refused with a place; one that is made leaves
// data that is read as itself, and the difference leads back.
func FuzzPatch(f *testing.F) {
	set := fuzzSet(f)
	base, err := set.ParseJSON([]byte(`{"laws:top":{"v":3,"words":["a","b"],"steps":[{"n":"a"},{"n":"b","v":1}],"two":1,"np":{"deep":{"v":2}},"f:s":"x"},"f:ad":{"f:s":"y"}}`))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		`{"ietf-yang-patch:yang-patch":{"patch-id":"x","comment":"c","edit":[{"edit-id":"1","operation":"merge","target":"/laws:top","value":{"laws:top":{"x":1,"steps":[{"n":"c"}]}}},{"edit-id":"2","operation":"move","target":"/laws:top/words=b","where":"first"}]}}`,
		`{"ietf-yang-patch:yang-patch":{"patch-id":"x","edit":[{"edit-id":"1","operation":"insert","target":"/laws:top/steps=d","where":"before","point":"/laws:top/steps=b","value":{"laws:steps":[{"n":"d"}]}},{"edit-id":"2","operation":"delete","target":"/laws:top/np"},{"edit-id":"3","operation":"replace","target":"/","value":{"f:s":"x"}}]}}`,
		`<yang-patch xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-patch"><patch-id>x</patch-id><edit><edit-id>1</edit-id><operation>create</operation><target>/laws:top/e</target><value><e xmlns="urn:laws"/></value></edit></yang-patch>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, xml := range []bool{false, true} {
			p, err := set.ReadPatch(data, ParseOptions{XML: xml})
			if err != nil {
				var fault *PathError
				if !errors.As(err, &fault) || fault.Line == 0 || fault.Rule == "" {
					t.Fatalf("no place or rule: %v", err)
				}
				continue
			}
			text := p.JSON("")
			again, err := set.ReadPatch(text, ParseOptions{})
			if err != nil || !bytes.Equal(again.JSON(""), text) {
				t.Fatalf("not read again: %v\n%s", err, text)
			}
			got, err := base.Patch(p)
			if err != nil {
				var failed *PatchError
				if !errors.As(err, &failed) || failed.Tag == "" || !strings.Contains(string(PatchStatus(p.ID, err)), "error-tag") {
					t.Fatalf("an odd error: %v", err)
				}
				continue
			}
			_ = set.Validate(got)
			read, err := set.ParseJSON(got.JSON(""))
			if err != nil || !bytes.Equal(read.JSON(""), got.JSON("")) {
				t.Fatalf("the result is not read: %v\n%s", err, got.JSON(""))
			}
			back, err := got.Apply(Diff(got, base))
			if err != nil || !bytes.Equal(back.Canonical(), base.Canonical()) {
				t.Fatalf("no way back: %v\n%s\n%s", err, back.Canonical(), base.Canonical())
			}
		}
	})
}

// FuzzLibrary: any YANG library is read or refused; what is read is written so
// that it is read as the same.
func FuzzLibrary(f *testing.F) {
	l := fuzzSet(f).Library()
	for _, legacy := range []bool{false, true} {
		f.Add(l.JSON(legacy, ""))
		f.Add(l.XML(legacy))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, xml := range []bool{false, true} {
			l, err := ReadLibrary(data, xml)
			if err != nil {
				continue
			}
			text := l.JSON(false, "")
			again, err := ReadLibrary(text, false)
			if err != nil || !bytes.Equal(again.JSON(false, ""), text) {
				t.Fatalf("not read again: %v\n%s", err, text)
			}
			if !utf8.Valid(text) {
				t.Fatal("not UTF-8")
			}
		}
	})
}
