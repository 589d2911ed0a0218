package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/cfgvault/cfgvault/plugins"
)

// restorer gives the driver's Restorer and the session of a change.
func (s *Served) restorer(w *Session) (plugins.Restorer, plugins.Session, error) {
	r, ok := s.driver.(plugins.Restorer)
	if !ok {
		return nil, nil, fmt.Errorf("restore: %w", errors.ErrUnsupported)
	}
	sess, err := s.session(w)
	return r, sess, err
}

// Stage serves Restorer.Stage.
func (s *Served) Stage(io grpc.BidiStreamingServer[StageRequest, StagePart]) error {
	var change *ChangeRequest
	c := newCollector()
	err := requests(io.Recv, func(m *StageRequest) error {
		switch p := m.GetPart().(type) {
		case *StageRequest_Change:
			change = p.Change
		case *StageRequest_Artefact:
			return c.head(p.Artefact)
		case *StageRequest_Data:
			return c.data(p.Data)
		}
		return nil
	})
	if err = errors.Join(err, c.complete()); err != nil {
		return err
	}
	r, sess, err := s.restorer(change.GetSession())
	if err != nil {
		return err
	}
	d, err := r.Stage(io.Context(), sess, change.GetChange(), c.arts)
	if err != nil {
		return err
	}
	err = chunks(d.Text, func(p []byte) error { return io.Send(&StagePart{Part: &StagePart_Text{p}}) })
	if err != nil {
		return err
	}
	err = lists(d.Losses, lossToWire, func(l []*Loss) error {
		return io.Send(&StagePart{Part: &StagePart_Losses{&Losses{Losses: l}}})
	})
	if err != nil {
		return err
	}
	return io.Send(&StagePart{Part: &StagePart_End{&StageEnd{
		Steps: words[string, string](d.Steps), Disruptive: words[string, string](d.Disruptive), Address: text(d.Address)}}})
}

// Commit serves Restorer.Commit.
func (s *Served) Commit(ctx context.Context, q *CommitRequest) (*Done, error) {
	r, sess, err := s.restorer(q.GetSession())
	if err != nil {
		return nil, err
	}
	return &Done{}, r.Commit(ctx, sess, q.GetChange(), time.Duration(q.GetWithinMs())*time.Millisecond)
}

// Confirm serves Restorer.Confirm.
func (s *Served) Confirm(ctx context.Context, q *ChangeRequest) (*Done, error) {
	r, sess, err := s.restorer(q.GetSession())
	if err != nil {
		return nil, err
	}
	return &Done{}, r.Confirm(ctx, sess, q.GetChange())
}

// Discard serves Restorer.Discard.
func (s *Served) Discard(ctx context.Context, q *ChangeRequest) (*Done, error) {
	r, sess, err := s.restorer(q.GetSession())
	if err != nil {
		return nil, err
	}
	return &Done{}, r.Discard(ctx, sess, q.GetChange())
}

// Status serves Restorer.Status.
func (s *Served) Status(ctx context.Context, q *ChangeRequest) (*StatusReply, error) {
	r, sess, err := s.restorer(q.GetSession())
	if err != nil {
		return nil, err
	}
	st, left, err := r.Status(ctx, sess, q.GetChange())
	return &StatusReply{State: text(string(st)), LeftMs: left.Milliseconds()}, err
}

// Adapt serves Adapter.Adapt.
func (s *Served) Adapt(io grpc.BidiStreamingServer[AdaptRequest, ArtefactsPart]) error {
	a, ok := s.driver.(plugins.Adapter)
	if !ok {
		return fmt.Errorf("adapt: %w", errors.ErrUnsupported)
	}
	var from, to plugins.Facts
	m := plugins.InterfaceMap{}
	c := newCollector()
	err := requests(io.Recv, func(q *AdaptRequest) error {
		switch p := q.GetPart().(type) {
		case *AdaptRequest_Start:
			from, to = factsFromWire(p.Start.GetFrom()), factsFromWire(p.Start.GetTo())
		case *AdaptRequest_Interfaces:
			for k, v := range p.Interfaces.GetNames() {
				if err := c.budget.take(len(k) + len(v)); err != nil {
					return err
				}
				m[k] = v
			}
		case *AdaptRequest_Artefact:
			return c.head(p.Artefact)
		case *AdaptRequest_Data:
			return c.data(p.Data)
		}
		return nil
	})
	if err = errors.Join(err, c.complete()); err != nil {
		return err
	}
	arts, losses, err := a.Adapt(io.Context(), c.arts, from, to, m)
	if err != nil {
		return err
	}
	return sendResult(arts, losses, io.Send)
}

// Render serves Renderer.Render.
func (s *Served) Render(io grpc.BidiStreamingServer[RenderRequest, ArtefactsPart]) error {
	r, ok := s.driver.(plugins.Renderer)
	if !ok {
		return fmt.Errorf("render: %w", errors.ErrUnsupported)
	}
	var onto plugins.Facts
	var tree []byte
	left := budget(MaxReply)
	err := requests(io.Recv, func(q *RenderRequest) error {
		switch p := q.GetPart().(type) {
		case *RenderRequest_Onto:
			onto = factsFromWire(p.Onto)
		case *RenderRequest_Tree:
			if err := left.take(len(p.Tree)); err != nil {
				return err
			}
			tree = append(tree, p.Tree...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	arts, losses, err := r.Render(io.Context(), tree, onto)
	if err != nil {
		return err
	}
	return sendResult(arts, losses, io.Send)
}

func sendResult(arts []plugins.Artefact, losses []plugins.Loss, send func(*ArtefactsPart) error) error {
	err := sendArtefacts(arts,
		func(a *Artefact) error { return send(&ArtefactsPart{Part: &ArtefactsPart_Artefact{a}}) },
		func(p []byte) error { return send(&ArtefactsPart{Part: &ArtefactsPart_Data{p}}) })
	if err != nil {
		return err
	}
	err = lists(losses, lossToWire, func(l []*Loss) error {
		return send(&ArtefactsPart{Part: &ArtefactsPart_Losses{&Losses{Losses: l}}})
	})
	if err != nil {
		return err
	}
	return send(&ArtefactsPart{Part: &ArtefactsPart_End{&Done{}}})
}

// FactoryReset serves Resetter.FactoryReset.
func (s *Served) FactoryReset(ctx context.Context, q *FactoryResetRequest) (*Done, error) {
	r, ok := s.driver.(plugins.Resetter)
	if !ok {
		return nil, fmt.Errorf("factory reset: %w", errors.ErrUnsupported)
	}
	sess, err := s.session(q.GetSession())
	if err != nil {
		return nil, err
	}
	return &Done{}, r.FactoryReset(ctx, sess, q.GetToken())
}
