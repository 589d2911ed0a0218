package eos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// session is a configuration session: a copy of the running configuration,
// made when it was opened, that nobody else sees until it is committed.
type session struct {
	name      string
	state     state
	content   *statements.Config
	user, tty string
	opened    time.Time
	completed time.Time
	by        string
}

type state string

// The states of a session. One whose commit timer runs is listed "committed"
// by newer releases, above whose table it is named; older ones list
// "pendingCommitTimer".
const (
	pending   state = "pending"
	armed     state = "committed"
	completed state = "completed"
	aborted   state = "aborted"
)

// timer is the one commit timer of a unit.
type timer struct {
	session *session
	before  *statements.Config // what comes back
	ends    time.Time
	stop    func() bool
}

// The device's defaults: how many sessions may be pending, and for how long
// (Arista User Manual, "Configure Session").
const (
	maxPending = 5
	maxAge     = 24 * time.Hour
)

// Refusals whose full sentences no recording shows: only the part that the
// comment names was observed, and a driver may look for that alone.
const (
	eosTooMany    = "%% Maximum number of pending sessions has been reached. Please commit or abort previous sessions before creating a new one" // "Maximum number of pending sessions has been reached"
	eosTimerRuns  = "%% Cannot commit: session %s has a pending commit timer"                                                                    // "pending commit timer"
	eosReenter    = "%% Cannot enter session %s: its state is pendingCommitTimer"                                                                // "pendingCommitTimer"
	eosFinished   = "%% Cannot enter session %s: it is %s"                                                                                       // unconfirmed
	eosLocked     = "%% The configuration is locked by %s"                                                                                       // unconfirmed
	eosNotSession = "%% Not in a configuration session"                                                                                          // unconfirmed
)

func (e *eos) session(name string) *session {
	e.forgetOld()
	for _, s := range e.sessions {
		if s.name == name {
			return s
		}
	}
	return nil
}

// openSession enters a session, making it if it is new. An aborted one of the
// same name makes room.
func (e *eos) openSession(name string, t *device.TTY) (*session, string) {
	if name == "" {
		e.unnamed++
		name = fmt.Sprintf("sess-%d", e.unnamed)
	}
	if s := e.session(name); s != nil {
		switch s.state {
		case pending:
			s.user, s.tty = t.User, t.Name
			return s, ""
		case armed:
			return nil, fmt.Sprintf(eosReenter, name)
		case completed:
			return nil, fmt.Sprintf(eosFinished, name, s.state)
		}
		e.drop(s)
	}
	waiting := 0
	for _, s := range e.sessions {
		if s.state == pending {
			waiting++
		}
	}
	if waiting >= maxPending {
		return nil, fmt.Sprintf(eosTooMany)
	}
	s := &session{name: name, state: pending, content: e.run.Clone(), user: t.User, tty: t.Name, opened: e.d.Clock().Now()}
	e.sessions = append(e.sessions, s)
	return s, ""
}

// forgetOld drops the sessions that were left pending for too long.
func (e *eos) forgetOld() {
	now := e.d.Clock().Now()
	e.sessions = slices.DeleteFunc(e.sessions, func(s *session) bool {
		if s.state != pending || now.Sub(s.opened) < maxAge {
			return false
		}
		s.state = aborted // for the login that may still be in it
		return true
	})
}

func (e *eos) drop(s *session) {
	e.sessions = slices.DeleteFunc(e.sessions, func(x *session) bool { return x == s })
}

// commit makes the session's content the running configuration; with a
// duration, until the timer puts the old one back. What others changed since
// the session was opened is overwritten.
func (e *eos) commit(s *session, user string, within time.Duration) string {
	if e.timer != nil {
		if within == 0 && e.timer.session == s {
			e.confirm(user)
			return ""
		}
		return fmt.Sprintf(eosTimerRuns, e.timer.session.name)
	}
	if s.state != pending {
		return fmt.Sprintf(eosFinished, s.name, s.state)
	}
	if e.lock != "" && e.lock != user {
		return fmt.Sprintf(eosLocked, e.lock)
	}
	before := e.run
	e.run = s.content.Clone()
	e.checkpoints = append(e.checkpoints, fmt.Sprintf("ckp-%s-%d", e.d.Clock().Now().UTC().Format("20060102"), len(e.checkpoints)))
	s.completed, s.by = e.d.Clock().Now(), user
	if within == 0 {
		e.complete(s)
	} else {
		s.state = armed
		t := &timer{session: s, before: before, ends: e.d.Clock().Now().Add(within)}
		e.timer = t
		t.stop = e.d.Clock().AfterFunc(within, func() {
			e.d.Lock()
			defer e.d.Unlock()
			if e.timer == t {
				e.rollBack(e.v.Expired == ExpiredGone)
			}
		})
	}
	e.d.Changed()
	return ""
}

func (e *eos) confirm(user string) {
	s := e.timer.session
	e.timer.stop()
	e.timer = nil
	s.completed, s.by = e.d.Clock().Now(), user
	e.complete(s)
}

// complete keeps as many completed sessions as the device does: one.
func (e *eos) complete(s *session) {
	s.state = completed
	e.sessions = slices.DeleteFunc(e.sessions, func(x *session) bool { return x != s && x.state == completed })
}

// rollBack puts back what was running before the armed commit.
func (e *eos) rollBack(forget bool) {
	t := e.timer
	t.stop()
	e.timer = nil
	e.run = t.before
	t.session.state = aborted
	t.session.completed = e.d.Clock().Now()
	if forget {
		e.drop(t.session)
	}
	e.d.Changed()
}

func (e *eos) abort(s *session) string {
	switch {
	case e.timer != nil && e.timer.session == s:
		e.rollBack(false)
	case s.state == pending:
		s.state = aborted
		s.completed = e.d.Clock().Now()
	default:
		return fmt.Sprintf(eosFinished, s.name, s.state)
	}
	return ""
}

// diffs compares the running configuration with a session's. Equal ones give
// nothing.
func (e *eos) diffs(s *session) string {
	d := udiff.Unified("system:/running-config", "session:/"+s.name+"-session-config",
		e.order.Render(e.run), e.order.Render(s.content))
	if d == "" {
		return ""
	}
	return d + "\n"
}

// sessionsDetail is "show configuration sessions detail". entered is the
// session that the asking login is in.
func (e *eos) sessionsDetail(entered *session) string {
	e.forgetOld()
	var b strings.Builder
	b.WriteString("Maximum number of completed sessions: 1\nMaximum number of pending sessions: 5\n")
	old := e.v.Layout == LayoutOld
	if !old {
		b.WriteString("Merge on commit is disabled\nAutosave to startup-config on commit is disabled\n")
	}
	b.WriteString("\n")
	left := ""
	if e.timer != nil {
		d := e.timer.ends.Sub(e.d.Clock().Now())
		left = fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
		if !old {
			fmt.Fprintf(&b, "Session with pending commit timer: %s\nTime left until commit timer expiry: in %s\n\n", e.timer.session.name, left)
		}
	}
	columns := []string{"Name", "State", "User", "Terminal", "Completed Time", "Committed By"}
	if old {
		columns = slices.Insert(columns, 4, "Commit Time Left")
	}
	rows := [][]string{columns}
	for _, s := range e.sessions {
		row := []string{s.name, string(s.state), "", "", "", ""}
		if s.state == pending || s.state == aborted {
			row[2], row[3] = s.user, s.tty
		}
		if s.state != pending {
			row[4] = s.completed.UTC().Format(time.DateTime)
		}
		if s.state == armed || s.state == completed {
			row[5] = s.by
		}
		if old {
			row = slices.Insert(row, 4, "")
			if s.state == armed {
				row[1], row[4] = "pendingCommitTimer", left
			}
		}
		rows = append(rows, row)
	}
	width := make([]int, len(columns))
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], len(c))
		}
	}
	line := func(mark string, r []string) {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = fmt.Sprintf("%-*s", width[i], c)
		}
		b.WriteString(strings.TrimRight(mark+" "+strings.Join(cells, " "), " ") + "\n")
	}
	line(" ", rows[0])
	dashes := make([]string, len(columns))
	for i, w := range width {
		dashes[i] = strings.Repeat("-", w)
	}
	line("-", dashes)
	for i, r := range rows[1:] {
		mark := " "
		if e.sessions[i] == entered {
			mark = "*"
		}
		line(mark, r)
	}
	return b.String()
}
