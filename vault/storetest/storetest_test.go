package storetest_test

import (
	"path/filepath"
	"testing"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
	"github.com/cfgvault/cfgvault/vault/internal/gateway"
	"github.com/cfgvault/cfgvault/vault/mem"
	"github.com/cfgvault/cfgvault/vault/s3"
	"github.com/cfgvault/cfgvault/vault/storetest"
)

func TestStores(t *testing.T) {
	t.Run("mem", func(t *testing.T) { conform(t, mem.New()) })
	t.Run("dir", func(t *testing.T) {
		s, err := dir.Open(filepath.Join(t.TempDir(), "store"))
		if err != nil {
			t.Fatal(err)
		}
		conform(t, s)
	})
	t.Run("s3", func(t *testing.T) {
		g := gateway.Start(t)
		s, err := s3.Open(t.Context(), g.Bucket("conform"))
		if err != nil {
			t.Fatal(err)
		}
		conform(t, s)
	})
}

func conform(t *testing.T, s vault.Store) {
	t.Helper()
	if err := storetest.Test(t.Context(), s); err != nil {
		t.Error(err)
	}
}
