package lens

import (
	"bytes"
	"encoding/json"
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
	name string           // of a member; the key values of an entry; the value of a leaf-list's leaf
	kids []*node          // members, the keys of an entry first; entries of a list; one leaf for each value of a leaf-list
	by   map[string]*node // kids by name; nil while there are few
	val  any              // leaf: string, int64, bool, or nil for YANG's empty
	kind kind
	used bool  // written
	own  uint8 // entry: how many of kids are its keys
}

// few is how many kids are looked up one by one.
const few = 8

// arena hands out the nodes of one tree, which live and die together, many at
// a time.
type arena struct {
	nodes []node
	kids  []*node
	keys  []*node // the last of each place
	made  int     // as many as are printed
}

// slab is how many nodes an arena takes at once.
const slab = 128

func (a *arena) node(name string, k kind, val any) *node {
	if len(a.nodes) == 0 {
		a.nodes = make([]node, min(slab, 8+a.made))
	}
	n := &a.nodes[0]
	a.nodes = a.nodes[1:]
	a.made++
	n.name, n.kind, n.val = name, k, val
	return n
}

// room is an empty slice with room for the members that most nodes have.
func (a *arena) room() []*node { return a.roomFor(4) }

func (a *arena) roomFor(members int) []*node {
	if len(a.kids) < members {
		a.kids = make([]*node, min(slab*members, 8+a.made))
	}
	out := a.kids[:0:members]
	a.kids = a.kids[members:]
	return out
}

func (n *node) find(name string) *node {
	if n.by != nil {
		return n.by[name]
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// findKeys returns the entry of a list that bound keys name, or nil; false if
// a key is unbound.
func (n *node) findKeys(keys []pathKey, env []any) (*node, bool) {
	var room [80]byte
	handle := room[:0]
	for j := range keys {
		v, ok := keys[j].eval(env)
		if !ok {
			return nil, false
		}
		if s, ok := v.(string); ok && len(keys) == 1 {
			return n.find(s), true
		}
		if j > 0 {
			handle = append(handle, 0)
		}
		handle = appendLexical(handle, v)
	}
	if n.by != nil {
		return n.by[string(handle)], true
	}
	for _, k := range n.kids {
		if k.name == string(handle) {
			return k, true
		}
	}
	return nil, true
}

// add makes a node below n.
func (a *arena) add(n *node, name string, kind kind, val any) *node {
	k := a.node(name, kind, val)
	a.attach(n, k)
	return k
}

// key adds a key to an entry that has no other members yet. Of entries that
// are made one after the other most keys are the same, and nothing but its
// value is asked of a key: they share one node.
func (a *arena) key(e *node, name string, val any) {
	at := int(e.own)
	if at == len(a.keys) {
		a.keys = append(a.keys, nil)
	}
	k := a.keys[at]
	if k == nil || k.name != name || k.val != val {
		k = a.node(name, leaf, val)
		a.keys[at] = k
	} else {
		a.made++
	}
	a.attach(e, k)
	e.own++
}

// attach puts a node below n.
func (a *arena) attach(n, k *node) {
	if n.kids == nil {
		n.kids = a.room()
	}
	n.kids = append(n.kids, k)
	switch {
	case n.by != nil:
		n.by[k.name] = k
	case len(n.kids) > few:
		n.by = make(map[string]*node, 4*few)
		for _, k := range n.kids {
			n.by[k.name] = k
		}
	}
}

// keys returns the keys of an entry.
func (n *node) keys() []Key {
	out := make([]Key, n.own)
	for i, k := range n.kids[:n.own] {
		out[i] = Key{k.name, k.val}
	}
	return out
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
	if s, ok := v.(string); ok {
		return s
	}
	return string(appendLexical(nil, v))
}

func appendLexical(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(b, v...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	case json.Number:
		return append(b, v...)
	}
	return b
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

// make returns the node at a path of containers and entries below n, and
// creates what is missing.
func (a *arena) make(n *node, path []Step) *node {
	for _, s := range path {
		k := n.find(s.Name)
		if s.Keys == nil {
			if k == nil {
				k = a.add(n, s.Name, container, nil)
			}
			n = k
			continue
		}
		if k == nil {
			k = a.add(n, s.Name, list, nil)
		}
		handle := keyOf(s.Keys)
		e := k.find(handle)
		if e == nil {
			e = a.add(k, handle, entry, nil)
			for _, key := range s.Keys {
				a.key(e, key.Name, key.Value)
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
	for _, k := range n.kids[:n.own] {
		if k.name == name {
			return true
		}
	}
	return false
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
	if rest := members[n.own:]; !slices.IsSortedFunc(rest, byName) {
		members = slices.Clone(members)
		slices.SortStableFunc(members[n.own:], byName)
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

func byName(x, y *node) int { return strings.Compare(x.name, y.name) }

func appendScalar(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "[null]"...)
	case string:
		return appendString(b, v)
	}
	return appendLexical(b, v)
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
		root.eachList(p.path, func(k *node) { k.canonicalList(p.codec) })
	}
}

// expandLists puts each VLAN in the place of a range, in the leaf-lists that
// are written one by one.
func (l *Lens) expandLists(root *node) {
	for _, p := range l.lists {
		if p.each {
			root.eachList(p.path, (*node).expandList)
		}
	}
}

// eachList calls f for each leaf-list of a schema path.
func (n *node) eachList(path []string, f func(*node)) {
	if n.kind == list {
		for _, e := range n.kids {
			e.eachList(path, f)
		}
		return
	}
	k := n.find(path[0])
	switch {
	case k == nil:
	case len(path) > 1:
		k.eachList(path[1:], f)
	case k.kind == leafList:
		f(k)
	}
}

func (n *node) expandList() {
	var out []any
	for _, v := range n.values() {
		if all := Expand([]any{v}); len(all) > 1 {
			out = append(out, all...)
		} else {
			out = append(out, v)
		}
	}
	var a arena
	n.kids, n.by = nil, nil
	for _, v := range out {
		if s := lexical(v); n.find(s) == nil {
			a.add(n, s, leaf, v)
		}
	}
}

func (k *node) canonicalList(c *Codec) {
	if len(k.kids) < 2 {
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
	var a arena
	k.kids, k.by = nil, nil
	for _, v := range entries {
		a.add(k, lexical(v), leaf, v)
	}
}
