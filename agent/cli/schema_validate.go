package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/schemas"
)

const dataHelp = `Data is RFC 7951 JSON or RFC 7950 XML, bare, in an RFC 9195 instance-data
envelope, or in <data> or <config> of NETCONF or RESTCONF. Without --module and
--yang-library the modules are those that the envelope or else the data's
top-level members name. All features are on unless --features says otherwise.
"-" reads standard input.`

func (a *app) schemaValidate() *cobra.Command {
	var f schemaFlags
	cmd := command{
		use: "validate FILE", short: "Validate data against YANG modules",
		long: `Checks data against YANG modules and prints every fault in a line of its own:
FILE:LINE:COLUMN: /instance/path: what is wrong (rule).

` + dataHelp,
		example: "cfgvault schema validate --module ietf-system.yang --module-dir yang system.json",
		args:    cobra.ExactArgs(1),
		run: verdict(func(_ context.Context, args []string) error {
			set, trees, _, err := f.open(a, args[0])
			if err != nil {
				return err
			}
			if err := set.Validate(trees[0]); err != nil {
				return a.invalid(args[0], err)
			}
			if a.json {
				return a.printJSON(map[string]any{"valid": true, "faults": []fault{}})
			}
			return nil
		}),
	}.cobra()
	f.addData(cmd)
	return a.jsonFlag(cmd)
}

func (a *app) schemaCheck() *cobra.Command {
	var f schemaFlags
	cmd := command{
		use: "check FILE.yang…", short: "Compile YANG modules",
		long: `Compiles modules and prints every fault with file, line and the rule that decides
it. Imports are searched among the files and in --module-dir. A submodule is
compiled with the module it belongs to.`,
		example: "cfgvault schema check --module-dir yang acme-interfaces.yang",
		args:    cobra.MinimumNArgs(1),
		run: verdict(func(_ context.Context, args []string) error {
			for _, m := range args {
				if !strings.HasSuffix(m, ".yang") {
					return usageError{fmt.Errorf("%s: want a file that ends in .yang", m)}
				}
				if _, err := os.Stat(m); err != nil {
					return usageError{err}
				}
			}
			f.modules, f.parts = append(f.modules, args...), true
			_, err := f.load(own)
			var usage usageError
			switch {
			case err == nil:
				if a.json {
					return a.printJSON(map[string]any{"valid": true, "faults": []fault{}})
				}
				return nil
			case errors.As(err, &usage):
				return err
			}
			return a.invalidModules(args, err)
		}),
	}.cobra()
	f.add(cmd)
	return a.jsonFlag(cmd)
}

// invalidModules prints each fault of modules and gives the verdict.
func (a *app) invalidModules(args []string, err error) error {
	faults := schemas.Faults(err)
	if a.json {
		if err := a.printJSON(map[string]any{"valid": false, "faults": faultsOf(filepath.Base(args[0]), err)}); err != nil {
			return err
		}
	} else {
		for _, f := range faults {
			a.note("%s", strings.ReplaceAll(f.Error(), "\n", `\n`))
		}
	}
	what := "1 fault"
	if len(faults) != 1 {
		what = fmt.Sprintf("%d faults", len(faults))
	}
	return statusError{Failed, fmt.Errorf("the modules are not valid: %s", what)}
}
