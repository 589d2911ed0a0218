package schemas

import (
	"strings"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// leafPath is the path of a leafref type as it is written (§9.9.2). Where it
// leads depends on the leaf that has the type.
type leafPath struct {
	stmt     *statement
	absolute bool
	ups      int // leading ".."
	steps    []string
	preds    bool // some step has a predicate
}

// leafRef is where a leafref of one leaf leads.
type leafRef struct {
	target *Node
	ups    int    // data ancestors to go up, -1: from the root
	steps  []name // then down
	expr   *xpath.Expr
	preds  bool
}

// leafPath parses the path-arg grammar: ".."s, then names with predicates of
// the form [name = current()/../…].
func (c *compiler) leafPath(s *statement) *leafPath {
	p := &leafPath{stmt: s}
	bad := func(why string) *leafPath {
		c.faultf(s, "RFC 7950 §9.9.2", "path %q: %s", clip(s.arg), why)
		return nil
	}
	rest := strings.TrimSpace(s.arg)
	if strings.HasPrefix(rest, "deref(") {
		return bad("deref is not allowed in a path")
	}
	if strings.HasPrefix(rest, "/") {
		p.absolute = true
		rest = rest[1:]
	}
	for strings.HasPrefix(rest, "..") {
		if p.absolute {
			return bad("an absolute path cannot go up")
		}
		p.ups++
		after := strings.TrimLeft(rest[2:], " \t\r\n")
		if !strings.HasPrefix(after, "/") {
			return bad("it leads to no leaf")
		}
		rest = strings.TrimLeft(after[1:], " \t\r\n")
	}
	if !p.absolute && p.ups == 0 {
		return bad("a relative path begins with '..'")
	}
	for {
		n := strings.IndexAny(rest, "/[")
		step := rest
		if n >= 0 {
			step = rest[:n]
		}
		step = strings.TrimSpace(step)
		_, local, prefixed := strings.Cut(step, ":")
		if !prefixed {
			local = step
		}
		if !isIdentifier(local) {
			return bad("a name is missing or malformed")
		}
		p.steps = append(p.steps, step)
		if n < 0 {
			return p
		}
		rest = rest[n:]
		for strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return bad("a closing bracket is missing")
			}
			p.preds = true
			rest = strings.TrimLeft(rest[end+1:], " \t\r\n")
		}
		if rest == "" {
			return p
		}
		if rest[0] != '/' {
			return bad("a slash is missing")
		}
		rest = strings.TrimLeft(rest[1:], " \t\r\n")
	}
}

// resolveRefs finds the targets of all leafrefs in a leaf's type.
func (c *compiler) resolveRefs(n *Node, t *Type) {
	switch t.Base {
	case BaseUnion:
		for _, m := range t.members {
			c.resolveRefs(n, m)
		}
	case BaseLeafref:
		if t.path == nil {
			return // reported
		}
		if n.refs == nil {
			n.refs = make(map[*Type]*leafRef)
		}
		if r := c.resolveRef(n, t.path); r != nil {
			n.refs[t] = r
		}
	}
}

func (c *compiler) resolveRef(n *Node, p *leafPath) *leafRef {
	r := &leafRef{ups: p.ups, preds: p.preds}
	fail := func(format string, args ...any) *leafRef {
		e := faultf(p.stmt, "RFC 7950 §9.9.2", "path %q of %s: "+format, append([]any{clip(p.stmt.arg), n.Path()}, args...)...)
		c.report(e)
		return nil
	}
	at := n
	if p.absolute {
		r.ups, at = -1, c.set.root
	}
	for range p.ups {
		if at = at.dataParent(); at == nil {
			return fail("it goes above the root")
		}
	}
	for _, step := range p.steps {
		m, local, ok := c.resolve(p.stmt, step, n.module)
		if !ok {
			return nil
		}
		if !m.Implemented {
			if other := c.set.byName[m.Name]; other == nil || !other.Implemented {
				c.need(m)
				return nil
			}
		}
		next := at.kids[name{m.Name, local}]
		if next == nil {
			next = at.operation(m, local)
		}
		if next == nil {
			return fail("there is no node %q in %s", step, where(at))
		}
		at = next
		r.steps = append(r.steps, name{m.Name, local})
	}
	if !at.leafy() {
		return fail("%s %q is not a leaf", at.kind, at.name)
	}
	if n.config && !at.config && !n.action {
		// A state leaf may come and go, so configuration cannot depend on it
		// unless it does not have to exist (§9.9.3).
		if t := n.typ; t.Base == BaseLeafref && t.require {
			return fail("configuration cannot require the state leaf %q", at.name)
		}
	}
	r.target = at
	if p.preds {
		e, err := c.xpath(p.stmt, n.module)
		if err != nil {
			return fail("%v", err)
		}
		r.expr = e
	}
	return r
}

// operation finds an rpc's, action's or notification's node in a path.
func (n *Node) operation(m *Module, local string) *Node {
	for _, k := range n.children {
		if !k.isData() && k.kind != KindChoice && k.kind != KindCase && k.name == local && (k.module == m || k.module.Name == m.Name) {
			return k
		}
	}
	return nil
}
