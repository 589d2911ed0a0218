package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins"
)

// Run executes one command, on a channel of its own or on a shell login that
// is proved to be in its base mode. It waits while the device's logins are all
// in use; a CLI that is held open counts as one. A read whose connection goes
// away, or whose end could not be proved, is run once more on a new one. When
// ctx ends, the command's channel or login ends too. Whatever the error,
// Output has what came, with EndCut.
func (s *Session) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	out, err := s.runOnce(ctx, c)
	failed := errors.Is(err, plugins.ErrSessionLost) && !errors.Is(err, ErrUnreachable) || err == nil && out.End == plugins.EndCut
	if !failed || c.Write || ctx.Err() != nil || s.isClosed() {
		return out, err
	}
	again, err2 := s.runOnce(ctx, c)
	if err2 != nil && len(again.Stdout) == 0 {
		again = out
	}
	return again, err2
}

// gone makes a failure to connect again what it is to a driver: a lost session.
func gone(err error) error {
	if errors.Is(err, plugins.ErrSessionLost) {
		return err
	}
	_, key := errors.AsType[*HostKeyError](err)
	if key || errors.Is(err, ErrUnreachable) || errors.Is(err, ErrAuth) || errors.Is(err, ErrHostKeyUnknown) {
		return fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
	}
	return err
}

func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Session) runOnce(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	out, err := s.runSomehow(ctx, c)
	return out, gone(err)
}

// runSomehow picks the transport.
func (s *Session) runSomehow(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	s.mu.Lock()
	noExec := s.noExec
	s.mu.Unlock()
	if !noExec {
		out, err := s.runExec(ctx, c)
		if !errors.Is(err, errNoExec) {
			return out, err
		}
		if s.shell == nil || !slices.Contains(s.info.Transports, plugins.TransportShell) {
			return out, fmt.Errorf("%s: %w: %w", s.t.name(), errors.ErrUnsupported, err)
		}
		// The device did not run it: even a Write can go to the shell.
		s.mu.Lock()
		s.noExec = true
		s.mu.Unlock()
	}
	if s.shell == nil {
		return plugins.Output{End: plugins.EndCut}, fmt.Errorf("%s: %w: the driver names no transport for commands", s.t.name(), errors.ErrUnsupported)
	}
	return s.runShell(ctx, c)
}

// acquire waits for one of the device's logins. An idle shell gives up its
// own.
func (s *Session) acquire(ctx context.Context) error {
	sh, err := s.acquireOrIdle(ctx, nil)
	for err == nil && sh != nil {
		sh.close()
		sh, err = s.acquireOrIdle(ctx, nil)
	}
	return err
}

// acquireOrIdle returns a login's slot, or an idle shell, which has one.
func (s *Session) acquireOrIdle(ctx context.Context, prefer <-chan *shell) (*shell, error) {
	if s.isClosed() {
		return nil, s.errClosed()
	}
	select {
	case sh := <-prefer:
		return sh, nil
	default:
	}
	select {
	case s.slots <- struct{}{}:
		return nil, nil
	default:
	}
	select {
	case s.slots <- struct{}{}:
		return nil, nil
	case sh := <-s.idle:
		return sh, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: waiting for one of %d logins: %w", s.t.name(), cap(s.slots), ctx.Err())
	case <-s.ended:
		return nil, s.errClosed()
	}
}

func (s *Session) release() { <-s.slots }

// connected returns the connection for exec channels, a new one if there is
// none or it is dead.
func (s *Session) connected(ctx context.Context) (*link, error) {
	select {
	case s.dialing <- struct{}{}:
		defer func() { <-s.dialing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ended:
		return nil, s.errClosed()
	}
	s.mu.Lock()
	l := s.link
	s.mu.Unlock()
	if l != nil && !l.dead() {
		return l, nil
	}
	if l != nil {
		l.letEnd()
		s.drop(l)
	}
	l, err := s.newLink(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.link = l
	s.mu.Unlock()
	return l, nil
}

// refusal is how long to wait for the device to take another channel, while
// other channels of ours are open.
const refusal = 100 * time.Millisecond

// channel opens an SSH channel. A server may take fewer channels than we keep
// to: then it waits for one of ours to end. A connection that died unnoticed,
// or takes one channel only, is replaced; nothing was asked on it yet.
func (s *Session) channel(ctx context.Context) (*link, ssh.Channel, <-chan *ssh.Request, error) {
	for replaced := false; ; {
		l, err := s.connected(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		ch, reqs, err := openChannel(ctx, l)
		if err == nil {
			return l, ch, reqs, nil
		}
		if ctx.Err() != nil {
			return nil, nil, nil, ctx.Err()
		}
		_, rejected := errors.AsType[*ssh.OpenChannelError](err)
		switch {
		case rejected && len(s.slots) > 1:
			select {
			case <-time.After(refusal):
			case <-ctx.Done():
				return nil, nil, nil, ctx.Err()
			case <-s.ended:
				return nil, nil, nil, s.errClosed()
			}
		case !replaced:
			replaced = true
			s.drop(l)
		case rejected:
			return nil, nil, nil, fmt.Errorf("%s refuses a channel: %s", s.t.name(), printable(err.Error()))
		default:
			return nil, nil, nil, fmt.Errorf("%w: %s: %s", plugins.ErrSessionLost, s.t.name(), printable(err.Error()))
		}
	}
}

// openChannel is OpenChannel with a context. A device that does not even
// answer that is given up with its connection.
func openChannel(ctx context.Context, l *link) (ssh.Channel, <-chan *ssh.Request, error) {
	type opened struct {
		ch   ssh.Channel
		reqs <-chan *ssh.Request
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		ch, reqs, err := l.client.OpenChannel("session", nil)
		done <- opened{ch, reqs, err}
	}()
	select {
	case o := <-done:
		return o.ch, o.reqs, o.err
	case <-ctx.Done():
		l.close()
		if o := <-done; o.err == nil {
			go ssh.DiscardRequests(o.reqs)
		}
		return nil, nil, ctx.Err()
	}
}

// request is SendRequest with a context. payload is nil or a struct.
func request(ctx context.Context, l *link, ch ssh.Channel, name string, payload any) (bool, error) {
	var body []byte
	if payload != nil {
		body = ssh.Marshal(payload)
	}
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	ok, err := ch.SendRequest(name, true, body)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return ok, err
}
