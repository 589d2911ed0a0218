package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

// At night a switch dies. The one on the shelf numbers its ports in another way.
// A technician puts it on the bench, types one command, and then only what the
// screen asks for.
func TestNightShift(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	listen := func(o device.Options) *bench {
		o.User, o.Password = "admin", "switch-password"
		d := eos.New(o, eos.Variant{})
		addr, err := d.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return &bench{Device: d, cable: newCable(t, addr.String()), driver: "eos", serial: o.Serial}
	}
	sample := simulate.Sample("eos")
	old := listen(device.Options{Config: sample, Serial: "SSJ00000001", Neighbors: map[string]string{"Ethernet1": "spine1 Ethernet7"}})
	h.addUnit(old, "leaf1")
	full := old.Running()
	old.Cut() // dead

	ports := strings.NewReplacer("Ethernet1", "Ethernet1/4", "Ethernet2", "Ethernet1/1", "Ethernet3", "Ethernet1/2", "Ethernet4", "Ethernet1/3")
	fresh := listen(device.Options{Config: ports.Replace(sample), Serial: "SSJ00000099", Neighbors: map[string]string{"Ethernet1/4": "spine1 Ethernet7"}})
	fresh.FactoryReset()

	cmd := h.command("replace", "leaf1", "--address", fresh.l.Addr().String())
	cmd.Env = append(cmd.Env, "NO_COLOR=1", "TERM=dumb")
	s := openTerminal(t, cmd)
	asked := s.await("Is that the one that the unit's console shows? [y/N] ")
	for _, want := range []string{"1. snapshot:", "12. receipt:", "compare it with what its console shows", ssh.FingerprintSHA256(fresh.HostKey())} {
		if !strings.Contains(asked, want) {
			t.Errorf("the screen does not say %q before it asks for the host key:\n%s", want, asked)
		}
	}
	s.typed("y")
	asked = s.await("Apply this map? [y/N] ")
	for _, want := range []string{"SSJ00000099", `"Ethernet1": "Ethernet1/4" # by neighbour: spine1 Ethernet7`, `"Ethernet2": "Ethernet1/1" # by role`, "leaf1.map.yaml"} {
		if !strings.Contains(asked, want) {
			t.Errorf("the screen does not say %q before it asks for the map:\n%s", want, asked)
		}
	}
	s.typed("y")
	asked = s.await("Restore leaf1? [y/N] ")
	if !strings.Contains(asked, "interface Ethernet1/4") || strings.Contains(asked, "sample-community") {
		t.Errorf("the plan:\n%s", asked)
	}
	s.typed("y")
	code, screen := s.end()
	t.Logf("the screen of the night shift:\n%s", screen)
	if code != 0 || !strings.Contains(screen, "leaf1: replaced, equal to snapshot") {
		t.Fatalf("exit status %d", code)
	}
	want, got := settings(ports.Replace(full)), settings(fresh.Running())
	if sortedBlocks(want) != sortedBlocks(got) {
		t.Errorf("the new switch has\n%s\nwant\n%s", got, want)
	}
	if fresh.Startup() == "" {
		t.Error("it was not saved")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(h.dir), "leaf1.map.yaml")); err != nil {
		t.Errorf("the map to review: %v", err)
	}
	h.must("backup", "leaf1")
	if r := h.must("receipt", "list", "leaf1"); !strings.Contains(r.out, "host-key, map") {
		t.Errorf("the receipt does not say what was waved through:\n%s", r.out)
	}
}

// sortedBlocks drops the order in which interfaces are written: by their names,
// which are others.
func sortedBlocks(config string) string {
	lines := strings.Split(config, "\n")
	var blocks []string
	for _, l := range lines {
		if strings.HasPrefix(l, " ") && len(blocks) > 0 {
			blocks[len(blocks)-1] += "\n" + l
		} else if l != "!" && l != "" {
			blocks = append(blocks, l)
		}
	}
	slices.Sort(blocks)
	return strings.Join(blocks, "\n")
}
