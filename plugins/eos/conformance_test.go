package eos_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/eos"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	eossim "github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

// The driver holds to the contracts of package plugins whatever happens to the
// conversation.
func TestConformance(t *testing.T) {
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), eos.New(), fixtures, plugintest.Options{}); err != nil {
		t.Error(err)
	}
}

// A change has a way out, on a switch that keeps sessions and timers.
func TestRestorerConformance(t *testing.T) {
	driver, ok := eos.New().(plugins.Restorer)
	if !ok {
		t.Fatal("eos does not restore")
	}
	spoil := func(old, fresh string) func([]plugins.Artefact) []plugins.Artefact {
		return func(have []plugins.Artefact) []plugins.Artefact {
			out := bytes.Clone(have[0].Data)
			if !bytes.Contains(out, []byte(old)) {
				t.Errorf("the sample has no %q", old)
			}
			a := have[0]
			a.Data = bytes.Replace(out, []byte(old), []byte(fresh), 1)
			return []plugins.Artefact{a}
		}
	}
	for _, expired := range []eossim.Expired{eossim.ExpiredAborted, eossim.ExpiredGone} {
		err := plugintest.CheckRestorer(t.Context(), driver, plugintest.Restore{
			New:  func() plugintest.Device { return newSwitch(t, expired) },
			Want: spoil("hostname leaf1\n", "hostname leaf2\n"),
			Bad:  spoil("hostname leaf1\n", "hostname leaf1\nfrobnicate the fabric\n"),
		}, plugintest.Options{})
		if err != nil {
			t.Errorf("a session whose timer ran out is listed as %q: %v", expired, err)
		}
	}
}

// leaf is a simulated switch whose clock the kit holds.
type leaf struct {
	*device.Device
	clock *device.ManualClock
}

func newSwitch(t *testing.T, expired eossim.Expired) plugintest.Device {
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	d := eossim.New(device.Options{Config: eossim.Sample, Clock: clock}, eossim.Variant{Expired: expired})
	t.Cleanup(func() { d.Close() })
	return leaf{d, clock}
}

func (l leaf) Advance(d time.Duration) { l.clock.Advance(d) }
