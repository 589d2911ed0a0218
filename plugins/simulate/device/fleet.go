package device

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// Fleet is many devices behind one listener and one host key: the user name of
// a login chooses the device. A device exists from its first login on, so that
// a thousand of them cost little until they are used.
type Fleet struct {
	make func(user string) *Device

	mu      sync.Mutex
	devices map[string]*Device
	srv     io.Closer
}

// NewFleet returns a fleet whose device for a user name comes from make, or
// nil if there is none. make should give the device that user name as
// Options.User.
func NewFleet(make func(user string) *Device) *Fleet {
	return &Fleet{make: make, devices: map[string]*Device{}}
}

// Device returns the device of a user name, making it if need be, or nil.
func (f *Fleet) Device(user string) *Device {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, ok := f.devices[user]
	if !ok {
		if d = f.make(user); d != nil {
			f.devices[user] = d
		}
	}
	return d
}

// Listen serves SSH on addr in the background until Close and returns where.
func (f *Fleet) Listen(addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	srv := newServer(newSigner(), f.Device, false)
	// What network devices offer, and a fraction of the work of a hybrid
	// exchange: a thousand devices share one machine with who talks to them.
	srv.ServerConfigCallback = func(ssh.Context) *gossh.ServerConfig {
		return &gossh.ServerConfig{Config: gossh.Config{KeyExchanges: []string{gossh.KeyExchangeCurve25519, gossh.KeyExchangeECDHP256}}}
	}
	f.setServer(srv)
	go srv.Serve(l)
	return l.Addr(), nil
}

// ListenTelnet is Listen for Telnet, each device with its own login dialogue
// but for the first question.
func (f *Fleet) ListenTelnet(addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	srv := &plainServer{l: l, open: map[net.Conn]struct{}{}}
	f.setServer(srv)
	go srv.serve(f.telnet)
	return l.Addr(), nil
}

func (f *Fleet) telnet(c net.Conn) {
	p := newTelnetPort(c)
	if p == nil {
		return
	}
	user, err := p.readLine(usualLogin, true, false)
	if err != nil {
		return
	}
	if d := f.Device(user); d != nil && d.up() {
		d.terminal(p, user, func(*TTY) {})
	}
}

func (f *Fleet) setServer(srv io.Closer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.srv = srv
}

// Close ends every login and stops serving.
func (f *Fleet) Close() error {
	f.mu.Lock()
	srv := f.srv
	f.mu.Unlock()
	if srv == nil {
		return nil
	}
	if err := srv.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("simulate: %w", err)
	}
	return nil
}
