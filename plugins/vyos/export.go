package vyos

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// listFiles finds what lies below /config beside the configuration and its
// archive, up to a mebibyte each.
const listFiles = "find /config/auth /config/scripts /config/user-data /config/ipsec.d -type f -size -1024k 2>/dev/null | sort"

// Export reads the declared artefacts and the files below /config. Both
// configurations must be there and whole.
func (d driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	e := &plugins.Export{Verdict: plugins.Complete}
	reason := func(code, format string, args ...any) {
		e.Reasons = append(e.Reasons, plugins.Reason{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	for _, spec := range d.Info().Artefacts {
		if spec.Command == "" {
			continue
		}
		if spec.Command == "" {
			continue
		}
		text, ok, err := d.text(ctx, s, spec, reason)
		switch {
		case err != nil && (ctx.Err() != nil || len(e.Artefacts) == 0):
			return nil, err
		case err != nil:
			lostReason(reason, spec.Name, err)
			continue
		case !ok:
			continue
		}
		switch spec.Name {
		case runningConfig:
			e.Reasons = append(e.Reasons, frame(spec.Name, text, false)...)
			err = proveEnd(ctx, s, showTail, text, reason)
		case savedConfig:
			e.Reasons = append(e.Reasons, frame(spec.Name, text, true)...)
			err = proveEnd(ctx, s, showEnd, text, reason)
		}
		if err != nil {
			return nil, err
		}
		e.Artefacts = append(e.Artefacts, plugins.Artefact{
			Name: spec.Name, Role: spec.Role, Bind: spec.Bind, Source: spec.Command, Data: []byte(text),
		})
	}
	if err := d.files(ctx, s, e, reason); err != nil {
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

var firmwareLine = regexp.MustCompile(`^(?:Version|Release train|Release flavor|Built by|Built on|Build UUID|Build commit ID|Architecture): `)

// text reads one artefact; ok is false where the unit has no such thing.
func (driver) text(ctx context.Context, s plugins.Session, spec plugins.ArtefactSpec, reason func(string, string, ...any)) (text string, ok bool, err error) {
	out, err := s.Run(ctx, plugins.Command{Text: spec.Command})
	if err != nil {
		return "", false, fmt.Errorf("vyos: %s: %w", spec.Command, err)
	}
	text = body(string(out.Stdout))
	lines := strings.SplitN(text, "\n", 3)
	if _, refused := refusal(strings.Join(lines[:min(2, len(lines))], "\n")); refused {
		if spec.Name == runningConfig {
			return "", false, refusedError(spec.Command, text)
		}
		reason("refused", "the unit refuses %s", spec.Command)
		return "", false, nil
	}
	switch {
	case text == "" && spec.Name == runningConfig:
		return "", false, fmt.Errorf("vyos: %s: %w", spec.Command, plugins.ErrEmpty)
	case text == "" && spec.Required:
		reason("empty", "the unit prints nothing for %s", spec.Name)
		return "", false, nil
	case !out.OK():
		reason("cut", "the output of %s stops before its end was proved", spec.Command)
	case text == "":
		reason("empty", "the unit prints nothing for %s", spec.Name)
		return "", false, nil
	}
	disturbed(reason, spec.Name, text)
	return text, true, nil
}

// disturbed looks for what is not the unit's answer to the command.
func disturbed(reason func(string, string, ...any), name, text string) {
	switch {
	case strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), control):
		reason("control-bytes", "%s holds control characters", name)
	case promptLine.MatchString(text):
		reason("prompt-left", "a line of %s is a prompt", name)
	}
}

// control reports characters that a configuration does not have.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func lostReason(reason func(string, string, ...any), name string, err error) {
	if errors.Is(err, plugins.ErrSessionLost) {
		reason("connection-lost", "the connection went away while %s was read", name)
		return
	}
	reason("read-failed", "%s could not be read", name)
}

// proveEnd reads the last lines again and compares them.
func proveEnd(ctx context.Context, s plugins.Session, command, text string, reason func(string, string, ...any)) error {
	out, err := s.Run(ctx, plugins.Command{Text: command})
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("vyos: %s: %w", command, err)
	case err != nil:
		lostReason(reason, "the end of the configuration", err)
		return nil
	}
	tail := body(string(out.Stdout))
	if !out.OK() || tail == "" || !strings.HasSuffix(text, tail) || strings.Count(tail, "\n") < min(8, strings.Count(text, "\n")) {
		reason("end-unproved", "the last lines of a configuration are not those that were read")
	}
	return nil
}

// mostFiles is how many files below /config are read, one command each.
const mostFiles = 200

var filePath = regexp.MustCompile(`^/config/((?:auth|scripts|user-data|ipsec\.d)/[\w./+@-]+)$`)

// files reads what lies below /config, as base64: it may be anything.
func (driver) files(ctx context.Context, s plugins.Session, e *plugins.Export, reason func(string, string, ...any)) error {
	out, err := s.Run(ctx, plugins.Command{Text: listFiles})
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("vyos: %s: %w", listFiles, err)
	case err != nil:
		lostReason(reason, "the list of files", err)
		return nil
	case !out.OK():
		reason("cut", "the list of files stops before its end was proved")
	}
	seen := map[string]bool{}
	for l := range strings.Lines(body(string(out.Stdout))) {
		if seen[l] {
			reason("list-disturbed", "the list of files names one of them twice")
			return nil
		}
		if seen[l] = true; len(seen) > mostFiles {
			reason("too-many-files", "there are more than %d files below /config", mostFiles)
			return nil
		}
		m := filePath.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
		if m == nil || strings.Contains(m[1], "..") {
			reason("file-skipped", "the list of files has a line that names none of them, or one that cannot be typed safely")
			continue
		}
		command := "base64 " + strings.TrimSuffix(l, "\n")
		out, err := s.Run(ctx, plugins.Command{Text: command})
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("vyos: %s: %w", command, err)
		case err != nil:
			lostReason(reason, m[1], err)
			continue
		}
		data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body(string(out.Stdout)), "\n", ""))
		if err != nil || !out.OK() {
			reason("file-unreadable", "%s could not be read whole", m[1])
			continue
		}
		e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: m[1], Role: plugins.RoleFile, Source: command, Data: data})
	}
	return nil
}

// factoryDefault reports a configuration without an address and with the host
// name that is shipped.
func factoryDefault(text string) bool {
	name := false
	for s := range statements(parse(text)) {
		p := s.path
		if len(p) > 3 && p[0].Text == "interfaces" && p[3].Text == "address" {
			return false
		}
		if len(p) == 3 && p[0].Text == "system" && p[1].Text == "host-name" {
			name = p[2].Text == "vyos" || p[2].Text == `"vyos"`
		}
	}
	return name
}
