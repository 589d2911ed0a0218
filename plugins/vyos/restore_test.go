package vyos

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	vyossim "github.com/cfgvault/cfgvault/plugins/simulate/vyos"
)

const within = 5 * time.Minute

var epoch = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// bench is a driver, a simulated router and its clock.
type bench struct {
	*testing.T
	ctx   context.Context
	dev   *device.Device
	clock *device.ManualClock
	s     plugins.Session
	drv   plugins.Restorer
}

func newBench(t *testing.T, o device.Options, v vyossim.Variant) *bench {
	t.Helper()
	clock := device.NewManualClock(epoch)
	o.Clock, o.Privileged = clock, true
	if o.Config == "" {
		o.Config = vyossim.Sample
	}
	dev := vyossim.New(o, v)
	t.Cleanup(func() { dev.Close() })
	return &bench{T: t, ctx: t.Context(), dev: dev, clock: clock, s: dev.Session(), drv: New().(plugins.Restorer)}
}

// reloading is the sample of a router that goes back without a reboot.
func reloading() string {
	return strings.Replace(vyossim.Sample, "        commit-revisions 100\n", "        commit-confirm {\n            action reload\n        }\n        commit-revisions 100\n", 1)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) export() *plugins.Export {
	b.Helper()
	e, err := b.drv.Export(b.ctx, b.s)
	b.must(err)
	return e
}

func (b *bench) state(want plugins.State) time.Duration {
	b.Helper()
	got, left, err := b.drv.Status(b.ctx, b.s, "c1")
	if err != nil || got != want {
		b.Errorf("state %s (%v), want %s", got, err, want)
	}
	return left
}

func (b *bench) stage(want []plugins.Artefact) plugins.Diff {
	b.Helper()
	d, err := b.drv.Stage(b.ctx, b.s, "c1", want)
	b.must(err)
	return d
}

// user types commands on a login of its own, which stays.
func (b *bench) user(commands ...string) {
	b.Helper()
	cli, err := b.dev.Login()
	b.must(err)
	b.Cleanup(func() { cli.Close() })
	for _, c := range commands {
		_, err := cli.Run(b.ctx, plugins.Command{Text: c, Answers: []plugins.Answer{{Prompt: `\[Y/n\]`, Reply: "y"}}})
		b.must(err)
	}
}

// changed is an export with another host name.
func (b *bench) changed(name string) []plugins.Artefact {
	b.Helper()
	a := b.export().Artefacts[:2]
	a[0].Data = []byte(strings.Replace(string(a[0].Data), "host-name edge1", name, 1))
	return a
}

// TestWipeAndRestore: backup, wipe, restore, equal, saved, and equal after a
// reboot.
func TestWipeAndRestore(t *testing.T) {
	for _, config := range []string{vyossim.Sample, reloading()} {
		b := newBench(t, device.Options{Config: config}, vyossim.Variant{})
		before, saved := b.dev.Running(), b.dev.Startup()
		e := b.export()
		if e.Verdict != plugins.Complete || e.FactoryDefault {
			t.Fatalf("%s %v", e.Verdict, e.Reasons)
		}
		b.dev.FactoryReset()
		if w := b.export(); w.Verdict != plugins.Complete || !w.FactoryDefault {
			t.Errorf("a wiped unit: %s %v, factory default %v", w.Verdict, w.Reasons, w.FactoryDefault)
		}
		b.state(plugins.StateNone)
		wiped, shipped := b.dev.Running(), b.dev.Startup()
		d := b.stage(e.Artefacts)
		if !strings.Contains(d.Text, "+ host-name edge1\n") || len(d.Losses) != 1 || d.Losses[0].Artefact != "scripts/vyos-postconfig-bootup.script" || len(d.Disruptive) == 0 {
			t.Errorf("%+v", d)
		}
		if b.dev.Running() != wiped || b.dev.Startup() != shipped {
			t.Error("staging changed the unit")
		}
		b.state(plugins.StateStaged)
		b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
		if left := b.state(plugins.StatePending); left != within {
			t.Errorf("%s left, want %s", left, within)
		}
		if b.dev.Startup() != shipped {
			t.Error("the commit saved")
		}
		b.must(b.drv.Confirm(b.ctx, b.s, "c1"))
		b.state(plugins.StateConfirmed)
		b.must(b.drv.Confirm(b.ctx, b.s, "c1"))
		b.must(b.drv.Discard(b.ctx, b.s, "c1"))
		b.clock.Advance(2 * within)
		b.state(plugins.StateConfirmed)
		if b.dev.Running() != before || b.dev.Startup() != saved {
			t.Errorf("after the restore runs\n%s\nand is saved\n%s", b.dev.Running(), b.dev.Startup())
		}
		b.dev.Reload()
		if b.dev.Running() != before {
			t.Error("another configuration after a reboot")
		}
	}
}

func TestTimerRunsOut(t *testing.T) {
	for _, config := range []string{vyossim.Sample, reloading()} {
		b := newBench(t, device.Options{Config: config}, vyossim.Variant{})
		before, saved := b.dev.Running(), b.dev.Startup()
		want := b.changed("host-name other")
		b.stage(want)
		b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
		b.clock.Advance(within - time.Second)
		if left := b.state(plugins.StatePending); left != time.Second {
			t.Errorf("%s left", left)
		}
		b.clock.Advance(time.Second)
		b.state(plugins.StateRolledBack)
		if err := b.drv.Confirm(b.ctx, b.s, "c1"); !errors.Is(err, plugins.ErrRolledBack) {
			t.Errorf("late confirm: %v", err)
		}
		if b.dev.Running() != before || b.dev.Startup() != saved {
			t.Error("not as before")
		}
		b.stage(want) // the id may be staged again
		b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
		b.must(b.drv.Discard(b.ctx, b.s, "c1"))
		b.state(plugins.StateNone)
		if b.clock.Advance(2 * within); b.dev.Running() != before {
			t.Error("not as before the discarded change")
		}
	}
}

// TestTimerWinsTheRace lets the timer run out at each command of Confirm.
func TestTimerWinsTheRace(t *testing.T) {
	for _, config := range []string{vyossim.Sample, reloading()} {
		for _, c := range []string{"ls", "systemctl", "configure", "confirm", "cat", "show configuration", "save", "compare saved", "mv"} {
			b := newBench(t, device.Options{Config: config}, vyossim.Variant{})
			before := b.dev.Running()
			b.stage(b.changed("host-name other"))
			b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
			fired := b.dev.Inject(device.Fault{Command: c, Times: 1, Before: func() { b.clock.Advance(within) }})
			err := b.drv.Confirm(b.ctx, b.s, "c1")
			if fired() == 0 {
				t.Errorf("%s is not said", c)
			}
			b.dev.ClearFaults()
			now := strings.Contains(b.dev.Running(), "host-name other")
			switch {
			case err == nil && (!now || !strings.Contains(b.dev.Startup(), "host-name other")):
				t.Errorf("%s: confirmed, but not what runs and is saved", c)
			case errors.Is(err, plugins.ErrRolledBack) && b.dev.Running() != before:
				t.Errorf("%s: rolled back, but not as it was", c)
			case err != nil && !errors.Is(err, plugins.ErrRolledBack) && !errors.Is(err, plugins.ErrSessionLost):
				t.Errorf("%s: %v", c, err)
			}
			if strings.Contains(b.dev.Startup(), "host-name other") != now {
				t.Errorf("%s: what runs and what is saved differ", c)
			}
		}
	}
}

// TestLostConnections: the link goes away at each command that writes.
func TestLostConnections(t *testing.T) {
	for _, f := range []device.Fault{{Lose: true}, {Drop: true}} {
		for _, c := range []string{"configure", "load", "commit-confirm", "mv", "rm", "(umask", "exit", "compare"} {
			f.Command, f.Times = c, 1
			b := newBench(t, device.Options{}, vyossim.Variant{})
			before, saved := b.dev.Running(), b.dev.Startup()
			want := b.changed("host-name other")
			fired := b.dev.Inject(f)
			_, err := b.drv.Stage(b.ctx, b.s, "c1", want)
			if fired() > 0 && !errors.Is(err, plugins.ErrSessionLost) {
				t.Errorf("stage, %s: %v", c, err)
			}
			b.dev.ClearFaults()
			if b.dev.Running() != before {
				t.Errorf("stage, %s: changed the unit", c)
			}
			b.stage(want)
			fired = b.dev.Inject(f)
			err = b.drv.Commit(b.ctx, b.s, "c1", within)
			if fired() > 0 && !errors.Is(err, plugins.ErrSessionLost) {
				t.Errorf("commit, %s: %v", c, err)
			}
			b.dev.ClearFaults()
			b.clock.Advance(within)
			if b.dev.Running() != before || b.dev.Startup() != saved {
				t.Errorf("commit, %s: not as before when the timer has ended", c)
			}
			b.must(b.drv.Discard(b.ctx, b.s, "c1"))
			b.state(plugins.StateNone)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, device.Options{}, vyossim.Variant{})
	want := b.changed("host-name other")
	b.stage(want)
	b.user("configure", "set system host-name theirs", "commit")
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); err == nil || !strings.Contains(err.Error(), "not saved") {
		t.Errorf("a configuration that is not saved: %v", err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err == nil {
		t.Error("committed over a configuration that is not saved")
	}
	b.user("configure", "save")
	b.stage(want)
	b.user("configure", "set system host-name their2", "commit-confirm 60")
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("while another commit waits: %v", err)
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c2", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("staging while another commit waits: %v", err)
	}
	b = newBench(t, device.Options{}, vyossim.Variant{})
	for name, spoil := range map[string]func(a []plugins.Artefact) []plugins.Artefact{
		"a statement that the unit does not know": func(a []plugins.Artefact) []plugins.Artefact {
			a[0].Data = []byte(strings.Replace(string(a[0].Data), "system {\n", "system {\n    frobnicate 3\n", 1))
			return a
		},
		"a cut text": func(a []plugins.Artefact) []plugins.Artefact { a[0].Data = a[0].Data[:700]; return a },
		"no footer":  func(a []plugins.Artefact) []plugins.Artefact { return a[:1] },
		"nothing":    func(a []plugins.Artefact) []plugins.Artefact { return nil },
	} {
		before := b.dev.Running()
		if _, err := b.drv.Stage(b.ctx, b.s, "c1", spoil(b.changed("host-name x"))); !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		}
		b.state(plugins.StateNone)
		if b.dev.Running() != before {
			t.Errorf("%s: changed the unit", name)
		}
	}
	old := newBench(t, device.Options{}, vyossim.Variant{Old: true})
	if _, err := old.drv.Stage(old.ctx, old.s, "c1", old.changed("host-name x")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a release without that commit-confirm: %v", err)
	}
	if e := old.export(); e.Verdict != plugins.Complete {
		t.Errorf("1.3: %v", e.Reasons)
	}
}

func TestFactoryReset(t *testing.T) {
	b := newBench(t, device.Options{}, vyossim.Variant{})
	r := b.drv.(plugins.Resetter)
	if err := r.FactoryReset(b.ctx, b.s, "another"); !errors.Is(err, plugins.ErrWrongUnit) {
		t.Errorf("another serial number: %v", err)
	}
	b.must(r.FactoryReset(b.ctx, b.s, "VY0000000001"))
	if strings.Contains(b.dev.Running()+b.dev.Startup(), "edge1") {
		t.Error("not reset")
	}
}
