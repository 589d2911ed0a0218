package simulate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

var update = flag.Bool("update", false, "write what the devices say into testdata")

var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// TestEOSDialogues plays the conversations in testdata. A line
//
//	a# command   is typed on login a
//	a< text      is pasted after it, up to Ctrl-D
//	a? prompt    is answered with Enter; "prompt => reply" with the reply
//	~ 5m         lets time pass
//	! reload     and "! factory-reset", "! disconnect" happen to the device
//
// and what follows is what the device says. "-- lost" is a login that ended.
func TestEOSDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/eos_*.txt")
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

// play runs a dialogue and returns it with what the device really said.
func play(t *testing.T, text string) string {
	t.Helper()
	clock := NewManualClock(start)
	o := Options{Config: eosSample, Clock: clock, Privileged: true}
	switch {
	case strings.HasPrefix(text, "; old layout"):
		o.Layout = LayoutOld
	case strings.HasPrefix(text, "; sessions expire silently"):
		o.Expired = ExpiredGone
	case strings.HasPrefix(text, "; unprivileged"):
		o.Privileged, o.Enable, o.Deny = false, "raise", []string{"configure lock"}
	}
	d := NewEOS(o)
	logins := map[string]plugins.CLI{}
	var out strings.Builder
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	kind := func(l string) string {
		switch {
		case strings.HasPrefix(l, "~ "), strings.HasPrefix(l, "! reload"), strings.HasPrefix(l, "! factory"), strings.HasPrefix(l, "! disconnect"), strings.HasPrefix(l, ";"):
			return l[:1]
		case len(l) > 2 && l[0] >= 'a' && l[0] <= 'f' && strings.Contains("#<?", l[1:2]) && l[2] == ' ':
			return l[1:2]
		}
		return ""
	}
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		switch kind(l) {
		case ";":
			out.WriteString(l + "\n")
		case "~":
			out.WriteString(l + "\n")
			wait, err := time.ParseDuration(l[2:])
			if err != nil {
				t.Fatal(err)
			}
			clock.Advance(wait)
		case "!":
			out.WriteString(l + "\n")
			switch l[2:] {
			case "reload":
				d.Reload()
			case "factory-reset":
				d.FactoryReset()
			case "disconnect":
				d.Disconnect()
			}
		case "#":
			c := plugins.Command{Text: l[3:]}
			out.WriteString(l + "\n")
			for i+1 < len(lines) && strings.Contains("<?", kind(lines[i+1])) && kind(lines[i+1]) != "" {
				i++
				out.WriteString(lines[i] + "\n")
				if kind(lines[i]) == "<" {
					c.Input = append(c.Input, lines[i][3:]+"\n"...)
				} else {
					prompt, reply, _ := strings.Cut(lines[i][3:], " => ")
					c.Answers = append(c.Answers, plugins.Answer{Prompt: prompt, Reply: reply})
				}
			}
			cli := logins[l[:1]]
			if cli == nil {
				var err error
				if o.Privileged {
					cli, err = d.Session().CLI(t.Context())
				} else {
					cli, err = d.login()
				}
				if err != nil {
					out.WriteString("-- no login\n")
					continue
				}
				t.Cleanup(func() { cli.Close() })
				logins[l[:1]] = cli
			}
			got, err := cli.Run(t.Context(), c)
			out.Write(got.Stdout)
			if len(got.Stdout) > 0 && got.Stdout[len(got.Stdout)-1] != '\n' {
				out.WriteString("\n")
			}
			if err != nil || got.End == plugins.EndCut {
				fmt.Fprintf(&out, "-- lost\n")
				delete(logins, l[:1])
			}
		}
	}
	return out.String()
}
