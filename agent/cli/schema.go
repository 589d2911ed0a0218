package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
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

// load compiles the chosen modules; without a choice, those of want.
func (f *schemaFlags) load(want []string) (*schemas.Set, error) {
	var o schemas.Options
	files := map[string][]byte{}
	var names []string
	for _, m := range f.modules {
		if !strings.HasSuffix(m, ".yang") {
			names = append(names, m)
			continue
		}
		text, err := os.ReadFile(m)
		if err != nil {
			return nil, usageError{err}
		}
		name, rev, err := schemas.ModuleName(text, m)
		if err != nil {
			return nil, err
		}
		files[m] = text
		if rev != "" {
			name += "@" + rev
		}
		names = append(names, name)
	}
	o.Search = append(o.Search, schemas.Files(files))
	for _, d := range f.dirs {
		if info, err := os.Stat(d); err != nil || !info.IsDir() {
			return nil, usageError{fmt.Errorf("--module-dir %s: not a folder", d)}
		}
		src, err := schemas.FS(os.DirFS(d))
		if err != nil {
			return nil, usageError{err}
		}
		o.Search = append(o.Search, src)
	}
	o.Search = append(o.Search, schemas.Embedded())
	var err error
	if o.Feature, err = featureChoice(f.features); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = want
	}
	return schemas.Load(o, names...)
}

// featureChoice reads --features. A module that is named has just the features
// that are named; the others follow all or none.
func featureChoice(args []string) (func(module, feature string) bool, error) {
	all := true
	named := map[string][]string{}
	for _, arg := range args {
		switch module, list, ok := strings.Cut(arg, ":"); {
		case arg == "all":
			all = true
		case arg == "none":
			all = false
		case ok && module != "":
			named[module] = append(named[module], strings.Split(list, ",")...)
		default:
			return nil, usageError{fmt.Errorf("--features %q: want all, none or MODULE:FEATURE,…", arg)}
		}
	}
	return func(module, feature string) bool {
		if on, ok := named[module]; ok {
			return slices.Contains(on, feature)
		}
		return all
	}, nil
}

// topModules are the modules that a document's top-level members name
// (RFC 7951 §4).
func topModules(data []byte) ([]string, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	const envelope = "ietf-yang-instance-data:instance-data-set"
	if inner, ok := top[envelope]; ok {
		var set struct {
			Content json.RawMessage `json:"content-data"`
		}
		if err := json.Unmarshal(inner, &set); err != nil {
			return nil, fmt.Errorf("%s: %w", envelope, err)
		}
		return topModules(set.Content)
	}
	seen := map[string]bool{}
	for name := range top {
		module, _, ok := strings.Cut(strings.TrimPrefix(name, "@"), ":")
		if !ok {
			return nil, fmt.Errorf("top-level member %q names no module (RFC 7951 §4)", name)
		}
		seen[module] = true
	}
	var names []string
	for m := range seen {
		names = append(names, m)
	}
	sort.Strings(names)
	return names, nil
}

func (a *app) schemaValidate() *cobra.Command {
	var f schemaFlags
	var format, kind string
	cmd := command{
		use: "validate FILE", short: "Validate data against YANG modules",
		long: `Reads RFC 7951 JSON, bare or in an RFC 9195 envelope, and checks it against YANG
modules. Without --module the modules are those that the data's top-level
members name. "-" reads standard input.`,
		example: "cfgvault schema validate --module ietf-system.yang --module-dir yang system.json",
		args:    cobra.ExactArgs(1),
		run: func(_ context.Context, args []string) error {
			if format != "json" {
				return usageError{fmt.Errorf("--format %q: this version reads json", format)}
			}
			if kind != "config" && kind != "data" {
				return usageError{fmt.Errorf("--type %q: want config or data", kind)}
			}
			data, err := readInput(a.in, args[0])
			if err != nil {
				return err
			}
			invalid := func(err error) error { return statusError{Failed, fmt.Errorf("%s is not valid:\n%w", args[0], err)} }
			want, err := topModules(data)
			if err != nil && len(f.modules) == 0 {
				return invalid(err)
			}
			set, err := f.load(want)
			if err != nil {
				return usageError{fmt.Errorf("the modules cannot be used:\n%w", err)}
			}
			t, err := set.Parse(data, schemas.ParseOptions{ConfigOnly: kind == "config"})
			if err == nil {
				err = set.Validate(t)
			}
			if err != nil {
				return invalid(err)
			}
			return nil
		},
	}.cobra()
	f.add(cmd)
	cmd.Flags().StringVar(&format, "format", "json", "format of the data: json")
	cmd.Flags().StringVar(&kind, "type", "config", "config: state data is an error; data: both")
	return cmd
}

func (a *app) schemaTree() *cobra.Command {
	var f schemaFlags
	cmd := command{
		use: "tree [MODULE…]", short: "Print tree diagrams (RFC 8340)",
		long:    "Prints the tree diagrams of modules; without any, of cfgvault's own.",
		example: "cfgvault schema tree cfgvault-interfaces",
		run: func(_ context.Context, args []string) error {
			f.modules = append(f.modules, args...)
			set, err := f.load(schemas.EmbeddedNames())
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
			set, err := f.load(schemas.EmbeddedNames())
			if err != nil {
				return err
			}
			if set == nil {
				return errors.New("no modules")
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
