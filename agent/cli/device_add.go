package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
)

// refFlags are the flags of one credential reference.
type refFlags struct{ env, file, command string }

func (r *refFlags) ref() (inventory.Ref, error) {
	file, err := typedPath(r.file)
	return inventory.Ref{Env: r.env, File: file, Command: r.command}, err
}

// typedPath makes a path that was typed independent of where it was typed: in
// devices.yaml a relative path would mean the folder of that file.
func typedPath(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, "~/") {
		return path, nil
	}
	return filepath.Abs(path)
}

func (a *app) deviceAdd() *cobra.Command {
	var d inventory.Device
	var password, passphrase, enable refFlags
	var key string
	var options, labels map[string]string
	cmd := command{
		use:   "add NAME",
		short: "Add a device",
		long: `Adds a device to devices.yaml. Credentials are references: an environment
variable, a file only you can read, or a command that prints the secret. A new
device has no pinned host key: ` + "`cfgvault device trust`" + ` shows and pins it.

An address without a scheme is reached over SSH. telnet://HOST[:PORT],
console://HOST:PORT (a console server's raw TCP port, ser2net) and
console+telnet://HOST:PORT (one that speaks Telnet) are unencrypted: whoever is on
the way reads the password and the configuration, and nothing proves which device
answers. Prefer --jump to a host next to the device; every listing shows them.`,
		example: `cfgvault device add core1 --driver eos --address 192.0.2.1 --user backup --password-env CORE_PASSWORD
cfgvault device add edge7 --driver frr --address edge7.example.net:2222 --user netadmin --key ~/.ssh/id_ed25519`,
		status: []Status{},
		args:   cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			if d.Address == "" {
				return usageError{errors.New("--address says where the device is: HOST, HOST:PORT, telnet://HOST or console://HOST:PORT")}
			}
			d.Name, d.Options, d.Labels = args[0], options, labels
			if d.SSHConfig, err = typedPath(d.SSHConfig); err != nil {
				return err
			}
			keyFile := refFlags{file: key}
			for _, r := range []struct {
				flags *refFlags
				ref   *inventory.Ref
			}{{&password, &d.Auth.Password}, {&passphrase, &d.Auth.Passphrase}, {&enable, &d.Enable}, {&keyFile, &d.Auth.Key}} {
				if *r.ref, err = r.flags.ref(); err != nil {
					return err
				}
			}
			added, err := ag.Inventory.Add(d)
			if err != nil {
				return err
			}
			if err := checkDriver(ctx, ag, added); err != nil {
				return err
			}
			if err := ag.Inventory.Save(); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(deviceJSON(added))
			}
			fmt.Fprintf(a.out, "added %s (%s)\n", added.Name, added.ID)
			at, _ := inventory.ParseAddress(added.Address) // Add has checked it
			if !at.Scheme.Encrypted() {
				a.note("%s is unencrypted: its password and its configuration pass in clear.", at.Scheme)
			} else if len(added.HostKeys) == 0 {
				a.note("Its host key is not pinned yet: `cfgvault device trust %s` shows and pins it.", added.Name)
			}
			return nil
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&d.Driver, "driver", "", "driver that speaks its platform's language; see cfgvault plugin list")
	f.StringVar(&d.Address, "address", "", "HOST, HOST:PORT, telnet://HOST, console://HOST:PORT")
	f.StringVar(&d.User, "user", "", "login name")
	f.StringArrayVar(&d.Groups, "group", nil, "group (may be repeated)")
	f.StringToStringVar(&labels, "label", nil, "label KEY=VALUE (may be repeated)")
	f.StringToStringVar(&options, "option", nil, "driver option KEY=VALUE (may be repeated); see cfgvault plugin info")
	f.StringVar(&password.env, "password-env", "", "environment variable that holds the password")
	f.StringVar(&password.file, "password-file", "", "file that holds the password")
	f.StringVar(&password.command, "password-command", "", "command that prints the password")
	f.StringVar(&key, "key", "", "private key file")
	f.StringVar(&passphrase.env, "passphrase-env", "", "environment variable that holds the key's passphrase")
	f.StringVar(&passphrase.file, "passphrase-file", "", "file that holds the key's passphrase")
	f.StringVar(&passphrase.command, "passphrase-command", "", "command that prints the key's passphrase")
	f.BoolVar(&d.Auth.SSHAgent, "ssh-agent", false, "offer the keys of ssh-agent")
	f.StringVar(&enable.env, "enable-env", "", "environment variable that holds the enable password")
	f.StringVar(&enable.file, "enable-file", "", "file that holds the enable password")
	f.StringVar(&enable.command, "enable-command", "", "command that prints the enable password")
	f.StringArrayVar(&d.Jump, "jump", nil, "jump host of devices.yaml (may be repeated)")
	f.StringVar(&d.SSHConfig, "ssh-config", "", "OpenSSH client configuration to honour")
	f.BoolVar(&d.Legacy, "legacy", false, "allow old, weak SSH algorithms for this device; every listing shows it")
	return a.jsonFlag(cmd)
}

// checkDriver refuses a device whose driver does not exist, or whose options
// the driver does not have, while the operator is looking.
func checkDriver(ctx context.Context, ag *agent.Agent, d inventory.Device) error {
	if d.Driver == "" {
		return fmt.Errorf("%w: device %s has no driver; --driver names one that `cfgvault plugin list` shows", agent.ErrConfig, d.Name)
	}
	info, err := ag.Host().Info(ctx, d.Driver)
	if err != nil {
		return fmt.Errorf("%w: %v", agent.ErrConfig, err)
	}
	if err := errors.Join(agent.CheckOptions(info, d.Options), agent.CheckAddress(info, d.Address)); err != nil {
		return fmt.Errorf("%w: %w", agent.ErrConfig, err)
	}
	return nil
}
