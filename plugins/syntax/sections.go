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
}

// ParseSections reads text in a dialect of sections. A statement that ends in
// a backslash goes on in the next lines: they are Text of the statement.
func ParseSections(text string, dialect Sections) *Doc {
	d := &Doc{Lines: split(text), continues: true}
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
		for continued(d.Lines[i].Body) && i+1 < len(d.Lines) {
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

// Logical returns statement i with its continuation lines joined, where the
// dialect has those, the backslashes replaced by blanks.
func (d *Doc) Logical(i int) string {
	body := d.Lines[i].Body
	if !d.continues || !continued(body) {
		return body
	}
	var b strings.Builder
	for j := i; ; j++ {
		body := d.Lines[j].Body
		more := continued(body)
		if more {
			body = strings.TrimSuffix(strings.TrimRight(body, "\r"), `\`)
		}
		b.WriteString(body)
		if !more || j+1 >= len(d.Lines) || d.Lines[j+1].Kind != Text || d.Lines[j+1].Parent != i {
			return b.String()
		}
		b.WriteByte(' ')
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
