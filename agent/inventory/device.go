package inventory

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Device is a place in the network. Devices that Inventory returns have the
// defaults of their groups filled in; in Update it holds the own values only.
type Device struct {
	ID      string // 128 random bits in hexadecimal, made once; history hangs on it
	Name    string // see CheckName
	Driver  string // "frr"; whether it exists the agent knows
	Address string // HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; see SplitAddress
	User    string // empty: what SSHConfig or the session's default says

	Auth   Credential
	Enable Ref // the password that raises privilege; zero: none

	Groups []string // the first that has a default for a value gives it
	Labels map[string]string

	HostKeys []string // pinned, as in authorized_keys: "ssh-ed25519 AAAA…"; empty: not trusted yet
	Legacy   bool     // allows old algorithms; every listing shows it
	Jump     []string // names of jump hosts, the first one dialled first

	SSHConfig string             // an ssh_config file to read for this device; empty: none
	Options   map[string]string  // for the driver
	Services  map[string]Service // by the session's name for it: "http", "grpc", "ovsdb", "coap"

	Unit    Unit          // the hardware that was last accepted in this place
	Timeout time.Duration // for one backup of the device; 0: the agent's
	Every   time.Duration // how often a backup is expected; 0: the agent's

	own ownMask // inheritable values that this device itself sets
}

// Credential says how to log in. Several ways may be given: the session offers
// a key, then ssh-agent, then answers by prompt, then the password.
type Credential struct {
	Password    Ref
	Key         Ref      // a private key in OpenSSH or PEM form
	Passphrase  Ref      // of Key
	SSHAgent    bool     // the keys that ssh-agent holds
	Interactive []Prompt // keyboard-interactive, answered by prompt text
}

// IsZero reports whether there is no way to log in.
func (c Credential) IsZero() bool {
	return c.Password.IsZero() && c.Key.IsZero() && c.Passphrase.IsZero() && !c.SSHAgent && len(c.Interactive) == 0
}

// Prompt is the answer to a question that the device asks.
type Prompt struct {
	Pattern string // RE2, matched against the prompt
	Answer  Ref
}

// Service is a way into the device beside SSH.
type Service struct {
	Port   int
	TLSPin string // "sha256:" and 64 hexadecimal digits: hash of the certificate's public key (SPKI); empty: the system's authorities decide
	Plain  bool   // without TLS
	User   string // empty: Auth is a token
	Auth   Ref
}

// Unit is the hardware that stands in a place now.
type Unit struct {
	Serials []string
	Model   string
	Since   time.Time // when it was accepted, UTC, to the second
}

// IsZero reports whether no unit is recorded.
func (u Unit) IsZero() bool { return len(u.Serials) == 0 && u.Model == "" && u.Since.IsZero() }

// Jump is a host through which others are reached.
type Jump struct {
	Name     string
	Address  string
	User     string
	Auth     Credential
	HostKeys []string
	Legacy   bool
}

type ownMask uint32

const (
	ownDriver ownMask = 1 << iota
	ownUser
	ownAuth
	ownEnable
	ownLegacy
	ownJump
	ownSSHConfig
	ownTimeout
	ownEvery
)

// mark records which inheritable values d itself has. Legacy keeps what it
// was: false alone does not say whether it was set.
func (d *Device) mark() {
	own := d.own & ownLegacy
	for _, f := range []struct {
		set bool
		bit ownMask
	}{
		{d.Driver != "", ownDriver}, {d.User != "", ownUser}, {!d.Auth.IsZero(), ownAuth},
		{!d.Enable.IsZero(), ownEnable}, {d.Legacy, ownLegacy}, {len(d.Jump) > 0, ownJump},
		{d.SSHConfig != "", ownSSHConfig}, {d.Timeout != 0, ownTimeout}, {d.Every != 0, ownEvery},
	} {
		if f.set {
			own |= f.bit
		}
	}
	d.own = own
}

// effective is d with the defaults of its groups: a value of its own wins,
// then the first group that has one. Maps are joined key by key.
func effective(d *Device, defaults map[string]*Device) Device {
	out := d.clone()
	for _, name := range d.Groups {
		g := defaults[name]
		if g == nil {
			continue
		}
		take := g.own &^ out.own
		if take&ownDriver != 0 {
			out.Driver = g.Driver
		}
		if take&ownUser != 0 {
			out.User = g.User
		}
		if take&ownAuth != 0 {
			out.Auth = g.Auth.clone()
			out.Auth.bindDevice(d.Name)
		}
		if take&ownEnable != 0 {
			out.Enable = g.Enable
			out.Enable.device = d.Name
		}
		if take&ownLegacy != 0 {
			out.Legacy = g.Legacy
		}
		if take&ownJump != 0 {
			out.Jump = slices.Clone(g.Jump)
		}
		if take&ownSSHConfig != 0 {
			out.SSHConfig = g.SSHConfig
		}
		if take&ownTimeout != 0 {
			out.Timeout = g.Timeout
		}
		if take&ownEvery != 0 {
			out.Every = g.Every
		}
		out.own |= take
		out.Labels = join(out.Labels, g.Labels)
		out.Options = join(out.Options, g.Options)
		before := len(out.Services)
		out.Services = join(out.Services, g.Services)
		if len(out.Services) != before {
			for k, s := range out.Services {
				s.Auth.device = d.Name
				out.Services[k] = s
			}
		}
	}
	return out
}

// join adds to own what it lacks of more.
func join[V any](own, more map[string]V) map[string]V {
	for k, v := range more {
		if _, ok := own[k]; !ok {
			if own == nil {
				own = make(map[string]V, len(more))
			}
			own[k] = v
		}
	}
	return own
}

func (d *Device) clone() Device {
	c := *d
	c.Auth = d.Auth.clone()
	c.Groups = slices.Clone(d.Groups)
	c.Labels = maps.Clone(d.Labels)
	c.HostKeys = slices.Clone(d.HostKeys)
	c.Jump = slices.Clone(d.Jump)
	c.Options = maps.Clone(d.Options)
	c.Services = maps.Clone(d.Services)
	c.Unit.Serials = slices.Clone(d.Unit.Serials)
	return c
}

func (j Jump) clone() Jump {
	j.Auth = j.Auth.clone()
	j.HostKeys = slices.Clone(j.HostKeys)
	return j
}

func (c Credential) clone() Credential {
	c.Interactive = slices.Clone(c.Interactive)
	return c
}

// bind tells every reference where relative paths begin and for which device
// it is asked.
func (d *Device) bind(file string) {
	d.Auth.bind(file, d.Name)
	d.Enable.bind(file, d.Name)
	for k, s := range d.Services {
		s.Auth.bind(file, d.Name)
		d.Services[k] = s
	}
}

func (j *Jump) bind(file string) { j.Auth.bind(file, j.Name) }

func (c *Credential) bind(file, device string) {
	c.Password.bind(file, device)
	c.Key.bind(file, device)
	c.Passphrase.bind(file, device)
	for i := range c.Interactive {
		c.Interactive[i].Answer.bind(file, device)
	}
}

func (c *Credential) bindDevice(device string) {
	c.Password.device, c.Key.device, c.Passphrase.device = device, device, device
	for i := range c.Interactive {
		c.Interactive[i].Answer.device = device
	}
}

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
	if _, _, err := SplitAddress(d.Address); err != nil {
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
