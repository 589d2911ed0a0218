package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
)

func (a *app) upgrade() *cobra.Command {
	var o agent.UpgradeOptions
	var v *flowFlags
	var cmd *cobra.Command
	cmd = command{
		use:   "upgrade DEVICE begin|finish",
		short: "Accompany an upgrade: what was lost, and how it comes back",
		long: `begin backs the device up. Then the operator upgrades it, by hand or with the
command of --exec. finish looks at the device again and says of every difference
whether something vanished, has another value, is only written in another way,
or is new. --restore puts back what was lost: staged is what the device has now
with the lost statements in their places, never the old text as it was, and the
device's own parser has the last word. --rollback-plan says what going back to
the old release needs, and changes nothing.`,
		example: `cfgvault upgrade core1 begin
cfgvault upgrade core1 finish --restore
cfgvault upgrade core1 begin --exec 'ansible-playbook upgrade.yaml -l "$CFGVAULT_DEVICE"'`,
		status: []Status{Partly, NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, RolledBack, Outcome, Interrupted},
		args:   cobra.ExactArgs(2),
		run: func(ctx context.Context, args []string) error {
			begin := args[1] == "begin"
			if !begin && args[1] != "finish" {
				return usageError{fmt.Errorf("upgrade DEVICE begin, or finish; not %q", args[1])}
			}
			if begin && (o.Accept || o.Plan) || !begin && o.Exec != "" || o.Accept && o.Restore {
				return usageError{fmt.Errorf("--exec goes with begin, --accept and --rollback-plan with finish, and --accept without --restore")}
			}
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			o.WorkflowOptions = v.options(a, args[0])
			o.Approve = a.approve(ctx, v.yes)
			run := ag.UpgradeFinish
			if begin {
				run = ag.UpgradeBegin
			}
			res, err := run(ctx, o)
			if !a.json && res.Upgrade != nil {
				a.printUpgrade(res.Upgrade, o.Plan)
			}
			return a.endFlow(res, err, fmt.Sprintf("upgraded; the new baseline is %s", short(res.Baseline)))
		},
	}.cobra()
	v = a.flowFlags(cmd, agent.GateVersion, agent.GateIncomplete, agent.GateHeld, agent.GateNoRollback, agent.GateLosses)
	f := cmd.Flags()
	f.Lookup("resume").Hidden = true // begin and finish say it
	f.StringVar(&o.Exec, "exec", "", "command that upgrades the device; $CFGVAULT_DEVICE and $CFGVAULT_ADDRESS name it")
	f.BoolVar(&o.Restore, "restore", false, "put back what was lost")
	f.BoolVar(&o.Accept, "accept", false, "take the device as it is, whatever was lost")
	f.BoolVar(&o.Plan, "rollback-plan", false, "say what happened and what going back needs, and change nothing")
	f.DurationVar(&o.Wait, "wait", 30*time.Minute, "how long to wait for the device to answer")
	f.DurationVar(&o.Within, "within", 0, "the device's timer during the restore (default: as cfgvault restore)")
	return cmd
}

func (a *app) printUpgrade(r *agent.UpgradeReport, plan bool) {
	fmt.Fprintf(a.out, "release  %s, was %s\n", clean(r.After.OSVersion), clean(r.Before.OSVersion))
	for _, c := range r.Changes {
		fmt.Fprintf(a.out, "%-9s %s line %d\n", c.Class, clean(c.Artefact), c.Line)
		for _, l := range c.Old {
			fmt.Fprintf(a.out, "  - %s\n", clean(strings.TrimRight(l, " ")))
		}
		for _, l := range c.New {
			fmt.Fprintf(a.out, "  + %s\n", clean(strings.TrimRight(l, " ")))
		}
	}
	if r.Unparsed[1] > r.Unparsed[0] {
		fmt.Fprintf(a.out, "lines that are not understood: %d, were %d\n", r.Unparsed[1], r.Unparsed[0])
	}
	if plan {
		for i, s := range r.Rollback {
			fmt.Fprintf(a.out, "to go back, %d. %s\n", i+1, clean(s))
		}
	}
}
