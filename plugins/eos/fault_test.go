package eos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	eossim "github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

// changed returns the running configuration with its host name replaced.
func (b *bench) changed(statements string) []plugins.Artefact {
	b.Helper()
	text := strings.Replace(b.dev.Running(), "hostname leaf1\n", statements+"\n", 1)
	return []plugins.Artefact{{Name: runningConfig, Role: plugins.RoleRunning, Data: []byte(text)}}
}

// pending brings a change up to the armed commit.
func (b *bench) pending(want []plugins.Artefact) {
	b.Helper()
	b.stage(want)
	b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
}

func TestTimerRunsOut(t *testing.T) {
	for _, expired := range []eossim.Expired{eossim.ExpiredAborted, eossim.ExpiredGone} {
		for _, layout := range []eossim.Layout{eossim.LayoutNew, eossim.LayoutOld} {
			b := newBench(t, device.Options{}, eossim.Variant{Expired: expired, Layout: layout})
			before, saved := b.dev.Running(), b.dev.Startup()
			b.pending(b.changed("hostname other"))
			b.clock.Advance(within - time.Second)
			if left := b.state(plugins.StatePending); left != time.Second {
				t.Errorf("%s left", left)
			}
			b.clock.Advance(time.Second)
			if err := b.drv.Confirm(b.ctx, b.s, "c1"); !errors.Is(err, plugins.ErrRolledBack) {
				t.Errorf("late confirm: %v", err)
			}
			if b.dev.Running() != before || b.dev.Startup() != saved {
				t.Error("not as before")
			}
			if expired == eossim.ExpiredAborted {
				b.state(plugins.StateRolledBack)
			} else {
				b.state(plugins.StateNone)
			}
			b.must(b.drv.Discard(b.ctx, b.s, "c1"))
			b.pending(b.changed("hostname other")) // the id may be staged again
		}
	}
}

// TestTimerWinsTheRace lets the timer run out at each command of Confirm: the
// device must end with one configuration, and Confirm must say which.
func TestTimerWinsTheRace(t *testing.T) {
	commands := []string{showSessions, "show running-config", "configure session cfgvault-c1 commit", "write memory", "show startup-config"}
	for _, expired := range []eossim.Expired{eossim.ExpiredAborted, eossim.ExpiredGone} {
		for _, c := range commands {
			for nth := range 4 {
				b := newBench(t, device.Options{}, eossim.Variant{Expired: expired})
				before, saved := b.dev.Running(), b.dev.Startup()
				want := b.changed("hostname other")
				b.pending(want)
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
				running := b.dev.Running()
				switch {
				case err == nil:
					if !equal(running, string(want[0].Data)) || !equal(b.dev.Startup(), running) {
						t.Errorf("%s, %d: confirmed, but not what runs", c, nth)
					}
				case errors.Is(err, plugins.ErrRolledBack):
					if running != before || b.dev.Startup() != saved {
						t.Errorf("%s, %d: rolled back, but not as it was", c, nth)
					}
				default:
					t.Errorf("%s, %d: %v", c, nth, err)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, device.Options{})
	before := b.dev.Running()
	want := b.changed("hostname other")

	var rejected *plugins.RejectedError
	_, err := b.drv.Stage(b.ctx, b.s, "c1", b.changed("hostname other\nfrobnicate secret-canary"))
	if !errors.As(err, &rejected) || rejected.Line == 0 || rejected.Artefact != runningConfig {
		t.Errorf("a bad line: %v", err)
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the error holds configuration: %v", err)
	}
	if line := strings.Split(b.changedText("hostname other\nfrobnicate secret-canary"), "\n")[rejected.Line-1]; !strings.HasPrefix(line, "frobnicate") {
		t.Errorf("line %d is %q", rejected.Line, line)
	}
	b.state(plugins.StateRolledBack)

	for name, text := range map[string]string{
		"without its end":       strings.TrimSuffix(before, "end\n"),
		"cut within a banner":   before[:strings.Index(before, "Authorised")+12],
		"goes on after end":     before + "hostname x\n",
		"Ctrl-D":                strings.Replace(before, "Authorised", "Authori\x04sed", 1),
		"ETX":                   strings.Replace(before, "Authorised", "\x03", 1),
		"escape":                strings.Replace(before, "Authorised", "\x1b[2J", 1),
		"end within a banner":   before[:strings.Index(before, "Authorised")] + "end\n",
		"carriage return":       strings.Replace(before, "uplink", "up\rlink", 1),
		"empty":                 "",
		"another configuration": "version 15.2\nhostname r1\n",
	} {
		a := []plugins.Artefact{{Name: runningConfig, Role: plugins.RoleRunning, Data: []byte(text)}}
		if _, err := b.drv.Stage(b.ctx, b.s, "c2", a); !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c2", nil); !errors.Is(err, plugins.ErrRejected) {
		t.Errorf("nothing to restore: %v", err)
	}

	if err := b.drv.Commit(b.ctx, b.s, "c1", within); err == nil {
		t.Error("commits what is not staged")
	}
	if err := b.drv.Confirm(b.ctx, b.s, "c9"); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("confirms what never was: %v", err)
	}
	b.must(b.drv.Discard(b.ctx, b.s, "c9"))
	if list := b.user("show configuration sessions detail"); strings.Contains(list, "c9") {
		t.Errorf("asking made a session:\n%s", list)
	}
	b.stage(want)
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); err == nil || errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("confirms what is only staged: %v", err)
	}
	for _, d := range []time.Duration{0, time.Millisecond, 100 * time.Hour} {
		if err := b.drv.Commit(b.ctx, b.s, "c1", d); err == nil {
			t.Errorf("a timer of %s", d)
		}
	}
	if b.dev.Running() != before {
		t.Error("a refusal changed the switch")
	}
}

func (b *bench) changedText(statements string) string { return string(b.changed(statements)[0].Data) }

func TestBusy(t *testing.T) {
	b := newBench(t, device.Options{})
	want := b.changed("hostname other")
	b.stage(want)
	b.user("configure session theirs", "hostname theirs", "commit timer 00:10:00")
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("commit while another timer runs: %v", err)
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c2", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("stage while another timer runs: %v", err)
	}
	b.must(b.drv.Discard(b.ctx, b.s, "c1"))
	b.state(plugins.StateRolledBack)
	if !strings.Contains(b.dev.Running(), "hostname theirs") {
		t.Error("the discard ended the foreign change")
	}
	b.clock.Advance(10 * time.Minute)

	for i := range 5 {
		b.user(fmt.Sprintf("configure session s%d", i))
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", want); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("stage with five pending sessions: %v", err)
	}
}

func TestNotPermitted(t *testing.T) {
	b := newBench(t, device.Options{Deny: []string{"configure"}})
	if e := b.export(); e.Verdict != plugins.Complete {
		t.Errorf("a login that may only read: %s %v", e.Verdict, e.Reasons)
	}
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", b.changed("hostname other")); !errors.Is(err, plugins.ErrNotPermitted) {
		t.Errorf("stage: %v", err)
	}
	b = newBench(t, device.Options{Deny: []string{"show running-config"}})
	if _, err := b.drv.Export(b.ctx, b.s); !errors.Is(err, plugins.ErrNotPermitted) {
		t.Errorf("export: %v", err)
	}
}

// TestCutAnywhere loses the connection in each command of a restore, before it
// is run, in the middle of its answer and after it. Whatever happens, the
// device is in one of two states, and what the driver says is true.
func TestCutAnywhere(t *testing.T) {
	commands := []string{"configure session cfgvault-c1", "rollback clean-config", "copy terminal", "show session-config", "show session-config diffs",
		"end", "commit timer", "configure session cfgvault-c1 commit", "write memory", "show startup-config", "show running-config", showSessions}
	three := 3
	for _, c := range commands {
		for _, f := range []device.Fault{{Command: c, Times: 1, Lose: true}, {Command: c, Times: 1, Drop: true}, {Command: c, Times: 1, Cut: &three}} {
			b := newBench(t, device.Options{})
			before, saved := b.dev.Running(), b.dev.Startup()
			want := b.changed("hostname other")
			after := string(want[0].Data)
			fired := b.dev.Inject(f)
			step, err := "stage", error(nil)
			if _, err = b.drv.Stage(b.ctx, b.s, "c1", want); err == nil {
				step = "commit"
				if err = b.drv.Commit(b.ctx, b.s, "c1", within); err == nil {
					step = "confirm"
					err = b.drv.Confirm(b.ctx, b.s, "c1")
				}
			}
			if fired() == 0 {
				t.Errorf("%s: the fault never struck", c)
			}
			name := fmt.Sprintf("%s, lose %v, drop %v, step %s", c, f.Lose, f.Drop, step)
			if err == nil { // only where the answer is too short to be cut
				if f.Cut == nil || !equal(b.dev.Running(), after) {
					t.Errorf("%s: no error", name)
				}
				continue
			}
			if !errors.Is(err, plugins.ErrSessionLost) {
				t.Errorf("%s: %v", name, err)
			}
			// Another process finds and finishes it.
			state, _, err := b.drv.Status(b.ctx, b.s, "c1")
			b.must(err)
			switch state {
			case plugins.StateNone, plugins.StateStaged, plugins.StateRolledBack:
				if b.dev.Running() != before || b.dev.Startup() != saved {
					t.Errorf("%s: %s, but the switch changed", name, state)
				}
				b.must(b.drv.Discard(b.ctx, b.s, "c1"))
				b.pending(want)
			case plugins.StatePending, plugins.StateConfirmed:
				if !equal(b.dev.Running(), after) {
					t.Errorf("%s: %s, but the switch did not change", name, state)
				}
			default:
				t.Errorf("%s: %s", name, state)
			}
			if err := b.drv.Confirm(b.ctx, b.s, "c1"); err != nil {
				t.Errorf("%s: confirm by another process: %v", name, err)
			}
			if b.dev.Reload(); !equal(b.dev.Running(), after) {
				t.Errorf("%s: gone after a reload", name)
			}
		}
	}
}

// TestManagementLost commits a configuration that moves the management
// address: the login goes, and the switch comes back by itself.
func TestManagementLost(t *testing.T) {
	b := newBench(t, device.Options{})
	before := b.dev.Running()
	want := b.changed("hostname leaf1")
	want[0].Data = bytes.Replace(want[0].Data, []byte("192.0.2.10/24"), []byte("192.0.2.77/24"), 1)
	d := b.stage(want)
	if d.Address != "192.0.2.77" {
		t.Errorf("address %q", d.Address)
	}
	if err := b.drv.Commit(b.ctx, b.s, "c1", within); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("commit: %v", err)
	}
	if _, _, err := b.drv.Status(b.ctx, b.s, "c1"); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("status of a switch that is away: %v", err)
	}
	b.clock.Advance(within)
	if b.dev.Running() != before {
		t.Error("not as before")
	}
	b.state(plugins.StateRolledBack)
}

func TestReloadWhilePending(t *testing.T) {
	b := newBench(t, device.Options{})
	before := b.dev.Running()
	b.pending(b.changed("hostname other"))
	b.dev.Reload()
	if b.dev.Running() != before {
		t.Error("the unconfirmed change survives a reload")
	}
	b.state(plugins.StateNone)
	if err := b.drv.Confirm(b.ctx, b.s, "c1"); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("confirm: %v", err)
	}
}

// TestDeadline: a device that never answers ends with the caller's deadline.
func TestDeadline(t *testing.T) {
	b := newBench(t, device.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	b.dev.Inject(device.Fault{Command: "show running-config", Before: cancel})
	b.dev.Inject(device.Fault{Command: "show running-config", Hang: true})
	if _, err := b.drv.Export(ctx, b.s); err == nil {
		t.Error("no error")
	}
}

func TestFactoryResetOfAnotherUnit(t *testing.T) {
	b := newBench(t, device.Options{})
	before := b.dev.Startup()
	for _, token := range []string{"", "SSJ99999999"} {
		if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, b.s, token); !errors.Is(err, plugins.ErrWrongUnit) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	if b.dev.Startup() != before {
		t.Error("erased")
	}
	b.dev.Inject(device.Fault{Command: "reload", Refuse: "% Reload is not possible now"})
	if err := b.drv.(plugins.Resetter).FactoryReset(b.ctx, b.s, "SSJ00000001"); err == nil {
		t.Error("a reload that was refused passes for a factory reset")
	}
}

// TestCommitOutcomeUnknown: whatever goes wrong once the commit was sent, the
// error says that the device must be asked.
func TestCommitOutcomeUnknown(t *testing.T) {
	for name, hinder := range map[string]func(*bench, context.CancelFunc){
		"no answer": func(b *bench, cancel context.CancelFunc) {
			b.dev.Inject(device.Fault{Command: "commit timer", Before: cancel})
			b.dev.Inject(device.Fault{Command: "commit timer", Hang: true})
		},
		"no list": func(b *bench, _ context.CancelFunc) {
			b.dev.Inject(device.Fault{Command: "commit timer", Before: func() {
				b.dev.Inject(device.Fault{Command: showSessions, Refuse: "% Internal error"})
			}})
		},
		"ended by another user": func(b *bench, _ context.CancelFunc) {
			b.dev.Inject(device.Fault{Command: "commit timer", Before: func() {
				b.dev.Inject(device.Fault{Command: showSessions, Times: 1, Before: func() { b.user("configure session cfgvault-c1 abort") }})
			}})
		},
	} {
		b := newBench(t, device.Options{})
		before := b.dev.Running()
		b.stage(b.changed("hostname other"))
		ctx, cancel := context.WithCancel(t.Context())
		hinder(b, cancel)
		if err := b.drv.Commit(ctx, b.s, "c1", within); !errors.Is(err, plugins.ErrSessionLost) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		b.dev.ClearFaults()
		b.must(b.drv.Discard(b.ctx, b.s, "c1"))
		if b.dev.Running() != before {
			t.Errorf("%s: not as before", name)
		}
	}
}

// TestSaveFails: the change is confirmed, but the switch cannot save it. The
// error must not pass for a rollback, and another try finishes it.
func TestSaveFails(t *testing.T) {
	for _, f := range []device.Fault{
		{Command: "write memory", Times: 1, Refuse: "% Error: No space left on device"},
		{Command: "write memory", Times: 1, Refuse: "nothing that one could rely on"},
		{Command: "write memory", Times: 1, Refuse: "Copy completed successfully."},
	} {
		b := newBench(t, device.Options{})
		want := b.changed("hostname other")
		b.pending(want)
		b.dev.Inject(f)
		if err := b.drv.Confirm(b.ctx, b.s, "c1"); err == nil || errors.Is(err, plugins.ErrRolledBack) {
			t.Errorf("%s: %v", f.Refuse, err)
		}
		b.clock.Advance(within)
		b.must(b.drv.Confirm(b.ctx, b.s, "c1"))
		if b.dev.Reload(); !equal(b.dev.Running(), string(want[0].Data)) {
			t.Errorf("%s: gone after a reload", f.Refuse)
		}
	}
}

func TestSwitchSettingsThatForbidARestore(t *testing.T) {
	for _, setting := range []string{"Merge on commit", "Autosave to startup-config on commit"} {
		b := newBench(t, device.Options{})
		list := strings.Replace(b.user(showSessions), setting+" is disabled", setting+" is enabled", 1)
		b.dev.Inject(device.Fault{Command: showSessions, Refuse: strings.TrimSuffix(list, "\n")})
		if _, err := b.drv.Stage(b.ctx, b.s, "c1", b.changed("hostname other")); err == nil {
			t.Errorf("%s: staged", setting)
		}
	}
}
