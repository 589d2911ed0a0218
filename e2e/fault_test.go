package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// restoreAt runs a restore and calls do, once, as soon as it prints the line.
func (h *home) restoreAt(device, line string, do func(*os.Process), more ...string) result {
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
			do(cmd.Process)
		}
	})
	_ = cmd.Wait()
	text := strings.Join(all, "\n")
	if !hit {
		h.t.Fatalf("the restore never said %q:\n%s", line, text)
	}
	if strings.Contains(text, lab.Canary) {
		h.t.Errorf("a secret was printed:\n%s", text)
	}
	return result{err: text, code: cmd.ProcessState.ExitCode()}
}

// halfAnswer makes a router's vtysh print half of what it is asked for, leave
// the mark /run/half and then say nothing more.
func halfAnswer(t *testing.T, r *lab.Router) (undo func()) {
	t.Helper()
	inside := func(script string) {
		t.Helper()
		if _, err := r.Run(context.Background(), "sh", "-c", script); err != nil {
			t.Fatal(err)
		}
	}
	inside(`cp /usr/bin/vtysh /run/vtysh.real && chmod 755 /run/vtysh.real
printf '%s\n' '#!/bin/sh' '/run/vtysh.real "$@" > /tmp/answer.$$ 2>&1' 'case "$*" in *running-config*) head -c $(( $(stat -c %s /tmp/answer.$$) / 2 )) /tmp/answer.$$; touch /run/half; exec sleep 1000;; esac' 'cat /tmp/answer.$$' > /run/vtysh.half
chmod 755 /run/vtysh.half; mount --bind /run/vtysh.half /usr/bin/vtysh; chmod 1777 /run`)
	return func() { inside(`umount /usr/bin/vtysh`) }
}

func half(r *lab.Router) bool {
	_, err := r.Run(context.Background(), "test", "-e", "/run/half")
	return err == nil
}

// The cable is cut in the middle of an export: what came is never a complete
// snapshot, and the latest good one stays.
func TestLinkCutDuringExport(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "cutexport")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	good := h.latest("r1").ID
	appendFile(t, filepath.Join(h.dir, "config.yaml"), "device-timeout: 10s\n")
	undo := halfAnswer(t, r)
	done := make(chan result, 1)
	go func() { done <- h.run("backup", "r1", "--force") }()
	eventually(t, 30*time.Second, "half an answer", func() bool { return half(r) })
	if err := r.Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	var res result
	select {
	case res = <-done:
	case <-time.After(90 * time.Second):
		t.Fatal("the backup does not end")
	}
	if res.code != 13 && res.code != 3 {
		t.Errorf("exit status %d: %s%s", res.code, res.out, res.err)
	}
	t.Logf("exit status %d: %s%s", res.code, res.out, res.err)
	if err := r.Join(context.Background()); err != nil {
		t.Fatal(err)
	}
	undo()
	if got := h.latest("r1").ID; got != good {
		t.Errorf("latest good became %s", got)
	}
	for _, s := range h.list("r1") {
		if s.ID != good && s.Verdict == "complete" {
			t.Errorf("half an answer was stored as complete: %+v", s)
		}
	}
	eventually(t, 60*time.Second, "a backup after the link is back", func() bool { return h.run("backup", "r1").code == 0 })
	h.must("check", "--read-data")
}

// The cable is out from the commit until after the device's timer: the device
// goes back by itself and the agent finds it so.
func TestLinkCutAfterCommit(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "cutcommit")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	full := significant(t, r)
	wipe(t, r)
	wiped := significant(t, r)
	res := h.restoreAt("r1", "runs the new configuration", func(*os.Process) {
		if err := r.Cut(context.Background()); err != nil {
			t.Error(err)
		}
		if got := significant(t, r); got != full {
			t.Errorf("the change is not running after the commit:\n%s", got)
		}
		eventually(t, 60*time.Second, "the device goes back by itself", func() bool { return significant(t, r) == wiped })
		if err := r.Join(context.Background()); err != nil {
			t.Error(err)
		}
	}, "--within", "12s")
	if res.code != 17 {
		t.Errorf("exit status %d, want 17:\n%s", res.code, res.err)
	}
	if got := significant(t, r); got != wiped {
		t.Errorf("the device is not as before:\n%s", got)
	}
	if last := h.lastStep("r1"); last != "" {
		t.Errorf("the journal is still open at %s", last)
	}
	h.must("restore", "r1", "--yes")
	if got := significant(t, r); got != full {
		t.Errorf("the restore after the cut differs:\n%s", got)
	}
}

// A change that takes the management address away: nobody can reach the
// device, and it comes back by itself.
func TestRestoreLosesManagementAddress(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "lostmgmt")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	without := h.latest("r1").ID
	config := strings.Replace(lab.Sample("lostmgmt"), " description uplink to core\n", fmt.Sprintf(" description uplink to core\n ip address %s/24\n", r.Addr), 1)
	if err := r.Load(context.Background(), config); err != nil {
		t.Fatal(err)
	}
	h.must("backup", "r1")
	before := significant(t, r)
	if !strings.Contains(before, "ip address") {
		t.Fatalf("FRR does not own the address:\n%s", before)
	}
	res := h.run("restore", "r1", "--at", without, "--yes", "--within", "12s")
	if res.code != 17 {
		t.Errorf("exit status %d, want 17:\n%s%s", res.code, res.out, res.err)
	}
	if got := significant(t, r); got != before {
		t.Errorf("the device is not as before:\n%s", got)
	}
	t.Log(res.err)
	h.must("backup", "r1")
}

// The unit lacks a daemon that the snapshot needs: refused or rolled back, and
// the unit is as it was.
func TestRestoreWithoutDaemon(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "nodaemon")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	wipe(t, r)
	if err := r.KillDaemon(context.Background(), "bgpd"); err != nil {
		t.Fatal(err)
	}
	wiped := significant(t, r)
	res := h.run("restore", "r1", "--yes")
	if res.code != 16 && res.code != 17 {
		t.Errorf("exit status %d, want 16 or 17:\n%s%s", res.code, res.out, res.err)
	}
	t.Logf("exit status %d: %s", res.code, res.err)
	if got := significant(t, r); got != wiped {
		t.Errorf("the device is not as before:\n%s", got)
	}
	if last := h.lastStep("r1"); last != "" {
		t.Errorf("the journal is still open at %s", last)
	}
}

// Every SSH session of the device dies at each step of a restore.
func TestSessionsKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "sessions")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	full := significant(t, r)
	wipe(t, r)
	wiped := significant(t, r)
	for _, p := range killPoints[:len(killPoints)-1] {
		if significant(t, r) != wiped {
			wipe(t, r)
		}
		res := h.restoreAt("r1", p.line, func(*os.Process) {
			if err := r.KillSSH(context.Background()); err != nil {
				t.Error(err)
			}
		})
		state := "HALF"
		switch significant(t, r) {
		case full:
			state = "restored"
		case wiped:
			state = "as before"
		}
		t.Logf("sessions killed at %-12s exit %d, device %s, journal %q", p.step, res.code, state, h.lastStep("r1"))
		switch {
		case state == "restored" && res.code == 0:
		case state == "as before" && (res.code == 13 || res.code == 16 || res.code == 17):
		case state == "as before" && res.code == 18:
			h.want(17, "restore", "r1", "--resume", "--yes")
		default:
			t.Errorf("sessions killed at %s: exit status %d, device %s\n%s", p.step, res.code, state, res.err)
		}
		if last := h.lastStep("r1"); last != "" {
			res := h.run("restore", "r1", "--resume", "--yes")
			t.Logf("resume %d %s%s", res.code, res.out, res.err)
		}
	}
	h.must("check")
}

// An operator who interrupts gets the device as it was, or the whole restore;
// and an end that says which.
func TestInterruptAtEveryStep(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "interrupted")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	full := significant(t, r)
	wipe(t, r)
	wiped := significant(t, r)
	points := append([]struct{ step, line string }{{"fetched", "fetched and verified"}, {"saved", "undo snapshot"}}, killPoints[:len(killPoints)-1]...)
	for i, p := range points {
		if significant(t, r) != wiped {
			wipe(t, r)
		}
		sig := []os.Signal{os.Interrupt, syscall.SIGTERM}[i%2]
		res := h.restoreAt("r1", p.line, func(proc *os.Process) {
			if err := proc.Signal(sig); err != nil {
				t.Error(err)
			}
		})
		state := "HALF"
		switch significant(t, r) {
		case full:
			state = "restored"
		case wiped:
			state = "as before"
		}
		t.Logf("%v at %-12s exit %d, device %s", sig, p.step, res.code, state)
		switch {
		case state == "as before" && (res.code == 130 || res.code == 17):
		case state == "restored" && res.code == 0 && p.step >= "c": // too late to interrupt
		default:
			t.Errorf("%v at %s: exit status %d, device %s\n%s", sig, p.step, res.code, state, res.err)
		}
		if last := h.lastStep("r1"); last != "" {
			t.Errorf("%v at %s: the journal is open at %s", sig, p.step, last)
			h.run("restore", "r1", "--resume", "--yes")
		}
	}
	h.must("restore", "r1", "--yes")
}

// An interruption while the new configuration is being read back, when nothing
// but the confirmation is left, still ends with the device as it was.
func TestInterruptBeforeConfirm(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	d := h.newSwitch("sw1")
	h.must("backup", "sw1")
	d.FactoryReset()
	wiped := d.Running()
	var committed atomic.Bool
	process := make(chan *os.Process, 1)
	d.Inject(device.Fault{Command: "commit timer", Before: func() { committed.Store(true) }})
	d.Inject(device.Fault{Command: "show running-config", Before: func() {
		if !committed.CompareAndSwap(true, false) {
			return
		}
		if err := (<-process).Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
	}})
	r := h.restoreAt("sw1", "fetched and verified", func(p *os.Process) { process <- p })
	if r.code != 17 || !strings.Contains(r.err, "interrupted before it was confirmed") {
		t.Errorf("exit status %d, want 17\n%s", r.code, r.err)
	}
	if strings.Contains(r.err, "confirming") || d.Running() != wiped {
		t.Errorf("the change was kept\n%s", r.err)
	}
	if last := h.lastStep("sw1"); last != "" {
		t.Errorf("the journal is open at %s", last)
	}
}

// While a restore waits, a second one is refused, and the nightly run leaves
// the device alone.
func TestRestoreUnderWay(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "underway")
	h := newHome(t)
	h.addRouter("r1", r)
	h.newSwitch("sw1")
	h.must("backup", "--all")
	full := significant(t, r)
	wipe(t, r)
	res := h.restoreAt("r1", "runs the new configuration", func(p *os.Process) {
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		defer func() {
			if err := p.Signal(syscall.SIGCONT); err != nil {
				t.Error(err)
			}
		}()
		if res := h.want(3, "backup", "--all"); !strings.Contains(res.err, "r1: skipped") {
			t.Errorf("backup --all: %s%s", res.out, res.err)
		}
		h.want(16, "restore", "r1", "--yes")
		h.want(16, "restore", "r1", "--resume", "--yes")
	}, "--within", "5m")
	if res.code != 0 {
		t.Errorf("the restore itself: exit status %d\n%s", res.code, res.err)
	}
	if got := significant(t, r); got != full {
		t.Errorf("the device differs:\n%s", got)
	}
}

// Two restores of one device that begin together: one does it, the other is
// refused or finds it done.
func TestTwoRestoresAtOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	d := h.newSwitch("sw1")
	h.must("backup", "sw1")
	running := d.Running()
	d.FactoryReset()
	done := make(chan result, 2)
	for range 2 {
		go func() { done <- h.run("restore", "sw1", "--yes") }()
	}
	a, b := <-done, <-done
	for _, r := range []result{a, b} {
		if r.code != 0 && r.code != 16 {
			t.Errorf("exit status %d: %s%s", r.code, r.out, r.err)
		}
	}
	if a.code != 0 && b.code != 0 {
		t.Errorf("neither restored:\n%s\n%s", a.err, b.err)
	}
	if got := d.Running(); got != running {
		t.Errorf("the switch differs:\n%s", got)
	}
	h.must("check", "--read-data")
}

// A switch that refuses a statement of the snapshot, or whose commit takes the
// connection and gives nothing back.
func TestSwitchRefuses(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	d := h.newSwitch("sw1")
	h.must("backup", "sw1")
	running := d.Running()
	d.FactoryReset()
	wiped := d.Running()
	tests := []struct {
		name  string
		fault device.Fault
		codes []int
	}{
		{"a bad line", device.Fault{Command: "copy terminal:", Times: 1, Refuse: "% Invalid input at line 12"}, []int{13, 16, 17}},
		{"commit refused", device.Fault{Command: "commit timer", Times: 1, Refuse: "% Cannot commit session"}, []int{16, 17}},
		{"the connection goes before the configuration", device.Fault{Command: "copy terminal:", Times: 1, Lose: true}, []int{13, 16, 17}},
		{"the connection goes before the commit", device.Fault{Command: "commit timer", Times: 1, Lose: true}, []int{13, 17}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fired := d.Inject(tt.fault)
			defer d.ClearFaults()
			r := h.run("restore", "sw1", "--yes")
			if fired() == 0 {
				t.Fatalf("the fault never struck:\n%s", r.err)
			}
			ok := false
			for _, c := range tt.codes {
				ok = ok || c == r.code
			}
			if !ok {
				t.Errorf("exit status %d, want one of %v:\n%s%s", r.code, tt.codes, r.out, r.err)
			}
			t.Logf("exit status %d: %s", r.code, r.err)
			d.ClearFaults()
			if h.lastStep("sw1") != "" {
				t.Errorf("the journal is open at %s", h.lastStep("sw1"))
				h.run("restore", "sw1", "--resume", "--yes")
			}
			if got := d.Running(); got != wiped {
				t.Errorf("the switch is not as before:\n%s", got)
			}
		})
	}
	h.must("restore", "sw1", "--yes")
	if got := d.Running(); got != running {
		t.Errorf("the restore after the faults differs:\n%s", got)
	}
}

func appendFile(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
