package inventory

import (
	"strings"
	"unicode/utf8"
)

// scan reads the plain form of YAML: indented mappings with plain keys, lists
// of single values, values and brackets that end on their line. That is what
// Save writes and what people write by hand; it reads ten thousand devices in
// a tenth of the time that the library takes. Whatever it does not know for
// certain – a block scalar, an escape, a tab, a fault – it leaves to the
// library: ok is false. What it reads is what the library reads; a fuzz test
// compares the two.
func scan(text []byte) (root node, ok bool) {
	if badByte(text) >= 0 {
		return node{}, false
	}
	s := scanner{}
	all := string(text)
	for no := 1; all != ""; no++ {
		line, rest, _ := strings.Cut(all, "\n")
		all = rest
		body := strings.TrimLeft(line, " ")
		if body == "" || body[0] == '#' && strings.IndexByte(body, '\r') < 0 {
			continue
		}
		if strings.ContainsAny(line, "\t\r\u0085\u2028\u2029\ufeff") {
			return node{}, false
		}
		s.lines = append(s.lines, scanLine{no, len(line) - len(body), body})
	}
	if len(s.lines) == 0 {
		return node{}, true
	}
	if strings.HasPrefix(s.lines[0].body, "-") {
		return node{}, false
	}
	root, ok = s.mapping(s.lines[0].indent, 0)
	return root, ok && s.at == len(s.lines)
}

type scanLine struct {
	no, indent int
	body       string // without indentation
}

type scanner struct {
	lines []scanLine
	at    int
}

// mapping reads the entries that stand at one indentation.
func (s *scanner) mapping(indent, depth int) (node, bool) {
	first := s.lines[s.at]
	out := node{kind: mapping, line: first.no, col: indent + 1}
	if depth > maxDepth {
		return out, false
	}
	for s.at < len(s.lines) {
		l := s.lines[s.at]
		if l.indent < indent {
			break
		}
		key, rest, ok := scanKey(l.body)
		if l.indent != indent || !ok {
			return out, false
		}
		s.at++
		e := entry{key: key, line: l.no, col: indent + 1}
		if trimmed := strings.TrimLeft(rest, " "); trimmed == "" || trimmed[0] == '#' {
			e.value, ok = s.block(l, indent, depth)
		} else {
			e.value, ok = s.inline(l, len(l.body)-len(trimmed))
		}
		if !ok {
			return out, false
		}
		out.keys = append(out.keys, e)
	}
	return out, true
}

// block reads what stands below a key.
func (s *scanner) block(key scanLine, indent, depth int) (node, bool) {
	if s.at < len(s.lines) {
		next := s.lines[s.at]
		dash := next.body[0] == '-'
		switch {
		case dash && next.indent >= indent:
			return s.sequence(next.indent)
		case next.indent > indent:
			return s.mapping(next.indent, depth+1)
		}
	}
	return node{line: key.no, col: key.indent + 1}, true
}

func (s *scanner) sequence(indent int) (node, bool) {
	out := node{kind: sequence, line: s.lines[s.at].no, col: indent + 1}
	for s.at < len(s.lines) {
		l := s.lines[s.at]
		if l.indent < indent || l.indent == indent && l.body[0] != '-' {
			break
		}
		if l.indent != indent || !strings.HasPrefix(l.body, "- ") {
			return out, false
		}
		s.at++
		body := strings.TrimLeft(l.body[1:], " ")
		item, ok := s.inline(l, len(l.body)-len(body))
		if !ok || body == "" {
			return out, false
		}
		out.items = append(out.items, item)
	}
	return out, true
}

// inline reads the value that begins at an offset of a line and ends on it.
func (s *scanner) inline(l scanLine, from int) (node, bool) {
	if s.at < len(s.lines) && s.lines[s.at].indent > l.indent {
		return node{}, false // it goes on in the next line
	}
	f := flow{line: l, pos: from}
	if from >= len(l.body) {
		return node{}, false
	}
	var (
		n  node
		ok bool
	)
	if c := l.body[from]; c == '[' || c == '{' || c == '"' || c == '\'' {
		n, ok = f.value(0)
	} else {
		n, ok = f.plain(false)
	}
	if !ok {
		return node{}, false
	}
	rest := l.body[f.pos:]
	after := strings.TrimLeft(rest, " ")
	return n, after == "" || after[0] == '#' && len(after) < len(rest)
}

// scanKey splits "key: value"; the key is a plain word.
func scanKey(body string) (key, rest string, ok bool) {
	i := 0
	for i < len(body) && nameChar(body[i], i == 0) {
		i++
	}
	if i == 0 || i == len(body) || body[i] != ':' {
		return "", "", false
	}
	rest = body[i+1:]
	if rest != "" && rest[0] != ' ' {
		return "", "", false
	}
	key = body[:i]
	return key, rest, !isNull(key)
}

func isNull(s string) bool { return s == "" || s == "~" || strings.EqualFold(s, "null") }

// flow reads values within one line.
type flow struct {
	line scanLine
	pos  int
}

func (f *flow) place() (line, col int) {
	return f.line.no, f.line.indent + utf8.RuneCountInString(f.line.body[:f.pos]) + 1
}

func (f *flow) peek() byte {
	for f.pos < len(f.line.body) && f.line.body[f.pos] == ' ' {
		f.pos++
	}
	if f.pos == len(f.line.body) {
		return 0
	}
	return f.line.body[f.pos]
}

// value reads a value between brackets, or the brackets themselves.
func (f *flow) value(depth int) (node, bool) {
	if depth > maxDepth {
		return node{}, false
	}
	switch f.peek() {
	case '[':
		return f.list(depth)
	case '{':
		return f.mapping(depth)
	case '"', '\'':
		return f.quoted()
	}
	return f.plain(true)
}

func (f *flow) list(depth int) (node, bool) {
	out := node{kind: sequence, flow: true}
	out.line, out.col = f.place()
	f.pos++
	if f.peek() == ']' {
		f.pos++
		return out, true
	}
	for {
		item, ok := f.value(depth + 1)
		if !ok || item.kind == null {
			return out, false
		}
		out.items = append(out.items, item)
		switch f.peek() {
		case ',':
			f.pos++
		case ']':
			f.pos++
			return out, true
		default:
			return out, false
		}
	}
}

func (f *flow) mapping(depth int) (node, bool) {
	out := node{kind: mapping, flow: true}
	out.line, out.col = f.place()
	f.pos++
	if f.peek() == '}' {
		f.pos++
		return out, true
	}
	for {
		f.peek()
		var e entry
		var rest string
		var ok bool
		e.line, e.col = f.place()
		if e.key, rest, ok = scanKey(f.line.body[f.pos:]); !ok || rest == "" {
			return out, false
		}
		f.pos += len(e.key) + 1
		if e.value, ok = f.value(depth + 1); !ok || e.value.kind == null {
			return out, false
		}
		out.keys = append(out.keys, e)
		switch f.peek() {
		case ',':
			f.pos++
		case '}':
			f.pos++
			return out, true
		default:
			return out, false
		}
	}
}

// quoted reads a quoted value without escapes, except for \" and \\ in double
// quotes.
func (f *flow) quoted() (node, bool) {
	out := node{kind: scalar, quoted: true}
	out.line, out.col = f.place()
	quote := f.line.body[f.pos]
	body := f.line.body[f.pos+1:]
	i := strings.IndexByte(body, quote)
	if i < 0 {
		return out, false
	}
	if quote == '\'' || strings.IndexByte(body[:i], '\\') < 0 {
		if quote == '\'' && i+1 < len(body) && body[i+1] == quote {
			return out, false
		}
		out.text = body[:i]
		f.pos += i + 2
		return out, true
	}
	var b strings.Builder
	for i = 0; i < len(body); i++ {
		c := body[i]
		if c == quote {
			out.text = b.String()
			f.pos += i + 2
			return out, true
		}
		if c == '\\' {
			if i++; i == len(body) || body[i] != '"' && body[i] != '\\' {
				return out, false
			}
			c = body[i]
		}
		b.WriteByte(c)
	}
	return out, false
}

// plain reads an unquoted value: to the end of the line or to a comment, or
// between brackets to the next of ",]}".
func (f *flow) plain(inFlow bool) (node, bool) {
	out := node{kind: scalar}
	out.line, out.col = f.place()
	body := f.line.body[f.pos:]
	end := 0
	for end < len(body) {
		c := body[end]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == '/':
		case c >= utf8.RuneSelf:
		case end == 0:
			if c != '~' {
				return out, false
			}
		case strings.IndexByte("-+=@%~", c) >= 0:
		case c == ' ':
			if end+1 < len(body) && body[end+1] == '#' {
				body = body[:end]
				continue
			}
		case inFlow && (c == ',' || c == ']' || c == '}'):
			body = body[:end]
			continue
		case !inFlow && (c == ',' || c == '(' || c == ')'):
		case !inFlow && c == ':' && end+1 < len(body) && body[end+1] != ' ':
		default:
			return out, false
		}
		end++
	}
	out.text = strings.TrimRight(body[:end], " ")
	if out.text == "" {
		return out, false
	}
	f.pos += len(out.text)
	if isNull(out.text) {
		return node{line: out.line, col: out.col}, true
	}
	return out, true
}
