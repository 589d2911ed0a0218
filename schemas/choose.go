package schemas

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Lister is what a Source can also be: one that knows the names of its
// modules. FS and Files give such sources.
type Lister interface {
	// Names returns the names of all modules and submodules, sorted.
	Names() []string
}

// Names implements Lister.
func (s *dirSource) Names() []string { return sortedNames(s.files) }

// Names implements Lister.
func (s *memSource) Names() []string { return sortedNames(s.files) }

func sortedNames(files map[string][]string) []string {
	out := make([]string, 0, len(files))
	for n := range files {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// topLevel is a top-level member by its name, or an element by its namespace.
type topLevel struct {
	name   string
	offset int
}

// DataModules returns the names of the modules that the top-level members of
// data name, in order of appearance. If sources are given they must have the
// modules. For XML, whose elements have namespaces, those that are Listers are
// searched.
func DataModules[T string | []byte](data T, o ParseOptions, search ...Source) ([]string, error) {
	in := strings.TrimPrefix(string(data), "\ufeff")
	if o.XML {
		return xmlModules(in, search)
	}
	s := &jsonScanner{in: in}
	keys, err := s.memberNames()
	if err == nil && len(keys) == 1 && keys[0].name == envelopeName {
		// Inside the envelope the data is the member content-data.
		s = &jsonScanner{in: in}
		if err = s.enter(envelopeName); err == nil {
			if err = s.enter("content-data"); err == nil {
				keys, err = s.memberNames()
			}
		}
	}
	if err == nil && len(keys) == 1 && keys[0].name == "ietf-restconf:data" {
		s = &jsonScanner{in: in}
		if err = s.enter(keys[0].name); err == nil {
			keys, err = s.memberNames()
		}
	}
	if err != nil {
		return nil, syntaxFault(err, in, "RFC 8259")
	}
	var out []string
	for _, k := range keys {
		module, _, ok := strings.Cut(strings.TrimPrefix(k.name, "@"), ":")
		if !ok {
			text := fmt.Sprintf("top-level member %q needs its module: \"MODULE:%s\"", clip(k.name), clip(k.name))
			return nil, syntaxFault(&syntaxError{k.offset, text}, in, "RFC 7951 §4")
		}
		if slices.Contains(out, module) {
			continue
		}
		if _, _, err := find(search, module, ""); len(search) > 0 && errors.Is(err, fs.ErrNotExist) {
			return nil, syntaxFault(&syntaxError{k.offset, fmt.Sprintf("no module %q was found", clip(module))}, in, "RFC 7951 §4")
		}
		out = append(out, module)
	}
	return out, nil
}

// syntaxFault gives an error of syntax its place.
func syntaxFault(err error, in, rule string) *PathError {
	e := asSyntaxError(err)
	line, column := (&inputText{in: in}).position(e.offset)
	return &PathError{Path: "/", Rule: rule, Line: line, Column: column, Message: e.text}
}

// memberNames reads an object and returns the names of its members.
func (s *jsonScanner) memberNames() ([]topLevel, error) {
	if err := s.expect('{'); err != nil {
		return nil, err
	}
	var out []topLevel
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil || !more {
			return out, err
		}
		s.blank()
		at := s.at
		key, err := s.str()
		if err != nil {
			return nil, err
		}
		if err := s.expect(':'); err != nil {
			return nil, err
		}
		if err := s.skip(); err != nil {
			return nil, err
		}
		out = append(out, topLevel{key, at})
	}
}

// enter goes to the value of a member of the object that follows.
func (s *jsonScanner) enter(member string) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			return s.fail("the member %q is missing", member)
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil || key == member {
			return err
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
}

func xmlModules(in string, search []Source) ([]string, error) {
	spaces, err := xmlNamespaces(in)
	if err != nil {
		return nil, syntaxFault(err, in, "XML 1.0")
	}
	have := make(map[string]string)
	for _, src := range search {
		l, ok := src.(Lister)
		if !ok {
			continue
		}
		for _, n := range l.Names() {
			text, file, err := src.Module(n, "")
			if err != nil {
				continue
			}
			if root, err := parseStatements(text, &source{file: file}); err == nil && root.kw == "module" {
				if ns := root.childArg("namespace"); have[ns] == "" {
					have[ns] = root.arg
				}
			}
		}
	}
	var out []string
	for _, ns := range spaces {
		m, ok := have[ns.name]
		if !ok {
			return nil, syntaxFault(&syntaxError{ns.offset, fmt.Sprintf("no module with the namespace %q was found", clip(ns.name))}, in, "RFC 7950 §5.3")
		}
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out, nil
}

// ParseFeatures reads the words that say which features are on: "all" (also
// without any word), "none", or "MODULE:F1,F2" once for each module: it then
// has these features and no others ("MODULE:" has none). Modules that are not
// named have all, or with "none" no features.
func ParseFeatures(words []string) (func(module, feature string) bool, error) {
	on := true
	named := make(map[string][]string)
	for _, w := range words {
		module, list, ok := strings.Cut(w, ":")
		switch {
		case w == "all":
			on = true
		case w == "none":
			on = false
		case !ok || !isIdentifier(module):
			return nil, fmt.Errorf("features %q: want all, none or MODULE:FEATURE,FEATURE", clip(w))
		default:
			for _, f := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
				if !isIdentifier(f) {
					return nil, fmt.Errorf("features %q: %q is not the name of a feature", clip(w), clip(f))
				}
				named[module] = append(named[module], f)
			}
			if named[module] == nil {
				named[module] = []string{}
			}
		}
	}
	return func(module, feature string) bool {
		if list, ok := named[module]; ok {
			return slices.Contains(list, feature)
		}
		return on
	}, nil
}

// Faults splits an error of Load, Parse or Validate into the errors that it
// joins, each a *ModuleError or *PathError where there is a place.
func Faults(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}
