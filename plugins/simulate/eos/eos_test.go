package eos

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
			got := play(t, string(text))
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

// play runs a dialogue on the variant that its first line names.
func play(t *testing.T, text string) string {
	t.Helper()
	clock := device.NewManualClock(start)
	o := device.Options{Config: Sample, Clock: clock, Privileged: true}
	var v Variant
	switch {
	case strings.HasPrefix(text, "; old layout"):
		v.Layout = LayoutOld
	case strings.HasPrefix(text, "; sessions expire silently"):
		v.Expired = ExpiredGone
	case strings.HasPrefix(text, "; unprivileged"):
		o.Privileged, o.Enable, o.Deny = false, "raise", []string{"configure lock"}
	}
	d := New(o, v)
	said, err := dialogue.Play(t.Context(), d, clock, d.Login, text)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// FuzzConfiguration types any text into a configuration: what the device
// then shows it must accept again, and show the same.
func FuzzConfiguration(f *testing.F) {
	f.Add(Sample, "interface Ethernet1\nno switchport\n")
	f.Add("foo bar\n   baz\n!\nend\n", "no foo bar\nbanner login\nx\nEOF\n")
	f.Fuzz(func(t *testing.T, config, typed string) {
		d := New(device.Options{Config: config}, Variant{})
		e := d.Box().(*eos)
		ed := e.grammar.Edit(e.run)
		for line := range strings.Lines(typed) {
			ed.Enter(strings.TrimRight(line, "\r\n"))
		}
		shown := e.order.Render(e.run)
		if again := e.order.Render(e.grammar.Parse(shown)); again != shown {
			t.Errorf("shows\n%q\nand then\n%q", shown, again)
		}
	})
}
