package ios

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
	iossim "github.com/cfgvault/cfgvault/plugins/simulate/ios"
)

var epoch = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

const within = 5 * time.Minute

// bench is a simulated device, its clock and the driver.
type bench struct {
	*testing.T
	ctx   context.Context
	dev   *device.Device
	clock *device.ManualClock
	s     plugins.Session
	drv   plugins.Restorer
}

func newBench(t *testing.T, o device.Options, v iossim.Variant) *bench {
	t.Helper()
	clock := device.NewManualClock(epoch)
	o.Clock = clock
	if o.Config == "" {
		o.Config = iossim.Sample
	}
	dev := iossim.New(o, v)
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
		out, err := cli.Run(b.ctx, plugins.Command{Text: l, Answers: []plugins.Answer{{Prompt: `\[no\]: $`, Reply: "y"}, {Prompt: `filename .*\? $`}}})
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
	b.user("configure terminal", "username admin privilege 15 secret 0 x", "ip scp server enable", "archive", "path flash:archive", "end")
}

// significant is a listing without what changes by itself.
func significant(text string) string { return strings.Join(statements(text), "\n") }

// A unit that was wiped comes back exactly as it was: banners, the certificate
// with its tab, everything.
func TestRestoreAfterWipe(t *testing.T) {
	b := newBench(t, device.Options{}, iossim.Variant{})
	before := b.dev.Running()
	e := b.export()
	if e.Verdict != plugins.Complete || len(e.NoRestore) > 0 {
		t.Fatalf("%+v %+v", e.Reasons, e.NoRestore)
	}
	b.dev.FactoryReset()
	if e := b.export(); !e.FactoryDefault {
		t.Error("a wiped unit is not at factory default")
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", e.Artefacts); err == nil {
		t.Error("a unit without archive and SCP takes a restore")
	}
	b.bootstrap()
	d, err := b.drv.Stage(b.ctx, b.s, "c1", e.Artefacts)
	if err != nil || d.Text == "" || len(d.Losses) > 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); err != nil {
		t.Fatal(err)
	}
	if significant(b.dev.Running()) != significant(before) {
		t.Errorf("now it runs\n%s", b.dev.Running())
	}
	b.clock.Advance(2 * within)
	b.dev.Reload()
	if significant(b.dev.Running()) != significant(before) {
		t.Error("gone after a reload")
	}
	if state, _, err := b.drv.Status(b.ctx, b.s, "c1"); state != plugins.StateConfirmed || err != nil {
		t.Errorf("%s, %v", state, err)
	}
}

// A line that the device does not take shows only when it replaces; the device
// then undoes all of it, and the error says which line.
func TestLineThatIsNotTaken(t *testing.T) {
	b := newBench(t, device.Options{}, iossim.Variant{})
	before := significant(b.dev.Running())
	a := b.export().Artefacts[0]
	a.Data = bytes.Replace(a.Data, []byte("ip ssh version 2\n"), []byte("frobnicate 3\nip ssh version 2\n"), 1)
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", []plugins.Artefact{a}); err != nil {
		t.Fatal(err)
	}
	// An agent that dies at this moment undoes nothing itself.
	dying := habit.On("configure revert now", habit.Nothing).Through(b.s)
	err := b.drv.Commit(b.ctx, dying, "c1", within)
	var rejected *plugins.RejectedError
	if !errors.As(err, &rejected) || !strings.Contains(rejected.Text, "frobnicate 3") {
		t.Errorf("%v", err)
	}
	if significant(b.dev.Running()) != before {
		t.Error("something of it stayed")
	}
	if state, _, _ := b.drv.Status(b.ctx, b.s, "c1"); state != plugins.StateRolledBack {
		t.Errorf("state %s", state)
	}
	if err := b.drv.Discard(b.ctx, b.s, "c1"); err != nil {
		t.Error(err)
	}
	if out := b.user("dir flash:"); strings.Contains(out, "cfgvault") {
		t.Errorf("left on flash: %s", out)
	}
}

// On another unit the device's own identity stands in the file, so that the
// replacement does not fail on a foreign one.
func TestSpareUnit(t *testing.T) {
	old := newBench(t, device.Options{Serial: "9AAAAAAAAAA"}, iossim.Variant{})
	want := old.export().Artefacts
	b := newBench(t, device.Options{Serial: "9BBBBBBBBBB"}, iossim.Variant{})
	b.dev.FactoryReset()
	b.bootstrap()
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); err != nil {
		t.Fatal(err)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err != nil {
		t.Fatal(err)
	}
	if r := b.dev.Running(); !strings.Contains(r, "sn 9BBBBBBBBBB") || !strings.Contains(r, "hostname branch1") {
		t.Error(r)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		break_ []string
		hint   string
	}{
		"no archive": {[]string{"configure terminal", "no archive", "end"}, "archive"},
		"no SCP":     {[]string{"configure terminal", "no ip scp server enable", "end"}, "ip scp server enable"},
	} {
		b := newBench(t, device.Options{}, iossim.Variant{})
		want := b.export().Artefacts
		b.user(c.break_...)
		_, err := b.drv.Stage(b.ctx, b.s, "c1", want)
		if err == nil || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: %v", name, err)
		}
		if e := b.export(); len(e.NoRestore) == 0 || e.Verdict != plugins.Complete {
			t.Errorf("%s: an export says nothing of it: %+v", name, e)
		}
	}
	b := newBench(t, device.Options{}, iossim.Variant{NoTimer: true})
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", b.export().Artefacts); err == nil || !strings.Contains(err.Error(), "rollback timer") {
		t.Errorf("a release without the timer: %v", err)
	}
	b = newBench(t, device.Options{}, iossim.Variant{})
	if err := b.drv.Commit(b.ctx, b.s, "c1", 3*time.Hour); err == nil {
		t.Error("a timer of three hours")
	}
}

// Somebody holds the configuration, or has a change of his own under way.
func TestBusy(t *testing.T) {
	b := newBench(t, device.Options{}, iossim.Variant{})
	want := b.export().Artefacts
	want[0].Data = bytes.Replace(want[0].Data, []byte("hostname branch1"), []byte("hostname branch2"), 1)
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); err != nil {
		t.Fatal(err)
	}
	b.user("copy running-config flash:theirs", "configure replace flash:theirs force timer 60")
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("commit under a foreign timer: %v", err)
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c2", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("stage under a foreign timer: %v", err)
	}
}

// A switch that serves VTP keeps its VLANs in a file of its own.
func TestVLANFile(t *testing.T) {
	config := strings.Replace(iossim.Sample, "interface Loopback0", "vlan 10\n name USERS\n!\ninterface Loopback0", 1)
	b := newBench(t, device.Options{Config: config}, iossim.Variant{Switch: true, Stack: []string{"FCW0000A002", "FCW0000A003"}})
	f, err := b.drv.Identify(b.ctx, b.s)
	if err != nil || !slices.Equal(f.Serials, []string{"FCW0000A001", "FCW0000A002", "FCW0000A003"}) {
		t.Errorf("%+v, %v", f, err)
	}
	e := b.export()
	i := slices.IndexFunc(e.Artefacts, func(a plugins.Artefact) bool { return a.Name == vlanFile })
	if e.Verdict != plugins.Complete || i < 0 || !bytes.Contains(e.Artefacts[i].Data, []byte("USERS")) || strings.Contains(b.dev.Running(), "USERS") {
		t.Fatalf("%+v", e)
	}
	if d, err := b.drv.Stage(b.ctx, b.s, "c1", e.Artefacts); err != nil || len(d.Losses) > 0 {
		t.Errorf("the same file is a loss: %+v, %v", d.Losses, err)
	}
	e.Artefacts[i].Data = []byte("other")
	if d, err := b.drv.Stage(b.ctx, b.s, "c1", e.Artefacts); err != nil || len(d.Losses) != 1 {
		t.Errorf("another file is no loss: %+v, %v", d.Losses, err)
	}
	b.user("configure terminal", "no ip scp server enable", "end")
	if e := b.export(); e.Verdict != plugins.Partial || e.Reasons[0].Code != "scp-disabled" {
		t.Errorf("%+v", e.Reasons)
	}
}

func TestIdentifyOthers(t *testing.T) {
	b := newBench(t, device.Options{Version: "15.7(3)M2", Model: "CISCO2911/K9"}, iossim.Variant{})
	f, err := b.drv.Identify(b.ctx, b.s)
	if err != nil || f.OS != "IOS" || f.OSVersion != "15.7(3)M2" || f.Model != "CISCO2911/K9" || f.Hostname != "branch1" {
		t.Errorf("%+v, %v", f, err)
	}
	b.dev.Inject(device.Fault{Command: "show version", Refuse: "Cisco IOS XR Software, Version 7.3.2"})
	if _, err := b.drv.Identify(b.ctx, b.s); !errors.Is(err, plugins.ErrWrongPlatform) {
		t.Error(err)
	}
	if _, err := normalize(plugins.Facts{}, []plugins.Artefact{{Name: runningConfig, Data: []byte("! device: leaf1 (DCS-7050, EOS-4.29.2F)\nend\n")}}); !errors.Is(err, plugins.ErrWrongPlatform) || !strings.Contains(err.Error(), "EOS") {
		t.Error(err)
	}
}

// No cut of a listing is complete.
func TestCutAnywhere(t *testing.T) {
	b := newBench(t, device.Options{}, iossim.Variant{})
	whole := strings.TrimRight(b.dev.Running(), "\n")
	for i := range len(whole) {
		if len(frame(runningConfig, []byte(whole[:i]))) == 0 {
			t.Fatalf("cut at byte %d of %d it is whole", i, len(whole))
		}
	}
	if r := frame(runningConfig, []byte(whole)); len(r) > 0 {
		t.Error(r)
	}
}

// trial takes a driver with a habit through everything that must hold, and
// returns what did not.
func trial(t *testing.T, h habit.Habit, o device.Options) (wrong []string) {
	t.Helper()
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	start := func() (*bench, plugins.Session, []plugins.Artefact, string, string) {
		b := newBench(t, o, iossim.Variant{})
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
		d, err := b.drv.Stage(b.ctx, s, "c1", want)
		if len(d.Losses) > 0 {
			add("stage: losses")
		}
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
		if b.dev.Reload(); b.dev.Startup() != "" {
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
		if strings.Contains(b.user("dir flash:"), "cfgvault-c1") {
			add("discard: leaves its file")
		}
	}
	{ // a line that the device does not know
		b, s, want, _, wiped := start()
		bad := slices.Clone(want)
		bad[0].Data = bytes.Replace(bad[0].Data, []byte("ip ssh version 2\n"), []byte("frobnicate 3\nip ssh version 2\n"), 1)
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
	{ // somebody else's timer runs
		b, s, want, _, _ := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			b.user("copy running-config flash:theirs", "configure replace flash:theirs force timer 60")
			if err := b.drv.Commit(b.ctx, s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
				add("foreign timer: not noticed")
			}
		}
	}
	{ // a factory reset
		b := newBench(t, o, iossim.Variant{})
		factory := newBench(t, o, iossim.Variant{})
		factory.dev.FactoryReset()
		if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, h.Through(b.s), "9FK0UZW73QE"); err != nil {
			add("reset: error")
		}
		if b.dev.Startup() != "" || running(b) != running(factory) {
			add("reset: not at factory default")
		}
	}
	return wrong
}

// The mutation table: each row is a way to drive IOS wrongly, and what the
// simulated device makes of it.
func TestMutations(t *testing.T) {
	replaceIn := func(from, to string) func(string, string, []byte) []byte {
		return func(_, arg string, p []byte) []byte {
			if !strings.HasPrefix(arg, "scp -t") || !bytes.Contains(p, []byte("\nversion ")) {
				return p
			}
			out := bytes.ReplaceAll(p, []byte(from), []byte(to))
			for len(out) < len(p) { // the size was said already
				out = slices.Insert(out, 0, '!', '\n')[:len(out)+1]
			}
			return out[:len(p)]
		}
	}
	const replace = "configure replace"
	blind := func(h habit.Habit) habit.Habit { // does not read the file back
		h.Hear = func(c plugins.Command, o plugins.Output) plugins.Output { return o }
		return h
	}
	rows := []struct {
		wrong  string
		habit  habit.Habit
		opts   device.Options
		caught string
	}{
		{"replaces without a timer", habit.On(replace, habit.Change(" timer 5", "")), device.Options{}, "death: the change survives"},
		{"sets a timer ten times too long", habit.On(replace, habit.Change(" timer 5", " timer 50")), device.Options{}, "death: the change survives"},
		{"writes the timer in seconds", habit.On(replace, habit.Change(" timer 5", " timer 300")), device.Options{}, "restore: error"},
		{"replaces without force", habit.On(replace, habit.Change(" force", "")), device.Options{}, "restore: error"},
		{"does not let an error undo the rest", habit.Habit{
			Say:  habit.On(replace, habit.Change(" revert trigger error", "")).Say,
			Hear: func(c plugins.Command, o plugins.Output) plugins.Output { return deafToAbort(c, o) },
		}, device.Options{}, "bad line: accepted"},
		{"copies over the running configuration", habit.On(replace, habit.Text("copy flash:cfgvault-c1.run running-config")), device.Options{}, "restore: error"},
		{"saves before it is confirmed", habit.On(replace, func(c plugins.Command) []plugins.Command {
			return []plugins.Command{c, {Text: "write memory"}, {Text: "show clock"}}
		}), device.Options{}, "death: the change survives a reload"},
		{"does not confirm", habit.On("configure confirm", habit.Nothing), device.Options{}, "restore: another configuration runs"},
		{"confirms by reverting", habit.On("configure confirm", habit.Text("configure revert now")), device.Options{}, "restore: another configuration runs"},
		{"does not save", habit.On("write memory", habit.Nothing), device.Options{}, "restore: gone after a reload"},
		{"stages by replacing", habit.On("show archive config differences system:running-config flash:cfgvault-c1.cfg", func(c plugins.Command) []plugins.Command {
			return []plugins.Command{{Text: "configure replace flash:cfgvault-c1.cfg force"}, c}
		}), device.Options{}, "stage: changed the device"},
		{"does not discard", habit.On("configure revert now", habit.Nothing), device.Options{}, "discard: the change stays"},
		{"leaves its file", habit.On("delete", habit.Nothing), device.Options{}, "discard: leaves its file"},
		{"brings banners as a terminal shows them", blind(habit.Habit{Write: replaceIn(etx, "^")}), device.Options{}, "restore: error"},
		{"loses the tab of the certificate", blind(habit.Habit{Write: replaceIn("\tquit", " quit")}), device.Options{}, "restore: error"},
		{"does not look for a foreign timer", habit.Habit{Hear: func(c plugins.Command, o plugins.Output) plugins.Output {
			if c.Text == "show archive config rollback timer" {
				o.Stdout = []byte("%No Rollback Confirmed Change pending\n")
			}
			return o
		}}, device.Options{}, "restore: error"},
		{"answers no to the reset", habit.On("write erase", func(c plugins.Command) []plugins.Command {
			c.Answers = []plugins.Answer{{Prompt: "confirm", Reply: "n"}}
			return []plugins.Command{c}
		}), device.Options{}, "reset: error"},
		{"reloads without erasing", habit.On("write erase", habit.Nothing), device.Options{}, "reset: error"},
		{"erases without reloading", habit.On("reload", habit.Nothing), device.Options{}, "reset: not at factory default"},
		{"saves when the reload asks", habit.On("reload", func(c plugins.Command) []plugins.Command {
			c.Answers = []plugins.Answer{{Prompt: "Save", Reply: "yes"}, {Prompt: "confirm"}}
			return []plugins.Command{c}
		}), device.Options{}, "reset: not at factory default"},
		{"reads with the pager on", habit.Habit{}, device.Options{KeepPager: true}, "export: incomplete"},
		{"filters what it reads", habit.On("show running-config", habit.Text("show running-config | exclude secret")), device.Options{}, "export: not what runs"},
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

// deafToAbort hears success where the device says that lines failed.
func deafToAbort(c plugins.Command, o plugins.Output) plugins.Output {
	if strings.HasPrefix(c.Text, "configure replace") {
		o.Stdout = []byte("Total number of passes: 1\nRollback Done\n")
	}
	return o
}
