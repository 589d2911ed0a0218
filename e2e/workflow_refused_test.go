package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins/builtin"
	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/vault"
)

// What must not happen does not: refused before the device is touched, with the
// status that says why and the sentence that tells a technician what to do.
func TestWorkflowRefusals(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	old := newUnit(t, "eos", "SSJ00000001", false)
	other := newUnit(t, "eos", "SSJ00000002", false)
	h.addUnit(old, "sw1")
	h.addUnit(other, "sw2")
	strange := h.latest("sw2").ID
	// A switch that does not tell its startup configuration is saved in part.
	old.Inject(device.Fault{Command: "show startup-config", Refuse: "% Authorization denied"})
	h.want(3, "backup", "sw1", "--force")
	old.ClearFaults()
	all := h.list("sw1")
	partial := all[len(all)-1].ID
	h.must("backup", "sw1", "--force")

	fresh := func(o device.Options) *bench {
		o.User, o.Password, o.Config = "admin", "switch-password", simulate.Sample("eos")
		d, err := simulate.New("eos", o)
		if err != nil {
			t.Fatal(err)
		}
		addr, err := d.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		d.FactoryReset()
		return &bench{Device: d, cable: newCable(t, addr.String()), driver: "eos", serial: o.Serial}
	}
	unit := fresh(device.Options{Serial: "SSJ00000009"})
	aged := fresh(device.Options{Serial: "SSJ00000008", Version: "4.20.1F"})
	another := fresh(device.Options{Serial: "SSJ00000007", Model: "DCS-7010T-48"})
	router, err := simulate.New("ios", device.Options{Config: simulate.Sample("ios"), User: "admin", Password: "switch-password"})
	if err != nil {
		t.Fatal(err)
	}
	routerAddr, err := router.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { router.Close() })
	lost := filepath.Join(t.TempDir(), "lost.yaml")
	if err := os.WriteFile(lost, []byte("Ethernet1: Ethernet9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hide := func(path string) func() {
		return func() {
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
		}
	}
	back := func(path string) func() {
		return func() {
			// A mount point that is empty may be there.
			if err := errors.Join(os.RemoveAll(path), os.Rename(path+".away", path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	identity, object := filepath.Join(h.dir, "vault", "identity.txt"), ""
	for _, s := range h.list("sw1") {
		if s.Latest {
			object = filepath.Join(h.store, s.Object)
		}
	}
	replace := func(b *bench, more ...string) []string {
		return append([]string{"replace", "sw1", "--address", b.l.Addr().String(), "--yes", "--allow-host-key"}, more...)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-34s %-6s %s\n", "what is wrong", "exit", "what is said")
	for _, c := range []struct {
		what       string
		args       []string
		code       int
		says       string
		break_, ok func()
	}{
		{"another serial than was said", replace(unit, "--serial", "SSJ1"), 16, "check the address and the cabling", nil, nil},
		{"the old unit", replace(old), 16, "`cfgvault restore sw1`", nil, nil},
		{"the unit of another device", replace(other), 16, "is sw2: it has a place of its own", nil, nil},
		{"another platform", []string{"replace", "sw1", "--address", routerAddr.String(), "--yes", "--allow-host-key"}, 16, "check the address", nil, nil},
		{"older firmware", replace(aged), 16, "older than the snapshot's", nil, nil},
		{"another model", replace(another), 16, "--allow-model", nil, nil},
		{"a snapshot that is not complete", replace(unit, "--at", partial), 16, "--allow-incomplete", nil, nil},
		{"a snapshot of another device", replace(unit, "--at", strange), 16, "not of sw1", nil, nil},
		{"a map that loses a port", replace(unit, "--map", lost), 16, "Ethernet9, which the new unit does not have", nil, nil},
		{"a map that leaves a port out", replace(unit, "--map", h.secretFile("out.yaml", `Ethernet1: ""`)), 16, "leaves Ethernet1 out, which is in use", nil, nil},
		{"a map onto what is no port", replace(unit, "--map", h.secretFile("virtual.yaml", "Ethernet1: Loopback0")), 16, "Loopback0", nil, nil},
		{"a host key that is not the console's", replace(unit, "--host-key", "SHA256:other"), 16, "somebody else may be answering", nil, nil},
		{"no identity", replace(unit), 12, "-i", hide(identity), back(identity)},
		{"the store is gone", replace(unit), 10, "is it mounted", hide(h.store), back(h.store)},
		{"the snapshot is not in the store", replace(unit), 15, "`cfgvault list sw1`", hide(object), back(object)},
		{"wipe: no identity", []string{"wipe", "sw1", "--serial", old.serial, "--yes"}, 12, "-i", hide(identity), back(identity)},
		{"wipe: the store is gone", []string{"wipe", "sw1", "--serial", old.serial, "--yes"}, 10, "is it mounted", hide(h.store), back(h.store)},
		{"wipe: the snapshot is not there", []string{"wipe", "sw1", "--serial", old.serial, "--yes"}, 15, "`cfgvault list sw1`", hide(object), back(object)},
		{"wipe: another serial", []string{"wipe", "sw1", "--serial", "SSJ1", "--yes"}, 16, "nothing was reset", nil, nil},
		{"wipe: an old snapshot", []string{"wipe", "sw1", "--serial", old.serial, "--yes", "--max-age", "1ns"}, 16, "`cfgvault backup sw1`", nil, nil},
	} {
		units := []*bench{old, other, unit, aged, another}
		was := make([]string, len(units))
		for i, u := range units {
			was[i] = settings(u.Running()) + "\x00" + settings(u.Startup())
		}
		if c.break_ != nil {
			c.break_()
		}
		res := h.run(c.args...)
		if c.ok != nil {
			c.ok()
		}
		lines := strings.Split(strings.TrimSpace(res.err), "\n")
		last := lines[len(lines)-1]
		fmt.Fprintf(&table, "%-34s %-6d %s\n", c.what, res.code, strings.TrimPrefix(last, "cfgvault: error: "))
		if res.code != c.code || !strings.Contains(last, c.says) {
			t.Errorf("%s: exit status %d, want %d and %q:\n%s", c.what, res.code, c.code, c.says, res.err)
		}
		for i, u := range units {
			if settings(u.Running())+"\x00"+settings(u.Startup()) != was[i] {
				t.Errorf("%s: unit %s was changed", c.what, u.serial)
			}
		}
		if open := h.workflows(); len(open) > 0 {
			t.Fatalf("%s: a workflow is open", c.what)
		}
	}
	t.Logf("refused before anything is touched:\n%s", table.String())

	// A clock that went back an hour.
	home, err := agent.FindHome(h.dir, "", os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	ag, err := agent.Open(context.Background(), agent.Options{Home: home, Executable: binary, Builtin: builtin.Names(), Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	defer ag.Close()
	_, err = ag.Wipe(context.Background(), agent.WipeOptions{WorkflowOptions: agent.WorkflowOptions{Device: "sw1"}, Serial: old.serial, MaxAge: time.Hour})
	if !errors.Is(err, vault.ErrClock) {
		t.Errorf("a wrong clock: %v", err)
	}
	was := settings(unit.Running())
	_, err = ag.Replace(context.Background(), agent.ReplaceOptions{Address: unit.l.Addr().String(),
		WorkflowOptions: agent.WorkflowOptions{Device: "sw1", Allow: map[agent.Gate]bool{agent.GateHostKey: true}}})
	if !errors.Is(err, vault.ErrClock) || settings(unit.Running()) != was {
		t.Errorf("a replacement by a wrong clock: %v", err)
	}
}

// The store goes away after the way back is proved, for instance because it is
// behind the very switch: the switch comes back from what lies beside the
// journal, and the receipt is written when the store is there again.
func TestWipeWithoutStore(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	b := newUnit(t, "eos", "SSJ00000001", false)
	h.addUnit(b, "sw1")
	full := settings(b.Running())
	code, hit, said := h.faultyRun(point{"reset", "begin", ""}, nil, func(*os.Process) {
		moveAll(t, h.store, h.store+".away")
	}, "wipe", "sw1", "--serial", b.serial, "--yes", "--then-restore")
	if !hit || code != 3 {
		t.Errorf("exit status %d, want 3: only the receipt is missing\n%s", code, said)
	}
	if settings(b.Running()) != full || b.Startup() == "" {
		t.Fatalf("the switch did not come back without the store:\n%s", said)
	}
	moveAll(t, h.store+".away", h.store)
	h.must("wipe", "sw1", "--resume", "--yes")
	if r := h.must("receipt", "list", "sw1"); !strings.Contains(r.out, "wipe") {
		t.Errorf("no receipt:\n%s", r.out)
	}
	if open := h.workflows(); len(open) > 0 {
		t.Errorf("still open: %v", open)
	}
}

// moveAll empties a folder into another one, as unmounting does for whoever has
// it open.
func moveAll(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Error(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		path := filepath.Join(to, e.Name())
		if err := errors.Join(os.RemoveAll(path), os.Rename(filepath.Join(from, e.Name()), path)); err != nil {
			t.Error(err)
		}
	}
}
