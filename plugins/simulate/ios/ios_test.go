package ios

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/dialogue"
)

var update = flag.Bool("update", false, "write what the devices say into testdata")

// TestDialogues plays the conversations in testdata on the variant that the
// first line names.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no dialogues", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
			var v Variant
			config := Sample
			switch {
			case strings.HasPrefix(string(text), "; a switch"):
				v.Switch, v.Stack = true, []string{"FCW0000A002"}
				config = strings.Replace(config, "interface Loopback0", "vlan 10\n name USERS\n!\ninterface Loopback0", 1)
			case strings.HasPrefix(string(text), "; an old release"):
				v.NoTimer = true
			}
			d := New(device.Options{Config: config, Clock: clock, Privileged: true}, v)
			got, err := dialogue.Play(t.Context(), d, clock, d.Login, string(text))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(text) {
				t.Errorf("the device says\n%s", got)
			}
		})
	}
}

// FuzzConfiguration types any text into a configuration: what the device then
// keeps in a file it must read again, and keep the same.
func FuzzConfiguration(f *testing.F) {
	f.Add(Sample, "interface GigabitEthernet1\nno shutdown\nbanner motd #hello#\n")
	f.Add("foo bar\n baz\n!\nend\n", "no foo bar\nbanner login x\ny\nx\n")
	f.Fuzz(func(t *testing.T, config, typed string) {
		b := New(device.Options{Config: config}, Variant{}).Box().(*box)
		e := b.grammar.Edit(b.run)
		for line := range strings.Lines(typed) {
			if strings.Contains(line, etx) {
				return // what delimits a banner cannot be typed into one
			}
			e.Enter(strings.TrimRight(line, "\r\n"))
		}
		kept := b.order.Render(b.run)
		if again := b.order.Render(b.grammar.Parse(kept)); again != kept {
			t.Errorf("keeps\n%q\nand then\n%q", kept, again)
		}
	})
}
