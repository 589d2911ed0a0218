package schemas

import (
	"fmt"
	"slices"
)

// Apply returns the configuration of t with the edits made, in their order. It
// fails with a *PathError if an edit does not fit: what it creates is there,
// or what it deletes, replaces or moves is not. Edits come from Diff; the
// result is not validated.
func (t *Tree) Apply(edits []Edit) (*Tree, error) {
	out := &Tree{set: t.set, root: t.root.normal(nil), info: t.info, configOnly: t.configOnly}
	for _, e := range edits {
		if err := out.apply(e); err != nil {
			return nil, err
		}
	}
	out.root = out.root.normal(nil)
	out.root.renumber(&out.size)
	return out, nil
}

func (it *item) renumber(n *int) {
	it.order, it.offset = *n, -1
	for _, g := range it.groups {
		for _, k := range g.items {
			*n++
			k.renumber(n)
		}
	}
}

func (t *Tree) apply(e Edit) error {
	about := e.new
	if about == nil {
		about = e.old
	}
	fail := func(format string, args ...any) error {
		return &PathError{Path: e.Path, Rule: "RFC 8072 §2.5", Message: fmt.Sprintf(string(e.Op)+": "+format, args...)}
	}
	if about == nil {
		return fail("the edit does not come from Diff")
	}
	parent := t.root.counterpart(about.parent)
	if parent == nil {
		return fail("the node above is not there")
	}
	n := about.schema
	items := parent.of(n)
	i := slices.IndexFunc(items, func(k *item) bool { return k.same(about) })
	if e.Op == OpCreate && i >= 0 {
		return fail("the node is there already")
	}
	if e.Op != OpCreate && i < 0 {
		return fail("the node is not there")
	}
	items = slices.Clone(items)
	switch e.Op {
	case OpReplace:
		items[i] = e.new.normal(parent)
	case OpDelete:
		items = slices.Delete(items, i, i+1)
	case OpCreate, OpMove:
		k := e.new.normal(parent)
		if e.Op == OpMove {
			k = items[i] // its content may have edits of its own
			items = slices.Delete(items, i, i+1)
		}
		place := len(items)
		if n.userOrder {
			place = 0
			if e.After != "" {
				place = 1 + slices.IndexFunc(items, func(k *item) bool { return k.path() == e.After })
				if place == 0 {
					return fail("the entry before it is not there")
				}
			}
		}
		items = slices.Insert(items, place, k)
	}
	parent.set(n, items)
	return nil
}

// set replaces the children of a schema node.
func (it *item) set(n *Node, items []*item) {
	it.groups = slices.DeleteFunc(it.groups, func(g group) bool { return g.schema == n })
	if len(items) > 0 {
		it.groups = append(it.groups, group{n, items})
	}
}

// same reports whether two items of one schema node are the same node.
func (it *item) same(other *item) bool {
	switch it.schema.kind {
	case KindList, KindLeafList:
		return it.identity() == other.identity()
	}
	return true
}

// counterpart finds the node of another tree that is the same as that one.
func (it *item) counterpart(other *item) *item {
	if other.parent == nil {
		return it
	}
	up := it.counterpart(other.parent)
	if up == nil {
		return nil
	}
	for _, k := range up.of(other.schema) {
		if k.same(other) {
			return k
		}
	}
	return nil
}
