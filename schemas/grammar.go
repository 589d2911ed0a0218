package schemas

import (
	"slices"
	"strconv"
	"strings"
)

// grammar says which statement may have which substatements (the tables of
// RFC 7950 §7 and §9): '!' exactly one, '?' at most one, '+' at least one, '*'
// any number, '^' as '*' but only in YANG 1.1, '~' as '?' but only in 1.1.
type grammar map[string]map[string]byte

const (
	dataDefs  = " anydata^ anyxml* choice* container* leaf* leaf-list* list*"
	metaStmts = " description? reference? status?"
	bodyStmts = " augment* contact? description? deviation* extension* feature* grouping* identity* import* include*" +
		" notification* organization? reference? revision* rpc* typedef* uses* yang-version?" + dataDefs
	errorStmts = " description? reference? error-app-tag? error-message?"
)

func newGrammar() grammar {
	spec := map[string]string{
		"module":       "namespace! prefix!" + bodyStmts,
		"submodule":    "belongs-to!" + bodyStmts,
		"import":       "prefix! revision-date? description~ reference~",
		"include":      "revision-date? description~ reference~",
		"belongs-to":   "prefix!",
		"revision":     "description? reference?",
		"typedef":      "default? type! units?" + metaStmts,
		"type":         "base* bit* enum* fraction-digits? length? path? pattern* range? require-instance? type*",
		"container":    "action^ config? grouping* if-feature* must* notification^ presence? typedef* uses* when?" + dataDefs + metaStmts,
		"must":         errorStmts,
		"leaf":         "config? default? if-feature* mandatory? must* type! units? when?" + metaStmts,
		"leaf-list":    "config? default^ if-feature* max-elements? min-elements? must* ordered-by? type! units? when?" + metaStmts,
		"list":         "action^ config? grouping* if-feature* key? max-elements? min-elements? must* notification^ ordered-by? typedef* unique* uses* when?" + dataDefs + metaStmts,
		"choice":       "case* config? default? if-feature* mandatory? when? anydata^ anyxml* choice^ container* leaf* leaf-list* list*" + metaStmts,
		"case":         "if-feature* uses* when?" + dataDefs + metaStmts,
		"anydata":      "config? if-feature* mandatory? must* when?" + metaStmts,
		"anyxml":       "config? if-feature* mandatory? must* when?" + metaStmts,
		"grouping":     "action^ grouping* notification^ typedef* uses*" + dataDefs + metaStmts,
		"uses":         "augment* if-feature* refine* when?" + metaStmts,
		"refine":       "config? default* description? if-feature^ mandatory? max-elements? min-elements? must* presence? reference?",
		"rpc":          "grouping* if-feature* input? output? typedef*" + metaStmts,
		"action":       "grouping* if-feature* input? output? typedef*" + metaStmts,
		"input":        "grouping* must^ typedef* uses*" + dataDefs,
		"output":       "grouping* must^ typedef* uses*" + dataDefs,
		"notification": "grouping* if-feature* must^ typedef* uses*" + dataDefs + metaStmts,
		"augment":      "action^ case* if-feature* notification^ uses* when?" + dataDefs + metaStmts,
		"identity":     "base* if-feature^" + metaStmts,
		"extension":    "argument?" + metaStmts,
		"argument":     "yin-element?",
		"feature":      "if-feature*" + metaStmts,
		"deviation":    "description? deviate+ reference?",
		"deviate":      "config? default* mandatory? max-elements? min-elements? must* type? unique* units?",
		"range":        errorStmts,
		"length":       errorStmts,
		"pattern":      errorStmts + " modifier~",
		"enum":         "if-feature^ value?" + metaStmts,
		"bit":          "if-feature^ position?" + metaStmts,
		"when":         "description? reference?",
	}
	for _, kw := range strings.Fields("base belongs-to config contact default description error-app-tag error-message fraction-digits if-feature key" +
		" mandatory max-elements min-elements modifier namespace ordered-by organization path position prefix presence reference require-instance" +
		" revision-date status unique units value yang-version yin-element") {
		if _, ok := spec[kw]; !ok {
			spec[kw] = ""
		}
	}
	g := make(grammar, len(spec))
	for kw, list := range spec {
		subs := make(map[string]byte)
		for _, f := range strings.Fields(list) {
			subs[f[:len(f)-1]] = f[len(f)-1]
		}
		g[kw] = subs
	}
	return g
}

// named reports whether the argument of a statement is an identifier.
func named(kw string) bool {
	switch kw {
	case "module", "submodule", "import", "include", "belongs-to", "typedef", "container", "leaf", "leaf-list", "list", "choice", "case", "anydata", "anyxml",
		"grouping", "rpc", "action", "notification", "identity", "extension", "feature", "prefix", "bit", "argument":
		return true
	}
	return false
}

// isDataDef reports whether a statement is a data definition statement.
func isDataDef(kw string) bool {
	switch kw {
	case "anydata", "anyxml", "choice", "container", "leaf", "leaf-list", "list", "uses":
		return true
	}
	return false
}

// section is the order of statements in a module (RFC 7950 §14: header,
// linkage, meta, revision, body).
func section(kw string) int {
	switch kw {
	case "yang-version", "namespace", "prefix", "belongs-to":
		return 0
	case "import", "include":
		return 1
	case "organization", "contact", "description", "reference":
		return 2
	case "revision":
		return 3
	}
	return 4
}

// check walks a file's statements and reports what the grammar forbids.
// Statements of extensions are left to those who know them (§6.3.1).
func (g grammar) check(s *statement, report func(*ModuleError)) {
	allowed, known := g[s.kw]
	if !known {
		return // reported by the parent, or an extension
	}
	if s.kw != "input" && s.kw != "output" && !s.hasArg {
		report(faultf(s, "RFC 7950 §6.3", "%q has no argument", s.kw))
	}
	if (s.kw == "input" || s.kw == "output") && s.hasArg {
		report(faultf(s, "RFC 7950 §7.14", "%q takes no argument", s.kw))
	}
	if named(s.kw) && s.hasArg {
		switch {
		case !isIdentifier(s.arg):
			report(faultf(s, "RFC 7950 §6.2", "%s: %q is not an identifier", s.kw, clip(s.arg)))
		case !s.src.v11 && len(s.arg) >= 3 && strings.EqualFold(s.arg[:3], "xml"):
			report(faultf(s, "RFC 6020 §6.2", "%s: the identifier %q begins with xml", s.kw, clip(s.arg)))
		}
	}
	checkArg(s, report)
	seen := make(map[string]int, len(s.subs))
	stage := 0
	nodes := false
	for _, c := range s.subs {
		if strings.Contains(c.kw, ":") {
			g.unknown(c, report)
			continue
		}
		nodes = nodes || isDataDef(c.kw)
		n, ok := allowed[c.kw]
		switch {
		case !ok && g[c.kw] == nil:
			report(faultf(c, "RFC 7950 §6.3", "unknown statement %q", clip(c.kw)))
			continue
		case !ok:
			report(faultf(c, "RFC 7950 §7", "%q cannot stand in %q", c.kw, s.kw))
			continue
		case (n == '^' || n == '~') && !c.src.v11:
			report(faultf(c, "RFC 7950 §12", "%q in %q needs yang-version 1.1", c.kw, s.kw))
		}
		seen[c.kw]++
		if seen[c.kw] == 2 && (n == '!' || n == '?' || n == '~') {
			report(faultf(c, "RFC 7950 §7", "more than one %q in %q", c.kw, s.kw))
		}
		if s.kw == "module" || s.kw == "submodule" {
			if at := section(c.kw); at < stage {
				report(faultf(c, "RFC 7950 §14", "%q comes too late in the %s", c.kw, s.kw))
			} else {
				stage = at
			}
		}
		g.check(c, report)
	}
	for kw, n := range allowed {
		if (n == '!' || n == '+') && seen[kw] == 0 {
			report(faultf(s, "RFC 7950 §7", "%s %q has no %q", s.kw, clip(s.arg), kw))
		}
	}
	switch {
	case (s.kw == "input" || s.kw == "output") && !nodes:
		report(faultf(s, "RFC 7950 §14", "%s has no data definition", s.kw))
	case s.kw == "deviation" && seen["deviate"] > 1 && slices.ContainsFunc(s.subs, notSupported):
		report(faultf(s, "RFC 7950 §14", "deviate not-supported stands beside another deviate"))
	case notSupported(s) && slices.ContainsFunc(s.subs, func(c *statement) bool { return !strings.Contains(c.kw, ":") }):
		report(faultf(s, "RFC 7950 §14", "deviate not-supported takes no substatements"))
	}
}

func notSupported(s *statement) bool { return s.kw == "deviate" && s.arg == "not-supported" }

// unknown checks what stands below a statement of an extension: only YANG
// statements and other extensions (§7.19).
func (g grammar) unknown(s *statement, report func(*ModuleError)) {
	for _, c := range s.subs {
		switch {
		case strings.Contains(c.kw, ":"):
			g.unknown(c, report)
		case g[c.kw] == nil:
			report(faultf(c, "RFC 7950 §7.19", "unknown statement %q", clip(c.kw)))
		default:
			g.check(c, report)
		}
	}
}

// checkArg checks arguments that are one of a few words, or a number.
func checkArg(s *statement, report func(*ModuleError)) {
	words := ""
	switch s.kw {
	case "config", "mandatory", "require-instance", "yin-element":
		words = "true false"
	case "status":
		words = "current deprecated obsolete"
	case "ordered-by":
		words = "system user"
	case "modifier":
		words = "invert-match"
	case "deviate":
		words = "not-supported add replace delete"
	case "yang-version":
		words = "1 1.1"
	case "revision", "revision-date":
		if !isDate(s.arg) {
			report(faultf(s, "RFC 7950 §7.1.9", "%s: %q is not a date", s.kw, clip(s.arg)))
		}
	case "value", "position", "fraction-digits":
		if !isInteger(s.arg) {
			report(faultf(s, "RFC 7950 §14", "%s: %q is not an integer", s.kw, clip(s.arg)))
		}
	case "namespace":
		if !isURI(s.arg) {
			report(faultf(s, "RFC 7950 §7.1.3", "the namespace %q is not a URI", clip(s.arg)))
		}
	case "key":
		for _, k := range strings.FieldsFunc(s.arg, isSeparator) {
			if !isNodeName(k) {
				report(faultf(s, "RFC 7950 §7.8.2", "key: %q is not the name of a leaf", clip(k)))
			}
		}
		if s.arg == "" || strings.Trim(s.arg, " \t\r\n") != s.arg {
			report(faultf(s, "RFC 7950 §14", "key: %q is empty or has blanks around it", clip(s.arg)))
		}
	case "unique":
		if s.arg == "" || strings.Trim(s.arg, " \t\r\n") != s.arg {
			report(faultf(s, "RFC 7950 §14", "unique: %q is empty or has blanks around it", clip(s.arg)))
		}
	case "min-elements", "max-elements":
		if s.kw == "max-elements" && s.arg == "unbounded" {
			return
		}
		n, err := strconv.ParseUint(s.arg, 10, 32)
		if err != nil || s.kw == "max-elements" && n == 0 || strings.HasPrefix(s.arg, "0") && s.arg != "0" {
			report(faultf(s, "RFC 7950 §7.7.5", "%s: %q is not a count", s.kw, clip(s.arg)))
		}
	}
	if words == "" {
		return
	}
	for _, w := range strings.Fields(words) {
		if s.arg == w {
			return
		}
	}
	report(faultf(s, "RFC 7950 §14", "%s: %q is none of: %s", s.kw, clip(s.arg), strings.Join(strings.Fields(words), ", ")))
}

func isSeparator(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

// isNodeName reports whether s is an identifier with or without a prefix.
func isNodeName(s string) bool {
	prefix, local, ok := strings.Cut(s, ":")
	if !ok {
		return isIdentifier(s)
	}
	return isIdentifier(prefix) && isIdentifier(local)
}

// isInteger reports whether s matches integer-value of §14: no plus sign, no
// leading zero.
func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if s == "" || s[0] == '0' && s != "0" {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

// clip bounds text of a module in an error.
func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
