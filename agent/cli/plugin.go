package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/plugins/serve"
)

func (a *app) plugin() *cobra.Command {
	cmd := command{use: "plugin", short: "Drivers", long: "Lists, shows and tries the drivers, built in or third-party.", example: "cfgvault plugin list"}.cobra()
	cmd.AddCommand(a.pluginList(), a.pluginInfo(), a.pluginNormalize(), a.pluginTest(), a.pluginRecord(), a.pluginTrust(), a.pluginServe())
	return cmd
}

func (a *app) pluginList() *cobra.Command {
	var markdown bool
	cmd := command{
		use: "list", short: "List drivers", long: "Lists the drivers, what each can do and how it was tested.",
		example: "cfgvault plugin list --json", status: []Status{Plugin}, args: cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			var infos []plugins.Info
			var bad error
			for _, name := range ag.Host().Names() {
				info, err := ag.Host().Info(ctx, name)
				if err != nil {
					a.note("%s: %v", name, err)
					bad = statusError{Plugin, nil}
					continue
				}
				infos = append(infos, info)
			}
			if a.json {
				if err := a.printJSON(infos); err != nil {
					return err
				}
				return bad
			}
			if markdown {
				fmt.Fprintln(a.out, "| driver | platform | can | rollback | tested on |\n|---|---|---|---|---|")
				for _, i := range infos {
					fmt.Fprintf(a.out, "| `%s` | %s | %s | %s | %s |\n", i.Name, i.Platform, can(i), i.Rollback, i.Tested)
				}
				return bad
			}
			rows := [][]string{{"DRIVER", "VERSION", "PLATFORM", "CAN", "ROLLBACK", "TESTED ON"}}
			for _, i := range infos {
				rows = append(rows, []string{i.Name, i.Version, i.Platform, can(i), string(i.Rollback), string(i.Tested)})
			}
			table(a.out, rows)
			return bad
		},
	}.cobra()
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print a Markdown table")
	return a.jsonFlag(cmd)
}

// can says what a driver does for an operator; how its export saves a call is
// nothing to them.
func can(i plugins.Info) string {
	s := []string{"backup"}
	for _, c := range i.Capabilities {
		if c != plugins.CapFacts {
			s = append(s, string(c))
		}
	}
	return strings.Join(s, ", ")
}

func (a *app) pluginInfo() *cobra.Command {
	return a.jsonFlag(command{
		use: "info NAME", short: "Show a driver", long: "Shows everything a driver declares: artefacts, options, volatile lines, secrets, notes.",
		example: "cfgvault plugin info frr", status: []Status{Plugin}, args: cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			i, err := ag.Host().Info(ctx, args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(i)
			}
			rows := [][]string{{"driver", i.Name + " " + i.Version}, {"vendor", i.Vendor}, {"platform", i.Platform}, {"can", can(i)},
				{"rollback", string(i.Rollback)}, {"tested on", string(i.Tested)}}
			for _, art := range i.Artefacts {
				need := "optional"
				if art.Required {
					need = "required"
				}
				rows = append(rows, []string{"artefact", fmt.Sprintf("%s (%s, %s)", art.Name, art.Role, need)})
			}
			for _, o := range i.Options {
				rows = append(rows, []string{"option", o.Name + ": " + o.Text})
			}
			for _, v := range i.Volatile {
				rows = append(rows, []string{"volatile", v.ID + ": " + v.Why})
			}
			for _, s := range i.Secrets {
				rows = append(rows, []string{"hides", s.ID})
			}
			for _, n := range i.Notes {
				rows = append(rows, []string{"note", n})
			}
			table(a.out, rows)
			return nil
		},
	}.cobra())
}

func (a *app) pluginNormalize() *cobra.Command {
	var residual, reveal bool
	var artefact string
	cmd := command{
		use: "normalize DRIVER FILE", short: "Normalise a native file without a device",
		long: `Runs a driver over a native file and prints the tree, secrets hidden. --residual
prints what it made of each line instead. "-" reads standard input.`,
		example: "cfgvault plugin normalize frr frr.conf --residual", status: []Status{Plugin}, args: cobra.ExactArgs(2),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			data, err := readInput(a.in, args[1])
			if err != nil {
				return err
			}
			drv, err := ag.Host().Shared(ctx, args[0])
			if err != nil {
				return err
			}
			defer drv.Close()
			if artefact == "" {
				artefact = mainArtefact(drv.Info())
			}
			if artefact == "" {
				return usageError{fmt.Errorf("driver %s has no single main artefact; --artefact names the one this file is", args[0])}
			}
			norm, err := drv.Normalize(ctx, plugins.Facts{}, []plugins.Artefact{{Name: artefact, Role: plugins.RoleRunning, Data: data}})
			if err != nil {
				return err
			}
			if residual {
				if a.json {
					return a.printJSON(map[string]any{"lines": norm.Residual, "coverage": norm.Coverage})
				}
				return a.printResidual(norm.Residual, norm.Coverage)
			}
			tree, err := agent.ShowTree(norm.Tree, reveal)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, strings.TrimRight(clean(string(tree)), "\n"))
			return nil
		},
	}.cobra()
	f := cmd.Flags()
	f.BoolVar(&residual, "residual", false, "print the account of every line")
	f.BoolVar(&reveal, "reveal", false, "show secrets")
	f.StringVar(&artefact, "artefact", "", "which artefact of the driver the file is (default: its running configuration)")
	return a.jsonFlag(cmd)
}

// mainArtefact is the running configuration of a driver that has one.
func mainArtefact(i plugins.Info) string {
	for _, art := range i.Artefacts {
		if art.Role == plugins.RoleRunning {
			return art.Name
		}
	}
	return ""
}

func readInput(stdin io.Reader, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", agent.ErrConfig, err)
	}
	return data, nil
}

func (a *app) pluginTrust() *cobra.Command {
	return command{
		use: "trust NAME", short: "Pin a third-party plugin",
		long: `Writes the SHA-256 of cfgvault-plugin-NAME, in the home's plugins folder, into
plugins.lock. Only pinned plugins are started, and only as long as they are
unchanged.`,
		example: "cfgvault plugin trust acme", status: []Status{Plugin}, args: cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			home, err := a.findHome()
			if err != nil {
				return err
			}
			if err := host.Pin(home.Plugins(), home.PluginsLock(), args[0]); err != nil {
				return err
			}
			a.note("pinned cfgvault-plugin-%s in %s", args[0], home.PluginsLock())
			return nil
		},
	}.cobra()
}

func (a *app) pluginServe() *cobra.Command {
	cmd := command{
		use: "serve NAME", short: "Run a built-in driver (cfgvault starts this itself)",
		long:    "Serves a built-in driver to the cfgvault that started this process.",
		example: "cfgvault plugin serve frr", args: cobra.ExactArgs(1),
		run: func(_ context.Context, args []string) error {
			d, ok := builtin.Driver(args[0])
			if !ok {
				return usageError{fmt.Errorf("no built-in driver %q", args[0])}
			}
			if code := serve.Main(d); code != 0 {
				return statusError{Status(code), nil}
			}
			return nil
		},
	}.cobra()
	cmd.Hidden = true
	return cmd
}
