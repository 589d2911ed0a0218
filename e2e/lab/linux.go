package lab

import (
	"context"
	"os"
	"path/filepath"
)

// The logins of a machine, besides root, who logs in by key only.
const (
	UserSudo = "sysadmin" // may sudo without a password; only where sudo is installed
	UserNone = "guest1"   // may do nothing in particular
)

// MachineOptions say how a Linux machine starts.
type MachineOptions struct {
	Name   string
	Serial string
	Files  map[string]string // below /etc, path to text; nil: SampleFiles
}

// Machine is a Device that is a plain Linux machine without systemd.
type Machine struct {
	*Device
}

// Root is the login of root.
func (m *Machine) Root() Login { return m.login("root") }

// Sudo is the login that may sudo.
func (m *Machine) Sudo() Login { return m.login(UserSudo) }

// None is the login without rights.
func (m *Machine) None() Login { return m.login(UserNone) }

// SampleFiles are the configuration of a machine, with a secret in it.
func SampleFiles(name string) map[string]string {
	return map[string]string{
		"hostname":                            name + "\n",
		"hosts":                               "127.0.0.1\tlocalhost\n127.0.1.1\t" + name + "\n",
		"systemd/network/10-eth0.network":     "[Match]\nName=eth0\n\n[Network]\nDHCP=no\nDNS=192.0.2.53\n",
		"systemd/network/20-wg0.netdev":       "[NetDev]\nName=wg0\nKind=wireguard\n\n[WireGuard]\nPrivateKey=" + Canary + "\nListenPort=51820\n",
		"network/interfaces":                  "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n",
		"network/interfaces.d/dummy0":         "auto dummy0\niface dummy0 inet static\n\taddress 192.0.2.33/28\n",
		"sysctl.d/90-router.conf":             "net.ipv4.ip_forward = 1\n",
		"nftables.conf":                       "#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n",
		"ssh/sshd_config.d/50-hardening.conf": "X11Forwarding no\n",
	}
}

// Machine starts one Linux machine.
func (l *Lab) Machine(ctx context.Context, o MachineOptions) (*Machine, error) {
	m := &Machine{&Device{Name: o.Name, Serial: o.Serial, logins: map[string]login{
		UserSudo: {shell: "/bin/bash", sudo: true},
		UserNone: {shell: "/bin/sh"},
	}}}
	err := l.start(ctx, m.Device, "linux", func(etc string) error {
		if o.Files == nil {
			o.Files = SampleFiles(m.Name)
		}
		for name, text := range o.Files {
			if err := writeEtc(etc, name, text, 0o644); err != nil {
				return err
			}
		}
		return writeEtc(etc, "rc.local", "#!/bin/sh -e\nexit 0\n", 0o755)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func writeEtc(etc, name, text string, mode os.FileMode) error {
	path := filepath.Join(etc, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// ReadFile returns a file of the device, by its path on the device below /etc.
func (d *Device) ReadFile(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.Dir, "etc", name))
}

// WriteFile writes a file of the device below /etc, as somebody at the console
// would.
func (d *Device) WriteFile(name, text string) error {
	return writeEtc(filepath.Join(d.Dir, "etc"), name, text, 0o644)
}

// Wipe is a factory reset: the machine's network files go, its name becomes
// "localhost", and it boots again.
func (m *Machine) Wipe(ctx context.Context) error {
	etc := filepath.Join(m.Dir, "etc")
	for _, name := range []string{"systemd/network", "network/interfaces", "network/interfaces.d", "sysctl.d", "nftables.conf", "ssh/sshd_config.d"} {
		if err := os.RemoveAll(filepath.Join(etc, name)); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"hostname": "localhost\n", "hosts": "127.0.0.1\tlocalhost\n"} {
		if err := m.WriteFile(name, text); err != nil {
			return err
		}
	}
	return m.Reboot(ctx)
}
