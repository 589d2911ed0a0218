package lens_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// things is a table of records in the dialect of RouterOS.
func things() lens.Table {
	const item = "m:items/item[name=$n]"
	const rule = "m:rules/rule[table=nat][id=$#]"
	return lens.Table{
		Records: func(text string) (*syntax.Doc, func(func(*syntax.Record) bool)) {
			d := syntax.ParseSections(text, syntax.RouterOS())
			return d, func(y func(*syntax.Record) bool) { syntax.RouterOSRecords(d, y) }
		},
		Print: func(records []syntax.Record) string {
			var b strings.Builder
			for _, r := range records {
				b.WriteString(r.Words[0] + " " + r.Words[1])
				for _, a := range r.Attrs {
					b.WriteString(" " + a.Name + "=" + syntax.RouterOSQuote(strings.Join(a.Values(), ",")))
				}
				b.WriteByte('\n')
			}
			return b.String()
		},
		Codecs: map[string]lens.Codec{"names": lens.Many(lens.Word(nil), ",")},
		Attrs: []lens.AttrRule{
			{ID: "default", Class: plugins.Boilerplate, Record: "/item", Name: "ttl", Value: "64", Why: "the manual, page 1"},
			{ID: "key", Class: plugins.SecretOpaque, Name: "key"},
		},
		Rows: []lens.Row{
			{Text: "/item add", Attrs: "name=$n { mtu=$m:1..9000 } { ip=$a:if4 } { ports=$p:names } { low=$lo:0..9 high=$hi:0..9 } { pass=$_:secret }",
				Set: item + " " + item + "/mtu=$m " + item + "/ip=$a.ip " + item + "/length=$a.length " + item + "/port*=$p " + item + "/low=$lo " + item + "/high=$hi"},
			{Text: "/member add", Attrs: "item=$n vlan=$v:1..4094", Set: item + "/vlan~=$v"},
			{Text: "/nat add", Attrs: "action=$act { comment=$c:value } *=$rest", Set: rule + "/action=$act " + rule + "/name=$c " + rule + "/condition*=$rest"},
		},
		Lines: []lens.Rule{{ID: "comment", Class: plugins.Boilerplate, Pattern: "^#", Why: "a comment"}},
	}
}

func TestRecordsAreRead(t *testing.T) {
	r := lens.NewReader()
	r.Read(lens.Check(things()), "a", "# c\n/item\nadd name=x mtu=1500 ttl=64 ports=b,a key=Canary\n"+
		"add mtu=99999 name=y low=1 ip=1.2.3.4/8 \\\n    ttl=65\nadd mtu=1\n/item add name=z pass=Canary\n"+
		"add name=x mtu=1501\n/member\nadd item=x vlan=3\nadd item=x vlan=4\nadd item=x vlan=9\n"+
		"/nat\nadd action=drop comment=\"a b\" src=1 dst=\"\"\nadd action=\nadd action=accept\n/other\nadd Canary=1\n", nil)
	n := r.Normalized()
	const want = `{"m:items":{"item":[{"name":"x","mtu":1500,"port":["b","a"],"vlan":["3-4",9]},{"name":"y","ip":"1.2.3.4","length":8},{"name":"z"}]},` +
		`"m:rules":{"rule":[{"table":"nat","id":1,"action":"drop","condition":["src=1","dst="],"name":"a b"},{"table":"nat","id":2,"action":"accept"}]}}`
	if string(n.Tree) != want {
		t.Errorf("got  %s\nwant %s", n.Tree, want)
	}
	var got []string
	for _, l := range n.Residual {
		got = append(got, fmt.Sprintf("%d %s %s %s", l.Number, l.Class, l.Rule, l.Section))
	}
	wantLines := []string{"1 boilerplate comment global", "4 unparsed  /item", "5 unparsed  /item", "6 unparsed  /item", "8 unparsed  /item",
		"15 unparsed  /nat", "17 unparsed  /•••", "18 unparsed  /•••"}
	if strings.Join(got, "\n") != strings.Join(wantLines, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wantLines, "\n"))
	}
}

func TestRecordsAreWritten(t *testing.T) {
	l := lens.Check(things())
	text, losses, err := l.Write([]byte(`{"m:items":{"item":[{"name":"x","low":1,"vlan":["2-4"]},{"name":"y","low":2,"high":3,"mtu":77,"port":["a"]}]},
		"m:rules":{"rule":[{"table":"nat","id":1,"action":"a","condition":["x=y","z=two words"]},{"table":"nat","id":3,"action":"b"},{"table":"nat","id":2,"action":"c"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "/item add name=x\n/item add name=y mtu=77 ports=a low=2 high=3\n/member add item=x vlan=2\n/member add item=x vlan=3\n/member add item=x vlan=4\n" +
		"/nat add action=a x=y z=\"two words\"\n/nat add action=c\n"
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if len(losses) != 2 || losses[0].Path != "/m:items/item[name='x']/low" || losses[1].Path != "/m:rules/rule[table='nat'][id='3']" {
		t.Errorf("losses %v", losses)
	}
}

func TestRecordTablesAreChecked(t *testing.T) {
	for what, spoil := range map[string]func(*lens.Table){
		"an open brace":         func(t *lens.Table) { t.Rows[0].Attrs = "{ a=b" },
		"no value":              func(t *lens.Table) { t.Rows[0].Attrs = "a" },
		"a codec unknown":       func(t *lens.Table) { t.Rows[0].Attrs = "a=$b:no-such" },
		"a block":               func(t *lens.Table) { t.Rows[0].Rows = []lens.Row{{Text: "x y", Set: "./x=1"}} },
		"a rule without reason": func(t *lens.Table) { t.Attrs[0].Why = "" },
		"a bad expression":      func(t *lens.Table) { t.Attrs[0].Value = "(" },
	} {
		table := things()
		spoil(&table)
		if _, err := lens.Compile(table); err == nil {
			t.Errorf("%s passes", what)
		}
	}
}

// The laws hold for records that no device would send.
func TestRecordLaws(t *testing.T) {
	l := lens.Check(things())
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"x", "y", "", "1", "10", "4095", "a,b", "a,a", "1.2.3.4/8", "two words", "\"", "q=r", "é", "drop"})
		var b strings.Builder
		for range rapid.IntRange(0, 6).Draw(t, "records") {
			b.WriteString(rapid.SampledFrom([]string{"/item add", "/member add", "/nat add", "add", "/item", "/nat"}).Draw(t, "menu"))
			for range rapid.IntRange(0, 5).Draw(t, "attributes") {
				name := rapid.SampledFrom([]string{"name", "mtu", "ip", "ports", "low", "high", "item", "vlan", "action", "comment", "ttl", "pass", "zz"}).Draw(t, "name")
				b.WriteString(" " + name + "=" + syntax.RouterOSQuote(word.Draw(t, "value")))
			}
			b.WriteByte('\n')
		}
		if err := l.CheckRead(b.String()); err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
	})
}
