// Package openwrt simulates an OpenWrt device: a busybox shell on files in
// memory, UCI, the parts of ubus and procd that backups and restores meet,
// sysupgrade's list of files, and a factory reset. It is written from the
// sources of uci, rpcd, procd, base-files and fstools.
//
// The configuration in force is what the last reload_config or boot read; a
// file that changes without one changes nothing until then. What busybox is
// not built with by default (setsid, stat, base64) is not there. Package
// management, the radio and the network itself are not simulated.
package openwrt

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/unix"
)

// Variant is what differs between devices beyond device.Options.
type Variant struct {
	NoBoot bool   // no folder for init scripts: nothing can act before the network starts
	Serial string // the device tree's serial number; most have none
	Pool   bool   // apk in the place of opkg, as from release 25.12
}

type box struct {
	dev     *device.Device
	m       *unix.Machine
	v       Variant
	force   map[string]string // package to what is in force, as "uci export" prints it
	factory map[string]string // files as the image has them
	booting atomic.Bool       // services do not run yet

	elsewhere bool // it does not need an address to be reached
}

// New makes a device that boots with o.Config, which is the text of "uci
// export", or as from the factory.
func New(o device.Options, v Variant) *device.Device {
	if o.Version == "" {
		o.Version = "23.05.5"
	}
	if o.Model == "" {
		o.Model = "Example Router One"
	}
	if o.MAC == "" {
		o.MAC = "02:00:00:00:10:00"
	}
	if o.User == "" {
		o.User = "root"
	}
	d := device.New(o)
	b := &box{dev: d, v: v, force: map[string]string{}, factory: factory()}
	b.m = unix.New(unix.Options{
		Clock: d.Clock(), Hostname: "OpenWrt", Volatile: []string{"/tmp"},
		Without: []string{"setsid", "stat", "base64", "gunzip", "tee"},
		Tools:   b.tools(),
	})
	b.install(o)
	d.Install(b)
	b.elsewhere = !addressed(b.force["network"])
	return d
}

// install writes the files of the image and those of o.Config.
func (b *box) install(o device.Options) {
	b.m.With(func(f *unix.Files) {
		for _, dir := range []string{"/etc/config", "/etc/init.d", "/etc/rc.d", "/root", "/tmp", "/sys/class/net/eth0", "/rom"} {
			f.Put(dir+"/.keep", nil, 0o644)
			f.Remove(dir + "/.keep")
		}
		f.Link("/var", "/tmp")
		for name, text := range b.factory {
			mode := fs.FileMode(0o644)
			if name == "/etc/shadow" || strings.HasPrefix(name, "/etc/dropbear/") {
				mode = 0o600
			}
			f.Put(name, []byte(text), mode)
			f.Put("/rom"+name, []byte(text), mode)
		}
		f.Put("/etc/openwrt_release", fmt.Appendf(nil, "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='%s'\n", o.Version), 0o644)
		f.Put("/sys/class/net/eth0/address", []byte(o.MAC+"\n"), 0o444)
		f.Put("/proc/mtd", []byte("dev:    size   erasesize  name\nmtd0: 00040000 00010000 \"u-boot\"\nmtd2: 00000008 00010000 \"factory\"\n"), 0o444)
		f.Put("/dev/mtd2ro", []byte("\x00cal\xff\x01\n\x00"), 0o400)
		if b.v.Serial != "" {
			f.Put("/proc/device-tree/serial-number", []byte(b.v.Serial+"\x00"), 0o444)
		}
		if b.v.NoBoot {
			f.Remove("/etc/rc.d")
			f.Remove("/etc/rc.common")
		}
		for name, text := range split(o.Config) {
			f.Put("/etc/config/"+name, []byte(text), 0o644)
		}
	})
}

// split cuts the text of "uci export" into packages.
func split(text string) map[string]string {
	out := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "package "); ok {
			name = strings.Trim(strings.TrimSpace(rest), "'\"")
			out[name] = ""
			continue
		}
		if name != "" {
			out[name] += line
		}
	}
	for n, t := range out {
		out[n] = strings.TrimRight(t, "\n") + "\n"
	}
	return out
}

// packages lists the names in /etc/config.
func packages(m *unix.Machine) (names []string) {
	m.With(func(f *unix.Files) { names = f.List("/etc/config") })
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, ".") })
}

// take puts the files in force: every package that can be read.
func (b *box) take(m *unix.Machine, force map[string]string) {
	names := packages(m)
	for n := range force {
		if !slices.Contains(names, n) {
			delete(force, n)
		}
	}
	for _, n := range names {
		sections, err := parseUCI(m.Read("/etc/config/" + n))
		if err != nil {
			continue // a service keeps what it had
		}
		force[n] = export(n, sections)
		if n == "system" {
			if s := find(sections, "@system[0]"); s != nil && s.get("hostname") != "" {
				m.SetHostname(s.get("hostname"))
			}
		}
	}
}

func show(force map[string]string) string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(force)) {
		b.WriteString(force[n])
	}
	return b.String()
}

func (b *box) Running() string { return show(b.force) }

// Startup is what would be in force after a reboot: init scripts run first.
func (b *box) Startup() string {
	ahead := b.m.Clone()
	ahead.Reboot()
	force := map[string]string{}
	b.start(ahead, force)
	return show(force)
}

func (b *box) FactoryReset() {
	b.m.With(func(f *unix.Files) {
		for _, n := range f.Under("/etc") {
			f.Remove(n)
		}
	})
	b.install(device.Options{Version: b.dev.Options().Version, MAC: b.dev.Options().MAC})
	b.dev.RenewHostKey() // dropbear makes one at the first boot
}

func (b *box) Boot() {
	b.m.Reboot()
	b.m.SetHostname("OpenWrt")
	b.booting.Store(true)
	defer b.booting.Store(false)
	b.force = map[string]string{}
	b.start(b.m, b.force)
}

// start runs the init scripts that sort before the network's, then takes the
// configuration.
func (b *box) start(m *unix.Machine, force map[string]string) {
	var scripts []string
	m.With(func(f *unix.Files) { scripts = f.List("/etc/rc.d") })
	for _, s := range scripts {
		if strings.HasPrefix(s, "S") && s < "S20" && m.Exists("/etc/rc.common") {
			m.Shell(". /etc/rc.d/"+s+"; boot", nil, discard{}, discard{})
		}
	}
	b.take(m, force)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (b *box) Banner() string             { return "" }
func (b *box) Admits(user string) bool    { return user == "root" }
func (b *box) Exec(p *device.Process) int { return b.m.Exec(p) }

// Reachable: some port beside the loopback has an address, or asks for one. A
// unit that was without one from the start is reached in another way.
func (b *box) Reachable() bool { return b.elsewhere || addressed(b.force["network"]) }

func addressed(network string) bool {
	sections, err := parseUCI(network)
	return err == nil && slices.ContainsFunc(sections, func(s section) bool {
		return s.kind == "interface" && s.name != "loopback" && (s.get("proto") == "static" || s.get("proto") == "dhcp")
	})
}

func (b *box) Login(*device.TTY) device.CommandLine { return &login{b} }

type login struct{ b *box }

func (l *login) Prompt() string { return "root@" + l.b.m.Hostname() + ":~# " }
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
	t := map[string]unix.Tool{
		"uci": b.uci, "ubus": b.ubus, "reload_config": b.reload, "sysupgrade": b.sysupgrade, "firstboot": b.firstboot, "reboot": b.reboot,
	}
	if b.v.Pool {
		t["apk"] = func(c *unix.Call) int {
			fmt.Fprint(c.Out, "base-files-1700 aarch64 {feeds/base} (GPL-2.0) [installed]\n")
			return 0
		}
	} else {
		t["opkg"] = func(c *unix.Call) int {
			if len(c.Args) != 2 || c.Args[1] != "list-installed" {
				return 255
			}
			fmt.Fprint(c.Out, "base-files - 1562-r24106\nbusybox - 1.36.1-1\ndropbear - 2022.83-1\n")
			return 0
		}
	}
	return t
}

// uci is the command; it has no apply, confirm or rollback.
func (b *box) uci(c *unix.Call) int {
	args := c.Args[1:]
	quiet := len(args) > 0 && args[0] == "-q"
	if quiet {
		args = args[1:]
	}
	fail := func(text string) int {
		if !quiet {
			fmt.Fprintln(c.Err, "uci: "+text)
		}
		return 1
	}
	if len(args) == 0 {
		fmt.Fprint(c.Err, "Usage: uci [<options>] <command> [<arguments>]\n")
		return 255
	}
	dir := "/etc/config/"
	if len(args) > 2 && args[0] == "-c" {
		dir, args = strings.TrimSuffix(args[1], "/")+"/", args[2:]
	}
	load := func(name string) ([]section, int) {
		if !c.Exists(dir + name) {
			return nil, fail("Entry not found")
		}
		s, err := parseUCI(c.Read(dir + name))
		if err != nil {
			return nil, fail(err.Error())
		}
		return s, 0
	}
	switch args[0] {
	case "export", "show":
		names := packages(c.Machine)
		if len(args) > 1 {
			names = []string{args[1]}
		}
		status := 0
		for _, n := range names {
			s, bad := load(n)
			if bad != 0 {
				status = bad
				continue
			}
			fmt.Fprint(c.Out, export(n, s))
		}
		return status
	case "changes":
		fmt.Fprint(c.Out, c.Read("/tmp/.uci/changes"))
		return 0
	case "get":
		if len(args) != 2 {
			return 255
		}
		parts := strings.SplitN(args[1], ".", 3)
		s, bad := load(parts[0])
		if bad != 0 {
			return bad
		}
		if len(parts) < 2 {
			return fail("Invalid argument")
		}
		x := find(s, parts[1])
		if x == nil {
			return fail("Entry not found")
		}
		if len(parts) == 2 {
			fmt.Fprintln(c.Out, x.kind)
			return 0
		}
		v := x.get(parts[2])
		if v == "" {
			return fail("Entry not found")
		}
		fmt.Fprintln(c.Out, v)
		return 0
	}
	fmt.Fprint(c.Err, "Usage: uci [<options>] <command> [<arguments>]\n")
	return 255
}

// ubus answers "call system board" and the uci object's state of a change.
func (b *box) ubus(c *unix.Call) int {
	if len(c.Args) >= 4 && c.Args[1] == "call" && c.Args[2] == "system" && c.Args[3] == "board" {
		o := b.dev.Options()
		out, err := json.MarshalIndent(map[string]any{
			"kernel": "5.15.167", "hostname": c.Hostname(), "system": "ARMv8 Processor rev 4", "model": o.Model, "board_name": "example,router-one", "rootfs_type": "squashfs",
			"release": map[string]any{"distribution": "OpenWrt", "version": o.Version, "revision": "r24106-10cc5fcd00", "target": "mediatek/filogic", "description": "OpenWrt " + o.Version + " r24106-10cc5fcd00"},
		}, "", "\t")
		if err != nil {
			return 9
		}
		fmt.Fprintln(c.Out, string(out))
		return 0
	}
	fmt.Fprint(c.Err, "Command failed: Not found\n")
	return 4
}

func (b *box) reload(c *unix.Call) int {
	if b.booting.Load() || c.Machine != b.m {
		return 0
	}
	b.dev.Lock()
	defer b.dev.Unlock()
	b.take(b.m, b.force)
	b.dev.Changed()
	return 0
}

// kept are the files of "sysupgrade -l" beside those of /etc/config.
func kept() []string {
	return []string{"/etc/crontabs", "/etc/dropbear", "/etc/group", "/etc/hosts", "/etc/inittab", "/etc/passwd", "/etc/profile", "/etc/rc.local", "/etc/shadow", "/etc/shells", "/etc/sysctl.conf", "/etc/sysupgrade.conf", "/etc/uhttpd.crt", "/etc/uhttpd.key"}
}

func (b *box) sysupgrade(c *unix.Call) int {
	if len(c.Args) != 2 || c.Args[1] != "-l" {
		fmt.Fprintf(c.Err, "Invalid option: %s\n", strings.Join(c.Args[1:], " "))
		return 1
	}
	list := append(kept(), "/etc/config")
	for line := range strings.Lines(c.Read("/etc/sysupgrade.conf")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, strings.TrimSuffix(line, "/"))
		}
	}
	var out []string
	c.With(func(f *unix.Files) {
		for _, n := range list {
			if _, err := f.Read(n); err == nil {
				out = append(out, n)
			}
			for _, u := range f.Under(n) {
				if _, err := f.Read(u); err == nil && !strings.HasPrefix(path.Base(u), ".") {
					out = append(out, u)
				}
			}
		}
	})
	slices.Sort(out)
	for _, n := range slices.Compact(out) {
		fmt.Fprintln(c.Out, n)
	}
	return 0
}

// firstboot erases the overlay; without -y it asks, and without -r the device
// goes on until it is rebooted.
func (b *box) firstboot(c *unix.Call) int {
	yes, again := slices.Contains(c.Args, "-y"), slices.Contains(c.Args, "-r")
	if !yes {
		fmt.Fprint(c.Out, "This will erase all settings and remove any installed packages. Are you sure? [N/y]\n")
		buf := make([]byte, 16)
		n, _ := c.In.Read(buf)
		if answer := strings.TrimSpace(string(buf[:n])); answer != "y" {
			return 1
		}
	}
	fmt.Fprintln(c.Err, "/dev/mtdblock6 is mounted as /overlay, only erasing files")
	b.dev.Lock()
	defer b.dev.Unlock()
	b.FactoryReset()
	if again {
		b.dev.Reboot()
	}
	return 0
}

func (b *box) reboot(*unix.Call) int {
	b.dev.Lock()
	defer b.dev.Unlock()
	b.dev.Reboot()
	return 0
}

// Machine returns the machine of a device that New made, for tests that look
// at its files.
func Machine(d *device.Device) *unix.Machine { return d.Box().(*box).m }

// factory are the files of the image.
func factory() map[string]string {
	out := map[string]string{
		"/etc/passwd": "root:x:0:0:root:/root:/bin/ash\n", "/etc/group": "root:x:0:\n", "/etc/shells": "/bin/ash\n", "/etc/profile": "#!/bin/sh\n",
		"/etc/shadow": "root:::0:99999:7:::\n", "/etc/hosts": "127.0.0.1 localhost\n", "/etc/inittab": "::sysinit:/etc/init.d/rcS S boot\n",
		"/etc/rc.local":        "# Put your custom commands here that should be executed once\n# the system init finished.\n\nexit 0\n",
		"/etc/sysctl.conf":     "# Defaults are configured in /etc/sysctl.d/*\n",
		"/etc/sysupgrade.conf": "## This file contains files and directories that should\n## be preserved during an upgrade.\n",
		"/etc/rc.common":       "#!/bin/sh\n", "/etc/dropbear/dropbear_ed25519_host_key": "made at the first boot\n",
		"/etc/board.json": "{\n\t\"model\": {\n\t\t\"id\": \"example,router-one\"\n\t}\n}\n",
	}
	for name, text := range split(Factory) {
		out["/etc/config/"+name] = text
	}
	return out
}
