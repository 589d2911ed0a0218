package schemas

import (
	"slices"
	"strconv"
	"strings"
)

// anyNode is an element inside of anydata or anyxml.
type anyNode struct {
	space, local string
	attrs        []xmlAttr
	text         string // all its text
	mixed        bool   // it has text and elements
	kids         []*anyNode
	before       []int // how much of the text is before each of them
}

// any reads the content of anydata or anyxml. Anydata that is valid data of the
// set is read as that. Of other content JSON holds what has an equivalent
// there: elements whose namespaces are modules of the set, without attributes,
// that have either text or elements in them. Anything else is kept as XML; as
// JSON it is the string of that XML, and Check says so.
func (p *xmlParser) any(k *item, start xmlToken) error {
	n := k.schema
	if n.kind == KindAnyData && p.typed(k) {
		return nil
	}
	top, err := p.anyNode(start)
	if err != nil {
		return err
	}
	if n.kind == KindAnyData && (top.mixed || strings.TrimSpace(top.text) != "") {
		p.reportf(k, k.offset, "RFC 7950 §7.10", "anydata has text between its elements")
		return nil
	}
	raw, ok := p.anyJSON(top, nil)
	if ok && len(top.attrs) == 0 {
		k.raw = raw
		return nil
	}
	var b output
	b.anyElement(top, "")
	k.raw = string(b.b)
	return nil
}

// typed reads the content of anydata as data of the set; if it is not, the
// scanner goes back to where it was.
func (p *xmlParser) typed(k *item) bool {
	if p.opts.nested >= maxAnyDepth {
		return false
	}
	saved := p.xmlScanner
	saved.open = slices.Clone(saved.open)
	tree := &Tree{set: p.set, root: &item{schema: p.set.root, offset: -1}}
	o := ParseOptions{XML: true, nested: p.opts.nested + 1}
	sub := &xmlParser{reader: &reader{tree: tree, set: p.set, opts: o}, xmlScanner: p.xmlScanner, spaces: p.spaces}
	if sub.content(tree.root) != nil || len(sub.errs) > 0 || tree.Check() != nil {
		p.xmlScanner = saved
		return false
	}
	p.xmlScanner = sub.xmlScanner
	k.raw = string(tree.JSON(""))
	return true
}

// anyNode reads an element whose start was read.
func (p *xmlParser) anyNode(start xmlToken) (*anyNode, error) {
	n := &anyNode{space: start.space, local: start.local, attrs: start.attrs}
	var text strings.Builder
	for {
		t, err := p.next()
		if err != nil {
			return nil, err
		}
		switch t.kind {
		case xmlText:
			text.WriteString(t.text)
			continue
		case xmlStart:
			k, err := p.anyNode(t)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, k)
			n.before = append(n.before, text.Len())
			continue
		}
		n.text = text.String()
		n.mixed = len(n.kids) > 0 && strings.TrimSpace(n.text) != ""
		return n, nil
	}
}

// anyJSON writes an element's content as JSON: elements are members, several
// of one name an array, text is a string. At the top module is nil: there every
// name has its module.
func (p *xmlParser) anyJSON(n *anyNode, module *Module) (string, bool) {
	if len(n.kids) == 0 {
		if module == nil && strings.TrimSpace(n.text) == "" {
			return "{}", true
		}
		return quoteJSON(n.text), true
	}
	if n.mixed {
		return "", false
	}
	values := make(map[string][]string)
	for _, k := range n.kids {
		m := p.spaces[k.space]
		if m == nil || len(k.attrs) > 0 {
			return "", false
		}
		v, ok := p.anyJSON(k, m)
		if !ok {
			return "", false
		}
		key := k.local
		if m != module {
			key = m.Name + ":" + k.local
		}
		values[key] = append(values[key], v)
	}
	var members []string
	for key, v := range values {
		if len(v) == 1 {
			members = append(members, quoteJSON(key)+":"+v[0])
		} else {
			members = append(members, quoteJSON(key)+":["+strings.Join(v, ",")+"]")
		}
	}
	slices.Sort(members)
	return "{" + strings.Join(members, ",") + "}", true
}

// anyElement writes an element as it was read, with generated prefixes.
func (o *output) anyElement(n *anyNode, outer string) {
	o.byte('<')
	o.str(n.local)
	if n.space != outer {
		o.attribute("xmlns", n.space)
	}
	for i, a := range n.attrs {
		switch a.space {
		case "":
			o.attribute(a.local, a.value)
		case xmlSpace:
			o.attribute("xml:"+a.local, a.value)
		default:
			prefix := "a" + strconv.Itoa(i)
			o.attribute("xmlns:"+prefix, a.space)
			o.attribute(prefix+":"+a.local, a.value)
		}
	}
	if len(n.kids) == 0 && n.text == "" {
		o.str("/>")
		return
	}
	o.byte('>')
	from := 0
	for i, k := range n.kids {
		if n.mixed {
			o.escape(n.text[from:n.before[i]], false)
			from = n.before[i]
		}
		o.anyElement(k, n.space)
	}
	if n.mixed || len(n.kids) == 0 {
		o.escape(n.text[from:], false)
	}
	o.str("</")
	o.str(n.local)
	o.byte('>')
}

// xmlOnly reports whether the content of anydata or anyxml is kept as the XML
// of the whole element.
func (it *item) xmlOnly() bool { return strings.HasPrefix(it.raw, "<") }

// CheckXML returns a *PathError for each anydata or anyxml that XML cannot hold,
// joined; nil if there is none.
func (t *Tree) CheckXML() error {
	w := &xmlWriter{tree: t}
	var walk func(it *item)
	walk = func(it *item) {
		if it.raw != "" && !it.xmlOnly() {
			w.any(it, 0)
			w.b = w.b[:0]
		}
		for _, g := range it.groups {
			for _, k := range g.items {
				walk(k)
			}
		}
	}
	walk(t.root)
	return w.fault()
}

// Check returns a *PathError for each anydata or anyxml that JSON cannot hold,
// joined; nil if there is none. Canonical and JSON write them as the string of
// their XML.
func (t *Tree) Check() error {
	var errs []*PathError
	var walk func(it *item)
	walk = func(it *item) {
		if it.xmlOnly() {
			line, column := t.text.position(it.offset)
			errs = append(errs, &PathError{Path: it.path(), Rule: "RFC 7951 §5.5", Line: line, Column: column,
				Message: "the content has attributes, mixed text or namespaces of no module, which JSON cannot hold"})
		}
		for _, g := range it.groups {
			for _, k := range g.items {
				walk(k)
			}
		}
	}
	walk(t.root)
	if errs == nil {
		return nil
	}
	return joinPaths(errs, 0)
}
