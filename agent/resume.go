package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"filippo.io/age"

	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// Resume takes an interrupted restore to its end: what was committed is
// verified and confirmed or rolled back, what was not is staged again. It
// needs the journal, neither the store nor an identity. fs.ErrNotExist if no
// restore of the device is open.
func (a *Agent) Resume(ctx context.Context, o RestoreOptions) (*RestoreResult, error) {
	r, err := a.newRestore(ctx, o)
	if err != nil {
		return &RestoreResult{Device: o.Device, Outcome: "refused", Steps: []Event{}}, err
	}
	defer r.close()
	err = r.settle(ctx, r.resume(ctx))
	r.result.Seconds = time.Since(r.began).Seconds()
	return r.result, err
}

func (r *restore) resume(ctx context.Context) error {
	var err error
	if r.journal, err = journal.Load(r.opts.root, r.device.ID); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: no restore of %s is open, there is nothing to resume", ErrConfig, r.device.Name)
		}
		return err
	}
	head := r.journal.Head()
	if head.Driver != r.device.Driver {
		return &GateError{GatePlatform, fmt.Sprintf("the restore was begun with driver %s, the device now has %s", head.Driver, r.device.Driver)}
	}
	r.opts.DryRun, r.opts.rehearsal, r.opts.merge, r.opts.migrate = head.DryRun, head.Rehearsal, head.Merge, head.Migrate
	r.untaken = head.Untaken
	if head.Unit != nil && r.opts.Onto == nil {
		r.device.Address, r.device.HostKeys = head.Unit.Address, head.Unit.HostKeys
	}
	r.gates.used, r.notBack = head.Allowed, head.NotBack
	for _, g := range head.Allowed {
		if r.gates.allowed == nil {
			r.gates.allowed = map[Gate]bool{}
		}
		r.gates.allowed[Gate(g)] = true
	}
	last := r.journal.Last()
	r.event("", "resuming change %s after step %q", head.ChangeID, last)
	r.result.Snapshot = head.Target.SHA256[:min(len(head.Target.SHA256), 32)]
	switch last {
	case journal.Confirmed:
		// The file keys may be forgotten already, and are not needed.
		return r.finish(ctx, "confirmed", nil)
	case journal.RolledBack:
		return r.finish(ctx, "rolled-back", fmt.Errorf("%w: the device is as it was", ErrRolledBack))
	}
	if len(head.Target.FileKey) == 0 {
		// It was being forgotten: nothing of it is on the device.
		r.settled = true
		return r.journal.Finish()
	}
	if err := r.reload(ctx, head); err != nil {
		return err
	}
	if last == journal.Discarding {
		return r.rollBack(ctx, errors.New("the restore was interrupted while it rolled back"))
	}
	address := ""
	if r.journal.Reached(journal.Committing) {
		address = head.Address
	}
	if err := r.reconnectEither(ctx, address); err != nil {
		return err
	}
	state, left, err := r.drv.Status(ctx, r.sess, head.ChangeID)
	if err != nil {
		return fmt.Errorf("status: %w", r.explainText(err))
	}
	r.event("", "the device says: %s", state)
	switch state {
	case plugins.StatePending:
		// The clock that counts is the device's.
		r.commitAt = time.Now().Add(left - head.Within)
		return r.conclude(ctx, !r.journal.Reached(journal.Committed))
	case plugins.StateConfirmed:
		return r.confirm(context.WithoutCancel(ctx))
	case plugins.StateRolledBack:
		return r.rollBack(ctx, errors.New("the device's timer ended before the restore was resumed"))
	case plugins.StateNone, plugins.StateStaged:
		if r.journal.Reached(journal.Committed) {
			return r.rollBack(ctx, errors.New("the device has forgotten the change"))
		}
		return r.again(ctx)
	case plugins.StateUnknown:
		// Kept but not saved, or neither kept nor put back: the device waits
		// for whoever decides.
		if r.journal.Reached(journal.Confirming) {
			return r.confirm(context.WithoutCancel(ctx))
		}
		return r.rollBack(ctx, errors.New("the device could not end the change by itself"))
	}
	return r.unknown(ctx, fmt.Errorf("the device says %q", state))
}

// again stages a change that never was committed and takes it through.
func (r *restore) again(ctx context.Context) error {
	if err := r.drv.Discard(ctx, r.sess, r.journal.Head().ChangeID); err != nil {
		return fmt.Errorf("discard what was staged: %w", r.explainText(err))
	}
	facts, err := identify(ctx, r.drv, r.sess)
	if err != nil {
		return err
	}
	r.before.facts = facts
	if err := r.fits(facts); err != nil {
		return r.abandon(ctx, err)
	}
	if err := r.adapt(ctx); err != nil {
		return r.abandon(ctx, err)
	}
	if err := r.stage(ctx); err != nil {
		return r.abandon(ctx, err)
	}
	proceed, err := r.approve(ctx)
	if err != nil || !proceed {
		return r.abandon(ctx, err)
	}
	return r.commit(ctx)
}

// reload opens the objects beside the journal with their file keys.
func (r *restore) reload(ctx context.Context, head journal.Head) error {
	r.opts.Map = head.Map
	target, entry, err := r.unseal(targetFile, head.Target)
	if err != nil {
		return err
	}
	r.entry, r.result.Snapshot = entry, entry.ID()
	if r.meta, r.want, err = unpack(target); err != nil {
		return err
	}
	r.before = &reading{exp: &plugins.Export{}}
	r.before.facts.Serials = head.Serials
	if head.Undo == nil {
		return r.adapt(ctx)
	}
	undo, entry, err := r.unseal(undoFile, *head.Undo)
	if err != nil {
		return err
	}
	r.undo = &entry
	meta, artefacts, err := unpack(undo)
	if err != nil {
		return err
	}
	r.before.facts = meta.Facts
	r.before.exp = &plugins.Export{Artefacts: artefacts, Verdict: plugins.Verdict(undo.Verdict)}
	// What is compared on the device is what was staged there.
	return r.adapt(ctx)
}

func (r *restore) unseal(name string, o journal.Object) (*vault.Snapshot, vault.Entry, error) {
	var e vault.Entry
	if err := json.Unmarshal(o.Entry, &e); err != nil {
		return nil, e, fmt.Errorf("journal: entry of %s: %w", name, err)
	}
	sealed, err := r.journal.Object(name)
	if err != nil {
		return nil, e, err
	}
	snap, err := r.agent.vault.Unseal(sealed, e, []age.Identity{vault.NewFileKeyIdentity(o.FileKey)})
	if err != nil {
		return nil, e, fmt.Errorf("%s of the open restore: %w", name, err)
	}
	return snap, e, nil
}

// reconnectEither tries the address that the change leads to, then the old one.
func (r *restore) reconnectEither(ctx context.Context, address string) error {
	if address != "" {
		if r.reconnectOnce(ctx, address) == nil {
			return nil
		}
	}
	return r.reconnectOnce(ctx, "")
}
