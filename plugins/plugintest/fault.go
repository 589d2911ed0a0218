package plugintest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

var errUnsupported = errors.ErrUnsupported

const (
	formExec  = "exec"
	formShell = "shell"
)

// faultKind is one way in which the answer to a request goes wrong.
type faultKind string

const (
	faultLost     faultKind = "connection lost before the answer"
	faultHang     faultKind = "hangs"
	faultCutLost  faultKind = "cut, connection lost"
	faultCut      faultKind = "cut, marked as cut"
	faultClosed   faultKind = "cut, channel closed without a status"
	faultSilent   faultKind = "cut, ends as if whole" // only where the driver declares a terminator
	faultRefused  faultKind = "refused with the vendor's error text"
	faultStderr   faultKind = "fails with an exit status and nothing printed"
	faultEmpty    faultKind = "empty, ends as if whole"
	faultPager    faultKind = "a pager waits"
	faultTooLarge faultKind = "larger than the agent allows"

	// Noise leaves the answer whole: nothing of it may get lost.
	faultBanner faultKind = "a banner with a line like a prompt before it"
	faultCRLF   faultKind = "lines end with CR LF"
	faultANSI   faultKind = "escape sequences in it"
	faultNUL    faultKind = "NUL bytes in it"
	faultHuge   faultKind = "very large"
)

func (k faultKind) noise() bool {
	switch k {
	case faultBanner, faultCRLF, faultANSI, faultNUL, faultHuge:
		return true
	}
	return false
}

// fault is one planned fault: what happens to the nth time that something is
// asked.
type fault struct {
	kind   faultKind
	stream bool
	text   string
	name   string // what reports call it; empty: text
	nth    int
	at     int // bytes that come through, for cuts
	of     int
	huge   int
}

func (f *fault) target() string {
	t := f.text
	if f.name != "" {
		t = f.name
	}
	if f.stream {
		t = "stream " + t
	}
	if f.nth > 1 {
		t = fmt.Sprintf("%s, time %d", t, f.nth)
	}
	return t
}

// group names the fault without its place.
func (f *fault) group() string { return fmt.Sprintf("%q %s", f.target(), f.kind) }

func (f *fault) String() string {
	switch f.kind {
	case faultCutLost, faultCut, faultClosed, faultSilent, faultPager:
		return fmt.Sprintf("%s after %d of %d bytes", f.group(), f.at, f.of)
	}
	return f.group()
}

// apply spoils an answer.
func (f *fault) apply(r *Replay, out plugins.Output) (plugins.Output, error) {
	lost := fmt.Errorf("%w (planned)", plugins.ErrSessionLost)
	cut := func(end plugins.End) plugins.Output {
		out.Stdout = out.Stdout[:min(f.at, len(out.Stdout))]
		out.End = end
		if end == plugins.EndCut || end == plugins.EndClosed {
			out.Exit = nil
		}
		return out
	}
	switch f.kind {
	case faultLost:
		return plugins.Output{End: plugins.EndCut}, lost
	case faultCutLost:
		return cut(plugins.EndCut), lost
	case faultCut:
		return cut(plugins.EndCut), nil
	case faultClosed:
		return cut(plugins.EndClosed), nil
	case faultSilent:
		return cut(out.End), nil
	case faultPager:
		end := plugins.EndCut
		if f.nthPager() {
			end = plugins.EndSentinel
		}
		out = cut(end)
		out.Stdout = append(bytes.Clone(out.Stdout), r.f.Pager...)
		return out, nil
	case faultRefused:
		return r.unknown(), nil
	case faultStderr:
		exit := 1
		return plugins.Output{Stderr: []byte(r.f.Unknown + "\n"), Exit: &exit, End: plugins.EndStatus}, nil
	case faultEmpty:
		out.Stdout, out.Stderr = nil, nil
		return out, nil
	case faultTooLarge:
		return plugins.Output{Stdout: out.Stdout[:min(f.at, len(out.Stdout))], End: plugins.EndCut}, plugins.ErrTooLarge
	case faultBanner:
		out.Stdout = append([]byte("\n*** maintenance tonight ***\nswitch#\nrouter> \n"), out.Stdout...)
	case faultCRLF:
		out.Stdout = bytes.ReplaceAll(out.Stdout, []byte("\n"), []byte("\r\n"))
	case faultANSI:
		out.Stdout = bytes.ReplaceAll(out.Stdout, []byte("\n"), []byte("\x1b[0m\x1b[K\n"))
	case faultNUL:
		out.Stdout = bytes.ReplaceAll(out.Stdout, []byte("\n"), []byte("\x00\n"))
	case faultHuge:
		out.Stdout = inflate(out.Stdout, f.huge)
	}
	return out, nil
}

// nthPager says whether the pager's text ends with a prompt, as if the command
// were over: at odd places.
func (f *fault) nthPager() bool { return f.of > 0 && f.at%2 == 1 }

// inflate repeats a line in the middle of the text until it has that size, so
// that whoever keeps only the beginning or the end loses lines.
func inflate(text []byte, size int) []byte {
	middle := bytes.IndexByte(text[len(text)/2:], '\n') + len(text)/2 + 1
	filler := []byte("! filler\n")
	for l := range bytes.Lines(text) {
		if len(bytes.TrimSpace(l)) > 3 && bytes.HasSuffix(l, []byte("\n")) {
			filler = l
			break
		}
	}
	out := make([]byte, 0, size+len(text)+len(filler))
	out = append(out, text[:middle]...)
	for len(out) < size {
		out = append(out, filler...)
	}
	return append(out, text[middle:]...)
}

// plan lists the faults for one export: every request of an undisturbed run
// goes wrong in every way.
func (k *kit) plan(f *Fixture, form string, log []Request) []*fault {
	var out []*fault
	for _, q := range log {
		key, answers := f.find(q.Text)
		base := fault{stream: q.Stream, text: q.Text, nth: q.Nth}
		if key != q.Text {
			base.name = "… " + key + " …"
		}
		add := func(kind faultKind, at, of int) {
			x := base
			x.kind, x.at, x.of, x.huge = kind, at, of, k.o.Huge
			out = append(out, &x)
		}
		add(faultLost, 0, 0)
		add(faultHang, 0, 0)
		if q.Stream {
			data := f.streams[q.Text]
			for _, at := range k.places(data) {
				add(faultCutLost, at, len(data))
			}
			continue
		}
		add(faultRefused, 0, 0)
		if form == formExec {
			add(faultStderr, 0, 0)
		}
		if q.Unknown {
			continue
		}
		a := answers[min(q.Nth, len(answers))-1]
		add(faultTooLarge, len(a.stdout)/2, len(a.stdout))
		proved := a.framed || k.proved(q.Text)
		if proved {
			add(faultEmpty, 0, 0)
		}
		cuts := []faultKind{faultCutLost, faultCut}
		if form == formExec {
			cuts = append(cuts, faultClosed)
		}
		if proved {
			cuts = append(cuts, faultSilent)
		}
		near := len(a.stdout) - 48
		for i, at := range k.places(a.stdout) {
			if at >= near || len(a.stdout) <= 512 {
				for _, kind := range cuts {
					add(kind, at, len(a.stdout))
				}
				continue
			}
			add(cuts[i%len(cuts)], at, len(a.stdout))
		}
		if form == formShell {
			for _, at := range pages(a.stdout) {
				if proved || at%2 == 0 {
					add(faultPager, at, len(a.stdout))
				}
			}
			add(faultBanner, 0, 0)
			add(faultANSI, 0, 0)
		}
		if len(a.stdout) > 0 {
			add(faultCRLF, 0, 0)
			add(faultNUL, 0, 0)
			add(faultHuge, 0, 0)
		}
	}
	return out
}

// proved reports whether the driver declares how the end of what a command
// prints is known by its text.
func (k *kit) proved(command string) bool {
	for _, s := range k.info.Artefacts {
		if s.Command == command && s.Terminator != "" {
			return true
		}
	}
	return false
}

// places chooses where to cut: everywhere in a short text; else at its
// beginning and end, between lines, before line ends, and evenly.
func (k *kit) places(text []byte) []int {
	n := len(text)
	if n <= k.o.Cuts {
		out := make([]int, n)
		for i := range out {
			out[i] = i
		}
		return out
	}
	seen := map[int]bool{}
	add := func(at int) {
		if at >= 0 && at < n {
			seen[at] = true
		}
	}
	quarter := max(4, k.o.Cuts/4)
	for i := range min(quarter, 16) {
		add(i)
	}
	for i := 1; i <= quarter; i++ {
		add(n - i)
	}
	var ends []int
	for i, c := range text {
		if c == '\n' {
			ends = append(ends, i)
		}
	}
	for i := range min(len(ends), k.o.Cuts) { // between lines: where a cut shows least
		add(ends[i*len(ends)/min(len(ends), k.o.Cuts)] + 1)
	}
	for i := range min(len(ends), quarter) {
		add(ends[i*len(ends)/min(len(ends), quarter)])
	}
	for i := range quarter {
		add(i * n / quarter)
	}
	out := make([]int, 0, len(seen))
	for at := range seen {
		out = append(out, at)
	}
	slices.Sort(out)
	return out
}

// pages are the places at which a pager of 24 lines, and one of 10, stops
// first; each once even and once odd where the text allows it.
func pages(text []byte) []int {
	var out []int
	at, line := 0, 0
	for l := range bytes.Lines(text) {
		at += len(l)
		line++
		if (line == 10 || line == 23) && at < len(text) {
			out = append(out, at, at-1)
		}
	}
	if out == nil && len(text) > 1 {
		out = []int{len(text) / 2, len(text)/2 - 1 + len(text)/2%2}
	}
	return out
}

// kept reports whether every line of want stands in have, in order, once the
// noise is taken out; blank lines do not count.
func kept(want, have []byte) bool {
	wants := plainLines(want)
	for _, h := range plainLines(have) {
		if len(wants) > 0 && wants[0] == h {
			wants = wants[1:]
		}
	}
	return len(wants) == 0
}

var escape = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

func plainLines(text []byte) []string {
	clean := string(text)
	if strings.Contains(clean, "\x1b") {
		clean = escape.ReplaceAllString(clean, "")
	}
	if strings.ContainsAny(clean, "\r\x00") {
		clean = strings.NewReplacer("\r", "", "\x00", "").Replace(clean)
	}
	var out []string
	for l := range strings.Lines(clean) {
		if l = strings.TrimSuffix(l, "\n"); strings.TrimSpace(l) != "" {
			out = append(out, l)
		}
	}
	return out
}

// sameText reports whether two texts differ at most in blank space at the end.
func sameText(a, b []byte) bool {
	return bytes.Equal(a, b) || bytes.Equal(bytes.TrimRight(a, " \r\n"), bytes.TrimRight(b, " \r\n"))
}
