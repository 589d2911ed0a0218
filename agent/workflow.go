package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
)

// ErrUnfinished is wrapped by the error of a workflow that changed the device
// and has not come to its end: --resume goes on.
var ErrUnfinished = errors.New("not finished")

// The kinds of workflows. The kind of a workflow's receipt is the same word.
const (
	KindWipe    = "wipe"
	KindReplace = "replace"
	KindUpgrade = "upgrade"
)

// WorkflowOptions are common to all workflows.
type WorkflowOptions struct {
	Device string // name
	Resume bool   // go on with the one that is open
	Allow  map[Gate]bool
	driver string // of the unit, if that is another than the device's: a replacement by another platform

	// Ask puts a question to the operator and returns what was typed. Nil:
	// nobody can be asked, so what is not given by an option is refused.
	Ask func(context.Context, Question) (string, error)
	// Event is told what happens; it may be nil.
	Event func(WorkflowEvent)
}

// Question is what a workflow must know from the operator.
type Question struct {
	Text   string // what there is to know and to decide, several lines
	Prompt string // "Wipe core1? Type its serial number"
	YesNo  bool   // want y or n
	Flag   string // the option that answers it without asking
}

// WorkflowEvent is a point of a workflow, after it was journalled. With --json
// each is one line, and the WorkflowResult with the exit status and, if there is
// one, the error is the last. Names and phases are stable and only added to;
// Text is for people and may change.
//
//	plan   before the first step: once for each step, in order, then how long it
//	       took the last time
//	begin  a step begins; Text says what it does
//	info   something in a step that is worth a line
//	wait   a step waits for the device or for somebody: when it begins to, when
//	       the reason is another one, and each half minute
//	done   a step has passed its check
//	end    this run is over; Text is the outcome
type WorkflowEvent struct {
	Workflow string  `json:"workflow"` // KindWipe, KindReplace or KindUpgrade
	Device   string  `json:"device"`
	Step     string  `json:"step,omitempty"` // as `cfgvault workflow show` calls it
	Phase    string  `json:"phase"`
	Text     string  `json:"text"`
	Seconds  float64 `json:"seconds"` // since this run began
}

// WorkflowResult is how a workflow, or this run of it, ended.
type WorkflowResult struct {
	Workflow string         `json:"workflow"`
	Device   string         `json:"device"`
	Outcome  string         `json:"outcome"` // "done", "waiting", "rolled-back", "refused", "unfinished", "unknown"
	Waits    string         `json:"waits-for,omitempty"`
	Snapshot string         `json:"snapshot,omitempty"` // id of the one that was restored, or proved
	Baseline string         `json:"baseline,omitempty"` // id of the new one
	Proof    string         `json:"proof,omitempty"`    // of a wipe
	Receipt  string         `json:"receipt,omitempty"`
	Restore  *RestoreResult `json:"restore,omitempty"`
	Upgrade  *UpgradeReport `json:"upgrade,omitempty"`
	Rotate   []SecretPlace  `json:"rotate,omitempty"` // secrets that left the house with the unit
	Tasks    []string       `json:"tasks,omitempty"`  // what a person has to do
	Overrule []string       `json:"overruled,omitempty"`
	Seconds  float64        `json:"seconds"`
}

// flow is one workflow under way.
type flow struct {
	agent   *Agent
	kind    string
	opts    WorkflowOptions
	device  inventory.Device
	drv     *host.Driver
	text    *plugins.Text
	gates   gates
	journal *journal.Workflow // nil before it was opened
	state   flowState
	steps   []flowStep
	over    bool // the workflow has ended although a step failed: the device is as it was
	began   time.Time
	result  *WorkflowResult
}

// flowState is what the steps of a workflow found out and a later run needs:
// hashes, ids, names and facts, never configuration.
type flowState struct {
	Target    *journal.Object   `json:"target,omitempty"` // the snapshot to put back; it lies beside the journal
	Was       plugins.Facts     `json:"was"`              // of the unit in the snapshot
	Unit      plugins.Facts     `json:"unit"`             // of the unit that answers
	Firmware  string            `json:"firmware,omitempty"`
	Address   string            `json:"address,omitempty"` // where the unit is, if not where the inventory says
	HostKeys  []string          `json:"host-keys,omitempty"`
	OldKeys   []string          `json:"old-keys,omitempty"`
	Map       map[string]string `json:"map,omitempty"`
	Plan      string            `json:"plan,omitempty"`  // SHA-256 of what was approved
	Proof     string            `json:"proof,omitempty"` // what answered after a reset
	Restore   string            `json:"restore,omitempty"`
	Baseline  string            `json:"baseline,omitempty"` // SHA-256
	Overruled []string          `json:"overruled,omitempty"`
	Receipt   string            `json:"receipt,omitempty"`
	Tasks     []string          `json:"tasks,omitempty"`
	Ports     []plugins.Port    `json:"ports,omitempty"`     // of the old unit, as it was seen
	Lost      int               `json:"lost,omitempty"`      // statements that an upgrade took away
	Restoring bool              `json:"restoring,omitempty"` // they are being put back
	Named     []plugins.Port    `json:"named,omitempty"`     // that its configuration uses
	Idle      []string          `json:"idle,omitempty"`      // ports that it only lists
	Need      *need             `json:"need,omitempty"`      // of the new unit, before it takes the configuration
	Path      path              `json:"path"`                // by which the snapshot's unit was managed
}

// flowStep is one step. Do holds its precondition, acts and checks; it may run
// again after a crash and must then find what it did before.
type flowStep struct {
	name string
	does string // for the operator, before
	// touches says that do may change the device. A workflow that fails before
	// such a step has begun changed nothing and is forgotten.
	touches bool
	back    string // what happens to the device if the step fails or is interrupted
	do      func(ctx context.Context) error
}

// errWaits ends a run whose next step waits for somebody.
type errWaits struct{ what string }

func (e errWaits) Error() string { return e.what }

// newFlow finds the device and its driver, and what is open.
func (a *Agent) newFlow(ctx context.Context, kind string, o WorkflowOptions, options any) (*flow, error) {
	d, err := a.Inventory.Device(o.Device)
	if err != nil {
		return nil, err
	}
	f := &flow{agent: a, kind: kind, opts: o, device: d, gates: gates{allowed: o.Allow}, began: time.Now(),
		result: &WorkflowResult{Workflow: kind, Device: d.Name, Outcome: "refused"}}
	if o.driver != "" {
		f.device.Driver = o.driver
	}
	if err := f.openJournal(options); err != nil {
		return nil, err
	}
	if f.drv, err = a.host.Own(ctx, f.device.Driver); err != nil {
		f.close()
		return nil, err
	}
	if f.text, err = a.text(f.drv.Info()); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *flow) openJournal(options any) error {
	root := f.agent.Home.Workflows()
	if f.opts.Resume {
		j, err := journal.LoadWorkflow(root, f.device.ID)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: no %s of %s is open, there is nothing to resume", ErrConfig, f.kind, f.device.Name)
		}
		if err != nil {
			return err
		}
		f.journal = j
		head := j.Head()
		if head.Kind != f.kind {
			defer j.Close()
			return f.agent.openWorkflow(f.device)
		}
		if f.kind == KindReplace {
			f.device.Driver = head.Driver // the new unit's, before and after it has taken its place
		}
		if head.Driver != f.device.Driver {
			defer j.Close()
			return &GateError{GatePlatform, fmt.Sprintf("the %s was begun with driver %s, the device now has %s", f.kind, head.Driver, f.device.Driver)}
		}
		err = errors.Join(json.Unmarshal(head.Options, options), json.Unmarshal(head.State, &f.state))
		if err != nil {
			defer j.Close()
			return fmt.Errorf("journal of the open %s: %w", f.kind, err)
		}
		f.gates.used = f.state.Overruled
		return nil
	}
	if err := f.agent.openWorkflow(f.device); err != nil {
		return err
	}
	if journal.Exists(f.agent.Home.Journal(), f.device.ID) {
		return fmt.Errorf("%w: `cfgvault restore %s --resume` ends it", journal.ErrOpen, f.device.Name)
	}
	given, err := json.Marshal(options)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j, err := journal.CreateWorkflow(root, journal.WorkflowHead{
		Kind: f.kind, Device: f.device.ID, Name: f.device.Name, Driver: f.device.Driver, Started: f.began.UTC(), Options: given, State: json.RawMessage("{}"),
	})
	if err != nil {
		return err
	}
	f.journal = j
	return j.Open()
}

// openWorkflow refuses a device that has a workflow, and says how to end it.
func (a *Agent) openWorkflow(d inventory.Device) error {
	w, err := journal.ReadWorkflow(a.Home.Workflows(), d.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s of %s, begun %s; `%s` goes on with it, `cfgvault workflow show %s` says where it stands",
		journal.ErrWorkflow, w.Head().Kind, d.Name, w.Head().Started.Local().Format(time.DateTime), resumeCommand(w.Head().Kind, d.Name), d.Name)
}

func resumeCommand(kind, device string) string {
	if kind == KindUpgrade {
		return "cfgvault upgrade " + device + " finish"
	}
	return "cfgvault " + kind + " " + device + " --resume"
}

func (f *flow) close() {
	if f.drv != nil {
		f.drv.Close()
	}
	if f.journal != nil {
		f.journal.Close()
	}
}

func (f *flow) tell(step, phase, format string, args ...any) {
	if f.opts.Event != nil {
		f.opts.Event(WorkflowEvent{f.kind, f.device.Name, step, phase, fmt.Sprintf(format, args...), time.Since(f.began).Seconds()})
	}
}

// keep makes the state durable.
func (f *flow) keep() error {
	f.state.Overruled = f.gates.used
	return f.journal.Keep(f.state)
}

// touched reports whether the device may have been changed.
func (f *flow) touched() bool {
	return slices.ContainsFunc(f.steps, func(s flowStep) bool { return s.touches && f.journal.Reached(s.name, journal.Begun) })
}

// run takes the workflow from where it is to its end. Each step is journalled
// before it is taken and after its check.
func (f *flow) run(ctx context.Context) (*WorkflowResult, error) {
	err := f.take(ctx)
	f.result.Seconds = time.Since(f.began).Seconds()
	f.result.Overrule = f.gates.used
	f.result.Proof, f.result.Receipt, f.result.Tasks = f.state.Proof, f.state.Receipt, f.state.Tasks
	if f.state.Baseline != "" {
		f.result.Baseline = f.state.Baseline[:32]
	}
	if f.state.Target != nil {
		f.result.Snapshot = f.state.Target.SHA256[:32]
	}
	var waits errWaits
	switch {
	case err == nil:
		f.result.Outcome = "done"
	case errors.As(err, &waits):
		f.result.Outcome, f.result.Waits, err = "waiting", waits.what, nil
	case errors.Is(err, ErrOutcome):
		f.result.Outcome = "unknown"
	case errors.Is(err, ErrRolledBack):
		f.result.Outcome = "rolled-back"
	case errors.Is(err, ErrUnfinished):
		f.result.Outcome = "unfinished"
	}
	f.tell("", "end", "%s", f.result.Outcome)
	return f.result, err
}

func (f *flow) take(ctx context.Context) error {
	for _, s := range f.steps {
		if f.journal.Reached(s.name, journal.Ended) {
			continue
		}
		if err := f.journal.Mark(s.name, journal.Begun); err != nil {
			return f.stopped(s, err)
		}
		f.tell(s.name, "begin", "%s", s.does)
		err := s.do(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = errors.Join(f.keep(), f.journal.Mark(s.name, journal.Ended))
		}
		if err != nil {
			return f.stopped(s, err)
		}
		f.tell(s.name, "done", "%s", s.name)
	}
	return f.journal.Finish()
}

// stopped decides what an error means: a workflow that touched nothing is
// forgotten, one that did stays open and says so.
func (f *flow) stopped(s flowStep, err error) error {
	var waits errWaits
	if errors.As(err, &waits) {
		if kept := f.keep(); kept != nil {
			return kept
		}
		return err
	}
	if f.over || !f.touched() {
		return errors.Join(err, f.journal.Finish())
	}
	err = errors.Join(err, f.keep())
	again := resumeCommand(f.kind, f.device.Name)
	if errors.Is(err, ErrOutcome) || errors.Is(err, ErrRolledBack) {
		return fmt.Errorf("%w; `%s` goes on", err, again)
	}
	return fmt.Errorf("%w: %s stopped at step %s (%s): %w; `%s` goes on", ErrUnfinished, f.kind, s.name, s.back, err, again)
}

// answer asks for a line of text. given is what an option said.
func (f *flow) answer(ctx context.Context, q Question, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	if f.opts.Ask == nil {
		return "", &GateError{"approval", fmt.Sprintf("%s there is nobody to ask; %s answers it", oneLine(q.Text), q.Flag)}
	}
	return f.opts.Ask(ctx, q)
}

// decide passes a gate: by its option, or by an operator who is told why and
// says yes, which the receipt then says too.
func (f *flow) decide(ctx context.Context, gate Gate, format string, args ...any) error {
	err := f.gates.refuse(gate, format, args...)
	if err == nil || f.opts.Ask == nil {
		return err
	}
	said, asked := f.opts.Ask(ctx, Question{Text: fmt.Sprintf(format, args...), Prompt: question(gate), YesNo: true, Flag: "--allow-" + string(gate)})
	if asked != nil {
		return asked
	}
	if !yes(said) {
		return err
	}
	f.gates.note(gate)
	return nil
}

// question is what a gate asks an operator.
func question(gate Gate) string {
	switch gate {
	case GateHostKey:
		return "Is that the one that the unit's console shows?"
	case GateMap:
		return "Apply this map?"
	}
	return "Go on all the same?"
}

func yes(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return s == "y" || s == "yes"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// plan tells what will happen, and how long it took the last time.
func (f *flow) plan(ctx context.Context) {
	if f.opts.Resume {
		f.tell("", "plan", "resuming the %s of %s, begun %s", f.kind, f.device.Name, f.journal.Head().Started.Local().Format(time.DateTime))
		return
	}
	for i, s := range f.steps {
		f.tell(s.name, "plan", "%d. %s: %s", i+1, s.name, s.does)
	}
	if x, err := f.agent.Index(ctx); err == nil {
		if last, ok := lastTime(x, f.kind, f.device.ID); ok {
			f.tell("", "plan", "%s", last)
		}
	}
}
