package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// killPoints are the lines by which a restore tells that a step is journalled.
var killPoints = []struct{ step, line string }{
	{"opened", "journalled"},
	{"staged", "the device accepted"},
	{"committing", "committing;"},
	{"committed", "runs the new configuration"},
	{"verified", "read back over"},
	{"confirming", "confirming"},
	{"confirmed", "kept, and saved"},
}

// A SIGKILL of the agent at every step of the journal: --resume ends in
// confirmed or rolled back, never half, and then everything works as before.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "killed")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	full := significant(t, r)
	wipe(t, r)
	wiped := significant(t, r)
	if wiped == full {
		t.Fatal("the wipe changed nothing")
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-12s %-12s %-8s %s\n", "kill at", "last step", "resume", "device")
	for _, p := range killPoints {
		if significant(t, r) != wiped {
			wipe(t, r)
		}
		h.killRestore("r1", p.line)
		last := h.lastStep("r1")
		res := h.run("restore", "r1", "--resume", "--yes")
		state := "HALF"
		switch significant(t, r) {
		case full:
			state = "restored"
		case wiped:
			state = "as before"
		}
		fmt.Fprintf(&table, "%-12s %-12s %-8d %s\n", p.step, last, res.code, state)
		switch {
		case res.code == 0 && state == "restored", res.code == 17 && state == "as before":
		default:
			t.Errorf("killed at %s (last step %s): --resume ended with %d, the device is %s\n%s%s", p.step, last, res.code, state, res.out, res.err)
		}
		if last == "" {
			t.Errorf("killed at %s: the restore had ended, nothing was tested", p.step)
		}
		// The journal is gone, so nothing is left to resume and backup works.
		h.want(2, "restore", "r1", "--resume", "--yes")
		if res := h.run("backup", "r1"); res.code != 0 && res.code != 3 {
			t.Errorf("backup after --resume: %d %s", res.code, res.err)
		}
	}
	t.Logf("SIGKILL of the agent at every journal step:\n%s", table.String())
	if startup, err := r.Startup(); err != nil || len(startup) == 0 {
		t.Errorf("startup configuration: %d bytes, %v", len(startup), err)
	}
}

// An agent that dies for ever after the commit: the device goes back by itself.
func TestDeviceReturnsWithoutAgent(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "orphan")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	full := significant(t, r)
	wipe(t, r)
	wiped := significant(t, r)
	h.killRestore("r1", "runs the new configuration", "--within", "30s")
	if got := significant(t, r); got != full {
		t.Fatalf("the change is not running after the commit:\n%s", got)
	}
	eventually(t, 120*time.Second, "the device goes back by itself", func() bool { return significant(t, r) == wiped })
	// A nightly backup does not touch a device with an open restore.
	if res := h.want(16, "backup", "r1"); !strings.Contains(res.err, "--resume") {
		t.Errorf("backup of a device with an open restore: %s%s", res.out, res.err)
	}
	h.want(16, "restore", "r1", "--yes")
	h.want(17, "restore", "r1", "--resume", "--yes")
	if significant(t, r) != wiped {
		t.Error("--resume changed the device")
	}
}

// killRestore starts a restore and kills it as soon as it prints the line.
func (h *home) killRestore(device, line string, more ...string) {
	h.t.Helper()
	cmd := h.command(append([]string{"restore", device, "--yes"}, more...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	hit := false
	var all []string
	readLines(stderr, func(l string) {
		all = append(all, l)
		if !hit && strings.Contains(l, line) {
			hit = true
			if err := cmd.Process.Kill(); err != nil {
				h.t.Error(err)
			}
		}
	})
	_ = cmd.Wait()
	if !hit {
		h.t.Fatalf("the restore never said %q:\n%s", line, strings.Join(all, "\n"))
	}
}

// lastStep reads the journal as it lies on disk; "" if the restore has ended.
func (h *home) lastStep(device string) string {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.dir, "journal", "*", "steps.jsonl"))
	if err != nil {
		h.t.Fatal(err)
	}
	if len(files) == 0 {
		return ""
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		h.t.Fatal(err)
	}
	last := ""
	for line := range bytes.Lines(data) {
		var m struct{ Step string }
		if json.Unmarshal(line, &m) == nil {
			last = m.Step
		}
	}
	return last
}
