package routeros

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	sim "github.com/cfgvault/cfgvault/plugins/simulate/routeros"
)

// staged is a bench whose change c1 renames the device to office2.
func staged(t *testing.T, o device.Options) *bench {
	t.Helper()
	b := newBench(t, o, sim.Variant{Flash: true})
	_, err := b.drv.Stage(t.Context(), b.Session(), "c1", with(b.export().Artefacts, "name=office1", "name=office2"))
	b.must(err)
	return b
}

// sent is the moment in which the device has taken the job of Commit and still
// runs the old configuration.
func sent(t *testing.T, o device.Options) *bench {
	t.Helper()
	b := staged(t, o)
	drv := driver{func(context.Context, time.Duration) error { return plugins.ErrSessionLost }}
	if err := drv.Commit(t.Context(), b.Session(), "c1", within); !errors.Is(err, plugins.ErrSessionLost) {
		t.Fatalf("a commit whose connection goes: %v", err)
	}
	if !strings.Contains(b.Running(), "office1") {
		t.Fatal("the device has reset at once")
	}
	return b
}

// TestCommitWaits: Commit never ends well while the old configuration runs.
func TestCommitWaits(t *testing.T) {
	b := staged(t, device.Options{BootTime: time.Minute})
	if err := b.drv.Commit(t.Context(), b.Session(), "c1", within); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("a reset takes the connection: %v", err)
	}
	if strings.Contains(b.Running(), "office1") {
		t.Error("the old configuration still runs after the commit")
	}
	if _, _, err := b.drv.Status(t.Context(), b.Session(), "c1"); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("while it boots: %v", err)
	}
	b.Advance(time.Minute + poll)
	if left := b.state(plugins.StatePending); left != within {
		t.Errorf("the timer began before the reboot was over: %s left", left)
	}
	b.must(b.drv.Confirm(t.Context(), b.Session(), "c1"))
	b.Advance(2 * within)
	if !strings.Contains(b.Running(), "office2") {
		t.Error("a confirmed change is gone")
	}
}

// TestCommitInVain: a device that does nothing of what it took is reported, and
// the change ends.
func TestCommitInVain(t *testing.T) {
	b := staged(t, device.Options{})
	before := b.Running()
	s := bad{b.Session(), func(c string) string { return strings.Replace(c, "/system reset-configuration", ":nothing", 1) }, nil}
	from := b.clock.Now()
	if err := b.drv.Commit(t.Context(), s, "c1", within); err == nil || errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("a reset that never comes: %v", err)
	}
	if waited := b.clock.Now().Sub(from); waited != patience {
		t.Errorf("it waited %s", waited)
	}
	b.state(plugins.StateRolledBack)
	b.must(b.drv.Discard(t.Context(), b.Session(), "c1"))
	b.state(plugins.StateNone)
	if b.Running() != before {
		t.Error("the device has changed")
	}
}

// TestStatusWaits: who asks before the reset is not told that nothing happened,
// and who asks while the export runs not that it is done.
func TestStatusWaits(t *testing.T) {
	b := sent(t, device.Options{})
	if st, _, err := b.drv.Status(t.Context(), b.Session(), "c1"); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("before the reset: %s (%v)", st, err)
	}
	b.Advance(poll)
	b.state(plugins.StatePending)

	mark := func(as string) {
		_, err := b.Session().Run(t.Context(), plugins.Command{Text: "/system scheduler set [find name=cfgvault-c1] comment=" + as, Write: true})
		b.must(err)
	}
	mark("armed")
	asked := 0
	b.drv.pause = func(context.Context, time.Duration) error {
		if asked++; asked == 3 {
			mark("applied")
		}
		return nil
	}
	b.state(plugins.StatePending)
	if asked != 3 {
		t.Errorf("it waited %d times while the export ran", asked)
	}
	mark("armed") // for ever
	b.drv.pause = passes(b.clock)
	if left := b.state(plugins.StatePending); left != within-patience-poll && left != within-patience {
		t.Errorf("an import without an end: %s left", left)
	}
}

// TestDiscardWaits: what the device needs to go back is not taken from it while
// it resets.
func TestDiscardWaits(t *testing.T) {
	b := sent(t, device.Options{})
	before := b.Running()
	if err := b.drv.Discard(t.Context(), b.Session(), "c1"); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("before the reset: %v", err)
	}
	b.Advance(poll)
	b.state(plugins.StatePending)
	b.must(b.drv.Discard(t.Context(), b.Session(), "c1"))
	if b.Running() != before {
		t.Error("Discard returns before the device has gone back")
	}
	b.state(plugins.StateRolledBack)
	b.must(b.drv.Discard(t.Context(), b.Session(), "c1"))
	b.state(plugins.StateNone)
}

// TestConfirmationCut: the connection goes between the steps of a confirmation;
// asked again, the device knows whether its timer won.
func TestConfirmationCut(t *testing.T) {
	for _, o := range []struct {
		cut   string // the command that does not reach the device
		after bool   // or whose answer does not come back
		want  plugins.State
		name  string
	}{
		{"/system scheduler remove", false, plugins.StateRolledBack, "office1"},
		{"/system scheduler remove", true, plugins.StateConfirmed, "office2"},
	} {
		b := staged(t, device.Options{})
		b.must(b.commit(b.Session(), "c1"))
		b.dev.Inject(device.Fault{Command: o.cut, Lose: !o.after, Drop: o.after})
		if err := b.drv.Confirm(t.Context(), b.Session(), "c1"); !errors.Is(err, plugins.ErrSessionLost) {
			t.Errorf("%+v: %v", o, err)
		}
		b.dev.ClearFaults()
		b.Advance(within)
		b.Advance(poll)
		b.state(o.want)
		if !strings.Contains(b.Running(), o.name) {
			t.Errorf("%+v: another configuration runs", o)
		}
		if err := b.drv.Confirm(t.Context(), b.Session(), "c1"); (err == nil) != (o.want == plugins.StateConfirmed) {
			t.Errorf("%+v: confirmed again: %v", o, err)
		}
		b.state(o.want)
	}
}

// TestRemovalCut: wherever the removal of the files stops, a confirmed change is
// confirmed, and one that was never confirmed is not.
func TestRemovalCut(t *testing.T) {
	for n := range leftovers() {
		gone := leftovers()[:n]
		st := state{staged: !slices.Contains(gone, ".rsc"), backup: !slices.Contains(gone, ".backup"), run: !slices.Contains(gone, runSuffix)}
		if got := st.of(); got == plugins.StateConfirmed {
			t.Errorf("without %q: %s", gone, got)
		}
		if st.confirmed = true; st.of() != plugins.StateConfirmed {
			t.Errorf("confirmed, without %q: %s", gone, st.of())
		}
	}
}
