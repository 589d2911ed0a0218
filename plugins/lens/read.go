package lens

import (
	"slices"
	"strings"
	"unicode"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Global is the section of lines that are in no block.
const Global = "global"

// Reader reads the artefacts of one device into one tree and accounts for
// each of their lines. It is not safe for concurrent use.
type Reader struct {
	root     *node
	arena    arena
	residual []plugins.Line
	coverage []plugins.Coverage
}

// NewReader returns a Reader with an empty tree.
func NewReader() *Reader {
	r := &Reader{}
	r.root = r.arena.node("", container, nil)
	return r
}

// Read reads an artefact into the tree. Given binds variables of the table
// that the whole text is about; nil for tables without such.
func (r *Reader) Read(l *Lens, artefact, text string, given map[string]any) {
	r.read(l, artefact, text, given, false)
}

// Verify accounts for the lines of an artefact without changing the tree: a
// line is mapped if what it says is in the tree already. It is for copies of a
// configuration that was read, such as the startup configuration.
func (r *Reader) Verify(l *Lens, artefact, text string) { r.read(l, artefact, text, nil, true) }

// Opaque gives every line of an artefact one class.
func (r *Reader) Opaque(artefact, text string, class plugins.Class, rule string) {
	x := &reading{Reader: r, artefact: artefact, sections: map[string]int{}}
	x.all(text, class, rule)
}

// Normalized returns the tree and the account.
func (r *Reader) Normalized() *plugins.Normalized {
	return &plugins.Normalized{
		Tree:     r.root.appendJSON(make([]byte, 0, bytesPerNode*r.arena.made)),
		Residual: r.residual,
		Coverage: r.coverage,
	}
}

// bytesPerNode is about what a node takes when it is printed.
const bytesPerNode = 24

// reading is one pass over one artefact.
type reading struct {
	*Reader
	l        *Lens
	artefact string
	frozen   bool
	doc      *syntax.Doc
	env      []any
	sections map[string]int // heading to index in coverage
	section  string
	counted  string            // the section that counts is of
	counts   [len(classes)]int // by place in classes, since that section began
	words    []syntax.Word
	body     string
	base     *node         // the place of the block at hand
	loose    bool          // a leaf-list was added to by a second statement
	own      int           // how many of words are of the line itself
	joined   map[int]bool  // lines that were read with another
	taken    []*row        // nested: the rows that took the words of the path at hand
	noted    plugins.Line  // nested: the line at hand
	whole    plugins.Class // nested: of everything in the block at hand
	open     bool          // match may leave words, and end says where
	end      int
	short    bool             // match met the end of the words within a pattern
	remark   string           // the last comment: most are the one before it
	remarked Rule             // what it was classed by
	numbers  map[string]int64 // the last number that Row.Count gave, by place
	numbered string           // the place of the statement at hand
	rec      *recording       // the record at hand
}

func (r *Reader) read(l *Lens, artefact, text string, given map[string]any, frozen bool) {
	x := &reading{Reader: r, l: l, artefact: artefact, frozen: frozen, sections: map[string]int{}, section: Global}
	if strings.IndexByte(text, 0) >= 0 {
		x.all(text, plugins.Unparsed, "")
		return
	}
	x.env = make([]any, l.slots)
	for name, value := range given {
		if slot, ok := l.given[name]; ok {
			x.env[slot] = value
		}
	}
	if l.table.Records != nil {
		x.records(text)
		return
	}
	x.doc = l.table.Parse(text)
	from := len(r.residual)
	r.residual = slices.Grow(r.residual, len(x.doc.Lines)/8)
	if l.table.Nested {
		x.nested(0, len(x.doc.Lines), l.top, nil, plugins.Unparsed, "", true)
		x.flush()
	} else {
		x.block(0, len(x.doc.Lines), l.top, true)
	}
	x.count()
	if x.loose {
		l.canonicalLists(r.root)
	}
	if x.joined != nil {
		slices.SortStableFunc(r.residual[from:], func(a, b plugins.Line) int { return a.Number - b.Number })
	}
}

func (x *reading) all(text string, class plugins.Class, rule string) {
	x.section = Global
	n := 0
	for line := range strings.Lines(text) {
		if n++; strings.TrimSpace(line) != "" {
			x.account(n, class, rule)
		}
	}
	x.count()
}

// classes in the order in which a reading counts them.
var classes = [...]plugins.Class{plugins.Mapped, plugins.Unparsed, plugins.Boilerplate, plugins.Volatile, plugins.SecretOpaque}

// count adds what was counted to the coverage of its section.
func (x *reading) count() {
	var lines map[plugins.Class]int
	for k, n := range x.counts {
		if n == 0 {
			continue
		}
		if lines == nil {
			at, ok := x.sections[x.counted]
			if !ok {
				at = len(x.coverage)
				x.sections[x.counted] = at
				x.coverage = append(x.coverage, plugins.Coverage{
					Artefact: x.artefact, Section: x.counted, Lines: map[plugins.Class]int{}})
			}
			lines = x.coverage[at].Lines
		}
		lines[classes[k]] += n
	}
	x.counts = [len(classes)]int{}
}

func (x *reading) account(number int, class plugins.Class, rule string) {
	if x.counted != x.section {
		x.count()
		x.counted = x.section
	}
	x.counts[slices.Index(classes[:], class)]++
	if class != plugins.Mapped {
		x.residual = append(x.residual, plugins.Line{
			Artefact: x.artefact, Number: number, Class: class, Rule: rule, Section: x.section})
	}
}

// block reads the lines of one block; rows is nil in a block whose heading is
// not known.
func (x *reading) block(from, to int, rows *rowIndex, top bool) {
	for i := from; i < to; {
		line := &x.doc.Lines[i]
		switch line.Kind {
		case syntax.Comment:
			x.comment(line)
			i++
			continue
		case syntax.Statement:
		default:
			i++ // blank; texts are accounted for with their heading
			continue
		}
		if x.joined[i] {
			i = line.Next
			continue
		}
		more := x.statement(i)
		row := x.find(i, rows)
		if row == nil {
			row = x.find(i, x.l.any)
		}
		class, rule := plugins.Unparsed, ""
		if row != nil {
			class, rule = classOf(row), row.Rule
		}
		if top && line.Next > i+1 && x.hasBlock(i) {
			x.section = x.heading(row)
		}
		x.account(line.Number, class, rule)
		for _, j := range more {
			x.account(x.doc.Lines[j].Number, class, rule)
			x.texts(j, class, rule)
		}
		if line.Next > i+1 {
			x.texts(i, class, rule)
			if row != nil {
				base := x.base
				if row.place != nil {
					x.base = walk(nil, x.root, row.place, x.env)
				}
				x.block(i+1, line.Next, row.index, false)
				x.base = base
			} else {
				x.block(i+1, line.Next, nil, false)
			}
		}
		if row != nil {
			x.forget(row)
		}
		if top {
			x.section = Global
		}
		i = line.Next
	}
}

// statement makes line i, and what is joined with it, the statement at hand.
func (x *reading) statement(i int) []int {
	x.body = x.doc.Logical(i)
	x.words = x.l.words(x.words[:0], x.body)
	x.own = len(x.words)
	if x.l.table.Join == nil {
		return nil
	}
	more := x.l.table.Join(x.doc, i)
	for _, j := range more {
		if x.joined == nil {
			x.joined = map[int]bool{}
		}
		x.joined[j] = true
		at, from := len(x.body)+1, len(x.words)
		next := x.doc.Logical(j)
		x.words = x.l.words(x.words, next)
		for k := from; k < len(x.words); k++ {
			x.words[k].At += at
		}
		x.body += " " + next
	}
	return more
}

// hasBlock reports whether line i heads more than a multi-line text.
func (x *reading) hasBlock(i int) bool {
	for j := i + 1; j < x.doc.Lines[i].Next; j++ {
		if k := x.doc.Lines[j].Kind; k == syntax.Statement {
			return true
		}
	}
	return false
}

// texts accounts for the multi-line text of line i.
func (x *reading) texts(i int, class plugins.Class, rule string) {
	for j := i + 1; j < x.doc.Lines[i].Next; j++ {
		t := &x.doc.Lines[j]
		if (t.Kind != syntax.Text && t.Kind != syntax.TextEnd) || t.Parent != i {
			break
		}
		if strings.TrimSpace(t.Body) != "" {
			x.account(t.Number, class, rule)
		}
	}
}

func (x *reading) comment(line *syntax.Line) {
	class, rule := x.commentClass(line)
	x.account(line.Number, class, rule)
}

func (x *reading) commentClass(line *syntax.Line) (class plugins.Class, rule string) {
	body := strings.TrimRight(line.Body[line.Indent:], " \t\r")
	if body != x.remark || x.remarked.Class == "" {
		x.remark, x.remarked = body, Rule{Class: plugins.Unparsed}
		for _, r := range x.l.lines {
			if r.re.MatchString(body) {
				x.remarked = r.Rule
				break
			}
		}
	}
	return x.remarked.Class, x.remarked.ID
}

// heading is what may be shown of the heading of a block.
func (x *reading) heading(row *row) string {
	var b strings.Builder
	hidden := false
	for i, w := range x.words[:x.own] {
		show := w.Text
		if row == nil && !x.l.vocab[show] || row != nil && row.hides(i) {
			if hidden {
				continue
			}
			show = plugins.Hidden
		}
		hidden = show == plugins.Hidden
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(show)
		if b.Len() > 100 {
			break
		}
	}
	return printable(b.String())
}

// printable replaces what a terminal would obey.
func printable(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return strings.Map(func(r rune) rune {
				if !unicode.IsPrint(r) {
					return '?'
				}
				return r
			}, s)
		}
	}
	return s
}

// hides reports whether word i of a heading may be a secret. A row with a
// secret hides everything that is not one of its literal words up to there.
func (r *row) hides(i int) bool {
	secret := false
	for _, o := range r.ops {
		secret = secret || o.codec != nil && o.codec.Secret
	}
	return secret && (i >= len(r.ops) || r.ops[i].code != opWord)
}
