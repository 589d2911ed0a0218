package schemas

import (
	"net/netip"
	"strings"
)

// isURI reports whether s is a URI (RFC 3986 §3): a scheme, and then no character
// that has to be written in another way.
func isURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || !letter(scheme[0]) {
		return false
	}
	for i := 1; i < len(scheme); i++ {
		if c := scheme[i]; !letter(c) && !digit(c) && !strings.ContainsRune("+-.", rune(c)) {
			return false
		}
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	path, ok := strings.CutPrefix(rest, "//")
	if ok {
		authority := path
		if i := strings.IndexByte(path, '/'); i >= 0 {
			authority, path = path[:i], path[i:]
		} else {
			path = ""
		}
		if !isAuthority(authority) {
			return false
		}
	}
	return uriChars(path, ":@/") && uriChars(query, ":@/?") && uriChars(fragment, ":@/?")
}

func isAuthority(s string) bool {
	user, host, ok := strings.Cut(s, "@")
	if !ok {
		user, host = "", s
	}
	port := ""
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, port, ok = strings.Cut(inner, "]")
		if addr, err := netip.ParseAddr(inner); !ok || (err != nil || !addr.Is6()) && !strings.HasPrefix(inner, "v") || port != "" && port[0] != ':' {
			return false
		}
		host, port = "", strings.TrimPrefix(port, ":")
	} else {
		host, port, _ = strings.Cut(host, ":")
	}
	return uriChars(user, ":") && uriChars(host, "") && strings.Trim(port, "0123456789") == ""
}

// uriChars reports whether all characters are unreserved, sub-delims,
// percent-encoded, or of more.
func uriChars(s, more string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case letter(c), digit(c), strings.IndexByte("-._~!$&'()*+,;=", c) >= 0, strings.IndexByte(more, c) >= 0:
		case c == '%' && i+2 < len(s) && hexDigit(s[i+1]) && hexDigit(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

func hexDigit(c byte) bool { return digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
