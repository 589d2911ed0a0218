package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/vault"
)

// demoMark is the file by which a folder that a demo made is known.
const demoMark = "made-by-cfgvault-demo"

func (a *app) demo() *cobra.Command {
	var dir string
	cmd := command{
		use:   "demo",
		short: "Run the main job on a simulated switch",
		long: `Makes a vault in a folder, starts a simulated switch on this machine, backs it
up, wipes it, restores it, and proves that it is as it was. The vault stays in
the folder to explore.`,
		example: "cfgvault demo --dir demo",
		args:    cobra.NoArgs,
		run: func(ctx context.Context, _ []string) error {
			dir, err := demoDir(dir)
			if err != nil {
				return err
			}
			return a.runDemo(ctx, dir)
		},
	}.cobra()
	cmd.Flags().StringVar(&dir, "dir", "demo", "folder for the demo's vault; one that an earlier demo made is replaced")
	return cmd
}

func demoDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, demoMark)); err != nil {
			return "", fmt.Errorf("%w: %s is not empty and no demo made it; --dir names another folder", agent.ErrConfig, dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, demoMark), nil, 0o600)
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

func (a *app) runDemo(ctx context.Context, dir string) error {
	// A folder with a config of its own: nothing of the user's home is touched.
	a.home, a.config, a.identity = dir, "", ""
	home, err := a.findHome()
	if err != nil {
		return err
	}
	const user, password = "admin", "demo-password"
	sw, err := simulate.New("eos", device.Options{Config: simulate.Sample("eos"), User: user, Password: password})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- sw.Serve(l) }()
	defer func() { sw.Close(); <-served }()
	a.say("1. A simulated switch listens on %s.", l.Addr())

	cfg := agent.Config{Store: filepath.Join(dir, "store")}
	store, err := agent.OpenStore(ctx, cfg)
	if err != nil {
		return err
	}
	if _, err := vault.Create(ctx, vault.Config{Dir: home.Vault(), Store: store}, vault.CreateOptions{}); err != nil {
		return err
	}
	if err := home.SaveConfig(cfg); err != nil {
		return err
	}
	a.say("2. A vault with post-quantum keys is in %s.", dir)

	passwordFile := filepath.Join(dir, "password")
	if err := os.WriteFile(passwordFile, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	ag, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ag.Close()
	d := inventory.Device{Name: "switch1", Driver: "eos", Address: l.Addr().String(), User: user}
	d.Auth.Password = inventory.Ref{File: passwordFile}
	if d, err = ag.Inventory.Add(d); err != nil {
		return err
	}
	if err := trustAll(ctx, ag, d); err != nil {
		return err
	}
	a.say("3. The switch is in the inventory as switch1, its host key is pinned.")

	before := sw.Running()
	if d, err = ag.Inventory.Device(d.Name); err != nil {
		return err
	}
	report, err := ag.Backup(ctx, []inventory.Device{d}, agent.BackupOptions{})
	if err != nil {
		return err
	}
	r := report.Results[0]
	if r.Outcome != agent.Stored {
		return errors.New("backup: " + resultLine(r))
	}
	a.say("4. Backed up: snapshot %s, %s, %d lines, in %.1f s.", short(r.Snapshot), r.Verdict, strings.Count(before, "\n"), r.Seconds)

	sw.FactoryReset()
	if sw.Running() == before {
		return errors.New("the wipe did not change the switch")
	}
	gone, all := missing(before, sw.Running())
	a.say("5. Wiped: the switch is as it left the factory, %d of its %d lines are gone.", gone, all)

	begun := time.Now()
	a.say("6. Restoring:")
	res, err := ag.Restore(ctx, agent.RestoreOptions{Device: d.Name, Event: func(e agent.Event) {
		a.say("   %5.1f s  %s", e.Elapsed.Seconds(), e.Text)
	}})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	took := time.Since(begun)
	if res.Outcome != "confirmed" {
		return fmt.Errorf("restore ended as %q", res.Outcome)
	}
	if diff := differ(before, sw.Running()); diff != "" {
		return fmt.Errorf("the switch is not as it was: %s", diff)
	}
	if diff := differ(before, sw.Startup()); diff != "" {
		return fmt.Errorf("the switch would not start as it was: %s", diff)
	}
	a.say("7. Verified: running and startup configuration are what they were. Time to restore: %.1f s.", took.Seconds())
	a.say(`
The vault stays. Explore it:
  bin/cfgvault --home %[1]s list switch1
  bin/cfgvault --home %[1]s show switch1
  bin/cfgvault --home %[1]s show switch1 --native running-config
  bin/cfgvault --home %[1]s check --read-data`, shown(dir))
	return nil
}

// missing counts the lines of a configuration that another one has not.
func missing(config, other string) (gone, all int) {
	have := map[string]bool{}
	for _, s := range statements(other) {
		have[s] = true
	}
	for _, s := range statements(config) {
		all++
		if !have[s] {
			gone++
		}
	}
	return gone, all
}

// differ compares two configurations as a person would, without the comment
// lines that a switch writes anew each time; it returns the first difference.
func differ(a, b string) string {
	x, y := statements(a), statements(b)
	for i := range max(len(x), len(y)) {
		switch {
		case i >= len(x):
			return fmt.Sprintf("line %q is new", y[i])
		case i >= len(y):
			return fmt.Sprintf("line %q is gone", x[i])
		case x[i] != y[i]:
			return fmt.Sprintf("line %q became %q", x[i], y[i])
		}
	}
	return ""
}

func statements(config string) []string {
	var out []string
	for line := range strings.Lines(config) {
		line = strings.TrimRight(line, "\r\n")
		if !strings.HasPrefix(line, "! ") && line != "" {
			out = append(out, line)
		}
	}
	return out
}

// shown is a folder as a person would type it.
func shown(dir string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, dir); err == nil && !strings.HasPrefix(rel, "..") {
			return rel
		}
	}
	return dir
}

// trustAll pins what the device shows, without asking: the demo's switch is in
// this process.
func trustAll(ctx context.Context, ag *agent.Agent, d inventory.Device) error {
	t, err := ag.Target(ctx, withoutLogin(d))
	if err != nil {
		return err
	}
	keys, err := session.HostKeys(ctx, t)
	if err != nil {
		return err
	}
	err = ag.Inventory.Update(d.Name, func(d *inventory.Device) error {
		for _, k := range keys {
			d.HostKeys = append(d.HostKeys, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return ag.Inventory.Save()
}
