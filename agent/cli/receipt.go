package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/vault"
)

func (a *app) receipt() *cobra.Command {
	cmd := command{
		use:   "receipt",
		short: "Look at the signed receipts of what was done",
		long: `Every restore, wipe, replacement, upgrade and rehearsal leaves a signed note in
the vault: what was done, when, how long each step took, which gates were
overruled, and how it ended.`,
		example: "cfgvault receipt list core1",
		status:  []Status{NoVault, NotFound, Integrity},
	}.cobra()
	cmd.AddCommand(a.receiptList(), a.receiptShow(), a.receiptVerify())
	return cmd
}

// receiptJSON is a receipt as --json prints it.
type receiptJSON struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Time    time.Time `json:"time"`
	Role    string    `json:"role"` // whose key signed: "operator" or "agent"
	Key     string    `json:"key"`
	Object  string    `json:"object"`
	Name    string    `json:"name,omitempty"` // of the device, as the inventory has it
	Seconds float64   `json:"seconds"`
	agent.ReceiptBody
	Details *agent.ReceiptDetails `json:"details,omitempty"`
}

func toReceiptJSON(r agent.Receipt, name string) receiptJSON {
	return receiptJSON{ID: r.ID(), Kind: r.Kind, Time: r.Time, Role: r.Role, Key: r.Key, Object: r.Object, Name: name, Seconds: r.Seconds(), ReceiptBody: r.ReceiptBody}
}

// names are the devices' names by id.
func names(ag *agent.Agent) map[string]string {
	out := map[string]string{}
	for _, d := range ag.Inventory.Devices() {
		out[d.ID] = d.Name
	}
	return out
}

func (a *app) receiptList() *cobra.Command {
	return a.jsonFlag(command{
		use: "list [DEVICE]", short: "List receipts, oldest first",
		long:    `Signatures are verified; no identity is needed.`,
		example: "cfgvault receipt list core1 --json",
		status:  []Status{NoVault, NotFound, Integrity},
		args:    cobra.MaximumNArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			id := ""
			if len(args) == 1 {
				d, err := ag.Inventory.Device(args[0])
				if err != nil {
					return err
				}
				id = d.ID
			}
			x, err := ag.Index(ctx)
			if err != nil {
				return err
			}
			name := names(ag)
			all := []receiptJSON{}
			for _, r := range agent.Receipts(x, id) {
				all = append(all, toReceiptJSON(r, name[r.Device]))
			}
			if a.json {
				return a.printJSON(all)
			}
			rows := [][]string{{"TIME", "ID", "KIND", "DEVICE", "OUTCOME", "TOOK", "SNAPSHOT", "OVERRULED"}}
			for _, r := range all {
				if r.Name == "" {
					r.Name = "(" + r.Device + ")"
				}
				rows = append(rows, []string{r.Time.Local().Format(time.DateTime), short(r.ID), r.Kind, r.Name, r.Outcome,
					fmt.Sprintf("%.1f s", r.Seconds), short(r.Target), strings.Join(r.Overruled, ", ")})
			}
			table(a.out, rows)
			return nil
		},
	}.cobra())
}

func (a *app) receiptShow() *cobra.Command {
	var raw bool
	cmd := command{
		use: "show ID", short: "Show one receipt",
		long: `Shows what a receipt says and, with an identity, what only its holders may
read: the device's name, units, firmware, host keys, and who ran it. --raw prints
the signed note as it lies in the store; FORMAT.md says how public tools verify
it.`,
		example: "cfgvault receipt show 3f9c --raw >receipt.txt",
		status:  []Status{NoVault, NotFound, Integrity},
		args:    cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			x, err := ag.Index(ctx)
			if err != nil {
				return err
			}
			r, err := agent.FindReceipt(x, args[0])
			if err != nil {
				return err
			}
			if raw {
				data, err := ag.Vault().FetchReceipt(ctx, r.Receipt)
				if err != nil {
					return err
				}
				_, err = a.out.Write(data)
				return err
			}
			out := toReceiptJSON(r, names(ag)[r.Device])
			out.Details, err = ag.Details(r)
			if err != nil && !errors.Is(err, vault.ErrNoIdentity) {
				return err
			}
			if a.json {
				return a.printJSON(out)
			}
			a.printReceipt(out, ag.Vault())
			return nil
		},
	}.cobra()
	cmd.Flags().BoolVar(&raw, "raw", false, "print the signed note as it is")
	return a.jsonFlag(cmd)
}

func (a *app) printReceipt(r receiptJSON, v *vault.Vault) {
	line := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); strings.TrimSpace(text) != "" {
			fmt.Fprintf(a.out, "%-10s %s\n", name, clean(text))
		}
	}
	line("receipt", "%s", r.ID)
	line("kind", "%s", r.Kind)
	line("device", "%s (%s)", r.Name, r.Device)
	line("outcome", "%s", r.Outcome)
	line("time", "%s to %s, %.1f s", r.Started.Local().Format(time.DateTime), r.Ended.Local().Format(time.DateTime), r.Seconds)
	line("snapshot", "%s", r.Target)
	line("undo", "%s", r.Undo)
	line("after", "%s", r.After)
	line("plan", "%s", r.Plan)
	line("proof", "%s", r.Proof)
	line("overruled", "%s", strings.Join(r.Overruled, ", "))
	for _, s := range r.Steps {
		line("step", "%s  %-10s %.3f s", s.Time.Local().Format(time.DateTime), s.Step, s.Seconds)
	}
	key, _ := v.PublicKey(r.Key)
	line("signed by", "%s %s", r.Role, key)
	if d := r.Details; d != nil {
		line("by", "%s", d.By)
		line("driver", "%s", d.Driver)
		line("was", "%s", unitText(d.Was))
		line("unit", "%s", unitText(d.Unit))
		line("firmware", "%s", d.Firmware)
		line("replaced", "%s", strings.Join(d.Replaced, ", "))
		line("address", "%s", d.Address)
		for _, k := range d.OldKeys {
			line("retired", "%s", fingerprint(k))
		}
		for _, k := range d.HostKeys {
			line("host key", "%s", fingerprint(k))
		}
		for _, t := range d.Tasks {
			line("to do", "%s", t)
		}
	} else {
		a.note("no identity fits: what only holders of one may read is not shown")
	}
}

func (a *app) receiptVerify() *cobra.Command {
	return a.jsonFlag(command{
		use: "verify [FILE | -]", short: "Verify receipts",
		long: `Without a file: every receipt of the vault, against the trust that the root key
signed. With one: the receipt that it holds, as ` + "`cfgvault receipt show --raw`" + ` prints
it; no store is needed.`,
		example: "cfgvault receipt verify receipt.txt",
		status:  []Status{NoVault, Integrity},
		args:    cobra.MaximumNArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			if len(args) == 0 {
				x, err := ag.Index(ctx)
				if err != nil {
					return err
				}
				all := x.Receipts("")
				if a.json {
					return a.printJSON(map[string]any{"verified": len(all)})
				}
				fmt.Fprintf(a.out, "%d receipts, every signature is good\n", len(all))
				return nil
			}
			in := io.Reader(a.in)
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("%w: %w", agent.ErrConfig, err)
				}
				defer f.Close()
				in = f
			}
			data, err := io.ReadAll(io.LimitReader(in, 2<<20))
			if err != nil {
				return err
			}
			r, err := ag.Vault().VerifyReceipt(data)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(r)
			}
			fmt.Fprintf(a.out, "good: %s of %s, signed by %s %s\n", r.Kind, r.Time.Local().Format(time.DateTime), r.Role, r.Key)
			return nil
		},
	}.cobra())
}
