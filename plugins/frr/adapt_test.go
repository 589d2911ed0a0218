package frr

import (
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func TestAdaptRenames(t *testing.T) {
	m := plugins.InterfaceMap{"eth0": "enp1s0", "eth1": "eth2", "eth2": "eth1"}
	tests := []struct{ in, want string }{
		{"interface eth0\n description eth0 here\nexit", "interface enp1s0\n description eth0 here\nexit"},
		{"interface eth0.7", "interface enp1s0.7"},
		{"interface eth1 vrf red", "interface eth2 vrf red"},
		{"ip route 10.0.0.0/8 10.0.0.1 eth0 tag 7 150", "ip route 10.0.0.0/8 10.0.0.1 enp1s0 tag 7 150"},
		{"ip route 10.0.0.0/8 eth1 5", "ip route 10.0.0.0/8 eth2 5"},
		{"ipv6 route 2001:db8::/32 fe80::1 eth2", "ipv6 route 2001:db8::/32 fe80::1 eth1"},
		{"vrf red\n ip route 10.0.0.0/8 eth0\nexit-vrf", "vrf red\n ip route 10.0.0.0/8 enp1s0\nexit-vrf"},
		{"ip route 10.0.0.0/8 10.0.0.1 tag 5", "ip route 10.0.0.0/8 10.0.0.1 tag 5"},
		{"router bgp 1\n neighbor eth0 interface remote-as external\n neighbor eth0 description eth0\n address-family ipv4 unicast\n  no neighbor eth0 activate",
			"router bgp 1\n neighbor enp1s0 interface remote-as external\n neighbor enp1s0 description eth0\n address-family ipv4 unicast\n  no neighbor enp1s0 activate"},
		{"router bgp 1\n neighbor 10.0.0.1 update-source eth0\n neighbor 10.0.0.1 route-map eth0 in",
			"router bgp 1\n neighbor 10.0.0.1 update-source enp1s0\n neighbor 10.0.0.1 route-map eth0 in"},
		{"router ospf\n passive-interface eth0\n no passive-interface eth1", "router ospf\n passive-interface enp1s0\n no passive-interface eth2"},
		{"route-map X permit 10\n match interface eth0", "route-map X permit 10\n match interface enp1s0"},
		{"hostname eth0", "hostname eth0"},
	}
	for _, tt := range tests {
		in := []plugins.Artefact{{Name: runningConfig, Data: []byte(tt.in + "\n")}}
		out, losses, err := adapt(in, plugins.Facts{}, plugins.Facts{}, m)
		if err != nil || len(losses) > 0 {
			t.Errorf("%q: %v %v", tt.in, err, losses)
			continue
		}
		if got := string(out[0].Data); got != tt.want+"\n" {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		if string(in[0].Data) != tt.in+"\n" {
			t.Error("the input was changed")
		}
	}
	clash := []plugins.Artefact{{Name: runningConfig, Data: []byte("interface eth0\ninterface enp1s0\n")}}
	if _, _, err := adapt(clash, plugins.Facts{}, plugins.Facts{}, m); err == nil {
		t.Error("two interfaces came to have one name")
	}
}
