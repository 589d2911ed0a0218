package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/vault/storetest"
)

func (a *app) vaultCmd() *cobra.Command {
	cmd := command{use: "vault", short: "The vault and its store", long: "Shows the vault, and tries whether a store keeps its promises.", example: "cfgvault vault analyze"}.cobra()
	cmd.AddCommand(
		a.analyze(),
		a.jsonFlag(command{
			use: "info", short: "Show the vault", long: "Shows the vault's id, its store and what this home may do with it.",
			example: "cfgvault vault info", status: []Status{NoVault, Integrity}, args: cobra.NoArgs,
			run: func(ctx context.Context, _ []string) error {
				ag, err := a.open(ctx)
				if err != nil {
					return err
				}
				defer ag.Close()
				x, err := ag.Index(ctx)
				if err != nil {
					return err
				}
				snapshots := 0
				devices := x.Devices()
				for _, d := range devices {
					snapshots += len(x.Snapshots(d))
				}
				v := ag.Vault()
				if a.json {
					return a.printJSON(map[string]any{"vault": v.ID(), "store": ag.Config.Store, "devices": len(devices), "snapshots": snapshots,
						"overdue": len(x.Overdue(time.Now())), "operator": v.IsOperator(), "root": v.RootPublic()})
				}
				table(a.out, [][]string{{"vault", v.ID()}, {"store", ag.Config.Store}, {"root key", v.RootPublic()},
					{"devices", fmt.Sprint(len(devices))}, {"snapshots", fmt.Sprint(snapshots)}, {"home", ag.Home.ConfigDir}})
				return nil
			},
		}.cobra()),
	)
	return cmd
}

func (a *app) analyze() *cobra.Command {
	var insecure bool
	cmd := command{
		use: "analyze [STORE]", short: "Try whether a store keeps its promises",
		long: `Runs the conformance kit for stores against a directory or bucket: does it refuse
to overwrite, keep bytes, list in order, tell the time? Many S3 servers ignore
conditions silently. It writes a few objects under a prefix of its own, which
stay where the store cannot delete.`,
		example: "cfgvault vault analyze s3://s3.example.net/backups/site1",
		status:  []Status{NoVault},
		args:    cobra.MaximumNArgs(1),
		run: func(ctx context.Context, args []string) error {
			cfg := agent.Config{S3: agent.S3Config{Insecure: insecure}}
			if len(args) == 1 {
				cfg.Store = args[0]
			} else {
				home, err := a.findHome()
				if err != nil {
					return err
				}
				if cfg, err = home.LoadConfig(); err != nil {
					return err
				}
			}
			store, err := agent.OpenStore(ctx, cfg)
			if err != nil {
				return err
			}
			findings := storetest.Analyze(ctx, store)
			unfit := false
			for _, f := range findings {
				unfit = unfit || f.Level == storetest.Unfit
			}
			if a.json {
				if err := a.printJSON(findings); err != nil {
					return err
				}
			} else {
				rows := [][]string{{"LEVEL", "FINDING", ""}}
				for _, f := range findings {
					rows = append(rows, []string{string(f.Level), f.Code, f.Text})
				}
				table(a.out, rows)
			}
			if unfit {
				return statusError{Failed, errors.New("do not keep a vault in this store: it breaks a promise that a vault needs")}
			}
			return nil
		},
	}.cobra()
	cmd.Flags().BoolVar(&insecure, "s3-insecure", false, "plain HTTP: only for a store on this machine")
	return a.jsonFlag(cmd)
}
