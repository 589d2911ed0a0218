package schemas

import (
	"strconv"
	"strings"
)

// Canonical returns the canonical bytes of the configuration in the tree: the
// same configuration gives the same bytes. It is RFC 7951 JSON without blanks,
// members sorted by module and name, entries of lists by their keys unless the
// user orders them, values in the canonical form of RFC 7950 §9. State, empty
// containers without presence and values equal to their default are left out
// (RFC 6243 calls that trim).
func (t *Tree) Canonical() []byte {
	w := &jsonWriter{sorted: true}
	if root := t.root.normal(nil); root != nil {
		w.object(root, root.groups, 0)
	}
	if w.b.Len() == 0 {
		return []byte("{}")
	}
	return []byte(w.b.String())
}

// JSON returns everything in the tree as RFC 7951 JSON, in canonical order,
// each level indented by indent; an empty indent gives no blanks at all.
func (t *Tree) JSON(indent string) []byte {
	w := &jsonWriter{indent: indent}
	w.object(t.root, sortedGroups(t.root), 0)
	if indent != "" {
		w.b.WriteByte('\n')
	}
	return []byte(w.b.String())
}

// jsonWriter is the one place that writes JSON.
type jsonWriter struct {
	b      strings.Builder
	indent string
	sorted bool // groups are in order already
}

func (w *jsonWriter) newline(depth int) {
	if w.indent == "" {
		return
	}
	w.b.WriteByte('\n')
	for range depth {
		w.b.WriteString(w.indent)
	}
}

func (w *jsonWriter) object(it *item, groups []group, depth int) {
	w.b.WriteByte('{')
	for i, g := range groups {
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.newline(depth + 1)
		w.member(it, g.schema)
		w.group(g, depth+1)
	}
	if len(groups) > 0 {
		w.newline(depth)
	}
	w.b.WriteByte('}')
}

// member writes a name, with its module where that changes (RFC 7951 §4).
func (w *jsonWriter) member(parent *item, n *Node) {
	w.b.WriteByte('"')
	if parent.schema.module != n.module {
		w.b.WriteString(n.module.Name + ":")
	}
	w.b.WriteString(n.name + `":`)
	if w.indent != "" {
		w.b.WriteByte(' ')
	}
}

func (w *jsonWriter) group(g group, depth int) {
	array := g.schema.kind == KindList || g.schema.kind == KindLeafList
	if !array {
		w.item(g.items[0], depth)
		return
	}
	w.b.WriteByte('[')
	for i, it := range g.items {
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.newline(depth + 1)
		w.item(it, depth+1)
	}
	w.newline(depth)
	w.b.WriteByte(']')
}

func (w *jsonWriter) item(it *item, depth int) {
	switch it.schema.kind {
	case KindLeaf, KindLeafList:
		w.value(it.val)
	case KindAnyData, KindAnyXML:
		w.b.WriteString(it.raw)
	default:
		groups := it.groups
		if !w.sorted {
			groups = sortedGroups(it)
		}
		w.object(it, groups, depth)
	}
}

func (w *jsonWriter) value(v value) {
	switch b := v.typ.Base; {
	case b == BaseEmpty:
		w.b.WriteString("[null]")
	case b == BaseBoolean, b.integer() && b != BaseInt64 && b != BaseUint64:
		w.b.WriteString(v.text)
	default:
		w.b.WriteString(quoteJSON(v.text))
	}
}

// quoteJSON writes a string with the fewest escapes that JSON allows.
func quoteJSON(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return `"` + s + `"`
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			if c < 0x20 {
				b.WriteString(`\u00`)
				if c < 0x10 {
					b.WriteByte('0')
				}
				b.WriteString(strconv.FormatUint(uint64(c), 16))
				continue
			}
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
