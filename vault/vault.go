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
	"encoding/json"
	"time"

	"filippo.io/age"
)

// Config says where a vault is and where its home is.
type Config struct {
	Dir   string           // the home's folder; created with mode 0700
	Store Store            //
	Now   func() time.Time // nil: time.Now
}

// Vault is an open vault, seen from one home. It is safe for concurrent use.
type Vault struct{}

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

// Create makes a vault in an empty store and its home in an empty folder.
// fs.ErrExist if either holds a vault already.
func Create(ctx context.Context, c Config, o CreateOptions) (*Created, error) {
	return nil, errNotYet
}

// Open opens the vault that the home in c.Dir belongs to. It does not touch
// the store. ErrNoVault if there is no home.
func Open(ctx context.Context, c Config) (*Vault, error) { return nil, errNotYet }

// ID is the vault's random id.
func (v *Vault) ID() string { return "" }

// RootPublic is the root key as readers pin it.
func (v *Vault) RootPublic() string { return "" }

// Recipients are the age recipients that new objects are sealed to.
func (v *Vault) Recipients() []string { return nil }

// AgentKeyID is the id of the key that signs this home's records; empty if the
// home is no agent's.
func (v *Vault) AgentKeyID() string { return "" }

// IsOperator reports whether the home holds an operator key.
func (v *Vault) IsOperator() bool { return false }

// Digest is a keyed digest of parts, for deciding whether a device's
// configuration changed. It also covers recipients, store and format: when one
// of these changes, every digest does. The key never leaves this home.
func (v *Vault) Digest(parts ...[]byte) string { return "" }

// DeviceState is what the agent remembers of a device between runs.
type DeviceState struct {
	Digest string // of the newest object
	Entry  Entry  // the newest object
	Guard  []byte // opaque, as last given
}

// State returns what the agent remembers of a device, including what the open
// run has put.
func (v *Vault) State(device string) (DeviceState, bool) { return DeviceState{}, false }

// RunOptions describe a run.
type RunOptions struct {
	Next time.Time // when the next run is due at the latest; readers warn afterwards. Zero: no promise
	Wait bool      // wait for another process's run to end instead of failing with ErrBusy
}

// Run is one run of the agent. Its methods are safe for concurrent use. Only
// after Close returned nil is what it did a backup.
type Run struct{}

// Begin starts a run: it takes the home's lock, checks the clock (ErrClock),
// puts what an interrupted run left in the outbox, and proves the right to
// write with an opening record (ErrNoRight). All that before a device is
// touched. ErrBusy if another process has a run open.
func (v *Vault) Begin(ctx context.Context, o RunOptions) (*Run, error) { return nil, errNotYet }

// Put seals a snapshot, makes the sealed bytes durable on this machine, then in
// the store. After an error the next run repeats the attempt with the same
// bytes if sealing had succeeded.
func (r *Run) Put(ctx context.Context, s *Snapshot) (Entry, error) { return Entry{}, errNotYet }

// Seen notes that the device was read and is unchanged. guard, if not nil,
// replaces the device's guard. It fails if the agent's state knows no object of
// the device: then the device must be put.
func (r *Run) Seen(device string, guard []byte) error { return errNotYet }

// Fail notes that the device was not backed up, and why.
func (r *Run) Fail(device string, code Code) error { return errNotYet }

// Close writes the run's record and then the state, and ends the run in any
// case. After an error nothing is lost: the next run's Begin finishes the work.
func (r *Run) Close(ctx context.Context) error { return errNotYet }

// Abort ends a run without a record; what was put stays in the outbox and is
// recorded by the next run. After Close it does nothing.
func (r *Run) Abort() {}

// Index reads and verifies every record of the vault: signatures, chains,
// forks, trust, pins. Records that were verified before are taken from a cache
// in the home. If something is wrong the error is ErrIntegrity, naming every
// object concerned, and the index is returned all the same with what could be
// verified. ErrNoVault if the store holds no vault.
func (v *Vault) Index(ctx context.Context) (*Index, error) { return nil, errNotYet }

// Index is the verified view of all records. It does not change.
type Index struct{}

// Devices returns the ids of all devices that have snapshots or failures, sorted.
func (x *Index) Devices() []string { return nil }

// Snapshots returns a device's snapshots, oldest first.
func (x *Index) Snapshots(device string) []Entry { return nil }

// Latest returns the device's latest good snapshot: the newest that is Good.
func (x *Index) Latest(device string) (Entry, bool) { return Entry{}, false }

// Find returns the snapshots of all devices whose ID begins with prefix, oldest first.
func (x *Index) Find(prefix string) []Entry { return nil }

// LastSeen is when a record last said that the device was read, changed or not.
func (x *Index) LastSeen(device string) (time.Time, bool) { return time.Time{}, false }

// Failure is the device's last failure; ok is false if it was read since.
func (x *Index) Failure(device string) (f Failure, ok bool) { return Failure{}, false }

// Failure is a device that a run did not back up.
type Failure struct {
	Time time.Time
	Code Code
}

// Overdue returns the agents whose next record was due before now.
func (x *Index) Overdue(now time.Time) []Overdue { return nil }

// Overdue is an agent that has not written the record it promised.
type Overdue struct {
	Key  string    // id of the agent's key
	Last time.Time // its last record
	Due  time.Time
}

// Receipts returns the verified receipts of a kind ("" for all), oldest first.
func (x *Index) Receipts(kind string) []Receipt { return nil }

// Receipt is a signed note of something done.
type Receipt struct {
	Object string          `json:"object"` // key in the store
	Kind   string          `json:"kind"`
	Time   time.Time       `json:"time"`
	Role   string          `json:"role"` // "operator" or "agent": whose key signed
	Key    string          `json:"key"`  // id of that key
	Body   json.RawMessage `json:"body"`
}

// PutReceipt signs and stores a receipt: with the home's operator key if it
// has one, else with the agent key. body is a JSON value; it is not sealed, so
// it may hold ids, hashes, times and codes, but no device text, name or address.
func (v *Vault) PutReceipt(ctx context.Context, kind string, body []byte) (Receipt, error) {
	return Receipt{}, errNotYet
}

// Accept stores an operator's record that a held snapshot is right. ErrNoRight
// without an operator key.
func (v *Vault) Accept(ctx context.Context, e Entry) error { return errNotYet }

// Fetch returns a snapshot: it reads at most the recorded size, compares the
// ciphertext's hash, decrypts to the end, unpacks under the format's limits
// and checks that manifest, path and record agree. ErrNoIdentity if no identity
// fits.
func (v *Vault) Fetch(ctx context.Context, e Entry, ids []age.Identity) (*Snapshot, error) {
	return nil, errNotYet
}

// FetchSealed returns the stored bytes of a snapshot, compared with the
// record's hash. They open later with Unseal, without the store.
func (v *Vault) FetchSealed(ctx context.Context, e Entry) ([]byte, error) { return nil, errNotYet }

// Unseal opens what FetchSealed returned, with all of Fetch's checks. It needs
// no store.
func (v *Vault) Unseal(sealed []byte, e Entry, ids []age.Identity) (*Snapshot, error) {
	return nil, errNotYet
}

// FileKey returns the file key of one sealed object. Whoever has it can open
// that object and no other.
func FileKey(sealed []byte, ids []age.Identity) ([]byte, error) { return nil, errNotYet }

// NewFileKeyIdentity returns an identity that opens only the object that
// fileKey came from.
func NewFileKeyIdentity(fileKey []byte) age.Identity { return nil }

// ParseIdentities reads an identity file: native identities, one per line,
// age plugin identities, or such a file encrypted with a passphrase. passphrase
// is called for the latter only; nil refuses it. Errors never quote the file.
func ParseIdentities(file []byte, passphrase func() ([]byte, error)) ([]age.Identity, error) {
	return nil, errNotYet
}

// ProtectIdentity encrypts an identity file with a passphrase.
func ProtectIdentity(file, passphrase []byte) ([]byte, error) { return nil, errNotYet }

// PutInventory seals what a bare machine needs to begin again.
func (v *Vault) PutInventory(ctx context.Context, inventory []byte) error { return errNotYet }

// Inventory returns the newest inventory; fs.ErrNotExist if none was put.
func (v *Vault) Inventory(ctx context.Context, ids []age.Identity) ([]byte, error) {
	return nil, errNotYet
}

// Recovered is what Recover rebuilt.
type Recovered struct {
	VaultID    string
	Inventory  []byte // newest, nil if none was put
	AgentKeyID string // a new key: the home starts a chain of its own
}

// Recover makes a home in an empty folder from the store, the root public key
// and an identity alone: trust, pins, operator keys, a new agent key, and the
// inventory.
func Recover(ctx context.Context, c Config, rootPublic string, ids []age.Identity) (*Recovered, error) {
	return nil, errNotYet
}

// CheckOptions say how deep a check goes.
type CheckOptions struct {
	ReadData   bool           // read every object and compare its hash
	Identities []age.Identity // with ReadData: also open every object
}

// Report is the outcome of a check.
type Report struct {
	Records, Snapshots, Read, Opened int
	Bytes                            int64
	Unrecorded                       []string // objects that no record names: left by an interrupted run, or foreign
	Strange                          []string // objects whose names are none of ours
	Problems                         []error  // each is an *IntegrityError
	IdentityHere                     bool     // agent and identity share this home
}

// Check verifies records, and that every snapshot that a record names is there
// with its recorded size. The error is ErrIntegrity if the report has problems;
// the report is returned all the same.
func (v *Vault) Check(ctx context.Context, o CheckOptions) (*Report, error) { return nil, errNotYet }
