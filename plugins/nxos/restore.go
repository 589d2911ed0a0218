package nxos

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

// Stage brings the running configuration of want to bootflash and asks the
// switch for the patch that it would apply.
func (d driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	cli, err := s.CLI(ctx)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("nxos: stage: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return plugins.Diff{}, err
	}
	if state := c.state(); state == plugins.StatePending || state == plugins.StateConfirmed {
		return plugins.Diff{}, fmt.Errorf("nxos: stage: change %s is already %s", changeID, state)
	}
	if err := timed(ctx, cli); err != nil {
		return plugins.Diff{}, err
	}
	file, losses, err := chosen(want)
	if err != nil {
		return plugins.Diff{}, err
	}
	for _, n := range c.others {
		if strings.HasSuffix(n, confirmedFile) {
			if _, err := write(ctx, cli, "delete bootflash:"+n+" no-prompt"); err != nil {
				return plugins.Diff{}, err
			}
		}
	}
	if c.armed { // what a rolled back try of the same change left
		if _, err := write(ctx, cli, "delete "+fileOf(changeID, armedFile)+" no-prompt"); err != nil {
			return plugins.Diff{}, err
		}
	}
	path := fileOf(changeID, stagedFile)
	if err := bring(ctx, s, path, file); err != nil {
		return plugins.Diff{}, err
	}
	diff, err := patch(ctx, cli, path)
	if err != nil {
		return plugins.Diff{}, err
	}
	return plugins.Diff{
		Text: diff,
		Steps: []string{
			"replace the running configuration by " + path + " under a commit timeout",
			"keep it with configure replace commit",
			"copy the running configuration to the startup configuration",
		},
		Losses:     losses,
		Disruptive: disruptive(diff),
	}, nil
}

var release = regexp.MustCompile(`(?m)^\s*(?:NXOS|system):\s+version (\d+)\.(\d+)`)

// timed refuses releases whose configure replace has no timeout.
func timed(ctx context.Context, r runner) error {
	out, err := read(ctx, r, "show version")
	if err != nil {
		return err
	}
	m := release.FindStringSubmatch(out)
	if m == nil {
		return fmt.Errorf("nxos: show version: %w", plugins.ErrWrongPlatform)
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major < 9 || major == 9 && minor < 3 {
		return fmt.Errorf("nxos: stage: release %s.%s has no configure replace with a timeout (9.3(1) and later have it): nothing would undo a bad restore", m[1], m[2])
	}
	return nil
}

// bring copies the file and reads it back.
func bring(ctx context.Context, s plugins.Session, path string, file []byte) error {
	err := cisco.CopyTo(ctx, s, path, file)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return errors.New("nxos: the switch does not answer SCP: configure \"feature scp-server\"")
	case err != nil:
		return fmt.Errorf("nxos: copy to %s: %w", path, err)
	}
	back, err := cisco.CopyFrom(ctx, s, path)
	if err != nil {
		return fmt.Errorf("nxos: read %s back: %w", path, err)
	}
	if !bytes.Equal(back, file) {
		return fmt.Errorf("nxos: %s does not hold what was copied: %d bytes instead of %d", path, len(back), len(file))
	}
	return nil
}

// chosen takes the running configuration out of want and names what will not
// come back.
func chosen(want []plugins.Artefact) (file []byte, losses []plugins.Loss, err error) {
	for _, a := range want {
		switch {
		case a.Name == runningConfig:
			if !strings.Contains("\n"+string(a.Data), "\nversion ") {
				return nil, nil, fmt.Errorf("nxos: stage: the text does not name a release, it may be cut: %w", &plugins.RejectedError{Artefact: runningConfig, Line: 1, Text: "no line \"version\""})
			}
			file = append(bytes.TrimRight(bytes.Clone(a.Data), "\r\n "), '\n')
		case a.Name == startupConfig, a.Role == plugins.RoleState:
		default:
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back"})
		}
	}
	if file == nil {
		return nil, nil, fmt.Errorf("nxos: stage: no artefact %s: %w", runningConfig, &plugins.RejectedError{Artefact: runningConfig})
	}
	return file, losses, nil
}

var patchLine = regexp.MustCompile("(?m)^`(.*)`\\s*$")

// patch asks for what a replacement would do. What the switch says of the
// syntax of its commands is no verdict: it looks at them out of their context.
func patch(ctx context.Context, cli plugins.CLI, path string) (string, error) {
	command := "configure replace " + path + " verify-only"
	out, err := write(ctx, cli, command)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, m := range patchLine.FindAllStringSubmatch(out, -1) {
		if m[1] != "config t " && m[1] != "config t" {
			lines = append(lines, m[1])
		}
	}
	switch {
	case len(lines) > 0:
		return strings.Join(lines, "\n") + "\n", nil
	case strings.Contains(out, "Rollback Patch is Empty") && !strings.Contains(out, "Validating Patch"):
		return "", nil
	}
	if text, refused := refusal(out); refused {
		return "", refusedError("stage: "+command, text)
	}
	return "", fmt.Errorf("nxos: stage: the switch does not say what it would change: %w", &plugins.RejectedError{Artefact: runningConfig, Text: strings.TrimSpace(out)})
}

// disruptive names what an operator must know before the commit.
func disruptive(diff string) []string {
	var out []string
	for _, m := range []struct{ pattern, text string }{
		{`(?m)^(?:no )?(?:feature ssh|feature scp-server|line vty|username |aaa )`, "a login service changes, logins may end"},
		{`(?m)^(?:no )?(?:hardware |system routing |feature-set |vdc )`, "a setting changes that takes effect only after a reload"},
		{`(?m)^no feature `, "a feature is switched off, and with it goes everything that was configured for it"},
	} {
		if regexp.MustCompile(m.pattern).MatchString(diff) {
			out = append(out, m.text)
		}
	}
	return out
}

// Commit replaces the running configuration by the staged file under a commit
// timeout of the switch.
func (d driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	seconds := max(30, int((within+time.Second-1)/time.Second))
	if within < time.Second || seconds > 3600 {
		return fmt.Errorf("nxos: commit: a timeout of %s cannot be set", within)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("nxos: commit: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return err
	}
	if state := c.state(); state != plugins.StateStaged {
		return fmt.Errorf("nxos: commit: change %s is not staged but %s", changeID, state)
	}
	path := fileOf(changeID, stagedFile)
	file, err := cisco.CopyFrom(ctx, s, path)
	if err != nil {
		return fmt.Errorf("nxos: commit: read %s: %w", path, err)
	}
	now, err := running(ctx, cli)
	if err != nil {
		return err
	}
	at, err := clock(ctx, cli)
	if err != nil {
		return err
	}
	n := note{armed: at, seconds: seconds, before: digest(now), after: digest(string(file))}
	if err := bring(ctx, s, fileOf(changeID, armedFile), n.text()); err != nil {
		return err
	}
	command := fmt.Sprintf("configure replace %s commit-timeout %d", path, seconds)
	out, err := write(ctx, cli, command)
	if err != nil {
		return unknown("commit", err)
	}
	if strings.Contains(out, "completed successfully") && !strings.Contains(out, "Rolling back to previous configuration") {
		return nil
	}
	// The switch undoes what it could not apply whole. The note goes, so that
	// the change is staged again.
	after, err := running(ctx, cli)
	if err != nil {
		return unknown("commit", err)
	}
	if digest(after) != n.before {
		return fmt.Errorf("nxos: commit: the switch refuses the configuration and does not run what it ran before: %w", plugins.ErrSessionLost)
	}
	if _, err := write(ctx, cli, "delete "+fileOf(changeID, armedFile)+" no-prompt"); err != nil {
		return err
	}
	text, refused := refusal(out)
	if !refused {
		text = strings.TrimSpace(out)
	}
	return refusedError("commit: configure replace", text)
}

// unknown marks an error after which the outcome on the switch is not known.
func unknown(step string, err error) error {
	if errors.Is(err, plugins.ErrSessionLost) {
		return err
	}
	return fmt.Errorf("nxos: %s: the outcome is unknown: %w", step, errors.Join(plugins.ErrSessionLost, err))
}

// Confirm stops the timeout, then saves. What the switch answers to the commit
// is not known; that it keeps the configuration shows when the time is over,
// and that it was too late shows in what it runs.
func (d driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("nxos: confirm: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return err
	}
	switch state := c.state(); state {
	case plugins.StatePending:
		if digest(c.running) != c.note.after {
			return errors.New("nxos: confirm: the switch runs another configuration than this change's; it is left to the timeout")
		}
		if _, err := write(ctx, cli, "configure replace commit"); err != nil {
			return err
		}
		after, err := running(ctx, cli)
		if err != nil {
			return err
		}
		if digest(after) != c.note.after {
			return fmt.Errorf("nxos: confirm: the timeout ended first: %w", plugins.ErrRolledBack)
		}
	case plugins.StateConfirmed: // before, or by a try whose answer was lost
	case plugins.StateStaged:
		return fmt.Errorf("nxos: confirm: change %s was never committed", changeID)
	case plugins.StateUnknown:
		return fmt.Errorf("nxos: confirm: the state of change %s is not known", changeID)
	default:
		return fmt.Errorf("nxos: confirm: the switch does not run change %s any more: %w", changeID, plugins.ErrRolledBack)
	}
	if err := save(ctx, cli); err != nil {
		return err
	}
	if c.confirmed {
		return nil
	}
	if out, err := write(ctx, cli, "move "+fileOf(changeID, armedFile)+" "+fileOf(changeID, confirmedFile)); err != nil {
		return err
	} else if text, refused := refusal(out); refused {
		return refusedError("confirm: move", text)
	}
	_, err = write(ctx, cli, "delete "+fileOf(changeID, stagedFile)+" no-prompt")
	return err
}

// save copies running to startup and looks whether they are equal.
func save(ctx context.Context, cli plugins.CLI) error {
	out, err := write(ctx, cli, "copy running-config startup-config")
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused {
		return refusedError("save", text)
	}
	if !strings.Contains(out, "Copy complete") {
		return errors.New("nxos: save: the switch does not say that it saved; the change is running and confirmed")
	}
	now, err := running(ctx, cli)
	if err != nil {
		return err
	}
	startup, err := read(ctx, cli, "show startup-config")
	if err != nil {
		return err
	}
	if !equal(now, startup) {
		return errors.New("nxos: save: the startup configuration is not the running one; the change is running and confirmed")
	}
	return nil
}

// Discard undoes a pending change at once and removes what it left. The note of
// a confirmed change stays until the next one.
func (d driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("nxos: discard: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return err
	}
	state := c.state()
	if state == plugins.StatePending {
		if _, err := write(ctx, cli, "configure replace abort"); err != nil {
			return err
		}
		after, err := running(ctx, cli)
		if err != nil {
			return err
		}
		if digest(after) != c.note.before {
			return fmt.Errorf("nxos: discard: after the abort of change %s the switch does not run what it ran before", changeID)
		}
	}
	for _, f := range []struct {
		there  bool
		suffix string
	}{{c.staged, stagedFile}, {c.armed && state != plugins.StateConfirmed, armedFile}} {
		if !f.there {
			continue
		}
		if _, err := write(ctx, cli, "delete "+fileOf(changeID, f.suffix)+" no-prompt"); err != nil {
			return err
		}
	}
	return nil
}

// Status reads the files of a change, the clock and what runs.
func (d driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	cli, err := s.CLI(ctx)
	if err != nil {
		return plugins.StateUnknown, 0, fmt.Errorf("nxos: status: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	if state := c.state(); state != plugins.StatePending {
		return state, 0, nil
	}
	return plugins.StatePending, max(0, c.left), nil
}

// FactoryReset erases the startup configuration and reloads. The address of
// mgmt0 may survive that on some models; images and licences stay. The token is
// the serial number.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return err
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("nxos: factory reset: %w", plugins.ErrWrongUnit)
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return fmt.Errorf("nxos: factory reset: %w", err)
	}
	defer cli.Close()
	out, err := write(ctx, cli, "write erase", reload().Answers...)
	if err != nil {
		return err
	}
	if text, refused := refusal(out); refused {
		return refusedError("factory reset: write erase", text)
	}
	left, err := read(ctx, cli, "show startup-config")
	if err != nil {
		return err
	}
	if strings.Contains(left, "\nversion ") {
		return errors.New("nxos: factory reset: the startup configuration is still there")
	}
	end, err := cli.Run(ctx, reload())
	// A switch that reloads hangs up; that it does not answer is what was asked.
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("nxos: factory reset: reload: %w", err)
	}
	if text, refused := refusal(string(end.Stdout)); refused {
		return refusedError("factory reset: the startup configuration is erased, but reload", text)
	}
	return nil
}

// reload makes the switch start anew, without saving.
func reload() plugins.Command {
	return plugins.Command{Text: "reload", Write: true, Answers: []plugins.Answer{{Prompt: `\(y/n\)\??\s+\[n\]\s*$`, Reply: "y"}}}
}
