package schemas_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// BenchmarkLoadCommon compiles cfgvault's own modules from their text; the
// budget is 20 ms.
func BenchmarkLoadCommon(b *testing.B) {
	for b.Loop() {
		if _, err := schemas.Load(schemas.Options{Search: []schemas.Source{schemas.Embedded()}}, schemas.EmbeddedNames()...); err != nil {
			b.Fatal(err)
		}
	}
}

// interfacesModule has a list of interfaces, and of references to them by a
// leafref and a must whose predicate is written in one of two ways.
func interfacesModule(predicate string) string {
	return `module b { yang-version 1.1; namespace "urn:b"; prefix b;
  container ifs { list if { key name; leaf name { type string; } leaf enabled { type boolean; default true; } } }
  container refs { list ref { key id; leaf id { type uint32; }
    leaf if { type leafref { path "/b:ifs/b:if/b:name"; } must "/b:ifs/b:if[` + predicate + `]/b:enabled = 'true'"; } } } }`
}

func interfacesData(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"b:ifs":{"if":[`)
	for i := range n {
		fmt.Fprintf(&b, `{"name":"eth%d","enabled":true},`, i)
	}
	s := strings.TrimSuffix(b.String(), ",") + `]},"b:refs":{"ref":[`
	b.Reset()
	b.WriteString(s)
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"if":"eth%d"},`, i, (i*7919)%n)
	}
	return []byte(strings.TrimSuffix(b.String(), ",") + `]}}`)
}

func benchmarkSet(b testing.TB, text string) *schemas.Set {
	b.Helper()
	s, err := schemas.Load(schemas.Options{Search: []schemas.Source{schemas.Files(map[string][]byte{"b.yang": []byte(text)})}}, "b")
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkReferences reads and validates N interfaces and N references.
func BenchmarkReferences(b *testing.B) {
	for _, p := range []struct{ name, text string }{{"current", "b:name = current()"}, {"up", "b:name = current()/../b:if"}} {
		set := benchmarkSet(b, interfacesModule(p.text))
		for _, n := range []int{5000, 20000, 80000} {
			data := interfacesData(n)
			b.Run(fmt.Sprintf("%s/%d", p.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					tree, err := set.ParseJSON(data)
					if err != nil {
						b.Fatal(err)
					}
					if err := set.Validate(tree); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkCanonical writes the canonical form of 20,000 interfaces of the
// common modules.
func BenchmarkCanonical(b *testing.B) {
	set, err := schemas.Common()
	if err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	text.WriteString(`{"cfgvault-interfaces:interfaces":{"interface":[`)
	for i := range 20000 {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"name":"eth%d","type":"ethernet","mtu":9000,"ipv4":{"address":[{"ip":"10.%d.%d.1","prefix-length":24}]}}`, i, i>>8, i&255)
	}
	text.WriteString(`]}}`)
	tree, err := set.ParseJSON([]byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	if err := set.Validate(tree); err != nil {
		b.Fatal(err)
	}
	b.Run("canonical", func(b *testing.B) {
		for b.Loop() {
			tree.Canonical()
		}
	})
	b.Run("validate", func(b *testing.B) {
		for b.Loop() {
			if err := set.Validate(tree); err != nil {
				b.Fatal(err)
			}
		}
	})
}
