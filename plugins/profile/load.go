package profile

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

const maxFile = 256 << 10 // bytes of a profile

// loader collects every fault of a file, not only the first.
type loader struct {
	file string
	errs []error
}

func (l *loader) fail(line int, format string, args ...any) {
	l.errs = append(l.errs, &Error{File: l.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// Parse reads a profile and checks all of it. file is its name for errors,
// which are *Error joined. The profile's name must be that of the file.
func Parse(file string, text []byte) (*Profile, error) {
	l := &loader{file: file}
	if len(text) > maxFile {
		l.fail(0, "a profile has at most %d KiB", maxFile>>10)
		return nil, errors.Join(l.errs...)
	}
	p := &Profile{}
	if root, ok := l.parse(text); ok {
		l.profile(root, p)
	}
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	var err error
	if p.text, err = plugins.NewText(p.info); err != nil {
		return nil, &Error{File: file, Text: err.Error()}
	}
	return p, nil
}

// fields hands every key of a mapping to its handler, once.
func (l *loader) fields(n node, what string, handlers map[string]func(node)) {
	if n.null || n.scalar || n.list {
		l.fail(n.line, "%s should be a mapping", what)
		return
	}
	seen := map[string]int{}
	for _, e := range n.keys {
		handle := handlers[e.key]
		switch first, twice := seen[e.key]; {
		case handle == nil:
			known := slices.Sorted(maps.Keys(handlers))
			l.fail(e.line, "unknown key %q of %s: there are %s", e.key, what, strings.Join(known, ", "))
		case twice:
			l.fail(e.line, "key %q of %s is there twice, first on line %d", e.key, what, first)
		default:
			seen[e.key] = e.line
			handle(e.value)
		}
	}
}

func (l *loader) text(to *string) func(node) {
	return func(n node) {
		if !n.scalar {
			l.fail(n.line, "a text is wanted here")
			return
		}
		*to = n.text
	}
}

func (l *loader) texts(to *[]string) func(node) {
	return func(n node) {
		l.each(n, func(item node) {
			var s string
			l.text(&s)(item)
			*to = append(*to, s)
		})
	}
}

func (l *loader) each(n node, f func(node)) {
	if !n.list {
		l.fail(n.line, "a list is wanted here")
		return
	}
	for _, item := range n.items {
		f(item)
	}
}

func (l *loader) boolean(to *bool) func(node) {
	return func(n node) {
		v, err := strconv.ParseBool(n.text)
		if !n.scalar || err != nil {
			l.fail(n.line, "true or false is wanted here")
		}
		*to = v
	}
}

func (l *loader) number(to *int) func(node) {
	return func(n node) {
		v, err := strconv.Atoi(n.text)
		if !n.scalar || err != nil || v < 0 {
			l.fail(n.line, "a number is wanted here")
		}
		*to = v
	}
}

// pattern checks an expression where it stands.
func (l *loader) pattern(to *string) func(node) {
	return func(n node) {
		l.text(to)(n)
		l.compile(n, *to)
	}
}

func (l *loader) compile(n node, s string) *regexp.Regexp {
	re, err := regexp.Compile(s)
	if err != nil {
		l.fail(n.line, "bad expression: %v", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	return re
}

func (l *loader) expr(to **regexp.Regexp) func(node) {
	return func(n node) {
		var s string
		l.text(&s)(n)
		*to = l.compile(n, s)
	}
}

var (
	nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	idRE   = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)
)

func (l *loader) profile(root node, p *Profile) {
	i := &p.info
	i.Version = "0.1.0"
	var sources []string
	var tested, serials int
	shellLine := root.line
	l.fields(root, "a profile", map[string]func(node){
		"name": func(n node) {
			l.text(&i.Name)(n)
			if want := strings.TrimSuffix(path.Base(l.file), ".yaml"); !nameRE.MatchString(i.Name) || i.Name != want {
				l.fail(n.line, "the name is lower-case letters, digits and '-', and that of the file: %s", want)
			}
		},
		"vendor":       l.text(&i.Vendor),
		"platform":     l.text(&i.Platform),
		"os":           l.text(&p.os),
		"version":      l.text(&i.Version),
		"sources":      l.texts(&sources),
		"notes":        l.texts(&i.Notes),
		"max-sessions": l.number(&i.MaxSessions),
		"tested": func(n node) {
			tested = n.line
			i.Tested = plugins.Tested(n.text)
			if i.Tested != plugins.TestedDialogue && i.Tested != plugins.TestedDeclared && i.Tested != plugins.TestedReal {
				l.fail(n.line, "tested is %q, %q or %q", plugins.TestedReal, plugins.TestedDialogue, plugins.TestedDeclared)
			}
		},
		"transports": func(n node) {
			l.each(n, func(item node) {
				t := plugins.Transport(item.text)
				switch t {
				case plugins.TransportExec, plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole:
					i.Transports = append(i.Transports, t)
				default:
					l.fail(item.line, "no such transport %q: ssh-exec, ssh-shell, telnet or console", item.text)
				}
			})
		},
		"shell": func(n node) { shellLine = n.line; l.shell(n, p) },
		"identify": func(n node) {
			serials = n.line
			l.each(n, func(item node) { l.identify(item, p) })
		},
		"artefacts": func(n node) { l.each(n, func(item node) { l.artefact(item, p) }) },
		"volatile":  func(n node) { l.each(n, func(item node) { l.volatile(item, p) }) },
		"secrets":   func(n node) { l.each(n, func(item node) { l.secret(item, p) }) },
		"samples":   func(n node) { l.each(n, func(item node) { l.sample(item, p) }) },
	})
	for _, need := range []struct {
		there bool
		what  string
	}{
		{i.Name != "", "name"}, {i.Vendor != "", "vendor"}, {i.Platform != "", "platform"}, {tested > 0, "tested"},
		{len(sources) > 0, "sources"}, {len(i.Transports) > 0, "transports"}, {serials > 0, "identify"}, {len(i.Secrets) > 0, "secrets"},
		{slices.ContainsFunc(i.Artefacts, func(a plugins.ArtefactSpec) bool { return a.Required }), "an artefact that is required"},
	} {
		if !need.there {
			l.fail(root.line, "the profile has no %s", need.what)
		}
	}
	if serials > 0 && p.is == nil {
		l.fail(serials, "the first command of identify has no \"is\": nothing tells this platform from others")
	}
	l.transports(shellLine, i)
	l.scopes(p)
	for _, s := range sources {
		i.Notes = append(i.Notes, "Source: "+s)
	}
	i.Notes = append(i.Notes, "A profile: it reads, and offers no restore, not even onto the same unit.")
}

func (l *loader) transports(line int, i *plugins.Info) {
	for _, t := range i.Transports {
		if t == plugins.TransportExec {
			continue
		}
		switch {
		case i.Shell.Prompt == "":
			l.fail(line, "%s needs the shell's prompt", t)
		case i.Shell.Sentinel == "":
			l.fail(line, "%s needs the shell's sentinel", t)
		case t == plugins.TransportConsole && i.Shell.Exit == "":
			l.fail(line, "a console needs the shell's exit")
		default:
			continue
		}
		return
	}
}

// scopes checks what rules say of artefacts.
func (l *loader) scopes(p *Profile) {
	names := map[string]bool{"": true}
	for _, a := range p.info.Artefacts {
		if names[a.Name] {
			l.fail(0, "artefact %q is there twice", a.Name)
		}
		names[a.Name] = true
	}
	check := func(kind, id, artefact string, seen map[string]bool) {
		if !names[artefact] {
			l.fail(0, "%s rule %s is for artefact %q, which there is not", kind, id, artefact)
		}
		if seen[id] {
			l.fail(0, "%s rule %q is there twice", kind, id)
		}
		seen[id] = true
	}
	volatile, secret := map[string]bool{}, map[string]bool{}
	for _, r := range p.info.Volatile {
		check("volatile", r.ID, r.Artefact, volatile)
	}
	for _, r := range p.info.Secrets {
		check("secret", r.ID, r.Artefact, secret)
	}
}

func (l *loader) shell(n node, p *Profile) {
	s := &p.info.Shell
	s.CommandEcho = true
	l.fields(n, "shell", map[string]func(node){
		"prompt": l.pattern(&s.Prompt), "privileged": l.pattern(&s.Privileged), "enable": l.text(&s.Enable),
		"enable-prompt": l.pattern(&s.EnablePrompt), "setup": l.texts(&s.Setup), "pager": l.pattern(&s.Pager),
		"exit": l.text(&s.Exit), "newline": l.text(&s.Newline), "command-echo": l.boolean(&s.CommandEcho),
		"continue-key": l.text(&s.ContinueKey), "mode-prompt": l.pattern(&s.ModePrompt),
		"login-prompt": l.pattern(&s.LoginPrompt), "password-prompt": l.pattern(&s.PasswordPrompt),
		"sentinel": func(n node) {
			l.text(&s.Sentinel)(n)
			if strings.Count(s.Sentinel, "%s") != 1 {
				l.fail(n.line, "the sentinel needs one %%s, for what the agent puts there")
			}
		},
		"error-line": func(n node) {
			l.pattern(&s.ErrorLine)(n)
			p.refusal = l.compile(n, s.ErrorLine)
		},
	})
	for _, line := range s.Setup {
		if harmful.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			l.fail(n.line, "%q does more than set up a login", line)
		}
	}
	if s.Enable != "" && (s.Privileged == "" || s.EnablePrompt == "") {
		l.fail(n.line, "enable needs privileged and enable-prompt")
	}
}

func (l *loader) identify(n node, p *Profile) {
	id := identify{fields: map[string]*regexp.Regexp{}}
	handlers := map[string]func(node){"command": l.command(&id.command)}
	for _, f := range []string{"model", "serial", "version", "hostname", "mac"} {
		handlers[f] = func(n node) {
			re := l.compile(n, n.text)
			if re != nil && re.NumSubexp() != 1 {
				l.fail(n.line, "%s needs one group, around the value", f)
			}
			id.fields[f] = re
		}
	}
	if len(p.identify) == 0 {
		handlers["is"] = l.expr(&p.is)
	}
	l.fields(n, "identify", handlers)
	if id.command == "" {
		l.fail(n.line, "an entry of identify has no command")
	}
	p.identify = append(p.identify, id)
}

// Words that begin commands which do more than read, on one platform or
// another. A profile with one is refused: the list is a net, not a proof.
// Set-up lines may set what lasts as long as the login ("set cli pager off").
var (
	changing = regexp.MustCompile(`(?i)^\s*(?:conf(?:ig(?:ure)?)?(?:\s+t\w*)?\s*$|configure\b|set\s|no\s|clear\s)`)
	harmful  = regexp.MustCompile(`(?i)^\s*(?:wr(?:ite)?(?:\s+(?:mem|era|net|file|fl|nv)\w*)?\s*$|erase|reload|reboot|reset|delete|del\s|rm\s|commit|copy\s|format|factory|save\b|shutdown|halt|install|poweroff|request\s+system\s)`)
)

func (l *loader) command(to *string) func(node) {
	return func(n node) {
		l.text(to)(n)
		switch {
		case strings.TrimSpace(*to) == "" || strings.ContainsFunc(*to, func(r rune) bool { return r < ' ' || r == 0x7f }):
			l.fail(n.line, "a command is one line of text")
		case changing.MatchString(*to) || harmful.MatchString(*to):
			l.fail(n.line, "%q is not a command that only reads", *to)
		}
	}
}

func (l *loader) artefact(n node, p *Profile) {
	a := plugins.ArtefactSpec{Role: plugins.RoleState}
	var r rule
	l.fields(n, "an artefact", map[string]func(node){
		"name": func(n node) {
			l.text(&a.Name)(n)
			if a.Name == "" || path.IsAbs(a.Name) || path.Clean(a.Name) != a.Name || strings.HasPrefix(a.Name, "..") {
				l.fail(n.line, "the name of an artefact is a relative, clean path")
			}
		},
		"command":  l.command(&a.Command),
		"required": l.boolean(&a.Required),
		"role": func(n node) {
			a.Role = plugins.Role(n.text)
			if !slices.Contains([]plugins.Role{plugins.RoleRunning, plugins.RoleStartup, plugins.RoleFile, plugins.RoleState}, a.Role) {
				l.fail(n.line, "role is running, startup, file or state")
			}
		},
		"bind": func(n node) {
			a.Bind = plugins.Bind(n.text)
			if !slices.Contains([]plugins.Bind{plugins.BindPortable, plugins.BindModel, plugins.BindUnit, plugins.BindVersion}, a.Bind) {
				l.fail(n.line, "bind is portable, model, unit or version")
			}
		},
		"terminator": func(n node) {
			l.text(&a.Terminator)(n)
			r.terminator = l.compile(n, a.Terminator)
		},
		"whole": func(n node) {
			l.text(&r.whole)(n)
			if !slices.Contains(wholes(), r.whole) {
				l.fail(n.line, "whole is one of %s", strings.Join(wholes(), ", "))
			}
		},
		"first": l.expr(&r.first), "twice": l.boolean(&r.twice),
		"contains": func(n node) {
			l.each(n, func(item node) { r.contains = append(r.contains, l.compile(item, item.text)) })
		},
	})
	switch {
	case a.Name == "" || a.Command == "":
		l.fail(n.line, "an artefact needs name and command")
	case a.Role != plugins.RoleState && !r.twice && r.terminator == nil && (r.whole == "" || r.whole == wholeBlocks):
		l.fail(n.line, "artefact %s has no terminator, no rule by which it is whole (%s) and is not read twice: a cut output would count as good", a.Name, strings.Join(wholes(), ", "))
	}
	p.info.Artefacts, p.rules = append(p.info.Artefacts, a), append(p.rules, r)
}

func (l *loader) volatile(n node, p *Profile) {
	var r plugins.LineRule
	l.fields(n, "a volatile rule", map[string]func(node){
		"id": l.id(&r.ID), "artefact": l.text(&r.Artefact), "why": l.text(&r.Why),
		"pattern": func(n node) {
			l.text(&r.Pattern)(n)
			if re := l.compile(n, r.Pattern); re != nil && (re.MatchString("") || re.MatchString("an arbitrary line of text")) {
				l.fail(n.line, "the rule would call every line volatile")
			}
		},
	})
	if r.ID == "" || r.Pattern == "" || r.Why == "" {
		l.fail(n.line, "a volatile rule needs id, pattern and why")
	}
	p.info.Volatile = append(p.info.Volatile, r)
}

func (l *loader) secret(n node, p *Profile) {
	var r plugins.SecretRule
	l.fields(n, "a secret rule", map[string]func(node){
		"id": l.id(&r.ID), "artefact": l.text(&r.Artefact), "until": l.pattern(&r.Until),
		"pattern": func(n node) {
			l.text(&r.Pattern)(n)
			re := l.compile(n, r.Pattern)
			switch {
			case re == nil:
			case strings.HasPrefix(r.Pattern, "^") || strings.HasPrefix(r.Pattern, `\A`):
				l.fail(n.line, "anchored at the start of the line: it would not find its secret in a diff")
			case re.MatchString(""):
				l.fail(n.line, "the rule would hide every line")
			}
		},
	})
	if r.ID == "" || r.Pattern == "" {
		l.fail(n.line, "a secret rule needs id and pattern")
	}
	p.info.Secrets = append(p.info.Secrets, r)
}

func (l *loader) id(to *string) func(node) {
	return func(n node) {
		l.text(to)(n)
		if !idRE.MatchString(*to) {
			l.fail(n.line, "an id is lower-case words joined by '-'")
		}
	}
}
