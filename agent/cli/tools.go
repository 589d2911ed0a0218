package cli

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
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
how to log in.`,
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
			if ctx.Err() != nil {
				return nil // ended on request
			}
			return err
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&config, "config", "", "startup configuration (default: a sample)")
	f.StringVar(&listen, "listen", "127.0.0.1:0", "address to listen on")
	return cmd
}

func (a *app) completion() *cobra.Command {
	cmd := command{
		use: "completion SHELL", short: "Print shell completions",
		long:    "Prints the completion script for bash, zsh, fish or powershell.",
		example: "cfgvault completion bash > /etc/bash_completion.d/cfgvault",
		args:    cobra.ExactArgs(1),
	}.cobra()
	cmd.ValidArgs = []string{"bash", "zsh", "fish", "powershell"}
	cmd.RunE = func(c *cobra.Command, args []string) error {
		root := c.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(a.out, true)
		case "zsh":
			return root.GenZshCompletion(a.out)
		case "fish":
			return root.GenFishCompletion(a.out, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(a.out)
		}
		return usageError{fmt.Errorf("no completion for shell %q; there are: %s", args[0], strings.Join(cmd.ValidArgs, ", "))}
	}
	return cmd
}

func (a *app) version() *cobra.Command {
	return a.jsonFlag(command{
		use: "version", short: "Print the version", long: "Prints the version of this binary and what it was built with.",
		example: "cfgvault version", args: cobra.NoArgs,
		run: func(context.Context, []string) error {
			version, goVersion := "unknown", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				version, goVersion = info.Main.Version, info.GoVersion
			}
			if a.json {
				return a.printJSON(map[string]string{"version": version, "go": goVersion})
			}
			fmt.Fprintf(a.out, "cfgvault %s (%s)\n", version, goVersion)
			return nil
		},
	}.cobra())
}
