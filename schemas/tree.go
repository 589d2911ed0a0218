package schemas

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "•••"

// Tree is instance data of a set. It does not change after it was read and is
// safe for concurrent use.
type Tree struct {
	set  *Set
	root *item
	text *inputText // nil if it was not read
	size int        // number of items
	info Envelope
	meta map[*item][]annotation
	// configOnly: it was read as a configuration datastore, in which state does
	// not exist and so cannot be missing.
	configOnly bool
}

// item is one data node.
type item struct {
	schema *Node
	parent *item
	groups []group // children, those of one schema node together
	keys   []*item // of a list entry, in the order of the key statement
	val    value   // of a leaf or leaf-list entry
	raw    string  // of anydata and anyxml: canonical JSON, or the XML element if that cannot hold it
	offset int     // in the input, -1 if it was not there (a default)
	order  int     // in document order
}

type group struct {
	schema *Node
	items  []*item
}

// of returns the children of a schema node.
func (it *item) of(n *Node) []*item {
	for i := range it.groups {
		if it.groups[i].schema == n {
			return it.groups[i].items
		}
	}
	return nil
}

// add puts a child into its group.
func (it *item) add(k *item) {
	for i := range it.groups {
		if it.groups[i].schema == k.schema {
			it.groups[i].items = append(it.groups[i].items, k)
			return
		}
	}
	it.groups = append(it.groups, group{k.schema, []*item{k}})
}

// Set returns the set that the tree is data of.
func (t *Tree) Set() *Set { return t.set }

// Envelope returns what the RFC 9195 envelope said, if there was one.
func (t *Tree) Envelope() Envelope { return t.info }

// PathError is a fault in data.
type PathError struct {
	Path    string // instance path: /cfgvault-interfaces:interfaces/interface[name='eth0']/mtu
	Rule    string // "RFC 7950 §7.6.5"
	Line    int    // of the input, from 1; 0 if the node is not in it
	Column  int    // in characters, from 1; 0 if the node is not in it
	Message string
	AppTag  string // error-app-tag of the module, if it has one
}

// Error implements error: "path: message (line 7, RFC 7950 §7.6.5)". Values of
// secret nodes are never part of it.
func (e *PathError) Error() string {
	var b strings.Builder
	b.WriteString(e.Path + ": " + e.Message)
	switch {
	case e.Line > 0 && e.Rule != "":
		fmt.Fprintf(&b, " (line %d, %s)", e.Line, e.Rule)
	case e.Line > 0:
		fmt.Fprintf(&b, " (line %d)", e.Line)
	case e.Rule != "":
		fmt.Fprintf(&b, " (%s)", e.Rule)
	}
	return b.String()
}

// path returns the instance path of an item.
func (it *item) path() string {
	if it.parent == nil {
		return "/"
	}
	var parts []string
	for at := it; at.parent != nil; at = at.parent {
		parts = append(parts, at.step())
	}
	slices.Reverse(parts)
	return "/" + strings.Join(parts, "/")
}

// step returns the last part of the instance path, with predicates.
func (it *item) step() string {
	var b strings.Builder
	n := it.schema
	if it.parent.schema.module != n.module {
		b.WriteString(n.module.Name + ":")
	}
	b.WriteString(n.name)
	switch n.kind {
	case KindList:
		keys := it.keys
		if keys == nil { // still being read
			keys = (&item{schema: n, groups: it.groups}).bindKeys()
		}
		if len(n.keys) == 0 || slices.Contains(keys, nil) {
			fmt.Fprintf(&b, "[%d]", it.position())
			break
		}
		for _, k := range keys {
			b.WriteString("[" + k.schema.name + "=" + quotePath(k.shown()) + "]")
		}
	case KindLeafList:
		if it.val.typ == nil {
			fmt.Fprintf(&b, "[%d]", it.position())
			break
		}
		b.WriteString("[.=" + quotePath(it.shown()) + "]")
	}
	return b.String()
}

// position counts an entry among its siblings, from 1.
func (it *item) position() int {
	all := it.parent.of(it.schema)
	if i := slices.Index(all, it); i >= 0 {
		return i + 1
	}
	return len(all) + 1 // not attached yet
}

// shown returns the value as it may be shown.
func (it *item) shown() string {
	if it.schema.secret {
		return Hidden
	}
	return it.val.text
}

// quotePath quotes a string for a predicate. XPath has no escapes: with both
// quotes in it a value cannot be written, and the apostrophes are doubled.
func quotePath(s string) string {
	if !strings.Contains(s, "'") {
		return "'" + s + "'"
	}
	if !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// normal returns the canonical copy of an item: state, empty containers and
// values that are only their default are left out, everything is in canonical
// order. It is nil if nothing remains. Order among siblings: by module, then
// name; entries of lists by their keys unless the user orders them.
func (it *item) normal(parent *item) *item {
	n := it.schema
	if !n.config && n.kind != KindRoot {
		return nil
	}
	out := &item{schema: n, parent: parent, val: it.val, raw: it.raw, offset: it.offset, order: it.order}
	for _, g := range it.groups {
		if !g.schema.config || g.schema.trimmable && isDefault(g) {
			continue
		}
		items := make([]*item, 0, len(g.items))
		for _, k := range g.items {
			if c := k.normal(out); c != nil {
				items = append(items, c)
			}
		}
		if len(items) == 0 {
			continue
		}
		if !g.schema.userOrder {
			switch {
			case g.schema.kind == KindList && len(g.schema.keys) > 0:
				slices.SortStableFunc(items, compareKeys)
			case g.schema.kind == KindLeafList:
				slices.SortStableFunc(items, compareValues)
			}
		}
		out.groups = append(out.groups, group{g.schema, items})
	}
	it.keepCases(n, out, func(k *item) *item { return k.copyOf(out) })
	if n.virtual() && len(out.groups) == 0 {
		return nil
	}
	slices.SortFunc(out.groups, func(a, b group) int { return compareNames(a.schema, b.schema) })
	out.bindKeys()
	return out
}

// keepCases sees to it that out, a copy of it without defaults, still says which
// cases of choices are chosen. Where nothing else does, one value that is only
// a default stays: of those that would do always the same.
func (it *item) keepCases(n *Node, out *item, cp func(*item) *item) {
	for _, c := range n.children {
		if c.kind != KindChoice || !c.config {
			continue
		}
		for _, k := range c.children {
			it.keepCases(k, out, cp)
			if k == c.dfltCase || it.hasAny(k) == nil || out.hasAny(k) != nil {
				continue
			}
			if w := it.witness(k); w != nil {
				out.add(cp(w))
			}
		}
	}
}

// witness returns a node by whose presence the case is chosen, reduced to one
// value that is a default: the first in canonical order that can always be
// there, or else the first that is.
func (it *item) witness(k *Node) *item {
	var best *Node
	for _, n := range k.children {
		if n.leafy() && n.config && len(n.dflts) > 0 && !n.conditional && (best == nil || compareNames(n, best) < 0) {
			best = n
		}
	}
	if best != nil && best.kind == KindLeaf {
		return &item{schema: best, parent: it, offset: -1, val: best.dflt(0)}
	}
	var first *item
	for _, g := range it.groups {
		if !g.schema.config || g.items[0].leafless(true) {
			continue
		}
		at := g.schema.parent
		for at != it.schema && at != k {
			at = at.parent
		}
		if at == k && (first == nil || compareNames(g.schema, first.schema) < 0) {
			first = g.items[0]
		}
	}
	if first == nil || first.schema.leafy() {
		return first
	}
	out := &item{schema: first.schema, parent: it, offset: -1, raw: first.raw}
	for _, g := range sortedGroups(first) {
		if g.schema.config && !g.items[0].leafless(true) {
			out.groups = []group{{g.schema, g.items[:1]}}
			break
		}
	}
	return out
}

// leafless reports whether a node says nothing: it is a container that exists
// anyway and has nothing in it, or only state if config.
func (it *item) leafless(config bool) bool {
	if !it.schema.virtual() {
		return false
	}
	for _, g := range it.groups {
		if (g.schema.config || !config) && !g.items[0].leafless(config) {
			return false
		}
	}
	return true
}

// copyOf copies a whole node.
func (it *item) copyOf(parent *item) *item {
	out := &item{schema: it.schema, parent: parent, val: it.val, raw: it.raw, offset: it.offset, order: it.order}
	for _, g := range it.groups {
		ng := group{schema: g.schema, items: make([]*item, len(g.items))}
		for i, k := range g.items {
			ng.items[i] = k.copyOf(out)
		}
		out.groups = append(out.groups, ng)
	}
	out.bindKeys()
	return out
}

func compareNames(a, b *Node) int {
	if c := strings.Compare(a.module.Name, b.module.Name); c != 0 {
		return c
	}
	return strings.Compare(a.name, b.name)
}

// bindKeys finds the key leaves of a list entry.
func (it *item) bindKeys() []*item {
	if it.schema.kind != KindList || len(it.schema.keys) == 0 {
		return nil
	}
	it.keys = make([]*item, len(it.schema.keys))
	for _, g := range it.groups {
		if g.schema.keyIndex > 0 {
			it.keys[g.schema.keyIndex-1] = g.items[0]
		}
	}
	return it.keys
}

// isDefault reports whether a leaf or leaf-list has exactly its defaults.
func isDefault(g group) bool {
	if len(g.schema.dflts) == 0 || len(g.items) != len(g.schema.dflts) {
		return false
	}
	for i, it := range g.items {
		if !g.schema.userOrder && len(g.items) > 1 {
			i = 0
			for i < len(g.schema.dflts) && !it.val.same(g.schema.dflt(i)) {
				i++
			}
		}
		if i == len(g.schema.dflts) || !it.val.same(g.schema.dflt(i)) {
			return false
		}
	}
	return true
}

// dflt returns one of the node's defaults.
func (n *Node) dflt(i int) value { return value{text: n.dflts[i], typ: n.dfltTypes[i]} }

func compareKeys(a, b *item) int {
	for i := range a.keys {
		if a.keys[i] == nil || b.keys[i] == nil {
			continue
		}
		if c := compareValues(a.keys[i], b.keys[i]); c != 0 {
			return c
		}
	}
	return 0
}

// compareValues orders numbers by their value and before everything else,
// other values by their bytes.
func compareValues(a, b *item) int {
	an, bn := a.val.typ.Base.integer(), b.val.typ.Base.integer()
	switch {
	case an && bn:
		x, _ := parseInteger(a.val.text, true)
		y, _ := parseInteger(b.val.text, true)
		return x.cmp(y)
	case an:
		return -1
	case bn:
		return 1
	}
	return strings.Compare(a.val.text, b.val.text)
}

// Leaf is one value of a tree.
type Leaf struct {
	Path   string // instance path
	Schema *Node
	Value  string // canonical; of secret nodes too
}

// Leaves calls yield for every leaf and leaf-list entry, in canonical order
// but with defaults that are written out and state, until yield returns false.
func (t *Tree) Leaves(yield func(Leaf) bool) {
	var walk func(it *item) bool
	walk = func(it *item) bool {
		if it.schema.leafy() {
			return yield(Leaf{it.path(), it.schema, it.val.text})
		}
		for _, g := range sortedGroups(it) {
			for _, k := range g.items {
				if !walk(k) {
					return false
				}
			}
		}
		return true
	}
	walk(t.root)
}

// Len returns the number of data nodes.
func (t *Tree) Len() int { return t.size }

// Modules returns the names of the modules of the top-level nodes, sorted.
func (t *Tree) Modules() []string {
	var out []string
	for _, g := range t.root.groups {
		if !slices.Contains(out, g.schema.module.Name) {
			out = append(out, g.schema.module.Name)
		}
	}
	sort.Strings(out)
	return out
}

// sortedGroups returns an item's children in canonical order without leaving
// anything out.
func sortedGroups(it *item) []group {
	groups := slices.Clone(it.groups)
	slices.SortFunc(groups, func(a, b group) int { return compareNames(a.schema, b.schema) })
	for i, g := range groups {
		if g.schema.userOrder || !g.schema.config {
			continue
		}
		items := slices.Clone(g.items)
		switch {
		case g.schema.kind == KindList && len(g.schema.keys) > 0:
			slices.SortStableFunc(items, compareKeys)
		case g.schema.kind == KindLeafList:
			slices.SortStableFunc(items, compareValues)
		}
		groups[i].items = items
	}
	return groups
}

// Redact returns a copy of the tree in which the values of secret nodes are
// hidden. It is for showing: it need not be valid. Entries of lists whose key
// is secret stay apart by a number.
func (t *Tree) Redact() *Tree {
	hidden := &Type{Base: BaseString, Name: "string"}
	var cp func(it, parent *item, nth int) *item
	cp = func(it, parent *item, nth int) *item {
		out := &item{schema: it.schema, parent: parent, val: it.val, raw: it.raw, offset: it.offset, order: it.order}
		if it.schema.secret {
			if it.schema.leafy() {
				text := Hidden
				if nth > 0 {
					text += " " + strconv.Itoa(nth+1)
				}
				out.val = value{text: text, typ: hidden}
			} else if it.raw != "" {
				out.raw = `"` + Hidden + `"`
			}
		}
		for _, g := range it.groups {
			ng := group{schema: g.schema, items: make([]*item, len(g.items))}
			for i, k := range g.items {
				n := i
				if g.schema.kind == KindLeaf {
					n = 0
					if g.schema.keyIndex > 0 {
						n = nth
					}
				}
				ng.items[i] = cp(k, out, n)
			}
			out.groups = append(out.groups, ng)
		}
		out.bindKeys()
		return out
	}
	return &Tree{set: t.set, root: cp(t.root, nil, 0), text: t.text, size: t.size, info: t.info, configOnly: t.configOnly}
}
