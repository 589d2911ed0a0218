package wire

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// text makes a string fit for a proto3 string: devices do not promise UTF-8,
// and one bad byte would make the whole message fail.
func text(s string) string {
	if len(s) > maxItem {
		s = s[:maxItem]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// list converts a slice element by element; an empty slice becomes nil.
func list[A, B any](in []A, f func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}

// words converts between string types.
func words[A, B ~string](in []A) []B {
	return list(in, func(a A) B { return B(text(string(a))) })
}

func infoToWire(i plugins.Info) *Info {
	s := i.Shell
	return &Info{
		Name: text(i.Name), Version: text(i.Version), Vendor: text(i.Vendor), Platform: text(i.Platform),
		Tested: text(string(i.Tested)), Notes: words[string, string](i.Notes),
		Capabilities: words[plugins.Capability, string](i.Capabilities),
		Options: list(i.Options, func(o plugins.Option) *Option {
			return &Option{Name: text(o.Name), Text: text(o.Text), Pattern: text(o.Pattern)}
		}),
		Transports: words[plugins.Transport, string](i.Transports),
		Shell: &Shell{
			Prompt: text(s.Prompt), Privileged: text(s.Privileged), Enable: text(s.Enable), EnablePrompt: text(s.EnablePrompt),
			Setup: words[string, string](s.Setup), Pager: text(s.Pager), Sentinel: text(s.Sentinel), Exit: text(s.Exit),
			Newline: text(s.Newline), CommandEcho: s.CommandEcho, ContinueKey: text(s.ContinueKey),
			ModePrompt: text(s.ModePrompt), ErrorLine: text(s.ErrorLine),
			LoginPrompt: text(s.LoginPrompt), PasswordPrompt: text(s.PasswordPrompt),
		},
		MaxSessions: int64(i.MaxSessions),
		Artefacts: list(i.Artefacts, func(a plugins.ArtefactSpec) *ArtefactSpec {
			return &ArtefactSpec{Name: text(a.Name), Command: text(a.Command), Role: text(string(a.Role)), Bind: text(string(a.Bind)),
				Required: a.Required, Terminator: text(a.Terminator)}
		}),
		Volatile:    list(i.Volatile, lineRuleToWire),
		Unordered:   list(i.Unordered, lineRuleToWire),
		ReloadFirst: list(i.ReloadFirst, lineRuleToWire),
		Reboot: list(i.Reboot, func(r plugins.Reboot) *Command {
			return commandToWire(plugins.Command{Text: r.Text, Answers: r.Answers, Write: true})
		}),
		Secrets: list(i.Secrets, func(r plugins.SecretRule) *SecretRule {
			return &SecretRule{Id: text(r.ID), Artefact: text(r.Artefact), Pattern: text(r.Pattern), Until: text(r.Until)}
		}),
		Rollback: text(string(i.Rollback)), RestartSeconds: int64(i.RestartSeconds),
	}
}

func infoFromWire(i *Info) plugins.Info {
	s := i.GetShell()
	return plugins.Info{
		Name: i.GetName(), Version: i.GetVersion(), Vendor: i.GetVendor(), Platform: i.GetPlatform(),
		Tested: plugins.Tested(i.GetTested()), Notes: i.GetNotes(),
		Capabilities: words[string, plugins.Capability](i.GetCapabilities()),
		Options: list(i.GetOptions(), func(o *Option) plugins.Option {
			return plugins.Option{Name: o.GetName(), Text: o.GetText(), Pattern: o.GetPattern()}
		}),
		Transports: words[string, plugins.Transport](i.GetTransports()),
		Shell: plugins.Shell{
			Prompt: s.GetPrompt(), Privileged: s.GetPrivileged(), Enable: s.GetEnable(), EnablePrompt: s.GetEnablePrompt(),
			Setup: s.GetSetup(), Pager: s.GetPager(), Sentinel: s.GetSentinel(), Exit: s.GetExit(),
			Newline: s.GetNewline(), CommandEcho: s.GetCommandEcho(), ContinueKey: s.GetContinueKey(),
			ModePrompt: s.GetModePrompt(), ErrorLine: s.GetErrorLine(),
			LoginPrompt: s.GetLoginPrompt(), PasswordPrompt: s.GetPasswordPrompt(),
		},
		MaxSessions: int(i.GetMaxSessions()),
		Artefacts: list(i.GetArtefacts(), func(a *ArtefactSpec) plugins.ArtefactSpec {
			return plugins.ArtefactSpec{Name: a.GetName(), Command: a.GetCommand(), Role: plugins.Role(a.GetRole()),
				Bind: plugins.Bind(a.GetBind()), Required: a.GetRequired(), Terminator: a.GetTerminator()}
		}),
		Volatile:    list(i.GetVolatile(), lineRuleFromWire),
		Unordered:   list(i.GetUnordered(), lineRuleFromWire),
		ReloadFirst: list(i.GetReloadFirst(), lineRuleFromWire),
		Reboot: list(i.GetReboot(), func(c *Command) plugins.Reboot {
			w := commandFromWire(c)
			return plugins.Reboot{Text: w.Text, Answers: w.Answers}
		}),
		Secrets: list(i.GetSecrets(), func(r *SecretRule) plugins.SecretRule {
			return plugins.SecretRule{ID: r.GetId(), Artefact: r.GetArtefact(), Pattern: r.GetPattern(), Until: r.GetUntil()}
		}),
		Rollback: plugins.Rollback(i.GetRollback()), RestartSeconds: int(i.GetRestartSeconds()),
	}
}

func lineRuleToWire(r plugins.LineRule) *LineRule {
	return &LineRule{Id: text(r.ID), Artefact: text(r.Artefact), Pattern: text(r.Pattern), Why: text(r.Why)}
}

func lineRuleFromWire(r *LineRule) plugins.LineRule {
	return plugins.LineRule{ID: r.GetId(), Artefact: r.GetArtefact(), Pattern: r.GetPattern(), Why: r.GetWhy()}
}

func factsToWire(f plugins.Facts) *Facts {
	return &Facts{Vendor: text(f.Vendor), Model: text(f.Model), Serials: words[string, string](f.Serials),
		Os: text(f.OS), OsVersion: text(f.OSVersion), Macs: words[string, string](f.MACs), Hostname: text(f.Hostname)}
}

func factsFromWire(f *Facts) plugins.Facts {
	return plugins.Facts{Vendor: f.GetVendor(), Model: f.GetModel(), Serials: f.GetSerials(),
		OS: f.GetOs(), OSVersion: f.GetOsVersion(), MACs: f.GetMacs(), Hostname: f.GetHostname()}
}

func lossToWire(l plugins.Loss) *Loss {
	return &Loss{Artefact: text(l.Artefact), Line: int64(l.Line), Path: text(l.Path), Code: text(l.Code), Text: text(l.Text)}
}

func lossFromWire(l *Loss) plugins.Loss {
	return plugins.Loss{Artefact: l.GetArtefact(), Line: int(l.GetLine()), Path: l.GetPath(), Code: l.GetCode(), Text: l.GetText()}
}

func reasonToWire(r plugins.Reason) *Reason { return &Reason{Code: text(r.Code), Text: text(r.Text)} }

func reasonFromWire(r *Reason) plugins.Reason {
	return plugins.Reason{Code: r.GetCode(), Text: r.GetText()}
}

func lineToWire(l plugins.Line) *Line {
	return &Line{Artefact: text(l.Artefact), Number: int64(l.Number), Class: text(string(l.Class)), Rule: text(l.Rule), Section: text(l.Section)}
}

func lineFromWire(l *Line) plugins.Line {
	return plugins.Line{Artefact: l.GetArtefact(), Number: int(l.GetNumber()), Class: plugins.Class(l.GetClass()),
		Rule: l.GetRule(), Section: l.GetSection()}
}

func coverageToWire(c plugins.Coverage) *Coverage {
	w := &Coverage{Artefact: text(c.Artefact), Section: text(c.Section), Lines: make(map[string]int64, len(c.Lines))}
	for k, v := range c.Lines {
		w.Lines[text(string(k))] = int64(v)
	}
	return w
}

func coverageFromWire(w *Coverage) plugins.Coverage {
	c := plugins.Coverage{Artefact: w.GetArtefact(), Section: w.GetSection(), Lines: make(map[plugins.Class]int, len(w.GetLines()))}
	for k, v := range w.GetLines() {
		c.Lines[plugins.Class(k)] = int(v)
	}
	return c
}

func commandToWire(c plugins.Command) *Command {
	return &Command{
		Text: []byte(c.Text), Write: c.Write, HasInput: c.Input != nil,
		Answers: list(c.Answers, func(a plugins.Answer) *Answer {
			return &Answer{Prompt: []byte(a.Prompt), Reply: []byte(a.Reply), NoNewline: a.NoNewline}
		}),
	}
}

func commandFromWire(w *Command) plugins.Command {
	c := plugins.Command{
		Text: string(w.GetText()), Write: w.GetWrite(),
		Answers: list(w.GetAnswers(), func(a *Answer) plugins.Answer {
			return plugins.Answer{Prompt: string(a.GetPrompt()), Reply: string(a.GetReply()), NoNewline: a.GetNoNewline()}
		}),
	}
	if w.GetHasInput() {
		c.Input = []byte{}
	}
	return c
}
