package openwrt

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	sim "github.com/cfgvault/cfgvault/plugins/simulate/openwrt"
	"github.com/cfgvault/cfgvault/plugins/simulate/unix"
)

const within = 5 * time.Minute

// bench is a simulated router, its clock and the driver.
type bench struct {
	*testing.T
	dev   *device.Device
	m     *unix.Machine
	clock *device.ManualClock
	drv   driver
}

func newBench(t *testing.T, v sim.Variant) *bench {
	t.Helper()
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	d := sim.New(device.Options{Config: sim.Sample, Clock: clock}, v)
	m := sim.Machine(d)
	m.Write("/etc/shadow", "root:$5$salt$hash:20000:0:99999:7:::\n")
	m.Write("/etc/crontabs/root", "0 3 * * * reboot\n")
	t.Cleanup(func() { d.Close() })
	return &bench{t, d, m, clock, driver{}}
}

// Session, Running, Startup and Advance make it a plugintest.Device.
func (b *bench) Session() plugins.Session { return b.dev.ExecSession() }
func (b *bench) Running() string          { return b.dev.Running() }
func (b *bench) Startup() string          { return b.dev.Startup() }
func (b *bench) Advance(d time.Duration) {
	b.m.Settle()
	b.clock.Advance(d)
	b.m.Settle()
}

func (b *bench) export() *plugins.Export {
	b.Helper()
	x, err := b.drv.Export(b.Context(), b.Session())
	if err != nil {
		b.Fatal(err)
	}
	return x
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		var bad *plugins.RejectedError
		if errors.As(err, &bad) {
			b.Log(bad.Text)
		}
		b.Fatal(err)
	}
}

func (b *bench) state(want plugins.State) time.Duration {
	b.Helper()
	got, left, err := b.drv.Status(b.Context(), b.Session(), "c1")
	if err != nil || got != want {
		b.Errorf("state %s (%v), want %s", got, err, want)
	}
	return left
}

// files are what a restore puts back, as the machine has it.
func (b *bench) files() string {
	var out strings.Builder
	b.m.With(func(f *unix.Files) {
		for _, n := range f.Under("/etc") {
			if data, err := f.Read(n); err == nil && !strings.HasPrefix(n, "/etc/cfgvault") {
				out.WriteString(n + "\n" + string(data))
			}
		}
	})
	return out.String()
}

func with(x []plugins.Artefact, name, old, fresh string) []plugins.Artefact {
	out := slices.Clone(x)
	for i := range out {
		if out[i].Name == name {
			out[i].Data = bytes.Replace(out[i].Data, []byte(old), []byte(fresh), 1)
		}
	}
	return out
}

func TestConformance(t *testing.T) {
	if *update {
		for name, b := range map[string]*bench{"office": newBench(t, sim.Variant{Serial: "SN-0001"}), "factory": newBench(t, sim.Variant{Pool: true})} {
			comment := "An office router, recorded from the simulated device of plugins/simulate/openwrt."
			if name == "factory" {
				b.dev.FactoryReset()
				comment = "A router as it leaves the factory, with apk, recorded from the simulated device of plugins/simulate/openwrt."
			}
			text, err := plugintest.Record(t.Context(), New(), b.Session(), comment, "sh: COMMAND: not found")
			b.must(err)
			if name == "office" {
				text = bytes.Replace(text, []byte("-- facts --"), []byte("canary: correct horse battery\ncanary: $5$salt$hash\n-- facts --"), 1)
			}
			text = bytes.ReplaceAll(text, []byte("-- run sh -c"), []byte("-- run[framed] sh -c"))
			b.must(os.WriteFile("testdata/export-"+name+".txtar", text, 0o644))
		}
	}
	fixtures, err := plugintest.Load(os.DirFS("testdata"), "export-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugintest.Run(t.Context(), New(), fixtures, plugintest.Options{}); err != nil {
		t.Error(err)
	}
}

func TestRestorerConformance(t *testing.T) {
	err := plugintest.CheckRestorer(t.Context(), driver{}, plugintest.Restore{
		New: func() plugintest.Device { return newBench(t, sim.Variant{}) },
		Want: func(have []plugins.Artefact) []plugins.Artefact {
			return with(have, "etc/config/system", "option hostname 'office1'", "option hostname 'office2'")
		},
		Bad: func(have []plugins.Artefact) []plugins.Artefact {
			return with(have, "etc/config/system", "option hostname 'office1'", "option hostname 'office1")
		},
	}, plugintest.Options{})
	if err != nil {
		t.Error(err)
	}
}

// TestRoundTrip: backup, factory reset, restore; what was there is there.
func TestRoundTrip(t *testing.T) {
	b := newBench(t, sim.Variant{Serial: "SN-0001"})
	b.dev.Reload()
	files, running := b.files(), b.Running()
	x := b.export()
	if x.Verdict != plugins.Complete || x.FactoryDefault {
		t.Fatalf("%s %v, factory default %v", x.Verdict, x.Reasons, x.FactoryDefault)
	}
	b.must(b.drv.FactoryReset(t.Context(), b.Session(), "SN-0001"))
	wiped := b.Running()
	if y := b.export(); !y.FactoryDefault || y.Verdict != plugins.Complete || wiped == running {
		t.Errorf("a wiped unit: %s %v, factory default %v", y.Verdict, y.Reasons, y.FactoryDefault)
	}
	diff, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts)
	b.must(err)
	if !strings.Contains(diff.Text, "+	option hostname 'office1'") || len(diff.Losses) > 0 || b.Running() != wiped {
		t.Errorf("%q %v", diff.Text, diff.Losses)
	}
	b.must(b.drv.Commit(t.Context(), b.Session(), "c1", within))
	if b.state(plugins.StatePending) != within || b.Startup() != wiped {
		t.Error("the change is not pending")
	}
	b.must(b.drv.Confirm(t.Context(), b.Session(), "c1"))
	b.dev.Reload()
	b.Advance(2 * within)
	if b.files() != files || b.Running() != running {
		t.Errorf("got\n%s\nwant\n%s", b.files(), files)
	}
	left := ""
	b.m.With(func(f *unix.Files) { left = strings.Join(f.List("/etc/cfgvault"), " ") })
	if left != "c1.done" {
		t.Errorf("left behind: %s", left)
	}
	again := b.export()
	for i, a := range x.Artefacts {
		if a.Role == plugins.RoleFile && !bytes.Equal(a.Data, again.Artefacts[i].Data) {
			t.Errorf("%s came back otherwise", a.Name)
		}
	}
}

// TestReboot: a unit that reboots before the confirmation comes up with what it
// had.
func TestReboot(t *testing.T) {
	b := newBench(t, sim.Variant{})
	b.dev.Reload()
	running, files := b.Running(), b.files()
	_, err := b.drv.Stage(t.Context(), b.Session(), "c1", with(b.export().Artefacts, "etc/config/system", "office1", "office2"))
	b.must(err)
	b.must(b.drv.Commit(t.Context(), b.Session(), "c1", within))
	if b.Running() == running {
		t.Error("the change is not in force")
	}
	b.dev.Reload()
	b.m.Settle()
	if b.Running() != running || b.files() != files {
		t.Error("the change survives a reboot")
	}
	b.state(plugins.StateRolledBack)
	if err := b.drv.Confirm(t.Context(), b.Session(), "c1"); !errors.Is(err, plugins.ErrRolledBack) {
		t.Errorf("a late confirm: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, sim.Variant{NoBoot: true})
	x := b.export()
	if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without a way to act at boot: %v", err)
	}
	b = newBench(t, sim.Variant{})
	x = b.export()
	b.m.Write("/var/run/rpcd/snapshot-files/network", "x")
	if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts); !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("a pending change of the web interface: %v", err)
	}
	b.m.With(func(f *unix.Files) { f.Remove("/var/run/rpcd") })
	bad := with(x.Artefacts, "etc/config/network", "option proto 'dhcpv6'", "option proto 'dhcpv6")
	_, err := b.drv.Stage(t.Context(), b.Session(), "c1", bad)
	var rejected *plugins.RejectedError
	if !errors.As(err, &rejected) || rejected.Artefact != "etc/config/network" || rejected.Line == 0 {
		t.Errorf("a file that uci cannot read: %v", err)
	}
	b.state(plugins.StateNone)
	for _, name := range []string{"../etc/shadow", "etc/config/../shadow", "etc/a\nb"} {
		evil := append(slices.Clone(x.Artefacts), plugins.Artefact{Name: name, Role: plugins.RoleFile})
		if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", evil); !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("%q: %v", name, err)
		}
	}
	outside := append(slices.Clone(x.Artefacts), plugins.Artefact{Name: "bin/busybox", Role: plugins.RoleFile})
	if d, err := b.drv.Stage(t.Context(), b.Session(), "c1", outside); err != nil || len(d.Losses) != 1 {
		t.Errorf("a file that is no part of a backup: %v %v", d.Losses, err)
	}
	b.must(b.drv.Discard(t.Context(), b.Session(), "c1"))
	b.m.Fill(true)
	if _, err := b.drv.Stage(t.Context(), b.Session(), "c1", x.Artefacts); err == nil {
		t.Error("a full flash takes a change")
	}
	b.m.Fill(false)
	if err := b.drv.FactoryReset(t.Context(), b.Session(), "another"); !errors.Is(err, plugins.ErrWrongUnit) {
		t.Errorf("reset of another unit: %v", err)
	}
}

// TestIncomplete: what makes an export partial.
func TestIncomplete(t *testing.T) {
	for what, spoil := range map[string]func(*bench) func(string){
		"a file that changes while it is read": func(b *bench) func(string) {
			n := 0
			return func(line string) {
				if strings.HasPrefix(line, "sysupgrade -l |") {
					n++
					b.m.Write("/etc/crontabs/root", strings.Repeat("x", n)+"\n")
				}
			}
		},
		"a file that vanishes": func(b *bench) func(string) {
			return func(line string) {
				if strings.HasPrefix(line, "sysupgrade -l |") {
					b.m.With(func(f *unix.Files) { f.Remove("/etc/hosts") })
				} else {
					b.m.Write("/etc/hosts", "x")
				}
			}
		},
		"no network configuration": func(b *bench) func(string) {
			b.m.With(func(f *unix.Files) { f.Remove("/etc/config/network") })
			return func(string) {}
		},
	} {
		b := newBench(t, sim.Variant{})
		x, err := b.drv.Export(t.Context(), spied{b.Session(), spoil(b)})
		if err != nil || x.Verdict == plugins.Complete || len(x.Reasons) == 0 {
			t.Errorf("%s: %v %v", what, x.Verdict, err)
		}
	}
	// A single change is read again.
	b := newBench(t, sim.Variant{})
	once := false
	x, err := b.drv.Export(t.Context(), spied{b.Session(), func(line string) {
		if strings.HasPrefix(line, "sysupgrade -l |") && !once {
			once = true
			b.m.Write("/etc/crontabs/root", "new\n")
		}
	}})
	if err != nil || x.Verdict != plugins.Complete {
		t.Errorf("a file that changed once: %s %v %v", x.Verdict, x.Reasons, err)
	}
	if x.FactoryDefault || !slices.ContainsFunc(x.Artefacts, func(a plugins.Artefact) bool { return a.Name == "mtd/factory" && a.Bind == plugins.BindUnit }) {
		t.Error("the calibration data is missing")
	}
}

// spied calls a function before each command.
type spied struct {
	plugins.Session
	before func(line string)
}

func (s spied) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	s.before(c.Text)
	return s.Session.Run(ctx, c)
}

func TestAdapt(t *testing.T) {
	in := []plugins.Artefact{
		{Name: "etc/config/network", Role: plugins.RoleFile, Data: []byte("config device\n\toption name 'br-lan'\n\tlist ports 'lan1'\n\tlist ports 'lan2' # x\n\toption macaddr '02:00:00:00:00:01'\n\n" +
			"config interface 'lan'\n\toption device \"br-lan.7\"\n\nconfig bridge-vlan\n\toption device br-lan\n\toption ports 'lan1:u* lan2:t'\n\nconfig interface wan\n\toption device wan\n")},
		{Name: "etc/config/wireless", Role: plugins.RoleFile, Data: []byte("config wifi-device 'radio0'\n\toption path 'pci'\n\toption channel '1'\n\nconfig wifi-iface\n\toption device 'radio0'\n\toption network 'lan'\n")},
		{Name: "etc/dropbear/dropbear_rsa_host_key", Role: plugins.RoleFile, Bind: plugins.BindUnit, Data: []byte("key")},
		{Name: "etc/rc.local", Role: plugins.RoleFile, Data: []byte("ifconfig lan1\n")},
	}
	m := plugins.InterfaceMap{"lan1": "eth1", "lan2": "lan1", "br-lan": "br-office", "wan": "uplink"}
	out, losses, err := adapt(in, plugins.Facts{Model: "A"}, plugins.Facts{Model: "B"}, m)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"config device\n\toption name 'br-office'\n\tlist ports 'eth1'\n\tlist ports 'lan1' # x\n\n" +
		"config interface 'lan'\n\toption device 'br-office.7'\n\nconfig bridge-vlan\n\toption device 'br-office'\n\toption ports 'eth1:u* lan1:t'\n\nconfig interface uplink\n\toption device 'uplink'\n",
		"config wifi-device 'radio0'\n\toption channel '1'\n\nconfig wifi-iface\n\toption device 'radio0'\n\toption network 'lan'\n", "ifconfig lan1\n"}
	for i, w := range want {
		if string(out[i].Data) != w {
			t.Errorf("%s:\n%s\nwant\n%s", out[i].Name, out[i].Data, w)
		}
	}
	if len(losses) != 3 || losses[0].Line != 5 || losses[1].Line != 2 || losses[2].Artefact != "etc/dropbear/dropbear_rsa_host_key" {
		t.Errorf("losses %v", losses)
	}
	same, losses, err := adapt(in, plugins.Facts{Model: "A"}, plugins.Facts{Model: "A"}, nil)
	if err != nil || len(losses) != 2 || !strings.Contains(string(same[1].Data), "option path 'pci'") {
		t.Errorf("the same model: %v %v", losses, err)
	}
	if _, _, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"lan1": "lan2"}); err == nil {
		t.Error("two ports with one name pass")
	}
	if _, _, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"wan": "wan-1"}); err == nil {
		t.Error("a section name that UCI does not allow passes")
	}
}
