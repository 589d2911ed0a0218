package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/schemas"
)

func (a *app) schema() *cobra.Command {
	cmd := command{use: "schema", short: "YANG modules and data", long: "Validates data against YANG modules and shows modules.", example: "cfgvault schema list"}.cobra()
	cmd.AddCommand(a.schemaValidate(), a.schemaTree(), a.schemaList())
	return cmd
}

// schemaFlags say which modules, found where, with which features.
type schemaFlags struct {
	modules, dirs, features []string
}

func (f *schemaFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.modules, "module", nil, "module to implement: a FILE.yang or NAME[@REVISION] (may be repeated)")
	fl.StringArrayVar(&f.dirs, "module-dir", nil, "folder in which imports are searched (may be repeated); never the current one by itself")
	fl.StringArrayVar(&f.features, "features", nil, "all, none, or MODULE:F1,F2 (may be repeated; default all)")
}

// sources are where modules are searched, and the names of those that were
// asked for.
func (f *schemaFlags) sources() (search []schemas.Source, names []string, err error) {
	files := map[string][]byte{}
	for _, m := range f.modules {
		if !strings.HasSuffix(m, ".yang") {
			names = append(names, m)
			continue
		}
		text, err := os.ReadFile(m)
		if err != nil {
			return nil, nil, usageError{err}
		}
		name, rev, err := schemas.ModuleName(text, m)
		if err != nil {
			return nil, nil, err
		}
		files[m] = text
		if rev != "" {
			name += "@" + rev
		}
		names = append(names, name)
	}
	search = append(search, schemas.Files(files))
	for _, d := range f.dirs {
		if info, err := os.Stat(d); err != nil || !info.IsDir() {
			return nil, nil, usageError{fmt.Errorf("--module-dir %s: not a folder", d)}
		}
		src, err := schemas.FS(os.DirFS(d))
		if err != nil {
			return nil, nil, usageError{err}
		}
		search = append(search, src)
	}
	return append(search, schemas.Embedded()), names, nil
}

// load compiles the chosen modules; without a choice, those that otherwise
// names.
func (f *schemaFlags) load(otherwise func(search []schemas.Source) ([]string, error)) (*schemas.Set, error) {
	search, names, err := f.sources()
	if err != nil {
		return nil, err
	}
	feature, err := schemas.ParseFeatures(f.features)
	if err != nil {
		return nil, usageError{err}
	}
	if len(names) == 0 {
		if names, err = otherwise(search); err != nil {
			return nil, err
		}
	}
	return schemas.Load(schemas.Options{Search: search, Feature: feature}, names...)
}

// own names cfgvault's own modules.
func own([]schemas.Source) ([]string, error) { return schemas.EmbeddedNames(), nil }

func (a *app) schemaValidate() *cobra.Command {
	var f schemaFlags
	var format, kind string
	cmd := command{
		use: "validate FILE", short: "Validate data against YANG modules",
		long: `Reads RFC 7951 JSON, bare or in an RFC 9195 envelope, or RFC 7950 XML, and checks
it against YANG modules. Without --module the modules are those that the data's
top-level members name. "-" reads standard input.`,
		example: "cfgvault schema validate --module ietf-system.yang --module-dir yang system.json",
		args:    cobra.ExactArgs(1),
		run: func(_ context.Context, args []string) error {
			if format != "json" && format != "xml" {
				return usageError{fmt.Errorf("--format %q: want json or xml", format)}
			}
			if kind != "config" && kind != "data" {
				return usageError{fmt.Errorf("--type %q: want config or data", kind)}
			}
			data, err := readInput(a.in, args[0])
			if err != nil {
				return err
			}
			o := schemas.ParseOptions{XML: format == "xml", ConfigOnly: kind == "config"}
			var unnamed error
			set, err := f.load(func(search []schemas.Source) ([]string, error) {
				names, err := schemas.DataModules(data, o, search...)
				unnamed = err
				return names, err
			})
			switch {
			case unnamed != nil:
				return a.invalid(args[0], unnamed)
			case err != nil:
				return usageError{fmt.Errorf("the modules cannot be used:\n%w", err)}
			}
			t, err := set.Parse(data, o)
			if err == nil {
				err = set.Validate(t)
			}
			if err != nil {
				return a.invalid(args[0], err)
			}
			return nil
		},
	}.cobra()
	f.add(cmd)
	cmd.Flags().StringVar(&format, "format", "json", "format of the data: json or xml")
	cmd.Flags().StringVar(&kind, "type", "data", "config: state data is an error; data: both")
	return cmd
}

// invalid prints each fault of the data and gives the verdict.
func (a *app) invalid(file string, err error) error {
	faults := schemas.Faults(err)
	for _, f := range faults {
		a.note("%s: %v", file, f)
	}
	return statusError{Failed, fmt.Errorf("%s is not valid: %d faults", file, len(faults))}
}

func (a *app) schemaTree() *cobra.Command {
	var f schemaFlags
	cmd := command{
		use: "tree [MODULE…]", short: "Print tree diagrams (RFC 8340)",
		long:    "Prints the tree diagrams of modules; without any, of cfgvault's own.",
		example: "cfgvault schema tree cfgvault-interfaces",
		run: func(_ context.Context, args []string) error {
			f.modules = append(f.modules, args...)
			set, err := f.load(own)
			if err != nil {
				return err
			}
			var only []string
			for _, m := range args {
				if strings.HasSuffix(m, ".yang") {
					only = nil
					break
				}
				name, _, _ := strings.Cut(m, "@")
				only = append(only, name)
			}
			return set.Diagram(a.out, only...)
		},
	}.cobra()
	f.add(cmd)
	return cmd
}

func (a *app) schemaList() *cobra.Command {
	var f schemaFlags
	cmd := command{
		use: "list", short: "List modules",
		long:    "Lists the modules of a schema set; without --module, cfgvault's own.",
		example: "cfgvault schema list --json",
		args:    cobra.NoArgs,
		run: func(context.Context, []string) error {
			set, err := f.load(own)
			if err != nil {
				return err
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
		},
	}.cobra()
	f.add(cmd)
	return a.jsonFlag(cmd)
}
