package simulate

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
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
	box   box
	key   gossh.Signer

	mu     sync.Mutex // guards the state of box and what follows
	ttys   map[*tty]struct{}
	nextID int
	down   bool // rebooting

	sessions atomic.Int64 // in process, for their ids

	faultMu sync.Mutex
	faults  []*armedFault

	srvMu sync.Mutex
	srv   *ssh.Server
	addr  net.Addr
	shut  bool
}

// box is a platform: what a Device is inside. The engine holds Device.mu
// around every call except login and the commands that follow from it.
type box interface {
	login(t *tty) commandLine // a fresh command line
	banner() string           // shown before the login; "" for none
	admits(user string) bool  // the configuration knows the user
	reachable() bool          // the configuration leaves the management address up
	running() string          // as the device shows it
	startup() string          // as the device shows it; "" if there is none
	factoryReset()            // erases the startup configuration
	boot()                    // comes up with the startup configuration, or without
}

// commandLine is one login's place in the platform's command line.
type commandLine interface {
	prompt() string
	// run executes one line and reports whether the login goes on.
	run(t *tty, line string) bool
}

func newDevice(o Options) *Device {
	if o.User == "" {
		o.User = "admin"
	}
	if o.Password == "" {
		o.Password = "admin"
	}
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	return &Device{opts: o, clock: o.Clock, ttys: map[*tty]struct{}{}}
}

// HostKey returns the device's SSH host key. It is made on first use and then
// stays.
func (d *Device) HostKey() gossh.PublicKey { return d.signer().PublicKey() }

func (d *Device) signer() gossh.Signer {
	d.srvMu.Lock()
	defer d.srvMu.Unlock()
	if d.key == nil {
		d.key = newSigner()
	}
	return d.key
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
	return d.box.running()
}

// Startup returns the startup configuration as the device shows it, "" if it
// has none.
func (d *Device) Startup() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.box.startup()
}

// FactoryReset erases the startup configuration and reboots: what a technician
// does at the console.
func (d *Device) FactoryReset() {
	d.mu.Lock()
	d.box.factoryReset()
	d.mu.Unlock()
	d.Reload()
}

// Reload reboots: every login ends, what was not saved is gone, and for
// Options.BootTime nobody gets in.
func (d *Device) Reload() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reload()
}

func (d *Device) reload() {
	d.box.boot()
	d.hangupAll()
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
		t.hangup()
	}
}

// changed is called with mu held after every change of the running
// configuration: a device that lost its management address loses its logins.
func (d *Device) changed() {
	if !d.box.reachable() {
		d.hangupAll()
	}
}

// up reports whether a packet to the management address is answered.
func (d *Device) up() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.down && d.box.reachable()
}

// admits checks a login by password.
func (d *Device) admits(user, password string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return user == d.opts.User && d.box.admits(user) &&
		subtle.ConstantTimeCompare([]byte(password), []byte(d.opts.Password)) == 1
}

// admitsKey checks a login by key.
func (d *Device) admitsKey(user string, key gossh.PublicKey) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return user == d.opts.User && d.box.admits(user) && d.opts.Authorized != nil && ssh.KeysEqual(key, d.opts.Authorized)
}

var errDown = errors.New("simulate: the device does not answer")

// attach registers a login. It fails if the device is down or full.
func (d *Device) attach(t *tty) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down || !d.box.reachable() || d.opts.Logins > 0 && len(d.ttys) >= d.opts.Logins {
		return errDown
	}
	d.ttys[t] = struct{}{}
	t.name = fmt.Sprintf("vty%d", 4+d.nextID%16)
	d.nextID++
	return nil
}

func (d *Device) detach(t *tty) {
	d.mu.Lock()
	delete(d.ttys, t)
	d.mu.Unlock()
	t.hangup()
}

// converse runs the command line until the login ends.
func (d *Device) converse(t *tty) {
	if d.opts.Banner != "" {
		t.print(d.opts.Banner)
	}
	pause(t, d.opts.LoginDelay)
	cl := d.box.login(t)
	for {
		line, err := t.port.readCommand(cl.prompt())
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

// command runs one line with the faults that strike it.
func (d *Device) command(t *tty, cl commandLine, line string) bool {
	pause(t, d.opts.Latency)
	t.begin()
	drop := false
	for _, f := range d.strike(line) {
		switch {
		case f.Before != nil:
			f.Before()
		case f.Refuse != "":
			t.print(f.Refuse + "\n")
			return true
		case f.Lose:
			t.hangup()
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
	again := cl.run(t, line)
	if drop || t.cut() {
		t.hangup()
		return false
	}
	return again
}

// pause waits in real time, or until the login ends.
func pause(t *tty, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-t.gone:
	case <-time.After(d):
	}
}
