package frr

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
	"github.com/cfgvault/cfgvault/plugins/netdev"
)

// access is what kind of login answers.
type access int

const (
	accessShell  access = iota // a POSIX shell
	accessForced               // ForceCommand vtysh: reads its commands from standard input
	accessVtysh                // the login shell is vtysh: runs the command it is given
)

// pieces are what one combined command read, by name.
type pieces = deadman.Pieces

// mark is what the commands of a ForceCommand login are told apart by: a
// comment, which vtysh echoes behind its prompt and does not answer. Output of
// a show command never has a prompt at the beginning of a line.
func mark(i int) string { return "! cfgvault " + strconv.Itoa(i) }

// read runs a shell script and, for a login that is vtysh, the commands, in one
// channel; only a login whose shell is vtysh takes one more per command.
func read(ctx context.Context, s plugins.Session, script string, names, commands []string) (pieces, access, error) {
	var input strings.Builder
	for i, c := range commands {
		input.WriteString(mark(i) + "\n" + c + "\n")
	}
	input.WriteString(mark(len(commands)) + "\nexit\n")
	out, err := s.Run(ctx, plugins.Command{Text: "sh -c " + deadman.Quote(deadman.Frames+`exec </dev/null; `+script+`echo @end`), Input: []byte(input.String())})
	if err != nil {
		return nil, 0, err
	}
	text := out.Stdout
	switch {
	case bytes.HasPrefix(text, []byte("@")):
		p, err := deadman.Unframe(text)
		if err != nil && out.End == plugins.EndCut {
			err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
		}
		return p, accessShell, err
	case bytes.Contains(text, []byte(mark(0)+"\n")):
		p, err := unmark(text, names)
		if err != nil && out.End == plugins.EndCut {
			err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
		}
		return p, accessForced, err
	case bytes.HasPrefix(bytes.TrimSpace(text), []byte("% ")): // "% Unknown command", or "% Unknown action" for what follows a pipe sign
		p := pieces{}
		for i, c := range commands {
			out, err := s.Run(ctx, plugins.Command{Text: c})
			if err != nil {
				return nil, 0, err
			}
			if p[names[i]] = (deadman.Piece{Data: out.Stdout}); !out.OK() {
				p[names[i]] = deadman.Piece{Data: out.Stdout, Status: 1}
			}
		}
		return p, accessVtysh, nil
	case out.End == plugins.EndCut:
		return nil, 0, plugins.ErrSessionLost
	case len(bytes.TrimSpace(text)) == 0 && len(bytes.TrimSpace(out.Stderr)) == 0:
		return nil, 0, plugins.ErrEmpty
	}
	return nil, 0, fmt.Errorf("the login is neither a shell nor vtysh: %w", plugins.ErrWrongPlatform)
}

// unmark reads what vtysh printed while it read its commands from standard
// input: prompt and command before each answer.
func unmark(text []byte, names []string) (pieces, error) {
	at := bytes.Index(text, []byte(mark(0)+"\n"))
	prompt := string(text[bytes.LastIndexByte(text[:at], '\n')+1 : at])
	if prompt == "" {
		return nil, fmt.Errorf("the command line shows no prompt: %w", plugins.ErrWrongPlatform)
	}
	rest, p := text[at+len(mark(0))+1:], pieces{}
	for i, name := range names {
		next := []byte("\n" + prompt + mark(i+1) + "\n")
		end := bytes.Index(rest, next)
		echo := bytes.IndexByte(rest, '\n') // of the command, behind the prompt
		if end < 0 || echo < 0 || !bytes.HasPrefix(rest, []byte(prompt)) {
			return p, fmt.Errorf("the answer is cut in %s", name)
		}
		var body deadman.Piece
		if echo < end {
			body.Data = bytes.Clone(rest[echo+1 : end+1])
		}
		if bytes.HasPrefix(body.Data, []byte("% ")) {
			body.Status = 1
		}
		p[name] = body
		rest = rest[end+len(next):]
	}
	return p, nil
}

// unitScript reads what says which unit answers (a serial is often for root
// only), and what a restore by this login would need. It starts as few programs
// as it can: that is what a backup's time is made of.
const unitScript = `one(){ [ -r "$2" ] && read -r v <"$2" && echo "$1 $v"; }; ` +
	`unit(){ b=/sys/class/dmi/id; one serial $b/product_serial; one model $b/product_name; ` +
	`for i in /sys/class/net/*; do [ "${i##*/}" = lo ] || { read -r t <"$i/addr_assign_type" && [ "$t" = 0 ] && one mac "$i/address"; } 2>/dev/null; done; ` +
	`[ ! -x /etc/frr ] || echo may look; [ ! -e /usr/lib/frr/frr-reload.py ] || ! command -v python3 >/dev/null || echo may reload; }; f unit unit; `

const identifyScript = `f version vtysh -c "show version"; ` + unitScript

var versionLine = regexp.MustCompile(`FRRouting (\S+) \(([^)]*)\)`)

// Identify implements plugins.Driver.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	p, _, err := read(ctx, s, identifyScript, []string{"version"}, []string{"show version"})
	if err != nil {
		return plugins.Facts{}, fmt.Errorf("identify: %w", err)
	}
	f, err := facts(p, p["version"])
	if err != nil {
		return plugins.Facts{}, fmt.Errorf("identify: %w", err)
	}
	return *f, nil
}

// facts say which unit has answered.
func facts(p pieces, version deadman.Piece) (*plugins.Facts, error) {
	m := versionLine.FindSubmatch(version.Data)
	if m == nil {
		if version.Status != 0 && version.Status != 127 {
			return nil, fmt.Errorf("vtysh answers this login with status %d; is it in the group frrvty, and does zebra run?: %w", version.Status, plugins.ErrNotPermitted)
		}
		return nil, fmt.Errorf("no FRRouting answers: %w", plugins.ErrWrongPlatform)
	}
	f := &plugins.Facts{Vendor: "FRRouting", OS: "FRRouting", OSVersion: string(m[1]), Hostname: string(m[2])}
	for line := range strings.Lines(p.Text("unit")) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		switch value = board(value); {
		case value == "":
		case key == "serial":
			f.Serials = []string{value}
		case key == "model":
			f.Model = value
		case key == "mac" && !slices.Contains(f.MACs, value):
			f.MACs = append(f.MACs, strings.ToLower(value))
		}
	}
	return f, nil
}

// may reports a right or a tool that unitScript looks for.
func may(p pieces, what string) bool {
	return slices.Contains(strings.Split(p.Text("unit"), "\n"), "may "+what)
}

// board drops what board makers write where they have nothing to say.
func board(s string) string {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "none", "not specified", "to be filled by o.e.m.", "default string", "system serial number", "0":
		return ""
	}
	return s
}

// What an export asks vtysh for, and by which names the answers go.
var (
	exportNames    = [...]string{runningConfig, showVersion, daemonsPiece}
	exportCommands = [...]string{"show running-config", "show version", "show daemons"}
)

const (
	daemonsPiece = "daemons"
	vtyshPiece   = "vtysh"
)

// exportScript reads everything of a backup. One vtysh answers all commands,
// for to start costs it more than any answer (31 ms of 32, FRR 8.4.4): with -E
// it echoes prompt and command, as it does for a ForceCommand login.
func exportScript() string {
	var b strings.Builder
	b.WriteString("f " + vtyshPiece + " vtysh -E")
	for i, c := range exportCommands {
		fmt.Fprintf(&b, ` -c "%s" -c "%s"`, mark(i), c)
	}
	fmt.Fprintf(&b, ` -c "%s"; e=/etc/frr; set --; `, mark(len(exportCommands)))
	b.WriteString(`for x in $e/daemons $e/*.conf; do case $x in */support_bundle_commands.conf) ;; *) if [ -e "$x" ]; then f "etc/frr/${x##*/}" cat "$x"; set -- "$@" "$x"; fi;; esac; done; ` +
		`[ $# = 0 ] || f stat stat -c "%n %a %U %G" "$@"; ` + unitScript + netdev.Script + "f ports ports; ")
	return b.String()
}

// split gives each command of the one vtysh its answer. A command that fails
// ends vtysh, so that it and those behind it have no answer but the status;
// when there is none at all, what was printed says why.
func split(p pieces) {
	all := p[vtyshPiece]
	delete(p, vtyshPiece)
	got := pieces{}
	if bytes.Contains(all.Data, []byte(mark(0)+"\n")) {
		got, _ = unmark(all.Data, exportNames[:])
	}
	for _, name := range exportNames {
		piece, ok := got[name]
		if !ok {
			piece = deadman.Piece{Status: max(1, all.Status)}
			if len(got) == 0 {
				piece.Data = all.Data
			}
		}
		p[name] = piece
	}
}

// Export implements plugins.Driver. It reads the facts in the same breath.
func (driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	p, how, err := read(ctx, s, exportScript(), exportNames[:], exportCommands[:])
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if how == accessShell {
		split(p)
	}
	run := p[runningConfig]
	if run.Status == 127 {
		return nil, fmt.Errorf("export: no FRRouting answers: %w", plugins.ErrWrongPlatform)
	}
	if run.Status != 0 && !bytes.Contains(run.Data, []byte("\nend")) {
		return nil, fmt.Errorf("export: vtysh answers this login with status %d; is it in the group frrvty, and does zebra run?: %w", run.Status, plugins.ErrNotPermitted)
	}
	if len(bytes.TrimSpace(run.Data)) == 0 {
		return nil, fmt.Errorf("export: %w", plugins.ErrEmpty)
	}
	unit, err := facts(p, p[showVersion])
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	x := &plugins.Export{Facts: unit, FactoryDefault: factoryDefault(run.Data)}
	x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: runningConfig, Role: plugins.RoleRunning, Source: "vtysh: show running-config", Data: run.Data})
	x.Artefacts = append(x.Artefacts, files(p)...)
	if v := p[showVersion]; v.Status == 0 && len(v.Data) > 0 {
		x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: showVersion, Role: plugins.RoleState, Bind: plugins.BindVersion, Source: "vtysh: show version", Data: v.Data})
	}
	if ports := netdev.Ports(p.Text("ports")); len(ports) > 0 {
		a, err := plugins.NewPortsArtefact("sysfs, lldpcli", ports)
		if err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		x.Artefacts = append(x.Artefacts, a)
	}
	x.NoRestore = obstacles(p, how)
	judge(x, p, how, s.Options()[optDaemons])
	return x, nil
}

// files are the artefacts of /etc/frr.
func files(p pieces) []plugins.Artefact {
	attrs := map[string]map[string]string{}
	for line := range strings.Lines(p.Text("stat")) {
		if f := strings.Fields(line); len(f) == 4 {
			attrs[strings.TrimPrefix(f[0], "/")] = map[string]string{"mode": "0" + f[1], "owner": f[2], "group": f[3]}
		}
	}
	var out []plugins.Artefact
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if strings.HasPrefix(name, "etc/frr/") && p.OK(name) {
			out = append(out, plugins.Artefact{Name: name, Role: plugins.RoleStartup, Source: "/" + name, Attrs: attrs[name], Data: p[name].Data})
		}
	}
	return out
}

// judge decides the verdict: the configuration ends as it should, and every
// daemon that should run answered. A daemon that is dead leaves no trace in
// the running configuration but the absence of its part.
func judge(x *plugins.Export, p pieces, how access, expected string) {
	x.Verdict = plugins.Complete
	worse := func(v plugins.Verdict, code, text string) {
		if x.Verdict != plugins.Partial {
			x.Verdict = v
		}
		x.Reasons = append(x.Reasons, plugins.Reason{Code: code, Text: text})
	}
	run := p[runningConfig]
	if last := lastLine(run.Data); run.Status != 0 || last != "end" {
		worse(plugins.Partial, "no-terminator", "the running configuration does not end in \"end\"")
	}
	if !p.OK(daemonsPiece) {
		worse(plugins.Partial, "daemons-unknown", "the device does not say which daemons run")
	}
	want := []string{"zebra", "staticd"}
	switch {
	case p.OK(daemonsFile):
		want = enabled(p[daemonsFile].Data)
	case expected != "":
		want = strings.Split(expected, ",")
	case how == accessShell && p["etc/frr/daemons"].Status != 0:
		worse(plugins.Partial, "file-unreadable", "the login may not read /etc/frr/daemons; is it in the group frr?")
	case how == accessShell && may(p, "look"):
		worse(plugins.Unknown, "daemons-unknown", "there is no /etc/frr/daemons that says which daemons should run; name them with the option daemons")
	case how == accessShell:
		worse(plugins.Partial, "file-unreadable", "the login may not look into /etc/frr; is it in the group frr?")
	default:
		worse(plugins.Unknown, "daemons-unknown", "this login cannot read /etc/frr/daemons; name the daemons that should run with the option daemons")
	}
	have := strings.Fields(p.Text(daemonsPiece))
	for _, d := range missing(want, have) {
		worse(plugins.Partial, "daemon-missing", d+" should run and does not; its part of the configuration is missing")
	}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if strings.HasPrefix(name, "etc/frr/") && name != daemonsFile && !p.OK(name) {
			worse(plugins.Partial, "file-unreadable", "the login may not read /"+name)
		}
	}
}

// missing are the wanted daemons that do not run. An instance is listed as
// "ospfd-1".
func missing(want, have []string) []string {
	var out []string
	for _, d := range want {
		if !slices.ContainsFunc(have, func(h string) bool { return h == d || strings.HasPrefix(h, d+"-") }) {
			out = append(out, d)
		}
	}
	return out
}

var daemonLine = regexp.MustCompile(`^\s*([a-z0-9]+d)=["']?(yes|[1-9][0-9]*)["']?\s*(#.*)?$`)

// enabled are the daemons that /etc/frr/daemons starts, with those that the
// packages always start.
func enabled(file []byte) []string {
	out := []string{"zebra", "staticd"}
	for line := range strings.Lines(string(file)) {
		if m := daemonLine.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil && !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// obstacles are what keeps this login from a restore.
func obstacles(p pieces, how access) []plugins.Reason {
	const code = "no-restore-path"
	if how != accessShell {
		return []plugins.Reason{{Code: code, Text: "the login is vtysh: it can keep no files and arm no timer on the device"}}
	}
	var out []plugins.Reason
	if !may(p, "reload") {
		out = append(out, plugins.Reason{Code: code, Text: "frr-reload.py is missing on the device; it is in the package frr-pythontools"})
	}
	if integratedOff(p[vtyshConf].Data) || integratedOff(p[runningConfig].Data) {
		out = append(out, plugins.Reason{Code: code, Text: "the device keeps one configuration file per daemon (no service integrated-vtysh-config)"})
	}
	return out
}

func integratedOff(text []byte) bool {
	for line := range bytes.Lines(text) {
		if string(bytes.TrimSpace(line)) == "no service integrated-vtysh-config" {
			return true
		}
	}
	return false
}

func lastLine(data []byte) string {
	data = bytes.TrimRight(data, "\r\n \t")
	return string(bytes.TrimRight(data[bytes.LastIndexByte(data, '\n')+1:], "\r"))
}

// defaults are lines that a router has without anybody's configuration.
var defaults = regexp.MustCompile(`^(|!.*|end|exit|Building configuration\.\.\.|Current configuration:|frr (version|defaults) .*|hostname .*|log .*|(no )?service integrated-vtysh-config|(no )?ip(v6)? forwarding|line vty)$`)

func factoryDefault(config []byte) bool {
	for line := range bytes.Lines(config) {
		if !defaults.Match(bytes.TrimSpace(line)) {
			return false
		}
	}
	return true
}
