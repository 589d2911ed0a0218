package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) key() *cobra.Command {
	cmd := command{use: "key", short: "Keys and recipients", long: "Shows whom the vault is sealed to and which keys sign.", example: "cfgvault key list"}.cobra()
	cmd.AddCommand(a.jsonFlag(command{
		use: "list", short: "List keys and recipients", long: "Lists the root key, this home's signing key and the recipients of new snapshots.",
		example: "cfgvault key list --json",
		status:  []Status{NoVault},
		args:    cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			v := ag.Vault()
			if a.json {
				return a.printJSON(map[string]any{"vault": v.ID(), "root": v.RootPublic(), "agent-key": v.AgentKeyID(), "operator": v.IsOperator(), "recipients": v.Recipients()})
			}
			rows := [][]string{{"vault", v.ID()}, {"root key", v.RootPublic()}, {"agent key", v.AgentKeyID()}}
			for _, r := range v.Recipients() {
				rows = append(rows, []string{"recipient", r})
			}
			table(a.out, rows)
			return nil
		},
	}.cobra()))
	return cmd
}
