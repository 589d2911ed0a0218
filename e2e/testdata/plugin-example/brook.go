package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// brook speaks to a Brook switch. Its command line runs over SSH exec
// channels:
//
//	show identity              vendor, model, serial and version, one per line
//	show configuration         lines "set PATH VALUE", ended by "! end"
//	candidate load ID          reads a configuration from standard input
//	candidate compare ID       the difference to the running configuration
//	candidate commit ID N      makes it the running one for N seconds
//	candidate confirm ID       keeps and saves it
//	candidate discard ID       forgets it, or goes back
//	candidate status ID        none, staged, pending N, confirmed or rolledback
type brook struct{}

var (
	_ plugins.Restorer = brook{}
	_ plugins.Adapter  = brook{}
)

const (
	config     = "configuration"
	terminator = "! end"
)

// Info implements plugins.Driver.
func (brook) Info() plugins.Info {
	return plugins.Info{
		Name: "brook", Version: "1.0.0", Vendor: "Brook", Platform: "Brook switches, an imaginary platform",
		Tested:       plugins.TestedSimulator,
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt},
		Transports:   []plugins.Transport{plugins.TransportExec},
		Artefacts: []plugins.ArtefactSpec{{
			Name: config, Command: "show configuration", Role: plugins.RoleRunning, Required: true, Terminator: "^! end$",
		}},
		Volatile: []plugins.LineRule{{ID: "uptime", Pattern: `^! up `, Why: "the time since the last reboot"}},
		Secrets:  []plugins.SecretRule{{ID: "community", Pattern: `set snmp community (\S+)`}},
		Rollback: plugins.RollbackDevice,
	}
}

// Identify implements plugins.Driver.
func (brook) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := run(ctx, s, plugins.Command{Text: "show identity"})
	if err != nil {
		return plugins.Facts{}, err
	}
	f := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(f) != 4 || f[0] != "Brook" {
		return plugins.Facts{}, plugins.ErrWrongPlatform
	}
	return plugins.Facts{Vendor: f[0], Model: f[1], Serials: []string{f[2]}, OS: "BrookOS", OSVersion: f[3]}, nil
}

// Export implements plugins.Driver.
func (brook) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	out, err := s.Run(ctx, plugins.Command{Text: "show configuration"})
	if err != nil {
		return nil, err
	}
	if len(out.Stdout) == 0 {
		return nil, plugins.ErrEmpty
	}
	e := &plugins.Export{Verdict: plugins.Complete, Artefacts: []plugins.Artefact{
		{Name: config, Role: plugins.RoleRunning, Source: "show configuration", Data: out.Stdout},
	}}
	if !out.OK() || !bytes.HasSuffix(out.Stdout, []byte(terminator+"\n")) {
		e.Verdict = plugins.Partial
		e.Reasons = []plugins.Reason{{Code: "no-terminator", Text: "the configuration does not end with its last line"}}
	}
	return e, nil
}

// Normalize implements plugins.Driver.
func (brook) Normalize(_ context.Context, _ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	n := &plugins.Normalized{}
	system := map[string]any{}
	for _, a := range native {
		count := map[plugins.Class]int{}
		for i, line := range strings.Split(strings.TrimSuffix(string(a.Data), "\n"), "\n") {
			l := plugins.Line{Artefact: a.Name, Number: i + 1, Section: "global", Class: plugins.Unparsed}
			switch name, ok := strings.CutPrefix(line, "set system name "); {
			case line == "":
				continue
			case ok:
				system["hostname"] = name
				l.Class = plugins.Mapped
			case line == terminator:
				l.Class, l.Rule = plugins.Boilerplate, "terminator"
			case strings.HasPrefix(line, "! up "):
				l.Class, l.Rule = plugins.Volatile, "uptime"
			case strings.HasPrefix(line, "set snmp community "):
				l.Class = plugins.SecretOpaque
			}
			count[l.Class]++
			if l.Class != plugins.Mapped {
				n.Residual = append(n.Residual, l)
			}
		}
		n.Coverage = append(n.Coverage, plugins.Coverage{Artefact: a.Name, Section: "global", Lines: count})
	}
	tree := map[string]any{}
	if len(system) > 0 {
		tree["cfgvault-system:system"] = system
	}
	var err error
	n.Tree, err = json.Marshal(tree)
	return n, err
}

// Stage implements plugins.Restorer.
func (brook) Stage(ctx context.Context, s plugins.Session, id string, want []plugins.Artefact) (plugins.Diff, error) {
	for _, a := range want {
		if a.Name != config {
			continue
		}
		out, err := s.Run(ctx, plugins.Command{Text: "candidate load " + id, Input: a.Data, Write: true})
		if err != nil {
			return plugins.Diff{}, err
		}
		if !out.OK() {
			// The switch says "line N: why".
			line, _, _ := strings.Cut(strings.TrimPrefix(string(out.Stdout), "line "), ":")
			n, _ := strconv.Atoi(line)
			return plugins.Diff{}, &plugins.RejectedError{Artefact: a.Name, Line: n, Text: string(out.Stdout)}
		}
	}
	diff, err := run(ctx, s, plugins.Command{Text: "candidate compare " + id})
	if err != nil {
		return plugins.Diff{}, err
	}
	return plugins.Diff{Text: string(diff), Steps: []string{"commit the candidate under the switch's timer", "confirm and save"}}, nil
}

// Commit implements plugins.Restorer.
func (brook) Commit(ctx context.Context, s plugins.Session, id string, within time.Duration) error {
	_, err := run(ctx, s, plugins.Command{Text: fmt.Sprintf("candidate commit %s %d", id, int(within.Seconds())), Write: true})
	return err
}

// Confirm implements plugins.Restorer.
func (b brook) Confirm(ctx context.Context, s plugins.Session, id string) error {
	if _, err := run(ctx, s, plugins.Command{Text: "candidate confirm " + id, Write: true}); err != nil {
		return err
	}
	st, _, err := b.Status(ctx, s, id)
	if err == nil && st == plugins.StateRolledBack {
		err = plugins.ErrRolledBack
	}
	return err
}

// Discard implements plugins.Restorer.
func (brook) Discard(ctx context.Context, s plugins.Session, id string) error {
	_, err := run(ctx, s, plugins.Command{Text: "candidate discard " + id, Write: true})
	return err
}

// Status implements plugins.Restorer.
func (brook) Status(ctx context.Context, s plugins.Session, id string) (plugins.State, time.Duration, error) {
	out, err := run(ctx, s, plugins.Command{Text: "candidate status " + id})
	if err != nil {
		return plugins.StateUnknown, 0, err
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	switch st := plugins.State(word); st {
	case plugins.StateNone, plugins.StateStaged, plugins.StateConfirmed, plugins.StateRolledBack:
		return st, 0, nil
	case plugins.StatePending:
		left, err := strconv.Atoi(rest)
		return st, time.Duration(left) * time.Second, err
	}
	return plugins.StateUnknown, 0, nil
}

// Adapt implements plugins.Adapter: it renames interfaces, which on a Brook
// are the third word of a line.
func (brook) Adapt(_ context.Context, native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	for i, a := range native {
		lines := strings.Split(string(a.Data), "\n")
		for j, line := range lines {
			w := strings.Split(line, " ")
			if len(w) > 2 && w[0] == "set" && w[1] == "interface" && m[w[2]] != "" {
				w[2] = m[w[2]]
				lines[j] = strings.Join(w, " ")
			}
		}
		native[i].Data = []byte(strings.Join(lines, "\n"))
	}
	return native, nil, nil
}

// run runs a command that the switch must not refuse.
func run(ctx context.Context, s plugins.Session, c plugins.Command) ([]byte, error) {
	out, err := s.Run(ctx, c)
	if err != nil {
		return nil, err
	}
	if !out.OK() {
		return nil, fmt.Errorf("%s: the switch refused it", strings.Join(strings.Fields(c.Text)[:2], " "))
	}
	return out.Stdout, nil
}
