package eos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Stage loads the running configuration of want into a configuration session
// and leaves it there. The session begins empty ("rollback clean-config"), so
// that what want lacks is removed.
func (d driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	text, saving, losses, err := chosen(want)
	if err != nil {
		return plugins.Diff{}, err
	}
	cli, err := s.CLI(ctx)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("eos: stage: %w", err)
	}
	defer cli.Close()
	list, err := listSessions(ctx, cli)
	if err != nil {
		return plugins.Diff{}, err
	}
	name := sessionName(changeID)
	switch state := list.of(name); {
	case state == plugins.StatePending || state == plugins.StateConfirmed:
		return plugins.Diff{}, fmt.Errorf("eos: stage: change %s is already %s", changeID, state)
	case list.armed != "":
		return plugins.Diff{}, fmt.Errorf("eos: stage: the commit timer of another session runs: %w", plugins.ErrBusy)
	case list.merge:
		return plugins.Diff{}, errors.New("eos: stage: the switch merges on commit, a restore must replace: turn off merge on commit")
	case list.autosave:
		return plugins.Diff{}, errors.New("eos: stage: the switch saves on commit, before a change is confirmed: turn off autosave on commit")
	}
	running, err := read(ctx, cli, "show running-config")
	if err != nil {
		return plugins.Diff{}, err
	}
	diff, lost, err := load(ctx, cli, name, text)
	if err != nil {
		// Nothing of a refused change stays. Where the login is gone the agent
		// discards on a new session.
		if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
			if _, abortErr := write(ctx, cli, "abort"); abortErr != nil {
				return plugins.Diff{}, errors.Join(err, abortErr)
			}
		}
		return plugins.Diff{}, err
	}
	address := moved(running, string(text))
	return plugins.Diff{
		Text: diff,
		Steps: []string{
			"commit configuration session " + name + " under the switch's commit timer",
			"confirm it with configure session " + name + " commit",
			saving,
		},
		Losses:     append(losses, lost...),
		Disruptive: disruptive(diff, address),
		Address:    address,
	}, nil
}

// disruptive names what an operator must know before the commit.
func disruptive(diff, address string) []string {
	var out []string
	if address != "" {
		out = append(out, "the management address moves, every login ends")
	}
	if managementChange.MatchString(diff) {
		out = append(out, "a management service changes, logins over it may end")
	}
	if modelChange.MatchString(diff) {
		out = append(out, "the routing protocol model changes, which takes effect only after a reload")
	}
	return out
}

var (
	managementChange = regexp.MustCompile(`(?m)^[+-]management (?:ssh|api|telnet)\b`)
	modelChange      = regexp.MustCompile(`(?m)^[+-]service routing protocols model `)
)

// load fills the session and leaves it open. Errors before the session is
// entered leave the login at the exec prompt, where "abort" is refused and
// harmless.
func load(ctx context.Context, cli plugins.CLI, name string, text []byte) (diff string, lost []plugins.Loss, err error) {
	for _, c := range []plugins.Command{
		{Text: "configure session " + name, Write: true},
		{Text: "rollback clean-config", Write: true},
	} {
		out, err := do(ctx, cli, c)
		if err != nil {
			return "", nil, err
		}
		if refused, yes := refusal(out); yes {
			return "", nil, refusedError("stage: "+c.Text, refused)
		}
	}
	out, err := do(ctx, cli, plugins.Command{Text: "copy terminal: session-config", Input: text, Write: true})
	if err != nil {
		return "", nil, err
	}
	// A line that is refused does not keep the switch from reporting success.
	if refused, yes := refusal(out); yes {
		return "", nil, fmt.Errorf("eos: stage: %w", &plugins.RejectedError{Artefact: runningConfig, Line: refusedAt(refused), Text: refused})
	}
	if !strings.Contains(out, "Copy completed successfully") {
		return "", nil, fmt.Errorf("eos: stage: the switch does not say that it took the text: %w", &plugins.RejectedError{Artefact: runningConfig})
	}
	took, err := read(ctx, cli, "show session-config")
	if err != nil {
		return "", nil, err
	}
	if refused, yes := refusedWhole([]byte(took)); yes {
		return "", nil, refusedError("stage: show session-config", refused)
	}
	// What another release writes differently, or a bad link lost.
	for _, l := range missing(text, took) {
		lost = append(lost, plugins.Loss{Artefact: runningConfig, Line: l.number, Code: "not-taken",
			Text: "taken without complaint, but the session does not hold it in this form"})
	}
	if diff, err = read(ctx, cli, "show session-config diffs"); err != nil {
		return "", nil, err
	}
	if refused, yes := refusedWhole([]byte(diff)); yes {
		return "", nil, refusedError("stage: show session-config diffs", refused)
	}
	if _, err := do(ctx, cli, plugins.Command{Text: "end"}); err != nil {
		return "", nil, err
	}
	if strings.TrimSpace(diff) == "" {
		return "", lost, nil
	}
	return diff, lost, nil
}

// atLine is where the switch says that a pasted line was refused.
var atLine = regexp.MustCompile(`at line (\d+)`)

func refusedAt(text string) int {
	if m := atLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return n
		}
	}
	return 0
}

// chosen takes the running configuration out of want, ready to be pasted, says
// what saving it means and names what will not come back.
func chosen(want []plugins.Artefact) (text []byte, saving string, losses []plugins.Loss, err error) {
	var startup []byte
	for _, a := range want {
		switch {
		case a.Name == runningConfig:
			text = a.Data
		case a.Name == startupConfig:
			startup = a.Data
		case a.Role != plugins.RoleState:
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back"})
		}
	}
	if text == nil {
		return nil, "", nil, fmt.Errorf("eos: stage: no artefact %s: %w", runningConfig, &plugins.RejectedError{Artefact: runningConfig})
	}
	saving = "save the running configuration as the startup configuration"
	if startup != nil && !equal(string(startup), string(text)) {
		saving += "; in the snapshot they differed"
	}
	// The session takes the text as typed on a terminal: characters that the
	// terminal acts on would end the paste or be lost.
	lines, open := split(text)
	ended := false
	for _, l := range lines {
		if strings.ContainsFunc(l.text, control) || !l.free && ended && l.text != "" {
			return nil, "", nil, fmt.Errorf("eos: stage: %w", &plugins.RejectedError{
				Artefact: runningConfig, Line: l.number, Text: "cannot be typed: control characters, or text after the end",
			})
		}
		ended = ended || !l.free && l.text == "end"
	}
	if open || !ended {
		return nil, "", nil, fmt.Errorf("eos: stage: the text has no end, it may be cut: %w", &plugins.RejectedError{
			Artefact: runningConfig, Line: len(lines), Text: "the last line is not \"end\"",
		})
	}
	if !bytes.HasSuffix(text, []byte("\n")) { // Ctrl-D ends a paste only at the start of a line
		text = append(bytes.Clone(text), '\n')
	}
	return text, saving, losses, nil
}

// moved returns the address of the first management interface in want if the
// running configuration does not have it.
func moved(running, want string) string {
	have := managementAddresses(running)
	next := managementAddresses(want)
	if len(next) == 0 || len(have) == 0 {
		return ""
	}
	for _, a := range have {
		if a == next[0] {
			return ""
		}
	}
	return next[0]
}

func managementAddresses(text string) []string {
	var out []string
	lines, _ := split([]byte(text))
	for path := range withPath(lines) {
		head, statement, _ := strings.Cut(path, "\n")
		if !strings.HasPrefix(head, "interface Management") {
			continue
		}
		if p, ok := strings.CutPrefix(statement, "ip address "); ok {
			if prefix, err := netip.ParsePrefix(p); err == nil {
				out = append(out, prefix.Addr().String())
			}
		}
	}
	return out
}
