package lens

import (
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// reading of one record.
type recording struct {
	*syntax.Record
	at     map[string]int    // attributes by name
	took   []bool            // attributes that the row has
	secret []bool            // of these, those that it forgets because they are secrets
	lines  []lineClass       // of the text
	heads  map[int]lineClass // of lines that several records share
	kinds  []class
	kind   map[class]uint16 // index in kinds
	number int32
	order  map[string]int64 // records understood, by first word
}

// class is what is known of a line.
type class struct {
	class plugins.Class
	rule  string
}

// lineClass is that of one line, small because there may be many.
type lineClass struct {
	kind    uint16 // index in kinds; 0: nothing is known
	section int32
	seen    int32 // number of the record that has classed it
}

// of is the index of a class.
func (c *recording) of(k class) uint16 {
	i, ok := c.kind[k]
	if !ok {
		i = uint16(len(c.kinds))
		c.kind[k] = i
		c.kinds = append(c.kinds, k)
	}
	return i
}

// rank orders classes: of what stands on one line the highest counts.
func rank(c plugins.Class) int {
	switch c {
	case plugins.Unparsed:
		return 5
	case plugins.Mapped:
		return 4
	case plugins.SecretOpaque:
		return 3
	case plugins.Volatile:
		return 2
	case plugins.Boilerplate:
		return 1
	}
	return 0
}

// records reads a text of records and accounts for its lines.
func (x *reading) records(text string) {
	doc, each := x.l.table.Records(text)
	lines := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		lines++
	}
	c := &recording{at: map[string]int{}, lines: make([]lineClass, lines), heads: map[int]lineClass{}, kinds: []class{{}}, kind: map[class]uint16{}, order: map[string]int64{}}
	x.rec = c
	sections, names := map[string]int32{Global: 0}, []string{Global}
	each(func(r *syntax.Record) bool {
		c.Record = r
		c.number++
		row := x.record()
		heading := x.recordHeading()
		section, ok := sections[heading]
		if !ok {
			section = int32(len(names))
			sections[heading] = section
			names = append(names, heading)
		}
		own := class{plugins.Unparsed, ""}
		if row != nil {
			own.class, own.rule = classOf(row), row.Rule
		}
		for i := range r.Attrs {
			of := own
			switch {
			case row == nil || r.Attrs[i].Silent:
			case !c.took[i]:
				of.class, of.rule = x.attrClass(&r.Attrs[i])
			case c.secret[i]:
				of.class, of.rule = plugins.SecretOpaque, ""
			}
			if r.Attrs[i].Silent && row != nil {
				of.class, of.rule = x.silentClass(i, own)
			}
			for line := r.Attrs[i].From; line < min(r.Attrs[i].To, lines); line++ {
				c.merge(line, of, section)
				c.lines[line].seen = c.number
			}
		}
		for line := r.From; line < min(r.To, lines); line++ {
			if c.lines[line].seen != c.number {
				c.merge(line, own, section)
			}
		}
		head := own
		if own.class != plugins.Unparsed {
			head.class, head.rule = plugins.Mapped, ""
		}
		for _, line := range r.Heads {
			if k := c.kinds[c.heads[line].kind].class; k == "" || k == plugins.Unparsed && head.class != k {
				c.heads[line] = lineClass{kind: c.of(head), section: section}
			}
		}
		if row != nil {
			x.forget(row)
		}
		return true
	})
	x.rec = nil
	if x.loose {
		x.l.canonicalLists(x.root)
	}
	n := 0
	for line := range strings.Lines(text) {
		at := c.lines[n]
		if at.kind == 0 {
			at = c.heads[n]
		}
		k := c.kinds[at.kind]
		if n++; strings.TrimSpace(line) == "" {
			continue
		}
		x.section = names[at.section]
		switch {
		case k.class != "":
			x.account(n, k.class, k.rule)
		case doc != nil && doc.Lines[n-1].Kind == syntax.Comment:
			x.comment(&doc.Lines[n-1])
		default:
			x.account(n, plugins.Unparsed, "")
		}
	}
	x.count()
}

func (c *recording) merge(line int, k class, section int32) {
	if l := &c.lines[line]; rank(k.class) > rank(c.kinds[l.kind].class) {
		l.kind, l.section = c.of(k), section
	}
}

// record finds the row of the record at hand and makes its facts true.
func (x *reading) record() *row {
	c := x.rec
	x.words = x.words[:0]
	for _, w := range c.Words {
		x.words = append(x.words, syntax.Word{Text: w})
	}
	x.own = len(x.words)
	if c.Bad || len(x.words) == 0 {
		return nil
	}
	clear(c.at)
	for i := range c.Attrs {
		if !c.Attrs[i].Silent {
			c.at[c.Attrs[i].Name] = i
		}
	}
	return x.find(0, x.l.top)
}

// applyRecord is apply for a row of a record.
func (x *reading) applyRecord(r *row) bool {
	c := x.rec
	if !x.match(r.ops, 0, 0) {
		x.forget(r)
		return false
	}
	c.took = slices.Grow(c.took[:0], len(c.Attrs))[:len(c.Attrs)]
	clear(c.took)
	c.secret = slices.Grow(c.secret[:0], len(c.Attrs))[:len(c.Attrs)]
	clear(c.secret)
	x.env[r.ordinal] = c.order[c.Words[0]] + 1
	good := true
	for from := 0; from < len(r.attrs) && good; {
		to := from + 1
		for r.attrs[from].group > 0 && to < len(r.attrs) && r.attrs[to].group == r.attrs[from].group {
			to++
		}
		fits := true
		for k := from; k < to && fits; k++ {
			fits = x.takeAttr(r, &r.attrs[k])
		}
		if !fits {
			if r.attrs[from].group == 0 {
				good = false
			}
			x.leave(r, from, to)
		}
		from = to
	}
	for k := 0; k < len(r.cond) && good; k++ {
		good = x.holds(&r.cond[k])
	}
	for k := 0; k < len(r.set) && good; k++ {
		if f := &r.set[k]; !x.may(f) {
			if good = len(f.optional) > 0; good {
				// What contradicts is not understood; the rest is.
				for i := range r.attrs {
					if r.attrs[i].group > 0 && slices.ContainsFunc(r.attrs[i].slots, func(s int) bool { return slices.Contains(f.optional, s) }) {
						x.leave(r, i, i+1)
					}
				}
			}
		}
	}
	if !good {
		x.forget(r)
		return false
	}
	for k := range r.set {
		x.set(&r.set[k])
	}
	c.order[c.Words[0]]++
	return true
}

// takeAttr binds one attribute of the pattern.
func (x *reading) takeAttr(r *row, a *attrOp) bool {
	c := x.rec
	if a.name == "*" {
		list := []any{}
		for i := range c.Attrs {
			b := &c.Attrs[i]
			if c.took[i] || b.Silent {
				continue
			}
			if !Storable(b.Value) || strings.ContainsAny(b.Name, "=+") {
				return len(list) > 0
			}
			c.took[i] = true
			if !b.List {
				list = append(list, b.Name+"="+b.Value)
				continue
			}
			for _, v := range b.Values() {
				list = append(list, b.Name+"+="+v)
			}
		}
		if len(list) > 0 {
			x.env[a.slots[0]] = list
		}
		return true
	}
	i, ok := c.at[a.name]
	if !ok || c.took[i] {
		return false
	}
	b := &c.Attrs[i]
	text := b.Value
	if len(b.More) > 0 {
		text = strings.Join(b.Values(), several)
	}
	if a.code == opWord {
		c.took[i] = text == a.text
		return c.took[i]
	}
	if a.text != "" && text == a.text {
		c.took[i] = true
		return true
	}
	values, ok := a.codec.Read(text)
	if !ok {
		return false
	}
	for k, s := range a.slots {
		switch {
		case s < 0:
			c.secret[i] = a.codec.Secret
		case x.env[s] == nil:
			x.env[s] = values[k]
		case !same(x.env[s], values[k]):
			return false
		}
	}
	c.took[i] = true
	return true
}

// leave unbinds what a group of attributes has bound.
func (x *reading) leave(r *row, from, to int) {
	c := x.rec
	for k := from; k < to; k++ {
		if i, ok := c.at[r.attrs[k].name]; ok {
			c.took[i] = false
		}
		for _, s := range r.attrs[k].own {
			if s >= 0 && !r.inherited[s] {
				x.env[s] = nil
			}
		}
	}
}

// attrClass classes an attribute that the row does not have.
func (x *reading) attrClass(a *syntax.Attr) (plugins.Class, string) {
	for _, r := range x.l.attrs[a.Name] {
		if (r.Record == "" || r.Record == x.rec.Words[0] || r.Record == x.rec.Title) && (r.Value == "" || r.re.MatchString(strings.Join(a.Values(), several))) {
			if r.Class == plugins.SecretOpaque {
				return r.Class, ""
			}
			return r.Class, r.ID
		}
	}
	return plugins.Unparsed, ""
}

// silentClass is that of the attribute of the same name which counts.
func (x *reading) silentClass(i int, own class) (plugins.Class, string) {
	c := x.rec
	k, ok := c.at[c.Attrs[i].Name]
	switch {
	case !ok:
		return own.class, own.rule
	case !c.took[k]:
		return x.attrClass(&c.Attrs[k])
	case c.secret[k]:
		return plugins.SecretOpaque, ""
	}
	return own.class, own.rule
}

// recordHeading is what may be shown of the record's first word.
func (x *reading) recordHeading() string {
	if len(x.words) == 0 {
		return Global
	}
	word := x.words[0].Text
	if x.rec.Title != "" {
		word = x.rec.Title
	}
	if x.l.vocab[word] {
		return printable(word)
	}
	// A menu may be known in parts.
	parts := strings.Split(word, "/")
	for i, p := range parts {
		if p != "" && !x.l.vocab[p] {
			parts[i] = plugins.Hidden
		}
	}
	return printable(strings.Join(parts, "/"))
}
