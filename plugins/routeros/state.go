package routeros

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// state is what the device knows of a change.
type state struct {
	staged, backup, run, confirmed, timer bool
	comment                               string
	left                                  time.Duration
}

func (f *files) state(ctx context.Context, s plugins.Session, changeID string) (st state, err error) {
	for suffix, to := range map[string]*bool{".rsc": &st.staged, ".backup": &st.backup, runSuffix: &st.run, ".confirmed": &st.confirmed} {
		if *to, err = f.has(base(changeID) + suffix); err != nil {
			return st, err
		}
	}
	find := `[find name=` + base(changeID) + `]`
	p, err := ask(ctx, s, `:put "@comment"; :do { :put [/system scheduler get `+find+` comment]; :put "@next"; :put [/system scheduler get `+find+` next-run]; :put "@date"; :put [/system clock get date]; :put "@time"; :put [/system clock get time] } on-error={ }; :put "@end"`)
	if err != nil {
		return st, err
	}
	st.comment = strings.TrimSpace(p["comment"])
	if _, st.timer = p["next"]; !st.timer {
		return st, nil
	}
	next, err1 := clock(p["next"])
	now, err2 := clock(strings.TrimSpace(p["date"]) + " " + p["time"])
	if err1 == nil && err2 == nil {
		st.left = max(next.Sub(now), 0)
	}
	return st, nil
}

// clock reads a date in the form of either major release.
func clock(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse("2006-01-02 15:04:05", s); err == nil {
		return t, nil
	}
	if len(s) > 0 {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	return time.Parse("Jan/02/2006 15:04:05", s)
}

// resetting reports whether the device was told to reset and has not armed its
// timer yet.
func (st state) resetting() bool { return st.backup && st.run && !st.timer && !st.confirmed }

// settled reports whether the device does nothing for the change by itself but
// wait for its timer.
func (st state) settled() bool { return !st.resetting() && !(st.timer && st.comment == "armed") }

// of is the state of a device that is not resetting. A confirmation counts
// unless the backup was loaded after it.
func (st state) of() plugins.State {
	switch {
	case st.timer:
		return plugins.StatePending
	case st.confirmed && (st.run || !st.backup):
		return plugins.StateConfirmed
	case st.backup:
		return plugins.StateRolledBack
	case st.staged:
		return plugins.StateStaged
	}
	return plugins.StateNone
}

// patience is how long the driver waits for what the device does by itself, the
// time of its own questions not counted, and poll how often it asks.
const (
	patience = time.Minute
	poll     = 200 * time.Millisecond
)

// pause passes time.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// await asks for the state until it has come, or for as long as patience, and
// returns the last. ErrSessionLost may be the reboot that it waits for.
func (d driver) await(ctx context.Context, s plugins.Session, fl *files, changeID string, come func(state) bool) (state, error) {
	for waited := time.Duration(0); ; waited += poll {
		st, err := fl.state(ctx, s, changeID)
		if err != nil || come(st) || waited >= patience {
			return st, err
		}
		if err := d.pause(ctx, poll); err != nil {
			return st, err
		}
	}
}

// lost waits for the reboot that takes the connection, and returns
// ErrSessionLost. A session may connect anew by itself; its files do not.
func (d driver) lost(ctx context.Context, fl *files) error {
	for waited := time.Duration(0); waited < patience; waited += poll {
		if _, err := fl.c.Stat("."); errors.Is(broken(err), plugins.ErrSessionLost) {
			return broken(err)
		}
		if err := d.pause(ctx, poll); err != nil {
			return err
		}
	}
	return fmt.Errorf("the device did not reset itself within %v", patience)
}
