package schemas

import (
	"strings"
)

const envelopeName = "ietf-yang-instance-data:instance-data-set"

// Envelope is the description around instance data (RFC 9195).
type Envelope struct {
	Name        string
	Description []string
	Contact     string
	Timestamp   string   // date and time of RFC 3339
	Modules     []string // "name@revision", the schema in simplified form
	Defaults    string   // includes-defaults: "trim", "explicit", "report-all"
}

// InstanceData returns the canonical configuration in an RFC 9195 envelope
// that names the set's implemented modules. Defaults are trimmed, and it says
// so.
func (t *Tree) InstanceData(e Envelope) []byte {
	if e.Modules == nil {
		for _, m := range t.set.Modules() {
			if m.Implemented {
				e.Modules = append(e.Modules, at(m.Name, m.Revision))
			}
		}
	}
	var b strings.Builder
	b.WriteString(`{"` + envelopeName + `":{`)
	list := func(values []string) string {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = quoteJSON(v)
		}
		return "[" + strings.Join(quoted, ",") + "]"
	}
	if e.Name != "" {
		b.WriteString(`"name":` + quoteJSON(e.Name) + ",")
	}
	b.WriteString(`"includes-defaults":"trim",`)
	b.WriteString(`"content-schema":{"module":` + list(e.Modules) + "},")
	if len(e.Description) > 0 {
		b.WriteString(`"description":` + list(e.Description) + ",")
	}
	if e.Contact != "" {
		b.WriteString(`"contact":` + quoteJSON(e.Contact) + ",")
	}
	if e.Timestamp != "" {
		b.WriteString(`"timestamp":` + quoteJSON(e.Timestamp) + ",")
	}
	b.WriteString(`"content-data":`)
	b.Write(t.Canonical())
	b.WriteString("}}")
	return []byte(b.String())
}

// envelope reads the inside of an instance-data-set. Its members may come in
// any order, so that the data may come before the schema that it names.
func (p *jsonParser) envelope() error {
	if err := p.expect('{'); err != nil {
		return err
	}
	info := &p.tree.info
	found := false
	for first := true; ; first = false {
		more, err := p.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			if !found {
				p.reportf(p.tree.root, p.at, "RFC 9195 §2", "the instance-data-set has no content-data")
			}
			return nil
		}
		offset := p.at
		key, err := p.str()
		if err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		switch key {
		case "content-data":
			found = true
			if p.blank() != '{' {
				return p.fail("content-data must be a JSON object")
			}
			err = p.object(p.tree.root)
		case "name":
			info.Name, err = p.str()
		case "contact":
			info.Contact, err = p.str()
		case "timestamp":
			info.Timestamp, err = p.str()
		case "includes-defaults":
			info.Defaults, err = p.str()
		case "description":
			info.Description, err = p.strings()
		case "content-schema":
			err = p.contentSchema()
		case "format-version", "revision", "datastore":
			err = p.skip()
		default:
			p.reportf(p.tree.root, offset, "RFC 9195 §2", "there is no member %q in an instance-data-set", clip(key))
			err = p.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (p *jsonParser) strings() ([]string, error) {
	if p.blank() == '"' {
		s, err := p.str()
		return []string{s}, err
	}
	if err := p.expect('['); err != nil {
		return nil, err
	}
	var out []string
	for first := true; ; first = false {
		more, err := p.next(first, ']')
		if err != nil || !more {
			return out, err
		}
		s, err := p.str()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
}

// contentSchema reads the simplified inline schema and compares it with the
// set: data of another revision may mean something else.
func (p *jsonParser) contentSchema() error {
	if err := p.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := p.next(first, '}')
		if err != nil || !more {
			return err
		}
		offset := p.at
		key, err := p.str()
		if err != nil {
			return err
		}
		if err := p.expect(':'); err != nil {
			return err
		}
		if key != "module" {
			p.reportf(p.tree.root, offset, "RFC 9195 §2.1", "content-schema: %q is not supported, only the simplified form %q", clip(key), "module")
			if err := p.skip(); err != nil {
				return err
			}
			continue
		}
		names, err := p.strings()
		if err != nil {
			return err
		}
		p.tree.info.Modules = names
		for _, n := range names {
			module, rev, _ := strings.Cut(n, "@")
			m := p.set.byName[module]
			switch {
			case m == nil || !m.Implemented:
				p.reportf(p.tree.root, offset, "RFC 9195 §2.1", "the data needs module %q, which the set does not implement", clip(n))
			case rev != "" && m.Revision != rev:
				p.reportf(p.tree.root, offset, "RFC 9195 §2.1", "the data needs module %q, the set has revision %q", clip(n), m.Revision)
			}
		}
	}
}
