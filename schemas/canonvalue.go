package schemas

import (
	"net/netip"
	"strconv"
	"strings"
)

// canonical returns the canonical form of a string whose typedef defines one
// (RFC 6991 and our own types with the same meaning). A value that its pattern
// accepts but that is no address stays as it is.
func (t *Type) canonical(s string) string {
	for _, d := range t.derived {
		module, name, _ := strings.Cut(d, ":")
		switch module {
		case "ietf-inet-types", "openconfig-inet-types", "cfgvault-types", "ietf-yang-types", "openconfig-yang-types":
		default:
			continue
		}
		switch name {
		case "ipv6-address", "ipv6-address-no-zone", "ipv6-address-zoned":
			addr, zone, zoned := strings.Cut(s, "%")
			a, err := netip.ParseAddr(addr)
			if err != nil || !a.Is6() {
				return s
			}
			if zoned {
				return a.String() + "%" + zone
			}
			return a.String()
		case "ipv4-prefix", "ipv6-prefix":
			p, err := netip.ParsePrefix(s)
			if err != nil {
				return s
			}
			return p.Masked().String()
		case "mac-address", "phys-address", "hex-string", "uuid":
			return strings.ToLower(s)
		case "area-id":
			n, err := strconv.ParseUint(s, 10, 32)
			if err != nil {
				return s
			}
			return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
		}
	}
	return s
}
