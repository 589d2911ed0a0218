// Command bench measures cfgvault's budgets side by side with its peers, in
// one run on one machine, and prints ratios: these machines are noisy, so a
// lone time says little. It needs root, for the lab, and Debian's rancid.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
)

func main() {
	binary := flag.String("cfgvault", "bin/cfgvault", "binary to measure")
	only := flag.String("run", "", "the one part to run: one, twenty, fleet, vault, schemas, lenses, restore, wipe, large")
	devices := flag.String("serve-fleet", "", "for itself: be a fleet of simulated devices of that pace")
	driver := flag.String("driver", "eos", "for itself: the driver that does it")
	text := flag.String("normalise", "", "for itself: normalise that file and exit")
	flag.Parse()
	if *text != "" {
		if err := normalise(context.Background(), *driver, *text, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *devices != "" {
		if err := serveFleet(*devices, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*binary, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(binary, only string) error {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "cfgvault-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{table{os.Stdout}, binary, dir}
	fmt.Printf("%-58s %10s %10s %8s %9s\n", "work", "cfgvault", "peer", "ratio", "budget")
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"one", b.one}, {"twenty", b.twenty}, {"fleet", b.fleet}, {"vault", b.vault}, {"schemas", b.schemas}, {"lenses", b.lenses}, {"restore", b.restore}, {"wipe", b.wipe}, {"large", b.large}} {
		if only != "" && only != part.name {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

type bench struct {
	table
	binary, dir string
}

// installation is one home of cfgvault.
type installation struct {
	b   *bench
	dir string
}

func (b *bench) home(name string) (*installation, error) {
	in := &installation{b, filepath.Join(b.dir, name)}
	return in, in.run("init", "--store", filepath.Join(b.dir, name+"-store"))
}

func (in *installation) command(args ...string) *exec.Cmd {
	return exec.Command(in.b.binary, append([]string{"--home", in.dir}, args...)...)
}

func (in *installation) run(args ...string) error {
	if out, err := in.command(args...).CombinedOutput(); err != nil {
		return fmt.Errorf("cfgvault %v: %w\n%s", args, err, out)
	}
	return nil
}

func (in *installation) add(name string, r *lab.Router) error {
	l := r.Shell()
	pw := filepath.Join(in.b.dir, name+".pw")
	if err := os.WriteFile(pw, []byte(l.Password), 0o600); err != nil {
		return err
	}
	if err := in.run("device", "add", name, "--driver", "frr", "--address", r.HostPort(), "--user", l.User, "--password-file", pw); err != nil {
		return err
	}
	return in.run("device", "trust", name, "--yes")
}

func timed(f func() error) (time.Duration, error) {
	begun := time.Now()
	err := f()
	return time.Since(begun), err
}

// one: a whole backup of one router against one plain ssh client.
func (b *bench) one(ctx context.Context) error {
	l, err := lab.Open(ctx, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Router(ctx, lab.RouterOptions{Name: "one"})
	if err != nil {
		return err
	}
	in, err := b.home("one")
	if err != nil {
		return err
	}
	if err := in.add("r1", r); err != nil {
		return err
	}
	if err := in.run("backup", "r1"); err != nil {
		return err
	}
	var unchanged, forced, ssh []time.Duration
	for range 9 {
		p, err := timed(func() error { _, err := r.SSH(ctx, r.Shell(), "vtysh", "-c", "'show running-config'"); return err })
		if err != nil {
			return err
		}
		u, err := timed(func() error { return in.run("backup", "r1") })
		if err != nil {
			return err
		}
		f, err := timed(func() error { return in.run("backup", "r1", "--force") })
		if err != nil {
			return err
		}
		ssh, unchanged, forced = append(ssh, p), append(unchanged, u), append(forced, f)
	}
	b.row("one FRR, unchanged: backup / plain ssh", unchanged, ssh, "1.5x")
	b.row("one FRR, new snapshot: backup --force / plain ssh", forced, ssh, "1.5x")
	return nil
}

// twenty: backup --all against twenty ssh clients at once, and against RANCID.
func (b *bench) twenty(ctx context.Context) error {
	l, err := lab.Open(ctx, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	routers, err := l.Routers(ctx, 20, lab.RouterOptions{Name: "r"})
	if err != nil {
		return err
	}
	in, err := b.home("twenty")
	if err != nil {
		return err
	}
	for i, r := range routers {
		if err := in.add(fmt.Sprintf("r%d", i), r); err != nil {
			return err
		}
	}
	if err := in.run("backup", "--all", "--concurrency", "20"); err != nil {
		return err
	}
	ran, err := newRancid(routers)
	if err != nil {
		return err
	}
	defer ran.remove()
	var ours, forced, ssh, rancid []time.Duration
	for i := range 5 {
		s, err := timed(func() error { return sshAll(ctx, routers) })
		if err != nil {
			return err
		}
		o, err := timed(func() error { return in.run("backup", "--all", "--concurrency", "20") })
		if err != nil {
			return err
		}
		f, err := timed(func() error { return in.run("backup", "--all", "--concurrency", "20", "--force") })
		if err != nil {
			return err
		}
		ours, forced, ssh = append(ours, o), append(forced, f), append(ssh, s)
		if i < 3 {
			t, err := timed(ran.run)
			if err != nil {
				return err
			}
			rancid = append(rancid, t)
		}
	}
	b.row("twenty FRR, unchanged: backup --all / 20 ssh at once", ours, ssh, "1.0x")
	b.row("twenty FRR, new: backup --all --force / 20 ssh at once", forced, ssh, "1.0x")
	b.row("twenty FRR: backup --all / RANCID PAR_COUNT=20", ours[:3], rancid, "0.33x")
	return nil
}

func sshAll(ctx context.Context, routers []*lab.Router) error {
	errs := make([]error, len(routers))
	var wg sync.WaitGroup
	for i, r := range routers {
		wg.Go(func() { _, errs[i] = r.SSH(ctx, r.Shell(), "vtysh", "-c", "'show running-config'") })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// restore: the time by step from a wiped router to a verified restore.
func (b *bench) restore(ctx context.Context) error {
	l, err := lab.Open(ctx, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Router(ctx, lab.RouterOptions{Name: "wiped"})
	if err != nil {
		return err
	}
	in, err := b.home("restore")
	if err != nil {
		return err
	}
	if err := in.add("r1", r); err != nil {
		return err
	}
	if err := in.run("backup", "r1"); err != nil {
		return err
	}
	before, err := r.Running(ctx)
	if err != nil {
		return err
	}
	type step struct {
		Step, Text string
		Elapsed    time.Duration
	}
	var total []time.Duration
	var last []step
	for range 3 {
		if err := r.Wipe(ctx); err != nil {
			return err
		}
		cmd := in.command("restore", "r1", "--yes", "--json")
		cmd.Stderr = io.Discard
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("restore: %w\n%s", err, out)
		}
		var res struct {
			Outcome string
			Seconds float64
			Steps   []step
		}
		if err := json.Unmarshal(out, &res); err != nil {
			return err
		}
		after, err := r.Running(ctx)
		if err != nil {
			return err
		}
		if res.Outcome != "confirmed" || string(lab.Significant(after)) != string(lab.Significant(before)) {
			return fmt.Errorf("the restore ended as %q and the router is not as it was", res.Outcome)
		}
		total = append(total, time.Duration(res.Seconds*float64(time.Second)))
		last = res.Steps
	}
	fmt.Printf("%-58s %9.2fs\n", "FRR wipe to verified, confirmed and saved (median of 3)", median(total).Seconds())
	prev := time.Duration(0)
	for _, s := range last {
		fmt.Printf("    %-54s %9.2fs\n", cut(s.Text, 54), (s.Elapsed - prev).Seconds())
		prev = s.Elapsed
	}
	return nil
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n-1] + "…"
	}
	return s
}

// usage is the CPU that a finished process and its children took.
func usage(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
