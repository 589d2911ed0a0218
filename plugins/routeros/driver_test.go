package routeros

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	sim "github.com/cfgvault/cfgvault/plugins/simulate/routeros"
)

const within = 5 * time.Minute

// bench is a simulated router, its clock and the driver.
type bench struct {
	*testing.T
	dev   *device.Device
	clock *device.ManualClock
	drv   driver
}

func newBench(t *testing.T, o device.Options, v sim.Variant) *bench {
	t.Helper()
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	o.Clock = clock
	if o.Config == "" {
		o.Config = sim.Sample
	}
	d := sim.New(o, v)
	t.Cleanup(func() { d.Close() })
	return &bench{t, d, clock, driver{passes(clock)}}
}

// passes lets the time that the driver waits pass on the device's clock.
func passes(clock *device.ManualClock) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		clock.Advance(d)
		return ctx.Err()
	}
}

// commit commits and connects anew until the device answers.
func (b *bench) commit(s plugins.Session, changeID string) error {
	err := b.drv.Commit(b.Context(), s, changeID, within)
	for range 50 {
		if !errors.Is(err, plugins.ErrSessionLost) {
			break
		}
		b.Advance(poll)
		_, _, err = b.drv.Status(b.Context(), s, changeID)
	}
	return err
}

func (b *bench) Session() plugins.Session { return b.dev.ExecSession() }
func (b *bench) Running() string          { return significant(withoutTimer(b.dev.Running())) }
func (b *bench) Startup() string          { return significant(withoutTimer(b.dev.Startup())) }
func (b *bench) Advance(d time.Duration)  { b.clock.Advance(d) }

func (b *bench) export() *plugins.Export {
	b.Helper()
	x, err := b.drv.Export(b.Context(), b.Session())
	b.must(err)
	return x
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) state(want plugins.State) time.Duration {
	b.Helper()
	got, left, err := b.drv.Status(b.Context(), b.Session(), "c1")
	if err != nil || got != want {
		b.Errorf("state %s (%v), want %s", got, err, want)
	}
	return left
}

func with(x []plugins.Artefact, old, fresh string) []plugins.Artefact {
	out := slices.Clone(x)
	out[0].Data = bytes.Replace(out[0].Data, []byte(old), []byte(fresh), 1)
	return out
}

func TestConformance(t *testing.T) {
	if *update {
		for name, b := range map[string]*bench{
			"office": newBench(t, device.Options{}, sim.Variant{}), "v6": newBench(t, device.Options{Version: "6.49.17", NoSerial: true}, sim.Variant{NoBoard: true}),
		} {
			text, err := plugintest.Record(t.Context(), New(), b.Session(), "A router, recorded from the simulated device of plugins/simulate/routeros.", "bad command name COMMAND (line 1 column 1)")
			b.must(err)
			text = bytes.Replace(text, []byte("-- facts --"), []byte("canary: canary \\\"quoted\\\" secret\n-- facts --"), 1)
			b.must(os.WriteFile("testdata/export-"+name+".txtar", text, 0o644))
		}
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
	for _, v := range []sim.Variant{{}, {Flash: true}} {
		var now *bench
		drv := driver{func(ctx context.Context, d time.Duration) error { return now.drv.pause(ctx, d) }}
		err := plugintest.CheckRestorer(t.Context(), drv, plugintest.Restore{
			New:  func() plugintest.Device { now = newBench(t, device.Options{}, v); return now },
			Want: func(have []plugins.Artefact) []plugins.Artefact { return with(have, "name=office1", "name=office2") },
			Bad: func(have []plugins.Artefact) []plugins.Artefact {
				return with(have, "/system identity\nset", "/system identity\nfrobnicate")
			},
		}, plugintest.Options{})
		if err != nil {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

// TestRoundTrip: backup, factory reset, restore; what was there is there.
func TestRoundTrip(t *testing.T) {
	for _, o := range []device.Options{{}, {Version: "6.49.17"}} {
		b := newBench(t, o, sim.Variant{Flash: true})
		before := b.Running()
		x := b.export()
		if x.Verdict != plugins.Complete || x.FactoryDefault || significant(string(x.Artefacts[0].Data)) != before {
			t.Fatalf("%s %v, factory default %v", x.Verdict, x.Reasons, x.FactoryDefault)
		}
		b.must(b.drv.FactoryReset(t.Context(), b.Session(), "HC000000001"))
		wiped := b.Running()
		if y := b.export(); !y.FactoryDefault || y.Verdict != plugins.Complete || wiped == before {
			t.Errorf("a wiped unit: %s %v, factory default %v", y.Verdict, y.Reasons, y.FactoryDefault)
		}
		diff, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts)
		b.must(err)
		if !strings.Contains(diff.Text, "+set name=office1") || b.Running() != wiped {
			t.Errorf("%q %v", diff.Text, diff.Losses)
		}
		b.must(b.commit(b.Session(), "c1"))
		if left := b.state(plugins.StatePending); left != within {
			t.Errorf("%s left", left)
		}
		if got := significant(string(b.export().Artefacts[0].Data)); got != before {
			t.Errorf("an export while the timer runs:\n%s\nwant\n%s", got, before)
		}
		b.must(b.drv.Confirm(t.Context(), b.Session(), "c1"))
		b.dev.Reload()
		b.Advance(2 * within)
		if b.Running() != before || strings.Contains(b.dev.Running(), "cfgvault") {
			t.Errorf("got\n%s\nwant\n%s", b.dev.Running(), before)
		}
		b.state(plugins.StateConfirmed)
	}
}

// TestFailedImport: what the device refuses while the export runs is undone by
// the timer, and never confirmed.
func TestFailedImport(t *testing.T) {
	for _, o := range []device.Options{{}, {Version: "6.49.17"}} {
		b := newBench(t, o, sim.Variant{})
		before := b.Running()
		want := with(b.export().Artefacts, "add interface=wan\n", "add interface=no-such\n")
		_, err := b.drv.Stage(t.Context(), b.Session(), "c1", want)
		b.must(err)
		b.must(b.commit(b.Session(), "c1"))
		b.state(plugins.StatePending)
		if err := b.drv.Confirm(t.Context(), b.Session(), "c1"); !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("a half-applied change is confirmed: %v", err)
		}
		if b.Advance(within); b.Running() != before {
			t.Error("a half-applied change stays")
		}
		b.state(plugins.StateRolledBack)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, device.Options{}, sim.Variant{DeviceMode: true})
	x := b.export()
	if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts); !errors.Is(err, plugins.ErrNotPermitted) {
		t.Errorf("a device that takes no scheduler: %v", err)
	}
	b = newBench(t, device.Options{}, sim.Variant{})
	x = b.export()
	_, err := b.drv.Stage(t.Context(), b.Session(), "c0", with(x.Artefacts, "office1", "office2"))
	b.must(err)
	b.must(b.commit(b.Session(), "c0"))
	if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("while another change is pending: %v", err)
	}
	if err := b.drv.FactoryReset(t.Context(), b.Session(), "another"); !errors.Is(err, plugins.ErrWrongUnit) {
		t.Errorf("reset of another unit: %v", err)
	}
	if _, err := b.drv.Stage(t.Context(), b.Session(), "c2", []plugins.Artefact{{Name: artExport, Role: plugins.RoleRunning, Data: []byte("/ip address\nadd address=1.2.3.4/8 \\")}}); !errors.Is(err, plugins.ErrRejected) {
		t.Errorf("a cut export: %v", err)
	}
}

// TestTruncation cuts an export at every byte, also where the connection gave
// no sign.
func TestTruncation(t *testing.T) {
	b := newBench(t, device.Options{}, sim.Variant{})
	out, err := b.Session().Run(t.Context(), plugins.Command{Text: exportScript("7.18.2")})
	b.must(err)
	for n := range len(out.Stdout) {
		p, whole := sections(string(out.Stdout[:n]))
		if x := judge(p, whole); x.Verdict == plugins.Complete {
			t.Fatalf("cut after %d of %d bytes, and complete", n, len(out.Stdout))
		}
	}
	for code, spoil := range map[string]func(string) string{
		"section-missing": func(s string) string { return s + "#error exporting \"/interface/wifi\" (timeout)\n" },
		"cut":             func(s string) string { return s + "#interrupted\n" },
		"no-header":       func(s string) string { return significant(s) },
	} {
		p, _ := sections(string(out.Stdout))
		p["first"] = spoil(p["first"])
		p["second"] = p["first"]
		if x := judge(p, true); !slices.ContainsFunc(x.Reasons, func(r plugins.Reason) bool { return r.Code == code }) {
			t.Errorf("%s: %v", code, x.Reasons)
		}
	}
}

func TestAdapt(t *testing.T) {
	in := []plugins.Artefact{{Name: artExport, Role: plugins.RoleRunning, Data: []byte("/interface bridge\nadd admin-mac=02:00:00:00:00:01 auto-mac=no name=bridge1\n/interface ethernet\nset [ find default-name=ether1 ] mac-address=\\\n    02:00:00:00:00:02 name=wan\n" +
		"/ip address\nadd address=1.2.3.4/8 comment=ether2 interface=ether2\n/interface bridge vlan\nadd bridge=bridge1 tagged=bridge1,ether2,sfp1 vlan-ids=3\n/ip firewall filter\nadd in-interface=!ether2 chain=x\n/ip route\nadd gateway=10.0.0.1%ether2\n")}}
	out, losses, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"ether1": "sfp1", "sfp1": "sfp2", "ether2": "ether3", "bridge1": "br office"})
	if err != nil {
		t.Fatal(err)
	}
	want := "/interface bridge\nadd name=\"br office\"\n/interface ethernet\nset [ find default-name=sfp1 ] name=wan\n" +
		"/ip address\nadd address=1.2.3.4/8 comment=ether2 interface=ether3\n/interface bridge vlan\nadd bridge=\"br office\" tagged=\"br office,ether3,sfp2\" vlan-ids=3\n/ip firewall filter\nadd in-interface=!ether3 chain=x\n/ip route\nadd gateway=10.0.0.1%ether3\n"
	if got := string(out[0].Data); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var lines []string
	for _, l := range losses {
		lines = append(lines, fmt.Sprint(l.Line))
	}
	if strings.Join(lines, " ") != "2 2 5" {
		t.Errorf("losses %v", losses)
	}
	if _, _, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"ether2": "bridge1"}); err == nil {
		t.Error("two interfaces with one name pass")
	}
}

// bad changes what a driver says, or hears.
type bad struct {
	plugins.Session
	say  func(string) string
	hear func(cmd, out string) string
}

func (s bad) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	said := c.Text
	if s.say != nil {
		c.Text = s.say(c.Text)
	}
	o, err := s.Session.Run(ctx, c)
	if s.hear != nil {
		o.Stdout = []byte(s.hear(said, string(o.Stdout)))
	}
	return o, err
}

// The mutation table: each row is a way to drive RouterOS wrongly, and what the
// simulated device makes of it.
func TestMutations(t *testing.T) {
	swap := func(old, fresh string) func(string) string {
		return func(s string) string { return strings.ReplaceAll(s, old, fresh) }
	}
	trial := func(t *testing.T, say func(string) string, hear func(string, string) string) (wrong []string) {
		ctx := t.Context()
		begin := func() (*bench, plugins.Session, []plugins.Artefact, string) {
			b := newBench(t, device.Options{}, sim.Variant{Flash: true})
			want := b.export().Artefacts
			s := bad{b.Session(), say, hear}
			x, err := b.drv.Export(ctx, s)
			if err != nil || x.Verdict != plugins.Complete || !bytes.Equal(x.Artefacts[0].Data, want[0].Data) {
				wrong = append(wrong, "export: not what runs")
			}
			return b, s, with(want, "name=office1", "name=office2"), b.Running()
		}
		b, s, want, before := begin()
		_, err := b.drv.Stage(ctx, s, "c1", want)
		if b.Running() != before {
			wrong = append(wrong, "stage: changed the device")
		}
		if err == nil {
			err = errors.Join(b.commit(s, "c1"), b.drv.Confirm(ctx, s, "c1"))
		}
		if err != nil {
			wrong = append(wrong, "restore: error")
		}
		b.Advance(2 * within)
		if b.Running() != strings.Replace(before, "office1", "office2", 1) {
			wrong = append(wrong, "restore: another configuration runs")
		}
		b, s, want, before = begin()
		if _, err := b.drv.Stage(ctx, s, "c1", want); err == nil {
			_ = b.commit(s, "c1")
			if b.Advance(within); b.Running() != before {
				wrong = append(wrong, "death: the change survives")
			}
		}
		b, s, want, before = begin()
		if _, err := b.drv.Stage(ctx, s, "c1", want); err == nil {
			_ = b.commit(s, "c1")
			b.dev.Reload()
			if b.Advance(within); b.Running() != before {
				wrong = append(wrong, "reboot: the change survives")
			}
		}
		b, s, want, before = begin()
		if _, err := b.drv.Stage(ctx, s, "c1", want); err == nil {
			_ = b.commit(s, "c1")
			_ = b.drv.Discard(ctx, s, "c1")
			if b.Running() != before {
				wrong = append(wrong, "discard: the change stays")
			}
		}
		b, s, want, _ = begin()
		if _, err := b.drv.Stage(ctx, s, "c1", with(want, "add interface=wan\n", "add interface=no-such\n")); err == nil {
			_ = b.commit(s, "c1")
			if b.drv.Confirm(ctx, s, "c1") == nil {
				wrong = append(wrong, "failed import: confirmed")
			}
		}
		b, s, want, _ = begin()
		if _, err := b.drv.Stage(ctx, s, "c1", with(want, "/system identity\nset", "/system identity\nfrobnicate")); err == nil {
			wrong = append(wrong, "bad line: accepted")
		}
		b = newBench(t, device.Options{}, sim.Variant{})
		_ = b.drv.FactoryReset(ctx, bad{b.Session(), say, hear}, "HC000000001")
		if !strings.Contains(b.Running(), "name=MikroTik") {
			wrong = append(wrong, "reset: not at factory default")
		}
		return wrong
	}
	if wrong := trial(t, nil, nil); len(wrong) > 0 {
		t.Fatalf("a driver without bad habits: %q", wrong)
	}
	for _, r := range []struct {
		wrong  string
		say    func(string) string
		caught string
	}{
		{"exports without secrets", swap("/export show-sensitive", "/export"), "export: not what runs"},
		{"restores by import alone", swap("/system reset-configuration no-defaults=yes skip-backup=yes keep-users=yes run-after-reset=", "/import file-name="), "restore: error"},
		{"keeps the factory's items", swap("no-defaults=yes", "no-defaults=no"), "restore: another configuration runs"},
		{"loses its users", swap(" keep-users=yes", ""), "restore: another configuration runs"},
		{"makes no backup", swap("/system backup save", "/system identity print; :put \"x"), "restore: error"},
		{"keeps the files in memory", swap("flash/", ""), "restore: error"},
		{"does not remove the scheduler", swap("/system scheduler remove [find name=cfgvault-c1]", ":nothing"), "restore: error"},
		{"goes back by reset", swap(`/system backup load name=flash/cfgvault-c1.backup password=\"\"`, "/system reset-configuration"), "discard: the change stays"},
		{"gives no password", swap(` password=\"\"`, ""), "discard: the change stays"},
		{"imports instead of checking", swap(" verbose=yes dry-run", ""), "restore: error"},
		{"resets in the foreground without a script", swap(`run-after-reset=flash/cfgvault-c1-run.rsc`, ""), "restore: error"},
		{"reboots for a reset", swap("/system reset-configuration skip-backup=yes", "/system reboot"), "reset: not at factory default"},
	} {
		t.Run(r.wrong, func(t *testing.T) {
			if wrong := trial(t, r.say, nil); !slices.Contains(wrong, r.caught) {
				t.Errorf("nothing says %q; what was said: %q", r.caught, wrong)
			}
		})
	}
}
