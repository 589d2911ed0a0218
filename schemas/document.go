package schemas

import (
	"fmt"
	"strings"
)

// document is data of the few modules that the package itself speaks:
// instance-data envelopes, YANG libraries and YANG patches. They are read by
// name, because the modules need not be in the set. Both encodings give the
// same tree: an array is several children of one name.
type document struct {
	space    string // namespace in XML, module in JSON
	name     string
	text     string // of a single value
	scalar   bool
	offset   int
	kids     []*document
	json     int         // where the value begins, in JSON
	xml      *xmlScanner // just after the start tag, in XML
	repeated bool        // it was an entry of an array
}

const maxDocumentNodes = 4 << 20

// documentReader bounds how much one document may hold.
type documentReader struct {
	nodes   int
	without string
}

func (r *documentReader) node(d *document) error {
	if r.nodes++; r.nodes > maxDocumentNodes {
		return &syntaxError{d.offset, "the document has too many nodes"}
	}
	return nil
}

// json reads the value of a member.
func (r *documentReader) json(s *jsonScanner, space, member string, offset, depth int) ([]*document, error) {
	if module, local, ok := strings.Cut(member, ":"); ok {
		space, member = module, local
	}
	if depth > maxJSONDepth {
		return nil, s.fail("values are nested more than %d deep", maxJSONDepth)
	}
	if s.blank() == '[' && !strings.HasPrefix(s.in[s.at:], "[null]") {
		s.at++
		var out []*document
		for first := true; ; first = false {
			more, err := s.next(first, ']')
			if err != nil || !more {
				return out, err
			}
			if s.blank() == '[' {
				return nil, s.fail("an array in an array")
			}
			d, err := r.json(s, space, member, s.at, depth+1)
			if err != nil {
				return nil, err
			}
			d[0].repeated = true
			out = append(out, d...)
		}
	}
	d := &document{space: space, name: member, offset: offset, json: s.at}
	if err := r.node(d); err != nil {
		return nil, err
	}
	if r.without != "" && member == r.without {
		return []*document{d}, s.skip()
	}
	switch s.blank() {
	case '[': // [null]
		_, err := s.raw(0)
		d.scalar = true
		return []*document{d}, err
	case '{':
		s.at++
		seen := make(map[string]bool)
		for first := true; ; first = false {
			more, err := s.next(first, '}')
			if err != nil || !more {
				return []*document{d}, err
			}
			s.blank()
			at := s.at
			key, err := s.str()
			if err != nil {
				return nil, err
			}
			if seen[key] {
				return nil, &syntaxError{at, fmt.Sprintf("the member %q is there twice", clip(key))}
			}
			seen[key] = true
			if err := s.expect(':'); err != nil {
				return nil, err
			}
			kids, err := r.json(s, space, key, at, depth+1)
			if err != nil {
				return nil, err
			}
			d.kids = append(d.kids, kids...)
		}
	}
	var err error
	d.text, _, err = s.scalar()
	d.scalar = true
	return []*document{d}, err
}

// xml reads an element whose start was read.
func (r *documentReader) xml(s *xmlScanner, start xmlToken) (*document, error) {
	state := *s
	state.open = append([]xmlFrame(nil), s.open[len(s.open)-1:]...)
	d := &document{space: start.space, name: start.local, offset: start.offset, xml: &state}
	if err := r.node(d); err != nil {
		return nil, err
	}
	if r.without != "" && d.name == r.without {
		return d, s.skip()
	}
	for {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		switch t.kind {
		case xmlText:
			d.text += t.text
		case xmlStart:
			k, err := r.xml(s, t)
			if err != nil {
				return nil, err
			}
			d.kids = append(d.kids, k)
		case xmlEnd:
			d.scalar = len(d.kids) == 0
			d.text = strings.TrimSpace(d.text)
			return d, nil
		}
	}
}

// readDocument reads the one top-level node of a text, without what nodes of the
// name without have in them.
func readDocument(in string, xml bool, without string) (*document, error) {
	in = strings.TrimPrefix(in, "\ufeff")
	if i := invalidUTF8(in); i < len(in) {
		return nil, &syntaxError{i, "the input is not UTF-8"}
	}
	r := documentReader{without: without}
	if !xml {
		s := &jsonScanner{in: in}
		if s.blank() != '{' {
			return nil, s.fail("the data must be a JSON object")
		}
		top, err := r.json(s, "", "", 0, 0)
		if err != nil {
			return nil, err
		}
		if s.blank(); s.at < len(in) {
			return nil, s.fail("there is more after the end")
		}
		if len(top[0].kids) != 1 {
			return nil, &syntaxError{0, fmt.Sprintf("one top-level member is wanted, there are %d", len(top[0].kids))}
		}
		return top[0].kids[0], nil
	}
	s := &xmlScanner{in: in}
	if err := s.begin(); err != nil {
		return nil, err
	}
	var top *document
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == xmlEOF && top == nil:
			return nil, s.fail(t.offset, "the input is empty")
		case t.kind == xmlEOF:
			return top, nil
		case t.kind == xmlText && strings.TrimSpace(t.text) == "":
			continue
		case t.kind != xmlStart || top != nil:
			return nil, s.fail(t.offset, "there is more than one top-level element")
		}
		if xmlWrapper(t.space, t.local) {
			continue // its end is checked by the scanner
		}
		if top, err = r.xml(s, t); err != nil {
			return nil, err
		}
		if len(s.open) > 0 {
			for t.kind != xmlEOF {
				if t, err = s.next(); err != nil {
					return nil, err
				}
				if t.kind == xmlStart {
					return nil, s.fail(t.offset, "there is more than one top-level element")
				}
			}
			return top, nil
		}
	}
}

// child returns the first child of that name in the same module, or nil.
func (d *document) child(name string) *document {
	for _, k := range d.kids {
		if k.name == name && k.space == d.space {
			return k
		}
	}
	return nil
}

// all returns the children of that name.
func (d *document) all(name string) []*document {
	var out []*document
	for _, k := range d.kids {
		if k.name == name && k.space == d.space {
			out = append(out, k)
		}
	}
	return out
}

// value returns the text of a child, "" if there is none.
func (d *document) value(name string) string {
	if k := d.child(name); k != nil {
		return k.text
	}
	return ""
}

// values returns the texts of all children of that name.
func (d *document) values(name string) []string {
	var out []string
	for _, k := range d.all(name) {
		out = append(out, k.text)
	}
	return out
}

// identity returns the name in an identityref, whatever its prefix is.
func (d *document) identity(name string) string {
	v := d.value(name)
	if i := strings.LastIndexByte(v, ':'); i >= 0 {
		return v[i+1:]
	}
	return v
}
