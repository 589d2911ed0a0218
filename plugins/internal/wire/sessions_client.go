package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
)

// remoteSession is a driver's view of a session that the agent owns.
type remoteSession struct {
	agent   SessionsClient
	handle  string
	id      string
	options map[string]string
}

var _ plugins.Session = (*remoteSession)(nil)

func (s *remoteSession) ID() string                 { return s.id }
func (s *remoteSession) Options() map[string]string { return maps.Clone(s.options) }

func (s *remoteSession) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	return s.run(ctx, 0, c)
}

func (s *remoteSession) run(ctx context.Context, cli uint64, c plugins.Command) (plugins.Output, error) {
	ctx, cancel := context.WithCancel(ctx) // frees the stream on every way out
	defer cancel()
	st, err := s.agent.Run(ctx)
	if err != nil {
		return plugins.Output{}, sessionError(ctx, err)
	}
	first := min(len(c.Input), Chunk)
	err = st.Send(&RunRequest{Session: s.handle, Cli: cli, Command: commandToWire(c), Input: c.Input[:first]})
	if err == nil {
		err = chunks(c.Input[first:], func(p []byte) error { return st.Send(&RunRequest{Input: p}) })
	}
	if err == nil {
		err = st.CloseSend()
	}
	// io.EOF: the agent has answered already, and its answer says why.
	if err != nil && !errors.Is(err, io.EOF) {
		return plugins.Output{}, sessionError(ctx, err)
	}
	var out plugins.Output
	ended := false
	for {
		m, err := st.Recv()
		if errors.Is(err, io.EOF) && ended {
			return out, nil
		}
		if errors.Is(err, io.EOF) {
			return out, fmt.Errorf("%w: the agent's reply ends early", plugins.ErrSessionLost)
		}
		if err != nil {
			return out, sessionError(ctx, err)
		}
		if n := m.GetSize(); out.Stdout == nil && n > int64(len(m.GetStdout())) && n <= MaxReply {
			out.Stdout = make([]byte, 0, n)
		}
		if out.Stdout == nil {
			out.Stdout = m.GetStdout()
		} else {
			out.Stdout = append(out.Stdout, m.GetStdout()...)
		}
		out.Stderr = append(out.Stderr, m.GetStderr()...)
		if e := m.GetEnd(); e != nil {
			ended = true
			out.End = plugins.End(e.GetEnd())
			if e.Exit != nil {
				exit := int(e.GetExit())
				out.Exit = &exit
			}
		}
	}
}

func (s *remoteSession) CLI(ctx context.Context) (plugins.CLI, error) {
	r, err := s.agent.OpenCLI(ctx, &OpenCLIRequest{Session: s.handle})
	if err != nil {
		return nil, sessionError(ctx, err)
	}
	return &remoteCLI{s: s, id: r.GetCli()}, nil
}

type remoteCLI struct {
	s    *remoteSession
	id   uint64
	once sync.Once
	err  error
}

func (c *remoteCLI) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	return c.s.run(ctx, c.id, cmd)
}

// Close takes no context: an agent that is alive answers, one that is not ends
// this process.
func (c *remoteCLI) Close() error {
	c.once.Do(func() {
		ctx := context.Background()
		_, err := c.s.agent.CloseCLI(ctx, &CloseCLIRequest{Session: c.s.handle, Cli: c.id})
		c.err = sessionError(ctx, err)
	})
	return c.err
}

func (s *remoteSession) Open(ctx context.Context, service, arg string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// The stream outlives ctx, which covers the opening alone, as with
	// net.Dialer.
	sctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	fail := func(err error) (net.Conn, error) {
		stop()
		cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, sessionError(ctx, err)
	}
	st, err := s.agent.Open(sctx)
	if err != nil {
		return fail(err)
	}
	err = st.Send(&OpenRequest{Part: &OpenRequest_Start{&OpenStart{Session: s.handle, Service: text(service), Arg: []byte(arg)}}})
	if err != nil && !errors.Is(err, io.EOF) {
		return fail(err)
	}
	m, err := st.Recv()
	if err != nil {
		return fail(err)
	}
	if m.GetOpened() == nil {
		return fail(fmt.Errorf("%w: the agent's first message opens nothing", ErrProtocol))
	}
	if !stop() {
		return fail(ctx.Err())
	}
	return newConn(st, cancel, service, m.GetOpened().GetDatagram()), nil
}
