package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/session"
)

func (a *app) device() *cobra.Command {
	cmd := command{
		use:     "device",
		short:   "Devices of the inventory",
		long:    `Adds, lists and changes the devices in devices.yaml.`,
		example: "cfgvault device add core1 --driver eos --address 192.0.2.1 --user backup --password-env CORE_PASSWORD",
	}.cobra()
	cmd.AddCommand(a.deviceAdd(), a.deviceList(), a.deviceShow(), a.deviceRemove(), a.deviceRename(), a.deviceTrust(), a.deviceAccept(), a.deviceImport())
	return cmd
}

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
device has no pinned host key: ` + "`cfgvault device trust`" + ` shows and pins it.`,
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
				return usageError{errors.New("--address says where the device is: HOST or HOST:PORT")}
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
			if len(added.HostKeys) == 0 {
				a.note("Its host key is not pinned yet: `cfgvault device trust %s` shows and pins it.", added.Name)
			}
			return nil
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&d.Driver, "driver", "", "driver that speaks its platform's language; see cfgvault plugin list")
	f.StringVar(&d.Address, "address", "", "HOST or HOST:PORT")
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
		return fmt.Errorf("%w: device %s has no driver; --driver names one of: %s", agent.ErrConfig, d.Name, strings.Join(ag.Host().Names(), ", "))
	}
	info, err := ag.Host().Info(ctx, d.Driver)
	if err != nil {
		return fmt.Errorf("%w: driver %q: there are: %s (%v)", agent.ErrConfig, d.Driver, strings.Join(ag.Host().Names(), ", "), err)
	}
	if err := agent.CheckOptions(info, d.Options); err != nil {
		return fmt.Errorf("%w: %w", agent.ErrConfig, err)
	}
	return nil
}

func deviceJSON(d inventory.Device) map[string]any {
	prints := []string{}
	for _, k := range d.HostKeys {
		prints = append(prints, fingerprint(k))
	}
	return map[string]any{
		"id": d.ID, "name": d.Name, "driver": d.Driver, "address": d.Address, "user": d.User,
		"groups": list(d.Groups), "labels": d.Labels, "options": d.Options, "jump": list(d.Jump),
		"legacy": d.Legacy, "host-keys": prints, "auth": authText(d.Auth), "serials": list(d.Unit.Serials),
	}
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func authText(c inventory.Credential) string {
	var parts []string
	if !c.Key.IsZero() {
		parts = append(parts, "key "+c.Key.String())
	}
	if c.SSHAgent {
		parts = append(parts, "ssh-agent")
	}
	if len(c.Interactive) > 0 {
		parts = append(parts, "prompts")
	}
	if !c.Password.IsZero() {
		parts = append(parts, "password "+c.Password.String())
	}
	return strings.Join(parts, ", ")
}

func fingerprint(key string) string {
	pub, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key))
	if err != nil {
		return "(not readable)"
	}
	return pub.Type() + " " + ssh.FingerprintSHA256(pub)
}

func (a *app) deviceList() *cobra.Command {
	return a.jsonFlag(command{
		use: "list", short: "List devices", long: "Lists the inventory. `legacy` marks devices with weak SSH algorithms.",
		example: "cfgvault device list --json",
		args:    cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			devices := ag.Inventory.Devices()
			if a.json {
				out := []map[string]any{}
				for _, d := range devices {
					out = append(out, deviceJSON(d))
				}
				return a.printJSON(out)
			}
			rows := [][]string{{"NAME", "DRIVER", "ADDRESS", "USER", "GROUPS", "NOTES"}}
			for _, d := range devices {
				rows = append(rows, []string{d.Name, d.Driver, d.Address, d.User, strings.Join(d.Groups, ","), notes(ag, d)})
			}
			table(a.out, rows)
			return nil
		},
	}.cobra())
}

func notes(ag *agent.Agent, d inventory.Device) string {
	var n []string
	if d.Legacy {
		n = append(n, "legacy")
	}
	if len(d.HostKeys) == 0 {
		n = append(n, "not trusted")
	}
	if ag.IsOpen(d) {
		n = append(n, "restore open")
	}
	return strings.Join(n, ", ")
}

func (a *app) deviceShow() *cobra.Command {
	return a.jsonFlag(command{
		use: "show NAME", short: "Show a device", long: "Shows what the inventory says of a device.",
		example: "cfgvault device show core1",
		status:  []Status{NotFound},
		args:    cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			d, err := ag.Inventory.Device(args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(deviceJSON(d))
			}
			rows := [][]string{{"name", d.Name}, {"id", d.ID}, {"driver", d.Driver}, {"address", d.Address}, {"user", d.User},
				{"login", authText(d.Auth)}, {"groups", strings.Join(d.Groups, ", ")}, {"jump", strings.Join(d.Jump, ", ")}, {"notes", notes(ag, d)}}
			for _, k := range d.HostKeys {
				rows = append(rows, []string{"host key", fingerprint(k)})
			}
			for k, v := range d.Labels {
				rows = append(rows, []string{"label", k + "=" + v})
			}
			for k, v := range d.Options {
				rows = append(rows, []string{"option", k + "=" + v})
			}
			table(a.out, rows)
			return nil
		},
	}.cobra())
}

func (a *app) deviceRemove() *cobra.Command {
	return command{
		use: "remove NAME", short: "Remove a device",
		long:    "Removes a device from the inventory. Its snapshots stay in the vault.",
		example: "cfgvault device remove core1",
		status:  []Status{NotFound, Refused},
		args:    cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			return a.edit(func(ag *agent.Agent) error {
				d, err := ag.Inventory.Device(args[0])
				if err != nil {
					return err
				}
				if ag.IsOpen(d) {
					return &agent.GateError{Gate: "open-restore", Text: fmt.Sprintf("a restore of %s is open; `cfgvault restore %s --resume` ends it", d.Name, d.Name)}
				}
				if err := ag.Inventory.Remove(d.Name); err != nil {
					return err
				}
				a.note("removed %s; its snapshots stay under id %s", d.Name, d.ID)
				return nil
			})
		},
	}.cobra()
}

func (a *app) deviceRename() *cobra.Command {
	return command{
		use: "rename OLD NEW", short: "Rename a device",
		long:    "Renames a device. Its id, and with it its history, stays.",
		example: "cfgvault device rename core1 core1-ber",
		status:  []Status{NotFound},
		args:    cobra.ExactArgs(2),
		run: func(ctx context.Context, args []string) error {
			return a.edit(func(ag *agent.Agent) error { return ag.Inventory.Rename(args[0], args[1]) })
		},
	}.cobra()
}

// edit changes the inventory and saves it.
func (a *app) edit(change func(*agent.Agent) error) error {
	ag, err := a.openOffline()
	if err != nil {
		return err
	}
	defer ag.Close()
	if err := change(ag); err != nil {
		return err
	}
	return ag.Inventory.Save()
}

func (a *app) deviceTrust() *cobra.Command {
	var yes bool
	cmd := command{
		use: "trust NAME", short: "Pin a device's SSH host keys",
		long: `Connects, shows the fingerprints of the host keys that the device offers, and
pins them on your word. Compare them with what the device's console shows. After
a replacement the new unit has other keys: this is how they are accepted.`,
		example: "cfgvault device trust core1",
		status:  []Status{NotFound, Unreachable, Refused},
		args:    cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			d, err := ag.Inventory.Device(args[0])
			if err != nil {
				return err
			}
			t, err := ag.Target(ctx, withoutLogin(d))
			if err != nil {
				return err
			}
			keys, err := session.HostKeys(ctx, t)
			if err != nil {
				return err
			}
			var pins []string
			for _, k := range keys {
				pins = append(pins, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))))
			}
			for _, old := range d.HostKeys {
				fmt.Fprintf(a.out, "pinned now   %s\n", fingerprint(old))
			}
			for _, p := range pins {
				fmt.Fprintf(a.out, "device shows %s\n", fingerprint(p))
			}
			if !yes {
				if !a.terminal() {
					return &agent.GateError{Gate: "approval", Text: "there is no terminal to ask on; --yes trusts what the device shows"}
				}
				fmt.Fprintf(a.err, "Trust these keys for %s? [y/N] ", d.Name)
				line, _ := bufio.NewReader(a.in).ReadString('\n')
				if s := strings.ToLower(strings.TrimSpace(line)); s != "y" && s != "yes" {
					return &agent.GateError{Gate: "approval", Text: "not trusted"}
				}
			}
			if err := ag.Inventory.Update(d.Name, func(d *inventory.Device) error { d.HostKeys = pins; return nil }); err != nil {
				return err
			}
			return ag.Inventory.Save()
		},
	}.cobra()
	cmd.Flags().BoolVar(&yes, "yes", false, "trust what the device shows without asking")
	return cmd
}

// withoutLogin leaves the credentials away: host keys are shown before any
// login, so a missing password must not stand in the way.
func withoutLogin(d inventory.Device) inventory.Device {
	d.Auth, d.Enable, d.Services = inventory.Credential{}, inventory.Ref{}, nil
	return d
}

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
