package agent

import "testing"

func TestMovedTo(t *testing.T) {
	for _, c := range [][3]string{
		{"core1", "", "core1"},
		{"core1", "192.0.2.9", "192.0.2.9"},
		{"telnet://core1:2323", "192.0.2.9", "telnet://192.0.2.9"},
		{"console://ts1:2003", "192.0.2.9", "console://ts1:2003"},
		{"console+telnet://ts1:2003", "192.0.2.9", "console+telnet://ts1:2003"},
	} {
		if got := movedTo(c[0], c[1]); got != c[2] {
			t.Errorf("%s moved to %s: %s", c[0], c[1], got)
		}
	}
}
