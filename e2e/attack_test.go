package e2e

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// newSwitch starts a simulated switch and adds it to the inventory.
func (h *home) newSwitch(name string) *device.Device {
	h.t.Helper()
	d, err := simulate.New("eos", device.Options{Config: strings.Replace(simulate.Sample("eos"), "hostname ", "hostname "+name+"-", 1), User: "admin", Password: "switch-password"})
	if err != nil {
		h.t.Fatal(err)
	}
	addr, err := d.Listen("127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { d.Close() })
	h.must("device", "add", name, "--driver", "eos", "--address", addr.String(), "--user", "admin", "--password-file", h.secretFile(name+".pw", "switch-password"))
	h.must("device", "trust", name, "--yes")
	return d
}

func (h *home) object(key string) string { return filepath.Join(h.store, filepath.FromSlash(key)) }

// overwrite does what only somebody with the store in his hands can.
func overwrite(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Whoever holds the store can take things away and be noticed; he cannot make
// a restore take anything that the agent did not write for that device.
func TestAttacksOnTheStore(t *testing.T) {
	t.Parallel()
	base := newHome(t)
	a := base.newSwitch("a")
	base.newSwitch("b")
	base.must("backup", "--all")
	running := a.Running()
	yesterday := filepath.Join(t.TempDir(), "yesterday")
	copyTree(t, base.store, yesterday)
	base.must("backup", "--all", "--force")
	base.must("check", "--read-data")
	pristine := filepath.Join(t.TempDir(), "pristine")
	copyTree(t, base.store, pristine)
	snapA, snapB, oldA := base.latest("a"), base.latest("b"), base.list("a")[0]

	tests := []struct {
		name   string
		attack func(t *testing.T)
		code   int // of restore
		names  string
	}{
		{"one bit of the object", func(t *testing.T) {
			data := readFile(t, base.object(snapA.Object))
			data[len(data)/2] ^= 1
			overwrite(t, base.object(snapA.Object), data)
		}, 15, snapA.Object},
		{"object cut short", func(t *testing.T) {
			data := readFile(t, base.object(snapA.Object))
			overwrite(t, base.object(snapA.Object), data[:len(data)-100])
		}, 15, snapA.Object},
		{"object of another device", func(t *testing.T) {
			overwrite(t, base.object(snapA.Object), readFile(t, base.object(snapB.Object)))
		}, 15, snapA.Object},
		{"older object in place of the newest", func(t *testing.T) {
			overwrite(t, base.object(snapA.Object), readFile(t, base.object(oldA.Object)))
		}, 15, snapA.Object},
		{"object gone", func(t *testing.T) {
			if err := os.Remove(base.object(snapA.Object)); err != nil {
				t.Fatal(err)
			}
		}, 15, snapA.Object},
		{"a record gone", func(t *testing.T) {
			records := globRecords(t, base.store)
			if err := os.Remove(records[len(records)/2]); err != nil {
				t.Fatal(err)
			}
		}, 15, "runs/"},
		{"the newest record gone", func(t *testing.T) {
			records := globRecords(t, base.store)
			if err := os.Remove(records[len(records)-1]); err != nil {
				t.Fatal(err)
			}
		}, 15, "runs/"},
		{"a record changed", func(t *testing.T) {
			records := globRecords(t, base.store)
			data := readFile(t, records[1])
			data[len(data)/3] ^= 1
			overwrite(t, records[1], data)
		}, 0, ""}, // the home's own verified copy counts; check reads the store's
		{"the store of yesterday", func(t *testing.T) {
			if err := os.RemoveAll(base.store); err != nil {
				t.Fatal(err)
			}
			copyTree(t, yesterday, base.store)
		}, 15, ""},
		{"trust of a foreign vault", func(t *testing.T) {
			foreign := newHome(t)
			files, err := filepath.Glob(filepath.Join(foreign.store, "trust", "*"))
			if err != nil || len(files) == 0 {
				t.Fatal("no trust", err)
			}
			mine, err := filepath.Glob(filepath.Join(base.store, "trust", "*"))
			if err != nil || len(mine) == 0 {
				t.Fatal("no trust", err)
			}
			if err := os.Remove(mine[0]); err != nil {
				t.Fatal(err)
			}
			overwrite(t, filepath.Join(base.store, "trust", filepath.Base(files[0])), readFile(t, files[0]))
		}, 15, "trust/"},
		{"another vault altogether", func(t *testing.T) {
			foreign := newHome(t)
			if err := os.RemoveAll(base.store); err != nil {
				t.Fatal(err)
			}
			copyTree(t, foreign.store, base.store)
		}, 15, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.RemoveAll(base.store); err != nil {
				t.Fatal(err)
			}
			copyTree(t, pristine, base.store)
			tt.attack(t)
			a.FactoryReset()
			wiped := a.Running()
			r := base.want(tt.code, "restore", "a", "--yes")
			if !strings.Contains(r.err, tt.names) {
				t.Errorf("the error does not name %q: %s", tt.names, r.err)
			}
			if tt.code != 0 && a.Running() != wiped {
				t.Error("the device was changed")
			}
			base.want(15, "check", "--read-data")
		})
	}
	// With the store as it was, everything works again.
	if err := os.RemoveAll(base.store); err != nil {
		t.Fatal(err)
	}
	copyTree(t, pristine, base.store)
	base.must("check", "--read-data")
	base.must("restore", "a", "--yes")
	if got := a.Running(); got != running {
		t.Errorf("the restore after the attacks differs:\n%s", got)
	}
}

func globRecords(t *testing.T, store string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(store, "runs", "*", "*", "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("records: %v, %v", files, err)
	}
	slices.Sort(files)
	return files
}

// Two backups at once in one home: one waits for the other, nothing is lost.
func TestTwoBackupsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for _, n := range []string{"a", "b", "c"} {
		h.newSwitch(n)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if r := h.run("backup", "--all", "--force"); r.code != 0 {
				t.Errorf("backup: %d %s%s", r.code, r.out, r.err)
			}
		})
	}
	wg.Wait()
	for _, n := range []string{"a", "b", "c"} {
		if got := len(h.list(n)); got != 3 {
			t.Errorf("%s has %d snapshots, want 3", n, got)
		}
	}
	h.must("check", "--read-data")
}

// While the night's run waits for a slow device, a technician backs up and
// restores others, and waits for nothing. What both did counts.
func TestNightKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	a, b := h.newSwitch("a"), h.newSwitch("b")
	h.must("backup", "--all")
	running := a.Running()
	reached, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.Inject(device.Fault{Command: "show running-config", Before: func() { once.Do(func() { close(reached) }); <-release }})
	night := make(chan result)
	go func() { night <- h.run("backup", "--all", "--force") }()
	<-reached
	eventually(t, 30*time.Second, "the night has read a", func() bool {
		boxes, err := filepath.Glob(filepath.Join(h.dir, "vault", "outbox", "*.boxes"))
		return err == nil && len(boxes) == 1
	})
	a.FactoryReset()
	h.must("restore", "a", "--yes")
	if got := a.Running(); got != running {
		t.Errorf("the restore differs:\n%s", got)
	}
	h.must("backup", "a", "--force")
	before := len(h.list("a")) // the first, undo, and the operator's
	close(release)
	if r := <-night; r.code != 0 {
		t.Errorf("the night: %d %s%s", r.code, r.out, r.err)
	}
	if n, m := len(h.list("a")), len(h.list("b")); before != 3 || n != 4 || m != 2 {
		t.Errorf("a has %d snapshots during the night and %d afterwards, b has %d; want 3, 4 and 2", before, n, m)
	}
	h.must("check", "--read-data")
}

// A cloned agent forks the chain: exit 15, both records named, none lost.
func TestClonedAgent(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.newSwitch("a")
	h.must("backup", "a")
	clone := *h
	clone.dir = h.dir + "-clone"
	copyTree(t, h.dir, clone.dir)
	h.must("backup", "a", "--force")
	if r := clone.run("backup", "a", "--force"); r.code == 0 {
		t.Errorf("the clone did not notice that the chain went on without it")
	}
	// A clone that may only write cannot notice; readers do.
	before := len(globRecords(t, h.store))
	if before < 4 {
		t.Errorf("%d records", before)
	}
}

// An identity that was not a recipient opens nothing.
func TestWrongIdentity(t *testing.T) {
	t.Parallel()
	h, other := newHome(t), newHome(t)
	d := h.newSwitch("a")
	h.must("backup", "a")
	d.FactoryReset()
	wiped := d.Running()
	foreign := filepath.Join(other.dir, "vault", "identity.txt")
	for _, args := range [][]string{{"show", "a"}, {"restore", "a", "--yes"}, {"diff", "a", "live"}} {
		h.want(12, append([]string{"-i", foreign}, args...)...)
	}
	if d.Running() != wiped {
		t.Error("the device was changed")
	}
}
