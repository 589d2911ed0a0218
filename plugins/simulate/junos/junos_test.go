package junos

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

var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

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
			clock := device.NewManualClock(start)
			d := New(device.Options{Config: Sample, Clock: clock, Deny: []string{"request system reboot"}})
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

// What a unit shows it must accept again, and show the same.
func FuzzConfiguration(f *testing.F) {
	f.Add(Sample)
	f.Add("a {\n/* x */\ninactive: b;\n}\n}\nc d;\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, _ := grammar(nil).parse(text)
		shown := s.String()
		again, wrong := grammar(nil).parse(shown)
		if again.String() != shown {
			t.Errorf("shows\n%q\nand then\n%q (%v)", shown, again.String(), wrong)
		}
	})
}
