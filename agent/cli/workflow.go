package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cfgvault/cfgvault/agent"
)

func (a *app) workflow() *cobra.Command {
	cmd := command{
		use:   "workflow",
		short: "Look at the workflows that are open",
		long: `A wipe, a replacement or an upgrade that was interrupted, or that waits for
somebody, stays open until it is resumed or abandoned. How others ended their
receipts say.

With --json a workflow prints what happens, one object a line, with the members
workflow, device, step, phase (plan, begin, info, wait, done, end), text and
seconds; the last line is the outcome, with the exit status as "status". Members
and phases are only ever added; text is for people.`,
		example: "cfgvault workflow list",
		status:  []Status{NoVault, NotFound},
	}.cobra()
	cmd.AddCommand(a.workflowList(), a.workflowShow(), a.workflowAbandon())
	return cmd
}

func (a *app) workflowList() *cobra.Command {
	var ended bool
	cmd := a.jsonFlag(command{
		use: "list", short: "List the open workflows",
		long: `Says of every device with an open workflow which step comes next and what it waits for.
With --all those that have ended follow, by their receipts: done, rolled back or
abandoned.`,
		example: "cfgvault workflow list --json\ncfgvault workflow list --all",
		status:  []Status{NoVault, Integrity},
		args:    cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			open := a.openOffline
			if ended {
				open = func() (*agent.Agent, error) { return a.open(ctx) }
			}
			ag, err := open()
			if err != nil {
				return err
			}
			defer ag.Close()
			all, err := ag.Workflows()
			if err == nil && ended {
				all, err = ag.WithEnded(ctx, all)
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(all)
			}
			if len(all) == 0 {
				a.note("no workflow is open")
				return nil
			}
			rows := [][]string{{"DEVICE", "WORKFLOW", "BEGUN", "STEP", "STATE", "NEXT"}}
			for _, w := range all {
				rows = append(rows, []string{w.Device, w.Workflow, w.Started.Local().Format(time.DateTime), w.Step, w.State, w.Next})
			}
			table(a.out, rows)
			return nil
		},
	}.cobra())
	cmd.Flags().BoolVar(&ended, "all", false, "also those that have ended")
	return cmd
}

func (a *app) workflowShow() *cobra.Command {
	return a.jsonFlag(command{
		use: "show DEVICE", short: "Show where a workflow stands",
		long:    `Lists the steps that the workflow has passed, with their times, and says what ends it.`,
		example: "cfgvault workflow show core1",
		status:  []Status{NotFound},
		args:    cobra.ExactArgs(1),
		run: func(_ context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			w, err := ag.Workflow(args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(w)
			}
			fmt.Fprintf(a.out, "%s of %s, begun %s: %s\n", w.Workflow, clean(w.Device), w.Started.Local().Format(time.DateTime), w.State)
			for _, m := range w.Steps {
				fmt.Fprintf(a.out, "  %s  %-10s %s\n", m.Time.Local().Format(time.DateTime), m.Step, m.Phase)
			}
			fmt.Fprintf(a.out, "next: %s\n", clean(w.Next))
			return nil
		},
	}.cobra())
}

func (a *app) workflowAbandon() *cobra.Command {
	var yes bool
	cmd := command{
		use: "abandon DEVICE", short: "Forget a workflow that nobody will end",
		long: `Leaves the device as it is, stores a receipt that says so, and forgets the
workflow. An open restore of the device stays open: ` + "`cfgvault restore DEVICE --resume`" + `
ends it.`,
		example: "cfgvault workflow abandon core1 --yes",
		status:  []Status{NoVault, NotFound, Refused},
		args:    cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			w, err := ag.Workflow(args[0])
			if err != nil {
				return err
			}
			if !yes {
				said, err := a.askLine(ctx, agent.Question{
					Text:   fmt.Sprintf("The %s of %s, begun %s, is at step %s: %s.", w.Workflow, w.Device, w.Started.Local().Format(time.DateTime), w.Step, w.State),
					Prompt: "Forget it and leave the device as it is?", YesNo: true, Flag: "--yes"})
				if err != nil {
					return err
				}
				if !saidYes(said) {
					return &agent.GateError{Gate: "approval", Text: "the workflow stays open"}
				}
			}
			if err := ag.Abandon(ctx, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: the %s is forgotten, the device was left as it is\n", clean(w.Device), w.Workflow)
			return nil
		},
	}.cobra()
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// flowFlags are the flags that every workflow has.
type flowFlags struct {
	yes, resume bool
	allow       map[agent.Gate]*bool
}

func (a *app) flowFlags(cmd *cobra.Command, gates ...agent.Gate) *flowFlags {
	v := &flowFlags{allow: map[agent.Gate]*bool{}}
	f := cmd.Flags()
	f.BoolVar(&v.yes, "yes", false, "do not ask: what a gate or a question needs must be given by its option")
	f.BoolVar(&v.resume, "resume", false, "go on with the one that was interrupted")
	f.BoolVar(&a.json, "json", false, "print what happens as JSON, one object a line, and the outcome last")
	meanings := agent.Gates()
	for g, text := range agent.WorkflowGates() {
		meanings[g] = text
	}
	for _, g := range gates {
		on := new(bool)
		v.allow[g] = on
		f.BoolVar(on, "allow-"+string(g), false, meanings[g])
	}
	return v
}

func (v *flowFlags) options(a *app, device string) agent.WorkflowOptions {
	o := agent.WorkflowOptions{Device: device, Resume: v.resume, Allow: map[agent.Gate]bool{}, Event: a.flowEvent}
	for g, on := range v.allow {
		o.Allow[g] = *on
	}
	if !v.yes && a.terminal() {
		o.Ask = a.askLine
	}
	return o
}

// flowEvent prints an event for people on stderr, or for machines on stdout.
func (a *app) flowEvent(e agent.WorkflowEvent) {
	if a.json {
		a.jsonLine(e)
		return
	}
	switch e.Phase {
	case "plan":
		a.note("  %s", e.Text)
	case "begin":
		a.note("%7.1fs  %s: %s", e.Seconds, e.Step, e.Text)
	case "info", "wait":
		a.note("%7.1fs    %s", e.Seconds, e.Text)
	}
}

func (a *app) jsonLine(v any) {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a failed write is kept by answer
}

// askLine puts a question to the operator. Without a terminal nobody can be
// asked.
func (a *app) askLine(ctx context.Context, q agent.Question) (string, error) {
	if !a.terminal() {
		return "", &agent.GateError{Gate: "approval", Text: "there is no terminal to ask on; " + q.Flag + " answers it"}
	}
	fmt.Fprintln(a.err, clean(strings.TrimRight(q.Text, "\n")))
	suffix := ": "
	if q.YesNo {
		suffix = " [y/N] "
	}
	fmt.Fprint(a.err, clean(q.Prompt)+suffix)
	type line struct {
		text string
		err  error
	}
	said := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(a.in).ReadString('\n')
		said <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.err)
		return "", ctx.Err()
	case l := <-said:
		if l.err != nil && l.text == "" {
			return "", &agent.GateError{Gate: "approval", Text: "nothing was answered"}
		}
		return strings.TrimSpace(l.text), nil
	}
}

// loginFlags say how a unit without its configuration is logged in to.
type loginFlags struct {
	user     string
	password refFlags
}

func (l *loginFlags) add(f *pflag.FlagSet) {
	f.StringVar(&l.user, "login-user", "", "login name while the unit lacks its configuration (default: the device's)")
	f.StringVar(&l.password.env, "login-password-env", "", "environment variable that holds the password of --login-user")
	f.StringVar(&l.password.file, "login-password-file", "", "file that holds the password of --login-user")
	f.StringVar(&l.password.command, "login-password-command", "", "command that prints the password of --login-user")
}

// login is nil if no name was given.
func (l *loginFlags) login() (*agent.Login, error) {
	if l.user == "" {
		return nil, nil
	}
	ref, err := l.password.ref()
	return &agent.Login{User: l.user, Password: ref}, err
}

func saidYes(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return s == "y" || s == "yes"
}

// endFlow prints how a workflow, or this run of it, ended.
func (a *app) endFlow(res *agent.WorkflowResult, err error, done string) error {
	if a.json {
		a.jsonLine(struct {
			*agent.WorkflowResult
			Status int    `json:"status"`
			Error  string `json:"error,omitempty"`
		}{res, int(statusOf(err)), errText(err)})
		return err
	}
	if res.Restore != nil && err != nil {
		for _, d := range res.Restore.Differences {
			fmt.Fprint(a.err, clean(d.Text))
		}
	}
	for _, p := range res.Rotate {
		fmt.Fprintf(a.out, "rotate: %s\n", clean(p.String()))
	}
	for _, t := range res.Tasks {
		fmt.Fprintf(a.out, "to do: %s\n", clean(t))
	}
	switch res.Outcome {
	case "done":
		fmt.Fprintf(a.out, "%s: %s, in %.1f s\n", clean(res.Device), done, res.Seconds)
	case "waiting":
		fmt.Fprintf(a.out, "%s: waiting: %s\n", clean(res.Device), clean(res.Waits))
	}
	if res.Receipt != "" {
		a.note("receipt %s", res.Receipt)
	}
	return err
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return clean(err.Error())
}

// onlyResume refuses options that a workflow fixed when it was begun.
func onlyResume(cmd *cobra.Command, v *flowFlags, fixed ...string) error {
	if !v.resume {
		return nil
	}
	for _, name := range fixed {
		if cmd.Flags().Changed(name) {
			return usageError{errors.New("--resume goes on as it was begun; it goes without --" + name)}
		}
	}
	return nil
}
