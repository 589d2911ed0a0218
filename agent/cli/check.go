package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/storetest"
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
