package profile

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Identify runs the declared commands. The first must match the profile's
// pattern, or the device is of another platform.
func (p *Profile) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	f := plugins.Facts{Vendor: p.info.Vendor, OS: p.os}
	for i, id := range p.identify {
		out, err := s.Run(ctx, plugins.Command{Text: id.command})
		if err != nil {
			return plugins.Facts{}, fmt.Errorf("%s: %s: %w", p.info.Name, id.command, err)
		}
		if i == 0 && !p.is.Match(out.Stdout) {
			if out.End == plugins.EndCut {
				return plugins.Facts{}, fmt.Errorf("%s: %s: the output stops: %w", p.info.Name, id.command, plugins.ErrSessionLost)
			}
			return plugins.Facts{}, fmt.Errorf("%s: %s: %w%s", p.info.Name, id.command, plugins.ErrWrongPlatform, looksLike(out.Stdout))
		}
		if p.refused(out.Stdout) {
			continue
		}
		id.read(string(out.Stdout), &f)
	}
	return f, nil
}

func (id identify) read(text string, f *plugins.Facts) {
	get := func(name string) string {
		if re := id.fields[name]; re != nil {
			if m := re.FindStringSubmatch(text); m != nil {
				return strings.TrimSpace(m[1])
			}
		}
		return ""
	}
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	set(&f.Model, get("model"))
	set(&f.OSVersion, get("version"))
	set(&f.Hostname, get("hostname"))
	if re := id.fields["serial"]; re != nil {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			if serial := strings.TrimSpace(m[1]); serial != "" && !slices.Contains(f.Serials, serial) {
				f.Serials = append(f.Serials, serial)
			}
		}
	}
	if mac := canonicalMAC(get("mac")); mac != "" && !slices.Contains(f.MACs, mac) {
		f.MACs = append(f.MACs, mac)
	}
}

// canonicalMAC writes a MAC address in lower case with colons, or "".
func canonicalMAC(s string) string {
	hex := strings.ToLower(strings.NewReplacer(".", "", ":", "", "-", "", " ", "").Replace(s))
	if len(hex) != 12 || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	parts := make([]string, 6)
	for i := range parts {
		parts[i] = hex[2*i : 2*i+2]
	}
	return strings.Join(parts, ":")
}

// looksLike names the platform that an output gives away, for the operator who
// chose the wrong profile.
func looksLike(out []byte) string {
	for _, l := range []struct{ word, name string }{
		{"JUNOS", "Junos"}, {"Arista", "Arista EOS"}, {"NX-OS", "Cisco NX-OS"}, {"IOS XR", "Cisco IOS XR"}, {"Cisco IOS", "Cisco IOS"},
		{"Comware", "Comware"}, {"FortiGate", "FortiOS"}, {"Huawei Versatile Routing", "Huawei VRP"}, {"ArubaOS-CX", "AOS-CX"},
		{"RouterOS", "RouterOS"}, {"Adaptive Security Appliance", "Cisco ASA"}, {"VyOS", "VyOS"}, {"SONiC", "SONiC"},
	} {
		if bytes.Contains(out, []byte(l.word)) {
			return ": it looks like " + l.name
		}
	}
	return ""
}

// refused reports an output that begins with the platform's refusal.
func (p *Profile) refused(out []byte) bool {
	if p.refusal == nil {
		return false
	}
	n := 0
	for line := range bytes.Lines(out) {
		line = bytes.TrimRight(line, " \r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if p.refusal.Match(line) {
			return true
		}
		if n++; n == 3 { // a caret below the command, and then the message
			return false
		}
	}
	return false
}

var noRight = regexp.MustCompile(`(?i)authori[sz]|permi(?:t|ssion)|privilege|not allowed|denied`)

// Export reads the declared artefacts in order.
func (p *Profile) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	e := &plugins.Export{Verdict: plugins.Complete, NoRestore: []plugins.Reason{{
		Code: "export-only", Text: "a profile reads only: put this back by hand, or with the vendor's tools",
	}}}
	for i, spec := range p.info.Artefacts {
		out, err := s.Run(ctx, plugins.Command{Text: spec.Command})
		switch {
		case err == nil:
		case ctx.Err() != nil || len(e.Artefacts) == 0:
			return nil, fmt.Errorf("%s: %s: %w", p.info.Name, spec.Command, err)
		case errors.Is(err, plugins.ErrSessionLost):
			e.Reasons = append(e.Reasons, plugins.Reason{Code: "connection-lost", Text: "the connection went away while " + spec.Name + " was read"})
			continue
		default:
			e.Reasons = append(e.Reasons, plugins.Reason{Code: "read-failed", Text: spec.Name + " could not be read"})
			continue
		}
		failed := out.Exit != nil && *out.Exit != 0
		empty := len(bytes.TrimSpace(out.Stdout)) == 0
		if failed || empty && !spec.Required || p.refused(out.Stdout) {
			switch {
			case spec.Required && noRight.Match(append(out.Stdout, out.Stderr...)):
				return nil, fmt.Errorf("%s: %s: %w", p.info.Name, spec.Command, plugins.ErrNotPermitted)
			case spec.Required:
				return nil, fmt.Errorf("%s: the device refuses %s", p.info.Name, spec.Command)
			case out.End == plugins.EndCut:
				e.Reasons = append(e.Reasons, cutReason(spec))
			case noRight.Match(out.Stdout):
				e.Reasons = append(e.Reasons, plugins.Reason{Code: "refused", Text: "the device does not let this login run " + spec.Command})
			}
			continue // this model or release does not have it
		}
		if empty {
			return nil, fmt.Errorf("%s: %s: %w", p.info.Name, spec.Command, plugins.ErrEmpty)
		}
		if out.End == plugins.EndCut {
			e.Reasons = append(e.Reasons, cutReason(spec))
		} else if why := p.incomplete(i, out.Stdout); why != "" {
			e.Reasons = append(e.Reasons, plugins.Reason{Code: "unfinished", Text: spec.Name + " " + why})
		} else if p.rules[i].twice {
			e.Reasons = append(e.Reasons, p.again(ctx, s, spec, out.Stdout)...)
		}
		e.Artefacts = append(e.Artefacts, plugins.Artefact{
			Name: spec.Name, Role: spec.Role, Bind: spec.Bind, Source: spec.Command, Data: out.Stdout,
		})
	}
	if len(e.Reasons) > 0 {
		e.Verdict = plugins.Partial
	}
	return e, nil
}

func cutReason(spec plugins.ArtefactSpec) plugins.Reason {
	return plugins.Reason{Code: "cut", Text: "the output of " + spec.Command + " stops before its end was proved"}
}

// again reads an artefact that has no end of its own a second time.
func (p *Profile) again(ctx context.Context, s plugins.Session, spec plugins.ArtefactSpec, first []byte) []plugins.Reason {
	out, err := s.Run(ctx, plugins.Command{Text: spec.Command})
	switch {
	case err != nil || out.End == plugins.EndCut:
		return []plugins.Reason{cutReason(spec)}
	case !bytes.Equal(p.text.Significant(spec.Name, first), p.text.Significant(spec.Name, out.Stdout)):
		return []plugins.Reason{{Code: "unstable", Text: spec.Name + " was not the same when it was read again"}}
	}
	return nil
}

// incomplete says why an artefact that ended in order is not whole, or "".
func (p *Profile) incomplete(i int, data []byte) string {
	r, name := p.rules[i], p.info.Artefacts[i].Name
	if r.first != nil {
		first, _, _ := bytes.Cut(bytes.TrimLeft(data, " \t\r\n"), []byte("\n"))
		if !r.first.Match(first) {
			return "does not begin as it should"
		}
	}
	last := bytes.TrimRight(p.text.Significant(name, data), " \t\r\n")
	last = last[bytes.LastIndexByte(last, '\n')+1:]
	if r.terminator != nil && !r.terminator.Match(last) {
		return "does not end as it should"
	}
	for _, re := range r.contains {
		if !re.Match(data) {
			return "lacks what every configuration of the platform has: " + re.String()
		}
	}
	switch r.whole {
	case wholeJSON:
		if !json.Valid(data) {
			return "is not whole JSON"
		}
	case wholeXML:
		if !closedXML(data) {
			return "is not whole XML"
		}
	case wholeBraces:
		if !balanced(data) {
			return "has braces that are not closed"
		}
	case wholeBlocks:
		if !blocks(data) {
			return "has blocks that are not ended"
		}
	}
	return ""
}

func closedXML(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	elements := 0
	for {
		t, err := d.Token()
		if err == io.EOF {
			return elements > 0
		}
		if err != nil {
			return false
		}
		if _, ok := t.(xml.StartElement); ok {
			elements++
		}
	}
}

// balanced counts braces outside of double quotes and of comments to the end
// of the line.
func balanced(data []byte) bool {
	depth, opened := 0, false
	for line := range bytes.Lines(data) {
		quoted := false
		for i := 0; i < len(line); i++ {
			switch c := line[i]; {
			case c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '#':
				i = len(line)
			case c == '{':
				depth++
				opened = true
			case c == '}':
				if depth--; depth < 0 {
					return false
				}
			}
		}
	}
	return opened && depth == 0
}

// blocks follows FortiOS's nesting. Quoted values run over lines.
func blocks(data []byte) bool {
	var open []string
	quoted, any := false, false
	for line := range strings.Lines(string(data)) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !quoted {
			switch word {
			case "config", "edit":
				open, any = append(open, word), true
			case "end", "next":
				want := map[string]string{"end": "config", "next": "edit"}[word]
				if len(open) == 0 || open[len(open)-1] != want {
					return false
				}
				open = open[:len(open)-1]
			}
		}
		for i := 0; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case '"':
				quoted = !quoted
			}
		}
	}
	return any && !quoted && len(open) == 0
}
