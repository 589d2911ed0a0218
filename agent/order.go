package agent

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// missing holds what the device has against what it should have. On another unit,
// or where lines were merged, the device knows better than we in which order it
// writes them, and it has items of its own: then the same statements have to be
// there, each below the same one, and to mean the same.
func (r *restore) missing(ctx context.Context, got *reading) ([]Difference, error) {
	if r.converted != nil {
		return r.compareMeaning(ctx, got)
	}
	diffs := r.comesBack(Compare(r.text, r.want, got.exp.Artefacts))
	if len(diffs) > 0 && r.opts.migrate {
		return r.migrated(ctx, got, diffs)
	}
	if len(diffs) == 0 || !r.opts.merge && !r.moved {
		return diffs, nil
	}
	have, err := r.withoutUnit(ctx, got)
	if err != nil {
		return nil, err
	}
	want := ordered(r.text, r.want)
	if left := r.comesBack(Compare(r.text, want, ordered(r.text, have))); len(left) > 0 {
		return left, nil
	}
	var trees [2][]byte
	for i, native := range [][]plugins.Artefact{r.want, have} {
		norm, err := r.drv.Normalize(ctx, got.facts, native)
		if err == nil {
			trees[i], err = canonicalTree(norm.Tree)
		}
		if err != nil {
			return nil, err
		}
	}
	if bytes.Equal(trees[0], trees[1]) {
		return nil, nil
	}
	return diffs, nil
}

// migrated holds what a device has against what an older release wrote, after the
// platform's own migrator has brought it to the release at hand: both mean the
// same, and what the driver does not understand stands there as it did.
func (r *restore) migrated(ctx context.Context, got *reading, diffs []Difference) ([]Difference, error) {
	want, unread, err := r.meaning(ctx, r.meta.Facts, r.want)
	if err != nil {
		return nil, err
	}
	have, _, err := r.meaning(ctx, got.facts, got.exp.Artefacts)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(want.Canonical(), have.Canonical()) {
		return diffs, nil
	}
	there := map[string]bool{}
	for _, a := range got.exp.Artefacts {
		for l := range bytes.Lines(a.Data) {
			there[string(bytes.TrimSpace(l))] = true
		}
	}
	for _, a := range r.want {
		lines := bytes.Split(r.text.Significant(a.Name, a.Data), []byte("\n"))
		for _, l := range unread {
			if l.Artefact == a.Name && l.Class == plugins.Unparsed && l.Number <= len(lines) && !there[string(bytes.TrimSpace(lines[l.Number-1]))] {
				return diffs, nil
			}
		}
	}
	return nil, nil
}

// comesBack leaves out the differences in artefacts that the plan said would not
// be put back.
func (r *restore) comesBack(diffs []Difference) []Difference {
	return slices.DeleteFunc(diffs, func(d Difference) bool { return slices.Contains(r.notBack, d.Artefact) })
}

// withoutUnit is what a unit has, without what belongs to that unit alone, such
// as its own certificate: none of the other unit's was put there.
func (r *restore) withoutUnit(ctx context.Context, got *reading) ([]plugins.Artefact, error) {
	if !r.moved {
		return got.exp.Artefacts, nil
	}
	have, _, err := r.drv.Adapt(ctx, got.exp.Artefacts, got.facts, got.facts, nil)
	if err != nil {
		return nil, fmt.Errorf("adapt: %w", err)
	}
	return have, nil
}

// ordered puts the statements of every text in a fixed order, each with what is
// indented below it.
func ordered(text *plugins.Text, native []plugins.Artefact) []plugins.Artefact {
	out := slices.Clone(native)
	for i, a := range out {
		if bytes.IndexByte(a.Data, 0) < 0 {
			out[i].Data = []byte(orderLines(string(text.Significant(a.Name, a.Data))))
		}
	}
	return out
}

// orderLines sorts lines among those of one indentation below one line. Blank
// lines and those of '!' alone, which only divide, are left out.
func orderLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \t\r\n"); strings.Trim(line, " !") != "" {
			lines = append(lines, line)
		}
	}
	var b strings.Builder
	for _, block := range orderBlocks(lines) {
		b.WriteString(block)
	}
	return b.String()
}

func orderBlocks(lines []string) []string {
	var blocks []string
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && indentation(lines[n]) > indentation(lines[0]) {
			n++
		}
		blocks = append(blocks, lines[0]+"\n"+strings.Join(orderBlocks(lines[1:n]), ""))
		lines = lines[n:]
	}
	slices.Sort(blocks)
	return blocks
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
