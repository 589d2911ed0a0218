package syntax_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// records prints what a parser's records say, one a line: words, attributes
// with their lines.
func records(each func(func(*syntax.Record) bool)) string {
	var b strings.Builder
	each(func(r *syntax.Record) bool {
		fmt.Fprintf(&b, "%d-%d %q", r.From+1, r.To, r.Words)
		for _, a := range r.Attrs {
			sign := "="
			switch {
			case a.Silent:
				sign = "~"
			case a.List:
				sign = "+="
			}
			fmt.Fprintf(&b, " %s%s%q@%d-%d", a.Name, sign, a.Values(), a.From+1, a.To)
		}
		if r.Bad {
			b.WriteString(" bad")
		}
		b.WriteByte('\n')
		return true
	})
	return b.String()
}

func routeros(text string) string {
	d := syntax.ParseSections(text, syntax.RouterOS())
	return records(func(f func(*syntax.Record) bool) { syntax.RouterOSRecords(d, f) })
}

func uci(text string) string {
	d := syntax.ParseUCI(text)
	return records(func(f func(*syntax.Record) bool) { syntax.UCIRecords(d, f) })
}

func tables(text string) string {
	j := syntax.ParseJSON(text)
	return records(func(f func(*syntax.Record) bool) { syntax.JSONRecords(j, "|", f) })
}

func TestRouterOSRecords(t *testing.T) {
	for in, want := range map[string]string{
		"/ip address\nadd address=10.0.0.1/24 comment=\"a b\" interface=e1\n":                        `2-2 ["/ip/address" "add"] address=["10.0.0.1/24"]@2-2 comment=["a b"]@2-2 interface=["e1"]@2-2` + "\n",
		"/interface/ethernet\r\nset [ find default-name=ether1 ] name=wan\r\n":                       `2-2 ["/interface/ethernet" "set"] [default-name=["ether1"]@2-2 name=["wan"]@2-2` + "\n",
		"/ip firewall filter\nadd chain=input comment=\\\n    \"x \\\n    y\" dst-port=\\\n    80\n": `2-5 ["/ip/firewall/filter" "add"] chain=["input"]@2-2 comment=["x y"]@3-4 dst-port=["80"]@5-5` + "\n",
		"/ip address add address=1.2.3.4/8 interface=a\nadd x=y\n/port set 0 name=serial0\n": `1-1 ["/ip/address" "add"] address=["1.2.3.4/8"]@1-1 interface=["a"]@1-1` + "\n" +
			`2-2 ["/ip/address" "add"] x=["y"]@2-2` + "\n" + `3-3 ["/port" "set"] numbers=["0"]@3-3 name=["serial0"]@3-3` + "\n",
		"/x\nadd a=\"b\\\"c\\\\\\24\\_\\r\\n\" d=\n": `2-2 ["/x" "add"] a=["b\"c\\$ \r\n"]@2-2 d=[""]@2-2` + "\n",
		"/x\nadd a=\"open\nadd b=c\n":                `2-2 ["/x" "add"] a=["open"]@2-2 bad` + "\n" + `3-3 ["/x" "add"] b=["c"]@3-3` + "\n",
		"/x\n:do { add } on-error={}\n":              `2-2 ["/x" ":do"] bad` + "\n",
		"add a=b\n/x\nadd a=\\":                      `1-1 ["" "add"] a=["b"]@1-1` + "\n" + `3-3 ["/x" "add"] bad` + "\n",
		"/x\nset [ find ] a=b\nset [ get 1 ] a=b\n":  `2-2 ["/x" "set"] a=["b"]@2-2` + "\n" + `3-3 ["/x" "set"] a=["b"]@3-3 bad` + "\n",
	} {
		if got := routeros(in); got != want {
			t.Errorf("%q:\ngot  %swant %s", in, got, want)
		}
	}
}

func TestRouterOSWrap(t *testing.T) {
	for _, want := range []string{
		"add name=short",
		"add action=accept chain=input comment=\"example: accept ICMPv6\" protocol=\\\n    icmpv6",
		"add action=drop chain=forward comment=\"example: drop invalid\" \\\n    connection-state=invalid",
		"add comment=\\\n    \"" + strings.Repeat("x y ", 30) + "\" \\\n    name=a",
	} {
		d := syntax.ParseSections(want, syntax.RouterOS())
		if got := syntax.RouterOSWrap(d.Logical(0)); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestUCIRecords(t *testing.T) {
	for in, want := range map[string]string{
		"config interface 'lan'\n\toption proto 'static'\n\tlist dns '1.1.1.1'\n\tlist dns '8.8.8.8'\n":  `1-1 ["interface" "lan"] proto=["static"]@2-2 dns+=["1.1.1.1" "8.8.8.8"]@3-3 dns~["8.8.8.8"]@4-4` + "\n",
		"config rule\n\toption name Allow-Ping\n\toption a \"x \\\"y\\\"\"\n\toption b 'it'\\''s' # c\n": `1-1 ["rule"] name=["Allow-Ping"]@2-2 a=["x \"y\""]@3-3 b=["it's"]@4-4` + "\n",
		"config a\noption b 'two\nlines'\noption b three\n":                                              `1-1 ["a"] b~["two\nlines"]@2-3 b=["three"]@4-4` + "\n",
		"option stray 1\nconfig a b\nfoo bar\noption c\n":                                                "1-1 [] bad\n" + `2-2 ["a" "b"]` + "\n3-3 [] bad\n4-4 [] bad\n",
		"config a\noption b 'open\n":                                                                     `1-1 ["a"]` + "\n2-2 [] bad\n",
		"config a; config b\npackage x\n":                                                                "1-1 [] bad\n" + `2-2 ["" "x"]` + "\n",
	} {
		if got := uci(in); got != want {
			t.Errorf("%q:\ngot  %swant %s", in, got, want)
		}
	}
}

func TestJSONRecords(t *testing.T) {
	for in, want := range map[string]string{
		"{\n \"PORT\": {\n  \"Ethernet0\": {\n   \"mtu\": \"9100\",\n   \"l\": [\n    \"a\",\n    \"b\"\n   ]\n  }\n },\n \"E\": {}\n}\n": `3-9 ["PORT" "Ethernet0"] mtu=["9100"]@4-4 l+=["a" "b"]@5-8` + "\n" + `11-11 ["E"]` + "\n",
		`{"INTERFACE":{"E0|10.0.0.1/24":{},"E1":{"n":{"x":1},"s":true}},"V":1}`: `1-1 ["INTERFACE" "E0" "10.0.0.1/24"]` + "\n" +
			`1-1 ["INTERFACE" "E1"] n=["{\"x\":1}"]@1-1 s=["true"]@1-1 bad` + "\n" + `1-1 ["V"] bad` + "\n",
		"{\"A\":\n{\"b\": {\"c\": \"d\"\n":    "1-2 [] bad\n",
		"[]":                                  "1-1 [] bad\n",
		`{"A":{"k":{}, "k":{}},"A":{"z":{}}}`: `1-1 ["A" "k"]` + "\n" + `1-1 ["A" "k"] bad` + "\n" + `1-1 ["A"] bad` + "\n",
	} {
		if got := tables(in); got != want {
			t.Errorf("%q:\ngot  %swant %s", in, got, want)
		}
	}
}

func TestJSONEdits(t *testing.T) {
	const in = "{ \"a\" : 1,\n \"b\": {\"x\": \"y\"} , \"c\":[2]}\n"
	for remove, want := range map[string]string{
		"":    in,
		"a":   "{ \"b\": {\"x\": \"y\"} , \"c\":[2]}\n",
		"b":   "{ \"a\" : 1,\n \"c\":[2]}\n",
		"c":   "{ \"a\" : 1,\n \"b\": {\"x\": \"y\"}}\n",
		"bc":  "{ \"a\" : 1}\n",
		"ac":  "{ \"b\": {\"x\": \"y\"}}\n",
		"abc": "{ }\n",
	} {
		j := syntax.ParseJSON(in)
		for i, m := range j.Root.Members {
			if strings.Contains(remove, m.Name) {
				j.Remove(j.Root, i)
			}
		}
		if got := j.String(); got != want {
			t.Errorf("without %s: %q", remove, got)
		}
	}
	j := syntax.ParseJSON(in)
	v := j.Root.Members[1].Value.Members[0]
	j.Replace(v.From, v.To, "né\"w")
	j.Replace(v.Value.From, v.Value.To, "<z>")
	if got := j.String(); got != "{ \"a\" : 1,\n \"b\": {\"né\\\"w\": \"<z>\"} , \"c\":[2]}\n" {
		t.Errorf("replaced: %q", got)
	}
	if bad := syntax.ParseJSON("{\n\"a\": 1,\n\"b\": tru\n}"); bad.Bad != 3 {
		t.Errorf("breaks in line %d", bad.Bad)
	}
}

// FuzzJSON: what comes in goes out, what Go takes for JSON is JSON, and the
// values are the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"", " ", "{}", `{"a":[1,-2.5e3,"\u00e9\n",true,null],"b":{"c":{}}}`, `{"a":1,}`, "[1 2]", "\"\xff\"", `"\ud800"`, "0123", "[[[[", "{\"a\"", strings.Repeat("[", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		j := syntax.ParseJSON(in)
		if got := j.String(); got != in {
			t.Fatalf("%q came out as %q", in, got)
		}
		tables(in)
		if j.Bad == 0 && j.Root != nil && !json.Valid([]byte(in)) {
			t.Fatalf("%q is no JSON", in)
		}
		if j.Bad != 0 && json.Valid([]byte(in)) && strings.Count(in, "[")+strings.Count(in, "{") < 500 {
			t.Fatalf("%q is JSON", in)
		}
		var want any
		if j.Bad == 0 && j.Root != nil && utf8.ValidString(in) && json.Unmarshal([]byte(in), &want) == nil {
			if got := value(j, j.Root); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: got %v, want %v", in, got, want)
			}
		}
	})
}

func value(j *syntax.JSON, v *syntax.JSONValue) any {
	switch v.Kind {
	case '{':
		out := map[string]any{}
		for _, m := range v.Members {
			out[m.Name] = value(j, m.Value)
		}
		return out
	case '[':
		out := []any{}
		for _, item := range v.Items {
			out = append(out, value(j, item))
		}
		return out
	case '"':
		return j.Text(v)
	}
	var out any
	_ = json.Unmarshal([]byte(j.Text(v)), &out)
	return out
}

// FuzzRecords: every record has its place, and every statement is in one.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{"/a b\nadd c=\"d\\\n e\" f\n", "config a 'b'\nlist c d\nlist c e\noption c f\n", "/ip add [find x=y] z=\\\n\\\n", "add \"\"\n", "/\n/add\n=\n", "\\\n\n0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for name, parse := range map[string]func(string) (*syntax.Doc, func(func(*syntax.Record) bool)){
			"routeros": func(s string) (*syntax.Doc, func(func(*syntax.Record) bool)) {
				d := syntax.ParseSections(s, syntax.RouterOS())
				return d, func(y func(*syntax.Record) bool) { syntax.RouterOSRecords(d, y) }
			},
			"uci": func(s string) (*syntax.Doc, func(func(*syntax.Record) bool)) {
				d := syntax.ParseUCI(s)
				return d, func(y func(*syntax.Record) bool) { syntax.UCIRecords(d, y) }
			},
		} {
			d, each := parse(in)
			seen := make([]bool, len(d.Lines))
			each(func(r *syntax.Record) bool {
				if r.From < 0 || r.To <= r.From || r.To > len(d.Lines) {
					t.Fatalf("%s: a record from %d to %d of %d", name, r.From, r.To, len(d.Lines))
				}
				for i := r.From; i < r.To; i++ {
					seen[i] = true
				}
				for _, i := range r.Heads {
					seen[i] = true
				}
				for _, a := range r.Attrs {
					if a.From < r.From || a.To <= a.From || a.To > len(d.Lines) {
						t.Fatalf("%s: %s from %d to %d", name, a.Name, a.From, a.To)
					}
					for i := a.From; i < a.To; i++ {
						seen[i] = true
					}
				}
				return true
			})
			for i, l := range d.Lines {
				empty := name == "routeros" && (l.Kind == syntax.Text || strings.HasPrefix(strings.TrimSpace(l.Body), "/"))
				if (l.Kind == syntax.Statement || l.Kind == syntax.Text) && !seen[i] && !empty {
					t.Fatalf("%s: line %d %q is in no record", name, i+1, l.Body)
				}
			}
		}
		if got := syntax.RouterOSUnquote(strings.Trim(syntax.RouterOSQuote(in), "\"")); !strings.ContainsAny(in, "\"") && got != in {
			t.Fatalf("%q quoted and read is %q", in, got)
		}
	})
}

func TestUCIQuote(t *testing.T) {
	for _, s := range []string{"", "a", "it's", "'", "two\nlines", `back\slash`, "#"} {
		got := uci("config a\n\toption b " + syntax.UCIQuote(s) + "\n")
		if !strings.Contains(got, fmt.Sprintf("b=%q", []string{s})) {
			t.Errorf("%q is written %s and read %s", s, syntax.UCIQuote(s), got)
		}
	}
	if !slices.Contains(strings.Fields(uci("config a\n\toption b ''\n")), `b=[""]@2-2`) {
		t.Error("an empty value is lost")
	}
}

// Shapes that make a careless reader of records quadratic.
func TestRecordsAreLinear(t *testing.T) {
	shapes := []string{
		"/a\nadd " + strings.Repeat("b=\\\n    c ", 1<<16) + "\n",
		"/a\nadd " + strings.Repeat("b=c ", 1<<18) + "\n",
		"/a\nadd " + strings.Repeat("[find b=c] ", 1<<16) + "\n",
		strings.Repeat("/a add b=c\n", 1<<16),
		"config a\n" + strings.Repeat("\tlist b 'c'\n", 1<<17),
		"config a\n\toption b '" + strings.Repeat("c\n", 1<<18) + "'\n",
		strings.Repeat("config a 'b'\n", 1<<16),
	}
	var many strings.Builder
	many.WriteString("config a\n")
	for i := range 1 << 17 {
		fmt.Fprintf(&many, "\toption o%d '1'\n", i)
	}
	for _, s := range append(shapes, many.String()) {
		routeros(s)
		uci(s)
	}
	tables(strings.Repeat(`{"a":`, 1<<18))
	tables(`{"a":{` + strings.Repeat(`"b":{"c":"d"},`, 1<<16) + `"e":{}}}`)
}
