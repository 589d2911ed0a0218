package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
)

func (a *app) replace() *cobra.Command {
	var o agent.ReplaceOptions
	var v *flowFlags
	var cmd *cobra.Command
	var mapFile string
	var login loginFlags
	var acceptVersion bool
	cmd = command{
		use:   "replace DEVICE --address HOST[:PORT]",
		short: "Put a device's configuration on another unit",
		long: `Puts the last good snapshot of a device on the unit that took its place. The
new unit's host key is taken on your word and the old one retired; the unit must
be a new one, of the same platform and release. Where its ports have other names
they are matched by neighbour (LLDP), else by role, speed and order, and the map
is yours to look at. The configuration is committed under the unit's own timer,
read back and compared before it is kept. Then a new baseline is backed up, and
the device's history goes on.

Nobody is asked with --yes or without a terminal: then --host-key or
--allow-host-key, and for other port names --map or --allow-map, have to be
given.`,
		example: `cfgvault replace core1 --address 192.0.2.77
cfgvault replace core1 --address 192.0.2.77 --host-key SHA256:… --map core1.map.yaml --yes`,
		status: []Status{Partly, NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, RolledBack, Outcome, Interrupted},
		args:   cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			if err := onlyResume(cmd, v, "address", "driver", "at", "serial", "host-key", "map", "within", "login-user"); err != nil {
				return err
			}
			if o.Address == "" && !v.resume {
				return usageError{errors.New("--address says where the new unit answers: HOST or HOST:PORT")}
			}
			var err error
			if o.Map, err = readMap(mapFile); err != nil {
				return err
			}
			if o.MapFile, err = typedPath(args[0] + ".map.yaml"); err != nil {
				return err
			}
			if o.Login, err = login.login(); err != nil {
				return err
			}
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			o.WorkflowOptions = v.options(a, args[0])
			o.Allow[agent.GateVersion] = o.Allow[agent.GateVersion] || acceptVersion
			o.Approve = a.approve(ctx, v.yes)
			res, err := ag.Replace(ctx, o)
			return a.endFlow(res, err, fmt.Sprintf("replaced, equal to snapshot %s; the new baseline is %s", short(res.Snapshot), short(res.Baseline)))
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&o.Address, "address", "", "where the new unit answers: HOST or HOST:PORT")
	f.StringVar(&o.Driver, "driver", "", "driver of the new unit, if it is of another platform: the configuration is converted, as cfgvault convert does")
	f.StringVar(&o.At, "at", "", "snapshot: a time or an id (default: latest good)")
	f.StringVar(&o.Serial, "serial", "", "serial number that the new unit must have")
	f.StringArrayVar(&o.HostKeys, "host-key", nil, "fingerprint that the new unit's console shows, SHA256:… (may be repeated)")
	f.StringVar(&mapFile, "map", "", "YAML file that renames interfaces, a line 'OLD: NEW' for each")
	login.add(f)
	f.DurationVar(&o.Within, "within", 0, "the unit's timer (default: as cfgvault restore)")
	f.BoolVar(&acceptVersion, "accept-version", false, "the same as --allow-version")
	v = a.flowFlags(cmd, agent.GateHostKey, agent.GateMap, agent.GateReboot, agent.GateModel, agent.GateVersion, agent.GateIncomplete, agent.GateHeld,
		agent.GateOverdue, agent.GateNoRollback, agent.GateNoUndo, agent.GateLosses)
	return cmd
}
