package device_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

func TestClock(t *testing.T) {
	c := device.NewManualClock(start)
	var order []string
	note := func(s string) func() {
		return func() { order = append(order, fmt.Sprint(s, c.Now().Sub(start))) }
	}
	c.AfterFunc(3*time.Second, note("c"))
	c.AfterFunc(time.Second, func() { note("a")(); c.AfterFunc(time.Second, note("b")) })
	stop := c.AfterFunc(2*time.Second, note("never"))
	if !stop() || stop() {
		t.Error("stop")
	}
	c.Advance(2500 * time.Millisecond)
	c.Advance(time.Second)
	if got := strings.Join(order, " "); got != "a1s b2s c3s" || c.Now().Sub(start) != 3500*time.Millisecond {
		t.Errorf("%s at %s", got, c.Now())
	}
}

func TestFaults(t *testing.T) {
	n := 10
	for name, c := range map[string]struct {
		fault device.Fault
		out   string
		lost  bool
		ran   bool
	}{
		"cut":    {device.Fault{Cut: &n}, "Copy compl", true, true},
		"refuse": {device.Fault{Refuse: "% No space left"}, "% No space left\n", false, false},
		"lose":   {device.Fault{Lose: true}, "", true, false},
		"drop":   {device.Fault{Drop: true}, "", true, true},
		"before": {device.Fault{Before: func() {}}, "Copy completed successfully.\n", false, true},
	} {
		d := eos.New(device.Options{Config: eos.Sample, Clock: device.NewManualClock(start)}, eos.Variant{})
		s := d.Session()
		cli, err := s.CLI(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"configure terminal", "hostname other", "end"} {
			if _, err := cli.Run(t.Context(), plugins.Command{Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		c.fault.Command, c.fault.Times = "write", 1
		fired := d.Inject(c.fault)
		out, err := cli.Run(t.Context(), plugins.Command{Text: "write memory"})
		if string(out.Stdout) != c.out || errors.Is(err, plugins.ErrSessionLost) != c.lost {
			t.Errorf("%s: %q, %v", name, out.Stdout, err)
		}
		if ran := strings.Contains(d.Startup(), "hostname other"); ran != c.ran {
			t.Errorf("%s: the command ran: %v", name, ran)
		}
		if _, err := s.Run(t.Context(), plugins.Command{Text: "write memory"}); err != nil || fired() != 1 {
			t.Errorf("%s: struck %d times, then %v", name, fired(), err)
		}
		cli.Close()
		if d.Logins() != 0 {
			t.Errorf("%s: %d logins left", name, d.Logins())
		}
	}
}

func TestHangEndsWithTheDeadline(t *testing.T) {
	d := eos.New(device.Options{Config: eos.Sample}, eos.Variant{})
	ctx, cancel := context.WithCancel(t.Context())
	d.Inject(device.Fault{Command: "show", Before: cancel})
	d.Inject(device.Fault{Command: "show", Hang: true})
	if _, err := d.Session().Run(ctx, plugins.Command{Text: "show version"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTypedAhead: what a command does not read is typed at the prompt behind
// it, and a question that nobody answers cuts the output.
func TestTypedAhead(t *testing.T) {
	d := eos.New(device.Options{Config: eos.Sample, Privileged: true}, eos.Variant{})
	cli := newCLI(t, d)
	out, err := cli.Run(t.Context(), plugins.Command{Text: "copy terminal: session-config", Input: []byte("show hostname\nfrobnicate\n")})
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		t.Fatal(err)
	}
	if want := "% Not in a configuration session\nHostname: leaf1\nFQDN:     leaf1.example.net\n% Invalid input\n"; string(out.Stdout) != want {
		t.Errorf("%q", out.Stdout)
	}
	cli = newCLI(t, d)
	out, err = cli.Run(t.Context(), plugins.Command{Text: "write erase"})
	if err != nil || out.End != plugins.EndCut || d.Startup() == "" {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := cli.Run(t.Context(), plugins.Command{Text: "show version"}); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("after a question without an answer: %v", err)
	}
	if _, err := d.Session().Open(t.Context(), "http", ""); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

func newCLI(t *testing.T, d *device.Device) plugins.CLI {
	t.Helper()
	c, err := d.Session().CLI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestLoginsAreLimitedAndUsersChecked(t *testing.T) {
	d := eos.New(device.Options{Config: eos.Sample, Logins: 1, Privileged: true}, eos.Variant{})
	first := newCLI(t, d)
	if _, err := d.Session().CLI(t.Context()); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("a second login: %v", err)
	}
	first.Close()
	second := newCLI(t, d)
	if !d.Passes("admin", "admin") || d.Passes("admin", "other") || d.Passes("root", "admin") {
		t.Error("logins")
	}
	for _, text := range []string{"configure terminal", "no username admin", "username else secret x"} {
		if _, err := second.Run(t.Context(), plugins.Command{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if d.Passes("admin", "admin") {
		t.Error("a user that the configuration has no more gets in")
	}
}

func TestReloadTakesItsTime(t *testing.T) {
	clock := device.NewManualClock(start)
	d := eos.New(device.Options{Config: eos.Sample, Clock: clock, BootTime: 3 * time.Minute}, eos.Variant{})
	d.Reload()
	if d.Up() {
		t.Error("up while it boots")
	}
	clock.Advance(3 * time.Minute)
	if !d.Up() {
		t.Error("still down")
	}
}

// TestManyAtOnce: eight users on one device, each in a session or in
// configuration mode, while it reloads and loses its network.
func TestManyAtOnce(t *testing.T) {
	d := eos.New(device.Options{Config: eos.Sample, Privileged: true}, eos.Variant{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				cli, err := d.Session().CLI(t.Context())
				if err != nil {
					continue
				}
				name := fmt.Sprintf("s%d", i%3)
				for _, text := range []string{"configure session " + name, "vlan 77", "show session-config diffs", "commit timer 00:00:10",
					"show running-config", "configure session " + name + " abort", "configure terminal", fmt.Sprintf("hostname h%d", i), "end", "write memory"} {
					if _, err := cli.Run(t.Context(), plugins.Command{Text: text}); err != nil {
						break
					}
				}
				cli.Close()
				switch i {
				case 6:
					d.Reload()
				case 7:
					d.Disconnect()
				}
			}
		})
	}
	wg.Wait()
	if d.Logins() != 0 || !strings.HasSuffix(d.Running(), "!\nend\n") {
		t.Errorf("%d logins left; %q", d.Logins(), d.Running())
	}
}

// BenchmarkFleet logs in to a thousand devices that take half a second each,
// 256 at a time.
func BenchmarkFleet(b *testing.B) {
	const devices, at, takes = 1000, 256, 500 * time.Millisecond
	f := device.NewFleet(func(user string) *device.Device {
		return eos.New(device.Options{User: user, Privileged: true, LoginDelay: takes, Config: eos.Sample + "username " + user + " secret x\n"}, eos.Variant{})
	})
	addr, err := f.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for b.Loop() {
		began := time.Now()
		var wg sync.WaitGroup
		slots := make(chan struct{}, at)
		for i := range devices {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				if err := visit(addr.String(), fmt.Sprintf("sw%d", i)); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		ideal := takes * (devices + at - 1) / at
		b.ReportMetric(float64(time.Since(began))/float64(ideal), "×ideal")
	}
}

func visit(addr, user string) error {
	c, err := gossh.Dial("tcp", addr, &gossh.ClientConfig{
		User: user, Auth: []gossh.AuthMethod{gossh.Password("admin")}, HostKeyCallback: gossh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	s.Stdin = strings.NewReader("terminal length 0\nshow running-config\nexit\n")
	out, err := s.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.Shell(); err != nil {
		return err
	}
	buf, all := make([]byte, 4096), 0
	for {
		n, err := out.Read(buf)
		if all += n; err != nil {
			break
		}
	}
	if all < len(eos.Sample) {
		return fmt.Errorf("%s: %d bytes", user, all)
	}
	return nil
}
