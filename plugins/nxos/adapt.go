package nxos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// interfaceRefs are the places where NX-OS names an interface, or several.
func interfaceRefs() []string {
	return []string{
		"interface $if", "no interface $if", "default interface $if", "ip route * $if ...", "ipv6 route * $if ...", "ip unnumbered $if", "medium p2p $if",
		"... source-interface $if", "... source-interface $if ...", "ntp source-interface $if", "update-source $if", "source-interface $if",
		"logging source-interface $if", "snmp-server source-interface * $if", "match interface $if ...", "match interface * $if ...",
		"track * interface $if ...", "source interface $if ...", "destination interface $if ...", "peer-keepalive ... $if", "tunnel source $if",
		"switchport backup interface $if ...", "monitor session * source interface $if ...", "ip pim rp-address ... $if", "mac address-table static * vlan * interface $if",
		"interface breakout module * port $if ...", "ip dhcp relay source-interface $if", "neighbor $if ...", "set interface $if",
	}
}

// adapt leaves out what belongs to the old unit (hardware addresses set by
// hand, SNMPv3 users, whose keys are made from the engine id) and renames
// interfaces.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	k := kinds()
	names := k.CanonicalMap(m)
	out, losses := lens.WithoutUnit(native)
	for i := range out {
		if out[i].Name != runningConfig && out[i].Name != startupConfig {
			continue
		}
		d := parseConfig(string(out[i].Data))
		losses = append(losses, leaveUnit(d, out[i].Name)...)
		more, err := lens.Names{Refs: interfaceRefs(), Rename: k.RenameList, Own: "interface $if", Idle: []string{"shutdown", "no shutdown", "no switchport"}}.Apply(d, out[i].Name, names)
		if err != nil {
			return nil, nil, err
		}
		losses = append(losses, more...)
		renameGroups(d, names)
		out[i].Data = d.Bytes()
	}
	return out, losses, nil
}

func leaveUnit(d *syntax.Doc, artefact string) []plugins.Loss {
	var losses []plugins.Loss
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || d.Removed(i) {
			continue
		}
		body := strings.TrimSpace(l.Body)
		switch {
		case strings.HasPrefix(body, "snmp-server user ") && strings.Contains(body, "localizedkey"):
			losses = append(losses, lens.Leave(d, artefact, i, "an SNMPv3 user whose keys are made from the engine id of the old unit: set the passwords again"))
		case strings.HasPrefix(body, "snmp-server engineID local "):
			losses = append(losses, lens.Leave(d, artefact, i, "the SNMP engine id of the old unit"))
		case strings.HasPrefix(body, "mac-address ") && l.Parent != syntax.None:
			losses = append(losses, lens.Leave(d, artefact, i, "a hardware address set on an interface of the old unit"))
		}
	}
	return losses
}

// renameGroups renames the port channels that are named by number only.
func renameGroups(d *syntax.Doc, m plugins.InterfaceMap) {
	var words []syntax.Word
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || d.Removed(i) {
			continue
		}
		words = syntax.Words(words[:0], l.Body)
		if len(words) < 2 || words[0].Text != "channel-group" {
			continue
		}
		if to, ok := strings.CutPrefix(m["port-channel"+words[1].Text], "port-channel"); ok {
			d.ReplaceWord(i, words[1], to)
		}
	}
}
