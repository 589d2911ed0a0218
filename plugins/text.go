package plugins

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "•••"

// Text applies a platform's line rules to native text: which lines are
// volatile, which parts are secret. Make it once per Info with NewText; it is
// safe for concurrent use.
type Text struct {
	volatile  []lineRule
	secrets   []secretRule
	unordered []lineRule
}

type lineRule struct {
	LineRule
	re *regexp.Regexp
}

type secretRule struct {
	SecretRule
	re, until *regexp.Regexp
	blind     bool // hides all of its artefact, whatever it is
}

// NewText compiles the rules of an Info. The error names the rule that does
// not compile.
func NewText(i Info) (*Text, error) {
	t := &Text{}
	for _, r := range i.Volatile {
		re, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("driver %s: volatile rule %s: %w", i.Name, r.ID, err)
		}
		t.volatile = append(t.volatile, lineRule{r, re})
	}
	for _, r := range i.Unordered {
		re, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("driver %s: unordered rule %s: %w", i.Name, r.ID, err)
		}
		t.unordered = append(t.unordered, lineRule{r, re})
	}
	for _, r := range i.Secrets {
		re, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("driver %s: secret rule %s: %w", i.Name, r.ID, err)
		}
		sr := secretRule{SecretRule: r, re: re}
		if r.Until != "" {
			if sr.until, err = regexp.Compile(r.Until); err != nil {
				return nil, fmt.Errorf("driver %s: secret rule %s: %w", i.Name, r.ID, err)
			}
		}
		if r.Artefact != "" {
			hidden, hit := replace(sr.re, anyText, func(string) string { return "" })
			sr.blind = hit && hidden == ""
		}
		t.secrets = append(t.secrets, sr)
	}
	return t, nil
}

// VolatileRule returns the id of the rule that calls a line of the artefact
// volatile, or "".
func (t *Text) VolatileRule(artefact string, line []byte) string {
	for _, r := range t.volatile {
		if (r.Artefact == "" || r.Artefact == artefact) && r.re.Match(line) {
			return r.ID
		}
	}
	return ""
}

// Significant returns the artefact's text without its volatile lines, and with
// the blocks whose order says nothing in a fixed order, so that two texts that
// mean the same are the same bytes. Binary data (with a NUL byte) is returned
// as it is.
func (t *Text) Significant(artefact string, data []byte) []byte {
	if bytes.IndexByte(data, 0) >= 0 {
		return data
	}
	if len(t.unordered) > 0 {
		data = t.order(artefact, data)
	}
	if len(t.volatile) == 0 {
		return data
	}
	out := make([]byte, 0, len(data))
	for line := range bytes.Lines(data) {
		if t.VolatileRule(artefact, bytes.TrimRight(line, "\r\n")) == "" {
			out = append(out, line...)
		}
	}
	return out
}

// order sorts the blocks that an unordered rule names and puts them, in that
// order, where such blocks stood. A block is its heading and what is indented
// below it, with the "exit" that ends it.
func (t *Text) order(artefact string, data []byte) []byte {
	var pieces [][]byte // text between blocks, and blocks
	var blocks []int    // which of the pieces are blocks
	open := false       // the last piece is a block that may go on
	for line := range bytes.Lines(data) {
		body := bytes.TrimRight(line, "\r\n")
		if open && (bytes.HasPrefix(body, []byte(" ")) || string(body) == "exit") {
			last := len(pieces) - 1
			pieces[last] = append(pieces[last], line...)
			open = string(body) != "exit"
			continue
		}
		if open = t.isUnordered(artefact, body); open {
			blocks = append(blocks, len(pieces))
		}
		pieces = append(pieces, bytes.Clone(line))
	}
	sorted := make([][]byte, len(blocks))
	for i, at := range blocks {
		sorted[i] = pieces[at]
	}
	slices.SortStableFunc(sorted, bytes.Compare)
	for i, at := range blocks {
		pieces[at] = sorted[i]
	}
	return bytes.Join(pieces, nil)
}

func (t *Text) isUnordered(artefact string, line []byte) bool {
	for _, r := range t.unordered {
		if (r.Artefact == "" || r.Artefact == artefact) && r.re.Match(line) {
			return true
		}
	}
	return false
}

// anyText is a line that no rule knows anything of.
const anyText = "any line of text"

// Redact hides every secret of the artefact's text. An artefact of "" applies
// the rules of all artefacts: for diffs and device messages, whose origin is
// not one artefact. A rule that hides one artefact as a whole, such as a key
// file, says nothing of other text and would leave none of it: it is not
// among them.
func (t *Text) Redact(artefact, text string) string {
	return t.Replace(artefact, text, func(string) string { return Hidden })
}

// Replace puts with(secret) in the place of every secret that Redact hides.
// What one rule has replaced another may replace again.
func (t *Text) Replace(artefact, text string, with func(secret string) string) string {
	var b strings.Builder
	b.Grow(len(text))
	var until *regexp.Regexp
	for line := range strings.Lines(text) {
		body := strings.TrimRight(line, "\r\n")
		end := line[len(body):]
		if until != nil {
			if until.MatchString(body) {
				until = nil
				b.WriteString(line)
			} else {
				b.WriteString(with(body) + end)
			}
			continue
		}
		for _, r := range t.secrets {
			if artefact != "" && r.Artefact != "" && r.Artefact != artefact || artefact == "" && r.blind {
				continue
			}
			hidden, hit := replace(r.re, body, with)
			body = hidden
			if hit && r.until != nil {
				until = r.until
			}
		}
		b.WriteString(body + end)
	}
	return b.String()
}

// replace replaces the submatches of every match of re in line, or the whole
// line if re has none.
func replace(re *regexp.Regexp, line string, with func(string) string) (string, bool) {
	all := re.FindAllStringSubmatchIndex(line, -1)
	if all == nil {
		return line, false
	}
	if re.NumSubexp() == 0 {
		return with(line), true
	}
	var b strings.Builder
	at := 0
	for _, m := range all {
		for g := 1; g < len(m)/2; g++ {
			lo, hi := m[2*g], m[2*g+1]
			if lo < at || lo < 0 || lo == hi {
				continue
			}
			b.WriteString(line[at:lo] + with(line[lo:hi]))
			at = hi
		}
	}
	b.WriteString(line[at:])
	return b.String(), true
}
