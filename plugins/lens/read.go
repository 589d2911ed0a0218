package lens

import (
	"slices"
	"strings"
	"unicode"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Global is the section of lines that are in no block.
const Global = "global"

// Reader reads the artefacts of one device into one tree and accounts for
// each of their lines. It is not safe for concurrent use.
type Reader struct {
	root     *node
	residual []plugins.Line
	coverage []plugins.Coverage
}

// NewReader returns a Reader with an empty tree.
func NewReader() *Reader { return &Reader{root: &node{kind: container}} }

// Read reads an artefact into the tree. Given binds variables of the table
// that the whole text is about; nil for tables without such.
func (r *Reader) Read(l *Lens, artefact, text string, given map[string]any) {
	r.read(l, artefact, text, given, false)
}

// Verify accounts for the lines of an artefact without changing the tree: a
// line is mapped if what it says is in the tree already. It is for copies of a
// configuration that was read, such as the startup configuration.
func (r *Reader) Verify(l *Lens, artefact, text string) { r.read(l, artefact, text, nil, true) }

// Opaque gives every line of an artefact one class.
func (r *Reader) Opaque(artefact, text string, class plugins.Class, rule string) {
	x := &reading{Reader: r, artefact: artefact, sections: map[string]int{}}
	x.all(text, class, rule)
}

// Normalized returns the tree and the account.
func (r *Reader) Normalized() *plugins.Normalized {
	return &plugins.Normalized{
		Tree:     r.root.appendJSON(nil),
		Residual: r.residual,
		Coverage: r.coverage,
	}
}

// reading is one pass over one artefact.
type reading struct {
	*Reader
	l        *Lens
	artefact string
	frozen   bool
	doc      *syntax.Doc
	env      []any
	sections map[string]int // heading to index in coverage
	section  string
	counted  string                // the section that counts is of
	counts   map[plugins.Class]int // of the section of the last line
	words    []syntax.Word
	body     string
	base     *node        // the place of the block at hand
	loose    bool         // a leaf-list was added to by a second statement
	own      int          // how many of words are of the line itself
	joined   map[int]bool // lines that were read with another
}

func (r *Reader) read(l *Lens, artefact, text string, given map[string]any, frozen bool) {
	x := &reading{Reader: r, l: l, artefact: artefact, frozen: frozen, sections: map[string]int{}, section: Global}
	if strings.IndexByte(text, 0) >= 0 {
		x.all(text, plugins.Unparsed, "")
		return
	}
	x.doc = l.table.Parse(text)
	x.env = make([]any, l.slots)
	for name, value := range given {
		if slot, ok := l.given[name]; ok {
			x.env[slot] = value
		}
	}
	from := len(r.residual)
	x.block(0, len(x.doc.Lines), l.top, true)
	if x.loose {
		l.canonicalLists(r.root)
	}
	if x.joined != nil {
		slices.SortStableFunc(r.residual[from:], func(a, b plugins.Line) int { return a.Number - b.Number })
	}
}

func (x *reading) all(text string, class plugins.Class, rule string) {
	x.section = Global
	n := 0
	for line := range strings.Lines(text) {
		if n++; strings.TrimSpace(line) != "" {
			x.account(n, class, rule)
		}
	}
}

func (x *reading) account(number int, class plugins.Class, rule string) {
	if x.counts == nil || x.counted != x.section {
		at, ok := x.sections[x.section]
		if !ok {
			at = len(x.coverage)
			x.sections[x.section] = at
			x.coverage = append(x.coverage, plugins.Coverage{
				Artefact: x.artefact, Section: x.section, Lines: map[plugins.Class]int{}})
		}
		x.counts, x.counted = x.coverage[at].Lines, x.section
	}
	x.counts[class]++
	if class != plugins.Mapped {
		x.residual = append(x.residual, plugins.Line{
			Artefact: x.artefact, Number: number, Class: class, Rule: rule, Section: x.section})
	}
}

// block reads the lines of one block; rows is nil in a block whose heading is
// not known.
func (x *reading) block(from, to int, rows map[string][]*row, top bool) {
	for i := from; i < to; {
		line := &x.doc.Lines[i]
		switch line.Kind {
		case syntax.Comment:
			x.comment(line)
			i++
			continue
		case syntax.Statement:
		default:
			i++ // blank; texts are accounted for with their heading
			continue
		}
		if x.joined[i] {
			i = line.Next
			continue
		}
		more := x.statement(i)
		row := x.find(i, rows)
		if row == nil {
			row = x.find(i, x.l.any)
		}
		class, rule := plugins.Unparsed, ""
		if row != nil {
			class, rule = classOf(row), row.Rule
		}
		if top && line.Next > i+1 && x.hasBlock(i) {
			x.section = x.heading(row)
		}
		x.account(line.Number, class, rule)
		for _, j := range more {
			x.account(x.doc.Lines[j].Number, class, rule)
			x.texts(j, class, rule)
		}
		if line.Next > i+1 {
			x.texts(i, class, rule)
			if row != nil {
				base := x.base
				if row.place != nil {
					x.base = walk(x.root, row.place, x.env, false)
				}
				x.block(i+1, line.Next, row.index, false)
				x.base = base
			} else {
				x.block(i+1, line.Next, nil, false)
			}
		}
		if row != nil {
			x.forget(row)
		}
		if top {
			x.section = Global
		}
		i = line.Next
	}
}

// statement makes line i, and what is joined with it, the statement at hand.
func (x *reading) statement(i int) []int {
	x.body = x.doc.Logical(i)
	x.words = x.l.words(x.words[:0], x.body)
	x.own = len(x.words)
	if x.l.table.Join == nil {
		return nil
	}
	more := x.l.table.Join(x.doc, i)
	for _, j := range more {
		if x.joined == nil {
			x.joined = map[int]bool{}
		}
		x.joined[j] = true
		at, from := len(x.body)+1, len(x.words)
		next := x.doc.Logical(j)
		x.words = x.l.words(x.words, next)
		for k := from; k < len(x.words); k++ {
			x.words[k].At += at
		}
		x.body += " " + next
	}
	return more
}

// hasBlock reports whether line i heads more than a multi-line text.
func (x *reading) hasBlock(i int) bool {
	for j := i + 1; j < x.doc.Lines[i].Next; j++ {
		if k := x.doc.Lines[j].Kind; k == syntax.Statement {
			return true
		}
	}
	return false
}

// texts accounts for the multi-line text of line i.
func (x *reading) texts(i int, class plugins.Class, rule string) {
	for j := i + 1; j < x.doc.Lines[i].Next; j++ {
		t := &x.doc.Lines[j]
		if (t.Kind != syntax.Text && t.Kind != syntax.TextEnd) || t.Parent != i {
			break
		}
		if strings.TrimSpace(t.Body) != "" {
			x.account(t.Number, class, rule)
		}
	}
}

func (x *reading) comment(line *syntax.Line) {
	body := strings.TrimRight(line.Body[line.Indent:], " \t\r")
	for _, r := range x.l.lines {
		if r.re.MatchString(body) {
			x.account(line.Number, r.Class, r.ID)
			return
		}
	}
	x.account(line.Number, plugins.Unparsed, "")
}

// heading is what may be shown of the heading of a block.
func (x *reading) heading(row *row) string {
	var b strings.Builder
	hidden := false
	for i, w := range x.words[:x.own] {
		show := w.Text
		if row == nil && !x.l.vocab[show] || row != nil && row.hides(i) {
			if hidden {
				continue
			}
			show = plugins.Hidden
		}
		hidden = show == plugins.Hidden
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(show)
		if b.Len() > 100 {
			break
		}
	}
	return printable(b.String())
}

// printable replaces what a terminal would obey.
func printable(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return strings.Map(func(r rune) rune {
				if !unicode.IsPrint(r) {
					return '?'
				}
				return r
			}, s)
		}
	}
	return s
}

// hides reports whether word i of a heading may be a secret. A row with a
// secret hides everything that is not one of its literal words up to there.
func (r *row) hides(i int) bool {
	secret := false
	for _, o := range r.ops {
		secret = secret || o.codec != nil && o.codec.Secret
	}
	return secret && (i >= len(r.ops) || r.ops[i].code != opWord)
}

func (x *reading) find(i int, rows map[string][]*row) *row {
	if rows == nil || len(x.words) == 0 {
		return nil
	}
	for _, r := range rows[x.words[0].Text] {
		if x.apply(i, r) {
			return r
		}
	}
	for _, r := range rows[""] {
		if x.apply(i, r) {
			return r
		}
	}
	return nil
}

// apply matches the line with the row and makes its facts true. On false
// nothing has changed.
func (x *reading) apply(i int, r *row) bool {
	if r.Pair != nil {
		return x.applyPair(r)
	}
	for _, f := range r.fixed {
		if f.at >= len(x.words) || x.words[f.at].Text != f.text {
			return false
		}
	}
	for _, slot := range r.given {
		if x.env[slot] == nil {
			return false
		}
	}
	open := x.doc.Lines[i].Open
	ok := !open && x.match(r.ops, 0, 0)
	if ok && r.body >= 0 {
		text := x.doc.TextOf(i)
		x.env[r.body] = text
		ok = Storable(text)
	}
	if ok {
		for k := range r.cond {
			if ok = x.holds(&r.cond[k]); !ok {
				break
			}
		}
	}
	if ok {
		for k := range r.set {
			if ok = x.may(&r.set[k]); !ok {
				break
			}
		}
	}
	if !ok {
		x.forget(r)
		return false
	}
	for k := range r.set {
		x.set(&r.set[k])
	}
	return true
}

// forget unbinds what the row itself has bound.
func (x *reading) forget(r *row) {
	for _, o := range r.ops {
		for _, s := range o.slots {
			if s >= 0 && !r.inherited[s] {
				x.env[s] = nil
			}
		}
	}
	if r.body >= 0 {
		x.env[r.body] = nil
	}
}

// match binds the variables of a pattern.
func (x *reading) match(ops []op, pc, wi int) bool {
	for pc < len(ops) {
		o := &ops[pc]
		switch o.code {
		case opWord:
			if wi >= len(x.words) || x.words[wi].Text != o.text {
				return false
			}
			wi, pc = wi+1, pc+1
		case opFlag:
			pc++
			if wi < len(x.words) && x.words[wi].Text == o.text {
				x.env[o.slots[0]] = true
				if x.match(ops, pc, wi+1) {
					return true
				}
				x.env[o.slots[0]] = nil
			}
		case opSkip:
			if x.match(ops, pc+1, wi) {
				return true
			}
			for _, in := range ops[pc+1 : o.to] {
				for _, s := range in.slots {
					if s >= 0 {
						x.env[s] = nil
					}
				}
			}
			pc = o.to
		case opVar:
			text, next := x.take(o.codec, wi)
			if next < 0 {
				return false
			}
			if o.text != "" && text == o.text {
				wi, pc = next, pc+1
				continue
			}
			values, ok := o.codec.Read(text)
			if !ok {
				return false
			}
			for k, s := range o.slots {
				switch {
				case s < 0:
				case x.env[s] == nil:
					x.env[s] = values[k]
				case !same(x.env[s], values[k]):
					return false
				}
			}
			wi, pc = next, pc+1
		}
	}
	return wi == len(x.words)
}

func same(a, b any) bool {
	la, isList := a.([]any)
	lb, isList2 := b.([]any)
	if !isList && !isList2 {
		return a == b
	}
	if len(la) != len(lb) || isList != isList2 {
		return false
	}
	for i := range la {
		if la[i] != lb[i] {
			return false
		}
	}
	return true
}

// take returns the text for a codec at word wi and the word after it, or -1.
func (x *reading) take(c *Codec, wi int) (string, int) {
	if wi >= len(x.words) {
		return "", -1
	}
	switch c.Words {
	case Rest:
		return strings.TrimRight(x.body[x.words[wi].At:], " \t\r"), len(x.words)
	case 2:
		if wi+1 >= len(x.words) {
			return "", -1
		}
		return x.words[wi].Text + " " + x.words[wi+1].Text, wi + 2
	}
	return x.words[wi].Text, wi + 1
}

// value evaluates an operand; false if a variable is unbound or a function
// has no answer.
func (o *operand) eval(env []any) (any, bool) {
	switch o.kind {
	case isConst:
		return o.value, true
	case isFunc:
		if v := env[o.slot]; v != nil {
			return o.fn(v)
		}
		return nil, false
	}
	return env[o.slot], env[o.slot] != nil
}

// reach is walk along the path of a fact, from the place of the block where
// that is on the way.
func (x *reading) reach(f *fact, create bool) *node {
	if f.block > 0 && x.base != nil {
		return walk(x.base, f.path[f.block:], x.env, create)
	}
	return walk(x.root, f.path, x.env, create)
}

// walk follows a path, and creates what is missing if create is set. It
// returns nil if a key is unbound, or something is missing.
func walk(n *node, path []pathStep, env []any, create bool) *node {
	for i := range path {
		s := &path[i]
		k := n.find(s.name)
		if s.keys == nil {
			if k == nil {
				if !create {
					return nil
				}
				k = n.add(&node{name: s.name, kind: container})
			}
			n = k
			continue
		}
		handle := ""
		for j := range s.keys {
			v, ok := s.keys[j].eval(env)
			if !ok {
				return nil
			}
			if j > 0 {
				handle += "\x00"
			}
			handle += lexical(v)
		}
		if k == nil {
			if !create {
				return nil
			}
			k = n.add(&node{name: s.name, kind: list})
		}
		e := k.find(handle)
		if e == nil {
			if !create {
				return nil
			}
			e = &node{name: s.name, kind: entry, key: handle}
			for j := range s.keys {
				v, _ := s.keys[j].eval(env)
				e.keys = append(e.keys, Key{s.keys[j].name, v})
				e.add(&node{name: s.keys[j].name, kind: leaf, val: v})
			}
			k.add(e)
		}
		n = e
	}
	return n
}

func (f *fact) unbound(env []any) bool {
	for _, s := range f.optional {
		if env[s] == nil {
			return true
		}
	}
	return false
}

// holds reports whether a fact is true in the tree.
func (x *reading) holds(f *fact) bool {
	n := x.reach(f, false)
	if n == nil || f.verb == exists {
		return n != nil
	}
	v, ok := f.value.eval(x.env)
	if n = n.find(f.leaf); n == nil || !ok {
		return false
	}
	switch f.verb {
	case equals:
		return n.kind == leaf && n.val == v
	case contains:
		return n.find(lexical(v)) != nil
	}
	list, _ := v.([]any)
	for _, e := range list {
		if n.find(lexical(e)) == nil {
			return false
		}
	}
	return len(list) == len(n.kids)
}

// may reports whether a fact can be made true without contradicting another.
func (x *reading) may(f *fact) bool {
	if f.soft || f.unbound(x.env) {
		return true
	}
	if x.frozen {
		return x.holds(f)
	}
	if f.verb != equals {
		return true
	}
	n := x.reach(f, false)
	if n == nil {
		return true
	}
	v, _ := f.value.eval(x.env)
	n = n.find(f.leaf)
	return n == nil || n.val == v
}

func (x *reading) set(f *fact) {
	if x.frozen || f.unbound(x.env) {
		return
	}
	v := any(nil)
	if f.verb != exists {
		var ok bool
		if v, ok = f.value.eval(x.env); !ok {
			return
		}
	}
	n := x.reach(f, true)
	if n == nil {
		return
	}
	switch f.verb {
	case equals:
		if n.find(f.leaf) == nil {
			n.add(&node{name: f.leaf, kind: leaf, val: v})
		}
	case contains:
		n.append(f.leaf, v)
	case equalsAll:
		list, _ := v.([]any)
		x.loose = x.loose || n.find(f.leaf) != nil
		for _, e := range list {
			n.append(f.leaf, e)
		}
	}
}

// append adds a value to a leaf-list unless it is there.
func (n *node) append(name string, v any) {
	l := n.find(name)
	if l == nil {
		l = n.add(&node{name: name, kind: leafList})
	}
	if s := lexical(v); l.find(s) == nil {
		l.add(&node{name: s, kind: leaf, val: v})
	}
}

func (x *reading) applyPair(r *row) bool {
	words := make([]string, len(x.words))
	for i, w := range x.words {
		words[i] = w.Text
	}
	assigns, ok := r.Pair.Read(words)
	if !ok {
		return false
	}
	for _, a := range assigns {
		at := x.root.at(a.Path)
		switch {
		case at == nil && x.frozen, at != nil && at.kind == leaf && at.val != a.Value:
			return false
		case a.Value != nil && x.frozen && a.Append && at.find(lexical(a.Value)) == nil:
			return false
		}
	}
	for _, a := range assigns {
		if x.frozen || len(a.Path) == 0 {
			break
		}
		if a.Value == nil {
			x.root.make(a.Path)
			continue
		}
		n := x.root.make(a.Path[:len(a.Path)-1])
		leafName := a.Path[len(a.Path)-1].Name
		switch {
		case a.Append:
			n.append(leafName, a.Value)
		case n.find(leafName) == nil:
			n.add(&node{name: leafName, kind: leaf, val: a.Value})
		}
	}
	return true
}
