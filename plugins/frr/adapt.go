package frr

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

// interfaceRefs are the places where FRR 8.4 names an interface.
func interfaceRefs() []string {
	return []string{
		"interface $if ...",
		"ip route * $if", "ip route * * $if ...", "ip route * $if ...",
		"ipv6 route * $if", "ipv6 route * * $if ...", "ipv6 route * $if ...",
		"ip mroute * $if ...",
		"neighbor $if ...", "no neighbor $if ...", "neighbor * update-source $if",
		"passive-interface $if", "no passive-interface $if",
		"match interface $if", "set ip next-hop * $if", "set nexthop * $if", "set nexthop $if",
		"nexthop * $if ...", "nexthop $if", "peer ... interface $if ...",
		"network $if", "ip nhrp ... $if", "tunnel source $if",
	}
}

// adapt leaves out what belongs to the old unit and renames interfaces. The
// vtysh files hold no interface; a running configuration holds nothing else
// that is bound to a unit.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	out, losses := lens.WithoutUnit(native)
	if len(m) == 0 {
		return out, losses, nil
	}
	names := lens.Names{
		Refs: interfaceRefs(),
		Own:  "interface $if",
		End:  "exit",
		// A word that the map does not name may be a peer group, a keyword or
		// an address: it stays, and is no interface that could collide.
		Rename: func(word string, one func(string) string) (string, bool) {
			if !interfaceName(word) {
				return "", false
			}
			return one(word), true
		},
	}
	for i := range out {
		if out[i].Role == plugins.RoleState || out[i].Name == daemonsFile {
			continue
		}
		d := parseConfig(string(out[i].Data))
		more, err := names.Apply(d, out[i].Name, m)
		if err != nil {
			return nil, nil, err
		}
		losses = append(losses, more...)
		out[i].Data = d.Bytes()
	}
	return out, losses, nil
}
