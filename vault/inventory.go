package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
)

const (
	kindInventory   = "inventory"
	inventorySuffix = ".age"
	maxInventory    = 64 << 20

	memberInventory = "inventory"
	memberRoot      = "root.key"
	memberOperator  = "operator.key"
)

// inventoryManifest is the JSON line of an inventory's manifest.
type inventoryManifest struct {
	Role  string   `json:"role"` // whose key signed
	Time  string   `json:"time"`
	Files []member `json:"files"`
}

// PutInventory seals what a bare machine needs to begin again, together with
// the home's root and operator keys if it has them.
func (v *Vault) PutInventory(ctx context.Context, inventory []byte) error {
	if err := v.putInventory(ctx, inventory); err != nil {
		return fmt.Errorf("put inventory: %w", err)
	}
	return nil
}

func (v *Vault) putInventory(ctx context.Context, inventory []byte) error {
	h := v.current()
	key := h.operator
	if key == nil {
		key = h.agent
	}
	if key == nil {
		return fmt.Errorf("%w: this home holds no signing key", ErrNoRight)
	}
	return v.putInventoryAs(ctx, key, inventory, h.rootKey, h.operator)
}

func (v *Vault) putInventoryAs(ctx context.Context, key *signingKey, inventory []byte, root, operator *signingKey) error {
	h := v.current()
	var members []member
	if inventory != nil {
		members = append(members, newMember(memberInventory, inventory))
	}
	if root != nil {
		members = append(members, newMember(memberRoot, []byte(root.text+"\n")))
	}
	if operator != nil {
		members = append(members, newMember(memberOperator, []byte(operator.text+"\n")))
	}
	now := v.now().UTC().Truncate(time.Millisecond)
	note, err := signManifest(kindInventory, h.vault, key, inventoryManifest{key.role, formatTime(now), members})
	if err != nil {
		return err
	}
	packed, err := writeArchive(note, members, now)
	if err != nil {
		return err
	}
	v.mu.Lock()
	recipients := v.recipients
	v.mu.Unlock()
	sealed, err := encrypt(packed, recipients)
	if err != nil {
		return err
	}
	if len(sealed) > maxInventory {
		return ErrTooLarge
	}
	return v.put(ctx, timedName("inventory", now, sealed, inventorySuffix), sealed)
}

// Inventory returns the newest inventory; fs.ErrNotExist if none was put.
func (v *Vault) Inventory(ctx context.Context, ids []age.Identity) ([]byte, error) {
	b, err := v.bundle(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	if b.inventory == nil {
		return nil, fmt.Errorf("inventory: %w", fs.ErrNotExist)
	}
	return b.inventory, nil
}

// bundle is what the inventory objects hold, the newest of each.
type bundle struct {
	inventory      []byte
	root, operator *signingKey
}

// bundle reads inventory objects from the newest on until it has everything.
func (v *Vault) bundle(ctx context.Context, ids []age.Identity) (*bundle, error) {
	h := v.current()
	p, err := h.loadPins()
	if err != nil {
		return nil, err
	}
	var keys []string
	for o, err := range v.store.List(ctx, "inventory/") {
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		if _, _, err := parseTimedName("inventory", inventorySuffix, o.Key); err == nil {
			keys = append(keys, o.Key)
		}
	}
	if p.Inventory != "" && !slices.Contains(keys, p.Inventory) {
		return nil, integrity(p.Inventory, "the inventory that this home has seen is gone: the store was put back to an earlier state")
	}
	b := &bundle{}
	for _, key := range slices.Backward(keys) {
		if err := v.openInventory(ctx, h, key, ids, b); err != nil {
			return nil, err
		}
		if b.inventory != nil && b.root != nil && b.operator != nil {
			break
		}
	}
	if len(keys) == 0 {
		return b, nil
	}
	newest := keys[len(keys)-1]
	return b, h.updatePins(ctx, func(p *pins) bool {
		if newest <= p.Inventory {
			return false
		}
		p.Inventory = newest
		return true
	})
}

func (v *Vault) openInventory(ctx context.Context, h *home, key string, ids []age.Identity, b *bundle) error {
	at, hash, err := parseTimedName("inventory", inventorySuffix, key)
	if err != nil {
		return err
	}
	sealed, err := v.getNamed(ctx, key, hash, maxInventory)
	if err != nil {
		return err
	}
	plain, err := decrypt(key, sealed, ids)
	if err != nil {
		return err
	}
	fail := func(err error) error {
		return &IntegrityError{Object: key, What: "inventory", Err: err}
	}
	members, err := readArchive(plain, func(note []byte) ([]member, error) {
		return openInventoryManifest(h.trust, at, note)
	})
	if err != nil {
		return fail(err)
	}
	for _, m := range members {
		switch {
		case m.Name == memberInventory && b.inventory == nil:
			b.inventory = m.data
		case m.Name == memberRoot && b.root == nil:
			k, err := parseSigningKey(roleRoot, string(m.data))
			if err != nil || k.verifyKey.text != h.root.text {
				return fail(errors.New("holds a root key that is not this vault's"))
			}
			b.root = k
		case m.Name == memberOperator && b.operator == nil:
			k, err := parseSigningKey(roleOperator, string(m.data))
			if err != nil {
				return fail(err)
			}
			if t, ok := h.trust.key(k.id); ok && t.role == roleOperator && t.ended.IsZero() {
				b.operator = k
			}
		}
	}
	return nil
}

func openInventoryManifest(t *trust, at time.Time, note []byte) ([]member, error) {
	peek := &reader{rest: string(note)}
	peek.header(kindInventory)
	id := peek.field("key")
	key, ok := t.key(id)
	if peek.err != nil || !ok {
		return nil, fmt.Errorf("key %q is not in the vault's trust", id)
	}
	body, err := openManifest(kindInventory, t.vault, &key.verifyKey, note)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var m inventoryManifest
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if m.Role != key.role || m.Time != formatTime(at) {
		return nil, errors.New("manifest and name disagree")
	}
	if !key.ended.IsZero() && at.After(key.ended) {
		return nil, fmt.Errorf("key %s had ended when it signed", id)
	}
	return m.Files, nil
}

// Files of a vault that are not of a series.
const keyVault = "vault.json"

const vaultFormat = "cfgvault vault 1"

type vaultDoc struct {
	Format string `json:"format"`
	Vault  string `json:"vault"`
}

func marshalVaultDoc(id string) ([]byte, error) {
	data, err := json.Marshal(vaultDoc{vaultFormat, id})
	return append(data, '\n'), err
}

func parseVaultDoc(data []byte) (id string, err error) {
	var d vaultDoc
	if err := json.Unmarshal(data, &d); err != nil || !strings.HasPrefix(d.Format, "cfgvault vault ") {
		return "", integrity(keyVault, "does not describe a vault")
	}
	if d.Format != vaultFormat {
		return "", fmt.Errorf("%s: format %q; this program knows %q", keyVault, d.Format, vaultFormat)
	}
	return d.Vault, checkID("vault", d.Vault)
}
