package eos

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// ports keeps which ports the switch has, which a running configuration lists
// whether they are configured or not, and who answers on them by LLDP. Of a
// switch that refuses to tell its neighbours nothing is kept.
func ports(ctx context.Context, s plugins.Session, e *plugins.Export) error {
	if len(e.Artefacts) == 0 || e.Artefacts[0].Name != runningConfig {
		return nil
	}
	const command = "show lldp neighbors | json"
	out, err := s.Run(ctx, plugins.Command{Text: command})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("eos: %s: %w", command, err)
	}
	var lldp struct {
		Neighbors []struct {
			Port   string `json:"port"`
			Device string `json:"neighborDevice"`
			Peer   string `json:"neighborPort"`
		} `json:"lldpNeighbors"`
	}
	at := map[string]string{}
	if err != nil || !out.OK() {
		e.Reasons = append(e.Reasons, plugins.Reason{Code: "cut", Text: "the output of " + command + " stops before its end was proved"})
		return nil
	}
	if _, refused := refusedWhole(out.Stdout); refused {
		return nil
	}
	if json.Unmarshal(out.Stdout, &lldp) != nil {
		e.Reasons = append(e.Reasons, plugins.Reason{Code: "cut", Text: "the output of " + command + " is not whole"})
		return nil
	}
	for _, n := range lldp.Neighbors {
		at[n.Port] = strings.TrimSpace(n.Device + " " + n.Peer)
	}
	var list []plugins.Port
	lines, _ := split(e.Artefacts[0].Data)
	for _, l := range lines {
		name, ok := strings.CutPrefix(l.text, "interface ")
		if !ok || l.free || strings.Contains(name, ".") {
			continue
		}
		p := plugins.Port{Name: name, Role: plugins.PortVirtual, Up: at[name] != "", Neighbor: at[name]}
		switch {
		case strings.HasPrefix(name, "Ethernet"):
			p.Role = plugins.PortData
		case strings.HasPrefix(name, "Management"):
			p.Role = plugins.PortManagement
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil
	}
	a, err := plugins.NewPortsArtefact(command, list)
	if err != nil {
		return err
	}
	e.Artefacts = append(e.Artefacts, a)
	return nil
}
