package session

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/plugins"
)

// unixServer runs a few commands.
func unixServer(t testing.TB) *sshServer {
	s := newServer(t)
	s.exec = func(cmd string, ch ssh.Channel) int {
		switch {
		case cmd == "cat":
			_, _ = io.Copy(ch, ch)
		case strings.HasPrefix(cmd, "echo "):
			fmt.Fprintln(ch, cmd[5:])
		case cmd == "fail":
			fmt.Fprintln(ch.Stderr(), "no such thing")
			return 3
		case cmd == "nostatus":
			fmt.Fprintln(ch, "x")
			return -1
		case cmd == "big":
			_, _ = ch.Write(bytes.Repeat([]byte("0123456789abcde\n"), 10<<16))
		case cmd == "endless":
			for {
				if _, err := ch.Write(bytes.Repeat([]byte("x"), 1<<15)); err != nil {
					return -1
				}
			}
		case cmd == "ask":
			fmt.Fprint(ch, "Overwrite? [confirm]")
			line, _ := bufio.NewReader(ch).ReadString('\n')
			fmt.Fprintf(ch, "\ngot %q\n", line)
		case cmd == "hang":
			_, _ = io.Copy(io.Discard, ch)
		}
		return 0
	}
	return s.start()
}

func TestExec(t *testing.T) {
	srv := unixServer(t)
	s := dial(t, srv.target(), execInfo)
	for _, c := range []struct {
		cmd            plugins.Command
		stdout, stderr string
		exit           int // -1: none
		end            plugins.End
	}{
		{plugins.Command{Text: "echo hello"}, "hello\n", "", 0, plugins.EndStatus},
		{plugins.Command{Text: "cat", Input: []byte("in\r\n\x00put")}, "in\r\n\x00put", "", 0, plugins.EndStatus},
		{plugins.Command{Text: "fail"}, "", "no such thing\n", 3, plugins.EndStatus},
		{plugins.Command{Text: "nostatus"}, "x\n", "", -1, plugins.EndClosed},
		{plugins.Command{Text: "ask", Answers: []plugins.Answer{{Prompt: `\[confirm\]$`, Reply: "y"}}}, "Overwrite? [confirm]\ngot \"y\\n\"\n", "", 0, plugins.EndStatus},
	} {
		out, err := s.Run(within(t, 10*time.Second), c.cmd)
		if err != nil {
			t.Errorf("%s: %v", c.cmd.Text, err)
			continue
		}
		exit := -1
		if out.Exit != nil {
			exit = *out.Exit
		}
		if string(out.Stdout) != c.stdout || string(out.Stderr) != c.stderr || exit != c.exit || out.End != c.end {
			t.Errorf("%s: got %q %q %d %s", c.cmd.Text, out.Stdout, out.Stderr, exit, out.End)
		}
	}
	if srv.pty {
		t.Error("a terminal was requested")
	}
	if n := srv.count(); n != 1 {
		t.Errorf("%d logins for commands one after another", n)
	}
	out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "big"})
	if err != nil || len(out.Stdout) != 10<<20 {
		t.Errorf("big: %d bytes, %v", len(out.Stdout), err)
	}
	if s.Fingerprint() != ssh.FingerprintSHA256(srv.key.PublicKey()) || s.RemoteAddr() == nil {
		t.Error("who the device is was not kept")
	}
}

func TestExecTooLarge(t *testing.T) {
	target := unixServer(t).target()
	target.MaxOutput = 100000
	s := dial(t, target, execInfo)
	out, err := s.Run(within(t, 10*time.Second), plugins.Command{Text: "endless"})
	if !errors.Is(err, plugins.ErrTooLarge) || len(out.Stdout) != 100000 || out.End != plugins.EndCut {
		t.Errorf("got %d bytes, %s, %v", len(out.Stdout), out.End, err)
	}
	if out, err := s.Run(within(t, 10*time.Second), plugins.Command{Text: "echo on"}); err != nil || string(out.Stdout) != "on\n" {
		t.Errorf("afterwards: %q %v", out.Stdout, err)
	}
}

func TestExecDeadline(t *testing.T) {
	s := dial(t, unixServer(t).target(), execInfo)
	out, err := s.Run(within(t, 100*time.Millisecond), plugins.Command{Text: "hang", Answers: []plugins.Answer{{Prompt: "never", Reply: ""}}})
	if !errors.Is(err, context.DeadlineExceeded) || out.End != plugins.EndCut {
		t.Errorf("%s, %v", out.End, err)
	}
	if _, err := s.Run(within(t, 10*time.Second), plugins.Command{Text: "echo on"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// The context of Dial bounds the session.
func TestSessionEndsWithContext(t *testing.T) {
	srv := unixServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Dial(ctx, srv.target(), execInfo)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := s.Run(context.Background(), plugins.Command{Text: "hang", Answers: []plugins.Answer{{Prompt: "never"}}})
		got <- err
	}()
	cancel()
	if err := <-got; !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Open(context.Background(), "exec", "cat"); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("Open: %v", err)
	}
}

// A server that takes two channels makes the others wait, not fail.
func TestExecQueues(t *testing.T) {
	srv := unixServer(t)
	srv.most = 2
	s := dial(t, srv.target(), execInfo)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			out, err := s.Run(within(t, 30*time.Second), plugins.Command{Text: fmt.Sprintf("echo %d", i)})
			if err != nil || string(out.Stdout) != fmt.Sprintf("%d\n", i) {
				t.Errorf("%d: %q %v", i, out.Stdout, err)
			}
		})
	}
	wg.Wait()
	if n := srv.count(); n != 1 {
		t.Errorf("%d logins", n)
	}
}

func TestMaxSessions(t *testing.T) {
	srv := newServer(t)
	var now, most atomic.Int32
	srv.exec = func(string, ssh.Channel) int {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond) // work, so that commands overlap
		now.Add(-1)
		return 0
	}
	info := execInfo
	info.MaxSessions = 3
	s := dial(t, srv.start().target(), info)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := s.Run(within(t, 30*time.Second), plugins.Command{Text: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n != 3 {
		t.Errorf("%d commands at once, want 3", n)
	}
}

// A read whose connection goes away is run once more; a write never is.
func TestRetry(t *testing.T) {
	for _, write := range []bool{false, true} {
		srv := newServer(t)
		var runs atomic.Int32
		srv.exec = func(_ string, ch ssh.Channel) int {
			fmt.Fprint(ch, "half")
			if runs.Add(1) == 1 {
				srv.kick()
				return -1
			}
			fmt.Fprint(ch, "whole")
			return 0
		}
		s := dial(t, srv.start().target(), execInfo)
		out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "x", Write: write})
		if write {
			if !errors.Is(err, plugins.ErrSessionLost) || runs.Load() != 1 || out.End != plugins.EndCut {
				t.Errorf("write: %d runs, %v", runs.Load(), err)
			}
			continue
		}
		if err != nil || runs.Load() != 2 || string(out.Stdout) != "halfwhole" {
			t.Errorf("read: %d runs, %q, %v", runs.Load(), out.Stdout, err)
		}
	}
}

// A device that is gone is a lost session to a driver, and unreachable to the
// operator.
func TestGone(t *testing.T) {
	for name, info := range map[string]plugins.Info{"exec": execInfo, "shell": shellInfo} {
		srv := serveDevice(t, newDevice())
		srv.exec = func(string, ssh.Channel) int { return 0 }
		s := dial(t, deviceTarget(srv), info)
		srv.stop()
		out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "true"})
		clean(t, err)
		if !errors.Is(err, plugins.ErrSessionLost) || !errors.Is(err, ErrUnreachable) || out.End != plugins.EndCut {
			t.Errorf("%s: %s %v", name, out.End, err)
		}
	}
}

// A device that answers no global request is believed all the same: a command
// that exits costs no question about its end.
func TestExecAsksNothing(t *testing.T) {
	srv := newServer(t)
	srv.noReply = true
	srv.exec = func(_ string, ch ssh.Channel) int {
		_, _ = io.WriteString(ch, config)
		return 0
	}
	target := srv.start().target()
	target.KeepAlive = -1
	s := dial(t, target, execInfo)
	ctx := within(t, 20*time.Second) // less than answerTime
	for range 50 {
		out, err := s.Run(ctx, plugins.Command{Text: "x"})
		if err != nil || out.End != plugins.EndStatus || string(out.Stdout) != config {
			t.Fatalf("%s %v", out.End, err)
		}
	}
	if n := srv.count(); n != 1 {
		t.Errorf("%d logins", n)
	}
}

func TestExecStream(t *testing.T) {
	srv := unixServer(t)
	s := dial(t, srv.target(), execInfo)
	c, err := s.Open(within(t, 10*time.Second), "exec", "cat")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("read deadline: %v", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	go func() {
		_, _ = c.Write(bytes.Repeat([]byte("abcdefgh"), 1<<17))
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || len(got) != 1<<20 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	_ = c.Close()

	if c, err = s.Open(within(t, 10*time.Second), "exec", "fail"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err == nil {
		t.Error("a failed command ended its stream without an error")
	}
	_ = c.Close()

	if c, err = s.Open(within(t, 10*time.Second), "exec", "hang"); err != nil {
		t.Fatal(err)
	}
	srv.kick()
	if _, err := io.ReadAll(c); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("a lost connection ended the stream with %v", err)
	}
	_ = c.Close()
	if _, err := s.Open(within(t, 10*time.Second), "subsystem", "netconf"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("subsystem: %v", err)
	}
	if _, err := s.Open(within(t, 10*time.Second), "http", ""); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("http: %v", err)
	}
}

func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

// cutter closes the connection after a number of bytes, once it is set.
type cutter struct {
	net.Conn
	left atomic.Int64 // negative: no limit
}

func (c *cutter) Write(p []byte) (int, error) {
	left := c.left.Load()
	if left < 0 {
		return c.Conn.Write(p)
	}
	n := min(int64(len(p)), left)
	_, _ = c.Conn.Write(p[:n])
	if c.left.Add(-n) == 0 {
		_ = c.Conn.Close()
		return int(n), io.ErrClosedPipe
	}
	return int(n), nil
}

// TestExecCut cuts the connection at every byte that the device sends from the
// start of a command: success is only what is whole, which is what the device
// has closed the channel behind, even where the connection goes in the same
// moment. The exit status comes before the last of the output, as it may, or
// not at all.
func TestExecCut(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"with a status": 0, "without": -1} {
		ended := plugins.EndClosed
		if status >= 0 {
			ended = plugins.EndStatus
		}
		// run cuts after so many bytes, and returns how many there were up to
		// the device's close.
		run := func(left int64, hold time.Duration) (plugins.Output, int64, error) {
			srv := newServer(t)
			var c *cutter
			var all atomic.Int64
			srv.wrap = func(n net.Conn) net.Conn {
				c = &cutter{Conn: n}
				c.left.Store(-1)
				return c
			}
			srv.exec = func(_ string, ch ssh.Channel) int {
				c.left.Store(left)
				_, _ = io.WriteString(ch, config)
				srv.status(ch, status)
				_, _ = io.WriteString(ch, config)
				_ = ch.Close()
				all.Store(left - c.left.Load())
				return -1
			}
			target := srv.start().target()
			defer srv.stop()
			target.KeepAlive, target.hold = -1, hold
			s, err := Dial(within(t, 60*time.Second), target, execInfo)
			if err != nil {
				t.Errorf("%s, cut after %d bytes: %v", name, left, err)
				return plugins.Output{}, 0, err
			}
			defer s.Close()
			out, err := s.Run(within(t, 60*time.Second), plugins.Command{Text: "x", Write: true})
			srv.stop()
			return out, all.Load(), err
		}
		const plenty = 1 << 20
		out, all, err := run(plenty, time.Minute)
		if err != nil || out.End != ended || string(out.Stdout) != config+config || all < 2*int64(len(config)) {
			t.Fatalf("%s, not cut: %q %s %v after %d bytes", name, out.Stdout, out.End, err, all)
		}
		var g errgroup.Group
		g.SetLimit(8)
		for left := range all + 1 {
			g.Go(func() error {
				hold := time.Millisecond
				if left == all {
					hold = time.Minute // its end is judged, nothing waits so long
				}
				out, _, err := run(left, hold)
				switch {
				case left == all:
					if err != nil || out.End != ended || string(out.Stdout) != config+config {
						t.Errorf("%s, cut behind the close: %q %s %v", name, out.Stdout, out.End, err)
					}
				case !errors.Is(err, plugins.ErrSessionLost) || out.End != plugins.EndCut || out.Exit != nil:
					t.Errorf("%s, cut after %d of %d bytes: %q %s %v", name, left, all, out.Stdout, out.End, err)
				}
				return nil
			})
		}
		_ = g.Wait()
	}
}

// A device that drops the connection together with its one channel has said
// everything all the same.
func TestExecHangsUp(t *testing.T) {
	for name, hangUp := range map[string]func(net.Conn){
		"closes":      func(c net.Conn) { _ = c.Close() },
		"half closes": func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			// What a client with all of it in its hands has no need to answer.
			big := strings.Repeat(config, 1000)
			srv.exec = func(cmd string, ch ssh.Channel) int {
				srv.mu.Lock()
				conn := srv.conns[len(srv.conns)-1]
				srv.mu.Unlock()
				_, _ = io.WriteString(ch, big)
				if cmd == "status" {
					srv.status(ch, 7)
				}
				_, _ = io.Copy(io.Discard, ch) // what came unread would make a reset of the close
				_ = ch.Close()
				hangUp(conn)
				return -1
			}
			target := srv.start().target()
			target.KeepAlive = -1
			s := dial(t, target, execInfo)
			for i, cmd := range []string{"status", "none", "status", "none"} {
				out, err := s.Run(within(t, 30*time.Second), plugins.Command{Text: cmd, Write: true})
				want := plugins.EndClosed
				if cmd == "status" {
					want = plugins.EndStatus
				}
				if err != nil || out.End != want || string(out.Stdout) != big {
					t.Errorf("%s: %d of %d bytes, %s, %v", cmd, len(out.Stdout), len(big), out.End, err)
				}
				c, err := s.Open(within(t, 30*time.Second), "exec", "none")
				if err != nil {
					t.Fatal(err)
				}
				if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
					t.Error(err)
				}
				if got, err := io.ReadAll(c); err != nil || string(got) != big {
					t.Errorf("stream: %d of %d bytes, %v", len(got), len(big), err)
				}
				_ = c.Close()
				if n := srv.count(); n != 2*(i+1) {
					t.Errorf("%d logins for %d commands: the connection was not dropped", n, 2*(i+1))
				}
			}
		})
	}
}

// What came before the connection went is read to its end.
func TestReceived(t *testing.T) {
	gone := errors.New("cannot open the window")
	r := received{script{{"first ", gone}, {"second", gone}, {"", io.EOF}}.reader()}
	if got, err := io.ReadAll(r); err != nil || string(got) != "first second" {
		t.Errorf("%q %v", got, err)
	}
	r = received{script{{"first", nil}, {"", gone}}.reader()}
	if got, err := io.ReadAll(r); !errors.Is(err, gone) || string(got) != "first" {
		t.Errorf("%q %v", got, err)
	}
}

// script is what a reader returns, call by call.
type script []struct {
	data string
	err  error
}

func (s script) reader() io.Reader { return &s }

func (s *script) Read(p []byte) (int, error) {
	next := (*s)[0]
	*s = (*s)[1:]
	return copy(p, next.data), next.err
}
