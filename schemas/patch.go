package schemas

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	patchModule = "ietf-yang-patch"
	patchSpace  = "urn:ietf:params:xml:ns:yang:ietf-yang-patch"
	patchRule   = "RFC 8072 §2"
)

// Patch is a YANG Patch (RFC 8072): edits that are made in their order, all or
// none. Its paths are those of RESTCONF, relative to the whole of the data. It
// holds values of secret nodes as they are.
type Patch struct {
	ID      string
	Comment string

	set   *Set
	edits []patchEdit
}

type patchEdit struct {
	change
	id           string
	line, column int // in the document, 0 if it comes from Diff
}

// NewPatch makes a patch of edits that come from Diff. Edits of nodes that
// RESTCONF cannot name (entries of lists without keys) are not possible; they
// are state and never in a Diff.
func (s *Set) NewPatch(id string, edits []Edit) (*Patch, error) {
	p := &Patch{ID: id, set: s}
	for i, e := range edits {
		c, err := e.change()
		if err != nil {
			return nil, fmt.Errorf("edit %d: %w", i+1, err)
		}
		p.edits = append(p.edits, patchEdit{change: c, id: strconv.Itoa(i + 1)})
	}
	return p, nil
}

// Len returns the number of edits.
func (p *Patch) Len() int { return len(p.edits) }

// JSON writes the patch as application/yang-patch+json, in lines with indent
// unless that is empty.
func (p *Patch) JSON(indent string) []byte {
	top := p.fields(func(e patchEdit) []byte {
		w := &jsonWriter{sorted: false}
		if len(e.path) == 0 {
			w.object(e.value, sortedGroups(e.value), 0)
			return w.b
		}
		n := e.value.schema
		w.byte('{')
		w.name(n.module.Name + ":" + n.name)
		w.group(group{n, []*item{e.value}}, 0)
		w.byte('}')
		return w.b
	})
	var o output
	top.json(&o, true, nil)
	if indent == "" {
		return o.b
	}
	return indentJSON(o.b, indent)
}

// XML writes the patch as application/yang-patch+xml.
func (p *Patch) XML() ([]byte, error) {
	w := &xmlWriter{tree: &Tree{set: p.set}}
	top := p.fields(func(e patchEdit) []byte {
		w.output = output{}
		if len(e.path) > 0 {
			w.top(e.value)
			return w.b
		}
		for _, g := range sortedGroups(e.value) {
			for _, k := range g.items {
				w.top(k)
			}
		}
		return w.b
	})
	var o output
	top.xml(&o, "", nil)
	return o.b, w.fault()
}

// top writes an element that declares its namespace whatever is around it.
func (w *xmlWriter) top(it *item) {
	alone := *it
	alone.parent = &item{schema: w.tree.set.root}
	w.element(&alone, 0)
}

func (p *Patch) fields(value func(patchEdit) []byte) *field {
	top := &field{name: "yang-patch", module: patchModule, space: patchSpace}
	top.leafAlways("patch-id", p.ID)
	top.leaf("comment", p.Comment)
	for _, e := range p.edits {
		f := top.entry("edit")
		f.leaf("edit-id", e.id)
		f.leaf("operation", string(e.op))
		f.leaf("target", e.path.resource())
		if e.op == OpInsert || e.op == OpMove {
			if e.point != nil {
				f.leaf("point", e.point.resource())
			}
			f.leaf("where", e.where)
		}
		if e.value != nil && e.op != OpMove {
			f.node("value").raw = value(e)
		}
	}
	return top
}

// ReadPatch reads a YANG Patch against the set. The values are read as data is;
// whether an edit fits is known when it is made. The error joins a *PathError
// for each fault found.
func (s *Set) ReadPatch(data []byte, o ParseOptions) (*Patch, error) {
	in := strings.TrimPrefix(string(data), "\ufeff")
	top, err := readDocument(in, o.XML, "")
	if err != nil {
		rule := "RFC 8259"
		if o.XML {
			rule = "XML 1.0"
		}
		return nil, syntaxFault(err, in, rule)
	}
	t := &Tree{set: s, root: &item{schema: s.root, offset: -1}, text: &inputText{in: in}, configOnly: o.ConfigOnly}
	r := &patchReader{reader: &reader{tree: t, set: s, opts: o}, patch: &Patch{set: s}}
	r.read(top)
	if len(r.errs) > 0 {
		return nil, joinPaths(r.errs, 0)
	}
	return r.patch, nil
}

type patchReader struct {
	*reader
	patch *Patch
}

func (r *patchReader) fault(d *document, format string, args ...any) {
	path := "/ietf-yang-patch:yang-patch"
	r.faultAt(path, d.offset, patchRule, format, args...)
}

func (r *patchReader) read(top *document) {
	if top.name != "yang-patch" || top.space != patchModule && top.space != patchSpace {
		r.fault(top, "a yang-patch is wanted, the top is %q", clip(top.name))
		return
	}
	r.known(top, "patch-id", "comment", "edit")
	id := top.child("patch-id")
	if id == nil {
		r.fault(top, "the patch-id is missing")
		return
	}
	r.patch.ID, r.patch.Comment = id.text, top.value("comment")
	seen := make(map[string]bool)
	for _, d := range top.all("edit") {
		r.known(d, "edit-id", "operation", "target", "point", "where", "value")
		e := patchEdit{id: d.value("edit-id")}
		e.line, e.column = r.tree.text.position(d.offset)
		if e.id == "" || seen[e.id] {
			r.fault(d, "the edit-id %q is missing or there twice", clip(e.id))
		}
		seen[e.id] = true
		r.edit(d, &e)
		r.patch.edits = append(r.patch.edits, e)
	}
}

// known reports children that there are not, and those that are there twice.
func (r *patchReader) known(d *document, names ...string) {
	seen := make(map[string]bool)
	for _, k := range d.kids {
		found := false
		for _, n := range names {
			found = found || n == k.name && k.space == d.space
		}
		switch {
		case !found:
			r.fault(k, "there is no member %q in %s", clip(k.name), d.name)
		case seen[k.name] && k.name != "edit":
			r.fault(k, "the member %q is there twice", k.name)
		}
		seen[k.name] = true
	}
}

func (r *patchReader) edit(d *document, e *patchEdit) {
	target := d.child("target")
	if target == nil {
		r.fault(d, "edit %q has no target", clip(e.id))
		return
	}
	path, err := r.set.parseResource(target.text)
	if err != nil {
		r.fault(target, "edit %q: target %q: %v", clip(e.id), clip(target.text), err)
		return
	}
	if len(path) > 0 && path[len(path)-1].node.keyIndex > 0 {
		r.fault(target, "edit %q: the key of an entry cannot be changed", clip(e.id))
		return
	}
	e.path = path
	e.op = Op(d.value("operation"))
	places := e.op == OpInsert || e.op == OpMove
	wants := false
	switch e.op {
	case OpCreate, OpInsert, OpMerge, OpReplace:
		wants = true
	case OpDelete, OpMove, OpRemove:
	default:
		r.fault(d, "edit %q: there is no operation %q", clip(e.id), clip(string(e.op)))
		return
	}
	where, point := d.child("where"), d.child("point")
	if !places && (where != nil || point != nil) {
		r.fault(d, "edit %q: %s takes no where or point", clip(e.id), e.op)
	}
	if places {
		e.where = "last"
		if where != nil {
			e.where = where.text
		}
		relative := e.where == "before" || e.where == "after"
		switch {
		case !relative && e.where != "first" && e.where != "last":
			r.fault(where, "edit %q: where %q is none of: before, after, first, last", clip(e.id), clip(e.where))
		case relative != (point != nil):
			r.fault(d, "edit %q: a point goes with before and after, and with nothing else", clip(e.id))
		case relative:
			if e.point, err = r.set.parseResource(point.text); err != nil {
				r.fault(point, "edit %q: point %q: %v", clip(e.id), clip(point.text), err)
			}
		}
	}
	value := d.child("value")
	if wants != (value != nil) {
		r.fault(d, "edit %q: %s needs a value, or takes none", clip(e.id), e.op)
		return
	}
	if wants {
		r.value(d, value, e)
	}
}

// value reads what an edit creates: the one node that is its target.
func (r *patchReader) value(d, v *document, e *patchEdit) {
	parent := r.tree.root
	if len(e.path) > 0 {
		parent = r.set.shadow(e.path[:len(e.path)-1])
	} else {
		parent = &item{schema: r.set.root, offset: -1}
	}
	before := len(parent.groups)
	var err error
	if v.xml != nil {
		p := &xmlParser{reader: r.reader, xmlScanner: *v.xml, spaces: r.set.namespaces()}
		err = p.content(parent)
	} else {
		p := &jsonParser{reader: r.reader, jsonScanner: jsonScanner{in: r.tree.text.in, at: v.json}}
		if p.blank() != '{' {
			r.fault(v, "edit %q: the value must be an object", clip(e.id))
			return
		}
		err = p.object(parent)
	}
	if err != nil {
		r.fault(v, "edit %q: %v", clip(e.id), err)
		return
	}
	if len(e.path) == 0 {
		e.value = parent
		return
	}
	last := e.path[len(e.path)-1]
	added := parent.groups[before:]
	if len(added) != 1 || added[0].schema != last.node || len(added[0].items) != 1 {
		if len(r.errs) == 0 {
			r.fault(v, "edit %q: the value must be the one node that is the target", clip(e.id))
		}
		return
	}
	e.value = added[0].items[0]
	if n := last.node.kind; n == KindList || n == KindLeafList {
		if len(r.errs) > 0 {
			return // keys may be missing
		}
		if loc := e.value.location(); !loc[len(loc)-1].equal(last) {
			r.fault(v, "edit %q: the value has other keys than the target", clip(e.id))
		}
	}
}

// shadow makes the nodes of a path, with their keys and nothing else.
func (s *Set) shadow(path instancePath) *item {
	at := &item{schema: s.root, offset: -1}
	for _, step := range path {
		k := &item{schema: step.node, parent: at, offset: -1}
		for i, key := range step.node.keys {
			v, bad := s.reading(key, hintText).read(key.typ, step.keys[i])
			if bad != nil {
				continue // it was read before
			}
			k.groups = append(k.groups, group{key, []*item{{schema: key, parent: k, val: v, offset: -1}}})
		}
		k.bindKeys()
		at = k
	}
	return at
}

// PatchError says which edit of a patch failed and why.
type PatchError struct {
	PatchID, EditID string
	Tag             string // error-tag of RFC 8040 §7: "data-exists", "data-missing", "invalid-value"
	Path            string // resource path of the target, secret keys hidden
	instance        string // the same as an instance-identifier
	Line, Column    int    // of the edit in the patch
	Message         string
}

// Error implements error.
func (e *PatchError) Error() string {
	return fmt.Sprintf("edit %q: %s: %s (%s)", clip(e.EditID), clip(e.Path), e.Message, e.Tag)
}

// Patch returns the data with the edits of a patch made, all or none. It fails
// with a *PatchError; the result is not validated.
func (t *Tree) Patch(p *Patch) (*Tree, error) {
	if p.set != t.set {
		return nil, errors.New("the patch was read with another schema set")
	}
	a := newApplier(t)
	for _, e := range p.edits {
		if err := a.apply(e.change); err != nil {
			out := &PatchError{PatchID: p.ID, EditID: e.id, Tag: "operation-failed", Path: e.path.hidden().resource(), instance: e.path.hidden().String(), Line: e.line, Column: e.column, Message: err.Error()}
			var tagged *editError
			if errors.As(err, &tagged) {
				out.Tag = tagged.tag
			}
			return nil, out
		}
	}
	return a.tree(), nil
}

// PatchStatus writes the yang-patch-status of RFC 8072 §2.3 as JSON: what came
// of a patch with that id. err is that of Patch, or nil.
func PatchStatus(id string, err error) []byte {
	top := &field{name: "yang-patch-status", module: patchModule, space: patchSpace}
	top.leafAlways("patch-id", id)
	var failed *PatchError
	switch {
	case err == nil:
		top.node("ok").raw = []byte("[null]")
	case errors.As(err, &failed):
		edit := top.node("edit-status").entry("edit")
		edit.leaf("edit-id", failed.EditID)
		e := edit.node("errors").entry("error")
		e.leaf("error-type", "application")
		e.leaf("error-tag", failed.Tag)
		e.leaf("error-path", failed.instance)
		e.leaf("error-message", failed.Message)
	default:
		list := top.node("errors")
		for _, f := range Faults(err) {
			e := list.entry("error")
			e.leaf("error-type", "application")
			e.leaf("error-tag", "invalid-value")
			var at *PathError
			if errors.As(f, &at) {
				e.leaf("error-app-tag", at.AppTag)
				e.leaf("error-path", at.Path)
				e.leaf("error-message", at.Message)
			} else {
				e.leaf("error-message", f.Error())
			}
		}
	}
	var o output
	top.json(&o, true, nil)
	return indentJSON(o.b, "  ")
}
