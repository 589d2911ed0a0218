package vault

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/cfgvault/cfgvault/vault/internal/durable"
)

// box is a sealed snapshot on its way: durable on this machine before the store
// sees it, kept until a record names it.
type box struct {
	Entry  Entry  `json:"entry"`
	Digest string `json:"digest"`
	Guard  []byte `json:"guard,omitempty"`

	file   string // the log that holds it
	offset int64  // of the sealed bytes in it
}

// outbox is the log of one run's boxes: each is a line of JSON and the sealed
// bytes. One file for all, so that boxes of concurrent calls share syncs. What
// stands behind a power cut's torn end was not acknowledged. The run holds the
// lock on the file: whoever can take it has found what an interrupted run left.
type outbox struct {
	home *home
	sync durable.Group

	mu   sync.Mutex
	file *os.File
	path string
	size int64
	err  error // of a failed sync: the file is not to be trusted any more
}

const (
	boxSuffix  = ".boxes"
	newSuffix  = ".new" // of a log that is not locked yet
	maxBoxHead = 1 << 20
)

// add makes a box durable.
func (o *outbox) add(b *box, sealed []byte) error {
	head, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if len(head) >= maxBoxHead {
		return fmt.Errorf("guard of %s: %w", b.Entry.Device, ErrTooLarge)
	}
	o.home.at("before writing a box")
	if err := o.write(b, append(head, '\n'), sealed); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	o.home.at("before syncing a box")
	err = o.sync.Do(o.file.Sync)
	if err != nil {
		o.mu.Lock()
		o.err = err
		o.mu.Unlock()
		return fmt.Errorf("outbox: %w", err)
	}
	o.home.at("after writing a box")
	return nil
}

func (o *outbox) write(b *box, head, sealed []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	if o.file == nil {
		if err := o.create(); err != nil {
			return err
		}
	}
	b.file, b.offset = o.path, o.size+int64(len(head))
	_, err := o.file.WriteAt(head, o.size)
	if err == nil {
		_, err = o.file.WriteAt(sealed, b.offset)
	}
	if err != nil {
		if terr := o.file.Truncate(o.size); terr != nil {
			o.err = terr
		}
		return err
	}
	o.size = b.offset + int64(len(sealed))
	return nil
}

func (o *outbox) create() error {
	var id [8]byte
	rand.Read(id[:])
	dir := o.home.path(dirOutbox)
	o.path = o.home.path(dirOutbox, hex.EncodeToString(id[:])+boxSuffix)
	open := func() (*os.File, error) {
		return os.OpenFile(o.path+newSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	}
	f, err := open()
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			f, err = open()
		}
	}
	if err != nil {
		return err
	}
	// By its own name it is seen only once it is locked.
	_, err = tryLock(f, syscall.LOCK_EX)
	if err == nil {
		err = os.Rename(o.path+newSuffix, o.path)
	}
	if err != nil {
		f.Close()
		os.Remove(o.path + newSuffix)
		return err
	}
	if err := durable.Dir(dir); err != nil {
		f.Close()
		return err
	}
	o.file = f
	return nil
}

// forget removes the log. Boxes that are not in the store yet move to a new one
// first.
func (o *outbox) forget(left []*box) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	old := o.path
	defer unlockFile(o.file)
	o.file, o.size = nil, 0
	if len(left) > 0 {
		next := &outbox{home: o.home}
		for _, b := range left {
			sealed, err := b.sealed()
			if err == nil {
				err = next.add(&box{Entry: b.Entry, Digest: b.Digest, Guard: b.Guard}, sealed)
			}
			if err != nil {
				return fmt.Errorf("outbox: %w", err)
			}
		}
		next.close()
	}
	o.home.at("before forgetting boxes")
	if err := os.Remove(old); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		unlockFile(o.file)
		o.file = nil
	}
}

// sealed reads the box's bytes again.
func (b *box) sealed() ([]byte, error) {
	f, err := os.Open(b.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, b.Entry.Size)
	if _, err := f.ReadAt(data, b.offset); err != nil {
		return nil, err
	}
	if !b.Entry.matches(data) {
		return nil, integrity(b.file, "the sealed snapshot of device %s was changed", b.Entry.Device)
	}
	return data, nil
}

// claim is the log of a run that has ended without its record.
type claim struct {
	file  *os.File // locked
	path  string
	boxes []*box
}

// claimOutbox takes the logs that nobody holds, and reads them.
func claimOutbox(h *home) ([]*claim, error) {
	names, err := os.ReadDir(h.path(dirOutbox))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var claims []*claim
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), boxSuffix) {
			continue
		}
		c, err := claimLog(h.path(dirOutbox, n.Name()))
		if c != nil {
			claims = append(claims, c)
		}
		if err != nil {
			return claims, err
		}
	}
	return claims, nil
}

// claimLog returns nil if another run holds the log, or has just removed it.
func claimLog(path string) (*claim, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	got, err := tryLock(f, syscall.LOCK_EX)
	if err != nil || !got {
		f.Close()
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		unlockFile(f)
		return nil, nil
	}
	c := &claim{file: f, path: path}
	c.boxes, err = readLog(path)
	return c, err
}

// readLog returns the whole boxes at the beginning of a log.
func readLog(path string) ([]*box, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var boxes []*box
	var at int64
	r := bufio.NewReaderSize(f, maxBoxHead)
	for {
		head, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
			return boxes, nil
		}
		if err != nil {
			return nil, err
		}
		b := &box{file: path, offset: at + int64(len(head))}
		if json.Unmarshal(head, b) != nil {
			return boxes, nil
		}
		if _, err := parseEntryLine(entryLine(b.Entry)); err != nil || b.Entry.Size > maxArchive {
			return boxes, nil
		}
		sealed, err := io.ReadAll(io.LimitReader(r, b.Entry.Size))
		if err != nil {
			return nil, err
		}
		if !b.Entry.matches(sealed) {
			return boxes, nil
		}
		boxes = append(boxes, b)
		at = b.offset + b.Entry.Size
	}
}
