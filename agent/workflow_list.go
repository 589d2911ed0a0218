package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cfgvault/cfgvault/agent/journal"
)

// OpenWorkflow is a workflow that has not come to its end.
type OpenWorkflow struct {
	Device   string                 `json:"device"` // name
	ID       string                 `json:"id"`     // of the device
	Workflow string                 `json:"workflow"`
	Started  time.Time              `json:"started"`
	Step     string                 `json:"step"`  // the last one that was begun
	State    string                 `json:"state"` // "running", "interrupted", "waiting"; of one that has ended "done", "rolled-back", "abandoned"
	Next     string                 `json:"next"`  // the command that goes on
	Steps    []journal.WorkflowMark `json:"steps"`
}

// Workflows are the open workflows of all devices.
func (a *Agent) Workflows() ([]OpenWorkflow, error) {
	ids, err := journal.Devices(a.Home.Workflows())
	if err != nil {
		return nil, err
	}
	out := []OpenWorkflow{}
	for _, id := range ids {
		w, err := a.lookAt(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just ended
		}
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// WithEnded adds to open workflows those that have ended, as their receipts say,
// the newest first.
func (a *Agent) WithEnded(ctx context.Context, open []OpenWorkflow) ([]OpenWorkflow, error) {
	x, err := a.Index(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, d := range a.Inventory.Devices() {
		names[d.ID] = d.Name
	}
	all := Receipts(x, "")
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		if r.Kind != KindWipe && r.Kind != KindReplace && r.Kind != KindUpgrade {
			continue
		}
		w := OpenWorkflow{Device: cmpOr(names[r.Device], r.Device), ID: r.Device, Workflow: r.Kind, Started: r.Started, State: r.Outcome, Next: "cfgvault receipt show " + short(r.ID()), Steps: []journal.WorkflowMark{}}
		for _, s := range r.Steps {
			w.Steps = append(w.Steps, journal.WorkflowMark{Step: s.Step, Phase: journal.Begun, Time: s.Time})
			w.Step = s.Step
		}
		open = append(open, w)
	}
	return open, nil
}

// Workflow is the open workflow of a device. ErrConfig if there is none.
func (a *Agent) Workflow(device string) (OpenWorkflow, error) {
	d, err := a.Inventory.Device(device)
	if err != nil {
		return OpenWorkflow{}, err
	}
	w, err := a.lookAt(d.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return w, fmt.Errorf("%w: no workflow of %s is open", ErrConfig, d.Name)
	}
	return w, err
}

func (a *Agent) lookAt(id string) (OpenWorkflow, error) {
	j, err := journal.ReadWorkflow(a.Home.Workflows(), id)
	if err != nil {
		return OpenWorkflow{}, err
	}
	head := j.Head()
	w := OpenWorkflow{Device: head.Name, ID: id, Workflow: head.Kind, Started: head.Started, Steps: j.Marks(), State: "interrupted"}
	for _, d := range a.Inventory.Devices() {
		if d.ID == id {
			w.Device = d.Name // it may have been renamed since
		}
	}
	if n := len(w.Steps); n > 0 {
		w.Step = w.Steps[n-1].Step
	}
	w.Next = resumeCommand(head.Kind, w.Device)
	if w.Step == stepUpgrade {
		w.State = "waiting"
	}
	switch lock, err := journal.LoadWorkflow(a.Home.Workflows(), id); {
	case errors.Is(err, journal.ErrBusy):
		w.State, w.Next = "running", "wait for it"
	case err == nil:
		lock.Close()
	}
	return w, nil
}

// Abandon leaves a device as it is, keeps a receipt that says so and forgets
// its workflow.
func (a *Agent) Abandon(ctx context.Context, device string) error {
	w, err := a.Workflow(device)
	if err != nil {
		return err
	}
	f, err := a.newFlow(ctx, w.Workflow, WorkflowOptions{Device: device, Resume: true}, &struct{}{})
	if err != nil {
		return err
	}
	defer f.close()
	if err := f.receipt(ctx, "abandoned", nil); err != nil {
		return err
	}
	return f.journal.Finish()
}

// stepUpgrade is the step of an upgrade that is the operator's.
const stepUpgrade = "upgrade"
