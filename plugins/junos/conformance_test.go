package junos_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/junos"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	junossim "github.com/cfgvault/cfgvault/plugins/simulate/junos"
)

// The driver holds to the contracts of package plugins whatever happens to the
// conversation.
func TestConformance(t *testing.T) {
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), junos.New(), fixtures, plugintest.Options{Cuts: 30, Huge: 2_000_000}); err != nil {
		t.Error(err)
	}
}

// router is a simulated unit whose clock the kit holds.
type router struct {
	*device.Device
	clock *device.ManualClock
}

func (r router) Advance(d time.Duration) { r.clock.Advance(d) }

// A change has a way out, on a unit that keeps commits and timers.
func TestRestorerConformance(t *testing.T) {
	driver, ok := junos.New().(plugins.Restorer)
	if !ok {
		t.Fatal("junos does not restore")
	}
	spoil := func(old, fresh string) func([]plugins.Artefact) []plugins.Artefact {
		return func(have []plugins.Artefact) []plugins.Artefact {
			a := have[0]
			if !bytes.Contains(a.Data, []byte(old)) {
				t.Errorf("the sample has no %q", old)
			}
			a.Data = bytes.Replace(a.Data, []byte(old), []byte(fresh), 1)
			return []plugins.Artefact{a}
		}
	}
	err := plugintest.CheckRestorer(t.Context(), driver, plugintest.Restore{
		New: func() plugintest.Device {
			clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
			d := junossim.New(device.Options{Config: junossim.Sample, Clock: clock, Privileged: true})
			t.Cleanup(func() { d.Close() })
			return router{d, clock}
		},
		Want: spoil("host-name edge1;", "host-name edge2;"),
		Bad:  spoil("host-name edge1;", "host-name edge1;\n    frobnicate;"),
	}, plugintest.Options{})
	if err != nil {
		t.Error(err)
	}
}
