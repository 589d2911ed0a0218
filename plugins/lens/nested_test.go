package lens_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

var braces = syntax.Braces{Remarks: []string{"#"}}

// nestedTable is a small table in the manner of Junos.
func nestedTable() lens.Table {
	return lens.Table{
		Nested: true, Ending: ";", Indent: " ",
		Quote: syntax.Quote, Unquote: syntax.Unquote,
		Parse: func(text string) *syntax.Doc {
			if syntax.IsCommands(text) {
				return syntax.ParseCommands(text)
			}
			return syntax.ParseBraces(text, braces)
		},
		Words: func(buf []syntax.Word, s string) []syntax.Word {
			if syntax.IsCommands(s) {
				return syntax.CommandWords(buf, s)
			}
			return braces.Words(buf, s)
		},
		Rows: []lens.Row{
			{Text: "sys", Rows: []lens.Row{
				{Text: "host $h", Set: "m:s/host=$h"},
				{Text: "dns $a:ip", Set: "m:s/dns+=$a"},
				{Text: "motd $m:text", Set: "m:s/motd=$m"},
				{Text: "key $_:secret-text", Class: plugins.SecretOpaque},
				{Text: "limit 5", Class: plugins.Boilerplate, Rule: "limit", Why: "the default"},
			}},
			{Text: "ifs", Rows: []lens.Row{{Text: "$if", Set: "m:i/if[name=$if]", Rows: []lens.Row{
				{Text: "mtu $n:1..9999", Set: "./mtu=$n"},
				{Text: "off", Set: "./on=false"},
				{Text: "unit $u:0..9", Set: "./unit[id=$u]", Rows: []lens.Row{
					{Text: "family inet", Rows: []lens.Row{
						{Text: "address $a:if4 $p?primary", Set: "./ip[a=$a.ip]/len=$a.length ./ip[a=$a.ip]/primary=$p"},
					}},
					{Text: "vlan $v:text", Set: "./vlan+=$v"},
				}},
			}}}},
		},
		Lines: []lens.Rule{{ID: "annotation", Class: plugins.Boilerplate, Pattern: `^/\*`, Why: "a remark"}},
	}
}

func readNested(t *testing.T, text string) (tree, account string) {
	t.Helper()
	l := lens.Check(nestedTable())
	r := lens.NewReader()
	r.Read(l, "c", text, nil)
	n := r.Normalized()
	var b strings.Builder
	for _, line := range n.Residual {
		fmt.Fprintf(&b, "%d %s%s [%s]\n", line.Number, line.Class, line.Rule, line.Section)
	}
	return string(n.Tree), b.String()
}

// One path, however it is spread over blocks and lines, says one thing.
func TestNestedForms(t *testing.T) {
	want := `{"m:i":{"if":[{"name":"a","mtu":9,"on":false,"unit":[{"id":1,"ip":[{"a":"10.0.0.1","len":24,"primary":true}],"vlan":["x","y z"]}]}]},"m:s":{"dns":["10.0.0.2","10.0.0.3"],"host":"r1"}}`
	for name, text := range map[string]string{
		"blocks":   "sys {\n host r1;\n dns {\n  10.0.0.2;\n  10.0.0.3;\n }\n}\nifs {\n a {\n  mtu 9;\n  off;\n  unit 1 {\n   family inet {\n    address 10.0.0.1/24 {\n     primary;\n    }\n   }\n   vlan [ x \"y z\" ];\n  }\n }\n}\n",
		"lines":    "sys host r1;\nsys dns [ 10.0.0.2 10.0.0.3 ];\nifs a mtu 9;\nifs a { off; unit 1 family inet address 10.0.0.1/24 primary; unit 1 { vlan x; vlan \"y z\"; } }\n",
		"commands": "set sys host r1\nset sys dns 10.0.0.2\nset sys dns 10.0.0.3\nset ifs a mtu 9\nset ifs a off\nset ifs a unit 1 family inet address 10.0.0.1/24 primary\nset ifs a unit 1 vlan x\nset ifs a unit 1 vlan 'y z'\n",
	} {
		t.Run(name, func(t *testing.T) {
			tree, account := readNested(t, text)
			if tree != want || account != "" {
				t.Errorf("got %s\n%s", tree, account)
			}
			if err := lens.Check(nestedTable()).CheckRead(text); err != nil {
				t.Error(err)
			}
		})
	}
	text, losses, err := lens.Check(nestedTable()).Write([]byte(want))
	if err != nil || len(losses) > 0 {
		t.Fatalf("%v %v", losses, err)
	}
	if want := "sys {\n host r1;\n dns 10.0.0.2;\n dns 10.0.0.3;\n}\nifs {\n a {\n  mtu 9;\n  off;\n  unit 1 {\n   family inet {\n    address 10.0.0.1/24 primary;\n   }\n   vlan x;\n   vlan \"y z\";\n  }\n }\n}\n"; text != want {
		t.Errorf("wrote %q", text)
	}
}

func TestNestedAccount(t *testing.T) {
	for _, tt := range []struct{ name, text, tree, account string }{
		{"unknown statements and blocks", "sys {\n what 1;\n host r1; who {\n  host r2;\n }\n}\nsecret {\n x;\n}\n", `{"m:s":{"host":"r1"}}`,
			"2 unparsed [sys]\n3 unparsed [sys]\n4 unparsed [sys]\n5 unparsed [sys]\n7 unparsed [•••]\n8 unparsed [•••]\n9 unparsed [•••]\n"},
		{"secrets, defaults, annotations", "sys {\n key \"a b\";\n limit 5;\n /* two\n lines */\n}\n", "{}",
			"2 secret-opaque [sys]\n3 boilerplatelimit [sys]\n4 boilerplateannotation [sys]\n5 boilerplateannotation [sys]\n"},
		{"inactive", "inactive: sys {\n host r1;\n}\nifs {\n a {\n  inactive: mtu 9;\n }\n}\n", `{"m:i":{"if":[{"name":"a"}]}}`,
			"1 unparsed [sys]\n2 unparsed [sys]\n3 unparsed [sys]\n6 unparsed [ifs]\n"},
		{"deactivated", "set ifs a mtu 9\nset ifs b mtu 9\ndeactivate ifs a\n", `{"m:i":{"if":[{"name":"b","mtu":9}]}}`, "1 unparsed [ifs]\n3 unparsed [ifs]\n"},
		{"cut", "ifs {\n a {\n  mtu 90", `{"m:i":{"if":[{"name":"a"}]}}`, "3 unparsed [ifs]\n"},
		{"a frame alone", "ifs {\n a {\n  unit 1 {\n   family inet;\n  }\n }\n}\n", `{"m:i":{"if":[{"name":"a","unit":[{"id":1}]}]}}`, "4 unparsed [ifs]\n"},
		{"a list that is known in part", "sys {\n dns [ 10.0.0.1 x ];\n dns [ ];\n}\n", `{"m:s":{"dns":["10.0.0.1"]}}`, "2 unparsed [sys]\n3 unparsed [sys]\n"},
		{"a value twice", "sys {\n host a;\n host b;\n}\n", `{"m:s":{"host":"a"}}`, "3 unparsed [sys]\n"},
		{"blanks where a word is wanted", "sys {\n host \"a b\";\n}\n", "{}", "2 unparsed [sys]\n"},
		{"an entry alone", "ifs {\n a;\n}\n", `{"m:i":{"if":[{"name":"a"}]}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree, account := readNested(t, tt.text)
			if tree != tt.tree || account != tt.account {
				t.Errorf("got %s\n%s", tree, account)
			}
			if err := lens.Check(nestedTable()).CheckRead(tt.text); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNestedTableIsChecked(t *testing.T) {
	for text, row := range map[string]lens.Row{
		"optional words": {Text: "a { $b }", Set: "m:a/b=$b", Rows: []lens.Row{{Text: "c", Set: "m:a/c=true"}}},
		"more than one":  {Text: "a $b:line", Set: "m:a/b=$b"},
		"a text or an":   {Text: "a", Body: "t", BodyEnd: ".", Set: "m:a/b=$t"},
	} {
		table := nestedTable()
		table.Rows = []lens.Row{row}
		if _, err := lens.Compile(table); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v", row, err)
		}
	}
}

func TestNamesInPaths(t *testing.T) {
	names := lens.Names{Path: true, Words: nestedTable().Words, Refs: []string{"ifs $if", "ifs $if ...", "... from $if"}}
	in := "ifs {\n ge-0 {\n  about ge-0;\n }\n ge-1;\n}\nrule { from ge-0; }\n"
	d := syntax.ParseBraces(in, braces)
	if _, err := names.Apply(d, "c", plugins.InterfaceMap{"ge-0": "xe-7"}); err != nil {
		t.Fatal(err)
	}
	if got, want := d.String(), "ifs {\n xe-7 {\n  about ge-0;\n }\n ge-1;\n}\nrule { from xe-7; }\n"; got != want {
		t.Errorf("got %q", got)
	}
	if _, err := names.Apply(syntax.ParseCommands("set ifs ge-0 x\nset ifs ge-1 y\n"), "c", plugins.InterfaceMap{"ge-0": "ge-1"}); err == nil {
		t.Error("two interfaces came to have one name")
	}
}

// A path over many lines, and one of many words, in time that grows with them.
func TestNestedLinear(t *testing.T) {
	l := lens.Check(nestedTable())
	for _, text := range []string{
		strings.Repeat("ifs a unit 1 family inet ", 1<<15) + ";\n",
		strings.Repeat("sys { ", 1<<11) + strings.Repeat("}\n", 1<<11),
		"sys dns [ " + strings.Repeat("10.0.0.1 ", 1<<15) + "];\n",
		strings.Repeat("ifs { ge-0 { mtu 9; } }\n", 1<<14),
	} {
		lens.NewReader().Read(l, "c", text, nil)
	}
}
