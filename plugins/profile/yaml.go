package profile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	yaml "github.com/goccy/go-yaml"
)

// Error is a fault of a profile with its place.
type Error struct {
	File string
	Line int // from 1; 0 if no single line
	Text string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Text)
}

// node is a YAML value with its line: a mapping, a list or a scalar. Anchors,
// aliases, tags and merge keys are refused: a profile says what it says.
type node struct {
	line   int
	null   bool
	scalar bool
	text   string
	list   bool
	items  []node
	keys   []entry
}

type entry struct {
	key   string
	line  int
	value node
}

const maxDepth = 8 // of a profile

func (l *loader) parse(text []byte) (node, bool) {
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, why := 0, "not valid YAML"
		if ye := yaml.Error(nil); errors.As(err, &ye) {
			if tk := ye.GetToken(); tk != nil && tk.Position != nil {
				line = tk.Position.Line
			}
			why += ": " + ye.GetMessage()
		}
		l.fail(line, "%s", why)
		return node{}, false
	}
	var body ast.Node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			l.fail(d.Body.GetToken().Position.Line, "a second document: a file is one profile")
			return node{}, false
		default:
			body = d.Body
		}
	}
	if body == nil {
		l.fail(0, "the file is empty")
		return node{}, false
	}
	before := len(l.errs)
	n := l.node(body, 0)
	return n, len(l.errs) == before
}

func (l *loader) node(n ast.Node, depth int) node {
	if n == nil {
		return node{null: true}
	}
	out := node{}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		out.line = tk.Position.Line
	}
	if depth > maxDepth {
		l.fail(out.line, "nested too deeply")
		return node{null: true, line: out.line}
	}
	mapping := func(values []*ast.MappingValueNode) {
		for _, v := range values {
			e := entry{key: strings.TrimSpace(v.Key.GetToken().Value), line: v.Key.GetToken().Position.Line, value: l.node(v.Value, depth+1)}
			if e.value.line == 0 {
				e.value.line = e.line
			}
			out.keys = append(out.keys, e)
		}
		if len(out.keys) > 0 {
			out.line = out.keys[0].line
		}
	}
	switch n := n.(type) {
	case *ast.NullNode:
		out.null = true
	case *ast.MappingNode:
		mapping(n.Values)
	case *ast.MappingValueNode:
		mapping([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.list = true
		for _, v := range n.Values {
			out.items = append(out.items, l.node(v, depth+1))
		}
	case *ast.LiteralNode:
		out.scalar = true
		if n.Value != nil {
			out.text = n.Value.Value
		}
	case *ast.StringNode:
		out.scalar, out.text = true, n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		out.scalar, out.text = true, strings.TrimSpace(n.GetToken().Value)
	default:
		l.fail(out.line, "%s is not supported in a profile", strings.ToLower(n.Type().String()))
		out.null = true
	}
	return out
}
