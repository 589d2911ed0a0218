package junos

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// shape brings a tree of any platform into the form that the table writes:
// addresses and VRFs belong to units, VLANs have names, and what Junos cannot
// say without something else has it. A tree that a Junos configuration gave
// stays as it is.
func shape(tree []byte) ([]byte, names, error) {
	n := names{vlans: map[string]int64{}, relays: map[string][]any{}}
	var t map[string]any
	d := json.NewDecoder(strings.NewReader(string(tree)))
	d.UseNumber()
	if err := d.Decode(&t); err != nil {
		return nil, n, fmt.Errorf("read tree: %w", err)
	}
	for _, v := range entries(t, "cfgvault-vlans:vlans", "vlan") {
		id, ok := v["id"].(json.Number)
		if !ok {
			continue
		}
		if v["name"] == nil {
			v["name"] = "vlan" + id.String()
		}
		number, err := id.Int64()
		if name, is := v["name"].(string); is && err == nil {
			n.vlans[name] = number
		}
	}
	for _, b := range entries(t, "cfgvault-bgp:bgp", "instance") {
		if as, ok := b["as"].(json.Number); ok && b["vrf"] == "default" {
			n.as, _ = as.Int64()
		}
	}
	if ssh, ok := object(t, "cfgvault-system:system", "ssh-server"); ok && len(ssh) > 0 && ssh["enabled"] == nil {
		ssh["enabled"] = true
	}
	units(t)
	out, err := json.Marshal(t)
	return out, n, err
}

// units moves what belongs to a unit from an interface to its unit 0.
func units(t map[string]any) {
	list := entries(t, "cfgvault-interfaces:interfaces", "interface")
	have := map[string]bool{}
	for _, i := range list {
		name, _ := i["name"].(string)
		have[name] = true
	}
	var all []any
	for _, i := range list {
		all = append(all, i)
		name, _ := i["name"].(string)
		if logical(name) && i["type"] == nil && (len(i) > 2 || i["vrf"] == nil) { // of one that is only in a VRF nothing is configured
			if kind, ok := typeOf(name); ok {
				i["type"] = kind
			}
		}
		_, switches := i["switchport"]
		unit := name + ".0"
		if !physical(name) || have[unit] {
			continue
		}
		zero := map[string]any{}
		for _, leaf := range []string{"ipv4", "ipv6", "vrf"} {
			if v, ok := i[leaf]; ok {
				zero[leaf] = v
				delete(i, leaf)
			}
		}
		if len(zero) == 0 && !switches {
			continue
		}
		zero["name"] = unit
		if kind, ok := typeOf(unit); ok {
			zero["type"] = kind
		}
		if parent, ok := parentOf(unit); ok {
			zero["sub-interface"] = map[string]any{"parent": parent}
		}
		all = append(all, zero)
	}
	if len(all) > len(list) {
		t["cfgvault-interfaces:interfaces"].(map[string]any)["interface"] = all
	}
}

func object(t map[string]any, path ...string) (map[string]any, bool) {
	for _, p := range path {
		next, ok := t[p].(map[string]any)
		if !ok {
			return nil, false
		}
		t = next
	}
	return t, true
}

func entries(t map[string]any, container, list string) []map[string]any {
	c, _ := object(t, container)
	all, _ := c[list].([]any)
	var out []map[string]any
	for _, e := range all {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	if len(out) != len(all) {
		return nil
	}
	return out
}

// complete adds the statements that follow from others and are not in the
// tree: what kind a routing instance is, that an interface with tagged units is
// tagged, and how many bundles the chassis has.
func complete(text string) string {
	d := parse(text)
	insert := map[int]string{}
	bundles := 0
	for i := range d.Lines {
		l := &d.Lines[i]
		if !l.Block || l.Parent == syntax.None || d.Lines[l.Parent].Parent != syntax.None {
			continue
		}
		switch strings.TrimSpace(d.Lines[l.Parent].Body) {
		case "routing-instances {":
			if strings.HasPrefix(strings.TrimSpace(l.Body), "mgmt_junos ") {
				continue // Junos makes it
			}
			kind := "virtual-router"
			if below(d, i, "route-distinguisher") {
				kind = "vrf"
			}
			insert[i] = "        instance-type " + kind + ";\n"
		case "interfaces {":
			if n, ok := strings.CutPrefix(strings.TrimSpace(l.Body), "ae"); ok {
				if k, err := strconv.Atoi(strings.TrimSuffix(n, " {")); err == nil {
					bundles = max(bundles, k+1)
				}
			}
			if below(d, i, "vlan-tags") {
				insert[i] = "        flexible-vlan-tagging;\n"
			} else if below(d, i, "vlan-id") {
				insert[i] = "        vlan-tagging;\n"
			}
		}
	}
	var b strings.Builder
	if bundles > 0 {
		fmt.Fprintf(&b, "chassis {\n    aggregated-devices {\n        ethernet {\n            device-count %d;\n        }\n    }\n}\n", bundles)
	}
	at := 0
	for _, i := range slices.Sorted(maps.Keys(insert)) {
		for ; at <= i; at++ {
			b.WriteString(d.Lines[at].Body + d.Lines[at].End)
		}
		b.WriteString(insert[i])
	}
	for ; at < len(d.Lines); at++ {
		b.WriteString(d.Lines[at].Body + d.Lines[at].End)
	}
	return b.String()
}

// below reports whether a statement in block i begins with a word.
func below(d *syntax.Doc, i int, word string) bool {
	for j := i + 1; j < d.Lines[i].Next; j++ {
		if strings.HasPrefix(strings.TrimSpace(d.Lines[j].Body), word+" ") {
			return true
		}
	}
	return false
}
