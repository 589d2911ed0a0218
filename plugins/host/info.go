package host

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/cfgvault/cfgvault/plugins"
)

// errInfo is a driver that describes itself in a way that the agent does not
// understand or believe.
var errInfo = errors.New("unusable Info")

// check judges what a driver says of itself. What it does not know it refuses:
// a capability that is ignored is a promise that is not kept.
func check(name string, i plugins.Info) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", errInfo, fmt.Sprintf(format, args...))
	}
	switch {
	case i.Name != name:
		return fail("it calls itself %.40q", i.Name)
	case i.Version == "":
		return fail("it has no version")
	}
	seen := map[plugins.Capability]bool{}
	for _, c := range i.Capabilities {
		switch c {
		case plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset, plugins.CapFacts, plugins.CapMigrate:
		default:
			return fail("the capability %.40q is not known to this cfgvault: a newer one may know it", string(c))
		}
		if seen[c] {
			return fail("the capability %s is listed twice", c)
		}
		seen[c] = true
	}
	switch i.Rollback {
	case plugins.RollbackDevice, plugins.RollbackSession, plugins.RollbackDeadman, plugins.RollbackReboot, plugins.RollbackNone:
		if !seen[plugins.CapRestore] {
			return fail("it says who rolls back and cannot restore")
		}
	case "":
		if seen[plugins.CapRestore] {
			return fail("it can restore and does not say who rolls back")
		}
	default:
		return fail("the rollback %.40q is not known", string(i.Rollback))
	}
	if _, err := plugins.NewText(i); err != nil {
		return fail("%v", err)
	}
	patterns := map[string]string{
		"prompt": i.Shell.Prompt, "privileged": i.Shell.Privileged, "enable-prompt": i.Shell.EnablePrompt,
		"mode-prompt": i.Shell.ModePrompt, "error-line": i.Shell.ErrorLine,
		"pager": i.Shell.Pager, "login-prompt": i.Shell.LoginPrompt, "password-prompt": i.Shell.PasswordPrompt,
	}
	for _, a := range i.Artefacts {
		patterns["terminator of "+a.Name] = a.Terminator
	}
	for _, o := range i.Options {
		patterns["option "+o.Name] = o.Pattern
	}
	for _, what := range slices.Sorted(maps.Keys(patterns)) {
		if _, err := regexp.Compile(patterns[what]); err != nil {
			return fail("%s: %v", what, err)
		}
	}
	return nil
}
