package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	kindHeads = "heads"
	maxHeads  = 16 << 20
)

func isIntegrity(err error) bool { return errors.Is(err, ErrIntegrity) }

// heads says, signed by an operator, how far he has seen every chain: a reader
// that sees the vault for the first time can then tell that records were taken
// away behind its back.
type heads struct {
	vault string
	key   string
	n     int
	time  time.Time
	list  []chainHead
}

func (h *heads) text() string {
	var b strings.Builder
	b.WriteString(header(kindHeads, h.vault))
	fmt.Fprintf(&b, "key %s\nn %d\ntime %s\n", h.key, h.n, formatTime(h.time))
	for _, c := range h.list {
		b.WriteString("head " + c.String() + "\n")
	}
	return b.String()
}

func parseHeads(text string) (*heads, error) {
	in := &reader{rest: text}
	h := &heads{vault: in.header(kindHeads), key: in.field("key"), n: in.number("n"), time: in.time("time")}
	for in.more("head") {
		c, err := parseChainHead(in.field("head"))
		if err != nil {
			in.fail("%v", err)
		}
		h.list = append(h.list, c)
	}
	if err := in.end(); err != nil {
		return nil, err
	}
	if h.text() != text {
		return nil, errors.New("not in the one spelling of heads")
	}
	return h, nil
}

// PutHeads signs and stores how far this operator has seen every chain. It
// verifies the whole vault first and writes nothing if something is wrong, or
// if the newest heads already say so. ErrNoRight without an operator key.
func (v *Vault) PutHeads(ctx context.Context) error {
	key := v.current().operator
	if key == nil {
		return fmt.Errorf("put heads: %w: this home holds no operator key", ErrNoRight)
	}
	if _, err := v.Index(ctx); err != nil {
		return fmt.Errorf("put heads: %w", err)
	}
	h := v.current()
	p, err := h.loadPins()
	if err != nil {
		return err
	}
	x := &verifier{v: v, home: h, pins: p, cache: h.loadCache(hashHex(h.trustData))}
	out := &heads{vault: h.vault, key: key.id, n: p.Heads.N + 1, time: v.now().UTC().Truncate(time.Millisecond)}
	views, err := x.runs(ctx, h.trust)
	if err != nil {
		return err
	}
	for _, c := range views {
		last := c.last()
		out.list = append(out.list, chainHead{c.key, c.epoch, last.seq, last.hash})
	}
	data, err := key.sign(out.text())
	if err != nil {
		return fmt.Errorf("put heads: %w", err)
	}
	return v.put(ctx, numberedName("heads", out.n, data), data)
}

// heads compares the newest heads with the chains and returns its pin.
func (x *verifier) heads(ctx context.Context, t *trust, views []*chainView) (pin, error) {
	keys, err := x.list(ctx, "heads/")
	if err != nil {
		return pin{}, err
	}
	newest := 0
	byN := map[int][]string{}
	for _, key := range keys {
		n, _, err := parseNumberedName("heads", key)
		if err != nil {
			x.strange = append(x.strange, key)
			continue
		}
		byN[n] = append(byN[n], key)
		newest = max(newest, n)
	}
	if newest < x.pins.Heads.N {
		x.problem(integrity("heads/", "heads %d, which this home has seen, is gone: the store was put back to an earlier state", x.pins.Heads.N))
	}
	top := pin{}
	have := map[string]*chainView{}
	for _, c := range views {
		have[c.id()] = c
	}
	for _, key := range byN[newest] { // two operators may have written at once
		_, hash, err := parseNumberedName("heads", key)
		if err != nil {
			continue
		}
		data, err := x.v.getNamed(ctx, key, hash, maxHeads)
		if isIntegrity(err) {
			x.problem(err)
			continue
		}
		if err != nil {
			return pin{}, err
		}
		h, err := openHeads(t, key, newest, data)
		if err != nil {
			x.problem(err)
			continue
		}
		top = pin{newest, hashHex(data)}
		for _, c := range h.list {
			if k, ok := t.key(c.key); ok && !k.believes(c.epoch, c.seq) {
				continue
			}
			if view := have[c.key+"/"+c.epoch]; view == nil || !view.holds(c) {
				x.problem(integrity(recordName{c.key, c.epoch, c.seq, c.hash[:hashDigits]}.String(),
					"a record that an operator has seen (%s) is gone: the store was put back to an earlier state", key))
			}
		}
	}
	return top, nil
}

func openHeads(t *trust, object string, n int, data []byte) (*heads, error) {
	fail := func(err error) (*heads, error) {
		return nil, &IntegrityError{Object: object, What: "heads", Err: err}
	}
	peek := &reader{rest: string(data)}
	peek.header(kindHeads)
	id := peek.field("key")
	key, ok := t.key(id)
	if peek.err != nil || !ok || key.role != roleOperator {
		return fail(fmt.Errorf("key %q is no operator's in the vault's trust", id))
	}
	text, err := key.open(data)
	if err != nil {
		return fail(err)
	}
	h, err := parseHeads(text)
	if err != nil {
		return fail(err)
	}
	if h.vault != t.vault || h.n != n {
		return fail(fmt.Errorf("is number %d of vault %s", h.n, h.vault))
	}
	return h, nil
}

// holds reports whether the chain contains the record.
func (c *chainView) holds(h chainHead) bool {
	for _, r := range c.records {
		if r.seq == h.seq && r.hash == h.hash {
			return true
		}
	}
	return false
}
