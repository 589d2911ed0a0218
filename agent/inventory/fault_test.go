package inventory_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/agent/inventory"
)

const canary = "hunter2-canary"

// Each fault of a file names its place and what to do, and no fault repeats
// what may be a secret.
func TestFaultsOfAFile(t *testing.T) {
	const head = "devices:\n  a:\n    id: 00000000000000000000000000000001\n    driver: x\n    address: h\n"
	tests := []struct {
		name, file string
		want       []string
	}{
		{"unknown key of the file", "device:\n", []string{":1:1: unknown key \"device\" of the file (did you mean devices?)"}},
		{"unknown key of a device", head + "    adress: b\n", []string{":6:5: unknown key \"adress\" of device a (did you mean address?)"}},
		{"unknown key far from any", head + "    zzzzzz: b\n", []string{":6:5:", "keys are id, driver, address"}},
		{"a key twice", head + "    driver: y\n", []string{":6:5: key \"driver\" of device a is already in line 4"}},
		{"a name twice", head + "  a:\n    id: 00000000000000000000000000000002\n    driver: x\n    address: h\n", []string{":6:3: \"a\" of devices is already in line 2"}},
		{"a name twice but for case", head + "  A:\n    id: 00000000000000000000000000000002\n    driver: x\n    address: h\n", []string{":6:3:", "differ only in case"}},
		{"an id twice", head + "  b:\n    id: 00000000000000000000000000000001\n    driver: x\n    address: h\n", []string{":7:5: device b has the id of device a"}},
		{"no id", "devices:\n  a: {driver: x, address: h}\n", []string{":2:3: device a has no id", "id: "}},
		{"a bad id", "devices:\n  a: {id: 1, driver: x, address: h}\n", []string{":2:11: the id is not 32"}},
		{"no driver", "devices:\n  a: {id: 00000000000000000000000000000001, address: h}\n", []string{":2:3: device a has no driver"}},
		{"no address", "devices:\n  a: {id: 00000000000000000000000000000001, driver: h}\n", []string{":2:3: device a has no address"}},
		{"a bad address", strings.Replace(head, "address: h", "address: 2001:db8::1", 1), []string{":5:14: the address \"2001:db8::1\" is not usable", "brackets"}},
		{"a bad name", strings.Replace(head, "  a:", "  a@b:", 1), []string{":2:3: the name \"a@b\" is not usable"}},
		{"a reserved name", strings.Replace(head, "  a:", "  live:", 1), []string{":2:3:", "meaning of its own"}},
		{"an empty device", "devices:\n  a:\n", []string{":2:3: device a is empty"}},
		{"a list of devices", "devices:\n  - a\n", []string{":2:3: devices is a list where a mapping should be"}},
		{"a value for devices", "devices: x\n", []string{":1:10: devices is a single value"}},
		{"a list where a value should be", strings.Replace(head, "address: h", "address: [h]", 1), []string{":5:14: address is a list"}},
		{"no value", strings.Replace(head, "address: h", "address:", 1), []string{":5:", "address is nothing"}},
		{"a secret for a password", head + "    auth:\n      password: " + canary + "\n", []string{":7:17: a secret never stands in this file", "{env: VARIABLE}"}},
		{"a secret for auth", head + "    auth: " + canary + "\n", []string{":6:11: a secret never stands in this file"}},
		{"a secret in a list", head + "    auth:\n      password: [" + canary + "]\n", []string{":7:17: password is a list"}},
		{"a secret as a key", head + "    auth:\n      password: {" + canary + ": x}\n", []string{":7:18: unknown key of password"}},
		{"two places of a secret", head + "    enable: {env: A, file: B}\n", []string{":6:13: a credential has exactly one of"}},
		{"no place of a secret", head + "    enable: {}\n", []string{":6:13: enable refers to nothing"}},
		{"a misspelt place", head + "    enable: {evn: A}\n", []string{":6:14: unknown key of enable (did you mean env?)"}},
		{"a dollar", head + "    enable: {env: $A}\n", []string{"without $"}},
		{"a pipe", head + "    enable: {command: \"a | b\"}\n", []string{":6:13:", "no shell reads it"}},
		{"a passphrase alone", head + "    auth: {passphrase: {env: A}}\n", []string{":6:11: a passphrase without a key"}},
		{"no way in", head + "    auth: {ssh-agent: false}\n", []string{":6:11: auth gives no way"}},
		{"yes is not true", head + "    legacy: yes\n", []string{":6:13: legacy is not a truth value (true or false)"}},
		{"an unknown jump host", head + "    jump: [basion]\njumps:\n  bastion: {address: h}\n", []string{":6:5: unknown jump host \"basion\"", "did you mean bastion?"}},
		{"a jump host without an address", "jumps:\n  b: {user: x}\n", []string{":2:3: jump host b has no address"}},
		{"an unknown service", head + "    services: {htp: {port: 1}}\n", []string{":6:16: unknown key \"htp\" of services (did you mean http?)"}},
		{"a port", head + "    services: {http: {port: 70000}}\n", []string{":6:29: the port is not usable"}},
		{"a pin", head + "    services: {http: {tls-pin: abc}}\n", []string{":6:22: service http: the TLS pin is not usable"}},
		{"a host key", head + "    host-keys: [ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl]\n", []string{":6:17: the host key is not usable"}},
		{"a time span", head + "    timeout: 5\n", []string{":6:14: timeout is not a time span (90s"}},
		{"a time", head + "    unit: {since: yesterday}\n", []string{":6:19: since is not a time"}},
		{"a group key of a device only", "groups:\n  g: {address: h}\n", []string{":2:7: unknown key \"address\" of group g"}},
		{"an anchor", head + "    labels: &x {a: b}\n", []string{":6:", "an anchor or alias is not supported here"}},
		{"an alias bomb", "a: &a [x,x]\nb: &b [*a,*a]\n", []string{":1:"}},
		{"a merge key", head + "    <<: {user: x}\n", []string{"a merge key is not supported here"}},
		{"two documents", "devices: {}\n---\ndevices: {}\n", []string{"a second document"}},
		{"not YAML", head + "    user: [" + canary + "\n", []string{"not valid YAML"}},
		{"not YAML, quoted", head + "    user: \"" + canary + "\n", []string{"not valid YAML"}},
		{"not YAML, tab", "devices:\n\ta: 1\n", []string{":2:", "not valid YAML"}},
		{"a control character", head + "    user: a\x1b[2J\n", []string{":6: a control character"}},
		{"a control character by escape", head + "    user: \"a\\e[2J\"\n", []string{":6:11: a value holds a control character"}},
		{"not UTF-8", head + "    user: \xff\n", []string{":6: a control character or a byte that is not UTF-8"}},
		{"too deep", strings.Repeat("[", 40) + strings.Repeat("]", 40), []string{"nested too deeply"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.file)
			_, err := inventory.Load(path)
			if !errors.Is(err, inventory.ErrConfig) {
				t.Fatalf("not an ErrConfig: %v", err)
			}
			text := err.Error()
			if !strings.HasPrefix(text, path+":") {
				t.Errorf("no file: %s", text)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("got  %s\nwant %s", text, want)
				}
			}
			if strings.Contains(text, canary) {
				t.Errorf("the fault repeats a secret: %s", text)
			}
		})
	}
}

// All faults are reported at once, up to a bound.
func TestManyFaults(t *testing.T) {
	_, err := inventory.Load(write(t, "devices:\n  a: {id: 1, driver: X}\n  b: {}\n"))
	if n := strings.Count(err.Error(), "\n") + 1; n < 5 {
		t.Errorf("%d faults: %v", n, err)
	}
	_, err = inventory.Load(write(t, "devices:\n"+strings.Repeat("  a: {x: y}\n", 50000)))
	if n := strings.Count(err.Error(), "\n") + 1; n != 20 {
		t.Errorf("%d faults", n)
	}
}

func TestSplitAddress(t *testing.T) {
	tests := []struct {
		in, host string
		port     int
	}{
		{"h", "h", 0}, {"h:22", "h", 22}, {"a-b.example.net:65535", "a-b.example.net", 65535}, {"192.0.2.1", "192.0.2.1", 0},
		{"[2001:db8::1]", "2001:db8::1", 0}, {"[2001:db8::1]:22", "2001:db8::1", 22}, {"[fe80::1%eth0]:22", "fe80::1%eth0", 22}, {"my_alias", "my_alias", 0},
	}
	for _, tt := range tests {
		host, port, err := inventory.SplitAddress(tt.in)
		if err != nil || host != tt.host || port != tt.port {
			t.Errorf("%q: %q %d %v", tt.in, host, port, err)
		}
	}
	for _, bad := range []string{
		"", ":22", "h:", "h:0", "h:65536", "h:+22", "h:x", "h:22:22", "2001:db8::1", "::1", "[::1", "[::1]x", "[::1]22", "[::1]:", "[192.0.2.1]", "[h]:22",
		"a b", "a/b", "user@h", "-h", "-oProxyCommand=x", "256.1.1.1", "1.2.3", "h\n", "http://h", strings.Repeat("a", 300),
	} {
		if _, _, err := inventory.SplitAddress(bad); !errors.Is(err, inventory.ErrConfig) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{"a", "core1", "core-1.example.net", "SW_1", "1", "0042"} {
		if err := inventory.CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", ".", "..", "-a", "a@b", "a/b", "a b", "a\n", "é", "live", "LATEST", "a:b", "a*", strings.Repeat("a", 254)} {
		if err := inventory.CheckName(bad); !errors.Is(err, inventory.ErrConfig) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What Add and Update refuse leaves the inventory as it was.
func TestRefusedChanges(t *testing.T) {
	good := inventory.Device{Name: "n", Driver: "x", Address: "h"}
	with := func(edit func(*inventory.Device)) inventory.Device { d := good; edit(&d); return d }
	tests := []struct {
		name string
		d    inventory.Device
		want error
	}{
		{"a name that is taken", with(func(d *inventory.Device) { d.Name = "CORE1" }), inventory.ErrExists},
		{"an id that is taken", with(func(d *inventory.Device) { d.ID = "00000000000000000000000000000001" }), inventory.ErrExists},
		{"a bad name", with(func(d *inventory.Device) { d.Name = "a b" }), inventory.ErrConfig},
		{"no driver", with(func(d *inventory.Device) { d.Driver = "" }), inventory.ErrConfig},
		{"no address", with(func(d *inventory.Device) { d.Address = "" }), inventory.ErrConfig},
		{"an unknown jump host", with(func(d *inventory.Device) { d.Jump = []string{"x"} }), inventory.ErrConfig},
		{"a line break", with(func(d *inventory.Device) { d.User = "a\n  b: c" }), inventory.ErrConfig},
		{"a line break in a label", with(func(d *inventory.Device) { d.Labels = map[string]string{"a": "b\nc"} }), inventory.ErrConfig},
		{"a bad host key", with(func(d *inventory.Device) { d.HostKeys = []string{"ssh-rsa x"} }), inventory.ErrConfig},
		{"two places", with(func(d *inventory.Device) { d.Enable = inventory.Ref{Env: "A", File: "b"} }), inventory.ErrConfig},
		{"a bad pattern", with(func(d *inventory.Device) {
			d.Auth.Interactive = []inventory.Prompt{{Pattern: "(", Answer: inventory.Ref{Env: "A"}}}
		}), inventory.ErrConfig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv := load(t, write(t, commented))
			if _, err := inv.AddAll([]inventory.Device{{Name: "first", Driver: "x", Address: "h"}, tt.d}); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if n := len(inv.Devices()); n != 3 {
				t.Errorf("%d devices", n)
			}
		})
	}
	inv := load(t, write(t, commented))
	for _, edit := range []func(*inventory.Device){
		func(d *inventory.Device) { d.ID = inventory.NewID() },
		func(d *inventory.Device) { d.Name = "x" },
		func(d *inventory.Device) { d.Address = "a b" },
		func(d *inventory.Device) { d.Driver = "" },
	} {
		if err := inv.Update("core1", func(d *inventory.Device) error { edit(d); return nil }); err == nil {
			t.Error("a change that is not valid was made")
		}
	}
	if err := inv.Rename("core1", "sw1"); !errors.Is(err, inventory.ErrExists) {
		t.Errorf("rename: %v", err)
	}
	if err := inv.Rename("core1", "Core1"); err != nil {
		t.Errorf("another case of the same name: %v", err)
	}
	for _, err := range []error{inv.Remove("x"), inv.Rename("x", "y"), inv.Update("x", nil)} {
		if !errors.Is(err, inventory.ErrNoDevice) {
			t.Errorf("%v", err)
		}
	}
}
