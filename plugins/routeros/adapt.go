package routeros

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// adapt leaves out what belongs to the old unit – hardware addresses, the
// identity of an SNMP engine – and renames interfaces where attributes refer
// to them.
func adapt(native []plugins.Artefact, _, _ plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	out, losses := lens.WithoutUnit(native)
	for i := range out {
		if out[i].Name != artExport {
			continue
		}
		d := syntax.ParseSections(string(out[i].Data), syntax.RouterOS())
		owner := map[string]string{}
		var clash error
		one := func(name string) string {
			to, ok := m[name]
			if !ok || to == "" { // it lists no port that nobody configured
				to = name
			}
			if had, ok := owner[to]; ok && had != name && clash == nil {
				clash = fmt.Errorf("adapt: interfaces %q and %q would both be called %q: complete the interface map", had, name, to)
			}
			owner[to] = name
			return to
		}
		syntax.RouterOSRecords(d, func(r *syntax.Record) bool {
			if r.Bad {
				return true
			}
			losses = append(losses, edit(d, r, out[i].Name, len(m) > 0, one)...)
			return clash == nil
		})
		if clash != nil {
			return nil, nil, clash
		}
		out[i].Data = d.Bytes()
	}
	return out, losses, nil
}

// edit changes one command.
func edit(d *syntax.Doc, r *syntax.Record, artefact string, rename bool, one func(string) string) (losses []plugins.Loss) {
	text := d.Logical(r.From)
	changed := false
	for k := len(r.Attrs) - 1; k >= 0; k-- {
		a := &r.Attrs[k]
		if why := unitAttr(r, a.Name); why != "" {
			from := strings.LastIndexByte(text[:a.At], ' ')
			text = text[:max(from, 0)] + text[a.End:]
			losses = append(losses, plugins.Loss{Artefact: artefact, Line: d.Lines[a.From].Number, Code: lens.LossUnitBound, Text: why})
			changed = true
			continue
		}
		if !rename || !refersTo(r, a.Name) {
			continue
		}
		parts := strings.Split(a.Value, ",")
		for i, p := range parts {
			no, name := "", p
			if rest, ok := strings.CutPrefix(p, "!"); ok {
				no, name = "!", rest
			}
			name, zone, zoned := strings.Cut(name, "%") // 10.0.0.1%ether1
			if zoned {
				parts[i] = no + name + "%" + one(zone)
			} else {
				parts[i] = no + one(name)
			}
		}
		if to := strings.Join(parts, ","); to != a.Value {
			text = text[:a.At] + syntax.RouterOSQuote(to) + text[a.End:]
			changed = true
		}
	}
	if changed {
		d.SetLogical(r.From, syntax.RouterOSWrap(text))
	}
	slices.Reverse(losses)
	return losses
}

func unitAttr(r *syntax.Record, name string) string {
	switch name {
	case "mac-address", "admin-mac":
		if strings.HasPrefix(r.Words[0], "/interface") {
			return "a hardware address of the old unit"
		}
	case "auto-mac":
		if a := r.Get("admin-mac"); a != nil {
			return "goes with a hardware address of the old unit"
		}
	case "engine-id", "engine-id-suffix":
		if r.Words[0] == "/snmp" {
			return "the SNMP engine id of the old unit"
		}
	}
	return ""
}

// refersTo reports whether an attribute names interfaces.
func refersTo(r *syntax.Record, name string) bool {
	switch name {
	case "interface", "interfaces", "bridge", "slaves", "tagged", "untagged", "in-interface", "out-interface", "in-bridge-port", "out-bridge-port", "master-interface", "primary",
		"local-interface", "vrf-interface", "actual-interface", "port", "[default-name", "ports", "arp-interval-interface", "remote-interface", "parent":
		return !(name == "port" && r.Words[0] != "/interface/ethernet/switch/port" || name == "parent" && !strings.HasPrefix(r.Words[0], "/queue"))
	case "name":
		return strings.HasPrefix(r.Words[0], "/interface/") && !strings.HasPrefix(r.Words[0], "/interface/list") && !strings.Contains(r.Words[0], "/security") &&
			!strings.Contains(r.Words[0], "/configuration") && !strings.Contains(r.Words[0], "/channel") && !strings.Contains(r.Words[0], "/datapath")
	case "gateway", "pref-src", "src-address":
		return name == "gateway" && strings.HasSuffix(r.Words[0], "/route")
	}
	return false
}
