package device

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errGone      = errors.New("simulate: the login ended")
	errInterrupt = errors.New("simulate: interrupted")
)

// port is the far end of a login: an SSH channel or a caller in process.
type port interface {
	// readCommand shows the prompt of the command line and reads a line.
	// control is offered each control character before it is edited with; if
	// it took one, the prompt is shown again.
	readCommand(prompt func() string, control func(key byte) bool) (string, error)
	// readLine shows a question and reads the reply, or with raw one line of
	// pasted text. io.EOF is Ctrl-D on an empty line, errInterrupt Ctrl-C.
	readLine(prompt string, echo, raw bool) (string, error)
	// write sends text as it is; newlines become CR LF where there is a line.
	write(p string) error
	// key shows a question and reads one key. The pager's question is "".
	key(question string) (byte, error)
	// close ends the connection. It is called once.
	close()
}

// TTY is the terminal of one login: paging, width, and the limits that faults
// set. Only the login's own goroutine uses it, except Hangup.
type TTY struct {
	User string // who logged in
	Name string // of the line: "vty4"

	Length, Width int    // lines per page and columns, which the platform's commands set; 0: no paging, no limit
	More          string // what the pager prints when a page is full; default " --More-- "

	dev     *Device
	port    port
	console bool // survives the loss of the management address

	rows   int // printed since the command began or the pager stopped
	quit   bool
	budget int // bytes of output before the connection goes; -1: no limit

	severed atomic.Bool // the connection goes with the login

	once sync.Once
	gone chan struct{}
}

func newTTY(d *Device, user string, p port) *TTY {
	return &TTY{dev: d, User: user, port: p, More: " --More-- ", budget: -1, gone: make(chan struct{})}
}

// Hangup ends the login from either side. It does not wait.
func (t *TTY) Hangup() {
	t.once.Do(func() {
		close(t.gone)
		t.port.close()
	})
}

func (t *TTY) begin()      { t.rows, t.quit, t.budget = 0, false, -1 }
func (t *TTY) limit(n int) { t.budget = n }
func (t *TTY) cut() bool   { return t.budget == 0 }

// Print sends a command's output, page by page.
func (t *TTY) Print(s string) {
	for s != "" && !t.quit {
		if t.Length == 0 {
			t.send(s)
			return
		}
		line, rest, _ := strings.Cut(s, "\n")
		line = s[:len(s)-len(rest)]
		t.send(line)
		t.rows++
		if t.Width > 0 {
			t.rows += (len(line) - 1) / t.Width
		}
		s = rest
		if t.rows >= t.Length-1 && s != "" {
			t.more()
		}
	}
}

func (t *TTY) more() {
	t.send(t.More)
	k, err := t.port.key("")
	t.send("\r" + strings.Repeat(" ", len(t.More)) + "\r")
	switch {
	case err != nil || k == 'q' || k == 0x03:
		t.quit = true
	case k == '\r' || k == '\n':
		t.rows--
	default:
		t.rows = 0
	}
}

// send writes within the budget and at the speed of the line.
func (t *TTY) send(s string) {
	if t.budget == 0 {
		return
	}
	if t.budget > 0 && len(s) >= t.budget {
		s = s[:t.budget]
		t.budget = 0
	} else if t.budget > 0 {
		t.budget -= len(s)
	}
	speed := t.dev.opts.BytesPerSec
	for s != "" {
		n := len(s)
		if speed > 0 {
			n = min(n, max(1, speed/100))
			pause(t, time.Duration(n)*time.Second/time.Duration(speed))
		}
		if t.port.write(s[:n]) != nil {
			return
		}
		s = s[n:]
	}
}

// Ask shows a question and reads the reply.
func (t *TTY) Ask(question string) (string, error) { return t.port.readLine(question, true, false) }

// Secret asks without echo.
func (t *TTY) Secret(question string) (string, error) {
	return t.port.readLine(question, false, false)
}

// Paste reads one line of pasted text, io.EOF at Ctrl-D.
func (t *TTY) Paste() (string, error) { return t.port.readLine("", true, true) }

// Key shows a question and reads the one key that answers it.
func (t *TTY) Key(question string) (byte, error) { return t.port.key(question) }

// Gone is closed when the login has ended.
func (t *TTY) Gone() <-chan struct{} { return t.gone }

// over reports that the login has ended.
func (t *TTY) over() bool {
	select {
	case <-t.gone:
		return true
	default:
		return false
	}
}
