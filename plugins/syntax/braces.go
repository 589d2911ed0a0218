package syntax

import (
	"slices"
	"strings"
)

// Braces describes a dialect in which a block stands in braces: Junos, whose
// statements end with ";", and VyOS and SR OS, whose statements end with their
// line. It keeps what is not a statement where it is: annotations, comments,
// and the marks "inactive:" and "protect:" before one.
//
// Where several statements share a line, each is a Line of the document with
// the number of that line.
type Braces struct {
	// Newline ends a statement with its line; a ";" is a character like any
	// other then.
	Newline bool

	// Remarks are the signs that begin a comment up to the end of the line,
	// where a word could begin: "#" for Junos, "//" for VyOS.
	Remarks []string
}

// ParseBraces reads text in a dialect with braces. A statement without its
// ending is Open.
func ParseBraces(text string, dialect Braces) *Doc {
	p := braces{Braces: dialect, text: text, line: 1, doc: &Doc{join: joinLines, Lines: make([]Line, 0, strings.Count(text, "\n")+1)}}
	for p.at < len(text) {
		p.piece()
	}
	for _, h := range p.stack {
		p.doc.Lines[h].Next = len(p.doc.Lines)
		p.broken(p.doc.Lines[h].Number)
	}
	return p.doc
}

func joinLines(lines []string) string { return strings.Join(lines, "\n") }

// Broken returns the number of the first line whose braces do not match, or of
// a comment that never ends; 0 if there is none.
func (d *Doc) Broken() int { return d.broken }

type braces struct {
	Braces
	text  string
	at    int
	line  int
	doc   *Doc
	stack []int // headings of the open blocks

	lastQuote   int // no '"' is closed from here on; 0: not known
	lastComment int // no "*/" from here on
}

func (p *braces) broken(line int) {
	if p.doc.broken == 0 || line < p.doc.broken {
		p.doc.broken = line
	}
}

// piece reads one statement, comment, brace or blank line.
func (p *braces) piece() {
	i := p.blanks(p.at)
	switch {
	case i == len(p.text) || p.text[i] == '\n':
		p.emit(Blank, p.newline(i))
	case p.remark(i):
		p.emit(Comment, p.newline(p.lineEnd(i)))
	case strings.HasPrefix(p.text[i:], "/*"):
		end, closed := p.comment(i)
		line := p.line
		n := p.emit(Comment, end)
		if p.doc.Lines[n].Open = !closed; !closed {
			p.broken(line)
		}
	case p.text[i] == '}' && (!p.Newline || p.blanks(i+1) == p.lineEnd(i)):
		i++
		if !p.Newline && p.blanks(i) < len(p.text) && p.text[p.blanks(i)] == ';' {
			i = p.blanks(i) + 1
		}
		line := p.line
		n := p.emit(Close, p.trailing(i))
		if len(p.stack) == 0 {
			p.doc.Lines[n].Kind = Statement
			p.broken(line)
			return
		}
		head := p.stack[len(p.stack)-1]
		p.stack = p.stack[:len(p.stack)-1]
		p.doc.Lines[head].Next = n + 1
	default:
		end, ending := p.statement(i)
		inactive := !p.Newline && strings.HasPrefix(p.text[i:], "inactive:")
		n := p.emit(Statement, end)
		l := &p.doc.Lines[n]
		l.Inactive = l.Inactive || inactive
		switch ending {
		case '{':
			l.Block = true
			p.stack = append(p.stack, n)
		case 0:
			l.Open = true
		}
	}
}

// emit appends what stands up to end, which may be several lines, and returns
// the index of the first.
func (p *braces) emit(kind Kind, end int) int {
	d, first := p.doc, len(p.doc.Lines)
	parent, inactive := None, false
	if len(p.stack) > 0 {
		parent = p.stack[len(p.stack)-1]
		inactive = d.Lines[parent].Inactive
	}
	for p.at < end {
		stop := end
		nl := strings.IndexByte(p.text[p.at:end], '\n')
		if nl >= 0 {
			stop = p.at + nl + 1
		}
		l := Line{Number: p.line, Body: p.text[p.at:stop], Kind: kind, Parent: parent, Next: len(d.Lines) + 1, Inactive: inactive}
		if nl >= 0 {
			p.line++
			l.Body, l.End = l.Body[:nl], "\n"
			if b, ok := strings.CutSuffix(l.Body, "\r"); ok {
				l.Body, l.End = b, "\r\n"
			}
		}
		for l.Indent < len(l.Body) && space(l.Body[l.Indent]) {
			l.Indent++
		}
		if len(d.Lines) > first {
			l.Kind, l.Parent = Text, first
		}
		d.Lines = append(d.Lines, l)
		p.at = stop
	}
	d.Lines[first].Next = len(d.Lines)
	return first
}

func (p *braces) blanks(i int) int {
	for i < len(p.text) && space(p.text[i]) {
		i++
	}
	return i
}

func (p *braces) lineEnd(i int) int {
	if n := strings.IndexByte(p.text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(p.text)
}

// newline goes past the end of the line at i.
func (p *braces) newline(i int) int { return min(i+1, len(p.text)) }

func (p *braces) remark(i int) bool {
	for _, r := range p.Remarks {
		if strings.HasPrefix(p.text[i:], r) {
			return true
		}
	}
	return false
}

// trailing goes past what belongs to the statement that ends at i: blanks, a
// comment, the end of the line.
func (p *braces) trailing(i int) int {
	j := p.blanks(i)
	if j < len(p.text) && p.remark(j) {
		j = p.lineEnd(j)
	}
	if j == len(p.text) || p.text[j] == '\n' {
		return p.newline(j)
	}
	return i
}

// comment finds the end of a comment in slashes and stars. One that never ends
// is its line.
func (p *braces) comment(i int) (end int, closed bool) {
	if p.lastComment == 0 || i < p.lastComment {
		if n := strings.Index(p.text[i+2:], "*/"); n >= 0 {
			return p.trailing(i + 2 + n + 2), true
		}
		p.lastComment = max(i, 1)
	}
	return p.newline(p.lineEnd(i)), false
}

// statement finds the end of a statement and what ends it: ';', '{', '\n'
// where that ends one, or 0 if nothing does.
func (p *braces) statement(i int) (end int, ending byte) {
	list := false // between square brackets a statement may go on in the next line
	word := true  // a word may begin here
	for i < len(p.text) {
		c := p.text[i]
		switch {
		case c == '\n' && list:
		case c == '\n' && p.Newline:
			return p.newline(i), '\n'
		case c == '\n':
			return p.newline(i), 0
		case c == '"' && word:
			i = p.quoted(i)
			word = false
			continue
		case c == ';' && !p.Newline:
			return p.trailing(i + 1), ';'
		case c == '{' && word && (!p.Newline || p.blanks(i+1) == p.lineEnd(i)):
			return p.trailing(i + 1), '{'
		case c == '}' && word && !p.Newline:
			return i, 0
		case word && !p.Newline && p.remark(i):
			return p.newline(p.lineEnd(i)), 0
		case c == '[' && word && !p.Newline:
			list = true
		case c == ']' && !p.Newline:
			list = false
		}
		word = space(c) || c == '\n' || c == '[' && list
		i++
	}
	if p.Newline {
		return i, '\n'
	}
	return i, 0
}

// quoted goes past a string that begins at i. Without an end it is no string.
func (p *braces) quoted(i int) int {
	if p.lastQuote == 0 || i < p.lastQuote {
		for j := i + 1; j < len(p.text); j++ {
			switch p.text[j] {
			case '\\':
				j++
			case '"':
				return j + 1
			}
		}
		p.lastQuote = max(i, 1)
	}
	return i + 1
}

// Words appends the words of a statement to buf, without the marks before it,
// what ends it and what follows that. A string in quotes is one word and keeps
// them: see Unquote. Square brackets are words of their own.
func (b Braces) Words(buf []Word, s string) []Word {
	first := true
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case space(c) || c == '\n':
			i++
			continue
		case c == '"':
			if end := quoteEnd(s, i); end > 0 {
				buf = append(buf, Word{s[i:end], i})
				i, first = end, false
				continue
			}
		case c == ';' && !b.Newline, c == '}' && !b.Newline:
			return buf
		case c == '{' && (!b.Newline || len(strings.TrimLeft(s[i+1:], " \t\r")) == 0):
			return buf
		case (c == '[' || c == ']') && !b.Newline:
			buf = append(buf, Word{s[i : i+1], i})
			i, first = i+1, false
			continue
		}
		from := i
		for i < len(s) && !space(s[i]) && s[i] != '\n' && (b.Newline || s[i] != ';' && s[i] != ']') {
			i++
		}
		if w := s[from:i]; !first || b.Newline || !slices.Contains(marks[:], w) {
			buf = append(buf, Word{w, from})
			first = false
		}
	}
	return buf
}

// marks may stand before a statement of Junos.
var marks = [...]string{"inactive:", "protect:", "unprotect:", "replace:", "active:"}

func quoteEnd(s string, i int) int {
	q := s[i]
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\' && q == '"':
			j++
		case s[j] == q:
			return j + 1
		}
	}
	return -1
}

// Unquote returns what a word stands for: the text between its quotes, with
// \" \\ and \n read where the quotes are double.
func Unquote(word string) string {
	if len(word) < 2 || word[0] != '"' && word[0] != '\'' || quoteEnd(word, 0) != len(word) {
		return word
	}
	in := word[1 : len(word)-1]
	if word[0] == '\'' || strings.IndexByte(in, '\\') < 0 {
		return in
	}
	var b strings.Builder
	for i := 0; i < len(in); i++ {
		if in[i] == '\\' && i+1 < len(in) {
			i++
			switch in[i] {
			case 'n':
				b.WriteByte('\n')
				continue
			case '"', '\\':
			default:
				b.WriteByte('\\')
			}
		}
		b.WriteByte(in[i])
	}
	return b.String()
}

// Quote makes a word of s that Unquote reads as s: in double quotes where it
// would not be one word otherwise.
func Quote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\r\n\"';{}[]#!\\|&<>()?$`") && !strings.HasPrefix(s, "//") && !strings.Contains(s, "/*") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
