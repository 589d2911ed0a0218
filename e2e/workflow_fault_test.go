package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// bench is a simulated unit at the end of a cable.
type bench struct {
	*device.Device
	*cable
	driver, serial string
}

func newBench(t *testing.T, serial string, wiped bool) *bench {
	t.Helper()
	return newUnit(t, "eos", serial, wiped)
}

// point is a moment of a workflow at which something goes wrong.
type point struct{ step, phase, text string }

func (p point) String() string {
	if p.text != "" {
		return p.step + ": " + p.text
	}
	return p.step
}

func steps(names ...string) []point {
	var out []point
	for _, n := range names {
		out = append(out, point{n, "begin", ""})
	}
	return out
}

// within are the moments of the restore in a workflow, by what it says there;
// all of them are tried in one.
func within(texts ...string) []point {
	if texts == nil {
		texts = []string{"journalled", "the device accepted", "committing;", "runs the new configuration", "read back over", "confirming", "kept, and saved"}
	}
	var out []point
	for _, text := range texts {
		out = append(out, point{"restore", "info", text})
	}
	return out
}

// faultyRun runs a workflow and calls do, once, at the point. hit is false if
// the workflow never came there.
func (h *home) faultyRun(p point, each func(step, phase string), do func(*os.Process), args ...string) (code int, hit bool, said string) {
	h.t.Helper()
	cmd := h.command(append(args, "--json")...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var e struct{ Step, Phase, Text string }
		if json.Unmarshal(in.Bytes(), &e) != nil {
			h.t.Errorf("not one JSON object a line: %s", in.Text())
		}
		if each != nil {
			each(e.Step, e.Phase)
		}
		if !hit && e.Step == p.step && e.Phase == p.phase && strings.Contains(e.Text, p.text) {
			hit = true
			do(cmd.Process)
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !asExit(err, &exit) {
		h.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), hit, errs.String()
}

func asExit(err error, exit **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*exit = e
	return ok
}

func (h *home) workflows() []struct{ Device, Next string } {
	h.t.Helper()
	var open []struct{ Device, Next string }
	decode(h.t, h.must("workflow", "list", "--json").out, &open)
	return open
}

// faults are what goes wrong; each strikes and heals.
func faults(b *bench) []struct {
	name   string
	strike func(*os.Process)
} {
	return []struct {
		name   string
		strike func(*os.Process)
	}{
		{"SIGKILL", func(p *os.Process) { _ = p.Kill() }},
		{"link cut", func(*os.Process) {
			b.Cut()
			time.AfterFunc(400*time.Millisecond, b.Join)
		}},
		{"device reboots", func(*os.Process) { b.Reload() }},
	}
}

// caseOf is one workflow in the table.
type caseOf struct {
	name   string
	points []point
	// prepare gives the switch at hand, the arguments and how to resume; each
	// is told of every event.
	prepare func() (b *bench, args, resume []string, each func(step, phase string))
	// state names what the switch has: "done", "as before", or "HALF".
	state func(b *bench) string
}

// The agent dies, the link is cut, the device reboots: at every step of every
// workflow. --resume ends in done or rolled back, and the device has the one
// configuration or the other, never half of it.
func TestWorkflowFaults(t *testing.T) {
	t.Run("wipe", func(t *testing.T) { t.Parallel(); runFaults(wipeCase(t)) })
	t.Run("replace", func(t *testing.T) { t.Parallel(); runFaults(replaceCase(t)) })
	t.Run("upgrade", func(t *testing.T) { t.Parallel(); runFaults(upgradeCase(t)) })
}

func runFaults(t *testing.T, h *home, c caseOf) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-8s %-36s %-15s %-6s %-10s %s\n", "workflow", "step", "fault", "exit", "--resume", "device")
	for _, p := range c.points {
		for i := range 3 {
			b, args, resume, each := c.prepare()
			b.struck()
			f := faults(b)[i]
			code, hit, said := h.faultyRun(p, each, f.strike, args...)
			if !hit {
				t.Errorf("%s never came to %s:\n%s", c.name, p, said)
				continue
			}
			b.Join()
			// What struck nothing has tested nothing.
			if f.name == "link cut" && p.text != "" && p.text != "kept, and saved" && b.struck() == 0 {
				t.Errorf("%s at %s: the cut met no connection", c.name, p)
			}
			eventually(t, 10*time.Second, "the switch is up again", func() bool {
				conn, err := net.Dial("tcp", b.l.Addr().String())
				if err == nil {
					conn.Close()
				}
				return err == nil
			})
			var codes []string
			last := code
			for len(h.workflows()) > 0 && len(codes) < 4 {
				res := h.run(resume...)
				last, said = res.code, res.err
				codes = append(codes, fmt.Sprint(last))
			}
			state := c.state(b)
			fmt.Fprintf(&table, "%-8s %-36s %-15s %-6d %-10s %s\n", c.name, p, f.name, code, cmpOr(strings.Join(codes, " "), "-"), state)
			ok := false
			switch last {
			case 0:
				ok = state == "done"
			case 17, 13, 16: // rolled back, or refused before anything was changed
				ok = state == "as before"
			}
			if !ok {
				t.Errorf("%s, %s at %s: exit %d, --resume %v, the device is %s\n%s", c.name, f.name, p, code, codes, state, said)
			}
			if open := h.workflows(); len(open) > 0 {
				t.Fatalf("%s, %s at %s: still open: %v\n%s", c.name, f.name, p, open, said)
			}
		}
	}
	t.Logf("faults at every step of %s:\n%s", c.name, table.String())
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// significantEOS drops the comments that a switch writes anew each time.
func significantEOS(config string) string {
	var b strings.Builder
	for line := range strings.Lines(config) {
		if !strings.HasPrefix(line, "! ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func (h *home) addSwitch(b *bench, name string) {
	h.t.Helper()
	h.must("device", "add", name, "--driver", "eos", "--address", b.l.Addr().String(), "--user", "admin", "--password-file", h.secretFile(name+".pw", "switch-password"))
	h.must("device", "trust", name, "--yes")
	h.must("backup", name)
}

func wipeCase(t *testing.T) (*testing.T, *home, caseOf) {
	h := newHome(t)
	b := newBench(t, "SSJ00000001", false)
	h.addSwitch(b, "sw1")
	full := significantEOS(b.Running())
	return t, h, caseOf{
		name:   "wipe",
		points: append(steps("snapshot", "identify", "approve", "reset", "proof", "receipt", "wait", "restore"), within("runs the new configuration", "confirming")...),
		prepare: func() (*bench, []string, []string, func(string, string)) {
			return b, []string{"wipe", "sw1", "--serial", b.serial, "--yes", "--then-restore", "--wait", "30s", "--proof-within", "20s"},
				[]string{"wipe", "sw1", "--resume", "--yes", "--serial", b.serial}, nil
		},
		state: func(b *bench) string {
			run, start := significantEOS(b.Running()), b.Startup()
			if run == full && start != "" {
				// Brought back, or never touched: the exit status says which.
				if r := h.run("receipt", "list", "sw1", "--json"); strings.Contains(r.out, `"wipe"`) {
					return "done"
				}
				return "as before"
			}
			return "HALF"
		},
	}
}

func replaceCase(t *testing.T) (*testing.T, *home, caseOf) {
	h := newHome(t)
	first := newBench(t, "SSJ00000001", false)
	h.addSwitch(first, "sw1")
	full := significantEOS(first.Running())
	n := 1
	var fresh string
	return t, h, caseOf{
		name:   "replace",
		points: append(append(steps("snapshot", "host-key", "identify", "interfaces", "restore"), within()...), steps("inventory", "verify", "baseline", "receipt")...),
		prepare: func() (*bench, []string, []string, func(string, string)) {
			n++
			b := newBench(t, fmt.Sprintf("SSJ%08d", n), true)
			fresh = significantEOS(b.Running())
			return b, []string{"replace", "sw1", "--address", b.l.Addr().String(), "--yes", "--allow-host-key"},
				[]string{"replace", "sw1", "--resume", "--yes", "--allow-host-key"}, nil
		},
		state: func(b *bench) string {
			var d struct {
				Address string
			}
			decode(t, h.must("device", "show", "sw1", "--json").out, &d)
			took := d.Address == b.l.Addr().String()
			switch run := significantEOS(b.Running()); {
			case run == full && b.Startup() != "" && took:
				return "done"
			case run == fresh && b.Startup() == "" && !took:
				return "as before"
			}
			return "HALF"
		},
	}
}

func upgradeCase(t *testing.T) (*testing.T, *home, caseOf) {
	h := newHome(t)
	b := newBench(t, "SSJ00000001", false)
	h.addSwitch(b, "sw1")
	full := significantEOS(b.Running())
	n := 0
	var lost string
	return t, h, caseOf{
		name:   "upgrade",
		points: append(steps("snapshot", "upgrade", "identify", "compare", "restore"), append(within("runs the new configuration", "confirming"), steps("baseline", "receipt")...)...),
		prepare: func() (*bench, []string, []string, func(string, string)) {
			n++
			lost = ""
			flag := filepath.Join(filepath.Dir(h.dir), fmt.Sprintf("upgraded-%d", n))
			done := false
			// The release that the switch is brought to has forgotten two statements.
			return b, []string{"upgrade", "sw1", "begin", "--yes", "--restore", "--allow-version", "--exec", "until [ -e " + flag + " ]; do sleep 0.02; done", "--wait", "20s"},
				[]string{"upgrade", "sw1", "finish", "--yes", "--restore", "--allow-version", "--wait", "20s"},
				func(step, phase string) {
					if step == "upgrade" && phase == "begin" && !done {
						done = true
						configure(t, b.Device, "interface Ethernet2", "no switchport access vlan", "exit", "no ip route 0.0.0.0/0 192.0.2.1")
						lost = significantEOS(b.Running())
						if lost == full {
							t.Error("the upgrade lost nothing")
						}
						if err := os.WriteFile(flag, nil, 0o600); err != nil {
							t.Error(err)
						}
					}
				}
		},
		state: func(b *bench) string {
			switch run, start := significantEOS(b.Running()), significantEOS(b.Startup()); {
			case run == full && lost == "": // not even upgraded
				return "as before"
			case run == full && start == full:
				return "done"
			case run == lost && start == lost:
				return "as before"
			}
			return "HALF"
		},
	}
}

// configure types lines in configuration mode and saves, as somebody at the
// console would.
func configure(t *testing.T, d *device.Device, lines ...string) {
	t.Helper()
	typeAt(t, d, append(append([]string{"configure"}, lines...), "end", "write memory")...)
}
