// Package vault keeps snapshots: sealed to their readers, signed by their
// writer, named by signed records, in a store that is trusted with nothing but
// keeping bytes. FORMAT.md says what every object is and how it is verified.
//
// The vault knows bytes, not devices: a device is a random id, a snapshot a
// set of files and a few closed codes. The package never decides whether a
// backup is good, never contacts a device and never logs. It removes nothing.
//
// A home is a folder on one machine: keys, pins, the agent's state and its
// outbox. An agent's home holds recipients, never needs an identity, and needs
// only the right to create objects in the store. An operator's home also holds
// the root and operator keys. One machine may be both.
package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Config says where a vault is and where its home is.
type Config struct {
	Dir   string           // the home's folder; created with mode 0700
	Store Store            //
	Now   func() time.Time // nil: time.Now
}

func (c *Config) check() error {
	if c.Dir == "" || c.Store == nil {
		return errors.New("vault: config without home or store")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Vault is an open vault, seen from one home. It is safe for concurrent use.
type Vault struct {
	store   Store
	now     func() time.Time
	encoder *zstd.Encoder
	retry   func() retryPolicy

	mu         sync.Mutex
	home       *home
	recipients []age.Recipient
	agent      *agentState // what the agent remembers; nil: not read yet
}

// Open opens the vault that the home in c.Dir belongs to. It does not touch
// the store. ErrNoVault if there is no home.
func Open(_ context.Context, c Config) (*Vault, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	h, err := loadHome(c.Dir)
	if err != nil {
		return nil, err
	}
	return newVault(c, h)
}

func newVault(c Config, h *home) (*Vault, error) {
	recipients, err := ParseRecipients(h.recipients)
	if err != nil {
		return nil, err
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	return &Vault{store: c.Store, now: c.Now, encoder: enc, retry: defaultRetry, home: h, recipients: recipients}, nil
}

func (v *Vault) current() *home {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.home
}

// ID is the vault's random id.
func (v *Vault) ID() string { return v.current().vault }

// RootPublic is the root key as readers pin it.
func (v *Vault) RootPublic() string { return v.current().root.text }

// Recipients are the age recipients that new objects are sealed to.
func (v *Vault) Recipients() []string { return slices.Clone(v.current().recipients) }

// AgentKeyID is the id of the key that signs this home's records; empty if the
// home is no agent's.
func (v *Vault) AgentKeyID() string {
	if k := v.current().agent; k != nil {
		return k.id
	}
	return ""
}

// IsOperator reports whether the home holds an operator key.
func (v *Vault) IsOperator() bool { return v.current().operator != nil }

// Digest is a keyed digest of parts, for deciding whether a device's
// configuration changed. It also covers recipients, store and format: when one
// of these changes, every digest does. The key never leaves this home. Empty,
// which no digest in a state is, if the agent's state cannot be read: then
// everything counts as changed, and Begin says what is wrong.
func (v *Vault) Digest(parts ...[]byte) string {
	a, err := v.state()
	if err != nil {
		return ""
	}
	v.mu.Lock()
	secret, recipients := a.chain.Secret, v.home.recipients
	v.mu.Unlock()
	m := hmac.New(sha256.New, secret)
	write := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		m.Write(n[:])
		m.Write(b)
	}
	write([]byte("cfgvault digest"))
	write([]byte{formatVersion})
	write([]byte(storeName(v.store)))
	write([]byte{byte(len(recipients))})
	for _, r := range slices.Sorted(slices.Values(recipients)) {
		write([]byte(r))
	}
	for _, p := range parts {
		write(p)
	}
	return hex.EncodeToString(m.Sum(nil))
}

// storeName tells stores apart: their String, if they have one.
func storeName(s Store) string {
	if n, ok := s.(fmt.Stringer); ok {
		return n.String()
	}
	return fmt.Sprintf("%T", s)
}

// DeviceState is what the agent remembers of a device between runs.
type DeviceState struct {
	Digest string // of the newest object; empty if it is not known
	Entry  Entry  // the newest object
	Guard  []byte // opaque, as last given
}

// State returns what the agent remembers of a device, including what the open
// run has put.
func (v *Vault) State(device string) (DeviceState, bool) {
	a, err := v.state()
	if err != nil {
		return DeviceState{}, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	d, ok := a.devices[device]
	return d, ok
}
