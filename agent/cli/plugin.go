package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/plugins/profile"
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
				// What is linked in need not be started to say what it is.
				if d, ok := builtin.Driver(name); ok {
					infos = append(infos, d.Info())
					continue
				}
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
				platformTables(a.out, infos)
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

// platformTables prints the README's tables: what the drivers can do, and,
// shorter, the profiles, which only export.
func platformTables(w io.Writer, infos []plugins.Info) {
	profiles := builtin.Profiles()
	fmt.Fprintln(w, "| driver | platform | export | normalise | restore | convert to it | tested on |\n|---|---|---|---|---|---|---|")
	for _, i := range infos {
		if slices.Contains(profiles, i.Name) {
			continue
		}
		restore, convert := "–", "–"
		if i.Can(plugins.CapRestore) {
			restore = "yes, rollback: " + string(i.Rollback)
		}
		if i.Can(plugins.CapRender) {
			convert = "yes"
		}
		fmt.Fprintf(w, "| `%s` | %s | yes | yes | %s | %s | %s |\n", i.Name, i.Platform, restore, convert, i.Tested)
	}
	fmt.Fprintln(w, "\n| profile (export only) | platform | tested on |\n|---|---|---|")
	for _, i := range infos {
		if slices.Contains(profiles, i.Name) {
			fmt.Fprintf(w, "| `%s` | %s | %s |\n", i.Name, i.Platform, i.Tested)
		}
	}
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
		use: "trust NAME", short: "Pin a third-party plugin or a profile of yours",
		long: `Writes the SHA-256 of cfgvault-plugin-NAME, in the home's plugins folder, or else
of NAME.yaml, in its profiles folder, into plugins.lock. Only what is pinned is
used, and only as long as it is unchanged.

A profile declares a platform that has no driver: the commands that read it, and
how an export is known to be whole. It can run no others and restores nothing. It
is checked, and tried on its own samples, before it is pinned; a fault is told
with file and line. ` + "`cfgvault plugin list`" + ` shows those that are built in.`,
		example: "cfgvault plugin trust acme", status: []Status{Plugin}, args: cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			home, err := a.findHome()
			if err != nil {
				return err
			}
			path, err := host.Pin(home.Plugins(), home.Profiles(), home.PluginsLock(), args[0], checkProfile)
			if err != nil {
				return err
			}
			a.note("pinned %s in %s", filepath.Base(path), home.PluginsLock())
			return nil
		},
	}.cobra()
}

// checkProfile loads a profile and tries it on its samples; what an executable
// is worth shows when it is started.
func checkProfile(path string, data []byte) error {
	if filepath.Ext(path) != ".yaml" {
		return nil
	}
	p, err := profile.Parse(path, data)
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", agent.ErrConfig, err)
	}
	return nil
}

func (a *app) pluginServe() *cobra.Command {
	var file string
	cmd := command{
		use: "serve NAME", short: "Run a built-in driver (cfgvault starts this itself)",
		long: `Serves a built-in driver, or with --profile that of a file, to the cfgvault that
started this process.`,
		example: "cfgvault plugin serve frr", args: cobra.MaximumNArgs(1),
		run: func(_ context.Context, args []string) error {
			d, err := servedDriver(file, args)
			if err != nil {
				return err
			}
			if code := serve.Main(d); code != 0 {
				return statusError{Status(code), nil}
			}
			return nil
		},
	}.cobra()
	cmd.Hidden = true
	cmd.Flags().StringVar(&file, "profile", "", "serve this profile")
	return cmd
}

func servedDriver(file string, args []string) (plugins.Driver, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", agent.ErrConfig, err)
		}
		p, err := profile.Parse(file, data)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", agent.ErrConfig, err)
		}
		return p, nil
	}
	if len(args) == 0 {
		return nil, usageError{errors.New("which driver?")}
	}
	d, ok := builtin.Driver(args[0])
	if !ok {
		return nil, usageError{fmt.Errorf("no built-in driver %q", args[0])}
	}
	return d, nil
}
