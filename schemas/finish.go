package schemas

import (
	"slices"
	"strconv"
	"strings"
)

// finish computes what depends on the whole schema and checks the rules that
// only hold for it: after augments and deviations.
func (c *compiler) finish() {
	c.set.root.prune()
	c.inherit(c.set.root, true, c.set.root.action)
	if c.stop() {
		return
	}
	c.each(c.set.root, func(n *Node) {
		if n.typ != nil {
			c.resolveRefs(n, n.typ)
		}
	})
	if len(c.errs) > 0 || len(c.needed) > 0 {
		return
	}
	c.whenCycles()
	seen := make(map[*Node]int8)
	c.each(c.set.root, func(n *Node) { c.refCycle(n, seen, 0) })
	if len(c.errs) > 0 {
		return
	}
	c.each(c.set.root, c.checkNode)
	c.demand(c.set.root)
}

func (c *compiler) each(n *Node, visit func(*Node)) {
	for _, k := range n.children {
		visit(k)
		c.each(k, visit)
	}
}

// inherit hands config and policy down and numbers the children.
func (c *compiler) inherit(n *Node, config, action bool) {
	if n.configSet != nil && !action {
		if *n.configSet && !config {
			c.faultf(n.stmt, "RFC 7950 §7.21.1", "%s %q cannot be configuration below state", n.kind, n.name)
		}
		config = *n.configSet
	}
	n.config = config && (!action || c.set.root.action)
	n.action = action
	n.conditional = len(n.whens) > 0 || n.parent != nil && !n.parent.isDataOrRoot() && n.parent.conditional
	if n.parent != nil {
		n.secret = n.secret || n.parent.secret
		n.volatile = n.volatile || n.parent.volatile
		if n.bind == "" {
			n.bind = n.parent.bind
		}
		n.sortKey = n.module.Name + ":" + n.name
	}
	switch n.kind {
	case KindRPC, KindAction, KindNotification:
		action = true
	}
	for i, k := range n.children {
		k.order = i
		c.inherit(k, config, action)
	}
	if n.kind == KindList {
		c.listKeys(n)
	}
}

// listKeys binds the key statement (§7.8.2).
func (c *compiler) listKeys(n *Node) {
	const rule = "RFC 7950 §7.8.2"
	s := n.stmt.child("key")
	if s == nil {
		if n.config && !n.action {
			c.faultf(n.stmt, rule, "list %q is configuration and has no key", n.name)
		}
		return
	}
	v11 := n.stmt.src.v11
	for _, ref := range strings.Fields(s.arg) {
		prefix, local, ok := strings.Cut(ref, ":")
		if !ok {
			local = ref
		} else if m := c.module(s, prefix); m == nil {
			continue
		} else if m != s.src.module && m != n.module {
			c.faultf(s, rule, "key %q is of another module", clip(ref))
			continue
		}
		k := n.kids[name{n.module.Name, local}]
		switch {
		case k == nil && n.pruned[name{n.module.Name, local}]:
			c.faultf(s, rule, "key %q is ruled out by an if-feature", clip(ref))
			continue
		case k == nil || k.kind != KindLeaf || k.parent != n:
			c.faultf(s, rule, "key %q is not a leaf of list %q", clip(ref), n.name)
			continue
		case slices.Contains(n.keys, k):
			c.faultf(s, rule, "key %q is there twice", local)
			continue
		case k.config != n.config:
			c.faultf(s, rule, "key %q and list %q differ in config", local, n.name)
		case v11 && len(k.whens) > 0:
			c.faultf(s, "RFC 7950 §7.21.5", "key %q depends on a when", local)
		case v11 && k.stmt.child("if-feature") != nil:
			c.faultf(s, "RFC 7950 §7.20.2", "key %q depends on an if-feature", local)
		case k.typ != nil && k.typ.Base == BaseEmpty && !v11:
			c.faultf(s, rule, "key %q is of type empty", local)
		}
		n.keys = append(n.keys, k)
		k.keyIndex = len(n.keys)
	}
	if len(n.keys) == 0 {
		c.faultf(s, rule, "the key of list %q is empty", n.name)
	}
}

// refCycle refuses leafrefs that lead to themselves (§9.9), and chains that are
// too long to follow for each value. seen tells nodes on the way (1) from those
// that are done (2).
func (c *compiler) refCycle(n *Node, seen map[*Node]int8, depth int) {
	if len(n.refs) == 0 || seen[n] == 2 {
		return
	}
	if depth >= maxTypeDepth {
		c.limit(n.typeStmt, "leafrefs refer to each other more than %d deep", maxTypeDepth)
		return
	}
	seen[n] = 1
	for _, r := range n.refs {
		switch seen[r.target] {
		case 1:
			c.faultf(n.typeStmt, "RFC 7950 §9.9", "the leafref of %s leads to itself", n.Path())
		default:
			c.refCycle(r.target, seen, depth+1)
		}
	}
	seen[n] = 2
}

// checkPresence checks what one node says of whether it has to be there, and of
// how often.
func (c *compiler) checkPresence(n *Node) {
	switch n.kind {
	case KindLeaf:
		if len(n.defaults) > 0 && n.mandatory {
			c.faultf(n.stmt, "RFC 7950 §7.6.4", "leaf %q is mandatory and has a default", n.name)
		}
	case KindLeafList:
		if len(n.defaults) > 0 && n.min > 0 {
			c.faultf(n.stmt, "RFC 7950 §7.7.2", "leaf-list %q has a default and min-elements", n.name)
		}
	case KindChoice:
		c.checkChoice(n)
	case KindList:
		c.uniqueLeaves(n)
	}
	if (n.kind == KindList || n.kind == KindLeafList) && n.max > 0 && n.min > n.max {
		c.faultf(n.stmt, "RFC 7950 §7.7.5", "%s %q needs more elements than it may have", n.kind, n.name)
	}
}

// checkNode checks defaults, uniques, counts and choices of one node.
func (c *compiler) checkNode(n *Node) {
	c.checkPresence(n)
	if n.keyIndex > 0 {
		n.mandatory = false // the key statement says it all
		n.defaults = nil    // §7.8.2: ignored
	}
	if !n.leafy() || n.typ == nil {
		return
	}
	if n.units == "" {
		n.units = n.typ.units
	}
	defaults := n.defaults
	if len(defaults) == 0 && n.typ.dflt != nil && n.keyIndex == 0 && !n.mandatory && n.min == 0 {
		defaults = []attached{{n.typ.dflt.arg, n.typ.dflt}}
	}
	if n.typ.Base == BaseEmpty && len(defaults) > 0 {
		c.faultf(defaults[0].stmt, "RFC 7950 §9.11", "type empty cannot have a default")
		return
	}
	for _, d := range defaults {
		v, err := c.readDefault(d, n)
		if err != nil {
			c.faultf(d.stmt, "RFC 7950 §7.6.4", "the default does not fit the type: %v", err)
			continue
		}
		if what := c.conditional(v); what != "" {
			c.faultf(d.stmt, "RFC 7950 §7.6.4", "the default %s depends on an if-feature", what)
		}
		if n.kind == KindLeafList && n.config && slices.Contains(n.dflts, v.text) {
			c.faultf(d.stmt, "RFC 7950 §7.7.4", "the default %q is there twice", clip(d.arg))
		}
		n.dflts = append(n.dflts, v.text)
		n.dfltTypes = append(n.dfltTypes, v.typ)
	}
	n.trimmable = n.keyIndex == 0
}

// conditional returns the enum, bit or identity in a default value that an
// if-feature may rule out, or "".
func (c *compiler) conditional(v value) string {
	switch v.typ.Base {
	case BaseEnumeration, BaseBits:
		for word := range strings.FieldsSeq(v.text) {
			if v.typ.Base == BaseEnumeration {
				word = v.text // may have blanks in it
			}
			if i, ok := v.typ.enumAt[word]; ok && v.typ.enums[i].conditional {
				return strconv.Quote(clip(word))
			}
		}
	case BaseIdentityref:
		if i := c.set.idents[v.text]; i != nil && i.stmt.child("if-feature") != nil {
			return strconv.Quote(i.Name)
		}
	}
	return ""
}

// readDefault reads a default in the place where it is written: without a
// prefix an identity is one of the module that has the default (§9.10.3).
func (c *compiler) readDefault(d attached, n *Node) (value, *valueError) {
	prefixes := prefixesOf(d.stmt)
	r := &reading{set: c.set, node: n, hint: hintDefault, module: func(p string) (string, bool) {
		// An identity that is a default has to be one that data can have.
		m := d.stmt.src.prefixes[p]
		if p == "" {
			m = d.stmt.src.module
		}
		c.need(m)
		return prefixes(p)
	}}
	return r.read(n.typ, d.arg)
}

// prefixesOf returns what prefixes stand for at s.
func prefixesOf(s *statement) func(string) (string, bool) {
	return func(p string) (string, bool) {
		if p == "" {
			return s.src.module.Name, true
		}
		m, ok := s.src.prefixes[p]
		if !ok || m == nil {
			return "", false
		}
		return m.Name, true
	}
}

// checkDefault checks a typedef's default.
func (c *compiler) checkDefault(d *statement, t *Type, at *statement) {
	r := &reading{set: c.set, node: &Node{}, hint: hintDefault, module: prefixesOf(d)}
	if t.Base == BaseInstanceIdentifier {
		return // needs the tree: checked where it is used
	}
	if t.Base == BaseEmpty {
		c.faultf(d, "RFC 7950 §9.11", "type empty cannot have a default")
		return
	}
	if _, err := r.read(t, d.arg); err != nil {
		c.faultf(at, "RFC 7950 §7.3.4", "the default %q does not fit the type: %v", clip(d.arg), err)
	}
}

// checkChoice binds a choice's default case (§7.9.3).
func (c *compiler) checkChoice(n *Node) {
	if len(n.defaults) == 0 {
		return
	}
	d := n.defaults[0]
	if n.mandatory {
		c.faultf(d.stmt, "RFC 7950 §7.9.3", "choice %q is mandatory and has a default", n.name)
	}
	_, local, ok := strings.Cut(d.arg, ":")
	if !ok {
		local = d.arg
	}
	own := n.module
	if ok {
		if own = c.module(d.stmt, d.arg[:len(d.arg)-len(local)-1]); own == nil {
			return
		}
	}
	n.dfltCase = n.index[name{own.Name, local}]
	if n.dfltCase == nil && own == d.stmt.src.module {
		own = n.module
		n.dfltCase = n.index[name{own.Name, local}]
	}
	if n.dfltCase == nil && n.pruned[name{own.Name, local}] {
		n.defaults = nil // there is no such case, and so no default one
		return
	}
	if n.dfltCase == nil {
		c.faultf(d.stmt, "RFC 7950 §7.9.3", "choice %q has no case %q", n.name, clip(d.arg))
		return
	}
	for _, k := range n.dfltCase.children {
		if m := k.demands(); m != nil {
			c.faultf(d.stmt, "RFC 7950 §7.9.3", "the default case has the mandatory node %q", m.name)
		}
	}
}

// uniqueLeaves binds unique statements (§7.8.3).
func (c *compiler) uniqueLeaves(n *Node) {
	for _, u := range n.uniques {
		var leaves []*Node
		whole := true
		for _, ref := range strings.Fields(u.arg) {
			at, pruned := c.uniqueLeaf(n, u, ref)
			if pruned {
				whole = false // entries never have all of the leaves
			}
			if at == nil {
				continue
			}
			if len(leaves) > 0 && leaves[0].config != at.config {
				c.faultf(u.stmt, uniqueRule, "%q is configuration and another leaf is not, or the other way round", clip(ref))
			}
			leaves = append(leaves, at)
		}
		if len(leaves) > 0 && whole {
			n.unique = append(n.unique, leaves)
		}
	}
}

const uniqueRule = "RFC 7950 §7.8.3"

// uniqueLeaf finds the leaf of one schema node id, choices and cases being
// named on the way. pruned says that an if-feature has ruled it out.
func (c *compiler) uniqueLeaf(n *Node, u attached, ref string) (leaf *Node, pruned bool) {
	at := n
	for step := range strings.SplitSeq(ref, "/") {
		m, local, ok := c.resolve(u.stmt, step, n.module)
		if !ok {
			c.faultf(u.stmt, uniqueRule, "%q is not a node id", clip(ref))
			return nil, false
		}
		next := at.schemaChild(m, local, 0)
		if next == nil && m == u.stmt.src.module {
			m = n.module
			next = at.schemaChild(m, local, 0)
		}
		if next == nil && at.pruned[name{m.Name, local}] {
			return nil, true
		}
		if next == nil || next.kind == KindList {
			c.faultf(u.stmt, uniqueRule, "%q is not a leaf below list %q, outside of other lists", clip(ref), n.name)
			return nil, false
		}
		at = next
	}
	if at.kind != KindLeaf {
		c.faultf(u.stmt, uniqueRule, "%q is not a leaf", clip(ref))
		return nil, false
	}
	return at, false
}

// demand computes which absent children have to be looked at in validation:
// those that may be missing, and those whose defaults or conditions count
// although nobody wrote them. It reports whether n itself is such a child.
func (c *compiler) demand(n *Node) bool {
	n.required = nil
	for _, k := range n.children {
		switch k.kind {
		case KindRPC, KindAction, KindNotification, KindInput, KindOutput:
			c.demand(k)
			continue
		}
		if c.demand(k) {
			n.required = append(n.required, k)
		}
	}
	switch n.kind {
	case KindLeaf:
		return n.mandatory || len(n.dflts) > 0 && len(n.musts) > 0
	case KindAnyData, KindAnyXML:
		return n.mandatory
	case KindLeafList:
		return n.min > 0 || len(n.dflts) > 0 && len(n.musts) > 0
	case KindList:
		return n.min > 0
	case KindContainer:
		return !n.presence && (len(n.musts) > 0 || len(n.required) > 0)
	case KindChoice:
		return n.mandatory || len(n.required) > 0
	case KindCase:
		return len(n.required) > 0
	}
	return false
}
