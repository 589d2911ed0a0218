package eos

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// line is one line of a configuration.
type line struct {
	number int // from 1
	text   string
	free   bool // text of a banner or script, or the EOF that ends it
}

// heredoc matches the statements that text up to a line "EOF" follows.
var heredoc = regexp.MustCompile(`^\s*(?:banner (?:login|motd|exec)|action bash|comment)$`)

// split cuts a configuration into lines. open reports that it stops within
// free text.
func split(text []byte) (lines []line, open bool) {
	for l := range bytes.Lines(text) {
		t := strings.TrimRight(string(l), "\r\n")
		lines = append(lines, line{len(lines) + 1, t, open})
		switch {
		case open && strings.TrimSpace(t) == "EOF":
			open = false
		case !open && heredoc.MatchString(t):
			open = true
		}
	}
	return lines, open
}

// frame checks that a configuration is whole and is one: the header that the
// command prints, "end" as the last line, nothing that a pager or a refusal
// left between them. It returns why not.
func frame(name string, text []byte) []plugins.Reason {
	var reasons []plugins.Reason
	add := func(code, format string, args ...any) {
		reasons = append(reasons, plugins.Reason{Code: code, Text: name + " " + fmt.Sprintf(format, args...)})
	}
	lines, open := split(text)
	last := line{}
	header := false
	for _, l := range lines {
		header = header || !l.free && strings.HasPrefix(l.text, "! device: ") && l.number <= 4
		switch {
		case strings.ContainsFunc(l.text, control):
			add("control-bytes", "line %d holds control characters", l.number)
		case strings.Contains(l.text, "--More--"):
			add("pager-left", "line %d is a pager's", l.number)
		case !l.free && strings.HasPrefix(l.text, "% "):
			add("refused", "line %d is a refusal", l.number)
		case !l.free && last.text == "end" && l.text != "":
			add("after-end", "goes on after its end, in line %d", l.number)
		}
		if l.text != "" {
			last = l
		}
	}
	if !header {
		add("no-header", "does not begin with the line that names the device")
	}
	if open || last.free || last.text != "end" {
		add("no-end", "stops after %d lines, without its last line", len(lines))
	}
	return reasons
}

// control reports characters that a configuration does not have and that a
// terminal would act on when they are pasted.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// statements returns the lines that configure something, without their
// numbers. Comments are dropped; free text is kept as it is.
func statements(text []byte) []string {
	lines, _ := split(text)
	var out []string
	for _, l := range lines {
		t := strings.TrimRight(l.text, " ")
		if !l.free && (t == "" || t == "end" || comment(t)) {
			continue
		}
		out = append(out, t)
	}
	return out
}

// comment reports "!" and "! text", which separate blocks; "!! text" is kept
// by the switch with the block it stands in.
func comment(t string) bool {
	t = strings.TrimLeft(t, " ")
	return strings.HasPrefix(t, "!") && !strings.HasPrefix(t, "!!")
}

// equal compares two configurations as the switch prints them, without their
// comments.
func equal(a, b string) bool { return slices.Equal(statements([]byte(a)), statements([]byte(b))) }

// missing returns the lines of want that have does not contain in the same
// block.
func missing(want []byte, have string) []line {
	counts := map[string]int{}
	lines, _ := split([]byte(have))
	for path := range withPath(lines) {
		counts[path]++
	}
	var gone []line
	lines, _ = split(want)
	for path, l := range withPath(lines) {
		if counts[path]--; counts[path] < 0 {
			gone = append(gone, l)
		}
	}
	return gone
}

// withPath yields each statement under the headings of its block, in order.
func withPath(lines []line) func(yield func(string, line) bool) {
	return func(yield func(string, line) bool) {
		var open []string
		for _, l := range lines {
			t := strings.TrimRight(l.text, " ")
			path := ""
			if l.free {
				path = strings.Join(open, "\n") + "\n" + t
			} else {
				if t == "" || t == "end" || comment(t) {
					continue
				}
				depth := (len(t) - len(strings.TrimLeft(t, " "))) / 3
				open = append(open[:min(depth, len(open))], strings.TrimLeft(t, " "))
				path = strings.Join(open, "\n")
			}
			if !yield(path, l) {
				return
			}
		}
	}
}

// refusal returns the first line by which the switch refuses a command. All
// such lines begin with "% ".
func refusal(out string) (text string, refused bool) {
	for l := range strings.Lines(out) {
		if strings.HasPrefix(l, "% ") {
			return strings.TrimRight(l, "\r\n"), true
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
		{"privileged mode required", plugins.ErrNotPermitted},
		{"authorization denied", plugins.ErrNotPermitted},
		{"not authorized", plugins.ErrNotPermitted},
		{"permission denied", plugins.ErrNotPermitted},
		{"pending commit timer", plugins.ErrBusy},
		{"pendingcommittimer", plugins.ErrBusy},
		{"maximum number of pending sessions", plugins.ErrBusy},
		{"locked by", plugins.ErrBusy},
	} {
		if strings.Contains(low, m.part) {
			return fmt.Errorf("eos: %s: %w", step, m.err)
		}
	}
	return fmt.Errorf("eos: %s: %w", step, &plugins.RejectedError{Artefact: runningConfig, Text: text})
}
