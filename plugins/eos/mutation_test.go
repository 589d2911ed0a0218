package eos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	eossim "github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

// habit is a wrong behaviour of a driver, made by changing what the driver
// says to the device and hears from it.
type habit struct {
	say  func(c plugins.Command) []plugins.Command                // nil says nothing and hears silence
	hear func(c plugins.Command, o plugins.Output) plugins.Output // nil hears all
}

// through puts the habit between the driver and a session.
func (h habit) through(s plugins.Session) plugins.Session { return badSession{s, h} }

type badSession struct {
	plugins.Session
	habit habit
}

func (s badSession) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	return s.habit.run(ctx, s.Session, c)
}

func (s badSession) CLI(ctx context.Context) (plugins.CLI, error) {
	cli, err := s.Session.CLI(ctx)
	if err != nil {
		return nil, err
	}
	return badCLI{cli, s.habit}, nil
}

type badCLI struct {
	plugins.CLI
	habit habit
}

func (c badCLI) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	return c.habit.run(ctx, c.CLI, cmd)
}

func (h habit) run(ctx context.Context, r runner, c plugins.Command) (out plugins.Output, err error) {
	out.End = plugins.EndSentinel
	said := []plugins.Command{c}
	if h.say != nil {
		said = h.say(c)
	}
	for _, one := range said {
		if out, err = r.Run(ctx, one); err != nil {
			return out, err
		}
	}
	if h.hear != nil {
		out = h.hear(c, out)
	}
	return out, nil
}

// trial takes a driver with a habit through everything that must hold, and
// returns what did not.
func trial(t *testing.T, h habit, o device.Options, v ...eossim.Variant) (wrong []string) {
	t.Helper()
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	start := func() (*bench, plugins.Session, []plugins.Artefact, string, string) {
		b := newBench(t, o, v...)
		before := b.dev.Running()
		e, err := b.drv.Export(b.ctx, h.through(b.s))
		if err != nil || e.Verdict != plugins.Complete {
			add("export: incomplete")
			e = &plugins.Export{Artefacts: []plugins.Artefact{{Name: runningConfig, Role: plugins.RoleRunning, Data: []byte(before)}}}
		} else if string(e.Artefacts[0].Data) != before {
			add("export: not what runs")
		}
		b.dev.FactoryReset()
		return b, h.through(b.s), e.Artefacts, before, b.dev.Running()
	}

	{ // a restore
		b, s, want, before, wiped := start()
		d, err := b.drv.Stage(b.ctx, s, "c1", want)
		if len(d.Losses) > 0 { // the agent goes no further
			add("stage: losses")
			err = plugins.ErrRejected
		}
		if b.dev.Running() != wiped || b.dev.Startup() != "" {
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
		if b.dev.Running() != before {
			add("restore: another configuration runs")
		}
		if b.dev.Reload(); b.dev.Running() != before {
			add("restore: gone after a reload")
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
			add("death: the change survives a reload")
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
	}
	{ // a line that the device does not know
		b, s, want, _, _ := start()
		bad := slices.Clone(want)
		bad[0].Data = bytes.Replace(bad[0].Data, []byte("ip routing\n"), []byte("frobnicate 3\nip routing\n"), 1)
		if _, err := b.drv.Stage(b.ctx, s, "c1", bad); err == nil {
			add("bad line: accepted")
		}
	}
	{ // somebody else's commit timer runs
		b, s, want, _, _ := start()
		if _, err := b.drv.Stage(b.ctx, s, "c1", want); err == nil {
			b.user("configure session theirs", "hostname theirs", "commit timer 01:00:00")
			if err := b.drv.Commit(b.ctx, s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
				add("foreign timer: not noticed")
			}
			if !strings.Contains(b.dev.Running(), "hostname theirs") {
				add("foreign timer: their change is gone")
			}
		}
	}
	{ // a factory reset
		b := newBench(t, o, v...)
		factory := eossim.New(device.Options{Clock: b.clock, Config: eossim.Sample}, eossim.Variant{})
		factory.FactoryReset()
		if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, h.through(b.s), "SSJ00000001"); err != nil {
			add("reset: error")
		}
		if b.dev.Startup() != "" || b.dev.Running() != factory.Running() {
			add("reset: not at factory default")
		}
	}
	return wrong
}

// The mutation table: each row is a way to drive EOS wrongly, and what the
// simulated switch makes of it. A row that nothing catches would mean that the
// simulator bends to the driver.
func TestMutations(t *testing.T) {
	// on applies f to the commands with a prefix and leaves the others alone.
	on := func(prefix string, f func(plugins.Command) []plugins.Command) habit {
		return habit{say: func(c plugins.Command) []plugins.Command {
			if strings.HasPrefix(c.Text, prefix) {
				return f(c)
			}
			return []plugins.Command{c}
		}}
	}
	nothing := func(plugins.Command) []plugins.Command { return nil }
	text := func(s string) func(plugins.Command) []plugins.Command {
		return func(c plugins.Command) []plugins.Command { c.Text = s; return []plugins.Command{c} }
	}
	// deaf makes h hear only what it wants to hear of the paste.
	deaf := func(h habit) habit {
		var pasted []byte
		inner := h.say
		h.say = func(c plugins.Command) []plugins.Command {
			if strings.HasPrefix(c.Text, "copy terminal") {
				pasted = c.Input
			}
			if inner != nil {
				return inner(c)
			}
			return []plugins.Command{c}
		}
		h.hear = func(c plugins.Command, o plugins.Output) plugins.Output {
			switch {
			case strings.HasPrefix(c.Text, "copy terminal"):
				o = plugins.Output{Stdout: []byte("Copy completed successfully\n"), End: plugins.EndSentinel}
			case c.Text == "show session-config":
				o.Stdout = pasted
			}
			return o
		}
		return h
	}
	const confirm, stop = "configure session cfgvault-c1 commit", "commit timer"
	rows := []struct {
		wrong  string
		habit  habit
		opts   device.Options
		caught string
	}{
		{"does not empty the session first", on("rollback", nothing), device.Options{}, "restore: another configuration runs"},
		{"commits without a timer", on(stop, text("commit")), device.Options{}, "death: the change survives"},
		{"sets a timer ten times too long", on(stop, text("commit timer 00:50:00")), device.Options{}, "death: the change survives"},
		{"writes the timer in seconds", on(stop, text("commit timer 300")), device.Options{}, "restore: error"},
		{"saves before it confirms", on(stop, func(c plugins.Command) []plugins.Command {
			return []plugins.Command{c, {Text: "write memory"}}
		}), device.Options{}, "death: the change survives a reload"},
		{"does not confirm", on(confirm, nothing), device.Options{}, "restore: another configuration runs"},
		{"confirms another session", on(confirm, text("configure session cfgvault-c2 commit")), device.Options{}, "restore: another configuration runs"},
		{"confirms by abort", on(confirm, text("configure session cfgvault-c1 abort")), device.Options{}, "restore: another configuration runs"},
		{"re-enters the armed session to confirm", on(confirm, func(c plugins.Command) []plugins.Command {
			return []plugins.Command{{Text: "configure session cfgvault-c1"}, {Text: "commit"}}
		}), device.Options{}, "restore: another configuration runs"},
		{"takes 'committed' for done", habit{hear: func(c plugins.Command, o plugins.Output) plugins.Output {
			if c.Text == showSessions && strings.Contains(string(o.Stdout), "committed") {
				o.Stdout = armedLine.ReplaceAll(o.Stdout, nil)
			}
			return o
		}}, device.Options{}, "restore: another configuration runs"},
		{"confirms without saving", habit{
			say: on("write memory", nothing).say,
			hear: func(c plugins.Command, o plugins.Output) plugins.Output {
				if c.Text == "write memory" {
					o.Stdout = []byte("Copy completed successfully.\n")
				}
				return o
			},
		}, device.Options{}, "restore: gone after a reload"},
		{"ignores lines that begin with %", deaf(habit{}), device.Options{}, "bad line: accepted"},
		{"loses the last statement", deaf(on("copy terminal", func(c plugins.Command) []plugins.Command {
			c.Input = bytes.Replace(c.Input, []byte("   no shutdown\n!\nend\n"), []byte("!\nend\n"), 1)
			return []plugins.Command{c}
		})), device.Options{}, "restore: another configuration runs"},
		{"loses the last statement and looks", on("copy terminal", func(c plugins.Command) []plugins.Command {
			c.Input = bytes.Replace(c.Input, []byte("   no shutdown\n!\nend\n"), []byte("!\nend\n"), 1)
			return []plugins.Command{c}
		}), device.Options{}, "stage: losses"},
		{"loses the line that ends a banner", deaf(on("copy terminal", func(c plugins.Command) []plugins.Command {
			c.Input = bytes.Replace(c.Input, []byte("EOF\n"), nil, 1)
			return []plugins.Command{c}
		})), device.Options{}, "restore: another configuration runs"},
		{"pastes without a last newline", on("copy terminal", func(c plugins.Command) []plugins.Command {
			c.Input = bytes.TrimSuffix(c.Input, []byte("\n"))
			return []plugins.Command{c}
		}), device.Options{}, "restore: error"},
		{"pastes outside the session", on("configure session cfgvault-c1", func(c plugins.Command) []plugins.Command {
			if c.Text == confirm {
				return []plugins.Command{c}
			}
			c.Text = "configure terminal"
			return []plugins.Command{c}
		}), device.Options{}, "restore: error"},
		{"types the text into the running configuration", on("copy terminal", func(c plugins.Command) []plugins.Command {
			out := []plugins.Command{{Text: "end"}, {Text: "configure terminal"}}
			for l := range strings.Lines(string(c.Input)) {
				if l = strings.TrimSpace(l); l != "end" && l != "" {
					out = append(out, plugins.Command{Text: l})
				}
			}
			return out
		}), device.Options{}, "stage: changed the device"},
		{"discards by committing", on("configure session cfgvault-c1 abort", text(confirm)), device.Options{}, "discard: the change stays"},
		{"does not discard", on("configure session cfgvault-c1 abort", nothing), device.Options{}, "discard: the change stays"},
		{"does not look whose timer runs", habit{hear: func(c plugins.Command, o plugins.Output) plugins.Output {
			if strings.HasPrefix(c.Text, "commit timer") {
				o.Stdout = nil
			}
			if c.Text == showSessions {
				o.Stdout = bytes.Replace(o.Stdout, []byte("timer: theirs"), []byte("timer: cfgvault-c1"), 1)
			}
			return o
		}}, device.Options{}, "foreign timer: not noticed"},
		{"types ahead while a question waits", habit{say: func(c plugins.Command) []plugins.Command {
			for i := range c.Answers {
				c.Answers[i].Reply = "!CV1234"
			}
			return []plugins.Command{c}
		}}, device.Options{}, "reset: not at factory default"},
		{"reloads without erasing", on("write erase", nothing), device.Options{}, "reset: not at factory default"},
		{"erases without reloading", on("reload", nothing), device.Options{}, "reset: not at factory default"},
		{"saves when the reload asks", on("reload", func(c plugins.Command) []plugins.Command {
			c.Text = "reload"
			c.Answers = []plugins.Answer{{Prompt: "Save", Reply: "yes"}, {Prompt: "confirm"}}
			return []plugins.Command{c}
		}), device.Options{}, "reset: not at factory default"},
		{"reads with the pager on", habit{}, device.Options{KeepPager: true}, "export: incomplete"},
		{"reads with the pager on and believes it", habit{hear: func(c plugins.Command, o plugins.Output) plugins.Output {
			o.End = plugins.EndSentinel
			return o
		}}, device.Options{KeepPager: true}, "export: incomplete"},
		{"filters what it reads", on("show running-config", text("show running-config | exclude secret")), device.Options{}, "export: not what runs"},
	}
	for _, v := range []eossim.Variant{{}, {Layout: eossim.LayoutOld}, {Expired: eossim.ExpiredGone}} {
		if wrong := trial(t, habit{}, device.Options{}, v); len(wrong) > 0 {
			t.Errorf("a driver without bad habits: %q", wrong)
		}
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
