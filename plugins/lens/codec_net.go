package lens

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func isAddress(s string) bool {
	if s == "" || s[0] > 'f' || strings.IndexByte(s, '.') < 0 && strings.IndexByte(s, ':') < 0 {
		return false
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

func address(family int, zoned bool) Codec {
	read := func(s string) (any, bool) {
		if len(s) == 0 || s[0] > 'f' {
			return nil, false
		}
		a, err := netip.ParseAddr(s)
		ok := err == nil && fits(a, family) && (zoned || a.Zone() == "")
		if !ok {
			return nil, false
		}
		return addressText(s, a), true
	}
	return Codec{
		Read: func(s string) ([]any, bool) {
			v, ok := read(s)
			return []any{v}, ok
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			c, ok := read(s)
			return s, ok && c == s
		},
	}
}

// addressText is the canonical text of a: s itself where it is that.
func addressText(s string, a netip.Addr) string {
	var buf [64]byte
	return keep(s, a.AppendTo(buf[:0]))
}

func prefixText(s string, p netip.Prefix) string {
	var buf [64]byte
	return keep(s, p.AppendTo(buf[:0]))
}

func keep(s string, text []byte) string {
	if string(text) == s {
		return s
	}
	return string(text)
}

// fits refuses IPv4-mapped IPv6 addresses: Go and devices write them
// differently.
func fits(a netip.Addr, family int) bool {
	return !a.Is4In6() && (family == 0 || family == 4 && a.Is4() || family == 6 && a.Is6())
}

func prefix(family int) Codec {
	read := func(s string) (any, bool) {
		if len(s) == 0 || s[0] > 'f' {
			return nil, false
		}
		p, err := netip.ParsePrefix(s)
		if err != nil || !fits(p.Addr(), family) {
			return nil, false
		}
		return prefixText(s, p.Masked()), true
	}
	return Codec{
		Read: func(s string) ([]any, bool) {
			v, ok := read(s)
			return []any{v}, ok
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			c, ok := read(s)
			return s, ok && c == s
		},
	}
}

func interfaceAddress(family int) Codec {
	return Codec{
		Parts: []string{"ip", "length"},
		Read: func(s string) ([]any, bool) {
			p, err := netip.ParsePrefix(s)
			if err != nil || !fits(p.Addr(), family) {
				return nil, false
			}
			ip, _, _ := strings.Cut(s, "/")
			return []any{addressText(ip, p.Addr()), int64(p.Bits())}, true
		},
		Write: func(v []any) (string, bool) {
			p, ok := joined(v, family)
			return p.String(), ok
		},
	}
}

func joined(v []any, family int) (netip.Prefix, bool) {
	ip, _ := v[0].(string)
	n, is := v[1].(int64)
	a, err := netip.ParseAddr(ip)
	if err != nil || !is || !fits(a, family) || a.String() != ip || n < 0 || n > int64(a.BitLen()) {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, int(n)), true
}

// maskBits is the length of a contiguous mask.
func maskBits(s string, wildcard bool) (int, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return 0, false
	}
	b := a.As4()
	m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	if !wildcard {
		m = ^m
	}
	if m&(m+1) != 0 {
		return 0, false
	}
	n := 32
	for ; m != 0; m >>= 1 {
		n--
	}
	return n, true
}

func maskText(bits int, wildcard bool) string {
	m := ^uint32(0) << (32 - bits)
	if bits == 0 {
		m = 0
	}
	if wildcard {
		m = ^m
	}
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

func masked(wildcard bool) Codec {
	return Codec{
		Words: 2,
		Parts: []string{"ip", "length"},
		Read: func(s string) ([]any, bool) {
			ip, mask, _ := strings.Cut(s, " ")
			a, err := netip.ParseAddr(ip)
			n, ok := maskBits(mask, wildcard)
			if err != nil || !ok || !a.Is4() {
				return nil, false
			}
			return []any{addressText(ip, a), int64(n)}, true
		},
		Write: func(v []any) (string, bool) {
			p, ok := joined(v, 4)
			if !ok {
				return "", false
			}
			return p.Addr().String() + " " + maskText(p.Bits(), wildcard), true
		},
	}
}

func network(wildcard bool) Codec {
	return Codec{
		Words: 2,
		Read: func(s string) ([]any, bool) {
			ip, mask, _ := strings.Cut(s, " ")
			a, err := netip.ParseAddr(ip)
			n, ok := maskBits(mask, wildcard)
			if err != nil || !ok || !a.Is4() {
				return nil, false
			}
			return One(netip.PrefixFrom(a, n).Masked().String())
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			p, err := netip.ParsePrefix(s)
			if err != nil || !p.Addr().Is4() || p.Masked().String() != s {
				return "", false
			}
			return p.Addr().String() + " " + maskText(p.Bits(), wildcard), true
		},
	}
}

func area() Codec {
	quad := address(4, false)
	return Codec{
		Read: func(s string) ([]any, bool) {
			if isNumber(s) {
				n, err := strconv.ParseUint(s, 10, 32)
				if err != nil {
					return nil, false
				}
				return One(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String())
			}
			return quad.Read(s)
		},
		Write: quad.Write,
	}
}

func asn() Codec {
	return Codec{
		Read: func(s string) ([]any, bool) {
			hi, lo, dotted := strings.Cut(s, ".")
			if !dotted {
				hi, lo = "0", s
			}
			h, err1 := strconv.ParseUint(hi, 10, 16)
			bits := 32
			if dotted {
				bits = 16
			}
			l, err2 := strconv.ParseUint(lo, 10, bits)
			n := h<<16 + l
			return []any{int64(n)}, err1 == nil && err2 == nil && n > 0 && isNumber(hi) && isNumber(lo)
		},
		Write: func(v []any) (string, bool) {
			n, is := v[0].(int64)
			return strconv.FormatInt(n, 10), is && n > 0 && n < 1<<32
		},
	}
}

var hexOnly = regexp.MustCompile(`^[0-9a-f]{12}$`)

func mac() Codec {
	return Codec{
		Read: func(s string) ([]any, bool) {
			h := strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "").Replace(s))
			if !hexOnly.MatchString(h) || len(s) == 12 {
				return nil, false
			}
			return One(h[:2] + ":" + h[2:4] + ":" + h[4:6] + ":" + h[6:8] + ":" + h[8:10] + ":" + h[10:])
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			h := strings.ReplaceAll(s, ":", "")
			return s, len(s) == 17 && hexOnly.MatchString(h) && strings.Count(s, ":") == 5
		},
	}
}

// vlans reads "1-9,11" as a list: a number for one VLAN, "1-9" for a range.
// Neighbours are joined, so that "1,2,3" and "1-3" are equal.
func vlans() Codec {
	return Codec{
		Read: func(s string) ([]any, bool) {
			type span struct{ lo, hi int64 }
			var spans []span
			for part := range strings.SplitSeq(s, ",") {
				lo, hi, isRange := strings.Cut(part, "-")
				if !isRange {
					hi = lo
				}
				if !isNumber(lo) || !isNumber(hi) || len(lo) > 4 || len(hi) > 4 {
					return nil, false
				}
				l, _ := strconv.Atoi(lo)
				h, _ := strconv.Atoi(hi)
				if l < 1 || h > 4094 || l > h {
					return nil, false
				}
				spans = append(spans, span{int64(l), int64(h)})
			}
			slices.SortFunc(spans, func(a, b span) int { return int(a.lo - b.lo) })
			joined := spans[:1]
			for _, n := range spans[1:] {
				if last := &joined[len(joined)-1]; n.lo <= last.hi+1 {
					last.hi = max(last.hi, n.hi)
				} else {
					joined = append(joined, n)
				}
			}
			out := make([]any, len(joined))
			for i, n := range joined {
				if out[i] = n.lo; n.hi > n.lo {
					out[i] = strconv.FormatInt(n.lo, 10) + "-" + strconv.FormatInt(n.hi, 10)
				}
			}
			return []any{out}, true
		},
		Write: func(v []any) (string, bool) {
			list, ok := v[0].([]any)
			if !ok || len(list) == 0 {
				return "", false
			}
			var parts []string
			for _, e := range list {
				s := lexical(e)
				_, number := e.(int64)
				lo, hi, isRange := strings.Cut(s, "-")
				l, err1 := strconv.Atoi(lo)
				h, err2 := l, error(nil)
				if isRange {
					h, err2 = strconv.Atoi(hi)
				}
				if err1 != nil || err2 != nil || number == isRange || l < 1 || h > 4094 || isRange && l >= h {
					return "", false
				}
				parts = append(parts, s)
			}
			return strings.Join(parts, ","), true
		},
	}
}

// Expand lists the VLANs of a list of numbers and ranges.
func Expand(list []any) []any {
	var out []any
	for _, e := range list {
		lo, hi, isRange := strings.Cut(lexical(e), "-")
		if !isRange {
			hi = lo
		}
		l, err1 := strconv.ParseInt(lo, 10, 64)
		h, err2 := strconv.ParseInt(hi, 10, 64)
		for v := l; err1 == nil && err2 == nil && v <= min(h, 4094); v++ {
			out = append(out, v)
		}
	}
	return out
}
