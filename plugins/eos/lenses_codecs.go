package eos

import (
	"maps"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/cisco"
	"github.com/cfgvault/cfgvault/plugins/lens"
)

func codecs() map[string]lens.Codec {
	b := lens.Builtin()
	ifname := lens.Codec{
		Read: func(s string) ([]any, bool) {
			c, ok := canonical(s)
			return []any{c}, ok
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			c, ok := canonical(s)
			return s, ok && c == s
		},
	}
	own := map[string]lens.Codec{
		"ifname":     ifname,
		"vrf":        lens.Word(func(s string) bool { return s != "default" }).Max(255),
		"zone":       b["line"].Max(64),
		"vlan-name":  b["line"].Max(128),
		"host":       lens.Or(b["ip"], lens.Word(hostName)),
		"source":     lens.Or(b["ip"], ifname),
		"rd":         lens.Word(routeDistinguisher),
		"two-words":  twoWords(),
		"hash":       lens.OneOf("sha512>sha512-crypt", "5>md5-crypt", "0>clear", "7>obscured", "8a>other"),
		"zoned-pair": zonedPair(),
		"link-local": linkLocal(b["if6"]),
		"drop":       lens.OneOf("Null0>blackhole"),
		"speed":      forcedSpeed(),
		"channel": lens.Codec{
			Read: func(s string) ([]any, bool) {
				n, err := strconv.Atoi(s)
				return []any{"Port-Channel" + s}, err == nil && n > 0 && strconv.Itoa(n) == s
			},
			Write: func(v []any) (string, bool) {
				s, _ := v[0].(string)
				digits, ok := strings.CutPrefix(s, "Port-Channel")
				n, err := strconv.Atoi(digits)
				return digits, ok && err == nil && n > 0 && strconv.Itoa(n) == digits
			},
		},
		"family":    lens.OneOf("ipv4>ipv4-unicast", "ipv6>ipv6-unicast", "evpn>l2vpn-evpn", "vpn-ipv4>vpnv4", "vpn-ipv6>vpnv6"),
		"remote-as": b["asn"],
		"from":      lens.OneOf("connected", "static", "rip", "ospf", "ospfv3>ospf3", "ospf3", "isis", "bgp", "attached-host", "dynamic"),
		"severity": lens.OneOf("emergencies>emergency", "alerts>alert", "critical", "errors>error", "warnings>warning",
			"notifications>notice", "informational", "debugging>debug"),
		"expression":        b["line"].Max(512),
		"acl-protocol":      cisco.Codecs(nil, "")["acl-protocol"],
		"acl-options":       cisco.Codecs(nil, "")["acl-options"],
		"endpoint":          cisco.PrefixEndpoint(4),
		"endpoint6":         cisco.PrefixEndpoint(6),
		"endpoint-standard": cisco.PrefixEndpoint(4),
		"ports":             cisco.Codecs(nil, "")["ports"],
		"icmp":              cisco.Icmp(),
		"vlan-text":         cisco.VLANText(),
		"purpose":           cisco.SystemCodecs()["purpose"],
		"l1-feature":        cisco.FeatureCodec("unsupported speed action ...", "unsupported error-correction action ..."),
		"feature":           cisco.FeatureCodec(features()...),
		"port-feature":      cisco.FeatureCodec(portFeatures()...),
	}
	maps.Copy(own, cisco.RoutingCodecs())
	own["ospf-types"] = cisco.OSPFTypes()
	own["isis-level"] = cisco.Single(lens.OneOf("level-1", "level-2", "level-1-2"))
	for name, c := range cisco.PolicyCodecs(nil) {
		if name != "ifnames" {
			own[name] = c
		}
	}
	own["ifnames"] = cisco.Many(ifname)
	return own
}

func hostName(s string) bool {
	if len(s) > 253 || strings.Trim(s, "0123456789") == "" {
		return false
	}
	return hostPattern.MatchString(s)
}

var (
	hostPattern = regexp.MustCompile(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?$`)
	rdPattern   = regexp.MustCompile(`^[0-9.]+:[0-9]+$`)
)

func routeDistinguisher(s string) bool { return len(s) <= 31 && rdPattern.MatchString(s) }

func twoWords() lens.Codec {
	return lens.Codec{
		Words: 2,
		Read:  func(s string) ([]any, bool) { return []any{s}, lens.Storable(s) },
		Write: func(v []any) (string, bool) {
			s, is := v[0].(string)
			return s, is && len(strings.Fields(s)) == 2 && strings.Join(strings.Fields(s), " ") == s && lens.Storable(s)
		},
	}
}

// forcedSpeed is "10000full", "25gfull": megabits, gigabits with a g.
func forcedSpeed() lens.Codec {
	pattern := regexp.MustCompile(`^(\d{1,6})(g?)(full|half)$`)
	return lens.Codec{
		Parts: []string{"speed", "duplex"},
		Read: func(s string) ([]any, bool) {
			m := pattern.FindStringSubmatch(s)
			if m == nil {
				return nil, false
			}
			n, err := strconv.ParseInt(m[1], 10, 64)
			if m[2] != "" {
				n *= 1000
			}
			return []any{n, m[3]}, err == nil && n > 0
		},
		Write: func(v []any) (string, bool) {
			n, is := v[0].(int64)
			duplex, _ := v[1].(string)
			if !is || n < 1 || n > 999999 || duplex != "full" && duplex != "half" {
				return "", false
			}
			// EOS knows 10, 100, 1000 and 10000 in megabits, what is faster
			// in gigabits.
			if n > 10000 && n%1000 == 0 {
				return strconv.FormatInt(n/1000, 10) + "g" + duplex, true
			}
			return strconv.FormatInt(n, 10) + duplex, true
		},
	}
}

var interfaceNames = regexp.MustCompile(`^(?i)(ethernet|et|port-channel|po|vlan|vl|loopback|lo|management|ma|tunnel|tu|vxlan|vx|recirc-channel)(\d+(?:/\d+){0,3})(\.\d+)?$`)

// canonical is the full name of an interface, "Ethernet1/1" for "et1/1".
func canonical(s string) (string, bool) {
	if len(s) < 3 || len(s) > 40 || !strings.Contains("eplmtvr", strings.ToLower(s[:1])) {
		return "", false
	}
	m := interfaceNames.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	var kind string
	switch strings.ToLower(m[1])[:2] {
	case "et":
		kind = "Ethernet"
	case "po":
		kind = "Port-Channel"
	case "vl":
		kind = "Vlan"
	case "lo":
		kind = "Loopback"
	case "ma":
		kind = "Management"
	case "tu":
		kind = "Tunnel"
	case "vx":
		kind = "Vxlan"
	case "re":
		kind = "Recirc-Channel"
	}
	if m[3] != "" && kind != "Ethernet" && kind != "Port-Channel" {
		return "", false
	}
	return kind + m[2] + m[3], true
}

func typeOf(v any) (any, bool) {
	s, _ := v.(string)
	if strings.Contains(s, ".") {
		return "cfgvault-interfaces:sub-interface", true
	}
	for _, k := range []struct{ prefix, kind string }{
		{"Ethernet", "ethernet"}, {"Port-Channel", "lag"}, {"Vlan", "routed-vlan"}, {"Loopback", "loopback"},
		{"Management", "management"}, {"Tunnel", "tunnel"}, {"Vxlan", "vxlan"},
	} {
		if strings.HasPrefix(s, k.prefix) {
			return "cfgvault-interfaces:" + k.kind, true
		}
	}
	return nil, false
}

func parentOf(v any) (any, bool) {
	s, _ := v.(string)
	parent, _, ok := strings.Cut(s, ".")
	return parent, ok
}

// zonedPair joins "Ethernet1 fe80::1" into one gateway with a zone.
func zonedPair() lens.Codec {
	return lens.Codec{
		Words: 2,
		Read: func(s string) ([]any, bool) {
			name, ip, _ := strings.Cut(s, " ")
			zone, ok := canonical(name)
			a, err := netip.ParseAddr(ip)
			if !ok || err != nil || !a.Is6() || !a.IsLinkLocalUnicast() || a.Zone() != "" {
				return nil, false
			}
			return lens.One(a.WithZone(zone).String())
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			a, err := netip.ParseAddr(s)
			if err != nil || !a.Is6() || !a.IsLinkLocalUnicast() || a.String() != s {
				return "", false
			}
			zone, ok := canonical(a.Zone())
			return zone + " " + a.WithZone("").String(), ok && zone == a.Zone()
		},
	}
}

// linkLocal is a link-local address with the only length it can have.
func linkLocal(if6 lens.Codec) lens.Codec {
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			v, ok := if6.Read(s)
			if !ok || v[1] != int64(64) {
				return nil, false
			}
			return v[:1], true
		},
		Write: func(v []any) (string, bool) { return if6.Write([]any{v[0], int64(64)}) },
	}
}
