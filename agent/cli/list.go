package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/vault"
)

// snapshotJSON is a snapshot as `list --json` prints it.
type snapshotJSON struct {
	ID       string        `json:"id"`
	Device   string        `json:"device"`
	DeviceID string        `json:"device-id"`
	Time     time.Time     `json:"time"`
	Kind     vault.Kind    `json:"kind"`
	Verdict  vault.Verdict `json:"verdict"`
	Grade    agent.Grade   `json:"grade"`
	Held     []vault.Code  `json:"held"`
	Accepted bool          `json:"accepted"`
	Latest   bool          `json:"latest"` // latest good
	Size     int64         `json:"size"`
	Object   string        `json:"object"`
	SHA256   string        `json:"sha256"`
}

func (a *app) list() *cobra.Command {
	return a.jsonFlag(command{
		use:   "list [DEVICE]",
		short: "List snapshots",
		long: `Without a device: every device with its latest good snapshot. With one: all its
snapshots, oldest first; "*" marks what a restore would take. Records are
verified; no identity is needed.`,
		example: "cfgvault list core1 --json",
		status:  []Status{NoVault, NotFound, Integrity},
		args:    cobra.MaximumNArgs(1),
		run: func(ctx context.Context, args []string) error {
			opts, err := a.options()
			if err != nil {
				return err
			}
			ag, x, err := agent.OpenIndexed(ctx, opts)
			if ag != nil {
				defer ag.Close()
			}
			if err != nil {
				return err
			}
			for _, o := range x.Overdue(time.Now()) {
				a.note("warning: agent %s wrote its last record at %s; the next was due at %s: newer snapshots may be missing",
					o.Key, o.Last.Local().Format(time.DateTime), o.Due.Local().Format(time.DateTime))
			}
			if len(args) == 1 {
				return a.listDevice(ag, x, args[0])
			}
			return a.listAll(ag, x)
		},
	}.cobra())
}

func snapshotsOf(ag *agent.Agent, x *vault.Index, name, id string) []snapshotJSON {
	latest, _ := x.Latest(id)
	grades := agent.NewGrades(x)
	out := []snapshotJSON{}
	for _, e := range x.Snapshots(id) {
		held := e.Held
		if held == nil {
			held = []vault.Code{}
		}
		out = append(out, snapshotJSON{
			ID: e.ID(), Device: name, DeviceID: id, Time: e.Time, Kind: e.Kind, Verdict: e.Verdict, Grade: grades.Of(e),
			Held: held, Accepted: e.Accepted != "", Latest: e.Object == latest.Object, Size: e.Size, Object: e.Object, SHA256: e.SHA256,
		})
	}
	return out
}

func (a *app) listDevice(ag *agent.Agent, x *vault.Index, name string) error {
	d, err := ag.Inventory.Device(name)
	if err != nil {
		return err
	}
	all := snapshotsOf(ag, x, d.Name, d.ID)
	if a.json {
		return a.printJSON(all)
	}
	if len(all) == 0 {
		a.note("%s was never backed up; `cfgvault backup %s` does", d.Name, d.Name)
		return nil
	}
	rows := [][]string{{"", "TIME", "ID", "KIND", "GRADE", "SIZE", "NOTES"}}
	for _, s := range all {
		mark := ""
		if s.Latest {
			mark = "*"
		}
		rows = append(rows, []string{mark, s.Time.Local().Format(time.DateTime), short(s.ID), string(s.Kind), string(s.Grade), fmt.Sprint(s.Size), snapshotNotes(s)})
	}
	table(a.out, rows)
	return nil
}

func snapshotNotes(s snapshotJSON) string {
	var n []string
	if s.Verdict != vault.Complete {
		n = append(n, string(s.Verdict))
	}
	if len(s.Held) > 0 {
		codes := make([]string, len(s.Held))
		for i, c := range s.Held {
			codes[i] = string(c)
		}
		held := "held: " + strings.Join(codes, ", ")
		if s.Accepted {
			held = "accepted (" + strings.Join(codes, ", ") + ")"
		}
		n = append(n, held)
	}
	return strings.Join(n, "; ")
}

// deviceListJSON is a device as `list --json` prints it.
type deviceListJSON struct {
	Device    string        `json:"device"`
	ID        string        `json:"id"`
	Driver    string        `json:"driver,omitempty"`
	Snapshots int           `json:"snapshots"`
	Latest    *snapshotJSON `json:"latest"`
	LastSeen  *time.Time    `json:"last-seen"`
	Failure   string        `json:"failure,omitempty"`
	Removed   bool          `json:"removed,omitempty"` // no longer in the inventory
}

func (a *app) listAll(ag *agent.Agent, x *vault.Index) error {
	var all []deviceListJSON
	grades := agent.NewGrades(x)
	known := map[string]bool{}
	add := func(name, id, driver string, removed bool) {
		known[id] = true
		d := deviceListJSON{Device: name, ID: id, Driver: driver, Removed: removed}
		d.Snapshots = len(x.Snapshots(id))
		if latest, ok := x.Latest(id); ok {
			d.Latest = &snapshotJSON{ID: latest.ID(), Device: name, DeviceID: id, Time: latest.Time, Kind: latest.Kind, Verdict: latest.Verdict,
				Grade: grades.Of(latest), Held: []vault.Code{}, Accepted: latest.Accepted != "", Latest: true, Size: latest.Size, Object: latest.Object, SHA256: latest.SHA256}
		}
		if t, ok := x.LastSeen(id); ok {
			d.LastSeen = &t
		}
		if f, ok := x.Failure(id); ok {
			d.Failure = string(f.Code)
		}
		all = append(all, d)
	}
	for _, d := range ag.Inventory.Devices() {
		add(d.Name, d.ID, d.Driver, false)
	}
	for _, id := range x.Devices() {
		if !known[id] {
			add("("+id+")", id, "", true)
		}
	}
	if a.json {
		if all == nil {
			all = []deviceListJSON{}
		}
		return a.printJSON(all)
	}
	rows := [][]string{{"DEVICE", "DRIVER", "LATEST GOOD", "AGE", "ID", "GRADE", "LAST SEEN", "SNAPSHOTS", "NOTES"}}
	for _, d := range all {
		row := []string{d.Device, d.Driver, "none", "", "", "", "never", fmt.Sprint(d.Snapshots), ""}
		if d.Latest != nil {
			row[2], row[3], row[4], row[5] = d.Latest.Time.Local().Format(time.DateTime), age(time.Since(d.Latest.Time)), short(d.Latest.ID), string(d.Latest.Grade)
		}
		if d.LastSeen != nil {
			row[6] = d.LastSeen.Local().Format(time.DateTime)
		}
		var n []string
		if d.Failure != "" {
			n = append(n, "failed: "+d.Failure)
		}
		if d.Removed {
			n = append(n, "not in the inventory")
		}
		row[8] = strings.Join(n, "; ")
		rows = append(rows, row)
	}
	table(a.out, rows)
	return nil
}

// age is how old something is, in the unit that says enough.
func age(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
