package inventory

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxName is the longest name of a device, group or jump host: as long as a
// host name may be (RFC 1035, section 2.3.4).
const maxName = 253

// CheckName says why name cannot be the name of a device, a group or a jump
// host, or nil. Names are ASCII letters, digits, '.', '_' and '-' and begin
// with a letter or a digit, so that they stand in DEVICE@TIME, in file names
// and on a command line without quotes. "live" and "latest" have a meaning of
// their own there.
func CheckName(name string) error {
	switch {
	case name == "":
		return fault("", "the name is empty")
	case len(name) > maxName:
		return fault("", "the name is longer than %d characters", maxName)
	case strings.EqualFold(name, "live"), strings.EqualFold(name, "latest"):
		return fault("choose another", "the name %q has a meaning of its own", name)
	}
	for i := range len(name) {
		if c := name[i]; !nameChar(c, i == 0) {
			return fault("letters, digits, '.', '_' and '-'; a letter or a digit first", "the name %q is not usable", clip(name))
		}
	}
	return nil
}

func nameChar(c byte, first bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return !first && (c == '.' || c == '_' || c == '-')
}

// SplitAddress splits HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. The port is 0 if
// there is none. HOST may be a name that an ssh_config file explains.
func SplitAddress(address string) (host string, port int, err error) {
	bad := func(hint string) (string, int, error) {
		return "", 0, fault(hint, "the address %q is not usable", clip(address))
	}
	const form = "HOST, HOST:PORT or [IPV6]:PORT"
	rest := ""
	if strings.HasPrefix(address, "[") {
		end := strings.IndexByte(address, ']')
		if end < 0 {
			return bad(form)
		}
		host, rest = address[1:end], address[end+1:]
		if ip, err := netip.ParseAddr(host); err != nil || !ip.Is6() {
			return bad("only an IPv6 address stands in brackets")
		}
	} else {
		if strings.Count(address, ":") > 1 {
			return bad("an IPv6 address stands in brackets, and with them in quotes: \"[2001:db8::1]:22\"")
		}
		if i := strings.IndexByte(address, ':'); i >= 0 {
			host, rest = address[:i], address[i:]
		} else {
			host = address
		}
		if len(host) > maxName {
			return bad("the host name is too long")
		}
		for i := range len(host) {
			if !nameChar(host[i], i == 0) {
				return bad(form)
			}
		}
		if host == "" {
			return bad(form)
		}
		if !strings.ContainsFunc(host, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
			if _, err := netip.ParseAddr(host); err != nil {
				return bad("not an IPv4 address: four numbers from 0 to 255")
			}
		}
	}
	if rest == "" {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(rest, ":"), 10, 16)
	if err != nil || n == 0 || rest[0] != ':' || rest[1] == '+' {
		return bad("the port is a number from 1 to 65535")
	}
	return host, int(n), nil
}

var services = []string{"http", "grpc", "ovsdb", "coap"}

// checkService says what is wrong with a service of that name.
func checkService(name string, s Service) error {
	switch {
	case !slices.Contains(services, name):
		return fault("one of "+strings.Join(services, ", ")+didYouMean(name, services), "unknown service %q", clip(name))
	case s.Port < 0 || s.Port > 65535:
		return fault("", "service %s: the port is a number from 1 to 65535", name)
	case s.Plain && s.TLSPin != "":
		return fault("", "service %s: a TLS pin without TLS", name)
	}
	if s.TLSPin != "" {
		digits, ok := strings.CutPrefix(s.TLSPin, "sha256:")
		if raw, err := hex.DecodeString(digits); !ok || err != nil || len(raw) != 32 {
			return fault("sha256: and 64 hexadecimal digits", "service %s: the TLS pin is not usable", name)
		}
	}
	return s.Auth.check()
}

// checkHostKey says what is wrong with a pinned host key: the algorithm in
// clear must be the one inside the blob (RFC 4253, section 6.6).
func checkHostKey(key string) error {
	bad := fault("as ssh-keyscan prints it, without the host name: ssh-ed25519 AAAA…", "the host key is not usable")
	f := strings.Fields(key)
	if len(f) < 2 || strings.ContainsAny(key, "\r\n") {
		return bad
	}
	raw, err := base64.StdEncoding.DecodeString(f[1])
	if err != nil || len(raw) < 4 {
		return bad
	}
	n := binary.BigEndian.Uint32(raw)
	if uint64(n) > uint64(len(raw)-4) || string(raw[4:4+n]) != f[0] {
		return bad
	}
	return nil
}

func (c Credential) check() error {
	for _, r := range []Ref{c.Password, c.Key, c.Passphrase} {
		if err := r.check(); err != nil {
			return err
		}
	}
	if !c.Passphrase.IsZero() && c.Key.IsZero() {
		return fault("", "a passphrase without a key")
	}
	for _, p := range c.Interactive {
		if _, err := regexp.Compile(p.Pattern); err != nil || p.Pattern == "" {
			return fault("RE2 syntax", "the prompt pattern is not usable")
		}
		if p.Answer.IsZero() {
			return fault("", "a prompt without an answer")
		}
		if err := p.Answer.check(); err != nil {
			return err
		}
	}
	return nil
}

// check says what is wrong with a device whose defaults are filled in. The
// reader makes the same checks value by value, with places.
func (d *Device) check(jumps map[string]bool) error {
	if err := CheckName(d.Name); err != nil {
		return err
	}
	if err := checkID(d.ID); err != nil {
		return err
	}
	if d.Driver == "" {
		return fault("", "no driver")
	}
	if err := checkDriver(d.Driver); err != nil {
		return err
	}
	if _, err := ParseAddress(d.Address); err != nil {
		return err
	}
	for _, g := range d.Groups {
		if err := CheckName(g); err != nil {
			return fmt.Errorf("group: %w", err)
		}
	}
	for _, j := range d.Jump {
		if !jumps[j] {
			return fault("declare it under jumps: in the file", "unknown jump host %q", clip(j))
		}
	}
	for _, k := range d.HostKeys {
		if err := checkHostKey(k); err != nil {
			return err
		}
	}
	for name, s := range d.Services {
		if err := checkService(name, s); err != nil {
			return err
		}
	}
	if d.Timeout < 0 || d.Every < 0 {
		return fault("", "a time below zero")
	}
	for _, text := range d.texts() {
		if err := checkText(text); err != nil {
			return err
		}
	}
	if err := d.Auth.check(); err != nil {
		return err
	}
	return d.Enable.check()
}

func (j Jump) check() error {
	if err := CheckName(j.Name); err != nil {
		return err
	}
	if _, _, err := SplitAddress(j.Address); err != nil {
		return err
	}
	for _, k := range j.HostKeys {
		if err := checkHostKey(k); err != nil {
			return err
		}
	}
	if err := checkText(j.User); err != nil {
		return err
	}
	return j.Auth.check()
}

// texts are the values without a form of their own.
func (d *Device) texts() []string {
	out := append([]string{d.User, d.SSHConfig, d.Unit.Model}, d.Unit.Serials...)
	for _, m := range []map[string]string{d.Labels, d.Options} {
		for k, v := range m {
			out = append(out, k, v)
		}
	}
	for _, s := range d.Services {
		out = append(out, s.User)
	}
	return out
}

// checkText refuses what no line of the file, and no terminal, should carry.
func checkText(s string) error {
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r == 0xfffd || r == 0x2028 || r == 0x2029 || r == 0xfeff || (r >= 0x80 && r < 0xa0) {
			return fault("", "a value holds a control character")
		}
	}
	return nil
}

func checkID(id string) error {
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 || id != strings.ToLower(id) {
		return fault("cfgvault device add makes one; do not change it by hand", "the id is not 32 lower-case hexadecimal digits")
	}
	return nil
}

func checkDriver(name string) error {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' || i == 0) {
			return fault("lower-case letters, digits and '-'", "the driver name %q is not usable", clip(name))
		}
	}
	return nil
}

// clip bounds what an error shows of a value.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
