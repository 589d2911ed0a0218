package lens

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Codec turns words of a statement into canonical values and back. Values are
// string, int64 and bool, and []any of these for the entries of a leaf-list.
// Read answers false for text that is not of its kind; Write for a value that
// the statement cannot express. Read(Write(v)) = v.
type Codec struct {
	Words  int      // how many words it takes: 0 means 1, Rest the rest of the line
	Parts  []string // names of the values, if there is more than one
	Secret bool     // the text is hidden in headings, the value in losses
	Domain []any    // every value there is, where these are few
	Read   func(text string) ([]any, bool)
	Write  func(values []any) (string, bool)
}

// Rest as Codec.Words takes the rest of the line, blanks inside included.
const Rest = -1

// Builtin returns the codecs that every table has, by name:
//
//	word                one word
//	name                one word that is no number and no address
//	line                the rest of the line
//	ip ip4 ip6          an address in its canonical form (RFC 5952)
//	zoned               an address that may have a zone, "fe80::1%eth0"
//	prefix prefix4 prefix6   a prefix, host bits cleared
//	if4 if6             "address/length" with host bits; parts ip, length
//	mask4               "address mask" (two words); parts ip, length
//	net-mask4           "network mask" as a prefix
//	wild4               "network wildcard" as a prefix
//	quad                a dotted quad
//	area                an OSPF area, number or dotted quad, as dotted quad
//	asn                 an AS number, plain or dotted (RFC 5396), as plain
//	mac                 a hardware address in any vendor's form, as aa:bb:…
//	vlans               "1-9,11" as a list of numbers and ranges
//	family-prefix       a prefix; parts family ("ipv4", "ipv6") and prefix
//	secret              one word that is a secret
//	secret-line         the rest of the line, a secret
//	none                no word at all: never matches
//	1..4094             a whole number between these
//	one-of=a|b>c        one of these words; "b>c" is b in the text and c in the tree
func Builtin() map[string]Codec {
	return map[string]Codec{
		"word":        Word(nil),
		"name":        Word(func(s string) bool { return !isNumber(s) && !isAddress(s) }),
		"line":        Line(),
		"ip":          address(0, false),
		"ip4":         address(4, false),
		"ip6":         address(6, false),
		"zoned":       address(0, true),
		"prefix":      prefix(0),
		"prefix4":     prefix(4),
		"prefix6":     prefix(6),
		"if4":         interfaceAddress(4),
		"if6":         interfaceAddress(6),
		"mask4":       masked(false),
		"net-mask4":   network(false),
		"wild4":       network(true),
		"quad":        address(4, false),
		"area":        area(),
		"asn":         asn(),
		"mac":         mac(),
		"vlans":       vlans(),
		"secret":      secret(Word(nil)),
		"secret-line": secret(Line()),
	}
}

func secret(c Codec) Codec {
	c.Secret = true
	return c
}

// One is the Read result of a single value.
func One(v any) ([]any, bool) { return []any{v}, true }

// Word makes a codec of one word that passes ok.
func Word(ok func(string) bool) Codec {
	good := func(s string) bool { return s != "" && Storable(s) && (ok == nil || ok(s)) }
	return Codec{
		Read: func(s string) ([]any, bool) { return []any{s}, good(s) },
		Write: func(v []any) (string, bool) {
			s, is := v[0].(string)
			return s, is && good(s) && !strings.ContainsAny(s, " \t\r\n")
		},
	}
}

// Line makes a codec of the rest of the line. Blanks at either end are not
// part of the value.
func Line() Codec {
	return Codec{
		Words: Rest,
		Read: func(s string) ([]any, bool) {
			return []any{s}, s != "" && !strings.ContainsAny(s, "\n\r") && Storable(s)
		},
		Write: func(v []any) (string, bool) {
			s, is := v[0].(string)
			return s, is && s != "" && s == strings.Trim(s, " \t\r") && !strings.ContainsAny(s, "\n\r") && Storable(s)
		},
	}
}

// Storable reports whether a YANG string can hold s (RFC 7950 §9.4).
func Storable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}

// Int makes a codec of whole numbers from lo to hi, without sign or leading
// zeros when written.
func Int(lo, hi int64) Codec {
	return Codec{
		Read: func(s string) ([]any, bool) {
			if !isNumber(s) {
				return nil, false
			}
			n, err := strconv.ParseInt(s, 10, 64)
			return []any{n}, err == nil && lo <= n && n <= hi
		},
		Write: func(v []any) (string, bool) {
			n, is := v[0].(int64)
			return strconv.FormatInt(n, 10), is && lo <= n && n <= hi
		},
	}
}

// OneOf makes a codec of fixed words; "text>tree" is written as text and kept
// in the tree as tree, a string. Of several texts for one value the first is written.
// Texts may be of two words if all of them are.
func OneOf(words ...string) Codec {
	read, write := map[string]any{}, map[any]string{}
	count := 0
	var domain []any
	for _, w := range words {
		text, value, ok := strings.Cut(w, ">")
		if !ok {
			value = text
		}
		v := any(value)
		read[text] = v
		if _, ok := write[v]; !ok {
			write[v] = text
			domain = append(domain, v)
		}
		count = strings.Count(text, " ") + 1
	}
	return Codec{
		Words: count, Domain: domain,
		Read: func(s string) ([]any, bool) {
			v, ok := read[s]
			return []any{v}, ok
		},
		Write: func(v []any) (string, bool) {
			s, ok := write[v[0]]
			return s, ok
		},
	}
}

// Or makes a codec that reads as the first of several that can, and writes as
// the first that can. All have the same number of words and parts.
func Or(codecs ...Codec) Codec {
	out := codecs[0]
	out.Read = func(s string) ([]any, bool) {
		for _, c := range codecs {
			if v, ok := c.Read(s); ok {
				return v, true
			}
		}
		return nil, false
	}
	out.Write = func(v []any) (string, bool) {
		for _, c := range codecs {
			if s, ok := c.Write(v); ok {
				return s, true
			}
		}
		return "", false
	}
	return out
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

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
		return a.String(), true
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
		return p.Masked().String(), true
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
			return []any{p.Addr().String(), int64(p.Bits())}, true
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
			return []any{a.String(), int64(n)}, true
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

// Assignments splits "key = value" into the words key, "=" and those of the
// value, whether or not blanks stand around the equals sign. A statement
// without one is split at blanks.
func Assignments(buf []syntax.Word, statement string) []syntax.Word {
	key, value, ok := syntax.KeyValue(statement)
	if !ok || strings.HasPrefix(key.Text, "[") {
		return syntax.Words(buf, statement)
	}
	if key.Text != "" {
		buf = append(buf, key)
	}
	buf = append(buf, syntax.Word{Text: "=", At: value.At})
	from := len(buf)
	buf = syntax.Words(buf, statement[value.At:])
	for i := from; i < len(buf); i++ {
		buf[i].At += value.At
	}
	return buf
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

// With makes a codec of one word that is brought into a canonical form first.
func (c Codec) With(canonical func(string) (string, bool)) Codec {
	read, write := c.Read, c.Write
	c.Read = func(s string) ([]any, bool) {
		s, ok := canonical(s)
		if !ok {
			return nil, false
		}
		return read(s)
	}
	c.Write = func(v []any) (string, bool) {
		s, _ := v[0].(string)
		if same, ok := canonical(s); !ok || same != s {
			return "", false
		}
		return write(v)
	}
	return c
}
