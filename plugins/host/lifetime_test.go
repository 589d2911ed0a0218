package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
)

func TestGroupDiesWithThePlugin(t *testing.T) {
	h := newHost(t, host.Options{})
	d := own(t, h, "lab")
	_, err := d.Identify(t.Context(), doing("child"))
	child, convErr := strconv.Atoi(strings.TrimPrefix(fmt.Sprint(err), "pid "))
	if convErr != nil || !alive(child) {
		t.Fatalf("no child: %v", err)
	}
	d.Close()
	waitGone(t, child)
}

// beAgent is an agent in a process of its own: it starts a plugin, prints its
// pid and waits to be killed.
func beAgent(dir, driver string) {
	exe, err := os.Executable()
	if err != nil {
		os.Exit(1)
	}
	h, err := host.New(host.Options{Executable: exe, Builtin: []string{driver}, TempDir: dir})
	if err != nil {
		os.Exit(1)
	}
	d, err := h.Shared(context.Background(), driver)
	if err != nil {
		os.Exit(1)
	}
	_, err = d.Identify(context.Background(), doing("pid"))
	fmt.Println(err)
	select {}
}

// lab ends because its connection does, foreign does not look: the kernel has
// to end it. What a killed agent leaves behind, the next one clears away; what
// is somebody's stays.
func TestPluginDiesWithTheAgent(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, driver := range []string{"lab", "foreign"} {
		t.Run(driver, func(t *testing.T) {
			outside := t.TempDir()
			dir, err := os.MkdirTemp("", "h") // short enough for a socket
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			newHost(t, host.Options{TempDir: dir})
			if err := os.WriteFile(filepath.Join(outside, "keep"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Symlink(outside, filepath.Join(dir, "cfgvault.1")), os.WriteFile(filepath.Join(dir, "cfgvault.2"), nil, 0o600),
				os.Mkdir(filepath.Join(dir, "cfgvault.3"), 0o755), os.Mkdir(filepath.Join(dir, "other"), 0o700)); err != nil {
				t.Fatal(err)
			}
			agent := exec.Command(exe, "agent", dir, driver)
			out, err := agent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := agent.Start(); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewScanner(out)
			in.Scan()
			plugin, err := strconv.Atoi(strings.TrimPrefix(in.Text(), "pid "))
			if err != nil || !alive(plugin) {
				t.Fatalf("no plugin: %q", in.Text())
			}
			before := names(t, dir)
			agent.Process.Kill()
			agent.Wait()
			waitGone(t, plugin)
			h := newHost(t, host.Options{TempDir: dir})
			after := names(t, dir)
			if len(before) != 6 || len(after) != 6 || slices.Equal(before, after) {
				t.Errorf("%q became %q", before, after)
			}
			if _, err := os.Stat(filepath.Join(outside, "keep")); err != nil {
				t.Error(err)
			}
			h.Close()
			if now := names(t, dir); len(now) != 5 {
				t.Errorf("after Close: %q", now)
			}
		})
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// Host.Close leaves no process, no goroutine and no file.
func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	h := newHost(t, host.Options{TempDir: dir})
	before := goroutines()
	d := shared(t, h, "lab")
	o := own(t, h, "lab")
	pids := []int{pid(t, d), pid(t, o)}
	for _, what := range []string{"cli", "open", "crash-once", "error"} {
		d.Identify(t.Context(), doing(what))
	}
	h.Shared(t.Context(), "junk")
	var wg sync.WaitGroup
	arrived := make(chan struct{})
	wg.Go(func() {
		_, err := d.Identify(t.Context(), &device{run: func(ctx context.Context, _ plugins.Command) (plugins.Output, error) {
			close(arrived)
			<-ctx.Done()
			return plugins.Output{}, ctx.Err()
		}})
		if !errors.Is(err, host.ErrPlugin) {
			t.Errorf("a call in flight: %v", err)
		}
	})
	<-arrived
	h.Close()
	wg.Wait()
	for _, p := range pids {
		waitGone(t, p)
	}
	eventually(t, "goroutines stay", func() bool { return goroutines() <= before })
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("files stay: %v", left)
	}
	if _, err := d.Identify(t.Context(), &device{}); !errors.Is(err, host.ErrPlugin) {
		t.Errorf("after Close: %v", err)
	}
}
