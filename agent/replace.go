package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// ReplaceOptions say how to put a device's configuration on another unit.
type ReplaceOptions struct {
	WorkflowOptions `json:"-"`

	Address  string                    `json:"address"`             // where the new unit answers
	Driver   string                    `json:"driver,omitempty"`    // of the new unit, if it is of another platform
	At       string                    `json:"at,omitempty"`        // as RestoreOptions
	Serial   string                    `json:"serial,omitempty"`    // that the new unit must have; empty: any new one
	HostKeys []string                  `json:"host-keys,omitempty"` // fingerprints that were read at the unit's console
	Map      plugins.InterfaceMap      `json:"map,omitempty"`       // a reviewed one
	MapFile  string                    `json:"map-file"`            // where a computed one is written for review
	Login    *Login                    `json:"login,omitempty"`     // how to log in before the unit has its configuration
	Within   time.Duration             `json:"within"`
	Approve  func(*Plan) (bool, error) `json:"-"` // of the restore
}

// Login is how a unit is logged in to that does not have its configuration yet.
type Login struct {
	User     string        `json:"user"`
	Password inventory.Ref `json:"password"`
}

// Replace puts the configuration of a device on another unit and lets that take
// its place.
//
// ErrGate, the session's errors and context.Canceled promise that the new unit
// is as it was; ErrRolledBack too; after ErrUnfinished the new unit has the
// configuration, and Resume does what is left.
func (a *Agent) Replace(ctx context.Context, o ReplaceOptions) (*WorkflowResult, error) {
	refused := &WorkflowResult{Workflow: KindReplace, Device: o.Device, Outcome: "refused"}
	if _, err := inventory.ParseAddress(o.Address); err != nil && !o.Resume {
		return refused, fmt.Errorf("%w: address of the new unit: %w", ErrConfig, err)
	}
	o.driver = o.Driver
	f, err := a.newFlow(ctx, KindReplace, o.WorkflowOptions, &o)
	if err != nil {
		return refused, err
	}
	defer f.close()
	r := &replace{flow: f, opts: &o, place: f.device}
	if d, err := a.Inventory.Device(f.device.Name); err == nil && d.Driver != f.device.Driver {
		r.cross = true
		r.place.Options, r.device.Options = nil, nil // they are the old platform's
		if o.Login != nil {
			// A conversion keeps the login by which the unit is reached.
			r.place = o.Login.of(r.place)
		}
	}
	r.take()
	f.steps = []flowStep{
		{name: "snapshot", does: "fetch the snapshot from the store, decrypt and parse it", do: r.snapshot},
		{name: "host-key", does: "read the new unit's host key at " + o.Address + ", and take it on your word", do: r.hostKey},
		{name: "identify", does: "connect, and make sure that it is a new unit of the right kind", do: r.identify},
		{name: "interfaces", does: "match the interfaces of the old unit with those of the new one", do: r.interfaces},
		{name: "needs", does: "hold the licences and templates that count from a start on against those of the new unit", do: r.needs},
		{name: "management", does: "hold how the new unit will be reached against how it is reached now", do: r.management},
		{name: "prepare", does: "if it needs other licences or templates first: set and save them, reboot the unit, wait for it", touches: true, back: "the new unit has at most the licences and templates of the old one", do: r.prepare},
		{name: "restore", does: "put the configuration on the new unit under its own timer, read it back, compare, keep it", touches: true, back: "the new unit is as it was", do: r.restore},
		{name: "inventory", does: "let the new unit take the device's place: host key, address, serial", touches: true, back: "the new unit has the configuration", do: r.inventory},
		{name: "verify", does: "compare links and neighbours with those of the old unit", touches: true, back: "the new unit has the configuration", do: r.verify},
		{name: "baseline", does: "back the new unit up: history goes on from there", touches: true, back: "the new unit has the configuration", do: r.baseline},
		{name: "receipt", does: "sign and store the receipt", touches: true, back: "the new unit has the configuration", do: r.receipt},
	}
	f.plan(ctx)
	return f.run(ctx)
}

type replace struct {
	*flow
	opts  *ReplaceOptions
	place inventory.Device // as the inventory has it, with the new unit's driver; flow.device is dialled
	cross bool             // the new unit is of another platform
	ports []plugins.Port   // of the new unit
}

// take makes the flow dial the new unit.
func (r *replace) take() {
	r.device.Address = r.opts.Address
	if len(r.state.HostKeys) > 0 {
		r.device.HostKeys = r.state.HostKeys
	}
	if r.opts.Login != nil {
		r.device = r.opts.Login.of(r.device)
	}
}

func (r *replace) snapshot(ctx context.Context) error {
	if r.cross && !r.drv.Info().Can(plugins.CapRender) {
		return hard(GatePlatform, "driver %s cannot write a configuration of another platform", r.drv.Info().Name)
	}
	if !r.cross && !r.drv.Info().Can(plugins.CapAdapt) {
		return hard(GatePlatform, "driver %s cannot carry a configuration to another unit", r.drv.Info().Name)
	}
	ids, err := r.agent.Identities()
	if err != nil {
		return err
	}
	if err := r.writable(ctx); err != nil {
		return err
	}
	x, err := r.agent.Index(ctx)
	if err != nil {
		return err
	}
	e, err := resolveAt(x, r.place, r.opts.At)
	if err != nil {
		return err
	}
	if err := r.overdue(ctx, x); err != nil {
		return err
	}
	if err := r.gates.snapshot(e); err != nil {
		return err
	}
	if err := r.gates.driver(r.drv.Info()); err != nil {
		return err
	}
	return r.fetch(ctx, e, ids)
}

// hostKey pins what the new unit shows, in this workflow only: the inventory
// learns it when the unit has taken the device's place.
func (r *replace) hostKey(ctx context.Context) error {
	r.state.Address = r.opts.Address
	if at, err := inventory.ParseAddress(r.opts.Address); err == nil && !at.Scheme.Encrypted() {
		r.tell("host-key", "info", "%s shows no host key: nothing proves who answers", r.opts.Address)
		return nil
	}
	shown, err := r.takeKeys(ctx, r.device, r.opts.HostKeys)
	if err != nil {
		return err
	}
	r.state.HostKeys, r.state.OldKeys = shown, r.place.HostKeys
	r.take()
	return nil
}

func (r *replace) identify(ctx context.Context) error {
	return r.withSession(ctx, "", func(s *session.Session) error {
		facts, err := identify(ctx, r.drv, s)
		if errors.Is(err, plugins.ErrWrongPlatform) {
			return fmt.Errorf("%w; check the address, %s is a device of driver %s", err, r.place.Name, r.drv.Info().Name)
		}
		if err != nil {
			return err
		}
		r.state.Unit = facts
		r.tell("identify", "info", "the unit is a %s", describe(facts))
		return r.newUnit(ctx, facts)
	})
}

// newUnit refuses the old unit and every other that has a place of its own.
func (r *replace) newUnit(ctx context.Context, now plugins.Facts) error {
	was := r.state.Was
	id := token(now)
	switch {
	case id == "":
		return hard("unit", "the unit tells neither serial number nor hardware address, so it cannot be told from the old one")
	case id == token(was):
		return hard("unit", "this is the old unit, %s itself: its serial is %s; `cfgvault restore %s` puts a configuration back on the same unit", r.place.Name, id, r.place.Name)
	case r.opts.Serial != "" && id != r.opts.Serial:
		return hard("unit", "the unit at %s has serial %s, not %s; check the address and the cabling", r.opts.Address, id, r.opts.Serial)
	}
	for _, d := range r.agent.Inventory.Devices() {
		if d.ID != r.place.ID && slices.Contains(r.agent.serials(d), id) {
			return hard("unit", "the unit at %s, serial %s, is %s: it has a place of its own; check the address", r.opts.Address, id, d.Name)
		}
	}
	x, err := r.agent.Index(ctx)
	if err == nil {
		if day, ok := r.agent.replaced(x, r.place)[id]; ok {
			return hard("unit", "the unit at %s, serial %s, was itself replaced on %s; check which unit is connected", r.opts.Address, id, day.Local().Format(time.DateOnly))
		}
	}
	if r.cross {
		return nil // what does not come through, the gate of losses is for
	}
	if was.Model != "" && now.Model != "" && was.Model != now.Model {
		if err := r.decide(ctx, GateModel, "the new unit is a %s, the old one was a %s: ports, licences and features may differ", now.Model, was.Model); err != nil {
			return err
		}
	}
	if was.OSVersion != "" && now.OSVersion != "" && was.OSVersion != now.OSVersion {
		age := "newer"
		if natural(now.OSVersion, was.OSVersion) < 0 {
			age = "older"
		}
		return r.decide(ctx, GateVersion, "the new unit runs %s, which is %s than the snapshot's %s: bring it to %s first", now.OSVersion, age, was.OSVersion, was.OSVersion)
	}
	return nil
}

// serials are what is known of the unit in a device's place.
func (a *Agent) serials(d inventory.Device) []string {
	out := slices.Clone(d.Unit.Serials)
	if s, ok := a.vault.State(d.ID); ok {
		if g := decodeGuard(s.Guard).Base; g != nil {
			out = append(out, g.Serials...)
		}
	}
	return out
}

func (r *replace) restore(ctx context.Context) error {
	onto, after := r.device, r.device
	after.User, after.Auth = r.place.User, r.place.Auth
	r.gates.free(GateSerial)
	err := r.flow.restore(ctx, RestoreOptions{
		Device: r.place.Name, Onto: &onto, after: &after, Map: r.state.Map, Within: r.opts.Within, Approve: r.opts.Approve, losses: r.losses,
	})
	if err == nil || errors.Is(err, ErrOutcome) || journal.Exists(r.agent.Home.Journal(), r.place.ID) {
		return err
	}
	// The unit is as it was: the workflow has come to its end.
	if errors.Is(err, ErrRolledBack) {
		if kept := r.flow.receipt(context.WithoutCancel(ctx), "rolled-back", nil); kept != nil {
			r.tell("restore", "info", "%v", kept)
		}
	}
	r.over = true
	return err
}

// losses are what will not be put back. What belongs to the old unit is left
// out by design, and becomes work for a person; all else needs a word.
func (r *replace) losses(losses []plugins.Loss) error {
	native, err := r.target()
	if err != nil {
		return err
	}
	was := byName(native)
	var others []string
	for _, l := range losses {
		if was[l.Artefact].Role == plugins.RoleState {
			continue // evidence, which no restore puts back
		}
		text := oneLine(l.Artefact + " " + l.Text)
		if l.Code != "unit-bound" {
			others = append(others, text)
		} else if task := "not carried over: " + text; !slices.Contains(r.state.Tasks, task) {
			r.state.Tasks = append(r.state.Tasks, task)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return r.decide(context.Background(), GateLosses, "%d parts of the snapshot will not be put back: %s", len(others), strings.Join(others, "; "))
}

// inventory gives the new unit the device's place. Where the configuration
// moved the unit to the device's old address, that stays.
func (r *replace) inventory(ctx context.Context) error {
	address := r.opts.Address
	if r.place.Address != address && r.answersAt(ctx, r.place.Address) {
		address = r.place.Address
	}
	facts := r.state.Unit
	err := r.agent.Inventory.Update(r.place.Name, func(d *inventory.Device) error {
		d.HostKeys, d.Address = r.state.HostKeys, address
		if r.cross {
			d.Driver, d.Options = r.place.Driver, nil
			if r.opts.Login != nil {
				d.User, d.Auth = r.place.User, r.place.Auth
			}
		}
		d.Unit = inventory.Unit{Serials: facts.Serials, Model: facts.Model, Since: r.agent.now().UTC().Truncate(time.Second)}
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.agent.Inventory.Save(); err != nil {
		return err
	}
	r.state.Address = address
	r.tell("inventory", "info", "%s is at %s now; %d old host keys are retired", r.place.Name, address, len(r.state.OldKeys))
	return nil
}

// answersAt reports whether the new unit answers at an address.
func (r *replace) answersAt(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	found := false
	err := r.withDevice(ctx, r.settled(address), func(s *session.Session) error {
		facts, err := identify(ctx, r.drv, s)
		found = err == nil && token(facts) == token(r.state.Unit)
		return err
	})
	return err == nil && found
}

// settled is the device as it is logged in to once it has its configuration.
func (r *replace) settled(address string) inventory.Device {
	d := r.place
	d.Address, d.HostKeys = address, r.state.HostKeys
	return d
}

func (r *replace) baseline(ctx context.Context) error {
	return r.flow.baseline(ctx, r.settled(r.state.Address))
}

func (r *replace) receipt(ctx context.Context) error {
	return r.flow.receipt(ctx, "done", func(_ *ReceiptBody, d *ReceiptDetails) {
		d.Replaced = r.state.Was.Serials
		if len(d.Replaced) == 0 {
			d.Replaced = []string{token(r.state.Was)}
		}
	})
}

// baseline backs the device up as it is now, declared right.
func (f *flow) baseline(ctx context.Context, d inventory.Device) error {
	var read *reading
	err := f.withDevice(ctx, d, func(s *session.Session) error {
		var err error
		read, err = readSession(ctx, f.drv, s)
		return err
	})
	if err != nil {
		return err
	}
	if read.exp.Verdict != plugins.Complete {
		return fmt.Errorf("%w: the device could not be read completely: %v", errPartial, read.exp.Reasons)
	}
	f.state.Unit, f.state.Firmware = read.facts, Firmware(f.text, read.facts, read.exp.Artefacts)
	run, err := f.agent.begin(ctx, vault.RunOptions{})
	if err != nil {
		return err
	}
	defer run.Abort()
	res, err := f.agent.put(ctx, run, f.drv, d, read, vault.Baseline, true)
	if err == nil {
		err = run.Close(ctx)
	}
	if err != nil {
		return err
	}
	state, _ := f.agent.vault.State(d.ID)
	f.state.Baseline = state.Entry.SHA256
	f.tell("baseline", "info", "baseline %s", short(res.Snapshot))
	return nil
}
