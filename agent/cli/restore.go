package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins"
)

func (a *app) restore() *cobra.Command {
	var at, mapFile, to string
	var dryRun, yes, resume, noUndo, acceptLoss bool
	var within time.Duration
	allow := map[agent.Gate]*bool{}
	cmd := command{
		use:   "restore DEVICE",
		short: "Put a device's configuration back",
		long: `Fetches and verifies a snapshot, saves what the device has now as an undo
snapshot, stages the configuration, shows what the device says would change,
and commits it under the device's own timer. Over a new connection it reads the
device back and compares; only if it is equal is the change confirmed and saved.
Otherwise, or if the agent dies, the device goes back by itself.

--to puts the snapshot on another device of the inventory. If that is of another
platform, the configuration is written anew for it, as 'cfgvault convert' does:
the plan names every line and leaf that does not come through, and only
--accept-loss takes that. What is read back is then compared by its meaning.`,
		example: `cfgvault restore core1 --dry-run
cfgvault restore core1 --at 2026-11-20T02:00 --yes
cfgvault restore core1 --to core1-eos --map core1-to-eos.yaml --dry-run`,
		status: []Status{NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, RolledBack, Outcome, Interrupted},
		args:   cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			if resume && at != "" {
				return usageError{errors.New("--resume ends the restore that was begun; it goes without --at")}
			}
			if resume && (dryRun || mapFile != "" || to != "" || noUndo || within != 0) {
				return usageError{errors.New("--resume ends the restore as it was begun, on the device that it changes; it goes without --dry-run, --map, --to, --no-undo and --within")}
			}
			m, err := readMap(mapFile)
			if err != nil {
				return err
			}
			name, ref, _ := strings.Cut(args[0], "@")
			if ref != "" && at != "" {
				return usageError{errors.New("name the snapshot once: DEVICE@REF or --at REF")}
			}
			if at == "" {
				at = ref
			}
			at = strings.TrimPrefix(at, name+"@")
			o := agent.RestoreOptions{Device: name, At: at, DryRun: dryRun, NoUndo: noUndo, Within: within, Map: m,
				Allow: map[agent.Gate]bool{}, Event: a.event, Approve: a.approve(ctx, yes)}
			for g, v := range allow {
				o.Allow[g] = *v
			}
			if acceptLoss {
				o.Allow[agent.GateLosses] = true
			}
			if to != "" && to != name {
				onto, err := ag.Inventory.Device(to)
				if err != nil {
					return err
				}
				o.Onto = &onto
			}
			run := ag.Restore
			if resume {
				run = ag.Resume
			}
			res, err := run(ctx, o)
			a.printRestore(res, dryRun)
			return err
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&at, "at", "", "snapshot: a time, an id, or DEVICE@… (default: latest good)")
	f.BoolVar(&dryRun, "dry-run", false, "stage, show the plan, discard")
	f.BoolVar(&yes, "yes", false, "do not ask")
	f.BoolVar(&resume, "resume", false, "end a restore that was interrupted")
	f.StringVar(&mapFile, "map", "", "YAML file that renames interfaces, a line 'OLD: NEW' for each")
	f.StringVar(&to, "to", "", "device of the inventory that gets the configuration instead")
	f.BoolVar(&acceptLoss, "accept-loss", false, "the same as --allow-losses")
	f.BoolVar(&noUndo, "no-undo", false, "do not save what the device has now: only for a device that cannot be exported")
	f.DurationVar(&within, "within", 0, "the device's timer (default: four times the time to connect and export, at least 1m, and longer where a commit restarts the device)")
	for _, g := range gateNames() {
		v := new(bool)
		allow[g] = v
		if g != agent.GateNoUndo {
			f.BoolVar(v, "allow-"+string(g), false, agent.Gates()[g])
		}
	}
	return a.jsonFlag(cmd)
}

func gateNames() []agent.Gate {
	var names []agent.Gate
	for g := range agent.Gates() {
		names = append(names, g)
	}
	slices.Sort(names)
	return names
}

func (a *app) event(e agent.Event) {
	a.note("%7.1fs  %s", e.Elapsed.Seconds(), e.Text)
}

// approve shows the plan and asks, unless --yes. Without a terminal nobody can
// be asked, so the restore is refused.
func (a *app) approve(ctx context.Context, yes bool) func(*agent.Plan) (bool, error) {
	return func(p *agent.Plan) (bool, error) {
		if yes {
			return true, nil
		}
		a.printPlan(p)
		fmt.Fprint(a.err, clean(p.Diff))
		if !a.terminal() {
			return false, &agent.GateError{Gate: "approval", Text: "there is no terminal to ask on; --yes approves the plan"}
		}
		fmt.Fprintf(a.err, "Restore %s? [y/N] ", p.Device)
		said := make(chan string, 1)
		go func() {
			line, _ := bufio.NewReader(a.in).ReadString('\n')
			said <- strings.ToLower(strings.TrimSpace(line))
		}()
		select {
		case <-ctx.Done():
			fmt.Fprintln(a.err)
			return false, ctx.Err()
		case answer := <-said:
			return answer == "y" || answer == "yes", nil
		}
	}
}

func (a *app) printPlan(p *agent.Plan) {
	w := a.err
	fmt.Fprintf(w, "device    %s (%s)\n", clean(p.Device), clean(unitText(p.Unit)))
	fmt.Fprintf(w, "snapshot  %s of %s\n", short(p.Snapshot), p.Taken.Local().Format(time.DateTime))
	if p.Converted != "" {
		fmt.Fprintf(w, "converted from what driver %s has read; what the device has afterwards is compared by its meaning\n", clean(p.Converted))
	}
	if p.Undo != "" {
		fmt.Fprintf(w, "undo      %s\n", short(p.Undo))
	}
	fmt.Fprintf(w, "rollback  by %s, %v after the commit\n", p.Rollback, p.Within)
	if p.Address != "" {
		fmt.Fprintf(w, "address   %s afterwards\n", clean(p.Address))
	}
	for _, k := range p.Kept {
		fmt.Fprintf(w, "kept      %s\n", clean(k))
	}
	for i, s := range p.Steps {
		fmt.Fprintf(w, "step %d    %s\n", i+1, clean(s))
	}
	for _, s := range p.Disruptive {
		fmt.Fprintf(w, "disrupts  %s\n", clean(s))
	}
	for _, l := range p.Losses {
		fmt.Fprintf(w, "not put back: %s\n", lossText(l))
	}
	for _, g := range p.Overruled {
		fmt.Fprintf(w, "overruled gate: %s\n", g)
	}
}

func unitText(f plugins.Facts) string {
	parts := []string{}
	for _, s := range append([]string{f.Vendor, f.Model, f.OSVersion}, f.Serials...) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// printRestore prints the answer: the plan's diff for a dry run, the outcome.
func (a *app) printRestore(res *agent.RestoreResult, dryRun bool) {
	if a.json {
		_ = a.printJSON(res)
		return
	}
	if dryRun && res.Plan != nil {
		a.printPlan(res.Plan)
		fmt.Fprint(a.out, clean(res.Plan.Diff))
		if res.Plan.Diff != "" && !strings.HasSuffix(res.Plan.Diff, "\n") {
			fmt.Fprintln(a.out)
		}
	}
	for _, d := range res.Differences {
		fmt.Fprint(a.err, clean(d.Text))
	}
	switch res.Outcome {
	case "confirmed":
		same := "equal to"
		if res.Plan != nil && res.Plan.Converted != "" {
			same = "converted from"
		}
		fmt.Fprintf(a.out, "%s: restored and saved, %s snapshot %s, in %.1f s\n", clean(res.Device), same, short(res.Snapshot), res.Seconds)
	case "nothing-to-do":
		fmt.Fprintf(a.out, "%s: nothing to do, the device has what snapshot %s holds\n", clean(res.Device), short(res.Snapshot))
	case "planned":
		fmt.Fprintf(a.out, "%s: dry run, nothing was changed\n", clean(res.Device))
	}
}

func readMap(path string) (plugins.InterfaceMap, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", agent.ErrConfig, err)
	}
	var m plugins.InterfaceMap
	if err := yaml.UnmarshalWithOptions(data, &m, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", agent.ErrConfig, path, yaml.FormatError(err, false, true))
	}
	targets := map[string]string{}
	for old, name := range m {
		if other, ok := targets[name]; ok && name != "" {
			return nil, fmt.Errorf("%w: %s: both %s and %s become %s", agent.ErrConfig, path, other, old, name)
		}
		targets[name] = old
	}
	return m, nil
}
