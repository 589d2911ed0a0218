// Package host is the agent's side of plugins: it starts drivers as processes
// of their own, watches them and makes them usable as plugins.Driver.
//
// Built-in drivers are the agent's own binary started once more; third-party
// drivers are executables in one directory, pinned by SHA-256. Either way the
// process gets no environment, no standard input, no address and no
// credential, lives in a process group of its own and dies with the agent.
//
// What it deliberately does not do: it does not look anything up in $PATH,
// retry a call that may have changed a device, interpret configurations, or
// show what a plugin prints (that goes to the debug log).
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// The errors of this package.
var (
	// ErrUnknownDriver is a name that is neither built in nor in the plugin
	// directory.
	ErrUnknownDriver = errors.New("unknown driver")
	// ErrPinned is a plugin whose bytes are not those that were pinned, or
	// that was never pinned.
	ErrPinned = errors.New("the plugin is not trusted")
	// ErrPlugin is a fault of a plugin's process: it crashed, hung, did not
	// speak the protocol or used too much memory. The text says which driver
	// and what to do.
	ErrPlugin = errors.New("plugin failed")
)

// Options say where drivers are and how their processes are bounded.
type Options struct {
	Executable string   // the agent's own binary; a built-in driver NAME runs as "Executable plugin serve NAME"; empty: the running one
	Builtin    []string // names of the built-in drivers

	Dir      string // third-party executables, cfgvault-plugin-NAME; empty: none
	Profiles string // the user's profiles, NAME.yaml; one runs as "Executable plugin serve --profile FILE"; empty: none
	Lock     string // plugins.lock, in the format of sha256sum: pins both

	TempDir string       // for sockets and never for configurations; empty or too long for a socket's path: the system's
	Log     *slog.Logger // empty: nothing is logged

	MemoryLimit  int64         // bytes of memory of its own that a process may use; 0: 512 MiB
	StartTimeout time.Duration // until a process answers; 0: 10 s
	Grace        time.Duration // that a call has to return after its context is done; 0: 5 s
	ReadRetries  int           // how often a read is retried after a crash, each time in a process of its own; 0: once, negative: never
}

// Host starts and keeps plugin processes. Safe for concurrent use.
type Host struct {
	o      Options
	log    *slog.Logger
	dir    string // of scratch, for sockets
	spawn  *spawner
	starts chan struct{}  // a place for each process that is starting
	wg     sync.WaitGroup // processes
	closed chan struct{}  // closed by Close
	once   sync.Once

	scratch *scratch

	mu     sync.Mutex
	shared map[string]*slot
	procs  map[*process]struct{}
}

// slot holds the process that serves many devices for one driver.
type slot struct {
	lock chan struct{} // held while p is looked at or replaced
	p    *process
}

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

const (
	prefix        = "cfgvault-plugin-"
	profileSuffix = ".yaml"
)

// New prepares a host. It starts no process.
func New(o Options) (*Host, error) {
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 512 << 20
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 10 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	if o.ReadRetries == 0 {
		o.ReadRetries = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, name := range o.Builtin {
		if !nameRE.MatchString(name) {
			return nil, fmt.Errorf("built-in driver %q: a name is lower-case letters, digits and '-'", name)
		}
	}
	var err error
	if o.Executable == "" {
		if o.Executable, err = self(); err != nil {
			return nil, fmt.Errorf("find the agent's own binary: %w", err)
		}
	}
	if o.Executable, err = filepath.Abs(o.Executable); err != nil {
		return nil, err
	}
	h := &Host{o: o, log: o.Log, closed: make(chan struct{}), starts: make(chan struct{}, 2*runtime.NumCPU()), shared: map[string]*slot{}, procs: map[*process]struct{}{}}
	if h.scratch, err = newScratch(o.TempDir); err != nil {
		return nil, err
	}
	h.dir = h.scratch.path
	h.spawn = newSpawner()
	return h, nil
}

// self names the running binary in a way that stays right when it is replaced
// by an upgrade.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// Scratch is the host's private directory: for what is to be gone when the
// agent is, even if it is killed. Never for configurations.
func (h *Host) Scratch() string { return h.scratch.path }

// Names lists the drivers: the built-in ones, those in the plugin directory and
// the user's profiles, pinned or not, sorted. Of the same name a built-in one
// hides the others, and an executable a profile.
func (h *Host) Names() []string {
	names := slices.Clone(h.o.Builtin)
	if h.o.Dir != "" {
		// A directory that cannot be read has no plugins to offer; starting
		// one by name tells why.
		entries, _ := os.ReadDir(h.o.Dir)
		for _, e := range entries {
			if name, ok := strings.CutPrefix(e.Name(), prefix); ok && nameRE.MatchString(name) && !e.IsDir() {
				names = append(names, name)
			}
		}
	}
	if h.o.Profiles != "" {
		entries, _ := os.ReadDir(h.o.Profiles)
		for _, e := range entries {
			if name, ok := strings.CutSuffix(e.Name(), profileSuffix); ok && nameRE.MatchString(name) && !e.IsDir() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Info describes a driver. It starts the driver's shared process if there is
// none. Errors: ErrUnknownDriver, ErrPinned, ErrPlugin.
func (h *Host) Info(ctx context.Context, name string) (plugins.Info, error) {
	d, err := h.Shared(ctx, name)
	if err != nil {
		return plugins.Info{}, err
	}
	defer d.Close()
	return d.Info(), nil
}

// Shared returns a driver that runs in the one process that serves many
// devices; a fresh process is started after a crash. Close takes back the
// sessions that were used through this Driver and leaves the process running.
func (h *Host) Shared(ctx context.Context, name string) (*Driver, error) {
	p, err := h.sharedProcess(ctx, name)
	if err != nil {
		return nil, err
	}
	defer p.end()
	return newDriver(h, name, p.info, nil), nil
}

// Own returns a driver in a process of its own, for a restore. Close ends the
// process.
func (h *Host) Own(ctx context.Context, name string) (*Driver, error) {
	p, err := h.start(ctx, name)
	if err != nil {
		return nil, err
	}
	return newDriver(h, name, p.info, p), nil
}

// sharedProcess returns the shared process of a driver with one call begun.
func (h *Host) sharedProcess(ctx context.Context, name string) (*process, error) {
	h.mu.Lock()
	s := h.shared[name]
	if s == nil {
		s = &slot{lock: make(chan struct{}, 1)}
		h.shared[name] = s
	}
	h.mu.Unlock()
	select {
	case s.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.lock }()
	if s.p != nil && s.p.begin() {
		return s.p, nil
	}
	p, err := h.start(ctx, name)
	if err != nil {
		return nil, err
	}
	if !p.begin() {
		return nil, p.crash("start")
	}
	s.p = p
	return p, nil
}

// Close ends every process and waits for them. Calls in flight fail with
// ErrPlugin.
func (h *Host) Close() error {
	h.once.Do(func() {
		h.mu.Lock()
		close(h.closed)
		for p := range h.procs {
			p.kill("the agent is shutting down")
		}
		h.mu.Unlock()
		h.wg.Wait()
		h.spawn.stop()
	})
	return h.scratch.remove()
}

func (h *Host) isClosed() bool {
	select {
	case <-h.closed:
		return true
	default:
		return false
	}
}
