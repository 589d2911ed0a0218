package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/vault"
)

// ErrNoSnapshot is returned for a reference that names nothing.
var ErrNoSnapshot = vault.ErrNoSnapshot

// Index returns the verified view of the vault's records.
func (a *Agent) Index(ctx context.Context) (*vault.Index, error) {
	return a.vault.Index(ctx)
}

// timeForms are the forms of DEVICE@TIME, in local time unless they say.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

// Resolve finds the snapshot that a reference names: DEVICE or DEVICE@latest
// (latest good), DEVICE@TIME (the newest good one not after it; a date means
// its end), DEVICE@ID or an id's first four digits or more.
func (a *Agent) Resolve(x *vault.Index, ref string) (vault.Entry, error) {
	name, at, hasAt := strings.Cut(ref, "@")
	d, err := a.Inventory.Device(name)
	if err != nil {
		if hasAt || !looksLikeID(ref) {
			return vault.Entry{}, err
		}
		return pick(x.Find(ref), ref)
	}
	return resolveAt(x, d, at)
}

// resolveAt resolves what stands after the '@' for one device.
func resolveAt(x *vault.Index, d inventory.Device, at string) (vault.Entry, error) {
	if at == "" || at == "latest" {
		e, ok := x.Latest(d.ID)
		if ok {
			return e, nil
		}
		all := x.Snapshots(d.ID)
		if len(all) == 0 {
			return e, fmt.Errorf("%w: %s was never backed up; `cfgvault backup %s` does", ErrNoSnapshot, d.Name, d.Name)
		}
		return e, fmt.Errorf("%w: %s has no good snapshot, the newest is %s (%s); `cfgvault list %s` shows why",
			ErrNoSnapshot, d.Name, short(all[len(all)-1].ID()), all[len(all)-1].Verdict, d.Name)
	}
	if t, ok := parseTime(at); ok {
		var found vault.Entry
		for _, e := range x.Snapshots(d.ID) {
			if e.Good() && !e.Time.After(t) {
				found = e
			}
		}
		if found.Object == "" {
			return found, fmt.Errorf("%w: %s has no good snapshot at or before %s", ErrNoSnapshot, d.Name, t.Format(time.RFC3339))
		}
		return found, nil
	}
	if !looksLikeID(at) {
		return vault.Entry{}, fmt.Errorf("%w: %s@%s: want @latest, a time such as @2026-11-20T02:00, or at least 4 digits of an id", ErrNoSnapshot, d.Name, at)
	}
	var found, others []vault.Entry
	for _, e := range x.Find(at) {
		if e.Device == d.ID {
			found = append(found, e)
		} else {
			others = append(others, e)
		}
	}
	if len(found) == 0 && len(others) > 0 {
		return vault.Entry{}, hard("other-device", "snapshot %s is not of %s but of another device, id %s", short(others[0].ID()), d.Name, others[0].Device)
	}
	return pick(found, d.Name+"@"+at)
}

func pick(found []vault.Entry, ref string) (vault.Entry, error) {
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return vault.Entry{}, fmt.Errorf("%w: nothing is called %s; `cfgvault list` shows what there is", ErrNoSnapshot, ref)
	}
	var ids []string
	for _, e := range found {
		ids = append(ids, e.ID())
	}
	return vault.Entry{}, fmt.Errorf("%w: %s names %d snapshots: %s", ErrNoSnapshot, ref, len(found), strings.Join(ids, ", "))
}

func parseTime(s string) (time.Time, bool) {
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil {
			if form == "2006-01-02" {
				t = t.AddDate(0, 0, 1).Add(-time.Nanosecond)
			}
			return t, true
		}
	}
	return time.Time{}, false
}

func looksLikeID(s string) bool {
	if len(s) < 4 || len(s) > 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}
