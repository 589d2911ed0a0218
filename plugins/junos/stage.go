package junos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// fileName is what a staged change leaves in the home folder of the login.
func fileName(changeID string) string { return mark(changeID) + ".conf" }

// mark is the comment by which a commit is known.
func mark(changeID string) string { return "cfgvault-" + changeID }

// Stage loads the configuration of want over the candidate under an exclusive
// lock, lets the device check it, keeps the result as a file on the device and
// gives the candidate up again.
func (d driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	text, losses, err := chosen(want)
	if err != nil {
		return plugins.Diff{}, err
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("junos: stage: %w", err)
	}
	defer cli.Close()
	log, err := commits(ctx, cli)
	if err != nil {
		return plugins.Diff{}, err
	}
	switch state, _ := log.of(mark(changeID)); {
	case state == plugins.StatePending:
		return plugins.Diff{}, fmt.Errorf("junos: stage: change %s is already %s", changeID, state)
	case log.pending():
		return plugins.Diff{}, fmt.Errorf("junos: stage: another commit waits for its confirmation: %w", plugins.ErrBusy)
	}
	running, err := read(ctx, cli, readConfiguration)
	if err != nil {
		return plugins.Diff{}, err
	}
	if err := enter(ctx, cli, "stage", "configure exclusive"); err != nil {
		return plugins.Diff{}, err
	}
	diff, lost, err := load(ctx, cli, fileName(changeID), text)
	// The candidate is given up whatever happened; where the login is gone it
	// went with it.
	if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
		if leaveErr := leave(ctx, cli); leaveErr != nil {
			return plugins.Diff{}, errors.Join(err, leaveErr)
		}
	}
	if err != nil {
		return plugins.Diff{}, err
	}
	address := moved(running, text)
	return plugins.Diff{
		Text: diff,
		Steps: []string{
			"load the staged configuration under an exclusive lock and commit it confirmed, with the device's own timer",
			"confirm it with commit check, which also makes it the configuration that the unit starts with",
		},
		Losses:     append(losses, lost...),
		Disruptive: disruptive(diff, address),
		Address:    address,
	}, nil
}

// enter goes into configuration mode. Silence is not proof of it.
func enter(ctx context.Context, cli plugins.CLI, step, command string) error {
	out, err := write(ctx, cli, command)
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused || !strings.Contains(out, "Entering configuration mode") {
		return refusedError(step+": "+command, out)
	}
	return nil
}

// leave goes back to operational mode and gives up what was not committed.
func leave(ctx context.Context, cli plugins.CLI) error {
	if _, err := write(ctx, cli, "rollback 0"); err != nil {
		return err
	}
	_, err := do(ctx, cli, plugins.Command{Text: "exit configuration-mode", Write: true, Answers: []plugins.Answer{
		{Prompt: `\[yes,no\] \([a-z]+\) ?$`, Reply: "yes"},
	}})
	return err
}

// load brings the text into the candidate and has it checked and kept.
func load(ctx context.Context, cli plugins.CLI, file, text string) (diff string, lost []plugins.Loss, err error) {
	out, err := do(ctx, cli, plugins.Command{Text: "load override terminal", Input: []byte(text), Write: true})
	if err != nil {
		return "", nil, err
	}
	if _, refused := refusal(out); refused || !loaded.MatchString(out) {
		return "", nil, refusedError("stage: load override", out)
	}
	took, err := read(ctx, cli, "show | display omit | no-more")
	if err != nil {
		return "", nil, err
	}
	for _, l := range missing(text, took) {
		lost = append(lost, plugins.Loss{Artefact: configuration, Line: l.number, Code: "not-taken",
			Text: "loaded without complaint, but the candidate does not hold it in this form"})
	}
	for _, w := range warnings(took) {
		lost = append(lost, plugins.Loss{Artefact: configuration, Code: "ignored", Text: "the unit says of it: " + w})
	}
	if diff, err = read(ctx, cli, "show | compare | no-more"); err != nil {
		return "", nil, err
	}
	if _, refused := refusal(diff); refused {
		return "", nil, refusedError("stage: show | compare", diff)
	}
	if out, err = write(ctx, cli, "commit check"); err != nil {
		return "", nil, err
	}
	if !strings.Contains(out, "configuration check succeeds") {
		return "", nil, refusedError("stage: commit check", out)
	}
	if out, err = write(ctx, cli, "save "+file); err != nil {
		return "", nil, err
	}
	if _, refused := refusal(out); refused || !strings.Contains(out, file) {
		return "", nil, refusedError("stage: save", out)
	}
	return body(diff), lost, nil
}

var (
	loaded = regexp.MustCompile(`(?m)^[|/\\\x08-]*load complete\s*$`)
	// at is where a load says that a line is wrong, "terminal:12:(8) …".
	at = regexp.MustCompile(`(?m)^\S+:(\d+):\(\d+\)`)
	// ignored is what Junos writes above a statement that has no effect here.
	ignored = regexp.MustCompile(`^## Warning: (.*)$`)
)

func refusedAt(out string) int {
	if m := at.FindStringSubmatch(out); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return n
		}
	}
	return 0
}

// warnings are the remarks on statements that the unit does not support. They
// name no value.
func warnings(candidate string) []string {
	var out []string
	for l := range strings.Lines(candidate) {
		m := ignored.FindStringSubmatch(strings.TrimSpace(l))
		if m != nil && !strings.Contains(m[1], "missing mandatory") && len(out) < 100 {
			out = append(out, m[1])
		}
	}
	return out
}

// chosen takes the configuration out of want and names what will not come
// back.
func chosen(want []plugins.Artefact) (text string, losses []plugins.Loss, err error) {
	found := false
	for _, a := range want {
		switch {
		case a.Name == configuration:
			text, found = string(a.Data), true
		case a.Role != plugins.RoleState:
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back"})
		}
	}
	reject := func(line int, why string) (string, []plugins.Loss, error) {
		return "", nil, fmt.Errorf("junos: stage: %w", &plugins.RejectedError{Artefact: configuration, Line: line, Text: why})
	}
	if !found {
		return reject(0, "there is no configuration to restore")
	}
	if syntax.IsCommands(text) {
		return reject(1, "the set form cannot replace a configuration: only the form in braces can")
	}
	d := syntax.ParseBraces(text, braces())
	if n := d.Broken(); n > 0 {
		return reject(n, "braces do not match: the text may be cut")
	}
	statements := 0
	for i := range d.Lines {
		l := &d.Lines[i]
		if strings.ContainsFunc(l.Body, control) {
			return reject(l.Number, "cannot be typed: control characters")
		}
		if l.Kind == syntax.Statement {
			statements++
			if l.Open {
				return reject(l.Number, "a statement does not end: the text may be cut")
			}
		}
	}
	if statements == 0 {
		return reject(0, "the configuration holds no statement")
	}
	if !strings.HasSuffix(text, "\n") { // Ctrl-D ends a paste only at the start of a line
		text += "\n"
	}
	return text, losses, nil
}

// management are the interfaces that only manage.
var management = regexp.MustCompile(`^interfaces (?:fxp0|em[01]|me0|vme|re0:mgmt-0|mgmt0) unit 0 family inet address (\S+?)(?:/\d+)? `)

// moved returns the first management address of want if the running
// configuration has others.
func moved(running, want string) string {
	first := func(text string) (all []string) {
		for _, l := range statements(text) {
			if m := management.FindStringSubmatch(l.path); m != nil {
				all = append(all, m[1])
			}
		}
		return all
	}
	have, next := first(running), first(want)
	if len(have) == 0 || len(next) == 0 {
		return ""
	}
	for _, a := range next {
		for _, b := range have {
			if a == b {
				return ""
			}
		}
	}
	return next[0]
}

var serviceChange = regexp.MustCompile(`(?m)^[+-] +(?:ssh|netconf|services) ?[;{]`)

// disruptive names what an operator must know before the commit.
func disruptive(diff, address string) []string {
	var out []string
	if address != "" {
		out = append(out, "the management address moves, every login ends")
	}
	if serviceChange.MatchString(diff) {
		out = append(out, "a management service changes, logins over it may end")
	}
	return out
}
