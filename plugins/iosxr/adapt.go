package iosxr

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// interfaceRefs are the places where IOS-XR names an interface.
func interfaceRefs() []string {
	return []string{
		"interface $if", "interface $if ...", "interface preconfigure $if", "no interface $if", "ipv4 unnumbered $if", "update-source $if",
		"... source-interface $if", "... source-interface $if vrf *", "logging source-interface $if", "source $if", "server ... source $if ...", "snmp-server trap-source $if",
		"neighbor $if ...", "destination interface $if", "tunnel source $if", "track * line-protocol interface $if",
		"monitor-session * destination interface $if", "router-id $if", "mpls ldp router-id $if",
	}
}

// adapt leaves out what belongs to the old unit (hardware addresses set by
// hand, the SNMP engine id) and renames interfaces.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	k := kinds()
	names := k.CanonicalMap(m)
	out, losses := lens.WithoutUnit(native)
	for i := range out {
		if out[i].Name != runningConfig {
			continue
		}
		d := parseConfig(string(out[i].Data))
		losses = append(losses, leaveUnit(d, out[i].Name)...)
		more, err := lens.Names{Refs: interfaceRefs(), Rename: k.RenameList, Own: "interface $if", Idle: []string{"shutdown"}, Elsewhere: func(i int) bool { return isRoute(d, i) }}.Apply(d, out[i].Name, names)
		if err != nil {
			return nil, nil, err
		}
		losses = append(losses, more...)
		renameNumbers(d, names)
		renameRoutes(d, names)
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
		case strings.HasPrefix(body, "snmp-server engineID local "):
			losses = append(losses, lens.Leave(d, artefact, i, "the SNMP engine id of the old unit: SNMPv3 users need their passwords again"))
		case strings.HasPrefix(body, "mac-address ") && l.Parent != syntax.None:
			losses = append(losses, lens.Leave(d, artefact, i, "a hardware address set on an interface of the old unit"))
		}
	}
	return losses
}

// renameNumbers renames the bundles that are named by number only.
func renameNumbers(d *syntax.Doc, m plugins.InterfaceMap) {
	var words []syntax.Word
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || d.Removed(i) {
			continue
		}
		words = syntax.Words(words[:0], l.Body)
		if len(words) < 3 || words[0].Text != "bundle" || words[1].Text != "id" {
			continue
		}
		if to, ok := strings.CutPrefix(m["Bundle-Ether"+words[2].Text], "Bundle-Ether"); ok {
			d.ReplaceWord(i, words[2], to)
		}
	}
}

// isRoute reports a line of the static routes.
func isRoute(d *syntax.Doc, i int) bool {
	return d.Lines[i].Parent != syntax.None && strings.TrimSpace(d.Lines[d.Heading(i)].Body) == "router static"
}

// renameRoutes renames the interfaces behind which static routes lead: the word
// after the prefix.
func renameRoutes(d *syntax.Doc, m plugins.InterfaceMap) {
	k := kinds()
	var words []syntax.Word
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || d.Removed(i) || !isRoute(d, i) {
			continue
		}
		words = syntax.Words(words[:0], l.Body)
		if len(words) < 2 || !strings.Contains(words[0].Text, "/") {
			continue
		}
		name, ok := k.Canonical(words[1].Text)
		if !ok {
			continue
		}
		base, sub, isSub := strings.Cut(name, ".")
		switch to := m[name]; {
		case to != "":
			d.ReplaceWord(i, words[1], to)
		case isSub && m[base] != "":
			d.ReplaceWord(i, words[1], m[base]+"."+sub)
		}
	}
}
