package corpus

import (
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

// What the lenses yield of interfaces is what the devices said of themselves,
// and little of a configuration is not understood.
func TestLabs(t *testing.T) {
	t.Parallel()
	if Folder() == "" {
		return // nothing to measure
	}
	devices, err := Labs(Folder())
	if err != nil {
		t.Fatal(err)
	}
	scores, err := Measure(t.Context(), devices)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scores {
		bound, ok := Bound(s.Driver)
		if !ok {
			continue
		}
		if s.Precision() < 100 || s.Recall() < 100 {
			t.Errorf("%s: precision %.1f %%, recall %.1f %%, such as %q", s.Driver, s.Precision(), s.Recall(), s.Wrong[:min(len(s.Wrong), 10)])
		}
		if u := s.Share(plugins.Unparsed); u >= bound {
			t.Errorf("%s: %.1f %% of the significant lines are unparsed, the bound is %.0f", s.Driver, u, bound)
		}
		if b := s.Share(plugins.Boilerplate); b > MostBoilerplate {
			t.Errorf("%s: %.1f %% of the significant lines are boilerplate, the bound is %d", s.Driver, b, MostBoilerplate)
		}
	}
}
