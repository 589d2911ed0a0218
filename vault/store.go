package vault

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Store is where a vault's objects lie. Objects are immutable: there is no way
// to replace or delete one through this interface. Keys are slash-separated
// relative paths of letters, digits and "-._", no element empty or beginning
// with a dot.
//
// Stores are safe for concurrent use. The kit that proves one is
// [github.com/cfgvault/cfgvault/vault/storetest].
type Store interface {
	// Put creates the object. When it returns nil, the object is durable. If
	// an object of that name exists, Put returns nil when it holds the same
	// bytes and an error that is fs.ErrExist when it holds others. A store
	// that may not read what is there (put-only credentials) believes a key
	// that contains the first 32 hex digits of the SHA-256 of data. After any
	// other error the object may or may not be there: the caller repeats Put
	// with the same bytes. fs.ErrPermission: the store refuses the write.
	Put(ctx context.Context, key string, data []byte) error

	// Get returns an object. fs.ErrNotExist if there is none,
	// fs.ErrPermission if it may not be read, ErrTooLarge before more than
	// limit bytes were read.
	Get(ctx context.Context, key string, limit int64) ([]byte, error)

	// List yields the objects whose keys begin with prefix, in lexical order
	// of their keys. It ends after the first error.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
}

// Object is what a listing tells of an object.
type Object struct {
	Key  string
	Size int64
}

// Clock is the optional power of a store to tell its own time, so that an
// agent with a wrong clock notices before it writes names sorted by time.
type Clock interface {
	Time(ctx context.Context) (time.Time, error)
}

// Versions is the optional power of a store to keep what an object was before
// it was overwritten or deleted. Readers use it when the object they get is not
// the one that a signed record names.
type Versions interface {
	// GetVersion returns the first version of the object, newest first, that
	// is at most limit bytes long and for which want returns true;
	// fs.ErrNotExist if there is none.
	GetVersion(ctx context.Context, key string, limit int64, want func([]byte) bool) ([]byte, error)
}

// CheckKey reports whether a key is spelled as stores expect it. Stores call
// it before they write.
func CheckKey(key string) error {
	if len(key) > 512 {
		return fmt.Errorf("key of %d bytes: at most 512 are allowed", len(key))
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' {
			return fmt.Errorf("key %q: an element is empty or begins with a dot", key)
		}
		for i := range len(part) {
			if c := part[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
				return fmt.Errorf("key %q: want letters, digits and -._ only", key)
			}
		}
	}
	return nil
}
