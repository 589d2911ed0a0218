package e2e

import (
	"os"
	"strings"
	"testing"
)

// The store goes away after the snapshot was fetched. A unit that carries a
// configuration of its own cannot be saved any more and stays as it is; one from
// the factory has nothing to save and gets the configuration, and what belongs
// into the store follows when it is there again.
func TestReplaceWithoutStore(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	old := newUnit(t, "eos", "SSJ00000001", false)
	h.addUnit(old, "sw1")
	full := settings(old.Running())
	gone := func(*os.Process) { moveAll(t, h.store, h.store+".away") }

	used := newUnit(t, "eos", "SSJ00000002", false)
	typeAt(t, used.Device, "configure", "hostname lab", "end", "write memory")
	before := settings(used.Running())
	args := []string{"replace", "sw1", "--yes", "--allow-host-key", "--address"}
	code, hit, said := h.faultyRun(point{"interfaces", "begin", ""}, nil, gone, append(args, used.l.Addr().String())...)
	if !hit || code != 10 || !strings.Contains(said, "is it mounted") {
		t.Errorf("exit status %d, want 10 and what to do:\n%s", code, said)
	}
	if settings(used.Running()) != before {
		t.Error("a unit that could not be saved was changed")
	}
	if open := h.workflows(); len(open) > 0 {
		t.Fatalf("still open: %v", open)
	}
	moveAll(t, h.store+".away", h.store)

	blank := newUnit(t, "eos", "SSJ00000003", true)
	code, hit, said = h.faultyRun(point{"interfaces", "begin", ""}, nil, gone, append(args, blank.l.Addr().String())...)
	if !hit || code == 0 || settings(blank.Running()) != full || blank.Startup() == "" {
		t.Errorf("exit status %d; the unit has\n%s\n%s", code, blank.Running(), said)
	}
	moveAll(t, h.store+".away", h.store)
	h.must("replace", "sw1", "--resume", "--yes")
	if r := h.must("receipt", "list", "sw1"); !strings.Contains(r.out, "replace") {
		t.Errorf("no receipt:\n%s", r.out)
	}
}
