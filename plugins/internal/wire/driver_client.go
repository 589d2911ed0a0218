package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/cfgvault/cfgvault/plugins"
)

// ErrHung is a call that did not return within the grace after its context was
// done.
var ErrHung = errors.New("the driver does not heed its deadline")

// Client calls the driver of one plugin process. Errors of the driver keep
// their identity; for a process that went away see Crashed.
type Client struct {
	rpc   DriverClient
	grace time.Duration
	calls atomic.Uint64
}

// NewClient returns a client. grace is how long a call may take to return after
// its context is done.
func NewClient(c grpc.ClientConnInterface, grace time.Duration) *Client {
	return &Client{rpc: NewDriverClient(c), grace: grace}
}

// Start makes the plugin dial the agent's sessions and returns its Info.
func (c *Client) Start(ctx context.Context, sessions uint32, agent string) (plugins.Info, error) {
	r, err := c.rpc.Start(ctx, &StartRequest{Sessions: sessions, Agent: agent})
	if err != nil {
		return plugins.Info{}, callError(err)
	}
	return infoFromWire(r.GetInfo()), nil
}

// call makes one call. The gRPC call itself does not end with ctx: the driver
// is told to stop and has the grace to return, so that a driver that heeds its
// deadline can be told from one that does not.
func (c *Client) call(ctx context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	id := strconv.FormatUint(c.calls.Add(1), 10)
	md := []string{CallHeader, id}
	if t, ok := ctx.Deadline(); ok {
		md = append(md, TimeoutHeader, strconv.FormatInt(max(time.Until(t).Milliseconds(), 0), 10))
	}
	cctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(context.WithoutCancel(ctx), md...))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(cctx) }()
	select {
	case err := <-done:
		return callError(err)
	case <-ctx.Done():
	}
	grace := time.NewTimer(c.grace)
	defer grace.Stop()
	for {
		// Repeated, for the first Cancel may overtake the call. A plugin that
		// cannot is judged by the grace.
		tctx, stop := context.WithTimeout(context.WithoutCancel(ctx), c.grace)
		_, _ = c.rpc.Cancel(tctx, &CancelRequest{Call: id})
		stop()
		select {
		case err := <-done:
			err = callError(err)
			if err == nil || Crashed(err) || errors.Is(err, ctx.Err()) {
				return err
			}
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(c.grace / 20):
		case <-grace.C:
			cancel()
			<-done
			return fmt.Errorf("%w: %w", ErrHung, ctx.Err())
		}
	}
}

// Identify calls Driver.Identify.
func (c *Client) Identify(ctx context.Context, s *Session) (f plugins.Facts, err error) {
	err = c.call(ctx, func(ctx context.Context) error {
		r, err := c.rpc.Identify(ctx, &IdentifyRequest{Session: s})
		f = factsFromWire(r)
		return err
	})
	return f, err
}

// Export calls Driver.Export.
func (c *Client) Export(ctx context.Context, s *Session) (e *plugins.Export, err error) {
	err = c.call(ctx, func(ctx context.Context) error {
		st, err := c.rpc.Export(ctx, &ExportRequest{Session: s})
		if err != nil {
			return err
		}
		a := newCollector()
		return each(st.Recv, func(m *ExportPart) error {
			switch p := m.GetPart().(type) {
			case *ExportPart_Artefact:
				return a.head(p.Artefact)
			case *ExportPart_Data:
				return a.data(p.Data)
			case *ExportPart_End:
				if err := a.complete(); err != nil {
					return err
				}
				v := plugins.Verdict(p.End.GetVerdict())
				if v != plugins.Complete && v != plugins.Partial && v != plugins.Unknown {
					return fmt.Errorf("%w: unknown verdict %q", ErrProtocol, cut(string(v), 40))
				}
				e = &plugins.Export{Artefacts: a.arts, Verdict: v, Reasons: list(p.End.GetReasons(), reasonFromWire),
					FactoryDefault: p.End.GetFactoryDefault(), NoRestore: list(p.End.GetNoRestore(), reasonFromWire)}
				if f := p.End.GetFacts(); f != nil {
					facts := factsFromWire(f)
					e.Facts = &facts
				}
				return errEnd
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Normalize calls Driver.Normalize.
func (c *Client) Normalize(ctx context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	n := &plugins.Normalized{}
	err := c.call(ctx, func(ctx context.Context) error {
		st, err := c.rpc.Normalize(ctx)
		if err != nil {
			return err
		}
		err = st.Send(&NormalizeRequest{Part: &NormalizeRequest_Facts{factsToWire(f)}})
		if err == nil {
			err = sendArtefacts(native,
				func(a *Artefact) error {
					return st.Send(&NormalizeRequest{Part: &NormalizeRequest_Artefact{a}})
				},
				func(p []byte) error { return st.Send(&NormalizeRequest{Part: &NormalizeRequest_Data{p}}) })
		}
		if err = halfClose(st, err); err != nil {
			return err
		}
		left := budget(MaxReply)
		return each(st.Recv, func(m *NormalizePart) error {
			if err := left.take(proto.Size(m)); err != nil {
				return err
			}
			switch p := m.GetPart().(type) {
			case *NormalizePart_Tree:
				n.Tree = append(n.Tree, p.Tree...)
			case *NormalizePart_Residual:
				n.Residual = append(n.Residual, list(p.Residual.GetLines(), lineFromWire)...)
			case *NormalizePart_Coverage:
				n.Coverage = append(n.Coverage, list(p.Coverage.GetCoverage(), coverageFromWire)...)
			case *NormalizePart_End:
				return errEnd
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// halfClose ends a request stream. io.EOF from Send means that the plugin has
// answered already: its answer, read next, says why.
func halfClose(st interface{ CloseSend() error }, sendErr error) error {
	if sendErr != nil && !errors.Is(sendErr, io.EOF) {
		return sendErr
	}
	return st.CloseSend()
}
