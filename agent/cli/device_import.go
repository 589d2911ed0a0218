package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
)

func (a *app) deviceImport() *cobra.Command {
	var dryRun bool
	cmd := command{
		use: "import FILE.csv", short: "Add devices from a CSV table",
		long: `Adds every device of a table, or none if anything is wrong. The first row names
the columns: name, address, driver, user, groups, labels, password-env,
password-file, password-command, key, ssh-agent, jump, ssh-config, options, ….
"-" reads standard input.`,
		example: "cfgvault device import devices.csv --dry-run",
		args:    cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			in := a.in
			if args[0] != "-" {
				if in, err = os.Open(args[0]); err != nil {
					return fmt.Errorf("%w: %w", agent.ErrConfig, err)
				}
				defer in.Close()
			}
			added, err := ag.Inventory.ImportCSV(in, args[0])
			if err != nil {
				return err
			}
			var bad []error
			for _, d := range added {
				if err := checkDriver(ctx, ag, d); err != nil {
					bad = append(bad, fmt.Errorf("device %s: %w", d.Name, err))
				}
			}
			if err := errors.Join(bad...); err != nil {
				return err
			}
			if a.json {
				out := []map[string]any{}
				for _, d := range added {
					out = append(out, deviceJSON(d))
				}
				if err := a.printJSON(out); err != nil {
					return err
				}
			} else {
				for _, d := range added {
					fmt.Fprintf(a.out, "%s %s %s\n", d.Name, d.Driver, d.Address)
				}
			}
			if dryRun {
				a.note("dry run: %d devices would be added", len(added))
				return nil
			}
			a.note("%d devices added", len(added))
			return ag.Inventory.Save()
		},
	}.cobra()
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check and show, add nothing")
	return a.jsonFlag(cmd)
}
