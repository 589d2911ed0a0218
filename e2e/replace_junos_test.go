package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/junos"
)

// A Juniper router is replaced by one with faster ports, which have other names:
// units, protocols and VLANs go with the port that carries them.
func TestReplaceJunosByAnotherModel(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	full := strings.NewReplacer(
		"    lldp {\n        interface all;\n    }\n", "    lldp {\n        interface all;\n    }\n    ospf {\n        area 0.0.0.0 {\n            interface ge-0/0/0.0 {\n                passive;\n            }\n            interface ge-0/0/1.10;\n        }\n    }\n",
	).Replace(junos.Sample)
	old := startUnit(t, "junos", device.Options{Config: full, Serial: "VM0000000001", Model: "mx204",
		Neighbors: map[string]string{"ge-0/0/0": "core1 ge-0/0/4", "ge-0/0/1": "access1 xe-0/1/0"}}, false)
	// On the bench it has an address and a login, and LLDP runs.
	bare := full[:strings.Index(full, "    ge-0/0/0 {")] + full[strings.Index(full, "    fxp0 {"):]
	bare = strings.Replace(bare[:strings.Index(bare, "snmp {")]+"protocols {\n    lldp {\n        interface all;\n    }\n}\n", "host-name edge1", "host-name spare", 1)
	fresh := startUnit(t, "junos", device.Options{Config: bare, Serial: "VM0000000002", Model: "mx204",
		Ports:     []string{"xe-0/1/0", "xe-0/1/1", "mge-0/0/2"},
		Neighbors: map[string]string{"xe-0/1/1": "core1 ge-0/0/4", "mge-0/0/2": "access1 xe-0/1/0"}}, false)
	h.addUnit(old, "edge1")
	address := fresh.l.Addr().String()
	r := h.want(16, "replace", "edge1", "--address", address, "--yes", "--allow-host-key")
	for _, want := range []string{`"ge-0/0/0": "xe-0/1/1" # by neighbour: core1 ge-0/0/4`, `"ge-0/0/1": "mge-0/0/2" # by neighbour: access1 xe-0/1/0`, "--allow-map"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("no %q in\n%s", want, r.err)
		}
	}
	said := h.must("replace", "edge1", "--address", address, "--yes", "--allow-host-key", "--allow-losses", "--map", filepath.Join(filepath.Dir(h.dir), "edge1.map.yaml"))
	if !strings.Contains(said.err, "links and neighbours are as they were") {
		t.Errorf("the links were not compared:\n%s", said.err)
	}
	got := fresh.Running()
	for _, want := range []string{"host-name edge1", "xe-0/1/1 {\n        description \"uplink to core1\"", "mge-0/0/2 {\n        description customers", "interface xe-0/1/1.0 {\n                passive;", "interface mge-0/0/2.10;"} {
		if !strings.Contains(got, want) {
			t.Errorf("the new router lacks %q:\n%s", want, got)
		}
	}
	for _, gone := range []string{"ge-0/0/0", "ge-0/0/1"} {
		if strings.Contains(strings.ReplaceAll(got, "mge-", ""), gone) {
			t.Errorf("the new router still has %q:\n%s", gone, got)
		}
	}
	h.must("backup", "edge1")
}

// A router of one vendor is replaced by one of another, through the common
// tree. What does not come through is accepted by name, and the result is held
// against the tree.
func TestReplaceIOSByAnotherPlatform(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		driver string
		serial string
		ports  map[string]string
		has    []string
	}{
		{"eos", "SSJ00000099",
			map[string]string{"GigabitEthernet1": "Management1", "GigabitEthernet2": "Ethernet2"},
			[]string{"hostname branch1", "interface Ethernet2\n   description lan", "router ospf 1", "ip route 0.0.0.0/0 192.0.2.1"}},
		{"junos", "VM0000000009",
			map[string]string{"GigabitEthernet1": "fxp0", "GigabitEthernet2": "ge-0/0/1", "Loopback0": "lo0"},
			[]string{"host-name branch1", "description lan", "address 198.51.100.1/24", "next-hop 192.0.2.1", "class super-user"}},
	} {
		t.Run(c.driver, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.addUnit(newUnit(t, "ios", "FOC00000001", false), "branch1")
			unit := newUnit(t, c.driver, c.serial, false)
			var m strings.Builder
			for from, to := range c.ports {
				m.WriteString(from + ": " + to + "\n")
			}
			args := []string{"replace", "branch1", "--driver", c.driver, "--address", unit.l.Addr().String(), "--yes", "--allow-host-key", "--login-user", "admin",
				"--login-password-file", h.secretFile("unit.pw", unitPassword), "--map", h.secretFile("map.yaml", m.String())}
			before := unit.Running()
			if r := h.want(16, args...); !strings.Contains(r.err, "gate losses") {
				t.Errorf("without a word for the losses: %s", r.err)
			}
			if unit.Running() != before {
				t.Fatal("the unit was changed")
			}
			r := h.must(append(args, "--allow-losses")...)
			if !strings.Contains(r.out, "branch1: replaced, equal to snapshot") {
				t.Errorf("%s\n%s", r.out, r.err)
			}
			for _, want := range c.has {
				if !strings.Contains(unit.Running(), want) {
					t.Errorf("the new unit lacks %q:\n%s", want, unit.Running())
				}
			}
			if r := h.must("device", "show", "branch1"); !strings.Contains(r.out, c.driver) {
				t.Errorf("the device: %s", r.out)
			}
			if r := h.must("receipt", "list", "branch1"); !strings.Contains(r.out, "losses") {
				t.Errorf("the receipt: %s", r.out)
			}
			h.must("backup", "branch1")
		})
	}
}
