package vyos

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// body returns what a command printed without the empty lines around it and
// the "[edit]" of configuration mode, ended by one newline.
func body(out string) string {
	lines := strings.Split(out, "\n")
	empty := func(l string) bool { t := strings.TrimSpace(l); return t == "" || editLine.MatchString(t) }
	for len(lines) > 0 && empty(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && empty(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

var (
	editLine   = regexp.MustCompile(`^\[edit[^\]]*\]$`)
	versions   = regexp.MustCompile(`(?m)^(?:// vyos-config-version: "|/\* === vyatta-config-version: ")`)
	release    = regexp.MustCompile(`^(?://|/\*) Release version: \S`)
	promptLine = regexp.MustCompile(`(?m)^(?:[\w.-]+@[\w.-]+(?::[~/]\S*\$|[>#])|[\w.-]+[>#]) ?$`)
)

// frame checks that a configuration is whole and is one. It returns why not.
func frame(name, text string, footer bool) []plugins.Reason {
	var reasons []plugins.Reason
	add := func(code, format string, args ...any) {
		reasons = append(reasons, plugins.Reason{Code: code, Text: name + " " + fmt.Sprintf(format, args...)})
	}
	d := syntax.ParseBraces(text, braces())
	count := 0
	last := ""
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Blank {
			last = strings.TrimSpace(l.Body)
		}
		if l.Kind != syntax.Statement {
			continue
		}
		count++
		// Outside all blocks there are blocks and nothing else.
		if l.Parent == syntax.None && !l.Block {
			add("stray-line", "has a line outside all blocks, line %d", l.Number)
			break
		}
	}
	if n := d.Broken(); n > 0 {
		add("no-end", "has braces that do not match, from line %d on", n)
	}
	if count == 0 {
		add("no-statements", "holds no statement")
	}
	if !footer {
		return reasons
	}
	if len(versions.FindAllString(text, -1)) != 1 || !release.MatchString(last) {
		add("no-footer", "does not end with the footer that names its versions")
	}
	return reasons
}

// footerOf is the part of a saved configuration from its warning on.
func footerOf(text string) string {
	d := syntax.ParseBraces(text, braces())
	var b strings.Builder
	for i := range d.Lines {
		if l := &d.Lines[i]; l.Kind == syntax.Comment && l.Parent == syntax.None && footerLine.MatchString(strings.TrimSpace(l.Body)) {
			b.WriteString(l.Body + "\n")
		}
	}
	return b.String()
}

var footerLine = regexp.MustCompile(`^(?://|/\*) (?:Warning: Do not remove|(?:=== )?(?:vyos|vyatta)-config-version: |Release version: )`)

// equal compares what two configurations say, whatever their comments.
func equal(a, b string) bool {
	say := func(text string) string {
		d := syntax.ParseBraces(text, braces())
		var out strings.Builder
		for i := range d.Lines {
			if l := &d.Lines[i]; l.Kind == syntax.Statement || l.Kind == syntax.Close || l.Kind == syntax.Text {
				out.WriteString(strings.TrimSpace(l.Body) + "\n")
			}
		}
		return out.String()
	}
	return say(a) == say(b)
}

// refusalLine matches what VyOS, or its shell, says when it does not do what it
// was told.
var refusalLine = regexp.MustCompile(`^(?:Invalid command: .*|Configuration path: .*(?:is not valid|is ambiguous|requires a value|already exists).*|.*\bis not valid$|Set failed|Value validation failed.*|` +
	`Commit failed|\[\[.*\]\] failed|(?:delete|set) \[ .* \] failed|Cannot (?:load|exit|merge): .*|No such (?:config )?file .*|Configuration system temporarily locked .*|Failed to .*|Another confirm is pending|` +
	`Ambiguous command: .*|Incomplete command: .*|You do not have permission.*|Permission denied.*|(?:-?v?bash|cat|rm|mv|ls|sha256sum|find|base64|cp|sudo): .*)$`)

func refusal(out string) (text string, refused bool) {
	for l := range strings.Lines(out) {
		if l = strings.TrimSpace(l); refusalLine.MatchString(l) {
			return l, true
		}
	}
	return "", false
}

// refusedError says what a refusal means for the agent.
func refusedError(step, out string) error {
	low := strings.ToLower(out)
	for _, m := range []struct {
		part string
		err  error
	}{
		{"permission", plugins.ErrNotPermitted},
		{"another confirm is pending", plugins.ErrBusy},
		{"another commit in progress", plugins.ErrBusy},
		{"configuration modified", plugins.ErrBusy},
	} {
		if strings.Contains(low, m.part) {
			return fmt.Errorf("vyos: %s: %w", step, m.err)
		}
	}
	text, _ := refusal(out)
	return fmt.Errorf("vyos: %s: %w", step, &plugins.RejectedError{Artefact: runningConfig, Text: text})
}
