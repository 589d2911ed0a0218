package lens

import (
	"slices"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Reading a nested table: the words of a statement and of the headings around
// it are one path, and how a text spreads a path over blocks is of no meaning.
// Rows take their words from the path one after the other.

// nested reads the lines of one block. Path holds the words of headings that
// no row has taken yet; rows is nil where a heading is not known.
func (x *reading) nested(from, to int, rows *rowIndex, path []syntax.Word, class plugins.Class, rule string, top bool) {
	for i := from; i < to; {
		line := &x.doc.Lines[i]
		next := line.Next
		switch line.Kind {
		case syntax.Comment:
			c, r := x.commentClass(line)
			x.note(i, c, r)
		case syntax.Close:
			x.note(i, class, rule)
			next = i + 1
		case syntax.Statement:
			x.path(i, rows, path, top)
		default:
			next = i + 1 // blank; texts are noted with their heading
		}
		i = next
	}
}

// path reads statement i and the block that it may head.
func (x *reading) path(i int, rows *rowIndex, path []syntax.Word, top bool) {
	line := &x.doc.Lines[i]
	x.body = x.doc.Logical(i)
	x.words = x.l.words(append(x.words[:0], path...), x.body)
	if top {
		x.section = x.stanza()
	}
	class, rule := plugins.Unparsed, ""
	if x.whole != "" {
		class = x.whole
	}
	var taken []*row
	inner := rows
	rest := path
	known := rows != nil && !line.Inactive && !line.Open && len(x.words) > len(path)
	switch {
	case known && line.Block:
		if last := x.outermost(rows, true); last != nil {
			class, rule = classOf(last), last.Rule
			if len(last.kids) > 0 {
				taken, rest, inner = slices.Clone(x.taken), nil, last.index
			} else { // what stands in the block may belong to the same row
				rest = slices.Clone(x.words)
				x.forgetTaken()
			}
		} else if x.begins(rows, 0) {
			class, rest = plugins.Mapped, slices.Clone(x.words)
		} else {
			inner = nil
		}
	case known:
		class, rule = x.leaf(rows)
	default:
		inner = nil
	}
	x.note(i, class, rule)
	if line.Block {
		base, whole := x.base, x.whole
		if class == plugins.SecretOpaque {
			x.whole, inner = class, nil // so is what is in it
		}
		if len(taken) > 0 {
			x.base = x.placeOf(taken)
		}
		from := i + 1
		for from < line.Next && x.doc.Lines[from].Kind == syntax.Text && x.doc.Lines[from].Parent == i {
			from++
		}
		x.nested(from, line.Next, inner, rest, class, rule, false)
		x.base, x.whole = base, whole
	}
	for _, r := range taken {
		x.forget(r)
	}
	if top {
		x.section = Global
	}
}

// placeOf is what the rows below a heading are about, by the innermost row that
// says so.
func (x *reading) placeOf(taken []*row) *node {
	for k := len(taken) - 1; k >= 0; k-- {
		if taken[k].place != nil {
			return walk(nil, x.root, taken[k].place, x.env)
		}
	}
	return x.base
}

// leaf reads a statement that heads no block. A list in square brackets says
// the same of each of its words.
func (x *reading) leaf(rows *rowIndex) (plugins.Class, string) {
	open := slices.IndexFunc(x.words, func(w syntax.Word) bool { return w.Text == "[" })
	if open < 0 {
		return x.one(rows)
	}
	words := slices.Clone(x.words)
	shut := slices.IndexFunc(words, func(w syntax.Word) bool { return w.Text == "]" })
	if shut < open+2 {
		return plugins.Unparsed, ""
	}
	var class plugins.Class
	var rule string
	for k, w := range words[open+1 : shut] {
		x.words = append(append(append(x.words[:0], words[:open]...), w), words[shut+1:]...)
		if c, r := x.one(rows); k == 0 || c != class {
			if class != plugins.Unparsed {
				class, rule = c, r
			}
		}
	}
	return class, rule
}

func (x *reading) one(rows *rowIndex) (plugins.Class, string) {
	last := x.outermost(rows, false)
	if last == nil {
		last = x.outermost(x.l.any, false)
	}
	if last == nil {
		return plugins.Unparsed, ""
	}
	x.forgetTaken()
	// A frame says nothing by itself: that it stands there alone does.
	if len(last.set) == 0 && len(last.kids) > 0 && last.Class == "" {
		return plugins.Unparsed, ""
	}
	return classOf(last), last.Rule
}

func (x *reading) forgetTaken() {
	for _, r := range x.taken {
		x.forget(r)
	}
}

// outermost finds the rows that take all words of the path, makes their facts
// true, and returns the innermost; x.taken are all of them. On nil only what
// rows say that took the first words may have become true, as it does where
// these words head a block. A heading is a row with rows below it where there is one, a
// statement one without.
func (x *reading) outermost(rows *rowIndex, block bool) *row {
	x.taken = x.taken[:0]
	if last := x.descend(rows, 0, block); last != nil {
		return last
	}
	return x.descend(rows, 0, !block)
}

// descend finds the rows that take the words from wi on, the last of them one
// with or without rows below it.
func (x *reading) descend(rows *rowIndex, wi int, block bool) *row {
	if rows == nil || wi >= len(x.words) {
		return nil
	}
	for _, candidates := range [2][]*row{rows.of(x.words[wi:]), rows.first[""]} {
		for _, r := range candidates {
			if last := x.step(r, wi, block); last != nil {
				return last
			}
		}
	}
	return nil
}

// step tries one row of descend.
func (x *reading) step(r *row, wi int, block bool) *row {
	if r.Pair != nil {
		return nil
	}
	for _, f := range r.fixed {
		if at := wi + f.at; at >= len(x.words) || x.words[at].Text != f.text {
			return nil
		}
	}
	for _, slot := range r.given {
		if x.env[slot] == nil {
			return nil
		}
	}
	x.open = len(r.kids) > 0
	if !x.match(r.ops, 0, wi) {
		x.forget(r)
		return nil
	}
	end := x.end
	if end == len(x.words) && (len(r.kids) > 0) != block {
		x.forget(r)
		return nil
	}
	depth := len(x.taken)
	x.taken = append(x.taken, r)
	ok := true
	for k := range r.cond {
		ok = ok && x.holds(&r.cond[k])
	}
	for k := range r.set {
		ok = ok && x.may(&r.set[k])
	}
	last := r
	if ok && end < len(x.words) {
		// What a heading says holds for the rows below it: their conditions may
		// ask for it.
		for k := range r.set {
			x.set(&r.set[k])
		}
		base := x.base
		if r.place != nil {
			x.base = walk(nil, x.root, r.place, x.env)
		}
		last = x.descend(r.index, end, block)
		x.base = base
	}
	if !ok || last == nil {
		x.taken = x.taken[:depth]
		x.forget(r)
		return nil
	}
	for k := range r.set {
		x.set(&r.set[k]) // again for a heading, whose facts stand
	}
	return last
}

// begins reports whether the words from wi on are where a row begins.
func (x *reading) begins(rows *rowIndex, wi int) bool {
	if rows == nil {
		return false
	}
	for _, candidates := range [2][]*row{rows.first[x.words[wi].Text], rows.first[""]} {
		for _, r := range candidates {
			if r.Pair != nil {
				continue
			}
			x.open, x.short = len(r.kids) > 0, false
			ok := x.match(r.ops, 0, wi)
			end, short := x.end, x.short
			more := ok && end < len(x.words) && x.begins(r.index, end)
			x.forget(r)
			if short || more {
				return true
			}
		}
	}
	return false
}

// stanza is what may be shown of the outermost word of a path.
func (x *reading) stanza() string {
	switch {
	case len(x.words) == 0:
		return Global
	case x.l.vocab[x.words[0].Text]:
		return printable(x.words[0].Text)
	}
	return plugins.Hidden
}

// note classes a piece of a line and the text that belongs to it. Of several
// pieces on one line the one that matters most gives the line its class.
func (x *reading) note(i int, class plugins.Class, rule string) {
	x.noteLine(x.doc.Lines[i].Number, class, rule)
	for j := i + 1; j < x.doc.Lines[i].Next; j++ {
		t := &x.doc.Lines[j]
		if t.Kind != syntax.Text || t.Parent != i {
			break
		}
		if t.Indent < len(t.Body) {
			x.noteLine(t.Number, class, rule)
		}
	}
}

// weight orders classes by what matters most of a line.
var weight = [...]plugins.Class{plugins.Unparsed, plugins.SecretOpaque, plugins.Mapped, plugins.Volatile, plugins.Boilerplate}

func (x *reading) noteLine(number int, class plugins.Class, rule string) {
	if n := &x.noted; n.Number == number {
		if slices.Index(weight[:], class) < slices.Index(weight[:], n.Class) {
			n.Class, n.Rule = class, rule
		}
		return
	}
	x.flush()
	x.noted = plugins.Line{Number: number, Class: class, Rule: rule, Section: x.section}
}

// flush accounts for the line that was noted last.
func (x *reading) flush() {
	if n := x.noted; n.Number > 0 {
		section := x.section
		x.section = n.Section
		x.account(n.Number, n.Class, n.Rule)
		x.section = section
	}
	x.noted = plugins.Line{}
}
