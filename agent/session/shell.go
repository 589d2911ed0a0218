package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins"
)

const (
	loginTimeout = 60 * time.Second
	newlineUsual = "\n"
	keyUsual     = " "
)

// shellRules are a driver's declaration of its shell, compiled.
type shellRules struct {
	plugins.Shell
	prompt, privileged, enablePrompt, pager, mode *regexp.Regexp
	loginPrompt, passwordPrompt                   *regexp.Regexp
}

// newShellRules returns nil if the driver names no shell. over is a transport
// other than SSH, or empty.
func newShellRules(info plugins.Info, over plugins.Transport) (*shellRules, error) {
	uses := over != ""
	for _, t := range info.Transports {
		switch t {
		case plugins.TransportExec, plugins.TransportTelnet, plugins.TransportConsole:
		case plugins.TransportShell:
			uses = true
		default:
			return nil, fmt.Errorf("driver %s names transport %q: %w", info.Name, t, errors.ErrUnsupported)
		}
	}
	switch {
	case over == "":
	case over != plugins.TransportTelnet && over != plugins.TransportConsole:
		return nil, fmt.Errorf("transport %q: %w", over, errors.ErrUnsupported)
	case !slices.Contains(info.Transports, over):
		return nil, fmt.Errorf("driver %s is not made for transport %s: %w", info.Name, over, errors.ErrUnsupported)
	case over == plugins.TransportConsole && info.Shell.Exit == "":
		return nil, fmt.Errorf("driver %s does not say how a console is left: %w", info.Name, errors.ErrUnsupported)
	}
	if !uses && info.Shell.Prompt == "" {
		return nil, nil
	}
	r := &shellRules{Shell: info.Shell}
	if over != "" {
		r.Newline = "\r" // what the key sends; a line feed is no Enter on a serial line
		if r.LoginPrompt == "" {
			r.LoginPrompt = usualLogin
		}
		if r.PasswordPrompt == "" {
			r.PasswordPrompt = usualPassword
		}
	}
	if r.Prompt == "" || strings.Count(r.Sentinel, "%s") != 1 {
		return nil, fmt.Errorf("driver %s uses a shell but does not declare its prompt and a sentinel with one %%s: %w", info.Name, errors.ErrUnsupported)
	}
	for _, p := range []struct {
		name, text string
		to         **regexp.Regexp
	}{
		{"prompt", r.Prompt, &r.prompt}, {"privileged", r.Privileged, &r.privileged},
		{"enable prompt", r.EnablePrompt, &r.enablePrompt}, {"pager", r.Pager, &r.pager},
		{"mode prompt", r.ModePrompt, &r.mode}, {"login prompt", r.LoginPrompt, &r.loginPrompt},
		{"password prompt", r.PasswordPrompt, &r.passwordPrompt},
	} {
		if p.text == "" {
			continue
		}
		re, err := regexp.Compile(p.text)
		if err != nil {
			return nil, fmt.Errorf("driver %s: %s pattern: %w", info.Name, p.name, err)
		}
		*p.to = re
	}
	if r.Newline == "" {
		r.Newline = newlineUsual
	}
	if r.ContinueKey == "" {
		r.ContinueKey = keyUsual
	}
	return r, nil
}

// Shells keeps the shells that drivers declare, compiled once for all sessions
// of an agent: the patterns of a platform cost more to compile than to dial one
// of its devices. The zero value is ready. Safe for concurrent use.
type Shells struct {
	mu    sync.Mutex
	rules map[shellKey]*declared
}

type shellKey struct {
	driver string
	over   plugins.Transport
}

// declared is a declaration and what was made of it.
type declared struct {
	transports []plugins.Transport
	shell      plugins.Shell
	rules      *shellRules
}

// of is newShellRules, remembered for as long as the driver declares the same.
func (s *Shells) of(info plugins.Info, over plugins.Transport) (*shellRules, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := shellKey{info.Name, over}
	if d := s.rules[key]; d != nil && slices.Equal(d.transports, info.Transports) && reflect.DeepEqual(d.shell, info.Shell) {
		return d.rules, nil
	}
	r, err := newShellRules(info, over)
	if err != nil {
		return nil, err
	}
	if s.rules == nil {
		s.rules = map[shellKey]*declared{}
	}
	s.rules[key] = &declared{slices.Clone(info.Transports), info.Shell, r}
	return r, nil
}

// isPrompt reports whether a last line looks like a prompt: a reason to prove
// it, never a proof.
func (r *shellRules) isPrompt(line []byte) bool {
	if len(bytes.TrimSpace(line)) == 0 || len(line) > longestPrompt {
		return false
	}
	for _, re := range []*regexp.Regexp{r.prompt, r.mode} {
		if re != nil && (re.Match(line) || re.Match(bytes.TrimSpace(line))) {
			return true
		}
	}
	return false
}

func matchTrimmed(re *regexp.Regexp, line string) bool {
	return re.MatchString(line) || re.MatchString(strings.TrimSpace(line))
}

// shell is one login on a command line. It has a connection of its own: many
// devices take one shell per connection.
type shell struct {
	s    *Session
	r    *shellRules
	dead func() bool // the connection is known to be gone

	wire    *plainWire    // of Telnet and console
	dying   chan struct{} // closed to end the exchange that runs; nil: hangUp ends it
	talking sync.Mutex    // held while there is an exchange

	pace   pace
	in     *inbox
	w      io.Writer
	hangUp func() // ends the channel and gives back the login

	once sync.Once
	mu   sync.Mutex // held by the command that runs

	scr    screen
	base   string // the prompt in which every one-shot command begins
	prompt string // now

	unproved bool // the prompt was not: the login is of no more use
	frames   map[string]string
	spare    []byte
}

// close ends the login, whatever it is doing.
func (sh *shell) close() {
	sh.once.Do(func() {
		if sh.dying != nil {
			close(sh.dying)
			sh.talking.Lock() // the console is ours alone again
			defer sh.talking.Unlock()
			sh.leave()
		}
		sh.in.close()
		sh.hangUp()
	})
}

// loginShell logs in: a connection, a terminal, the prompt, privilege, set-up.
// The caller has acquired one of the device's logins; the shell holds it until
// it is closed.
func (s *Session) loginShell(ctx context.Context) (*shell, error) {
	sh, err := s.reachShell(ctx)
	if err != nil {
		s.release()
		return nil, err
	}
	if err := s.keep(sh); err != nil {
		return nil, err
	}
	lctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	if err := sh.login(lctx); err != nil {
		sh.close()
		if lctx.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %s: no prompt that driver %s knows within %v of the login", ErrUnreachable, s.t.name(), s.info.Name, loginTimeout)
		}
		if ctx.Err() == nil && !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrAuth) {
			err = fmt.Errorf("%w: %s: login on the shell: %w", ErrUnreachable, s.t.name(), err)
		}
		return nil, err
	}
	return sh, nil
}

// reachShell connects up to where a shell begins to talk.
func (s *Session) reachShell(ctx context.Context) (*shell, error) {
	if s.t.Transport != "" {
		return s.startPlain(ctx)
	}
	l, err := s.newLink(ctx)
	if err != nil {
		return nil, err
	}
	sh, err := s.startShell(ctx, l)
	if err != nil {
		s.drop(l)
	}
	return sh, err
}

// startShell asks for a terminal and a shell on it. The terminal is as wide as
// the device allows, so that it does not wrap lines, and not dumb: pagers stop
// to warn about that.
func (s *Session) startShell(ctx context.Context, l *link) (*shell, error) {
	ch, reqs, err := openChannel(ctx, l)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %s: no shell: %s", ErrUnreachable, s.t.name(), printable(err.Error()))
	}
	go ssh.DiscardRequests(reqs)
	ok := false
	for _, size := range []struct{ cols, rows uint32 }{{32767, 1000}, {511, 1000}, {80, 24}} {
		ok, err = request(ctx, l, ch, "pty-req", struct {
			Term          string
			Cols, Rows    uint32
			Width, Height uint32
			Modes         string
		}{"vt100", size.cols, size.rows, 0, 0, "\x00"})
		if ok || err != nil {
			break
		}
	}
	if ok && err == nil {
		ok, err = request(ctx, l, ch, "shell", nil)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, s.lost()
	case !ok:
		return nil, fmt.Errorf("%w: %s refuses an interactive shell to user %q", ErrAuth, s.t.name(), s.dialer.t.User)
	}
	go drain(ch.Stderr())
	sh := &shell{s: s, r: s.shell, dead: l.dead, w: ch, pace: usualPace(), frames: map[string]string{}}
	sh.in = newInbox(received{ch}, func(error) error { return s.lost() })
	sh.hangUp = func() {
		_ = ch.Close()
		s.drop(l)
		s.forget(sh)
		s.release()
	}
	return sh, nil
}

// login finds the prompt, raises privilege and types the set-up.
func (sh *shell) login(ctx context.Context) error {
	if sh.wire != nil {
		if err := sh.admit(ctx); err != nil {
			return err
		}
	}
	// Before the set-up the device may print anything around its prompt.
	if err := sh.prove(ctx, exchange{limit: greetingMost, loose: true}); err != nil {
		return err
	}
	if err := sh.enable(ctx); err != nil {
		return err
	}
	for _, line := range sh.r.Setup {
		if err := sh.prove(ctx, exchange{text: line, typed: true, limit: greetingMost, loose: true}); err != nil {
			return err
		}
	}
	if err := sh.prove(ctx, exchange{limit: greetingMost}); err != nil {
		return err
	}
	sh.base = sh.prompt
	return nil
}

// prove is an exchange of which only the prompt at its end matters. What stands
// before it may be mangled: a banner can end in the middle of a sentinel.
func (sh *shell) prove(ctx context.Context, x exchange) error {
	out, err := sh.exchange(ctx, x)
	if err == nil && out.End == plugins.EndCut && sh.unproved {
		err = fmt.Errorf("%w: %s: the device does not echo the sentinel of driver %s behind its prompt", ErrUnreachable, sh.s.t.name(), sh.s.info.Name)
	}
	return err
}

// enable raises privilege. The password is typed once.
func (sh *shell) enable(ctx context.Context) error {
	if sh.r.Enable == "" || sh.r.privileged == nil || matchTrimmed(sh.r.privileged, sh.prompt) {
		return nil
	}
	name, asked := sh.s.t.name(), false
	x := exchange{text: sh.r.Enable, typed: true, limit: greetingMost, loose: true}
	x.ask = func(line []byte, n int) (string, bool, error) {
		switch {
		case sh.r.enablePrompt == nil || !sh.r.enablePrompt.Match(line):
			return "", false, nil
		case n > 0:
			return "", false, fmt.Errorf("%w: %s: the enable password is wrong", ErrAuth, name)
		case sh.s.t.Enable.IsZero():
			return "", false, fmt.Errorf("%w: %s asks for an enable password and none is set", ErrAuth, name)
		}
		asked = true
		return sh.s.t.Enable.Reveal() + sh.r.Newline, true, nil
	}
	if err := sh.prove(ctx, x); err != nil {
		return err
	}
	if !matchTrimmed(sh.r.privileged, sh.prompt) {
		if asked {
			return fmt.Errorf("%w: %s: the enable password is wrong, or the user may not use it", ErrAuth, name)
		}
		return fmt.Errorf("%w: %s: user %q stays unprivileged after %q", ErrAuth, name, sh.s.t.User, sh.r.Enable)
	}
	return nil
}

// run runs a command of a driver.
func (sh *shell) run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	cut := plugins.Output{End: plugins.EndCut}
	if strings.ContainsFunc(c.Text, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return cut, fmt.Errorf("a command for a shell holds a control character")
	}
	answers, err := newAnswerer(c.Answers)
	if err != nil {
		return cut, err
	}
	x := exchange{text: c.Text, typed: true, input: c.Input, limit: sh.s.t.maxOutput()}
	x.ask = func(line []byte, _ int) (string, bool, error) {
		a, ok := answers.find(line)
		if ok && !a.NoNewline {
			a.Reply += sh.r.Newline
		}
		return a.Reply, ok, nil
	}
	out, err := sh.exchange(ctx, x)
	if err != nil || out.End == plugins.EndCut {
		sh.close() // nobody knows what it would read next
	}
	return out, err
}

// park keeps an idle login for the next command.
func (s *Session) park(sh *shell) { s.idle <- sh } // there is room for every login

// takeShell returns a login in its base mode: an idle one, else a new one.
func (s *Session) takeShell(ctx context.Context) (*shell, error) {
	for {
		sh, err := s.acquireOrIdle(ctx, s.idle)
		if err != nil {
			return nil, err
		}
		if sh == nil {
			return s.loginShell(ctx)
		}
		if !sh.dead() {
			return sh, nil
		}
		sh.close()
	}
}

// runShell runs a one-shot command.
func (s *Session) runShell(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	sh, err := s.takeShell(ctx)
	if err != nil {
		return plugins.Output{End: plugins.EndCut}, err
	}
	out, err := sh.run(ctx, c)
	if err == nil && out.End != plugins.EndCut && sh.prompt == sh.base {
		s.park(sh)
	} else {
		sh.close()
	}
	return out, err
}

// CLI returns a login of its own, on which modes survive. errors.ErrUnsupported
// if the driver declares no shell.
func (s *Session) CLI(ctx context.Context) (plugins.CLI, error) {
	if s.shell == nil {
		return nil, fmt.Errorf("%s: %w: driver %s declares no shell", s.t.name(), errors.ErrUnsupported, s.info.Name)
	}
	sh, err := s.takeShell(ctx)
	if err != nil {
		return nil, gone(err)
	}
	return cli{sh}, nil
}

// cli hands a shell to a driver.
type cli struct{ sh *shell }

func (c cli) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	return c.sh.run(ctx, cmd)
}

func (c cli) Close() error {
	c.sh.close()
	return nil
}

// nonce returns what no device prints by itself.
func nonce() string { return "CV" + rand.Text()[:12] }
