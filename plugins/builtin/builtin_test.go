package builtin_test

import (
	"slices"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
)

func TestEveryDriverIsFoundByItsName(t *testing.T) {
	names := builtin.Names()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names are not sorted and unique: %v", names)
	}
	for _, name := range names {
		d, ok := builtin.Driver(name)
		if !ok || d.Info().Name != name {
			t.Errorf("driver %s is not found by its name", name)
		}
		if _, err := plugins.NewText(d.Info()); err != nil {
			t.Error(err)
		}
	}
	if _, ok := builtin.Driver("no-such"); ok {
		t.Error("a driver that does not exist was found")
	}
}
