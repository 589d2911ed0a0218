package lens

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Lens is a compiled table. It is safe for concurrent use.
type Lens struct {
	table  Table
	rows   []*row // outermost
	any    map[string][]*row
	top    map[string][]*row
	lines  []lineRule
	slots  int
	given  map[string]int
	keys   keyNames
	secret map[string]bool // schema path of a key leaf whose value is a secret
	hidden map[int]bool    // slots that secrets are bound to
	soft   map[string]bool // schema paths of leaves that functions derive
	lists  []listPath
	vocab  map[string]bool
}

// listPath is a leaf-list that one statement writes whole, by a codec that
// knows its canonical form.
type listPath struct {
	path  []string
	codec *Codec
}

type lineRule struct {
	Rule
	re *regexp.Regexp
}

type row struct {
	Row
	ops   []op
	set   []fact
	cond  []fact
	not   []fact
	kids  []*row
	index map[string][]*row // kids by first word, groups opened up
	body  int               // slot, or -1
	opens bool              // a block with something to write in it

	fixed     []fixedWord
	place     []pathStep   // what the rows below are about; nil where that is what this row is about
	given     []int        // slots of Given that the facts need
	inherited map[int]bool // slots that the headings around it have bound
}

// fixedWord is a literal word that stands at a known place of the statement:
// most rows are refused by it before anything is bound.
type fixedWord struct {
	at   int
	text string
}

func fixedWords(ops []op) []fixedWord {
	var out []fixedWord
	for i, o := range ops {
		switch {
		case o.code == opWord:
			out = append(out, fixedWord{i, o.text})
		case o.code != opVar || o.codec.Words != 0 && o.codec.Words != 1:
			return out
		}
	}
	return out
}

type opCode uint8

const (
	opWord opCode = iota // a literal word
	opVar                // a word read by a codec
	opFlag               // an optional literal word, bound to true
	opSkip               // try what follows, else go on at to
)

type op struct {
	code  opCode
	text  string // opWord, opFlag: the word; opVar: the word that stands for no value
	codec *Codec
	slots []int // of the parts; -1 is forgotten
	to    int   // opSkip: where the group ends
}

type operandKind uint8

const (
	isConst operandKind = iota
	isSlot
	isFunc
)

type operand struct {
	kind  operandKind
	value any
	slot  int
	fn    func(any) (any, bool)
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
)

type fact struct {
	path     []pathStep // without the leaf
	verb     verb
	leaf     string
	value    operand
	block    int   // how many steps of path are those of the enclosing block's place
	group    int   // the same for the enclosing Each, or the block where there is none
	optional []int // slots that may be unbound; the fact then does not hold
	soft     bool  // has a function: never in the way of writing
}

// scope is what a row inherits from the rows around it.
type scope struct {
	names map[string]int // variables of the headings and groups around it
	bound map[int]bool   // those of headings only: reading binds nothing for a group
	place string         // what "./" stands for
	block []pathStep     // place as a path
	group []pathStep     // the path of the nearest Each, or block
}

type compiler struct {
	l      *Lens
	codecs map[string]Codec
	ofSlot map[int]*Codec
}

// Compile turns a table into a lens. The error names the row that is wrong.
func Compile(t Table) (*Lens, error) {
	c := &compiler{
		l: &Lens{
			table: t, keys: keyNames{}, secret: map[string]bool{}, hidden: map[int]bool{}, soft: map[string]bool{}, vocab: map[string]bool{},
		},
		codecs: Builtin(),
		ofSlot: map[int]*Codec{},
	}
	for name, codec := range t.Codecs {
		c.codecs[name] = codec
	}
	for _, w := range t.Vocabulary {
		c.l.vocab[w] = true
	}
	c.l.given = map[string]int{}
	root := scope{names: c.l.given, bound: map[int]bool{}}
	for _, name := range t.Given {
		root.bound[c.slot(c.l.given, name)] = true
	}
	var err error
	if c.l.rows, err = c.rows(t.Rows, root); err != nil {
		return nil, err
	}
	anyRows, err := c.rows(t.Any, scope{names: map[string]int{}, bound: map[int]bool{}})
	if err != nil {
		return nil, err
	}
	c.l.top, c.l.any = index(c.l.rows), index(anyRows)
	for _, r := range t.Lines {
		re, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("line rule %s: %w", r.ID, err)
		}
		c.l.lines = append(c.l.lines, lineRule{r, re})
	}
	return c.l, nil
}

// Check compiles a table and panics if it is wrong: for tables that are part
// of the program, whose rows a test compiles.
func Check(t Table) *Lens {
	l, err := Compile(t)
	if err != nil {
		panic("lens: " + err.Error())
	}
	return l
}

func (c *compiler) rows(in []Row, s scope) ([]*row, error) {
	var out []*row
	for _, r := range in {
		compiled, err := c.row(r, s)
		if err != nil {
			name := r.Text
			if r.Each != "" {
				name = "each " + r.Each
			}
			return nil, fmt.Errorf("row %q: %w", name, err)
		}
		out = append(out, compiled)
	}
	return out, nil
}

func (c *compiler) row(r Row, s scope) (*row, error) {
	out := &row{Row: r, body: -1, inherited: s.bound}
	inner := scope{names: maps.Clone(s.names), bound: maps.Clone(s.bound), place: s.place, block: s.block, group: s.group}
	if r.Pair != nil {
		return out, nil
	}
	if r.Rule != "" && r.Why == "" {
		return nil, fmt.Errorf("rule %s has no reason", r.Rule)
	}
	optional := map[int]bool{}
	if r.Each == "" {
		var err error
		if out.ops, err = c.pattern(r.Text, inner.names, optional); err != nil {
			return nil, err
		}
		if len(out.ops) == 0 || out.ops[0].code == opSkip || out.ops[0].code == opFlag {
			return nil, fmt.Errorf("a pattern begins with a word or a variable")
		}
	}
	out.fixed = fixedWords(out.ops)
	if r.Body != "" {
		out.body = c.slot(inner.names, r.Body)
	}
	for _, o := range out.ops {
		for _, slot := range o.slots {
			inner.bound[slot] = true
		}
	}
	set := r.Set
	if r.Each != "" {
		set = r.Each
	}
	var err error
	if out.set, err = c.facts(set, s, inner.names, optional, r.Each != ""); err != nil {
		return nil, err
	}
	if out.cond, err = c.facts(r.If, s, inner.names, optional, false); err != nil {
		return nil, err
	}
	for _, slot := range c.l.given {
		for _, f := range append(slices.Clone(out.set), out.cond...) {
			for _, o := range f.operands() {
				if o.kind != isConst && o.slot == slot {
					out.given = append(out.given, slot)
				}
			}
		}
	}
	if out.not, err = c.facts(r.Unless, s, inner.names, optional, true); err != nil {
		return nil, err
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(set), " "); first != "" && r.Each == "" {
		inner.place = placeOf(expand(first, s.place))
		f, err := c.fact(inner.place, inner.names, false)
		if err != nil {
			return nil, err
		}
		out.place, inner.block, inner.group = f.path, f.path, f.path
	}
	if r.Each != "" {
		out.place, inner.group = out.set[0].path, out.set[0].path
	}
	if out.kids, err = c.rows(r.Rows, inner); err != nil {
		return nil, err
	}
	out.index = index(out.kids)
	for _, k := range out.kids {
		out.opens = out.opens || !k.ReadOnly
	}
	return out, nil
}

// index finds rows by the first word of their pattern; "" holds those that
// begin with a variable. Rows of groups are read as if they stood outside.
func index(rows []*row) map[string][]*row {
	out := map[string][]*row{}
	var walk func([]*row)
	walk = func(rows []*row) {
		for _, r := range rows {
			switch {
			case r.Pair != nil:
				out[r.Pair.First] = append(out[r.Pair.First], r)
			case r.Each != "":
				walk(r.kids)
			case r.ops[0].code == opWord:
				out[r.ops[0].text] = append(out[r.ops[0].text], r)
			default:
				out[""] = append(out[""], r)
			}
		}
	}
	walk(rows)
	return out
}

func (c *compiler) slot(names map[string]int, name string) int {
	if name == "_" {
		return -1
	}
	if s, ok := names[name]; ok {
		return s
	}
	s := c.l.slots
	c.l.slots++
	names[name] = s
	return s
}

var variable = regexp.MustCompile(`^\$([A-Za-z_][\w-]*)(?:!([\w-]+))?(?::(\S+)|\?(\S+))?$`)

func (c *compiler) pattern(text string, names map[string]int, optional map[int]bool) ([]op, error) {
	var ops []op
	group := -1
	for _, word := range strings.Fields(text) {
		switch {
		case word == "{" && group < 0:
			group = len(ops)
			ops = append(ops, op{code: opSkip})
		case word == "}" && group >= 0:
			ops[group].to = len(ops)
			for _, o := range ops[group+1:] {
				for _, s := range o.slots {
					optional[s] = true
				}
			}
			group = -1
		case word == "{" || word == "}":
			return nil, fmt.Errorf("braces do not nest and must match")
		case strings.HasPrefix(word, "$"):
			m := variable.FindStringSubmatch(word)
			if m == nil {
				return nil, fmt.Errorf("bad variable %s", word)
			}
			if m[4] != "" {
				s := c.slot(names, m[1])
				optional[s] = true
				c.l.vocab[m[4]] = true
				ops = append(ops, op{code: opFlag, text: m[4], slots: []int{s}})
				continue
			}
			codec, err := c.codec(m[3])
			if err != nil {
				return nil, err
			}
			o := op{code: opVar, codec: codec, text: m[2]}
			if codec.Parts == nil {
				o.slots = []int{c.slot(names, m[1])}
			}
			for _, p := range codec.Parts {
				o.slots = append(o.slots, c.slot(names, m[1]+"."+p))
			}
			for _, slot := range o.slots {
				c.l.hidden[slot] = c.l.hidden[slot] || codec.Secret
				c.ofSlot[slot] = codec
				if o.text != "" {
					optional[slot] = true
				}
			}
			ops = append(ops, o)
		default:
			c.l.vocab[word] = true
			ops = append(ops, op{code: opWord, text: word})
		}
	}
	if group >= 0 {
		return nil, fmt.Errorf("a brace is not closed")
	}
	return ops, nil
}

func (c *compiler) codec(name string) (*Codec, error) {
	if name == "" {
		name = "word"
	}
	if codec, ok := c.codecs[name]; ok {
		return &codec, nil
	}
	if lo, hi, ok := strings.Cut(name, ".."); ok {
		l, err1 := strconv.ParseInt(lo, 10, 64)
		h, err2 := strconv.ParseInt(hi, 10, 64)
		if err1 == nil && err2 == nil {
			codec := Int(l, h)
			return &codec, nil
		}
	}
	if words, ok := strings.CutPrefix(name, "one-of="); ok {
		codec := OneOf(strings.Split(words, "|")...)
		for _, w := range strings.Split(words, "|") {
			w, _, _ = strings.Cut(w, ">")
			c.l.vocab[w] = true
		}
		return &codec, nil
	}
	return nil, fmt.Errorf("no codec %q", name)
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
			f.soft = f.soft || o.kind == isFunc
		}
		if f.soft {
			schema := ""
			for _, step := range f.path {
				schema += "/" + step.name
			}
			c.l.soft[schema+"/"+f.leaf] = true
		}
		if f.verb == equalsAll {
			c.list(&f)
		}
		out = append(out, f)
	}
	// Facts that must hold are solved first, so that they bind what the
	// optional ones look for.
	slices.SortStableFunc(out, func(a, b fact) int { return a.late() - b.late() })
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
			if k.name != o.name || k.kind != o.kind || k.kind == isFunc || k.slot != o.slot || k.value != o.value {
				return 0
			}
		}
	}
	return len(place)
}

// list notes the codec of a leaf-list that is written whole.
func (c *compiler) list(f *fact) {
	p := listPath{codec: c.ofSlot[f.value.slot]}
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
		i := strings.IndexAny(text, "/[=+*")
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
		for verb, sign := range map[verb]string{equals: "=", contains: "+=", equalsAll: "*="} {
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
		if text = strings.TrimPrefix(text, "/"); text != "" && strings.ContainsAny(text[:1], "/+*=") {
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
		o.kind, o.fn = isFunc, fn
		return o, err
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

// Statements lists the patterns of all rows, for documentation and for tests
// that each row is exercised.
func (l *Lens) Statements() []string {
	var out []string
	var walk func(rows []*row, prefix string)
	walk = func(rows []*row, prefix string) {
		for _, r := range rows {
			at := prefix
			if r.Text != "" {
				at += r.Text
				out = append(out, at)
				at += " > "
			}
			walk(r.kids, at)
		}
	}
	walk(l.rows, "")
	return out
}

func classOf(r *row) plugins.Class {
	if r.Class == "" {
		return plugins.Mapped
	}
	return r.Class
}

func (l *Lens) words(buf []syntax.Word, s string) []syntax.Word {
	if l.table.Words != nil {
		return l.table.Words(buf, s)
	}
	return syntax.Words(buf, s)
}
