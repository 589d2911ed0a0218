package xpath

import (
	"errors"
	"math"
	"slices"
)

// Tree is the data that expressions are evaluated on. N is a handle of a node;
// its zero value is no node. The root node has no name and stands above the
// top-level nodes.
type Tree[N comparable] interface {
	Root() N
	// Parent returns the zero N above the root.
	Parent(n N) N
	// Children returns the children with the name in document order; empty
	// parts of the name match any.
	Children(n N, name Name) []N
	Name(n N) Name
	// Namespace returns the XML namespace of a module.
	Namespace(module string) string
	// Value returns a leaf's canonical value, else "".
	Value(n N) (value string, leaf bool)
	// Order is a number that grows in document order.
	Order(n N) int
	// Find returns the children of n with the name that have a leaf of that
	// value, by an index; false if there is none and the caller has to look.
	Find(n N, child, leaf Name, value string) ([]N, bool)
	// Canonical returns a string literal in the form that values of the leaf
	// have, with the prefixes of the expression.
	Canonical(n N, s string, names Names) string

	// The functions of RFC 7950 §10 that need the schema.
	Deref(n N) []N
	DerivedFrom(n N, identity string, orSelf bool, names Names) bool
	EnumValue(n N) (int64, bool)
	BitIsSet(n N, bit string) bool
	Match(s, pattern string) (bool, error)
}

// ErrTooMuch says that an evaluation took more steps than its budget.
var ErrTooMuch = errors.New("the expression takes too long to evaluate")

// ErrType says that a node set was needed and another value was there (XPath
// §4.1: nothing can be converted to a node set).
var ErrType = errors.New("an argument or operand is not a node set")

// Bounds on the nodes that may be visited: in one evaluation, and in all those
// of one evaluator, some minutes of work.
const (
	budget      = 20_000_000
	totalBudget = 1_000_000_000
)

// Value is the result of an expression: a node set, string, number or boolean.
type Value[N comparable] struct {
	kind kind
	set  []N
	s    string
	n    float64
	b    bool
	lit  bool // a literal of the expression
}

type kind int8

const (
	kindSet kind = iota
	kindString
	kindNumber
	kindBool
)

// Nodes returns the node set; nil if the value is not one.
func (v Value[N]) Nodes() []N { return v.set }

// Evaluator evaluates expressions on one tree. It is not safe for concurrent
// use.
type Evaluator[N comparable] struct {
	tree  Tree[N]
	left  int // of the evaluation under way, 0 if there is none
	total int
	err   error
}

// NewEvaluator returns an evaluator for the tree.
func NewEvaluator[N comparable](t Tree[N]) *Evaluator[N] {
	return &Evaluator[N]{tree: t, total: totalBudget}
}

// frame is the context of an expression.
type frame[N comparable] struct {
	e         *Expr
	current   N
	node      N
	pos, size int
}

// Bool evaluates an expression with n as context node and current().
func (v *Evaluator[N]) Bool(e *Expr, n N) (bool, error) {
	out, err := v.Eval(e, n)
	return v.boolean(out), err
}

// Eval evaluates an expression with n as context node and current().
func (v *Evaluator[N]) Eval(e *Expr, n N) (Value[N], error) {
	outer, outerErr := v.left, v.err
	if outer == 0 {
		v.left = min(budget, v.total)
	}
	start := v.left
	v.err = nil
	out := v.eval(e.root, &frame[N]{e: e, current: n, node: n, pos: 1, size: 1})
	err := v.err
	v.err = outerErr
	if outer == 0 {
		v.total = max(v.total-(start-v.left), 1)
		v.left = 0
	}
	return out, err
}

func (v *Evaluator[N]) spend(n int) bool {
	if v.left -= n; v.left <= 0 {
		v.left = 1
		if v.err == nil {
			v.err = ErrTooMuch
		}
	}
	return v.err == nil
}

func (v *Evaluator[N]) wrongType() Value[N] {
	if v.err == nil {
		v.err = ErrType
	}
	return Value[N]{}
}

func (v *Evaluator[N]) eval(n node, f *frame[N]) Value[N] {
	if !v.spend(1) {
		return Value[N]{}
	}
	switch n := n.(type) {
	case *literal:
		return Value[N]{kind: kindString, s: n.text, lit: true}
	case *digits:
		return Value[N]{kind: kindNumber, n: n.value}
	case *negate:
		return Value[N]{kind: kindNumber, n: -v.number(v.eval(n.of, f))}
	case *binary:
		return v.binary(n, f)
	case *call:
		return v.call(n, f)
	case *path:
		return v.path(n, f)
	}
	return Value[N]{}
}

func (v *Evaluator[N]) binary(n *binary, f *frame[N]) Value[N] {
	boolean := func(b bool) Value[N] { return Value[N]{kind: kindBool, b: b} }
	switch n.op {
	case "or":
		return boolean(v.boolean(v.eval(n.left, f)) || v.boolean(v.eval(n.right, f)))
	case "and":
		return boolean(v.boolean(v.eval(n.left, f)) && v.boolean(v.eval(n.right, f)))
	}
	a, b := v.eval(n.left, f), v.eval(n.right, f)
	switch n.op {
	case "=", "!=", "<", "<=", ">", ">=":
		return boolean(v.compare(n.op, a, b, f))
	case "|":
		if a.kind != kindSet || b.kind != kindSet {
			return v.wrongType()
		}
		return Value[N]{set: v.ordered(append(slices.Clone(a.set), b.set...))}
	}
	x, y := v.number(a), v.number(b)
	out := Value[N]{kind: kindNumber}
	switch n.op {
	case "+":
		out.n = x + y
	case "-":
		out.n = x - y
	case "*":
		out.n = x * y
	case "div":
		out.n = x / y
	case "mod":
		out.n = math.Mod(x, y)
	}
	return out
}

// path walks a location path.
func (v *Evaluator[N]) path(p *path, f *frame[N]) Value[N] {
	var set []N
	switch {
	case p.from != nil:
		from := v.eval(p.from, f)
		if from.kind != kindSet {
			return v.wrongType()
		}
		set = from.set
		for i := range p.preds {
			set = v.filter(&p.preds[i], set, f, false)
		}
	case p.absolute:
		set = []N{v.tree.Root()}
	default:
		set = []N{f.node}
	}
	for i := range p.steps {
		set = v.step(&p.steps[i], set, f)
		if len(set) == 0 || v.err != nil {
			break
		}
	}
	return Value[N]{set: set}
}

func (v *Evaluator[N]) step(s *step, from []N, f *frame[N]) []N {
	var out []N
	for _, n := range from {
		set, done := v.indexed(s, n, f)
		if !done {
			set = v.axis(s, n)
			if !v.spend(1 + len(set)) {
				return nil
			}
			reverse := s.axis == axisAncestor || s.axis == axisAncestorOrSelf || s.axis == axisPrecedingSibling || s.axis == axisPreceding
			for i := range s.preds {
				set = v.filter(&s.preds[i], set, f, reverse)
			}
		}
		if len(from) == 1 {
			out = set
			break
		}
		out = append(out, set...)
	}
	switch s.axis {
	case axisChild, axisSelf, axisNone:
		return out // from distinct nodes these cannot meet
	}
	return v.ordered(out)
}

// indexed answers a step whose predicates are all leaf = value by the tree's
// index of the first one.
func (v *Evaluator[N]) indexed(s *step, n N, f *frame[N]) ([]N, bool) {
	if s.axis != axisChild || s.test != testName || s.name.Local == "" || len(s.preds) == 0 {
		return nil, false
	}
	for _, p := range s.preds {
		if p.value == nil {
			return nil, false
		}
	}
	first := s.preds[0]
	want := v.eval(first.value, f)
	var out []N
	switch want.kind {
	case kindString:
		// A literal may have to be put in canonical form first, for which a
		// node is needed: any child will do.
		got, ok := v.tree.Find(n, s.name, first.leaf, want.s)
		if !ok || len(got) == 0 {
			return nil, false
		}
		out = got
	case kindSet:
		for i, w := range want.set {
			got, ok := v.tree.Find(n, s.name, first.leaf, v.stringOf(w))
			if !ok {
				return nil, false
			}
			if i == 0 {
				out = got
			} else {
				out = append(slices.Clone(out), got...)
			}
		}
		if len(want.set) > 1 {
			out = v.ordered(slices.Clone(out))
		}
	default:
		return nil, false
	}
	if !v.spend(1 + len(out)) {
		return nil, true
	}
	for i := 1; i < len(s.preds); i++ {
		out = v.filter(&s.preds[i], out, f, false)
	}
	return out, true
}

// filter keeps the nodes for which a predicate holds.
func (v *Evaluator[N]) filter(p *pred, set []N, f *frame[N], reverse bool) []N {
	var out []N
	inner := frame[N]{e: f.e, current: f.current, size: len(set)}
	for i, n := range set {
		inner.node, inner.pos = n, i+1
		if reverse {
			inner.pos = len(set) - i
		}
		r := v.eval(p.expr, &inner)
		if v.err != nil {
			return nil
		}
		if r.kind == kindNumber && r.n == float64(inner.pos) || r.kind != kindNumber && v.boolean(r) {
			out = append(out, n)
		}
	}
	return out
}

// axis returns the nodes of an axis that pass the step's node test, in
// document order.
func (v *Evaluator[N]) axis(s *step, n N) []N {
	var zero N
	t := v.tree
	var out []N
	add := func(m N) {
		if m != zero && v.pass(s, m) {
			out = append(out, m)
		}
	}
	if s.test == testNone || s.axis == axisNone {
		return nil
	}
	if s.test == testText {
		// A leaf's text is not a node of its own here: the leaf stands for it.
		if _, leaf := t.Value(n); leaf && s.axis == axisChild {
			return []N{n}
		}
		return nil
	}
	switch s.axis {
	case axisChild:
		return t.Children(n, s.name)
	case axisSelf:
		add(n)
	case axisParent:
		add(t.Parent(n))
	case axisDescendant:
		v.descend(n, add)
	case axisDescendantOrSelf:
		add(n)
		v.descend(n, add)
	case axisAncestor, axisAncestorOrSelf:
		if s.axis == axisAncestorOrSelf {
			add(n)
		}
		for at := t.Parent(n); at != zero; at = t.Parent(at) {
			add(at)
		}
		slices.Reverse(out)
	case axisFollowingSibling, axisPrecedingSibling:
		p := t.Parent(n)
		if p == zero {
			return nil
		}
		for _, m := range t.Children(p, Name{}) {
			if m != n && (t.Order(m) > t.Order(n)) == (s.axis == axisFollowingSibling) {
				add(m)
			}
		}
	case axisFollowing, axisPreceding:
		above := map[N]bool{}
		for at := n; at != zero; at = t.Parent(at) {
			above[at] = true
		}
		below := map[N]bool{}
		v.descend(n, func(m N) { below[m] = true })
		v.descend(t.Root(), func(m N) {
			if !above[m] && !below[m] && (t.Order(m) > t.Order(n)) == (s.axis == axisFollowing) {
				add(m)
			}
		})
	}
	return out
}

func (v *Evaluator[N]) descend(n N, visit func(N)) {
	for _, m := range v.tree.Children(n, Name{}) {
		if !v.spend(1) {
			return
		}
		visit(m)
		v.descend(m, visit)
	}
}

func (v *Evaluator[N]) pass(s *step, n N) bool {
	if s.test != testName {
		return true
	}
	have := v.tree.Name(n)
	if have.Local == "" {
		return false // the root
	}
	return (s.name.Module == "" || s.name.Module == have.Module) && (s.name.Local == "" || s.name.Local == have.Local)
}

// ordered sorts into document order and drops duplicates.
func (v *Evaluator[N]) ordered(set []N) []N {
	if len(set) < 2 {
		return set
	}
	seen := make(map[N]bool, len(set))
	set = slices.DeleteFunc(set, func(n N) bool {
		was := seen[n]
		seen[n] = true
		return was
	})
	slices.SortStableFunc(set, func(a, b N) int { return v.tree.Order(a) - v.tree.Order(b) })
	return set
}
