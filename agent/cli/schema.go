package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/schemas"
)

func (a *app) schema() *cobra.Command {
	cmd := command{use: "schema", short: "YANG modules and data",
		long: `Checks YANG modules, validates data against them, shows modules, and converts,
compares, patches and merges data.`,
		example: "cfgvault schema validate --module-dir yang running.json"}.cobra()
	cmd.AddCommand(a.schemaValidate(), a.schemaCheck(), a.schemaConvert(), a.schemaCanonical(), a.schemaDiff(), a.schemaPatch(), a.schemaMerge(),
		a.schemaSelect(), a.schemaRedact(), a.schemaTree(), a.schemaList())
	return cmd
}

// verdict runs a command whose status 1 is a verdict on what it was given: any
// other error is 2, so that a fault of ours never looks like one.
func verdict(run func(context.Context, []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		err := run(ctx, args)
		var given statusError
		if err == nil || errors.As(err, &given) || errors.Is(err, context.Canceled) {
			return err
		}
		return usageError{err}
	}
}

// schemaFlags say which modules, found where, with which features, and how data
// is read.
type schemaFlags struct {
	modules, dirs, features []string
	library, structure      string
	format, kind            string
	noCache                 bool
	parts                   bool // a submodule stands for the module it belongs to
}

func (f *schemaFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringArrayVar(&f.modules, "module", nil, "module to implement: a FILE.yang or NAME[@REVISION] (may be repeated)")
	fl.StringArrayVar(&f.dirs, "module-dir", nil, "folder in which modules and imports are searched (may be repeated); never the current one by itself")
	fl.StringArrayVar(&f.features, "features", nil, "all, none, or MODULE:F1,F2 (may be repeated; default all)")
	fl.StringVar(&f.library, "yang-library", "", "file with an RFC 8525 or RFC 7895 YANG library that names the modules and features")
	fl.BoolVar(&f.noCache, "no-cache", false, "compile the modules even if they are in the cache")
}

// addData adds the flags of commands that read data.
func (f *schemaFlags) addData(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().StringVar(&f.format, "format", "", "format of the data: json or xml (default: what it looks like)")
	cmd.Flags().StringVar(&f.structure, "structure", "", "MODULE:NAME of the RFC 8791 structure or yang-data template that the data is, not a datastore")
	cmd.Flags().StringVar(&f.kind, "type", "data", "config: state is an error, and not missed; data: both")
}

// sources are where modules are searched, and the names of those that were
// asked for.
func (f *schemaFlags) sources() (search []schemas.Source, names []string, err error) {
	files := map[string][]byte{}
	wholes := map[string]string{} // file of a submodule → its module
	for _, m := range f.modules {
		if !strings.HasSuffix(m, ".yang") {
			if strings.ContainsRune(m, filepath.Separator) || strings.HasSuffix(m, ".yin") {
				return nil, nil, usageError{fmt.Errorf("--module %s: want a FILE.yang or NAME[@REVISION]", m)}
			}
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
		if whole := schemas.BelongsTo(text, m); f.parts && whole != "" {
			name, rev, wholes[m] = whole, "", whole
		}
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
	search = append(search, schemas.Embedded())
	for _, part := range slices.Sorted(maps.Keys(wholes)) {
		if !slices.ContainsFunc(search, func(s schemas.Source) bool {
			_, _, err := s.Module(wholes[part], "")
			return !errors.Is(err, fs.ErrNotExist)
		}) {
			return nil, nil, fmt.Errorf("%s: a submodule is compiled with its module, and module %s was not found", part, wholes[part])
		}
	}
	return search, names, nil
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
	if f.library != "" {
		text, err := os.ReadFile(f.library)
		if err != nil {
			return nil, usageError{err}
		}
		lib, err := schemas.ReadLibrary(text, looksLikeXML(string(text)))
		if err != nil {
			return nil, usageError{fmt.Errorf("--yang-library %s: %w", f.library, err)}
		}
		names = append(names, lib.Names()...)
		if f.features == nil {
			feature = lib.Feature
		}
	}
	if len(names) == 0 {
		if names, err = otherwise(search); err != nil {
			return nil, err
		}
	}
	asked := make(map[string]bool)
	o := schemas.Options{Search: search, Feature: func(module, name string) bool {
		asked[module+":"+name] = true
		return feature(module, name)
	}}
	if cache, err := os.UserCacheDir(); err == nil && !f.noCache {
		o.Cache = filepath.Join(cache, "cfgvault", "schemas")
	}
	set, err := schemas.Load(o, names...)
	if err != nil {
		return nil, err
	}
	return set, f.knownFeatures(set, asked)
}

// knownFeatures refuses a feature that its module does not have: a slip that
// would turn all its features off.
func (f *schemaFlags) knownFeatures(set *schemas.Set, asked map[string]bool) error {
	for _, word := range f.features {
		module, list, _ := strings.Cut(word, ":")
		if !slices.ContainsFunc(set.Modules(), func(m schemas.Module) bool { return m.Name == module }) {
			continue // it may be that of other data
		}
		for name := range strings.SplitSeq(list, ",") {
			if name != "" && !asked[module+":"+name] {
				return usageError{fmt.Errorf("--features %s: module %s has no feature %q", word, module, name)}
			}
		}
	}
	return nil
}

// own names cfgvault's own modules.
func own([]schemas.Source) ([]string, error) { return schemas.EmbeddedNames(), nil }

// dataFile is a file of data, or of a patch, as it was read.
type dataFile struct {
	name string
	text string
	xml  bool
}

func (f *schemaFlags) read(stdin io.Reader, name string) (dataFile, error) {
	d := dataFile{name: name}
	in, size := stdin, int64(0)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return d, usageError{err}
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in = f
	}
	var err error
	if d.text, err = schemas.ReadText(in, size); err != nil {
		return d, usageError{fmt.Errorf("%s: %w", name, err)}
	}
	d.xml, err = f.isXML(d.text)
	return d, err
}

// isXML decides by --format, or by how the data begins.
func (f *schemaFlags) isXML(text string) (bool, error) {
	switch f.format {
	case "json", "xml":
		return f.format == "xml", nil
	case "":
		return looksLikeXML(text), nil
	}
	return false, usageError{fmt.Errorf("--format %q: want json or xml", f.format)}
}

func looksLikeXML(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(text[:min(len(text), 4096)], "\ufeff"), " \t\r\n"), "<")
}

func (f *schemaFlags) options(d dataFile) schemas.ParseOptions {
	return schemas.ParseOptions{XML: d.xml, ConfigOnly: f.kind == "config"}
}

// open reads files of data with one set. What is wrong with the data is the
// verdict.
func (f *schemaFlags) open(a *app, names ...string) (*schemas.Set, []*schemas.Tree, []dataFile, error) {
	var files []dataFile
	for i, n := range names {
		if n == "-" && slices.Contains(names[:i], "-") {
			return nil, nil, nil, usageError{errors.New("standard input can be read once")}
		}
		d, err := f.read(a.in, n)
		if err != nil {
			return nil, nil, nil, err
		}
		files = append(files, d)
	}
	set, err := f.setFor(a, files)
	if err != nil {
		return nil, nil, nil, err
	}
	var trees []*schemas.Tree
	for i, d := range files {
		t, err := set.ParseText(d.text, f.options(d))
		if err != nil {
			return nil, nil, nil, a.invalid(d.name, err)
		}
		files[i].text = ""
		trees = append(trees, t)
	}
	return set, trees, files, nil
}

// setFor loads the modules that were chosen, or else those that the files name.
func (f *schemaFlags) setFor(a *app, files []dataFile) (*schemas.Set, error) {
	if f.kind != "config" && f.kind != "data" {
		return nil, usageError{fmt.Errorf("--type %q: want config or data", f.kind)}
	}
	var faulty dataFile
	var unnamed error
	set, err := f.load(func(search []schemas.Source) ([]string, error) {
		var all []string
		for _, d := range files {
			modules, err := f.modulesOf(d, search)
			if err != nil {
				faulty, unnamed = d, err
				return nil, err
			}
			for _, m := range modules {
				if !slices.Contains(all, m) {
					all = append(all, m)
				}
			}
		}
		return all, nil
	})
	switch {
	case unnamed != nil:
		return nil, a.invalid(faulty.name, unnamed)
	case err != nil:
		return nil, usageError{fmt.Errorf("the modules cannot be used:\n%w", err)}
	}
	if f.structure != "" {
		module, name, _ := strings.Cut(f.structure, ":")
		whole := set
		if set = whole.Structure(module, name); set == nil {
			return nil, usageError{fmt.Errorf("--structure %s: the modules have %s", f.structure, cmp.Or(strings.Join(whole.Structures(), ", "), "no structures"))}
		}
	}
	return set, nil
}

// modulesOf returns the modules that data names: in the schema of its
// instance-data envelope, or by its top-level members.
func (f *schemaFlags) modulesOf(d dataFile, search []schemas.Source) ([]string, error) {
	e, ok, err := schemas.ReadEnvelope(d.text, d.xml)
	switch {
	case err != nil:
		return nil, err
	case !ok:
	case len(e.Modules) > 0:
		return e.Modules, nil
	case e.Library != nil:
		return e.Library.Names(), nil
	case e.SameAs != "":
		return f.sameAs(d, e.SameAs, search)
	}
	return schemas.DataModules(d.text, f.options(d), search...)
}

// sameAs follows same-schema-as-file to a file beside the one that names it.
// Other URIs are not fetched.
func (f *schemaFlags) sameAs(d dataFile, uri string, search []schemas.Source) ([]string, error) {
	path := strings.TrimPrefix(uri, "file:")
	if strings.Contains(path, "//") || !filepath.IsLocal(path) || d.name == "-" {
		return nil, fmt.Errorf("the schema is that of %s, which is not a file beside this one: name the modules with --module", uri)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(d.name), path))
	if err != nil {
		return nil, fmt.Errorf("the schema is that of another file: %w", err)
	}
	other := dataFile{name: path, text: string(text), xml: looksLikeXML(string(text))}
	e, ok, err := schemas.ReadEnvelope(text, other.xml)
	if err != nil || !ok || e.SameAs != "" {
		return nil, fmt.Errorf("the schema is that of %s, which names none: name the modules with --module", uri)
	}
	return f.modulesOf(other, search)
}

// faultLine is a fault as one line: FILE:LINE:COL: path: what (rule).
func faultLine(file string, err error) string {
	var data *schemas.PathError
	var edit *schemas.PatchError
	switch {
	case errors.As(err, &edit):
		return fmt.Sprintf("%s:%d:%d: %v", file, edit.Line, edit.Column, edit)
	case !errors.As(err, &data):
		return fmt.Sprintf("%s: %v", file, err)
	}
	at := file
	if data.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", file, data.Line, data.Column)
	}
	line := fmt.Sprintf("%s: %s: %s", at, data.Path, data.Message)
	if data.Rule != "" {
		line += " (" + data.Rule + ")"
	}
	return strings.ReplaceAll(line, "\n", `\n`)
}

// fault is a fault in JSON.
type fault struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Rule    string `json:"rule,omitempty"`
	AppTag  string `json:"error-app-tag,omitempty"`
	Message string `json:"message"`
}

func faultsOf(file string, err error) []fault {
	out := []fault{}
	for _, e := range schemas.Faults(err) {
		f := fault{File: file, Message: e.Error()}
		var data *schemas.PathError
		var module *schemas.ModuleError
		switch {
		case errors.As(e, &data):
			f.Line, f.Column, f.Path, f.Rule, f.AppTag, f.Message = data.Line, data.Column, data.Path, data.Rule, data.AppTag, data.Message
		case errors.As(e, &module):
			f.File, f.Line, f.Column, f.Rule, f.Message = module.File, module.Line, module.Column, module.Rule, module.Message
		}
		out = append(out, f)
	}
	return out
}

// invalid prints each fault of the data and gives the verdict.
func (a *app) invalid(file string, err error) error {
	faults := schemas.Faults(err)
	if a.json {
		if err := a.printJSON(map[string]any{"valid": false, "faults": faultsOf(file, err)}); err != nil {
			return err
		}
	} else {
		for _, f := range faults {
			a.note("%s", faultLine(file, f))
		}
	}
	what := "1 fault"
	if len(faults) != 1 {
		what = fmt.Sprintf("%d faults", len(faults))
	}
	return statusError{Failed, fmt.Errorf("%s is not valid: %s", file, what)}
}
