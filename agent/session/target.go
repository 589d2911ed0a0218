package session

import (
	"time"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// Defaults for the zero values of a Target.
const (
	DefaultPort           = 22
	DefaultTelnetPort     = 23
	DefaultConnectTimeout = 15 * time.Second
	DefaultKeepAlive      = 15 * time.Second
	DefaultMaxOutput      = 128 << 20
	DefaultMaxSessions    = 10 // OpenSSH's MaxSessions: channels on one connection
	DefaultMaxShells      = 3  // logins on a shell: many devices have five, for all their users
)

// Target says where a device is, how to prove who it is and how to log in.
type Target struct {
	Device string // name for messages and errors
	Host   string // name or address, as in the inventory
	Port   int    // 0: DefaultPort, of Telnet DefaultTelnetPort; a console has none by default

	// Transport is empty for SSH, or TransportTelnet or TransportConsole, which
	// nothing encrypts and which prove nothing of the device. The device itself
	// then asks for User and the first password of Auth; keys are of no use.
	Transport plugins.Transport
	// Negotiate has the console server speak Telnet (RFC 854) around the serial
	// line instead of passing bytes as they are.
	Negotiate bool

	User string

	// Auth is tried in order, as far as the device offers the method. Each is
	// tried once: a device may lock a user out after a few failures.
	Auth []Auth

	// HostKeys pins the device, in authorized_keys form: "ssh-ed25519 AAAA…".
	// Without a pin nothing is sent: the login fails with ErrHostKeyUnknown.
	HostKeys []string

	// Legacy adds algorithms that are no longer safe, for a device that has
	// no others. Every listing shows it.
	Legacy bool

	// Jump are the hosts to go through, the one nearest to us first; each has
	// pins and credentials of its own.
	Jump []Target

	// SSHConfig is the path of an OpenSSH client configuration, honoured for
	// HostName, Port, User, IdentityFile and ProxyJump; empty: none. A field
	// that is set here wins. Jump hosts that come from ProxyJump are proved by
	// the configuration's UserKnownHostsFile.
	SSHConfig string

	Enable secret.Value // password that raises privilege on a shell

	Services map[string]Service // by name, for Open: "http", "grpc", "ovsdb", "coap"
	Options  map[string]string  // driver options

	ConnectTimeout time.Duration // to connect, and again to log in to SSH; 0: DefaultConnectTimeout
	KeepAlive      time.Duration // silence after which the device is asked for a sign of life, and then the time it has; 0: DefaultKeepAlive; negative: never
	MaxOutput      int64         // bytes that one command or response may print; 0: DefaultMaxOutput

	proxied int           // how many ProxyJump lines led here
	hold    time.Duration // 0: holdTime
}

// Auth is a way to log in: Password, Interactive, Key or AgentKeys.
type Auth interface {
	method() string // RFC 4252 name
}

// Password is the "password" method. A device that offers only
// keyboard-interactive is answered with it too, where the question looks like
// one for a password.
type Password struct{ Secret secret.Value }

// Interactive answers keyboard-interactive questions (RFC 4256). A question
// that no Reply matches is answered with Password if it looks like one for a
// password; any other question ends the attempt.
type Interactive struct {
	Password secret.Value
	Replies  []Reply
}

// Reply is the answer to a keyboard-interactive question.
type Reply struct {
	Prompt string // RE2, matched against the question
	Secret secret.Value
}

// Key is a private key, from a file or as PEM text.
type Key struct {
	Path       string
	PEM        secret.Value                 // instead of Path
	Passphrase secret.Value                 // of an encrypted key
	Ask        func() (secret.Value, error) // asked for the passphrase if the key is encrypted and Passphrase is empty
}

// AgentKeys are the keys of an ssh-agent.
type AgentKeys struct {
	Socket      string // path; empty: $SSH_AUTH_SOCK
	Fingerprint string // offer only this key, "SHA256:…"; empty: all, in the agent's order
}

func (Password) method() string    { return "password" }
func (Interactive) method() string { return "keyboard-interactive" }
func (Key) method() string         { return "publickey" }
func (AgentKeys) method() string   { return "publickey" }

// Service is a service of the device beside SSH.
type Service struct {
	Port int
	// Scheme is "https" or "http" for http and grpc, "tls", "tcp" or "udp" for
	// streams. Empty: "https" for "http" and "grpc", "udp" for "coap", "tcp" for
	// others.
	Scheme string
	// Pin is the SHA-256 of the certificate or of its public key (SPKI),
	// "sha256:" and hex or base64. Without a pin the certificate must be valid
	// for Target.Host under the system's roots.
	Pin        string
	Credential Credential
}

// Credential is what the agent adds to requests; plugins never see it.
type Credential struct {
	Kind     CredentialKind
	User     string                  // Basic and Digest
	Secret   secret.Value            // password or token
	Metadata map[string]secret.Value // CredentialMetadata: header fields, lower case
}

// CredentialKind says how a Credential is presented.
type CredentialKind string

// The kinds of credentials.
const (
	CredentialNone     CredentialKind = ""
	CredentialBasic    CredentialKind = "basic"    // RFC 7617
	CredentialDigest   CredentialKind = "digest"   // RFC 7616
	CredentialBearer   CredentialKind = "bearer"   // RFC 6750
	CredentialMetadata CredentialKind = "metadata" // gRPC metadata, or header fields such as an API key
)

func (t Target) connectTimeout() time.Duration {
	if t.ConnectTimeout > 0 {
		return t.ConnectTimeout
	}
	return DefaultConnectTimeout
}

func (t Target) holdEnd() time.Duration {
	if t.hold > 0 {
		return t.hold
	}
	return holdTime
}

func (t Target) keepAlive() time.Duration {
	if t.KeepAlive != 0 {
		return t.KeepAlive
	}
	return DefaultKeepAlive
}

func (t Target) maxOutput() int64 {
	if t.MaxOutput > 0 {
		return t.MaxOutput
	}
	return DefaultMaxOutput
}

// name is what messages call the target.
func (t Target) name() string {
	if t.Device != "" {
		return t.Device
	}
	return t.Host
}
