package host

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/internal/wire"
)

// Driver is a driver in another process. It has every method that a driver can
// have; which of them the driver really has is in Info, and a method that Info
// does not list fails with errors.ErrUnsupported without a call. Safe for
// concurrent use.
//
// A session that is given to a method may be used by the driver until Release
// or Close: a change that is staged in one call is committed in another.
//
// Identify, Export and Normalize are tried once more, in a process of their
// own, when the process crashes under them. No other method is: after ErrPlugin
// from Commit, Confirm, Discard or FactoryReset the outcome is unknown. The next
// call gets a fresh process, which can ask Status, Confirm and Discard; only
// Commit insists on the process that staged.
type Driver struct {
	h    *Host
	name string
	info plugins.Info
	own  bool

	mu     sync.Mutex
	proc   *process            // of an own driver, the last one
	staged map[string]*process // of an own driver: which process staged a change
	refs   map[refKey]ref
	closed bool
}

type refKey struct {
	p *process
	s plugins.Session
}

type ref struct {
	wire   *wire.Session
	remove func()
}

var (
	_ plugins.Restorer = (*Driver)(nil)
	_ plugins.Adapter  = (*Driver)(nil)
	_ plugins.Renderer = (*Driver)(nil)
	_ plugins.Resetter = (*Driver)(nil)
)

func newDriver(h *Host, name string, info plugins.Info, own *process) *Driver {
	return &Driver{h: h, name: name, info: info, own: own != nil, proc: own, staged: map[string]*process{}, refs: map[refKey]ref{}}
}

// Info describes the driver, as it did when its process was started.
func (d *Driver) Info() plugins.Info { return d.info }

// Release takes a session back from the driver: whatever it has open there is
// closed, and it can use the session no more. Call it before the session is
// closed, where the Driver lives on.
func (d *Driver) Release(s plugins.Session) {
	d.mu.Lock()
	var gone []func()
	for k, r := range d.refs {
		if k.s == s {
			gone = append(gone, r.remove)
			delete(d.refs, k)
		}
	}
	d.mu.Unlock()
	for _, remove := range gone {
		remove()
	}
}

// Close takes all sessions back and, for a driver from Host.Own, ends its
// process. It is not an error to close twice.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	refs, proc := d.refs, d.proc
	d.refs, d.proc = map[refKey]ref{}, nil
	d.mu.Unlock()
	for _, r := range refs {
		r.remove()
	}
	if proc != nil {
		proc.close()
	}
	return nil
}

// acquire returns a process with one call begun.
func (d *Driver) acquire(ctx context.Context) (*process, error) {
	if !d.own {
		d.mu.Lock()
		closed := d.closed
		d.mu.Unlock()
		if closed {
			return nil, fmt.Errorf("driver %s: used after Close", d.name)
		}
		p, err := d.h.sharedProcess(ctx, d.name)
		if err != nil {
			return nil, err
		}
		return d.same(p)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, fmt.Errorf("driver %s: used after Close", d.name)
	}
	if d.proc.begin() {
		return d.proc, nil
	}
	p, err := d.h.start(ctx, d.name)
	if err != nil {
		return nil, err
	}
	old := d.proc
	d.proc = p
	old.kill("the agent replaced it")
	if !p.begin() {
		return nil, p.crash("start")
	}
	return d.same(p)
}

// same refuses a process that is not the driver that the caller knows: the
// executable was replaced in between.
func (d *Driver) same(p *process) (*process, error) {
	if p.info.Version == d.info.Version && reflect.DeepEqual(p.info.Capabilities, d.info.Capabilities) {
		return p, nil
	}
	p.end()
	return nil, fmt.Errorf("%w: driver %s was replaced by version %s while version %s was in use: start again", ErrPlugin, d.name, p.info.Version, d.info.Version)
}

// ref makes a session known to a process.
func (d *Driver) ref(p *process, s plugins.Session) (*wire.Session, error) {
	if s == nil || !reflect.TypeOf(s).Comparable() {
		return nil, fmt.Errorf("driver %s: a session must be a pointer", d.name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, fmt.Errorf("driver %s: used after Close", d.name)
	}
	k := refKey{p, s}
	r, ok := d.refs[k]
	if !ok {
		r.wire, r.remove = p.sessions.Add(s)
		d.refs[k] = r
	}
	return r.wire, nil
}

// once makes one call on a process and ends it.
func (d *Driver) once(p *process, method string, f func(*process) error) error {
	defer p.end()
	err := f(p)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wire.ErrHung):
		p.drain(method + " did not heed its deadline")
		return fmt.Errorf("%w: driver %s: %s did not return within %v of its deadline; its process is replaced: %w", ErrPlugin, d.name, method, d.h.o.Grace, err)
	case errors.Is(err, wire.ErrPanic), errors.Is(err, wire.ErrProtocol):
		p.drain(method + ": " + err.Error())
		return fmt.Errorf("%w: driver %s: %s: %w: report this to its author; details are in the debug log", ErrPlugin, d.name, method, err)
	case wire.Crashed(err):
		return &crashError{p.crash(method)}
	}
	return err
}

// crashError is a call that ended because its process did.
type crashError struct{ error }

func (e *crashError) Unwrap() error { return e.error }

// change makes a call that is never repeated.
func (d *Driver) change(ctx context.Context, can plugins.Capability, method string, f func(*process) error) error {
	if !d.info.Can(can) {
		return d.unsupported(method)
	}
	p, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	return d.once(p, method, f)
}

func (d *Driver) unsupported(method string) error {
	return fmt.Errorf("driver %s: %s: %w", d.name, method, errors.ErrUnsupported)
}

// read makes a call that changes nothing and may therefore be repeated.
func (d *Driver) read(ctx context.Context, method string, f func(*process) error) error {
	p, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	err = d.once(p, method, f)
	for range d.h.o.ReadRetries {
		crash, ok := errors.AsType[*crashError](err)
		if !ok || ctx.Err() != nil || d.h.isClosed() {
			break
		}
		d.h.log.Warn("plugin crashed; the call is repeated in a process of its own", "driver", d.name, "call", method, "err", crash.error)
		spare, serr := d.h.start(ctx, d.name)
		if serr != nil {
			return fmt.Errorf("%w; then: %w", crash.error, serr)
		}
		if spare.begin() {
			err = d.once(spare, method, f)
		} else {
			err = &crashError{spare.crash(method)}
		}
		d.forget(spare)
		spare.close()
	}
	return err
}

// forget drops the sessions of a process that is about to end.
func (d *Driver) forget(p *process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, r := range d.refs {
		if k.p == p {
			r.remove()
			delete(d.refs, k)
		}
	}
}

// Identify calls the driver; see plugins.Driver.
func (d *Driver) Identify(ctx context.Context, s plugins.Session) (f plugins.Facts, err error) {
	err = d.read(ctx, "Identify", func(p *process) error {
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		f, err = p.rpc.Identify(ctx, r)
		return err
	})
	return f, err
}

// Export calls the driver; see plugins.Driver.
func (d *Driver) Export(ctx context.Context, s plugins.Session) (e *plugins.Export, err error) {
	err = d.read(ctx, "Export", func(p *process) error {
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		e, err = p.rpc.Export(ctx, r)
		return err
	})
	return e, err
}

// Normalize calls the driver; see plugins.Driver.
func (d *Driver) Normalize(ctx context.Context, f plugins.Facts, native []plugins.Artefact) (n *plugins.Normalized, err error) {
	err = d.read(ctx, "Normalize", func(p *process) error {
		n, err = p.rpc.Normalize(ctx, f, native)
		return err
	})
	return n, err
}

// Stage calls the driver; see plugins.Restorer.
func (d *Driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (diff plugins.Diff, err error) {
	err = d.change(ctx, plugins.CapRestore, "Stage", func(p *process) error {
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.staged[changeID] = p
		d.mu.Unlock()
		diff, err = p.rpc.Stage(ctx, r, changeID, want)
		return err
	})
	return diff, err
}

// Commit calls the driver; see plugins.Restorer. It is refused with ErrPlugin
// when the process that staged is gone.
func (d *Driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	return d.change(ctx, plugins.CapRestore, "Commit", func(p *process) error {
		d.mu.Lock()
		staged := d.staged[changeID]
		d.mu.Unlock()
		if staged != nil && staged != p {
			return fmt.Errorf("%w: driver %s: the process that staged the change is gone; nothing was committed: discard it and stage again", ErrPlugin, d.name)
		}
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		return p.rpc.Commit(ctx, r, changeID, within)
	})
}

// Confirm calls the driver; see plugins.Restorer.
func (d *Driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	return d.change(ctx, plugins.CapRestore, "Confirm", func(p *process) error {
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		return p.rpc.Confirm(ctx, r, changeID)
	})
}

// Discard calls the driver; see plugins.Restorer.
func (d *Driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	return d.change(ctx, plugins.CapRestore, "Discard", func(p *process) error {
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		return p.rpc.Discard(ctx, r, changeID)
	})
}

// Status calls the driver; see plugins.Restorer.
func (d *Driver) Status(ctx context.Context, s plugins.Session, changeID string) (st plugins.State, left time.Duration, err error) {
	st = plugins.StateUnknown
	err = d.change(ctx, plugins.CapRestore, "Status", func(p *process) error {
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		st, left, err = p.rpc.Status(ctx, r, changeID)
		return err
	})
	return st, left, err
}

// Adapt calls the driver; see plugins.Adapter.
func (d *Driver) Adapt(ctx context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) (a []plugins.Artefact, l []plugins.Loss, err error) {
	err = d.change(ctx, plugins.CapAdapt, "Adapt", func(p *process) error {
		a, l, err = p.rpc.Adapt(ctx, native, from, to, m)
		return err
	})
	return a, l, err
}

// Render calls the driver; see plugins.Renderer.
func (d *Driver) Render(ctx context.Context, tree []byte, onto plugins.Facts) (a []plugins.Artefact, l []plugins.Loss, err error) {
	err = d.change(ctx, plugins.CapRender, "Render", func(p *process) error {
		a, l, err = p.rpc.Render(ctx, tree, onto)
		return err
	})
	return a, l, err
}

// FactoryReset calls the driver; see plugins.Resetter.
func (d *Driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	return d.change(ctx, plugins.CapFactoryReset, "FactoryReset", func(p *process) error {
		r, err := d.ref(p, s)
		if err != nil {
			return err
		}
		return p.rpc.FactoryReset(ctx, r, token)
	})
}
