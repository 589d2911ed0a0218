package junos

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
)

// interfaceName is media-fpc/pic/port, with a channel or not, or one of the
// interfaces without a place (CLI reference, Interface Naming Overview).
var interfaceName = regexp.MustCompile(`^(?:[a-z][a-z0-9]{1,3}-\d+(?:/\d+){1,2}(?::\d+)?|[a-z][a-z0-9-]{0,15}\d*|re\d+:mgmt-\d+)$`)

func physical(s string) bool {
	return len(s) > 1 && len(s) < 40 && interfaceName.MatchString(s) && s != "interface-range" && s != "traceoptions" && s != "interface-set"
}

// logical is an interface with its unit, "ge-0/0/0.0".
func logical(s string) bool {
	base, unit, ok := strings.Cut(s, ".")
	n, err := strconv.ParseUint(unit, 10, 31)
	return ok && err == nil && strconv.FormatUint(n, 10) == unit && physical(base)
}

func codecs(n *names) map[string]lens.Codec {
	b := lens.Builtin()
	host := lens.Word(func(s string) bool { _, ok := b["domain"].Read(s); return ok || strings.Contains(s, ":") })
	host = lens.Or(b["ip"], host)
	all := map[string]lens.Codec{
		"port":        portOf(),
		"bridge":      bridgePriority(),
		"vlan-text":   vlanText(n),
		"reth":        lens.Word(func(s string) bool { return strings.HasPrefix(s, "reth") && physical(s) }),
		"zone":        lens.Word(func(s string) bool { return !strings.Contains(s, ".") }).Max(63),
		"member":      lens.Word(memberLine.MatchString),
		"physical":    lens.Word(physical),
		"logical":     lens.Word(logical),
		"if":          lens.Word(func(s string) bool { return logical(s) || physical(s) && s != "all" }),
		"unit":        lens.Int(0, 1<<31-1),
		"host":        host,
		"vlan":        vlanMember(n),
		"group":       lens.OneOf("global", "${node}", "junos-defaults"),
		"hash":        hash(),
		"speed":       speed(),
		"rib6":        suffixed(".inet6.0"),
		"rib4":        suffixed(".inet.0"),
		"upto":        upto(),
		"one-vlan":    oneVLAN(n),
		"host4":       b["ip4"],
		"host6":       b["ip6"],
		"lengths":     lengths(),
		"bandwidth":   bandwidth(),
		"link-local6": linkLocal(),
		"discard":     lens.OneOf("discard>blackhole", "reject>reject"),
		"hop":         lens.Or(b["ip"], lens.Word(logical)),
		"severity":    lens.OneOf("emergency", "alert", "critical", "error", "warning", "notice", "info>informational", "any>debug"),
		"facility":    lens.OneOf("authorization", "daemon", "kernel", "user", "ftp", "ntp", "security", "firewall", "conflict-log", "change-log", "interactive-commands", "pfe", "dfc", "external"),
		"policy":      lens.Word(nil).Max(255),
		"range":       lens.OneOf("exact", "longer", "orlonger"),
		"vrf":         lens.Word(func(s string) bool { return s != "default" }).Max(255),
		"rd":          lens.Word(target.MatchString).Max(31),
		"target":      routeTarget(),
		"user":        lens.Word(func(s string) bool { return s != "root" }).Max(64),
		"rsa":         publicKey("ssh-rsa "),
		"ed25519":     publicKey("ssh-ed25519 "),
		"ecdsa":       publicKey("ecdsa-"),
		"dsa":         publicKey("ssh-dss "),
	}
	for _, label := range []string{"exact", "longer", "orlonger", "local-preference-add", "local-preference-subtract", "metric-add", "metric-subtract", "preference-add", "preference-subtract"} {
		all["="+label] = lens.Labelled(label)
	}
	for _, label := range labels() {
		all["="+label] = lens.Labelled(label)
		all["=not-"+label] = lens.Labelled("not-" + label)
	}
	return all
}

// vlanText reads a VLAN by number or name as the text of its number.
func vlanText(n *names) lens.Codec {
	one := oneVLAN(n)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			v, ok := one.Read(s)
			if !ok {
				return nil, false
			}
			return lens.One(strconv.FormatInt(v[0].(int64), 10))
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			_, ok := one.Read(s)
			return s, ok
		},
	}
}

var target = regexp.MustCompile(`^[0-9.]+:[0-9]+$`)

func routeTarget() lens.Codec {
	c := lens.Word(target.MatchString)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			rest, ok := strings.CutPrefix(s, "target:")
			v, good := c.Read(rest)
			return v, ok && good && len(rest) <= 31
		},
		Write: func(v []any) (string, bool) {
			s, ok := c.Write(v)
			return "target:" + s, ok && len(s) <= 31
		},
	}
}

// vlanMember reads a VLAN by number, by range or by the name that the
// configuration gives it; it is written by number.
func vlanMember(n *names) lens.Codec {
	list := lens.Builtin()["vlans"]
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if id, ok := n.vlans[s]; ok {
				return lens.One(id)
			}
			v, ok := list.Read(s)
			if !ok || strings.Contains(s, ",") {
				return nil, false
			}
			return lens.One(v[0].([]any)[0])
		},
		Write: func(v []any) (string, bool) { return list.Write([]any{v}) },
	}
}

// hash reads a password as its kind and its text. A reversible "$9$" or "$8$"
// is obscured; everything else is a hash of crypt(3) by its first characters.
func hash() lens.Codec {
	kinds := []struct{ prefix, kind string }{
		{"$1$", "md5-crypt"}, {"$5$", "sha256-crypt"}, {"$6$", "sha512-crypt"}, {"$9$", "obscured"}, {"$8$", "obscured"}, {"$2", "bcrypt"}, {"*", "locked"},
	}
	text := lens.Builtin()["secret-text"]
	kindOf := func(s string) string {
		for _, k := range kinds {
			if strings.HasPrefix(s, k.prefix) {
				return k.kind
			}
		}
		return "other"
	}
	return lens.Codec{
		Parts: []string{"type", "value"}, Secret: true,
		Read: func(s string) ([]any, bool) {
			_, ok := text.Read(s)
			return []any{kindOf(s), s}, ok
		},
		Write: func(v []any) (string, bool) {
			s, ok := text.Write(v[1:])
			return s, ok && v[0] == kindOf(s)
		},
	}
}

// speed is in Mbit/s in the tree.
func speed() lens.Codec {
	units := map[string]int64{"10m": 10, "100m": 100, "1g": 1000, "10g": 10000, "25g": 25000, "40g": 40000, "50g": 50000, "100g": 100000, "200g": 200000, "400g": 400000}
	return lens.Codec{
		Read: func(s string) ([]any, bool) { n, ok := units[strings.ToLower(s)]; return []any{n}, ok },
		Write: func(v []any) (string, bool) {
			for text, n := range units {
				if n == v[0] {
					return text, true
				}
			}
			return "", false
		},
	}
}

// lengths reads "/24-/28", how long the prefixes of a route filter may be.
func lengths() lens.Codec {
	native, kept := regexp.MustCompile(`^/(\d{1,3})-/(\d{1,3})$`), regexp.MustCompile(`^(\d{1,3})\.\.(\d{1,3})$`)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			m := native.FindStringSubmatch(s)
			if m == nil {
				return nil, false
			}
			return lens.One(m[1] + ".." + m[2])
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			m := kept.FindStringSubmatch(s)
			if m == nil {
				return "", false
			}
			return "/" + m[1] + "-/" + m[2], true
		},
	}
}

// upto reads "/24": prefixes as long as that or shorter.
func upto() lens.Codec {
	n := lens.Int(0, 128)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			rest, ok := strings.CutPrefix(s, "/")
			if _, good := n.Read(rest); !ok || !good {
				return nil, false
			}
			return lens.One("upto " + rest)
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			rest, ok := strings.CutPrefix(s, "upto ")
			_, good := n.Read(rest)
			return "/" + rest, ok && good
		},
	}
}

// suffixed is a word without a suffix that the text has.
func suffixed(suffix string) lens.Codec {
	word := lens.Builtin()["word"]
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			rest, ok := strings.CutSuffix(s, suffix)
			v, good := word.Read(rest)
			return v, ok && good
		},
		Write: func(v []any) (string, bool) { s, ok := word.Write(v); return s + suffix, ok },
	}
}

// bandwidth is in Mbit/s in the tree; Junos counts bits, or in k, m and g.
func bandwidth() lens.Codec {
	number := lens.Int(1, 4294967)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			n, err := strconv.ParseInt(strings.TrimRight(s, "kmg"), 10, 64)
			if err != nil || n < 1 || n > 1<<50 || len(strings.TrimRight(s, "kmg")) < len(s)-1 {
				return nil, false
			}
			scale := map[byte]int64{'k': 1e3, 'm': 1e6, 'g': 1e9}[s[len(s)-1]]
			if n *= max(scale, 1); n < 0 || n%1e6 != 0 {
				return nil, false
			}
			return number.Read(strconv.FormatInt(n/1e6, 10))
		},
		Write: func(v []any) (string, bool) { s, ok := number.Write(v); return s + "m", ok },
	}
}

// linkLocal is an address within fe80::/10 with the length 64, which is not
// kept.
func linkLocal() lens.Codec {
	ip := lens.Builtin()["ip6"]
	local := func(v []any, ok bool) ([]any, bool) {
		if !ok {
			return nil, false
		}
		a, err := netip.ParseAddr(v[0].(string))
		return v, err == nil && a.IsLinkLocalUnicast()
	}
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			rest, ok := strings.CutSuffix(s, "/64")
			if !ok {
				return nil, false
			}
			return local(ip.Read(rest))
		},
		Write: func(v []any) (string, bool) {
			s, ok := ip.Write(v)
			if _, good := local(v, ok); !good {
				return "", false
			}
			return s + "/64", true
		},
	}
}

// oneVLAN reads a VLAN by number or name; it is written by number.
func oneVLAN(n *names) lens.Codec {
	number := lens.Int(1, 4094)
	return lens.Codec{
		Read: func(s string) ([]any, bool) {
			if id, ok := n.vlans[s]; ok {
				return lens.One(id)
			}
			return number.Read(s)
		},
		Write: number.Write,
	}
}

// publicKey is a key as authorized_keys has it.
func publicKey(prefix string) lens.Codec {
	text := lens.Text()
	return lens.Codec{
		Read: func(s string) ([]any, bool) { v, ok := text.Read(s); return v, ok && strings.HasPrefix(s, prefix) },
		Write: func(v []any) (string, bool) {
			s, ok := text.Write(v)
			return s, ok && strings.HasPrefix(s, prefix)
		},
	}
}

func typeOf(v any) (any, bool) {
	s, _ := v.(string)
	base, unit, isUnit := strings.Cut(s, ".")
	kind := ""
	switch family := strings.TrimRight(base, "0123456789"); {
	case base == "irb" || base == "vlan":
		if kind = "virtual"; isUnit {
			return "cfgvault-interfaces:routed-vlan", true
		}
	case family == "lo":
		return "cfgvault-interfaces:loopback", true
	case isUnit:
		return "cfgvault-interfaces:sub-interface", unit != ""
	case family == "fxp" || family == "em" || family == "me" || base == "vme" || strings.Contains(base, "mgmt"):
		kind = "management"
	case family == "ae" || family == "reth" || family == "fab":
		kind = "lag"
	case family == "st" || strings.HasPrefix(base, "gr-") || strings.HasPrefix(base, "ip-") || strings.HasPrefix(base, "lt-") || strings.HasPrefix(base, "mt-"):
		kind = "tunnel"
	case family == "vtep":
		kind = "vxlan"
	default:
		for _, p := range []string{"ge-", "xe-", "et-", "fe-", "mge-", "xle-", "fte-"} {
			if strings.HasPrefix(base, p) {
				kind = "ethernet"
			}
		}
	}
	return "cfgvault-interfaces:" + kind, kind != ""
}

// parentOf is the interface that carries a sub-interface.
func parentOf(v any) (any, bool) {
	s, _ := v.(string)
	base, _, ok := strings.Cut(s, ".")
	kind, _ := typeOf(v)
	return base, ok && kind == "cfgvault-interfaces:sub-interface"
}
