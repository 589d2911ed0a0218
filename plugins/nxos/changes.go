package nxos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
)

// What a change leaves on bootflash says how far it has come: the file that
// Stage brought, and from the moment at which Commit arms the timeout a note
// of when that was and of the configurations before and after. No command of
// NX-OS is known to tell whether a timeout runs.
const (
	stagedFile    = ".cfg"
	armedFile     = ".arm"
	confirmedFile = ".done"
)

func fileOf(changeID, suffix string) string { return "bootflash:cfgvault-" + changeID + suffix }

// note is what Commit writes down.
type note struct {
	armed         time.Time // by the switch's clock
	seconds       int
	before, after string // digests of what ran and what was to run
}

func (n note) text() []byte {
	return fmt.Appendf(nil, "armed %s\nseconds %d\nbefore %s\nafter %s\n", n.armed.Format(time.RFC3339), n.seconds, n.before, n.after)
}

var noteText = regexp.MustCompile(`^armed (\S+)\nseconds (\d+)\nbefore ([0-9a-f]{64})\nafter ([0-9a-f]{64})\n$`)

func parseNote(data []byte) (note, error) {
	m := noteText.FindSubmatch(data)
	if m == nil {
		return note{}, errors.New("nxos: the note of the change on bootflash is damaged")
	}
	at, err1 := time.Parse(time.RFC3339, string(m[1]))
	seconds, err2 := strconv.Atoi(string(m[2]))
	return note{at, seconds, string(m[3]), string(m[4])}, errors.Join(err1, err2)
}

// digest is of what a text configures.
func digest(text string) string {
	sum := sha256.Sum256([]byte(strings.Join(statements(text), "\n")))
	return hex.EncodeToString(sum[:])
}

// change is what the switch knows of a change.
type change struct {
	staged, armed, confirmed bool
	note                     note
	running                  string
	left                     time.Duration
	others                   []string
}

// grace is how long after its end a timeout may still be undoing.
const grace = 20 * time.Second

// state of a change. While the time runs the switch may not have confirmed it
// whoever runs; afterwards the configuration tells which way it went.
func (c change) state() plugins.State {
	if c.confirmed {
		return plugins.StateConfirmed
	}
	if !c.armed {
		if c.staged {
			return plugins.StateStaged
		}
		return plugins.StateNone
	}
	now := digest(c.running)
	switch {
	case now == c.note.before && now != c.note.after:
		return plugins.StateRolledBack
	case c.left > 0:
		return plugins.StatePending
	case now == c.note.after:
		return plugins.StateConfirmed
	case c.left > -grace:
		return plugins.StatePending
	}
	return plugins.StateUnknown
}

var ourFile = regexp.MustCompile(`\bcfgvault-([\w-]+)(\.cfg|\.arm|\.done)\b`)

// look asks the switch what it knows of a change.
func look(ctx context.Context, r runner, s plugins.Session, changeID string) (change, error) {
	var c change
	out, err := read(ctx, r, "dir bootflash:")
	if err != nil {
		return c, err
	}
	if text, refused := refusal(out); refused {
		return c, refusedError("dir bootflash:", text)
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
	if !c.armed || c.confirmed {
		return c, nil
	}
	data, err := cisco.CopyFrom(ctx, s, fileOf(changeID, armedFile))
	if err != nil {
		return c, fmt.Errorf("nxos: read the note of change %s: %w", changeID, err)
	}
	if c.note, err = parseNote(data); err != nil {
		return c, err
	}
	now, err := clock(ctx, r)
	if err != nil {
		return c, err
	}
	c.left = time.Duration(c.note.seconds)*time.Second - now.Sub(c.note.armed)
	c.running, err = running(ctx, r)
	return c, err
}

func running(ctx context.Context, r runner) (string, error) {
	out, err := read(ctx, r, "show running-config")
	if err != nil {
		return "", err
	}
	if text, refused := refusedWhole(out, false); refused {
		return "", refusedError("show running-config", text)
	}
	return out, nil
}

var clockText = regexp.MustCompile(`(\d{1,2}:\d{2}:\d{2})(?:\.\d+)? \S+ \w{3} (\w{3}) +(\d{1,2}) (\d{4})`)

// clock reads the switch's clock. It is compared with itself alone, so its
// zone does not matter.
func clock(ctx context.Context, r runner) (time.Time, error) {
	out, err := read(ctx, r, "show clock")
	if err != nil {
		return time.Time{}, err
	}
	m := clockText.FindStringSubmatch(out)
	if m == nil {
		return time.Time{}, errors.New("nxos: show clock: the switch does not tell the time")
	}
	m[3] = strings.TrimPrefix(m[3], "0")
	return time.Parse("15:04:05 Jan 2 2006", strings.Join(m[1:], " "))
}
