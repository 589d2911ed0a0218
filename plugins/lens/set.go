package lens

// value evaluates an operand; false if a variable is unbound or a function
// has no answer.
func (o *operand) eval(env []any) (any, bool) {
	switch o.kind {
	case isConst:
		return o.value, true
	case isFunc:
		if v := env[o.slot]; v != nil {
			return o.fn(v)
		}
		return nil, false
	}
	return env[o.slot], env[o.slot] != nil
}

// reach is walk along the path of a fact, from the place of the block where
// that is on the way.
func (x *reading) reach(f *fact, create bool) *node {
	if f.block > 0 && x.base != nil {
		return walk(x.base, f.path[f.block:], x.env, create)
	}
	return walk(x.root, f.path, x.env, create)
}

// walk follows a path, and creates what is missing if create is set. It
// returns nil if a key is unbound, or something is missing.
func walk(n *node, path []pathStep, env []any, create bool) *node {
	for i := range path {
		s := &path[i]
		k := n.find(s.name)
		if s.keys == nil {
			if k == nil {
				if !create {
					return nil
				}
				k = n.add(&node{name: s.name, kind: container})
			}
			n = k
			continue
		}
		handle := ""
		for j := range s.keys {
			v, ok := s.keys[j].eval(env)
			if !ok {
				return nil
			}
			if j > 0 {
				handle += "\x00"
			}
			handle += lexical(v)
		}
		if k == nil {
			if !create {
				return nil
			}
			k = n.add(&node{name: s.name, kind: list})
		}
		e := k.find(handle)
		if e == nil {
			if !create {
				return nil
			}
			e = &node{name: s.name, kind: entry, key: handle}
			for j := range s.keys {
				v, _ := s.keys[j].eval(env)
				e.keys = append(e.keys, Key{s.keys[j].name, v})
				e.add(&node{name: s.keys[j].name, kind: leaf, val: v})
			}
			k.add(e)
		}
		n = e
	}
	return n
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
			n.add(&node{name: f.leaf, kind: leaf, val: v})
		}
	case contains:
		n.append(f.leaf, v)
	case equalsAll:
		list, _ := v.([]any)
		x.loose = x.loose || n.find(f.leaf) != nil
		for _, e := range list {
			n.append(f.leaf, e)
		}
	}
}

// append adds a value to a leaf-list unless it is there.
func (n *node) append(name string, v any) {
	l := n.find(name)
	if l == nil {
		l = n.add(&node{name: name, kind: leafList})
	}
	if s := lexical(v); l.find(s) == nil {
		l.add(&node{name: s, kind: leaf, val: v})
	}
}
