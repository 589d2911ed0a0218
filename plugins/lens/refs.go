package lens

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// The codes of losses that Adapt reports.
const (
	LossUnitBound  = "unit-bound"  // an item that belongs to one unit only
	LossNoPort     = "no-port"     // a statement about a port that the new unit does not have
	LossNotRenamed = "not-renamed" // a statement that may name a port by its old name, in a place that no pattern knows
)

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

	// Own is the pattern of the heading of an interface's own block, for dialects
	// that print one for each port whether it is configured or not. What the
	// map leaves out goes with it; that is a loss if the block says more than
	// Idle, the statements of a port that nobody uses.
	Own  string
	Idle []string
	End  string // the statement after a block, if the dialect has one

	// Elsewhere reports a line whose interfaces the driver renames by itself.
	Elsewhere func(line int) bool

	// Path: a pattern is about the words of a statement together with those of
	// the headings around it, for dialects in which they are one path.
	Path bool
}

// deepest is how many words of headings a path is made of; no device nests
// deeper.
const deepest = 256

// Apply renames interfaces throughout a document. An interface that the map
// leaves out (its new name is empty) goes with its own block; what else is said
// of it is a loss. So is a statement that stays and holds the old name where no
// pattern looks for one: nobody knows what it means. Apply fails if two
// interfaces of the document would come to have one name, and then changes
// nothing that is used: the document must be dropped.
func (n Names) Apply(d *syntax.Doc, artefact string, m plugins.InterfaceMap) ([]plugins.Loss, error) {
	if len(m) == 0 {
		return nil, nil
	}
	a := &applying{Names: n, m: m, owner: map[string]string{}, first: map[string][][]string{}}
	if a.Rename == nil {
		a.Rename = func(word string, one func(string) string) (string, bool) { return one(word), true }
	}
	if a.Words == nil {
		a.Words = syntax.Words
	}
	for _, r := range n.Refs {
		p := strings.Fields(r)
		key := p[0]
		if key == "*" || key == "..." || key == "$if" {
			key = ""
		}
		a.first[key] = append(a.first[key], p)
	}
	own := strings.Fields(n.Own)
	var losses []plugins.Loss
	lose := func(i int, code, text string) {
		losses = append(losses, plugins.Loss{Artefact: artefact, Line: d.Lines[i].Number, Code: code, Text: text})
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
		from := len(words)
		words = a.Words(words, l.Body)
		if len(words) == from {
			continue
		}
		if n.Path && l.Block && len(words) < deepest {
			above[i] = slices.Clone(words)
		}
		switch gone := a.line(d, i, words, from); {
		case gone == "":
		case len(own) > 0 && positions(own, words, 0, map[int]bool{}):
			if !n.idle(d, i) {
				lose(i, LossNoPort, "the configuration of "+gone+", for which the new unit has no port")
			}
			if next := l.Next; n.End != "" && next < len(d.Lines) && strings.TrimSpace(d.Lines[next].Body) == n.End {
				d.Remove(next)
			}
			d.Remove(i)
		default:
			lose(i, LossNoPort, "it is about "+gone+", for which the new unit has no port")
			d.Remove(i)
		}
		if name := a.left; name != "" && !d.Removed(i) && (n.Elsewhere == nil || !n.Elsewhere(i)) {
			lose(i, LossNotRenamed, "it holds "+name+", the old name of an interface, in a place that is not understood; it stays as it is")
		}
	}
	return losses, a.failed
}

// After forPeople, a line is text; the word after one of namesOthers is the name
// of something else that may be called like an interface.
var (
	forPeople   = []string{"description", "remark", "banner", "message", "location", "contact", "comment"}
	namesOthers = []string{"hostname", "host-name", "name", "vrf", "route-map", "prefix-list", "access-list", "access-class", "peer-group", "class-map", "policy-map", "service-policy", "policy-statement"}
)

// idle reports a block that says nothing but that nobody uses the port.
func (n Names) idle(d *syntax.Doc, heading int) bool {
	for i := heading + 1; i < d.Lines[heading].Next; i++ {
		if l := &d.Lines[i]; l.Kind == syntax.Text || l.Kind == syntax.Statement && !slices.Contains(n.Idle, strings.TrimSpace(l.Body)) {
			return false
		}
	}
	return true
}

// applying is one run over a document.
type applying struct {
	Names
	m      plugins.InterfaceMap
	first  map[string][][]string // patterns by their first word, "" for the rest
	owner  map[string]string     // new name to the old one that it stands for
	failed error
	left   string // of the line at hand: an old name where no pattern looks
}

// to is the new name of an interface. A sub-interface goes with the interface
// that carries it.
func (a *applying) to(name string) string {
	if to, ok := a.m[name]; ok {
		return to
	}
	if base, sub, isSub := strings.Cut(name, "."); isSub {
		if to, ok := a.m[base]; ok && to == "" {
			return ""
		} else if ok {
			return to + "." + sub
		}
	}
	return name
}

// line renames what the patterns find in one line. It returns the interface
// that the map leaves out, if the line is about nothing else.
func (a *applying) line(d *syntax.Doc, i int, words []syntax.Word, own int) (gone string) {
	hit := map[int]bool{}
	for _, key := range []string{words[0].Text, ""} {
		for _, p := range a.first[key] {
			positions(p, words, 0, hit)
		}
	}
	a.left = ""
	for k := own; k < len(words) && !slices.Contains(forPeople, words[k].Text); k++ {
		if !hit[k] && a.left == "" && (k == 0 || !slices.Contains(namesOthers, words[k-1].Text)) {
			a.left = a.names(words[k].Text)
		}
	}
	for k := len(words) - 1; k >= own; k-- {
		if !hit[k] {
			continue
		}
		out := ""
		to, ok := a.Rename(words[k].Text, func(name string) string {
			to := a.to(name)
			if to == "" {
				out = name
				return ""
			}
			if had, ok := a.owner[to]; ok && had != name && a.failed == nil {
				a.failed = fmt.Errorf("adapt: interfaces %q and %q would both be called %q: complete the interface map", had, name, to)
			}
			a.owner[to] = name
			return to
		})
		if !ok || to == words[k].Text {
			continue
		}
		if out != "" {
			rest := slices.DeleteFunc(strings.Split(to, ","), func(s string) bool { return strings.Trim(s, `"'`) == "" })
			if len(rest) == 0 {
				gone = out
				continue
			}
			to = strings.Join(rest, ",")
		}
		d.ReplaceWord(i, words[k], to)
	}
	return gone
}

// names is the interface with a new name that a word names, quotes and brackets
// aside; "" if it names none.
func (a *applying) names(word string) (old string) {
	if !strings.ContainsAny(word, "0123456789") {
		return ""
	}
	a.Rename(strings.Trim(word, "\"'()[];,"), func(name string) string {
		if to := a.to(name); to != name {
			old = name
		}
		return name
	})
	return old
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
