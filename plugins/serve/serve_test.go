package serve_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/serve"
)

type nothing struct{ plugins.Driver }

func (nothing) Info() plugins.Info {
	return plugins.Info{Name: "acme", Version: "1.2.3", Platform: "Acme switches"}
}

// Started by hand, a plugin says on standard error what it is and what to do
// with it, and leaves standard output alone. What it does when the agent
// starts it is tested in plugins/host.
func TestMainByHand(t *testing.T) {
	t.Setenv("CFGVAULT_PLUGIN", "")
	read := func(f **os.File) func() string {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		old := *f
		*f = w
		return func() string {
			*f = old
			w.Close()
			out, err := io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			return string(out)
		}
	}
	stdout, stderr := read(&os.Stdout), read(&os.Stderr)
	status := serve.Main(nothing{})
	out, msg := stdout(), stderr()
	if status != 2 || out != "" {
		t.Errorf("status %d, printed %q", status, out)
	}
	for _, want := range []string{`"acme"`, "Acme switches, version 1.2.3", "cfgvault-plugin-acme", "cfgvault plugin trust acme"} {
		if !strings.Contains(msg, want) {
			t.Errorf("no %q in\n%s", want, msg)
		}
	}
}
