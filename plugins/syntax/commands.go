package syntax

import "strings"

// ParseCommands reads text in which every line is one whole command, "set
// system host-name r1": the set form of Junos and VyOS. A statement below a
// path that a "deactivate" names is Inactive.
func ParseCommands(text string) *Doc {
	d := &Doc{Lines: split(text)}
	var words []Word
	off := map[string]bool{}
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != Statement {
			continue
		}
		if l.Body[l.Indent] == '#' {
			l.Kind = Comment
			continue
		}
		if strings.HasPrefix(l.Body[l.Indent:], "deactivate ") {
			words = CommandWords(words[:0], l.Body)
			off[path(words)] = true
			l.Inactive = true
		}
	}
	if len(off) == 0 {
		return d
	}
	for i := range d.Lines {
		if l := &d.Lines[i]; l.Kind == Statement {
			words = CommandWords(words[:0], l.Body)
			var b strings.Builder
			for _, w := range words {
				b.WriteString(Unquote(w.Text))
				b.WriteByte(0)
				if off[b.String()] {
					l.Inactive = true
					break
				}
			}
		}
	}
	return d
}

func path(words []Word) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(Unquote(w.Text))
		b.WriteByte(0)
	}
	return b.String()
}

// IsCommands reports whether text is in the set form: its first statement is a
// command.
func IsCommands(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		verb, rest, ok := strings.Cut(line, " ")
		switch verb {
		case "set", "deactivate", "activate", "protect", "annotate", "delete":
			return ok && rest != "{"
		}
		return false
	}
	return false
}

// CommandWords appends the words of a command to buf, without the verb "set"
// or "deactivate". A string in single or double quotes is one word and keeps
// them; square brackets are words of their own. Of any other verb nothing is
// returned but the verb: such a command is no statement.
func CommandWords(buf []Word, s string) []Word {
	from := len(buf)
	for i := 0; i < len(s); {
		c := s[i]
		if space(c) {
			i++
			continue
		}
		if c == '"' || c == '\'' {
			if end := quoteEnd(s, i); end > 0 && (end == len(s) || space(s[end])) {
				buf = append(buf, Word{s[i:end], i})
				i = end
				continue
			}
		}
		begin := i
		for i < len(s) && !space(s[i]) {
			i++
		}
		buf = append(buf, Word{s[begin:i], begin})
	}
	if len(buf) == from {
		return buf
	}
	switch buf[from].Text {
	case "set", "deactivate":
		return append(buf[:from], buf[from+1:]...)
	}
	return buf[:from+1]
}
