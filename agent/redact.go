package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/plugins"
)

// Diff is the unified diff of one artefact with its secrets hidden. A line
// that differs only in a secret is still shown as changed. It is empty if the
// texts are equal.
func Diff(text *plugins.Text, artefact, from, to string, a, b []byte) string {
	if bytes.Equal(a, b) {
		return ""
	}
	if bytes.IndexByte(a, 0) >= 0 || bytes.IndexByte(b, 0) >= 0 {
		return fmt.Sprintf("--- %s\n+++ %s\nbinary contents differ: %d and %d bytes\n", from, to, len(a), len(b))
	}
	return unmark(udiff.Unified(from, to, mark(text, artefact, a), mark(text, artefact, b)))
}

// mark hides secrets line by line and appends to each hidden line a mark that
// tells different secrets apart, so that hiding comes before comparing: the
// lines of a key in the middle of a hunk have no beginning to recognise them by.
func mark(text *plugins.Text, artefact string, data []byte) string {
	raw := string(data)
	hidden := text.Redact(artefact, raw)
	var b strings.Builder
	for line := range strings.Lines(raw) {
		var shown string
		shown, hidden = cutLine(hidden)
		if shown == line {
			b.WriteString(line)
			continue
		}
		sum := sha256.Sum256([]byte(line))
		body := strings.TrimRight(shown, "\r\n")
		b.WriteString(body + "\x00" + hex.EncodeToString(sum[:16]) + shown[len(body):])
	}
	return b.String()
}

func cutLine(s string) (line, rest string) {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return s[:i+1], s[i+1:]
	}
	return s, ""
}

// unmark removes the marks.
func unmark(s string) string {
	const digits = 32
	var b strings.Builder
	for {
		i := strings.IndexByte(s, 0)
		if i < 0 || len(s) < i+1+digits {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i+1+digits:]
	}
}

// scrubber hides secrets in text that a device or driver made of artefacts:
// a diff, a message. Beside the driver's rules it knows every line that holds
// a secret in the artefacts at hand.
type scrubber struct {
	text  *plugins.Text
	lines map[string]string // without indentation: raw to hidden
}

func newScrubber(text *plugins.Text, sets ...[]plugins.Artefact) *scrubber {
	s := &scrubber{text, map[string]string{}}
	for _, set := range sets {
		for _, a := range set {
			if bytes.IndexByte(a.Data, 0) >= 0 {
				continue
			}
			raw := string(a.Data)
			hidden := text.Redact(a.Name, raw)
			for line := range strings.Lines(raw) {
				var shown string
				shown, hidden = cutLine(hidden)
				if shown != line {
					s.lines[strings.TrimSpace(line)] = strings.TrimSpace(shown)
				}
			}
		}
	}
	return s
}

// scrub hides what it knows, line by line. The sign by which a diff begins a
// line is not part of what the rules look at: they would not find the end of a
// key or of a certificate behind it.
func (s *scrubber) scrub(text string) string {
	var signs []string
	var b strings.Builder
	for line := range strings.Lines(text) {
		body := strings.TrimSpace(strings.TrimLeft(line, "+-<>!| \t"))
		if hidden, ok := s.lines[body]; ok && body != "" {
			line = strings.Replace(line, body, hidden, 1)
		} else if hidden, ok := s.lines[strings.TrimSpace(line)]; ok {
			line = strings.Replace(line, strings.TrimSpace(line), hidden, 1)
		}
		sign, rest := diffSign(line)
		signs = append(signs, sign)
		b.WriteString(rest)
	}
	bodies := s.text.Redact("", b.String())
	b.Reset()
	for _, sign := range signs {
		var line string
		line, bodies = cutLine(bodies)
		b.WriteString(sign + line)
	}
	return b.String()
}

// diffSign cuts the sign of a diff off a line. The dashes of a PEM header are
// none.
func diffSign(line string) (sign, rest string) {
	if line == "" || strings.IndexByte("+-", line[0]) < 0 || strings.HasPrefix(line, "-----BEGIN ") || strings.HasPrefix(line, "-----END ") {
		return "", line
	}
	return line[:1], line[1:]
}
