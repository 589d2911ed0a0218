package openwrt

import (
	"slices"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func TestAddresses(t *testing.T) {
	got := addresses([]plugins.Artefact{
		{Name: "etc/config/system", Data: []byte("config x\n\toption ipaddr '203.0.113.7'\n")},
		{Name: "etc/config/network", Data: []byte("config interface 'loopback'\n\toption ipaddr '127.0.0.1'\n\nconfig interface 'lan'\n\tlist ipaddr '192.0.2.9/24'\n\toption ip6addr \"2001:db8::9/64\"\n\toption netmask '255.255.255.0'\n")},
	})
	if !slices.Equal(got, []string{"127.0.0.1", "192.0.2.9/24", "2001:db8::9/64"}) {
		t.Errorf("%v", got)
	}
}
