package profile

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

// Every built-in profile loads and does to its own samples what it says:
// facts are read, secrets hidden, volatile lines stripped, no cut text whole.
func TestBuiltin(t *testing.T) {
	for _, name := range Names() {
		p, err := Open(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if i := p.Info(); i.Name != name || len(i.Capabilities) > 0 || !strings.Contains(strings.Join(i.Notes, "\n"), "Source: ") {
			t.Errorf("%s: %+v", name, i)
		}
		if _, err := plugins.NewText(p.Info()); err != nil {
			t.Error(err)
		}
	}
}
