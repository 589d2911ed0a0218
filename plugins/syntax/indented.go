package syntax

import (
	"sort"
	"strings"
)

// Indented describes a dialect in which a block is what is indented deeper
// than its heading: IOS, IOS-XE, NX-OS, IOS-XR, EOS, FRR.
type Indented struct {
	// Comment is the sign that begins a comment line, "!" or "#".
	Comment string

	// Banner says how a multi-line text that follows a line is ended: it is
	// given the words of the line and returns nil for a line without one.
	// Use DelimitedBanner, HeredocBanner, Certificate or a function that
	// tries several.
	Banner func(line string, words []Word) *Until
}

// Until says where a multi-line text ends.
type Until struct {
	From  int                    // byte of the heading line where the text begins; len(line) if on the next line
	Mark  string                 // ends the text where it occurs, even inside a line
	Whole func(line string) bool // ends the text by a line of its own; used if Mark is empty
}

// ParseIndented reads text in an indented dialect.
//
// Comments and blank lines never end a block: devices print "!" in column 0
// between the parts of one block. They belong to the block whose heading is
// indented less than they are.
func ParseIndented(text string, dialect Indented) *Doc {
	d := &Doc{Lines: split(text)}
	var (
		stack []int // headings of the open blocks, outermost first
		words []Word
	)
	closeTo := func(depth, at int) {
		for _, h := range stack[depth:] {
			d.Lines[h].Next = at
		}
		stack = stack[:depth]
	}
	last := 0 // index after the last statement or text: where a block that ends now ended
	for i := 0; i < len(d.Lines); i++ {
		l := &d.Lines[i]
		if l.Kind == Statement && dialect.Comment != "" && strings.HasPrefix(l.Body[l.Indent:], dialect.Comment) {
			l.Kind = Comment
		}
		if l.Kind != Statement {
			// Indents grow along the stack.
			if k := sort.Search(len(stack), func(k int) bool { return d.Lines[stack[k]].Indent >= l.Indent }); k > 0 {
				l.Parent = stack[k-1]
			}
			continue
		}
		depth := len(stack)
		for depth > 0 && d.Lines[stack[depth-1]].Indent >= l.Indent {
			depth--
		}
		closeTo(depth, last)
		if depth > 0 {
			l.Parent = stack[depth-1]
		}
		last = i + 1
		if dialect.Banner != nil {
			words = Words(words[:0], l.Body)
			if u := dialect.Banner(l.Body, words); u != nil {
				i = d.text(i, u)
				last = i + 1
				continue
			}
		}
		stack = append(stack, i)
	}
	closeTo(0, last)
	for i := range d.Lines {
		// A comment that trails a block, indented though it is, is in no
		// block that has ended before it.
		for l := &d.Lines[i]; l.Parent != None && d.Lines[l.Parent].Next <= i; {
			l.Parent = d.Lines[l.Parent].Parent
		}
	}
	return d
}

// text marks the lines after heading i as its multi-line text and returns the
// index of the text's last line.
func (d *Doc) text(i int, u *Until) int {
	head := &d.Lines[i]
	if u.Mark != "" && u.From <= len(head.Body) && strings.Contains(head.Body[u.From:], u.Mark) {
		return i
	}
	for j := i + 1; j < len(d.Lines); j++ {
		l := &d.Lines[j]
		l.Kind, l.Parent = Text, i
		head.Next = j + 1
		if u.Mark != "" {
			if strings.Contains(l.Body, u.Mark) {
				if strings.TrimSpace(l.Body) == u.Mark {
					l.Kind = TextEnd
				}
				return j
			}
		} else if u.Whole(l.Body) {
			l.Kind = TextEnd
			return j
		}
	}
	head.Open = true
	return len(d.Lines) - 1
}

// TextOf returns the multi-line text that line i heads, its lines joined by
// newlines and without the line that ends it. For a banner with a delimiter
// it is what stands between the delimiters only if the text begins and ends
// on lines of its own.
func (d *Doc) TextOf(i int) string {
	var b strings.Builder
	for j := i + 1; j < d.Lines[i].Next; j++ {
		if l := &d.Lines[j]; l.Kind == Text && l.Parent == i {
			if b.Len() > 0 || j > i+1 {
				b.WriteByte('\n')
			}
			b.WriteString(l.Body)
		}
	}
	return b.String()
}

// DelimitedBanner recognises "banner TYPE D", where the text ends with the
// next D: IOS, NX-OS and IOS-XR. D is one character, or the two characters
// "^C" by which IOS shows its ETX.
func DelimitedBanner(line string, words []Word) *Until {
	if len(words) < 2 || words[0].Text != "banner" {
		return nil
	}
	// "banner motd D", but "banner D" on releases where the type may be left out.
	k := 2
	if len(words) == 2 {
		if len(words[1].Text) > 2 {
			return nil
		}
		k = 1
	}
	mark := words[k].Text[:1]
	if strings.HasPrefix(words[k].Text, "^C") {
		mark = "^C"
	}
	return &Until{From: words[k].At + len(mark), Mark: mark}
}

// HeredocBanner recognises "banner TYPE" with nothing after it, whose text
// follows up to a line "EOF", and the same for the "action bash" of an event
// handler and for "comment": EOS.
func HeredocBanner(line string, words []Word) *Until {
	comment := len(words) == 1 && words[0].Text == "comment"
	if !comment && (len(words) != 2 || !(words[0].Text == "banner" || words[0].Text == "action" && words[1].Text == "bash")) {
		return nil
	}
	return &Until{From: len(line), Whole: func(l string) bool { return strings.TrimSpace(l) == "EOF" }}
}

// Certificate recognises the hexadecimal body after "certificate …" in a
// certificate chain, ended by "quit": IOS.
func Certificate(line string, words []Word) *Until {
	if len(words) < 2 || words[0].Text != "certificate" || words[0].At == 0 {
		return nil
	}
	return &Until{From: len(line), Whole: func(l string) bool { return strings.TrimSpace(l) == "quit" }}
}
