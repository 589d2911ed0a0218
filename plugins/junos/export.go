package junos

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// scriptsFolder holds commit, event, op and SNMP scripts.
const scriptsFolder = "/var/db/scripts/"

// Export reads the declared artefacts and the scripts. The configuration must
// be there and whole, and its last lines must be read again as they were.
func (d driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	e := &plugins.Export{Verdict: plugins.Complete}
	reason := func(code, format string, args ...any) {
		e.Reasons = append(e.Reasons, plugins.Reason{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	for _, spec := range d.Info().Artefacts {
		if spec.Command == "" {
			continue
		}
		out, err := s.Run(ctx, plugins.Command{Text: spec.Command})
		if err != nil {
			if ctx.Err() != nil || len(e.Artefacts) == 0 {
				return nil, fmt.Errorf("junos: %s: %w", spec.Command, err)
			}
			lostReason(reason, spec.Name, err)
			continue
		}
		text := body(string(out.Stdout))
		if _, refused := refusal(beginning(text)); refused {
			err := refusedError(spec.Command, text)
			switch {
			case spec.Required:
				return nil, err
			case errors.Is(err, plugins.ErrNotPermitted):
				reason("refused", "the unit refuses %s to this login", spec.Command)
			}
			continue // the unit has no such thing: no rescue configuration, no virtual chassis
		}
		if text == "" {
			if spec.Required {
				return nil, fmt.Errorf("junos: %s: %w", spec.Command, plugins.ErrEmpty)
			}
			if !out.OK() {
				reason("cut", "the output of %s stops before its end was proved", spec.Command)
			}
			continue
		}
		if !out.OK() {
			reason("cut", "the output of %s stops before its end was proved", spec.Command)
		}
		disturbed(reason, spec.Name, text, text)
		if spec.Required {
			e.Reasons = append(e.Reasons, frame(spec.Name, text)...)
			if err := d.proveEnd(ctx, s, text, reason); err != nil {
				return nil, err
			}
		}
		e.Artefacts = append(e.Artefacts, plugins.Artefact{
			Name: spec.Name, Role: spec.Role, Bind: spec.Bind, Source: spec.Command, Data: []byte(text),
		})
	}
	if err := d.scripts(ctx, s, e, reason); err != nil {
		return nil, err
	}
	if err := ports(ctx, s, e, reason); err != nil {
		return nil, err
	}
	for _, a := range e.Artefacts {
		if a.Name != "version" {
			continue
		}
		if firmware, ok := plugins.NewFirmwareArtefact(a.Source, string(a.Data), firmwareLine); ok {
			e.Artefacts = append(e.Artefacts, firmware)
		}
		break
	}
	if len(e.Reasons) > 0 {
		e.Verdict = plugins.Partial
	}
	e.FactoryDefault = factoryDefault(string(e.Artefacts[0].Data))
	return e, nil
}

// firmwareLine names the release, or a package with its build in brackets.
var firmwareLine = regexp.MustCompile(`^(?:Junos: .*|JUNOS .*\[.*\].*)$`)

// beginning is where a refusal stands, below the line that points at it.
func beginning(text string) string {
	lines := strings.SplitN(text, "\n", 4)
	return strings.Join(lines[:min(3, len(lines))], "\n")
}

// promptLine is what a broadcast, or a prompt of somebody else, leaves in an
// output.
var promptLine = regexp.MustCompile(`(?m)^[\w.@-]+[>#] ?$`)

// disturbed looks for what is not the device's answer to the command. Refusals
// are looked for in a part of the text only where it may quote some.
func disturbed(reason func(string, string, ...any), name, text, part string) {
	switch {
	case strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), control):
		reason("control-bytes", "%s holds control characters", name)
	case promptLine.MatchString(text):
		reason("prompt-left", "a line of %s is a prompt", name)
	case strings.Contains(text, "---(more"):
		reason("pager-left", "a line of %s is a pager's", name)
	default:
		if _, refused := refusal(part); refused {
			reason("refused", "the unit refuses a part of %s", name)
		}
	}
}

func lostReason(reason func(string, string, ...any), name string, err error) {
	if errors.Is(err, plugins.ErrSessionLost) {
		reason("connection-lost", "the connection went away while %s was read", name)
		return
	}
	reason("read-failed", "%s could not be read", name)
}

// proveEnd reads the last lines again and compares them.
func (driver) proveEnd(ctx context.Context, s plugins.Session, text string, reason func(string, string, ...any)) error {
	out, err := s.Run(ctx, plugins.Command{Text: readTail})
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("junos: %s: %w", readTail, err)
	case err != nil:
		lostReason(reason, "the end of the configuration", err)
		return nil
	}
	tail := body(string(out.Stdout))
	if !out.OK() || tail == "" || !strings.HasSuffix(text, tail) || strings.Count(tail, "\n") < min(12, strings.Count(text, "\n")) {
		reason("end-unproved", "the last lines of the configuration are not those that were read")
	}
	return nil
}

// scriptName is a file in a listing of the folder of scripts.
var scriptName = regexp.MustCompile(`^[\w.-]+\.(?:slax|xsl|py|tcl|yang|slaxo)$`)

// scripts reads the scripts of a unit. A unit without any has no folder, or
// empty ones.
func (driver) scripts(ctx context.Context, s plugins.Session, e *plugins.Export, reason func(string, string, ...any)) error {
	list := "file list " + scriptsFolder + " recursive | no-more"
	out, err := s.Run(ctx, plugins.Command{Text: list})
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("junos: %s: %w", list, err)
	case err != nil:
		lostReason(reason, "the list of scripts", err)
		return nil
	case !out.OK():
		reason("cut", "the output of %s stops before its end was proved", list)
		return nil
	}
	text := body(string(out.Stdout))
	disturbed(reason, "the list of scripts", text, text)
	for _, file := range scriptFiles(text) {
		command := "file show " + scriptsFolder + file + " | no-more"
		out, err := s.Run(ctx, plugins.Command{Text: command})
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("junos: %s: %w", command, err)
		case err != nil:
			lostReason(reason, file, err)
			continue
		case !out.OK():
			reason("cut", "the output of %s stops before its end was proved", command)
		}
		data := body(string(out.Stdout))
		if data == "" {
			continue
		}
		first, _, _ := strings.Cut(data, "\n")
		if _, refused := refusal(first); refused {
			reason("refused", "the unit refuses %s", command)
			continue
		}
		disturbed(reason, file, data, beginning(data))
		e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: path.Join(scripts, file), Role: plugins.RoleFile, Source: command, Data: []byte(data)})
	}
	return nil
}

// scriptFiles reads a listing: a folder's name with a colon, then its files.
func scriptFiles(listing string) []string {
	var out []string
	folder := ""
	for l := range strings.Lines(listing) {
		l = strings.TrimSpace(l)
		if dir, ok := strings.CutSuffix(l, ":"); ok {
			folder = strings.Trim(strings.TrimPrefix(dir+"/", scriptsFolder), "/")
			continue
		}
		for _, name := range strings.Fields(l) {
			if file := path.Join(folder, strings.TrimRight(name, "*")); scriptName.MatchString(strings.TrimRight(name, "*")) && !slices.Contains(out, file) && len(out) < 200 {
				out = append(out, file)
			}
		}
	}
	slices.Sort(out)
	return out
}

// factoryDefault reports a configuration that nobody made: no host name, no
// user beside root, no password of root.
func factoryDefault(text string) bool {
	for _, l := range statements(text) {
		for _, own := range []string{"system host-name ", "system login user ", "system root-authentication "} {
			if strings.HasPrefix(l.path, own) {
				return false
			}
		}
	}
	return true
}
