package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/session"
)

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
			if at, err := inventory.ParseAddress(d.Address); err == nil && !at.Scheme.Encrypted() {
				return fmt.Errorf("%w: %s is reached by %s, which shows no key to pin", agent.ErrConfig, d.Name, at.Scheme)
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
