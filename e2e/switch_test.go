package e2e

import (
	"encoding/json"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// simulated is a simulated switch that a script started.
type simulated struct{ device *device.Device }

func (s *simulated) stop() { s.device.Close() }

// switch NAME [CONFIG]: starts a simulated EOS switch in the test process.
func cmdSwitch(ts *testscript.TestScript, neg bool, args []string) {
	o := device.Options{Config: simulate.Sample("eos"), User: "admin", Password: "switch-password"}
	if len(args) > 1 {
		o.Config = ts.ReadFile(args[1])
	}
	d, err := simulate.New("eos", o)
	ts.Check(err)
	addr, err := d.Listen("127.0.0.1:0")
	ts.Check(err)
	get(ts).switches[args[0]] = &simulated{d}
	ts.Setenv(args[0]+"_addr", addr.String())
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
