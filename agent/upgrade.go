package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// UpgradeOptions say how to accompany an upgrade.
type UpgradeOptions struct {
	WorkflowOptions `json:"-"`

	Exec    string                    `json:"exec,omitempty"` // the operator's upgrade, a shell command; empty: somebody does it by hand
	Restore bool                      `json:"-"`              // put back what was lost
	Accept  bool                      `json:"-"`              // take the device as it is, whatever was lost
	Plan    bool                      `json:"-"`              // only say what happened and what going back needs
	Wait    time.Duration             `json:"-"`              // for the device to answer again
	Within  time.Duration             `json:"-"`
	Approve func(*Plan) (bool, error) `json:"-"`
}

// UpgradeBegin backs a device up before its upgrade and waits for that, or runs
// it and finishes.
func (a *Agent) UpgradeBegin(ctx context.Context, o UpgradeOptions) (*WorkflowResult, error) {
	o.Resume = false
	return a.upgrade(ctx, o)
}

// UpgradeFinish looks at a device after its upgrade: what vanished, what is
// written in another way, what is new. With Restore it puts back what was lost.
//
// ErrUnfinished if something was lost and nobody said what to do about it.
func (a *Agent) UpgradeFinish(ctx context.Context, o UpgradeOptions) (*WorkflowResult, error) {
	o.Resume = true
	return a.upgrade(ctx, o)
}

func (a *Agent) upgrade(ctx context.Context, o UpgradeOptions) (*WorkflowResult, error) {
	finish := o.Resume
	f, err := a.newFlow(ctx, KindUpgrade, o.WorkflowOptions, &o)
	if err != nil {
		return &WorkflowResult{Workflow: KindUpgrade, Device: o.Device, Outcome: "refused"}, err
	}
	defer f.close()
	u := &upgrade{flow: f, opts: &o, finish: finish}
	f.steps = []flowStep{
		{name: "snapshot", does: "back the device up, and open that backup again", do: u.snapshot},
		{name: stepUpgrade, does: "the upgrade itself", touches: true, back: "nothing was restored", do: u.upgrade},
		{name: "identify", does: "connect, and make sure that it is the same unit on another release", touches: true, back: "nothing was restored", do: u.identify},
		{name: "compare", does: "compare the configuration with that before", touches: true, back: "nothing was restored", do: u.compare},
		{name: "restore", does: "put back what was lost, under the device's timer", touches: true, back: "the device is as the upgrade left it", do: u.restore},
		{name: "baseline", does: "back the device up as it is now", touches: true, back: "the device is done", do: func(ctx context.Context) error { return f.baseline(ctx, f.device) }},
		{name: "receipt", does: "sign and store the receipt", touches: true, back: "the device is done", do: func(ctx context.Context) error { return f.receipt(ctx, "done", nil) }},
	}
	f.plan(ctx)
	return f.run(ctx)
}

type upgrade struct {
	*flow
	opts   *UpgradeOptions
	finish bool
}

func (u *upgrade) snapshot(ctx context.Context) error {
	if u.finish {
		return hard("begin", "the backup before the upgrade was not finished, so there is nothing to compare with; if the device is not upgraded yet, `cfgvault upgrade %s begin` begins again", u.device.Name)
	}
	ids, err := u.agent.Identities()
	if err != nil {
		return err
	}
	read, err := u.agent.read(ctx, u.drv, u.device)
	if err != nil {
		return err
	}
	if read.exp.Verdict != plugins.Complete {
		return hard(GateIncomplete, "the device could not be read completely: %v", read.exp.Reasons)
	}
	run, err := u.agent.begin(ctx, vault.RunOptions{})
	if err != nil {
		return err
	}
	defer run.Abort()
	res, err := u.agent.put(ctx, run, u.drv, u.device, read, vault.Routine, true)
	if err == nil {
		err = run.Close(ctx)
	}
	if err != nil {
		return err
	}
	x, err := u.agent.Index(ctx)
	if err != nil {
		return err
	}
	e, err := resolveAt(x, u.device, res.Snapshot)
	if err != nil {
		return err
	}
	if err := u.gates.snapshot(e); err != nil {
		return err
	}
	return u.fetch(ctx, e, ids)
}

// upgrade is the operator's own step.
func (u *upgrade) upgrade(ctx context.Context) error {
	if u.opts.Exec == "" || u.finish {
		if u.finish {
			return nil
		}
		return errWaits{fmt.Sprintf("upgrade %s now; then: cfgvault upgrade %s finish", u.device.Name, u.device.Name)}
	}
	u.tell(stepUpgrade, "info", "running %s", u.opts.Exec)
	cmd := exec.CommandContext(ctx, "sh", "-c", u.opts.Exec)
	cmd.Env = append(os.Environ(), "CFGVAULT_DEVICE="+u.device.Name, "CFGVAULT_ADDRESS="+u.device.Address)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the command of --exec: %w", err)
	}
	return nil
}

// identify waits for the device: an upgrade ends in a reboot.
func (u *upgrade) identify(ctx context.Context) error {
	deadline := time.Now().Add(u.opts.Wait)
	says := waiting{flow: u.flow, step: "identify"}
	for {
		err := u.withSession(ctx, "", func(s *session.Session) error {
			var err error
			u.state.Unit, err = identify(ctx, u.drv, s)
			return err
		})
		if err == nil {
			break
		}
		if ctx.Err() != nil || !errors.Is(err, session.ErrUnreachable) && !errors.Is(err, plugins.ErrSessionLost) || time.Now().After(deadline) {
			return err
		}
		says.tell(deadline, "no answer yet (%s)", oneLine(err.Error()))
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
	if err := u.sameUnit(); err != nil {
		return err
	}
	if was := u.state.Was.OSVersion; was != "" && was == u.state.Unit.OSVersion {
		return u.decide(ctx, GateVersion, "the device runs %s as before: it was not upgraded", was)
	}
	u.tell("identify", "info", "the device runs %s, it was %s", u.state.Unit.OSVersion, u.state.Was.OSVersion)
	return nil
}

func (u *upgrade) compare(ctx context.Context) error {
	old, err := u.target()
	if err != nil {
		return err
	}
	var now *plugins.Export
	err = u.withSession(ctx, "", func(s *session.Session) error {
		var err error
		if now, err = u.drv.Export(ctx, s); err != nil {
			return during("export", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if now.Verdict != plugins.Complete {
		return fmt.Errorf("%w: the device could not be read completely: %v", errPartial, now.Reasons)
	}
	rep, _, err := compareUpgrade(ctx, u.drv, u.text, u.state.Was, u.state.Unit, old, now.Artefacts)
	if err != nil {
		return err
	}
	rep.Rollback = u.wayBack(old)
	u.result.Upgrade = rep
	lost := rep.Lost()
	u.state.Lost = len(lost)
	for _, c := range rep.Changes {
		u.tell("compare", "info", "%s: %s line %d: %s", c.Class, c.Artefact, c.Line, oneLine(strings.Join(append(c.Old, c.New...), " / ")))
	}
	switch {
	case u.opts.Plan:
		return errWaits{"only looked at; `cfgvault upgrade " + u.device.Name + " finish` goes on"}
	case len(lost) == 0 || u.opts.Accept || u.opts.Restore:
		return nil
	case u.opts.Ask == nil:
		return fmt.Errorf("%d statements were lost; --restore puts them back, --accept takes the device as it is", len(lost))
	}
	said, err := u.opts.Ask(ctx, Question{Text: fmt.Sprintf("%d statements were lost.", len(lost)), Prompt: "Put them back?", YesNo: true, Flag: "--restore or --accept"})
	if err != nil {
		return err
	}
	if u.opts.Restore = yes(said); !u.opts.Restore {
		return errWaits{"nothing was put back; --accept takes the device as it is"}
	}
	return nil
}

// wayBack says what going back to the old release needs. A configuration of one
// release is only ever put back onto that release.
func (u *upgrade) wayBack(old []plugins.Artefact) []string {
	id := short(u.state.Target.SHA256)
	out := []string{fmt.Sprintf("bring %s back to %s %s", u.device.Name, u.state.Was.OS, u.state.Was.OSVersion)}
	for _, a := range old {
		if a.Role != plugins.RoleState || a.Name == plugins.PortsArtefact {
			continue
		}
		for line := range strings.Lines(u.text.Redact(a.Name, string(a.Data))) {
			if low := strings.ToLower(line); strings.Contains(low, "image") || strings.Contains(low, "boot") {
				out = append(out, fmt.Sprintf("%s said: %s", a.Name, oneLine(line)))
			}
		}
	}
	return append(out, fmt.Sprintf("then `cfgvault restore %s --at %s` puts back what it had", u.device.Name, id))
}

// restore stages what the device has now with what was lost in its place. The old
// text as it was is staged only where the platform's own migrator takes it.
func (u *upgrade) restore(ctx context.Context) error {
	if u.state.Lost == 0 || !u.opts.Restore && !u.again("restore") && !u.state.Restoring {
		return nil
	}
	u.state.Restoring = true
	if err := u.keep(); err != nil {
		return err
	}
	u.gates.free(GateVersion)
	migrate := u.drv.Info().Can(plugins.CapMigrate)
	if migrate {
		u.tell("restore", "info", "the platform's own migrator brings the configuration of %s to this release", u.state.Was.OSVersion)
	}
	err := u.flow.restore(ctx, RestoreOptions{Device: u.device.Name, Onto: onto(u.device), Within: u.opts.Within, Approve: u.opts.Approve, merge: !migrate, migrate: migrate})
	if err == nil || errors.Is(err, ErrOutcome) || journal.Exists(u.agent.Home.Journal(), u.device.ID) {
		return err
	}
	if errors.Is(err, ErrRolledBack) {
		return err
	}
	// Nothing was changed; what the device says to it, a person must read.
	return fmt.Errorf("the restore was refused: %v", err)
}

func onto(d inventory.Device) *inventory.Device { return &d }
