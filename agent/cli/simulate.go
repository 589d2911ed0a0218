package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
	"github.com/cfgvault/cfgvault/plugins/simulate"
)

func (a *app) simulate() *cobra.Command {
	var config, listen string
	cmd := command{
		use: "simulate DRIVER", short: "Run a simulated device",
		long: `Starts a stateful simulated device that is reached over SSH, until interrupted:
to try cfgvault, or a driver, without hardware. It prints where it listens and
how to log in. --listen telnet://ADDRESS serves Telnet instead of SSH, and
console://ADDRESS a serial console as behind a console server.`,
		example: "cfgvault simulate eos --config switch.cfg --listen 127.0.0.1:2222",
		args:    cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			known := false
			for _, n := range simulate.Names() {
				known = known || n == args[0]
			}
			if !known {
				return usageError{fmt.Errorf("no simulated device %q; there are: %s", args[0], strings.Join(simulate.Names(), ", "))}
			}
			text, err := a.configOf(ctx, args[0], config)
			if err != nil {
				return err
			}
			err = simulate.Run(ctx, args[0], text, listen, a.out)
			if errors.Is(err, simulate.ErrAddress) {
				return usageError{err}
			}
			if ctx.Err() != nil {
				return nil // ended on request
			}
			return err
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&config, "config", "", "startup configuration, \"-\" for standard input (default: a sample)")
	f.StringVar(&listen, "listen", "127.0.0.1:0", "address to listen on; telnet://ADDRESS or console://ADDRESS")
	return cmd
}

// configOf reads a configuration for a simulated device and lets the driver of
// its platform look at it: a unit that boots with another platform's text, or
// with none, would be as from the factory, which is not what was asked for.
func (a *app) configOf(ctx context.Context, driver, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := readInput(a.in, file)
	if err != nil {
		return "", err
	}
	refuse := func(why error) error {
		return usageError{fmt.Errorf("%s: no configuration for %s: %w", file, driver, why)}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return "", refuse(errors.New("it is empty"))
	}
	for _, d := range builtin.Drivers() {
		info := d.Info()
		if info.Name != driver {
			continue
		}
		if artefact := mainArtefact(info); artefact != "" {
			norm, err := d.Normalize(ctx, plugins.Facts{}, []plugins.Artefact{{Name: artefact, Role: plugins.RoleRunning, Data: data}})
			if err == nil && !slices.ContainsFunc(norm.Coverage, func(c plugins.Coverage) bool { return c.Lines[plugins.Mapped] > 0 }) {
				err = errors.New("not one line of it is known there")
			}
			if err != nil {
				return "", refuse(err)
			}
		}
	}
	return string(data), nil
}
