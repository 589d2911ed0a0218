package iosxr

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
	xrsim "github.com/cfgvault/cfgvault/plugins/simulate/iosxr"
)

var epoch = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

const within = 5 * time.Minute

// bench is a simulated router, its clock and the driver.
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
		o.Config = xrsim.Sample
	}
	dev := xrsim.New(o)
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
		return ""
	}
	defer cli.Close()
	var all strings.Builder
	for _, l := range lines {
		out, err := cli.Run(b.ctx, plugins.Command{Text: l, Answers: []plugins.Answer{proceed}})
		if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
			b.Fatal(err)
		}
		all.Write(out.Stdout)
	}
	return all.String()
}

func significant(text string) string { return strings.Join(statements(text), "\n") }

func TestRestoreAfterWipe(t *testing.T) {
	b := newBench(t, device.Options{})
	before := significant(b.dev.Running())
	e := b.export()
	if e.Verdict != plugins.Complete || e.FactoryDefault {
		t.Fatalf("%+v", e)
	}
	b.dev.FactoryReset()
	if e := b.export(); !e.FactoryDefault {
		t.Error("a wiped unit is not at factory default")
	}
	d, err := b.drv.Stage(b.ctx, b.s, "c1", e.Artefacts)
	if err != nil || !strings.Contains(d.Text, "+ hostname pe1") || len(d.Losses) > 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); err != nil {
		t.Fatal(err)
	}
	if b.dev.Logins() != 0 || strings.Contains(b.user("dir disk0:"), "cfgvault") {
		t.Errorf("left behind: %d logins, %s", b.dev.Logins(), b.user("dir disk0:"))
	}
	b.clock.Advance(2 * within)
	b.dev.Reload()
	if significant(b.dev.Running()) != before {
		t.Errorf("now it runs\n%s", b.dev.Running())
	}
}

// What XR refuses when it is loaded, and what only when it is committed.
func TestRejected(t *testing.T) {
	for name, c := range map[string]struct{ old, fresh string }{
		"syntax":   {"domain name example.net\n", "domain name example.net\nfrobnicate 3\n"},
		"semantic": {"interface Loopback0\n", "interface Loopback0\n vrf NONE\n"},
	} {
		b := newBench(t, device.Options{})
		before := significant(b.dev.Running())
		a := b.export().Artefacts[0]
		a.Data = bytes.Replace(a.Data, []byte(c.old), []byte(c.fresh), 1)
		_, err := b.drv.Stage(b.ctx, b.s, "c1", []plugins.Artefact{a})
		if name == "semantic" && err == nil {
			err = b.drv.Commit(b.ctx, b.s, "c1", within)
		}
		var rejected *plugins.RejectedError
		if !errors.As(err, &rejected) || !strings.Contains(rejected.Text, "frobnicate") && !strings.Contains(rejected.Text, "NONE") {
			t.Errorf("%s: %v", name, err)
		}
		if err := b.drv.Discard(b.ctx, b.s, "c1"); err != nil || significant(b.dev.Running()) != before || b.dev.Logins() != 0 {
			t.Errorf("%s: %v, %d logins", name, err, b.dev.Logins())
		}
	}
}

// When the login that committed is gone, nobody can confirm, and the driver
// says so.
func TestLoginLost(t *testing.T) {
	b := newBench(t, device.Options{})
	want := b.export().Artefacts
	want[0].Data = bytes.Replace(want[0].Data, []byte("hostname pe1"), []byte("hostname pe2"), 1)
	before := significant(b.dev.Running())
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err != nil {
		t.Fatal(err)
	}
	b.dev.Disconnect()
	b.s = b.dev.Session()
	if state, left, err := b.drv.Status(b.ctx, b.s, "c1"); state != plugins.StatePending || left <= 0 || err != nil {
		t.Errorf("%s %s %v", state, left, err)
	}
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("confirm on a login that is gone: %v", err)
	}
	other := New().(plugins.Restorer) // the process died as well
	if err := other.Confirm(b.ctx, b.s, "c1"); err == nil || !strings.Contains(err.Error(), "goes back by itself") {
		t.Errorf("confirm by another process: %v", err)
	}
	if state, _, _ := other.Status(b.ctx, b.s, "c1"); state != plugins.StatePending { // it ends by itself
		t.Errorf("status in another process: %s", state)
	}
	b.clock.Advance(within)
	if significant(b.dev.Running()) != before {
		t.Error("not rolled back")
	}
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("a late confirm: %v", err)
	}
}

func TestBusy(t *testing.T) {
	b := newBench(t, device.Options{})
	want := b.export().Artefacts
	cli, err := b.dev.Session().CLI(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	if _, err := cli.Run(b.ctx, plugins.Command{Text: "configure exclusive"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("under a foreign lock: %v", err)
	}
	for _, l := range []string{"hostname theirs", "commit confirmed 300"} {
		if _, err := cli.Run(b.ctx, plugins.Command{Text: l}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("under a foreign trial: %v", err)
	}
	if b.dev.Logins() != 1 {
		t.Errorf("%d logins", b.dev.Logins())
	}
}

func TestIdentify(t *testing.T) {
	b := newBench(t, device.Options{})
	f, err := b.drv.Identify(b.ctx, b.s)
	if err != nil || f.Model != "8202-32FH-M" || !slices.Equal(f.Serials, []string{"FLM00000001"}) || f.OSVersion != "7.3.2" {
		t.Errorf("%+v, %v", f, err)
	}
	b.dev.Inject(device.Fault{Command: "show version", Refuse: "Cisco IOS Software"})
	if _, err := b.drv.Identify(b.ctx, b.s); !errors.Is(err, plugins.ErrWrongPlatform) {
		t.Error(err)
	}
}

func TestAdapt(t *testing.T) {
	text := "!! IOS XR Configuration version = 7.3.2\nsnmp-server engineID local 01:02\ninterface GigabitEthernet0/0/0/0\n description GigabitEthernet0/0/0/0 to core\n bundle id 1 mode active\n mac-address 1.2.3\n!\n" +
		"interface GigabitEthernet0/0/0/1.100\n!\nrouter static\n address-family ipv4 unicast\n  10.0.0.0/8 GigabitEthernet0/0/0/0 192.0.2.1\n !\n!\nend\n"
	out, losses, err := adapt([]plugins.Artefact{{Name: runningConfig, Data: []byte(text)}}, plugins.Facts{}, plugins.Facts{},
		plugins.InterfaceMap{"Gi0/0/0/0": "TenGigE0/0/0/5", "GigabitEthernet0/0/0/1": "TenGigE0/0/0/6", "Bundle-Ether1": "Bundle-Ether7"})
	want := "!! IOS XR Configuration version = 7.3.2\ninterface TenGigE0/0/0/5\n description GigabitEthernet0/0/0/0 to core\n bundle id 7 mode active\n!\n" +
		"interface TenGigE0/0/0/6.100\n!\nrouter static\n address-family ipv4 unicast\n  10.0.0.0/8 TenGigE0/0/0/5 192.0.2.1\n !\n!\nend\n"
	if err != nil || len(losses) != 2 || string(out[0].Data) != want {
		t.Errorf("%v %v\n%s", err, losses, out[0].Data)
	}
}

// No cut of a listing is complete.
func TestCutAnywhere(t *testing.T) {
	whole := strings.TrimRight(newBench(t, device.Options{}).dev.Running(), "\n")
	for i := range len(whole) {
		if len(frame(runningConfig, whole[:i])) == 0 {
			t.Fatalf("cut at byte %d of %d it is whole", i, len(whole))
		}
	}
}

// tryHabit takes a driver with a habit through everything that must hold, and
// returns what did not.
func tryHabit(t *testing.T, h habit.Habit, o device.Options) (wrong []string) {
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
		return b, h.Through(b.s), e.Artefacts, before, significant(b.dev.Running())
	}
	running := func(b *bench) string { return significant(b.dev.Running()) }
	{ // a restore
		b, s, want, before, wiped := start()
		_, err := b.drv.Stage(b.ctx, s, "c1", want)
		if running(b) != wiped {
			add("stage: changed the device")
		}
		if err == nil {
			if err = b.drv.Commit(b.ctx, s, "c1", within); err == nil {
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
	}
	{ // the agent dies between commit and confirm
		b, s, want, _, wiped := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within)
		}
		if b.clock.Advance(within + time.Minute); running(b) != wiped {
			add("death: the change survives")
		}
	}
	{ // the agent gives up after the commit
		b, s, want, _, wiped := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within)
		}
		if err := b.drv.Discard(b.ctx, s, "c1"); err != nil {
			add("discard: error")
		}
		if running(b) != wiped {
			add("discard: the change stays")
		}
		if b.dev.Logins() > 0 {
			add("discard: keeps its login")
		}
	}
	{ // a line that the router does not know
		b, s, want, _, _ := start()
		bad := slices.Clone(want)
		bad[0].Data = bytes.Replace(bad[0].Data, []byte("domain name"), []byte("frobnicate 3\ndomain name"), 1)
		if _, err := b.drv.Stage(b.ctx, s, "c1", bad); err == nil {
			add("bad line: accepted")
		}
	}
	{ // somebody else edits
		b, s, want, _, _ := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			if out := b.user("configure exclusive"); !strings.Contains(out, "Cannot enter exclusive mode") {
				add("lock: not held")
			}
		}
	}
	{ // a factory reset
		b, factory := newBench(t, o), newBench(t, o)
		factory.dev.FactoryReset()
		if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, h.Through(b.s), "FLM00000001"); err != nil {
			add("reset: error")
		}
		if b.dev.Reload(); running(b) != running(factory) {
			add("reset: not at factory default")
		}
	}
	return wrong
}

// The mutation table: each row is a way to drive IOS-XR wrongly, and what the
// simulated router makes of it.
func TestMutations(t *testing.T) {
	const commit = "commit replace confirmed"
	rows := []struct {
		wrong  string
		habit  habit.Habit
		opts   device.Options
		caught string
	}{
		{"commits without a timer", habit.On(commit, habit.Text("commit replace")), device.Options{}, "death: the change survives"},
		{"sets a timer ten times too long", habit.On(commit, habit.Change("300", "3000")), device.Options{}, "death: the change survives"},
		{"takes seconds for minutes", habit.On(commit, habit.Change("confirmed 300", "confirmed minutes 300")), device.Options{}, "death: the change survives"},
		{"merges instead of replacing", habit.On(commit, habit.Change("replace ", "")), device.Options{}, "restore: another configuration runs"},
		{"answers no", habit.On(commit, func(c plugins.Command) []plugins.Command {
			c.Answers = []plugins.Answer{{Prompt: proceed.Prompt}}
			return []plugins.Command{c}
		}), device.Options{}, "restore: error"},
		{"confirms by end", habit.On("commit", func(c plugins.Command) []plugins.Command {
			if c.Text == "commit" {
				c.Text = "end"
			}
			return []plugins.Command{c}
		}), device.Options{}, "restore: another configuration runs"},
		{"does not confirm", habit.Habit{Say: func(c plugins.Command) []plugins.Command {
			if c.Text == "commit" {
				return nil
			}
			return []plugins.Command{c}
		}}, device.Options{}, "restore: another configuration runs"},
		{"does not lock", habit.On("configure exclusive", habit.Text("configure terminal")), device.Options{}, "lock: not held"},
		{"stages by committing", habit.On("show configuration changes diff", func(c plugins.Command) []plugins.Command {
			return []plugins.Command{{Text: "commit replace", Answers: []plugins.Answer{proceed}}, c}
		}), device.Options{}, "stage: changed the device"},
		{"does not ask what load refused", habit.On("show configuration failed load", habit.Nothing), device.Options{}, "bad line: accepted"},
		{"does not load", habit.On("load", habit.Nothing), device.Options{}, "restore: error"},
		{"does not undo", habit.Habit{Say: func(c plugins.Command) []plugins.Command {
			if c.Text == "commit replace" {
				return nil
			}
			return []plugins.Command{c}
		}}, device.Options{}, "discard: the change stays"},
		{"resets without replacing", habit.Habit{Say: func(c plugins.Command) []plugins.Command {
			if c.Text == "commit replace" {
				c.Text = "commit"
			}
			return []plugins.Command{c}
		}}, device.Options{}, "reset: not at factory default"},
		{"reads with the pager on", habit.Habit{}, device.Options{KeepPager: true}, "export: incomplete"},
		{"filters what it reads", habit.On("show running-config", habit.Change("show running-config", "show running-config | exclude secret")), device.Options{}, "export: not what runs"},
	}
	if wrong := tryHabit(t, habit.Habit{}, device.Options{}); len(wrong) > 0 {
		t.Errorf("a driver without bad habits: %q", wrong)
	}
	for _, r := range rows {
		t.Run(r.wrong, func(t *testing.T) {
			if wrong := tryHabit(t, r.habit, r.opts); !slices.Contains(wrong, r.caught) {
				t.Errorf("nothing says %q; what was said: %q", r.caught, wrong)
			}
		})
	}
}
