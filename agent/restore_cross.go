package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"reflect"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/schemas"
)

// crosses reports that the snapshot is of another platform than the device.
func (r *restore) crosses() bool { return r.meta.Driver != r.drv.Info().Name }

// cross writes the snapshot of another platform for the device at hand.
func (r *restore) cross(ctx context.Context) error {
	v := conversion{meta: r.meta, native: r.want, to: r.drv, info: r.drv.Info(), onto: r.before.facts, names: r.opts.Map, reach: reach{user: r.device.User}}
	// The inventory's address is there even when a restore is resumed.
	if at, err := inventory.ParseAddress(r.device.Address); err == nil && net.ParseIP(at.Host) != nil {
		v.reach.address = at.Host
	} else if r.sess != nil {
		if host, _, err := net.SplitHostPort(fmt.Sprint(r.sess.RemoteAddr())); err == nil {
			v.reach.address = host
		}
	}
	if len(r.before.exp.Artefacts) > 0 {
		var err error
		if v.unit, _, err = r.agent.tree(ctx, r.drv, r.before.facts, r.before.exp.Artefacts); err != nil {
			return fmt.Errorf("what the device has: %w", err)
		}
	}
	c, err := r.agent.convert(ctx, v)
	if err != nil {
		return err
	}
	r.want, r.converted = c.Artefacts, c
	r.plan = &Plan{Losses: c.Losses, Converted: c.From, Kept: c.Kept}
	return nil
}

// compareMeaning holds what a device has against a converted configuration: the
// other platform's own words and defaults stand between the lines, so trees are
// compared, and no line may be there that the driver does not understand.
func (r *restore) compareMeaning(ctx context.Context, got *reading) ([]Difference, error) {
	want, _, err := r.meaning(ctx, r.before.facts, r.expected())
	if err != nil {
		return nil, err
	}
	have, lines, err := r.meaning(ctx, got.facts, got.exp.Artefacts)
	if err != nil {
		return nil, err
	}
	var diffs []Difference
	for _, e := range schemas.Diff(want, have) {
		if added(e) && bareInterface(e) {
			continue
		}
		what := "different"
		switch {
		case added(e):
			what = "extra"
		case e.Op == schemas.OpDelete:
			what = "missing"
		}
		diffs = append(diffs, Difference{Artefact: e.Path, What: what})
	}
	for _, l := range lines {
		if l.Class == plugins.Unparsed {
			diffs = append(diffs, Difference{Artefact: fmt.Sprintf("%s:%d", l.Artefact, l.Number), What: "not understood"})
		}
	}
	return diffs, nil
}

// bareInterface reports that an edit brings an interface without any
// configuration: some platforms list every port that they have.
func bareInterface(e schemas.Edit) bool {
	if e.Schema == nil || e.Schema.Path() != interfacePath {
		return false
	}
	var i map[string]any
	return json.Unmarshal([]byte(e.New), &i) == nil && bare(i)
}

const interfacePath = "/cfgvault-interfaces:interfaces/interface"

// expected is what the device is to have in the end: what was converted, without
// the lines that the device has said, while staging, that it does not take.
func (r *restore) expected() []plugins.Artefact {
	lost := map[string]map[int]bool{}
	for _, l := range r.untaken {
		if lost[l.Artefact] == nil {
			lost[l.Artefact] = map[int]bool{}
		}
		lost[l.Artefact][l.Number] = true
	}
	var out []plugins.Artefact
	for _, art := range r.want {
		var left []byte
		n := 0
		for line := range bytes.Lines(art.Data) {
			if n++; !lost[art.Name][n] {
				left = append(left, line...)
			}
		}
		art.Data = left
		out = append(out, art)
	}
	return out
}

// meaning is the tree of what decides whether a restore succeeded, volatile
// lines left out, and what the driver made of the lines.
func (r *restore) meaning(ctx context.Context, facts plugins.Facts, list []plugins.Artefact) (*schemas.Tree, []plugins.Line, error) {
	var native []plugins.Artefact
	for _, art := range list {
		if compared(art) {
			art.Data = r.text.Significant(art.Name, art.Data)
			native = append(native, art)
		}
	}
	return r.agent.tree(ctx, r.drv, facts, native)
}

// reach is how a unit is reached: what has to survive that it gets another
// device's configuration, or nobody could confirm it.
type reach struct{ user, address string }

// keep adds to a tree what the unit needs to be reached: the user that cfgvault
// logs in as, the super-user and the SSH server, the interface that has the
// address at which it answers, with its VRF, and the spanning tree that keeps its
// network from loops. What the tree has of its own by these names stays as it is,
// but for those users. kept says what was added, in the operator's words.
func (c reach) keep(set *schemas.Set, tree, unit *schemas.Tree) (out *schemas.Tree, kept []string, err error) {
	var doc, own map[string]any
	if err := json.Unmarshal(tree.Canonical(), &doc); err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(unit.Canonical(), &own); err != nil {
		return nil, nil, err
	}
	users := []string{"cfgvault-system:system", "users", "user"}
	for _, keep := range []struct{ name, why string }{
		{c.user, ", by which cfgvault logs in"},
		{"root", ", whose password is the unit's own"}, // some platforms take no configuration without
	} {
		named := func(e map[string]any) bool { return e["name"] == keep.name }
		u := entry(own, users, named)
		if u == nil || keep.name == "" {
			continue
		}
		// A password of another platform's seldom means anything here.
		if theirs := entry(doc, users, named); reflect.DeepEqual(theirs, u) {
			continue
		} else if theirs != nil {
			clear(theirs)
			maps.Copy(theirs, u)
		} else {
			add(doc, users, u)
		}
		kept = append(kept, "user "+keep.name+keep.why)
	}
	system, _ := own["cfgvault-system:system"].(map[string]any)
	if server := system["ssh-server"]; server != nil {
		said, _ := doc["cfgvault-system:system"].(map[string]any)
		if said == nil {
			said = map[string]any{}
			doc["cfgvault-system:system"] = said
		}
		if said["ssh-server"] == nil {
			said["ssh-server"] = server
			kept = append(kept, "the SSH server, of which the snapshot says nothing")
		}
	}
	interfaces := []string{"cfgvault-interfaces:interfaces", "interface"}
	here := func(e map[string]any) bool { return hasAddress(e, c.address) }
	if i := entry(own, interfaces, here); i != nil && c.address != "" && entry(doc, interfaces, here) == nil {
		if add(doc, interfaces, i) {
			kept = append(kept, fmt.Sprintf("interface %v, which has the address %s", i["name"], c.address))
			vrfs := []string{"cfgvault-vrfs:vrfs", "vrf"}
			if v := entry(own, vrfs, func(e map[string]any) bool { return e["name"] == i["vrf"] }); v != nil && add(doc, vrfs, v) {
				kept = append(kept, fmt.Sprintf("VRF %v", i["vrf"]))
			}
		}
	}
	// A snapshot of a router knows no spanning tree: that of a switch is not to
	// go with it.
	const stp = "cfgvault-stp:stp"
	if _, said := doc[stp]; !said && own[stp] != nil {
		doc[stp] = own[stp]
		kept = append(kept, "spanning tree, of which the snapshot says nothing")
	}
	if text := keepForwarding(doc, own); text != "" {
		kept = append(kept, text)
	}
	// Features go by the platform's own names: no other platform's snapshot has
	// a say in them.
	features := []string{"cfgvault-system:system", "feature"}
	entry(own, features, func(e map[string]any) bool {
		if add(doc, features, e) {
			kept = append(kept, fmt.Sprintf("the platform's feature %v", e["name"]))
		}
		return false
	})
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, nil, err
	}
	if out, err = set.ParseJSON(data); err != nil {
		return nil, nil, fmt.Errorf("what has to stay of the unit does not go with the configuration: %w", err)
	}
	return out, kept, nil
}

// keepForwarding decides whether packets are forwarded where the snapshot does
// not say so: a router forwards without a word, a switch needs one. One that runs
// a routing protocol forwards; else it stays as the unit has it.
func keepForwarding(doc, own map[string]any) string {
	const module, leaf = "cfgvault-system:system", "forwarding"
	system, _ := doc[module].(map[string]any)
	mine, _ := own[module].(map[string]any)
	had, _ := mine[leaf].(map[string]any)
	if system == nil || had == nil || system[leaf] != nil {
		return ""
	}
	for _, protocol := range []string{"cfgvault-ospf:ospf", "cfgvault-bgp:bgp", "cfgvault-eigrp:eigrp"} {
		if doc[protocol] != nil {
			had = maps.Clone(had)
			had["ipv4"] = true
			system[leaf] = had
			return "forwarding of IPv4, without which the routing protocols of the snapshot would be of no use"
		}
	}
	system[leaf] = had
	return "forwarding, of which the snapshot says nothing"
}

// entry finds the first entry of a list.
func entry(doc map[string]any, path []string, is func(map[string]any) bool) map[string]any {
	for _, name := range path[:len(path)-1] {
		doc, _ = doc[name].(map[string]any)
	}
	list, _ := doc[path[len(path)-1]].([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && is(m) {
			return m
		}
	}
	return nil
}

// add appends an entry to a list unless one of its name is there.
func add(doc map[string]any, path []string, e map[string]any) bool {
	if entry(doc, path, func(o map[string]any) bool { return o["name"] == e["name"] }) != nil {
		return false
	}
	for _, name := range path[:len(path)-1] {
		next, ok := doc[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[name] = next
		}
		doc = next
	}
	last := path[len(path)-1]
	list, _ := doc[last].([]any)
	doc[last] = append(list, e)
	return true
}

// hasAddress reports that an interface has an address of its own.
func hasAddress(e map[string]any, address string) bool {
	for _, family := range []string{"ipv4", "ipv6"} {
		ip, _ := e[family].(map[string]any)
		list, _ := ip["address"].([]any)
		for _, a := range list {
			if m, ok := a.(map[string]any); ok && m["ip"] == address {
				return true
			}
		}
	}
	return false
}
