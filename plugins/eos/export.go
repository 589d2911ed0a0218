package eos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// The artefacts that a restore knows by name.
const (
	runningConfig = "running-config"
	startupConfig = "startup-config"
)

// Export reads the declared artefacts in order. The running configuration must
// be there and whole; a switch without a startup configuration has simply never
// been saved.
func (d driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	e := &plugins.Export{Verdict: plugins.Complete}
	saved := true
	for _, spec := range d.Info().Artefacts {
		if spec.Command == "" {
			continue
		}
		out, err := s.Run(ctx, plugins.Command{Text: spec.Command})
		if err != nil {
			if ctx.Err() != nil || len(e.Artefacts) == 0 {
				return nil, fmt.Errorf("eos: %s: %w", spec.Command, err)
			}
			reason := plugins.Reason{Code: "read-failed", Text: spec.Name + " could not be read"}
			if errors.Is(err, plugins.ErrSessionLost) {
				reason = plugins.Reason{Code: "connection-lost", Text: "the connection went away while " + spec.Name + " was read"}
			}
			e.Reasons = append(e.Reasons, reason)
			continue
		}
		if text, refused := refusedWhole(out.Stdout); refused {
			err := refusedError(spec.Command, text)
			switch {
			case spec.Required:
				return nil, err
			case spec.Role == plugins.RoleStartup && noStartup(text):
				saved = false
			case spec.Role == plugins.RoleStartup || errors.Is(err, plugins.ErrNotPermitted):
				e.Reasons = append(e.Reasons, plugins.Reason{Code: "refused", Text: "the switch refuses " + spec.Command})
			}
			continue
		}
		if len(strings.TrimSpace(string(out.Stdout))) == 0 {
			switch {
			case spec.Required:
				return nil, fmt.Errorf("eos: %s: %w", spec.Command, plugins.ErrEmpty)
			case out.OK() && spec.Role == plugins.RoleStartup:
				saved = false
				continue
			}
		}
		if !out.OK() {
			e.Reasons = append(e.Reasons, plugins.Reason{Code: "cut", Text: "the output of " + spec.Command + " stops before its end was proved"})
		} else if spec.Terminator != "" {
			e.Reasons = append(e.Reasons, frame(spec.Name, out.Stdout)...)
		}
		e.Artefacts = append(e.Artefacts, plugins.Artefact{
			Name: spec.Name, Role: spec.Role, Bind: spec.Bind, Source: spec.Command, Data: out.Stdout,
		})
	}
	if err := ports(ctx, s, e); err != nil {
		return nil, err
	}
	if err := plugins.KeepFirmware(ctx, s, e, "show version", firmwareLine, image(s, e)); err != nil {
		return nil, fmt.Errorf("eos: show version: %w", err)
	}
	if len(e.Reasons) > 0 {
		e.Verdict = plugins.Partial
	}
	e.FactoryDefault = !saved && factoryDefault(e.Artefacts[0].Data)
	return e, nil
}

var (
	firmwareLine = regexp.MustCompile(`^(?:Software image version|Architecture|Internal build version|Internal build ID|Image (?:format|optimization)[^:]*):`)
	bootImage    = regexp.MustCompile(`(?m)^Software image:[ \t]*(flash:\S+)`)
)

// image asks for the digest of the image that the switch boots, if the device's
// options say so.
func image(s plugins.Session, e *plugins.Export) func(string) (command, kind, name string) {
	if s.Options()[plugins.OptImageHash] != "sha512" {
		return nil
	}
	return func(string) (command, kind, name string) {
		for _, a := range e.Artefacts {
			if m := bootImage.FindSubmatch(a.Data); a.Name == "boot-config" && m != nil {
				return "verify /sha512 " + string(m[1]), "sha512", string(m[1])
			}
		}
		return "", "", ""
	}
}

// refusedWhole reports an output that is a refusal and nothing else. A
// refusal within a configuration is another matter, found by frame.
func refusedWhole(out []byte) (string, bool) {
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return refusal(first)
}

// noStartup reads the refusal of "show startup-config" where there is none.
// The sentence is unconfirmed; the file system's own words are not.
func noStartup(text string) bool {
	low := strings.ToLower(text)
	return strings.Contains(low, "no such file") || strings.Contains(low, "not found") || strings.Contains(low, "does not exist")
}

// factoryLine matches what a unit shows before anybody configured it: defaults
// that are always printed and what Zero Touch Provisioning sets on the ports.
var factoryLine = regexp.MustCompile(`^(?:no aaa root|no ip routing|spanning-tree mode \S+|transceiver qsfp default-mode \S+|` +
	`switchport default mode \S+|service routing protocols model \S+|hostname localhost|logging (?:console|level) .*|` +
	`username admin (?:privilege \d+ )?role \S+ nopassword|interface (?:Ethernet|Management)\S+|banner login|EOF|control-plane|` +
	`\s+(?:no service-policy input copp-system-policy|speed \S.*|no switchport|ipv6 .*|ip address dhcp))$`)

// factoryDefault reports a running configuration in which nothing was set. It
// counts only where there is no startup configuration.
func factoryDefault(running []byte) bool {
	lines, _ := split(running)
	zeroTouch := strings.Contains(string(running), "Zero Touch Provisioning")
	for _, l := range lines {
		switch {
		case l.free && zeroTouch, l.text == "", l.text == "end", comment(l.text), factoryLine.MatchString(l.text):
		default:
			return false
		}
	}
	return true
}
