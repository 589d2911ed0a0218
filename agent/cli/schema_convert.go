package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/schemas"
)

// encoding writes trees as a command was told to.
type encoding struct {
	to     string
	indent int
}

func (e *encoding) add(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&e.to, "to", "", usage)
	cmd.Flags().IntVar(&e.indent, "indent", 2, "spaces for each level, 0 for none")
}

func (e *encoding) check() error {
	if e.indent < 0 || e.indent > 16 {
		return usageError{fmt.Errorf("--indent %d: want 0 to 16", e.indent)}
	}
	return nil
}

func (e *encoding) write(a *app, t *schemas.Tree, xml bool, file string) error {
	if err := e.check(); err != nil {
		return err
	}
	indent := strings.Repeat(" ", e.indent)
	var err error
	if xml {
		err = t.WriteXML(a.out, indent)
		var fault *schemas.PathError
		if errors.As(err, &fault) {
			return a.invalid(file, err)
		}
	} else if err = t.Check(); err != nil {
		return a.invalid(file, err)
	} else {
		err = t.WriteJSON(a.out, indent)
	}
	if err == nil && indent == "" {
		_, err = a.out.Write([]byte("\n"))
	}
	return err
}

// xml decides between the encodings; otherwise is for no --to.
func (e *encoding) xml(otherwise bool) (bool, error) {
	switch e.to {
	case "json", "xml":
		return e.to == "xml", nil
	case "":
		return otherwise, nil
	}
	return false, usageError{fmt.Errorf("--to %q: want json or xml", e.to)}
}

// convert writes a file in another encoding without holding it in memory.
func (f *schemaFlags) convert(a *app, e encoding, name string) error {
	d, in, err := f.twice(a.in, name)
	if err != nil {
		return err
	}
	if c, ok := in.(io.Closer); ok {
		defer c.Close()
	}
	set, err := f.setFor(a, []dataFile{d})
	if err != nil {
		return err
	}
	d.text = ""
	if err := e.check(); err != nil {
		return err
	}
	xml, err := e.xml(!d.xml)
	if err != nil {
		return err
	}
	err = set.Convert(a.out, in, f.options(d), schemas.Encoding{XML: xml, Indent: strings.Repeat(" ", e.indent)})
	var fault *schemas.PathError
	switch {
	case errors.As(err, &fault):
		return a.invalid(name, err)
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case e.indent == 0:
		_, err = a.out.Write([]byte("\n"))
	}
	return err
}

// twice opens data that can be read twice. What cannot is read into memory, as is
// what has to name its modules itself.
func (f *schemaFlags) twice(stdin io.Reader, name string) (d dataFile, in io.ReadSeeker, err error) {
	info, err := os.Stat(name)
	if name == "-" || err == nil && !info.Mode().IsRegular() {
		d, err = f.read(stdin, name)
		return d, strings.NewReader(d.text), err
	}
	if err != nil {
		return d, nil, usageError{err}
	}
	file, err := os.Open(name)
	if err != nil {
		return d, nil, usageError{err}
	}
	head := make([]byte, 4096)
	n, err := file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return d, nil, usageError{errors.Join(err, file.Close())}
	}
	d.name = name
	d.xml, err = f.isXML(string(head[:n]))
	if err == nil && len(f.modules) == 0 && f.library == "" {
		d, err = f.read(stdin, name)
	}
	if err != nil {
		return d, nil, errors.Join(err, file.Close())
	}
	return d, file, nil
}

func (a *app) schemaConvert() *cobra.Command {
	var f schemaFlags
	var e encoding
	var defaults string
	var envelope bool
	cmd := command{
		use: "convert FILE", short: "Convert data between XML and JSON",
		long: `Writes data in the other encoding, or in the one that --to names, in the order that
it has; with --defaults or --instance-data in canonical order. Syntax, names and
types are checked; what only holds for the data as a whole is not.

A file is read twice and not held in memory. Nothing is printed if there is a
fault (status 1); with status 2, after an error of reading or writing, what was
printed may be only a part.

` + dataHelp,
		example: "cfgvault schema convert --module-dir yang running.xml > running.json",
		args:    cobra.ExactArgs(1),
		run: verdict(func(_ context.Context, args []string) error {
			if defaults == "" && !envelope {
				return f.convert(a, e, args[0])
			}
			_, trees, files, err := f.open(a, args[0])
			if err != nil {
				return err
			}
			t := trees[0]
			xml, err := e.xml(!files[0].xml)
			if err != nil {
				return err
			}
			if defaults != "" {
				if t, err = t.WithDefaults(schemas.DefaultMode(defaults)); err != nil {
					return usageError{err}
				}
			}
			if !envelope {
				return e.write(a, t, xml, args[0])
			}
			if xml {
				out, err := t.InstanceDataXML(t.Envelope())
				if err != nil {
					return a.invalid(args[0], err)
				}
				_, err = a.out.Write(append(out, '\n'))
				return err
			}
			_, err = a.out.Write(append(t.InstanceData(t.Envelope()), '\n'))
			return err
		}),
	}.cobra()
	f.addData(cmd)
	e.add(cmd, "json or xml (default: the other one)")
	cmd.Flags().StringVar(&defaults, "defaults", "", "which defaults are written (RFC 6243): explicit, trim, report-all or report-all-tagged")
	cmd.Flags().BoolVar(&envelope, "instance-data", false, "write the canonical configuration in an RFC 9195 envelope")
	return cmd
}

func (a *app) schemaCanonical() *cobra.Command {
	var f schemaFlags
	cmd := command{
		use: "canonical FILE", short: "Print the canonical form of configuration",
		long: `Prints configuration as JSON in which the same configuration always has the same
bytes: members and entries of lists are sorted unless the user orders them,
values are in their canonical form, and state and defaults are left out.

` + dataHelp,
		example: "cfgvault schema canonical --module-dir yang running.xml | sha256sum",
		args:    cobra.ExactArgs(1),
		run: verdict(func(_ context.Context, args []string) error {
			_, trees, _, err := f.open(a, args[0])
			if err != nil {
				return err
			}
			if err := trees[0].Check(); err != nil {
				return a.invalid(args[0], err)
			}
			_, err = a.out.Write(append(trees[0].Canonical(), '\n'))
			return err
		}),
	}.cobra()
	f.addData(cmd)
	return cmd
}

func (a *app) schemaSelect() *cobra.Command {
	var f schemaFlags
	var e encoding
	var paths []string
	var class string
	cmd := command{
		use: "select FILE", short: "Print a part of data",
		long: `Prints what is at or below instance paths, and what leads there. A list without
predicates means all its entries: /m:interfaces/interface/mtu. --class picks the
values that our extensions put into a class.

` + dataHelp,
		example: "cfgvault schema select --path \"/cfgvault-interfaces:interfaces/interface[name='eth0']\" running.json",
		args:    cobra.ExactArgs(1),
		run: verdict(func(_ context.Context, args []string) error {
			if (len(paths) == 0) == (class == "") {
				return usageError{errors.New("want --path or --class")}
			}
			_, trees, files, err := f.open(a, args[0])
			if err != nil {
				return err
			}
			var part *schemas.Tree
			if class == "" {
				if part, err = trees[0].Select(paths...); err != nil {
					return usageError{err}
				}
			} else {
				c, err := parseClass(class)
				if err != nil {
					return err
				}
				part = trees[0].Classified(c)
			}
			xml, err := e.xml(files[0].xml)
			if err != nil {
				return err
			}
			return e.write(a, part, xml, args[0])
		}),
	}.cobra()
	f.addData(cmd)
	e.add(cmd, "json or xml (default: as it is)")
	cmd.Flags().StringArrayVar(&paths, "path", nil, "instance path (may be repeated)")
	cmd.Flags().StringVar(&class, "class", "", "secret, volatile, portable, model, unit or version")
	return cmd
}

func parseClass(s string) (schemas.Class, error) {
	switch s {
	case "secret":
		return schemas.Class{Secret: true}, nil
	case "volatile":
		return schemas.Class{Volatile: true}, nil
	case "portable", "model", "unit", "version":
		return schemas.Class{Bind: s}, nil
	}
	return schemas.Class{}, usageError{fmt.Errorf("--class %q: want secret, volatile, portable, model, unit or version", s)}
}

func (a *app) schemaRedact() *cobra.Command {
	var f schemaFlags
	var e encoding
	cmd := command{
		use: "redact FILE", short: "Hide the secrets in data",
		long: `Prints data with the values of secret nodes hidden. It is for showing: it need not
be valid. Nodes are secret by cfgvault-extensions: a statement in their module,
or cv-ext:annotate in a module of your own, which --module adds.

` + dataHelp,
		example: "cfgvault schema redact running.json",
		args:    cobra.ExactArgs(1),
		run: verdict(func(_ context.Context, args []string) error {
			_, trees, files, err := f.open(a, args[0])
			if err != nil {
				return err
			}
			xml, err := e.xml(files[0].xml)
			if err != nil {
				return err
			}
			return e.write(a, trees[0].Redact(), xml, args[0])
		}),
	}.cobra()
	f.addData(cmd)
	e.add(cmd, "json or xml (default: as it is)")
	return cmd
}
