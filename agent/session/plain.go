package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// What devices ask at a login that is not SSH's. The whole line must be the
// question: text before it belongs to a banner.
const (
	usualLogin    = `(?i)^(?:[\w.()-]+ )?(?:login|user ?name|user|account|login as)(?: ?\([^)]*\))? ?: ?$`
	usualPassword = `(?i)^(?:[\w.()-]+(?:'s)? )?password(?: for [\w.@-]+)?(?: ?\([^)]*\))? ?: ?$`
)

const (
	consoleWakes = 4 // times that a silent console is woken
	wakeKeys     = "\x03\r"
	consoleExits = 8 // modes of a forgotten login that are left
	leaveTime    = 10 * time.Second
	listenTime   = 300 * time.Millisecond // before a console is woken
	bootQuiet    = 2 * time.Second        // a console that talked by itself may be booting: a key would stop that
	unaskedQuiet = 500 * time.Millisecond // before a prompt counts where no login was asked for
)

// consolePace is for lines of 9600 baud, one byte a millisecond.
func consolePace() pace {
	return pace{known: 30 * time.Millisecond, guess: 150 * time.Millisecond, repeat: 4 * time.Second}
}

// startPlain connects without SSH.
func (s *Session) startPlain(ctx context.Context) (*shell, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	c, err := persist(ctx, func() (net.Conn, bool, error) { return s.dialer.reach(ctx) })
	if err != nil {
		if s.isClosed() {
			err = s.errClosed()
		}
		return nil, err
	}
	keepUrgent(c)
	console := s.t.Transport == plugins.TransportConsole
	w := &plainWire{Conn: c, negotiate: !console || s.t.Negotiate}
	var gone atomic.Bool
	sh := &shell{s: s, r: s.shell, dead: gone.Load, wire: w, w: w, pace: usualPace(), frames: map[string]string{}}
	if console {
		sh.pace, sh.dying = consolePace(), make(chan struct{})
	}
	sh.in = newInbox(w, func(err error) error {
		gone.Store(true)
		if errors.Is(err, errTelnetTalk) || errors.Is(err, errTelnetSub) {
			return fmt.Errorf("%w: %s: %w", plugins.ErrSessionLost, s.t.name(), err)
		}
		return s.lost()
	})
	sh.hangUp = func() {
		_ = c.Close()
		s.forget(sh)
		s.release()
	}
	s.mu.Lock()
	s.remote = c.RemoteAddr()
	s.mu.Unlock()
	return sh, nil
}

// password is the first password of Auth.
func (t Target) password() secret.Value {
	for _, a := range t.Auth {
		switch a := a.(type) {
		case Password:
			return a.Secret
		case Interactive:
			if !a.Password.IsZero() {
				return a.Password
			}
		}
	}
	return secret.Value{}
}

// entry is a login dialogue under way. The user name is typed at what asks for
// one, at most twice: text that looks like the question may stand before it.
// The password is typed once, at a line that is nothing but the question for
// it and stays so.
type entry struct {
	sh      *shell
	console bool

	users, passwords int
	stale            bool // an Enter went to a password prompt that somebody left behind
	wakes, exits     int
	from             string // the prompt at which an exit was typed last

	read, sent int    // bytes that came, and had come when something was typed last
	typed      bool   // something was
	echo       string // of what was typed last, until it was seen
	last       string // the last line that was not empty
}

// admit goes through the login dialogue up to what looks like a prompt, which
// the caller proves. A console is woken first, and a login that somebody left
// open there is ended, so that what follows is ours.
func (sh *shell) admit(ctx context.Context) error {
	e := &entry{sh: sh, console: sh.dying != nil}
	ctx, end, err := sh.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for {
		if err := e.take(); err != nil {
			return err
		}
		act, quiet, err := e.next(string(sh.scr.tail()))
		if err != nil {
			return err
		}
		if more, err := sh.in.wait(ctx, quiet); err != nil {
			return context.Cause(ctx)
		} else if more || act == nil {
			continue
		}
		if done, err := act(); done || err != nil {
			return err
		}
	}
}

// take puts what came on the screen.
func (e *entry) take() error {
	sh, t := e.sh, e.sh.s.dialer.t
	got, lost := sh.in.swap(sh.spare)
	sh.scr.write(got)
	sh.spare = got
	for line := range bytes.Lines(sh.scr.out) {
		if line = bytes.TrimSpace(line); len(line) > 0 && len(line) < longestPrompt {
			e.last = string(line)
		}
		if bytes.HasSuffix(line, []byte(e.echo)) {
			e.echo = ""
		}
	}
	sh.scr.rewind()
	e.read += len(got)
	switch {
	case e.read > greetingMost:
		return fmt.Errorf("%w: %s sent more than %d bytes before the login", ErrUnreachable, t.name(), greetingMost)
	case lost == nil || len(got) > 0:
		return nil
	case e.passwords > 0:
		return fmt.Errorf("%w: %s hung up on the password of user %q", ErrAuth, t.name(), t.User)
	case e.last != "":
		return fmt.Errorf("%w: %s hung up before the login; it said %q: %w", ErrUnreachable, t.name(), printable(e.last), lost)
	}
	return lost
}

// answered reports whether tail may still be the line at which something was
// typed, or the answer to what was typed before that: the echo has not come, or
// not enough since to have written the line again.
func (e *entry) answered(tail string) bool {
	return e.typed && (e.echo != "" || e.read-e.sent < max(1, len(tail)))
}

// next says what to do about the last line once it has been quiet; nil is to
// wait for more.
func (e *entry) next(tail string) (act func() (bool, error), quiet time.Duration, err error) {
	sh, t := e.sh, e.sh.s.dialer.t
	refuse := func(format string, args ...any) (func() (bool, error), time.Duration, error) {
		err := fmt.Errorf("%w: %s "+format, append([]any{ErrAuth, t.name()}, args...)...)
		return func() (bool, error) { return false, err }, 2 * sh.pace.guess, nil
	}
	waking := e.console && e.users == 0
	switch {
	case waking && !e.typed:
		return e.wake()
	case e.answered(tail):
	case matchTrimmed(sh.r.loginPrompt, tail):
		switch {
		case e.passwords > 0 || e.users > 1:
			return refuse("does not let user %q in", t.User)
		case t.User == "":
			return refuse("asks for a user name and none is set")
		}
		return func() (bool, error) {
			e.users++
			return false, e.sendEchoed(t.User)
		}, 2 * sh.pace.guess, nil
	case matchTrimmed(sh.r.passwordPrompt, tail):
		word := t.password()
		switch {
		case waking && !e.stale:
			return func() (bool, error) {
				e.stale = true
				return false, e.send("\r")
			}, sh.pace.guess, nil
		case e.passwords > 0:
			return refuse("refuses the password of user %q", t.User)
		case word.IsZero():
			return refuse("asks for a password and none is set")
		}
		return func() (bool, error) {
			e.passwords++
			return false, e.send(word.Reveal() + "\r")
		}, 4 * sh.pace.guess, nil
	case sh.r.isPrompt([]byte(tail)):
		switch {
		case waking && e.passwords == 0:
			return func() (bool, error) { return e.exit(tail) }, sh.pace.guess, nil
		case e.passwords == 0:
			return func() (bool, error) { return true, nil }, unaskedQuiet, nil
		}
		return func() (bool, error) { return true, nil }, sh.pace.guess, nil
	case waking && sh.r.pager != nil && sh.r.pager.MatchString(tail):
		return func() (bool, error) { return false, e.send("q") }, sh.pace.guess, nil
	}
	if waking && e.passwords == 0 {
		return e.wake()
	}
	return nil, 0, nil
}

// wake types Enter on a console that says nothing we know, after Ctrl-C: it
// drops a line that somebody began, and answers no to a question that Enter
// would answer with yes ("Proceed with reload? [confirm]").
func (e *entry) wake() (func() (bool, error), time.Duration, error) {
	quiet := e.sh.pace.repeat / 2
	switch {
	case e.typed:
	case e.read > 0:
		quiet = bootQuiet
	default:
		quiet = listenTime
	}
	return func() (bool, error) {
		if e.wakes++; e.wakes > consoleWakes {
			return false, fmt.Errorf("%w: %s: the console shows no prompt that driver %s knows; it ends in %q",
				ErrUnreachable, e.sh.s.t.name(), e.sh.s.info.Name, printable(string(e.sh.scr.tail())))
		}
		return false, e.send(wakeKeys)
	}, quiet, nil
}

// exit ends a login, or a mode of one, that was open before us. A prompt that
// is the same after it belongs to a console without a login.
func (e *entry) exit(prompt string) (bool, error) {
	if e.from == prompt {
		return true, nil
	}
	if e.exits++; e.exits > consoleExits {
		return false, fmt.Errorf("%w: %s: somebody left the console in a mode that %q does not end", ErrUnreachable, e.sh.s.t.name(), e.sh.r.Exit)
	}
	e.from, e.wakes = prompt, 0
	return false, e.sendEchoed(e.sh.r.Exit)
}

// sendEchoed types a line that a console shows. Its echo tells the answer to it
// from a late one to the keys that woke the console.
func (e *entry) sendEchoed(s string) error {
	if e.console {
		e.echo = s
	}
	return e.send(s + "\r")
}

func (e *entry) send(s string) error {
	e.typed, e.sent = true, e.read
	if _, err := e.sh.w.Write([]byte(s)); err != nil {
		return e.sh.s.lost()
	}
	return nil
}

// leave ends our login on a console: the next one who connects would have it.
// It goes on until the device asks for a login, says nothing we know after an
// exit, or is back at the prompt of a console without one.
func (sh *shell) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	e := &entry{sh: sh, console: true}
	if sh.dead() || e.send(wakeKeys) != nil {
		return
	}
	for e.take() == nil {
		act, quiet := e.farewell(string(sh.scr.tail()))
		if more, err := sh.in.wait(ctx, quiet); err != nil {
			return
		} else if more {
			continue
		}
		if act == nil || act() != nil {
			return
		}
	}
}

// farewell says what to do next to leave, nil for nothing more, once it has
// been quiet.
func (e *entry) farewell(tail string) (func() error, time.Duration) {
	r, soon, later := e.sh.r, e.sh.pace.guess, e.sh.pace.repeat/2
	switch {
	case e.answered(tail): // it does not answer, or very slowly
		return nil, 2 * later
	case matchTrimmed(r.loginPrompt, tail):
		return nil, soon
	case r.isPrompt([]byte(tail)):
		if e.from == tail || e.exits >= consoleExits {
			return nil, soon
		}
		return func() error {
			e.exits++
			e.from = tail
			return e.sendEchoed(r.Exit)
		}, soon
	case r.pager != nil && r.pager.MatchString(tail):
		return func() error { return e.send("q") }, soon
	case e.exits > 0:
		return nil, later // logged out, whatever it says then
	case e.wakes >= consoleWakes:
		return nil, soon
	}
	return func() error {
		e.wakes++
		return e.send(wakeKeys)
	}, later
}
