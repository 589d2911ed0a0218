package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

func (a *app) rehearse() *cobra.Command {
	var o agent.RehearseOptions
	var all bool
	var concurrency int
	cmd := command{
		use:   "rehearse DEVICE | --all",
		short: "Restore a snapshot onto a twin, and compare",
		long: `Restores the latest good snapshot onto a twin of the device and compares: a
simulated unit of its platform, or a lab unit of the inventory, which is named
with --on or by the label "twin" and says of itself "lab=yes". A lab unit gets
back what it had. The device itself is not touched. A snapshot that compared
equal has the grade "rehearsed"; the receipt is kept.`,
		example: `cfgvault rehearse core1
cfgvault rehearse edge7 --on bench1
cfgvault rehearse --all`,
		status: []Status{Partly, NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, RolledBack, Outcome, Interrupted},
		args:   cobra.MaximumNArgs(1),
		run: func(ctx context.Context, args []string) error {
			if all == (len(args) == 1) {
				return usageError{errors.New("name a device, or --all")}
			}
			if all && (o.On != "" || o.At != "") {
				return usageError{errors.New("--on and --at go with one device")}
			}
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			if all {
				return a.rehearseAll(ctx, ag, concurrency)
			}
			o.Event = a.event
			res, err := ag.Rehearse(ctx, args[0], o)
			a.printRehearsal(res)
			return err
		},
	}.cobra()
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "every device that has a twin")
	f.StringVar(&o.On, "on", "", "lab unit to rehearse on")
	f.StringVar(&o.At, "at", "", "snapshot: a time or an id (default: latest good)")
	f.IntVar(&concurrency, "concurrency", 4, "rehearsals at once with --all")
	return a.jsonFlag(cmd)
}

func (a *app) printRehearsal(res *agent.Rehearsal) {
	if a.json {
		_ = a.printJSON(res)
		return
	}
	for _, d := range res.Differences {
		fmt.Fprint(a.err, clean(d.Text))
	}
	for _, l := range res.Losses {
		fmt.Fprintf(a.err, "not put back: %s %s %s\n", clean(l.Artefact), l.Code, clean(l.Text))
	}
	if res.Outcome == "rehearsed" {
		fmt.Fprintf(a.out, "%s: rehearsed on %s, equal to snapshot %s, in %.1f s\n", clean(res.Device), clean(res.Twin), short(res.Snapshot), res.Seconds)
	}
}

// rehearseAll rehearses every device; one lab unit takes one at a time.
func (a *app) rehearseAll(ctx context.Context, ag *agent.Agent, concurrency int) error {
	devices := slices.DeleteFunc(ag.Inventory.Devices(), func(d inventory.Device) bool { return d.Labels["lab"] == "yes" })
	results := make([]*agent.Rehearsal, len(devices))
	failed := make([]error, len(devices))
	busy := map[string]*sync.Mutex{}
	for _, d := range devices {
		if lab := d.Labels["twin"]; lab != "" && busy[lab] == nil {
			busy[lab] = &sync.Mutex{}
		}
	}
	var g errgroup.Group
	g.SetLimit(max(1, concurrency))
	for i, d := range devices {
		g.Go(func() error {
			if m := busy[d.Labels["twin"]]; m != nil {
				m.Lock()
				defer m.Unlock()
			}
			results[i], failed[i] = ag.Rehearse(ctx, d.Name, agent.RehearseOptions{})
			return nil
		})
	}
	_ = g.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	bad, tried := 0, 0
	rows := [][]string{{"DEVICE", "TWIN", "OUTCOME", "TOOK", "NOTES"}}
	for i, r := range results {
		note := ""
		switch {
		case errors.Is(failed[i], agent.ErrNoTwin):
			note = "no twin"
		case failed[i] != nil:
			bad++
			note = failed[i].Error()
		}
		if !errors.Is(failed[i], agent.ErrNoTwin) {
			tried++
		}
		rows = append(rows, []string{r.Device, r.Twin, r.Outcome, fmt.Sprintf("%.1f s", r.Seconds), note})
	}
	if a.json {
		if err := a.printJSON(results); err != nil {
			return err
		}
	} else {
		table(a.out, rows)
	}
	switch {
	case tried == 0:
		return fmt.Errorf("%w: no device of the inventory has a twin", agent.ErrConfig)
	case bad == tried:
		return statusError{Failed, errors.New("every rehearsal failed")}
	case bad > 0:
		return statusError{Partly, fmt.Errorf("%d of %d rehearsals failed", bad, tried)}
	}
	return nil
}

// simulatedTwin makes a unit as the described one left the factory. It learns
// from the configuration which statements its platform knows; then it is reset,
// and given what the platform needs to be restored from afar.
func simulatedTwin(ctx context.Context, of agent.TwinOf) (*agent.Twin, error) {
	if !slices.Contains(simulate.Names(), of.Driver) {
		return nil, fmt.Errorf("simulated are %s", strings.Join(simulate.Names(), ", "))
	}
	o := device.Options{
		Model: of.Facts.Model, Version: of.Facts.OSVersion, NoSerial: len(of.Facts.Serials) == 0,
		Config: of.Config, Ports: of.Ports, User: of.User, Password: rand.Text()[:16],
	}
	if len(of.Facts.Serials) > 0 {
		o.Serial = of.Facts.Serials[0]
	}
	if len(of.Facts.MACs) > 0 {
		o.MAC = of.Facts.MACs[0]
	}
	o.Enable = o.Password
	d, err := simulate.New(of.Driver, o)
	if err != nil {
		return nil, err
	}
	d.FactoryReset()
	if err := simulate.Bootstrap(ctx, of.Driver, d); err != nil {
		return nil, err
	}
	addr, err := d.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &agent.Twin{
		Address: addr.String(), Password: o.Password, Close: func() { d.Close() },
		HostKeys: []string{strings.TrimSpace(string(ssh.MarshalAuthorizedKey(d.HostKey())))},
	}, nil
}
