package lens

import (
	"slices"
	"strconv"
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
			w.solve(r.cond, nil, func([]touch) {
				w.solve(r.set, nil, func(t []touch) { w.statement(r, t, depth) })
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

// touch is a node that a solution rests on, and the optional variables
// through which it does.
type touch struct {
	node *node
	by   []int
}

// needs reports whether the node is expressed only by a variable that was
// left out.
func (t touch) needs(left []int) bool {
	for _, s := range t.by {
		if slices.Contains(left, s) {
			return true
		}
	}
	return false
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

// solve calls yield for each way to make all facts true, with the variables
// bound and the nodes on which the solution rests.
func (w *writer) solve(facts []fact, touched []touch, yield func([]touch)) {
	if len(facts) == 0 {
		yield(touched)
		return
	}
	f := &facts[0]
	rest := func(t []touch) { w.solve(facts[1:], t, yield) }
	if f.late() == 0 {
		w.fact(f, touched, func(t []touch) bool { rest(t); return true })
		return
	}
	// What need not hold is taken as it is found first, and left out where it
	// is not found.
	found := false
	w.fact(f, touched, func(t []touch) bool { found = true; rest(t); return false })
	if !found {
		rest(touched)
	}
}

// fact calls yield for each way to make one fact true until yield returns
// false.
func (w *writer) fact(f *fact, touched []touch, yield func([]touch) bool) {
	from, at := w.root, 0
	if f.group > 0 && w.base.node != nil {
		from, at = w.base.node, f.group
		for _, t := range w.base.touched {
			touched = append(touched[:len(touched):len(touched)], touch{t.node, f.optional})
		}
	}
	w.steps(f, from, at, touched, func(n *node, t []touch) bool {
		if f.verb == exists {
			if n.kind == container {
				t = append(t[:len(t):len(t)], touch{n, f.optional})
			}
			return yield(t)
		}
		l := n.find(f.leaf)
		if l == nil || (l.kind == leaf) != (f.verb == equals) || l.kind == list || l.kind == container {
			return true
		}
		switch f.verb {
		case equals:
			return w.bind(f.value, l.val, func() bool { return yield(append(t[:len(t):len(t)], touch{l, f.optional})) })
		case contains:
			for _, k := range l.kids {
				if !w.bind(f.value, k.val, func() bool { return yield(append(t[:len(t):len(t)], touch{k, f.optional})) }) {
					return false
				}
			}
			return true
		}
		t = t[:len(t):len(t)]
		for _, k := range l.kids {
			t = append(t, touch{k, f.optional})
		}
		return w.bind(f.value, l.values(), func() bool { return yield(t) })
	})
}

// bind calls next if an operand can have the value, and returns what next
// returns.
func (w *writer) bind(o operand, v any, next func() bool) bool {
	switch o.kind {
	case isConst:
		if o.value != v {
			return true
		}
		return next()
	case isFunc:
		have := w.env[o.slot]
		if have == nil {
			return true
		}
		if want, ok := o.fn(have); !ok || want != v {
			return true
		}
		return next()
	}
	if have := w.env[o.slot]; have != nil {
		if !same(have, v) {
			return true
		}
		return next()
	}
	if v == nil {
		return true
	}
	w.env[o.slot] = v
	more := next()
	w.env[o.slot] = nil
	return more
}

// steps follows a path from n, binding keys on the way.
func (w *writer) steps(f *fact, n *node, i int, touched []touch, yield func(*node, []touch) bool) bool {
	if i == len(f.path) {
		return yield(n, touched)
	}
	s := &f.path[i]
	k := n.find(s.name)
	if k == nil || (s.keys == nil) != (k.kind == container) || s.keys != nil && k.kind != list {
		return true
	}
	if s.keys == nil {
		return w.steps(f, k, i+1, touched, yield)
	}
	enter := func(e *node) bool {
		return w.keys(s.keys, e, 0, func() bool {
			return w.steps(f, e, i+1, append(touched[:len(touched):len(touched)], touch{e, f.optional}), yield)
		})
	}
	if handle, ok := w.handle(s.keys); ok {
		if e := k.find(handle); e != nil {
			return enter(e)
		}
		return true
	}
	for _, e := range k.kids {
		if !enter(e) {
			return false
		}
	}
	return true
}

// handle is the key of the one entry that bound keys name.
func (w *writer) handle(keys []pathKey) (string, bool) {
	handle := ""
	for j := range keys {
		v, ok := keys[j].eval(w.env)
		if !ok {
			return "", false
		}
		if j > 0 {
			handle += "\x00"
		}
		handle += lexical(v)
	}
	return handle, true
}

func (w *writer) keys(keys []pathKey, e *node, j int, next func() bool) bool {
	if j == len(keys) {
		return next()
	}
	if j >= len(e.keys) {
		return true
	}
	return w.bind(keys[j].operand, e.keys[j].Value, func() bool { return w.keys(keys, e, j+1, next) })
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

// loss is a node that was not written.
type loss struct {
	path  string // exact
	shown string // with secret keys hidden
	what  string
}

// lost lists what is not written below n. The keys of an entry are written
// with it.
func (n *node) lost(l *Lens, path, shown string, out []loss) []loss {
	for i, k := range n.kids {
		at, show := path+"/"+k.name, shown+"/"+k.name
		switch k.kind {
		case leaf:
			if n.kind == leafList {
				at, show = path+"[.='"+lexical(k.val)+"']", shown
			}
			if !k.used && !n.isKey(k.name) {
				out = append(out, loss{at, show, "the value of " + last(show)})
			}
		case container:
			if len(k.kids) == 0 && !k.used {
				out = append(out, loss{at, show, last(show)})
			}
			out = k.lost(l, at, show, out)
		case list, leafList:
			out = k.lost(l, at, show, out)
		case entry:
			pred, hidden := n.predicates(l, shown, k, i)
			at, show = path+pred, shown+hidden
			if below := k.lost(l, at, show, nil); !k.used && !k.anyUsed() {
				out = append(out, loss{at, show, "this entry of " + last(shown)})
			} else {
				out = append(out, below...)
			}
		}
	}
	return out
}

func (n *node) anyUsed() bool {
	for _, k := range n.kids {
		if k.used || k.anyUsed() {
			return true
		}
	}
	return false
}

// predicates are the key predicates of entry e, number i of list n.
func (n *node) predicates(l *Lens, list string, e *node, i int) (exact, shown string) {
	if e.keys == nil {
		s := "[" + strconv.Itoa(i+1) + "]"
		return s, s
	}
	for _, k := range e.keys {
		quote := "'"
		v := lexical(k.Value)
		if strings.Contains(v, "'") {
			quote = `"`
		}
		exact += "[" + k.Name + "=" + quote + v + quote + "]"
		if l.secret[schemaOf(list)+"/"+k.Name] {
			v = plugins.Hidden
		}
		shown += "[" + k.Name + "=" + quote + v + quote + "]"
	}
	return exact, shown
}

// schemaOf removes the predicates of an instance path.
func schemaOf(path string) string {
	var b strings.Builder
	quote := byte(0)
	depth := 0
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case depth > 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func last(path string) string {
	s := schemaOf(path)
	return s[strings.LastIndexByte(s, '/')+1:]
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
