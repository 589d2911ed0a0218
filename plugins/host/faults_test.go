package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
)

// A plugin that does not start as it must fails with an error that names the
// driver and says what to do, and does not take the host with it.
func TestStart(t *testing.T) {
	h := newHost(t, host.Options{})
	impatient := newHost(t, host.Options{StartTimeout: time.Second})
	tests := []struct{ name, want string }{
		{"junk", `driver junk wrote "Welcome to ACME\x1b[2J driver!" to standard output where the protocol's first line must be; a plugin prints to standard error`},
		{"junk-long", `driver junk-long wrote "xxxxxxx`},
		{"old", `driver old speaks version "99" of the plugin protocol and this cfgvault speaks 1: install a version of the plugin that fits`},
		{"netrpc", `driver netrpc speaks "netrpc" and not gRPC`},
		{"elsewhere", `does not listen on a unix socket in the directory that it was given`},
		{"exit", `driver exit ended before it was ready (exit status 3): run "cfgvault plugin serve exit" by hand to see why`},
		{"silent", `driver silent did not answer within 1s of its start: run "cfgvault plugin serve silent" by hand`},
		{"deaf", `driver deaf did not answer within 1s of its start`},
		{"strange-power", `driver strange-power describes itself wrongly: unusable Info: the capability "teleport" is not known to this cfgvault`},
		{"misnamed", `it calls itself "other"`},
		{"bad-pattern", `prompt: error parsing regexp`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := h
			if tt.name == "silent" || tt.name == "deaf" {
				h = impatient
			}
			_, err := h.Shared(t.Context(), tt.name)
			if !errors.Is(err, host.ErrPlugin) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
	t.Run("then a good one", func(t *testing.T) {
		if _, err := shared(t, h, "lab").Identify(t.Context(), &device{}); err != nil {
			t.Error(err)
		}
	})
}

func TestStartHeedsTheCaller(t *testing.T) {
	h := newHost(t, host.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := h.Own(ctx, "silent")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

func TestUnknownDriver(t *testing.T) {
	h := newHost(t, host.Options{})
	for _, name := range []string{"nope", "", "../lab", "LAB"} {
		if _, err := h.Info(t.Context(), name); !errors.Is(err, host.ErrUnknownDriver) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestUnlistedPowersAreRefusedWithoutACall(t *testing.T) {
	d := shared(t, newHost(t, host.Options{}), "reader")
	s := doing("crash")
	_, errStage := d.Stage(t.Context(), s, "c", nil)
	_, _, errStatus := d.Status(t.Context(), s, "c")
	_, _, errAdapt := d.Adapt(t.Context(), nil, plugins.Facts{}, plugins.Facts{}, nil)
	_, _, errRender := d.Render(t.Context(), nil, plugins.Facts{})
	for i, err := range []error{errStage, errStatus, errAdapt, errRender, d.Commit(t.Context(), s, "c", 0), d.Confirm(t.Context(), s, "c"),
		d.Discard(t.Context(), s, "c"), d.FactoryReset(t.Context(), s, "c")} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// onceCrashing tells the driver to crash the first time that it asks.
func onceCrashing() *device {
	var asked atomic.Int32
	return &device{options: map[string]string{"do": "crash-once"}, run: func(_ context.Context, c plugins.Command) (plugins.Output, error) {
		if c.Text == "crash?" && asked.Add(1) == 1 {
			return plugins.Output{Stdout: []byte("yes"), End: plugins.EndClosed}, nil
		}
		return plugins.Output{Stdout: []byte("fine"), End: plugins.EndClosed}, nil
	}}
}

// When a process crashes under one device, the reads of all devices on it are
// repeated once, each in a process of its own, and the next device gets a
// fresh one.
func TestCrashInExport(t *testing.T) {
	h := newHost(t, host.Options{})
	d := shared(t, h, "lab")
	arrived := make(chan struct{}, 16)
	release := make(chan struct{})
	var wg sync.WaitGroup
	others := make([]*device, 16)
	for i := range others {
		var n atomic.Int32
		s := &device{id: fmt.Sprint("other-", i)}
		s.run = func(ctx context.Context, c plugins.Command) (plugins.Output, error) {
			if n.Add(1) == 1 {
				arrived <- struct{}{}
				select {
				case <-release:
				case <-ctx.Done():
					return plugins.Output{}, ctx.Err()
				}
			}
			return plugins.Output{Stdout: []byte("config"), End: plugins.EndClosed}, nil
		}
		others[i] = s
		wg.Go(func() {
			e, err := d.Export(t.Context(), s)
			if err != nil || string(e.Artefacts[0].Data) != "config" {
				t.Errorf("another device suffered: %v", err)
			}
		})
	}
	for range others {
		<-arrived
	}
	e, err := d.Export(t.Context(), onceCrashing())
	if err != nil || string(e.Artefacts[0].Data) != "fine" {
		t.Errorf("the crashing device: %v", err)
	}
	close(release)
	wg.Wait()
	for _, s := range others {
		if n := s.count("show run"); n != 2 {
			t.Errorf("%s was read %d times, want twice", s.id, n)
		}
	}
	// One that always crashes is not tried for ever.
	s := doing("crash")
	if _, err := d.Identify(t.Context(), s); !errors.Is(err, host.ErrPlugin) || !strings.Contains(err.Error(), "driver lab ended during Identify: signal: killed") {
		t.Errorf("got %v", err)
	}
	if _, err := d.Normalize(t.Context(), plugins.Facts{Model: "crash"}, nil); !errors.Is(err, host.ErrPlugin) || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("got %v", err)
	}
	if _, err := d.Identify(t.Context(), &device{}); err != nil {
		t.Errorf("the next device: %v", err)
	}
}

func TestCrashInCommitIsNotRepeated(t *testing.T) {
	d := own(t, newHost(t, host.Options{}), "lab")
	s := &device{options: map[string]string{"do": ""}}
	if _, err := d.Stage(t.Context(), s, "c", []plugins.Artefact{{Name: "a"}}); err != nil {
		t.Fatal(err)
	}
	bad := doing("crash")
	err := d.Commit(t.Context(), bad, "c", 90*time.Second)
	if !errors.Is(err, host.ErrPlugin) || bad.count("commit c") != 1 {
		t.Errorf("%d commits: %v", bad.count("commit c"), err)
	}
	// What needs no memory of Stage goes on in a fresh process; Commit does not.
	if st, _, err := d.Status(t.Context(), s, "c"); err != nil || st != plugins.StatePending {
		t.Errorf("Status after the crash: %v %v", st, err)
	}
	if err := d.Commit(t.Context(), s, "c", 90*time.Second); !errors.Is(err, host.ErrPlugin) || s.count("commit c") != 0 {
		t.Errorf("a commit without its stage: %v", err)
	}
}

func TestPanicEndsOneCall(t *testing.T) {
	var log syncBuffer
	h := newHost(t, host.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	d := shared(t, h, "lab")
	_, err := d.Export(t.Context(), doing("panic"))
	if !errors.Is(err, host.ErrPlugin) || !strings.Contains(err.Error(), "the driver panicked") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	if _, err := d.Export(t.Context(), &device{}); err != nil {
		t.Error(err)
	}
	if out := log.String(); strings.Contains(out, "canary") {
		t.Errorf("the log above debug shows what the plugin printed:\n%s", out)
	}
}

// A call that heeds its deadline gives a context error and leaves the process
// alone; one that does not gives ErrPlugin and costs the process, but not the
// calls of other devices on it.
func TestDeadline(t *testing.T) {
	h := newHost(t, host.Options{Grace: time.Second})
	d := shared(t, h, "lab")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := d.Identify(ctx, doing("wait")); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, host.ErrPlugin) {
		t.Errorf("a driver that heeds its deadline: %v", err)
	}
	cancelled, stop := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, stop)
	if _, err := d.Identify(cancelled, doing("wait")); !errors.Is(err, context.Canceled) || errors.Is(err, host.ErrPlugin) {
		t.Errorf("a driver that heeds a cancel: %v", err)
	}
	first := pid(t, d)

	// Another device is in the middle of something on the same process.
	arrived, release := make(chan struct{}), make(chan struct{})
	other := &device{run: func(context.Context, plugins.Command) (plugins.Output, error) {
		close(arrived)
		<-release
		return plugins.Output{Stdout: []byte("late"), End: plugins.EndClosed}, nil
	}}
	var wg sync.WaitGroup
	wg.Go(func() {
		if f, err := d.Identify(t.Context(), other); err != nil || f.Model != "late" {
			t.Errorf("the other device: %v", err)
		}
	})
	<-arrived
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := d.Identify(ctx, doing("hang"))
	if !errors.Is(err, host.ErrPlugin) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Identify did not return within 1s of its deadline") {
		t.Errorf("got %v", err)
	}
	if next := pid(t, d); next == first {
		t.Error("the hanging process is still used")
	}
	if !alive(first) {
		t.Error("the process was killed under the other device")
	}
	close(release)
	wg.Wait()
	waitGone(t, first)
}

func TestMemoryLimit(t *testing.T) {
	h := newHost(t, host.Options{MemoryLimit: 96 << 20, ReadRetries: -1})
	_, err := shared(t, h, "lab").Export(t.Context(), doing("eat"))
	if !errors.Is(err, host.ErrPlugin) || !strings.Contains(err.Error(), "more than its limit of 96 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	d := shared(t, newHost(t, host.Options{}), "lab")
	call := func(code string) error {
		_, err := d.Identify(t.Context(), &device{options: map[string]string{"do": "error", "error": code}})
		return err
	}
	for code, sentinel := range plugins.Codes() {
		err := call(code)
		if err == nil || err.Error() != sample(code).Error() {
			t.Errorf("%s: got %v", code, err)
		}
		for other, s := range plugins.Codes() {
			if is := errors.Is(err, s); is != (s == sentinel) {
				t.Errorf("%s: errors.Is with %s is %v", code, other, is)
			}
		}
	}
	if err := call("two"); !errors.Is(err, plugins.ErrSessionLost) || !errors.Is(err, plugins.ErrBusy) {
		t.Errorf("two: %v", err)
	}
	r, ok := errors.AsType[*plugins.RejectedError](call("rejected-at"))
	if !ok || *r != (plugins.RejectedError{Artefact: "running-config", Line: 7, Text: "% bad \xff word"}) || !errors.Is(r, plugins.ErrRejected) {
		t.Errorf("rejected: %+v", r)
	}
	if err := call("rejected-at"); err.Error() != sample("rejected-at").Error() || !errors.Is(err, plugins.ErrRejected) {
		t.Errorf("rejected: %v", err)
	}
	if err := call("plain"); err.Error() != "caf\xe9 is closed" {
		t.Errorf("plain: %q", err)
	}
	if err := call("long"); len(err.Error()) > 5000 || !strings.HasPrefix(err.Error(), "xxxx") {
		t.Errorf("long: %d bytes", len(err.Error()))
	}
	// And the other way: what the agent's session says reaches the driver.
	for code, sentinel := range plugins.Codes() {
		_, err := d.Export(t.Context(), &device{run: func(context.Context, plugins.Command) (plugins.Output, error) {
			return plugins.Output{}, sample(code)
		}})
		if !errors.Is(err, sentinel) || err.Error() != sample(code).Error() {
			t.Errorf("%s through both: %v", code, err)
		}
	}
}

// 64 MiB pass as an artefact out and in, as a tree, as an output and as an
// input, within the memory that a plugin is given.
func TestLarge(t *testing.T) {
	big := bytes.Repeat([]byte("interface Ethernet1\n"), 64<<20/20)
	h := newHost(t, host.Options{MemoryLimit: largeLimit})
	d := own(t, h, "lab")
	s := &device{run: func(context.Context, plugins.Command) (plugins.Output, error) {
		return plugins.Output{Stdout: big, End: plugins.EndClosed}, nil
	}}
	e, err := d.Export(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(e.Artefacts[0].Data, big) {
		t.Error("the artefact was changed on the way out")
	}
	n, err := d.Normalize(t.Context(), plugins.Facts{}, e.Artefacts)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(n.Tree, big) {
		t.Error("the tree was changed")
	}
	diff, err := d.Stage(t.Context(), &device{}, "c", e.Artefacts)
	if err != nil {
		t.Fatal(err)
	}
	if diff.Text != string(big) {
		t.Error("the artefact was changed on the way in")
	}
	if _, err := d.Identify(t.Context(), doing("input")); err != nil {
		t.Errorf("a large input: %v", err)
	}
	if _, err := d.Export(t.Context(), doing("huge")); !errors.Is(err, plugins.ErrTooLarge) {
		t.Errorf("257 MiB: %v", err)
	}
}

func TestWhatAPluginSees(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	h := newHost(t, host.Options{})
	_, err := shared(t, h, "lab").Identify(t.Context(), doing("look"))
	out := err.Error()
	for _, want := range []string{"env=[]\n", `stdin="" err=<nil> link=/dev/null`, "pgrp=true\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	// The environment at its start, before the kit cleared it.
	for _, line := range strings.Split(out, "\n") {
		name, ok := strings.CutPrefix(line, "raw=")
		if ok && !strings.HasPrefix(name, "PLUGIN_") && name != "CFGVAULT_PLUGIN" && name != "GOMEMLIMIT" {
			t.Errorf("the process was started with %s", name)
		}
	}
	if strings.Contains(out, "canary") || strings.Contains(out, "AWS") {
		t.Error("the agent's environment reached the plugin")
	}
}

func TestOutputGoesToTheDebugLogOnly(t *testing.T) {
	var debug, info syncBuffer
	for _, x := range []struct {
		b *syncBuffer
		l slog.Level
	}{{&debug, slog.LevelDebug}, {&info, slog.LevelInfo}} {
		h := newHost(t, host.Options{Log: slog.New(slog.NewTextHandler(x.b, &slog.HandlerOptions{Level: x.l}))})
		d := shared(t, h, "printing")
		if _, err := d.Identify(t.Context(), &device{}); err != nil {
			t.Fatal(err)
		}
		h.Close()
	}
	for _, want := range []string{"hello from before main", "a log line from the driver", "Info prints to standard output", "and so does a raw write"} {
		if !strings.Contains(debug.String(), want) {
			t.Errorf("no %q in the debug log:\n%s", want, debug.String())
		}
	}
	if info.String() != "" {
		t.Errorf("at info: %s", info.String())
	}
}

func TestManyDevicesAtOnce(t *testing.T) {
	h := newHost(t, host.Options{})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			d, err := h.Shared(t.Context(), "lab")
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			s := &device{id: fmt.Sprint("dev-", i), options: map[string]string{"do": []string{"", "open", "cli"}[i%3]}}
			s.run = func(_ context.Context, c plugins.Command) (plugins.Output, error) {
				return plugins.Output{Stdout: []byte(s.id + " " + c.Text), End: plugins.EndClosed}, nil
			}
			for range 5 {
				f, err := d.Identify(t.Context(), s)
				if err != nil || f.Hostname != s.id || f.Model != s.id+" show version" {
					t.Errorf("%s: %v %v", s.id, f, err)
				}
			}
		})
	}
	wg.Wait()
}

// A session that the agent took back is refused, also to a driver that kept it.
func TestReleasedSession(t *testing.T) {
	d := own(t, newHost(t, host.Options{}), "lab")
	s := &device{}
	if _, err := d.Stage(t.Context(), s, "c", []plugins.Artefact{{Name: "a"}}); err != nil {
		t.Fatal(err)
	}
	if err := d.Discard(t.Context(), &device{}, "c"); err != nil || s.count("discard") != 1 {
		t.Fatalf("the kept session does not work: %v", err)
	}
	d.Release(s)
	err := d.Discard(t.Context(), &device{}, "c")
	if !errors.Is(err, plugins.ErrSessionLost) || s.count("discard") != 1 {
		t.Errorf("after Release: %v", err)
	}
}

func pid(t *testing.T, d *host.Driver) int {
	t.Helper()
	_, err := d.Identify(t.Context(), doing("pid"))
	n, convErr := strconv.Atoi(strings.TrimPrefix(fmt.Sprint(err), "pid "))
	if convErr != nil {
		t.Fatalf("no pid: %v", err)
	}
	return n
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z'
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("process %d stays", pid), func() bool { return !alive(pid) })
}

// eventually polls for what another process does in its own time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func goroutines() int { return runtime.NumGoroutine() }
