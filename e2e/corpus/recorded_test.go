package corpus

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
)

// Recordings of platforms whose drivers ask by scripts of their own, which
// nobody recorded: what the device printed as its configuration is understood
// lawfully, and shows no secret.
func TestRecordedConfigurations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ files, driver, command string }{
		{"dialogues/routeros#*simulation.yaml", "routeros", "/export show-sensitive\n"},
		{"dialogues/vyos#*simulation.yaml", "vyos", "show configuration commands | no-more\n"},
		{"dialogues/cumulus#VX*_frr*simulation.yaml", "frr", "cat /etc/frr/frr.conf\n"},
	} {
		for _, path := range files(t, c.files) {
			t.Run(filepath.Base(path), func(t *testing.T) {
				t.Parallel()
				d, err := ReadDialogue(path)
				if err != nil {
					t.Fatal(err)
				}
				drv, ok := builtin.Driver(c.driver)
				if !ok {
					t.Fatalf("no driver %s", c.driver)
				}
				text := configuration(d, c.command)
				if strings.Count(text, "\n") < 3 {
					t.Fatalf("the recording has no configuration: %q", text)
				}
				a := plugins.Artefact{Name: running(drv), Role: plugins.RoleRunning, Data: []byte(text)}
				trial := Trial{Score: Score{Driver: c.driver, Lines: map[plugins.Class]int{}}}
				trial.add(t.Context(), drv, filepath.Base(path), a)
				for _, b := range trial.Broken {
					t.Error(b)
				}
				if trial.Lines[plugins.Mapped]+trial.Lines[plugins.Boilerplate] == 0 {
					t.Error("nothing of it is understood")
				}
				shown, err := plugins.NewText(drv.Info())
				if err != nil {
					t.Fatal(err)
				}
				hidden(t, strings.TrimSuffix(strings.TrimSuffix(path, "custom_simulation.yaml"), "simulation.yaml")+"secret.yaml", shown.Redact(a.Name, text))
			})
		}
	}
}

// drawn is what a terminal does not show of what was recorded.
var drawn = regexp.MustCompile("\r|\x1b\\[[0-9;?]*[A-Za-z]|\x1b[=>]")

// configuration is what the device answered to a command, without the echo and
// the prompt.
func configuration(d *Dialogue, command string) string {
	for _, s := range d.Steps {
		if s.Typed != command {
			continue
		}
		text := drawn.ReplaceAllString(s.Answer, "")
		text = strings.TrimPrefix(text, command)
		if i := strings.LastIndexByte(text, '\n'); !strings.HasSuffix(text, "\n") && strings.ContainsAny(text[i+1:], "$#>") {
			text = text[:i+1]
		}
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return text
	}
	return ""
}
