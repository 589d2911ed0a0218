package ios

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// What a change leaves on flash says how far it has come: the file that Stage
// brought, under another name from the moment at which Commit arms the timer,
// and under a third once it was confirmed and saved.
const (
	stagedFile    = ".cfg"
	armedFile     = ".run"
	confirmedFile = ".done"
)

// fileOf is the path of a change's file.
func fileOf(s plugins.Session, changeID, suffix string) string {
	return flash(s) + "cfgvault-" + changeID + suffix
}

// change is what the device knows of a change.
type change struct {
	staged, armed, confirmed bool // its files
	timer                    bool // a rollback timer runs
	same                     bool // the running configuration is that of the armed file
	minutes                  int
	begun                    string // when the timer was set, in the device's words
	others                   []string
}

// state of a change. A change whose timer does not run was confirmed if its
// configuration runs, and rolled back if another does.
func (c change) state() plugins.State {
	switch {
	case c.confirmed:
		return plugins.StateConfirmed
	case c.armed && c.timer:
		return plugins.StatePending
	case c.armed && c.same:
		return plugins.StateConfirmed
	case c.armed:
		return plugins.StateRolledBack
	case c.staged:
		return plugins.StateStaged
	}
	return plugins.StateNone
}

var (
	timerValue = regexp.MustCompile(`(?m)^\s*Timer value:\s*(\d+)`)
	timerBegun = regexp.MustCompile(`(?m)^\s*Time configured[^:]*:\s*(.+?)\s*$`)
	noTimer    = regexp.MustCompile(`(?i)no rollback confirmed change pending`)
	ourFile    = regexp.MustCompile(`\bcfgvault-([\w-]+)(\.cfg|\.run|\.done)\b`)
)

// look asks the device what it knows of a change.
func look(ctx context.Context, r runner, s plugins.Session, changeID string) (change, error) {
	var c change
	out, err := read(ctx, r, "dir "+flash(s))
	if err != nil {
		return c, err
	}
	if text, refused := refusedWhole(out); refused {
		return c, refusedError("dir "+flash(s), text)
	}
	for _, m := range ourFile.FindAllStringSubmatch(out, -1) {
		if m[1] != changeID {
			c.others = append(c.others, m[0])
			continue
		}
		c.staged = c.staged || m[2] == stagedFile
		c.armed = c.armed || m[2] == armedFile
		c.confirmed = c.confirmed || m[2] == confirmedFile
	}
	if out, err = read(ctx, r, "show archive config rollback timer"); err != nil {
		return c, err
	}
	text, refused := refusedWhole(out)
	switch m := timerValue.FindStringSubmatch(out); {
	case m != nil:
		c.timer = true
		if c.minutes, err = strconv.Atoi(m[1]); err != nil {
			return c, fmt.Errorf("ios: the rollback timer shows %q", m[1])
		}
		if m := timerBegun.FindStringSubmatch(out); m != nil {
			c.begun = m[1]
		}
	case noTimer.MatchString(out):
	case refused && strings.Contains(text, "Invalid input"):
		return c, fmt.Errorf("ios: this release has no rollback timer (12.4(15)T and later have it): %w", plugins.ErrNotPermitted)
	case refused:
		return c, refusedError("show archive config rollback timer", text)
	case strings.TrimSpace(out) != "":
		c.timer = true // another layout; what matters is that there is one
	}
	if c.armed && !c.confirmed {
		if c.same, err = runs(ctx, r, fileOf(s, changeID, armedFile)); err != nil {
			return c, err
		}
	}
	return c, nil
}

// runs reports that the device sees no difference between a file and what it
// runs.
func runs(ctx context.Context, r runner, file string) (bool, error) {
	text, err := differences(ctx, r, "system:running-config", file)
	return text == "", err
}

// differences is the device's own account of what turns one configuration into
// the other, "" for nothing.
func differences(ctx context.Context, r runner, from, to string) (string, error) {
	command := "show archive config differences " + from + " " + to
	out, err := read(ctx, r, command)
	if err != nil {
		return "", err
	}
	if text, refused := refusedWhole(out); refused {
		return "", refusedError(command, text)
	}
	var lines []string
	known := false
	for l := range strings.Lines(out) {
		t := strings.TrimRight(l, " \r\n")
		switch {
		case strings.Contains(t, "Contextual Config Diffs:"), strings.Contains(t, "No changes were found"):
			known = true
		case strings.TrimSpace(t) == "", volatileDifference.MatchString(t):
		default:
			lines = append(lines, t)
		}
	}
	if !known {
		return "", fmt.Errorf("ios: %s: the device gives no account of the differences", command)
	}
	if len(lines) == 0 {
		return "", nil
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// volatileDifference is a line that differs without anybody having changed it;
// a unit prints its own identity whatever a file from another one says.
var volatileDifference = regexp.MustCompile(`^[+-]\s*(?:!.*|ntp clock-period \d+|license udi .*)$`)

// left is how much of a rollback timer is left, by the device's own clock.
func (c change) left(ctx context.Context, r runner) (time.Duration, error) {
	out, err := read(ctx, r, "show clock")
	if err != nil {
		return 0, err
	}
	begun, ok1 := clockOf(c.begun)
	now, ok2 := clockOf(out)
	if !ok1 || !ok2 || c.minutes == 0 {
		return 0, fmt.Errorf("the device does not say for how long")
	}
	return max(0, time.Duration(c.minutes)*time.Minute-now.Sub(begun)), nil
}

var clockText = regexp.MustCompile(`(\d{1,2}:\d{2}:\d{2})(?:\.\d+)? \S+ \w{3} (\w{3}) +(\d{1,2}) (\d{4})`)

// clockOf reads "*15:04:05.000 UTC Mon Nov 23 2026". Both times that are
// compared are of one clock, so its zone does not matter.
func clockOf(text string) (time.Time, bool) {
	m := clockText.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, false
	}
	t, err := time.Parse("15:04:05 Jan 2 2006", strings.Join(m[1:], " "))
	return t, err == nil
}
