package host_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
)

// buildExample builds the third-party plugin, which lives in a module of its
// own, into dir. Its go.mod is used as it stands and not written to.
func buildExample(t *testing.T, dir string) {
	t.Helper()
	src, err := filepath.Abs("../../e2e/testdata/plugin-example")
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	for _, f := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(src, f))
		if err == nil {
			err = os.WriteFile(filepath.Join(tmp, f), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-modfile", filepath.Join(tmp, "go.mod"), "-o", filepath.Join(dir, "cfgvault-plugin-brook"), ".")
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the third-party plugin: %v\n%s", err, out)
	}
}

// brookSwitch is a Brook switch with one candidate.
type brookSwitch struct {
	mu                          sync.Mutex
	running, candidate, startup string
	state                       plugins.State
}

func (b *brookSwitch) run(_ context.Context, c plugins.Command) (plugins.Output, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	answer := func(text string, exit int) (plugins.Output, error) {
		return plugins.Output{Stdout: []byte(text), Exit: &exit, End: plugins.EndStatus}, nil
	}
	words := strings.Fields(c.Text)
	switch strings.Join(words[:2], " ") {
	case "show identity":
		return answer("Brook\nB-48\nBR0001\n7.1\n", 0)
	case "show configuration":
		return answer(b.running, 0)
	case "candidate load":
		if strings.Contains(string(c.Input), "nonsense") {
			return answer("line 2: nonsense\n", 1)
		}
		b.candidate, b.state = string(c.Input), plugins.StateStaged
	case "candidate compare":
		return answer("-"+b.running+"+"+b.candidate, 0)
	case "candidate commit":
		if words[3] != "120" {
			return answer("how long?", 1)
		}
		b.running, b.candidate, b.state = b.candidate, b.running, plugins.StatePending
	case "candidate confirm":
		b.startup, b.state = b.running, plugins.StateConfirmed
	case "candidate discard":
		b.candidate, b.state = "", plugins.StateNone
	case "candidate status":
		if b.state == plugins.StatePending {
			return answer("pending 77\n", 0)
		}
		return answer(string(b.state), 0)
	}
	return answer("", 0)
}

// A plugin that is built apart from cfgvault, pinned and used: the wire and
// the vendor's interface stand still or this test says so.
func TestThirdPartyPlugin(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	buildExample(t, dir)
	lock := filepath.Join(home, "plugins.lock")
	h := newHost(t, host.Options{Dir: dir, Lock: lock})
	ctx := t.Context()
	if names := strings.Join(h.Names(), " "); !strings.Contains(names, "brook") {
		t.Errorf("Names: %s", names)
	}
	binary := filepath.Join(dir, "cfgvault-plugin-brook")

	_, err := h.Info(ctx, "brook")
	if !errors.Is(err, host.ErrPinned) || !strings.Contains(err.Error(), binary) || !strings.Contains(err.Error(), "cfgvault plugin trust brook") {
		t.Errorf("before it is pinned: %v", err)
	}
	if err := pin(dir, lock, "brook"); err != nil {
		t.Fatal(err)
	}
	info, err := h.Info(ctx, "brook")
	if err != nil || info.Vendor != "Brook" || !info.Can(plugins.CapRestore) || info.Can(plugins.CapRender) {
		t.Fatalf("%+v, %v", info, err)
	}

	b := &brookSwitch{running: "set system name a\nset interface e1 up\n! end\n", state: plugins.StateNone}
	s := &device{id: "s", run: b.run}
	d := own(t, h, "brook")
	facts, err := d.Identify(ctx, s)
	if err != nil || facts.Serials[0] != "BR0001" {
		t.Fatalf("%+v, %v", facts, err)
	}
	e, err := d.Export(ctx, s)
	if err != nil || e.Verdict != plugins.Complete || string(e.Artefacts[0].Data) != b.running {
		t.Fatalf("%+v, %v", e, err)
	}
	n, err := d.Normalize(ctx, facts, e.Artefacts)
	if err != nil || string(n.Tree) != `{"cfgvault-system:system":{"hostname":"a"}}` || len(n.Residual) != 2 || n.Coverage[0].Lines[plugins.Mapped] != 1 {
		t.Fatalf("%s %+v, %v", n.Tree, n, err)
	}
	want, _, err := d.Adapt(ctx, e.Artefacts, facts, facts, plugins.InterfaceMap{"e1": "e2"})
	if err != nil {
		t.Fatal(err)
	}
	new := "set system name a\nset interface e2 up\n! end\n"
	diff, err := d.Stage(ctx, s, "c1", want)
	if err != nil || diff.Text != "-"+b.running+"+"+new {
		t.Fatalf("%+v, %v", diff, err)
	}
	if err := d.Commit(ctx, s, "c1", 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	if st, left, err := d.Status(ctx, s, "c1"); err != nil || st != plugins.StatePending || left != 77*time.Second {
		t.Errorf("%v %v %v", st, left, err)
	}
	if err := d.Confirm(ctx, s, "c1"); err != nil || b.startup != new {
		t.Errorf("%v, startup %q", err, b.startup)
	}
	if err := d.Discard(ctx, s, "c1"); err != nil {
		t.Error(err)
	}
	_, err = d.Stage(ctx, s, "c2", []plugins.Artefact{{Name: "configuration", Data: []byte("set x\nnonsense\n")}})
	if r, ok := errors.AsType[*plugins.RejectedError](err); !ok || r.Line != 2 || r.Text != "line 2: nonsense\n" {
		t.Errorf("got %v", err)
	}
	if _, _, err := d.Render(ctx, nil, facts); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}

	// Started by hand it says what it is and what to do with it.
	out, err := exec.Command(binary).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), "cfgvault plugin trust brook") {
		t.Errorf("by hand: %v\n%s", err, out)
	}

	// Another file under the same name is refused; what runs goes on.
	f, err := os.OpenFile(binary, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err) // "text file busy" would mean that the file itself runs
	}
	f.Write([]byte{0})
	f.Close()
	if _, err := h.Own(ctx, "brook"); !errors.Is(err, host.ErrPinned) || !strings.Contains(err.Error(), "somebody else did") {
		t.Errorf("a changed file: %v", err)
	}
	if _, err := d.Identify(ctx, s); err != nil {
		t.Errorf("the process that was verified: %v", err)
	}
	if err := pin(dir, lock, "brook"); err != nil {
		t.Fatal(err)
	}
	if d2, err := h.Own(ctx, "brook"); err != nil {
		t.Errorf("pinned anew: %v", err)
	} else {
		d2.Close()
	}
}

// A plugin need not be an ELF file: a script is run by its interpreter, from
// the verified bytes.
func TestScriptPlugin(t *testing.T) {
	dir := t.TempDir()
	lock := filepath.Join(dir, "plugins.lock")
	script := "#!/bin/sh\ncat \"$0\" >&2\necho 'not the protocol'\n"
	if err := os.WriteFile(filepath.Join(dir, "cfgvault-plugin-sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, host.Options{Dir: dir, Lock: lock})
	if err := pin(dir, lock, "sh"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Info(t.Context(), "sh"); !errors.Is(err, host.ErrPlugin) || !strings.Contains(err.Error(), `wrote "not the protocol"`) {
		t.Errorf("got %v", err)
	}
}

func TestLock(t *testing.T) {
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("#!/bin/sh\n")))
	tests := []struct {
		name, lock string
		mode       os.FileMode
		want       string // of the error; "" for one from beyond the pins
	}{
		{"none", "", 0, "is not in"},
		{"good", sum + "  cfgvault-plugin-x\n", 0o600, ""},
		{"good with comment", "# mine\n\n" + sum + " *cfgvault-plugin-x\n", 0o600, ""},
		{"other hash", strings.Repeat("0", 64) + "  cfgvault-plugin-x\n", 0o600, "says 0000"},
		{"other name", sum + "  cfgvault-plugin-y\n", 0o600, "is not in"},
		{"group may write", sum + "  cfgvault-plugin-x\n", 0o660, "can be written by others"},
		{"short", "abcd  cfgvault-plugin-x\n", 0o600, "line 1: want a SHA-256"},
		{"no name", sum + "\n", 0o600, "line 1"},
		{"twice", sum + "  cfgvault-plugin-x\n" + sum + "  cfgvault-plugin-x\n", 0o600, "line 2: cfgvault-plugin-x is pinned twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			lock := filepath.Join(dir, "plugins.lock")
			if err := os.WriteFile(filepath.Join(dir, "cfgvault-plugin-x"), []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			if tt.lock != "" {
				if err := os.WriteFile(lock, []byte(tt.lock), tt.mode); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(lock, tt.mode); err != nil {
					t.Fatal(err)
				}
			}
			_, err := newHost(t, host.Options{Dir: dir, Lock: lock}).Info(t.Context(), "x")
			if tt.want == "" && (!errors.Is(err, host.ErrPlugin) || errors.Is(err, host.ErrPinned)) {
				t.Errorf("got %v", err)
			}
			if tt.want != "" && (!errors.Is(err, host.ErrPinned) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Pins that are made at once are all kept, and sha256sum agrees with them.
func TestPin(t *testing.T) {
	dir := t.TempDir()
	lock := filepath.Join(dir, "plugins.lock")
	var wg sync.WaitGroup
	for i := range 10 {
		name := fmt.Sprintf("d%d", i)
		if err := os.WriteFile(filepath.Join(dir, "cfgvault-plugin-"+name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := pin(dir, lock, name); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	cmd := exec.Command("sha256sum", "--strict", "-c", lock)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), ": OK") != 10 {
		t.Errorf("%v\n%s", err, out)
	}
	if st, err := os.Stat(lock); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".plugins.lock*")); len(left) > 0 {
		t.Errorf("files stay: %v", left)
	}
	for _, name := range []string{"absent", "../d1", ""} {
		if err := pin(dir, lock, name); !errors.Is(err, host.ErrUnknownDriver) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// pin pins an executable whatever it is.
func pin(dir, lock, name string) error {
	_, err := host.Pin(dir, "", lock, name, func(string, []byte) error { return nil })
	return err
}

// A user's profile is pinned as an executable is: refused before, and after it
// was changed.
func TestProfilePinned(t *testing.T) {
	dir, lock := t.TempDir(), filepath.Join(t.TempDir(), "plugins.lock")
	file := filepath.Join(dir, "acme.yaml")
	if err := os.WriteFile(file, []byte("name: acme\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Options{Profiles: dir, Lock: lock})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if names := h.Names(); !slices.Equal(names, []string{"acme"}) {
		t.Errorf("names: %v", names)
	}
	if _, err := h.Info(t.Context(), "acme"); !errors.Is(err, host.ErrPinned) || !strings.Contains(err.Error(), "plugin trust acme") {
		t.Errorf("not pinned: %v", err)
	}
	refused := errors.New("bad profile")
	if _, err := host.Pin("", dir, lock, "acme", func(path string, data []byte) error {
		if path != file || string(data) != "name: acme\n" {
			t.Errorf("checked %s: %q", path, data)
		}
		return refused
	}); !errors.Is(err, refused) {
		t.Errorf("a refused profile: %v", err)
	}
	if _, err := host.Pin("", dir, lock, "acme", func(string, []byte) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("name: acme # changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Info(t.Context(), "acme"); !errors.Is(err, host.ErrPinned) || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("changed: %v", err)
	}
}
