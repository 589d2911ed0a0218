package schemas

import (
	"errors"
	"io"
	"slices"
	"strings"
)

// DiagramOptions say how tree diagrams are drawn.
type DiagramOptions struct {
	// Width breaks longer lines, before the type and before the features; 0
	// for never.
	Width int
	// Groupings draws the modules' top-level groupings too, as they are
	// written: with the groupings that they use named, not expanded.
	Groupings bool
}

// Diagram writes the tree diagrams (RFC 8340) of the named modules, or of all
// implemented ones. Nodes that other modules of the set add are drawn where
// they are, with their module's prefix, and as augments of those modules. It fails for a
// set that was taken from a cache.
func (s *Set) Diagram(w io.Writer, o DiagramOptions, modules ...string) error {
	if len(modules) == 0 {
		for _, m := range s.Modules() {
			if m.Implemented {
				modules = append(modules, m.Name)
			}
		}
	}
	if s.cached {
		return errors.New("a set from the cache has no statements to draw: load it without")
	}
	d := &diagrammer{width: o.Width}
	for i, name := range modules {
		m := s.byName[name]
		if m == nil {
			return &ModuleError{File: name, Message: "the set has no such module"}
		}
		if i > 0 {
			d.b.WriteByte('\n')
		}
		d.module(s, m, o.Groupings)
	}
	_, err := io.WriteString(w, d.b.String())
	return err
}

type diagrammer struct {
	b     strings.Builder
	width int
	own   *Module
	plain bool // nodes have no flags
}

func (d *diagrammer) module(s *Set, m *Module, groupings bool) {
	d.own = m
	d.b.WriteString("module: " + m.Name + "\n")
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
	d.nodes(data, "  ")
	for _, target := range s.augmented(m) {
		d.b.WriteString("\n  augment " + m.nodeID(target) + ":\n")
		var own []*Node
		for _, k := range target.children {
			if k.module == m {
				own = append(own, k)
			}
		}
		d.nodes(own, "    ")
	}
	section := func(title string, nodes []*Node) {
		if len(nodes) > 0 {
			d.b.WriteString("\n  " + title + ":\n")
			d.nodes(nodes, "    ")
		}
	}
	section("rpcs", rpcs)
	section("notifications", notes)
	d.structures(s, m)
	if !groupings {
		return
	}
	names := make([]string, 0, len(m.groups))
	for n := range m.groups {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		d.b.WriteString("\n  grouping " + n + ":\n")
		d.nodes(sketch(m.groups[n], &Node{kind: KindContainer, module: m, config: true}), "    ")
	}
}

// structures draws the structures and yang-data templates of a module, whose
// nodes have no flags (RFC 8340 §2.6, RFC 8791 §2).
func (d *diagrammer) structures(s *Set, m *Module) {
	for _, key := range s.Structures() {
		module, local, _ := strings.Cut(key, ":")
		if module != m.Name {
			continue
		}
		top := s.structures[name{module, local}].root.children
		kind := "yang-data "
		if len(top) == 1 && strings.HasSuffix(top[0].stmt.kw, ":structure") {
			kind, top = "structure ", top[0].children
		}
		d.b.WriteString("\n  " + kind + local + ":\n")
		d.plain = true
		d.nodes(top, "    ")
		d.plain = false
	}
}

// nodeID writes the schema node id of a node with the prefixes that the module
// has for others.
func (m *Module) nodeID(n *Node) string {
	var steps []string
	for at := n; at.kind != KindRoot; at = at.parent {
		prefix := at.module.Prefix
		if m.main != nil {
			for p, other := range m.main.prefixes {
				if other == at.module {
					prefix = p
				}
			}
		}
		steps = append(steps, "/"+prefix+":"+at.name)
	}
	slices.Reverse(steps)
	return strings.Join(steps, "")
}

// augmented returns the nodes of other modules to which m adds children.
func (s *Set) augmented(m *Module) []*Node {
	var out []*Node
	var walk func(n *Node)
	walk = func(n *Node) {
		if n.kind != KindRoot && n.module != m && slices.ContainsFunc(n.children, func(k *Node) bool { return k.module == m }) {
			out = append(out, n)
		}
		for _, k := range n.children {
			if k.module != m || n.module == m || n.kind == KindRoot {
				walk(k)
			}
		}
	}
	walk(s.root)
	return out
}

// usesKind marks a uses in a sketch: no node of a schema has it below the root.
const usesKind = KindRoot

// sketch makes nodes of statements without looking anything up.
func sketch(s *statement, parent *Node) []*Node {
	var out []*Node
	for _, d := range s.subs {
		n := &Node{name: d.arg, module: parent.module, parent: parent, stmt: d, status: "current", config: parent.config, kind: kindOf(d.kw)}
		if n.kind == KindRoot && d.kw != "uses" {
			continue
		}
		if c := d.child("config"); c != nil {
			n.config = c.arg == "true"
		}
		if st := d.childArg("status"); st != "" {
			n.status = st
		}
		n.mandatory, n.presence = d.childArg("mandatory") == "true", d.child("presence") != nil
		if n.kind == KindInput || n.kind == KindOutput {
			n.name = n.kind.String()
		}
		if t := d.child("type"); t != nil {
			n.typ = &Type{Name: t.arg}
			if p := t.child("path"); p != nil && t.arg == "leafref" {
				n.typ.Base, n.typ.path = BaseLeafref, &leafPath{stmt: p}
			}
		}
		n.children = sketch(d, n)
		for _, k := range strings.Fields(d.childArg("key")) {
			key := &Node{name: k}
			for _, c := range n.children {
				if c.name == k {
					key = c
				}
			}
			n.keys = append(n.keys, key)
			key.keyIndex = len(n.keys)
		}
		out = append(out, n)
	}
	return out
}

func (d *diagrammer) nodes(nodes []*Node, indent string) {
	shown := nodes[:0:0]
	width := 0
	for _, n := range nodes {
		if (n.kind == KindInput || n.kind == KindOutput) && len(n.children) == 0 {
			continue
		}
		shown = append(shown, n)
		if n.diagramType() != "" {
			width = max(width, len(d.name(n))+1)
		}
	}
	for i, n := range shown {
		next := indent + "|  "
		if i == len(shown)-1 {
			next = indent + "   "
		}
		d.line(n, indent, next, width)
		d.nodes(n.children, next)
	}
}

// line writes a node: status, flags, name, options, type and features.
func (d *diagrammer) line(n *Node, indent, next string, width int) {
	name := d.name(n)
	flags := n.diagramFlags()
	if d.plain && n.kind != KindCase {
		flags = " "
	}
	line := indent + n.diagramStatus() + "--" + flags + name + n.diagramOpts()
	if len(n.keys) > 0 {
		line += " [" + strings.Join(n.Keys(), " ") + "]"
	}
	var parts []string
	if t := n.diagramType(); t != "" {
		parts = append(parts, strings.Repeat(" ", max(1, width-len(name)-len(n.diagramOpts())+3))+t)
	}
	if f := n.diagramFeatures(); f != "" {
		parts = append(parts, " "+f)
	}
	for _, p := range parts {
		if d.width > 0 && len(line)+len(p) > d.width && strings.TrimSpace(line) != strings.TrimSpace(next) {
			d.b.WriteString(line + "\n")
			line = next
			if len(n.children) > 0 {
				line += "|"
			}
			p = "      " + strings.TrimLeft(p, " ")
		}
		line += p
	}
	d.b.WriteString(line + "\n")
}

func (d *diagrammer) name(n *Node) string {
	name := n.name
	if n.module != d.own {
		name = n.module.Prefix + ":" + name
	}
	switch n.kind {
	case KindChoice:
		return "(" + name + ")"
	case KindCase:
		return ":(" + name + ")"
	}
	return name
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
	case usesKind:
		return "-u "
	}
	if n.mountPoint() {
		return "mp "
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

// mountPoint reports whether other schemas can be mounted here (RFC 8528).
func (n *Node) mountPoint() bool {
	if n.stmt == nil || n.stmt.src == nil {
		return false
	}
	return slices.ContainsFunc(n.stmt.subs, func(s *statement) bool {
		prefix, local, ok := strings.Cut(s.kw, ":")
		if !ok || local != "mount-point" {
			return false
		}
		m := s.src.prefixes[prefix]
		return m != nil && m.Name == "ietf-yang-schema-mount"
	})
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

// diagramType returns the type, or where a leafref leads, with the module's own
// prefix removed.
func (n *Node) diagramType() string {
	switch {
	case n.kind == KindAnyData || n.kind == KindAnyXML:
		return n.kind.String()
	case n.typ == nil:
		return ""
	case n.typ.Base != BaseLeafref || n.typ.Name != "leafref" || n.typ.path == nil:
		return n.typ.Name
	}
	path := n.typ.path.stmt
	text := strings.Join(strings.Fields(path.arg), " ")
	if path.src == nil || path.src.module != n.module {
		return "-> " + text
	}
	for p, m := range path.src.prefixes {
		if m == n.module {
			text = withoutPrefix(text, p)
		}
	}
	return "-> " + text
}

// withoutPrefix removes a prefix from the names in a path.
func withoutPrefix(path, prefix string) string {
	var b strings.Builder
	for i := 0; i < len(path); {
		rest := path[i:]
		if strings.HasPrefix(rest, prefix+":") && (i == 0 || strings.IndexByte("/[ ", path[i-1]) >= 0) {
			i += len(prefix) + 1
			continue
		}
		b.WriteByte(path[i])
		i++
	}
	return b.String()
}

// diagramFeatures returns what the node depends on: "{feature}?".
func (n *Node) diagramFeatures() string {
	if n.stmt == nil || n.kind != kindOf(n.stmt.kw) && n.stmt.kw != "uses" {
		return "" // a case that nobody wrote
	}
	var all []string
	for _, s := range n.stmt.subs {
		if s.kw == "if-feature" {
			all = append(all, strings.Join(strings.Fields(s.arg), " "))
		}
	}
	if all == nil {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}?"
}
