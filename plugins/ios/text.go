package ios

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// etx is the delimiter of banners inside a device; a listing shows it as "^C".
const etx = "\x03"

// frame checks that a configuration is whole and is one: "end" as the last
// statement, nothing that a pager or a refusal left. It returns why not.
func frame(name string, text []byte) []plugins.Reason {
	var reasons []plugins.Reason
	add := func(code, format string, args ...any) {
		reasons = append(reasons, plugins.Reason{Code: code, Text: name + " " + fmt.Sprintf(format, args...)})
	}
	d := parseConfig(string(text))
	last, release := "", false
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind == syntax.Blank {
			continue
		}
		if strings.ContainsFunc(l.Body, control) {
			add("control-bytes", "line %d holds control characters", l.Number)
		}
		if strings.Contains(l.Body, "--More--") {
			add("pager-left", "line %d is a pager's", l.Number)
		}
		if l.Kind != syntax.Statement {
			continue
		}
		switch {
		case last == "end":
			add("after-end", "goes on after its end, in line %d", l.Number)
		case l.Indent == 0 && strings.HasPrefix(l.Body, "%"):
			add("refused", "line %d is a refusal", l.Number)
		case l.Open:
			add("no-end", "stops within the text that begins in line %d", l.Number)
		}
		release = release || strings.HasPrefix(l.Body, "version ")
		last = strings.TrimRight(l.Body, " ")
	}
	if !release {
		add("no-version", "does not name the release that wrote it")
	}
	if last != "end" && !slices.ContainsFunc(reasons, func(r plugins.Reason) bool { return r.Code == "no-end" }) {
		add("no-end", "stops after %d lines, without its last line", len(d.Lines))
	}
	return reasons
}

// control reports characters that a listing does not have.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// statements returns what a text configures, with its indentation: no
// comments, no lines of the listing, no identity of the unit.
func statements(text string) []string {
	d := parseConfig(text)
	var out []string
	for i := range d.Lines {
		l := &d.Lines[i]
		t := strings.TrimRight(l.Body, " ")
		if l.Kind == syntax.Statement && (t == "end" || listing.MatchString(t)) || l.Kind == syntax.Comment || l.Kind == syntax.Blank {
			continue
		}
		out = append(out, strings.ReplaceAll(t, etx, "^C"))
	}
	return out
}

var listing = regexp.MustCompile(`^(?:Building configuration\.\.\.|Current configuration : .*|Using \d+ out of .*|ntp clock-period .*|license udi .*)$`)

// equal compares two configurations without what is no configuration.
func equal(a, b string) bool { return slices.Equal(statements(a), statements(b)) }

// deviceFile makes the file that a device reads from a listing: without what
// only a listing has, with the delimiter of banners as the device keeps it, and
// with the unit's own identity.
func deviceFile(text []byte, identity string) ([]byte, error) {
	d := parseConfig(string(text))
	var b strings.Builder
	version, ended := false, false
	for i := range d.Lines {
		l := &d.Lines[i]
		t := strings.TrimRight(l.Body, " ")
		if ended {
			if l.Kind != syntax.Blank {
				return nil, reject(l.Number, "the text goes on after its end")
			}
			continue
		}
		switch {
		case l.Kind == syntax.Blank && b.Len() == 0:
			continue
		case l.Kind == syntax.Statement && l.Open:
			return nil, reject(l.Number, "the text that begins here has no end")
		case l.Kind == syntax.Statement && strings.HasPrefix(t, "license udi "):
			if identity != "" {
				b.WriteString(identity + "\n")
			}
			continue
		case l.Kind == syntax.Statement && l.Indent == 0 && listing.MatchString(t):
			continue
		case l.Kind == syntax.Statement && strings.HasPrefix(t, "version "):
			version = true
		case l.Kind == syntax.Statement && t == "end":
			ended = true
		}
		line := l.Body
		if l.Kind == syntax.Statement && bannerLine.MatchString(line) {
			if u := syntax.DelimitedBanner(line, syntax.Words(nil, line)); u != nil && u.Mark == "^C" {
				line = line[:u.From-2] + etx + strings.Replace(line[u.From:], "^C", etx, 1)
			}
		}
		if (l.Kind == syntax.Text || l.Kind == syntax.TextEnd) && i+1 == d.Lines[l.Parent].Next && strings.HasPrefix(strings.TrimLeft(d.Lines[l.Parent].Body, " "), "banner ") {
			line = strings.Replace(line, "^C", etx, 1)
		}
		if before, rest, ok := strings.Cut(line, etx); ok && strings.HasPrefix(strings.TrimLeft(d.Lines[max(l.Parent, 0)].Body, " "), "banner ") && l.Kind != syntax.Statement && strings.TrimSpace(rest) != "" {
			return nil, reject(l.Number, "the banner that ends here after "+fmt.Sprint(len(before))+" characters goes on: its text has the delimiter in it")
		}
		b.WriteString(line + "\n")
	}
	if !version || !ended {
		return nil, reject(len(d.Lines), "the text does not name a release, or does not end with \"end\": it may be cut")
	}
	return []byte(b.String()), nil
}

var bannerLine = regexp.MustCompile(`^banner \S+ `)

func reject(line int, text string) error {
	return fmt.Errorf("ios: %s: %w", text, &plugins.RejectedError{Artefact: runningConfig, Line: line, Text: text})
}

// refusal returns the first line by which IOS refuses a command.
func refusal(out string) (text string, refused bool) {
	for l := range strings.Lines(out) {
		l = strings.TrimRight(l, "\r\n")
		if strings.HasPrefix(l, "%") && len(l) > 1 || strings.HasPrefix(l, "Command authorization failed") || strings.HasPrefix(l, "Configuration mode is locked") {
			return l, true
		}
	}
	return "", false
}

// refusedError says what a refusal means for the agent. Wordings in which a
// recording shows only a part are matched by that part.
func refusedError(step, text string) error {
	low := strings.ToLower(text)
	for _, m := range []struct {
		part string
		err  error
	}{
		{"authorization failed", plugins.ErrNotPermitted},
		{"not authorized", plugins.ErrNotPermitted},
		{"permission denied", plugins.ErrNotPermitted},
		{"locked by", plugins.ErrBusy},
		{"already pending", plugins.ErrBusy},
	} {
		if strings.Contains(low, m.part) {
			return fmt.Errorf("ios: %s: %w", step, m.err)
		}
	}
	return fmt.Errorf("ios: %s: %w", step, &plugins.RejectedError{Artefact: runningConfig, Text: text})
}
