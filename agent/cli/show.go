package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins"
)

func (a *app) show() *cobra.Command {
	var native string
	var tree, manifest, residual, reveal bool
	cmd := command{
		use:   "show REF",
		short: "Show a snapshot",
		long: `Opens a snapshot with your identity and prints what is in it. Secrets are hidden
unless --reveal. REF is DEVICE, DEVICE@latest, DEVICE@2026-11-20T02:00 or the
beginning of an id.`,
		example: `cfgvault show core1
cfgvault show core1@2026-11-20T02:00 --native running-config --reveal > core1.cfg`,
		status: []Status{NoVault, NotFound, NoIdentity, Integrity},
		args:   cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			if n := count(native != "", tree, manifest, residual); n > 1 {
				return usageError{errors.New("choose one of --native, --tree, --manifest and --residual")}
			}
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			x, err := ag.Index(ctx)
			if err != nil {
				return err
			}
			e, err := ag.Resolve(x, args[0])
			if err != nil {
				return err
			}
			o, err := ag.Fetch(ctx, e)
			if err != nil {
				return err
			}
			switch {
			case native != "":
				return a.showNative(o, native, reveal)
			case tree:
				data, err := o.ShowTree(reveal)
				if err != nil {
					return err
				}
				fmt.Fprintln(a.out, strings.TrimRight(clean(string(data)), "\n"))
				return nil
			case residual:
				return a.showResidual(o)
			}
			return a.showSummary(o, agent.NewGrades(x).Of(o.Entry), manifest)
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&native, "native", "", "print one artefact, byte for byte with --reveal")
	f.BoolVar(&tree, "tree", false, "print the normalised tree")
	f.BoolVar(&manifest, "manifest", false, "print what the snapshot says of itself, as JSON")
	f.BoolVar(&residual, "residual", false, "print what the driver made of each native line")
	f.BoolVar(&reveal, "reveal", false, "show secrets")
	return a.jsonFlag(cmd)
}

func count(flags ...bool) int {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}

func (a *app) showNative(o *agent.Opened, name string, reveal bool) error {
	art, err := o.Artefact(name)
	if err != nil {
		return err
	}
	text := string(art.Data)
	if !reveal {
		text = o.Hidden(art)
	}
	// A file gets the bytes; a terminal never gets a device's escape sequences.
	if f, ok := a.out.(interface{ Fd() uintptr }); ok && term.IsTerminal(int(f.Fd())) {
		text = clean(text)
	}
	_, err = fmt.Fprint(a.out, text)
	return err
}

type artefactJSON struct {
	Name   string            `json:"name"`
	Role   plugins.Role      `json:"role"`
	Bind   plugins.Bind      `json:"bind,omitempty"`
	Source string            `json:"source,omitempty"`
	Attrs  map[string]string `json:"attrs,omitempty"`
	Size   int               `json:"size"`
}

func (a *app) showSummary(o *agent.Opened, grade agent.Grade, manifest bool) error {
	var files []artefactJSON
	for _, art := range o.Artefacts {
		files = append(files, artefactJSON{art.Name, art.Role, art.Bind, art.Source, art.Attrs, len(art.Data)})
	}
	if a.json || manifest {
		return a.printJSON(map[string]any{
			"id": o.Entry.ID(), "object": o.Entry.Object, "sha256": o.Entry.SHA256, "time": o.Entry.Time, "kind": o.Entry.Kind,
			"verdict": o.Entry.Verdict, "grade": grade, "held": o.Entry.Held, "reasons": o.Reasons,
			"meta": o.Meta, "artefacts": files, "tree": o.Tree != nil, "coverage": o.Coverage,
		})
	}
	rows := [][]string{
		{"device", o.Meta.Name}, {"snapshot", o.Entry.ID()}, {"taken", o.Entry.Time.Local().Format(time.DateTime)},
		{"kind", string(o.Entry.Kind)}, {"verdict", string(o.Entry.Verdict)}, {"grade", string(grade)},
		{"driver", o.Meta.Driver + " " + o.Meta.Version}, {"unit", unitText(o.Meta.Facts)},
	}
	for _, r := range o.Reasons {
		rows = append(rows, []string{"reason", string(r.Code) + ": " + r.Text})
	}
	for _, f := range files {
		rows = append(rows, []string{"artefact", fmt.Sprintf("%s (%s, %d bytes)", f.Name, f.Role, f.Size)})
	}
	if o.Tree == nil {
		rows = append(rows, []string{"tree", "none"})
	} else {
		rows = append(rows, []string{"tree", coverageText(o.Coverage)})
	}
	table(a.out, rows)
	return nil
}

// coverageText sums up how much of the native text the tree holds.
func coverageText(c []plugins.Coverage) string {
	sum := map[plugins.Class]int{}
	for _, s := range c {
		for class, n := range s.Lines {
			sum[class] += n
		}
	}
	var parts []string
	for _, class := range []plugins.Class{plugins.Mapped, plugins.Boilerplate, plugins.SecretOpaque, plugins.Unparsed} {
		if sum[class] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", sum[class], class))
		}
	}
	return "lines: " + strings.Join(parts, ", ")
}

func (a *app) showResidual(o *agent.Opened) error {
	if a.json {
		return a.printJSON(map[string]any{"lines": o.Lines, "coverage": o.Coverage})
	}
	return a.printResidual(o.Lines, o.Coverage)
}

// printResidual prints coverage by section, then each line that is not mapped.
func (a *app) printResidual(lines []plugins.Line, coverage []plugins.Coverage) error {
	classes := []plugins.Class{plugins.Mapped, plugins.Boilerplate, plugins.Volatile, plugins.SecretOpaque, plugins.Unparsed}
	rows := [][]string{{"ARTEFACT", "SECTION", "MAPPED", "BOILERPLATE", "VOLATILE", "SECRET-OPAQUE", "UNPARSED"}}
	for _, c := range coverage {
		row := []string{c.Artefact, c.Section}
		for _, class := range classes {
			row = append(row, fmt.Sprint(c.Lines[class]))
		}
		rows = append(rows, row)
	}
	table(a.out, rows)
	if len(lines) == 0 {
		return nil
	}
	fmt.Fprintln(a.out)
	rows = [][]string{{"LINE", "CLASS", "RULE", "SECTION"}}
	for _, l := range slices.SortedFunc(slices.Values(lines), func(x, y plugins.Line) int {
		if c := strings.Compare(x.Artefact, y.Artefact); c != 0 {
			return c
		}
		return x.Number - y.Number
	}) {
		rows = append(rows, []string{fmt.Sprintf("%s:%d", l.Artefact, l.Number), string(l.Class), l.Rule, l.Section})
	}
	table(a.out, rows)
	return nil
}
