package schemas

import (
	"fmt"
	"slices"
)

// Select returns the part of the data to which instance paths lead: what is at
// or below them, the nodes above, and the keys of the entries on the way. List
// steps may leave their predicates out to mean all entries. A path that the
// schema does not have is an error; one that leads to nothing is not.
func (t *Tree) Select(paths ...string) (*Tree, error) {
	keep := make(map[*item]bool)
	for _, path := range paths {
		found, err := t.find(path)
		if err != nil {
			return nil, err
		}
		for _, it := range found {
			keep[it] = true
		}
	}
	return t.part(func(it *item) bool { return keep[it] }), nil
}

// Class says of which kind nodes are that Classified selects; of each field
// the zero value stands for any.
type Class struct {
	Secret, Volatile bool
	Bind             string // "portable", "model", "unit" or "version"
}

// Classified is Select of the leaves, anydata and anyxml that our extensions
// put into the class.
func (t *Tree) Classified(c Class) *Tree {
	return t.part(func(it *item) bool {
		n := it.schema
		return (n.leafy() || it.raw != "") && (!c.Secret || n.secret) && (!c.Volatile || n.volatile) && (c.Bind == "" || n.Bind() == c.Bind)
	})
}

func (t *Tree) find(path string) ([]*item, error) {
	if path == "/" {
		return []*item{t.root}, nil
	}
	p, err := t.set.parsePath(path, func(m string) (string, bool) { _, ok := t.set.byName[m]; return m, ok }, true)
	if err != nil {
		return nil, fmt.Errorf("path %s: %w", clip(path), err)
	}
	return t.root.find(p, (*item).of), nil
}

// part copies what keep says, with all that is below, and what leads there.
func (t *Tree) part(keep func(*item) bool) *Tree {
	out := &Tree{set: t.set, text: t.text, info: t.info, configOnly: t.configOnly}
	whole := t.copier(out)
	var walk func(it, parent *item) *item
	walk = func(it, parent *item) *item {
		if it.parent != nil && keep(it) {
			return whole(it, parent)
		}
		if it.schema.leafy() {
			return nil
		}
		k := &item{schema: it.schema, parent: parent, offset: it.offset, order: it.order}
		for _, g := range it.groups {
			if g.schema.keyIndex > 0 && it.schema.kind == KindList {
				continue
			}
			var items []*item
			for _, c := range g.items {
				if got := walk(c, k); got != nil {
					items = append(items, got)
				}
			}
			if items != nil {
				k.groups = append(k.groups, group{g.schema, items})
			}
		}
		all := keep(it)
		wanted := len(k.groups) > 0 || all || slices.ContainsFunc(it.keys, func(key *item) bool { return key != nil && keep(key) })
		if !wanted && it.parent != nil {
			return nil
		}
		for _, key := range it.keys {
			if key != nil {
				k.groups = append(k.groups, group{key.schema, []*item{whole(key, k)}})
			}
		}
		k.bindKeys()
		return k
	}
	if keep(t.root) {
		out.root = whole(t.root, nil)
	} else {
		out.root = walk(t.root, nil)
	}
	out.root.count(&out.size)
	return out
}

// copier returns a function that copies nodes of t into out, with their
// annotations and what is below them.
func (t *Tree) copier(out *Tree) func(it, parent *item) *item {
	var cp func(it, parent *item) *item
	cp = func(it, parent *item) *item {
		k := &item{schema: it.schema, parent: parent, val: it.val, raw: it.raw, offset: it.offset, order: it.order}
		if meta := t.meta[it]; meta != nil {
			if out.meta == nil {
				out.meta = make(map[*item][]annotation)
			}
			out.meta[k] = meta
		}
		if it.groups != nil {
			k.groups = make([]group, len(it.groups))
			for i, g := range it.groups {
				items := make([]*item, len(g.items))
				for j, c := range g.items {
					items[j] = cp(c, k)
				}
				k.groups[i] = group{g.schema, items}
			}
		}
		k.bindKeys()
		return k
	}
	return cp
}
