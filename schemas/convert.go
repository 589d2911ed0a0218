package schemas

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Encoding is how data is written.
type Encoding struct {
	XML    bool   // the encoding of RFC 7950, not the JSON of RFC 7951
	Indent string // of each level; "" for no blanks at all
}

// Convert writes data in another encoding, in the order that it has: entries of
// a list together where the first of them is, in XML the keys of an entry first.
// Syntax, names and types are checked as by Parse; the error then joins a
// *PathError for each fault.
//
// The data is not held in memory, only the largest value and what is around it,
// unless it has a fault, entries of a list apart from each other, annotations
// beside members of an object of more than 256 KiB, in one the keys of a list
// entry after other members, or values of a union that may be references. It is read twice, first to find the faults: nothing
// is written if there is one. Only a failure to read or write, and data that
// changes meanwhile, leaves a part of the output.
func (s *Set) Convert(to io.Writer, in io.ReadSeeker, o ParseOptions, e Encoding) error {
	return s.convert(to, in, o, e, windowSize)
}

func (s *Set) convert(to io.Writer, in io.ReadSeeker, o ParseOptions, e Encoding, window int) error {
	begin, err := in.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("read the data: %w", err)
	}
	again := func() error {
		if _, err := in.Seek(begin, io.SeekStart); err != nil {
			return fmt.Errorf("read the data: %w", err)
		}
		return nil
	}
	err = s.pass(io.Discard, in, o, e, window)
	if err != nil && err != errWhole {
		return err
	}
	if err := again(); err != nil {
		return err
	}
	if err == nil {
		if err = s.pass(to, in, o, e, window); err == errWhole {
			return errors.New("the data changed while it was read: what was written is not complete")
		}
		return err
	}
	text, err := ReadText(in, 0)
	if err != nil {
		return err
	}
	t, err := s.parse(text, o)
	if err != nil {
		return err
	}
	return t.writeAsRead(to, e)
}

// writeAsRead writes a tree in the order that it has.
func (t *Tree) writeAsRead(to io.Writer, e Encoding) error {
	if !e.XML {
		if err := t.Check(); err != nil {
			return err
		}
		w := &jsonWriter{output: output{to: to}, indent: e.Indent, sorted: true, meta: t.meta}
		w.tree(t)
		w.flush()
		return w.err
	}
	if err := t.CheckXML(); err != nil {
		return err
	}
	w := &xmlWriter{output: output{to: to}, tree: t, indent: e.Indent, asRead: true}
	w.all()
	w.flush()
	return w.err
}

// pass reads data once and writes it meanwhile. It fails with errWhole if that
// cannot be.
func (s *Set) pass(to io.Writer, in io.Reader, o ParseOptions, e Encoding, size int) error {
	t := &Tree{set: s, root: &item{schema: s.root, offset: -1}, text: &inputText{}, configOnly: o.ConfigOnly}
	st := &stream{window: window{from: in, size: size}}
	r := &reader{tree: t, set: s, opts: o, stream: st}
	st.frames = []streamFrame{{it: t.root}}
	var end func()
	var out *output
	if e.XML {
		w := &xmlSink{xmlWriter: xmlWriter{output: output{to: to}, tree: t, indent: e.Indent, asRead: true}}
		st.sink, end, out = w, w.end, &w.output
	} else {
		w := &jsonSink{jsonWriter: jsonWriter{output: output{to: to}, indent: e.Indent, sorted: true}, source: t, frames: []jsonFrame{{it: t.root}}}
		w.byte('{')
		st.sink, end, out = w, w.end, &w.output
	}
	text, err := st.next("", size)
	if err == nil {
		text = strings.TrimPrefix(text, "\ufeff")
		if o.XML {
			err = (&xmlParser{reader: r, xmlScanner: xmlScanner{in: text}, spaces: s.namespaces()}).document()
		} else {
			err = (&jsonParser{reader: r, jsonScanner: jsonScanner{in: text}}).document()
		}
	}
	switch {
	case st.broken != nil:
		return st.broken
	case err != nil || len(r.errs) > 0:
		return errWhole
	}
	end()
	out.flush()
	return out.err
}
