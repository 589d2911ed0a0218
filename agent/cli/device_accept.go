package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) deviceAccept() *cobra.Command {
	return command{
		use: "accept NAME REF", short: "Accept a held snapshot",
		long: `Says that a held snapshot is right: the unit was replaced, or the configuration
did shrink. It can then become latest good, and later snapshots are compared
with it. This is an operator's signed act.`,
		example: "cfgvault device accept core1 3fa21b",
		status:  []Status{NoVault, NotFound, Integrity},
		args:    cobra.ExactArgs(2),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			d, err := ag.Inventory.Device(args[0])
			if err != nil {
				return err
			}
			e, err := ag.Accept(ctx, d, args[1])
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: snapshot %s accepted\n", d.Name, short(e.ID()))
			return nil
		},
	}.cobra()
}
