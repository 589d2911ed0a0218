package junos

import (
	"maps"
	"slices"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func TestPortsInTables(t *testing.T) {
	got := interfacesIn(`Interface               Admin Link Proto    Local                 Remote
ge-0/0/0                up    up
ge-0/0/0.0              up    up   inet     198.51.100.1/31
xe-0/1/0                up    down
et-0/0/48:1             down  down
pfe-0/0/0               up    up
ae0                     up    up
em0                     up    up
fxp0                    up    up
lo0                     up    up
`)
	want := []plugins.Port{{Name: "ge-0/0/0", Role: "data", Speed: 1000, Up: true}, {Name: "xe-0/1/0", Role: "data", Speed: 10000}, {Name: "et-0/0/48:1", Role: "data"},
		{Name: "ae0", Role: "virtual", Up: true}, {Name: "fxp0", Role: "management", Up: true}, {Name: "lo0", Role: "virtual", Up: true}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
	at := neighborsIn(`Local Interface    Parent Interface    Chassis Id          Port info          System Name
ge-0/0/0           -                   00:00:5e:00:53:01   ge-0/0/4           core1.example.net
xe-0/1/0           ae0                 00:00:5e:00:53:02   to us, port 2      core2
xe-0/1/1           -                   00:00:5e:00:53:03   554
ge-0/0/5.0         00:00:5e:00:53:04 ge-0/0/0      ex1
`)
	peers := map[string]string{"ge-0/0/0": "core1.example.net ge-0/0/4", "xe-0/1/0": "core2 to us, port 2", "xe-0/1/1": "00:00:5e:00:53:03 554", "ge-0/0/5": "ex1 ge-0/0/0"}
	if !maps.Equal(at, peers) {
		t.Errorf("%v, want\n%v", at, peers)
	}
}
