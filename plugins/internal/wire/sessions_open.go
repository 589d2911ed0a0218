package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"google.golang.org/grpc"

	"github.com/cfgvault/cfgvault/plugins"
)

// Open serves Session.Open.
func (t *Sessions) Open(st grpc.BidiStreamingServer[OpenRequest, OpenReply]) error {
	return toStatus(t.openStream(st))
}

func (t *Sessions) openStream(st grpc.BidiStreamingServer[OpenRequest, OpenReply]) error {
	m, err := st.Recv()
	if err != nil {
		return err
	}
	start := m.GetStart()
	if start == nil {
		return fmt.Errorf("%w: the first message opens nothing", ErrProtocol)
	}
	e, err := t.find(start.GetSession())
	if err != nil {
		return err
	}
	if err := e.acquire(); err != nil {
		return err
	}
	defer e.release()
	ctx, stop := e.merge(st.Context())
	defer stop()
	c, err := e.session.Open(ctx, start.GetService(), string(start.GetArg()))
	if err != nil {
		return e.closed(err)
	}
	unwatch := context.AfterFunc(ctx, func() { c.Close() }) // unblocks both directions
	defer c.Close()
	defer unwatch()
	datagram := isDatagram(c)
	if err := st.Send(&OpenReply{Part: &OpenReply_Opened{&Opened{Datagram: datagram}}}); err != nil {
		return err
	}
	// The writer ends with the request stream, and that at the latest when
	// this handler returns; it never touches the reply stream.
	in := &inward{stream: st, conn: c, datagram: datagram}
	written := make(chan struct{})
	go func() {
		defer close(written)
		in.copy()
	}()
	if err := copyOut(st, c, datagram); err != nil {
		return e.closed(err)
	}
	// The device sends no more. What it did not take must not look like a
	// success.
	if err := in.failed(); err != nil {
		return e.closed(err)
	}
	if err := st.Send(&OpenReply{Part: &OpenReply_Eof{&Done{}}}); err != nil {
		return err
	}
	select {
	case <-written:
		return e.closed(in.failed())
	case <-ctx.Done():
		return e.closed(ctx.Err())
	}
}

// inward writes what the plugin sends to the device.
type inward struct {
	stream   grpc.BidiStreamingServer[OpenRequest, OpenReply]
	conn     net.Conn
	datagram bool

	mu  sync.Mutex
	err error // of the first Write that failed
}

// copy runs until the plugin closes the stream or dies. A half-close closes
// the device's input where the connection can. After a failed Write it only
// reads on, for the device may have more to say.
func (w *inward) copy() {
	for {
		m, err := w.stream.Recv()
		if errors.Is(err, io.EOF) {
			if h, ok := w.conn.(interface{ CloseWrite() error }); ok {
				w.fail(h.CloseWrite())
			}
			return
		}
		if err != nil {
			w.conn.Close()
			return
		}
		p, ok := m.GetPart().(*OpenRequest_Data)
		if !ok || (len(p.Data) == 0 && !w.datagram) || w.failed() != nil {
			continue
		}
		_, err = w.conn.Write(p.Data)
		w.fail(err)
	}
}

func (w *inward) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && err != nil {
		w.err = connError(err)
	}
}

func (w *inward) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// connError hides the addresses in an error of a connection; an error that the
// session made itself stays as it is.
func connError(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%w: %s: %w", plugins.ErrSessionLost, op.Op, op.Err)
	}
	return err
}

// copyOut sends what the device sends to the plugin, up to its end.
func copyOut(st grpc.BidiStreamingServer[OpenRequest, OpenReply], c net.Conn, datagram bool) error {
	size := 32 << 10
	if datagram {
		size = 64 << 10 // the largest that UDP carries
	}
	buf := make([]byte, size)
	for {
		n, err := c.Read(buf)
		if n > 0 || (datagram && err == nil) {
			if err := st.Send(&OpenReply{Part: &OpenReply_Data{buf[:n]}}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return connError(err)
		}
	}
}

// isDatagram reports whether one Read or Write of c is one datagram.
func isDatagram(c net.Conn) bool {
	if d, ok := c.(interface{ Datagram() bool }); ok {
		return d.Datagram()
	}
	a := c.LocalAddr()
	return a != nil && (strings.HasPrefix(a.Network(), "udp") || a.Network() == "unixgram")
}
