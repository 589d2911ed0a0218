package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
)

// need is what a unit must have, and start with, before it can take a
// configuration.
type need struct {
	Add    []string `json:"add,omitempty"`    // statements that it lacks
	Remove []string `json:"remove,omitempty"` // statements of the same kind that it has instead
	Change string   `json:"change,omitempty"` // id of the change that brings them
	Passed string   `json:"passed,omitempty"` // "", needSaved or needRebooting
}

// How far the preparation of a unit has come.
const (
	needSaved     = "saved"     // the statements are in its startup configuration
	needRebooting = "rebooting" // and it was told to start anew
)

// The patience with a unit that starts anew.
const (
	downTime = 3 * time.Minute
	bootTime = 20 * time.Minute
)

// reloadFirst finds the statements of a configuration that count from the next
// start on, in their order.
func reloadFirst(rules []plugins.LineRule, native []plugins.Artefact) ([]string, error) {
	var found []string
	for _, r := range rules {
		re, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		for _, a := range native {
			if a.Role != plugins.RoleRunning || r.Artefact != "" && r.Artefact != a.Name {
				continue
			}
			for line := range strings.Lines(string(a.Data)) {
				if line = strings.TrimRight(line, " \r\n"); re.MatchString(line) && !slices.Contains(found, line) {
					found = append(found, line)
				}
			}
		}
	}
	return found, nil
}

// needs holds the licences, feature sets and templates of the snapshot against
// those that the unit has. What counts from its next start on has to be there
// before the rest can be, and that is a decision: the unit will reboot.
func (r *replace) needs(ctx context.Context) error {
	rules := r.drv.Info().ReloadFirst
	if r.cross || len(rules) == 0 {
		r.tell("needs", "info", "nothing of this platform has to be there before the rest")
		return nil
	}
	native, err := r.target()
	if err != nil {
		return err
	}
	want, err := reloadFirst(rules, native)
	if err != nil {
		return err
	}
	have, err := r.startsWith(ctx, rules)
	if err != nil {
		return err
	}
	n := need{Add: without(want, have), Remove: without(have, want)}
	if len(n.Add)+len(n.Remove) == 0 {
		r.tell("needs", "info", "the unit has what has to be there before the rest: %s", cmpOr(strings.Join(want, "; "), "nothing"))
		return nil
	}
	var text []string
	for _, s := range n.Add {
		text = append(text, fmt.Sprintf("it lacks %q", s))
	}
	for _, s := range n.Remove {
		text = append(text, fmt.Sprintf("it has %q, which the snapshot does not", s))
	}
	if err := r.decide(ctx, GateReboot, "the unit has to start with other licences or templates before it takes the configuration (%s): they will be set and saved, and the unit rebooted", strings.Join(text, ", ")); err != nil {
		return err
	}
	r.state.Need = &n
	return nil
}

func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// startsWith are the statements of the kind that the unit has now.
func (r *replace) startsWith(ctx context.Context, rules []plugins.LineRule) (have []string, err error) {
	err = r.withSession(ctx, "", func(s *session.Session) error {
		exp, err := r.drv.Export(ctx, s)
		if err != nil {
			return during("export", err)
		}
		have, err = reloadFirst(rules, exp.Artefacts)
		return err
	})
	return have, err
}

// prepare sets what the unit needs, saves it and reboots the unit. Each part is
// in the journal before it is taken; what a crash left behind is found again.
func (r *replace) prepare(ctx context.Context) error {
	n := r.state.Need
	if n == nil {
		return nil
	}
	info := r.drv.Info()
	if n.Passed == "" && n.Change != "" {
		if err := r.settleNeed(ctx, n); err != nil {
			return err
		}
	}
	if n.Passed == "" {
		if err := r.setNeed(ctx, n, info); err != nil {
			return err
		}
	}
	r.tell("prepare", "info", "set and saved; the unit reboots")
	if err := r.reboot(ctx, n, info); err != nil {
		return err
	}
	have, err := r.startsWith(ctx, info.ReloadFirst)
	if err != nil {
		return err
	}
	if lost := without(n.Add, have); len(lost) > 0 {
		return fmt.Errorf("the unit started again without %q: it may lack the right to it; look at its console", lost[0])
	}
	r.tell("prepare", "info", "the unit is back, with %s", cmpOr(strings.Join(n.Add, "; "), "nothing that the snapshot lacks"))
	return nil
}

// settleNeed finds out how far an interrupted change came.
func (r *replace) settleNeed(ctx context.Context, n *need) error {
	return r.withSession(ctx, "", func(s *session.Session) error {
		state, _, err := r.drv.Status(ctx, s, n.Change)
		if err != nil {
			return during("status", err)
		}
		have, err := r.drv.Export(ctx, s)
		if err != nil {
			return during("export", err)
		}
		now, err := reloadFirst(r.drv.Info().ReloadFirst, have.Artefacts)
		if err != nil {
			return err
		}
		if state == plugins.StateConfirmed && len(without(n.Add, now)) == 0 {
			n.Passed = needSaved
			return r.keep()
		}
		if err := r.drv.Discard(ctx, s, n.Change); err != nil {
			return during("discard", err)
		}
		return nil
	})
}

// setNeed makes the statements part of what the unit has, under its own timer,
// and saves them once a new connection has read them back.
func (r *replace) setNeed(ctx context.Context, n *need, info plugins.Info) error {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return fmt.Errorf("change id: %w", err)
	}
	n.Change = "cv" + hex.EncodeToString(id[:])
	if err := r.keep(); err != nil {
		return err
	}
	within := max(r.opts.Within, minWithin)
	err := r.withSession(ctx, "", func(s *session.Session) error {
		exp, err := r.drv.Export(ctx, s)
		if err != nil {
			return during("export", err)
		}
		if _, err := r.drv.Stage(ctx, s, n.Change, n.edit(info, exp.Artefacts)); err != nil {
			return during("stage", err)
		}
		if err := r.drv.Commit(ctx, s, n.Change, within); err != nil {
			return during("commit", err)
		}
		return nil
	})
	if err == nil {
		// Whoever can come in anew may keep the change.
		err = r.withSession(ctx, "", func(s *session.Session) error {
			if err := r.drv.Confirm(ctx, s, n.Change); err != nil {
				return during("confirm", err)
			}
			return nil
		})
	}
	if err != nil {
		left := r.withSession(context.WithoutCancel(ctx), "", func(s *session.Session) error {
			return r.drv.Discard(context.WithoutCancel(ctx), s, n.Change)
		})
		if left != nil {
			return errors.Join(err, left)
		}
		n.Change, r.over = "", true
		return fmt.Errorf("%w: the unit is as it was; it does not take what the old one started with (%s): %w", ErrRolledBack, strings.Join(n.Add, "; "), err)
	}
	n.Passed = needSaved
	return r.keep()
}

// edit is what the unit has with the statements in the place of others of their
// kind, at the end of the configuration.
func (n *need) edit(info plugins.Info, native []plugins.Artefact) []plugins.Artefact {
	var end *regexp.Regexp
	for _, s := range info.Artefacts {
		if s.Role == plugins.RoleRunning && s.Terminator != "" {
			end = regexp.MustCompile(s.Terminator)
		}
	}
	var out []plugins.Artefact
	for _, a := range native {
		if !compared(a) {
			continue
		}
		if a.Role == plugins.RoleRunning {
			var b bytes.Buffer
			done := false
			add := func() {
				for _, s := range n.Add {
					b.WriteString(s + "\n")
				}
				done = true
			}
			for line := range strings.Lines(string(a.Data)) {
				text := strings.TrimRight(line, " \r\n")
				if slices.Contains(n.Remove, text) {
					continue
				}
				if !done && end != nil && end.MatchString(text) {
					add()
				}
				b.WriteString(line)
			}
			if !done {
				add()
			}
			a.Data = b.Bytes()
		}
		out = append(out, a)
	}
	return out
}

// reboot makes the unit start anew and waits until the same one answers again.
// That the session ended is the proof that it went down.
func (r *replace) reboot(ctx context.Context, n *need, info plugins.Info) error {
	if len(info.Reboot) == 0 {
		return errWaits{"the unit to be rebooted by hand; then `" + resumeCommand(r.kind, r.place.Name) + "`"}
	}
	if n.Passed != needRebooting {
		err := r.withSession(ctx, "", func(s *session.Session) error {
			n.Passed = needRebooting
			if err := r.keep(); err != nil {
				return err
			}
			return r.goDown(ctx, s, info.Reboot)
		})
		if err != nil {
			n.Passed = needSaved
			return errors.Join(err, r.keep())
		}
	}
	r.tell("prepare", "wait", "waiting until the unit answers again, at most %v", bootTime)
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := r.withSession(ctx, "", func(s *session.Session) error {
			facts, err := identify(ctx, r.drv, s)
			if err == nil && token(facts) != token(r.state.Unit) {
				err = hard("unit", "another unit answers at %s, serial %s", r.opts.Address, token(facts))
			}
			return err
		})
		if err == nil || errors.Is(err, ErrGate) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the unit did not come back: %w", err)
		case <-time.After(pause):
		}
	}
}

func (r *replace) goDown(ctx context.Context, s *session.Session, commands []plugins.Reboot) error {
	for _, c := range commands {
		if _, err := s.Run(ctx, plugins.Command{Text: c.Text, Answers: c.Answers, Write: true}); errors.Is(err, plugins.ErrSessionLost) {
			return nil
		} else if err != nil {
			return during("reboot", err)
		}
	}
	deadline := time.Now().Add(downTime)
	for time.Now().Before(deadline) {
		if _, err := r.drv.Identify(ctx, s); errors.Is(err, plugins.ErrSessionLost) {
			return nil
		} else if ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return errors.New("the unit was told to reboot and still answers on the same connection")
}
