package xpath

import (
	"math"
	"strings"
	"unicode/utf8"
)

// call evaluates a function of XPath §4 or RFC 7950 §10.
func (v *Evaluator[N]) call(c *call, f *frame[N]) Value[N] {
	str := func(s string) Value[N] { return Value[N]{kind: kindString, s: s} }
	num := func(n float64) Value[N] { return Value[N]{kind: kindNumber, n: n} }
	boolean := func(b bool) Value[N] { return Value[N]{kind: kindBool, b: b} }
	arg := func(i int) Value[N] {
		if i < len(c.args) {
			return v.eval(c.args[i], f)
		}
		return Value[N]{set: []N{f.node}} // optional arguments are the context node
	}
	text := func(i int) string { return v.text(arg(i)) }
	first := func(i int) (N, bool) {
		var zero N
		a := arg(i)
		if a.kind != kindSet {
			v.wrongType()
		}
		if len(a.set) == 0 {
			return zero, false
		}
		return a.set[0], true
	}
	nodes := func(i int) []N {
		a := arg(i)
		if a.kind != kindSet {
			v.wrongType()
		}
		return a.set
	}
	switch c.name {
	case "current":
		return Value[N]{set: []N{f.current}}
	case "last":
		return num(float64(f.size))
	case "position":
		return num(float64(f.pos))
	case "count":
		return num(float64(len(nodes(0))))
	case "id":
		return Value[N]{}
	case "local-name", "name", "namespace-uri":
		n, ok := first(0)
		if !ok {
			return str("")
		}
		name := v.tree.Name(n)
		switch {
		case c.name == "local-name" || name.Local == "":
			return str(name.Local)
		case c.name == "name":
			return str(name.Module + ":" + name.Local)
		}
		return str(v.tree.Namespace(name.Module))
	case "string":
		return str(text(0))
	case "concat":
		var b strings.Builder
		for i := range c.args {
			b.WriteString(text(i))
		}
		return str(b.String())
	case "starts-with":
		return boolean(strings.HasPrefix(text(0), text(1)))
	case "contains":
		return boolean(strings.Contains(text(0), text(1)))
	case "substring-before":
		before, _, ok := strings.Cut(text(0), text(1))
		if !ok {
			before = ""
		}
		return str(before)
	case "substring-after":
		_, after, _ := strings.Cut(text(0), text(1))
		return str(after)
	case "substring":
		s, start := text(0), round(v.number(arg(1)))
		if len(c.args) == 2 {
			return str(substring(s, start, math.Inf(1)))
		}
		return str(substring(s, start, start+round(v.number(arg(2)))))
	case "string-length":
		return num(float64(utf8.RuneCountInString(text(0))))
	case "normalize-space":
		return str(strings.Join(strings.FieldsFunc(text(0), func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " "))
	case "translate":
		return str(translate(text(0), text(1), text(2)))
	case "boolean":
		return boolean(v.boolean(arg(0)))
	case "not":
		return boolean(!v.boolean(arg(0)))
	case "true":
		return boolean(true)
	case "false", "lang":
		return boolean(false)
	case "number":
		return num(v.number(arg(0)))
	case "sum":
		total := 0.0
		for _, n := range nodes(0) {
			total += toNumber(v.stringOf(n))
		}
		return num(total)
	case "floor":
		return num(math.Floor(v.number(arg(0))))
	case "ceiling":
		return num(math.Ceil(v.number(arg(0))))
	case "round":
		return num(round(v.number(arg(0))))
	case "re-match":
		ok, err := v.tree.Match(text(0), text(1))
		if err != nil && v.err == nil {
			v.err = err
		}
		return boolean(ok)
	case "deref":
		n, ok := first(0)
		if !ok {
			return Value[N]{}
		}
		return Value[N]{set: v.tree.Deref(n)}
	case "derived-from", "derived-from-or-self":
		want := text(1)
		for _, n := range nodes(0) {
			if v.tree.DerivedFrom(n, want, c.name == "derived-from-or-self", f.e.names) {
				return boolean(true)
			}
		}
		return boolean(false)
	case "enum-value":
		if n, ok := first(0); ok {
			if value, ok := v.tree.EnumValue(n); ok {
				return num(float64(value))
			}
		}
		return num(math.NaN())
	case "bit-is-set":
		n, ok := first(0)
		return boolean(ok && v.tree.BitIsSet(n, text(1)))
	}
	return Value[N]{}
}

// round is XPath's: halves go up.
func round(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f
	}
	below := math.Floor(f)
	if f-below >= 0.5 { // f+0.5 may not be a number that a float holds
		return math.Copysign(below+1, f)
	}
	return below
}

// substring returns the characters from start to before end, which count from
// 1 and need not be numbers (XPath §4.2).
func substring(s string, start, end float64) string {
	var b strings.Builder
	at := 0.0
	for _, r := range s {
		if at++; at >= start && at < end {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func translate(s, from, to string) string {
	target := []rune(to)
	swap := make(map[rune]rune)
	for i, r := range []rune(from) {
		if _, dup := swap[r]; dup {
			continue
		}
		swap[r] = -1
		if i < len(target) {
			swap[r] = target[i]
		}
	}
	return strings.Map(func(r rune) rune {
		if t, ok := swap[r]; ok {
			return t
		}
		return r
	}, s)
}
