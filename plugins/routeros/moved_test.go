package routeros

import (
	"slices"
	"testing"
)

func TestAddresses(t *testing.T) {
	const text = "# 2026-11-26 01:00:00 by RouterOS 7.18.2\n/interface bridge\nadd address=10.0.0.9 name=x\n/ip address\nadd address=192.0.2.9/24 comment=\"x address=1.1.1.1\" interface=ether1\nadd address=198.51.100.1/24 disabled=yes interface=ether2\n/ip route\nadd gateway=192.0.2.1\n"
	if got := addresses(text); !slices.Equal(got, []string{"192.0.2.9/24"}) {
		t.Errorf("%v", got)
	}
}
