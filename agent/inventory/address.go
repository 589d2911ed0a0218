package inventory

import "strings"

// Scheme says how a device is reached. All but SSH are unencrypted and prove
// nothing of the device; every listing shows them.
type Scheme string

// The schemes of an address.
const (
	SSH           Scheme = ""               // HOST, HOST:PORT
	Telnet        Scheme = "telnet"         // telnet://HOST, telnet://HOST:PORT
	Console       Scheme = "console"        // console://HOST:PORT: a console server that passes bytes as they are
	ConsoleTelnet Scheme = "console+telnet" // console+telnet://HOST:PORT: a console server that speaks Telnet
)

// Encrypted reports whether others on the way can read along.
func (s Scheme) Encrypted() bool { return s == SSH }

// IsConsole reports whether the address is a serial console.
func (s Scheme) IsConsole() bool { return s == Console || s == ConsoleTelnet }

// Address is where and how a device is reached.
type Address struct {
	Scheme Scheme
	Host   string
	Port   int // 0: the default of the scheme
}

// ParseAddress reads a device's address: HOST, HOST:PORT, [IPV6] or
// [IPV6]:PORT for SSH, or one of these behind a scheme and "://". A console
// needs a port.
func ParseAddress(address string) (Address, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		scheme, rest = "", address
	}
	a := Address{Scheme: Scheme(scheme)}
	switch a.Scheme {
	case SSH, Telnet, Console, ConsoleTelnet:
	default:
		a.Scheme = ""
	}
	if ok && a.Scheme == "" {
		return Address{}, fault("telnet://HOST, console://HOST:PORT or console+telnet://HOST:PORT; SSH needs none", "the address %q has a scheme that is not known", clip(address))
	}
	var err error
	if a.Host, a.Port, err = SplitAddress(rest); err != nil {
		return Address{}, err
	}
	if a.Scheme.IsConsole() && a.Port == 0 {
		return Address{}, fault(scheme+"://HOST:PORT, with the port that the console server gives the line", "the address %q has no port", clip(address))
	}
	return a, nil
}
