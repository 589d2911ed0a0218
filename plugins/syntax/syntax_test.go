package syntax_test

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

func ios(line string, words []syntax.Word) *syntax.Until {
	if u := syntax.Certificate(line, words); u != nil {
		return u
	}
	return syntax.DelimitedBanner(line, words)
}

func parsers() map[string]func(string) *syntax.Doc {
	return map[string]func(string) *syntax.Doc{
		"ios": func(s string) *syntax.Doc { return syntax.ParseIndented(s, syntax.Indented{Comment: "!", Banner: ios}) },
		"eos": func(s string) *syntax.Doc {
			return syntax.ParseIndented(s, syntax.Indented{Comment: "!", Banner: syntax.HeredocBanner})
		},
		"ini":        func(s string) *syntax.Doc { return syntax.ParseSections(s, syntax.INI()) },
		"interfaces": func(s string) *syntax.Doc { return syntax.ParseSections(s, syntax.Interfaces()) },
		"routeros":   func(s string) *syntax.Doc { return syntax.ParseSections(s, syntax.RouterOS()) },
		"uci":        syntax.ParseUCI,
		"junos":      func(s string) *syntax.Doc { return syntax.ParseBraces(s, junos()) },
		"vyos":       func(s string) *syntax.Doc { return syntax.ParseBraces(s, vyos()) },
		"set":        syntax.ParseCommands,
		"properties": func(s string) *syntax.Doc { return syntax.ParseSections(s, syntax.Properties()) },
	}
}

// outline prints the structure: number, kind, and the number of the heading.
func outline(d *syntax.Doc) string {
	kinds := map[syntax.Kind]string{syntax.Blank: "-", syntax.Comment: "#", syntax.Statement: "s", syntax.Text: "t", syntax.TextEnd: "e", syntax.Close: "c"}
	var b strings.Builder
	for i, l := range d.Lines {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(kinds[l.Kind])
		if l.Parent != syntax.None {
			b.WriteByte(byte('0' + d.Lines[l.Parent].Number))
		}
	}
	return b.String()
}

func TestStructure(t *testing.T) {
	tests := []struct{ name, dialect, in, want string }{
		{"nesting", "eos", "a\n b\n  c\n d\ne\n", "s s1 s2 s1 s"},
		{"comment in column 0 does not end a block", "eos", "router bgp 1\n x\n!\n y\nz\n", "s s1 # s1 s"},
		{"comment after a block is outside", "eos", "a\n b\n!\nc\n", "s s1 # s"},
		{"indented comment after a block", "eos", "a\n b\n !\nc\n", "s s1 # s"},
		{"a first line that is indented", "eos", "  a\nb\n c\n", "s s s2"},
		{"tabs", "eos", "a\n\tb\n", "s s1"},
		{"heredoc", "eos", "banner login\n x\n!y\nEOF\nz\n", "s t1 t1 e1 s"},
		{"heredoc without end", "eos", "banner motd\nx\nhostname y", "s t1 t1"},
		{"heredoc in a block", "eos", "event-handler x\n   action bash\n   echo\n   EOF\n   delay 1\n", "s s1 t2 e2 s1"},
		{"delimiter", "ios", "banner motd #one\ntwo#\nz\n", "s t1 s"},
		{"delimiter on one line", "ios", "banner motd @hi@\nz\n", "s s"},
		{"caret C", "ios", "banner login ^C\nC is not the end, ^c neither\n^C\nz\n", "s t1 e1 s"},
		{"ETX", "ios", "banner exec \x03\n!\n\x03\nz\n", "s t1 e1 s"},
		{"certificate", "ios", "crypto pki certificate chain X\n certificate self-signed 01\n  3082\n  \tquit\nz\n", "s s1 t2 e2 s"},
		{"CRLF", "eos", "a\r\n b\r\nbanner motd\r\nx\r\nEOF\r\nc", "s s1 s t3 e3 s"},
		{"sections", "ini", "# c\n[A]\nk=v\n\n[B]\nk=v\\\n more\nx\n", "# s s2 - s s5 t6 s5"},
		{"a value before any section", "ini", "k=v\n[A]\n", "s s"},
		{"continued at the end", "ini", "[A]\nk=v\\", "s s1"},
		{"stanzas", "interfaces", "auto lo\niface lo inet loopback\n  address x\n\nallow-hotplug y\niface y\n up a \\\n b\n", "s s s2 - s s s6 t7"},
		{"menus", "routeros", "# by RouterOS\n/ip address\nadd a=b\\\n    c\n# x\nadd d=\"e\\\\\"\n/x\nset y\n", "# s s2 t3 #2 s2 s s7"},
		{"an escaped backslash is no continuation", "routeros", "/x\nadd a=b\\\\\nadd c\n", "s s1 s1"},
		{"sections of UCI", "uci", "\nconfig a 'b'\n\toption c 'd\ne' # 'f\n\tlist g \"h\\\"\ni\"\n#x\npackage p\nconfig j\n", "- s s2 t3 s2 t5 # s s"},
		{"flat", "properties", "a=1\n ; c\nb\n", "s # s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parsers()[tt.dialect](tt.in)
			if got := outline(d); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := d.String(); got != tt.in {
				t.Errorf("printed %q", got)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	d := parsers()["eos"]("banner login\n\n a\n\nEOF\n")
	if got := d.TextOf(0); got != "\n a\n" {
		t.Errorf("text %q", got)
	}
	if d.Lines[0].Open || !parsers()["eos"]("banner login\nx").Lines[0].Open {
		t.Error("a text without its end is not told from one with it")
	}
	ini := parsers()["ini"]("[A]\nk=a \\\r\n  b \\\nc\nq=1\n")
	if got := ini.Logical(1); got != "k=a    b  c" {
		t.Errorf("logical line %q", got)
	}
	if got := parsers()["eos"]("description a\\\nb\n").Logical(0); got != `description a\` {
		t.Errorf("a dialect without continuation joined lines: %q", got)
	}
}

func TestChanges(t *testing.T) {
	d := parsers()["eos"]("interface Ethernet1\r\n   ip route x Ethernet1\r\n   y\r\nz\r\n")
	w := syntax.Words(nil, d.Lines[1].Body)
	d.ReplaceWord(1, w[3], "Et2")
	d.ReplaceWord(1, w[2], "longer")
	if got := d.String(); got != "interface Ethernet1\r\n   ip route longer Et2\r\n   y\r\nz\r\n" {
		t.Errorf("got %q", got)
	}
	d.Remove(0)
	if got := d.String(); got != "z\r\n" {
		t.Errorf("after Remove %q", got)
	}
}

func TestKeyValue(t *testing.T) {
	k, v, ok := syntax.KeyValue("  Key =\t a=b ")
	if !ok || k.Text != "Key" || k.At != 2 || v.Text != "a=b" || v.At != 9 {
		t.Errorf("got %+v %+v %v", k, v, ok)
	}
	if _, _, ok := syntax.KeyValue("no sign"); ok {
		t.Error("a line without a sign has a key")
	}
}

// FuzzLossless: whatever comes in goes out, every line has its number, and
// blocks nest.
func FuzzLossless(f *testing.F) {
	for _, s := range []string{
		"/a\nadd b=\\\n    c\\\\\n", "config a 'b\n'c\n option \"\\\n\"", "config\toption '", "\\\n\\\n/ [find", "package\nconfig\n'\n",
		"", "\n", "a", "a\n b\n", "\r", "\r\n\r", "\x00\x01", "banner motd ^C\n", "banner motd", "banner x y", "[A]\nk=\\\n", "\\", "iface\n\\\n",
		" certificate x\n quit", "!\n !\n  !\n", "banner login\nEOF", "a\n   b\n  c\n b\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for name, parse := range parsers() {
			d := parse(in)
			if got := d.String(); got != in {
				t.Fatalf("%s: %q came out as %q", name, in, got)
			}
			number := 1
			for i, l := range d.Lines {
				if l.Number != number || l.Next <= i || l.Next > len(d.Lines) {
					t.Fatalf("%s: line %d is numbered %d and reaches to %d", name, i, l.Number, l.Next)
				}
				if l.End != "" {
					number++
				}
				if p := l.Parent; p != syntax.None && (p >= i || d.Lines[p].Next <= i || d.Lines[p].Next < l.Next) {
					t.Fatalf("%s: line %d sticks out of its block", name, i+1)
				}
				if l.Kind == syntax.Statement {
					d.Logical(i)
				}
				for _, w := range syntax.Words(nil, l.Body) {
					if l.Body[w.At:w.At+len(w.Text)] != w.Text {
						t.Fatalf("%s: word %q is not at %d", name, w.Text, w.At)
					}
				}
			}
		}
	})
}

// Shapes that make a careless parser quadratic; the test's own time is the
// check, against a bound that only another order of growth passes.
func TestLinear(t *testing.T) {
	var deep strings.Builder
	for i := range 1500 {
		deep.WriteString(strings.Repeat(" ", i) + "x\n")
	}
	shapes := map[string]string{
		"deep, then comments":  deep.String() + strings.Repeat("!\n", 1<<16),
		"deep comments":        deep.String() + strings.Repeat(strings.Repeat(" ", 1499)+"!\n", 1000),
		"open banner":          strings.Repeat("banner motd ^D\n", 1<<16),
		"open comments":        strings.Repeat("/* a\n", 1<<16),
		"open strings":         strings.Repeat("a \"\n", 1<<16) + "\"\\",
		"open lists":           strings.Repeat("a [ b\n", 1<<16),
		"deep braces":          strings.Repeat("a {\n", 1<<15) + strings.Repeat("}\n", 1<<16),
		"braces on one line":   strings.Repeat("a { b; /* */ } ", 1<<15),
		"continued":            "[A]\n" + strings.Repeat("k=\\\n", 1<<16),
		"one line":             strings.Repeat("a ", 1<<20),
		"open certificate":     "x\n certificate y\n" + strings.Repeat(" zz\n", 1<<16),
		"open quotes":          strings.Repeat("config a 'b\n", 1<<16),
		"menus":                strings.Repeat("/a\nadd b=\\\n", 1<<15),
		"backslashes":          "/a\nadd b=" + strings.Repeat("\\", 1<<20),
		"stanzas without body": strings.Repeat("iface\n", 1<<16),
	}
	for name, in := range shapes {
		for dialect, parse := range parsers() {
			if got := parse(in).String(); got != in {
				t.Errorf("%s as %s: lost something", name, dialect)
			}
		}
	}
}
