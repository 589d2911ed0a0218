package schemas

import (
	"slices"
	"strconv"
	"strings"
)

type jsonParser struct {
	*reader
	jsonScanner
}

// document reads the whole input.
func (p *jsonParser) document() error {
	if p.blank() == 0 && p.at >= len(p.in) {
		return p.fail("the input is empty")
	}
	if err := p.top(); err != nil {
		return err
	}
	for p.blank() == 0 && p.spine() && p.at >= len(p.in) && !p.stream.end {
		if err := p.slide(p.stream.size); err != nil {
			return err
		}
	}
	if p.blank() != 0 || p.at < len(p.in) {
		return p.fail("there is more after the end")
	}
	return nil
}

func (p *jsonParser) top() error {
	start := p.at
	if p.blank() != '{' {
		return p.fail("the data must be a JSON object")
	}
	// Envelope and wrapper are one member at the top.
	p.at++
	if p.blank() == '"' {
		key, err := p.str()
		if err != nil {
			return err
		}
		if key == envelopeName || key == "ietf-restconf:data" && p.tree.root.schema.kids[name{"ietf-restconf", "data"}] == nil {
			if err := p.expect(':'); err != nil {
				return err
			}
			if key == envelopeName {
				err = p.envelope()
			} else if p.blank() != '{' {
				err = p.fail("%s must be a JSON object", key)
			} else {
				err = p.object(p.tree.root)
			}
			if err != nil {
				return err
			}
			return p.expect('}')
		}
	}
	p.at = start
	return p.object(p.tree.root)
}

// metaMember is an "@" member: what it annotates may come after it.
type metaMember struct {
	key        string
	offset, at int // of the member and of its value
}

// object reads the members of a container, list entry or the root.
func (p *jsonParser) object(it *item) error {
	if p.spine() {
		return p.streamObject(it)
	}
	if err := p.expect('{'); err != nil {
		return err
	}
	var meta []metaMember
	for first := true; ; first = false {
		more, err := p.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			break
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
		if strings.HasPrefix(key, "@") {
			meta = append(meta, metaMember{key, offset, p.at})
			if err := p.skip(); err != nil {
				return err
			}
			continue
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
	if len(meta) == 0 {
		return nil
	}
	end := p.at
	for i, m := range meta {
		if slices.ContainsFunc(meta[:i], func(o metaMember) bool { return o.key == m.key }) {
			p.reportf(it, m.offset, "RFC 7951 §4", "the member %q is there twice", clip(m.key))
			continue
		}
		p.at = m.at
		if err := p.metadata(it, m); err != nil {
			return err
		}
	}
	p.at = end
	return nil
}

// lookup finds the schema node of a member, or reports why there is none.
func (p *jsonParser) lookup(it *item, key string, offset int) *Node {
	n := p.find(it, key, offset)
	switch {
	case n == nil || p.misplaced(it, n, offset):
		return nil
	case it.of(n) != nil:
		p.reportf(it, offset, "RFC 7951 §4", "the member %q is there twice", clip(key))
		return nil
	}
	return n
}

func (p *jsonParser) find(it *item, key string, offset int) *Node {
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
		p.unknown(it, offset, "RFC 7951 §4", "member "+strconv.Quote(clip(key)), name{module, local})
	}
	return n
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
	return p.any(it, k)
}

// any reads the value of anydata or anyxml.
func (p *jsonParser) any(it, k *item) error {
	if k.schema.kind == KindAnyData && p.blank() != '{' {
		p.reportf(k, k.offset, "RFC 7951 §5.5", "anydata must be a JSON object")
		return p.skip()
	}
	p.blank()
	start := p.at
	raw, err := p.raw(0)
	if err != nil {
		return err
	}
	k.raw = raw
	it.add(k)
	if raw[0] != '{' {
		return nil
	}
	// Its own annotations are members of it (RFC 7952 §5.2.1).
	inner := jsonScanner{in: p.in, at: start + 1}
	var members []string
	for first := true; ; first = false {
		more, err := inner.next(first, '}')
		if err != nil || !more {
			break
		}
		offset := inner.at
		key, err := inner.str()
		if err != nil || inner.expect(':') != nil {
			break
		}
		at := inner.at
		val, err := inner.raw(0)
		if err != nil {
			break
		}
		if key == "@" && k.schema.kind == KindAnyData {
			end := p.at
			p.at = at
			err := p.annotations(k, false)
			p.at = end
			if err != nil {
				return err
			}
			continue
		}
		if k.schema.kind == KindAnyData && strings.HasPrefix(key, "@") && !strings.Contains(key, ":") {
			p.reportf(k, offset, "RFC 7952 §5.2", "%q annotates nothing", clip(key))
			continue
		}
		members = append(members, quoteJSON(key)+":"+val)
	}
	if k.schema.kind == KindAnyXML {
		return nil
	}
	slices.Sort(members)
	k.raw = "{" + strings.Join(members, ",") + "}"
	if p.opts.nested < maxAnyDepth {
		// Valid data of the set is written as that, whichever encoding it had.
		if t, err := p.set.parse(k.raw, ParseOptions{nested: p.opts.nested + 1}); err == nil {
			k.raw = string(t.JSON(""))
		}
	}
	return nil
}

func (p *jsonParser) array(it *item, n *Node, offset int) error {
	if p.blank() != '[' {
		p.reportf(p.newItem(n, it, offset), offset, "RFC 7951 §5.4", "a %s must be a JSON array", n.kind)
		return p.skip()
	}
	p.at++
	for first := true; ; first = false {
		more, err := p.next(first, ']')
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		if err := p.entry(it, n); err != nil {
			return err
		}
	}
}

// entry reads an entry of a list or leaf-list.
func (p *jsonParser) entry(it *item, n *Node) error {
	p.blank()
	k := p.newItem(n, it, p.at)
	if n.kind == KindLeafList {
		ok, err := p.value(k)
		if ok {
			it.add(k)
		}
		return err
	}
	if p.blank() != '{' {
		p.reportf(k, p.at, "RFC 7951 §5.4", "an entry of a list must be a JSON object")
		return p.skip()
	}
	it.add(k)
	if err := p.object(k); err != nil {
		return err
	}
	p.keysOf(k)
	return nil
}

// literal reads a single value as JSON has it; ok is false, with an error for
// people, if it is not one.
func (p *jsonParser) literal() (text string, h hint, bad string, err error) {
	switch p.blank() {
	case '{':
		return "", 0, "a single value is wanted, not an object", p.skip()
	case '[':
		// Only [null], the value of type empty, is an array.
		raw, err := p.raw(0)
		if err != nil {
			return "", 0, "", err
		}
		if raw != "[null]" {
			return "", 0, "a single value is wanted, not an array", nil
		}
		return "", hintNull, "", nil
	}
	text, kind, err := p.scalar()
	if err != nil {
		return "", 0, "", err
	}
	switch kind {
	case '"':
		return text, hintString, "", nil
	case '0':
		return text, hintNumber, "", nil
	case 'n':
		return "", 0, "null is not a value", nil
	}
	return text, hintBool, "", nil
}

// value reads a leaf's value; false after an error of type.
func (p *jsonParser) value(it *item) (bool, error) {
	p.blank()
	offset := p.at
	text, h, wrong, err := p.literal()
	if err != nil {
		return false, err
	}
	if wrong != "" {
		p.reportf(it, offset, "RFC 7951 §6", "%s", wrong)
		return false, nil
	}
	if bad := p.read(it, p.set.reading(it.schema, h), text); bad != nil {
		p.badValue(it, offset, bad)
		return false, nil
	}
	return true, nil
}

// reading returns the context for values of JSON data: prefixes are module
// names (RFC 7951 §6.8).
func (s *Set) reading(n *Node, h hint) *reading {
	return &reading{set: s, node: n, hint: h, hide: n.secret, module: s.prefixes(n)}
}

func (s *Set) prefixes(n *Node) func(string) (string, bool) {
	return func(prefix string) (string, bool) {
		if prefix == "" {
			return n.module.Name, true
		}
		_, ok := s.byName[prefix]
		return prefix, ok
	}
}

// metadata reads an "@" member of an object (RFC 7952 §5.2).
func (p *jsonParser) metadata(it *item, m metaMember) error {
	if m.key == "@" {
		return p.annotations(it, false)
	}
	n := p.find(it, m.key[1:], m.offset)
	if n == nil {
		return nil
	}
	on := it.of(n)
	wrong := func(format string, args ...any) error {
		p.reportf(it, m.offset, "RFC 7952 §5.2", format, args...)
		return nil
	}
	switch n.kind {
	case KindLeafList:
		return p.metaArray(it, on, m)
	case KindLeaf, KindAnyXML:
		if on == nil {
			return wrong("%q annotates %s %q, which is not there", clip(m.key), n.kind, n.name)
		}
		return p.annotations(on[0], true)
	}
	return wrong("%q: annotations of a %s are its member \"@\"", clip(m.key), n.kind)
}

// metaArray reads the annotations of a leaf-list: one object or null an entry.
func (p *jsonParser) metaArray(it *item, on []*item, m metaMember) error {
	if p.blank() != '[' {
		p.reportf(it, m.offset, "RFC 7952 §5.2.3", "the annotations of a leaf-list must be a JSON array")
		return nil
	}
	p.at++
	for i := 0; ; i++ {
		more, err := p.next(i == 0, ']')
		if err != nil || !more {
			return err
		}
		if p.blank() == 'n' {
			if _, _, err := p.scalar(); err != nil {
				return err
			}
			continue
		}
		if i >= len(on) {
			p.reportf(it, p.at, "RFC 7952 §5.2.3", "%q has more entries than the leaf-list", clip(m.key))
			return nil
		}
		if err := p.annotations(on[i], true); err != nil {
			return err
		}
	}
}

// annotations reads an object of annotations. outside says that it stands
// beside the node, not in it.
func (p *jsonParser) annotations(it *item, outside bool) error {
	if p.blank() != '{' {
		p.reportf(it, p.at, "RFC 7952 §5.2", "annotations must be a JSON object")
		return p.skip()
	}
	p.at++
	seen := make(map[string]bool)
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
		text, h, wrong, err := p.literal()
		if err != nil {
			return err
		}
		module, local, ok := strings.Cut(key, ":")
		switch {
		case seen[key]:
			p.reportf(it, offset, "RFC 7951 §4", "the member %q is there twice", clip(key))
		case !ok:
			p.reportf(it, offset, "RFC 7952 §5.2", "annotation %q needs its module: \"MODULE:%s\"", clip(key), clip(key))
		case wrong != "":
			p.reportf(it, offset, "RFC 7951 §6", "annotation %q: %s", clip(key), wrong)
		default:
			a := p.set.annotations[name{module, local}]
			if a == nil {
				a = it.schema
			}
			if it.schema.kind == KindRoot {
				p.reportf(it, offset, "RFC 7952 §5.2", "the whole of the data cannot be annotated")
				break
			}
			p.annotate(it, offset, name{module, local}, text, h, p.set.prefixes(a))
		}
		seen[key] = true
	}
}
