package ios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
)

// Stage brings the running configuration of want to flash, byte for byte, and
// asks the device what replacing its own by it would change. Whether the
// device takes every line shows only when it does.
func (d driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	cli, err := s.CLI(ctx)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("ios: stage: %w", err)
	}
	defer cli.Close()
	c, err := look(ctx, cli, s, changeID)
	if err != nil {
		return plugins.Diff{}, err
	}
	switch state := c.state(); {
	case state == plugins.StatePending || state == plugins.StateConfirmed:
		return plugins.Diff{}, fmt.Errorf("ios: stage: change %s is already %s", changeID, state)
	case c.timer:
		return plugins.Diff{}, fmt.Errorf("ios: stage: the rollback timer of another change runs: %w", plugins.ErrBusy)
	}
	running, err := read(ctx, cli, "show running-config")
	if err != nil {
		return plugins.Diff{}, err
	}
	if text, refused := refusedWhole(running); refused {
		return plugins.Diff{}, refusedError("show running-config", text)
	}
	file, losses, err := chosen(ctx, s, want, running)
	if err != nil {
		return plugins.Diff{}, err
	}
	if archivePath(running) == "" {
		return plugins.Diff{}, errors.New("ios: stage: the device has no configuration archive, without which there is no rollback timer: configure \"archive\" and below it \"path flash:archive\"")
	}
	if err := clean(ctx, cli, s, c.others); err != nil {
		return plugins.Diff{}, err
	}
	if c.armed { // what a rolled back try of the same change left
		if _, err := write(ctx, cli, "delete /force "+fileOf(s, changeID, armedFile)); err != nil {
			return plugins.Diff{}, err
		}
	}
	path := fileOf(s, changeID, stagedFile)
	if err := bring(ctx, s, path, file); err != nil {
		return plugins.Diff{}, err
	}
	diff, err := differences(ctx, cli, "system:running-config", path)
	if err != nil {
		return plugins.Diff{}, err
	}
	return plugins.Diff{
		Text: diff,
		Steps: []string{
			"replace the running configuration by " + path + " under the device's rollback timer",
			"confirm it with configure confirm",
			"save the running configuration as the startup configuration",
		},
		Losses:     losses,
		Disruptive: disruptive(diff),
	}, nil
}

// bring copies the file and reads it back: what arrived is what will be
// replaced by.
func bring(ctx context.Context, s plugins.Session, path string, file []byte) error {
	err := cisco.CopyTo(ctx, s, path, file)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return errors.New("ios: stage: the device does not answer SCP: configure \"ip scp server enable\"")
	case err != nil:
		return fmt.Errorf("ios: stage: copy to %s: %w", path, err)
	}
	back, err := cisco.CopyFrom(ctx, s, path)
	if err != nil {
		return fmt.Errorf("ios: stage: read %s back: %w", path, err)
	}
	if !bytes.Equal(back, file) {
		return fmt.Errorf("ios: stage: %s does not hold what was copied: %d bytes instead of %d", path, len(back), len(file))
	}
	return nil
}

// clean removes what changes before this one left: they are finished, because
// a device has one journal.
func clean(ctx context.Context, cli plugins.CLI, s plugins.Session, names []string) error {
	for _, n := range names {
		if !strings.HasSuffix(n, confirmedFile) {
			continue
		}
		if _, err := write(ctx, cli, "delete /force "+flash(s)+n); err != nil {
			return err
		}
	}
	return nil
}

var identityLine = regexp.MustCompile(`(?m)^license udi .*$`)

// chosen makes the file that the device will read and names what will not come
// back.
func chosen(ctx context.Context, s plugins.Session, want []plugins.Artefact, running string) (file []byte, losses []plugins.Loss, err error) {
	for _, a := range want {
		switch {
		case a.Name == runningConfig:
			if file, err = deviceFile(a.Data, strings.TrimRight(identityLine.FindString(running), "\r ")); err != nil {
				return nil, nil, err
			}
		case a.Name == startupConfig, a.Role == plugins.RoleState:
		default:
			if have, err := cisco.CopyFrom(ctx, s, sourceOf(s, a)); err == nil && bytes.Equal(have, a.Data) {
				continue
			} else if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			loss := plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back: copy it to " + sourceOf(s, a)}
			if a.Name == vlanFile {
				loss.Text += " and reload, or enter the VLANs by hand"
			}
			losses = append(losses, loss)
		}
	}
	if file == nil {
		return nil, nil, fmt.Errorf("ios: stage: no artefact %s: %w", runningConfig, &plugins.RejectedError{Artefact: runningConfig})
	}
	return file, losses, nil
}

func sourceOf(s plugins.Session, a plugins.Artefact) string {
	if a.Source != "" && strings.Contains(a.Source, ":") {
		return a.Source
	}
	return flash(s) + a.Name[strings.LastIndexByte(a.Name, '/')+1:]
}

// disruptive names what an operator must know before the commit.
func disruptive(diff string) []string {
	var out []string
	for _, m := range []struct{ pattern, text string }{
		{`(?m)^[+-]\s*(?:ip ssh |line vty |aaa |username |crypto key )`, "a login service changes, logins may end"},
		{`(?m)^-\s*ip scp server enable`, "SCP is switched off: the next restore needs it switched on again"},
		{`(?m)^-archive`, "the archive goes: the next restore needs one"},
		{`(?m)^[+-]\s*(?:sdm prefer|license boot level|system mtu|switch \d+ (?:provision|priority|renumber)|hw-module|platform )`, "a setting changes that takes effect only after a reload"},
	} {
		if regexp.MustCompile(m.pattern).MatchString(diff) {
			out = append(out, m.text)
		}
	}
	return out
}
