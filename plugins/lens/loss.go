package lens

import (
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// loss is a node that was not written.
type loss struct {
	path  string // exact
	shown string // with secret keys hidden
	what  string
}

// lost lists what is not written below n. The keys of an entry are written
// with it.
func (n *node) lost(l *Lens, path, shown string, out []loss) []loss {
	for i, k := range n.kids {
		if k.whole(n) {
			continue
		}
		at, show := path+"/"+k.name, shown+"/"+k.name
		switch k.kind {
		case leaf:
			if n.kind == leafList {
				at, show = path+"[.='"+lexical(k.val)+"']", shown
			}
			if !k.used && !n.isKey(k.name) {
				out = append(out, loss{at, show, "the value of " + last(show)})
			}
		case container:
			if len(k.kids) == 0 && !k.used {
				out = append(out, loss{at, show, last(show)})
			}
			out = k.lost(l, at, show, out)
		case list, leafList:
			out = k.lost(l, at, show, out)
		case entry:
			pred, hidden := n.predicates(l, shown, k, i)
			at, show = path+pred, shown+hidden
			if below := k.lost(l, at, show, nil); !k.used && !k.anyUsed() {
				out = append(out, loss{at, show, "this entry of " + last(shown)})
			} else {
				out = append(out, below...)
			}
		}
	}
	return out
}

// whole reports whether nothing of n, which is in its parent, is lost.
func (n *node) whole(parent *node) bool {
	switch n.kind {
	case leaf:
		return n.used || parent.isKey(n.name)
	case container:
		if len(n.kids) == 0 {
			return n.used
		}
	case entry:
		if !n.used && !n.anyUsed() {
			return false
		}
	}
	for _, k := range n.kids {
		if !k.whole(n) {
			return false
		}
	}
	return true
}

func (n *node) anyUsed() bool {
	for _, k := range n.kids {
		if k.used || k.anyUsed() {
			return true
		}
	}
	return false
}

// predicates are the key predicates of entry e, number i of list n.
func (n *node) predicates(l *Lens, list string, e *node, i int) (exact, shown string) {
	if e.own == 0 {
		s := "[" + strconv.Itoa(i+1) + "]"
		return s, s
	}
	for _, k := range e.keys() {
		quote := "'"
		v := lexical(k.Value)
		if strings.Contains(v, "'") {
			quote = `"`
		}
		exact += "[" + k.Name + "=" + quote + v + quote + "]"
		if l.secret[schemaOf(list)+"/"+k.Name] {
			v = plugins.Hidden
		}
		shown += "[" + k.Name + "=" + quote + v + quote + "]"
	}
	return exact, shown
}

// schemaOf removes the predicates of an instance path.
func schemaOf(path string) string {
	var b strings.Builder
	quote := byte(0)
	depth := 0
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case depth > 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func last(path string) string {
	s := schemaOf(path)
	return s[strings.LastIndexByte(s, '/')+1:]
}
