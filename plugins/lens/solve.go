package lens

import (
	"slices"
	"strconv"
	"strings"
)

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

// solve calls yield for each way to make all facts true, with the variables
// bound and the nodes on which the solution rests on the trail.
func (w *writer) solve(facts []fact, yield func()) { w.solveFrom(nil, facts, yield) }

// solveFrom is solve where the first fact of the row is about a known node.
func (w *writer) solveFrom(first *node, facts []fact, yield func()) {
	if len(facts) == 0 {
		yield()
		return
	}
	f := &facts[0]
	must, found := f.late() == 0, false
	// What need not hold is taken as it is found first, and left out where it
	// is not found.
	w.fact(f, first, func(n *node) bool {
		if found = true; first != nil {
			n = first
		}
		w.solveFrom(n, facts[1:], yield)
		return must
	})
	if !must && !found {
		w.solveFrom(first, facts[1:], yield)
	}
}

// from is where the search for a fact begins: a node, and how many steps of
// the path lead to it.
func (w *writer) from(f *fact) (*node, int) {
	if f.group > 0 && w.base.node != nil {
		return w.base.node, f.group
	}
	return w.root, 0
}

// possible is a quick look at what the fact is about: false if it is not in
// the tree.
func (w *writer) possible(f *fact) bool {
	n, at := w.from(f)
	for i := at; i < len(f.path); i++ {
		s := &f.path[i]
		if n = n.find(s.name); n == nil {
			return false
		}
		if s.keys == nil {
			continue
		}
		var bound bool
		if n, bound = n.findKeys(s.keys, w.env); !bound {
			return true
		} else if n == nil {
			return false
		}
	}
	return f.verb == exists || n.find(f.leaf) != nil
}

// rest puts a node on the trail while yield runs for the node about.
func (w *writer) rest(n *node, f *fact, about *node, yield func(*node) bool) bool {
	w.trail = append(w.trail, touch{n, f.optional})
	more := yield(about)
	w.trail = w.trail[:len(w.trail)-1]
	return more
}

// fact calls yield, with the node that the fact is about, for each way to make
// it true until yield returns false.
func (w *writer) fact(f *fact, first *node, yield func(*node) bool) {
	mark := len(w.trail)
	from, at := w.from(f)
	if first != nil && f.shared > 0 {
		// What leads there is on the trail already.
		from, at = first, f.shared
	} else if at > 0 {
		for i := w.base.from; i < w.base.to; i++ {
			w.trail = append(w.trail, touch{w.trail[i].node, f.optional})
		}
	}
	w.steps(f, from, at, func(n *node) bool {
		if f.verb == exists {
			if n.kind == container {
				return w.rest(n, f, n, yield)
			}
			return yield(n)
		}
		l := n.find(f.leaf)
		if l == nil || (l.kind == leaf) != (f.verb == equals) || l.kind == list || l.kind == container {
			return true
		}
		switch f.verb {
		case equals:
			return w.bind(&f.value, l.val, func() bool { return w.rest(l, f, n, yield) })
		case contains, containsVLAN:
			for _, k := range l.kids {
				if !w.bind(&f.value, k.val, func() bool { return w.rest(k, f, n, yield) }) {
					return false
				}
			}
			return true
		}
		mark := len(w.trail)
		for _, k := range l.kids {
			w.trail = append(w.trail, touch{k, f.optional})
		}
		more := w.bind(&f.value, l.values(), func() bool { return yield(n) })
		w.trail = w.trail[:mark]
		return more
	})
	w.trail = w.trail[:mark]
}

// bind calls next if an operand can have the value, and returns what next
// returns.
func (w *writer) bind(o *operand, v any, next func() bool) bool {
	switch o.kind {
	case isConst:
		if o.value != v {
			return true
		}
		return next()
	case isFunc:
		have, ok := o.variable(w.env)
		if !ok {
			return true
		}
		if want, ok := o.fn(have); !ok || want != v {
			return true
		}
		return next()
	}
	if o.kind == isPair {
		return w.bindPair(o, v, next)
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

// bindPair binds the second variable of a pair by the first, which is known.
func (w *writer) bindPair(o *operand, v any, next func() bool) bool {
	first, second := w.env[o.slot], w.env[o.last]
	text, is := v.(string)
	if first == nil || !is {
		return true
	}
	head, rest := lexical(first), ""
	if !strings.HasPrefix(text, head) || len(text) < len(head)+2 || text[len(head)] != '.' {
		return true
	}
	rest = text[len(head)+1:]
	if second != nil {
		if lexical(second) != rest {
			return true
		}
		return next()
	}
	w.env[o.last] = rest
	if n, err := strconv.ParseInt(rest, 10, 64); err == nil && strconv.FormatInt(n, 10) == rest {
		w.env[o.last] = n
	}
	more := next()
	w.env[o.last] = nil
	return more
}

// steps follows a path from n, binding keys on the way.
func (w *writer) steps(f *fact, n *node, i int, yield func(*node) bool) bool {
	if i == len(f.path) {
		return yield(n)
	}
	s := &f.path[i]
	k := n.find(s.name)
	if k == nil || (s.keys == nil) != (k.kind == container) || s.keys != nil && k.kind != list {
		return true
	}
	if s.keys == nil {
		return w.steps(f, k, i+1, yield)
	}
	if e, bound := k.findKeys(s.keys, w.env); e != nil {
		return w.entry(f, e, i, 0, yield)
	} else if bound {
		return true
	}
	for _, e := range k.kids {
		if !w.entry(f, e, i, 0, yield) {
			return false
		}
	}
	return true
}

// entry goes on below an entry whose keys from j on can be those of step i.
func (w *writer) entry(f *fact, e *node, i, j int, yield func(*node) bool) bool {
	keys := f.path[i].keys
	if j == len(keys) {
		w.trail = append(w.trail, touch{e, f.optional})
		more := w.steps(f, e, i+1, yield)
		w.trail = w.trail[:len(w.trail)-1]
		return more
	}
	if j >= int(e.own) {
		return true
	}
	return w.bind(&keys[j].operand, e.kids[j].val, func() bool { return w.entry(f, e, i, j+1, yield) })
}
