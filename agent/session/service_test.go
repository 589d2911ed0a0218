package session

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// iotInfo is a driver that names no transport: services only.
var iotInfo = plugins.Info{Name: "iot"}

// recorder keeps what crosses a connection, as the plugin's side sees it.
type recorder struct {
	net.Conn
	mu  *sync.Mutex
	all *bytes.Buffer
}

func (r recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all.Write(p[:n])
	return n, err
}

// pluginClient is the HTTP client of a driver.
func pluginClient(s *Session, service string, protocols func(*http.Protocols)) (*http.Client, func() string) {
	var mu sync.Mutex
	var all bytes.Buffer
	tr := &http.Transport{Protocols: new(http.Protocols)}
	protocols(tr.Protocols)
	tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := s.Open(ctx, service, "")
		if err != nil {
			return nil, err
		}
		return recorder{c, &mu, &all}, nil
	}
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		func() string { mu.Lock(); defer mu.Unlock(); return all.String() }
}

func h1(p *http.Protocols)  { p.SetHTTP1(true) }
func h2c(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }

func serviceTarget(t *testing.T, rawURL string, sv Service, name string) Target {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	sv.Port, _ = strconv.Atoi(u.Port())
	sv.Scheme = u.Scheme
	return Target{Device: "shelly1", Host: u.Hostname(), Services: map[string]Service{name: sv}, ConnectTimeout: 5 * time.Second}
}

func fetch(t *testing.T, c *http.Client, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer of-the-plugin")
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestHTTPCredentials(t *testing.T) {
	for _, c := range []struct {
		cred Credential
		ok   func(*http.Request) bool
	}{
		{Credential{Kind: CredentialBasic, User: "admin", Secret: secret.New(canary)}, func(r *http.Request) bool {
			u, p, ok := r.BasicAuth()
			return ok && u == "admin" && p == canary
		}},
		{Credential{Kind: CredentialBearer, Secret: secret.New(canary)}, func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "Bearer "+canary
		}},
		{Credential{Kind: CredentialMetadata, Metadata: map[string]secret.Value{"x-api-key": secret.New(canary)}}, func(r *http.Request) bool {
			return r.Header.Get("X-Api-Key") == canary
		}},
		{Credential{}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer of-the-plugin" }},
	} {
		for name, proto := range map[string]func(*http.Protocols){"h1": h1, "h2c": h2c} {
			t.Run(fmt.Sprintf("%s %s", c.cred.Kind, name), func(t *testing.T) {
				web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					if !c.ok(r) {
						w.WriteHeader(http.StatusUnauthorized)
					}
					fmt.Fprintf(w, "%s %s %s", r.Method, r.URL, body)
				}))
				defer web.Close()
				s := dial(t, serviceTarget(t, web.URL, Service{Credential: c.cred}, "http"), iotInfo)
				client, seen := pluginClient(s, "http", proto)
				// Whatever host the plugin names, the request goes to its device.
				code, body := fetch(t, client, "POST", "http://elsewhere.example:99/rpc?a=b%20c", "body")
				if code != 200 || body != "POST /rpc?a=b%20c body" {
					t.Errorf("%d %q", code, body)
				}
				if strings.Contains(seen(), canary) {
					t.Error("the plugin saw the credential")
				}
			})
		}
	}
}

// digestServer checks Digest as RFC 7616 section 3.4 says it, on its own.
func digestServer(t *testing.T, algorithm string, sum func() hash.Hash, qop, password string) (*httptest.Server, *atomic.Int32) {
	var challenges atomic.Int32
	h := func(s ...string) string {
		x := sum()
		_, _ = io.WriteString(x, strings.Join(s, ":"))
		return hex.EncodeToString(x.Sum(nil))
	}
	nonce := "n-1"
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if got := splitChallenges(r.Header.Get("Authorization")); len(got) == 1 && got[0]["nonce"] == nonce {
			p := got[0]
			a1 := h("admin", `we"ird, realm`, password)
			if strings.HasSuffix(algorithm, "-sess") {
				a1 = h(a1, p["nonce"], p["cnonce"])
			}
			want := h(a1, p["nonce"], h(r.Method, p["uri"]))
			if qop != "" {
				want = h(a1, p["nonce"], p["nc"], p["cnonce"], "auth", h(r.Method, p["uri"]))
			}
			if p["response"] == want && p["uri"] == r.RequestURI && p["username"] == "admin" && p["opaque"] == "o" {
				fmt.Fprintf(w, "%s nc=%s %s", r.Method, p["nc"], body)
				return
			}
		}
		challenges.Add(1)
		c := fmt.Sprintf(`Digest realm="we\"ird, realm", nonce="%s", opaque="o", algorithm=%s`, nonce, algorithm)
		if qop != "" {
			c += fmt.Sprintf(`, qop="%s"`, qop)
		}
		w.Header().Add("WWW-Authenticate", `Basic realm="x"`)
		w.Header().Add("WWW-Authenticate", c)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(web.Close)
	return web, &challenges
}

func TestDigest(t *testing.T) {
	for _, c := range []struct {
		algorithm string
		sum       func() hash.Hash
		qop       string
	}{{"MD5", md5.New, "auth"}, {"SHA-256", sha256.New, "auth-int,auth"}, {"MD5-sess", md5.New, "auth"}, {"MD5", md5.New, ""}} {
		web, challenges := digestServer(t, c.algorithm, c.sum, c.qop, canary)
		cred := Credential{Kind: CredentialDigest, User: "admin", Secret: secret.New(canary)}
		s := dial(t, serviceTarget(t, web.URL, Service{Credential: cred}, "http"), iotInfo)
		client, seen := pluginClient(s, "http", h1)
		for i := range 3 {
			code, body := fetch(t, client, "POST", "http://device/rpc?x=1", "body")
			nc := ""
			if c.qop != "" {
				nc = fmt.Sprintf("%08x", i+1)
			}
			if code != 200 || body != "POST nc="+nc+" body" {
				t.Errorf("%s %s: %d %q", c.algorithm, c.qop, code, body)
			}
		}
		if challenges.Load() != 1 {
			t.Errorf("%s: challenged %d times", c.algorithm, challenges.Load())
		}
		if strings.Contains(seen(), canary) {
			t.Error("the plugin saw the password")
		}
		// A wrong password is sent once per request.
		cred.Secret = secret.New(canary2)
		s = dial(t, serviceTarget(t, web.URL, Service{Credential: cred}, "http"), iotInfo)
		client, _ = pluginClient(s, "http", h1)
		challenges.Store(0)
		if code, _ := fetch(t, client, "GET", "http://device/", ""); code != 401 || challenges.Load() != 2 {
			t.Errorf("wrong password: %d after %d challenges", code, challenges.Load())
		}
	}
}

func TestTLSPin(t *testing.T) {
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	web.EnableHTTP2 = true
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	defer web.Close()
	cert := sha256.Sum256(web.Certificate().Raw)
	spki := sha256.Sum256(web.Certificate().RawSubjectPublicKeyInfo)
	for _, p := range []string{
		"sha256:" + hex.EncodeToString(cert[:]),
		"sha256:" + hex.EncodeToString(spki[:]),
		"SHA256:" + base64.StdEncoding.EncodeToString(spki[:]),
	} {
		s := dial(t, serviceTarget(t, web.URL, Service{Pin: p}, "http"), iotInfo)
		client, _ := pluginClient(s, "http", h1)
		if code, body := fetch(t, client, "GET", "http://device/", ""); code != 200 || body != "HTTP/1.1" {
			t.Errorf("%s: %d %q", p, code, body)
		}
		s = dial(t, serviceTarget(t, web.URL, Service{Pin: p}, "grpc"), iotInfo)
		client, _ = pluginClient(s, "grpc", h2c)
		if code, body := fetch(t, client, "GET", "http://device/", ""); code != 200 || body != "HTTP/2.0" {
			t.Errorf("grpc %s: %d %q", p, code, body)
		}
	}
	wrong := "sha256:" + strings.Repeat("00", 32)
	_, err := Dial(within(t, 10*time.Second), serviceTarget(t, web.URL, Service{Pin: wrong}, "http"), iotInfo)
	if e, ok := errors.AsType[*CertError](err); !ok || e.Want != wrong || e.Got[0] != "sha256:"+hex.EncodeToString(cert[:]) {
		t.Errorf("wrong pin: %v", err)
	}
	if _, err := Dial(within(t, 10*time.Second), serviceTarget(t, web.URL, Service{}, "http"), iotInfo); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "pin") {
		t.Errorf("no pin: %v", err)
	}
	if _, err := Dial(within(t, 10*time.Second), serviceTarget(t, web.URL, Service{Pin: "sha256:zz"}, "http"), iotInfo); err == nil {
		t.Error("a malformed pin was taken")
	}
	// A pin that turns wrong later reaches the plugin as a 502 without a secret.
	target := serviceTarget(t, web.URL, Service{Pin: wrong, Credential: Credential{Kind: CredentialBearer, Secret: secret.New(canary)}}, "http")
	srv := unixServer(t)
	full := srv.target()
	full.Services = target.Services
	s := dial(t, full, execInfo)
	client, seen := pluginClient(s, "http", h1)
	if code, body := fetch(t, client, "GET", "http://device/", ""); code != 502 || !strings.Contains(body, "not the pinned one") {
		t.Errorf("%d %q", code, body)
	}
	if strings.Contains(seen(), canary) {
		t.Error("the plugin saw the token")
	}
}

func TestProxyRefuses(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
		}
	}))
	defer web.Close()
	target := serviceTarget(t, web.URL, Service{}, "http")
	target.MaxOutput = 100000
	s := dial(t, target, iotInfo)
	client, _ := pluginClient(s, "http", h1)
	for _, m := range []string{"TRACE", "CONNECT"} {
		c, err := s.Open(within(t, 5*time.Second), "http", "")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = fmt.Fprintf(c, "%s /x HTTP/1.1\r\nHost: x\r\n\r\n", m) }()
		line := make([]byte, 12)
		if _, err := io.ReadFull(c, line); err != nil || string(line) != "HTTP/1.1 405" {
			t.Errorf("%s: %q %v", m, line, err)
		}
		_ = c.Close()
	}
	resp, err := client.Get("http://device/big")
	if err == nil {
		if _, err = io.ReadAll(resp.Body); err == nil && resp.StatusCode == 200 {
			t.Error("an answer passed that is too large")
		}
		_ = resp.Body.Close()
	}
	web.Close()
	if code, body := fetch(t, client, "GET", "http://device/", ""); code != 502 || strings.Contains(body, "127.0.0.1") {
		t.Errorf("unreachable: %d %q", code, body)
	}
	if _, err := Dial(within(t, 10*time.Second), target, iotInfo); !errors.Is(err, ErrUnreachable) {
		t.Errorf("Dial: %v", err)
	}
	_ = s.Close()
	if _, err := s.Open(within(t, 5*time.Second), "http", ""); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("after Close: %v", err)
	}
}

// Through a jump host, services take the same way as SSH.
func TestHTTPThroughJump(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "on") }))
	defer web.Close()
	hop := newServer(t).start()
	target := serviceTarget(t, web.URL, Service{}, "http")
	target.Jump = []Target{hop.target()}
	s := dial(t, target, iotInfo)
	client, _ := pluginClient(s, "http", h1)
	if code, body := fetch(t, client, "GET", "http://device/", ""); code != 200 || body != "on" {
		t.Errorf("%d %q", code, body)
	}
	if hop.count() != 1 {
		t.Errorf("%d logins on the jump host", hop.count())
	}
}

func TestRawStreams(t *testing.T) {
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
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	go func() {
		b := make([]byte, 2048)
		for {
			n, a, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(b[:n], a)
		}
	}()
	s := dial(t, Target{Host: "127.0.0.1", Services: map[string]Service{
		"ovsdb": {Port: ln.Addr().(*net.TCPAddr).Port},
		"coap":  {Port: pc.LocalAddr().(*net.UDPAddr).Port},
		"dtls":  {Port: 5684, Scheme: "dtls"},
	}}, iotInfo)
	for _, name := range []string{"ovsdb", "coap"} {
		c, err := s.Open(within(t, 5*time.Second), name, "")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := c.Write([]byte("ping")); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 100)
			if n, err := c.Read(b); err != nil || string(b[:n]) != "ping" {
				t.Errorf("%s: %q %v", name, b[:n], err)
			}
		}
		if strings.Contains(c.RemoteAddr().String(), "127.0.0.1") {
			t.Errorf("%s tells the plugin an address", name)
		}
		if name == "coap" {
			_ = s.Close()
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("a stream outlives its session")
			}
		}
	}
	s = dial(t, Target{Host: "127.0.0.1", Services: map[string]Service{"x": {Port: 1, Scheme: "dtls"}, "a": {Port: ln.Addr().(*net.TCPAddr).Port}}}, iotInfo)
	if _, err := s.Open(within(t, 5*time.Second), "x", ""); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("dtls: %v", err)
	}
}

func FuzzChallenges(f *testing.F) {
	for _, s := range []string{`Digest realm="a\"b", nonce=x, qop="auth,auth-int"`, `Basic realm=x, Digest nonce="`, "Digest", "a=b,c", `Negotiate abc==, Digest nonce="1"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, _ := parseChallenges([]string{s})
		if c == nil {
			return
		}
		// What is quoted reads back.
		got := splitChallenges("Digest nonce=" + quote(c.nonce) + ", realm=" + quote(c.realm))
		if len(got) != 1 || got[0]["nonce"] != c.nonce || got[0]["realm"] != c.realm {
			t.Errorf("%q: %q", s, got)
		}
	})
}
