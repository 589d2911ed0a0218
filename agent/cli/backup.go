package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
)

func (a *app) backup() *cobra.Command {
	var all, force bool
	var groups []string
	var concurrency int
	cmd := command{
		use:   "backup DEVICE… | --all | --group G",
		short: "Back devices up",
		long: `Reads each device, proves that what it read is complete, and stores it sealed.
Nothing is stored for a device that has not changed since its newest snapshot;
one bad device never stops the others. A snapshot that is incomplete, or that
looks like a wiped or swapped unit, is stored and shown but never becomes what
the next restore restores.`,
		example: `cfgvault backup core1
cfgvault backup --all --json`,
		status: []Status{Partly, NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, Interrupted},
		run: func(ctx context.Context, args []string) error {
			collectLate()
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			if concurrency < 0 {
				return usageError{errors.New("--concurrency is at least 1")}
			}
			devices, err := pick(ag.Inventory, args, groups, all)
			if err != nil {
				return err
			}
			bar := a.progress(len(devices), all)
			report, err := ag.Backup(ctx, devices, agent.BackupOptions{
				Force: force, Concurrency: concurrency, Alone: all || len(groups) > 0,
				Done: func(_ int, r agent.Result) {
					bar.Increment()
					if !a.json {
						bar.line(resultLine(r), r.Outcome == agent.Failed || r.Outcome == agent.Skipped)
					}
				},
			})
			bar.done()
			if err != nil && len(report.Results) == 0 {
				return err
			}
			if a.json {
				if jsonErr := a.printJSON(report); jsonErr != nil {
					return jsonErr
				}
			} else if len(devices) > 1 {
				a.note("%s", summary(report))
			}
			if err != nil {
				return err
			}
			return backupStatus(report)
		},
	}.cobra()
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "every device of the inventory")
	f.StringArrayVar(&groups, "group", nil, "every device of a group (may be repeated)")
	f.BoolVar(&force, "force", false, "store a new snapshot even if nothing has changed")
	f.IntVar(&concurrency, "concurrency", 0, "devices at once (default: as configured, 16)")
	return a.jsonFlag(cmd)
}

// pick chooses devices by name, by group or all.
func pick(inv *inventory.Inventory, names, groups []string, all bool) ([]inventory.Device, error) {
	if all && len(names)+len(groups) > 0 {
		return nil, usageError{errors.New("--all goes without names and groups")}
	}
	if all {
		devices := inv.Devices()
		if len(devices) == 0 {
			return nil, fmt.Errorf("%w: the inventory is empty; `cfgvault device add` adds a device", agent.ErrConfig)
		}
		return devices, nil
	}
	if len(names)+len(groups) == 0 {
		return nil, usageError{errors.New("name a device, --group or --all; see `cfgvault backup --help`")}
	}
	var out []inventory.Device
	seen := map[string]bool{}
	add := func(d inventory.Device) {
		if !seen[d.ID] {
			seen[d.ID] = true
			out = append(out, d)
		}
	}
	for _, n := range names {
		d, err := inv.Device(n)
		if err != nil {
			return nil, err
		}
		add(d)
	}
	for _, g := range groups {
		ds, err := inv.Group(g)
		if err != nil {
			return nil, err
		}
		for _, d := range ds {
			add(d)
		}
	}
	return out, nil
}

// resultLine is what a person reads of one device.
func resultLine(r agent.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.Device, r.Outcome)
	if r.Snapshot != "" {
		fmt.Fprintf(&b, " %s", short(r.Snapshot))
	}
	if r.Error != "" {
		fmt.Fprintf(&b, ": %s", r.Error)
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "\n  %s: %s", reason.Code, reason.Text)
	}
	for _, h := range r.Held {
		fmt.Fprintf(&b, "\n  held, %s: %s", h.Code, h.Text)
	}
	if r.Outcome == agent.HeldBack {
		fmt.Fprintf(&b, "\n  it does not become latest good until `cfgvault device accept %s %s`", r.Device, short(r.Snapshot))
	}
	return b.String()
}

func summary(r *agent.Report) string {
	s := fmt.Sprintf("%d devices in %.1f s:", len(r.Results), r.Seconds)
	for _, o := range []agent.Outcome{agent.Stored, agent.Unchanged, agent.Incomplete, agent.HeldBack, agent.Skipped, agent.Failed} {
		if n := r.Count(o); n > 0 {
			s += fmt.Sprintf(" %d %s,", n, o)
		}
	}
	return strings.TrimSuffix(s, ",")
}

// backupStatus turns a report into an exit status: one device gives its own,
// several give 0, 3, or 1 when every one failed.
func backupStatus(r *agent.Report) error {
	bad, failed := 0, 0
	for _, res := range r.Results {
		switch res.Outcome {
		case agent.Stored, agent.Unchanged:
		case agent.Failed, agent.Skipped:
			bad++
			failed++
		default:
			bad++
		}
	}
	switch {
	case bad == 0:
		return nil
	case len(r.Results) == 1 && failed == 1:
		return statusError{statusOf(r.Results[0].Err), nil}
	case failed == len(r.Results):
		return statusError{Failed, nil}
	}
	return statusError{Partly, nil}
}

// progress is a bar on a terminal and lines everywhere.
type progress struct {
	app  *app
	pool *mpb.Progress
	bar  *mpb.Bar
}

func (a *app) progress(total int, show bool) *progress {
	p := &progress{app: a}
	if !show || a.json || total < 2 || !a.terminal() {
		return p
	}
	p.pool = mpb.New(mpb.WithOutput(a.err), mpb.WithRefreshRate(150*time.Millisecond))
	p.bar = p.pool.AddBar(int64(total),
		mpb.PrependDecorators(decor.CountersNoUnit("%d / %d devices ")),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)))
	return p
}

func (p *progress) Increment() {
	if p.bar != nil {
		p.bar.Increment()
	}
}

// line prints what became of a device, above the bar if there is one: to
// stdout what is the answer, to stderr what went wrong.
func (p *progress) line(s string, wrong bool) {
	w := p.app.out
	if wrong {
		w = p.app.err
	}
	if p.pool != nil {
		w = p.pool
	}
	fmt.Fprintln(w, clean(s))
}

func (p *progress) done() {
	if p.bar != nil {
		p.bar.Abort(false)
		p.pool.Wait()
	}
}

func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

// collectLate lets a run, which is over soon and has hundreds of devices in its
// hands, use twice the memory that it needs before it looks for garbage: a tenth
// of its CPU for 25 MiB. GOGC in the environment wins.
func collectLate() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}
