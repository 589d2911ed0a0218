package e2e

import (
	"context"
	"os"
	"strings"
	"testing"
)

// The device keeps the change but cannot save it: 18, and once it can,
// --resume saves it.
func TestSaveFails(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "nosave")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	full := significant(t, r)
	wipe(t, r)
	inside := func(script string) {
		t.Helper()
		if _, err := r.Run(context.Background(), "sh", "-c", script); err != nil {
			t.Fatal(err)
		}
	}
	res := h.restoreAt("r1", "runs the new configuration", func(*os.Process) {
		inside(`cp /usr/bin/vtysh /run/vtysh.real && chmod 755 /run/vtysh.real
printf '%s\n' '#!/bin/sh' 'case "$*" in *"write memory"*) echo no space left; exit 1;; esac' 'exec /run/vtysh.real "$@"' > /run/vtysh.nosave
chmod 755 /run/vtysh.nosave; mount --bind /run/vtysh.nosave /usr/bin/vtysh`)
	})
	if res.code != 18 {
		t.Errorf("exit status %d, want 18:\n%s", res.code, res.err)
	}
	t.Log(res.err)
	again := h.run("restore", "r1", "--resume", "--yes")
	t.Logf("still cannot save: %d %s", again.code, again.err)
	inside(`umount /usr/bin/vtysh`)
	again = h.run("restore", "r1", "--resume", "--yes")
	t.Logf("can save: %d %s", again.code, again.err)
	if again.code != 0 {
		t.Errorf("--resume: exit status %d\n%s", again.code, again.err)
	}
	if startup, err := r.Startup(); err != nil || !strings.Contains(string(startup), "router bgp") {
		t.Errorf("startup was not saved: %v\n%s", err, startup)
	}
	if got := significant(t, r); got != full {
		t.Errorf("differs:\n%s", got)
	}
}

// --resume of a committed change while the device cannot be reached must not
// promise that the device is unchanged.
func TestResumeUnreachable(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "unreach")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	wipe(t, r)
	wiped := significant(t, r)
	h.killRestore("r1", "runs the new configuration", "--within", "60s")
	if err := r.Cut(context.Background()); err != nil {
		t.Fatal(err)
	}
	res := h.run("restore", "r1", "--resume", "--yes")
	t.Logf("%d %s, device unchanged: %v", res.code, res.err, significant(t, r) == wiped)
	if res.code != 18 {
		t.Errorf("exit status %d, want 18:\n%s", res.code, res.err)
	}
	if err := r.Join(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.run("restore", "r1", "--resume", "--yes")
}

// A dry run of --resume changes nothing.
func TestResumeDryRun(t *testing.T) {
	t.Parallel()
	r := newRouter(t, "resdry")
	h := newHome(t)
	h.addRouter("r1", r)
	h.must("backup", "r1")
	wipe(t, r)
	h.killRestore("r1", "runs the new configuration", "--within", "60s")
	res := h.run("restore", "r1", "--resume", "--dry-run")
	if res.code != 2 {
		t.Errorf("--resume --dry-run: %d %s%s", res.code, res.out, res.err)
	}
}
