package linux

import (
	"path"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// adapt leaves out what belongs to the old machine – its id, its SSH host
// keys, hardware addresses by which files pick or dress an interface – and
// renames interfaces. A line that names a renamed interface where adapt cannot
// tell what it means stays and is listed.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	var out []plugins.Artefact
	var losses []plugins.Loss
	for _, a := range native {
		if a.Bind == plugins.BindUnit || unitBound(a.Name) {
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: lens.LossUnitBound, Text: a.Name + " belongs to the old unit"})
			continue
		}
		d, names, ok := adaptable(a.Name, string(a.Data))
		if !ok || a.Role == plugins.RoleState {
			out = append(out, a)
			continue
		}
		left, whole := leaveHardware(d, a.Name)
		if losses = append(losses, left...); whole {
			continue
		}
		more, err := names.Apply(d, a.Name, m)
		if err != nil {
			return nil, nil, err
		}
		for _, l := range more {
			if l.Code != lens.LossNotRenamed { // found below, in words of every form
				losses = append(losses, l)
			}
		}
		losses = append(losses, notRenamed(a.Name, d, m)...)
		a.Data = d.Bytes()
		out = append(out, a)
	}
	return out, losses, nil
}

// adaptable parses a file that may name interfaces.
func adaptable(name, text string) (*syntax.Doc, lens.Names, bool) {
	dir, base := path.Split(name)
	switch {
	case strings.HasPrefix(name, "etc/systemd/network/"):
		refs := []string{"VLAN = $if", "VLAN = $if ...", "MACVLAN = $if", "Bond = $if", "Bridge = $if", "VRF = $if", "Tunnel = $if", "VXLAN = $if",
			"Parent = $if", "BindCarrier = $if", "Name = $if", "Name = * $if", "Name = * * $if", "Name = * * * $if", "OriginalName = $if", "Local = $if",
			"IncomingInterface = $if", "OutgoingInterface = $if", "PrimaryReselectPolicy = $if", "UplinkInterface = $if"}
		return syntax.ParseSections(text, syntax.INI()), lens.Names{Refs: refs, Rename: interfaceWord, Words: lens.Assignments}, true
	case name == "etc/network/interfaces", dir == "etc/network/interfaces.d/":
		refs := []string{"iface $if ...", "vlan-raw-device $if", "bond-master $if", "vrf $if", "bridge-vlan-aware $if", "... dev $if ...", "dev $if ...", "... via * dev $if ..."}
		for _, list := range []string{"auto", "allow-auto", "allow-hotplug", "bond-slaves", "bond-primary", "bridge_ports", "bridge-ports", "slaves"} {
			for n := range 24 {
				refs = append(refs, list+strings.Repeat(" *", n)+" $if ...")
			}
		}
		return syntax.ParseSections(text, syntax.Interfaces()), lens.Names{Refs: refs, Rename: interfaceWord}, true
	case name == "etc/sysctl.conf", dir == "etc/sysctl.d/":
		return syntax.ParseSections(text, syntax.Properties()),
			lens.Names{Refs: []string{"$if = ..."}, Rename: parameterWord, Words: lens.Assignments}, true
	case name == "etc/nftables.conf", dir == "etc/nftables.d/", strings.HasSuffix(base, ".nft"):
		var refs []string
		for _, key := range []string{"iif", "oif", "iifname", "oifname"} {
			refs = append(refs, "... "+key+" $if ...", "... "+key+" != $if ...", "... "+key+" == $if ...")
			for n := range 16 {
				refs = append(refs, "... "+key+" {"+strings.Repeat(" *", n)+" $if ...")
			}
		}
		return syntax.ParseSections(text, syntax.Sections{Comment: "#"}), lens.Names{Refs: refs, Rename: quotedWord}, true
	}
	return nil, lens.Names{}, false
}

// interfaceWord renames what can be the name of an interface.
func interfaceWord(word string, one func(string) string) (string, bool) {
	if !interfaceName(word) {
		return "", false
	}
	return one(word), true
}

// quotedWord renames an interface in nftables: with or without quotes, with
// the comma of a set.
func quotedWord(word string, one func(string) string) (string, bool) {
	core := strings.Trim(word, `",`)
	to, ok := interfaceWord(core, one)
	if !ok {
		return "", false
	}
	return strings.Replace(word, core, to, 1), true
}

// parameterWord renames the interface in net.ipv4.conf.eth0.rp_filter, where
// a dot of the name is written as a slash.
func parameterWord(word string, one func(string) string) (string, bool) {
	sep := "."
	if i := strings.IndexAny(word, "./"); i >= 0 {
		sep = word[i : i+1]
	}
	parts := strings.Split(word, sep)
	if len(parts) != 5 || parts[0] != "net" || parts[2] != "conf" && parts[2] != "neigh" || parts[3] == "all" || parts[3] == "default" {
		return "", false
	}
	other := map[string]string{".": "/", "/": "."}[sep]
	to, ok := interfaceWord(strings.ReplaceAll(parts[3], other, "."), one)
	if !ok {
		return "", false
	}
	if sep == "." {
		to = strings.ReplaceAll(to, ".", "/")
	}
	parts[3] = to
	return strings.Join(parts, sep), true
}

// leaveHardware removes hardware addresses. A file that would then match every
// interface is left out as a whole.
func leaveHardware(d *syntax.Doc, artefact string) (losses []plugins.Loss, whole bool) {
	section, matches, matchLine := "", 0, 0
	removedMatch := false
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement {
			continue
		}
		key, _, ok := syntax.KeyValue(l.Body)
		words := syntax.Words(nil, l.Body)
		switch {
		case strings.HasPrefix(words[0].Text, "["):
			if section = words[0].Text; section == "[Match]" {
				matchLine = l.Number
			}
		case words[0].Text == "hwaddress":
			losses = append(losses, lens.Leave(d, artefact, i, "a hardware address of the old unit"))
		case ok && (key.Text == "MACAddress" || key.Text == "PermanentMACAddress" || key.Text == "DUIDRawData" || key.Text == "IAID"):
			removedMatch = removedMatch || section == "[Match]"
			losses = append(losses, lens.Leave(d, artefact, i, "a hardware address or DHCP identity of the old unit"))
		case section == "[Match]":
			matches++
		}
	}
	if removedMatch && matches == 0 {
		return []plugins.Loss{{Artefact: artefact, Line: matchLine, Code: lens.LossUnitBound,
			Text: "the whole file: it picks its interface by a hardware address of the old unit; match by name on the new one"}}, true
	}
	return losses, false
}

// notRenamed lists lines that still hold the old name of a renamed interface.
func notRenamed(artefact string, d *syntax.Doc, m plugins.InterfaceMap) []plugins.Loss {
	var losses []plugins.Loss
	kept := map[string]bool{} // old names that are new names of others
	for _, to := range m {
		kept[to] = true
	}
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement && l.Kind != syntax.Text || d.Removed(i) {
			continue
		}
		body := strings.TrimSpace(l.Body)
		if strings.HasPrefix(body, "Description=") || strings.HasPrefix(body, "alias ") {
			continue // for people
		}
		for _, w := range strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune(" \t\r\"',{}();=/", r) }) {
			if to, ok := m[w]; ok && to != w && !kept[w] {
				losses = append(losses, plugins.Loss{Artefact: artefact, Line: l.Number, Code: lens.LossNotRenamed,
					Text: "names interface " + w + ", which is called " + to + " now, in a place that is not understood"})
				break
			}
		}
	}
	return losses
}
