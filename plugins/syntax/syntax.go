// Package syntax reads native configuration text into lines and blocks and
// prints it back byte for byte, whatever it was given: broken, truncated and
// binary input included. It knows how a dialect delimits blocks, comments and
// multi-line texts (banners, certificates), and nothing of what a statement
// means: that is the business of the tables of package lens.
//
// Every parser is linear in the size of its input and never fails: what does
// not fit the dialect is a statement like any other.
package syntax

import "strings"

// Kind says what a line is.
type Kind uint8

// The kinds of lines.
const (
	Blank     Kind = iota // white space only
	Comment               // begins with the dialect's comment sign
	Statement             // everything else; may head a block
	Text                  // inside a multi-line text; belongs to its Parent
	TextEnd               // the line that ends a multi-line text and holds none of it
	Close                 // the brace that ends the block of its Parent
)

// None is the Parent of a line outside any block.
const None = -1

// Line is one line of a document, or in a dialect with braces a part of one.
type Line struct {
	Number int    // in the input, from 1; 0 for a line that was inserted
	Body   string // without its line ending
	End    string // "\n", "\r\n", or "" for a last line without one
	Kind   Kind
	Indent int  // columns of white space before the first word; a tab counts as one
	Parent int  // index of the line that heads the block this one is in, or None
	Next   int  // index after the last line of the block this line heads; its own index + 1 if it heads none
	Open   bool // heads a multi-line text that never ends, or is a statement that is cut off
	Block  bool // heads a block in braces, even an empty one

	// Inactive statements are kept and have no effect: "inactive:" and
	// "deactivate" of Junos, on the statement or on a block around it.
	Inactive bool

	gone bool
}

// Doc is a parsed document. It is not safe for concurrent changes.
type Doc struct {
	Lines []Line

	join   func(lines []string) string // of a statement that goes on; nil: none does
	broken int                         // the first line whose braces do not match
}

// Word is a word of a line and the byte where it begins in the body.
type Word struct {
	Text string
	At   int
}

// Words appends the words of s to buf and returns it. Words are separated by
// blanks, tabs and carriage returns.
func Words(buf []Word, s string) []Word {
	for i := 0; i < len(s); {
		if space(s[i]) {
			i++
			continue
		}
		from := i
		for i < len(s) && !space(s[i]) {
			i++
		}
		buf = append(buf, Word{s[from:i], from})
	}
	return buf
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// String prints the document: exactly the input, but for the lines that were
// changed, inserted or removed.
func (d *Doc) String() string {
	n := 0
	for i := range d.Lines {
		n += len(d.Lines[i].Body) + len(d.Lines[i].End)
	}
	var b strings.Builder
	b.Grow(n)
	for i := range d.Lines {
		if l := &d.Lines[i]; !l.gone {
			b.WriteString(l.Body)
			b.WriteString(l.End)
		}
	}
	return b.String()
}

// Bytes is String as bytes.
func (d *Doc) Bytes() []byte { return []byte(d.String()) }

// Remove leaves line i out of the printed document, with the block that it
// heads.
func (d *Doc) Remove(i int) {
	for j := i; j < d.Lines[i].Next; j++ {
		d.Lines[j].gone = true
	}
}

// Removed reports whether line i was removed.
func (d *Doc) Removed(i int) bool { return d.Lines[i].gone }

// ReplaceWord puts text in the place of word w of line i. Later words of the
// line move: replace from the last to the first, or split the line again.
func (d *Doc) ReplaceWord(i int, w Word, text string) {
	l := &d.Lines[i]
	l.Body = l.Body[:w.At] + text + l.Body[w.At+len(w.Text):]
}

// Heading returns the index of the outermost line whose block holds line i; i
// itself for a line that heads a block outside any other, None for a line
// outside any block.
func (d *Doc) Heading(i int) int {
	for d.Lines[i].Parent != None {
		i = d.Lines[i].Parent
	}
	if d.Lines[i].Next > i+1 {
		return i
	}
	return None
}

// split cuts text into lines without their kinds.
func split(text string) []Line {
	lines := make([]Line, 0, strings.Count(text, "\n")+1)
	for n := 1; text != ""; n++ {
		body, end := text, ""
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			body, end, text = text[:i], text[i:i+1], text[i+1:]
			if i > 0 && body[i-1] == '\r' {
				// Both halves are parts of one string: body and end stay adjacent.
				body, end = body[:i-1], "\r\n"
			}
		} else {
			text = ""
		}
		l := Line{Number: n, Body: body, End: end, Parent: None, Next: len(lines) + 1}
		for l.Indent < len(body) && space(body[l.Indent]) {
			l.Indent++
		}
		if l.Indent == len(body) || strings.TrimSpace(body[l.Indent:]) == "" {
			l.Kind = Blank
		} else {
			l.Kind = Statement
		}
		lines = append(lines, l)
	}
	return lines
}
