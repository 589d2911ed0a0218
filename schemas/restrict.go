package schemas

import (
	"fmt"
	"strconv"
	"strings"
)

// number is an integer between -2^63 and 2^64-1, or a decimal64 scaled by its
// fraction digits: wide enough for every numeric type, exact unlike a float.
type number struct {
	neg bool
	abs uint64
}

func (a number) cmp(b number) int {
	switch {
	case a.neg && !b.neg:
		return -1
	case !a.neg && b.neg:
		return 1
	case a.abs == b.abs:
		return 0
	case (a.abs < b.abs) != a.neg:
		return -1
	}
	return 1
}

// next returns the number one above.
func (a number) next() number {
	switch {
	case a.neg && a.abs == 1:
		return number{}
	case a.neg:
		return number{true, a.abs - 1}
	}
	return number{false, a.abs + 1}
}

// text writes the number with the given fraction digits, canonically.
func (a number) text(digits int) string {
	s := strconv.FormatUint(a.abs, 10)
	if digits > 0 {
		if len(s) <= digits {
			s = strings.Repeat("0", digits-len(s)+1) + s
		}
		whole, frac := s[:len(s)-digits], strings.TrimRight(s[len(s)-digits:], "0")
		if frac == "" {
			frac = "0"
		}
		s = whole + "." + frac
	}
	if a.neg && a.abs != 0 {
		s = "-" + s
	}
	return s
}

// parseInteger reads an integer: decimal, or as YANG also allows in modules
// and data, hexadecimal and octal (§9.2.1).
func parseInteger(s string, data bool) (number, bool) {
	var n number
	switch {
	case strings.HasPrefix(s, "-"):
		n.neg, s = true, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if s == "" || s[0] < '0' || s[0] > '9' {
		return n, false
	}
	base := 10
	if !data && len(s) > 1 && s[0] == '0' {
		base = 8
		if s[1] == 'x' || s[1] == 'X' {
			base, s = 16, s[2:]
		}
	}
	for _, c := range s {
		if c == '_' || c == '+' || c == '-' {
			return n, false
		}
	}
	abs, err := strconv.ParseUint(s, base, 64)
	n.abs = abs
	if n.abs == 0 {
		n.neg = false
	}
	return n, err == nil
}

// parseDecimal reads a decimal64 (§9.3.1) scaled by its fraction digits.
func parseDecimal(s string, digits int) (number, bool) {
	var n number
	switch {
	case strings.HasPrefix(s, "-"):
		n.neg, s = true, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	whole, frac, dot := strings.Cut(s, ".")
	if whole == "" || dot && frac == "" {
		return n, false
	}
	for _, c := range whole + frac {
		if c < '0' || c > '9' {
			return n, false
		}
	}
	if kept := strings.TrimRight(frac, "0"); len(kept) <= digits {
		frac = kept
	} else {
		return n, false
	}
	abs, err := strconv.ParseUint(whole+frac+strings.Repeat("0", digits-len(frac)), 10, 64)
	n.abs = abs
	if n.abs == 0 {
		n.neg = false
	}
	limit := uint64(1)<<63 - 1
	if n.neg {
		limit++
	}
	return n, err == nil && n.abs <= limit
}

// span is an interval, both ends included.
type span struct{ lo, hi number }

// spans are the disjoint intervals of a range or length, in order.
type spans []span

func (r spans) has(n number) bool {
	for _, s := range r {
		if n.cmp(s.lo) >= 0 && n.cmp(s.hi) <= 0 {
			return true
		}
	}
	return false
}

func (r spans) text(digits int) string {
	parts := make([]string, len(r))
	for i, s := range r {
		parts[i] = s.lo.text(digits)
		if s.hi != s.lo {
			parts[i] += ".." + s.hi.text(digits)
		}
	}
	return strings.Join(parts, " | ")
}

// parseSpans reads the argument of range or length. within are the intervals
// that it restricts: min and max are their ends, and nothing may lie outside.
func parseSpans(arg string, within spans, parse func(string) (number, bool)) (spans, error) {
	var out spans
	bound := func(s string) (number, error) {
		switch s = strings.TrimSpace(s); s {
		case "min":
			return within[0].lo, nil
		case "max":
			return within[len(within)-1].hi, nil
		}
		n, ok := parse(s)
		if !ok {
			return n, fmt.Errorf("%q is not a bound", clip(s))
		}
		return n, nil
	}
	for part := range strings.SplitSeq(arg, "|") {
		lo, hi, dots := strings.Cut(part, "..")
		if !dots {
			hi = lo
		}
		var s span
		var err error
		if s.lo, err = bound(lo); err != nil {
			return nil, err
		}
		if s.hi, err = bound(hi); err != nil {
			return nil, err
		}
		if s.lo.cmp(s.hi) > 0 {
			return nil, fmt.Errorf("%q ends before it begins", clip(strings.TrimSpace(part)))
		}
		if len(out) > 0 && out[len(out)-1].hi.cmp(s.lo) >= 0 {
			return nil, fmt.Errorf("%q is not above what stands before it", clip(strings.TrimSpace(part)))
		}
		if !within.covers(s) {
			return nil, fmt.Errorf("%q lies outside of %s", clip(strings.TrimSpace(part)), clip(within.text(0)))
		}
		out = append(out, s)
	}
	return out, nil
}

// covers reports whether s lies in r, also across intervals that touch.
func (r spans) covers(s span) bool {
	for i, w := range r {
		if s.lo.cmp(w.lo) < 0 || s.lo.cmp(w.hi) > 0 {
			continue
		}
		for ; s.hi.cmp(r[i].hi) > 0; i++ {
			if i+1 >= len(r) || r[i].hi.next() != r[i+1].lo {
				return false
			}
		}
		return true
	}
	return false
}
