package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
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

func deviceJSON(d inventory.Device) map[string]any {
	prints := []string{}
	for _, k := range d.HostKeys {
		prints = append(prints, fingerprint(k))
	}
	at, _ := inventory.ParseAddress(d.Address) // the inventory holds no other
	return map[string]any{
		"id": d.ID, "name": d.Name, "driver": d.Driver, "address": d.Address, "encrypted": at.Scheme.Encrypted(), "user": d.User,
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
		use: "list", short: "List devices", long: "Lists the inventory. `legacy` marks devices with weak SSH algorithms, `unencrypted`\nthose that are reached over Telnet or a console.",
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
	at, _ := inventory.ParseAddress(d.Address) // the inventory holds no other
	switch {
	case !at.Scheme.Encrypted():
		n = append(n, "unencrypted")
	case len(d.HostKeys) == 0:
		n = append(n, "not trusted")
	}
	if ag.IsOpen(d) {
		n = append(n, "restore open")
	}
	if w, err := ag.Workflow(d.Name); err == nil {
		n = append(n, w.Workflow+" open")
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
			if !d.Unit.IsZero() {
				rows = append(rows, []string{"unit", strings.TrimSpace(d.Unit.Model + " " + strings.Join(d.Unit.Serials, " ") + " since " + d.Unit.Since.Local().Format(time.DateTime))})
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
				if w, err := ag.Workflow(d.Name); err == nil {
					return &agent.GateError{Gate: "open-workflow", Text: fmt.Sprintf("a %s of %s is open; `%s` goes on with it", w.Workflow, d.Name, w.Next)}
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
