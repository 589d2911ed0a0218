package inventory

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Address{
		"core1":                              {SSH, "core1", 0},
		"core1:2222":                         {SSH, "core1", 2222},
		"telnet://192.0.2.1":                 {Telnet, "192.0.2.1", 0},
		"telnet://[2001:db8::1]:2323":        {Telnet, "2001:db8::1", 2323},
		"console://ts1.example.net:2003":     {Console, "ts1.example.net", 2003},
		"console+telnet://[2001:db8::1]:203": {ConsoleTelnet, "2001:db8::1", 203},
	} {
		got, err := ParseAddress(in)
		if err != nil || got != want {
			t.Errorf("%s: %v %v", in, got, err)
		}
		if got.Scheme.Encrypted() != !strings.Contains(in, "://") {
			t.Errorf("%s: encrypted is %v", in, got.Scheme.Encrypted())
		}
	}
	for in, part := range map[string]string{
		"ssh://core1":         "scheme that is not known",
		"://core1":            "scheme that is not known",
		"console://core1":     "has no port",
		"telnet://":           "not usable",
		"telnet://a b":        "not usable",
		"telnet://core1:0":    "port",
		"telnet://x/y":        "not usable",
		"telnet://telnet://x": "not usable",
	} {
		if _, err := ParseAddress(in); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", in, err)
		}
	}
	if checkJumpAddress("telnet://core1") == nil {
		t.Error("a jump host over Telnet")
	}
}
