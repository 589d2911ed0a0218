package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/schemas"
)

// Conversion is a configuration of one platform, written for another.
type Conversion struct {
	Snapshot  string             `json:"snapshot,omitempty"` // id
	From      string             `json:"from"`               // driver
	To        string             `json:"to"`
	Artefacts []plugins.Artefact `json:"artefacts"`
	Losses    []plugins.Loss     `json:"losses"` // native lines first, then leaves of the tree
	Map       map[string]string  `json:"map,omitempty"`
	Kept      []string           `json:"kept,omitempty"` // what stays of the unit, so that it can be reached afterwards

	tree *schemas.Tree // as the other driver reads what it has written
	text *plugins.Text
}

// Hidden returns an artefact's text with its secrets hidden.
func (c *Conversion) Hidden(art plugins.Artefact) string {
	return c.text.Redact(art.Name, string(art.Data))
}

// Convert writes a snapshot for the platform of another driver: the snapshot is
// normalised with today's driver, interfaces are renamed, and the other driver
// renders. What does not come through is a loss, named by line or by leaf.
// A name of an interface is never guessed: ErrGate names those that m must
// have.
func (a *Agent) Convert(ctx context.Context, o *Opened, to string, m plugins.InterfaceMap) (*Conversion, error) {
	drv, err := a.host.Shared(ctx, to)
	if err != nil {
		return nil, err
	}
	defer drv.Close()
	c, err := a.convert(ctx, conversion{meta: o.Meta, native: o.Artefacts, to: drv, info: drv.Info(), names: m})
	if err != nil {
		return nil, err
	}
	c.Snapshot = o.Entry.ID()
	return c, nil
}

// renderer is what a conversion needs of the other platform's driver.
type renderer interface {
	plugins.Driver
	plugins.Renderer
}

// conversion is what there is to convert, and for whom.
type conversion struct {
	meta   Meta
	native []plugins.Artefact
	to     renderer
	info   plugins.Info // of to
	onto   plugins.Facts
	names  plugins.InterfaceMap
	unit   *schemas.Tree // what the unit has now; nil: there is none at hand
	reach  reach         // how the unit is reached
}

func (a *Agent) convert(ctx context.Context, v conversion) (*Conversion, error) {
	info, to, onto := v.info, v.to, v.onto
	if info.Name == v.meta.Driver {
		return nil, fmt.Errorf("%w: the snapshot is of driver %s itself; `cfgvault show --native` prints it", ErrConfig, v.meta.Driver)
	}
	if !info.Can(plugins.CapRender) {
		return nil, hard(GatePlatform, "driver %s cannot write a configuration from the tree", info.Name)
	}
	c := &Conversion{From: v.meta.Driver, To: info.Name, Map: v.names, Losses: []plugins.Loss{}}
	var err error
	if c.text, err = a.text(info); err != nil {
		return nil, err
	}
	set, err := schemas.Common()
	if err != nil {
		return nil, err
	}
	was, err := a.normalizeNative(ctx, set, v.meta, v.native, c)
	if err != nil {
		return nil, err
	}
	if was, err = withoutBare(set, was, v.names); err != nil {
		return nil, err
	}
	was, lost, err := withoutOwnSecrets(set, was, v.meta.Driver)
	if err != nil {
		return nil, err
	}
	tree, names, err := renamed(set, was, v.names)
	if err != nil {
		return nil, err
	}
	if v.unit != nil {
		if tree, c.Kept, err = v.reach.keep(set, tree, v.unit); err != nil {
			return nil, err
		}
	}
	arts, unsaid, err := to.Render(ctx, tree.Canonical(), onto)
	if err != nil {
		return nil, fmt.Errorf("render for %s: %w", info.Name, err)
	}
	c.Artefacts, lost = arts, append(lost, unsaid...)
	read, err := to.Normalize(ctx, onto, arts)
	if err != nil {
		return nil, fmt.Errorf("read what was rendered for %s: %w", info.Name, err)
	}
	if c.tree, err = set.ParseJSON(read.Tree); err != nil {
		return nil, fmt.Errorf("read what was rendered for %s: %w", info.Name, err)
	}
	if err := names.check(info.Name, interfaceTypes(tree), interfaceTypes(c.tree)); err != nil {
		return nil, err
	}
	lost = append(lost, unaccounted(tree, c.tree, lost)...)
	slices.SortStableFunc(lost, func(a, b plugins.Loss) int { return strings.Compare(a.Path, b.Path) })
	c.Losses = append(c.Losses, lost...)
	return c, nil
}

// normalizeNative reads the native artefacts with the driver that knows them,
// and lists what of them is not in the tree.
func (a *Agent) normalizeNative(ctx context.Context, set *schemas.Set, meta Meta, native []plugins.Artefact, c *Conversion) (*schemas.Tree, error) {
	drv, err := a.host.Shared(ctx, meta.Driver)
	if err != nil {
		return nil, err
	}
	defer drv.Close()
	text, err := a.text(drv.Info())
	if err != nil {
		return nil, err
	}
	norm, err := drv.Normalize(ctx, meta.Facts, native)
	if err != nil {
		return nil, fmt.Errorf("normalise: %w", err)
	}
	tree, err := set.ParseJSON(norm.Tree)
	if err != nil {
		return nil, fmt.Errorf("normalise: %w", err)
	}
	counted := map[string]bool{}
	for _, cov := range norm.Coverage {
		counted[cov.Artefact] = true
	}
	for _, art := range native {
		if art.Role == plugins.RoleFile && !counted[art.Name] {
			c.Losses = append(c.Losses, plugins.Loss{Artefact: art.Name, Code: "no-equivalent", Text: "a file of platform " + meta.Driver})
		}
	}
	shown := map[string][]string{}
	for _, l := range norm.Residual {
		if l.Class != plugins.Unparsed && l.Class != plugins.SecretOpaque {
			continue
		}
		if shown[l.Artefact] == nil {
			shown[l.Artefact] = hiddenLines(text, native, l.Artefact)
		}
		loss := plugins.Loss{Artefact: l.Artefact, Line: l.Number, Code: string(l.Class), Text: l.Section}
		if lines := shown[l.Artefact]; l.Number > 0 && l.Number <= len(lines) {
			loss.Text = strings.TrimSpace(lines[l.Number-1])
		}
		c.Losses = append(c.Losses, loss)
	}
	c.Losses = onceOnly(native, c.Losses)
	return tree, nil
}

// onceOnly leaves out lines of a startup configuration that the running one has
// too.
func onceOnly(native []plugins.Artefact, losses []plugins.Loss) []plugins.Loss {
	roles := map[string]plugins.Role{}
	for _, art := range native {
		roles[art.Name] = art.Role
	}
	running := map[string]bool{}
	for _, l := range losses {
		if roles[l.Artefact] == plugins.RoleRunning {
			running[l.Text] = true
		}
	}
	return slices.DeleteFunc(losses, func(l plugins.Loss) bool { return roles[l.Artefact] == plugins.RoleStartup && running[l.Text] })
}

// hiddenLines are an artefact's lines with their secrets hidden; none if hiding
// has joined lines, so that their numbers would lie.
func hiddenLines(text *plugins.Text, native []plugins.Artefact, name string) []string {
	for _, art := range native {
		if art.Name != name {
			continue
		}
		lines := strings.Split(text.Redact(name, string(art.Data)), "\n")
		if len(lines) == bytes.Count(art.Data, []byte("\n"))+1 {
			return lines
		}
	}
	return []string{}
}

// The types by which the common modules name an interface.
const (
	typeInterfaceName = "cfgvault-types:interface-name"
	typeInterfaceRef  = "cfgvault-interfaces:interface-ref"
)

// naming is how the interfaces of a tree were named for another platform.
type naming struct {
	given map[string]string // by the map, old name to new
	kept  map[string]bool   // names that nobody gave another
}

// renamed applies a map to a tree. A sub-interface goes with its parent.
func renamed(set *schemas.Set, t *schemas.Tree, m plugins.InterfaceMap) (*schemas.Tree, *naming, error) {
	n := &naming{given: map[string]string{}, kept: map[string]bool{}}
	out := t.Rename(func(old string) string {
		if to, ok := m[old]; ok {
			n.given[old] = to
			return to
		}
		if at := strings.LastIndexByte(old, '.'); at > 0 {
			if to, ok := m[old[:at]]; ok {
				n.given[old] = to + old[at:]
				return to + old[at:]
			}
		}
		n.kept[old] = true
		return old
	}, typeInterfaceName, typeInterfaceRef)
	owner := map[string]string{}
	for _, old := range sortedKeys(n.given) {
		to := n.given[old]
		if other := owner[to]; other != "" || n.kept[to] {
			if other == "" {
				other = to
			}
			return nil, nil, hard("interfaces", "both %s and %s would be %s", other, old, to)
		}
		owner[to] = old
	}
	tree, err := set.ParseJSON(out.Canonical())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the interface map: %w", ErrConfig, err)
	}
	return tree, n, nil
}

// withoutBare leaves out the ports that a platform lists and nobody configured:
// they need no place on another unit, unless the map gives them one.
func withoutBare(set *schemas.Set, t *schemas.Tree, m plugins.InterfaceMap) (*schemas.Tree, error) {
	named := map[string]int{}
	t.Rename(func(name string) string { named[name]++; return name }, typeInterfaceName, typeInterfaceRef)
	var doc map[string]any
	if err := json.Unmarshal(t.Canonical(), &doc); err != nil {
		return nil, err
	}
	top, _ := doc["cfgvault-interfaces:interfaces"].(map[string]any)
	list, _ := top["interface"].([]any)
	left := slices.DeleteFunc(list, func(e any) bool {
		i, _ := e.(map[string]any)
		name, _ := i["name"].(string)
		kind, _ := i["type"].(string)
		_, kind, _ = strings.Cut(kind, ":")
		_, mapped := m[name]
		return isPort(kind) && !mapped && named[name] == 1 && bare(i)
	})
	if len(left) == len(list) {
		return t, nil
	}
	top["interface"] = left
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return set.ParseJSON(data)
}

// bare reports that an interface has no configuration.
func bare(i map[string]any) bool {
	for key := range i {
		if key != "name" && key != "type" {
			return false
		}
	}
	return true
}

// isPort reports that an interface of that type may be a piece of hardware.
func isPort(kind string) bool { return kind == "" || kind == "ethernet" || kind == "management" }

// interfaceTypes are the types of the configured interfaces by name; empty where
// the name does not tell.
func interfaceTypes(t *schemas.Tree) map[string]string {
	var doc struct {
		Interfaces struct {
			Interface []struct{ Name, Type string } `json:"interface"`
		} `json:"cfgvault-interfaces:interfaces"`
	}
	types := map[string]string{}
	if json.Unmarshal(t.Canonical(), &doc) == nil {
		for _, i := range doc.Interfaces.Interface {
			_, types[i.Name], _ = strings.Cut(i.Type, ":")
		}
	}
	return types
}

// check refuses names that would only be a guess: a port has another name on
// every platform, and what is no port (a loopback, a VLAN's interface, a bundle)
// keeps its name only if the other platform takes it for the same sort of
// interface.
func (n *naming) check(driver string, want, got map[string]string) error {
	var guesses []string
	for _, name := range sortedKeys(n.kept) {
		if kind := want[name]; isPort(kind) || got[name] != kind {
			guesses = append(guesses, name)
		}
	}
	if len(guesses) == 0 {
		return nil
	}
	slices.SortFunc(guesses, natural)
	return hard("interfaces", "what %s are called on %s has to be said: --map FILE with a line 'OLD: NEW' for each", strings.Join(guesses, ", "), driver)
}

// unaccounted lists what a driver neither wrote nor named as a loss. What it
// reads back in another place, whole, it has written.
func unaccounted(want, got *schemas.Tree, named []plugins.Loss) []plugins.Loss {
	edits := schemas.Diff(want, got)
	var out []plugins.Loss
	for _, e := range edits {
		elsewhere := func(o schemas.Edit) bool { return added(o) && strings.Contains(o.New, e.Old) }
		switch {
		case added(e), slices.ContainsFunc(named, func(l plugins.Loss) bool { return covers(l.Path, e.Path) }):
		case strings.HasPrefix(e.Old, "{") && slices.ContainsFunc(edits, elsewhere):
		default:
			out = append(out, plugins.Loss{Path: e.Path, Code: "not-read-back", Text: "the driver does not read back what it wrote for this"})
		}
	}
	return out
}

// covers reports that a loss is of a node, of one above or of one below it. An
// entry that the driver names by its place stands for its list.
func covers(loss, node string) bool {
	if at := strings.LastIndexByte(loss, '['); at > 0 && strings.Trim(loss[at:], "[]0123456789") == "" {
		loss = loss[:at]
	}
	return loss != "" && (strings.HasPrefix(node, loss) || strings.HasPrefix(loss, node))
}

// added reports that an edit only adds.
func added(e schemas.Edit) bool {
	return e.Op == schemas.OpCreate || e.Op == schemas.OpMerge || e.Op == schemas.OpInsert
}
