package lens

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

func (x *reading) find(i int, rows *rowIndex) *row {
	if rows == nil || len(x.words) == 0 {
		return nil
	}
	for _, r := range rows.of(x.words) {
		if x.apply(i, r) {
			return r
		}
	}
	for _, r := range rows.first[""] {
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
	if r.records {
		return x.applyRecord(r)
	}
	open := x.doc.Lines[i].Open
	ok := !open
	delimited := ""
	if ok && r.Delimited {
		words := x.words
		if delimited, x.words, ok = x.delimited(i); ok {
			ok = x.match(r.ops, 0, 0)
		}
		x.words = words
	} else if ok {
		ok = x.match(r.ops, 0, 0)
	}
	if ok && r.body >= 0 {
		text := delimited
		if !r.Delimited {
			text = x.doc.TextOf(i)
		}
		x.env[r.body] = text
		ok = Storable(text)
	}
	if ok && r.count >= 0 {
		ok = x.number(r)
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
	if r.count >= 0 {
		x.numbers[x.numbered] = x.env[r.count].(int64)
	}
	return true
}

// delimited returns the text between the delimiters of statement i and the
// words before the first of them.
func (x *reading) delimited(i int) (text string, before []syntax.Word, ok bool) {
	u := syntax.DelimitedBanner(x.body, x.words)
	if u == nil || u.Mark == "" {
		return "", nil, false
	}
	before = x.words
	for len(before) > 0 && before[len(before)-1].At >= u.From-len(u.Mark) {
		before = before[:len(before)-1]
	}
	text, rest, closed := strings.Cut(x.body[u.From:], u.Mark)
	for j := i + 1; j < x.doc.Lines[i].Next && !closed; j++ {
		var more string
		more, rest, closed = strings.Cut(x.doc.Lines[j].Body, u.Mark)
		text += "\n" + more
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "\n"), "\n")
	return text, before, closed && strings.TrimSpace(rest) == "" && !strings.Contains(text, "\r")
}

// number binds the variable of Row.Count: ten more than the last below the
// same place.
func (x *reading) number(r *row) bool {
	f := &r.set[0]
	place := ""
	for _, s := range f.path {
		place += "/" + s.name
		for _, k := range s.keys {
			if k.kind == isSlot && k.slot == r.count {
				if x.numbers == nil {
					x.numbers = map[string]int64{}
				}
				x.numbered = place
				x.env[r.count] = x.numbers[place] + 10
				return true
			}
			v, ok := k.eval(x.env)
			if !ok {
				return false
			}
			place += "\x00" + lexical(v)
		}
	}
	return false
}

// forget unbinds what the row itself has bound.
func (x *reading) forget(r *row) {
	for i := range r.ops {
		x.unbind(r, &r.ops[i])
	}
	for i := range r.attrs {
		x.unbind(r, &r.attrs[i].op)
	}
	if r.ordinal >= 0 {
		x.env[r.ordinal] = nil
	}
	if r.body >= 0 {
		x.env[r.body] = nil
	}
	if r.count >= 0 {
		x.env[r.count] = nil
	}
}

func (x *reading) unbind(r *row, o *op) {
	for _, s := range o.slots {
		if s >= 0 && !r.inherited[s] {
			x.env[s] = nil
		}
	}
}

// match binds the variables of a pattern.
func (x *reading) match(ops []op, pc, wi int) bool {
	for pc < len(ops) {
		o := &ops[pc]
		switch o.code {
		case opWord:
			if wi >= len(x.words) || x.words[wi].Text != o.text {
				x.short = x.short || wi >= len(x.words)
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
				x.short = x.short || wi >= len(x.words)
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
	x.end = wi
	return wi == len(x.words) || x.open
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
	case Some:
		n := c.Take(x.words[wi:])
		if n <= 0 || wi+n > len(x.words) {
			return "", -1
		}
		text := x.words[wi].Text
		for _, w := range x.words[wi+1 : wi+n] {
			text += " " + w.Text
		}
		return text, wi + n
	case 2:
		if wi+1 >= len(x.words) {
			return "", -1
		}
		return x.words[wi].Text + " " + x.words[wi+1].Text, wi + 2
	}
	return x.words[wi].Text, wi + 1
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
			x.arena.make(x.root, a.Path)
			continue
		}
		n := x.arena.make(x.root, a.Path[:len(a.Path)-1])
		leafName := a.Path[len(a.Path)-1].Name
		switch {
		case a.Append:
			x.arena.append(n, leafName, a.Value)
		case n.find(leafName) == nil:
			x.arena.add(n, leafName, leaf, a.Value)
		}
	}
	return true
}
