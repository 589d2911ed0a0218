package vyos

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/netdev"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Stage brings the configuration of want to the unit as a file, proves that it
// arrived, and loads it into a candidate to see what it would change. The
// candidate is given up; the file stays.
func (d driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	text, losses, err := chosen(want)
	if err != nil {
		return plugins.Diff{}, err
	}
	c, err := look(ctx, s, changeID)
	if err != nil {
		return plugins.Diff{}, err
	}
	if c.timer {
		return plugins.Diff{}, fmt.Errorf("vyos: stage: a commit waits for its confirmation: %w", plugins.ErrBusy)
	}
	if err := timed(ctx, s); err != nil {
		return plugins.Diff{}, err
	}
	// What an earlier try left says nothing about this one.
	if err := remove(ctx, s, c); err != nil {
		return plugins.Diff{}, err
	}
	if err := send(ctx, s, c.stagedFile(), text); err != nil {
		return plugins.Diff{}, err
	}
	diff, lost, err := try(ctx, s, c.stagedFile())
	if err != nil {
		if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
			c.staged = true
			err = errors.Join(err, remove(ctx, s, c))
		}
		return plugins.Diff{}, err
	}
	address := moved(diff, text)
	return plugins.Diff{
		Text:    diff,
		Address: address,
		Steps: []string{
			"load the staged configuration and commit it by commit-confirm: unless it is confirmed the unit returns to the saved configuration, by a reboot or as commit-confirm action says",
			"confirm it, then save",
		},
		Losses:     append(losses, lost...),
		Disruptive: disruptive(diff),
	}, nil
}

// timed refuses releases whose commit-confirm cannot be asked whether it runs.
func timed(ctx context.Context, s plugins.Session) error {
	out, err := read(ctx, s, showVersion)
	if err != nil {
		return err
	}
	f, ok := parseVersion(out)
	if !ok {
		return fmt.Errorf("vyos: show version: %w", plugins.ErrWrongPlatform)
	}
	if oldRelease.MatchString(f.OSVersion) {
		return fmt.Errorf("vyos: a restore needs the commit-confirm of VyOS 1.4, the unit runs %s, which does not tell whose change waits to be confirmed: %w", f.OSVersion, errors.ErrUnsupported)
	}
	return nil
}

var oldRelease = regexp.MustCompile(`^1\.[0-3](?:\D|$)`)

// send writes a file in base64, which no terminal changes, and compares its
// digest.
func send(ctx context.Context, s plugins.Session, file, text string) error {
	var b strings.Builder
	for rest := base64.StdEncoding.EncodeToString([]byte(text)); rest != ""; {
		n := min(76, len(rest))
		b.WriteString(rest[:n] + "\n")
		rest = rest[n:]
	}
	out, err := do(ctx, s, plugins.Command{Text: "(umask 077; base64 -d > " + file + ")", Input: []byte(b.String()), Write: true})
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("stage: write "+file, out)
	}
	if out, err = read(ctx, s, "sha256sum "+file); err != nil {
		return err
	}
	if !strings.Contains(out, fmt.Sprintf("%x", sha256.Sum256([]byte(text)))) {
		return fmt.Errorf("vyos: stage: the file on the unit is not what was sent: %w", &plugins.RejectedError{Artefact: runningConfig})
	}
	return nil
}

// try loads the file and compares, without a commit.
func try(ctx context.Context, s plugins.Session, file string) (diff string, lost []plugins.Loss, err error) {
	cli, err := s.CLI(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("vyos: stage: %w", err)
	}
	defer cli.Close()
	if err := enter(ctx, cli); err != nil {
		return "", nil, err
	}
	if err := load(ctx, cli, file); err != nil {
		return "", nil, errors.Join(err, discard(ctx, cli, err))
	}
	if diff, err = read(ctx, cli, "compare"); err != nil {
		return "", nil, err
	}
	if strings.Contains(diff, "No changes between") {
		diff = ""
	}
	return body(diff), nil, discard(ctx, cli, nil)
}

// enter goes into configuration mode of a unit whose running configuration is
// the saved one: that is what an unconfirmed commit returns to.
func enter(ctx context.Context, cli plugins.CLI) error {
	out, err := write(ctx, cli, "configure")
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("configure", out)
	}
	for _, c := range []struct{ command, problem string }{
		{"compare", "the candidate of this login has changes that are not committed"},
		{"compare saved", "the running configuration is not saved: the unit would return to another one. Save it first, or load the saved one"},
	} {
		if out, err = read(ctx, cli, c.command); err != nil {
			return err
		}
		if !strings.Contains(out, "No changes between") {
			return errors.Join(fmt.Errorf("vyos: %s", c.problem), discard(ctx, cli, nil))
		}
	}
	return nil
}

// load reads a file into the candidate.
func load(ctx context.Context, cli plugins.CLI, file string) error {
	out, err := write(ctx, cli, "load "+file)
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("load", out)
	}
	if !strings.Contains(out, "Load complete") && !strings.Contains(out, "No configuration changes to commit") {
		return refusedError("load", out)
	}
	return nil
}

// discard leaves configuration mode without the candidate, unless the login is
// gone.
func discard(ctx context.Context, cli plugins.CLI, cause error) error {
	if errors.Is(cause, plugins.ErrSessionLost) || ctx.Err() != nil {
		return nil
	}
	_, err := write(ctx, cli, "exit discard")
	return err
}

// remove drops every file of a change.
func remove(ctx context.Context, s plugins.Session, c change) error {
	files := []string{c.stagedFile(), c.confirmedFile()}
	if c.minutes > 0 {
		files = append(files, c.committedFile())
	}
	out, err := write(ctx, s, "rm -f "+strings.Join(files, " "))
	if err != nil {
		return err
	}
	if _, refused := refusal(out); refused {
		return refusedError("remove what an earlier change left", out)
	}
	return nil
}

// chosen makes the text to load: the running configuration of want with the
// footer of its saved one.
func chosen(want []plugins.Artefact) (text string, losses []plugins.Loss, err error) {
	running, saved := "", ""
	for _, a := range want {
		switch {
		case a.Name == runningConfig:
			running = string(a.Data)
		case a.Name == savedConfig:
			saved = string(a.Data)
		case a.Role != plugins.RoleState:
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back"})
		}
	}
	reject := func(artefact, why string) (string, []plugins.Loss, error) {
		return "", nil, fmt.Errorf("vyos: stage: %w", &plugins.RejectedError{Artefact: artefact, Text: why})
	}
	if running == "" {
		return reject(runningConfig, "there is no configuration to restore")
	}
	if r := frame(runningConfig, running, false); len(r) > 0 {
		return reject(runningConfig, r[0].Text)
	}
	footer := footerOf(saved)
	if !versions.MatchString(footer) {
		return reject(savedConfig, "there is no footer that says by which versions the configuration was written: the unit would take it for the oldest")
	}
	return strings.TrimRight(running, "\n") + "\n\n\n" + footer, losses, nil
}

var changedAddress = regexp.MustCompile(`(?m)^([+-])\s+address "?([0-9a-fA-F.:/]+)`)

// moved is where the unit answers afterwards, if no address of its interfaces
// stays. What it has is what it will have but for what the difference says.
func moved(diff, want string) string {
	added, removed := map[string]bool{}, []string{}
	for _, m := range changedAddress.FindAllStringSubmatch(diff, -1) {
		if m[1] == "+" {
			added[m[2]] = true
		} else {
			removed = append(removed, m[2])
		}
	}
	var next, have []string
	for s := range statements(parse(want)) {
		if n := len(s.path); n > 2 && s.path[0].Text == "interfaces" && s.path[n-2].Text == "address" {
			a := syntax.Unquote(s.path[n-1].Text)
			if next = append(next, a); !added[a] {
				have = append(have, a)
			}
		}
	}
	return netdev.Moved(append(removed, have...), next)
}

var addressChange = regexp.MustCompile(`(?m)^[+-] +(?:address |ssh\b|user )`)

// disruptive names what an operator must know before the commit.
func disruptive(diff string) []string {
	out := []string{"unless the change is confirmed in time, the unit reboots"}
	if diff == "" {
		return nil
	}
	if addressChange.MatchString(diff) {
		out = append(out, "an address, a user or SSH changes: logins over it may end")
	}
	return out
}
