package schemas

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// XML returns everything in the tree in the XML encoding of RFC 7950, in
// canonical order but with the keys of list entries first (§7.8.5). Top-level
// nodes follow each other; each declares its module's namespace, and so does
// every node whose module is not that of its parent. No data at all is an empty
// <data> of NETCONF. The error joins a
// *PathError for each anydata or anyxml that XML cannot hold.
func (t *Tree) XML(indent string) ([]byte, error) {
	w := &xmlWriter{tree: t, indent: indent}
	w.all()
	return w.b, w.fault()
}

// WriteXML is XML in pieces, so that the text is never in memory as a whole.
// Nothing is written if XML cannot hold the data; after an error of writing the
// output is not complete.
func (t *Tree) WriteXML(to io.Writer, indent string) error {
	if err := t.CheckXML(); err != nil {
		return err
	}
	w := &xmlWriter{output: output{to: to}, tree: t, indent: indent}
	w.all()
	w.flush()
	if w.err != nil {
		return w.err
	}
	return w.fault()
}

// xmlWriter is the one place that writes XML.
type xmlWriter struct {
	output
	tree   *Tree
	indent string
	outer  *Module // whose namespace is the default one around the top-level nodes
	asRead bool    // nodes are written in the order that they have, but keys first
	begun  bool
	errs   []*PathError
}

func (w *xmlWriter) fault() error {
	if len(w.errs) == 0 {
		return nil
	}
	return joinPaths(w.errs, 0)
}

func (w *xmlWriter) groups(it *item) []group {
	if w.asRead {
		return it.groups
	}
	return sortedGroups(it)
}

func (w *xmlWriter) all() {
	for _, g := range w.groups(w.tree.root) {
		for _, it := range g.items {
			w.element(it, 0)
		}
	}
	w.end()
}

// end is what comes after the last top-level node, or instead of one.
func (w *xmlWriter) end() {
	if !w.begun {
		w.str(`<data xmlns="` + netconfSpace + `"/>`)
	}
	if w.indent != "" {
		w.byte('\n')
	}
}

func (w *xmlWriter) newline(depth int) {
	if w.indent == "" {
		return
	}
	w.byte('\n')
	for range depth {
		w.str(w.indent)
	}
}

func (w *xmlWriter) element(it *item, depth int) {
	if w.begun || depth > 0 {
		w.newline(depth)
	}
	w.begun = true
	if it.xmlOnly() {
		w.str(it.raw)
		return
	}
	n := it.schema
	value := w.tag(it)
	switch {
	case n.leafy():
		w.text(value, n.name)
	case n.kind == KindAnyData || n.kind == KindAnyXML:
		w.any(it, depth)
	default:
		w.children(it, depth)
	}
	w.spill()
}

// tag writes the beginning of a start tag, and returns the value of a leaf,
// whose prefixes it declares.
func (w *xmlWriter) tag(it *item) string {
	n := it.schema
	w.byte('<')
	w.str(n.name)
	around := it.parent.schema.module
	if around == nil {
		around = w.outer
	}
	if n.module != around {
		w.attribute("xmlns", n.module.Namespace)
	}
	var p prefixer
	value := ""
	if n.leafy() {
		value = w.value(it.val, &p)
	}
	for _, a := range w.tree.meta[it] {
		if a.name == defaultTag {
			w.attribute("xmlns:wd", defaultTagSpace)
			w.attribute("wd:default", "true")
			continue
		}
		v := w.value(a.val, &p)
		w.attribute(p.of(a.node.module)+":"+a.name.local, v)
	}
	p.declare(&w.output)
	return value
}

// text writes the rest of an element that has a value.
func (w *xmlWriter) text(value, name string) {
	if value == "" {
		w.str("/>")
		return
	}
	w.byte('>')
	w.escape(value, false)
	w.str("</")
	w.str(name)
	w.byte('>')
}

// children writes the rest of an element that has elements in it.
func (w *xmlWriter) children(it *item, depth int) {
	groups := w.groups(it)
	if len(groups) == 0 {
		w.str("/>")
		return
	}
	w.byte('>')
	for _, k := range it.keys {
		if k != nil {
			w.element(k, depth+1)
		}
	}
	for _, g := range groups {
		if g.schema.keyIndex > 0 && it.schema.kind == KindList {
			continue
		}
		for _, k := range g.items {
			w.element(k, depth+1)
		}
	}
	w.newline(depth)
	w.str("</")
	w.str(it.schema.name)
	w.byte('>')
}

// prefixer gives the modules that values name prefixes, their own ones where
// they do not clash.
type prefixer struct {
	modules []*Module
	names   []string
}

func (p *prefixer) of(m *Module) string {
	if i := slices.Index(p.modules, m); i >= 0 {
		return p.names[i]
	}
	name := m.Prefix
	for i := 2; slices.Contains(p.names, name) || name == "wd" || strings.HasPrefix(strings.ToLower(name), "xml"); i++ {
		name = m.Prefix + strconv.Itoa(i)
		if strings.HasPrefix(strings.ToLower(name), "xml") {
			name = "p" + strconv.Itoa(i)
		}
	}
	p.modules, p.names = append(p.modules, m), append(p.names, name)
	return name
}

func (p *prefixer) declare(o *output) {
	for i, m := range p.modules {
		o.attribute("xmlns:"+p.names[i], m.Namespace)
	}
}

// value returns a value as XML has it: module names become prefixes.
func (w *xmlWriter) value(v value, p *prefixer) string {
	set := w.tree.set
	switch v.typ.Base {
	case BaseIdentityref:
		module, local, ok := strings.Cut(v.text, ":")
		if m := set.byName[module]; ok && m != nil {
			return p.of(m) + ":" + local
		}
	case BaseInstanceIdentifier:
		path, err := set.parsePath(v.text, func(m string) (string, bool) { return m, true }, false)
		if err == nil {
			return w.path(path, p)
		}
	case BaseString:
		if !v.typ.holdsXPath() {
			break
		}
		x, err := xpath.Rewrite(v.text, func(m string) (string, bool) {
			if set.byName[m] == nil {
				return "", false
			}
			return p.of(set.byName[m]), true
		})
		if err == nil {
			return x
		}
	}
	return v.text
}

// path writes an instance-identifier: in XML every name has a prefix (RFC 7950
// §9.13.2).
func (w *xmlWriter) path(path instancePath, p *prefixer) string {
	var b strings.Builder
	for _, s := range path {
		b.WriteString("/" + p.of(s.node.module) + ":" + s.node.name)
		switch {
		case s.index > 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		case s.node.kind == KindLeafList && s.keys != nil:
			b.WriteString("[.=" + quotePath(w.keyValue(s.node, s.keys[0], p)) + "]")
		default:
			for i, v := range s.keys {
				k := s.node.keys[i]
				b.WriteString("[" + p.of(k.module) + ":" + k.name + "=" + quotePath(w.keyValue(k, v, p)) + "]")
			}
		}
	}
	return b.String()
}

func (w *xmlWriter) keyValue(n *Node, text string, p *prefixer) string {
	v, err := w.tree.set.reading(n, hintText).read(n.typ, text)
	if err != nil {
		return text
	}
	return w.value(v, p)
}

func (o *output) attribute(name, value string) {
	o.byte(' ')
	o.str(name)
	o.str(`="`)
	o.escape(value, true)
	o.byte('"')
}

// escape writes text so that reading it gives the same: what XML would change
// becomes a reference.
func (o *output) escape(s string, attr bool) {
	from := 0
	for i := 0; i < len(s); i++ {
		ref := ""
		switch s[i] {
		case '&':
			ref = "&amp;"
		case '<':
			ref = "&lt;"
		case '>':
			ref = "&gt;"
		case '\r':
			ref = "&#13;"
		case '"':
			if attr {
				ref = "&quot;"
			}
		case '\n':
			if attr {
				ref = "&#10;"
			}
		case '\t':
			if attr {
				ref = "&#9;"
			}
		}
		if ref != "" {
			o.str(s[from:i])
			o.str(ref)
			from = i + 1
		}
	}
	o.str(s[from:])
}

// any writes the content of anydata or anyxml: what is valid data of the set
// as that, otherwise members become elements, arrays several elements and all
// values text.
func (w *xmlWriter) any(it *item, depth int) {
	if it.raw == "{}" || it.raw == `""` {
		w.str("/>")
		return
	}
	if it.schema.kind == KindAnyData {
		if t, err := w.tree.set.parse(it.raw, ParseOptions{nested: 1}); err == nil {
			inner := &xmlWriter{output: output{b: w.b, to: w.to, err: w.err}, tree: t, indent: w.indent, outer: it.schema.module}
			inner.byte('>')
			for _, g := range sortedGroups(t.root) {
				for _, k := range g.items {
					inner.element(k, depth+1)
				}
			}
			w.output = inner.output
			w.newline(depth)
			w.str("</" + it.schema.name + ">")
			return
		}
	}
	w.byte('>')
	s := &jsonScanner{in: it.raw}
	if err := w.anyValue(s, it.schema.module, it.schema.module); err != nil {
		line, column := w.tree.text.position(it.offset)
		w.errs = append(w.errs, &PathError{Path: it.path(), Rule: "RFC 7951 §5.5", Line: line, Column: column, Message: "XML cannot hold the content: " + err.Error()})
	}
	w.str("</" + it.schema.name + ">")
}

// anyValue writes the content of an element whose default namespace is that of
// in; members without a module are of the module own.
func (w *xmlWriter) anyValue(s *jsonScanner, own, in *Module) error {
	switch s.blank() {
	case '[':
		v, err := s.raw(0)
		if err == nil && v != "[null]" {
			err = fmt.Errorf("an array has no name of its own")
		}
		return err
	case '{':
		s.at++
		for first := true; ; first = false {
			more, err := s.next(first, '}')
			if err != nil || !more {
				return err
			}
			key, err := s.str()
			if err != nil {
				return err
			}
			if err := s.expect(':'); err != nil {
				return err
			}
			if err := w.anyMember(s, key, own, in); err != nil {
				return err
			}
		}
	}
	text, kind, err := s.scalar()
	if err == nil && kind == 'n' {
		err = fmt.Errorf("null has no equivalent")
	}
	for _, c := range text {
		if !xmlChar(c) && err == nil {
			err = fmt.Errorf("the character U+%04X", c)
		}
	}
	w.escape(text, false)
	return err
}

func (w *xmlWriter) anyMember(s *jsonScanner, key string, own, in *Module) error {
	module, local, ok := strings.Cut(key, ":")
	m := own
	if ok {
		m = w.tree.set.byName[module]
	} else {
		local = key
	}
	if m == nil {
		return fmt.Errorf("the set has no module %q for the member %q", clip(module), clip(key))
	}
	if !isIdentifier(local) {
		return fmt.Errorf("%q is no name", clip(key))
	}
	one := func() error {
		w.byte('<')
		w.str(local)
		if m != in {
			w.attribute("xmlns", m.Namespace)
		}
		w.byte('>')
		err := w.anyValue(s, m, m)
		w.str("</" + local + ">")
		return err
	}
	if s.blank() != '[' || strings.HasPrefix(s.in[s.at:], "[null]") {
		return one()
	}
	s.at++
	for first := true; ; first = false {
		more, err := s.next(first, ']')
		if err != nil || !more {
			return err
		}
		if err := one(); err != nil {
			return err
		}
	}
}
