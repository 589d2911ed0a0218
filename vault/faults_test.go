package vault_test

import (
	"context"
	"io/fs"
	"iter"

	"github.com/cfgvault/cfgvault/vault"
)

// putOnlyStore is a store whose credentials may create objects and nothing else.
type putOnlyStore struct{ vault.Store }

func (s putOnlyStore) Get(context.Context, string, int64) ([]byte, error) {
	return nil, fs.ErrPermission
}

func (s putOnlyStore) List(context.Context, string) iter.Seq2[vault.Object, error] {
	return func(yield func(vault.Object, error) bool) { yield(vault.Object{}, fs.ErrPermission) }
}
