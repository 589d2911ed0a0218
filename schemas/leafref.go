package schemas

import (
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// leafPath is the path of a leafref type as it is written (§9.9.2). Where it
// leads depends on the leaf that has the type.
type leafPath struct {
	stmt     *statement
	absolute bool
	ups      int // leading ".."
	steps    []pathName
	preds    bool // some step has a predicate
}

type pathName struct {
	name  string
	preds []pathPred
}

// pathPred is [key = current()/../a/b].
type pathPred struct {
	key   string
	ups   int
	steps []string
}

// leafRef is where a leafref of one leaf leads.
type leafRef struct {
	target *Node
	ups    int    // data ancestors to go up, -1: from the root
	steps  []name // then down
	expr   *xpath.Expr
	preds  bool
}

// leafPath parses the path-arg grammar (§14): ".."s, then names whose
// predicates have the form [key = current()/../…].
func (c *compiler) leafPath(s *statement) *leafPath {
	r := &pathReader{rest: s.arg}
	p := r.path()
	if r.fault != "" {
		c.faultf(s, "RFC 7950 §9.9.2", "path %q: %s", clip(s.arg), r.fault)
		return nil
	}
	p.stmt = s
	return p
}

// pathReader reads the argument of path. Between tokens it lets blanks pass,
// which the grammar only has in predicates, as other implementations do.
type pathReader struct {
	rest  string
	fault string
}

func (r *pathReader) fail(why string) {
	if r.fault == "" {
		r.fault = why
	}
}

// is takes a token if it is next.
func (r *pathReader) is(token string) bool {
	rest, ok := strings.CutPrefix(r.rest, token)
	if ok {
		r.rest = strings.TrimLeft(rest, " \t\r\n")
	}
	return ok
}

func (r *pathReader) want(token string) {
	if !r.is(token) {
		r.fail("\"" + token + "\" is missing before \"" + clip(r.rest) + "\"")
	}
}

// name takes a name with or without a prefix.
func (r *pathReader) name() string {
	end := strings.IndexAny(r.rest, "/[]=() \t\r\n")
	if end < 0 {
		end = len(r.rest)
	}
	n := r.rest[:end]
	if !isNodeName(n) {
		r.fail("a name is missing or malformed before \"" + clip(r.rest) + "\"")
	}
	r.is(n)
	return n
}

// ups takes "../" as often as it stands there.
func (r *pathReader) ups() int {
	n := 0
	for r.is("..") {
		r.want("/")
		n++
	}
	return n
}

func (r *pathReader) path() *leafPath {
	p := &leafPath{}
	switch {
	case r.is("/"):
		p.absolute = true
	default:
		if p.ups = r.ups(); p.ups == 0 {
			r.fail("a relative path begins with '..'")
		}
	}
	for r.fault == "" {
		step := pathName{name: r.name()}
		for r.fault == "" && r.is("[") {
			step.preds = append(step.preds, r.predicate())
			p.preds = true
		}
		if p.steps = append(p.steps, step); len(p.steps) > maxNodeDepth {
			r.fail("it has too many steps")
		}
		if r.rest == "" {
			break
		}
		r.want("/")
	}
	return p
}

// predicate reads path-equality-expr and the closing bracket.
func (r *pathReader) predicate() pathPred {
	r.rest = strings.TrimLeft(r.rest, " \t\r\n")
	p := pathPred{key: r.name()}
	r.want("=")
	for _, token := range []string{"current", "(", ")", "/"} {
		r.want(token)
	}
	if p.ups = r.ups(); p.ups == 0 {
		r.fail("a key is compared with current()/../…")
	}
	for r.fault == "" {
		p.steps = append(p.steps, r.name())
		if r.is("]") {
			break
		}
		if r.want("/"); len(p.steps) > maxNodeDepth {
			r.fail("a predicate has too many steps")
		}
	}
	return p
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
	at := c.set.root
	if p.absolute {
		r.ups = -1
	} else if at = n.above(p.ups); at == nil {
		return fail("it goes above the root")
	}
	for _, step := range p.steps {
		next, why := c.pathStep(n, at, p.stmt, step.name)
		if next == nil {
			if why == "" {
				return nil
			}
			return fail("%s", why)
		}
		at = next
		r.steps = append(r.steps, name{at.module.Name, at.name})
		seen := make(map[string]bool)
		for _, pred := range step.preds {
			switch key, why := c.pathStep(n, at, p.stmt, pred.key); {
			case key == nil && why == "":
				return nil
			case key == nil || at.kind != KindList || key.keyIndex == 0:
				return fail("%q is not a key of %s", clip(pred.key), where(at))
			case seen[key.name]:
				return fail("key %q is there twice", clip(pred.key))
			default:
				seen[key.name] = true
			}
			value := n.above(pred.ups)
			for _, s := range pred.steps {
				if value == nil {
					break
				}
				next, why := c.pathStep(n, value, p.stmt, s)
				if next == nil && why == "" {
					return nil
				}
				value = next
			}
			if value == nil || !value.leafy() {
				return fail("what key %q is compared with is not a leaf", clip(pred.key))
			}
		}
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
	if f := missingFeature(n, at); f != "" {
		c.report(faultf(p.stmt, "RFC 7950 §9.9", "path %q of %s: the target depends on the feature %s and the leafref does not", clip(p.stmt.arg), n.Path(), f))
	}
	if at.module == n.module && n.stmt.src.module == at.stmt.src.module {
		c.refer(p.stmt, n.stmt, at.stmt)
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

// above goes up in the data tree, in which an operation's input or output
// stands for the operation itself (§6.4.1); nil is above the root.
func (n *Node) above(ups int) *Node {
	at := n
	for range ups {
		if at.kind == KindInput || at.kind == KindOutput {
			at = at.parent
		}
		if at = at.dataParent(); at == nil {
			return nil
		}
	}
	return at
}

// pathStep finds the node of one step. Without it, why says what is wrong; it
// is empty if the fault is reported, or mended by implementing a module.
func (c *compiler) pathStep(n, at *Node, s *statement, ref string) (next *Node, why string) {
	m, local, ok := c.resolve(s, ref, n.module)
	if !ok {
		return nil, ""
	}
	if !m.Implemented {
		if other := c.set.byName[m.Name]; other == nil || !other.Implemented {
			c.need(m)
			return nil, ""
		}
	}
	if next = at.kids[name{m.Name, local}]; next == nil {
		next = n.operation(at, m, local)
	}
	if next == nil {
		return nil, fmt.Sprintf("there is no node %q in %s", clip(ref), where(at))
	}
	return next, ""
}

// operation finds the rpc, action or notification around n as a child of at:
// no other is in the tree that n's paths see (§6.4.1).
func (n *Node) operation(at *Node, m *Module, local string) *Node {
	for o := n; o != nil; o = o.parent {
		op := o
		switch o.kind {
		case KindInput, KindOutput:
			op = o.parent
		case KindNotification:
		default:
			continue
		}
		if op.dataParent() == at && op.name == local && op.module.Name == m.Name {
			return o
		}
	}
	return nil
}
