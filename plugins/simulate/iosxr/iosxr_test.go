package iosxr

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

// TestDialogues plays the conversations in testdata.
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
			d := New(device.Options{Config: Sample, Clock: clock})
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

// FuzzConfiguration types any text into a configuration: what the switch then
// shows it must read again, and show the same.
func FuzzConfiguration(f *testing.F) {
	f.Add(Sample, "interface GigabitEthernet0/0/0/0\nno shutdown\nbanner motd #hello#\n")
	f.Add("foo bar\n  baz\n", "no foo bar\nbanner exec x\ny\nx\n")
	f.Fuzz(func(t *testing.T, config, typed string) {
		b := New(device.Options{Config: config}).Box().(*box)
		e := b.grammar.Edit(b.run)
		for line := range strings.Lines(typed) {
			if strings.Contains(line, "^") {
				return // what delimits a banner in a listing
			}
			e.Enter(strings.TrimRight(line, "\r\n"))
		}
		shown := b.order.Render(b.run)
		if again := b.order.Render(b.grammar.Parse(shown)); again != shown {
			t.Errorf("shows\n%q\nand then\n%q", shown, again)
		}
	})
}
