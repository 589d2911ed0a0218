package schemas

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// compiler turns the statements of loaded modules into a set. It reports every
// fault it finds and goes on.
type compiler struct {
	l      *loader
	set    *Set
	want   []*Module
	errs   []error
	fatal  []error   // faults after which going on makes no sense
	needed []*Module // import-only modules that a path or augment needs implemented

	typedefs   map[*statement]*Type // nil while being compiled
	patterns   map[string]*pattern
	conditions map[conditionKey]*condition
	groups     []*statement // groupings being expanded, for cycles
	augments   []*augment
	finished   map[*Node]bool
	// derivations counts the pairs of identities of which one derives from the other.
	derivations int
	depth       int                 // of features or typedefs that refer to each other
	lent        bool                // checking a grouping that nothing uses: paths cannot be resolved
	used        map[*statement]bool // groupings
	loose       []*Node             // groupings as they are by themselves
}

func newCompiler(l *loader, want []*Module) *compiler {
	return &compiler{
		l: l, want: want,
		set:        &Set{byName: make(map[string]*Module), idents: make(map[string]*Identity)},
		typedefs:   make(map[*statement]*Type),
		patterns:   make(map[string]*pattern),
		conditions: make(map[conditionKey]*condition),
		finished:   make(map[*Node]bool),
		used:       make(map[*statement]bool),
	}
}

func (c *compiler) report(e *ModuleError) { c.errs = append(c.errs, e) }

func (c *compiler) faultf(s *statement, rule, format string, args ...any) {
	c.report(faultf(s, rule, format, args...))
}

func (c *compiler) compile() *Set {
	for _, m := range c.want {
		m.Implemented = true
	}
	c.set.modules = slices.Clone(c.want)
	for _, m := range c.l.order {
		if !m.Implemented {
			c.set.modules = append(c.set.modules, m)
		}
	}
	for _, m := range c.set.modules {
		if _, ok := c.set.byName[m.Name]; !ok {
			c.set.byName[m.Name] = m
		}
	}
	for _, m := range c.l.order {
		c.collect(m)
	}
	for _, m := range c.l.order {
		c.compileFeatures(m)
	}
	for _, m := range c.l.order {
		c.compileIdentities(m)
	}
	if len(c.errs) > 0 {
		return nil
	}
	c.set.root = &Node{kind: KindRoot, config: true, kids: make(map[name]*Node)}
	for _, m := range c.l.order {
		if m.Implemented {
			continue
		}
		c.lent = true
		for _, src := range m.files {
			c.checkDefinitions(src.root)
		}
		c.lent = false
	}
	for _, m := range c.want {
		for _, src := range m.files {
			c.checkDefinitions(src.root)
			c.children(src.root, c.set.root, scope{module: m})
		}
	}
	for _, m := range c.want {
		for _, src := range m.files {
			for _, s := range src.root.subs {
				if s.kw == "augment" {
					c.augments = append(c.augments, &augment{stmt: s, module: m})
				}
			}
		}
	}
	for _, n := range c.loose {
		if !c.used[n.stmt] {
			c.checkLoose(n, nil)
		}
	}
	c.applyAugments()
	c.applyDeviations()
	c.applyAnnotate()
	if len(c.errs) > 0 {
		return nil
	}
	c.finish()
	if len(c.errs) == 0 && len(c.needed) == 0 {
		c.compileAnnotations()
	}
	for _, m := range c.want {
		m.top = nil
		for _, n := range c.set.root.children {
			if n.module == m {
				m.top = append(m.top, n)
			}
		}
	}
	c.deviatedBy()
	c.set.hash = hashSet(c.set.modules)
	if len(c.errs) == 0 && len(c.needed) == 0 {
		c.compileStructures()
	}
	return c.set
}

// deviatedBy notes for each module which others deviate its nodes.
func (c *compiler) deviatedBy() {
	for _, m := range c.set.modules {
		m.DeviatedBy = nil
	}
	for _, m := range c.want {
		for _, src := range m.files {
			for _, s := range src.root.subs {
				if s.kw != "deviation" {
					continue
				}
				step, _, _ := strings.Cut(strings.TrimPrefix(s.arg, "/"), "/")
				prefix, _, _ := strings.Cut(step, ":")
				if t := src.prefixes[prefix]; t != nil && t != m && !slices.Contains(t.DeviatedBy, m.Name) {
					t.DeviatedBy = append(t.DeviatedBy, m.Name)
					slices.Sort(t.DeviatedBy)
				}
			}
		}
	}
}

// need notes that a module has to be implemented.
func (c *compiler) need(m *Module) {
	if m != nil && !m.Implemented && !slices.Contains(c.needed, m) {
		c.needed = append(c.needed, m)
	}
}

// collect gathers a module's top-level definitions from all its files.
func (c *compiler) collect(m *Module) {
	m.typedefs = make(map[string]*statement)
	m.groups = make(map[string]*statement)
	m.idents = make(map[string]*Identity)
	m.features = make(map[string]*feature)
	m.exts = make(map[string]*statement)
	for _, src := range m.files {
		for _, s := range src.root.subs {
			switch s.kw {
			case "typedef":
				c.define(m.typedefs, s)
			case "grouping":
				c.define(m.groups, s)
			case "extension":
				c.define(m.exts, s)
			case "feature":
				if _, dup := m.features[s.arg]; dup {
					c.faultf(s, "RFC 7950 §6.2.1", "feature %q is defined twice", s.arg)
				}
				m.features[s.arg] = &feature{stmt: s, module: m}
			case "identity":
				if _, dup := m.idents[s.arg]; dup {
					c.faultf(s, "RFC 7950 §6.2.1", "identity %q is defined twice", s.arg)
				}
				m.idents[s.arg] = &Identity{Module: m.Name, Name: s.arg, stmt: s, owner: m}
			}
		}
	}
}

func (c *compiler) define(into map[string]*statement, s *statement) {
	if other, dup := into[s.arg]; dup {
		c.faultf(s, "RFC 7950 §6.2.1", "%s %q is defined twice (also line %d)", s.kw, s.arg, other.line)
		return
	}
	into[s.arg] = s
}

// stop reports whether so much is wrong that going on makes no sense.
func (c *compiler) stop() bool { return len(c.errs) > 4*maxErrors || len(c.fatal) > 0 }

// scoped finds the typedef or grouping of that name that is visible at s.
func (s *statement) scoped(kw, name string) *statement {
	for at := s; at != nil; at = at.parent {
		if at.parent == nil {
			table := at.src.module.typedefs
			if kw == "grouping" {
				table = at.src.module.groups
			}
			if d := table[name]; d != nil && s.visible(d) {
				return d
			}
			return nil
		}
		if d := at.definition(kw, name); d != nil {
			return d
		}
	}
	return nil
}

// lookup finds a definition by a name with or without prefix, as seen from s.
func (c *compiler) lookup(s *statement, kw, ref string) *statement {
	prefix, local, ok := strings.Cut(ref, ":")
	if !ok {
		return s.scoped(kw, ref)
	}
	m := c.module(s, prefix)
	switch {
	case m == nil:
		return nil
	case m == s.src.module:
		return s.scoped(kw, local)
	}
	if kw == "grouping" {
		return m.groups[local]
	}
	return m.typedefs[local]
}

// module returns the module of a prefix at s, or nil after reporting.
func (c *compiler) module(s *statement, prefix string) *Module {
	m, ok := s.src.prefixes[prefix]
	if !ok || m == nil {
		c.faultf(s, "RFC 7950 §7.1.4", "prefix %q is not that of this module or an import", clip(prefix))
		return nil
	}
	return m
}

// resolve splits a name at s into its module (the given one without a prefix)
// and its local part.
func (c *compiler) resolve(s *statement, ref string, own *Module) (*Module, string, bool) {
	prefix, local, ok := strings.Cut(ref, ":")
	if !ok {
		return own, ref, isIdentifier(ref)
	}
	m := c.module(s, prefix)
	return m, local, m != nil && isIdentifier(local)
}

// Identity is a value that identityrefs can have.
type Identity struct {
	Module, Name string

	owner *Module
	stmt  *statement
	up    map[string]bool // all that it derives from, "module:name"
	state int8            // 0 new, 1 being compiled, 2 done
	off   bool            // by if-feature
}

// String returns "module:name".
func (i *Identity) String() string { return i.Module + ":" + i.Name }

func (c *compiler) compileIdentities(m *Module) {
	names := make([]string, 0, len(m.idents))
	for n := range m.idents {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		i := m.idents[n]
		c.identity(i, 0)
		i.off = !c.enabled(i.stmt)
		if c.set.byName[m.Name] == m {
			c.set.idents[i.String()] = i
		}
	}
}

func (c *compiler) identity(i *Identity, depth int) {
	if i.state != 0 {
		return
	}
	if depth > maxChain {
		c.limit(i.stmt, "identities derive from each other more than %d deep", maxChain)
		return
	}
	i.state = 1
	i.up = make(map[string]bool)
	bases := 0
	for _, s := range i.stmt.subs {
		if s.kw != "base" {
			continue
		}
		if bases++; bases == 2 && !i.stmt.src.v11 {
			c.faultf(s, "RFC 7950 §7.18.2", "a second base needs yang-version 1.1")
		}
		b := c.base(s)
		if b == nil {
			continue
		}
		if b.state == 1 {
			c.faultf(s, "RFC 7950 §7.18.2", "identity %q derives from itself", i.Name)
			continue
		}
		if c.identity(b, depth+1); len(c.fatal) > 0 {
			return
		}
		i.up[b.String()] = true
		for n := range b.up {
			i.up[n] = true
		}
		if c.derivations += len(b.up) + 1; c.derivations > maxDerivations {
			c.limit(s, "identities derive from each other in more than %d ways", maxDerivations)
			return
		}
	}
	i.state = 2
}

// base finds the identity that a base statement names.
func (c *compiler) base(s *statement) *Identity {
	m, local, ok := c.resolve(s, s.arg, s.src.module)
	if ok {
		if b := m.idents[local]; b != nil && s.visible(b.stmt) {
			c.refer(s, s.parent, b.stmt)
			return b
		}
	}
	c.faultf(s, "RFC 7950 §7.18.2", "there is no identity %q", clip(s.arg))
	return nil
}

// extension checks a statement of an extension and notes it on a node.
func (c *compiler) extension(s *statement, n *Node) {
	prefix, local, _ := strings.Cut(s.kw, ":")
	m := c.module(s, prefix)
	if m == nil {
		return
	}
	def := m.exts[local]
	if def == nil || !s.visible(def) {
		c.faultf(s, "RFC 7950 §6.3.1", "module %s has no extension %q", m.Name, clip(local))
		return
	}
	if want := def.child("argument") != nil; want != s.hasArg {
		c.faultf(s, "RFC 7950 §7.19", "extension %s: an argument is %s", s.kw, map[bool]string{true: "missing", false: "too much"}[want])
		return
	}
	if m.Name == "ietf-yang-structure-ext" && s.parent.parent != nil {
		c.faultf(s, structureRule, "%s can only stand at the top of a module", s.kw)
		return
	}
	if n == nil || m.Name != "cfgvault-extensions" {
		return
	}
	switch local {
	case "secret":
		n.secret = true
	case "volatile":
		n.volatile = true
	case "maps-to":
		n.mapsTo = s.arg
	case "bind":
		if !slices.Contains([]string{"portable", "model", "unit", "version"}, s.arg) {
			c.faultf(s, "cfgvault-extensions:bind", "%q is none of: portable, model, unit, version", clip(s.arg))
			return
		}
		n.bind = s.arg
	}
}

// limit reports that a set is too large, once.
func (c *compiler) limit(s *statement, format string, args ...any) {
	if len(c.fatal) == 0 {
		e := faultf(s, "limit", format, args...)
		c.fatal = append(c.fatal, e)
		c.errs = append(c.errs, e)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
