// Package lab starts real devices for tests and for people: FRR routers and
// Linux machines, each with its own sshd, in network, mount, UTS, PID and IPC
// namespaces of their own on one bridge.
//
// A device has its own /etc, /home, /root, /run, /tmp and /var folders, so that
// nothing it does reaches the machine that runs the lab or another device, and
// its users exist in its own /etc/passwd only. Everything a device runs lives
// in its PID namespace: when the lab is closed, or the process that holds it
// dies, the kernel ends all of it. What then remains of a crashed lab (a bridge
// and a folder) is removed by the next Open.
//
// The package shares no code with the drivers it is there to test: it reads and
// wipes devices by its own commands. It does not import testing, does not start
// systemd and needs root.
package lab

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// Root is the folder that holds what running labs keep on disk.
const Root = "/var/lib/cfgvault-lab"

// Programs are what a lab runs, with the Debian package each comes from.
func Programs() map[string]string {
	return map[string]string{
		"bash": "bash", "ip": "iproute2", "nsenter": "util-linux", "mount": "mount", "perl": "perl-base",
		"/usr/sbin/sshd": "openssh-server", "ssh": "openssh-client", "vtysh": "frr",
		"/usr/lib/frr/zebra": "frr", "/usr/lib/frr/frr-reload.py": "frr-pythontools",
	}
}

// Missing lists the Debian packages that a lab needs and this machine lacks.
func Missing() []string {
	seen := map[string]bool{}
	var out []string
	for prog, pkg := range Programs() {
		if _, err := exec.LookPath(prog); err != nil && !seen[pkg] {
			seen[pkg] = true
			out = append(out, pkg)
		}
	}
	return out
}

// Lab is one bridge and the devices on it. It is safe for concurrent use.
type Lab struct {
	// Bridge is the name of the bridge, which is also the lab's name.
	Bridge string
	// Prefix is the network on the bridge; the machine itself has its first address.
	Prefix netip.Prefix
	// Key is the private key file that every device's key login accepts.
	Key string

	dir    string
	lock   *os.File
	public ssh.PublicKey
	// password opens every password login of this lab; it is made anew for
	// each lab. hash is what stands in the devices' /etc/shadow.
	password, hash string
	log            *lockedWriter

	next    atomic.Int32
	mu      sync.Mutex
	devices map[*Device]bool
	closed  bool
}

// Open makes a lab on a free network of 198.18.0.0/15 (RFC 2544). Progress and
// what devices print go to log, which may be nil.
func Open(ctx context.Context, log io.Writer) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("lab: namespaces need root")
	}
	if m := Missing(); len(m) > 0 {
		return nil, fmt.Errorf("lab: packages are missing: apt-get install %s", strings.Join(m, " "))
	}
	if log == nil {
		log = io.Discard
	}
	l := &Lab{log: &lockedWriter{w: log}, devices: map[*Device]bool{}}
	if err := l.reserve(ctx); err != nil {
		return nil, err
	}
	if err := l.credentials(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// reserve removes what crashed labs left and takes a network that nobody has.
// One lock over the whole of it makes both safe against other labs that open.
func (l *Lab) reserve(ctx context.Context) error {
	if err := os.MkdirAll(Root, 0o755); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	all, err := lockFile(filepath.Join(Root, ".lock"), true)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	defer all.Close()
	sweep(ctx)

	var b [2]byte
	if _, err := rand.Read(b[:]); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	start := int(b[0])<<1 | int(b[1])&1
	for i := range 512 {
		n := (start + i) % 512
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + n/256), byte(n % 256), 0}), 24)
		if inUse(prefix) {
			continue
		}
		name := fmt.Sprintf("cvlab%d", n)
		if _, err := run(ctx, "ip", "link", "add", name, "type", "bridge"); err != nil {
			if _, e := net.InterfaceByName(name); e == nil {
				continue
			}
			return fmt.Errorf("lab: %w", err)
		}
		l.Bridge, l.Prefix, l.dir = name, prefix, filepath.Join(Root, name)
		if err := os.MkdirAll(l.dir, 0o755); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		if l.lock, err = lockFile(filepath.Join(l.dir, "lock"), false); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		for _, args := range [][]string{
			{"addr", "add", l.Gateway().String() + "/24", "dev", name},
			{"link", "set", name, "up"},
		} {
			if _, err := run(ctx, "ip", args...); err != nil {
				return errors.Join(fmt.Errorf("lab: %w", err), l.Close())
			}
		}
		l.next.Store(1)
		return nil
	}
	return errors.New("lab: no free network in 198.18.0.0/15")
}

// sweep removes the bridges and folders of labs whose process is gone, which
// their lock tells.
func sweep(ctx context.Context) {
	locks, _ := filepath.Glob(filepath.Join(Root, "cvlab*", "lock"))
	for _, path := range locks {
		f, err := lockFile(path, false)
		if err != nil {
			continue
		}
		dir := filepath.Dir(path)
		// The devices died with their lab; only names in the host's own
		// namespace can remain.
		_, _ = run(ctx, "ip", "link", "del", filepath.Base(dir))
		_ = os.RemoveAll(dir)
		_ = f.Close()
	}
}

func (l *Lab) credentials(ctx context.Context) error {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "cfgvault lab")
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	l.Key = filepath.Join(l.dir, "id_ed25519")
	if err := os.WriteFile(l.Key, pem.EncodeToMemory(block), 0o600); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	if l.public, err = ssh.NewPublicKey(pub); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	var b [12]byte
	if _, err := rand.Read(b[:]); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	l.password = hex.EncodeToString(b[:])
	cmd := exec.CommandContext(ctx, "perl", "-e", `$p=<STDIN>; chomp $p; print crypt($p, '$6$'.substr($p,0,8).'$')`)
	cmd.Stdin = strings.NewReader(l.password)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("lab: hash a password: %w", err)
	}
	l.hash = string(out)
	return nil
}

// Gateway is the machine's own address on the bridge.
func (l *Lab) Gateway() netip.Addr { return l.Prefix.Addr().Next() }

// Close stops every device and removes the bridge and all that is on disk.
func (l *Lab) Close() error {
	l.mu.Lock()
	l.closed = true
	var all []*Device
	for d := range l.devices {
		all = append(all, d)
	}
	l.mu.Unlock()
	var errs []error
	for _, d := range all {
		errs = append(errs, d.Stop())
	}
	if l.Bridge != "" {
		if _, err := run(context.Background(), "ip", "link", "del", l.Bridge); err != nil {
			if _, e := net.InterfaceByName(l.Bridge); e == nil {
				errs = append(errs, err)
			}
		}
	}
	if l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	if l.lock != nil {
		_ = l.lock.Close() // already closed: Close was called twice
	}
	return errors.Join(errs...)
}

// address hands out the next address of the network.
func (l *Lab) address() (netip.Addr, int, error) {
	n := int(l.next.Add(1))
	if n > 250 {
		return netip.Addr{}, 0, errors.New("lab: the network is full")
	}
	a := l.Prefix.Addr().As4()
	a[3] = byte(n)
	return netip.AddrFrom4(a), n, nil
}

func inUse(p netip.Prefix) bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && p.Contains(ip.Unmap()) {
				return true
			}
		}
	}
	return false
}

func lockFile(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// run executes a program and returns what it wrote to its standard output; the
// error holds what it wrote to the other.
func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(p)
}
