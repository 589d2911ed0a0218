package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

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
