package sonic

import (
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// adapt puts the base address of the new unit in the place of the old one's
// and renames interfaces in keys and values. What a port is to the hardware
// (alias, index, lanes) stays with the port.
func adapt(native []plugins.Artefact, _, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	out, losses := lens.WithoutUnit(native)
	for i := range out {
		if out[i].Name != artRunning && out[i].Name != artSaved {
			continue
		}
		j := syntax.ParseJSON(string(out[i].Data))
		if j.Bad != 0 || j.Root == nil || j.Root.Kind != '{' {
			continue
		}
		x := &renamer{json: j, m: m, owner: map[string]string{}}
		for k := range j.Root.Members {
			t := &j.Root.Members[k]
			if t.Name == "DEVICE_METADATA" {
				losses = append(losses, x.metadata(t.Value, out[i].Name, to)...)
			}
			if len(m) > 0 && t.Value.Kind == '{' {
				x.table(t)
			}
		}
		if x.clash != nil {
			return nil, nil, x.clash
		}
		out[i].Data = []byte(j.String())
	}
	return out, losses, nil
}

type renamer struct {
	json  *syntax.JSON
	m     plugins.InterfaceMap
	owner map[string]string
	clash error
}

// metadata replaces the base address.
func (x *renamer) metadata(v *syntax.JSONValue, artefact string, to plugins.Facts) (losses []plugins.Loss) {
	for i := range v.Members {
		host := v.Members[i].Value
		for k := range host.Members {
			f := &host.Members[k]
			if f.Name != "mac" || f.Value.Kind != '"' {
				continue
			}
			text := "the base address of the old unit"
			if len(to.MACs) > 0 {
				x.json.Replace(f.Value.From, f.Value.To, to.MACs[0])
				text += "; the new unit's own is in its place"
			} else {
				x.json.Remove(host, k)
			}
			losses = append(losses, plugins.Loss{Artefact: artefact, Line: x.json.LineOf(f.From) + 1, Code: lens.LossUnitBound, Text: text})
		}
	}
	return losses
}

// one is the new name of an interface; a sub-interface goes with its parent.
func (x *renamer) one(name string) string {
	to, ok := x.m[name]
	if !ok {
		to = name
		if base, sub, isSub := strings.Cut(name, "."); isSub && x.m[base] != "" {
			to = x.m[base] + "." + sub
		}
	}
	return to
}

// list renames the parts of a key or of a value.
func (x *renamer) list(s, sep string) string {
	parts := strings.Split(s, sep)
	for i, name := range parts {
		if parts[i] = x.one(name); parts[i] == "" && name != "" && x.clash == nil {
			x.clash = fmt.Errorf("adapt: %q is left out, and something refers to it: complete the interface map", name)
		}
	}
	return strings.Join(parts, sep)
}

func (x *renamer) table(t *syntax.JSONMember) {
	hardware := map[string]map[string]*syntax.JSONValue{} // of ports, by name and field
	if t.Name == "PORT" {
		for i := range t.Value.Members {
			p := &t.Value.Members[i]
			hardware[p.Name] = map[string]*syntax.JSONValue{}
			for k := range p.Value.Members {
				hardware[p.Name][p.Value.Members[k].Name] = p.Value.Members[k].Value
			}
			to := x.one(p.Name)
			if to == "" {
				x.json.Remove(t.Value, i)
				continue
			}
			if had, ok := x.owner[to]; ok && had != p.Name && x.clash == nil {
				x.clash = fmt.Errorf("adapt: interfaces %q and %q would both be called %q: complete the interface map", had, p.Name, to)
			}
			x.owner[to] = p.Name
		}
	}
	for i := range t.Value.Members {
		e := &t.Value.Members[i]
		if t.Name == "PORT" && x.one(e.Name) == "" {
			continue
		}
		if to := x.list(e.Name, "|"); to != e.Name {
			x.json.Replace(e.From, e.To, to)
		}
		for k := range e.Value.Members {
			f := &e.Value.Members[k]
			if t.Name == "PORT" && (f.Name == "alias" || f.Name == "index" || f.Name == "lanes") {
				if own := hardware[x.one(e.Name)][f.Name]; own != nil && own != f.Value {
					x.json.Replace(f.Value.From, f.Value.To, x.json.Text(own))
				}
				continue
			}
			x.value(f.Value)
		}
	}
}

func (x *renamer) value(v *syntax.JSONValue) {
	switch v.Kind {
	case '"':
		s := x.json.Text(v)
		if to := x.list(s, ","); to != s {
			x.json.Replace(v.From, v.To, to)
		}
	case '[':
		for _, item := range v.Items {
			x.value(item)
		}
	}
}
