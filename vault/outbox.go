package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// box is a sealed snapshot on its way: durable on this machine before the store
// sees it, kept until a record names it. On disk it is one line of JSON and the
// sealed bytes.
type box struct {
	Entry  Entry  `json:"entry"`
	Digest string `json:"digest"`
	Guard  []byte `json:"guard,omitempty"`

	sealed []byte
	file   string
}

const boxSuffix = ".box"

// write makes the box durable.
func (b *box) write(h *home) error {
	head, err := json.Marshal(b)
	if err != nil {
		return err
	}
	b.file = h.path(dirOutbox, filepath.Base(strings.TrimSuffix(b.Entry.Object, snapshotSuffix))+boxSuffix)
	data := make([]byte, 0, len(head)+1+len(b.sealed))
	data = append(append(append(data, head...), '\n'), b.sealed...)
	if err := h.save(b.file, data); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// readOutbox returns the boxes that earlier runs left, without holding their
// sealed bytes, and clears away what was never finished.
func readOutbox(h *home) ([]*box, error) {
	names, err := os.ReadDir(h.path(dirOutbox))
	if errors.Is(err, os.ErrNotExist) {
		return nil, os.MkdirAll(h.path(dirOutbox), 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	var boxes []*box
	for _, n := range names {
		path := h.path(dirOutbox, n.Name())
		if strings.HasPrefix(n.Name(), ".tmp-") {
			os.Remove(path)
			continue
		}
		if !strings.HasSuffix(n.Name(), boxSuffix) {
			continue
		}
		b, err := readBox(path)
		if err != nil {
			return nil, err
		}
		b.sealed = nil
		boxes = append(boxes, b)
	}
	return boxes, nil
}

func readBox(path string) (*box, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	head, sealed, ok := bytes.Cut(data, []byte{'\n'})
	b := &box{sealed: sealed, file: path}
	if !ok || json.Unmarshal(head, b) != nil || int64(len(sealed)) != b.Entry.Size || hashHex(sealed) != b.Entry.SHA256 {
		// Boxes appear by rename after fsync, so this is damage, not a crash.
		return nil, integrity(path, "is damaged and was never acknowledged; move it away to go on")
	}
	if _, err := parseEntryLine(entryLine(b.Entry)); err != nil {
		return nil, &IntegrityError{Object: path, What: "does not name a snapshot", Err: err}
	}
	return b, nil
}
