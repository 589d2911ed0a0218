package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/plugins"
)

// The classes of what an upgrade did to a configuration.
const (
	ChangeVanished = "vanished" // was there and is gone; its meaning too
	ChangeChanged  = "changed"  // another value stands in its place
	ChangeRenamed  = "renamed"  // written in another way, and means the same
	ChangeHidden   = "hidden"   // no longer written, and means the same
	ChangeAdded    = "added"    // is new, and means something
	ChangeDefault  = "default"  // is new, and means nothing that was not so before
)

// UpgradeChange is one place in which a configuration became another one.
type UpgradeChange struct {
	Artefact string   `json:"artefact"`
	Class    string   `json:"class"`
	Line     int      `json:"line"`          // in the old text if there is one, from 1
	Old      []string `json:"old,omitempty"` // lines, secrets hidden
	New      []string `json:"new,omitempty"`
}

// UpgradeReport is what an upgrade did to a device.
type UpgradeReport struct {
	Before   plugins.Facts   `json:"before"`
	After    plugins.Facts   `json:"after"`
	Changes  []UpgradeChange `json:"changes"`
	Unparsed [2]int          `json:"unparsed"` // lines that the driver does not understand, before and after
	Rollback []string        `json:"rollback"` // what going back needs
}

// Lost are the changes that took something away.
func (r *UpgradeReport) Lost() []UpgradeChange {
	var out []UpgradeChange
	for _, c := range r.Changes {
		if c.Class == ChangeVanished || c.Class == ChangeChanged {
			out = append(out, c)
		}
	}
	return out
}

// mostHunks bounds how many differences of one artefact are held against their
// meaning; beyond that each counts as lost or added.
const mostHunks = 300

// comparison explains differences by what the driver reads in them: if a
// difference is taken back and the tree stays the same, it meant nothing.
type comparison struct {
	ctx   context.Context
	drv   plugins.Driver
	text  *plugins.Text
	facts plugins.Facts
	now   []plugins.Artefact
	base  []byte // canonical tree of now
}

// compareUpgrade says what became of the configuration old, and makes the one
// that has back what was lost and keeps what is new: that is what a restore
// after an upgrade stages, never the old text as it was.
func compareUpgrade(ctx context.Context, drv plugins.Driver, text *plugins.Text, before, after plugins.Facts, old, now []plugins.Artefact) (*UpgradeReport, []plugins.Artefact, error) {
	rep := &UpgradeReport{Before: before, After: after, Changes: []UpgradeChange{}}
	was, err := drv.Normalize(ctx, before, old)
	if err != nil {
		return nil, nil, fmt.Errorf("normalise what was: %w", err)
	}
	is, err := drv.Normalize(ctx, after, now)
	if err != nil {
		return nil, nil, fmt.Errorf("normalise what is: %w", err)
	}
	rep.Unparsed = [2]int{unparsed(was), unparsed(is)}
	c := &comparison{ctx: ctx, drv: drv, text: text, facts: after, now: now}
	if c.base, err = canonicalTree(is.Tree); err != nil {
		return nil, nil, fmt.Errorf("normalise what is: %w", err)
	}
	merged := slices.Clone(now)
	have := byName(now)
	for _, o := range old {
		if !compared(o) {
			continue
		}
		n, ok := have[o.Name]
		if !ok {
			rep.Changes = append(rep.Changes, UpgradeChange{Artefact: o.Name, Class: ChangeVanished, Line: 1, Old: c.hidden(o.Name, string(o.Data))})
			merged = append(merged, o)
			continue
		}
		changes, data, err := c.artefact(o, n, lineClasses(was, o.Name), lineClasses(is, o.Name))
		if err != nil {
			return nil, nil, err
		}
		rep.Changes = append(rep.Changes, changes...)
		for i := range merged {
			if merged[i].Name == o.Name {
				merged[i].Data = data
			}
		}
	}
	known := byName(old)
	for _, n := range now {
		if _, ok := known[n.Name]; !ok && compared(n) {
			rep.Changes = append(rep.Changes, UpgradeChange{Artefact: n.Name, Class: ChangeAdded, Line: 1, New: c.hidden(n.Name, string(n.Data))})
		}
	}
	return rep, merged, nil
}

func unparsed(n *plugins.Normalized) int {
	count := 0
	for _, l := range n.Residual {
		if l.Class == plugins.Unparsed {
			count++
		}
	}
	return count
}

// lineClasses are the classes of an artefact's lines that are not mapped.
func lineClasses(n *plugins.Normalized, artefact string) map[int]plugins.Class {
	out := map[int]plugins.Class{}
	for _, l := range n.Residual {
		if l.Artefact == artefact {
			out[l.Number] = l.Class
		}
	}
	return out
}

// artefact explains one artefact and merges it.
func (c *comparison) artefact(o, n plugins.Artefact, was, is map[int]plugins.Class) ([]UpgradeChange, []byte, error) {
	if bytes.IndexByte(o.Data, 0) >= 0 || bytes.IndexByte(n.Data, 0) >= 0 {
		if bytes.Equal(o.Data, n.Data) {
			return nil, n.Data, nil
		}
		return []UpgradeChange{{Artefact: o.Name, Class: ChangeChanged, Line: 1, Old: []string{"binary"}, New: []string{"binary"}}}, o.Data, nil
	}
	before, now := string(o.Data), string(n.Data)
	edits := udiff.Lines(before, now)
	var changes []UpgradeChange
	var hunks []hunk
	var merged strings.Builder
	at, shift := 0, 0 // in before; how far now is ahead of it
	for _, e := range edits {
		gone := before[e.Start:e.End]
		merged.WriteString(before[at:e.Start])
		at = e.End
		from := e.Start + shift // where e.New stands in now
		shift += len(e.New) - len(gone)
		line, newLine := 1+strings.Count(before[:e.Start], "\n"), 1+strings.Count(now[:from], "\n")
		if c.idle(o.Name, gone, line, was) && c.idle(o.Name, e.New, newLine, is) {
			merged.WriteString(e.New)
			continue
		}
		lost := UpgradeChange{Artefact: o.Name, Class: ChangeChanged, Line: line, Old: c.hidden(o.Name, gone), New: c.hidden(o.Name, e.New)}
		if len(edits) > mostHunks {
			lost.Class = classify(false, gone != "", e.New != "", true)
		} else if err := c.explain(&lost, now[:from], gone, e.New, now[from+len(e.New):], opaque(gone, line, was), opaque(e.New, newLine, is)); err != nil {
			return nil, nil, err
		}
		switch lost.Class {
		case changeBoth:
			merged.WriteString(gone + e.New)
			added := UpgradeChange{Artefact: o.Name, Class: ChangeAdded, Line: line, New: lost.New}
			lost.Class, lost.New = ChangeVanished, nil
			changes = append(changes, lost, added)
			hunks = append(hunks, hunk{}, hunk{})
			continue
		case ChangeVanished, ChangeChanged:
			merged.WriteString(gone)
		default:
			merged.WriteString(e.New)
		}
		changes = append(changes, lost)
		hunks = append(hunks, hunk{from, gone, e.New})
	}
	merged.WriteString(before[at:])
	changes, err := c.moved(now, changes, hunks)
	return changes, []byte(merged.String()), err
}

// hunk is what stands at a place of the new text for what stood there.
type hunk struct {
	from     int // in the new text
	old, now string
}

// mostPairs bounds how many pairs of differences are tried for a statement that
// moved.
const mostPairs = 100

// moved finds statements that are written in another place: what is no longer
// written and what is new mean, each in place of the other, the same.
func (c *comparison) moved(now string, changes []UpgradeChange, hunks []hunk) ([]UpgradeChange, error) {
	var out []UpgradeChange
	gone := map[int]bool{}
	tries := 0
	for i := range changes {
		for j := range changes {
			if changes[i].Class != ChangeHidden || changes[j].Class != ChangeAdded || gone[j] || hunks[i].old == "" || hunks[j].now == "" || tries >= mostPairs {
				continue
			}
			tries++
			first, second := hunks[i], hunks[j]
			if first.from > second.from {
				first, second = second, first
			}
			text := now[:first.from] + first.old + now[first.from+len(first.now):second.from] + second.old + now[second.from+len(second.now):]
			tree, err := c.tree(changes[i].Artefact, text)
			if err != nil {
				return nil, err
			}
			if tree != nil && bytes.Equal(tree, c.base) {
				changes[i].Class, changes[i].New, gone[j] = ChangeRenamed, changes[j].New, true
				break
			}
		}
	}
	for i, ch := range changes {
		if !gone[i] {
			out = append(out, ch)
		}
	}
	return out, nil
}

// changeBoth is what classify cannot see: something vanished, and something that
// has nothing to do with it stands where it stood.
const changeBoth = "both"

// explain classifies a difference by what the driver reads with the old lines
// in the place of the new ones and, where both mean something, with both.
func (c *comparison) explain(u *UpgradeChange, head, old, fresh, tail string, oldOpaque, newOpaque bool) error {
	with, open, err := c.read(u.Artefact, head+old+tail)
	if err != nil {
		return err
	}
	u.Class = classify(with != nil && bytes.Equal(with, c.base) && !oldOpaque, old != "", fresh != "", newOpaque)
	if u.Class != ChangeChanged {
		return nil
	}
	// Two values of one leaf do not stand beside each other: one is not read.
	both, left, err := c.read(u.Artefact, head+old+fresh+tail)
	if err == nil && both != nil && with != nil && left <= open && !bytes.Equal(both, with) && !bytes.Equal(both, c.base) {
		u.Class = changeBoth
	}
	return err
}

// classify names a difference. same says that the configuration means the same
// with what was there in place of what is; newOpaque that what is new cannot be
// read, so that nobody can say what it means.
func classify(same, old, fresh, freshOpaque bool) string {
	switch {
	case old && fresh && same:
		return ChangeRenamed
	case old && fresh:
		return ChangeChanged
	case old && same:
		return ChangeHidden
	case old:
		return ChangeVanished
	case same && !freshOpaque:
		return ChangeDefault
	}
	return ChangeAdded
}

// idle reports whether lines carry nothing: volatile, delimiters, blank.
func (c *comparison) idle(artefact, text string, line int, classes map[int]plugins.Class) bool {
	for l := range strings.Lines(text) {
		body := strings.TrimRight(l, "\r\n")
		class := classes[line]
		trimmed := strings.TrimSpace(body)
		if trimmed != "" && trimmed != "!" && trimmed != "exit" && class != plugins.Volatile && c.text.VolatileRule(artefact, []byte(body)) == "" {
			return false
		}
		line++
	}
	return true
}

// opaque reports whether a line is among them whose meaning is not in the tree.
func opaque(text string, line int, classes map[int]plugins.Class) bool {
	for range strings.Lines(text) {
		if k := classes[line]; k == plugins.Unparsed || k == plugins.SecretOpaque {
			return true
		}
		line++
	}
	return false
}

// tree is the device's tree with another text of one artefact; nil if that
// cannot be read.
func (c *comparison) tree(artefact, text string) ([]byte, error) {
	tree, _, err := c.read(artefact, text)
	return tree, err
}

// read is tree, and how many lines are not understood, or kept only by their
// words: as features of the platform.
func (c *comparison) read(artefact, text string) ([]byte, int, error) {
	variant := slices.Clone(c.now)
	for i := range variant {
		if variant[i].Name == artefact {
			variant[i].Data = []byte(text)
		}
	}
	norm, err := c.drv.Normalize(c.ctx, c.facts, variant)
	if err != nil {
		return nil, 0, c.ctx.Err()
	}
	tree, err := canonicalTree(norm.Tree)
	var doc any
	if err == nil && json.Unmarshal(tree, &doc) == nil {
		return tree, unparsed(norm) + features(doc), nil
	}
	return tree, unparsed(norm), err
}

func features(node any) int {
	n := 0
	switch node := node.(type) {
	case map[string]any:
		for name, inner := range node {
			if list, ok := inner.([]any); ok && name == "feature" {
				n += len(list)
				continue
			}
			n += features(inner)
		}
	case []any:
		for _, inner := range node {
			n += features(inner)
		}
	}
	return n
}

func (c *comparison) hidden(artefact, text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimRight(c.text.Redact(artefact, text), "\n"), "\n")
}
