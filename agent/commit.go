package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"filippo.io/age"
	"github.com/cenkalti/backoff/v5"

	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// commit is the point of no return to the caller's context: from here on an
// interruption rolls back, it does not run away.
func (r *restore) commit(caller context.Context) error {
	ctx := context.WithoutCancel(caller)
	head := r.journal.Head()
	if err := r.step(journal.Committing, "committing; the device goes back by itself unless confirmed within %v", head.Within); err != nil {
		return r.abandon(ctx, err)
	}
	r.commitAt = time.Now()
	commitCtx, cancel := context.WithTimeout(ctx, head.Within)
	err := r.drv.Commit(commitCtx, r.sess, head.ChangeID, head.Within)
	cancel()
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) && !errors.Is(err, context.DeadlineExceeded) {
		return r.rollBack(ctx, fmt.Errorf("commit: %w", r.explainText(err)))
	}
	// A lost session is what a change of the management address looks like:
	// the device decides, a new connection asks.
	if err == nil {
		if err := r.step(journal.Committed, "the device runs the new configuration under its timer"); err != nil {
			return r.rollBack(ctx, err)
		}
	}
	return r.conclude(caller, err != nil)
}

// conclude takes a pending change to its end: compare over a new connection,
// then confirm or roll back. lost says that the outcome of Commit is unknown.
func (r *restore) conclude(caller context.Context, lost bool) error {
	ctx := context.WithoutCancel(caller)
	head := r.journal.Head()
	// The comparison must leave time to confirm before the timer fires.
	verifyCtx, cancel := context.WithDeadline(ctx, r.commitAt.Add(head.Within*9/10))
	defer cancel()
	if err := r.reconnect(verifyCtx, head.Address); err != nil {
		return r.rollBack(ctx, fmt.Errorf("the device did not answer on a new connection: %w", err))
	}
	if lost {
		state, _, err := r.drv.Status(verifyCtx, r.sess, head.ChangeID)
		// A unit may reset only now, or its ports come and go while it starts.
		for errors.Is(err, plugins.ErrSessionLost) && verifyCtx.Err() == nil {
			select {
			case <-verifyCtx.Done():
			case <-time.After(time.Second):
			}
			if err = r.reconnect(verifyCtx, head.Address); err == nil {
				state, _, err = r.drv.Status(verifyCtx, r.sess, head.ChangeID)
			}
		}
		if err != nil {
			return r.rollBack(ctx, fmt.Errorf("status: %w", r.explainText(err)))
		}
		switch state {
		case plugins.StateRolledBack:
			return r.rollBack(ctx, errors.New("the device has what it had before the commit"))
		case plugins.StateNone, plugins.StateStaged:
			return r.rollBack(ctx, errors.New("the commit did not reach the device"))
		}
		if err := r.step(journal.Committed, "the device runs the new configuration under its timer"); err != nil {
			return r.rollBack(ctx, err)
		}
	}
	got, err := readSession(verifyCtx, r.drv, r.sess)
	if err != nil {
		return r.rollBack(ctx, fmt.Errorf("read back: %w", err))
	}
	diffs, err := r.missing(verifyCtx, got)
	if err != nil {
		return r.rollBack(ctx, fmt.Errorf("compare: %w", err))
	}
	if len(diffs) > 0 {
		r.result.Differences = diffs
		return r.rollBack(ctx, fmt.Errorf("the device does not have what was restored: %v", diffs[0]))
	}
	same := "equal to the snapshot"
	if r.converted != nil {
		same = "it means what was converted from the snapshot"
	}
	r.proved = r.sess
	if err := r.step(journal.Verified, "read back over a new connection: %s", same); err != nil {
		return r.rollBack(ctx, err)
	}
	if err := caller.Err(); err != nil {
		return r.rollBack(ctx, fmt.Errorf("interrupted before it was confirmed: %w", err))
	}
	if r.opts.rehearsal {
		return r.rehearsed(ctx)
	}
	return r.confirm(ctx)
}

// rehearsed ends a rehearsal that compared equal: the lab unit gets back what
// it had.
func (r *restore) rehearsed(ctx context.Context) error {
	equal := errors.New("a rehearsal is not kept")
	err := r.rollBack(ctx, equal)
	if errors.Is(err, ErrRolledBack) && errors.Is(err, equal) {
		r.result.Outcome, err = rehearsed, nil
	}
	return err
}

// confirm keeps the change and proves that it is kept.
func (r *restore) confirm(ctx context.Context) error {
	head := r.journal.Head()
	if err := r.step(journal.Confirming, "confirming"); err != nil {
		return r.rollBack(ctx, err)
	}
	ctx, cancel := context.WithTimeout(ctx, discardTime)
	defer cancel()
	err := r.drv.Confirm(ctx, r.sess, head.ChangeID)
	// Confirm is idempotent: a second one finds the first, which a lost session
	// may have left at work, done.
	for tries := 0; err != nil && !errors.Is(err, plugins.ErrRolledBack) && ctx.Err() == nil && tries < 5; tries++ {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		if err = r.reconnect(ctx, head.Address); err == nil {
			err = r.drv.Confirm(ctx, r.sess, head.ChangeID)
		}
	}
	if errors.Is(err, plugins.ErrRolledBack) {
		return r.rollBack(ctx, errors.New("the confirmation came after the device's timer"))
	}
	if err != nil {
		cause := fmt.Errorf("confirm: %w", r.explainText(err))
		// Where only the login that committed can confirm, and that is gone, the
		// device still goes back by itself.
		if state, _, err := r.drv.Status(ctx, r.sess, head.ChangeID); err == nil && state == plugins.StatePending {
			return r.rollBack(ctx, cause)
		}
		return r.unknown(ctx, cause)
	}
	if err := r.stillThere(ctx); err != nil {
		return r.rollBack(ctx, err)
	}
	if err := r.step(journal.Confirmed, "kept, and saved as the startup configuration"); err != nil {
		return err
	}
	return r.finish(ctx, "confirmed", nil)
}

// stillThere reads the change back once more if the session over which it was
// compared is not the one that confirmed it: a device that restarts between the
// two may have kept, and saved, what it had before. Where a helper on the device
// is the timer, what is saved is what runs at that moment, and a daemon may
// restart without the session: there it is always read back.
func (r *restore) stillThere(ctx context.Context) error {
	if r.sess == r.proved && r.drv.Info().Rollback != plugins.RollbackDeadman {
		return nil
	}
	got, err := readSession(ctx, r.drv, r.sess)
	if err != nil {
		return fmt.Errorf("read back after the confirmation: %w", err)
	}
	diffs, err := r.missing(ctx, got)
	if err != nil {
		return fmt.Errorf("compare after the confirmation: %w", err)
	}
	if len(diffs) > 0 {
		r.result.Differences = diffs
		return fmt.Errorf("the device restarted before it had saved the change: %v", diffs[0])
	}
	r.proved = r.sess
	return nil
}

// rollBack brings the device back and proves it: Discard while it can be
// reached, else the device's own timer.
func (r *restore) rollBack(ctx context.Context, cause error) error {
	ctx = context.WithoutCancel(ctx)
	head := r.journal.Head()
	// A journal that cannot be written is no reason to leave the device alone.
	journalErr := r.step(journal.Discarding, "rolling back: %v", cause)
	// The timer may have been armed late in Commit, so it ends at the latest
	// one whole period after now.
	patience, cancel := context.WithTimeout(ctx, head.Within+discardTime)
	defer cancel()
	var lastErr error
	var differs time.Time // since when the device answers and is not as it was
	for {
		err := r.tryRollBack(patience, head)
		if err == nil {
			break
		}
		lastErr = err
		if !errors.Is(err, errNotAsBefore) {
			differs = time.Time{}
		} else if differs.IsZero() {
			differs = time.Now()
		}
		// A rollback that is still running needs a moment to show.
		settled := !differs.IsZero() && time.Since(differs) > settleTime
		if settled || patience.Err() != nil {
			return r.unknown(ctx, fmt.Errorf("%w; then: %w", cause, lastErr))
		}
		select {
		case <-patience.Done():
		case <-time.After(time.Second):
		}
	}
	if err := errors.Join(journalErr, r.step(journal.RolledBack, "the device is as it was")); err != nil {
		cause = fmt.Errorf("%w; the journal is still open: `cfgvault restore %s --resume` ends it", cause, r.device.Name)
	}
	return r.finish(ctx, "rolled-back", fmt.Errorf("%w: the device is as it was: %w", ErrRolledBack, cause))
}

var errNotAsBefore = errors.New("the device is not as it was")

// tryRollBack is one attempt: reconnect, discard, read back.
func (r *restore) tryRollBack(ctx context.Context, head journal.Head) error {
	step, cancel := context.WithTimeout(ctx, discardTime)
	defer cancel()
	if err := r.reconnectOnce(step, ""); err != nil {
		if head.Address == "" || r.reconnectOnce(step, head.Address) != nil {
			return err
		}
	}
	if err := r.drv.Discard(step, r.sess, head.ChangeID); err != nil {
		return fmt.Errorf("discard: %w", r.explainText(err))
	}
	// Discard may have cut the session by restoring the address.
	if err := r.reconnectOnce(step, ""); err != nil {
		return err
	}
	if r.before == nil || len(r.before.exp.Artefacts) == 0 {
		return nil // with --no-undo there is nothing to compare with
	}
	got, err := readSession(step, r.drv, r.sess)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if diffs := Compare(r.text, r.before.exp.Artefacts, got.exp.Artefacts); len(diffs) > 0 {
		if state, left, err := r.drv.Status(step, r.sess, head.ChangeID); err == nil && state == plugins.StatePending {
			return fmt.Errorf("the change still runs, and the device goes back by itself (%v left)", left.Round(time.Second))
		}
		r.result.Differences = diffs
		return fmt.Errorf("%w: %v", errNotAsBefore, diffs[0])
	}
	return nil
}

// unknown ends the agent's part without forgetting the restore: the journal
// stays for --resume.
func (r *restore) unknown(ctx context.Context, cause error) error {
	r.result.Outcome = "unknown"
	return fmt.Errorf("%w: %w; `cfgvault restore %s --resume` asks the device again; undo snapshot %s holds what it had",
		ErrOutcome, cause, r.device.Name, r.undoID())
}

func (r *restore) undoID() string {
	if h := r.journal.Head(); h.Undo != nil && len(h.Undo.SHA256) >= 12 {
		return h.Undo.SHA256[:12]
	}
	return "(none)"
}

// finish writes the receipt and forgets the journal.
func (r *restore) finish(ctx context.Context, outcome string, result error) error {
	r.result.Outcome, r.settled = outcome, true
	head := r.journal.Head()
	now := r.agent.now().UTC()
	body := ReceiptBody{
		Device: head.Device, Change: head.ChangeID, Outcome: outcome, Started: head.Started, Ended: now,
		Target: head.Target.SHA256, Plan: head.Plan, Overruled: head.Allowed,
	}
	if head.Undo != nil {
		body.Undo = head.Undo.SHA256
	}
	for _, m := range r.journal.Marks() {
		body.Steps = append(body.Steps, ReceiptStep{Step: string(m.Step), Time: m.Time})
	}
	body.Steps = timed(body.Steps, now)
	details := ReceiptDetails{Name: r.device.Name, Driver: head.Driver, Was: r.meta.Facts, Map: head.Map}
	if r.before != nil {
		details.Unit, details.Firmware = r.before.facts, Firmware(r.text, r.before.facts, r.before.exp.Artefacts)
	}
	if r.plan != nil {
		details.Losses, details.Converted = r.plan.Losses, r.plan.Converted
	}
	if r.opts.noReceipt {
		return errors.Join(result, r.journal.Finish())
	}
	got, err := r.agent.putReceipt(ctx, receiptRestore, body, details)
	if err != nil {
		// The device is what counts; the missing receipt is told.
		r.event("", "the receipt could not be stored: %v", err)
	}
	r.result.Receipt = got.Object
	return errors.Join(result, r.journal.Finish())
}

// elsewhere bounds one try at an address that a change leads to: it is what the
// driver reads in the configuration, and the device may be reached by another.
const elsewhere = 5 * time.Second

// reconnect replaces the session by a new connection, trying until ctx ends, at
// the address that the change leads to and, in turn, where the device was. A
// refused login or another host key is not tried again, unless the device moves:
// then somebody else may have its old address.
func (r *restore) reconnect(ctx context.Context, address string) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		if address != "" {
			first, cancel := context.WithTimeout(ctx, elsewhere)
			err := r.reconnectOnce(first, address)
			cancel()
			if err == nil {
				return struct{}{}, nil
			}
		}
		err := r.reconnectOnce(ctx, "")
		var changed *session.HostKeyError
		if address == "" && (errors.Is(err, session.ErrAuth) || errors.Is(err, session.ErrHostKeyUnknown) || errors.As(err, &changed)) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: 200 * time.Millisecond, RandomizationFactor: 0.2, Multiplier: 1.5, MaxInterval: 3 * time.Second}),
		backoff.WithMaxElapsedTime(0))
	return err
}

func (r *restore) reconnectOnce(ctx context.Context, address string) error {
	r.hangUp()
	// The session lives on after ctx: what follows a deadline or an
	// interruption (discard, confirm) needs it. ctx only ends the dialling.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, end)
	s, err := r.agent.dial(life, r.device, r.drv.Info(), address)
	if errors.Is(err, session.ErrAuth) && r.opts.after != nil {
		s, err = r.agent.dial(life, *r.opts.after, r.drv.Info(), address)
	}
	if !stop() && err == nil {
		s.Close()
		err = ctx.Err()
	}
	if err != nil {
		end()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return err
	}
	r.sess, r.endSess = s, end
	return nil
}

// hangUp ends the session, if there is one. Where only the login that
// committed can confirm, its session is kept beside the next one until close.
func (r *restore) hangUp() {
	if r.sess == nil {
		return
	}
	if r.armed == nil && !r.commitAt.IsZero() && r.drv.Info().Rollback == plugins.RollbackSession {
		r.armed, r.endArmed, r.sess = r.sess, r.endSess, nil
		return
	}
	r.drv.Release(r.sess)
	r.sess.Close()
	r.endSess()
	r.sess = nil
}

// explainText adds the device's own words to a rejection, secrets hidden.
func (r *restore) explainText(err error) error {
	var rejected *plugins.RejectedError
	if errors.As(err, &rejected) {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(r.scrub(printable(rejected.Text))))
	}
	return err
}

// printable makes device text fit for a terminal: no control characters but
// newlines, bounded.
func printable(s string) string {
	const most = 4000
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(c rune) rune {
		if c != '\n' && !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, s)
}

func journalObject(e vault.Entry, sealed []byte, ids []age.Identity) (journal.Object, error) {
	key, err := vault.FileKey(sealed, ids)
	if err != nil {
		return journal.Object{}, err
	}
	entry, err := json.Marshal(e)
	if err != nil {
		return journal.Object{}, fmt.Errorf("journal: %w", err)
	}
	return journal.Object{SHA256: e.SHA256, Entry: entry, FileKey: key}, nil
}
