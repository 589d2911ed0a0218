package schemas

import (
	"slices"
	"sort"
	"strings"
)

// maxFeatureExpr bounds the length of an if-feature expression.
const maxFeatureExpr = 64 << 10

// feature is a feature of a module and whether it is on.
type feature struct {
	stmt   *statement
	module *Module
	on     bool
	state  int8 // 0 new, 1 being compiled, 2 done
}

func (c *compiler) compileFeatures(m *Module) {
	names := make([]string, 0, len(m.features))
	for n := range m.features {
		names = append(names, n)
	}
	sort.Strings(names)
	m.Features = nil
	for _, n := range names {
		if c.feature(m.features[n]) {
			m.Features = append(m.Features, n)
		}
	}
}

func (c *compiler) feature(f *feature) bool {
	if f.state == 0 {
		if c.depth++; c.depth > maxChain {
			c.limit(f.stmt, "features depend on each other more than %d deep", maxChain)
		}
		defer func() { c.depth-- }()
		if len(c.fatal) > 0 {
			return false
		}
		f.state = 1
		f.on = c.l.Feature == nil || c.l.Feature(f.module.Name, f.stmt.arg)
		f.on = c.enabled(f.stmt) && f.on
		f.state = 2
	}
	return f.on
}

// enabled evaluates the if-feature statements of s: all must hold (§7.20.2).
func (c *compiler) enabled(s *statement) bool {
	on := true
	for _, f := range s.subs {
		if f.kw == "if-feature" && !c.ifFeature(f) {
			on = false
		}
	}
	return on
}

// ifFeature evaluates one if-feature expression.
func (c *compiler) ifFeature(s *statement) bool {
	e := &featureExpr{c: c, s: s, tokens: featureTokens(s.arg)}
	if len(s.arg) > maxFeatureExpr {
		e.fail("the expression is longer than %d bytes", maxFeatureExpr)
		return true
	}
	if !s.src.v11 && len(e.tokens) != 1 {
		c.faultf(s, "RFC 7950 §7.20.2", "an if-feature expression needs yang-version 1.1")
		return true
	}
	on := e.or(0)
	if !e.bad && len(e.tokens) > 0 {
		e.fail("%q is too much", clip(e.tokens[0]))
	}
	return on
}

func featureTokens(s string) []string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "(", " ( "), ")", " ) ")
	return strings.Fields(s)
}

// featureExpr is the parser of if-feature expressions: or, and, not, ( ).
type featureExpr struct {
	c      *compiler
	s      *statement
	tokens []string
	bad    bool
}

func (e *featureExpr) fail(format string, args ...any) {
	if !e.bad {
		e.c.faultf(e.s, "RFC 7950 §7.20.2", "if-feature: "+format, args...)
	}
	e.bad = true
}

func (e *featureExpr) next() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

func (e *featureExpr) or(depth int) bool {
	on := e.and(depth)
	for !e.bad && e.next() == "or" {
		e.tokens = e.tokens[1:]
		right := e.and(depth)
		on = on || right
	}
	return on
}

func (e *featureExpr) and(depth int) bool {
	on := e.factor(depth)
	for !e.bad && e.next() == "and" {
		e.tokens = e.tokens[1:]
		right := e.factor(depth)
		on = on && right
	}
	return on
}

func (e *featureExpr) factor(depth int) bool {
	t := e.next()
	if t == "" || depth > maxTypeDepth {
		e.fail("the expression ends too early or is too deep")
		return true
	}
	e.tokens = e.tokens[1:]
	switch t {
	case "not":
		return !e.factor(depth + 1)
	case "(":
		on := e.or(depth + 1)
		if e.next() != ")" {
			e.fail("a closing parenthesis is missing")
			return true
		}
		e.tokens = e.tokens[1:]
		return on
	}
	if slices.Contains([]string{"or", "and", ")"}, t) {
		e.fail("%q stands where a feature should", t)
		return true
	}
	m, local, ok := e.c.resolve(e.s, t, e.s.src.module)
	if !ok {
		e.bad = true
		return true
	}
	f := m.features[local]
	if f == nil || !e.s.visible(f.stmt) {
		e.fail("there is no feature %q", clip(t))
		return true
	}
	e.c.refer(e.s, e.s.parent, f.stmt)
	if f.state == 1 {
		e.fail("feature %q depends on itself", clip(t))
		return true
	}
	return e.c.feature(f)
}

// withFeatures adds a statement if it has an if-feature.
func withFeatures(to []*statement, s *statement) []*statement {
	if s.child("if-feature") == nil {
		return to
	}
	return append(slices.Clip(to), s)
}

// features adds the features on which the node is conditional, and those on
// which these are: by itself, what brought it, and what is above it.
func (n *Node) features(into map[*feature]bool) {
	for at := n; at != nil && at.stmt != nil; at = at.parent {
		at.stmt.features(into)
		for _, s := range at.iffs {
			s.features(into)
		}
	}
}

func (s *statement) features(into map[*feature]bool) {
	for _, x := range s.subs {
		if x.kw != "if-feature" {
			continue
		}
		for _, word := range featureTokens(x.arg) {
			if slices.Contains([]string{"and", "or", "not"}, word) {
				continue
			}
			m, local := s.src.module, word
			if prefix, name, ok := strings.Cut(word, ":"); ok {
				m, local = s.src.prefixes[prefix], name
			}
			if m == nil {
				continue
			}
			if f := m.features[local]; f != nil && !into[f] {
				into[f] = true
				f.stmt.features(into)
			}
		}
	}
}

// missingFeature returns the name of a feature on which a leafref's target is
// conditional and the leafref is not (§9.9); "" if there is none. A feature by
// which one of those that the leafref names is conditional is one of its own.
func missingFeature(ref, target *Node) string {
	want := make(map[*feature]bool)
	target.features(want)
	if len(want) == 0 {
		return ""
	}
	have := make(map[*feature]bool)
	ref.features(have)
	var names []string
	for f := range want {
		if !have[f] {
			names = append(names, f.module.Name+":"+f.stmt.arg)
		}
	}
	slices.Sort(names)
	if names == nil {
		return ""
	}
	return names[0]
}
