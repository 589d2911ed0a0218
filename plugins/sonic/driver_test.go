package sonic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	sim "github.com/cfgvault/cfgvault/plugins/simulate/sonic"
	"github.com/cfgvault/cfgvault/plugins/simulate/unix"
)

const within = 5 * time.Minute

// bench is a simulated switch, its clock and the driver.
type bench struct {
	*testing.T
	dev   *device.Device
	m     *unix.Machine
	clock *device.ManualClock
	drv   driver
}

func newBench(t *testing.T, v sim.Variant) *bench {
	t.Helper()
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	d := sim.New(device.Options{Config: sim.Sample, Clock: clock}, v)
	m := sim.Machine(d)
	m.Write("/etc/sonic/frr/frr.conf", "hostname leaf7\nrouter bgp 65007\n neighbor 192.0.2.0 password canary-bgp\n")
	t.Cleanup(func() { d.Close() })
	return &bench{t, d, m, clock, driver{}}
}

func (b *bench) Session() plugins.Session { return b.dev.ExecSession() }
func (b *bench) Running() string          { return b.dev.Running() }
func (b *bench) Startup() string          { return b.dev.Startup() }
func (b *bench) Advance(d time.Duration) {
	b.m.Settle()
	b.clock.Advance(d)
	b.m.Settle()
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		var bad *plugins.RejectedError
		if errors.As(err, &bad) {
			b.Log(bad.Text)
		}
		b.Fatal(err)
	}
}

func (b *bench) export() *plugins.Export {
	b.Helper()
	x, err := b.drv.Export(b.Context(), b.Session())
	b.must(err)
	return x
}

func (b *bench) state(want plugins.State) {
	b.Helper()
	if got, _, err := b.drv.Status(b.Context(), b.Session(), "c1"); err != nil || got != want {
		b.Errorf("state %s (%v), want %s", got, err, want)
	}
}

func with(x []plugins.Artefact, old, fresh string) []plugins.Artefact {
	out := slices.Clone(x)
	out[0].Data = bytes.Replace(out[0].Data, []byte(old), []byte(fresh), 1)
	return out
}

func TestConformance(t *testing.T) {
	if *update {
		b := newBench(t, sim.Variant{})
		text, err := plugintest.Record(t.Context(), New(), b.Session(), "A leaf switch, recorded from the simulated device of plugins/simulate/sonic.", "sh: COMMAND: not found")
		b.must(err)
		text = bytes.Replace(text, []byte("-- facts --"), []byte("canary: canary-community\ncanary: canary-bgp\n-- facts --"), 1)
		text = bytes.ReplaceAll(text, []byte("-- run sh -c"), []byte("-- run[framed] sh -c"))
		b.must(os.WriteFile("testdata/export-leaf.txtar", text, 0o644))
	}
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), New(), fixtures, plugintest.Options{}); err != nil {
		t.Error(err)
	}
}

func TestRestorerConformance(t *testing.T) {
	err := plugintest.CheckRestorer(t.Context(), driver{}, plugintest.Restore{
		New:  func() plugintest.Device { return newBench(t, sim.Variant{}) },
		Want: func(have []plugins.Artefact) []plugins.Artefact { return with(have, `"leaf7"`, `"leaf8"`) },
		Bad: func(have []plugins.Artefact) []plugins.Artefact {
			return with(have, "{\n", "{\n    \"FROBNICATE\": {\"x\": {}},\n")
		},
	}, plugintest.Options{})
	if err != nil {
		t.Error(err)
	}
}

// TestRoundTrip: backup, factory reset, restore; what was there is there.
func TestRoundTrip(t *testing.T) {
	b := newBench(t, sim.Variant{})
	before := b.Running()
	x := b.export()
	if x.Verdict != plugins.Complete || x.FactoryDefault || string(x.Artefacts[0].Data) != before {
		t.Fatalf("%s %v, factory default %v", x.Verdict, x.Reasons, x.FactoryDefault)
	}
	b.must(b.drv.FactoryReset(t.Context(), b.Session(), "TH0000000001"))
	b.m.Write("/etc/sonic/frr/frr.conf", "hostname sonic\n")
	wiped := b.Running()
	if y := b.export(); !y.FactoryDefault || y.Verdict != plugins.Complete || wiped == before {
		t.Errorf("a wiped unit: %s %v, factory default %v", y.Verdict, y.Reasons, y.FactoryDefault)
	}
	diff, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts)
	b.must(err)
	if !strings.Contains(diff.Text, `+            "hostname": "leaf7"`) || !strings.Contains(diff.Text, "+router bgp 65007") || len(diff.Losses) > 0 || b.Running() != wiped {
		t.Errorf("%q %v", diff.Text, diff.Losses)
	}
	b.must(b.drv.Commit(t.Context(), b.Session(), "c1", within))
	b.state(plugins.StatePending)
	if b.Startup() != wiped || b.Running() != before {
		t.Error("the change is not pending")
	}
	b.must(b.drv.Confirm(t.Context(), b.Session(), "c1"))
	b.dev.Reload()
	b.Advance(2 * within)
	if b.Running() != before || !strings.Contains(b.m.Read("/etc/sonic/frr/frr.conf"), "router bgp 65007") {
		t.Errorf("got\n%s\nwant\n%s", b.Running(), before)
	}
	b.m.With(func(f *unix.Files) {
		if left := f.List("/etc/sonic/checkpoints"); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// TestHalfApplied: a replace that fails in the middle is undone at once.
func TestHalfApplied(t *testing.T) {
	b := newBench(t, sim.Variant{FailAfter: 1})
	before := b.Running()
	want := with(with(b.export().Artefacts, `"leaf7"`, `"leaf8"`), `"192.0.2.123": {}`, `"192.0.2.124": {}`)
	_, err := b.drv.Stage(t.Context(), b.Session(), "c1", want)
	b.must(err)
	if err := b.drv.Commit(t.Context(), b.Session(), "c1", within); !errors.Is(err, plugins.ErrRejected) {
		t.Errorf("a failed replace: %v", err)
	}
	if b.Running() != before {
		t.Error("a half-applied change stays")
	}
	b.state(plugins.StateRolledBack)
}

// TestReboot: a switch that reboots before the confirmation has its old
// configuration.
func TestReboot(t *testing.T) {
	b := newBench(t, sim.Variant{})
	before := b.Running()
	_, err := b.drv.Stage(t.Context(), b.Session(), "c1", with(b.export().Artefacts, `"leaf7"`, `"leaf8"`))
	b.must(err)
	b.must(b.drv.Commit(t.Context(), b.Session(), "c1", within))
	b.dev.Reload()
	b.m.Settle()
	b.state(plugins.StateRolledBack)
	if b.Running() != before {
		t.Error("the change survives a reboot")
	}
	if err := b.drv.Confirm(t.Context(), b.Session(), "c1"); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("a late confirm: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, sim.Variant{NoGCU: true})
	x := b.export()
	if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a release without config replace: %v", err)
	}
	b = newBench(t, sim.Variant{})
	for _, bad := range [][]plugins.Artefact{nil, {{Name: artRunning, Data: []byte("{")}}} {
		if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", bad); !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("no JSON: %v", err)
		}
	}
	if err := b.drv.FactoryReset(t.Context(), b.Session(), "another"); !errors.Is(err, plugins.ErrWrongUnit) {
		t.Errorf("reset of another unit: %v", err)
	}
	b.m.Write("/etc/sonic/config_db0.json", "{}")
	if x := b.export(); x.Verdict != plugins.Partial || x.Reasons[0].Code != "multi-asic" {
		t.Errorf("a multi-ASIC unit: %s %v", x.Verdict, x.Reasons)
	}
}

func TestAdapt(t *testing.T) {
	text := `{"DEVICE_METADATA":{"localhost":{"hostname":"a","mac":"02:00:00:00:00:01"}},"PORT":{"Ethernet0":{"lanes":"1","mtu":"9000"},"Ethernet4":{"lanes":"5"}},"VLAN_MEMBER":{"Vlan3|Ethernet0":{}},` +
		`"ACL_TABLE":{"x":{"ports":["Ethernet0","Ethernet4"],"text":"Ethernet0 here"}},"INTERFACE":{"Ethernet0|10.0.0.1/24":{}}}`
	in := []plugins.Artefact{{Name: artRunning, Role: plugins.RoleRunning, Data: []byte(text)}}
	out, losses, err := adapt(in, plugins.Facts{}, plugins.Facts{MACs: []string{"02:00:00:00:00:02"}}, plugins.InterfaceMap{"Ethernet0": "Ethernet4", "Ethernet4": "Ethernet0"})
	if err != nil || len(losses) != 1 {
		t.Fatal(err, losses)
	}
	want := `{"DEVICE_METADATA":{"localhost":{"hostname":"a","mac":"02:00:00:00:00:02"}},"PORT":{"Ethernet4":{"lanes":"5","mtu":"9000"},"Ethernet0":{"lanes":"1"}},"VLAN_MEMBER":{"Vlan3|Ethernet4":{}},` +
		`"ACL_TABLE":{"x":{"ports":["Ethernet4","Ethernet0"],"text":"Ethernet0 here"}},"INTERFACE":{"Ethernet4|10.0.0.1/24":{}}}`
	if got := string(out[0].Data); got != want || !json.Valid(out[0].Data) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, _, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"Ethernet0": "Ethernet4"}); err == nil {
		t.Error("two ports with one name pass")
	}
}

// bad changes what a driver says, in scripts that come in an archive too: both
// texts are of one length there.
type bad struct {
	plugins.Session
	old, fresh string
}

func (s bad) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	if s.old != "" {
		padded := s.fresh + strings.Repeat(" ", max(len(s.old)-len(s.fresh), 0))
		c.Text = strings.ReplaceAll(c.Text, s.old, s.fresh)
		c.Input = bytes.ReplaceAll(c.Input, []byte(s.old), []byte(padded))
	}
	return s.Session.Run(ctx, c)
}

// The mutation table: each row is a way to drive SONiC wrongly, and what the
// simulated switch makes of it.
func TestMutations(t *testing.T) {
	trial := func(t *testing.T, old, fresh string) (wrong []string) {
		ctx := t.Context()
		begin := func(v sim.Variant) (*bench, plugins.Session, []plugins.Artefact, string) {
			b := newBench(t, v)
			s := bad{b.Session(), old, fresh}
			have := b.export().Artefacts
			if x, err := b.drv.Export(ctx, s); err != nil || x.Verdict != plugins.Complete || !bytes.Equal(x.Artefacts[0].Data, have[0].Data) || len(x.Artefacts) != len(have) {
				wrong = append(wrong, "export: not what runs")
			}
			return b, s, with(with(have, `"leaf7"`, `"leaf8"`), `"192.0.2.123": {}`, `"192.0.2.124": {}`), b.Running()
		}
		b, s, want, before := begin(sim.Variant{})
		_, err := b.drv.Stage(ctx, s, "c1", want)
		if b.Running() != before {
			wrong = append(wrong, "stage: changed the device")
		}
		if err == nil {
			err = b.drv.Commit(ctx, s, "c1", within)
			if b.Startup() != before {
				wrong = append(wrong, "restore: saved before it was confirmed")
			}
			err = errors.Join(err, b.drv.Confirm(ctx, s, "c1"))
		}
		if err != nil {
			wrong = append(wrong, "restore: error")
		}
		b.Advance(2 * within)
		if !strings.Contains(b.Running(), "leaf8") || !strings.Contains(b.Running(), "192.0.2.124") {
			wrong = append(wrong, "restore: another configuration runs")
		}
		if b.dev.Reload(); !strings.Contains(b.Running(), "leaf8") {
			wrong = append(wrong, "restore: gone after a reboot")
		}
		b, s, want, before = begin(sim.Variant{})
		if _, err := b.drv.Stage(ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(ctx, s, "c1", within)
			if b.Advance(within); b.Running() != before {
				wrong = append(wrong, "death: the change survives")
			}
		}
		b, s, want, before = begin(sim.Variant{FailAfter: 1})
		if _, err := b.drv.Stage(ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(ctx, s, "c1", within)
			if b.Running() != before {
				wrong = append(wrong, "half applied: stays")
			}
		}
		b, s, want, _ = begin(sim.Variant{})
		if _, err := b.drv.Stage(ctx, s, "c1", with(want, "{\n", "{\n    \"FROBNICATE\": {\"x\": {}},\n")); err == nil {
			wrong = append(wrong, "unknown table: accepted")
		}
		b = newBench(t, sim.Variant{})
		_ = b.drv.FactoryReset(ctx, bad{b.Session(), old, fresh}, "TH0000000001")
		if strings.Contains(b.Running(), "leaf7") {
			wrong = append(wrong, "reset: not at factory default")
		}
		return wrong
	}
	if wrong := trial(t, "", ""); len(wrong) > 0 {
		t.Fatalf("a driver without bad habits: %q", wrong)
	}
	for _, r := range []struct{ wrong, old, fresh, caught string }{
		{"makes no checkpoint", "config checkpoint", "echo", "restore: error"},
		{"rolls back to nothing", `config rollback "$cp_name"`, `config rollback "x"`, "death: the change survives"},
		{"does not roll back", `config rollback "$cp_name" || exit 1`, ":", "death: the change survives"},
		{"saves with the change", "config replace \"$PWD/want.json\"\n", "config save -y\n", "restore: another configuration runs"},
		{"does not save", "config save -y || exit 1", ":", "restore: gone after a reboot"},
		{"saves and does not answer", "config save -y", "config save", "restore: error"},
		{"reloads in the place of a replace", `config replace "$PWD/want.json"`, "config reload -y", "restore: another configuration runs"},
		{"replaces when it should look", "config replace --dry-run", "config replace", "stage: changed the device"},
		{"does not look", `config replace --dry-run "$PWD/want.json" 2>&1`, ":", "unknown table: accepted"},
		{"sets a timer ten times too long", " commit 300 ", " commit 3000 ", "death: the change survives"},
		{"does not confirm", " confirm reboot ", " status ", "restore: another configuration runs"},
		{"reads the saved database", "sonic-cfggen -d --print-data | python3", "cat /etc/sonic/none.json | python3", "export: not what runs"},
		{"reads the keys as they come", "if printf", "if ! printf", "export: not what runs"},
		{"forgets routing", "/etc/sonic/frr/*.conf", "", "export: not what runs"},
		{"sets up and does not reboot", " && reboot", "", "reset: not at factory default"},
	} {
		t.Run(r.wrong, func(t *testing.T) {
			if wrong := trial(t, r.old, r.fresh); !slices.Contains(wrong, r.caught) {
				t.Errorf("nothing says %q; what was said: %q", r.caught, wrong)
			}
		})
	}
}
