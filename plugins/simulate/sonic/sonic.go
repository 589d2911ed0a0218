// Package sonic simulates a SONiC switch: a Debian shell on files in memory,
// CONFIG_DB, and the commands of sonic-utilities that backups and restores
// meet. It is written from sonic-net/sonic-utilities (config/main.py,
// generic_config_updater) and sonic-buildimage (config-setup).
//
// The running configuration is CONFIG_DB; /etc/sonic/config_db.json is what a
// boot loads. "config replace" changes the database step by step, without a
// lock and without a way back of its own, and writes nothing to disk. YANG
// validation is reduced to which tables have a model. FRR and its container,
// the data plane and multi-ASIC units are not simulated.
package sonic

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/unix"
)

// Variant is what differs between devices beyond device.Options.
type Variant struct {
	FailAfter int  // "config replace" fails after so many tables; 0: never
	NoGCU     bool // a release without checkpoint, replace and rollback
}

type database map[string]map[string]map[string]any

type box struct {
	dev *device.Device
	m   *unix.Machine
	v   Variant
	db  database

	address string // that the outside world dials; "" is any
}

const (
	saved       = "/etc/sonic/config_db.json"
	checkpoints = "/etc/sonic/checkpoints/"
)

// New makes a switch that boots with o.Config, the text of config_db.json, or
// as from the factory.
func New(o device.Options, v Variant) *device.Device {
	if o.Version == "" {
		o.Version = "202311.1"
	}
	if o.Model == "" {
		o.Model = "Force10-S6000"
	}
	if o.Serial == "" && !o.NoSerial {
		o.Serial = "TH0000000001"
	}
	if o.MAC == "" {
		o.MAC = "02:00:00:00:20:00"
	}
	if o.Config == "" {
		o.Config = Factory
	}
	d := device.New(o)
	b := &box{dev: d, v: v}
	if db, err := load(o.Config); err == nil {
		b.address = management(db)
	}
	b.m = unix.New(unix.Options{Clock: d.Clock(), Hostname: "sonic", Volatile: []string{"/tmp", "/run"}, Without: []string{"start-stop-daemon"}, Tools: b.tools()})
	b.m.With(func(f *unix.Files) {
		for _, dir := range []string{"/root", "/tmp", "/run/systemd/system", "/etc/sonic/frr", "/var/lib", "/etc/systemd/system"} {
			f.Put(dir+"/.keep", nil, 0o644)
		}
		f.Put(saved, []byte(o.Config), 0o644)
		f.Put("/etc/sonic/sonic_version.yml", fmt.Appendf(nil, "build_version: '%s'\n", o.Version), 0o644)
	})
	d.Install(b)
	return d
}

// Machine returns the machine of a device that New made.
func Machine(d *device.Device) *unix.Machine { return d.Box().(*box).m }

func load(text string) (database, error) {
	var db database
	if err := json.Unmarshal([]byte(text), &db); err != nil {
		return nil, err
	}
	return db, nil
}

func (db database) String() string {
	out, err := json.MarshalIndent(db, "", "    ")
	if err != nil {
		return ""
	}
	return string(out) + "\n"
}

func (db database) clone() database {
	c, err := load(db.String())
	if err != nil {
		return database{}
	}
	return c
}

func (b *box) Running() string { return b.db.String() }

func (b *box) Startup() string {
	db, err := load(b.m.Read(saved))
	if err != nil {
		return ""
	}
	return db.String()
}

func (b *box) FactoryReset() { b.m.Write(saved, Factory) }

func (b *box) Boot() {
	b.m.Reboot()
	b.m.With(func(f *unix.Files) { f.Put("/run/systemd/system/.keep", nil, 0o644) })
	db, err := load(b.m.Read(saved))
	if err != nil {
		db, _ = load(Factory)
	}
	b.db = db
	b.name()
}

// changed is to be called after every change of the database.
func (b *box) changed() {
	b.name()
	b.dev.Changed()
}

func (b *box) name() {
	if h, ok := b.db["DEVICE_METADATA"]["localhost"]["hostname"].(string); ok {
		b.m.SetHostname(h)
	}
}

func (b *box) Banner() string             { return "" }
func (b *box) Admits(string) bool         { return true }
func (b *box) Exec(p *device.Process) int { return b.m.Exec(p) }

// Reachable: the management port has the address that is dialled, or asks for
// one by DHCP because it has none.
func (b *box) Reachable() bool {
	at := management(b.db)
	return at == "" || b.address == "" || at == b.address
}

// management is the address of the management port.
func management(db database) string {
	for _, key := range slices.Sorted(maps.Keys(db["MGMT_INTERFACE"])) {
		if at, ok := strings.CutPrefix(key, "eth0|"); ok {
			return at
		}
	}
	return ""
}

func (b *box) Login(*device.TTY) device.CommandLine { return &login{b} }

type login struct{ b *box }

func (l *login) Prompt() string { return "admin@" + l.b.m.Hostname() + ":~$ " }
func (l *login) Run(t *device.TTY, line string) bool {
	if strings.TrimSpace(line) == "exit" {
		return false
	}
	w := printer{t}
	l.b.m.Shell(line, nil, w, w)
	return true
}

type printer struct{ t *device.TTY }

func (p printer) Write(b []byte) (int, error) {
	p.t.Print(string(b))
	return len(b), nil
}

func (b *box) tools() map[string]unix.Tool {
	return map[string]unix.Tool{
		"config": b.config, "sonic-cfggen": b.cfggen, "show": b.show, "decode-syseeprom": b.eeprom, "sonic-db-cli": b.dbCLI, "config-setup": b.setup,
		"python3": b.python, "systemd-run": systemdRun, "reboot": b.reboot, "systemctl": func(*unix.Call) int { return 0 },
	}
}

// systemdRun starts a shell as a unit of its own.
func systemdRun(c *unix.Call) int {
	args := c.Args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		args = args[1:]
	}
	if len(args) < 2 || args[0] != "/bin/sh" {
		return c.Fail("Failed to find executable")
	}
	c.Detach(append([]string{"sh"}, args[1:]...))
	return 0
}

func (b *box) locked(f func() int) int {
	b.dev.Lock()
	defer b.dev.Unlock()
	return f()
}

func (b *box) dbCLI(c *unix.Call) int {
	if slices.Equal(c.Args[1:], []string{"CONFIG_DB", "GET", "CONFIG_DB_INITIALIZED"}) {
		fmt.Fprintln(c.Out, "1")
		return 0
	}
	return 1
}

// cfggen prints the database in no particular order of keys.
func (b *box) cfggen(c *unix.Call) int {
	if !slices.Equal(c.Args[1:], []string{"-d", "--print-data"}) {
		return 2
	}
	return b.locked(func() int {
		names := slices.Sorted(maps.Keys(b.db))
		slices.Reverse(names)
		var parts []string
		for _, n := range names {
			body, _ := json.MarshalIndent(b.db[n], "    ", "    ")
			parts = append(parts, fmt.Sprintf("    %q: %s", n, body))
		}
		fmt.Fprintf(c.Out, "{\n%s\n}\n", strings.Join(parts, ",\n"))
		return 0
	})
}

// python is "python3 -m json.tool [--sort-keys]" from standard input.
func (b *box) python(c *unix.Call) int {
	if len(c.Args) < 3 || c.Args[1] != "-m" || c.Args[2] != "json.tool" {
		return 2
	}
	data, err := io.ReadAll(c.In)
	var v any
	if err != nil || json.Unmarshal(data, &v) != nil {
		fmt.Fprintln(c.Err, "Expecting value: line 1 column 1 (char 0)")
		return 1
	}
	out, _ := json.MarshalIndent(v, "", "    ")
	fmt.Fprintln(c.Out, string(out))
	return 0
}

func (b *box) show(c *unix.Call) int {
	o := b.dev.Options()
	if len(c.Args) < 2 || c.Args[1] != "version" {
		return 2
	}
	serial := o.Serial
	if o.NoSerial {
		serial = "N/A"
	}
	fmt.Fprintf(c.Out, "\nSONiC Software Version: SONiC.%s\nSONiC OS Version: 11\nDistribution: Debian 11.8\nKernel: 5.10.0-23-2-amd64\nBuild commit: abcdef012\n\nPlatform: x86_64-dell_s6000_s1220-r0\nHwSKU: %s\nASIC: broadcom\nASIC Count: 1\nSerial Number: %s\nModel Number: N/A\nHardware Revision: N/A\nUptime: 00:00:00 up 1 day\n\n", o.Version, o.Model, serial)
	return 0
}

func (b *box) eeprom(c *unix.Call) int {
	o := b.dev.Options()
	if len(c.Args) == 2 && c.Args[1] == "-m" {
		fmt.Fprintln(c.Out, strings.ToUpper(o.MAC))
		return 0
	}
	fmt.Fprintln(c.Err, "Platform does not support EEPROM")
	return 19
}

func (b *box) reboot(*unix.Call) int {
	return b.locked(func() int { b.dev.Reboot(); return 0 })
}

// setup is config-setup factory: it writes a new file and reboots nothing.
func (b *box) setup(c *unix.Call) int {
	if len(c.Args) != 2 || c.Args[1] != "factory" {
		return 1
	}
	b.m.Write(saved, Factory)
	return 0
}

// usage is how click ends a command that failed: status 2.
func usage(c *unix.Call, what, why string) int {
	fmt.Fprintf(c.Err, "%s\nUsage: config %s [OPTIONS]\nTry 'config %s -h' for help.\n\nError: %s\n", what, c.Args[1], c.Args[1], why)
	return 2
}

func (b *box) config(c *unix.Call) int {
	if len(c.Args) < 2 {
		return 2
	}
	var dry bool
	var names []string
	for _, a := range c.Args[2:] {
		switch a {
		case "-d", "--dry-run":
			dry = true
		case "-v", "-y":
		default:
			names = append(names, a)
		}
	}
	yes := slices.Contains(c.Args, "-y")
	verb := c.Args[1]
	if b.v.NoGCU && slices.Contains([]string{"checkpoint", "replace", "rollback", "delete-checkpoint"}, verb) {
		fmt.Fprintf(c.Err, "Usage: config [OPTIONS] COMMAND [ARGS]...\n\nError: No such command %q.\n", verb)
		return 2
	}
	return b.locked(func() int {
		switch verb {
		case "save":
			if !yes {
				fmt.Fprintln(c.Out, "Existing files will be overwritten, continue? [y/N]: Aborted!")
				return 1
			}
			b.m.Write(saved, b.db.String())
			return 0
		case "reload":
			if !yes {
				fmt.Fprintln(c.Out, "Aborted!")
				return 1
			}
			db, err := load(b.m.Read(saved))
			if err != nil {
				return 1
			}
			b.db = db
			b.changed()
			return 0
		}
		if len(names) != 1 {
			return usage(c, "", "Missing argument.")
		}
		switch verb {
		case "checkpoint":
			b.m.Write(checkpoints+names[0]+".cp.json", b.db.String())
			fmt.Fprintln(c.Out, "Checkpoint created successfully.")
			return 0
		case "delete-checkpoint":
			if !b.m.Exists(checkpoints + names[0] + ".cp.json") {
				return usage(c, "Failed to delete config checkpoint", "Checkpoint '"+names[0]+"' does not exist")
			}
			b.m.With(func(f *unix.Files) { f.Remove(checkpoints + names[0] + ".cp.json") })
			fmt.Fprintln(c.Out, "Checkpoint deleted successfully.")
			return 0
		case "rollback":
			text := b.m.Read(checkpoints + names[0] + ".cp.json")
			db, err := load(text)
			if text == "" || err != nil {
				return usage(c, "Failed to rollback config", "Checkpoint '"+names[0]+"' does not exist")
			}
			b.db = db
			b.changed()
			fmt.Fprintln(c.Out, "Config rolled back successfully.")
			return 0
		case "replace":
			return b.replace(c, c.Read(inDir(c.Dir, names[0])), dry)
		}
		return usage(c, "", "No such command")
	})
}

func inDir(dir, name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return strings.TrimSuffix(dir, "/") + "/" + name
}

func (b *box) replace(c *unix.Call, text string, dry bool) int {
	if dry {
		fmt.Fprintln(c.Out, "** DRY RUN EXECUTION **")
	}
	want, err := load(text)
	if err != nil {
		return usage(c, "Failed to replace config", err.Error())
	}
	var changed []string
	for _, t := range slices.Sorted(maps.Keys(union(b.db, want))) {
		if fmt.Sprint(b.db[t]) != fmt.Sprint(want[t]) {
			if !slices.Contains(models(), t) {
				return usage(c, "Failed to replace config", "Given patch is not valid because it has changes to tables without YANG models")
			}
			changed = append(changed, t)
		}
	}
	fmt.Fprintf(c.Out, "Config Replacer: Config replacement starting.\nPatch Applier: The localhost patch was converted into %d changes:\n", len(changed))
	if dry {
		fmt.Fprintln(c.Out, "Config replaced successfully.")
		return 0
	}
	for i, t := range changed {
		if b.v.FailAfter > 0 && i >= b.v.FailAfter {
			return usage(c, "Failed to replace config", "After applying patch to config, there are still some parts not updated")
		}
		if want[t] == nil {
			delete(b.db, t)
		} else {
			b.db[t] = want.clone()[t]
		}
	}
	b.changed()
	fmt.Fprintln(c.Out, "Config replaced successfully.")
	return 0
}

func union(a, b database) map[string]bool {
	out := map[string]bool{}
	for t := range a {
		out[t] = true
	}
	for t := range b {
		out[t] = true
	}
	return out
}

// models are the tables that have a YANG model.
func models() []string {
	return strings.Fields("ACL_RULE ACL_TABLE BGP_NEIGHBOR CRM DEVICE_METADATA DNS_NAMESERVER FEATURE FLEX_COUNTER_TABLE INTERFACE LOOPBACK_INTERFACE MGMT_INTERFACE MGMT_PORT NTP NTP_SERVER PORT PORTCHANNEL PORTCHANNEL_INTERFACE PORTCHANNEL_MEMBER SNMP SNMP_COMMUNITY STATIC_ROUTE SYSLOG_SERVER VERSIONS VLAN VLAN_INTERFACE VLAN_MEMBER VRF")
}
