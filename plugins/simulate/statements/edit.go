package statements

import (
	"slices"
	"strings"
)

// Grammar is what one unit accepts: the rows, its ports, and the statements
// beyond the rows that its own configuration has.
type Grammar struct {
	d       *Dialect
	Ports   []string                     // physical interfaces
	learned map[string]map[string]string // mode → first word → mode of the block it opens, or ""
	byMode  map[string][]*Row
}

// Learn reads the shape of a configuration by its indentation: ports, the
// statements that no row knows, and the layout.
func (d *Dialect) Learn(text string, ports []string) (*Grammar, *Order) {
	g := &Grammar{d: d, Ports: slices.Clone(ports), learned: map[string]map[string]string{}, byMode: d.compile()}
	lines := strings.Split(text, "\n")
	for _, l := range lines {
		if n, ok := strings.CutPrefix(strings.TrimSpace(l), "interface "); ok && d.IsPort(n) && !slices.Contains(g.Ports, n) {
			g.Ports = append(g.Ports, n)
		}
	}
	if len(g.Ports) == 0 {
		g.Ports = slices.Clone(d.Ports)
	}
	type level struct {
		indent int
		mode   string
	}
	var open []level
	var top []*Statement
	joined := map[[2]string]bool{}
	adjacent := false
	var ends func(string) (string, bool)
	for i, l := range lines {
		l = strings.TrimRight(l, "\r")
		words := strings.Fields(l)
		if ends != nil {
			if _, done := ends(l); done {
				ends = nil
			}
			continue
		}
		if len(words) == 0 || strings.HasPrefix(words[0], "!") || words[0] == "end" || len(words) == 1 && slices.Contains(d.Leave, words[0]) || d.header(words) {
			adjacent = adjacent && len(l) > 0 && l[0] == ' '
			continue
		}
		indent := len(l) - len(strings.TrimLeft(l, " "))
		for len(open) > 0 && open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		mode := "top"
		if len(open) > 0 {
			mode = open[len(open)-1].mode
		}
		if indent == 0 {
			s := &Statement{Text: strings.Join(words, " ")}
			if adjacent && len(top) > 0 && d.section(top[len(top)-1]) != d.section(s) {
				joined[[2]string{d.section(top[len(top)-1]), d.section(s)}] = true
			}
			top = append(top, s)
		}
		adjacent = true
		opens := ""
		if r := g.row(mode, words); r != nil {
			opens = r.Opens
			if r.Text {
				_, _, ends = d.Text(l, words)
			}
		} else {
			if words[0] == "no" && len(words) > 1 {
				words = words[1:]
			}
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], strings.Repeat(" ", indent+1)) {
				opens = "~" + words[0]
			}
			if g.learned[mode] == nil {
				g.learned[mode] = map[string]string{}
			}
			if g.learned[mode][words[0]] == "" {
				g.learned[mode][words[0]] = opens
			}
		}
		if opens != "" {
			open = append(open, level{indent, opens})
		}
	}
	order := newOrder(d, top)
	order.joined = joined
	return g, order
}

// row returns the row that a whole line matches, with or without "no".
func (g *Grammar) row(mode string, words []string) *Row {
	for _, r := range g.byMode[mode] {
		if m, _ := g.match(r, words); m == full {
			return r
		}
		if words[0] == "no" && r.Not != Removes {
			if _, ok := g.negated(r, words[1:]); ok {
				return r
			}
		}
	}
	return nil
}

// Editor is a place in a configuration that is being typed.
type Editor struct {
	G    *Grammar
	C    *Config
	Path []*Statement // the blocks that are open, outermost first

	text  *Statement // a banner or certificate that is being typed, and its block
	list  *[]*Statement
	ends  func(line string) (last string, done bool)
	fresh bool // a text has begun with the last line

	// indented: the text comes with the indentation that the device prints.
	// Only statements beyond the rows need it, whose place is not known.
	indented bool
}

// Edit begins to type at the top of a configuration.
func (g *Grammar) Edit(c *Config) *Editor { return &Editor{G: g, C: c} }

// Parse types a text into an empty configuration; what is refused is left out.
func (g *Grammar) Parse(text string) *Config {
	e := g.Edit(&Config{})
	for line := range strings.Lines(text) {
		e.Enter(strings.TrimRight(line, "\r\n"))
	}
	return e.C
}

// Mode is the mode of the block that is open, "top" outside any.
func (e *Editor) Mode() string {
	if len(e.Path) == 0 {
		return "top"
	}
	return e.Path[len(e.Path)-1].Mode
}

// InText reports that lines go into a banner or certificate; begun that the
// last line began it.
func (e *Editor) InText() (in, begun bool) { return e.text != nil, e.text != nil && e.fresh }

func (e *Editor) block(depth int) (mode string, list *[]*Statement) {
	if depth == 0 {
		return "top", &e.C.Top
	}
	return e.Path[depth-1].Mode, &e.Path[depth-1].Inner
}

// Retarget points the editor at another configuration, as deep as that has the
// same blocks.
func (e *Editor) Retarget(to *Config) {
	if e.C == to {
		return
	}
	e.C = to
	list := to.Top
	for i, s := range e.Path {
		same := FindIn(list, s.Key)
		if same == nil {
			e.Path = e.Path[:i]
			return
		}
		e.Path[i], list = same, same.Inner
	}
}

// Enter types one line. It returns the device's refusal, or "".
func (e *Editor) Enter(line string) string {
	d := e.G.d
	if e.text != nil {
		e.fresh = false
		last, done := e.ends(line)
		if !done || last != "" || !d.DropLast {
			e.text.Body = append(e.text.Body, last)
		}
		if done {
			put(e.list, e.text)
			e.text = nil
		}
		return ""
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return ""
	case d.KeepComment != "" && strings.HasPrefix(words[0], d.KeepComment): // a comment that is kept with the block
		_, list := e.block(len(e.Path))
		if len(e.Path) > 0 {
			text := strings.TrimSpace(line)
			put(list, &Statement{Text: text, Key: text})
		}
		return ""
	case words[0][0] == '!', d.header(words):
		return ""
	case words[0] == "end" && len(words) == 1:
		e.Path = nil
		return ""
	case len(words) == 1 && (words[0] == "exit" || slices.Contains(d.Leave, words[0])):
		if len(e.Path) > 0 {
			e.Path = e.Path[:len(e.Path)-1]
		}
		return ""
	}
	if len(words) > 1 && (words[0] == "no" || words[0] == "default") {
		return e.negate(words)
	}
	refusal := d.Invalid
	atTop := false
	if line[0] == ' ' {
		e.indented = true
	} else if e.indented {
		_, atTop = e.G.learned["top"][words[0]]
	}
	for depth := len(e.Path); depth >= 0; depth-- {
		mode, list := e.block(depth)
		for _, r := range e.G.byMode[mode] {
			m, key := e.G.match(r, words)
			if m == prefix && depth == len(e.Path) {
				refusal = d.Incomplete
			}
			if m != full {
				continue
			}
			e.Path = e.Path[:depth]
			text := statementText(line, words)
			switch {
			case r.Text:
				head, body, ends := d.Text(line, words)
				s := &Statement{Text: head, Key: head, Body: body}
				if ends == nil {
					put(list, s)
					break
				}
				e.text, e.list, e.ends, e.fresh = s, list, ends, true
			case r.Not == Stored && !strings.Contains(r.Words, "<"):
				*list = slices.DeleteFunc(*list, func(s *Statement) bool { return s.Key == key })
			default:
				s := put(list, &Statement{Text: text, Key: key, Mode: r.Opens})
				if r.Opens != "" {
					e.Path = append(e.Path, s)
				}
			}
			return ""
		}
		if opens, ok := e.G.learned[mode][words[0]]; ok && (depth == 0 || !atTop) {
			e.Path = e.Path[:depth]
			text := statementText(line, words)
			s := put(list, &Statement{Text: text, Key: text, Mode: opens})
			if opens != "" {
				e.Path = append(e.Path, s)
			}
			return ""
		}
	}
	return refusal
}

// statementText is how a statement is shown: one blank between words, but free
// text as it was typed.
func statementText(line string, words []string) string {
	switch words[0] {
	case "description", "remark":
		return strings.TrimSpace(line)
	}
	return strings.Join(words, " ")
}

func (e *Editor) negate(words []string) string {
	no, rest := words[0] == "no", words[1:]
	known := false
	for depth := len(e.Path); depth >= 0; depth-- {
		mode, list := e.block(depth)
		if no {
			for _, r := range e.G.byMode[mode] {
				if r.Not == Removes {
					continue
				}
				if key, ok := e.G.negated(r, rest); ok {
					e.Path = e.Path[:depth]
					put(list, &Statement{Text: strings.Join(words, " "), Key: key})
					return ""
				}
			}
		}
		removed := false
		*list = slices.DeleteFunc(*list, func(s *Statement) bool {
			text := strings.Fields(strings.TrimPrefix(s.Text, "no "))
			if len(text) < len(rest) || !slices.Equal(text[:len(rest)], rest) {
				return false
			}
			removed = true
			if s.Mode == "if" && slices.Contains(e.G.Ports, text[1]) {
				s.Inner = nil // a port cannot be removed
				return false
			}
			return true
		})
		if removed {
			e.Path = e.Path[:depth]
			return ""
		}
		for _, r := range e.G.byMode[mode] {
			if m, _ := e.G.match(r, rest); m != none {
				known = true
			}
		}
		if _, ok := e.G.learned[mode][rest[0]]; ok {
			e.Path = e.Path[:depth]
			text := strings.Join(words, " ")
			put(list, &Statement{Text: text, Key: text})
			return ""
		}
	}
	if known { // there was nothing to remove
		return ""
	}
	return e.G.d.Invalid
}
