package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Environment of the child process that TestKilledAtEveryStep kills.
const (
	envCrashDir = "CFGVAULT_TEST_CRASH_DIR"
	envCrashAt  = "CFGVAULT_TEST_CRASH_AT"
)

// files is a store of plain files, enough for a child that dies: the page
// cache survives it.
type files string

func (s files) Put(_ context.Context, key string, data []byte) error {
	path := filepath.Join(string(s), key)
	if old, err := os.ReadFile(path); err == nil {
		if slices.Equal(old, data) {
			return nil
		}
		return fs.ErrExist
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func (s files) Get(_ context.Context, key string, limit int64) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(s), key))
	if err == nil && int64(len(data)) > limit {
		return nil, ErrTooLarge
	}
	return data, err
}

func (s files) List(_ context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		var keys []string
		_ = filepath.WalkDir(string(s), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && !strings.HasPrefix(d.Name(), ".") {
				if key, err := filepath.Rel(string(s), path); err == nil && strings.HasPrefix(key, prefix) {
					keys = append(keys, key)
				}
			}
			return nil
		})
		slices.Sort(keys)
		for _, k := range keys {
			if !yield(Object{Key: k}, nil) {
				return
			}
		}
	}
}

// crashRun is one night: two devices changed, one unchanged. It tells what it
// was told: "put <object>" and "closed".
func crashRun(ctx context.Context, v *Vault, text string, told io.Writer) error {
	r, err := v.Begin(ctx, RunOptions{})
	if err != nil {
		return err
	}
	for _, d := range []string{"dev-a", "dev-b"} {
		s := &Snapshot{Device: d, Verdict: Complete, Digest: v.Digest([]byte(text)), Files: []File{{Name: "f", Kind: Native, Data: []byte(text)}}}
		e, err := r.Put(ctx, s)
		if err != nil {
			return err
		}
		fmt.Fprintln(told, "put", e.Object)
	}
	if _, ok := v.State("dev-c"); ok {
		if err := r.Seen("dev-c", nil); err != nil {
			return err
		}
	}
	if err := r.Close(ctx); err != nil {
		return err
	}
	fmt.Fprintln(told, "closed")
	return nil
}

// TestCrashChild is the child: it ends at the step that its environment names.
// In the parent it does nothing.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(envCrashDir)
	if dir == "" {
		return
	}
	at, err := strconv.Atoi(os.Getenv(envCrashAt))
	if err != nil {
		t.Fatal(err)
	}
	told, err := os.OpenFile(filepath.Join(dir, "told"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "home"), Store: files(filepath.Join(dir, "store"))})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	v.home.step = func(name string) {
		if n++; n == at {
			fmt.Fprintln(told, "killed", name)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if err := crashRun(t.Context(), v, "night", told); err != nil {
		t.Fatal(err)
	}
}

// TestKilledAtEveryStep kills a run at each step that lasts. Whatever was
// acknowledged must be restorable, and the next night must be a normal one.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	template := t.TempDir()
	c := Config{Dir: filepath.Join(template, "home"), Store: files(filepath.Join(template, "store"))}
	made, err := Create(t.Context(), c, CreateOptions{Classic: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Begin(t.Context(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Put(t.Context(), &Snapshot{Device: "dev-c", Verdict: Complete, Files: []File{{Name: "f", Kind: Native, Data: []byte("c")}}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for at := 1; ; at++ {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
		cmd.Env = append(os.Environ(), envCrashDir+"="+dir, envCrashAt+"="+strconv.Itoa(at))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		switch {
		case err == nil:
			steps = at - 1
		case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		default:
			t.Fatalf("step %d: %v\n%s", at, err, out)
		}
		afterCrash(t, dir, made.Identity)
		if steps > 0 {
			break
		}
	}
	if steps < 20 {
		t.Fatalf("only %d steps: the hooks are gone", steps)
	}
	t.Logf("killed at each of %d steps", steps)
}

func afterCrash(t *testing.T, dir, identity string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "told"))
	if err != nil {
		t.Fatal(err)
	}
	told := string(data)
	fail := func(format string, a ...any) {
		t.Helper()
		t.Errorf("%s\nwas told:\n%s", fmt.Sprintf(format, a...), told)
	}
	v, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "home"), Store: files(filepath.Join(dir, "store"))})
	if err != nil {
		fail("open: %v", err)
		return
	}
	// What a reader sees right after the crash is whole.
	x, err := v.Index(t.Context())
	if err != nil {
		fail("index after the crash: %v", err)
		return
	}
	if strings.Contains(told, "closed") && len(x.Snapshots("dev-a")) != 1 {
		fail("a closed run is not in the index")
	}
	if err := crashRun(t.Context(), v, "next night", io.Discard); err != nil {
		fail("next night: %v", err)
		return
	}
	if x, err = v.Index(t.Context()); err != nil {
		fail("index: %v", err)
		return
	}
	ids, err := ParseIdentities([]byte(identity), nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, d := range []string{"dev-a", "dev-b", "dev-c"} {
		for _, e := range x.Snapshots(d) {
			if _, err := v.Fetch(t.Context(), e, ids); err != nil {
				fail("fetch %s: %v", e.Object, err)
			}
			found[e.Object] = true
		}
		st, ok := v.State(d)
		if list := x.Snapshots(d); !ok || len(list) == 0 || list[len(list)-1].Object != st.Entry.Object {
			fail("state of %s is not the newest recorded snapshot", d)
		}
		if seen, ok := x.LastSeen(d); !ok || time.Since(seen) > time.Minute {
			fail("%s was not seen", d)
		}
	}
	for line := range strings.Lines(told) {
		if object, ok := strings.CutPrefix(strings.TrimSpace(line), "put "); ok && !found[object] {
			fail("%s was put and is lost", object)
		}
	}
	if boxes, err := os.ReadDir(filepath.Join(dir, "home", dirOutbox)); err != nil || len(boxes) > 0 {
		fail("outbox: %v, %v", boxes, err)
	}
}
