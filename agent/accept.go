package agent

import (
	"context"
	"fmt"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/vault"
)

// Accept says, signed by the operator, that a held snapshot is right, and makes
// it the one that later snapshots are compared with.
func (a *Agent) Accept(ctx context.Context, d inventory.Device, ref string) (vault.Entry, error) {
	x, err := a.Index(ctx)
	if err != nil {
		return vault.Entry{}, err
	}
	e, err := resolveAt(x, d, ref)
	if err != nil {
		return e, err
	}
	if len(e.Held) == 0 || e.Accepted != "" {
		return e, fmt.Errorf("%w: snapshot %s is not held, there is nothing to accept", ErrConfig, short(e.ID()))
	}
	if err := a.vault.Accept(ctx, e); err != nil {
		return e, err
	}
	// Only the newest snapshot's counts are kept; an older one that is accepted
	// changes what can be restored, not what the next one is compared with.
	state, ok := a.vault.State(d.ID)
	if !ok || state.Entry.Object != e.Object {
		return e, nil
	}
	guards := decodeGuard(state.Guard)
	if guards.Held == nil {
		return e, nil
	}
	run, err := a.begin(ctx, vault.RunOptions{})
	if err != nil {
		return e, err
	}
	defer run.Abort()
	guards = guardState{Base: guards.Held, NoTree: guards.NoTree}
	if err := run.Seen(d.ID, guards.encode()); err != nil {
		return e, err
	}
	return e, run.Close(ctx)
}
