package schemas

import "strings"

// field is a node of the documents that the package writes by name (see
// document for those that it reads).
type field struct {
	name          string
	module, space string // where they change
	text          string
	kids          []*field
	leafy, array  bool
	content       bool   // somebody else writes what is in it
	raw           []byte // or it is this, in the encoding that is written
	// idModule and idSpace qualify the text, which is an identity.
	idModule, idSpace string
}

// leaf adds a value unless it is empty. What it returns can always be changed.
func (f *field) leaf(name, text string) *field {
	k := &field{name: name, text: text, leafy: true}
	if text != "" {
		f.kids = append(f.kids, k)
	}
	return k
}

func (f *field) leafAlways(name, text string) {
	f.kids = append(f.kids, &field{name: name, text: text, leafy: true})
}

func (f *field) leafList(name string, values []string) {
	for _, v := range values {
		f.kids = append(f.kids, &field{name: name, text: v, leafy: true, array: true})
	}
}

func (f *field) node(name string) *field {
	k := &field{name: name}
	f.kids = append(f.kids, k)
	return k
}

func (f *field) entry(name string) *field {
	k := f.node(name)
	k.array = true
	return k
}

// json writes the field as a member, in an object of its own if it is the top.
func (f *field) json(o *output, top bool, content func()) {
	if top {
		o.byte('{')
	}
	name := f.name
	if f.module != "" {
		name = f.module + ":" + name
	}
	o.b = appendJSON(o.b, name)
	o.byte(':')
	f.jsonValue(o, content)
	if top {
		o.byte('}')
	}
}

func (f *field) jsonValue(o *output, content func()) {
	switch {
	case f.content:
		content()
	case f.raw != nil:
		o.b = append(o.b, f.raw...)
	case f.leafy:
		text := f.text
		if f.idModule != "" {
			text = f.idModule + ":" + text
		}
		o.b = appendJSON(o.b, text)
	default:
		o.byte('{')
		for i := 0; i < len(f.kids); i++ {
			if i > 0 {
				o.byte(',')
			}
			k := f.kids[i]
			if !k.array {
				k.json(o, false, content)
				continue
			}
			o.b = appendJSON(o.b, k.name)
			o.str(":[")
			for first := true; i < len(f.kids) && f.kids[i].name == k.name; i++ {
				if !first {
					o.byte(',')
				}
				first = false
				f.kids[i].jsonValue(o, content)
			}
			i--
			o.byte(']')
		}
		o.byte('}')
	}
}

// xml writes the field as an element.
func (f *field) xml(o *output, outer string, content func()) {
	o.str("<" + f.name)
	if f.space != "" && f.space != outer {
		o.attribute("xmlns", f.space)
		outer = f.space
	}
	text := f.text
	if f.idSpace != "" {
		o.attribute("xmlns:id", f.idSpace)
		text = "id:" + text
	}
	o.byte('>')
	switch {
	case f.content:
		content()
	case f.raw != nil:
		o.b = append(o.b, f.raw...)
	case f.leafy:
		o.escape(text, false)
	default:
		for _, k := range f.kids {
			k.xml(o, outer, content)
		}
	}
	o.str("</" + f.name + ">")
}

// lines breaks the JSON of a document into indented lines.
func indentJSON(in []byte, indent string) []byte {
	var o output
	depth := 0
	newline := func() { o.str("\n" + strings.Repeat(indent, depth)) }
	for i := 0; i < len(in); i++ {
		switch c := in[i]; c {
		case '"':
			from := i
			for i++; in[i] != '"'; i++ {
				if in[i] == '\\' {
					i++
				}
			}
			o.b = append(o.b, in[from:i+1]...)
		case '{', '[':
			o.byte(c)
			if i+1 < len(in) && (in[i+1] == '}' || in[i+1] == ']') {
				i++
				o.byte(in[i])
				continue
			}
			depth++
			newline()
		case '}', ']':
			depth--
			newline()
			o.byte(c)
		case ',':
			o.byte(c)
			newline()
		case ':':
			o.str(": ")
		default:
			o.byte(c)
		}
	}
	return append(o.b, '\n')
}
