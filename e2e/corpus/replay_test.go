package corpus

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
)

// recorded says what a recording of a platform is good for.
type recorded struct {
	driver string
	// filtered are lines that the tool of the recording leaves out, beside the
	// last one.
	filtered string
	// unidentified matches recordings without the commands by which we identify.
	unidentified string
	// broken says why the recording cannot be complete: the export must not be
	// taken for it.
	broken  string
	refusal string
	// prompt is that of a recording that was made without prompts.
	prompt string
	// unproved is the only reason for which the export may be partial: what
	// would have proved it was not recorded.
	unproved string
}

// platforms maps the recordings to drivers and profiles.
func platforms() map[string]recorded {
	return map[string]recorded{
		"aosw":         {driver: "aos-w"},
		"arubainstant": {driver: "aruba-instant"},
		"cumulus":      {driver: "cumulus-nvue"},
		"efos":         {driver: "efos", unidentified: "."},
		"firelinuxos":  {driver: "cisco-ftd"},
		"fortigate":    {driver: "fortios"},
		"fsos":         {driver: "fs-fsos"},
		"h3c":          {driver: "comware", broken: "a few lines of a configuration, without its end"},
		"opnsense":     {driver: "opnsense", unidentified: "."},
		"pfsense":      {driver: "pfsense", filtered: `^</?revision>$|^<(?:description|username)><!\[CDATA\[admin@`},
		"saos10":       {driver: "ciena-saos10"},
		"smartbyte":    {driver: "smartbyte-stc"},
		"tnsr":         {driver: "netgate-tnsr", unidentified: "24.10|25.02"},
		"vsololt":      {driver: "vsol-olt", broken: "log lines overwrite the text while the pager waits"},
		"eos":          {driver: "eos", unidentified: ".", refusal: "% Invalid input"},
		"ios":          {driver: "ios", refusal: "% Invalid input detected at '^' marker."},
		"junos":        {driver: "junos", refusal: "unknown command.", prompt: "oxidized> ", unproved: "end-unproved", filtered: "^## Last commit"},
		"nxos":         {driver: "nxos", unidentified: "dummy", broken: "the count of the lines was not recorded, which proves that none is missing"},
	}
}

// files returns the corpus' files of a pattern. Without a corpus there are
// none, and nothing is tested; with one there must be some.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	if Folder() == "" {
		return nil
	}
	found, err := filepath.Glob(filepath.Join(Folder(), pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: nothing in the corpus (%v)", pattern, err)
	}
	return found
}

// Recorded dialogues of a platform that we speak replay to a complete export
// whose significant lines are those that a person kept, and in which nothing
// that is secret is shown.
func TestDialogues(t *testing.T) {
	t.Parallel()
	replayed := map[string]bool{}
	for _, path := range files(t, "dialogues/*simulation.yaml") {
		name := strings.SplitN(filepath.Base(path), "#", 2)[0]
		p, ok := platforms()[name]
		if !ok || strings.Contains(path, "VX_5.4.0_frr") { // files of Linux, not NVUE
			continue
		}
		replayed[name] = true
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			replay(t, path, p)
		})
	}
	for name := range platforms() {
		if Folder() != "" && !replayed[name] {
			t.Errorf("no recording of %s", name)
		}
	}
}

func replay(t *testing.T, path string, p recorded) {
	d, err := ReadDialogue(path)
	if err != nil {
		t.Fatal(err)
	}
	if p.prompt != "" {
		d.Prompted(p.prompt)
	}
	srv, err := Serve(d, p.refusal)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	drv, ok := builtin.Driver(p.driver)
	if !ok {
		t.Fatalf("no driver %s", p.driver)
	}
	patience := time.Minute
	if p.broken != "" {
		patience = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := session.Dial(ctx, session.Target{
		Device: "replayed", Host: "127.0.0.1", Port: srv.Port(), User: "oxidized", HostKeys: []string{srv.HostKey()},
		Auth: []session.Auth{session.Password{Secret: secret.New("x")}}, Enable: secret.New("x"),
	}, drv.Info())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if p.unidentified == "" || !regexp.MustCompile(p.unidentified).MatchString(filepath.Base(path)) {
		f, err := drv.Identify(ctx, s)
		if err != nil || f.OSVersion == "" {
			t.Errorf("identify: %+v %v", f, err)
		}
	}
	e, err := drv.Export(ctx, s)
	if p.broken != "" {
		if err == nil && e.Verdict == plugins.Complete {
			t.Errorf("complete in spite of this: %s", p.broken)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if p.unproved != "" {
		if e.Verdict != plugins.Partial || len(e.Reasons) != 1 || e.Reasons[0].Code != p.unproved {
			t.Errorf("%s: %+v", e.Verdict, e.Reasons)
		}
	} else if e.Verdict != plugins.Complete {
		t.Errorf("%s: %+v", e.Verdict, e.Reasons)
	}
	text, err := plugins.NewText(drv.Info())
	if err != nil {
		t.Fatal(err)
	}
	shown := ""
	for _, a := range e.Artefacts {
		shown += text.Redact(a.Name, string(a.Data))
	}
	base := strings.TrimSuffix(strings.TrimSuffix(path, "custom_simulation.yaml"), "simulation.yaml")
	hidden(t, base+"secret.yaml", shown)
	kept := d.Kept
	for _, f := range []string{base + "output.txt", base + "custom_output.txt"} {
		if b, err := os.ReadFile(f); err == nil {
			kept = string(b)
		}
	}
	compare(t, text, e.Artefacts[0], kept, p)
}

// hidden holds what is shown against a list of secrets.
func hidden(t *testing.T, list, shown string) {
	b, err := os.ReadFile(list)
	if err != nil {
		return // nobody wrote one
	}
	var rules struct{ Fail []string }
	if err := yaml.Unmarshal(b, &rules); err != nil {
		t.Fatal(err)
	}
	for i, f := range rules.Fail {
		if strings.Contains(shown, f) {
			t.Errorf("secret %d of %s is shown", i+1, filepath.Base(list))
		}
	}
}

var blanks = regexp.MustCompile(`\s+`)

// compare wants every significant line of the artefact in what was kept.
func compare(t *testing.T, text *plugins.Text, a plugins.Artefact, kept string, p recorded) {
	have := map[string]bool{}
	for line := range strings.Lines(kept) {
		have[blanks.ReplaceAllString(line, " ")] = true
		have[strings.TrimSpace(line)] = true
	}
	filtered := regexp.MustCompile(p.filtered)
	var missing []string
	n := 0
	whole := strings.TrimSpace(string(text.Significant(a.Name, a.Data)))
	for line := range strings.Lines(whole[:strings.LastIndexByte(whole, '\n')+1]) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		n++
		if !have[line] && (p.filtered == "" || !filtered.MatchString(line)) {
			missing = append(missing, line)
		}
	}
	if n < 3 {
		t.Errorf("only %d significant lines", n)
	}
	if len(missing) > 0 {
		t.Errorf("%d of %d significant lines are not in what was kept, such as\n%s", len(missing), n, strings.Join(missing[:min(len(missing), 12)], "\n"))
	}
}

// What a platform is recorded to show as a prompt is taken for one.
func TestPrompts(t *testing.T) {
	t.Parallel()
	known := map[string]string{"aos7": "alcatel-aos7", "asyncos": "cisco-asyncos", "mtrlrfs": "extreme-wing"}
	for name, p := range platforms() {
		known[name] = p.driver
	}
	for _, path := range files(t, "dialogues/*prompt.yaml") {
		name := strings.SplitN(filepath.Base(path), "#", 2)[0]
		drv, ok := builtin.Driver(known[name])
		if !ok {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var rules struct{ Pass, Fail []string }
		if err := yaml.Unmarshal(b, &rules); err != nil {
			t.Fatal(err)
		}
		sh := drv.Info().Shell
		match := func(line string) bool {
			return slices.ContainsFunc([]string{sh.Prompt, sh.ModePrompt}, func(p string) bool {
				re := regexp.MustCompile(p)
				return p != "" && (re.MatchString(line) || re.MatchString(strings.TrimSpace(line)))
			})
		}
		for _, line := range rules.Pass {
			if shown := fmt.Sprintf("%q", line); !match(lastShown(line)) {
				t.Errorf("%s: %s is no prompt to %s", name, shown, drv.Info().Name)
			}
		}
		for _, line := range rules.Fail {
			if match(line) {
				t.Errorf("%s: %q is a prompt to %s", name, line, drv.Info().Name)
			}
		}
	}
}

// lastShown is what a terminal shows of a prompt that was drawn over another.
func lastShown(s string) string { return s[strings.LastIndexAny(s, "\r\b")+1:] }
