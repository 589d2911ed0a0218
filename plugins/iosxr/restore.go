package iosxr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
)

// change is a change whose command line is held.
type change struct {
	cli       plugins.CLI // in configuration mode, exclusively; nil once it is over
	state     plugins.State
	old       string // the running configuration before, as the router shows it
	before    string // its digest
	after     string // that of what runs since the commit
	within    time.Duration
	confirmed bool
}

func fileOf(changeID, suffix string) string { return "disk0:cfgvault-" + changeID + suffix }

const (
	newFile = ".cfg"
	oldFile = ".old"
)

func (d *driver) change(id string) *change {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held[id]
}

func (d *driver) keep(id string, c *change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[id] = c
}

// Stage loads the running configuration of want into the target configuration
// of an exclusive session and keeps that session.
func (d *driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (diff plugins.Diff, err error) {
	if c := d.change(changeID); c != nil && c.cli != nil {
		return plugins.Diff{}, fmt.Errorf("iosxr: stage: change %s is already %s", changeID, c.state)
	}
	file, losses, err := chosen(want)
	if err != nil {
		return plugins.Diff{}, err
	}
	if _, running, err := trial(ctx, s); err != nil {
		return plugins.Diff{}, err
	} else if running {
		return plugins.Diff{}, fmt.Errorf("iosxr: stage: the trial of another change runs: %w", plugins.ErrBusy)
	}
	old, err := running(ctx, s)
	if err != nil {
		return plugins.Diff{}, err
	}
	if err := bring(ctx, s, fileOf(changeID, newFile), file); err != nil {
		return plugins.Diff{}, err
	}
	// The command line outlives this call: it is the only one that can confirm.
	cli, err := s.CLI(context.WithoutCancel(ctx))
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("iosxr: stage: %w", err)
	}
	text, err := load(ctx, cli, "configure exclusive", fileOf(changeID, newFile))
	if err != nil {
		d.drop(ctx, s, cli, changeID)
		return plugins.Diff{}, err
	}
	d.keep(changeID, &change{cli: cli, state: plugins.StateStaged, old: old, before: digest(old)})
	return plugins.Diff{
		Text: text,
		Steps: []string{
			"commit replace from the session that holds the configuration, under the router's trial timer",
			"confirm it with commit from that same session; a commit persists by itself",
		},
		Losses:     losses,
		Disruptive: disruptive(text),
	}, nil
}

// drop ends a command line whose target configuration is not to be.
func (d *driver) drop(ctx context.Context, s plugins.Session, cli plugins.CLI, changeID string) {
	ctx = context.WithoutCancel(ctx)
	_, _ = write(ctx, cli, "abort")
	_ = cli.Close()
	for _, suffix := range []string{newFile, oldFile} {
		_, _ = write(ctx, s, "delete /noprompt "+fileOf(changeID, suffix))
	}
}

// load enters configuration mode, loads a file and returns what replacing the
// running configuration by it would change.
func load(ctx context.Context, cli plugins.CLI, enter, file string) (string, error) {
	if enter != "" {
		out, err := write(ctx, cli, enter)
		if err != nil {
			return "", err
		}
		if text, refused := refusal(out); refused {
			return "", refusedError("stage: "+enter, text)
		}
	}
	out, err := write(ctx, cli, "load "+file)
	if err != nil {
		return "", err
	}
	if text, refused := refusal(out); refused {
		return "", refusedError("stage: load", text)
	}
	// What load prints says nothing of the lines that it did not take.
	failed, err := read(ctx, cli, "show configuration failed load")
	if err != nil {
		return "", err
	}
	if lines := statements(failed); len(lines) > 0 && !strings.HasPrefix(strings.TrimSpace(failed), "% No such configuration item") {
		return "", fmt.Errorf("iosxr: stage: %w", &plugins.RejectedError{Artefact: runningConfig, Text: strings.Join(lines, "\n")})
	}
	changes, err := read(ctx, cli, "show configuration changes diff")
	if err != nil {
		return "", err
	}
	if text, refused := refusal(changes); refused {
		return "", refusedError("stage: show configuration changes diff", text)
	}
	var lines []string
	for l := range strings.Lines(changes) {
		t := strings.TrimRight(l, " \r\n")
		if t == "" || t == "end" || strings.HasPrefix(t, "!") || strings.HasPrefix(t, "Building configuration") || bareSeparator.MatchString(t) {
			continue
		}
		lines = append(lines, t)
	}
	if len(lines) == 0 {
		return "", nil
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// bareSeparator is a line of a diff that ends a block and says nothing.
var bareSeparator = regexp.MustCompile(`^[-+# ]\s*!?$`)

// chosen takes the running configuration out of want and names what will not
// come back. A cut text would remove what it lacks, so its end must be there.
func chosen(want []plugins.Artefact) (file []byte, losses []plugins.Loss, err error) {
	for _, a := range want {
		switch {
		case a.Name == runningConfig:
			if reasons := frame(a.Name, string(a.Data)); len(reasons) > 0 {
				return nil, nil, fmt.Errorf("iosxr: stage: %s: %w", reasons[0].Text, &plugins.RejectedError{Artefact: runningConfig, Text: reasons[0].Text})
			}
			text := withoutTime(string(a.Data))
			text = strings.TrimPrefix(strings.TrimLeft(text, "\r\n"), "Building configuration...\n")
			file = []byte(strings.TrimRight(text, "\r\n ") + "\n")
		case a.Role == plugins.RoleState:
		default:
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back"})
		}
	}
	if file == nil {
		return nil, nil, fmt.Errorf("iosxr: stage: no artefact %s: %w", runningConfig, &plugins.RejectedError{Artefact: runningConfig})
	}
	return file, losses, nil
}

// bring copies a file and reads it back.
func bring(ctx context.Context, s plugins.Session, path string, file []byte) error {
	err := cisco.CopyTo(ctx, s, path, file)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return errors.New("iosxr: the router does not answer SCP: configure \"ssh server v2\"")
	case err != nil:
		return fmt.Errorf("iosxr: copy to %s: %w", path, err)
	}
	back, err := cisco.CopyFrom(ctx, s, path)
	if err != nil {
		return fmt.Errorf("iosxr: read %s back: %w", path, err)
	}
	if !bytes.Equal(back, file) {
		return fmt.Errorf("iosxr: %s does not hold what was copied: %d bytes instead of %d", path, len(back), len(file))
	}
	return nil
}

func running(ctx context.Context, r runner) (string, error) {
	out, err := read(ctx, r, "show running-config")
	if err != nil {
		return "", err
	}
	if text, refused := refusedWhole(out); refused {
		return "", refusedError("show running-config", text)
	}
	if reasons := frame(runningConfig, out); len(reasons) > 0 {
		return "", fmt.Errorf("iosxr: %s", reasons[0].Text)
	}
	return out, nil
}

var (
	trialRow = regexp.MustCompile(`(?m)Client: commit-confirm\b`)
	elapsed  = regexp.MustCompile(`Elapsed Time: (\d+) sec`)
)

// trial reports whether a trial runs, anybody's, and for how long it has.
func trial(ctx context.Context, s plugins.Session) (since time.Duration, runs bool, err error) {
	out, err := read(ctx, s, "show configuration sessions detail")
	if err != nil {
		return 0, false, err
	}
	if text, refused := refusedWhole(out); refused {
		return 0, false, refusedError("show configuration sessions detail", text)
	}
	at := trialRow.FindStringIndex(out)
	if at == nil {
		return 0, false, nil
	}
	if m := elapsed.FindStringSubmatch(out[at[1]:]); m != nil {
		n, _ := strconv.Atoi(m[1])
		since = time.Duration(n) * time.Second
	}
	return since, true, nil
}

// disruptive names what an operator must know before the commit.
func disruptive(diff string) []string {
	var out []string
	for _, m := range []struct{ pattern, text string }{
		{`(?m)^[+-]\s*(?:ssh server|line default|username |aaa |vty-pool)`, "a login service changes, logins may end"},
		{`(?m)^[+-].*\bMgmtEth`, "a management interface changes, every login may end"},
		{`(?m)^[+-]\s*(?:hw-module|fpd )`, "a setting changes that takes effect only after a reload"},
	} {
		if regexp.MustCompile(m.pattern).MatchString(diff) {
			out = append(out, m.text)
		}
	}
	return out
}

var proceed = plugins.Answer{Prompt: `(?i)do you wish to proceed\? \[no\]:\s*$`, Reply: "yes"}

// Commit replaces the running configuration by the target under the trial
// timer.
func (d *driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	seconds := max(30, int((within+time.Second-1)/time.Second))
	if within < time.Second || seconds > 65535 {
		return fmt.Errorf("iosxr: commit: a timer of %s cannot be set", within)
	}
	c := d.change(changeID)
	if c == nil || c.cli == nil || c.state != plugins.StateStaged {
		return fmt.Errorf("iosxr: commit: change %s is not staged by this process", changeID)
	}
	out, err := write(ctx, c.cli, "commit replace confirmed "+strconv.Itoa(seconds), proceed)
	c.state, c.within = plugins.StatePending, time.Duration(seconds)*time.Second
	if err != nil {
		return unknown("commit", err)
	}
	if text, refused := refusal(out); refused {
		c.state = plugins.StateStaged
		if strings.Contains(text, "Failed to commit") {
			if failed, err := read(ctx, c.cli, "show configuration failed"); err == nil {
				text = strings.Join(statements(failed), "\n")
			}
			return fmt.Errorf("iosxr: commit: %w", &plugins.RejectedError{Artefact: runningConfig, Text: text})
		}
		return refusedError("commit", text)
	}
	// Silence is not proof that the timer runs.
	_, runs, err := trial(ctx, s)
	if err != nil {
		return unknown("commit", err)
	}
	if !runs {
		return fmt.Errorf("iosxr: commit: the router does not name the trial: %w", plugins.ErrSessionLost)
	}
	now, err := running(ctx, s)
	if err != nil {
		return unknown("commit", err)
	}
	c.after = digest(now)
	return nil
}

// unknown marks an error after which the outcome on the router is not known.
func unknown(step string, err error) error {
	if errors.Is(err, plugins.ErrSessionLost) {
		return err
	}
	return fmt.Errorf("iosxr: %s: the outcome is unknown: %w", step, errors.Join(plugins.ErrSessionLost, err))
}

// look asks what became of a pending change: the trial tells while it runs,
// and the running configuration afterwards.
func look(ctx context.Context, s plugins.Session, c *change) (plugins.State, time.Duration, error) {
	since, runs, err := trial(ctx, s)
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	if runs {
		return plugins.StatePending, max(0, c.within-since), nil
	}
	now, err := running(ctx, s)
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	switch digest(now) {
	case c.before:
		return plugins.StateRolledBack, 0, nil
	case c.after:
		return plugins.StateConfirmed, 0, nil
	}
	return plugins.StateUnknown, 0, nil
}

// Confirm ends the trial from the session that armed it.
func (d *driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	c := d.change(changeID)
	switch {
	case c == nil:
		_, runs, err := trial(ctx, s)
		switch {
		case err != nil:
			return err
		case runs:
			return fmt.Errorf("iosxr: confirm: only the login that committed change %s can confirm it, and that is gone: the router goes back by itself", changeID)
		}
		return fmt.Errorf("iosxr: confirm: nothing is known of change %s: %w", changeID, plugins.ErrRolledBack)
	case c.confirmed:
		return nil
	case c.state == plugins.StateStaged:
		return fmt.Errorf("iosxr: confirm: change %s was never committed", changeID)
	case c.state != plugins.StatePending:
		return fmt.Errorf("iosxr: confirm: the router does not run change %s any more: %w", changeID, plugins.ErrRolledBack)
	}
	state, _, err := look(ctx, s, c)
	if err != nil {
		return err
	}
	switch state {
	case plugins.StatePending:
		out, err := write(ctx, c.cli, "commit")
		if err != nil {
			return fmt.Errorf("iosxr: confirm: on the login that committed: %w", err)
		}
		if text, refused := refusal(out); refused {
			return refusedError("confirm", text)
		}
		if state, _, err = look(ctx, s, c); err != nil {
			return err
		}
	case plugins.StateUnknown:
		return fmt.Errorf("iosxr: confirm: the router runs neither the configuration before change %s nor the one after", changeID)
	}
	switch state {
	case plugins.StateConfirmed:
	case plugins.StatePending:
		return errors.New("iosxr: confirm: the trial still runs")
	default:
		c.state = plugins.StateRolledBack
		d.finish(ctx, s, changeID, c)
		return fmt.Errorf("iosxr: confirm: the trial ended first: %w", plugins.ErrRolledBack)
	}
	c.confirmed, c.state = true, plugins.StateConfirmed
	d.finish(ctx, s, changeID, c)
	return nil
}

// finish lets the command line go and removes the files; what became of the
// change is remembered.
func (d *driver) finish(ctx context.Context, s plugins.Session, changeID string, c *change) {
	if c.cli != nil {
		d.drop(ctx, s, c.cli, changeID)
		c.cli = nil
	}
	c.old = ""
}

// Discard throws a staged change away. A pending one is undone at once by
// replacing it, from its own session, by the configuration before; where that
// fails, the trial timer undoes it.
func (d *driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	c := d.change(changeID)
	if c == nil || c.cli == nil {
		return nil
	}
	if c.state == plugins.StatePending {
		state, left, err := look(ctx, s, c)
		if err != nil {
			return err
		}
		if state == plugins.StatePending {
			if err := undo(ctx, s, c, changeID); err != nil {
				return fmt.Errorf("iosxr: discard: the router goes back by itself within %s: %w", left.Round(time.Second), err)
			}
			if state, _, err = look(ctx, s, c); err != nil {
				return err
			}
			if state != plugins.StateRolledBack {
				return fmt.Errorf("iosxr: discard: change %s is %s; the router goes back by itself within %s", changeID, state, left.Round(time.Second))
			}
		}
		c.state, c.confirmed = state, state == plugins.StateConfirmed
	} else {
		c.state = plugins.StateNone
	}
	d.finish(ctx, s, changeID, c)
	return nil
}

// undo replaces a trial by what ran before. Whatever of it fails, the timer
// runs on.
func undo(ctx context.Context, s plugins.Session, c *change, changeID string) error {
	file, _, err := chosen([]plugins.Artefact{{Name: runningConfig, Role: plugins.RoleRunning, Data: []byte(c.old)}})
	if err != nil {
		return err
	}
	if err := bring(ctx, s, fileOf(changeID, oldFile), file); err != nil {
		return err
	}
	if _, err := load(ctx, c.cli, "", fileOf(changeID, oldFile)); err != nil {
		return err
	}
	out, err := write(ctx, c.cli, "commit replace", proceed)
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused {
		return refusedError("commit replace", text)
	}
	return nil
}

// Status says what this process knows of a change, and what the router says of
// a trial. Of a change of another process nobody can tell whose a trial is, only
// that it ends by itself.
func (d *driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	c := d.change(changeID)
	if c == nil {
		_, runs, err := trial(ctx, s)
		switch {
		case err != nil:
			return plugins.StateUnknown, 0, err
		case runs: // this process did not arm it, and so cannot say for how long
			return plugins.StatePending, 0, nil
		}
		return plugins.StateNone, 0, nil
	}
	if c.state != plugins.StatePending {
		return c.state, 0, nil
	}
	return look(ctx, s, c)
}

// FactoryReset replaces the configuration by an empty one, which persists. The
// admin plane, packages and keys stay. The token is the serial number.
func (d *driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return err
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("iosxr: factory reset: %w", plugins.ErrWrongUnit)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("iosxr: factory reset: %w", err)
	}
	defer cli.Close()
	out, err := write(ctx, cli, "configure exclusive")
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused {
		return refusedError("factory reset: configure exclusive", text)
	}
	end, err := cli.Run(ctx, plugins.Command{Text: "commit replace", Write: true, Answers: []plugins.Answer{proceed}})
	// With its address the router loses its logins; that it does not answer is
	// what was asked.
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("iosxr: factory reset: commit replace: %w", err)
	}
	if text, refused := refusal(string(end.Stdout)); refused {
		return refusedError("factory reset: commit replace", text)
	}
	return nil
}
