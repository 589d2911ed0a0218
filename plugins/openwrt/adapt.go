package openwrt

import (
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// adapt leaves out what belongs to the old unit – host keys, calibration data,
// hardware addresses and, on another model, the bus paths of radios – and
// renames interfaces, devices and logical ones, where options refer to them.
func adapt(native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	var out []plugins.Artefact
	var losses []plugins.Loss
	owner := map[string]string{}
	for _, a := range native {
		if a.Bind == plugins.BindUnit || unitBound(a.Name) {
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: lens.LossUnitBound, Text: a.Name + " belongs to the old unit"})
			continue
		}
		pkg, ok := strings.CutPrefix(a.Name, "etc/config/")
		if !ok || a.Role == plugins.RoleState {
			out = append(out, a)
			continue
		}
		d := syntax.ParseUCI(string(a.Data))
		var failed error
		syntax.UCIRecords(d, func(r *syntax.Record) bool {
			if r.Bad || len(r.Words) == 0 {
				return true
			}
			for i := range r.Attrs {
				o := &r.Attrs[i]
				if text := unitOption(pkg, r.Words[0], o.Name, from.Model == to.Model); text != "" {
					losses = append(losses, lens.Leave(d, a.Name, o.From, text))
				}
			}
			failed = rename(d, r, pkg, m, owner)
			return failed == nil
		})
		if failed != nil {
			return nil, nil, failed
		}
		a.Data = d.Bytes()
		out = append(out, a)
	}
	return out, losses, nil
}

// unitOption says why an option does not go to another unit, or "".
func unitOption(pkg, section, option string, sameModel bool) string {
	switch {
	case option == "macaddr" && (section == "device" || section == "interface" || section == "wifi-device" || section == "wifi-iface"):
		return "a hardware address set on the old unit"
	case pkg == "network" && section == "globals" && option == "dhcp_default_duid":
		return "the DHCP identity of the old unit"
	case pkg == "wireless" && section == "wifi-device" && (option == "path" || option == "phy") && !sameModel:
		return "the place of the radio on the old board"
	}
	return ""
}

// refersTo reports whether an option names interfaces.
func refersTo(pkg, section, option string) bool {
	switch option {
	case "device", "ifname", "ports", "interface", "network", "network_ext", "notinterface":
		return !(pkg == "wireless" && option == "device")
	case "name":
		return pkg == "network" && section == "device"
	}
	return false
}

// rename changes the names in one section.
func rename(d *syntax.Doc, r *syntax.Record, pkg string, m plugins.InterfaceMap, owner map[string]string) error {
	if len(m) == 0 {
		return nil
	}
	var clash error
	one := func(name string) string {
		tail := ""
		if i := strings.IndexByte(name, ':'); i >= 0 { // "lan1:u*"
			name, tail = name[:i], name[i:]
		}
		at := strings.HasPrefix(name, "@")
		name = strings.TrimPrefix(name, "@")
		to, ok := m[name]
		if !ok || to == "" { // it lists no port that nobody configured
			to = name
			if base, sub, isSub := strings.Cut(name, "."); isSub && m[base] != "" {
				to = m[base] + "." + sub
			}
		}
		if had, ok := owner[to]; ok && had != name && clash == nil {
			clash = fmt.Errorf("adapt: interfaces %q and %q would both be called %q: complete the interface map", had, name, to)
		}
		owner[to] = name
		if at {
			to = "@" + to
		}
		return to + tail
	}
	for i := range r.Attrs {
		o := &r.Attrs[i]
		if d.Removed(o.From) || !refersTo(pkg, r.Words[0], o.Name) {
			continue
		}
		words := strings.Fields(o.Value)
		for k := range words {
			words[k] = one(words[k])
		}
		if to := strings.Join(words, " "); to != strings.Join(strings.Fields(o.Value), " ") {
			text := d.Logical(o.From)
			d.SetLogical(o.From, text[:o.At]+syntax.UCIQuote(to)+text[o.End:])
		}
	}
	if pkg == "network" && r.Words[0] == "interface" && len(r.Words) == 2 {
		if to, ok := m[r.Words[1]]; ok && to != r.Words[1] {
			if !sectionName(to) {
				return fmt.Errorf("adapt: the section %q cannot be called %q: letters, digits and underscores only", r.Words[1], to)
			}
			text := d.Logical(r.From)
			at := strings.LastIndex(text, r.Words[1])
			d.SetLogical(r.From, text[:at]+to+text[at+len(r.Words[1]):])
		}
	}
	return clash
}
