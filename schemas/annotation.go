package schemas

import (
	"slices"
	"strings"
)

// defaultTag is the annotation that RFC 6243 §3.3 and RFC 8040 §4.8.9 define
// for values that are there by default. Every set has it.
var defaultTag = name{"ietf-netconf-with-defaults", "default"}

// defaultTagSpace is its namespace, which is not that of the module
// (RFC 6243 §6).
const defaultTagSpace = "urn:ietf:params:xml:ns:netconf:default:1.0"

// compileAnnotations compiles the md:annotation statements of the implemented
// modules (RFC 7952 §3). Each becomes a leaf outside of the tree, whose type
// its values have.
func (c *compiler) compileAnnotations() {
	c.set.annotations = make(map[name]*Node)
	for _, m := range c.want {
		for _, src := range m.files {
			for _, s := range src.root.subs {
				prefix, local, ok := strings.Cut(s.kw, ":")
				if !ok || local != "annotation" {
					continue
				}
				if d := src.prefixes[prefix]; d == nil || d.Name != "ietf-yang-metadata" || d.exts[local] == nil {
					continue
				}
				c.annotation(s, m)
			}
		}
	}
}

const annotationRule = "RFC 7952 §3"

func (c *compiler) annotation(s *statement, m *Module) {
	key := name{m.Name, s.arg}
	switch {
	case !isIdentifier(s.arg):
		c.faultf(s, annotationRule, "annotation %q is not an identifier", clip(s.arg))
		return
	case c.set.annotations[key] != nil:
		c.faultf(s, annotationRule, "annotation %q is defined twice", s.arg)
		return
	case !c.enabled(s):
		return
	}
	n := &Node{kind: KindLeaf, name: s.arg, module: m, parent: c.set.root, stmt: s, status: "current"}
	for i, d := range s.subs {
		if d.kw != "if-feature" && !strings.Contains(d.kw, ":") && slices.ContainsFunc(s.subs[:i], func(o *statement) bool { return o.kw == d.kw }) {
			c.faultf(d, annotationRule, "annotation %q has more than one %q", s.arg, d.kw)
			return
		}
		switch d.kw {
		case "type":
			n.typeStmt, n.typ = d, c.typ(d, 0)
		case "units":
			n.units = d.arg
		case "description":
			n.desc = d.arg
		case "status":
			n.status = d.arg
		case "if-feature", "reference":
		default:
			if !strings.Contains(d.kw, ":") {
				c.faultf(d, annotationRule, "%q cannot be in an annotation", d.kw)
			}
		}
	}
	if n.typ == nil {
		c.faultf(s, annotationRule, "annotation %q has no type", s.arg)
		return
	}
	c.resolveRefs(n, n.typ)
	c.set.annotations[key] = n
}
