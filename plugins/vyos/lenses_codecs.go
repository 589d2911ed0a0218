package vyos

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
)

// kinds are the interfaces of VyOS: the word of the command line, what their
// names look like, and their type in the tree.
func kinds() []struct{ word, name, kind string } {
	return []struct{ word, name, kind string }{
		{"bonding", `bond\d+`, "lag"}, {"bridge", `br\d+`, "bridge"}, {"dummy", `dum\d+`, "virtual"}, {"ethernet", `(?:eth|lan)\d+|e(?:n|th)[a-z0-9]+`, "ethernet"},
		{"geneve", `gnv\d+`, "tunnel"}, {"l2tpv3", `l2tpeth\d+`, "tunnel"}, {"loopback", `lo`, "loopback"}, {"macsec", `macsec\d+`, "virtual"},
		{"openvpn", `vtun\d+`, "tunnel"}, {"pppoe", `pppoe\d+`, "tunnel"}, {"pseudo-ethernet", `peth\d+`, "virtual"}, {"tunnel", `tun\d+`, "tunnel"},
		{"virtual-ethernet", `veth\d+`, "virtual"}, {"vti", `vti\d+`, "tunnel"}, {"vxlan", `vxlan\d+`, "vxlan"}, {"wireguard", `wg\d+`, "tunnel"},
		{"wireless", `wlan\d+`, "wireless"}, {"wwan", `wwan\d+`, "virtual"},
	}
}

func codecs() map[string]lens.Codec {
	b := lens.Builtin()
	host := lens.Or(b["ip"], b["domain"])
	out := map[string]lens.Codec{
		"host":      host,
		"if":        lens.Word(regexp.MustCompile(`^[a-z][a-z0-9]{1,13}(?:\.\d{1,4}){0,2}$`).MatchString),
		"policy":    lens.Word(nil).Max(255),
		"vrf":       lens.Word(func(s string) bool { return s != "default" }).Max(255),
		"hash":      hash(),
		"level":     lens.OneOf("emerg>emergency", "alert", "crit>critical", "err>error", "warning", "notice", "info>informational", "debug"),
		"facility":  lens.Word(func(s string) bool { return s != "all" }),
		"speed":     lens.Int(10, 400000),
		"user":      lens.Word(nil).Max(64),
		"remote-as": remoteAS(),
		"source":    source(),
	}
	for name, c := range map[string]lens.Codec{"action": lens.OneOf("permit", "deny"), "prefix4": b["prefix4"], "prefix6": b["prefix6"]} {
		out["good-"+name] = lens.Codec{Read: c.Read, Write: func(v []any) (string, bool) { _, ok := c.Write(v); return "", ok }}
	}
	for _, path := range append(conditions(), "address", "network", "port", "mac-address", "interface", "include", "target", "state") {
		out["="+path] = lens.Labelled(path)
	}
	out["rule"] = lens.Word(regexp.MustCompile(`^[1-9]\d{0,5}$`).MatchString)
	out["metric-type"] = lens.OneOf("type-1", "type-2")
	for _, k := range kinds() {
		out[k.word] = lens.Word(regexp.MustCompile(`^(?:` + k.name + `)$`).MatchString)
	}
	return out
}

// hash reads an encrypted password as its kind and its text.
func hash() lens.Codec {
	text := lens.Builtin()["secret-text"]
	kind := func(s string) string {
		for _, k := range [][2]string{{"$1$", "md5-crypt"}, {"$5$", "sha256-crypt"}, {"$6$", "sha512-crypt"}, {"$y$", "yescrypt"}, {"$2", "bcrypt"}} {
			if strings.HasPrefix(s, k[0]) {
				return k[1]
			}
		}
		if s == "!" || s == "*" {
			return "locked"
		}
		return "other"
	}
	return lens.Codec{
		Parts: []string{"type", "value"}, Secret: true,
		Read: func(s string) ([]any, bool) {
			_, ok := text.Read(s)
			return []any{kind(s), s}, ok
		},
		Write: func(v []any) (string, bool) {
			s, ok := text.Write(v[1:])
			return s, ok && v[0] == kind(s)
		},
	}
}

// treeAS is the AS number of the default instance of BGP.
func treeAS(tree []byte) (int64, error) {
	var t struct {
		BGP struct {
			Instance []struct {
				VRF string `json:"vrf"`
				AS  int64  `json:"as"`
			} `json:"instance"`
		} `json:"cfgvault-bgp:bgp"`
	}
	if !json.Valid(tree) {
		return 0, fmt.Errorf("read tree: not JSON")
	}
	if json.Unmarshal(tree, &t) == nil {
		for _, i := range t.BGP.Instance {
			if i.VRF == "default" {
				return i.AS, nil
			}
		}
	}
	return 0, nil
}
