package vault

import (
	"context"
	"encoding/json"
	"fmt"
)

// pins are how far this home has seen the vault's series. The store may add to
// them; taking away is what pins are there to notice.
type pins struct {
	Trust  pin                 `json:"trust"`
	Heads  pin                 `json:"heads"`
	Chains map[string]chainPin `json:"chains"` // by "<key>/<epoch>"
	// Receipts are the names of the receipts seen.
	Receipts []string `json:"receipts,omitempty"`
	// Inventory is the newest inventory seen.
	Inventory string `json:"inventory,omitempty"`
}

type pin struct {
	N    int    `json:"n"`
	Hash string `json:"hash"` // SHA-256, hex
}

type chainPin struct {
	Seq  int    `json:"seq"`
	Hash string `json:"hash"`
}

func (h *home) loadPins() (*pins, error) {
	p := &pins{}
	data, err := readFile(h.path(filePins))
	if err != nil {
		return nil, fmt.Errorf("pins: %w", err)
	}
	if data != nil {
		if err := json.Unmarshal(data, p); err != nil {
			return nil, &IntegrityError{Object: h.path(filePins), What: "pins are damaged", Err: err}
		}
	}
	if p.Chains == nil {
		p.Chains = map[string]chainPin{}
	}
	return p, nil
}

// updatePins changes the pins under their lock: readers of one home may run at
// the same time, and a pin never goes back.
func (h *home) updatePins(ctx context.Context, change func(*pins) bool) error {
	unlock, err := lockFile(ctx, h.path(filePinsLock), true)
	if err != nil {
		return fmt.Errorf("pins: %w", err)
	}
	defer unlock()
	p, err := h.loadPins()
	if err != nil {
		return err
	}
	if !change(p) {
		return nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := h.save(h.path(filePins), data); err != nil {
		return fmt.Errorf("pins: %w", err)
	}
	return nil
}

func (p *pin) raise(n int, hash string) bool {
	if n <= p.N {
		return false
	}
	p.N, p.Hash = n, hash
	return true
}
