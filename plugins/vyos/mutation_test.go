package vyos

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/habit"
	vyossim "github.com/cfgvault/cfgvault/plugins/simulate/vyos"
)

// trial takes a driver with a habit through everything that must hold, and
// returns what did not.
func trial(t *testing.T, h habit.Habit, o device.Options) (wrong []string) {
	t.Helper()
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	start := func() (*bench, plugins.Session, []plugins.Artefact, string, string) {
		b := newBench(t, o, vyossim.Variant{})
		before := b.dev.Running()
		e, err := b.drv.Export(b.ctx, h.Through(b.s))
		if err != nil || e.Verdict != plugins.Complete {
			add("export: incomplete")
			e = &plugins.Export{Artefacts: []plugins.Artefact{{Name: runningConfig, Data: []byte(before)}, {Name: savedConfig, Data: []byte(b.dev.Startup())}}}
		} else if string(e.Artefacts[0].Data) != before {
			add("export: not what runs")
		}
		b.dev.FactoryReset()
		return b, h.Through(b.s), e.Artefacts[:2], before, b.dev.Running()
	}
	{ // a restore
		b, s, want, before, wiped := start()
		shipped := b.dev.Startup()
		_, err := b.drv.Stage(b.ctx, s, "c1", want)
		if b.dev.Running() != wiped || b.dev.Startup() != shipped {
			add("stage: changed the device")
		}
		if err == nil {
			if err = b.drv.Commit(b.ctx, s, "c1", within); err == nil {
				if b.dev.Startup() != shipped {
					add("commit: saved")
				}
				err = b.drv.Confirm(b.ctx, s, "c1")
			}
		}
		if err != nil {
			add("restore: error")
		}
		b.clock.Advance(2 * within)
		if b.dev.Running() != before {
			add("restore: another configuration runs")
		}
		if b.dev.Reload(); b.dev.Running() != before {
			add("restore: gone after a reboot")
		}
		if strings.Count(b.dev.Startup(), "vyos-config-version") != 1 {
			add("restore: the footer is lost")
		}
	}
	{ // the agent dies between commit and confirm
		b, s, want, _, wiped := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within) // whatever it says, the agent is dead
		}
		if b.clock.Advance(within); b.dev.Running() != wiped {
			add("death: the change survives")
		}
		if b.dev.Reload(); b.dev.Running() != wiped {
			add("death: the change survives a reboot")
		}
	}
	{ // the agent gives up after the commit
		b, s, want, _, wiped := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within)
		}
		_ = b.drv.Discard(b.ctx, s, "c1")
		if b.dev.Running() != wiped {
			add("discard: the change stays")
		}
		if out, err := b.s.Run(b.ctx, plugins.Command{Text: "systemctl is-active commit-confirm.timer"}); err != nil || string(out.Stdout) != "inactive\n" {
			add("discard: the timer runs on")
		}
	}
	{ // a line that the device does not know
		b, s, want, _, _ := start()
		bad := slices.Clone(want)
		bad[0].Data = bytes.Replace(bad[0].Data, []byte("system {\n"), []byte("system {\n    frobnicate 3\n"), 1)
		if _, err := b.drv.Stage(b.ctx, s, "c1", bad); err == nil {
			add("bad line: accepted")
		}
	}
	{ // what runs is not what is saved
		b, s, want, _, _ := start()
		b.user("configure", "set system host-name theirs", "commit")
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			add("unsaved: not noticed")
		}
	}
	{ // somebody else's commit waits
		b, s, want, _, _ := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			b.user("configure", "set system host-name theirs", "commit-confirm 60")
			if err := b.drv.Commit(b.ctx, s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
				add("foreign timer: not noticed")
			}
		}
	}
	{ // a factory reset
		b := newBench(t, o, vyossim.Variant{})
		if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, h.Through(b.s), "VY0000000001"); err != nil {
			add("reset: error")
		}
		if strings.Contains(b.dev.Running()+b.dev.Startup(), "edge1") {
			add("reset: not at factory default")
		}
	}
	return wrong
}

// The mutation table: each row is a way to drive VyOS wrongly, and what the
// simulated router makes of it. A row that nothing catches would mean that the
// simulator bends to the driver.
func TestMutations(t *testing.T) {
	after := func(command string) func(plugins.Command) []plugins.Command {
		return func(c plugins.Command) []plugins.Command { return []plugins.Command{c, {Text: command}} }
	}
	// changed sends a file with a part replaced, and believes in it.
	changed := func(old, fresh string) habit.Habit {
		h := habit.On("(umask", func(c plugins.Command) []plugins.Command {
			data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(c.Input), "\n", ""))
			if err != nil || !bytes.Contains(data, []byte(old)) {
				t.Errorf("the file has no %q", old)
			}
			c.Input = []byte(base64.StdEncoding.EncodeToString(bytes.Replace(data, []byte(old), []byte(fresh), 1)) + "\n")
			return []plugins.Command{c}
		})
		var sum string
		inner := h.Say
		h.Say = func(c plugins.Command) []plugins.Command {
			if strings.HasPrefix(c.Text, "(umask") {
				data, _ := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(c.Input), "\n", ""))
				sum = fmt.Sprintf("%x", digest(data))
			}
			return inner(c)
		}
		h.Hear = func(c plugins.Command, o plugins.Output) plugins.Output {
			if strings.HasPrefix(c.Text, "sha256sum /config/cfgvault") {
				o.Stdout = []byte(sum + "  x\n")
			}
			return o
		}
		return h
	}
	deaf := func(h habit.Habit, prefix, answer string) habit.Habit {
		h.Hear = func(c plugins.Command, o plugins.Output) plugins.Output {
			if strings.HasPrefix(c.Text, prefix) {
				o.Stdout = []byte(answer)
			}
			return o
		}
		return h
	}
	exactly := func(text string, f func(plugins.Command) []plugins.Command) habit.Habit {
		return habit.Habit{Say: func(c plugins.Command) []plugins.Command {
			if c.Text == text {
				return f(c)
			}
			return []plugins.Command{c}
		}}
	}
	rows := []struct {
		wrong  string
		habit  habit.Habit
		opts   device.Options
		caught string
	}{
		{"commits without a timer", habit.On("commit-confirm", habit.Text("commit")), device.Options{}, "restore: error"},
		{"commits without a timer and believes in one", deaf(habit.On("commit-confirm", habit.Text("commit")), "commit-confirm", "Initialized commit-confirm"), device.Options{}, "death: the change survives"},
		{"sets a timer ten times too long", habit.On("commit-confirm", habit.Text("commit-confirm 50")), device.Options{}, "death: the change survives"},
		{"saves while the timer runs", habit.On("commit-confirm", after("save")), device.Options{}, "death: the change survives"},
		{"saves and then commits", exactly("configure", after("save")), device.Options{}, "unsaved: not noticed"},
		{"says no", habit.On("commit-confirm", func(c plugins.Command) []plugins.Command {
			c.Answers[0].Reply = "n"
			return []plugins.Command{c}
		}), device.Options{}, "restore: error"},
		{"does not answer", habit.On("commit-confirm", func(c plugins.Command) []plugins.Command {
			c.Answers = nil
			return []plugins.Command{c}
		}), device.Options{}, "restore: error"},
		{"does not confirm", deaf(exactly("confirm", habit.Nothing), "confirm", "Reboot timer stopped\n"), device.Options{}, "restore: error"},
		{"confirms without saving", deaf(exactly("save", habit.Nothing), "compare saved", "No changes between working and saved configurations.\n"), device.Options{}, "restore: gone after a reboot"},
		{"saves before it confirms", exactly("confirm", func(c plugins.Command) []plugins.Command {
			return []plugins.Command{{Text: "save"}}
		}), device.Options{}, "restore: error"},
		{"merges what it loads", habit.On("load", habit.Change("load", "merge")), device.Options{}, "restore: error"},
		{"does not listen to the load", habit.Habit{Hear: func(c plugins.Command, o plugins.Output) plugins.Output {
			if strings.HasPrefix(c.Text, "load") {
				o.Stdout = []byte("Load complete.\n")
			}
			return o
		}}, device.Options{}, "bad line: accepted"},
		{"loads the saved file instead", habit.On("load /config/cfgvault", habit.Text("load /config/config.boot")), device.Options{}, "restore: error"},
		{"loses a line on the way", changed("        mtu 9000\n", ""), device.Options{}, "restore: another configuration runs"},
		{"loses a line on the way and looks", habit.On("(umask", func(c plugins.Command) []plugins.Command {
			c.Input = c.Input[:len(c.Input)-77]
			return []plugins.Command{c}
		}), device.Options{}, "restore: error"},
		{"leaves out hw-id", changed("        hw-id 02:00:00:00:00:01\n", ""), device.Options{}, "restore: another configuration runs"},
		{"types the file into the saved one", habit.On("(umask", func(c plugins.Command) []plugins.Command {
			c.Text = "(umask 077; base64 -d > /config/config.boot)"
			return []plugins.Command{c}
		}), device.Options{}, "stage: changed the device"},
		{"commits while staging", habit.On("load /config/cfgvault-c1.staged", after("commit")), device.Options{}, "stage: changed the device"},
		{"does not look whether it is saved", deaf(habit.Habit{}, "compare saved", "No changes between working and saved configurations.\n"), device.Options{}, "unsaved: not noticed"},
		{"does not look whose commit waits", deaf(habit.Habit{}, "systemctl", "inactive\n"), device.Options{}, "foreign timer: not noticed"},
		{"discards by confirming", habit.On("load /config/config.boot", habit.Nothing), device.Options{}, "discard: the change stays"},
		{"does not stop the timer of what it discards", exactly("confirm", habit.Nothing), device.Options{}, "discard: the timer runs on"},
		{"resets without a reboot", habit.On("reboot", habit.Nothing), device.Options{}, "reset: not at factory default"},
		{"reboots without a reset", deaf(habit.On("cp", habit.Nothing), "sha256sum", "0 x\n"), device.Options{}, "reset: not at factory default"},
		{"reads with the pager on", habit.On("show configuration", habit.Text("show configuration")), device.Options{KeepPager: true}, "export: incomplete"},
		{"filters what it reads", habit.On("show configuration | cat", habit.Text("show configuration | tail -n 40")), device.Options{}, "export: incomplete"},
	}
	if wrong := trial(t, habit.Habit{}, device.Options{}); len(wrong) > 0 {
		t.Errorf("a driver without bad habits: %q", wrong)
	}
	if wrong := trial(t, habit.Habit{}, device.Options{Config: reloading()}); len(wrong) > 0 {
		t.Errorf("a driver without bad habits, where the unit reloads: %q", wrong)
	}
	for _, r := range rows {
		t.Run(r.wrong, func(t *testing.T) {
			wrong := trial(t, r.habit, r.opts)
			if !slices.Contains(wrong, r.caught) {
				t.Errorf("nothing says %q; what was said: %q", r.caught, wrong)
			}
		})
	}
}
