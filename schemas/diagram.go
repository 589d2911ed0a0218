package schemas

import (
	"io"
	"strings"
)

// Diagram writes the tree diagrams (RFC 8340) of the named modules, or of all
// implemented ones.
func (s *Set) Diagram(w io.Writer, modules ...string) error {
	var b strings.Builder
	if len(modules) == 0 {
		for _, m := range s.Modules() {
			if m.Implemented {
				modules = append(modules, m.Name)
			}
		}
	}
	for i, name := range modules {
		m := s.byName[name]
		if m == nil {
			return &ModuleError{File: name, Message: "the set has no such module"}
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("module: " + m.Name + "\n")
		var data, rpcs, notes []*Node
		for _, n := range m.top {
			switch n.kind {
			case KindRPC:
				rpcs = append(rpcs, n)
			case KindNotification:
				notes = append(notes, n)
			default:
				data = append(data, n)
			}
		}
		diagram(&b, data, "  ", m)
		for _, target := range s.augmented(m) {
			b.WriteString("\n  augment " + target.Path() + ":\n")
			var own []*Node
			for _, k := range target.children {
				if k.module == m {
					own = append(own, k)
				}
			}
			diagram(&b, own, "    ", m)
		}
		if len(rpcs) > 0 {
			b.WriteString("\n  rpcs:\n")
			diagram(&b, rpcs, "    ", m)
		}
		if len(notes) > 0 {
			b.WriteString("\n  notifications:\n")
			diagram(&b, notes, "    ", m)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// augmented returns the nodes of other modules to which m adds children.
func (s *Set) augmented(m *Module) []*Node {
	var out []*Node
	var walk func(n *Node)
	walk = func(n *Node) {
		added := false
		for _, k := range n.children {
			if k.module == m && n.module != m && n.kind != KindRoot {
				added = true
				continue
			}
			walk(k)
		}
		if added {
			out = append(out, n)
		}
	}
	walk(s.root)
	return out
}

func diagram(b *strings.Builder, nodes []*Node, indent string, m *Module) {
	// A choice's children of other modules are shown with those modules.
	shown := nodes[:0:0]
	width := 0
	for _, n := range nodes {
		if n.module != m || (n.kind == KindInput || n.kind == KindOutput) && len(n.children) == 0 {
			continue
		}
		shown = append(shown, n)
		if n.leafy() {
			width = max(width, len(n.name)+1)
		}
	}
	for i, n := range shown {
		b.WriteString(indent + n.diagramStatus() + "--" + n.diagramFlags() + n.diagramName() + n.diagramOpts())
		if n.leafy() {
			b.WriteString(strings.Repeat(" ", width-len(n.name)-len(n.diagramOpts())+3) + n.diagramType())
		}
		if len(n.keys) > 0 {
			b.WriteString(" [" + strings.Join(n.Keys(), " ") + "]")
		}
		b.WriteByte('\n')
		next := indent + "|  "
		if i == len(shown)-1 {
			next = indent + "   "
		}
		diagram(b, n.children, next, m)
	}
}

func (n *Node) diagramStatus() string {
	switch n.status {
	case "deprecated":
		return "x"
	case "obsolete":
		return "o"
	}
	return "+"
}

func (n *Node) diagramFlags() string {
	switch n.kind {
	case KindRPC, KindAction:
		return "-x "
	case KindNotification:
		return "-n "
	case KindInput:
		return "-w "
	case KindOutput:
		return "ro "
	case KindCase:
		return ""
	}
	for at := n.parent; at != nil; at = at.parent {
		switch at.kind {
		case KindInput:
			return "-w "
		case KindOutput, KindNotification:
			return "ro "
		}
	}
	if n.config {
		return "rw "
	}
	return "ro "
}

func (n *Node) diagramName() string {
	switch n.kind {
	case KindChoice:
		return "(" + n.name + ")"
	case KindCase:
		return ":(" + n.name + ")"
	}
	return n.name
}

func (n *Node) diagramOpts() string {
	switch {
	case n.kind == KindList || n.kind == KindLeafList:
		return "*"
	case n.presence:
		return "!"
	case n.kind == KindLeaf && n.keyIndex == 0 && !n.mandatory, n.kind == KindChoice && !n.mandatory,
		(n.kind == KindAnyData || n.kind == KindAnyXML) && !n.mandatory:
		return "?"
	}
	return ""
}

// diagramType returns the type, or where a leafref leads.
func (n *Node) diagramType() string {
	if n.typ.Base == BaseLeafref && n.typ.Name == "leafref" && n.typ.path != nil {
		return "-> " + n.typ.path.stmt.arg
	}
	return n.typ.Name
}
