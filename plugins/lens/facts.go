package lens

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type operandKind uint8

const (
	isConst operandKind = iota
	isSlot
	isFunc
	isPair // two variables with a dot between them
)

type operand struct {
	kind  operandKind
	value any
	slot  int
	fn    func(any) (any, bool)
	last  int // of a pair: the second variable
	pair  bool
}

type pathStep struct {
	name string
	keys []pathKey
}

type pathKey struct {
	name string
	operand
}

type verb uint8

const (
	exists verb = iota
	equals
	contains
	equalsAll
	containsVLAN
)

type fact struct {
	path     []pathStep // without the leaf
	verb     verb
	leaf     string
	value    operand
	block    int   // how many steps of path are those of the enclosing block's place
	group    int   // the same for the enclosing Each, or the block where there is none
	shared   int   // the same for the first fact of the row, where that must hold
	optional []int // slots that may be unbound; the fact then does not hold
	soft     bool  // has a function: never in the way of writing
}

// expand replaces "./" by the place of the enclosing block.
func expand(text, place string) string {
	if rest, ok := strings.CutPrefix(text, "./"); ok && place != "" {
		return place + "/" + rest
	}
	return text
}

// placeOf is the container or entry that a fact is about: the path without
// the leaf that it sets.
func placeOf(text string) string {
	end, depth := len(text), 0
	slash := -1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[':
			depth++
		case ']':
			depth--
		case '/':
			if depth == 0 {
				slash = i
			}
		case '=':
			if depth == 0 {
				end = i
			}
		}
		if end < len(text) {
			break
		}
	}
	if end == len(text) {
		return text
	}
	if slash < 0 {
		return ""
	}
	return text[:slash]
}

func (c *compiler) facts(text string, s scope, names map[string]int, optional map[int]bool, bind bool) ([]fact, error) {
	var out []fact
	for _, t := range strings.Fields(text) {
		f, err := c.fact(expand(t, s.place), names, bind)
		if err != nil {
			return nil, fmt.Errorf("fact %s: %w", t, err)
		}
		f.block, f.group = within(f.path, s.block), within(f.path, s.group)
		for _, o := range f.operands() {
			if o.kind != isConst && optional[o.slot] {
				f.optional = append(f.optional, o.slot)
			}
			if (o.kind == isPair || o.pair) && optional[o.last] {
				f.optional = append(f.optional, o.last)
			}
			f.soft = f.soft || o.kind == isFunc
		}
		if f.soft {
			schema := ""
			for _, step := range f.path {
				schema += "/" + step.name
			}
			c.l.soft[schema+"/"+f.leaf] = true
		}
		if f.verb == equalsAll || f.verb == containsVLAN {
			c.list(&f)
		}
		out = append(out, f)
	}
	// Facts that must hold are solved first, so that they bind what the
	// optional ones look for.
	slices.SortStableFunc(out, func(a, b fact) int { return a.late() - b.late() })
	for i := range out {
		if i > 0 && out[0].late() == 0 {
			out[i].shared = within(out[i].path, out[0].path)
		}
	}
	return out, nil
}

// within returns the length of place if the path begins with it, else 0.
func within(path, place []pathStep) int {
	if len(path) < len(place) {
		return 0
	}
	for i, s := range place {
		if s.name != path[i].name || len(s.keys) != len(path[i].keys) {
			return 0
		}
		for j, k := range s.keys {
			o := path[i].keys[j]
			if k.name != o.name || k.kind != o.kind || k.kind == isFunc || k.slot != o.slot || k.last != o.last || k.value != o.value {
				return 0
			}
		}
	}
	return len(place)
}

// list notes the codec of a leaf-list that is written whole.
func (c *compiler) list(f *fact) {
	p := listPath{codec: c.ofSlot[f.value.slot], each: f.verb == containsVLAN}
	if p.each {
		ranges := c.codecs["vlans"]
		p.codec = &ranges
	}
	for _, s := range f.path {
		p.path = append(p.path, s.name)
	}
	if p.path = append(p.path, f.leaf); f.value.kind != isSlot || p.codec == nil {
		return
	}
	for _, have := range c.l.lists {
		if slices.Equal(have.path, p.path) {
			return
		}
	}
	c.l.lists = append(c.l.lists, p)
}

// late orders facts: 1 for those that need not hold.
func (f *fact) late() int {
	if len(f.optional) > 0 || f.soft {
		return 1
	}
	return 0
}

func (f *fact) operands() []operand {
	var out []operand
	for _, s := range f.path {
		for _, k := range s.keys {
			out = append(out, k.operand)
		}
	}
	if f.verb != exists {
		out = append(out, f.value)
	}
	return out
}

func (c *compiler) fact(text string, names map[string]int, bind bool) (fact, error) {
	var f fact
	schema := ""
	for text != "" {
		i := strings.IndexAny(text, "/[=+*~")
		if i < 0 {
			i = len(text)
		}
		step := pathStep{name: text[:i]}
		if step.name == "" || step.name == "." {
			return f, fmt.Errorf("bad path")
		}
		text = text[i:]
		for strings.HasPrefix(text, "[") {
			end := strings.IndexByte(text, ']')
			name, value, ok := strings.Cut(text[1:max(end, 1)], "=")
			if end < 0 || !ok {
				return f, fmt.Errorf("bad key")
			}
			o, err := c.operand(value, names, bind)
			if err != nil {
				return f, err
			}
			if o.kind == isSlot && c.l.hidden[o.slot] {
				c.l.secret[schema+"/"+step.name+"/"+name] = true
			}
			step.keys = append(step.keys, pathKey{name, o})
			text = text[end+1:]
		}
		for verb, sign := range map[verb]string{equals: "=", contains: "+=", equalsAll: "*=", containsVLAN: "~="} {
			if v, ok := strings.CutPrefix(text, sign); ok {
				o, err := c.operand(v, names, bind)
				f.verb, f.leaf, f.value = verb, step.name, o
				if err == nil && (len(f.path) == 0 || step.keys != nil) {
					err = fmt.Errorf("no leaf")
				}
				return f, err
			}
		}
		schema += "/" + step.name
		if step.keys != nil {
			var keys []string
			for _, k := range step.keys {
				keys = append(keys, k.name)
			}
			if have, ok := c.l.keys[schema]; ok && !slices.Equal(have, keys) {
				return f, fmt.Errorf("%s has keys %v in another row", schema, have)
			}
			c.l.keys[schema] = keys
		}
		f.path = append(f.path, step)
		if text = strings.TrimPrefix(text, "/"); text != "" && strings.ContainsAny(text[:1], "/+*=~") {
			return f, fmt.Errorf("bad path")
		}
	}
	return f, nil
}

var call = regexp.MustCompile(`^([a-z][\w-]*)\((\$\S+)\)$`)

func (c *compiler) operand(text string, names map[string]int, bind bool) (operand, error) {
	if m := call.FindStringSubmatch(text); m != nil {
		fn := c.l.table.Funcs[m[1]]
		if fn == nil {
			return operand{}, fmt.Errorf("no function %s", m[1])
		}
		o, err := c.operand(m[2], names, bind)
		o.pair, o.kind, o.fn = o.kind == isPair, isFunc, fn
		return o, err
	}
	if a, b, ok := strings.Cut(text, ".$"); ok {
		first, err := c.operand(a, names, bind)
		if err != nil {
			return operand{}, err
		}
		second, err := c.operand("$"+b, names, bind)
		if first.kind != isSlot || second.kind != isSlot {
			return operand{}, fmt.Errorf("a pair is of two variables")
		}
		return operand{kind: isPair, slot: first.slot, last: second.slot}, err
	}
	if name, ok := strings.CutPrefix(text, "$"); ok {
		s, ok := names[name]
		if !ok && !bind {
			return operand{}, fmt.Errorf("$%s is bound nowhere", name)
		}
		if !ok {
			s = c.slot(names, name)
		}
		return operand{kind: isSlot, slot: s}, nil
	}
	switch text {
	case "true", "false":
		return operand{value: text == "true"}, nil
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return operand{value: i}, nil
	}
	return operand{value: text}, nil
}
