package e2e

import (
	"encoding/json"
	"net"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// simulated is a simulated switch that a script started.
type simulated struct{ device *device.Device }

func (s *simulated) stop() { s.device.Close() }

// switch NAME [driver=DRIVER] [CONFIG|telnet|console]: starts a simulated device,
// an EOS switch unless said otherwise, in the test process, reached over SSH or
// as said.
func cmdSwitch(ts *testscript.TestScript, neg bool, args []string) {
	driver := "eos"
	if len(args) > 1 && strings.HasPrefix(args[1], "driver=") {
		driver = strings.TrimPrefix(args[1], "driver=")
		args = append([]string{args[0]}, args[2:]...)
	}
	o := device.Options{Config: simulate.Sample(driver), User: "admin", Password: "switch-password"}
	scheme := ""
	if len(args) > 1 && (args[1] == "telnet" || args[1] == "console") {
		scheme = args[1] + "://"
	} else if len(args) > 1 {
		o.Config = ts.ReadFile(args[1])
	}
	d, err := simulate.New(driver, o)
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	switch scheme {
	case "telnet://":
		go d.ServeTelnet(l)
	case "console://":
		go d.ServeConsole(l)
	default:
		go d.Serve(l)
	}
	get(ts).switches[args[0]] = &simulated{d}
	ts.Setenv(args[0]+"_addr", scheme+l.Addr().String())
	ts.Setenv(args[0]+"_user", o.User)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pw"), []byte(o.Password+"\n"), 0o600))
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
