package device

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// Serve answers SSH on l until Close. A device serves one listener at a time.
func (d *Device) Serve(l net.Listener) error {
	srv := newServer(hostSigner{d}, func(string) *Device { return d }, d.opts.NoPassword)
	// A device that is down or has lost its address is silent, not polite.
	srv.ConnCallback = func(_ ssh.Context, c net.Conn) net.Conn {
		if !d.up() {
			c.Close()
			return nil
		}
		return d.track(c)
	}
	if err := d.serveBy(srv, l); err != nil {
		return err
	}
	err := srv.Serve(l)
	if errors.Is(err, ssh.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("simulate: %w", err)
}

// track remembers a connection until it is closed.
func (d *Device) track(c net.Conn) net.Conn {
	d.srvMu.Lock()
	defer d.srvMu.Unlock()
	t := &tracked{c, d}
	d.conns[t] = struct{}{}
	return t
}

// tracked is a connection that ends with the system that answers it.
type tracked struct {
	net.Conn
	d *Device
}

func (t *tracked) Close() error {
	t.d.srvMu.Lock()
	delete(t.d.conns, t)
	t.d.srvMu.Unlock()
	return t.Conn.Close()
}

// dropAll ends every connection, as a reboot does.
func (d *Device) dropAll() {
	d.srvMu.Lock()
	defer d.srvMu.Unlock()
	for t := range d.conns {
		t.Conn.Close()
	}
}

// serveBy notes what Close is to end. It fails after Close.
func (d *Device) serveBy(srv io.Closer, l net.Listener) error {
	d.srvMu.Lock()
	defer d.srvMu.Unlock()
	if d.shut {
		l.Close()
		return net.ErrClosed
	}
	d.srv, d.addr = srv, l.Addr()
	return nil
}

// Listen serves on addr ("127.0.0.1:0" for any port) in the background until
// Close and returns where.
func (d *Device) Listen(addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	d.srvMu.Lock()
	d.addr = l.Addr()
	d.srvMu.Unlock()
	go d.Serve(l)
	return l.Addr(), nil
}

// Addr returns where the device serves, nil before it does.
func (d *Device) Addr() net.Addr {
	d.srvMu.Lock()
	defer d.srvMu.Unlock()
	return d.addr
}

// Close ends every login and stops serving. It may be called twice.
func (d *Device) Close() error {
	d.srvMu.Lock()
	srv := d.srv
	d.shut = true
	d.srvMu.Unlock()
	d.Disconnect()
	if srv == nil {
		return nil
	}
	return srv.Close()
}

// newServer makes an SSH server that routes by user name.
func newServer(key gossh.Signer, route func(user string) *Device, noPassword bool) *ssh.Server {
	srv := &ssh.Server{
		HostSigners: []ssh.Signer{key},
		Handler: func(s ssh.Session) {
			if d := route(s.User()); d != nil {
				d.serveSession(s)
			}
		},
		SessionRequestCallback: func(s ssh.Session, kind string) bool {
			d := route(s.User())
			return d != nil && (kind == "shell" || d.offers(kind, serviceArg(s)))
		},
		SubsystemHandlers: map[string]ssh.SubsystemHandler{"default": func(s ssh.Session) {
			if d := route(s.User()); d != nil {
				d.serveProcess(s)
			}
		}},
		BannerHandler: func(ctx ssh.Context) string {
			d := route(ctx.User())
			if d == nil {
				return ""
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.box.Banner()
		},
		PublicKeyHandler: func(ctx ssh.Context, k ssh.PublicKey) bool {
			d := route(ctx.User())
			return d != nil && d.admitsKey(ctx.User(), k)
		},
		KeyboardInteractiveHandler: func(ctx ssh.Context, ask gossh.KeyboardInteractiveChallenge) bool {
			d := route(ctx.User())
			if d == nil {
				return false
			}
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			return err == nil && len(answers) == 1 && d.admits(ctx.User(), answers[0])
		},
	}
	if !noPassword {
		srv.PasswordHandler = func(ctx ssh.Context, password string) bool {
			d := route(ctx.User())
			return d != nil && d.admits(ctx.User(), password)
		}
	}
	return srv
}

func (d *Device) serveSession(s ssh.Session) {
	if s.RawCommand() != "" && d.serves("exec", s.RawCommand()) {
		d.serveProcess(s)
		return
	}
	p := &linePort{s: s, r: bufio.NewReader(s)}
	t := newTTY(d, s.User(), p)
	if pty, changes, ok := s.Pty(); ok {
		p.tty = true
		t.Length, t.Width = pty.Window.Height, pty.Window.Width
		if t.Length <= 0 || t.Length > 1000 {
			t.Length = 24
		}
		if t.Width <= 0 {
			t.Width = 80
		}
		p.columns = func() int { return t.Width }
		go func() { // a window change must be read, or the channel stops
			for range changes {
			}
		}()
	}
	if d.attach(t) != nil {
		t.Hangup()
		return
	}
	defer d.detach(t)
	// The reader of the channel does not notice a client that went away while
	// a command hangs; the context does.
	go func() {
		select {
		case <-s.Context().Done():
			t.Hangup()
		case <-t.gone:
		}
	}()
	if cmd := s.RawCommand(); cmd != "" {
		t.Length = 0
		cl := d.box.Login(t)
		defer d.end(cl)
		if d.command(t, cl, cmd) {
			s.Exit(0)
		}
		sever(s, t)
		return
	}
	d.converse(t)
	p.flush()
	if sever(s, t) {
		return
	}
	s.Exit(0)
}

// sever ends the whole connection, not only the channel, if that is what
// struck the login.
func sever(s ssh.Session, t *TTY) bool {
	if !t.severed.Load() {
		return false
	}
	if c, ok := s.Context().Value(ssh.ContextKeyConn).(gossh.Conn); ok {
		c.Close()
	}
	return true
}

// linePort is the line discipline of a terminal: a shell channel, a Telnet
// connection or a serial line.
type linePort struct {
	s       io.WriteCloser
	r       *bufio.Reader
	tty     bool
	columns func() int

	mu     sync.Mutex // write and the flush in close
	out    []byte
	skipLF bool
}

func (p *linePort) close() { p.s.Close() }

func (p *linePort) write(s string) error {
	p.queue(strings.ReplaceAll(s, "\n", "\r\n"))
	return p.flush()
}

func (p *linePort) queue(s string) {
	p.mu.Lock()
	p.out = append(p.out, s...)
	p.mu.Unlock()
}

func (p *linePort) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.out) == 0 {
		return nil
	}
	_, err := p.s.Write(p.out)
	p.out = p.out[:0]
	return err
}

func (p *linePort) key(question string) (byte, error) {
	p.queue(question)
	if err := p.flush(); err != nil {
		return 0, err
	}
	k, err := p.r.ReadByte()
	if err == nil && question != "" {
		p.skipLF = k == '\r'
		p.queue("\r\n")
	}
	return k, err
}

func (p *linePort) readCommand(prompt func() string, control func(byte) bool) (string, error) {
	line, err := p.edit(prompt, control, true, false)
	if err == io.EOF { // Ctrl-D leaves the mode
		return "exit", nil
	}
	return line, err
}

// maxLine bounds what one line may hold before it is cut off.
const maxLine = 1 << 20

func (p *linePort) readLine(prompt string, echo, raw bool) (string, error) {
	return p.edit(func() string { return prompt }, func(byte) bool { return false }, echo, raw)
}

func (p *linePort) edit(prompt func() string, control func(byte) bool, echo, raw bool) (string, error) {
	shown := prompt()
	p.queue(shown)
	column := len(shown)
	var line []byte
	show := func(s string) {
		if echo && p.tty {
			p.queue(s)
		}
	}
	for {
		if p.r.Buffered() == 0 {
			if err := p.flush(); err != nil {
				return "", err
			}
		}
		b, err := p.r.ReadByte()
		if err != nil {
			return "", errGone
		}
		if p.skipLF && b == '\n' {
			p.skipLF = false
			continue
		}
		p.skipLF = b == '\r'
		switch {
		case b < ' ' && b != '\r' && b != '\n' && len(line) == 0 && control(b):
			shown = prompt()
			p.queue(shown)
			column = len(shown)
		case b == '\r' || b == '\n':
			if p.tty {
				p.queue("\r\n")
			}
			return string(line), p.flush()
		case b == 0x04 && len(line) == 0:
			return "", io.EOF
		case b == 0x03:
			p.queue("^C\r\n")
			return "", errInterrupt
		case b == 0x04: // a terminal hands over the unfinished line; text goes on in it
		case b == 0x7f || b == 0x08:
			if len(line) > 0 {
				line = line[:len(line)-1]
				column--
				show("\b \b")
			}
		case b == 0x15:
			show(strings.Repeat("\b \b", len(line)))
			column -= len(line)
			line = line[:0]
		case b == '\t' && !raw: // completion: nothing fits
			show("\a")
		case b < 0x20 && b != '\t':
		case len(line) < maxLine:
			line = append(line, b)
			show(string(b))
			column++
			// A line longer than the terminal is wide is broken where it is
			// shown, so that its echo is not what was typed.
			if p.columns != nil && !raw && p.columns() > 0 && column%p.columns() == 0 {
				show(" \r")
			}
		}
	}
}
