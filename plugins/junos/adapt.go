package junos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// interfaceRefs are the places in a path where Junos names an interface.
func interfaceRefs() []string {
	return []string{
		"interfaces $if", "interfaces $if ...", "interfaces interface-range * member $if",
		"interfaces interface-range * member-range $if to $if",
		"... interface $if", "... interface $if ...", "... interfaces $if", "... interfaces $if ...",
		"... 802.3ad $if", "... unnumbered-address $if", "... l3-interface $if", "... local-interface $if",
		"... source-interface $if", "... external-interface $if", "... bind-interface $if", "... egress-interface $if", "... ingress-interface $if",
		"... next-hop $if", "... qualified-next-hop $if ...", "... qualified-next-hop $if", "... propagate-settings $if", "... input-interface $if", "... output-interface $if",
		"... control-ports $if", "... member-interfaces $if", "... vcp-port $if", "... node-link $if",
		"groups * interfaces $if", "groups * interfaces $if ...", "logical-systems * interfaces $if", "logical-systems * interfaces $if ...",
	}
}

// adapt leaves out what belongs to the old unit and renames interfaces.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	out, losses := lens.WithoutUnit(native)
	for i := range out {
		if out[i].Name != configuration && out[i].Name != rescue {
			continue
		}
		d := parse(string(out[i].Data))
		losses = append(losses, leaveUnit(d, out[i].Name)...)
		names := lens.Names{Refs: interfaceRefs(), Path: true, Words: words, Rename: rename}
		more, err := names.Apply(d, out[i].Name, m)
		if err != nil {
			return nil, nil, err
		}
		losses = append(losses, more...)
		out[i].Data = d.Bytes()
	}
	return out, losses, nil
}

// rename leaves words that only stand where an interface could: "all", a VLAN
// by name.
func rename(word string, one func(string) string) (string, bool) {
	if !logical(word) && !physical(word) || !strings.ContainsAny(word, "0123456789") {
		return "", false
	}
	return one(word), true
}

// leaveUnit drops addresses burnt into the old unit by hand and its SNMP
// engine.
func leaveUnit(d *syntax.Doc, artefact string) []plugins.Loss {
	var losses []plugins.Loss
	var path []syntax.Word
	above := map[int][]syntax.Word{}
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || d.Removed(i) {
			continue
		}
		path = words(append(path[:0], above[l.Parent]...), d.Logical(i))
		if l.Block && len(path) < 16 {
			above[i] = append([]syntax.Word(nil), path...)
		}
		is := func(at int, word string) bool { return at < len(path) && path[at].Text == word }
		switch {
		case is(0, "interfaces") && len(path) == 4 && is(2, "mac"):
			losses = append(losses, lens.Leave(d, artefact, i, "a hardware address set on an interface of the old unit"))
		case is(0, "snmp") && is(1, "engine-id"):
			losses = append(losses, lens.Leave(d, artefact, i, "the SNMP engine id of the old unit: SNMPv3 users need their passwords again"))
		case is(0, "virtual-chassis") && len(path) == 5 && is(1, "member") && is(3, "serial-number"):
			losses = append(losses, lens.Leave(d, artefact, i, "the serial number of a member of the old virtual chassis"))
		}
	}
	return losses
}
