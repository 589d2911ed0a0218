// Package e2e runs the real binary against real devices and a real S3 server.
//
// The scripts in testdata/script are the command line's tests, named by verb;
// the Go tests do what a script cannot: kill, race, tamper. The devices come
// from e2e/lab, which compares and wipes with commands of its own.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cfgvault/cfgvault/e2e/lab"
)

// pluginExample is the module of a third-party plugin; it freezes the wire.
const pluginExample = "testdata/plugin-example"

// binary is the path of the cfgvault under test, built by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cfgvault-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "cfgvault")
	build := exec.Command("go", "build", "-o", binary, "../agent/cmd/cfgvault")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	defer closeLab()
	return m.Run()
}

// theLab is opened by the first test that needs a real device.
var theLab struct {
	sync.Mutex
	lab *lab.Lab
	err error
}

func openLab() (*lab.Lab, error) {
	theLab.Lock()
	defer theLab.Unlock()
	if theLab.lab == nil && theLab.err == nil {
		if missing := lab.Missing(); len(missing) > 0 {
			theLab.err = fmt.Errorf("missing packages %v: `make deps` installs them", missing)
		} else {
			theLab.lab, theLab.err = lab.Open(context.Background(), nil)
		}
	}
	return theLab.lab, theLab.err
}

func closeLab() {
	if theLab.lab != nil {
		if err := theLab.lab.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// The command line's tests.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": cmdStatus, "router": cmdRouter, "machine": cmdMachine, "wipe": cmdWipe, "load": cmdLoad, "running": cmdRunning,
			"startup": cmdStartup, "daemon": cmdDaemon, "snapshot": cmdSnapshot, "inside": cmdInside, "switch": cmdSwitch, "reboot": cmdReboot, "files": cmdFiles, "plugin-example": cmdPluginExample, "neighbors": cmdNeighbors, "release": cmdRelease,
			"read": cmdRead, "type": cmdType, "hold": cmdHold, "elapse": cmdElapse, "refuse": cmdRefuse, "cut": cmdCut, "reload": cmdReload, "bootstrap": cmdBootstrap,
		},
	})
}

// devices are the devices of one script, by name.
type devices struct {
	routers  map[string]*lab.Router
	machines map[string]*lab.Machine
	switches map[string]*simulated
}

// device is a device of the lab, whatever it runs.
func (d *devices) device(name string) *lab.Device {
	if r := d.routers[name]; r != nil {
		return r.Device
	}
	return d.machines[name].Device
}

type devicesKey struct{}

func setup(e *testscript.Env) error {
	d := &devices{map[string]*lab.Router{}, map[string]*lab.Machine{}, map[string]*simulated{}}
	e.Values[devicesKey{}] = d
	e.Defer(func() {
		for _, r := range d.routers {
			r.Stop()
		}
		for _, m := range d.machines {
			m.Stop()
		}
		for _, s := range d.switches {
			s.stop()
		}
	})
	home := filepath.Join(e.WorkDir, "home")
	e.Setenv("HOME", home)
	e.Setenv("CFGVAULT_HOME", filepath.Join(home, "cfgvault"))
	e.Setenv("PATH", filepath.Dir(binary)+":"+os.Getenv("PATH"))
	e.Setenv("NO_COLOR", "1")
	if plugins, err := filepath.Abs("../plugins"); err == nil {
		e.Setenv("PLUGINS", plugins)
	}
	return os.Mkdir(home, 0o700)
}

func get(ts *testscript.TestScript) *devices {
	d, _ := ts.Value(devicesKey{}).(*devices)
	return d
}

// status N PROGRAM ARG…: the program ends with exactly this exit status.
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// router NAME [CONFIG]: starts a real FRR router; its address is in
// $NAME_addr, its login in $NAME_user, the password in the file NAME.pw.
func cmdRouter(ts *testscript.TestScript, neg bool, args []string) {
	l, err := openLab()
	ts.Check(err)
	o := lab.RouterOptions{Name: args[0]}
	if len(args) > 1 {
		o.Config = ts.ReadFile(args[1])
	}
	r, err := l.Router(context.Background(), o)
	ts.Check(err)
	get(ts).routers[args[0]] = r
	login(ts, args[0], r.Device, r.Shell())
	ts.Setenv(args[0]+"_vtysh", r.Vtysh().User)
	ts.Setenv(args[0]+"_vtysh_login", r.VtyshShell().User)
	ts.Setenv(args[0]+"_plain", r.Plain().User)
}

// machine NAME: starts a real Linux machine; root logs in by the key $NAME_key.
func cmdMachine(ts *testscript.TestScript, neg bool, args []string) {
	l, err := openLab()
	ts.Check(err)
	m, err := l.Machine(context.Background(), lab.MachineOptions{Name: args[0]})
	ts.Check(err)
	get(ts).machines[args[0]] = m
	login(ts, args[0], m.Device, m.Sudo())
	ts.Setenv(args[0]+"_key", m.Root().KeyFile)
	ts.Setenv(args[0]+"_none", m.None().User)
}

func login(ts *testscript.TestScript, name string, d *lab.Device, l lab.Login) {
	ts.Setenv(name+"_addr", d.HostPort())
	ts.Setenv(name+"_serial", d.Serial)
	ts.Setenv(name+"_user", l.User)
	ts.Check(os.WriteFile(ts.MkAbs(name+".pw"), []byte(l.Password+"\n"), 0o600))
}

// wipe NAME: a factory reset by the harness's own means.
func cmdWipe(ts *testscript.TestScript, neg bool, args []string) {
	ctx := context.Background()
	if r := get(ts).routers[args[0]]; r != nil {
		ts.Check(r.Wipe(ctx))
		return
	}
	if s := get(ts).switches[args[0]]; s != nil {
		s.device.FactoryReset()
		return
	}
	ts.Check(get(ts).machines[args[0]].Wipe(ctx))
}

// reboot NAME: what is not on the device's disk is gone afterwards.
func cmdReboot(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(get(ts).device(args[0]).Reboot(context.Background()))
}

// listFiles prints a machine's configuration files with mode and owner.
const listFiles = `cd /etc && find hostname hosts systemd/network network sysctl.d nftables.conf ssh/sshd_config ssh/sshd_config.d 2>/dev/null | sort | while read -r f; do stat -c '%n %a %U:%G' "$f"; test -d "$f" || cat "$f"; done`

// files NAME FILE: a machine's configuration files with mode, owner and
// content, as the harness sees them.
func cmdFiles(ts *testscript.TestScript, neg bool, args []string) {
	out, err := get(ts).device(args[0]).Run(context.Background(), "sh", "-c", listFiles)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o600))
}

// neighbors NAME PORT=SYSTEM/PORT…: who answers by LLDP on a device's ports, as
// its lldpcli prints it.
func cmdNeighbors(ts *testscript.TestScript, neg bool, args []string) {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, arg := range args[1:] {
		port, peer, _ := strings.Cut(arg, "=")
		system, name, _ := strings.Cut(peer, "/")
		fmt.Fprintf(&b, "echo 'lldp.%s.chassis.name=%s'\necho 'lldp.%s.port.ifname=%s'\n", port, system, port, name)
	}
	_, err := get(ts).device(args[0]).RunInput(context.Background(), []byte(b.String()), "sh", "-c",
		`mountpoint -q /usr/local/bin || mount -t tmpfs none /usr/local/bin; cat >/usr/local/bin/lldpcli && chmod 755 /usr/local/bin/lldpcli`)
	ts.Check(err)
}

// release NAME VERSION: a router says that it runs another release of FRR.
func cmdRelease(ts *testscript.TestScript, neg bool, args []string) {
	_, err := get(ts).routers[args[0]].Run(context.Background(), "sh", "-c", `cp /usr/bin/vtysh /run/vtysh.real && chmod 755 /run/vtysh.real
printf '%s\n' '#!/bin/bash' 'set -o pipefail' "/run/vtysh.real \"\$@\" | sed 's/FRRouting [0-9.]* (/FRRouting $1 (/'" >/run/vtysh.new
chmod 755 /run/vtysh.new && mount --bind /run/vtysh.new /usr/bin/vtysh`, "sh", args[1])
	ts.Check(err)
}

// plugin-example PATH: builds the third-party plugin, a module of its own.
func cmdPluginExample(ts *testscript.TestScript, neg bool, args []string) {
	dir, err := filepath.Abs(pluginExample)
	ts.Check(err)
	ts.Check(os.MkdirAll(filepath.Dir(args[0]), 0o700))
	build := exec.Command("go", "build", "-o", args[0], ".")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
}

// load NAME FILE: gives a router another configuration, running and startup.
func cmdLoad(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(get(ts).routers[args[0]].Load(context.Background(), ts.ReadFile(args[1])))
}

// running NAME FILE: what a device runs, as the harness sees it.
func cmdRunning(ts *testscript.TestScript, neg bool, args []string) {
	if s := get(ts).switches[args[0]]; s != nil {
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(s.device.Running()), 0o600))
		return
	}
	out, err := get(ts).routers[args[0]].Running(context.Background())
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), lab.Significant(out), 0o600))
}

// startup NAME FILE: what a router would start with.
func cmdStartup(ts *testscript.TestScript, neg bool, args []string) {
	if s := get(ts).switches[args[0]]; s != nil {
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(s.device.Startup()), 0o600))
		return
	}
	out, err := get(ts).routers[args[0]].Startup()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), lab.Significant(out), 0o600))
}

// daemon kill|start NAME DAEMON
func cmdDaemon(ts *testscript.TestScript, neg bool, args []string) {
	r := get(ts).routers[args[1]]
	if args[0] == "kill" {
		ts.Check(r.KillDaemon(context.Background(), args[2]))
		return
	}
	ts.Check(r.StartDaemon(context.Background(), args[2]))
}

// inside NAME PROGRAM ARG…: runs a program on a device as root.
func cmdInside(ts *testscript.TestScript, neg bool, args []string) {
	out, err := get(ts).device(args[0]).Run(context.Background(), args[1:]...)
	fmt.Fprintf(ts.Stdout(), "%s", out)
	if (err != nil) != neg {
		ts.Fatalf("inside %s: %v", strings.Join(args, " "), err)
	}
}

// snapshot NAME VARIABLE [N]: the id of the Nth newest snapshot of a device
// (1: the newest).
func cmdSnapshot(ts *testscript.TestScript, neg bool, args []string) {
	n := 1
	if len(args) > 2 {
		var err error
		n, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	cmd := exec.Command(binary, "list", args[0], "--json")
	cmd.Env = append(os.Environ(), "CFGVAULT_HOME="+ts.Getenv("CFGVAULT_HOME"))
	out, err := cmd.Output()
	ts.Check(err)
	ids, err := snapshotIDs(out)
	ts.Check(err)
	if n > len(ids) {
		ts.Fatalf("there are %d snapshots", len(ids))
	}
	ts.Setenv(args[1], ids[len(ids)-n])
}
