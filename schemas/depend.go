package schemas

import (
	"slices"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// schemaTree is the schema as xpath.Reach sees it.
type schemaTree struct{ root *Node }

// Root implements xpath.Schema.
func (t schemaTree) Root() *Node { return t.root }

// Parent implements xpath.Schema.
func (t schemaTree) Parent(n *Node) *Node { return n.dataParent() }

// Children implements xpath.Schema.
func (t schemaTree) Children(n *Node, want xpath.Name) []*Node {
	if want.Module != "" && want.Local != "" {
		if k := n.kids[name{want.Module, want.Local}]; k != nil {
			return []*Node{k}
		}
		return nil
	}
	var out []*Node
	for _, k := range n.kids {
		if (want.Module == "" || k.module.Name == want.Module) && (want.Local == "" || k.name == want.Local) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, compareNames)
	return out
}

// Deref implements xpath.Schema.
func (t schemaTree) Deref(n *Node) []*Node {
	var out []*Node
	for _, r := range n.refs {
		out = append(out, r.target)
	}
	slices.SortFunc(out, compareNames)
	return out
}

// whenAt is one use of a when: a grouping's serves many nodes.
type whenAt struct {
	cond *condition
	node *Node
}

// whenCycles refuses whens that depend on each other in a circle, or on the
// nodes that they make conditional (§7.21.5), and chains of them that are too
// long to follow for each node.
func (c *compiler) whenCycles() {
	state := make(map[whenAt]int8)
	c.each(c.set.root, func(n *Node) {
		for _, w := range n.whens {
			c.whenCycle(whenAt{w, n}, state, 0)
		}
	})
}

func (c *compiler) whenCycle(at whenAt, state map[whenAt]int8, depth int) {
	if state[at] == 2 || c.stop() {
		return
	}
	if depth > maxChain {
		c.limit(at.cond.stmt, "whens depend on each other more than %d deep", maxChain)
		return
	}
	state[at] = 1
	from := at.node
	if at.cond.up {
		from = from.dataParent()
	}
	var next []whenAt
	xpath.Reach(at.cond.expr, schemaTree{c.set.root}, from, func(n *Node) {
		for p := n; p != nil && (p == n || !p.isDataOrRoot()); p = p.parent {
			for _, w := range p.whens {
				next = append(next, whenAt{w, p})
			}
		}
	})
	for _, w := range next {
		// A when of an augment or uses stands at each node that it adds.
		if w.cond == at.cond && at.node.dataParent() == w.node.dataParent() || state[w] == 1 {
			c.faultf(at.cond.stmt, "RFC 7950 §7.21.5", "the when of %s %q depends on itself", at.node.kind, at.node.name)
			break
		}
		c.whenCycle(w, state, depth+1)
	}
	state[at] = 2
}
