package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/vault"
)

func (a *app) check() *cobra.Command {
	var readData bool
	cmd := command{
		use:   "check",
		short: "Check the vault",
		long: `Verifies every record (signatures, chains, trust) and that every snapshot that a
record names is there. --read-data also reads every object and, where there is
an identity, opens it to the end.`,
		example: "cfgvault check --read-data",
		status:  []Status{NoVault, Integrity},
		args:    cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			o := vault.CheckOptions{ReadData: readData}
			if readData {
				ids, err := ag.Identities()
				if err != nil && a.identity != "" {
					return err
				}
				o.Identities = ids
			}
			rep, err := ag.Vault().Check(ctx, o)
			if rep == nil {
				return err
			}
			if a.json {
				problems := []string{}
				for _, p := range rep.Problems {
					problems = append(problems, p.Error())
				}
				if e := a.printJSON(map[string]any{
					"records": rep.Records, "snapshots": rep.Snapshots, "read": rep.Read, "opened": rep.Opened, "bytes": rep.Bytes,
					"unrecorded": list(rep.Unrecorded), "strange": list(rep.Strange), "problems": problems, "identity-here": rep.IdentityHere,
				}); e != nil {
					return e
				}
			} else {
				fmt.Fprintf(a.out, "%d records and %d snapshots verified, %d read, %d opened (%d bytes)\n", rep.Records, rep.Snapshots, rep.Read, rep.Opened, rep.Bytes)
				for _, k := range rep.Unrecorded {
					fmt.Fprintf(a.out, "not recorded (an interrupted run, or foreign): %s\n", clean(k))
				}
				for _, k := range rep.Strange {
					fmt.Fprintf(a.out, "not ours: %s\n", clean(k))
				}
				if readData && rep.Opened < rep.Read {
					a.note("%d objects were read but not opened: no identity here", rep.Read-rep.Opened)
				}
				if rep.IdentityHere {
					a.note("note: this machine holds the agent and an identity: whoever takes it over reads every backup")
				}
			}
			return err
		},
	}.cobra()
	cmd.Flags().BoolVar(&readData, "read-data", false, "read and open every object")
	return a.jsonFlag(cmd)
}
