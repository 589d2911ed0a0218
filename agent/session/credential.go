package session

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
)

// credentials wraps a transport so that every request carries the credential.
func credentials(c Credential, next http.RoundTripper, limit int64) http.RoundTripper {
	switch c.Kind {
	case CredentialNone:
		return next
	case CredentialDigest:
		return &digest{next: next, user: c.User, password: c.Secret.Reveal(), limit: limit}
	}
	return headers{c, next}
}

type headers struct {
	c    Credential
	next http.RoundTripper
}

func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	switch h.c.Kind {
	case CredentialBasic:
		r.SetBasicAuth(h.c.User, h.c.Secret.Reveal())
	case CredentialBearer:
		r.Header.Set("Authorization", "Bearer "+h.c.Secret.Reveal())
	case CredentialMetadata:
		for k, v := range h.c.Metadata {
			r.Header.Set(k, v.Reveal())
		}
	}
	return h.next.RoundTrip(r)
}

// digest answers Digest challenges (RFC 7616) with qop "auth", or without qop
// as RFC 2069 had it. SHA-256 is preferred over MD5. The last nonce is used
// again until the device asks for another.
type digest struct {
	next           http.RoundTripper
	user, password string
	limit          int64

	mu    sync.Mutex
	last  *challenge
	count uint32
}

type challenge struct {
	realm, nonce, opaque, algorithm string
	sum                             func() hash.Hash
	session                         bool // the "-sess" variant
	qop                             bool
}

func (d *digest) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		body, err = io.ReadAll(io.LimitReader(r.Body, d.limit+1))
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
		if int64(len(body)) > d.limit {
			return nil, fmt.Errorf("%w: more than %d bytes", plugins.ErrTooLarge, d.limit)
		}
	}
	send := func(c *challenge) (*http.Response, error) {
		q := r.Clone(r.Context())
		q.Header.Del("Authorization")
		if body != nil {
			q.Body = io.NopCloser(bytes.NewReader(body))
			q.ContentLength = int64(len(body))
		}
		if c != nil {
			q.Header.Set("Authorization", d.authorize(c, r.Method, r.URL.RequestURI()))
		}
		return d.next.RoundTrip(q)
	}
	d.mu.Lock()
	had := d.last
	d.mu.Unlock()
	resp, err := send(had)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	c, stale := parseChallenges(resp.Header.Values("WWW-Authenticate"))
	if c == nil || had != nil && c.nonce == had.nonce && !stale {
		return resp, nil // not our method, or the password is wrong: it is sent once
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	d.mu.Lock()
	d.last, d.count = c, 0
	d.mu.Unlock()
	return send(c)
}

func (d *digest) authorize(c *challenge, method, uri string) string {
	d.mu.Lock()
	d.count++
	count := fmt.Sprintf("%08x", d.count)
	d.mu.Unlock()
	h := func(parts ...string) string {
		sum := c.sum()
		_, _ = io.WriteString(sum, strings.Join(parts, ":"))
		return hex.EncodeToString(sum.Sum(nil))
	}
	cnonce := rand.Text()
	a1 := h(d.user, c.realm, d.password)
	if c.session {
		a1 = h(a1, c.nonce, cnonce)
	}
	a2 := h(method, uri)
	var b strings.Builder
	fmt.Fprintf(&b, `Digest username=%s, realm=%s, nonce=%s, uri=%s`, quote(d.user), quote(c.realm), quote(c.nonce), quote(uri))
	if c.qop {
		fmt.Fprintf(&b, `, qop=auth, nc=%s, cnonce=%s, response="%s"`, count, quote(cnonce), h(a1, c.nonce, count, cnonce, "auth", a2))
	} else {
		fmt.Fprintf(&b, `, response="%s"`, h(a1, c.nonce, a2))
		if c.session {
			fmt.Fprintf(&b, `, cnonce=%s`, quote(cnonce))
		}
	}
	if c.algorithm != "" {
		fmt.Fprintf(&b, `, algorithm=%s`, c.algorithm)
	}
	if c.opaque != "" {
		fmt.Fprintf(&b, `, opaque=%s`, quote(c.opaque))
	}
	return b.String()
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// parseChallenges returns the best Digest challenge that we can answer, and
// whether the device calls the nonce, not the password, out of date.
func parseChallenges(values []string) (best *challenge, stale bool) {
	for _, v := range values {
		for _, p := range splitChallenges(v) {
			c := &challenge{realm: p["realm"], nonce: p["nonce"], opaque: p["opaque"], algorithm: p["algorithm"]}
			name, session := strings.CutSuffix(strings.ToUpper(c.algorithm), "-SESS")
			c.session = session
			switch name {
			case "", "MD5":
				c.sum = md5.New
			case "SHA-256":
				c.sum = sha256.New
			default:
				continue
			}
			if q, ok := p["qop"]; ok {
				for o := range strings.SplitSeq(q, ",") {
					c.qop = c.qop || strings.TrimSpace(strings.ToLower(o)) == "auth"
				}
				if !c.qop {
					continue // auth-int only
				}
			}
			if c.nonce == "" || best != nil && name != "SHA-256" {
				continue
			}
			best, stale = c, strings.EqualFold(p["stale"], "true")
		}
	}
	return best, stale
}

// splitChallenges reads the Digest challenges of one WWW-Authenticate value
// (RFC 9110 section 11.6.1); others are passed over.
func splitChallenges(v string) []map[string]string {
	var out []map[string]string
	var now map[string]string
	for {
		v = strings.TrimLeft(v, " \t,")
		if v == "" {
			return out
		}
		i := strings.IndexAny(v, " \t,=")
		if i < 0 || v[i] == ',' {
			now = nil // a scheme without parameters
			if i < 0 {
				return out
			}
			v = v[i:]
			continue
		}
		word := v[:i]
		rest := strings.TrimLeft(v[i:], " \t")
		if !strings.HasPrefix(rest, "=") {
			now = nil
			if strings.EqualFold(word, "Digest") {
				now = map[string]string{}
				out = append(out, now)
			}
			v = rest
			continue
		}
		value, after, err := paramValue(strings.TrimLeft(rest[1:], " \t"))
		if err != nil {
			return out
		}
		if now != nil {
			now[strings.ToLower(word)] = value
		}
		v = after
	}
}

var errParam = errors.New("malformed authentication parameter")

func paramValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexAny(s, " \t,")
		if i < 0 {
			i = len(s)
		}
		return s[:i], s[i:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '"':
			return b.String(), s[i+1:], nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", errParam
}
