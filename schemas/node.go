package schemas

import (
	"strings"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// Kind is the kind of a schema node.
type Kind int8

// The kinds of schema nodes.
const (
	KindRoot Kind = iota
	KindContainer
	KindList
	KindLeaf
	KindLeafList
	KindAnyData
	KindAnyXML
	KindChoice
	KindCase
	KindRPC
	KindAction
	KindInput
	KindOutput
	KindNotification
)

// String returns the keyword.
func (k Kind) String() string {
	return [...]string{"root", "container", "list", "leaf", "leaf-list", "anydata", "anyxml", "choice", "case", "rpc", "action", "input", "output", "notification"}[k]
}

// name is a node's name in its namespace; modules are named, not numbered, as
// in RFC 7951.
type name struct{ module, local string }

// Node is a node of a compiled schema.
type Node struct {
	kind   Kind
	name   string
	module *Module
	parent *Node
	// children in schema order, choices and cases included; kids are the data
	// nodes among them and below their choices and cases.
	children []*Node
	kids     map[name]*Node
	index    map[name]*Node `cache:"-"` // the children by name
	pruned   map[name]bool  `cache:"-"` // children that if-features have ruled out
	off      bool           // to be pruned: by an if-feature
	gone     bool           // to be pruned: by a deviation
	iffs     []*statement   `cache:"-"` // whose if-features rule it, but for its own: uses, augment, refine
	stmt     *statement

	config    bool
	configSet *bool           // as the module says
	said      map[string]bool `cache:"-"` // of mandatory, min-elements and max-elements: there is a statement
	mandatory bool
	min, max  int // elements; max 0 is unbounded
	presence  bool
	userOrder bool
	keys      []*Node
	unique    [][]*Node // each the leaves of one statement
	uniques   []attached
	typ       *Type
	typeStmt  *statement
	defaults  []attached
	dflts     []string // canonical
	dfltTypes []*Type  // the member types that the defaults have
	units     string
	status    string
	desc      string

	secret, volatile bool
	bind, mapsTo     string

	refs map[*Type]*leafRef // where the leafrefs of the type lead

	whens []*condition
	musts []*condition

	// What finish computes for validation.
	dfltCase    *Node   // of a choice
	required    []*Node // children to look at when they are absent
	trimmable   bool    // a value equal to the default says nothing
	order       int     // place among siblings
	keyIndex    int     // 1 + place among the keys, 0 for others
	action      bool    // inside an rpc, action or notification
	conditional bool    // it, or a choice or case around it, has a when
	sortKey     string  // "module:name"
}

// attached is a statement's argument with the place whose prefixes it uses.
type attached struct {
	arg  string
	stmt *statement
}

// condition is a when or must.
type condition struct {
	expr *xpath.Expr
	stmt *statement
	// up is how many data ancestors above the node the context node is: 0 for
	// the node's own statements, 1 for those of uses, augment, choice, case.
	up  bool
	msg *message
}

// Kind returns the kind of the node.
func (n *Node) Kind() Kind { return n.kind }

// Name returns the name without its module.
func (n *Node) Name() string { return n.name }

// ModuleName returns the name of the module in whose namespace the node is.
func (n *Node) ModuleName() string {
	if n.module == nil {
		return ""
	}
	return n.module.Name
}

// Parent returns the node above, which may be a choice or case; nil for the
// root.
func (n *Node) Parent() *Node { return n.parent }

// Children returns the nodes below in schema order.
func (n *Node) Children() []*Node { return append([]*Node(nil), n.children...) }

// Config reports whether the node is configuration.
func (n *Node) Config() bool { return n.config }

// Type returns the type of a leaf or leaf-list, else nil.
func (n *Node) Type() *Type { return n.typ }

// Keys returns the names of a list's keys.
func (n *Node) Keys() []string {
	var out []string
	for _, k := range n.keys {
		out = append(out, k.name)
	}
	return out
}

// Description returns the text of the node's description.
func (n *Node) Description() string { return n.desc }

// Secret reports whether the node's values are hidden wherever text is shown.
func (n *Node) Secret() bool { return n.secret }

// Volatile reports whether the node's values change by themselves.
func (n *Node) Volatile() bool { return n.volatile }

// Bind returns what the node's values are bound to: "portable", "model",
// "unit" or "version".
func (n *Node) Bind() string {
	if n.bind == "" {
		return "portable"
	}
	return n.bind
}

// MapsTo returns the schema path of the standard node that this one
// corresponds to, or "".
func (n *Node) MapsTo() string { return n.mapsTo }

// Path returns the schema path: each name with its module where that differs
// from the one before, choices and cases left out.
func (n *Node) Path() string {
	if n.kind == KindRoot {
		return "/"
	}
	var parts []string
	for at := n; at != nil && at.kind != KindRoot; at = at.parent {
		if at.kind == KindChoice || at.kind == KindCase {
			continue
		}
		p := at.name
		if up := at.dataParent(); up == nil || up.module != at.module {
			p = at.ModuleName() + ":" + p
		}
		parts = append(parts, p)
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString("/" + parts[i])
	}
	return b.String()
}

// dataParent returns the nearest node above that is not a choice or case.
func (n *Node) dataParent() *Node {
	p := n.parent
	for p != nil && (p.kind == KindChoice || p.kind == KindCase) {
		p = p.parent
	}
	return p
}

// isData reports whether the node has instances in a data tree.
func (n *Node) isData() bool {
	switch n.kind {
	case KindContainer, KindList, KindLeaf, KindLeafList, KindAnyData, KindAnyXML:
		return true
	}
	return false
}

// leafy reports whether the node has a value.
func (n *Node) leafy() bool { return n.kind == KindLeaf || n.kind == KindLeafList }

// virtual reports whether the node is a container that exists as soon as its
// parent does (§7.5.1).
func (n *Node) virtual() bool { return n.kind == KindContainer && !n.presence }
