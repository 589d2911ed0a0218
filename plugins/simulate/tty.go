package simulate

import (
	"errors"
	"strings"
	"sync"
	"time"
)

var (
	errGone      = errors.New("simulate: the login ended")
	errInterrupt = errors.New("simulate: interrupted")
)

// port is the far end of a login: an SSH channel or a caller in process.
type port interface {
	// readCommand shows the prompt of the command line and reads a line.
	readCommand(prompt string) (string, error)
	// readLine shows a question and reads the reply, or with raw one line of
	// pasted text. io.EOF is Ctrl-D on an empty line, errInterrupt Ctrl-C.
	readLine(prompt string, echo, raw bool) (string, error)
	// write sends text as it is; newlines become CR LF where there is a line.
	write(p string) error
	// key reads one key, for the pager.
	key() (byte, error)
	// close ends the connection. It is called once.
	close()
}

// tty is the terminal of one login: paging, width, and the limits that faults
// set. Only the login's own goroutine uses it, except hangup.
type tty struct {
	dev  *Device
	user string
	name string
	port port

	length, width int // lines per page and columns; 0: no paging, no limit
	rows          int // printed since the command began or the pager stopped
	quit          bool
	budget        int // bytes of output before the connection goes; -1: no limit

	once sync.Once
	gone chan struct{}
}

func newTTY(d *Device, user string, p port) *tty {
	return &tty{dev: d, user: user, port: p, budget: -1, gone: make(chan struct{})}
}

// hangup ends the login from either side. It does not wait.
func (t *tty) hangup() {
	t.once.Do(func() {
		close(t.gone)
		t.port.close()
	})
}

func (t *tty) begin()      { t.rows, t.quit, t.budget = 0, false, -1 }
func (t *tty) limit(n int) { t.budget = n }
func (t *tty) cut() bool   { return t.budget == 0 }

// pager is what the device prints when a page is full. Unconfirmed for EOS.
const pager = " --More-- "

// print sends a command's output, page by page.
func (t *tty) print(s string) {
	for s != "" && !t.quit {
		if t.length == 0 {
			t.send(s)
			return
		}
		line, rest, _ := strings.Cut(s, "\n")
		line = s[:len(s)-len(rest)]
		t.send(line)
		t.rows++
		if t.width > 0 {
			t.rows += (len(line) - 1) / t.width
		}
		s = rest
		if t.rows >= t.length-1 && s != "" {
			t.more()
		}
	}
}

func (t *tty) more() {
	t.send(pager)
	k, err := t.port.key()
	t.send("\r" + strings.Repeat(" ", len(pager)) + "\r")
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
func (t *tty) send(s string) {
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

// ask shows a question and reads the reply.
func (t *tty) ask(question string) (string, error) { return t.port.readLine(question, true, false) }

// secret asks without echo.
func (t *tty) secret(question string) (string, error) {
	return t.port.readLine(question, false, false)
}

// paste reads one line of pasted text.
func (t *tty) paste() (string, error) { return t.port.readLine("", true, true) }
