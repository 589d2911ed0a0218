package xpath

import (
	"math"
	"strconv"
	"strings"
)

// compare applies XPath §3.4.
func (v *Evaluator[N]) compare(op string, a, b Value[N], f *frame[N]) bool {
	if a.kind != kindSet && b.kind == kindSet {
		turned := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
		if t, ok := turned[op]; ok {
			op = t
		}
		a, b = b, a
	}
	equality := op == "=" || op == "!="
	if a.kind != kindSet {
		switch {
		case !equality:
			return order(op, v.number(a), v.number(b))
		case a.kind == kindBool || b.kind == kindBool:
			return (v.boolean(a) == v.boolean(b)) == (op == "=")
		case a.kind == kindNumber || b.kind == kindNumber:
			return order(op, v.number(a), v.number(b))
		}
		return (a.s == b.s) == (op == "=")
	}
	if b.kind == kindBool {
		if equality {
			return (v.boolean(a) == b.b) == (op == "=")
		}
		return order(op, v.number(Value[N]{kind: kindBool, b: v.boolean(a)}), v.number(b))
	}
	if b.kind != kindSet {
		for _, n := range a.set {
			s := v.stringOf(n)
			if equality && b.kind == kindString {
				want := b.s
				if b.lit {
					want = v.tree.Canonical(n, want, f.e.names)
				}
				if (s == want) == (op == "=") {
					return true
				}
			} else if order(op, toNumber(s), v.number(b)) {
				return true
			}
		}
		return false
	}
	if op == "=" && len(a.set)*len(b.set) > 64 {
		have := make(map[string]bool, len(a.set))
		for _, n := range a.set {
			have[v.stringOf(n)] = true
		}
		for _, n := range b.set {
			if have[v.stringOf(n)] {
				return true
			}
		}
		return false
	}
	for _, n := range a.set {
		s := v.stringOf(n)
		if !v.spend(len(b.set)) {
			return false
		}
		for _, m := range b.set {
			t := v.stringOf(m)
			if equality && (s == t) == (op == "=") || !equality && order(op, toNumber(s), toNumber(t)) {
				return true
			}
		}
	}
	return false
}

func order(op string, x, y float64) bool {
	switch op {
	case "=":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

func (v *Evaluator[N]) stringOf(n N) string {
	s, leaf := v.tree.Value(n)
	if leaf {
		return s
	}
	var b strings.Builder
	v.descend(n, func(m N) {
		s, _ := v.tree.Value(m)
		b.WriteString(s)
	})
	return b.String()
}

func (v *Evaluator[N]) text(x Value[N]) string {
	switch x.kind {
	case kindSet:
		if len(x.set) == 0 {
			return ""
		}
		return v.stringOf(x.set[0])
	case kindNumber:
		return numberText(x.n)
	case kindBool:
		return strconv.FormatBool(x.b)
	}
	return x.s
}

func numberText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (v *Evaluator[N]) number(x Value[N]) float64 {
	switch x.kind {
	case kindNumber:
		return x.n
	case kindBool:
		if x.b {
			return 1
		}
		return 0
	}
	return toNumber(v.text(x))
}

// toNumber reads a number as XPath §4.4 does: digits with at most one point, a
// minus sign, blanks around.
func toNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	digits := 0
	for i, c := range strings.TrimPrefix(s, "-") {
		if c >= '0' && c <= '9' {
			digits++
		} else if c != '.' || strings.IndexByte(strings.TrimPrefix(s, "-"), '.') != i {
			return math.NaN()
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if digits == 0 || err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

func (v *Evaluator[N]) boolean(x Value[N]) bool {
	switch x.kind {
	case kindSet:
		return len(x.set) > 0
	case kindNumber:
		return x.n != 0 && !math.IsNaN(x.n)
	case kindBool:
		return x.b
	}
	return x.s != ""
}
