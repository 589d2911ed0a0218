package schemas

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// runeSet is a set of characters: explicit ranges and, as long as nothing has
// to be computed, names that RE2 knows.
type runeSet struct {
	parts   []runeRange
	names   []string // `\p{L}`
	negated bool
}

type runeRange struct{ lo, hi rune }

func oneRune(r rune) runeSet { return runeSet{parts: []runeRange{{r, r}}} }

// single returns the only character of a set that was one character.
func (s runeSet) single() (rune, bool) {
	if len(s.parts) == 1 && len(s.names) == 0 && !s.negated && s.parts[0].lo == s.parts[0].hi {
		return s.parts[0].lo, true
	}
	return 0, false
}

// add puts the other set's members into s; s's own negation stays.
func (s *runeSet) add(o runeSet) {
	if o.negated {
		s.parts = append(s.parts, o.ranges()...)
		return
	}
	s.parts = append(s.parts, o.parts...)
	s.names = append(s.names, o.names...)
}

// minus returns s without the members of o.
func (s runeSet) minus(o runeSet) runeSet {
	return runeSet{parts: invert(normal(append(invert(s.ranges()), o.ranges()...)))}
}

// re2 writes the set as a class of RE2.
func (s runeSet) re2() string {
	if len(s.parts) == 0 && len(s.names) == 0 {
		if s.negated {
			return `[\x{0}-\x{10FFFF}]`
		}
		return `[^\x{0}-\x{10FFFF}]`
	}
	var b strings.Builder
	b.WriteByte('[')
	if s.negated {
		b.WriteByte('^')
	}
	for _, n := range s.names {
		b.WriteString(n)
	}
	for _, r := range s.parts {
		fmt.Fprintf(&b, `\x{%x}`, r.lo)
		if r.hi != r.lo {
			fmt.Fprintf(&b, `-\x{%x}`, r.hi)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// ranges computes the members, sorted and disjoint.
func (s runeSet) ranges() []runeRange {
	all := slices.Clone(s.parts)
	for _, n := range s.names {
		name := strings.TrimSuffix(n[3:], "}")
		r := tableRanges(name)
		if n[1] == 'P' {
			r = invert(normal(r))
		}
		all = append(all, r...)
	}
	all = normal(all)
	if s.negated {
		all = invert(all)
	}
	return all
}

func tableRanges(name string) []runeRange {
	var out []runeRange
	t, ok := unicode.Categories[name]
	if !ok {
		return nil
	}
	for _, r := range t.R16 {
		out = appendStrided(out, rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		out = appendStrided(out, rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return out
}

func appendStrided(out []runeRange, lo, hi, stride rune) []runeRange {
	if stride == 1 {
		return append(out, runeRange{lo, hi})
	}
	for r := lo; r <= hi; r += stride {
		out = append(out, runeRange{r, r})
	}
	return out
}

func normal(in []runeRange) []runeRange {
	in = slices.Clone(in)
	slices.SortFunc(in, func(a, b runeRange) int { return int(a.lo - b.lo) })
	var out []runeRange
	for _, r := range in {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func invert(in []runeRange) []runeRange {
	var out []runeRange
	next := rune(0)
	for _, r := range in {
		if r.lo > next {
			out = append(out, runeRange{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, runeRange{next, unicode.MaxRune})
	}
	return out
}

// multiEscape returns the classes that XSD names by a letter.
func multiEscape(r rune) (runeSet, bool) {
	lower := unicode.ToLower(r)
	var s runeSet
	switch lower {
	case 's':
		s.parts = []runeRange{{'\t', '\n'}, {'\r', '\r'}, {' ', ' '}}
	case 'd':
		s.names = []string{`\p{Nd}`}
	case 'w': // everything but punctuation, separators and others
		s.names = []string{`\p{L}`, `\p{M}`, `\p{N}`, `\p{S}`}
	case 'i':
		s.parts = nameStart()
	case 'c':
		s.parts = append(nameStart(), runeRange{'-', '.'}, runeRange{'0', '9'}, runeRange{0xB7, 0xB7}, runeRange{0x300, 0x36F}, runeRange{0x203F, 0x2040})
	default:
		return s, false
	}
	s.negated = lower != r
	return s, true
}

// nameStart are the characters that can begin a name of XML 1.0 (fifth
// edition, production 4).
func nameStart() []runeRange {
	return []runeRange{{':', ':'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF},
		{0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF}}
}

// category returns \p{name}: a general category or a block.
func category(name string, negated bool) (runeSet, error) {
	if block, ok := strings.CutPrefix(name, "Is"); ok {
		for _, b := range unicodeBlocks() {
			if b.name == block {
				return runeSet{parts: []runeRange{{b.lo, b.hi}}, negated: negated}, nil
			}
		}
		return runeSet{}, fmt.Errorf("the block %q is not supported", clip(name))
	}
	if _, ok := unicode.Categories[name]; !ok || len(name) > 2 {
		return runeSet{}, fmt.Errorf("there is no category %q", clip(name))
	}
	if name == "C" || name == "Cn" {
		// RE2's C leaves out what is not assigned; XSD's does not.
		s := runeSet{names: []string{`\p{L}`, `\p{M}`, `\p{N}`, `\p{P}`, `\p{S}`, `\p{Z}`}, negated: !negated}
		if name == "Cn" {
			s.names = append(s.names, `\p{Cc}`, `\p{Cf}`, `\p{Co}`, `\p{Cs}`)
		}
		return s, nil
	}
	return runeSet{names: []string{`\p{` + name + `}`}, negated: negated}, nil
}
