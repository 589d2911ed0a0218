package schemas

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openconfig/goyang/pkg/yang"
)

// Bounds on what a module may be. Modules come from devices: one that breaks a
// bound is refused, it must not exhaust the process.
const (
	maxModuleSize = 8 << 20 // bytes of one module's text; the largest known (openconfig-*) is 0.5 MiB
	maxStmtDepth  = 256     // nested statements
	maxNodes      = 400_000 // schema nodes of a set after all groupings are expanded
	maxNodeDepth  = 200     // nested schema nodes
	maxTypeDepth  = 64      // typedefs that derive from each other, nested unions
	maxMembers    = 4096    // member types of a union, those of unions in it included
	maxChain      = 1000    // features or identities that refer to each other
	// maxDerivations bounds the pairs of identities of which one derives from
	// the other: a derivation is remembered for each.
	maxDerivations = 2_000_000
	maxErrors      = 200 // errors reported of one set
)

// statement is one statement of a module's text, with the way back up that
// scoped names need.
type statement struct {
	kw     string // as written: "leaf", "cv-ext:secret"
	arg    string
	hasArg bool
	subs   []*statement
	parent *statement
	src    *source
	line   int
	column int // in characters, from 1

	worst string                // what status returns, once it is known
	defs  map[string]*statement // the typedefs and groupings in it, once they are looked for
	known bool                  // defs is what it will be
}

// source is one file: a module or a submodule. Prefixes belong to the file, not
// to the module (RFC 7950 §7.1.4).
type source struct {
	file     string
	root     *statement
	module   *Module            // the module it is, or belongs to
	prefixes map[string]*Module // prefix → module, its own included
	includes []*source          // the submodules that it includes itself
	v11      bool
}

// child returns the first substatement with the keyword, or nil.
func (s *statement) child(kw string) *statement {
	for _, c := range s.subs {
		if c.kw == kw {
			return c
		}
	}
	return nil
}

// definition returns the typedef or grouping of that name among the
// substatements, or nil.
func (s *statement) definition(kw, name string) *statement {
	if !s.known {
		s.known = true
		for _, c := range s.subs {
			if c.kw == "typedef" || c.kw == "grouping" {
				if s.defs == nil {
					s.defs = make(map[string]*statement)
				}
				if key := c.kw + " " + c.arg; s.defs[key] == nil {
					s.defs[key] = c
				}
			}
		}
	}
	if len(s.defs) == 0 {
		return nil
	}
	return s.defs[kw+" "+name]
}

// childArg returns the argument of the first substatement with the keyword.
func (s *statement) childArg(kw string) string {
	if c := s.child(kw); c != nil {
		return c.arg
	}
	return ""
}

// ModuleError is a fault in a module: where, which rule, and what is wrong.
type ModuleError struct {
	File    string
	Line    int    // from 1; 0 if the fault is in no place
	Column  int    // in characters, from 1; 0 if it is not known
	Rule    string // "RFC 7950 §7.8.2"
	Message string
}

// Error implements error: "file:line:column: message (rule)".
func (e *ModuleError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Column > 0 {
		fmt.Fprintf(&b, ":%d", e.Column)
	}
	b.WriteString(": " + e.Message)
	if e.Rule != "" {
		b.WriteString(" (" + e.Rule + ")")
	}
	return b.String()
}

func faultf(s *statement, rule, format string, args ...any) *ModuleError {
	e := &ModuleError{Rule: rule, Message: fmt.Sprintf(format, args...)}
	if s != nil {
		e.Line, e.Column = s.line, s.column
		if s.src != nil {
			e.File = s.src.file
		}
	}
	return e
}

// parseStatements reads a module's text. Depth is checked before goyang's
// recursive parser sees it: a stack that overflows cannot be recovered.
func parseStatements(text []byte, src *source) (*statement, error) {
	fail := func(line, column int, format string, args ...any) error {
		return &ModuleError{File: src.file, Line: line, Column: column, Rule: "RFC 7950 §6", Message: fmt.Sprintf(format, args...)}
	}
	if len(text) > maxModuleSize {
		return nil, fail(0, 0, "the module is larger than %d MiB", maxModuleSize>>20)
	}
	if !utf8.Valid(text) {
		return nil, fail(0, 0, "the module is not UTF-8")
	}
	in := strings.TrimPrefix(string(text), "\ufeff")
	mended, mends, at, fault := lexical(in)
	where := &inputText{in: in}
	if fault != "" {
		line, column := where.position(at)
		return nil, fail(line, column, "%s", fault)
	}
	parsed, err := yang.Parse(mended, "")
	if err != nil {
		return nil, syntaxErrors(src.file, err)
	}
	if len(parsed) == 0 {
		return nil, fail(0, 0, "the file holds no module")
	}
	if len(parsed) > 1 {
		column, line := place(parsed[1])
		return nil, fail(line, column, "the file holds more than one module")
	}
	root := convert(parsed[0], nil, src)
	if len(mends) > 0 {
		shifted := make(map[int][]int)
		for _, m := range mends {
			line, column := where.position(m)
			shifted[line] = append(shifted[line], column)
		}
		root.mend(shifted)
	}
	return root, nil
}

// syntaxErrors turns goyang's text, one error a line, into errors with a place.
func syntaxErrors(file string, err error) error {
	var errs []error
	for l := range strings.Lines(err.Error()) {
		l = strings.TrimSpace(l)
		if l == "" {
			continue
		}
		e := &ModuleError{File: file, Rule: "RFC 7950 §6", Message: l}
		rest := strings.TrimPrefix(strings.TrimPrefix(l, "line "), ":")
		if at := strings.IndexByte(rest, ':'); at > 0 {
			if n, err := strconv.Atoi(rest[:at]); err == nil {
				e.Line = n
				rest = rest[at+1:]
				if at = strings.Index(rest, ": "); at >= 0 {
					e.Column, _ = strconv.Atoi(rest[:at])
					e.Message = rest[at+2:]
				}
			}
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// place reads the position that goyang keeps unexported: "line 3:5".
func place(s *yang.Statement) (col, line int) {
	loc := strings.TrimPrefix(s.Location(), "line ")
	l, c, _ := strings.Cut(loc, ":")
	line, _ = strconv.Atoi(l)
	col, _ = strconv.Atoi(c)
	return col, line
}

func convert(in *yang.Statement, parent *statement, src *source) *statement {
	column, line := place(in)
	s := &statement{kw: in.Keyword, arg: in.Argument, hasArg: in.HasArgument, parent: parent, src: src, line: line, column: column}
	subs := in.SubStatements()
	if len(subs) > 0 {
		s.subs = make([]*statement, len(subs))
		for i, c := range subs {
			s.subs[i] = convert(c, s, src)
		}
	}
	return s
}

// mend takes what lexical has inserted out of the columns. shifted has, by line,
// the columns before which a character was inserted.
func (s *statement) mend(shifted map[int][]int) {
	for _, at := range shifted[s.line] {
		if s.column > at {
			s.column--
		}
	}
	for _, k := range s.subs {
		k.mend(shifted)
	}
}

// isIdentifier reports whether s is an identifier (RFC 7950 §6.2).
func isIdentifier(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && (c == '-' || c == '.' || '0' <= c && c <= '9'):
		default:
			return false
		}
	}
	return s != ""
}

// isDate reports whether s is a revision date, YYYY-MM-DD, of the calendar.
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
