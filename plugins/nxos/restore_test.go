package nxos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/habit"
	nxossim "github.com/cfgvault/cfgvault/plugins/simulate/nxos"
)

var epoch = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

const within = 5 * time.Minute

// bench is a simulated switch, its clock and the driver.
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
	o.Clock = clock
	if o.Config == "" {
		o.Config = nxossim.Sample
	}
	dev := nxossim.New(o)
	t.Cleanup(func() { dev.Close() })
	return &bench{T: t, ctx: t.Context(), dev: dev, clock: clock, s: dev.Session(), drv: New().(plugins.Restorer)}
}

func (b *bench) export() *plugins.Export {
	b.Helper()
	e, err := b.drv.Export(b.ctx, b.s)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// user types lines on another login.
func (b *bench) user(lines ...string) string {
	b.Helper()
	cli, err := b.dev.Session().CLI(b.ctx)
	if err != nil {
		return "" // nobody gets in
	}
	defer cli.Close()
	var all strings.Builder
	for _, l := range lines {
		out, err := cli.Run(b.ctx, plugins.Command{Text: l})
		if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
			b.Fatal(err)
		}
		all.Write(out.Stdout)
	}
	return all.String()
}

// bootstrap is what a person types on a blank unit so that it can be restored.
func (b *bench) bootstrap() {
	b.Helper()
	b.user("configure terminal", "username admin password 5 x role network-admin", "feature scp-server", "end")
}

func significant(text string) string { return strings.Join(statements(text), "\n") }

func TestRestoreAfterWipe(t *testing.T) {
	b := newBench(t, device.Options{})
	before := significant(b.dev.Running())
	e := b.export()
	if e.Verdict != plugins.Complete || len(e.NoRestore) > 0 {
		t.Fatalf("%+v %+v", e.Reasons, e.NoRestore)
	}
	b.dev.FactoryReset()
	if e := b.export(); !e.FactoryDefault || len(e.NoRestore) == 0 {
		t.Errorf("a wiped unit: %+v", e)
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", e.Artefacts); err == nil || !strings.Contains(err.Error(), "scp-server") {
		t.Errorf("a unit without SCP takes a restore: %v", err)
	}
	b.bootstrap()
	d, err := b.drv.Stage(b.ctx, b.s, "c1", e.Artefacts)
	if err != nil || !strings.Contains(d.Text, "hostname leaf1") || len(d.Losses) > 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(2 * within)
	b.dev.Reload()
	if significant(b.dev.Running()) != before {
		t.Errorf("now it runs\n%s", b.dev.Running())
	}
}

// Somebody types while the timeout runs: what runs then is not the change, and
// nothing of it is kept.
func TestTypedDuringTheTrial(t *testing.T) {
	b := newBench(t, device.Options{})
	before := significant(b.dev.Running())
	a := b.export().Artefacts[0]
	a.Data = bytes.Replace(a.Data, []byte("hostname leaf1\n"), []byte("hostname leaf2\n"), 1)
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", []plugins.Artefact{a}); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err != nil {
		t.Fatal(err)
	}
	b.user("configure terminal", "ip domain-name elsewhere.example", "end")
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("confirmed: %v", err)
	}
	if b.clock.Advance(2 * within); significant(b.dev.Running()) != before {
		t.Errorf("now it runs\n%s", b.dev.Running())
	}
}

// A file that arrives otherwise than it was sent is not replaced with.
func TestFileArrivesOtherwise(t *testing.T) {
	b := newBench(t, device.Options{})
	before := b.dev.Running()
	other := habit.Habit{Write: func(_, _ string, p []byte) []byte { return bytes.ReplaceAll(p, []byte("leaf1"), []byte("leaf7")) }}
	_, err := b.drv.Stage(b.ctx, other.Through(b.s), "c1", b.export().Artefacts)
	if err == nil || !strings.Contains(err.Error(), "does not hold what was copied") {
		t.Errorf("staged: %v", err)
	}
	if b.dev.Running() != before {
		t.Error("the switch changed")
	}
}

// A line that the switch does not take shows only when it replaces.
func TestLineThatIsNotTaken(t *testing.T) {
	b := newBench(t, device.Options{})
	before := significant(b.dev.Running())
	a := b.export().Artefacts[0]
	a.Data = bytes.Replace(a.Data, []byte("ip domain-lookup\n"), []byte("frobnicate 3\nip domain-lookup\n"), 1)
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", []plugins.Artefact{a}); err != nil {
		t.Fatal(err)
	}
	err := b.drv.Commit(b.ctx, b.s, "c1", within)
	var rejected *plugins.RejectedError
	if !errors.As(err, &rejected) || !strings.Contains(rejected.Text, "frobnicate 3") {
		t.Errorf("%v", err)
	}
	if significant(b.dev.Running()) != before {
		t.Error("something of it stayed")
	}
	if state, _, _ := b.drv.Status(b.ctx, b.s, "c1"); state != plugins.StateStaged {
		t.Errorf("state %s", state)
	}
	if err := b.drv.Discard(b.ctx, b.s, "c1"); err != nil || strings.Contains(b.user("dir bootflash:"), "cfgvault") {
		t.Errorf("%v; %s", err, b.user("dir bootflash:"))
	}
}

func TestOldRelease(t *testing.T) {
	b := newBench(t, device.Options{Config: strings.Replace(nxossim.Sample, "version 9.3(8)", "version 7.0(3)I7(9)", 1)})
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", b.export().Artefacts); err == nil || !strings.Contains(err.Error(), "9.3(1)") {
		t.Error(err)
	}
	f, err := b.drv.Identify(b.ctx, b.s)
	if err != nil || f.Model != "N9K-C93180YC-EX" || !slices.Equal(f.Serials, []string{"FDO00000001"}) || f.OSVersion != "7.0(3)I7(9)" || f.Hostname != "leaf1" {
		t.Errorf("%+v, %v", f, err)
	}
	b.dev.Inject(device.Fault{Command: "show version", Refuse: "Cisco IOS Software"})
	if _, err := b.drv.Identify(b.ctx, b.s); !errors.Is(err, plugins.ErrWrongPlatform) {
		t.Error(err)
	}
}

// No cut of a listing is complete: the switch's own count or its last lines
// say otherwise.
func TestCutAnywhere(t *testing.T) {
	b := newBench(t, device.Options{})
	whole := strings.TrimRight(b.dev.Running(), "\n")
	for i := 0; i < len(whole); i += 7 {
		b.dev.ClearFaults()
		b.dev.Inject(device.Fault{Command: "show running-config", Times: 1, Refuse: whole[:i] + " "})
		e, err := b.drv.Export(b.ctx, b.s)
		if err == nil && e.Verdict == plugins.Complete {
			t.Fatalf("cut at byte %d of %d it is complete", i, len(whole))
		}
	}
}

// trial takes a driver with a habit through everything that must hold, and
// returns what did not.
func trial(t *testing.T, h habit.Habit, o device.Options) (wrong []string) {
	t.Helper()
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	start := func() (*bench, plugins.Session, []plugins.Artefact, string, string) {
		b := newBench(t, o)
		before := significant(b.dev.Running())
		e, err := b.drv.Export(b.ctx, h.Through(b.s))
		if err != nil || e.Verdict != plugins.Complete {
			add("export: incomplete")
			e = &plugins.Export{Artefacts: []plugins.Artefact{{Name: runningConfig, Role: plugins.RoleRunning, Data: []byte(b.dev.Running())}}}
		} else if significant(string(e.Artefacts[0].Data)) != before {
			add("export: not what runs")
		}
		b.dev.FactoryReset()
		b.bootstrap()
		return b, h.Through(b.s), e.Artefacts, before, significant(b.dev.Running())
	}
	running := func(b *bench) string { return significant(b.dev.Running()) }
	{ // a restore
		b, s, want, before, wiped := start()
		_, err := b.drv.Stage(b.ctx, s, "c1", want)
		if running(b) != wiped || b.dev.Startup() != "" {
			add("stage: changed the device")
		}
		if err == nil {
			if err = b.drv.Commit(b.ctx, s, "c1", within); err == nil {
				if b.dev.Startup() != "" {
					add("commit: saved")
				}
				err = b.drv.Confirm(b.ctx, s, "c1")
			}
		}
		if err != nil {
			add("restore: error")
		}
		b.clock.Advance(2 * within)
		if running(b) != before {
			add("restore: another configuration runs")
		}
		if b.dev.Reload(); running(b) != before {
			add("restore: gone after a reload")
		}
	}
	{ // the agent dies between commit and confirm
		b, s, want, _, wiped := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within)
		}
		if b.clock.Advance(within + time.Minute); running(b) != wiped {
			add("death: the change survives")
		}
		if b.dev.Startup() != "" {
			add("death: the change survives a reload")
		}
	}
	{ // the agent gives up after the commit
		b, s, want, _, wiped := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within)
		}
		_ = b.drv.Discard(b.ctx, s, "c1")
		if running(b) != wiped {
			add("discard: the change stays")
		}
		if strings.Contains(b.user("dir bootflash:"), "cfgvault-c1") {
			add("discard: leaves its file")
		}
	}
	{ // a line that the switch does not know
		b, s, want, _, wiped := start()
		bad := slices.Clone(want)
		bad[0].Data = bytes.Replace(bad[0].Data, []byte("ip domain-lookup\n"), []byte("frobnicate 3\nip domain-lookup\n"), 1)
		_, err := b.drv.Stage(b.ctx, s, "c1", bad)
		if err == nil {
			err = b.drv.Commit(b.ctx, s, "c1", within)
		}
		if err == nil {
			add("bad line: accepted")
		}
		if running(b) != wiped {
			add("bad line: half of it runs")
		}
	}
	{ // a factory reset
		b, factory := newBench(t, o), newBench(t, o)
		factory.dev.FactoryReset()
		if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, h.Through(b.s), "FDO00000001"); err != nil {
			add("reset: error")
		}
		if b.dev.Startup() != "" || running(b) != running(factory) {
			add("reset: not at factory default")
		}
	}
	return wrong
}

// The mutation table: each row is a way to drive NX-OS wrongly, and what the
// simulated switch makes of it.
func TestMutations(t *testing.T) {
	const replace = "configure replace bootflash:cfgvault-c1.cfg commit-timeout"
	rows := []struct {
		wrong  string
		habit  habit.Habit
		opts   device.Options
		caught string
	}{
		{"replaces without a timeout", habit.On(replace, habit.Change(" commit-timeout 300", "")), device.Options{}, "death: the change survives"},
		{"sets a timeout ten times too long", habit.On(replace, habit.Change("300", "3000")), device.Options{}, "death: the change survives"},
		{"writes the timeout in minutes", habit.On(replace, habit.Change("300", "5")), device.Options{}, "restore: error"},
		{"replaces as well as it goes", habit.On(replace, habit.Change(" commit-timeout 300", " best-effort")), device.Options{}, "death: the change survives"},
		{"saves before it is confirmed", habit.On(replace, func(c plugins.Command) []plugins.Command {
			return []plugins.Command{{Text: "show clock"}, c, {Text: "copy running-config startup-config"}}
		}), device.Options{}, "death: the change survives a reload"},
		{"does not confirm", habit.On("configure replace commit", habit.Nothing), device.Options{}, "restore: another configuration runs"},
		{"confirms by aborting", habit.On("configure replace commit", habit.Text("configure replace abort")), device.Options{}, "restore: another configuration runs"},
		{"confirms in configuration mode", habit.On("configure replace commit", habit.Text("commit")), device.Options{}, "restore: another configuration runs"},
		{"does not save", habit.On("copy running-config", habit.Nothing), device.Options{}, "restore: gone after a reload"},
		{"saves by write memory", habit.On("copy running-config", habit.Text("write memory")), device.Options{}, "restore: gone after a reload"},
		{"stages by replacing", habit.On("configure replace bootflash:cfgvault-c1.cfg verify-only", habit.Change(" verify-only", "")), device.Options{}, "stage: changed the device"},
		{"does not discard", habit.On("configure replace abort", habit.Nothing), device.Options{}, "discard: the change stays"},
		{"leaves its file", habit.On("delete", habit.Nothing), device.Options{}, "discard: leaves its file"},
		{"does not answer the question of the reset", habit.On("write erase", func(c plugins.Command) []plugins.Command {
			c.Answers = []plugins.Answer{{Prompt: `\[n\]`}}
			return []plugins.Command{c}
		}), device.Options{}, "reset: error"},
		{"reloads without erasing", habit.On("write erase", habit.Nothing), device.Options{}, "reset: error"},
		{"erases without reloading", habit.On("reload", habit.Nothing), device.Options{}, "reset: not at factory default"},
		{"reads with the pager on", habit.Habit{}, device.Options{KeepPager: true}, "export: incomplete"},
		{"filters what it reads", habit.On("show running-config", func(c plugins.Command) []plugins.Command {
			if c.Text == "show running-config" {
				c.Text += " | exclude username"
			}
			return []plugins.Command{c}
		}), device.Options{}, "export: incomplete"},
	}
	if wrong := trial(t, habit.Habit{}, device.Options{}); len(wrong) > 0 {
		t.Errorf("a driver without bad habits: %q", wrong)
	}
	for _, r := range rows {
		t.Run(r.wrong, func(t *testing.T) {
			if wrong := trial(t, r.habit, r.opts); !slices.Contains(wrong, r.caught) {
				t.Errorf("nothing says %q; what was said: %q", r.caught, wrong)
			}
		})
	}
}
