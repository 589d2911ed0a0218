package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/cfgvault/cfgvault/plugins"
)

// conn is a driver's end of a stream that the agent opened to a service of the
// device. Reading is pulled through gRPC's flow control: besides its window at
// most one message waits here. A Write that misses its deadline ends the
// connection, because the bytes of a message cannot be called back.
type conn struct {
	stream   grpc.BidiStreamingClient[OpenRequest, OpenReply]
	cancel   context.CancelFunc // ends the stream, and with it the agent's connection
	service  string
	datagram bool
	read     deadline
	write    deadline

	in     chan []byte // from the pump
	closed chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
	end    error // why in was closed; set before that

	rmu  sync.Mutex
	rest []byte // of a message that a Read did not take whole; streams only

	wmu  sync.Mutex
	done bool // CloseWrite was called
}

func newConn(st grpc.BidiStreamingClient[OpenRequest, OpenReply], cancel context.CancelFunc, service string, datagram bool) *conn {
	c := &conn{
		stream: st, cancel: cancel, service: service, datagram: datagram,
		in: make(chan []byte), closed: make(chan struct{}),
	}
	c.wg.Go(c.pump)
	return c
}

// pump hands messages to Read one by one until the stream ends.
func (c *conn) pump() {
	defer close(c.in)
	for {
		m, err := c.stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			c.end = io.EOF
			return
		case err != nil:
			c.end = sessionError(context.Background(), err)
			return
		case m.GetEof() != nil:
			c.end = io.EOF
			return
		}
		p, ok := m.GetPart().(*OpenReply_Data)
		if !ok || (len(p.Data) == 0 && !c.datagram) {
			continue
		}
		select {
		case c.in <- p.Data:
		case <-c.closed:
			c.end = net.ErrClosed
			return
		}
	}
}

func (c *conn) Read(p []byte) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	if isDone(c.closed) {
		return 0, net.ErrClosed
	}
	expired := c.read.wait()
	if isDone(expired) {
		return 0, os.ErrDeadlineExceeded
	}
	if len(c.rest) > 0 {
		n := copy(p, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	if len(p) == 0 && !c.datagram {
		return 0, nil
	}
	select {
	case m, ok := <-c.in:
		if !ok {
			return 0, c.end
		}
		n := copy(p, m)
		if !c.datagram {
			c.rest = m[n:]
		}
		return n, nil
	case <-c.closed:
		return 0, net.ErrClosed
	case <-expired:
		return 0, os.ErrDeadlineExceeded
	}
}

func (c *conn) Write(p []byte) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	switch expired := c.write.wait(); {
	case isDone(c.closed), c.done:
		return 0, net.ErrClosed
	case isDone(expired):
		return 0, os.ErrDeadlineExceeded
	case c.datagram && len(p) > Chunk:
		return 0, plugins.ErrTooLarge
	case c.datagram:
		if err := c.send(p, expired); err != nil {
			return 0, err
		}
		return len(p), nil
	default:
		n := 0
		err := chunks(p, func(piece []byte) error {
			if err := c.send(piece, expired); err != nil {
				return err
			}
			n += len(piece)
			return nil
		})
		return n, err
	}
}

func (c *conn) send(p []byte, expired <-chan struct{}) error {
	sent := make(chan struct{})
	var watch sync.WaitGroup
	missed := false
	watch.Go(func() {
		select {
		case <-sent:
		case <-expired:
			missed = true
			c.cancel()
		}
	})
	err := c.stream.Send(&OpenRequest{Part: &OpenRequest_Data{p}})
	close(sent)
	watch.Wait()
	switch {
	case err == nil:
		return nil
	case missed:
		return os.ErrDeadlineExceeded
	case isDone(c.closed):
		return net.ErrClosed
	}
	return plugins.ErrSessionLost
}

// CloseWrite closes the device's input and leaves reading open.
func (c *conn) CloseWrite() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if isDone(c.closed) {
		return net.ErrClosed
	}
	c.done = true
	return c.stream.CloseSend()
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.cancel()
	})
	c.wg.Wait()
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return nil
}
func (c *conn) SetReadDeadline(t time.Time) error  { c.read.set(t); return nil }
func (c *conn) SetWriteDeadline(t time.Time) error { c.write.set(t); return nil }

func (c *conn) LocalAddr() net.Addr  { return addr{c} }
func (c *conn) RemoteAddr() net.Addr { return addr{c} }

// addr names the service; a plugin learns no address of the device.
type addr struct{ c *conn }

func (a addr) Network() string {
	if a.c.datagram {
		return "cfgvault+datagram"
	}
	return "cfgvault"
}
func (a addr) String() string { return a.c.service }

// deadline is a moment that can be moved while others wait for it.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	ch    chan struct{} // closed when the moment has passed
}

// wait returns the channel that is closed when the deadline passes.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ch == nil {
		d.ch = make(chan struct{})
	}
	return d.ch
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.ch // it fired: wait until the channel is closed
	}
	d.timer = nil
	if d.ch == nil || isDone(d.ch) {
		d.ch = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	ch := d.ch
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(ch) })
		return
	}
	close(ch)
}

func isDone(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
