package iosxr

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Export reads the declared artefacts in order. The running configuration must
// be there and whole.
func (d *driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	e := &plugins.Export{Verdict: plugins.Complete}
	partly := func(code, format string, args ...any) {
		e.Reasons = append(e.Reasons, plugins.Reason{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	for _, spec := range d.Info().Artefacts {
		if spec.Command == "" {
			continue
		}
		out, err := s.Run(ctx, plugins.Command{Text: spec.Command})
		if err != nil {
			if ctx.Err() != nil || len(e.Artefacts) == 0 {
				return nil, fmt.Errorf("iosxr: %s: %w", spec.Command, err)
			}
			code := "read-failed"
			if errors.Is(err, plugins.ErrSessionLost) {
				code = "connection-lost"
			}
			partly(code, "%s could not be read", spec.Name)
			continue
		}
		text := string(out.Stdout)
		refused, yes := refusedWhole(text)
		if spec.Role == plugins.RoleState && !yes {
			refused, yes = refusal(text) // whatever else stands around it
		}
		if yes {
			err := refusedError(spec.Command, refused)
			switch {
			case spec.Required:
				return nil, err
			case errors.Is(err, plugins.ErrNotPermitted):
				partly("refused", "the router refuses %s", spec.Command)
			}
			continue // a command that this model does not have
		}
		switch {
		case strings.TrimSpace(withoutTime(text)) == "" && spec.Required:
			return nil, fmt.Errorf("iosxr: %s: %w", spec.Command, plugins.ErrEmpty)
		case strings.TrimSpace(withoutTime(text)) == "" && out.OK():
			continue
		case !out.OK():
			partly("cut", "the output of %s stops before its end was proved", spec.Command)
		case spec.Terminator != "":
			e.Reasons = append(e.Reasons, frame(spec.Name, text)...)
		case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\r' && control(r) }) || strings.Contains(text, "--More--"):
			partly("control-bytes", "the output of %s holds what a terminal or a pager left", spec.Command)
		}
		e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: spec.Name, Role: spec.Role, Bind: spec.Bind, Source: spec.Command, Data: out.Stdout})
	}
	if err := links().Ask(ctx, s, e); err != nil {
		return nil, err
	}
	if len(e.Reasons) > 0 {
		e.Verdict = plugins.Partial
	}
	e.FactoryDefault = factoryDefault(string(e.Artefacts[0].Data))
	return e, nil
}

// refusedWhole reports an output that is a refusal and nothing else.
func refusedWhole(out string) (string, bool) {
	trimmed := strings.TrimSpace(withoutTime(out))
	first, rest, _ := strings.Cut(trimmed, "\n")
	if strings.TrimSpace(first) == "^" {
		first, _, _ = strings.Cut(rest, "\n")
	}
	return refusal(strings.TrimSpace(first))
}

// factoryLine is what a router shows that nobody configured.
var factoryLine = regexp.MustCompile(`^(?:hostname ios|interface \S+| shutdown|call-home| service active| contact smart-licensing| profile CiscoTAC-1|  active|  destination transport-method http|username \S+| group \S+| secret .*)$`)

// factoryDefault reports a running configuration in which nothing was set.
func factoryDefault(running string) bool {
	for _, l := range statements(running) {
		if !factoryLine.MatchString(l) {
			return false
		}
	}
	return true
}
