package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// rehearsed is the outcome of a rehearsal that went well.
const rehearsed = "rehearsed"

// The labels by which the inventory names lab units.
const (
	labelTwin = "twin" // on a device or its group: the name of its lab unit
	labelLab  = "lab"  // "yes" on a lab unit: what it has may be overwritten
)

// ErrNoTwin is returned for a device that has neither a simulated twin nor a lab
// unit in the inventory.
var ErrNoTwin = errors.New("no twin to rehearse on")

// Twin is a unit to rehearse on that a simulator made.
type Twin struct {
	Address  string
	Password string   // of the device's own user
	HostKeys []string // as in authorized_keys
	Close    func()
}

// TwinOf describes the unit that a twin stands in for.
type TwinOf struct {
	Driver string
	Facts  plugins.Facts
	User   string
	Ports  []string // names of its physical ports
	Config string   // its running configuration: what the platform knows, the twin has to know
}

// RehearseOptions say how to rehearse.
type RehearseOptions struct {
	At    string
	On    string // name of a lab unit; empty: the one that label "twin" names, else a simulated one
	Event func(Event)
}

// Rehearsal is how one rehearsal ended.
type Rehearsal struct {
	Device      string         `json:"device"`
	Snapshot    string         `json:"snapshot,omitempty"`
	Twin        string         `json:"twin,omitempty"` // name of the lab unit, or "simulator"
	Outcome     string         `json:"outcome"`        // "rehearsed", "failed", "none"
	Differences []Difference   `json:"differences,omitempty"`
	Losses      []plugins.Loss `json:"losses,omitempty"`
	Receipt     string         `json:"receipt,omitempty"`
	Error       string         `json:"error,omitempty"`
	Seconds     float64        `json:"seconds"`
}

// Rehearse restores a device's latest good snapshot onto a twin, compares, and
// keeps a receipt. A lab unit gets back what it had; the device itself is not
// touched. ErrNoTwin where there is none.
func (a *Agent) Rehearse(ctx context.Context, device string, o RehearseOptions) (*Rehearsal, error) {
	began := time.Now()
	res := &Rehearsal{Device: device, Outcome: "none"}
	err := a.rehearse(ctx, device, o, res)
	if err != nil {
		res.Error = err.Error()
	}
	res.Seconds = time.Since(began).Seconds()
	return res, err
}

func (a *Agent) rehearse(ctx context.Context, device string, o RehearseOptions, res *Rehearsal) error {
	d, err := a.Inventory.Device(device)
	if err != nil {
		return err
	}
	ids, err := a.Identities()
	if err != nil {
		return err
	}
	x, err := a.Index(ctx)
	if err != nil {
		return err
	}
	e, err := resolveAt(x, d, o.At)
	if err != nil {
		return err
	}
	res.Snapshot = e.ID()
	sealed, err := a.vault.FetchSealed(ctx, e)
	if err != nil {
		return err
	}
	snap, err := a.vault.Unseal(sealed, e, ids)
	if err != nil {
		return err
	}
	key, err := vault.FileKey(sealed, ids)
	if err != nil {
		return err
	}
	r := RestoreOptions{
		Device: d.Name, Event: o.Event, source: &source{e, sealed, key}, inFlow: true, noReceipt: true,
		// What a twin is not, the receipt says; it does not stand in the way.
		Allow:  map[Gate]bool{GateSerial: true, GateModel: true, GateVersion: true},
		losses: func(l []plugins.Loss) error { res.Losses = l; return nil },
	}
	close, err := a.onto(ctx, d, o.On, snap, &r, res)
	if err != nil {
		return err
	}
	defer close()
	started := a.now().UTC()
	done, failed := a.Restore(ctx, r)
	res.Differences = done.Differences
	if failed == nil && done.Outcome == "nothing-to-do" {
		failed = fmt.Errorf("%w: %s has the configuration already, which proves nothing; give it another one first", ErrConfig, res.Twin)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	res.Outcome = rehearsed
	if failed != nil {
		res.Outcome = "failed"
		failed = fmt.Errorf("rehearsal on %s: %w", res.Twin, failed)
	}
	meta, _, err := unpack(snap)
	if err != nil {
		return err
	}
	body := ReceiptBody{Device: d.ID, Outcome: res.Outcome, Started: started, Target: e.SHA256}
	details := ReceiptDetails{Name: d.Name, Driver: meta.Driver, Was: meta.Facts, Firmware: meta.Firmware, Twin: res.Twin, Losses: res.Losses}
	if done.Plan != nil {
		details.Unit = done.Plan.Unit
	}
	for _, s := range done.Steps {
		if s.Step != "" {
			body.Steps = append(body.Steps, ReceiptStep{Step: string(s.Step), Time: started.Add(s.Elapsed)})
		}
	}
	body.Ended = a.now().UTC()
	body.Steps = timed(body.Steps, body.Ended)
	receipt, err := a.putReceipt(ctx, receiptRehearse, body, details)
	res.Receipt = receipt.Object
	return errors.Join(failed, err)
}

// onto finds the twin and makes it the restore's target. A lab unit has to say
// of itself that it is one.
func (a *Agent) onto(ctx context.Context, d inventory.Device, on string, snap *vault.Snapshot, r *RestoreOptions, res *Rehearsal) (func(), error) {
	if on == "" {
		on = d.Labels[labelTwin]
	}
	if on != "" {
		lab, err := a.Inventory.Device(on)
		if err != nil {
			return nil, err
		}
		if lab.Labels[labelLab] != "yes" || lab.ID == d.ID {
			return nil, hard("twin", "%s is no lab unit: a rehearsal overwrites what it has for a while; label it %s=yes if that is right", on, labelLab)
		}
		r.Onto, r.rehearsal, res.Twin = &lab, true, lab.Name
		return func() {}, nil
	}
	if a.opts.Twin == nil {
		return nil, ErrNoTwin
	}
	meta, native, err := unpack(snap)
	if err != nil {
		return nil, err
	}
	of := TwinOf{Driver: meta.Driver, Facts: meta.Facts, User: d.User}
	used, idle := namedPorts(file(snap, vault.Tree))
	for _, p := range inUse(used, plugins.PortsIn(native)) {
		of.Ports = append(of.Ports, p.Name)
	}
	of.Ports = append(of.Ports, idle...)
	for _, art := range native {
		if art.Role == plugins.RoleRunning {
			of.Config = string(art.Data)
		}
	}
	twin, err := a.opts.Twin(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("%w: %s has no simulated twin (%w), and no label %s names a lab unit", ErrNoTwin, d.Name, err, labelTwin)
	}
	dir, err := os.MkdirTemp(a.host.Scratch(), "twin-")
	if err != nil {
		twin.Close()
		return nil, err
	}
	end := func() {
		twin.Close()
		os.RemoveAll(dir)
	}
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(twin.Password+"\n"), 0o600); err != nil {
		end()
		return nil, err
	}
	unit := inventory.Device{ID: inventory.NewID(), Name: "twin-of-" + d.Name, Driver: meta.Driver, Address: twin.Address, User: d.User,
		HostKeys: twin.HostKeys, Options: d.Options}
	unit.Auth.Password, unit.Enable = inventory.Ref{File: secret}, inventory.Ref{File: secret}
	r.Onto, r.NoUndo, r.root, res.Twin = &unit, true, filepath.Join(dir, "journal"), "simulator"
	return end, nil
}
