// Package nxos drives Cisco NX-OS over the command line and SCP. It reads the
// running and startup configuration with proof that they are whole, and puts a
// running configuration back with "configure replace" under the switch's own
// commit timeout.
//
// It does not use checkpoints, which a switch takes from itself alone, does not
// copy images or licences, and does not read private keys. Each VDC of a Nexus
// 7000 is a device of its own.
package nxos

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// driver is stateless: every method works on the session it is handed.
type driver struct{}

// New returns the driver.
func New() plugins.Driver { return driver{} }

// Identify reads "show version" and "show inventory".
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := read(ctx, s, "show version")
	if err != nil {
		return plugins.Facts{}, err
	}
	f, ok := parseVersion(out)
	if !ok {
		return plugins.Facts{}, fmt.Errorf("nxos: show version: %w", plugins.ErrWrongPlatform)
	}
	if out, err = read(ctx, s, "show inventory"); err != nil {
		return plugins.Facts{}, err
	}
	if m := chassisItem.FindStringSubmatch(out); m != nil {
		f.Model = m[1]
		if m[2] != "" {
			f.Serials = []string{m[2]}
		}
	}
	return f, nil
}

var (
	releaseLine = regexp.MustCompile(`(?m)^\s*(?:NXOS|system):\s+version (\S+)`)
	chassisLine = regexp.MustCompile(`(?mi)^\s*cisco (.+?) Chassis`)
	boardLine   = regexp.MustCompile(`(?m)^\s*Processor Board ID (\S+)`)
	nameLine    = regexp.MustCompile(`(?m)^\s*Device name: (\S+)`)
	chassisItem = regexp.MustCompile(`(?m)^NAME: "Chassis",.*\n\s*PID: ?([^,]*?)\s*,\s*VID:[^,]*,\s*SN: ?(\S*)`)
)

// parseVersion reads the text of "show version".
func parseVersion(out string) (plugins.Facts, bool) {
	m := releaseLine.FindStringSubmatch(out)
	if m == nil || !strings.Contains(out, "NX-OS") {
		return plugins.Facts{}, false
	}
	f := plugins.Facts{Vendor: "Cisco", OS: "NX-OS", OSVersion: m[1]}
	if m := chassisLine.FindStringSubmatch(out); m != nil {
		f.Model = m[1]
	}
	if m := boardLine.FindStringSubmatch(out); m != nil {
		f.Serials = []string{m[1]}
	}
	if m := nameLine.FindStringSubmatch(out); m != nil {
		f.Hostname = m[1]
	}
	return f, true
}

// Normalize reads native text into the common tree.
func (driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}

// Render writes a running configuration from the common tree.
func (driver) Render(_ context.Context, tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	return render(tree, onto)
}

// Adapt prepares artefacts of one unit for another.
func (driver) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	return adapt(native, from, to, m)
}

// runner is what a Session and a CLI have in common.
type runner interface {
	Run(context.Context, plugins.Command) (plugins.Output, error)
}

func read(ctx context.Context, r runner, command string) (string, error) {
	return do(ctx, r, plugins.Command{Text: command})
}

func write(ctx context.Context, r runner, command string, answers ...plugins.Answer) (string, error) {
	return do(ctx, r, plugins.Command{Text: command, Write: true, Answers: answers})
}

func do(ctx context.Context, r runner, c plugins.Command) (string, error) {
	out, err := r.Run(ctx, c)
	if err != nil {
		return "", fmt.Errorf("nxos: %s: %w", c.Text, err)
	}
	if !out.OK() {
		return "", fmt.Errorf("nxos: %s: the output stops: %w", c.Text, plugins.ErrSessionLost)
	}
	return string(out.Stdout), nil
}

// statements returns what a text configures: no comments, no release.
func statements(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		t := strings.TrimRight(l, " \r\n")
		if t == "" || strings.HasPrefix(t, "!") || strings.HasPrefix(t, "version ") {
			continue
		}
		out = append(out, t)
	}
	return out
}

func equal(a, b string) bool { return slices.Equal(statements(a), statements(b)) }

// refusal returns the first line by which NX-OS refuses a command.
func refusal(out string) (text string, refused bool) {
	for l := range strings.Lines(out) {
		l = strings.TrimRight(l, "\r\n")
		if strings.HasPrefix(l, "% ") || strings.HasPrefix(l, "ERROR:") || strings.HasPrefix(l, "Syntax error while parsing") || strings.HasPrefix(l, "Invalid ") {
			return l, true
		}
	}
	return "", false
}

// refusedError says what a refusal means for the agent.
func refusedError(step, text string) error {
	low := strings.ToLower(text)
	for _, m := range []struct {
		part string
		err  error
	}{
		{"permission denied", plugins.ErrNotPermitted},
		{"not authorized", plugins.ErrNotPermitted},
		{"in progress", plugins.ErrBusy},
		{"locked", plugins.ErrBusy},
	} {
		if strings.Contains(low, m.part) {
			return fmt.Errorf("nxos: %s: %w", step, m.err)
		}
	}
	return fmt.Errorf("nxos: %s: %w", step, &plugins.RejectedError{Artefact: runningConfig, Text: text})
}
