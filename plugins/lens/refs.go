package lens

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// LossUnitBound is the code of a loss that Adapt reports for an item that
// belongs to one unit only.
const LossUnitBound = "unit-bound"

// Names renames what refers to an interface in one native dialect, on its
// syntax tree: words in the places where a name stands, never text.
type Names struct {
	// Refs are patterns of the statements that refer to an interface: "$if" is
	// the name, "*" any one word, "..." any words or none; a literal word
	// stands for itself.
	Refs []string

	// Rename maps one word that stands for one or several interfaces; false
	// leaves it. Nil: the word is looked up as it is.
	Rename func(word string, one func(name string) string) (string, bool)

	// Words splits a statement; nil: syntax.Words.
	Words func(buf []syntax.Word, statement string) []syntax.Word

	// Path: a pattern is about the words of a statement together with those of
	// the headings around it, for dialects in which they are one path.
	Path bool
}

// deepest is how many words of headings a path is made of; no device nests
// deeper.
const deepest = 256

// Apply renames interfaces throughout a document. It fails if two interfaces
// of the document would come to have one name, and then changes nothing that
// is used: the document must be dropped.
func (n Names) Apply(d *syntax.Doc, m plugins.InterfaceMap) error {
	owner := map[string]string{} // new name to the old one that it stands for
	var failed error
	one := func(name string) string {
		to, ok := m[name]
		if !ok {
			// A sub-interface goes with the interface that carries it.
			to = name
			if base, sub, isSub := strings.Cut(name, "."); isSub && m[base] != "" {
				to = m[base] + "." + sub
			}
		}
		if had, ok := owner[to]; ok && had != name && failed == nil {
			failed = fmt.Errorf("adapt: interfaces %q and %q would both be called %q: complete the interface map", had, name, to)
		}
		owner[to] = name
		return to
	}
	rename := n.Rename
	if rename == nil {
		rename = func(word string, one func(string) string) (string, bool) { return one(word), true }
	}
	split := n.Words
	if split == nil {
		split = syntax.Words
	}
	first := map[string][][]string{} // patterns by their first word, "" for the rest
	for _, r := range n.Refs {
		p := strings.Fields(r)
		key := p[0]
		if key == "*" || key == "..." || key == "$if" {
			key = ""
		}
		first[key] = append(first[key], p)
	}
	var words []syntax.Word
	above := map[int][]syntax.Word{} // words of the headings down to a heading
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || d.Removed(i) {
			continue
		}
		words = words[:0]
		if n.Path {
			words = append(words, above[l.Parent]...)
		}
		own := len(words)
		words = split(words, l.Body)
		if len(words) == own {
			continue
		}
		if n.Path && l.Block && len(words) < deepest {
			above[i] = slices.Clone(words)
		}
		hit := map[int]bool{}
		for _, key := range []string{words[0].Text, ""} {
			for _, p := range first[key] {
				positions(p, words, 0, hit)
			}
		}
		for k := len(words) - 1; k >= own; k-- {
			if !hit[k] {
				continue
			}
			if to, ok := rename(words[k].Text, one); ok && to != words[k].Text {
				d.ReplaceWord(i, words[k], to)
			}
		}
	}
	return failed
}

// positions marks the words that stand at "$if" if the pattern fits the
// whole statement.
func positions(p []string, words []syntax.Word, at int, hit map[int]bool) bool {
	if len(p) == 0 {
		return at == len(words)
	}
	if p[0] == "..." {
		if len(p) == 1 {
			return true
		}
		for k := at; k < len(words); k++ {
			if positions(p[1:], words, k, hit) {
				return true
			}
		}
		return false
	}
	if at >= len(words) || p[0] != "*" && p[0] != "$if" && p[0] != words[at].Text {
		return false
	}
	if !positions(p[1:], words, at+1, hit) {
		return false
	}
	if p[0] == "$if" {
		hit[at] = true
	}
	return true
}

// WithoutUnit drops the artefacts that are bound to one unit and says so.
func WithoutUnit(native []plugins.Artefact) (kept []plugins.Artefact, losses []plugins.Loss) {
	for _, a := range native {
		if a.Bind == plugins.BindUnit {
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: LossUnitBound, Text: a.Name + " belongs to the old unit"})
			continue
		}
		kept = append(kept, a)
	}
	return kept, losses
}

// Leave removes line i and its block from a document and returns the loss.
func Leave(d *syntax.Doc, artefact string, i int, text string) plugins.Loss {
	number := d.Lines[i].Number
	d.Remove(i)
	return plugins.Loss{Artefact: artefact, Line: number, Code: LossUnitBound, Text: text}
}
