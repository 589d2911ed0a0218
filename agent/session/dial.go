package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins"
)

const (
	dialTries    = 3                      // connections, never logins
	dialPause    = 500 * time.Millisecond // before the second, then doubled
	greetingMost = 1 << 20                // bytes before the login is done: banners, key exchange
)

// dialer opens connections to one SSH server, through its jump hosts.
type dialer struct {
	t     Target // after the OpenSSH configuration
	alg   profile
	proof hostProof
	via   *dialer // the jump host before it, or nil

	mu     sync.Mutex
	shared *link // for those that come through; opened when needed
}

// newDialer applies the OpenSSH configuration and checks what can be checked
// without the network.
func newDialer(t Target) (*dialer, error) {
	t, proofs, err := resolve(t)
	if err != nil {
		return nil, err
	}
	return chain(t, proofs)
}

// chain builds the dialer of t and of its jump hosts. proofs hold what proves
// the jump hosts that have no pins of their own, by index.
func chain(t Target, proofs []hostProof) (*dialer, error) {
	var via *dialer
	for i, j := range t.Jump {
		if j.Device == "" {
			j.Device = "jump host " + j.Host
		}
		d, err := newDialer(j)
		if err != nil {
			return nil, err
		}
		if i < len(proofs) && proofs[i] != nil {
			d.proof = proofs[i]
		}
		if via != nil {
			d.outermost().via = via
		}
		via = d
	}
	p, err := parsePins(t)
	if err != nil {
		return nil, err
	}
	return &dialer{t: t, alg: algorithms(t.Legacy), proof: p, via: via}, nil
}

// outermost returns the first hop of the chain that ends at d.
func (d *dialer) outermost() *dialer {
	for d.via != nil {
		d = d.via
	}
	return d
}

func (d *dialer) close() {
	for ; d != nil; d = d.via {
		d.mu.Lock()
		l := d.shared
		d.shared = nil
		d.mu.Unlock()
		if l != nil {
			l.close()
		}
	}
}

func (d *dialer) addr() string {
	port := d.t.Port
	switch {
	case port != 0:
	case d.t.Transport == plugins.TransportTelnet:
		port = DefaultTelnetPort
	default:
		port = DefaultPort
	}
	return net.JoinHostPort(d.t.Host, strconv.Itoa(port))
}

// dial opens a TCP connection to addr the way the target is reached: directly,
// or from its last jump host.
func (d *dialer) dial(ctx context.Context, addr string) (net.Conn, error) {
	if d.via == nil {
		nd := net.Dialer{KeepAlive: d.t.keepAlive()}
		return nd.DialContext(ctx, "tcp", addr)
	}
	l, err := d.via.sharedLink(ctx)
	if err != nil {
		return nil, err
	}
	c, err := l.client.DialContext(ctx, "tcp", addr)
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("from %s: %s", d.via.t.name(), printable(err.Error()))
	}
	return c, err
}

// sharedLink returns the live connection to d, for those that come through it.
func (d *dialer) sharedLink(ctx context.Context) (*link, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shared != nil && !d.shared.dead() {
		return d.shared, nil
	}
	if d.shared != nil {
		d.shared.close()
	}
	l, err := d.connect(ctx, d.proof, d.t.Auth)
	d.shared = l
	return l, err
}

// connect opens a connection and logs in. Only failures to connect are tried
// again, with backoff: a second login could lock the user out.
func (d *dialer) connect(ctx context.Context, proof hostProof, auth []Auth) (*link, error) {
	methods, err := loadAuth(d.t, auth, d.alg)
	if err != nil {
		return nil, err
	}
	defer methods.close()
	l, err := persist(ctx, func() (*link, bool, error) { return d.connectOnce(ctx, proof, methods) })
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrUnreachable) {
		err = fmt.Errorf("%w: %s at %s: %w", ErrUnreachable, d.t.name(), d.addr(), ctx.Err())
	}
	return l, err
}

// persist calls connect again, with backoff, while that may be worth it.
func persist[T any](ctx context.Context, connect func() (c T, again bool, err error)) (T, error) {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier = dialPause, 2
	c, err := backoff.Retry(ctx, func() (T, error) {
		c, again, err := connect()
		if err != nil && !again {
			return c, backoff.Permanent(err)
		}
		return c, err
	}, backoff.WithBackOff(b), backoff.WithMaxTries(dialTries), backoff.WithMaxElapsedTime(0))
	if p, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = p.Unwrap()
	}
	return c, err
}

// reach opens the TCP connection and reports whether it may be worth trying
// again.
func (d *dialer) reach(ctx context.Context) (c net.Conn, again bool, err error) {
	if d.via != nil {
		// The jump host has retries and a deadline of its own.
		if _, err := d.via.sharedLink(ctx); err != nil {
			return nil, false, fmt.Errorf("%s: %w", d.t.name(), err)
		}
	}
	tctx, cancel := context.WithTimeout(ctx, d.t.connectTimeout())
	defer cancel()
	c, err = d.dial(tctx, d.addr())
	if err != nil {
		if ctx.Err() != nil {
			return nil, false, fmt.Errorf("%w: %s at %s: %w", ErrUnreachable, d.t.name(), d.addr(), ctx.Err())
		}
		dns, isDNS := errors.AsType[*net.DNSError](err)
		return nil, !isDNS || dns.IsTemporary, fmt.Errorf("%w: %s at %s: %w", ErrUnreachable, d.t.name(), d.addr(), err)
	}
	return c, false, nil
}

// connectOnce reports whether it may be worth trying again.
func (d *dialer) connectOnce(ctx context.Context, proof hostProof, methods *methods) (l *link, again bool, err error) {
	tcp, again, err := d.reach(ctx)
	if err != nil {
		return nil, again, err
	}
	w := newWire(tcp, greetingMost, d.t.holdEnd())

	hctx, cancel := context.WithTimeout(ctx, d.t.connectTimeout())
	defer cancel()
	stop := context.AfterFunc(hctx, func() { _ = w.Close() })
	defer stop()

	var shown ssh.PublicKey
	var refused error
	attempt := methods.attempt()
	conf := &ssh.ClientConfig{
		Config:            d.alg.config,
		User:              d.t.User,
		HostKeyAlgorithms: proof.prefer(d.addr(), d.alg),
		HostKeyCallback: func(addr string, remote net.Addr, key ssh.PublicKey) error {
			shown = key
			refused = proof.check(addr, remote, key)
			return refused
		},
		AuthCallback:  attempt.next,
		ClientVersion: "SSH-2.0-cfgvault",
	}
	conn, chans, reqs, err := ssh.NewClientConn(w, d.addr(), conf)
	if err == nil && !stop() {
		err = hctx.Err() // the login won the race, but the connection is closed
	}
	if err != nil {
		_ = w.Close()
		err, again = d.explain(ctx, hctx, err, refused, attempt, w)
		return nil, again, err
	}
	w.unlimited()
	return newLink(ssh.NewClient(conn, chans, reqs), w, shown, d.t.keepAlive()), false, nil
}

// explain turns a failed handshake into the error that the operator needs.
func (d *dialer) explain(ctx, hctx context.Context, err, refused error, a *attempt, w *wire) (error, bool) {
	where := d.t.name() + " at " + d.addr()
	if refused != nil {
		return refused, false
	}
	if n, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err); ok {
		hint := "the device must be upgraded, or its legacy profile switched on"
		if d.t.Legacy {
			hint = "not even the legacy profile fits"
		}
		return fmt.Errorf("%w: %s: %w for %s: the device offers %s; %s",
			ErrUnreachable, where, ErrWeak, n.What, printable(fmt.Sprint(n.RequestedAlgorithms)), hint), false
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, where, ctx.Err()), false
	}
	cause := printable(err.Error())
	switch {
	case w.overflowed():
		cause = fmt.Sprintf("it sent more than %d bytes before the login", greetingMost)
		return fmt.Errorf("%w: %s: %s", ErrUnreachable, where, cause), false
	case hctx.Err() != nil:
		cause = fmt.Sprintf("no end of the login within %v", d.t.connectTimeout())
	}
	if a.started {
		why := ""
		if !errors.Is(err, errNoMore) {
			why = " (" + cause + ")"
		}
		return fmt.Errorf("%w: %s as user %q: %s%s", ErrAuth, where, d.t.User, a.summary(), why), false
	}
	return fmt.Errorf("%w: %s: %s", ErrUnreachable, where, cause), true
}
