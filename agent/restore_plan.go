package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/plugins"
)

// stage brings the configuration to the device and makes the plan.
func (r *restore) stage(ctx context.Context) error {
	head := r.journal.Head()
	diff, err := r.drv.Stage(ctx, r.sess, head.ChangeID, r.want)
	if err != nil {
		return r.explain(during("stage", err))
	}
	r.untaken, r.notBack = untaken(diff.Losses), nil
	for _, l := range diff.Losses {
		if l.Code == plugins.LossNotRestorable {
			r.notBack = append(r.notBack, l.Artefact)
		}
	}
	if r.opts.merge || r.opts.migrate {
		diff.Losses = r.gone(diff.Losses)
	}
	p := r.plan
	if p == nil {
		p = &Plan{}
	}
	info := r.drv.Info()
	*p = Plan{
		Device: r.device.Name, Snapshot: r.entry.ID(), Taken: r.entry.Time, Change: head.ChangeID,
		Unit: r.before.facts, Rollback: string(info.Rollback), Within: head.Within,
		Diff: r.scrub(diff.Text), Steps: diff.Steps, Losses: append(p.Losses, diff.Losses...),
		Disruptive: diff.Disruptive, Address: diff.Address, Overruled: r.gates.used,
		Converted: p.Converted, Kept: p.Kept,
	}
	if r.undo != nil {
		p.Undo = r.undo.ID()
	}
	r.plan, r.result.Plan = p, p
	if err := r.journal.Update(func(h *journal.Head) { h.Address, h.NotBack, h.Untaken = diff.Address, r.notBack, r.untaken }); err != nil {
		return err
	}
	if err := r.step(journal.Staged, "the device accepted the configuration"); err != nil {
		return err
	}
	// A loss that is only a note of how a platform saves is no gate; a driver
	// reports as losses what will not be put back.
	if len(p.Losses) > 0 && r.opts.losses != nil {
		return r.opts.losses(p.Losses)
	}
	if len(p.Losses) > 0 && !r.opts.DryRun {
		if err := r.gates.refuse(GateLosses, "%d parts of the snapshot will not be put back; --dry-run lists them", len(p.Losses)); err != nil {
			return err
		}
		p.Overruled = r.gates.used
		return r.journal.Update(func(h *journal.Head) { h.Allowed = r.gates.used })
	}
	return nil
}

// untaken is where in the target the lines are that a driver names as losses.
func untaken(losses []plugins.Loss) []journal.Line {
	var out []journal.Line
	for _, l := range losses {
		if l.Artefact != "" && l.Line > 0 {
			out = append(out, journal.Line{Artefact: l.Artefact, Number: l.Line})
		}
	}
	return out
}

// gone leaves out the artefacts that cannot be put back and that the unit, which
// was only upgraded, still has as they were.
func (r *restore) gone(losses []plugins.Loss) []plugins.Loss {
	want, have := byName(r.want), byName(r.before.exp.Artefacts)
	return slices.DeleteFunc(losses, func(l plugins.Loss) bool {
		w, h := want[l.Artefact], have[l.Artefact]
		return l.Code == plugins.LossNotRestorable && h.Name != "" && bytes.Equal(r.text.Significant(w.Name, w.Data), r.text.Significant(h.Name, h.Data))
	})
}

// approve shows the plan and makes sure that the device is still as planned.
func (r *restore) approve(ctx context.Context) (proceed bool, err error) {
	if r.opts.DryRun {
		r.result.Outcome = "planned"
		return false, nil
	}
	if r.plan.Diff == "" {
		diffs, err := r.missing(ctx, r.before)
		if err != nil {
			return false, err
		}
		if len(diffs) == 0 {
			r.result.Outcome = "nothing-to-do"
			return false, nil
		}
	}
	if r.opts.Approve != nil {
		ok, err := r.opts.Approve(r.plan)
		if err != nil {
			return false, err
		}
		if !ok {
			return false, &GateError{"approval", "the plan was not approved"}
		}
	}
	approved, err := json.Marshal(r.plan)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(approved)
	if err := r.journal.Update(func(h *journal.Head) { h.Plan = hex.EncodeToString(sum[:]) }); err != nil {
		return false, err
	}
	if r.undo == nil {
		return true, nil
	}
	now, err := r.drv.Export(ctx, r.sess)
	if err != nil {
		return false, fmt.Errorf("is the device still as planned? %w", err)
	}
	if diffs := Compare(r.text, r.before.exp.Artefacts, now.Artefacts); len(diffs) > 0 {
		return false, &GateError{"drift", fmt.Sprintf("somebody changed the device after it was planned (%v); run the restore again", diffs[0])}
	}
	return true, nil
}
