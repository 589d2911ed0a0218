package vyos

import (
	"slices"
	"strings"
)

// node is a statement, or a block with what is in it.
type node struct {
	text  string // "ethernet eth0", `description "to core"`
	block bool
	inner []*node
}

func (n *node) clone() *node {
	c := *n
	c.inner = nil
	for _, k := range n.inner {
		c.inner = append(c.inner, k.clone())
	}
	return &c
}

func (n *node) find(text string) *node {
	for _, k := range n.inner {
		if k.text == text {
			return k
		}
	}
	return nil
}

func (n *node) at(path ...string) *node {
	for _, p := range path {
		if n = n.find(p); n == nil {
			return nil
		}
	}
	return n
}

// leaf is the value of a leaf by its first word.
func (n *node) leaf(word string) string {
	if n == nil {
		return ""
	}
	for _, k := range n.inner {
		if rest, ok := strings.CutPrefix(k.text, word+" "); ok && !k.block {
			return strings.Trim(rest, `"`)
		}
	}
	return ""
}

// remove deletes the node that a path names: a leaf also by its first word alone.
func (n *node) remove(words []string) bool {
	for i, k := range n.inner {
		f := strings.Fields(k.text)
		switch {
		case len(f) <= len(words) && slices.Equal(f, words[:len(f)]):
			if len(f) < len(words) {
				return k.block && k.remove(words[len(f):])
			}
		case k.block || len(words) > 1 || f[0] != words[0]:
			continue
		}
		n.inner = slices.Delete(n.inner, i, i+1)
		return true
	}
	return false
}

func (n *node) render(b *strings.Builder, depth int) {
	pad := strings.Repeat("    ", depth)
	for _, k := range n.inner {
		b.WriteString(pad + k.text)
		if !k.block {
			b.WriteString("\n")
			continue
		}
		b.WriteString(" {\n")
		k.render(b, depth+1)
		b.WriteString(pad + "}\n")
	}
}

func (n *node) String() string {
	var b strings.Builder
	n.render(&b, 0)
	return b.String()
}

// grammar is what the command line knows: by the first words of a path, two
// deep.
type grammar map[string]bool

func (g grammar) learn(n *node, above string, depth int) {
	for _, k := range n.inner {
		word, _, _ := strings.Cut(k.text, " ")
		g[above+word] = true
		if depth < 1 {
			g.learn(k, above+word+"/", depth+1)
		}
	}
}

func (g grammar) knows(path []string) bool {
	key := ""
	for i, p := range path {
		if i > 1 {
			return true
		}
		word, _, _ := strings.Cut(p, " ")
		if !g[key+word] {
			return false
		}
		key += word + "/"
	}
	return true
}

// parse reads the form of config.boot. What the grammar does not know is left
// out, and its path returned. Whole is false if a block does not end.
func (g grammar) parse(text string) (root *node, unknown []string, whole bool) {
	root = &node{block: true}
	stack, path := []*node{root}, []string{}
	for line := range strings.Lines(text) {
		t := strings.TrimSpace(line)
		switch {
		case t == "" || strings.HasPrefix(t, "//") || strings.HasPrefix(t, "/*"):
			continue
		case t == "}":
			if len(stack) == 1 {
				return root, unknown, false
			}
			stack, path = stack[:len(stack)-1], path[:len(path)-1]
			continue
		}
		name, block := strings.CutSuffix(t, " {")
		top := stack[len(stack)-1]
		full := append(slices.Clone(path), name)
		if g != nil && !g.knows(full) {
			unknown = append(unknown, strings.Join(append(slices.Clone(path), "["+strings.Fields(name)[0]+"]"), " "))
			top = &node{}
		}
		k := top.find(name)
		if k == nil {
			k = &node{text: name, block: block}
			top.inner = append(top.inner, k)
		}
		if block {
			stack, path = append(stack, k), full
		}
	}
	return root, unknown, len(stack) == 1
}

// compare prints what differs, block by block.
func compare(from, to *node, path string, b *strings.Builder) {
	var lines strings.Builder
	list := func(sign string, n *node) {
		one := &node{inner: []*node{n}}
		for line := range strings.Lines(one.String()) {
			lines.WriteString(sign + " " + line)
		}
	}
	for _, k := range from.inner {
		if other := to.find(k.text); other == nil || other.block != k.block {
			list("-", k)
		}
	}
	for _, k := range to.inner {
		if other := from.find(k.text); other == nil || other.block != k.block {
			list("+", k)
		}
	}
	if lines.Len() > 0 {
		b.WriteString("[" + strings.TrimSpace(path) + "]\n" + lines.String())
	}
	for _, k := range to.inner {
		if other := from.find(k.text); k.block && other != nil && other.block {
			compare(other, k, path+" "+k.text, b)
		}
	}
}

// set types one path in: blocks that are there are entered, the rest is a leaf.
func (n *node) set(words []string) bool {
	for len(words) > 0 {
		took := 0
		for k := min(2, len(words)-1); k >= 1; k-- {
			if b := n.find(strings.Join(words[:k], " ")); b != nil && b.block {
				n, took = b, k
				break
			}
		}
		if took == 0 {
			break
		}
		words = words[took:]
	}
	if len(words) == 0 || len(words) > 2 {
		return false
	}
	n.inner = slices.DeleteFunc(n.inner, func(k *node) bool {
		return len(words) == 2 && !k.block && strings.HasPrefix(k.text, words[0]+" ") && words[0] != "address"
	})
	if text := strings.Join(words, " "); n.find(text) == nil {
		n.inner = append(n.inner, &node{text: text})
	}
	return true
}
