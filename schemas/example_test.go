package schemas_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// What `cfgvault schema validate` does: without named modules those that the
// data names, looked for in the given folders and among cfgvault's own.
func Example_validate() {
	data := []byte("{\"cfgvault-vlans:vlans\":{\"vlan\":[{\"id\":10,\"name\":\"users\"},\n{\"id\":10}]}}")
	search := []schemas.Source{schemas.Embedded()} // --module-dir DIR: schemas.FS(os.DirFS(DIR)), before it
	feature, err := schemas.ParseFeatures([]string{"all"})
	if err != nil {
		fmt.Println(err)
		return
	}
	opts := schemas.ParseOptions{ConfigOnly: true} // --type config
	modules, err := schemas.DataModules(data, opts, search...)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := schemas.Load(schemas.Options{Search: search, Feature: feature}, modules...)
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, err := set.Parse(data, opts)
	if err == nil {
		err = set.Validate(tree)
	}
	for _, fault := range schemas.Faults(err) {
		fmt.Println(fault)
	}
	// Output:
	// /cfgvault-vlans:vlans/vlan[id='10']: an entry with this key is there already (line 1) (line 2, RFC 7950 §7.8.2)
}

// TestConcurrent: a set and a tree are safe for concurrent use.
func TestConcurrent(t *testing.T) {
	s := common(t)
	tree := read(t, s, sample)
	want := string(tree.Canonical())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			mine, err := s.ParseJSON([]byte(sample))
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Validate(tree); err != nil {
				t.Error(err)
			}
			if len(schemas.Diff(mine, tree)) > 0 || string(tree.Canonical()) != want || len(tree.Redact().Canonical()) == 0 {
				t.Error("trees differ")
			}
		})
	}
	wg.Wait()
}
