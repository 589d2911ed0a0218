package eos

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func TestAdapt(t *testing.T) {
	m := plugins.InterfaceMap{"Ethernet1": "Ethernet49/1", "et2": "Ethernet3", "Ethernet3": "Ethernet2", "Management1": "Management0", "Port-Channel1": "Port-Channel10"}
	tests := []struct{ in, want string }{
		{"interface Ethernet1", "interface Ethernet49/1"},
		{"interface Ethernet1.100", "interface Ethernet49/1.100"},
		{"interface Ethernet2", "interface Ethernet3"},
		{"interface Ethernet3", "interface Ethernet2"},
		{"interface Ethernet10", "interface Ethernet10"},
		{"interface Ethernet1\n   description to Ethernet1", "interface Ethernet49/1\n   description to Ethernet1"},
		{"interface Ethernet5\n   channel-group 1 mode active", "interface Ethernet5\n   channel-group 10 mode active"},
		{"interface Port-Channel1", "interface Port-Channel10"},
		{"ip route 10.0.0.0/8 Ethernet1 10.0.0.1 tag 5", "ip route 10.0.0.0/8 Ethernet49/1 10.0.0.1 tag 5"},
		{"ip route vrf MGMT 0.0.0.0/0 Management1", "ip route vrf MGMT 0.0.0.0/0 Management0"},
		{"router ospf 1\n   no passive-interface Ethernet1", "router ospf 1\n   no passive-interface Ethernet49/1"},
		{"router ospf 1\n   passive-interface Ethernet1-3,5", "router ospf 1\n   passive-interface Ethernet49/1,Ethernet3,Ethernet2,Ethernet5"},
		{"router bgp 1\n   neighbor 10.0.0.1 update-source Management1", "router bgp 1\n   neighbor 10.0.0.1 update-source Management0"},
		{"ntp server vrf MGMT 10.0.0.1 prefer source Management1", "ntp server vrf MGMT 10.0.0.1 prefer source Management0"},
		{"ip name-server vrf Ethernet1 10.0.0.1", "ip name-server vrf Ethernet1 10.0.0.1"},
		{"snmp-server local-interface Management1", "snmp-server local-interface Management0"},
		{"mlag configuration\n   peer-link Port-Channel1", "mlag configuration\n   peer-link Port-Channel10"},
		{"monitor session 1 source Ethernet1 both", "monitor session 1 source Ethernet49/1 both"},
		{"banner motd\ninterface Ethernet1\nEOF", "banner motd\ninterface Ethernet1\nEOF"},
	}
	for _, tt := range tests {
		in := []plugins.Artefact{{Name: "running-config", Data: []byte(tt.in + "\n")}}
		out, losses, err := adapt(in, plugins.Facts{}, plugins.Facts{}, m)
		if err != nil || len(losses) > 0 {
			t.Errorf("%q: %v %v", tt.in, err, losses)
			continue
		}
		if got := string(out[0].Data); got != tt.want+"\n" {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestAdaptLeavesOutWhatBelongsToTheUnit(t *testing.T) {
	in := []plugins.Artefact{
		{Name: "running-config", Data: []byte("snmp-server engineID local f5717f\nsnmp-server engineID remote 10.0.0.1 aa\ninterface Ethernet1\n   mac-address 00:1c:73:00:00:01\n   no switchport\n")},
		{Name: "boot-config", Bind: plugins.BindUnit, Data: []byte("SWI=x")},
	}
	out, losses, err := adapt(in, plugins.Facts{}, plugins.Facts{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 1 || string(out[0].Data) != "snmp-server engineID remote 10.0.0.1 aa\ninterface Ethernet1\n   no switchport\n" {
		t.Errorf("got %q", out)
	}
	var got []string
	for _, l := range losses {
		got = append(got, fmt.Sprintf("%s:%d:%s", l.Artefact, l.Line, l.Code))
	}
	if want := "boot-config:0:unit-bound running-config:1:unit-bound running-config:4:unit-bound"; strings.Join(got, " ") != want {
		t.Errorf("losses %v", got)
	}
}

func TestAdaptRefusesOneNameForTwo(t *testing.T) {
	in := []plugins.Artefact{{Name: "running-config", Data: []byte("interface Ethernet1\ninterface Ethernet2\n")}}
	if _, _, err := adapt(in, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"Ethernet1": "Ethernet2"}); err == nil {
		t.Error("Ethernet1 became a second Ethernet2")
	}
}
