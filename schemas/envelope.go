package schemas

import (
	"slices"
	"strings"
	"time"
)

const (
	envelopeName  = "ietf-yang-instance-data:instance-data-set"
	envelopeSpace = "urn:ietf:params:xml:ns:yang:ietf-yang-instance-data"
)

// Envelope is the description around instance data (RFC 9195). Its members are
// those of ietf-yang-instance-data@2022-02-17, in that order when it is written.
type Envelope struct {
	Name         string
	Description  []string
	Contact      string
	Organization string
	Datastore    string // of ietf-datastores: "running", "operational"
	Timestamp    string // date and time of RFC 3339
	Revisions    []EnvelopeRevision
	Defaults     string // includes-defaults: "trim", "explicit", "report-all", "report-all-tagged"; "" means report-all

	// The schema, in one of the three forms that RFC 9195 §2.1 has.
	Modules []string // "name@revision": the simplified form
	Library *Library // inline-yang-library
	SameAs  string   // same-schema-as-file: the URI of another instance-data file
}

// EnvelopeRevision is an entry of an envelope's history.
type EnvelopeRevision struct{ Date, Description string }

// InstanceData returns the canonical configuration in an RFC 9195 envelope. If
// e has no schema, it names the set's implemented modules. Defaults are
// trimmed, and it says so.
func (t *Tree) InstanceData(e Envelope) []byte {
	var o output
	t.envelope(e).json(&o, true, func() { o.b = append(o.b, t.Canonical()...) })
	return o.b
}

// InstanceDataXML is InstanceData in XML.
func (t *Tree) InstanceDataXML(e Envelope) ([]byte, error) {
	inner, err := t.Normal().XML("")
	if err != nil {
		return nil, err
	}
	var o output
	t.envelope(e).xml(&o, "", func() { o.b = append(o.b, inner...) })
	return o.b, nil
}

// envelope writes the description as fields, content-data without content
// among them.
func (t *Tree) envelope(e Envelope) *field {
	if e.Modules == nil && e.Library == nil && e.SameAs == "" {
		for _, m := range t.set.Modules() {
			if m.Implemented {
				e.Modules = append(e.Modules, at(m.Name, m.Revision))
			}
		}
	}
	top := &field{name: "instance-data-set", module: "ietf-yang-instance-data", space: envelopeSpace}
	top.leaf("name", e.Name)
	top.leaf("includes-defaults", "trim")
	schema := top.node("content-schema")
	switch {
	case e.Library != nil:
		lib := schema.node("inline-yang-library")
		lib.kids = append(lib.kids, e.Library.fields(false))
	case e.SameAs != "":
		schema.leaf("same-schema-as-file", e.SameAs)
	default:
		schema.leafList("module", e.Modules)
	}
	top.leafList("description", e.Description)
	top.leaf("contact", e.Contact)
	top.leaf("organization", e.Organization)
	if e.Datastore != "" {
		d := top.leaf("datastore", e.Datastore)
		d.idModule, d.idSpace = "ietf-datastores", datastoresSpace
	}
	for _, r := range e.Revisions {
		n := top.entry("revision")
		n.leaf("date", r.Date)
		n.leaf("description", r.Description)
	}
	top.leaf("timestamp", e.Timestamp)
	top.node("content-data").content = true
	return top
}

// envelope reads the inside of an instance-data-set. Its members may come in
// any order, so that the data may come before the schema that it names.
func (p *jsonParser) envelope() error {
	if err := p.expect('{'); err != nil {
		return err
	}
	start := p.at - 1
	top := &document{space: "ietf-yang-instance-data", name: "instance-data-set", offset: start}
	var docs documentReader
	found := false
	for first := true; ; first = false {
		more, err := p.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			p.described(top)
			return nil
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
		if strings.TrimPrefix(key, "ietf-yang-instance-data:") == "content-data" {
			if found {
				p.reportf(p.tree.root, offset, "RFC 7951 §4", "the member %q is there twice", key)
				return p.skip()
			}
			found = true
			if p.blank() != '{' {
				return p.fail("content-data must be a JSON object")
			}
			err = p.object(p.tree.root)
		} else {
			var kids []*document
			kids, err = docs.json(&p.jsonScanner, top.space, key, offset, 0)
			top.kids = append(top.kids, kids...)
		}
		if err != nil {
			return err
		}
	}
}

func (p *xmlParser) envelope() error {
	top := &document{space: envelopeSpace, name: "instance-data-set", offset: p.xmlScanner.at}
	var docs documentReader
	found := false
	for {
		t, err := p.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case xmlText:
			p.blankText(p.tree.root, t)
			continue
		case xmlEnd:
			p.described(top)
			return nil
		}
		if t.space == envelopeSpace && t.local == "content-data" && !found {
			found = true
			if err := p.content(p.tree.root); err != nil {
				return err
			}
			continue
		}
		d, err := docs.xml(&p.xmlScanner, t)
		if err != nil {
			return err
		}
		top.kids = append(top.kids, d)
	}
}

const envelopeRule = "RFC 9195 §2"

// described takes an envelope's description over, and compares the schema that
// it names with the set: data of another revision may mean something else.
func (r *reader) described(top *document) {
	root := r.tree.root
	for i, k := range top.kids {
		many := k.name == "description" || k.name == "revision"
		scalar := k.name != "content-schema" && k.name != "revision"
		switch k.name {
		case "name", "contact", "organization", "timestamp", "includes-defaults", "description", "content-schema", "format-version", "revision", "datastore":
			twice := false
			for _, o := range top.kids[:i] {
				twice = twice || o.name == k.name && o.space == k.space
			}
			switch {
			case k.space != top.space:
				r.reportf(root, k.offset, envelopeRule, "there is no member %q of that module in an instance-data-set", clip(k.name))
			case twice && !many:
				r.reportf(root, k.offset, envelopeRule, "the member %q is there twice", k.name)
			case k.scalar != scalar && !(k.name == "content-schema" && len(k.kids) == 0):
				r.reportf(root, k.offset, envelopeRule, "the member %q is malformed", k.name)
			}
		default:
			r.reportf(root, k.offset, envelopeRule, "there is no member %q in an instance-data-set", clip(k.name))
		}
	}
	e := &r.tree.info
	e.Name, e.Contact, e.Organization = top.value("name"), top.value("contact"), top.value("organization")
	e.Timestamp, e.Defaults, e.Description = top.value("timestamp"), top.value("includes-defaults"), top.values("description")
	e.Datastore = top.identity("datastore")
	for _, k := range top.all("revision") {
		rev := EnvelopeRevision{k.value("date"), k.value("description")}
		if !isDate(rev.Date) || slices.ContainsFunc(e.Revisions, func(o EnvelopeRevision) bool { return o.Date == rev.Date }) {
			r.reportf(root, k.offset, envelopeRule, "a revision needs a date of its own, YYYY-MM-DD: %q", clip(rev.Date))
		}
		e.Revisions = append(e.Revisions, rev)
	}
	if v := top.child("format-version"); v != nil && !isDate(v.text) {
		r.reportf(root, v.offset, envelopeRule, "format-version %q is not a date", clip(v.text))
	}
	if t := top.child("timestamp"); t != nil {
		if _, err := time.Parse(time.RFC3339, t.text); err != nil {
			r.reportf(root, t.offset, envelopeRule, "timestamp %q is not a date and time of RFC 3339", clip(t.text))
		}
	}
	if d := top.child("includes-defaults"); d != nil {
		switch DefaultMode(d.text) {
		case Explicit, Trim, ReportAll, ReportAllTagged:
		default:
			r.reportf(root, d.offset, envelopeRule, "includes-defaults %q is none of: report-all, report-all-tagged, trim, explicit", clip(d.text))
		}
	}
	if s := top.child("content-schema"); s != nil {
		r.contentSchema(e, s)
	}
}

func (r *reader) contentSchema(e *Envelope, s *document) {
	const rule = "RFC 9195 §2.1"
	root := r.tree.root
	forms := 0
	for i, k := range s.kids {
		if k.space != s.space || k.name != "module" && k.name != "inline-yang-library" && k.name != "same-schema-as-file" {
			r.reportf(root, k.offset, rule, "there is no member %q in content-schema", clip(k.name))
			continue
		}
		if i == 0 || s.kids[i-1].name != k.name {
			forms++
		}
	}
	if forms > 1 {
		r.reportf(root, s.offset, rule, "the schema is given in more than one form")
	}
	e.SameAs = s.value("same-schema-as-file")
	for _, k := range s.all("module") {
		name, rev, dated := strings.Cut(k.text, "@")
		switch {
		case !isIdentifier(name) || dated && !isDate(rev):
			r.reportf(root, k.offset, rule, "module %q is neither NAME nor NAME@REVISION", clip(k.text))
		case slices.ContainsFunc(e.Modules, func(o string) bool { o, _, _ = strings.Cut(o, "@"); return o == name }):
			r.reportf(root, k.offset, rule, "module %q is there twice", clip(name))
		default:
			r.needs(k.offset, k.text)
		}
		e.Modules = append(e.Modules, k.text)
	}
	inline := s.child("inline-yang-library")
	if inline == nil {
		return
	}
	if len(inline.kids) != 1 {
		r.reportf(root, inline.offset, rule, "inline-yang-library holds no YANG library")
		return
	}
	lib, err := inline.kids[0].library()
	if err != nil {
		r.reportf(root, asSyntaxError(err).offset, rule, "%s", err.Error())
		return
	}
	e.Library = lib
	for _, m := range lib.Modules {
		if m.Implemented {
			r.needs(inline.offset, at(m.Name, m.Revision))
		}
	}
}

// needs reports a module that the data is of and that the set does not have.
func (r *reader) needs(offset int, module string) {
	const rule = "RFC 9195 §2.1"
	n, rev, _ := strings.Cut(module, "@")
	m := r.set.byName[n]
	switch {
	case m == nil || !m.Implemented:
		r.reportf(r.tree.root, offset, rule, "the data needs module %q, which the set does not implement", clip(module))
	case rev != "" && m.Revision != rev:
		r.reportf(r.tree.root, offset, rule, "the data needs module %q, the set has revision %q", clip(module), m.Revision)
	}
}

// ReadEnvelope returns the envelope around data, without reading the data: it
// names the schema with which that can be read. ok is false if there is none.
func ReadEnvelope[T string | []byte](data T, xml bool) (e Envelope, ok bool, err error) {
	in := strings.TrimPrefix(string(data), "\ufeff")
	if xml && !strings.Contains(in, envelopeSpace) || !xml && !strings.Contains(in, envelopeName) {
		return e, false, nil
	}
	text := &inputText{in: in}
	top, err := readDocument(in, xml, "content-data")
	if err == nil && top.name == "instance-data-set" {
		r := &reader{tree: &Tree{root: &item{schema: &Node{}}, text: text}, set: &Set{}}
		r.describedOnly(top)
		return r.tree.info, true, nil
	}
	if err != nil {
		rule := "RFC 8259"
		if xml {
			rule = "XML 1.0"
		}
		err = syntaxFault(err, in, rule)
	}
	return e, false, err
}

// describedOnly is described without a set: what does not fit is reported when
// the data is read.
func (r *reader) describedOnly(top *document) {
	kids := top.kids[:0:0]
	for _, k := range top.kids {
		if k.name != "content-data" {
			kids = append(kids, k)
		}
	}
	top.kids = kids
	r.described(top)
	r.errs = nil
}
