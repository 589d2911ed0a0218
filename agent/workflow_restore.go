package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// overdue is the gate of an agent that has not written its record.
func (f *flow) overdue(ctx context.Context, x *vault.Index) error {
	late := x.Overdue(f.agent.now())
	if len(late) == 0 {
		return nil
	}
	return f.decide(ctx, GateOverdue, "agent %s wrote its last record at %s and the next was due at %s: newer snapshots may be missing",
		late[0].Key, late[0].Last.Format(time.RFC3339), late[0].Due.Format(time.RFC3339))
}

// writable proves before a device is touched that the store takes records, that
// it is the right one and that this machine's clock agrees with it.
func (f *flow) writable(ctx context.Context) error {
	run, err := f.agent.begin(ctx, vault.RunOptions{})
	if err != nil {
		return err
	}
	run.Abort()
	return nil
}

// fetch fetches a snapshot, opens and parses it, and keeps it as ciphertext
// beside the journal: the store may be behind the unit.
func (f *flow) fetch(ctx context.Context, e vault.Entry, ids []age.Identity) error {
	sealed, err := f.agent.vault.FetchSealed(ctx, e)
	if errors.Is(err, vault.ErrIntegrity) {
		return fmt.Errorf("%w; `cfgvault list %s` shows what else there is, `cfgvault check` looks at the whole vault", err, f.device.Name)
	}
	if err != nil {
		return err
	}
	snap, err := f.agent.vault.Unseal(sealed, e, ids)
	if err != nil {
		return err
	}
	meta, native, err := unpack(snap)
	if err != nil {
		return err
	}
	if meta.Driver != f.drv.Info().Name && f.opts.driver == "" {
		return hard(GatePlatform, "the snapshot was made by driver %s, the device has driver %s", meta.Driver, f.drv.Info().Name)
	}
	// Parsed: what was stored can be read as configuration, whole.
	if meta.Driver == f.drv.Info().Name && file(snap, vault.Tree) != nil {
		norm, err := f.drv.Normalize(ctx, meta.Facts, native)
		if err == nil {
			err = validTree(norm.Tree)
		}
		if err != nil {
			return hard("parse", "snapshot %s cannot be parsed any more: %v", short(e.ID()), err)
		}
	}
	object, err := journalObject(e, sealed, ids)
	if err != nil {
		return err
	}
	if err := f.journal.Put(targetFile, sealed); err != nil {
		return err
	}
	f.state.Target, f.state.Was = &object, meta.Facts
	f.state.Ports, f.state.Path = plugins.PortsIn(native), pathIn(file(snap, vault.Tree))
	f.state.Named, f.state.Idle = namedPorts(file(snap, vault.Tree))
	f.tell("snapshot", "info", "snapshot %s of %s: fetched, decrypted, parsed", short(e.ID()), e.Time.Local().Format(time.DateTime))
	return nil
}

// source is the snapshot beside the journal.
func (f *flow) source() (*source, error) {
	o := f.state.Target
	if o == nil {
		return nil, errors.New("the journal names no snapshot")
	}
	src := &source{fileKey: o.FileKey}
	if err := json.Unmarshal(o.Entry, &src.entry); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var err error
	src.sealed, err = f.journal.Object(targetFile)
	return src, err
}

// target opens the snapshot beside the journal.
func (f *flow) target() ([]plugins.Artefact, error) {
	src, err := f.source()
	if err != nil {
		return nil, err
	}
	snap, err := f.agent.vault.Unseal(src.sealed, src.entry, []age.Identity{vault.NewFileKeyIdentity(src.fileKey)})
	if err != nil {
		return nil, err
	}
	_, native, err := unpack(snap)
	return native, err
}

// withSession runs do on a new session with the unit, at another address than
// the device's if one is given.
func (f *flow) withSession(ctx context.Context, address string, do func(*session.Session) error) error {
	d := f.device
	if address != "" {
		d.Address = address
	}
	return f.withDevice(ctx, d, do)
}

func (f *flow) withDevice(ctx context.Context, d inventory.Device, do func(*session.Session) error) error {
	s, err := f.agent.dial(ctx, d, f.drv.Info(), "")
	if err != nil {
		return err
	}
	defer s.Close()
	defer f.drv.Release(s)
	return do(s)
}

// restore puts the snapshot beside the journal on the unit, or ends the restore
// that an earlier run of the workflow began.
func (f *flow) restore(ctx context.Context, o RestoreOptions) error {
	src, err := f.source()
	if err != nil {
		return err
	}
	o.source, o.inFlow = src, true
	o.Allow = map[Gate]bool{}
	for g, ok := range f.opts.Allow {
		o.Allow[g] = ok
	}
	for _, g := range f.gates.used {
		o.Allow[Gate(g)] = true
	}
	for _, g := range f.gates.freed {
		o.Allow[g] = true
	}
	o.Event = func(e Event) { f.tell("restore", "info", "%s", e.Text) }
	run := f.agent.Restore
	if journal.Exists(f.agent.Home.Journal(), o.Onto.ID) {
		run = f.agent.Resume
	}
	res, err := run(ctx, o)
	if err == nil && res.Outcome == "refused" {
		// The journal was being forgotten when the agent died.
		res, err = f.agent.Restore(ctx, o)
	}
	f.result.Restore = res
	if res.Plan != nil {
		if shown, err := json.Marshal(res.Plan); err == nil {
			sum := sha256.Sum256(shown)
			f.state.Plan = hex.EncodeToString(sum[:])
		}
		for _, g := range res.Plan.Overruled {
			if !slices.Contains(f.gates.freed, Gate(g)) {
				f.gates.note(Gate(g))
			}
		}
	}
	f.state.Restore = res.Outcome
	if errors.Is(err, ErrGate) && f.kind == KindWipe {
		return fmt.Errorf("the restore was refused: %v", err) // the promise of ErrGate is not true of a wiped unit
	}
	if err != nil {
		return err
	}
	switch res.Outcome {
	case "confirmed", "nothing-to-do":
		return nil
	}
	return fmt.Errorf("the restore ended as %q", res.Outcome)
}
