package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/schemas"
)

func (a *app) schemaTree() *cobra.Command {
	var f schemaFlags
	var o schemas.DiagramOptions
	cmd := command{
		use: "tree [MODULE…]", short: "Print tree diagrams (RFC 8340)",
		long:    "Prints the tree diagrams of modules, each a FILE.yang or a NAME; without any, of\ncfgvault's own.",
		example: "cfgvault schema tree cfgvault-interfaces",
		run: verdict(func(_ context.Context, args []string) error {
			f.noCache = true // it has no statements, which a diagram shows
			f.modules = append(f.modules, args...)
			var only []string
			for _, m := range f.modules {
				if strings.HasSuffix(m, ".yang") {
					text, err := readInput(a.in, m)
					if err != nil {
						return usageError{err}
					}
					if m, _, err = schemas.ModuleName(text, m); err != nil {
						return a.invalidModules(args, err)
					}
				}
				name, _, _ := strings.Cut(m, "@")
				only = append(only, name)
			}
			set, err := f.load(own)
			if err != nil {
				return err
			}
			return set.Diagram(a.out, o, only...)
		}),
	}.cobra()
	f.add(cmd)
	cmd.Flags().IntVar(&o.Width, "width", 0, "break lines that are longer, 0 for never (RFC documents have 72)")
	cmd.Flags().BoolVar(&o.Groupings, "groupings", false, "draw groupings too")
	return cmd
}

func (a *app) schemaList() *cobra.Command {
	var f schemaFlags
	var as, to string
	cmd := command{
		use: "list", short: "List the modules of a schema set",
		long: `Lists the modules of a schema set; without --module, cfgvault's own. --format
yang-library prints the RFC 8525 document, which --yang-library reads, modules-state
its older form of RFC 7895.`,
		example: "cfgvault schema list --format yang-library --module-dir yang --module ietf-system",
		args:    cobra.NoArgs,
		run: verdict(func(context.Context, []string) error {
			set, err := f.load(own)
			if err != nil {
				return err
			}
			switch as {
			case "table":
			case "yang-library", "modules-state":
				return a.writeLibrary(set.Library(), as == "modules-state", to)
			default:
				return usageError{fmt.Errorf("--format %q: want table, yang-library or modules-state", as)}
			}
			if a.json {
				out := []map[string]any{}
				for _, m := range set.Modules() {
					out = append(out, map[string]any{"name": m.Name, "revision": m.Revision, "namespace": m.Namespace, "implemented": m.Implemented, "features": list(m.Features)})
				}
				return a.printJSON(map[string]any{"hash": set.Hash(), "modules": out})
			}
			rows := [][]string{{"MODULE", "REVISION", "NAMESPACE", "USE"}}
			for _, m := range set.Modules() {
				use := "imported"
				if m.Implemented {
					use = "implemented"
				}
				rows = append(rows, []string{m.Name, m.Revision, m.Namespace, use})
			}
			table(a.out, rows)
			return nil
		}),
	}.cobra()
	f.add(cmd)
	cmd.Flags().StringVar(&as, "format", "table", "table, yang-library or modules-state")
	cmd.Flags().StringVar(&to, "to", "json", "encoding of a YANG library: json or xml")
	return a.jsonFlag(cmd)
}

func (a *app) writeLibrary(l *schemas.Library, legacy bool, to string) error {
	var out []byte
	switch to {
	case "json":
		out = l.JSON(legacy, "  ")
	case "xml":
		out = append(l.XML(legacy), '\n')
	default:
		return usageError{fmt.Errorf("--to %q: want json or xml", to)}
	}
	_, err := a.out.Write(out)
	return err
}
