package lens

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The tree in memory: RFC 7951 data without a schema. Which lists have which
// keys is known from the paths of the table.

type kind uint8

const (
	container kind = iota
	list
	entry
	leaf
	leafList
)

type node struct {
	name string
	kind kind
	kids []*node          // members; entries of a list; one leaf for each value of a leaf-list
	by   map[string]*node // kids by name or key; nil while there are few
	val  any              // leaf: string, int64, bool, or nil for YANG's empty
	key  string           // entry: its key values
	keys []Key            // entry: its keys
	used bool             // written
}

// few is how many kids are looked up one by one.
const few = 8

func (n *node) handle() string {
	if n.kind == entry {
		return n.key
	}
	return n.name
}

func (n *node) find(handle string) *node {
	if n.by != nil {
		return n.by[handle]
	}
	for _, k := range n.kids {
		if k.handle() == handle {
			return k
		}
	}
	return nil
}

func (n *node) add(k *node) *node {
	n.kids = append(n.kids, k)
	switch {
	case n.by != nil:
		n.by[k.handle()] = k
	case len(n.kids) > few:
		n.by = make(map[string]*node, 4*few)
		for _, k := range n.kids {
			n.by[k.handle()] = k
		}
	}
	return k
}

// keyOf is the handle of a list entry.
func keyOf(keys []Key) string {
	if len(keys) == 1 {
		return lexical(keys[0].Value)
	}
	var b strings.Builder
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(0)
		}
		b.WriteString(lexical(k.Value))
	}
	return b.String()
}

func lexical(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// at returns the node at a path, or nil.
func (n *node) at(path []Step) *node {
	for _, s := range path {
		if n = n.find(s.Name); n == nil {
			return nil
		}
		if s.Keys != nil {
			if n = n.find(keyOf(s.Keys)); n == nil {
				return nil
			}
		}
	}
	return n
}

// make returns the node at a path of containers and entries, and creates what
// is missing.
func (n *node) make(path []Step) *node {
	for _, s := range path {
		k := n.find(s.Name)
		if s.Keys == nil {
			if k == nil {
				k = n.add(&node{name: s.Name, kind: container})
			}
			n = k
			continue
		}
		if k == nil {
			k = n.add(&node{name: s.Name, kind: list})
		}
		handle := keyOf(s.Keys)
		e := k.find(handle)
		if e == nil {
			e = k.add(&node{name: s.Name, kind: entry, key: handle, keys: slices.Clone(s.Keys)})
			for _, key := range e.keys {
				e.add(&node{name: key.Name, kind: leaf, val: key.Value})
			}
		}
		n = e
	}
	return n
}

// values returns the values of a leaf-list.
func (n *node) values() []any {
	out := make([]any, len(n.kids))
	for i, k := range n.kids {
		out[i] = k.val
	}
	return out
}

func (n *node) isKey(name string) bool {
	for _, k := range n.keys {
		if k.Name == name {
			return true
		}
	}
	return false
}

// schema of lists: schema path, keys left out, to names of keys.
type keyNames map[string][]string

// parseTree reads RFC 7951 JSON.
func parseTree(data []byte, names keyNames) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read tree: not a JSON object")
	}
	root := &node{kind: container}
	if err := fill(root, o, names, ""); err != nil {
		return nil, err
	}
	return root, nil
}

func fill(n *node, o map[string]any, names keyNames, path string) error {
	members := make([]string, 0, len(o))
	for m := range o {
		members = append(members, m)
	}
	slices.Sort(members)
	for _, m := range members {
		at := path + "/" + m
		switch v := o[m].(type) {
		case map[string]any:
			if err := fill(n.add(&node{name: m, kind: container}), v, names, at); err != nil {
				return err
			}
		case []any:
			if err := fillArray(n, m, v, names, at); err != nil {
				return err
			}
		default:
			n.add(&node{name: m, kind: leaf, val: scalar(v)})
		}
	}
	return nil
}

func fillArray(n *node, m string, a []any, names keyNames, at string) error {
	if len(a) == 1 && a[0] == nil {
		n.add(&node{name: m, kind: leaf})
		return nil
	}
	l := n.add(&node{name: m, kind: leafList})
	for i, v := range a {
		switch v := v.(type) {
		case map[string]any:
			l.kind = list
			e := &node{name: m, kind: entry}
			for _, k := range names[at] {
				kv, ok := v[k]
				if !ok {
					return fmt.Errorf("read tree: %s: entry %d has no key %q", at, i+1, k)
				}
				e.keys = append(e.keys, Key{k, scalar(kv)})
			}
			if e.key = keyOf(e.keys); e.keys == nil {
				e.key = strconv.Itoa(i + 1)
			}
			if l.find(e.key) != nil {
				return fmt.Errorf("read tree: %s: two entries with one key", at)
			}
			if err := fill(e, v, names, at); err != nil {
				return err
			}
			l.add(e)
		case []any:
			return fmt.Errorf("read tree: %s: array in an array", at)
		default:
			s := scalar(v)
			l.add(&node{name: lexical(s), kind: leaf, val: s})
		}
	}
	for _, e := range l.kids {
		if (e.kind == entry) != (l.kind == list) {
			return fmt.Errorf("read tree: %s: values among list entries", at)
		}
	}
	return nil
}

func scalar(v any) any {
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	return v
}

// appendJSON prints the tree: keys first, other members by name, lists in
// their order, no empty containers but for presence.
func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case leaf:
		return appendScalar(b, n.val)
	case list, leafList:
		b = append(b, '[')
		for i, k := range n.kids {
			if i > 0 {
				b = append(b, ',')
			}
			b = k.appendJSON(b)
		}
		return append(b, ']')
	}
	members := n.kids
	if !slices.IsSortedFunc(members, n.before) {
		members = slices.Clone(members)
		slices.SortStableFunc(members, n.before)
	}
	b = append(b, '{')
	for i, k := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k.name)
		b = append(b, ':')
		b = k.appendJSON(b)
	}
	return append(b, '}')
}

// before orders members: keys as they are, then the others by name.
func (n *node) before(x, y *node) int {
	xk, yk := n.isKey(x.name), n.isKey(y.name)
	switch {
	case xk && yk:
		return 0
	case xk:
		return -1
	case yk:
		return 1
	}
	return strings.Compare(x.name, y.name)
}

func appendScalar(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "[null]"...)
	case string:
		return appendString(b, v)
	}
	return append(b, lexical(v)...)
}

func appendString(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(b, `""`...) // a string always encodes
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// canonicalLists brings the leaf-lists that have a canonical form of their own
// into it: "1", "2" and "3" become "1-3".
func (l *Lens) canonicalLists(root *node) {
	for _, p := range l.lists {
		root.canonicalList(p.path, p.codec)
	}
}

func (n *node) canonicalList(path []string, c *Codec) {
	if n.kind == list {
		for _, e := range n.kids {
			e.canonicalList(path, c)
		}
		return
	}
	k := n.find(path[0])
	if k == nil {
		return
	}
	if len(path) > 1 {
		k.canonicalList(path[1:], c)
		return
	}
	if k.kind != leafList || len(k.kids) < 2 {
		return
	}
	text, ok := c.Write([]any{k.values()})
	if !ok {
		return
	}
	values, ok := c.Read(text)
	if !ok {
		return
	}
	entries, _ := values[0].([]any)
	k.kids, k.by = nil, nil
	for _, v := range entries {
		k.add(&node{name: lexical(v), kind: leaf, val: v})
	}
}
