package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/schemas"
)

func (a *app) diff() *cobra.Command {
	var tree bool
	cmd := command{
		use:   "diff REF [REF|live]",
		short: "Show what changed",
		long: `Compares two snapshots, or a snapshot with the device as it is now ("live",
the default), after volatile lines, as unified diffs with secrets hidden. A line
that differs only in a secret is shown as changed. --tree normalises both sides
with today's driver and compares what they mean.`,
		example: `cfgvault diff core1
cfgvault diff core1@2026-11-20 core1@latest`,
		status: []Status{NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity},
		args:   cobra.RangeArgs(1, 2),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			x, err := ag.Index(ctx)
			if err != nil {
				return err
			}
			e, err := ag.Resolve(x, args[0])
			if err != nil {
				return err
			}
			from, err := ag.Fetch(ctx, e)
			if err != nil {
				return err
			}
			toName := "live"
			if len(args) == 2 {
				toName = args[1]
			}
			var to *agent.Opened
			if toName == "live" {
				d, err := ag.Inventory.ByID(e.Device)
				if err != nil {
					return err
				}
				to, err = ag.Live(ctx, d)
				if err != nil {
					return err
				}
			} else {
				e2, err := ag.Resolve(x, toName)
				if err != nil {
					return err
				}
				if to, err = ag.Fetch(ctx, e2); err != nil {
					return err
				}
			}
			if tree {
				edits, err := ag.TreeChanges(ctx, from, to)
				if err != nil {
					return err
				}
				return a.printEdits(edits)
			}
			changes := agent.Changes(args[0], toName, from, to)
			if a.json {
				if changes == nil {
					changes = []agent.Difference{}
				}
				return a.printJSON(changes)
			}
			for _, c := range changes {
				if c.What != "different" {
					a.note("%s", c)
				}
				fmt.Fprint(a.out, clean(c.Text))
			}
			return nil
		},
	}.cobra()
	cmd.Flags().BoolVar(&tree, "tree", false, "compare the normalised trees")
	return a.jsonFlag(cmd)
}

func (a *app) printEdits(edits []schemas.Edit) error {
	if !a.json {
		return schemas.WriteDiff(a.out, edits)
	}
	lines := []string{}
	for _, e := range edits {
		lines = append(lines, e.String())
	}
	return a.printJSON(lines)
}
