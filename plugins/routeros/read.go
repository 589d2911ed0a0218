package routeros

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Marks between the answers of one script: a line that begins with "@".
const (
	identifyScript = `:put "@resource"; /system resource print; :put "@identity"; /system identity print; :put "@board"; :do { /system routerboard print } on-error={ }; :put "@end"`
	namesScript    = `:put "@users"; :do { /user print } on-error={ }; :put "@certificates"; :do { /certificate print } on-error={ }; :put "@end"`
)

// sections cuts what a script printed at its marks. Without "@end" it is not
// whole.
func sections(out string) (map[string]string, bool) {
	parts, name := map[string]string{}, ""
	for line := range strings.Lines(out) {
		if mark, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "@"); ok && strings.HasSuffix(line, "\n") {
			if name = mark; name == "end" {
				return parts, true
			}
			parts[name] = ""
			continue
		}
		parts[name] += line
	}
	return parts, false
}

// ask runs a script that changes nothing.
func ask(ctx context.Context, s plugins.Session, script string) (map[string]string, error) {
	out, err := s.Run(ctx, plugins.Command{Text: script})
	if err != nil {
		return nil, err
	}
	p, whole := sections(string(out.Stdout))
	switch {
	case whole:
		return p, nil
	case out.End == plugins.EndCut:
		return nil, fmt.Errorf("the answer is cut: %w", plugins.ErrSessionLost)
	case strings.Contains(string(out.Stdout), "not enough permissions"):
		return nil, plugins.ErrNotPermitted
	}
	return p, nil
}

var (
	versionLine = regexp.MustCompile(`(?m)^\s*version:\s*(\S+)`)
	boardLine   = regexp.MustCompile(`(?m)^\s*board-name:\s*(.*\S)`)
	modelLine   = regexp.MustCompile(`(?m)^\s*model:\s*(.*\S)`)
	serialLine  = regexp.MustCompile(`(?m)^\s*serial-number:\s*(\S+)`)
	nameLine    = regexp.MustCompile(`(?m)^\s*name:[ \t]*(.*\S)`)
	softwareID  = regexp.MustCompile(`(?m)^# software id = ?(\S*)`)
)

// Identify implements plugins.Driver. A virtual unit has no serial number.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	f, err := identify(ctx, s)
	if err != nil {
		return plugins.Facts{}, fmt.Errorf("identify: %w", err)
	}
	return f, nil
}

func identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	p, err := ask(ctx, s, identifyScript)
	if err != nil {
		return plugins.Facts{}, err
	}
	resource := p["resource"]
	version := versionLine.FindStringSubmatch(resource)
	if version == nil || !strings.Contains(resource, "platform: MikroTik") {
		return plugins.Facts{}, fmt.Errorf("no RouterOS answers: %w", plugins.ErrWrongPlatform)
	}
	f := plugins.Facts{Vendor: "MikroTik", OS: "RouterOS", OSVersion: version[1]}
	if m := modelLine.FindStringSubmatch(p["board"]); m != nil {
		f.Model = m[1]
	} else if m := boardLine.FindStringSubmatch(resource); m != nil {
		f.Model = m[1]
	}
	if m := serialLine.FindStringSubmatch(p["board"]); m != nil {
		f.Serials = []string{m[1]}
	}
	if m := nameLine.FindStringSubmatch(p["identity"]); m != nil {
		f.Hostname = m[1]
	}
	return f, nil
}

// exportScript prints the export twice: one that differs was changed meanwhile,
// or lost something on its way.
func exportScript(version string) string {
	export := "/export show-sensitive"
	if strings.HasPrefix(version, "6.") {
		export = "/export" // shows secrets; the word is not known
	}
	return `:put "@first"; ` + export + `; :put "@second"; ` + export + `; :put "@end"`
}

// Export implements plugins.Driver.
func (driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	x, _, err := export(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return x, nil
}

func export(ctx context.Context, s plugins.Session) (*plugins.Export, plugins.Facts, error) {
	f, err := identify(ctx, s)
	if err != nil {
		return nil, f, err
	}
	var x *plugins.Export
	for range 2 { // what changed while it was read is read once more
		out, err := s.Run(ctx, plugins.Command{Text: exportScript(f.OSVersion)})
		if err != nil {
			return nil, f, err
		}
		p, whole := sections(string(out.Stdout))
		if x = judge(p, whole && out.End != plugins.EndCut); len(x.Reasons) == 0 {
			break
		}
	}
	if len(x.Artefacts) == 0 {
		return nil, f, plugins.ErrEmpty
	}
	out, err := s.Run(ctx, plugins.Command{Text: namesScript})
	if err != nil {
		return nil, f, err
	}
	if _, whole := sections(string(out.Stdout)); whole {
		x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: artNames, Role: plugins.RoleState, Source: namesScript, Data: out.Stdout})
	} else {
		x.Verdict = plugins.Partial
		x.Reasons = append(x.Reasons, plugins.Reason{Code: "cut", Text: "the list of what is not exported was cut"})
	}
	return x, f, nil
}

// judge makes an export of what came and says what is missing.
func judge(p map[string]string, whole bool) *plugins.Export {
	text := withoutTimer(p["first"])
	x := &plugins.Export{Verdict: plugins.Complete}
	add := func(code, why string) {
		x.Verdict = plugins.Partial
		x.Reasons = append(x.Reasons, plugins.Reason{Code: code, Text: why})
	}
	if strings.TrimSpace(text) == "" {
		add("empty", "the device exported nothing")
		return x
	}
	if !whole {
		add("cut", "the export was cut before its end")
	}
	for _, r := range frame(text) {
		add(r.Code, r.Text)
	}
	if whole && significant(text) != significant(withoutTimer(p["second"])) {
		add("changed-while-read", "a second export differs from the first, twice")
	}
	x.FactoryDefault = factoryDefault(text)
	x.Artefacts = []plugins.Artefact{{Name: artExport, Role: plugins.RoleRunning, Source: "/export", Data: []byte(text)}}
	return x
}

// withoutTimer leaves the scheduler of a change under way out: it is no part
// of the configuration.
func withoutTimer(text string) string {
	if !strings.Contains(text, base("")) {
		return text
	}
	d := syntax.ParseSections(text, syntax.RouterOS())
	left := map[int]int{} // statements below a heading
	var gone []syntax.Record
	syntax.RouterOSRecords(d, func(r *syntax.Record) bool {
		n := r.Get("name")
		mine := r.Words[0] == "/system/scheduler" && n != nil && strings.HasPrefix(n.Value, base(""))
		for _, h := range r.Heads {
			if left[h] += 0; !mine {
				left[h]++
			}
		}
		if mine {
			gone = append(gone, syntax.Record{From: r.From, Heads: r.Heads})
		}
		return true
	})
	for _, r := range gone {
		d.Remove(r.From)
		for _, h := range r.Heads {
			if left[h] == 0 {
				d.Remove(h)
			}
		}
	}
	return d.String()
}

var header = regexp.MustCompile(`^# \S+ \S+ by RouterOS \S+\r?\n`)

// frame says what is wrong with the text of an export.
func frame(text string) (reasons []plugins.Reason) {
	if !header.MatchString(text) {
		reasons = append(reasons, plugins.Reason{Code: "no-header", Text: "the export does not begin with its date and release"})
	}
	if !strings.HasSuffix(text, "\n") {
		reasons = append(reasons, plugins.Reason{Code: "cut", Text: "the export ends inside a line"})
	}
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "#error exporting"):
			reasons = append(reasons, plugins.Reason{Code: "section-missing", Text: "the device could not export a section"})
		case strings.HasPrefix(line, "#interrupted"):
			reasons = append(reasons, plugins.Reason{Code: "cut", Text: "the export was interrupted"})
		}
	}
	body := strings.TrimRight(text, "\r\n")
	if strings.HasSuffix(body, `\`) && !strings.HasSuffix(body, `\\`) {
		reasons = append(reasons, plugins.Reason{Code: "cut", Text: "the last line goes on in one that did not come"})
	}
	return reasons
}

var passing = regexp.MustCompile(`^#( |$)`)

// significant is an export without its comments, which are no configuration.
func significant(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !passing.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// factoryDefault: the unit has its first name, and no address but the one of
// the factory.
func factoryDefault(text string) bool {
	addresses, other := 0, 0
	menu := ""
	for line := range strings.Lines(significant(text)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "/") {
			menu = line
			continue
		}
		switch {
		case menu == "/system identity" && !strings.HasSuffix(line, "name=MikroTik"):
			return false
		case menu == "/ip address" && strings.HasPrefix(line, "add "):
			if addresses++; !strings.Contains(line, "192.168.88.1/24") {
				other++
			}
		}
	}
	return other == 0
}
