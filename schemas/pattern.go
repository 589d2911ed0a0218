package schemas

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// pattern is a regular expression of XML Schema, which YANG's patterns are
// (RFC 7950 §9.4.5), as one of RE2.
type pattern struct {
	xsd string
	re  *regexp.Regexp
}

// newPattern translates an XSD expression token by token: RE2 gives several of
// them another meaning ('^', '$', '\d', '.'), and lacks others ('\i', '\c',
// blocks, class subtraction).
func newPattern(xsd string) (*pattern, error) {
	if len(xsd) > 8192 {
		return nil, fmt.Errorf("the expression is longer than 8192 bytes")
	}
	x := &xsdParser{in: xsd}
	x.out.WriteString(`\A(?:`)
	if err := x.alternatives(0); err != nil {
		return nil, fmt.Errorf("at byte %d: %w", x.at+1, err)
	}
	if x.at < len(x.in) {
		return nil, fmt.Errorf("at byte %d: a closing parenthesis too much", x.at+1)
	}
	x.out.WriteString(`)\z`)
	re, err := regexp.Compile(x.out.String())
	if err != nil {
		return nil, fmt.Errorf("the expression is too large for RE2: %w", err)
	}
	return &pattern{xsd: xsd, re: re}, nil
}

func (p *pattern) match(s string) bool { return p.re.MatchString(s) }

// xsdParser reads regExp of XML Schema Part 2, appendix F, and writes RE2.
type xsdParser struct {
	in  string
	at  int
	out strings.Builder
}

func (x *xsdParser) peek() rune {
	if x.at >= len(x.in) {
		return -1
	}
	r, _ := utf8.DecodeRuneInString(x.in[x.at:])
	return r
}

func (x *xsdParser) take() rune {
	r, n := utf8.DecodeRuneInString(x.in[x.at:])
	x.at += n
	return r
}

// alternatives reads branches up to a closing parenthesis or the end.
func (x *xsdParser) alternatives(depth int) error {
	if depth > 100 {
		return fmt.Errorf("parentheses are nested too deep")
	}
	for x.at < len(x.in) {
		switch x.peek() {
		case ')':
			return nil
		case '|':
			x.take()
			x.out.WriteByte('|')
		default:
			if err := x.piece(depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// piece reads an atom and its quantifier.
func (x *xsdParser) piece(depth int) error {
	start := x.out.Len()
	switch r := x.take(); r {
	case '(':
		x.out.WriteString("(?:")
		if err := x.alternatives(depth + 1); err != nil {
			return err
		}
		if x.peek() != ')' {
			return fmt.Errorf("a closing parenthesis is missing")
		}
		x.take()
		x.out.WriteByte(')')
	case '[':
		set, err := x.class(depth)
		if err != nil {
			return err
		}
		x.out.WriteString(set.re2())
	case '.':
		x.out.WriteString(`[^\n\r]`)
	case '\\':
		set, err := x.escape()
		if err != nil {
			return err
		}
		x.out.WriteString(set.re2())
	case '?', '*', '+', '{':
		return fmt.Errorf("there is nothing for %q to repeat", r)
	case ']':
		return fmt.Errorf("%q must be written \\%c", r, r)
	default:
		x.out.WriteString(regexp.QuoteMeta(string(r)))
	}
	return x.quantifier(start)
}

func (x *xsdParser) quantifier(start int) error {
	switch x.peek() {
	case '?', '*', '+':
		x.out.WriteRune(x.take())
		return nil
	case '{':
	default:
		return nil
	}
	end := strings.IndexByte(x.in[x.at:], '}')
	if end < 0 {
		return fmt.Errorf("a closing brace is missing")
	}
	body := x.in[x.at+1 : x.at+end]
	loText, hiText, comma := strings.Cut(body, ",")
	lo, ok := parseInteger(loText, true)
	if !ok || lo.neg || strings.HasPrefix(loText, "+") {
		return fmt.Errorf("{%s} is not a count", clip(body))
	}
	hi, endless := lo, false
	if comma {
		if endless = hiText == ""; !endless {
			if hi, ok = parseInteger(hiText, true); !ok || hi.neg || hi.cmp(lo) < 0 {
				return fmt.Errorf("{%s} is not a count", clip(body))
			}
		}
	}
	x.at += end + 1
	atom := x.out.String()[start:]
	prefix := x.out.String()[:start]
	if lo.abs > 100_000 || hi.abs > 100_000 {
		return fmt.Errorf("{%s} is too large", clip(body))
	}
	x.out.Reset()
	x.out.WriteString(prefix)
	x.repeat(atom, int(lo.abs), int(hi.abs), endless)
	if x.out.Len() > 1<<18 {
		return fmt.Errorf("{%s} makes the expression too large", clip(body))
	}
	return nil
}

// repeat writes a counted repetition. RE2 stops at 1000: larger counts are
// written as a sequence of repetitions.
func (x *xsdParser) repeat(atom string, lo, hi int, endless bool) {
	const most = 1000
	if lo <= most && (endless || hi <= most) {
		switch {
		case endless:
			fmt.Fprintf(&x.out, "%s{%d,}", atom, lo)
		default:
			fmt.Fprintf(&x.out, "%s{%d,%d}", atom, lo, hi)
		}
		return
	}
	x.out.WriteString("(?:")
	rest := hi - lo
	for ; lo > 0; lo -= most {
		fmt.Fprintf(&x.out, "%s{%d}", atom, min(lo, most))
	}
	if endless {
		fmt.Fprintf(&x.out, "%s*", atom)
	}
	for ; !endless && rest > 0; rest -= most {
		fmt.Fprintf(&x.out, "%s{0,%d}", atom, min(rest, most))
	}
	x.out.WriteByte(')')
}

// escape reads what follows a backslash.
func (x *xsdParser) escape() (runeSet, error) {
	if x.at >= len(x.in) {
		return runeSet{}, fmt.Errorf("a backslash at the end")
	}
	r := x.take()
	switch r {
	case 'n':
		return oneRune('\n'), nil
	case 'r':
		return oneRune('\r'), nil
	case 't':
		return oneRune('\t'), nil
	case '\\', '|', '.', '?', '*', '+', '(', ')', '{', '}', '-', '[', ']', '^', '$', '/', '"', '\'', '@', '#', '%', '&', ',', ':', ';', '<', '=', '>', '!', '~', '`', ' ', '_':
		// XSD escapes only the meta-characters; published modules also escape
		// other punctuation, which every implementation reads as itself.
		return oneRune(r), nil
	case 'p', 'P':
		if x.peek() != '{' {
			return runeSet{}, fmt.Errorf(`\%c needs {a category}`, r)
		}
		end := strings.IndexByte(x.in[x.at:], '}')
		if end < 0 {
			return runeSet{}, fmt.Errorf("a closing brace is missing")
		}
		name := x.in[x.at+1 : x.at+end]
		x.at += end + 1
		return category(name, r == 'P')
	}
	if set, ok := multiEscape(r); ok {
		return set, nil
	}
	return runeSet{}, fmt.Errorf(`there is no escape \%c`, r)
}

// class reads a character class after its opening bracket.
func (x *xsdParser) class(depth int) (runeSet, error) {
	if depth > 100 {
		return runeSet{}, fmt.Errorf("classes are nested too deep")
	}
	var set runeSet
	if x.peek() == '^' {
		x.take()
		set.negated = true
	}
	for first := true; ; first = false {
		if x.at >= len(x.in) {
			return set, fmt.Errorf("a closing bracket is missing")
		}
		r := x.take()
		if r == ']' {
			if first {
				return set, fmt.Errorf("a class is empty")
			}
			return set, nil
		}
		if r == '-' && x.peek() == '[' && !first {
			x.take()
			sub, err := x.class(depth + 1)
			if err != nil {
				return set, err
			}
			if x.peek() != ']' {
				return set, fmt.Errorf("a subtraction must end its class")
			}
			x.take()
			return set.minus(sub), nil
		}
		lo := oneRune(r)
		switch r {
		case '[':
			return set, fmt.Errorf(`"[" in a class must be written \[`)
		case '\\':
			var err error
			if lo, err = x.escape(); err != nil {
				return set, err
			}
		}
		c, single := lo.single()
		if single && x.peek() == '-' && x.at+1 < len(x.in) && x.in[x.at+1] != ']' && x.in[x.at+1] != '[' {
			x.take()
			h := x.take()
			if h == '\\' {
				e, err := x.escape()
				if err != nil {
					return set, err
				}
				if h, single = e.single(); !single {
					return set, fmt.Errorf("a range ends in a class")
				}
			}
			if h < c {
				return set, fmt.Errorf("a range ends before it begins")
			}
			set.add(runeSet{parts: []runeRange{{c, h}}})
			continue
		}
		set.add(lo)
	}
}
