package schemas

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	librarySpace    = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
	datastoresSpace = "urn:ietf:params:xml:ns:yang:ietf-datastores"
)

// Library is a YANG library: which modules a server has, in which revision and
// with which features (RFC 8525; RFC 7895 is its older form).
type Library struct {
	ContentID string // changes when the library does
	Modules   []LibraryModule
}

// LibraryModule is one module of a library.
type LibraryModule struct {
	Name, Revision, Namespace string
	Implemented               bool // else it is only imported
	Features                  []string
	Deviations                []string // the modules that deviate it
	Submodules                []LibraryModule
}

// Library describes the set. Its content id is the set's hash.
func (s *Set) Library() *Library {
	l := &Library{ContentID: s.hash}
	for _, m := range s.Modules() {
		out := LibraryModule{Name: m.Name, Revision: m.Revision, Namespace: m.Namespace, Implemented: m.Implemented, Deviations: m.DeviatedBy}
		if m.Implemented {
			out.Features = m.Features
		}
		for i, sub := range m.Submodules {
			out.Submodules = append(out.Submodules, LibraryModule{Name: sub, Revision: m.subRevisions[i]})
		}
		l.Modules = append(l.Modules, out)
	}
	return l
}

// Names returns what Load has to be given: the implemented modules, with their
// revisions, in the order of the library.
func (l *Library) Names() []string {
	var out []string
	for _, m := range l.Modules {
		if m.Implemented {
			out = append(out, at(m.Name, m.Revision))
		}
	}
	return out
}

// Feature reports whether a feature is on in the library. Modules that are only
// imported have none that matter; those that are not in it have none.
func (l *Library) Feature(module, feature string) bool {
	for _, m := range l.Modules {
		if m.Name == module && slices.Contains(m.Features, feature) {
			return true
		}
	}
	return false
}

// ReadLibrary reads a YANG library, in the form of RFC 8525 (yang-library) or
// of RFC 7895 (modules-state), bare or as instance data. Of several module
// sets it takes those of the running datastore's schema, or all if it does not
// say which these are.
func ReadLibrary(data []byte, xml bool) (*Library, error) {
	in := strings.TrimPrefix(string(data), "\ufeff")
	lib, err := func() (*Library, error) {
		top, err := readDocument(in, xml, "")
		if err != nil {
			return nil, err
		}
		for (top.name == "instance-data-set" || top.name == "content-data" || top.name == "data") && len(top.kids) > 0 {
			next := top.child("content-data")
			if next == nil {
				for _, k := range top.kids {
					if k.isLibrary() && (next == nil || k.name == "yang-library") {
						next = k
					}
				}
			}
			if next == nil {
				break
			}
			top = next
		}
		return top.library()
	}()
	if err != nil {
		return nil, syntaxFault(err, in, "RFC 8525")
	}
	return lib, nil
}

func (d *document) isLibrary() bool {
	return (d.space == librarySpace || d.space == "ietf-yang-library") && (d.name == "yang-library" || d.name == "modules-state")
}

func (d *document) library() (*Library, error) {
	if !d.isLibrary() {
		return nil, &syntaxError{d.offset, fmt.Sprintf("a YANG library is wanted, the top is %q", clip(d.name))}
	}
	l := &Library{}
	if d.name == "modules-state" {
		l.ContentID = d.value("module-set-id")
		for _, m := range d.all("module") {
			kind := m.value("conformance-type")
			if kind != "implement" && kind != "import" {
				return nil, &syntaxError{m.offset, fmt.Sprintf("module %q: the conformance-type is neither implement nor import", clip(m.value("name")))}
			}
			if err := l.add(m, kind == "implement"); err != nil {
				return nil, err
			}
		}
		return l, nil
	}
	l.ContentID = d.value("content-id")
	use := func(string) bool { return true }
	for _, ds := range d.all("datastore") {
		if ds.identity("name") != "running" {
			continue
		}
		for _, s := range d.all("schema") {
			if s.value("name") == ds.value("schema") {
				sets := s.values("module-set")
				use = func(name string) bool { return slices.Contains(sets, name) }
			}
		}
	}
	for _, set := range d.all("module-set") {
		if !use(set.value("name")) {
			continue
		}
		for _, m := range set.all("module") {
			if err := l.add(m, true); err != nil {
				return nil, err
			}
		}
		for _, m := range set.all("import-only-module") {
			if err := l.add(m, false); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// add reads an entry of a module list.
func (l *Library) add(d *document, implemented bool) error {
	m := LibraryModule{Name: d.value("name"), Revision: d.value("revision"), Namespace: d.value("namespace"), Implemented: implemented, Features: d.values("feature")}
	if !isIdentifier(m.Name) || m.Revision != "" && !isDate(m.Revision) {
		return &syntaxError{d.offset, fmt.Sprintf("module %q with revision %q: a name or revision is malformed", clip(m.Name), clip(m.Revision))}
	}
	for _, s := range d.all("submodule") {
		m.Submodules = append(m.Submodules, LibraryModule{Name: s.value("name"), Revision: s.value("revision")})
	}
	for _, v := range d.all("deviation") {
		if n := v.value("name"); n != "" {
			m.Deviations = append(m.Deviations, n) // RFC 7895 has a list
		} else {
			m.Deviations = append(m.Deviations, v.text)
		}
	}
	for i, o := range l.Modules {
		if o.Name != m.Name {
			continue
		}
		if o.Revision == m.Revision {
			l.Modules[i].Implemented = o.Implemented || m.Implemented
			for _, f := range m.Features {
				if !slices.Contains(l.Modules[i].Features, f) {
					l.Modules[i].Features = append(l.Modules[i].Features, f)
				}
			}
			return nil
		}
		if o.Implemented && m.Implemented {
			return &syntaxError{d.offset, fmt.Sprintf("module %q is implemented in two revisions", m.Name)}
		}
	}
	l.Modules = append(l.Modules, m)
	return nil
}

// JSON writes the library as JSON: as "yang-library" of RFC 8525, or with
// legacy as "modules-state" of RFC 7895; in lines unless indent is empty.
func (l *Library) JSON(legacy bool, indent string) []byte {
	var o output
	l.fields(legacy).json(&o, true, nil)
	if indent == "" {
		return o.b
	}
	return indentJSON(o.b, indent)
}

// XML writes the library as XML.
func (l *Library) XML(legacy bool) []byte {
	var o output
	l.fields(legacy).xml(&o, "", nil)
	return o.b
}

func (l *Library) fields(legacy bool) *field {
	modules := slices.Clone(l.Modules)
	slices.SortFunc(modules, func(a, b LibraryModule) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Revision, b.Revision))
	})
	if !legacy { // each list is in one piece
		slices.SortStableFunc(modules, func(a, b LibraryModule) int {
			switch {
			case a.Implemented == b.Implemented:
				return 0
			case a.Implemented:
				return -1
			}
			return 1
		})
	}
	top := &field{name: "yang-library", module: "ietf-yang-library", space: librarySpace}
	if legacy {
		top.name = "modules-state"
		top.leaf("module-set-id", l.ContentID)
		for _, m := range modules {
			e := top.entry("module")
			e.leaf("name", m.Name)
			e.leafAlways("revision", m.Revision)
			e.leaf("namespace", m.Namespace)
			e.leafList("feature", m.Features)
			for _, d := range m.Deviations {
				v := e.entry("deviation")
				v.leaf("name", d)
				v.leafAlways("revision", l.revision(d))
			}
			e.leaf("conformance-type", map[bool]string{true: "implement", false: "import"}[m.Implemented])
			for _, s := range m.Submodules {
				v := e.entry("submodule")
				v.leaf("name", s.Name)
				v.leafAlways("revision", s.Revision)
			}
		}
		return top
	}
	set := top.entry("module-set")
	set.leaf("name", "all")
	for _, m := range modules {
		e := set.entry(map[bool]string{true: "module", false: "import-only-module"}[m.Implemented])
		e.leaf("name", m.Name)
		if m.Implemented {
			e.leaf("revision", m.Revision)
		} else {
			e.leafAlways("revision", m.Revision) // a key there
		}
		e.leaf("namespace", m.Namespace)
		for _, s := range m.Submodules {
			v := e.entry("submodule")
			v.leaf("name", s.Name)
			v.leaf("revision", s.Revision)
		}
		if m.Implemented {
			e.leafList("feature", m.Features)
			e.leafList("deviation", m.Deviations)
		}
	}
	schema := top.entry("schema")
	schema.leaf("name", "all")
	schema.leafList("module-set", []string{"all"})
	store := top.entry("datastore")
	name := store.leaf("name", "running")
	name.idModule, name.idSpace = "ietf-datastores", datastoresSpace
	store.leaf("schema", "all")
	top.leaf("content-id", l.ContentID)
	return top
}

func (l *Library) revision(module string) string {
	for _, m := range l.Modules {
		if m.Name == module && m.Implemented {
			return m.Revision
		}
	}
	return ""
}
