package device_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

// shell is a login over SSH, read up to what a test expects.
type shell struct {
	t   *testing.T
	in  io.Writer
	out io.Reader
	got bytes.Buffer
}

func dial(t *testing.T, d *device.Device, auth ...gossh.AuthMethod) (*gossh.Client, error) {
	t.Helper()
	if len(auth) == 0 {
		auth = []gossh.AuthMethod{gossh.Password("admin")}
	}
	c, err := gossh.Dial("tcp", d.Addr().String(), &gossh.ClientConfig{
		User: "admin", Auth: auth, HostKeyCallback: gossh.FixedHostKey(d.HostKey()), Timeout: 10 * time.Second,
	})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func open(t *testing.T, d *device.Device, width int) *shell {
	t.Helper()
	c, err := dial(t, d)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	sh := &shell{t: t}
	if sh.in, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if sh.out, err = s.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("vt100", 24, width, gossh.TerminalModes{gossh.ECHO: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	return sh
}

// until reads up to and with the text and returns it all.
func (s *shell) until(want string) string {
	s.t.Helper()
	buf := make([]byte, 4096)
	for {
		if i := bytes.Index(s.got.Bytes(), []byte(want)); i >= 0 {
			return string(s.got.Next(i + len(want)))
		}
		n, err := s.out.Read(buf)
		s.got.Write(buf[:n])
		if err != nil && n == 0 {
			s.t.Fatalf("the login ended before %q; read %q", want, s.got.String())
		}
	}
}

func (s *shell) enter(text string) { io.WriteString(s.in, text) }

func listen(t *testing.T, o device.Options) *device.Device {
	t.Helper()
	d := eos.New(o, eos.Variant{})
	if _, err := d.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestShellOverSSH(t *testing.T) {
	d := listen(t, device.Options{Config: eos.Sample, Enable: "raise", Banner: "leaf1#\r\nlooks like a prompt\n"})
	sh := open(t, d, 80)
	sh.until("prompt\r\nleaf1>")
	sh.enter("show running-config\r")
	sh.until("% Invalid input (privileged mode required)\r\nleaf1>")
	sh.enter("enable\r")
	sh.until("Password: ")
	sh.enter("raise\r")
	if got := sh.until("leaf1#"); strings.Contains(got, "raise") {
		t.Errorf("the enable password is echoed: %q", got)
	}
	sh.enter("show running-config\r")
	if got := sh.until("--More--"); strings.Count(got, "\n") != 23 { // the echo and a page, of which one line takes two rows
		t.Errorf("a page has %d lines", strings.Count(got, "\n"))
	}
	sh.enter("q")
	sh.until("leaf1#")
	sh.enter("terminal length 0\r")
	sh.until("Pagination disabled.\r\nleaf1#")
	sh.enter("terminal width 32767\r")
	sh.until("Width set to 32767 columns.\r\nleaf1#")
	sh.enter("show running-config\r")
	want := "show running-config\r\n" + strings.ReplaceAll(d.Running(), "\n", "\r\n") + "leaf1#"
	if got := sh.until("\r\nend\r\nleaf1#"); got != want {
		t.Errorf("running configuration over SSH:\n%q\nwant\n%q", got, want)
	}
	sh.enter("configure session nightly-run\r")
	sh.until("\nleaf1(config-s-nightl)#")
	sh.enter("interface Ethernet4\r")
	sh.until("\nleaf1(config-s-nightl-if-Et4)#")
	sh.enter("copy terminal: session-config\rhostname other\r\x04")
	sh.until("Copy completed successfully\r\nleaf1(config-s-nightl")
	sh.enter("commit\r")
	sh.until("\nother#")
	sh.enter("exit\r")
	if rest, _ := io.ReadAll(sh.out); strings.Contains(string(rest), "#") {
		t.Errorf("after exit: %q", rest)
	}
}

func TestNarrowTerminalBreaksTheEcho(t *testing.T) {
	d := listen(t, device.Options{Config: eos.Sample, Privileged: true})
	sh := open(t, d, 20)
	sh.until("leaf1#")
	sh.enter("show running-config\r")
	if got := sh.until("\r\n"); got == "show running-config\r\n" {
		t.Error("a line longer than the terminal is echoed in one piece")
	}
}

func TestLoginMethods(t *testing.T) {
	d := listen(t, device.Options{Config: eos.Sample, NoPassword: true})
	if _, err := dial(t, d); err == nil {
		t.Error("the password method is offered")
	}
	asked := ""
	answer := func(reply string) gossh.AuthMethod {
		return gossh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			asked = strings.Join(questions, ",")
			return []string{reply}, nil
		})
	}
	if _, err := dial(t, d, answer("wrong")); err == nil {
		t.Error("a wrong password is accepted")
	}
	if _, err := dial(t, d, answer("admin")); err != nil || asked != "Password: " {
		t.Errorf("keyboard-interactive asked %q: %v", asked, err)
	}
	key := device.NewSigner()
	d = listen(t, device.Options{Config: eos.Sample, Authorized: key.PublicKey()})
	if _, err := dial(t, d, gossh.PublicKeys(key)); err != nil {
		t.Error(err)
	}
	if _, err := dial(t, d, gossh.PublicKeys(device.NewSigner())); err == nil {
		t.Error("a foreign key is accepted")
	}
}

func TestExec(t *testing.T) {
	d := listen(t, device.Options{Config: eos.Sample, Exec: true, Privileged: true})
	c, err := dial(t, d)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Output("show hostname | include Hostname")
	if err != nil || string(out) != "Hostname: leaf1\r\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestCommitCutsTheManagement: a committed change of the management address
// ends the login and keeps everybody out until the timer puts it back.
func TestCommitCutsTheManagement(t *testing.T) {
	clock := device.NewManualClock(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	d := listen(t, device.Options{Config: eos.Sample, Privileged: true, Clock: clock})
	before := d.Running()
	sh := open(t, d, 80)
	sh.until("leaf1#")
	sh.enter("configure session s\rinterface Management1\rip address 192.0.2.11/24\rcommit timer 00:05:00\r")
	rest, _ := io.ReadAll(sh.out)
	if strings.HasSuffix(string(rest), "leaf1#") {
		t.Errorf("the login survived: %q", rest)
	}
	if _, err := dial(t, d); err == nil {
		t.Error("the device answers on an address that it lost")
	}
	clock.Advance(5*time.Minute - time.Second)
	if d.Running() == before {
		t.Error("rolled back too early")
	}
	clock.Advance(time.Second)
	if d.Running() != before {
		t.Error("not rolled back")
	}
	if _, err := dial(t, d); err != nil {
		t.Errorf("after the rollback: %v", err)
	}
}

func TestFleet(t *testing.T) {
	f := device.NewFleet(func(user string) *device.Device {
		if !strings.HasPrefix(user, "sw") {
			return nil
		}
		return eos.New(device.Options{User: user, Privileged: true, Config: "hostname " + user + "\n"}, eos.Variant{})
	})
	addr, err := f.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, user := range []string{"sw1", "sw1000", "router"} {
		c, err := gossh.Dial("tcp", addr.String(), &gossh.ClientConfig{
			User: user, Auth: []gossh.AuthMethod{gossh.Password("admin")}, HostKeyCallback: gossh.InsecureIgnoreHostKey(),
		})
		if user == "router" {
			if err == nil {
				t.Error("a user without a device gets in")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Shell(); err != nil {
			t.Fatal(err)
		}
		sh := &shell{t: t, out: out}
		sh.until(user + "#")
	}
}
