package junos

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// The commands that tell the ports. The first lists every interface whether it
// is configured or not.
const (
	listInterfaces = "show interfaces terse | no-more"
	listNeighbors  = "show lldp neighbors | no-more"
)

// ports keeps which ports the unit has and who answers on them by LLDP. What a
// port can do is told by its name, but not that of et, which runs at several
// speeds. Of a unit that refuses to tell its neighbours nothing is kept.
func ports(ctx context.Context, s plugins.Session, e *plugins.Export, reason func(string, string, ...any)) error {
	list, ok, err := evidence(ctx, s, listInterfaces, reason)
	if err != nil || !ok {
		return err
	}
	lldp, ok, err := evidence(ctx, s, listNeighbors, reason)
	if err != nil || !ok {
		return err
	}
	found := interfacesIn(list)
	if len(found) == 0 {
		return nil
	}
	at := neighborsIn(lldp)
	for i := range found {
		found[i].Neighbor = at[found[i].Name]
	}
	a, err := plugins.NewPortsArtefact(listInterfaces+", "+listNeighbors, found)
	if err != nil {
		return err
	}
	e.Artefacts = append(e.Artefacts, a)
	return nil
}

// evidence reads a command that tells state; ok is false if it told nothing.
// That LLDP does not run is an answer.
func evidence(ctx context.Context, s plugins.Session, command string, reason func(string, string, ...any)) (text string, ok bool, err error) {
	out, err := s.Run(ctx, plugins.Command{Text: command})
	switch {
	case err != nil && ctx.Err() != nil:
		return "", false, fmt.Errorf("junos: %s: %w", command, err)
	case err != nil:
		lostReason(reason, "the list of ports", err)
		return "", false, nil
	case !out.OK():
		reason("cut", "the output of %s stops before its end was proved", command)
		return "", false, nil
	}
	text = body(string(out.Stdout))
	if said, refused := refusal(beginning(text)); refused {
		return "", strings.Contains(said, "not running"), nil
	}
	if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), control) || promptLine.MatchString(text) {
		reason("control-bytes", "the output of %s holds what is not the device's answer", command)
		return "", false, nil
	}
	return text, true, nil
}

var (
	dataPort       = regexp.MustCompile(`^(fe|ge|mge|xe|et)-\d+/\d+/\d+(?::\d+)?$`)
	managementPort = regexp.MustCompile(`^(?:fxp0|em0|me0|vme|re\d+:mgmt-\d+)$`)
	virtualPort    = regexp.MustCompile(`^(?:ae\d+|reth\d+|irb|vlan|lo0|st0)$`)
)

// interfacesIn reads "show interfaces terse": name, administrative state, link.
// What only the unit itself uses is left out, and so is em0 beside fxp0.
func interfacesIn(out string) []plugins.Port {
	speeds := map[string]int{"fe": 100, "ge": 1000, "mge": 2500, "xe": 10000}
	var list []plugins.Port
	seen := map[string]bool{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 3 || seen[f[0]] {
			continue
		}
		p := plugins.Port{Name: f[0], Up: f[1] == "up" && f[2] == "up"}
		m := dataPort.FindStringSubmatch(f[0])
		switch {
		case m != nil:
			p.Role, p.Speed = plugins.PortData, speeds[m[1]]
		case managementPort.MatchString(f[0]):
			p.Role = plugins.PortManagement
		case virtualPort.MatchString(f[0]):
			p.Role = plugins.PortVirtual
		default:
			continue
		}
		seen[f[0]] = true
		list = append(list, p)
	}
	var left []plugins.Port
	for _, p := range list {
		if p.Name != "em0" || !seen["fxp0"] {
			left = append(left, p)
		}
	}
	return left
}

var wide = regexp.MustCompile(`\s{2,}`)

// neighborsIn reads the table of "show lldp neighbors": local interface, from
// Junos 12 on its parent or "-", chassis, what the port is called, system. The
// last two may hold blanks, and the last may be missing.
func neighborsIn(out string) map[string]string {
	at := map[string]string{}
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		local, rest := cutWord(line)
		local, _, _ = strings.Cut(local, ".") // some releases tell the unit
		if !dataPort.MatchString(local) && !managementPort.MatchString(local) {
			continue
		}
		chassis, tail := cutWord(rest)
		if chassis == "-" || virtualPort.MatchString(strings.TrimSuffix(chassis, ".0")) {
			chassis, tail = cutWord(tail)
		}
		port, system := tail, ""
		if cells := wide.Split(tail, 2); len(cells) == 2 {
			port, system = cells[0], cells[1]
		} else if i := strings.LastIndexByte(tail, ' '); i > 0 {
			port, system = tail[:i], tail[i+1:]
		}
		if system == "" {
			system = chassis
		}
		if chassis != "" {
			at[local] = strings.TrimSpace(system + " " + port)
		}
	}
	return at
}

func cutWord(s string) (word, rest string) {
	i := strings.IndexByte(s, ' ')
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " ")
}
