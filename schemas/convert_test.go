package schemas

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// convertWhole is what Convert must do, with the tree in memory.
func convertWhole(set *Set, in string, o ParseOptions, e Encoding) (string, error) {
	t, err := set.parse(in, o)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = t.writeAsRead(&out, e)
	return out.String(), err
}

// passed converts in one pass, and fails where that cannot be.
func passed(set *Set, in string, o ParseOptions, e Encoding, window int) (string, error) {
	var out bytes.Buffer
	err := set.pass(&out, strings.NewReader(in), o, e, window)
	return out.String(), err
}

// TestConvertStreams: data that can be passed on while it is read is, through
// windows that are smaller than any node in it, and gives the same bytes as the
// tree does.
func TestConvertStreams(t *testing.T) {
	set := fuzzSet(t)
	things := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `<things><n>%c</n><id xmlns:w="urn:laws">w:j</id><v>%d</v><inner><n>b</n></inner><inner><n>a</n></inner></things>`, 'a'+i%3, 1+i%2)
		}
		return b.String()
	}
	xml := `<top xmlns="urn:laws" xmlns:f="urn:f" f:note="n">` + things(40) + `<v>3</v><words>b</words><words>a</words><set>1</set><e/><p/><np><deep><v>2</v></deep></np></top>` +
		`<s xmlns="urn:f">ä` + strings.Repeat("€ &lt; ", 100) + `</s><ad xmlns="urn:f"><x>` + strings.Repeat("y", 500) + `</x></ad>`
	for _, in := range []string{
		xml,
		`<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">` + xml + "\n</data>" + strings.Repeat("\n", 1000),
		"\ufeff<!--" + strings.Repeat("-a", 300) + "--><?pi " + strings.Repeat("ö", 300) + "?>" + xml,
		`<top xmlns="urn:laws"><!-- ` + strings.Repeat("nothing ", 100) + `--></top>`,
		`<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>`,
	} {
		for _, window := range []int{64, 65, 66, 67, 300, 4096} {
			for _, e := range []Encoding{{}, {Indent: " "}, {XML: true}, {XML: true, Indent: "  "}} {
				want, err := convertWhole(set, in, ParseOptions{XML: true}, e)
				if err != nil {
					t.Fatal(err)
				}
				got, err := passed(set, in, ParseOptions{XML: true}, e, window)
				if err != nil || got != want {
					t.Fatalf("window %d, XML %t: %v\n%s\nwant\n%s", window, e.XML, err, got, want)
				}
				if e.XML || strings.Contains(in, "note") {
					continue // annotations of large objects are not passed on from JSON
				}
				back, err := convertWhole(set, want, ParseOptions{}, Encoding{XML: true})
				if err != nil {
					t.Fatal(err)
				}
				got, err = passed(set, want, ParseOptions{}, Encoding{XML: true}, window)
				if err != nil || got != back {
					t.Fatalf("from JSON, window %d: %v\n%s\nwant\n%s", window, err, got, back)
				}
			}
		}
	}
}

// TestConvertWhole: what cannot be passed on, and every fault, comes out as if
// the data had been read as a whole, and nothing is written before.
func TestConvertWhole(t *testing.T) {
	set := fuzzSet(t)
	pad := strings.Repeat(" ", 200)
	for name, tt := range map[string]struct {
		in  string
		xml bool
	}{
		"entries apart":             {`<top xmlns="urn:laws"><words>a</words><v>3</v>` + pad + `<words>b</words></top>`, true},
		"a fault at the end":        {`<top xmlns="urn:laws"><words>a</words>` + pad + `<v>9</v></top>`, true},
		"an element twice":          {`<top xmlns="urn:laws"><v>1</v>` + pad + `<v>1</v></top>`, true},
		"an end that is missing":    {`<top xmlns="urn:laws"><v>1</v>` + pad, true},
		"more after the end":        {`<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><s xmlns="urn:f"/></data>` + pad + `<s xmlns="urn:f"/>`, true},
		"not UTF-8":                 {`<s xmlns="urn:f">` + pad + "\xe4</s>", true},
		"half a character":          {`<s xmlns="urn:f"/>` + pad + "\xe2\x82", true},
		"UTF-16":                    {"\xff\xfe<\x00", true},
		"nothing":                   {pad, true},
		"only JSON has no place":    {`<ad xmlns="urn:f"><x a="1">` + pad + `t</x></ad>`, true},
		"JSON: keys last":           {`{"laws:top":{"things":[{"v":1,"inner":[{"n":"a"},` + pad + `{"n":"b"}],"n":"a","id":"j"}]}}`, false},
		"JSON: half the keys":       {`{"laws:top":{"things":[{"n":"a"` + pad + pad + `}]}}`, false},
		"half the keys":             {`<top xmlns="urn:laws"><things><n>a</n>` + pad + pad + `</things></top>`, true},
		"JSON: no key":              {`{"laws:top":{"things":[{"v":1,"inner":[{"n":"a"},` + pad + `{"n":"b"}],"n":"a"}]}}`, false},
		"JSON: annotation inside":   {`{"laws:top":{"v":1,"words":["a",` + pad + `"b"],"@":{"f:note":"x"}}}`, false},
		"JSON: annotation beside":   {`{"f:s":"` + pad + `","@f:s":{"f:note":"x"}}`, false},
		"JSON: annotated leaf-list": {`{"laws:top":{"words":["a",` + pad + `"b"],"@words":[{"f:note":"x"}]}}`, false},
		"JSON: a member twice":      {`{"laws:top":{"words":["a"],` + pad + `"v":1,"words":["b"]}}`, false},
		"JSON: more after the end":  {`{"laws:top":{"v":1}}` + pad + "x", false},
		"JSON: a bad last digit":    {`{"laws:top":{"set":[1,2,3,` + pad + `44]}}`, false},
		"JSON: XML cannot":          {`{"f:s":"` + pad + `","f:ax":[1,[2]]}`, false},
		"JSON: not an object":       {`[]`, false},
		"JSON: a wrapper":           {`{"ietf-restconf:data":{"f:s":"` + pad + `"` + pad + `}` + pad + `}`, false},
		"envelope":                  {`{"ietf-yang-instance-data:instance-data-set":{"content-data":{"laws:top":{"v":` + pad + `1}},"name":"x"}}`, false},
	} {
		for window := 64; window < 400; window += 7 {
			for _, xml := range []bool{false, true} {
				e := Encoding{XML: xml, Indent: " "}
				want, wantErr := convertWhole(set, tt.in, ParseOptions{XML: tt.xml}, e)
				var got bytes.Buffer
				err := set.convert(&got, strings.NewReader(tt.in), ParseOptions{XML: tt.xml}, e, window)
				if got.String() != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Fatalf("%s, window %d: %v\n%s\nwant %v\n%s", name, window, err, got.String(), wantErr, want)
				}
			}
		}
	}
}

// TestConvertUnions: whether a value is a reference depends on what comes after
// it.
func TestConvertUnions(t *testing.T) {
	set, err := Load(Options{Search: []Source{Files(map[string][]byte{"u.yang": []byte(`module u { yang-version 1.1; namespace "urn:u"; prefix u;
	  leaf a { type union { type leafref { path "/u:n"; } type string; } } leaf n { type int8; } }`)})}}, "u")
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{`<a xmlns="urn:u">+1</a><n xmlns="urn:u">1</n>`, `<a xmlns="urn:u">+1</a>`} {
		want, err := convertWhole(set, in, ParseOptions{XML: true}, Encoding{})
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := set.Convert(&got, strings.NewReader(in), ParseOptions{XML: true}, Encoding{}); err != nil || got.String() != want {
			t.Errorf("%s: %v, want %s", got.String(), err, want)
		}
	}
}

// TestConvertGenerated: generated data of the common modules, in either encoding.
func TestConvertGenerated(t *testing.T) {
	for _, set := range lawSets(t) {
		streamed := 0
		rapid.Check(t, func(t *rapid.T) {
			tree := generated(t, set, "tree")
			window := rapid.IntRange(64, 2000).Draw(t, "window")
			xml, err := tree.XML(" ")
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range []string{string(xml), string(tree.JSON(" "))} {
				o := ParseOptions{XML: in[0] == '<'}
				for _, e := range []Encoding{{XML: true}, {Indent: " "}} {
					want, err := convertWhole(set, in, o, e)
					if err != nil {
						t.Fatal(err)
					}
					got, err := passed(set, in, o, e, window)
					if err == errWhole {
						continue
					}
					if streamed++; err != nil || got != want {
						t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
					}
				}
			}
		})
		if streamed < 100 {
			t.Errorf("only %d conversions were passed on", streamed)
		}
	}
}

// large is a JSON or XML text of many entries that is made while it is read. It
// watches the memory that is in use meanwhile.
type large struct {
	begin, entry, end string
	n, at             int
	rest              string
	most              uint64
}

func (l *large) Read(p []byte) (int, error) {
	for l.rest == "" {
		switch {
		case l.at == 0:
			l.rest = l.begin
		case l.at <= l.n:
			l.rest = strings.ReplaceAll(l.entry, "%", fmt.Sprint(l.at))
		case l.at == l.n+1:
			l.rest = l.end
		default:
			return 0, io.EOF
		}
		if l.at++; l.at%1024 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			l.most = max(l.most, m.HeapAlloc)
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// TestConvertMemory: the memory does not grow with the input.
func TestConvertMemory(t *testing.T) {
	set := benchmarkInterfaces(t)
	for _, tt := range []struct {
		in  large
		xml bool
	}{
		{large{begin: `<ifs xmlns="urn:b">`, entry: `<if><name>eth%</name><mtu>1500</mtu><description>link % to the rack</description></if>`, end: `</ifs>`}, true},
		{large{begin: `<ifs xmlns="urn:b">`, entry: `<!-- ` + strings.Repeat("% ", 200) + `-->`, end: `</ifs>`}, true},
		{large{begin: `{"b:ifs":{"if":[{"name":"x"}`, entry: `,{"name":"eth%","mtu":1500,"description":"link % to the rack"}`, end: `]}}`}, false},
	} {
		l := tt.in
		l.n = 40_000
		var before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		if err := set.pass(io.Discard, &l, ParseOptions{XML: tt.xml}, Encoding{XML: !tt.xml}, windowSize); err != nil {
			t.Fatal(err)
		}
		if grown := int64(l.most) - int64(before.HeapAlloc); grown > 16<<20 {
			t.Errorf("XML %t: %d MiB were in use", tt.xml, grown>>20)
		}
	}
}

func benchmarkInterfaces(t testing.TB) *Set {
	t.Helper()
	s, err := Load(Options{Search: []Source{Files(map[string][]byte{"b.yang": []byte(`module b { yang-version 1.1; namespace "urn:b"; prefix b;
	  container ifs { list if { key name; leaf name { type string; } leaf mtu { type uint16; } leaf description { type string; } } } }`)})}}, "b")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// brittle is data that changes, or cannot be read, the second time.
type brittle struct {
	*strings.Reader
	second string
	err    error
	begun  bool
}

func (b *brittle) Seek(offset int64, whence int) (int64, error) {
	if b.begun && whence == io.SeekStart {
		b.Reader = strings.NewReader(b.second)
		return 0, nil
	}
	b.begun = true
	return b.Reader.Seek(offset, whence)
}

func (b *brittle) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF && b.err != nil {
		err = b.err
	}
	return n, err
}

type fullDisk struct{ left int }

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestConvertFailures(t *testing.T) {
	set := fuzzSet(t)
	good, bad := `{"f:s":"x"}`, `{"f:s":7}`
	o, e := ParseOptions{}, Encoding{}
	var fault *PathError
	if err := set.Convert(io.Discard, &brittle{Reader: strings.NewReader(good), second: bad}, o, e); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("changed: %v", err)
	}
	if err := set.Convert(io.Discard, &brittle{Reader: strings.NewReader(good), second: good, err: errors.New("bad block")}, o, e); err == nil || err.Error() != "read the data: bad block" {
		t.Errorf("read: %v", err)
	}
	if err := set.Convert(&fullDisk{}, strings.NewReader(good), o, e); err == nil || errors.As(err, &fault) || err.Error() != "no space left" {
		t.Errorf("write: %v", err)
	}
	var words strings.Builder
	for range 50_000 {
		words.WriteString(`,"a"`)
	}
	long := `{"laws:top":{"words":["b"` + words.String() + `]}}`
	if err := set.Convert(&fullDisk{left: 100_000}, strings.NewReader(long), o, e); err == nil || err.Error() != "no space left" {
		t.Errorf("write in the middle: %v", err)
	}
	// What is before the place at which reading begins is left alone.
	in := strings.NewReader("garbage" + good)
	if _, err := in.Seek(7, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := set.Convert(&out, in, o, e); err != nil || out.String() != good {
		t.Errorf("from the middle: %q, %v", out.String(), err)
	}
}

// FuzzConvert: whatever comes, what is passed on is what the tree gives.
func FuzzConvert(f *testing.F) {
	set := fuzzSet(f)
	for _, s := range []string{
		`<top xmlns="urn:laws"><v>3</v><words>b</words><words>a</words><things><n>a</n><id xmlns:w="urn:laws">w:j</id><inner><n>b</n></inner></things><e/><s xmlns="urn:f">x &lt; &#120;&#xe4;</s></top>`,
		`<ad xmlns="urn:f"><x a="1">t<y xmlns="urn:q"/>u</x></ad><ax xmlns="urn:f">text</ax><ii xmlns="urn:f" xmlns:w="urn:laws">/w:top/w:steps[w:n='a']/w:v</ii>`,
		`{"laws:top":{"things":[{"n":"a","id":"j","v":1,"inner":[{"n":"a"},{"n":"b"}]}],"set":[1,2,3],"e":[null],"words":["a","b"]},"f:s":"\u00e4"}`,
		`{"ietf-restconf:data":{"f:ad":{"f:s":"x"},"f:ax":[1,{"a":null}],"f:u":7}}`,
	} {
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, in string, extra uint8) {
		o := ParseOptions{XML: strings.HasPrefix(strings.TrimSpace(in), "<")}
		for _, e := range []Encoding{{}, {XML: true, Indent: " "}} {
			want, wantErr := convertWhole(set, in, o, e)
			got, err := passed(set, in, o, e, 64+int(extra))
			switch {
			case err == errWhole:
			case err != nil || wantErr != nil:
				t.Fatalf("%v, want %v", err, wantErr)
			case got != want:
				t.Fatalf("%s\nwant\n%s", got, want)
			}
		}
	})
}

// TestConvertHostile: input that is only meant to cost something is refused, or
// passed on, in time that its size explains.
func TestConvertHostile(t *testing.T) {
	set := fuzzSet(t)
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const n = 1 << 20
	for name, tt := range map[string]struct{ in, want string }{
		"deep XML":             {`<top xmlns="urn:laws">` + strings.Repeat("<np>", n), "there is no element"},
		"deep anydata":         {`<ad xmlns="urn:f">` + strings.Repeat("<x>", n), "nested more than"},
		"deep JSON":            {`{"f:ax":` + strings.Repeat("[", n), "nested more than"},
		"many attributes":      {`<s xmlns="urn:f" ` + many(200_000, `a%d="x" `) + `/>`, "more than 1000 attributes"},
		"many namespaces":      {`<s xmlns="urn:f" ` + many(200_000, `xmlns:a%d="x" `) + `/>`, "more than 1000 namespaces"},
		"a name without end":   {`<top xmlns="urn:laws"><` + strings.Repeat("x", n), "ends inside of a tag"},
		"a string without end": {`{"f:s":"` + strings.Repeat("x", n), "does not end"},
		"a huge number":        {`{"laws:top":{"v":` + strings.Repeat("9", n) + `}}`, "integer"},
		"a NUL":                {"<s xmlns=\"urn:f\">a\x00</s>", "U+0000"},
		"an entity":            {`<!DOCTYPE s [<!ENTITY x "y">]><s xmlns="urn:f">&x;</s>`, "document type declaration"},
		"a huge text":          {`<s xmlns="urn:f">` + strings.Repeat("x", n) + `</s>`, ""},
		"a huge comment":       {`<top xmlns="urn:laws"><!--` + strings.Repeat("x", n) + `--></top>`, ""},
		"many comments":        {`<top xmlns="urn:laws">` + strings.Repeat("<!---->", n/4) + `</top>`, ""},
		"many blanks":          {`{"laws:top":` + strings.Repeat(" ", n) + `{}}`, ""},
		"CR and LF":            {"<s xmlns=\"urn:f\">a\r\nb\rc</s>\r\n", ""},
	} {
		in := ParseOptions{XML: tt.in[0] == '<'}
		var out bytes.Buffer
		err := set.convert(&out, strings.NewReader(tt.in), in, Encoding{XML: true}, 4096)
		switch {
		case tt.want == "" && (err != nil || out.Len() == 0):
			t.Errorf("%s: %.200v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || out.Len() > 0):
			t.Errorf("%s: got %.200v, want %s", name, err, tt.want)
		}
	}
}
