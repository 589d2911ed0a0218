package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
)

// faces are the ways in which the unit may be met once it is reset, the one by
// which it was known first.
func (w *wipe) faces() []inventory.Device {
	out := []inventory.Device{w.device}
	if w.opts.Address != "" && w.opts.Address != w.device.Address {
		moved := w.device
		moved.Address = w.opts.Address
		out = append(out, moved)
	}
	if w.opts.Login != nil {
		for _, d := range out {
			out = append(out, w.opts.Login.of(d))
		}
	}
	return out
}

// of is a device as a login reaches it.
func (l *Login) of(d inventory.Device) inventory.Device {
	d.User, d.Auth = l.User, inventory.Credential{Password: l.Password}
	return d
}

// back is the unit as it comes back.
func (w *wipe) back() inventory.Device {
	d := w.device
	if w.opts.Address != "" {
		d.Address = w.opts.Address
	}
	if w.opts.Login != nil {
		d = w.opts.Login.of(d)
	}
	return d
}

// ask looks once at the unit: a proof, or "" while it carries the configuration
// that it had.
func (w *wipe) ask(ctx context.Context) (string, error) {
	found := ""
	for i, d := range w.faces() {
		state, err := w.askAs(ctx, d)
		if err != nil || state == "" || state == proofFactory || state == proofOther {
			return state, err
		}
		if i == 0 || found == proofSilent {
			found = state
		}
	}
	return found, nil
}

func (w *wipe) askAs(ctx context.Context, d inventory.Device) (string, error) {
	var factory, other bool
	err := w.withDevice(ctx, d, func(s *session.Session) error {
		read, err := readSession(ctx, w.drv, s)
		if err == nil {
			if t := token(read.facts); t != token(w.state.Unit) {
				return hard("unit", "another unit answers now: its serial is %s, the reset one's is %s", t, token(w.state.Unit))
			}
			factory = read.exp.FactoryDefault
			other, err = w.lost(read.exp.Artefacts)
		}
		return err
	})
	var key *session.HostKeyError
	switch {
	case err == nil && factory:
		return proofFactory, nil
	case err == nil && other:
		return proofOther, nil
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &key) && len(w.opts.HostKeys) > 0:
		if err := w.newKeys(ctx, d); err != nil {
			return "", err
		}
		d.HostKeys = w.device.HostKeys
		return w.askAs(ctx, d)
	case errors.As(err, &key):
		return proofHostKey, nil
	case errors.Is(err, session.ErrAuth):
		return proofLogin, nil
	case errors.Is(err, session.ErrUnreachable), errors.Is(err, plugins.ErrSessionLost):
		return proofSilent, nil
	}
	return "", err
}

// lost reports whether so many of the lines that the unit had are gone that its
// snapshot would be held (design §6): what is there instead was given to it
// after its reset, by the network that it booted in.
func (w *wipe) lost(now []plugins.Artefact) (bool, error) {
	was, err := w.target()
	if err != nil {
		return false, err
	}
	have := byName(now)
	total, kept := 0, 0
	for _, a := range was {
		if a.Role != plugins.RoleRunning {
			continue
		}
		left := map[string]bool{}
		for l := range bytes.Lines(w.text.Significant(a.Name, have[a.Name].Data)) {
			left[string(l)] = true
		}
		for l := range bytes.Lines(w.text.Significant(a.Name, a.Data)) {
			if total++; left[string(l)] {
				kept++
			}
		}
	}
	return float64(kept) < float64(total)*(1-shrinkLimit), nil
}

// newKeys pins the host key that the unit made itself when it was reset. The
// inventory learns it when the unit has its configuration again.
func (w *wipe) newKeys(ctx context.Context, at inventory.Device) error {
	keys, err := w.takeKeys(ctx, at, w.opts.HostKeys)
	if err != nil {
		return err
	}
	if w.state.OldKeys == nil {
		w.state.OldKeys = w.device.HostKeys
	}
	w.state.HostKeys, w.device.HostKeys = keys, keys
	return w.keep()
}

// errNeeds is what a unit that answers still lacks before it can take its
// configuration.
type errNeeds struct{ what string }

func (e errNeeds) Error() string { return e.what }

// wait until the unit answers where it is to come back, and can take a
// configuration.
func (w *wipe) wait(ctx context.Context) error {
	deadline := time.Now().Add(w.opts.WaitFor)
	says := waiting{flow: w.flow, step: "wait"}
	for {
		err := w.ready(ctx)
		var needs errNeeds
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &needs):
			if time.Now().After(deadline) {
				return fmt.Errorf("the unit at %s could not take its configuration within %v: at its console, %w", w.back().Address, w.opts.WaitFor, err)
			}
			says.tell(deadline, "the unit at %s answers and cannot take its configuration yet; at its console: %v", w.back().Address, err)
		case !errors.Is(err, session.ErrUnreachable) && !errors.Is(err, plugins.ErrSessionLost) && !errors.Is(err, session.ErrAuth):
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("the unit did not answer at %s within %v: %w", w.back().Address, w.opts.WaitFor, err)
		default:
			says.tell(deadline, "no answer at %s yet (%s)", w.back().Address, oneLine(err.Error()))
		}
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// ready looks once whether the unit can be brought back.
func (w *wipe) ready(ctx context.Context) error {
	err := w.withDevice(ctx, w.back(), func(s *session.Session) error {
		facts, err := identify(ctx, w.drv, s)
		if err != nil {
			return err
		}
		if token(facts) != token(w.state.Unit) {
			return hard("unit", "another unit answers at %s: its serial is %s, the wiped one's is %s", w.back().Address, token(facts), token(w.state.Unit))
		}
		exp, err := w.drv.Export(ctx, s)
		if err != nil {
			return during("export", err)
		}
		var needs []error
		for _, r := range exp.NoRestore {
			needs = append(needs, errors.New(r.Text))
		}
		if len(needs) > 0 {
			return errNeeds{oneLine(errors.Join(needs...).Error())}
		}
		return nil
	})
	var key *session.HostKeyError
	if !errors.As(err, &key) {
		return err
	}
	if err := w.newKeys(ctx, w.back()); err != nil {
		return err
	}
	return w.ready(ctx)
}

func (w *wipe) restore(ctx context.Context) error {
	unit := w.back()
	if len(w.state.HostKeys) > 0 {
		// The old key may come back with the configuration.
		unit.HostKeys = append(slices.Clone(w.state.HostKeys), w.state.OldKeys...)
	}
	after := unit
	after.User, after.Auth = w.device.User, w.device.Auth
	approve := w.opts.Approve
	if approve == nil {
		approve = func(*Plan) (bool, error) { return true, nil }
	}
	err := w.flow.restore(ctx, RestoreOptions{Device: w.device.Name, Onto: &unit, after: &after, Within: w.opts.Within, Approve: approve})
	if err == nil && len(w.state.HostKeys) > 0 {
		err = w.pinned(ctx, after)
	}
	if err != nil {
		return err
	}
	if w.state.Receipt == "" {
		return w.flow.receipt(ctx, "done", nil)
	}
	return nil
}

// pinned tells the inventory which of the unit's host keys it has now: the one
// that it made itself, or the old one, which came back.
func (w *wipe) pinned(ctx context.Context, d inventory.Device) error {
	shown, err := w.shownKeys(ctx, d)
	if err != nil {
		return err
	}
	var keep []string
	for _, k := range shown {
		if slices.Contains(d.HostKeys, k.line) {
			keep = append(keep, k.line)
		}
	}
	if len(keep) == 0 {
		return hard("key", "the unit at %s shows a host key that nobody vouched for; `cfgvault device trust %s` takes it", d.Address, d.Name)
	}
	err = w.agent.Inventory.Update(w.device.Name, func(d *inventory.Device) error {
		d.HostKeys = keep
		return nil
	})
	if err != nil {
		return err
	}
	return w.agent.Inventory.Save()
}

// waiting tells of a wait when it begins, when its reason is another one, and
// else every half minute.
type waiting struct {
	flow *flow
	step string
	last string
	told time.Time
}

func (w *waiting) tell(deadline time.Time, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text == w.last && time.Since(w.told) < 30*time.Second {
		return
	}
	w.last, w.told = text, time.Now()
	w.flow.tell(w.step, "wait", "%s; %v left", text, time.Until(deadline).Round(time.Second))
}
