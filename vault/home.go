package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cfgvault/cfgvault/vault/internal/durable"
)

// Files of a home. Folders are 0700, files 0600.
const (
	fileHome     = "vault.json"     // vault id and root key: what this home trusts
	fileTrust    = "trust"          // the newest trust seen, as stored
	filePins     = "pins.json"      // how far trust, heads and chains were seen
	fileAgentKey = "agent.key"      // signs this home's records
	fileNextKey  = "agent.key.next" // becomes agent.key once the trust names it
	fileOperator = "operator.key"   // signs receipts and heads
	fileRoot     = "root.key"       // signs trust
	fileIdentity = "identity.txt"   // where Create stores the identity
	fileLock     = "run.lock"       // shared by all runs: the keys stay as they are
	fileAlone    = "alone.lock"     // held by a run that is Alone
	fileTurn     = "turn.lock"      // held while the chain is continued
	filePinsLock = "pins.lock"
	dirAgent     = "agent"  // chain and state
	dirOutbox    = "outbox" // sealed, not yet recorded
	dirCache     = "cache"  // records verified before; may be deleted
)

// home is what one machine knows of a vault. It does not change; a newer trust
// makes a new one.
type home struct {
	dir        string
	vault      string
	root       *verifyKey
	trust      *trust
	trustData  []byte
	recipients []string
	agent      *signingKey // nil: not an agent's home
	operator   *signingKey // nil: not an operator's
	rootKey    *signingKey // nil: cannot change trust

	// step, in tests, is told before and after everything that lasts; it may
	// end the process there.
	step func(name string)
}

func (h *home) at(step string) {
	if h.step != nil {
		h.step(step)
	}
}

// save replaces a file of the home durably.
func (h *home) save(path string, data []byte) error {
	h.at("before writing " + filepath.Base(path))
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	h.at("before renaming to " + filepath.Base(path))
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return err
	}
	err = durable.Dir(filepath.Dir(path))
	h.at("after writing " + filepath.Base(path))
	return err
}

type homeFile struct {
	Format string `json:"format"`
	Vault  string `json:"vault"`
	Root   string `json:"root"`
}

const homeFormat = "cfgvault home 1"

func (h *home) path(elem ...string) string {
	return filepath.Join(append([]string{h.dir}, elem...)...)
}

func loadHome(dir string) (*home, error) {
	h := &home{dir: dir}
	data, err := os.ReadFile(h.path(fileHome))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s belongs to none; create one with init, or recover one", ErrNoVault, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open home: %w", err)
	}
	var f homeFile
	if err := json.Unmarshal(data, &f); err != nil || f.Format != homeFormat {
		return nil, integrity(h.path(fileHome), "not the description of a home, format %q", homeFormat)
	}
	h.vault = f.Vault
	if h.root, err = parseVerifyKey(roleRoot, f.Root); err != nil {
		return nil, &IntegrityError{Object: h.path(fileHome), What: "root key", Err: err}
	}
	if h.trustData, err = os.ReadFile(h.path(fileTrust)); err != nil {
		return nil, fmt.Errorf("open home: %w", err)
	}
	if h.trust, err = openTrust(h.root, h.vault, h.path(fileTrust), h.trustData); err != nil {
		return nil, err
	}
	h.recipients = h.trust.recipients
	if err := h.takeNextKey(); err != nil {
		return nil, fmt.Errorf("open home: %w", err)
	}
	for _, k := range []struct {
		file, role string
		key        **signingKey
	}{{fileAgentKey, roleAgent, &h.agent}, {fileOperator, roleOperator, &h.operator}, {fileRoot, roleRoot, &h.rootKey}} {
		text, err := readFile(h.path(k.file))
		if err != nil {
			return nil, fmt.Errorf("open home: %w", err)
		}
		if text == nil {
			continue
		}
		if *k.key, err = parseSigningKey(k.role, string(text)); err != nil {
			return nil, fmt.Errorf("open home: %s: %w", h.path(k.file), err)
		}
	}
	return h, nil
}

// openTrust verifies a trust object's signature and vault.
func openTrust(root *verifyKey, vault, object string, data []byte) (*trust, error) {
	text, err := root.open(data)
	if err != nil {
		return nil, &IntegrityError{Object: object, What: "trust", Err: err}
	}
	t, err := parseTrust(text)
	if err != nil {
		return nil, &IntegrityError{Object: object, What: "trust", Err: err}
	}
	if t.vault != vault {
		return nil, integrity(object, "trust is of vault %s, not %s", t.vault, vault)
	}
	return t, nil
}

// write makes the folder's files, the one that makes it a home last.
func (h *home) write() error {
	for _, d := range []string{"", dirAgent, dirOutbox, dirCache} {
		if err := os.MkdirAll(h.path(d), 0o700); err != nil {
			return err
		}
	}
	for _, k := range []struct {
		file string
		key  *signingKey
	}{{fileAgentKey, h.agent}, {fileOperator, h.operator}, {fileRoot, h.rootKey}} {
		if k.key == nil {
			continue
		}
		if err := h.save(h.path(k.file), []byte(k.key.text+"\n")); err != nil {
			return err
		}
	}
	if err := h.save(h.path(fileTrust), h.trustData); err != nil {
		return err
	}
	data, err := json.MarshalIndent(homeFile{homeFormat, h.vault, h.root.text}, "", "  ")
	if err != nil {
		return err
	}
	if err := h.save(h.path(fileHome), append(data, '\n')); err != nil {
		return err
	}
	return durable.Dir(filepath.Dir(h.dir))
}
