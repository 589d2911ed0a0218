package iosxr_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/iosxr"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	xrsim "github.com/cfgvault/cfgvault/plugins/simulate/iosxr"
)

// The driver holds to the contracts of package plugins whatever happens to the
// conversation.
func TestConformance(t *testing.T) {
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), iosxr.New(), fixtures, plugintest.Options{}); err != nil {
		t.Error(err)
	}
}

// A change has a way out, on a device that keeps files and timers.
func TestRestorerConformance(t *testing.T) {
	driver, ok := iosxr.New().(plugins.Restorer)
	if !ok {
		t.Fatal("iosxr does not restore")
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
		Want: spoil("hostname pe1\n", "hostname pe2\n"),
		Bad:  spoil("\ndomain name ", "\nfrobnicate 3\ndomain name "),
	}, plugintest.Options{})
	if err != nil {
		t.Error(err)
	}
}

// pe is a simulated router whose clock the kit holds.
type pe struct {
	*device.Device
	clock *device.ManualClock
}

func newRouter(t *testing.T) plugintest.Device {
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	d := xrsim.New(device.Options{Config: xrsim.Sample, Clock: clock})
	t.Cleanup(func() { d.Close() })
	return pe{d, clock}
}

func (r pe) Advance(d time.Duration) { r.clock.Advance(d) }
