package schemas

import (
	"errors"
	"fmt"
	"strings"
)

// errWhole says that data cannot be passed on while it is read, or has a fault:
// it has to be read as a whole, and then the fault is told.
var errWhole = errors.New("the data has to be read as a whole")

// stream passes data on while it is read. A node that is in the window from its
// beginning to its end is read as any other, handed to the sink, and forgotten;
// a container or list entry that is larger is opened, and what is in it passed on
// one by one. Thus memory is that of the window, or of the largest single value.
//
// Not passed on are: entries of one list that stand apart, because in JSON they
// are one array; keys of a large list entry that do not come first, which they
// have to in XML; annotations beside members of a large JSON object; values of a
// union that may be references, which depends on all the data. They end in
// errWhole, as does every fault.
type stream struct {
	window
	sink   sink
	inside bool // a node is being read that is not opened
	frames []streamFrame
	broken error // of reading or writing
}

// sink takes nodes in document order.
type sink interface {
	put(k *item)  // a whole node
	open(k *item) // one whose children follow
	close()       // the one that was opened last
	failed() error
}

// streamFrame is an open node.
type streamFrame struct {
	it   *item
	last *Node // the list or leaf-list whose entry came last
	keys int   // of a list entry: how many there were
}

// sent returns why the sink could not take what it was given.
func (s *stream) sent() error {
	err := s.sink.failed()
	if err != nil && err != errWhole {
		s.broken = err
	}
	return err
}

// spine reports whether the parser is among the nodes that are opened.
func (r *reader) spine() bool { return r.stream != nil && !r.stream.inside }

// low reports whether so little of the input is left in the window that nodes
// of usual size may not be there to their end.
func (s *stream) low(left int) bool { return !s.end && left < s.size/2 }

// turn checks that a node may come here.
func (s *stream) turn(it *item, n *Node) error {
	f := &s.frames[len(s.frames)-1]
	if (n.kind == KindList || n.kind == KindLeafList) && n != f.last && it.of(n) != nil {
		return errWhole
	}
	f.last = n
	if it.schema.kind == KindList && f.keys < len(it.schema.keys) {
		if f.keys++; n.keyIndex != f.keys {
			return errWhole
		}
	}
	return nil
}

// attempt reads a node as a whole. cut says that it does not end in the window,
// so that nothing came of it.
func (r *reader) attempt(it *item, n *Node, read func() error) (cut bool, err error) {
	s := r.stream
	s.inside = true
	err = read()
	s.inside = false
	if err != nil && !s.end {
		r.forget(it, n)
		return true, nil
	}
	if err != nil || len(r.errs) > 0 || len(r.unsure) > 0 {
		return false, errWhole
	}
	all := it.of(n)
	s.sink.put(all[len(all)-1])
	r.forget(it, n)
	if n.kind != KindList && n.kind != KindLeafList {
		it.add(&item{schema: n}) // it must not come again
	}
	return false, s.sent()
}

// forget takes the last child of a schema node away, and what was noted of it.
// An empty group stays: there were entries.
func (r *reader) forget(it *item, n *Node) {
	r.tree.meta, r.spoilt = nil, nil
	for i := range it.groups {
		if g := &it.groups[i]; g.schema == n && len(g.items) > 0 {
			last := len(g.items) - 1
			g.items[last] = nil
			if g.items = g.items[:last]; n.kind != KindList && n.kind != KindLeafList {
				g.items = nil
			}
		}
	}
}

// opened passes on a container or list entry, its beginning, what content reads,
// and its end.
func (r *reader) opened(k *item, content func() error) error {
	s := r.stream
	k.parent.add(k)
	if len(r.errs) > 0 {
		return errWhole
	}
	s.sink.open(k)
	r.tree.meta = nil
	s.frames = append(s.frames, streamFrame{it: k})
	if err := content(); err != nil {
		return err
	}
	f := s.frames[len(s.frames)-1]
	s.frames = s.frames[:len(s.frames)-1]
	if len(r.errs) > 0 || f.keys < len(k.schema.keys) {
		return errWhole
	}
	s.sink.close()
	k.groups = nil
	if k.schema.kind == KindList {
		r.forget(k.parent, k.schema)
	}
	return s.sent()
}

func (s *stream) next(rest string, n int) (string, error) {
	in, err := s.more(rest, n)
	if err != nil && err != errWhole {
		s.broken = fmt.Errorf("read the data: %w", err)
	}
	return in, err
}

// slide moves the window on, so that it begins where the scanner is and n more
// bytes are in it.
func (p *xmlParser) slide(n int) (err error) {
	p.in, err = p.stream.next(p.in[p.at:], n)
	p.at = 0
	return err
}

// spineToken is next among the nodes that are opened.
func (p *xmlParser) spineToken() (xmlToken, error) {
	s := p.stream
	if s.low(len(p.in) - p.at) {
		if err := p.slide(s.size); err != nil {
			return xmlToken{}, err
		}
	}
	for grow := s.size; ; grow *= 2 {
		p.clear = p.at
		before := p.xmlScanner
		t, err := p.xmlScanner.next()
		if s.end || err == nil && t.kind != xmlEOF {
			return t, err
		}
		clear := p.clear
		p.xmlScanner = before
		p.at = clear
		if err := p.slide(grow); err != nil {
			return xmlToken{}, err
		}
		if clear > before.at {
			grow = s.size / 2 // there was progress
		}
	}
}

// streamed passes on an element whose start was read.
func (p *xmlParser) streamed(it *item, n *Node, t xmlToken) error {
	s := p.stream
	if err := s.turn(it, n); err != nil {
		return err
	}
	for grow := s.size; ; grow *= 2 {
		before := p.xmlScanner
		cut, err := p.attempt(it, n, func() error { return p.node(it, n, t) })
		if !cut {
			return err
		}
		p.xmlScanner = before
		if n.kind == KindContainer || n.kind == KindList {
			break
		}
		if err := p.slide(grow); err != nil {
			return err
		}
	}
	// What is kept must not keep the window.
	top := &p.open[len(p.open)-1]
	top.name = strings.Clone(top.name)
	for b := p.scope; b != top.outer; b = b.up {
		b.prefix, b.space = strings.Clone(b.prefix), strings.Clone(b.space)
	}
	k := &item{schema: n, parent: it}
	p.attributes(k, t, p.scope)
	return p.opened(k, func() error { return p.content(k) })
}

// fill sees to it that there is enough of the input in the window.
func (p *jsonParser) fill() error {
	if !p.stream.low(len(p.in) - p.at) {
		return nil
	}
	return p.slide(p.stream.size)
}

func (p *jsonParser) slide(n int) (err error) {
	p.in, err = p.stream.next(p.in[p.at:], n)
	p.at = 0
	return err
}

// streamObject is object among the nodes that are opened.
func (p *jsonParser) streamObject(it *item) error {
	if err := p.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		if err := p.fill(); err != nil {
			return err
		}
		more, err := p.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			return p.fill() // for what comes after it
		}
		p.blank()
		key, err := p.str()
		if err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		n := p.lookup(it, key, 0)
		switch {
		case n == nil: // or it is an annotation
			return errWhole
		case n.kind == KindList || n.kind == KindLeafList:
			err = p.streamArray(it, n)
		default:
			err = p.streamed(it, n)
		}
		if err != nil {
			return err
		}
	}
}

// streamArray is array among the nodes that are opened.
func (p *jsonParser) streamArray(it *item, n *Node) error {
	if p.blank() != '[' {
		return errWhole
	}
	p.at++
	for first := true; ; first = false {
		if err := p.fill(); err != nil {
			return err
		}
		more, err := p.next(first, ']')
		if err != nil || !more {
			return err
		}
		if err := p.streamed(it, n); err != nil {
			return err
		}
	}
}

// streamed passes on the value of a member, or an entry of an array.
func (p *jsonParser) streamed(it *item, n *Node) error {
	s := p.stream
	if err := s.turn(it, n); err != nil {
		return err
	}
	for grow := s.size; ; grow *= 2 {
		before := p.at
		cut, err := p.attempt(it, n, func() error {
			if n.kind == KindList || n.kind == KindLeafList {
				return p.entry(it, n)
			}
			return p.member(it, n, before)
		})
		if !cut {
			return err
		}
		p.at = before
		if n.kind == KindContainer || n.kind == KindList {
			break
		}
		if err := p.slide(grow); err != nil {
			return err
		}
	}
	if p.blank() != '{' {
		return errWhole
	}
	k := &item{schema: n, parent: it}
	return p.opened(k, func() error { return p.object(k) })
}
