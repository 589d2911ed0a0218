package eos

import (
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// interfaceRefs are the places where EOS names an interface, or several.
func interfaceRefs() []string {
	return []string{
		"interface $if",
		"ip route * $if ...", "ip route vrf * * $if ...", "ipv6 route * $if ...", "ipv6 route vrf * * $if ...",
		"ip address unnumbered $if", "ip helper-address ... source-interface $if",
		"ip ... source-interface $if ...", "ip ... local-interface $if ...", "ip ssh client source-interface $if ...",
		"logging ... source-interface $if", "snmp-server ... local-interface $if", "snmp-server ... source-interface $if",
		"ntp ... local-interface $if", "ntp server ... source $if ...", "ntp server ... local-interface $if ...",
		"neighbor * update-source $if", "neighbor interface $if ...",
		"passive-interface $if", "no passive-interface $if", "match interface $if",
		"area ... interface $if ...", "interface $if area ...", "local-interface $if", "peer-link $if",
		"vxlan source-interface $if", "monitor session * source $if ...", "monitor session * destination $if",
		"update-source $if", "tunnel source interface $if", "tunnel source $if", "sflow source-interface $if", "ptp source-interface $if",
		"radius-server ... source-interface $if", "tacacs-server ... source-interface $if", "source-interface $if",
		"set ip next-hop ... $if", "no interface $if", "default interface $if", "switchport backup interface $if ...",
		"track * interface $if ...", "mirror ... $if ...", "link tracking group ... $if", "lldp ... source-interface $if", "dns ... source-interface $if",
	}
}

// adapt leaves out what belongs to the old unit (addresses burnt into it by
// hand, the engine id from which SNMPv3 keys are made) and renames interfaces.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	out, losses := lens.WithoutUnit(native)
	for i := range out {
		if out[i].Role == plugins.RoleState || out[i].Name == "boot-config" {
			continue
		}
		d := parseConfig(string(out[i].Data))
		losses = append(losses, leaveUnit(d, out[i].Name)...)
		more, err := lens.Names{Refs: interfaceRefs(), Rename: renameList, Own: "interface $if", Idle: []string{"shutdown", "no switchport"}}.Apply(d, out[i].Name, canonicalMap(m))
		if err != nil {
			return nil, nil, err
		}
		losses = append(losses, more...)
		renameGroups(d, canonicalMap(m))
		out[i].Data = d.Bytes()
	}
	return out, losses, nil
}

func leaveUnit(d *syntax.Doc, artefact string) []plugins.Loss {
	var losses []plugins.Loss
	var words []syntax.Word
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement {
			continue
		}
		words = syntax.Words(words[:0], l.Body)
		switch {
		case len(words) == 2 && words[0].Text == "mac-address" && l.Parent != syntax.None:
			losses = append(losses, lens.Leave(d, artefact, i, "a hardware address set on an interface of the old unit"))
		case len(words) >= 3 && words[0].Text == "snmp-server" && words[1].Text == "engineID" && words[2].Text == "local":
			losses = append(losses, lens.Leave(d, artefact, i, "the SNMP engine id of the old unit: SNMPv3 users need their passwords again"))
		}
	}
	return losses
}

func canonicalMap(m plugins.InterfaceMap) plugins.InterfaceMap {
	out := make(plugins.InterfaceMap, len(m))
	for from, to := range m {
		if c, ok := canonical(from); ok {
			from = c
		}
		if c, ok := canonical(to); ok {
			to = c
		}
		out[from] = to
	}
	return out
}

// renameList renames "Ethernet1", "Ethernet1-3,5" and "Ethernet1/1,Vlan10".
// What is no interface stays.
func renameList(word string, one func(string) string) (string, bool) {
	if c, ok := canonical(word); ok {
		return one(c), true
	}
	var out []string
	kind := ""
	for _, part := range strings.Split(word, ",") {
		name := part
		if _, ok := canonical(name); !ok && kind != "" && part != "" && part[0] >= '0' && part[0] <= '9' {
			name = kind + part
		}
		lo, hi, isRange := strings.Cut(name, "-")
		if strings.HasPrefix(strings.ToLower(name), "port-") || strings.HasPrefix(strings.ToLower(name), "recirc-") {
			head, rest, _ := strings.Cut(name, "-")
			lo, hi, isRange = strings.Cut(rest, "-")
			lo = head + "-" + lo
		}
		c, ok := canonical(lo)
		if !ok {
			return "", false
		}
		kind = c[:strings.IndexAny(c, "0123456789")]
		if !isRange {
			out = append(out, one(c))
			continue
		}
		// The last number counts up: "1/1-4" is 1/1 to 1/4.
		cut := strings.LastIndexAny(c, "/.") + 1
		if cut == 0 {
			cut = len(kind)
		}
		from, err1 := strconv.Atoi(c[cut:])
		to, err2 := strconv.Atoi(hi[strings.LastIndexAny(hi, "/.")+1:])
		if err1 != nil || err2 != nil || to < from || to-from > 4096 {
			return "", false
		}
		for n := from; n <= to; n++ {
			out = append(out, one(c[:cut]+strconv.Itoa(n)))
		}
	}
	renamed := strings.Join(out, ",")
	return renamed, true
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
		to, ok := strings.CutPrefix(m["Port-Channel"+words[1].Text], "Port-Channel")
		if ok {
			d.ReplaceWord(i, words[1], to)
		}
	}
}
