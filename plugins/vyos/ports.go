package vyos

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// The commands that tell the ports, past the pager.
const (
	listInterfaces = "show interfaces | cat"
	listNeighbors  = "show lldp neighbors | cat"
)

// ports keeps which ports the unit has and who answers on them by LLDP, where
// that runs. VyOS tells no speed here.
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
// That LLDP is not configured is an answer.
func evidence(ctx context.Context, s plugins.Session, command string, reason func(string, string, ...any)) (text string, ok bool, err error) {
	out, err := s.Run(ctx, plugins.Command{Text: command})
	switch {
	case err != nil && ctx.Err() != nil:
		return "", false, fmt.Errorf("vyos: %s: %w", command, err)
	case err != nil:
		lostReason(reason, "the list of ports", err)
		return "", false, nil
	case !out.OK():
		reason("cut", "the output of %s stops before its end was proved", command)
		return "", false, nil
	}
	text = body(string(out.Stdout))
	switch {
	case strings.Contains(text, "not configured") || strings.Contains(text, "not running"):
		return "", true, nil
	case strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), control) || promptLine.MatchString(text):
		reason("control-bytes", "the output of %s holds what is not the unit's answer", command)
		return "", false, nil
	}
	if _, refused := refusal(text); refused {
		return "", false, nil
	}
	return text, true, nil
}

var (
	portName    = regexp.MustCompile(`^(?:eth\d+|wlan\d+)$`)
	virtualName = regexp.MustCompile(`^(?:lo|(?:bond|br|dum|tun|wg|vti|vxlan|pppoe|macsec|geneve|peth|vtun|l2tpeth)\d+)$`)
	stateWord   = regexp.MustCompile(`^[uDA]/[uD]$`)
)

// interfacesIn reads "show interfaces": the name, and wherever the release puts
// it, the state of the interface and of its link, "u/u".
func interfacesIn(out string) []plugins.Port {
	var list []plugins.Port
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 2 || line[0] == ' ' {
			continue
		}
		p := plugins.Port{Name: f[0], Role: plugins.PortData}
		if !portName.MatchString(f[0]) {
			if p.Role = plugins.PortVirtual; !virtualName.MatchString(f[0]) {
				continue
			}
		}
		for _, w := range f[1:] {
			if stateWord.MatchString(w) {
				p.Up = w == "u/u"
				break
			}
		}
		list = append(list, p)
	}
	return list
}

var wide = regexp.MustCompile(`\s{2,}`)

// neighborsIn reads the table of "show lldp neighbors": device, local port, and
// at the end of the row the port at the other end.
func neighborsIn(out string) map[string]string {
	at := map[string]string{}
	for line := range strings.Lines(out) {
		cells := wide.Split(strings.TrimSpace(line), -1)
		if len(cells) >= 3 && portName.MatchString(cells[1]) && cells[0] != "" {
			at[cells[1]] = cells[0] + " " + cells[len(cells)-1]
		}
	}
	return at
}
