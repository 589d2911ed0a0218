package session

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cfgvault/cfgvault/plugins"
)

// loginScript asks as login(1) does, without the machine's accounts.
const loginScript = `#!/bin/sh
printf 'core1 login: '; read -r user
stty -echo; printf 'Password: '; read -r password; stty echo; echo
[ "$user:$password" = "admin:` + canary + `" ] || { echo 'Login incorrect'; exit 1; }
printf 'Last login: never\ncore1$\n'
exec env -i PATH="$PATH" TERM="$TERM" PS1='core1$ ' /bin/sh -i
`

func shInfo() plugins.Info {
	return plugins.Info{
		Name: "sh", Transports: []plugins.Transport{plugins.TransportTelnet, plugins.TransportConsole},
		Shell: plugins.Shell{Prompt: `^[\w.-]+[$#] $`, Sentinel: ": %s", Exit: "exit", CommandEcho: true},
	}
}

// TestInetutilsTelnetd talks to GNU inetutils' server: its negotiation, its
// terminal, and bytes that Telnet escapes.
func TestInetutilsTelnetd(t *testing.T) {
	t.Parallel()
	bin := sbin("telnetd")
	login := filepath.Join(t.TempDir(), "login")
	if err := os.WriteFile(login, []byte(loginScript), 0o755); err != nil {
		t.Fatal(err)
	}
	port := serve(t, func(c net.Conn) {
		f, err := c.(*net.TCPConn).File()
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		cmd := exec.Command(bin, "--exec-login="+login)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = f, f, f
		_ = cmd.Run()
	})
	target := plainTarget(port, plugins.TransportTelnet)
	s, err := Dial(within(t, 30*time.Second), target, shInfo())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for command, want := range map[string]string{
		`printf 'a\377b\377\377\n'`: "a\xffb\xff\xff\n",
		"echo $TERM":                "vt100\n",
		"stty size":                 fmt.Sprintf("%d %d\n", telnetRows, telnetColumns),
		"seq 20000":                 lines(20000),
		"echo 'core1$ '; sleep 0.1": "core1$ \n",
	} {
		out, err := s.Run(within(t, 30*time.Second), plugins.Command{Text: command})
		if err != nil || out.End != plugins.EndSentinel || string(out.Stdout) != want {
			t.Errorf("%s: %.80q %s %v", command, out.Stdout, out.End, err)
		}
	}
	target.User = "eve"
	if _, err := Dial(within(t, 30*time.Second), target, shInfo()); !errors.Is(err, ErrAuth) {
		t.Errorf("wrong user: %v", err)
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d\n", i+1)
	}
	return b.String()
}

// sbin finds a server that may not be in PATH.
func sbin(name string) string {
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	return "/usr/sbin/" + name
}

// TestSer2net reaches a console through ser2net, raw and with its Telnet
// layer: one user at a time, and left logged out.
func TestSer2net(t *testing.T) {
	t.Parallel()
	for name, accepter := range map[string]string{"raw": "tcp,127.0.0.1,%d", "telnet": "telnet,tcp,127.0.0.1,%d"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &line{state: "config"}
			tty := serialLine(t, l)
			port := freePort(t)
			conf := filepath.Join(t.TempDir(), "ser2net.yaml")
			text := fmt.Sprintf("connection: &core1\n  accepter: "+accepter+"\n  connector: serialdev,%s,9600n81,local\n", port, tty)
			if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(sbin("ser2net"), "-n", "-d", "-c", conf, "-P", filepath.Join(t.TempDir(), "pid"))
			log := &strings.Builder{}
			cmd.Stdout, cmd.Stderr = log, log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			target := plainTarget(port, plugins.TransportConsole)
			target.Negotiate = name == "telnet"
			s, err := Dial(within(t, 40*time.Second), target, plainInfo())
			if err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			out, err := s.Run(within(t, 30*time.Second), plugins.Command{Text: "show running-config"})
			if err != nil || out.End != plugins.EndSentinel || string(out.Stdout) != config {
				t.Errorf("%q %s %v", out.Stdout, out.End, err)
			}
			if _, err := Dial(within(t, 30*time.Second), target, plainInfo()); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "already in use") {
				t.Errorf("a second user: %v", err)
			}
			_ = s.Close()
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.state != "" || l.logins != 1 {
				t.Errorf("left in state %q after %d logins", l.state, l.logins)
			}
		})
	}
}

func freePort(t *testing.T) int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// serialLine puts the line behind a terminal device and returns its path.
func serialLine(t *testing.T, l *line) string {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty := fmt.Sprintf("/dev/pts/%d", n)
	// Held open, and raw, so that the line outlives each user of it.
	slave, err := os.OpenFile(tty, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Iflag, mode.Oflag, mode.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); l.talk(master, false) }()
	t.Cleanup(func() { _ = slave.Close(); _ = master.Close(); <-done })
	return tty
}
