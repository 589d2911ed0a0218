package schemas_test

import (
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

func common(t testing.TB) *schemas.Set {
	t.Helper()
	s, err := schemas.Common()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const sample = `{
  "cfgvault-system:system": {"hostname": "r1", "dns": {"server": [{"address": "2001:DB8::0:1"}, {"address": "10.0.0.1"}]},
    "snmp": {"community": [{"name": "private", "access": "rw"}, {"name": "public", "access": "ro"}]}},
  "cfgvault-interfaces:interfaces": {"interface": [
    {"name": "eth1", "type": "ethernet", "enabled": true, "ipv4": {"address": [{"ip": "10.0.0.2", "prefix-length": 24}]}},
    {"name": "eth0", "type": "cfgvault-interfaces:management", "enabled": false, "switchport": {}}]},
  "cfgvault-bgp:bgp": {"instance": [{"vrf": "default", "as": 65001,
     "peer-group": [{"name": "PG", "remote-as": "internal"}],
     "neighbor": [{"address": "10.0.0.9", "peer-group": "PG", "password": {"value": "hunter2"}}, {"address": "eth0", "remote-as": 65002}]}]},
  "cfgvault-prefix-lists:prefix-lists": {"prefix-list": [{"family": "ipv4", "name": "PL", "entry": [
     {"seq": 10, "action": "permit", "prefix": "10.1.2.3/8", "ge": 9, "le": 24}, {"seq": 5, "action": "deny", "prefix": "any"}]}]}
}`

func TestCommon(t *testing.T) {
	s := common(t)
	tree, err := s.ParseJSON([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(tree); err != nil {
		t.Fatal(err)
	}
	_ = tree
}
