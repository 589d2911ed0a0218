package frr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
)

func timer(changeID string) deadman.Timer {
	return deadman.Timer{ID: changeID, StartupIsOld: true}
}

// Stage implements plugins.Restorer. The running configuration is restored;
// /etc/frr/daemons and vtysh.conf are put back by Confirm, since they decide
// what the next start does. frr.conf is written by FRR itself, on Confirm.
func (driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	config, offset, err := target(want)
	if err != nil {
		return plugins.Diff{}, err
	}
	files := []deadman.File{{Name: "conf/frr.conf", Data: config}}
	var startup []string
	for _, a := range want {
		switch a.Name {
		case daemonsFile, vtyshConf:
			name := strings.TrimPrefix(a.Name, "etc/frr/")
			files = append(files, deadman.File{Name: "files/" + name, Data: a.Data})
			startup = append(startup, name)
		}
	}
	means, err := deadman.Probe(ctx, s, false)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	t := timer(changeID)
	if err := t.Stage(ctx, s, means, false, scripts(), files); err != nil {
		return plugins.Diff{}, err
	}
	diff, err := check(ctx, s, t, config, offset, startup)
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
		err = errors.Join(err, t.Discard(ctx, s))
	}
	return diff, err
}

// target is the configuration to load: the running configuration without what
// vtysh prints around it, and how many lines stood before its first.
func target(want []plugins.Artefact) ([]byte, int, error) {
	for _, a := range want {
		if a.Name != runningConfig {
			continue
		}
		lines := bytes.SplitAfter(a.Data, []byte("\n"))
		offset := 0
		for i, line := range lines {
			if string(bytes.TrimSpace(line)) == "Current configuration:" {
				offset = i + 1
				break
			}
		}
		lines = lines[offset:]
		for i, line := range lines {
			if bytes.HasPrefix(line, []byte("frr version ")) {
				lines[i] = []byte("!\n") // the version of the unit it came from
			}
		}
		config := bytes.Join(lines, nil)
		if len(bytes.TrimSpace(config)) == 0 {
			return nil, 0, fmt.Errorf("stage: the artefact %s is empty: %w", runningConfig, plugins.ErrRejected)
		}
		if !bytes.HasSuffix(config, []byte("\n")) {
			config = append(config, '\n')
		}
		return config, offset, nil
	}
	return nil, 0, fmt.Errorf("stage: there is no artefact %s to put back: %w", runningConfig, plugins.ErrRejected)
}

var hostnameLine = regexp.MustCompile(`(?m)^hostname (\S+)`)

var badLine = regexp.MustCompile(`(?m)^line (\d+): `)

// check asks the device: does it parse, what would change, is everything there
// that the target needs.
func check(ctx context.Context, s plugins.Session, t deadman.Timer, config []byte, offset int, startup []string) (plugins.Diff, error) {
	out, err := s.Run(ctx, t.Script(checkScript))
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	p, err := deadman.Unframe(out.Stdout)
	if err != nil {
		if out.End == plugins.EndCut {
			err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
		}
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	switch {
	case !p.OK("tools"):
		return plugins.Diff{}, fmt.Errorf("stage: frr-reload.py is missing on the device; install the package frr-pythontools there: %w", plugins.ErrNotPermitted)
	case p.OK("off"):
		return plugins.Diff{}, fmt.Errorf("stage: the device keeps one configuration file per daemon; set \"service integrated-vtysh-config\" there first: %w", plugins.ErrNotPermitted)
	case !p.OK("writable") && !p.OK("watchfrr"):
		return plugins.Diff{}, fmt.Errorf("stage: the login may not write /etc/frr and watchfrr does not run, so the change could not be saved: %w", plugins.ErrNotPermitted)
	}
	if !p.OK("parse") {
		bad := &plugins.RejectedError{Artefact: runningConfig, Text: p.Text("parse")}
		if m := badLine.FindStringSubmatch(bad.Text); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil {
				bad.Line = n + offset
			}
		}
		return plugins.Diff{}, fmt.Errorf("stage: %w", bad)
	}
	if off := missing(needed(config), strings.Fields(p.Text("show"))); len(off) > 0 {
		return plugins.Diff{}, fmt.Errorf("stage: the configuration needs daemons that do not run on the device: %s; enable them in /etc/frr/daemons and restart FRR: %w", strings.Join(off, ", "), plugins.ErrNotPermitted)
	}
	// frr-reload.py prints "delete everything" and fails when it could not read the target.
	if !p.OK("test") || strings.Contains(p.Text("test.err"), "ERROR") {
		return plugins.Diff{}, fmt.Errorf("stage: frr-reload.py --test: %w", &plugins.RejectedError{Artefact: runningConfig, Text: p.Text("test.err")})
	}
	d := plugins.Diff{Text: strings.Trim(p.Text("test"), "\n")}
	if d.Text != "" {
		d.Text += "\n"
		d.Steps = append(d.Steps, "put the configuration in force with frr-reload.py; the device goes back by itself unless it is confirmed")
	}
	if m := hostnameLine.FindSubmatchIndex(config); m != nil {
		if name, own := string(config[m[2]:m[3]]), strings.TrimSpace(p.Text("own")); own != "" && name != own {
			d.Losses = append(d.Losses, plugins.Loss{Artefact: runningConfig, Line: offset + 1 + bytes.Count(config[:m[0]], []byte("\n")), Code: "machine-name",
				Text: "the host name " + name + " is the machine's, which is called " + own + "; FRR cannot set it"})
		}
	}
	for _, name := range startup {
		switch {
		case p.OK("same/" + name):
		case p.OK("writable"):
			d.Steps = append(d.Steps, "on confirmation, put back /etc/frr/"+name)
			if name == "daemons" {
				d.Disruptive = append(d.Disruptive, "/etc/frr/daemons differs: which daemons run changes at the next start of FRR, not now")
			}
		default:
			d.Losses = append(d.Losses, plugins.Loss{Artefact: "etc/frr/" + name, Code: "not-permitted", Text: "the login may not write /etc/frr/" + name})
		}
	}
	d.Steps = append(d.Steps, "on confirmation, save it: write memory")
	d.Disruptive = append(d.Disruptive, disruptive(d.Text)...)
	return d, nil
}

var (
	routerLine    = regexp.MustCompile(`(?m)^no (router .+)$`)
	interfaceLine = regexp.MustCompile(`(?m)^interface (\S+).*\n (shutdown|no ip address .*|no ipv6 address .*)$`)
	neighborLine  = regexp.MustCompile(`(?m)^ no neighbor (\S+) (remote-as|peer-group|password)`)
)

// disruptive names what the difference will interrupt.
func disruptive(diff string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(text string) {
		if !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	for _, m := range routerLine.FindAllStringSubmatch(diff, -1) {
		add(m[1] + " is taken down")
	}
	for _, m := range interfaceLine.FindAllStringSubmatch(diff, -1) {
		add("interface " + m[1] + " loses its address or goes down")
	}
	for _, m := range neighborLine.FindAllStringSubmatch(diff, -1) {
		add("the session with neighbor " + m[1] + " is reset")
	}
	return out
}

// needs are the daemons whose commands a configuration holds. vtysh takes a
// command of a daemon that does not run and drops it without a word.
var needs = [...]struct {
	daemon string
	line   *regexp.Regexp
}{
	{"bgpd", regexp.MustCompile(`^(router bgp|bgp |rpki)`)},
	{"ospfd", regexp.MustCompile(`^(router ospf( |$)| ip ospf )`)},
	{"ospf6d", regexp.MustCompile(`^(router ospf6| ipv6 ospf6 )`)},
	{"ripd", regexp.MustCompile(`^(router rip( |$)| ip rip )`)},
	{"ripngd", regexp.MustCompile(`^router ripng`)},
	{"isisd", regexp.MustCompile(`^(router isis | ip router isis | ipv6 router isis )`)},
	{"fabricd", regexp.MustCompile(`^(router openfabric | ip router openfabric )`)},
	{"eigrpd", regexp.MustCompile(`^router eigrp `)},
	{"babeld", regexp.MustCompile(`^router babel`)},
	{"pimd", regexp.MustCompile(`^( ip (pim|igmp)( |$)|ip (pim|msdp) )`)},
	{"pim6d", regexp.MustCompile(`^( ipv6 (pim|mld)( |$)|ipv6 pim )`)},
	{"ldpd", regexp.MustCompile(`^mpls ldp`)},
	{"nhrpd", regexp.MustCompile(`^ ip nhrp `)},
	{"pbrd", regexp.MustCompile(`^(pbr-map | pbr-policy )`)},
	{"bfdd", regexp.MustCompile(`^bfd$`)},
	{"vrrpd", regexp.MustCompile(`^ ?vrrp `)},
	{"pathd", regexp.MustCompile(`^segment-routing`)},
	{"staticd", regexp.MustCompile(`^ip(v6)? route `)},
}

func needed(config []byte) []string {
	var out []string
	for _, n := range needs {
		for line := range bytes.Lines(config) {
			if n.line.Match(bytes.TrimRight(line, "\r\n")) {
				out = append(out, n.daemon)
				break
			}
		}
	}
	return out
}

// Commit implements plugins.Restorer.
func (driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	_, err := timer(changeID).Commit(ctx, s, within)
	var step *deadman.StepError
	if errors.As(err, &step) && step.Step == "apply" {
		if strings.Contains(step.Text, "is locked by other VTY") {
			return fmt.Errorf("commit: somebody is in configuration mode: %w", plugins.ErrBusy)
		}
		return fmt.Errorf("commit: %w: %w", step, &plugins.RejectedError{Artefact: runningConfig, Text: step.Text})
	}
	return err
}

// Confirm implements plugins.Restorer.
func (driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	return timer(changeID).Confirm(ctx, s)
}

// Discard implements plugins.Restorer.
func (driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	return timer(changeID).Discard(ctx, s)
}

// Status implements plugins.Restorer.
func (driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	return timer(changeID).Status(ctx, s)
}
