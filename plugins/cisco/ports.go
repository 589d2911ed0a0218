package cisco

import (
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// portNames are the words by which the three platforms print ports (command
// references, "permit (IP)"); the numbers are IANA's.
var portNames = map[string]int{
	"bgp": 179, "chargen": 19, "cmd": 514, "daytime": 13, "discard": 9, "domain": 53, "drip": 3949, "echo": 7, "exec": 512, "finger": 79,
	"ftp": 21, "ftp-data": 20, "gopher": 70, "hostname": 101, "ident": 113, "irc": 194, "klogin": 543, "kshell": 544, "login": 513,
	"lpd": 515, "msrpc": 135, "nntp": 119, "onep-plain": 15001, "onep-tls": 15002, "pim-auto-rp": 496, "pop2": 109, "pop3": 110,
	"smtp": 25, "ssh": 22, "sunrpc": 111, "syslog": 514, "tacacs": 49, "tacacs-ds": 49, "talk": 517, "telnet": 23, "time": 37, "uucp": 540,
	"whois": 43, "www": 80, "http": 80, "https": 443,
	"biff": 512, "bootpc": 68, "bootps": 67, "dnsix": 195, "isakmp": 500, "mobile-ip": 434, "nameserver": 42, "netbios-dgm": 138,
	"netbios-ns": 137, "netbios-ss": 139, "non500-isakmp": 4500, "ntp": 123, "rip": 520, "ripv6": 521, "snmp": 161, "snmptrap": 162,
	"tftp": 69, "who": 513, "xdmcp": 177, "nfs": 2049, "ldp": 646, "msdp": 639,
}

func portNumber(s string) (int, bool) {
	if n, ok := portNames[s]; ok {
		return n, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= 65535
}

// ports is "eq 80 443", "range 1 5", "gt 1023", "lt 1024" or "neq 80"; in the
// tree "80,443", "1-5", "1024-65535", "0-1023" and "!80". Which ports those
// are does not change.
func ports() lens.Codec {
	return lens.Codec{
		Words: lens.Some,
		Take: func(words []syntax.Word) int {
			n := 1
			switch words[0].Text {
			case "range":
				return 3
			case "gt", "lt", "neq":
				return 2
			case "eq":
				for n < len(words) && n <= 10 {
					if _, ok := portNumber(words[n].Text); !ok {
						break
					}
					n++
				}
				return n
			}
			return 0
		},
		Read: func(s string) ([]any, bool) {
			words := strings.Fields(s)
			var n []int
			for _, w := range words[1:] {
				p, ok := portNumber(w)
				if !ok {
					return nil, false
				}
				n = append(n, p)
			}
			if len(n) == 0 {
				return nil, false
			}
			switch words[0] {
			case "range":
				return []any{strconv.Itoa(n[0]) + "-" + strconv.Itoa(n[1])}, n[0] < n[1]
			case "gt":
				return []any{strconv.Itoa(n[0]+1) + "-65535"}, n[0] < 65534
			case "lt":
				return []any{"0-" + strconv.Itoa(n[0]-1)}, n[0] > 1
			case "neq":
				return []any{"!" + strconv.Itoa(n[0])}, true
			}
			var list []string
			for _, p := range n {
				list = append(list, strconv.Itoa(p))
			}
			return []any{strings.Join(list, ",")}, true
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			number := func(s string) bool {
				n, err := strconv.Atoi(s)
				return err == nil && n >= 0 && n <= 65535 && strconv.Itoa(n) == s
			}
			if p, ok := strings.CutPrefix(s, "!"); ok {
				return "neq " + p, number(p)
			}
			if lo, hi, ok := strings.Cut(s, "-"); ok {
				a, _ := strconv.Atoi(lo)
				b, _ := strconv.Atoi(hi)
				return "range " + lo + " " + hi, number(lo) && number(hi) && a < b
			}
			list := strings.Split(s, ",")
			for _, p := range list {
				if !number(p) {
					return "", false
				}
			}
			return "eq " + strings.Join(list, " "), len(list) <= 10
		},
	}
}
