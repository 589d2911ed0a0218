package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// The logins of a router.
const (
	UserShell = "netadmin"  // a shell, in groups frr and frrvty
	UserVtysh = "operator1" // ForceCommand vtysh: whatever it asks for, it gets the command line of vtysh
	UserLogin = "operator2" // vtysh is its login shell: ssh HOST COMMAND runs vtysh -c COMMAND
	UserPlain = "visitor"   // a shell, in no group: may read nothing of FRR
)

// RouterOptions say how a router starts. The zero value is a router with
// Daemons bgpd and ospfd and the configuration of Sample.
type RouterOptions struct {
	Name    string
	Serial  string
	Daemons []string // besides zebra and staticd, which always run
	Config  string   // frr.conf, as Sample gives it
}

// Router is a Device that runs FRR.
type Router struct {
	*Device
	initial string // frr.conf as the factory leaves it
}

// Shell is the login with a shell.
func (r *Router) Shell() Login { return r.login(UserShell) }

// Vtysh is the login whose ForceCommand is vtysh.
func (r *Router) Vtysh() Login { return r.login(UserVtysh) }

// VtyshShell is the login whose login shell is vtysh.
func (r *Router) VtyshShell() Login { return r.login(UserLogin) }

// Plain is the login without any right to FRR.
func (r *Router) Plain() Login { return r.login(UserPlain) }

// Canary is the password in Sample: it must never be seen in a log, an error
// or a store.
const Canary = "S3cretCanary"

// Sample is a router's configuration with a secret in it.
func Sample(name string) string {
	return `frr version 8.4.4
frr defaults traditional
hostname ` + name + `
log syslog informational
service integrated-vtysh-config
!
ip route 203.0.113.0/24 Null0
!
interface eth0
 description uplink to core
exit
!
router bgp 65001
 bgp router-id 192.0.2.1
 neighbor 192.0.2.254 remote-as 65002
 neighbor 192.0.2.254 description transit
 neighbor 192.0.2.254 password ` + Canary + `
 neighbor 192.0.2.254 shutdown
 !
 address-family ipv4 unicast
  network 203.0.113.0/24
  neighbor 192.0.2.254 prefix-list PL1 in
 exit-address-family
exit
!
router ospf
 ospf router-id 192.0.2.1
 network 192.0.2.0/24 area 0
exit
!
ip prefix-list PL1 seq 5 permit 10.0.0.0/8 le 24
!
route-map RM1 permit 10
 match ip address prefix-list PL1
 set local-preference 200
exit
!
end
`
}

// Router starts one FRR router.
func (l *Lab) Router(ctx context.Context, o RouterOptions) (*Router, error) {
	if o.Daemons == nil {
		o.Daemons = []string{"bgpd", "ospfd"}
	}
	r := &Router{Device: &Device{Name: o.Name, Serial: o.Serial, logins: map[string]login{
		UserShell: {shell: "/bin/bash", groups: []string{"frr", "frrvty"}},
		UserVtysh: {shell: "/bin/bash", groups: []string{"frrvty"}, forced: "/usr/bin/vtysh"},
		UserLogin: {shell: "/usr/bin/vtysh", groups: []string{"frrvty"}},
		UserPlain: {shell: "/bin/sh"},
	}}}
	err := l.start(ctx, r.Device, "frr", func(etc string) error {
		r.initial = "frr defaults traditional\nhostname " + r.Name + "\nlog syslog informational\nservice integrated-vtysh-config\n!\nend\n"
		if o.Config == "" {
			o.Config = Sample(r.Name)
		}
		daemons := "bgpd=no\nospfd=no\nospf6d=no\nisisd=no\nbfdd=no\n"
		for _, d := range o.Daemons {
			if strings.Contains(daemons, d+"=no") {
				daemons = strings.Replace(daemons, d+"=no", d+"=yes", 1)
			} else {
				daemons += d + "=yes\n"
			}
		}
		daemons += "\nvtysh_enable=yes\nzebra_options=\"  -A 127.0.0.1 -s 90000000\"\n"
		return writeFRR(filepath.Join(etc, "frr"), map[string]string{
			"frr.conf": o.Config, "daemons": daemons, "vtysh.conf": "service integrated-vtysh-config\n",
		})
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Routers starts n routers of the same options, a few at a time.
func (l *Lab) Routers(ctx context.Context, n int, o RouterOptions) ([]*Router, error) {
	all := make([]*Router, n)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i := range all {
		g.Go(func() (err error) {
			one := o
			one.Name, one.Serial = "", ""
			all[i], err = l.Router(ctx, one)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return all, nil
}

// writeFRR writes /etc/frr with the owners and modes of the Debian package
// (setgid to frrvty, so that vtysh may replace its files).
func writeFRR(dir string, files map[string]string) error {
	uid, gid, err := frrIDs()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			return err
		}
		if err := os.Chown(path, uid, gid); err != nil {
			return err
		}
		if err := os.Chmod(path, 0o660); err != nil {
			return err
		}
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return err
	}
	return os.Chmod(dir, 0o770|os.ModeSetgid)
}

func frrIDs() (uid, gid int, err error) {
	u, err := user.Lookup("frr")
	if err != nil {
		return 0, 0, err
	}
	g, err := user.LookupGroup("frrvty")
	if err != nil {
		return 0, 0, err
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(g.Gid)
	return uid, gid, err
}

// Running is the running configuration as the lab's own vtysh call prints it,
// whole.
func (r *Router) Running(ctx context.Context) ([]byte, error) {
	return r.Run(ctx, "vtysh", "-c", "show running-config")
}

// Startup is the text of frr.conf on the device's disk.
func (r *Router) Startup() ([]byte, error) {
	return os.ReadFile(filepath.Join(r.Dir, "etc", "frr", "frr.conf"))
}

// Significant drops what changes by itself from a router's configuration. It
// is the lab's own list, on purpose not the driver's.
func Significant(config []byte) []byte {
	var out []byte
	for line := range bytes.Lines(config) {
		switch text := string(bytes.TrimSpace(line)); {
		case text == "", text == "Building configuration...", text == "Current configuration:", strings.HasPrefix(text, "frr version "):
		default:
			out = append(out, line...)
		}
	}
	return out
}

// KillDaemon ends one daemon of the router without telling it.
func (r *Router) KillDaemon(ctx context.Context, name string) error {
	_, err := r.Run(ctx, "sh", "-c", `pid=$(cat "/run/frr/$1.pid") && kill -9 "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done; rm -f "/run/frr/$1.pid" "/run/frr/$1.vty"`, "sh", name)
	return err
}

// StartDaemon starts one daemon and gives it the configuration on disk.
func (r *Router) StartDaemon(ctx context.Context, name string) error {
	_, err := r.Run(ctx, "sh", "-c", `"/usr/lib/frr/$1" -d -A 127.0.0.1 >/dev/null 2>&1 </dev/null && while ! [ -S "/run/frr/$1.vty" ]; do sleep 0.01; done && vtysh -b >/dev/null 2>&1`, "sh", name)
	return err
}

// Wipe is a factory reset: the daemons stop, frr.conf becomes what the factory
// leaves and the daemons start again. /etc/frr/daemons stays, as the package's
// own reset leaves the operator's choice of daemons.
func (r *Router) Wipe(ctx context.Context) error {
	return r.restart(ctx, r.initial)
}

// Load puts a configuration on the router as its running and startup one, the
// way a reboot with that frr.conf would.
func (r *Router) Load(ctx context.Context, config string) error {
	return r.restart(ctx, config)
}

func (r *Router) restart(ctx context.Context, config string) error {
	r.boot.Lock()
	defer r.boot.Unlock()
	if _, err := r.Run(ctx, "sh", "-c", `
		for p in /run/frr/*.pid; do
			[ -f "$p" ] || continue
			pid=$(cat "$p"); kill -9 "$pid" 2>/dev/null; while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
		done
		rm -f /run/frr/*
		ip -4 route flush proto static; ip -4 route flush proto bgp; ip -4 route flush proto ospf; ip -4 route flush proto 196; true`); err != nil {
		return err
	}
	if err := writeFRR(filepath.Join(r.Dir, "etc", "frr"), map[string]string{"frr.conf": config}); err != nil {
		return err
	}
	_, err := r.Run(ctx, "bash", "/etc/.lab-init.sh", "daemons")
	return err
}

// SSH runs a command over the ssh client, as a person would: the floor for
// benchmarks.
func (d *Device) SSH(ctx context.Context, login Login, command ...string) ([]byte, error) {
	known := filepath.Join(d.Dir, "known_hosts")
	if err := os.WriteFile(known, []byte(d.KnownHost()), 0o644); err != nil {
		return nil, err
	}
	args := append([]string{"-F", "none", "-o", "UserKnownHostsFile=" + known, "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-i", login.KeyFile,
		login.User + "@" + d.Addr.String()}, command...)
	cmd := exec.CommandContext(ctx, "ssh", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), errors.Join(fmt.Errorf("ssh %s: %w", login.User, err), errors.New(strings.TrimSpace(stderr.String())))
	}
	return stdout.Bytes(), nil
}
