package plugintest

import (
	"encoding/json"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

func roles() []plugins.Role {
	return []plugins.Role{plugins.RoleRunning, plugins.RoleStartup, plugins.RoleFile, plugins.RoleState}
}

func binds() []plugins.Bind {
	return []plugins.Bind{"", plugins.BindPortable, plugins.BindModel, plugins.BindUnit, plugins.BindVersion}
}

// artefactName accepts relative, slash-separated, clean names.
func artefactName(name string) bool {
	return name != "" && name != "." && !path.IsAbs(name) && path.Clean(name) == name && !strings.HasPrefix(name, "../") && name != ".." &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
}

var (
	driverRE  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	versionRE = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`) // semver.org 2.0.0
)

// checkInfo holds the declaration to its contract.
func (k *kit) checkInfo() {
	var one, two plugins.Info
	panicked := func() (p any) {
		defer func() { p = recover() }()
		one, two = k.driver.Info(), k.driver.Info()
		return nil
	}()
	k.info = one
	if panicked != nil {
		k.broken(at{}, LawPanic, "Info panics: %v", panicked)
		return
	}
	n := 0
	bad := func(format string, args ...any) {
		n++ // a group of its own, so that all are told
		k.broken(at{group: strings.Repeat("i", n)}, LawInfo, format, args...)
	}
	if !reflect.DeepEqual(one, two) {
		k.broken(at{}, LawDeterministic, "Info is not the same for every call")
	}
	if raw, err := json.Marshal(one); err != nil {
		bad("it does not travel as JSON: %v", err)
	} else {
		var back plugins.Info
		again, err2 := []byte(nil), json.Unmarshal(raw, &back)
		if err2 == nil {
			again, err2 = json.Marshal(back)
		}
		if err2 != nil || string(again) != string(raw) {
			bad("it changes when it travels as JSON")
		}
	}
	if !driverRE.MatchString(one.Name) {
		bad("the name %q is not lower-case letters, digits and '-'", one.Name)
	}
	if !versionRE.MatchString(one.Version) {
		bad("the version %q is not a semantic version", one.Version)
	}
	if one.Vendor == "" || one.Platform == "" {
		bad("vendor or platform is empty")
	}
	if !slices.Contains([]plugins.Tested{plugins.TestedReal, plugins.TestedDialogue, plugins.TestedSimulator, plugins.TestedDeclared}, one.Tested) {
		bad("tested is %q", one.Tested)
	}
	k.checkShell(one, bad)
	k.checkRules(one, bad)
	k.checkCapabilities(one, bad)
}

func (k *kit) checkShell(i plugins.Info, bad func(string, ...any)) {
	if len(i.Transports) == 0 {
		bad("no transport")
	}
	for _, t := range i.Transports {
		switch t {
		case plugins.TransportExec:
		case plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole:
			if i.Shell.Prompt == "" {
				bad("transport %s without the prompt of a shell", t)
			}
			if t == plugins.TransportConsole && i.Shell.Exit == "" {
				bad("a console that nothing leaves: the shell has no exit")
			}
		default:
			bad("no such transport: %q", t)
		}
	}
	for _, p := range []struct{ name, re string }{
		{"prompt", i.Shell.Prompt}, {"privileged", i.Shell.Privileged}, {"enable-prompt", i.Shell.EnablePrompt},
		{"mode-prompt", i.Shell.ModePrompt}, {"error-line", i.Shell.ErrorLine}, {"pager", i.Shell.Pager},
		{"login-prompt", i.Shell.LoginPrompt}, {"password-prompt", i.Shell.PasswordPrompt},
	} {
		if _, err := regexp.Compile(p.re); err != nil {
			bad("the %s of the shell does not compile: %v", p.name, err)
		}
	}
	if i.Shell.Sentinel != "" && strings.Count(i.Shell.Sentinel, "%s") != 1 {
		bad("the sentinel needs one %%s")
	}
	for _, o := range i.Options {
		if _, err := regexp.Compile(o.Pattern); err != nil || o.Name == "" || o.Text == "" {
			bad("the option %q has no name, no text or a pattern that does not compile", o.Name)
		}
	}
}

func (k *kit) checkRules(i plugins.Info, bad func(string, ...any)) {
	var err error
	if k.text, err = plugins.NewText(i); err != nil {
		bad("%v", err)
	}
	ids := map[string]bool{}
	id := func(kind, s string) {
		if !codeRE.MatchString(s) || ids[kind+s] {
			bad("the id %q of a %s rule is empty, not in lower case, or there twice", s, kind)
		}
		ids[kind+s] = true
	}
	for _, r := range i.Volatile {
		id("volatile", r.ID)
		if r.Why == "" {
			bad("volatile rule %s does not say why", r.ID)
		}
		if re, err := regexp.Compile(r.Pattern); err == nil && re.MatchString("an arbitrary line of text") {
			bad("volatile rule %s matches everything", r.ID)
		}
	}
	for _, r := range i.Unordered {
		id("unordered", r.ID)
		if r.Why == "" {
			bad("unordered rule %s does not say why", r.ID)
		}
	}
	for _, r := range i.ReloadFirst {
		id("reload-first", r.ID)
		if re, err := regexp.Compile(r.Pattern); err != nil || re.MatchString("an arbitrary line of text") || !strings.HasPrefix(r.Pattern, "^") || r.Why == "" {
			bad("reload-first rule %s does not say why, or its pattern does not compile, is not anchored or matches everything", r.ID)
		}
	}
	for _, c := range i.Reboot {
		if c.Text == "" {
			bad("a command of the reboot is empty")
		}
		for _, a := range c.Answers {
			if _, err := regexp.Compile(a.Prompt); err != nil || a.Prompt == "" {
				bad("the command %q of the reboot answers a prompt that does not compile, or none", c.Text)
			}
		}
	}
	for _, r := range i.Secrets {
		id("secret", r.ID)
		if strings.HasPrefix(r.Pattern, "^") || strings.HasPrefix(r.Pattern, `\A`) {
			bad("secret rule %s is anchored at the start of the line: it would not find its secret in a diff", r.ID)
		}
	}
	names := map[string]bool{}
	for _, s := range i.Artefacts {
		if !artefactName(s.Name) || names[s.Name] {
			bad("the artefact name %q is not relative and clean, or there twice", s.Name)
		}
		names[s.Name] = true
		if !slices.Contains(roles(), s.Role) || !slices.Contains(binds(), s.Bind) {
			bad("artefact %s has role %q and bind %q", s.Name, s.Role, s.Bind)
		}
		if _, err := regexp.Compile(s.Terminator); err != nil {
			bad("the terminator of artefact %s does not compile: %v", s.Name, err)
		}
	}
	if len(i.Artefacts) == 0 {
		bad("no artefact is declared")
	}
	if !slices.ContainsFunc(i.Artefacts, func(s plugins.ArtefactSpec) bool { return s.Required }) {
		bad("no artefact is required: an export without anything could be Complete")
	}
}

func (k *kit) checkCapabilities(i plugins.Info, bad func(string, ...any)) {
	_, restorer := k.driver.(plugins.Restorer)
	_, adapter := k.driver.(plugins.Adapter)
	_, renderer := k.driver.(plugins.Renderer)
	_, resetter := k.driver.(plugins.Resetter)
	backed := map[plugins.Capability]bool{
		plugins.CapRestore: restorer, plugins.CapAdapt: adapter, plugins.CapRender: renderer, plugins.CapFactoryReset: resetter,
		plugins.CapFacts:   true,     // shown by each export
		plugins.CapMigrate: restorer, // a promise of Stage
	}
	for n, c := range i.Capabilities {
		has, known := backed[c]
		switch {
		case !known:
			bad("no such capability: %q", c)
		case !has:
			bad("it lists %q and has no method for it", c)
		case slices.Contains(i.Capabilities[:n], c):
			bad("it lists %q twice", c)
		}
	}
	rollbacks := []plugins.Rollback{plugins.RollbackDevice, plugins.RollbackSession, plugins.RollbackDeadman, plugins.RollbackReboot, plugins.RollbackNone}
	switch {
	case i.Can(plugins.CapRestore) && !slices.Contains(rollbacks, i.Rollback):
		bad("it restores and does not say who rolls back")
	case !i.Can(plugins.CapRestore) && i.Rollback != "":
		bad("it names a rollback and cannot restore")
	}
	if i.RestartSeconds < 0 || i.RestartSeconds > 1800 || i.RestartSeconds > 0 && !i.Can(plugins.CapRestore) {
		bad("it cannot restore, or a commit restarts the unit for %d seconds, of 0 to 1800", i.RestartSeconds)
	}
}
