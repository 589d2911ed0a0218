package openwrt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	sim "github.com/cfgvault/cfgvault/plugins/simulate/openwrt"
)

// habit is a wrong behaviour of a driver, made by changing what it says.
type habit func(c plugins.Command) plugins.Command

type badSession struct {
	plugins.Session
	habit habit
}

func (s badSession) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	return s.Session.Run(ctx, s.habit(c))
}

// swap replaces text in commands and in the scripts that are brought; both are
// of one length, since the scripts come in an archive.
func swap(old, fresh string) habit {
	return func(c plugins.Command) plugins.Command {
		padded := fresh + strings.Repeat(" ", max(len(old)-len(fresh), 0))
		c.Text = strings.ReplaceAll(c.Text, old, fresh)
		c.Input = bytes.ReplaceAll(c.Input, []byte(old), []byte(padded))
		return c
	}
}

// trial takes a driver with a habit through everything that must hold, and
// returns what did not.
func trial(t *testing.T, h habit) (wrong []string) {
	t.Helper()
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	ctx := t.Context()
	begin := func() (*bench, plugins.Session, []plugins.Artefact, string, string) {
		b := newBench(t, sim.Variant{Serial: "SN-0001"})
		b.dev.Reload()
		want, before := b.export().Artefacts, b.Running()
		x, err := b.drv.Export(ctx, badSession{b.Session(), h})
		switch {
		case err != nil || x.Verdict != plugins.Complete:
			add("export: incomplete")
		case len(x.Artefacts) != len(want):
			add("export: something is missing")
		}
		b.dev.FactoryReset()
		return b, badSession{b.Session(), h}, want, before, b.Running()
	}
	stage := func(b *bench, s plugins.Session, want []plugins.Artefact, wiped string) bool {
		_, err := b.drv.Stage(ctx, s, "c1", want)
		if b.Running() != wiped || b.Startup() != wiped {
			add("stage: changed the device")
		}
		if err != nil {
			add("stage: error")
		}
		return err == nil
	}
	{ // a restore
		b, s, want, before, wiped := begin()
		if stage(b, s, want, wiped) {
			err := b.drv.Commit(ctx, s, "c1", within)
			if b.Startup() != wiped {
				add("restore: saved before it was confirmed")
			}
			if errors.Join(err, b.drv.Confirm(ctx, s, "c1")) != nil {
				add("restore: error")
			}
			if b.Advance(2 * within); b.Running() != before {
				add("restore: another configuration runs")
			}
			if b.dev.Reload(); b.Running() != before {
				add("restore: gone after a reboot")
			}
		}
	}
	{ // the agent dies between commit and confirm
		b, s, want, _, wiped := begin()
		if stage(b, s, want, wiped) {
			_ = b.drv.Commit(ctx, s, "c1", within)
			if b.Advance(within); b.Running() != wiped {
				add("death: the change survives")
			}
		}
	}
	{ // the device reboots between commit and confirm
		b, s, want, _, wiped := begin()
		if stage(b, s, want, wiped) {
			_ = b.drv.Commit(ctx, s, "c1", within)
			if b.dev.Reload(); b.Running() != wiped {
				add("reboot: the change survives")
			}
		}
	}
	{ // the agent gives up after the commit
		b, s, want, _, wiped := begin()
		if stage(b, s, want, wiped) {
			_ = b.drv.Commit(ctx, s, "c1", within)
			_ = b.drv.Discard(ctx, s, "c1")
			if b.Running() != wiped {
				add("discard: the change stays")
			}
		}
	}
	{ // a file that uci cannot read
		b, s, want, _, _ := begin()
		bad := with(want, "etc/config/network", "option proto 'dhcpv6'", "option proto 'dhcpv6")
		if _, err := b.drv.Stage(ctx, s, "c1", bad); err == nil {
			add("bad file: accepted")
		}
	}
	{ // a factory reset
		b := newBench(t, sim.Variant{Serial: "SN-0001"})
		if err := b.drv.FactoryReset(ctx, badSession{b.Session(), h}, "SN-0001"); err != nil {
			add("reset: error")
		}
		if !strings.Contains(b.Running(), "option hostname 'OpenWrt'") {
			add("reset: not at factory default")
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

// The mutation table: each row is a way to drive OpenWrt wrongly, and what the
// simulated device makes of it.
func TestMutations(t *testing.T) {
	if wrong := trial(t, func(c plugins.Command) plugins.Command { return c }); len(wrong) > 0 {
		t.Fatalf("a driver without bad habits: %q", wrong)
	}
	for _, r := range []struct {
		wrong  string
		habit  habit
		caught string
	}{
		{"puts files and does not reload", swap("reload_config", ":"), "restore: another configuration runs"},
		{"reloads and puts no file", swap("files_put &&", ": put    &&"), "restore: another configuration runs"},
		{"rolls back the files only", swap("[ \"$1\" = boot ] || reread", ":"), "death: the change survives"},
		{"saves nothing to roll back to", swap("files_save_old\n", "mkdir -p old\n"), "death: the change survives"},
		{"sets a timer ten times too long", swap(" commit 300 ", " commit 3000 "), "death: the change survives"},
		{"commits without a timer", func(c plugins.Command) plugins.Command {
			if strings.Contains(c.Text, " commit 300 ") {
				c.Text = "cd /etc/cfgvault/c1 && sh ./apply.sh && echo cfgvault rc 0"
			}
			return c
		}, "death: the change survives"},
		{"comes too late at boot", swap("S12cfgvault", "S95cfgvault"), "reboot: the change survives"},
		{"keeps what it needs in memory", swap("=/etc/cfgvault", "=/tmp/cfgvault"), "reboot: the change survives"},
		{"confirms by discarding", swap(" confirm ", " discard "), "restore: another configuration runs"},
		{"does not confirm", swap(" confirm ", " status "), "restore: another configuration runs"},
		{"does not discard", swap(" discard ", " status "), "discard: the change stays"},
		{"does not let uci read the files", swap(`export "${p##*/}" 2>&1`, `-q nothing 2>&1; true`), "bad file: accepted"},
		{"starts the timer with setsid", swap("start-stop-daemon", "setsid"), "stage: error"},
		{"packs with base64", swap(`-C / "$@"`, `-C / "$@" | base64`), "export: incomplete"},
		{"forgets what is not in /etc/config", swap("sysupgrade -l", "find /etc/config -type f"), "export: something is missing"},
		{"imports with uci", swap("files_put &&", "uci import &"), "restore: another configuration runs"},
		{"does not answer firstboot", swap("firstboot -y", "firstboot"), "reset: error"},
		{"erases and does not reboot", swap(" && reboot", ""), "reset: not at factory default"},
	} {
		t.Run(r.wrong, func(t *testing.T) {
			if wrong := trial(t, r.habit); !slices.Contains(wrong, r.caught) {
				t.Errorf("nothing says %q; what was said: %q", r.caught, wrong)
			}
		})
	}
}
