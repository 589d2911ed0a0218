package vyos

import (
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// interfaceRefs are the places in a path where VyOS names an interface.
func interfaceRefs() []string {
	return []string{
		"interfaces * $if", "interfaces * $if ...", "... interface $if", "... interface $if ...", "... source-interface $if",
		"... passive-interface $if", "... interface-name $if", "... outbound-interface $if", "... inbound-interface $if",
		"... outbound-interface name $if", "... inbound-interface name $if", "... listen-interface $if", "... update-source $if",
		"... source-address $if", "... redirect $if",
	}
}

// adapt leaves out what belongs to the old unit and renames interfaces.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	out, losses := lens.WithoutUnit(native)
	for i := range out {
		if out[i].Name != runningConfig && out[i].Name != savedConfig {
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

// rename keeps the quotes of a name.
func rename(word string, one func(string) string) (string, bool) {
	name := syntax.Unquote(word)
	if name == "" || strings.ContainsAny(name, " :/") {
		return "", false
	}
	to := one(name)
	if name == word {
		return to, true
	}
	return word[:1] + to + word[:1], true
}

// leaveUnit drops the hardware addresses by which the old unit knew its ports:
// the new one writes its own.
func leaveUnit(d *syntax.Doc, artefact string) []plugins.Loss {
	var gone []int
	for s := range statements(d) {
		p := s.path
		if len(p) == 5 && p[0].Text == "interfaces" && p[3].Text == "hw-id" {
			gone = append(gone, s.line)
		}
	}
	var losses []plugins.Loss
	for _, i := range gone {
		losses = append(losses, lens.Leave(d, artefact, i, "the hardware address by which the old unit knew a port"))
	}
	return losses
}
