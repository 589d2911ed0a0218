package session

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// echoes checks that a session works.
func echoes(t *testing.T, s *Session) {
	t.Helper()
	out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "echo on"})
	if err != nil || string(out.Stdout) != "on\n" {
		t.Errorf("%q %v", out.Stdout, err)
	}
}

func TestHostKey(t *testing.T) {
	srv := unixServer(t)
	target := srv.target()
	target.HostKeys = nil
	_, err := Dial(within(t, 10*time.Second), target, execInfo)
	if !errors.Is(err, ErrHostKeyUnknown) || !strings.Contains(err.Error(), ssh.FingerprintSHA256(srv.key.PublicKey())) {
		t.Errorf("no pin: %v", err)
	}
	old := newKey(t).PublicKey()
	target.HostKeys = []string{pin(old)}
	_, err = Dial(within(t, 10*time.Second), target, execInfo)
	changed, ok := errors.AsType[*HostKeyError](err)
	if !ok || !slices.Equal(changed.Want, []string{ssh.FingerprintSHA256(old)}) || !slices.Equal(changed.Got, []string{ssh.FingerprintSHA256(srv.key.PublicKey())}) {
		t.Errorf("changed key: %v", err)
	}
	// A key of another type is a changed key too, not a failed negotiation.
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaSigner, err := ssh.NewSignerFromKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	target.HostKeys = []string{pin(rsaSigner.PublicKey())}
	_, err = Dial(within(t, 10*time.Second), target, execInfo)
	if _, ok := errors.AsType[*HostKeyError](err); !ok {
		t.Errorf("changed type: %v", err)
	}
	if srv.count() != 0 {
		t.Error("a login was tried")
	}
	// With several keys the server shows the one that is pinned.
	srv2 := newServer(t)
	srv2.conf.AddHostKey(rsaSigner)
	srv2.exec = func(_ string, ch ssh.Channel) int { fmt.Fprintln(ch, "on"); return 0 }
	srv2.start()
	target = srv2.target()
	target.HostKeys = []string{pin(rsaSigner.PublicKey())}
	echoes(t, dial(t, target, execInfo))
	keys, err := HostKeys(within(t, 20*time.Second), target)
	if err != nil || len(keys) != 2 || keys[0].Type() != ssh.KeyAlgoED25519 || keys[1].Type() != ssh.KeyAlgoRSA {
		t.Errorf("HostKeys: %v %v", keys, err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close()
	target := Target{Device: "core1", Host: "127.0.0.1", Port: port, HostKeys: []string{pin(newKey(t).PublicKey())}}
	if _, err := Dial(within(t, 20*time.Second), target, execInfo); !errors.Is(err, ErrUnreachable) {
		t.Errorf("refused: %v", err)
	}
	if _, err := HostKeys(within(t, 20*time.Second), target); !errors.Is(err, ErrUnreachable) {
		t.Errorf("HostKeys: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Dial(ctx, target, execInfo); !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A server that hangs up before the login is tried again; after it, never.
func TestDialRetries(t *testing.T) {
	srv := newServer(t)
	srv.exec = func(_ string, ch ssh.Channel) int { fmt.Fprintln(ch, "on"); return 0 }
	var n atomic.Int32
	srv.wrap = func(c net.Conn) net.Conn {
		if n.Add(1) == 1 {
			_ = c.Close()
		}
		return c
	}
	echoes(t, dial(t, srv.start().target(), execInfo))
	if n.Load() != 2 {
		t.Errorf("%d connections", n.Load())
	}

	srv = newServer(t)
	n.Store(0)
	srv.wrap = func(c net.Conn) net.Conn { n.Add(1); return c }
	target := srv.start().target()
	target.Auth = []Auth{Password{secret.New(canary2)}}
	_, err := Dial(within(t, 20*time.Second), target, execInfo)
	clean(t, err)
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "tried password") || n.Load() != 1 {
		t.Errorf("%v after %d connections", err, n.Load())
	}
}

// A banner or greeting without end is cut.
func TestEndlessBanner(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for {
					if _, err := io.WriteString(c, strings.Repeat("welcome ", 100)); err != nil {
						return
					}
				}
			}()
		}
	}()
	target := Target{Device: "core1", Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, HostKeys: []string{pin(newKey(t).PublicKey())}}
	if _, err := Dial(within(t, 20*time.Second), target, execInfo); !errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	srv := newServer(t)
	srv.conf.BannerCallback = func(ssh.ConnMetadata) string { return strings.Repeat("welcome ", 10000) }
	if _, err := Dial(within(t, 20*time.Second), srv.start().target(), execInfo); err != nil {
		t.Errorf("a long banner: %v", err)
	}
}

func TestInteractive(t *testing.T) {
	srv := newServer(t)
	srv.exec = func(_ string, ch ssh.Channel) int { fmt.Fprintln(ch, "on"); return 0 }
	srv.conf.PasswordCallback = nil
	questions := []string{"User Access Verification\nPassword: "}
	var asked atomic.Int32
	srv.conf.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		asked.Add(1)
		got, err := ask("", "", questions, make([]bool, len(questions)))
		if err != nil || got[0] != canary || len(got) > 1 && got[1] != canary2 {
			return nil, errors.New("no")
		}
		_, err = ask("", "Welcome", nil, nil) // PAM ends like this
		return nil, err
	}
	target := srv.start().target()
	for _, q := range []string{"User Access Verification\nPassword: ", "admin@core1's password:", "Enter PASSCODE for admin: ", "(admin@core1) Password:"} {
		questions = []string{q}
		echoes(t, dial(t, target, execInfo)) // Password answers it
	}
	// Two questions, the second in words of its own.
	questions = []string{"Password: ", "One-time code from your token> "}
	asked.Store(0)
	_, err := Dial(within(t, 20*time.Second), target, execInfo)
	clean(t, err)
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "One-time code") || asked.Load() != 1 {
		t.Errorf("an unknown question: %v", err)
	}
	target.Auth = []Auth{Interactive{Password: secret.New(canary), Replies: []Reply{{`(?i)one-time code`, secret.New(canary2)}}}}
	echoes(t, dial(t, target, execInfo))
	target.Auth = []Auth{Interactive{Password: secret.New(canary2)}}
	questions = questions[:1]
	_, err = Dial(within(t, 20*time.Second), target, execInfo)
	clean(t, err)
	if !errors.Is(err, ErrAuth) {
		t.Errorf("a wrong answer: %v", err)
	}
}

// Where password and keyboard-interactive are both offered, a wrong password
// is sent once.
func TestPasswordOnce(t *testing.T) {
	srv := newServer(t)
	var sent atomic.Int32
	srv.conf.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		sent.Add(1)
		return nil, errors.New("no")
	}
	srv.conf.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		sent.Add(1)
		_, _ = ask("", "", []string{"Password: "}, []bool{false})
		return nil, errors.New("no")
	}
	_, err := Dial(within(t, 20*time.Second), srv.start().target(), execInfo)
	clean(t, err)
	if !errors.Is(err, ErrAuth) || sent.Load() != 1 {
		t.Errorf("%v; sent %d times", err, sent.Load())
	}
}

// keyServer takes one public key.
func keyServer(t *testing.T, key ssh.PublicKey) *sshServer {
	srv := newServer(t)
	srv.exec = func(_ string, ch ssh.Channel) int { fmt.Fprintln(ch, "on"); return 0 }
	srv.conf.PasswordCallback = nil
	srv.conf.PublicKeyCallback = func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if string(k.Marshal()) == string(key.Marshal()) {
			return nil, nil
		}
		return nil, errors.New("no")
	}
	return srv.start()
}

func TestKeys(t *testing.T) {
	t.Parallel()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := ssh.MarshalPrivateKeyWithPassphrase(priv, "", []byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(path, pem.EncodeToMemory(sealed), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := keyServer(t, key)
	target := srv.target()
	for name, a := range map[string][]Auth{
		"text":        {Key{PEM: secret.New(string(pem.EncodeToMemory(plain)))}},
		"encrypted":   {Key{Path: path, Passphrase: secret.New(canary)}},
		"asked for":   {Key{Path: path, Ask: func() (secret.Value, error) { return secret.New(canary), nil }}},
		"second key":  {Key{PEM: secret.New(otherKey(t))}, Key{Path: path, Passphrase: secret.New(canary)}},
		"after other": {Password{secret.New(canary)}, Key{Path: path, Passphrase: secret.New(canary)}},
	} {
		t.Run(name, func(t *testing.T) {
			target.Auth = a
			echoes(t, dial(t, target, execInfo))
		})
	}
	before := srv.count()
	for name, c := range map[string]struct {
		a    Auth
		want string
	}{
		"wrong passphrase": {Key{Path: path, Passphrase: secret.New(canary2)}, "passphrase is wrong"},
		"no passphrase":    {Key{Path: path}, "no passphrase is set"},
		"no file":          {Key{Path: path + "x"}, "no such file"},
		"not a key":        {Key{PEM: secret.New(canary)}, "cannot be read as a private key"},
		"another key":      {Key{PEM: secret.New(otherKey(t))}, "tried publickey SHA256:"},
	} {
		target.Auth = []Auth{c.a}
		_, err := Dial(within(t, 20*time.Second), target, execInfo)
		clean(t, err)
		if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if srv.count() != before {
		t.Error("a bad key logged in")
	}
}

func otherKey(t *testing.T) string {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func TestAgentKeys(t *testing.T) {
	ring := agent.NewKeyring()
	var last ssh.PublicKey
	for range 2 {
		_, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := ring.Add(agent.AddedKey{PrivateKey: priv}); err != nil {
			t.Fatal(err)
		}
		s, err := ssh.NewSignerFromKey(priv)
		if err != nil {
			t.Fatal(err)
		}
		last = s.PublicKey()
	}
	socket := filepath.Join(t.TempDir(), "agent")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c); _ = c.Close() }()
		}
	}()
	target := keyServer(t, last).target()
	target.Auth = []Auth{AgentKeys{Socket: socket}}
	echoes(t, dial(t, target, execInfo))
	target.Auth = []Auth{AgentKeys{Socket: socket, Fingerprint: ssh.FingerprintSHA256(last)}}
	echoes(t, dial(t, target, execInfo))
	target.Auth = []Auth{AgentKeys{Socket: socket + "x"}}
	if _, err := Dial(within(t, 5*time.Second), target, execInfo); !errors.Is(err, ErrAuth) {
		t.Errorf("no agent: %v", err)
	}
}

func TestAlgorithms(t *testing.T) {
	for name, weaken := range map[string]func(*ssh.ServerConfig){
		"kex":    func(c *ssh.ServerConfig) { c.KeyExchanges = []string{ssh.InsecureKeyExchangeDH14SHA1} },
		"group1": func(c *ssh.ServerConfig) { c.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1} },
		"cipher": func(c *ssh.ServerConfig) { c.Ciphers = []string{ssh.InsecureCipherAES128CBC} },
		"mac": func(c *ssh.ServerConfig) {
			c.Ciphers, c.MACs = []string{ssh.CipherAES128CTR}, []string{ssh.HMACSHA1}
		},
	} {
		srv := newServer(t)
		srv.exec = func(_ string, ch ssh.Channel) int { fmt.Fprintln(ch, "on"); return 0 }
		weaken(srv.conf)
		target := srv.start().target()
		_, err := Dial(within(t, 20*time.Second), target, execInfo)
		if !errors.Is(err, ErrWeak) || !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "legacy profile") {
			t.Errorf("%s: strict: %v", name, err)
			continue
		}
		target.Legacy = true
		echoes(t, dial(t, target, execInfo))
	}
	// An RSA host key that can only sign with SHA-1.
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = ssh.NewSignerWithAlgorithms(s.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA}); err != nil {
		t.Fatal(err)
	}
	srv := newServer(t)
	srv.key = s
	srv.exec = func(_ string, ch ssh.Channel) int { fmt.Fprintln(ch, "on"); return 0 }
	target := srv.start().target()
	if _, err := Dial(within(t, 20*time.Second), target, execInfo); !errors.Is(err, ErrWeak) {
		t.Errorf("ssh-rsa: %v", err)
	}
	if _, err := HostKeys(within(t, 20*time.Second), target); !errors.Is(err, ErrWeak) {
		t.Errorf("ssh-rsa: HostKeys: %v", err)
	}
	target.Legacy = true
	echoes(t, dial(t, target, execInfo))
}

func TestJump(t *testing.T) {
	first, second, device := newServer(t).start(), newServer(t).start(), unixServer(t)
	target := device.target()
	a, b := first.target(), second.target()
	a.Device, b.Device = "hop1", "hop2"
	target.Jump = []Target{a, b}
	s := dial(t, target, execInfo)
	echoes(t, s)
	if first.count() != 1 || second.count() != 1 {
		t.Errorf("logins on the jump hosts: %d, %d", first.count(), second.count())
	}
	if keys, err := HostKeys(within(t, 20*time.Second), target); err != nil || len(keys) != 1 {
		t.Errorf("HostKeys: %v %v", keys, err)
	}
	// A read survives the loss of a jump host.
	first.kick()
	echoes(t, s)
	target.Jump[0].HostKeys = []string{pin(newKey(t).PublicKey())}
	_, err := Dial(within(t, 20*time.Second), target, execInfo)
	if e, ok := errors.AsType[*HostKeyError](err); !ok || e.Device != "hop1" {
		t.Errorf("the jump host's key: %v", err)
	}
}

func TestSSHConfig(t *testing.T) {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("id", string(pem.EncodeToMemory(block)))
	device, hop := keyServer(t, signer.PublicKey()), keyServer(t, signer.PublicKey())
	_, port := device.hostPort()
	_, hopPort := hop.hostPort()
	known := write("known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s\n", hopPort, pin(hop.key.PublicKey())))
	conf := write("config", fmt.Sprintf(`
Host core1
	HostName 127.0.0.1
	Port %d
	ProxyJump bastion
Host bastion
	HostName 127.0.0.1
	Port %d
	UserKnownHostsFile %s
Host *
	User admin
	IdentityFile id
	IdentityFile missing
`, port, hopPort, known))
	target := Target{Host: "core1", SSHConfig: conf, HostKeys: []string{pin(device.key.PublicKey())}}
	// UserKnownHostsFile is asked of the jump host's own section.
	echoes(t, dial(t, target, execInfo))
	if hop.count() != 1 {
		t.Errorf("%d logins on the jump host", hop.count())
	}
	write("known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s\n", hopPort, pin(device.key.PublicKey())))
	if _, err := Dial(within(t, 20*time.Second), target, execInfo); func() bool { _, ok := errors.AsType[*HostKeyError](err); return !ok }() {
		t.Errorf("changed key in known_hosts: %v", err)
	}
	write("known_hosts", "")
	if _, err := Dial(within(t, 20*time.Second), target, execInfo); !errors.Is(err, ErrHostKeyUnknown) {
		t.Errorf("empty known_hosts: %v", err)
	}
	// What the inventory says wins.
	target.Port, target.User = 1, "nobody"
	target.Jump = []Target{}
	d, _, err := resolve(target)
	if err != nil || d.Port != 1 || d.User != "nobody" || d.Host != "127.0.0.1" {
		t.Errorf("%+v %v", d, err)
	}
	write("config", "Host core1\n\tProxyJump core1\n")
	if _, err := Dial(within(t, 5*time.Second), Target{Host: "core1", SSHConfig: conf}, execInfo); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("a circle: %v", err)
	}
	if _, err := Dial(within(t, 5*time.Second), Target{Host: "core1", SSHConfig: conf + "x"}, execInfo); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// blackHole stops passing bytes, in both directions, without closing.
type blackHole struct {
	net.Conn
	gone chan struct{}
	once *sync.Once
}

func (b blackHole) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	select {
	case <-b.gone:
		if err == nil {
			return b.Read(p)
		}
	default:
	}
	return n, err
}

func (b blackHole) Write(p []byte) (int, error) {
	select {
	case <-b.gone:
		return len(p), nil
	default:
		return b.Conn.Write(p)
	}
}

func TestKeepAlive(t *testing.T) {
	srv := newServer(t)
	gone := make(chan struct{})
	srv.wrap = func(c net.Conn) net.Conn { return blackHole{c, gone, new(sync.Once)} }
	srv.exec = func(_ string, ch ssh.Channel) int {
		close(gone)
		_, _ = io.Copy(io.Discard, ch)
		return 0
	}
	target := srv.start().target()
	target.KeepAlive = 50 * time.Millisecond
	s := dial(t, target, execInfo)
	start := time.Now()
	_, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "x", Write: true})
	if !errors.Is(err, plugins.ErrSessionLost) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}

	// A healthy, idle one lives on.
	srv = unixServer(t)
	target = srv.target()
	target.KeepAlive = 20 * time.Millisecond
	s = dial(t, target, execInfo)
	deadline := time.NewTimer(300 * time.Millisecond)
	<-deadline.C
	echoes(t, s)
	if srv.count() != 1 {
		t.Errorf("%d logins", srv.count())
	}
}

// Many sessions at once, each with commands at once.
func TestConcurrentSessions(t *testing.T) {
	d := newDevice()
	sh := serveDevice(t, d)
	ex := unixServer(t)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			target, info := ex.target(), execInfo
			cmd, want := plugins.Command{Text: "echo on"}, "on\n"
			if i%2 == 0 {
				target, info = deviceTarget(sh), shellInfo
				cmd, want = plugins.Command{Text: "show running-config"}, config
			}
			s, err := Dial(within(t, 50*time.Second), target, info)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			var in sync.WaitGroup
			for range 4 {
				in.Go(func() {
					out, err := s.Run(within(t, 50*time.Second), cmd)
					if err != nil || string(out.Stdout) != want {
						t.Errorf("%q %v", out.Stdout, err)
					}
				})
			}
			in.Wait()
		})
	}
	wg.Wait()
}
