package cisco

import (
	"maps"
	"slices"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func iosKinds() Kinds {
	return Kinds{{Name: "GigabitEthernet", Type: "ethernet"}, {Name: "TenGigabitEthernet", Type: "ethernet"}, {Name: "TwoGigabitEthernet", Type: "ethernet"},
		{Name: "TwentyFiveGigE", Type: "ethernet"}, {Name: "Ethernet", Type: "ethernet"}, {Name: "Vlan", Type: "routed-vlan"}, {Name: "mgmt", Type: "management"}}
}

func TestPortTables(t *testing.T) {
	k := iosKinds()
	for _, c := range []struct {
		name string
		read func(Kinds, string) []plugins.Port
		out  string
		want []plugins.Port
	}{
		{"show interfaces", InterfaceStates, "Vlan1 is up, line protocol is up \r\nGigabitEthernet1/0/1 is up, line protocol is up (connected) \nTenGigabitEthernet1/1/1 is down, line protocol is down (notconnect)\n" +
			"GigabitEthernet1/0/2 is administratively down, line protocol is down (disabled)\nGigabitEthernet1/0/3.10 is up, line protocol is up\nUnknown7 is up, line protocol is up\nGigabitEthernet1/0/1 is up, line protocol is up\nGigabitEthernet1/0/4 is up, line protocol is down\n",
			[]plugins.Port{{Name: "Vlan1", Role: "virtual", Up: true}, {Name: "GigabitEthernet1/0/1", Role: "data", Speed: 1000, Up: true}, {Name: "TenGigabitEthernet1/1/1", Role: "data", Speed: 10000},
				{Name: "GigabitEthernet1/0/2", Role: "data", Speed: 1000}, {Name: "GigabitEthernet1/0/4", Role: "data", Speed: 1000}}},
		{"show interface status", InterfaceStatus, "Port          Name               Status    Vlan      Duplex  Speed   Type\nmgmt0         --                 connected routed    full    1000    --\n" +
			"Eth1/1        full of words auto connected trunk     a-full  a-1000  10/100/1000BaseTX\nEth1/2        --                 sfpAbsent 1         full    25G     --\nEth1/3        --                 notconnec routed    auto    auto    \n",
			[]plugins.Port{{Name: "mgmt0", Role: "management", Speed: 1000, Up: true}, {Name: "Ethernet1/1", Role: "data", Speed: 1000, Up: true}, {Name: "Ethernet1/2", Role: "data", Speed: 25000}, {Name: "Ethernet1/3", Role: "data"}}},
		{"show interfaces brief", InterfaceBrief, "          Te0/0/0/0          up          up               ARPA  1514   10000000\n          Te0/0/0/0.1          up          up               802.1Q  1514   10000000\n          Gi0/0/0/1  admin-down  admin-down               ARPA  1514          x\n",
			[]plugins.Port{{Name: "TenGigabitEthernet0/0/0/0", Role: "data", Speed: 10000, Up: true}}},
	} {
		if got := c.read(k, c.out); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%+v, want\n%+v", c.name, got, c.want)
		}
	}
}

func TestNeighbors(t *testing.T) {
	k := iosKinds()
	lldp := neighbors(k, `------------------------------------------------
Local Intf: Te1/1/1
Chassis id: 0000.5e00.5301
Port id: Ethernet7
Port Description: to us
System Name: spine1.example.net

System Description: 
Port id: not this one
System Name: nor this

------------------------------------------------
Local Intf: Gi1/0/2
Chassis id: 0000.5e00.5302
Port id: 0000.5e00.5302
Port Description - not advertised
System Name - not advertised

------------------------------------------------
Local Intf: Twe1/0/3
Chassis id: 0000.5e00.5303
Port id: xe-0/0/1
System Name: edge2


Total entries displayed: 3
`)
	want := map[string]string{"TenGigabitEthernet1/1/1": "spine1.example.net Ethernet7", "GigabitEthernet1/0/2": "0000.5e00.5302 0000.5e00.5302", "TwentyFiveGigE1/0/3": "edge2 xe-0/0/1"}
	if !maps.Equal(lldp, want) {
		t.Errorf("by LLDP %v, want %v", lldp, want)
	}
	// The same link, told by either protocol, is the same link.
	cdp := cdpNeighbors(k, "Device ID: core1\nEntry address(es): \nInterface: GigabitEthernet0/1,  Port ID (outgoing port): GigabitEthernet1/0/24\nDevice ID:n9k(FDO1)\nInterface: Ethernet1/1, Port ID (outgoing port): Ethernet1/7\n")
	want = map[string]string{"GigabitEthernet0/1": "core1 Gi1/0/24", "Ethernet1/1": "n9k Ethernet1/7"}
	if !maps.Equal(cdp, want) {
		t.Errorf("by CDP %v, want %v", cdp, want)
	}
}
