package netdev_test

import (
	"os/exec"
	"reflect"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/netdev"
)

func TestPorts(t *testing.T) {
	got := netdev.Ports(`port eth1.5 virtual 1000 up
port eth1 data 1000 up
port eth0 data -1 down
port br0 virtual  up
way eth0
lldp.eth1.via=LLDP
lldp.eth1.chassis.name=core2
lldp.eth1.port.descr=to the access layer
lldp.eth1.port.ifname=Ethernet7
lldp.swp1.s0.chassis.name=other
hostile = line
lldp.nonsense
`)
	want := []plugins.Port{
		{Name: "eth0", Role: plugins.PortManagement},
		{Name: "eth1", Role: plugins.PortData, Speed: 1000, Up: true, Neighbor: "core2 Ethernet7"},
		{Name: "eth1.5", Role: plugins.PortVirtual, Speed: 1000, Up: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if netdev.Ports("nothing to see\n") != nil {
		t.Error("ports where there are none")
	}
}

// The script is POSIX shell, and what it prints can be read.
func TestScript(t *testing.T) {
	out, err := exec.Command("sh", "-c", "SSH_CONNECTION=; "+netdev.Script+"ports; echo 'port last data 1 up'").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if ports := netdev.Ports(string(out)); len(ports) == 0 || ports[len(ports)-1].Name == "lo" {
		t.Errorf("%s\nread as %+v", out, ports)
	}
}
