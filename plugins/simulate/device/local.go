package device

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cfgvault/cfgvault/plugins"
)

// Session returns a session in process, without SSH: what the agent would hand
// to a driver after login, enable and set-up. Echo, prompts and pager are
// already away; a fault that cuts the connection ends it with
// [plugins.ErrSessionLost], as on a wire. Every Run is a login of its own.
func (d *Device) Session() plugins.Session {
	return &localSession{d: d, id: fmt.Sprintf("simulated-%d", d.sessions.Add(1))}
}

// ExecSession is a session in process whose Run uses an exec channel, as the
// agent does for a driver that prefers it. The Box must be an [Execer].
func (d *Device) ExecSession() plugins.Session {
	s := d.Session().(*localSession)
	s.exec = true
	return s
}

type localSession struct {
	d    *Device
	id   string
	exec bool
}

func (s *localSession) ID() string                 { return s.id }
func (s *localSession) Options() map[string]string { return nil }

func (s *localSession) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	if s.exec {
		return s.runExec(ctx, c)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return plugins.Output{}, err
	}
	defer cli.Close()
	return cli.Run(ctx, c)
}

func (s *localSession) CLI(ctx context.Context) (plugins.CLI, error) {
	c, err := s.d.Login()
	if err != nil || s.d.opts.Privileged {
		return c, err
	}
	enable := plugins.Command{Text: "enable", Answers: []plugins.Answer{{Prompt: "Password: ", Reply: s.d.opts.Enable}}}
	if _, err := c.Run(ctx, enable); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Type types lines on a login of its own, with privilege, as a person at the
// console does, and returns all that the device says.
func (d *Device) Type(ctx context.Context, lines ...string) (string, error) {
	cli, err := d.Session().CLI(ctx)
	if err != nil {
		return "", err
	}
	defer cli.Close()
	var said strings.Builder
	for _, line := range lines {
		out, err := cli.Run(ctx, plugins.Command{Text: line, Write: true})
		if err != nil {
			return said.String(), fmt.Errorf("%s: %w", line, err)
		}
		said.Write(out.Stdout)
	}
	return said.String(), nil
}

// Login starts a login in process as a person gets it: without privilege
// unless it comes with it.
func (d *Device) Login() (plugins.CLI, error) {
	p := &localPort{requests: make(chan *request), gone: make(chan struct{}), done: make(chan struct{})}
	t := newTTY(d, d.opts.User, p)
	if d.opts.KeepPager {
		t.Length, t.Width = 24, 80
	}
	if d.attach(t) != nil {
		return nil, fmt.Errorf("%w: the device does not answer", plugins.ErrSessionLost)
	}
	go func() {
		defer close(p.done)
		defer d.detach(t)
		d.converse(t)
	}()
	return &localCLI{p: p, t: t}, nil
}

type localCLI struct {
	p  *localPort
	t  *TTY
	mu sync.Mutex
}

func (c *localCLI) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &request{command: cmd, reply: make(chan struct{})}
	if len(cmd.Input) > 0 {
		r.input = strings.SplitAfter(string(cmd.Input), "\n")
		if r.input[len(r.input)-1] == "" {
			r.input = r.input[:len(r.input)-1]
		}
		r.typing = true
	}
	for _, a := range cmd.Answers {
		re, err := regexp.Compile(a.Prompt)
		if err != nil {
			return plugins.Output{}, fmt.Errorf("answer pattern: %w", err)
		}
		r.answers = append(r.answers, re)
	}
	lost := fmt.Errorf("%w: the simulated device hung up", plugins.ErrSessionLost)
	select {
	case c.p.requests <- r:
	case <-c.p.gone:
		return plugins.Output{End: plugins.EndCut}, lost
	case <-ctx.Done():
		c.t.Hangup()
		return plugins.Output{End: plugins.EndCut}, ctx.Err()
	}
	select {
	case <-r.reply:
	case <-c.p.done:
		return r.output(plugins.EndCut), lost
	case <-ctx.Done():
		c.t.Hangup()
		<-c.p.done
		return r.output(plugins.EndCut), ctx.Err()
	}
	if r.stuck { // a question nobody answers, or a pager
		c.t.Hangup()
		return r.output(plugins.EndCut), nil
	}
	return r.output(plugins.EndSentinel), nil
}

func (c *localCLI) Close() error {
	c.t.Hangup()
	<-c.p.done
	return nil
}

// request is one command on its way through a localPort.
type request struct {
	command plugins.Command
	answers []*regexp.Regexp
	input   []string // lines that were typed after the command
	typing  bool     // input, or the Ctrl-D that ends it, is not used up
	out     strings.Builder
	stuck   bool
	once    sync.Once
	reply   chan struct{}
}

func (r *request) output(end plugins.End) plugins.Output {
	return plugins.Output{Stdout: []byte(r.out.String()), End: end}
}

func (r *request) finish() { r.once.Do(func() { close(r.reply) }) }

// localPort stands where the agent's shell would: it types the input after the
// command whether or not the command asks for it, and answers only the prompts
// that have an answer.
type localPort struct {
	requests chan *request
	now      *request // the one that runs; the login's goroutine alone
	gone     chan struct{}
	done     chan struct{} // the login's goroutine has ended
	closed   atomic.Bool
}

func (p *localPort) close() {
	p.closed.Store(true)
	close(p.gone)
}

func (p *localPort) write(s string) error {
	if p.closed.Load() {
		return errGone
	}
	if p.now != nil {
		p.now.out.WriteString(s)
	}
	return nil
}

func (p *localPort) readCommand(_ func() string, control func(byte) bool) (string, error) {
	if p.closed.Load() {
		return "", errGone
	}
	if p.now != nil && p.now.typing { // what the command did not read is typed at its prompt
		line, err := p.typed()
		if err == io.EOF {
			return "exit", nil
		}
		return line, err
	}
	if p.now != nil {
		p.now.finish()
		p.now = nil
	}
	select {
	case p.now = <-p.requests:
		text := p.now.command.Text
		for text != "" && text[0] < ' ' && control(text[0]) {
			text = text[1:]
		}
		return text, nil
	case <-p.gone:
		return "", errGone
	}
}

func (p *localPort) typed() (string, error) {
	if len(p.now.input) == 0 {
		p.now.typing = false
		return "", io.EOF
	}
	line := p.now.input[0]
	p.now.input = p.now.input[1:]
	if !strings.HasSuffix(line, "\n") { // Ctrl-D after text ends nothing
		p.now.typing = false
		return p.wait()
	}
	return strings.TrimSuffix(line, "\n"), nil
}

func (p *localPort) readLine(prompt string, _, _ bool) (string, error) {
	if p.closed.Load() || p.now == nil {
		return "", errGone
	}
	if reply, ok := p.answer(prompt); ok {
		return reply, nil
	}
	if p.now.typing {
		return p.typed()
	}
	p.now.out.WriteString(prompt)
	return p.wait()
}

// answer is the reply to a question that has one.
func (p *localPort) answer(question string) (string, bool) {
	for i, re := range p.now.answers {
		if question != "" && re.MatchString(question) {
			p.now.out.WriteString(question + "\n")
			return p.now.command.Answers[i].Reply, true
		}
	}
	return "", false
}

// key takes the first key of a reply; Enter is a reply without text.
func (p *localPort) key(question string) (byte, error) {
	if p.closed.Load() || p.now == nil {
		return 0, errGone
	}
	if reply, ok := p.answer(question); ok {
		return (reply + "\r")[0], nil
	}
	p.now.out.WriteString(question)
	_, err := p.wait()
	return 0, err
}

// wait is a device that waits for somebody to type.
func (p *localPort) wait() (string, error) {
	p.now.stuck = true
	p.now.finish()
	<-p.gone
	return "", errGone
}
