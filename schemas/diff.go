package schemas

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Op is what an edit does.
type Op string

// The operations of edits, as in RFC 8072.
const (
	OpCreate  Op = "create"
	OpDelete  Op = "delete"
	OpReplace Op = "replace"
	OpMerge   Op = "merge"  // of a container that exists because its parent does
	OpInsert  Op = "insert" // a new entry of a list or leaf-list that the user orders
	OpMove    Op = "move"   // an entry of such a list, to another place
	OpRemove  Op = "remove" // like delete; only patches of others have it
)

// Edit is one difference between two trees.
type Edit struct {
	Op     Op
	Path   string // instance path of the node; secret keys are hidden in it
	Schema *Node
	Old    string // canonical value before, of a leaf; JSON of what is deleted otherwise
	New    string // canonical value after, of a leaf; JSON of what is created otherwise
	After  string // of a move or an insertion: the path of the entry before it, "" for the first

	old, new, after *item
}

// Diff returns the edits that lead from the configuration of a to that of b,
// in canonical order. Both trees must be data of the same set, else it panics.
// Defaults that are written out make no difference.
func Diff(a, b *Tree) []Edit {
	if a.set.hash != b.set.hash {
		panic("schemas: Diff of trees of different sets")
	}
	d := &differ{}
	d.children(a.root.normal(nil), b.root.normal(nil))
	return d.edits
}

type differ struct{ edits []Edit }

func (d *differ) children(a, b *item) {
	// What is in a choice goes first: creating a node of another case would
	// delete it (RFC 7950 §7.9).
	for _, g := range a.groups {
		if inCase(g.schema) && b.of(g.schema) == nil {
			for _, k := range g.items {
				d.remove(k)
			}
		}
	}
	i, j := 0, 0
	for i < len(a.groups) || j < len(b.groups) {
		c := 0
		switch {
		case i == len(a.groups):
			c = 1
		case j == len(b.groups):
			c = -1
		default:
			c = compareNames(a.groups[i].schema, b.groups[j].schema)
		}
		switch {
		case c < 0:
			if !inCase(a.groups[i].schema) {
				for _, k := range a.groups[i].items {
					d.remove(k)
				}
			}
			i++
		case c > 0:
			d.entries(nil, b.groups[j].items)
			j++
		default:
			d.group(a.groups[i], b.groups[j])
			i++
			j++
		}
	}
}

func inCase(n *Node) bool { return n.parent.kind == KindCase }

func (d *differ) remove(k *item) {
	d.edits = append(d.edits, Edit{Op: OpDelete, Path: k.path(), Schema: k.schema, Old: k.content(), old: k})
}

func (d *differ) create(k, after *item) {
	e := Edit{Op: OpCreate, Path: k.path(), Schema: k.schema, New: k.content(), new: k, after: after}
	switch {
	case k.schema.userOrder:
		e.Op = OpInsert
	case k.schema.virtual():
		e.Op = OpMerge
	}
	if after != nil {
		e.After = after.path()
	}
	d.edits = append(d.edits, e)
}

// content returns a leaf's value, or the JSON of anything else.
func (it *item) content() string {
	if it.schema.leafy() {
		return it.val.text
	}
	w := &jsonWriter{sorted: true}
	w.item(it, 0)
	return string(w.b)
}

func (d *differ) group(a, b group) {
	switch a.schema.kind {
	case KindList, KindLeafList:
		d.entries(a.items, b.items)
	case KindLeaf, KindAnyData, KindAnyXML:
		x, y := a.items[0], b.items[0]
		if !x.val.same(y.val) || x.raw != y.raw {
			d.edits = append(d.edits, Edit{Op: OpReplace, Path: y.path(), Schema: y.schema, Old: x.content(), New: y.content(), old: x, new: y})
		}
	default:
		d.children(a.items[0], b.items[0])
	}
}

// identity is what an entry keeps when its content changes.
func (it *item) identity() string {
	if it.schema.kind == KindLeafList {
		return "." + it.val.text
	}
	if len(it.keys) == 0 {
		return it.content()
	}
	var b strings.Builder
	for _, k := range it.keys {
		fmt.Fprintf(&b, "%d:%s", len(k.val.text), k.val.text)
	}
	return b.String()
}

func (d *differ) entries(a, b []*item) {
	old := make(map[string]*item, len(a))
	for _, k := range a {
		old[k.identity()] = k
	}
	kept := make(map[string]bool, len(b))
	for _, k := range b {
		kept[k.identity()] = true
	}
	var order []string // of the entries that both have, as a has them
	for _, k := range a {
		if id := k.identity(); kept[id] {
			order = append(order, id)
		} else {
			d.remove(k)
		}
	}
	stay := map[string]bool{}
	if len(b) > 0 && b[0].schema.userOrder {
		var wanted []string
		for _, k := range b {
			if id := k.identity(); old[id] != nil {
				wanted = append(wanted, id)
			}
		}
		stay = longestCommon(order, wanted)
	}
	var before *item
	for _, k := range b {
		id := k.identity()
		was := old[id]
		var after *item
		if k.schema.userOrder {
			after = before
		}
		before = k
		if was == nil {
			d.create(k, after)
			continue
		}
		if k.schema.userOrder && !stay[id] {
			e := Edit{Op: OpMove, Path: k.path(), Schema: k.schema, old: was, new: k, after: after}
			if after != nil {
				e.After = after.path()
			}
			d.edits = append(d.edits, e)
		}
		if k.schema.kind == KindList {
			d.children(was, k)
		}
	}
}

// longestCommon returns the entries that can stay where they are: those of a
// longest increasing run of places (both lists have the same entries once).
func longestCommon(from, to []string) map[string]bool {
	place := make(map[string]int, len(from))
	for i, id := range from {
		place[id] = i
	}
	var tails []int // index in to of the smallest end of a run of each length
	back := make([]int, len(to))
	for i, id := range to {
		n, _ := slices.BinarySearchFunc(tails, place[id], func(t, p int) int { return place[to[t]] - p })
		back[i] = -1
		if n > 0 {
			back[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	out := make(map[string]bool)
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = back[i] {
			out[to[i]] = true
		}
	}
	return out
}

// String returns the edit in one or more lines: "+ path value", "- path
// value", "~ path: old → new". Secrets are hidden.
func (e Edit) String() string {
	var b strings.Builder
	e.write(&b)
	return strings.TrimSuffix(b.String(), "\n")
}

// WriteDiff writes edits for people to read, one line for each leaf.
func WriteDiff(w io.Writer, edits []Edit) error {
	var b strings.Builder
	for _, e := range edits {
		e.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (e Edit) write(b *strings.Builder) {
	switch e.Op {
	case OpCreate, OpMerge, OpInsert:
		e.new.lines(b, "+ ")
	case OpDelete:
		e.old.lines(b, "- ")
	case OpMove:
		after := "to the first place"
		if e.After != "" {
			after = "after " + e.After
		}
		fmt.Fprintf(b, "~ %s: moved %s\n", e.Path, after)
	case OpReplace:
		fmt.Fprintf(b, "~ %s: %s → %s\n", e.Path, e.old.quoted(), e.new.quoted())
	}
}

// quoted returns a value as a diff shows it: on one line, secrets hidden.
func (it *item) quoted() string {
	if it.schema.secret {
		return Hidden
	}
	switch {
	case !it.schema.leafy():
		return it.raw
	case strings.ContainsAny(it.val.text, "\n\r\t\x1b ") || it.val.text == "":
		return quoteJSON(it.val.text)
	}
	return it.val.text
}

// lines writes a subtree, one line a leaf, and one for what has no leaves.
func (it *item) lines(b *strings.Builder, mark string) {
	if it.schema.leafy() || it.raw != "" {
		if it.schema.kind == KindLeafList {
			fmt.Fprintf(b, "%s%s\n", mark, it.path())
			return
		}
		fmt.Fprintf(b, "%s%s: %s\n", mark, it.path(), it.quoted())
		return
	}
	n := 0
	for _, g := range it.groups {
		for _, k := range g.items {
			if k.schema.keyIndex > 0 {
				continue // the path says it
			}
			k.lines(b, mark)
			n++
		}
	}
	if n == 0 {
		fmt.Fprintf(b, "%s%s\n", mark, it.path())
	}
}

// Shown returns the values before and after as they may be shown: what is
// secret is hidden.
func (e Edit) Shown() (before, after string) {
	show := func(it *item) string {
		switch {
		case it == nil:
			return ""
		case it.schema.leafy() && it.schema.secret:
			return Hidden
		case it.schema.leafy():
			return it.val.text
		case it.schema.hasSecret():
			alone := &Tree{root: &item{schema: &Node{}, groups: []group{{it.schema, []*item{it}}}}}
			return alone.Redact().root.groups[0].items[0].content()
		}
		return it.content()
	}
	return show(e.old), show(e.new)
}

// WriteTreeDiff writes edits for people as a tree: what is above a change
// without a mark, then what goes with "-", what comes with "+", and values that
// change with both. Secrets are hidden.
func WriteTreeDiff(w io.Writer, edits []Edit) error {
	var b strings.Builder
	var open []string
	for _, e := range edits {
		about := e.new
		if about == nil {
			about = e.old
		}
		var steps []string
		for at := about.parent; at.parent != nil; at = at.parent {
			steps = append(steps, at.step())
		}
		slices.Reverse(steps)
		same := 0
		for same < len(steps) && same < len(open) && steps[same] == open[same] {
			same++
		}
		for i, s := range steps[same:] {
			b.WriteString("  " + strings.Repeat("  ", same+i) + s + "\n")
		}
		open = steps
		depth := len(steps)
		switch e.Op {
		case OpDelete:
			e.old.drawn(&b, "- ", depth)
		case OpReplace:
			e.old.drawn(&b, "- ", depth)
			e.new.drawn(&b, "+ ", depth)
		case OpMove:
			where := "to the first place"
			if e.after != nil {
				where = "after " + e.after.step()
			}
			b.WriteString("~ " + strings.Repeat("  ", depth) + about.step() + " moved " + where + "\n")
		default:
			e.new.drawn(&b, "+ ", depth)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// drawn writes a whole node with a mark before each line.
func (it *item) drawn(b *strings.Builder, mark string, depth int) {
	b.WriteString(mark + strings.Repeat("  ", depth))
	switch {
	case it.schema.kind == KindLeafList:
		b.WriteString(it.step() + "\n")
		return
	case it.schema.leafy() || it.raw != "":
		b.WriteString(it.step() + ": " + it.quoted() + "\n")
		return
	}
	b.WriteString(it.step() + "\n")
	for _, g := range it.groups {
		for _, k := range g.items {
			if k.schema.keyIndex == 0 || it.schema.kind != KindList {
				k.drawn(b, mark, depth+1)
			}
		}
	}
}
