package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

// pace is how slow a simulated device is.
type pace struct{ login, line time.Duration }

// waits is what devices have made their clients wait for, and what that took of
// the machine.
type waits struct {
	logins, lines int64
	cpu           time.Duration
}

// total is the sum of all waiting on devices of that pace.
func (w waits) total(p pace) time.Duration {
	return time.Duration(w.logins)*p.login + time.Duration(w.lines)*p.line
}

// since returns what came after an earlier reading.
func (w waits) since(earlier waits) waits {
	return waits{w.logins - earlier.logins, w.lines - earlier.lines, w.cpu - earlier.cpu}
}

// paceFor spreads a sum of waiting over one conversation: a fifth for the
// login, the rest over its lines.
func paceFor(sum time.Duration, talk waits) pace {
	p := pace{login: sum / 5 / time.Duration(max(1, talk.logins))}
	p.line = (sum - p.login*time.Duration(talk.logins)) / time.Duration(max(1, talk.lines))
	return p
}

// serveFleet is the other end of a simulated: it runs in a process of its own,
// so that the work of the devices is nobody else's. It says where it is and
// the password, then answers each line on in with what the devices waited, and
// ends with in.
func serveFleet(spec string, in io.Reader, out io.Writer) error {
	var p pace
	var over transport
	if _, err := fmt.Sscan(spec, (*int64)(&p.login), (*int64)(&p.line), &over); err != nil {
		return fmt.Errorf("pace %q: %w", spec, err)
	}
	password := rand.Text()
	var lines, logins atomic.Int64
	fleet := device.NewFleet(func(user string) *device.Device {
		d := eos.New(device.Options{User: user, Password: password, Privileged: true, LoginDelay: p.login, Latency: p.line,
			Config: eos.Sample + "username " + user + " privilege 15 role network-admin secret bench\n"}, eos.Variant{})
		d.Inject(device.Fault{Before: func() { lines.Add(1) }})
		// Everybody who reads a configuration turns paging off, once a login.
		d.Inject(device.Fault{Command: "terminal length 0", Before: func() { logins.Add(1) }})
		return d
	})
	listen := fleet.Listen
	if over == telnet {
		listen = fleet.ListenTelnet
	}
	addr, err := listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer fleet.Close()
	fmt.Fprintln(out, addr, password)
	asked := bufio.NewScanner(in)
	for asked.Scan() {
		fmt.Fprintln(out, logins.Load(), lines.Load(), int64(ownCPU()))
	}
	return asked.Err()
}

// transport is what a fleet is reached over. Telnet has no cipher: what is left
// is the work of the engine.
type transport string

const (
	overSSH transport = "SSH"
	telnet  transport = "Telnet"
)

// simulated is a fleet of simulated devices in a process of its own.
type simulated struct {
	addr, password string
	over           transport

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startFleet(p pace, over transport) (*simulated, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f := &simulated{over: over, cmd: exec.Command(self, "-serve-fleet", fmt.Sprint(int64(p.login), " ", int64(p.line), " ", over))}
	f.cmd.Stderr = os.Stderr
	if f.in, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	f.out = bufio.NewReader(out)
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscanln(f.out, &f.addr, &f.password); err != nil {
		f.stop()
		return nil, fmt.Errorf("simulated fleet: %w", err)
	}
	return f, nil
}

// waited asks what the devices have waited so far.
func (f *simulated) waited() (w waits, err error) {
	if _, err = io.WriteString(f.in, "\n"); err == nil {
		_, err = fmt.Fscanln(f.out, &w.logins, &w.lines, (*int64)(&w.cpu))
	}
	if err != nil {
		err = fmt.Errorf("simulated fleet: %w", err)
	}
	return w, err
}

func (f *simulated) stop() {
	f.in.Close()
	_ = f.cmd.Wait()
}

// fleetUser is the user name that chooses the i-th device of a fleet.
func fleetUser(i int) string { return fmt.Sprintf("dev%04d", i) }

// inventory is a devices.yaml of n devices of the fleet.
func (f *simulated) inventory(n int, hostKey, passwordFile string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "groups:\n  fleet: {driver: eos, auth: {password: {file: %s}}}\ndevices:\n", passwordFile)
	address := f.addr
	if f.over == telnet {
		address = "telnet://" + f.addr
	}
	for i := range n {
		fmt.Fprintf(&b, "  %s:\n    id: \"%032x\"\n    address: %s\n    user: %s\n    groups: [fleet]\n", fleetUser(i), i+1, address, fleetUser(i))
		if f.over == overSSH {
			fmt.Fprintf(&b, "    host-keys:\n      - %s\n", hostKey)
		}
	}
	return b.String()
}
