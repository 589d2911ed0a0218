package inventory

import (
	"maps"
	"slices"
	"time"
)

// Device is a place in the network. Devices that Inventory returns have the
// defaults of their groups filled in; in Update it holds the own values only.
type Device struct {
	ID      string // 128 random bits in hexadecimal, made once; history hangs on it
	Name    string // see CheckName
	Driver  string // "frr"; whether it exists the agent knows
	Address string // HOST, HOST:PORT, or with a scheme: telnet://HOST, console://HOST:PORT; see ParseAddress
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
