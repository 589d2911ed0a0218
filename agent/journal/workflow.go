package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrWorkflow is returned for a device that has an open workflow: what else
// would change the device has to wait for its end.
var ErrWorkflow = errors.New("a workflow on this device is open")

// Phase says how far a workflow has come in a step.
type Phase string

// The phases. A step is begun before its first action and done after its check.
const (
	Begun Phase = "begun"
	Ended Phase = "done"
)

// WorkflowHead is what a workflow fixed before its first step.
type WorkflowHead struct {
	Version int             `json:"version"` // 1
	Kind    string          `json:"kind"`    // "wipe", "replace", "upgrade"
	Device  string          `json:"device"`  // device id
	Name    string          `json:"name"`    // its name then, for messages
	Driver  string          `json:"driver"`
	Started time.Time       `json:"started"`
	Options json.RawMessage `json:"options"` // as the operator gave them; agent's
	State   json.RawMessage `json:"state"`   // what the steps have found out; agent's
}

// WorkflowMark is one journalled point of a workflow.
type WorkflowMark struct {
	Step  string    `json:"step"`
	Phase Phase     `json:"phase"`
	Time  time.Time `json:"time"`
}

// Workflow is the journal of one workflow on one device: several steps, of
// which a restore, with a journal of its own, may be one. It is not safe for
// concurrent use; a lock keeps other processes out while it is open.
type Workflow struct {
	files Journal // folder, lock and file of steps; its head stays empty
	head  WorkflowHead
	marks []WorkflowMark
}

// CreateWorkflow opens a journal for head.Device below root. ErrWorkflow if the
// device has one already, ErrBusy if another process is at work on it. Nothing
// is durable before Open.
func CreateWorkflow(root string, head WorkflowHead) (*Workflow, error) {
	j, err := Create(root, Head{Device: head.Device})
	if errors.Is(err, ErrOpen) {
		return nil, ErrWorkflow
	}
	if err != nil {
		return nil, err
	}
	head.Version = 1
	return &Workflow{files: *j, head: head}, nil
}

// Open makes the workflow exist for other processes.
func (w *Workflow) Open() error {
	if err := w.files.openSteps(); err != nil {
		return err
	}
	return w.save()
}

func (w *Workflow) save() error {
	data, err := json.MarshalIndent(w.head, "", "  ")
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return writeFile(w.files.dir, headFile, append(data, '\n'))
}

// Put keeps a sealed object beside the journal under name. It is durable when
// Put returns.
func (w *Workflow) Put(name string, sealed []byte) error { return w.files.Put(name, sealed) }

// Object returns a sealed object kept by Put.
func (w *Workflow) Object(name string) ([]byte, error) { return w.files.Object(name) }

// Keep makes what the steps found out durable.
func (w *Workflow) Keep(state any) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	w.head.State = data
	return w.save()
}

// Mark appends a point; it is durable when Mark returns.
func (w *Workflow) Mark(step string, phase Phase) error {
	m := WorkflowMark{Step: step, Phase: phase, Time: time.Now().UTC()}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if _, err := w.files.steps.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := w.files.steps.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	w.marks = append(w.marks, m)
	return nil
}

// Head returns what the workflow fixed at its start and found out since.
func (w *Workflow) Head() WorkflowHead { return w.head }

// Marks returns the points so far.
func (w *Workflow) Marks() []WorkflowMark { return w.marks }

// Reached reports whether a step came to a phase.
func (w *Workflow) Reached(step string, phase Phase) bool {
	for _, m := range w.marks {
		if m.Step == step && m.Phase == phase {
			return true
		}
	}
	return false
}

// LoadWorkflow opens the workflow that a device has and locks it.
// fs.ErrNotExist if it has none, ErrBusy if another process is at work on it.
func LoadWorkflow(root, device string) (*Workflow, error) {
	if !Exists(root, device) {
		return nil, fmt.Errorf("journal: %w", fs.ErrNotExist)
	}
	lock, err := acquire(root, device)
	if err != nil {
		return nil, err
	}
	w, err := readWorkflow(root, device)
	if err == nil {
		w.files.lock = lock
		err = w.files.openSteps()
	}
	if err == nil {
		// The last line may be torn by a crash: it was never acknowledged.
		err = w.files.steps.Truncate(w.files.good)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return w, nil
}

// ReadWorkflow reads the workflow that a device has, for a look: it takes no
// lock and must not be written to. fs.ErrNotExist if the device has none.
func ReadWorkflow(root, device string) (*Workflow, error) { return readWorkflow(root, device) }

func readWorkflow(root, device string) (*Workflow, error) {
	dir := filepath.Join(root, device)
	data, err := os.ReadFile(filepath.Join(dir, headFile))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	w := &Workflow{files: Journal{dir: dir}}
	if err := json.Unmarshal(data, &w.head); err != nil {
		return nil, fmt.Errorf("journal: %s is damaged: %w; look at what the device runs, then move the folder away", filepath.Join(dir, headFile), err)
	}
	if w.head.Version != 1 {
		return nil, fmt.Errorf("journal: %s has version %d; this cfgvault knows version 1", dir, w.head.Version)
	}
	steps, err := os.ReadFile(filepath.Join(dir, stepsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	for line := range bytes.Lines(steps) {
		var m WorkflowMark
		if !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &m) != nil {
			break
		}
		w.marks = append(w.marks, m)
		w.files.good += int64(len(line))
	}
	return w, nil
}

// Finish forgets the workflow, file keys included, and closes the journal.
func (w *Workflow) Finish() error {
	defer w.Close()
	w.head.State = nil
	if err := w.save(); err != nil {
		return err
	}
	return w.files.remove()
}

// Close lets other processes at the journal; what is on disk stays.
func (w *Workflow) Close() error { return w.files.Close() }
