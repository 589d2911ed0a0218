package xpath

// Schema is a tree of schema nodes, on which Reach follows an expression. Its
// nodes stand for all their instances.
type Schema[N comparable] interface {
	Root() N
	// Parent returns the zero N above the root.
	Parent(n N) N
	// Children returns the children with the name; empty parts match any.
	Children(n N, name Name) []N
	// Deref returns the nodes that a leafref leads to.
	Deref(n N) []N
}

// reachBudget bounds the nodes that Reach visits for one expression.
const reachBudget = 10_000

// Reach calls visit for each schema node that an expression names and may look
// at when at is its context node: those that its steps down or aside lead to,
// not the ones that it only passes on the way up. Of an expression that may
// look at very many nodes only some are visited.
func Reach[N comparable](e *Expr, s Schema[N], at N, visit func(N)) {
	r := &reach[N]{schema: s, visit: visit, current: at, left: reachBudget, seen: make(map[N]bool)}
	r.eval(e.root, []N{at})
}

type reach[N comparable] struct {
	schema  Schema[N]
	visit   func(N)
	current N
	left    int
	seen    map[N]bool
}

// eval returns the nodes that an expression selects, none if it selects none.
func (r *reach[N]) eval(n node, from []N) []N {
	if r.left <= 0 {
		return nil
	}
	switch n := n.(type) {
	case *negate:
		r.eval(n.of, from)
	case *binary:
		left, right := r.eval(n.left, from), r.eval(n.right, from)
		if n.op == "|" {
			return append(left[:len(left):len(left)], right...)
		}
	case *call:
		var first []N
		for i, a := range n.args {
			if got := r.eval(a, from); i == 0 {
				first = got
			}
		}
		switch n.name {
		case "current":
			return []N{r.current}
		case "deref":
			var out []N
			for _, f := range first {
				out = append(out, r.schema.Deref(f)...)
			}
			for _, t := range out {
				r.note(t)
			}
			return out
		}
	case *path:
		set := from
		switch {
		case n.from != nil:
			set = r.eval(n.from, from)
			r.predicates(n.preds, set)
		case n.absolute:
			set = []N{r.schema.Root()}
		}
		for i := range n.steps {
			set = r.step(&n.steps[i], set)
		}
		return set
	}
	return nil
}

func (r *reach[N]) note(n N) {
	if !r.seen[n] {
		r.seen[n] = true
		r.visit(n)
	}
}

func (r *reach[N]) predicates(preds []pred, set []N) {
	if len(set) == 0 {
		return
	}
	for _, p := range preds {
		r.eval(p.expr, set)
	}
}

func (r *reach[N]) step(s *step, from []N) []N {
	var out []N
	var zero N
	in := make(map[N]bool)
	add := func(n N, named bool) {
		if r.left--; r.left <= 0 || n == zero {
			return
		}
		if named {
			r.note(n)
		}
		if !in[n] {
			in[n] = true
			out = append(out, n)
		}
	}
	var below func(n N)
	below = func(n N) {
		for _, k := range r.schema.Children(n, Name{}) {
			if r.left <= 0 {
				return
			}
			r.left--
			if r.matches(s, k, n) {
				add(k, s.test == testName)
			}
			below(k)
		}
	}
	for _, n := range from {
		switch s.axis {
		case axisSelf:
			add(n, false)
		case axisParent:
			add(r.schema.Parent(n), false)
		case axisAncestor, axisAncestorOrSelf:
			for at := n; at != zero; at = r.schema.Parent(at) {
				add(at, false)
			}
		case axisChild:
			for _, k := range r.schema.Children(n, s.name) {
				add(k, true)
			}
		case axisFollowingSibling, axisPrecedingSibling:
			if p := r.schema.Parent(n); p != zero {
				for _, k := range r.schema.Children(p, s.name) {
					if k != n {
						add(k, true)
					}
				}
			}
		case axisDescendant:
			below(n)
		case axisDescendantOrSelf:
			add(n, false)
			below(n)
		case axisFollowing, axisPreceding:
			below(r.schema.Root())
		}
	}
	r.predicates(s.preds, out)
	return out
}

// matches reports whether k, a child of n, passes the step's node test.
func (r *reach[N]) matches(s *step, k, n N) bool {
	if s.test != testName || s.name == (Name{}) {
		return true
	}
	for _, m := range r.schema.Children(n, s.name) {
		if m == k {
			return true
		}
	}
	return false
}
