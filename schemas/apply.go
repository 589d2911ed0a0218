package schemas

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Apply returns the data of t with the edits made, in their order: all of them
// or none. It fails with a *PathError if an edit does not fit: what it creates
// is there, or what it deletes or moves is not. Edits come from Diff; the
// result is not validated.
func (t *Tree) Apply(edits []Edit) (*Tree, error) {
	a := newApplier(t)
	for _, e := range edits {
		c, err := e.change()
		if err == nil {
			err = a.apply(c)
		}
		if err != nil {
			return nil, &PathError{Path: e.Path, Rule: "RFC 8072 §2.5", Message: fmt.Sprintf("%s: %v", e.Op, err)}
		}
	}
	return a.tree(), nil
}

// change is one edit to be made, wherever it comes from.
type change struct {
	op    Op
	path  instancePath // empty: everything
	value *item        // what is created, replaced or merged; of everything, its root
	where string       // of insert and move: "first", "last", "before", "after"
	point instancePath // for before and after: the other entry
}

// editError says why an edit does not fit, in the words of RFC 8040 §7.
type editError struct{ tag, text string }

func (e *editError) Error() string { return e.text }

func editErrorf(tag, format string, args ...any) error {
	return &editError{tag, fmt.Sprintf(format, args...)}
}

// change turns an edit of Diff into a change.
func (e Edit) change() (change, error) {
	about := e.new
	if about == nil {
		about = e.old
	}
	if about == nil {
		return change{}, errors.New("the edit does not come from Diff")
	}
	c := change{op: e.Op, path: about.location(), value: e.new}
	if e.Op == OpInsert || e.Op == OpMove {
		c.where = "first"
		if e.after != nil {
			c.where, c.point = "after", e.after.location()
		}
	}
	return c, nil
}

// applier changes a copy of a tree.
type applier struct {
	from  *Tree
	out   *Tree
	index map[entriesKey]map[string]*item
}

type entriesKey struct {
	parent *item
	list   *Node
}

func newApplier(t *Tree) *applier {
	a := &applier{from: t, index: make(map[entriesKey]map[string]*item)}
	a.out = t.clone()
	a.out.root.plainCases()
	return a
}

// plainCases makes every case of a choice that is not the default one say that
// it is chosen as the canonical form does: defaults that are written out there
// would stay, and keep the case, when an edit deletes what Diff sees of it.
func (it *item) plainCases() {
	for _, g := range it.groups {
		for _, k := range g.items {
			if k.groups != nil {
				k.plainCases()
			}
		}
	}
	was := &item{schema: it.schema, groups: slices.Clone(it.groups)}
	it.groups = slices.DeleteFunc(it.groups, func(g group) bool {
		for at := g.schema.parent; at != nil && at != it.schema; at = at.parent {
			if at.kind == KindCase && at.parent.dfltCase != at {
				return g.redundant()
			}
		}
		return false
	})
	if len(was.groups) > len(it.groups) {
		was.keepCases(it.schema, it, func(k *item) *item { return k.copyOf(it) })
	}
}

// redundant reports whether a group says nothing but defaults.
func (g group) redundant() bool {
	if g.schema.trimmable && isDefault(g) {
		return true
	}
	if !g.schema.virtual() {
		return false
	}
	return !slices.ContainsFunc(g.items[0].groups, func(k group) bool { return !k.redundant() })
}

// clone copies a tree with its annotations.
func (t *Tree) clone() *Tree {
	out := &Tree{set: t.set, info: t.info, configOnly: t.configOnly}
	out.root = t.copier(out)(t.root, nil)
	return out
}

// tree returns the result.
func (a *applier) tree() *Tree {
	a.out.size = 0
	a.out.root.renumber(&a.out.size)
	return a.out
}

// renumber gives the nodes of a tree that was made their order. None is a
// default, and their tree has no text in which they could be.
func (it *item) renumber(n *int) {
	it.order, it.offset = *n, 0
	for _, g := range it.groups {
		for _, k := range g.items {
			*n++
			k.renumber(n)
		}
	}
}

// child finds the node of a step, or nil.
func (a *applier) child(parent *item, s pathStep) *item {
	items := parent.of(s.node)
	if len(items) == 0 {
		return nil
	}
	if s.node.kind != KindList && s.node.kind != KindLeafList {
		return items[0]
	}
	return a.entries(parent, s.node)[s.identity()]
}

func (a *applier) entries(parent *item, n *Node) map[string]*item {
	key := entriesKey{parent, n}
	if a.index[key] == nil {
		m := make(map[string]*item)
		for _, k := range parent.of(n) {
			m[k.identity()] = k
		}
		a.index[key] = m
	}
	return a.index[key]
}

// identity is that of the entry that the step names.
func (s pathStep) identity() string {
	if s.node.kind == KindLeafList {
		return "." + s.keys[0]
	}
	var b strings.Builder
	for _, k := range s.keys {
		fmt.Fprintf(&b, "%d:%s", len(k), k)
	}
	return b.String()
}

// parent finds the node above the target. Containers that exist because their
// parents do are made.
func (a *applier) parent(path instancePath) (*item, error) {
	at := a.out.root
	for i, s := range path[:len(path)-1] {
		k := a.child(at, s)
		if k == nil {
			if !s.node.virtual() {
				return nil, editErrorf("data-missing", "%s is not there", path[:i+1].shown())
			}
			k = &item{schema: s.node, parent: at, offset: -1}
			a.otherCases(at, s.node)
			a.attach(at, k, len(at.of(s.node)))
		}
		at = k
	}
	return at, nil
}

// attach puts a node among its siblings.
func (a *applier) attach(parent, k *item, place int) {
	n := k.schema
	k.parent = parent
	if n.kind == KindList || n.kind == KindLeafList {
		a.entries(parent, n)[k.identity()] = k
	}
	for i := range parent.groups {
		if g := &parent.groups[i]; g.schema == n {
			g.items = slices.Insert(g.items, place, k)
			return
		}
	}
	parent.groups = append(parent.groups, group{n, []*item{k}})
}

func (a *applier) detach(k *item) {
	if m := a.index[entriesKey{k.parent, k.schema}]; m != nil {
		delete(m, k.identity())
	}
	for i := range k.parent.groups {
		g := &k.parent.groups[i]
		if g.schema != k.schema {
			continue
		}
		j := slices.Index(g.items, k)
		g.items = slices.Delete(g.items, j, j+1)
		if len(g.items) == 0 {
			k.parent.groups = slices.Delete(k.parent.groups, i, i+1)
		}
		return
	}
}

// otherCases removes the nodes of other cases: creating a node of one case
// deletes those of all others (RFC 7950 §7.9).
func (a *applier) otherCases(parent *item, n *Node) {
	for at := n.parent; at != nil && at != parent.schema; at = at.parent {
		if at.kind != KindCase {
			continue
		}
		for _, other := range at.parent.children {
			for other != at {
				k := parent.hasAny(other)
				if k == nil {
					break
				}
				for _, gone := range slices.Clone(parent.of(k.schema)) {
					a.detach(gone)
				}
			}
		}
	}
}

func (a *applier) apply(c change) error {
	if len(c.path) == 0 {
		return a.everything(c)
	}
	last := c.path[len(c.path)-1]
	n := last.node
	if (c.op == OpInsert || c.op == OpMove) && !n.userOrder {
		return editErrorf("invalid-value", "%s %q is not ordered by the user", n.kind, n.name)
	}
	parent, err := a.parent(c.path)
	if err != nil {
		if c.op == OpRemove {
			return nil
		}
		return err
	}
	old := a.child(parent, last)
	switch c.op {
	case OpDelete, OpRemove:
		if old == nil {
			if c.op == OpRemove {
				return nil
			}
			return editErrorf("data-missing", "the node is not there")
		}
		a.detach(old)
		return nil
	case OpMove:
		if old == nil {
			return editErrorf("data-missing", "the node is not there")
		}
		if c.point != nil && slices.EqualFunc(c.point, c.path, pathStep.equal) {
			return editErrorf("invalid-value", "an entry cannot be moved relative to itself")
		}
		if _, err := a.place(parent, n, c); err != nil {
			return err
		}
		a.detach(old)
		place, _ := a.place(parent, n, c)
		a.attach(parent, old, place)
		return nil
	case OpCreate, OpInsert:
		if old != nil && !old.implied() {
			return editErrorf("data-exists", "the node is there already")
		}
	case OpReplace, OpMerge:
	default:
		return editErrorf("invalid-value", "there is no operation %q", clip(string(c.op)))
	}
	place, err := a.place(parent, n, c)
	if err != nil {
		return err
	}
	a.otherCases(parent, n)
	if c.op == OpMerge && old != nil && !n.leafy() && old.raw == "" {
		a.merge(old, c.value)
		return nil
	}
	k := c.value.copyOf(parent)
	if old != nil {
		place = slices.Index(parent.of(n), old)
		a.detach(old)
	}
	a.attach(parent, k, place)
	return nil
}

func (s pathStep) equal(o pathStep) bool { return s.node == o.node && slices.Equal(s.keys, o.keys) }

// implied reports whether a node is there only in the sense that it says what
// holds without it: a value that is the default, an empty container.
func (it *item) implied() bool {
	return it.schema.kind == KindLeaf && len(it.schema.dflts) > 0 && it.val.same(it.schema.dflt(0)) || it.leafless(false)
}

// everything changes all top-level nodes at once.
func (a *applier) everything(c change) error {
	root := a.out.root
	switch c.op {
	case OpReplace:
		// State stays: it is not what is edited.
		for _, g := range slices.Clone(root.groups) {
			if g.schema.config {
				for _, k := range slices.Clone(g.items) {
					a.detach(k)
				}
			}
		}
	case OpMerge:
	default:
		return editErrorf("invalid-value", "everything cannot be the target of %q", c.op)
	}
	a.merge(root, c.value)
	return nil
}

// merge puts the content of from into it.
func (a *applier) merge(it, from *item) {
	for _, g := range from.groups {
		n := g.schema
		for _, k := range g.items {
			step := pathStep{node: n}
			if loc := k.location(); n.kind == KindList || n.kind == KindLeafList {
				step = loc[len(loc)-1]
			}
			old := a.child(it, step)
			switch {
			case old == nil:
				a.otherCases(it, n)
				a.attach(it, k.copyOf(it), len(it.of(n)))
			case n.leafy() || k.raw != "":
				old.val, old.raw = k.val, k.raw
			default:
				a.merge(old, k)
			}
		}
	}
	it.bindKeys()
}

// place says where among its siblings a node goes.
func (a *applier) place(parent *item, n *Node, c change) (int, error) {
	items := parent.of(n)
	switch c.where {
	case "first":
		return 0, nil
	case "", "last":
		return len(items), nil
	}
	if len(c.point) == 0 || !slices.EqualFunc(c.point[:len(c.point)-1], c.path[:len(c.path)-1], pathStep.equal) || c.point[len(c.point)-1].node != n {
		return 0, editErrorf("invalid-value", "the point is not another entry of the same list")
	}
	at := a.child(parent, c.point[len(c.point)-1])
	if at == nil {
		return 0, editErrorf("data-missing", "the point %s is not there", c.point.shown())
	}
	i := slices.Index(items, at)
	if c.where == "after" {
		i++
	}
	return i, nil
}
