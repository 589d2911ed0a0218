package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/schemas"
)

func (a *app) schemaDiff() *cobra.Command {
	var f schemaFlags
	var as, to, id string
	var code bool
	cmd := command{
		use: "diff A B", short: "Compare two configurations",
		long: `Prints the edits that lead from A to B. Order says something only where the user
orders, and defaults that are written out make no difference.

--format tree is for people, with secrets hidden; patch is an RFC 8072 YANG Patch for
cfgvault schema patch, which holds secrets in clear; json lists the edits.

` + dataHelp,
		example: "cfgvault schema diff --module-dir yang yesterday.json today.xml",
		args:    cobra.ExactArgs(2),
		run: verdict(func(_ context.Context, args []string) error {
			// --format names the output here, as it does of other commands; what
			// the files are is seen.
			as, f.format = f.format, ""
			set, trees, _, err := f.open(a, args...)
			if err != nil {
				return err
			}
			edits := schemas.Diff(trees[0], trees[1])
			if err := a.writeEdits(set, edits, as, to, id); err != nil {
				return err
			}
			if code && len(edits) > 0 {
				return statusError{status: Failed}
			}
			return nil
		}),
	}.cobra()
	f.addData(cmd)
	cmd.Flags().Lookup("format").Usage = "tree, patch or json (default tree)"
	cmd.Flags().StringVar(&to, "to", "json", "encoding of a patch: json or xml")
	cmd.Flags().StringVar(&id, "patch-id", "diff", "patch-id of a patch")
	cmd.Flags().BoolVar(&code, "exit-code", false, "exit with 1 if there are differences")
	return cmd
}

// editJSON is an edit in JSON; secrets are hidden.
type editJSON struct {
	Operation string `json:"operation"`
	Path      string `json:"path"`
	Old       string `json:"old,omitempty"`
	New       string `json:"new,omitempty"`
	After     string `json:"after,omitempty"`
}

func (a *app) writeEdits(set *schemas.Set, edits []schemas.Edit, as, to, id string) error {
	switch as {
	case "", "tree":
		return schemas.WriteTreeDiff(a.out, edits)
	case "json":
		out := []editJSON{}
		for _, e := range edits {
			before, after := e.Shown()
			out = append(out, editJSON{string(e.Op), e.Path, before, after, e.After})
		}
		return a.printJSON(out)
	case "patch":
	default:
		return usageError{fmt.Errorf("--format %q: want tree, patch or json", as)}
	}
	patch, err := set.NewPatch(id, edits)
	if err != nil {
		return err
	}
	switch to {
	case "json":
		_, err = a.out.Write(patch.JSON("  "))
	case "xml":
		var out []byte
		if out, err = patch.XML(); err == nil {
			_, err = a.out.Write(append(out, '\n'))
		}
	default:
		err = usageError{fmt.Errorf("--to %q: want json or xml", to)}
	}
	return err
}

func (a *app) schemaPatch() *cobra.Command {
	var f schemaFlags
	var e encoding
	cmd := command{
		use: "patch FILE PATCH", short: "Apply a YANG Patch to data",
		long: `Makes the edits of an RFC 8072 YANG Patch, all or none, and prints the result if
it is valid. With --json it prints the yang-patch-status of RFC 8072 instead of an
error for people.

` + dataHelp,
		example: "cfgvault schema patch --module-dir yang running.json changes.json > new.json",
		args:    cobra.ExactArgs(2),
		run: verdict(func(_ context.Context, args []string) error {
			status := a.json
			a.json = false
			set, trees, files, err := f.open(a, args[0])
			if err != nil {
				return err
			}
			text, err := f.read(a.in, args[1])
			if err != nil {
				return err
			}
			if f.format != "" {
				text.xml = looksLikeXML(text.text) // --format is that of the data
			}
			patch, err := set.ReadPatch([]byte(text.text), f.options(text))
			if err != nil {
				return a.unpatched(args[1], "", err, status)
			}
			out, err := trees[0].Patch(patch)
			if err != nil {
				return a.unpatched(args[1], patch.ID, err, status)
			}
			if err := set.Validate(out); err != nil {
				return a.unpatched(args[0], patch.ID, err, status)
			}
			xml, err := e.xml(files[0].xml)
			if err != nil {
				return err
			}
			return e.write(a, out, xml, args[0])
		}),
	}.cobra()
	f.addData(cmd)
	e.add(cmd, "json or xml (default: as FILE is)")
	return a.jsonFlag(cmd)
}

// unpatched says why a patch was not made.
func (a *app) unpatched(file, id string, err error, status bool) error {
	if status {
		if _, werr := a.out.Write(schemas.PatchStatus(id, err)); werr != nil {
			return werr
		}
		return statusError{Failed, errors.New("nothing was changed")}
	}
	for _, f := range schemas.Faults(err) {
		a.note("%s", faultLine(file, f))
	}
	return statusError{Failed, errors.New("nothing was changed: the patch does not fit")}
}

func (a *app) schemaMerge() *cobra.Command {
	var f schemaFlags
	var e encoding
	cmd := command{
		use: "merge BASE OURS THEIRS", short: "Merge two configurations that come from one",
		long: `Makes the changes that lead from BASE to THEIRS in OURS and prints the result.
Where both changed the same thing in different ways the result has what OURS has,
and the conflict is printed with all three values; the status is then 1. The
result is in canonical order, without defaults, and not validated.

` + dataHelp,
		example: "cfgvault schema merge --module-dir yang base.json mine.json yours.json",
		args:    cobra.ExactArgs(3),
		run: verdict(func(_ context.Context, args []string) error {
			_, trees, files, err := f.open(a, args...)
			if err != nil {
				return err
			}
			out, conflicts, err := schemas.Merge(trees[0], trees[1], trees[2])
			if err != nil {
				return err
			}
			xml, err := e.xml(files[1].xml)
			if err != nil {
				return err
			}
			if err := e.write(a, out, xml, args[1]); err != nil {
				return err
			}
			if len(conflicts) == 0 {
				return nil
			}
			for _, c := range conflicts {
				a.note("conflict: %s", c)
			}
			return statusError{Failed, fmt.Errorf("%d conflicts: the result has what %s has", len(conflicts), args[1])}
		}),
	}.cobra()
	f.addData(cmd)
	e.add(cmd, "json or xml (default: as OURS is)")
	return cmd
}
