package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Open opens a byte stream to a service of the device: "exec" and "subsystem"
// over SSH; "http" and "grpc" to a proxy of the agent that adds credentials and
// leads to this one service; others as raw streams or datagrams.
// errors.ErrUnsupported if the inventory has no such service.
//
// The end of an "exec" or "subsystem" stream is io.EOF only if the device
// closed it in order, and an "exec" command exited with 0. Their connections
// have a CloseWrite. A write deadline that passes ends the stream.
func (s *Session) Open(ctx context.Context, name, arg string) (net.Conn, error) {
	if s.isClosed() {
		return nil, s.errClosed()
	}
	if s.t.Transport != "" && (name == "exec" || name == "subsystem") {
		return nil, fmt.Errorf("%s: %w: %s over %s", s.t.name(), errors.ErrUnsupported, name, s.t.Transport)
	}
	switch name {
	case "exec":
		return s.openChannelStream(ctx, "exec", arg, struct{ Command string }{arg})
	case "subsystem":
		return s.openChannelStream(ctx, "subsystem", arg, struct{ Name string }{arg})
	}
	if arg != "" {
		return nil, fmt.Errorf("%s: %w: service %s takes no argument", s.t.name(), errors.ErrUnsupported, name)
	}
	sv, ok := s.t.Services[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w: the inventory has no service %q", s.t.name(), errors.ErrUnsupported, name)
	}
	return s.openService(ctx, name, sv)
}

func (s *Session) openChannelStream(ctx context.Context, kind, arg string, payload any) (net.Conn, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	l, ch, reqs, err := s.channel(ctx)
	if err != nil {
		s.release()
		return nil, gone(err)
	}
	c := &channelConn{s: s, ch: ch, ended: make(chan struct{}), over: make(chan struct{})}
	x := &execution{ch: ch}
	judged := l.wire.expect()
	go func() {
		defer close(c.over)
		defer judged()
		x.requests(reqs)
		close(c.ended)
		// At once, not when somebody has read up to here.
		c.inOrder = !c.gone.Load() && l.closedInOrder(context.Background(), x.exited())
	}()
	ok, err := request(ctx, l, ch, kind, payload)
	if err != nil || !ok {
		c.gone.Store(true)
		_ = ch.Close()
		s.release()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, s.lost()
		}
		return nil, fmt.Errorf("%s: %w: the device refuses %s %q", s.t.name(), errors.ErrUnsupported, kind, printable(arg))
	}
	go drain(ch.Stderr())
	c.in = newInbox(received{ch}, func(err error) error { return c.end(x, err) })
	if err := s.keep(c); err != nil {
		return nil, err
	}
	return c, nil
}

// drain reads r away, so that the channel's window stays open.
func drain(r io.Reader) { _, _ = io.Copy(io.Discard, r) }

// channelConn is a net.Conn over an SSH channel.
type channelConn struct {
	s    *Session
	ch   ssh.Channel
	in   *inbox
	gone atomic.Bool // closed by us

	ended   chan struct{} // closed when the channel has
	over    chan struct{} // closed when that was judged
	inOrder bool          // by the device, in order; set before over

	once        sync.Once
	read, write deadline
}

// end judges the end of the stream: see closedInOrder. A half-closed channel
// stays open; a lost connection ends data and channel together.
func (c *channelConn) end(x *execution, err error) error {
	if err != io.EOF {
		return c.s.lost()
	}
	select {
	case <-c.ended:
		<-c.over
	case <-time.After(time.Second):
		return io.EOF
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case c.gone.Load():
		return net.ErrClosed
	case !c.inOrder:
		return c.s.lost()
	case x.exit != nil && *x.exit != 0:
		return fmt.Errorf("the command ended with exit status %d", *x.exit)
	}
	return io.EOF
}

func (c *channelConn) Read(p []byte) (int, error) {
	n, err, ok := c.in.read(p, c.read.passed())
	if !ok {
		return 0, errTimeout{}
	}
	return n, err
}

func (c *channelConn) Write(p []byte) (int, error) {
	n, err := c.ch.Write(p)
	if err != nil {
		select {
		case <-c.write.passed():
			return n, errTimeout{}
		default:
		}
		if err == io.EOF {
			err = net.ErrClosed
		} else {
			err = c.s.lost()
		}
	}
	return n, err
}

// CloseWrite sends end of file.
func (c *channelConn) CloseWrite() error { return c.ch.CloseWrite() }

func (c *channelConn) Close() error {
	c.close()
	return nil
}

func (c *channelConn) close() {
	c.once.Do(func() {
		c.gone.Store(true)
		_ = c.ch.Close()
		c.in.close()
		c.s.forget(c)
		c.s.release()
	})
}

func (c *channelConn) LocalAddr() net.Addr  { return streamAddr("cfgvault") }
func (c *channelConn) RemoteAddr() net.Addr { return streamAddr(c.s.id) }

func (c *channelConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *channelConn) SetReadDeadline(t time.Time) error {
	c.read.set(t, nil)
	return nil
}

func (c *channelConn) SetWriteDeadline(t time.Time) error {
	c.write.set(t, c.close)
	return nil
}

// streamAddr names the ends of a stream without an address.
type streamAddr string

func (a streamAddr) Network() string { return "session" }
func (a streamAddr) String() string  { return string(a) }

// errTimeout is the net.Error of a deadline.
type errTimeout struct{}

func (errTimeout) Error() string   { return "the stream's deadline has passed" }
func (errTimeout) Timeout() bool   { return true }
func (errTimeout) Temporary() bool { return true }

// Is makes it os.ErrDeadlineExceeded, as of every net.Conn.
func (errTimeout) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// deadline closes a channel when it passes.
type deadline struct {
	mu    sync.Mutex
	gone  chan struct{}
	timer *time.Timer
}

func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone == nil {
		d.gone = make(chan struct{})
	}
	return d.gone
}

func (d *deadline) set(t time.Time, then func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fired := d.timer != nil && !d.timer.Stop()
	d.timer = nil
	if d.gone == nil || fired {
		d.gone = make(chan struct{})
	}
	select {
	case <-d.gone:
		d.gone = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	gone := d.gone
	var once sync.Once
	pass := func() {
		once.Do(func() { close(gone) })
		if then != nil {
			then()
		}
	}
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, pass)
		return
	}
	once.Do(func() { close(gone) })
	if then != nil {
		go then()
	}
}
