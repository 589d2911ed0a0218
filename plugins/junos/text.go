package junos

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// memberLine is what a unit with several members or routing engines prints
// before each prompt, and "[edit]" what configuration mode does.
var memberLine = regexp.MustCompile(`^(?:\{[a-z]+(?::(?:node)?\d+)?\}(?:\[edit[^\]]*\])?|\[edit[^\]]*\])$`)

// body returns what a command printed without the empty lines around it and
// what belongs to the next prompt, ended by one newline.
func body(out string) string {
	lines := strings.Split(out, "\n")
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 {
		last := strings.TrimSpace(lines[len(lines)-1])
		if last != "" && !memberLine.MatchString(last) {
			break
		}
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// frame checks that a configuration is whole and is one: the header, balanced
// braces, statements that end, and nothing between them that a pager, a refusal
// or a login class left. It returns why not.
func frame(name, text string) []plugins.Reason {
	var reasons []plugins.Reason
	add := func(code, format string, args ...any) {
		reasons = append(reasons, plugins.Reason{Code: code, Text: name + " " + fmt.Sprintf(format, args...)})
	}
	d := syntax.ParseBraces(text, braces())
	headers, statements := 0, 0
	for i := range d.Lines {
		l := &d.Lines[i]
		t := strings.TrimSpace(l.Body)
		switch {
		case l.Kind == syntax.Comment && headerLine.MatchString(t):
			if headers++; statements > 0 {
				add("header-within", "begins again in line %d", l.Number)
			}
		case l.Kind == syntax.Statement && l.Open:
			add("no-end", "has a statement without an end in line %d", l.Number)
		}
		if strings.Contains(l.Body, "ACCESS-DENIED") {
			add("access-denied", "line %d is hidden from this login", l.Number)
		}
		if l.Kind == syntax.Statement {
			statements++
		}
		if len(reasons) > 20 {
			break
		}
	}
	if headers != 1 {
		add("no-header", "does not begin with the line that says when it was committed")
	}
	if n := d.Broken(); n > 0 {
		add("no-end", "has braces that do not match, from line %d on", n)
	}
	if statements == 0 {
		add("no-statements", "holds no statement")
	}
	return reasons
}

var headerLine = regexp.MustCompile(`^## Last (?:commit|changed): `)

// control reports characters that a configuration does not have and that a
// terminal would act on when they are pasted.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// line is one statement of a configuration under its headings.
type line struct {
	number int
	path   string
}

// statements lists the leaves and headings of a configuration as paths.
// Comments and what a load ignores are left out.
func statements(text string) []line {
	d := parse(text)
	var out []line
	above := map[int]string{}
	var w []syntax.Word
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement {
			continue
		}
		w = words(w[:0], d.Logical(i))
		var b strings.Builder
		b.WriteString(above[l.Parent])
		if l.Inactive && (l.Parent == syntax.None || !d.Lines[l.Parent].Inactive) {
			b.WriteString("inactive: ")
		}
		for _, word := range w {
			b.WriteString(word.Text)
			b.WriteByte(' ')
		}
		path := b.String()
		if l.Block && len(path) < 4096 {
			above[i] = path
		}
		if len(w) > 0 && !(l.Parent == syntax.None && w[0].Text == "version") {
			out = append(out, line{l.Number, path})
		}
	}
	return out
}

// missing returns the statements of want that have does not hold.
func missing(want, have string) []line {
	counts := map[string]int{}
	for _, l := range statements(have) {
		counts[l.path]++
	}
	var gone []line
	for _, l := range statements(want) {
		if counts[l.path]--; counts[l.path] < 0 {
			gone = append(gone, l)
		}
	}
	return gone
}

// refusals are lines by which Junos refuses a command or a text. They stand at
// the beginning of a line, but for those of a load, which name the place first.
var refusalLine = regexp.MustCompile(`^(?:error: .*|unknown command\.|syntax error.*|missing argument\.|missing mandatory argument.*|No valid completions|'.*' is ambiguous\.|permission denied\.?|\S+:\d+:\(\d+\) .*|.*: permission denied\.?)$`)

func refusal(out string) (text string, refused bool) {
	for l := range strings.Lines(out) {
		if l = strings.TrimSpace(l); refusalLine.MatchString(l) {
			return l, true
		}
	}
	return "", false
}

// refusedError says what a refusal means for the agent. The whole output is
// looked at: who holds the lock stands on lines of its own.
func refusedError(step, out string) error {
	low := strings.ToLower(out)
	for _, m := range []struct {
		part string
		err  error
	}{
		{"permission denied", plugins.ErrNotPermitted},
		{"not authorized", plugins.ErrNotPermitted},
		{"authorization denied", plugins.ErrNotPermitted},
		{"configuration database locked by", plugins.ErrBusy},
		{"configuration database modified", plugins.ErrBusy},
		{"another commit", plugins.ErrBusy},
		{"commit confirmed is pending", plugins.ErrBusy},
	} {
		if strings.Contains(low, m.part) {
			return fmt.Errorf("junos: %s: %w", step, m.err)
		}
	}
	text, _ := refusal(out)
	return fmt.Errorf("junos: %s: %w", step, &plugins.RejectedError{Artefact: configuration, Line: refusedAt(out), Text: text})
}
