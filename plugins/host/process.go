package host

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/internal/wire"
)

// process is one running plugin.
type process struct {
	h        *Host
	name     string
	info     plugins.Info
	run      *child
	gp       *plugin.Client
	rpc      *wire.Client
	sessions *wire.Sessions
	bg       sync.WaitGroup // what runs for it
	done     chan struct{}  // closed when the process and everything around it is gone

	mu       sync.Mutex
	calls    int
	draining bool   // no new calls; killed when the last one ends
	killed   bool   //
	reason   string // why we drain or killed it
}

// begin counts a call; false if the process takes no more.
func (p *process) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining || p.killed || p.run.gone() {
		return false
	}
	p.calls++
	return true
}

// end counts a call as over.
func (p *process) end() {
	p.mu.Lock()
	p.calls--
	last := p.draining && p.calls == 0
	p.mu.Unlock()
	if last {
		p.kill("")
	}
}

// drain lets the calls in flight finish and then ends the process.
func (p *process) drain(reason string) {
	p.mu.Lock()
	p.draining = true
	if p.reason == "" {
		p.reason = reason
	}
	idle := p.calls == 0
	p.mu.Unlock()
	p.h.log.Warn("plugin process is replaced", "driver", p.name, "pid", p.run.ID(), "reason", reason)
	if idle {
		p.kill("")
	}
}

// kill ends the process group at once. A driver keeps nothing that it would
// have to save.
func (p *process) kill(reason string) {
	p.mu.Lock()
	p.killed = true
	if p.reason == "" {
		p.reason = reason
	}
	p.mu.Unlock()
	p.run.kill()
}

// close ends the process and waits until nothing of it is left.
func (p *process) close() {
	p.kill("the agent closed it")
	<-p.done
}

// crash waits for the process to end and says how it did.
func (p *process) crash(method string) error {
	select {
	case <-p.run.exited:
	case <-time.After(time.Second):
		// The connection is gone and the process is not: nobody can talk to
		// it any more.
		p.kill("its connection broke")
		<-p.run.exited
	}
	p.mu.Lock()
	why := p.reason
	p.mu.Unlock()
	if why == "" {
		why = p.run.state() + "; what it printed is in the debug log"
	}
	return fmt.Errorf("%w: driver %s ended during %s: %s", ErrPlugin, p.name, method, why)
}

// errStartTimeout is the cause of a start that took too long.
var errStartTimeout = errors.New("start timeout")

// start starts a process for a driver and waits until it answers.
func (h *Host) start(ctx context.Context, name string) (*process, error) {
	// When a crash sends the reads of a hundred devices to processes of their
	// own, these must not starve each other beyond the start timeout.
	select {
	case h.starts <- struct{}{}:
		defer func() { <-h.starts }()
	case <-ctx.Done():
		return nil, fmt.Errorf("start driver %s: %w", name, ctx.Err())
	}
	run := newChild(h.spawn, h.dir)
	if err := h.command(name, run); err != nil {
		return nil, err
	}
	p := &process{h: h, name: name, run: run, sessions: wire.NewSessions(), done: make(chan struct{})}
	h.mu.Lock()
	select {
	case <-h.closed:
		h.mu.Unlock()
		run.kill()
		return nil, fmt.Errorf("%w: driver %s: the agent is shutting down", ErrPlugin, name)
	default:
	}
	h.procs[p] = struct{}{}
	h.wg.Add(1)
	h.mu.Unlock()

	ctx, cancel := context.WithTimeoutCause(ctx, h.o.StartTimeout, errStartTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, run.kill)
	err := p.connect(ctx)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = p.startError(err)
		p.kill("it did not start")
	}
	go p.reap()
	if err != nil {
		<-p.done
		return nil, err
	}
	h.log.Debug("plugin process started", "driver", name, "pid", run.ID())
	return p, nil
}

// connect starts the child and speaks the first words with it.
func (p *process) connect(ctx context.Context) error {
	out := newOutput(p.h.log.With("driver", p.name))
	cfg := &plugin.ClientConfig{
		HandshakeConfig:  wire.Handshake(),
		Plugins:          plugin.PluginSet{wire.PluginName: agentSide{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			// Of the environment that go-plugin prepared; the limit is the
			// Go runtime's goal, ours comes above it.
			p.run.cmd.Env = append(cmd.Env, fmt.Sprintf("GOMEMLIMIT=%d", p.h.o.MemoryLimit/4*3))
			p.run.onStart = func() { p.bg.Go(p.watch) }
			return p.run, nil
		},
		AutoMTLS:            true,
		SkipHostEnv:         true,
		UnixSocketConfig:    &plugin.UnixSocketConfig{TempDir: p.h.dir},
		StartTimeout:        p.h.o.StartTimeout + time.Second, // ours comes first
		Logger:              hclog.NewNullLogger(),
		Stderr:              out,
		SyncStdout:          out,
		SyncStderr:          out,
		PluginLogBufferSize: maxLogLine,
		GRPCDialOptions:     wire.DialOptions(),
	}
	p.gp = plugin.NewClient(cfg)
	if _, err := p.gp.Start(); err != nil {
		return err
	}
	client, err := p.gp.Client()
	if err != nil {
		return err
	}
	raw, err := client.Dispense(wire.PluginName)
	if err != nil {
		return err
	}
	d, ok := raw.(agentSide)
	if !ok {
		return errors.New("go-plugin dispensed something else")
	}
	// One listener for the life of the process: the plugin dials it once,
	// during Start. go-plugin has put the certificates of this process into
	// the configuration.
	id := d.broker.NextId()
	l, err := d.broker.Accept(id)
	if err != nil {
		return err
	}
	if cfg.TLSConfig == nil {
		l.Close()
		return errors.New("go-plugin made no certificates")
	}
	srv := grpc.NewServer(append(wire.ServerOptions(), grpc.WaitForHandlers(true), grpc.Creds(credentials.NewTLS(cfg.TLSConfig)))...)
	wire.RegisterSessionsServer(srv, p.sessions)
	p.bg.Go(func() { _ = srv.Serve(l) }) // ends with the process, whose end says why
	p.bg.Go(func() {
		<-p.run.exited
		srv.Stop()
	})
	p.rpc = wire.NewClient(d.conn, p.h.o.Grace)
	if p.info, err = p.rpc.Start(ctx, id, "cfgvault"); err != nil {
		return err
	}
	return check(p.name, p.info)
}

// reap waits for the child's end and clears away what belonged to it.
func (p *process) reap() {
	defer p.h.wg.Done()
	defer close(p.done)
	<-p.run.exited
	p.sessions.Close()
	p.gp.Kill() // the child is dead: this removes its sockets and ends go-plugin's goroutines
	p.bg.Wait()
	p.h.mu.Lock()
	delete(p.h.procs, p)
	p.h.mu.Unlock()
	p.h.log.Debug("plugin process ended", "driver", p.name, "pid", p.run.ID(), "state", p.run.state())
}

// watch kills the process when it uses more memory of its own than it may.
func (p *process) watch() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.run.exited:
			return
		case <-tick.C:
		}
		used, err := ownMemory(p.run.pid())
		if errors.Is(err, errors.ErrUnsupported) {
			return
		}
		if err == nil && used > p.h.o.MemoryLimit {
			p.kill(fmt.Sprintf("it used %d MiB of memory, more than its limit of %d MiB", used>>20, p.h.o.MemoryLimit>>20))
		}
	}
}

// startError says why a process did not start and what to do.
func (p *process) startError(err error) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: driver %s %s", ErrPlugin, p.name, fmt.Sprintf(format, args...))
	}
	hint := fmt.Sprintf("run %q by hand to see why", p.run.byHand)
	switch {
	case errors.Is(err, errStartTimeout):
		return fail("did not answer within %v of its start: %s", p.h.o.StartTimeout, hint)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("start driver %s: %w", p.name, err)
	case errors.Is(err, errInfo):
		return fail("describes itself wrongly: %v", err)
	case p.run.startErr != nil:
		return fail("cannot be started: %v", p.run.startErr)
	}
	line, whole := p.run.firstLine()
	parts := strings.Split(line, "|")
	switch {
	case line == "":
		// Its output ended without a word, so it is ending too.
		select {
		case <-p.run.exited:
			return fail("ended before it was ready (%s): %s", p.run.state(), hint)
		case <-time.After(time.Second):
			return fail("closed its standard output without a word: %s", hint)
		}
	case !whole || len(parts) < 5 || parts[0] != "1":
		return fail("wrote %.80q to standard output where the protocol's first line must be; a plugin prints to standard error: report this to its author", line)
	case parts[1] != fmt.Sprint(wire.ProtocolVersion):
		return fail("speaks version %.20q of the plugin protocol and this cfgvault speaks %d: install a version of the plugin that fits", parts[1], wire.ProtocolVersion)
	case parts[4] != string(plugin.ProtocolGRPC):
		return fail("speaks %.20q and not gRPC: report this to its author", parts[4])
	}
	select {
	case <-p.run.exited:
		return fail("ended while it was starting (%s): %s", p.run.state(), hint)
	default:
		return fail("did not start: %.200q", err.Error())
	}
}

// agentSide is the agent's half of the plugin that go-plugin knows.
type agentSide struct {
	plugin.NetRPCUnsupportedPlugin
	broker *plugin.GRPCBroker
	conn   *grpc.ClientConn
}

// GRPCServer is the plugin's half and not here.
func (agentSide) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the agent serves no driver")
}

// GRPCClient hands out the connection and the broker.
func (agentSide) GRPCClient(_ context.Context, b *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return agentSide{broker: b, conn: c}, nil
}
