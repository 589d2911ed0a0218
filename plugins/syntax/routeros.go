package syntax

import (
	"strconv"
	"strings"
)

// RouterOS is the dialect of an export of MikroTik RouterOS: lines that begin
// with a slash name a menu, the commands below them act in it
// (help.mikrotik.com, Scripting and Configuration Management). An export is
// broken near column 80: a backslash ends the line, and neither the newline
// nor the blanks that begin the next line are part of what it says, inside
// quotes neither.
func RouterOS() Sections {
	return Sections{
		Comment: "#",
		Heads:   func(w []Word) bool { return w[0].Text[0] == '/' },
		Goes:    oddBackslashes,
		Join: func(lines []string) string {
			var b strings.Builder
			for i, body := range lines {
				if i > 0 {
					body = strings.TrimLeft(body, " \t")
				}
				if i+1 < len(lines) {
					body = strings.TrimSuffix(strings.TrimRight(body, "\r"), `\`)
				}
				b.WriteString(body)
			}
			return b.String()
		},
	}
}

// oddBackslashes: of two at the end the first escapes the second.
func oddBackslashes(body string) bool {
	body = strings.TrimRight(body, "\r")
	return (len(body)-len(strings.TrimRight(body, `\`)))%2 == 1
}

// RouterOSRecords calls yield for each command of a document in the dialect
// of RouterOS, until it returns false. The first word of a record is the menu,
// "/ip/address" whether it is written with blanks or slashes, the second is
// the command. What a command acts on is an attribute too: "[default-name" is
// what find looks for, "numbers" an item by number or name.
func RouterOSRecords(d *Doc, yield func(*Record) bool) {
	var (
		r     Record
		menu  string
		heads []int
		words []string
	)
	for i := 0; i < len(d.Lines); i++ {
		l := &d.Lines[i]
		if l.Kind != Statement || l.gone {
			continue
		}
		text := d.Logical(i)
		s := rosScanner{text: text}
		r.Attrs, r.Heads, r.From, r.To = r.Attrs[:0], nil, i, i+1
		for j := i + 1; j < len(d.Lines) && d.Lines[j].Kind == Text && d.Lines[j].Parent == i; j++ {
			r.To = j + 1
		}
		verb, heading := "", strings.HasPrefix(strings.TrimLeft(text, " \t\r"), "/")
		here := menu
		if heading {
			here, verb = s.menu()
			menu = here
			if verb == "" {
				heads = []int{i}
				if r.To > i+1 {
					for j := i + 1; j < r.To; j++ {
						heads = append(heads, j)
					}
				}
				if s.done() {
					continue
				}
			} else {
				heads = nil // "/ip address add …" stands on a line of its own
			}
		} else {
			verb = s.word()
		}
		words = append(words[:0], here, verb)
		r.Words = words
		if !heading {
			r.Heads = heads
		}
		r.Bad = l.Open || !s.attrs(&r) || r.twice()
		place(d, &r)
		if !yield(&r) {
			return
		}
	}
}

// place finds the lines of each attribute of a record whose attributes know
// their place in the logical statement.
func place(d *Doc, r *Record) {
	if r.To == r.From+1 {
		for k := range r.Attrs {
			r.Attrs[k].From, r.Attrs[k].To = r.From, r.To
		}
		return
	}
	line, end := r.From, 0
	k, m := 0, 0 // attributes that have begun, that have ended
	for ; line < r.To; line++ {
		body := d.Lines[line].Body
		if line > r.From {
			body = strings.TrimLeft(body, " \t")
		}
		if line+1 < r.To {
			body = strings.TrimSuffix(strings.TrimRight(body, "\r"), `\`)
		}
		end += len(body)
		for k < len(r.Attrs) && (r.Attrs[k].At < end || line+1 == r.To) {
			r.Attrs[k].From = line
			k++
		}
		for ; m < k && (r.Attrs[m].End <= end || line+1 == r.To); m++ {
			r.Attrs[m].To = line + 1
		}
	}
}

// rosScanner reads one logical command.
type rosScanner struct {
	text string
	at   int
}

func (s *rosScanner) skip() {
	for s.at < len(s.text) && space(s.text[s.at]) {
		s.at++
	}
}

func (s *rosScanner) done() bool {
	s.skip()
	return s.at >= len(s.text)
}

// word is what stands up to a blank.
func (s *rosScanner) word() string {
	s.skip()
	from := s.at
	for s.at < len(s.text) && !space(s.text[s.at]) {
		s.at++
	}
	return s.text[from:s.at]
}

// rosVerbs are the commands that an export or a person's script has behind a
// menu on the same line.
func rosVerb(w string) bool {
	switch w {
	case "add", "set", "remove", "unset", "enable", "disable", "move", "print", "comment", "edit", "export", "import", "reset", "find", "get":
		return true
	}
	return false
}

// menu reads a path up to the command, in the form "/ip/address".
func (s *rosScanner) menu() (path, verb string) {
	var parts []string
	for {
		before := s.at
		w := s.word()
		if w == "" {
			break
		}
		if len(parts) > 0 && rosVerb(w) || strings.ContainsAny(w, `="[{(:$`) {
			s.at = before
			if !strings.ContainsAny(w, `="[{(:$`) {
				verb = s.word()
			}
			break
		}
		for part := range strings.SplitSeq(w, "/") {
			if part == "" {
				continue
			}
			if len(parts) > 0 && rosVerb(part) {
				verb = part
				break
			}
			parts = append(parts, part)
		}
		if verb != "" {
			break
		}
	}
	return "/" + strings.Join(parts, "/"), verb
}

// attrs reads what follows the command; false if it is not well formed.
func (s *rosScanner) attrs(r *Record) bool {
	good := true
	for !s.done() {
		switch s.text[s.at] {
		case '[':
			end := strings.IndexByte(s.text[s.at:], ']')
			if end < 0 {
				return false
			}
			inner := rosScanner{text: s.text[:s.at+end], at: s.at + 1}
			s.at += end + 1
			if inner.word() != "find" {
				good = false
				continue
			}
			from := len(r.Attrs)
			good = inner.attrs(r) && good
			for k := from; k < len(r.Attrs); k++ {
				r.Attrs[k].Name = "[" + r.Attrs[k].Name
			}
		case '{', '(', ')', '}', ']', ';', ':', '$':
			return false // a script
		default:
			a := Attr{Name: "numbers"}
			from := s.at
			for s.at < len(s.text) && !space(s.text[s.at]) && s.text[s.at] != '=' && s.text[s.at] != '"' {
				s.at++
			}
			if s.at < len(s.text) && s.text[s.at] == '=' {
				a.Name = s.text[from:s.at]
				s.at++
			} else {
				s.at = from
			}
			var ok bool
			a.At = s.at
			a.Value, ok = s.value()
			a.End = s.at
			good = good && ok && a.Name != ""
			r.Attrs = append(r.Attrs, a)
		}
	}
	return good
}

// value reads one value: quoted, or up to a blank.
func (s *rosScanner) value() (string, bool) {
	if s.at >= len(s.text) || s.text[s.at] != '"' {
		return s.word2(), true
	}
	from := s.at + 1
	for i := from; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return RouterOSUnquote(s.text[from:i]), s.at == len(s.text) || space(s.text[s.at])
		}
	}
	s.at = len(s.text)
	return RouterOSUnquote(s.text[from:]), false
}

// word2 is what stands up to a blank, which may be nothing.
func (s *rosScanner) word2() string {
	from := s.at
	for s.at < len(s.text) && !space(s.text[s.at]) {
		s.at++
	}
	return s.text[from:s.at]
}

// RouterOSUnquote reads the escapes of a quoted string
// (help.mikrotik.com, Scripting, "Constant Escape Sequences").
func RouterOSUnquote(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'v':
			b.WriteByte('\v')
		case '_':
			b.WriteByte(' ')
		default:
			if i+1 < len(s) {
				if n, err := strconv.ParseUint(s[i:i+2], 16, 8); err == nil && strings.ToUpper(s[i:i+2]) == s[i:i+2] {
					b.WriteByte(byte(n))
					i++
					continue
				}
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}

// RouterOSQuote writes a value so that RouterOSUnquote reads it, in quotes
// where RouterOS itself would set them.
func RouterOSQuote(s string) string {
	plain := s != ""
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.,:/+-@*!%<>&|^~#'", c) >= 0
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c == '$' || c == '?':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			const hex = "0123456789ABCDEF"
			b.WriteString(`\` + string(hex[c>>4]) + string(hex[c&15]))
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// RouterOSWrap breaks a command as an export does: behind a blank or an equals
// sign outside quotes, before what would pass column 78 (measured on an export
// of 7.18.2, all of its 95 commands). What is longer in one piece stays.
func RouterOSWrap(command string) string {
	const width = 78
	var b strings.Builder
	column, from, quoted := 0, 0, false
	put := func(piece string) {
		if column > 4 && column+len(strings.TrimRight(piece, " "))+1 > width {
			b.WriteString("\\\n    ")
			column = 4
		}
		b.WriteString(piece)
		column += len(piece)
	}
	for i := 0; i < len(command); i++ {
		switch c := command[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '='):
			put(command[from : i+1])
			from = i + 1
		}
	}
	put(command[from:])
	return b.String()
}
