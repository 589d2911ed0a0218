package schemas

import (
	"fmt"
	"strconv"
	"strings"
)

// instancePath is an instance-identifier (RFC 7950 §9.13) bound to a schema.
type instancePath []pathStep

type pathStep struct {
	node  *Node
	keys  []string // canonical key values, or the one value of a leaf-list entry
	index int      // [n], from 1; 0 if there is none
}

// String returns the canonical form: module names only where they change.
func (p instancePath) String() string {
	var b strings.Builder
	var module *Module
	for _, s := range p {
		b.WriteByte('/')
		if s.node.module != module {
			b.WriteString(s.node.module.Name + ":")
			module = s.node.module
		}
		b.WriteString(s.node.name)
		switch {
		case s.index > 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		case s.node.kind == KindLeafList && s.keys != nil:
			b.WriteString("[.=" + quotePath(s.keys[0]) + "]")
		default:
			for i, v := range s.keys {
				b.WriteString("[" + s.node.keys[i].name + "=" + quotePath(v) + "]")
			}
		}
	}
	return b.String()
}

// parsePath reads an instance path. module resolves prefixes; the empty prefix
// inherits the module of the step before. open also allows list steps without
// predicates or by position, for selecting.
func (s *Set) parsePath(text string, module func(string) (string, bool), open bool) (instancePath, error) {
	return s.instancePath(text, module, open, prefixAny)
}

// prefixing says which names of an instance path have prefixes.
type prefixing int8

const (
	prefixAny     prefixing = iota
	prefixAll               // each, as in XML (§9.13.2)
	prefixChanges           // those whose module is not that of the parent, as in JSON (RFC 7951 §6.11)
)

// check reports whether a name is written as it must be.
func (p prefixing) check(ref string, n, parent *Node) error {
	has := strings.Contains(ref, ":")
	switch {
	case p == prefixAll && !has:
		return fmt.Errorf("the name %q has no prefix", clip(ref))
	case p == prefixChanges && has && n.module == parent.module:
		return fmt.Errorf("the name %q has a prefix, although its module is that of the node before", clip(ref))
	}
	return nil
}

// instancePath is parsePath with a rule for prefixes.
func (s *Set) instancePath(text string, module func(string) (string, bool), open bool, prefixed prefixing) (instancePath, error) {
	rest := text
	if !strings.HasPrefix(rest, "/") {
		return nil, fmt.Errorf("it does not begin with a slash")
	}
	at := s.root
	var out instancePath
	for rest != "" {
		if rest[0] != '/' || len(out) > maxNodeDepth {
			return nil, fmt.Errorf("a slash is missing before %q", clip(rest))
		}
		rest = rest[1:]
		end := strings.IndexAny(rest, "/[")
		if end < 0 {
			end = len(rest)
		}
		n, err := s.stepNode(at, rest[:end], module)
		if err != nil {
			return nil, err
		}
		if err := prefixed.check(rest[:end], n, at); err != nil {
			return nil, err
		}
		step := pathStep{node: n}
		rest = rest[end:]
		values := make([]string, len(n.keys))
		given := 0
		for strings.HasPrefix(rest, "[") {
			if rest, err = s.predicate(&step, rest[1:], values, &given, module, prefixed); err != nil {
				return nil, err
			}
		}
		switch {
		case open:
		case step.index > 0 && (given > 0 || len(n.keys) > 0 || n.kind == KindLeafList && (n.config || step.keys != nil)):
			return nil, fmt.Errorf("%s %s is not identified by a position", n.kind, n.name)
		case n.kind == KindLeafList && step.index == 0 && step.keys == nil:
			return nil, fmt.Errorf("leaf-list %s needs a value: [.='…']", n.name)
		}
		if n.kind == KindList && step.index == 0 {
			if given != len(n.keys) && !(open && given == 0) || len(n.keys) == 0 && !open {
				return nil, fmt.Errorf("list %s needs its keys: %s", n.name, strings.Join(n.Keys(), ", "))
			}
			if given > 0 {
				step.keys = values
			}
		}
		out = append(out, step)
		at = n
	}
	return out, nil
}

func (s *Set) stepNode(at *Node, ref string, module func(string) (string, bool)) (*Node, error) {
	prefix, local, ok := strings.Cut(ref, ":")
	mod := at.ModuleName()
	if ok {
		if mod, ok = module(prefix); !ok {
			return nil, fmt.Errorf("there is no module for %q", clip(prefix))
		}
	} else {
		local = ref
		if at.kind == KindRoot {
			if own, ok := module(""); ok {
				mod = own
			}
		}
	}
	n := at.kids[name{mod, local}]
	if n == nil {
		return nil, fmt.Errorf("there is no node %q in %s", clip(ref), where(at))
	}
	return n, nil
}

// predicate reads what follows an opening bracket: a key, the value of a
// leaf-list entry, or a position.
func (s *Set) predicate(step *pathStep, rest string, values []string, given *int, module func(string) (string, bool), prefixed prefixing) (string, error) {
	rest = strings.TrimLeft(rest, " \t")
	n := step.node
	if rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		digits, after, ok := strings.Cut(rest, "]")
		i, err := strconv.Atoi(strings.TrimRight(digits, " \t"))
		if !ok || err != nil || i < 1 || n.kind != KindList && n.kind != KindLeafList {
			return "", fmt.Errorf("%q is not a position", clip(digits))
		}
		step.index = i
		return after, nil
	}
	key, after, ok := strings.Cut(rest, "=")
	after = strings.TrimLeft(after, " \t")
	if !ok || after == "" || after[0] != '\'' && after[0] != '"' {
		return "", fmt.Errorf("a predicate is malformed")
	}
	end := strings.IndexByte(after[1:], after[0])
	if end < 0 {
		return "", fmt.Errorf("a closing quote is missing")
	}
	val := after[1 : end+1]
	rest, ok = strings.CutPrefix(strings.TrimLeft(after[end+2:], " \t"), "]")
	if !ok {
		return "", fmt.Errorf("a closing bracket is missing")
	}
	if key = strings.TrimSpace(key); key == "." {
		if n.kind != KindLeafList || step.keys != nil {
			return "", fmt.Errorf("%s is not a leaf-list", n.name)
		}
		v, err := (&reading{set: s, node: n, module: module, hide: n.secret}).read(n.typ, val)
		if err != nil {
			return "", err
		}
		step.keys = []string{v.text}
		return rest, nil
	}
	if n.kind != KindList {
		return "", fmt.Errorf("%s is not a list", n.name)
	}
	k, err := s.stepNode(n, key, module)
	if err != nil {
		return "", err
	}
	if err := prefixed.check(key, k, n); err != nil {
		return "", err
	}
	if k.keyIndex == 0 || values[k.keyIndex-1] != "" {
		return "", fmt.Errorf("%q is not a key of %s, or is there twice", clip(key), n.name)
	}
	v, bad := (&reading{set: s, node: k, module: module, hide: k.secret}).read(k.typ, val)
	if bad != nil {
		return "", bad
	}
	values[k.keyIndex-1] = v.text
	*given++
	return rest, nil
}

// unprefixed reports whether a name in an instance path has no prefix.
func unprefixed(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'', '"':
			n := strings.IndexByte(s[i+1:], s[i])
			if n < 0 {
				return false
			}
			i += n + 1
		case '/', '[':
			rest := strings.TrimLeft(s[i+1:], " \t")
			end := strings.IndexAny(rest, "/[]=: \t")
			if end >= 0 && (rest[end] == ':' || rest[:end] == ".") || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
				continue
			}
			return true
		}
	}
	return false
}

// find returns the items that a path leads to.
func (it *item) find(p instancePath, lookup func(*item, *Node) []*item) []*item {
	at := []*item{it}
	for _, s := range p {
		var next []*item
		for _, up := range at {
			for i, k := range lookup(up, s.node) {
				if s.matches(k, i) {
					next = append(next, k)
				}
			}
		}
		at = next
	}
	return at
}

func (s pathStep) matches(k *item, i int) bool {
	switch {
	case s.index > 0:
		return i+1 == s.index
	case s.keys == nil:
		return true
	case s.node.kind == KindLeafList:
		return k.val.text == s.keys[0]
	}
	for j, key := range k.keys {
		if key == nil || key.val.text != s.keys[j] {
			return false
		}
	}
	return true
}

// Get returns the leaves at or below an instance path, whose list steps may
// leave their predicates out to mean all entries. It fails if the schema has
// no such path.
func (t *Tree) Get(path string) ([]Leaf, error) {
	found, err := t.find(path)
	if err != nil {
		return nil, err
	}
	var out []Leaf
	for _, it := range found {
		(&Tree{set: t.set, root: it}).Leaves(func(l Leaf) bool {
			out = append(out, l)
			return true
		})
	}
	return out, nil
}
