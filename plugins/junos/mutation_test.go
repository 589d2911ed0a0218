package junos

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/habit"
)

// trial takes a driver with a habit through everything that must hold, and
// returns what did not.
func trial(t *testing.T, h habit.Habit, o device.Options) (wrong []string) {
	t.Helper()
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	start := func() (*bench, plugins.Session, []plugins.Artefact, string, string) {
		b := newBench(t, o)
		before := b.dev.Running()
		e, err := b.drv.Export(b.ctx, h.Through(b.s))
		if err != nil || e.Verdict != plugins.Complete {
			add("export: incomplete")
			e = &plugins.Export{Artefacts: []plugins.Artefact{{Name: configuration, Role: plugins.RoleRunning, Data: []byte(before)}}}
		} else if string(e.Artefacts[0].Data) != before {
			add("export: not what runs")
		}
		b.dev.FactoryReset()
		return b, h.Through(b.s), e.Artefacts[:1], config(before), config(b.dev.Running())
	}
	{ // a restore
		b, s, want, before, wiped := start()
		d, err := b.drv.Stage(b.ctx, s, "c1", want)
		if len(d.Losses) > 0 { // the agent goes no further
			add("stage: losses")
			err = plugins.ErrRejected
		}
		if config(b.dev.Running()) != wiped {
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
		if config(b.dev.Running()) != before {
			add("restore: another configuration runs")
		}
		if b.dev.Reload(); config(b.dev.Running()) != before {
			add("restore: gone after a reboot")
		}
	}
	{ // the agent dies between commit and confirm
		b, s, want, _, wiped := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within) // whatever it says, the agent is dead
		}
		if b.clock.Advance(within); config(b.dev.Running()) != wiped {
			add("death: the change survives")
		}
	}
	{ // the agent gives up after the commit
		b := newBench(t, o)
		s, want, wiped := h.Through(b.s), b.changed("host-name other;"), config(b.dev.Running())
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			_ = b.drv.Commit(b.ctx, s, "c1", within)
		}
		_ = b.drv.Discard(b.ctx, s, "c1")
		if config(b.dev.Running()) != wiped {
			add("discard: the change stays")
		}
		if cli := b.user(); cli != nil {
			out, err := cli.Run(b.ctx, plugins.Command{Text: "file list " + fileName("c1")})
			if err != nil || !strings.Contains(string(out.Stdout), "No such file") {
				add("discard: a file stays")
			}
		}
	}
	{ // a line that the device does not know, and one that it wants
		b, s, want, _, _ := start()
		bad := slices.Clone(want)
		bad[0].Data = bytes.Replace(bad[0].Data, []byte("system {\n"), []byte("system {\n    frobnicate 3;\n"), 1)
		if _, err := b.drv.Stage(b.ctx, s, "c1", bad); err == nil {
			add("bad line: accepted")
		}
		bad[0].Data = []byte("## Last commit: x\nsystem {\n    host-name x;\n    services {\n        ssh;\n    }\n}\n")
		if _, err := b.drv.Stage(b.ctx, s, "c2", bad); err == nil {
			add("no password of root: accepted")
		}
	}
	{ // somebody edits the shared candidate
		b, s, want, _, _ := start()
		theirs := b.user("configure", "set system host-name theirs")
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); !errors.Is(err, plugins.ErrBusy) {
			add("foreign edit: not noticed")
		}
		out, err := theirs.Run(b.ctx, plugins.Command{Text: "show | compare"})
		if err != nil || !strings.Contains(string(out.Stdout), "host-name theirs") {
			add("foreign edit: gone")
		}
	}
	{ // somebody edits while the change waits
		b, s, want, before, _ := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			if err := b.drv.Commit(b.ctx, s, "c1", within); err == nil {
				b.user("configure", "set system host-name theirs")
				_ = b.drv.Confirm(b.ctx, s, "c1")
				if got := config(b.dev.Running()); got != before {
					add("foreign edit: committed with the confirmation")
				}
			}
		}
	}
	{ // somebody else's commit waits
		b, s, want, _, _ := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			b.user("configure", "set system root-authentication encrypted-password x", "set system services netconf", "commit confirmed 60")
			if err := b.drv.Commit(b.ctx, s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
				add("foreign timer: not noticed")
			}
		}
	}
	{ // a factory reset
		b := newBench(t, o)
		if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, h.Through(b.s), "VM000000000A"); err != nil {
			add("reset: error")
		}
		if strings.Contains(b.dev.Running(), "edge1") {
			add("reset: not at factory default")
		}
	}
	return wrong
}

// The mutation table: each row is a way to drive Junos wrongly, and what the
// simulated unit makes of it. A row that nothing catches would mean that the
// simulator bends to the driver.
func TestMutations(t *testing.T) {
	// deaf makes h hear of some commands what it wants to hear.
	deaf := func(h habit.Habit, prefix, answer string) habit.Habit {
		before := h.Hear
		h.Hear = func(c plugins.Command, o plugins.Output) plugins.Output {
			if strings.HasPrefix(c.Text, prefix) {
				o.Stdout = []byte(answer)
			}
			if before != nil {
				o = before(c, o)
			}
			return o
		}
		return h
	}
	paste := func(f func([]byte) []byte) habit.Habit {
		return habit.On("load override terminal", func(c plugins.Command) []plugins.Command {
			c.Input = f(c.Input)
			return []plugins.Command{c}
		})
	}
	// confirming applies f to what is said after a plain "configure".
	confirming := func(f func(plugins.Command) []plugins.Command) habit.Habit {
		plain := false
		return habit.Habit{Say: func(c plugins.Command) []plugins.Command {
			if strings.HasPrefix(c.Text, "configure") {
				plain = c.Text == "configure"
			}
			if plain && c.Text == "commit check" {
				return f(c)
			}
			return []plugins.Command{c}
		}}
	}
	const done = "configuration check succeeds\ncommit complete\n"
	rows := []struct {
		wrong  string
		habit  habit.Habit
		opts   device.Options
		caught string
	}{
		{"commits without a timer", habit.On("commit confirmed", habit.Text("commit comment cfgvault-c1")), device.Options{}, "death: the change survives"},
		{"sets a timer ten times too long", habit.On("commit confirmed", habit.Text("commit confirmed 50 comment cfgvault-c1")), device.Options{}, "death: the change survives"},
		{"gives the timer in seconds", habit.On("commit confirmed", habit.Text("commit confirmed 300 comment cfgvault-c1")), device.Options{}, "death: the change survives"},
		{"marks the commit with another comment", habit.On("commit confirmed", habit.Text("commit confirmed 5 comment x")), device.Options{}, "restore: error"},
		{"does not confirm", habit.On("configure", func(c plugins.Command) []plugins.Command {
			if c.Text == "configure" {
				return nil
			}
			return []plugins.Command{c}
		}), device.Options{}, "restore: error"},
		{"confirms by a plain commit", confirming(habit.Text("commit")), device.Options{}, "foreign edit: committed with the confirmation"},
		{"confirms by another commit", confirming(func(c plugins.Command) []plugins.Command {
			return []plugins.Command{{Text: "set system host-name x"}, {Text: "commit"}, c}
		}), device.Options{}, "restore: another configuration runs"},
		{"does not lock", habit.On("configure exclusive", habit.Text("configure")), device.Options{}, "foreign edit: not noticed"},
		{"edits a private copy", habit.On("configure exclusive", habit.Text("configure private")), device.Options{}, "restore: error"},
		{"merges instead of overriding", habit.On("load override", habit.Change("override", "merge")), device.Options{}, "restore: error"},
		{"types the text without loading it", habit.On("load override terminal", func(c plugins.Command) []plugins.Command {
			return []plugins.Command{{Text: strings.SplitN(string(c.Input), "\n", 4)[2]}}
		}), device.Options{}, "restore: error"},
		{"believes a load with errors", deaf(habit.Habit{}, "load override", "load complete\n"), device.Options{}, "bad line: accepted"},
		{"does not let the device check", deaf(habit.On("commit check", habit.Nothing), "commit check", "configuration check succeeds\n"), device.Options{}, "no password of root: accepted"},
		{"loses a statement and looks", paste(func(b []byte) []byte {
			return bytes.Replace(b, []byte("        mtu 9192;\n"), nil, 1)
		}), device.Options{}, "stage: losses"},
		{"loses a statement", func() habit.Habit {
			h := paste(func(b []byte) []byte { return bytes.Replace(b, []byte("        mtu 9192;\n"), nil, 1) })
			h.Hear = func(c plugins.Command, o plugins.Output) plugins.Output {
				if strings.HasPrefix(c.Text, "show | display omit") {
					o.Stdout = bytes.Replace(o.Stdout, []byte("        description \"uplink to core1\";\n"), []byte("        description \"uplink to core1\";\n        mtu 9192;\n"), 1)
				}
				return o
			}
			return h
		}(), device.Options{}, "restore: another configuration runs"},
		{"drops what is inactive", paste(func(b []byte) []byte {
			return bytes.Replace(b, []byte("inactive: "), nil, 1)
		}), device.Options{}, "stage: losses"},
		{"pastes without the last brace", paste(func(b []byte) []byte { return b[:len(b)-2] }), device.Options{}, "restore: error"},
		{"commits while staging", habit.On("commit check", habit.Text("commit")), device.Options{}, "stage: changed the device"},
		{"does not keep what it staged", deaf(habit.On("save", habit.Nothing), "save", "Wrote 1 lines of configuration to 'cfgvault-c1.conf'\n"), device.Options{}, "restore: error"},
		{"believes that the timer runs", deaf(deaf(habit.On("commit confirmed", habit.Nothing), "commit confirmed", done), "show system commit",
			"0   2026-11-23 02:00:00 UTC by admin via cli commit confirmed, rollback in 5mins\n    cfgvault-c1\n    rollback pending\n"), device.Options{}, "restore: another configuration runs"},
		{"does not look whose commit waits", habit.Habit{Hear: func(c plugins.Command, o plugins.Output) plugins.Output {
			if strings.HasPrefix(c.Text, "show system commit") {
				o.Stdout = bytes.ReplaceAll(o.Stdout, []byte("    rollback pending\n"), nil)
			}
			return o
		}}, device.Options{}, "foreign timer: not noticed"},
		{"discards by confirming", habit.On("rollback 1", habit.Text("rollback 0")), device.Options{}, "discard: the change stays"},
		{"does not discard", deaf(habit.On("rollback 1", habit.Nothing), "rollback 1", "load complete\n"), device.Options{}, "discard: the change stays"},
		{"never deletes its file", habit.Habit{Say: func(c plugins.Command) []plugins.Command {
			if strings.Contains(c.Text, "file delete") {
				return nil
			}
			return []plugins.Command{c}
		}}, device.Options{}, "discard: a file stays"},
		{"answers no to zeroize", habit.On("request system zeroize", func(c plugins.Command) []plugins.Command {
			c.Answers[0].Reply = "no"
			return []plugins.Command{c}
		}), device.Options{}, "reset: not at factory default"},
		{"takes the default answer", habit.On("request system zeroize", func(c plugins.Command) []plugins.Command {
			c.Answers[0].Reply = ""
			return []plugins.Command{c}
		}), device.Options{}, "reset: not at factory default"},
		{"only reboots", habit.On("request system zeroize", habit.Text("request system reboot")), device.Options{}, "reset: not at factory default"},
		{"reads with the pager on", habit.On("show configuration", func(c plugins.Command) []plugins.Command {
			c.Text = strings.TrimSuffix(c.Text, " | no-more")
			return []plugins.Command{c}
		}), device.Options{KeepPager: true}, "export: incomplete"},
		{"filters what it reads", habit.On("show configuration", habit.Text("show configuration | except SECRET")), device.Options{}, "export: not what runs"},
	}
	if wrong := trial(t, habit.Habit{}, device.Options{}); len(wrong) > 0 {
		t.Errorf("a driver without bad habits: %q", wrong)
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
