package linux

import (
	"path"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// normalize reads the files of a Linux system into the common tree and
// accounts for each of their lines. A file that no lens knows is unparsed.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	r := lens.NewReader()
	for _, a := range native {
		text := string(a.Data)
		switch l, given := lensOf(a.Name, text); {
		case l != nil:
			r.Read(l, a.Name, text, given)
		case secretFile(a.Name):
			r.Opaque(a.Name, text, plugins.SecretOpaque, "")
		case a.Role == plugins.RoleState:
			r.Opaque(a.Name, text, plugins.Boilerplate, "evidence")
		default:
			r.Opaque(a.Name, text, plugins.Unparsed, "")
		}
	}
	return r.Normalized(), nil
}

// lensOf chooses the lens for a file by its path, and what is known of the
// file as a whole.
func lensOf(name, text string) (*lens.Lens, map[string]any) {
	dir, base := path.Split(name)
	ext := path.Ext(base)
	l := lenses()
	switch {
	case strings.HasPrefix(name, "etc/systemd/network/") && (ext == ".network" || ext == ".netdev" || ext == ".link"):
		return l.networkd[ext], aboutUnit(syntax.ParseSections(text, syntax.INI()), ext)
	case name == "etc/network/interfaces", dir == "etc/network/interfaces.d/":
		return l.ifupdown, nil
	case name == "etc/hostname":
		return l.hostname, nil
	case name == "etc/timezone":
		return l.timezone, nil
	case name == "etc/resolv.conf":
		return l.resolver, nil
	case name == "etc/sysctl.conf", dir == "etc/sysctl.d/" && ext == ".conf":
		return l.sysctl, nil
	case name == "etc/ssh/sshd_config", dir == "etc/ssh/sshd_config.d/" && ext == ".conf":
		return l.sshd, nil
	case name == "etc/nftables.conf", dir == "etc/nftables.d/":
		return l.nftables, nil
	}
	return nil, nil
}

// secretFile reports whether a file holds secrets throughout.
func secretFile(name string) bool {
	dir, base := path.Split(name)
	switch name {
	case "etc/shadow", "etc/gshadow", "etc/shadow-", "etc/gshadow-":
		return true
	}
	return dir == "etc/ssh/" && strings.HasPrefix(base, "ssh_host_") && strings.HasSuffix(base, "_key") ||
		dir == "etc/wireguard/" || dir == "etc/wpa_supplicant/" ||
		strings.HasSuffix(base, ".key") || strings.HasSuffix(base, ".psk")
}

// unitBound reports whether a file belongs to one machine only.
func unitBound(name string) bool {
	dir, base := path.Split(name)
	return name == "etc/machine-id" || name == "var/lib/dbus/machine-id" || name == "etc/hostid" ||
		dir == "etc/ssh/" && strings.HasPrefix(base, "ssh_host_") ||
		dir == "etc/udev/rules.d/" && strings.HasSuffix(base, "-persistent-net.rules")
}

func comments() []lens.Rule {
	return []lens.Rule{{ID: "comment", Class: plugins.Boilerplate, Pattern: `^[#;]`, Why: "the program that reads the file ignores it"}}
}

// interfaceName accepts what the kernel does: up to 15 bytes, no blank, no
// slash; no pattern either.
func interfaceName(s string) bool {
	return len(s) > 0 && len(s) <= 15 && !strings.ContainsAny(s, "/*?[]!:%\"") && s != "." && s != ".."
}

// codecs are those of all the tables.
func codecs() map[string]lens.Codec {
	return map[string]lens.Codec{
		"ifname": lens.Word(interfaceName),
		"text":   quoted(),
		"host":   lens.Word(nil),
		"sysctl": sysctlName(),
	}
}

// quoted is the rest of the line, which systemd lets stand in quotes.
func quoted() lens.Codec {
	c := lens.Line()
	line := c.Read
	c.Read = func(s string) ([]any, bool) {
		if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
			s = s[1 : len(s)-1]
		}
		return line(s)
	}
	return c
}

// each makes a row of Go functions that reads "KEY value value …" into one
// place for each value. Words before the values are skipped.
func each(key string, skip int, ok func(string) (string, bool), at func(value string) lens.Assign) lens.Row {
	return lens.Row{Pair: &lens.Pair{
		First: key,
		Read: func(words []string) ([]lens.Assign, bool) {
			if len(words) <= skip {
				return nil, false
			}
			var out []lens.Assign
			for _, w := range words[skip:] {
				v, good := ok(w)
				if !good {
					return nil, false
				}
				out = append(out, at(v))
			}
			return out, true
		},
		Write: func(lens.Tree) []lens.Emit { return nil },
	}}
}

func address(s string) (string, bool) {
	v, ok := lens.Builtin()["ip"].Read(s)
	if !ok {
		return "", false
	}
	return v[0].(string), true
}

func dnsServer(address string) lens.Assign {
	return lens.Assign{Path: []lens.Step{{Name: "cfgvault-system:system"}, {Name: "dns"},
		{Name: "server", Keys: []lens.Key{{Name: "address", Value: address}}}}}
}

func dnsSearch(domain string) lens.Assign {
	return lens.Assign{Append: true, Value: domain,
		Path: []lens.Step{{Name: "cfgvault-system:system"}, {Name: "dns"}, {Name: "search"}}}
}

func ntpServer(host string) lens.Assign {
	return lens.Assign{Path: []lens.Step{{Name: "cfgvault-system:system"}, {Name: "ntp"},
		{Name: "server", Keys: []lens.Key{{Name: "host", Value: host}}}}}
}

func interfaceExists(name string) lens.Assign {
	return lens.Assign{Path: []lens.Step{{Name: "cfgvault-interfaces:interfaces"},
		{Name: "interface", Keys: []lens.Key{{Name: "name", Value: name}}}}}
}

// domain refuses what is no domain name: "~." and other routes of resolved.
func domain(s string) (string, bool) {
	v, ok := lens.Builtin()["domain"].Read(s)
	if !ok {
		return "", false
	}
	return v[0].(string), true
}

func host(s string) (string, bool) {
	if a, ok := address(s); ok {
		return a, true
	}
	return domain(s)
}

func name(s string) (string, bool) { return s, interfaceName(s) }
