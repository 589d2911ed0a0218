package cli

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

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
