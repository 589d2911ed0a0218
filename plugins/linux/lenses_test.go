package linux

import (
	"flag"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/lens/lenstest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	lenstest.Golden(t, *update, normalize, nil)
}
