package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// inventoryDigest is the file that remembers which inventory the vault holds.
const inventoryDigest = "inventory.digest"

// keepInventory seals the inventory into the vault when it has changed, so that
// `recover` can rebuild a home from the store alone. It holds references to
// credentials, never credentials.
func (a *Agent) keepInventory(ctx context.Context) error {
	data, err := os.ReadFile(a.Home.Inventory())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	digest := a.vault.Digest([]byte("inventory"), data)
	path := filepath.Join(a.Home.StateDir, inventoryDigest)
	if had, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(had)) == digest {
		return nil
	}
	if err := a.vault.PutInventory(ctx, data); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(digest+"\n"), 0o600)
}
