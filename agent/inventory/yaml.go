package inventory

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	yaml "github.com/goccy/go-yaml"
)

// node is a YAML value with its place: what is left of the language once
// anchors, tags and several documents are refused. The library makes it; so
// does scan, faster, for the files that need less (scan.go).
type node struct {
	kind      kind
	text      string // of a scalar, as written: 0123 stays 0123
	quoted    bool   // a scalar in quotes or a block scalar: never null
	flow      bool   // a mapping or sequence in brackets
	line, col int    // from 1
	keys      []entry
	items     []node
}

type entry struct {
	key       string
	line, col int
	value     node
}

type kind uint8

const (
	null kind = iota
	scalar
	mapping
	sequence
)

func (k kind) String() string {
	switch k {
	case scalar:
		return "a single value"
	case mapping:
		return "a mapping"
	case sequence:
		return "a list"
	}
	return "nothing"
}

// parseYAML reads text with the library.
func parseYAML(text []byte) (node, error) {
	if i := badByte(text); i >= 0 {
		line := 1 + strings.Count(string(text[:i]), "\n")
		return node{}, &Error{Line: line, Text: "a control character or a byte that is not UTF-8"}
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return node{}, syntaxError(err)
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) == 0 {
		return node{}, nil
	}
	if len(docs) > 1 {
		pos := docs[1].GetToken().Position
		return node{}, &Error{Line: pos.Line, Text: "a second document", Hint: "keep one, without '---'"}
	}
	return fromAST(docs[0], 0)
}

// badByte finds what YAML does not allow in a file (YAML 1.2, section 5.1), or
// is -1.
func badByte(text []byte) int {
	for i, r := range string(text) {
		switch {
		case r == 0xfffd, r < 0x20 && r != '\n' && r != '\r' && r != '\t', r == 0x7f, r >= 0x80 && r < 0xa0 && r != 0x85:
			return i
		}
	}
	return -1
}

// syntaxError keeps the place and the library's message. The message never
// quotes the file beyond the key or character in question; the library's
// excerpt of the source, which could show a secret, is left out.
func syntaxError(err error) error {
	out := &Error{Text: "not valid YAML"}
	var ye yaml.Error
	if errors.As(err, &ye) {
		if tk := ye.GetToken(); tk != nil && tk.Position != nil {
			out.Line, out.Column = tk.Position.Line, tk.Position.Column
		}
		if msg := ye.GetMessage(); msg != "" && !strings.ContainsAny(msg, "\"'`\n") {
			out.Text += ": " + clip(msg)
		}
	}
	return out
}

// maxDepth is more than any valid inventory needs.
const maxDepth = 12

func fromAST(n ast.Node, depth int) (node, error) {
	if n == nil {
		return node{}, nil
	}
	out := node{}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		out.line, out.col = tk.Position.Line, tk.Position.Column
	}
	if depth > maxDepth {
		return node{}, &Error{Line: out.line, Column: out.col, Text: "nested too deeply"}
	}
	refuse := func(what string) (node, error) {
		return node{}, &Error{Line: out.line, Column: out.col, Text: what + " is not supported here", Hint: "groups give devices common values"}
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return out, nil
	case *ast.MappingNode:
		return mappingFrom(out, n.Values, n.IsFlowStyle, depth)
	case *ast.MappingValueNode:
		return mappingFrom(out, []*ast.MappingValueNode{n}, n.IsFlowStyle, depth)
	case *ast.SequenceNode:
		out.kind, out.flow = sequence, n.IsFlowStyle
		for _, v := range n.Values {
			item, err := fromAST(v, depth+1)
			if err != nil {
				return node{}, err
			}
			out.items = append(out.items, item)
		}
		return out, nil
	case *ast.LiteralNode:
		out.kind, out.quoted = scalar, true
		if n.Value != nil {
			out.text = n.Value.Value
		}
		return out, nil
	case *ast.StringNode:
		out.kind, out.text = scalar, n.Value
		out.quoted = n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		return out, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = scalar, strings.TrimSpace(n.GetToken().Value)
		return out, nil
	case *ast.AnchorNode, *ast.AliasNode:
		return refuse("an anchor or alias")
	case *ast.MergeKeyNode:
		return refuse("a merge key")
	case *ast.TagNode:
		return refuse("a tag")
	}
	return refuse(fmt.Sprintf("this form of YAML (%s)", n.Type()))
}

func mappingFrom(out node, values []*ast.MappingValueNode, flow bool, depth int) (node, error) {
	out.kind, out.flow = mapping, flow
	for i, v := range values {
		key, err := fromAST(v.Key, depth+1)
		if err != nil {
			return node{}, err
		}
		if key.kind != scalar {
			return node{}, &Error{Line: key.line, Column: key.col, Text: "a key that is not a plain word"}
		}
		value, err := fromAST(v.Value, depth+1)
		if err != nil {
			return node{}, err
		}
		if value.kind == null && value.line == 0 {
			value.line, value.col = key.line, key.col
		}
		if i == 0 && !flow {
			out.line, out.col = key.line, key.col
		}
		out.keys = append(out.keys, entry{key: key.text, line: key.line, col: key.col, value: value})
	}
	return out, nil
}
