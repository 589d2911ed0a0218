package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/vault"
)

func (a *app) recover() *cobra.Command {
	var store, root, region, credentials string
	var insecure bool
	cmd := command{
		use:   "recover",
		short: "Rebuild a home from store, identity and root key",
		long: `Makes a home in an empty folder from what survives a lost machine: the store,
an identity (yours or the recovery one, -i) and the root key that init printed.`,
		example: `cfgvault recover --store /mnt/backups/store --root 'cfgvault-root+…' -i recovery.txt`,
		status:  []Status{NoVault, NoIdentity, Integrity},
		args:    cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			home, err := a.findHome()
			if err != nil {
				return err
			}
			if store == "" || root == "" || a.identity == "" {
				return usageError{errors.New("recover needs --store, --root and -i; see `cfgvault recover --help`")}
			}
			if _, err := os.Stat(home.File); err == nil {
				return fmt.Errorf("%w: %s exists: recover makes a new home; choose another with --home", agent.ErrConfig, home.File)
			}
			if !strings.Contains(store, "://") {
				if store, err = filepath.Abs(store); err != nil {
					return err
				}
			}
			data, err := os.ReadFile(a.identity)
			if err != nil {
				return fmt.Errorf("%w: %w", vault.ErrNoIdentity, err)
			}
			ids, err := vault.ParseIdentities(data, a.ask)
			if err != nil {
				return fmt.Errorf("%w: %s: %w", vault.ErrNoIdentity, a.identity, err)
			}
			cfg := agent.Config{Store: store, S3: agent.S3Config{Region: region, Insecure: insecure, Credentials: credentials}}
			st, err := agent.OpenStore(ctx, cfg)
			if err != nil {
				return err
			}
			got, err := vault.Recover(ctx, vault.Config{Dir: home.Vault(), Store: st}, root, ids)
			if err != nil {
				return err
			}
			if got.Inventory != nil {
				if err := createFile(home.Inventory(), string(got.Inventory)); err != nil {
					return fmt.Errorf("inventory: %w", err)
				}
			}
			if err := home.SaveConfig(cfg); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"vault": got.VaultID, "agent-key": got.AgentKeyID, "inventory": got.Inventory != nil})
			}
			fmt.Fprintf(a.out, "vault     %s\nhome      %s\nagent key %s (new: it starts a chain of its own)\n", got.VaultID, home.ConfigDir, got.AgentKeyID)
			if got.Inventory == nil {
				a.note("The vault holds no inventory: add the devices again, or copy devices.yaml.")
			}
			return nil
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&store, "store", "", "DIR or s3://HOST/BUCKET/PREFIX")
	f.StringVar(&root, "root", "", "root key, as init printed it")
	f.StringVar(&region, "s3-region", "", "region of the S3 store")
	f.StringVar(&credentials, "s3-credentials", "", "AWS credentials file (default: the environment)")
	f.BoolVar(&insecure, "s3-insecure", false, "plain HTTP: only for a store on this machine")
	return a.jsonFlag(cmd)
}
