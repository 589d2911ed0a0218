package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/vault"
)

func (a *app) init() *cobra.Command {
	var store, region, credentials string
	var recipients []string
	var classic, insecure bool
	cmd := command{
		use:   "init",
		short: "Make keys, configuration and a vault",
		long: `Makes a vault in an empty store and the keys that belong to it. It prints a
second, recovery identity once: keep it off this machine. With --recipient no
identity is made: this machine can then write backups and read none of them.

An S3 store takes its keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or
from a credentials file; never from the command line.`,
		example: `cfgvault init --store /var/lib/cfgvault/store
cfgvault init --store s3://s3.example.net/backups/site1 --recipient age1pq…`,
		status: []Status{NoIdentity},
		args:   cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			home, err := a.findHome()
			if err != nil {
				return err
			}
			if _, err := os.Stat(home.File); err == nil {
				return fmt.Errorf("%w: %s exists: this home has a vault; choose another with --home", agent.ErrConfig, home.File)
			}
			if store == "" {
				store = filepath.Join(home.StateDir, "store")
				if err := os.MkdirAll(home.StateDir, 0o700); err != nil {
					return fmt.Errorf("%w: the home cannot be made: %w", agent.ErrConfig, err)
				}
			}
			if !strings.Contains(store, "://") {
				if store, err = filepath.Abs(store); err != nil {
					return err
				}
			}
			cfg := agent.Config{Store: store, S3: agent.S3Config{Region: region, Insecure: insecure, Credentials: credentials}}
			st, err := agent.OpenStore(ctx, cfg)
			if err != nil {
				return err
			}
			made, err := vault.Create(ctx, vault.Config{Dir: home.Vault(), Store: st}, vault.CreateOptions{Recipients: recipients, Classic: classic})
			if err != nil {
				if errors.Is(err, fs.ErrExist) {
					return fmt.Errorf("there is a vault already: %w; `cfgvault recover` makes a home for it", err)
				}
				return err
			}
			if err := home.SaveConfig(cfg); err != nil {
				return err
			}
			return a.printCreated(home, store, made)
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&store, "store", "", "where the vault's objects lie: DIR or s3://HOST/BUCKET/PREFIX (default: store in the home)")
	f.StringArrayVar(&recipients, "recipient", nil, "age recipient to seal to, instead of making an identity (may be repeated)")
	f.BoolVar(&classic, "classic", false, "X25519 identities, for age before 1.3, instead of post-quantum hybrid ones")
	f.StringVar(&region, "s3-region", "", "region of the S3 store")
	f.StringVar(&credentials, "s3-credentials", "", "AWS credentials file (default: the environment)")
	f.BoolVar(&insecure, "s3-insecure", false, "plain HTTP: only for a store on this machine")
	return a.jsonFlag(cmd)
}

func (a *app) printCreated(home agent.Home, store string, made *vault.Created) error {
	if a.json {
		return a.printJSON(map[string]any{
			"vault": made.VaultID, "store": store, "root": made.RootPublic, "recipients": made.Recipients,
			"agent-key": made.AgentKeyID, "recovery": made.Recovery, "home": home.ConfigDir,
		})
	}
	fmt.Fprintf(a.out, "vault     %s\nstore     %s\nroot key  %s\n", made.VaultID, store, made.RootPublic)
	if made.Identity == "" {
		fmt.Fprintf(a.out, "sealed to %d recipients; this machine can write backups and read none\n", len(made.Recipients))
		a.note("Keep the root key: with it, the store and an identity, `cfgvault recover` rebuilds everything.")
		return nil
	}
	fmt.Fprintf(a.out, "identity  %s\n\nRecovery identity, shown this once:\n\n%s\n", made.IdentityFile, strings.TrimSpace(made.Recovery))
	a.note("\nKeep the recovery identity and the root key off this machine, on paper or in a safe:\nwith them and the store, `cfgvault recover` rebuilds everything.")
	a.note("This machine holds the agent and an identity: whoever takes it over reads every backup.\nTo keep them apart, give an agent only recipients: `cfgvault init --recipient R`.")
	return nil
}

// createFile creates a private file; an existing one is never replaced.
func createFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}
