package netdev

import "net/netip"

// Moved is where a device answers after a change of its configuration, "" if
// nothing says that it moves: have and want are the addresses that it is given
// now and then on the interfaces by which it is reached, as ADDRESS or
// ADDRESS/LENGTH, the likeliest first. One that stays keeps it where it is. What
// is no address (a name, "dhcp"), and addresses of one link, do not count.
func Moved(have, want []string) string {
	old, next := reachable(have), reachable(want)
	if len(old) == 0 || len(next) == 0 {
		return ""
	}
	for _, a := range next {
		for _, b := range old {
			if a == b {
				return ""
			}
		}
	}
	return next[0].String()
}

func reachable(list []string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		a, err := netip.ParseAddr(s)
		if p, prefixErr := netip.ParsePrefix(s); prefixErr == nil {
			a, err = p.Addr(), nil
		}
		if err == nil && a.IsValid() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() {
			out = append(out, a)
		}
	}
	return out
}
