package schemas

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// xmlScanner reads XML 1.0 with namespaces from memory and knows where it is.
// encoding/xml accepts names without a declared prefix and attributes that are
// there twice, and does not know columns. A document type declaration is
// refused, and with it every entity but the five that XML itself has: no input
// can grow while it is read. Values without entities or line ends of other
// systems are parts of the input, not copies.
type xmlScanner struct {
	in    string
	at    int
	scope *bindings
	open  []xmlFrame
	ended bool // the element that was just read is <empty/>
	clear int  // where the token begins, after comments and instructions
}

type xmlFrame struct {
	name   string    // as it is written, with prefix
	outer  *bindings // the scope around it
	offset int
}

// bindings are the namespace prefixes in scope, innermost first.
type bindings struct {
	prefix, space string
	up            *bindings
}

func (b *bindings) find(prefix string) (string, bool) {
	for ; b != nil; b = b.up {
		if b.prefix == prefix {
			return b.space, b.space != "" || prefix == ""
		}
	}
	if prefix == "xml" {
		return xmlSpace, true
	}
	return "", prefix == ""
}

const (
	xmlSpace     = "http://www.w3.org/XML/1998/namespace"
	maxXMLDepth  = 300
	maxXMLPrefix = 1000 // declarations of one element
	maxXMLAttrs  = 1000 // its other attributes, each compared with all
)

type xmlKind int8

const (
	xmlEOF xmlKind = iota
	xmlStart
	xmlEnd
	xmlText
)

// xmlToken is an element's start or end, or text. Comments and processing
// instructions are not handed on; CDATA is text.
type xmlToken struct {
	kind         xmlKind
	offset       int
	space, local string
	attrs        []xmlAttr // without the declarations of namespaces
	text         string
}

type xmlAttr struct {
	space, local, value string
	offset              int
}

func (s *xmlScanner) fail(offset int, format string, args ...any) error {
	return &syntaxError{offset, fmt.Sprintf(format, args...)}
}

// begin reads what may stand before the first element.
func (s *xmlScanner) begin() error {
	if !strings.HasPrefix(s.in, "<?xml") || len(s.in) < 6 || !xmlBlank(s.in[5]) {
		return nil
	}
	end := strings.Index(s.in, "?>")
	if end < 0 {
		return s.fail(0, "the XML declaration does not end")
	}
	rest, version := s.in[5:end], false
	for strings.TrimLeft(rest, " \t\r\n") != "" {
		rest = strings.TrimLeft(rest, " \t\r\n")
		name, after, ok := strings.Cut(rest, "=")
		name, after = strings.TrimRight(name, " \t\r\n"), strings.TrimLeft(after, " \t\r\n")
		if !ok || after == "" || after[0] != '"' && after[0] != '\'' || strings.IndexByte(after[1:], after[0]) < 0 {
			return s.fail(0, "the XML declaration is malformed")
		}
		value, after, _ := strings.Cut(after[1:], after[:1])
		switch {
		case name == "version" && strings.HasPrefix(value, "1."):
			version = true
		case name == "encoding" && (strings.EqualFold(value, "UTF-8") || strings.EqualFold(value, "US-ASCII")):
		case name == "encoding":
			return s.fail(0, "the encoding %s is not supported: only UTF-8 is", clip(value))
		case name == "standalone" && (value == "yes" || value == "no"):
		default:
			return s.fail(0, "the XML declaration is malformed")
		}
		rest = after
	}
	if !version {
		return s.fail(0, "the XML declaration has no version")
	}
	s.at = end + 2
	return nil
}

func xmlBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (s *xmlScanner) blank() {
	for s.at < len(s.in) && xmlBlank(s.in[s.at]) {
		s.at++
	}
}

// next reads the next token.
func (s *xmlScanner) next() (xmlToken, error) {
	if s.ended {
		s.ended = false
		s.pop()
		return xmlToken{kind: xmlEnd, offset: s.at}, nil
	}
	for s.at < len(s.in) {
		start := s.at
		s.clear = start
		if s.in[start] != '<' {
			text, err := s.text()
			return xmlToken{kind: xmlText, offset: start, text: text}, err
		}
		rest := s.in[start+1:]
		switch {
		case strings.HasPrefix(rest, "!--"):
			if err := s.comment(); err != nil {
				return xmlToken{}, err
			}
		case strings.HasPrefix(rest, "![CDATA["):
			end := strings.Index(rest, "]]>")
			if end < 0 {
				return xmlToken{}, s.fail(start, "the CDATA section does not end")
			}
			if len(s.open) == 0 {
				return xmlToken{}, s.fail(start, "there is a CDATA section outside of any element")
			}
			s.at = start + 1 + end + 3
			text := rest[8:end]
			if err := s.checkChars(text, start+9); err != nil {
				return xmlToken{}, err
			}
			return xmlToken{kind: xmlText, offset: start, text: normalEnds(text)}, nil
		case strings.HasPrefix(rest, "!"):
			return xmlToken{}, s.fail(start, "a document type declaration is not allowed")
		case strings.HasPrefix(rest, "?"):
			if err := s.instruction(); err != nil {
				return xmlToken{}, err
			}
		case strings.HasPrefix(rest, "/"):
			return s.end()
		default:
			return s.start()
		}
	}
	if n := len(s.open); n > 0 {
		return xmlToken{}, s.fail(s.at, "the text ends inside of the element <%s>", clip(s.open[n-1].name))
	}
	return xmlToken{offset: s.at}, nil
}

func (s *xmlScanner) comment() error {
	start := s.at
	end := strings.Index(s.in[start+4:], "--")
	if end < 0 || !strings.HasPrefix(s.in[start+4+end:], "-->") {
		return s.fail(start, "the comment does not end, or has -- in it")
	}
	s.at = start + 4 + end + 3
	return s.checkChars(s.in[start:s.at], start)
}

func (s *xmlScanner) instruction() error {
	start := s.at
	end := strings.Index(s.in[start:], "?>")
	if end < 0 {
		return s.fail(start, "the processing instruction does not end")
	}
	s.at = start + 2
	name, err := s.name()
	if err != nil {
		return err
	}
	if strings.EqualFold(name, "xml") {
		return s.fail(start, "the XML declaration is not at the beginning")
	}
	s.at = start + end + 2
	return s.checkChars(s.in[start:s.at], start)
}

// name reads a name with an optional prefix.
func (s *xmlScanner) name() (string, error) {
	start := s.at
	for s.at < len(s.in) {
		c := s.in[s.at]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c >= utf8.RuneSelf:
		case s.at > start && ('0' <= c && c <= '9' || c == '-' || c == '.' || c == ':'):
		default:
			if s.at == start {
				return "", s.fail(start, "a name is missing")
			}
			return s.in[start:s.at], nil
		}
		s.at++
	}
	return "", s.fail(start, "the text ends inside of a tag")
}

// resolve splits a name and finds its namespace. Attributes without a prefix
// have none.
func (s *xmlScanner) resolve(raw string, offset int, attr bool) (space, local string, err error) {
	prefix, local, ok := strings.Cut(raw, ":")
	switch {
	case !ok && attr:
		return "", raw, nil
	case !ok:
		prefix, local = "", raw
	case local == "" || strings.Contains(local, ":") || local[0] == '-' || local[0] == '.' || local[0] >= '0' && local[0] <= '9':
		return "", "", s.fail(offset, "%q is not a name", clip(raw))
	}
	space, found := s.scope.find(prefix)
	if !found {
		return "", "", s.fail(offset, "the prefix %q is not declared", clip(prefix))
	}
	return space, local, nil
}

func (s *xmlScanner) start() (xmlToken, error) {
	t := xmlToken{kind: xmlStart, offset: s.at}
	if len(s.open) >= maxXMLDepth {
		return t, s.fail(s.at, "elements are nested more than %d deep", maxXMLDepth)
	}
	s.at++
	raw, err := s.name()
	if err != nil {
		return t, err
	}
	outer := s.scope
	var attrs []xmlAttr // local is the raw name at first
	declared := 0
	for {
		from := s.at
		s.blank()
		if s.at >= len(s.in) {
			return t, s.fail(t.offset, "the tag <%s> does not end", clip(raw))
		}
		if c := s.in[s.at]; c == '>' {
			s.at++
			break
		} else if c == '/' {
			if s.at+1 >= len(s.in) || s.in[s.at+1] != '>' {
				return t, s.fail(s.at, "a tag is malformed")
			}
			s.at += 2
			s.ended = true
			break
		}
		if s.at == from {
			return t, s.fail(s.at, "a blank is missing before an attribute")
		}
		a := xmlAttr{offset: s.at}
		if a.local, err = s.name(); err != nil {
			return t, err
		}
		if a.value, err = s.attrValue(); err != nil {
			return t, err
		}
		prefix, isSpace := strings.CutPrefix(a.local, "xmlns:")
		if !isSpace && a.local != "xmlns" {
			if attrs = append(attrs, a); len(attrs) > maxXMLAttrs {
				return t, s.fail(a.offset, "an element has more than %d attributes", maxXMLAttrs)
			}
			continue
		}
		if !isSpace {
			prefix = ""
		}
		if declared++; declared > maxXMLPrefix {
			return t, s.fail(a.offset, "an element declares more than %d namespaces", maxXMLPrefix)
		}
		if err := s.declare(prefix, a, outer); err != nil {
			return t, err
		}
	}
	s.open = append(s.open, xmlFrame{raw, outer, t.offset})
	if t.space, t.local, err = s.resolve(raw, t.offset, false); err != nil {
		return t, err
	}
	for i := range attrs {
		a := &attrs[i]
		if a.space, a.local, err = s.resolve(a.local, a.offset, true); err != nil {
			return t, err
		}
		for _, b := range attrs[:i] {
			if a.space == b.space && a.local == b.local {
				return t, s.fail(a.offset, "the attribute %q is there twice", clip(a.local))
			}
		}
	}
	t.attrs = attrs
	return t, nil
}

func (s *xmlScanner) declare(prefix string, a xmlAttr, outer *bindings) error {
	for b := s.scope; b != outer; b = b.up {
		if b.prefix == prefix {
			return s.fail(a.offset, "the attribute %q is there twice", clip(a.local))
		}
	}
	switch {
	case prefix == "" && a.local != "xmlns", prefix != "" && a.value == "":
		return s.fail(a.offset, "the declaration of a namespace is malformed")
	case prefix == "xmlns", prefix == "xml" != (a.value == xmlSpace):
		return s.fail(a.offset, "the prefix %q cannot be declared so", clip(prefix))
	}
	s.scope = &bindings{prefix, a.value, s.scope}
	return nil
}

func (s *xmlScanner) attrValue() (string, error) {
	s.blank()
	if s.at >= len(s.in) || s.in[s.at] != '=' {
		return "", s.fail(s.at, "an attribute has no value")
	}
	s.at++
	s.blank()
	if s.at >= len(s.in) || s.in[s.at] != '"' && s.in[s.at] != '\'' {
		return "", s.fail(s.at, "the value of an attribute is not quoted")
	}
	start := s.at + 1
	end := strings.IndexByte(s.in[start:], s.in[s.at])
	if end < 0 {
		return "", s.fail(s.at, "the value of an attribute does not end")
	}
	raw := s.in[start : start+end]
	if i := strings.IndexByte(raw, '<'); i >= 0 {
		return "", s.fail(start+i, "the value of an attribute has a < in it")
	}
	s.at = start + end + 1
	if !strings.ContainsAny(raw, "&\t\r\n") {
		return raw, s.checkChars(raw, start)
	}
	// Blanks become spaces unless they are written as references (XML §3.3.3).
	flat := strings.Map(func(c rune) rune {
		if c == '\t' || c == '\n' || c == '\r' {
			return ' '
		}
		return c
	}, strings.ReplaceAll(raw, "\r\n", "\n"))
	return s.references(flat, start)
}

func (s *xmlScanner) end() (xmlToken, error) {
	t := xmlToken{kind: xmlEnd, offset: s.at}
	s.at += 2
	raw, err := s.name()
	if err != nil {
		return t, err
	}
	s.blank()
	if s.at >= len(s.in) || s.in[s.at] != '>' {
		return t, s.fail(t.offset, "the tag </%s> does not end", clip(raw))
	}
	s.at++
	n := len(s.open)
	if n == 0 {
		return t, s.fail(t.offset, "</%s> ends no element", clip(raw))
	}
	if s.open[n-1].name != raw {
		return t, s.fail(t.offset, "the element <%s> ends with </%s>", clip(s.open[n-1].name), clip(raw))
	}
	s.pop()
	return t, nil
}

func (s *xmlScanner) pop() {
	n := len(s.open) - 1
	s.scope = s.open[n].outer
	s.open = s.open[:n]
}

// skip reads up to the end of the element whose start was just read.
func (s *xmlScanner) skip() error {
	for depth := 1; depth > 0; {
		t, err := s.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case xmlStart:
			depth++
		case xmlEnd:
			depth--
		}
	}
	return nil
}
