package schemas

import (
	"fmt"
	"slices"
	"strings"
)

// Conflict is a place at which two trees that come from one have been changed
// in ways that do not go together. A value that is not there is "".
type Conflict struct {
	Path   string // instance path; secret keys are hidden in it
	Schema *Node
	What   string // what both did, for people
	// Base, Ours and Theirs are the value of a leaf, or the JSON of anything
	// else, in the three trees; the values of secret nodes too.
	Base, Ours, Theirs string
}

// String writes the conflict in one line, secrets hidden.
func (c Conflict) String() string {
	show := func(s string) string {
		switch {
		case s == "":
			return "nothing"
		case c.Schema.hasSecret():
			return Hidden
		}
		return clip(s)
	}
	return fmt.Sprintf("%s: %s: base %s, ours %s, theirs %s", c.Path, c.What, show(c.Base), show(c.Ours), show(c.Theirs))
}

// hasSecret reports whether a value at or below the node is secret.
func (n *Node) hasSecret() bool {
	return n.secret || slices.ContainsFunc(n.children, (*Node).hasSecret)
}

// Merge makes the changes that lead from base to theirs in ours: a three-way
// merge of configurations, which all three must be data of the same set. Where
// only one side changed something it wins; where both made the same change that
// is it; anything else is a conflict, at which the result has what ours has.
// Without conflicts Merge(base, a, b) and Merge(base, b, a) are the same; with
// conflicts they have the same ones. The result is not validated: two changes
// that are valid alone may not be so together.
func Merge(base, ours, theirs *Tree) (*Tree, []Conflict, error) {
	if base.set.hash != ours.set.hash || base.set.hash != theirs.set.hash {
		return nil, nil, fmt.Errorf("the trees are data of different schema sets")
	}
	m := &merger{}
	out := &Tree{set: ours.set, info: ours.info, configOnly: ours.configOnly}
	b, o, t := base.root.normal(nil), ours.root.normal(nil), theirs.root.normal(nil)
	root := &item{schema: ours.set.root}
	m.children(root, b, o, t)
	out.root = root.normal(nil)
	out.root.renumber(&out.size)
	slices.SortStableFunc(m.conflicts, func(a, b Conflict) int { return strings.Compare(a.Path, b.Path) })
	return out, m.conflicts, nil
}

type merger struct{ conflicts []Conflict }

// conflict notes one. at is any of the three that is there.
func (m *merger) conflict(what string, b, o, t *item) {
	at := o
	for _, k := range []*item{t, b} {
		if at == nil {
			at = k
		}
	}
	content := func(it *item) string {
		if it == nil {
			return ""
		}
		return it.content()
	}
	m.conflicts = append(m.conflicts, Conflict{Path: at.path(), Schema: at.schema, What: what, Base: content(b), Ours: content(o), Theirs: content(t)})
}

// equal compares two nodes in canonical form, either of which may be absent.
func (it *item) equal(other *item) bool {
	if it == nil || other == nil {
		return it == other
	}
	if !it.val.same(other.val) || it.raw != other.raw || len(it.groups) != len(other.groups) {
		return false
	}
	for i, g := range it.groups {
		h := other.groups[i]
		if g.schema != h.schema || len(g.items) != len(h.items) {
			return false
		}
		for j, k := range g.items {
			if !k.equal(h.items[j]) {
				return false
			}
		}
	}
	return true
}

// of is item.of for a node that may be absent.
func groupOf(it *item, n *Node) []*item {
	if it == nil {
		return nil
	}
	return it.of(n)
}

// children merges what is below a node that the result has.
func (m *merger) children(out, b, o, t *item) {
	var nodes []*Node
	for _, it := range []*item{b, o, t} {
		if it == nil {
			continue
		}
		for _, g := range it.groups {
			if !slices.Contains(nodes, g.schema) {
				nodes = append(nodes, g.schema)
			}
		}
	}
	slices.SortFunc(nodes, compareNames)
	for _, n := range nodes {
		x, y, z := groupOf(b, n), groupOf(o, n), groupOf(t, n)
		if n.kind == KindList || n.kind == KindLeafList {
			m.entries(out, n, x, y, z)
			continue
		}
		one := func(items []*item) *item {
			if len(items) == 0 {
				return nil
			}
			return items[0]
		}
		if k := m.node(out, n, one(x), one(y), one(z)); k != nil {
			out.groups = append(out.groups, group{n, []*item{k}})
		}
	}
	m.choices(out, out.schema, b, o, t)
	out.bindKeys()
}

// node merges one node; nil if the result does not have it.
func (m *merger) node(parent *item, n *Node, b, o, t *item) *item {
	keep := func(k *item) *item {
		if k == nil {
			return nil
		}
		return k.copyOf(parent)
	}
	switch {
	case o.equal(t), b.equal(t):
		return keep(o)
	case b.equal(o):
		return keep(t)
	}
	// Both changed it, and not in the same way.
	inner := n.kind == KindContainer || n.kind == KindList
	if !inner || b != nil && (o == nil || t == nil) && !n.virtual() {
		what := "both changed it"
		switch {
		case b == nil:
			what = "both created it"
		case o == nil || t == nil:
			what = "one deleted it, the other changed it"
		}
		m.conflict(what, b, o, t)
		return keep(o)
	}
	out := &item{schema: n, parent: parent, offset: -1}
	m.children(out, b, o, t)
	if n.virtual() && len(out.groups) == 0 {
		return nil
	}
	return out
}

// choices sees to it that of each choice only one case remains: where both
// sides chose another one, that is a conflict.
func (m *merger) choices(out *item, n *Node, b, o, t *item) {
	for _, c := range n.children {
		switch c.kind {
		case KindCase:
			m.choices(out, c, b, o, t)
			continue
		case KindChoice:
		default:
			continue
		}
		m.choices(out, c, b, o, t)
		var chosen []*Node
		for _, k := range c.children {
			if out.hasAny(k) != nil {
				chosen = append(chosen, k)
			}
		}
		if len(chosen) < 2 {
			continue
		}
		m.conflictCase(c, out, b, o, t)
		keep := caseOf(c, o)
		if keep == nil {
			keep = caseOf(c, t)
		}
		out.groups = slices.DeleteFunc(out.groups, func(g group) bool { return g.schema.below(c) && !g.schema.below(keep) })
		if o == nil {
			continue
		}
		// What ours has in its case is what the result has.
		for _, g := range o.groups {
			if g.schema.below(keep) && out.of(g.schema) == nil {
				for _, k := range g.items {
					out.add(k.copyOf(out))
				}
			}
		}
	}
}

func (m *merger) conflictCase(c *Node, out, b, o, t *item) {
	text := func(it *item) string {
		if k := caseOf(c, it); k != nil {
			return k.name
		}
		return ""
	}
	m.conflicts = append(m.conflicts, Conflict{Path: out.path(), Schema: c, What: fmt.Sprintf("the choice %q got two cases", c.name), Base: text(b), Ours: text(o), Theirs: text(t)})
}

func caseOf(c *Node, it *item) *Node {
	if it == nil {
		return nil
	}
	for _, k := range c.children {
		if it.hasAny(k) != nil {
			return k
		}
	}
	return nil
}

// below reports whether a node is below a choice or case of the same parent.
func (n *Node) below(c *Node) bool {
	for at := n.parent; at != nil; at = at.parent {
		if at == c {
			return true
		}
		if at.isDataOrRoot() {
			return false
		}
	}
	return false
}

// entries merges a list or leaf-list by the identities of its entries.
func (m *merger) entries(out *item, n *Node, b, o, t []*item) {
	byID := func(items []*item) map[string]*item {
		all := make(map[string]*item, len(items))
		for _, k := range items {
			all[k.identity()] = k
		}
		return all
	}
	inB, inO, inT := byID(b), byID(o), byID(t)
	result := make(map[string]*item)
	kept := make(map[string]bool) // by ours alone, in a conflict
	var order []string
	for _, items := range [][]*item{o, t, b} {
		for _, k := range items {
			id := k.identity()
			if _, done := result[id]; done {
				continue
			}
			before := len(m.conflicts)
			result[id] = m.node(out, n, inB[id], inO[id], inT[id])
			kept[id] = len(m.conflicts) > before && inT[id] == nil
			if result[id] != nil {
				order = append(order, id)
			}
		}
	}
	if len(order) == 0 {
		return
	}
	if n.userOrder {
		there := func(items []*item) []string {
			var ids []string
			for _, k := range items {
				if id := k.identity(); result[id] != nil && !kept[id] {
					ids = append(ids, id)
				}
			}
			return ids
		}
		var clash bool
		order, clash = mergeOrder(there(b), there(o), there(t))
		if clash {
			at := &item{schema: n, parent: out, offset: -1}
			m.conflicts = append(m.conflicts, Conflict{Path: at.place(), Schema: n, What: "both changed the order of the entries",
				Base: showOrder(b), Ours: showOrder(o), Theirs: showOrder(t)})
		}
		prev := ""
		for _, k := range o {
			id := k.identity()
			if kept[id] && result[id] != nil {
				order = slices.Insert(order, slices.Index(order, prev)+1, id)
			}
			if result[id] != nil {
				prev = id
			}
		}
	}
	g := group{schema: n}
	for _, id := range order {
		g.items = append(g.items, result[id])
	}
	out.groups = append(out.groups, g)
}

// place is the path of a list or leaf-list as a whole.
func (it *item) place() string {
	up := it.parent.path()
	if up == "/" {
		up = ""
	}
	name := it.schema.name
	if it.parent.schema.module != it.schema.module {
		name = it.schema.module.Name + ":" + name
	}
	return up + "/" + name
}

func showOrder(items []*item) string {
	var out []string
	for _, k := range items {
		if k.schema.kind == KindLeafList {
			out = append(out, k.shown())
			continue
		}
		var keys []string
		for _, key := range k.keys {
			keys = append(keys, key.shown())
		}
		out = append(out, strings.Join(keys, " "))
	}
	return strings.Join(out, ", ")
}

// mergeOrder merges two orders that come from one. All are of entries that the
// result has; an entry that base has and the result keeps is in all three, or
// was changed by one side and deleted by the other.
func mergeOrder(base, ours, theirs []string) (order []string, clash bool) {
	in := func(ids []string) map[string]bool {
		set := make(map[string]bool, len(ids))
		for _, id := range ids {
			set[id] = true
		}
		return set
	}
	only := func(ids []string, set map[string]bool) []string {
		var out []string
		for _, id := range ids {
			if set[id] {
				out = append(out, id)
			}
		}
		return out
	}
	inO, inT := in(ours), in(theirs)
	// The order of what both have decides whose order counts.
	common := only(ours, inT)
	commonT := only(theirs, inO)
	spine := ours
	added := theirs
	if !slices.Equal(common, commonT) {
		inB := in(base)
		moved := func(ids []string) bool { return !slices.Equal(only(ids, inB), only(base, in(ids))) }
		switch mo, mt := moved(ours), moved(theirs); {
		case mo && !mt:
		case mt && !mo:
			spine, added = theirs, ours
		default:
			clash = true
		}
	}
	// Entries that only the other side has come after the entry that they
	// follow there.
	have := in(spine)
	after := make(map[string][]string)
	prev := ""
	for _, id := range added {
		if have[id] {
			prev = id
			continue
		}
		after[prev] = append(after[prev], id)
	}
	// Both sides put entries of their own into the same gap: which come first
	// nobody can say.
	inAdded := in(added)
	prev = ""
	for i := 0; i < len(spine); i++ {
		if inAdded[spine[i]] {
			prev = spine[i]
		} else if len(after[prev]) > 0 {
			clash = true
		}
	}
	order = append(order, after[""]...)
	for _, id := range spine {
		order = append(order, id)
		order = append(order, after[id]...)
	}
	if clash {
		// Ours, and what only theirs has at the end.
		order = slices.Clone(ours)
		for _, id := range theirs {
			if !inO[id] {
				order = append(order, id)
			}
		}
	}
	return order, clash
}
