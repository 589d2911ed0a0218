package session

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// The errors of a login. All mean that the device's configuration is
// unchanged; the agent ends with exit status 13.
var (
	ErrUnreachable    = errors.New("the device cannot be reached")
	ErrAuth           = errors.New("the device refused the login")
	ErrHostKeyUnknown = errors.New("no host key is pinned for the device")
	// ErrWeak comes with ErrUnreachable: the device offers only algorithms
	// that need Target.Legacy, or none that we know.
	ErrWeak = errors.New("no safe algorithm in common")
)

// HostKeyError says that the device showed a key that is not pinned: it was
// replaced or reset, or something else answers in its place.
type HostKeyError struct {
	Device string
	Want   []string // fingerprints of the pins, "SHA256:…"
	Got    []string // fingerprints of what was shown
}

func (e *HostKeyError) Error() string {
	return fmt.Sprintf("the host key of %s has changed: pinned %s, the device shows %s; if the unit was replaced or reset, check the fingerprint on its console and trust it again",
		e.Device, strings.Join(e.Want, " "), strings.Join(e.Got, " "))
}

// CertError says that a TLS service showed a certificate that is not pinned.
// It is the HostKeyError of services.
type CertError struct {
	Device, Service string
	Want            string   // the pin
	Got             []string // "sha256:…" of the certificate and of its public key
}

func (e *CertError) Error() string {
	return fmt.Sprintf("the certificate of %s service %s is not the pinned one: pinned %s, the device shows certificate %s with public key %s",
		e.Device, e.Service, e.Want, e.Got[0], e.Got[1])
}

// printable makes text from the network fit for a message: no control
// characters, bounded.
func printable(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
