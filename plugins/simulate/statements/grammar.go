package statements

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Row is one kind of statement. Words are matched one by one:
//
//	word       itself
//	a|b        one of the words
//	<type>     a value; {type} one that is part of the statement's key, so that
//	           statements with another value stand beside it
//	...        any further words; {...} any, part of the key
//
// A word or value followed by "?" may be missing. The types are word, host,
// int, vlan, vlans, asn, area, ip, ip6, mask, prefix, prefix6, address6, mac,
// level, interface, peer, and words that stand for themselves.
type Row struct {
	Mode  string // where it stands: "top", "if", …
	Words string
	Opens string // mode of the block that it opens
	Not   Not
	Text  bool // a multi-line text follows: see Dialect.Text

	elements []element // Words, compiled
	short    int       // elements before the first value that is not in the key, or -1
}

// element is one word of a row.
type element struct {
	text     string
	optional bool
	rest     bool // "..." or "{...}"
}

// Not says what "no" does to a statement.
type Not int

// What "no" does.
const (
	Removes Not = iota // default off: "no x" removes x
	Stored             // default on: "no x" is shown, "x" is not
	Both               // both are shown
)

// compile returns the rows by mode, compiled at their first use.
func (d *Dialect) compile() map[string][]*Row {
	d.once.Do(func() {
		d.byMode = map[string][]*Row{}
		for _, r := range d.Rows {
			r.short = -1
			for i, w := range strings.Fields(r.Words) {
				e := element{text: strings.Replace(w, "?", "", 1)}
				e.optional = e.text != w
				e.rest = e.text == "..." || e.text == "{...}"
				if r.short < 0 && w[0] == '<' {
					r.short = i
				}
				r.elements = append(r.elements, e)
			}
			d.byMode[r.Mode] = append(d.byMode[r.Mode], &r)
		}
	})
	return d.byMode
}

// match is the outcome of comparing words with a row.
type match int

const (
	none match = iota
	prefix
	full
)

// match compares a line's words with the row and gives the statement's key.
func (g *Grammar) match(r *Row, words []string) (match, string) {
	return g.matchElements(r.elements, words)
}

// negated matches what follows "no" with a row whose negation is shown. The
// values of the positive form may be missing.
func (g *Grammar) negated(r *Row, words []string) (key string, ok bool) {
	m, key := g.match(r, words)
	if m != full && r.short > 0 {
		m, key = g.matchElements(r.elements[:r.short], words)
	}
	return key, m == full
}

func (g *Grammar) matchElements(elements []element, words []string) (match, string) {
	var key []string
	i := 0
	for _, e := range elements {
		if e.rest {
			if i == len(words) && !e.optional {
				return prefix, ""
			}
			if e.text != "..." {
				key = append(key, words[i:]...)
			}
			return full, strings.Join(key, " ")
		}
		switch {
		case i == len(words) && e.optional:
			continue
		case i == len(words):
			return prefix, ""
		case !g.word(e.text, words[i]):
			if e.optional {
				continue
			}
			return none, ""
		}
		if e.text[0] != '<' {
			key = append(key, words[i])
		}
		i++
	}
	if i < len(words) {
		return none, ""
	}
	return full, strings.Join(key, " ")
}

// word compares one word with one element of a row.
func (g *Grammar) word(p, w string) bool {
	if p[0] != '<' && p[0] != '{' {
		for one := range strings.SplitSeq(p, "|") {
			if one == w {
				return true
			}
		}
		return false
	}
	for kind := range strings.SplitSeq(p[1:len(p)-1], "|") {
		if g.value(kind, w) {
			return true
		}
	}
	return false
}

func (g *Grammar) value(kind, w string) bool {
	number := func(lo, hi int) bool {
		n, err := strconv.Atoi(w)
		return err == nil && n >= lo && n <= hi
	}
	switch kind {
	case "word", "peer":
		return w != ""
	case "host":
		return !strings.ContainsAny(w, `"'|/`)
	case "int":
		return number(0, 1<<32-1)
	case "vlan":
		return number(1, 4094)
	case "vlans":
		return w == "none" || w == "all" || vlanList(w)
	case "asn":
		hi, lo, dotted := strings.Cut(w, ".")
		if dotted {
			a, err1 := strconv.ParseUint(hi, 10, 16)
			b, err2 := strconv.ParseUint(lo, 10, 16)
			return err1 == nil && err2 == nil && a+b > 0
		}
		return number(1, 1<<32-1)
	case "area":
		a, err := netip.ParseAddr(w)
		return number(0, 1<<32-1) || err == nil && a.Is4()
	case "ip":
		a, err := netip.ParseAddr(w)
		return err == nil && a.Is4() || kind == "peer"
	case "ip6":
		a, err := netip.ParseAddr(w)
		return err == nil && a.Is6()
	case "mask":
		a, err := netip.ParseAddr(w)
		return err == nil && a.Is4()
	case "prefix":
		a, err := netip.ParsePrefix(w)
		return err == nil && a.Addr().Is4()
	case "prefix6":
		a, err := netip.ParsePrefix(w)
		return err == nil && a.Addr().Is6()
	case "mac":
		return len(w) == 14 || len(w) == 17
	case "level":
		return slices.Contains([]string{"emergencies", "alerts", "critical", "errors", "warnings", "notifications", "informational", "debugging"}, w) || number(0, 7)
	case "interface":
		return g.d.Interface(w, g.Ports)
	}
	return w == kind
}

// vlanList accepts "10", "10,20" and "10-19,30".
func vlanList(w string) bool {
	for part := range strings.SplitSeq(w, ",") {
		lo, hi, ranged := strings.Cut(part, "-")
		a, err := strconv.Atoi(lo)
		b := a
		if ranged && err == nil {
			b, err = strconv.Atoi(hi)
		}
		if err != nil || a < 1 || b > 4094 || a > b {
			return false
		}
	}
	return true
}
