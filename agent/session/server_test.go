package session

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

const (
	canary  = "canary-Pa55-7f3b" // a secret that must never be seen
	canary2 = "canary-En4b-91ce"
)

// sshServer is an SSH server in this process.
type sshServer struct {
	t    testing.TB
	conf *ssh.ServerConfig
	key  ssh.Signer
	ln   net.Listener

	exec    func(cmd string, ch ssh.Channel) (status int) // nil: exec refused; -1: no status
	shell   func(ch ssh.Channel)                          // nil: shell refused
	subsys  func(name string, ch ssh.Channel) bool
	wrap    func(net.Conn) net.Conn // around each accepted connection
	noReply bool                    // global requests are not answered
	most    int                     // channels per connection; 0: no limit

	mu     sync.Mutex
	conns  []net.Conn
	logins int
	pty    bool
	wg     sync.WaitGroup
}

func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newServer returns a server that takes user "admin" with the canary as
// password; start begins to serve.
func newServer(t testing.TB) *sshServer {
	s := &sshServer{t: t, key: newKey(t)}
	s.conf = &ssh.ServerConfig{
		PasswordCallback: func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
			if m.User() == "admin" && string(p) == canary {
				return nil, nil
			}
			return nil, io.ErrUnexpectedEOF
		},
	}
	return s
}

func (s *sshServer) start() *sshServer {
	s.conf.AddHostKey(s.key)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.ln = ln
	s.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if s.wrap != nil {
				c = s.wrap(c)
			}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(c) })
		}
	})
	s.t.Cleanup(s.stop)
	return s
}

func (s *sshServer) stop() {
	_ = s.ln.Close()
	s.kick()
	s.wg.Wait()
}

// kick ends all connections.
func (s *sshServer) kick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *sshServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

func (s *sshServer) serve(c net.Conn) {
	defer c.Close()
	conn, chans, reqs, err := ssh.NewServerConn(c, s.conf)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.logins++
	s.mu.Unlock()
	defer conn.Close()
	if s.noReply {
		go func() {
			for range reqs {
			}
		}()
	} else {
		go ssh.DiscardRequests(reqs)
	}
	var mu sync.Mutex
	open := 0
	for nc := range chans {
		if nc.ChannelType() == "direct-tcpip" {
			s.wg.Go(func() { s.forward(nc) })
			continue
		}
		mu.Lock()
		full := s.most > 0 && open >= s.most
		if !full {
			open++
		}
		mu.Unlock()
		if full {
			_ = nc.Reject(ssh.ConnectionFailed, "open failed")
			continue
		}
		s.wg.Go(func() {
			s.channel(nc)
			mu.Lock()
			open--
			mu.Unlock()
		})
	}
}

func (s *sshServer) forward(nc ssh.NewChannel) {
	var m struct {
		Host  string
		Port  uint32
		From  string
		FPort uint32
	}
	if err := ssh.Unmarshal(nc.ExtraData(), &m); err != nil {
		_ = nc.Reject(ssh.Prohibited, "bad")
		return
	}
	c, err := net.Dial("tcp", net.JoinHostPort(m.Host, strconv.Itoa(int(m.Port))))
	if err != nil {
		_ = nc.Reject(ssh.ConnectionFailed, "refused")
		return
	}
	defer c.Close()
	ch, reqs, err := nc.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	go func() { _, _ = io.Copy(c, ch); _ = c.Close() }()
	_, _ = io.Copy(ch, c)
	_ = ch.Close()
}

func (s *sshServer) channel(nc ssh.NewChannel) {
	ch, reqs, err := nc.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	run := make(chan func(), 1)
	go func() {
		for r := range reqs {
			var m struct{ Text string }
			_ = ssh.Unmarshal(r.Payload, &m)
			var f func()
			ok := true
			switch {
			case r.Type == "pty-req":
				s.mu.Lock()
				s.pty = true
				s.mu.Unlock()
			case r.Type == "exec" && s.exec != nil:
				f = func() { s.status(ch, s.exec(m.Text, ch)) }
			case r.Type == "subsystem" && s.subsys != nil:
				f = func() { s.subsys(m.Text, ch) }
			case r.Type == "shell" && s.shell != nil:
				f = func() { s.shell(ch) }
			default:
				ok = false
			}
			_ = r.Reply(ok, nil)
			if f != nil {
				run <- f
			}
			if !ok {
				_ = ch.Close()
			}
		}
		close(run)
	}()
	if f, ok := <-run; ok {
		f()
	}
}

func (s *sshServer) status(ch ssh.Channel, n int) {
	if n >= 0 {
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ N uint32 }{uint32(n)}))
	}
}

func pin(k ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) }

func (s *sshServer) hostPort() (string, int) {
	host, port, _ := net.SplitHostPort(s.ln.Addr().String())
	n, _ := strconv.Atoi(port)
	return host, n
}

// target logs in to the server.
func (s *sshServer) target() Target {
	host, port := s.hostPort()
	return Target{
		Device: "core1", Host: host, Port: port, User: "admin",
		Auth:           []Auth{Password{secret.New(canary)}},
		HostKeys:       []string{pin(s.key.PublicKey())},
		ConnectTimeout: 5 * time.Second,
	}
}

// within returns a context for one test.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

var execInfo = plugins.Info{Name: "test", Transports: []plugins.Transport{plugins.TransportExec}}

func dial(t testing.TB, target Target, info plugins.Info) *Session {
	t.Helper()
	s, err := Dial(within(t, 60*time.Second), target, info)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// clean fails the test if an error shows a secret.
func clean(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, c := range []string{canary, canary2} {
		if strings.Contains(err.Error(), c) {
			t.Fatal("an error shows a secret")
		}
	}
}
