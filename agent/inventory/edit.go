package inventory

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// change is what Save wants of one entry of a section of the file.
type change struct {
	section string
	index   int     // of the entry in the section; -1: a new one
	remove  bool    //
	name    string  // of a new entry, or the new name of an old one; empty: unchanged
	fields  []field // all fields the entry shall have
	set     []string
}

// replacement puts lines in the place of the lines [from, to) of a file.
type replacement struct {
	from, to int
	lines    []string
}

// editor changes the lines that have to change and leaves the others alone.
type editor struct {
	root  *node
	lines []string // with their line ends
	eol   string
	out   []replacement
}

// apply returns the text of c with the changes made. What it returns is not
// yet known to be right: the caller reads it again and compares.
func apply(c *content, changes []change) ([]byte, error) {
	e := &editor{root: &c.root, eol: "\n"}
	for line := range bytes.Lines(c.text) {
		e.lines = append(e.lines, string(line))
	}
	if len(e.lines) > 0 && strings.HasSuffix(e.lines[0], "\r\n") {
		e.eol = "\r\n"
	}
	if c.root.flow && len(c.root.keys) > 0 {
		return nil, fault("write it indented, without brackets", "a file in brackets is read but not changed")
	}
	if c.root.flow {
		e.lines, e.root = nil, &node{}
	}
	added := map[string][]change{}
	for _, ch := range changes {
		if ch.index < 0 {
			added[ch.section] = append(added[ch.section], ch)
			continue
		}
		sec := e.root.key(ch.section)
		if sec.value.flow {
			return nil, fault("write it indented, without brackets", "line %d: %s in brackets is read but not changed", sec.line, ch.section)
		}
		e.change(&sec.value.keys[ch.index], ch)
	}
	for _, section := range rootKeys {
		if len(added[section]) > 0 {
			if err := e.add(section, added[section]); err != nil {
				return nil, err
			}
		}
	}
	return e.join(), nil
}

func (e *editor) join() []byte {
	// Insertions at the same place keep their order; a replacement that
	// begins where an insertion is comes after it.
	sort.SliceStable(e.out, func(i, k int) bool { return e.out[i].from < e.out[k].from })
	var b bytes.Buffer
	at := 0
	for _, r := range e.out {
		for _, l := range e.lines[at:r.from] {
			e.line(&b, l)
		}
		for _, l := range r.lines {
			b.WriteString(l + e.eol)
		}
		at = max(at, r.to)
	}
	for _, l := range e.lines[at:] {
		b.WriteString(l)
	}
	return b.Bytes()
}

// line writes a line of the file that another follows.
func (e *editor) line(b *bytes.Buffer, l string) {
	b.WriteString(l)
	if !strings.HasSuffix(l, "\n") {
		b.WriteString(e.eol)
	}
}

// change edits one entry that is there.
func (e *editor) change(at *entry, ch change) {
	start, indent := at.line-1, at.col-1
	if ch.remove {
		e.replace(start, e.end(start, indent, true), nil)
		return
	}
	head := ""
	if ch.name != "" {
		head = e.rename(start, at.col, ch.name)
	}
	if at.value.flow || len(at.value.keys) == 0 {
		// In brackets: the entry is written anew, indented.
		name := ch.name
		if name == "" {
			name = at.key
		}
		if len(ch.set) > 0 {
			e.replace(start, e.end(start, indent, false), e.entryLines(name, indent, indent+2, ch.fields))
			return
		}
	}
	if head != "" {
		e.replace(start, start+1, []string{head})
	}
	for _, key := range ch.set {
		e.setField(&at.value, key, ch.fields)
	}
}

// rename gives the line with the key at col replaced.
func (e *editor) rename(line, col int, name string) string {
	text := strings.TrimRight(e.lines[line], "\r\n")
	from := byteIndex(text, col)
	to := from
	if q := text[from]; q == '"' || q == '\'' {
		to += 1 + strings.IndexByte(text[from+1:], q) + 1
	} else {
		to += max(0, strings.IndexByte(text[from:], ':'))
	}
	return text[:from] + inFlow(name) + text[to:]
}

// byteIndex finds the byte at which the col-th character of s begins.
func byteIndex(s string, col int) int {
	for i := range s {
		if col--; col == 0 {
			return i
		}
	}
	return max(0, len(s)-1)
}

// setField writes, replaces or takes out one key of an entry.
func (e *editor) setField(in *node, key string, fields []field) {
	indent := in.keys[0].col - 1
	var lines []string
	for _, f := range fields {
		if f.key == key {
			lines = indented(indent, f.lines)
		}
	}
	if at := in.key(key); at.key == key {
		start := at.line - 1
		end := e.end(start, indent, false)
		if len(lines) > 0 {
			lines[0] += e.comment(at)
		}
		e.replace(start, end, lines)
		return
	}
	if len(lines) == 0 {
		return
	}
	// After the last key that stands before this one in the usual order.
	where, rank := in.keys[0].line-1, slices.Index(deviceKeys, key)
	for i := range in.keys {
		if k := slices.Index(deviceKeys, in.keys[i].key); k >= 0 && k < rank {
			where = max(where, e.end(in.keys[i].line-1, indent, false))
		}
	}
	e.replace(where, where, lines)
}

// comment returns the comment at the end of a key's line, with the blanks
// before it, or "".
func (e *editor) comment(at *entry) string {
	text := strings.TrimRight(e.lines[at.line-1], "\r\n")
	if at.value.kind == scalar && at.value.line != at.line {
		return ""
	}
	// A '#' after a blank begins a comment unless it is inside quotes.
	var quoted byte
	for i := byteIndex(text, at.col); i < len(text); i++ {
		c := text[i]
		switch {
		case quoted == '"' && c == '\\':
			i++
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case (c == '"' || c == '\'') && strings.IndexByte(" [{,:", text[max(0, i-1)]) >= 0:
			quoted = c
		case c == '#' && (text[i-1] == ' ' || text[i-1] == '\t'):
			return text[len(strings.TrimRight(text[:i], " \t")):]
		}
	}
	return ""
}

// end returns the line after the last one of the entry whose key stands in
// line start at that indentation. With comments, deeper comment lines that
// follow belong to it too.
func (e *editor) end(start, indent int, comments bool) int {
	end := start + 1
	for i := start + 1; i < len(e.lines); i++ {
		text := strings.TrimRight(e.lines[i], " \t\r\n")
		body := strings.TrimLeft(text, " ")
		depth := len(text) - len(body)
		switch {
		case body == "":
			continue
		case strings.HasPrefix(body, "#"):
			if comments && depth > indent {
				end = i + 1
			}
			continue
		case depth > indent:
		case depth == indent && (body == "-" || strings.HasPrefix(body, "- ") || body[0] == ']' || body[0] == '}'):
		default:
			return end
		}
		end = i + 1
	}
	return end
}

// add appends entries to a section, which it makes if it is not there.
func (e *editor) add(section string, changes []change) error {
	sec := e.root.key(section)
	v := &sec.value
	rootIndent := 0
	if len(e.root.keys) > 0 {
		rootIndent = e.root.keys[0].col - 1
	}
	indent, inner := rootIndent+2, rootIndent+4
	var where int
	var lines []string
	blank := false
	switch {
	case sec.key == "":
		where = len(e.lines)
		lines = append(lines, strings.Repeat(" ", rootIndent)+section+":")
	case len(v.keys) == 0:
		start := sec.line - 1
		where = e.end(start, rootIndent, true)
		if v.kind != null || v.flow {
			e.replace(start, start+1, []string{strings.Repeat(" ", rootIndent) + section + ":" + e.comment(sec)})
		}
	case v.flow:
		return fault("write it indented, without brackets", "line %d: %s in brackets is read but not changed", sec.line, section)
	default:
		first, last := &v.keys[0], &v.keys[len(v.keys)-1]
		indent = first.col - 1
		inner = indent + 2
		if !first.value.flow && len(first.value.keys) > 0 {
			inner = first.value.keys[0].col - 1
		}
		where = e.end(sec.line-1, rootIndent, true)
		blank = len(v.keys) > 1 && strings.TrimSpace(e.lines[last.line-2]) == ""
	}
	for _, ch := range changes {
		if blank {
			lines = append(lines, "")
		}
		lines = append(lines, e.entryLines(ch.name, indent, inner, ch.fields)...)
	}
	e.replace(where, where, lines)
	return nil
}

func (e *editor) entryLines(name string, indent, inner int, fields []field) []string {
	lines := []string{strings.Repeat(" ", indent) + inFlow(name) + ":"}
	for _, f := range fields {
		lines = append(lines, indented(inner, f.lines)...)
	}
	return lines
}

func indented(n int, lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.Repeat(" ", n) + l
	}
	return out
}

func (e *editor) replace(from, to int, lines []string) {
	e.out = append(e.out, replacement{from, to, lines})
}

// wanted is what an entry of the file must be after an edit.
type wanted struct {
	name   string
	fields []field
}

func (w wanted) equal(o wanted) bool {
	return w.name == o.name && slices.EqualFunc(w.fields, o.fields, func(a, b field) bool {
		return a.key == b.key && slices.Equal(a.lines, b.lines)
	})
}

// proved reads the edited text and compares it with what was wanted, entry by
// entry, so that a file in a form that the editor does not foresee is refused
// and never damaged.
func proved(file string, text []byte, devices, jumps map[string]wanted) (*content, error) {
	c, err := parse(file, text)
	if err != nil {
		return nil, fmt.Errorf("the change does not fit the file, nothing was written: %w", err)
	}
	ok := len(c.devices) == len(devices) && len(c.jumps) == len(jumps)
	for i := range c.devices {
		d := &c.devices[i]
		w, there := devices[d.ID]
		ok = ok && there && w.equal(wanted{d.Name, deviceFields(d)})
	}
	for i := range c.jumps {
		j := &c.jumps[i]
		w, there := jumps[j.Name]
		ok = ok && there && w.equal(wanted{j.Name, jumpFields(j)})
	}
	if !ok {
		return nil, &Error{File: file, Text: "the file is written in a way that cannot be edited safely, nothing was written", Hint: "make the change by hand"}
	}
	return c, nil
}
