package plugintest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// Device is a simulated device under the control of a test. Its clock stands
// still except in Advance.
type Device interface {
	// Session opens a new session, as the agent does after it reconnected.
	Session() plugins.Session
	// Running and Startup are what the device does now, and what it would do
	// after a reboot, in the device's own words.
	Running() string
	Startup() string
	// Advance lets time pass on the device and returns when everything that
	// fell due has happened.
	Advance(time.Duration)
}

// Restore says what CheckRestorer tries.
type Restore struct {
	// New makes a device, the same each time.
	New func() Device
	// Want gives the artefacts to restore; they must differ from what the
	// device runs. have is an export of the device at hand.
	Want func(have []plugins.Artefact) []plugins.Artefact
	// Bad, if not nil, gives artefacts that the device rejects.
	Bad func(have []plugins.Artefact) []plugins.Artefact
	// Within is the time to confirm; 0: 5 minutes.
	Within time.Duration
}

// CheckRestorer holds a driver to the contract of plugins.Restorer, each law on
// a device of its own. The error joins a *Violation of LawRestore for each rule
// broken, or one of LawPanic or LawDeadline.
func CheckRestorer(ctx context.Context, driver plugins.Restorer, r Restore, o Options) error {
	if r.Within == 0 {
		r.Within = 5 * time.Minute
	}
	k := &kit{driver: driver, o: o.withDefaults()}
	k.checkInfo()
	for _, s := range []struct {
		name string
		run  func(*change)
	}{
		{"a change that nobody knows", unknownChange},
		{"staged and discarded", stagedAndDiscarded},
		{"nothing to change", nothingToChange},
		{"not confirmed", notConfirmed},
		{"confirmed", confirmed},
		{"discarded while pending", discardedWhilePending},
		{"another session", anotherSession},
		{"committed without being staged", commitWithoutStage},
		{"rejected", rejected},
	} {
		if ctx.Err() != nil {
			break
		}
		c := &change{k: k, a: at{fault: s.name}, driver: driver, r: r, id: "kit-change-1"}
		k.watched(ctx, c.a, func(ctx context.Context) {
			k.call(ctx, c.a, "the scenario", nil, func(ctx context.Context) {
				c.begin(ctx)
				if !c.stopped {
					s.run(c)
				}
			})
		})
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(append(k.errors(), err)...)
	}
	return errors.Join(k.errors()...)
}

// change is one scenario on one device. Once a step failed that the rest
// stands on, stopped is set and the steps do nothing.
type change struct {
	k       *kit
	a       at
	driver  plugins.Restorer
	r       Restore
	id      string
	ctx     context.Context
	dev     Device
	s       plugins.Session
	have    []plugins.Artefact
	running string // at the beginning
	startup string
	saved   bool // startup and running were alike
	faults  int
	stopped bool
}

func (c *change) begin(ctx context.Context) {
	c.ctx = ctx
	c.dev = c.r.New()
	c.s = c.dev.Session()
	e, err := c.driver.Export(ctx, c.s)
	if err != nil || e == nil {
		c.fatal("export before the change: %v", err)
		return
	}
	c.have = e.Artefacts
	c.running, c.startup = c.text(plugins.RoleRunning, c.dev.Running()), c.text(plugins.RoleStartup, c.dev.Startup())
	c.saved = c.running == c.startup
}

// text is a configuration without what changes by itself.
func (c *change) text(role plugins.Role, s string) string {
	if c.k.text == nil {
		return s
	}
	for _, spec := range c.k.info.Artefacts {
		if spec.Role == role {
			return string(c.k.text.Significant(spec.Name, []byte(s)))
		}
	}
	return s
}

// bad reports one broken rule; each is told once.
func (c *change) bad(format string, args ...any) {
	c.faults++
	a := c.a
	a.group = a.fault + strings.Repeat("+", c.faults)
	c.k.broken(a, LawRestore, format, args...)
}

func (c *change) fatal(format string, args ...any) {
	if !c.stopped {
		c.bad(format, args...)
	}
	c.stopped = true
}

func (c *change) runningIs(when string, old bool) {
	if c.stopped {
		return
	}
	if same := c.text(plugins.RoleRunning, c.dev.Running()) == c.running; same != old {
		if old {
			c.bad("%s, the running configuration is not what it was before", when)
		} else {
			c.bad("%s, the running configuration is still what it was before", when)
		}
	}
}

func (c *change) startupIsOld(when string) {
	if !c.stopped && c.text(plugins.RoleStartup, c.dev.Startup()) != c.startup {
		c.bad("%s, the startup configuration has changed", when)
	}
}

// state asks for the state and returns the time left.
func (c *change) state(when string, want ...plugins.State) time.Duration {
	if c.stopped {
		return 0
	}
	st, left, err := c.driver.Status(c.ctx, c.s, c.id)
	if err != nil {
		c.bad("%s, Status fails: %v", when, err)
		return 0
	}
	for _, w := range want {
		if st == w {
			return left
		}
	}
	c.bad("%s, Status says %s instead of %v", when, st, want)
	return left
}

func (c *change) stage() {
	if c.stopped {
		return
	}
	d, err := c.driver.Stage(c.ctx, c.s, c.id, c.r.Want(c.have))
	if err != nil {
		c.fatal("Stage fails: %v", err)
		return
	}
	if d.Text == "" {
		c.bad("Stage shows no difference where there is one")
	}
	if len(d.Steps) == 0 {
		c.bad("Stage names no step of the commit")
	}
	c.runningIs("after Stage", true)
	c.startupIsOld("after Stage")
	c.state("after Stage", plugins.StateStaged)
}

func (c *change) commit() {
	c.stage()
	if c.stopped {
		return
	}
	switch err := c.driver.Commit(c.ctx, c.s, c.id, c.r.Within); {
	case errors.Is(err, plugins.ErrSessionLost): // the outcome is for Status to tell
		c.comeBack()
	case err != nil:
		c.fatal("Commit fails: %v", err)
		return
	}
	c.runningIs("after Commit", false)
	c.startupIsOld("after Commit")
	if left := c.state("after Commit", plugins.StatePending); left <= 0 || left > c.r.Within {
		c.bad("after Commit, Status says that %v of %v are left", left, c.r.Within)
	}
}

// comeBack connects anew, as the agent does, to a device that took the
// connection with it, for a minute of the device's time.
func (c *change) comeBack() {
	for range 60 {
		c.s = c.dev.Session()
		if _, _, err := c.driver.Status(c.ctx, c.s, c.id); !errors.Is(err, plugins.ErrSessionLost) {
			return
		}
		c.advance(time.Second)
	}
}

func (c *change) confirm(when string) {
	if c.stopped {
		return
	}
	if err := c.driver.Confirm(c.ctx, c.s, c.id); err != nil {
		c.fatal("%s, Confirm fails: %v", when, err)
	}
}

func (c *change) discard(when string) {
	if c.stopped {
		return
	}
	if err := c.driver.Discard(c.ctx, c.s, c.id); err != nil {
		c.bad("%s, Discard fails: %v", when, err)
	}
}

func (c *change) advance(d time.Duration) {
	if !c.stopped {
		c.dev.Advance(d)
		c.s = c.dev.Session() // a rollback may have ended the old one
	}
}

func (c *change) unchanged(when string) {
	c.runningIs(when, true)
	c.startupIsOld(when)
}

func unknownChange(c *change) {
	c.state("before anything", plugins.StateNone)
	c.discard("before anything")
	c.unchanged("after Discard")
	if err := c.driver.Confirm(c.ctx, c.s, c.id); err == nil {
		c.bad("Confirm of a change that was never committed succeeds")
	}
	c.unchanged("after Confirm")
}

func stagedAndDiscarded(c *change) {
	c.stage()
	c.discard("after Stage")
	c.unchanged("after Discard")
	c.state("after Discard", plugins.StateNone, plugins.StateRolledBack)
	c.discard("the second time")
	c.advance(2 * c.r.Within)
	c.unchanged("long after Discard")
	c.stage() // what Discard left must not stand in the way
	c.discard("the third time")
}

func nothingToChange(c *change) {
	d, err := c.driver.Stage(c.ctx, c.s, c.id, c.have)
	if err != nil {
		c.bad("Stage of what runs already fails: %v", err)
	} else if d.Text != "" {
		c.bad("Stage of what runs already shows a difference of %d lines", strings.Count(d.Text, "\n")+1)
	}
	c.discard("after Stage")
	c.unchanged("after Discard")
}

func notConfirmed(c *change) {
	c.commit()
	c.advance(c.r.Within / 2)
	c.runningIs("at half time", false)
	if left := c.state("at half time", plugins.StatePending); !c.stopped && (left <= 0 || left > c.r.Within) {
		c.bad("at half time, Status says that %v of %v are left", left, c.r.Within)
	}
	c.advance(c.r.Within)
	c.unchanged("after the time ran out")
	c.state("after the time ran out", plugins.StateRolledBack, plugins.StateNone)
	if c.stopped {
		return
	}
	if err := c.driver.Confirm(c.ctx, c.s, c.id); !errors.Is(err, plugins.ErrRolledBack) {
		c.bad("a late Confirm gives %v instead of ErrRolledBack", describe(err))
	}
	c.unchanged("after a late Confirm")
	c.discard("after the time ran out")
	c.unchanged("after Discard")
}

func confirmed(c *change) {
	c.commit()
	c.confirm("in time")
	c.runningIs("after Confirm", false)
	if c.stopped {
		return
	}
	running := c.text(plugins.RoleRunning, c.dev.Running())
	startup := c.text(plugins.RoleStartup, c.dev.Startup())
	switch {
	case startup == c.startup:
		c.bad("after Confirm, the startup configuration is still the old one")
	case c.saved && startup != running:
		c.bad("after Confirm, the startup configuration is not the running one")
	}
	c.state("after Confirm", plugins.StateConfirmed)
	c.confirm("the second time")
	c.advance(2 * c.r.Within)
	c.discard("after Confirm")
	c.confirm("after Discard")
	if c.stopped {
		return
	}
	if c.text(plugins.RoleRunning, c.dev.Running()) != running || c.text(plugins.RoleStartup, c.dev.Startup()) != startup {
		c.bad("a confirmed change did not stay")
	}
}

func discardedWhilePending(c *change) {
	c.commit()
	c.discard("after Commit")
	c.advance(0)
	c.unchanged("after Discard of a pending change")
	c.state("after Discard of a pending change", plugins.StateNone, plugins.StateRolledBack)
	c.advance(2 * c.r.Within)
	c.unchanged("long after Discard of a pending change")
}

// anotherSession confirms as the agent does: over a new connection.
func anotherSession(c *change) {
	c.commit()
	if c.stopped {
		return
	}
	c.s = c.dev.Session()
	c.state("over a new session", plugins.StatePending)
	c.confirm("over a new session")
	c.state("after Confirm over a new session", plugins.StateConfirmed)
	c.advance(2 * c.r.Within)
	c.runningIs("after Confirm over a new session", false)
}

func commitWithoutStage(c *change) {
	if err := c.driver.Commit(c.ctx, c.s, c.id, c.r.Within); err == nil {
		c.bad("Commit of what was not staged succeeds")
	}
	c.unchanged("after Commit of what was not staged")
	c.advance(2 * c.r.Within)
	c.unchanged("long after Commit of what was not staged")
}

func rejected(c *change) {
	if c.r.Bad == nil {
		return
	}
	_, err := c.driver.Stage(c.ctx, c.s, c.id, c.r.Bad(c.have))
	if !errors.Is(err, plugins.ErrRejected) {
		c.bad("Stage of what the device rejects gives %v instead of a *RejectedError", describe(err))
	}
	c.unchanged("after a rejected Stage")
	c.discard("after a rejected Stage")
	c.unchanged("after Discard")
	c.stage()
	c.discard("after Stage")
}

func describe(err error) string {
	if err == nil {
		return "no error"
	}
	return fmt.Sprintf("%q", err)
}
