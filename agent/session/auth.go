package session

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cfgvault/cfgvault/agent/secret"
)

// passwordQuestion is what a question for a password looks like, in the words
// that devices use: "Password:", "Enter PASSCODE:", "admin@core1's password: ".
var passwordQuestion = regexp.MustCompile(`(?i)pass(word|code|phrase)[^:?>]{0,40}[:?>]?\s*$`)

// way is one way to log in, ready to be used.
type way struct {
	name   string // RFC 4252
	label  string // for messages: no secrets
	method ssh.AuthMethod
	unless string // not used if the server offers this method
}

// methods are all ways to log in, loaded before the device is dialled: a key
// that cannot be read is found without a connection.
type methods struct {
	ways   []way
	agents []net.Conn
	failed string // the keyboard-interactive question that has no answer
}

func (m *methods) close() {
	for _, a := range m.agents {
		_ = a.Close()
	}
}

func loadAuth(t Target, auth []Auth, p profile) (*methods, error) {
	m := &methods{}
	for _, a := range auth {
		ways, err := m.load(a, p)
		if err != nil {
			m.close()
			return nil, fmt.Errorf("%w: %s: %w", ErrAuth, t.name(), err)
		}
		m.ways = append(m.ways, ways...)
	}
	// Many devices ask for their one password by keyboard-interactive only.
	// Where both are offered it is not sent twice: that would count as two
	// failures towards a lock-out.
	if i := slices.IndexFunc(auth, func(a Auth) bool { _, ok := a.(Password); return ok }); i >= 0 &&
		!slices.ContainsFunc(auth, func(a Auth) bool { _, ok := a.(Interactive); return ok }) {
		ways, err := m.load(Interactive{Password: auth[i].(Password).Secret}, p)
		if err != nil {
			return nil, err
		}
		ways[0].unless = "password"
		m.ways = append(m.ways, ways...)
	}
	return m, nil
}

func (m *methods) load(a Auth, p profile) ([]way, error) {
	w := way{name: a.method(), label: a.method()}
	switch a := a.(type) {
	case Password:
		w.method = ssh.Password(a.Secret.Reveal())
	case Interactive:
		challenge, err := a.challenge(&m.failed)
		if err != nil {
			return nil, err
		}
		w.method = ssh.KeyboardInteractive(challenge)
	case Key:
		s, err := a.signer()
		if err != nil {
			return nil, err
		}
		s, err = restrict(s, p)
		if err != nil {
			return nil, err
		}
		w.method = ssh.PublicKeys(s)
		w.label = "publickey " + ssh.FingerprintSHA256(s.PublicKey())
	case AgentKeys:
		return m.agentWays(a, p)
	default:
		return nil, fmt.Errorf("unknown kind of credential %T", a)
	}
	return []way{w}, nil
}

// challenge answers keyboard-interactive questions. It never answers one that
// it does not know: a secret in the wrong place may be logged or echoed.
func (a Interactive) challenge(failed *string) (ssh.KeyboardInteractiveChallenge, error) {
	type rule struct {
		re *regexp.Regexp
		v  secret.Value
	}
	var rules []rule
	for _, r := range a.Replies {
		re, err := regexp.Compile(r.Prompt)
		if err != nil {
			return nil, fmt.Errorf("keyboard-interactive prompt pattern: %w", err)
		}
		rules = append(rules, rule{re, r.Secret})
	}
	if !a.Password.IsZero() {
		rules = append(rules, rule{passwordQuestion, a.Password})
	}
	return func(_, _ string, questions []string, _ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i, q := range questions {
			at := slices.IndexFunc(rules, func(r rule) bool { return r.re.MatchString(q) })
			if at < 0 {
				*failed = printable(q)
				return nil, errNoAnswer
			}
			answers[i] = rules[at].v.Reveal()
		}
		return answers, nil
	}, nil
}

var errNoAnswer = errors.New("a question has no answer")

// signer reads and decrypts the key.
func (k Key) signer() (ssh.Signer, error) {
	name := "the key"
	text := []byte(k.PEM.Reveal())
	if k.PEM.IsZero() {
		name = "key " + k.Path
		var err error
		if text, err = os.ReadFile(k.Path); err != nil {
			if pe, ok := errors.AsType[*fs.PathError](err); ok {
				err = pe.Err
			}
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	s, err := ssh.ParsePrivateKey(text)
	if _, encrypted := errors.AsType[*ssh.PassphraseMissingError](err); encrypted {
		pass := k.Passphrase
		if pass.IsZero() && k.Ask != nil {
			if pass, err = k.Ask(); err != nil {
				return nil, fmt.Errorf("%s: passphrase: %w", name, err)
			}
		}
		if pass.IsZero() {
			return nil, fmt.Errorf("%s is encrypted and no passphrase is set", name)
		}
		s, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(pass.Reveal()))
		if errors.Is(err, x509.IncorrectPasswordError) {
			return nil, fmt.Errorf("%s: the passphrase is wrong", name)
		}
	}
	if err != nil {
		// x/crypto's text may quote the file; say no more than this.
		return nil, fmt.Errorf("%s cannot be read as a private key", name)
	}
	return s, nil
}

// restrict keeps an RSA key from being used with SHA-1, unless the profile
// allows it.
func restrict(s ssh.Signer, p profile) (ssh.Signer, error) {
	if s.PublicKey().Type() != ssh.KeyAlgoRSA {
		return s, nil
	}
	as, ok := s.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("the RSA key can sign with SHA-1 only")
	}
	return ssh.NewSignerWithAlgorithms(as, p.rsa)
}

func (m *methods) agentWays(a AgentKeys, p profile) ([]way, error) {
	socket := a.Socket
	if socket == "" {
		socket = os.Getenv("SSH_AUTH_SOCK")
	}
	if socket == "" {
		return nil, errors.New("no ssh-agent: SSH_AUTH_SOCK is not set")
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	m.agents = append(m.agents, conn)
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	var ways []way
	for _, s := range signers {
		print := ssh.FingerprintSHA256(s.PublicKey())
		if a.Fingerprint != "" && a.Fingerprint != print {
			continue
		}
		if s, err = restrict(s, p); err != nil {
			return nil, err
		}
		ways = append(ways, way{name: a.method(), label: "publickey " + print + " of ssh-agent", method: ssh.PublicKeys(s)})
	}
	if len(ways) == 0 {
		if a.Fingerprint != "" {
			return nil, fmt.Errorf("ssh-agent has no key %s", a.Fingerprint)
		}
		return nil, errors.New("ssh-agent has no keys")
	}
	return ways, nil
}

// attempt walks through the ways on one connection.
type attempt struct {
	m       *methods
	ways    []way
	started bool // the server has seen our user
	tried   []string
	offered []string
}

func (m *methods) attempt() *attempt { return &attempt{m: m, ways: m.ways} }

// errNoMore ends a login once every way that the server offers was tried.
var errNoMore = errors.New("no other way to log in")

// next picks the next way that the server offers, in the inventory's order.
func (a *attempt) next(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	a.started = true
	a.offered = c.AllowedMethods
	for i, w := range a.ways {
		if !slices.Contains(c.AllowedMethods, w.name) || w.unless != "" && slices.Contains(c.AllowedMethods, w.unless) {
			continue
		}
		a.ways = slices.Delete(slices.Clone(a.ways), i, i+1)
		a.tried = append(a.tried, w.label)
		return w.method, nil
	}
	return nil, errNoMore
}

func (a *attempt) summary() string {
	tried := "tried nothing"
	if len(a.tried) > 0 {
		tried = "tried " + strings.Join(a.tried, ", ")
	}
	if a.m.failed != "" {
		tried += fmt.Sprintf(", which asks %q, and no answer to that is set", a.m.failed)
	}
	return fmt.Sprintf("%s; the device offers %s", tried, printable(strings.Join(a.offered, ", ")))
}
