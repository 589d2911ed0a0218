package schemas

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonScanner reads JSON (RFC 8259, I-JSON) from memory and knows where it is.
// encoding/json knows neither positions nor duplicate members.
type jsonScanner struct {
	in string
	at int
}

// syntaxError is a fault of syntax: nothing after it can be trusted.
type syntaxError struct {
	offset int
	text   string
}

func (e *syntaxError) Error() string { return e.text }

const maxJSONDepth = 300

func (s *jsonScanner) fail(format string, args ...any) error {
	return &syntaxError{s.at, fmt.Sprintf(format, args...)}
}

// blank skips white space and returns the next byte, 0 at the end.
func (s *jsonScanner) blank() byte {
	for s.at < len(s.in) {
		switch c := s.in[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *jsonScanner) expect(c byte) error {
	if got := s.blank(); got != c || s.at >= len(s.in) {
		if s.at >= len(s.in) {
			return s.fail("the text ends where %q should be", string(c))
		}
		return s.fail("%q is missing", string(c))
	}
	s.at++
	return nil
}

// next reports whether another element follows in an object or array, whose
// end it takes.
func (s *jsonScanner) next(first bool, end byte) (bool, error) {
	c := s.blank()
	if s.at >= len(s.in) {
		return false, s.fail("the text ends inside of an object or array")
	}
	if c == end {
		s.at++
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, s.fail("a comma is missing")
	}
	s.at++
	if s.blank() == end {
		return false, s.fail("a comma too much")
	}
	return true, nil
}

// str reads a string.
func (s *jsonScanner) str() (string, error) {
	if s.blank() != '"' || s.at >= len(s.in) {
		return "", s.fail("a string is missing")
	}
	start := s.at + 1
	for i := start; i < len(s.in); i++ {
		switch c := s.in[i]; {
		case c == '"':
			out := s.in[start:i]
			if !utf8.ValidString(out) {
				return "", s.fail("the string is not UTF-8")
			}
			s.at = i + 1
			return out, nil
		case c == '\\':
			return s.escaped(start)
		case c < 0x20:
			s.at = i
			return "", s.fail("a control character in a string must be escaped")
		}
	}
	return "", s.fail("the string does not end")
}

// escaped reads a string with escapes.
func (s *jsonScanner) escaped(start int) (string, error) {
	var b strings.Builder
	hex := func(i int) (rune, bool) {
		if i+4 > len(s.in) {
			return 0, false
		}
		var r rune
		for _, c := range []byte(s.in[i : i+4]) {
			switch {
			case c >= '0' && c <= '9':
				r = r<<4 | rune(c-'0')
			case c >= 'a' && c <= 'f':
				r = r<<4 | rune(c-'a'+10)
			case c >= 'A' && c <= 'F':
				r = r<<4 | rune(c-'A'+10)
			default:
				return 0, false
			}
		}
		return r, true
	}
	for i := start; i < len(s.in); i++ {
		c := s.in[i]
		switch {
		case c == '"':
			if !utf8.ValidString(b.String()) {
				return "", s.fail("the string is not UTF-8")
			}
			s.at = i + 1
			return b.String(), nil
		case c < 0x20:
			s.at = i
			return "", s.fail("a control character in a string must be escaped")
		case c != '\\':
			b.WriteByte(c)
			continue
		}
		i++
		if i >= len(s.in) {
			break
		}
		if j := strings.IndexByte(`"\/bfnrt`, s.in[i]); j >= 0 {
			b.WriteByte("\"\\/\b\f\n\r\t"[j])
			continue
		}
		if s.in[i] != 'u' {
			s.at = i
			return "", s.fail("there is no such escape")
		}
		r, ok := hex(i + 1)
		if !ok {
			s.at = i
			return "", s.fail("\\u needs four hexadecimal digits")
		}
		i += 4
		if utf16.IsSurrogate(r) {
			low, ok := rune(0), false
			if strings.HasPrefix(s.in[i+1:], `\u`) {
				low, ok = hex(i + 3)
			}
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				s.at = i
				return "", s.fail("half of a surrogate pair")
			}
			i += 6
		}
		b.WriteRune(r)
	}
	return "", s.fail("the string does not end")
}

// scalar reads a string, number, true, false or null.
func (s *jsonScanner) scalar() (text string, kind byte, err error) {
	switch c := s.blank(); {
	case c == '"':
		text, err = s.str()
		return text, '"', err
	case c == '-' || c >= '0' && c <= '9':
		start := s.at
		if err := s.number(); err != nil {
			return "", 0, err
		}
		return s.in[start:s.at], '0', nil
	}
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(s.in[s.at:], w) {
			s.at += len(w)
			return w, w[0], nil
		}
	}
	if s.at >= len(s.in) {
		return "", 0, s.fail("the text ends where a value should be")
	}
	return "", 0, s.fail("a value is missing")
}

func (s *jsonScanner) number() error {
	digits := func() bool {
		from := s.at
		for s.at < len(s.in) && s.in[s.at] >= '0' && s.in[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	if s.in[s.at] == '-' {
		s.at++
	}
	start := s.at
	if !digits() || s.in[start] == '0' && s.at > start+1 {
		return s.fail("a malformed number")
	}
	if s.at < len(s.in) && s.in[s.at] == '.' {
		if s.at++; !digits() {
			return s.fail("a malformed number")
		}
	}
	if s.at < len(s.in) && (s.in[s.at] == 'e' || s.in[s.at] == 'E') {
		if s.at++; s.at < len(s.in) && (s.in[s.at] == '+' || s.in[s.at] == '-') {
			s.at++
		}
		if !digits() {
			return s.fail("a malformed number")
		}
	}
	return nil
}

// raw reads any value and writes it canonically: members sorted, no blanks.
func (s *jsonScanner) raw(depth int) (string, error) {
	if depth > maxJSONDepth {
		return "", s.fail("values are nested more than %d deep", maxJSONDepth)
	}
	switch s.blank() {
	case '{':
		s.at++
		members := make(map[string]string)
		for first := true; ; first = false {
			more, err := s.next(first, '}')
			if err != nil {
				return "", err
			}
			if !more {
				break
			}
			key, err := s.str()
			if err != nil {
				return "", err
			}
			if _, dup := members[key]; dup {
				return "", s.fail("the member %q is there twice", clip(key))
			}
			if err := s.expect(':'); err != nil {
				return "", err
			}
			if members[key], err = s.raw(depth + 1); err != nil {
				return "", err
			}
		}
		keys := make([]string, 0, len(members))
		for k := range members {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for i, k := range keys {
			keys[i] = quoteJSON(k) + ":" + members[k]
		}
		return "{" + strings.Join(keys, ",") + "}", nil
	case '[':
		s.at++
		var items []string
		for first := true; ; first = false {
			more, err := s.next(first, ']')
			if err != nil {
				return "", err
			}
			if !more {
				return "[" + strings.Join(items, ",") + "]", nil
			}
			v, err := s.raw(depth + 1)
			if err != nil {
				return "", err
			}
			items = append(items, v)
		}
	}
	text, kind, err := s.scalar()
	if err == nil && kind == '"' {
		text = quoteJSON(text)
	}
	return text, err
}

// skip reads a value and forgets it.
func (s *jsonScanner) skip() error { return s.pass(0) }

func (s *jsonScanner) pass(depth int) error {
	if depth > maxJSONDepth {
		return s.fail("values are nested more than %d deep", maxJSONDepth)
	}
	c := s.blank()
	if c != '{' && c != '[' {
		_, _, err := s.scalar()
		return err
	}
	s.at++
	var members map[string]bool
	for first := true; ; first = false {
		more, err := s.next(first, c+2) // } follows { by two, as ] does [
		if err != nil || !more {
			return err
		}
		if c == '{' {
			at := s.at
			key, err := s.str()
			if err != nil {
				return err
			}
			if members[key] {
				return &syntaxError{at, fmt.Sprintf("the member %q is there twice", clip(key))}
			}
			if members == nil {
				members = make(map[string]bool)
			}
			members[key] = true
			if err := s.expect(':'); err != nil {
				return err
			}
		}
		if err := s.pass(depth + 1); err != nil {
			return err
		}
	}
}

// lineEnds returns the offsets of the newlines of the input.
func lineEnds(in string) []int {
	var out []int
	for i := 0; i < len(in); i++ {
		if in[i] == '\n' {
			out = append(out, i)
		}
	}
	return out
}

func asSyntaxError(err error) *syntaxError {
	var e *syntaxError
	if errors.As(err, &e) {
		return e
	}
	return &syntaxError{0, err.Error()}
}
