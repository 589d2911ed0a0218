package eos

import (
	"slices"
	"strings"
)

// eosGrammar is what one unit accepts: the rows, its ports, and the statements
// beyond the rows that its own configuration has.
type eosGrammar struct {
	ports   []string
	learned map[string]map[string]string // mode → first word → mode of the block it opens, or ""
	byMode  map[string][]*eosRow
}

// learnEOS reads the shape of a configuration by its indentation: ports, the
// statements that no row knows, and the layout.
func learnEOS(text string, ports []string) (*eosGrammar, *eosOrder) {
	g := &eosGrammar{ports: slices.Clone(ports), learned: map[string]map[string]string{}, byMode: eosByMode()}
	lines := strings.Split(text, "\n")
	for _, l := range lines {
		if n, ok := strings.CutPrefix(l, "interface "); ok && !strings.Contains(n, ".") &&
			(strings.HasPrefix(n, "Ethernet") || strings.HasPrefix(n, "Management")) && !slices.Contains(g.ports, n) {
			g.ports = append(g.ports, n)
		}
	}
	if len(g.ports) == 0 {
		g.ports = []string{"Ethernet1", "Ethernet2", "Ethernet3", "Ethernet4", "Management1"}
	}
	type level struct {
		indent int
		mode   string
	}
	var open []level
	var top []*eosStatement
	joined := map[[2]string]bool{}
	adjacent, banner := false, false
	for i, l := range lines {
		l = strings.TrimRight(l, "\r")
		words := strings.Fields(l)
		if banner {
			banner = l != "EOF"
			continue
		}
		if len(words) == 0 || strings.HasPrefix(words[0], "!") || words[0] == "end" {
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
			s := &eosStatement{text: strings.Join(words, " ")}
			if adjacent && len(top) > 0 && section(top[len(top)-1]) != section(s) {
				joined[[2]string{section(top[len(top)-1]), section(s)}] = true
			}
			top = append(top, s)
		}
		adjacent = true
		opens := ""
		if r := g.row(mode, words); r != nil {
			opens, banner = r.opens, r.text
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
	order := newEOSOrder(top)
	order.joined = joined
	return g, order
}

// row returns the row that a whole line matches, with or without "no".
func (g *eosGrammar) row(mode string, words []string) *eosRow {
	for _, r := range g.byMode[mode] {
		if m, _ := r.match(words, g.ports); m == matchFull {
			return r
		}
		if words[0] == "no" && r.not != notRemoves {
			if _, ok := r.negated(words[1:], g.ports); ok {
				return r
			}
		}
	}
	return nil
}

// eosEditor is a place in a configuration that is being typed.
type eosEditor struct {
	g      *eosGrammar
	c      *eosConfig
	path   []*eosStatement // the blocks that are open, outermost first
	banner *eosStatement   // the banner that is being typed

	// indented: the text comes with the indentation that the device prints.
	// Only statements beyond the rows need it, whose place is not known.
	indented bool
}

// The texts by which EOS refuses a statement.
const (
	eosInvalid    = "% Invalid input"
	eosIncomplete = "% Incomplete command"
)

func (e *eosEditor) mode() string {
	if len(e.path) == 0 {
		return "top"
	}
	return e.path[len(e.path)-1].mode
}

func (e *eosEditor) block(depth int) (mode string, list *[]*eosStatement) {
	if depth == 0 {
		return "top", &e.c.top
	}
	return e.path[depth-1].mode, &e.path[depth-1].inner
}

// enter types one line. It returns the device's refusal, or "".
func (e *eosEditor) enter(line string) string {
	if e.banner != nil {
		e.banner.body = append(e.banner.body, line)
		if line == "EOF" {
			put(&e.c.top, e.banner)
			e.banner = nil
		}
		return ""
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
		return ""
	case strings.HasPrefix(words[0], "!!"): // a comment that is kept with the block
		_, list := e.block(len(e.path))
		if len(e.path) > 0 {
			text := strings.TrimSpace(line)
			put(list, &eosStatement{text: text, key: text})
		}
		return ""
	case words[0][0] == '!':
		return ""
	case words[0] == "end" && len(words) == 1:
		e.path = nil
		return ""
	case words[0] == "exit" && len(words) == 1:
		if len(e.path) > 0 {
			e.path = e.path[:len(e.path)-1]
		}
		return ""
	}
	if len(words) > 1 && (words[0] == "no" || words[0] == "default") {
		return e.negate(words)
	}
	refusal := eosInvalid
	atTop := false
	if line[0] == ' ' {
		e.indented = true
	} else if e.indented {
		_, atTop = e.g.learned["top"][words[0]]
	}
	for depth := len(e.path); depth >= 0; depth-- {
		mode, list := e.block(depth)
		for _, r := range e.g.byMode[mode] {
			m, key := r.match(words, e.g.ports)
			if m == matchPrefix && depth == len(e.path) {
				refusal = eosIncomplete
			}
			if m != matchFull {
				continue
			}
			e.path = e.path[:depth]
			text := statementText(line, words)
			switch {
			case r.text:
				e.banner = &eosStatement{text: text, key: key}
			case r.not == notStored && !strings.Contains(r.words, "<"):
				*list = slices.DeleteFunc(*list, func(s *eosStatement) bool { return s.key == key })
			default:
				s := put(list, &eosStatement{text: text, key: key, mode: r.opens})
				if r.opens != "" {
					e.path = append(e.path, s)
				}
			}
			return ""
		}
		if opens, ok := e.g.learned[mode][words[0]]; ok && (depth == 0 || !atTop) {
			e.path = e.path[:depth]
			text := statementText(line, words)
			s := put(list, &eosStatement{text: text, key: text, mode: opens})
			if opens != "" {
				e.path = append(e.path, s)
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

func (e *eosEditor) negate(words []string) string {
	no, rest := words[0] == "no", words[1:]
	known := false
	for depth := len(e.path); depth >= 0; depth-- {
		mode, list := e.block(depth)
		if no {
			for _, r := range e.g.byMode[mode] {
				if r.not == notRemoves {
					continue
				}
				if key, ok := r.negated(rest, e.g.ports); ok {
					e.path = e.path[:depth]
					put(list, &eosStatement{text: strings.Join(words, " "), key: key})
					return ""
				}
			}
		}
		removed := false
		*list = slices.DeleteFunc(*list, func(s *eosStatement) bool {
			text := strings.Fields(strings.TrimPrefix(s.text, "no "))
			if len(text) < len(rest) || !slices.Equal(text[:len(rest)], rest) {
				return false
			}
			removed = true
			if s.mode == "if" && slices.Contains(e.g.ports, text[1]) {
				s.inner = nil // a port cannot be removed
				return false
			}
			return true
		})
		if removed {
			e.path = e.path[:depth]
			return ""
		}
		for _, r := range e.g.byMode[mode] {
			if m, _ := r.match(rest, e.g.ports); m != matchNone {
				known = true
			}
		}
		if _, ok := e.g.learned[mode][rest[0]]; ok {
			e.path = e.path[:depth]
			text := strings.Join(words, " ")
			put(list, &eosStatement{text: text, key: text})
			return ""
		}
	}
	if known { // there was nothing to remove
		return ""
	}
	return eosInvalid
}
