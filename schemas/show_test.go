package schemas_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// TestDiagram compares the diagrams of the common modules with yanglint's, which
// leaves the module's own prefix in the paths of leafrefs (RFC 8340 §2.6 removes
// it) and aligns types in another way.
func TestDiagram(t *testing.T) {
	dir := t.TempDir()
	for _, m := range schemas.EmbeddedNames() {
		text, file, err := schemas.Embedded().Module(m, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range schemas.EmbeddedNames() {
		want, err := exec.Command("yanglint", "-D", "-p", dir, "-f", "tree", filepath.Join(dir, m+".yang")).Output()
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := common(t).Diagram(&got, schemas.DiagramOptions{}, m); err != nil {
			t.Fatal(err)
		}
		var plain []string
		for l := range strings.Lines(string(want)) {
			if at := strings.Index(l, "-> "); at >= 0 {
				l = l[:at] + strings.ReplaceAll(l[at:], "cv-"+strings.TrimPrefix(m, "cfgvault-")+":", "")
			}
			plain = append(plain, l)
		}
		if g, w := oneBlank(got.String()), oneBlank(strings.Join(plain, "")); g != w {
			t.Errorf("%s:\n%s\nwant:\n%s", m, g, w)
		}
	}
	if err := common(t).Diagram(&bytes.Buffer{}, schemas.DiagramOptions{}, "nowhere"); err == nil {
		t.Error("the diagram of a module that is not there was written")
	}
}

// oneBlank makes the blanks between the fields of a diagram's lines one.
func oneBlank(diagram string) string {
	var out []string
	for l := range strings.Lines(strings.TrimSpace(diagram)) {
		indent, rest, _ := strings.Cut(l, "--")
		out = append(out, strings.TrimRight(indent+"--"+strings.Join(strings.Fields(rest), " "), "-"))
	}
	return strings.Join(out, "\n")
}

// TestModulesAreDocumented: each common module has a revision, and each of its
// nodes a description; the standard node is named where there is one.
func TestModulesAreDocumented(t *testing.T) {
	s := common(t)
	mapped, all := 0, 0
	for _, m := range s.Modules() {
		if m.Revision == "" || !m.Implemented || !strings.HasPrefix(m.Name, "cfgvault-") || !strings.HasPrefix(m.Prefix, "cv-") {
			t.Errorf("module %s: revision %q, prefix %q", m.Name, m.Revision, m.Prefix)
		}
		var walk func(n *schemas.Node)
		walk = func(n *schemas.Node) {
			all++
			if n.Description() == "" {
				t.Errorf("%s has no description", n.Path())
			}
			if n.MapsTo() != "" {
				mapped++
				if !strings.HasPrefix(n.MapsTo(), "/ietf-") && !strings.HasPrefix(n.MapsTo(), "/openconfig-") {
					t.Errorf("%s maps to %s", n.Path(), n.MapsTo())
				}
			}
			for _, k := range n.Children() {
				walk(k)
			}
		}
		for _, n := range s.Top(m.Name) {
			walk(n)
		}
	}
	if mapped*2 < all {
		t.Errorf("only %d of %d nodes name their standard node", mapped, all)
	}
	if n := s.Top("cfgvault-interfaces")[0].Children()[0]; n.Children()[0].Bind() != "model" || n.Children()[2].Bind() != "portable" || n.Keys()[0] != "name" {
		t.Error("bind or keys are not what the module says")
	}
}

func read(t *testing.T, s *schemas.Set, data string) *schemas.Tree {
	t.Helper()
	tree, err := s.ParseJSON([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestWriteDiff(t *testing.T) {
	s := common(t)
	a := read(t, s, `{"cfgvault-system:system":{"hostname":"r1","dns":{"server":[{"address":"10.0.0.1"},{"address":"10.0.0.2"},{"address":"10.0.0.3"}]},"banner":{"motd":"one\ntwo"},"users":{"user":[{"name":"u","password":{"value":"x"}}]}},
		"cfgvault-interfaces:interfaces":{"interface":[{"name":"eth0","mtu":1500,"ipv4":{"address":[{"ip":"10.0.0.1","prefix-length":24}]}},{"name":"eth1","enabled":true}]}}`)
	b := read(t, s, `{"cfgvault-system:system":{"hostname":"r2","dns":{"server":[{"address":"10.0.0.3"},{"address":"10.0.0.1"},{"address":"10.0.0.4"},{"address":"10.0.0.2"}]},"users":{"user":[{"name":"u","password":{"value":"y"}}]}},
		"cfgvault-interfaces:interfaces":{"interface":[{"name":"eth1"},{"name":"eth0","mtu":9000,"ipv4":{"address":[{"ip":"10.0.0.2","prefix-length":24,"secondary":true}]}},{"name":"eth2"}]},
		"cfgvault-ospf:ospf":{"instance":[{"vrf":"default","process":1,"default-information":{},"passive-interface":["eth0"]}]}}`)
	var out strings.Builder
	if err := schemas.WriteDiff(&out, schemas.Diff(a, b)); err != nil {
		t.Fatal(err)
	}
	want := `- /cfgvault-interfaces:interfaces/interface[name='eth0']/ipv4/address[ip='10.0.0.1']/prefix-length: 24
+ /cfgvault-interfaces:interfaces/interface[name='eth0']/ipv4/address[ip='10.0.0.2']/prefix-length: 24
+ /cfgvault-interfaces:interfaces/interface[name='eth0']/ipv4/address[ip='10.0.0.2']/secondary: true
~ /cfgvault-interfaces:interfaces/interface[name='eth0']/mtu: 1500 → 9000
+ /cfgvault-interfaces:interfaces/interface[name='eth2']
+ /cfgvault-ospf:ospf/instance[vrf='default'][process='1']/default-information
+ /cfgvault-ospf:ospf/instance[vrf='default'][process='1']/passive-interface[.='eth0']
- /cfgvault-system:system/banner/motd: "one\ntwo"
~ /cfgvault-system:system/dns/server[address='10.0.0.3']: moved to the first place
+ /cfgvault-system:system/dns/server[address='10.0.0.4']
~ /cfgvault-system:system/hostname: r1 → r2
~ /cfgvault-system:system/users/user[name='u']/password/value: ••• → •••
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestEnvelope(t *testing.T) {
	s := common(t)
	tree := read(t, s, sample)
	wrapped := tree.InstanceData(schemas.Envelope{Name: "r1", Timestamp: "2026-11-23T20:00:00Z"})
	again := read(t, s, string(wrapped))
	if !bytes.Equal(again.Canonical(), tree.Canonical()) {
		t.Error("the envelope changes the data")
	}
	if e := again.Envelope(); e.Name != "r1" || e.Defaults != "trim" || !slices.Contains(e.Modules, "cfgvault-system@2026-11-01") {
		t.Errorf("got %+v", e)
	}
	names, err := schemas.DataModules(wrapped, schemas.ParseOptions{})
	if err != nil || !slices.Equal(names, []string{"cfgvault-bgp", "cfgvault-interfaces", "cfgvault-prefix-lists", "cfgvault-system"}) {
		t.Errorf("got %v, %v", names, err)
	}
	for _, bad := range []string{
		`{"ietf-yang-instance-data:instance-data-set":{"content-schema":{"module":["cfgvault-system@1999-01-01"]},"content-data":{}}}`,
		`{"ietf-yang-instance-data:instance-data-set":{"content-schema":{"module":["other"]},"content-data":{}}}`,
		`{"ietf-yang-instance-data:instance-data-set":{"content-data":{"cfgvault-system:system":{"hostname":1}}}}`,
		`{"ietf-yang-instance-data:instance-data-set":{"content-data":{},"x":1}}`,
		`{"ietf-yang-instance-data:instance-data-set":{"content-data":[]}}`,
	} {
		if _, err := s.ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
}

func TestDataModules(t *testing.T) {
	xml := schemas.ParseOptions{XML: true}
	tests := []struct {
		data string
		o    schemas.ParseOptions
		want []string
		bad  bool
	}{
		{data: `{"cfgvault-bgp:x":1,"cfgvault-system:y":{},"cfgvault-bgp:z":[]}`, want: []string{"cfgvault-bgp", "cfgvault-system"}},
		{data: `{}`},
		{data: `{"x":1}`, bad: true},
		{data: `{"nowhere:x":1}`, bad: true},
		{data: `{"a:x"`, bad: true},
		{data: `<system xmlns="urn:cfgvault:yang:cfgvault-system"/><bgp xmlns="urn:cfgvault:yang:cfgvault-bgp"/>`, o: xml, want: []string{"cfgvault-system", "cfgvault-bgp"}},
		{data: `<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><system xmlns="urn:cfgvault:yang:cfgvault-system"/></data>`, o: xml, want: []string{"cfgvault-system"}},
		{data: `<x xmlns="urn:nowhere"/>`, o: xml, bad: true},
		{data: `<x`, o: xml, bad: true},
	}
	for _, tt := range tests {
		got, err := schemas.DataModules([]byte(tt.data), tt.o, schemas.Embedded())
		if (err != nil) != tt.bad || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %v", tt.data, got, err)
		}
	}
}

func TestParseFeatures(t *testing.T) {
	tests := []struct {
		words []string
		on    string // of a:f a:g b:f
	}{
		{nil, "111"}, {[]string{"all"}, "111"}, {[]string{"none"}, "000"}, {[]string{"a:f"}, "101"}, {[]string{"a:f,g"}, "111"},
		{[]string{"a:"}, "001"}, {[]string{"none", "a:f"}, "100"},
	}
	for _, tt := range tests {
		on, err := schemas.ParseFeatures(tt.words)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range [][2]string{{"a", "f"}, {"a", "g"}, {"b", "f"}} {
			got += map[bool]string{true: "1", false: "0"}[on(f[0], f[1])]
		}
		if got != tt.on {
			t.Errorf("%v: got %s, want %s", tt.words, got, tt.on)
		}
	}
	for _, bad := range []string{"", "x", ":f", "a:f g"} {
		if _, err := schemas.ParseFeatures([]string{bad}); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}

func TestXML(t *testing.T) {
	s := common(t)
	const ns = `xmlns="urn:cfgvault:yang:cfgvault-interfaces"`
	want := read(t, s, `{"cfgvault-interfaces:interfaces":{"interface":[{"name":"eth0","type":"ethernet","mtu":1500},{"name":"eth1"}]}}`).Canonical()
	for _, good := range []string{
		`<interfaces ` + ns + `><interface><name>eth1</name></interface><interface><name>eth0</name><mtu> +1500</mtu><type>ethernet</type></interface></interfaces>`,
		`<?xml version="1.0"?><i:interfaces xmlns:i="urn:cfgvault:yang:cfgvault-interfaces" xmlns:q="urn:cfgvault:yang:cfgvault-interfaces"><i:interface><i:mtu>1500</i:mtu><i:name>eth0</i:name><i:type>q:ethernet</i:type></i:interface><i:interface><i:name>eth1</i:name></i:interface></i:interfaces>`,
	} {
		tree, err := s.Parse([]byte(good), schemas.ParseOptions{XML: true})
		if err != nil {
			t.Errorf("%s: %v", good, err)
		} else if !bytes.Equal(tree.Canonical(), want) {
			t.Errorf("%s: got %s", good, tree.Canonical())
		}
	}
	for _, bad := range []string{
		``, `<interfaces/>`, `<interfaces ` + ns + `>`, `<interfaces ` + ns + `>text</interfaces>`, `<interfaces ` + ns + `/><interfaces ` + ns + `/>`,
		`<interfaces ` + ns + `><interface/></interfaces>`, `<interfaces ` + ns + `><interface><name>a</name><name>b</name></interface></interfaces>`,
		`<interfaces ` + ns + `><interface><name>a</name><type>x:ethernet</type></interface></interfaces>`,
		`<interfaces ` + ns + `><interface><name>a</name><mtu>0x600</mtu></interface></interfaces>`,
		`<interfaces ` + ns + `><interface><name><b/></name></interface></interfaces>`, `<interfaces ` + ns + ` a="b"/>`,
		`<interfaces ` + ns + `><interface><name>&unknown;</name></interface></interfaces>`,
	} {
		_, err := s.Parse([]byte(bad), schemas.ParseOptions{XML: true})
		var fault *schemas.PathError
		if err == nil || !errors.As(err, &fault) || fault.Line == 0 {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestGet(t *testing.T) {
	tree := read(t, common(t), sample)
	leaves, err := tree.Get("/cfgvault-interfaces:interfaces/interface/type")
	if err != nil || len(leaves) != 2 || leaves[1].Value != "cfgvault-interfaces:management" || leaves[1].Path != "/cfgvault-interfaces:interfaces/interface[name='eth0']/type" {
		t.Errorf("got %+v, %v", leaves, err)
	}
	leaves, err = tree.Get("/cfgvault-bgp:bgp/instance[vrf='default']/neighbor[address='10.0.0.9']/password/value")
	if err != nil || len(leaves) != 1 || leaves[0].Value != "hunter2" || !leaves[0].Schema.Secret() {
		t.Errorf("got %+v, %v", leaves, err)
	}
	if _, err := tree.Get("/cfgvault-bgp:bgp/nothing"); err == nil {
		t.Error("a path that the schema does not have was followed")
	}
}

// TestManyErrors: all faults are found in one pass, each with its place.
func TestManyErrors(t *testing.T) {
	s := common(t)
	tree := read(t, s, "{\"cfgvault-bgp:bgp\":{\"instance\":[\n{\"vrf\":\"a\"},\n{\"vrf\":\"b\",\"as\":1,\"neighbor\":[\n{\"address\":\"10.0.0.1\",\"peer-group\":\"X\"},\n{\"address\":\"10.0.0.1\"}]}]}}")
	faults := schemas.Faults(s.Validate(tree))
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	want := []string{
		`/cfgvault-bgp:bgp/instance[vrf='a']: the mandatory leaf "as" is missing (line 2, RFC 7950 §7.6.5)`,
		`/cfgvault-bgp:bgp/instance[vrf='b']/neighbor[address='10.0.0.1']: an entry with this key is there already (line 4) (line 5, RFC 7950 §7.8.2)`,
		`/cfgvault-bgp:bgp/instance[vrf='b']/neighbor[address='10.0.0.1']/peer-group: "X" is not a value of /cfgvault-bgp:bgp/instance/peer-group/name (line 4, RFC 7950 §9.9)`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	_, err := s.ParseJSON([]byte("{\n\"cfgvault-vlans:vlans\":{\"vlan\":[{\"id\":0},\n{\"id\":4095},{\"nme\":1}]},\n\"x:y\":1}"))
	if n := len(schemas.Faults(err)); n != 5 {
		t.Errorf("%d faults: %v", n, err)
	}
	if len(schemas.Faults(fs.ErrNotExist)) != 1 || schemas.Faults(nil) != nil {
		t.Error("Faults of other errors")
	}
}

// TestHash: it changes with what the set means and with nothing else.
func TestHash(t *testing.T) {
	load := func(text string, on bool) string {
		set, err := schemas.Load(schemas.Options{Search: []schemas.Source{schemas.Files(map[string][]byte{"m.yang": []byte(wrap(text))})}, Feature: func(string, string) bool { return on }}, "m")
		if err != nil {
			t.Fatal(err)
		}
		return set.Hash()
	}
	a := load(`feature f; leaf a { type string; }`, true)
	if a != load(`feature f; leaf a { type string; }`, true) {
		t.Error("the hash is not stable")
	}
	if a == load(`feature f; leaf a { type string; }`, false) || a == load(`feature f; leaf b { type string; }`, true) {
		t.Error("the hash does not tell sets apart")
	}
}
