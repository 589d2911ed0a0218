package schemas

import (
	"slices"
	"strconv"
	"strings"
)

// Base is a built-in type of YANG (RFC 7950 §9).
type Base int8

// The built-in types.
const (
	BaseUnknown Base = iota
	BaseBinary
	BaseBits
	BaseBoolean
	BaseDecimal64
	BaseEmpty
	BaseEnumeration
	BaseIdentityref
	BaseInstanceIdentifier
	BaseInt8
	BaseInt16
	BaseInt32
	BaseInt64
	BaseLeafref
	BaseString
	BaseUint8
	BaseUint16
	BaseUint32
	BaseUint64
	BaseUnion
)

// baseNames are the names of the built-in types, by Base.
func baseNames() [BaseUnion + 1]string {
	return [...]string{"unknown", "binary", "bits", "boolean", "decimal64", "empty", "enumeration", "identityref", "instance-identifier",
		"int8", "int16", "int32", "int64", "leafref", "string", "uint8", "uint16", "uint32", "uint64", "union"}
}

// builtin returns the built-in type of that name.
func builtin(name string) (Base, bool) {
	for b, n := range baseNames() {
		if n == name && b > 0 {
			return Base(b), true
		}
	}
	return BaseUnknown, false
}

// String returns the type's name.
func (b Base) String() string { return baseNames()[b] }

func (b Base) integer() bool {
	return b >= BaseInt8 && b <= BaseInt64 || b >= BaseUint8 && b <= BaseUint64
}

// Type is the type of a leaf, with all restrictions of the typedefs it is
// derived from.
type Type struct {
	Base Base
	Name string // as the module writes it

	derived  []string // the typedefs it comes from, nearest first, "module:name"
	ranges   spans    // integers and decimal64
	lengths  spans    // string and binary
	rangeMsg *message
	lenMsg   *message
	patterns []typePattern
	digits   int // fraction digits of decimal64
	enums    []enumValue
	enumAt   map[string]int
	members  []*Type     // of a union
	weight   int         // number of members, those of unions in it included
	bases    []*Identity // of an identityref
	path     *leafPath   // of a leafref
	require  bool        // require-instance
	dflt     *statement  // default of the nearest typedef that has one
	units    string
	stmt     *statement
}

// message is what a module wants to be told when a restriction is broken.
type message struct{ text, tag string }

type typePattern struct {
	*pattern
	invert bool
	msg    *message
}

// enumValue is an enum or a bit, with its value or position.
type enumValue struct {
	name        string
	value       int64
	off         bool // ruled out by an if-feature
	conditional bool // it has an if-feature
}

func messageOf(s *statement) *message {
	m := &message{s.childArg("error-message"), s.childArg("error-app-tag")}
	if m.text == "" && m.tag == "" {
		return nil
	}
	return m
}

// typedef compiles a typedef, once.
func (c *compiler) typedef(s *statement) *Type {
	if t, ok := c.typedefs[s]; ok {
		if t == nil {
			c.faultf(s, "RFC 7950 §7.3", "typedef %q derives from itself", s.arg)
			return &Type{Base: BaseUnknown, stmt: s}
		}
		return t
	}
	t := &Type{Base: BaseUnknown, stmt: s}
	if c.depth > maxTypeDepth {
		c.limit(s, "typedefs derive from each other more than %d deep", maxTypeDepth)
		return t
	}
	c.typedefs[s] = nil
	c.depth++
	if ts := s.child("type"); ts != nil {
		*t = *c.typ(ts, 0)
	}
	c.depth--
	t.derived = append([]string{s.src.module.Name + ":" + s.arg}, t.derived...)
	if d := s.child("default"); d != nil {
		t.dflt = d
	}
	if u := s.child("units"); u != nil {
		t.units = u.arg
	}
	c.typedefs[s] = t
	if t.dflt != nil && !c.usesPaths(t) {
		// A default that a derived type no longer allows is an error as well
		// (§7.3.4), so it is checked at each step.
		c.checkDefault(t.dflt, t, s)
	}
	for _, x := range s.subs {
		if strings.Contains(x.kw, ":") {
			c.extension(x, nil)
		}
	}
	return t
}

// usesPaths reports whether values of the type can only be judged in a tree.
func (c *compiler) usesPaths(t *Type) bool {
	return t.Base == BaseUnknown || t.Base == BaseLeafref || t.Base == BaseUnion && slices.ContainsFunc(t.members, c.usesPaths)
}

// typ compiles a type statement.
func (c *compiler) typ(s *statement, depth int) *Type {
	if depth > maxTypeDepth {
		c.limit(s, "types are nested more than %d deep", maxTypeDepth)
		return &Type{Base: BaseUnknown, stmt: s}
	}
	t := &Type{stmt: s}
	if b, ok := builtin(s.arg); ok {
		t.Base, t.require = b, true
		c.builtin(t, s, depth)
	} else {
		def := c.lookup(s, "typedef", s.arg)
		if def == nil {
			c.faultf(s, "RFC 7950 §7.4", "there is no type %q", clip(s.arg))
			t.Base = BaseUnknown
			return t
		}
		c.refer(s, s.parent, def)
		*t = *c.typedef(def)
		t.stmt = s
		c.restrict(t, s)
	}
	t.Name = s.arg
	for _, x := range s.subs {
		if strings.Contains(x.kw, ":") {
			c.extension(x, nil)
		}
	}
	return t
}

// takes says which substatements restrict which base (§9).
func (b Base) takes(kw string, builtin bool) bool {
	switch kw {
	case "range":
		return b.integer() || b == BaseDecimal64
	case "length":
		return b == BaseString || b == BaseBinary
	case "pattern":
		return b == BaseString
	case "enum":
		return b == BaseEnumeration
	case "bit":
		return b == BaseBits
	case "require-instance":
		return b == BaseLeafref || b == BaseInstanceIdentifier
	case "fraction-digits":
		return b == BaseDecimal64 && builtin
	case "path":
		return b == BaseLeafref && builtin
	case "base":
		return b == BaseIdentityref && builtin
	case "type":
		return b == BaseUnion && builtin
	}
	return true
}

// builtin compiles what a built-in type needs to be complete.
func (c *compiler) builtin(t *Type, s *statement, depth int) {
	whole := func(lo, hi number) { t.ranges = spans{{lo, hi}} }
	bits := map[Base]uint{BaseInt8: 7, BaseInt16: 15, BaseInt32: 31, BaseInt64: 63, BaseUint8: 8, BaseUint16: 16, BaseUint32: 32, BaseUint64: 64}
	need := func(kw string) bool {
		if s.child(kw) == nil {
			c.faultf(s, "RFC 7950 §9", "type %s needs %q", s.arg, kw)
			return false
		}
		return true
	}
	switch {
	case t.Base >= BaseInt8 && t.Base <= BaseInt64:
		whole(number{true, 1 << bits[t.Base]}, number{false, 1<<bits[t.Base] - 1})
	case t.Base.integer():
		whole(number{}, number{false, ^uint64(0) >> (64 - bits[t.Base])})
	case t.Base == BaseString || t.Base == BaseBinary:
		t.lengths = spans{{number{}, number{false, ^uint64(0)}}}
	case t.Base == BaseDecimal64:
		if need("fraction-digits") {
			n, err := strconv.Atoi(s.childArg("fraction-digits"))
			if err != nil || n < 1 || n > 18 {
				c.faultf(s, "RFC 7950 §9.3.4", "fraction-digits %q is not between 1 and 18", clip(s.childArg("fraction-digits")))
				n = 1
			}
			t.digits = n
		}
		whole(number{true, 1 << 63}, number{false, 1<<63 - 1})
	case t.Base == BaseEnumeration:
		need("enum")
	case t.Base == BaseBits:
		need("bit")
	case t.Base == BaseUnion:
		need("type")
		for _, m := range s.subs {
			if m.kw == "type" {
				u := c.typ(m, depth+1)
				if !s.src.v11 && (u.Base == BaseEmpty || u.Base == BaseLeafref) {
					c.faultf(m, "RFC 6020 §9.12", "type %s in a union needs yang-version 1.1", u.Base)
				}
				t.members = append(t.members, u)
				if t.weight += max(u.weight, 1); t.weight > maxMembers {
					c.limit(m, "the union has more than %d member types", maxMembers)
					t.members, t.weight = nil, 0
					return
				}
			}
		}
	case t.Base == BaseIdentityref:
		need("base")
		for _, b := range s.subs {
			if b.kw == "base" {
				if len(t.bases) == 1 && !s.src.v11 {
					c.faultf(b, "RFC 7950 §9.10.2", "a second base needs yang-version 1.1")
				}
				if i := c.base(b); i != nil {
					t.bases = append(t.bases, i)
				}
			}
		}
	case t.Base == BaseLeafref:
		if need("path") {
			t.path = c.leafPath(s.child("path"))
		}
	}
	c.restrict(t, s)
}

// restrict applies the substatements of a type statement.
func (c *compiler) restrict(t *Type, s *statement) {
	_, isBuiltin := builtin(s.arg)
	var values []*statement
	for _, r := range s.subs {
		if strings.Contains(r.kw, ":") {
			continue
		}
		if !t.Base.takes(r.kw, isBuiltin) {
			if t.Base != BaseUnknown {
				c.faultf(r, "RFC 7950 §9", "%q cannot restrict type %s", r.kw, s.arg)
			}
			continue
		}
		var err error
		switch r.kw {
		case "range":
			digits := t.digits
			was := t.ranges
			t.ranges, err = parseSpans(r.arg, was, func(v string) (number, bool) {
				if t.Base == BaseDecimal64 {
					return parseDecimal(v, digits)
				}
				return parseInteger(v, true)
			})
			if err != nil {
				c.faultf(r, "RFC 7950 §9.2.4", "range: %v", err)
				t.ranges = was
			}
			t.rangeMsg = messageOf(r)
		case "length":
			was := t.lengths
			t.lengths, err = parseSpans(r.arg, was, func(v string) (number, bool) {
				n, ok := parseInteger(v, true)
				return n, ok && !n.neg
			})
			if err != nil {
				c.faultf(r, "RFC 7950 §9.4.4", "length: %v", err)
				t.lengths = was
			}
			t.lenMsg = messageOf(r)
		case "pattern":
			p, ok := c.patterns[r.arg]
			if !ok {
				if p, err = newPattern(r.arg); err != nil {
					c.faultf(r, "RFC 7950 §9.4.5", "pattern: %v", err)
				}
				c.patterns[r.arg] = p
			}
			if p != nil {
				t.patterns = append(slices.Clip(t.patterns), typePattern{p, r.child("modifier") != nil, messageOf(r)})
			}
		case "enum", "bit":
			values = append(values, r)
		case "require-instance":
			if t.Base == BaseLeafref && !s.src.v11 {
				c.faultf(r, "RFC 7950 §9.9.3", "require-instance of a leafref needs yang-version 1.1")
			}
			t.require = r.arg == "true"
		}
	}
	if values != nil {
		if !isBuiltin && !s.src.v11 {
			c.faultf(values[0], "RFC 7950 §9.6.3", "restricting the values of a typedef needs yang-version 1.1")
		}
		c.values(t, values, isBuiltin)
	}
}

// values compiles enums or bits: new ones of a built-in type, or a choice of
// those that a typedef has.
func (c *compiler) values(t *Type, stmts []*statement, builtin bool) {
	from := t.enums
	fromAt := make(map[string]int, len(from))
	for i, e := range from {
		fromAt[e.name] = i
	}
	t.enums, t.enumAt = nil, make(map[string]int)
	word, limit, rule := "value", int64(1)<<31-1, "RFC 7950 §9.6.4"
	if t.Base == BaseBits {
		word, limit, rule = "position", int64(1)<<32-1, "RFC 7950 §9.7.4"
	}
	next := int64(0)
	taken := make(map[int64]bool)
	names := make(map[string]bool)
	for _, s := range stmts {
		if names[s.arg] {
			c.faultf(s, rule, "%s %q is there twice", s.kw, clip(s.arg))
			continue
		}
		names[s.arg] = true
		if s.kw == "enum" && (s.arg == "" || strings.TrimSpace(s.arg) != s.arg) {
			c.faultf(s, rule, "enum %q is empty or has blanks around it", clip(s.arg))
			continue
		}
		v := next
		explicit := s.child(word)
		if explicit != nil {
			n, err := strconv.ParseInt(explicit.arg, 10, 64)
			if err != nil || n > limit || n < -limit-1 || t.Base == BaseBits && n < 0 {
				c.faultf(explicit, rule, "%s %q is out of range", word, clip(explicit.arg))
				continue
			}
			v = n
		}
		if !builtin {
			i, ok := fromAt[s.arg]
			if !ok {
				c.faultf(s, rule, "%s %q is not one of the type that is restricted", s.kw, clip(s.arg))
				continue
			}
			if explicit != nil && from[i].value != v {
				c.faultf(explicit, rule, "%s of %q cannot be changed", word, clip(s.arg))
			}
			v = from[i].value
		} else {
			if v > limit {
				c.faultf(s, rule, "%q needs an explicit %s: the one before has the highest", clip(s.arg), word)
				continue
			}
			if taken[v] {
				c.faultf(s, rule, "%s %d is there twice", word, v)
			}
			taken[v] = true
			if len(taken) == 1 || v >= next {
				next = v + 1
			}
		}
		e := enumValue{name: s.arg, value: v, off: !c.enabled(s), conditional: s.child("if-feature") != nil}
		if !builtin {
			was := from[fromAt[s.arg]]
			e.off = e.off || was.off
			e.conditional = e.conditional || was.conditional
		}
		t.enums = append(t.enums, e)
	}
	if t.Base == BaseBits {
		slices.SortStableFunc(t.enums, func(a, b enumValue) int { return int(min(max(a.value-b.value, -1), 1)) })
	}
	for i, e := range t.enums {
		if !e.off {
			t.enumAt[e.name] = i
		}
	}
}

// is reports whether the type is, or derives from, one of the typedefs.
func (t *Type) is(typedefs ...string) bool {
	return slices.ContainsFunc(t.derived, func(d string) bool { return slices.Contains(typedefs, d) })
}
