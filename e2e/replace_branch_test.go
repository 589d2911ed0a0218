package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/ios"
)

// A branch router is replaced by another model whose ports are numbered in
// another way, and have their cables. It comes with what lets it be reached, and
// nothing more. Nobody writes a map: who answers at the other end of a cable
// tells where a port went, although the old router heard it by LLDP and the new
// one, on which nothing is configured, by CDP.
func TestReplaceIOSByAnotherModel(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	// What names a port, in all the places: routing, management, tracking.
	full := strings.NewReplacer(
		"interface Loopback0\n", "interface GigabitEthernet3\n no ip address\n shutdown\n negotiation auto\n!\ninterface GigabitEthernet4\n no ip address\n shutdown\n negotiation auto\n!\ninterface Loopback0\n",
		"router ospf 1\n", "router ospf 1\n passive-interface GigabitEthernet2\n",
		"ip ssh version 2\n", "ip ssh version 2\nip ssh source-interface GigabitEthernet1\n",
		"ip route 0.0.0.0 0.0.0.0 192.0.2.1\n", "ip route 0.0.0.0 0.0.0.0 GigabitEthernet1 192.0.2.1\n",
		"logging host 192.0.2.14\n", "logging source-interface GigabitEthernet1\nlogging host 192.0.2.14\n",
		"archive\n path", "lldp run\n!\narchive\n path",
	).Replace(ios.Sample)
	old := startUnit(t, "ios", device.Options{Config: full, Serial: "FOC00000001", Model: "C8000V",
		Neighbors: map[string]string{"GigabitEthernet1": "core1.example.net Gi1/0/24", "GigabitEthernet2": "access1 Te1/1/1"}}, false)
	ports := strings.NewReplacer("GigabitEthernet1\n", "GigabitEthernet0/0/1\n", "GigabitEthernet2\n", "TenGigabitEthernet0/0/4\n")
	bare := ports.Replace(ios.Sample)
	// Without a web server the new one has made itself no certificate.
	from, to := strings.Index(bare, "crypto pki trustpoint"), strings.Index(bare, "archive\n")
	bare = bare[:from] + bare[to:]
	for _, gone := range []string{"router ospf 1\n router-id 203.0.113.1\n network 198.51.100.0 0.0.0.255 area 0\n!\n", " description uplink\n", " description lan\n", "ip name-server 192.0.2.53\n"} {
		if !strings.Contains(bare, gone) {
			t.Fatalf("the sample has no %q", gone)
		}
		bare = strings.Replace(bare, gone, "", 1)
	}
	fresh := startUnit(t, "ios", device.Options{Config: strings.Replace(bare, "hostname branch1", "hostname spare", 1), Serial: "FOC00000002", Model: "C8300-1N1S-4T2X",
		Ports:     []string{"GigabitEthernet0/0/0"},
		Neighbors: map[string]string{"GigabitEthernet0/0/1": "core1.example.net Gi1/0/24", "TenGigabitEthernet0/0/4": "access1 Te1/1/1"}}, false)

	h.addUnit(old, "branch1")
	address := fresh.l.Addr().String()
	if r := h.want(16, "replace", "branch1", "--address", address, "--yes", "--allow-host-key"); !strings.Contains(r.err, "allow-model") {
		t.Errorf("another model: %s", r.err)
	}
	r := h.want(16, "replace", "branch1", "--address", address, "--yes", "--allow-host-key", "--allow-model", "--allow-losses")
	for _, want := range []string{`"GigabitEthernet1": "GigabitEthernet0/0/1" # by neighbour: core1.example.net Gi1/0/24`, `"GigabitEthernet2": "TenGigabitEthernet0/0/4" # by neighbour: access1 Te1/1/1`,
		`"GigabitEthernet3": "GigabitEthernet0/0/0" # by idle`, `"GigabitEthernet4": "" # by idle`, "--allow-map"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("a map that nobody looked at: no %q in\n%s", want, r.err)
		}
	}
	// The file that was written for review is the one that is given.
	m := filepath.Join(filepath.Dir(h.dir), "branch1.map.yaml")
	said := h.must("replace", "branch1", "--address", address, "--yes", "--allow-host-key", "--allow-model", "--allow-losses", "--map", m)
	if !strings.Contains(said.err, "links and neighbours are as they were") {
		t.Errorf("the links were not compared:\n%s", said.err)
	}
	for _, want := range []string{"hostname branch1", "interface GigabitEthernet0/0/1\n description uplink", "interface TenGigabitEthernet0/0/4\n description lan", "router ospf 1", "passive-interface TenGigabitEthernet0/0/4",
		"ip ssh source-interface GigabitEthernet0/0/1", "ip route 0.0.0.0 0.0.0.0 GigabitEthernet0/0/1 192.0.2.1", "logging source-interface GigabitEthernet0/0/1"} {
		if !strings.Contains(fresh.Running(), want) || !strings.Contains(fresh.Startup(), want) {
			t.Errorf("the new router lacks %q:\n%s", want, fresh.Running())
		}
	}
	for _, gone := range []string{"GigabitEthernet1\n", "GigabitEthernet2\n", "GigabitEthernet1 ", "GigabitEthernet4"} {
		if strings.Contains(strings.ReplaceAll(fresh.Running(), "TenGigabitEthernet0/0/4", ""), gone) {
			t.Errorf("the new router still has %q:\n%s", gone, fresh.Running())
		}
	}
	h.must("backup", "branch1")
}
