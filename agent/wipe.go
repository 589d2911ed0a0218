package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// WipeOptions say how to wipe a device.
type WipeOptions struct {
	WorkflowOptions `json:"-"`

	Serial      string                    `json:"serial,omitempty"`    // typed back; empty: ask
	MaxAge      time.Duration             `json:"max-age"`             // of the newest snapshot
	ProofWithin time.Duration             `json:"proof-within"`        // how long to wait for the device's answer after the reset
	ForReturn   bool                      `json:"for-return"`          // the unit leaves the house: list the secrets to rotate
	ThenRestore bool                      `json:"then-restore"`        // bring it back
	Address     string                    `json:"address,omitempty"`   // where it comes back; empty: where the inventory says
	Login       *Login                    `json:"login,omitempty"`     // how the reset unit is logged in to, if not as before
	HostKeys    []string                  `json:"host-keys,omitempty"` // fingerprints that the reset unit's console shows
	WaitFor     time.Duration             `json:"wait-for"`            // how long to wait for it there
	Within      time.Duration             `json:"within"`              // of the restore: the device's timer
	Approve     func(*Plan) (bool, error) `json:"-"`                   // of the restore
}

// The proofs of a wipe, as its receipt says them.
const (
	proofFactory = "factory-default"     // the device answers and carries no configuration of its own
	proofOther   = "other-configuration" // it answers with one that it did not have, and that is not the factory's
	proofLogin   = "login-refused"       // it answers and no longer knows the login
	proofHostKey = "host-key-changed"
	proofSilent  = "no-answer" // it could not be reached in the time given
)

// Wipe returns a device to its factory state once it is proved that its
// configuration can be brought back, and brings it back if asked to.
//
// ErrGate, the session's errors and context.Canceled promise that nothing was
// reset; ErrUnfinished that the reset was begun and Resume goes on.
func (a *Agent) Wipe(ctx context.Context, o WipeOptions) (*WorkflowResult, error) {
	f, err := a.newFlow(ctx, KindWipe, o.WorkflowOptions, &o)
	if err != nil {
		return &WorkflowResult{Workflow: KindWipe, Device: o.Device, Outcome: "refused"}, err
	}
	defer f.close()
	w := &wipe{flow: f, opts: &o}
	if len(f.state.HostKeys) > 0 {
		f.device.HostKeys = f.state.HostKeys
	}
	f.steps = []flowStep{
		{name: "snapshot", does: "fetch the newest snapshot back from the store, decrypt and parse it", do: w.snapshot},
		{name: "identify", does: "connect, and hold the unit and its configuration against the snapshot", do: w.identify},
		{name: "plan", does: "show the unit the snapshot and take it back: what would not come back?", do: w.plan},
		{name: "approve", does: "ask for the unit's serial number", do: w.approve},
		{name: "reset", does: "reset the unit by its platform's own means", touches: true, back: "the unit is as it was, or reset", do: w.reset},
		{name: "proof", does: fmt.Sprintf("wait up to %v for the unit's answer as it leaves the factory", o.ProofWithin), touches: true, back: "the unit is reset", do: w.proof},
		{name: "receipt", does: "sign and store the receipt", do: w.receipt},
	}
	if o.ThenRestore {
		f.steps = append(f.steps,
			flowStep{name: "wait", does: fmt.Sprintf("wait up to %v for the unit at %s", o.WaitFor, w.address()), back: "the unit is wiped and not restored", do: w.wait},
			flowStep{name: "restore", does: "put the snapshot back, read it back and compare", touches: true, back: "the unit is wiped and not restored", do: w.restore})
	}
	f.plan(ctx)
	return f.run(ctx)
}

type wipe struct {
	*flow
	opts *WipeOptions
	want []plugins.Artefact
}

func (w *wipe) address() string {
	if w.opts.Address != "" {
		return w.opts.Address
	}
	return w.device.Address
}

// snapshot proves the way back before anything is taken away: the newest
// snapshot, not an older good one, comes back from the store and means today
// what it meant when it was made.
func (w *wipe) snapshot(ctx context.Context) error {
	info := w.drv.Info()
	if !info.Can(plugins.CapFactoryReset) {
		return hard("reset", "driver %s has no factory reset; reset the unit by hand, `cfgvault restore %s` brings it back", info.Name, w.device.Name)
	}
	ids, err := w.agent.Identities()
	if err != nil {
		return err
	}
	if err := w.writable(ctx); err != nil {
		return err
	}
	x, err := w.agent.Index(ctx)
	if err != nil {
		return err
	}
	e, err := newest(x, w.device.ID, w.device.Name)
	if err != nil {
		return err
	}
	if err := w.overdue(ctx, x); err != nil {
		return err
	}
	if err := w.gates.snapshot(e); err != nil {
		return err
	}
	if err := w.gates.driver(info); err != nil {
		return err
	}
	if len(e.Limits) > 0 {
		return hard(GateGrade, "snapshot %s can be read and not be put back (%s)", short(e.ID()), e.Limits[0])
	}
	if age := w.agent.now().Sub(e.Time); age > w.opts.MaxAge {
		if err := w.decide(ctx, GateAge, "the newest snapshot is %v old, at most %v is allowed: `cfgvault backup %s` makes a new one", age.Round(time.Minute), w.opts.MaxAge, w.device.Name); err != nil {
			return err
		}
	}
	return w.fetch(ctx, e, ids)
}

// newest is the device's newest snapshot that is not an undo.
func newest(x *vault.Index, device, name string) (vault.Entry, error) {
	all := x.Snapshots(device)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind != vault.Undo {
			return all[i], nil
		}
	}
	return vault.Entry{}, fmt.Errorf("%w: %s was never backed up; `cfgvault backup %s` does", ErrNoSnapshot, name, name)
}

func (w *wipe) identify(ctx context.Context) error {
	return w.withSession(ctx, "", func(s *session.Session) error {
		read, err := readSession(ctx, w.drv, s)
		if err != nil {
			return err
		}
		w.state.Unit, w.state.Firmware = read.facts, Firmware(w.text, read.facts, read.exp.Artefacts)
		if err := w.sameUnit(); err != nil {
			return err
		}
		if len(read.exp.NoRestore) > 0 {
			return hard(GateGrade, "this login cannot put a configuration back: %s", read.exp.NoRestore[0].Text)
		}
		if w.want == nil {
			if w.want, err = w.target(); err != nil {
				return err
			}
		}
		if diffs := Compare(w.text, w.want, read.exp.Artefacts); len(diffs) > 0 {
			return w.decide(ctx, GateChanged, "the device was changed since snapshot %s (%v): `cfgvault backup %s` keeps that", short(w.state.Target.SHA256), diffs[0], w.device.Name)
		}
		return nil
	})
}

// plan stages the snapshot on the unit that still runs it, and discards it: the
// unit itself says whether it would take its configuration back, before that is
// gone, and what a person would have to bring back. A unit that leaves the
// house is not asked.
func (w *wipe) plan(ctx context.Context) error {
	if w.opts.ForReturn && !w.opts.ThenRestore {
		return nil
	}
	src, err := w.source()
	if err != nil {
		return err
	}
	o := RestoreOptions{
		Device: w.device.Name, Onto: onto(w.device), DryRun: true, source: src, inFlow: true, losses: w.losses,
		Allow: map[Gate]bool{GateNoRollback: w.opts.Allow[GateNoRollback]},
	}
	run := w.agent.Restore
	if journal.Exists(w.agent.Home.Journal(), w.device.ID) {
		run = w.agent.Resume
	}
	res, err := run(ctx, o)
	if err == nil && res.Outcome == "refused" {
		_, err = w.agent.Restore(ctx, o) // an earlier one was being forgotten
	}
	return err
}

// losses become work for a person, and need a word before the reset.
func (w *wipe) losses(losses []plugins.Loss) error {
	native, err := w.target()
	if err != nil {
		return err
	}
	was := byName(native)
	var all []string
	for _, l := range losses {
		if was[l.Artefact].Role == plugins.RoleState {
			continue // evidence, which no restore puts back
		}
		text := oneLine(l.Artefact + " " + l.Text)
		all = append(all, text)
		if task := "not brought back: " + text; !slices.Contains(w.state.Tasks, task) {
			w.state.Tasks = append(w.state.Tasks, task)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return w.decide(context.Background(), GateLosses, "%d parts of the snapshot will not be put back after the wipe: %s", len(all), strings.Join(all, "; "))
}

// sameUnit refuses another unit than that of the snapshot: what would be wiped
// is not what was saved.
func (f *flow) sameUnit() error {
	was, now := token(f.state.Was), token(f.state.Unit)
	switch {
	case now == "":
		return hard("unit", "the unit tells neither serial number nor hardware address, so it cannot be told from another")
	case was != now:
		return hard("unit", "another unit answers: its serial is %s, snapshot %s is of %s; check the address and the cabling", now, short(f.state.Target.SHA256), was)
	}
	return nil
}

// token is what names a unit: its serial number or, for units without one, its
// base hardware address.
func token(f plugins.Facts) string {
	switch {
	case len(f.Serials) > 0:
		return f.Serials[0]
	case len(f.MACs) > 0:
		return f.MACs[0]
	}
	return ""
}

func (w *wipe) approve(ctx context.Context) error {
	want := token(w.state.Unit)
	text := fmt.Sprintf("%s (%s) will be reset to its factory state. Snapshot %s was fetched, decrypted and parsed; it holds what the unit runs.",
		w.device.Name, describe(w.state.Unit), short(w.state.Target.SHA256))
	said, err := w.answer(ctx, Question{Text: text, Prompt: "Type the serial number of the unit to wipe it", Flag: "--serial"}, w.opts.Serial)
	if err != nil {
		return err
	}
	if strings.TrimSpace(said) != want {
		return hard("serial-typed", "%q is not the serial number of the unit that answers; nothing was reset", strings.TrimSpace(said))
	}
	if w.opts.ForReturn {
		return w.listSecrets()
	}
	return nil
}

func describe(f plugins.Facts) string {
	parts := []string{}
	for _, s := range append([]string{f.Vendor, f.Model, f.OSVersion}, f.Serials...) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// reset is not taken twice: after a crash the unit is asked whether it is reset
// already. One that does not answer may be resetting; proof waits for it.
func (w *wipe) reset(ctx context.Context) error {
	if w.again("reset") {
		state, err := w.ask(ctx)
		if err != nil {
			return err
		}
		if state != "" {
			w.tell("reset", "info", "the reset was begun before: %s", state)
			return nil
		}
	}
	return w.factoryReset(ctx)
}

func (w *wipe) factoryReset(ctx context.Context) error {
	return w.withSession(ctx, "", func(s *session.Session) error {
		// From here on an interruption does not run away.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resetTime)
		defer cancel()
		err := w.drv.FactoryReset(ctx, s, token(w.state.Unit))
		if errors.Is(err, plugins.ErrSessionLost) {
			err = nil // proof finds out
		}
		if err != nil {
			return fmt.Errorf("factory reset: %w", err)
		}
		return nil
	})
}

// again reports whether a step is begun for at least the second time.
func (f *flow) again(step string) bool {
	n := 0
	for _, m := range f.journal.Marks() {
		if m.Step == step && m.Phase == journal.Begun {
			n++
		}
	}
	return n > 1
}

// The bounds of a reset.
const (
	resetTime = 10 * time.Minute
	// stillThere is how long a device may answer with its old configuration
	// after the reset before the reset counts as failed: it takes a moment
	// until a reload hangs up.
	stillThere = 90 * time.Second
	lookEvery  = time.Second
)

// proof waits for the unit to answer as it leaves the factory. Whether it does
// the receipt says; only a unit that keeps its configuration fails the wipe: a
// reset that a reboot or a cut cable interrupted is done once more.
func (w *wipe) proof(ctx context.Context) error {
	begun, again := time.Now(), false
	var last string
	for {
		state, err := w.ask(ctx)
		if err != nil {
			return err
		}
		if state != last && state != "" {
			w.tell("proof", "info", "the unit: %s", state)
		}
		last = state
		switch waited := time.Since(begun); {
		case state == proofFactory, state == proofOther, state != "" && waited > w.opts.ProofWithin:
			w.state.Proof = state
			return nil
		case state == "" && waited > min(stillThere, w.opts.ProofWithin) && !again:
			again = true
			w.tell("proof", "info", "the unit still carries its configuration: resetting it once more")
			if err := w.factoryReset(ctx); err != nil {
				return err
			}
			begun = time.Now()
		case state == "" && waited > min(stillThere, w.opts.ProofWithin):
			return errors.New("the unit still carries its configuration: the reset did not take")
		}
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (w *wipe) receipt(ctx context.Context) error {
	err := w.flow.receipt(ctx, "done", nil)
	if err != nil && w.opts.ThenRestore && !errors.Is(err, vault.ErrIntegrity) {
		// The store may be behind the unit: first bring it back.
		w.tell("receipt", "info", "%v; it is written when the unit is back", err)
		return nil
	}
	return err
}

// listSecrets names the places of secrets in the snapshot: they were on the
// unit, and whoever gets it may find them.
func (w *wipe) listSecrets() error {
	native, err := w.target()
	if err != nil {
		return err
	}
	w.result.Rotate = Secrets(w.text, native)
	for _, p := range w.result.Rotate {
		w.tell("approve", "info", "rotate: %s", p)
	}
	return nil
}

// SecretPlace is where a secret stands in a configuration.
type SecretPlace struct {
	Artefact string `json:"artefact"`
	Line     int    `json:"line"` // from 1
	Text     string `json:"text"` // of the line, the secret hidden
}

func (p SecretPlace) String() string {
	return fmt.Sprintf("%s line %d: %s", p.Artefact, p.Line, p.Text)
}

// Secrets lists the lines that hold a secret, the secrets hidden.
func Secrets(text *plugins.Text, native []plugins.Artefact) []SecretPlace {
	var out []SecretPlace
	seen := map[string]bool{}
	for _, a := range native {
		if bytes.IndexByte(a.Data, 0) >= 0 {
			continue
		}
		was := strings.Split(string(a.Data), "\n")
		for i, line := range strings.Split(text.Redact(a.Name, string(a.Data)), "\n") {
			shown := strings.TrimSpace(line)
			if line == was[i] || seen[was[i]] || shown == plugins.Hidden {
				continue
			}
			seen[was[i]] = true // running and startup hold it twice
			out = append(out, SecretPlace{a.Name, i + 1, shown})
		}
	}
	return out
}
