package vault

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// formatVersion is the version of every signed text and of vault.json.
const formatVersion = 1

// header is how every signed text begins.
func header(kind, vault string) string {
	return "cfgvault " + kind + "\nversion " + strconv.Itoa(formatVersion) + "\nvault " + vault + "\n"
}

// reader takes a signed text apart line by line. The first error sticks. The
// texts have one spelling only: who parses one writes it again and compares.
type reader struct {
	rest string
	line int
	err  error
}

func (r *reader) fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("line %d: %s", r.line, fmt.Sprintf(format, a...))
	}
}

func (r *reader) next() string {
	if r.err != nil {
		return ""
	}
	r.line++
	line, rest, ok := strings.Cut(r.rest, "\n")
	if !ok {
		r.fail("text ends early")
		return ""
	}
	r.rest = rest
	return line
}

// field reads a line "name value" and returns the value.
func (r *reader) field(name string) string {
	line := r.next()
	value, ok := strings.CutPrefix(line, name+" ")
	if !ok {
		r.fail("want %q", name)
	}
	return value
}

func (r *reader) header(kind string) (vault string) {
	if got := r.field("cfgvault"); r.err == nil && got != kind {
		r.fail("is a %q, want a %q", got, kind)
	}
	if n := r.number("version"); r.err == nil && n != formatVersion {
		r.fail("format version %d; this program knows version %d", n, formatVersion)
	}
	return r.field("vault")
}

func (r *reader) number(name string) int {
	n, err := strconv.Atoi(r.field(name))
	if err != nil || n < 0 {
		r.fail("%s is not a number", name)
		return 0
	}
	return n
}

func (r *reader) time(name string) time.Time {
	s := r.field(name)
	if s == "none" || r.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(recordTime, s)
	if err != nil {
		r.fail("%s is not a time", name)
	}
	return t
}

// more reports whether the next line begins with the word name.
func (r *reader) more(name string) bool {
	return r.err == nil && strings.HasPrefix(r.rest, name+" ")
}

func (r *reader) end() error {
	if r.err == nil && r.rest != "" {
		r.line++
		r.fail("text goes on")
	}
	return r.err
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.UTC().Format(recordTime)
}
