package schemas

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// site is a member of generated data and the schema node it is an instance of.
type site struct {
	in   map[string]any
	key  string
	node *Node
}

// sites lists the members of data that the schema knows, in a fixed order.
func (g *generator) sites(data map[string]any) []site {
	var out []site
	var walk func(o map[string]any, n *Node)
	walk = func(o map[string]any, n *Node) {
		for _, k := range slices.Sorted(maps.Keys(o)) {
			module, local, ok := strings.Cut(k, ":")
			if !ok {
				module, local = n.ModuleName(), k
			}
			c := n.kids[name{module, local}]
			if c == nil {
				continue
			}
			out = append(out, site{o, k, c})
			switch v := o[k].(type) {
			case map[string]any:
				walk(v, c)
			case []any:
				for _, e := range v {
					if e, ok := e.(map[string]any); ok {
						walk(e, c)
					}
				}
			}
		}
	}
	walk(data, g.set.root)
	return out
}

// breakRule changes data so that a rule of its schema is likely broken. It
// returns what it did.
func (g *generator) breakRule(data map[string]any) string {
	all := g.sites(data)
	if len(all) == 0 {
		return "nothing"
	}
	var fit []site
	pick := func(want func(n *Node) bool) bool {
		fit = fit[:0]
		for _, s := range all {
			if want(s.node) {
				fit = append(fit, s)
			}
		}
		return len(fit) > 0
	}
	kind := func(kinds ...Kind) func(n *Node) bool {
		return func(n *Node) bool { return slices.Contains(kinds, n.kind) }
	}
	base := func(bases ...Base) func(n *Node) bool {
		return func(n *Node) bool { return n.kind == KindLeaf && slices.Contains(bases, n.typ.Base) }
	}
	set := func(v any) {
		s := pickOf(g, fit)
		s.in[s.key] = v
	}
	switch what := g.r.IntN(20); what {
	case 0:
		if pick(func(n *Node) bool { return n.mandatory || n.keyIndex > 0 || n.min > 0 }) {
			s := pickOf(g, fit)
			delete(s.in, s.key)
			return "drop what is mandatory"
		}
	case 1:
		if pick(kind(KindList)) {
			s := pickOf(g, fit)
			if list, ok := s.in[s.key].([]any); ok && len(list) > 0 {
				s.in[s.key] = append(slices.Clone(list), deepCopy(pickOf(g, list)))
				return "duplicate an entry"
			}
		}
	case 2:
		if pick(func(n *Node) bool { return n.kind == KindLeaf && n.typ.Base.integer() }) {
			s := pickOf(g, fit)
			r := s.node.typ.ranges
			v := r[len(r)-1].hi.next().text(0)
			if g.chance(50) && !r[0].lo.neg && r[0].lo.abs > 0 {
				v = number{abs: r[0].lo.abs - 1}.text(0)
			}
			s.in[s.key] = json.Number(v)
			if b := s.node.typ.Base; b == BaseInt64 || b == BaseUint64 {
				s.in[s.key] = v
			}
			return "leave the range"
		}
	case 3:
		if pick(base(BaseLeafref)) {
			set(pickOf(g, []any{"nowhere", "eth99", "", 77}))
			return "dangle a reference"
		}
	case 4:
		if pick(base(BaseString)) {
			set(pickOf(g, []any{"", strings.Repeat("a", 300), "xylophone", "UPPER", "a b", "ä"}))
			return "another string"
		}
	case 5:
		if pick(base(BaseEnumeration, BaseBits)) {
			set(pickOf(g, []any{"never", "low", "up up", "up mirror", "UP", "low ", ""}))
			return "another enum or bit"
		}
	case 6:
		if pick(base(BaseIdentityref)) {
			set(pickOf(g, []any{"kind", "other", "fast", "oracle:fast", "oracle-more:satellite", "satellite", "nowhere:fast", "oracle:kind"}))
			return "another identity"
		}
	case 7:
		s := pickOf(g, all)
		v := s.in[s.key]
		delete(s.in, s.key)
		_, local, ok := strings.Cut(s.key, ":")
		if !ok {
			local = s.key
		}
		s.in[pickOf(g, []string{"oracle-more:", "oracle:", "nowhere:", ""})+local] = v
		return "another namespace"
	case 8:
		if pick(func(n *Node) bool { return n.parent.kind == KindCase }) {
			s := pickOf(g, fit)
			choice := s.node.parent.parent
			g.node(s.in, pickOf(g, choice.children), 0)
			return "a second case"
		}
	case 9:
		if pick(kind(KindLeaf)) {
			set(pickOf(g, []any{true, json.Number("1"), json.Number("1.5"), "1", []any{nil}, []any{"x"}, map[string]any{}, nil, []any{}}))
			return "another JSON type"
		}
	case 10, 11:
		if pick(base(BaseBoolean, BaseIdentityref, BaseEnumeration, BaseEmpty)) {
			s := pickOf(g, fit)
			s.in[s.key] = g.value(s.node, s.node.typ, 0)
			return "another value that conditions see"
		}
	case 12:
		if pick(kind(KindLeaf, KindLeafList, KindContainer)) {
			s := pickOf(g, fit)
			delete(s.in, s.key)
			return "drop a node"
		}
	case 13:
		if pick(kind(KindContainer, KindList)) {
			s := pickOf(g, fit)
			into, ok := s.in[s.key].(map[string]any)
			if list, is := s.in[s.key].([]any); is && len(list) > 0 {
				into, ok = pickOf(g, list).(map[string]any)
			}
			if ok {
				for _, k := range s.node.children {
					if k.config && g.chance(50) {
						g.node(into, k, 3)
					}
				}
				return "more nodes"
			}
		}
	case 14:
		if pick(func(n *Node) bool { return n.kind == KindList && len(n.uniques) > 0 }) {
			s := pickOf(g, fit)
			if list, ok := s.in[s.key].([]any); ok && len(list) > 1 {
				from, _ := list[0].(map[string]any)
				to, ok := list[1].(map[string]any)
				if ok {
					for _, k := range slices.Sorted(maps.Keys(from)) {
						if k != s.node.keys[0].name {
							to[k] = deepCopy(from[k])
						}
					}
					return "the same values but for the key"
				}
			}
		}
	case 15:
		if pick(kind(KindList, KindLeafList)) {
			s := pickOf(g, fit)
			if list, ok := s.in[s.key].([]any); ok {
				list = slices.Clone(list)
				g.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
				s.in[s.key] = list
				return "another order"
			}
		}
	case 16:
		if pick(kind(KindLeafList)) {
			s := pickOf(g, fit)
			if list, ok := s.in[s.key].([]any); ok {
				for range 1 + g.r.IntN(4) {
					list = append(list, g.value(s.node, s.node.typ, 0))
				}
				s.in[s.key] = list
				return "more values"
			}
		}
	case 17:
		s := pickOf(g, all)
		s.in[s.key+"x"] = deepCopy(s.in[s.key])
		return "an unknown member"
	case 18:
		if pick(base(BaseDecimal64, BaseUnion, BaseBinary)) {
			set(pickOf(g, []any{"1.555", "100.01", "0.49", "1000", "auto", "67", json.Number("67"), json.Number("68"), "AAA", "AAAA", "AAAAAAAA", "any"}))
			return "another decimal, union or binary"
		}
	case 19:
		if into, ok := data["oracle:state"]; !ok || into == nil {
			data["oracle:state"] = map[string]any{"uptime": json.Number("5")}
			return "state"
		}
	}
	g.mutate(data)
	return "something"
}

// writeXML writes data as RFC 7950 XML: what is not data of the schema as well
// as it goes. Prefixes are the names of modules, all declared at the top.
func (g *generator) writeXML(b *strings.Builder, o map[string]any, n *Node, top bool) {
	keys := slices.Sorted(maps.Keys(o))
	if n != nil && n.kind == KindList {
		rank := func(k string) int {
			if c := n.kids[name{n.ModuleName(), k}]; c != nil && c.keyIndex > 0 {
				return c.keyIndex
			}
			return len(n.keys) + 1
		}
		slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
	}
	space := func(module string) string {
		if m := g.set.byName[module]; m != nil {
			return m.Namespace
		}
		return "urn:unknown:" + module
	}
	for _, k := range keys {
		module, local, ok := strings.Cut(k, ":")
		if !ok {
			module, local = n.ModuleName(), k
		}
		var c *Node
		if n != nil {
			c = n.kids[name{module, local}]
		}
		values, many := o[k].([]any)
		if !many {
			values = []any{o[k]}
		}
		for _, v := range values {
			fmt.Fprintf(b, "<%s xmlns=%q", local, space(module))
			if top {
				for _, m := range g.set.modules {
					fmt.Fprintf(b, " xmlns:%s=%q", m.Name, m.Namespace)
				}
			}
			b.WriteString(">")
			switch v := v.(type) {
			case map[string]any:
				if c == nil {
					c = &Node{module: &Module{Name: module, Namespace: space(module)}}
				}
				g.writeXML(b, v, c, false)
			case nil:
			case string:
				b.WriteString(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(v))
			default:
				fmt.Fprint(b, v)
			}
			fmt.Fprintf(b, "</%s>", local)
		}
	}
}
