package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/ios"
)

// A branch router is replaced by another model whose ports are numbered in
// another way. It comes with what lets it be reached, and nothing more.
func TestReplaceIOSByAnotherModel(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	listen := func(o device.Options) *bench {
		o.User, o.Password, o.Enable = "admin", "switch-password", "switch-password"
		d := ios.New(o, ios.Variant{})
		addr, err := d.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return &bench{Device: d, cable: newCable(t, addr.String()), serial: o.Serial}
	}
	old := listen(device.Options{Config: ios.Sample, Serial: "FOC00000001", Model: "C8000V"})
	ports := strings.NewReplacer("GigabitEthernet1\n", "GigabitEthernet0/0/0\n", "GigabitEthernet2\n", "GigabitEthernet0/0/1\n")
	bare := ports.Replace(ios.Sample)
	// Without a web server the new one has made itself no certificate.
	from, to := strings.Index(bare, "crypto pki trustpoint"), strings.Index(bare, "archive\n")
	bare = bare[:from] + bare[to:]
	for _, gone := range []string{"router ospf 1\n router-id 203.0.113.1\n network 198.51.100.0 0.0.0.255 area 0\n!\n", " description uplink\n", " description lan\n", "ip name-server 192.0.2.53\n"} {
		if !strings.Contains(bare, gone) {
			t.Fatalf("the sample has no %q", gone)
		}
		bare = strings.Replace(bare, gone, "", 1)
	}
	fresh := listen(device.Options{Config: strings.Replace(bare, "hostname branch1", "hostname spare", 1), Serial: "FOC00000002", Model: "C8300-1N1S-4T2X"})

	pw := h.secretFile("branch1.pw", "switch-password")
	h.must("device", "add", "branch1", "--driver", "ios", "--address", old.l.Addr().String(), "--user", "admin", "--password-file", pw, "--enable-file", pw)
	h.must("device", "trust", "branch1", "--yes")
	h.must("backup", "branch1")
	address := fresh.l.Addr().String()
	if r := h.want(16, "replace", "branch1", "--address", address, "--yes", "--allow-host-key"); !strings.Contains(r.err, "allow-model") {
		t.Errorf("another model: %s", r.err)
	}
	m := filepath.Join(filepath.Dir(h.dir), "map.yaml")
	if err := os.WriteFile(m, []byte("GigabitEthernet1: GigabitEthernet0/0/0\nGigabitEthernet2: GigabitEthernet0/0/1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.must("replace", "branch1", "--address", address, "--yes", "--allow-host-key", "--allow-model", "--allow-losses", "--map", m)
	for _, want := range []string{"hostname branch1", "interface GigabitEthernet0/0/0\n description uplink", "interface GigabitEthernet0/0/1\n description lan", "router ospf 1"} {
		if !strings.Contains(fresh.Running(), want) || !strings.Contains(fresh.Startup(), want) {
			t.Errorf("the new router lacks %q:\n%s", want, fresh.Running())
		}
	}
	h.must("backup", "branch1")
}
