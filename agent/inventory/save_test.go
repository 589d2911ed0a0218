package inventory_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/agent/inventory"
)

// Every change leaves the lines that it does not concern byte for byte.
func TestSaveKeepsWhatPeopleWrote(t *testing.T) {
	tests := []struct {
		name   string
		file   string
		change func(*inventory.Inventory) error
		want   func(string) string
	}{
		{"set a value that was there, keep its comment", commented,
			func(inv *inventory.Inventory) error {
				return inv.Update("core1", func(d *inventory.Device) error { d.Address = "192.0.2.9"; return nil })
			},
			replace("address: 192.0.2.1      # loopback", "address: 192.0.2.9      # loopback")},
		{"pin a host key", commented,
			func(inv *inventory.Inventory) error {
				return inv.Update("core1", func(d *inventory.Device) error { d.HostKeys = []string{hostKey}; return nil })
			},
			replace("rack: \"07\"}\n", "rack: \"07\"}\n    host-keys:\n      - "+hostKey+"\n")},
		{"take a value away", commented,
			func(inv *inventory.Inventory) error {
				return inv.Update("core1", func(d *inventory.Device) error { d.User = ""; return nil })
			},
			replace("    user: 'admin'\n", "")},
		{"a value with a list at the key's own indentation", commented,
			func(inv *inventory.Inventory) error {
				return inv.Update("sw1", func(d *inventory.Device) error { d.Groups = []string{"access"}; return nil })
			},
			replace("    groups:\n    - access\n    - north\n", "    groups: [access]\n")},
		{"a device in brackets is written anew", commented,
			func(inv *inventory.Inventory) error {
				return inv.Update("sw2", func(d *inventory.Device) error { d.User = "x"; return nil })
			},
			replace("  sw2: {id: 00000000000000000000000000000003, address: 192.0.2.3, groups: [access], legacy: true}\n",
				"  sw2:\n    id: \"00000000000000000000000000000003\"\n    address: 192.0.2.3\n    user: x\n    groups: [access]\n    legacy: true\n")},
		{"rename keeps the id", commented,
			func(inv *inventory.Inventory) error { return inv.Rename("core1", "core-north") },
			replace("  core1:\n", "  core-north:\n")},
		{"rename in brackets", commented,
			func(inv *inventory.Inventory) error { return inv.Rename("sw2", "sw2b") },
			replace("  sw2: {", "  sw2b: {")},
		{"rename and change", commented,
			func(inv *inventory.Inventory) error {
				if err := inv.Rename("core1", "c"); err != nil {
					return err
				}
				return inv.Update("c", func(d *inventory.Device) error { d.Driver = "linux"; return nil })
			},
			func(s string) string {
				return replace("driver: frr", "driver: linux")(replace("  core1:\n", "  c:\n")(s))
			}},
		{"remove", commented,
			func(inv *inventory.Inventory) error { return inv.Remove("sw2") },
			func(s string) string {
				i := strings.Index(s, "  sw2:")
				return s[:i] + "  # end of the list\n"
			}},
		{"add at the end", commented,
			func(inv *inventory.Inventory) error {
				_, err := inv.Add(inventory.Device{ID: "a0000000000000000000000000000004", Name: "sw3", Address: "h", Groups: []string{"access"}})
				return err
			},
			func(s string) string {
				return s + "  sw3:\n    id: a0000000000000000000000000000004\n    address: h\n    groups: [access]\n"
			}},
		{"no newline at the end", strings.TrimSuffix(commented, "  # end of the list\n"),
			func(inv *inventory.Inventory) error {
				_, err := inv.Add(inventory.Device{ID: "a0000000000000000000000000000004", Name: "sw3", Address: "h", Driver: "x"})
				return err
			},
			func(s string) string {
				return s + "  sw3:\n    id: a0000000000000000000000000000004\n    driver: x\n    address: h\n"
			}},
		{"a file with CR LF", "devices:\r\n  a:\r\n    id: 00000000000000000000000000000001\r\n    driver: x\r\n    address: y # z\r\n",
			func(inv *inventory.Inventory) error {
				return inv.Update("a", func(d *inventory.Device) error { d.Address = "w"; d.User = "u"; return nil })
			},
			replace("address: y # z\r\n", "address: w # z\r\n    user: u\r\n")},
		{"the first device of a section that is empty", "groups:\n  g: {driver: x}\ndevices: {} # none yet\n",
			func(inv *inventory.Inventory) error {
				_, err := inv.Add(inventory.Device{ID: "a0000000000000000000000000000004", Name: "d", Address: "h", Groups: []string{"g"}})
				return err
			},
			replace("devices: {} # none yet\n", "devices: # none yet\n  d:\n    id: a0000000000000000000000000000004\n    address: h\n    groups: [g]\n")},
		{"only a comment", "# hello\n",
			func(inv *inventory.Inventory) error {
				_, err := inv.Add(inventory.Device{ID: "a0000000000000000000000000000004", Name: "d", Address: "h", Driver: "x"})
				return err
			},
			func(s string) string {
				return s + "devices:\n  d:\n    id: a0000000000000000000000000000004\n    driver: x\n    address: h\n"
			}},
		{"a jump host's key", commented,
			func(inv *inventory.Inventory) error {
				return inv.UpdateJump("bastion", func(j *inventory.Jump) error { j.HostKeys = []string{hostKey}; return nil })
			},
			replace("    auth: {ssh-agent: true}\n", "    auth: {ssh-agent: true}\n    host-keys:\n      - "+hostKey+"\n")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.file)
			inv := load(t, path)
			if err := tt.change(inv); err != nil {
				t.Fatal(err)
			}
			if err := inv.Save(); err != nil {
				t.Fatal(err)
			}
			if got, want := read(t, path), tt.want(tt.file); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".devices*")); err != nil || left != nil {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func replace(old, new string) func(string) string {
	return func(s string) string {
		if strings.Count(s, old) != 1 {
			panic("the test replaces what is not there once: " + old)
		}
		return strings.Replace(s, old, new, 1)
	}
}

func TestLegacyFalseOverrulesAGroup(t *testing.T) {
	path := write(t, "groups:\n  old: {driver: x, legacy: true}\ndevices:\n"+
		"  a:\n    id: 00000000000000000000000000000001\n    address: h\n    groups: [old]\n    legacy: false\n"+
		"  b:\n    id: 00000000000000000000000000000002\n    address: h\n    groups: [old]\n    legacy: true\n")
	inv := load(t, path)
	if err := inv.Update("b", func(d *inventory.Device) error { d.Legacy = false; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if d, err := load(t, path).Device(name); err != nil || d.Legacy {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

// Two commands that loaded the same file and save one after the other.
func TestSaveMerges(t *testing.T) {
	setUser := func(name, user string) func(*inventory.Inventory) error {
		return func(inv *inventory.Inventory) error {
			return inv.Update(name, func(d *inventory.Device) error { d.User = user; return nil })
		}
	}
	setAddress := func(name, a string) func(*inventory.Inventory) error {
		return func(inv *inventory.Inventory) error {
			return inv.Update(name, func(d *inventory.Device) error { d.Address = a; return nil })
		}
	}
	add := func(name string) func(*inventory.Inventory) error {
		return func(inv *inventory.Inventory) error {
			_, err := inv.Add(inventory.Device{Name: name, Driver: "x", Address: "h"})
			return err
		}
	}
	remove := func(name string) func(*inventory.Inventory) error {
		return func(inv *inventory.Inventory) error { return inv.Remove(name) }
	}
	rename := func(a, b string) func(*inventory.Inventory) error {
		return func(inv *inventory.Inventory) error { return inv.Rename(a, b) }
	}
	tests := []struct {
		name          string
		first, second func(*inventory.Inventory) error
		want          error
	}{
		{"two devices", setUser("core1", "a"), setUser("sw1", "b"), nil},
		{"two values of one device", setUser("core1", "a"), setAddress("core1", "b"), nil},
		{"the same value alike", setUser("core1", "a"), setUser("core1", "a"), nil},
		{"the same value", setUser("core1", "a"), setUser("core1", "b"), inventory.ErrConflict},
		{"two new devices", add("n1"), add("n2"), nil},
		{"one new name twice", add("n1"), add("N1"), inventory.ErrExists},
		{"renamed and changed", rename("core1", "c"), setUser("core1", "b"), nil},
		{"renamed twice", rename("core1", "c"), rename("core1", "d"), inventory.ErrConflict},
		{"renamed onto a new one", add("c"), rename("core1", "c"), inventory.ErrExists},
		{"removed and changed", remove("core1"), setUser("core1", "b"), inventory.ErrConflict},
		{"changed and removed", setUser("core1", "b"), remove("core1"), nil},
		{"removed twice", remove("core1"), remove("core1"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, commented)
			one, two := load(t, path), load(t, path)
			for _, err := range []error{tt.first(one), tt.second(two), one.Save()} {
				if err != nil {
					t.Fatal(err)
				}
			}
			between := read(t, path)
			err := two.Save()
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil && read(t, path) != between {
				t.Error("a refused save changed the file")
			}
			if err == nil {
				// Both changes are there: doing them again changes nothing.
				load(t, path)
				if !strings.Contains(read(t, path), "# --- core ---") {
					t.Error("a comment is gone")
				}
			}
		})
	}
	t.Run("both are kept", func(t *testing.T) {
		path := write(t, commented)
		one, two := load(t, path), load(t, path)
		for _, err := range []error{setUser("core1", "a")(one), setAddress("core1", "b")(two), add("n1")(one), add("n2")(two), one.Save(), two.Save()} {
			if err != nil {
				t.Fatal(err)
			}
		}
		inv := load(t, path)
		if d, err := inv.Device("core1"); err != nil || d.User != "a" || d.Address != "b" {
			t.Errorf("%+v, %v", d, err)
		}
		for _, n := range []string{"n1", "n2"} {
			if _, err := two.Device(n); err != nil {
				t.Errorf("after Save the inventory is what the file holds: %v", err)
			}
		}
	})
}

// A file that somebody broke meanwhile is not overwritten.
func TestSaveOverABrokenFile(t *testing.T) {
	path := write(t, commented)
	inv := load(t, path)
	if err := inv.Remove("sw1"); err != nil {
		t.Fatal(err)
	}
	broken := commented + "  : [\n"
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); !errors.Is(err, inventory.ErrConfig) || read(t, path) != broken {
		t.Errorf("%v", err)
	}
}

func TestSaveFollowsALink(t *testing.T) {
	path := write(t, commented)
	link := filepath.Join(t.TempDir(), "devices.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	inv := load(t, link)
	if err := inv.Remove("sw1"); err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(read(t, path), "sw1:") {
		t.Error("the file behind the link is unchanged")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
}

// A form that is read but cannot be edited is refused, not damaged.
func TestSaveRefusesBrackets(t *testing.T) {
	const file = "{devices: {a: {id: 00000000000000000000000000000001, driver: x, address: y}}}\n"
	path := write(t, file)
	inv := load(t, path)
	if err := inv.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); !errors.Is(err, inventory.ErrConfig) || !strings.Contains(err.Error(), path) || read(t, path) != file {
		t.Errorf("%v", err)
	}
}

// Many processes that add devices at once lose none.
func TestProcessesAtOnce(t *testing.T) {
	if path := os.Getenv("INVENTORY_TEST_ADD_TO"); path != "" {
		for i := range 5 {
			inv := load(t, path)
			if _, err := inv.Add(inventory.Device{Name: fmt.Sprintf("p%s-%d", os.Getenv("INVENTORY_TEST_NUMBER"), i), Driver: "x", Address: "h"}); err != nil {
				t.Fatal(err)
			}
			if err := inv.Save(); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	path := write(t, commented)
	var procs []*exec.Cmd
	const n = 6
	for i := range n {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProcessesAtOnce$")
		cmd.Env = append(os.Environ(), "INVENTORY_TEST_ADD_TO="+path, fmt.Sprintf("INVENTORY_TEST_NUMBER=%d", i))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		procs = append(procs, cmd)
	}
	for _, cmd := range procs {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(load(t, path).Devices()); got != 3+5*n {
		t.Errorf("%d devices, want %d", got, 3+5*n)
	}
	if text := read(t, path); !strings.HasPrefix(text, commented) {
		t.Errorf("what was there changed:\n%s", text)
	}
}

// tenThousand is the file of a large network, as Save would write it.
func tenThousand() string {
	var b strings.Builder
	b.WriteString("groups:\n  access: {driver: eos, user: backup, auth: {password: {env: PW}}}\ndevices:\n")
	for i := range 10000 {
		fmt.Fprintf(&b, "  sw%05d:\n    id: \"%032x\"\n    address: 10.%d.%d.%d:22\n    groups: [access, site-a]\n    labels:\n      site: a\n      rack: r%d\n    host-keys:\n      - %s\n",
			i, i+1, i>>16, i>>8&255, i&255, i%40, hostKey)
	}
	return b.String()
}

// A large file is read by the fast reader, and a single change to it is
// written without touching the rest. How fast is BenchmarkLoad's to say: a
// time in a test would measure the machine's other work.
func TestTenThousandDevices(t *testing.T) {
	text := tenThousand()
	if fast, same := inventory.Both([]byte(text)); !fast || !same {
		t.Errorf("fast %v, same %v", fast, same)
	}
	path := write(t, text)
	inv := load(t, path)
	if err := inv.Update("sw05000", func(d *inventory.Device) error { d.User = "x"; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	if got, want := len(read(t, path)), len(text)+len("    user: x\n"); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	if n := len(inv.Devices()); n != 10000 {
		t.Errorf("%d devices", n)
	}
}

func BenchmarkLoad(b *testing.B) {
	path := filepath.Join(b.TempDir(), "devices.yaml")
	if err := os.WriteFile(path, []byte(tenThousand()), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := inventory.Load(path); err != nil {
			b.Fatal(err)
		}
	}
}
