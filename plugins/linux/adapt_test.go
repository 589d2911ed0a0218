package linux

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func TestAdapt(t *testing.T) {
	m := plugins.InterfaceMap{"eth0": "enp1s0", "eth1": "enp2s0"}
	tests := []struct {
		name, file, in, want string
		losses               []string
	}{
		{"network", "etc/systemd/network/10.network",
			"[Match]\nName=eth0\n[Network]\nDescription=eth0 of old\nVLAN=eth0.7\nVRF=red\n",
			"[Match]\nName=enp1s0\n[Network]\nDescription=eth0 of old\nVLAN=enp1s0.7\nVRF=red\n",
			nil},
		{"hardware address beside a name", "etc/systemd/network/10.network",
			"[Match]\nName=eth0\nMACAddress=02:00:00:00:00:01\n",
			"[Match]\nName=enp1s0\n", []string{"10.network:3 unit-bound"}},
		{"a match by hardware address alone would match everything", "etc/systemd/network/10.link",
			"[Match]\nMACAddress=02:00:00:00:00:01\n[Link]\nName=lan0\n", "", []string{"10.link:1 unit-bound"}},
		{"interfaces", "etc/network/interfaces",
			"auto lo eth0 eth1\r\niface eth0.5 inet static\r\n\thwaddress ether 02:00:00:00:00:01\r\n\tbond-slaves eth0 eth1\r\n\tpost-up ip route add 10.0.0.0/8 dev eth1 metric 5\r\n\tup echo eth0,eth1\r\n",
			"auto lo enp1s0 enp2s0\r\niface enp1s0.5 inet static\r\n\tbond-slaves enp1s0 enp2s0\r\n\tpost-up ip route add 10.0.0.0/8 dev enp2s0 metric 5\r\n\tup echo eth0,eth1\r\n",
			[]string{"interfaces:3 unit-bound", "interfaces:6 not-renamed"}},
		{"sysctl", "etc/sysctl.d/a.conf",
			"net.ipv4.conf.eth0.rp_filter=1\nnet/ipv4/conf/eth0.7/rp_filter = 2\nnet.ipv6.conf.eth0/9.autoconf=0\nnet.ipv4.conf.all.rp_filter=1\n",
			"net.ipv4.conf.enp1s0.rp_filter=1\nnet/ipv4/conf/enp1s0.7/rp_filter = 2\nnet.ipv6.conf.enp1s0/9.autoconf=0\nnet.ipv4.conf.all.rp_filter=1\n", nil},
		{"nftables", "etc/nftables.conf",
			"iifname \"eth0\" accept\noifname { \"eth0\", \"eth1\" } drop\noif != eth1 counter\nset x { elements = { eth0 } }\n",
			"iifname \"enp1s0\" accept\noifname { \"enp1s0\", \"enp2s0\" } drop\noif != enp2s0 counter\nset x { elements = { eth0 } }\n",
			[]string{"nftables.conf:4 not-renamed"}},
		{"host keys", "etc/ssh/ssh_host_rsa_key", "key", "", []string{"ssh_host_rsa_key:0 unit-bound"}},
		{"machine id", "etc/machine-id", "id", "", []string{"machine-id:0 unit-bound"}},
		{"other files are not touched", "etc/hosts", "127.0.0.1 eth0\n", "127.0.0.1 eth0\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := []plugins.Artefact{{Name: tt.file, Role: plugins.RoleFile, Data: []byte(tt.in)}}
			out, losses, err := adapt(in, plugins.Facts{}, plugins.Facts{}, m)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(out) > 0 {
				got = string(out[0].Data)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var codes []string
			for _, l := range losses {
				codes = append(codes, fmt.Sprintf("%s:%d %s", l.Artefact[strings.LastIndex(l.Artefact, "/")+1:], l.Line, l.Code))
			}
			if strings.Join(codes, ";") != strings.Join(tt.losses, ";") {
				t.Errorf("losses %q, want %q", codes, tt.losses)
			}
			if string(in[0].Data) != tt.in {
				t.Error("the input was changed")
			}
		})
	}
}

func TestAdaptSwapsNames(t *testing.T) {
	in := []plugins.Artefact{{Name: "etc/network/interfaces", Data: []byte("iface eth0 inet dhcp\niface eth1 inet manual\n")}}
	out, losses, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"eth0": "eth1", "eth1": "eth0"})
	if err != nil || len(losses) > 0 {
		t.Fatal(err, losses)
	}
	if got := string(out[0].Data); got != "iface eth1 inet dhcp\niface eth0 inet manual\n" {
		t.Errorf("got %q", got)
	}
}

func TestAdaptRefusesOneNameForTwo(t *testing.T) {
	in := []plugins.Artefact{{Name: "etc/network/interfaces", Data: []byte("iface eth0 inet dhcp\niface eth1 inet manual\n")}}
	if _, _, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"eth0": "eth1"}); err == nil {
		t.Error("eth0 became a second eth1")
	}
}
