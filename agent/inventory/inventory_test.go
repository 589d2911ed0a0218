package inventory_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
)

// write makes a devices.yaml in a folder of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "devices.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, path string) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

const commented = `# The network of the north site.
# Ask before you change addresses.

groups:
  access:            # all access switches
    driver: eos
    user: backup
    auth:
      password: {env: ACCESS_PW}
    jump: [bastion]
    options: {a: "1", b: "2"}

jumps:
  bastion:
    address: bastion.example.net:2222
    user: hop
    auth: {ssh-agent: true}

devices:
  # --- core ---
  core1:
    id: 00000000000000000000000000000001   # never change
    driver: frr
    address: 192.0.2.1      # loopback
    user: 'admin'
    auth:
      # from the safe
      key: {file: ~/.ssh/core}
      passphrase: {command: pass show "net/core key"}
    labels: {site: north, rack: "07"}

  # --- access ---
  sw1:
    id: 00000000000000000000000000000002
    address: "[2001:db8::2]:2022"
    groups:
    - access
    - north
    options:
      b: own
  sw2: {id: 00000000000000000000000000000003, address: 192.0.2.3, groups: [access], legacy: true}
  # end of the list
`

func TestLoad(t *testing.T) {
	path := write(t, commented)
	inv := load(t, path)
	if n := len(inv.Devices()); n != 3 {
		t.Fatalf("%d devices, want 3", n)
	}
	core, err := inv.Device("core1")
	if err != nil {
		t.Fatal(err)
	}
	if core.Driver != "frr" || core.Address != "192.0.2.1" || core.User != "admin" || core.Labels["rack"] != "07" ||
		core.Auth.Key.File != "~/.ssh/core" || core.Auth.Passphrase.Command != `pass show "net/core key"` {
		t.Errorf("core1 = %+v", core)
	}
	sw, err := inv.Device("sw1")
	if err != nil {
		t.Fatal(err)
	}
	if sw.Driver != "eos" || sw.User != "backup" || sw.Auth.Password.Env != "ACCESS_PW" || len(sw.Jump) != 1 ||
		sw.Options["a"] != "1" || sw.Options["b"] != "own" || sw.Legacy {
		t.Errorf("defaults of the group are missing or overrule: %+v", sw)
	}
	if got, err := inv.Group("access"); err != nil || len(got) != 2 || got[0].Name != "sw1" || got[1].Name != "sw2" || !got[1].Legacy {
		t.Errorf("group access = %+v, %v", got, err)
	}
	if got, err := inv.Group("north"); err != nil || len(got) != 1 {
		t.Errorf("a group that is only used: %v, %v", got, err)
	}
	if _, err := inv.Group("acess"); !errors.Is(err, inventory.ErrNoGroup) || !strings.Contains(err.Error(), "did you mean access?") {
		t.Errorf("unknown group: %v", err)
	}
	if _, err := inv.Device("croe1"); !errors.Is(err, inventory.ErrNoDevice) || !strings.Contains(err.Error(), "did you mean core1?") {
		t.Errorf("unknown device: %v", err)
	}
	if d, err := inv.ByID("00000000000000000000000000000003"); err != nil || d.Name != "sw2" {
		t.Errorf("by id: %v, %v", d.Name, err)
	}
	if j, err := inv.Jump("bastion"); err != nil || j.Address != "bastion.example.net:2222" || !j.Auth.SSHAgent {
		t.Errorf("jump host: %+v, %v", j, err)
	}
}

// What the caller does with a device must not reach the inventory.
func TestDevicesAreCopies(t *testing.T) {
	inv := load(t, write(t, commented))
	d, err := inv.Device("sw1")
	if err != nil {
		t.Fatal(err)
	}
	d.Options["a"], d.Groups[0], d.Jump[0] = "x", "x", "x"
	for _, again := range inv.Devices() {
		if again.Name == "sw2" && (again.Options["a"] != "1" || again.Jump[0] != "bastion") {
			t.Errorf("the group's defaults changed: %+v", again)
		}
		if again.Name == "sw1" && again.Groups[0] != "access" {
			t.Errorf("the device changed: %+v", again)
		}
	}
}

func TestMissingFileIsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home", "devices.yaml")
	inv := load(t, path)
	if len(inv.Devices()) != 0 {
		t.Fatal("not empty")
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("saving nothing made a file")
	}
	d, err := inv.Add(inventory.Device{ID: "a" + inventory.NewID()[1:], Name: "r1", Driver: "frr", Address: "192.0.2.1:2201", User: "u", Auth: inventory.Credential{Password: inventory.Ref{Env: "PW"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.ID) != 32 {
		t.Fatalf("id %q", d.ID)
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	want := "devices:\n  r1:\n    id: " + d.ID + "\n    driver: frr\n    address: 192.0.2.1:2201\n    user: u\n    auth:\n      password: {env: PW}\n"
	if read(t, path) != want {
		t.Errorf("got\n%s\nwant\n%s", read(t, path), want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the folder %v, %v", info.Mode(), err)
	}
	if got, err := load(t, path).Device("r1"); err != nil || got.Auth.Password.Env != "PW" || got.ID != d.ID {
		t.Errorf("read again: %+v, %v", got, err)
	}
}

// Every value a device can have is written, read and written again alike.
func TestRoundTripOfEveryValue(t *testing.T) {
	path := write(t, "jumps:\n  hop: {address: hop}\n")
	inv := load(t, path)
	full := inventory.Device{
		Name: "all.of_it-1", Driver: "eos", Address: "[fe80::1%eth0]:22", User: `a "quoted" \ user: #1`,
		Auth: inventory.Credential{
			Password: inventory.Ref{Command: `sh -c 'echo "$X" | head -1'`}, Key: inventory.Ref{File: "keys/x y"},
			Passphrase: inventory.Ref{Env: "P"}, SSHAgent: true,
			Interactive: []inventory.Prompt{{Pattern: `(?i)^code: \d+$`, Answer: inventory.Ref{Env: "CODE"}}, {Pattern: "x", Answer: inventory.Ref{File: "f"}}},
		},
		Enable: inventory.Ref{File: "~/enable"}, Groups: []string{"1", "on", "g.x"},
		Labels:   map[string]string{"site": "null", "x: y": "- z", "on": "yes", "é": "ü, {}", "n": "0123", "e": "1e3", "f": "~"},
		HostKeys: []string{hostKey, hostKey + " comment here"}, Legacy: true, Jump: []string{"hop"}, SSHConfig: "~/.ssh/config",
		Options: map[string]string{"daemons": "zebra bgpd"},
		Services: map[string]inventory.Service{
			"http": {Port: 443, TLSPin: "sha256:" + strings.Repeat("ab", 32), User: "api", Auth: inventory.Ref{Env: "API"}},
			"grpc": {Port: 6030, Plain: true, Auth: inventory.Ref{File: "token"}}, "coap": {},
		},
		Unit:    inventory.Unit{Serials: []string{"JPE123", "0042"}, Model: "X 1", Since: time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)},
		Timeout: 90 * time.Second, Every: 24 * time.Hour,
	}
	added, err := inv.Add(full)
	if err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	first := read(t, path)
	got, err := load(t, path).Device(full.Name)
	if err != nil {
		t.Fatalf("%v\n%s", err, first)
	}
	if !equal(got, added) {
		t.Errorf("got  %+v\nwant %+v\n%s", got, added, first)
	}
	if err := inv.Update(full.Name, func(d *inventory.Device) error { d.Legacy = false; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	if err := inv.Update(full.Name, func(d *inventory.Device) error { d.Legacy = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	if again := read(t, path); again != first {
		t.Errorf("there and back changed the file:\n%s\nwant\n%s", again, first)
	}
}

func equal(a, b inventory.Device) bool { return inventory.Equal(a, b) }
