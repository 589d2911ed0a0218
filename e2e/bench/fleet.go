package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	fleetSize    = 1000
	fleetAtOnce  = 256
	fleetLatency = 500 * time.Millisecond // what one backup waits for its device, in all
)

// ideal is how long a fleet takes if nothing but its devices takes any time.
func ideal(n, atOnce int, latency time.Duration) time.Duration {
	return time.Duration(int64(latency) * int64(n) / int64(atOnce))
}

// fleet: a thousand slow devices at once, against what the devices alone take
// and against bare clients that hold the same conversations.
func (b *bench) fleet(ctx context.Context) error {
	for _, over := range []transport{overSSH, telnet} {
		if err := b.fleetOver(ctx, over); err != nil {
			return fmt.Errorf("over %s: %w", over, err)
		}
	}
	return nil
}

func (b *bench) fleetOver(ctx context.Context, over transport) error {
	in, err := b.home("fleet-" + string(over))
	if err != nil {
		return err
	}
	talk, err := b.talk(in, over)
	if err != nil {
		return err
	}
	p := paceFor(fleetLatency, talk)
	f, err := startFleet(p, over)
	if err != nil {
		return err
	}
	defer f.stop()
	if err := in.adopt(f, fleetSize); err != nil {
		return err
	}
	// The devices come into being with their first login, which is nobody's time.
	if _, _, err := f.clients(ctx, fleetSize, fleetAtOnce); err != nil {
		return err
	}
	before, err := f.waited()
	if err != nil {
		return err
	}
	plain, plainCPU, err := f.clients(ctx, fleetSize, fleetAtOnce)
	if err != nil {
		return err
	}
	after, err := f.waited()
	if err != nil {
		return err
	}
	best := ideal(fleetSize, fleetAtOnce, fleetLatency)
	title := "fleet over " + string(over) + ", "
	b.line(title+"plain clients / ideal", plain, best, "")
	b.note("    its devices waiting, per conversation", after.since(before).total(p)/fleetSize, "500 ms")
	b.note("    its CPU per device", plainCPU/fleetSize, "")
	b.note("    CPU per device of the fleet itself", (after.cpu-before.cpu)/fleetSize, "")
	for _, night := range []string{"first", "unchanged"} {
		before = after
		cmd := in.command("backup", "--all", "--concurrency", strconv.Itoa(fleetAtOnce))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		begun := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		mem := watch(cmd.Process.Pid)
		err := cmd.Wait()
		took := time.Since(begun)
		mem.end()
		if err != nil {
			return fmt.Errorf("backup --all: %w\n%s", err, out.Bytes()[max(0, out.Len()-2000):])
		}
		if after, err = f.waited(); err != nil {
			return err
		}
		cpu := usage(cmd)
		b.line(title+night+": backup --all / ideal", took, best, "1.15x")
		b.line(title+night+": backup --all / plain clients", took, plain, "")
		b.note("    devices waiting, per backup", after.since(before).total(p)/fleetSize, "500 ms")
		b.note("    CPU per device above the plain clients", (cpu-plainCPU)/fleetSize, "5 ms")
		b.note("    CPU per device of the fleet itself", (after.cpu-before.cpu)/fleetSize, "")
		b.size("    memory of the agent at its peak", mem.process, "200 MiB")
		b.size("    memory of the plugin at its peak", mem.child, "64 MiB")
	}
	return nil
}

// talk counts what one backup of one device waits for.
func (b *bench) talk(in *installation, over transport) (waits, error) {
	f, err := startFleet(pace{}, over)
	if err != nil {
		return waits{}, err
	}
	defer f.stop()
	if err := in.adopt(f, 1); err != nil {
		return waits{}, err
	}
	if err := in.run("backup", "--all"); err != nil {
		return waits{}, err
	}
	return f.waited()
}

// adopt makes the first n devices of a fleet the inventory.
func (in *installation) adopt(f *simulated, n int) error {
	key := ""
	if f.over == overSSH {
		var err error
		if key, err = hostKey(f.addr); err != nil {
			return err
		}
	}
	pw := filepath.Join(in.b.dir, "fleet.pw")
	if err := os.WriteFile(pw, []byte(f.password), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(in.dir, "devices.yaml"), []byte(f.inventory(n, key, pw)), 0o600)
}

// highWater is the most memory that a process has had, in bytes.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0 // it has ended
	}
	return kib << 10
}

// children are the processes that a process has started.
func children(pid int) []int {
	var all []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
