package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// Readiness says whether a device could be replaced now, and what stands
// against it.
type Readiness struct {
	Device    string     `json:"device"`
	ID        string     `json:"id"`
	Driver    string     `json:"driver"`
	Ready     bool       `json:"ready"`
	Grade     Grade      `json:"grade,omitempty"`
	Snapshot  string     `json:"snapshot,omitempty"` // id of the one that a replacement would take
	Taken     *time.Time `json:"taken,omitempty"`
	Seen      *time.Time `json:"seen,omitempty"` // when it was last read and found the same
	Rehearsed *time.Time `json:"rehearsed,omitempty"`
	Against   []string   `json:"against"` // why not; empty if ready
	Notes     []string   `json:"notes"`   // what does not stand against it
}

// staleAfter is how many intervals of backup a device may be unseen before its
// snapshot counts as stale.
const staleAfter = 3

// Report says of every device of the inventory but lab units whether it could
// be replaced now. It touches no device and needs no identity.
func (a *Agent) Report(ctx context.Context, x *vault.Index) []Readiness {
	now := a.now()
	grades := NewGrades(x)
	late := x.Overdue(now)
	open := a.openIDs()
	drivers := map[string][]string{}
	var out []Readiness
	for _, d := range a.Inventory.Devices() {
		if d.Labels[labelLab] == "yes" {
			continue // what others are rehearsed on
		}
		r := Readiness{Device: d.Name, ID: d.ID, Driver: d.Driver, Against: []string{}, Notes: []string{}}
		a.judge(x, grades, d, now, &r)
		against, known := drivers[d.Driver]
		if !known {
			against = a.driverAgainst(ctx, d.Driver)
			drivers[d.Driver] = against
		}
		r.Against = append(r.Against, against...)
		if what := open[d.ID]; what != "" {
			r.Against = append(r.Against, what)
		}
		if len(late) > 0 {
			r.Against = append(r.Against, fmt.Sprintf("agent %s is overdue since %s: newer snapshots may be missing", late[0].Key, late[0].Due.Local().Format(time.DateTime)))
		}
		r.Ready = len(r.Against) == 0
		out = append(out, r)
	}
	return out
}

// judge looks at what the vault has of a device.
func (a *Agent) judge(x *vault.Index, grades Grades, d inventory.Device, now time.Time, r *Readiness) {
	against := func(format string, args ...any) { r.Against = append(r.Against, fmt.Sprintf(format, args...)) }
	e, ok := x.Latest(d.ID)
	if f, failed := x.Failure(d.ID); failed {
		r.Notes = append(r.Notes, fmt.Sprintf("the last backup failed: %s", f.Code))
	}
	if !ok {
		if len(x.Snapshots(d.ID)) == 0 {
			against("never backed up")
		} else {
			against("no good snapshot")
		}
		return
	}
	r.Grade, r.Snapshot, r.Taken = grades.Of(e), e.ID(), &e.Time
	if t := grades.Rehearsed(e); !t.IsZero() {
		r.Rehearsed = &t
	} else {
		r.Notes = append(r.Notes, "not rehearsed")
	}
	if r.Grade == GradeArchive {
		against("can be read and not be put back (%s)", e.Limits[0])
	}
	if n, err := newest(x, d.ID, d.Name); err == nil && n.Object != e.Object && !n.Good() {
		codes := make([]string, len(n.Held))
		for i, c := range n.Held {
			codes[i] = string(c)
		}
		why := string(n.Verdict)
		if len(codes) > 0 {
			why = "held: " + codes[0]
		}
		r.Notes = append(r.Notes, fmt.Sprintf("the newest snapshot is not good (%s)", why))
	}
	every := d.Every
	if every == 0 {
		every = a.Config.Every
	}
	seen := e.Time
	if t, ok := x.LastSeen(d.ID); ok && t.After(seen) {
		seen = t
	}
	r.Seen = &seen
	if age := now.Sub(seen); age > staleAfter*every {
		against("not seen for %v: what it runs now is not known", age.Round(time.Hour))
	}
}

// driverAgainst is what a driver cannot do that a replacement needs.
func (a *Agent) driverAgainst(ctx context.Context, name string) []string {
	info, err := a.host.Info(ctx, name)
	switch {
	case err != nil:
		return []string{"driver " + name + " does not run"}
	case !info.Can(plugins.CapRestore):
		return []string{"driver " + name + " cannot put a configuration back"}
	case !info.Can(plugins.CapAdapt):
		return []string{"driver " + name + " cannot carry a configuration to another unit"}
	case info.Rollback == plugins.RollbackNone:
		return []string{"platform " + name + " has no way back if the change goes wrong"}
	}
	return nil
}

// openIDs are the devices on which something is open, with what.
func (a *Agent) openIDs() map[string]string {
	out := map[string]string{}
	if ids, err := journal.Devices(a.Home.Journal()); err == nil {
		for _, id := range ids {
			out[id] = "a restore is open"
		}
	}
	if all, err := a.Workflows(); err == nil {
		for _, w := range all {
			out[w.ID] = "a " + w.Workflow + " is open"
		}
	}
	return out
}
