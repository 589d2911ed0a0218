package schemas

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseOptions say what kind of data is read.
type ParseOptions struct {
	// XML reads the XML encoding of RFC 7950 instead of JSON.
	XML bool
	// ConfigOnly says that the data is a configuration datastore: state is
	// refused, and not missed where it is mandatory.
	ConfigOnly bool
}

// maxDataErrors bounds the errors reported of one tree.
const maxDataErrors = 1000

// ParseJSON reads RFC 7951 JSON, bare or in an RFC 9195 instance-data
// envelope. It checks syntax, names and the type of every value; what only
// holds for the tree as a whole is left to Validate. The error joins a
// *PathError for each fault found.
func (s *Set) ParseJSON(data []byte) (*Tree, error) { return s.Parse(data, ParseOptions{}) }

// Parse is ParseJSON with options.
func (s *Set) Parse(data []byte, o ParseOptions) (*Tree, error) {
	in := strings.TrimPrefix(string(data), "\ufeff")
	t := &Tree{set: s, root: &item{schema: s.root, offset: -1}, lines: lineEnds(in), configOnly: o.ConfigOnly}
	if t.lines == nil {
		t.lines = []int{} // one line is a known line
	}
	if o.XML {
		return s.parseXML(in, t, o)
	}
	p := &jsonParser{jsonScanner: jsonScanner{in: in}, tree: t, set: s, opts: o}
	err := p.top()
	if err == nil && p.blank() != 0 || err == nil && p.at < len(p.in) {
		err = p.fail("there is more after the end")
	}
	if err != nil {
		e := asJSONError(err)
		at := "/"
		if p.in == "" {
			e.text = "the input is empty"
		}
		p.errs = append(p.errs, &PathError{Path: at, Rule: "RFC 8259", Line: t.line(e.offset), Message: e.text})
	}
	if len(p.errs) > 0 {
		return nil, joinPaths(p.errs)
	}
	return t, nil
}

// joinPaths joins errors in the order in which they were found.
func joinPaths(errs []*PathError) error {
	all := make([]error, 0, len(errs))
	for i, e := range errs {
		if i == maxDataErrors {
			all = append(all, fmt.Errorf("%d more errors", len(errs)-i))
			break
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}

type jsonParser struct {
	jsonScanner
	tree   *Tree
	set    *Set
	opts   ParseOptions
	errs   []*PathError
	serial int
	spoilt map[*item]bool // list entries with a key that was reported already
}

// keysOf binds the keys of a list entry that was read and reports those that
// are missing.
func (p *jsonParser) keysOf(k *item) {
	for i, have := range k.bindKeys() {
		if have == nil && k.schema.config && !p.spoilt[k] {
			p.reportf(k, k.offset, "RFC 7950 §7.8.2", "the key %q is missing", k.schema.keys[i].name)
		}
	}
}

// badValue reports a value that does not fit its type.
func (p *jsonParser) badValue(it *item, e *valueError) {
	p.errs = append(p.errs, &PathError{Path: it.path(), Rule: e.rule, Line: p.tree.line(it.offset), Message: e.text, AppTag: e.tag})
	if it.schema.keyIndex > 0 {
		if p.spoilt == nil {
			p.spoilt = make(map[*item]bool)
		}
		p.spoilt[it.parent] = true
	}
}

func (p *jsonParser) reportf(it *item, offset int, rule, format string, args ...any) {
	p.errs = append(p.errs, &PathError{Path: it.path(), Rule: rule, Line: p.tree.line(offset), Message: fmt.Sprintf(format, args...)})
}

func (p *jsonParser) top() error {
	start := p.at
	if p.blank() != '{' {
		if p.at >= len(p.in) {
			return p.fail("the input is empty")
		}
		return p.fail("the data must be a JSON object")
	}
	// An envelope is one member at the top.
	p.at++
	if p.blank() == '"' {
		if key, err := p.str(); err == nil && key == envelopeName {
			if err := p.expect(':'); err != nil {
				return err
			}
			if err := p.envelope(); err != nil {
				return err
			}
			return p.expect('}')
		}
	}
	p.at = start
	return p.object(p.tree.root)
}

// object reads the members of a container, list entry or the root.
func (p *jsonParser) object(it *item) error {
	if err := p.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := p.next(first, '}')
		if err != nil || !more {
			return err
		}
		p.blank()
		offset := p.at
		key, err := p.str()
		if err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		n := p.lookup(it, key, offset)
		if n == nil {
			if err := p.skip(); err != nil {
				return err
			}
			continue
		}
		if err := p.member(it, n, offset); err != nil {
			return err
		}
	}
}

// lookup finds the schema node of a member, or reports why there is none.
func (p *jsonParser) lookup(it *item, key string, offset int) *Node {
	if strings.HasPrefix(key, "@") {
		p.reportf(it, offset, "RFC 7952", "metadata annotations (%s) are not supported", clip(key))
		return nil
	}
	module, local, ok := strings.Cut(key, ":")
	if !ok {
		local, module = key, it.schema.ModuleName()
		if module == "" {
			p.reportf(it, offset, "RFC 7951 §4", "top-level member %q needs its module: \"MODULE:%s\"", clip(key), clip(key))
			return nil
		}
	}
	n := it.schema.kids[name{module, local}]
	if n == nil {
		m := p.set.byName[module]
		switch {
		case m == nil:
			p.reportf(it, offset, "RFC 7951 §4", "member %q: there is no module %q in the set", clip(key), clip(module))
		case !m.Implemented:
			p.reportf(it, offset, "RFC 7950 §5.6.5", "member %q: module %s is only imported, not implemented", clip(key), module)
		default:
			p.reportf(it, offset, "RFC 7951 §4", "there is no member %q here", clip(key))
		}
		return nil
	}
	if p.opts.ConfigOnly && !n.config {
		p.reportf(it, offset, "RFC 7950 §7.21.1", "%s %q is state, only configuration is wanted", n.kind, n.name)
		return nil
	}
	if it.of(n) != nil {
		p.reportf(it, offset, "RFC 7951 §4", "the member %q is there twice", clip(key))
		return nil
	}
	return n
}

func (p *jsonParser) newItem(n *Node, parent *item, offset int) *item {
	p.serial++
	p.tree.size++
	return &item{schema: n, parent: parent, offset: offset, order: p.serial}
}

// member reads the value of a member.
func (p *jsonParser) member(it *item, n *Node, offset int) error {
	switch n.kind {
	case KindList, KindLeafList:
		return p.array(it, n, offset)
	case KindContainer:
		k := p.newItem(n, it, offset)
		if p.blank() != '{' {
			p.reportf(k, offset, "RFC 7951 §5.2", "a container must be a JSON object")
			return p.skip()
		}
		it.add(k)
		return p.object(k)
	case KindLeaf:
		k := p.newItem(n, it, offset)
		ok, err := p.value(k)
		if ok {
			it.add(k)
		}
		return err
	}
	k := p.newItem(n, it, offset)
	if n.kind == KindAnyData && p.blank() != '{' {
		p.reportf(k, offset, "RFC 7951 §5.5", "anydata must be a JSON object")
		return p.skip()
	}
	var err error
	k.raw, err = p.raw(0)
	it.add(k)
	return err
}

func (p *jsonParser) array(it *item, n *Node, offset int) error {
	if p.blank() != '[' {
		p.reportf(p.newItem(n, it, offset), offset, "RFC 7951 §5.4", "a %s must be a JSON array", n.kind)
		return p.skip()
	}
	p.at++
	g := group{schema: n}
	at := len(it.groups)
	it.groups = append(it.groups, g)
	for first := true; ; first = false {
		more, err := p.next(first, ']')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		p.blank()
		k := p.newItem(n, it, p.at)
		if n.kind == KindLeafList {
			ok, err := p.value(k)
			if err != nil {
				return err
			}
			if ok {
				it.groups[at].items = append(it.groups[at].items, k)
			}
			continue
		}
		if p.blank() != '{' {
			p.reportf(k, p.at, "RFC 7951 §5.4", "an entry of a list must be a JSON object")
			if err := p.skip(); err != nil {
				return err
			}
			continue
		}
		it.groups[at].items = append(it.groups[at].items, k)
		if err := p.object(k); err != nil {
			return err
		}
		p.keysOf(k)
	}
	if len(it.groups[at].items) == 0 {
		it.groups = slices.Delete(it.groups, at, at+1)
	}
	return nil
}

// value reads a leaf's value; false after an error of type.
func (p *jsonParser) value(it *item) (bool, error) {
	h := hintText
	text := ""
	switch p.blank() {
	case '{':
		p.reportf(it, it.offset, "RFC 7951 §6", "a %s must be a single value", it.schema.kind)
		return false, p.skip()
	case '[':
		// Only [null], the value of type empty, is an array.
		from := p.at
		raw, err := p.raw(0)
		if err != nil {
			return false, err
		}
		if raw != "[null]" {
			p.reportf(it, from, "RFC 7951 §6", "a %s must be a single value", it.schema.kind)
			return false, nil
		}
		h = hintNull
	default:
		s, kind, err := p.scalar()
		if err != nil {
			return false, err
		}
		switch text = s; kind {
		case '"':
			h = hintString
		case '0':
			h = hintNumber
		case 'n':
			p.reportf(it, it.offset, "RFC 7951 §6", "null is not a value")
			return false, nil
		default:
			h = hintBool
		}
	}
	r := p.set.reading(it.schema, h)
	v, bad := r.read(it.schema.typ, text)
	if bad != nil {
		p.badValue(it, bad)
		return false, nil
	}
	it.val = v
	return true, nil
}

// reading returns the context for values of JSON data: prefixes are module
// names (RFC 7951 §6.8).
func (s *Set) reading(n *Node, h hint) *reading {
	return &reading{set: s, node: n, hint: h, hide: n.secret, module: func(prefix string) (string, bool) {
		if prefix == "" {
			return n.module.Name, true
		}
		_, ok := s.byName[prefix]
		return prefix, ok
	}}
}
