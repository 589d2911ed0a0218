package nxos_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/nxos"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	nxossim "github.com/cfgvault/cfgvault/plugins/simulate/nxos"
)

// The driver holds to the contracts of package plugins whatever happens to the
// conversation.
func TestConformance(t *testing.T) {
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), nxos.New(), fixtures, plugintest.Options{}); err != nil {
		t.Error(err)
	}
}

// A change has a way out, on a device that keeps files and timers.
func TestRestorerConformance(t *testing.T) {
	driver, ok := nxos.New().(plugins.Restorer)
	if !ok {
		t.Fatal("nxos does not restore")
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
		New:  func() plugintest.Device { return newSwitch(t) },
		Want: spoil("hostname leaf1\n", "hostname leaf2\n"),
		Bad:  spoil("\nversion 9.3(8)", "\nversion 9.2(1)"), // what NX-OS rejects before it replaces anything
	}, plugintest.Options{})
	if err != nil {
		t.Error(err)
	}
}

// leaf is a simulated switch whose clock the kit holds.
type leaf struct {
	*device.Device
	clock *device.ManualClock
}

func newSwitch(t *testing.T) plugintest.Device {
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	d := nxossim.New(device.Options{Config: nxossim.Sample, Clock: clock})
	t.Cleanup(func() { d.Close() })
	return leaf{d, clock}
}

func (r leaf) Advance(d time.Duration) { r.clock.Advance(d) }
