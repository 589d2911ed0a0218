package schemas

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseXML reads the XML encoding of RFC 7950 §7: top-level elements one after
// the other, or inside of NETCONF's <data> or <config>.
func (s *Set) parseXML(in string, t *Tree, o ParseOptions) (*Tree, error) {
	p := &xmlParser{jsonParser: jsonParser{tree: t, set: s, opts: o}, d: xml.NewDecoder(strings.NewReader(in)), spaces: s.namespaces()}
	if err := p.children(t.root, nil, true); err != nil {
		e := &PathError{Path: "/", Rule: "XML 1.0", Line: t.line(int(p.d.InputOffset())), Message: err.Error()}
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			e.Line, e.Message = syntax.Line, syntax.Msg
		}
		p.errs = append(p.errs, e)
	} else if !p.any {
		p.errs = append(p.errs, &PathError{Path: "/", Rule: "XML 1.0", Line: 1, Message: "the input is empty"})
	}
	if len(p.errs) > 0 {
		return nil, joinPaths(p.errs)
	}
	return t, nil
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

const netconfSpace = "urn:ietf:params:xml:ns:netconf:base:1.0"

type xmlParser struct {
	jsonParser
	d      *xml.Decoder
	spaces map[string]*Module
	any    bool
}

// bindings are the namespace prefixes in scope, innermost first.
type bindings struct {
	prefix map[string]string
	up     *bindings
}

func (b *bindings) find(prefix string) (string, bool) {
	for ; b != nil; b = b.up {
		if ns, ok := b.prefix[prefix]; ok {
			return ns, true
		}
	}
	return "", false
}

// bind adds the declarations of an element; other attributes are reported.
func (p *xmlParser) bind(e xml.StartElement, up *bindings, it *item, offset int) *bindings {
	out := up
	for _, a := range e.Attr {
		prefix := ""
		switch {
		case a.Name.Space == "xmlns":
			prefix = a.Name.Local
		case a.Name.Space == "" && a.Name.Local == "xmlns":
		default:
			p.reportf(it, offset, "RFC 7952", "attributes (%s) are not supported", clip(a.Name.Local))
			continue
		}
		if out == up {
			out = &bindings{prefix: make(map[string]string), up: up}
		}
		out.prefix[prefix] = a.Value
	}
	return out
}

// children reads the elements up to the end of the surrounding one, or of the
// input.
func (p *xmlParser) children(it *item, in *bindings, top bool) error {
	for {
		offset := int(p.d.InputOffset())
		tok, err := p.d.Token()
		if top && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			if strings.TrimSpace(string(tok)) != "" {
				p.reportf(it, offset, "RFC 7950 §7", "there is text between elements")
			}
		case xml.StartElement:
			p.any = true
			if tok.Name.Space == netconfSpace && it.parent == nil && (tok.Name.Local == "data" || tok.Name.Local == "config") {
				if err := p.children(it, p.bind(tok, in, it, offset), false); err != nil {
					return err
				}
				continue
			}
			if err := p.element(it, tok, in, offset); err != nil {
				return err
			}
		}
	}
}

func (p *xmlParser) element(it *item, e xml.StartElement, in *bindings, offset int) error {
	m := p.spaces[e.Name.Space]
	if m == nil {
		p.reportf(it, offset, "RFC 7950 §5.3", "element <%s>: there is no module with the namespace %q in the set", clip(e.Name.Local), clip(e.Name.Space))
		return p.d.Skip()
	}
	n := it.schema.kids[name{m.Name, e.Name.Local}]
	switch {
	case n == nil && !m.Implemented:
		p.reportf(it, offset, "RFC 7950 §5.6.5", "element <%s>: module %s is only imported, not implemented", clip(e.Name.Local), m.Name)
	case n == nil:
		p.reportf(it, offset, "RFC 7950 §7", "there is no element <%s> of module %s here", clip(e.Name.Local), m.Name)
	case p.opts.ConfigOnly && !n.config:
		p.reportf(it, offset, "RFC 7950 §7.21.1", "%s %q is state, only configuration is wanted", n.kind, n.name)
	case n.kind != KindList && n.kind != KindLeafList && it.of(n) != nil:
		p.reportf(it, offset, "RFC 7950 §7", "the element <%s> is there twice", n.name)
	case n.kind == KindAnyData || n.kind == KindAnyXML:
		p.reportf(it, offset, "RFC 7950 §7.10", "%s in XML is not supported", n.kind)
	default:
		return p.instance(it, n, p.bind(e, in, it, offset), offset)
	}
	return p.d.Skip()
}

func (p *xmlParser) instance(it *item, n *Node, in *bindings, offset int) error {
	k := p.newItem(n, it, offset)
	if !n.leafy() {
		it.add(k)
		if err := p.children(k, in, false); err != nil {
			return err
		}
		p.keysOf(k)
		return nil
	}
	var text strings.Builder
	for {
		tok, err := p.d.Token()
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
			continue
		case xml.StartElement:
			p.reportf(k, offset, "RFC 7950 §7.6.6", "a %s cannot have the element <%s> in it", n.kind, clip(tok.Name.Local))
			if err := p.d.Skip(); err != nil {
				return err
			}
			continue
		case xml.EndElement:
		default:
			continue
		}
		break
	}
	r := &reading{set: p.set, node: n, hint: hintText, hide: n.secret, module: func(prefix string) (string, bool) {
		if ns, ok := in.find(prefix); ok {
			if m := p.spaces[ns]; m != nil {
				return m.Name, true
			}
			return "", false
		}
		return n.module.Name, prefix == ""
	}}
	v, bad := r.read(n.typ, text.String())
	if bad != nil {
		p.badValue(k, bad)
		return nil
	}
	k.val = v
	it.add(k)
	return nil
}

// xmlNamespaces returns the namespaces of the top-level elements.
func xmlNamespaces(in string) ([]string, error) {
	d := xml.NewDecoder(strings.NewReader(in))
	var out []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		if e, ok := tok.(xml.StartElement); ok {
			if e.Name.Space == netconfSpace && (e.Name.Local == "data" || e.Name.Local == "config") {
				continue
			}
			out = append(out, e.Name.Space)
			if err := d.Skip(); err != nil {
				return nil, fmt.Errorf("read XML: %w", err)
			}
		}
	}
}
