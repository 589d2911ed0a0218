package ios

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/cisco"
)

// Export reads the declared artefacts in order. The running configuration must
// be there and whole; a device without a startup configuration has simply
// never been saved.
func (d driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	x := &exporting{s: s, e: &plugins.Export{Verdict: plugins.Complete}, saved: true}
	for _, spec := range d.Info().Artefacts {
		if spec.Command == "" {
			continue
		}
		if err := x.command(ctx, spec); err != nil {
			return nil, err
		}
	}
	if err := x.files(ctx); err != nil {
		return nil, err
	}
	if err := links().Ask(ctx, x.s, x.e); err != nil {
		return nil, err
	}
	if err := plugins.KeepFirmware(ctx, x.s, x.e, "show version", firmwareLine, image(s)); err != nil {
		return nil, fmt.Errorf("ios: show version: %w", err)
	}
	running := string(x.e.Artefacts[0].Data)
	x.e.FactoryDefault = !x.saved && factoryDefault(running)
	x.e.NoRestore = obstacles(running)
	if len(x.e.Reasons) > 0 {
		x.e.Verdict = plugins.Partial
	}
	return x.e, nil
}

var (
	firmwareLine = regexp.MustCompile(`^(?:Cisco IOS.*|ROM: .*|BOOTLDR: .*|System image file is .*)$`)
	systemImage  = regexp.MustCompile(`(?m)^System image file is "([^"\s]+)"`)
)

// image asks for the digest of the image that the device booted, or of the list
// of its packages, if the device's options say so.
func image(s plugins.Session) func(string) (command, kind, name string) {
	if s.Options()[plugins.OptImageHash] != "md5" {
		return nil
	}
	return func(said string) (command, kind, name string) {
		m := systemImage.FindStringSubmatch(said)
		if m == nil {
			return "", "", ""
		}
		return "verify /md5 " + m[1], "md5", m[1]
	}
}

type exporting struct {
	s     plugins.Session
	e     *plugins.Export
	saved bool
}

func (x *exporting) partly(code, format string, args ...any) {
	x.e.Reasons = append(x.e.Reasons, plugins.Reason{Code: code, Text: fmt.Sprintf(format, args...)})
}

// command reads one artefact. The error is why there can be no export at all.
func (x *exporting) command(ctx context.Context, spec plugins.ArtefactSpec) error {
	out, err := x.s.Run(ctx, plugins.Command{Text: spec.Command})
	if err != nil {
		if ctx.Err() != nil || len(x.e.Artefacts) == 0 {
			return fmt.Errorf("ios: %s: %w", spec.Command, err)
		}
		if errors.Is(err, plugins.ErrSessionLost) {
			x.partly("connection-lost", "the connection went away while %s was read", spec.Name)
		} else {
			x.partly("read-failed", "%s could not be read", spec.Name)
		}
		return nil
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
			return err
		case spec.Role == plugins.RoleStartup && noStartup(text):
			x.saved = false
		case spec.Role == plugins.RoleStartup || errors.Is(err, plugins.ErrNotPermitted):
			x.partly("refused", "the device refuses %s", spec.Command)
		}
		return nil // a command that this model does not have
	}
	switch {
	case spec.Role == plugins.RoleStartup && noStartup(text):
		x.saved = false
		return nil
	case strings.TrimSpace(text) == "" && spec.Required:
		return fmt.Errorf("ios: %s: %w", spec.Command, plugins.ErrEmpty)
	case strings.TrimSpace(text) == "" && out.OK():
		if spec.Role == plugins.RoleStartup {
			x.saved = false
		}
		return nil
	case !out.OK():
		x.partly("cut", "the output of %s stops before its end was proved", spec.Command)
	case spec.Terminator != "":
		x.e.Reasons = append(x.e.Reasons, frame(spec.Name, out.Stdout)...)
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\r' && control(r) }) || strings.Contains(text, "--More--"):
		x.partly("control-bytes", "the output of %s holds what a terminal or a pager left", spec.Command)
	}
	x.e.Artefacts = append(x.e.Artefacts, plugins.Artefact{Name: spec.Name, Role: spec.Role, Bind: spec.Bind, Source: spec.Command, Data: out.Stdout})
	return nil
}

// refusedWhole reports an output that is a refusal and nothing else.
func refusedWhole(out string) (string, bool) {
	trimmed := strings.TrimSpace(out)
	first, rest, _ := strings.Cut(trimmed, "\n")
	if strings.TrimSpace(first) == "^" {
		first, _, _ = strings.Cut(rest, "\n")
	}
	return refusal(strings.TrimSpace(first))
}

// noStartup reads what "show startup-config" says where there is none.
func noStartup(text string) bool {
	low := strings.ToLower(text)
	return strings.Contains(low, "startup-config is not present") || strings.Contains(low, "non-volatile configuration memory is not present") ||
		strings.Contains(low, "no such file")
}

var (
	vtpMode     = regexp.MustCompile(`(?mi)^VTP Operating Mode\s*:\s*(\S+)`)
	policyFile  = regexp.MustCompile(`(?m)^event manager policy (\S+\.tcl)\b`)
	policyPlace = regexp.MustCompile(`(?m)^event manager directory user policy "?([^"\s]+)`)
)

// files reads what belongs to the configuration and lies beside it: the VLANs
// of a VTP server or client, and the scripts that event policies name.
func (x *exporting) files(ctx context.Context) error {
	running := ""
	for _, a := range x.e.Artefacts {
		switch a.Name {
		case runningConfig:
			running = string(a.Data)
		case "vtp":
			m := vtpMode.FindSubmatch(a.Data)
			if m == nil || strings.EqualFold(string(m[1]), "transparent") || strings.EqualFold(string(m[1]), "off") {
				continue
			}
			if err := x.file(ctx, vlanFile, flash(x.s)+vlanFile, plugins.BindModel, "the VLANs are in "+vlanFile+" alone"); err != nil {
				return err
			}
		}
	}
	place := flash(x.s)
	if m := policyPlace.FindStringSubmatch(running); m != nil {
		place = strings.TrimSuffix(m[1], "/") + "/"
	}
	for _, m := range policyFile.FindAllStringSubmatch(running, -1) {
		if err := x.file(ctx, "scripts/"+m[1], place+m[1], plugins.BindPortable, "the configuration runs the script "+m[1]); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporting) file(ctx context.Context, name, path string, bind plugins.Bind, why string) error {
	data, err := cisco.CopyFrom(ctx, x.s, path)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errors.ErrUnsupported):
		x.partly("scp-disabled", "%s, and the device does not answer SCP: configure \"ip scp server enable\"", why)
	case errors.Is(err, plugins.ErrNotPermitted):
		x.partly("scp-denied", "%s, and the login may not copy: give it privilege 15", why)
	case err != nil:
		x.partly("file-missing", "%s, and it could not be read", why)
	default:
		x.e.Artefacts = append(x.e.Artefacts, plugins.Artefact{Name: name, Role: plugins.RoleFile, Bind: bind, Source: path, Data: data})
	}
	return nil
}

// flash is the file system that a restore uses.
func flash(s plugins.Session) string {
	if f := s.Options()["flash"]; f != "" {
		return f
	}
	return "flash:"
}

// obstacles are what would stand against putting this configuration back on
// the unit it came from, as it is now.
func obstacles(running string) []plugins.Reason {
	var out []plugins.Reason
	if archivePath(running) == "" {
		out = append(out, plugins.Reason{Code: "archive-missing", Text: "the device has no configuration archive, without which there is no rollback timer: configure \"archive\" and below it \"path flash:archive\""})
	}
	if !slicesContain(statements(running), "ip scp server enable") {
		out = append(out, plugins.Reason{Code: "scp-disabled", Text: "the device does not answer SCP: configure \"ip scp server enable\""})
	}
	if _, err := deviceFile([]byte(running), ""); err != nil {
		out = append(out, plugins.Reason{Code: "not-restorable", Text: strings.TrimPrefix(err.Error(), "ios: ")})
	}
	return out
}

func slicesContain(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// archivePath is where the device keeps its archive, "" if it has none.
func archivePath(running string) string {
	in := false
	for _, l := range statements(running) {
		if !strings.HasPrefix(l, " ") {
			in = l == "archive"
		} else if p, ok := strings.CutPrefix(strings.TrimSpace(l), "path "); ok && in {
			return p
		}
	}
	return ""
}

// factoryDefault reports a running configuration in which nobody set anything:
// no users, and the name that a unit has by itself. It counts only where there
// is no startup configuration.
func factoryDefault(running string) bool {
	for _, l := range statements(running) {
		if strings.HasPrefix(l, "username ") || strings.HasPrefix(l, "enable secret ") || strings.HasPrefix(l, "router ") {
			return false
		}
		if h, ok := strings.CutPrefix(l, "hostname "); ok && h != "Router" && h != "Switch" {
			return false
		}
	}
	return true
}
