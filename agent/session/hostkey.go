package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"
)

// hostProof checks the key that a server shows.
type hostProof interface {
	// check returns nil if the key belongs to the host.
	check(addr string, remote net.Addr, key ssh.PublicKey) error
	// prefer returns the host key algorithms to offer, those of known keys
	// first, so that a server with several keys shows the known one.
	prefer(addr string, p profile) []string
}

// pins are the pinned keys of one target.
type pins struct {
	device string
	keys   []ssh.PublicKey
}

func parsePins(t Target) (*pins, error) {
	p := &pins{device: t.name()}
	for i, line := range t.HostKeys {
		key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("%s: host key %d is not in authorized_keys form", t.name(), i+1)
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

func (p *pins) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	if len(p.keys) == 0 {
		return fmt.Errorf("%w: %s shows %s %s; compare it with the device's console, then trust it",
			ErrHostKeyUnknown, p.device, key.Type(), ssh.FingerprintSHA256(key))
	}
	for _, have := range p.keys {
		if string(have.Marshal()) == string(key.Marshal()) {
			return nil
		}
	}
	e := &HostKeyError{Device: p.device, Got: []string{ssh.FingerprintSHA256(key)}}
	for _, have := range p.keys {
		e.Want = append(e.Want, ssh.FingerprintSHA256(have))
	}
	return e
}

func (p *pins) prefer(_ string, a profile) []string {
	var first []string
	for _, k := range p.keys {
		first = append(first, a.keyAlgorithms(k.Type())...)
	}
	return preferred(first, a)
}

// preferred puts first before the other host key algorithms of the profile,
// and leaves out what the profile does not allow.
func preferred(first []string, a profile) []string {
	var out []string
	for _, alg := range slices.Concat(first, a.hostKeys) {
		if slices.Contains(a.hostKeys, alg) && !slices.Contains(out, alg) {
			out = append(out, alg)
		}
	}
	return out
}

// errSeen ends a handshake once the host key was shown.
var errSeen = errors.New("host key seen")

// capture records the key of one type and goes no further.
type capture struct {
	algs []string
	key  ssh.PublicKey
}

func (c *capture) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	c.key = key
	return errSeen
}

func (c *capture) prefer(string, profile) []string { return c.algs }

// HostKeys asks the device for every host key that it has, one connection per
// type and without a login, for a person to compare and pin. With Jump it logs
// in to the jump hosts. Errors: ErrUnreachable; ErrWeak if the device has no
// key that the profile allows.
func HostKeys(ctx context.Context, t Target) ([]ssh.PublicKey, error) {
	d, err := newDialer(t)
	if err != nil {
		return nil, err
	}
	defer d.close()
	a := algorithms(t.Legacy)
	var (
		keys []ssh.PublicKey
		weak error
	)
	for i, alg := range a.hostKeys {
		if slices.ContainsFunc(keys, func(k ssh.PublicKey) bool { return slices.Contains(a.keyAlgorithms(k.Type()), alg) }) {
			continue // an RSA key that was shown under another signature algorithm
		}
		c := &capture{algs: a.hostKeys[i : i+1]}
		_, err := d.connect(ctx, c, nil)
		switch {
		case c.key != nil:
			keys = append(keys, c.key)
		case errors.Is(err, ErrWeak):
			weak = err
		default:
			return nil, err
		}
	}
	if len(keys) == 0 {
		return nil, weak
	}
	return keys, nil
}
