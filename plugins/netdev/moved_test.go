package netdev_test

import (
	"testing"

	"github.com/cfgvault/cfgvault/plugins/netdev"
)

func TestMoved(t *testing.T) {
	for _, c := range []struct {
		what       string
		have, want []string
		moved      string
	}{
		{"another address", []string{"192.0.2.1/24"}, []string{"192.0.2.9/24"}, "192.0.2.9"},
		{"the same, in another network", []string{"192.0.2.1/24"}, []string{"192.0.2.1/25"}, ""},
		{"one of several stays", []string{"192.0.2.1", "198.51.100.1"}, []string{"203.0.113.1", "198.51.100.1"}, ""},
		{"the likeliest first", []string{"192.0.2.1"}, []string{"203.0.113.1", "198.51.100.1"}, "203.0.113.1"},
		{"by DHCP before", []string{"dhcp"}, []string{"203.0.113.1/24"}, ""},
		{"by DHCP then", []string{"203.0.113.1/24"}, []string{"dhcp", "fe80::1/64", "127.0.0.1/8"}, ""},
		{"the other family", []string{"203.0.113.1/24"}, []string{"2001:db8::1/64"}, "2001:db8::1"},
		{"nothing", nil, nil, ""},
	} {
		if got := netdev.Moved(c.have, c.want); got != c.moved {
			t.Errorf("%s: %q, want %q", c.what, got, c.moved)
		}
	}
}
