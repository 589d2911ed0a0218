package inventory

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrConfig marks every fault of the file or of a value meant for it: the
	// command ends with status 2.
	ErrConfig = errors.New("the inventory is not valid")
	// ErrNoDevice marks the name of a device that is not there.
	ErrNoDevice = errors.New("no device")
	// ErrNoGroup marks the name of a group that is not there.
	ErrNoGroup = errors.New("no group")
	// ErrExists marks a name or an id that is taken.
	ErrExists = errors.New("already in the inventory")
	// ErrConflict marks a value that another command changed between Load and
	// Save. Nothing was written; running the command again is safe.
	ErrConflict = errors.New("changed by another command at the same time")
	// ErrCredential marks a reference that gives no secret. It matches
	// ErrConfig too.
	ErrCredential = errors.New("credential not available")
)

// Error is one fault with its place. It matches ErrConfig. It never holds a
// value from a credential.
type Error struct {
	File   string
	Line   int // from 1; 0 if the fault has no line
	Column int // from 1, in characters; 0 if the fault has no column
	Text   string
	Hint   string // what to do; may be empty
}

// Error gives "file:line:column: text (hint)".
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
			if e.Column > 0 {
				fmt.Fprintf(&b, ":%d", e.Column)
			}
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Text)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Is reports that every Error is an ErrConfig.
func (e *Error) Is(target error) bool { return target == ErrConfig }

// fault is an Error without a place yet.
func fault(hint, format string, args ...any) *Error {
	return &Error{Text: fmt.Sprintf(format, args...), Hint: hint}
}

// didYouMean gives ": did you mean X?" for the nearest of have, or "".
func didYouMean(name string, have []string) string {
	if n := nearest(name, have); n != "" {
		return fmt.Sprintf(": did you mean %s?", n)
	}
	return ""
}

// nearest returns the one of have that name is most probably a misspelling of,
// or "": at most a third of the letters may differ, a swap of neighbours
// counting once.
func nearest(name string, have []string) string {
	best, at := "", max(1, len(name)/3)+1
	low := strings.ToLower(name)
	for _, h := range have {
		if abs(len(h)-len(name)) >= at {
			continue
		}
		if d := distance(low, strings.ToLower(h)); d < at {
			best, at = h, d
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// distance is the optimal string alignment distance of two short strings.
func distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
