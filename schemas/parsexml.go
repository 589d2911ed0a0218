package schemas

import (
	"fmt"
	"strings"
)

// xmlParser reads the XML encoding of RFC 7950 §7.
type xmlParser struct {
	*reader
	xmlScanner
	spaces map[string]*Module
}

// namespaces maps XML namespaces to modules.
func (s *Set) namespaces() map[string]*Module {
	out := make(map[string]*Module)
	for _, m := range s.modules {
		if out[m.Namespace] == nil || m.Implemented {
			out[m.Namespace] = m
		}
	}
	return out
}

const (
	netconfSpace  = "urn:ietf:params:xml:ns:netconf:base:1.0"
	restconfSpace = "urn:ietf:params:xml:ns:yang:ietf-restconf"
	nmdaSpace     = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
)

// xmlWrapper reports whether an element only wraps the data, or the wrapper of
// it: what NETCONF replies to <get-config> can be read as it was kept.
func xmlWrapper(space, local string) bool {
	switch space {
	case netconfSpace:
		return local == "data" || local == "config" || local == "rpc-reply"
	case restconfSpace, nmdaSpace:
		return local == "data"
	}
	return false
}

// next reads the next token.
func (p *xmlParser) next() (xmlToken, error) {
	if p.spine() {
		return p.spineToken()
	}
	return p.xmlScanner.next()
}

// document reads top-level elements one after the other, or inside of one
// wrapper or envelope.
func (p *xmlParser) document() error {
	if err := p.begin(); err != nil {
		return err
	}
	any, wrapped := false, false
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case xmlEOF:
			if !any {
				return p.xmlScanner.fail(t.offset, "the input is empty")
			}
			return nil
		case xmlText:
			p.blankText(p.tree.root, t)
			continue
		}
		if wrapped {
			p.reportf(p.tree.root, t.offset, "RFC 7950 §7", "there is more after the end")
			return nil
		}
		switch {
		case t.space == envelopeSpace && t.local == "instance-data-set" && !any:
			wrapped = true
			err = p.envelope()
		case p.wraps(t) && !any:
			wrapped = true
			err = p.wrapper(t)
		default:
			err = p.element(p.tree.root, t)
		}
		if err != nil {
			return err
		}
		any = true
	}
}

// wraps reports whether an element is a wrapper, and not a node of a module that
// has one of the name.
func (p *xmlParser) wraps(t xmlToken) bool {
	if !xmlWrapper(t.space, t.local) {
		return false
	}
	m := p.spaces[t.space]
	return m == nil || p.tree.root.schema.kids[name{m.Name, t.local}] == nil
}

// wrapper reads what is in a wrapper whose start was read. An rpc-reply has
// attributes of its own and one element, <data>.
func (p *xmlParser) wrapper(t xmlToken) error {
	if t.local != "rpc-reply" {
		p.attributes(p.tree.root, t, p.scope)
		return p.content(p.tree.root)
	}
	for any := false; ; {
		t, err := p.next()
		switch {
		case err != nil:
			return err
		case t.kind == xmlEnd && !any:
			p.reportf(p.tree.root, t.offset, "RFC 6241 §7", "the reply has no <data>")
			return nil
		case t.kind == xmlEnd:
			return nil
		case t.kind == xmlText:
			p.blankText(p.tree.root, t)
			continue
		case any || t.local != "data" || !p.wraps(t):
			p.reportf(p.tree.root, t.offset, "RFC 6241 §7", "the reply has <%s> where only one <data> is wanted", clip(t.local))
			err = p.skip()
		default:
			err = p.wrapper(t)
		}
		if err != nil {
			return err
		}
		any = true
	}
}

// blankText reports text that stands where only elements may.
func (p *xmlParser) blankText(it *item, t xmlToken) {
	if rest := strings.TrimLeft(t.text, " \t\r\n"); rest != "" {
		p.reportf(it, t.offset+len(t.text)-len(rest), "RFC 7950 §7", "there is text between elements")
	}
}

// content reads the elements up to the end of the surrounding one.
func (p *xmlParser) content(it *item) error {
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case xmlEnd:
			return nil
		case xmlText:
			p.blankText(it, t)
		default:
			if err := p.element(it, t); err != nil {
				return err
			}
		}
	}
}

// attributes reads an element's attributes, which are annotations.
func (p *xmlParser) attributes(it *item, t xmlToken, scope *bindings) {
	for _, a := range t.attrs {
		n := name{"", a.local}
		switch m := p.spaces[a.space]; {
		case a.space == defaultTagSpace && a.local == defaultTag.local:
			n = defaultTag
		case a.space == "" || m == nil:
			p.reportf(it, a.offset, "RFC 7952 §5.1", "the attribute %q is not the annotation of a module in the set", clip(a.local))
			continue
		default:
			n.module = m.Name
		}
		p.annotate(it, a.offset, n, a.value, hintText, p.prefixes(scope))
	}
}

// prefixes resolves prefixes as they are in scope. A value without one is in the
// default namespace, and in none if none is declared (RFC 7950 §9.10.3).
func (p *xmlParser) prefixes(scope *bindings) func(string) (string, bool) {
	return func(prefix string) (string, bool) {
		space, ok := scope.find(prefix)
		if m := p.spaces[space]; ok && space != "" && m != nil {
			return m.Name, true
		}
		return "", false
	}
}

func (p *xmlParser) element(it *item, t xmlToken) error {
	n := p.find(it, t)
	if n == nil {
		return p.skip()
	}
	if n.kind != KindList && n.kind != KindLeafList && it.of(n) != nil {
		p.reportf(it, t.offset, "RFC 7950 §7", "the element <%s> is there twice", n.name)
		return p.skip()
	}
	if p.spine() {
		return p.streamed(it, n, t)
	}
	return p.node(it, n, t)
}

// node reads an element of a schema node.
func (p *xmlParser) node(it *item, n *Node, t xmlToken) error {
	k := p.newItem(n, it, t.offset)
	switch {
	case n.kind == KindAnyData || n.kind == KindAnyXML:
		it.add(k)
		if n.kind == KindAnyData {
			p.attributes(k, t, p.scope)
			t.attrs = nil
		}
		return p.any(k, t)
	case !n.leafy():
		it.add(k)
		p.attributes(k, t, p.scope)
		if err := p.content(k); err != nil {
			return err
		}
		p.keysOf(k)
		p.keyOrder(k)
		return nil
	}
	return p.leaf(it, k, t)
}

// keyOrder reports keys that are not in the order of the key statement, which
// XML keeps (RFC 7950 §7.8.5). That other nodes stand before them is forgiven.
func (p *xmlParser) keyOrder(k *item) {
	last := 0
	for _, key := range k.keys {
		if key == nil {
			return
		}
		if key.order < last {
			p.reportf(k, key.offset, "RFC 7950 §7.8.5", "the key %q is out of place: in XML the order of the keys is %s", key.schema.name, keyNames(k.schema))
			return
		}
		last = key.order
	}
}

func keyNames(list *Node) string {
	names := make([]string, 0, len(list.keys))
	for _, k := range list.keys {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// find returns the schema node of an element, or reports why there is none.
func (p *xmlParser) find(it *item, t xmlToken) *Node {
	m := p.spaces[t.space]
	if m == nil {
		p.reportf(it, t.offset, "RFC 7950 §5.3", "element <%s>: there is no module with the namespace %q in the set", clip(t.local), clip(t.space))
		return nil
	}
	n := it.schema.kids[name{m.Name, t.local}]
	if n == nil {
		p.unknown(it, t.offset, "RFC 7950 §7", fmt.Sprintf("element <%s>", clip(t.local)), name{m.Name, t.local})
		return nil
	}
	if p.misplaced(it, n, t.offset) {
		return nil
	}
	return n
}

// leaf reads the value of a leaf or leaf-list entry.
func (p *xmlParser) leaf(it, k *item, start xmlToken) error {
	scope := p.scope
	text, more := "", []string(nil)
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		if t.kind == xmlEnd {
			break
		}
		if t.kind == xmlStart {
			p.reportf(k, t.offset, "RFC 7950 §7.6.6", "a %s cannot have the element <%s> in it", k.schema.kind, clip(t.local))
			if err := p.skip(); err != nil {
				return err
			}
			continue
		}
		if text == "" {
			text = t.text
		} else {
			more = append(more, t.text)
		}
	}
	if more != nil {
		text += strings.Join(more, "")
	}
	r := &reading{set: p.set, node: k.schema, hint: hintText, hide: k.schema.secret, prefixed: true, module: p.prefixes(scope)}
	if bad := p.read(k, r, text); bad != nil {
		p.badValue(k, start.offset, bad)
		return nil
	}
	it.add(k)
	if len(start.attrs) > 0 {
		p.attributes(k, start, scope)
	}
	return nil
}

// xmlNamespaces returns the namespaces of the top-level elements, those inside
// of a wrapper or envelope if there is one.
func xmlNamespaces(in string) ([]topLevel, error) {
	s := &xmlScanner{in: strings.TrimPrefix(in, "\ufeff")}
	if err := s.begin(); err != nil {
		return nil, err
	}
	var out []topLevel
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == xmlEOF:
			return out, nil
		case t.kind != xmlStart || xmlWrapper(t.space, t.local):
			continue
		case t.space == envelopeSpace && (t.local == "instance-data-set" || t.local == "content-data"):
			continue
		case t.space != envelopeSpace:
			out = append(out, topLevel{t.space, t.offset})
		}
		if err := s.skip(); err != nil {
			return nil, err
		}
	}
}
