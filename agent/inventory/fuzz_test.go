package inventory_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/agent/inventory"
)

// The fast reader must agree with the library on whatever it reads.
func FuzzScanAgreesWithLibrary(f *testing.F) {
	f.Add(commented)
	for _, s := range []string{
		"", "# only\n", "a:\n", "a: 1\nb: 2\n", "a:\n- x\n- y\nb: c", "a:\n  - x\n", "a: [1, b c, \"q\"]\n", "a: {b: c, d: {e: f}} # x\n",
		"a: b #c\n", "a: b#c\n", "a: 'x' \n", "a: \"x\\\"y\"\n", "a: ~\n", "a: null\n", "a: 0123\n", "a: 0x1f\n", "a: 1_000\n", "a: .inf\n", "a: 1e3\n",
		"a: b\n c\n", "a: é\nb: [é, x]\n", "é: x\n", "a:b\n", "a: b:c\n", "  a: b\n  c: d\n", "a:\n    b: 1\n  c: 2\n", "a: <<\n", "<<: a\n", "a: 2001-01-01\n",
		"a: x, y\n", "a: (x)\n", "a: true\nTrue: a\n", "1: 2\n", "a: - b\n", "a: -1\n", "a: +1\n", "a: [a,b]\n", "a: [ ]\n", "a: {}\n", "a: [a, ]\n", "a: /x y\n", "a: ~x\n",
		"a: x\n# c\n  # d\nb: y\n", "a:\n# c\n  b: y\n", "a:   # c\n  b: y\n", "a:\n\n  - x # c\n", "a: \n", "a: 12:30\n", "a: 10.0.0.1:22\n", "---\na: b\n", "a: b\n...\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, same := inventory.Both([]byte(text)); !same {
			t.Errorf("the two readers differ on %q", text)
		}
	})
}

// Whatever stands in the file, reading it does not panic; what is refused is
// an ErrConfig; what is accepted can be changed and saved without loss.
func FuzzLoadAndChange(f *testing.F) {
	f.Add(commented)
	f.Add("devices: {a: {id: 00000000000000000000000000000001, driver: x, address: y}}\n")
	f.Add("devices:\r\n  a:\r\n    id: 00000000000000000000000000000001\r\n    driver: x\r\n    address: y")
	f.Add("{}")
	f.Add("devices: &a\n  x: *a\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "devices.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		inv, err := inventory.Load(path)
		if err != nil {
			if !errors.Is(err, inventory.ErrConfig) {
				t.Fatalf("not an ErrConfig: %v", err)
			}
			return
		}
		before := inv.Devices()
		if len(before) > 0 {
			if err := inv.Update(before[0].Name, func(d *inventory.Device) error { d.User = "fuzz: #"; d.Labels = nil; return nil }); err != nil {
				return
			}
		}
		if _, err := inv.Add(inventory.Device{Name: "fuzz-added", Driver: "frr", Address: "h"}); err != nil {
			return
		}
		if err := inv.Save(); err != nil {
			if got, rerr := os.ReadFile(path); rerr != nil || string(got) != text {
				t.Fatalf("a save that failed changed the file: %v %v", err, rerr)
			}
			return
		}
		again, err := inventory.Load(path)
		if err != nil {
			t.Fatalf("the file saved cannot be read: %v", err)
		}
		after := again.Devices()
		if len(after) != len(before)+1 || len(before) > 0 && after[0].User != "fuzz: #" {
			t.Fatalf("%d devices before, %d after", len(before), len(after))
		}
		for i := 1; i < len(before); i++ {
			if !inventory.Equal(before[i], after[i]) {
				t.Fatalf("device %s changed", before[i].Name)
			}
		}
	})
}

// A table never panics the import, and either adds every row or nothing.
func FuzzImportCSV(f *testing.F) {
	f.Add([]byte("name,driver,address\nr1,frr,h1\nr2,frr,h2\n"))
	f.Add([]byte("\xef\xbb\xbfname;driver;address;groups;labels\r\nr1;frr;h1;a b;k=v\r\n"))
	f.Add([]byte("name,password\nx,y\n"))
	f.Add([]byte("name,address\n\"x\n"))
	f.Fuzz(func(t *testing.T, table []byte) {
		inv, err := inventory.Load(filepath.Join(t.TempDir(), "devices.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		added, err := inv.ImportCSV(bytes.NewReader(table), "t.csv")
		if err != nil {
			if len(added) != 0 || len(inv.Devices()) != 0 {
				t.Fatal("an import that failed added devices")
			}
			if !errors.Is(err, inventory.ErrConfig) {
				t.Fatalf("not an ErrConfig: %v", err)
			}
			return
		}
		if len(inv.Devices()) != len(added) {
			t.Fatal("an import lost devices")
		}
		for _, d := range added {
			if strings.ContainsAny(d.Name, "@/ \n") {
				t.Fatalf("name %q", d.Name)
			}
		}
	})
}
