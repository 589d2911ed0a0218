package plugintest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
)

// Disguise is a session in which every secret that the driver's rules know is
// replaced, before the driver sees it, by a fake of the same shape: letters
// stay letters, digits digits, hexadecimal and base64 what they are, a hash
// keeps its scheme, its length and its parts. The same secret has the same
// fake, under one key; without the key nothing about a secret can be tried
// out on its fake.
//
// A driver reads a stream as it is; what it made of it, and what is recorded of
// the stream, is disguised afterwards. Fakes are as long as their secrets, so
// that lengths in a protocol stay right.
//
// BUG(Disguise): a secret that no rule knows stays.
type Disguise struct {
	plugins.Session
	text *plugins.Text
	key  []byte

	mu    sync.Mutex
	fakes map[string]string // by secret
	given map[string]bool   // every fake
}

// NewDisguise puts a disguise on s. info is the driver's.
func NewDisguise(s plugins.Session, info plugins.Info, key []byte) (*Disguise, error) {
	text, err := plugins.NewText(info)
	if err != nil {
		return nil, err
	}
	return &Disguise{Session: s, text: text, key: key, fakes: map[string]string{}, given: map[string]bool{}}, nil
}

// Run implements plugins.Session.
func (d *Disguise) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	out, err := d.Session.Run(ctx, c)
	return d.output(out), err
}

// CLI implements plugins.Session.
func (d *Disguise) CLI(ctx context.Context) (plugins.CLI, error) {
	cli, err := d.Session.CLI(ctx)
	if err != nil {
		return nil, err
	}
	return disguisedCLI{cli, d}, nil
}

type disguisedCLI struct {
	plugins.CLI
	d *Disguise
}

func (c disguisedCLI) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	out, err := c.CLI.Run(ctx, cmd)
	return c.d.output(out), err
}

func (d *Disguise) output(out plugins.Output) plugins.Output {
	out.Stdout, out.Stderr = d.bytes(out.Stdout), d.bytes(out.Stderr)
	return out
}

// bytes disguises a text by the rules. A fake stays as it is.
func (d *Disguise) bytes(text []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []byte(d.text.Replace("", string(text), d.fake))
}

// reused is how long a secret must be to be looked for outside of its rule.
const reused = 8

// finish replaces what was found to be secret only after it had been shown
// elsewhere.
func (d *Disguise) finish(text []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	// The longest first: one secret may be a part of another.
	for _, secret := range slices.SortedFunc(maps.Keys(d.fakes), func(a, b string) int { return len(b) - len(a) }) {
		if len(secret) >= reused {
			text = bytes.ReplaceAll(text, []byte(secret), []byte(d.fakes[secret]))
		}
	}
	return text
}

// canaries are the fakes that are long enough to be told from other text.
func (d *Disguise) canaries() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for fake := range d.given {
		if len(fake) >= reused && fake == strings.TrimSpace(fake) && !strings.ContainsAny(fake, " \t\"\\") {
			out = append(out, fake)
		}
	}
	slices.Sort(out)
	return out
}

var (
	pemFrame  = regexp.MustCompile(`^\s*[+-]?-----(?:BEGIN|END) .*-----\s*$`)
	hashHead  = regexp.MustCompile(`^\$[0-9A-Za-z-]{1,8}\$(?:rounds=\d+\$|\d+\$)?`)
	hexDigits = regexp.MustCompile(`^(?:0x)?[0-9a-fA-F:.]{8,}$`)
)

// fake makes the fake of a secret.
func (d *Disguise) fake(secret string) string {
	if d.given[secret] || pemFrame.MatchString(secret) || secret == plugins.Hidden {
		return secret
	}
	if f, ok := d.fakes[secret]; ok {
		return f
	}
	f := secret
	for try := uint32(0); f == secret && try < 8; try++ { // one letter may come out as itself
		f = shaped(secret, d.key, try)
	}
	d.fakes[secret], d.given[f] = f, true
	return f
}

// shaped replaces letters and digits by others of their kind, drawn from a
// pseudo-random stream of the secret under the key. What holds the shape
// stays: punctuation, the scheme of a hash, the salt's number of a type 7
// password (its first two digits).
func shaped(secret string, key []byte, try uint32) string {
	keep := len(hashHead.FindString(secret))
	hex := hexDigits.MatchString(secret) && strings.ContainsAny(secret, "0123456789") && strings.ContainsAny(secret, "abcdefABCDEF")
	switch {
	case hex && strings.HasPrefix(secret, "0x"):
		keep = 2
	case hex && len(secret)%2 == 0 && secret[0] <= '1' && secret == strings.ToUpper(secret):
		keep = 2
	}
	draw := stream{key: key, secret: secret, try: try}
	out := []byte(secret)
	for i := keep; i < len(out); i++ {
		c := out[i]
		set := ""
		switch {
		case '0' <= c && c <= '9':
			set = "0123456789"
		case hex && 'a' <= c && c <= 'f':
			set = "abcdef"
		case hex && 'A' <= c && c <= 'F':
			set = "ABCDEF"
		case 'a' <= c && c <= 'z':
			set = "abcdefghijklmnopqrstuvwxyz"
		case 'A' <= c && c <= 'Z':
			set = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		case c >= 0x80: // part of a character beyond ASCII
			set = "x"
		}
		if set != "" {
			out[i] = set[int(draw.next())%len(set)]
		}
	}
	return string(out)
}

// stream yields bytes of HMAC-SHA-256 in counter mode.
type stream struct {
	key    []byte
	secret string
	try    uint32
	block  []byte
	n      uint32
}

func (s *stream) next() byte {
	if len(s.block) == 0 {
		mac := hmac.New(sha256.New, s.key)
		mac.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, s.try), s.n))
		mac.Write([]byte(s.secret))
		s.block = mac.Sum(nil)
		s.n++
	}
	b := s.block[0]
	s.block = s.block[1:]
	return b
}
