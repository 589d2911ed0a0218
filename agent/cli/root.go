// Package cli is the command line: one file per command with its usage text
// and flags. It decides nothing about devices or vaults; it parses, calls
// agent, prints and maps errors to exit statuses.
//
// What a command answers goes to stdout, everything else to stderr.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins/builtin"
)

// app is what every command shares.
type app struct {
	in       *os.File
	out, err io.Writer

	home, config, identity string
	json, verbose          bool
}

// Main runs the command line of this process and returns its exit status.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		// A second signal ends at once: the journal survives that.
		<-ctx.Done()
		stop()
	}()
	out := &answer{File: os.Stdout}
	a := &app{in: os.Stdin, out: out, err: os.Stderr}
	root := a.root()
	root.SetArgs(os.Args[1:])
	err := root.ExecuteContext(ctx)
	if err == nil && out.failed != nil {
		err = fmt.Errorf("the answer could not be printed whole: %w", out.failed)
	}
	if err != nil && err.Error() != "" {
		a.printError(err)
	}
	return int(statusOf(err))
}

// answer is standard output. It remembers the first failed write: an answer that
// was cut by a full disk must not end with status 0.
type answer struct {
	*os.File
	failed error
}

func (a *answer) Write(p []byte) (int, error) {
	n, err := a.File.Write(p)
	if err != nil && a.failed == nil {
		a.failed = err
	}
	return n, err
}

// printError prints an error; what it means and what to do next is in its text.
func (a *app) printError(err error) {
	text := err.Error()
	if errors.Is(err, context.Canceled) && statusOf(err) == Interrupted {
		text = "interrupted"
	}
	fmt.Fprintln(a.err, "cfgvault: error: "+clean(text))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "cfgvault",
		Short: "Back up the configuration of network and IoT devices, keep it sealed, put it back",
		Long: `cfgvault backs up the configuration of network and IoT devices, keeps it where
nobody who should not can read or change it, and puts it back: on the same unit
after a wipe or an upgrade, or on another unit after a replacement.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				hint = "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return usageError{fmt.Errorf("unknown command %q%s", args[0], hint)}
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.Example = indent("cfgvault init --store /var/lib/cfgvault/store\ncfgvault backup core1")
	root.SetUsageTemplate(usageTemplate + exitHelp([]Status{Partly, NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, RolledBack, Outcome, Interrupted}))
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
	})
	f := root.PersistentFlags()
	f.StringVar(&a.home, "home", "", "folder of all configuration and state (default: $CFGVAULT_HOME, else the XDG folders)")
	f.StringVar(&a.config, "config", "", "configuration file (default: config.yaml in the home)")
	f.StringVarP(&a.identity, "identity", "i", "", "age identity file that opens snapshots (default: the one that init made)")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "log what is done on stderr")
	root.AddGroup(
		&cobra.Group{ID: "work", Title: "The main job:"},
		&cobra.Group{ID: "look", Title: "Looking:"},
		&cobra.Group{ID: "setup", Title: "Setting up:"},
		&cobra.Group{ID: "tools", Title: "Tools:"},
	)
	for _, g := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{"work", []*cobra.Command{a.backup(), a.restore(), a.replace(), a.upgrade(), a.wipe(), a.rehearse(), a.check()}},
		{"look", []*cobra.Command{a.list(), a.show(), a.diff(), a.convert(), a.report(), a.workflow(), a.receipt()}},
		{"setup", []*cobra.Command{a.init(), a.device(), a.recover(), a.key(), a.vaultCmd()}},
		{"tools", []*cobra.Command{a.schema(), a.plugin(), a.simulate(), a.demo(), a.completion(), a.version()}},
	} {
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	root.SetHelpCommand(&cobra.Command{Use: "help [COMMAND]", Short: "Help about a command", Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			cmd, _, err := root.Find(args)
			if err != nil {
				return usageError{err}
			}
			return cmd.Help()
		}})
	return root
}

// command describes one command. Every help text ends with an example and the
// exit statuses it can give.
type command struct {
	use, short, long, example string
	status                    []Status
	args                      cobra.PositionalArgs
	run                       func(ctx context.Context, args []string) error
}

func (c command) cobra() *cobra.Command {
	cmd := &cobra.Command{
		Use:   c.use,
		Short: c.short,
		Long:  strings.TrimSpace(c.short + ".\n\n" + strings.TrimSpace(c.long)),
		Args: func(cmd *cobra.Command, args []string) error {
			if c.args == nil {
				return nil
			}
			if err := c.args(cmd, args); err != nil {
				return usageError{fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())}
			}
			return nil
		},
		Example: indent(c.example),
	}
	if c.run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) }
	} else {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q for %q; see `%s --help`", args[0], cmd.CommandPath(), cmd.CommandPath())}
			}
			return cmd.Help()
		}
	}
	cmd.SetUsageTemplate(usageTemplate + exitHelp(c.status))
	return cmd
}

// usageTemplate ends with an example; the exit statuses follow.
const usageTemplate = `Usage:{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{else}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if eq (len .Groups) 0}}

Commands:{{range $cmds}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{else}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasExample}}

EXAMPLE
{{.Example}}{{end}}

EXIT STATUS
`

func exitHelp(extra []Status) string {
	all := append([]Status{Done, Failed, Usage}, extra...)
	slices.Sort(all)
	all = slices.Compact(all)
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "  %-4d %s\n", int(s), meaning[s])
	}
	return b.String()
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ")
}

// logger logs to stderr: warnings, or everything with --verbose.
func (a *app) logger() *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

func (a *app) findHome() (agent.Home, error) {
	return agent.FindHome(a.home, a.config, os.Getenv)
}

func (a *app) options() (agent.Options, error) {
	home, err := a.findHome()
	if err != nil {
		return agent.Options{}, err
	}
	exe, err := os.Executable()
	if err != nil {
		return agent.Options{}, fmt.Errorf("own executable: %w", err)
	}
	return agent.Options{
		Home: home, Identity: a.identity, Executable: exe, Builtin: builtin.Names(),
		Ask: a.ask, Twin: simulatedTwin, Log: a.logger(),
	}, nil
}

// open opens the home with its vault.
func (a *app) open(ctx context.Context) (*agent.Agent, error) {
	o, err := a.options()
	if err != nil {
		return nil, err
	}
	return agent.Open(ctx, o)
}

// openOffline opens the home without its vault.
func (a *app) openOffline() (*agent.Agent, error) {
	o, err := a.options()
	if err != nil {
		return nil, err
	}
	return agent.OpenOffline(o)
}

// terminal reports whether a person can be asked.
func (a *app) terminal() bool {
	f, ok := a.err.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && term.IsTerminal(int(a.in.Fd()))
}

// ask asks for a secret, without echo.
func (a *app) ask(prompt string) (string, error) {
	if !a.terminal() {
		return "", fmt.Errorf("%s: there is no terminal to ask on", prompt)
	}
	fmt.Fprint(a.err, clean(prompt)+": ")
	secret, err := term.ReadPassword(int(a.in.Fd()))
	fmt.Fprintln(a.err)
	return string(secret), err
}

// printJSON prints one JSON value.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// note prints a line for people on stderr.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.err, clean(fmt.Sprintf(format, args...)))
}

// jsonFlag adds --json to a command that reads.
func (a *app) jsonFlag(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&a.json, "json", false, "print JSON")
	return c
}
