package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/schemas"
	"github.com/cfgvault/cfgvault/vault"
)

// Opened is an opened snapshot: what Show and Diff work on.
type Opened struct {
	Entry     vault.Entry
	Meta      Meta
	Reasons   []vault.Reason
	Artefacts []plugins.Artefact
	Tree      []byte // nil if it was stored without
	Lines     []plugins.Line
	Coverage  []plugins.Coverage

	text *plugins.Text
}

// Fetch opens a snapshot with the operator's identities.
func (a *Agent) Fetch(ctx context.Context, e vault.Entry) (*Opened, error) {
	ids, err := a.Identities()
	if err != nil {
		return nil, err
	}
	snap, err := a.vault.Fetch(ctx, e, ids)
	if err != nil {
		return nil, err
	}
	o := &Opened{Entry: e, Reasons: snap.Reasons, Tree: file(snap, vault.Tree)}
	if o.Meta, o.Artefacts, err = unpack(snap); err != nil {
		return nil, err
	}
	if data := file(snap, vault.Residual); data != nil {
		var res residual
		if err := json.Unmarshal(data, &res); err != nil {
			return nil, fmt.Errorf("residual of %s: %w", short(e.ID()), err)
		}
		o.Lines, o.Coverage = res.Lines, res.Coverage
	}
	info, err := a.host.Info(ctx, o.Meta.Driver)
	if err != nil {
		return nil, fmt.Errorf("the snapshot was made by driver %s, whose rules hide secrets: %w", o.Meta.Driver, err)
	}
	o.text, err = a.text(info)
	return o, err
}

// Artefact returns one artefact by name; the error lists what there is.
func (o *Opened) Artefact(name string) (plugins.Artefact, error) {
	var names []string
	for _, art := range o.Artefacts {
		if art.Name == name {
			return art, nil
		}
		names = append(names, art.Name)
	}
	return plugins.Artefact{}, fmt.Errorf("%w: snapshot %s has no artefact %q; it has %q", ErrNoSnapshot, short(o.Entry.ID()), name, names)
}

// Hidden returns an artefact's text with its secrets hidden.
func (o *Opened) Hidden(art plugins.Artefact) string {
	return o.text.Redact(art.Name, string(art.Data))
}

// ShowTree returns the tree, indented; secrets are hidden unless reveal.
func (o *Opened) ShowTree(reveal bool) ([]byte, error) {
	if o.Tree == nil {
		return nil, fmt.Errorf("%w: snapshot %s was stored without a tree", ErrNoSnapshot, short(o.Entry.ID()))
	}
	out, err := ShowTree(o.Tree, reveal)
	if err != nil {
		return nil, fmt.Errorf("tree of %s: %w", short(o.Entry.ID()), err)
	}
	return out, nil
}

// ShowTree prints a tree of the common modules, indented; secrets are hidden
// unless reveal.
func ShowTree(tree []byte, reveal bool) ([]byte, error) {
	set, err := schemas.Common()
	if err != nil {
		return nil, err
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return nil, err
	}
	if !reveal {
		t = t.Redact()
	}
	return t.JSON("  "), nil
}

// Live reads a device as it is now, as if it were a snapshot.
func (a *Agent) Live(ctx context.Context, d inventory.Device) (*Opened, error) {
	drv, err := a.host.Shared(ctx, d.Driver)
	if err != nil {
		return nil, err
	}
	defer drv.Close()
	read, err := a.read(ctx, drv, d)
	if err != nil {
		return nil, err
	}
	if read.exp.Verdict == plugins.Partial {
		return nil, fmt.Errorf("%w: the device could not be read completely: %v", errPartial, read.exp.Reasons)
	}
	info := drv.Info()
	o := &Opened{Meta: Meta{Name: d.Name, Driver: info.Name, Version: info.Version, Facts: read.facts}, Artefacts: read.exp.Artefacts}
	o.text, err = a.text(info)
	return o, err
}

var errPartial = errors.New("incomplete")

// Changes lists how b differs from a: native text after volatile lines,
// secrets hidden. Artefacts of role state do not count.
func Changes(from, to string, a, b *Opened) []Difference {
	have := byName(b.Artefacts)
	var out []Difference
	seen := map[string]bool{}
	for _, old := range a.Artefacts {
		if old.Role == plugins.RoleState {
			continue
		}
		seen[old.Name] = true
		art, ok := have[old.Name]
		was := a.text.Significant(old.Name, old.Data)
		if !ok {
			out = append(out, Difference{old.Name, "missing", Diff(a.text, old.Name, from+"/"+old.Name, "/dev/null", was, nil)})
			continue
		}
		if d := Diff(b.text, old.Name, from+"/"+old.Name, to+"/"+old.Name, was, b.text.Significant(art.Name, art.Data)); d != "" {
			out = append(out, Difference{old.Name, "different", d})
		} else if d := attrsDiff(old.Attrs, art.Attrs); d != "" {
			out = append(out, Difference{old.Name, "attributes", d})
		}
	}
	for _, art := range b.Artefacts {
		if art.Role != plugins.RoleState && !seen[art.Name] {
			out = append(out, Difference{art.Name, "extra", Diff(b.text, art.Name, "/dev/null", to+"/"+art.Name, nil, b.text.Significant(art.Name, art.Data))})
		}
	}
	return out
}

// TreeChanges normalises both sides with today's driver, so that a driver that
// learned something does not look like a change of the device, and compares.
func (a *Agent) TreeChanges(ctx context.Context, from, to *Opened) ([]schemas.Edit, error) {
	set, err := schemas.Common()
	if err != nil {
		return nil, err
	}
	var trees [2]*schemas.Tree
	for i, o := range []*Opened{from, to} {
		drv, err := a.host.Shared(ctx, o.Meta.Driver)
		if err != nil {
			return nil, err
		}
		norm, err := drv.Normalize(ctx, o.Meta.Facts, o.Artefacts)
		drv.Close()
		if err != nil {
			return nil, fmt.Errorf("normalise: %w", err)
		}
		if trees[i], err = set.ParseJSON(norm.Tree); err != nil {
			return nil, fmt.Errorf("normalise: %w", err)
		}
	}
	return schemas.Diff(trees[0], trees[1]), nil
}

// WithSession runs f with a device's driver on an open session.
func (a *Agent) WithSession(ctx context.Context, device string, f func(*host.Driver, plugins.Session) error) error {
	d, err := a.Inventory.Device(device)
	if err != nil {
		return err
	}
	drv, err := a.host.Own(ctx, d.Driver)
	if err != nil {
		return err
	}
	defer drv.Close()
	s, err := a.dial(ctx, d, drv.Info(), "")
	if err != nil {
		return err
	}
	defer s.Close()
	return f(drv, s)
}
