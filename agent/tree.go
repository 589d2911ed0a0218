package agent

import (
	"context"
	"fmt"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/schemas"
)

// validTree holds a driver's tree to the common modules.
func validTree(tree []byte) error {
	set, err := schemas.Common()
	if err != nil {
		return err
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return err
	}
	return set.Validate(t)
}

// canonicalTree is a driver's tree in its one form: what means the same has the
// same bytes, whatever the order in which the device wrote it.
func canonicalTree(tree []byte) ([]byte, error) {
	set, err := schemas.Common()
	if err != nil {
		return nil, err
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return nil, err
	}
	return t.Canonical(), nil
}

// tree is the tree of native artefacts, and what the driver made of their lines.
func (a *Agent) tree(ctx context.Context, drv plugins.Driver, facts plugins.Facts, native []plugins.Artefact) (*schemas.Tree, []plugins.Line, error) {
	norm, err := drv.Normalize(ctx, facts, native)
	if err != nil {
		return nil, nil, fmt.Errorf("normalise: %w", err)
	}
	set, err := schemas.Common()
	if err != nil {
		return nil, nil, err
	}
	t, err := set.ParseJSON(norm.Tree)
	if err != nil {
		return nil, nil, fmt.Errorf("normalise: %w", err)
	}
	return t, norm.Residual, nil
}
