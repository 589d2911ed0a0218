package lab_test

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
)

func open(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := net.InterfaceByName(l.Bridge); err == nil {
			t.Errorf("bridge %s is still there", l.Bridge)
		}
		if _, err := os.Stat(filepath.Join(lab.Root, l.Bridge)); err == nil {
			t.Errorf("folder of %s is still there", l.Bridge)
		}
	})
	return l
}

func TestRouter(t *testing.T) {
	ctx := t.Context()
	r, err := open(t).Router(ctx, lab.RouterOptions{Name: "core1"})
	if err != nil {
		t.Fatal(err)
	}
	before, err := r.Running(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(before, []byte("router ospf")) || !bytes.Contains(before, []byte(lab.Canary)) {
		t.Fatalf("running configuration is not the sample:\n%s", before)
	}
	start := time.Now()
	over, err := r.SSH(ctx, r.Shell(), "vtysh -c 'show running-config'")
	t.Logf("plain ssh: %v", time.Since(start))
	if err != nil || !bytes.Equal(over, before) {
		t.Fatalf("ssh gave %v\n%s", err, over)
	}
	if err := r.Wipe(ctx); err != nil {
		t.Fatal(err)
	}
	wiped, err := r.Running(ctx)
	if err != nil || bytes.Contains(wiped, []byte("router")) {
		t.Fatalf("after a wipe: %v\n%s", err, wiped)
	}
	if err := r.Load(ctx, lab.Sample("core1")); err != nil {
		t.Fatal(err)
	}
	again, err := r.Running(ctx)
	if err != nil || !bytes.Equal(lab.Significant(again), lab.Significant(before)) {
		t.Fatalf("after a load: %v\n%s", err, again)
	}
	if err := r.KillDaemon(ctx, "ospfd"); err != nil {
		t.Fatal(err)
	}
	if d, err := r.Run(ctx, "vtysh", "-c", "show daemons"); err != nil || strings.Contains(string(d), "ospfd") {
		t.Fatalf("ospfd still runs: %v %s", err, d)
	}
	if err := r.StartDaemon(ctx, "ospfd"); err != nil {
		t.Fatal(err)
	}
	if again, err = r.Running(ctx); err != nil || !bytes.Equal(lab.Significant(again), lab.Significant(before)) {
		t.Fatalf("after a start of ospfd: %v\n%s", err, again)
	}
	if err := r.Reboot(ctx); err != nil {
		t.Fatal(err)
	}
	if again, err = r.Running(ctx); err != nil || !bytes.Equal(lab.Significant(again), lab.Significant(before)) {
		t.Fatalf("after a reboot: %v\n%s", err, again)
	}
}

func TestRoutersStartFast(t *testing.T) {
	start := time.Now()
	all, err := open(t).Routers(t.Context(), 4, lab.RouterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d routers in %v", len(all), time.Since(start))
	seen := map[string]bool{}
	for _, r := range all {
		seen[r.HostPort()] = true
	}
	if len(seen) != len(all) {
		t.Errorf("addresses are not distinct: %v", seen)
	}
}

func TestMachine(t *testing.T) {
	ctx := t.Context()
	m, err := open(t).Machine(ctx, lab.MachineOptions{Name: "gw1", Serial: "X1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, login := range []lab.Login{m.Root(), m.Sudo(), m.None()} {
		out, err := m.SSH(ctx, login, "hostname; id -un; cat /sys/class/dmi/id/product_serial; ls /sys/class/net")
		if want := "gw1\n" + login.User + "\nX1\neth0\nlo\n"; err != nil || string(out) != want {
			t.Errorf("%s: %q %v", login.User, out, err)
		}
	}
	if err := m.Wipe(ctx); err != nil {
		t.Fatal(err)
	}
	out, err := m.SSH(ctx, m.Root(), "hostname; find /etc/network /etc/systemd/network /etc/sysctl.d -type f 2>/dev/null; true")
	if err != nil || string(out) != "localhost\n" {
		t.Errorf("after a wipe: %q %v", out, err)
	}
}

// A process that held a lab and was killed: its devices end with it, and the
// next Open removes what is left, and nothing of a lab that lives.
func TestCrashedLabIsSwept(t *testing.T) {
	alive := open(t)
	bin := filepath.Join(t.TempDir(), "lab")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/lab").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), bin, "-frr", "1", "-linux", "0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n') // "frr2  ssh -i …/cvlab7/id_ed25519 …"
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(strings.Fields(line)[3])
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	open(t)
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
	if _, err := net.InterfaceByName(filepath.Base(dir)); err == nil {
		t.Errorf("bridge %s is still there", filepath.Base(dir))
	}
	for end := time.Now().Add(10 * time.Second); ; {
		left := 0
		inits, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, p := range inits {
			if b, err := os.ReadFile(p); err == nil && bytes.Contains(b, []byte(dir)) {
				left++
			}
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d processes of the crashed lab live on", left)
		}
	}
	if _, err := net.InterfaceByName(alive.Bridge); err != nil {
		t.Errorf("a lab that lives was swept: %v", err)
	}
}
