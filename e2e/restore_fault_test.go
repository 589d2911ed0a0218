package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// otherwise is what somebody types to give a unit another configuration, saved.
func otherwise(driver string) []string {
	switch driver {
	case "ios":
		return []string{"configure terminal", "hostname other", "no ntp server 192.0.2.123", "end", "write memory"}
	case "nxos":
		return []string{"configure terminal", "hostname other", "no feature bgp", "end", "copy running-config startup-config"}
	case "iosxr":
		return []string{"configure", "hostname other", "no router static", "commit", "end"}
	case "junos":
		return []string{"configure", "set system host-name other", "delete snmp", "commit", "exit"}
	case "vyos":
		return []string{"configure", "set system host-name other", "delete service snmp", "commit", "save", "exit"}
	}
	return []string{"/system identity set name=other", "/ip route remove [find distance=5]"}
}

// A SIGKILL of the agent at every step of the journal, on units that go back in
// different ways: --resume ends in confirmed or rolled back, never half.
func TestKillOnEveryPlatform(t *testing.T) {
	for _, driver := range []string{"ios", "iosxr", "junos", "nxos", "routeros", "vyos"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			killEverywhere(t, driver)
		})
	}
}

func killEverywhere(t *testing.T, driver string) {
	clock := &skipClock{}
	b := startUnit(t, driver, device.Options{Config: simulate.Sample(driver), Serial: "TEST0000001", Clock: clock}, false)
	h := newHome(t)
	h.addUnit(b, "r1")
	full, saved := settings(b.Running()), settings(b.Startup())
	change := func() string {
		if said, err := b.Type(t.Context(), otherwise(driver)...); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		return settings(b.Running())
	}
	other := change()
	if other == full || settings(b.Startup()) == saved {
		t.Fatalf("nothing was changed:\n%s", other)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-9s %-12s %-12s %-8s %s\n", "platform", "kill at", "last step", "resume", "device")
	for _, p := range killPoints {
		if settings(b.Running()) != other {
			if got := change(); got != other {
				t.Fatalf("the unit cannot be changed again:\n%s", got)
			}
		}
		h.killRestore("r1", p.line, "--allow-losses")
		last := h.lastStep("r1")
		if driver == "iosxr" { // nobody but the agent that died could confirm: wait for the trial's end
			b.Disconnect()
			clock.Skip(2 * time.Minute)
		}
		res := h.run("restore", "r1", "--resume", "--yes", "--allow-losses")
		running, state := settings(b.Running()), "HALF"
		switch {
		case running == full && settings(b.Startup()) != saved:
			state = "NOT SAVED"
		case running == full:
			state = "restored"
		case running == other:
			state = "as before"
		}
		fmt.Fprintf(&table, "%-9s %-12s %-12s %-8d %s\n", driver, p.step, last, res.code, state)
		switch {
		case res.code == 0 && state == "restored", res.code == 17 && state == "as before":
		default:
			t.Errorf("killed at %s (last step %s): --resume ended with %d, the device is %s\n%s%s", p.step, last, res.code, state, res.out, res.err)
		}
		if last == "" {
			t.Errorf("killed at %s: the restore had ended, nothing was tested", p.step)
		}
		h.want(2, "restore", "r1", "--resume", "--yes") // nothing is left to resume
	}
	h.must("restore", "r1", "--yes", "--allow-losses")
	b.Reload()
	if got := settings(b.Running()); got != full {
		t.Errorf("after a restore and a reboot:\n%s", got)
	}
	t.Logf("SIGKILL of the agent at every journal step:\n%s", table.String())
}

// The agent dies while it puts a router's configuration onto a switch of another
// platform: --resume compares with the same meaning, without the lines that the
// switch had said it does not take.
func TestKillAcrossPlatforms(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	from := startUnit(t, "ios", device.Options{Config: simulate.Sample("ios"), Serial: "TEST0000001"}, false)
	h.addUnit(from, "r1")
	names := h.secretFile("map.yaml", "GigabitEthernet1: Management1\nGigabitEthernet2: Ethernet1")
	var table strings.Builder
	for i, p := range killPoints {
		onto := startUnit(t, "eos", device.Options{Config: simulate.Sample("eos"), Serial: fmt.Sprintf("SSJ0000000%d", i)}, false)
		name := fmt.Sprintf("sw%d", i)
		h.addUnit(onto, name)
		before := settings(onto.Running())
		h.killRestore("r1", p.line, "--to", name, "--map", names, "--accept-loss", "--allow-losses")
		last := h.lastStep(name)
		res := h.run("restore", name, "--resume", "--yes", "--accept-loss")
		running, state := settings(onto.Running()), "HALF"
		switch {
		case running == before:
			state = "as before"
		case strings.Contains(running, "hostname branch1\n") && strings.Contains(running, "ip address 198.51.100.1/24") && running == settings(onto.Startup()):
			state = "restored"
		}
		fmt.Fprintf(&table, "%-12s %-12s %-8d %s\n", p.step, last, res.code, state)
		if res.code != 0 || state != "restored" {
			t.Errorf("killed at %s: --resume ended with %d, the switch is %s\n%s%s", p.step, res.code, state, res.err, running)
		}
		if last == "" {
			t.Errorf("killed at %s: the restore had ended, nothing was tested", p.step)
		}
		h.want(2, "restore", name, "--resume", "--yes")
	}
	t.Logf("SIGKILL of the agent on the way from IOS to EOS:\n%s", table.String())
}
