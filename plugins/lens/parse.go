package lens

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// keyNames are the keys of lists, by schema path.
type keyNames map[string][]string

// parser reads RFC 7951 JSON that is known to be well-formed into a tree. It
// takes strings out of the text where it can, and makes nothing twice.
type parser struct {
	arena
	text  string
	at    int
	keys  keyNames
	names map[string]string // members seen, so that equal names are one string
}

// parseTree reads RFC 7951 JSON.
func parseTree(data []byte, keys keyNames) (*node, error) {
	if !json.Valid(data) {
		var v any
		return nil, fmt.Errorf("read tree: %w", json.Unmarshal(data, &v))
	}
	p := parser{text: string(data), keys: keys, names: map[string]string{}}
	if p.next() != '{' {
		return nil, errors.New("read tree: not a JSON object")
	}
	root := p.node("", container, nil)
	if err := p.object(root, ""); err != nil {
		return nil, fmt.Errorf("read tree: %w", err)
	}
	return root, nil
}

// next skips white space and returns the byte that follows.
func (p *parser) next() byte {
	for {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return c
		}
	}
}

// more goes to the next member or entry, or past the closing sign.
func (p *parser) more(closing byte) bool {
	switch p.next() {
	case closing:
		p.at++
		return false
	case ',':
		p.at++
	}
	return true
}

// object reads members into n.
func (p *parser) object(n *node, path string) error {
	for p.at++; p.more('}'); {
		p.next()
		name := p.name()
		p.next()
		p.at++ // the colon
		if n.find(name) != nil {
			return fmt.Errorf("%s/%s stands there twice", path, name)
		}
		at := ""
		switch p.next() {
		case '{':
			at = path + "/" + name
			if err := p.object(p.add(n, name, container, nil), at); err != nil {
				return err
			}
		case '[':
			at = path + "/" + name
			if err := p.array(n, name, at); err != nil {
				return err
			}
		default:
			p.add(n, name, leaf, p.scalar())
		}
	}
	return nil
}

func (p *parser) array(n *node, name, path string) error {
	l := p.add(n, name, leafList, nil)
	for p.at++; p.more(']'); {
		if c := p.next(); (c == '{') != (l.kind == list) && len(l.kids) > 0 {
			return fmt.Errorf("%s: values among list entries", path)
		}
		switch p.next() {
		case '[':
			return fmt.Errorf("%s: array in an array", path)
		case '{':
			l.kind = list
			e := p.node("", entry, nil)
			if err := p.object(e, path); err != nil {
				return err
			}
			if err := p.entry(e, len(l.kids)+1, path); err != nil {
				return err
			}
			if l.find(e.name) != nil {
				return fmt.Errorf("%s: two entries with one key", path)
			}
			p.attach(l, e)
		default:
			v := p.scalar()
			if v == nil && len(l.kids) == 0 && p.next() == ']' {
				p.at++
				l.kind = leaf // YANG's empty
				return nil
			}
			p.add(l, lexical(v), leaf, v)
		}
	}
	return nil
}

// entry puts the keys of entry i first and names it by them.
func (p *parser) entry(e *node, i int, path string) error {
	names := p.keys[path]
	if names == nil {
		e.name = strconv.Itoa(i)
		return nil
	}
	for at, name := range names {
		k := e.find(name)
		if k == nil || k.kind != leaf {
			return fmt.Errorf("%s: entry %d has no key %q", path, i, name)
		}
		from := at
		for e.kids[from] != k {
			from++
		}
		copy(e.kids[at+1:from+1], e.kids[at:from])
		e.kids[at] = k
		e.own++
	}
	e.name = keyOf(e.keys())
	return nil
}

// name reads the name of a member.
func (p *parser) name() string {
	s := p.string()
	if have, ok := p.names[s]; ok {
		return have
	}
	p.names[s] = s
	return s
}

// string reads a string; p is at its quote.
func (p *parser) string() string {
	from := p.at + 1
	for p.at = from; p.text[p.at] != '"'; p.at++ {
		if c := p.text[p.at]; c == '\\' || c >= 0x80 {
			return p.unquote(from)
		}
	}
	s := p.text[from:p.at]
	p.at++
	return s
}

// unquote reads a string that is not plain ASCII.
func (p *parser) unquote(from int) string {
	for p.text[p.at] != '"' {
		if p.text[p.at] == '\\' {
			p.at++
		}
		p.at++
	}
	p.at++
	var s string
	if json.Unmarshal([]byte(p.text[from-1:p.at]), &s) != nil {
		return "" // well-formed JSON has none that cannot be read
	}
	return s
}

// scalar reads a value that is no object and no array.
func (p *parser) scalar() any {
	switch p.text[p.at] {
	case '"':
		return p.string()
	case 't':
		p.at += len("true")
		return true
	case 'f':
		p.at += len("false")
		return false
	case 'n':
		p.at += len("null")
		return nil
	}
	from := p.at
	p.at += strings.IndexAny(p.text[p.at:], " \t\r\n,]}")
	number := p.text[from:p.at]
	if i, err := strconv.ParseInt(number, 10, 64); err == nil {
		return i
	}
	return json.Number(number)
}
