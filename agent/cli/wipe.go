package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
)

func (a *app) wipe() *cobra.Command {
	var o agent.WipeOptions
	var v *flowFlags
	var cmd *cobra.Command
	var login loginFlags
	cmd = command{
		use:   "wipe DEVICE",
		short: "Reset a device to its factory state, and bring it back",
		long: `Resets a device by its platform's own means, but only once the way back is
proved: the newest snapshot is complete, restorable and young, it was fetched
back from the store, decrypted and parsed, and it is what the device runs. The
unit's serial number has to be typed. A signed receipt is kept.

Before that the unit is shown the snapshot and discards it: what it would not
take back is said while it still has it.

With --then-restore the device gets its configuration back as soon as it answers
again and can take one; until then it is said what has to be typed at its
console. Where the reset unit has another login or address, --login-user and
--address say which. A host key that the reset renewed is taken on your word:
--host-key, or --allow-host-key unseen.`,
		example: `cfgvault wipe core1
cfgvault wipe core1 --serial SSJ17110001 --then-restore --yes
cfgvault wipe ap1 --then-restore --address 192.0.2.1 --login-user root --login-password-file factory.txt
cfgvault wipe core1 --for-return`,
		status: []Status{Partly, NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, RolledBack, Outcome, Interrupted},
		args:   cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			if err := onlyResume(cmd, v, "then-restore", "for-return", "max-age"); err != nil {
				return err
			}
			var err error
			if o.Login, err = login.login(); err != nil {
				return err
			}
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			o.WorkflowOptions = v.options(a, args[0])
			// What was approved is the snapshot; the plan of its restore is shown
			// only where somebody looks.
			if o.Ask != nil {
				o.Approve = a.approve(ctx, false)
			}
			res, err := ag.Wipe(ctx, o)
			done := "reset to its factory state"
			if res.Proof != "" {
				done += fmt.Sprintf(" (%s)", res.Proof)
			}
			if res.Restore != nil {
				done = fmt.Sprintf("wiped and restored, equal to snapshot %s", short(res.Snapshot))
			}
			return a.endFlow(res, err, done)
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&o.Serial, "serial", "", "the unit's serial number, instead of typing it")
	f.DurationVar(&o.MaxAge, "max-age", 24*time.Hour, "how old the newest snapshot may be")
	f.DurationVar(&o.ProofWithin, "proof-within", 5*time.Minute, "how long to wait for the reset unit's answer")
	f.BoolVar(&o.ForReturn, "for-return", false, "the unit leaves the house: list the secrets to rotate")
	f.BoolVar(&o.ThenRestore, "then-restore", false, "bring the unit back")
	f.StringVar(&o.Address, "address", "", "where the unit answers after the reset (default: as before)")
	f.StringArrayVar(&o.HostKeys, "host-key", nil, "fingerprint that the reset unit's console shows, SHA256:… (may be repeated)")
	login.add(f)
	f.DurationVar(&o.WaitFor, "wait", 30*time.Minute, "how long to wait for it there")
	f.DurationVar(&o.Within, "within", 0, "the device's timer during the restore (default: as cfgvault restore)")
	v = a.flowFlags(cmd, agent.GateAge, agent.GateChanged, agent.GateIncomplete, agent.GateHeld, agent.GateOverdue, agent.GateNoRollback, agent.GateLosses, agent.GateHostKey)
	return cmd
}
