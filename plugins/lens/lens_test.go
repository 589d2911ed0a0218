package lens_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

func parse(text string) *syntax.Doc {
	return syntax.ParseIndented(text, syntax.Indented{Comment: "!", Banner: syntax.HeredocBanner})
}

// small is a table with one of everything.
func small() lens.Table {
	return lens.Table{
		Parse: parse, Indent: " ", Separator: "!", Footer: "end\n",
		Funcs: map[string]func(any) (any, bool){"kind": func(v any) (any, bool) { return "loop", v == "lo" }},
		Rows: []lens.Row{
			{Text: "end", Class: plugins.Boilerplate, Rule: "frame", Why: "ends it"},
			{Text: "name $n", Set: "m:sys/name=$n"},
			{Text: "server { vrf $v } $h $p?prefer", Set: "m:sys/server[host=$h] m:sys/server[host=$h]/vrf=$v m:sys/server[host=$h]/prefer=$p"},
			{Text: "dns vrf $v!default $a:ip", Set: "m:sys/dns[address=$a] m:sys/dns[address=$a]/vrf=$v"},
			{Text: "community $c:secret ro", Set: "m:sys/community[name=$c]"},
			{Text: "password $_:secret", Class: plugins.SecretOpaque},
			{Text: "banner motd", Body: "text", BodyEnd: "EOF", Set: "m:sys/motd=$text"},
			{Text: "if $i", Set: "m:if[name=$i] m:if[name=$i]/kind=kind($i)", End: "exit", Rows: []lens.Row{
				{Text: "up", Set: "./up=true"},
				{Text: "no up", Set: "./up=false"},
				{Text: "ip $a:mask4", Set: "./ip[addr=$a.ip]/len=$a.length"},
				{Text: "vlans $l:vlans", Set: "./vlan*=$l"},
				{Text: "tag $t:0..9", Set: "./tag+=$t"},
			}},
			{Text: "bgp $as:asn", Set: "m:bgp/as=$as", Rows: []lens.Row{
				{Each: "./group[name=$n]", Rows: []lens.Row{
					{Text: "peer $n:name group", Set: "./group[name=$n]"},
					{Text: "peer $n:name text $d:line", Set: "./group[name=$n]/text=$d", If: "./group[name=$n]"},
				}},
				{Each: "./peer[addr=$n]", Rows: []lens.Row{{Text: "peer $n:ip text $d:line", Set: "./peer[addr=$n]/text=$d"}}},
				{Text: "family $f:one-of=v4>ipv4|v6>ipv6", End: "exit-family", Rows: []lens.Row{
					{Text: "net $p:prefix", Set: "./family[name=$f]/net+=$p"},
				}},
			}},
			{Pair: &lens.Pair{
				First: "range",
				Read: func(w []string) ([]lens.Assign, bool) {
					lo, hi, ok := strings.Cut(w[len(w)-1], "-")
					at := func(leaf, v string) lens.Assign {
						return lens.Assign{Path: []lens.Step{{Name: "m:sys"}, {Name: leaf}}, Value: v}
					}
					return []lens.Assign{at("lo", lo), at("hi", hi)}, ok && len(w) == 2 && lo != "" && hi != ""
				},
				Write: func(t lens.Tree) []lens.Emit {
					lo, hi := []lens.Step{{Name: "m:sys"}, {Name: "lo"}}, []lens.Step{{Name: "m:sys"}, {Name: "hi"}}
					l, _ := t.Leaf(lo...).(string)
					h, _ := t.Leaf(hi...).(string)
					if l == "" || h == "" {
						return nil
					}
					return []lens.Emit{{Text: "range " + l + "-" + h, Uses: [][]lens.Step{lo, hi}}}
				},
			}},
		},
		Any:     []lens.Row{{Text: "exit", Class: plugins.Boilerplate, Rule: "block-end", Why: "ends a block"}, {Text: "exit-family", Class: plugins.Boilerplate, Rule: "block-end", Why: "ends a block"}},
		Lines:   []lens.Rule{{ID: "sign", Class: plugins.Boilerplate, Pattern: `^!$`, Why: "nothing"}, {ID: "time", Class: plugins.Volatile, Pattern: `^! Time`, Why: "the time"}},
		Ordered: []string{"m:sys/dns"},
	}
}

func read(t *testing.T, text string) *plugins.Normalized {
	t.Helper()
	r := lens.NewReader()
	r.Read(lens.Check(small()), "a", text, nil)
	return r.Normalized()
}

func TestRead(t *testing.T) {
	tests := []struct{ name, in, tree string }{
		{"a leaf", "name r1\n", `{"m:sys":{"name":"r1"}}`},
		{"the first of two values stays", "name r1\nname r2\n", `{"m:sys":{"name":"r1"}}`},
		{"optional group and word", "server vrf red h1 prefer\nserver h2\n", `{"m:sys":{"server":[{"host":"h1","prefer":true,"vrf":"red"},{"host":"h2"}]}}`},
		{"an optional group that swallows the rest is given back", "server vrf prefer\n", `{"m:sys":{"server":[{"host":"vrf","prefer":true}]}}`},
		{"the word of the default", "dns vrf default 10.0.0.1\ndns vrf red 2001:DB8::1\n", `{"m:sys":{"dns":[{"address":"10.0.0.1"},{"address":"2001:db8::1","vrf":"red"}]}}`},
		{"mask", "if e\n ip 10.0.0.1 255.255.254.0\n", `{"m:if":[{"name":"e","ip":[{"addr":"10.0.0.1","len":23}]}]}`},
		{"no mask", "if e\n ip 10.0.0.1 255.0.255.0\n", `{"m:if":[{"name":"e"}]}`},
		{"ranges meet", "if e\n vlans 5,1-2,3\n", `{"m:if":[{"name":"e","vlan":["1-3",5]}]}`},
		{"a list over two lines", "if e\n vlans 1,2\n vlans 3\n", `{"m:if":[{"name":"e","vlan":["1-3"]}]}`},
		{"one value a line", "if e\n tag 3\n tag 1\n tag 3\n", `{"m:if":[{"name":"e","tag":[3,1]}]}`},
		{"derived", "if lo\n", `{"m:if":[{"name":"lo","kind":"loop"}]}`},
		{"group before use", "bgp 1.1\n peer G text no\n peer G group\n peer G text yes\n peer 10.0.0.1 text x  y\n", `{"m:bgp":{"as":65537,"group":[{"name":"G","text":"yes"}],"peer":[{"addr":"10.0.0.1","text":"x  y"}]}}`},
		{"frame", "bgp 1\n family v6\n  net 2001:DB8::1/32\n exit-family\n", `{"m:bgp":{"as":1,"family":[{"name":"ipv6","net":["2001:db8::/32"]}]}}`},
		{"a statement outside its block", "net 10.0.0.0/8\nup\n", `{}`},
		{"banner", "banner motd\n a\n\n!b\nEOF\n", `{"m:sys":{"motd":" a\n\n!b"}}`},
		{"banner without end", "banner motd\n a\n", `{}`},
		{"pair", "range 1-9\n", `{"m:sys":{"hi":"9","lo":"1"}}`},
		{"pair that contradicts", "range 1-9\nrange 1-8\n", `{"m:sys":{"hi":"9","lo":"1"}}`},
		{"no string of YANG", "name a\x01\nname \xff\n", `{}`},
		{"binary", "name a\n\x00", `{}`},
		{"CRLF", "if e\r\n up\r\n", `{"m:if":[{"name":"e","up":true}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(read(t, tt.in).Tree); got != tt.tree {
				t.Errorf("got  %s\nwant %s", got, tt.tree)
			}
			if err := lens.Check(small()).CheckRead(tt.in); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	in := "! Time: now\n!\nname a\n\npassword x\nbanner motd\n text\n\nEOF\nif e\n what\nexit\nodd Secret\n below\nend\n"
	want := []string{"1 volatile time global", "2 boilerplate sign global", "5 secret-opaque  global", "11 unparsed  if e", "12 boilerplate block-end global",
		"13 unparsed  •••", "14 unparsed  •••", "15 boilerplate frame global"}
	n := read(t, in)
	var got []string
	for _, l := range n.Residual {
		got = append(got, strings.Join([]string{string('0' + rune(l.Number/10)), string('0' + rune(l.Number%10)), " ", string(l.Class), " ", l.Rule, " ", l.Section}, ""))
	}
	for i := range got {
		got[i] = strings.TrimPrefix(got[i], "0")
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	mapped := 0
	for _, c := range n.Coverage {
		mapped += c.Lines[plugins.Mapped]
	}
	if mapped != 5 { // name, the banner's three lines that are not empty, if
		t.Errorf("%d lines are mapped", mapped)
	}
}

func TestVerify(t *testing.T) {
	l := lens.Check(small())
	r := lens.NewReader()
	r.Read(l, "running", "name r1\nif e\n vlans 1-3\nrange 1-2\n", nil)
	before := string(r.Normalized().Tree)
	r.Verify(l, "startup", "name r2\nif e\n vlans 1-3\n up\nif f\nrange 1-2\nrange 1-3\n")
	n := r.Normalized()
	if string(n.Tree) != before {
		t.Errorf("verifying changed the tree: %s", n.Tree)
	}
	var got []int
	for _, line := range n.Residual {
		if line.Artefact == "startup" {
			got = append(got, line.Number)
		}
	}
	if len(got) != 4 || got[0] != 1 || got[1] != 4 || got[2] != 5 || got[3] != 7 {
		t.Errorf("not in the tree: lines %v", got)
	}
}

func TestWrite(t *testing.T) {
	tests := []struct{ name, tree, text, losses string }{
		{"order of the table, not of the tree", `{"m:sys":{"server":[{"host":"h","prefer":true}],"name":"r"},"m:if":[{"name":"e","up":false}]}`,
			"name r\nserver h prefer\nif e\n no up\nexit\n!\nend\n", ""},
		{"order of a list", `{"m:sys":{"dns":[{"address":"10.0.0.2","vrf":"red"},{"address":"10.0.0.1"}]}}`, "dns vrf red 10.0.0.2\ndns vrf default 10.0.0.1\nend\n", ""},
		{"an unknown leaf", `{"m:if":[{"name":"e","mtu":9000}]}`, "if e\nexit\n!\nend\n", "/m:if[name='e']/mtu"},
		{"a value that no word can be", `{"m:sys":{"name":"two words"}}`, "end\n", "/m:sys/name"},
		{"an option that cannot be written goes alone", `{"m:sys":{"server":[{"host":"h","vrf":"a b"}]}}`, "server h\nend\n", "/m:sys/server[host='h']/vrf"},
		{"an entry that cannot be written goes whole", `{"m:if":[{"name":"a b","up":true}]}`, "end\n", "/m:if[name='a b']"},
		{"secret keys are hidden", `{"m:sys":{"community":[{"name":"Canary one"}]}}`, "end\n", "/m:sys/community[name='•••']"},
		{"a text that holds its own end", `{"m:sys":{"motd":"a\nEOF\nname x"}}`, "end\n", "/m:sys/motd"},
		{"a frame with nothing in it", `{"m:bgp":{"as":1,"family":[{"name":"ipv4"}]}}`, "bgp 1\n!\nend\n", "/m:bgp/family[name='ipv4']"},
		{"a value outside the frames", `{"m:bgp":{"as":1,"family":[{"name":"vpn","net":["10.0.0.0/8"]}]}}`, "bgp 1\n!\nend\n", "/m:bgp/family[name='vpn']"},
		{"derived and wrong", `{"m:if":[{"name":"lo","kind":"other"}]}`, "if lo\nexit\n!\nend\n", "/m:if[name='lo']/kind"},
		{"a list without keys in the table", `{"x:y":[{"a":1},{"a":2}]}`, "end\n", "/x:y[1] /x:y[2]"},
		{"half a pair", `{"m:sys":{"lo":"1"}}`, "end\n", "/m:sys/lo"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lens.Check(small())
			text, losses, err := l.Write([]byte(tt.tree))
			if err != nil {
				t.Fatal(err)
			}
			if text != tt.text {
				t.Errorf("wrote %q, want %q", text, tt.text)
			}
			var paths []string
			for _, x := range losses {
				paths = append(paths, x.Path)
				if strings.Contains(x.Path+x.Text, "Canary") {
					t.Error("a loss shows a secret")
				}
			}
			if got := strings.Join(paths, " "); got != tt.losses {
				t.Errorf("lost %s, want %s", got, tt.losses)
			}
			// What a function derives wrongly is replaced by what is right.
			if err := l.CheckWrite([]byte(tt.tree)); err != nil && tt.name != "derived and wrong" {
				t.Error(err)
			}
		})
	}
}

func TestWriteRefusesWhatIsNoTree(t *testing.T) {
	for _, tree := range []string{``, `[]`, `{"m:if":[{"up":true}]}`, `{"m:if":[{"name":"a"},{"name":"a"}]}`, `{"a":[[1]]}`, `{"a":[1,{}]}`, strings.Repeat(`{"a":`, 20000)} {
		if _, _, err := lens.Check(small()).Write([]byte(tree)); err == nil {
			t.Errorf("took %.40s", tree)
		}
	}
}

func TestCompileNamesTheRow(t *testing.T) {
	for _, r := range []lens.Row{
		{Text: "a $x:nothing"}, {Text: "a { b"}, {Text: "{ a }"}, {Text: "a $x", Set: "m:a=$y"}, {Text: "a $x", Set: "a=$x"},
		{Text: "a", Class: plugins.Boilerplate, Rule: "r"}, {Text: "a $x", Set: "m:a=f($x)"}, {Text: "a $"}, {Text: "a $x", Set: "m:l[k=$x]/a=1 m:l[j=$x]/a=1"}, {Text: ""},
	} {
		_, err := lens.Compile(lens.Table{Parse: parse, Rows: []lens.Row{r}})
		if err == nil || !strings.Contains(err.Error(), `"`+r.Text+`"`) {
			t.Errorf("%q: %v", r.Text+" | "+r.Set, err)
		}
	}
}

// A law that a table breaks is found.
func TestLawsFindABrokenTable(t *testing.T) {
	shout := lens.Word(nil)
	shout.Write = func(v []any) (string, bool) { return strings.ToUpper(v[0].(string)), true }
	broken := lens.Table{Parse: parse, Codecs: map[string]lens.Codec{"shout": shout}, Rows: []lens.Row{{Text: "name $n:shout", Set: "m:sys/name=$n"}}}
	if err := lens.Check(broken).CheckRead("name r1\n"); err == nil {
		t.Error("a codec that does not read what it writes passed")
	}
	deaf := lens.Table{Parse: parse, Rows: []lens.Row{{Text: "name $n", Set: "m:sys/name=$n", ReadOnly: true}}}
	if err := lens.Check(deaf).CheckRead("name r1\n"); err == nil {
		t.Error("a row that is never written passed")
	}
	loose := lens.Table{Parse: parse, Rows: []lens.Row{{Text: "dns $a", Set: "m:dns[a=$a]/v=1"}, {Text: "old $a", Set: "m:dns[a=$a]/v=2"}}, Ordered: []string{"m:dns"}}
	if err := lens.Check(loose).CheckRead("old x\ndns y\n"); err == nil {
		t.Error("a changed order passed")
	}
}

func TestNames(t *testing.T) {
	n := lens.Names{Refs: []string{"if $if", "route * $if ...", "... dev $if"}}
	d := parse("if a\n text a\nroute x a 5\nroute a x\nwhat ever dev a\nif b\nif c\n")
	if _, err := n.Apply(d, "c", plugins.InterfaceMap{"a": "b", "b": "a"}); err != nil {
		t.Fatal(err)
	}
	if got := d.String(); got != "if b\n text a\nroute x b 5\nroute a x\nwhat ever dev b\nif a\nif c\n" {
		t.Errorf("got %q", got)
	}
	if _, err := n.Apply(parse("if a\nif c\n"), "c", plugins.InterfaceMap{"a": "c"}); err == nil {
		t.Error("two interfaces came to have one name")
	}
}

// What a map leaves out goes with its own block. What else is said of it, and
// an old name that no pattern looks for, is a loss.
func TestNamesLeavesOut(t *testing.T) {
	n := lens.Names{
		Refs: []string{"if $if", "passive $if"}, Own: "if $if", Idle: []string{"shutdown"}, End: "exit",
		Rename: func(word string, one func(string) string) (string, bool) {
			var out []string
			for part := range strings.SplitSeq(word, ",") {
				out = append(out, one(part))
			}
			return strings.Join(out, ","), true
		},
	}
	d := parse("if e1\n shutdown\nexit\nif e2\n ip 1\nexit\nif e3\n ip 3\n description e3\npassive e1\npassive e1,e3\nmirror e3 x\nhostname e3\nwatch e4 \"e3\"\n")
	losses, err := n.Apply(d, "c", plugins.InterfaceMap{"e1": "", "e2": "", "e3": "e2"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.String(), "if e2\n ip 3\n description e3\npassive e2\nmirror e3 x\nhostname e3\nwatch e4 \"e3\"\n"; got != want {
		t.Errorf("got %q", got)
	}
	var told []string
	for _, l := range losses {
		told = append(told, fmt.Sprintf("%d %s", l.Line, l.Code))
	}
	if got := strings.Join(told, ", "); got != "4 no-port, 10 no-port, 12 not-renamed, 14 not-renamed" {
		t.Errorf("losses %s", got)
	}
}

func TestCodecs(t *testing.T) {
	b := lens.Builtin()
	tests := []struct{ codec, in, want string }{
		{"mac", "001c.7300.0099", "00:1c:73:00:00:99"}, {"mac", "00-1C-73-00-00-99", "00:1c:73:00:00:99"}, {"mac", "001c73000099", ""}, {"mac", "00:1c", ""},
		{"area", "10", "0.0.0.10"}, {"area", "4294967296", ""}, {"area", "1.2.3.4", "1.2.3.4"},
		{"prefix", "10.1.2.3/8", "10.0.0.0/8"}, {"prefix", "10.1.2.3", ""}, {"prefix4", "2001:db8::/32", ""}, {"prefix6", "2001:DB8:0:0::1/32", "2001:db8::/32"},
		{"ip", "::ffff:10.0.0.1", ""}, {"ip", "010.0.0.1", ""}, {"ip", "fe80::1%eth0", ""}, {"zoned", "fe80::1%eth0", "fe80::1%eth0"},
		{"net-mask4", "10.1.0.0 255.255.0.0", "10.1.0.0/16"}, {"wild4", "10.1.0.0 0.0.255.255", "10.1.0.0/16"}, {"wild4", "10.1.0.0 0.255.0.255", ""},
		{"wild4", "0.0.0.0 255.255.255.255", "0.0.0.0/0"}, {"net-mask4", "10.0.0.1 255.255.255.255", "10.0.0.1/32"},
		{"name", "10.0.0.1", ""}, {"name", "42", ""}, {"name", "FABRIC", "FABRIC"},
		{"vlans", "0", ""}, {"vlans", "4095", ""}, {"vlans", "3-1", ""}, {"vlans", "1,,2", ""}, {"vlans", "+1", ""},
	}
	for _, tt := range tests {
		v, ok := b[tt.codec].Read(tt.in)
		got := ""
		if ok {
			got, _ = v[0].(string)
		}
		if got != tt.want {
			t.Errorf("%s reads %q as %q, want %q", tt.codec, tt.in, got, tt.want)
		}
		if ok {
			text, ok := b[tt.codec].Write(v)
			again, ok2 := b[tt.codec].Read(text)
			if !ok || !ok2 || again[0] != v[0] {
				t.Errorf("%s writes %v as %q", tt.codec, v, text)
			}
		}
	}
	for in, want := range map[string]int64{"65001": 65001, "1.10": 65546, "0.1": 1, "4294967295": 4294967295} {
		if v, ok := b["asn"].Read(in); !ok || v[0] != want {
			t.Errorf("asn %s is %v", in, v)
		}
	}
	for _, in := range []string{"0", "4294967296", "65536.1", "1.65536", "-1", "1.", ".1", "1.2.3"} {
		if _, ok := b["asn"].Read(in); ok {
			t.Errorf("asn takes %s", in)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("name r1\nserver vrf red h prefer\nif lo\n up\n vlans 1-3\nexit\nbgp 1\n peer G group\n family v4\n  net 10.0.0.0/8\nbanner motd\nx\nEOF\nrange 1-2\n")
	f.Fuzz(func(t *testing.T, text string) {
		if err := lens.Check(small()).CheckRead(text); err != nil {
			t.Error(err)
		}
	})
}
