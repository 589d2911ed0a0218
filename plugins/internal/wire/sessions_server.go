package wire

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc"

	"github.com/cfgvault/cfgvault/plugins"
)

// Sessions is the agent's side of every session that it handed to one plugin
// process. A session is known by a random handle; what the plugin opened under
// a handle ends with it.
type Sessions struct {
	UnimplementedSessionsServer

	mu      sync.Mutex
	entries map[string]*entry
	input   budget // what commands in flight may still hold as input, all together
}

// NewSessions returns the service for one process.
func NewSessions() *Sessions {
	return &Sessions{entries: map[string]*entry{}, input: 2 * MaxReply}
}

// entry is one session that the plugin may use.
type entry struct {
	session plugins.Session
	ctx     context.Context // done when the handle is taken back
	cancel  context.CancelFunc

	mu   sync.Mutex
	open int // command lines and streams
	next uint64
	clis map[uint64]*openCLI
}

type openCLI struct {
	plugins.CLI
	cancel context.CancelFunc
}

// Add makes a session usable by the plugin until remove is called. remove
// closes what the plugin left open.
func (t *Sessions) Add(s plugins.Session) (ref *Session, remove func()) {
	e := &entry{session: s, clis: map[uint64]*openCLI{}}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	handle := rand.Text()
	t.mu.Lock()
	t.entries[handle] = e
	t.mu.Unlock()
	return &Session{Handle: handle, Id: text(s.ID()), Options: s.Options()}, func() {
		t.mu.Lock()
		delete(t.entries, handle)
		t.mu.Unlock()
		e.close()
	}
}

func (e *entry) close() {
	e.cancel()
	e.mu.Lock()
	clis := e.clis
	e.clis = nil
	e.mu.Unlock()
	for _, c := range clis {
		_ = c.Close() // the session ends with it; there is nobody to tell
		c.cancel()
	}
}

// find returns the session of a handle.
func (t *Sessions) find(handle string) (*entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[handle]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%w: no such session, or the agent has closed it", plugins.ErrSessionLost)
}

// merge returns ctx that also ends when the handle is taken back.
func (e *entry) merge(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(e.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// closed turns the error of a call that was cut by the end of the session into
// ErrSessionLost.
func (e *entry) closed(err error) error {
	if err != nil && e.ctx.Err() != nil {
		return fmt.Errorf("%w: the agent has closed the session", plugins.ErrSessionLost)
	}
	return err
}

// acquire counts what the plugin opens under one session.
func (e *entry) acquire() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open == maxOpen {
		return fmt.Errorf("the driver has %d command lines and streams open on one device: close some", maxOpen)
	}
	e.open++
	return nil
}

func (e *entry) release() {
	e.mu.Lock()
	e.open--
	e.mu.Unlock()
}

// Run serves Session.Run and CLI.Run.
func (t *Sessions) Run(st grpc.BidiStreamingServer[RunRequest, RunReply]) error {
	return toStatus(t.run(st))
}

func (t *Sessions) run(st grpc.BidiStreamingServer[RunRequest, RunReply]) error {
	var e *entry
	var cmd plugins.Command
	var cli uint64
	held := 0
	defer func() { t.give(held) }()
	err := requests(st.Recv, func(m *RunRequest) error {
		if e == nil {
			var err error
			if e, err = t.find(m.GetSession()); err != nil {
				return err
			}
			cli, cmd = m.GetCli(), commandFromWire(m.GetCommand())
		}
		n := len(m.GetInput())
		if n == 0 {
			return nil
		}
		if cmd.Input == nil || len(cmd.Input)+n > MaxReply {
			return fmt.Errorf("%w: the input of a command", plugins.ErrTooLarge)
		}
		if err := t.take(n); err != nil {
			return err
		}
		held += n
		cmd.Input = append(cmd.Input, m.GetInput()...)
		return nil
	})
	if err != nil {
		return err
	}
	if e == nil {
		return fmt.Errorf("%w: a run without a command", ErrProtocol)
	}
	ctx, stop := e.merge(st.Context())
	defer stop()
	run := e.session.Run
	if cli != 0 {
		c, err := e.cli(cli)
		if err != nil {
			return err
		}
		run = c.Run
	}
	out, runErr := run(ctx, cmd)
	if err := sendOutput(out, st.Send); err != nil {
		return err
	}
	return e.closed(runErr)
}

func (t *Sessions) take(n int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.input.take(n)
}

func (t *Sessions) give(n int) {
	t.mu.Lock()
	t.input += budget(n)
	t.mu.Unlock()
}

// sendOutput sends an output; a small one is one message.
func sendOutput(out plugins.Output, send func(*RunReply) error) error {
	end := &RunEnd{End: text(string(out.End))}
	if out.Exit != nil {
		exit := int64(*out.Exit)
		end.Exit = &exit
	}
	size := int64(len(out.Stdout))
	if len(out.Stdout)+len(out.Stderr) <= Chunk {
		return send(&RunReply{Stdout: out.Stdout, Stderr: out.Stderr, End: end, Size: size})
	}
	err := chunks(out.Stdout, func(p []byte) error {
		m := &RunReply{Stdout: p, Size: size}
		size = 0
		return send(m)
	})
	if err != nil {
		return err
	}
	err = chunks(out.Stderr, func(p []byte) error { return send(&RunReply{Stderr: p}) })
	if err != nil {
		return err
	}
	return send(&RunReply{End: end})
}

func (e *entry) cli(id uint64) (*openCLI, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.clis[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: this command line is closed", plugins.ErrSessionLost)
}

// OpenCLI serves Session.CLI.
func (t *Sessions) OpenCLI(ctx context.Context, r *OpenCLIRequest) (*OpenCLIReply, error) {
	e, err := t.find(r.GetSession())
	if err != nil {
		return nil, toStatus(err)
	}
	if err := e.acquire(); err != nil {
		return nil, toStatus(err)
	}
	// The command line outlives this call; the call's end stops the opening
	// alone.
	cctx, cancel := context.WithCancel(e.ctx)
	stop := context.AfterFunc(ctx, cancel)
	c, err := e.session.CLI(cctx)
	if err == nil && !stop() {
		_ = c.Close()
		err = ctx.Err()
	}
	if err != nil {
		stop()
		cancel()
		e.release()
		if ctx.Err() == nil {
			err = e.closed(err)
		}
		return nil, toStatus(err)
	}
	e.mu.Lock()
	if e.clis == nil {
		e.mu.Unlock()
		_ = c.Close()
		cancel()
		return nil, toStatus(e.closed(net.ErrClosed))
	}
	e.next++
	id := e.next
	e.clis[id] = &openCLI{c, cancel}
	e.mu.Unlock()
	return &OpenCLIReply{Cli: id}, nil
}

// CloseCLI serves CLI.Close; closing what is not open is not an error.
func (t *Sessions) CloseCLI(_ context.Context, r *CloseCLIRequest) (*Done, error) {
	e, err := t.find(r.GetSession())
	if err != nil {
		return &Done{}, nil
	}
	e.mu.Lock()
	c := e.clis[r.GetCli()]
	delete(e.clis, r.GetCli())
	e.mu.Unlock()
	if c == nil {
		return &Done{}, nil
	}
	err = c.Close()
	c.cancel()
	e.release()
	return &Done{}, toStatus(err)
}

// Close takes back every session: the process is gone.
func (t *Sessions) Close() {
	t.mu.Lock()
	entries := t.entries
	t.entries = map[string]*entry{}
	t.mu.Unlock()
	for _, e := range entries {
		e.close()
	}
}
