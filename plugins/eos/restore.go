package eos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// sessionName is what a change leaves on the switch until it is confirmed.
func sessionName(changeID string) string { return "cfgvault-" + changeID }

// Commit makes the staged session the running configuration under the commit
// timer of the switch.
func (d driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	if within < time.Second || within > 99*time.Hour {
		return fmt.Errorf("eos: commit: a timer of %s cannot be set", within)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("eos: commit: %w", err)
	}
	defer cli.Close()
	list, err := listSessions(ctx, cli)
	if err != nil {
		return err
	}
	name := sessionName(changeID)
	if list.armed != "" && list.armed != name {
		return fmt.Errorf("eos: commit: the commit timer of another session runs: %w", plugins.ErrBusy)
	}
	if state := list.of(name); state != plugins.StateStaged {
		return fmt.Errorf("eos: commit: change %s is not staged but %s", changeID, state)
	}
	seconds := int((within + time.Second - 1) / time.Second)
	timer := fmt.Sprintf("commit timer %02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	for _, text := range []string{"configure session " + name, timer} {
		out, err := write(ctx, cli, text)
		switch refused, yes := refusal(out); {
		case err != nil && text == timer:
			return unknown("commit", err)
		case err != nil:
			return err
		case yes:
			return refusedError("commit: "+text, refused)
		}
	}
	// Silence is not proof that the timer runs.
	if list, err = listSessions(ctx, cli); err != nil {
		return unknown("commit", err)
	}
	if list.armed != name {
		return fmt.Errorf("eos: commit: the switch does not name the timer: %w", plugins.ErrSessionLost)
	}
	return nil
}

// unknown marks an error after which the outcome on the device is not known.
func unknown(step string, err error) error {
	if errors.Is(err, plugins.ErrSessionLost) {
		return err
	}
	return fmt.Errorf("eos: %s: the outcome is unknown: %w", step, errors.Join(plugins.ErrSessionLost, err))
}

// Confirm stops the timer, then saves. The switch answers a confirmation with
// silence whether or not there was something to confirm, so the running
// configuration is read while the timer runs and again afterwards.
func (d driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("eos: confirm: %w", err)
	}
	defer cli.Close()
	name := sessionName(changeID)
	list, err := listSessions(ctx, cli)
	if err != nil {
		return err
	}
	switch state := list.of(name); state {
	case plugins.StatePending:
		if err := stopTimer(ctx, cli, name); err != nil {
			return err
		}
	case plugins.StateConfirmed: // before, or by a try whose answer was lost
	case plugins.StateStaged:
		return fmt.Errorf("eos: confirm: change %s was never committed", changeID)
	case plugins.StateRolledBack, plugins.StateNone:
		return fmt.Errorf("eos: confirm: the switch does not have change %s any more: %w", changeID, plugins.ErrRolledBack)
	default:
		return fmt.Errorf("eos: confirm: the state of change %s is not known", changeID)
	}
	return save(ctx, cli)
}

// stopTimer confirms an armed session.
func stopTimer(ctx context.Context, cli plugins.CLI, name string) error {
	pending, err := read(ctx, cli, "show running-config")
	if err != nil {
		return err
	}
	list, err := listSessions(ctx, cli)
	if err != nil {
		return err
	}
	if list.armed != name { // what was just read may be either configuration
		return fmt.Errorf("eos: confirm: the timer ended before it was stopped: %w", plugins.ErrRolledBack)
	}
	confirm := "configure session " + name + " commit"
	out, err := write(ctx, cli, confirm)
	if err != nil {
		return err
	}
	refused, wasRefused := refusal(out)
	if list, err = listSessions(ctx, cli); err != nil {
		return err
	}
	switch state := list.of(name); {
	case state == plugins.StateRolledBack:
		return fmt.Errorf("eos: confirm: the timer ended first: %w", plugins.ErrRolledBack)
	case state == plugins.StatePending && wasRefused:
		return refusedError("confirm", refused)
	case state == plugins.StatePending:
		return errors.New("eos: confirm: the timer still runs")
	}
	now, err := read(ctx, cli, "show running-config")
	if err != nil {
		return err
	}
	if !equal(pending, now) {
		return fmt.Errorf("eos: confirm: the running configuration is not the one that was pending: %w", plugins.ErrRolledBack)
	}
	return nil
}

// save makes the running configuration the startup configuration and looks
// whether it is.
func save(ctx context.Context, cli plugins.CLI) error {
	out, err := write(ctx, cli, "write memory")
	if err != nil {
		return err
	}
	if refused, yes := refusal(out); yes {
		return refusedError("save", refused)
	}
	if !strings.Contains(out, "Copy completed successfully") {
		return errors.New("eos: save: the switch does not say that it saved; the change is running and confirmed")
	}
	same, err := saved(ctx, cli)
	if err != nil {
		return err
	}
	if !same {
		return errors.New("eos: save: the startup configuration is not the running one; the change is running and confirmed")
	}
	return nil
}

// saved reports that startup and running configuration are equal.
func saved(ctx context.Context, r runner) (bool, error) {
	running, err := read(ctx, r, "show running-config")
	if err != nil {
		return false, err
	}
	startup, err := read(ctx, r, "show startup-config")
	if err != nil {
		return false, err
	}
	if text, refused := refusedWhole([]byte(running)); refused {
		return false, refusedError("show running-config", text)
	}
	return len(statements([]byte(startup))) > 0 && equal(running, startup), nil
}

// Discard aborts the session, which rolls back at once if its timer runs. The
// session is looked for first: naming one that is not there would make it.
func (d driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("eos: discard: %w", err)
	}
	defer cli.Close()
	name := sessionName(changeID)
	list, err := listSessions(ctx, cli)
	if err != nil {
		return err
	}
	if state := list.of(name); state != plugins.StatePending && state != plugins.StateStaged {
		return nil
	}
	out, err := write(ctx, cli, "configure session "+name+" abort")
	if err != nil {
		return err
	}
	refused, wasRefused := refusal(out)
	if list, err = listSessions(ctx, cli); err != nil {
		return err
	}
	if state := list.of(name); state == plugins.StatePending || state == plugins.StateStaged {
		if wasRefused {
			return refusedError("discard", refused)
		}
		return fmt.Errorf("eos: discard: change %s is still %s", changeID, state)
	}
	return nil
}

// Status reads the list of sessions. A session that is completed is confirmed;
// whether it was also saved the switch does not keep with it, so whoever finds
// a confirmed change that it did not finish calls Confirm again, which saves.
func (d driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	list, err := listSessions(ctx, s)
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	state := list.of(sessionName(changeID))
	if state != plugins.StatePending {
		return state, 0, nil
	}
	if list.leftErr != nil {
		return state, 0, fmt.Errorf("eos: status: the change is pending, but %w", list.leftErr)
	}
	return state, list.left, nil
}
