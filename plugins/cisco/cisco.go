// Package cisco holds what the command lines of IOS, NX-OS and IOS-XR have in
// common and no other platform has: names of interfaces, the words of access
// lists and route maps, how secrets are marked, and copying a file over an
// exec channel. A platform's package says which of it applies, and where its
// releases differ.
//
// It is no driver and speaks to no device by itself.
package cisco

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Codecs are those that all three tables use, made for the interfaces of one
// platform. Beside lens.Builtin:
//
//	ifname              a full interface name
//	vrf                 a VRF that is not the default one
//	source              an address or an interface
//	host                an address or a domain name
//	rd                  a route distinguisher
//	severity            a level of syslog, by name
//	two-words           two words as one value
//	no-digits           one word that is no number
//	drop                Null0
//	zoned-pair          "INTERFACE fe80::1" as one gateway
//	link-local          a link-local address without its length
//	source-protocol     where redistributed routes come from
//	acl-name            the name or number of an access list
//	acl-protocol        a protocol, by IANA keyword or number
//	endpoint, endpoint6 an end of an access list entry
//	ports               ports of an access list entry
//	endpoint-standard   the source of a standard access list
//	portchannel         the number of a port channel as its interface
func Codecs(k Kinds, portChannel string) map[string]lens.Codec {
	b := lens.Builtin()
	ifname := lens.Codec{
		Read: func(s string) ([]any, bool) {
			c, ok := k.Canonical(s)
			return []any{c}, ok
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			c, ok := k.Canonical(s)
			return s, ok && c == s
		},
	}
	return map[string]lens.Codec{
		"ifname":     ifname,
		"vrf":        lens.Word(func(s string) bool { return s != "default" }).Max(255),
		"source":     lens.Or(b["ip"], ifname),
		"host":       lens.Or(b["ip"], lens.Word(HostName)),
		"rd":         lens.Word(func(s string) bool { return len(s) <= 31 && rdPattern.MatchString(s) }),
		"two-words":  twoWords(),
		"no-digits":  lens.Word(func(s string) bool { return strings.Trim(s, "0123456789") != "" }).Max(255),
		"drop":       lens.OneOf("Null0>blackhole"),
		"zoned-pair": zonedPair(k),
		"link-local": linkLocal(),
		"severity": lens.OneOf("emergencies>emergency", "alerts>alert", "critical", "errors>error", "warnings>warning",
			"notifications>notice", "informational", "debugging>debug"),
		"source-protocol":   lens.OneOf("connected", "static", "rip", "isis", "direct>connected", "local>other"),
		"acl-name":          b["word"],
		"acl-protocol":      lens.Word(protocol),
		"acl-options":       aclOptions(),
		"endpoint":          endpoint(4),
		"endpoint6":         endpoint(6),
		"endpoint-standard": standardEndpoint(),
		"ports":             ports(),
		"expression":        b["line"].Max(512),
		"portchannel": lens.Codec{
			Read: func(s string) ([]any, bool) {
				n, err := strconv.Atoi(s)
				return []any{portChannel + s}, err == nil && n > 0 && strconv.Itoa(n) == s
			},
			Write: func(v []any) (string, bool) {
				s, _ := v[0].(string)
				digits, ok := strings.CutPrefix(s, portChannel)
				n, err := strconv.Atoi(digits)
				return digits, ok && err == nil && n > 0 && strconv.Itoa(n) == digits
			},
		},
	}
}

var (
	hostPattern = regexp.MustCompile(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?$`)
	rdPattern   = regexp.MustCompile(`^[0-9.]+:[0-9]+$`)
)

// HostName accepts a domain name that is no number.
func HostName(s string) bool {
	return len(s) <= 253 && strings.Trim(s, "0123456789") != "" && hostPattern.MatchString(s)
}

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

// zonedPair joins "GigabitEthernet1 fe80::1" into one gateway with a zone.
func zonedPair(k Kinds) lens.Codec {
	return lens.Codec{
		Words: 2,
		Read: func(s string) ([]any, bool) {
			name, ip, _ := strings.Cut(s, " ")
			zone, ok := k.Canonical(name)
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
			zone, ok := k.Canonical(a.Zone())
			return zone + " " + a.WithZone("").String(), ok && zone == a.Zone()
		},
	}
}

func linkLocal() lens.Codec {
	return lens.Builtin()["ip6"].With(func(s string) (string, bool) {
		a, err := netip.ParseAddr(s)
		return s, err == nil && a.IsLinkLocalUnicast()
	})
}

// protocol accepts what may stand for a protocol of IP.
func protocol(s string) bool {
	switch s {
	case "ahp", "eigrp", "esp", "gre", "icmp", "icmp6", "icmpv6", "igmp", "igrp", "ip", "ipinip", "ipv4", "ipv6", "nos", "ospf", "pcp", "pim", "rsvp", "sctp", "tcp", "udp", "vrrp", "ah":
		return true
	}
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n <= 255 && strconv.Itoa(n) == s
}

// endpoint is "any", "host A", "A WILDCARD", "P/LENGTH" or "object-group G";
// in the tree "any", a prefix, "address wildcard" or "group G".
func endpoint(family int) lens.Codec {
	bits := 32
	if family == 6 {
		bits = 128
	}
	ours := func(a netip.Addr) bool { return a.Is4() == (family == 4) && a.Zone() == "" }
	return lens.Codec{
		Words: lens.Some,
		Take: func(words []syntax.Word) int {
			switch w := words[0].Text; {
			case w == "any" || w == "any4" || w == "any6" || strings.Contains(w, "/"):
				return 1
			case w == "host" || w == "object-group" || w == "addrgroup" || family == 4 && isAddress(w):
				return 2
			}
			return 0
		},
		Read: func(s string) ([]any, bool) {
			first, second, two := strings.Cut(s, " ")
			switch {
			case !two && !strings.Contains(s, "/"):
				return []any{"any"}, s == "any"
			case !two:
				p, err := netip.ParsePrefix(s)
				if err != nil || !ours(p.Addr()) {
					return nil, false
				}
				if p.Bits() == 0 {
					return []any{"any"}, true
				}
				return []any{p.Masked().String()}, true
			case first == "object-group" || first == "addrgroup":
				return []any{"group " + second}, lens.Storable(second)
			case first == "host":
				a, err := netip.ParseAddr(second)
				return []any{netip.PrefixFrom(a, bits).String()}, err == nil && ours(a)
			}
			return wildcard(first, second)
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			if s == "any" {
				return s, true
			}
			if g, ok := strings.CutPrefix(s, "group "); ok {
				return "object-group " + g, g != "" && lens.Storable(g) && !strings.ContainsAny(g, " \t\r\n")
			}
			if p, err := netip.ParsePrefix(s); err == nil {
				if !ours(p.Addr()) || p.Bits() == 0 || p.Masked().String() != s {
					return "", false
				}
				switch {
				case p.Bits() == bits:
					return "host " + p.Addr().String(), true
				case family == 6:
					return s, true
				}
				return p.Addr().String() + " " + wildcardOf(p.Bits()), true
			}
			first, second, _ := strings.Cut(s, " ")
			if back, ok := wildcard(first, second); family != 4 || !ok || back[0] != s {
				return "", false
			}
			return s, true
		},
	}
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func wildcardOf(bits int) string {
	n := ^uint32(0) >> bits
	if bits == 32 {
		n = 0
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

// wildcard is "A W" as a prefix where it is one.
func wildcard(address, wild string) ([]any, bool) {
	a, err1 := netip.ParseAddr(address)
	w, err2 := netip.ParseAddr(wild)
	if err1 != nil || err2 != nil || !a.Is4() || !w.Is4() {
		return nil, false
	}
	b := w.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	if n&(n+1) != 0 { // not all ones at the end
		return []any{a.String() + " " + w.String()}, true
	}
	bits := 32
	for ; n != 0; n >>= 1 {
		bits--
	}
	if bits == 0 {
		return []any{"any"}, true
	}
	return []any{netip.PrefixFrom(a, bits).Masked().String()}, true
}

// Group is an end of an access list entry where the platform calls a group of
// addresses by another word than "object-group".
func Group(c lens.Codec, word string) lens.Codec {
	const ours = "object-group "
	read, write, take := c.Read, c.Write, c.Take
	c.Take = func(words []syntax.Word) int {
		if words[0].Text == word {
			return 2
		}
		return take(words)
	}
	c.Read = func(s string) ([]any, bool) {
		if name, ok := strings.CutPrefix(s, word+" "); ok {
			s = ours + name
		}
		return read(s)
	}
	c.Write = func(v []any) (string, bool) {
		s, ok := write(v)
		if name, is := strings.CutPrefix(s, ours); is {
			s = word + " " + name
		}
		return s, ok
	}
	return c
}

// standardEndpoint is the source of a standard list, where an address without
// "host" is one.
func standardEndpoint() lens.Codec {
	e := endpoint(4)
	read, take := e.Read, e.Take
	e.Take = func(words []syntax.Word) int {
		if isAddress(words[0].Text) && (len(words) == 1 || !isAddress(words[1].Text)) {
			return 1
		}
		return take(words)
	}
	e.Read = func(s string) ([]any, bool) {
		if isAddress(s) {
			s = "host " + s
		}
		return read(s)
	}
	return e
}

// PrefixEndpoint is an end of an entry where the platform prints prefixes; an
// address alone is read as itself.
func PrefixEndpoint(family int) lens.Codec {
	e := endpoint(family)
	read, write, take := e.Read, e.Write, e.Take
	e.Take = func(words []syntax.Word) int {
		if isAddress(words[0].Text) && (len(words) == 1 || !isAddress(words[1].Text)) {
			return 1
		}
		return take(words)
	}
	e.Read = func(s string) ([]any, bool) {
		if isAddress(s) {
			s = "host " + s
		}
		return read(s)
	}
	e.Write = func(v []any) (string, bool) {
		text, ok := write(v)
		if s, _ := v[0].(string); ok && strings.Contains(s, "/") && !strings.HasPrefix(text, "host ") && !strings.HasPrefix(s, "group ") {
			return s, true
		}
		return text, ok
	}
	return e
}
