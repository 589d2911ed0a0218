package e2e

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// typeConfig lets another administrator change the switch.
func typeConfig(t *testing.T, d *device.Device, lines ...string) {
	t.Helper()
	ctx := context.Background()
	cli, err := d.Session().CLI(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	for _, l := range append(append([]string{"enable", "configure"}, lines...), "end") {
		if _, err := cli.Run(ctx, plugins.Command{Text: l, Write: true}); err != nil {
			t.Error(err)
		}
	}
}

// What the device has after the commit decides: a line that is not as in the
// snapshot is not kept, however it came about.
func TestReadBackDecides(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	d := h.newSwitch("a")
	h.must("backup", "a")
	typeConfig(t, d, "hostname before-the-restore")
	before := d.Running()
	var committed, done atomic.Bool
	d.Inject(device.Fault{Command: "commit timer", Before: func() { committed.Store(true) }})
	fired := d.Inject(device.Fault{Command: "show running-config", Before: func() {
		if committed.Load() && done.CompareAndSwap(false, true) {
			typeConfig(t, d, "hostname somebody-else")
		}
	}})
	r := h.want(17, "restore", "a", "--yes")
	if !done.Load() || fired() == 0 {
		t.Fatal("nobody interfered, nothing was tested")
	}
	if !strings.Contains(r.err, "somebody-else") {
		t.Errorf("the difference is not shown:\n%s", r.err)
	}
	if got := d.Running(); got != before {
		t.Errorf("the device is not as it was:\n%s", got)
	}
}

// Somebody changes the device while the operator reads the plan: the restore is
// refused, and his change is not lost.
func TestDriftAfterPlan(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	d := h.newSwitch("a")
	h.must("backup", "a")
	typeConfig(t, d, "hostname before-the-restore")
	var done atomic.Bool
	d.Inject(device.Fault{Command: "show session-config diffs", Before: func() {
		if done.CompareAndSwap(false, true) {
			typeConfig(t, d, "hostname changed-meanwhile")
		}
	}})
	r := h.want(16, "restore", "a", "--yes")
	if !done.Load() {
		t.Fatal("nobody interfered, nothing was tested")
	}
	if !strings.Contains(r.err, "gate drift") || !strings.Contains(d.Running(), "hostname changed-meanwhile") {
		t.Errorf("%s\n%s", r.err, d.Running())
	}
	h.must("restore", "a", "--yes")
}
