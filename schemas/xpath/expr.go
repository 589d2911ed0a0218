// Package xpath compiles and evaluates XPath 1.0 as YANG uses it (RFC 7950
// §6.4 and §10): on trees of data nodes, names bound to modules, with the
// functions current, re-match, deref, derived-from, derived-from-or-self,
// enum-value and bit-is-set.
//
// An expression is compiled once and is then safe for concurrent use. Steps of
// the form list[leaf = value], where the value does not depend on the list
// entry, are answered by an index that the tree keeps, so that their cost does
// not grow with the list.
//
// It deliberately knows nothing of schemas: what a name, a value or a
// reference is, the Tree says. There are no attributes, namespaces nodes,
// comments or processing instructions in YANG data, so those axes and node
// tests select nothing; variables do not exist in YANG and are refused.
package xpath

import "fmt"

// Name is a node's name: module and local part. An empty module or local part
// in a test matches any.
type Name struct{ Module, Local string }

// Names says how names in an expression are bound.
type Names struct {
	// Default is the module of names without a prefix (RFC 7950 §6.4.1).
	Default string
	// Prefix returns the module of a prefix; false refuses the expression.
	Prefix func(prefix string) (module string, ok bool)
}

// Expr is a compiled expression.
type Expr struct {
	text  string
	names Names
	root  node
}

// String returns the expression as it was written.
func (e *Expr) String() string { return e.text }

// Names returns what the names in the expression are bound to.
func (e *Expr) Names() Names { return e.names }

// Error is a fault in an expression.
type Error struct {
	At      int // byte, from 1
	Message string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("at byte %d: %s", e.At, e.Message) }

// Bounds on an expression.
const (
	maxLength = 64 << 10
	maxDepth  = 200
)

// node is a node of the syntax tree.
type node interface{}

type (
	binary struct {
		op          string
		left, right node
	}
	negate  struct{ of node }
	literal struct{ text string }
	digits  struct{ value float64 }
	call    struct {
		name string
		args []node
	}
	// path is a location path, or a filter expression with steps after it.
	path struct {
		absolute bool
		from     node   // filter expression; nil: the context node or root
		preds    []pred // of the filter expression
		steps    []step
	}
	step struct {
		axis  axis
		test  test
		name  Name
		preds []pred
	}
	// pred is a predicate. leaf and value are set if it has the form
	// leaf = value with a value that does not depend on the context node.
	pred struct {
		expr  node
		leaf  Name
		value node
	}
)

type axis int8

const (
	axisChild axis = iota
	axisDescendant
	axisParent
	axisAncestor
	axisSelf
	axisDescendantOrSelf
	axisAncestorOrSelf
	axisFollowingSibling
	axisPrecedingSibling
	axisFollowing
	axisPreceding
	axisNone // attribute, namespace: nothing in YANG data
)

type test int8

const (
	testName test = iota // name, *, prefix:*
	testNode             // node()
	testText             // text()
	testNone             // comment(), processing-instruction()
)

func axes() map[string]axis {
	return map[string]axis{
		"child": axisChild, "descendant": axisDescendant, "parent": axisParent, "ancestor": axisAncestor, "self": axisSelf,
		"descendant-or-self": axisDescendantOrSelf, "ancestor-or-self": axisAncestorOrSelf, "following-sibling": axisFollowingSibling,
		"preceding-sibling": axisPrecedingSibling, "following": axisFollowing, "preceding": axisPreceding, "attribute": axisNone, "namespace": axisNone,
	}
}

// signature is how many arguments a function takes; most < 0 is any number.
type signature struct{ least, most int }

func functions() map[string]signature {
	return map[string]signature{
		"last": {0, 0}, "position": {0, 0}, "count": {1, 1}, "id": {1, 1}, "local-name": {0, 1}, "namespace-uri": {0, 1}, "name": {0, 1},
		"string": {0, 1}, "concat": {2, -1}, "starts-with": {2, 2}, "contains": {2, 2}, "substring-before": {2, 2}, "substring-after": {2, 2},
		"substring": {2, 3}, "string-length": {0, 1}, "normalize-space": {0, 1}, "translate": {3, 3}, "boolean": {1, 1}, "not": {1, 1},
		"true": {0, 0}, "false": {0, 0}, "lang": {1, 1}, "number": {0, 1}, "sum": {1, 1}, "floor": {1, 1}, "ceiling": {1, 1}, "round": {1, 1},
		"current": {0, 0}, "re-match": {2, 2}, "deref": {1, 1}, "derived-from": {2, 2}, "derived-from-or-self": {2, 2}, "enum-value": {1, 1},
		"bit-is-set": {2, 2},
	}
}
