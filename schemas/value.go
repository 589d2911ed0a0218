package schemas

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cfgvault/cfgvault/schemas/xpath"
)

// hint is how a value was written: JSON says more than text does, and members
// of a union are chosen by it (RFC 7951 §6.10).
type hint int8

const (
	hintText    hint = iota // XML: any type
	hintDefault             // a module's text: any type, integers may be hexadecimal
	hintString
	hintNumber
	hintBool
	hintNull // [null]
)

// encodingRule is broken by a value of another JSON type than its own.
const encodingRule = "RFC 7951 §6"

// reading is the context in which a value is read.
type reading struct {
	set  *Set
	node *Node
	hint hint
	// module returns the module that a prefix stands for in this place; the
	// empty prefix is that of the node.
	module func(prefix string) (string, bool)
	// accept, if set, is asked about a leafref or instance-identifier that the
	// value fits: whether it leads to something.
	accept func(t *Type, v value) bool
	hide   bool // the value is secret: errors do not show it
	// guessed says that the hint is what the value became, not how it was
	// written: what does not fit it says nothing to the reader.
	guessed bool
	// prefixed says that every name in an instance-identifier has a prefix.
	prefixed bool
	depth    int
}

// value is a value in canonical form with the type that decided it: never a
// union or leafref.
type value struct {
	text string
	typ  *Type
	ref  *Type // the leafref or instance-identifier type by which it was read
}

// valueError says why a value does not fit a type.
type valueError struct {
	rule string
	text string
	tag  string
}

func (e *valueError) Error() string { return e.text }

func (r *reading) show(s string) string {
	if r.hide {
		return Hidden
	}
	return fmt.Sprintf("%q", clip(s))
}

func (r *reading) errorf(m *message, rule, format string, args ...any) *valueError {
	e := &valueError{rule: rule, text: fmt.Sprintf(format, args...)}
	if m != nil {
		if m.text != "" {
			e.text = m.text
		}
		e.tag = m.tag
	}
	return e
}

// read parses a value of the type.
func (r *reading) read(t *Type, s string) (value, *valueError) {
	v := value{typ: t}
	fits := func(hints ...hint) bool { return r.hint <= hintDefault || slices.Contains(hints, r.hint) }
	encoding := func(want string) (value, *valueError) {
		return v, r.errorf(nil, encodingRule, "a value of type %s must be %s", t.Base, want)
	}
	switch b := t.Base; {
	case b.integer():
		if wide := b == BaseInt64 || b == BaseUint64; wide && !fits(hintString) {
			return encoding("a JSON string")
		} else if !wide && !fits(hintNumber) {
			return encoding("a JSON number")
		}
		// Defaults in modules may be hexadecimal or octal (§9.2.1).
		digits := strings.TrimSpace(s)
		if r.hint == hintNumber {
			digits = withoutExponent(digits)
		}
		n, ok := parseInteger(digits, r.hint != hintDefault)
		if !ok {
			return v, r.errorf(nil, "RFC 7950 §9.2.1", "%s is not an integer", r.show(s))
		}
		if !t.ranges.has(n) {
			return v, r.errorf(t.rangeMsg, "RFC 7950 §9.2.4", "%s is not in the range %s", r.show(s), t.ranges.text(0))
		}
		v.text = n.text(0)
	case b == BaseDecimal64:
		if !fits(hintString) {
			return encoding("a JSON string")
		}
		n, ok := parseDecimal(strings.TrimSpace(s), t.digits)
		if !ok {
			return v, r.errorf(nil, "RFC 7950 §9.3.1", "%s is not a decimal number with at most %s", r.show(s), plural(t.digits, "fraction digit"))
		}
		if !t.ranges.has(n) {
			return v, r.errorf(t.rangeMsg, "RFC 7950 §9.3.4", "%s is not in the range %s", r.show(s), t.ranges.text(t.digits))
		}
		v.text = n.text(t.digits)
	case b == BaseString:
		if !fits(hintString) {
			return encoding("a JSON string")
		}
		return r.str(t, s)
	case b == BaseBoolean:
		if !fits(hintBool) {
			return encoding("true or false")
		}
		if s != "true" && s != "false" {
			return v, r.errorf(nil, "RFC 7950 §9.5.1", "%s is neither true nor false", r.show(s))
		}
		v.text = s
	case b == BaseEnumeration:
		if !fits(hintString) {
			return encoding("a JSON string")
		}
		if _, ok := t.enumAt[s]; !ok {
			return v, r.errorf(nil, "RFC 7950 §9.6.1", "%s is none of: %s", r.show(s), t.names())
		}
		v.text = s
	case b == BaseBits:
		if !fits(hintString) {
			return encoding("a JSON string")
		}
		set := make(map[int]bool)
		for bit := range strings.FieldsSeq(s) {
			i, ok := t.enumAt[bit]
			if !ok {
				return v, r.errorf(nil, "RFC 7950 §9.7.2", "bit %s is none of: %s", r.show(bit), t.names())
			}
			if set[i] {
				return v, r.errorf(nil, "RFC 7950 §9.7.2", "bit %s is there twice", r.show(bit))
			}
			set[i] = true
		}
		var have []string
		for i, e := range t.enums {
			if set[i] {
				have = append(have, e.name)
			}
		}
		v.text = strings.Join(have, " ")
	case b == BaseBinary:
		if !fits(hintString) {
			return encoding("a JSON string")
		}
		// RFC 4648 §3.3 has other characters refused; line breaks are common all
		// the same.
		raw, err := base64.StdEncoding.DecodeString(strings.Map(func(c rune) rune {
			if c == '\r' || c == '\n' {
				return -1
			}
			return c
		}, s))
		if err != nil {
			return v, r.errorf(nil, "RFC 7950 §9.8.2", "the value is not base64")
		}
		if !t.lengths.has(number{abs: uint64(len(raw))}) {
			return v, r.errorf(t.lenMsg, "RFC 7950 §9.4.4", "%d bytes: the length must be %s", len(raw), t.lengths.text(0))
		}
		v.text = base64.StdEncoding.EncodeToString(raw)
	case b == BaseEmpty:
		if !fits(hintNull) {
			return encoding("[null]")
		}
		if s != "" {
			return v, r.errorf(nil, "RFC 7950 §9.11.2", "the value must be empty")
		}
	case b == BaseIdentityref:
		if !fits(hintString) {
			return encoding("a JSON string")
		}
		return r.identity(t, s)
	case b == BaseInstanceIdentifier:
		if !fits(hintString) {
			return encoding("a JSON string")
		}
		if r.hint == hintText && r.prefixed && unprefixed(s) {
			return v, r.errorf(nil, "RFC 7950 §9.13.2", "%s is not an instance-identifier: in XML each name needs its prefix", r.show(s))
		}
		module := r.module
		if r.hint == hintDefault && r.node.module != nil {
			// Names of a default without a prefix are those of XPath (§6.4.1).
			module = func(p string) (string, bool) {
				if p == "" {
					return r.node.module.Name, true
				}
				return r.module(p)
			}
		}
		p, err := r.set.instancePath(strings.Trim(s, " \t\r\n"), module, false, r.prefixing())
		if err != nil {
			return v, r.errorf(nil, "RFC 7950 §9.13", "%s is not an instance-identifier: %v", r.show(s), err)
		}
		if to := p[len(p)-1].node; t.require && r.node.config && !r.node.action && !to.config {
			return v, r.errorf(nil, "RFC 7950 §9.13", "configuration cannot require the state node %s", to.Path())
		}
		v.text, v.ref = p.String(), t
		if t.require && r.accept != nil && !r.accept(t, v) {
			return v, r.errorf(nil, "RFC 7950 §9.13", "%s leads to nothing", r.show(s))
		}
	case b == BaseLeafref:
		target := r.node.refs[t]
		if target == nil || r.depth > maxTypeDepth {
			return v, r.errorf(nil, "RFC 7950 §9.9", "the leafref leads nowhere")
		}
		inner := *r
		inner.node, inner.accept, inner.depth = target.target, nil, r.depth+1
		got, err := inner.read(target.target.typ, s)
		if err != nil {
			return v, err
		}
		v = value{text: got.text, typ: got.typ, ref: t}
		if t.require && r.accept != nil && !r.accept(t, v) {
			return v, r.errorf(nil, "RFC 7950 §9.9", "%s is not a value of %s", r.show(s), target.target.Path())
		}
	case b == BaseUnion:
		if r.depth > maxTypeDepth {
			return v, r.errorf(nil, "RFC 7950 §9.12", "the union is nested too deep")
		}
		inner := *r
		inner.depth++
		var reasons []string
		for _, m := range t.members {
			got, err := inner.read(m, s)
			if err == nil {
				return got, nil
			}
			if !slices.Contains(reasons, err.text) && !(r.guessed && err.rule == encodingRule) {
				reasons = append(reasons, err.text)
			}
		}
		if reasons == nil {
			return v, r.errorf(nil, encodingRule, "%s fits no type of the union", r.show(s))
		}
		return v, r.errorf(nil, "RFC 7950 §9.12", "%s fits no type of the union: %s", r.show(s), strings.Join(reasons, "; "))
	default:
		return v, r.errorf(nil, "RFC 7950 §9", "the type is not known")
	}
	return v, nil
}

// bare reports whether JSON has the value without quotes.
func (v value) bare() bool {
	if v.typ == nil {
		return false
	}
	b := v.typ.Base
	return b == BaseEmpty || b == BaseBoolean || b.integer() && b != BaseInt64 && b != BaseUint64
}

// same reports whether two values of a node are one: in a union, 5 and "5" are
// not (RFC 7951 §6.10).
func (v value) same(o value) bool { return v.text == o.text && v.bare() == o.bare() }

// requires reports whether the value is a reference that must lead to something.
func (v value) requires() bool { return v.ref != nil && v.ref.require }

// candidates appends the values that a text can be, in the order of the members
// of a union, up to the first that is no reference.
func (r *reading) candidates(t *Type, s string, out []value) []value {
	if t.Base != BaseUnion {
		if v, err := r.read(t, s); err == nil {
			out = append(out, v)
		}
		return out
	}
	for _, m := range t.members {
		if out = r.candidates(m, s, out); len(out) > 0 && !out[len(out)-1].requires() {
			break
		}
	}
	return out
}

// withoutExponent writes a JSON number with an exponent as the integer that it
// is (RFC 7951 §6.1 has integers as JSON numbers, however they are written);
// other numbers, and those too large for any type, are returned as they are.
func withoutExponent(s string) string {
	mantissa, exponent, ok := strings.Cut(strings.ToLower(s), "e")
	e, err := strconv.Atoi(exponent)
	if !ok || err != nil || e > 20 || e < -20 || len(mantissa) > 64 {
		return s
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits, point := whole+frac, len(whole)+e
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	point = max(point, 0)
	if strings.Trim(digits[point:], "0") != "" || point == 0 && strings.Trim(digits, "0") != "" {
		return s // it has a fraction
	}
	return sign + "0" + digits[:point]
}

// prefixing says how names are written in the encoding that is read.
func (r *reading) prefixing() prefixing {
	switch r.hint {
	case hintText:
		return prefixAll
	case hintDefault:
		return prefixAny
	}
	return prefixChanges
}

// names lists a type's enums or bits for an error.
func (t *Type) names() string {
	var out []string
	for _, e := range t.enums {
		if e.off {
			continue
		}
		if len(out) == 12 && len(t.enumAt) > 14 {
			out = append(out, fmt.Sprintf("… (%d in all)", len(t.enumAt)))
			break
		}
		out = append(out, e.name)
	}
	return strings.Join(out, ", ")
}

func (r *reading) str(t *Type, s string) (value, *valueError) {
	v := value{typ: t}
	for _, c := range s {
		if !yangChar(c) {
			return v, r.errorf(nil, "RFC 7950 §9.4", "the character U+%04X is not allowed in a string", c)
		}
	}
	if n := utf8.RuneCountInString(s); !t.lengths.has(number{abs: uint64(n)}) {
		return v, r.errorf(t.lenMsg, "RFC 7950 §9.4.4", "%s: the length must be %s", plural(n, "character"), t.lengths.text(0))
	}
	for _, p := range t.patterns {
		if !p.affordable(s) {
			return v, r.errorf(nil, "limit", "a value of %s is too long to be matched with the pattern %s", plural(len(s), "byte"), clip(p.xsd))
		}
		if p.match(s) == p.invert {
			not := "does not match"
			if p.invert {
				not = "must not match"
			}
			return v, r.errorf(p.msg, "RFC 7950 §9.4.5", "%s %s the pattern %s", r.show(s), not, clip(p.xsd))
		}
	}
	v.text = t.canonical(s)
	if t.holdsXPath() {
		// Prefixes are those that the encoding has in this place, as those of an
		// identityref; module names stand for themselves.
		x, err := xpath.Rewrite(s, r.module)
		if err != nil {
			return v, r.errorf(nil, "RFC 6991 §3", "%s is not an XPath expression whose prefixes are known: %v", r.show(s), err)
		}
		v.text = x
	}
	return v, nil
}

// holdsXPath reports whether values of the type are XPath expressions (RFC 6991
// §3). Those of types that derive from it, as node-instance-identifier of RFC
// 8341, are too.
func (t *Type) holdsXPath() bool { return slices.Contains(t.derived, "ietf-yang-types:xpath1.0") }

// yangChar reports whether a character may be in a string (§9.4: those of XML
// without the non-characters).
func yangChar(c rune) bool {
	switch {
	case c == '\t' || c == '\n' || c == '\r':
		return true
	case c < 0x20, c >= 0xD800 && c <= 0xDFFF, c >= 0xFDD0 && c <= 0xFDEF, c&0xFFFE == 0xFFFE:
		return false
	}
	return true
}

func (r *reading) identity(t *Type, s string) (value, *valueError) {
	v := value{typ: t}
	prefix, local, ok := strings.Cut(s, ":")
	if !ok {
		prefix, local = "", s
	}
	module, ok := r.module(prefix)
	if !ok {
		return v, r.errorf(nil, "RFC 7950 §9.10.3", "%s: there is no module for the prefix", r.show(s))
	}
	i := r.set.idents[module+":"+local]
	if i == nil || i.off {
		return v, r.errorf(nil, "RFC 7950 §9.10.3", "there is no identity %s", r.show(s))
	}
	if !i.owner.Implemented && r.hint != hintDefault {
		return v, r.errorf(nil, "RFC 7950 §9.10.2", "identity %s is of module %s, which is only imported, not implemented", r.show(s), i.Module)
	}
	for _, b := range t.bases {
		if !i.up[b.String()] {
			return v, r.errorf(nil, "RFC 7950 §9.10.2", "identity %s does not derive from %s", r.show(s), b)
		}
	}
	v.text = i.String()
	return v, nil
}
