package junos

import (
	"fmt"
	"slices"
	"strings"
)

// statement is a node of a configuration: a leaf, or a block with what is in
// it.
type statement struct {
	text   string // "ge-0/0/0", "mtu 9000", without mark, brace and semicolon
	remark string // the annotation above it, as it stands
	off    bool   // inactive:
	block  bool
	inner  []*statement
}

func (s *statement) clone() *statement {
	c := *s
	c.inner = nil
	for _, k := range s.inner {
		c.inner = append(c.inner, k.clone())
	}
	return &c
}

func (s *statement) find(text string) *statement {
	for _, k := range s.inner {
		if k.text == text {
			return k
		}
	}
	return nil
}

// at follows headings down.
func (s *statement) at(path ...string) *statement {
	for _, p := range path {
		if s = s.find(p); s == nil {
			return nil
		}
	}
	return s
}

// leaf is the value of a leaf by its first word.
func (s *statement) leaf(word string) string {
	if s == nil {
		return ""
	}
	for _, k := range s.inner {
		if rest, ok := strings.CutPrefix(k.text, word+" "); ok && !k.block {
			return strings.Trim(rest, `"`)
		}
	}
	return ""
}

// secret are leaves that Junos marks when it prints them.
func secret(text string) bool {
	for _, w := range []string{"encrypted-password ", "authentication-key ", "secret ", "pre-shared-key ", "simple-password "} {
		if strings.HasPrefix(text, w) {
			return true
		}
	}
	return strings.Contains(text, " key \"$9$") || strings.Contains(text, " value \"$9$") || strings.Contains(text, " password \"$9$")
}

// render prints what is in s.
func (s *statement) render(b *strings.Builder, depth int) {
	pad := strings.Repeat("    ", depth)
	for _, k := range s.inner {
		if k.remark != "" {
			b.WriteString(pad + k.remark + "\n")
		}
		b.WriteString(pad)
		if k.off {
			b.WriteString("inactive: ")
		}
		b.WriteString(k.text)
		switch {
		case k.block && len(k.inner) > 0:
			b.WriteString(" {\n")
			k.render(b, depth+1)
			b.WriteString(pad + "}\n")
		case secret(k.text):
			b.WriteString("; ## SECRET-DATA\n")
		default:
			b.WriteString(";\n")
		}
	}
}

func (s *statement) String() string {
	var b strings.Builder
	s.render(&b, 0)
	return b.String()
}

// problem is a line that a load refuses.
type problem struct {
	line int
	text string
	path []string
}

// grammar is what a unit knows: by the first words of the path, two deep.
type grammar map[string]bool

// learn adds what a configuration holds.
func (g grammar) learn(s *statement, above string, depth int) {
	for _, k := range s.inner {
		word, _, _ := strings.Cut(k.text, " ")
		if above == "interfaces/" || above == "routing-instances/" || above == "vlans/" || above == "groups/" {
			word = "*"
		}
		g[above+word] = true
		if depth < 2 {
			g.learn(k, above+word+"/", depth+1)
		}
	}
}

func (g grammar) knows(path []string) bool {
	key := ""
	for i, p := range path {
		if i > 2 {
			return true
		}
		word, _, _ := strings.Cut(p, " ")
		if key == "interfaces/" || key == "routing-instances/" || key == "vlans/" || key == "groups/" {
			word = "*"
		}
		if !g[key+word] {
			return false
		}
		key += word + "/"
	}
	return true
}

// parse reads a text in braces. What is wrong is left out and told.
func (g grammar) parse(text string) (*statement, []problem) {
	root := &statement{block: true}
	stack := []*statement{root}
	var path []string
	var wrong []problem
	remark := ""
	add := func(text string, line int, block bool) {
		top := stack[len(stack)-1]
		k := &statement{block: block}
		for {
			switch {
			case strings.HasPrefix(text, "inactive: "):
				k.off, text = true, text[len("inactive: "):]
				continue
			case strings.HasPrefix(text, "protect: "), strings.HasPrefix(text, "replace: "):
				_, text, _ = strings.Cut(text, ": ")
				continue
			}
			break
		}
		k.text, k.remark, remark = text, remark, ""
		full := append(slices.Clone(path), text)
		if g != nil && !g.knows(full) {
			wrong = append(wrong, problem{line, text, slices.Clone(path)})
			top = &statement{} // goes nowhere
		}
		if have := top.find(text); have != nil {
			have.off = k.off
			k = have
		} else {
			single(top, text)
			top.inner = append(top.inner, k)
		}
		if block {
			k.block = true
			stack, path = append(stack, k), append(path, text)
		}
	}
	for n, line := range strings.Split(text, "\n") {
		t := strings.TrimSpace(line)
		switch {
		case t == "" || strings.HasPrefix(t, "#"):
			continue
		case strings.HasPrefix(t, "/*"):
			remark = t
			continue
		}
		if at := strings.Index(t, "; ## "); at >= 0 {
			t = t[:at+1]
		}
		switch {
		case t == "}":
			if len(stack) == 1 {
				wrong = append(wrong, problem{n + 1, "}", nil})
				continue
			}
			stack, path = stack[:len(stack)-1], path[:len(path)-1]
		case strings.HasSuffix(t, " {"):
			add(strings.TrimSuffix(t, " {"), n+1, true)
		case strings.HasSuffix(t, ";"):
			add(strings.TrimSuffix(t, ";"), n+1, false)
		default:
			wrong = append(wrong, problem{n + 1, t, slices.Clone(path)})
		}
	}
	if len(stack) > 1 {
		wrong = append(wrong, problem{strings.Count(text, "\n"), "end of input", slices.Clone(path)})
	}
	root.inner = slices.DeleteFunc(root.inner, func(s *statement) bool { return strings.HasPrefix(s.text, "version ") })
	return root, wrong
}

// single removes the leaf that a new one takes the place of.
func single(top *statement, text string) {
	word, _, more := strings.Cut(text, " ")
	switch word {
	case "host-name", "description", "mtu", "domain-name", "time-zone", "location", "contact", "class", "encrypted-password", "router-id", "autonomous-system", "type", "peer-as":
		top.inner = slices.DeleteFunc(top.inner, func(s *statement) bool { return more && strings.HasPrefix(s.text, word+" ") })
	}
}

// compare prints what a candidate changes, as "show | compare" does.
func compare(from, to *statement, path string, b *strings.Builder) {
	var lines strings.Builder
	list := func(sign string, s *statement) {
		one := &statement{inner: []*statement{s}}
		for line := range strings.Lines(one.String()) {
			lines.WriteString(sign + "    " + line)
		}
	}
	for _, k := range from.inner {
		if other := to.find(k.text); other == nil || other.block != k.block || other.off != k.off {
			list("-", k)
		}
	}
	for _, k := range to.inner {
		if other := from.find(k.text); other == nil || other.block != k.block || other.off != k.off {
			list("+", k)
		}
	}
	if lines.Len() > 0 {
		b.WriteString("[edit" + path + "]\n" + lines.String())
	}
	for _, k := range to.inner {
		if other := from.find(k.text); k.block && other != nil && other.block && other.off == k.off {
			compare(other, k, path+" "+k.text, b)
		}
	}
}

// set types one path of words in; every word but the last two or one heads a
// block, as far as the words are headings that this unit has.
func (s *statement) set(words []string) error {
	at := s
	for len(words) > 0 {
		took := 0
		for n := 1; n <= 3 && n < len(words); n++ {
			if k := at.find(strings.Join(words[:n], " ")); k != nil && k.block {
				at, took = k, n
				break
			}
		}
		if took == 0 {
			break
		}
		words = words[took:]
	}
	if len(words) == 0 {
		return nil
	}
	for n := len(words); n > 2; n = len(words) {
		k := &statement{text: words[0], block: true}
		at.inner = append(at.inner, k)
		at, words = k, words[1:]
	}
	text := strings.Join(words, " ")
	if at == s {
		return fmt.Errorf("syntax error")
	}
	if at.find(text) == nil {
		single(at, text)
		at.inner = append(at.inner, &statement{text: text})
	}
	return nil
}

// remove deletes one path of words, or reports that it is not there.
func (s *statement) remove(words []string) bool {
	for i, k := range s.inner {
		f := strings.Fields(k.text)
		if len(f) > len(words) || !slices.Equal(f, words[:len(f)]) {
			if len(words) == 1 && !k.block && f[0] == words[0] {
				s.inner = slices.Delete(s.inner, i, i+1)
				return true
			}
			continue
		}
		if len(f) == len(words) {
			s.inner = slices.Delete(s.inner, i, i+1)
			return true
		}
		if k.block && k.remove(words[len(f):]) {
			return true
		}
	}
	return false
}
