package agent

import (
	"encoding/json"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/schemas"
)

func commonTree(t *testing.T, text string) (*schemas.Set, *schemas.Tree) {
	t.Helper()
	set, err := schemas.Common()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := set.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set, tree
}

// A secret in a vendor's own encoding is not the same secret elsewhere.
func TestOwnSecretsStayBehind(t *testing.T) {
	neighbor := func(address, kind string) string {
		return `{"address": "` + address + `", "remote-as": 65000, "password": {"type": "` + kind + `", "value": "v"}}`
	}
	set, tree := commonTree(t, `{"cfgvault-bgp:bgp": {"instance": [{"vrf": "default", "as": 65001, "neighbor": [`+
		neighbor("192.0.2.1", "7")+`,`+neighbor("192.0.2.2", "8a")+`,`+neighbor("192.0.2.3", "0")+`,`+neighbor("192.0.2.4", "clear")+`]}]}}`)
	out, losses, err := withoutOwnSecrets(set, tree, "eos")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		BGP struct {
			Instance []struct {
				Neighbor []struct {
					Address  string
					Password *struct{ Type, Value string }
				}
			}
		} `json:"cfgvault-bgp:bgp"`
	}
	if err := json.Unmarshal(out.Canonical(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, n := range doc.BGP.Instance[0].Neighbor {
		if stays := n.Address == "192.0.2.3" || n.Address == "192.0.2.4"; stays != (n.Password != nil) {
			t.Errorf("neighbor %s has the password %+v", n.Address, n.Password)
		}
	}
	if len(losses) != 2 {
		t.Errorf("losses %+v, want one per secret", losses)
	}
	for kind, own := range map[string]bool{"md5 7": true, "md5": false, "sha512-crypt": false, "obscured": true, "other": true, "": false, "9": true} {
		if ownEncoding(kind) != own {
			t.Errorf("type %q: own encoding is %v", kind, !own)
		}
	}
}

// A driver that drops something without a word is found out; what it keeps in
// another place, and what it has named, is not held against it.
func TestUnaccounted(t *testing.T) {
	address := `"ipv4": {"address": [{"ip": "192.0.2.1", "prefix-length": 24}]}`
	_, want := commonTree(t, `{"cfgvault-system:system": {"hostname": "a"}, "cfgvault-interfaces:interfaces": {"interface": [
		{"name": "ge-0/0/0", "description": "x", "mtu": 9000, `+address+`}]}}`)
	_, got := commonTree(t, `{"cfgvault-interfaces:interfaces": {"interface": [
		{"name": "ge-0/0/0", "mtu": 9000}, {"name": "ge-0/0/0.0", `+address+`}]}}`)
	out := unaccounted(want, got, []plugins.Loss{{Path: "/cfgvault-interfaces:interfaces/interface[name='ge-0/0/0']/description"}})
	if len(out) != 1 || out[0].Path != "/cfgvault-system:system" {
		t.Errorf("got %+v, want the system, which is gone", out)
	}
	for _, c := range []struct {
		loss, node string
		want       bool
	}{
		{"/a/b[1]", "/a/b[name='x']/c", true}, {"/a/b", "/a/b/c", true}, {"/a/b/c", "/a/b", true},
		{"/a/b[name='x']", "/a/b[name='y']", false}, {"", "/a", false},
	} {
		if covers(c.loss, c.node) != c.want {
			t.Errorf("%s covers %s: want %v", c.loss, c.node, c.want)
		}
	}
}

// What the unit is reached by survives a foreign configuration.
func TestReachIsKept(t *testing.T) {
	set, unit := commonTree(t, `{"cfgvault-system:system": {"users": {"user": [{"name": "admin", "privilege": 15}, {"name": "other"}]}},
		"cfgvault-vrfs:vrfs": {"vrf": [{"name": "MGMT"}]},
		"cfgvault-interfaces:interfaces": {"interface": [{"name": "Management1", "vrf": "MGMT", "ipv4": {"address": [{"ip": "192.0.2.10", "prefix-length": 24}]}}]}}`)
	_, tree := commonTree(t, `{"cfgvault-system:system": {"hostname": "r1"}}`)
	way := reach{user: "admin", address: "192.0.2.10"}
	out, kept, err := way.keep(set, tree, unit)
	if err != nil || len(kept) != 3 {
		t.Fatalf("kept %q, %v; want user, interface and VRF", kept, err)
	}
	again, kept, err := way.keep(set, out, unit)
	if err != nil || len(kept) != 0 || string(again.Canonical()) != string(out.Canonical()) {
		t.Errorf("a second time it kept %q, %v", kept, err)
	}
	// An interface of the snapshot that has the address takes its place.
	_, own := commonTree(t, `{"cfgvault-interfaces:interfaces": {"interface": [{"name": "Ethernet9", "ipv4": {"address": [{"ip": "192.0.2.10", "prefix-length": 24}]}}]}}`)
	if _, kept, err = way.keep(set, own, unit); err != nil || len(kept) != 1 {
		t.Errorf("kept %q, %v; want the user alone", kept, err)
	}
}
