package schemas

import "fmt"

// DefaultMode says which values that are only defaults a tree has (RFC 6243).
type DefaultMode string

// The modes of RFC 6243 §3.
const (
	Explicit        DefaultMode = "explicit"          // as they were given, without those tagged as defaults
	Trim            DefaultMode = "trim"              // no value that is equal to its default
	ReportAll       DefaultMode = "report-all"        // every default that is in use
	ReportAllTagged DefaultMode = "report-all-tagged" // and each value equal to its default is tagged
)

// WithDefaults returns the data in another mode. Annotations are kept, state
// too. A default is in use where RFC 7950 §7.6.1 says so: conditions hold, the
// case of a choice is the chosen or the default one. It fails for a mode that
// does not exist.
func (t *Tree) WithDefaults(mode DefaultMode) (*Tree, error) {
	switch mode {
	case Explicit, Trim, ReportAll, ReportAllTagged:
	default:
		return nil, fmt.Errorf("defaults %q: want explicit, trim, report-all or report-all-tagged", clip(string(mode)))
	}
	d := &defaulter{mode: mode, from: t, out: &Tree{set: t.set, text: t.text, info: t.info, configOnly: t.configOnly}}
	if mode == ReportAll || mode == ReportAllTagged {
		d.v = newValidator(t)
	}
	d.out.root = d.copy(t.root, nil)
	d.out.root.count(&d.out.size)
	d.out.info.Defaults = string(mode)
	return d.out, nil
}

func (it *item) count(n *int) {
	for _, g := range it.groups {
		*n += len(g.items)
		for _, k := range g.items {
			k.count(n)
		}
	}
}

type defaulter struct {
	mode DefaultMode
	from *Tree
	out  *Tree
	v    *validator
}

// copy copies a node in the mode; nil if nothing of it remains.
func (d *defaulter) copy(it, parent *item) *item {
	out := &item{schema: it.schema, parent: parent, val: it.val, raw: it.raw, offset: it.offset, order: it.order}
	d.notes(it, out)
	for _, g := range it.groups {
		d.group(g.schema, g.items, it, out)
	}
	if d.v != nil {
		d.absent(it.schema, it, out)
	} else {
		it.keepCases(it.schema, out, func(k *item) *item { return k.copyOf(out) })
	}
	out.bindKeys()
	return out
}

func (d *defaulter) group(n *Node, items []*item, it, out *item) {
	isDef := n.keyIndex == 0 && len(n.dflts) > 0 && isDefault(group{n, items})
	if d.mode == Trim && n.trimmable && isDef {
		return
	}
	g := group{schema: n}
	for _, k := range items {
		if (d.mode == Trim || d.mode == Explicit) && d.from.tagged(k) && n.trimmable {
			continue
		}
		if d.v != nil && k.leafless(false) && !d.v.caseChosen(it, n) {
			continue // an empty container chooses no case
		}
		c := d.copy(k, out)
		if n.virtual() && len(c.groups) == 0 && (k.offset < 0 || len(k.groups) > 0) && d.out.meta[c] == nil {
			continue // it was made for defaults that are not there, or has lost them all
		}
		if d.mode == ReportAllTagged && isDef {
			d.tag(c)
		}
		g.items = append(g.items, c)
	}
	if len(g.items) > 0 {
		out.groups = append(out.groups, g)
	}
}

// absent adds the children that exist by default.
func (d *defaulter) absent(n *Node, it, out *item) {
	for _, k := range n.children {
		switch {
		case k.kind == KindChoice || k.kind == KindCase:
			d.absent(k, it, out)
		case !k.isData() || it.of(k) != nil || !k.virtual() && (k.dflts == nil || k.keyIndex > 0):
		default:
			d.group(k, d.v.children(it, k), it, out)
		}
	}
}

// notes takes over what the tree knows beside a node.
func (d *defaulter) notes(it, out *item) {
	if meta := d.from.meta[it]; meta != nil {
		for _, a := range meta {
			if a.name != defaultTag {
				d.note(out, a)
			}
		}
	}
}

func (d *defaulter) note(it *item, a annotation) {
	if d.out.meta == nil {
		d.out.meta = make(map[*item][]annotation)
	}
	d.out.meta[it] = append(d.out.meta[it], a)
}

func (d *defaulter) tag(it *item) {
	d.note(it, annotation{name: defaultTag, val: value{text: "true", typ: &Type{Base: BaseBoolean, Name: "boolean"}}})
}

// Normal returns the configuration of the tree in canonical form as a tree of
// its own: what Canonical writes.
func (t *Tree) Normal() *Tree {
	out := &Tree{set: t.set, root: t.root.normal(nil), info: t.info, configOnly: t.configOnly}
	out.root.renumber(&out.size)
	out.info.Defaults = string(Trim)
	return out
}
