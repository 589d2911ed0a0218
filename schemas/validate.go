package schemas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// Validate checks everything that RFC 7950 §8 demands of a datastore: what is
// mandatory, counts, keys, unique, choices, references, when and must. The
// error joins a *PathError for each fault; it is found in one pass.
func (s *Set) Validate(t *Tree) error {
	if t.set != s {
		return fmt.Errorf("the tree was read with another schema set")
	}
	v := newValidator(t)
	v.node(t.root)
	if len(v.errs) == 0 {
		return nil
	}
	return joinPaths(v.errs, 0)
}

// validator holds what one validation computes: the tree itself stays as it
// is, so that validations can run at the same time.
type validator struct {
	set      *Set
	tree     *Tree
	eval     *xpath.Evaluator[*item]
	errs     []*PathError
	lists    map[listKey]map[string][]*item
	targets  map[targetKey]map[string]bool
	whens    map[*item]int8              // 1 true, 2 false, 3 being evaluated
	derived  map[*item]map[*Node][]*item // children that nobody wrote, made on demand
	patterns map[string]*pattern         // of re-match
	view     view                        // of the expression that is being evaluated
}

// view is how the tree that an expression sees differs from the whole one.
type view struct {
	// config: state does not exist, since the expression is one of
	// configuration (§6.4.1).
	config bool
	// parent has other children than else while a when is evaluated (§7.21.5):
	// dummy, which has no value and no children, stands for all instances of
	// its schema node, and what without makes conditional is not there.
	parent  *item
	dummy   *item
	without *condition
}

// hides reports whether the condition being evaluated is one on which the
// children of that schema node depend.
func (w *view) hides(n *Node) bool {
	if w.without == nil {
		return false
	}
	for at := n; at != nil; at = at.parent {
		if slices.Contains(at.whens, w.without) {
			return true
		}
		if at != n && at.isDataOrRoot() {
			return false
		}
	}
	return false
}

// bool evaluates an expression of the schema node n in its view.
func (v *validator) bool(e *xpath.Expr, at *item, n *Node, w view) (bool, error) {
	was := v.view
	w.config = n.config && !n.action
	v.view = w
	ok, err := v.eval.Bool(e, at)
	v.view = was
	return ok, err
}

type listKey struct {
	parent *item
	list   *Node
	leaf   *Node
}

type targetKey struct {
	from   *item
	target *Node
}

func newValidator(t *Tree) *validator {
	v := &validator{
		set: t.set, tree: t,
		lists:    make(map[listKey]map[string][]*item),
		targets:  make(map[targetKey]map[string]bool),
		whens:    make(map[*item]int8),
		derived:  make(map[*item]map[*Node][]*item),
		patterns: make(map[string]*pattern),
	}
	v.eval = xpath.NewEvaluator[*item](v)
	return v
}

func (v *validator) report(it *item, rule, tag, text string) {
	line, column := v.tree.text.position(it.nearest())
	v.errs = append(v.errs, &PathError{Path: it.path(), Rule: rule, Line: line, Column: column, Message: text, AppTag: tag})
}

// nearest returns the offset of the item or of the nearest one above that was
// in the input.
func (it *item) nearest() int {
	for at := it; at != nil; at = at.parent {
		if at.offset >= 0 {
			return at.offset
		}
	}
	return -1
}

// node validates one item and everything below it.
func (v *validator) node(it *item) {
	if len(v.errs) > 2*maxDataErrors {
		return
	}
	n := it.schema
	if n.conditional && it.offset >= 0 && !v.when(it) {
		v.report(it, "RFC 7950 §7.21.5", "", fmt.Sprintf("the %s is not allowed here: its condition %q is false", n.kind, clip(v.falseWhen(it))))
	}
	for _, m := range n.musts {
		v.must(it, m)
	}
	if n.leafy() {
		if it.offset >= 0 && it.val.ref != nil {
			v.reference(it)
		}
		return
	}
	for i := range it.groups {
		g := &it.groups[i]
		if len(g.items) > 1 || g.schema.min > 0 || g.schema.max > 0 {
			v.group(it, g)
		}
		for _, k := range g.items {
			v.node(k)
		}
	}
	v.choices(it, n)
	for _, k := range n.required {
		v.missing(it, k)
	}
}

// must checks one condition.
func (v *validator) must(it *item, m *condition) {
	ok, err := v.bool(m.expr, it, it.schema, view{})
	switch {
	case err != nil:
		v.report(it, "RFC 7950 §7.5.3", "", fmt.Sprintf("must %q: %v", clip(m.expr.String()), err))
	case !ok:
		text, tag := fmt.Sprintf("the condition %q is not met", clip(m.expr.String())), "must-violation"
		if m.msg != nil {
			if m.msg.text != "" {
				text = m.msg.text
			}
			if m.msg.tag != "" {
				tag = m.msg.tag
			}
		}
		v.report(it, "RFC 7950 §7.5.3", tag, text)
	}
}

// when evaluates the conditions on which an item may exist. One that depends
// on itself counts as false: such a model has no meaning (§7.21.5).
func (v *validator) when(it *item) bool {
	if !it.schema.conditional {
		return true
	}
	switch v.whens[it] {
	case 1:
		return true
	case 2, 3:
		return false
	}
	v.whens[it] = 3
	ok := v.falseWhen(it) == ""
	v.whens[it] = 2
	if ok {
		v.whens[it] = 1
	}
	return ok
}

func (n *Node) isDataOrRoot() bool { return n != nil && n.kind != KindChoice && n.kind != KindCase }

// falseWhen returns the first condition that does not hold, or "". Those of
// the choices and cases around the node count too.
func (v *validator) falseWhen(it *item) string {
	for n := it.schema; n != nil; n = n.parent {
		if n != it.schema && n.isDataOrRoot() {
			break
		}
		for _, w := range n.whens {
			at, see := it.parent, view{parent: it.parent, without: w}
			if !w.up && n == it.schema {
				at = &item{schema: n, parent: it.parent, offset: -1, order: it.order}
				see = view{parent: it.parent, dummy: at}
			}
			if ok, err := v.bool(w.expr, at, n, see); err != nil || !ok {
				return w.expr.String()
			}
		}
	}
	return ""
}

// reference checks that a leafref or instance-identifier leads to something;
// a value of a union may fit a later member if it does not.
func (v *validator) reference(it *item) {
	if !it.val.ref.require {
		return
	}
	if v.leads(it, it.val) {
		return
	}
	n := it.schema
	h := hintString
	switch b := it.val.typ.Base; {
	case b.integer() && b != BaseInt64 && b != BaseUint64:
		h = hintNumber
	case b == BaseBoolean:
		h = hintBool
	case b == BaseEmpty:
		h = hintNull
	}
	r := v.set.reading(n, h)
	r.guessed = true
	r.accept = func(t *Type, val value) bool { return v.leads(it, val) }
	_, err := r.read(n.typ, it.val.text)
	if err == nil {
		return
	}
	tag := err.tag
	if tag == "" {
		tag = "instance-required"
	}
	v.report(it, err.rule, tag, err.text)
}

// leads reports whether a value leads to an existing node.
func (v *validator) leads(it *item, val value) bool {
	if val.ref.Base == BaseInstanceIdentifier {
		p, err := v.set.parsePath(val.text, func(m string) (string, bool) { return m, true }, false)
		return err == nil && len(v.tree.root.find(p, v.children)) > 0
	}
	r := it.schema.refs[val.ref]
	if r.preds {
		was := v.view
		v.view = view{}
		out, err := v.eval.Eval(r.expr, it)
		v.view = was
		if err != nil {
			return false
		}
		for _, n := range out.Nodes() {
			if n.val.text == val.text {
				return true
			}
		}
		return false
	}
	from := v.tree.root
	if r.ups >= 0 {
		from = it
		for range r.ups {
			from = from.parent
		}
	}
	key := targetKey{from, r.target}
	values, ok := v.targets[key]
	if !ok {
		values = make(map[string]bool)
		v.gather(from, r.steps, values)
		v.targets[key] = values
	}
	return values[val.text]
}

// gather collects the values at the end of a path without predicates.
func (v *validator) gather(from *item, steps []name, values map[string]bool) {
	if len(steps) == 0 {
		values[from.val.text] = true
		return
	}
	n := from.schema.kids[steps[0]]
	if n == nil {
		return
	}
	for _, k := range v.children(from, n) {
		v.gather(k, steps[1:], values)
	}
}

// group checks what concerns all entries of a list or leaf-list together.
func (v *validator) group(it *item, g *group) {
	n := g.schema
	if n.min > 0 && len(g.items) < n.min {
		v.report(it, "RFC 7950 §7.7.5", "too-few-elements", fmt.Sprintf("%s %q has %s, at least %d are needed", n.kind, n.name, entries(len(g.items)), n.min))
	}
	if n.max > 0 && len(g.items) > n.max {
		v.report(g.items[n.max], "RFC 7950 §7.7.6", "too-many-elements", fmt.Sprintf("%s %q has %s, at most %d are allowed", n.kind, n.name, entries(len(g.items)), n.max))
	}
	if len(g.items) < 2 {
		return
	}
	switch {
	case n.kind == KindLeafList && n.config:
		seen := make(map[string]bool, len(g.items))
		for _, k := range g.items {
			if seen[k.val.text] {
				v.report(k, "RFC 7950 §7.7", "", "the value is there twice")
			}
			seen[k.val.text] = true
		}
	case n.kind == KindList && len(n.keys) > 0:
		seen := make(map[string]*item, len(g.items))
		var b strings.Builder
		for _, k := range g.items {
			b.Reset()
			for _, key := range k.keys {
				if key != nil {
					fmt.Fprintf(&b, "%d:%s", len(key.val.text), key.val.text)
				}
			}
			if first := seen[b.String()]; first != nil {
				v.report(k, "RFC 7950 §7.8.2", "", fmt.Sprintf("an entry with this key is there already (line %d)", v.tree.line(first.offset)))
			} else {
				seen[b.String()] = k
			}
		}
	}
	for _, u := range n.unique {
		v.unique(g, u)
	}
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// unique checks one unique statement: entries that have all its leaves, by
// default too, must differ in one of them (§7.8.3).
func (v *validator) unique(g *group, leaves []*Node) {
	seen := make(map[string]*item, len(g.items))
	var names []string
	for _, l := range leaves {
		names = append(names, l.name)
	}
next:
	for _, k := range g.items {
		var b strings.Builder
		for _, l := range leaves {
			leaf := v.descendant(k, l)
			if leaf == nil {
				continue next
			}
			fmt.Fprintf(&b, "%d:%s", len(leaf.val.text), leaf.val.text)
		}
		if first := seen[b.String()]; first != nil {
			v.report(k, "RFC 7950 §7.8.3", "data-not-unique", fmt.Sprintf("the values of %s are those of the entry in line %d", strings.Join(names, ", "), v.tree.line(first.offset)))
			continue
		}
		seen[b.String()] = k
	}
}

// descendant finds a leaf below an entry by containers alone.
func (v *validator) descendant(it *item, leaf *Node) *item {
	var way []*Node
	for n := leaf; n != it.schema; n = n.dataParent() {
		way = append(way, n)
	}
	slices.Reverse(way)
	at := it
	for _, n := range way {
		got := v.children(at, n)
		if len(got) == 0 {
			return nil
		}
		at = got[0]
	}
	return at
}

// choices checks that of each choice only one case has nodes (§7.9).
func (v *validator) choices(it *item, n *Node) {
	for _, c := range n.children {
		if c.kind != KindChoice {
			continue
		}
		var chosen *Node
		var first *item
		for _, k := range c.children {
			if with := it.hasAny(k); with != nil {
				if chosen != nil {
					v.report(with, "RFC 7950 §7.9", "", fmt.Sprintf("%q excludes %q: the choice %q allows one of them", first.schema.name, with.schema.name, c.name))
					break
				}
				chosen, first = k, with
			}
		}
		if chosen != nil {
			v.choices(it, chosen)
		}
	}
}

// hasAny returns an item whose schema node is below the choice or case n. An
// empty container that exists anyway (§7.5.1) chooses nothing.
func (it *item) hasAny(n *Node) *item {
	for _, g := range it.groups {
		at := g.schema.parent
		for at != it.schema && at != n && at != nil {
			at = at.parent
		}
		if at == n && !g.items[0].leafless(false) {
			return g.items[0]
		}
	}
	return nil
}

// missing checks a child that demand has marked, if it is absent.
func (v *validator) missing(it *item, n *Node) {
	if v.tree.configOnly && !n.config {
		return
	}
	switch n.kind {
	case KindChoice:
		var chosen *Node
		for _, k := range n.children {
			if it.hasAny(k) != nil {
				chosen = k
			}
		}
		if chosen == nil {
			if n.mandatory && v.possible(it, n) {
				var names []string
				for _, k := range n.children {
					names = append(names, k.name)
				}
				v.report(it, "RFC 7950 §7.9.4", "missing-choice", fmt.Sprintf("one case of the choice %q is needed: %s", n.name, strings.Join(names, ", ")))
			}
			chosen = n.dfltCase
		}
		if chosen != nil {
			for _, k := range chosen.required {
				v.missing(it, k)
			}
		}
		return
	case KindCase:
		return
	}
	if it.of(n) != nil {
		return // checked where it is
	}
	switch n.kind {
	case KindList, KindLeafList:
		if n.min > 0 && v.possible(it, n) {
			v.report(it, "RFC 7950 §7.7.5", "too-few-elements", fmt.Sprintf("%s %q has no entry, at least %d are needed", n.kind, n.name, n.min))
			return
		}
	case KindLeaf, KindAnyData, KindAnyXML:
		if n.mandatory {
			if v.possible(it, n) {
				v.report(it, "RFC 7950 §7.6.5", "", fmt.Sprintf("the mandatory %s %q is missing", n.kind, n.name))
			}
			return
		}
	}
	for _, k := range v.children(it, n) { // a container that exists all the same, or defaults
		v.node(k)
	}
}

// possible reports whether a node that is absent could be there: its
// conditions hold.
func (v *validator) possible(it *item, n *Node) bool {
	return v.when(&item{schema: n, parent: it, offset: -1, order: it.order, groups: nil})
}
