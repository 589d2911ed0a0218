package schemas_test

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// A renamed interface is renamed where it is configured, where it is referred
// to, and nowhere else.
func TestRename(t *testing.T) {
	set, err := schemas.Common()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := set.ParseJSON([]byte(`{
		"cfgvault-interfaces:interfaces": {"interface": [
			{"name": "eth0", "description": "eth0"},
			{"name": "eth0.10", "sub-interface": {"parent": "eth0", "vlan-id": 10}}]},
		"cfgvault-static-routes:static-routes": {"route": [
			{"vrf": "default", "prefix": "192.0.2.0/24", "next-hop": [{"gateway": "198.51.100.1", "interface": "eth0"}]}]},
		"cfgvault-system:system": {"hostname": "eth0"}}`))
	if err != nil {
		t.Fatal(err)
	}
	was := string(tree.Canonical())
	var seen []string
	got := string(tree.Rename(func(s string) string {
		seen = append(seen, s)
		return strings.Replace(s, "eth0", "Ethernet1", 1)
	}, "cfgvault-types:interface-name", "cfgvault-interfaces:interface-ref").Canonical())
	if string(tree.Canonical()) != was {
		t.Error("the tree itself has changed")
	}
	if n := strings.Count(got, `"eth0"`); n != 2 { // description and host name
		t.Errorf("eth0 is left %d times:\n%s", n, got)
	}
	if n := strings.Count(got, `"Ethernet1"`); n != 3 || !strings.Contains(got, `"Ethernet1.10"`) {
		t.Errorf("Ethernet1 is there %d times:\n%s", n, got)
	}
	if len(seen) != 4 {
		t.Errorf("asked about %q", seen)
	}
	if _, err := set.ParseJSON([]byte(got)); err != nil {
		t.Error(err)
	}
}
