package cisco

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// take is how many words of a text a codec claims.
func take(c lens.Codec, text string) int { return c.Take(syntax.Words(nil, text)) }

func TestEndpoints(t *testing.T) {
	e, s, p := endpoint(4), standardEndpoint(), PrefixEndpoint(4)
	for _, c := range []struct {
		codec             lens.Codec
		text, tree, again string
		words             int
	}{
		{e, "any", "any", "any", 1},
		{e, "host 10.0.0.1", "10.0.0.1/32", "host 10.0.0.1", 2},
		{e, "10.0.0.0 0.0.0.255", "10.0.0.0/24", "10.0.0.0 0.0.0.255", 2},
		{e, "10.0.0.5 0.0.0.255", "10.0.0.0/24", "10.0.0.0 0.0.0.255", 2},
		{e, "0.0.0.0 255.255.255.255", "any", "any", 2},
		{e, "10.0.0.0 0.255.0.255", "10.0.0.0 0.255.0.255", "10.0.0.0 0.255.0.255", 2},
		{e, "object-group NETS", "group NETS", "object-group NETS", 2},
		{s, "10.0.0.1", "10.0.0.1/32", "host 10.0.0.1", 1},
		{p, "10.0.0.0/24", "10.0.0.0/24", "10.0.0.0/24", 1},
		{p, "host 10.0.0.1", "10.0.0.1/32", "host 10.0.0.1", 2},
		{ports(), "eq www 443", "80,443", "eq 80 443", 3},
		{ports(), "gt 1023", "1024-65535", "range 1024 65535", 2},
		{ports(), "lt 1024", "0-1023", "range 0 1023", 2},
		{ports(), "neq telnet", "!23", "neq 23", 2},
		{ports(), "range 20 21", "20-21", "range 20 21", 3},
	} {
		if n := take(c.codec, c.text+" log"); n != c.words {
			t.Errorf("%s: takes %d words", c.text, n)
		}
		v, ok := c.codec.Read(c.text)
		if !ok || v[0] != c.tree {
			t.Errorf("%s: read %v", c.text, v)
			continue
		}
		if back, ok := c.codec.Write(v); !ok || back != c.again {
			t.Errorf("%s: written %q", c.text, back)
		}
	}
	for _, bad := range []string{"10.0.0.0/33", "host x", "10.0.0.0 0.0.0.256", "any any"} {
		if v, ok := e.Read(bad); ok {
			t.Errorf("%s: read %v", bad, v)
		}
	}
	for _, bad := range []any{"10.0.0.1/24", "0.0.0.0/0", "2001:db8::/32", "group a b", "10.0.0.0 0.0.0.255", "", 7} {
		if s, ok := e.Write([]any{bad}); ok {
			t.Errorf("%v: written %q", bad, s)
		}
	}
	for _, bad := range []string{"80-80", "x", "65536", "80,", "!", "1,2,3,4,5,6,7,8,9,10,11"} {
		if s, ok := ports().Write([]any{bad}); ok {
			t.Errorf("%s: written %q", bad, s)
		}
	}
}

func TestKinds(t *testing.T) {
	k := Kinds{{"GigabitEthernet", "ethernet"}, {"TenGigabitEthernet", "ethernet"}, {"Port-channel", "lag"}, {"MgmtEth", "management"}, {"Vlan", "routed-vlan"}}
	for in, want := range map[string]string{
		"gi0/1": "GigabitEthernet0/1", "GigabitEthernet 0/1.100": "GigabitEthernet0/1.100", "te1/1/1": "TenGigabitEthernet1/1/1", "po1": "Port-channel1",
		"MgmtEth0/RP0/CPU0/0": "MgmtEth0/RP0/CPU0/0", "vl10": "Vlan10", "g1": "", "vlan": "", "10.0.0.1": "", "port-channel": "", "gigabit": "",
	} {
		if got, ok := k.Canonical(in); got != want || ok != (want != "") {
			t.Errorf("%s: %q", in, got)
		}
	}
	up := func(s string) string { return map[string]string{"GigabitEthernet1/2": "TenGigabitEthernet1/9"}[s] + s }
	if got, ok := k.RenameList("Gi1/1-3", up); !ok || got != "GigabitEthernet1/1,TenGigabitEthernet1/9GigabitEthernet1/2,GigabitEthernet1/3" {
		t.Errorf("%q %v", got, ok)
	}
	if got, ok := k.TypeOf("GigabitEthernet0/1.5"); !ok || got != "cfgvault-interfaces:sub-interface" {
		t.Error(got)
	}
}

// What is kept in the words of the platform is bounded by the list.
func TestFeatureCodec(t *testing.T) {
	c := FeatureCodec("service ...", "ip cef", "ip cef distributed")
	for text, n := range map[string]int{"service pad": 2, "ip cef": 2, "ip cef distributed": 3, "ip cef x": 2, "ip": 0, "hostname x": 0} {
		if got := take(c, text); got != n {
			t.Errorf("%s: %d words", text, got)
		}
	}
	if s, ok := c.Write([]any{"ip cef accounting"}); ok {
		t.Errorf("written %q", s)
	}
}

func TestLooksLike(t *testing.T) {
	for _, c := range []struct{ text, own, want string }{
		{"!Command: show running-config\n", "IOS", "NX-OS"},
		{"Current configuration : 5 bytes\n", "IOS", ""},
		{"Current configuration : 5 bytes\n", "EOS", "IOS"},
		{"Current configuration:\n!\nfrr version 8.4.4\n", "IOS", "FRR"},
		{"frr version 8.4.4\n", "FRR", ""},
		{"hostname a\n! device: leaf1 (DCS-7050, EOS-4.30.3M)\n", "NX-OS", "EOS"},
		{"! device: a switch of mine\n", "NX-OS", ""},
		{"!! IOS XR Configuration 7.5.2\n", "EOS", "IOS-XR"},
		{"system {\n    host-name r1;\n", "IOS", "Junos"},
		{"system {\r\n", "IOS", "Junos"},
		{"interface Ethernet1\n system {\n", "IOS", ""},
		{"# 2025-01-01 10:00:00 by RouterOS 7.16\n", "IOS-XR", "RouterOS"},
		{"frr version 8\n!Command: show running-config\n", "IOS", "NX-OS"},
		{"", "IOS", ""},
		{"#", "IOS", ""},
	} {
		if got := LooksLike([]byte(c.text), c.own); got != c.want {
			t.Errorf("%q read as %s looks like %q, want %q", c.text, c.own, got, c.want)
		}
	}
}

// What may hold a secret is no function to be switched on.
func TestFeaturesHoldNoSecret(t *testing.T) {
	for _, c := range []lens.Codec{FeatureCodec("isis ...", "service ...", "log commands"), StatementCodec("isis ...", "area ...")} {
		for _, s := range []string{"isis password clear hunter2", "isis authentication key-string hunter2"} {
			if n := c.Take(syntax.Words(nil, s)); n != 0 {
				t.Errorf("%q is taken", s)
			}
			if _, ok := c.Write([]any{s}); ok {
				t.Errorf("%q is written", s)
			}
		}
	}
	c := StatementCodec("capability opaque", "timers ...")
	for s, want := range map[string]int{"no capability opaque": 3, "capability opaque": 2, "timers throttle spf 1 2 3": 6, "no other": 0, "no": 0, "capability": 0} {
		if n := c.Take(syntax.Words(nil, s)); n != want {
			t.Errorf("%q: %d words taken, want %d", s, n, want)
		}
		if _, ok := c.Write([]any{s}); ok != (want > 0) {
			t.Errorf("%q: written %v", s, ok)
		}
	}
}

// An entry that says more than a platform can is not written without it.
func TestOptionsOfEntries(t *testing.T) {
	c := Codecs(nil, "")["acl-options"]
	for s, want := range map[string]int{"ack syn log": 2, "ttl eq 5": 3, "time-range NIGHT": 2, "established": 1, "log": 0, "eq 22": 0, "syn sequence 10": 1} {
		if n := c.Take(syntax.Words(nil, s)); n != want {
			t.Errorf("%q: %d words taken, want %d", s, n, want)
		}
	}
	types := OSPFTypes()
	for s, want := range map[string]int{"internal external 1 external 2": 3, "external": 1, "nssa-external 2 metric 5": 1} {
		n := types.Take(syntax.Words(nil, s))
		v, ok := types.Read(strings.Join(strings.Fields(s)[:n], " "))
		if !ok || len(v[0].([]any)) != want {
			t.Errorf("%q: %v", s, v)
		}
		if back, ok := types.Write(v); !ok || back != strings.Join(strings.Fields(s)[:n], " ") {
			t.Errorf("%q comes back as %q", s, back)
		}
	}
	if _, ok := types.Read("external external"); ok {
		t.Error("one type twice")
	}
}
