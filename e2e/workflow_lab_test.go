package e2e

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/e2e/lab"
)

// real is a device of the lab as a victim.
type real struct{ *lab.Device }

func (r real) cutLink(t *testing.T) {
	if err := r.Cut(context.Background()); err != nil {
		t.Error(err)
	}
}

func (r real) joinLink(t *testing.T) {
	if err := r.Join(context.Background()); err != nil {
		t.Error(err)
	}
}

func (r real) reboot(t *testing.T) {
	if err := r.Reboot(context.Background()); err != nil {
		t.Error(err)
	}
}

func (real) struck() int { return -1 } // nobody counts

func (r real) answers() bool {
	conn, err := net.DialTimeout("tcp", r.HostPort(), time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func newMachine(t *testing.T, name string) *lab.Machine {
	t.Helper()
	l, err := openLab()
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.Machine(context.Background(), lab.MachineOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Stop() })
	return m
}

// addMachine puts a machine of the lab into the inventory and trusts it.
func (h *home) addMachine(name string, m *lab.Machine) {
	h.t.Helper()
	h.must("device", "add", name, "--driver", "linux", "--address", m.HostPort(), "--user", "root", "--key", m.Root().KeyFile)
	h.must("device", "trust", name, "--yes")
}

// hostname is the system's own, which FRR shows as its own where nobody set it.
var hostname = regexp.MustCompile(`(?m)^hostname .*\n`)

// kept is a router's running and startup configuration, without its host name.
func kept(t *testing.T, r *lab.Router) (running, startup string) {
	t.Helper()
	data, err := r.Startup()
	if err != nil {
		t.Fatal(err)
	}
	return hostname.ReplaceAllString(significant(t, r), ""), hostname.ReplaceAllString(string(lab.Significant(data)), "")
}

// written is a router whose startup configuration is in FRR's own writing, as a
// restore leaves it.
func written(t *testing.T, name string) *lab.Router {
	t.Helper()
	r := newRouter(t, name)
	writeMemory(t, r)
	return r
}

func writeMemory(t *testing.T, r *lab.Router) {
	t.Helper()
	if _, err := r.Run(context.Background(), "vtysh", "-c", "write memory"); err != nil {
		t.Fatal(err)
	}
}

// folder is a line of the list that names no file: an empty one configures
// nothing, and a change that was taken back may leave it.
var folder = regexp.MustCompile(`(?m)^\S+ 755 root:root\n`)

// configFiles are a machine's configuration files, with mode and owner.
func configFiles(t *testing.T, m *lab.Machine) string {
	t.Helper()
	out, err := m.Run(context.Background(), "sh", "-c", listFiles)
	if err != nil {
		t.Fatal(err)
	}
	return folder.ReplaceAllString(string(out), "")
}

// differs reports whether a unit has something else than it should, and shows it.
func differs(t *testing.T, what, want, got string) bool {
	t.Helper()
	if got != want {
		t.Logf("%s\n%s", what, udiff.Unified("wanted", "device", want, got))
	}
	return got != want
}

func wipeFRR(t *testing.T) (*home, caseOf) {
	r, h := written(t, "wipefault"), newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	full, saved := kept(t, r)
	return h, wipeReal(h, "frr", "r1", r.Device, func() bool {
		running, startup := kept(t, r)
		return !differs(t, "running", full, running) && !differs(t, "startup", saved, startup)
	})
}

func wipeLinux(t *testing.T) (*home, caseOf) {
	m, h := newMachine(t, "wipefault"), newHome(t)
	h.addMachine("m1", m)
	h.must("backup", "m1")
	full := configFiles(t, m)
	return h, wipeReal(h, "linux", "m1", m.Device, func() bool { return !differs(t, "files", full, configFiles(t, m)) })
}

func wipeReal(h *home, driver, name string, d *lab.Device, whole func() bool) caseOf {
	receipts := 0
	return caseOf{
		platform: driver, workflow: "wipe", faults: someFaults(),
		points: append(steps("reset", "proof", "restore"), within("runs the new configuration", "confirming")...),
		prepare: func() (victim, []string, []string, func(event)) {
			receipts = h.receipts(name, "wipe")
			return real{d}, []string{"wipe", name, "--serial", d.Serial, "--yes", "--then-restore", "--wait", "60s", "--proof-within", "30s"},
				[]string{"wipe", name, "--resume", "--yes", "--serial", d.Serial}, nil
		},
		state: func() string {
			switch {
			case !whole():
				return "HALF"
			case h.receipts(name, "wipe") > receipts:
				return "done"
			}
			return "as before"
		},
	}
}

// replacePoints are the moments at which the new unit, or its place, changes.
func replacePoints() []point {
	return slices.Concat(within("runs the new configuration", "confirming"), steps("inventory"))
}

func replaceFRR(t *testing.T) (*home, caseOf) {
	first, h := written(t, "replaced0"), newHome(t)
	h.addRouter("r1", first)
	h.must("backup", "r1")
	full, saved := kept(t, first)
	n := 0
	var now *lab.Router
	var wiped, wipedSaved string
	return h, caseOf{
		platform: "frr", workflow: "replace", faults: someFaults(), points: replacePoints(),
		prepare: func() (victim, []string, []string, func(event)) {
			n++
			if now != nil {
				now.Stop()
			}
			now = newRouter(t, fmt.Sprintf("replaced%d", n))
			wipe(t, now)
			writeMemory(t, now)
			wiped, wipedSaved = kept(t, now)
			return real{now.Device}, []string{"replace", "r1", "--address", now.HostPort(), "--yes", "--allow-host-key", "--allow-losses"},
				[]string{"replace", "r1", "--resume", "--yes", "--allow-host-key", "--allow-losses"}, nil
		},
		state: func() string {
			running, startup := kept(t, now)
			took := h.address("r1") == now.HostPort()
			switch {
			case running == full && startup == saved && took:
				return "done"
			case running == wiped && startup == wipedSaved && !took:
				return "as before"
			}
			differs(t, "running", full, running)
			differs(t, "running before", wiped, running)
			differs(t, "startup", saved, startup)
			differs(t, "startup before", wipedSaved, startup)
			return "HALF"
		},
	}
}

func replaceLinux(t *testing.T) (*home, caseOf) {
	first, h := newMachine(t, "machine0"), newHome(t)
	h.addMachine("m1", first)
	h.must("backup", "m1")
	full := configFiles(t, first)
	n := 0
	var now *lab.Machine
	var wiped string
	return h, caseOf{
		platform: "linux", workflow: "replace", faults: someFaults(), dealt: true, points: replacePoints(),
		prepare: func() (victim, []string, []string, func(event)) {
			n++
			if now != nil {
				now.Stop()
			}
			now = newMachine(t, fmt.Sprintf("machine%d", n))
			if err := now.Wipe(context.Background()); err != nil {
				t.Fatal(err)
			}
			wiped = configFiles(t, now)
			return real{now.Device}, []string{"replace", "m1", "--address", now.HostPort(), "--yes", "--allow-host-key", "--allow-losses"},
				[]string{"replace", "m1", "--resume", "--yes", "--allow-host-key", "--allow-losses"}, nil
		},
		state: func() string {
			files, took := configFiles(t, now), h.address("m1") == now.HostPort()
			switch {
			case files == full && took:
				return "done"
			case files == wiped && !took:
				return "as before"
			}
			differs(t, "files", full, files)
			differs(t, "files before", wiped, files)
			return "HALF"
		},
	}
}

// address is where the inventory has a device.
func (h *home) address(device string) string {
	h.t.Helper()
	var d struct{ Address string }
	decode(h.t, h.must("device", "show", device, "--json").out, &d)
	return d.Address
}
