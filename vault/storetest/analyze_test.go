package storetest_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
	"github.com/cfgvault/cfgvault/vault/internal/gateway"
	"github.com/cfgvault/cfgvault/vault/mem"
	"github.com/cfgvault/cfgvault/vault/s3"
	"github.com/cfgvault/cfgvault/vault/storetest"
)

// careless is a store that ignores conditions, as many servers do.
type careless struct{ *mem.Store }

func (s careless) Put(_ context.Context, key string, data []byte) error {
	s.Replace(key, data)
	return nil
}

// unordered is a store that lists backwards.
type unordered struct{ *mem.Store }

func (s unordered) List(ctx context.Context, prefix string) iter.Seq2[vault.Object, error] {
	return func(yield func(vault.Object, error) bool) {
		var all []vault.Object
		for o := range s.Store.List(ctx, prefix) {
			all = append(all, o)
		}
		for _, o := range slices.Backward(all) {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func summary(list []storetest.Finding) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%s %s\n", f.Level, f.Code)
	}
	return b.String()
}

func TestAnalyze(t *testing.T) {
	d, err := dir.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	g := gateway.Start(t)
	plain := g.Bucket("plain")
	if err := g.Admin.MakeBucket(t.Context(), "locked", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	mode, days, unit := minio.Compliance, uint(30), minio.Days
	if err := g.Admin.SetObjectLockConfig(t.Context(), "locked", &mode, &days, &unit); err != nil {
		t.Fatal(err)
	}
	locked := plain
	locked.Bucket = "locked"
	open := func(o s3.Options) vault.Store {
		s, err := s3.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	tests := []struct {
		name  string
		store vault.Store
		want  []string // lines that must be there
		none  string   // level that must not be there
	}{
		{"mem", mem.New(), []string{"ok condition", "ok race", "ok list", "ok clock"}, "fault"},
		{"dir", d, []string{"ok condition", "ok race", "ok list", "ok clock"}, "fault"},
		{"careless", careless{mem.New()}, []string{"fault condition-ignored", "fault condition-ignored-big", "fault race"}, ""},
		{"unordered", unordered{mem.New()}, []string{"ok condition", "fault list"}, ""},
		{"s3", open(plain), []string{"ok condition", "ok list", "warning overwrite-possible", "warning versions-off"}, "fault"},
		{"s3 put-only", open(g.PutOnly(plain)), []string{"ok condition", "ok put-only", "warning overwrite-possible", "ok delete-refused"}, "fault"},
		{"s3 locked", open(locked), []string{"ok condition", "note overwrite-kept", "note delete-kept", "ok locked"}, "fault"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := summary(storetest.Analyze(t.Context(), tt.store))
			for _, w := range tt.want {
				if !strings.Contains("\n"+got, "\n"+w+"\n") {
					t.Errorf("no %q in:\n%s", w, got)
				}
			}
			if tt.none != "" && strings.Contains(got, tt.none) {
				t.Errorf("got:\n%s", got)
			}
		})
	}
}

// TestKitFindsFaults: the kit must be able to fail.
func TestKitFindsFaults(t *testing.T) {
	for name, s := range map[string]vault.Store{"careless": careless{mem.New()}, "unordered": unordered{mem.New()}} {
		if err := storetest.Test(t.Context(), s); err == nil {
			t.Errorf("the %s store passes", name)
		}
	}
}
