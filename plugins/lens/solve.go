package lens

import (
	"slices"
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
