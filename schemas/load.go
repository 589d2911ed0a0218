package schemas

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"sync"
)

// Options say where modules are found and which features are on.
type Options struct {
	// Search are the sources in which modules, their imports and their
	// submodules are looked for, in order.
	Search []Source
	// Feature reports whether a module's feature is on; nil: all are.
	Feature func(module, feature string) bool
	// Cache is the folder in which compiled sets are kept, "" for none. It is
	// made if it is not there, and not used if others can write to it.
	Cache string
}

// Module is one module of a set.
type Module struct {
	Name        string
	Revision    string // newest revision statement, or ""
	Namespace   string
	Prefix      string
	Implemented bool     // its data nodes are part of the set; else it only lends definitions
	Features    []string // those that are on, sorted
	Submodules  []string
	DeviatedBy  []string // the modules that have deviations of its nodes, sorted

	subRevisions []string
	sum          [sha256.Size]byte // of its text and that of its submodules
	main         *source
	files        []*source // main first, then the submodules in order of inclusion
	imports      []*Module
	typedefs     map[string]*statement
	groups       map[string]*statement
	idents       map[string]*Identity
	features     map[string]*feature
	exts         map[string]*statement
	top          []*Node // its top-level nodes, in order
}

// Set is a compiled schema: the modules that are implemented, and those they
// need. It is immutable and safe for concurrent use.
type Set struct {
	modules []*Module // implemented first as asked for, then the rest
	byName  map[string]*Module
	root    *Node // its children are all top-level nodes
	idents  map[string]*Identity
	hash    string
	nodes   int
	// annotations are the metadata that data may have (RFC 7952).
	annotations map[name]*Node
	// structures are the sets of RFC 8791 structures and yang-data templates.
	structures map[name]*Set
	cached     bool // it was not compiled here: there are no statements
}

// Load compiles the named modules ("name" or "name@revision") and what they
// need. The error joins a *ModuleError for each fault found.
func Load(o Options, modules ...string) (*Set, error) {
	kept := newCache(o.Cache, modules)
	if s := kept.load(o); s != nil {
		return s, nil
	}
	var built recorder
	s, err := compileSet(o, &built, modules)
	if err == nil {
		kept.store(s, &built)
	}
	return s, err
}

func compileSet(o Options, built *recorder, modules []string) (*Set, error) {
	asked := o.Feature
	o.Feature = func(module, feature string) bool {
		on := asked == nil || asked(module, feature)
		built.answers = append(built.answers, answer{module, feature, on})
		return on
	}
	l := &loader{Options: o, grammar: newGrammar(), loaded: make(map[string]*Module), pinned: make(map[string]string), built: built}
	for _, m := range modules {
		if name, rev, ok := strings.Cut(m, "@"); ok {
			l.pinned[name] = rev
		}
	}
	var want []*Module
	for _, m := range modules {
		name, rev, _ := strings.Cut(m, "@")
		got := l.module(name, rev, nil)
		if got == nil {
			continue
		}
		for _, w := range want {
			if w != got && w.Name == got.Name {
				l.report(faultf(got.main.root, "RFC 7950 §5.6.5", "two revisions of module %s cannot both be implemented", got.Name))
			}
		}
		if !slices.Contains(want, got) {
			want = append(want, got)
		}
	}
	if len(l.errs) > 0 {
		return nil, l.err()
	}
	// Compiling may find that a module that was only imported has to be
	// implemented (§5.6.5), which may bring more; each round adds one at least.
	for {
		for _, m := range l.order {
			m.Implemented = slices.Contains(want, m)
		}
		c := newCompiler(l, want)
		set := c.compile()
		if len(c.needed) > 0 && len(c.fatal) == 0 {
			grown := false
			for _, m := range c.needed {
				if !slices.ContainsFunc(want, func(w *Module) bool { return w.Name == m.Name }) {
					want = append(want, m)
					grown = true
				}
			}
			if grown {
				continue
			}
		}
		l.errs = append(l.errs, c.errs...)
		if len(l.errs) > 0 {
			return nil, l.err()
		}
		return set, nil
	}
}

//go:embed yang/*.yang
var embedded embed.FS

// Embedded is the source of cfgvault's own modules.
func Embedded() Source {
	sub, err := fs.Sub(embedded, "yang")
	if err != nil {
		return Files(nil) // cannot happen: the path is constant
	}
	s, err := FS(sub)
	if err != nil {
		return Files(nil)
	}
	return s
}

// EmbeddedNames returns the names of cfgvault's own modules, sorted.
func EmbeddedNames() []string {
	var names []string
	entries, err := embedded.ReadDir("yang")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yang"))
	}
	return names
}

// Common returns the set of cfgvault's own modules, all implemented. It is
// compiled at the first call.
func Common() (*Set, error) { return common() }

var common = sync.OnceValues(func() (*Set, error) {
	return Load(Options{Search: []Source{Embedded()}}, EmbeddedNames()...)
})

// Modules returns the modules of the set, sorted by name and revision.
func (s *Set) Modules() []Module {
	out := make([]Module, 0, len(s.modules))
	for _, m := range s.modules {
		out = append(out, *m)
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Name < out[j].Name || out[i].Name == out[j].Name && out[i].Revision < out[j].Revision
	})
	return out
}

// Top returns the top-level nodes of a module, in its order; nil if the set
// does not implement it.
func (s *Set) Top(module string) []*Node {
	if m := s.byName[module]; m != nil {
		return slices.Clone(m.top)
	}
	return nil
}

// Hash identifies the set: the same modules with the same text, features and
// role give the same hash. It is hexadecimal SHA-256.
func (s *Set) Hash() string { return s.hash }

func hashSet(modules []*Module) string {
	lines := make([]string, 0, len(modules))
	for _, m := range modules {
		lines = append(lines, fmt.Sprintf("%s %s %t %s %x\n", m.Name, m.Revision, m.Implemented, strings.Join(m.Features, ","), m.sum))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}

// loader reads modules and what they import, once each.
type loader struct {
	Options
	grammar grammar
	built   *recorder
	pinned  map[string]string  // the revisions that were asked for, by module: imports without one get these
	loaded  map[string]*Module // by "name@revision" as asked for
	order   []*Module          // imports before importers
	path    []*Module          // being loaded, for cycles
	errs    []error
}

func (l *loader) report(e *ModuleError) { l.errs = append(l.errs, e) }

// err joins what was found, in order of file and line, at most maxErrors.
func (l *loader) err() error {
	sort.SliceStable(l.errs, func(i, j int) bool {
		var a, b *ModuleError
		if !errors.As(l.errs[i], &a) || !errors.As(l.errs[j], &b) {
			return false
		}
		return a.File < b.File || a.File == b.File && (a.Line < b.Line || a.Line == b.Line && a.Message < b.Message)
	})
	l.errs = slices.CompactFunc(l.errs, func(a, b error) bool { return a.Error() == b.Error() })
	if len(l.errs) > maxErrors {
		n := len(l.errs) - maxErrors
		l.errs = append(l.errs[:maxErrors:maxErrors], fmt.Errorf("%d more errors", n))
	}
	return errors.Join(l.errs...)
}

// module loads a module with all its imports and submodules; nil if it cannot,
// after reporting why at the statement that asks for it.
func (l *loader) module(name, revision string, by *statement) *Module {
	if revision == "" {
		revision = l.pinned[name]
	}
	if m, ok := l.loaded[at(name, revision)]; ok {
		if slices.Contains(l.path, m) {
			l.report(faultf(by, "RFC 7950 §5.1", "modules import each other in a circle: %s", circle(l.path, m)))
			return nil
		}
		return m
	}
	if len(l.path) > maxStmtDepth {
		l.report(faultf(by, "RFC 7950 §5.1", "imports are nested more than %d deep", maxStmtDepth))
		return nil
	}
	text, file, err := find(l.Search, name, revision)
	l.built.found(name, revision, file, text)
	if err != nil {
		e := faultf(by, "RFC 7950 §7.1.5", "module %s was not found", at(name, revision))
		if !errors.Is(err, fs.ErrNotExist) {
			e.Message += ": " + err.Error()
		}
		if e.File == "" {
			e.File = name
		}
		l.report(e)
		l.loaded[at(name, revision)] = nil
		return nil
	}
	root := l.file(text, file, "module", name)
	if root == nil {
		l.loaded[at(name, revision)] = nil
		return nil
	}
	m := &Module{Name: name, Revision: newest(root), Namespace: root.childArg("namespace"), Prefix: root.childArg("prefix"), main: root.src}
	if other, ok := l.loaded[at(name, m.Revision)]; ok && other != nil {
		l.loaded[at(name, revision)] = other
		if slices.Contains(l.path, other) {
			l.report(faultf(by, "RFC 7950 §5.1", "modules import each other in a circle: %s", circle(l.path, other)))
			return nil
		}
		return other
	}
	if revision != "" && m.Revision != revision && !hasRevision(root, revision) {
		l.report(faultf(by, "RFC 7950 §5.1.1", "module %s was wanted, %s was found", at(name, revision), at(name, m.Revision)))
		return nil
	}
	for _, o := range slices.Concat(l.order, l.path) {
		if o.Namespace == m.Namespace && o.Name != m.Name {
			l.report(faultf(root.child("namespace"), "RFC 7950 §5.3", "module %s has the namespace %q too", o.Name, clip(m.Namespace)))
		}
	}
	l.loaded[at(name, revision)] = m
	l.loaded[at(name, m.Revision)] = m
	l.path = append(l.path, m)
	sum := sha256.New()
	sum.Write(text)
	l.link(m, root.src, nil, func(b []byte) { sum.Write(b) })
	sum.Sum(m.sum[:0])
	l.path = l.path[:len(l.path)-1]
	l.order = append(l.order, m)
	return m
}

func hasRevision(root *statement, revision string) bool {
	return slices.ContainsFunc(root.subs, func(s *statement) bool { return s.kw == "revision" && s.arg == revision })
}

func circle(path []*Module, back *Module) string {
	var names []string
	for _, m := range path[slices.Index(path, back):] {
		names = append(names, m.Name)
	}
	return strings.Join(append(names, back.Name), " → ")
}

// file parses one file and checks its grammar; nil after an error.
func (l *loader) file(text []byte, file, kind, name string) *statement {
	src := &source{file: file}
	root, err := parseStatements(text, src)
	if err != nil {
		l.errs = append(l.errs, unjoin(err)...)
		return nil
	}
	src.root = root
	if root.kw != kind || root.arg != name {
		l.report(faultf(root, "RFC 7950 §5.2", "a %s %q was wanted, the file holds %s %q", kind, name, clip(root.kw), clip(root.arg)))
		return nil
	}
	src.v11 = root.childArg("yang-version") == "1.1"
	before := len(l.errs)
	l.grammar.check(root, l.report)
	if len(l.errs) > before {
		return nil
	}
	return root
}

func unjoin(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

// link resolves a file's prefixes, imports and includes. including are the
// submodules on the way here, for cycles.
func (l *loader) link(m *Module, src *source, including []string, sum func([]byte)) {
	src.module = m
	src.prefixes = make(map[string]*Module)
	m.files = append(m.files, src)
	own := src.root.childArg("prefix")
	if b := src.root.child("belongs-to"); b != nil {
		own = b.childArg("prefix")
		if b.arg != m.Name {
			l.report(faultf(b, "RFC 7950 §7.2.2", "the submodule belongs to %q, not to %q", b.arg, m.Name))
		}
	}
	src.prefixes[own] = m
	seen := make(map[string]bool)
	for _, s := range src.root.subs {
		switch s.kw {
		case "import":
			p := s.childArg("prefix")
			if _, dup := src.prefixes[p]; dup {
				l.report(faultf(s, "RFC 7950 §7.1.5", "prefix %q is used twice", p))
				continue
			}
			if s.arg == m.Name {
				l.report(faultf(s, "RFC 7950 §5.1", "module %s imports itself", m.Name))
				continue
			}
			rev := s.childArg("revision-date")
			imported := l.module(s.arg, rev, s)
			src.prefixes[p] = imported
			if imported != nil && rev != "" && !src.v11 && imported.main.v11 {
				l.report(faultf(s, "RFC 7950 §12", "a module of YANG 1 imports %s, which is of YANG 1.1, by revision", s.arg))
			}
			if imported != nil && !slices.Contains(m.imports, imported) {
				m.imports = append(m.imports, imported)
			}
		case "include":
			if seen[s.arg] {
				l.report(faultf(s, "RFC 7950 §7.1.6", "submodule %s is included twice", s.arg))
				continue
			}
			seen[s.arg] = true
			l.include(m, src, s, including, sum)
		}
	}
}

// include reads a submodule, once for all files that include it.
func (l *loader) include(m *Module, src *source, s *statement, including []string, sum func([]byte)) {
	rev := s.childArg("revision-date")
	if slices.Contains(including, s.arg) && !src.v11 {
		l.report(faultf(s, "RFC 6020 §5.1", "submodules include each other in a circle: %s → %s", strings.Join(including, " → "), s.arg))
		return
	}
	if src.root.kw == "submodule" && src.v11 && !slices.ContainsFunc(m.main.root.subs, func(x *statement) bool { return x.kw == "include" && x.arg == s.arg }) {
		l.report(faultf(s, "RFC 7950 §5.1", "module %s does not include all its submodules: %s is missing", m.Name, s.arg))
		return
	}
	for _, f := range m.files {
		if f.root.kw != "submodule" || f.root.arg != s.arg {
			continue
		}
		if rev != "" && newest(f.root) != rev {
			l.report(faultf(s, "RFC 7950 §5.1", "submodule %s is included in the revisions %s and %s", s.arg, newest(f.root), rev))
		}
		src.includes = append(src.includes, f)
		return
	}
	text, file, err := find(l.Search, s.arg, rev)
	l.built.found(s.arg, rev, file, text)
	if err != nil {
		l.report(faultf(s, "RFC 7950 §7.1.6", "submodule %s was not found", at(s.arg, rev)))
		return
	}
	root := l.file(text, file, "submodule", s.arg)
	if root == nil {
		return
	}
	if root.src.v11 != src.v11 {
		l.report(faultf(s, "RFC 7950 §12", "the submodule %s is of another version of YANG", s.arg))
		return
	}
	m.Submodules = append(m.Submodules, s.arg)
	m.subRevisions = append(m.subRevisions, newest(root))
	src.includes = append(src.includes, root.src)
	sum(text)
	l.link(m, root.src, append(slices.Clone(including), s.arg), sum)
}

// visible reports whether a definition of the same module can be referred to
// from s. In YANG 1 a file sees what it includes, directly or not; in 1.1 all
// files of a module see each other (RFC 6020 §5.1, RFC 7950 §5.1).
func (s *statement) visible(def *statement) bool {
	if s.src.v11 || s.src == def.src || s.src.module != def.src.module {
		return true
	}
	seen := map[*source]bool{s.src: true}
	for todo := []*source{s.src}; len(todo) > 0; todo = todo[1:] {
		for _, f := range todo[0].includes {
			if f == def.src {
				return true
			}
			if !seen[f] {
				seen[f] = true
				todo = append(todo, f)
			}
		}
	}
	return false
}
