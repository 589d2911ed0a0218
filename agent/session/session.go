// Package session opens conversations with devices on the agent's side: it
// dials, proves who the device is by pinned keys, logs in, raises privilege,
// and carries commands and streams. It owns every credential; what it hands to
// a driver is a plugins.Session, which has none.
//
// It deliberately does not know any platform (plugins.Info declares what a
// shell looks like), does not decide whether an export is complete (it only
// says how the end of an output was known), does not trust on first use, and
// never repeats anything that may have changed the device.
package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins"
)

// Session is an open conversation with one device. It implements
// plugins.Session.
type Session struct {
	id      string
	t       Target
	info    plugins.Info
	dialer  *dialer
	shell   *shellRules   // nil if the driver has no shell
	slots   chan struct{} // one per login in use
	idle    chan *shell   // at their base prompt, each holding its slot
	dialing chan struct{} // held by the one who dials
	ended   chan struct{} // closed when Close begins
	over    chan struct{} // closed when Close is done
	unhook  func() bool   // from Dial's context

	mu       sync.Mutex
	closed   bool
	noExec   bool  // no exec channels: not declared, or the device refuses exec channels
	link     *link // for exec channels and subsystems
	key      ssh.PublicKey
	remote   net.Addr
	open     map[interface{ close() }]struct{} // what Close ends
	services map[string]*service
}

var _ plugins.Session = (*Session)(nil)

// Dial is Shells.Dial for a single session.
func Dial(ctx context.Context, t Target, info plugins.Info) (*Session, error) {
	return new(Shells).Dial(ctx, t, info)
}

// Dial connects to the device, proves who it is and logs in, on a shell up to
// the proved prompt. The session lives until Close, or until ctx ends: ctx is
// the deadline of all work with the device. A device that is reached by
// services alone (the driver names no transport, the inventory some services)
// gets no SSH login; its first TCP service is reached, and its pin checked,
// instead.
//
// Failures to connect are tried again, with backoff, never a refused login.
// Errors: ErrUnreachable, ErrAuth, ErrHostKeyUnknown, *HostKeyError,
// *CertError; any other is a fault in the Target.
func (sh *Shells) Dial(ctx context.Context, t Target, info plugins.Info) (*Session, error) {
	d, err := newDialer(t)
	if err != nil {
		return nil, err
	}
	rules, err := sh.of(info, t.Transport)
	if err != nil {
		d.close()
		return nil, fmt.Errorf("%s: %w", t.name(), err)
	}
	execs := t.Transport == "" && slices.Contains(info.Transports, plugins.TransportExec)
	logins := info.MaxSessions
	switch {
	case t.Transport == plugins.TransportConsole:
		logins = 1
	case logins > 0:
	case execs:
		logins = DefaultMaxSessions
	default:
		logins = DefaultMaxShells
	}
	s := &Session{
		id:       "s-" + rand.Text()[:12],
		t:        t,
		info:     info,
		dialer:   d,
		shell:    rules,
		slots:    make(chan struct{}, logins),
		idle:     make(chan *shell, logins),
		dialing:  make(chan struct{}, 1),
		ended:    make(chan struct{}),
		over:     make(chan struct{}),
		noExec:   !execs,
		open:     map[interface{ close() }]struct{}{},
		services: map[string]*service{},
	}
	if err := s.login(ctx); err != nil {
		_ = s.Close()
		if ctx.Err() != nil && !errors.Is(err, ErrUnreachable) {
			err = fmt.Errorf("%w: %s: %w", ErrUnreachable, t.name(), err)
		}
		return nil, err
	}
	s.mu.Lock()
	s.unhook = context.AfterFunc(ctx, func() { _ = s.Close() })
	s.mu.Unlock()
	return s, nil
}

// login does at once what can fail, so that it fails as a login.
func (s *Session) login(ctx context.Context) error {
	if s.t.Transport == "" && len(s.info.Transports) == 0 && len(s.t.Services) > 0 {
		return s.probe(ctx)
	}
	if s.noExec && s.shell != nil {
		sh, err := s.takeShell(ctx)
		if err != nil {
			return err
		}
		s.park(sh)
		return nil
	}
	_, err := s.connected(ctx)
	return err
}

// ID names the session for logs.
func (s *Session) ID() string { return s.id }

// Options are the driver options of the device.
func (s *Session) Options() map[string]string { return maps.Clone(s.t.Options) }

// HostKey is the key that the device proved, nil without SSH.
func (s *Session) HostKey() ssh.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

// Fingerprint is the fingerprint of HostKey, "SHA256:…", or empty.
func (s *Session) Fingerprint() string {
	if k := s.HostKey(); k != nil {
		return ssh.FingerprintSHA256(k)
	}
	return ""
}

// RemoteAddr is the address that the device was reached at; nil without SSH.
func (s *Session) RemoteAddr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remote
}

// Close ends the session, what runs on it, and every stream, and returns when
// a console was left. It is not an error to close twice.
func (s *Session) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.over
		return nil
	}
	defer close(s.over)
	s.closed = true
	close(s.ended)
	if s.unhook != nil {
		s.unhook()
	}
	open := slices.Collect(maps.Keys(s.open))
	s.open = nil
	s.mu.Unlock()
	for _, o := range open {
		o.close()
	}
	s.dialer.close()
	return nil
}

// errClosed is what commands get after Close.
func (s *Session) errClosed() error {
	return fmt.Errorf("%w: the session with %s has ended", plugins.ErrSessionLost, s.t.name())
}

// keep registers o to be ended by Close; it fails after Close.
func (s *Session) keep(o interface{ close() }) error {
	s.mu.Lock()
	if !s.closed {
		s.open[o] = struct{}{}
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	o.close()
	return s.errClosed()
}

func (s *Session) forget(o interface{ close() }) {
	s.mu.Lock()
	delete(s.open, o)
	s.mu.Unlock()
}

// bound returns a context that also ends with the session.
func (s *Session) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// newLink opens a connection and logs in.
func (s *Session) newLink(ctx context.Context) (*link, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	l, err := s.dialer.connect(ctx, s.dialer.proof, s.dialer.t.Auth)
	if err != nil {
		if s.isClosed() {
			err = s.errClosed()
		}
		return nil, err
	}
	if err := s.keep(l); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.key, s.remote = l.key, l.wire.RemoteAddr()
	s.mu.Unlock()
	return l, nil
}

// drop closes a link for good.
func (s *Session) drop(l *link) {
	l.close()
	s.forget(l)
}
