package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/ios"
)

func (b *bench) cutLink(*testing.T)  { b.Cut() }
func (b *bench) joinLink(*testing.T) { b.Join() }
func (b *bench) reboot(*testing.T)   { b.Reload() }

func (b *bench) answers() bool {
	conn, err := net.Dial("tcp", b.l.Addr().String())
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// simulation is what the workflows on a simulated platform need to know of it.
type simulation struct {
	driver string
	unit   func(t *testing.T, serial string, wiped bool) *bench
	faults []fault
	dealt  bool     // as in caseOf
	gates  []string // that its own ways make necessary
	// upgraded is what is typed for what a new release forgets.
	upgraded []string
	// hasten is told of every event and may let the device's time pass.
	hasten func(b *bench, e event)
}

func allFaults() []fault {
	return []fault{sigkill(), hostReboots(), linkCut(), deviceReboots(), storeGone()}
}

func someFaults() []fault { return []fault{sigkill(), linkCut(), deviceReboots()} }

func simEOS() simulation {
	return simulation{driver: "eos", faults: allFaults(), unit: func(t *testing.T, serial string, wiped bool) *bench { return newUnit(t, "eos", serial, wiped) },
		upgraded: []string{"configure", "interface Ethernet2", "no switchport access vlan", "exit", "no ip route 0.0.0.0/0 192.0.2.1", "end", "write memory"}}
}

func simIOS() simulation {
	return simulation{driver: "ios", faults: someFaults(), dealt: true, unit: autoInstalled,
		upgraded: []string{"configure terminal", "interface GigabitEthernet2", "no description", "exit", "no ip name-server 192.0.2.53", "end", "write memory"}}
}

// simJunos: a unit as from the factory cannot commit what it had, so that only
// its timer takes it back; the test does not wait for it. Its operation scripts
// are not put back.
func simJunos() simulation {
	return simulation{driver: "junos", faults: someFaults(), dealt: true, unit: func(t *testing.T, serial string, wiped bool) *bench { return newUnit(t, "junos", serial, wiped) }, gates: []string{"--allow-losses"},
		upgraded: []string{"configure", "delete interfaces ge-0/0/1 description", "delete system name-server 192.0.2.54", "commit", "exit"},
		hasten: func(b *bench, e event) {
			if strings.HasPrefix(e.Text, "rolling back") {
				b.clock.Skip(2 * time.Minute)
			}
		}}
}

// autoInstalled is a router that the network gives, whenever it has no
// configuration, what lets it be reached and take one.
func autoInstalled(t *testing.T, serial string, wiped bool) *bench {
	t.Helper()
	config := ios.Sample
	from, to := strings.Index(config, "crypto pki trustpoint"), strings.Index(config, "archive\n")
	config = config[:from] + config[to:] // its own certificate would be another one each time
	o := device.Options{Config: config, Serial: serial, BootTime: 200 * time.Millisecond, User: "admin", Password: unitPassword, Enable: unitPassword}
	const installed = `hostname autoinstalled
archive
 path flash:archive
username admin privilege 15 secret 9 $9$cfgvault$N0tARealHash
interface GigabitEthernet1
 ip address 192.0.2.10 255.255.255.0
 negotiation auto
interface GigabitEthernet2
 no ip address
 shutdown
 negotiation auto
ip scp server enable
line vty 0 4
 login local
 transport input ssh
`
	return plug(t, "ios", serial, ios.New(o, ios.Variant{AutoInstall: installed}), wiped)
}

func (s simulation) each(b *bench) func(event) {
	if s.hasten == nil {
		return func(event) {}
	}
	return func(e event) { s.hasten(b, e) }
}

// keyGate waves the new host key of a reset unit through.
func (s simulation) keyGate() []string {
	if s.driver == "junos" {
		return append([]string{"--allow-host-key"}, s.gates...)
	}
	return s.gates
}

func (s simulation) wipe(t *testing.T, points []point) (*home, caseOf) {
	h := newHome(t)
	b := s.unit(t, "FW00000001", false)
	h.addUnit(b, "unit1")
	full, saved, receipts := settings(b.Running()), settings(b.Startup()), 0
	return h, caseOf{
		platform: s.driver, workflow: "wipe", points: points, faults: s.faults, dealt: s.dealt,
		prepare: func() (victim, []string, []string, func(event)) {
			// What an earlier reset took for good is no news.
			if r := h.run("backup", "unit1", "--force"); r.code == 3 {
				h.must("device", "accept", "unit1", h.newest("unit1"))
			}
			receipts = h.receipts("unit1", "wipe")
			return b, append([]string{"wipe", "unit1", "--serial", b.serial, "--yes", "--then-restore", "--wait", "30s", "--proof-within", "3s"}, s.keyGate()...),
				append([]string{"wipe", "unit1", "--resume", "--yes", "--serial", b.serial}, s.keyGate()...), s.each(b)
		},
		state: func() string {
			switch {
			case settings(b.Running()) != full || settings(b.Startup()) != saved:
				return "HALF"
			case h.receipts("unit1", "wipe") > receipts:
				return "done"
			}
			return "as before"
		},
	}
}

// receipts counts the receipts of a kind.
func (h *home) receipts(device, kind string) int {
	h.t.Helper()
	var all []struct{ Kind string }
	decode(h.t, h.must("receipt", "list", device, "--json").out, &all)
	n := 0
	for _, r := range all {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

func (h *home) newest(device string) string {
	all := h.list(device)
	return all[len(all)-1].ID
}

func (s simulation) replace(t *testing.T, points []point) (*home, caseOf) {
	h := newHome(t)
	h.addUnit(s.unit(t, "FR00000001", false), "unit1")
	var b *bench
	used := s.unit(t, "FR00000001", false)
	full, saved, fresh, freshSaved := settings(used.Running()), settings(used.Startup()), "", ""
	n := 1
	return h, caseOf{
		platform: s.driver, workflow: "replace", points: points, faults: s.faults, dealt: s.dealt,
		prepare: func() (victim, []string, []string, func(event)) {
			n++
			b = s.unit(t, fmt.Sprintf("FR%08d", n), true)
			fresh, freshSaved = settings(b.Running()), settings(b.Startup())
			return b, append([]string{"replace", "unit1", "--address", b.l.Addr().String(), "--yes", "--allow-host-key"}, s.gates...),
				append([]string{"replace", "unit1", "--resume", "--yes", "--allow-host-key"}, s.gates...), s.each(b)
		},
		state: func() string {
			took := h.address("unit1") == b.l.Addr().String()
			switch run, start := settings(b.Running()), settings(b.Startup()); {
			case run == full && start == saved && took:
				return "done"
			case run == fresh && start == freshSaved && !took:
				return "as before"
			}
			return "HALF"
		},
	}
}

func (s simulation) upgrade(t *testing.T, points []point) (*home, caseOf) {
	h := newHome(t)
	b := s.unit(t, "FU00000001", false)
	h.addUnit(b, "unit1")
	full, saved := settings(b.Running()), settings(b.Startup())
	n := 0
	var lost, lostSaved string
	return h, caseOf{
		platform: s.driver, workflow: "upgrade", points: points, faults: s.faults, dealt: s.dealt,
		prepare: func() (victim, []string, []string, func(event)) {
			n++
			lost = ""
			flag := filepath.Join(filepath.Dir(h.dir), fmt.Sprintf("upgraded-%d", n))
			done := false
			hasten := s.each(b)
			// The release that the unit is brought to has forgotten two statements.
			return b, append([]string{"upgrade", "unit1", "begin", "--yes", "--restore", "--allow-version", "--exec", "until [ -e " + flag + " ]; do sleep 0.02; done", "--wait", "20s"}, s.gates...),
				append([]string{"upgrade", "unit1", "finish", "--yes", "--restore", "--allow-version", "--wait", "20s"}, s.gates...),
				func(e event) {
					hasten(e)
					if e.Step != "upgrade" || e.Phase != "begin" || done {
						return
					}
					done = true
					typeAt(t, b.Device, s.upgraded...)
					lost, lostSaved = settings(b.Running()), settings(b.Startup())
					if lost == full || lostSaved == saved {
						t.Error("the upgrade lost nothing")
					}
					if err := os.WriteFile(flag, nil, 0o600); err != nil {
						t.Error(err)
					}
				}
		},
		state: func() string {
			switch run, start := settings(b.Running()), settings(b.Startup()); {
			case run == full && lost == "": // not even upgraded
				return "as before"
			case run == full && start == saved:
				return "done"
			case run == lost && start == lostSaved:
				return "as before"
			}
			return "HALF"
		},
	}
}

func wipeEOS(t *testing.T) (*home, caseOf) {
	return simEOS().wipe(t, append(steps("snapshot", "identify", "plan", "approve", "reset", "proof", "receipt", "wait", "restore"), within("runs the new configuration", "confirming")...))
}

func replaceEOS(t *testing.T) (*home, caseOf) {
	return simEOS().replace(t, slices.Concat(steps("snapshot", "host-key", "identify", "interfaces", "needs", "management", "prepare", "restore"), within(restoreSays...), steps("inventory", "verify", "baseline", "receipt")))
}

func upgradeEOS(t *testing.T) (*home, caseOf) {
	return simEOS().upgrade(t, slices.Concat(steps("snapshot", "upgrade", "identify", "compare", "restore"), within("runs the new configuration", "confirming"), steps("baseline", "receipt")))
}

// On the other platforms the steps that talk to the device are enough: what the
// agent does between them is the same.
func wipeIOS(t *testing.T) (*home, caseOf)      { return simIOS().wipe(t, wipeTouches()) }
func replaceIOS(t *testing.T) (*home, caseOf)   { return simIOS().replace(t, replaceTouches()) }
func upgradeIOS(t *testing.T) (*home, caseOf)   { return simIOS().upgrade(t, upgradeTouches()) }
func wipeJunos(t *testing.T) (*home, caseOf)    { return simJunos().wipe(t, wipeTouches()) }
func replaceJunos(t *testing.T) (*home, caseOf) { return simJunos().replace(t, replaceTouches()) }
func upgradeJunos(t *testing.T) (*home, caseOf) { return simJunos().upgrade(t, upgradeTouches()) }

func wipeTouches() []point {
	return append(steps("plan", "reset", "proof", "wait", "restore"), within("runs the new configuration", "confirming")...)
}

func replaceTouches() []point {
	return slices.Concat(within("the device accepted", "committing;", "runs the new configuration", "confirming"), steps("inventory"))
}

func upgradeTouches() []point {
	return append(steps("compare"), within("committing;", "runs the new configuration", "confirming")...)
}
