package sonic

import (
	"slices"
	"testing"
)

func TestManaged(t *testing.T) {
	for text, want := range map[string][]string{
		`{"MGMT_INTERFACE": {"eth0|192.0.2.9/24": {"gwaddr": "192.0.2.1"}, "eth0|2001:db8::9/64": {}}, "INTERFACE": {"Ethernet0|10.0.0.1/31": {}}}`: {"192.0.2.9/24", "2001:db8::9/64"},
		`{"MGMT_INTERFACE": {"eth0": {}}}`: nil,
		`{`:                                nil,
	} {
		if got := managed([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%s: %v", text, got)
		}
	}
}
