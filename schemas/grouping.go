package schemas

import (
	"slices"
	"strings"
)

// checkDefinitions compiles every typedef and unused grouping below s, so that
// faults in them do not wait for somebody to use them, and checks that scoped
// names do not hide others (§5.5).
func (c *compiler) checkDefinitions(s *statement) {
	seen := make(map[string]bool)
	for _, d := range s.subs {
		switch d.kw {
		case "typedef", "grouping":
			if seen[d.kw+d.arg] && s.parent != nil {
				c.faultf(d, "RFC 7950 §6.2.1", "%s %q is defined twice", d.kw, d.arg)
			}
			seen[d.kw+d.arg] = true
			if s.parent != nil && s.parent.scoped(d.kw, d.arg) != nil {
				c.faultf(d, "RFC 7950 §5.5", "%s %q hides one of the same name", d.kw, d.arg)
			}
			if d.kw == "typedef" {
				if _, ok := builtin(d.arg); ok {
					c.faultf(d, "RFC 7950 §4.2.4", "typedef %q has the name of a built-in type", d.arg)
				}
				c.typedef(d)
			} else {
				c.checkGrouping(d)
			}
		}
		if strings.Contains(d.kw, ":") {
			c.extension(d, nil)
			continue
		}
		if len(d.subs) > 0 {
			c.checkDefinitions(d)
		}
	}
}

// checkGrouping expands a grouping into nowhere.
func (c *compiler) checkGrouping(g *statement) {
	if c.stop() {
		return
	}
	was := c.lent
	c.lent = true
	n := &Node{kind: KindContainer, name: g.arg, module: g.src.module, config: true, stmt: g, kids: make(map[name]*Node), parent: &Node{kind: KindRoot, config: true}}
	if !slices.Contains(c.groups, g) {
		c.groups = append(c.groups, g)
		c.children(g, n, scope{module: g.src.module})
		c.groups = c.groups[:len(c.groups)-1]
		c.loose = append(c.loose, n)
	}
	c.lent = was
}

// checkLoose checks, in a grouping that nothing uses, what can be told without
// knowing where it would be used. config is what was said above, nil if nothing.
func (c *compiler) checkLoose(n *Node, config *bool) {
	switch {
	case n.configSet == nil:
	case config != nil && !*config && *n.configSet:
		c.faultf(n.stmt, "RFC 7950 §7.21.1", "%s %q cannot be configuration below state", n.kind, n.name)
	default:
		config = n.configSet
	}
	if n.kind == KindAction || n.kind == KindNotification {
		return // where config says nothing
	}
	n.config = config != nil && *config
	for _, k := range n.children {
		c.checkLoose(k, config)
	}
	if n.kind == KindList {
		c.listKeys(n)
	}
	c.checkPresence(n)
}
