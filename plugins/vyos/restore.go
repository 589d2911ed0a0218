package vyos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

var (
	_ plugins.Restorer = driver{}
	_ plugins.Adapter  = driver{}
	_ plugins.Renderer = driver{}
	_ plugins.Resetter = driver{}
)

// Commit loads the staged file and commits it by commit-confirm, which counts
// whole minutes. Nothing is saved: what is saved is what the unit returns to.
func (d driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	minutes := int((within + time.Minute - 1) / time.Minute)
	if minutes < 1 || minutes > 10000 {
		return fmt.Errorf("vyos: commit: a timer of %s cannot be set", within)
	}
	c, err := look(ctx, s, changeID)
	if err != nil {
		return err
	}
	switch {
	case c.timer:
		return fmt.Errorf("vyos: commit: another commit waits for its confirmation: %w", plugins.ErrBusy)
	case !c.staged:
		return fmt.Errorf("vyos: commit: change %s is not staged", changeID)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("vyos: commit: %w", err)
	}
	defer cli.Close()
	if err := enter(ctx, cli); err != nil {
		return err
	}
	if err := load(ctx, cli, c.stagedFile()); err != nil {
		return errors.Join(err, discard(ctx, cli, err))
	}
	// The name says from here on how long the timer runs, and the file since
	// when.
	c.minutes = minutes
	out, err := write(ctx, s, "mv "+c.stagedFile()+" "+c.committedFile()+" && touch "+c.committedFile())
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return errors.Join(refusedError("commit: mv", out), discard(ctx, cli, nil))
	}
	out, err = do(ctx, cli, plugins.Command{Text: fmt.Sprintf("commit-confirm %d", minutes), Write: true, Answers: []plugins.Answer{
		{Prompt: `Proceed ?\? ?\[Y/n\] ?$`, Reply: "y"},
	}})
	if err != nil {
		return unknown("commit", err)
	}
	if _, refused := refusal(out); refused || !strings.Contains(out, "Initialized commit-confirm") {
		// Where the timer runs already it is left: it puts back what a commit
		// that failed half-way has changed.
		return errors.Join(refusedError("commit-confirm", out), discard(ctx, cli, nil))
	}
	if _, err := write(ctx, cli, "exit"); err != nil {
		return unknown("commit", err)
	}
	if c, err = look(ctx, s, changeID); err != nil {
		return unknown("commit", err)
	}
	if !c.timer {
		return fmt.Errorf("vyos: commit: the unit does not show that the timer runs: %w", plugins.ErrSessionLost)
	}
	if err := ownWords(ctx, s, c); err != nil {
		return unknown("commit", err)
	}
	return nil
}

// ownWords keeps what was committed as the unit writes it, where its migrator
// brought a configuration of other versions to its own syntax: that is another
// text than the staged one, and by it the change is known from now on. A text of
// the unit's own versions must run as it was staged.
func ownWords(ctx context.Context, s plugins.Session, c change) error {
	staged, err := read(ctx, s, "cat "+c.committedFile())
	if err != nil {
		return err
	}
	saved, err := read(ctx, s, showSaved)
	if err != nil {
		return err
	}
	if versionsOf(staged) == versionsOf(saved) {
		return nil
	}
	text, err := read(ctx, s, showRunning)
	if err != nil {
		return err
	}
	if r := frame(runningConfig, body(text), false); len(r) > 0 {
		return fmt.Errorf("vyos: commit: %s", r[0].Text)
	}
	return send(ctx, s, c.committedFile(), body(text))
}

// versionsOf is the line of a footer that names the versions of the syntax.
func versionsOf(text string) string {
	for line := range strings.Lines(footerOf(text)) {
		if versions.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// unknown marks an error after which the outcome on the device is not known.
func unknown(step string, err error) error {
	if errors.Is(err, plugins.ErrSessionLost) {
		return err
	}
	return fmt.Errorf("vyos: %s: the outcome is unknown: %w", step, errors.Join(plugins.ErrSessionLost, err))
}

// Confirm stops the timer, then saves. A change that somebody confirmed by
// hand, or that was confirmed when the last try lost its connection, is saved.
func (d driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	c, err := look(ctx, s, changeID)
	if err != nil {
		return err
	}
	state, err := c.state(ctx, s)
	if err != nil {
		return err
	}
	switch {
	case state == plugins.StatePending, state == plugins.StateConfirmed && c.minutes > 0:
	case state == plugins.StateConfirmed:
		return nil
	case state == plugins.StateStaged:
		return fmt.Errorf("vyos: confirm: change %s was never committed", changeID)
	default:
		return fmt.Errorf("vyos: confirm: the unit does not run change %s any more: %w", changeID, plugins.ErrRolledBack)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("vyos: confirm: %w", err)
	}
	defer cli.Close()
	if _, err := write(ctx, cli, "configure"); err != nil {
		return err
	}
	if state == plugins.StatePending {
		out, err := write(ctx, cli, "confirm")
		if err != nil {
			return err
		}
		if !strings.Contains(out, "timer stopped") && !strings.Contains(out, "No confirm pending") {
			return refusedError("confirm", out)
		}
		if now, err := look(ctx, s, changeID); err != nil {
			return err
		} else if now.timer {
			return errors.New("vyos: confirm: the timer still runs")
		}
	}
	// A timer that ran out meanwhile has put the old configuration back.
	same, err := runs(ctx, s, c.committedFile())
	if err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("vyos: confirm: the timer ended first: %w", plugins.ErrRolledBack)
	}
	if err := save(ctx, cli); err != nil {
		return err
	}
	out, err := write(ctx, s, "mv "+c.committedFile()+" "+c.confirmedFile())
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("confirm: mv", out)
	}
	return nil
}

// save makes the running configuration the saved one and looks whether it is:
// VyOS 1.4 says nothing when it saved.
func save(ctx context.Context, cli plugins.CLI) error {
	out, err := write(ctx, cli, "save")
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("save", out)
	}
	if out, err = read(ctx, cli, "compare saved"); err != nil {
		return err
	}
	if !strings.Contains(out, "No changes between") {
		return errors.New("vyos: save: the saved configuration is not the running one; the change is running and confirmed")
	}
	_, err = write(ctx, cli, "exit discard")
	return err
}

// Discard removes what was staged. A change that waits is rolled back at once:
// the saved configuration is loaded and committed while the timer still runs,
// and only then is the timer stopped.
func (d driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	c, err := look(ctx, s, changeID)
	if err != nil {
		return err
	}
	if c.minutes > 0 && c.timer {
		if err := rollBack(ctx, s, changeID); err != nil {
			return err
		}
	}
	if c.minutes == 0 && !c.staged {
		return nil // nothing, or a confirmed change, whose file says so
	}
	c.confirmed = false
	return remove(ctx, s, c)
}

func rollBack(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("vyos: discard: %w", err)
	}
	defer cli.Close()
	if _, err := write(ctx, cli, "configure"); err != nil {
		return err
	}
	if err := load(ctx, cli, bootFile); err != nil {
		return errors.Join(err, discard(ctx, cli, err))
	}
	out, err := write(ctx, cli, "commit")
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return errors.Join(refusedError("discard: commit", out), discard(ctx, cli, nil))
	}
	same, err := runs(ctx, s, bootFile)
	if err != nil {
		return err
	}
	if !same {
		return errors.Join(errors.New("vyos: discard: the unit does not run the saved configuration; it returns to it when the timer ends"), discard(ctx, cli, nil))
	}
	if _, err := write(ctx, cli, "confirm"); err != nil {
		return err
	}
	if now, err := look(ctx, s, changeID); err != nil {
		return err
	} else if now.timer {
		return errors.Join(errors.New("vyos: discard: the unit runs the saved configuration, but its timer was not stopped: it reboots when it ends"), discard(ctx, cli, nil))
	}
	return discard(ctx, cli, nil)
}

// FactoryReset puts the shipped configuration in the place of the saved one
// and reboots. The token is the serial number, or the UUID of a unit without.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return err
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("vyos: factory reset: %w", plugins.ErrWrongUnit)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("vyos: factory reset: %w", err)
	}
	defer cli.Close()
	const shipped = "/opt/vyatta/etc/config.boot.default"
	out, err := write(ctx, cli, "cp "+shipped+" "+bootFile)
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("factory reset: cp", out)
	}
	want, err := read(ctx, cli, "sha256sum "+shipped)
	if err != nil {
		return err
	}
	have, err := read(ctx, cli, "sha256sum "+bootFile)
	if err != nil {
		return err
	}
	if len(strings.Fields(want)) != 2 || len(strings.Fields(have)) != 2 || strings.Fields(want)[0] != strings.Fields(have)[0] {
		return errors.New("vyos: factory reset: the shipped configuration is not in the place of the saved one")
	}
	// A unit that reboots hangs up; that it does not answer is what was asked.
	if _, err := cli.Run(ctx, plugins.Command{Text: "reboot now", Write: true}); err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("vyos: factory reset: reboot: %w", err)
	}
	return nil
}
