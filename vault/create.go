package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"filippo.io/age"
)

// CreateOptions say whom a new vault is sealed to.
type CreateOptions struct {
	// Recipients, when given, are the only ones: no identity is made, and
	// the home is an agent's, without root and operator keys (they lie sealed
	// in the vault: Recover makes an operator's home from them). They must all
	// be hybrid or all be classic.
	Recipients []string
	// Classic makes X25519 identities, which age before 1.3 can use, instead
	// of post-quantum hybrid ones.
	Classic bool
}

// Created is what Create made. Without CreateOptions.Recipients, Identity and
// Recovery are the texts of two age identity files.
type Created struct {
	VaultID    string
	RootPublic string // what a bare machine needs, besides store and identity, to trust the vault again
	AgentKeyID string
	Recipients []string
	Identity   string // also in IdentityFile
	// IdentityFile is where Create stored the identity: identity.txt in
	// Config.Dir, mode 0600; empty without one.
	IdentityFile string
	Recovery     string // to be printed once; stored nowhere
}

// Create makes a vault in a store that holds none, and its home in a folder
// that is none. fs.ErrExist if either is taken. An interrupted Create has
// backed up nothing: repeat it with another store or prefix.
func Create(ctx context.Context, c Config, o CreateOptions) (*Created, error) {
	made, err := create(ctx, c, o)
	if err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	return made, nil
}

func create(ctx context.Context, c Config, o CreateOptions) (*Created, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	h, err := newHome(c.Dir)
	if err != nil {
		return nil, err
	}
	unlock, err := lockFile(ctx, h.path(fileLock), false)
	if err != nil {
		return nil, err
	}
	defer unlock()
	made := &Created{Recipients: slices.Clone(o.Recipients)}
	if len(o.Recipients) == 0 {
		if err := made.identities(h, o.Classic); err != nil {
			return nil, err
		}
	}
	root, operator, err := h.newVault(c.Now(), made.Recipients)
	if err != nil {
		return nil, err
	}
	made.VaultID, made.RootPublic, made.AgentKeyID = h.vault, h.root.text, h.agent.id
	if len(o.Recipients) == 0 {
		h.rootKey, h.operator = root, operator
	}
	v, err := newVault(c, h)
	if err != nil {
		return nil, err
	}
	doc, err := marshalVaultDoc(h.vault)
	if err != nil {
		return nil, err
	}
	if err := v.put(ctx, keyVault, doc); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("the store %s holds a vault already: %w; to use it from here, recover a home", storeName(c.Store), fs.ErrExist)
		}
		return nil, err
	}
	if err := v.put(ctx, numberedName("trust", 1, h.trustData), h.trustData); err != nil {
		return nil, err
	}
	if err := v.putInventoryAs(ctx, operator, nil, root, operator); err != nil {
		return nil, err
	}
	return made, h.write()
}

// newHome prepares an empty folder.
func newHome(dir string) (*home, error) {
	h := &home{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := os.Stat(h.path(fileHome)); err == nil {
		return nil, fmt.Errorf("%s: %w: it belongs to a vault already", dir, fs.ErrExist)
	}
	return h, nil
}

// identities makes the daily and the recovery identity. The daily one is
// durable before anything is sealed to it.
func (m *Created) identities(h *home, classic bool) error {
	daily, text, err := newIdentity(classic, "identity of a cfgvault vault: opens every snapshot")
	if err != nil {
		return err
	}
	recovery, recoveryText, err := newIdentity(classic, "recovery identity of a cfgvault vault: keep it apart from every machine")
	if err != nil {
		return err
	}
	m.Recipients = []string{daily, recovery}
	m.Identity, m.Recovery, m.IdentityFile = text, recoveryText, h.path(fileIdentity)
	if err := createFile(m.IdentityFile, []byte(text)); err != nil {
		return fmt.Errorf("store the identity: %w", err)
	}
	return nil
}

// newVault makes id, keys and the first trust.
func (h *home) newVault(now time.Time, recipients []string) (root, operator *signingKey, err error) {
	if _, err := ParseRecipients(recipients); err != nil {
		return nil, nil, err
	}
	var id [8]byte
	rand.Read(id[:])
	h.vault = hex.EncodeToString(id[:])
	if root, err = newSigningKey(roleRoot); err != nil {
		return nil, nil, err
	}
	if operator, err = newSigningKey(roleOperator); err != nil {
		return nil, nil, err
	}
	if h.agent, err = newSigningKey(roleAgent); err != nil {
		return nil, nil, err
	}
	h.root, h.recipients = &root.verifyKey, recipients
	t := &trust{vault: h.vault, n: 1, previous: "none", time: now.UTC().Truncate(time.Millisecond), recipients: recipients,
		keys: []trustedKey{{verifyKey: operator.verifyKey}, {verifyKey: h.agent.verifyKey}}}
	return root, operator, h.setTrust(root, t)
}

// setTrust signs a trust and makes it the home's.
func (h *home) setTrust(root *signingKey, t *trust) error {
	data, err := root.sign(t.text())
	if err != nil {
		return fmt.Errorf("sign trust: %w", err)
	}
	h.trust, h.trustData = t, data
	return nil
}

// Recovered is what Recover rebuilt.
type Recovered struct {
	VaultID    string
	Inventory  []byte // newest, nil if none was put
	AgentKeyID string // a new key: the home starts a chain of its own
}

// Recover makes a home in an empty folder from the store, the root public key
// and an identity alone: trust, pins, root and operator keys, a new agent key,
// and the inventory. If the records do not verify, the home is made all the
// same and the error is ErrIntegrity, with what was recovered.
func Recover(ctx context.Context, c Config, rootPublic string, ids []age.Identity) (*Recovered, error) {
	r, err := recoverHome(ctx, c, rootPublic, ids)
	if err != nil {
		return r, fmt.Errorf("recover: %w", err)
	}
	return r, nil
}

func recoverHome(ctx context.Context, c Config, rootPublic string, ids []age.Identity) (*Recovered, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	root, err := parseVerifyKey(roleRoot, rootPublic)
	if err != nil {
		return nil, err
	}
	h, err := newHome(c.Dir)
	if err != nil {
		return nil, err
	}
	unlock, err := lockFile(ctx, h.path(fileLock), false)
	if err != nil {
		return nil, err
	}
	defer unlock()
	doc, err := c.Store.Get(ctx, keyVault, maxVaultDoc)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the store %s holds none", ErrNoVault, storeName(c.Store))
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", keyVault, err)
	}
	h.root = root
	if h.vault, err = parseVaultDoc(doc); err != nil {
		return nil, err
	}
	if err := h.fetchTrust(ctx, c.Store); err != nil {
		return nil, err
	}
	v, err := newVault(c, h)
	if err != nil {
		return nil, err
	}
	b, err := v.bundle(ctx, ids)
	if err != nil {
		return nil, err
	}
	h.rootKey, h.operator = b.root, b.operator
	r := &Recovered{VaultID: h.vault, Inventory: b.inventory}
	if b.root != nil {
		if h.agent, err = newSigningKey(roleAgent); err != nil {
			return nil, err
		}
		next := *h.trust
		next.n, next.previous, next.time = next.n+1, hashHex(h.trustData), c.Now().UTC().Truncate(time.Millisecond)
		next.keys = append(slices.Clone(next.keys), trustedKey{verifyKey: h.agent.verifyKey})
		if err := h.setTrust(b.root, &next); err != nil {
			return nil, err
		}
		if err := v.put(ctx, numberedName("trust", next.n, h.trustData), h.trustData); err != nil {
			return nil, err
		}
		r.AgentKeyID = h.agent.id
	}
	if err := h.write(); err != nil {
		return nil, err
	}
	_, err = v.Index(ctx)
	return r, err
}

// fetchTrust finds the newest trust that the root key signed.
func (h *home) fetchTrust(ctx context.Context, s Store) error {
	v := &Vault{store: s}
	for o, err := range s.List(ctx, "trust/") {
		if err != nil {
			return fmt.Errorf("list trust: %w", err)
		}
		n, hash, err := parseNumberedName("trust", o.Key)
		if err != nil {
			continue
		}
		data, err := v.getNamed(ctx, o.Key, hash, maxTrust)
		if err != nil {
			return err
		}
		t, err := openTrust(h.root, h.vault, o.Key, data)
		if err != nil {
			return fmt.Errorf("is it this vault's root key? %w", err)
		}
		if t.n != n {
			return integrity(o.Key, "holds trust %d", t.n)
		}
		h.trust, h.trustData, h.recipients = t, data, t.recipients
	}
	if h.trust == nil {
		return integrity("trust/", "is empty")
	}
	return nil
}
