package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// Whatever surrounds it, the configuration comes out byte for byte.
func TestShell(t *testing.T) {
	for name, change := range map[string]func(*device){
		"plain":                 func(*device) {},
		"banner like a prompt":  func(d *device) { d.greeting = "\nWelcome\ncore1#\nedge>\nPassword: \n\n" },
		"line like the prompt":  func(d *device) { d.answers["show running-config"] = "core1#\n" + config + "core1#\ncore1#x\n" },
		"enable":                func(d *device) { d.enable = canary2 },
		"LF CR":                 func(d *device) { d.eol = "\n\r" },
		"CR CR LF":              func(d *device) { d.eol = "\r\r\n" },
		"LF":                    func(d *device) { d.eol = "\n" },
		"redrawn echo":          func(d *device) { d.redraw = true },
		"wrapped echo":          func(d *device) { d.width = 23 },
		"NUL and escapes":       func(d *device) { d.eol = "\x00\x1b[0m\r\n\x00\x1b[?25h" },
		"complains":             func(d *device) { d.complains = true },
		"frame":                 func(d *device) { d.before = "\r\n{master}[edit]\r\n" },
		"prompt with a blank":   func(d *device) { d.prompt = "%s%s# " },
		"prompt is drawn anew":  func(d *device) { d.before = "\b\b\b\b    \b\b\b\b\r" },
		"short prompt, anew":    func(d *device) { d.name, d.prompt, d.before = "c", "%s%s# ", "        \r" },
		"pager, erased":         func(d *device) { d.page, d.noPaging, d.erase = 2, true, "\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b" },
		"pager, erased to EOL":  func(d *device) { d.page, d.noPaging, d.erase = 1, true, "\r\x1b[K" },
		"pager, overwritten":    func(d *device) { d.page, d.noPaging, d.erase = 1, true, "\r          \r" },
		"pager, left on a line": func(d *device) { d.page, d.noPaging, d.erase = 3, true, "\n" },
		"typing ahead is lost":  func(d *device) { d.slurp = true },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice()
			change(d)
			srv := serveDevice(t, d)
			s := dial(t, deviceTarget(srv), shellInfo)
			for range 2 {
				out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "show running-config"})
				if err != nil || out.End != plugins.EndSentinel || string(out.Stdout) != d.answers["show running-config"] {
					t.Fatalf("%s %v\n got %q\nwant %q", out.End, err, out.Stdout, d.answers["show running-config"])
				}
				out, err = s.Run(within(t, 20*time.Second), plugins.Command{Text: "true"})
				if err != nil || out.End != plugins.EndSentinel || len(out.Stdout) > 0 {
					t.Fatalf("silent command: %q %s %v", out.Stdout, out.End, err)
				}
			}
			if n := d.logins.Load(); n != 1 {
				t.Errorf("%d logins", n)
			}
		})
	}
}

// TestShellCut cuts the device's output at every byte, by closing the channel
// and by silence: success is only what is whole.
func TestShellCut(t *testing.T) {
	t.Parallel()
	const most = 240
	var whole atomic.Int32
	cut := func(left int, hang bool) {
		d := newDevice()
		d.greeting = "core1#\n"
		srv := newServer(t)
		srv.shell = func(ch ssh.Channel) {
			r, w := io.Pipe()
			go func() { _ = d.talk(ch, w); _ = w.Close() }()
			_, _ = io.CopyN(ch, r, int64(left))
			if hang {
				_, _ = io.Copy(io.Discard, r)
			}
			_ = r.Close()
		}
		srv.start()
		defer srv.stop()
		patience := 10 * time.Second
		if hang {
			patience = 600 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		info := shellInfo
		info.Shell.Setup = nil
		s, err := Dial(ctx, srv.target(), info)
		if err != nil {
			return
		}
		defer s.Close()
		out, err := s.Run(ctx, plugins.Command{Text: "show running-config", Write: true})
		switch {
		case err == nil && out.End == plugins.EndSentinel && string(out.Stdout) == config:
			whole.Add(1)
		case out.End != plugins.EndCut:
			t.Errorf("cut after %d bytes: %s with %q", left, out.End, out.Stdout)
		case err != nil && !errors.Is(err, plugins.ErrSessionLost) && !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("cut after %d bytes: %v", left, err)
		}
	}
	var g errgroup.Group
	g.SetLimit(12)
	for left := range most {
		g.Go(func() error { cut(left, false); return nil })
		if left%9 == 0 {
			g.Go(func() error { cut(left, true); return nil })
		}
	}
	_ = g.Wait()
	if n := whole.Load(); n < 10 || n > most/2 {
		t.Errorf("%d of %d came out whole: the test proves nothing", n, most)
	}
}

func TestShellQuestions(t *testing.T) {
	d := newDevice()
	srv := serveDevice(t, d)
	s := dial(t, deviceTarget(srv), shellInfo)
	out, err := s.Run(within(t, 10*time.Second), plugins.Command{Text: "ask", Answers: []plugins.Answer{{Prompt: `\[confirm\]$`, Reply: "y", NoNewline: true}}})
	if err != nil || string(out.Stdout) != "Proceed? [confirm]\nkey 'y'\n" || out.End != plugins.EndSentinel {
		t.Errorf("%q %s %v", out.Stdout, out.End, err)
	}
	// Without an answer nothing is typed, the sentinel least of all.
	typed := d.typed.Load()
	out, err = s.Run(within(t, 300*time.Millisecond), plugins.Command{Text: "ask"})
	if !errors.Is(err, context.DeadlineExceeded) || out.End != plugins.EndCut || d.typed.Load() != typed+1 {
		t.Errorf("%q %s %v, %d lines typed", out.Stdout, out.End, err, d.typed.Load()-typed)
	}
	out, err = s.Run(within(t, 10*time.Second), plugins.Command{Text: "read", Input: []byte("one\ntwo")})
	if err != nil || string(out.Stdout) != "got 8 bytes\n" || out.End != plugins.EndSentinel {
		t.Errorf("input: %q %s %v", out.Stdout, out.End, err)
	}
}

func TestEnableRefused(t *testing.T) {
	d := newDevice()
	d.enable = "another"
	srv := serveDevice(t, d)
	_, err := Dial(within(t, 20*time.Second), deviceTarget(srv), shellInfo)
	clean(t, err)
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "enable password is wrong") || d.asked.Load() != 1 {
		t.Errorf("%v; typed %d times", err, d.asked.Load())
	}
	target := deviceTarget(srv)
	target.Enable = secret.Value{}
	_, err = Dial(within(t, 20*time.Second), target, shellInfo)
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "none is set") {
		t.Errorf("without a password: %v", err)
	}
}

// Modes survive on a CLI and nowhere else.
func TestCLI(t *testing.T) {
	d := newDevice()
	d.before = "\r\n"
	s := dial(t, deviceTarget(serveDevice(t, d)), shellInfo)
	run := func(r interface {
		Run(context.Context, plugins.Command) (plugins.Output, error)
	}, cmd string) plugins.Output {
		t.Helper()
		out, err := r.Run(within(t, 20*time.Second), plugins.Command{Text: cmd})
		if err != nil || out.End != plugins.EndSentinel {
			t.Fatalf("%s: %s %v", cmd, out.End, err)
		}
		return out
	}
	c, err := s.CLI(within(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	run(c, "configure terminal")
	if out := run(c, "show running-config"); string(out.Stdout) != config {
		t.Errorf("in a mode: %q", out.Stdout)
	}
	run(s, "true")
	if n := d.logins.Load(); n != 2 {
		t.Errorf("%d logins for a CLI and a command", n)
	}
	run(c, "end")
	_ = c.Close()
	_ = c.Close()
	if _, err := c.Run(within(t, time.Second), plugins.Command{Text: "true"}); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("after Close: %v", err)
	}
	run(s, "configure terminal")
	if len(s.idle) > 0 {
		t.Error("a login in another mode was kept for the next command")
	}
	if out := run(s, "show running-config"); string(out.Stdout) != config {
		t.Errorf("afterwards: %q", out.Stdout)
	}
}

func TestShellTooLarge(t *testing.T) {
	d := newDevice()
	d.answers["big"] = strings.Repeat("0123456789\n", 20000)
	target := deviceTarget(serveDevice(t, d))
	target.MaxOutput = 100000
	s := dial(t, target, shellInfo)
	out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "big"})
	if !errors.Is(err, plugins.ErrTooLarge) || out.End != plugins.EndCut {
		t.Errorf("%s %v", out.End, err)
	}
}

// A device that greets without end is cut.
func TestEndlessGreeting(t *testing.T) {
	srv := newServer(t)
	srv.shell = func(ch ssh.Channel) {
		for {
			if _, err := fmt.Fprint(ch, "welcome to core1#\r\n"); err != nil {
				return
			}
		}
	}
	_, err := Dial(within(t, 20*time.Second), srv.start().target(), shellInfo)
	if !errors.Is(err, plugins.ErrTooLarge) || !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// Ten megabytes take time in proportion, with and without line ends.
func TestShellBig(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{"lines": "interface Ethernet1 core1# x\n", "one line": "core1#core1#core1#core1#core1#"} {
		d := newDevice()
		want := strings.Repeat(line, 10<<20/len(line))
		if !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		d.answers["big"] = want
		s := dial(t, deviceTarget(serveDevice(t, d)), shellInfo)
		start := time.Now()
		out, err := s.Run(within(t, 50*time.Second), plugins.Command{Text: "big"})
		if err != nil || out.End != plugins.EndSentinel || string(out.Stdout) != want {
			t.Errorf("%s: %d of %d bytes, %s, %v", name, len(out.Stdout), len(want), out.End, err)
		}
		t.Logf("%s: %v", name, time.Since(start))
	}
}

// A device that prints something new around every prompt is given up, not
// typed at for ever.
func TestUnstableFrame(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var typed atomic.Int32
	srv.shell = func(ch ssh.Channel) {
		in := bufio.NewReader(ch)
		for n := 0; ; n++ {
			fmt.Fprintf(ch, "time %d\r\ncore1#", n)
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			typed.Add(1)
			fmt.Fprintf(ch, "%s\r\n", strings.TrimSpace(line))
		}
	}
	_, err := Dial(within(t, 20*time.Second), srv.start().target(), shellInfo)
	if !errors.Is(err, ErrUnreachable) || typed.Load() > 10 {
		t.Errorf("%v after %d lines", err, typed.Load())
	}
}

// MaxSessions of 1: an idle login makes way for a CLI.
func TestOneLogin(t *testing.T) {
	d := newDevice()
	info := shellInfo
	info.MaxSessions = 1
	s := dial(t, deviceTarget(serveDevice(t, d)), info)
	c, err := s.CLI(within(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(within(t, 50*time.Millisecond), plugins.Command{Text: "true"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second login: %v", err)
	}
	_ = c.Close()
	if _, err := s.Run(within(t, 10*time.Second), plugins.Command{Text: "true"}); err != nil {
		t.Error(err)
	}
}

// Without a sentinel nothing could be proved.
func TestShellNeedsSentinel(t *testing.T) {
	info := shellInfo
	info.Shell.Sentinel = ""
	if _, err := Dial(context.Background(), Target{Host: "192.0.2.1"}, info); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
