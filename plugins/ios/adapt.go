package ios

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// interfaceRefs are the places where IOS names an interface, or several.
func interfaceRefs() []string {
	return []string{
		"interface $if", "interface $if ...", "no interface $if", "default interface $if",
		"ip route * * $if ...", "ip route vrf * * * $if ...", "ipv6 route * $if ...", "ipv6 route vrf * * $if ...",
		"ip unnumbered $if", "ip unnumbered $if ...", "ipv6 unnumbered $if",
		"... source-interface $if", "... source-interface $if vrf *", "ntp source $if", "ntp server ... source $if ...", "... update-source $if",
		"snmp-server trap-source $if", "logging source-interface $if", "ip tftp source-interface $if",
		"passive-interface $if", "no passive-interface $if", "match interface $if ...", "match interface * $if ...", "match interface * * $if ...",
		"tunnel source $if", "standby * track $if ...", "vrrp * track $if ...", "track * interface $if ...", "monitor session * source interface $if ...",
		"monitor session * destination interface $if ...", "switchport backup interface $if ...", "backup interface $if",
		"set interface $if", "set ip next-hop ... $if", "ip nat inside source ... interface $if ...", "crypto map * local-address $if",
		"mpls ldp router-id $if ...", "peer default ip address ... $if", "ip pim rp-candidate $if ...", "ip pim bsr-candidate $if ...",
		"mac address-table static * vlan * interface $if", "ip arp inspection ... interface $if ...", "source interface $if", "source $if",
		"destination interface $if", "neighbor $if ...", "no neighbor $if ...", "distribute-list ... $if", "offset-list ... $if", "ip local policy ... $if",
		"ip dhcp snooping ... interface $if", "boot network ... $if", "bridge-group ... $if", "route-target ... $if", "associate-vlan $if",
		"interface range $if", "ip flow-export source $if", "call-home ... source-interface $if",
	}
}

// adapt leaves out what belongs to the old unit (its identity, certificates
// made by itself, hardware addresses set by hand, the engine id from which
// SNMPv3 keys are made) and renames interfaces.
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
		more, err := lens.Names{Refs: interfaceRefs(), Rename: k.RenameList, Own: "interface $if", Idle: []string{"shutdown", "no ip address", "no switchport", "negotiation auto", "duplex auto", "speed auto"}}.Apply(d, out[i].Name, names)
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
	leave := func(i int, text string) { losses = append(losses, lens.Leave(d, artefact, i, text)) }
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || d.Removed(i) {
			continue
		}
		body := strings.TrimSpace(l.Body)
		switch {
		case strings.HasPrefix(body, "license udi "):
			leave(i, "the identity of the old unit; a device refuses another's")
		case strings.HasPrefix(body, "crypto pki certificate chain "):
			leave(i, "a certificate whose private key stays on the old unit: enroll again")
		case strings.HasPrefix(body, "crypto pki trustpoint TP-self-signed-"):
			leave(i, "the certificate that the old unit made for itself: the new one makes its own")
		case strings.HasPrefix(body, "mac-address ") && l.Parent != syntax.None:
			leave(i, "a hardware address set on an interface of the old unit")
		case strings.HasPrefix(body, "snmp-server engineID local "):
			leave(i, "the SNMP engine id of the old unit: SNMPv3 users need their passwords again")
		case l.Parent == syntax.None && typeSix(body):
			losses = append(losses, plugins.Loss{Artefact: artefact, Line: l.Number, Code: "master-key", Text: "a secret of type 6, which the new unit can read only with the same master key (key config-key password-encrypt)"})
		}
	}
	return losses
}

// typeSix reports a secret that is encrypted with the unit's master key.
func typeSix(body string) bool {
	return strings.Contains(body, " password 6 ") || strings.Contains(body, " key 6 ") || strings.Contains(body, " secret 6 ")
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
		if to, ok := strings.CutPrefix(m["Port-channel"+words[1].Text], "Port-channel"); ok {
			d.ReplaceWord(i, words[1], to)
		}
	}
}
