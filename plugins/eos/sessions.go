package eos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// sessions is what "show configuration sessions detail" says.
type sessions struct {
	state    map[string]string // by name, in the switch's words
	armed    string            // the session whose commit timer runs, or ""
	left     time.Duration     // until it rolls back
	leftErr  error             // why left is not known; nothing but Status needs it
	merge    bool              // a commit merges with what others did meanwhile
	autosave bool              // a commit saves at once
}

const showSessions = "show configuration sessions detail"

var (
	armedLine = regexp.MustCompile(`(?m)^Session with pending commit timer: (\S+)`)
	leftLine  = regexp.MustCompile(`(?m)^Time left until commit timer expiry: (?:in )?(\S+)`)
)

// listSessions asks the switch.
func listSessions(ctx context.Context, r runner) (*sessions, error) {
	out, err := read(ctx, r, showSessions)
	if err != nil {
		return nil, err
	}
	if text, refused := refusal(out); refused {
		return nil, refusedError(showSessions, text)
	}
	l, err := parseSessions(out)
	if err != nil {
		return nil, fmt.Errorf("eos: %s: %w", showSessions, err)
	}
	return l, nil
}

// parseSessions reads either layout: newer releases name the armed session
// above the table and list it "committed"; older ones list it
// "pendingCommitTimer" with the time left in a column. The columns are where
// the dashes are, for any cell may be empty.
func parseSessions(out string) (*sessions, error) {
	l := &sessions{
		state:    map[string]string{},
		merge:    strings.Contains(out, "Merge on commit is enabled"),
		autosave: strings.Contains(out, "Autosave to startup-config on commit is enabled"),
	}
	if m := armedLine.FindStringSubmatch(out); m != nil {
		l.armed = m[1]
	}
	if m := leftLine.FindStringSubmatch(out); m != nil {
		l.left, l.leftErr = clock(m[1])
	}
	var columns [][2]int
	var titles []string
	before := ""
	for row := range strings.Lines(out) {
		row = strings.TrimRight(row, "\r\n ")
		switch {
		case columns == nil && strings.Contains(row, "---") && strings.Trim(row, " -") == "":
			columns = dashes(row)
			for _, c := range columns {
				titles = append(titles, cell(before, c))
			}
		case columns != nil && row != "":
			if err := l.row(row, columns, titles); err != nil {
				return nil, err
			}
		}
		before = row
	}
	if columns == nil && !strings.Contains(out, "Maximum number of pending sessions") {
		return nil, errors.New("not a list of sessions")
	}
	return l, nil
}

// row reads one line of the table. The name and the state are never empty, so
// a name wider than its column still parses.
func (l *sessions) row(row string, columns [][2]int, titles []string) error {
	words := strings.Fields(strings.TrimPrefix(row, "*"))
	if len(words) < 2 {
		return fmt.Errorf("a row of the table has %d words", len(words))
	}
	name, state := words[0], words[1]
	l.state[name] = state
	if !strings.EqualFold(state, "pendingCommitTimer") {
		return nil
	}
	l.armed = name
	for i, c := range columns {
		if titles[i] != "Commit Time Left" {
			continue
		}
		l.left, l.leftErr = clock(strings.TrimPrefix(cell(row, c), "in "))
	}
	return nil
}

// dashes returns where the columns begin and end. A lone dash at the start
// stands above the mark of the session that the login is in.
func dashes(row string) [][2]int {
	var out [][2]int
	for i := 0; i < len(row); {
		if row[i] != '-' {
			i++
			continue
		}
		j := i
		for j < len(row) && row[j] == '-' {
			j++
		}
		if j-i > 1 {
			out = append(out, [2]int{i, j})
		}
		i = j
	}
	return out
}

func cell(row string, c [2]int) string {
	if c[0] >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[c[0]:min(c[1], len(row))])
}

// clock reads h:mm:ss, with fractions of a second or not.
func clock(s string) (time.Duration, error) {
	f := strings.Split(s, ":")
	if len(f) != 3 {
		return 0, fmt.Errorf("%q is no time left", s)
	}
	h, err1 := strconv.Atoi(f[0])
	m, err2 := strconv.Atoi(f[1])
	sec, err3 := strconv.ParseFloat(f[2], 64)
	if err := errors.Join(err1, err2, err3); err != nil || h < 0 || m < 0 || sec < 0 || sec > 60 {
		return 0, fmt.Errorf("%q is no time left", s)
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec*float64(time.Second)), nil
}

// of maps the switch's word for a session to a state. A committed session
// without a timer was confirmed; whether it was also saved is another question.
func (l *sessions) of(name string) plugins.State {
	if l.armed == name {
		return plugins.StatePending
	}
	state, ok := l.state[name]
	if !ok {
		return plugins.StateNone
	}
	switch strings.ToLower(state) {
	case "pending":
		return plugins.StateStaged
	case "committed", "completed":
		return plugins.StateConfirmed
	case "aborted":
		return plugins.StateRolledBack
	}
	return plugins.StateUnknown
}
