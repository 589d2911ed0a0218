package linux_test

import (
	"os"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/linux"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

// The driver holds to the contracts of package plugins whatever happens to the
// conversation.
func TestConformance(t *testing.T) {
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), linux.New(), fixtures, plugintest.Options{}); err != nil {
		t.Error(err)
	}
}
