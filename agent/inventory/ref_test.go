package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/agent/inventory"
)

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("INVENTORY_TEST_PW", canary)
	t.Setenv("INVENTORY_TEST_EMPTY", "")
	t.Setenv("HOME", dir)
	pem := "-----BEGIN X-----\nabc\n-----END X-----\n"
	tests := []struct {
		name string
		ref  inventory.Ref
		want string
		err  string // part of the error; empty: none
	}{
		{"env", inventory.Ref{Env: "INVENTORY_TEST_PW"}, canary, ""},
		{"env not set", inventory.Ref{Env: "INVENTORY_TEST_NOT"}, "", "env INVENTORY_TEST_NOT: it is not set"},
		{"env empty", inventory.Ref{Env: "INVENTORY_TEST_EMPTY"}, "", "it is empty"},
		{"file", inventory.Ref{File: file("a", canary+"\n", 0o600)}, canary, ""},
		{"file, one newline only", inventory.Ref{File: file("b", canary+"\n\n", 0o400)}, canary + "\n", ""},
		{"file, CR LF", inventory.Ref{File: file("c", canary+"\r\n", 0o600)}, canary, ""},
		{"file of several lines", inventory.Ref{File: file("d", pem, 0o600)}, strings.TrimSuffix(pem, "\n"), ""},
		{"file below home", inventory.Ref{File: "~/a"}, canary, ""},
		{"file readable by all", inventory.Ref{File: file("e", canary, 0o644)}, "", "permissions are 0644, others may use it: chmod 600"},
		{"file writable by the group", inventory.Ref{File: file("f", canary, 0o620)}, "", "permissions are 0620"},
		{"file not there", inventory.Ref{File: filepath.Join(dir, "none")}, "", "cannot read it: no such file"},
		{"file empty", inventory.Ref{File: file("g", "\n", 0o600)}, "", "it is empty"},
		{"file too large", inventory.Ref{File: file("h", strings.Repeat("x", 64<<10+1), 0o600)}, "", "more than 64 KiB"},
		{"a folder", inventory.Ref{File: dir}, "", "not a regular file"},
		{"a pipe nobody writes to", inventory.Ref{File: fifo}, "", "not a regular file"},
		{"command", inventory.Ref{Command: "printf '%s\\n' " + canary}, canary, ""},
		{"command sees no shell", inventory.Ref{Command: `printf %s '$HOME;*'`}, "$HOME;*", ""},
		{"command fails", inventory.Ref{Command: "sh -c 'echo " + canary + " >&2; echo " + canary + "; exit 3'"}, "", "command sh: run it by hand to see why: exit status 3"},
		{"command not there", inventory.Ref{Command: "inventory-test-no-such-program x"}, "", "executable file not found"},
		{"command prints too much", inventory.Ref{Command: "yes " + canary}, "", "more than 64 KiB"},
		{"command prints nothing", inventory.Ref{Command: "true"}, "", "it is empty"},
		{"command has no input", inventory.Ref{Command: "sh -c 'cat; echo end'"}, "end", ""},
		{"nothing", inventory.Ref{}, "", "nothing to look up"},
		{"two", inventory.Ref{Env: "A", File: "B"}, "", "exactly one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.ref.Resolve(t.Context())
			if tt.err == "" {
				if err != nil || got.Reveal() != tt.want {
					t.Errorf("got %d bytes, %v", len(got.Reveal()), err)
				}
				return
			}
			if !errors.Is(err, inventory.ErrConfig) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %s", err, tt.err)
			}
			if strings.Contains(err.Error(), canary) || strings.Contains(fmt.Sprintf("%+v %#v", got, got), canary) {
				t.Error("the error or the value shows the secret")
			}
			if tt.name != "two" && !errors.Is(err, inventory.ErrCredential) {
				t.Errorf("not an ErrCredential: %v", err)
			}
		})
	}
}

// References of a device begin at the folder of the file and know the device.
func TestResolveOfADevice(t *testing.T) {
	path := write(t, "groups:\n  g: {driver: x, auth: {password: {command: \"sh -c 'echo $CFGVAULT_DEVICE $(cat extra)'\"}}, enable: {file: extra}}\ndevices:\n  d1: {id: 00000000000000000000000000000001, address: h, groups: [g]}\n  d2: {id: 00000000000000000000000000000002, address: h, groups: [g]}\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "extra"), []byte("e\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inv := load(t, path)
	if _, err := inv.Add(inventory.Device{Name: "d3", Address: "h", Groups: []string{"g"}}); err != nil {
		t.Fatal(err)
	}
	if err := inv.Rename("d2", "d4"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d1", "d3", "d4"} {
		d, err := inv.Device(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.Auth.Password.Resolve(t.Context()); err != nil || got.Reveal() != name+" e" {
			t.Errorf("%s: %q, %v", name, got.Reveal(), err)
		}
		if got, err := d.Enable.Resolve(t.Context()); err != nil || got.Reveal() != "e" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A command that hangs is ended with everything that it started.
func TestResolveIsBounded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fifo := filepath.Join(t.TempDir(), "pid")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	pids := make(chan int, 1)
	go func() { // the command runs once it has written what it started
		raw, err := os.ReadFile(fifo)
		var pid int
		if _, serr := fmt.Sscan(string(raw), &pid); err != nil || serr != nil {
			t.Errorf("%v %v", err, serr)
		}
		pids <- pid
		cancel()
	}()
	start := time.Now()
	_, err := inventory.Ref{Command: "sh -c 'sleep 600 & echo $! > " + fifo + "; wait'"}.Resolve(ctx)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, inventory.ErrCredential) {
		t.Errorf("got %v", err)
	}
	// Killed, it is gone or a zombie that nobody has reaped yet.
	for pid := <-pids; ; {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") || strings.Contains(string(stat), ") X ") {
			break
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("what the command started still runs: %s", stat)
		}
	}
}

func TestSplitCommand(t *testing.T) {
	tests := []struct {
		in   string
		want []string // nil: an error
	}{
		{"pass show net", []string{"pass", "show", "net"}},
		{`pass  "a b"	'c "d'`, []string{"pass", "a b", `c "d`}},
		{`a "b\"c\\d\e"`, []string{"a", `b"c\d\e`}},
		{`a ''`, []string{"a", ""}},
		{`a x'y'z`, []string{"a", "xyz"}},
		{`a b#c --x=~y`, []string{"a", "b#c", "--x=~y"}},
		{"", nil}, {"  ", nil}, {"''", nil}, {"a 'b", nil}, {`a "b`, nil}, {"a | b", nil}, {"a; b", nil}, {"a $B", nil}, {`a "$B"`, nil},
		{"a `b`", nil}, {"a > b", nil}, {"a *", nil}, {"a ~/b", nil}, {"a # b", nil}, {"a & ", nil}, {`a \b`, nil}, {"a {b,c}", nil},
	}
	for _, tt := range tests {
		got, err := inventory.SplitCommand(tt.in)
		if tt.want == nil && !errors.Is(err, inventory.ErrConfig) || tt.want != nil && !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, %v", tt.in, got, err)
		}
	}
}
