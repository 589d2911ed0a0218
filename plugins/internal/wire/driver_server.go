package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cfgvault/cfgvault/plugins"
)

// Served is a driver on the plugin's side of the wire: it answers the agent's
// calls and gives the driver sessions that call back.
type Served struct {
	UnimplementedDriverServer
	driver plugins.Driver
	gone   chan struct{} // closed when the agent went away

	mu    sync.Mutex
	dial  func(id uint32) (*grpc.ClientConn, error)
	agent SessionsClient
	calls map[string]context.CancelCauseFunc
}

// Serve prepares a driver for a gRPC server made with its ServerOptions.
func Serve(d plugins.Driver) *Served {
	return &Served{driver: d, gone: make(chan struct{}), calls: map[string]context.CancelCauseFunc{}}
}

// Register adds the driver to a server. dial reaches the agent's Sessions by
// broker id.
func (s *Served) Register(srv grpc.ServiceRegistrar, dial func(id uint32) (*grpc.ClientConn, error)) {
	s.mu.Lock()
	s.dial = dial
	s.mu.Unlock()
	RegisterDriverServer(srv, s)
}

// Gone is closed when the connection to the agent ends.
func (s *Served) Gone() <-chan struct{} { return s.gone }

// ServerOptions are those of every server plus what makes calls cancellable
// and a panic of the driver an error of one call.
func (s *Served) ServerOptions() []grpc.ServerOption {
	return append(ServerOptions(),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (res any, err error) {
			if !ours(info.FullMethod) || info.FullMethod == Driver_Cancel_FullMethodName {
				return handler(ctx, req)
			}
			ctx, end, err := s.begin(ctx)
			if err != nil {
				return nil, err
			}
			defer end()
			defer recovered(&err)
			res, err = handler(ctx, req)
			return res, toStatus(err)
		}),
		grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
			if !ours(info.FullMethod) {
				return handler(srv, ss)
			}
			ctx, end, err := s.begin(ss.Context())
			if err != nil {
				return err
			}
			defer end()
			defer recovered(&err)
			return toStatus(handler(srv, &stream{ss, ctx}))
		}))
}

func ours(method string) bool {
	const prefix = "/cfgvault.plugin.v1."
	return len(method) > len(prefix) && method[:len(prefix)] == prefix
}

type stream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *stream) Context() context.Context { return s.ctx }

// recovered turns a panic into an error. Its text goes to standard error,
// which the agent keeps out of everything but its debug log, and not to the
// agent: it may quote a configuration.
func recovered(err *error) {
	if p := recover(); p != nil {
		slog.Error("panic in the driver", "panic", p, "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, ErrPanic.Error())
	}
}

// begin gives a call the caller's deadline and makes it known to Cancel.
func (s *Served) begin(ctx context.Context) (context.Context, func(), error) {
	md, _ := metadata.FromIncomingContext(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	end := func() { cancel(nil) }
	if v := md.Get(TimeoutHeader); len(v) == 1 {
		ms, err := strconv.ParseInt(v[0], 10, 64)
		if err != nil || ms < 0 {
			end()
			return nil, nil, status.Errorf(codes.InvalidArgument, "%s is not a number of milliseconds", TimeoutHeader)
		}
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		end = func() { stop(); cancel(nil) }
	}
	if v := md.Get(CallHeader); len(v) == 1 {
		id, inner := v[0], end
		s.mu.Lock()
		s.calls[id] = cancel
		s.mu.Unlock()
		end = func() {
			s.mu.Lock()
			delete(s.calls, id)
			s.mu.Unlock()
			inner()
		}
	}
	return ctx, end, nil
}

// Cancel ends the context of a running call.
func (s *Served) Cancel(_ context.Context, r *CancelRequest) (*CancelReply, error) {
	s.mu.Lock()
	cancel := s.calls[r.GetCall()]
	s.mu.Unlock()
	if cancel != nil {
		cancel(context.Canceled)
	}
	return &CancelReply{}, nil
}

// Start dials the agent and describes the driver.
func (s *Served) Start(ctx context.Context, r *StartRequest) (*StartReply, error) {
	info := s.driver.Info()
	if err := implements(s.driver, info); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agent == nil {
		conn, err := s.dial(r.GetSessions())
		if err != nil {
			return nil, fmt.Errorf("dial the agent: %w", err)
		}
		conn.Connect()
		for st := conn.GetState(); st != connectivity.Ready; st = conn.GetState() {
			if st == connectivity.TransientFailure || st == connectivity.Shutdown || !conn.WaitForStateChange(ctx, st) {
				conn.Close()
				return nil, errors.New("dial the agent: it does not answer")
			}
		}
		go func() {
			defer close(s.gone)
			conn.WaitForStateChange(context.Background(), connectivity.Ready)
			conn.Close()
		}()
		s.agent = NewSessionsClient(conn)
	}
	return &StartReply{Info: infoToWire(info)}, nil
}

// implements fails if Info lists a power that the driver's type lacks.
func implements(d plugins.Driver, i plugins.Info) error {
	for _, c := range i.Capabilities {
		ok := true
		switch c {
		case plugins.CapRestore:
			_, ok = d.(plugins.Restorer)
		case plugins.CapAdapt:
			_, ok = d.(plugins.Adapter)
		case plugins.CapRender:
			_, ok = d.(plugins.Renderer)
		case plugins.CapFactoryReset:
			_, ok = d.(plugins.Resetter)
		}
		if !ok {
			return fmt.Errorf("driver %s lists the capability %s and does not implement it", i.Name, c)
		}
	}
	return nil
}

// session gives the driver its view of a session.
func (s *Served) session(w *Session) (plugins.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agent == nil || w.GetHandle() == "" {
		return nil, fmt.Errorf("%w: a call without a session, or before Start", ErrProtocol)
	}
	return &remoteSession{agent: s.agent, handle: w.GetHandle(), id: w.GetId(), options: w.GetOptions()}, nil
}

// Identify serves Driver.Identify.
func (s *Served) Identify(ctx context.Context, r *IdentifyRequest) (*Facts, error) {
	sess, err := s.session(r.GetSession())
	if err != nil {
		return nil, err
	}
	f, err := s.driver.Identify(ctx, sess)
	if err != nil {
		return nil, err
	}
	return factsToWire(f), nil
}

// Export serves Driver.Export.
func (s *Served) Export(r *ExportRequest, out grpc.ServerStreamingServer[ExportPart]) error {
	sess, err := s.session(r.GetSession())
	if err != nil {
		return err
	}
	e, err := s.driver.Export(out.Context(), sess)
	if err != nil {
		return err
	}
	if e == nil {
		return errors.New("the driver returned neither an export nor an error")
	}
	err = sendArtefacts(e.Artefacts,
		func(a *Artefact) error { return out.Send(&ExportPart{Part: &ExportPart_Artefact{a}}) },
		func(p []byte) error { return out.Send(&ExportPart{Part: &ExportPart_Data{p}}) })
	if err != nil {
		return err
	}
	end := &ExportEnd{Verdict: text(string(e.Verdict)), Reasons: list(e.Reasons, reasonToWire),
		FactoryDefault: e.FactoryDefault, NoRestore: list(e.NoRestore, reasonToWire)}
	if e.Facts != nil {
		end.Facts = factsToWire(*e.Facts)
	}
	return out.Send(&ExportPart{Part: &ExportPart_End{end}})
}

// Normalize serves Driver.Normalize.
func (s *Served) Normalize(io grpc.BidiStreamingServer[NormalizeRequest, NormalizePart]) error {
	var facts plugins.Facts
	c := newCollector()
	err := requests(io.Recv, func(m *NormalizeRequest) error {
		switch p := m.GetPart().(type) {
		case *NormalizeRequest_Facts:
			facts = factsFromWire(p.Facts)
		case *NormalizeRequest_Artefact:
			return c.head(p.Artefact)
		case *NormalizeRequest_Data:
			return c.data(p.Data)
		}
		return nil
	})
	if err = errors.Join(err, c.complete()); err != nil {
		return err
	}
	n, err := s.driver.Normalize(io.Context(), facts, c.arts)
	if err != nil {
		return err
	}
	if n == nil {
		return errors.New("the driver returned neither a tree nor an error")
	}
	err = chunks(n.Tree, func(p []byte) error { return io.Send(&NormalizePart{Part: &NormalizePart_Tree{p}}) })
	if err != nil {
		return err
	}
	err = lists(n.Residual, lineToWire, func(l []*Line) error {
		return io.Send(&NormalizePart{Part: &NormalizePart_Residual{&Lines{Lines: l}}})
	})
	if err != nil {
		return err
	}
	err = lists(n.Coverage, coverageToWire, func(l []*Coverage) error {
		return io.Send(&NormalizePart{Part: &NormalizePart_Coverage{&Coverages{Coverage: l}}})
	})
	if err != nil {
		return err
	}
	return io.Send(&NormalizePart{Part: &NormalizePart_End{&Done{}}})
}
