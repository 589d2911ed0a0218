package plugintest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
)

// normalize checks the laws of Normalize on the fixture's artefacts, then on
// damaged ones.
func (k *kit) normalize(ctx context.Context, a at, f *Fixture) {
	n := k.normalized(ctx, a, f.Facts, f.Artefacts)
	if n == nil {
		return
	}
	if err := k.o.Validate(n.Tree); err != nil {
		k.broken(a, LawValid, "%v", err)
	}
	if f.Tree != nil {
		have, err1 := canonical(n.Tree)
		want, err2 := canonical(f.Tree)
		if err1 != nil || err2 != nil {
			k.broken(a, LawValid, "the tree or the fixture's is not JSON: %v %v", err1, err2)
		} else if !bytes.Equal(have, want) {
			k.broken(a, LawValid, "the tree is not the fixture's: %s", difference(have, want))
		}
	}
	if have := Summary(n.Residual); f.hasResidual && !slices.Equal(have, f.Residual) {
		k.broken(a, LawAccount, "residual %q, the fixture says %q", have, f.Residual)
	}
	var wg sync.WaitGroup
	again := make([]*plugins.Normalized, 4)
	for i := range again {
		wg.Add(1)
		go func() {
			defer wg.Done()
			again[i] = k.normalized(ctx, a, f.Facts, f.Artefacts)
		}()
	}
	wg.Wait()
	for _, x := range again {
		if x == nil || !reflect.DeepEqual(x, n) {
			k.broken(a, LawDeterministic, "Normalize gives different answers for the same artefacts")
			break
		}
	}
	rng := rand.New(rand.NewPCG(1, 2)) // the same damage every time
	for i := range 24 {
		if ctx.Err() != nil || k.hopeless() {
			return
		}
		b := a
		b.fault, b.group = fmt.Sprintf("damaged artefacts, case %d", i), "damaged artefacts"
		k.normalized(ctx, b, f.Facts, damage(rng, i, f.Artefacts))
	}
	b := a
	b.fault = "no artefacts"
	k.normalized(ctx, b, plugins.Facts{}, nil)
}

// damage cuts, drops, doubles, swaps and joins lines.
func damage(rng *rand.Rand, i int, in []plugins.Artefact) []plugins.Artefact {
	out := slices.Clone(in)
	for j := range out {
		lines := bytes.SplitAfter(out[j].Data, []byte("\n"))
		n := len(lines)
		x, y := rng.IntN(n), rng.IntN(n)
		switch i % 6 {
		case 0:
			out[j].Data = bytes.Clone(out[j].Data[:rng.IntN(len(out[j].Data)+1)])
			continue
		case 1:
			lines = slices.Delete(slices.Clone(lines), x, x+1)
		case 2:
			lines = slices.Insert(slices.Clone(lines), y, lines[x])
		case 3:
			lines = slices.Clone(lines)
			lines[x], lines[y] = lines[y], lines[x]
		case 4:
			lines = slices.Clone(lines)
			lines[x] = append(bytes.TrimRight(lines[x], "\n"), lines[y]...)
		case 5:
			lines = slices.Clone(lines)
			lines[x] = append([]byte("  \x00\xff"), lines[x]...)
		}
		out[j].Data = bytes.Join(lines, nil)
	}
	return out
}

// normalized calls Normalize once and checks what holds for any answer. It is
// nil if the call failed.
func (k *kit) normalized(ctx context.Context, a at, facts plugins.Facts, native []plugins.Artefact) *plugins.Normalized {
	given := cloneArtefacts(native)
	type result struct {
		n   *plugins.Normalized
		err error
	}
	got := make(chan result, 1)
	k.call(ctx, a, "Normalize", nil, func(ctx context.Context) {
		n, err := k.driver.Normalize(ctx, facts, given)
		got <- result{n, err}
	})
	var x result
	select {
	case x = <-got:
	default:
		return nil
	}
	k.checkError(a, "Normalize", x.err)
	if !reflect.DeepEqual(given, cloneArtefacts(native)) {
		k.broken(a, LawPure, "Normalize changes the artefacts it is given")
	}
	if x.err != nil || x.n == nil {
		if a.fault == "" {
			k.broken(a, LawValid, "Normalize fails: %v", x.err)
		}
		return nil
	}
	if !json.Valid(x.n.Tree) {
		k.broken(a, LawValid, "the tree is not JSON")
	}
	k.account(a, x.n, native)
	return x.n
}

func cloneArtefacts(in []plugins.Artefact) []plugins.Artefact {
	out := slices.Clone(in)
	for i := range out {
		out[i].Data = bytes.Clone(out[i].Data)
	}
	return out
}

// account checks that every line that is not empty has exactly one class, and
// that Coverage and Residual tell the same.
func (k *kit) account(a at, n *plugins.Normalized, native []plugins.Artefact) {
	bad := func(format string, args ...any) { k.broken(a, LawAccount, format, args...) }
	significant := map[string][]bool{} // by artefact and line
	for _, x := range native {
		var lines []bool
		for line := range bytes.Lines(x.Data) {
			lines = append(lines, len(bytes.TrimSpace(line)) > 0)
		}
		significant[x.Name] = lines
	}
	type cell struct {
		artefact, section string
		class             plugins.Class
	}
	residual := map[cell]int{}
	seen := map[string]map[int]bool{}
	for _, l := range n.Residual {
		lines, known := significant[l.Artefact]
		switch {
		case !known:
			bad("the residual names artefact %q, which is not there", l.Artefact)
			continue
		case l.Number < 1 || l.Number > len(lines):
			bad("the residual names line %d of %s, which has %d", l.Number, l.Artefact, len(lines))
			continue
		case seen[l.Artefact][l.Number]:
			bad("line %d of %s is in the residual twice", l.Number, l.Artefact)
		}
		if seen[l.Artefact] == nil {
			seen[l.Artefact] = map[int]bool{}
		}
		seen[l.Artefact][l.Number] = true
		switch l.Class {
		case plugins.Boilerplate, plugins.Volatile:
			if l.Rule == "" {
				bad("line %d of %s is %s without a rule", l.Number, l.Artefact, l.Class)
			}
		case plugins.SecretOpaque, plugins.Unparsed:
		default:
			bad("line %d of %s is %q in the residual", l.Number, l.Artefact, l.Class)
		}
		k.checkCanaries(a, "the residual", l.Section+" "+l.Rule)
		residual[cell{l.Artefact, l.Section, l.Class}]++
	}
	total := map[string]int{}
	for _, c := range n.Coverage {
		k.checkCanaries(a, "the coverage", c.Section)
		for class, count := range c.Lines {
			total[c.Artefact] += count
			if class == plugins.Mapped {
				continue
			}
			key := cell{c.Artefact, c.Section, class}
			if residual[key] != count {
				bad("section %q of %s counts %d lines as %s, the residual %d", c.Section, c.Artefact, count, class, residual[key])
			}
			delete(residual, key)
		}
	}
	for key, count := range residual {
		if count > 0 {
			bad("section %q of %s has %d lines as %s that coverage does not count", key.section, key.artefact, count, key.class)
		}
	}
	for _, x := range native {
		want := 0
		for _, s := range significant[x.Name] {
			if s {
				want++
			}
		}
		if total[x.Name] != want {
			bad("artefact %s has %d lines that are not empty, %d are accounted for", x.Name, want, total[x.Name])
		}
	}
}

// Summary counts a residual by class, artefact and section, one line each, in
// the order of first appearance: "COUNT CLASS ARTEFACT: SECTION". Lines of
// class boilerplate and volatile are left out.
func Summary(residual []plugins.Line) []string {
	type cell struct {
		class             plugins.Class
		artefact, section string
	}
	var order []cell
	count := map[cell]int{}
	for _, l := range residual {
		if l.Class == plugins.Boilerplate || l.Class == plugins.Volatile {
			continue
		}
		c := cell{l.Class, l.Artefact, l.Section}
		if count[c] == 0 {
			order = append(order, c)
		}
		count[c]++
	}
	var out []string
	for _, c := range order {
		out = append(out, strings.TrimRight(fmt.Sprintf("%d %s %s: %s", count[c], c.class, c.artefact, c.section), " "))
	}
	return out
}

// canonical writes JSON with sorted keys and two blanks of indentation.
func canonical(text []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return json.MarshalIndent(v, "", "  ")
}
