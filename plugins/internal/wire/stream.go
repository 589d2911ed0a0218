package wire

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/cfgvault/cfgvault/plugins"
)

// chunks calls send with pieces of data of at most Chunk bytes, in order. It
// does not copy bytes: send must not keep the piece.
func chunks[B []byte | string](data B, send func([]byte) error) error {
	for len(data) > 0 {
		n := min(len(data), Chunk)
		if err := send([]byte(data[:n])); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// sendArtefacts sends the head of each artefact and then its bytes.
func sendArtefacts(arts []plugins.Artefact, head func(*Artefact) error, data func([]byte) error) error {
	for i := range arts {
		a := &arts[i]
		w := &Artefact{Name: a.Name, Role: text(string(a.Role)), Bind: text(string(a.Bind)), Source: text(a.Source), Size: int64(len(a.Data))}
		if w.Name != text(w.Name) {
			return fmt.Errorf("artefact %q: the name is not UTF-8 or too long", a.Name)
		}
		if len(a.Attrs) > 0 {
			w.Attrs = make(map[string][]byte, len(a.Attrs))
			for k, v := range a.Attrs {
				w.Attrs[text(k)] = []byte(v)
			}
		}
		if err := head(w); err != nil {
			return err
		}
		if err := chunks(a.Data, data); err != nil {
			return err
		}
	}
	return nil
}

// budget counts what the other side may still send in one call.
type budget int

func (b *budget) take(n int) error {
	if n < 0 || n > int(*b) {
		return fmt.Errorf("%w: more than %d MiB in one call", plugins.ErrTooLarge, MaxReply>>20)
	}
	*b -= budget(n)
	return nil
}

// collector puts artefacts together again. Every name and size is checked:
// what the other side says is not trusted.
type collector struct {
	budget budget
	arts   []plugins.Artefact
	names  map[string]bool
	left   int // bytes that the last artefact still lacks
}

func newCollector() *collector {
	return &collector{budget: MaxReply, names: map[string]bool{}}
}

func (c *collector) head(w *Artefact) error {
	if err := c.complete(); err != nil {
		return err
	}
	name := w.GetName()
	switch {
	case !fs.ValidPath(name) || name == "." || len(name) > 1024:
		return fmt.Errorf("%w: artefact name %q is not a relative path", ErrProtocol, cut(name, 80))
	case c.names[name]:
		return fmt.Errorf("%w: artefact %q came twice", ErrProtocol, cut(name, 80))
	case len(c.arts) == MaxArtefacts:
		return fmt.Errorf("%w: more than %d artefacts", plugins.ErrTooLarge, MaxArtefacts)
	case w.GetSize() < 0 || w.GetSize() > MaxReply:
		return fmt.Errorf("%w: artefact %q has %d bytes", plugins.ErrTooLarge, cut(name, 80), w.GetSize())
	}
	if err := c.budget.take(int(w.GetSize()) + proto.Size(w)); err != nil {
		return err
	}
	a := plugins.Artefact{Name: name, Role: plugins.Role(w.GetRole()), Bind: plugins.Bind(w.GetBind()), Source: w.GetSource()}
	if len(w.GetAttrs()) > 0 {
		a.Attrs = make(map[string]string, len(w.GetAttrs()))
		for k, v := range w.GetAttrs() {
			a.Attrs[k] = string(v)
		}
	}
	c.left = int(w.GetSize())
	a.Data = make([]byte, 0, c.left)
	c.names[name] = true
	c.arts = append(c.arts, a)
	return nil
}

func (c *collector) data(p []byte) error {
	if len(c.arts) == 0 || len(p) > c.left {
		return fmt.Errorf("%w: more bytes than the artefact announced", ErrProtocol)
	}
	a := &c.arts[len(c.arts)-1]
	a.Data = append(a.Data, p...)
	c.left -= len(p)
	return nil
}

// complete fails if the last artefact lacks bytes.
func (c *collector) complete() error {
	if c.left > 0 {
		return fmt.Errorf("%w: artefact %q lacks %d bytes", ErrProtocol, cut(c.arts[len(c.arts)-1].Name, 80), c.left)
	}
	return nil
}

// lists sends a slice in messages that stay below the bounds.
func lists[A any, W proto.Message](in []A, conv func(A) W, send func([]W) error) error {
	var batch []W
	size := 0
	for _, v := range in {
		w := conv(v)
		n := proto.Size(w) + 8
		if size+n > Chunk && len(batch) > 0 {
			if err := send(batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
		batch, size = append(batch, w), size+n
	}
	if len(batch) == 0 {
		return nil
	}
	return send(batch)
}

// each calls f with every message of a stream up to its end. It turns an end
// of the stream before f returned errEnd into ErrProtocol: such a reply was
// cut.
func each[M any](recv func() (M, error), f func(M) error) error {
	for {
		m, err := recv()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: the reply ends early", ErrProtocol)
		}
		if err != nil {
			return err
		}
		if err := f(m); err != nil {
			if errors.Is(err, errEnd) {
				return drained(recv)
			}
			return err
		}
	}
}

// errEnd tells each that the end message was seen.
var errEnd = errors.New("end")

// drained reads the status after the end message.
func drained[M any](recv func() (M, error)) error {
	_, err := recv()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return fmt.Errorf("%w: a message after the end", ErrProtocol)
	}
	return err
}

// requests calls f with every message of a request stream up to its half-close.
func requests[M any](recv func() (M, error), f func(M) error) error {
	for {
		m, err := recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(m); err != nil {
			return err
		}
	}
}
