package schemas

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// ParseOptions say what kind of data is read.
type ParseOptions struct {
	// XML reads the XML encoding of RFC 7950 instead of JSON.
	XML bool
	// ConfigOnly says that the data is a configuration datastore: state is
	// refused, and not missed where it is mandatory.
	ConfigOnly bool

	nested int // anydata inside of anydata
}

const (
	// maxDataErrors bounds the errors reported of one tree.
	maxDataErrors = 1000
	// maxDataSize bounds what is read into memory.
	maxDataSize = 1 << 30
	maxAnyDepth = 8 // anydata whose content is itself read as data, in each other
)

// ParseJSON reads RFC 7951 JSON, bare or in an RFC 9195 instance-data
// envelope. It checks syntax, names and the type of every value; what only
// holds for the tree as a whole is left to Validate. The error joins a
// *PathError for each fault found.
func (s *Set) ParseJSON(data []byte) (*Tree, error) { return s.Parse(data, ParseOptions{}) }

// Parse is ParseJSON with options. Around the data, which may be several
// top-level nodes, it accepts one wrapper: <data> or <config> of NETCONF, also
// in an <rpc-reply> (RFC 6241), <data> of RESTCONF (RFC 8040) or, in JSON, "ietf-restconf:data".
func (s *Set) Parse(data []byte, o ParseOptions) (*Tree, error) { return s.parse(string(data), o) }

// ParseText is Parse of a string. Values of the tree are parts of it, so that
// both are in memory once.
func (s *Set) ParseText(data string, o ParseOptions) (*Tree, error) { return s.parse(data, o) }

// ReadText reads all that r gives, as ParseText wants it: size bytes or about
// that many, and never more than the data that the package reads.
func ReadText(r io.Reader, size int64) (string, error) {
	var b strings.Builder
	b.Grow(int(min(max(size, 0), maxDataSize)) + 1)
	n, err := io.Copy(&b, io.LimitReader(r, maxDataSize+1))
	if err != nil {
		return "", fmt.Errorf("read the data: %w", err)
	}
	if n > maxDataSize {
		return "", fmt.Errorf("the data is larger than %d MiB", maxDataSize>>20)
	}
	return b.String(), nil
}

func (s *Set) parse(in string, o ParseOptions) (*Tree, error) {
	in = strings.TrimPrefix(in, "\ufeff")
	t := &Tree{set: s, root: &item{schema: s.root, offset: -1}, text: &inputText{in: in}, configOnly: o.ConfigOnly}
	r := &reader{tree: t, set: s, opts: o}
	rule := "RFC 8259"
	if o.XML {
		rule = "XML 1.0"
	}
	var err error
	switch {
	case strings.HasPrefix(in, "\xfe\xff") || strings.HasPrefix(in, "\xff\xfe"):
		err = &syntaxError{0, "the input is UTF-16: only UTF-8 is supported"}
	case !utf8.ValidString(in):
		err = &syntaxError{invalidUTF8(in), "the input is not UTF-8"}
	case o.XML:
		err = (&xmlParser{reader: r, xmlScanner: xmlScanner{in: in}, spaces: s.namespaces()}).document()
	default:
		err = (&jsonParser{reader: r, jsonScanner: jsonScanner{in: in}}).document()
	}
	if err != nil {
		e := asSyntaxError(err)
		r.faultAt("/", e.offset, rule, "%s", e.text)
	}
	if len(r.errs) > 0 {
		return nil, joinPaths(r.errs, r.more)
	}
	r.settle()
	return t, nil
}

func invalidUTF8(in string) int {
	for i := 0; i < len(in); {
		r, n := utf8.DecodeRuneInString(in[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(in)
}

// joinPaths joins errors in the order in which they were found. more is how many
// were only counted.
func joinPaths(errs []*PathError, more int) error {
	all := make([]error, 0, len(errs))
	for i, e := range errs {
		if i == maxDataErrors {
			more += len(errs) - i
			break
		}
		all = append(all, e)
	}
	if more > 0 {
		all = append(all, fmt.Errorf("%s not shown", plural(more, "more error")))
	}
	return errors.Join(all...)
}

// inputText finds lines and columns. The index is made when the first fault
// needs it.
type inputText struct {
	in    string
	once  sync.Once
	lines []int // offsets of the newlines
}

// position returns the line and the column, both from 1; a column counts
// characters. Of a node that is not in the input both are 0.
func (t *inputText) position(offset int) (line, column int) {
	if t == nil || offset < 0 {
		return 0, 0
	}
	t.once.Do(func() {
		for i := 0; i < len(t.in); i++ {
			if t.in[i] == '\n' {
				t.lines = append(t.lines, i)
			}
		}
	})
	offset = min(offset, len(t.in))
	n := sort.SearchInts(t.lines, offset)
	begin := 0
	if n > 0 {
		begin = t.lines[n-1] + 1
	}
	return n + 1, utf8.RuneCountInString(t.in[begin:offset]) + 1
}

func (t *Tree) line(offset int) int {
	line, _ := t.text.position(offset)
	return line
}

// reader is what the readers of both encodings share.
type reader struct {
	tree   *Tree
	set    *Set
	opts   ParseOptions
	errs   []*PathError
	more   int // faults beyond those
	serial int
	spoilt map[*item]bool // list entries with a key that was reported already
	unsure []unsure
	slab   []item
	stream *stream // if data is passed on while it is read
}

// unsure is a value that a union reads as a reference, and how else it could be
// read, in the order of the members, if that leads to nothing.
type unsure struct {
	it     *item
	others []value
}

func (r *reader) faultAt(path string, offset int, rule, format string, args ...any) {
	if r.full() {
		r.more++
		return
	}
	line, column := r.tree.text.position(offset)
	r.errs = append(r.errs, &PathError{Path: path, Rule: rule, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) reportf(it *item, offset int, rule, format string, args ...any) {
	path := ""
	if !r.full() { // to find the place of an entry without keys takes time
		path = it.path()
	}
	r.faultAt(path, offset, rule, format, args...)
}

// full reports whether more faults are only counted.
func (r *reader) full() bool { return len(r.errs) >= maxDataErrors }

// newItem makes a node, many with one allocation.
func (r *reader) newItem(n *Node, parent *item, offset int) *item {
	r.serial++
	r.tree.size++
	if len(r.slab) == 0 {
		r.slab = make([]item, min(512, 16+r.serial))
	}
	k := &r.slab[0]
	r.slab = r.slab[1:]
	k.schema, k.parent, k.offset, k.order = n, parent, offset, r.serial
	return k
}

// keysOf binds the keys of a list entry that was read and reports those that
// are missing.
func (r *reader) keysOf(k *item) {
	for i, have := range k.bindKeys() {
		if have == nil && !r.spoilt[k] {
			r.reportf(k, k.offset, "RFC 7950 §7.8.2", "the key %q is missing", k.schema.keys[i].name)
		}
	}
}

// read reads the value of a leaf or leaf-list entry.
func (r *reader) read(k *item, how *reading, text string) *valueError {
	v, bad := how.read(k.schema.typ, text)
	if bad != nil {
		return bad
	}
	k.val = v
	if k.schema.typ.Base == BaseUnion && v.requires() {
		if all := how.candidates(k.schema.typ, text, nil); len(all) > 1 {
			r.unsure = append(r.unsure, unsure{k, all[1:]})
		}
	}
	return nil
}

// settle lets later members of unions read the references that lead to nothing
// (RFC 7950 §9.12), now that the data is there.
func (r *reader) settle() {
	if len(r.unsure) == 0 {
		return
	}
	v := newValidator(r.tree)
	for _, u := range r.unsure {
		if v.leads(u.it, u.it.val) {
			continue
		}
		for _, val := range u.others {
			if !val.requires() || v.leads(u.it, val) {
				u.it.val = val
				break
			}
		}
	}
}

// badValue reports a value that does not fit its type.
func (r *reader) badValue(it *item, offset int, e *valueError) {
	if n := len(r.errs); !r.full() {
		r.reportf(it, offset, e.rule, "%s", e.text)
		r.errs[n].AppTag = e.tag
	} else {
		r.more++
	}
	if it.schema.keyIndex > 0 {
		if r.spoilt == nil {
			r.spoilt = make(map[*item]bool)
		}
		r.spoilt[it.parent] = true
	}
}

// unknown reports a name that the schema does not have at a place. what is the
// member or element as the input has it.
func (r *reader) unknown(it *item, offset int, rule, what string, n name) {
	module := n.module
	m := r.set.byName[module]
	for _, k := range it.schema.children {
		if k.name == n.local && k.module == m && (k.kind == KindRPC || k.kind == KindAction || k.kind == KindNotification) {
			r.reportf(it, offset, "RFC 7950 §8.1", "%s: it is the %s %q, which no datastore holds", what, k.kind, k.name)
			return
		}
	}
	switch {
	case m == nil:
		r.reportf(it, offset, rule, "%s: there is no module %q in the set", what, clip(module))
	case !m.Implemented:
		r.reportf(it, offset, "RFC 7950 §5.6.5", "%s: module %s is only imported, not implemented", what, module)
	default:
		r.reportf(it, offset, rule, "there is no %s of module %s here", what, module)
	}
}

// misplaced reports a node that may not be there, and whether it did.
func (r *reader) misplaced(it *item, n *Node, offset int) bool {
	if r.opts.ConfigOnly && !n.config {
		r.reportf(it, offset, "RFC 7950 §7.21.1", "%s %q is state, only configuration is wanted", n.kind, n.name)
		return true
	}
	return false
}

// annotation is one metadata value of a node (RFC 7952).
type annotation struct {
	name name
	node *Node // nil for the default tag
	val  value
}

// annotate reads the value of an annotation and attaches it. text is the value
// as the encoding has it, module says how it resolves prefixes.
func (r *reader) annotate(it *item, offset int, n name, text string, h hint, module func(string) (string, bool)) {
	a := annotation{name: n, node: r.set.annotations[n]}
	switch {
	case n == defaultTag:
		t := strings.TrimSpace(text)
		if t != "true" && t != "false" && t != "1" && t != "0" || h == hintNull {
			r.reportf(it, offset, "RFC 6243 §6", "the annotation %s must be true or false", n.local)
			return
		}
		if t == "false" || t == "0" {
			return
		}
		if !it.schema.leafy() || !slices.Contains(it.schema.dflts, it.val.text) {
			r.reportf(it, offset, "RFC 6243 §6", "the value is tagged as a default and is not the default")
			return
		}
		a.val = value{text: "true", typ: &Type{Base: BaseBoolean, Name: "boolean"}}
	case a.node == nil:
		r.reportf(it, offset, "RFC 7952 §2", "the set defines no annotation %s:%s", clip(n.module), clip(n.local))
		return
	default:
		v, bad := (&reading{set: r.set, node: a.node, hint: h, module: module}).read(a.node.typ, text)
		if bad != nil {
			r.reportf(it, offset, bad.rule, "annotation %s:%s: %s", n.module, n.local, bad.text)
			return
		}
		a.val = v
	}
	if r.tree.meta == nil {
		r.tree.meta = make(map[*item][]annotation)
	}
	r.tree.meta[it] = append(r.tree.meta[it], a)
	slices.SortStableFunc(r.tree.meta[it], func(a, b annotation) int {
		return strings.Compare(a.name.module+":"+a.name.local, b.name.module+":"+b.name.local)
	})
}

// tagged reports whether the node was said to be there by default.
func (t *Tree) tagged(it *item) bool {
	return slices.ContainsFunc(t.meta[it], func(a annotation) bool { return a.name == defaultTag })
}
