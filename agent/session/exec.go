package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins"
)

// errNoExec says that the device does not run commands on channels. Nothing
// was run.
var errNoExec = errors.New("the device refuses to run commands on SSH channels")

// grace is how long a channel that we close has to end before its connection
// is given up.
const grace = 2 * time.Second

// runExec runs a command on a channel of its own (RFC 4254 section 6.5), never
// with a terminal: questions that a program asks on a terminal only are for
// CLI. With Answers, standard input stays open until the command ends.
func (s *Session) runExec(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	cut := plugins.Output{End: plugins.EndCut}
	answers, err := newAnswerer(c.Answers)
	if err != nil {
		return cut, err
	}
	if err := s.acquire(ctx); err != nil {
		return cut, err
	}
	defer s.release()
	l, ch, reqs, err := s.channel(ctx)
	if err != nil {
		return cut, err
	}
	judged := l.wire.expect()
	defer judged()
	x := &execution{ch: ch, left: s.t.maxOutput(), answers: answers, halt: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(func() { x.requests(reqs) })
	ok, err := request(ctx, l, ch, "exec", struct{ Command string }{c.Text})
	if err != nil || !ok {
		_ = ch.Close()
		if !ended(&wg, grace) {
			s.drop(l)
		}
		switch {
		case ctx.Err() != nil:
			return cut, ctx.Err()
		case err == nil:
			return cut, errNoExec
		}
		return cut, s.lost()
	}
	wg.Go(func() { x.read(received{ch}, &x.stdout) })
	wg.Go(func() { x.read(received{ch.Stderr()}, &x.stderr) })
	wg.Go(func() {
		_, _ = ch.Write(c.Input) // a command may end without reading it
		if len(c.Answers) == 0 {
			_ = ch.CloseWrite()
		}
	})
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	case <-x.halt:
		err = fmt.Errorf("%w: more than %d bytes", plugins.ErrTooLarge, s.t.maxOutput())
	case <-s.ended:
		err = s.errClosed()
	}
	if err != nil {
		_ = ch.Close()
		select {
		case <-done:
		case <-time.After(grace):
			s.drop(l)
			<-done
		}
		return x.output(plugins.EndCut), err
	}
	if x.tooLarge() {
		return x.output(plugins.EndCut), fmt.Errorf("%w: more than %d bytes", plugins.ErrTooLarge, s.t.maxOutput())
	}
	if !l.closedInOrder(ctx, x.exited()) {
		if ctx.Err() != nil {
			return x.output(plugins.EndCut), ctx.Err()
		}
		return x.output(plugins.EndCut), s.lost()
	}
	if x.exit == nil {
		return x.output(plugins.EndClosed), nil
	}
	return x.output(plugins.EndStatus), nil
}

func (s *Session) lost() error {
	return fmt.Errorf("%w: %s", plugins.ErrSessionLost, s.t.name())
}

// ended waits for wg, at most for d.
func ended(wg *sync.WaitGroup, d time.Duration) bool {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

// execution is a running command.
type execution struct {
	ch      ssh.Channel
	answers *answerer
	halt    chan struct{} // closed when the output is too large

	mu             sync.Mutex
	left           int64
	over           bool
	stdout, stderr bytes.Buffer
	exit           *int
}

// requests takes the exit status (RFC 4254 section 6.10) until the channel
// ends.
func (x *execution) requests(reqs <-chan *ssh.Request) {
	for r := range reqs {
		switch r.Type {
		case "exit-status":
			var m struct{ Status uint32 }
			if ssh.Unmarshal(r.Payload, &m) == nil {
				x.setExit(int(m.Status))
			}
		case "exit-signal":
			// The status that a shell gives it; the name is the server's.
			x.setExit(128 + signalNumber(r.Payload))
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
}

func (x *execution) exited() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.exit != nil
}

func (x *execution) setExit(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.exit = &n
}

func signalNumber(payload []byte) int {
	var m struct {
		Name  string
		Core  bool
		Error string
		Lang  string
	}
	if ssh.Unmarshal(payload, &m) != nil {
		return 127
	}
	switch ssh.Signal(m.Name) {
	case ssh.SIGHUP:
		return 1
	case ssh.SIGINT:
		return 2
	case ssh.SIGQUIT:
		return 3
	case ssh.SIGABRT:
		return 6
	case ssh.SIGKILL:
		return 9
	case ssh.SIGSEGV:
		return 11
	case ssh.SIGPIPE:
		return 13
	case ssh.SIGTERM:
		return 15
	}
	return 127
}

// received reads what a channel has received to its end. With bytes x/crypto may
// return that it could not tell the device to send more, because the connection
// is gone: what came before it went is still there.
type received struct{ io.Reader }

func (r received) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (x *execution) read(r io.Reader, to *bytes.Buffer) {
	chunk := make([]byte, 32<<10)
	seen := x.answers.watch()
	for {
		n, err := r.Read(chunk)
		x.mu.Lock()
		keep := min(int64(n), x.left)
		to.Write(chunk[:keep])
		x.left -= keep
		if keep < int64(n) && !x.over {
			x.over = true
			close(x.halt)
		}
		x.mu.Unlock()
		if reply := seen.feed(chunk[:n]); reply != nil {
			_, _ = x.ch.Write(reply)
		}
		if err != nil || keep < int64(n) {
			return
		}
	}
}

func (x *execution) tooLarge() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.over
}

func (x *execution) output(end plugins.End) plugins.Output {
	x.mu.Lock()
	defer x.mu.Unlock()
	o := plugins.Output{Stdout: x.stdout.Bytes(), Stderr: x.stderr.Bytes(), End: end}
	if end == plugins.EndStatus {
		o.Exit = x.exit
	}
	return o
}

// answerer knows the answers to a command's questions.
type answerer struct{ rules []answerRule }

type answerRule struct {
	re    *regexp.Regexp
	reply plugins.Answer
}

func newAnswerer(list []plugins.Answer) (*answerer, error) {
	a := &answerer{}
	for _, r := range list {
		re, err := regexp.Compile(r.Prompt)
		if err != nil {
			return nil, fmt.Errorf("answer prompt: %w", err)
		}
		a.rules = append(a.rules, answerRule{re, r})
	}
	return a, nil
}

// find returns the answer to an unterminated line.
func (a *answerer) find(line []byte) (plugins.Answer, bool) {
	for _, r := range a.rules {
		if r.re.Match(line) {
			return r.reply, true
		}
	}
	return plugins.Answer{}, false
}

func (a *answerer) watch() *watcher { return &watcher{a: a} }

// watcher keeps the unterminated last line of one stream.
type watcher struct {
	a    *answerer
	line []byte
}

// feed takes what came and returns what to type, if it ends in a question.
func (w *watcher) feed(b []byte) []byte {
	if len(w.a.rules) == 0 {
		return nil
	}
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		w.line, b = w.line[:0], b[i+1:]
	}
	w.line = append(w.line, b...)
	if len(b) == 0 || len(w.line) > longestPrompt {
		return nil
	}
	r, ok := w.a.find(w.line)
	if !ok {
		return nil
	}
	w.line = w.line[:0] // the question is answered once
	if r.NoNewline {
		return []byte(r.Reply)
	}
	return []byte(r.Reply + "\n")
}

// longestPrompt bounds what may be a prompt or a question; longer lines are
// output. It keeps the search linear where a device prints megabytes without a
// newline.
const longestPrompt = 1024
