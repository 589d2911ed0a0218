package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cfgvault/cfgvault/vault/internal/durable"
)

// EndKey ends an agent's key: what its records say up to now stays believed, on
// both sides of a fork; what is written with it later is not. If it is this
// home's own key, the home gets a new one and begins a new chain. It is the way
// out after an agent was copied, put back to an earlier state, lost or stolen.
// ErrNoRight without the root key. What lies in the outbox was not acknowledged
// and is dropped with an own key: the next run reads those devices again.
func (v *Vault) EndKey(ctx context.Context, id string) error {
	h := v.current()
	if h.rootKey == nil {
		return fmt.Errorf("end key %s: %w: this home does not hold the root key", id, ErrNoRight)
	}
	unlock, err := lockFile(ctx, h.path(fileLock), false)
	if err != nil {
		return fmt.Errorf("end key %s: %w", id, err)
	}
	defer unlock()
	if err := v.endKey(ctx, id); err != nil {
		return fmt.Errorf("end key %s: %w", id, err)
	}
	return nil
}

func (v *Vault) endKey(ctx context.Context, id string) error {
	// Forks and the like are why keys are ended, so problems do not stop it.
	if _, err := v.Index(ctx); err != nil && !isIntegrity(err) {
		return err
	}
	h := v.current()
	i := slices.IndexFunc(h.trust.keys, func(k trustedKey) bool { return k.id == id })
	if i < 0 || h.trust.keys[i].role != roleAgent || !h.trust.keys[i].ended.IsZero() {
		return errors.New("it is no agent's key in use")
	}
	p, err := h.loadPins()
	if err != nil {
		return err
	}
	x := &verifier{v: v, home: h, pins: p, cache: newCache("")}
	views, err := x.runs(ctx, h.trust)
	if err != nil {
		return err
	}
	now := v.now().UTC().Truncate(time.Millisecond)
	next, t := *h, *h.trust
	t.n, t.previous, t.time, t.keys = t.n+1, hashHex(h.trustData), now, slices.Clone(t.keys)
	k := &t.keys[i]
	k.ended = now
	for _, c := range views {
		if last := c.last(); c.key == id && last.seq > 0 && !c.unknown {
			k.believed = append(k.believed, chainHead{c.key, c.epoch, last.seq, last.hash})
		}
	}
	own := h.agent != nil && h.agent.id == id
	if own {
		if next.agent, err = newSigningKey(roleAgent); err != nil {
			return err
		}
		t.keys = append(t.keys, trustedKey{verifyKey: next.agent.verifyKey, scope: k.scope})
	}
	if err := next.setTrust(h.rootKey, &t); err != nil {
		return err
	}
	if own {
		// It counts from the moment that the trust names it; see takeNextKey.
		if err := h.save(h.path(fileNextKey), []byte(next.agent.text+"\n")); err != nil {
			return err
		}
	}
	if err := v.put(ctx, numberedName("trust", t.n, next.trustData), next.trustData); err != nil {
		return err
	}
	if err := v.adopt(h, &next); err != nil {
		return err
	}
	if own {
		if err := next.takeNextKey(); err != nil {
			return err
		}
	}
	v.mu.Lock()
	v.agent = nil
	v.mu.Unlock()
	return nil
}

// takeNextKey finishes the change of the agent's key once the trust names the
// new one, also after a crash: state and outbox belong to the old one.
func (h *home) takeNextKey() error {
	text, err := readFile(h.path(fileNextKey))
	if err != nil || text == nil {
		return err
	}
	key, err := parseSigningKey(roleAgent, string(text))
	if err != nil {
		return err
	}
	if k, ok := h.trust.key(key.id); !ok || !k.ended.IsZero() {
		return nil
	}
	for _, dir := range []string{dirAgent, dirOutbox} {
		if err := os.RemoveAll(h.path(dir)); err != nil {
			return err
		}
		if err := os.Mkdir(h.path(dir), 0o700); err != nil {
			return err
		}
	}
	if err := os.Rename(h.path(fileNextKey), h.path(fileAgentKey)); err != nil {
		return err
	}
	return durable.Dir(h.dir)
}
