package openwrt

import (
	"fmt"
	"strings"
)

// section is one section of a UCI file.
type section struct {
	kind, name string
	options    []option
}

type option struct {
	name   string
	values []string
	list   bool
}

// parseUCI reads a file as libuci does; an error says where it breaks, in the
// words of "uci".
func parseUCI(text string) ([]section, error) {
	var out []section
	line, start := 1, 0
	fail := func(what string, at int) error {
		return fmt.Errorf("Parse error (%s) at line %d, byte %d", what, line, at-start)
	}
	var words []string
	var word strings.Builder
	inWord := false
	flush := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	command := func(at int) error {
		flush()
		if len(words) == 0 {
			return nil
		}
		w := words
		words = nil
		switch w[0] {
		case "package":
			return nil
		case "config":
			if len(w) < 2 || len(w) > 3 {
				return fail("invalid argument count", at)
			}
			s := section{kind: w[1]}
			if len(w) == 3 {
				s.name = w[2]
			}
			out = append(out, s)
		case "option", "list":
			switch {
			case len(w) != 3:
				return fail("invalid argument count", at)
			case len(out) == 0:
				return fail("option/list command found before the first section", at)
			}
			s := &out[len(out)-1]
			for i := range s.options {
				o := &s.options[i]
				if o.name != w[1] {
					continue
				}
				if o.list && w[0] == "list" {
					o.values = append(o.values, w[2])
				} else {
					o.values, o.list = []string{w[2]}, w[0] == "list"
				}
				return nil
			}
			s.options = append(s.options, option{w[1], []string{w[2]}, w[0] == "list"})
		default:
			return fail("invalid command", at)
		}
		return nil
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\n', ';':
			if err := command(i); err != nil {
				return nil, err
			}
			if c == '\n' {
				line, start = line+1, i+1
			}
		case ' ', '\t', '\r':
			flush()
		case '#':
			if inWord {
				word.WriteByte(c)
				continue
			}
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case '\'', '"':
			inWord = true
			from, at := i, line
			for i++; ; i++ {
				if i >= len(text) {
					line, start = at, strings.LastIndexByte(text[:from], '\n')+1
					return nil, fail("unterminated "+string(c), from)
				}
				if text[i] == c {
					break
				}
				if c == '"' && text[i] == '\\' && i+1 < len(text) {
					if i++; text[i] == '\n' {
						line, start = line+1, i+1
						continue
					}
				} else if text[i] == '\n' {
					line, start = line+1, i+1
				}
				word.WriteByte(text[i])
			}
		case '\\':
			inWord = true
			if i+1 < len(text) {
				if i++; text[i] == '\n' {
					line, start = line+1, i+1
				} else {
					word.WriteByte(text[i])
				}
			}
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	return out, command(len(text))
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// export prints a package as "uci export" does.
func export(name string, sections []section) string {
	var b strings.Builder
	b.WriteString("package " + name + "\n")
	for _, s := range sections {
		b.WriteString("\nconfig " + s.kind)
		if s.name != "" {
			b.WriteString(" " + quote(s.name))
		}
		b.WriteByte('\n')
		for _, o := range s.options {
			word := "option"
			if o.list {
				word = "list"
			}
			for _, v := range o.values {
				b.WriteString("\t" + word + " " + o.name + " " + quote(v) + "\n")
			}
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// find returns a section by name, by "@type[n]", or nil.
func find(sections []section, ref string) *section {
	if kind, n, ok := strings.Cut(strings.TrimPrefix(ref, "@"), "["); ok && ref[0] == '@' {
		var want, seen int
		if _, err := fmt.Sscanf(n, "%d]", &want); err != nil {
			return nil
		}
		for i := range sections {
			if sections[i].kind == kind {
				if seen == want {
					return &sections[i]
				}
				seen++
			}
		}
		return nil
	}
	for i := range sections {
		if sections[i].name == ref {
			return &sections[i]
		}
	}
	return nil
}

func (s *section) get(name string) string {
	for _, o := range s.options {
		if o.name == name {
			return strings.Join(o.values, " ")
		}
	}
	return ""
}
