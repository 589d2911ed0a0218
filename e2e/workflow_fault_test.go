package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

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

// within are the moments of the restore in a workflow, by what it says there.
func within(texts ...string) []point {
	var out []point
	for _, text := range texts {
		out = append(out, point{"restore", "info", text})
	}
	return out
}

// restoreSays is what a restore says at each of its steps.
var restoreSays = []string{"journalled", "the device accepted", "committing;", "runs the new configuration", "read back over", "confirming", "kept, and saved"}

// event is what a workflow prints of itself.
type event struct{ Step, Phase, Text string }

// faultyRun runs a workflow and calls do, once, at the point. hit is false if
// the workflow never came there.
func (h *home) faultyRun(p point, each func(event), do func(*os.Process), args ...string) (code int, hit bool, said string) {
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
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			h.t.Errorf("not one JSON object a line: %s", in.Text())
		}
		if each != nil {
			each(e)
		}
		if do != nil && !hit && e.Step == p.step && e.Phase == p.phase && strings.Contains(e.Text, p.text) {
			hit = true
			do(cmd.Process)
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), hit, errs.String()
}

func (h *home) workflows() []struct{ Device, Next string } {
	h.t.Helper()
	var open []struct{ Device, Next string }
	decode(h.t, h.must("workflow", "list", "--json").out, &open)
	return open
}

// victim is a unit that faults strike.
type victim interface {
	cutLink(t *testing.T)
	joinLink(t *testing.T)
	reboot(t *testing.T)
	// struck is how many connections the last cut has cost, or -1.
	struck() int
	answers() bool
}

// fault goes wrong at a point and heals.
type fault struct {
	name   string
	strike func(t *testing.T, h *home, v victim, p *os.Process)
	heal   func(t *testing.T, h *home, v victim)
}

func sigkill() fault {
	return fault{"SIGKILL", func(_ *testing.T, _ *home, _ victim, p *os.Process) { _ = p.Kill() }, nil}
}

// hostReboots ends every process of the agent at once and empties its folder of
// temporary files: what a reboot of the agent's host leaves is on its disk.
func hostReboots() fault {
	return fault{"host reboots", func(t *testing.T, h *home, _ victim, p *os.Process) {
		_ = p.Signal(syscall.SIGSTOP) // it must not end while its children are counted
		family := children(p.Pid)
		_ = p.Kill()
		for _, pid := range family {
			if child, err := os.FindProcess(pid); err == nil {
				_ = child.Kill()
			}
		}
		if err := errors.Join(os.RemoveAll(h.temp), os.Mkdir(h.temp, 0o700)); err != nil {
			t.Error(err)
		}
	}, nil}
}

func linkCut() fault {
	return fault{"link cut", func(t *testing.T, _ *home, v victim, _ *os.Process) {
		v.cutLink(t)
		time.AfterFunc(400*time.Millisecond, func() { v.joinLink(t) })
	}, func(t *testing.T, _ *home, v victim) { v.joinLink(t) }}
}

func deviceReboots() fault {
	return fault{"device reboots", func(t *testing.T, _ *home, v victim, _ *os.Process) { v.reboot(t) }, nil}
}

func storeGone() fault {
	return fault{"store gone",
		func(t *testing.T, h *home, _ victim, _ *os.Process) { moveAll(t, h.store, h.store+".away") },
		func(t *testing.T, h *home, _ victim) { moveAll(t, h.store+".away", h.store) }}
}

// children are the processes that a process has started.
func children(parent int) []int {
	var out []int
	stats, err := fs.Glob(os.DirFS("/proc"), "[0-9]*/stat")
	if err != nil {
		return nil
	}
	for _, s := range stats {
		data, err := os.ReadFile(filepath.Join("/proc", s))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(data), ") ") // after the name
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(parent) {
			if pid, err := strconv.Atoi(filepath.Dir(s)); err == nil {
				out = append(out, pid)
			}
		}
	}
	return out
}

// caseOf is one workflow on one platform in the table.
type caseOf struct {
	platform, workflow string
	points             []point
	faults             []fault
	dealt              bool // the faults take turns, one at each point
	// prepare gives the unit at hand, the arguments and how to resume; each is
	// told of every event.
	prepare func() (v victim, args, resume []string, each func(event))
	// state names what the unit has: "done", "as before", or "HALF".
	state func() string
}

// The agent dies, its host reboots, the link is cut, the device reboots, the
// store goes away: at every step of every workflow. --resume ends in done or
// rolled back, and the device has the one configuration or the other, never half
// of it.
func TestWorkflowFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(*testing.T) (*home, caseOf)
	}{
		{"eos/wipe", wipeEOS}, {"eos/replace", replaceEOS}, {"eos/upgrade", upgradeEOS},
		{"ios/wipe", wipeIOS}, {"ios/replace", replaceIOS}, {"ios/upgrade", upgradeIOS},
		{"junos/wipe", wipeJunos}, {"junos/replace", replaceJunos}, {"junos/upgrade", upgradeJunos},
		{"frr/wipe", wipeFRR}, {"frr/replace", replaceFRR},
		{"linux/wipe", wipeLinux}, {"linux/replace", replaceLinux},
	} {
		for i := range tables {
			t.Run(fmt.Sprintf("%s/%d", c.name, i+1), func(t *testing.T) {
				t.Parallel()
				h, made := c.make(t)
				made.points = every(tables, i, made.points)
				runFaults(t, h, made)
			})
		}
	}
}

// tables is into how many, each with a home and a unit of its own, the steps of
// a workflow are dealt, so that they can be tried side by side.
const tables = 2

// every takes each n-th point, from the i-th on.
func every(n, i int, points []point) []point {
	var out []point
	for ; i < len(points); i += n {
		out = append(out, points[i])
	}
	return out
}

func runFaults(t *testing.T, h *home, c caseOf) {
	var table strings.Builder
	name := c.platform + " " + c.workflow
	fmt.Fprintf(&table, "%-14s %-36s %-15s %-6s %-10s %s\n", "workflow", "step", "fault", "exit", "--resume", "device")
	for i, p := range c.points {
		for j, f := range c.faults {
			if c.dealt && j != i%len(c.faults) {
				continue
			}
			if p.phase == "info" && (f.name == "host reboots" || f.name == "store gone") {
				continue // within a restore the one is as SIGKILL, and nothing asks the store
			}
			v, args, resume, each := c.prepare()
			eventually(t, 30*time.Second, "the unit is up", v.answers)
			v.struck()
			code, hit, said := h.faultyRun(p, each, func(agent *os.Process) { f.strike(t, h, v, agent) }, args...)
			if f.heal != nil {
				f.heal(t, h, v)
			}
			if !hit {
				t.Fatalf("%s never came to %s: exit status %d\n%s", name, p, code, said)
			}
			// What struck nothing has tested nothing.
			if f.name == "link cut" && p.text != "" && p.text != "kept, and saved" && v.struck() == 0 {
				t.Errorf("%s at %s: the cut met no connection", name, p)
			}
			eventually(t, 30*time.Second, "the unit is up again", v.answers)
			var codes []string
			last := code
			for len(h.workflows()) > 0 && len(codes) < 4 {
				last, _, said = h.faultyRun(point{}, each, nil, resume...)
				codes = append(codes, strconv.Itoa(last))
			}
			state := c.state()
			fmt.Fprintf(&table, "%-14s %-36s %-15s %-6d %-10s %s\n", name, p, f.name, code, cmpOr(strings.Join(codes, " "), "-"), state)
			ok := false
			switch {
			case last == 0:
				ok = state == "done"
			case slices.Contains([]int{17, 13, 16}, last), last == 10 && f.name == "store gone":
				ok = state == "as before" // rolled back, or refused before anything was changed
			}
			if !ok {
				t.Errorf("%s, %s at %s: exit %d, --resume %v, the device is %s\n%s", name, f.name, p, code, codes, state, said)
			}
			if open := h.workflows(); len(open) > 0 {
				t.Fatalf("%s, %s at %s: still open: %v\n%s", name, f.name, p, open, said)
			}
		}
	}
	t.Logf("faults at the steps of %s:\n%s", name, table.String())
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
