package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/vault"
)

// renewAfter is the age at which an unchanged device gets a new object all the
// same (design §6), so that no snapshot in use is older than retention thinks.
const renewAfter = 30 * 24 * time.Hour

// Outcome is what a backup did for one device.
type Outcome string

// The outcomes. Only the first two are a good backup.
const (
	Stored     Outcome = "stored"     // a new snapshot
	Unchanged  Outcome = "unchanged"  // the newest snapshot still holds everything
	Incomplete Outcome = "incomplete" // stored, but partial, of unknown completeness, or without a tree
	HeldBack   Outcome = "held"       // stored, not latest good until `device accept`
	Skipped    Outcome = "skipped"    // a restore of the device is open
	Failed     Outcome = "failed"     // nothing stored
)

// Result is the outcome of one device.
type Result struct {
	Device   string           `json:"device"` // name
	ID       string           `json:"id"`
	Outcome  Outcome          `json:"outcome"`
	Snapshot string           `json:"snapshot,omitempty"` // id
	Verdict  plugins.Verdict  `json:"verdict,omitempty"`
	Reasons  []plugins.Reason `json:"reasons,omitempty"`
	Held     []Held           `json:"held,omitempty"`
	Code     string           `json:"code,omitempty"` // of a failure, as in the record
	Error    string           `json:"error,omitempty"`
	Seconds  float64          `json:"seconds"`

	Err error `json:"-"`
}

// Report is the outcome of a whole run.
type Report struct {
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Results []Result  `json:"devices"`
}

// Count returns how many devices ended that way.
func (r *Report) Count(o Outcome) int {
	n := 0
	for _, res := range r.Results {
		if res.Outcome == o {
			n++
		}
	}
	return n
}

// BackupOptions describe a run.
type BackupOptions struct {
	Force       bool              // a new object even if nothing changed
	Alone       bool              // a home has one such run at a time: of a whole inventory or group
	Concurrency int               // devices at once; 0: as configured
	Done        func(int, Result) // called as each device ends, with its index
}

// Backup backs devices up. One bad device never stops the others: what
// happened to each is in the report, and the error is only about the run as a
// whole (no right to write, a wrong clock, an unwritable record). When the
// error is not nil, nothing in the report has been acknowledged.
func (a *Agent) Backup(ctx context.Context, devices []inventory.Device, o BackupOptions) (*Report, error) {
	started := a.now()
	report := &Report{Started: started.UTC(), Results: []Result{}}
	run, err := a.begin(ctx, vault.RunOptions{Next: started.Add(a.Config.Every * 5 / 4), Alone: o.Alone})
	if err != nil {
		return report, err
	}
	defer run.Abort()
	if err := a.keepInventory(ctx); err != nil {
		return report, fmt.Errorf("sealed copy of the inventory: %w", err)
	}

	report.Results = make([]Result, len(devices))
	limit := o.Concurrency
	if limit <= 0 {
		limit = a.Config.Concurrency
	}
	var g errgroup.Group
	g.SetLimit(limit)
	for i, d := range devices {
		g.Go(func() error {
			begun := a.now()
			res := a.backupDevice(ctx, run, d, o.Force)
			res.Device, res.ID, res.Seconds = d.Name, d.ID, a.now().Sub(begun).Seconds()
			if res.Err != nil {
				res.Error = res.Err.Error()
				res.Code = failureCode(res.Err)
			}
			report.Results[i] = res
			a.logResult(ctx, res)
			if o.Done != nil {
				o.Done(i, res)
			}
			return nil
		})
	}
	_ = g.Wait()

	var failures error
	for _, res := range report.Results {
		if res.Outcome == Failed || res.Outcome == Skipped {
			failures = errors.Join(failures, run.Fail(res.ID, vault.Code(res.Code)))
		}
	}
	// What was put is recorded even when the operator interrupts.
	if err := errors.Join(failures, run.Close(context.WithoutCancel(ctx))); err != nil {
		return report, fmt.Errorf("nothing of this run is acknowledged, the next run finishes it: record of the run: %w", err)
	}
	report.Seconds = a.now().Sub(started).Seconds()
	return report, ctx.Err()
}

// begin starts a run, after what stands against it in another process of this
// home.
func (a *Agent) begin(ctx context.Context, o vault.RunOptions) (*vault.Run, error) {
	run, err := a.vault.Begin(ctx, o)
	if !errors.Is(err, vault.ErrBusy) {
		return run, err
	}
	a.log.WarnContext(ctx, "another cfgvault of this home stands against this run; waiting for it", "reason", err.Error())
	o.Wait = true
	return a.vault.Begin(ctx, o)
}

func (a *Agent) logResult(ctx context.Context, r Result) {
	attrs := []any{"device", r.Device, "outcome", string(r.Outcome), "seconds", r.Seconds}
	if r.Snapshot != "" {
		attrs = append(attrs, "snapshot", r.Snapshot)
	}
	if r.Code != "" {
		attrs = append(attrs, "code", r.Code)
	}
	a.log.InfoContext(ctx, "backup", attrs...)
}

// backupDevice does one device. It never returns an error beside the result.
func (a *Agent) backupDevice(ctx context.Context, run *vault.Run, d inventory.Device, force bool) Result {
	if journal.Exists(a.Home.Journal(), d.ID) {
		return Result{Outcome: Skipped, Err: fmt.Errorf("%w: `cfgvault restore %s --resume` ends it", journal.ErrOpen, d.Name)}
	}
	// An upgrade may be open for days while the operator upgrades; a wiped or a
	// half replaced unit is nothing to keep.
	if w, err := journal.ReadWorkflow(a.Home.Workflows(), d.ID); err == nil && w.Head().Kind != KindUpgrade {
		return Result{Outcome: Skipped, Err: a.openWorkflow(d)}
	}
	if err := ctx.Err(); err != nil {
		return Result{Outcome: Failed, Err: err}
	}
	timeout := d.Timeout
	if timeout == 0 {
		timeout = a.Config.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := a.readAndPut(ctx, run, d, force)
	if err != nil {
		res.Outcome, res.Err = Failed, err
	}
	return res
}

func (a *Agent) readAndPut(ctx context.Context, run *vault.Run, d inventory.Device, force bool) (Result, error) {
	drv, err := a.host.Shared(ctx, d.Driver)
	if err != nil {
		return Result{}, err
	}
	defer drv.Close()
	read, err := a.read(ctx, drv, d)
	if err != nil {
		return Result{}, err
	}
	return a.put(ctx, run, drv, d, read, vault.Routine, force)
}

// reading is what one pass over a device gave.
type reading struct {
	facts plugins.Facts
	exp   *plugins.Export
	took  time.Duration // connect, identify and export
}

// read dials a device, identifies it and exports it.
func (a *Agent) read(ctx context.Context, drv *host.Driver, d inventory.Device) (*reading, error) {
	begun := time.Now()
	s, err := a.dial(ctx, d, drv.Info(), "")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r, err := readSession(ctx, drv, s)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		// What the driver made of the deadline, "canceled", is nobody's wish.
		return nil, fmt.Errorf("%w: %s did not answer in the time that a device has: %v", session.ErrUnreachable, d.Name, err)
	}
	if err != nil {
		return nil, err
	}
	r.took = time.Since(begun)
	return r, nil
}

// readSession identifies and exports the device of an open session, in one pass
// where the driver can.
func readSession(ctx context.Context, drv plugins.Driver, s *session.Session) (*reading, error) {
	var facts plugins.Facts
	apart := !drv.Info().Can(plugins.CapFacts)
	if apart {
		var err error
		if facts, err = identify(ctx, drv, s); err != nil {
			return nil, err
		}
	}
	exp, err := drv.Export(ctx, s)
	if err != nil {
		return nil, wrongPlatform(during("export", err))
	}
	switch {
	case apart:
	case exp.Facts == nil:
		return nil, fmt.Errorf("export: %w: it does not say which unit answered, as the driver's capability %q promises", host.ErrPlugin, plugins.CapFacts)
	default:
		facts = *exp.Facts
	}
	if err := checkExport(drv.Info(), exp); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return &reading{facts: facts, exp: exp}, nil
}

// identify asks who answers.
func identify(ctx context.Context, drv plugins.Driver, s plugins.Session) (plugins.Facts, error) {
	facts, err := drv.Identify(ctx, s)
	if err != nil {
		err = wrongPlatform(during("identify", err))
	}
	return facts, err
}

// wrongPlatform says of a device that does not even offer what the driver talks
// over that it is of another platform.
func wrongPlatform(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%w: %w", plugins.ErrWrongPlatform, err)
	}
	return err
}

// during says in which step of the driver's contract an error came, unless the
// driver has said so itself.
func during(step string, err error) error {
	if strings.HasPrefix(err.Error(), step+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", step, err)
}

// checkExport holds an export to the contract; a driver that says complete
// about nothing must not get away with it.
func checkExport(info plugins.Info, exp *plugins.Export) error {
	significant := 0
	have := byName(exp.Artefacts)
	for _, a := range exp.Artefacts {
		if a.Role != plugins.RoleState {
			significant += len(a.Data)
		}
	}
	if significant == 0 {
		return plugins.ErrEmpty
	}
	if len(have) != len(exp.Artefacts) {
		return fmt.Errorf("%w: two artefacts have one name", host.ErrPlugin)
	}
	for _, spec := range info.Artefacts {
		if _, ok := have[spec.Name]; spec.Required && !ok && exp.Verdict == plugins.Complete {
			exp.Verdict = plugins.Partial
			exp.Reasons = append(exp.Reasons, plugins.Reason{Code: "artefact-missing", Text: "artefact " + spec.Name + " is missing"})
		}
	}
	switch exp.Verdict {
	case plugins.Complete, plugins.Partial, plugins.Unknown:
	default:
		return fmt.Errorf("%w: verdict %q is not known", host.ErrPlugin, exp.Verdict)
	}
	return nil
}

// put decides what a reading is worth and stores it. A baseline is what an
// operator declared right: it is never held, and what comes later is compared
// with it.
func (a *Agent) put(ctx context.Context, run *vault.Run, drv *host.Driver, d inventory.Device, read *reading, kind vault.Kind, force bool) (Result, error) {
	info := drv.Info()
	text, err := a.text(info)
	if err != nil {
		return Result{}, err
	}
	res := Result{Verdict: read.exp.Verdict, Reasons: read.exp.Reasons}
	digest := a.digest(info, text, read)
	state, known := a.vault.State(d.ID)
	if !force && known && state.Digest == digest && a.now().Sub(state.Entry.Time) < renewAfter {
		if err := run.Seen(d.ID, nil); err != nil {
			return res, err
		}
		res.Snapshot = state.Entry.ID()
		res.Outcome = Unchanged
		guards := decodeGuard(state.Guard)
		if state.Entry.Verdict != vault.Complete || guards.NoTree {
			res.Outcome = Incomplete
		} else if len(state.Entry.Held) > 0 && guards.Held != nil {
			res.Outcome = HeldBack
			for _, c := range state.Entry.Held {
				res.Held = append(res.Held, Held{Code: string(c), Text: "as before"})
			}
		}
		return res, nil
	}

	norm, normErr := drv.Normalize(ctx, read.facts, read.exp.Artefacts)
	if normErr == nil {
		normErr = validTree(norm.Tree)
	}
	if normErr != nil {
		// The artefacts are the backup, the tree is the index (design §5).
		norm = nil
		a.log.WarnContext(ctx, "stored without a tree", "device", d.Name, "error", normErr.Error())
		res.Reasons = append(res.Reasons, plugins.Reason{Code: "no-tree", Text: "normalising failed: " + normErr.Error()})
	}
	guards := decodeGuard(state.Guard)
	now := newGuard(read.facts, text, read.exp, norm)
	if read.exp.Verdict == plugins.Complete {
		if kind != vault.Baseline {
			res.Held = hold(guards.Base, now, read.exp.FactoryDefault)
		}
		if len(res.Held) > 0 {
			guards.Held = &now
		} else {
			guards = guardState{Base: &now}
		}
	}
	guards.NoTree = norm == nil
	if !info.Can(plugins.CapRestore) {
		read.exp.NoRestore = append(read.exp.NoRestore, plugins.Reason{Code: "no-restore-driver", Text: "driver " + info.Name + " cannot put a configuration back"})
	}
	meta := Meta{Name: d.Name, Driver: info.Name, Version: info.Version, Facts: read.facts, Held: res.Held, Firmware: Firmware(text, read.facts, read.exp.Artefacts)}
	snap, err := pack(d.ID, kind, meta, read.exp, norm)
	if err != nil {
		return res, err
	}
	snap.Digest, snap.Guard = digest, guards.encode()
	entry, err := run.Put(ctx, snap)
	if err != nil {
		return res, err
	}
	res.Snapshot = entry.ID()
	switch {
	case read.exp.Verdict != plugins.Complete || norm == nil:
		res.Outcome = Incomplete
	case len(res.Held) > 0:
		res.Outcome = HeldBack
	default:
		res.Outcome = Stored
	}
	return res, nil
}

// digest covers everything that decides whether a device is unchanged: native
// bytes after volatile lines, verdict, facts and driver version; the vault adds
// recipients, store and format.
func (a *Agent) digest(info plugins.Info, text *plugins.Text, read *reading) string {
	parts := [][]byte{[]byte(info.Name), []byte(info.Version), []byte(read.exp.Verdict)}
	for _, r := range read.exp.Reasons {
		parts = append(parts, []byte(r.Code), []byte(r.Text))
	}
	for _, r := range read.exp.NoRestore {
		parts = append(parts, []byte(r.Code))
	}
	for _, s := range read.facts.Serials {
		parts = append(parts, []byte(s))
	}
	parts = append(parts, []byte(read.facts.Model), []byte(read.facts.OSVersion))
	for _, art := range read.exp.Artefacts {
		if art.Role == plugins.RoleState {
			continue
		}
		parts = append(parts, []byte(art.Name), []byte(art.Role), text.Significant(art.Name, art.Data))
		for _, k := range sortedKeys(art.Attrs) {
			parts = append(parts, []byte(k), []byte(art.Attrs[k]))
		}
	}
	return a.vault.Digest(parts...)
}

// failureCode is what a record says of a failed device: a closed code.
func failureCode(err error) string {
	for _, c := range []struct {
		err  error
		code string
	}{
		{journal.ErrOpen, "restore-open"},
		{journal.ErrWorkflow, "workflow-open"},
		{context.Canceled, "interrupted"},
		{session.ErrUnreachable, "unreachable"},
		{session.ErrAuth, "login-refused"},
		{session.ErrHostKeyUnknown, "host-key-unknown"},
		{inventory.ErrCredential, "no-credential"},
		{inventory.ErrConfig, "configuration"},
		{plugins.ErrWrongPlatform, "wrong-platform"},
		{plugins.ErrEmpty, "empty"},
		{plugins.ErrTooLarge, "too-large"},
		{plugins.ErrNotPermitted, "not-permitted"},
		{plugins.ErrSessionLost, "session-lost"},
		{context.DeadlineExceeded, "deadline"},
		{host.ErrPlugin, "plugin"},
		{host.ErrPinned, "plugin-not-pinned"},
		{host.ErrUnknownDriver, "unknown-driver"},
		{vault.ErrNoRight, "store"},
	} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	var key *session.HostKeyError
	var cert *session.CertError
	if errors.As(err, &key) || errors.As(err, &cert) {
		return "host-key-changed"
	}
	return "failed"
}
