package lens

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
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
	out  []byte
	text []byte // the statement at hand

	values []any // of the word at hand
	base   place // of the rows at hand

	// trail is what the solution at hand rests on, and what those around it do.
	trail []touch

	records []syntax.Record
	written map[string]int64 // records by their first word
	once    map[*row]bool    // rows that have written a record
}

// place is a node below which facts are looked for, and the part of the trail
// that leads to it.
type place struct {
	node     *node
	from, to int
}

// below writes the rows below r, whose place is where its variables lead.
func (w *writer) below(r *row, depth int) {
	if r.place == nil {
		w.rows(r.kids, depth)
		return
	}
	outer, mark := w.base, len(w.trail)
	found := false
	w.steps(&fact{path: r.place}, w.root, 0, func(n *node) bool {
		w.base = place{n, mark, len(w.trail)}
		found = true
		w.rows(r.kids, depth)
		return false
	})
	if !found {
		w.base = place{}
		w.rows(r.kids, depth)
	}
	w.base = outer
}

func (l *Lens) write(root *node) string {
	l.expandLists(root)
	w := &writer{l: l, root: root, env: make([]any, l.slots), written: map[string]int64{}, once: map[*row]bool{}}
	w.rows(l.rows, 0)
	if l.table.Print != nil {
		return l.table.Print(w.records)
	}
	return l.table.Header + string(w.out) + l.table.Footer
}

// line appends a line.
func line[T string | []byte](w *writer, depth int, text T) {
	for range depth {
		w.out = append(w.out, w.l.table.Indent...)
	}
	w.out = append(w.out, text...)
	w.out = append(w.out, '\n')
}

func (w *writer) rows(rows []*row, depth int) {
	for _, r := range rows {
		switch {
		case r.ReadOnly || r.Class != "" && r.Class != plugins.Mapped:
		case r.Pair != nil:
			w.pair(r, depth)
		case r.Each != "":
			w.solve(r.set, func() { w.below(r, depth) })
		case len(r.set) == 0:
			w.frame(r, depth)
		case r.set[0].late() > 0 || w.possible(&r.set[0]):
			from := len(w.trail)
			w.solve(r.set, func() {
				to := len(w.trail)
				w.solve(r.cond, func() { w.statement(r, from, to, depth) })
			})
		}
	}
}

// frame writes a block whose heading says nothing by itself, once for each
// value of its variable, if there is anything in it.
func (w *writer) frame(r *row, depth int) {
	slot, domain := -1, []any{nil}
	for _, o := range r.ops {
		if o.code == opVar && len(o.slots) == 1 && o.slots[0] >= 0 && w.env[o.slots[0]] == nil {
			slot, domain = o.slots[0], o.codec.Domain
		}
	}
	for _, v := range domain {
		if slot >= 0 {
			w.env[slot] = v
		}
		if _, ok := w.format(r); ok {
			before := len(w.out)
			w.heading(depth)
			heading := len(w.out)
			w.below(r, depth+1)
			if len(w.out) == heading {
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

// heading writes the statement at hand as the heading of a block.
func (w *writer) heading(depth int) {
	if w.l.table.Nested {
		w.text = append(w.text, " {"...)
	}
	line(w, depth, w.text)
}

func (w *writer) close(r *row, depth int) {
	if w.l.table.Nested {
		line(w, depth, "}")
	}
	if r.End != "" {
		line(w, depth, r.End)
	}
	if depth == 0 && w.l.table.Separator != "" {
		line(w, 0, w.l.table.Separator)
	}
}

// statement writes a row; from and to are the part of the trail that its facts
// rest on.
func (w *writer) statement(r *row, from, to, depth int) {
	left, ok := w.format(r)
	var record *syntax.Record
	if ok && r.records {
		var more []int
		record, more, ok = w.record(r)
		left = append(left, more...)
	}
	if !ok || r.Once && w.once[r] {
		return
	}
	fresh := false
	for _, t := range w.trail[from:to] {
		fresh = fresh || !t.node.used && !t.needs(left)
	}
	if !fresh && !r.opens {
		return // another statement has said it
	}
	for _, facts := range r.not {
		held := false
		if w.solve(facts, func() { held = true }); held {
			return
		}
	}
	var body []string
	if r.body >= 0 {
		s, is := w.env[r.body].(string)
		if !is || !Storable(s) || strings.Contains(s, "\r") {
			return
		}
		if r.Delimited {
			w.text = append(append(w.text, ' '), r.BodyEnd...)
		}
		if s != "" {
			body = strings.Split(s, "\n")
		}
		for _, l := range body {
			if strings.TrimSpace(l) == r.BodyEnd || r.Delimited && strings.Contains(l, r.BodyEnd) {
				return
			}
		}
	}
	for _, t := range w.trail[from:to] {
		if !t.needs(left) {
			t.node.used = true
		}
	}
	if record != nil {
		w.once[r] = true
		w.records = append(w.records, *record)
		w.written[record.Words[0]]++
		return
	}
	switch {
	case w.l.table.Nested && r.opens:
		w.block(r, depth, fresh)
		return
	case w.l.table.Nested:
		w.text = append(w.text, w.l.table.Ending...)
	}
	line(w, depth, w.text)
	for _, l := range body {
		line(w, 0, l)
	}
	if r.body >= 0 {
		line(w, 0, r.BodyEnd)
	}
	if r.opens {
		w.below(r, depth+1)
		w.close(r, depth)
	}
}

// block writes the statement at hand in braces with what stands below it. An
// empty one is a statement where statements have an ending, and nothing at all
// where another statement has said it.
func (w *writer) block(r *row, depth int, fresh bool) {
	before, statement := len(w.out), string(w.text)
	w.heading(depth)
	heading := len(w.out)
	w.below(r, depth+1)
	switch {
	case len(w.out) > heading, fresh && w.l.table.Ending == "":
		w.close(r, depth)
	default:
		if w.out = w.out[:before]; fresh {
			line(w, depth, statement+w.l.table.Ending)
		}
	}
}

// format prints a pattern into w.text. Left are the optional variables whose
// values the statement does not express.
func (w *writer) format(r *row) (left []int, ok bool) {
	w.text = w.text[:0]
	put := func(word string) {
		if word == "" {
			return
		}
		if len(w.text) > 0 {
			w.text = append(w.text, ' ')
		}
		w.text = append(w.text, word...)
	}
	for pc := 0; pc < len(r.ops); pc++ {
		o := &r.ops[pc]
		switch o.code {
		case opWord:
			put(o.text)
		case opFlag:
			if w.env[o.slots[0]] == true {
				put(o.text)
			} else {
				left = append(left, o.slots[0])
			}
		case opSkip:
			before, fits := len(w.text), true
			for k := range r.ops[pc+1 : o.to] {
				s, ok := w.word(&r.ops[pc+1+k])
				if fits = fits && ok; fits {
					put(s)
				}
			}
			if !fits {
				w.text = w.text[:before]
				for _, in := range r.ops[pc+1 : o.to] {
					left = append(left, in.slots...)
				}
			}
			pc = o.to - 1
		case opVar:
			s, ok := w.word(o)
			if !ok {
				return nil, false
			}
			put(s)
		}
	}
	return left, true
}

func (w *writer) word(o *op) (string, bool) {
	if o.code == opWord {
		return o.text, true
	}
	if o.text != "" && w.env[o.slots[0]] == nil {
		return o.text, true
	}
	w.values = w.values[:0]
	for _, s := range o.slots {
		if s < 0 || w.env[s] == nil {
			return "", false
		}
		w.values = append(w.values, w.env[s])
	}
	return o.codec.Write(w.values)
}

func (w *writer) pair(r *row, depth int) {
	for _, e := range r.Pair.Write(Tree{w.root}) {
		line(w, depth, e.Text)
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
			out = append(out, e.keys())
		}
	}
	return out
}
