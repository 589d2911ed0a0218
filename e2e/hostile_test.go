package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// hostile is an SSH server that lets anybody in and then answers as badly as
// it likes. answer serves one exec request (its command) or one shell ("").
type hostile struct {
	config *ssh.ServerConfig
	hello  []byte // sent before the protocol's version line
	answer func(c ssh.Channel, command string)
	swap   func() // called before each connection
}

const nasty = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\x00\r\x08"

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// listen serves until the test ends and returns the address.
func (s *hostile) listen(t *testing.T) string {
	t.Helper()
	if s.config == nil {
		s.config = &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, nil }}
		s.config.AddHostKey(newSigner(t))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if s.swap != nil {
				s.swap()
			}
			go s.serve(c)
		}
	}()
	return l.Addr().String()
}

func (s *hostile) serve(c net.Conn) {
	defer c.Close()
	if _, err := c.Write(s.hello); err != nil {
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(requests)
	for n := range channels {
		if n.ChannelType() != "session" {
			_ = n.Reject(ssh.Prohibited, nasty)
			continue
		}
		ch, requests, err := n.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				ok := r.Type == "exec" || r.Type == "shell" || r.Type == "pty-req" || r.Type == "env" || r.Type == "window-change"
				if r.WantReply {
					_ = r.Reply(ok, nil)
				}
				switch r.Type {
				case "exec":
					var p struct{ Command string }
					_ = ssh.Unmarshal(r.Payload, &p)
					go s.answer(ch, p.Command)
				case "shell":
					go s.answer(ch, "")
				}
			}
		}()
	}
}

// exit ends a command with a status of its own choice.
func exit(c ssh.Channel, status uint32) {
	_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ S uint32 }{status}))
	_ = c.Close()
}

// again writes the same for ever, or until the other side is fed up.
func again(text string) func(ssh.Channel, string) {
	return func(c ssh.Channel, _ string) {
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// prompted behaves like a command line that answers everything with text.
func prompted(prompt, text string) func(ssh.Channel, string) {
	return func(c ssh.Channel, command string) {
		if command != "" {
			_, _ = io.WriteString(c, text)
			exit(c, 0)
			return
		}
		_, _ = io.WriteString(c, prompt)
		var line []byte
		one := make([]byte, 1)
		for {
			if _, err := c.Read(one); err != nil {
				return
			}
			if one[0] != '\n' && one[0] != '\r' {
				line = append(line, one[0])
				continue
			}
			if _, err := fmt.Fprintf(c, "%s\r\n%s\r\n%s", line, text, prompt); err != nil {
				return
			}
			line = line[:0]
		}
	}
}

// Whatever a device answers: the agent ends in time, needs no more memory than
// it may, prints no control character of the device's, and calls nothing
// complete.
func TestHostileDevices(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		device hostile
	}{
		{"endless bytes", hostile{answer: again(strings.Repeat("A", 1<<16))}},
		{"endless lines", hostile{answer: again(strings.Repeat("interface Ethernet1\r\n", 1<<10))}},
		{"endless prompts", hostile{answer: again("switch#switch#\r\nswitch#")}},
		{"endless control characters", hostile{answer: again(nasty)}},
		{"a line of 10 MB", hostile{answer: prompted("switch#", strings.Repeat("x", 10<<20))}},
		{"zeros", hostile{answer: prompted("switch#", strings.Repeat("\x00", 1<<20))}},
		{"control characters as answer", hostile{answer: prompted("switch#", nasty+"hostname owned"+nasty+"\r\nend")}},
		{"control characters as prompt", hostile{answer: prompted("sw"+nasty+"itch#", "end")}},
		{"nothing and success", hostile{answer: func(c ssh.Channel, _ string) { exit(c, 0) }}},
		{"nothing and failure", hostile{answer: func(c ssh.Channel, _ string) { exit(c, 255) }}},
		{"a lie about the exit status", hostile{answer: func(c ssh.Channel, _ string) {
			_, _ = io.WriteString(c, "Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\nhostname x\nrouter bg")
			exit(c, 0)
		}}},
		{"closed at once", hostile{answer: func(c ssh.Channel, _ string) { _ = c.Close() }}},
		{"closed after a few bytes", hostile{answer: func(c ssh.Channel, _ string) { _, _ = io.WriteString(c, "switch"); _ = c.Close() }}},
		{"silence", hostile{answer: func(ssh.Channel, string) {}}},
		{"a byte now and then", hostile{answer: func(c ssh.Channel, _ string) {
			for tick := time.NewTicker(200 * time.Millisecond); ; <-tick.C {
				if _, err := c.Write([]byte("a")); err != nil {
					tick.Stop()
					return
				}
			}
		}}},
		{"endless lines before the greeting", hostile{hello: bytes.Repeat([]byte("welcome "+nasty+"\r\n"), 100_000), answer: prompted("switch#", "end")}},
		{"a greeting of one line", hostile{hello: bytes.Repeat([]byte("x"), 3<<20), answer: prompted("switch#", "end")}},
	}
	for _, tt := range tests {
		for _, driver := range []string{"frr", "eos"} {
			t.Run(tt.name+"/"+driver, func(t *testing.T) {
				t.Parallel()
				h := newHome(t)
				appendFile(t, filepath.Join(h.dir, "config.yaml"), "device-timeout: 8s\n")
				d := tt.device
				addr := d.listen(t)
				h.must("device", "add", "d", "--driver", driver, "--address", addr, "--user", "u", "--password-file", h.secretFile("pw", "hunter2-secret"))
				if len(d.hello) == 0 {
					h.must("device", "trust", "d", "--yes")
				} else {
					pin(t, h, d.config, addr)
				}
				h.survives(t, 60*time.Second, "backup", "d", "-v")
			})
		}
	}
}

// pin writes a host key that `device trust` could not fetch.
func pin(t *testing.T, h *home, c *ssh.ServerConfig, addr string) {
	t.Helper()
	r := h.run("device", "trust", "d", "--yes")
	if r.code != 0 && r.code != 13 {
		t.Fatalf("device trust: %d %s", r.code, r.err)
	}
}

// survives runs a command against a device that means harm.
func (h *home) survives(t *testing.T, within time.Duration, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := h.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !timer.Stop() {
		t.Fatalf("cfgvault %s does not end within %v\n%.2000s", strings.Join(args, " "), within, errs.String())
	}
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	code := cmd.ProcessState.ExitCode()
	if code == 0 || code == 2 || code == -1 || code == 130 {
		t.Errorf("exit status %d\n%.2000s", code, errs.String())
	}
	if n := bytes.IndexFunc(append(out.Bytes(), errs.Bytes()...), func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 }); n >= 0 {
		t.Errorf("a control character was printed at %d: %.2000q", n, out.String()+errs.String())
	}
	if strings.Contains(out.String()+errs.String(), "hunter2-secret") {
		t.Errorf("the password was printed")
	}
	if errs.Len() > 64<<10 {
		t.Errorf("%d bytes on stderr", errs.Len())
	}
	if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && use.Maxrss > 700<<10 {
		t.Errorf("%d MiB of memory", use.Maxrss>>10)
	}
	for _, s := range h.list("d") {
		if s.Verdict == "complete" || s.Latest {
			t.Errorf("stored as complete: %+v", s)
		}
	}
	t.Logf("exit %d, %d MiB, %v: %.300s", code, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10, cmd.ProcessState.UserTime().Round(time.Millisecond), lastLine(errs.String()))
	return result{out: out.String(), err: errs.String(), code: code}
}

// lastLine is the last line that is not of the log.
func lastLine(s string) string {
	last := ""
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "time=") {
			last = strings.TrimSpace(line)
		}
	}
	return last
}

// A login that asks strange questions gets no secret in the wrong place.
func TestHostileQuestions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		questions []string
	}{
		{"another secret", []string{"PIN of your bank card" + nasty + ": "}},
		{"two at once", []string{"Password: ", "Repeat the password of your vault: ", "Name of your pet: "}},
		{"a thousand", func() []string {
			q := make([]string, 1000)
			for i := range q {
				q[i] = fmt.Sprintf("question %d%s? ", i, nasty)
			}
			return q
		}()},
		{"none, for ever", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var leaked atomic.Bool
			var asked atomic.Int64
			c := &ssh.ServerConfig{KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				for {
					asked.Add(1)
					answers, err := ask(nasty, nasty, tt.questions, make([]bool, len(tt.questions)))
					if err != nil {
						return nil, err
					}
					for _, a := range answers {
						if strings.Contains(a, "hunter2-secret") {
							leaked.Store(true)
						}
					}
					if len(tt.questions) > 0 {
						return nil, errors.New("wrong")
					}
				}
			}}
			c.AddHostKey(newSigner(t))
			h := newHome(t)
			appendFile(t, filepath.Join(h.dir, "config.yaml"), "device-timeout: 8s\n")
			addr := (&hostile{config: c, answer: prompted("switch#", "end")}).listen(t)
			h.must("device", "add", "d", "--driver", "eos", "--address", addr, "--user", "u", "--password-file", h.secretFile("pw", "hunter2-secret"))
			h.must("device", "trust", "d", "--yes")
			r := h.survives(t, 60*time.Second, "backup", "d")
			if r.code != 13 {
				t.Errorf("exit status %d, want 13: %s", r.code, r.err)
			}
			if asked.Load() == 0 || leaked.Load() {
				t.Errorf("asked %d times, leaked: %v", asked.Load(), leaked.Load())
			}
		})
	}
}

// Another host key than the pinned one: nothing is sent, both are named.
func TestHostileHostKey(t *testing.T) {
	t.Parallel()
	first, second := newSigner(t), newSigner(t)
	var passwords atomic.Int64
	var replaced atomic.Bool
	conf := func(s ssh.Signer) *ssh.ServerConfig {
		c := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
			passwords.Add(1)
			return nil, errors.New("no")
		}}
		c.AddHostKey(s)
		return c
	}
	s := &hostile{config: conf(first), answer: prompted("switch#", "end")}
	s.swap = func() {
		if replaced.Load() {
			s.config = conf(second)
		}
	}
	h := newHome(t)
	addr := s.listen(t)
	h.must("device", "add", "d", "--driver", "eos", "--address", addr, "--user", "u", "--password-file", h.secretFile("pw", "hunter2-secret"))
	h.must("device", "trust", "d", "--yes")
	replaced.Store(true)
	r := h.want(13, "backup", "d")
	for _, k := range []ssh.Signer{first, second} {
		if print := ssh.FingerprintSHA256(k.PublicKey()); !strings.Contains(r.err, print) {
			t.Errorf("%s is not named: %s", print, r.err)
		}
	}
	if passwords.Load() != 0 {
		t.Error("a password was sent to an unknown host key")
	}
}

// A device whose configuration holds control characters writes none of them to
// a terminal.
func TestControlCharactersInConfiguration(t *testing.T) {
	t.Parallel()
	config := strings.Replace(simulate.Sample("eos"), "hostname ", "banner motd\n\x1b[2J\x1b]0;owned\x07 welcome\nEOF\n!\nhostname ", 1)
	d, err := simulate.New("eos", device.Options{Config: config, User: "admin", Password: "switch-password"})
	if err != nil {
		t.Fatal(err)
	}
	addr, err := d.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	h := newHome(t)
	h.must("device", "add", "sw", "--driver", "eos", "--address", addr.String(), "--user", "admin", "--password-file", h.secretFile("pw", "switch-password"))
	h.must("device", "trust", "sw", "--yes")
	for _, args := range [][]string{
		{"backup", "sw", "-v"}, {"show", "sw"}, {"show", "sw", "--native", "running-config"}, {"show", "sw", "--tree"}, {"show", "sw", "--residual"},
		{"show", "sw", "--manifest"}, {"list", "sw"}, {"list"}, {"diff", "sw", "live"}, {"restore", "sw", "--dry-run"}, {"check", "--read-data"},
	} {
		r := h.run(args...)
		t.Logf("%v: %d", args, r.code)
		if strings.ContainsAny(r.out+r.err, "\x1b\x07") {
			t.Errorf("cfgvault %s printed control characters: %q", strings.Join(args, " "), r.out+r.err)
		}
	}
}

// A plugin of somebody else that does everything but its work.
func TestHostilePlugins(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.newSwitch("good")
	dir := filepath.Join(h.dir, "plugins")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h.env = append(h.env, "CANARY_VARIABLE=hunter2-secret")
	stolen := filepath.Join(t.TempDir(), "stolen")
	for name, script := range map[string]string{
		"junk":   `while :; do printf '\033[31mjunk\007\n' || exit; done`,
		"crash":  `kill -SEGV $$`,
		"exit":   `exit 0`,
		"silent": `exec sleep 1000`,
		"fakes":  `echo '1|1|tcp|127.0.0.1:1|grpc|'; exec sleep 1000`,
		"thief":  `env > ` + stolen + `; timeout 2 cat >> ` + stolen + `; ls -l /proc/$$/fd >> ` + stolen + `; exit 1`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "cfgvault-plugin-"+name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		// Trusting may look at the plugin; it must end either way.
		if r := h.run("plugin", "trust", name); r.code != 0 && r.code != 14 {
			t.Errorf("plugin trust %s: %d %s", name, r.code, r.err)
		}
		begun := time.Now()
		r := h.want(14, "plugin", "info", name)
		if strings.ContainsAny(r.out+r.err, "\x1b\x07") {
			t.Errorf("%s: control characters: %q", name, r.err)
		}
		if len(r.err) > 16<<10 {
			t.Errorf("%s: %d bytes on stderr", name, len(r.err))
		}
		t.Logf("%s: %v: %.200s", name, time.Since(begun).Round(time.Millisecond), lastLine(r.err))
	}
	if text, err := os.ReadFile(stolen); err != nil || bytes.Contains(text, []byte("hunter2-secret")) || bytes.Contains(text, []byte("HOME=")) {
		t.Errorf("%v, the plugin saw:\n%s", err, text)
	}
	h.must("backup", "good")
	left, err := exec.Command("pgrep", "-f", dir).Output()
	if err == nil {
		t.Errorf("processes are left: %s", left)
	}
}
