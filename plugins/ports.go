package plugins

import (
	"encoding/json"
	"fmt"
)

// PortsArtefact is the name of the artefact, of role state, in which a driver
// that can tell keeps which ports the unit has and who is at their other end.
// It is evidence: what a replacement matches interfaces by where names differ.
const PortsArtefact = "cfgvault/ports.json"

// Port is one interface of a unit.
type Port struct {
	Name     string `json:"name"`               // as the configuration spells it
	Role     string `json:"role"`               // PortData, PortManagement or PortVirtual
	Speed    int    `json:"speed,omitempty"`    // Mbit/s it can do, or does; 0: not told
	Up       bool   `json:"up,omitempty"`       // it has a link
	Neighbor string `json:"neighbor,omitempty"` // who answers by LLDP: system name, a blank, port id; empty: nobody, or not told
}

// The roles of ports.
const (
	PortData       = "data"
	PortManagement = "management"
	PortVirtual    = "virtual" // loopbacks, VLAN interfaces, bundles: made by configuration, never mapped
)

// NewPortsArtefact keeps ports as an artefact.
func NewPortsArtefact(source string, ports []Port) (Artefact, error) {
	data, err := json.MarshalIndent(ports, "", " ")
	if err != nil {
		return Artefact{}, fmt.Errorf("ports: %w", err)
	}
	return Artefact{Name: PortsArtefact, Role: RoleState, Source: source, Data: append(data, '\n')}, nil
}

// PortsIn reads the ports that an export tells; nil if it tells none.
func PortsIn(native []Artefact) []Port {
	for _, a := range native {
		var ports []Port
		if a.Name == PortsArtefact && a.Role == RoleState && json.Unmarshal(a.Data, &ports) == nil {
			return ports
		}
	}
	return nil
}
