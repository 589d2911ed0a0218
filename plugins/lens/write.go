package lens

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Codes of the losses that Write reports.
const (
	// LossNoEquivalent: no statement of the platform says this.
	LossNoEquivalent = "no-equivalent"
)

// Write prints the tree (RFC 7951 JSON) as native text and lists every leaf
// and list entry that no statement expresses. An entry that is lost stands for
// everything below it.
func (l *Lens) Write(tree []byte) (string, []plugins.Loss, error) {
	root, err := parseTree(tree, l.keys)
	if err != nil {
		return "", nil, err
	}
	text := l.write(root)
	var losses []plugins.Loss
	for _, n := range root.lost(l, "", "", nil) {
		losses = append(losses, plugins.Loss{Path: n.shown, Code: LossNoEquivalent, Text: "no statement of this platform says " + n.what})
	}
	return text, losses, nil
}

// writer is one pass over one tree; what it has written is marked there.
type writer struct {
	l    *Lens
	root *node
	env  []any
	out  []string
	base place // of the rows at hand
}

// place is a node below which facts are looked for, and what it rests on.
type place struct {
	node    *node
	touched []touch
}

// below writes the rows below r, whose place is where its variables lead.
func (w *writer) below(r *row, depth int) {
	outer := w.base
	if r.place != nil {
		w.base = place{}
		f := fact{path: r.place}
		w.steps(&f, w.root, 0, nil, func(n *node, t []touch) bool {
			w.base = place{n, t}
			return false
		})
	}
	w.rows(r.kids, depth)
	w.base = outer
}

func (l *Lens) write(root *node) string {
	w := &writer{l: l, root: root, env: make([]any, l.slots)}
	w.rows(l.rows, 0)
	var b strings.Builder
	b.WriteString(l.table.Header)
	for _, line := range w.out {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	b.WriteString(l.table.Footer)
	return b.String()
}

func (w *writer) line(depth int, text string) {
	w.out = append(w.out, strings.Repeat(w.l.table.Indent, depth)+text)
}

func (w *writer) rows(rows []*row, depth int) {
	for _, r := range rows {
		switch {
		case r.ReadOnly || r.Class != "" && r.Class != plugins.Mapped:
		case r.Pair != nil:
			w.pair(r, depth)
		case r.Each != "":
			w.solve(r.set, nil, func([]touch) { w.below(r, depth) })
		case len(r.set) == 0:
			w.frame(r, depth)
		default:
			w.solve(r.set, nil, func(t []touch) {
				w.solve(r.cond, nil, func([]touch) { w.statement(r, t, depth) })
			})
		}
	}
}

// frame writes a block whose heading says nothing by itself, once for each
// value of its variable, if there is anything in it.
func (w *writer) frame(r *row, depth int) {
	slot, domain := -1, []any{nil}
	for _, o := range r.ops {
		if o.code == opVar && len(o.slots) == 1 && w.env[o.slots[0]] == nil {
			slot, domain = o.slots[0], o.codec.Domain
		}
	}
	for _, v := range domain {
		if slot >= 0 {
			w.env[slot] = v
		}
		if text, _, ok := w.format(r); ok {
			before := len(w.out)
			w.line(depth, text)
			w.below(r, depth+1)
			if len(w.out) == before+1 {
				w.out = w.out[:before]
			} else {
				w.close(r, depth)
			}
		}
		if slot >= 0 {
			w.env[slot] = nil
		}
	}
}

func (w *writer) close(r *row, depth int) {
	if r.End != "" {
		w.line(depth, r.End)
	}
	if depth == 0 && w.l.table.Separator != "" {
		w.line(0, w.l.table.Separator)
	}
}

func (w *writer) statement(r *row, touched []touch, depth int) {
	text, left, ok := w.format(r)
	if !ok {
		return
	}
	fresh := false
	for _, t := range touched {
		fresh = fresh || !t.node.used && !t.needs(left)
	}
	if !fresh && !r.opens {
		return // another statement has said it
	}
	if len(r.not) > 0 {
		held := false
		w.solve(r.not, nil, func([]touch) { held = true })
		if held {
			return
		}
	}
	var body []string
	if r.body >= 0 {
		s, is := w.env[r.body].(string)
		if !is || !Storable(s) || strings.Contains(s, "\r") {
			return
		}
		if s != "" {
			body = strings.Split(s, "\n")
		}
		for _, line := range body {
			if strings.TrimSpace(line) == r.BodyEnd {
				return
			}
		}
	}
	for _, t := range touched {
		if !t.needs(left) {
			t.node.used = true
		}
	}
	w.line(depth, text)
	w.out = append(w.out, body...)
	if r.body >= 0 {
		w.out = append(w.out, r.BodyEnd)
	}
	if r.opens {
		w.below(r, depth+1)
		w.close(r, depth)
	}
}

// format prints a pattern. Left are the optional variables whose values the
// statement does not express.
func (w *writer) format(r *row) (text string, left []int, ok bool) {
	words := make([]string, 0, len(r.ops))
	for pc := 0; pc < len(r.ops); pc++ {
		o := &r.ops[pc]
		switch o.code {
		case opWord:
			words = append(words, o.text)
		case opFlag:
			if w.env[o.slots[0]] == true {
				words = append(words, o.text)
			} else {
				left = append(left, o.slots[0])
			}
		case opSkip:
			group := words
			fits := true
			for _, in := range r.ops[pc+1 : o.to] {
				s, ok := w.word(&in)
				fits = fits && ok
				group = append(group, s)
			}
			if fits {
				words = group
			} else {
				for _, in := range r.ops[pc+1 : o.to] {
					left = append(left, in.slots...)
				}
			}
			pc = o.to - 1
		case opVar:
			s, ok := w.word(o)
			if !ok {
				return "", nil, false
			}
			words = append(words, s)
		}
	}
	return strings.Join(words, " "), left, true
}

func (w *writer) word(o *op) (string, bool) {
	if o.code == opWord {
		return o.text, true
	}
	values := make([]any, len(o.slots))
	if o.text != "" && w.env[o.slots[0]] == nil {
		return o.text, true
	}
	for i, s := range o.slots {
		if s < 0 || w.env[s] == nil {
			return "", false
		}
		values[i] = w.env[s]
	}
	return o.codec.Write(values)
}

func (w *writer) pair(r *row, depth int) {
	for _, e := range r.Pair.Write(Tree{w.root}) {
		w.line(depth, e.Text)
		for _, path := range e.Uses {
			n := w.root
			for i := range path {
				if n = n.at(path[i : i+1]); n == nil {
					break
				}
				n.used = true
				for _, k := range n.kids {
					k.used = k.used || n.kind == leafList
				}
			}
		}
	}
}

// Tree is what a Pair may see of the tree.
type Tree struct{ root *node }

// Leaf returns the value of a leaf, or nil.
func (t Tree) Leaf(path ...Step) any {
	if n := t.root.at(path); n != nil && n.kind == leaf {
		return n.val
	}
	return nil
}

// Values returns the values of a leaf-list.
func (t Tree) Values(path ...Step) []any {
	if n := t.root.at(path); n != nil && n.kind == leafList {
		return n.values()
	}
	return nil
}

// Entries returns the keys of the entries of a list, in order.
func (t Tree) Entries(path ...Step) [][]Key {
	var out [][]Key
	if n := t.root.at(path); n != nil && n.kind == list {
		for _, e := range n.kids {
			out = append(out, e.keys)
		}
	}
	return out
}
