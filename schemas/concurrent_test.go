package schemas

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

// TestConcurrentUse: a set and a tree are used by many at once, a set from the
// cache too, whose patterns are made at first use. With -race it proves more.
func TestConcurrentUse(t *testing.T) {
	o := Options{Search: []Source{Embedded()}, Cache: filepath.Join(t.TempDir(), "cache")}
	for range 2 {
		set, err := Load(o, EmbeddedNames()...)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := set.ParseJSON([]byte(`{"cfgvault-system:system":{"hostname":"r1","dns":{"server":[{"address":"10.0.0.1"}]}},"cfgvault-bgp:bgp":{"instance":[{"vrf":"a"}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		want := tree.Canonical()
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				errs[i] = func() error {
					var fault *PathError
					if err := set.Validate(tree); !errors.As(err, &fault) || fault.Line != 1 {
						return fmt.Errorf("validate: %w", err)
					}
					xml, err := tree.XML("")
					if err != nil {
						return err
					}
					again, err := set.Parse(xml, ParseOptions{XML: true})
					if err != nil {
						return err
					}
					if !bytes.Equal(again.Canonical(), want) || len(Diff(tree, again)) > 0 {
						return errors.New("another tree")
					}
					if _, _, err := Merge(tree, again, tree); err != nil {
						return err
					}
					_, err = tree.WithDefaults(ReportAll)
					return err
				}()
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	}
}
