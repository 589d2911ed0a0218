package syntax_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

func junos() syntax.Braces { return syntax.Braces{Remarks: []string{"#"}} }

func vyos() syntax.Braces { return syntax.Braces{Newline: true, Remarks: []string{"//"}} }

func TestBraces(t *testing.T) {
	tests := []struct{ name, dialect, in, want string }{
		{"nesting", "junos", "## x\na {\n  b {\n    c; ## d\n  }\n  e f;\n}\n", "# s s2 s3 c3 s2 c2"},
		{"empty block", "junos", "a {\n}\nb;\n", "s c1 s"},
		{"one line", "junos", "a { b; c { d; } }\ne;\n", "s s1 s1 s1 c1 c1 s"},
		{"annotation", "junos", "a {\n  /* two\n     lines { */\n  b;\n}\n", "s #1 t2 s1 c1"},
		{"annotation before a statement", "junos", "/* x */ a;\n", "# s"},
		{"annotation that never ends", "junos", "a {\n/* b;\n}\n", "s #1 c1"},
		{"list", "junos", "a [ b\n  c ];\nd;\n", "s t1 s"},
		{"string", "junos", "a \"b; { } # /* \\\" \";\nc;\n", "s s"},
		{"string of two lines", "junos", "a \"b\nc\";\nd;\n", "s t1 s"},
		{"string that never ends", "junos", "a \"b {\n c;\n}\n", "s s1 c1"},
		{"too many braces", "junos", "}\na;\n", "s s"},
		{"cut", "junos", "a {\n  b {\n    mtu 90", "s s1 s2"},
		{"CRLF", "junos", "a {\r\n  b;\r\n}\r\n", "s s1 c1"},
		{"a closing brace with its semicolon", "junos", "a {\n};\nb;\n", "s c1 s"},
		{"lines", "vyos", "a {\n  b {\n  }\n  c d; e # f\n}\n\n// x: {\n", "s s1 c2 s1 c1 - #"},
		{"a brace in a value", "vyos", "a {\n b {x}\n}\n", "s s1 c1"},
		{"old footer", "vyos", "a {\n}\n/* === x === */\n", "s c1 #"},
		{"commands", "set", "# c\nset a b\n\ndeactivate a\n", "# s - s"},
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

// Broken finds what a cut leaves at every byte of a text that ends in a brace.
func TestBroken(t *testing.T) {
	whole := "a {\n  b {\n    c \"}\";\n  }\n}\n"
	for i := 1; i < len(whole)-1; i++ {
		if syntax.ParseBraces(whole[:i], junos()).Broken() == 0 && !strings.HasPrefix("a ", whole[:i]) {
			t.Errorf("cut to %q: not found", whole[:i])
		}
	}
	for text, want := range map[string]int{whole: 0, "a;\n}\nb {\n": 2, "a {\n/*\n}\n": 2, "x {\n": 1} {
		if got := syntax.ParseBraces(text, junos()).Broken(); got != want {
			t.Errorf("%q is broken in line %d, want %d", text, got, want)
		}
	}
	d := syntax.ParseBraces("mtu 90", junos())
	if !d.Lines[0].Open || syntax.ParseBraces("mtu 90;", junos()).Lines[0].Open {
		t.Error("a statement without its semicolon is not told from one with it")
	}
}

func TestInactive(t *testing.T) {
	off := func(d *syntax.Doc) (numbers []int) {
		for _, l := range d.Lines {
			if l.Inactive {
				numbers = append(numbers, l.Number)
			}
		}
		return numbers
	}
	braces := syntax.ParseBraces("a {\n  inactive: b {\n    c;\n  }\n  d;\n}\ninactive: e;\n", junos())
	if got := off(braces); !slices.Equal(got, []int{2, 3, 4, 7}) {
		t.Errorf("in braces: lines %v", got)
	}
	commands := syntax.ParseCommands("set a b c\nset a bb\nset a b\ndeactivate a b\nset a \"b\" d\nset a\n")
	if got := off(commands); !slices.Equal(got, []int{1, 3, 4, 5}) {
		t.Errorf("in commands: lines %v", got)
	}
}

func TestBraceWords(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		words    func([]syntax.Word, string) []syntax.Word
	}{
		{"  inactive: protect: unit 0 { ## x", "unit|0", junos().Words},
		{`a "b ; c" [ d "e f" g];`, `a|"b ; c"|[|d|"e f"|g|]`, junos().Words},
		{"a b;c;", "a|b", junos().Words},
		{`a b;c {x}`, "a|b;c|{x}", vyos().Words},
		{"eth0 {", "eth0", vyos().Words},
		{"set a 'b c' \"d\" it's", `a|'b c'|"d"|it's`, syntax.CommandWords},
		{"delete a b", "delete", syntax.CommandWords},
		{"", "", syntax.CommandWords},
	} {
		var got []string
		for _, w := range tt.words(nil, tt.in) {
			got = append(got, w.Text)
			if tt.in[w.At:w.At+len(w.Text)] != w.Text {
				t.Errorf("%q: %q is not at %d", tt.in, w.Text, w.At)
			}
		}
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"": `""`, "ge-0/0/0": "ge-0/0/0", "two words": `"two words"`, `a"b\c`: `"a\"b\\c"`, "a\nb": `"a\nb"`, "//x": `"//x"`, "/var": "/var", "a;b": `"a;b"`,
	} {
		got := syntax.Quote(in)
		if got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
		if back := syntax.Unquote(got); back != in {
			t.Errorf("%s is read as %q", got, back)
		}
	}
	for in, want := range map[string]string{`'a b'`: "a b", `"a\tb"`: `a\tb`, `"open`: `"open`, `"a" "b"`: `"a" "b"`, "x": "x"} {
		if got := syntax.Unquote(in); got != want {
			t.Errorf("Unquote(%s) = %q, want %q", in, got, want)
		}
	}
}

func TestIsCommands(t *testing.T) {
	for in, want := range map[string]bool{"\n# x\nset a b\n": true, "deactivate x": true, "set {\n": false, "version 1;\nset a b;\n": false, "": false, "settle x": false} {
		if got := syntax.IsCommands(in); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("a b")
	f.Fuzz(func(t *testing.T, s string) {
		q := syntax.Quote(s)
		if got := syntax.Unquote(q); got != s {
			t.Fatalf("%q is quoted as %s and read as %q", s, q, got)
		}
		if w := vyos().Words(nil, "x "+q); len(w) != 2 || w[1].Text != q {
			t.Fatalf("%q is not one word: %v", q, w)
		}
	})
}
