package syntax

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// JSON is a JSON text (RFC 8259) with every byte kept: it prints as it came,
// but for what was replaced or removed. It may be broken; then Root holds what
// was read up to there and Bad is the line where it breaks.
type JSON struct {
	Root *JSONValue // nil for a text without any value
	Bad  int        // line from 1 where the text is no JSON; 0: it is JSON
	text string
	line []int // byte where each line begins
	edit []jsonEdit
}

// JSONValue is one value and the bytes where it stands.
type JSONValue struct {
	Kind    byte // '{', '[', '"', '0' for a number, 't' for true, false and null
	From    int
	To      int
	Members []JSONMember // of an object
	Items   []*JSONValue // of an array
}

// JSONMember is one member of an object.
type JSONMember struct {
	Name  string
	From  int // of the name, quotes included
	To    int
	Value *JSONValue
	gone  bool
}

type jsonEdit struct {
	from, to int
	text     string
}

// deepest is how deep values may nest; what is deeper counts as broken.
const deepest = 512

// ParseJSON reads a text in linear time.
func ParseJSON(text string) *JSON {
	j := &JSON{text: text, line: []int{0}}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			j.line = append(j.line, i+1)
		}
	}
	p := jsonParser{text: text}
	if p.space(); p.at < len(text) {
		ok := false
		if j.Root, ok = p.value(0); ok {
			p.space()
			ok = p.at == len(text)
		}
		if ok {
			return j
		}
	}
	j.Bad = j.LineOf(min(p.at, max(len(text)-1, 0))) + 1
	return j
}

// LineOf is the index of the line that byte at stands in.
func (j *JSON) LineOf(at int) int {
	i, found := slices.BinarySearch(j.line, at)
	if !found {
		i--
	}
	return i
}

// Lines is how many lines the text has.
func (j *JSON) Lines() int {
	if n := len(j.line); j.line[n-1] == len(j.text) {
		return n - 1
	}
	return len(j.line)
}

// Text is a value as it is written, or what a string says.
func (j *JSON) Text(v *JSONValue) string {
	if v.Kind == '"' {
		return unquoteJSON(j.text[v.From:v.To])
	}
	return j.text[v.From:v.To]
}

// Replace puts a string in the place of the string that stands from byte from
// to byte to.
func (j *JSON) Replace(from, to int, s string) {
	j.edit = append(j.edit, jsonEdit{from, to, QuoteJSON(s)})
}

// Remove leaves member i of an object out.
func (j *JSON) Remove(object *JSONValue, i int) { object.Members[i].gone = true }

// String prints the text.
func (j *JSON) String() string {
	edits := slices.Clone(j.edit)
	if j.Root != nil {
		edits = removals(j.Root, edits)
	}
	slices.SortStableFunc(edits, func(a, b jsonEdit) int { return a.from - b.from })
	var b strings.Builder
	b.Grow(len(j.text))
	at := 0
	for _, e := range edits {
		if e.from < at { // inside what was removed
			continue
		}
		b.WriteString(j.text[at:e.from])
		b.WriteString(e.text)
		at = e.to
	}
	b.WriteString(j.text[at:])
	return b.String()
}

// removals are the spans that removed members take, with the comma that
// belongs to them.
func removals(v *JSONValue, out []jsonEdit) []jsonEdit {
	for _, item := range v.Items {
		out = removals(item, out)
	}
	kept := -1
	for i := range v.Members {
		m := &v.Members[i]
		switch {
		case !m.gone:
			kept = i
			if m.Value != nil {
				out = removals(m.Value, out)
			}
		case i+1 < len(v.Members):
			out = append(out, jsonEdit{from: m.From, to: v.Members[i+1].From})
		}
	}
	if n := len(v.Members); n > 0 && v.Members[n-1].gone && v.Members[n-1].Value != nil {
		from := v.Members[0].From
		if kept >= 0 && v.Members[kept].Value != nil {
			from = v.Members[kept].Value.To
		}
		// One span for all that were removed behind the last that stays.
		out = slices.DeleteFunc(out, func(e jsonEdit) bool { return e.text == "" && e.from >= from && e.from < v.Members[n-1].Value.To })
		out = append(out, jsonEdit{from: from, to: v.Members[n-1].Value.To})
	}
	return out
}

type jsonParser struct {
	text string
	at   int
}

func (p *jsonParser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *jsonParser) value(depth int) (*JSONValue, bool) {
	v := &JSONValue{From: p.at, To: p.at}
	if p.at >= len(p.text) || depth > deepest {
		return v, false
	}
	ok := false
	switch c := p.text[p.at]; {
	case c == '{':
		v.Kind = '{'
		ok = p.object(v, depth)
	case c == '[':
		v.Kind = '['
		ok = p.array(v, depth)
	case c == '"':
		v.Kind = '"'
		ok = p.str()
	case c == '-' || c >= '0' && c <= '9':
		v.Kind = '0'
		for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
			p.at++
		}
		ok = json.Valid([]byte(p.text[v.From:p.at]))
	default:
		v.Kind = 't'
		for _, w := range []string{"true", "false", "null"} {
			if strings.HasPrefix(p.text[p.at:], w) {
				p.at += len(w)
				ok = true
			}
		}
	}
	v.To = p.at
	return v, ok
}

func (p *jsonParser) object(v *JSONValue, depth int) bool {
	p.at++
	for first := true; ; first = false {
		p.space()
		switch {
		case p.at >= len(p.text):
			return false
		case first && p.text[p.at] == '}':
			p.at++
			return true
		case p.text[p.at] != '"':
			return false
		}
		m := JSONMember{From: p.at}
		if !p.str() {
			return false
		}
		m.To = p.at
		m.Name = unquoteJSON(p.text[m.From:m.To])
		p.space()
		if p.at >= len(p.text) || p.text[p.at] != ':' {
			return false
		}
		p.at++
		p.space()
		var ok bool
		m.Value, ok = p.value(depth + 1)
		v.Members = append(v.Members, m)
		if !ok {
			return false
		}
		p.space()
		if p.at >= len(p.text) {
			return false
		}
		p.at++
		switch p.text[p.at-1] {
		case '}':
			return true
		case ',':
		default:
			p.at--
			return false
		}
	}
}

func (p *jsonParser) array(v *JSONValue, depth int) bool {
	p.at++
	p.space()
	if p.at < len(p.text) && p.text[p.at] == ']' {
		p.at++
		return true
	}
	for {
		p.space()
		item, ok := p.value(depth + 1)
		v.Items = append(v.Items, item)
		p.space()
		if !ok || p.at >= len(p.text) {
			return false
		}
		p.at++
		switch p.text[p.at-1] {
		case ']':
			return true
		case ',':
		default:
			p.at--
			return false
		}
	}
}

// str moves over one string.
func (p *jsonParser) str() bool {
	from := p.at
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '\\':
			p.at++
		case c == '"':
			p.at++
			s := p.text[from:p.at]
			return strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s) || json.Valid([]byte(s))
		case c < ' ':
			return false
		}
	}
	p.at = len(p.text)
	return false
}

func unquoteJSON(s string) string {
	if strings.IndexByte(s, '\\') < 0 && len(s) >= 2 {
		return s[1 : len(s)-1]
	}
	var out string
	if json.Unmarshal([]byte(s), &out) != nil {
		return s
	}
	return out
}

// QuoteJSON writes a string as a JSON string.
func QuoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""` // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// JSONRecords calls yield for each entry of a text that holds tables of
// entries, {"TABLE": {"KEY|SUB": {"field": "value"}}}, until it returns false.
// The words of a record are the table and the parts of the key between sep.
// What has another shape is a record that is Bad; so is the rest of a broken
// text.
func JSONRecords(j *JSON, sep string, yield func(*Record) bool) {
	span := func(r *Record, from, to int) {
		r.From, r.To = j.LineOf(from), j.LineOf(max(from, to-1))+1
	}
	if j.Root == nil || j.Root.Kind != '{' || j.Bad != 0 {
		if j.Lines() > 0 {
			yield(&Record{From: 0, To: j.Lines(), Bad: true})
		}
		return
	}
	heads := func(v *JSONValue, from int) []int {
		return []int{j.LineOf(from), j.LineOf(v.From), j.LineOf(v.To - 1)}
	}
	outer := heads(j.Root, j.Root.From)[1:]
	seen := map[string]bool{}
	for i := range j.Root.Members {
		t := &j.Root.Members[i]
		if t.gone {
			continue
		}
		r := Record{Heads: outer, Words: []string{t.Name}}
		if t.Value.Kind != '{' || len(t.Value.Members) == 0 || seen[t.Name] {
			r.Bad = t.Value.Kind != '{' || seen[t.Name]
			if span(&r, t.From, t.Value.To); !yield(&r) {
				return
			}
			continue
		}
		seen[t.Name] = true
		shared := append(heads(t.Value, t.From), outer...)
		keys := map[string]bool{}
		for k := range t.Value.Members {
			e := &t.Value.Members[k]
			if e.gone {
				continue
			}
			r := Record{Heads: shared, Words: append([]string{t.Name}, strings.Split(e.Name, sep)...), Bad: keys[e.Name]}
			keys[e.Name] = true
			span(&r, e.From, e.Value.To)
			if e.Value.Kind != '{' {
				r.Bad = true
			}
			for f := range e.Value.Members {
				r.Attrs = append(r.Attrs, j.field(&e.Value.Members[f]))
				r.Bad = r.Bad || len(e.Value.Members[f].Value.Members) > 0
			}
			if r.Bad = r.Bad || r.twice(); !yield(&r) {
				return
			}
		}
	}
}

// field makes an attribute of a member.
func (j *JSON) field(m *JSONMember) Attr {
	v := m.Value
	a := Attr{Name: m.Name, From: j.LineOf(m.From), To: j.LineOf(max(m.From, v.To-1)) + 1, At: v.From, End: v.To}
	if v.Kind != '[' {
		a.Value = j.Text(v)
		return a
	}
	a.List = true
	for i, item := range v.Items {
		if i == 0 {
			a.Value = j.Text(item)
		} else {
			a.More = append(a.More, j.Text(item))
		}
	}
	return a
}
