package syntax

import "strings"

// ParseUCI reads a file of OpenWrt's Unified Configuration Interface: sections
// "config TYPE 'NAME'" or without a name, with "option NAME 'VALUE'" and
// "list NAME 'VALUE'". Words may be bare, in single quotes without escapes, or
// in double quotes with backslashes; quoted ones go on over lines
// (openwrt.org, "The UCI system"; libuci).
func ParseUCI(text string) *Doc {
	d := &Doc{Lines: split(text)}
	d.join = joinLines
	head, last := None, 0
	for i := 0; i < len(d.Lines); i++ {
		l := &d.Lines[i]
		if l.Kind == Statement && l.Body[l.Indent] == '#' {
			l.Kind = Comment
		}
		if l.Kind != Statement {
			l.Parent = head
			continue
		}
		first := i
		switch word, _, _ := strings.Cut(strings.TrimRight(strings.ReplaceAll(l.Body[l.Indent:], "\t", " "), "\r"), " "); word {
		case "config":
			if head != None {
				d.Lines[head].Next = last
			}
			head = i
		case "package":
			if head != None {
				d.Lines[head].Next = last
			}
			head = None
		default:
			l.Parent = head
		}
		for state := uciState(0, l.Body); state != 0; {
			if i+1 == len(d.Lines) {
				d.Lines[first].Open = true
				break
			}
			i++
			d.Lines[i].Kind, d.Lines[i].Parent = Text, first
			if d.Lines[first].Next < i+1 {
				d.Lines[first].Next = i + 1
			}
			state = uciState(state, d.Lines[i].Body)
		}
		last = i + 1
	}
	if head != None {
		d.Lines[head].Next = last
	}
	for i := range d.Lines {
		for l := &d.Lines[i]; l.Parent != None && d.Lines[l.Parent].Next <= i; {
			l.Parent = d.Lines[l.Parent].Parent
		}
	}
	return d
}

// uciState goes through one line: the quote that is open at its end, '\\' for
// a line that ends in a backslash, or 0.
func uciState(quote byte, body string) byte {
	blank := quote == 0 || quote == '\\'
	if quote == '\\' {
		quote = 0
	}
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case quote != 0:
			if c == '\\' && quote == '"' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\\':
			if i++; i == len(body) {
				return '\\'
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '#' && blank:
			return 0
		}
		blank = quote == 0 && space(c)
	}
	return quote
}

// uciWords splits a logical statement. Ends are where each word ends as it is
// written; ok is false where something follows a closing quote, or a quote is
// open.
func uciWords(buf []Word, ends []int, s string) ([]Word, []int, bool) {
	ok := true
	for i := 0; i < len(s); {
		if space(s[i]) || s[i] == '\n' {
			i++
			continue
		}
		if s[i] == '#' {
			break
		}
		from := i
		if j := strings.IndexAny(s[i:], " \t\r\n'\"\\;"); j != 0 { // nearly all words
			end := len(s)
			if j > 0 {
				end = i + j
			}
			if end == len(s) || space(s[end]) || s[end] == '\n' {
				buf, ends = append(buf, Word{s[i:end], from}), append(ends, end)
				i = end
				continue
			}
		} else if q := s[i]; q == '\'' {
			if end := strings.IndexByte(s[i+1:], '\''); end >= 0 {
				if next := i + end + 2; next == len(s) || space(s[next]) {
					buf, ends = append(buf, Word{s[i+1 : i+1+end], from}), append(ends, next)
					i = next
					continue
				}
			}
		}
		var b strings.Builder
		quote := byte(0)
	word:
		for ; i < len(s); i++ {
			c := s[i]
			switch {
			case quote == '\'' && c != '\'', quote == '"' && c != '"' && c != '\\':
				b.WriteByte(c)
			case quote != 0 && c == quote:
				quote = 0
			case c == '\\':
				if i++; i < len(s) && s[i] != '\n' {
					b.WriteByte(s[i])
				}
			case c == '\'' || c == '"':
				quote = c
			case space(c) || c == '\n':
				break word
			case c == ';':
				ok = false // a second command on the line
				b.WriteByte(c)
			default:
				b.WriteByte(c)
			}
		}
		ok = ok && quote == 0
		buf, ends = append(buf, Word{b.String(), from}), append(ends, i)
	}
	return buf, ends, ok
}

// UCIRecords calls yield for each section of a document of UCI, until it
// returns false: its words are the type and, if it has one, the name. The
// statement "package NAME" is a record whose first word is empty. A statement
// outside any section, or one that is not well formed, is a record without
// words that is Bad. An option that is set again has the last value, as libuci
// has it.
func UCIRecords(d *Doc, yield func(*Record) bool) {
	var (
		words  []Word
		ends   []int
		r      Record
		open   bool
		strays []int
		at     = map[string]int{} // attributes of r by name
	)
	flush := func() bool {
		if open && !yield(&r) {
			return false
		}
		open = false
		for _, i := range strays {
			bad := Record{From: i, To: i + 1, Bad: true}
			for j := i + 1; j < len(d.Lines) && d.Lines[j].Kind == Text && d.Lines[j].Parent == i; j++ {
				bad.To = j + 1
			}
			if !yield(&bad) {
				return false
			}
		}
		strays = strays[:0]
		return true
	}
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != Statement || l.gone {
			continue
		}
		var ok bool
		words, ends, ok = uciWords(words[:0], ends[:0], d.Logical(i))
		ok = ok && !l.Open
		to := i + 1
		for to < len(d.Lines) && d.Lines[to].Kind == Text && d.Lines[to].Parent == i {
			to++
		}
		switch {
		case len(words) > 0 && words[0].Text == "config" && ok && (len(words) == 2 || len(words) == 3):
			if !flush() {
				return
			}
			r = Record{Words: r.Words[:0], Attrs: r.Attrs[:0], From: i, To: to}
			for _, w := range words[1:] {
				r.Words = append(r.Words, w.Text)
			}
			if len(r.Words) == 2 && r.Words[1] == "" {
				r.Words = r.Words[:1]
			}
			open = true
			clear(at)
		case len(words) == 2 && words[0].Text == "package" && ok:
			if !flush() || !yield(&Record{Words: []string{"", words[1].Text}, From: i, To: to}) {
				return
			}
		case len(words) > 0 && (words[0].Text == "package" || words[0].Text == "config"):
			if !flush() {
				return
			}
			strays = append(strays, i)
		case !open || !ok || len(words) != 3 || words[0].Text != "option" && words[0].Text != "list":
			strays = append(strays, i)
		default:
			a := Attr{Name: words[1].Text, Value: words[2].Text, List: words[0].Text == "list", From: i, To: to, At: words[2].At, End: ends[2]}
			if k, twice := at[a.Name]; twice && r.Attrs[k].List && a.List {
				r.Attrs[k].More = append(r.Attrs[k].More, a.Value)
				a.Silent = true
			} else {
				if twice {
					r.Attrs[k].Silent = true
				}
				at[a.Name] = len(r.Attrs)
			}
			r.Attrs = append(r.Attrs, a)
		}
	}
	flush()
}

// UCIQuote writes a value as libuci does: in single quotes, and a single quote
// as '\”.
func UCIQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
