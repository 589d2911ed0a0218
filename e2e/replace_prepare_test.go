package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/ios"
)

// A router encrypts, which its feature set allows; the spare was never told that
// it may, and does not know the words. With a word of the operator's it is told,
// reboots, and then takes the configuration. A crash on the way changes nothing
// of that.
func TestReplaceReboots(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	full := strings.Replace(ios.Sample, "archive\n path", "license boot level network-advantage security\n!\ncrypto isakmp policy 10\n encryption aes 256\n group 14\n!\narchive\n path", 1)
	old := startUnit(t, "ios", device.Options{Config: full, Serial: "FOC00000001"}, false)
	h.addUnit(old, "branch1")
	spare := strings.Replace(ios.Sample, "hostname branch1", "hostname spare", 1)
	from, to := strings.Index(spare, "crypto pki trustpoint"), strings.Index(spare, "archive\n")
	spare = spare[:from] + spare[to:]
	// One that refuses them stays as it is, and nothing is left open.
	odd := startUnit(t, "ios", device.Options{Config: spare, Serial: "FOC00000009"}, false)
	odd.Inject(device.Fault{Command: "configure replace", Refuse: "% Invalid input detected at '^' marker."})
	before := settings(odd.Running())
	if r := h.want(17, "replace", "branch1", "--address", odd.l.Addr().String(), "--yes", "--allow-host-key", "--allow-losses", "--allow-reboot"); !strings.Contains(r.err, "does not take what the old one started with") {
		t.Errorf("a unit that refuses: %s", r.err)
	}
	if settings(odd.Running()) != before || len(h.workflows()) > 0 {
		t.Errorf("it was changed, or a workflow is open:\n%s", odd.Running())
	}
	for i, cut := range []point{{}, {"prepare", "begin", ""}, {"prepare", "info", "set and saved"}, {"prepare", "wait", ""}} {
		t.Run(strings.TrimSpace("killed at "+cut.step+" "+cut.phase), func(t *testing.T) {
			fresh := startUnit(t, "ios", device.Options{Config: spare, Serial: fmt.Sprintf("FOC0000001%d", i)}, false)
			args := []string{"replace", "branch1", "--address", fresh.l.Addr().String(), "--yes", "--allow-host-key", "--allow-losses"}
			before := settings(fresh.Running())
			if r := h.want(16, args...); !strings.Contains(r.err, `it lacks "license boot level network-advantage security"`) || !strings.Contains(r.err, "--allow-reboot") {
				t.Errorf("without a word: %s", r.err)
			}
			if settings(fresh.Running()) != before {
				t.Fatal("the unit was changed")
			}
			args = append(args, "--allow-reboot")
			if cut.step == "" {
				r := h.must(args...)
				for _, want := range []string{"the unit reboots", "the unit is back, with license boot level network-advantage security", "timer stands over the change"} {
					if !strings.Contains(r.err, want) {
						t.Errorf("it does not say %q:\n%s", want, r.err)
					}
				}
			} else {
				_, hit, said := h.faultyRun(cut, nil, func(p *os.Process) { _ = p.Kill() }, args...)
				if !hit {
					t.Fatalf("the step was not reached:\n%s", said)
				}
				h.must("replace", "branch1", "--resume", "--yes")
			}
			for _, want := range []string{"hostname branch1", "license boot level network-advantage security", "crypto isakmp policy 10\n encryption aes 256"} {
				if !strings.Contains(fresh.Running(), want) || !strings.Contains(fresh.Startup(), want) {
					t.Errorf("the new router lacks %q:\n%s", want, fresh.Running())
				}
			}
			if r := h.must("receipt", "list", "branch1"); !strings.Contains(r.out, "reboot") {
				t.Errorf("the receipt does not say that it was rebooted:\n%s", r.out)
			}
		})
	}
}
