package vyos

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// change is what the unit knows of one change, by the name of the file that
// holds the new configuration: staged, committed with so many minutes, or
// confirmed.
type change struct {
	id                string
	staged, confirmed bool
	minutes           int  // of the commit; 0: not committed
	timer             bool // some commit-confirm waits, ours or another
}

func (c change) file(what string) string { return "/config/cfgvault-" + c.id + "." + what }

func (c change) stagedFile() string    { return c.file("staged") }
func (c change) committedFile() string { return c.file("committed-" + strconv.Itoa(c.minutes)) }
func (c change) confirmedFile() string { return c.file("confirmed") }

// look reads which files of a change there are, and whether a timer runs.
func look(ctx context.Context, r runner, id string) (change, error) {
	c := change{id: id}
	out, err := read(ctx, r, "ls -1 /config")
	if err != nil {
		return c, err
	}
	if _, refused := refusal(out); refused || !strings.Contains(out, "config.boot") && !strings.Contains(out, "scripts") {
		return c, refusedError("ls /config", out)
	}
	for l := range strings.Lines(out) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(l), "cfgvault-"+id+".")
		if !ok {
			continue
		}
		switch {
		case rest == "staged":
			c.staged = true
		case rest == "confirmed":
			c.confirmed = true
		default:
			if n, ok := strings.CutPrefix(rest, "committed-"); ok {
				c.minutes, _ = strconv.Atoi(n)
			}
		}
	}
	if out, err = read(ctx, r, "systemctl is-active commit-confirm.timer"); err != nil {
		return c, err
	}
	switch strings.TrimSpace(body(out)) {
	case "active":
		c.timer = true
	case "inactive", "failed", "unknown":
	default:
		return c, fmt.Errorf("vyos: the unit does not tell whether a commit waits for its confirmation")
	}
	return c, nil
}

// state maps what look found to a state. A change that was committed and waits
// no more is confirmed if it is what runs.
func (c change) state(ctx context.Context, r runner) (plugins.State, error) {
	switch {
	case c.minutes > 0 && c.timer:
		return plugins.StatePending, nil
	case c.staged:
		return plugins.StateStaged, nil
	case c.minutes > 0:
		same, err := runs(ctx, r, c.committedFile())
		if err != nil {
			return plugins.StateUnknown, err
		}
		if same {
			return plugins.StateConfirmed, nil
		}
		return plugins.StateRolledBack, nil
	case c.confirmed:
		return plugins.StateConfirmed, nil
	}
	return plugins.StateNone, nil
}

// runs reports whether the running configuration is that of a file.
func runs(ctx context.Context, r runner, file string) (bool, error) {
	want, err := read(ctx, r, "cat "+file)
	if err != nil {
		return false, err
	}
	have, err := read(ctx, r, showRunning)
	if err != nil {
		return false, err
	}
	for _, text := range []string{want, have} {
		if _, refused := refusal(text); refused {
			return false, refusedError("compare", text)
		}
	}
	return equal(want, have), nil
}

// Status says how far a change has come. The time left is by the unit's clock:
// an answer for people, the timer itself does not depend on it.
func (d driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	c, err := look(ctx, s, changeID)
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	state, err := c.state(ctx, s)
	if err != nil || state != plugins.StatePending {
		return state, 0, err
	}
	now, err1 := number(ctx, s, "date +%s")
	since, err2 := number(ctx, s, "stat -c %Y "+c.committedFile())
	if err1 != nil || err2 != nil {
		return state, 0, fmt.Errorf("vyos: status: the change is pending, but the unit does not tell the time")
	}
	return state, max(0, time.Duration(since-now)*time.Second+time.Duration(c.minutes)*time.Minute), nil
}

func number(ctx context.Context, r runner, command string) (int64, error) {
	out, err := read(ctx, r, command)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(body(out)), 10, 64)
}
