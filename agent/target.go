package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
)

// dial opens a session to a device. An address other than "" replaces the
// inventory's: after a restore that moves the management address.
func (a *Agent) dial(ctx context.Context, d inventory.Device, info plugins.Info, address string) (*session.Session, error) {
	d.Address = movedTo(d.Address, address)
	t, err := a.Target(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(CheckOptions(info, d.Options), CheckAddress(info, d.Address)); err != nil {
		return nil, fmt.Errorf("%w: device %s: %w", ErrConfig, d.Name, err)
	}
	s, err := a.shells.Dial(ctx, t, info)
	if errors.Is(err, session.ErrHostKeyUnknown) {
		err = fmt.Errorf("%w: `cfgvault device trust %s`", err, d.Name)
	}
	return s, err
}

// Target resolves a device's credential references, so that a session can be
// dialled. ErrCredential of the inventory if one cannot be resolved.
func (a *Agent) Target(ctx context.Context, d inventory.Device) (session.Target, error) {
	at, err := inventory.ParseAddress(d.Address)
	if err != nil {
		return session.Target{}, fmt.Errorf("%w: device %s: %w", ErrConfig, d.Name, err)
	}
	t := session.Target{
		Device: d.Name, Host: at.Host, Port: at.Port, User: d.User,
		HostKeys: d.HostKeys, Legacy: d.Legacy, SSHConfig: d.SSHConfig, Options: d.Options,
	}
	t.Transport, t.Negotiate = transport(at.Scheme), at.Scheme == inventory.ConsoleTelnet
	if t.Auth, err = auth(ctx, d.Auth); err != nil {
		return t, fmt.Errorf("device %s: %w", d.Name, err)
	}
	if t.Enable, err = resolve(ctx, d.Enable); err != nil {
		return t, fmt.Errorf("device %s: enable: %w", d.Name, err)
	}
	for _, name := range d.Jump {
		j, err := a.Inventory.Jump(name)
		if err != nil {
			return t, fmt.Errorf("device %s: %w", d.Name, err)
		}
		host, port, err := inventory.SplitAddress(j.Address)
		if err != nil {
			return t, fmt.Errorf("%w: jump host %s: %w", ErrConfig, name, err)
		}
		hop := session.Target{Device: j.Name, Host: host, Port: port, User: j.User, HostKeys: j.HostKeys, Legacy: j.Legacy}
		if hop.Auth, err = auth(ctx, j.Auth); err != nil {
			return t, fmt.Errorf("jump host %s: %w", name, err)
		}
		t.Jump = append(t.Jump, hop)
	}
	for name, s := range d.Services {
		svc := session.Service{Port: s.Port, Pin: s.TLSPin}
		if s.Plain {
			svc.Scheme = plainScheme(name)
		}
		if svc.Credential.Secret, err = resolve(ctx, s.Auth); err != nil {
			return t, fmt.Errorf("device %s: service %s: %w", d.Name, name, err)
		}
		if !s.Auth.IsZero() {
			svc.Credential.Kind = session.CredentialBearer
			if s.User != "" {
				svc.Credential.Kind, svc.Credential.User = session.CredentialBasic, s.User
			}
		}
		if t.Services == nil {
			t.Services = map[string]session.Service{}
		}
		t.Services[name] = svc
	}
	return t, nil
}

// transport is empty for SSH, whose form the driver chooses.
func transport(s inventory.Scheme) plugins.Transport {
	switch s {
	case inventory.Telnet:
		return plugins.TransportTelnet
	case inventory.Console, inventory.ConsoleTelnet:
		return plugins.TransportConsole
	}
	return ""
}

// CheckAddress refuses an address that a driver cannot be reached at.
func CheckAddress(info plugins.Info, address string) error {
	at, err := inventory.ParseAddress(address)
	if err != nil {
		return err
	}
	if over := transport(at.Scheme); over != "" && !slices.Contains(info.Transports, over) {
		return fmt.Errorf("driver %s is not made for %s: it uses %s", info.Name, over, joined(info.Transports))
	}
	return nil
}

func joined(ts []plugins.Transport) string {
	var words []string
	for _, t := range ts {
		words = append(words, string(t))
	}
	return strings.Join(words, ", ")
}

// movedTo is where a device answers after a restore moved its management
// address: by the same transport, and at a console where it always was.
func movedTo(address, moved string) string {
	scheme, _, ok := strings.Cut(address, "://")
	switch {
	case moved == "" || ok && inventory.Scheme(scheme).IsConsole():
		return address
	case ok:
		return scheme + "://" + moved
	}
	return moved
}

func plainScheme(service string) string {
	switch service {
	case "http", "grpc":
		return "http"
	case "coap":
		return "udp"
	}
	return "tcp"
}

func auth(ctx context.Context, c inventory.Credential) ([]session.Auth, error) {
	var out []session.Auth
	if !c.Key.IsZero() {
		pem, err := c.Key.Resolve(ctx)
		if err != nil {
			return nil, err
		}
		phrase, err := resolve(ctx, c.Passphrase)
		if err != nil {
			return nil, err
		}
		out = append(out, session.Key{PEM: pem, Passphrase: phrase})
	}
	if c.SSHAgent {
		out = append(out, session.AgentKeys{})
	}
	password, err := resolve(ctx, c.Password)
	if err != nil {
		return nil, err
	}
	if len(c.Interactive) > 0 {
		in := session.Interactive{Password: password}
		for _, p := range c.Interactive {
			v, err := resolve(ctx, p.Answer)
			if err != nil {
				return nil, err
			}
			in.Replies = append(in.Replies, session.Reply{Prompt: p.Pattern, Secret: v})
		}
		out = append(out, in)
	}
	if !password.IsZero() {
		out = append(out, session.Password{Secret: password})
	}
	return out, nil
}

func resolve(ctx context.Context, r inventory.Ref) (secret.Value, error) {
	if r.IsZero() {
		return secret.Value{}, nil
	}
	return r.Resolve(ctx)
}
