package vault

import (
	"context"
	"fmt"
	"strings"

	"filippo.io/age"
)

// Fetch returns a snapshot: it reads at most the recorded size, compares the
// ciphertext's hash, decrypts to the end, unpacks under the format's limits
// and checks that manifest, path and record agree. ErrNoIdentity if no identity
// fits. The entry must come from an Index, or from Put.
func (v *Vault) Fetch(ctx context.Context, e Entry, ids []age.Identity) (*Snapshot, error) {
	sealed, err := v.FetchSealed(ctx, e)
	if err != nil {
		return nil, err
	}
	return v.Unseal(sealed, e, ids)
}

// FetchSealed returns the stored bytes of a snapshot, compared with the
// record's hash. They open later with Unseal, without the store.
func (v *Vault) FetchSealed(ctx context.Context, e Entry) ([]byte, error) {
	if _, err := parseEntryLine(entryLine(e)); err != nil {
		return nil, fmt.Errorf("fetch snapshot: %w", err)
	}
	sealed, err := v.get(ctx, e.Object, e.Size, e.matches)
	if err != nil {
		return nil, fmt.Errorf("fetch snapshot: %w", err)
	}
	return sealed, nil
}

func (e Entry) matches(data []byte) bool {
	return int64(len(data)) == e.Size && hashHex(data) == e.SHA256
}

// Unseal opens what FetchSealed returned, with all of Fetch's checks. It needs
// no store: the writer's key comes from the trust that this home has seen.
func (v *Vault) Unseal(sealed []byte, e Entry, ids []age.Identity) (*Snapshot, error) {
	if !e.matches(sealed) {
		return nil, integrity(e.Object, "holds other bytes than the record names")
	}
	h := v.current()
	key, ok := h.trust.key(e.Key)
	if !ok || key.role != roleAgent {
		return nil, integrity(e.Object, "is recorded by key %q, which is no agent's in the vault's trust", e.Key)
	}
	return unseal(sealed, h.vault, e, &key.verifyKey, ids)
}

// Resolve finds one snapshot of a device by the beginning of its ID, or of its
// time as names spell it; empty means latest good. ErrNoSnapshot if there is
// none or more than one.
func (x *Index) Resolve(device, ref string) (Entry, error) {
	if ref == "" {
		e, ok := x.Latest(device)
		if !ok {
			return Entry{}, fmt.Errorf("device %s: %w: none is good", device, ErrNoSnapshot)
		}
		return e, nil
	}
	var found []Entry
	for _, e := range x.entries[device] {
		if strings.HasPrefix(e.ID(), ref) || strings.HasPrefix(e.Time.UTC().Format(nameTime), ref) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return Entry{}, fmt.Errorf("device %s: %w: %q", device, ErrNoSnapshot, ref)
	case 1:
		return found[0], nil
	}
	return Entry{}, fmt.Errorf("device %s: %w: %q fits %d of them", device, ErrNoSnapshot, ref, len(found))
}
