package profile

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// sample is a small text by which a profile shows that it does what it says:
// what of it is hidden, what is stripped, what is read from it.
type sample struct {
	line     int
	identify string            // output of the identify command that the facts are in; or
	artefact string            // the artefact that text is
	text     string            //
	facts    map[string]string //
	hidden   []string          // texts that must not be shown
	shown    []string          // texts that must be
	volatile []string          // texts that must not be significant
}

func (l *loader) sample(n node, p *Profile) {
	s := sample{line: n.line, facts: map[string]string{}}
	l.fields(n, "a sample", map[string]func(node){
		"identify": l.text(&s.identify), "artefact": l.text(&s.artefact), "text": l.text(&s.text),
		"hidden": l.texts(&s.hidden), "shown": l.texts(&s.shown), "volatile": l.texts(&s.volatile),
		"facts": func(n node) {
			for _, e := range n.keys {
				s.facts[e.key] = e.value.text
			}
		},
	})
	if (s.identify == "") == (s.artefact == "") {
		l.fail(n.line, "a sample is of identify or of an artefact")
	}
	p.samples = append(p.samples, s)
}

// Check runs the profile over its own samples: facts are read, secrets hidden,
// volatile lines stripped, and a text that is cut anywhere is not whole unless
// only its second reading could tell. The error says what is not so, for all
// samples.
func (p *Profile) Check() error {
	var bad []string
	fail := func(s sample, format string, args ...any) {
		bad = append(bad, fmt.Sprintf("sample on line %d: %s", s.line, fmt.Sprintf(format, args...)))
	}
	identified, main := false, false
	for _, s := range p.samples {
		if s.identify != "" {
			identified = true
			p.checkFacts(s, fail)
			continue
		}
		at := -1
		for i, a := range p.info.Artefacts {
			if a.Name == s.artefact {
				at = i
				main = main || a.Required
			}
		}
		if at < 0 {
			fail(s, "there is no artefact %q", s.artefact)
			continue
		}
		p.checkText(s, at, fail)
	}
	if !identified {
		bad = append(bad, "no sample of identify")
	}
	if !main {
		bad = append(bad, "no sample of a required artefact")
	}
	if len(bad) > 0 {
		return fmt.Errorf("profile %s: %s", p.info.Name, strings.Join(bad, "\n"))
	}
	return nil
}

func (p *Profile) checkFacts(s sample, fail func(sample, string, ...any)) {
	f := plugins.Facts{}
	if !p.is.MatchString(s.identify) {
		fail(s, "it is not recognised as %s", p.info.Platform)
	}
	for _, id := range p.identify {
		id.read(s.identify, &f)
	}
	got := map[string]string{"model": f.Model, "version": f.OSVersion, "hostname": f.Hostname,
		"serial": strings.Join(f.Serials, " "), "mac": strings.Join(f.MACs, " ")}
	for k, want := range s.facts {
		if got[k] != want {
			fail(s, "%s is read as %q, want %q", k, got[k], want)
		}
	}
}

func (p *Profile) checkText(s sample, at int, fail func(sample, string, ...any)) {
	shown := p.text.Redact(s.artefact, s.text)
	for _, h := range s.hidden {
		if !strings.Contains(s.text, h) {
			fail(s, "%q is not in it", h)
		}
		if strings.Contains(shown, h) {
			fail(s, "%q is shown", h)
		}
		// A diff puts a sign before each line.
		if strings.Contains(p.text.Redact("", "+"+strings.ReplaceAll(s.text, "\n", "\n+")), h) {
			fail(s, "%q is shown in a diff", h)
		}
	}
	for _, h := range s.shown {
		if !strings.Contains(shown, h) {
			fail(s, "%q is not shown", h)
		}
	}
	significant := string(p.text.Significant(s.artefact, []byte(s.text)))
	for _, v := range s.volatile {
		if !strings.Contains(s.text, v) {
			fail(s, "%q is not in it", v)
		}
		if strings.Contains(significant, v) {
			fail(s, "%q is not volatile", v)
		}
	}
	if why := p.incomplete(at, []byte(s.text)); why != "" {
		fail(s, "%s %s", s.artefact, why)
	}
	if p.refused([]byte(s.text)) {
		fail(s, "it counts as a refusal")
	}
	r := p.rules[at]
	if r.twice {
		return // nothing in the text alone tells its end
	}
	whole := bytes.TrimRight([]byte(s.text), " \t\r\n")
	last := bytes.LastIndexByte(whole, '\n') + 1
	for n := range last {
		if p.incomplete(at, whole[:n]) == "" {
			fail(s, "cut after %d bytes it counts as whole", n)
			return
		}
	}
}
