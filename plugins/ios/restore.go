package ios

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// Commit replaces the running configuration by the staged file under the
// device's rollback timer, which counts whole minutes.
func (d driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	minutes := int((within + time.Minute - 1) / time.Minute)
	if within < time.Second || minutes > 120 {
		return fmt.Errorf("ios: commit: a timer of %s cannot be set", within)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("ios: commit: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return err
	}
	if c.timer {
		return fmt.Errorf("ios: commit: the rollback timer of another change runs: %w", plugins.ErrBusy)
	}
	if state := c.state(); state != plugins.StateStaged {
		return fmt.Errorf("ios: commit: change %s is not staged but %s", changeID, state)
	}
	from, to := fileOf(s, changeID, stagedFile), fileOf(s, changeID, armedFile)
	if err := rename(ctx, cli, from, to); err != nil {
		return err
	}
	command := fmt.Sprintf("configure replace %s force revert trigger error timer %d", to, minutes)
	out, err := write(ctx, cli, command, plugins.Answer{Prompt: `(?i)\[confirm\]\s*$`}, plugins.Answer{Prompt: `(?i)all username.*confirm.*$`})
	if err != nil {
		return unknown("commit", err)
	}
	if err := replaced(out); err != nil {
		return errors.Join(err, d.undo(ctx, cli, s, changeID))
	}
	// Silence is not proof that the timer runs.
	if c, err = look(ctx, cli, s, changeID); err != nil {
		return unknown("commit", err)
	}
	if !c.timer {
		return fmt.Errorf("ios: commit: the device does not name the timer: %w", plugins.ErrSessionLost)
	}
	return nil
}

var (
	passes  = regexp.MustCompile(`(?m)^Total number of passes: \d+\s*$`)
	aborted = regexp.MustCompile(`(?m)^(?:Rollback aborted after|The following commands are failed)`)
)

// replaced judges what "configure replace" printed.
func replaced(out string) error {
	switch {
	case aborted.MatchString(out):
		_, failed, _ := strings.Cut(out, "failed to apply to the IOS image.")
		return fmt.Errorf("ios: commit: %w", &plugins.RejectedError{Artefact: runningConfig, Text: strings.TrimSpace(failed)})
	case strings.Contains(strings.ToLower(out), "turn config archive on"):
		return errors.New("ios: commit: the device has no configuration archive: configure \"archive\" and below it \"path flash:archive\"")
	case passes.MatchString(out) && strings.Contains(out, "Rollback Done"):
		return nil
	}
	if text, refused := refusal(out); refused {
		return refusedError("commit: configure replace", text)
	}
	return fmt.Errorf("ios: commit: the device does not say that it replaced the configuration: %w", &plugins.RejectedError{Artefact: runningConfig, Text: strings.TrimSpace(out)})
}

// undo makes sure that a refused commit leaves nothing behind but its file,
// under the name that says so.
func (d driver) undo(ctx context.Context, cli plugins.CLI, s plugins.Session, changeID string) error {
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return unknown("commit", err)
	}
	if !c.timer {
		return nil
	}
	_, err = write(ctx, cli, "configure revert now")
	return err
}

func rename(ctx context.Context, cli plugins.CLI, from, to string) error {
	out, err := write(ctx, cli, "rename "+from+" "+to, plugins.Answer{Prompt: `(?i)destination filename .*\?\s*$`})
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused {
		return refusedError("rename", text)
	}
	return nil
}

// unknown marks an error after which the outcome on the device is not known.
func unknown(step string, err error) error {
	if errors.Is(err, plugins.ErrSessionLost) {
		return err
	}
	return fmt.Errorf("ios: %s: the outcome is unknown: %w", step, errors.Join(plugins.ErrSessionLost, err))
}

// Confirm stops the timer, then saves.
func (d driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("ios: confirm: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return err
	}
	switch state := c.state(); state {
	case plugins.StatePending:
		if err := stopTimer(ctx, cli, s, changeID, c); err != nil {
			return err
		}
	case plugins.StateConfirmed: // before, or by a try whose answer was lost
	case plugins.StateStaged:
		return fmt.Errorf("ios: confirm: change %s was never committed", changeID)
	default:
		return fmt.Errorf("ios: confirm: the device does not run change %s any more: %w", changeID, plugins.ErrRolledBack)
	}
	if err := save(ctx, cli); err != nil {
		return err
	}
	if c.confirmed {
		return nil
	}
	return rename(ctx, cli, fileOf(s, changeID, armedFile), fileOf(s, changeID, confirmedFile))
}

// stopTimer confirms a pending change. The device says nothing when it did, and
// that there is nothing to confirm when the timer was faster.
func stopTimer(ctx context.Context, cli plugins.CLI, s plugins.Session, changeID string, before change) error {
	if !before.same {
		return errors.New("ios: confirm: a rollback timer runs, but the device runs another configuration than this change's; it is left to the timer")
	}
	out, err := write(ctx, cli, "configure confirm")
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused && !noTimer.MatchString(text) {
		return refusedError("confirm", text)
	}
	after, err := look(ctx, cli, s, changeID)
	if err != nil {
		return err
	}
	switch {
	case after.timer:
		return errors.New("ios: confirm: the timer still runs")
	case !after.same:
		return fmt.Errorf("ios: confirm: the timer ended first: %w", plugins.ErrRolledBack)
	}
	return nil
}

// save makes the running configuration the startup configuration and looks
// whether it is.
func save(ctx context.Context, cli plugins.CLI) error {
	out, err := write(ctx, cli, "write memory", plugins.Answer{Prompt: `(?i)\[confirm\]\s*$`})
	if err != nil {
		return err
	}
	if refused, yes := refusal(out); yes {
		return refusedError("save", refused)
	}
	if !strings.Contains(out, "[OK]") {
		return errors.New("ios: save: the device does not say that it saved; the change is running and confirmed")
	}
	running, err := read(ctx, cli, "show running-config")
	if err != nil {
		return err
	}
	startup, err := read(ctx, cli, "show startup-config")
	if err != nil {
		return err
	}
	if len(statements(startup)) == 0 || !equal(running, startup) {
		return errors.New("ios: save: the startup configuration is not the running one; the change is running and confirmed")
	}
	return nil
}

// Discard rolls a pending change back and removes what Stage brought. The file
// of a confirmed change stays until the next change: it is what tells the
// device's memory of it.
func (d driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("ios: discard: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return err
	}
	state := c.state()
	if state == plugins.StatePending {
		out, err := write(ctx, cli, "configure revert now")
		if err != nil {
			return err
		}
		if text, refused := refusal(out); refused && !noTimer.MatchString(text) {
			return refusedError("discard", text)
		}
		after, err := look(ctx, cli, s, changeID)
		if err != nil {
			return err
		}
		if after.timer {
			return fmt.Errorf("ios: discard: change %s is still pending", changeID)
		}
	}
	for _, f := range []struct {
		there  bool
		suffix string
	}{{c.staged, stagedFile}, {c.armed && state != plugins.StateConfirmed, armedFile}} {
		if !f.there {
			continue
		}
		out, err := write(ctx, cli, "delete /force "+fileOf(s, changeID, f.suffix))
		if err != nil {
			return err
		}
		if text, refused := refusal(out); refused {
			return refusedError("discard", text)
		}
	}
	return nil
}

// Status reads the files of a change and the rollback timer.
func (d driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	cli, err := s.CLI(ctx)
	if err != nil {
		return plugins.StateUnknown, 0, fmt.Errorf("ios: status: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	state := c.state()
	if state != plugins.StatePending {
		return state, 0, nil
	}
	left, err := c.left(ctx, cli)
	if err != nil {
		return state, 0, fmt.Errorf("ios: status: the change is pending, but %w", err)
	}
	return state, left, nil
}
