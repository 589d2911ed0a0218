package vyos

import (
	"maps"
	"slices"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func TestPortsInTables(t *testing.T) {
	want := []plugins.Port{{Name: "eth0", Role: "data", Up: true}, {Name: "eth1", Role: "data"}, {Name: "lo", Role: "virtual", Up: true}}
	for name, out := range map[string]string{
		"1.3": "Codes: S - State, L - Link, u - Up, D - Down, A - Admin Down\nInterface        IP Address                        S/L  Description\n---------        ----------                        ---  -----------\n" +
			"eth0             192.0.2.10/24                     u/u  uplink\neth0.10          198.51.100.1/24                   u/u  \neth1             -                                 A/D  \nlo               127.0.0.1/8                       u/u  \n                 ::1/128                                \n",
		"1.4": "Codes: S - State, L - Link, u - Up, D - Down, A - Admin Down\nInterface    IP Address     MAC                VRF        MTU  S/L    Description\n-----------  -------------  -----------------  -------  -----  -----  -------------\n" +
			"eth0         192.0.2.10/24  00:00:5e:00:53:01  default   1500  u/u    uplink\neth1         -              00:00:5e:00:53:02  default   1500  u/D\nlo           127.0.0.1/8    00:00:00:00:00:00  default  65536  u/u\n             ::1/128\n",
	} {
		if got := interfacesIn(out); !slices.Equal(got, want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, out := range map[string]string{
		"1.3": "Capability Codes: R - Router, B - Bridge, W - Wlan r - Repeater, S - Station\n                  D - Docsis, T - Telephone, O - Other\n\nDevice ID                 Local     Proto  Cap   Platform             Port ID\n---------                 -----     -----  ---   --------             -------\ncore1.example.net         eth0      LLDP   RB    Debian GNU/Linux     Gi1/0/24\n",
		"1.4": "Device             Local Port    Protocol    Capability    Platform                  Remote Port\n-----------------  ------------  ----------  ------------  ------------------------  -------------\ncore1.example.net  eth0          LLDP        BR            Cisco IOS Software        Gi1/0/24\n",
	} {
		if got := neighborsIn(out); !maps.Equal(got, map[string]string{"eth0": "core1.example.net Gi1/0/24"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
