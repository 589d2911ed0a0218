package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"
)

// CheckOptions say how deep a check goes.
type CheckOptions struct {
	ReadData   bool           // read every object and compare its hash
	Identities []age.Identity // with ReadData: also open every object
}

// Report is the outcome of a check.
type Report struct {
	Records      int      // verified
	Snapshots    int      // that records name
	Bytes        int64    // of these
	Read         int      // whose bytes were compared with their hash
	Opened       int      // that were decrypted and unpacked
	Unrecorded   []string // objects that no record names: left by an interrupted run, or foreign
	Strange      []string // objects whose names are none of ours
	Problems     []error  // each is an *IntegrityError
	IdentityHere bool     // agent and identity share this home
}

// Check reads and verifies every record as the store holds it now, and that every snapshot that a record names is there
// with its recorded size. The error is ErrIntegrity if the report has problems;
// the report is returned all the same.
func (v *Vault) Check(ctx context.Context, o CheckOptions) (*Report, error) {
	idx, err := v.index(ctx, false)
	if idx == nil {
		return nil, err
	}
	if err != nil && !isIntegrity(err) {
		return nil, err
	}
	r := &Report{Records: idx.records, Problems: idx.Problems(), Strange: idx.strange}
	if _, err := os.Stat(v.current().path(fileIdentity)); err == nil {
		r.IdentityHere = v.AgentKeyID() != ""
	}
	there := map[string]int64{}
	for obj, err := range v.store.List(ctx, "") {
		if err != nil {
			return r, fmt.Errorf("check: list: %w", err)
		}
		r.sort(obj, there)
	}
	var all []Entry
	for _, d := range idx.Devices() {
		all = append(all, idx.Snapshots(d)...)
	}
	for _, e := range all {
		r.Snapshots++
		r.Bytes += e.Size
		size, ok := there[e.Object]
		delete(there, e.Object)
		if o.ReadData {
			continue // reading looks for older versions too
		}
		switch {
		case !ok:
			r.Problems = append(r.Problems, integrity(e.Object, "is missing, though %s names it", e.Run))
		case size != e.Size:
			r.Problems = append(r.Problems, integrity(e.Object, "has %d bytes, but %s names %d", size, e.Run, e.Size))
		}
	}
	for key := range there {
		r.Unrecorded = append(r.Unrecorded, key)
	}
	slices.Sort(r.Unrecorded)
	if o.ReadData {
		if err := v.checkData(ctx, r, all, o.Identities); err != nil {
			return r, fmt.Errorf("check: %w", err)
		}
	}
	return r, errors.Join(r.Problems...)
}

// sort puts a listed object where it belongs.
func (r *Report) sort(o Object, snapshots map[string]int64) {
	series, _, _ := strings.Cut(o.Key, "/")
	switch series {
	case "snapshots":
		if _, _, _, err := parseSnapshotKey(o.Key); err == nil {
			snapshots[o.Key] = o.Size
			return
		}
	case "inventory":
		if _, _, err := parseTimedName("inventory", inventorySuffix, o.Key); err == nil {
			return
		}
	case keyVault, "trust", "runs", "heads", "receipts", "tombstones", "modules":
		return // the index has looked at these
	}
	r.Strange = append(r.Strange, o.Key)
}

func (v *Vault) checkData(ctx context.Context, r *Report, all []Entry, ids []age.Identity) error {
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for _, e := range all {
		g.Go(func() error {
			sealed, err := v.FetchSealed(gctx, e)
			read, opened := err == nil, false
			if err == nil && ids != nil {
				_, err = v.Unseal(sealed, e, ids)
				opened = err == nil
			}
			if err != nil && !isIntegrity(err) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if read {
				r.Read++
			}
			if opened {
				r.Opened++
			}
			if err != nil {
				r.Problems = append(r.Problems, err)
			}
			return nil
		})
	}
	return g.Wait()
}
