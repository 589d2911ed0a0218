package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/gliderlabs/ssh"

	"github.com/cfgvault/cfgvault/plugins"
)

// serves reports whether the Box itself answers the service.
func (d *Device) serves(service, arg string) bool {
	if _, ok := d.box.(Execer); ok && service == "exec" {
		return true
	}
	s, ok := d.box.(Streamer)
	return ok && s.Offers(service, arg)
}

func (d *Device) offers(service, arg string) bool {
	return d.serves(service, arg) || service == "exec" && d.opts.Exec
}

// process runs one exec channel or subsystem with the faults that strike it.
// A negative status is a channel that closed without one; lost one that the
// device did not close in order.
func (d *Device) process(t *TTY, p *Process) (status int, lost bool) {
	pause(t, d.opts.Latency)
	t.begin()
	drop := false
	for _, f := range d.strike(p.Arg) {
		switch {
		case f.Before != nil:
			f.Before()
		case f.Refuse != "":
			io.WriteString(p.Err, f.Refuse+"\n")
			return 1, false
		case f.Lose:
			return -1, true
		case f.Hang:
			<-t.gone
			return -1, true
		case f.Cut != nil:
			t.limit(*f.Cut)
		case f.Drop:
			drop = true
			t.limit(0)
		}
	}
	if t.over() {
		return -1, true
	}
	s, streams := d.box.(Streamer)
	if streams && s.Offers(p.Service, p.Arg) {
		status = s.Stream(p)
	} else {
		status = d.box.(Execer).Exec(p)
	}
	return status, drop || t.cut() || t.over()
}

// output is what a process writes, within the limits of its TTY.
type output struct{ t *TTY }

func (w output) Write(p []byte) (int, error) {
	w.t.send(string(p))
	if w.t.cut() || w.t.over() {
		return 0, errGone
	}
	return len(p), nil
}

func serviceArg(s ssh.Session) string {
	if n := s.Subsystem(); n != "" {
		return n
	}
	return s.RawCommand()
}

func (d *Device) serveProcess(s ssh.Session) {
	t := newTTY(d, s.User(), rawPort{func(p string) error { _, err := io.WriteString(s, p); return err }, func() { s.Close() }})
	if d.attach(t) != nil {
		t.Hangup()
		return
	}
	defer d.detach(t)
	go func() {
		select {
		case <-s.Context().Done():
			t.Hangup()
		case <-t.gone:
		}
	}()
	service := "exec"
	if s.Subsystem() != "" {
		service = "subsystem"
	}
	status, lost := d.process(t, &Process{User: s.User(), Service: service, Arg: serviceArg(s), In: s, Out: output{t}, Err: s.Stderr()})
	if lost {
		t.severed.Store(true)
		sever(s, t)
	} else if status >= 0 {
		s.Exit(status)
	}
}

// rawPort is the far end of a process: bytes, no line.
type rawPort struct {
	send func(string) error
	end  func()
}

func (p rawPort) write(s string) error { return p.send(s) }
func (p rawPort) close()               { p.end() }
func (p rawPort) readCommand(func() string, func(byte) bool) (string, error) {
	return "", errGone
}
func (p rawPort) readLine(string, bool, bool) (string, error) { return "", errGone }
func (p rawPort) key(string) (byte, error)                    { return 0, errGone }

// start runs a process for a caller in process. done is closed at its end,
// when status and lost may be read.
type running struct {
	t      *TTY
	status int
	lost   bool
	done   chan struct{}
}

func (d *Device) start(p *Process, port rawPort) (*running, error) {
	t := newTTY(d, d.opts.User, port)
	if d.attach(t) != nil {
		return nil, fmt.Errorf("%w: the device does not answer", plugins.ErrSessionLost)
	}
	p.User, p.Out = d.opts.User, output{t}
	r := &running{t: t, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		defer d.detach(t)
		r.status, r.lost = d.process(t, p)
	}()
	return r, nil
}

// runExec is Session.Run on an exec channel.
func (s *localSession) runExec(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	if !s.d.offers("exec", c.Text) {
		return plugins.Output{}, fmt.Errorf("simulated device: exec: %w", errors.ErrUnsupported)
	}
	var mu sync.Mutex
	var stdout, stderr bytes.Buffer
	in, feed := io.Pipe()
	go func() {
		feed.Write(c.Input)
		feed.Close()
	}()
	port := rawPort{
		send: func(p string) error { mu.Lock(); defer mu.Unlock(); stdout.WriteString(p); return nil },
		end:  func() { in.Close() },
	}
	r, err := s.d.start(&Process{Service: "exec", Arg: c.Text, In: in, Err: &stderr}, port)
	if err != nil {
		in.Close()
		return plugins.Output{End: plugins.EndCut}, err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		r.t.Hangup()
		<-r.done
	}
	in.Close()
	mu.Lock()
	defer mu.Unlock()
	out := plugins.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), End: plugins.EndStatus}
	switch {
	case ctx.Err() != nil:
		out.End = plugins.EndCut
		return out, ctx.Err()
	case r.lost:
		out.End = plugins.EndCut
		return out, fmt.Errorf("%w: the simulated device hung up", plugins.ErrSessionLost)
	case r.status < 0:
		out.End = plugins.EndClosed
	default:
		out.Exit = &r.status
	}
	return out, nil
}

// Open offers what the Box does: see [Streamer] and [Execer].
func (s *localSession) Open(_ context.Context, service, arg string) (net.Conn, error) {
	if !s.d.serves(service, arg) {
		return nil, fmt.Errorf("simulated device: %s %q: %w", service, arg, errors.ErrUnsupported)
	}
	near, far := net.Pipe()
	c := &localStream{Conn: near, closed: make(chan struct{})}
	c.inR, c.inW = io.Pipe()
	port := rawPort{
		send: func(p string) error { _, err := io.WriteString(far, p); return err },
		end:  func() { far.Close(); c.inR.CloseWithError(errGone) },
	}
	r, err := s.d.start(&Process{Service: service, Arg: arg, In: c.inR, Err: io.Discard}, port)
	if err != nil {
		near.Close()
		return nil, err
	}
	c.r = r
	return c, nil
}

// localStream is the near end of a process: written bytes go to its input,
// which can be ended alone, and its output is read as of the agent's streams.
type localStream struct {
	net.Conn
	inR    *io.PipeReader
	inW    *io.PipeWriter
	r      *running
	once   sync.Once
	closed chan struct{}
}

func (c *localStream) Write(p []byte) (int, error) { return c.inW.Write(p) }

// CloseWrite ends the process's input.
func (c *localStream) CloseWrite() error { return c.inW.Close() }

func (c *localStream) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		return n, nil
	}
	select {
	case <-c.closed:
		return n, net.ErrClosed
	case <-c.r.done:
	}
	switch {
	case c.r.lost:
		return n, fmt.Errorf("%w: the simulated device hung up", plugins.ErrSessionLost)
	case c.r.status > 0:
		return n, fmt.Errorf("the command ended with exit status %d", c.r.status)
	}
	return n, io.EOF
}

func (c *localStream) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.inW.Close()
		c.inR.Close()
		c.Conn.Close()
		c.r.t.Hangup()
		<-c.r.done
	})
	return nil
}
