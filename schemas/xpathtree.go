package schemas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// The methods here make a validator the tree that XPath expressions see: the
// accessible tree of RFC 7950 §6.4.1, with containers that exist because their
// parents do, and default values.

// children returns the children of a schema node, with defaults and containers
// that nobody wrote.
func (v *validator) children(it *item, n *Node) []*item {
	if w := &v.view; w.parent != nil || w.config {
		switch {
		case w.config && !n.config, w.dummy != nil && it == w.dummy:
			return nil
		case it != w.parent:
		case w.dummy != nil && n == w.dummy.schema:
			return []*item{w.dummy}
		case w.hides(n):
			return nil
		}
	}
	if got := it.of(n); got != nil {
		return got
	}
	switch {
	case v.tree.configOnly && !n.config:
		return nil
	case n.virtual():
	case n.leafy() && len(n.dflts) > 0:
	default:
		return nil
	}
	if got, ok := v.derived[it][n]; ok {
		return got
	}
	if !v.caseChosen(it, n) {
		return nil
	}
	var out []*item
	if n.leafy() {
		for i, d := range n.dflts {
			k := &item{schema: n, parent: it, offset: -1, order: it.order, val: value{text: d, typ: n.dfltTypes[i]}}
			if i == 0 && !v.when(k) {
				return nil
			}
			out = append(out, k)
		}
	} else {
		k := &item{schema: n, parent: it, offset: -1, order: it.order}
		if !v.when(k) {
			return nil
		}
		out = []*item{k}
	}
	if v.derived[it] == nil {
		v.derived[it] = make(map[*Node][]*item)
	}
	v.derived[it][n] = out
	return out
}

// caseChosen reports whether the defaults of a node in a choice count: its
// case is chosen, or it is the default case and none is (§7.9.3).
func (v *validator) caseChosen(it *item, n *Node) bool {
	for at := n.parent; at != nil && at != it.schema; at = at.parent {
		if at.kind != KindCase {
			continue
		}
		if it.hasAny(at) != nil {
			continue
		}
		if at.parent.dfltCase != at || it.hasAny(at.parent) != nil {
			return false
		}
	}
	return true
}

// Root returns the root of the tree.
func (v *validator) Root() *item { return v.tree.root }

// Parent returns the item above, nil for the root.
func (v *validator) Parent(it *item) *item { return it.parent }

// Children returns the children with the name.
func (v *validator) Children(it *item, want xpath.Name) []*item {
	if want.Module != "" && want.Local != "" {
		n := it.schema.kids[name{want.Module, want.Local}]
		if n == nil {
			return nil
		}
		return v.children(it, n)
	}
	var out []*item
	nodes := make([]*Node, 0, len(it.schema.kids))
	for _, n := range it.schema.kids {
		if (want.Module == "" || n.module.Name == want.Module) && (want.Local == "" || n.name == want.Local) {
			nodes = append(nodes, n)
		}
	}
	slices.SortFunc(nodes, compareNames)
	for _, n := range nodes {
		out = append(out, v.children(it, n)...)
	}
	slices.SortStableFunc(out, func(a, b *item) int { return a.order - b.order })
	return out
}

// Name returns the name of an item; that of the root is empty.
func (v *validator) Name(it *item) xpath.Name {
	if it.parent == nil {
		return xpath.Name{}
	}
	return xpath.Name{Module: it.schema.module.Name, Local: it.schema.name}
}

// Namespace returns the XML namespace of a module.
func (v *validator) Namespace(module string) string {
	if m := v.set.byName[module]; m != nil {
		return m.Namespace
	}
	return ""
}

// Value returns a leaf's value.
func (v *validator) Value(it *item) (string, bool) { return it.val.text, it.schema.leafy() }

// Order returns the place in the document.
func (v *validator) Order(it *item) int { return it.order }

// Find answers [leaf = value] by an index of the list, made at first use.
func (v *validator) Find(it *item, child, leaf xpath.Name, text string) ([]*item, bool) {
	list := it.schema.kids[name{child.Module, child.Local}]
	if list == nil || list.kind != KindList {
		return nil, false
	}
	l := list.kids[name{leaf.Module, leaf.Local}]
	entries := it.of(list)
	if l == nil || l.kind != KindLeaf || len(entries) < 8 {
		return nil, false
	}
	if w := &v.view; w.config && !(list.config && l.config) || w.dummy != nil && (w.dummy.schema == list || w.dummy.schema == l) || w.hides(list) || w.hides(l) {
		return nil, false // the index is of the whole tree
	}
	key := listKey{it, list, l}
	index, ok := v.lists[key]
	if !ok {
		index = make(map[string][]*item, len(entries))
		for _, e := range entries {
			for _, k := range v.children(e, l) {
				index[k.val.text] = append(index[k.val.text], e)
			}
		}
		v.lists[key] = index
	}
	return index[text], true
}

// Canonical puts a literal of an expression into the form that values of the
// leaf have: of identities, the prefix becomes the module's name.
func (v *validator) Canonical(it *item, s string, names xpath.Names) string {
	if it.val.typ == nil || it.val.typ.Base == BaseString {
		return s
	}
	r := &reading{set: v.set, node: it.schema, hide: true, module: func(p string) (string, bool) {
		if p == "" {
			return it.schema.module.Name, true
		}
		return names.Prefix(p)
	}}
	if got, err := r.read(it.val.typ, s); err == nil {
		return got.text
	}
	return s
}

// Deref returns what a leafref or instance-identifier leads to.
func (v *validator) Deref(it *item) []*item {
	if it.val.ref == nil {
		return nil
	}
	if it.val.ref.Base == BaseInstanceIdentifier {
		p, err := v.set.parsePath(it.val.text, func(m string) (string, bool) { return m, true }, false)
		if err != nil {
			return nil
		}
		return v.tree.root.find(p, v.children)
	}
	r := it.schema.refs[it.val.ref]
	if r == nil {
		return nil
	}
	var all []*item
	if r.preds {
		out, err := v.eval.Eval(r.expr, it)
		if err != nil {
			return nil
		}
		all = out.Nodes()
	} else {
		from := v.tree.root
		if r.ups >= 0 {
			from = it
			for range r.ups {
				from = from.parent
			}
		}
		all = v.targetItems(from, r.steps, it.val.text)
	}
	var out []*item
	for _, k := range all {
		if k.val.text == it.val.text {
			out = append(out, k)
		}
	}
	return out
}

// targetItems walks a path without predicates; the last list on the way is
// searched by an index if the path ends in one of its leaves.
func (v *validator) targetItems(from *item, steps []name, text string) []*item {
	if len(steps) == 2 {
		list, leaf := steps[0], steps[1]
		if got, ok := v.Find(from, xpath.Name{Module: list.module, Local: list.local}, xpath.Name{Module: leaf.module, Local: leaf.local}, text); ok {
			var out []*item
			for _, e := range got {
				out = append(out, v.children(e, e.schema.kids[leaf])...)
			}
			return out
		}
	}
	if len(steps) == 0 {
		return []*item{from}
	}
	n := from.schema.kids[steps[0]]
	if n == nil {
		return nil
	}
	var out []*item
	for _, k := range v.children(from, n) {
		out = append(out, v.targetItems(k, steps[1:], text)...)
	}
	return out
}

// DerivedFrom implements derived-from and derived-from-or-self.
func (v *validator) DerivedFrom(it *item, identity string, orSelf bool, names xpath.Names) bool {
	if it.val.typ == nil || it.val.typ.Base != BaseIdentityref {
		return false
	}
	module, local := names.Default, identity
	if p, l, ok := strings.Cut(identity, ":"); ok {
		m, known := names.Prefix(p)
		if !known {
			return false
		}
		module, local = m, l
	}
	want := module + ":" + local
	have := v.set.idents[it.val.text]
	return have != nil && (have.up[want] || orSelf && it.val.text == want)
}

// EnumValue returns the integer of an enumeration's value.
func (v *validator) EnumValue(it *item) (int64, bool) {
	if it.val.typ == nil || it.val.typ.Base != BaseEnumeration {
		return 0, false
	}
	i, ok := it.val.typ.enumAt[it.val.text]
	if !ok {
		return 0, false
	}
	return it.val.typ.enums[i].value, true
}

// BitIsSet reports whether a bit is set.
func (v *validator) BitIsSet(it *item, bit string) bool {
	return it.val.typ != nil && it.val.typ.Base == BaseBits && slices.Contains(strings.Fields(it.val.text), bit)
}

// Match implements re-match.
func (v *validator) Match(s, expr string) (bool, error) {
	p, ok := v.patterns[expr]
	if !ok {
		var err error
		if p, err = newPattern(expr); err != nil {
			return false, fmt.Errorf("pattern %q: %w", clip(expr), err)
		}
		v.patterns[expr] = p
	}
	if !p.affordable(s) {
		return false, fmt.Errorf("a value of %s is too long to be matched with the pattern %q", plural(len(s), "byte"), clip(expr))
	}
	return p.match(s), nil
}
