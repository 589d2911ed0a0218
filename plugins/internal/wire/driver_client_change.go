package wire

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/cfgvault/cfgvault/plugins"
)

// Stage calls Restorer.Stage.
func (c *Client) Stage(ctx context.Context, s *Session, change string, want []plugins.Artefact) (plugins.Diff, error) {
	var d plugins.Diff
	err := c.call(ctx, func(ctx context.Context) error {
		st, err := c.rpc.Stage(ctx)
		if err != nil {
			return err
		}
		err = st.Send(&StageRequest{Part: &StageRequest_Change{&ChangeRequest{Session: s, Change: change}}})
		if err == nil {
			err = sendArtefacts(want,
				func(a *Artefact) error { return st.Send(&StageRequest{Part: &StageRequest_Artefact{a}}) },
				func(p []byte) error { return st.Send(&StageRequest{Part: &StageRequest_Data{p}}) })
		}
		if err = halfClose(st, err); err != nil {
			return err
		}
		left := budget(MaxReply)
		var diff strings.Builder
		return each(st.Recv, func(m *StagePart) error {
			if err := left.take(proto.Size(m)); err != nil {
				return err
			}
			switch p := m.GetPart().(type) {
			case *StagePart_Text:
				diff.Write(p.Text)
			case *StagePart_Losses:
				d.Losses = append(d.Losses, list(p.Losses.GetLosses(), lossFromWire)...)
			case *StagePart_End:
				d.Text, d.Steps, d.Disruptive, d.Address = diff.String(), p.End.GetSteps(), p.End.GetDisruptive(), p.End.GetAddress()
				return errEnd
			}
			return nil
		})
	})
	if err != nil {
		return plugins.Diff{}, err
	}
	return d, nil
}

// Commit calls Restorer.Commit. The time is rounded up to milliseconds.
func (c *Client) Commit(ctx context.Context, s *Session, change string, within time.Duration) error {
	ms := int64((within + time.Millisecond - 1) / time.Millisecond)
	return c.call(ctx, func(ctx context.Context) error {
		_, err := c.rpc.Commit(ctx, &CommitRequest{Session: s, Change: change, WithinMs: ms})
		return err
	})
}

// Confirm calls Restorer.Confirm.
func (c *Client) Confirm(ctx context.Context, s *Session, change string) error {
	return c.call(ctx, func(ctx context.Context) error {
		_, err := c.rpc.Confirm(ctx, &ChangeRequest{Session: s, Change: change})
		return err
	})
}

// Discard calls Restorer.Discard.
func (c *Client) Discard(ctx context.Context, s *Session, change string) error {
	return c.call(ctx, func(ctx context.Context) error {
		_, err := c.rpc.Discard(ctx, &ChangeRequest{Session: s, Change: change})
		return err
	})
}

// Status calls Restorer.Status. A state that the contract does not know is
// StateUnknown.
func (c *Client) Status(ctx context.Context, s *Session, change string) (st plugins.State, left time.Duration, err error) {
	err = c.call(ctx, func(ctx context.Context) error {
		r, err := c.rpc.Status(ctx, &ChangeRequest{Session: s, Change: change})
		st, left = plugins.State(r.GetState()), time.Duration(r.GetLeftMs())*time.Millisecond
		return err
	})
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	switch st {
	case plugins.StateNone, plugins.StateStaged, plugins.StatePending, plugins.StateConfirmed, plugins.StateRolledBack, plugins.StateUnknown:
		return st, max(left, 0), nil
	}
	return plugins.StateUnknown, 0, fmt.Errorf("%w: unknown state %q", ErrProtocol, cut(string(st), 40))
}

// Adapt calls Adapter.Adapt.
func (c *Client) Adapt(ctx context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) (arts []plugins.Artefact, losses []plugins.Loss, err error) {
	err = c.call(ctx, func(ctx context.Context) error {
		st, err := c.rpc.Adapt(ctx)
		if err != nil {
			return err
		}
		err = st.Send(&AdaptRequest{Part: &AdaptRequest_Start{&AdaptStart{From: factsToWire(from), To: factsToWire(to)}}})
		if err == nil {
			err = sendMap(m, func(w *InterfaceMap) error {
				return st.Send(&AdaptRequest{Part: &AdaptRequest_Interfaces{w}})
			})
		}
		if err == nil {
			err = sendArtefacts(native,
				func(a *Artefact) error { return st.Send(&AdaptRequest{Part: &AdaptRequest_Artefact{a}}) },
				func(p []byte) error { return st.Send(&AdaptRequest{Part: &AdaptRequest_Data{p}}) })
		}
		if err = halfClose(st, err); err != nil {
			return err
		}
		arts, losses, err = result(st.Recv)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return arts, losses, nil
}

// sendMap sends an interface map in messages that stay below the bounds.
func sendMap(m plugins.InterfaceMap, send func(*InterfaceMap) error) error {
	batch, size := map[string]string{}, 0
	for k, v := range m {
		batch[text(k)] = text(v)
		if size += len(k) + len(v) + 16; size > Chunk {
			if err := send(&InterfaceMap{Names: batch}); err != nil {
				return err
			}
			batch, size = map[string]string{}, 0
		}
	}
	return send(&InterfaceMap{Names: batch})
}

// Render calls Renderer.Render.
func (c *Client) Render(ctx context.Context, tree []byte, onto plugins.Facts) (arts []plugins.Artefact, losses []plugins.Loss, err error) {
	err = c.call(ctx, func(ctx context.Context) error {
		st, err := c.rpc.Render(ctx)
		if err != nil {
			return err
		}
		err = st.Send(&RenderRequest{Part: &RenderRequest_Onto{factsToWire(onto)}})
		if err == nil {
			err = chunks(tree, func(p []byte) error { return st.Send(&RenderRequest{Part: &RenderRequest_Tree{p}}) })
		}
		if err = halfClose(st, err); err != nil {
			return err
		}
		arts, losses, err = result(st.Recv)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return arts, losses, nil
}

// result reads the reply of Adapt and Render.
func result(recv func() (*ArtefactsPart, error)) ([]plugins.Artefact, []plugins.Loss, error) {
	a := newCollector()
	var losses []plugins.Loss
	err := each(recv, func(m *ArtefactsPart) error {
		switch p := m.GetPart().(type) {
		case *ArtefactsPart_Artefact:
			return a.head(p.Artefact)
		case *ArtefactsPart_Data:
			return a.data(p.Data)
		case *ArtefactsPart_Losses:
			if err := a.budget.take(proto.Size(m)); err != nil {
				return err
			}
			losses = append(losses, list(p.Losses.GetLosses(), lossFromWire)...)
		case *ArtefactsPart_End:
			if err := a.complete(); err != nil {
				return err
			}
			return errEnd
		}
		return nil
	})
	return a.arts, losses, err
}

// FactoryReset calls Resetter.FactoryReset.
func (c *Client) FactoryReset(ctx context.Context, s *Session, token string) error {
	return c.call(ctx, func(ctx context.Context) error {
		_, err := c.rpc.FactoryReset(ctx, &FactoryResetRequest{Session: s, Token: token})
		return err
	})
}
