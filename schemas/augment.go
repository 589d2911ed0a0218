package schemas

import (
	"slices"
	"strconv"
	"strings"
)

// augment is a top-level augment that waits for its target: another augment
// may bring it.
type augment struct {
	stmt   *statement
	module *Module
}

// applyAugments applies the augments of all modules, in rounds until none
// finds its target any more.
func (c *compiler) applyAugments() {
	pending := c.augments
	for len(pending) > 0 && !c.stop() {
		var waiting []*augment
		for _, a := range pending {
			t, missing := c.absolute(a.stmt, a.module)
			if t == nil {
				if missing {
					waiting = append(waiting, a)
				}
				continue
			}
			c.augmentNode(a.stmt, t, scope{module: a.module})
		}
		if len(waiting) == len(pending) {
			for _, a := range waiting {
				c.faultf(a.stmt, "RFC 7950 §7.17", "the target %q does not exist", clip(a.stmt.arg))
			}
			return
		}
		pending = waiting
	}
}

// absolute finds the node of an absolute schema node id. missing says that a
// name on the way does not exist (yet), not that the id is malformed.
func (c *compiler) absolute(s *statement, own *Module) (n *Node, missing bool) {
	rest, ok := strings.CutPrefix(s.arg, "/")
	if !ok {
		c.faultf(s, "RFC 7950 §6.5", "%q is not an absolute node id", clip(s.arg))
		return nil, false
	}
	at := c.set.root
	absent := false
	for step := range strings.SplitSeq(rest, "/") {
		m, local, ok := c.resolve(s, step, own)
		if !ok {
			c.faultf(s, "RFC 7950 §6.5", "%q is not an absolute node id", clip(s.arg))
			return nil, false
		}
		if !m.Implemented {
			if other := c.set.byName[m.Name]; other == nil || !other.Implemented {
				c.need(m)
				absent = true
			}
		}
		if absent {
			continue
		}
		if at = at.schemaChild(m, local, 0); at == nil {
			return nil, true
		}
	}
	if absent {
		return nil, false // compiled again with the module implemented
	}
	return at, false
}

// usesAugment applies an augment inside uses (§7.13).
func (c *compiler) usesAugment(s *statement, n *Node, from int, sc scope) {
	if t := c.descend(s, n, from, sc.module); t != nil {
		c.augmentNode(s, t, scope{module: sc.module, depth: sc.depth, iffs: sc.iffs})
	}
}

// augmentNode adds the definitions of an augment to its target.
func (c *compiler) augmentNode(s *statement, t *Node, sc scope) {
	switch t.kind {
	case KindContainer, KindList, KindChoice, KindCase, KindInput, KindOutput, KindNotification:
	default:
		c.faultf(s, "RFC 7950 §7.17", "%s %q cannot be augmented", t.kind, t.name)
		return
	}
	for _, d := range s.subs {
		switch d.kw {
		case "when":
			if x := c.condition(d, sc.module, true); x != nil {
				sc.whens = append(slices.Clip(sc.whens), x)
			}
		case "case":
			if t.kind != KindChoice {
				c.faultf(d, "RFC 7950 §7.17", "a case can only be added to a choice")
				return
			}
		case "action", "notification":
			if t.kind != KindContainer && t.kind != KindList {
				c.faultf(d, "RFC 7950 §7.17", "%s cannot be added to %s", d.kw, t.kind)
				return
			}
		case "uses":
			if t.kind == KindChoice {
				c.faultf(d, "RFC 7950 §7.17", "uses cannot be added to a choice")
				return
			}
		default:
			if strings.Contains(d.kw, ":") {
				c.extension(d, nil)
			}
		}
	}
	sc.depth = t.depth()
	sc.off = !c.enabled(s)
	sc.iffs = withFeatures(sc.iffs, s)
	was := c.lent
	c.lent = was || sc.off || t.ruledOut()
	defer func() { c.lent = was }()
	before := len(t.children)
	c.children(s, t, sc)
	if len(sc.whens) > 0 || t.module == sc.module || t.module == nil || c.lent {
		return
	}
	for _, n := range t.children[min(before, len(t.children)):] {
		if m := n.demands(); m != nil && n.wantsConfig() {
			c.faultf(s, "RFC 7950 §7.17", "the augment of another module adds the mandatory node %q without a when", m.name)
		}
	}
}

// ruledOut reports whether an if-feature has ruled out the node or one above.
func (n *Node) ruledOut() bool {
	for at := n; at != nil; at = at.parent {
		if at.off {
			return true
		}
	}
	return false
}

func (n *Node) depth() int {
	d := 0
	for at := n.parent; at != nil; at = at.parent {
		d++
	}
	return d
}

// demands returns a node at or below n that makes n a mandatory node (§3).
func (n *Node) demands() *Node {
	switch n.kind {
	case KindLeaf, KindChoice, KindAnyData, KindAnyXML:
		if n.mandatory {
			return n
		}
		return nil
	case KindList, KindLeafList:
		if n.min > 0 {
			return n
		}
		return nil
	case KindContainer:
		if n.presence {
			return nil
		}
		for _, k := range n.children {
			if m := k.demands(); m != nil {
				return m
			}
		}
	}
	return nil
}

// wantsConfig tells whether the node will be configuration, before finish has
// handed that down.
func (n *Node) wantsConfig() bool {
	for at := n; at != nil; at = at.parent {
		switch at.kind {
		case KindRPC, KindAction, KindNotification:
			return false
		}
		if at.configSet != nil {
			return *at.configSet
		}
	}
	return true
}

// applyDeviations applies the deviations of all modules (§7.20.3). Their order
// says nothing: what is not supported is taken out when all others are applied.
func (c *compiler) applyDeviations() {
	changed := make(map[*Node]bool)
	gone := make(map[*Node]*statement)
	for _, m := range c.want {
		for _, src := range m.files {
			for _, s := range src.root.subs {
				if s.kw != "deviation" || c.stop() {
					continue
				}
				t, missing := c.absolute(s, m)
				if missing {
					c.faultf(s, "RFC 7950 §7.20.3", "the target %q does not exist", clip(s.arg))
				}
				if t == nil {
					continue
				}
				for _, d := range s.subs {
					switch {
					case d.kw == "deviate" && d.arg == "not-supported":
						gone[t] = d
					case d.kw == "deviate":
						changed[t] = true
						c.deviate(d, t, m)
					}
				}
			}
		}
	}
	for t, d := range gone {
		if changed[t] {
			c.faultf(d, deviationRule, "%s %q is not supported and deviates otherwise too", t.kind, t.name)
		}
		t.gone = true
	}
}

const deviationRule = "RFC 7950 §7.20.3.2"

func (c *compiler) deviate(s *statement, t *Node, m *Module) {
	first := true
	for _, d := range s.subs {
		if strings.Contains(d.kw, ":") {
			c.extension(d, t)
			continue
		}
		if !deviates(s.arg, d.kw) {
			c.faultf(d, deviationRule, "deviate %s cannot have %q", s.arg, d.kw)
			continue
		}
		if !t.hasProperty(d.kw) {
			c.faultf(d, deviationRule, "%s %q cannot have %q", t.kind, t.name, d.kw)
			continue
		}
		switch s.arg {
		case "add":
			c.deviateAdd(d, t, m)
		case "replace":
			if d.kw == "default" && !first {
				c.setProperty(d, t, m)
				continue
			}
			if !t.has(d.kw) {
				c.faultf(d, deviationRule, "%q has no %q to replace", t.name, d.kw)
				continue
			}
			if d.kw == "default" {
				t.defaults, first = nil, false
			}
			c.setProperty(d, t, m)
		case "delete":
			c.deviateDelete(d, t)
		}
	}
}

func deviates(how, kw string) bool {
	switch how {
	case "add":
		return kw != "type"
	case "delete":
		return kw == "units" || kw == "must" || kw == "unique" || kw == "default"
	}
	return kw != "must" && kw != "unique"
}

// hasProperty says which statements a kind of node can have.
func (n *Node) hasProperty(kw string) bool {
	kinds := map[string][]Kind{
		"units": {KindLeaf, KindLeafList}, "type": {KindLeaf, KindLeafList}, "unique": {KindList},
		"default":   {KindLeaf, KindLeafList, KindChoice},
		"mandatory": {KindLeaf, KindChoice, KindAnyData, KindAnyXML},
		"must":      {KindContainer, KindList, KindLeaf, KindLeafList, KindAnyData, KindAnyXML, KindInput, KindOutput, KindNotification},
		"config":    {KindContainer, KindList, KindLeaf, KindLeafList, KindAnyData, KindAnyXML, KindChoice},
	}
	if k, ok := kinds[kw]; ok {
		return slices.Contains(k, n.kind)
	}
	return n.kind == KindList || n.kind == KindLeafList // min-elements, max-elements
}

// has reports whether the node has the property by a statement of its own, or
// by one of a refinement or deviation.
func (n *Node) has(kw string) bool {
	switch kw {
	case "units":
		return n.units != ""
	case "default":
		return len(n.defaults) > 0
	case "config":
		return n.configSet != nil
	case "mandatory", "min-elements", "max-elements":
		return n.said[kw]
	}
	return kw == "type"
}

func (c *compiler) deviateAdd(d *statement, t *Node, m *Module) {
	if t.has(d.kw) && (d.kw != "default" || t.kind != KindLeafList) {
		c.faultf(d, deviationRule, "%q has %q already", t.name, d.kw)
		return
	}
	c.setProperty(d, t, m)
}

// say notes that a statement sets a property that has a value without it.
func (n *Node) say(kw string) {
	if n.said == nil {
		n.said = make(map[string]bool)
	}
	n.said[kw] = true
}

// setProperty sets one property, or adds one of those that can be repeated.
func (c *compiler) setProperty(d *statement, t *Node, m *Module) {
	t.say(d.kw)
	switch d.kw {
	case "units":
		t.units = d.arg
	case "default":
		if t.kind == KindLeafList && !d.src.v11 {
			c.faultf(d, "RFC 6020 §7.18.3.2", "the default of a leaf-list needs yang-version 1.1")
		}
		t.defaults = append(slices.Clip(t.defaults), attached{d.arg, d})
	case "config":
		v := d.arg == "true"
		t.configSet = &v
	case "mandatory":
		t.mandatory = d.arg == "true"
	case "min-elements":
		t.min, _ = strconv.Atoi(d.arg)
	case "max-elements":
		t.max, _ = strconv.Atoi(d.arg) // "unbounded" is 0
	case "type":
		t.typeStmt, t.typ = d, c.typ(d, 0)
	case "must":
		if x := c.condition(d, m, false); x != nil {
			t.musts = append(slices.Clip(t.musts), x)
		}
	case "unique":
		t.uniques = append(slices.Clip(t.uniques), attached{d.arg, d})
	}
}

func (c *compiler) deviateDelete(d *statement, t *Node) {
	found := false
	gone := func(a attached) bool {
		same := a.arg == d.arg
		found = found || same
		return same
	}
	switch d.kw {
	case "units":
		if found = t.units == d.arg; found {
			t.units = ""
		}
	case "default":
		t.defaults = slices.DeleteFunc(slices.Clone(t.defaults), gone)
	case "unique":
		t.uniques = slices.DeleteFunc(slices.Clone(t.uniques), gone)
	case "must":
		t.musts = slices.DeleteFunc(slices.Clone(t.musts), func(x *condition) bool {
			same := x.stmt.arg == d.arg
			found = found || same
			return same
		})
	}
	if !found {
		c.faultf(d, deviationRule, "%q has no such %q to delete", t.name, d.kw)
	}
}
