package syntax

import "strings"

// Sections describes a dialect of flat sections: INI files as systemd reads
// them, ifupdown's interfaces, and plain "key = value" files without any
// section.
type Sections struct {
	// Comment holds the signs that begin a comment line, "#;".
	Comment string

	// Heads reports whether a statement begins a section. The section lasts
	// to the next one.
	Heads func(words []Word) bool

	// Single reports whether a statement stands for itself and ends the
	// section before it: "auto eth0" in ifupdown. May be nil.
	Single func(words []Word) bool

	// Goes reports whether the statement that ends in this line goes on in the
	// next; nil: where the line ends in a backslash.
	Goes func(body string) bool

	// Join says how a statement's lines are joined; nil: with blanks in the
	// place of the backslashes.
	Join func(lines []string) string
}

// ParseSections reads text in a dialect of sections. The lines in which a
// statement goes on are Text of the statement.
func ParseSections(text string, dialect Sections) *Doc {
	goes, join := dialect.Goes, dialect.Join
	if goes == nil {
		goes = continued
	}
	if join == nil {
		join = joinBlank
	}
	d := &Doc{Lines: split(text), join: join}
	var words []Word
	head, last := None, 0
	end := func() {
		if head != None {
			d.Lines[head].Next = last
		}
		head = None
	}
	for i := 0; i < len(d.Lines); i++ {
		l := &d.Lines[i]
		if l.Kind == Statement && strings.IndexByte(dialect.Comment, l.Body[l.Indent]) >= 0 {
			l.Kind = Comment
		}
		if l.Kind != Statement {
			l.Parent = head
			continue
		}
		words = Words(words[:0], l.Body)
		switch {
		case dialect.Heads != nil && dialect.Heads(words):
			end()
			head = i
		case dialect.Single != nil && dialect.Single(words):
			end()
		default:
			l.Parent = head
		}
		first := i
		for goes(d.Lines[i].Body) {
			if i+1 == len(d.Lines) {
				d.Lines[first].Open = true
				break
			}
			i++
			d.Lines[i].Kind, d.Lines[i].Parent = Text, first
			d.Lines[first].Next = i + 1
		}
		last = i + 1
	}
	end()
	for i := range d.Lines {
		for l := &d.Lines[i]; l.Parent != None && d.Lines[l.Parent].Next <= i; {
			l.Parent = d.Lines[l.Parent].Parent
		}
	}
	return d
}

func continued(body string) bool { return strings.HasSuffix(strings.TrimRight(body, "\r"), `\`) }

// joinBlank puts a blank in the place of each backslash that ends a line.
func joinBlank(lines []string) string {
	var b strings.Builder
	for i, body := range lines {
		if i > 0 {
			b.WriteByte(' ')
		}
		if continued(body) && i+1 < len(lines) {
			body = strings.TrimSuffix(strings.TrimRight(body, "\r"), `\`)
		}
		b.WriteString(body)
	}
	return b.String()
}

// Logical returns statement i with the lines in which it goes on, joined as
// the dialect says.
func (d *Doc) Logical(i int) string {
	if d.join == nil || d.Lines[i].Kind != Statement || i+1 >= len(d.Lines) || d.Lines[i+1].Kind != Text {
		return d.Lines[i].Body
	}
	var lines []string
	for j := i; j < len(d.Lines) && (j == i || d.Lines[j].Kind == Text && d.Lines[j].Parent == i); j++ {
		lines = append(lines, d.Lines[j].Body)
	}
	return d.join(lines)
}

// SetLogical puts text in the place of statement i and of the lines in which
// it goes on. Lines below a heading stay.
func (d *Doc) SetLogical(i int, text string) {
	d.Lines[i].Body = text
	for j := i + 1; j < len(d.Lines) && d.Lines[j].Kind == Text && d.Lines[j].Parent == i; j++ {
		d.Lines[j].gone = true
	}
}

// INI is the dialect of systemd's unit files (systemd.syntax(7)).
func INI() Sections {
	return Sections{
		Comment: "#;",
		Heads: func(w []Word) bool {
			return strings.HasPrefix(w[0].Text, "[") && strings.HasSuffix(w[len(w)-1].Text, "]")
		},
	}
}

// Interfaces is the dialect of interfaces(5), ifupdown's file.
func Interfaces() Sections {
	return Sections{
		Comment: "#",
		Heads:   func(w []Word) bool { return w[0].Text == "iface" || w[0].Text == "mapping" || w[0].Text == "template" },
		Single: func(w []Word) bool {
			switch w[0].Text {
			case "auto", "source", "source-directory", "rename", "no-auto-down", "no-scripts":
				return true
			}
			return strings.HasPrefix(w[0].Text, "allow-")
		},
	}
}

// Properties is the dialect of flat "key = value" files: sysctl.d(5).
func Properties() Sections { return Sections{Comment: "#;"} }

// KeyValue cuts a "key = value" statement at its first equals sign. At is the
// byte where each begins in the statement.
func KeyValue(statement string) (key, value Word, ok bool) {
	eq := strings.IndexByte(statement, '=')
	if eq < 0 {
		return Word{}, Word{}, false
	}
	trim := func(s string, at int) Word {
		t := strings.TrimLeft(s, " \t\r")
		return Word{strings.TrimRight(t, " \t\r"), at + len(s) - len(t)}
	}
	return trim(statement[:eq], 0), trim(statement[eq+1:], eq+1), true
}
