package vault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxTrust = 4 << 20
	nDigits  = 8
)

// trust is what the operator's root key says: who may read, and whose
// signatures count. The highest n holds.
type trust struct {
	vault      string
	n          int
	previous   string // SHA-256 of the one before as stored, or "none"
	time       time.Time
	recipients []string
	keys       []trustedKey
}

// trustedKey is a key with role, scope and end.
type trustedKey struct {
	verifyKey
	scope []string // device ids an agent may write; nil: all
	ended time.Time
	// believed are, for a key that ended, the last records believed of its
	// chains, one for each branch of a fork; records that do not lead to one
	// of them are not believed.
	believed []chainHead
}

// chainHead names the newest known record of a chain.
type chainHead struct {
	key, epoch string
	seq        int
	hash       string // SHA-256 as stored, hex
}

func (h chainHead) String() string {
	return h.key + " " + h.epoch + " " + strconv.Itoa(h.seq) + " " + h.hash
}

func parseChainHead(s string) (chainHead, error) {
	f := strings.Split(s, " ")
	if len(f) != 4 {
		return chainHead{}, fmt.Errorf("%q does not name a record", s)
	}
	h := chainHead{key: f[0], epoch: f[1], hash: f[3]}
	var err error
	h.seq, err = strconv.Atoi(f[2])
	if err != nil || h.seq < 1 || h.String() != s || !isHex(h.key) || len(h.key) != keyIDDigits ||
		!isHex(h.epoch) || len(h.epoch) != epochDigits || !isHex(h.hash) || len(h.hash) != 64 {
		return chainHead{}, fmt.Errorf("%q does not name a record", s)
	}
	return h, nil
}

func (t *trust) text() string {
	var b strings.Builder
	b.WriteString(header("trust", t.vault))
	fmt.Fprintf(&b, "n %d\nprevious %s\ntime %s\n", t.n, t.previous, formatTime(t.time))
	for _, r := range t.recipients {
		b.WriteString("recipient " + r + "\n")
	}
	for _, k := range t.keys {
		scope := "*"
		if k.scope != nil {
			scope = strings.Join(k.scope, ",")
		}
		b.WriteString("key " + k.role + " " + scope + " " + k.verifyKey.text + "\n")
		if !k.ended.IsZero() {
			b.WriteString("end " + formatTime(k.ended) + "\n")
			for _, h := range k.believed {
				b.WriteString("believed " + h.String() + "\n")
			}
		}
	}
	return b.String()
}

func parseTrust(text string) (*trust, error) {
	in := &reader{rest: text}
	t := &trust{}
	t.vault = in.header("trust")
	t.n = in.number("n")
	t.previous = in.field("previous")
	t.time = in.time("time")
	for in.more("recipient") {
		t.recipients = append(t.recipients, in.field("recipient"))
	}
	for in.more("key") {
		t.keys = append(t.keys, in.trustedKey())
	}
	if err := in.end(); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, k := range t.keys {
		if ids[k.id] {
			return nil, fmt.Errorf("key %s is there twice", k.id)
		}
		ids[k.id] = true
	}
	if t.n < 1 || len(t.recipients) == 0 {
		return nil, fmt.Errorf("trust without a number or recipient")
	}
	if t.text() != text {
		return nil, fmt.Errorf("not in the one spelling of a trust")
	}
	return t, nil
}

func (r *reader) trustedKey() trustedKey {
	var k trustedKey
	f := strings.SplitN(r.field("key"), " ", 3)
	if r.err != nil {
		return k
	}
	if len(f) != 3 || (f[0] != roleAgent && f[0] != roleOperator) {
		r.fail("not a key of a known role")
		return k
	}
	v, err := parseVerifyKey(f[0], f[2])
	if err != nil {
		r.fail("%v", err)
		return k
	}
	k.verifyKey = *v
	if f[1] != "*" {
		k.scope = strings.Split(f[1], ",")
		for _, d := range k.scope {
			if !idPattern.MatchString(d) {
				r.fail("scope holds %q, which is no device id", d)
			}
		}
	}
	if r.more("end") {
		k.ended = r.time("end")
		for r.more("believed") {
			h, err := parseChainHead(r.field("believed"))
			if err != nil || h.key != k.id {
				r.fail("not a record of key %s", k.id)
				return k
			}
			k.believed = append(k.believed, h)
		}
	}
	return k
}

func (t *trust) key(id string) (trustedKey, bool) {
	for _, k := range t.keys {
		if k.id == id {
			return k, true
		}
	}
	return trustedKey{}, false
}

// covers reports whether the key may write the device.
func (k trustedKey) covers(device string) bool {
	return k.scope == nil || slices.Contains(k.scope, device)
}

// believes reports whether the trust may still count a record of the key.
func (k trustedKey) believes(epoch string, seq int) bool {
	if k.ended.IsZero() {
		return true
	}
	for _, h := range k.believed {
		if h.epoch == epoch && seq <= h.seq {
			return true
		}
	}
	return false
}

// numberedName is the key of an object of a numbered series: "trust" or "heads".
func numberedName(series string, n int, data []byte) string {
	return fmt.Sprintf("%s/%0*d-%s", series, nDigits, n, hashName(data))
}

func parseNumberedName(series, key string) (n int, hash string, err error) {
	bad := fmt.Errorf("%q is not the key of a %s object", key, series)
	base, ok := strings.CutPrefix(key, series+"/")
	if !ok {
		return 0, "", bad
	}
	num, hash, ok := strings.Cut(base, "-")
	n, err = strconv.Atoi(num)
	if !ok || err != nil || n < 1 || len(hash) != hashDigits || !isHex(hash) || fmt.Sprintf("%0*d", nDigits, n) != num {
		return 0, "", bad
	}
	return n, hash, nil
}
