package lens

import "slices"

// value evaluates an operand; false if a variable is unbound or a function
// has no answer.
func (o *operand) eval(env []any) (any, bool) {
	switch o.kind {
	case isConst:
		return o.value, true
	case isFunc:
		if v, ok := o.variable(env); ok {
			return o.fn(v)
		}
		return nil, false
	}
	return o.variable(env)
}

// variable is the value of the variable, or of the pair of variables.
func (o *operand) variable(env []any) (any, bool) {
	a := env[o.slot]
	if o.kind != isPair && !o.pair {
		return a, a != nil
	}
	b := env[o.last]
	if a == nil || b == nil {
		return nil, false
	}
	return lexical(a) + "." + lexical(b), true
}

// reach is walk along the path of a fact, from the place of the block where
// that is on the way.
func (x *reading) reach(f *fact, create bool) *node {
	var a *arena
	if create {
		a = &x.arena
	}
	if f.block > 0 && x.base != nil {
		return walk(a, x.base, f.path[f.block:], x.env)
	}
	return walk(a, x.root, f.path, x.env)
}

// walk follows a path, and creates what is missing if there is an arena to
// create it in. It returns nil if a key is unbound, or something is missing.
func walk(a *arena, n *node, path []pathStep, env []any) *node {
	for i := range path {
		s := &path[i]
		k := n.find(s.name)
		if s.keys == nil {
			if k == nil {
				if a == nil {
					return nil
				}
				k = a.add(n, s.name, container, nil)
			}
			n = k
			continue
		}
		var e *node
		if k != nil {
			bound := false
			if e, bound = k.findKeys(s.keys, env); !bound {
				return nil
			}
		}
		if e == nil {
			if a == nil {
				return nil
			}
			if e = a.entry(s.keys, env); e == nil {
				return nil
			}
			if k == nil {
				k = a.add(n, s.name, list, nil)
			}
			a.attach(k, e)
		}
		n = e
	}
	return n
}

// entry makes an entry with the keys that are bound; nil if one is not.
func (a *arena) entry(keys []pathKey, env []any) *node {
	e := a.node("", entry, nil)
	e.kids = a.roomFor(len(keys) + 2)
	for j := range keys {
		v, ok := keys[j].eval(env)
		if !ok {
			return nil
		}
		a.key(e, keys[j].name, v)
		if j == 0 {
			e.name = lexical(v)
		} else {
			e.name += "\x00" + lexical(v)
		}
	}
	return e
}

func (f *fact) unbound(env []any) bool {
	for _, s := range f.optional {
		if env[s] == nil {
			return true
		}
	}
	return false
}

// holds reports whether a fact is true in the tree.
func (x *reading) holds(f *fact) bool {
	n := x.reach(f, false)
	if n == nil || f.verb == exists {
		return n != nil
	}
	v, ok := f.value.eval(x.env)
	if n = n.find(f.leaf); n == nil || !ok {
		return false
	}
	switch f.verb {
	case equals:
		return n.kind == leaf && n.val == v
	case contains:
		return n.find(lexical(v)) != nil
	case containsVLAN:
		for _, k := range n.kids {
			if slices.Contains(Expand([]any{k.val}), v) {
				return true
			}
		}
		return false
	}
	list, _ := v.([]any)
	for _, e := range list {
		if n.find(lexical(e)) == nil {
			return false
		}
	}
	return len(list) == len(n.kids)
}

// may reports whether a fact can be made true without contradicting another.
func (x *reading) may(f *fact) bool {
	if f.soft || f.unbound(x.env) {
		return true
	}
	if x.frozen {
		return x.holds(f)
	}
	if f.verb != equals {
		return true
	}
	n := x.reach(f, false)
	if n == nil {
		return true
	}
	v, _ := f.value.eval(x.env)
	n = n.find(f.leaf)
	return n == nil || n.val == v
}

func (x *reading) set(f *fact) {
	if x.frozen || f.unbound(x.env) {
		return
	}
	v := any(nil)
	if f.verb != exists {
		var ok bool
		if v, ok = f.value.eval(x.env); !ok {
			return
		}
	}
	n := x.reach(f, true)
	if n == nil {
		return
	}
	switch f.verb {
	case equals:
		if n.find(f.leaf) == nil {
			x.arena.add(n, f.leaf, leaf, v)
		}
	case contains:
		x.arena.append(n, f.leaf, v)
	case containsVLAN:
		x.loose = true
		x.arena.append(n, f.leaf, v)
	case equalsAll:
		list, _ := v.([]any)
		x.loose = x.loose || n.find(f.leaf) != nil
		for _, e := range list {
			x.arena.append(n, f.leaf, e)
		}
	}
}

// append adds a value to a leaf-list unless it is there.
func (a *arena) append(n *node, name string, v any) {
	l := n.find(name)
	if l == nil {
		l = a.add(n, name, leafList, nil)
	}
	if s := lexical(v); l.find(s) == nil {
		a.add(l, s, leaf, v)
	}
}
