package plugintest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// Session returns a session that answers as the fixture says, in the form
// "exec" (commands end with an exit status) or "shell" (with the prompt). It
// is what Run hands to a driver, for a driver's own tests. Log tells what was
// asked of it.
func (f Fixture) Session(form string) *Replay {
	return newReplay(&f, form, nil)
}

// Replay is a session played back from a fixture. Safe for concurrent use.
type Replay struct {
	f    *Fixture
	exec bool
	id   string
	plan *fault

	mu    sync.Mutex
	count map[string]int
	log   []Request
	conns []*replayConn
	fired bool
	hung  func()        // called once when the fault makes a call hang
	free  chan struct{} // closed: what hangs ends as a lost session
	once  sync.Once
}

// Request is something that a driver asked of a session.
type Request struct {
	Stream  bool   // Open, else a command
	Text    string // the command, or "SERVICE ARG"
	Nth     int    // from 1: which time the same was asked
	Write   bool
	Unknown bool // the fixture has no answer
}

var replays atomic.Int64

func newReplay(f *Fixture, form string, plan *fault) *Replay {
	return &Replay{
		f: f, exec: form == formExec, plan: plan, id: fmt.Sprintf("replay-%d", replays.Add(1)),
		count: map[string]int{}, free: make(chan struct{}),
	}
}

// ID implements plugins.Session.
func (r *Replay) ID() string { return r.id }

// Options implements plugins.Session.
func (r *Replay) Options() map[string]string { return r.f.Options }

// Log returns what was asked so far.
func (r *Replay) Log() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// note records a request and says whether the fault is due.
func (r *Replay) note(q Request) (Request, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := q.Text
	if q.Stream {
		key = "\x00" + key
	}
	r.count[key]++
	q.Nth = r.count[key]
	r.log = append(r.log, q)
	due := r.plan != nil && r.plan.stream == q.Stream && r.plan.text == q.Text && r.plan.nth == q.Nth
	r.fired = r.fired || due
	return q, due
}

func (r *Replay) hasFired() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fired
}

// Run implements plugins.Session.
func (r *Replay) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	if err := ctx.Err(); err != nil {
		return plugins.Output{End: plugins.EndCut}, err
	}
	_, answers := r.f.find(c.Text)
	known := len(answers) > 0
	q, due := r.note(Request{Text: c.Text, Write: c.Write, Unknown: !known})
	out := r.unknown()
	if known {
		a := answers[min(q.Nth, len(answers))-1]
		out = plugins.Output{Stdout: bytes.Clone(a.stdout), End: plugins.EndSentinel}
		if r.exec {
			exit := a.exit
			out.Stderr, out.Exit, out.End = bytes.Clone(a.stderr), &exit, plugins.EndStatus
		} else {
			out.Stdout = append(out.Stdout, a.stderr...)
		}
	}
	if !due {
		return out, nil
	}
	if r.plan.kind == faultHang {
		return plugins.Output{End: plugins.EndCut}, r.hang(ctx)
	}
	return r.plan.apply(r, out)
}

// unknown is how the device refuses a command that it does not have.
func (r *Replay) unknown() plugins.Output {
	text := []byte(r.f.Unknown + "\n")
	if !r.exec {
		return plugins.Output{Stdout: text, End: plugins.EndSentinel}
	}
	exit := 1
	return plugins.Output{Stdout: text, Exit: &exit, End: plugins.EndStatus}
}

// hang waits until the driver gives up, or the kit does.
func (r *Replay) hang(ctx context.Context) error {
	r.mu.Lock()
	hung := r.hung
	r.hung = nil
	r.mu.Unlock()
	if hung != nil {
		hung()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.free:
		return fmt.Errorf("%w: the kit waited long enough", plugins.ErrSessionLost)
	}
}

func (r *Replay) release() { r.once.Do(func() { close(r.free) }) }

// close ends the streams that a driver left open.
func (r *Replay) close() (left int) {
	r.mu.Lock()
	conns := r.conns
	r.mu.Unlock()
	for _, c := range conns {
		if !c.closed.Load() {
			left++
			_ = c.Close()
		}
	}
	r.release()
	return left
}

// CLI implements plugins.Session.
func (r *Replay) CLI(ctx context.Context) (plugins.CLI, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &replayCLI{r: r}, nil
}

type replayCLI struct {
	r    *Replay
	dead atomic.Bool
}

func (c *replayCLI) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	if c.dead.Load() {
		return plugins.Output{End: plugins.EndCut}, fmt.Errorf("%w: the command line is closed", plugins.ErrSessionLost)
	}
	out, err := c.r.Run(ctx, cmd)
	if err != nil {
		c.dead.Store(true)
	}
	return out, err
}

func (c *replayCLI) Close() error {
	c.dead.Store(true)
	return nil
}

// Open implements plugins.Session.
func (r *Replay) Open(ctx context.Context, service, arg string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text := service
	if arg != "" {
		text += " " + arg
	}
	data, known := r.f.streams[text]
	_, due := r.note(Request{Stream: true, Text: text, Unknown: !known})
	if !known {
		return nil, fmt.Errorf("service %s: %w", service, errUnsupported)
	}
	c := &replayConn{r: r, data: data, end: io.EOF, shut: make(chan struct{})}
	if due {
		switch r.plan.kind {
		case faultHang:
			c.hang = true
		case faultLost, faultCutLost, faultCut, faultClosed, faultTooLarge:
			c.data = data[:min(r.plan.at, len(data))]
			c.end = fmt.Errorf("%w: the stream was cut", plugins.ErrSessionLost)
		}
	}
	r.mu.Lock()
	r.conns = append(r.conns, c)
	r.mu.Unlock()
	return c, nil
}

// replayConn gives the recorded bytes to read and takes everything written.
type replayConn struct {
	r      *Replay
	mu     sync.Mutex
	data   []byte
	end    error
	hang   bool
	closed atomic.Bool
	shut   chan struct{}
}

func (c *replayConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.closed.Load() {
		c.mu.Unlock()
		return 0, net.ErrClosed
	}
	if len(c.data) > 0 && !c.hang {
		n := copy(p, c.data)
		c.data = c.data[n:]
		c.mu.Unlock()
		return n, nil
	}
	hang, end := c.hang, c.end
	c.mu.Unlock()
	if !hang {
		return 0, end
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-c.shut:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := c.r.hang(ctx); ctx.Err() == nil {
		return 0, err
	}
	return 0, net.ErrClosed
}

func (c *replayConn) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	return len(p), nil
}

func (c *replayConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		close(c.shut)
	}
	return nil
}

type replayAddr struct{}

func (replayAddr) Network() string { return "replay" }
func (replayAddr) String() string  { return "replay" }

func (c *replayConn) LocalAddr() net.Addr  { return replayAddr{} }
func (c *replayConn) RemoteAddr() net.Addr { return replayAddr{} }

// The deadlines end a read that hangs: a driver may bound a stream by them
// instead of closing it.
func (c *replayConn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *replayConn) SetWriteDeadline(time.Time) error { return nil }
func (c *replayConn) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		time.AfterFunc(time.Until(t), func() { _ = c.Close() })
	}
	return nil
}
