package junos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// Commit loads the staged file and commits it under the device's timer, which
// counts whole minutes.
func (d driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	minutes := int((within + time.Minute - 1) / time.Minute)
	if minutes < 1 || minutes > 65535 {
		return fmt.Errorf("junos: commit: a timer of %s cannot be set", within)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("junos: commit: %w", err)
	}
	defer cli.Close()
	log, err := commits(ctx, cli)
	if err != nil {
		return err
	}
	if log.pending() {
		return fmt.Errorf("junos: commit: another commit waits for its confirmation: %w", plugins.ErrBusy)
	}
	staged, err := there(ctx, cli, fileName(changeID))
	if err != nil {
		return err
	}
	if !staged {
		return fmt.Errorf("junos: commit: change %s is not staged", changeID)
	}
	if err := enter(ctx, cli, "commit", "configure exclusive"); err != nil {
		return err
	}
	if err := commit(ctx, cli, changeID, minutes); err != nil {
		if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
			if leaveErr := leave(ctx, cli); leaveErr != nil {
				return errors.Join(err, leaveErr)
			}
		}
		return err
	}
	// Silence is not proof that the timer runs.
	if log, err = commits(ctx, cli); err != nil {
		return unknown("commit", err)
	}
	if state, _ := log.of(mark(changeID)); state != plugins.StatePending {
		return fmt.Errorf("junos: commit: the unit does not show the commit as pending: %w", plugins.ErrSessionLost)
	}
	return nil
}

// commit is everything in configuration mode. What was staged is gone from the
// device before the commit, so that it is known for one only.
func commit(ctx context.Context, cli plugins.CLI, changeID string, minutes int) error {
	file := fileName(changeID)
	out, err := write(ctx, cli, "load override "+file)
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused || !loaded.MatchString(out) {
		return refusedError("commit: load override", out)
	}
	if out, err = write(ctx, cli, "run file delete "+file); err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("commit: file delete", out)
	}
	out, err = write(ctx, cli, fmt.Sprintf("commit confirmed %d comment %s", minutes, mark(changeID)))
	if err != nil {
		return unknown("commit", err)
	}
	if _, refused := refusal(out); refused || !strings.Contains(out, "commit complete") {
		return refusedError("commit confirmed", out)
	}
	if _, err := write(ctx, cli, "exit configuration-mode"); err != nil {
		return unknown("commit", err)
	}
	return nil
}

// unknown marks an error after which the outcome on the device is not known.
func unknown(step string, err error) error {
	if errors.Is(err, plugins.ErrSessionLost) {
		return err
	}
	return fmt.Errorf("junos: %s: the outcome is unknown: %w", step, errors.Join(plugins.ErrSessionLost, err))
}

// Confirm ends the timer by "commit check": unlike a plain commit it does not
// make the edits of others the running configuration. The unit starts with what
// is committed, there is nothing to save.
func (d driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("junos: confirm: %w", err)
	}
	defer cli.Close()
	log, err := commits(ctx, cli)
	if err != nil {
		return err
	}
	switch state, _ := log.of(mark(changeID)); state {
	case plugins.StateConfirmed: // before, or by a try whose answer was lost
		return nil
	case plugins.StatePending:
	default:
		if staged, err := there(ctx, cli, fileName(changeID)); err != nil {
			return err
		} else if staged {
			return fmt.Errorf("junos: confirm: change %s was never committed", changeID)
		}
		return fmt.Errorf("junos: confirm: the unit does not run change %s any more: %w", changeID, plugins.ErrRolledBack)
	}
	if err := enter(ctx, cli, "confirm", "configure"); err != nil {
		return err
	}
	out, err := write(ctx, cli, "commit check")
	if err != nil {
		return err
	}
	if _, err := do(ctx, cli, plugins.Command{Text: "exit configuration-mode", Write: true, Answers: []plugins.Answer{
		{Prompt: `\[yes,no\] \([a-z]+\) ?$`, Reply: "yes"}, // the edits of others stay
	}}); err != nil {
		return err
	}
	if log, err = commits(ctx, cli); err != nil {
		return err
	}
	switch state, _ := log.of(mark(changeID)); {
	case state == plugins.StateConfirmed:
		return nil
	case state == plugins.StateRolledBack:
		return fmt.Errorf("junos: confirm: the timer ended first: %w", plugins.ErrRolledBack)
	case !strings.Contains(out, "configuration check succeeds"):
		return refusedError("confirm: commit check", out)
	default:
		return errors.New("junos: confirm: the timer still runs")
	}
}

// Discard removes the staged file, and commits the configuration before this
// one if the timer runs.
func (d driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("junos: discard: %w", err)
	}
	defer cli.Close()
	log, err := commits(ctx, cli)
	if err != nil {
		return err
	}
	if state, _ := log.of(mark(changeID)); state == plugins.StatePending {
		if err := rollBack(ctx, cli, changeID); err != nil {
			return err
		}
	}
	staged, err := there(ctx, cli, fileName(changeID))
	if err != nil || !staged {
		return err
	}
	out, err := write(ctx, cli, "file delete "+fileName(changeID))
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("discard: file delete", out)
	}
	return nil
}

func rollBack(ctx context.Context, cli plugins.CLI, changeID string) error {
	if err := enter(ctx, cli, "discard", "configure exclusive"); err != nil {
		return err
	}
	out, err := write(ctx, cli, "rollback 1")
	if err == nil && !loaded.MatchString(out) {
		err = refusedError("discard: rollback 1", out)
	}
	if err == nil {
		out, err = write(ctx, cli, "commit comment "+mark(changeID)+"-discarded")
		if err == nil && !strings.Contains(out, "commit complete") {
			// A unit as from the factory has no password of root, and cannot
			// commit that again.
			err = fmt.Errorf("junos: discard: the unit goes back by itself when its timer ends, and not before: %w", refusedError("commit", out))
		}
	}
	if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
		err = errors.Join(err, leave(ctx, cli))
	}
	if err != nil {
		return err
	}
	log, err := commits(ctx, cli)
	if err != nil {
		return err
	}
	if state, _ := log.of(mark(changeID)); state == plugins.StatePending {
		return fmt.Errorf("junos: discard: change %s is still pending", changeID)
	}
	return nil
}

// Status reads the list of commits, and looks for the staged file.
func (d driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	log, err := commits(ctx, s)
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	state, left := log.of(mark(changeID))
	if state == plugins.StatePending {
		now, err := clock(ctx, s)
		if err != nil {
			return state, 0, fmt.Errorf("junos: status: the change is pending, but %w", err)
		}
		return state, max(0, log.entries[0].at.Add(left).Sub(now)), nil
	}
	staged, err := there(ctx, s, fileName(changeID))
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	if staged {
		return plugins.StateStaged, 0, nil
	}
	return state, 0, nil
}

// there reports whether a file lies in the home folder of the login.
func there(ctx context.Context, r runner, file string) (bool, error) {
	out, err := read(ctx, r, "file list "+file+" | no-more")
	if err != nil {
		return false, err
	}
	low := strings.ToLower(out)
	if strings.Contains(low, "no such file") {
		return false, nil
	}
	if _, refused := refusal(out); refused {
		return false, refusedError("file list", out)
	}
	return strings.Contains(out, file), nil
}

var currentTime = regexp.MustCompile(`(?m)^Current time: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\S+)`)

// clock is the device's own time, in the form of its list of commits.
func clock(ctx context.Context, r runner) (time.Time, error) {
	out, err := read(ctx, r, "show system uptime | no-more")
	if err != nil {
		return time.Time{}, err
	}
	m := currentTime.FindStringSubmatch(out)
	if m == nil {
		return time.Time{}, errors.New("show system uptime does not tell the time")
	}
	return time.Parse(time.DateTime, m[1])
}

// history is the list of commits, the newest first.
type history struct{ entries []entry }

type entry struct {
	at        time.Time // in the device's zone, read as if it were UTC
	by, via   string
	confirmed time.Duration // of "commit confirmed": its timer
	comment   string
	waits     bool // for its confirmation
}

var (
	entryLine = regexp.MustCompile(`^(\d+) +(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \S+ by (\S+) via (\S+)(.*)$`)
	minutes   = regexp.MustCompile(`rollback in (\d+) ?mins?`)
)

// commits reads "show system commit".
func commits(ctx context.Context, r runner) (*history, error) {
	out, err := read(ctx, r, "show system commit | no-more")
	if err != nil {
		return nil, err
	}
	if _, refused := refusal(out); refused {
		return nil, refusedError("show system commit", out)
	}
	h := &history{}
	for l := range strings.Lines(out) {
		l = strings.TrimRight(l, "\r\n ")
		if m := entryLine.FindStringSubmatch(l); m != nil {
			e := entry{by: m[3], via: m[4]}
			if e.at, err = time.Parse(time.DateTime, m[2]); err != nil {
				return nil, fmt.Errorf("junos: show system commit: %w", err)
			}
			if n := minutes.FindStringSubmatch(m[5]); n != nil {
				count, err := strconv.Atoi(n[1])
				if err != nil {
					return nil, fmt.Errorf("junos: show system commit: %w", err)
				}
				e.confirmed = time.Duration(count) * time.Minute
			}
			h.entries = append(h.entries, e)
			continue
		}
		if len(h.entries) == 0 {
			continue
		}
		last := &h.entries[len(h.entries)-1]
		switch t := strings.TrimSpace(l); {
		case strings.HasPrefix(t, "rollback pending"):
			last.waits = true
		case t != "" && strings.HasPrefix(l, " "):
			last.comment = t
		}
	}
	return h, nil
}

// undoes reports whether e is what a device commits when the timer of c ran
// out, up to a few minutes later, or when it reboots before that: by root.
func (e entry) undoes(c entry) bool {
	since := e.at.Sub(c.at)
	return e.by == "root" && e.via == "other" && e.comment == "" && since >= 0 && since < c.confirmed+10*time.Minute
}

// pending reports whether the newest commit waits for its confirmation.
func (h *history) pending() bool { return len(h.entries) > 0 && h.entries[0].waits }

// of maps the newest commit with a mark to a state. A timer that ran out is a
// commit by root, via other, that follows it.
func (h *history) of(mark string) (plugins.State, time.Duration) {
	for i, e := range h.entries {
		if e.comment != mark {
			continue
		}
		switch {
		case i == 0 && e.waits:
			return plugins.StatePending, e.confirmed
		case i > 0 && (h.entries[i-1].comment == mark+"-discarded" || h.entries[i-1].undoes(e)):
			return plugins.StateRolledBack, 0
		}
		return plugins.StateConfirmed, 0
	}
	return plugins.StateNone, 0
}
