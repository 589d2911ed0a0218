package schemas

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pattern is a regular expression of XML Schema, which YANG's patterns are
// (RFC 7950 §9.4.5), as one of RE2.
type pattern struct {
	xsd  string
	re   *regexp.Regexp
	size int // about the number of RE2's instructions
	// lazy gives re of a pattern that was compiled before, in another process.
	lazy func() *regexp.Regexp
}

// Bounds on patterns: matching takes time in proportion to the pattern's size
// times the length of the value.
const (
	maxPattern     = 8192        // bytes of an expression
	maxPatternSize = 200_000     // instructions
	maxMatch       = 200_000_000 // instructions times bytes of the value
)

// shape is what the quantifiers around an expression need to know of it.
type shape struct {
	nested int // the largest product of counted repetitions in it, 1 without
	size   int
}

// newPattern translates an XSD expression token by token: RE2 gives several of
// them another meaning ('^', '$', '\d', '.'), and lacks others ('\i', '\c',
// blocks, class subtraction).
func newPattern(xsd string) (*pattern, error) {
	if len(xsd) > maxPattern {
		return nil, fmt.Errorf("the expression is longer than %d bytes", maxPattern)
	}
	x := &xsdParser{in: xsd}
	x.out.WriteString(`\A(?:`)
	all, err := x.alternatives(0)
	if err != nil {
		return nil, fmt.Errorf("at byte %d: %w", x.at+1, err)
	}
	if x.at < len(x.in) {
		return nil, fmt.Errorf("at byte %d: a closing parenthesis too much", x.at+1)
	}
	x.out.WriteString(`)\z`)
	re, err := regexp.Compile(x.out.String())
	if err != nil {
		return nil, fmt.Errorf("the expression is too large: %w", err)
	}
	return &pattern{xsd: xsd, re: re, size: all.size}, nil
}

// affordable reports whether matching s cannot take very long.
func (p *pattern) affordable(s string) bool { return p.size*len(s) <= maxMatch }

func (p *pattern) match(s string) bool {
	if p.re == nil {
		return p.lazy().MatchString(s)
	}
	return p.re.MatchString(s)
}

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
func (x *xsdParser) alternatives(depth int) (shape, error) {
	all := shape{nested: 1}
	if depth > 100 {
		return all, fmt.Errorf("parentheses are nested too deep")
	}
	for x.at < len(x.in) {
		switch x.peek() {
		case ')':
			return all, nil
		case '|':
			x.take()
			x.out.WriteByte('|')
			all.size++
		default:
			p, err := x.piece(depth)
			if err != nil {
				return all, err
			}
			all.nested = max(all.nested, p.nested)
			all.size += p.size
		}
	}
	return all, nil
}

// piece reads an atom and its quantifier.
func (x *xsdParser) piece(depth int) (shape, error) {
	start := x.out.Len()
	atom := shape{nested: 1, size: 1}
	switch r := x.take(); r {
	case '(':
		x.out.WriteString("(?:")
		var err error
		if atom, err = x.alternatives(depth + 1); err != nil {
			return atom, err
		}
		if x.peek() != ')' {
			return atom, fmt.Errorf("a closing parenthesis is missing")
		}
		x.take()
		x.out.WriteByte(')')
	case '[':
		set, err := x.class(depth)
		if err != nil {
			return atom, err
		}
		x.out.WriteString(set.re2())
	case '.':
		x.out.WriteString(`[^\n\r]`)
	case '\\':
		set, err := x.escape()
		if err != nil {
			return atom, err
		}
		x.out.WriteString(set.re2())
	case '?', '*', '+', '{':
		return atom, fmt.Errorf("there is nothing for %q to repeat", r)
	case ']':
		return atom, fmt.Errorf("%q must be written \\%c", r, r)
	default:
		x.out.WriteString(regexp.QuoteMeta(string(r)))
	}
	return x.quantifier(start, atom)
}

func (x *xsdParser) quantifier(start int, atom shape) (shape, error) {
	switch x.peek() {
	case '?', '*', '+':
		x.out.WriteRune(x.take())
		atom.size++
		return atom, nil
	case '{':
	default:
		return atom, nil
	}
	end := strings.IndexByte(x.in[x.at:], '}')
	if end < 0 {
		return atom, fmt.Errorf("a closing brace is missing")
	}
	body := x.in[x.at+1 : x.at+end]
	loText, hiText, comma := strings.Cut(body, ",")
	lo, err := strconv.ParseUint(loText, 10, 64)
	if err != nil {
		return atom, fmt.Errorf("{%s} is not a count", clip(body))
	}
	hi, endless := lo, false
	if comma {
		if endless = hiText == ""; !endless {
			if hi, err = strconv.ParseUint(hiText, 10, 64); err != nil || hi < lo {
				return atom, fmt.Errorf("{%s} is not a count", clip(body))
			}
		}
	}
	x.at += end + 1
	if hi > maxPatternSize || atom.size*int(max(hi, 1)) > maxPatternSize {
		return atom, fmt.Errorf("{%s} makes the expression too large", clip(body))
	}
	text, before := x.out.String()[start:], x.out.String()[:start]
	x.out.Reset()
	x.out.WriteString(before)
	atom.size *= int(max(hi, 1)) + 1
	atom.nested = x.repeat(text, int(lo), int(hi), endless, atom.nested)
	if x.out.Len() > 1<<18 {
		return atom, fmt.Errorf("{%s} makes the expression too large", clip(body))
	}
	return atom, nil
}

// repeat writes a counted repetition and returns the product of nested ones.
// RE2 allows products of up to 1000: larger ones are written as a sequence of
// smaller repetitions.
func (x *xsdParser) repeat(atom string, lo, hi int, endless bool, nested int) int {
	most := max(1000/nested, 1)
	if most > 1 && lo <= most && (endless || hi <= most) {
		if endless {
			fmt.Fprintf(&x.out, "%s{%d,}", atom, lo)
		} else {
			fmt.Fprintf(&x.out, "%s{%d,%d}", atom, lo, hi)
		}
		return nested * max(hi, 1)
	}
	times := func(n int, suffix string) {
		for ; n > 0 && x.out.Len() <= 1<<18; n -= most {
			if most == 1 {
				x.out.WriteString(atom + suffix)
			} else if suffix == "" {
				fmt.Fprintf(&x.out, "%s{%d}", atom, min(n, most))
			} else {
				fmt.Fprintf(&x.out, "%s{0,%d}", atom, min(n, most))
			}
		}
	}
	x.out.WriteString("(?:")
	times(lo, "")
	if endless {
		x.out.WriteString("(?:" + atom + ")*")
	} else {
		times(hi-lo, "?")
	}
	x.out.WriteByte(')')
	return nested * most
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
