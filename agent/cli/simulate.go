package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
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
			text := ""
			if config != "" {
				data, err := os.ReadFile(config)
				if err != nil {
					return fmt.Errorf("%w: %w", agent.ErrConfig, err)
				}
				text = string(data)
			}
			known := false
			for _, n := range simulate.Names() {
				known = known || n == args[0]
			}
			if !known {
				return usageError{fmt.Errorf("no simulated device %q; there are: %s", args[0], strings.Join(simulate.Names(), ", "))}
			}
			err := simulate.Run(ctx, args[0], text, listen, a.out)
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
	f.StringVar(&config, "config", "", "startup configuration (default: a sample)")
	f.StringVar(&listen, "listen", "127.0.0.1:0", "address to listen on; telnet://ADDRESS or console://ADDRESS")
	return cmd
}
