package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// The kinds of receipts. What a workflow did has the workflow's kind.
const (
	receiptRestore  = "restore"
	receiptRehearse = "rehearse"
)

// ReceiptBody is what a receipt says in clear: ids, hashes, times and codes.
// Everything else is in Sealed.
type ReceiptBody struct {
	Device    string        `json:"device"`
	Change    string        `json:"change,omitempty"` // id of the restore's change on the device
	Outcome   string        `json:"outcome"`
	Started   time.Time     `json:"started"`
	Ended     time.Time     `json:"ended"`
	Target    string        `json:"target,omitempty"` // SHA-256 of the snapshot that was put back, or proved before a wipe
	Undo      string        `json:"undo,omitempty"`   // of what was there before
	After     string        `json:"after,omitempty"`  // of the new baseline
	Plan      string        `json:"plan,omitempty"`   // SHA-256 of the plan as JSON, which the operator approved
	Proof     string        `json:"proof,omitempty"`  // of a wipe: what answered afterwards
	Overruled []string      `json:"overruled,omitempty"`
	Steps     []ReceiptStep `json:"steps"`
	Sealed    []byte        `json:"sealed,omitempty"` // an age file: ReceiptDetails as JSON
}

// ReceiptStep is when a step was begun, or passed, and how long it took.
type ReceiptStep struct {
	Step    string    `json:"step"`
	Time    time.Time `json:"time"`
	Seconds float64   `json:"seconds,omitempty"` // up to the next one
}

// ReceiptDetails are what only a holder of an identity may read.
type ReceiptDetails struct {
	Name      string            `json:"name"` // of the device, then
	Driver    string            `json:"driver"`
	By        string            `json:"by"`       // user and machine that ran it, as the system says
	Was       plugins.Facts     `json:"was"`      // of the unit in the snapshot
	Unit      plugins.Facts     `json:"unit"`     // of the unit at hand
	Firmware  string            `json:"firmware"` // of the unit at hand, see Firmware
	Replaced  []string          `json:"replaced"` // serials that this device has no more
	Address   string            `json:"address,omitempty"`
	OldKeys   []string          `json:"retired-host-keys,omitempty"`
	HostKeys  []string          `json:"host-keys,omitempty"`
	Map       map[string]string `json:"map,omitempty"`
	Losses    []plugins.Loss    `json:"losses,omitempty"`
	Converted string            `json:"converted,omitempty"` // the driver of the snapshot, if the device has another
	Tasks     []string          `json:"tasks,omitempty"`
	Twin      string            `json:"twin,omitempty"`
}

// Receipt is a verified receipt of something done to a device.
type Receipt struct {
	vault.Receipt
	ReceiptBody
}

// ID is the short name of a receipt: the hash in its name.
func (r Receipt) ID() string {
	_, hash, _ := strings.Cut(strings.TrimPrefix(r.Object, "receipts/"), "Z-")
	return hash
}

// Seconds is how long the whole took.
func (r Receipt) Seconds() float64 { return r.Ended.Sub(r.Started).Seconds() }

// Receipts are the verified receipts of a device ("" for all), oldest first.
// Those of acceptances are not among them.
func Receipts(x *vault.Index, device string) []Receipt {
	all := receipts(x.Receipts(""))
	if device == "" {
		return all
	}
	return slices.DeleteFunc(all, func(r Receipt) bool { return r.Device != device })
}

func receipts(list []vault.Receipt) []Receipt {
	var out []Receipt
	for _, v := range list {
		r := Receipt{Receipt: v}
		if v.Kind != "accept" && json.Unmarshal(v.Body, &r.ReceiptBody) == nil {
			out = append(out, r)
		}
	}
	return out
}

// FindReceipt returns the receipt that an id, or its first four digits or
// more, names.
func FindReceipt(x *vault.Index, id string) (Receipt, error) {
	var found []Receipt
	for _, r := range Receipts(x, "") {
		if len(id) >= 4 && strings.HasPrefix(r.ID(), id) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Receipt{}, fmt.Errorf("%w: no receipt is called %q; `cfgvault receipt list` shows what there is", ErrNoSnapshot, id)
	}
	return Receipt{}, fmt.Errorf("%w: %q names %d receipts", ErrNoSnapshot, id, len(found))
}

// Details opens what a receipt says to holders of an identity only.
func (a *Agent) Details(r Receipt) (*ReceiptDetails, error) {
	ids, err := a.Identities()
	if err != nil {
		return nil, err
	}
	data, err := a.vault.OpenDetails(r.Sealed, ids)
	if err != nil {
		return nil, err
	}
	d := &ReceiptDetails{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("details of receipt %s: %w", short(r.ID()), err)
	}
	return d, nil
}

// putReceipt seals the details, signs and stores.
func (a *Agent) putReceipt(ctx context.Context, kind string, body ReceiptBody, details ReceiptDetails) (vault.Receipt, error) {
	details.By = operator()
	private, err := json.Marshal(details)
	if err != nil {
		return vault.Receipt{}, err
	}
	if body.Sealed, err = a.vault.SealDetails(private); err != nil {
		return vault.Receipt{}, err
	}
	if body.Ended.IsZero() {
		body.Ended = a.now().UTC()
	}
	data, err := json.Marshal(body)
	if err != nil {
		return vault.Receipt{}, err
	}
	return a.vault.PutReceipt(ctx, kind, data)
}

// operator is who runs this process: not proved, only said.
func operator() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// timed gives every step the time up to the next one.
func timed(steps []ReceiptStep, end time.Time) []ReceiptStep {
	for i := range steps {
		next := end
		if i+1 < len(steps) {
			next = steps[i+1].Time
		}
		steps[i].Seconds = max(0, next.Sub(steps[i].Time).Round(time.Millisecond).Seconds())
	}
	return steps
}

// receipt stores the receipt of a workflow. It runs before the workflow's
// journal is forgotten, so that a store that cannot be reached leaves the
// workflow open and the receipt is written later.
func (f *flow) receipt(ctx context.Context, outcome string, more func(*ReceiptBody, *ReceiptDetails)) error {
	now := f.agent.now().UTC()
	body := ReceiptBody{
		Device: f.device.ID, Outcome: outcome, Started: f.journal.Head().Started, Ended: now, After: f.state.Baseline,
		Plan: f.state.Plan, Proof: f.state.Proof, Overruled: f.gates.used,
	}
	if f.state.Target != nil {
		body.Target = f.state.Target.SHA256
	}
	for _, m := range f.journal.Marks() {
		if m.Phase == journal.Begun && !slices.ContainsFunc(body.Steps, func(s ReceiptStep) bool { return s.Step == m.Step }) {
			body.Steps = append(body.Steps, ReceiptStep{Step: m.Step, Time: m.Time})
		}
	}
	body.Steps = timed(body.Steps, now)
	details := ReceiptDetails{Name: f.device.Name, Driver: f.device.Driver, Was: f.state.Was, Unit: f.state.Unit, Firmware: f.state.Firmware,
		Address: f.state.Address, OldKeys: f.state.OldKeys, HostKeys: f.state.HostKeys, Map: f.state.Map, Tasks: f.state.Tasks}
	if more != nil {
		more(&body, &details)
	}
	r, err := f.agent.putReceipt(ctx, f.kind, body, details)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	f.state.Receipt = r.Object
	return nil
}

// lastTime says how long a workflow of the kind took the last time: on this
// device or, for want of that, on any.
func lastTime(x *vault.Index, kind, device string) (string, bool) {
	var own, any *Receipt
	for _, r := range Receipts(x, "") {
		if r.Kind != kind || r.Outcome != "done" {
			continue
		}
		any = &r
		if r.Device == device {
			own = &r
		}
	}
	r, where := own, "on this device"
	if r == nil {
		r, where = any, "on another device"
	}
	if r == nil {
		return "", false
	}
	parts := make([]string, 0, len(r.Steps))
	for _, s := range r.Steps {
		parts = append(parts, fmt.Sprintf("%s %s", s.Step, seconds(s.Seconds)))
	}
	return fmt.Sprintf("the last time, %s, %s: %s (%s)", r.Started.Local().Format(time.DateOnly), where, seconds(r.Seconds()), strings.Join(parts, ", ")), true
}

func seconds(s float64) string {
	if s < 60 {
		return fmt.Sprintf("%.1f s", s)
	}
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

// replaced are the serials that stood in a device's place and were replaced,
// with the day.
func (a *Agent) replaced(x *vault.Index, d inventory.Device) map[string]time.Time {
	out := map[string]time.Time{}
	for _, r := range Receipts(x, d.ID) {
		if r.Kind != KindReplace || r.Outcome != "done" {
			continue
		}
		if details, err := a.Details(r); err == nil {
			for _, s := range details.Replaced {
				out[s] = r.Ended
			}
			for _, s := range details.Unit.Serials {
				delete(out, s) // it came back
			}
		}
	}
	return out
}
