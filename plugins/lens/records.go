package lens

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// attrOp is one attribute of a record's pattern.
type attrOp struct {
	op           // opWord: a literal value; opVar
	name  string // "*": all others
	group int    // 0: must be there; others may be left out together
	own   []int  // slots that no word of the record has bound
}

// several separates the values of an attribute on their way to a codec.
const several = "\x00"

// Many makes a codec of a list from one of single values. Text has its values
// as several of one attribute or, if sep is not empty, separated by it, which
// is also how they are written then. Values may have no such character.
func Many(c Codec, sep string) Codec {
	join := sep
	if sep == "" {
		join = several
	}
	return Codec{
		Read: func(s string) ([]any, bool) {
			list := []any{}
			for one := range strings.SplitSeq(strings.ReplaceAll(s, several, join), join) {
				v, ok := c.Read(one)
				if !ok || len(v) != 1 {
					return nil, false
				}
				if !slices.Contains(list, v[0]) {
					list = append(list, v[0])
				}
			}
			return []any{list}, true
		},
		Write: func(v []any) (string, bool) {
			list, ok := v[0].([]any)
			if !ok || len(list) == 0 {
				return "", false
			}
			var out []string
			for _, e := range list {
				s, ok := c.Write([]any{e})
				if !ok || strings.Contains(s, join) {
					return "", false
				}
				out = append(out, s)
			}
			if sep == "" && len(out) == 1 {
				return out[0] + several, true
			}
			return strings.Join(out, join), true
		},
	}
}

func (c *compiler) attrs(text string, names map[string]int, optional map[int]bool) ([]attrOp, error) {
	var out []attrOp
	group, open := 0, false
	for _, word := range strings.Fields(text) {
		switch {
		case word == "{" && !open:
			group, open = group+1, true
			continue
		case word == "}" && open:
			open = false
			continue
		}
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" || value == "" {
			return nil, fmt.Errorf("bad attribute %s", word)
		}
		a := attrOp{name: name}
		if open {
			a.group = group
		}
		if name == "*" {
			slot := c.slot(names, strings.TrimPrefix(value, "$"))
			optional[slot] = true
			a.op = op{code: opVar, slots: []int{slot}}
			out = append(out, a)
			continue
		}
		ops, err := c.pattern(value, names, optional)
		if err != nil {
			return nil, err
		}
		if len(ops) != 1 || ops[0].code != opWord && ops[0].code != opVar {
			return nil, fmt.Errorf("bad value of attribute %s", name)
		}
		a.op = ops[0]
		if open {
			for _, s := range a.slots {
				optional[s] = true
			}
		}
		out = append(out, a)
	}
	if open {
		return nil, fmt.Errorf("a brace is not closed")
	}
	return out, nil
}

// allOps are the operations of words and attributes.
func (r *row) allOps() []op {
	out := slices.Clone(r.ops)
	for _, a := range r.attrs {
		out = append(out, a.op)
	}
	return out
}

type attrRule struct {
	AttrRule
	re *regexp.Regexp
}

// record makes the record that a row writes; left are the optional variables
// whose values it does not express.
func (w *writer) record(r *row) (out *syntax.Record, left []int, ok bool) {
	out = &syntax.Record{}
	for i := range r.ops {
		s, ok := w.word(&r.ops[i])
		if !ok {
			return nil, nil, false
		}
		out.Words = append(out.Words, s)
	}
	if n := w.env[r.ordinal]; n != nil && n != w.written[out.Words[0]]+1 {
		return nil, nil, false // a rule that stood before it cannot be written
	}
	for from := 0; from < len(r.attrs); {
		to := from + 1
		for r.attrs[from].group > 0 && to < len(r.attrs) && r.attrs[to].group == r.attrs[from].group {
			to++
		}
		have := len(out.Attrs)
		fits, says := true, r.attrs[from].group == 0
		for k := from; k < to && fits; k++ {
			a := &r.attrs[k]
			says = says || a.code == opVar
			fits = w.attr(a, out)
		}
		if !fits || !says {
			if !fits && r.attrs[from].group == 0 && r.attrs[from].name != "*" {
				return nil, nil, false
			}
			out.Attrs = out.Attrs[:have]
			for k := from; k < to; k++ {
				left = append(left, r.attrs[k].slots...)
			}
		}
		from = to
	}
	return out, left, true
}

func (w *writer) attr(a *attrOp, out *syntax.Record) bool {
	if a.name == "*" {
		list, _ := w.env[a.slots[0]].([]any)
		for _, e := range list {
			name, value, ok := strings.Cut(lexical(e), "=")
			if !ok || name == "" || strings.ContainsAny(name, " \t\r\n\"'") || !Storable(value) {
				return false
			}
			name, many := strings.CutSuffix(name, "+")
			have := out.Get(name)
			switch {
			case have == nil && name != "":
				out.Attrs = append(out.Attrs, syntax.Attr{Name: name, Value: value, List: many})
			case have != nil && have.List && many:
				have.More = append(have.More, value)
			default:
				return false
			}
		}
		return len(list) > 0
	}
	s, ok := w.word(&a.op)
	if !ok {
		return false
	}
	b := syntax.Attr{Name: a.name, Value: s}
	if strings.Contains(s, several) {
		values := strings.Split(strings.TrimSuffix(s, several), several)
		b.List, b.Value, b.More = true, values[0], values[1:]
	}
	out.Attrs = append(out.Attrs, b)
	return true
}
