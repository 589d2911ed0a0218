package deadman_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
	"github.com/cfgvault/cfgvault/e2e/lab/dial"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
)

// The configuration under test is one file; each shell that a device may have
// runs the whole table.
const file = "/tmp/config"

func scripts() deadman.Scripts {
	return deadman.Scripts{
		Prepare:  "cp " + file + " old",
		Apply:    "cp new " + file + "; echo applied",
		Rollback: "cp old " + file,
		Save:     "cp " + file + " /tmp/startup",
	}
}

type rig struct {
	*testing.T
	m   *lab.Machine
	s   *dial.Session
	why lab.Login
}

func device(t *testing.T) *lab.Machine {
	t.Helper()
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	m, err := l.Machine(t.Context(), lab.MachineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func login(t *testing.T, m *lab.Machine, who lab.Login) *rig {
	t.Helper()
	s, err := dial.Open(t.Context(), m.Device, who, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &rig{t, m, s, who}
}

func (r *rig) again() *rig { r.Helper(); return login(r.T, r.m, r.why) }

func (r *rig) sh(script string) string {
	r.Helper()
	out, err := r.m.Run(context.WithoutCancel(r.Context()), "sh", "-c", script)
	if err != nil {
		r.Fatal(err)
	}
	return strings.TrimRight(string(out), "\n")
}

func (r *rig) stage(id string, sc deadman.Scripts) deadman.Timer {
	r.Helper()
	r.sh("printf old > " + file + "; chmod 666 " + file + "; rm -f /tmp/startup")
	t := deadman.Timer{ID: id}
	m, err := deadman.Probe(r.Context(), r.s, false)
	if err != nil {
		r.Fatal(err)
	}
	if err := t.Stage(r.Context(), r.s, m, false, sc, []deadman.File{{Name: "new", Data: []byte("new")}}); err != nil {
		r.Fatal(err)
	}
	return t
}

func (r *rig) want(t deadman.Timer, state plugins.State, config string) {
	r.Helper()
	got, _, err := t.Status(r.Context(), r.s)
	if err != nil || got != state {
		r.Errorf("status %s, %v; want %s", got, err, state)
	}
	if c := r.sh("cat " + file); c != config {
		r.Errorf("configuration %q, want %q", c, config)
	}
}

// until waits for a state that the device reaches by itself.
func (r *rig) until(t deadman.Timer, state plugins.State) {
	r.Helper()
	for end := time.Now().Add(15 * time.Second); ; {
		got, _, err := t.Status(r.Context(), r.s)
		if err != nil {
			r.Fatal(err)
		}
		if got == state {
			return
		}
		if time.Now().After(end) {
			r.Fatalf("status stays %s, want %s", got, state)
		}
	}
}

func (r *rig) clean(t deadman.Timer) {
	r.Helper()
	dir := "/home/" + r.why.User + "/.cfgvault"
	if r.why.User == "root" {
		dir = "/var/lib/cfgvault"
	}
	left := func() (names []string) {
		for name := range strings.FieldsSeq(r.sh("ls " + dir)) {
			if !strings.HasSuffix(name, ".done") {
				names = append(names, name)
			}
		}
		return names
	}
	for n := 0; n < 100 && len(left()) > 0; n++ { // the timer's job cleans up in its own time
	}
	if names := left(); len(names) > 0 {
		r.Errorf("%v is left in %s", names, dir)
	}
	for range 100 { // the timer's job notices its end in its own time
		if r.sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' ' | grep -c '[d]eadman.sh' || true") == "0" {
			return
		}
	}
	r.Error("a process of the dead-man is left: " + r.sh("cat /proc/[0-9]*/cmdline | tr '\\000' ' ' | grep '[d]eadman'"))
}

func TestShells(t *testing.T) {
	for _, shell := range []string{"dash", "busybox", "bash"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			m := device(t)
			ctx := t.Context()
			bin := filepath.Join("/usr/bin", shell)
			if _, err := os.Stat(bin); err != nil {
				t.Fatalf("%s is missing: apt-get install %s", bin, shell)
			}
			if shell == "busybox" {
				// All of the device's tools are busybox's, as on OpenWrt.
				if _, err := m.Run(ctx, "sh", "-c", `mkdir /tmp/bb && busybox --install -s /tmp/bb && mount --bind /bin/busybox /usr/bin/dash &&
					for t in tar readlink tr grep mktemp dd cp mv ln ls cat rm mkdir setsid sleep find head tail id chmod; do mount --bind /bin/busybox "$(readlink -f "$(command -v $t)")" || exit; done`); err != nil {
					t.Fatal(err)
				}
			} else if _, err := m.Run(ctx, "mount", "--bind", bin, "/usr/bin/dash"); err != nil {
				t.Fatal(err)
			}
			for _, who := range []lab.Login{m.None(), m.Root()} {
				t.Run(who.User, func(t *testing.T) { lifecycle(t, m, who) })
			}
		})
	}
}

func lifecycle(t *testing.T, m *lab.Machine, who lab.Login) {
	r := login(t, m, who)
	ctx := t.Context()

	c := r.stage("confirmed", scripts())
	r.want(c, plugins.StateStaged, "old")
	text, err := c.Commit(ctx, r.s, time.Hour)
	if err != nil || text != "applied" {
		t.Fatalf("commit: %q %v", text, err)
	}
	r.want(c, plugins.StatePending, "new")
	if _, left, _ := c.Status(ctx, r.s); left < 59*time.Minute || left > time.Hour {
		t.Errorf("time left is %v", left)
	}
	other := deadman.Timer{ID: "other"}
	if means, err := deadman.Probe(ctx, r.s, false); err != nil || means.Holder != c.ID {
		t.Errorf("probe: %+v %v", means, err)
	} else if err := other.Stage(ctx, r.s, means, false, scripts(), nil); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("a second change: %v", err)
	}
	for range 2 { // twice is the same as once
		if err := c.Confirm(ctx, r.s); err != nil {
			t.Fatal(err)
		}
		r.want(c, plugins.StateConfirmed, "new")
	}
	if got := r.sh("cat /tmp/startup"); got != "new" {
		t.Errorf("startup is %q", got)
	}
	for range 2 {
		if err := c.Discard(ctx, r.s); err != nil {
			t.Fatal(err)
		}
		r.want(c, plugins.StateConfirmed, "new")
	}
	r.clean(c)

	c = r.stage("fires", scripts())
	if _, err := c.Commit(ctx, r.s, time.Second); err != nil && !errors.Is(err, plugins.ErrRolledBack) {
		t.Fatal(err)
	}
	r.until(c, plugins.StateRolledBack)
	r.want(c, plugins.StateRolledBack, "old")
	if err := c.Confirm(ctx, r.s); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("a late confirm: %v", err)
	}
	if err := c.Discard(ctx, r.s); err != nil {
		t.Error(err)
	}
	r.clean(c)

	c = r.stage("discarded", scripts())
	if _, err := c.Commit(ctx, r.s, time.Hour); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Discard(ctx, r.s); err != nil {
			t.Fatal(err)
		}
		r.want(c, plugins.StateRolledBack, "old")
	}
	r.clean(c)

	c = r.stage("never-committed", scripts())
	if err := c.Confirm(ctx, r.s); err == nil {
		t.Error("confirmed what was not committed")
	}
	if err := c.Discard(ctx, r.s); err != nil {
		t.Fatal(err)
	}
	r.want(c, plugins.StateNone, "old")
	r.clean(c)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	m := device(t)
	ctx := t.Context()
	with := func(change func(*deadman.Scripts)) deadman.Scripts { s := scripts(); change(&s); return s }
	var step *deadman.StepError

	t.Run("prepare", func(t *testing.T) {
		r := login(t, m, m.None())
		c := r.stage("prepare", with(func(s *deadman.Scripts) { s.Prepare = "echo why; exit 3" }))
		_, err := c.Commit(ctx, r.s, time.Hour)
		if !errors.As(err, &step) || step.Step != "prepare" || !step.RolledBack || step.Text != "why" {
			t.Errorf("got %v %+v", err, step)
		}
		r.want(c, plugins.StateStaged, "old")
		if err := c.Discard(ctx, r.s); err != nil {
			t.Error(err)
		}
		r.clean(c)
	})
	t.Run("apply", func(t *testing.T) {
		r := login(t, m, m.None())
		c := r.stage("apply", with(func(s *deadman.Scripts) { s.Apply = "cp new " + file + "; printf half; exit 3" }))
		_, err := c.Commit(ctx, r.s, time.Hour)
		if !errors.As(err, &step) || step.Step != "apply" || !step.RolledBack || step.Text != "half" {
			t.Errorf("got %v %+v", err, step)
		}
		r.want(c, plugins.StateRolledBack, "old")
		r.clean(c)
	})
	t.Run("apply hangs", func(t *testing.T) {
		r := login(t, m, m.None())
		c := r.stage("hangs", with(func(s *deadman.Scripts) { s.Apply = "cp new " + file + "; sleep 1000; cp new " + file }))
		if _, err := c.Commit(ctx, r.s, time.Second); !errors.Is(err, plugins.ErrRolledBack) {
			t.Errorf("got %v", err)
		}
		r.until(c, plugins.StateRolledBack)
		r.want(c, plugins.StateRolledBack, "old")
		r.clean(c)
	})
	t.Run("rollback", func(t *testing.T) {
		r := login(t, m, m.None())
		c := r.stage("rollback", with(func(s *deadman.Scripts) { s.Rollback = "echo broken; [ -e /tmp/mended ] && cp old " + file }))
		if _, err := c.Commit(ctx, r.s, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := c.Discard(ctx, r.s); !errors.As(err, &step) || step.Step != "rollback" {
			t.Errorf("got %v", err)
		}
		r.want(c, plugins.StateUnknown, "new")
		if log := r.sh("cat /home/" + r.why.User + "/.cfgvault/rollback/log"); !strings.Contains(log, "broken") {
			t.Errorf("log is %q", log)
		}
		r.sh("touch /tmp/mended")
		if err := c.Discard(ctx, r.s); err != nil {
			t.Error(err)
		}
		r.want(c, plugins.StateRolledBack, "old")
		r.clean(c)
	})
	t.Run("save", func(t *testing.T) {
		r := login(t, m, m.None())
		c := r.stage("save", with(func(s *deadman.Scripts) { s.Save = "[ -e /tmp/room ] && cp " + file + " /tmp/startup" }))
		if _, err := c.Commit(ctx, r.s, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := c.Confirm(ctx, r.s); !errors.As(err, &step) || step.Step != "save" {
			t.Errorf("got %v", err)
		}
		r.want(c, plugins.StateUnknown, "new")
		r.sh("touch /tmp/room")
		if err := c.Confirm(ctx, r.s); err != nil {
			t.Error(err)
		}
		r.want(c, plugins.StateConfirmed, "new")
		r.clean(c)
	})
	t.Run("disk full", func(t *testing.T) {
		r := login(t, m, m.None())
		c := r.stage("full", scripts())
		home := "/home/" + r.why.User + "/.cfgvault"
		r.sh("mount -t tmpfs -o size=1m,mode=700,uid=$(id -u " + r.why.User + ") tmpfs " + home)
		defer r.sh("umount " + home)
		c = r.stage("full", scripts())
		r.sh("dd if=/dev/zero of=" + home + "/fill bs=1024 2>/dev/null; true")
		if _, err := c.Commit(ctx, r.s, time.Hour); err == nil {
			t.Error("committed without room to roll back")
		}
		r.want(c, plugins.StateStaged, "old")
		means, err := deadman.Probe(ctx, r.s, false)
		if err == nil {
			err = c.Stage(ctx, r.s, means, false, scripts(), []deadman.File{{Name: "big", Data: make([]byte, 1<<20)}})
		}
		if err == nil {
			t.Error("staged without room")
		}
	})
	t.Run("timer killed", func(t *testing.T) {
		r := login(t, m, m.None())
		c := r.stage("killed", scripts())
		if _, err := c.Commit(ctx, r.s, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := m.KillUser(ctx, r.why.User); err != nil {
			t.Fatal(err)
		}
		r = r.again()
		r.want(c, plugins.StateUnknown, "new")
		if err := c.Discard(ctx, r.s); err != nil {
			t.Error(err)
		}
		r.want(c, plugins.StateRolledBack, "old")
	})
}

// The job must outlive the session that armed it, however that ends.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	m := device(t)
	ctx := t.Context()
	ends := map[string]func(*rig){
		"closed": func(r *rig) { _ = r.s.Close() },
		"killed": func(r *rig) {
			if err := m.KillSSH(ctx); err != nil {
				r.Fatal(err)
			}
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r := login(t, m, m.None())
			c := r.stage("end-"+name, scripts())
			if _, err := c.Commit(ctx, r.s, 2*time.Second); err != nil {
				t.Fatal(err)
			}
			end(r)
			r = r.again()
			r.until(c, plugins.StateRolledBack)
			r.want(c, plugins.StateRolledBack, "old")
		})
	}
	t.Run("while it applies", func(t *testing.T) {
		r := login(t, m, m.None())
		sc := scripts()
		sc.Apply = "touch /tmp/applying; while [ ! -e /tmp/go ]; do sleep 0.1; done; cp new " + file
		c := r.stage("mid-commit", sc)
		done := make(chan error, 1)
		go func() { _, err := c.Commit(ctx, r.s, time.Hour); done <- err }()
		for r.sh("ls /tmp/applying 2>/dev/null || true") == "" {
		}
		if err := m.KillSSH(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, plugins.ErrSessionLost) {
			t.Errorf("commit: %v", err)
		}
		r = r.again()
		if err := c.Confirm(ctx, r.s); !errors.Is(err, plugins.ErrBusy) {
			t.Errorf("confirm of what is still being applied: %v", err)
		}
		r.sh("touch /tmp/go")
		for r.sh("ls /home/"+r.why.User+"/.cfgvault/mid-commit/apply.rc 2>/dev/null || true") == "" { // the change goes on without its session
		}
		r.want(c, plugins.StatePending, "new")
		if err := c.Confirm(ctx, r.s); err != nil {
			t.Fatal(err)
		}
		r.want(c, plugins.StateConfirmed, "new")
		r.clean(c)
	})
}

// Timer and Confirm race: whoever wins, the answer of Confirm is the truth.
func TestRace(t *testing.T) {
	t.Parallel()
	m := device(t)
	r := login(t, m, m.None())
	won := map[bool]int{}
	for i := range 6 {
		c := r.stage(fmt.Sprintf("race-%d", i), scripts())
		if _, err := c.Commit(t.Context(), r.s, 1*time.Second); err != nil {
			if !errors.Is(err, plugins.ErrRolledBack) {
				t.Fatal(err)
			}
			continue
		}
		r.sh(fmt.Sprintf("sleep 0.%d", i))
		err := c.Confirm(t.Context(), r.s)
		won[err == nil]++
		if err == nil {
			r.want(c, plugins.StateConfirmed, "new")
			continue
		}
		if !errors.Is(err, plugins.ErrRolledBack) {
			t.Fatal(err)
		}
		r.until(c, plugins.StateRolledBack)
		r.want(c, plugins.StateRolledBack, "old")
	}
	t.Logf("confirm won %d times, the timer %d times", won[true], won[false])
}

// Save may take longer than the timer has left: once Confirm has won, the timer
// cannot fire, even if it could not be ended.
func TestSaveOutlastsTimer(t *testing.T) {
	t.Parallel()
	m := device(t)
	r := login(t, m, m.None())
	sc := scripts()
	sc.Save = "n=0; while [ $n -lt 9 ] && [ ! -e rollback.pid ]; do sleep 1; n=$((n + 1)); done; [ ! -e rollback.pid ]"
	c := r.stage("slow", sc)
	if _, err := c.Commit(t.Context(), r.s, 6*time.Second); err != nil {
		t.Fatal(err)
	}
	r.sh("rm /home/" + r.why.User + "/.cfgvault/slow/timer.pid")
	if err := c.Confirm(t.Context(), r.s); err != nil {
		t.Error(err)
	}
	r.want(c, plugins.StateConfirmed, "new")
}

func TestBoot(t *testing.T) {
	t.Parallel()
	m := device(t)
	ctx := t.Context()
	before := login(t, m, m.Root()).sh("cat /etc/rc.local")
	for _, confirm := range []bool{false, true} {
		t.Run(fmt.Sprintf("confirm=%v", confirm), func(t *testing.T) {
			r := login(t, m, m.Root())
			r.sh("printf old > /etc/config")
			sc := deadman.Scripts{Prepare: "cp /etc/config old", Apply: "cp new /etc/config", Rollback: "cp old /etc/config; echo $1 > /etc/how", Save: "true"}
			means, err := deadman.Probe(ctx, r.s, false)
			if err != nil || means.Boot != "rc.local" {
				t.Fatalf("%+v %v", means, err)
			}
			c := deadman.Timer{ID: fmt.Sprintf("boot-%v", confirm)}
			if err := c.Stage(ctx, r.s, means, true, sc, []deadman.File{{Name: "new", Data: []byte("new")}}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Commit(ctx, r.s, time.Hour); err != nil {
				t.Fatal(err)
			}
			want, state := "old", plugins.StateRolledBack
			if confirm {
				want, state = "new", plugins.StateConfirmed
				if err := c.Confirm(ctx, r.s); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.Reboot(ctx); err != nil {
				t.Fatal(err)
			}
			r = r.again()
			if got := r.sh("cat /etc/config"); got != want {
				t.Errorf("after a reboot the configuration is %q, want %q", got, want)
			}
			if got, _, err := c.Status(ctx, r.s); got != state || err != nil {
				t.Errorf("status %s %v", got, err)
			}
			if got := r.sh("cat /etc/rc.local"); got != before {
				t.Errorf("rc.local is now %q", got)
			}
			r.clean(c)
		})
	}
}

// A device that runs systemd: a shim stands for systemd-run, so what is tried
// is the form of the call, not systemd.
func TestSystemdRun(t *testing.T) {
	t.Parallel()
	m := device(t)
	r := login(t, m, m.Root())
	ctx := t.Context()
	r.sh(`mkdir -p /run/systemd/system /etc/shim; printf '#!/bin/sh\necho "$@" >>/tmp/calls\nwhile :; do case $1 in --*) shift ;; *) break ;; esac; done\nsetsid "$@" &\n' >/etc/shim/systemd-run; chmod 755 /etc/shim/systemd-run; mount --bind /etc/shim/systemd-run /usr/bin/systemd-run`)
	means, err := deadman.Probe(ctx, r.s, false)
	if err != nil || means.Runner != "systemd" || means.Boot != "systemd" {
		t.Fatalf("%+v %v", means, err)
	}
	r.sh("printf old > " + file)
	c := deadman.Timer{ID: "unit"}
	if err := c.Stage(ctx, r.s, means, true, scripts(), []deadman.File{{Name: "new", Data: []byte("new")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Commit(ctx, r.s, time.Hour); err != nil {
		t.Fatal(err)
	}
	link := r.sh("cat /etc/systemd/system/sysinit.target.wants/cfgvault-unit.service")
	if !strings.Contains(link, "ExecStart=/bin/sh /var/lib/cfgvault/unit/deadman.sh boot") {
		t.Errorf("unit is %q", link)
	}
	if err := c.Discard(ctx, r.s); err != nil {
		t.Fatal(err)
	}
	r.want(c, plugins.StateRolledBack, "old")
	if left := r.sh("find /etc/systemd -name 'cfgvault*'"); left != "" {
		t.Errorf("left behind: %s", left)
	}
	if calls := r.sh("cat /tmp/calls"); !strings.Contains(calls, "--unit=cfgvault-unit-timer /bin/sh /var/lib/cfgvault/unit/deadman.sh timer") {
		t.Errorf("calls: %s", calls)
	}
}

func TestLoginWithoutMeans(t *testing.T) {
	t.Parallel()
	m := device(t)
	ctx := t.Context()
	t.Run("no home", func(t *testing.T) {
		r := login(t, m, m.None())
		r.sh("chown 0:0 /home/" + r.why.User)
		if _, err := deadman.Probe(ctx, r.s, false); !errors.Is(err, plugins.ErrNotPermitted) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no setsid", func(t *testing.T) {
		r := login(t, m, m.Root())
		r.sh("mount --bind /dev/null /usr/bin/setsid")
		if m, err := deadman.Probe(ctx, r.s, false); err != nil || m.Runner != "start-stop-daemon" {
			t.Fatalf("got %+v, %v", m, err)
		}
		c := r.stage("ssd", scripts())
		if _, err := c.Commit(ctx, r.s, time.Hour); err != nil {
			t.Fatal(err)
		}
		r.want(c, plugins.StatePending, "new")
		if err := c.Discard(ctx, r.s); err != nil {
			t.Fatal(err)
		}
		r.want(c, plugins.StateRolledBack, "old")
		r.sh("mount --bind /dev/null /sbin/start-stop-daemon")
		if _, err := deadman.Probe(ctx, r.s, false); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("got %v", err)
		}
	})
}

func TestMarkersAreBounded(t *testing.T) {
	t.Parallel()
	m := device(t)
	r := login(t, m, m.None())
	for i := range 10 {
		c := r.stage(fmt.Sprintf("m%d", i), scripts())
		if _, err := c.Commit(t.Context(), r.s, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := c.Confirm(t.Context(), r.s); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.sh("ls /home/" + r.why.User + "/.cfgvault | wc -l"); n != "8" {
		t.Errorf("%s markers are kept", n)
	}
}
