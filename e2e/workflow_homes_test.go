package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/vyos"
)

// Two agents with homes of their own have the same device. While one of them has
// a change on it, the device's own lock keeps the other away; then it goes on.
func TestTwoHomesOneDevice(t *testing.T) {
	t.Parallel()
	one, two := newHome(t), newHome(t)
	b := newUnit(t, "eos", "TH00000001", false)
	one.addUnit(b, "sw1")
	two.addUnit(b, "sw1")
	full := settings(b.Running())
	b.FactoryReset()
	eventually(t, 10*time.Second, "the switch is up", b.answers)
	one.killRestore("sw1", "runs the new configuration", "--within", "10m")
	pending := settings(b.Running())
	for _, args := range [][]string{
		{"restore", "sw1", "--yes"},
		{"wipe", "sw1", "--serial", b.serial, "--yes"},
		{"wipe", "sw1", "--serial", b.serial, "--yes", "--then-restore"},
	} {
		if r := two.want(16, args...); settings(b.Running()) != pending {
			t.Fatalf("cfgvault %s from another home changed the device:\n%s", strings.Join(args, " "), r.err)
		}
		if open := two.workflows(); len(open) > 0 {
			t.Errorf("a workflow that was refused is open: %v", open)
		}
	}
	one.must("restore", "sw1", "--resume", "--yes")
	if got := settings(b.Running()); got != full || settings(b.Startup()) == "" {
		t.Errorf("it runs\n%s\nwant\n%s", got, full)
	}
	two.must("restore", "sw1", "--yes")
}

// What a workflow prints for machines keeps its form.
func TestWorkflowEvents(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	b := newUnit(t, "eos", "WE00000001", false)
	h.addUnit(b, "sw1")
	out := h.must("wipe", "sw1", "--serial", b.serial, "--yes", "--then-restore", "--json").out
	var phases []string
	steps := map[string][]string{}
	in := bufio.NewScanner(strings.NewReader(out))
	var last map[string]any
	for in.Scan() {
		last = map[string]any{}
		decode(t, in.Text(), &last)
		if _, ok := last["phase"]; !ok {
			break
		}
		for key, value := range last {
			_, text := value.(string)
			_, number := value.(float64)
			if !slices.Contains([]string{"workflow", "device", "step", "phase", "text", "seconds"}, key) || text == (key == "seconds") || number != (key == "seconds") {
				t.Errorf("the member %s: %v", key, value)
			}
		}
		phase, _ := last["phase"].(string)
		step, _ := last["step"].(string)
		if !slices.Contains(phases, phase) {
			phases = append(phases, phase)
		}
		if phase == "begin" || phase == "done" {
			steps[phase] = append(steps[phase], step)
		}
		if last["workflow"] != "wipe" || last["device"] != "sw1" {
			t.Errorf("an event of nothing: %v", last)
		}
	}
	want := []string{"snapshot", "identify", "plan", "approve", "reset", "proof", "receipt", "wait", "restore"}
	if !slices.Equal(steps["begin"], want) || !slices.Equal(steps["done"], want) {
		t.Errorf("steps begun %v, done %v, want %v", steps["begin"], steps["done"], want)
	}
	if !slices.Equal(phases, []string{"plan", "begin", "info", "done", "end"}) {
		t.Errorf("phases %v", phases)
	}
	for key, value := range map[string]any{"workflow": "wipe", "device": "sw1", "outcome": "done", "proof": "factory-default", "status": 0.0} {
		if last[key] != value {
			t.Errorf("the outcome has %s %v, want %v", key, last[key], value)
		}
	}
	if in.Scan() {
		t.Errorf("something follows the outcome: %s", in.Text())
	}
	var all []struct{ Device, Workflow, State string }
	decode(t, h.must("workflow", "list", "--all", "--json").out, &all)
	if len(all) != 1 || all[0].Device != "sw1" || all[0].Workflow != "wipe" || all[0].State != "done" {
		t.Errorf("workflow list --all: %+v", all)
	}
}

// An upgrade that was begun goes on days later, when somebody had time for it.
func TestWorkflowDaysLater(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	b := newUnit(t, "vyos", "VY00000007", false)
	h.addUnit(b, "edge1")
	h.must("upgrade", "edge1", "begin", "--yes")
	heads, err := filepath.Glob(filepath.Join(h.dir, "workflows", "*", "head.json"))
	if err != nil || len(heads) != 1 {
		t.Fatalf("%v %v", heads, err)
	}
	var head map[string]any
	decode(t, string(readFile(t, heads[0])), &head)
	begun := time.Now().Add(-5 * 24 * time.Hour)
	head["started"] = begun.UTC()
	data, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(heads[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := h.must("workflow", "list"); !strings.Contains(r.out, begun.Local().Format(time.DateOnly)) || !strings.Contains(r.out, "waiting") || !strings.Contains(r.out, "cfgvault upgrade edge1 finish") {
		t.Errorf("workflow list:\n%s", r.out)
	}
	vyos.Upgrade(b.Device, "1.4.9")
	eventually(t, 10*time.Second, "the router is up", b.answers)
	h.must("upgrade", "edge1", "finish", "--yes")
	if r := h.must("receipt", "list", "edge1"); !strings.Contains(r.out, "upgrade") {
		t.Errorf("no receipt:\n%s", r.out)
	}
}
