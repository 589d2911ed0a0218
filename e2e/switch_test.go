package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// simulated is a simulated device that a script started, at the end of a cable.
type simulated struct {
	device *device.Device
	driver string
	scheme string
	cable  *cable
	clock  *skipClock
	held   plugins.CLI // a login of somebody else

	watch sync.WaitGroup
	ended chan struct{}
}

func (s *simulated) stop() {
	if s.held != nil {
		s.held.Close()
	}
	close(s.ended)
	s.watch.Wait()
	s.device.Close()
	s.cable.stop()
}

// switch NAME [driver=DRIVER] [serial=S] [enable=PASSWORD] [telnet|console] [CONFIG]:
// starts a simulated device, an EOS switch unless said otherwise, in the test
// process, reached over SSH or as said. Its address is in $NAME_addr, its login
// in $NAME_user, the password in the file NAME.pw.
func cmdSwitch(ts *testscript.TestScript, neg bool, args []string) {
	s := &simulated{driver: "eos", clock: &skipClock{}, ended: make(chan struct{})}
	o := device.Options{User: "admin", Password: "switch-password", Clock: s.clock}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "driver":
			s.driver = value
		case "serial":
			o.Serial = value
		case "enable":
			o.Enable = value
			ts.Check(os.WriteFile(ts.MkAbs(args[0]+".enable"), []byte(value+"\n"), 0o600))
		case "telnet", "console":
			s.scheme = key + "://"
		default:
			o.Config = ts.ReadFile(arg)
		}
	}
	switch s.driver {
	case "openwrt":
		o.User = "root"
	case "vyos":
		o.User = "vyos"
	}
	if o.Config == "" {
		o.Config = simulate.Sample(s.driver)
	}
	var err error
	s.device, err = simulate.New(s.driver, o)
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	switch s.scheme {
	case "telnet://":
		go s.device.ServeTelnet(l)
	case "console://":
		go s.device.ServeConsole(l)
	default:
		go s.device.Serve(l)
	}
	s.cable, err = layCable(l.Addr().String())
	ts.Check(err)
	get(ts).switches[args[0]] = s
	ts.Setenv(args[0]+"_addr", s.scheme+s.cable.l.Addr().String())
	ts.Setenv(args[0]+"_user", o.User)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pw"), []byte(o.Password+"\n"), 0o600))
}

// simulatedOf is the device that a script calls by that name.
func simulatedOf(ts *testscript.TestScript, name string) *simulated {
	s := get(ts).switches[name]
	if s == nil {
		ts.Fatalf("no simulated device %s", name)
	}
	return s
}

// read NAME FILE: what a simulated device says to a person who logs in with a
// plain client, without what it says anew each time.
func cmdRead(ts *testscript.TestScript, neg bool, args []string) {
	s := simulatedOf(ts, args[0])
	text, err := readAsPerson(s)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// type NAME LINE…: somebody types lines at the device's console.
func cmdType(ts *testscript.TestScript, neg bool, args []string) {
	said, err := simulatedOf(ts, args[0]).device.Type(context.Background(), args[1:]...)
	fmt.Fprint(ts.Stdout(), said)
	ts.Check(err)
}

// hold NAME LINE…: somebody types lines and stays logged in; without lines he
// leaves.
func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	s := simulatedOf(ts, args[0])
	if len(args) == 1 {
		ts.Check(s.held.Close())
		s.held = nil
		return
	}
	var err error
	s.held, err = s.device.Session().CLI(context.Background())
	ts.Check(err)
	for _, l := range args[1:] {
		_, err := s.held.Run(context.Background(), plugins.Command{Text: l, Write: true})
		ts.Check(err)
	}
}

// bootstrap NAME: what a technician types at the console of a unit without
// configuration, so that it can be reached and restored.
func cmdBootstrap(ts *testscript.TestScript, neg bool, args []string) {
	s := simulatedOf(ts, args[0])
	ts.Check(simulate.Bootstrap(context.Background(), s.driver, s.device))
}

// elapse NAME DURATION [lost|changed|shows TEXT]: time passes on a simulated
// device; with a word, as soon as nobody can reach it any more, its configuration
// changed or has a text in it.
func cmdElapse(ts *testscript.TestScript, neg bool, args []string) {
	s := simulatedOf(ts, args[0])
	d, err := time.ParseDuration(args[1])
	ts.Check(err)
	if len(args) == 2 {
		s.clock.Skip(d)
		return
	}
	before := s.device.Running()
	happened := map[string]func() bool{
		"changed": func() bool { return s.device.Running() != before },
		"shows":   func() bool { return strings.Contains(s.device.Running(), args[3]) },
		"lost": func() bool {
			cli, err := s.device.Login()
			if err == nil {
				cli.Close()
			}
			return err != nil
		},
	}[args[2]]
	s.watch.Go(func() {
		for !happened() {
			select {
			case <-s.ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
		s.clock.Skip(d)
	})
}

// refuse NAME COMMAND TEXT: the device answers the commands that begin so with
// a text and does nothing; without a command it is itself again.
func cmdRefuse(ts *testscript.TestScript, neg bool, args []string) {
	s := simulatedOf(ts, args[0])
	if len(args) == 1 {
		s.device.ClearFaults()
		return
	}
	s.device.Inject(device.Fault{Command: args[1], Refuse: args[2]})
}

// cut NAME COMMAND [CONTAINS]: after the device has done what begins so, and
// before anybody hears of it, its cable is cut, and joined a moment later.
func cmdCut(ts *testscript.TestScript, neg bool, args []string) {
	s := simulatedOf(ts, args[0])
	f := device.Fault{Command: args[1], Contains: strings.Join(args[2:], " "), Times: 1}
	refuse := f
	refuse.Before = func() {
		s.cable.Refuse()
		time.AfterFunc(300*time.Millisecond, s.cable.Join)
	}
	s.device.Inject(refuse)
	f.Drop = true
	s.device.Inject(f)
}

// reload NAME [COMMAND]: the device reboots, now or as it is given a command
// that begins so.
func cmdReload(ts *testscript.TestScript, neg bool, args []string) {
	s := simulatedOf(ts, args[0])
	if len(args) == 1 {
		s.device.Reload()
		return
	}
	s.device.Inject(device.Fault{Command: args[1], Times: 1, Before: s.device.Reload})
}

// snapshotIDs reads the ids of `list NAME --json`, oldest first.
func snapshotIDs(out []byte) ([]string, error) {
	var all []struct{ ID string }
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return ids, nil
}
