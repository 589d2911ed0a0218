package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	kindReceipt = "receipt"
	kindAccept  = "accept"
	maxReceipt  = 1 << 20
)

// Receipt is a signed note of something done.
type Receipt struct {
	Object string          `json:"object"` // key in the store
	Kind   string          `json:"kind"`
	Time   time.Time       `json:"time"`
	Role   string          `json:"role"` // "operator" or "agent": whose key signed
	Key    string          `json:"key"`  // id of that key
	Body   json.RawMessage `json:"body"`
}

type acceptBody struct {
	Object string `json:"object"`
	SHA256 string `json:"sha256"`
}

// accepts returns "<object> <sha256>" of the snapshot that an operator accepted.
func (r Receipt) accepts() (string, bool) {
	var b acceptBody
	if r.Kind != kindAccept || r.Role != roleOperator || json.Unmarshal(r.Body, &b) != nil {
		return "", false
	}
	return b.Object + " " + b.SHA256, true
}

// PutReceipt signs and stores a receipt: with the home's operator key if it
// has one, else with the agent key. body is a JSON value; it is not sealed, so
// it may hold ids, hashes, times and codes, but no device text, name or address.
func (v *Vault) PutReceipt(ctx context.Context, kind string, body []byte) (Receipt, error) {
	if err := checkCode(Code(kind)); err != nil {
		return Receipt{}, fmt.Errorf("put receipt: kind: %w", err)
	}
	h := v.current()
	key := h.operator
	if key == nil && kind != kindAccept {
		key = h.agent
	}
	if key == nil {
		return Receipt{}, fmt.Errorf("put receipt %s: %w: this home holds no operator key; do it in an operator's home", kind, ErrNoRight)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, body); err != nil {
		return Receipt{}, fmt.Errorf("put receipt: body: %w", err)
	}
	if line.Len() > maxReceipt/2 {
		return Receipt{}, fmt.Errorf("put receipt: body: %w", ErrTooLarge)
	}
	r := Receipt{Kind: kind, Time: v.now().UTC().Truncate(time.Millisecond), Role: key.role, Key: key.id, Body: line.Bytes()}
	data, err := key.sign(r.text(h.vault))
	if err != nil {
		return Receipt{}, fmt.Errorf("put receipt: %w", err)
	}
	if _, err := v.isOurs(ctx, h); err != nil {
		return Receipt{}, fmt.Errorf("put receipt: %w", err)
	}
	r.Object = timedName("receipts", r.Time, data, "")
	if err := v.put(ctx, r.Object, data); err != nil {
		return Receipt{}, fmt.Errorf("put receipt: %w", err)
	}
	return r, nil
}

// Accept stores an operator's record that a held snapshot is right. ErrNoRight
// without an operator key.
func (v *Vault) Accept(ctx context.Context, e Entry) error {
	body, err := json.Marshal(acceptBody{e.Object, e.SHA256})
	if err != nil {
		return err
	}
	_, err = v.PutReceipt(ctx, kindAccept, body)
	return err
}

func (r Receipt) text(vault string) string {
	return header(kindReceipt, vault) + "key " + r.Role + " " + r.Key + "\nkind " + r.Kind + "\ntime " + formatTime(r.Time) + "\n" + string(r.Body) + "\n"
}

// timedName is the key of an object of a series that sorts by time.
func timedName(series string, t time.Time, data []byte, suffix string) string {
	return series + "/" + t.UTC().Format(nameTime) + "-" + hashName(data) + suffix
}

func parseTimedName(series, suffix, key string) (t time.Time, hash string, err error) {
	bad := fmt.Errorf("%q is not the key of a %s object", key, series)
	base, ok := strings.CutPrefix(key, series+"/")
	base, ok2 := strings.CutSuffix(base, suffix)
	if !ok || !ok2 || len(base) != len(nameTime)+1+hashDigits || base[len(nameTime)] != '-' {
		return time.Time{}, "", bad
	}
	t, err = time.Parse(nameTime, base[:len(nameTime)])
	hash = base[len(nameTime)+1:]
	if err != nil || !isHex(hash) {
		return time.Time{}, "", bad
	}
	return t, hash, nil
}

// openReceipt verifies a receipt against the trust. ok is false for one that is
// signed after its key ended: it does not count, and is no crime.
func openReceipt(t *trust, object string, at time.Time, data []byte) (r Receipt, ok bool, err error) {
	fail := func(err error) (Receipt, bool, error) {
		return Receipt{}, false, &IntegrityError{Object: object, What: "receipt", Err: err}
	}
	// The signer's name is read before it is believed, only to find the key.
	peek := &reader{rest: string(data)}
	peek.header(kindReceipt)
	role, id, _ := strings.Cut(peek.field("key"), " ")
	if peek.err != nil {
		return fail(peek.err)
	}
	key, found := t.key(id)
	if !found || key.role != role {
		return fail(fmt.Errorf("key %s is no %s's in the vault's trust", id, role))
	}
	text, err := key.open(data)
	if err != nil {
		return fail(err)
	}
	in := &reader{rest: text}
	if vault := in.header(kindReceipt); in.err == nil && vault != t.vault {
		in.fail("is of vault %s", vault)
	}
	in.field("key")
	r = Receipt{Object: object, Role: role, Key: id, Kind: in.field("kind"), Time: in.time("time"), Body: json.RawMessage(in.next())}
	if err := in.end(); err != nil {
		return fail(err)
	}
	if r.text(t.vault) != text || !r.Time.Equal(at) || !json.Valid(r.Body) || checkCode(Code(r.Kind)) != nil {
		return fail(fmt.Errorf("name and content disagree"))
	}
	return r, key.ended.IsZero() || !r.Time.After(key.ended), nil
}

// receipts verifies all receipts and returns them, oldest first.
func (x *verifier) receipts(ctx context.Context, t *trust) ([]Receipt, error) {
	keys, err := x.list(ctx, "receipts/")
	if err != nil {
		return nil, err
	}
	for _, seen := range x.pins.Receipts {
		if _, ok := slices.BinarySearch(keys, seen); !ok {
			x.problem(integrity(seen, "a receipt that this home has seen is gone"))
		}
	}
	var list []Receipt
	for _, key := range keys {
		if r, ok := x.cache.receipts[key]; ok {
			list = append(list, r)
			continue
		}
		at, hash, err := parseTimedName("receipts", "", key)
		if err != nil {
			x.strange = append(x.strange, key)
			continue
		}
		data, err := x.v.getNamed(ctx, key, hash, maxReceipt)
		var r Receipt
		ok := false
		if err == nil {
			r, ok, err = openReceipt(t, key, at, data)
		}
		switch {
		case isIntegrity(err):
			x.problem(err)
		case err != nil:
			return nil, err
		case ok:
			x.cache.receipts[key] = r
			x.cache.changed = true
			list = append(list, r)
		}
	}
	return list, nil
}
