package vyos

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
			config := Sample
			if strings.HasPrefix(string(text), "; reload") {
				config = strings.Replace(Sample, "        commit-revisions 100\n", "        commit-confirm {\n            action reload\n        }\n        commit-revisions 100\n", 1)
			}
			d := New(device.Options{Config: config, Clock: clock}, Variant{Old: strings.HasPrefix(string(text), "; old")})
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

// What a router shows it must accept again, and show the same.
func FuzzConfiguration(f *testing.F) {
	f.Add(Sample)
	f.Add("a {\n/* x */\nb c\n}\n}\nd {\n")
	f.Fuzz(func(t *testing.T, text string) {
		n, _, _ := grammar(nil).parse(text)
		shown := n.String()
		if again, _, _ := grammar(nil).parse(shown); again.String() != shown {
			t.Errorf("shows\n%q\nand then\n%q", shown, again.String())
		}
	})
}
