package device

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/gliderlabs/ssh"
)

// Fleet is many devices behind one listener and one host key: the user name of
// a login chooses the device. A device exists from its first login on, so that
// a thousand of them cost little until they are used.
type Fleet struct {
	make func(user string) *Device

	mu      sync.Mutex
	devices map[string]*Device
	srv     *ssh.Server
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

// Listen serves on addr in the background until Close and returns where.
func (f *Fleet) Listen(addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	srv := newServer(newSigner(), f.Device, false)
	f.mu.Lock()
	f.srv = srv
	f.mu.Unlock()
	go srv.Serve(l)
	return l.Addr(), nil
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
