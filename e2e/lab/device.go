package lab

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
)

//go:embed init.sh
var initScript []byte

// Device is one running machine of a lab.
type Device struct {
	Name    string
	Addr    netip.Addr    // management address, on eth0
	HostKey ssh.PublicKey // what its sshd proves
	Serial  string        // what /sys/class/dmi/id/product_serial says
	Dir     string        // its folders as the machine that runs the lab sees them: etc, home, root, var

	lab     *Lab
	veth    string
	logins  map[string]login
	env     []string
	init    *exec.Cmd
	control io.WriteCloser
	done    chan struct{}
	stop    sync.Once
	boot    sync.Mutex
}

// login is a user of a device.
type login struct {
	shell   string
	groups  []string
	sudo    bool
	forced  string // ForceCommand
	keyOnly bool
}

// Login opens a device: any of the two ways works unless Password is empty.
type Login struct {
	User     string
	Password string
	KeyFile  string
}

// HostPort is where the device's sshd listens.
func (d *Device) HostPort() string { return netip.AddrPortFrom(d.Addr, 22).String() }

// KnownHost is the device's line for a known_hosts file.
func (d *Device) KnownHost() string {
	return d.Addr.String() + " " + string(ssh.MarshalAuthorizedKey(d.HostKey))
}

func (d *Device) login(user string) Login {
	l := Login{User: user, Password: d.lab.password, KeyFile: d.lab.Key}
	if d.logins[user].keyOnly {
		l.Password = ""
	}
	return l
}

// start brings the device up; kind decides what init.sh does at boot. d.Name,
// d.Serial and d.logins are set.
func (l *Lab) start(ctx context.Context, d *Device, kind string, prepare func(etc string) error) (err error) {
	addr, n, err := l.address()
	if err != nil {
		return err
	}
	d.Addr, d.lab, d.veth = addr, l, fmt.Sprintf("%s-%d", strings.Replace(l.Bridge, "cvlab", "cv", 1), n)
	if d.Name == "" {
		d.Name = fmt.Sprintf("%s%d", kind, n)
	}
	if d.Serial == "" {
		d.Serial = "LAB" + strings.ToUpper(d.Name)
	}
	d.Dir = filepath.Join(l.dir, strconv.Itoa(n))
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("lab: start %s: %w", d.Name, err), d.Stop())
		}
	}()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errors.New("the lab is closed")
	}
	l.devices[d] = true
	l.mu.Unlock()

	if err := d.folders(ctx); err != nil {
		return err
	}
	if err := prepare(filepath.Join(d.Dir, "etc")); err != nil {
		return err
	}
	return d.spawn(ctx, kind)
}

// folders makes the device's disk.
func (d *Device) folders(ctx context.Context) error {
	for name, mode := range map[string]os.FileMode{
		"": 0o755, "home": 0o755, "root": 0o700, "varlib": 0o755, "vartmp": 0o777 | os.ModeSticky, "varlog": 0o755, "varspool": 0o755, "dmi": 0o755,
	} {
		path := filepath.Join(d.Dir, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
	}
	etc := filepath.Join(d.Dir, "etc")
	if _, err := run(ctx, "cp", "-a", "/etc", etc); err != nil {
		return err
	}
	// What the machine that runs the lab is configured to do is not the device's.
	for _, path := range []string{"systemd/network", "network", "sysctl.d", "sysctl.conf", "nftables.conf", "frr", "cron.d", "sudoers.d", "rc.local", "ssh/sshd_config.d"} {
		if err := os.RemoveAll(filepath.Join(etc, path)); err != nil {
			return err
		}
	}
	host, err := d.hostKey(filepath.Join(etc, "ssh"))
	if err != nil {
		return err
	}
	d.HostKey = host
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return err
	}
	files := map[string]string{
		"etc/hostname":        d.Name + "\n",
		"etc/machine-id":      fmt.Sprintf("%x\n", id),
		"etc/hosts":           "127.0.0.1\tlocalhost\n127.0.1.1\t" + d.Name + "\n",
		"etc/resolv.conf":     "nameserver " + d.lab.Gateway().String() + "\n",
		"etc/ssh/sshd_config": d.sshd(),
		"dmi/product_serial":  d.Serial + "\n",
		"dmi/product_name":    "Lab\n",
		"dmi/sys_vendor":      "cfgvault\n",
	}
	for name, text := range files {
		path := filepath.Join(d.Dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err // resolv.conf and others are often links to what is not the device's
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return d.users(etc)
}

// sshd is the device's sshd_config. The keys lie beside it because a home
// folder may be on anything.
func (d *Device) sshd() string {
	var b strings.Builder
	b.WriteString("Include /etc/ssh/sshd_config.d/*.conf\nPort 22\nHostKey /etc/ssh/ssh_host_ed25519_key\nPidFile /run/sshd.pid\nUsePAM no\nUseDNS no\nPermitRootLogin prohibit-password\n" +
		"PasswordAuthentication yes\nAuthorizedKeysFile /etc/ssh/authorized_keys\nMaxStartups 200\nSubsystem sftp internal-sftp\n")
	for user, l := range d.logins {
		if l.forced != "" {
			fmt.Fprintf(&b, "Match User %s\n    ForceCommand %s\n", user, l.forced)
		}
	}
	return b.String()
}

func (d *Device) hostKey(dir string) (ssh.PublicKey, error) {
	old, err := filepath.Glob(filepath.Join(dir, "ssh_host_*"))
	if err != nil {
		return nil, err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "ssh_host_ed25519_key"), pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "authorized_keys"), ssh.MarshalAuthorizedKey(d.lab.public), 0o644); err != nil {
		return nil, err
	}
	return ssh.NewPublicKey(pub)
}

// users writes the device's logins into its own passwd, shadow and group.
func (d *Device) users(etc string) error {
	uid := 3000
	for user, l := range d.logins {
		uid++
		home := filepath.Join(d.Dir, "home", user)
		if err := appendLine(filepath.Join(etc, "passwd"), fmt.Sprintf("%s:x:%d:%d::/home/%s:%s", user, uid, uid, user, l.shell)); err != nil {
			return err
		}
		hash := d.lab.hash
		if l.keyOnly {
			hash = "*"
		}
		if err := appendLine(filepath.Join(etc, "shadow"), fmt.Sprintf("%s:%s:20000:0:99999:7:::", user, hash)); err != nil {
			return err
		}
		if err := joinGroups(filepath.Join(etc, "group"), user, uid, l.groups); err != nil {
			return err
		}
		if err := os.Mkdir(home, 0o700); err != nil {
			return err
		}
		if err := os.Chown(home, uid, uid); err != nil {
			return err
		}
		if !l.sudo {
			continue
		}
		if err := os.MkdirAll(filepath.Join(etc, "sudoers.d"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(etc, "sudoers.d", user), []byte(user+" ALL=(ALL) NOPASSWD: ALL\n"), 0o440); err != nil {
			return err
		}
	}
	return nil
}

func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}

func joinGroups(path, user string, gid int, groups []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for i, line := range lines {
		f := strings.SplitN(line, ":", 4)
		for _, g := range groups {
			if len(f) == 4 && f[0] == g {
				if f[3] != "" {
					lines[i] += ","
				}
				lines[i] += user
			}
		}
	}
	lines = append(lines, fmt.Sprintf("%s:x:%d:", user, gid))
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// spawn starts the device's init as the first process of its namespaces. Init
// ends, and with it every process of the device, when the control pipe closes:
// by Stop, or because the process that holds the lab died.
func (d *Device) spawn(ctx context.Context, kind string) error {
	script := filepath.Join(d.Dir, "init.sh")
	if err := os.WriteFile(script, initScript, 0o755); err != nil {
		return err
	}
	d.init = exec.Command("bash", script)
	d.init.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"KIND=" + kind, "DIR=" + d.Dir, "NAME=" + d.Name, "ADDR=" + d.Addr.String(), "GATEWAY=" + d.lab.Gateway().String(),
	}, d.env...)
	d.init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	d.init.Stderr = d.lab.log
	var err error
	if d.control, err = d.init.StdinPipe(); err != nil {
		return err
	}
	answer, err := d.init.StdoutPipe()
	if err != nil {
		return err
	}
	if err := d.init.Start(); err != nil {
		return fmt.Errorf("new namespaces: %w", err)
	}
	d.done = make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(answer).ReadString('\n')
		if err == nil && strings.TrimSpace(line) != "ready" {
			err = fmt.Errorf("init said %q", strings.TrimSpace(line))
		}
		ready <- err
		_, _ = io.Copy(io.Discard, answer)
		_ = d.init.Wait()
		close(d.done)
	}()
	if _, err := run(ctx, "ip", "link", "add", d.veth, "master", d.lab.Bridge, "up", "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(d.init.Process.Pid)); err != nil {
		return err
	}
	if _, err := io.WriteString(d.control, "boot\n"); err != nil {
		return err
	}
	select {
	case err := <-ready:
		if err != nil {
			return fmt.Errorf("boot: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends every process of the device and removes what it had. Stopping
// twice is not an error.
func (d *Device) Stop() error {
	var errs []error
	d.stop.Do(func() {
		if d.control != nil {
			_ = d.control.Close()
		}
		if d.init != nil && d.init.Process != nil {
			_ = d.init.Process.Kill() // the first process of a PID namespace takes all others with it
			if d.done != nil {
				<-d.done
			}
		}
		if d.lab != nil {
			d.lab.mu.Lock()
			delete(d.lab.devices, d)
			d.lab.mu.Unlock()
		}
		if d.Dir != "" {
			errs = append(errs, os.RemoveAll(d.Dir))
		}
	})
	return errors.Join(errs...)
}

// Run executes a program inside the device as root and returns its standard
// output.
func (d *Device) Run(ctx context.Context, argv ...string) ([]byte, error) {
	return d.RunInput(ctx, nil, argv...)
}

// RunInput is Run with a standard input.
func (d *Device) RunInput(ctx context.Context, input []byte, argv ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(d.init.Process.Pid), "-m", "-u", "-n", "-p", "-i", "--"}, argv...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root"}
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s: %s: %w: %s", d.Name, strings.Join(argv, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// Cut takes the device's cable out: nothing passes, no connection is told.
func (d *Device) Cut(ctx context.Context) error {
	_, err := run(ctx, "ip", "link", "set", d.veth, "nomaster")
	return err
}

// Join puts the cable back.
func (d *Device) Join(ctx context.Context) error {
	_, err := run(ctx, "ip", "link", "set", d.veth, "master", d.lab.Bridge)
	return err
}

// SetAddr gives eth0 another management address, as somebody at the console
// would, and returns it. The lab hands out a free one.
func (d *Device) SetAddr(ctx context.Context) (netip.Addr, error) {
	addr, _, err := d.lab.address()
	if err != nil {
		return netip.Addr{}, err
	}
	if _, err := d.Run(ctx, "sh", "-c", fmt.Sprintf("ip addr flush dev eth0 && ip addr add %s/24 dev eth0", addr)); err != nil {
		return netip.Addr{}, err
	}
	d.Addr = addr
	return addr, nil
}

// FreeAddr hands out an address of the lab's network that no device has.
func (d *Device) FreeAddr() (netip.Addr, error) {
	addr, _, err := d.lab.address()
	return addr, err
}

// KillSSH ends every SSH session of the device, as a crash of their sshd
// processes would; the listener stays.
func (d *Device) KillSSH(ctx context.Context) error {
	_, err := d.Run(ctx, "sh", "-c", `
		main=$(cat /run/sshd.pid)
		for p in /proc/[0-9]*; do
			pid=${p#/proc/}
			[ "$pid" != "$main" ] && [ "$(readlink "$p"/exe)" = /usr/sbin/sshd ] && kill -9 "$pid"
		done
		true`)
	return err
}

// KillUser ends every process that belongs to the user, wherever its session
// is: what systemd-logind does with KillUserProcesses at the end of a session
// to all that has not left the session's scope.
func (d *Device) KillUser(ctx context.Context, user string) error {
	_, err := d.Run(ctx, "sh", "-c", `uid=$(id -u "$1"); for p in /proc/[0-9]*; do [ "$(stat -c %u "$p" 2>/dev/null)" = "$uid" ] && kill -9 "${p#/proc/}"; done; true`, "sh", user)
	return err
}

// Reboot ends every process but init, empties what does not survive a reboot
// (/run, /tmp) and boots again, with /etc/rc.local if it is executable.
func (d *Device) Reboot(ctx context.Context) error {
	d.boot.Lock()
	defer d.boot.Unlock()
	_, err := d.Run(ctx, "bash", filepath.Join("/etc", ".lab-init.sh"), "reboot")
	return err
}
