package schemas

import (
	"io"
	"strconv"
	"strings"
)

// Canonical returns the canonical bytes of the configuration in the tree: the
// same configuration gives the same bytes. It is RFC 7951 JSON without blanks,
// members sorted by module and name, entries of lists by their keys unless the
// user orders them, values in the canonical form of RFC 7950 §9. State, empty
// containers without presence, annotations and values equal to their default
// are left out (RFC 6243 calls that trim).
func (t *Tree) Canonical() []byte {
	w := &jsonWriter{sorted: true}
	if root := t.root.normal(nil); root != nil {
		w.object(root, root.groups, 0)
	}
	if len(w.b) == 0 {
		return []byte("{}")
	}
	return w.b
}

// JSON returns everything in the tree as RFC 7951 JSON, in canonical order,
// each level indented by indent; an empty indent gives no blanks at all.
func (t *Tree) JSON(indent string) []byte {
	w := &jsonWriter{indent: indent, meta: t.meta}
	w.tree(t)
	return w.b
}

// WriteJSON is JSON in pieces, so that the text is never in memory as a whole.
func (t *Tree) WriteJSON(to io.Writer, indent string) error {
	w := &jsonWriter{output: output{to: to}, indent: indent, meta: t.meta}
	w.tree(t)
	w.flush()
	return w.err
}

// jsonWriter is the one place that writes JSON.
type jsonWriter struct {
	output
	indent string
	sorted bool // groups and entries are in the order that they shall have
	meta   map[*item][]annotation
}

func (w *jsonWriter) tree(t *Tree) {
	groups := t.root.groups
	if !w.sorted {
		groups = sortedGroups(t.root)
	}
	w.object(t.root, groups, 0)
	if w.indent != "" {
		w.byte('\n')
	}
}

func (w *jsonWriter) newline(depth int) {
	if w.indent == "" {
		return
	}
	w.byte('\n')
	for range depth {
		w.str(w.indent)
	}
}

func (w *jsonWriter) object(it *item, groups []group, depth int) {
	w.byte('{')
	first := true
	if meta := w.meta[it]; meta != nil {
		w.newline(depth + 1)
		w.name("@")
		w.annotations(meta)
		first = false
	}
	for _, g := range groups {
		if !first {
			w.byte(',')
		}
		first = false
		w.newline(depth + 1)
		w.member(it, g.schema, "")
		w.group(g, depth+1)
		if w.meta != nil {
			w.beside(it, g, depth+1)
		}
	}
	if !first {
		w.newline(depth)
	}
	w.byte('}')
	w.spill()
}

func (w *jsonWriter) name(s string) {
	w.str(quoteJSON(s))
	w.byte(':')
	if w.indent != "" {
		w.byte(' ')
	}
}

// member writes a name, with its module where that changes (RFC 7951 §4).
func (w *jsonWriter) member(parent *item, n *Node, mark string) {
	w.byte('"')
	w.str(mark)
	if parent.schema.module != n.module {
		w.str(n.module.Name)
		w.byte(':')
	}
	w.str(n.name)
	w.str(`":`)
	if w.indent != "" {
		w.byte(' ')
	}
}

// beside writes the annotations that stand beside what they annotate (RFC 7952
// §5.2.2, §5.2.3).
func (w *jsonWriter) beside(it *item, g group, depth int) {
	switch g.schema.kind {
	case KindLeaf, KindAnyXML:
		meta := w.meta[g.items[0]]
		if meta == nil {
			return
		}
		w.byte(',')
		w.newline(depth)
		w.member(it, g.schema, "@")
		w.annotations(meta)
	case KindLeafList:
		last := -1
		for i, k := range g.items {
			if w.meta[k] != nil {
				last = i
			}
		}
		if last < 0 {
			return
		}
		w.byte(',')
		w.newline(depth)
		w.member(it, g.schema, "@")
		w.byte('[')
		for i, k := range g.items[:last+1] {
			if i > 0 {
				w.byte(',')
			}
			if meta := w.meta[k]; meta != nil {
				w.annotations(meta)
			} else {
				w.str("null")
			}
		}
		w.byte(']')
	}
}

func (w *jsonWriter) annotations(meta []annotation) {
	w.byte('{')
	for i, a := range meta {
		if i > 0 {
			w.byte(',')
		}
		w.name(a.name.module + ":" + a.name.local)
		w.value(a.val)
	}
	w.byte('}')
}

func (w *jsonWriter) group(g group, depth int) {
	array := g.schema.kind == KindList || g.schema.kind == KindLeafList
	if !array {
		w.item(g.items[0], depth)
		return
	}
	w.byte('[')
	for i, it := range g.items {
		if i > 0 {
			w.byte(',')
		}
		w.newline(depth + 1)
		w.item(it, depth+1)
	}
	w.newline(depth)
	w.byte(']')
}

func (w *jsonWriter) item(it *item, depth int) {
	switch it.schema.kind {
	case KindLeaf, KindLeafList:
		w.value(it.val)
	case KindAnyData, KindAnyXML:
		meta := w.meta[it]
		if it.xmlOnly() {
			w.b = appendJSON(w.b, it.raw)
			break
		}
		if it.schema.kind == KindAnyXML || meta == nil {
			w.str(it.raw)
			break
		}
		w.byte('{')
		w.name("@")
		w.annotations(meta)
		if it.raw != "{}" {
			w.byte(',')
		}
		w.str(it.raw[1:])
	default:
		groups := it.groups
		if !w.sorted {
			groups = sortedGroups(it)
		}
		w.object(it, groups, depth)
	}
}

func (w *jsonWriter) value(v value) {
	switch {
	case v.typ.Base == BaseEmpty:
		w.str("[null]")
	case v.bare():
		w.str(v.text)
	default:
		w.b = appendJSON(w.b, v.text)
	}
}

// quoteJSON writes a string with the fewest escapes that JSON allows.
func quoteJSON(s string) string { return string(appendJSON(nil, s)) }

func appendJSON(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if j := strings.IndexByte("\"\\\n\r\t\b\f", c); j >= 0 {
			b = append(b, '\\', `"\nrtbf`[j])
			continue
		}
		b = append(b, `\u00`...)
		if c < 0x10 {
			b = append(b, '0')
		}
		b = strconv.AppendUint(b, uint64(c), 16)
	}
	return append(append(b, s[from:]...), '"')
}
