package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
)

func (a *app) report() *cobra.Command {
	var group string
	cmd := command{
		use:   "report",
		short: "Say which devices could be replaced now",
		long: `Says of every device of the inventory whether another unit could take its place
now: whether there is a good snapshot, whether it can be put back, whether the
device was seen since, whether it was rehearsed, and what stands against it. No
device is touched and no identity is needed. Ends with 3 if a device could not
be replaced.`,
		example: "cfgvault report --json",
		status:  []Status{Partly, NoVault, NotFound, Integrity},
		args:    cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			x, err := ag.Index(ctx)
			if err != nil {
				return err
			}
			all := ag.Report(ctx, x)
			if group != "" {
				members, err := ag.Inventory.Group(group)
				if err != nil {
					return err
				}
				in := map[string]bool{}
				for _, d := range members {
					in[d.ID] = true
				}
				var some []agent.Readiness
				for _, r := range all {
					if in[r.ID] {
						some = append(some, r)
					}
				}
				all = some
			}
			return a.printReport(all)
		},
	}.cobra()
	cmd.Flags().StringVar(&group, "group", "", "only the devices of a group")
	return a.jsonFlag(cmd)
}

func (a *app) printReport(all []agent.Readiness) error {
	ready, practised := 0, 0
	for _, r := range all {
		if r.Ready {
			ready++
		}
		if r.Rehearsed != nil {
			practised++
		}
	}
	var end error
	if ready < len(all) {
		end = statusError{Partly, fmt.Errorf("%d of %d devices could not be replaced now", len(all)-ready, len(all))}
	}
	if a.json {
		if all == nil {
			all = []agent.Readiness{}
		}
		if err := a.printJSON(all); err != nil {
			return err
		}
		return end
	}
	rows := [][]string{{"DEVICE", "DRIVER", "NOW", "GRADE", "AGE", "SEEN", "WHY"}}
	for _, r := range all {
		row := []string{r.Device, r.Driver, "yes", string(r.Grade), "", "", ""}
		if !r.Ready {
			row[2] = "NO"
		}
		if r.Taken != nil {
			row[4] = age(time.Since(*r.Taken))
		}
		if r.Seen != nil {
			row[5] = age(time.Since(*r.Seen))
		}
		row[6] = strings.Join(append(append([]string{}, r.Against...), r.Notes...), "; ")
		rows = append(rows, row)
	}
	table(a.out, rows)
	a.note("%d of %d devices could be replaced now, %d of them rehearsed", ready, len(all), practised)
	return end
}
