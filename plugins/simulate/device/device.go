// Package device is the engine of the simulated devices: what every platform
// has whatever its command line is. A [Device] is reached over SSH
// ([Device.Listen]) or in process as a [plugins.Session]; it keeps the manners
// of a real login (echo, line editing, paging, terminal width, banners, slow
// lines, limited logins), drives timers by a [Clock] that a test can advance,
// reboots, and lets a [Fault] strike any command.
//
// A platform is a [Box] in a folder of its own beside this one, written from
// its documented behaviour and from recorded dialogues, never from what a
// driver of ours sends. The engine knows no platform's words.
//
// It does not forward packets, does not imitate timing beyond the delays of
// [Options], and does not check passwords against the hashes in a
// configuration: a login is good if the configuration still has the user and
// the password is that of the Options.
package device

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// Device is one simulated device. All methods are safe for concurrent use.
type Device struct {
	opts  Options
	clock Clock
	box   Box
	key   gossh.Signer

	mu     sync.Mutex // guards the state of box and what follows
	ttys   map[*TTY]struct{}
	nextID int
	down   bool // rebooting

	sessions atomic.Int64 // in process, for their ids

	faultMu sync.Mutex
	faults  []*armedFault

	srvMu sync.Mutex
	srv   io.Closer
	addr  net.Addr
	shut  bool
	conns map[*tracked]struct{}
}

// New returns a device that still lacks its [Box]: the constructor of a
// platform hands it over with Install.
func New(o Options) *Device {
	if o.User == "" {
		o.User = "admin"
	}
	if o.Password == "" {
		o.Password = "admin"
	}
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	return &Device{opts: o, clock: o.Clock, ttys: map[*TTY]struct{}{}, conns: map[*tracked]struct{}{}}
}

// Install puts the platform in and boots it, before the device is used.
func (d *Device) Install(b Box) {
	d.box = b
	d.mu.Lock()
	defer d.mu.Unlock()
	b.Boot()
}

// Box returns the platform, for what only its own package knows of it.
func (d *Device) Box() Box { return d.box }

// Options returns what the device was made from, defaults filled in.
func (d *Device) Options() Options { return d.opts }

// Clock returns the device's clock.
func (d *Device) Clock() Clock { return d.clock }

// Lock and Unlock guard the state of the Box, for code that a command line
// runs.
func (d *Device) Lock()   { d.mu.Lock() }
func (d *Device) Unlock() { d.mu.Unlock() }

// After runs f once with the lock held when the clock has moved by t. stop, to
// be called with the lock held, keeps it from running; a timer that already
// waits for the lock is stopped as well.
func (d *Device) After(t time.Duration, f func()) (stop func()) {
	stopped := false
	cancel := d.clock.AfterFunc(t, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !stopped {
			stopped = true
			f()
		}
	})
	return func() {
		stopped = true
		cancel()
	}
}

// HostKey returns the device's SSH host key. It is made on first use and stays
// until RenewHostKey.
func (d *Device) HostKey() gossh.PublicKey { return d.signer().PublicKey() }

func (d *Device) signer() gossh.Signer {
	d.srvMu.Lock()
	defer d.srvMu.Unlock()
	if d.key == nil {
		d.key = newSigner()
	}
	return d.key
}

// RenewHostKey gives the device another host key from the next connection on:
// what a reset that erases keys leads to. A Box calls it with the lock held.
func (d *Device) RenewHostKey() {
	d.srvMu.Lock()
	defer d.srvMu.Unlock()
	d.key = newSigner()
}

// hostSigner signs with the host key that the device has at the moment.
type hostSigner struct{ d *Device }

func (h hostSigner) PublicKey() gossh.PublicKey { return h.d.signer().PublicKey() }

func (h hostSigner) Sign(rand io.Reader, data []byte) (*gossh.Signature, error) {
	return h.d.signer().Sign(rand, data)
}

// newSigner makes a host key. Neither step can fail: the generator of
// crypto/rand does not, and an Ed25519 key is always a signer.
func newSigner() gossh.Signer {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	s, err := gossh.NewSignerFromSigner(private)
	if err != nil {
		panic(err)
	}
	return s
}

// Running returns the running configuration as the device shows it.
func (d *Device) Running() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.box.Running()
}

// Startup returns the startup configuration as the device shows it, "" if it
// has none.
func (d *Device) Startup() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.box.Startup()
}

// FactoryReset erases the startup configuration and reboots: what a technician
// does at the console.
func (d *Device) FactoryReset() {
	d.mu.Lock()
	d.box.FactoryReset()
	d.mu.Unlock()
	d.Reload()
}

// Reload reboots: every login ends, what was not saved is gone, and for
// Options.BootTime nobody gets in.
func (d *Device) Reload() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Reboot()
}

// Reboot is Reload for a Box, which holds the lock.
func (d *Device) Reboot() {
	d.box.Boot()
	d.hangupAll()
	d.dropAll()
	if d.opts.BootTime > 0 {
		d.down = true
		d.clock.AfterFunc(d.opts.BootTime, func() {
			d.mu.Lock()
			d.down = false
			d.mu.Unlock()
		})
	}
}

// Disconnect ends every login, as a flap of the management network does.
func (d *Device) Disconnect() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hangupAll()
}

// Logins returns how many logins there are.
func (d *Device) Logins() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ttys)
}

func (d *Device) hangupAll() {
	for t := range d.ttys {
		t.Hangup()
	}
}

// Changed is to be called by a Box, with the lock held, after every change of
// the running configuration: a device that lost its management address loses
// its logins, but for the one at the console.
func (d *Device) Changed() {
	if d.box.Reachable() {
		return
	}
	for t := range d.ttys {
		if !t.console {
			t.Hangup()
		}
	}
}

// up reports whether a packet to the management address is answered.
func (d *Device) up() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.down && d.box.Reachable()
}

// admits checks a login by password.
func (d *Device) admits(user, password string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return user == d.opts.User && d.box.Admits(user) &&
		subtle.ConstantTimeCompare([]byte(password), []byte(d.opts.Password)) == 1
}

// admitsKey checks a login by key.
func (d *Device) admitsKey(user string, key gossh.PublicKey) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return user == d.opts.User && d.box.Admits(user) && d.opts.Authorized != nil && ssh.KeysEqual(key, d.opts.Authorized)
}

var errDown = errors.New("simulate: the device does not answer")

// attach registers a login. It fails if the device is down or full.
func (d *Device) attach(t *TTY) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down || !t.console && !d.box.Reachable() || d.opts.Logins > 0 && len(d.ttys) >= d.opts.Logins {
		return errDown
	}
	d.ttys[t] = struct{}{}
	if t.Name == "" {
		t.Name = fmt.Sprintf("vty%d", 4+d.nextID%16)
		d.nextID++
	}
	return nil
}

func (d *Device) detach(t *TTY) {
	d.mu.Lock()
	delete(d.ttys, t)
	d.mu.Unlock()
	t.Hangup()
}

// converse runs the command line until the login ends.
func (d *Device) converse(t *TTY) {
	if d.opts.Banner != "" {
		t.Print(d.opts.Banner)
	}
	pause(t, d.opts.LoginDelay)
	cl := d.box.Login(t)
	defer d.end(cl)
	control := func(key byte) bool { return false }
	if k, ok := cl.(Keyer); ok {
		control = func(key byte) bool { return k.ControlKey(t, key) }
	}
	for {
		line, err := t.port.readCommand(cl.Prompt, control)
		switch {
		case errors.Is(err, errInterrupt):
			continue
		case err != nil:
			return
		}
		if !d.command(t, cl, line) {
			return
		}
	}
}

// end tells a command line that its login is over.
func (d *Device) end(cl CommandLine) {
	if e, ok := cl.(Ender); ok {
		d.mu.Lock()
		defer d.mu.Unlock()
		e.End()
	}
}

// command runs one line with the faults that strike it.
func (d *Device) command(t *TTY, cl CommandLine, line string) bool {
	pause(t, d.opts.Latency)
	t.begin()
	drop := false
	for _, f := range d.strike(line) {
		switch {
		case f.Before != nil:
			f.Before()
		case f.Refuse != "":
			t.Print(f.Refuse + "\n")
			return true
		case f.Lose:
			t.severed.Store(true)
			t.Hangup()
			return false
		case f.Hang:
			<-t.gone
			return false
		case f.Cut != nil:
			t.limit(*f.Cut)
		case f.Drop:
			drop = true
			t.limit(0)
		}
	}
	if t.over() { // what struck before the command ended the login
		return false
	}
	again := cl.Run(t, line)
	if drop || t.cut() {
		t.severed.Store(true)
		t.Hangup()
		return false
	}
	return again
}

// pause waits in real time, or until the login ends.
func pause(t *TTY, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-t.gone:
	case <-time.After(d):
	}
}
