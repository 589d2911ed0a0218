package junos

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	junossim "github.com/cfgvault/cfgvault/plugins/simulate/junos"
)

const within = 5 * time.Minute

var epoch = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// bench is a driver, a simulated unit and its clock.
type bench struct {
	*testing.T
	ctx   context.Context
	dev   *device.Device
	clock *device.ManualClock
	s     plugins.Session
	drv   plugins.Restorer
}

func newBench(t *testing.T, o device.Options) *bench {
	t.Helper()
	clock := device.NewManualClock(epoch)
	o.Clock, o.Privileged = clock, true
	if o.Config == "" {
		o.Config = junossim.Sample
	}
	dev := junossim.New(o)
	t.Cleanup(func() { dev.Close() })
	return &bench{T: t, ctx: t.Context(), dev: dev, clock: clock, s: dev.Session(), drv: New().(plugins.Restorer)}
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
func (b *bench) user(commands ...string) plugins.CLI {
	b.Helper()
	cli, err := b.dev.Login()
	b.must(err)
	b.Cleanup(func() { cli.Close() })
	for _, c := range commands {
		_, err := cli.Run(b.ctx, plugins.Command{Text: c})
		b.must(err)
	}
	return cli
}

// config is a configuration without the line that says when it was committed.
func config(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// changed is what the unit runs, with another host name.
func (b *bench) changed(name string) []plugins.Artefact {
	text := strings.Replace(b.dev.Running(), "host-name edge1;", name, 1)
	return []plugins.Artefact{{Name: configuration, Role: plugins.RoleRunning, Data: []byte(text)}}
}

// TestWipeAndRestore: backup, wipe, restore, equal, and equal after a reboot.
func TestWipeAndRestore(t *testing.T) {
	b := newBench(t, device.Options{})
	before := config(b.dev.Running())
	e := b.export()
	if e.Verdict != plugins.Complete || e.FactoryDefault {
		t.Fatalf("%s %v", e.Verdict, e.Reasons)
	}
	b.dev.FactoryReset()
	if w := b.export(); w.Verdict != plugins.Complete || !w.FactoryDefault {
		t.Errorf("a wiped unit: %s %v, factory default %v", w.Verdict, w.Reasons, w.FactoryDefault)
	}
	b.state(plugins.StateNone)
	wiped := b.dev.Running()
	d := b.stage(e.Artefacts)
	if !strings.Contains(d.Text, "+    host-name edge1;\n") || len(d.Losses) != 1 || d.Losses[0].Artefact != "scripts/op/hello.slax" {
		t.Errorf("diff %q, losses %v", d.Text, d.Losses)
	}
	if b.dev.Running() != wiped {
		t.Error("staging changed the unit")
	}
	b.state(plugins.StateStaged)
	b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
	if left := b.state(plugins.StatePending); left != within {
		t.Errorf("%s left, want %s", left, within)
	}
	b.must(b.drv.Confirm(b.ctx, b.s, "c1"))
	b.state(plugins.StateConfirmed)
	b.must(b.drv.Confirm(b.ctx, b.s, "c1"))
	b.must(b.drv.Discard(b.ctx, b.s, "c1"))
	b.clock.Advance(2 * within)
	b.state(plugins.StateConfirmed)
	if got := config(b.dev.Running()); got != before {
		t.Errorf("running after the restore:\n%s\nwant\n%s", got, before)
	}
	b.dev.Reload()
	if config(b.dev.Running()) != before {
		t.Error("another configuration after a reboot")
	}
	if b.dev.Logins() != 0 {
		t.Error("a login was left open")
	}
}

func TestTimerRunsOut(t *testing.T) {
	b := newBench(t, device.Options{})
	before := config(b.dev.Running())
	b.stage(b.changed("host-name other;"))
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
	if config(b.dev.Running()) != before {
		t.Error("not as before")
	}
	b.must(b.drv.Discard(b.ctx, b.s, "c1"))
	b.stage(b.changed("host-name other;")) // the id may be staged again
	b.state(plugins.StateStaged)
	b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
	b.must(b.drv.Discard(b.ctx, b.s, "c1"))
	b.state(plugins.StateRolledBack)
	if config(b.dev.Running()) != before {
		t.Error("not as before the discarded change")
	}
}

// TestTimerWinsTheRace lets the timer run out at each command of Confirm: the
// unit must end with one configuration, and Confirm must say which.
func TestTimerWinsTheRace(t *testing.T) {
	for _, c := range []string{"show system commit", "configure", "commit check", "exit"} {
		for nth := range 3 {
			b := newBench(t, device.Options{})
			before := config(b.dev.Running())
			b.stage(b.changed("host-name other;"))
			b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
			seen := 0
			fired := b.dev.Inject(device.Fault{Command: c, Before: func() {
				if seen++; seen == nth+1 {
					b.clock.Advance(within)
				}
			}})
			err := b.drv.Confirm(b.ctx, b.s, "c1")
			if fired() <= nth {
				continue
			}
			b.dev.ClearFaults()
			isNew := strings.Contains(b.dev.Running(), "host-name other;")
			switch {
			case err == nil && !isNew:
				t.Errorf("%s, %d: confirmed, but not what runs", c, nth)
			case errors.Is(err, plugins.ErrRolledBack) && config(b.dev.Running()) != before:
				t.Errorf("%s, %d: rolled back, but not as it was", c, nth)
			case err != nil && !errors.Is(err, plugins.ErrRolledBack):
				t.Errorf("%s, %d: %v", c, nth, err)
			}
		}
	}
}

// TestLostConnections: the link goes away at each command that writes. What is
// then said must be true.
func TestLostConnections(t *testing.T) {
	for _, f := range []device.Fault{{Lose: true}, {Drop: true}} {
		for _, c := range []string{"configure", "load override", "show |", "commit", "save", "run file delete", "exit", "rollback 0", "show system commit"} {
			f.Command, f.Times = c, 1
			b := newBench(t, device.Options{})
			want := b.changed("host-name other;")
			fired := b.dev.Inject(f)
			_, err := b.drv.Stage(b.ctx, b.s, "c1", want)
			if fired() > 0 && !errors.Is(err, plugins.ErrSessionLost) {
				t.Errorf("stage, %s: %v", c, err)
			}
			if strings.Contains(b.dev.Running(), "other") {
				t.Errorf("stage, %s: changed the unit", c)
			}
			b.dev.ClearFaults()
			b.stage(want) // nothing is in the way of another try

			fired = b.dev.Inject(f)
			err = b.drv.Commit(b.ctx, b.s, "c1", within)
			if fired() > 0 && !errors.Is(err, plugins.ErrSessionLost) {
				t.Errorf("commit, %s: %v", c, err)
			}
			b.dev.ClearFaults()
			b.clock.Advance(within)
			if strings.Contains(b.dev.Running(), "other") {
				t.Errorf("commit, %s: the change survives its timer", c)
			}
			b.must(b.drv.Discard(b.ctx, b.s, "c1"))
		}
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, device.Options{})
	want := b.changed("host-name other;")
	theirs := b.user("configure", "set system host-name theirs")
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("while somebody edits: %v", err)
	}
	if _, err := theirs.Run(b.ctx, plugins.Command{Text: "rollback 0"}); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Run(b.ctx, plugins.Command{Text: "exit"}); err != nil {
		t.Fatal(err)
	}
	theirs = b.user("configure exclusive")
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("while somebody holds the lock: %v", err)
	}
	b.must(func() error { _, err := theirs.Run(b.ctx, plugins.Command{Text: "exit"}); return err }())
	b.stage(want)
	b.user("configure", "set system host-name theirs", "commit confirmed 60")
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("while another commit waits: %v", err)
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c2", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("staging while another commit waits: %v", err)
	}
	if !strings.Contains(b.dev.Running(), "host-name theirs;") {
		t.Error("their change is gone")
	}

	b = newBench(t, device.Options{})
	for name, text := range map[string]string{
		"a statement that the unit does not know": strings.Replace(string(b.changed("")[0].Data), "system {\n", "system {\n    frobnicate 3;\n", 1),
		"no password of root":                     strings.Replace(b.dev.Running(), "    root-authentication {\n        encrypted-password \"$6$cfgvault$hashCanaryRoot\"; ## SECRET-DATA\n    }\n", "", 1),
		"a cut text":                              b.dev.Running()[:900],
		"the set form":                            "set system host-name x\n",
		"control characters":                      strings.Replace(b.dev.Running(), "uplink", "up\x04link", 1),
		"nothing":                                 "",
	} {
		before := b.dev.Running()
		_, err := b.drv.Stage(b.ctx, b.s, "c1", []plugins.Artefact{{Name: configuration, Data: []byte(text)}})
		if !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		}
		if b.dev.Running() != before {
			t.Errorf("%s: changed the unit", name)
		}
		b.state(plugins.StateNone)
	}
	var rejected *plugins.RejectedError
	_, err := b.drv.Stage(b.ctx, b.s, "c1", []plugins.Artefact{{Name: configuration, Data: []byte("system {\n    frobnicate;\n}\n")}})
	if !errors.As(err, &rejected) || rejected.Line != 2 {
		t.Errorf("where: %v", err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", 50000*time.Hour); err == nil {
		t.Error("a timer of years")
	}
	b = newBench(t, device.Options{Deny: []string{"configure"}})
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", b.changed("host-name x;")); !errors.Is(err, plugins.ErrNotPermitted) {
		t.Errorf("a login that may not configure: %v", err)
	}
}

// TestPlan: what Stage says of the change, beside the difference.
func TestPlan(t *testing.T) {
	b := newBench(t, device.Options{})
	want := b.changed("host-name edge1;")
	want[0].Data = []byte(strings.NewReplacer("192.0.2.10/24", "192.0.2.12/24", "            root-login deny;\n", "").Replace(string(want[0].Data)))
	d := b.stage(append(want, plugins.Artefact{Name: rescue, Role: plugins.RoleFile}))
	if d.Address != "192.0.2.12" || len(d.Disruptive) == 0 || len(d.Losses) != 1 || len(d.Steps) != 2 {
		t.Errorf("%+v", d)
	}
	if d = b.stage(b.changed("host-name edge1;")); d.Text != "" || len(d.Losses)+len(d.Disruptive) > 0 || d.Address != "" {
		t.Errorf("a change of nothing: %+v", d)
	}
}

func TestFactoryReset(t *testing.T) {
	b := newBench(t, device.Options{})
	r := b.drv.(plugins.Resetter)
	if err := r.FactoryReset(b.ctx, b.s, "another"); !errors.Is(err, plugins.ErrWrongUnit) {
		t.Errorf("another serial number: %v", err)
	}
	b.must(r.FactoryReset(b.ctx, b.s, "VM000000000A"))
	if strings.Contains(b.dev.Running(), "edge1") {
		t.Error("not reset")
	}
}
