package linux_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
	"github.com/cfgvault/cfgvault/e2e/lab/dial"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/linux"
)

// rig is one real machine with a session on it.
type rig struct {
	*testing.T
	m *lab.Machine
	s *dial.Session
	d plugins.Restorer
}

func machine(t *testing.T, o lab.MachineOptions) *rig {
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
	m, err := l.Machine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return (&rig{t, m, nil, linux.New().(plugins.Restorer)}).login(m.Root(), nil)
}

func (r *rig) login(who lab.Login, options map[string]string) *rig {
	r.Helper()
	s, err := dial.Open(r.Context(), r.m.Device, who, options)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = s.Close() })
	return &rig{r.T, r.m, s, r.d}
}

func (r *rig) sh(script string) string {
	r.Helper()
	out, err := r.m.Run(r.Context(), "sh", "-c", script)
	if err != nil {
		r.Fatal(err)
	}
	return string(out)
}

// state is what the machine has and does, by the lab's own commands.
func (r *rig) state() string {
	r.Helper()
	return r.sh(`cd /etc && find hostname hosts systemd/network network sysctl.d nftables.conf ssh/sshd_config ssh/sshd_config.d \( -type f -o -type l \) 2>/dev/null | sort | while read -r f; do
		stat -c '%n %a %U:%G %N' "$f"; [ -L "$f" ] || cat "$f"; done; hostname; cat /proc/sys/net/ipv4/ip_forward; nft list ruleset 2>/dev/null || true`)
}

func (r *rig) export() *plugins.Export {
	r.Helper()
	x, err := r.d.Export(r.Context(), r.s)
	if err != nil {
		r.Fatal(err)
	}
	return x
}

func (r *rig) stage(id string, want []plugins.Artefact) plugins.Diff {
	r.Helper()
	diff, err := r.d.Stage(r.Context(), r.s, id, want)
	if err != nil {
		var bad *plugins.RejectedError
		if errors.As(err, &bad) {
			r.Log(bad.Text)
		}
		r.Fatal(err)
	}
	return diff
}

func (r *rig) commit(id string, within time.Duration) {
	r.Helper()
	if err := r.d.Commit(r.Context(), r.s, id, within); err != nil {
		var bad *plugins.RejectedError
		if errors.As(err, &bad) {
			r.Log(bad.Text)
		}
		r.Fatal(err)
	}
}

func (r *rig) want(id string, state plugins.State) {
	r.Helper()
	if got, _, err := r.d.Status(r.Context(), r.s, id); got != state || err != nil {
		r.Errorf("status %s %v, want %s", got, err, state)
	}
}

// with returns artefacts with one file changed; nil takes it away.
func with(x *plugins.Export, name string, text *string) []plugins.Artefact {
	out := slices.DeleteFunc(slices.Clone(x.Artefacts), func(a plugins.Artefact) bool { return a.Name == name })
	if text != nil {
		out = append(out, plugins.Artefact{Name: name, Role: plugins.RoleFile, Data: []byte(*text)})
	}
	return out
}

func TestExport(t *testing.T) {
	t.Parallel()
	files := lab.SampleFiles("gw1")
	files["systemd/network/binary.network"] = "a\x00\xff\r\nX0\n@end"
	r := machine(t, lab.MachineOptions{Name: "gw1", Serial: "SN7", Files: files})
	r.sh("ln -s 10-eth0.network /etc/systemd/network/link.network; chmod 600 /etc/systemd/network/20-wg0.netdev; touch /etc/systemd/network/empty; mkdir /etc/systemd/network/sub; echo x > '/etc/systemd/network/sub/a b.conf'")
	f, err := r.d.Identify(t.Context(), r.s)
	if err != nil || f.Hostname != "gw1" || !slices.Equal(f.Serials, []string{"SN7"}) || f.OS == "" || f.Model != "Lab" {
		t.Errorf("identify: %+v %v", f, err)
	}
	for _, who := range []lab.Login{r.m.Root(), r.m.Sudo()} {
		r := r.login(who, nil)
		x := r.export()
		if x.Verdict != plugins.Complete || len(x.NoRestore) != 0 || x.FactoryDefault || r.s.Commands != 1 {
			t.Errorf("%s: %s %v %v, %d channels", who.User, x.Verdict, x.Reasons, x.NoRestore, r.s.Commands)
		}
		got := map[string]plugins.Artefact{}
		for _, a := range x.Artefacts {
			got[strings.TrimPrefix(a.Name, "etc/")] = a
		}
		for name, text := range files {
			if string(got[name].Data) != text {
				t.Errorf("%s is %q", name, got[name].Data)
			}
		}
		if a := got["systemd/network/link.network"]; a.Attrs["link"] != "10-eth0.network" || len(a.Data) != 0 {
			t.Errorf("a link: %+v", a)
		}
		if a := got["systemd/network/20-wg0.netdev"]; a.Attrs["mode"] != "0600" || a.Attrs["owner"] != "root" {
			t.Errorf("attributes: %+v", a.Attrs)
		}
		for _, name := range []string{"systemd/network/empty", "systemd/network/sub/a b.conf", "ssh/sshd_config"} {
			if _, ok := got[name]; !ok {
				t.Errorf("%s did not come; there are %v", name, slices.Sorted(maps.Keys(got)))
			}
		}
	}
	t.Run("no rights", func(t *testing.T) {
		r := (&rig{t, r.m, nil, r.d}).login(r.m.None(), nil)
		x := r.export()
		if x.Verdict != plugins.Partial || len(x.NoRestore) != 1 || x.Reasons[0].Code != "file-unreadable" || !strings.Contains(x.Reasons[0].Text, "20-wg0.netdev") {
			t.Errorf("got %s %v %v", x.Verdict, x.Reasons, x.NoRestore)
		}
		if _, err := r.d.Stage(t.Context(), r.s, "no", x.Artefacts); !errors.Is(err, plugins.ErrNotPermitted) {
			t.Errorf("stage: %v", err)
		}
	})
	t.Run("more files", func(t *testing.T) {
		r := (&rig{t, r.m, nil, r.d}).login(r.m.Root(), map[string]string{"files": "/etc/machine-id,etc/alternatives/**"})
		x := r.export()
		if x.Verdict != plugins.Complete || !slices.ContainsFunc(x.Artefacts, func(a plugins.Artefact) bool { return a.Name == "etc/machine-id" }) {
			t.Errorf("got %s %v", x.Verdict, x.Reasons)
		}
		r = r.login(r.m.Root(), map[string]string{"files": "etc/../root"})
		if _, err := r.d.Export(t.Context(), r.s); err == nil {
			t.Error("a path with .. passes")
		}
	})
}

func TestWipeAndRestore(t *testing.T) {
	for name, login := range map[string]func(*lab.Machine) lab.Login{"root": (*lab.Machine).Root, "sudo": (*lab.Machine).Sudo} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := machine(t, lab.MachineOptions{Name: "gw1"})
			r.sh("ln -s 10-eth0.network /etc/systemd/network/link.network; chmod 600 /etc/systemd/network/20-wg0.netdev; chgrp adm /etc/sysctl.d/90-router.conf; sysctl -q -p /etc/sysctl.d/90-router.conf; nft -f /etc/nftables.conf 2>/dev/null || true")
			before := r.state()
			r = r.login(login(r.m), nil)
			x := r.export()
			if err := r.m.Wipe(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.sh("sysctl -q -w net.ipv4.ip_forward=0; nft flush ruleset 2>/dev/null || true; mkdir -p /etc/sysctl.d; echo net.ipv4.ip_forward=0 > /etc/sysctl.d/zz-new.conf")
			r = r.login(login(r.m), nil)
			wiped := r.state()
			diff := r.stage("back", x.Artefacts)
			if !strings.Contains(diff.Text, "+++ /etc/nftables.conf") || !strings.Contains(diff.Text, "--- /etc/sysctl.d/zz-new.conf") || strings.Contains(diff.Text, "/etc/ssh/sshd_config\n") || len(diff.Losses) != 0 {
				t.Errorf("diff: %s %v", diff.Text, diff.Losses)
			}
			if r.state() != wiped {
				t.Error("stage changed something")
			}
			r.commit("back", time.Hour)
			if got := r.state(); got != before {
				t.Errorf("got:\n%s\nwant:\n%s", got, before)
			}
			if err := r.d.Discard(t.Context(), r.s, "back"); err != nil {
				t.Fatal(err)
			}
			if got := r.state(); got != wiped {
				t.Errorf("after Discard:\n%s\nwant:\n%s", got, wiped)
			}
			r.want("back", plugins.StateRolledBack)

			r.stage("again", x.Artefacts)
			r.commit("again", time.Hour)
			r.want("again", plugins.StatePending)
			for range 2 {
				if err := r.d.Confirm(t.Context(), r.s, "again"); err != nil {
					t.Fatal(err)
				}
			}
			r.want("again", plugins.StateConfirmed)
			if err := r.m.Reboot(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.sh("sysctl -q -p /etc/sysctl.d/90-router.conf; nft -f /etc/nftables.conf 2>/dev/null || true") // what systemd would do at boot
			if got := r.state(); got != before {
				t.Errorf("after a reboot:\n%s\nwant:\n%s", got, before)
			}
			if left := r.sh("ls -A /var/lib/cfgvault; find /etc -name '*cfgvault*'; grep cfgvault /etc/rc.local || true"); left != "again.done\nback.done\n" {
				t.Errorf("left behind: %s", left)
			}
		})
	}
}

func TestRebootBeforeConfirm(t *testing.T) {
	t.Parallel()
	r := machine(t, lab.MachineOptions{Name: "gw1"})
	before := r.state()
	x := r.export()
	name := "gw2\n"
	r.stage("boot", with(x, "etc/hostname", &name))
	r.commit("boot", time.Hour)
	if got := strings.TrimSpace(r.sh("hostname")); got != "gw2" {
		t.Errorf("host name is %s", got)
	}
	if err := r.m.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.state(); got != before {
		t.Errorf("got:\n%s\nwant:\n%s", got, before)
	}
	r = r.login(r.m.Root(), nil)
	r.want("boot", plugins.StateRolledBack)
	if err := r.d.Confirm(t.Context(), r.s, "boot"); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("a late confirm: %v", err)
	}
}

func TestNoBootJob(t *testing.T) {
	t.Parallel()
	r := machine(t, lab.MachineOptions{})
	x := r.export()
	r.sh("rm /etc/rc.local")
	if _, err := r.d.Stage(t.Context(), r.s, "x", x.Artefacts); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "without-boot-job") {
		t.Errorf("stage: %v", err)
	}
	r = r.login(r.m.Root(), map[string]string{"without-boot-job": "allow"})
	if diff := r.stage("x", x.Artefacts); len(diff.Disruptive) == 0 {
		t.Error("the plan does not say that a reboot keeps the change")
	}
}

func TestTimerFires(t *testing.T) {
	t.Parallel()
	r := machine(t, lab.MachineOptions{Name: "gw1"})
	before := r.state()
	x := r.export()
	// sshd moves away: nobody can log in any more.
	port := "Port 2222\n"
	r.stage("away", with(x, "etc/ssh/sshd_config.d/50-hardening.conf", &port))
	r.commit("away", 8*time.Second)
	_ = r.s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for moved := false; ; {
		got := r.sh("cat /etc/ssh/sshd_config.d/50-hardening.conf")
		moved = moved || got == port
		if got != port {
			if !moved {
				t.Error("the change was never in force")
			}
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the machine does not come back")
		}
	}
	for r.sh("cat /var/lib/cfgvault/away.done 2>/dev/null || true") != "rolledback\n" {
		if ctx.Err() != nil {
			t.Fatal("the rollback does not end: " + r.sh("cat /var/lib/cfgvault/away/log"))
		}
	}
	if got := r.state(); got != before {
		t.Errorf("got:\n%s\nwant:\n%s", got, before)
	}
	for {
		s, err := dial.Open(t.Context(), r.m.Device, r.m.Root(), nil)
		if err == nil {
			_ = s.Close()
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("the login does not come back: %v", err)
		}
	}
}

func TestBadFileIsRefused(t *testing.T) {
	t.Parallel()
	r := machine(t, lab.MachineOptions{Name: "gw1"})
	before := r.state()
	x := r.export()
	for name, text := range map[string]string{
		"etc/ssh/sshd_config":                     "Port 22\nNoSuchWord yes\n",
		"etc/ssh/sshd_config.d/50-hardening.conf": "X11Forwarding no\nNoSuchWord yes\n",
	} {
		_, err := r.d.Stage(t.Context(), r.s, "bad", with(x, name, &text))
		var bad *plugins.RejectedError
		if !errors.As(err, &bad) || bad.Artefact != name || bad.Line != 2 {
			t.Errorf("%s: %v", name, err)
		}
		r.want("bad", plugins.StateNone)
	}
	if got := r.state(); got != before {
		t.Errorf("got:\n%s\nwant:\n%s", got, before)
	}
}

func TestPathsStayDeclared(t *testing.T) {
	t.Parallel()
	r := machine(t, lab.MachineOptions{Name: "gw1"})
	x := r.export()
	evil := "x\n"
	diff := r.stage("outside", with(x, "etc/shadow", &evil))
	if len(diff.Losses) != 1 || diff.Losses[0].Code != "not-declared" || diff.Text != "" {
		t.Errorf("%+v", diff)
	}
	for _, name := range []string{"../etc/shadow", "etc/sysctl.d/../shadow", "/etc/hostname", "etc/sysctl.d/a\tb", "etc/sysctl.d/a\nput"} {
		if _, err := r.d.Stage(t.Context(), r.s, "evil", with(x, name, &evil)); !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
