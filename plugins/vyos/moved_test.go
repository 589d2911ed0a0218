package vyos

import "testing"

func TestMoved(t *testing.T) {
	const want = "interfaces {\n    ethernet eth0 {\n        address 192.0.2.9/24\n        address \"2001:db8::9/64\"\n    }\n    loopback lo {\n    }\n}\nfirewall {\n    group {\n        address-group A {\n            address 203.0.113.1\n        }\n    }\n}\n"
	for diff, address := range map[string]string{
		"": "",
		"[interfaces ethernet eth0]\n- address \"192.0.2.1/24\"\n+ address \"192.0.2.9/24\"\n":                               "",
		"[interfaces ethernet eth0]\n- address \"192.0.2.1/24\"\n+ address \"192.0.2.9/24\"\n+ address \"2001:db8::9/64\"\n": "192.0.2.9",
		"[interfaces ethernet eth0]\n- address \"dhcp\"\n+ address \"192.0.2.9/24\"\n+ address \"2001:db8::9/64\"\n":         "",
	} {
		if got := moved(diff, want); got != address {
			t.Errorf("%q: %q, want %q", diff, got, address)
		}
	}
}
