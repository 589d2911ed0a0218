package lens

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Lens is a compiled table. It is safe for concurrent use.
type Lens struct {
	table  Table
	rows   []*row // outermost
	any    *rowIndex
	top    *rowIndex
	lines  []lineRule
	slots  int
	given  map[string]int
	keys   keyNames
	secret map[string]bool // schema path of a key leaf whose value is a secret
	hidden map[int]bool    // slots that secrets are bound to
	soft   map[string]bool // schema paths of leaves that functions derive
	lists  []listPath
	vocab  map[string]bool
	attrs  map[string][]attrRule
}

// listPath is a leaf-list that one statement writes whole, by a codec that
// knows its canonical form.
type listPath struct {
	path  []string
	codec *Codec
	each  bool // written one by one: of ranges, each VLAN
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
	not   [][]fact // alternatives
	kids  []*row
	index *rowIndex // of kids, groups opened up
	body  int       // slot, or -1
	count int       // slot of Row.Count, or -1
	opens bool      // a block with something to write in it

	attrs   []attrOp // of a record
	records bool     // it is one
	ordinal int      // slot of $#, or -1

	fixed     []fixedWord
	place     []pathStep   // what the rows below are about; nil where that is what this row is about
	given     []int        // slots of Given that the facts need
	inherited map[int]bool // slots that the headings around it have bound
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
			table: t, keys: keyNames{}, secret: map[string]bool{}, hidden: map[int]bool{}, soft: map[string]bool{}, vocab: map[string]bool{}, attrs: map[string][]attrRule{},
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
	for _, r := range t.Attrs {
		if (r.Class == plugins.SecretOpaque) != (r.Why == "") {
			return nil, fmt.Errorf("attribute rule %s has no reason", r.ID)
		}
		re, err := regexp.Compile("^(?s:" + r.Value + ")$")
		if err != nil {
			return nil, fmt.Errorf("attribute rule %s: %w", r.ID, err)
		}
		c.l.attrs[r.Name] = append(c.l.attrs[r.Name], attrRule{r, re})
	}
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
	out := &row{Row: r, body: -1, count: -1, ordinal: -1, records: c.l.table.Records != nil, inherited: s.bound}
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
	if out.records {
		out.ordinal = c.slot(inner.names, "#")
		var bound []int // by the words: an attribute that says it again may be left out
		for _, o := range out.ops {
			for _, slot := range o.slots {
				if !optional[slot] {
					bound = append(bound, slot)
				}
			}
		}
		var err error
		if out.attrs, err = c.attrs(r.Attrs, inner.names, optional); err != nil {
			return nil, err
		}
		for _, slot := range bound {
			delete(optional, slot)
		}
		for i := range out.attrs {
			a := &out.attrs[i]
			a.own = slices.DeleteFunc(slices.Clone(a.slots), func(s int) bool { return slices.Contains(bound, s) })
		}
	}
	if r.Body != "" {
		out.body = c.slot(inner.names, r.Body)
	}
	if r.Count != "" {
		if !r.ReadOnly || r.Set == "" {
			return nil, fmt.Errorf("a row with Count is read only and has facts")
		}
		out.count = c.slot(inner.names, r.Count)
	}
	for _, o := range out.allOps() {
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
	for alternative := range strings.SplitSeq(r.Unless, "|") {
		facts, err := c.facts(alternative, s, maps.Clone(inner.names), optional, true)
		if err != nil {
			return nil, err
		}
		if len(facts) > 0 {
			out.not = append(out.not, facts)
		}
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
	for _, o := range out.ops {
		if c.l.table.Nested && len(out.kids) > 0 && (o.code == opSkip || o.code == opFlag) {
			return nil, fmt.Errorf("a row with rows below it has optional words")
		}
	}
	if c.l.table.Nested && (r.Body != "" || r.End != "") {
		return nil, fmt.Errorf("a row of a nested table has a text or an end")
	}
	if out.index = index(out.kids); out.records && len(out.kids) > 0 {
		return nil, fmt.Errorf("a record has no block")
	}
	for _, k := range out.kids {
		out.opens = out.opens || !k.ReadOnly
	}
	return out, nil
}

// rowIndex finds rows by the first word of their pattern; "" holds those that
// begin with a variable. Where many begin alike, the second word tells them
// apart: then "" is of those that have none in that place.
type rowIndex struct {
	first  map[string][]*row
	second map[[2]string][]*row
}

// many is from how many rows on a second word is looked at.
const many = 6

// index makes a rowIndex. Rows of groups are read as if they stood outside.
func index(rows []*row) *rowIndex {
	out := &rowIndex{first: map[string][]*row{}, second: map[[2]string][]*row{}}
	var walk func([]*row)
	walk = func(rows []*row) {
		for _, r := range rows {
			switch {
			case r.Pair != nil:
				out.first[r.Pair.First] = append(out.first[r.Pair.First], r)
			case r.Each != "":
				walk(r.kids)
			case r.ops[0].code == opWord:
				out.first[r.ops[0].text] = append(out.first[r.ops[0].text], r)
			default:
				out.first[""] = append(out.first[""], r)
			}
		}
	}
	walk(rows)
	for word, list := range out.first {
		if word == "" || len(list) < many {
			continue
		}
		words := map[string]bool{"": true}
		for _, r := range list {
			words[r.secondWord()] = true
		}
		for w := range words {
			for _, r := range list {
				if own := r.secondWord(); own == "" || own == w {
					out.second[[2]string{word, w}] = append(out.second[[2]string{word, w}], r)
				}
			}
		}
	}
	return out
}

// secondWord is the literal word that the second word of a statement has to
// be; "" for none.
func (r *row) secondWord() string {
	for _, f := range r.fixed {
		if f.at == 1 {
			return f.text
		}
	}
	return ""
}

// of returns the rows that may be about a statement which begins with the
// words, without those that begin with a variable.
func (x *rowIndex) of(words []syntax.Word) []*row {
	list := x.first[words[0].Text]
	if len(list) < many {
		return list
	}
	if len(words) > 1 {
		if own, ok := x.second[[2]string{words[0].Text, words[1].Text}]; ok {
			return own
		}
	}
	return x.second[[2]string{words[0].Text, ""}]
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
