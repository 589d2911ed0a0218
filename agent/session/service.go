package session

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// service is an open service of the device with its proxy, if it has one.
type service struct {
	s    *Session
	name string
	sv   Service
	pin  []byte // nil: by the system's roots

	once  sync.Once
	proxy *proxy
}

// newService checks what the inventory says about a service.
func newService(s *Session, name string, sv Service) (*service, error) {
	if sv.Scheme == "" {
		switch name {
		case "http", "grpc":
			sv.Scheme = "https"
		case "coap":
			sv.Scheme = "udp"
		default:
			sv.Scheme = "tcp"
		}
	}
	bad := func(why string) (*service, error) {
		return nil, fmt.Errorf("%s: service %s: %s", s.t.name(), name, why)
	}
	if sv.Port == 0 {
		switch {
		case name == "http" && sv.Scheme == "https":
			sv.Port = 443
		case name == "http" && sv.Scheme == "http":
			sv.Port = 80
		}
	}
	if sv.Port < 1 || sv.Port > 65535 {
		return bad("no port is set")
	}
	v := &service{s: s, name: name, sv: sv}
	if sv.Pin != "" {
		if v.pin = parsePin(sv.Pin); v.pin == nil {
			return bad("the TLS pin is not sha256: and 32 bytes in hex or base64")
		}
	}
	web := sv.Scheme == "http" || sv.Scheme == "https"
	switch {
	case (name == "http" || name == "grpc") && !web:
		return bad("scheme must be http or https")
	case !web && sv.Scheme != "tcp" && sv.Scheme != "tls" && sv.Scheme != "udp":
		return nil, fmt.Errorf("%s: service %s: %w: scheme %q", s.t.name(), name, errors.ErrUnsupported, sv.Scheme)
	case !web && sv.Credential.Kind != CredentialNone:
		return nil, fmt.Errorf("%s: service %s: %w: a credential on a raw stream", s.t.name(), name, errors.ErrUnsupported)
	case v.pin != nil && sv.Scheme != "https" && sv.Scheme != "tls":
		return bad("a TLS pin needs scheme https or tls")
	}
	switch c := sv.Credential; c.Kind {
	case CredentialNone, CredentialBasic, CredentialDigest, CredentialBearer, CredentialMetadata:
	default:
		return bad(fmt.Sprintf("unknown kind of credential %q", c.Kind))
	}
	return v, nil
}

// service returns the one proxy of a name.
func (s *Session) service(name string, sv Service) (*service, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.services[name]; ok {
		return v, nil
	}
	v, err := newService(s, name, sv)
	if err == nil {
		s.services[name] = v
	}
	return v, err
}

func (s *Session) openService(ctx context.Context, name string, sv Service) (net.Conn, error) {
	v, err := s.service(name, sv)
	if err != nil {
		return nil, err
	}
	if v.sv.Scheme == "http" || v.sv.Scheme == "https" {
		return v.openProxy()
	}
	c, err := v.dial(ctx, nil)
	if err != nil {
		return nil, err
	}
	_, packets := c.(*net.UDPConn)
	t := &tracked{Conn: c, s: s, packets: packets}
	if err := s.keep(t); err != nil {
		return nil, err
	}
	return t, nil
}

// tracked is a connection that ends with its session.
type tracked struct {
	net.Conn
	s       *Session
	packets bool
}

// Datagram reports whether one Read or Write is one datagram: the address,
// which would tell, is hidden.
func (t *tracked) Datagram() bool { return t.packets }

// CloseWrite ends our half of a stream, where the transport can.
func (t *tracked) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (t *tracked) Close() error {
	t.s.forget(t)
	return t.Conn.Close()
}

func (t *tracked) close() { _ = t.Conn.Close() }

// LocalAddr and RemoteAddr tell a driver no address.
func (t *tracked) LocalAddr() net.Addr  { return streamAddr("cfgvault") }
func (t *tracked) RemoteAddr() net.Addr { return streamAddr(t.s.id) }

// probe reaches the first TCP service, so that a device without SSH fails as a
// login does.
func (s *Session) probe(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(s.t.Services)) {
		v, err := s.service(name, s.t.Services[name])
		if errors.Is(err, errors.ErrUnsupported) || err == nil && v.sv.Scheme == "udp" {
			continue
		}
		if err != nil {
			return err
		}
		c, err := v.dial(ctx, nil)
		if err != nil {
			return err
		}
		_ = c.Close()
		return nil
	}
	return nil
}

// dial connects to the service, through the jump hosts, and proves its
// certificate.
func (v *service) dial(ctx context.Context, alpn []string) (net.Conn, error) {
	d := v.s.dialer
	ctx, cancel := context.WithTimeout(ctx, d.t.connectTimeout())
	defer cancel()
	addr := net.JoinHostPort(d.t.Host, strconv.Itoa(v.sv.Port))
	where := fmt.Sprintf("%s service %s", v.s.t.name(), v.name)
	if v.sv.Scheme == "udp" {
		if d.via != nil {
			return nil, fmt.Errorf("%s: %w: datagrams do not pass a jump host", where, errors.ErrUnsupported)
		}
		c, err := (&net.Dialer{}).DialContext(ctx, "udp", addr)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, where, err)
		}
		return c, nil
	}
	c, err := d.dial(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, where, err)
	}
	if v.sv.Scheme == "tcp" || v.sv.Scheme == "http" {
		return c, nil
	}
	tc := tls.Client(c, v.tlsConfig(alpn))
	// Closing is the only way to stop a handshake over a jump host, whose
	// connections have no deadlines.
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		if pinned, ok := errors.AsType[*CertError](err); ok {
			return nil, pinned
		}
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return nil, fmt.Errorf("%w: %s: %w; pin the certificate if the device signs it itself", ErrUnreachable, where, err)
		}
		return nil, fmt.Errorf("%w: %s: TLS: %s", ErrUnreachable, where, printable(err.Error()))
	}
	return tc, nil
}

func (v *service) tlsConfig(alpn []string) *tls.Config {
	c := &tls.Config{ServerName: v.s.dialer.t.Host, NextProtos: alpn, MinVersion: tls.VersionTLS12}
	if v.s.t.Legacy {
		c.MinVersion = tls.VersionTLS10
		for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
			c.CipherSuites = append(c.CipherSuites, suite.ID)
		}
	}
	if v.pin != nil {
		// The pin is the proof: devices sign their certificates themselves.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(st tls.ConnectionState) error { return v.checkPin(st.PeerCertificates) }
	}
	return c
}

func (v *service) checkPin(certs []*x509.Certificate) error {
	if len(certs) == 0 {
		return errors.New("the device shows no certificate")
	}
	whole := sha256.Sum256(certs[0].Raw)
	spki := sha256.Sum256(certs[0].RawSubjectPublicKeyInfo)
	if subtle.ConstantTimeCompare(v.pin, whole[:]) == 1 || subtle.ConstantTimeCompare(v.pin, spki[:]) == 1 {
		return nil
	}
	return &CertError{
		Device: v.s.t.name(), Service: v.name, Want: "sha256:" + hex.EncodeToString(v.pin),
		Got: []string{"sha256:" + hex.EncodeToString(whole[:]), "sha256:" + hex.EncodeToString(spki[:])},
	}
}

// parsePin returns the 32 bytes of a pin, or nil.
func parsePin(s string) []byte {
	_, s, ok := strings.Cut(s, ":")
	if !ok {
		return nil
	}
	if b, err := hex.DecodeString(strings.ReplaceAll(s, ":", "")); err == nil && len(b) == sha256.Size {
		return b
	}
	if b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "=")); err == nil && len(b) == sha256.Size {
		return b
	}
	return nil
}
