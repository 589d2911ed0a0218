package vyos_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	vyossim "github.com/cfgvault/cfgvault/plugins/simulate/vyos"
	"github.com/cfgvault/cfgvault/plugins/vyos"
)

// The driver holds to the contracts of package plugins whatever happens to the
// conversation.
func TestConformance(t *testing.T) {
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), vyos.New(), fixtures, plugintest.Options{Cuts: 30, Huge: 2_000_000}); err != nil {
		t.Error(err)
	}
}

// router is a simulated unit whose clock the kit holds.
type router struct {
	*device.Device
	clock *device.ManualClock
}

func (r router) Advance(d time.Duration) { r.clock.Advance(d) }

// A change has a way out, whichever way the unit returns by itself.
func TestRestorerConformance(t *testing.T) {
	driver, ok := vyos.New().(plugins.Restorer)
	if !ok {
		t.Fatal("vyos does not restore")
	}
	spoil := func(old, fresh string) func([]plugins.Artefact) []plugins.Artefact {
		return func(have []plugins.Artefact) []plugins.Artefact {
			a := have[0]
			if !bytes.Contains(a.Data, []byte(old)) {
				t.Errorf("the sample has no %q", old)
			}
			a.Data = bytes.Replace(a.Data, []byte(old), []byte(fresh), 1)
			return []plugins.Artefact{a, have[1]}
		}
	}
	reload := bytes.Replace([]byte(vyossim.Sample), []byte("        commit-revisions 100\n"), []byte("        commit-confirm {\n            action reload\n        }\n        commit-revisions 100\n"), 1)
	for name, config := range map[string]string{"reboot": vyossim.Sample, "reload": string(reload)} {
		err := plugintest.CheckRestorer(t.Context(), driver, plugintest.Restore{
			New: func() plugintest.Device {
				clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
				d := vyossim.New(device.Options{Config: config, Clock: clock, Privileged: true}, vyossim.Variant{})
				t.Cleanup(func() { d.Close() })
				return router{d, clock}
			},
			Want: spoil("host-name edge1", "host-name edge2"),
			Bad:  spoil("host-name edge1", "frobnicate 3\n    host-name edge1"),
		}, plugintest.Options{})
		if err != nil {
			t.Errorf("action %s: %v", name, err)
		}
	}
}
