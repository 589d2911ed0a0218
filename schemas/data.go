package schemas

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// scope is what the expansion of groupings and augments hands down to the
// nodes it makes.
type scope struct {
	module *Module      // whose namespace the nodes get
	whens  []*condition // of the uses or augment
	depth  int
	off    bool         // by an if-feature of the uses or augment
	iffs   []*statement // the uses and augments
}

// children compiles the data definitions below s into n.
func (c *compiler) children(s *statement, n *Node, sc scope) {
	for _, d := range s.subs {
		if c.stop() {
			return
		}
		switch d.kw {
		case "container", "list", "leaf", "leaf-list", "anydata", "anyxml", "choice", "case", "rpc", "action", "notification", "input", "output":
			c.data(d, n, sc)
		case "uses":
			c.uses(d, n, sc)
		}
	}
}

func kindOf(kw string) Kind {
	for k := KindContainer; k <= KindNotification; k++ {
		if k.String() == kw {
			return k
		}
	}
	return KindRoot
}

// data compiles one definition and attaches it to parent. What an if-feature
// rules out is compiled all the same, so that augments, refinements and
// deviations find their targets and faults do not depend on features; finish
// takes it out.
func (c *compiler) data(s *statement, parent *Node, sc scope) {
	off := !c.enabled(s) || sc.off
	if c.set.nodes++; c.set.nodes > maxNodes {
		c.limit(s, "the set has more than %d nodes", maxNodes)
		return
	}
	if sc.depth > maxNodeDepth {
		c.limit(s, "nodes are nested more than %d deep", maxNodeDepth)
		return
	}
	kind := kindOf(s.kw)
	if parent.kind == KindChoice && kind != KindCase {
		// Shorthand: a case of the same name around it (§7.9.2).
		short := &Node{kind: KindCase, name: s.arg, module: sc.module, stmt: s, parent: parent, status: "current", off: off, iffs: sc.iffs}
		short.whens = sc.whens
		if !c.attach(short, parent) {
			return
		}
		sc.whens = nil
		parent = short
	}
	n := &Node{kind: kind, name: s.arg, module: sc.module, parent: parent, stmt: s, status: "current", whens: slices.Clip(sc.whens), off: off, iffs: slices.Clip(sc.iffs)}
	switch kind {
	case KindContainer, KindList, KindRPC, KindAction, KindInput, KindOutput, KindNotification:
		n.kids = make(map[name]*Node)
	}
	if kind == KindInput || kind == KindOutput {
		n.name = kind.String()
	}
	was := c.lent
	c.lent = was || off
	defer func() { c.lent = was }()
	c.properties(n, s, sc)
	if !c.attach(n, parent) {
		return
	}
	c.placed(n)
	c.children(s, n, scope{module: sc.module, depth: sc.depth + 1})
	if kind == KindRPC || kind == KindAction {
		for _, k := range []Kind{KindInput, KindOutput} {
			if !slices.ContainsFunc(n.children, func(x *Node) bool { return x.kind == k }) {
				c.attach(&Node{kind: k, name: k.String(), module: n.module, parent: n, stmt: s, status: "current", kids: make(map[name]*Node)}, n)
			}
		}
	}
}

// attach puts n below parent and among the data names of the node that has
// them. Names are unique among all children that can be there (§6.2.1).
func (c *compiler) attach(n, parent *Node) bool {
	key := name{n.module.Name, n.name}
	if o := parent.index[key]; o != nil {
		c.faultf(n.stmt, "RFC 7950 §6.2.1", "%s %q is there twice in %s (also line %d)", n.kind, n.name, where(parent), o.stmt.line)
		return false
	}
	if n.isData() {
		holder := n.dataParent()
		if o := holder.kids[key]; o != nil {
			c.faultf(n.stmt, "RFC 7950 §6.2.1", "%s %q is there twice in %s (also line %d)", n.kind, n.name, where(holder), o.stmt.line)
			return false
		}
		holder.kids[key] = n
	}
	if parent.index == nil {
		parent.index = make(map[name]*Node)
	}
	parent.index[key] = n
	n.order = len(parent.children)
	parent.children = append(parent.children, n)
	return true
}

// placed checks where actions and notifications stand, which groupings can
// bring anywhere (§7.15, §7.16).
func (c *compiler) placed(n *Node) {
	if n.kind != KindAction && n.kind != KindNotification || n.parent.kind == KindRoot && n.kind == KindNotification {
		return
	}
	rule := "RFC 7950 §7.15"
	if n.kind == KindNotification {
		rule = "RFC 7950 §7.16"
	}
	switch {
	case n.parent.kind == KindRoot:
		c.faultf(n.stmt, rule, "action %q stands at the top of the module", n.name)
	case n.parent.kind == KindCase:
		c.faultf(n.stmt, rule, "%s %q stands in a case", n.kind, n.name)
	}
	for at := n.parent; at != nil; at = at.parent {
		switch at.kind {
		case KindRPC, KindAction, KindNotification:
			c.faultf(n.stmt, rule, "%s %q stands in %s %q", n.kind, n.name, at.kind, at.name)
			return
		case KindList:
			if at.stmt.child("key") == nil {
				c.faultf(n.stmt, rule, "%s %q stands in list %q, which has no key", n.kind, n.name, at.name)
				return
			}
		}
	}
}

func where(n *Node) string {
	if n.kind == KindRoot {
		return "the module"
	}
	return n.kind.String() + " " + n.name
}

// properties reads the substatements that describe n itself.
func (c *compiler) properties(n *Node, s *statement, sc scope) {
	n.max = 0
	for _, d := range s.subs {
		switch d.kw {
		case "config":
			v := d.arg == "true"
			n.configSet = &v
		case "mandatory":
			n.say(d.kw)
			n.mandatory = d.arg == "true"
		case "presence":
			n.presence = true
		case "min-elements":
			n.say(d.kw)
			n.min, _ = strconv.Atoi(d.arg)
		case "max-elements":
			n.say(d.kw)
			n.max, _ = strconv.Atoi(d.arg)
		case "ordered-by":
			n.userOrder = d.arg == "user"
		case "description":
			n.desc = d.arg
		case "status":
			n.status = d.arg
		case "units":
			n.units = d.arg
		case "type":
			n.typeStmt = d
			n.typ = c.typ(d, 0)
		case "default":
			n.defaults = append(n.defaults, attached{d.arg, d})
		case "unique":
			n.uniques = append(n.uniques, attached{d.arg, d})
		case "must":
			if x := c.condition(d, sc.module, false); x != nil {
				n.musts = append(n.musts, x)
			}
		case "when":
			up := n.kind == KindChoice || n.kind == KindCase
			if x := c.condition(d, sc.module, up); x != nil {
				n.whens = append(n.whens, x)
			}
		default:
			if strings.Contains(d.kw, ":") {
				c.extension(d, n)
			}
		}
	}
}

type conditionKey struct {
	stmt   *statement
	module *Module
	up     bool
	lent   bool // only checked: nothing becomes implemented for it
}

// condition compiles a must or when.
func (c *compiler) condition(s *statement, module *Module, up bool) *condition {
	key := conditionKey{s, module, up, c.lent}
	if x, ok := c.conditions[key]; ok {
		return x // a grouping that is used often: compile once
	}
	var x *condition
	e, err := c.xpath(s, module)
	if err != nil {
		c.faultf(s, "RFC 7950 §6.4", "%s: %v", s.kw, err)
	} else {
		x = &condition{expr: e, stmt: s, up: up, msg: messageOf(s)}
	}
	c.conditions[key] = x
	return x
}

// xpath compiles an expression whose prefixes are those of the file it is in.
// Names without a prefix belong to the module that the nodes get (§6.4.1).
func (c *compiler) xpath(s *statement, module *Module) (*xpath.Expr, error) {
	return xpath.Compile(s.arg, xpath.Names{
		Default: module.Name,
		Prefix: func(p string) (string, bool) {
			m, ok := s.src.prefixes[p]
			if !ok || m == nil {
				return "", false
			}
			if !c.lent {
				c.need(m)
			}
			return m.Name, true
		},
	})
}

// uses expands a grouping in place (§7.13).
func (c *compiler) uses(s *statement, n *Node, sc scope) {
	off := !c.enabled(s) || sc.off
	g := c.lookup(s, "grouping", s.arg)
	if g == nil {
		c.faultf(s, "RFC 7950 §7.13", "there is no grouping %q", clip(s.arg))
		return
	}
	if slices.Contains(c.groups, g) {
		c.faultf(s, "RFC 7950 §7.12", "grouping %q uses itself", g.arg)
		return
	}
	if len(c.groups) > maxTypeDepth {
		c.limit(s, "groupings use each other more than %d deep", maxTypeDepth)
		return
	}
	c.refer(s, s, g)
	c.used[g] = true
	was := c.lent
	c.lent = was || off
	defer func() { c.lent = was }()
	inner := scope{module: sc.module, whens: slices.Clip(sc.whens), depth: sc.depth, off: off, iffs: withFeatures(sc.iffs, s)}
	for _, d := range s.subs {
		switch {
		case d.kw == "when":
			if x := c.condition(d, sc.module, true); x != nil {
				inner.whens = append(inner.whens, x)
			}
		case strings.Contains(d.kw, ":"):
			c.extension(d, nil)
		}
	}
	before := len(n.children)
	c.groups = append(c.groups, g)
	c.children(g, n, inner)
	c.groups = c.groups[:len(c.groups)-1]
	for _, d := range s.subs {
		if c.stop() {
			return
		}
		switch d.kw {
		case "refine":
			c.refine(d, n, before, sc)
		case "augment":
			c.usesAugment(d, n, before, sc)
		}
	}
}

// descend finds the node of a descendant schema node id, starting among the
// children of n from the given one on (those that a uses brought).
func (c *compiler) descend(s *statement, n *Node, from int, own *Module) *Node {
	at := n
	for i, step := range strings.Split(s.arg, "/") {
		m, local, ok := c.resolve(s, step, own)
		if !ok {
			c.faultf(s, "RFC 7950 §6.5", "%q is not a node id", clip(s.arg))
			return nil
		}
		if i > 0 {
			from = 0
		}
		// Prefixed names point into the using module's namespace there; names
		// of the grouping's own module have become those of the user.
		next := at.schemaChild(m, local, from)
		if next == nil && m == s.src.module {
			next = at.schemaChild(own, local, from)
		}
		if next == nil {
			c.faultf(s, "RFC 7950 §6.5", "%s: there is no node %q in %s", s.kw, clip(step), where(at))
			return nil
		}
		at = next
	}
	return at
}

// schemaChild finds a child, choices and cases being nodes of their own.
func (n *Node) schemaChild(m *Module, local string, from int) *Node {
	if k := n.index[name{m.Name, local}]; k != nil && k.order >= from && !k.gone {
		return k
	}
	return nil
}

// refine changes a node that a grouping brought (§7.13.2).
func (c *compiler) refine(s *statement, n *Node, from int, sc scope) {
	t := c.descend(s, n, from, sc.module)
	if t == nil {
		return
	}
	if !c.enabled(s) {
		t.off = true
	}
	t.iffs = withFeatures(t.iffs, s)
	only := func(d *statement, kinds ...Kind) bool {
		if slices.Contains(kinds, t.kind) {
			return true
		}
		c.faultf(d, "RFC 7950 §7.13.2", "%q cannot refine %s %q", d.kw, t.kind, t.name)
		return false
	}
	first := true
	for _, d := range s.subs {
		switch d.kw {
		case "default":
			if only(d, KindLeaf, KindLeafList, KindChoice) {
				if first {
					t.defaults = nil
				}
				first = false
				t.defaults = append(t.defaults, attached{d.arg, d})
				switch {
				case t.kind == KindLeafList && !d.src.v11:
					c.faultf(d, "RFC 6020 §7.12.2", "the default of a leaf-list needs yang-version 1.1")
				case len(t.defaults) > 1 && t.kind != KindLeafList:
					c.faultf(d, "RFC 7950 §7.13.2", "more than one default")
				}
			}
		case "description":
			t.desc = d.arg
		case "config":
			if t.kind == KindCase {
				c.faultf(d, "RFC 7950 §7.9.2", "%q cannot refine %s %q", d.kw, t.kind, t.name)
				continue
			}
			v := d.arg == "true"
			t.configSet = &v
		case "mandatory":
			if only(d, KindLeaf, KindChoice, KindAnyData, KindAnyXML) {
				t.say(d.kw)
				t.mandatory = d.arg == "true"
			}
		case "presence":
			if only(d, KindContainer) {
				t.presence = true
			}
		case "must":
			if only(d, KindLeaf, KindLeafList, KindList, KindContainer, KindAnyData, KindAnyXML) {
				if x := c.condition(d, sc.module, false); x != nil {
					t.musts = append(slices.Clip(t.musts), x)
				}
			}
		case "min-elements":
			if only(d, KindList, KindLeafList) {
				t.say(d.kw)
				t.min, _ = strconv.Atoi(d.arg)
			}
		case "max-elements":
			if only(d, KindList, KindLeafList) {
				t.say(d.kw)
				t.max, _ = strconv.Atoi(d.arg)
			}
		default:
			if strings.Contains(d.kw, ":") {
				c.extension(d, t)
			}
		}
	}
}

// prune takes out what if-features rule out and deviations do not support.
func (n *Node) prune() {
	kept := n.children[:0]
	for _, k := range n.children {
		if !k.off && !k.gone {
			kept = append(kept, k)
			k.prune()
			continue
		}
		delete(n.index, name{k.module.Name, k.name})
		if k.off {
			if n.pruned == nil {
				n.pruned = make(map[name]bool)
			}
			n.pruned[name{k.module.Name, k.name}] = true
		}
		k.forget()
	}
	clear(n.children[len(kept):])
	n.children = kept
}

// forget takes the data nodes at or below n, as far as their parent is above
// it, out of that parent's names.
func (n *Node) forget() {
	if n.isData() {
		if h := n.dataParent(); h != nil {
			delete(h.kids, name{n.module.Name, n.name})
		}
		return
	}
	for _, k := range n.children {
		k.forget()
	}
}
