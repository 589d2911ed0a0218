package device

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Telnet as far as a device needs it (RFC 854): commands are read away, and
// the client is told that we echo.
const (
	iac  = 255
	sb   = 250
	se   = 240
	will = 251
)

// plainServer ends with all that came in through it.
type plainServer struct {
	l    net.Listener
	mu   sync.Mutex
	open map[net.Conn]struct{} // nil after Close
	line *serialLine           // of a console
}

func (s *plainServer) Close() error {
	err := s.l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.Close()
	}
	s.open = nil
	if s.line != nil {
		s.line.once.Do(func() { close(s.line.shut) })
	}
	return err
}

// serve hands every connection to handle, until Close.
func (s *plainServer) serve(handle func(net.Conn)) error {
	for {
		c, err := s.l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("simulate: %w", err)
		}
		s.mu.Lock()
		if s.open == nil {
			s.mu.Unlock()
			c.Close()
			continue
		}
		s.open[c] = struct{}{}
		s.mu.Unlock()
		go func() {
			handle(c)
			c.Close()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
		}()
	}
}

// ServeTelnet answers Telnet on l until Close, with the platform's login
// dialogue. The terminal has 24 lines of 80 columns.
func (d *Device) ServeTelnet(l net.Listener) error {
	s := &plainServer{l: l, open: map[net.Conn]struct{}{}}
	if err := d.serveBy(s, l); err != nil {
		return err
	}
	return s.serve(d.telnet)
}

func (d *Device) telnet(c net.Conn) {
	if !d.up() {
		return
	}
	if p := newTelnetPort(c); p != nil {
		d.terminal(p, "", func(*TTY) {})
	}
}

// newTelnetPort greets a client; nil if it is gone.
func newTelnetPort(c net.Conn) *linePort {
	if _, err := c.Write([]byte{iac, will, 1, iac, will, 3}); err != nil {
		return nil
	}
	return &linePort{s: telnetWriter{c}, r: bufio.NewReader(&telnetReader{r: c}), tty: true}
}

// terminal is one login from its dialogue to its end. user is who has said so
// already, or empty.
func (d *Device) terminal(p *linePort, user string, change func(*TTY)) {
	t := newTTY(d, "", p)
	defer t.Hangup()
	t.Length, t.Width = 24, 80
	p.columns = func() int { return t.Width }
	change(t)
	if !d.ask(t, user) || d.attach(t) != nil {
		return
	}
	defer d.detach(t)
	d.converse(t)
	p.flush()
}

// ask has the login dialogue: three attempts, the first one's user name given
// or not.
func (d *Device) ask(t *TTY, first string) bool {
	for failures := 0; failures < 3; {
		user, err := first, error(nil)
		if first = ""; user == "" {
			user, err = t.Ask(d.loginPrompt())
		}
		if errors.Is(err, errInterrupt) || err == nil && user == "" {
			continue
		}
		if err != nil {
			return false
		}
		password, err := t.Secret("Password: ")
		switch {
		case errors.Is(err, errGone):
			return false
		case err == nil && d.admits(user, password):
			t.User = user
			return true
		}
		failures++
		t.send("\nLogin incorrect\n")
	}
	return false
}

func (d *Device) loginPrompt() string {
	if a, ok := d.box.(Asker); ok {
		d.mu.Lock()
		defer d.mu.Unlock()
		return a.LoginPrompt()
	}
	return usualLogin
}

const usualLogin = "Username: "

// telnetReader takes the commands out of what the client sends.
type telnetReader struct {
	r     io.Reader
	state byte // 0: text; iac; sb: in a subnegotiation; se: after IAC in one; will: an option is to come
}

func (t *telnetReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	text := 0
	for _, b := range p[:n] {
		switch {
		case t.state == 0 && b == iac:
			t.state = iac
		case t.state == 0 && b == 0: // after a carriage return
		case t.state == 0, t.state == iac && b == iac:
			t.state = 0
			p[text] = b
			text++
		case t.state == iac && b == sb, t.state == se && b == iac:
			t.state = sb
		case t.state == iac && b >= will:
			t.state = will
		case t.state == sb && b == iac:
			t.state = se
		case t.state == sb:
		default:
			t.state = 0
		}
	}
	return text, err
}

type telnetWriter struct{ net.Conn }

func (t telnetWriter) Write(p []byte) (int, error) {
	if _, err := t.Conn.Write(bytes.ReplaceAll(p, []byte{iac}, []byte{iac, iac})); err != nil {
		return 0, err
	}
	return len(p), nil
}

// ServeConsole puts the serial console behind l until Close, as a console
// server with a raw TCP port does: one user at a time, bytes as they are, and
// a login that stays when the connection goes.
func (d *Device) ServeConsole(l net.Listener) error {
	line := &serialLine{d: d, keys: make(chan byte), shut: make(chan struct{})}
	s := &plainServer{l: l, open: map[net.Conn]struct{}{}, line: line}
	if err := d.serveBy(s, l); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { defer close(done); line.run() }()
	err := s.serve(line.connect)
	s.Close()
	<-done
	return err
}

// serialLine is the console's line and what is at its ends.
type serialLine struct {
	d    *Device
	keys chan byte
	shut chan struct{}
	once sync.Once

	mu   sync.Mutex
	conn net.Conn // who listens
}

// run has one login after the other.
func (s *serialLine) run() {
	for {
		gone := make(chan struct{})
		var once sync.Once
		end := func() { once.Do(func() { close(gone) }) }
		p := &linePort{s: serialWriter{s, end}, r: bufio.NewReader(serialReader{s, gone}), tty: true}
		s.d.terminal(p, "", func(t *TTY) { t.console, t.Name = true, "con0" })
		end()
		for s.d.booting() { // nobody reads what is typed
			select {
			case <-s.keys:
			case <-s.shut:
			}
			if s.over() {
				return
			}
		}
		if s.over() {
			return
		}
		p.write("\n")
	}
}

func (s *serialLine) over() bool {
	select {
	case <-s.shut:
		return true
	default:
		return false
	}
}

// booting reports that a reload keeps the device from answering.
func (d *Device) booting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.down
}

// connect joins a user to the line.
func (s *serialLine) connect(c net.Conn) {
	s.mu.Lock()
	busy := s.conn != nil
	if !busy {
		s.conn = c
	}
	s.mu.Unlock()
	if busy {
		io.WriteString(c, "Port already in use\r\n")
		return
	}
	defer func() {
		s.mu.Lock()
		s.conn = nil
		s.mu.Unlock()
	}()
	buf := make([]byte, 1024)
	for {
		n, err := c.Read(buf)
		for _, b := range buf[:n] {
			select {
			case s.keys <- b:
			case <-s.shut:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

type serialReader struct {
	s    *serialLine
	gone chan struct{}
}

func (r serialReader) Read(p []byte) (int, error) {
	select {
	case p[0] = <-r.s.keys:
		return 1, nil
	case <-r.gone:
	case <-r.s.shut:
	}
	return 0, errGone
}

type serialWriter struct {
	s   *serialLine
	end func()
}

// Write loses what nobody listens to.
func (w serialWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	c := w.s.conn
	w.s.mu.Unlock()
	if c != nil {
		c.Write(p)
	}
	return len(p), nil
}

func (w serialWriter) Close() error {
	w.end()
	return nil
}
