package ios_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/ios"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	iossim "github.com/cfgvault/cfgvault/plugins/simulate/ios"
)

// The driver holds to the contracts of package plugins whatever happens to the
// conversation.
func TestConformance(t *testing.T) {
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), ios.New(), fixtures, plugintest.Options{}); err != nil {
		t.Error(err)
	}
}

// A change has a way out, on a device that keeps files and timers.
func TestRestorerConformance(t *testing.T) {
	driver, ok := ios.New().(plugins.Restorer)
	if !ok {
		t.Fatal("ios does not restore")
	}
	spoil := func(old, fresh string) func([]plugins.Artefact) []plugins.Artefact {
		return func(have []plugins.Artefact) []plugins.Artefact {
			if !bytes.Contains(have[0].Data, []byte(old)) {
				t.Errorf("the sample has no %q", old)
			}
			a := have[0]
			a.Data = bytes.Replace(bytes.Clone(a.Data), []byte(old), []byte(fresh), 1)
			return []plugins.Artefact{a}
		}
	}
	err := plugintest.CheckRestorer(t.Context(), driver, plugintest.Restore{
		New:  func() plugintest.Device { return newRouter(t) },
		Want: spoil("hostname branch1\n", "hostname branch2\n"),
		Bad:  spoil("\nend\n", "\n"), // cut: what IOS rejects before it replaces anything
	}, plugintest.Options{})
	if err != nil {
		t.Error(err)
	}
}

// router is a simulated router whose clock the kit holds.
type router struct {
	*device.Device
	clock *device.ManualClock
}

func newRouter(t *testing.T) plugintest.Device {
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	d := iossim.New(device.Options{Config: iossim.Sample, Clock: clock}, iossim.Variant{})
	t.Cleanup(func() { d.Close() })
	return router{d, clock}
}

func (r router) Advance(d time.Duration) { r.clock.Advance(d) }
