package agent

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/session"
)

// shownKey is a host key that a unit shows, as in authorized_keys, and its
// fingerprint.
type shownKey struct{ line, print string }

// shownKeys asks a unit for its host keys, without a login.
func (f *flow) shownKeys(ctx context.Context, d inventory.Device) ([]shownKey, error) {
	d.Auth, d.Enable, d.Services = inventory.Credential{}, inventory.Ref{}, nil
	t, err := f.agent.Target(ctx, d)
	if err != nil {
		return nil, err
	}
	keys, err := session.HostKeys(ctx, t)
	if err != nil {
		return nil, err
	}
	out := make([]shownKey, len(keys))
	for i, k := range keys {
		out[i] = shownKey{strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))), ssh.FingerprintSHA256(k)}
	}
	return out, nil
}

// takeKeys returns, as in authorized_keys, the host keys of a unit that were
// vouched for: those whose fingerprints somebody read at its console, else those
// that pass the gate.
func (f *flow) takeKeys(ctx context.Context, d inventory.Device, given []string) ([]string, error) {
	keys, err := f.shownKeys(ctx, d)
	if err != nil {
		return nil, err
	}
	var shown, vouched, prints []string
	for _, k := range keys {
		shown, prints = append(shown, k.line), append(prints, k.print)
		if slices.Contains(given, k.print) {
			vouched = append(vouched, k.line)
		}
	}
	switch {
	case len(vouched) > 0:
		return vouched, nil // one that was read at the console vouches for the unit; only it counts
	case len(given) > 0:
		return nil, hard("key", "the unit at %s shows %s, which is none of the keys that were given; somebody else may be answering", d.Address, strings.Join(prints, ", "))
	}
	return shown, f.decide(ctx, GateHostKey, "the unit at %s shows the host key %s; compare it with what its console shows", d.Address, strings.Join(prints, ", "))
}
