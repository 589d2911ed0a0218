package nxos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Export reads the declared artefacts in order. NX-OS marks no end of a
// configuration, so the switch is asked how many lines it has and what the last
// of them are.
func (d driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	e := &plugins.Export{Verdict: plugins.Complete}
	partly := func(code, format string, args ...any) {
		e.Reasons = append(e.Reasons, plugins.Reason{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	saved := true
	for _, spec := range d.Info().Artefacts {
		if spec.Command == "" {
			continue
		}
		out, err := s.Run(ctx, plugins.Command{Text: spec.Command})
		if err != nil {
			if ctx.Err() != nil || len(e.Artefacts) == 0 {
				return nil, fmt.Errorf("nxos: %s: %w", spec.Command, err)
			}
			code := "read-failed"
			if errors.Is(err, plugins.ErrSessionLost) {
				code = "connection-lost"
			}
			partly(code, "%s could not be read", spec.Name)
			continue
		}
		text := string(out.Stdout)
		if refused, yes := refusedWhole(text, spec.Role == plugins.RoleState); yes {
			err := refusedError(spec.Command, refused)
			switch {
			case spec.Required:
				return nil, err
			case spec.Role == plugins.RoleStartup || errors.Is(err, plugins.ErrNotPermitted):
				partly("refused", "the switch refuses %s", spec.Command)
			}
			continue
		}
		switch {
		case strings.TrimSpace(text) == "" && spec.Required:
			return nil, fmt.Errorf("nxos: %s: %w", spec.Command, plugins.ErrEmpty)
		case spec.Role == plugins.RoleStartup && out.OK() && !strings.Contains(text, "\nversion "):
			saved = false // it says that there is none, in words that no recording shows
			if len(statements(text)) > 1 {
				partly("no-version", "%s does not name the release that wrote it", spec.Name)
			}
			continue
		case strings.TrimSpace(text) == "" && out.OK():
			continue
		case !out.OK():
			partly("cut", "the output of %s stops before its end was proved", spec.Command)
		case spec.Role == plugins.RoleRunning || spec.Role == plugins.RoleStartup:
			e.Reasons = append(e.Reasons, frame(spec.Name, text)...)
			reasons, err := whole(ctx, s, spec, text)
			if err != nil {
				return nil, err
			}
			e.Reasons = append(e.Reasons, reasons...)
		case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\r' && control(r) }) || strings.Contains(text, "--More--"):
			partly("control-bytes", "the output of %s holds what a terminal or a pager left", spec.Command)
		}
		e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: spec.Name, Role: spec.Role, Bind: spec.Bind, Source: spec.Command, Data: out.Stdout})
	}
	if err := links().Ask(ctx, s, e); err != nil {
		return nil, err
	}
	if err := plugins.KeepFirmware(ctx, s, e, "show version", firmwareLine, nil); err != nil {
		return nil, fmt.Errorf("nxos: show version: %w", err)
	}
	if len(e.Reasons) > 0 {
		e.Verdict = plugins.Partial
	}
	running := statements(string(e.Artefacts[0].Data))
	e.FactoryDefault = !saved && factoryDefault(running)
	if !slices.Contains(running, "feature scp-server") {
		e.NoRestore = append(e.NoRestore, plugins.Reason{Code: "scp-disabled", Text: "the switch does not answer SCP: configure \"feature scp-server\""})
	}
	return e, nil
}

var firmwareLine = regexp.MustCompile(`^(?:BIOS: version|NXOS: version|kickstart: version|system: version|(?:NXOS|kickstart|system) image file is|BIOS compile time|(?:NXOS|kickstart|system) compile time)`)

// refusedWhole reports an output that is a refusal. Of a command that shows
// state, a refusal anywhere makes it one.
func refusedWhole(out string, anywhere bool) (string, bool) {
	if anywhere {
		return refusal(out)
	}
	trimmed := strings.TrimSpace(out)
	first, rest, _ := strings.Cut(trimmed, "\n")
	if strings.TrimSpace(first) == "^" {
		first, _, _ = strings.Cut(rest, "\n")
	}
	return refusal(strings.TrimSpace(first))
}

// tail is how many lines at the end are compared.
const tail = 3

// whole asks the switch for the count of the lines that are not empty, and for
// the last of them, and compares.
func whole(ctx context.Context, s plugins.Session, spec plugins.ArtefactSpec, text string) ([]plugins.Reason, error) {
	not := func(code, format string, args ...any) ([]plugins.Reason, error) {
		return []plugins.Reason{{Code: code, Text: spec.Name + " " + fmt.Sprintf(format, args...)}}, nil
	}
	var lines []string
	for l := range strings.Lines(text) {
		if l = strings.TrimRight(l, "\r\n"); l != "" {
			lines = append(lines, l)
		}
	}
	ask := func(filter string) (string, bool, error) {
		out, err := s.Run(ctx, plugins.Command{Text: spec.Command + " | include . | " + filter})
		if ctx.Err() != nil {
			return "", false, ctx.Err()
		}
		return string(out.Stdout), err == nil && out.OK(), nil
	}
	count, ok, err := ask("count")
	if err != nil {
		return nil, err
	}
	n, bad := strconv.Atoi(strings.TrimSpace(count))
	if !ok || bad != nil {
		return not("not-proved", "may be cut: the switch does not say how many lines it has")
	}
	if n != len(lines) {
		return not("cut", "has %d lines, the switch counts %d", len(lines), n)
	}
	last, ok, err := ask("last " + strconv.Itoa(tail))
	if err != nil {
		return nil, err
	}
	var want []string
	for l := range strings.Lines(last) {
		if l = strings.TrimRight(l, "\r\n"); l != "" {
			want = append(want, l)
		}
	}
	if !ok || len(want) == 0 || len(want) > len(lines) {
		return not("not-proved", "may be cut: the switch does not say how it ends")
	}
	if !slices.Equal(want, lines[len(lines)-len(want):]) {
		return not("cut", "ends otherwise than the switch says")
	}
	return nil, nil
}

// frame finds what does not belong into a configuration.
func frame(name, text string) []plugins.Reason {
	var reasons []plugins.Reason
	add := func(code, format string, args ...any) {
		reasons = append(reasons, plugins.Reason{Code: code, Text: name + " " + fmt.Sprintf(format, args...)})
	}
	release, n := false, 0
	for l := range strings.Lines(text) {
		n++
		l = strings.TrimRight(l, "\r\n")
		switch {
		case strings.ContainsFunc(l, control):
			add("control-bytes", "line %d holds control characters", n)
		case strings.Contains(l, "--More--"):
			add("pager-left", "line %d is a pager's", n)
		case strings.HasPrefix(l, "% "):
			add("refused", "line %d is a refusal", n)
		}
		release = release || strings.HasPrefix(l, "version ")
	}
	if !release {
		add("no-version", "does not name the release that wrote it")
	}
	return reasons
}

// control reports characters that a listing does not have.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// factoryDefault reports a running configuration in which nobody set anything.
// It counts only where there is no startup configuration.
func factoryDefault(running []string) bool {
	for _, l := range running {
		if h, ok := strings.CutPrefix(l, "hostname "); ok && h != "switch" || strings.HasPrefix(l, "router ") {
			return false
		}
		if strings.HasPrefix(l, "username ") && !strings.HasPrefix(l, "username admin ") {
			return false
		}
	}
	return true
}
