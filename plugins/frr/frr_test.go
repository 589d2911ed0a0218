package frr_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
	"github.com/cfgvault/cfgvault/e2e/lab/dial"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/frr"
)

// rig is one real router with a session on it. What the router runs is always
// asked by the lab's own vtysh call, never through the driver.
type rig struct {
	*testing.T
	r *lab.Router
	s *dial.Session
	d plugins.Restorer
}

func router(t *testing.T, o lab.RouterOptions) *rig {
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
	r, err := l.Router(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return (&rig{T: t, r: r, d: frr.New().(plugins.Restorer)}).login(r.Shell(), nil)
}

func (r *rig) login(who lab.Login, options map[string]string) *rig {
	r.Helper()
	s, err := dial.Open(r.Context(), r.r.Device, who, options)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = s.Close() })
	return &rig{r.T, r.r, s, r.d}
}

func (r *rig) export() *plugins.Export {
	r.Helper()
	x, err := r.d.Export(r.Context(), r.s)
	if err != nil {
		r.Fatal(err)
	}
	return x
}

func (r *rig) running() string {
	r.Helper()
	b, err := r.r.Running(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return string(lab.Significant(b))
}

func (r *rig) startup() string {
	r.Helper()
	b, err := r.r.Startup()
	if err != nil {
		r.Fatal(err)
	}
	return string(b)
}

func (r *rig) vtysh(commands ...string) {
	r.Helper()
	args := []string{"vtysh"}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	if _, err := r.r.Run(r.Context(), args...); err != nil {
		r.Fatal(err)
	}
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

func (r *rig) until(id string, state plugins.State) {
	r.Helper()
	for end := time.Now().Add(25 * time.Second); ; {
		got, _, err := r.d.Status(r.Context(), r.s, id)
		if err == nil && got == state {
			return
		}
		if time.Now().After(end) {
			r.Fatalf("status stays %s %v, want %s", got, err, state)
		}
	}
}

func text(x *plugins.Export, name string) string {
	for _, a := range x.Artefacts {
		if a.Name == name {
			return string(a.Data)
		}
	}
	return ""
}

func codes(rs []plugins.Reason) string {
	var all []string
	for _, r := range rs {
		all = append(all, r.Code)
	}
	return strings.Join(all, " ")
}

// with returns the export's artefacts with a changed running configuration.
func with(x *plugins.Export, change func(string) string) []plugins.Artefact {
	out := append([]plugins.Artefact(nil), x.Artefacts...)
	for i := range out {
		if out[i].Name == "running-config" {
			out[i].Data = []byte(change(string(out[i].Data)))
		}
	}
	return out
}

func TestExport(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{Name: "core1", Serial: "SN42"})
	ctx := t.Context()

	f, err := r.d.Identify(ctx, r.s)
	if err != nil || f.Hostname != "core1" || f.OSVersion == "" || f.OS != "FRRouting" || len(f.Serials) != 1 || f.Serials[0] != "SN42" {
		t.Errorf("identify: %+v %v", f, err)
	}
	before := r.s.Commands
	x := r.export()
	if n := r.s.Commands - before; n != 1 {
		t.Errorf("export took %d channels", n)
	}
	if x.Verdict != plugins.Complete || len(x.Reasons) != 0 || len(x.NoRestore) != 0 || x.FactoryDefault {
		t.Errorf("got %s %v %v default=%v", x.Verdict, x.Reasons, x.NoRestore, x.FactoryDefault)
	}
	want, err := r.r.Running(ctx)
	if err != nil || text(x, "running-config") != string(want) {
		t.Errorf("running-config is not what the router prints: %v\n%s", err, text(x, "running-config"))
	}
	if text(x, "etc/frr/frr.conf") != r.startup() || !strings.Contains(text(x, "etc/frr/daemons"), "bgpd=yes") || text(x, "etc/frr/vtysh.conf") == "" || !strings.HasPrefix(text(x, "show-version"), "FRRouting ") {
		t.Errorf("files: %+v", x.Artefacts)
	}
	if a := x.Artefacts[1]; a.Attrs["mode"] != "0660" || a.Attrs["owner"] != "frr" || a.Attrs["group"] != "frrvty" {
		t.Errorf("%s: %v", a.Name, a.Attrs)
	}

	t.Run("vtysh only", func(t *testing.T) {
		for name, who := range map[string]lab.Login{"forced": r.r.Vtysh(), "login shell": r.r.VtyshShell()} {
			t.Run(name, func(t *testing.T) {
				r := &rig{t, r.r, nil, r.d}
				r = r.login(who, nil)
				x := r.export()
				if x.Verdict != plugins.Unknown || codes(x.Reasons) != "daemons-unknown" || codes(x.NoRestore) != "no-restore-path" {
					t.Errorf("got %s %v %v", x.Verdict, x.Reasons, x.NoRestore)
				}
				if text(x, "running-config") != string(want) || !strings.HasPrefix(text(x, "show-version"), "FRRouting ") {
					t.Errorf("running-config:\n%s", text(x, "running-config"))
				}
				if f, err := r.d.Identify(ctx, r.s); err != nil || f.Hostname != "core1" {
					t.Errorf("identify: %+v %v", f, err)
				}
				if _, err := r.d.Stage(ctx, r.s, "no", x.Artefacts); !errors.Is(err, plugins.ErrNotPermitted) {
					t.Errorf("stage: %v", err)
				}
				r = r.login(who, map[string]string{"daemons": "zebra,bgpd,ospfd"})
				if x := r.export(); x.Verdict != plugins.Complete {
					t.Errorf("with the option daemons: %s %v", x.Verdict, x.Reasons)
				}
				r = r.login(who, map[string]string{"daemons": "zebra,bgpd,isisd"})
				if x := r.export(); x.Verdict != plugins.Partial || codes(x.Reasons) != "daemon-missing" {
					t.Errorf("with a daemon that does not run: %s %v", x.Verdict, x.Reasons)
				}
			})
		}
	})
	t.Run("no rights", func(t *testing.T) {
		r := (&rig{t, r.r, nil, r.d}).login(r.r.Plain(), nil)
		if _, err := r.d.Export(ctx, r.s); !errors.Is(err, plugins.ErrNotPermitted) {
			t.Errorf("export: %v", err)
		}
		if _, err := r.d.Identify(ctx, r.s); !errors.Is(err, plugins.ErrNotPermitted) {
			t.Errorf("identify: %v", err)
		}
	})
	t.Run("dead ospfd", func(t *testing.T) {
		if err := r.r.KillDaemon(ctx, "ospfd"); err != nil {
			t.Fatal(err)
		}
		x := r.export()
		if x.Verdict != plugins.Partial || codes(x.Reasons) != "daemon-missing" || !strings.Contains(x.Reasons[0].Text, "ospfd") {
			t.Errorf("got %s %v", x.Verdict, x.Reasons)
		}
		if !strings.HasSuffix(strings.TrimSpace(text(x, "running-config")), "end") {
			t.Error("the router no longer ends a configuration that misses a daemon as if it were whole; the proof may be simpler now")
		}
		if _, err := r.d.Stage(ctx, r.s, "needs", with(x, func(string) string { return lab.Sample("core1") })); !errors.Is(err, plugins.ErrNotPermitted) || !strings.Contains(err.Error(), "ospfd") {
			t.Errorf("stage without ospfd: %v", err)
		}
	})
}

func TestWipeAndRestore(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{Name: "core1"})
	ctx := t.Context()
	x, before := r.export(), r.running()
	if err := r.r.Wipe(ctx); err != nil {
		t.Fatal(err)
	}
	wiped := r.export()
	if !wiped.FactoryDefault || wiped.Verdict != plugins.Complete {
		t.Errorf("a wiped router: %s default=%v", wiped.Verdict, wiped.FactoryDefault)
	}
	factory := r.startup()
	diff := r.stage("back", x.Artefacts)
	if !strings.Contains(diff.Text, "router bgp 65001") || strings.Contains(diff.Text, "hostname") || len(diff.Losses) != 0 {
		t.Errorf("diff: %+v", diff)
	}
	if state, _, err := r.d.Status(ctx, r.s, "back"); state != plugins.StateStaged || err != nil {
		t.Errorf("status %s %v", state, err)
	}
	if err := r.d.Commit(ctx, r.s, "back", time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := r.running(); got != before {
		t.Errorf("running after the restore:\n%s\nbefore:\n%s", got, before)
	}
	if got := r.startup(); got != factory {
		t.Errorf("startup was changed before Confirm:\n%s", got)
	}
	if state, left, err := r.d.Status(ctx, r.s, "back"); state != plugins.StatePending || left < 50*time.Minute || err != nil {
		t.Errorf("status %s %v %v", state, left, err)
	}
	for range 2 {
		if err := r.d.Confirm(ctx, r.s, "back"); err != nil {
			t.Fatal(err)
		}
	}
	saved := strings.TrimPrefix(strings.Replace(before, "end\n", "", 1), "!\n")
	if got := string(lab.Significant([]byte(r.startup()))); got != saved {
		t.Errorf("frr.conf after Confirm:\n%q\nwant:\n%q", got, saved)
	}
	if state, _, err := r.d.Status(ctx, r.s, "back"); state != plugins.StateConfirmed || err != nil {
		t.Errorf("status %s %v", state, err)
	}
	if diff := r.stage("again", x.Artefacts); diff.Text != "" {
		t.Errorf("restoring what runs changes something:\n%s", diff.Text)
	}
	if err := r.d.Discard(ctx, r.s, "again"); err != nil {
		t.Error(err)
	}
	if err := r.r.Reboot(ctx); err != nil {
		t.Fatal(err)
	}
	if got := r.running(); got != before {
		t.Errorf("after a reboot:\n%s", got)
	}
	if out, err := r.r.Run(ctx, "sh", "-c", "ls -A /home/*/.cfgvault /tmp; grep -rl "+lab.Canary+" /home /tmp /var/tmp || true"); err != nil || strings.TrimSpace(string(out)) != "/home/netadmin/.cfgvault:\nback.done\n\n/tmp:" {
		t.Errorf("left behind: %s %v", out, err)
	}
}

// An older snapshot goes back onto a router that has changed since, whatever
// the order in which lists were made.
func TestRestoreOlder(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{Name: "core1"})
	r.vtysh("configure", "ip prefix-list AA seq 5 permit 10.1.0.0/16", "access-list zz seq 5 permit 192.0.2.0/24", "access-list aa seq 5 permit 192.0.2.0/24", "route-map A permit 10", "exit",
		"interface lo", "ip address 192.0.2.7/32", "exit", "bgp community-list standard c1 seq 5 permit 65001:1")
	x := r.export()
	r.vtysh("configure", "no ip prefix-list PL1", "no access-list zz", "no route-map RM1", "route-map B deny 5", "exit", "interface lo", "no ip address 192.0.2.7/32", "ip address 192.0.2.8/32", "exit",
		"no router ospf", "router bgp 65001", "neighbor 192.0.2.200 remote-as 65003", "no neighbor 192.0.2.254", "exit", "hostname other")
	r.stage("older", x.Artefacts)
	if err := r.d.Commit(t.Context(), r.s, "older", time.Hour); err != nil {
		var bad *plugins.RejectedError
		if errors.As(err, &bad) {
			t.Log(bad.Text)
		}
		t.Fatal(err)
	}
	tx, err := plugins.NewText(r.d.Info())
	if err != nil {
		t.Fatal(err)
	}
	after := r.export()
	a, b := tx.Significant("running-config", []byte(text(x, "running-config"))), tx.Significant("running-config", []byte(text(after, "running-config")))
	if !bytes.Equal(a, b) {
		t.Errorf("want:\n%s\ngot:\n%s", a, b)
	}
}

// A router restored onto a machine with another name: FRR prints the machine's
// name and cannot set it, so the plan says so and the rest goes back.
func TestMachineName(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{Name: "core1"})
	x := r.export()
	tx, err := plugins.NewText(r.d.Info())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.r.Run(t.Context(), "hostname", "debian"); err != nil {
		t.Fatal(err)
	}
	if err := r.r.Wipe(t.Context()); err != nil { // the daemons start under the new name
		t.Fatal(err)
	}
	if _, err := r.r.Run(t.Context(), "hostname", "spare"); err != nil {
		t.Fatal(err)
	}
	if got := r.running(); !strings.Contains(got, "hostname spare\n") || !strings.Contains(got, "hostname debian\n") {
		t.Errorf("FRR no longer prints both names of the machine; the rule machine-name may go:\n%s", got)
	}
	diff := r.stage("name", x.Artefacts)
	if strings.Contains(diff.Text, "hostname") || len(diff.Losses) != 1 || diff.Losses[0].Code != "machine-name" || !strings.Contains(diff.Losses[0].Text, "spare") {
		t.Errorf("diff: %+v", diff)
	} else if l := strings.Split(text(x, "running-config"), "\n")[diff.Losses[0].Line-1]; l != "hostname core1" {
		t.Errorf("the loss names the line %q", l)
	}
	if err := r.d.Commit(t.Context(), r.s, "name", time.Hour); err != nil {
		t.Fatal(err)
	}
	a, b := tx.Significant("running-config", []byte(text(x, "running-config"))), tx.Significant("running-config", []byte(text(r.export(), "running-config")))
	if !bytes.Equal(a, b) {
		t.Errorf("want:\n%s\ngot:\n%s", a, b)
	}
	if err := r.d.Confirm(t.Context(), r.s, "name"); err != nil {
		t.Fatal(err)
	}
}

func TestBadLineIsRefused(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{})
	before := r.running()
	x := r.export()
	line := 0
	want := with(x, func(s string) string {
		s = strings.Replace(s, " bgp router-id", " bogus words\n bgp router-id", 1)
		for i, l := range strings.Split(s, "\n") {
			if l == " bogus words" {
				line = i + 1
			}
		}
		return s
	})
	_, err := r.d.Stage(t.Context(), r.s, "bad", want)
	var bad *plugins.RejectedError
	if !errors.As(err, &bad) || bad.Line != line || bad.Artefact != "running-config" {
		t.Errorf("got %v, want line %d", err, line)
	}
	if state, _, err := r.d.Status(t.Context(), r.s, "bad"); state != plugins.StateNone || err != nil {
		t.Errorf("status %s %v", state, err)
	}
	if got := r.running(); got != before {
		t.Errorf("running has changed:\n%s", got)
	}
}

// A line that parses and that FRR refuses when it runs is put back.
func TestLineThatFailsIsRolledBack(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{})
	before, startup := r.running(), r.startup()
	want := with(r.export(), func(s string) string {
		s = strings.Replace(s, "uplink to core", "changed", 1)
		return strings.Replace(s, "  network 203.0.113.0/24\n", "  network 203.0.113.0/24\n  neighbor 192.0.2.77 prefix-list PL1 in\n", 1)
	})
	r.stage("fails", want)
	err := r.d.Commit(t.Context(), r.s, "fails", time.Hour)
	if !errors.Is(err, plugins.ErrRejected) || strings.Contains(err.Error(), "192.0.2.77") {
		t.Errorf("commit: %v", err)
	}
	if got := r.running(); got != before {
		t.Errorf("running is not as before:\n%s", got)
	}
	if r.startup() != startup {
		t.Error("startup has changed")
	}
	if state, _, err := r.d.Status(t.Context(), r.s, "fails"); state != plugins.StateRolledBack || err != nil {
		t.Errorf("status %s %v", state, err)
	}
}

func TestTimerFires(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{})
	before, startup := r.running(), r.startup()
	r.stage("fires", with(r.export(), func(s string) string { return strings.Replace(s, "uplink to core", "changed", 1) }))
	if err := r.d.Commit(t.Context(), r.s, "fires", 12*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := r.running(); got == before {
		t.Error("commit changed nothing")
	}
	r.until("fires", plugins.StateRolledBack)
	if got := r.running(); got != before {
		t.Errorf("running is not as before:\n%s", got)
	}
	if r.startup() != startup {
		t.Error("startup has changed")
	}
	if err := r.d.Confirm(t.Context(), r.s, "fires"); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("a late confirm: %v", err)
	}
	if got := r.running(); got != before || r.startup() != startup {
		t.Error("a late confirm changed something")
	}
}

// The change takes the management address away: the router comes back by itself.
func TestAddressLost(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{})
	before := r.running()
	r.stage("lost", with(r.export(), func(s string) string {
		return strings.Replace(s, " description uplink to core\n", " description uplink to core\n shutdown\n", 1)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := r.d.Commit(ctx, r.s, "lost", 6*time.Second); err == nil {
		t.Error("commit succeeded without a way to hear of it")
	}
	if got := r.running(); !strings.Contains(got, " shutdown\n") {
		t.Errorf("the interface is not down:\n%s", got)
	}
	if s, err := dial.Open(ctx, r.r.Device, r.r.Shell(), nil); err == nil {
		_ = s.Close()
		t.Error("the router still answers")
	}
	for end := time.Now().Add(25 * time.Second); ; {
		s, err := dial.Open(t.Context(), r.r.Device, r.r.Shell(), nil)
		if err == nil {
			t.Cleanup(func() { _ = s.Close() })
			r.s = s
			break
		}
		if time.Now().After(end) {
			t.Fatal("the router does not come back")
		}
	}
	r.until("lost", plugins.StateRolledBack)
	if got := r.running(); got != before {
		t.Errorf("running is not as before:\n%s", got)
	}
}

// The session dies while the change is applied: it is applied whole, or rolled
// back whole.
func TestSessionKilledMidCommit(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{})
	x := r.export()
	before := r.running()
	if err := r.r.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	factory := r.running()
	r.stage("cut", x.Artefacts)
	done := make(chan error, 1)
	go func() { done <- r.d.Commit(t.Context(), r.s, "cut", 20*time.Second) }()
	for r.running() == factory { // until the change is on its way
	}
	if err := r.r.KillSSH(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("commit: %v", err)
	}
	r = r.login(r.r.Shell(), nil)
	for end := time.Now().Add(15 * time.Second); r.running() != before; {
		if time.Now().After(end) {
			t.Fatalf("the change was not completed:\n%s", r.running())
		}
	}
	if state, _, err := r.d.Status(t.Context(), r.s, "cut"); state != plugins.StatePending || err != nil {
		t.Fatalf("status %s %v", state, err)
	}
	if err := r.d.Discard(t.Context(), r.s, "cut"); err != nil {
		t.Fatal(err)
	}
	if got := r.running(); got != factory {
		t.Errorf("after Discard:\n%s", got)
	}
}

func TestTwoChangesAtOnce(t *testing.T) {
	t.Parallel()
	r := router(t, lab.RouterOptions{})
	x := r.export()
	changed := with(x, func(s string) string { return strings.Replace(s, "uplink to core", "changed", 1) })
	r.stage("one", changed)
	r.stage("two", changed)
	if err := r.d.Commit(t.Context(), r.s, "one", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := r.d.Commit(t.Context(), r.s, "two", time.Hour); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("commit of a second change: %v", err)
	}
	if _, err := r.d.Stage(t.Context(), r.s, "three", changed); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("stage of a third change: %v", err)
	}
	if err := r.d.Discard(t.Context(), r.s, "two"); err != nil {
		t.Error(err)
	}
	if state, _, err := r.d.Status(t.Context(), r.s, "one"); state != plugins.StatePending || err != nil {
		t.Errorf("status %s %v", state, err)
	}
}
