package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/vault"
)

// The errors of a restore that its caller tells apart.
var (
	// ErrRolledBack: the change was not kept; the device is as it was.
	ErrRolledBack = errors.New("rolled back")
	// ErrOutcome: it is not known what the device runs. Act now.
	ErrOutcome = errors.New("outcome unknown")
)

// RestoreOptions say what to restore and how.
type RestoreOptions struct {
	Device string // name
	At     string // what stands after '@' in a reference; empty: latest good
	DryRun bool   // stage, show the plan, discard
	Allow  map[Gate]bool
	NoUndo bool                 // do not save the target first: only where it cannot be exported
	Map    plugins.InterfaceMap // for another unit
	Within time.Duration        // the device's timer; 0: four times the time to connect and export, at least a minute, and the time in which a commit restarts it

	// Onto is the device that gets the snapshot of Device instead of it: another
	// one of the inventory, or the same one as it is to be dialled.
	Onto *inventory.Device

	after     *inventory.Device          // how to log in once the configuration is there, if that is another way
	losses    func([]plugins.Loss) error // decides instead of the gate
	source    *source                    // the snapshot as it lies beside a workflow's journal
	inFlow    bool                       // a workflow on the device is open, and this is its restore
	rehearsal bool                       // do not confirm what compared equal: put back what was there
	merge     bool                       // onto another release: put back what the unit lacks, keep what it has
	migrate   bool                       // onto another release, whose own migrator takes it as it was
	noReceipt bool                       // the caller keeps one
	root      string                     // folder of journals, if not the home's

	// Approve is shown the plan and decides. It is not called for a dry run
	// or when there is nothing to do.
	Approve func(*Plan) (bool, error)
	// Event is told each step as it is passed; it may be nil.
	Event func(Event)
}

// source is a sealed snapshot that lies ready, so that no store is needed.
type source struct {
	entry   vault.Entry
	sealed  []byte
	fileKey []byte
}

// Event is a step of a restore, after it was journalled.
type Event struct {
	Step    journal.Step  `json:"step"`
	Text    string        `json:"text"`
	Elapsed time.Duration `json:"elapsed"` // since the restore began
}

// Plan is what a restore would do, and what it cannot do. Secrets are hidden.
type Plan struct {
	Device     string         `json:"device"`
	Snapshot   string         `json:"snapshot"`
	Taken      time.Time      `json:"taken"`
	Undo       string         `json:"undo,omitempty"`
	Change     string         `json:"change"`
	Unit       plugins.Facts  `json:"unit"`
	Rollback   string         `json:"rollback"`
	Within     time.Duration  `json:"within"`
	Diff       string         `json:"diff"`
	Steps      []string       `json:"steps,omitempty"`
	Losses     []plugins.Loss `json:"losses,omitempty"`
	Disruptive []string       `json:"disruptive,omitempty"`
	Address    string         `json:"address,omitempty"`
	Overruled  []string       `json:"overruled,omitempty"`
	Converted  string         `json:"converted,omitempty"` // the driver of the snapshot, if it is another one than the device's
	Kept       []string       `json:"kept,omitempty"`      // what stays of the device in a conversion, so that it can be reached
}

// RestoreResult is how a restore ended.
type RestoreResult struct {
	Device      string       `json:"device"`
	Snapshot    string       `json:"snapshot,omitempty"` // id
	Plan        *Plan        `json:"plan,omitempty"`
	Outcome     string       `json:"outcome"` // "planned", "nothing-to-do", "confirmed", "rehearsed", "rolled-back", "refused", "unknown"
	Differences []Difference `json:"differences,omitempty"`
	Receipt     string       `json:"receipt,omitempty"`
	Seconds     float64      `json:"seconds"`
	Steps       []Event      `json:"steps"`
}

// restore is one restore under way.
type restore struct {
	agent  *Agent
	opts   RestoreOptions
	device inventory.Device // gets the snapshot
	from   inventory.Device // whose snapshot it is; nearly always the same
	entry  vault.Entry
	gates  gates

	drv  *host.Driver
	text *plugins.Text
	sess *session.Session

	armed    *session.Session // kept from Commit on: see hangUp
	endArmed func()

	endSess context.CancelFunc // of the context that sess lives in

	proved *session.Session // over which what the device has compared equal

	want      []plugins.Artefact // what the device is to have
	meta      Meta               // of the snapshot
	adapted   bool               // want is for the unit at hand
	moved     bool               // which is another one than the snapshot's, or has other names
	converted *Conversion        // if the snapshot is of another platform
	untaken   []journal.Line     // lines that the device does not take, it said while staging
	notBack   []string           // artefacts that the driver cannot put back
	before    *reading           // what the device had
	undo      *vault.Entry
	began     time.Time
	plan      *Plan
	settled   bool // it is known what the device has: nothing to resume
	journal   *journal.Journal
	result    *RestoreResult
	commitAt  time.Time
}

// The bounds of the device's timer.
const (
	minWithin = 60 * time.Second
	maxWithin = time.Hour
	// discardTime bounds cleaning up after the caller's context has ended.
	discardTime = 2 * time.Minute
	// settleTime is how long a device may take to be as it was after it said
	// that the change is discarded.
	settleTime = 20 * time.Second
)

// Restore puts a snapshot back on a device, through the whole sequence of
// design §7. The result is returned with every error, as far as it came.
//
// ErrGate, the session's errors and context.Canceled promise that running and
// startup configuration are unchanged; ErrRolledBack that the device is as it
// was; after ErrOutcome nobody knows.
func (a *Agent) Restore(ctx context.Context, o RestoreOptions) (*RestoreResult, error) {
	r, err := a.newRestore(ctx, o)
	if err != nil {
		return &RestoreResult{Device: o.Device, Outcome: "refused", Steps: []Event{}}, err
	}
	defer r.close()
	err = r.settle(ctx, r.run(ctx))
	r.result.Seconds = time.Since(r.began).Seconds()
	return r.result, err
}

func (a *Agent) newRestore(ctx context.Context, o RestoreOptions) (*restore, error) {
	from, err := a.Inventory.Device(o.Device)
	if err != nil {
		return nil, err
	}
	d := from
	if o.Onto != nil {
		d = *o.Onto
	}
	if o.root == "" {
		o.root = a.Home.Journal()
	}
	drv, err := a.host.Own(ctx, d.Driver)
	if err != nil {
		return nil, err
	}
	text, err := a.text(drv.Info())
	if err != nil {
		drv.Close()
		return nil, err
	}
	allow := o.Allow
	if o.NoUndo {
		allow = map[Gate]bool{GateNoUndo: true}
		for g, ok := range o.Allow {
			allow[g] = ok
		}
	}
	return &restore{
		agent: a, opts: o, device: d, from: from, drv: drv, text: text, gates: gates{allowed: allow},
		began: time.Now(), result: &RestoreResult{Device: d.Name, Outcome: "refused", Steps: []Event{}},
	}, nil
}

func (r *restore) close() {
	r.hangUp()
	if r.armed != nil {
		r.drv.Release(r.armed)
		r.armed.Close()
		r.endArmed()
	}
	if r.journal != nil {
		r.journal.Close()
	}
	r.drv.Close()
}

// settle keeps the promise of the exit statuses: once a commit may have reached
// the device, an error that does not say how the device ended says that nobody
// knows.
func (r *restore) settle(ctx context.Context, err error) error {
	if err == nil || r.settled || r.journal == nil || !r.journal.Reached(journal.Committing) || errors.Is(err, ErrOutcome) {
		return err
	}
	return r.unknown(ctx, err)
}

func (r *restore) event(step journal.Step, format string, args ...any) {
	e := Event{Step: step, Text: fmt.Sprintf(format, args...), Elapsed: time.Since(r.began)}
	r.result.Steps = append(r.result.Steps, e)
	if r.opts.Event != nil {
		r.opts.Event(e)
	}
}

// step journals a step and then tells of it.
func (r *restore) step(step journal.Step, format string, args ...any) error {
	if err := r.journal.Step(step, ""); err != nil {
		return err
	}
	r.event(step, format, args...)
	return nil
}

func (r *restore) run(ctx context.Context) error {
	if !r.opts.inFlow {
		if err := r.agent.openWorkflow(r.device); err != nil {
			return err
		}
	}
	if journal.Exists(r.opts.root, r.device.ID) {
		return fmt.Errorf("%w: `cfgvault restore %s --resume` ends it", journal.ErrOpen, r.device.Name)
	}
	sealed, err := r.fetch(ctx)
	if err != nil {
		return err
	}
	if err := r.identify(ctx); err != nil {
		return err
	}
	undoSealed, err := r.save(ctx)
	if err != nil {
		return err
	}
	if err := r.adapt(ctx); err != nil {
		return err
	}
	if err := r.open(sealed, undoSealed); err != nil {
		return err
	}
	if err := r.stage(ctx); err != nil {
		return r.abandon(ctx, err)
	}
	proceed, err := r.approve(ctx)
	if err != nil || !proceed {
		return r.abandon(ctx, err)
	}
	return r.commit(ctx)
}

// fetch resolves the snapshot in verified records, fetches, verifies and
// unseals it.
func (r *restore) fetch(ctx context.Context) (target []byte, err error) {
	if r.opts.source != nil {
		return r.fetchSource()
	}
	ids, err := r.agent.Identities()
	if err != nil {
		return nil, err
	}
	x, err := r.agent.Index(ctx)
	if err != nil {
		return nil, err
	}
	if r.entry, err = resolveAt(x, r.from, r.opts.At); err != nil {
		return nil, err
	}
	r.result.Snapshot = r.entry.ID()
	if late := x.Overdue(r.agent.now()); len(late) > 0 {
		if err := r.gates.refuse(GateOverdue, "agent %s wrote its last record at %s and the next was due at %s: newer snapshots may be missing",
			late[0].Key, late[0].Last.Format(time.RFC3339), late[0].Due.Format(time.RFC3339)); err != nil {
			return nil, err
		}
	}
	if err := r.gates.snapshot(r.entry); err != nil {
		return nil, err
	}
	if err := r.gates.driver(r.drv.Info()); err != nil {
		return nil, err
	}
	sealed, err := r.agent.vault.FetchSealed(ctx, r.entry)
	if err != nil {
		return nil, err
	}
	snap, err := r.agent.vault.Unseal(sealed, r.entry, ids)
	if err != nil {
		return nil, err
	}
	if r.meta, r.want, err = unpack(snap); err != nil {
		return nil, err
	}
	r.event("", "snapshot %s of %s fetched and verified", short(r.entry.ID()), r.entry.Time.Local().Format(time.DateTime))
	return sealed, nil
}

// fetchSource opens the snapshot that lies beside a workflow's journal, whose
// gates it has passed.
func (r *restore) fetchSource() (target []byte, err error) {
	src := r.opts.source
	r.entry, r.result.Snapshot = src.entry, src.entry.ID()
	if err := r.gates.driver(r.drv.Info()); err != nil {
		return nil, err
	}
	snap, err := r.agent.vault.Unseal(src.sealed, src.entry, []age.Identity{vault.NewFileKeyIdentity(src.fileKey)})
	if err != nil {
		return nil, err
	}
	r.meta, r.want, err = unpack(snap)
	return src.sealed, err
}

// identify connects and holds the unit that answers against the snapshot.
func (r *restore) identify(ctx context.Context) error {
	begun := time.Now()
	if err := r.reconnectOnce(ctx, ""); err != nil {
		return err
	}
	facts, err := identify(ctx, r.drv, r.sess)
	if err != nil {
		return err
	}
	r.before = &reading{facts: facts, exp: &plugins.Export{}, took: time.Since(begun)}
	return r.fits(facts)
}

// fits holds the unit that answers against the snapshot. One of another platform
// has nothing in common with it; what does not come through is for the gate of
// losses.
func (r *restore) fits(facts plugins.Facts) error {
	elsewhere := r.opts.Onto != nil || r.journal != nil && r.journal.Head().Unit != nil
	if r.crosses() && elsewhere {
		return nil
	}
	return r.gates.unit(r.meta, r.drv.Info().Name, facts)
}

// save puts what the device has now into the vault as an undo snapshot.
func (r *restore) save(ctx context.Context) (undoSealed []byte, err error) {
	begun := time.Now()
	exp, err := r.drv.Export(ctx, r.sess)
	if err == nil {
		err = checkExport(r.drv.Info(), exp)
	}
	if errors.Is(err, plugins.ErrSessionLost) || ctx.Err() != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if err != nil {
		if gate := r.gates.refuse(GateNoUndo, "the unit cannot be exported (%v)", err); gate != nil {
			return nil, gate
		}
		return nil, nil
	}
	if len(exp.NoRestore) > 0 {
		return nil, &GateError{GateGrade, fmt.Sprintf("this login cannot put a configuration back: %s", exp.NoRestore[0].Text)}
	}
	r.before.exp = exp
	r.before.took += time.Since(begun)
	if r.opts.DryRun {
		return nil, nil // nothing will be overwritten
	}
	if r.opts.NoUndo {
		return nil, r.gates.refuse(GateNoUndo, "")
	}
	norm, err := r.drv.Normalize(ctx, r.before.facts, exp.Artefacts)
	if err != nil || validTree(norm.Tree) != nil {
		norm = nil
	}
	sealed, entry, err := r.putUndo(ctx, exp, norm)
	if err != nil && r.opts.source != nil && exp.FactoryDefault && ctx.Err() == nil && !errors.Is(err, vault.ErrIntegrity) {
		// The store may be behind the very unit that is being brought back.
		r.event("", "the store cannot be written (%v); the unit carries no configuration of its own, so it goes on without an undo snapshot", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("undo snapshot: %w", err)
	}
	r.undo = &entry
	r.event("", "undo snapshot %s: `cfgvault restore %s --at %s` brings back what the device has now", short(entry.ID()), r.device.Name, short(entry.ID()))
	return sealed, nil
}

// putUndo stores what the device has now.
func (r *restore) putUndo(ctx context.Context, exp *plugins.Export, norm *plugins.Normalized) ([]byte, vault.Entry, error) {
	info := r.drv.Info()
	meta := Meta{Name: r.device.Name, Driver: info.Name, Version: info.Version, Facts: r.before.facts, Firmware: Firmware(r.text, r.before.facts, exp.Artefacts)}
	snap, err := pack(r.device.ID, vault.Undo, meta, exp, norm)
	if err != nil {
		return nil, vault.Entry{}, err
	}
	run, err := r.agent.begin(ctx, vault.RunOptions{})
	if err != nil {
		return nil, vault.Entry{}, err
	}
	defer run.Abort()
	entry, err := run.Put(ctx, snap)
	if err == nil {
		err = run.Close(ctx)
	}
	if err != nil {
		return nil, entry, err
	}
	sealed, err := r.agent.vault.FetchSealed(ctx, entry)
	return sealed, entry, err
}

// adapt prepares the artefacts for the unit at hand, if it is another one or
// interfaces are renamed.
func (r *restore) adapt(ctx context.Context) error {
	if r.adapted {
		return nil
	}
	r.adapted = true
	if r.crosses() {
		return r.cross(ctx)
	}
	if r.opts.merge {
		return r.merged(ctx)
	}
	same := len(r.meta.Facts.Serials) == 0 || len(r.before.facts.Serials) == 0 ||
		strings.Join(r.meta.Facts.Serials, "\n") == strings.Join(r.before.facts.Serials, "\n")
	if same && len(r.opts.Map) == 0 {
		return nil
	}
	adapted, losses, err := r.drv.Adapt(ctx, r.want, r.meta.Facts, r.before.facts, r.opts.Map)
	if errors.Is(err, errors.ErrUnsupported) {
		return &GateError{GatePlatform, fmt.Sprintf("driver %s cannot carry a configuration to another unit", r.drv.Info().Name)}
	}
	if err != nil {
		return fmt.Errorf("adapt: %w", err)
	}
	r.want, r.moved = adapted, true
	r.plan = &Plan{Losses: losses}
	return nil
}

// merged makes of a configuration of another release one for this: what the
// unit has now, with what it lost in its place.
func (r *restore) merged(ctx context.Context) error {
	_, merged, err := compareUpgrade(ctx, r.drv, r.text, r.meta.Facts, r.before.facts, r.want, r.before.exp.Artefacts)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	r.want = merged
	return nil
}

// open fixes the change's id and timer and journals what is about to happen.
func (r *restore) open(target, undo []byte) error {
	within := r.opts.Within
	if least := 2 * r.before.took; within == 0 {
		restart := min(max(time.Duration(r.drv.Info().RestartSeconds), 0), 1800) * time.Second
		within = min(max(2*least, minWithin)+restart, maxWithin).Round(time.Second)
	} else if within < least {
		return &GateError{"within", fmt.Sprintf("--within %v is less than twice the %v that connecting and exporting took", within, r.before.took.Round(time.Millisecond))}
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, crypto/rand says
	var ids []age.Identity
	if r.opts.source == nil || r.undo != nil {
		var err error
		if ids, err = r.agent.Identities(); err != nil {
			return err
		}
	}
	targetIDs := ids
	if r.opts.source != nil {
		targetIDs = []age.Identity{vault.NewFileKeyIdentity(r.opts.source.fileKey)}
	}
	head := journal.Head{
		Device: r.device.ID, Name: r.device.Name, Driver: r.device.Driver,
		ChangeID: "cv" + hex.EncodeToString(id[:]), Started: r.began.UTC(), Within: within,
		Map: r.opts.Map, Allowed: r.gates.used, Serials: r.before.facts.Serials,
		DryRun: r.opts.DryRun, Rehearsal: r.opts.rehearsal, Merge: r.opts.merge, Migrate: r.opts.migrate,
	}
	if r.opts.Onto != nil {
		head.Unit = &journal.Place{Address: r.device.Address, HostKeys: r.device.HostKeys}
	}
	var err error
	if head.Target, err = journalObject(r.entry, target, targetIDs); err != nil {
		return err
	}
	if r.undo != nil {
		o, err := journalObject(*r.undo, undo, ids)
		if err != nil {
			return err
		}
		head.Undo = &o
	}
	if r.journal, err = journal.Create(r.opts.root, head); err != nil {
		return err
	}
	if err := r.journal.Put(targetFile, target); err != nil {
		return err
	}
	if undo != nil {
		if err := r.journal.Put(undoFile, undo); err != nil {
			return err
		}
	}
	if err := r.journal.Open(); err != nil {
		return err
	}
	r.event(journal.Opened, "change %s journalled", head.ChangeID)
	return nil
}

// abandon ends a restore before its commit: what was staged is discarded, the
// journal forgotten. cause may be nil.
func (r *restore) abandon(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	err := r.drv.Discard(ctx, r.sess, r.journal.Head().ChangeID)
	if errors.Is(err, plugins.ErrSessionLost) {
		if err = r.reconnectOnce(ctx, ""); err == nil {
			err = r.drv.Discard(ctx, r.sess, r.journal.Head().ChangeID)
		}
	}
	if errors.Is(err, plugins.ErrNotPermitted) && r.journal.Last() == journal.Opened {
		err = nil // who may not discard could not stage either
	}
	if err != nil {
		if cause == nil {
			cause = errors.New("the plan was made")
		}
		return fmt.Errorf("%w; what was staged is still on the device (%v): `cfgvault restore %s --resume` removes it", cause, err, r.device.Name)
	}
	r.settled = true
	if err := r.journal.Finish(); err != nil {
		return errors.Join(cause, fmt.Errorf("%w: the device is unchanged; `cfgvault restore %s --resume` forgets the restore", err, r.device.Name))
	}
	return cause
}

// explain adds the device's own words to a rejection, secrets hidden, and
// makes refusals of a driver gates.
func (r *restore) explain(err error) error {
	var rejected *plugins.RejectedError
	switch {
	case errors.As(err, &rejected):
		text := strings.TrimSpace(r.scrub(printable(rejected.Text)))
		return &GateError{"device", fmt.Sprintf("%v: %s", err, text)}
	case errors.Is(err, plugins.ErrRejected), errors.Is(err, plugins.ErrNotPermitted), errors.Is(err, plugins.ErrBusy),
		errors.Is(err, errors.ErrUnsupported), errors.Is(err, plugins.ErrWrongUnit), errors.Is(err, plugins.ErrWrongPlatform):
		return &GateError{"device", err.Error()}
	}
	return err
}

// scrub hides the secrets of everything at hand in text that is shown.
func (r *restore) scrub(text string) string {
	return newScrubber(r.text, r.want, r.before.exp.Artefacts).scrub(text)
}

// The objects beside the journal.
const (
	targetFile = "target.age"
	undoFile   = "undo.age"
)

// IsOpen reports whether a restore of the device was interrupted.
func (a *Agent) IsOpen(d inventory.Device) bool { return journal.Exists(a.Home.Journal(), d.ID) }
