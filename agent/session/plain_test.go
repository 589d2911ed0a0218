package session

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// line is a device's terminal line in the manner of IOS: one byte at a time,
// with a login of its own, and in the state in which the last user left it.
type line struct {
	noLogin bool   // a console that asks nothing
	banner  string // before the login, CR LF
	motd    string // after it
	typed   func(string)

	mu       sync.Mutex
	state    string // "", "user", "password", "exec", "enabled", "config", "confirm", "pager"
	buf      []byte
	user     string
	secrets  []string // what was typed where a password was asked for
	seen     []string // what was typed anywhere else
	reloaded bool
	logins   int
}

const iosPager = " --More-- "

func (l *line) prompt() string {
	switch l.state {
	case "user":
		return "Username: "
	case "password":
		return "Password: "
	case "enabled":
		return "core1#"
	case "config":
		return "core1(config-if)#"
	case "confirm":
		return "Proceed with reload? [confirm]"
	case "pager":
		return iosPager
	case "exec":
		return "core1>"
	}
	return "\r\ncore1 con0 is now available\r\n\r\nPress RETURN to get started.\r\n\r\n"
}

// open is what a Telnet server shows at once.
func (l *line) open() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start()
}

func (l *line) start() string {
	l.state, l.buf = "user", nil
	if l.noLogin {
		l.state = "exec"
	}
	return l.banner + l.prompt()
}

// key takes one byte from the wire and returns what the line shows.
func (l *line) key(b byte) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case b == 0 || b == '\n':
		return ""
	case l.state == "":
		if b == '\r' {
			return "\r\n" + l.start()
		}
		return ""
	case l.state == "confirm":
		l.reloaded = l.reloaded || b == '\r' || b == 'y'
		l.state = "enabled"
		return "\r\n" + l.prompt()
	case l.state == "pager":
		if b == ' ' {
			return "\r" + strings.Repeat(" ", len(iosPager)) + "\rend\r\n" + l.finish("enabled")
		}
		return "\r\n" + l.finish("enabled")
	case b == 3:
		l.buf = nil
		return "^C\r\n" + l.prompt()
	case b == '\r':
		text := string(l.buf)
		l.buf = nil
		return "\r\n" + l.enter(text)
	}
	l.buf = append(l.buf, b)
	if l.state == "password" {
		return ""
	}
	return string(b)
}

func (l *line) finish(state string) string {
	l.state = state
	return l.prompt()
}

func (l *line) enter(text string) string {
	if l.state == "password" {
		l.secrets = append(l.secrets, text)
		if l.user == "admin" && text == canary {
			l.logins++
			return "\r\n" + l.motd + l.finish("exec")
		}
		return "% Login invalid\r\n\r\n" + l.finish("user")
	}
	l.seen = append(l.seen, text)
	switch {
	case l.state == "user":
		l.user = text
		if text == "" {
			return l.prompt()
		}
		return l.finish("password")
	case text == "exit" && l.state == "config":
		return l.finish("enabled")
	case text == "exit":
		return l.finish("")
	case text == "enable":
		return l.finish("enabled")
	case text == "show running-config" && l.state == "enabled":
		return strings.ReplaceAll(config, "\n", "\r\n") + l.prompt()
	case text == "show binary":
		return "\xff\xfe\xff\xff\xfb\x01\r\n" + l.prompt()
	case text == "reload":
		return l.finish("confirm")
	case text == "" || strings.HasPrefix(text, "!") || strings.HasPrefix(text, "terminal "):
		return l.prompt()
	}
	return "% Invalid input\r\n" + l.prompt()
}

// talk carries a connection to the line. With negotiate it is a Telnet server
// that insists on what servers do.
func (l *line) talk(c io.ReadWriter, negotiate bool) {
	say := func(s string) error {
		if negotiate {
			s = strings.ReplaceAll(s, "\xff", "\xff\xff")
		}
		_, err := io.WriteString(c, s)
		return err
	}
	if negotiate {
		// WILL ECHO, WILL SGA, DO TTYPE, DO NAWS, DO LINEMODE, WILL 99.
		_, _ = io.WriteString(c, "\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18\xff\xfd\x1f\xff\xfd\x22\xff\xfb\x63")
		if say(l.open()) != nil {
			return
		}
	}
	w := plainWire{negotiate: negotiate}
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if negotiate {
			if n, _, err = w.decode(buf[:n]); err != nil {
				return
			}
		}
		for _, b := range buf[:n] {
			if say(l.key(b)) != nil {
				return
			}
		}
	}
}

// serve listens and hands every connection to talk.
func serve(t testing.TB, talk func(net.Conn)) (port int) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() { talk(c); _ = c.Close() })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return ln.Addr().(*net.TCPAddr).Port
}

func plainInfo() plugins.Info {
	i := shellInfo
	i.Transports = []plugins.Transport{plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole}
	return i
}

func plainTarget(port int, over plugins.Transport) Target {
	return Target{Device: "core1", Host: "127.0.0.1", Port: port, User: "admin", Transport: over, Auth: []Auth{Password{secret.New(canary)}}}
}

func TestTelnet(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*line){
		"plain":        func(*line) {},
		"no login":     func(l *line) { l.noLogin = true },
		"look-alikes":  func(l *line) { l.banner = "Password: \r\nUsername: \r\ncore1#\r\ncore1>\r\nYour password: now\r\n" },
		"after login":  func(l *line) { l.motd = "core1#\r\ncore1>\r\nPassword: \r\nUsername: \r\n" },
		"long welcome": func(l *line) { l.banner = strings.Repeat("unauthorised access is prohibited\r\n", 2000) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &line{}
			change(l)
			port := serve(t, func(c net.Conn) { l.talk(c, true) })
			s, err := Dial(within(t, 20*time.Second), plainTarget(port, plugins.TransportTelnet), plainInfo())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "show running-config"})
			if err != nil || out.End != plugins.EndSentinel || string(out.Stdout) != config {
				t.Errorf("%q %s %v", out.Stdout, out.End, err)
			}
			// A byte 255 in the text is not a command.
			out, err = s.Run(within(t, 20*time.Second), plugins.Command{Text: "show binary"})
			if err != nil || string(out.Stdout) != "\xff\xfe\xff\xff\xfb\x01\n" {
				t.Errorf("%q %v", out.Stdout, err)
			}
			if _, err := s.Open(within(t, time.Second), "subsystem", "netconf"); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("a subsystem over Telnet: %v", err)
			}
			if s.HostKey() != nil {
				t.Error("Telnet proves no host key")
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if strings.Contains(strings.Join(l.seen, "\n"), canary) {
				t.Errorf("the password was typed where none was asked for: %q", l.seen)
			}
			if want := map[bool]int{false: 1}[l.noLogin]; len(l.secrets) != want {
				t.Errorf("%d passwords typed", len(l.secrets))
			}
		})
	}
}

// A question that a banner ends in gets a user name at most, and the real one
// is answered all the same.
func TestTelnetLookAlikeWithoutNewline(t *testing.T) {
	t.Parallel()
	l := &line{}
	port := serve(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "login: ")
		got := make([]byte, 6)
		_, _ = io.ReadFull(c, got) // "admin" and Enter
		_, _ = io.WriteString(c, "is for staff\r\n")
		l.talk(c, true)
	})
	s, err := Dial(within(t, 20*time.Second), plainTarget(port, plugins.TransportTelnet), plainInfo())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if strings.Contains(strings.Join(l.seen, "\n"), canary) {
		t.Errorf("%q", l.seen)
	}
}

// A password goes to a line that asks for one and says nothing else, and once.
func TestTelnetPasswordOnce(t *testing.T) {
	t.Parallel()
	for name, question := range map[string]string{
		"a sentence": "Never tell anybody your password: ",
		"twice":      "Password: ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			typed := make(chan string, 2)
			port := serve(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				for range 2 {
					_, _ = io.WriteString(c, question)
					line, err := in.ReadString('\r')
					if err != nil {
						return
					}
					typed <- line
					_, _ = io.WriteString(c, "\r\n")
				}
			})
			_, err := Dial(within(t, 3*time.Second), plainTarget(port, plugins.TransportTelnet), plainInfo())
			if err == nil {
				t.Fatal("logged in")
			}
			if name == "twice" && (!errors.Is(err, ErrAuth) || len(typed) != 1) || name != "twice" && len(typed) != 0 {
				t.Errorf("%d lines typed: %v", len(typed), err)
			}
		})
	}
}

func TestTelnetRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Target)
		want   error
		text   string
		typed  int
	}{
		"wrong password": {func(t *Target) { t.Auth = []Auth{Password{secret.New(canary2)}} }, ErrAuth, "does not let user", 1},
		"no password":    {func(t *Target) { t.Auth = nil }, ErrAuth, "none is set", 0},
		"no user":        {func(t *Target) { t.User = "" }, ErrAuth, "none is set", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &line{}
			port := serve(t, func(c net.Conn) { l.talk(c, true) })
			target := plainTarget(port, plugins.TransportTelnet)
			c.change(&target)
			_, err := Dial(within(t, 20*time.Second), target, plainInfo())
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.text) || strings.Contains(fmt.Sprint(err), canary2) {
				t.Errorf("%v", err)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if len(l.secrets) != c.typed {
				t.Errorf("%d passwords typed", len(l.secrets))
			}
		})
	}
	info := plainInfo()
	info.Transports = info.Transports[:1]
	if _, err := Dial(within(t, time.Second), plainTarget(1, plugins.TransportTelnet), info); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a driver without Telnet: %v", err)
	}
	info = plainInfo()
	info.Shell.Exit = ""
	if _, err := Dial(within(t, time.Second), plainTarget(1, plugins.TransportConsole), info); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a driver that cannot leave a console: %v", err)
	}
}

// TestTelnetHostile is what a server may send to do harm: every one ends in an
// error, soon, and without a password.
func TestTelnetHostile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ bytes, says string }{
		"options without end":        {strings.Repeat("\xff\xfb\x2a\xff\xfd\x2a", 1<<16), "negotiates Telnet options without end"},
		"subnegotiation without end": {"\xff\xfa\x18" + strings.Repeat("x", 1<<20), "subnegotiation without end"},
		"banner without end":         {strings.Repeat("welcome\r\n", 1<<18), "bytes before the login"},
		"hangs up":                   {"Port already in use\r\n", `it said "Port already in use"`},
		"command cut":                {"\xff", "lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var got []byte
			port := serve(t, func(conn net.Conn) {
				go func() { _, _ = io.WriteString(conn, c.bytes); _ = conn.(*net.TCPConn).CloseWrite() }()
				buf := make([]byte, 4096)
				for {
					n, err := conn.Read(buf)
					mu.Lock()
					got = append(got, buf[:n]...)
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
			_, err := Dial(within(t, 20*time.Second), plainTarget(port, plugins.TransportTelnet), plainInfo())
			if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(got) > 16 || strings.Contains(string(got), canary) {
				t.Errorf("it answered %d bytes", len(got))
			}
		})
	}
}

// TestTelnetDecode splits a stream at every byte: text and answers stay the
// same, and a second request for the same option gets no answer.
func TestTelnetDecode(t *testing.T) {
	stream := "a\xff\xfb\x01b\xff\xff\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0c\xff\xfd\x1f\xff\xfd\x27\xff\xf1\xff\xfb\x01\xff\xfd\x27\xff\xfc\x01\xff\xfa\x63\xff\xff\xff\xf0d"
	text := "ab\xffcd"
	answers := "\xff\xfd\x01" + "\xff\xfb\x18" + "\xff\xfa\x18\x00VT100\xff\xf0" +
		"\xff\xfb\x1f\xff\xfa\x1f\x01\xff\xff\x03\xe8\xff\xf0" + "\xff\xfc\x27" + "\xff\xfe\x01"
	for at := range len(stream) + 1 {
		w := plainWire{negotiate: true}
		var got, reply []byte
		for _, part := range []string{stream[:at], stream[at:]} {
			b := []byte(part)
			n, r, err := w.decode(b)
			if err != nil {
				t.Fatal(err)
			}
			got, reply = append(got, b[:n]...), append(reply, r...)
		}
		if string(got) != text || string(reply) != answers {
			t.Fatalf("split at %d: %q\n%q\n%q", at, got, reply, answers)
		}
	}
	if got := escapeTelnet([]byte("a\xffb\rc\r\nd\r")); string(got) != "a\xff\xffb\r\x00c\r\nd\r\x00" {
		t.Errorf("%q", got)
	}
}

// TestTelnetCut ends the connection after every byte that the device sends.
func TestTelnetCut(t *testing.T) {
	t.Parallel()
	var whole atomic.Int32
	cut := func(left int) {
		l := &line{}
		port := serve(t, func(c net.Conn) { l.talk(&leaky{Conn: c, left: left}, true) })
		s, err := Dial(within(t, 20*time.Second), plainTarget(port, plugins.TransportTelnet), plainInfo())
		if err != nil {
			if !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrAuth) {
				t.Errorf("after %d bytes: %v", left, err)
			}
			return
		}
		out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "show running-config", Write: true}) // not retried
		switch {
		case err == nil && out.End == plugins.EndSentinel && string(out.Stdout) != config:
			t.Errorf("after %d bytes: %q counts as whole", left, out.Stdout)
		case err == nil && out.End == plugins.EndSentinel:
			whole.Add(1)
		}
		_ = s.Close()
	}
	var g errgroup.Group
	g.SetLimit(32)
	for left := range 400 {
		g.Go(func() error { cut(left); return nil })
	}
	_ = g.Wait()
	if whole.Load() == 0 {
		t.Error("never whole: the test reaches too few bytes")
	}
}

// leaky passes so many bytes to the client.
type leaky struct {
	net.Conn
	left int
}

func (c *leaky) Write(p []byte) (int, error) {
	if len(p) > c.left {
		_, _ = c.Conn.Write(p[:c.left])
		c.left = 0
		return 0, io.ErrClosedPipe
	}
	c.left -= len(p)
	return c.Conn.Write(p)
}

// TestConsole takes a console over from every state in which somebody may have
// left it, and leaves it logged out.
func TestConsole(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*line){
		"idle":           func(l *line) {},
		"no login":       func(l *line) { l.noLogin = true },
		"at user name":   func(l *line) { l.state = "user" },
		"at password":    func(l *line) { l.state, l.user = "password", "eve" },
		"in a login":     func(l *line) { l.state = "exec" },
		"privileged":     func(l *line) { l.state = "enabled" },
		"in a mode":      func(l *line) { l.state = "config" },
		"at a question":  func(l *line) { l.state = "confirm" },
		"in a pager":     func(l *line) { l.state = "pager" },
		"in half a line": func(l *line) { l.state, l.buf = "enabled", []byte("reload") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &line{}
			change(l)
			port := serve(t, func(c net.Conn) { l.talk(c, false) })
			s, err := Dial(within(t, 40*time.Second), plainTarget(port, plugins.TransportConsole), plainInfo())
			if err != nil {
				t.Fatal(err)
			}
			out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "show running-config"})
			if err != nil || out.End != plugins.EndSentinel || string(out.Stdout) != config {
				t.Errorf("%q %s %v", out.Stdout, out.End, err)
			}
			cli, err := s.CLI(within(t, 20*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := s.Run(ctx, plugins.Command{Text: "show running-config"}); err == nil {
				t.Error("two at a time on one console")
			}
			_ = cli
			_ = s.Close()
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.state != "" && l.state != "user" {
				t.Errorf("left in state %q", l.state)
			}
			if l.reloaded {
				t.Error("Enter answered a question that was there before")
			}
			if !l.noLogin && l.logins != 1 || strings.Contains(strings.Join(l.seen, "\n"), canary) || slices.Contains(l.seen, "reload") {
				t.Errorf("%d logins; typed %q", l.logins, l.seen)
			}
		})
	}
}

// A session whose context ends in the middle of a command leaves the console
// all the same, and Close waits for that.
func TestConsoleIsLeftInTheMiddle(t *testing.T) {
	t.Parallel()
	l := &line{}
	hung := make(chan struct{})
	port := serve(t, func(c net.Conn) { l.talk(&stuck{Conn: c, l: l, hung: hung}, false) })
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Dial(ctx, plainTarget(port, plugins.TransportConsole), plainInfo())
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-hung; cancel() }()
	if out, err := s.Run(ctx, plugins.Command{Text: "show running-config"}); err == nil || out.End != plugins.EndCut {
		t.Errorf("%s %v", out.End, err)
	}
	_ = s.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != "" {
		t.Errorf("left in state %q", l.state)
	}
}

// stuck stops in the middle of the configuration until it gets a key.
type stuck struct {
	net.Conn
	l    *line
	hung chan struct{}
	once sync.Once
}

func (c *stuck) Write(p []byte) (int, error) {
	if i := bytes.Index(p, []byte("description")); i >= 0 {
		_, _ = c.Conn.Write(p[:i])
		c.once.Do(func() { close(c.hung) })
		p = p[len(p)-len(c.l.prompt()):]
		key := make([]byte, 1)
		if _, err := c.Read(key); err != nil {
			return 0, err
		}
		_, err := c.Conn.Write(append([]byte("^C\r\n"), p...))
		return len(p), err
	}
	return c.Conn.Write(p)
}
