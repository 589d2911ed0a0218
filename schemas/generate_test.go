package schemas

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// generator makes instance data of a schema, valid or nearly so, the same for
// the same seed.
type generator struct {
	r   *rand.Rand
	set *Set
	// pools are values that were given to leafs, for leafrefs to hit.
	pools map[*Node][]any
}

func newGenerator(set *Set, seed uint64) *generator {
	return &generator{r: rand.New(rand.NewPCG(seed, 1)), set: set, pools: make(map[*Node][]any)}
}

func (g *generator) chance(percent int) bool { return g.r.IntN(100) < percent }

func pickOf[T any](g *generator, s []T) T { return s[g.r.IntN(len(s))] }

// tree makes top-level data.
func (g *generator) tree() map[string]any {
	out := make(map[string]any)
	for _, n := range g.set.root.children {
		if n.config && g.chance(60) {
			g.node(out, n, 0)
		}
	}
	return out
}

func memberName(n *Node) string {
	if p := n.dataParent(); p != nil && p.module == n.module {
		return n.name
	}
	return n.module.Name + ":" + n.name
}

// node puts an instance of n into its parent's members.
func (g *generator) node(into map[string]any, n *Node, depth int) {
	switch n.kind {
	case KindChoice:
		if len(n.children) > 0 {
			g.node(into, pickOf(g, n.children), depth)
		}
	case KindCase:
		for _, k := range n.children {
			g.node(into, k, depth)
		}
	case KindContainer:
		c := make(map[string]any)
		g.children(c, n, depth)
		into[memberName(n)] = c
	case KindList:
		var list []any
		seen := make(map[string]bool)
		for range max(n.min, 1+g.r.IntN(3)) {
			e := make(map[string]any)
			g.children(e, n, depth)
			id := ""
			for _, k := range n.keys {
				id += fmt.Sprint(e[memberName(k)]) + "|"
			}
			if !seen[id] {
				seen[id] = true
				list = append(list, e)
			}
		}
		into[memberName(n)] = list
	case KindLeafList:
		var list []any
		for range max(n.min, 1+g.r.IntN(3)) {
			if v := g.value(n, n.typ, 0); !slices.ContainsFunc(list, func(x any) bool { return fmt.Sprint(x) == fmt.Sprint(v) }) {
				list = append(list, v)
			}
		}
		into[memberName(n)] = list
	case KindLeaf:
		into[memberName(n)] = g.value(n, n.typ, 0)
	}
}

func (g *generator) children(into map[string]any, n *Node, depth int) {
	for _, k := range n.children {
		if !k.config || depth > 12 {
			continue
		}
		if k.keyIndex > 0 || k.demands() != nil || g.chance(35) {
			g.node(into, k, depth+1)
		}
	}
}

// candidates are strings of which most types of the modules accept some.
func candidates() []string {
	return []string{"a", "eth0", "Ethernet1", "10.0.0.1", "192.168.1.254", "10.1.0.0/16", "10.1.2.3/8", "0.0.0.0/0", "2001:db8::1", "2001:DB8:0:0::A", "fe80::1%eth0",
		"2001:db8::/32", "2001:db8::1/64", "::/0", "65000:1", "00:11:22:AA:bb:cc", "5", "0", "4294967295", "10-20", "r1", "r1.example.net", "default", "MGMT", "any", "none",
		"two words", "", " ", "ä", "line\nbreak", "net.ipv4.ip_forward", "0.0.0.10", "300.1.1.1", "10.0.0.1/33", "x:y", "quote'", `both"'`}
}

// value makes a value that JSON carries, most of the time one of the type.
func (g *generator) value(n *Node, t *Type, depth int) any {
	v := g.rawValue(n, t, depth)
	if n.leafy() && g.chance(50) {
		g.pools[n] = append(g.pools[n], v)
	}
	return v
}

func (g *generator) rawValue(n *Node, t *Type, depth int) any {
	switch b := t.Base; {
	case b.integer():
		s := pickOf(g, t.ranges)
		bound := pickOf(g, []number{s.lo, s.hi, s.lo.next()})
		if !t.ranges.has(bound) {
			bound = s.lo
		}
		if g.chance(50) && s.hi.abs > 2 && !s.lo.neg {
			bound = number{abs: s.lo.abs + g.r.Uint64N(min(s.hi.abs-s.lo.abs, 1000)+1)}
		}
		if b == BaseInt64 || b == BaseUint64 {
			return bound.text(0)
		}
		return json.Number(bound.text(0))
	case b == BaseDecimal64:
		return pickOf(g, t.ranges).lo.text(t.digits)
	case b == BaseBoolean:
		return g.chance(50)
	case b == BaseEmpty:
		return []any{nil}
	case b == BaseEnumeration:
		return pickOf(g, slices.Sorted(maps.Keys(t.enumAt)))
	case b == BaseBits:
		var bits []string
		for _, e := range t.enums {
			if !e.off && g.chance(50) {
				bits = append(bits, e.name)
			}
		}
		g.r.Shuffle(len(bits), func(i, j int) { bits[i], bits[j] = bits[j], bits[i] })
		return strings.Join(bits, " ")
	case b == BaseIdentityref:
		names := slices.Sorted(maps.Keys(g.set.idents))
		g.r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if i := g.set.idents[name]; !i.off && !slices.ContainsFunc(t.bases, func(b *Identity) bool { return !i.up[b.String()] }) {
				return name
			}
		}
	case b == BaseLeafref:
		if r := n.refs[t]; r != nil && depth < 5 {
			if pool := g.pools[r.target]; len(pool) > 0 && g.chance(90) {
				return pickOf(g, pool)
			}
			return g.rawValue(r.target, r.target.typ, depth+1)
		}
	case b == BaseUnion:
		if depth < 5 {
			return g.rawValue(n, pickOf(g, t.members), depth+1)
		}
	case b == BaseBinary:
		return "AAEC"
	case b == BaseString:
		all := candidates()
		for range 100 {
			s := pickOf(g, all)
			if _, err := (&reading{set: g.set, node: n, hint: hintString}).read(t, s); err == nil {
				return s
			}
		}
	}
	return "x" + strconv.Itoa(g.r.IntN(10))
}

// mutate breaks data in one of many ways; some leave it valid.
func (g *generator) mutate(data map[string]any) {
	var objects []map[string]any
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			objects = append(objects, v)
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(v[k])
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(data)
	o := pickOf(g, objects)
	keys := slices.Sorted(maps.Keys(o))
	if len(keys) == 0 {
		o["nothing"] = "x"
		return
	}
	k := pickOf(g, keys)
	switch g.r.IntN(9) {
	case 0:
		delete(o, k)
	case 1:
		o[k] = pickOf(g, candidates())
	case 2:
		o[k] = json.Number(pickOf(g, []string{"0", "-1", "1", "255", "256", "65536", "4294967296", "4095", "33", "129"}))
	case 3:
		if list, ok := o[k].([]any); ok && len(list) > 0 {
			o[k] = append(list, deepCopy(list[0]))
		} else {
			o[k+"x"] = deepCopy(o[k])
		}
	case 4:
		if list, ok := o[k].([]any); ok && len(list) > 0 {
			list = slices.Clone(list)
			g.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			o[k] = list
		} else {
			o[k] = g.chance(50)
		}
	case 5:
		v := o[k]
		delete(o, k)
		o["cfgvault-types:"+k] = v
	case 6:
		if s, ok := o[k].(string); ok {
			o[k] = pickOf(g, []string{s + " ", strings.ToUpper(s), s + "0", strings.TrimSuffix(s, "1"), "0" + s})
		} else {
			o[k] = []any{o[k]}
		}
	case 7:
		from := pickOf(g, objects)
		for _, f := range slices.Sorted(maps.Keys(from)) {
			if _, is := from[f].(map[string]any); !is {
				o[f] = deepCopy(from[f])
				break
			}
		}
	case 8:
		o[k] = pickOf(g, []any{map[string]any{}, []any{}, nil, "", true})
	}
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = deepCopy(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = deepCopy(e)
		}
		return out
	}
	return v
}
