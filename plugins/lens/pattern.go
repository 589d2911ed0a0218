package lens

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

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

// codec returns a codec by its name, for words as the table quotes them.
func (c *compiler) codec(name string) (*Codec, error) {
	codec, err := c.plainCodec(name)
	t := &c.l.table
	switch {
	case err != nil || !t.Nested && t.Unquote == nil:
		return codec, err
	case t.Nested && codec.Words != 0 && codec.Words != 1:
		return nil, fmt.Errorf("codec %q takes more than one word, and rows of a nested table take word by word", name)
	case t.Unquote == nil:
		return codec, nil
	}
	quoted, read, write := *codec, codec.Read, codec.Write
	quoted.Read = func(s string) ([]any, bool) {
		plain := t.Unquote(s)
		v, ok := read(plain)
		if ok && plain != s { // quotes may hold what cannot be written
			_, ok = write(v)
		}
		return v, ok
	}
	quoted.Write = func(v []any) (string, bool) {
		s, ok := write(v)
		if s != "" {
			s = t.Quote(s)
		}
		return s, ok
	}
	return &quoted, nil
}

func (c *compiler) plainCodec(name string) (*Codec, error) {
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
